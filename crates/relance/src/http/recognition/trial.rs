//! A mailbox is tried, or one mail that is given as a file: what would be found, and why. Nothing is kept.
//!
//! **Absent:** getting mails and judging them (see [`crate::recognition`]).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_channels::imap::{FolderName, ImapAccount};
use relance_core::access::Sees;
use relance_core::ids::MailboxId;
use relance_core::policy::Policy;
use relance_wire::api::recognition::SeenMail;
use relance_wire::api::template::Job;
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::access::Caller;
use crate::policy::policy;
use crate::recognition::{DAYS_MAX, Judge, Places, Trial};
use crate::work::{WorkFailure, WorkProblem, Works};
use crate::workspace::Workspace;

use super::{Problem, Shared, aside, bad, wrong_field};

/// Days that a trial looks back unless it is said.
const DAYS_DEFAULT: u16 = 90;
/// Bytes of one mail that is given as a file: as much as is read of a mailbox.
const MAIL_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Lines in which a header of a mail is looked for.
const HEADER_LINES_LOOKED_AT: usize = 500;
/// Headers that every mail has some of.
const HEADERS: [&str; 5] = ["from", "to", "subject", "message-id", "date"];

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(try_mailbox))
        .routes(routes!(look_at).layer(DefaultBodyLimit::max(MAIL_BYTES_MAX)))
}

/// Which mailbox is tried.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RecognitionTryAsked)]
#[serde(deny_unknown_fields)]
pub struct TryAsked {
    /// Its address.
    mailbox: String,
    /// How many days back, 90 unless said.
    days: Option<u16>,
}

/// Reads the sent mail of a mailbox and says what would be found in it now; nothing is changed. It is asked after by
/// `jobs/{id}`; its result is a `TriedMailbox`.
#[utoipa::path(post, path = "/api/v1/recognition/try", operation_id = "recognition_try", tag = "recognition",
    request_body = TryAsked,
    responses((status = 202, description = "it has begun", body = Job), (status = 404, description = "no such mailbox"),
        (status = 409, description = "too many run already")))]
pub async fn try_mailbox(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(works): Extension<Arc<Works>>,
    Extension(places): Extension<Arc<Places>>,
    asked: Result<Json<TryAsked>, JsonRejection>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let Json(asked) = asked?;
    let days = asked.days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        let remedy = format!("days: write 1 to {DAYS_MAX}");
        return Err(wrong_field("bad_days", "days", "bad_days", remedy));
    }
    let seat = Seat::find(&workspace, &caller, &asked.mailbox)?;
    let now = workspace.clock.now();
    let begun = works.begin("recognition", caller.name(), now, move |progress| {
        let runtime = tokio::runtime::Handle::current();
        let trial = seat.trial(&workspace, &places, days);
        let tried = runtime.block_on(trial.run(|done, of| progress.tell(done, of).is_continue()));
        let tried = tried.map_err(WorkFailure::from)?;
        serde_json::to_value(tried).map_err(|error| WorkFailure::from(error.to_string()))
    });
    match begun {
        Ok(job) => Ok((StatusCode::ACCEPTED, Json(job))),
        Err(problem @ WorkProblem::Busy) => {
            Err(Problem::new(StatusCode::CONFLICT, "busy_working", problem))
        }
        Err(problem @ WorkProblem::Random(_)) => {
            tracing::error!(%problem, "a mailbox could not be tried");
            Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                problem,
            ))
        }
    }
}

/// A mailbox that the caller may read.
pub(super) struct Seat {
    pub(super) mailbox: MailboxId,
    account: ImapAccount,
    folder: Option<FolderName>,
    aliases: Vec<String>,
    members: Vec<String>,
    pub(super) policy: Policy,
    sees: Sees,
}

impl Seat {
    pub(super) fn find(
        workspace: &Workspace,
        caller: &Caller,
        address: &str,
    ) -> Result<Self, Problem> {
        let address = address.trim().to_lowercase();
        let unknown = || Problem::not_found("mailbox; GET /api/v1/mailboxes lists those that are");
        if caller.sees.is_limited() && !caller.sees.allows(Some(&address)) {
            return Err(unknown());
        }
        let entry = workspace.watching.book.find(&address).ok_or_else(unknown)?;
        let Some((account, folder)) = workspace.watching.book.searching(&address) else {
            let cause = entry
                .unready
                .as_ref()
                .map_or("paused", |unready| unready.code);
            let detail = "the mailbox is not read now; its page says why";
            return Err(bad("mailbox_unreadable", detail).with("cause", json!(cause)));
        };
        let policy = policy(&workspace.config()).map_err(|problem| bad("bad_settings", problem))?;
        Ok(Self {
            mailbox: MailboxId::from(address.as_str()),
            account,
            folder,
            aliases: entry.stored.aliases.clone(),
            members: entry.stored.members.clone(),
            policy,
            sees: caller.sees.clone(),
        })
    }

    pub(super) fn judge<'a>(&'a self, workspace: &'a Workspace) -> Judge<'a> {
        Judge {
            mailbox: &self.mailbox,
            aliases: &self.aliases,
            members: &self.members,
            policy: &self.policy,
            reader: &workspace.reader,
            sees: &self.sees,
        }
    }

    pub(super) fn trial<'a>(
        &'a self,
        workspace: &'a Workspace,
        places: &'a Places,
        days: u16,
    ) -> Trial<'a> {
        Trial {
            account: self.account.clone(),
            folder: self.folder.clone(),
            days,
            rules: &workspace.watching.rules,
            judge: self.judge(workspace),
            places,
            now: workspace.clock.now(),
        }
    }
}

/// Whose mail a file is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfMailbox {
    /// The mailbox that it is looked at as if sent from; its author's unless said.
    mailbox: Option<String>,
}

/// Says what is found in one mail, given as its bytes (`.eml`); nothing is kept.
#[utoipa::path(post, path = "/api/v1/recognition/mail", operation_id = "recognition_mail", tag = "recognition",
    params(OfMailbox), request_body(content = String, content_type = "message/rfc822"),
    responses((status = 200, description = "what it is, and why", body = SeenMail), (status = 413, description = "it is too large"),
        (status = 422, description = "it is no mail")))]
pub async fn look_at(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Query(of): Query<OfMailbox>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<SeenMail>, Problem> {
    let bytes = bytes.map_err(|rejection| {
        let detail = format!("a mail of more than {MAIL_BYTES_MAX} bytes is not looked at");
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "mail_too_large", detail)
            }
            status => Problem::new(status, "no_mail_file", rejection.body_text()),
        }
    })?;
    let seen = aside(move || {
        if !looks_like_mail(&bytes) {
            let detail = "it is no mail; save one as a file (.eml) and give that";
            return Err(bad("no_mail_file", detail));
        }
        let (examined, near) = crate::examine::examine_closely(&bytes, &workspace.watching.rules)
            .map_err(|problem| bad("mail_unreadable", problem))?;
        let policy = policy(&workspace.config()).map_err(|problem| bad("bad_settings", problem))?;
        let author = examined
            .mail
            .author()
            .map(|author| author.email.to_lowercase());
        let mailbox = of
            .mailbox
            .map(|mailbox| mailbox.trim().to_lowercase())
            .or(author)
            .unwrap_or_default();
        let entry = workspace.watching.book.find(&mailbox);
        let aliases = entry.map(|entry| entry.stored.aliases.clone());
        let aliases = aliases.unwrap_or_default();
        let mailbox = MailboxId::from(mailbox.as_str());
        let judge = Judge {
            mailbox: &mailbox,
            aliases: &aliases,
            members: &[],
            policy: &policy,
            reader: &workspace.reader,
            sees: &caller.sees,
        };
        let now = workspace.clock.now();
        let at = examined.mail.date.unwrap_or(now);
        Ok(judge.judge(examined, near, at, String::new())?)
    });
    seen.await.map(Json)
}

/// Whether a file begins with a header of a mail, as anything may be dropped onto a page.
fn looks_like_mail(bytes: &[u8]) -> bool {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .take(HEADER_LINES_LOOKED_AT);
    lines.any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        HEADERS
            .iter()
            .any(|header| name.eq_ignore_ascii_case(header.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_mail_by_its_header() {
        assert!(looks_like_mail(
            b"Received: x\r\nFROM: anna@shop.test\r\n\r\nx"
        ));
        assert!(!looks_like_mail(b"%PDF-1.7\n..."));
        assert!(!looks_like_mail(b""));
    }
}
