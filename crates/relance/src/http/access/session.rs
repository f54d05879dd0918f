//! `/api/v1/session`, set-up, forgotten passwords, invitations: coming in and going.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use relance_core::user::User;
use relance_wire::api::access as shape;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::{Problem, Shared};
use super::guard::identify;
use super::origin::{self, FromWhere};
use crate::access::account::{self, Words};
use crate::access::enter::{self, Entered, First};
use crate::access::{AccessProblem, Caller, session, token};
use crate::workspace::Workspace;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(show, sign_in, sign_out))
        .routes(routes!(ways))
        .routes(routes!(setup))
        .routes(routes!(forgotten))
        .routes(routes!(reset))
        .routes(routes!(invitation, follow))
}

/// A user who is signed in, as pages see them.
fn me(user: &User) -> shape::Me {
    let credentials = &user.credentials;
    shape::Me {
        address: user.address.to_string(),
        name: user.name.clone(),
        role: user.role.word().to_owned(),
        team: user.team.clone(),
        language: user.language.clone(),
        zone: user.zone.clone(),
        totp: credentials.totp.is_some(),
        recovery_codes: credentials.recovery.len(),
        password: credentials.password.is_some(),
        deputy: user.deputy.as_ref().map(ToString::to_string),
        away_from: user.away.map(|own| own.from.to_string()),
        away_until: user.away.map(|own| own.until.to_string()),
        digest: account::digest_word(user.digest),
    }
}

/// What pages begin with.
fn shown(workspace: &Workspace, caller: &Caller, token: Option<&str>) -> shape::Session {
    let config = workspace.config();
    let own = &config.workspace;
    let user = caller
        .address()
        .and_then(|address| workspace.access.user(address.as_str()));
    let permissions = caller.permissions().iter();
    shape::Session {
        user: user.as_deref().map(me),
        permissions: permissions.map(|one| one.word().to_owned()).collect(),
        sees_everyone: !caller.sees.is_limited(),
        csrf: token.map(token::csrf),
        workspace: shape::SessionWorkspace {
            name: own.name.clone(),
            zone: own.zone.clone(),
            language: own.language.clone(),
            public_url: own.public_url.clone(),
        },
        quiet: workspace.copy.quiet().is_some(),
        setup_needed: workspace.access.is_empty(),
    }
}

/// The answer to whoever came in, with the cookie.
pub(super) fn entered(workspace: &Workspace, entered: &Entered) -> Response {
    let body = shown(workspace, &entered.caller, Some(&entered.token));
    with_cookie(workspace, Some(&entered.token), Json(body).into_response())
}

pub(super) fn with_cookie(
    workspace: &Workspace,
    token: Option<&str>,
    mut response: Response,
) -> Response {
    let config = workspace.config();
    let public_url = &config.workspace.public_url;
    if let Some(cookie) = origin::cookie(token, public_url) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}

/// Who is signed in, and what they may.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "session_show", tag = "session", responses((status = 200, description = "who is signed in", body = shape::Session), (status = 401, description = "nobody; `setup_needed` says whether there is no user yet")))]
pub async fn show(State(workspace): Shared, headers: HeaderMap) -> Result<Response, Problem> {
    let caller = match identify(&workspace, &headers).await {
        Ok(caller) => caller,
        Err(problem) => {
            let needed = json!(workspace.access.is_empty());
            return Err(problem.with("setup_needed", needed));
        }
    };
    let token = caller.session().and(origin::token(&headers));
    let body = shown(&workspace, &caller, token);
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((no_store, Json(body)).into_response())
}

/// By which ways one may sign in.
#[utoipa::path(get, path = "/api/v1/session/ways", operation_id = "session_ways", tag = "session", responses((status = 200, description = "how one may sign in", body = shape::SignInWays)))]
pub async fn ways(State(workspace): Shared) -> Json<shape::SignInWays> {
    Json(shape::SignInWays {
        setup_needed: workspace.access.is_empty(),
        provider: workspace.config().oidc.as_ref().map(|own| own.name.clone()),
    })
}

/// Signs in, by address and password or by a link. The session comes as a cookie.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "session_begin", tag = "session", request_body = shape::SignIn, responses((status = 200, description = "signed in", body = shape::Session), (status = 401, description = "`wrong_credentials`, or `code_needed`, or `wrong_code`"), (status = 429, description = "too many tries")))]
pub async fn sign_in(
    State(workspace): Shared,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::SignIn>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) = body?;
    let done = match (&body.link, &body.address, &body.password) {
        (Some(link), None, None) => enter::by_link(&workspace, link, &origin).await,
        (None, Some(address), Some(password)) => {
            let code = body.code.as_deref();
            enter::by_password(&workspace, address, password, code, &origin).await
        }
        (_, _, _) => {
            let detail = "send `address` and `password`, or `link` alone";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", detail));
        }
    };
    Ok(entered(&workspace, &done?))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "session_end", tag = "session", responses((status = 204, description = "signed out")))]
pub async fn sign_out(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    if let Some(hash) = caller.session() {
        session::end(&workspace, &caller, &[hash.to_string()]).await?;
    }
    let response = StatusCode::NO_CONTENT.into_response();
    Ok(with_cookie(&workspace, None, response))
}

/// Makes the first admin, by the link that the server printed, and signs them in.
#[utoipa::path(post, path = "/api/v1/setup", operation_id = "setup", tag = "session", request_body = shape::Setup, responses((status = 200, description = "the first admin is signed in", body = shape::Session), (status = 404, description = "the link is not good"), (status = 409, description = "there are users already")))]
pub async fn setup(
    State(workspace): Shared,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::Setup>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) = body?;
    let first = First {
        link: &body.link,
        address: &body.address,
        password: &body.password,
        words: Words {
            name: body.name.as_deref(),
            language: body.language.as_deref(),
            zone: body.zone.as_deref(),
            ..Words::default()
        },
    };
    let done = enter::setup(&workspace, &first, &origin).await?;
    Ok(entered(&workspace, &done))
}

/// Writes to whoever forgot their password; the answer is the same for whoever is unknown.
#[utoipa::path(post, path = "/api/v1/password/forgotten", operation_id = "password_forgotten", tag = "session", request_body = shape::Forgotten, responses((status = 202, description = "if there is such a user, a mail is on its way"), (status = 429, description = "asked too often")))]
pub async fn forgotten(
    State(workspace): Shared,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::Forgotten>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(body) = body?;
    enter::forgotten(&workspace, &body.address, &origin)?;
    Ok(StatusCode::ACCEPTED)
}

/// Chooses a new password by the link of a mail. All sessions end; nobody is signed in by it.
#[utoipa::path(post, path = "/api/v1/password/reset", operation_id = "password_reset", tag = "session", request_body = shape::Reset, responses((status = 200, description = "whose password it was", body = shape::AddressOf), (status = 404, description = "the link is not good"), (status = 422, description = "the password is too weak; `why` says how")))]
pub async fn reset(
    State(workspace): Shared,
    body: Result<Json<shape::Reset>, JsonRejection>,
) -> Result<Json<shape::AddressOf>, Problem> {
    let Json(body) = body?;
    let address = enter::reset(&workspace, &body.token, &body.password).await?;
    Ok(Json(shape::AddressOf { address }))
}

/// What an invitation says.
#[utoipa::path(get, path = "/api/v1/invitations/{token}", operation_id = "invitations_show", tag = "session", params(("token" = String, Path, description = "the token of the link")), responses((status = 200, description = "whose it is", body = shape::Invitation), (status = 404, description = "the link is not good")))]
pub async fn invitation(
    State(workspace): Shared,
    Path(token): Path<String>,
) -> Result<Json<shape::Invitation>, Problem> {
    let (user, by) = enter::invitation(&workspace, &token).await?;
    Ok(Json(shape::Invitation {
        address: user.address.to_string(),
        name: user.name.clone(),
        language: user.language.clone(),
        workspace: workspace.config().workspace.name.clone(),
        by,
    }))
}

/// Follows an invitation: chooses the first password, and is signed in.
#[utoipa::path(post, path = "/api/v1/invitations/{token}", operation_id = "invitations_follow", tag = "session", params(("token" = String, Path, description = "the token of the link")), request_body = shape::InvitationPost, responses((status = 200, description = "signed in", body = shape::Session), (status = 404, description = "the link is not good"), (status = 422, description = "the password is too weak; `why` says how")))]
pub async fn follow(
    State(workspace): Shared,
    Path(token): Path<String>,
    FromWhere(origin): FromWhere,
    body: Result<Json<shape::InvitationPost>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) = body?;
    let words = Words {
        name: body.name.as_deref(),
        language: body.language.as_deref(),
        ..Words::default()
    };
    let done = enter::by_invitation(&workspace, &token, &body.password, &words, &origin);
    Ok(entered(&workspace, &done.await?))
}

/// The user of a caller; a person is asked for by the rule.
pub(super) fn user_of(workspace: &Workspace, caller: &Caller) -> Result<Arc<User>, AccessProblem> {
    let address = caller.address();
    let user = address.and_then(|address| workspace.access.user(address.as_str()));
    user.ok_or(AccessProblem::NotFound("user"))
}
