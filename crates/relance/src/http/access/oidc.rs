//! `/auth/oidc`: to the provider, and back. A browser comes here, not a program: what goes wrong is told by the page
//! for signing in.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::Shared;
use super::origin::{self, FromWhere};
use super::session::with_cookie;
use crate::access::AccessProblem;
use crate::access::oidc::{self, FLOW_SECONDS_MAX, Flow, OidcProblem};
use crate::workspace::Workspace;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(finish))
}

/// The cookie of a flow under way.
const COOKIE: &str = "relance_oidc";

/// What the provider brings back.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Back {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

fn to(place: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// A cookie that only the way back gets; an empty one takes it away.
fn flow_cookie(workspace: &Workspace, value: &str) -> Option<HeaderValue> {
    let secure = if workspace
        .config()
        .workspace
        .public_url
        .starts_with("https:")
    {
        "; Secure"
    } else {
        ""
    };
    let age = if value.is_empty() {
        0
    } else {
        FLOW_SECONDS_MAX
    };
    let text =
        format!("{COOKIE}={value}; Path=/auth/oidc; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}

/// Tells the page for signing in what went wrong.
fn failed(problem: &AccessProblem) -> Response {
    tracing::warn!(code = problem.code(), %problem, "a sign-in by the provider came to nothing");
    to(&format!("/sign-in?problem={}", problem.code()))
}

/// Goes to the provider.
#[utoipa::path(get, path = "/auth/oidc", operation_id = "oidc_begin", tag = "session", responses((status = 303, description = "to the provider, or to the page for signing in with `problem`")))]
pub async fn begin(State(workspace): Shared) -> Response {
    match oidc::begin(&workspace).await {
        Ok((url, flow)) => {
            let mut response = to(&url);
            if let Some(cookie) = flow_cookie(&workspace, &flow.text()) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(problem) => failed(&problem),
    }
}

/// Comes back from the provider, signed in.
#[utoipa::path(get, path = "/auth/oidc/callback", operation_id = "oidc_finish", tag = "session", params(Back), responses((status = 303, description = "to the interface, or to the page for signing in with `problem`")))]
pub async fn finish(
    State(workspace): Shared,
    FromWhere(from): FromWhere,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    let flow = origin::cookie_named(&headers, COOKIE).and_then(Flow::parse);
    let done = match (&back.code, &back.error) {
        (Some(code), None) => oidc::finish(&workspace, flow, &back.state, code, &from).await,
        (_, Some(error)) => {
            let said = error.chars().take(80).collect();
            Err(OidcProblem::Refused(said).into())
        }
        (None, None) => Err(OidcProblem::NotBegun.into()),
    };
    let mut response = match done {
        Ok(entered) => with_cookie(&workspace, Some(&entered.token), to("/")),
        Err(problem) => failed(&problem),
    };
    if let Some(cookie) = flow_cookie(&workspace, "") {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
