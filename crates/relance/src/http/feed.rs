//! `/api/v1/feed`: what happened, the last first, of contacts that the caller sees.
//!
//! **Absent:** the life of one contact, which has a page of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::{Query, rejection::QueryRejection};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_store::read::Told;
use relance_wire::api::feed::FeedItem;
use relance_wire::api::{self as shape};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::workspace::Workspace;

use super::lists::{called, language, moment, owners, rows, said, told, world};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(feed))
}

/// Which part of it.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Whose contacts: an address, or `me`.
    owner: Option<String>,
    /// In which language lines of the ledger are told: `en`, `ru` or `ja`.
    language: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// What happened, the last first: messages that left or wait, runs that began, goals that were reached, answers,
/// documents, payments, tasks that were done. What journeys do with contacts of nobody is left out but for goals. A page
/// may hold fewer than asked and yet have a next one; forty days are kept.
#[utoipa::path(get, path = "/api/v1/feed", operation_id = "feed_list", tag = "overview", params(Which),
    responses((status = 200, description = "a page of what happened", body = shape::Page<FeedItem>)))]
pub async fn feed(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Json<shape::Page<FeedItem>>, Problem> {
    let Query(asked) = asked?;
    let owners = owners(&caller, said(&asked.owner))?;
    let language = language(said(&asked.language))?;
    let own = workspace.clone();
    let page = tokio::task::spawn_blocking(move || {
        let reader = &own.reader;
        let page = reader.feed(owners.as_ref(), said(&asked.cursor), rows(asked.limit))?;
        let ids: BTreeSet<_> = page.items.iter().map(|one| one.contact).collect();
        let contacts = reader.contacts_of(&ids)?;
        let has_lines = page
            .items
            .iter()
            .any(|one| matches!(one.told, Told::Line(_)));
        let world = has_lines.then(|| world(&own)).transpose()?;
        let items = page.items.iter().map(|one| {
            let contact = contacts.get(&one.contact);
            let mut item = FeedItem {
                at: moment(one.at),
                what: one.what.clone(),
                contact: one.contact.to_string(),
                contact_name: contact.and_then(called),
                event: None,
                ledger: None,
            };
            match (&one.told, &world, contact) {
                (Told::Line(line), Some(world), Some(contact)) => {
                    item.ledger = Some(told(world, contact, language, &line.entry));
                }
                // Of whoever is gone there is nothing to tell.
                (Told::Line(_), _, _) => {}
                (Told::Event(event), _, _) => item.event = Some(shape::Event::of(event)),
            }
            item
        });
        Ok(shape::Page {
            items: items.collect(),
            next: page.next,
        })
    });
    let page = page.await.map_err(|_| {
        let detail = "the page could not be made; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })?;
    page.map(Json)
}
