//! `/api/v1/scenario` and `/api/v1/journeys`: what is published, what publishing would change, and the life
//! of a journey: pause, resume, archive, draft, and runs that a person or a program begins.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection, StringRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use relance_core::contact::Identity;
use relance_core::decide::{Input, Overdue, Starter};
use relance_core::ids::{ContactId, JourneyId, SubjectRef, UserId};
use relance_core::journey::On;
use relance_core::value::Fields;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Asset, DRAFT, StoredJourney};
use relance_store::read::{JourneySummary, PAGE_ROWS_MAX};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::scenario::apply::{self, ApplyProblem, Asked, InForce, MovesAsked};
use crate::scenario::{FILE_BYTES_MAX, FileProblem, Files};
use crate::workspace::Workspace;

use super::api::{Answered, read};
use super::{Problem, Shared};

/// What the smaller requests weigh in the engine's queue.
const WEIGHT: usize = 512;
/// What is told of a journey that is not there, after "there is no such".
const NO_JOURNEY: &str = "journey; GET /api/v1/journeys lists those that are";
/// What is told of a contact that is not there.
const NO_CONTACT: &str = "contact; tell of it first, by POST /v1/identify";
/// Characters of an idempotency key.
const KEY_CHARS_MAX: usize = 200;

/// A scenario, and how runs in flight come to its new versions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default)]
    journeys: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    templates: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    lists: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    segments: std::collections::BTreeMap<String, String>,
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
pub async fn apply(
    State(workspace): Shared,
    asked: Result<Json<Scenario>, JsonRejection>,
) -> Answered {
    let (files, asked) = asked?.0.split();
    let applied = apply::apply(&workspace, files, asked).await?;
    Ok(Json(json!(applied)))
}

/// Says what applying a scenario would change, and for how many runs.
pub async fn plan(
    State(workspace): Shared,
    asked: Result<Json<Scenario>, JsonRejection>,
) -> Answered {
    let (files, asked) = asked?.0.split();
    let planned = apply::plan(&workspace, files, asked, true).await?;
    Ok(Json(json!(planned.applied)))
}

/// The files that give back what is in force.
pub async fn export(State(workspace): Shared) -> Answered {
    let in_force = read(&workspace, InForce::read).await?;
    Ok(Json(json!(in_force.files())))
}

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Journeys by id, drafts that were never published among them. The cursor is the last id of a page.
pub async fn list(
    State(workspace): Shared,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Answered {
    let Query(paging) = asked?;
    let limit = paging.limit.unwrap_or(50).clamp(1, PAGE_ROWS_MAX);
    let after = JourneyId::from(paging.cursor.unwrap_or_default());
    let all = read(&workspace, |reader| reader.journey_list()).await?;
    let mut left = all.into_iter().filter(|one| one.id > after);
    let page: Vec<JourneySummary> = left.by_ref().take(limit).collect();
    let last = page.last().map(|one| one.id.to_string());
    let next = last.filter(|_| left.next().is_some());
    let items: Vec<Value> = page.iter().map(summary).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

fn summary(one: &JourneySummary) -> Value {
    json!({
        "id": one.id.to_string(),
        "status": one.status.word(),
        "current": one.current,
        "newest": one.newest,
        "published_at": one.published_at.map(|at| at.to_string()),
        "live_runs": one.live_runs,
        "drafted_at": one.drafted_at.map(|at| at.to_string()),
    })
}

/// One journey: its versions, its draft, and where its runs stand.
pub async fn journey(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    let id = JourneyId::from(id);
    let wanted = id.clone();
    let (own, versions, standing, draft) = read(&workspace, move |reader| {
        let summary = reader
            .journey_list()?
            .into_iter()
            .find(|one| one.id == wanted);
        let mut versions = reader.journeys()?;
        versions.retain(|one| one.journey.id == wanted);
        let standing = reader.standing(&wanted)?;
        let drafts = reader.texts(DRAFT)?;
        let draft = drafts.into_iter().find(|one| one.name == wanted.as_str());
        Ok((summary, versions, standing, draft))
    })
    .await?;
    let Some(own) = own else {
        return Err(Problem::not_found(NO_JOURNEY));
    };
    let versions: Vec<Value> = versions
        .iter()
        .map(|one| {
            json!({
                "version": one.journey.version,
                "current": one.journey.current,
                "moves": one.journey.moves.word(),
                "published_at": one.published_at.to_string(),
                "live_runs": one.live_runs,
                "text": one.journey.text,
            })
        })
        .collect();
    let standing: Vec<Value> = standing
        .iter()
        .map(|(version, step, runs)| {
            json!({ "version": version, "step": step.to_string(), "runs": runs })
        })
        .collect();
    let mut answer = summary(&own);
    answer["versions"] = json!(versions);
    answer["standing"] = json!(standing);
    answer["draft"] = draft
        .map(|one| json!({ "text": one.body, "updated_at": one.updated_at.to_string() }))
        .unwrap_or_default();
    Ok(Json(answer))
}

/// What a change of a journey's life may say beside its word.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    overdue: Option<String>,
}

/// `pause`, `resume`, `retire` (no new runs) or `archive` (no new runs, those under way end).
pub async fn change(
    State(workspace): Shared,
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
    workspace.submit(vec![arrival], WEIGHT).await?;
    Ok(Json(json!({ "id": id.to_string(), "done": word })))
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

/// Puts the text that is being worked on beside the published versions; it need not be right yet. The
/// answer tells what is wrong with it.
pub async fn put_draft(
    State(workspace): Shared,
    Path(id): Path<String>,
    text: Result<String, StringRejection>,
) -> Answered {
    let text = text.map_err(|rejection| {
        Problem::new(rejection.status(), "malformed", rejection.body_text())
    })?;
    if !is_id(&id) {
        let detail = format!("{id:?} is no id of a journey; use at most 64 of a-z, 0-9, - and _");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_id", detail));
    }
    if text.len() as u64 > FILE_BYTES_MAX {
        let detail = format!("the text has more than {FILE_BYTES_MAX} bytes");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            detail,
        ));
    }
    let mut problems: Vec<Value> = Vec::new();
    match relance_wire::journey::publish(&text, 1) {
        Err(found) => problems.extend(found.iter().map(|problem| json!(problem))),
        Ok(journey) if journey.id.as_str() != id => problems.push(json!({
            "path": "id", "line": 0,
            "what": format!("the text is the journey {}, and the draft of {id}", journey.id),
            "remedy": "give both the same id",
        })),
        Ok(_) => {}
    }
    store_draft(&workspace, &id, Some(text)).await?;
    Ok(Json(json!({ "id": id, "problems": problems })))
}

/// Throws the draft away.
pub async fn delete_draft(State(workspace): Shared, Path(id): Path<String>) -> Answered {
    store_draft(&workspace, &id, None).await?;
    Ok(Json(json!({ "id": id })))
}

/// Whether a journey may have this id.
fn is_id(text: &str) -> bool {
    const ID_CHARS_MAX: usize = 64;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.chars().all(good)
}

async fn store_draft(
    workspace: &Arc<Workspace>,
    id: &str,
    body: Option<String>,
) -> Result<(), Problem> {
    let weight = WEIGHT + body.as_ref().map_or(0, String::len);
    let asset = Asset {
        kind: DRAFT.to_owned(),
        name: id.to_owned(),
        body,
    };
    workspace
        .submit(vec![Arrival::Asset(asset)], weight)
        .await?;
    Ok(())
}

/// A run that a person or a program begins.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    contact: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    subject: Option<Subject>,
    #[serde(default)]
    properties: Fields,
    /// A second request with the same key changes nothing (R6).
    key: Option<String>,
    /// The user who begins it; left out: a program does.
    user: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    kind: String,
    id: String,
}

/// Begins a run of a journey with the trigger `manual` (with `user`) or `api` (without).
pub async fn start(
    State(workspace): Shared,
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
    workspace
        .submit(vec![Arrival::Input { contact, input }], WEIGHT)
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
    Ok(Json(json!({
        "contact": contact.to_string(),
        "journey": journey.to_string(),
        "newest": line.map(|line| relance_wire::api::ledger_line(&line.entry)),
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
