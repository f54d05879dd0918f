//! `/api/v1/scenario` and `/api/v1/journeys`: what is published, what publishing would change, and the life
//! of a journey: pause, resume, archive, draft, and runs that a person or a program begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use relance_core::contact::Identity;
use relance_core::decide::{Input, Overdue, Starter};
use relance_core::ids::{ContactId, JourneyId, SubjectRef, UserId};
use relance_core::journey::On;
use relance_core::value::Fields;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{DRAFT, StoredJourney};
use relance_store::read::{JourneySummary, JourneyVersion, PAGE_ROWS_MAX, ReadError, Reader};
use relance_wire::api as shape;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::Caller;
use crate::scenario::apply::{self, ApplyProblem, Asked, InForce, MovesAsked};
use crate::scenario::{FileProblem, Files};
use crate::workspace::Workspace;

use super::api::{Answered, read};
use super::{Problem, Shared, drafts};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(apply, export))
        .routes(routes!(plan))
        .routes(routes!(list))
        .routes(routes!(journey))
        .routes(routes!(change))
        .routes(routes!(start))
}

/// What the smaller requests weigh in the engine's queue.
const WEIGHT: usize = 512;
/// What is told of a journey that is not there, after "there is no such".
const NO_JOURNEY: &str = "journey; GET /api/v1/journeys lists those that are";
/// What is told of a contact that is not there.
const NO_CONTACT: &str = "contact; tell of it first, by POST /v1/identify";
/// Characters of an idempotency key.
const KEY_CHARS_MAX: usize = 200;

/// A scenario, and how runs in flight come to its new versions.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default)]
    journeys: BTreeMap<String, String>,
    #[serde(default)]
    templates: BTreeMap<String, String>,
    #[serde(default)]
    lists: BTreeMap<String, String>,
    #[serde(default)]
    segments: BTreeMap<String, String>,
    #[serde(default)]
    moves: MovesAsked,
    /// Segments in force that are in no file go.
    #[serde(default)]
    prune: bool,
    /// Contacts that may enter journeys at once, as the plan told.
    confirm: Option<u64>,
}

impl Scenario {
    fn split(self) -> (Files, Asked) {
        let files = Files {
            journeys: self.journeys,
            templates: self.templates,
            lists: self.lists,
            segments: self.segments,
        };
        let asked = Asked {
            moves: (&self.moves).into(),
            prune: self.prune,
            confirm: self.confirm,
        };
        (files, asked)
    }
}

impl From<ApplyProblem> for Problem {
    fn from(problem: ApplyProblem) -> Self {
        match problem {
            ApplyProblem::Refused(refusal) => refusal.into(),
            ApplyProblem::Read(error) => error.into(),
            ApplyProblem::Files(problems) => wrong_files(&problems),
            ApplyProblem::Storm(storm) => {
                let detail = ApplyProblem::Storm(storm.clone());
                Problem::new(StatusCode::CONFLICT, "storm", detail).with("storm", json!(storm))
            }
            ApplyProblem::Count(problem) => {
                tracing::error!(%problem, "members could not be counted");
                let detail = "members could not be counted; the server's log says why";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
            }
        }
    }
}

fn wrong_files(problems: &[FileProblem]) -> Problem {
    let detail: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "invalid_scenario", detail.join("\n")).with("problems", json!(problems))
}

/// Applies a scenario: all or nothing. Applying the same again changes nothing.
#[utoipa::path(post, path = "/api/v1/scenario", operation_id = "scenario_apply", tag = "journeys", request_body = Scenario, responses((status = 200, description = "what changed", body = apply::Applied)))]
pub async fn apply(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<Scenario>, JsonRejection>,
) -> Answered {
    let (files, asked) = asked?.0.split();
    let applied = apply::apply_as(&workspace, files, asked, &caller, "scenario.apply", "").await?;
    Ok(Json(json!(applied)))
}

/// Says what applying a scenario would change, and for how many runs.
#[utoipa::path(post, path = "/api/v1/scenario/plan", operation_id = "scenario_plan", tag = "journeys", request_body = Scenario, responses((status = 200, description = "what would change", body = apply::Applied)))]
pub async fn plan(
    State(workspace): Shared,
    asked: Result<Json<Scenario>, JsonRejection>,
) -> Answered {
    let (files, asked) = asked?.0.split();
    let planned = apply::plan(&workspace, files, asked, true).await?;
    Ok(Json(json!(planned.applied)))
}

/// The files that give back what is in force.
#[utoipa::path(get, path = "/api/v1/scenario", operation_id = "scenario_show", tag = "journeys", responses((status = 200, description = "the files that give back what is in force", body = Files)))]
pub async fn export(State(workspace): Shared) -> Answered {
    let in_force = read(&workspace, InForce::read).await?;
    Ok(Json(json!(in_force.files())))
}

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Journeys by id, drafts that were never published among them. The cursor is the last id of a page.
#[utoipa::path(get, path = "/api/v1/journeys", operation_id = "journeys_list", tag = "journeys", params(Paging), responses((status = 200, description = "a page of journeys, by id", body = shape::Page<shape::journey::JourneySummary>)))]
pub async fn list(
    State(workspace): Shared,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Answered {
    let Query(paging) = asked?;
    let limit = paging.limit.unwrap_or(50).clamp(1, PAGE_ROWS_MAX);
    let after = JourneyId::from(paging.cursor.unwrap_or_default());
    let (all, names) = read(&workspace, |reader| {
        Ok((reader.journey_list()?, names_of(reader)?))
    })
    .await?;
    let mut left = all.into_iter().filter(|one| one.id > after);
    let page: Vec<JourneySummary> = left.by_ref().take(limit).collect();
    let last = page.last().map(|one| one.id.to_string());
    let next = last.filter(|_| left.next().is_some());
    let items = page.iter().map(|one| summary(one, &names)).collect();
    Ok(Json(json!(shape::Page { items, next })))
}

/// What people call journeys: of the version in force, else the newest, else the draft.
fn names_of(reader: &Reader) -> Result<BTreeMap<JourneyId, String>, ReadError> {
    let mut names = BTreeMap::new();
    for draft in reader.texts(DRAFT)? {
        let id = JourneyId::from(draft.name);
        let name = name_in(&draft.body).unwrap_or_else(|| id.to_string());
        names.insert(id, name);
    }
    let mut current = BTreeSet::new();
    for one in reader.journeys()? {
        let StoredJourney { id, text, .. } = one.journey;
        if current.contains(&id) {
            continue;
        }
        if one.journey.current {
            current.insert(id.clone());
        }
        let name = name_in(&text).unwrap_or_else(|| id.to_string());
        names.insert(id, name);
    }
    Ok(names)
}

/// The `name` of a text that need not be right.
fn name_in(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("name:"))?;
    let root = relance_wire::yaml::parse(&format!("name:{line}")).ok()?;
    root.get("name")
        .and_then(|name| name.text())
        .map(str::to_owned)
}

fn summary(
    one: &JourneySummary,
    names: &BTreeMap<JourneyId, String>,
) -> shape::journey::JourneySummary {
    let name = names.get(&one.id).cloned();
    shape::journey::JourneySummary {
        id: one.id.to_string(),
        status: one.status.word().to_owned(),
        current: one.current,
        newest: one.newest,
        published_at: one.published_at.map(|at| at.to_string()),
        live_runs: one.live_runs,
        drafted_at: one.drafted_at.map(|at| at.to_string()),
        name: name.unwrap_or_else(|| one.id.to_string()),
    }
}

/// One journey: its versions, its draft, and where its runs stand.
#[utoipa::path(get, path = "/api/v1/journeys/{id}", operation_id = "journeys_show", tag = "journeys", params(("id" = String, Path, description = "the id of the journey")), responses((status = 200, description = "its versions, its draft, and where its runs stand", body = shape::journey::JourneyShown)))]
pub async fn journey(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let id = JourneyId::from(id);
    let wanted = id.clone();
    let (own, versions, standing, draft, names) = read(&workspace, move |reader| {
        let summary = reader
            .journey_list()?
            .into_iter()
            .find(|one| one.id == wanted);
        let mut versions = reader.journeys()?;
        versions.retain(|one| one.journey.id == wanted);
        let standing = reader.standing(&wanted)?;
        let draft = drafts::read(reader, wanted.as_str())?;
        Ok((summary, versions, standing, draft, names_of(reader)?))
    })
    .await?;
    let Some(own) = own else {
        return Err(Problem::not_found(NO_JOURNEY));
    };
    let version = |one: JourneyVersion| shape::journey::JourneyVersion {
        version: one.journey.version,
        current: one.journey.current,
        moves: one.journey.moves.word().to_owned(),
        published_at: one.published_at.to_string(),
        live_runs: one.live_runs,
        text: one.journey.text,
    };
    let standing = standing
        .iter()
        .map(|(version, step, runs)| shape::journey::StandingAt {
            version: *version,
            step: step.to_string(),
            runs: *runs,
        });
    Ok(Json(json!(shape::journey::JourneyShown {
        summary: summary(&own, &names),
        versions: versions.into_iter().map(version).collect(),
        standing: standing.collect(),
        draft,
    })))
}

/// A change of a journey's life that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JourneyChanged {
    /// Which journey.
    id: String,
    /// `pause`, `resume`, `retire`, `archive`.
    done: String,
}

/// A run that was asked for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JourneyStarted {
    /// Whose.
    contact: String,
    /// Of which journey.
    journey: String,
    /// What came of it, by the ledger.
    #[schema(required)]
    newest: Option<shape::LedgerLine>,
}

/// What a change of a journey's life may say beside its word.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(as = JourneyChange)]
#[serde(deny_unknown_fields)]
pub struct Change {
    overdue: Option<String>,
}

/// `pause`, `resume`, `retire` (no new runs) or `archive` (no new runs, those under way end).
#[utoipa::path(post, path = "/api/v1/journeys/{id}/{change}", operation_id = "journeys_change", tag = "journeys", params(("id" = String, Path, description = "the id of the journey"), ("change" = String, Path, description = "`pause`, `resume`, `retire`, `archive`")), request_body = Option<Change>, responses((status = 200, description = "it was done", body = JourneyChanged)))]
pub async fn change(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path((id, word)): Path<(String, String)>,
    asked: Result<Option<Json<Change>>, JsonRejection>,
) -> Answered {
    let asked = asked?.map(|Json(asked)| asked).unwrap_or_default();
    if asked.overdue.is_some() && word != "resume" {
        let detail = format!("overdue belongs to resume, not to {word}; leave it out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_overdue", detail));
    }
    let id = JourneyId::from(id);
    let arrival = match word.as_str() {
        "pause" => Arrival::Paused(id.clone()),
        "resume" => Arrival::Resumed {
            journey: id.clone(),
            overdue: overdue(asked.overdue.as_deref())?,
        },
        "retire" => Arrival::Retired(id.clone()),
        "archive" => Arrival::Archived(id.clone()),
        _other => {
            return Err(Problem::not_found(
                "action; use pause, resume, retire or archive",
            ));
        }
    };
    published(&workspace, &id).await?;
    // Not between the plan of a scenario and its commit.
    let _turn = workspace.applying.lock().await;
    let action = format!("journey.{word}");
    workspace
        .submit_as(&caller, vec![arrival], WEIGHT, &action, id.as_str())
        .await?;
    Ok(Json(json!(JourneyChanged {
        id: id.to_string(),
        done: word
    })))
}

/// The versions of a journey, of which there is at least one.
async fn published(
    workspace: &Arc<Workspace>,
    id: &JourneyId,
) -> Result<Vec<StoredJourney>, Problem> {
    let id = id.clone();
    let versions = read(workspace, move |reader| reader.versions_of(&id)).await?;
    if versions.is_empty() {
        return Err(Problem::not_found(NO_JOURNEY));
    }
    Ok(versions)
}

/// What becomes of what came due during a pause, by its public word.
pub(crate) fn overdue(word: Option<&str>) -> Result<Overdue, Problem> {
    match word {
        None | Some("late") => Ok(Overdue::Late),
        Some("skip") => Ok(Overdue::Skip),
        Some("shift") => Ok(Overdue::Shift),
        Some(other) => {
            let detail = format!("overdue {other:?} is not known; use late, skip or shift");
            Err(Problem::new(StatusCode::BAD_REQUEST, "bad_overdue", detail))
        }
    }
}

/// A run that a person or a program begins.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = JourneyStart)]
#[serde(deny_unknown_fields)]
pub struct Start {
    contact: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    subject: Option<Subject>,
    #[serde(default)]
    #[schema(value_type = Object)]
    properties: Fields,
    /// A second request with the same key changes nothing (R6).
    key: Option<String>,
    /// The user who begins it; left out: a program does.
    user: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SubjectNamed)]
#[serde(deny_unknown_fields)]
struct Subject {
    kind: String,
    id: String,
}

/// Begins a run of a journey with the trigger `manual` (with `user`) or `api` (without). With `user` and a subject also
/// of one that waits for an event: it follows up what was there before it.
#[utoipa::path(post, path = "/api/v1/journeys/{id}/start", operation_id = "journeys_start", tag = "journeys", params(("id" = String, Path, description = "the id of the journey")), request_body = Start, responses((status = 200, description = "the newest line of the ledger says what came of it", body = JourneyStarted)))]
pub async fn start(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Json<Start>, JsonRejection>,
) -> Answered {
    let Json(asked) = asked?;
    if asked
        .key
        .as_ref()
        .is_some_and(|key| key.is_empty() || key.chars().count() > KEY_CHARS_MAX)
    {
        let detail = format!("key: write 1 to {KEY_CHARS_MAX} characters, or leave it out");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_key", detail));
    }
    let journey = JourneyId::from(id);
    let versions = published(&workspace, &journey).await?;
    may_start(&versions, asked.user.is_some())?;
    let contact = find_contact(&workspace, &asked).await?;
    let input = Input::Enroll {
        by: match asked.user {
            Some(user) => Starter::Person(UserId::from(user)),
            None => Starter::Program,
        },
        subject: asked.subject.map(|subject| SubjectRef {
            kind: subject.kind.into(),
            id: subject.id.into(),
        }),
        properties: asked.properties,
        once: asked.key.map(|key| format!("{journey}\0{key}").into()),
        journey: journey.clone(),
    };
    let arrivals = vec![Arrival::Input { contact, input }];
    workspace
        .submit_as(&caller, arrivals, WEIGHT, "journey.start", journey.as_str())
        .await?;
    let wanted = journey.clone();
    let lines = read(&workspace, move |reader| {
        reader.ledger_of_contact(contact, None, 20)
    })
    .await?;
    // The newest line of the journey says what came of it.
    let line = lines
        .items
        .iter()
        .find(|line| line.entry.journey.as_ref() == Some(&wanted));
    Ok(Json(json!(JourneyStarted {
        contact: contact.to_string(),
        journey: journey.to_string(),
        newest: line.map(|line| shape::LedgerLine::of(&line.entry)),
    })))
}

/// Whether runs of a journey begin by a person, or by a program; what to do when not.
fn may_start(versions: &[StoredJourney], by_person: bool) -> Result<(), Problem> {
    let Some(current) = versions.iter().find(|one| one.current) else {
        let detail =
            "the journey was retired or archived: no new run begins; publish it again first";
        return Err(Problem::new(StatusCode::CONFLICT, "not_in_force", detail));
    };
    let Ok(journey) = relance_wire::journey::publish(&current.text, current.version) else {
        // It was published, so it is read; the engine says what it thinks of it.
        return Ok(());
    };
    let detail = match (&journey.trigger.on, by_person) {
        (On::Manual, true) | (On::Api, false) => return Ok(()),
        // Its event came before it was there: a person may follow it up.
        (On::Event(_), true) if journey.subject.is_some() => return Ok(()),
        (On::Manual, false) => {
            "the trigger of the journey is manual: say by `user` which of yours begins the run"
        }
        (On::Api, true) => "the trigger of the journey is api: leave `user` out",
        (
            On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Inactive { .. }
            | On::Date { .. }
            | On::Schedule { .. },
            _,
        ) => {
            "the journey has a trigger of its own; publish it with `trigger: api` or `trigger: manual`, \
             or begin it by the step `enroll` of one that has"
        }
    };
    Err(Problem::new(StatusCode::CONFLICT, "wrong_trigger", detail))
}

async fn find_contact(workspace: &Arc<Workspace>, asked: &Start) -> Result<ContactId, Problem> {
    if let Some(text) = &asked.contact {
        let id: ContactId = text
            .parse()
            .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))?;
        let known = read(workspace, move |reader| reader.contact(id)).await?;
        return known
            .map(|contact| contact.id)
            .ok_or_else(|| Problem::not_found(NO_CONTACT));
    }
    let identity = match (&asked.user_id, &asked.email) {
        (Some(id), _) => Identity::user(id),
        (None, Some(email)) => Identity::email(email),
        (None, None) => {
            let detail = "name the contact by contact, user_id or email";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "no_contact", detail));
        }
    };
    read(workspace, move |reader| reader.find_contact(&identity))
        .await?
        .ok_or_else(|| Problem::not_found(NO_CONTACT))
}
