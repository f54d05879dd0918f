//! `/api/v1/me`: what somebody changes of themselves.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use relance_wire::api::access as shape;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::{Problem, Shared};
use super::origin::FromWhere;
use super::session::{entered, user_of};
use super::users;
use crate::access::account::{self, Words};
use crate::access::{AccessProblem, Caller, factor, session};
use crate::workspace::Workspace;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(put))
        .routes(routes!(password))
        .routes(routes!(totp, totp_off))
        .routes(routes!(totp_confirm))
        .routes(routes!(recovery))
        .routes(routes!(sessions, end_others))
        .routes(routes!(end))
}

/// Letters of the hash of a session that name it.
const ID_LETTERS: usize = 16;

/// Changes one's name, language or zone.
#[utoipa::path(put, path = "/api/v1/me", operation_id = "me_put", tag = "session", request_body = shape::MePut, responses((status = 200, description = "as they are now", body = shape::User)))]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    body: Result<Json<shape::MePut>, JsonRejection>,
) -> Result<Json<shape::User>, Problem> {
    let Json(body) = body?;
    let words = Words {
        name: body.name.as_deref(),
        language: body.language.as_deref(),
        zone: body.zone.as_deref(),
        deputy: body.deputy.as_deref(),
        away_from: body.away_from.as_deref(),
        away_until: body.away_until.as_deref(),
        digest: body.digest.as_deref(),
        ..Words::default()
    };
    let user = account::change_own(&workspace, &caller, &words).await?;
    Ok(Json(users::shown(&user)))
}

/// Chooses a new password by the one in force. Every other session ends; this one goes on with a new cookie.
#[utoipa::path(put, path = "/api/v1/me/password", operation_id = "me_password", tag = "session", request_body = shape::PasswordPut, responses((status = 200, description = "signed in anew", body = shape::Session), (status = 403, description = "`wrong_password`"), (status = 422, description = "the password is too weak; `why` says how")))]
pub async fn password(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::PasswordPut>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) = body?;
    let current = body.current.as_deref();
    let done = account::change_password(&workspace, &caller, current, &body.password, &origin);
    Ok(entered(&workspace, &done.await?))
}

/// Shows a second factor, which is in force once it is confirmed.
#[utoipa::path(post, path = "/api/v1/me/totp", operation_id = "me_totp", tag = "session", responses((status = 200, description = "to type or to photograph", body = shape::TotpSecret), (status = 409, description = "it is on")))]
pub async fn totp(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<shape::TotpSecret>, Problem> {
    let (secret, url) = factor::ask(&workspace, &caller).await?;
    Ok(Json(shape::TotpSecret { secret, url }))
}

/// Confirms it by a code of it.
#[utoipa::path(post, path = "/api/v1/me/totp/confirm", operation_id = "me_totp_confirm", tag = "session", request_body = shape::TotpCode, responses((status = 200, description = "it is on; codes for when it is lost", body = shape::RecoveryCodes), (status = 422, description = "`wrong_code`")))]
pub async fn totp_confirm(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::TotpCode>, JsonRejection>,
) -> Result<Json<shape::RecoveryCodes>, Problem> {
    let Json(body) = body?;
    let done = factor::confirm(&workspace, &caller, &body.code, &origin).await;
    match done {
        Ok(recovery_codes) => Ok(Json(shape::RecoveryCodes { recovery_codes })),
        // The session is good: 401 would say that it is not.
        Err(problem @ AccessProblem::WrongCode) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, problem.code(), problem))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Makes new recovery codes by the password or a code; those of before no longer count.
#[utoipa::path(post, path = "/api/v1/me/totp/recovery", operation_id = "me_totp_recovery", tag = "session", request_body = shape::ProvedAgain, responses((status = 200, description = "the codes, shown this once", body = shape::RecoveryCodes), (status = 403, description = "`wrong_password`"), (status = 409, description = "the second factor is off"), (status = 422, description = "`wrong_code`")))]
pub async fn recovery(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::ProvedAgain>, JsonRejection>,
) -> Result<Json<shape::RecoveryCodes>, Problem> {
    let Json(body) = body?;
    let (password, code) = (body.password.as_deref(), body.code.as_deref());
    match factor::recover(&workspace, &caller, password, code, &origin).await {
        Ok(recovery_codes) => Ok(Json(shape::RecoveryCodes { recovery_codes })),
        // The session is good: 401 would say that it is not.
        Err(problem @ AccessProblem::WrongCode) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, problem.code(), problem))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Turns the second factor off, by the password once more.
#[utoipa::path(delete, path = "/api/v1/me/totp", operation_id = "me_totp_off", tag = "session", request_body = shape::PasswordAgain, responses((status = 204, description = "it is off"), (status = 403, description = "`wrong_password`")))]
pub async fn totp_off(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::PasswordAgain>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(body) = body?;
    factor::drop(&workspace, &caller, body.password.as_deref(), &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where one is signed in.
#[utoipa::path(get, path = "/api/v1/me/sessions", operation_id = "me_sessions", tag = "session", responses((status = 200, description = "devices, the last used first", body = shape::Devices)))]
pub async fn sessions(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<shape::Devices>, Problem> {
    let user = user_of(&workspace, &caller)?;
    let all = session::of(&workspace, &user.address).await?;
    let current = caller.session().map(|hash| &**hash);
    let device = |(hash, session): (String, relance_core::user::Session)| shape::Device {
        id: hash.chars().take(ID_LETTERS).collect(),
        made_at: session.made_at.to_string(),
        used_at: session.used_at.to_string(),
        agent: session.agent,
        current: Some(hash.as_str()) == current,
    };
    Ok(Json(shape::Devices {
        items: all.into_iter().map(device).collect(),
    }))
}

/// Ends all sessions but this one.
#[utoipa::path(delete, path = "/api/v1/me/sessions", operation_id = "me_sessions_end_others", tag = "session", responses((status = 204, description = "ended")))]
pub async fn end_others(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    let user = user_of(&workspace, &caller)?;
    let current = caller.session().map(|hash| &**hash);
    let all = session::of(&workspace, &user.address).await?;
    let others = all.into_iter().map(|(hash, _)| hash);
    let others: Vec<String> = others
        .filter(|hash| Some(hash.as_str()) != current)
        .collect();
    if !others.is_empty() {
        session::end(&workspace, &caller, &others).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one session.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", operation_id = "me_sessions_end", tag = "session", params(("id" = String, Path, description = "the id of the session")), responses((status = 204, description = "ended"), (status = 404, description = "there is none")))]
pub async fn end(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let user = user_of(&workspace, &caller)?;
    let all = session::of(&workspace, &user.address).await?;
    let named = |hash: &str| id.len() == ID_LETTERS && hash.starts_with(&id);
    let found = all.into_iter().find(|(hash, _)| named(hash));
    let (hash, _) = found.ok_or(Problem::not_found("session"))?;
    session::end(&workspace, &caller, &[hash]).await?;
    Ok(StatusCode::NO_CONTENT)
}
