//! `/api/v1/keys`: write keys and API tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_core::user::{KEYS_MAX, Key};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use relance_wire::api::access as shape;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::api::read;
use super::super::{Problem, Shared};
use crate::access::problem::Full;
use crate::access::{AccessProblem, Caller, KEY_USE};
use crate::keys;
use crate::workspace::Workspace;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list, post))
        .routes(routes!(delete))
}

fn shown(hash: &str, key: &Key, used_at: Option<String>) -> shape::Key {
    shape::Key {
        id: keys::id(hash),
        name: key.name.clone(),
        scope: key.scope.word().to_owned(),
        made_at: key.made_at.map(|at| at.to_string()),
        made_by: key.made_by.clone(),
        used_at,
    }
}

/// All keys, without themselves.
#[utoipa::path(get, path = "/api/v1/keys", operation_id = "keys_list", tag = "users", responses((status = 200, description = "all keys, the newest first", body = shape::KeyPage)))]
pub async fn list(State(workspace): Shared) -> Result<Json<shape::KeyPage>, Problem> {
    let uses = read(&workspace, |reader| reader.texts(KEY_USE)).await?;
    let uses: BTreeMap<String, String> = uses
        .into_iter()
        .map(|text| (text.name, text.body))
        .collect();
    let mut all = workspace.keys.all();
    all.sort_by_key(|(_, other)| std::cmp::Reverse(other.made_at));
    let items = all.iter();
    Ok(Json(shape::KeyPage {
        items: items
            .map(|(hash, key)| shown(hash, key, uses.get(hash).cloned()))
            .collect(),
        next: None,
    }))
}

/// Makes a key. It is shown in the answer and never again.
#[utoipa::path(post, path = "/api/v1/keys", operation_id = "keys_make", tag = "users", request_body = shape::KeyPost, responses((status = 201, description = "the key", body = shape::KeyMade)))]
pub async fn post(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    body: Result<Json<shape::KeyPost>, JsonRejection>,
) -> Result<(StatusCode, Json<shape::KeyMade>), Problem> {
    let Json(body) = body?;
    let about = keys::about(
        &body.name,
        &body.scope,
        &caller.name(),
        workspace.access.now(),
    )?;
    let _turn = workspace.access.changing.lock().await;
    if workspace.keys.all().len() >= KEYS_MAX {
        return Err(AccessProblem::Full(Full::Keys).into());
    }
    let (secret, asset) = keys::make_named(&about).map_err(AccessProblem::Store)?;
    let hash = asset.name.clone();
    let id = keys::id(&hash);
    let more = json!({ "scope": about.scope.word(), "name": about.name });
    let arrivals = vec![Arrival::Asset(asset)];
    workspace
        .submit_with(&caller, arrivals, 512, "key.add", &id, &more)
        .await?;
    let key = shown(&hash, &about, None);
    workspace.keys.put(&hash, Some(about));
    Ok((StatusCode::CREATED, Json(shape::KeyMade { secret, key })))
}

/// Removes a key: whoever has it is refused from now on.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", operation_id = "keys_remove", tag = "users", params(("id" = String, Path, description = "the id of the key")), responses((status = 204, description = "removed"), (status = 404, description = "there is none")))]
pub async fn delete(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let _turn = workspace.access.changing.lock().await;
    let mut all = workspace.keys.all().into_iter();
    let found = all.find(|(hash, _)| keys::id(hash) == id);
    let (hash, key) = found.ok_or(Problem::not_found("key"))?;
    let gone = |kind: &str| {
        Arrival::Asset(Asset {
            kind: kind.to_owned(),
            name: hash.clone(),
            body: None,
        })
    };
    let more = json!({ "scope": key.scope.word(), "name": key.name });
    let arrivals = vec![gone(keys::KIND), gone(KEY_USE)];
    workspace
        .submit_with(&caller, arrivals, 512, "key.remove", &id, &more)
        .await?;
    workspace.keys.put(&hash, None);
    Ok(StatusCode::NO_CONTENT)
}
