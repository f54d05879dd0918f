//! `/api/v1/views/{page}`: what somebody saved of a page: filters and order, under a name.
//!
//! Views are their owner's alone. **Absent:** what a view means, which is the page's business.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use relance_wire::api::registry::{View, ViewBody, Views};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::workspace::Workspace;

use super::api::read;
use super::{Problem, Shared};

/// The sort of texts that views are.
const KIND: &str = "view";
/// Pages that have views.
const PAGES: [&str; 6] = [
    "documents",
    "contacts",
    "approvals",
    "tasks",
    "journeys",
    "segments",
];
/// Views of one page that somebody may keep.
const VIEWS_MAX: usize = 50;
/// Characters of a view's name.
const NAME_CHARS_MAX: usize = 60;
/// Bytes of what a view keeps.
const VIEW_BYTES_MAX: usize = 4 * 1_024;
/// What parts the parts of a view's key: nothing that a name may hold.
const PART: char = '\u{1f}';

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put, drop_one))
}

fn check_page(page: &str) -> Result<(), Problem> {
    if PAGES.contains(&page) {
        return Ok(());
    }
    let known = PAGES.join(", ");
    Err(Problem::not_found(&format!(
        "page with views; use one of {known}"
    )))
}

fn key(caller: &Caller, page: &str, name: &str) -> String {
    format!("{}{PART}{page}{PART}{name}", caller.name())
}

/// The caller's views of a page, by name.
async fn of(workspace: &Arc<Workspace>, caller: &Caller, page: &str) -> Result<Vec<View>, Problem> {
    let begin = key(caller, page, "");
    let texts = read(workspace, |reader| reader.texts(KIND)).await?;
    let own = texts.into_iter().filter_map(|text| {
        let name = text.name.strip_prefix(&begin)?.to_owned();
        let view = serde_json::from_str::<Value>(&text.body).ok()?;
        let Value::Object(view) = view else {
            return None;
        };
        Some(View { name, view })
    });
    Ok(own.collect())
}

/// The caller's saved views of a page.
#[utoipa::path(get, path = "/api/v1/views/{page}", operation_id = "views_list", tag = "session",
    params(("page" = String, Path, description = "`documents`, `contacts`, `approvals`, `tasks`, `journeys` or `segments`")),
    responses((status = 200, description = "by name", body = Views)))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(page): Path<String>,
) -> Result<Json<Views>, Problem> {
    check_page(&page)?;
    let items = of(&workspace, &caller, &page).await?;
    Ok(Json(Views { items }))
}

/// Saves a view of a page under a name; one that is there is replaced.
#[utoipa::path(put, path = "/api/v1/views/{page}/{name}", operation_id = "views_put", tag = "session",
    params(("page" = String, Path, description = "the page"), ("name" = String, Path, description = "at most 60 characters")),
    request_body = ViewBody,
    responses((status = 200, description = "as it is kept", body = View), (status = 409, description = "there are fifty already")))]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path((page, name)): Path<(String, String)>,
    asked: Result<Json<ViewBody>, JsonRejection>,
) -> Result<Json<View>, Problem> {
    let Json(asked) = asked?;
    check_page(&page)?;
    let name = name.trim().to_owned();
    let is_odd = name.is_empty() || name.chars().any(char::is_control);
    if is_odd || name.chars().count() > NAME_CHARS_MAX {
        let detail = format!("name: write 1 to {NAME_CHARS_MAX} characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_name", detail));
    }
    let body = Value::Object(asked.view.clone()).to_string();
    if body.len() > VIEW_BYTES_MAX {
        let detail = format!("view: more than {VIEW_BYTES_MAX} bytes");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            detail,
        ));
    }
    let known = of(&workspace, &caller, &page).await?;
    if known.len() >= VIEWS_MAX && !known.iter().any(|one| one.name == name) {
        let detail = format!("there are {VIEWS_MAX} views of this page already; delete one");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many", detail));
    }
    let weight = body.len();
    let asset = Asset {
        kind: KIND.to_owned(),
        name: key(&caller, &page, &name),
        body: Some(body),
    };
    workspace
        .submit(vec![Arrival::Asset(asset)], weight)
        .await?;
    Ok(Json(View {
        name,
        view: asked.view,
    }))
}

/// Deletes a view.
#[utoipa::path(delete, path = "/api/v1/views/{page}/{name}", operation_id = "views_delete", tag = "session",
    params(("page" = String, Path, description = "the page"), ("name" = String, Path, description = "the view")),
    responses((status = 204, description = "deleted"), (status = 404, description = "there is none")))]
pub async fn drop_one(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path((page, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    check_page(&page)?;
    let known = of(&workspace, &caller, &page).await?;
    if !known.iter().any(|one| one.name == name) {
        return Err(Problem::not_found("view"));
    }
    let asset = Asset {
        kind: KIND.to_owned(),
        name: key(&caller, &page, &name),
        body: None,
    };
    workspace.submit(vec![Arrival::Asset(asset)], 256).await?;
    Ok(StatusCode::NO_CONTENT)
}
