//! `/api/v1/touchpoints/{id}/message`: a message to read, as it left where that is kept, else as it would be now.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use relance_core::ids::TouchpointId;
use relance_message::mail::Mail;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::send::preview::dispatch_of;
use crate::workspace::{OUTBOX, Workspace};

use super::api::read;
use super::{Problem, Shared};

/// Files of the outbox that are looked through for a message; beyond it the message is rendered anew.
const FILES_MAX: usize = 100_000;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(message))
}

/// A message to read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Message {
    /// It is what left; else it was made anew from template and data of now.
    sent: bool,
    /// The sender's address, with the name before it if there is one.
    from: Option<String>,
    /// The recipients' addresses.
    to: Vec<String>,
    /// The subject line.
    subject: String,
    /// As plain text.
    text: String,
    /// As HTML, if it is sent so. Data of others is in it: show it in a frame without rights.
    html: Option<String>,
    /// When it left.
    at: Option<String>,
}

/// A message to read: what left if the outbox keeps it, else the message made anew.
#[utoipa::path(get, path = "/api/v1/touchpoints/{id}/message", operation_id = "message", tag = "messages",
    params(("id" = String, Path, description = "the message's id")),
    responses((status = 200, body = Message), (status = 404, body = Problem)))]
async fn message(
    State(workspace): Shared,
    Path(id): Path<String>,
) -> Result<Json<Message>, Problem> {
    let id: TouchpointId = id
        .parse()
        .map_err(|_| Problem::not_found("message; its id begins with `tp_`"))?;
    let found = read(&workspace, move |reader| {
        let Some(touchpoint) = reader.touchpoint(id)? else {
            return Ok(None);
        };
        dispatch_of(reader, touchpoint)
    });
    let Some(dispatch) = found.await? else {
        return Err(Problem::not_found("message; its contact may be forgotten"));
    };
    let (composer, outbox) = (workspace.composer.clone(), workspace.data.join(OUTBOX));
    // Files and rendering take their time, and the network's threads have other work.
    let made = tokio::task::spawn_blocking(move || {
        kept(&outbox, id).unwrap_or_else(|| {
            let preview = composer.preview(&dispatch);
            let name = preview.from_name.as_deref();
            Message {
                sent: false,
                from: preview.from.as_deref().map(|from| named(name, from)),
                to: preview.to,
                subject: preview.subject,
                text: preview.text,
                html: preview.html,
                at: None,
            }
        })
    });
    made.await.map(Json).map_err(|_| {
        let detail = "the message could not be read; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })
}

fn named(name: Option<&str>, address: &str) -> String {
    match name {
        Some(name) if !name.is_empty() => format!("{name} <{address}>"),
        Some(_) | None => address.to_owned(),
    }
}

/// What the outbox keeps of a message; a second attempt is told by its later file.
fn kept(outbox: &FilePath, id: TouchpointId) -> Option<Message> {
    let end = format!("-{id}.eml");
    let files = std::fs::read_dir(outbox).ok()?.take(FILES_MAX);
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let name = names.filter(|name| name.ends_with(&end)).max()?;
    let mail = Mail::parse(&std::fs::read(outbox.join(name)).ok()?).ok()?;
    let from = mail.from.first();
    Some(Message {
        sent: true,
        from: from.map(|one| named(Some(&one.name), &one.email)),
        to: mail.to.iter().map(|one| one.email.clone()).collect(),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        at: mail.date.map(|at| at.to_string()),
    })
}
