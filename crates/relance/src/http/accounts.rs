//! `/api/v1/accounts`: companies, and the contacts that belong to them.

use crate::workspace::Workspace;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use relance_store::read::{PAGE_ROWS_MAX, SEARCH_CHARS_MAX};
use relance_wire::api::{self as shape, status};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::{Answered, read};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
}

/// Which accounts, or which of an account's contacts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    search: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Items of a page, unless asked otherwise.
const LIMIT_DEFAULT: usize = 50;

impl Asked {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, PAGE_ROWS_MAX)
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref().filter(|text| !text.is_empty())
    }
}

/// Accounts by id; with `search` those whose id or name begins so.
#[utoipa::path(get, path = "/api/v1/accounts", operation_id = "accounts_list", tag = "accounts", params(Asked), responses((status = 200, description = "a page of accounts, by id", body = shape::Page<shape::Account>)))]
pub async fn list(
    State(workspace): Shared,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Answered {
    let Query(asked) = asked?;
    if let Some(text) = &asked.search
        && (text.trim().is_empty() || text.chars().count() > SEARCH_CHARS_MAX)
    {
        let detail = format!("search: write 1 to {SEARCH_CHARS_MAX} characters, or leave it out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_search", detail));
    }
    let page = read(&workspace, move |reader| match &asked.search {
        None => reader.accounts(asked.cursor(), asked.limit()),
        Some(text) => reader.search_accounts(text, asked.cursor(), asked.limit()),
    })
    .await?;
    let items: Vec<Value> = page.items.iter().map(shape::account).collect();
    Ok(Json(json!({ "items": items, "next": page.next })))
}

/// One account with a page of its contacts.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", operation_id = "accounts_show", tag = "accounts", params(("id" = String, Path, description = "the id of the account"), Asked), responses((status = 200, description = "the account with a page of its contacts", body = status::AccountShown)))]
pub async fn one(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Answered {
    let Query(asked) = asked?;
    let found = read(&workspace, move |reader| {
        let Some(account) = reader.account(&id)? else {
            return Ok(None);
        };
        let page = reader.contacts_of_account(&id, asked.cursor(), asked.limit())?;
        Ok(Some((account, page)))
    });
    let Some((account, page)) = found.await? else {
        return Err(Problem::not_found("account"));
    };
    let items: Vec<Value> = page.items.iter().map(shape::contact).collect();
    let mut told = shape::account(&account);
    told["contacts"] = json!({ "items": items, "next": page.next });
    Ok(Json(told))
}
