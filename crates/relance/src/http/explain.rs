//! `/api/v1/contacts/{id}/explain` and `/api/v1/touchpoints/{id}/explain`: why, and why not (R12).

use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use relance_core::World;
use relance_core::ids::{ContactId, JourneyId, TouchpointId};
use relance_store::read::{ReadError, Reader};
use relance_wire::api::explained;
use relance_wire::explain::Language;
use serde::Deserialize;
use serde_json::Value;

use crate::explain;
use crate::workspace::Workspace;

use super::api::Answered;
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(contact))
        .routes(routes!(message))
}

/// Characters of a journey's id.
const JOURNEY_CHARS_MAX: usize = 64;

/// What is asked of a contact.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfContact {
    journey: String,
    lang: Option<String>,
}

/// What is asked of a message.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfMessage {
    lang: Option<String>,
}

/// Where a contact stands with a journey, and why.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/explain", operation_id = "contacts_explain", tag = "contacts", params(("id" = String, Path, description = "the id of the contact, `con_42`"), OfContact), responses((status = 200, description = "where the contact stands with the journey, and why", body = explained::JourneyExplained)))]
pub async fn contact(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<OfContact>, QueryRejection>,
) -> Answered {
    let Query(asked) = asked?;
    let id: ContactId = id
        .parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))?;
    let language = language(asked.lang.as_deref())?;
    if asked.journey.is_empty() || asked.journey.chars().count() > JOURNEY_CHARS_MAX {
        let detail = format!("journey: give the id of one, of at most {JOURNEY_CHARS_MAX} letters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail));
    }
    let journey = JourneyId::from(asked.journey);
    let now = workspace.clock.now();
    tell(workspace, "contact", move |reader, world| {
        explain::explain(reader, world, id, &journey, language, now)
    })
    .await
}

/// What became of a message, and why.
#[utoipa::path(get, path = "/api/v1/touchpoints/{id}/explain", operation_id = "messages_explain", tag = "messages", params(("id" = String, Path, description = "the id of the message"), OfMessage), responses((status = 200, description = "what became of the message, and why", body = explained::MessageExplained)))]
pub async fn message(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<OfMessage>, QueryRejection>,
) -> Answered {
    let Query(asked) = asked?;
    let id: TouchpointId = id
        .parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))?;
    let language = language(asked.lang.as_deref())?;
    let now = workspace.clock.now();
    tell(workspace, "message", move |reader, world| {
        explain::explain_message(reader, world, id, language, now)
    })
    .await
}

fn language(tag: Option<&str>) -> Result<Language, Problem> {
    let Some(tag) = tag else {
        return Ok(Language::default());
    };
    Language::from_tag(tag).ok_or_else(|| {
        let known: Vec<&str> = Language::ALL.into_iter().map(Language::word).collect();
        let detail = format!("lang is not known; use one of {}", known.join(", "));
        Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail)
    })
}

/// Answers beside the network threads, under the world as it is now.
async fn tell(
    workspace: Arc<Workspace>,
    what: &'static str,
    ask: impl FnOnce(&Reader, &World) -> Result<Option<Value>, ReadError> + Send + 'static,
) -> Answered {
    let answered = tokio::task::spawn_blocking(move || {
        let world = explain::world(&workspace.reader, &workspace.config())
            .map_err(|problem| failed(&problem))?;
        ask(&workspace.reader, &world).map_err(Problem::from)
    });
    match answered.await {
        Ok(told) => match told? {
            Some(value) => Ok(Json(value)),
            None => Err(Problem::not_found(what)),
        },
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "an explanation could not be made");
    let detail = "the explanation could not be made; the server's log says why";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
}
