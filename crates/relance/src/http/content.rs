//! `/api/v1/lists`: content lists, which a marketer fills and journeys send item by item.
//!
//! A text comes into force by the same checks as a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::{QueryRejection, StringRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use relance_store::read::{DatedText, ReadError, Reader};
use relance_wire::api::Page;
use relance_wire::api::template::{FilesRemoved, ListShown, ListSummary};
use relance_wire::list::{self, ContentList};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::scenario::Files;
use crate::scenario::apply::{self, Asked, LIST};
use crate::scenario::remove::{Removed, remove};
use crate::workspace::Workspace;

use super::api::read;
use super::lists::Paging;
use super::{Problem, Shared, drafts};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(all))
        .routes(routes!(one, put, delete))
}

/// The lists in force that can be read, by id, with their files.
fn lists(reader: &Reader) -> Result<BTreeMap<String, (DatedText, ContentList)>, ReadError> {
    let texts = reader.texts(LIST)?.into_iter();
    let lists = texts.filter_map(|text| {
        let list = list::parse(&text.body).ok()?;
        Some((list.id.to_string(), (text, list)))
    });
    Ok(lists.collect())
}

fn summary(id: &str, text: &DatedText, list: &ContentList) -> ListSummary {
    ListSummary {
        id: id.to_owned(),
        name: list.name.clone(),
        file: text.name.clone(),
        items: list.ids().len(),
        updated_at: text.updated_at.to_string(),
    }
}

/// Content lists by id.
#[utoipa::path(
    get,
    path = "/api/v1/lists",
    operation_id = "lists_list",
    tag = "templates",
    params(Paging),
    responses((status = 200, description = "a page of content lists, by id", body = Page<ListSummary>))
)]
pub async fn all(
    State(workspace): Shared,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Page<ListSummary>>, Problem> {
    let Query(paging) = asked?;
    let found = read(&workspace, lists).await?;
    let (page, next) = paging.page(found.iter(), |(id, _)| id);
    let items = page.into_iter();
    Ok(Json(Page {
        items: items
            .map(|(id, (text, list))| summary(id, text, list))
            .collect(),
        next,
    }))
}

/// Takes a content list out of force. One that a journey in force sends of stays, as does one that an older version
/// with runs on it does.
#[utoipa::path(
    delete,
    path = "/api/v1/lists/{id}",
    operation_id = "lists_delete",
    tag = "templates",
    params(("id" = String, Path, description = "the id of the content list")),
    responses(
        (status = 200, description = "the file that went", body = FilesRemoved),
        (status = 409, description = "`in_use`: `journeys` need it")
    )
)]
pub async fn delete(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<FilesRemoved>, Problem> {
    let _turn = workspace.applying.lock().await;
    let Some(list) = shown(&workspace, &id).await? else {
        return Err(Problem::not_found(
            "content list; GET /api/v1/lists lists those that are",
        ));
    };
    let file = list.summary.file;
    let removed = remove(&workspace, &caller, Removed::List { id, file }).await?;
    Ok(Json(FilesRemoved { removed }))
}

/// One content list with its text.
#[utoipa::path(
    get,
    path = "/api/v1/lists/{id}",
    operation_id = "lists_show",
    tag = "templates",
    params(("id" = String, Path, description = "the id of the content list")),
    responses((status = 200, description = "the content list", body = ListShown))
)]
pub async fn one(
    State(workspace): Shared,
    Path(id): Path<String>,
) -> Result<Json<ListShown>, Problem> {
    let shown = shown(&workspace, &id).await?;
    shown
        .map(Json)
        .ok_or_else(|| Problem::not_found("content list; GET /api/v1/lists lists those that are"))
}

async fn shown(workspace: &Arc<Workspace>, id: &str) -> Result<Option<ListShown>, Problem> {
    let mut found = read(workspace, lists).await?;
    Ok(found.remove(id).map(|(text, list)| ListShown {
        summary: summary(id, &text, &list),
        revision: drafts::revision(&text.body),
        text: text.body,
    }))
}

/// Puts a content list in force.
#[utoipa::path(
    put,
    path = "/api/v1/lists/{id}",
    operation_id = "lists_put",
    tag = "templates",
    params(
        ("id" = String, Path, description = "the id of the content list"),
        ("If-Match" = Option<String>, Header, description = "the revision that was read; a stale one is refused with 412")
    ),
    request_body(content = String, content_type = "text/plain", description = "the list, in YAML"),
    responses(
        (status = 200, description = "the list as it is now", body = ListShown),
        (status = 412, description = "somebody else changed it meanwhile; `text` and `revision` are theirs"),
        (status = 422, description = "the text is wrong; `problems` says where")
    )
)]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    text: Result<String, StringRejection>,
) -> Result<Json<ListShown>, Problem> {
    let text = text.map_err(|rejection| {
        Problem::new(rejection.status(), "malformed", rejection.body_text())
    })?;
    let before = shown(&workspace, &id).await?;
    if let Some(wanted) = drafts::named(&headers, &header::IF_MATCH) {
        let own = before.as_ref().map(|before| before.revision.clone());
        if own.as_ref() != Some(&wanted) {
            let detail =
                "the list was changed meanwhile; take it over, or write again with its revision";
            let stale = Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail);
            return Err(stale
                .with("text", json!(before.map(|before| before.text)))
                .with("revision", json!(own)));
        }
    }
    if let Ok(list) = list::parse(&text)
        && list.id.as_str() != id
    {
        let detail = format!(
            "the text is the list {}, not {id}; give both the same id",
            list.id
        );
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_id",
            detail,
        ));
    }
    let file = before.map_or_else(|| format!("{id}.yaml"), |before| before.summary.file);
    let files = Files {
        lists: BTreeMap::from([(file, text)]),
        ..Files::default()
    };
    apply::apply_as(
        &workspace,
        files,
        Asked::default(),
        &caller,
        "list.put",
        &id,
    )
    .await?;
    let now = shown(&workspace, &id).await?;
    now.map(Json)
        .ok_or_else(|| Problem::not_found("content list"))
}
