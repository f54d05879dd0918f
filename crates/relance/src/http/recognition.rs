//! `/api/v1/recognition/...` and `/api/v1/contacts/{id}/documents/{document}/correct`: by which rules documents are
//! recognised, what would have been found in a mailbox, and what people put right.
//!
//! Whoever sees only some owners tries and teaches only mailboxes of these. **Absent:** rules of recognition (see
//! `relance-message` and [`crate::recognition`]); what a correction does to runs (see core).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, MailboxId, ObjectKind, SubjectRef};
use relance_core::mail::{Folder, MailClass, WITHDRAWN};
use relance_core::subject::{Object, ObjectPatch};
use relance_core::value::{Fields, Value};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use relance_wire::api::recognition::{BundledRule, SeenMail};
use relance_wire::api::registry::DocumentRow;
use relance_wire::api::template::Job;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Caller, Who};
use crate::policy::policy;
use crate::recognition::own::{KIND, OwnRule, RULES_MAX, RuleProblem, Then, When};
use crate::recognition::{self, DAYS_MAX, Places, Trial, TryProblem, judge};
use crate::work::{WorkProblem, Works};
use crate::workspace::Workspace;

use super::api::read;
use super::documents::row;
use super::lists::{contact_id, moment, today};
use super::{Problem, Shared};

/// What one word about a document weighs in the engine's queue.
const WEIGHT: usize = 4_096;
/// Days that a trial looks back unless it is said.
const DAYS_DEFAULT: u16 = 90;
/// Bytes of chance in the id of a rule.
const ID_BYTES: usize = 8;
/// Characters of a number that a person writes.
const NUMBER_CHARS_MAX: usize = 60;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(rules, add_rule))
        .routes(routes!(remove_rule))
        .routes(routes!(try_mailbox))
        .routes(routes!(look_at))
        .routes(routes!(register))
        .routes(routes!(correct))
}

fn bad(code: &'static str, detail: impl ToString) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

impl From<RuleProblem> for Problem {
    fn from(problem: RuleProblem) -> Self {
        let field = problem.to_string();
        let field = field.split(':').next().unwrap_or_default().to_owned();
        let fields = json!([{ "field": field, "message": problem.to_string() }]);
        bad("bad_rule", problem).with("fields", fields)
    }
}

impl From<TryProblem> for Problem {
    fn from(problem: TryProblem) -> Self {
        match problem {
            TryProblem::Read(error) => error.into(),
            TryProblem::NoMail => Self::new(StatusCode::NOT_FOUND, "no_mail", problem),
            TryProblem::Imap(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "mailbox_unreadable", problem)
            }
            TryProblem::NoSent | TryProblem::Unreadable(_) | TryProblem::Stopped => {
                bad("mail_unreadable", problem)
            }
        }
    }
}

/// The rules by which documents are recognised.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RecognitionRules)]
pub struct AllRules {
    /// Those that come with the program.
    bundled: Vec<BundledRule>,
    /// Those of the workspace, the newest first.
    own: Vec<OwnRule>,
}

/// The rules, to be read.
#[utoipa::path(get, path = "/api/v1/recognition/rules", operation_id = "recognition_rules", tag = "recognition",
    responses((status = 200, description = "all rules", body = AllRules)))]
pub async fn rules(State(workspace): Shared) -> Json<AllRules> {
    let rules = &workspace.watching.rules;
    let bundled = rules
        .documents
        .listed()
        .into_iter()
        .map(|rule| BundledRule {
            languages: languages(&rule.phrases),
            id: rule.id,
            kind: rule.kind.to_owned(),
            place: rule.place.to_owned(),
            phrases: rule.phrases,
            weight: rule.weight,
        });
    Json(AllRules {
        bundled: bundled.collect(),
        own: rules
            .own
            .all()
            .iter()
            .map(|rule| (**rule).clone())
            .collect(),
    })
}

/// Languages by script.
fn languages(phrases: &[String]) -> Vec<String> {
    let has = |range: fn(char) -> bool| phrases.iter().any(|phrase| phrase.chars().any(range));
    let mut all = Vec::new();
    if has(|c| c.is_ascii_alphabetic()) {
        all.push("en".to_owned());
    }
    if has(|c| matches!(c, '\u{400}'..='\u{4ff}')) {
        all.push("ru".to_owned());
    }
    if has(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')) {
        all.push("ja".to_owned());
    }
    all
}

/// A new rule.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RecognitionRuleAsked)]
#[serde(deny_unknown_fields)]
pub struct RuleAsked {
    /// What a mail must be like; all that is said must be true.
    when: When,
    /// What it then is.
    then: Then,
}

/// Makes a rule; it is in force at once.
#[utoipa::path(post, path = "/api/v1/recognition/rules", operation_id = "recognition_rules_add", tag = "recognition",
    request_body = RuleAsked,
    responses((status = 201, description = "the rule", body = OwnRule), (status = 422, description = "`fields` says what is wrong")))]
pub async fn add_rule(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<RuleAsked>, JsonRejection>,
) -> Result<(StatusCode, Json<OwnRule>), Problem> {
    let Json(asked) = asked?;
    let rule = new_rule(&workspace, &caller, asked.when, asked.then)?;
    let arrivals = vec![Arrival::Asset(rule.asset())];
    let more = json!({ "then": rule.then });
    workspace
        .submit_with(
            &caller,
            arrivals,
            WEIGHT,
            "recognition.rule",
            &rule.id,
            &more,
        )
        .await?;
    workspace.watching.rules.own.put(rule.clone());
    Ok((StatusCode::CREATED, Json(rule)))
}

/// A rule that the caller may make.
fn new_rule(
    workspace: &Workspace,
    caller: &Caller,
    when: When,
    then: Then,
) -> Result<OwnRule, Problem> {
    let mut when = when.checked()?;
    if workspace.watching.rules.own.all().len() >= RULES_MAX {
        return Err(RuleProblem::TooMany.into());
    }
    if caller.sees.is_limited() {
        // Whoever sees some mailboxes teaches about these; their own is meant where none is named.
        if when.from.is_none()
            && let Who::User(own) = &caller.who
        {
            when.from = Some(own.to_string());
        }
        if !caller.sees.allows(when.from.as_deref()) {
            let detail = "when.from: name a mailbox that is yours";
            return Err(bad("bad_rule", detail).with(
                "fields",
                json!([{ "field": "when.from", "message": detail }]),
            ));
        }
    }
    let mut chance = [0; ID_BYTES];
    getrandom::fill(&mut chance).map_err(|error| {
        tracing::error!(%error, "no randomness");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "no randomness")
    })?;
    let id: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(OwnRule {
        id: format!("own-{id}"),
        when,
        then,
        by: caller.name(),
        at: workspace.clock.now(),
    })
}

/// Takes a rule out of force.
#[utoipa::path(delete, path = "/api/v1/recognition/rules/{id}", operation_id = "recognition_rules_remove", tag = "recognition",
    params(("id" = String, Path, description = "the id of the rule")),
    responses((status = 200, description = "the rule that was", body = OwnRule), (status = 404, description = "there is none")))]
pub async fn remove_rule(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<OwnRule>, Problem> {
    let all = workspace.watching.rules.own.all();
    let rule = all.iter().find(|rule| rule.id == id);
    let rule = rule
        .filter(|rule| !caller.sees.is_limited() || caller.sees.allows(rule.when.from.as_deref()))
        .ok_or_else(|| Problem::not_found("rule"))?;
    let gone = Asset {
        kind: KIND.to_owned(),
        name: id.clone(),
        body: None,
    };
    workspace
        .submit_as(
            &caller,
            vec![Arrival::Asset(gone)],
            WEIGHT,
            "recognition.rule_remove",
            &id,
        )
        .await?;
    workspace.watching.rules.own.remove(&id);
    Ok(Json((**rule).clone()))
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
        return Err(bad("bad_days", format!("days: write 1 to {DAYS_MAX}")));
    }
    let seat = Seat::find(&workspace, &caller, &asked.mailbox)?;
    let now = workspace.clock.now();
    let begun = works.begin("recognition", caller.name(), now, move |progress| {
        let runtime = tokio::runtime::Handle::current();
        let trial = seat.trial(&workspace, &places, days);
        let tried = runtime.block_on(trial.run(|done, of| progress.tell(done, of).is_continue()));
        let tried = tried.map_err(|problem| problem.to_string())?;
        serde_json::to_value(tried).map_err(|error| error.to_string())
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
struct Seat {
    mailbox: MailboxId,
    account: relance_channels::imap::ImapAccount,
    folder: Option<relance_channels::imap::FolderName>,
    policy: relance_core::policy::Policy,
}

impl Seat {
    fn find(workspace: &Workspace, caller: &Caller, address: &str) -> Result<Self, Problem> {
        let address = address.trim().to_lowercase();
        let unknown = || Problem::not_found("mailbox; GET /api/v1/mailboxes lists those that are");
        if caller.sees.is_limited() && !caller.sees.allows(Some(&address)) {
            return Err(unknown());
        }
        let (account, folder) = workspace
            .watching
            .book
            .searching(&address)
            .ok_or_else(unknown)?;
        let policy = policy(&workspace.config()).map_err(|problem| bad("bad_settings", problem))?;
        Ok(Self {
            mailbox: MailboxId::from(address.as_str()),
            account,
            folder,
            policy,
        })
    }

    fn trial<'a>(&'a self, workspace: &'a Workspace, places: &'a Places, days: u16) -> Trial<'a> {
        Trial {
            mailbox: self.mailbox.clone(),
            account: self.account.clone(),
            folder: self.folder.clone(),
            days,
            rules: &workspace.watching.rules,
            policy: &self.policy,
            reader: &workspace.reader,
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
    responses((status = 200, description = "what it is, and why", body = SeenMail), (status = 422, description = "it is no mail")))]
pub async fn look_at(
    State(workspace): Shared,
    Query(of): Query<OfMailbox>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<SeenMail>, Problem> {
    let bytes = bytes.map_err(|rejection| {
        Problem::new(rejection.status(), "too_large", rejection.body_text())
    })?;
    let seen = aside(move || {
        let examined = crate::examine::examine(&bytes, &workspace.watching.rules)
            .map_err(|problem| bad("no_mail", problem))?;
        let policy = policy(&workspace.config()).map_err(|problem| bad("bad_settings", problem))?;
        let author = examined
            .mail
            .author()
            .map(|author| author.email.to_lowercase());
        let mailbox = of
            .mailbox
            .map(|mailbox| mailbox.trim().to_lowercase())
            .or(author);
        let mailbox = MailboxId::from(mailbox.unwrap_or_default().as_str());
        let now = workspace.clock.now();
        Ok(judge(examined, &mailbox, now, &policy, &workspace.reader)?)
    });
    seen.await.map(Json)
}

/// Works beside the network threads.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a mail could not be looked at");
        let detail = "the answer could not be made; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })?
}

/// Fields that a person puts right. One that is left out stays; an empty text takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[schema(as = CorrectedFields)]
#[serde(deny_unknown_fields)]
pub struct FieldsAsked {
    /// Its number.
    number: Option<String>,
    /// Its total as a decimal number.
    amount: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    /// The date of issue.
    issued: Option<String>,
    /// By when it is to be paid or answered.
    due: Option<String>,
}

impl FieldsAsked {
    /// As fields of the document; a null removes.
    fn checked(&self) -> Result<Fields, Problem> {
        let wrong = |field: &str, remedy: &str| {
            let message = format!("fields.{field}: {remedy}");
            bad("bad_field", &message).with(
                "fields",
                json!([{ "field": format!("fields.{field}"), "message": message }]),
            )
        };
        let mut fields = Fields::new();
        for (name, text) in [
            ("number", &self.number),
            ("amount", &self.amount),
            ("currency", &self.currency),
            ("issued", &self.issued),
            ("due", &self.due),
        ] {
            let Some(text) = text.as_deref().map(str::trim) else {
                continue;
            };
            let value = match (name, text) {
                (_, "") => Value::Null,
                ("number", text) if text.chars().count() > NUMBER_CHARS_MAX => {
                    let remedy = format!("more than {NUMBER_CHARS_MAX} characters; shorten it");
                    return Err(wrong(name, &remedy));
                }
                ("number", text) => json!(text),
                ("amount", text) => decimal(text)
                    .map(|amount| json!(amount))
                    .ok_or_else(|| wrong(name, "write a decimal number such as 1200.50"))?,
                ("currency", text)
                    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
                {
                    json!(text.to_ascii_uppercase())
                }
                ("currency", _) => return Err(wrong(name, "write three letters such as EUR")),
                (name, text) => text
                    .parse::<jiff::civil::Date>()
                    .map(|date| json!(date.to_string()))
                    .map_err(|_| wrong(name, "write a date such as 2026-11-30"))?,
            };
            fields.insert(name.to_owned(), value);
        }
        Ok(fields)
    }
}

/// An amount as people write it in forms: digits, and a point before its parts.
fn decimal(text: &str) -> Option<f64> {
    /// Digits before the point, and behind it.
    const DIGITS_MAX: (usize, usize) = (13, 4);
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    (is_digits(whole, DIGITS_MAX.0) && is_digits(part, DIGITS_MAX.1))
        .then(|| text.parse().ok())
        .flatten()
}

/// A sent mail that carries a document which was not found.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RegisterAsked)]
#[serde(deny_unknown_fields)]
pub struct RegisterAsked {
    /// The mailbox that it was sent from.
    mailbox: String,
    /// Its Message-ID.
    message_id: String,
    /// What it is; `never` only makes the rule.
    kind: Then,
    /// What is to stand in the place of what is read.
    #[serde(default)]
    fields: FieldsAsked,
    /// A rule that is made of it.
    remember: Option<When>,
}

/// Registers a mail as a document, as if it had been found; or says that its like is none.
#[utoipa::path(post, path = "/api/v1/recognition/register", operation_id = "recognition_register", tag = "recognition",
    request_body = RegisterAsked,
    responses((status = 200, description = "what it is now", body = SeenMail), (status = 404, description = "no such mailbox or mail"),
        (status = 422, description = "`fields` says what is wrong")))]
pub async fn register(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(places): Extension<Arc<Places>>,
    asked: Result<Json<RegisterAsked>, JsonRejection>,
) -> Result<Json<SeenMail>, Problem> {
    let Json(asked) = asked?;
    let fields = asked.fields.checked()?;
    let seat = Seat::find(&workspace, &caller, &asked.mailbox)?;
    let rule = match asked.remember {
        Some(when) => Some(new_rule(&workspace, &caller, when, asked.kind)?),
        None if asked.kind == Then::Never => {
            return Err(bad(
                "no_rule",
                "remember: say of which mails this is never true",
            ));
        }
        None => None,
    };
    let message_id = asked.message_id.trim().trim_matches(['<', '>']).to_owned();
    let own = workspace.clone();
    let (kind, by) = (asked.kind, caller.name());
    let (wanted, mailbox) = (message_id.clone(), seat.mailbox.clone());
    let (mail, seen) = aside(move || {
        let runtime = tokio::runtime::Handle::current();
        let trial = seat.trial(&own, &places, DAYS_MAX);
        let (examined, at) = runtime.block_on(trial.find(&wanted))?;
        let at = jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let Some(kind) = kind.document() else {
            let seen = judge(examined, &seat.mailbox, at, &seat.policy, &own.reader)?;
            return Ok((None, seen));
        };
        let examined = examined.read_as(kind, &format!("told:{by}"), &own.watching.rules);
        let shown = examined.document.as_ref().map(recognition::shown);
        let mut mail = examined.see(&seat.mailbox, Folder::Sent, at, wanted.clone());
        if let MailClass::Document(facts) = &mut mail.class {
            lay(facts, &fields);
        }
        if mail.document_client(&seat.policy).is_none() {
            let detail = "the mail went to nobody outside; a document needs a client";
            return Err(bad("internal_mail", detail));
        }
        let seen = SeenMail {
            message_id: mail.message_id.clone(),
            at: moment(at),
            to: mail.to.iter().map(|to| to.email.clone()).collect(),
            subject: mail.subject.clone(),
            attachments: Vec::new(),
            found: shown,
            left_out: None,
            why: Vec::new(),
            rule: None,
            known: true,
        };
        Ok((Some(mail), seen))
    })
    .await?;
    let mut arrivals: Vec<Arrival> = rule
        .iter()
        .map(|rule| Arrival::Asset(rule.asset()))
        .collect();
    arrivals.extend(mail.map(|mail| Arrival::Mail(Box::new(mail))));
    let more = json!({ "mailbox": mailbox.as_str(), "kind": kind, "rule": rule.as_ref().map(|rule| &rule.id) });
    workspace
        .submit_with(
            &caller,
            arrivals,
            WEIGHT,
            "recognition.register",
            &message_id,
            &more,
        )
        .await?;
    if let Some(rule) = rule {
        workspace.watching.rules.own.put(rule);
    }
    Ok(Json(seen))
}

/// Lays what a person says over what was read.
fn lay(facts: &mut relance_core::mail::DocumentFacts, fields: &Fields) {
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let date = || text.as_deref().and_then(|text| text.parse().ok());
        match name.as_str() {
            "number" => facts.number = text,
            "amount" => facts.amount = text,
            "currency" => facts.currency = text,
            "issued" => facts.issued = date(),
            "due" => facts.due = date(),
            _no_other => {}
        }
    }
}

/// What a document really is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = CorrectAsked)]
#[serde(deny_unknown_fields)]
pub struct CorrectAsked {
    /// What it is; `never`: it is no document.
    kind: Then,
    /// What is to stand in the place of what was read.
    #[serde(default)]
    fields: FieldsAsked,
    /// A rule that is made of it.
    remember: Option<When>,
}

/// Puts right what was read of a document, or says that it is none: then its runs end and it leaves the totals. A
/// document that was none is one again when its kind is said. What ended stays ended.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/documents/{document}/correct", operation_id = "documents_correct", tag = "recognition",
    params(("id" = String, Path, description = "the contact"), ("document" = String, Path, description = "the document")),
    request_body = CorrectAsked,
    responses((status = 200, description = "the document as it is now", body = DocumentRow), (status = 404, description = "there is none, or not of this contact"),
        (status = 422, description = "`fields` says what is wrong")))]
pub async fn correct(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path((id, document)): Path<(String, String)>,
    asked: Result<Json<CorrectAsked>, JsonRejection>,
) -> Result<Json<DocumentRow>, Problem> {
    let Json(asked) = asked?;
    let id = contact_id(&id)?;
    let fields = asked.fields.checked()?;
    let rule = asked
        .remember
        .map(|when| new_rule(&workspace, &caller, when, asked.kind))
        .transpose()?;
    let subject = SubjectRef {
        kind: ObjectKind::from("document"),
        id: document.as_str().into(),
    };
    let wanted = subject.clone();
    let known = read(&workspace, move |reader| reader.object(id, &wanted)).await?;
    let known = known.ok_or_else(|| Problem::not_found("document"))?;
    let events = correction(&workspace, &caller, id, &known, asked.kind, fields);
    let mut arrivals: Vec<Arrival> = rule
        .iter()
        .map(|rule| Arrival::Asset(rule.asset()))
        .collect();
    arrivals.extend(events.into_iter().map(|event| Arrival::Input {
        contact: id,
        input: relance_core::decide::Input::Event(Arc::new(event)),
    }));
    let action = match asked.kind {
        Then::Never => "document.withdrawn",
        Then::Invoice | Then::Offer => "document.corrected",
    };
    let more = json!({ "kind": asked.kind, "rule": rule.as_ref().map(|rule| &rule.id) });
    workspace
        .submit_with(&caller, arrivals, WEIGHT, action, &document, &more)
        .await?;
    if let Some(rule) = rule {
        workspace.watching.rules.own.put(rule);
    }
    let today = today(&workspace);
    let now = read(&workspace, move |reader| {
        let listed = reader.listed_document(id, &document)?;
        let object = reader.object(id, &subject)?;
        let contact = reader.contact(id)?;
        let both = listed.zip(object);
        Ok(both.map(|(listed, object)| row(&listed, &object, contact.as_ref(), today)))
    });
    now.await?
        .map(Json)
        .ok_or_else(|| Problem::not_found("document"))
}

/// What a correction means, as events.
fn correction(
    workspace: &Workspace,
    caller: &Caller,
    contact: ContactId,
    known: &Object,
    kind: Then,
    mut fields: Fields,
) -> Vec<Event> {
    let now = workspace.clock.now();
    let is_withdrawn = known.text("status") == Some(WITHDRAWN);
    let event = |name: &str, fields: &Fields| {
        let mut event = Event::track(name, now);
        event
            .properties
            .insert("by".to_owned(), json!(caller.name()));
        let all: BTreeMap<&String, &Value> = known.fields.iter().chain(fields).collect();
        for field in [
            "number",
            "amount",
            "currency",
            "kind",
            "due",
            "mailbox",
            "message_id",
        ] {
            if let Some(value) = all.get(&field.to_owned()).filter(|value| !value.is_null()) {
                event.properties.insert(field.to_owned(), (*value).clone());
            }
        }
        event.objects = vec![ObjectPatch {
            subject: known.subject.clone(),
            fields: fields.clone(),
        }];
        event.subject = Some(known.subject.clone());
        let id = format!("told:{contact}:{}:{name}:{now}", known.subject.id);
        event.message_id = Some(id.into());
        event
    };
    let word = match kind {
        Then::Never => {
            if is_withdrawn {
                return Vec::new();
            }
            let before = known.fields.get("status").cloned().unwrap_or(json!("sent"));
            fields.insert("status".to_owned(), json!(WITHDRAWN));
            fields.insert("status_before".to_owned(), before);
            fields.insert("withdrawn_at".to_owned(), json!(moment(now)));
            fields.insert("withdrawn_by".to_owned(), json!(caller.name()));
            return vec![event(names::DOCUMENT_WITHDRAWN, &fields)];
        }
        Then::Invoice => "invoice",
        Then::Offer => "offer",
    };
    let kind_changes = known.text("kind") != Some(word);
    fields.insert("kind".to_owned(), json!(word));
    if is_withdrawn {
        let before = known
            .fields
            .get("status_before")
            .filter(|before| !before.is_null());
        fields.insert(
            "status".to_owned(),
            before.cloned().unwrap_or(json!("sent")),
        );
        for field in ["status_before", "withdrawn_at", "withdrawn_by"] {
            fields.insert(field.to_owned(), Value::Null);
        }
        return vec![event(names::DOCUMENT_RESTORED, &fields)];
    }
    let mut events = vec![event(names::DOCUMENT_CORRECTED, &fields)];
    if kind_changes {
        // Journeys for what it really is begin now; those that began already do not begin again.
        let mut sent = event(names::DOCUMENT_SENT, &fields);
        sent.objects.clear();
        events.push(sent);
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_checked_and_an_empty_one_is_taken_away() {
        let asked = FieldsAsked {
            number: Some(" 15/2 ".to_owned()),
            amount: Some("1200.50".to_owned()),
            currency: Some("eur".to_owned()),
            issued: None,
            due: Some(String::new()),
        };
        let fields = asked.checked().expect("fields");
        assert_eq!(
            serde_json::to_value(fields).expect("json"),
            json!({"number": "15/2", "amount": 1200.5, "currency": "EUR", "due": null})
        );
        let wrong = |asked: FieldsAsked| asked.checked().expect_err("wrong").detail;
        let of = |amount: &str| FieldsAsked {
            amount: Some(amount.to_owned()),
            ..FieldsAsked::default()
        };
        assert!(wrong(of("1 200,50")).starts_with("fields.amount:"));
        assert!(wrong(of("-5")).starts_with("fields.amount:"));
        let due = FieldsAsked {
            due: Some("soon".to_owned()),
            ..FieldsAsked::default()
        };
        assert!(wrong(due).starts_with("fields.due:"));
    }
}
