//! `/api/v1/live`: what changes, as server-sent events.
//!
//! `changed` with the topics, at most once a second; a comment every fifteen seconds keeps the connection alive. It
//! ends with the session or the server; the browser comes again by itself. Where several nodes share the workspace,
//! what the others commit is not seen here one by one: all topics are told every few seconds.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use relance_engine::topics::Topic;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::live::{WATCHERS_MAX, Watcher};
use crate::workspace::Workspace;

use super::imports::Imports;
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(live))
}

/// How often it is looked whether something changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a silent connection says that it lives.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// How often all topics are told where other nodes commit too.
const SHARED_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked whether the session still stands.
const SESSION_EVERY: Duration = Duration::from_secs(10);
/// When a browser that found no room comes again, in seconds.
const FULL_RETRY_SECONDS: u32 = 30;

/// What one browser watches.
struct Watching {
    watcher: Watcher,
    imports: Arc<crate::import::jobs::Jobs>,
    imports_seen: u64,
    workspace: Arc<Workspace>,
    caller: Caller,
    all_told_at: Instant,
    session_seen_at: Instant,
}

/// Says what changes, as it changes.
#[utoipa::path(
    get,
    path = "/api/v1/live",
    operation_id = "live",
    tag = "live",
    responses(
        (status = 200, description = "events `changed` with `{\"topics\": [...]}`", body = String, content_type = "text/event-stream"),
        (status = 503, description = "so many watch already; `Retry-After` says when to come again")
    )
)]
pub async fn live(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(imports): Imports,
) -> Response {
    let Some(watcher) = workspace.live.watch() else {
        let detail = format!("{WATCHERS_MAX} pages watch already; close some, or come again");
        let full = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_watch", detail);
        return full.retry_after(FULL_RETRY_SECONDS).into_response();
    };
    let watching = Watching {
        imports_seen: imports.changes(),
        watcher,
        imports,
        workspace,
        caller,
        all_told_at: Instant::now(),
        session_seen_at: Instant::now(),
    };
    let events = stream::unfold(watching, |mut watching| async move {
        let topics = watching.next().await?;
        let words: Vec<&str> = topics.into_iter().map(Topic::word).collect();
        let event = Event::default()
            .event("changed")
            .data(json!({ "topics": words }).to_string());
        Some((Ok::<_, Infallible>(event), watching))
    });
    let alive = KeepAlive::new().interval(ALIVE_EVERY);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    // What stands between must pass it on as it comes.
    let unbuffered = HeaderValue::from_static("no");
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", unbuffered);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Watching {
    /// Whether the session that watches was not ended; a token has none.
    async fn still_stands(&self) -> bool {
        let (Some(hash), Some(user)) = (self.caller.session(), self.caller.address()) else {
            return true;
        };
        let own = crate::access::session::of(&self.workspace, user).await;
        // What cannot be read now is asked again.
        own.is_err() || own.is_ok_and(|all| all.iter().any(|(one, _)| **one == **hash))
    }

    /// The next topics; `None`: it is over.
    async fn next(&mut self) -> Option<Vec<Topic>> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.watcher.is_closed() {
                return None;
            }
            if self.session_seen_at.elapsed() >= SESSION_EVERY {
                self.session_seen_at = Instant::now();
                if !self.still_stands().await {
                    return None;
                }
            }
            let mut topics = self.watcher.news();
            if self.workspace.is_shared() && self.all_told_at.elapsed() >= SHARED_EVERY {
                self.all_told_at = Instant::now();
                topics = Topic::ALL.to_vec();
            }
            let imports = self.imports.changes();
            if imports != self.imports_seen {
                self.imports_seen = imports;
                if !topics.contains(&Topic::Imports) {
                    topics.push(Topic::Imports);
                }
            }
            if !topics.is_empty() {
                return Some(topics);
            }
        }
    }
}
