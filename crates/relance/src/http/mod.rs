//! The HTTP face: ingestion, public pages, management API, health.

mod access;
mod accounts;
mod api;
mod approvals;
pub(crate) mod consent;
mod contacts;
mod content;
mod demo;
mod documents;
pub(crate) mod drafts;
mod explain;
mod exports;
mod feed;
mod follow_up;
mod html;
pub(crate) mod identity;
mod imports;
mod ingest;
pub(crate) mod journeys;
mod library;
mod lists;
mod live;
mod mailboxes;
mod messages;
mod names;
mod next;
pub mod openapi;
mod overview;
mod payments;
mod preferences;
mod problem;
mod public;
mod recognition;
mod reports;
mod segments;
mod settings;
pub(crate) mod status;
mod tasks;
mod templates;
mod views;
mod web;
mod wishes;
mod workshop;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use utoipa_axum::router::OpenApiRouter;

use crate::workspace::Workspace;

pub use problem::Problem;

/// What handlers share.
pub type Shared = State<Arc<Workspace>>;

/// Bytes of a scenario that is applied.
const SCENARIO_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a browser may remember that it is let in.
const PREFLIGHT_AGE: Duration = Duration::from_secs(24 * 3600);

/// The management API: each file's routes, with what the document says of them.
fn api() -> OpenApiRouter<Arc<Workspace>> {
    openapi::begin()
        .merge(access::routes())
        .merge(api::routes())
        .merge(overview::routes())
        .merge(feed::routes())
        .merge(names::routes())
        .merge(reports::routes())
        .merge(documents::routes())
        .merge(payments::routes())
        .merge(contacts::routes())
        .merge(tasks::routes())
        .merge(views::routes())
        .merge(status::routes())
        .merge(identity::routes())
        .merge(demo::routes())
        .merge(messages::routes())
        .merge(explain::routes())
        .merge(consent::routes())
        .merge(wishes::routes())
        .merge(accounts::routes())
        .merge(approvals::routes())
        .merge(follow_up::routes())
        .merge(segments::routes())
        .merge(journeys::routes())
        .merge(drafts::routes())
        .merge(library::routes())
        .merge(live::routes())
        .merge(workshop::routes())
        .merge(templates::routes())
        .merge(content::routes())
        .merge(settings::routes())
        .merge(mailboxes::routes())
        .merge(recognition::routes())
        .merge(imports::routes())
        .merge(exports::routes())
}

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
    let (api, document) = api().split_for_parts();
    let jobs = imports::open(&workspace);
    let api = api
        .layer(Extension(jobs))
        .layer(Extension(Arc::new(templates::Tests::default())))
        .layer(Extension(Arc::new(crate::work::Works::default())))
        .layer(Extension(Arc::new(crate::recognition::Places::default())))
        .layer(Extension(Arc::new(crate::payments::Desk::default())))
        .layer(DefaultBodyLimit::max(SCENARIO_BYTES_MAX))
        .route_layer(middleware::from_fn_with_state(
            workspace.clone(),
            access::guard,
        ));
    Router::new()
        .merge(ingest)
        .merge(api)
        .route("/api/openapi.json", openapi::route(&document))
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
        .route("/", get(web::page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(web::fallback)
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
