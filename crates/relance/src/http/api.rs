//! `/api/v1`: what the files of the management API share, and lists of messages by their state.
//!
//! **Absent:** everything else, which has a file of its own.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_store::read::TouchpointList;
use relance_wire::api as shape;
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::workspace::Workspace;

use super::lists::{called, rows, said};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(touchpoints))
}

pub(super) type Answered = Result<Json<Value>, Problem>;

/// Which messages.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// `awaiting_approval` (the default), `held`, `accepted`, `refused_hard`, `refused_soft`, `template_failed`,
    /// `channel_not_configured`, `withdrawn`, `dropped` or `unknown`.
    state: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// Reads beside the network threads: a page may have to wait for the disk.
pub(super) async fn read<T: Send + 'static>(
    workspace: &Arc<Workspace>,
    query: impl FnOnce(&relance_store::read::Reader) -> Result<T, relance_store::read::ReadError>
    + Send
    + 'static,
) -> Result<T, Problem> {
    let workspace = workspace.clone();
    match tokio::task::spawn_blocking(move || query(&workspace.reader)).await {
        Ok(result) => result.map_err(Problem::from),
        Err(_) => {
            let detail = "the page could not be made; the server's log says why";
            Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                detail,
            ))
        }
    }
}

/// Lists of messages, by the word in the query.
const LISTS: [(&str, TouchpointList); 10] = [
    ("awaiting_approval", TouchpointList::AwaitingApproval),
    ("held", TouchpointList::Held),
    ("accepted", TouchpointList::Accepted),
    ("refused_hard", TouchpointList::RefusedHard),
    ("refused_soft", TouchpointList::RefusedSoft),
    ("template_failed", TouchpointList::TemplateFailed),
    (
        "channel_not_configured",
        TouchpointList::ChannelNotConfigured,
    ),
    ("withdrawn", TouchpointList::Withdrawn),
    ("dropped", TouchpointList::Dropped),
    ("unknown", TouchpointList::Unknown),
];

fn list_of(word: &str) -> Option<TouchpointList> {
    LISTS
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, list)| *list)
}

/// Messages in a state, of contacts that the caller sees; a page may hold fewer than asked and yet have a next one.
#[utoipa::path(get, path = "/api/v1/touchpoints", operation_id = "messages_list", tag = "messages", params(Paging),
    responses((status = 200, description = "a page of messages", body = shape::Page<shape::MessageRow>)))]
pub async fn touchpoints(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<shape::Page<shape::MessageRow>>, Problem> {
    let Query(paging) = asked?;
    let wanted = said(&paging.state).unwrap_or("awaiting_approval");
    let Some(which) = list_of(wanted) else {
        let known: Vec<&str> = LISTS.iter().map(|(word, _)| *word).collect();
        let detail = format!(
            "state {wanted:?} is not known; use one of {}",
            known.join(", ")
        );
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_state", detail));
    };
    let page = read(&workspace, move |reader| {
        let page = reader.touchpoints(which, said(&paging.cursor), rows(paging.limit))?;
        let ids = page.items.iter().map(|one| one.id.contact).collect();
        let contacts = reader.contacts_of(&ids)?;
        let mut items = Vec::with_capacity(page.items.len());
        for one in &page.items {
            let owner = match caller.sees.is_limited() {
                true => reader.owner_of(one.id.contact)?,
                false => None,
            };
            if caller.sees.allows(owner.as_deref()) {
                items.push(shape::MessageRow {
                    message: shape::Touchpoint::of(one),
                    contact_name: contacts.get(&one.id.contact).and_then(called),
                });
            }
        }
        Ok(shape::Page {
            items,
            next: page.next,
        })
    })
    .await?;
    Ok(Json(page))
}
