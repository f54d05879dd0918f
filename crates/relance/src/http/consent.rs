//! The management API of what contacts allow: consents and their proofs, preferences, suppressions, export
//! and erasure.

use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::stream;
use relance_core::consent::{Consent, Evidence, Proof, Source};
use relance_core::contact::{Channel, Contact, Identity, SuppressionReason};
use relance_core::decide::Input;
use relance_core::ids::{ContactId, Topic};
use relance_core::suppression::{Suppression, SuppressionKey, SuppressionKind};
use relance_engine::arrival::Arrival;
use relance_engine::turn::{ERASURE, Erasure};
use relance_store::read::PAGE_ROWS_MAX;
use relance_wire::api::{self as shape, status};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Caller;
use crate::held;
use crate::workspace::Workspace;

use super::api::{Answered, read};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(suppressions, suppress, unsuppress))
        .routes(routes!(import))
        .routes(routes!(consents, consent))
        .routes(routes!(export))
        .routes(routes!(erase))
        .routes(routes!(erasure))
        .routes(routes!(readmit))
}

/// Entries of the list of suppressions that one request may change.
pub const SUPPRESSIONS_MAX: usize = 50_000;
/// Entries that one arrival carries.
const ENTRIES_PER_ARRIVAL: usize = 500;
/// Refused lines that an answer names.
const REFUSED_SHOWN_MAX: usize = 100;
/// Bytes of a piece of an export, but for the last.
const PIECE_BYTES_MIN: usize = 32 * 1024;
/// Pieces of an export that wait for a slow client.
const PIECES_AHEAD: usize = 4;
/// Characters of a source.
const SOURCE_CHARS_MAX: usize = 200;

fn bad(code: &'static str, detail: impl ToString) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}

fn contact_id(text: &str) -> Result<ContactId, Problem> {
    text.parse().map_err(|problem| bad("bad_id", problem))
}

/// The contact, or the one that it turned out to be.
pub(super) async fn known(workspace: &Arc<Workspace>, id: &str) -> Result<Contact, Problem> {
    let id = contact_id(id)?;
    let found = read(workspace, move |reader| {
        let now = reader.contact_now(id)?;
        reader.contact(now)
    });
    let found = found.await?;
    found.ok_or_else(|| Problem::not_found("contact"))
}

/// Where a list begins and how long it is.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Paging {
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Paging {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(100).clamp(1, PAGE_ROWS_MAX)
    }
}

/// The list of suppressions.
#[utoipa::path(get, path = "/api/v1/suppressions", operation_id = "suppressions_list", tag = "consent", params(Paging), responses((status = 200, description = "a page of the list", body = shape::Page<shape::Suppression>)))]
pub async fn suppressions(State(workspace): Shared, Query(paging): Query<Paging>) -> Answered {
    let page = read(&workspace, move |reader| {
        reader.suppressions(paging.cursor.as_deref(), paging.limit())
    });
    let page = page.await?;
    let items: Vec<Value> = page.items.iter().map(shape::suppression).collect();
    Ok(Json(json!({ "items": items, "next": page.next })))
}

/// Entries to add: a text for each, or an object.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SuppressionEntry)]
#[serde(untagged)]
pub enum Entry {
    /// An address, a domain, a number or a hash.
    Text(String),
    /// With more.
    Whole {
        /// The same.
        value: String,
        /// `email`, `domain`, `phone`; guessed when missing.
        #[serde(default)]
        kind: Option<String>,
        /// `hard_bounce`, `complaint`, `manual`.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        reason: Option<SuppressionReason>,
    },
}

/// What is added to the list.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SuppressionsAdded)]
#[serde(deny_unknown_fields)]
pub struct Added {
    items: Vec<Entry>,
    #[serde(default)]
    source: Option<String>,
}

/// The key of a text.
pub fn key_of(text: &str, kind: Option<&str>) -> Result<SuppressionKey, String> {
    let key = match kind {
        None => SuppressionKey::guess(text),
        Some(word) => {
            let kind = SuppressionKind::from_word(word)
                .ok_or_else(|| format!("kind {word:?} is not known; use email, domain or phone"))?;
            SuppressionKey::new(kind, text)
        }
    };
    key.map_err(|problem| problem.to_string())
}

/// Adds entries; those that are none are named, the others are added.
#[utoipa::path(post, path = "/api/v1/suppressions", operation_id = "suppressions_add", tag = "consent", request_body = Added, responses((status = 200, description = "what was added", body = status::SuppressionsTaken)))]
pub async fn suppress(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Added>, JsonRejection>,
) -> Answered {
    let Json(added) = body.map_err(|rejection| bad("malformed", rejection.body_text()))?;
    let source = added.source.unwrap_or_else(|| "api".to_owned());
    let entries = added.items.into_iter().map(|entry| match entry {
        Entry::Text(value) => (value, None, None),
        Entry::Whole {
            value,
            kind,
            reason,
        } => (value, kind, reason),
    });
    put_all(&workspace, &caller, entries.collect(), &source).await
}

/// Adds entries from a file of one column.
#[utoipa::path(post, path = "/api/v1/suppressions/import", operation_id = "suppressions_import", tag = "consent", request_body(content = String, content_type = "text/csv", description = "a file of one column"), responses((status = 200, description = "what was added", body = status::SuppressionsTaken)))]
pub async fn import(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answered {
    let text = String::from_utf8_lossy(&body);
    let entries = values_of(&text).map(|value| (value.to_owned(), None, None));
    put_all(&workspace, &caller, entries.collect(), "import").await
}

/// The values of a file of one column: the first column of each line, without a header.
pub fn values_of(text: &str) -> impl Iterator<Item = &str> {
    const HEADERS: [&str; 7] = [
        "email",
        "e-mail",
        "address",
        "value",
        "phone",
        "domain",
        "адрес",
    ];
    let lines = text.trim_start_matches('\u{feff}').lines();
    lines
        .map(|line| {
            let cell = line.split([',', ';', '\t']).next().unwrap_or_default();
            cell.trim().trim_matches('"').trim()
        })
        .filter(|cell| !cell.is_empty() && !cell.starts_with('#'))
        .enumerate()
        .filter(|(place, cell)| *place > 0 || !HEADERS.contains(&cell.to_lowercase().as_str()))
        .map(|(_, cell)| cell)
}

type Given = (String, Option<String>, Option<SuppressionReason>);

async fn put_all(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    given: Vec<Given>,
    source: &str,
) -> Answered {
    if given.len() > SUPPRESSIONS_MAX {
        let detail = format!("more than {SUPPRESSIONS_MAX} entries; send them in parts");
        return Err(bad("too_many", detail));
    }
    let source: String = source.chars().take(SOURCE_CHARS_MAX).collect();
    let at = workspace.clock.now();
    let (mut put, mut refused) = (Vec::new(), Vec::new());
    let mut count = 0;
    for (place, (text, kind, reason)) in given.into_iter().enumerate() {
        match key_of(&text, kind.as_deref()) {
            Ok(key) => put.push(Suppression {
                key,
                reason: reason.unwrap_or(SuppressionReason::Manual),
                at,
                source: source.clone(),
            }),
            Err(detail) => {
                count += 1;
                if refused.len() < REFUSED_SHOWN_MAX {
                    refused.push(json!({ "index": place, "detail": detail }));
                }
            }
        }
    }
    let taken = put.len();
    for some in put.chunks(ENTRIES_PER_ARRIVAL) {
        let arrival = Arrival::Suppressions {
            put: some.to_vec(),
            dropped: Vec::new(),
        };
        let weight = 128 * some.len();
        workspace
            .submit_as(caller, vec![arrival], weight, "suppression.add", &source)
            .await?;
    }
    Ok(Json(
        json!({ "taken": taken, "refused": count, "problems": refused }),
    ))
}

/// What is taken off the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    value: String,
    #[serde(default)]
    kind: Option<String>,
}

/// Takes an entry off the list; a contact with the address may be reached again.
#[utoipa::path(delete, path = "/api/v1/suppressions", operation_id = "suppressions_remove", tag = "consent", params(Dropped), responses((status = 200, description = "whether it was there", body = status::Removed)))]
pub async fn unsuppress(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Query(dropped): Query<Dropped>,
) -> Answered {
    let key = key_of(&dropped.value, dropped.kind.as_deref())
        .map_err(|detail| bad("bad_value", detail))?;
    let asked = key.clone();
    let found = read(&workspace, move |reader| reader.suppression(&asked)).await?;
    let arrival = Arrival::Suppressions {
        put: Vec::new(),
        dropped: vec![key],
    };
    // Which address it was stays out of the audit.
    workspace
        .submit_as(&caller, vec![arrival], 256, "suppression.remove", "")
        .await?;
    Ok(Json(json!({ "removed": found.is_some() })))
}

/// The answers of a contact in force, and all that it ever gave.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/consents", operation_id = "contacts_consents", tag = "consent", params(("id" = String, Path, description = "the id of the contact, `con_42`"), Paging), responses((status = 200, description = "the answers in force, and all that were given", body = status::Consents)))]
pub async fn consents(
    State(workspace): Shared,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answered {
    let contact = known(&workspace, &id).await?;
    let id = contact.id;
    let page = read(&workspace, move |reader| {
        reader.consents(id, paging.cursor.as_deref(), paging.limit())
    });
    let page = page.await?;
    let items: Vec<Value> = page.items.iter().map(shape::consent).collect();
    Ok(Json(json!({
        "in_force": shape::consents(&contact),
        "items": items,
        "next": page.next,
    })))
}

/// An answer that a program or a person of ours tells.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ConsentTold)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// `granted` or `denied`.
    #[schema(value_type = String)]
    consent: Consent,
    /// Of which topic; left out: of the channel.
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    channel: Option<String>,
    /// By which way it came; `api` by default.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    source: Option<Source>,
    /// What proves it.
    #[serde(default)]
    #[schema(value_type = Option<shape::ProofShown>)]
    proof: Option<Proof>,
}

/// Notes an answer. A yes that is not the contact's own, where double opt-in is wanted, is a question.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/consents", operation_id = "contacts_consent", tag = "consent", params(("id" = String, Path, description = "the id of the contact, `con_42`")), request_body = Told, responses((status = 200, description = "the answers in force", body = status::ConsentsInForce)))]
pub async fn consent(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Result<Json<Told>, JsonRejection>,
) -> Answered {
    let Json(told) = body.map_err(|rejection| bad("malformed", rejection.body_text()))?;
    if told.consent == Consent::Pending {
        let detail = "pending is what double opt-in makes of granted; send granted or denied";
        return Err(bad("bad_consent", detail));
    }
    let channel = match told.channel.as_deref() {
        None => Channel::Email,
        Some(word) => Channel::from_word(word)
            .ok_or_else(|| bad("bad_channel", format!("channel {word:?} is not known")))?,
    };
    let contact = known(&workspace, &id).await?;
    let evidence = Evidence::of(told.source.unwrap_or(Source::Api));
    let input = Input::Consent {
        channel,
        topic: told
            .topic
            .filter(|topic| !topic.is_empty())
            .map(Topic::from),
        consent: told.consent,
        evidence: evidence.with(told.proof.unwrap_or_default()),
    };
    let arrival = Arrival::Input {
        contact: contact.id,
        input,
    };
    let object = contact.id.to_string();
    workspace
        .submit_as(&caller, vec![arrival], 1_024, "contact.consent", &object)
        .await?;
    let contact = known(&workspace, &id).await?;
    Ok(Json(json!({ "in_force": shape::consents(&contact) })))
}

/// All that is held on a contact, as a stream.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/export", operation_id = "contacts_export_one", tag = "consent", params(("id" = String, Path, description = "the id of the contact, `con_42`")), responses((status = 200, description = "all that is held on the contact, streamed", body = Object)))]
pub async fn export(State(workspace): Shared, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = contact_id(&id)?;
    if read(&workspace, move |reader| reader.contact(id))
        .await?
        .is_none()
    {
        return Err(Problem::not_found("contact"));
    }
    let (pieces, taken) =
        tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(PIECES_AHEAD);
    let reader = workspace.reader.clone();
    tokio::task::spawn_blocking(move || {
        let mut gathered = String::new();
        let mut sink = |piece: String| {
            gathered.push_str(&piece);
            if gathered.len() < PIECE_BYTES_MIN {
                return true;
            }
            pieces
                .blocking_send(Ok(std::mem::take(&mut gathered)))
                .is_ok()
        };
        let written = held::write(&reader, id, &mut sink);
        // What is left; nobody may want it any more.
        let _nobody = pieces.blocking_send(Ok(gathered));
        if let Err(problem) = written {
            tracing::warn!(%problem, contact = %id, "an export ended early");
            // A text that is cut short must not look whole.
            let _nobody = pieces.blocking_send(Err(std::io::Error::other("ended early")));
        }
    });
    let stream = stream::unfold(taken, |mut taken| async move {
        taken.recv().await.map(|piece| (piece, taken))
    });
    let name = format!("attachment; filename=\"{id}.json\"");
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// The receipt of an erasure, as programs read it.
pub fn receipt(erasure: &Erasure) -> Value {
    json!({
        "contact": erasure.contact.to_string(),
        "by": erasure.by,
        "asked_at": erasure.asked_at.to_string(),
        "done": erasure.done_at.is_some(),
        "done_at": erasure.done_at.map(|at| at.to_string()),
        "removed": erasure.removed,
    })
}

/// Forgets a person: the contact and all that turned out to be the same.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", operation_id = "contacts_erase", tag = "consent", params(("id" = String, Path, description = "the id of the contact, `con_42`")), responses((status = 202, description = "the receipt; `erasures/{id}` says how it stands", body = status::ErasureReceipt)))]
pub async fn erase(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let contact = known(&workspace, &id).await?;
    let id = contact.id;
    let person: Vec<ContactId> = contact.selves().collect();
    let selves = person.clone();
    let names = read(&workspace, move |reader| {
        let mut names = Vec::new();
        for one in selves {
            names.extend(reader.identities(one)?);
        }
        Ok(names)
    });
    // From here on nothing that comes under these names is taken.
    let names = names.await?;
    workspace.erased.add(&names);
    let arrival = Arrival::Erase {
        contact: id,
        by: caller.name(),
    };
    let object = id.to_string();
    workspace
        .submit_as(&caller, vec![arrival], 256, "contact.erase", &object)
        .await?;
    let outbox = crate::consent::forget_files(&workspace.data, &person);
    if let Err(error) = outbox {
        tracing::warn!(%error, contact = %id, "files of an erased contact could not be removed");
    }
    let data = workspace.data.clone();
    let rows = move || crate::import::leftovers::forget_rows(&data, &names);
    if let Ok(Err(problem)) = tokio::task::spawn_blocking(rows).await {
        tracing::warn!(%problem, contact = %id, "rows of an erased contact may stay with old imports");
    }
    let Json(value) = erasure_of(&workspace, id).await?;
    Ok((StatusCode::ACCEPTED, Json(value)).into_response())
}

/// How an erasure stands.
#[utoipa::path(get, path = "/api/v1/erasures/{id}", operation_id = "erasures_show", tag = "consent", params(("id" = String, Path, description = "the id of the contact, `con_42`")), responses((status = 200, description = "how it stands", body = status::ErasureReceipt)))]
pub async fn erasure(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let id = contact_id(&id)?;
    erasure_of(&workspace, id).await
}

async fn erasure_of(workspace: &Arc<Workspace>, id: ContactId) -> Answered {
    let texts = read(workspace, move |reader| reader.texts(ERASURE)).await?;
    let name = id.to_string();
    let found = texts.iter().find(|text| text.name == name);
    let found = found.and_then(|text| Erasure::read(&text.name, &text.body));
    found
        .map(|erasure| Json(receipt(&erasure)))
        .ok_or_else(|| Problem::not_found("erasure"))
}

/// Names of somebody who was erased and signs up again.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(as = NamesTold)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    email: Option<String>,
    phone: Option<String>,
    user_id: Option<String>,
    anonymous_id: Option<String>,
}

impl Names {
    /// As identities.
    pub fn identities(&self) -> Vec<Identity> {
        let named = |name: &Option<String>, make: fn(&str) -> Identity| name.as_deref().map(make);
        [
            named(&self.email, Identity::email),
            named(&self.phone, Identity::phone),
            named(&self.user_id, Identity::user),
            named(&self.anonymous_id, Identity::anonymous),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Lets somebody who was erased be known again, on their own wish.
#[utoipa::path(post, path = "/api/v1/readmit", operation_id = "contacts_readmit", tag = "consent", request_body = Names, responses((status = 200, description = "how many names", body = status::Readmitted)))]
pub async fn readmit(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Names>, JsonRejection>,
) -> Answered {
    let Json(names) = body.map_err(|rejection| bad("malformed", rejection.body_text()))?;
    let identities = names.identities();
    if identities.is_empty() {
        return Err(bad(
            "no_name",
            "name an email, phone, user_id or anonymous_id",
        ));
    }
    let hashes = workspace.erased.remove(&identities);
    let count = hashes.len();
    if count > 0 {
        let arrivals = vec![Arrival::Readmit(hashes)];
        workspace
            .submit_as(&caller, arrivals, 256, "contact.readmit", "")
            .await?;
    }
    Ok(Json(json!({ "readmitted": count })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_one_column_is_read_with_or_without_a_header() {
        let read = |text: &str| values_of(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            read("\u{feff}Email\r\nana@x.test\r\n\r\n\"bob@x.test\";Bob\r\n"),
            ["ana@x.test", "bob@x.test"]
        );
        assert_eq!(read("# old list\nx.test\nemail\n"), ["x.test", "email"]);
        assert_eq!(read(""), Vec::<String>::new());
    }

    #[test]
    fn a_key_says_what_is_wrong_with_it() {
        assert!(
            key_of("ana@x.test", Some("pigeon"))
                .unwrap_err()
                .contains("pigeon")
        );
        assert!(key_of("=1+1", None).is_err());
        assert_eq!(key_of("X.test", None).unwrap().value, "x.test");
    }
}
