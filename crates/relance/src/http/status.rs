//! `/api/v1/status` and `/api/v1/release`: does the workspace work, and if it is quiet, why and since when (R10).

use crate::access::Caller;
use crate::workspace::Workspace;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use relance_engine::quiet::Backlog;
use relance_store::read::{self, Due};
use relance_wire::api::status;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::copy::{Quiet, REMEDY};

use super::api::{Answered, read};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(release))
}

/// What becomes of what is overdue, by its public word.
const CHOICES: [(&str, Backlog); 2] = [("send", Backlog::Send), ("skip", Backlog::Skip)];

/// The choice of a word.
pub fn choice(word: &str) -> Option<Backlog> {
    CHOICES
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, backlog)| *backlog)
}

/// Why a workspace is quiet, as data.
pub fn quiet_value(quiet: &Quiet) -> Value {
    json!({
        "reason": quiet.reason.word(),
        "detail": quiet.reason.sentence(),
        "noticed_at": quiet.noticed_at.to_string(),
        "remedy": REMEDY,
    })
}

/// What is overdue, as data.
pub fn overdue_value(overdue: &read::Overdue) -> Value {
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let due = |due: &Due| {
        json!({
            "count": due.count,
            "more": due.more,
            "earliest": moment(due.earliest),
            "latest": moment(due.latest),
        })
    };
    let journeys: Vec<Value> = overdue
        .journeys
        .iter()
        .map(|(id, of)| {
            json!({ "journey": id.to_string(), "timers": of.timers, "messages": of.messages })
        })
        .collect();
    json!({
        "timers": due(&overdue.timers),
        "messages": due(&overdue.messages),
        "earliest": moment(overdue.earliest()),
        "latest": moment(overdue.latest()),
        "journeys": journeys,
    })
}

/// Whether the workspace sends, and what is overdue.
#[utoipa::path(get, path = "/api/v1/status", operation_id = "status_show", tag = "overview", responses((status = 200, description = "whether the workspace sends, and what is overdue", body = status::Status)))]
pub async fn status(State(workspace): Shared) -> Answered {
    let now = workspace.clock.now();
    let overdue = read(&workspace, move |reader| reader.overdue(now)).await?;
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "now": now.to_string(),
        "quiet": workspace.copy.quiet().as_ref().map(quiet_value),
        "partitions": workspace.metrics.partitions.get(),
        "overdue": overdue_value(&overdue),
    })))
}

/// What the caller chose.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ReleaseAsked)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    #[serde(default = "send")]
    overdue: String,
}

fn send() -> String {
    "send".to_owned()
}

/// Lets a quiet workspace send again. Releasing one that is not quiet changes nothing.
#[utoipa::path(post, path = "/api/v1/release", operation_id = "status_release", tag = "overview", request_body = Choice, responses((status = 200, description = "it sends again", body = status::Released)))]
pub async fn release(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<Choice>, JsonRejection>,
) -> Answered {
    let Json(asked) = asked?;
    let Some(backlog) = choice(&asked.overdue) else {
        let detail = format!("overdue {:?} is not known; use send or skip", asked.overdue);
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_overdue", detail));
    };
    let released = workspace.release(backlog).await?;
    if released {
        workspace
            .submit_as(&caller, Vec::new(), 0, "workspace.release", &asked.overdue)
            .await?;
    }
    Ok(Json(
        json!({ "released": released, "overdue": asked.overdue }),
    ))
}
