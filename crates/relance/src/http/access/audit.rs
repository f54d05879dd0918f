//! `/api/v1/audit`: who changed what.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use relance_engine::ports::AuditLine;
use relance_store::read::{AuditAsked, PAGE_ROWS_MAX};
use relance_wire::api::access as shape;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::api::read;
use super::super::{Problem, Shared};
use crate::workspace::Workspace;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Lines of a page, unless asked otherwise.
const LIMIT_DEFAULT: usize = 50;

/// Which lines.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Of whom: an address, or the name of a token as lines show it.
    by: Option<String>,
    /// About what.
    object: Option<String>,
    /// How the action begins: `user.` is all that became of users.
    action: Option<String>,
    /// Not before this moment.
    from: Option<String>,
    /// Before this moment.
    until: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

fn moment(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            let detail = format!("{field}: {text:?} is no moment; write 2026-11-30T09:00:00Z");
            Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail)
        })
    };
    text.filter(|text| !text.is_empty()).map(read).transpose()
}

fn shown(line: AuditLine) -> shape::AuditLine {
    shape::AuditLine {
        at: line.at.to_string(),
        by: line.by,
        action: line.action,
        object: line.object,
        detail: serde_json::from_str(&line.detail).ok(),
    }
}

/// Who changed what, the newest first.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "audit_list", tag = "users", params(Asked), responses((status = 200, description = "who changed what, the newest first", body = shape::AuditPage)))]
pub async fn list(
    State(workspace): Shared,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<shape::AuditPage>, Problem> {
    let Query(asked) = asked?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = AuditAsked {
        from: moment("from", asked.from.as_deref())?,
        until: moment("until", asked.until.as_deref())?,
        by: some(asked.by),
        object: some(asked.object),
        action: some(asked.action),
    };
    let cursor = some(asked.cursor);
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, PAGE_ROWS_MAX);
    let page = read(&workspace, move |reader| {
        reader.audit(&wanted, cursor.as_deref(), limit)
    })
    .await?;
    Ok(Json(shape::AuditPage {
        items: page.items.into_iter().map(shown).collect(),
        next: page.next,
    }))
}
