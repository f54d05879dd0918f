//! `/api/v1/library`: ready-made journeys to begin from.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_wire::api::library::{LibraryAdded, LibraryItems};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::library::{self, Has, LibraryProblem, Wanted};
use crate::workspace::Workspace;

use super::{Problem, Shared, api};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(add))
}

impl From<LibraryProblem> for Problem {
    fn from(problem: LibraryProblem) -> Self {
        match problem {
            LibraryProblem::Bundled(what) => {
                tracing::error!(what, "the library cannot be read");
                let detail =
                    "the library that comes with the program is damaged; the server's log says how";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
            }
            LibraryProblem::Unknown(_) => Self::not_found("item; GET /api/v1/library lists them"),
            LibraryProblem::Language { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown_language",
                problem,
            ),
            LibraryProblem::Exists {
                ref journeys,
                ref templates,
            } => {
                let (journeys, templates) = (json!(journeys), json!(templates));
                Self::new(StatusCode::CONFLICT, "exists", problem)
                    .with("journeys", journeys)
                    .with("templates", templates)
            }
            LibraryProblem::Apply(problem) => problem.into(),
            LibraryProblem::Read(error) => error.into(),
        }
    }
}

/// Ready-made journeys, and what the workspace has of them.
#[utoipa::path(
    get,
    path = "/api/v1/library",
    operation_id = "library_list",
    tag = "journeys",
    responses((status = 200, description = "all of them", body = LibraryItems))
)]
pub async fn list(State(workspace): Shared) -> Result<Json<LibraryItems>, Problem> {
    let library = library::bundled()?;
    let has = api::read(&workspace, Has::read).await?;
    let items = library.items(&has);
    Ok(Json(LibraryItems { items }))
}

/// What is wanted of an item.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(as = LibraryAddAsked)]
#[serde(default, deny_unknown_fields)]
pub struct Add {
    /// Languages of the templates; the journeys' own words are in the first. The workspace's by default.
    languages: Vec<String>,
    /// What is there already stays as it is, and the rest is added. Without it, that is refused.
    keep: bool,
}

/// Takes an item: its journeys become drafts, its templates are there. Nothing runs until the drafts are published, and
/// nothing that is there is overwritten.
#[utoipa::path(
    post,
    path = "/api/v1/library/{id}",
    operation_id = "library_add",
    tag = "journeys",
    params(("id" = String, Path, description = "the id of the item")),
    request_body = Add,
    responses(
        (status = 200, description = "what was added", body = LibraryAdded),
        (status = 409, description = "`journeys` or `templates` of the same name are there already")
    )
)]
pub async fn add(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Json<Add>, JsonRejection>,
) -> Result<Json<LibraryAdded>, Problem> {
    let Json(Add { languages, keep }) = asked?;
    let wanted = Wanted { languages, keep };
    let added = library::add(&workspace, &caller, &id, wanted).await?;
    Ok(Json(added))
}
