//! `/api/v1/journeys/{id}/draft`: the text that is being worked on, beside the published versions.
//!
//! A draft need not be right; the answer says what is wrong with it. Two people who edit one journey do not
//! overwrite each other: a writing names the revision that it was made from, and a stale one is refused with what
//! the other wrote.

use std::sync::Arc;

use axum::extract::rejection::StringRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use jiff::Timestamp;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Asset, DRAFT};
use relance_store::read::{ReadError, Reader};
use relance_wire::api::journey::{DraftStored, JourneyDraft, TextProblem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::scenario::FILE_BYTES_MAX;
use crate::scenario::apply::RESERVED;
use crate::workspace::Workspace;

use super::{Problem, Shared, api};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(put_draft, delete_draft))
}

/// The sort of texts that say who wrote a draft last.
const WRITTEN: &str = "draft_written";
/// What a draft weighs in the engine's queue beside its text.
const WEIGHT: usize = 512;
/// Characters of a journey's id.
const ID_CHARS_MAX: usize = 64;
/// Characters of a revision.
const REVISION_CHARS: usize = 16;

/// Who wrote a draft last.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    by: String,
}

/// A state of a text, as it is named in `If-Match`.
pub(super) fn revision(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..REVISION_CHARS].to_owned()
}

/// The draft of a journey.
pub(super) fn read(reader: &Reader, id: &str) -> Result<Option<JourneyDraft>, ReadError> {
    let drafts = reader.texts(DRAFT)?;
    let Some(own) = drafts.into_iter().find(|one| one.name == id) else {
        return Ok(None);
    };
    let written = reader.texts(WRITTEN)?;
    let written = written.iter().find(|one| one.name == id);
    let by = written.and_then(|one| serde_json::from_str::<Written>(&one.body).ok());
    Ok(Some(JourneyDraft {
        revision: revision(&own.body),
        text: own.body,
        updated_at: own.updated_at.to_string(),
        by: by.map(|written| written.by),
    }))
}

/// What is wrong with a text, as pages show it.
pub(super) fn problems(found: &[relance_wire::journey::Problem]) -> Vec<TextProblem> {
    let shown = |one: &relance_wire::journey::Problem| TextProblem {
        path: one.path.clone(),
        line: one.line,
        what: one.what.clone(),
        message: one.what.clone(),
        remedy: one.remedy.clone(),
    };
    found.iter().map(shown).collect()
}

/// The revision that a header names: without quotes, and without the mark of a weak one.
pub(super) fn named(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    Some(text.trim_matches('"').to_owned())
}

/// Puts the text that is being worked on beside the published versions; it need not be right yet. The
/// answer tells what is wrong with it.
#[utoipa::path(
    put,
    path = "/api/v1/journeys/{id}/draft",
    operation_id = "journeys_draft_put",
    tag = "journeys",
    params(
        ("id" = String, Path, description = "the id of the journey"),
        ("If-Match" = Option<String>, Header, description = "the revision that was read; a stale one is refused with 412 and the other's text"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where there is no draft yet")
    ),
    request_body(content = String, content_type = "text/plain", description = "the text, in YAML; it need not be right yet"),
    responses(
        (status = 200, description = "it is kept", body = DraftStored),
        (status = 412, description = "somebody else wrote meanwhile: `by`, `text`, `revision`, `updated_at` are theirs"),
    )
)]
pub async fn put_draft(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    text: Result<String, StringRejection>,
) -> Result<Json<DraftStored>, Problem> {
    let text = text.map_err(|rejection| {
        Problem::new(rejection.status(), "malformed", rejection.body_text())
    })?;
    if !is_id(&id) {
        let detail = format!("{id:?} is no id of a journey; use at most 64 of a-z, 0-9, - and _");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_id", detail));
    }
    if text.len() as u64 > FILE_BYTES_MAX {
        let detail = format!("the text has more than {FILE_BYTES_MAX} bytes");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            detail,
        ));
    }
    let mut wrong = Vec::new();
    match relance_wire::journey::publish_with(&text, 1, &workspace.config().rfm.settings()) {
        Err(found) => wrong = problems(&found),
        Ok(journey) if journey.id.as_str() != id => {
            let what = format!(
                "the text is the journey {}, and the draft of {id}",
                journey.id
            );
            wrong.push(TextProblem {
                path: "id".to_owned(),
                line: 0,
                message: what.clone(),
                what,
                remedy: "give both the same id".to_owned(),
            });
        }
        Ok(_) => {}
    }
    // Between the look at the revision and the writing nobody else writes.
    let _turn = workspace.applying.lock().await;
    let wanted = id.clone();
    let before = api::read(&workspace, move |reader| read(reader, &wanted)).await?;
    check(&headers, before.as_ref())?;
    let revision = revision(&text);
    store(&workspace, &caller, &id, Some(text)).await?;
    let now: Timestamp = workspace.clock.now();
    Ok(Json(DraftStored {
        id,
        problems: wrong,
        revision,
        updated_at: now.to_string(),
    }))
}

/// Refuses a writing that was made from another text than there is.
fn check(headers: &HeaderMap, before: Option<&JourneyDraft>) -> Result<(), Problem> {
    if named(headers, &header::IF_NONE_MATCH).as_deref() == Some("*")
        && let Some(other) = before
    {
        return Err(stale(Some(other)));
    }
    let Some(read) = named(headers, &header::IF_MATCH) else {
        return Ok(());
    };
    match before {
        Some(other) if read == "*" || read == other.revision => Ok(()),
        other => Err(stale(other)),
    }
}

fn stale(other: Option<&JourneyDraft>) -> Problem {
    let status = StatusCode::PRECONDITION_FAILED;
    let Some(other) = other else {
        let detail = "the draft is gone: it was published or thrown away; read the journey again";
        return Problem::new(status, "stale", detail);
    };
    let by = other.by.as_deref().unwrap_or("somebody");
    let detail =
        format!("{by} wrote meanwhile; take their text over, or write again with its revision");
    Problem::new(status, "stale", detail)
        .with("by", json!(other.by))
        .with("text", json!(other.text))
        .with("revision", json!(other.revision))
        .with("updated_at", json!(other.updated_at))
}

/// A journey that something was done to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JourneyNamed {
    /// Which.
    id: String,
}

/// Throws the draft away.
#[utoipa::path(
    delete,
    path = "/api/v1/journeys/{id}/draft",
    operation_id = "journeys_draft_delete",
    tag = "journeys",
    params(("id" = String, Path, description = "the id of the journey")),
    responses((status = 200, description = "it is gone", body = JourneyNamed))
)]
pub async fn delete_draft(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<JourneyNamed>, Problem> {
    let _turn = workspace.applying.lock().await;
    store(&workspace, &caller, &id, None).await?;
    Ok(Json(JourneyNamed { id }))
}

/// Whether a journey may have this id.
fn is_id(text: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !text.is_empty()
        && text.len() <= ID_CHARS_MAX
        && text.chars().all(good)
        && !RESERVED.contains(&text)
}

/// What puts a draft there, or takes it away, in somebody's name.
pub(crate) fn arrivals(caller: &Caller, id: &str, body: Option<String>) -> Vec<Arrival> {
    let asset = |kind: &str, body| {
        Arrival::Asset(Asset {
            kind: kind.to_owned(),
            name: id.to_owned(),
            body,
        })
    };
    let written = body.as_ref().map(|_| {
        let by = caller.name();
        json!(Written { by }).to_string()
    });
    vec![asset(DRAFT, body), asset(WRITTEN, written)]
}

async fn store(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    id: &str,
    body: Option<String>,
) -> Result<(), Problem> {
    let weight = WEIGHT + body.as_ref().map_or(0, String::len);
    let action = match &body {
        Some(_) => "journey.draft",
        None => "journey.draft_delete",
    };
    let arrivals = arrivals(caller, id, body);
    workspace
        .submit_as(caller, arrivals, weight, action, id)
        .await?;
    Ok(())
}
