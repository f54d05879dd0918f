//! `/api/v1/segments`: definitions with their counts and progress, members, lists that people keep, and trying a
//! definition out before it is in force.

use crate::access::Caller;
use crate::workspace::Workspace;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use axum::extract::rejection::{JsonRejection, QueryRejection, StringRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use relance_core::ids::{ContactId, SegmentId};
use relance_engine::arrival::{Arrival, SegmentChanges};
use relance_store::read::{PAGE_ROWS_MAX, ReadError, SegmentRow};
use relance_wire::api::{self as shape, segment};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::explain;
use crate::scenario::Files;
use crate::scenario::apply::{self, ApplyProblem, Asked, InForce};
use crate::segments::count::SHOWN_MAX;
use crate::segments::lists::{self, ListProblem};
use crate::segments::names::named;
use crate::segments::plan::unknown;
use crate::segments::rfm::RefreshProblem;
use crate::segments::{self, Called, Overview, TryProblem};

use super::api::{Answered, read};
use super::{Problem, Shared, drafts};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one, put, delete, preview))
        .routes(routes!(members, add, remove))
        .routes(routes!(why))
        .routes(routes!(of_contact))
        .routes(routes!(rfm, rfm_now))
}

/// What a change weighs in the engine's queue.
const WEIGHT: usize = 512;
/// Characters of a segment's id.
const ID_CHARS_MAX: usize = 64;
/// Contacts of a preview that are shown unless another number is asked for.
const SHOWN: usize = 20;
/// What definitions are posted to that are only tried. A segment may have this name all the same.
const PREVIEW: &str = "preview";

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Paging {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(50).clamp(1, PAGE_ROWS_MAX)
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref().filter(|text| !text.is_empty())
    }
}

type Page = Result<Query<Paging>, QueryRejection>;

/// Segments by id: those in force, and lists that nobody defined. The cursor is the last id of a page.
#[utoipa::path(get, path = "/api/v1/segments", operation_id = "segments_list", tag = "segments", params(Paging), responses((status = 200, description = "a page of segments, by id", body = shape::Page<segment::SegmentSummary>)))]
pub async fn list(State(workspace): Shared, asked: Page) -> Answered {
    let Query(paging) = asked?;
    let overview = read(&workspace, Overview::read).await?;
    let after = SegmentId::from(paging.cursor().unwrap_or_default());
    let mut left = overview.rows().iter().filter(|row| row.id > after);
    let page: Vec<&SegmentRow> = left.by_ref().take(paging.limit()).collect();
    let last = page.last().map(|row| row.id.to_string());
    let next = last.filter(|_| left.next().is_some());
    let items: Vec<Value> = page.into_iter().map(|row| overview.value(row)).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

/// One segment: its definition, count, state, and who asks about it.
#[utoipa::path(get, path = "/api/v1/segments/{id}", operation_id = "segments_show", tag = "segments", params(("id" = String, Path, description = "the id of the segment")), responses((status = 200, description = "the segment", body = segment::SegmentShown)))]
pub async fn one(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let id = segment_id(&id)?;
    let (overview, in_force) = read(&workspace, |reader| {
        Ok((Overview::read(reader)?, InForce::read(reader)?))
    })
    .await?;
    let Some(row) = overview.row(&id) else {
        return Err(missing(&id, overview.rows()));
    };
    let mut told = overview.value(row);
    told["text"] = json!(row.text);
    if let Some(text) = &row.text {
        told["revision"] = json!(drafts::revision(text));
    }
    let (journeys, segments) = users(&id, &in_force);
    told["used_by"] = json!({ "journeys": journeys, "segments": segments });
    Ok(Json(told))
}

/// Journeys and segments in force that name a segment.
fn users(id: &SegmentId, in_force: &InForce) -> (Vec<String>, Vec<String>) {
    let names = |text: &str| named(text).iter().any(|one| one.id == *id);
    let current = in_force
        .journeys
        .values()
        .flatten()
        .filter(|one| one.current);
    let journeys = current
        .filter(|one| names(&one.text))
        .map(|one| one.id.to_string());
    let segments = in_force
        .segments
        .values()
        .filter(|row| row.text.as_deref().is_some_and(names))
        .map(|row| row.id.to_string());
    (journeys.collect(), segments.collect())
}

/// What a definition may say beside itself.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Confirming {
    confirm: Option<u64>,
}

/// What became of a definition.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct SegmentPut {
    /// Which segment.
    id: String,
    /// What becomes of each segment that it touches.
    segments: BTreeMap<String, segments::plan::SegmentApplied>,
    /// Contacts that enter journeys at once.
    #[schema(required)]
    storm: Option<segments::plan::Storm>,
    /// What should be looked at.
    warnings: Vec<crate::scenario::FileProblem>,
}

/// Puts a definition in force: YAML, or JSON with the same words. It is built beside the ordinary work.
#[utoipa::path(put, path = "/api/v1/segments/{id}", operation_id = "segments_put", tag = "segments", params(("id" = String, Path, description = "the id of the segment"), Confirming, ("If-Match" = Option<String>, Header, description = "the revision that was read; a stale one is refused with 412 and the other's text")), request_body(content = String, content_type = "text/plain", description = "the definition, in YAML"), responses((status = 200, description = "what changed; members are told beside the ordinary work", body = SegmentPut), (status = 412, description = "somebody else changed it meanwhile: `text`, `revision` and `updated_at` are theirs; without a text it is gone")))]
pub async fn put(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Query<Confirming>, QueryRejection>,
    headers: HeaderMap,
    text: Result<String, StringRejection>,
) -> Answered {
    let id = segment_id(&id)?;
    let Query(asked) = asked?;
    let text = body(text)?;
    if let Ok(found) = relance_wire::segments::read(&text)
        && !found.iter().any(|segment| segment.id == id)
    {
        let own: Vec<String> = found.iter().map(|one| one.id.to_string()).collect();
        let detail = format!(
            "the text defines {}, not {id}; give both the same id",
            own.join(", ")
        );
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_id",
            detail,
        ));
    }
    let files = Files {
        segments: BTreeMap::from([(format!("{id}.yaml"), text)]),
        ..Files::default()
    };
    let asked = Asked {
        confirm: asked.confirm,
        ..Asked::default()
    };
    // Between the look at the revision and the writing nobody else writes.
    let turn = workspace.applying.lock().await;
    if let Some(wanted) = drafts::named(&headers, &header::IF_MATCH) {
        let own = id.clone();
        let before = read(&workspace, move |reader| reader.segment(&own)).await?;
        check(&wanted, before.as_ref())?;
    }
    let line = Arrival::Audited {
        by: caller.name(),
        action: "segment.put".to_owned(),
        object: id.to_string(),
        detail: String::new(),
    };
    let none = Vec::new();
    let applied = apply::apply_in_turn(&turn, &workspace, files, asked, none, Some(line)).await?;
    drop(turn);
    Ok(Json(json!(SegmentPut {
        id: id.to_string(),
        segments: applied.segments,
        storm: applied.storm,
        warnings: applied.warnings,
    })))
}

/// Refuses a definition that was made from another one than is in force.
fn check(wanted: &str, before: Option<&SegmentRow>) -> Result<(), Problem> {
    let text = before.and_then(|row| row.text.as_deref());
    let own = text.map(drafts::revision);
    if own.as_deref() == Some(wanted) || (wanted == "*" && own.is_some()) {
        return Ok(());
    }
    let detail = match &own {
        Some(_) => {
            "somebody changed the segment meanwhile; take their text over, or write again with its revision"
        }
        None => {
            "the segment is gone: somebody removed it meanwhile; write without a revision to define it anew"
        }
    };
    let stale = Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail);
    Err(stale
        .with("text", json!(text))
        .with("revision", json!(own))
        .with(
            "updated_at",
            json!(before.map(|row| row.updated_at.to_string())),
        ))
}

/// Takes a segment out of force, with those that one text defines together; nobody belongs to it then.
#[utoipa::path(delete, path = "/api/v1/segments/{id}", operation_id = "segments_delete", tag = "segments", params(("id" = String, Path, description = "the id of the segment")), responses((status = 200, description = "what went", body = segment::SegmentsRemoved)))]
pub async fn delete(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered {
    let id = segment_id(&id)?;
    // Not between the plan of a scenario and its commit.
    let _turn = workspace.applying.lock().await;
    let in_force = read(&workspace, InForce::read).await?;
    let Some(row) = in_force.segments.get(&id).filter(|row| is_there(row)) else {
        let rows: Vec<SegmentRow> = in_force.segments.into_values().collect();
        return Err(missing(&id, &rows));
    };
    let together = in_force
        .segments
        .values()
        .filter(|one| one.id == id || (row.text.is_some() && one.text == row.text));
    let removed: Vec<SegmentId> = together.map(|one| one.id.clone()).collect();
    let mut problems = Vec::new();
    for id in &removed {
        let (journeys, mut segments) = users(id, &in_force);
        segments.retain(|user| !removed.iter().any(|own| own.as_str() == user));
        problems.extend(
            journeys
                .iter()
                .map(|user| format!("journey {user} names {id}")),
        );
        problems.extend(
            segments
                .iter()
                .map(|user| format!("segment {user} names {id}")),
        );
    }
    if !problems.is_empty() {
        let detail = format!("{}; change or archive that first", problems.join(", "));
        return Err(Problem::new(StatusCode::CONFLICT, "in_use", detail));
    }
    let told: Vec<String> = removed.iter().map(SegmentId::to_string).collect();
    let changes = SegmentChanges {
        removed,
        ..SegmentChanges::default()
    };
    let arrivals = vec![Arrival::Segments(changes)];
    workspace
        .submit_as(&caller, arrivals, WEIGHT, "segment.delete", id.as_str())
        .await?;
    Ok(Json(json!({ "removed": told })))
}

fn is_there(row: &SegmentRow) -> bool {
    row.text.is_some() || row.members > 0
}

/// How many contacts a preview shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    sample: Option<usize>,
}

/// Says who would belong to what a text defines: a number, or an estimate with its interval, and some of them.
/// Nothing is written. What is posted to another name than [`PREVIEW`] is no request that there is.
#[utoipa::path(post, path = "/api/v1/segments/{id}", operation_id = "segments_preview", tag = "segments", params(("id" = String, Path, description = "the word `preview`"), Sampling), request_body(content = String, content_type = "text/plain", description = "the definition, in YAML"), responses((status = 200, description = "who would belong; nothing is written", body = segment::DefinitionTried)))]
pub async fn preview(
    State(workspace): Shared,
    Path(name): Path<String>,
    asked: Result<Query<Sampling>, QueryRejection>,
    text: Result<String, StringRejection>,
) -> Answered {
    if name != PREVIEW {
        return Err(super::wrong_method().await);
    }
    let Query(asked) = asked?;
    let text = body(text)?;
    let shown = asked.sample.unwrap_or(SHOWN).min(SHOWN_MAX);
    let tried = tokio::task::spawn_blocking(move || {
        let now = workspace.clock.now();
        segments::try_out(&workspace.reader, &workspace.config(), &text, shown, now)
    });
    match tried.await {
        Ok(Ok(tried)) => Ok(Json(tried.value())),
        Ok(Err(TryProblem::Text(problems))) => Err(ApplyProblem::Files(problems).into()),
        Ok(Err(TryProblem::Read(error))) => Err(error.into()),
        Ok(Err(TryProblem::World(problem))) => Err(failed(&problem)),
        Err(error) => Err(failed(&error)),
    }
}

/// Members, in order of their ids. A page may be short and yet have a next one.
#[utoipa::path(get, path = "/api/v1/segments/{id}/members", operation_id = "segments_members", tag = "segments", params(("id" = String, Path, description = "the id of the segment"), Paging), responses((status = 200, description = "a page of members; a short one may have a next one", body = shape::Page<shape::Contact>)))]
pub async fn members(State(workspace): Shared, Path(id): Path<String>, asked: Page) -> Answered {
    let id = segment_id(&id)?;
    let Query(paging) = asked?;
    let wanted = id.clone();
    let (row, page) = read(&workspace, move |reader| {
        let row = reader.segment(&wanted)?;
        let page = reader.members(&wanted, paging.cursor(), paging.limit())?;
        Ok((row, page))
    })
    .await?;
    if !row.as_ref().is_some_and(is_there) {
        return Err(Problem::not_found(
            "segment; GET /api/v1/segments lists those that are",
        ));
    }
    let items: Vec<Value> = page.items.iter().map(shape::contact).collect();
    Ok(Json(json!({ "items": items, "next": page.next })))
}

/// Contacts of a list: by id (`con_42`), address, or their id in the customer's own system.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ContactsNamed)]
#[serde(deny_unknown_fields)]
pub struct Contacts {
    contacts: Vec<String>,
}

/// Puts contacts into a list.
#[utoipa::path(post, path = "/api/v1/segments/{id}/members", operation_id = "segments_members_add", tag = "segments", params(("id" = String, Path, description = "the id of the segment")), request_body = Contacts, responses((status = 200, description = "who was put in", body = segment::ListChanged)))]
pub async fn add(
    workspace: Shared,
    caller: Extension<Caller>,
    id: Path<String>,
    asked: Result<Json<Contacts>, JsonRejection>,
) -> Answered {
    change(workspace, caller, id, asked, true).await
}

/// Takes contacts out of a list.
#[utoipa::path(delete, path = "/api/v1/segments/{id}/members", operation_id = "segments_members_remove", tag = "segments", params(("id" = String, Path, description = "the id of the segment")), request_body = Contacts, responses((status = 200, description = "who was taken out", body = segment::ListChanged)))]
pub async fn remove(
    workspace: Shared,
    caller: Extension<Caller>,
    id: Path<String>,
    asked: Result<Json<Contacts>, JsonRejection>,
) -> Answered {
    change(workspace, caller, id, asked, false).await
}

async fn change(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Json<Contacts>, JsonRejection>,
    member: bool,
) -> Answered {
    let id = segment_id(&id)?;
    let Json(Contacts { contacts: names }) = asked?;
    let wanted = id.clone();
    let change = read(&workspace, move |reader| {
        lists::change(reader, &wanted, &names, member)
    });
    let change = change.await?.map_err(refused)?;
    let weight = WEIGHT + change.arrivals.len() * 64;
    let word = if member { "added" } else { "removed" };
    let action = format!("segment.members_{word}");
    workspace
        .submit_as(&caller, change.arrivals, weight, &action, id.as_str())
        .await?;
    Ok(Json(
        json!({ "id": id.to_string(), (word): change.found, "unknown": change.nobody }),
    ))
}

fn refused(problem: ListProblem) -> Problem {
    let (status, code) = match &problem {
        ListProblem::Unknown(_) => (StatusCode::NOT_FOUND, "not_found"),
        ListProblem::NotAList(_) => (StatusCode::CONFLICT, "not_a_list"),
        ListProblem::NotReady => (StatusCode::CONFLICT, "not_ready"),
        ListProblem::Count => (StatusCode::BAD_REQUEST, "bad_contacts"),
    };
    Problem::new(status, code, problem)
}

/// Of which contact it is asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfContact {
    contact: String,
}

/// Which parts of a segment's condition hold for a contact, and until when.
#[utoipa::path(get, path = "/api/v1/segments/{id}/why", operation_id = "segments_why", tag = "segments", params(("id" = String, Path, description = "the id of the segment"), OfContact), responses((status = 200, description = "which parts of the condition hold", body = segment::MembershipExplained)))]
pub async fn why(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<OfContact>, QueryRejection>,
) -> Answered {
    let id = segment_id(&id)?;
    let Query(asked) = asked?;
    let told = tokio::task::spawn_blocking(move || {
        let reader = &workspace.reader;
        let world =
            explain::world(reader, &workspace.config()).map_err(|problem| failed(&problem))?;
        let Some(contact) = Called::read(&asked.contact).find(reader)? else {
            return Err(Problem::not_found(
                "contact; tell of it first, by POST /v1/identify",
            ));
        };
        match segments::why::why(reader, &world, &id, contact, workspace.clock.now())? {
            Some(told) => Ok(told),
            None => Err(missing(&id, Overview::read(reader)?.rows())),
        }
    });
    match told.await {
        Ok(told) => told.map(Json),
        Err(error) => Err(failed(&error)),
    }
}

/// How a contact stands to the segments.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/segments", operation_id = "contacts_segments", tag = "segments", params(("id" = String, Path, description = "the id of the contact, `con_42`")), responses((status = 200, description = "how the contact stands to the segments", body = shape::Page<segment::Membership>)))]
pub async fn of_contact(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let id: ContactId = id
        .parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))?;
    let told = read(&workspace, move |reader| -> Result<_, ReadError> {
        segments::of_contact(reader, id)
    });
    match told.await? {
        Some(told) => Ok(Json(told)),
        None => Err(Problem::not_found("contact")),
    }
}

fn body(text: Result<String, StringRejection>) -> Result<String, Problem> {
    text.map_err(|rejection| Problem::new(rejection.status(), "malformed", rejection.body_text()))
}

fn segment_id(text: &str) -> Result<SegmentId, Problem> {
    if text.is_empty() || text.chars().count() > ID_CHARS_MAX {
        let detail = format!("a segment's id has 1 to {ID_CHARS_MAX} characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_id", detail));
    }
    Ok(SegmentId::from(text))
}

fn missing(id: &SegmentId, known: &[SegmentRow]) -> Problem {
    let detail = unknown(id.as_str(), known);
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "segments could not be told");
    let detail = "the answer could not be made; the server's log says why";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
}

/// The bounds of recency, frequency and money in force.
#[utoipa::path(get, path = "/api/v1/rfm", operation_id = "rfm_show", tag = "segments", responses((status = 200, description = "the bounds in force", body = segment::Rfm)))]
pub async fn rfm(State(workspace): Shared) -> Answered {
    let config = workspace.config();
    let told = read(&workspace, move |reader| {
        segments::rfm::shown(reader, &config)
    });
    let told = told.await?;
    Ok(Json(told))
}

/// Tells the bounds anew; segments that ask for scores are built again.
#[utoipa::path(post, path = "/api/v1/rfm", operation_id = "rfm_refresh", tag = "segments", responses((status = 200, description = "the bounds as they are now", body = segment::Rfm)))]
pub async fn rfm_now(State(workspace): Shared) -> Answered {
    match segments::rfm::refresh(&workspace).await {
        Ok(computed) => Ok(Json(computed.value())),
        Err(RefreshProblem::Refused(refusal)) => Err(refusal.into()),
        Err(RefreshProblem::Read(problem)) => Err(failed(&problem)),
    }
}
