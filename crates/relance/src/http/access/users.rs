//! `/api/v1/users`: who logs in.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_core::user::User;
use relance_wire::api::access as shape;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::{Problem, Shared};
use crate::access::Caller;
use crate::access::account::{self, Invited, Words, role_of};
use crate::workspace::Workspace;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list, post))
        .routes(routes!(put, delete))
        .routes(routes!(invite))
}

/// A user as the API shows them.
pub(super) fn shown(user: &User) -> shape::User {
    shape::User {
        address: user.address.to_string(),
        name: user.name.clone(),
        role: user.role.word().to_owned(),
        team: user.team.clone(),
        language: user.language.clone(),
        zone: user.zone.clone(),
        deputy: user.deputy.as_ref().map(ToString::to_string),
        away_from: user.away.map(|own| own.from.to_string()),
        away_until: user.away.map(|own| own.until.to_string()),
        digest: account::digest_word(user.digest),
        active: user.is_active(),
        totp: user.credentials.totp.is_some(),
        made_at: user.made_at.to_string(),
        made_by: user.made_by.clone(),
    }
}

fn invited(done: Invited) -> shape::Invited {
    shape::Invited {
        user: shown(&done.user),
        link: done.link,
        mailed: done.mailed,
    }
}

/// All users: whoever works here knows whom they work with.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "users_list", tag = "users", responses((status = 200, description = "all users, by address", body = shape::UserPage)))]
pub async fn list(State(workspace): Shared) -> Json<shape::UserPage> {
    let users = workspace.access.users();
    Json(shape::UserPage {
        items: users.values().map(|user| shown(user)).collect(),
        next: None,
    })
}

/// Makes a user, and invites them.
#[utoipa::path(post, path = "/api/v1/users", operation_id = "users_make", tag = "users", request_body = shape::UserPost, responses((status = 201, description = "the user, and the link by which they choose a password", body = shape::Invited), (status = 409, description = "`address_taken`")))]
pub async fn post(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    body: Result<Json<shape::UserPost>, JsonRejection>,
) -> Result<(StatusCode, Json<shape::Invited>), Problem> {
    let Json(body) = body?;
    let role = role_of(&body.role)?;
    let words = Words {
        name: body.name.as_deref(),
        team: body.team.as_deref(),
        language: body.language.as_deref(),
        zone: body.zone.as_deref(),
        ..Words::default()
    };
    let mails = body.mail.unwrap_or(true);
    let done = account::make(&workspace, &caller, &body.address, role, &words, mails).await?;
    Ok((StatusCode::CREATED, Json(invited(done))))
}

/// Changes a user.
#[utoipa::path(put, path = "/api/v1/users/{address}", operation_id = "users_put", tag = "users", params(("address" = String, Path, description = "the address of the user")), request_body = shape::UserPut, responses((status = 200, description = "as they are now", body = shape::User), (status = 409, description = "`last_admin`")))]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
    body: Result<Json<shape::UserPut>, JsonRejection>,
) -> Result<Json<shape::User>, Problem> {
    let Json(body) = body?;
    let role = body.role.as_deref().map(role_of).transpose()?;
    let words = Words {
        name: body.name.as_deref(),
        team: body.team.as_deref(),
        language: body.language.as_deref(),
        zone: body.zone.as_deref(),
        deputy: body.deputy.as_deref(),
        away_from: body.away_from.as_deref(),
        away_until: body.away_until.as_deref(),
        digest: body.digest.as_deref(),
    };
    let drops_factor = body.totp == Some(false);
    let done = account::change(&workspace, &caller, &address, role, &words, drops_factor);
    Ok(Json(shown(&done.await?)))
}

/// Removes a user; what they own stays theirs by name.
#[utoipa::path(delete, path = "/api/v1/users/{address}", operation_id = "users_remove", tag = "users", params(("address" = String, Path, description = "the address of the user")), responses((status = 204, description = "removed"), (status = 409, description = "`last_admin`")))]
pub async fn delete(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
) -> Result<StatusCode, Problem> {
    account::remove(&workspace, &caller, &address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invites a user anew; the link of before is good no more.
#[utoipa::path(post, path = "/api/v1/users/{address}/invitation", operation_id = "users_invite", tag = "users", params(("address" = String, Path, description = "the address of the user")), responses((status = 200, description = "the link by which they choose a password", body = shape::Invited), (status = 409, description = "`user_active`")))]
pub async fn invite(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(address): Path<String>,
) -> Result<Json<shape::Invited>, Problem> {
    let done = account::invite(&workspace, &caller, &address).await?;
    Ok(Json(invited(done)))
}
