//! The HTTP face: ingestion, public pages, management API, health.

mod accounts;
mod api;
mod approvals;
pub(crate) mod consent;
mod explain;
mod exports;
pub(crate) mod identity;
mod imports;
mod ingest;
pub(crate) mod journeys;
mod page;
mod preferences;
mod problem;
mod public;
mod segments;
pub(crate) mod status;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::workspace::Workspace;

pub use problem::Problem;

/// What handlers share.
pub type Shared = State<Arc<Workspace>>;

/// Bytes of a scenario that is applied.
const SCENARIO_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a browser may remember that it is let in.
const PREFLIGHT_AGE: Duration = Duration::from_secs(24 * 3600);

/// All routes of a workspace.
pub fn router(workspace: Arc<Workspace>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        // Mirrored: `*` does not cover `Authorization`, which every browser SDK sends.
        .allow_headers(AllowHeaders::mirror_request())
        .max_age(PREFLIGHT_AGE);
    let ingest = Router::new()
        .route("/v1/projects/{write_key}/settings", get(ingest::settings))
        .route("/v1/{call}", post(ingest::take))
        .route("/sourceConfig", get(ingest::source_config))
        .route("/sourceConfig/", get(ingest::source_config))
        .layer(Extension(ingest::Room::default()))
        // Before the layer, which answers a browser's first question in its place.
        .method_not_allowed_fallback(wrong_method)
        .layer(cors);
    let api = Router::new()
        .route("/api/v1/overview", get(api::overview))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/release", post(status::release))
        .route("/api/v1/contacts", get(api::contacts))
        .route("/api/v1/contacts/duplicates", get(identity::duplicates))
        .route("/api/v1/contacts/{id}/merge", post(identity::merge))
        .route("/api/v1/contacts/{id}/unmerge", post(identity::unmerge))
        .route(
            "/api/v1/contacts/{id}",
            get(api::contact).delete(consent::erase),
        )
        .route("/api/v1/contacts/{id}/ledger", get(api::ledger))
        .route("/api/v1/contacts/{id}/events", get(api::events))
        .route(
            "/api/v1/contacts/{id}/touchpoints",
            get(api::touchpoints_of_contact),
        )
        .route("/api/v1/contacts/{id}/tasks", get(identity::tasks))
        .route(
            "/api/v1/contacts/{id}/enrollments",
            get(identity::enrollments),
        )
        .route("/api/v1/contacts/{id}/explain", get(explain::contact))
        .route("/api/v1/touchpoints/{id}/explain", get(explain::message))
        .route(
            "/api/v1/contacts/{id}/consents",
            get(consent::consents).post(consent::consent),
        )
        .route(
            "/api/v1/contacts/{id}/preferences",
            get(wishes::show).put(wishes::put),
        )
        .route("/api/v1/contacts/{id}/export", get(consent::export))
        .route("/api/v1/erasures/{id}", get(consent::erasure))
        .route("/api/v1/readmit", post(consent::readmit))
        .route(
            "/api/v1/suppressions",
            get(consent::suppressions)
                .post(consent::suppress)
                .delete(consent::unsuppress),
        )
        .route("/api/v1/suppressions/import", post(consent::import))
        .route("/api/v1/accounts", get(accounts::list))
        .route("/api/v1/accounts/{id}", get(accounts::one))
        .route("/api/v1/documents", get(api::documents))
        .route("/api/v1/touchpoints", get(api::touchpoints))
        .route("/api/v1/touchpoints/{id}/{answer}", post(api::answer))
        .route(
            "/api/v1/approvals",
            get(approvals::list).post(approvals::answer),
        )
        .route("/api/v1/approvals/{id}", get(approvals::one))
        .route("/api/v1/tasks", get(api::tasks))
        .route("/api/v1/contacts/{id}/segments", get(segments::of_contact))
        .route("/api/v1/segments", get(segments::list))
        .route("/api/v1/rfm", get(segments::rfm).post(segments::rfm_now))
        .route(
            "/api/v1/segments/{id}",
            get(segments::one)
                .put(segments::put)
                .delete(segments::delete)
                // Only `preview`: a route of its own would hide a segment of that name.
                .post(segments::preview),
        )
        .route(
            "/api/v1/segments/{id}/members",
            get(segments::members)
                .post(segments::add)
                .delete(segments::remove),
        )
        .route("/api/v1/segments/{id}/why", get(segments::why))
        .route("/api/v1/journeys", get(journeys::list))
        .route("/api/v1/journeys/{id}", get(journeys::journey))
        .route("/api/v1/journeys/{id}/start", post(journeys::start))
        .route(
            "/api/v1/journeys/{id}/draft",
            put(journeys::put_draft).delete(journeys::delete_draft),
        )
        .route("/api/v1/journeys/{id}/{change}", post(journeys::change))
        .route(
            "/api/v1/scenario",
            get(journeys::export).post(journeys::apply),
        )
        .route("/api/v1/scenario/plan", post(journeys::plan))
        .merge(imports::routes(&workspace))
        .merge(exports::routes())
        .layer(DefaultBodyLimit::max(SCENARIO_BYTES_MAX))
        .route_layer(middleware::from_fn_with_state(
            workspace.clone(),
            api::authorise,
        ));
    Router::new()
        .merge(ingest)
        .merge(api)
        .route("/t/o/{token}", get(public::open))
        .route("/t/c/{token}", get(public::click))
        .route(
            "/u/{token}",
            get(public::unsubscribe_page).post(public::unsubscribe),
        )
        .route(
            "/p/{token}",
            get(preferences::show)
                .post(preferences::save)
                .layer(DefaultBodyLimit::max(preferences::FORM_BYTES_MAX)),
        )
        .route(
            "/p/confirm/{token}",
            get(preferences::ask).post(preferences::confirm),
        )
        .route("/", get(page::overview))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(|| async { Problem::not_found("page") })
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(security_headers))
        .with_state(workspace)
}

/// Ready means that a batch can be committed: an empty one is.
async fn ready(State(workspace): Shared) -> Response {
    match workspace.submit(Vec::new(), 0).await {
        Ok(()) => "ready\n".into_response(),
        Err(refusal) => (StatusCode::SERVICE_UNAVAILABLE, format!("{refusal}\n")).into_response(),
    }
}

async fn wrong_method() -> Problem {
    let detail = "the page does not take this method; see the `Allow` header";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
}

async fn metrics(State(workspace): Shared) -> Response {
    workspace
        .metrics
        .queued_bytes
        .set(workspace.engine.queued_bytes() as u64);
    let quiet = workspace.copy.quiet().is_some();
    workspace.metrics.quiet.set(u64::from(quiet));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], workspace.metrics.text()).into_response()
}

/// User and password of Basic authentication.
fn basic(headers: &HeaderMap) -> Option<(String, Option<String>)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    Some(match decoded.split_once(':') {
        Some((user, password)) => (user.to_owned(), Some(password.to_owned())),
        None => (decoded, None),
    })
}

async fn security_headers(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"));
    response
}
