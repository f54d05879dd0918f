//! Contacts that are one: merges, their undoing, and pairs that somebody should look at.

use crate::workspace::Workspace;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use relance_core::contact::ABSORBED_MAX;
use relance_core::identity::{Apart, UNDO_WITHIN};
use relance_core::ids::ContactId;
use relance_core::ledger::Reason;
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Doubt;
use relance_engine::turn::PENDING_MERGE;
use relance_store::read::{
    LedgerLine, ListedTask, LoggedEvent, PAGE_ROWS_MAX, Page, ReadError, Reader,
};
use relance_wire::api::{self as shape, registry};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Caller, Who};
use crate::held;

use super::api::{Answered, read};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(duplicates))
        .routes(routes!(merge))
        .routes(routes!(unmerge))
        .routes(routes!(enrollments))
}

/// Bytes that such an order takes in the queue, roughly.
const WEIGHT: usize = 1_024;
/// Characters of a user's name.
const BY_CHARS_MAX: usize = 100;

/// What a merge asks for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The contact that turned out to be this one.
    absorb: String,
    /// Who says so.
    #[serde(default)]
    by: Option<String>,
}

/// What is known of an undoing.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmerge {
    /// Who says so.
    #[serde(default)]
    by: Option<String>,
}

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    #[serde(default = "default_limit")]
    limit: usize,
}

impl Paging {
    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref().filter(|text| !text.is_empty())
    }
}

fn default_limit() -> usize {
    50
}

/// Why an order cannot be carried out, for a person.
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Refused {
    fn new(code: &'static str, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        Self { code, detail }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.code {
            "not_found" => StatusCode::NOT_FOUND,
            _known_but_impossible => StatusCode::CONFLICT,
        };
        Self::new(status, refused.code, refused.detail)
    }
}

/// Whether two contacts can be merged, and who they are now: the survivor, the other.
pub(crate) fn may_merge(
    reader: &Reader,
    survivor: ContactId,
    absorbed: ContactId,
) -> Result<Result<(ContactId, ContactId), Refused>, ReadError> {
    let (own, other) = (reader.contact_now(survivor)?, reader.contact_now(absorbed)?);
    if own == other {
        let detail = format!("{survivor} and {absorbed} are one contact already");
        return Ok(Err(Refused::new("same_contact", detail)));
    }
    let mut were = 1;
    for id in [own, other] {
        let Some(contact) = reader.contact(id)? else {
            let detail = format!("there is no contact {id}");
            return Ok(Err(Refused::new("not_found", detail)));
        };
        if contact.erased {
            let detail = format!("contact {id} was erased: leave it and the other contact apart");
            return Ok(Err(Refused::new("erased", detail)));
        }
        were += contact.absorbed.len();
    }
    if were > ABSORBED_MAX {
        let detail = format!("the two were {were} contacts of {ABSORBED_MAX}: leave them apart");
        return Ok(Err(Refused::new("too_many_merged", detail)));
    }
    Ok(Ok((own, other)))
}

/// Whether a merge can be undone.
pub(crate) fn may_unmerge(
    reader: &Reader,
    absorbed: ContactId,
    now: Timestamp,
) -> Result<Result<ContactId, Refused>, ReadError> {
    let Some(merge) = reader.merge_of(absorbed)? else {
        let detail =
            format!("{absorbed} is not merged into another contact: there is nothing to undo");
        return Ok(Err(Refused::new("not_merged", detail)));
    };
    let record = merge.record;
    if !merge.is_kept || now.duration_since(record.at) > UNDO_WITHIN {
        let (at, hours) = (record.at, UNDO_WITHIN.as_hours());
        let detail = format!(
            "{absorbed} was merged at {at}, more than {hours} hours ago: what it was is not kept any longer"
        );
        return Ok(Err(Refused::new("too_late", detail)));
    }
    let survivor = record.survivor;
    match reader.contact(survivor)? {
        Some(contact) if contact.merged_into.is_some() => {
            let detail =
                format!("{survivor}, which it was merged into, was merged on: undo that first");
            Ok(Err(Refused::new("merged_on", detail)))
        }
        Some(contact) if contact.erased => {
            let detail = format!("contact {survivor} was erased: what the two were is not kept");
            Ok(Err(Refused::new("erased", detail)))
        }
        Some(_) => Ok(Ok(survivor)),
        None => {
            let detail = format!("there is no contact {survivor}");
            Ok(Err(Refused::new("not_found", detail)))
        }
    }
}

fn contact_id(text: &str) -> Result<ContactId, Problem> {
    text.parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))
}

/// In whose name: a person's own; a program may name somebody.
fn said_by(caller: &Caller, by: Option<String>) -> Result<Arc<str>, Problem> {
    let by = match (&caller.who, by) {
        (Who::User(address), _) => address.to_string(),
        (Who::Token(_), by) => by.unwrap_or_else(|| "api".to_owned()),
    };
    if by.trim().is_empty() || by.chars().count() > BY_CHARS_MAX {
        let detail = format!("by: write 1 to {BY_CHARS_MAX} characters, or leave it out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_by", detail));
    }
    Ok(by.trim().into())
}

/// Another contact turned out to be this one.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/merge", operation_id = "contacts_merge", tag = "contacts",
    params(("id" = String, Path, description = "who goes on")), request_body = Merge,
    responses((status = 200, description = "one contact, or about to be", body = registry::MergedShown), (status = 409, description = "something stands against it")))]
pub async fn merge(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Json<Merge>, JsonRejection>,
) -> Answered {
    let Json(asked) = asked?;
    let (survivor, absorbed) = (contact_id(&id)?, contact_id(&asked.absorb)?);
    let by = said_by(&caller, asked.by)?;
    let (survivor, absorbed) = read(&workspace, move |reader| {
        may_merge(reader, survivor, absorbed)
    })
    .await??;
    let order = Arrival::Merge {
        survivor,
        absorbed,
        by,
    };
    let object = survivor.to_string();
    workspace
        .submit_as(&caller, vec![order], WEIGHT, "contact.merge", &object)
        .await?;
    let state = read(&workspace, move |reader| {
        state_of(reader, survivor, absorbed)
    })
    .await?;
    match state {
        Some(state) => Ok(Json(json!({
            "id": survivor.to_string(),
            "absorbed": absorbed.to_string(),
            "state": state,
            "undo_until": (workspace.clock.now() + UNDO_WITHIN).to_string(),
        }))),
        None => {
            let detail =
                "the contacts changed meanwhile and were not merged; look at both and try again";
            Err(Problem::new(StatusCode::CONFLICT, "not_merged", detail))
        }
    }
}

/// What came of the order to merge.
pub(crate) fn state_of(
    reader: &Reader,
    survivor: ContactId,
    absorbed: ContactId,
) -> Result<Option<&'static str>, ReadError> {
    if reader.contact_now(absorbed)? == reader.contact_now(survivor)? {
        return Ok(Some("merged"));
    }
    let waiting = reader.texts(PENDING_MERGE)?;
    let name = absorbed.to_string();
    Ok(waiting
        .iter()
        .any(|one| one.name == name)
        .then_some("waiting"))
}

/// It was another one after all.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/unmerge", operation_id = "contacts_unmerge", tag = "contacts",
    params(("id" = String, Path, description = "who was absorbed")), request_body = Option<Unmerge>,
    responses((status = 200, description = "two contacts again", body = registry::UnmergedShown), (status = 409, description = "too late, or nothing to undo")))]
pub async fn unmerge(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Option<Json<Unmerge>>,
) -> Answered {
    let absorbed = contact_id(&id)?;
    let by = said_by(&caller, asked.and_then(|Json(asked)| asked.by))?;
    let now = workspace.clock.now();
    let survivor = read(&workspace, move |reader| may_unmerge(reader, absorbed, now)).await??;
    let order = Arrival::Unmerge { absorbed, by };
    let object = absorbed.to_string();
    workspace
        .submit_as(&caller, vec![order], WEIGHT, "contact.unmerge", &object)
        .await?;
    let left = read(&workspace, move |reader| reader.merge_of(absorbed)).await?;
    if left.is_some() {
        let detail =
            "the contacts changed meanwhile and the merge stands; look at both and try again";
        return Err(Problem::new(StatusCode::CONFLICT, "merge_stands", detail));
    }
    Ok(Json(json!({
        "id": absorbed.to_string(),
        "was": survivor.to_string(),
        "state": "unmerged",
        "stays": "runs and messages that went over, what is known of objects, and every refusal stay with both or with the other contact",
    })))
}

/// Contacts that calls name together and that stayed two.
#[utoipa::path(get, path = "/api/v1/contacts/duplicates", operation_id = "contacts_duplicates", tag = "contacts", params(Paging),
    responses((status = 200, description = "a page of pairs", body = shape::Page<registry::DoubtShown>)))]
pub async fn duplicates(
    State(workspace): Shared,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Answered {
    let Query(paging) = asked?;
    let page = read(&workspace, move |reader| {
        let cursor = paging.cursor.as_deref().filter(|text| !text.is_empty());
        reader.doubts(cursor, paging.limit.clamp(1, PAGE_ROWS_MAX))
    })
    .await?;
    let items: Vec<Value> = page.items.iter().map(doubt).collect();
    Ok(Json(json!({ "items": items, "next": page.next })))
}

/// A doubt, as the API gives it out.
pub(crate) fn doubt(doubt: &Doubt) -> Value {
    let why = match doubt.why {
        Apart::TwoUsers => "each has a user id of its own",
        Apart::OtherAddress => "each has an address of the same kind",
        Apart::SharedDevice => "both used one device",
    };
    json!({
        "contacts": [doubt.first.to_string(), doubt.second.to_string()],
        "reason": doubt.why.word(),
        "detail": why,
        "since": doubt.at.to_string(),
    })
}

/// Itself and whom it absorbed: their past is one.
fn all_of(reader: &Reader, contact: ContactId) -> Result<Vec<ContactId>, ReadError> {
    Ok(match reader.contact(contact)? {
        Some(contact) => contact.selves().collect(),
        None => vec![contact],
    })
}

/// Lists of a contact and of those that it absorbed, one after another, as one list. The place where a page ends
/// is one in the list of a contact: `1:70`; of the first list it may be told alone.
fn one_after_another<T>(
    reader: &Reader,
    contact: ContactId,
    cursor: Option<&str>,
    limit: usize,
    page: impl Fn(ContactId, Option<&str>, usize) -> Result<Page<T>, ReadError>,
) -> Result<Page<T>, ReadError> {
    let all = all_of(reader, contact)?;
    let (from, mut place) = match cursor.map(|cursor| (cursor, cursor.split_once(':'))) {
        None => (contact, None),
        Some((cursor, None)) => (contact, Some(cursor)),
        Some((cursor, Some((id, place)))) => {
            let id = id.parse().map(ContactId);
            let id = id.ok().filter(|id| all.contains(id));
            let id = id.ok_or_else(|| ReadError::Cursor(cursor.chars().take(80).collect()))?;
            (id, Some(place).filter(|place| !place.is_empty()))
        }
    };
    let mut items = Vec::new();
    let mut next = None;
    for one in all.into_iter().skip_while(|one| *one != from) {
        if items.len() >= limit {
            next = Some(format!("{}:", one.0));
            break;
        }
        let found = page(one, place.take(), limit - items.len())?;
        items.extend(found.items);
        if let Some(more) = found.next {
            next = Some(match one == contact {
                true => more,
                false => format!("{}:{more}", one.0),
            });
            break;
        }
    }
    Ok(Page { items, next })
}

/// Messages of a contact and of those that it absorbed. What went over is told under its new name alone.
pub(super) fn touchpoints(
    reader: &Reader,
    contact: ContactId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<Touchpoint>, ReadError> {
    let mut page = one_after_another(reader, contact, cursor, limit, |one, place, limit| {
        reader.touchpoints_of_contact(one, place, limit)
    })?;
    page.items
        .retain(|one| one.id.contact == contact || !went_over(one));
    Ok(page)
}

/// Whether a message went over to the contact that its own was merged with: there it has another name.
pub(super) fn went_over(one: &Touchpoint) -> bool {
    match &one.state {
        TouchpointState::Settled { outcome, .. } => *outcome == Outcome::Withdrawn(Reason::Merged),
        TouchpointState::Queued { .. }
        | TouchpointState::Held { .. }
        | TouchpointState::AwaitingApproval { .. }
        | TouchpointState::Sending { .. } => false,
    }
}

/// What people have to do about a contact and those that it absorbed.
pub(super) fn tasks(
    reader: &Reader,
    contact: ContactId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<ListedTask>, ReadError> {
    one_after_another(reader, contact, cursor, limit, |one, place, limit| {
        reader.listed_tasks_of_contact(one, place, limit)
    })
}

/// Runs of a contact, live and past, the newest first; and after them those of whom it absorbed.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/enrollments", operation_id = "contacts_enrollments", tag = "contacts",
    params(("id" = String, Path, description = "the contact"), Paging),
    responses((status = 200, description = "a page of runs", body = shape::Page<registry::RunRow>)))]
pub async fn enrollments(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Answered {
    let Query(paging) = asked?;
    let id = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        let limit = paging.limit.clamp(1, PAGE_ROWS_MAX);
        one_after_another(reader, id, paging.cursor(), limit, |one, place, limit| {
            reader.enrollments(one, place, limit)
        })
    })
    .await?;
    let items: Vec<Value> = page.items.iter().map(held::enrollment).collect();
    Ok(Json(json!({ "items": items, "next": page.next })))
}

/// What a contact did, and those that it absorbed; the last to arrive first.
pub(super) fn events(
    reader: &Reader,
    contact: ContactId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<LoggedEvent>, ReadError> {
    let all = all_of(reader, contact)?;
    if all.len() == 1 {
        return reader.events(contact, cursor, limit);
    }
    let mut items = Vec::new();
    let mut more = false;
    for one in all {
        // A place in the log is a place in everybody's.
        let page = reader.events(one, cursor, limit)?;
        more |= page.next.is_some();
        items.extend(page.items);
    }
    items.sort_by_key(|logged| std::cmp::Reverse(logged.number));
    more |= items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more);
    let next = next.map(|logged| logged.number.to_string());
    Ok(Page { items, next })
}

/// What happened to a contact, and to those that it absorbed, and why; newest first. The place where a page ends is
/// a place in the life of each: `1-70.2-64`.
pub(super) fn ledger(
    reader: &Reader,
    contact: ContactId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<LedgerLine>, ReadError> {
    let all = all_of(reader, contact)?;
    let whole = cursor.is_none_or(|cursor| !cursor.contains('-'));
    if all.len() == 1 && whole {
        return reader.ledger_of_contact(contact, cursor, limit);
    }
    let wrong = |cursor: &str| ReadError::Cursor(cursor.chars().take(80).collect());
    let mut places: Vec<(ContactId, Option<String>)> = Vec::new();
    match cursor {
        None => places.extend(all.iter().map(|one| (*one, None))),
        Some(cursor) => {
            for part in cursor.split('.').take(ABSORBED_MAX + 2) {
                let (one, place) = part.split_once('-').ok_or_else(|| wrong(cursor))?;
                let one = ContactId(one.parse().map_err(|_| wrong(cursor))?);
                if !all.contains(&one) {
                    return Err(wrong(cursor));
                }
                places.push((one, Some(place.to_owned())));
            }
        }
    }
    let mut lines: Vec<LedgerLine> = Vec::new();
    let mut after = Vec::new();
    for (one, place) in places {
        let page = reader.ledger_of_contact(one, place.as_deref(), limit)?;
        lines.extend(page.items);
        after.push((one, page.next));
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.number));
    let left = lines.split_off(limit.min(lines.len()));
    // The place of a page is its first line.
    let places = after.into_iter().filter_map(|(one, next)| {
        let first = left.iter().find(|line| line.entry.contact == one);
        let place = first.map(|line| line.number.to_string()).or(next)?;
        Some(format!("{}-{place}", one.0))
    });
    let places: Vec<String> = places.collect();
    Ok(Page {
        items: lines,
        next: (!places.is_empty()).then(|| places.join(".")),
    })
}
