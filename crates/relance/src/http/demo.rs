//! `/api/v1/demo`: the wheel of a demonstration. Every other workspace has none.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::demo::control::Control;
use crate::workspace::Workspace;

use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(demo, turn))
}

/// How a demonstration goes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Demo {
    /// The moment on its own clock.
    now: String,
    /// Its first moment.
    begins_at: String,
    /// Its last one.
    ends_at: String,
    /// Virtual seconds in a real one; 0 is as fast as the engine goes.
    speed: f64,
    /// Time stands.
    paused: bool,
    /// Everything was played; time stands for good.
    ended: bool,
}

/// What to change of a demonstration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    /// Virtual seconds in a real one; 0 is as fast as the engine goes.
    speed: Option<f64>,
    /// Whether time stands.
    paused: Option<bool>,
}

fn shown(workspace: &Workspace, control: &Control) -> Json<Demo> {
    let shown = control.shown();
    Json(Demo {
        now: workspace.clock.now().to_string(),
        begins_at: shown.begins_at.to_string(),
        ends_at: shown.ends_at.to_string(),
        speed: shown.pace.speed,
        paused: shown.pace.paused,
        ended: shown.ended,
    })
}

fn control(workspace: &Workspace) -> Result<&Control, Problem> {
    let control = workspace.demo.get();
    control
        .map(|control| &**control)
        .ok_or_else(|| Problem::not_found("demonstration; this workspace is a real one"))
}

/// How the demonstration goes; 404 in every other workspace.
#[utoipa::path(get, path = "/api/v1/demo", operation_id = "demo", tag = "settings",
    responses((status = 200, body = Demo), (status = 404, body = Problem)))]
async fn demo(State(workspace): Shared) -> Result<Json<Demo>, Problem> {
    Ok(shown(&workspace, control(&workspace)?))
}

/// Changes how fast the demonstration's time goes.
#[utoipa::path(put, path = "/api/v1/demo", operation_id = "demo_turn", tag = "settings",
    request_body = Turn, responses((status = 200, body = Demo), (status = 404, body = Problem)))]
async fn turn(
    State(workspace): Shared,
    asked: Result<Json<Turn>, JsonRejection>,
) -> Result<Json<Demo>, Problem> {
    let Json(turn) = asked?;
    let control = control(&workspace)?;
    control.set(turn.speed, turn.paused);
    Ok(shown(&workspace, control))
}
