//! `/api/v1/documents/follow-up`: documents that were there before their journey are followed up, because a person
//! says so.
//!
//! What a first reading of a mailbox finds is history, and begins nothing by itself (R4). Each document goes its own way:
//! one that is paid, or followed up already, is left alone, and the answer says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_core::decide::{Input, Starter};
use relance_core::document::DOCUMENT;
use relance_core::ids::{ContactId, JourneyId, SubjectRef, UserId};
use relance_core::journey::{Journey, On};
use relance_core::ledger::{LedgerEntry, What};
use relance_core::value::Fields;
use relance_engine::arrival::Arrival;
use relance_wire::api::registry::{
    FollowUp, FollowUpJourney, FollowUpJourneys, FollowedUp, FollowedUpAll,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Caller, Who};
use crate::workspace::Workspace;

use super::api::read;
use super::lists::contact_id;
use super::{Problem, Shared};

/// Documents in one request.
pub const DOCUMENTS_MAX: usize = 200;
/// What one of them weighs in the engine's queue.
const WEIGHT: usize = 512;
/// Lines of a contact's ledger among which its outcomes are looked for.
const LINES_LOOKED_AT: usize = 200;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(journeys, begin))
}

/// Whether a journey follows documents up, from an event on.
fn follows_documents(journey: &Journey) -> bool {
    let of_documents = journey
        .subject
        .as_ref()
        .is_some_and(|kind| kind.as_str() == DOCUMENT);
    of_documents && matches!(journey.trigger.on, On::Event(_))
}

/// The journeys in force that documents can be followed up by.
async fn in_force(workspace: &Arc<Workspace>) -> Result<Vec<Arc<Journey>>, Problem> {
    let stored = read(workspace, |reader| reader.journeys()).await?;
    let current = stored.into_iter().filter(|one| one.journey.current);
    let read = current.filter_map(|one| {
        relance_wire::journey::publish(&one.journey.text, one.journey.version).ok()
    });
    Ok(read
        .map(Arc::new)
        .filter(|one| follows_documents(one))
        .collect())
}

/// Journeys by which documents that are there can be followed up: those in force that are about documents.
#[utoipa::path(get, path = "/api/v1/documents/follow-up", operation_id = "documents_follow_up_journeys", tag = "documents",
    responses((status = 200, description = "the journeys, by name", body = FollowUpJourneys)))]
pub async fn journeys(State(workspace): Shared) -> Result<Json<FollowUpJourneys>, Problem> {
    let mut items: Vec<FollowUpJourney> = in_force(&workspace)
        .await?
        .iter()
        .map(|journey| FollowUpJourney {
            id: journey.id.to_string(),
            name: journey.name.clone(),
        })
        .collect();
    items.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Json(FollowUpJourneys { items }))
}

/// Follows documents up that were there before the journey. Its steps begin now, as if the document had just been
/// sent. What became of each is said; one that is not the caller's to see is as if it were not there.
#[utoipa::path(post, path = "/api/v1/documents/follow-up", operation_id = "documents_follow_up", tag = "documents",
    request_body = FollowUp,
    responses((status = 200, description = "what became of each, in their order", body = FollowedUpAll),
        (status = 404, description = "no such journey about documents is in force"),
        (status = 413, description = "more than 200 documents")))]
pub async fn begin(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<FollowUp>, JsonRejection>,
) -> Result<Json<FollowedUpAll>, Problem> {
    let Json(FollowUp { journey, documents }) = asked?;
    if documents.len() > DOCUMENTS_MAX {
        let detail = format!(
            "{} documents; name at most {DOCUMENTS_MAX} at once",
            documents.len()
        );
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many",
            detail,
        ));
    }
    let journey = JourneyId::from(journey);
    if !in_force(&workspace)
        .await?
        .iter()
        .any(|one| one.id == journey)
    {
        return Err(Problem::not_found(
            "journey about documents that is in force",
        ));
    }
    let named: Vec<(ContactId, SubjectRef)> = documents
        .iter()
        .map(|one| {
            let id = one.document.as_str().into();
            let subject = SubjectRef {
                kind: DOCUMENT.into(),
                id,
            };
            Ok((contact_id(&one.contact)?, subject))
        })
        .collect::<Result<_, Problem>>()?;
    let sees = caller.sees.clone();
    let looked_up = named.clone();
    let known: Vec<bool> = read(&workspace, move |reader| {
        let is_known = |(contact, subject): &(ContactId, SubjectRef)| {
            let mine = !sees.is_limited() || sees.allows(reader.owner_of(*contact)?.as_deref());
            Ok(mine && reader.object(*contact, subject)?.is_some())
        };
        looked_up.iter().map(is_known).collect()
    })
    .await?;

    let by = Starter::Person(match &caller.who {
        Who::Token(_) => UserId::from("api"),
        Who::User(address) => address.clone(),
    });
    let meant = || named.iter().zip(&known).filter(|(_, known)| **known);
    let arrivals: Vec<Arrival> = meant()
        .map(|((contact, subject), _)| Arrival::Input {
            contact: *contact,
            input: Input::Enroll {
                journey: journey.clone(),
                by: by.clone(),
                subject: Some(subject.clone()),
                properties: Fields::new(),
                once: None,
            },
        })
        .collect();
    if !arrivals.is_empty() {
        let (weight, object) = (WEIGHT * arrivals.len(), journey.as_str());
        workspace
            .submit_as(&caller, arrivals, weight, "documents.follow_up", object)
            .await?;
    }

    let mut wanted: BTreeMap<ContactId, usize> = BTreeMap::new();
    for ((contact, _), _) in meant() {
        *wanted.entry(*contact).or_default() += 1;
    }
    let of_journey = journey.clone();
    let mut outcomes: BTreeMap<ContactId, Vec<LedgerEntry>> = read(&workspace, move |reader| {
        let of_contact = |(contact, count): (ContactId, usize)| {
            let lines = reader.ledger_of_contact(contact, None, LINES_LOOKED_AT)?;
            // The newest come first, so the last of them is what became of the first document.
            let told = lines
                .items
                .into_iter()
                .map(|line| line.entry)
                .filter(|line| {
                    let is_outcome = matches!(line.what, What::Enrolled | What::NotEnrolled);
                    is_outcome && line.journey.as_ref() == Some(&of_journey)
                });
            Ok((contact, told.take(count).collect()))
        };
        wanted.into_iter().map(of_contact).collect()
    })
    .await?;
    let items = named.iter().zip(&known).map(|((contact, subject), known)| {
        let line = known.then(|| outcomes.get_mut(contact)?.pop()).flatten();
        let begun = line
            .as_ref()
            .is_some_and(|line| line.what == What::Enrolled);
        let reason = line.as_ref().and_then(|line| line.reason);
        FollowedUp {
            contact: contact.to_string(),
            document: subject.id.to_string(),
            begun,
            reason: match known {
                true => reason.map(|reason| reason.word().to_owned()),
                false => Some("no_document".to_owned()),
            },
        }
    });
    Ok(Json(FollowedUpAll {
        items: items.collect(),
    }))
}
