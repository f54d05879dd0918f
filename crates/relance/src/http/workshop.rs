//! Working on a journey: its text checked, played over a contact's history, tried over everyone's, and what its
//! published steps did.
//!
//! Nothing here changes what is in force; see [`super::drafts`] for the text that is being worked on and
//! [`super::journeys`] for publishing it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use relance_core::ids::{ContactId, JourneyId, StepKey};
use relance_core::journey::{Journey, StepKind};
use relance_core::ledger::{Reason, What};
use relance_core::time::{Calendar, Delay, Zone};
use relance_store::read::ReadError;
use relance_wire::api::PreviewLine;
use relance_wire::api::journey::{
    JourneyChecked, JourneyNumbers, StepNumbers, StepShown, TextProblem, WayShown,
};
use relance_wire::api::template::Job;
use relance_wire::segment::{Call, CallType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::backtest;
use crate::preview::{self, PreviewProblem, Real};
use crate::scenario::apply::{Asked as Moves, InForce};
use crate::scenario::{FILE_BYTES_MAX, FileProblem, Files};
use crate::work::{WorkProblem, Works};
use crate::workspace::Workspace;

use super::api::read;
use super::{Problem, Shared, drafts};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(check))
        .routes(routes!(play))
        .routes(routes!(begin_backtest))
        .routes(routes!(show_job, stop_job))
        .routes(routes!(numbers))
}

/// Events that may be told for a preview.
const EVENTS_MAX: usize = 1_000;
/// Lines of a preview that are given out.
const LINES_MAX: usize = 2_000;
/// How long the clock of a preview may run, in hours.
const CLOCK_HOURS_MAX: i64 = 5 * 366 * 24;
/// How far a backtest may look back when it is not said, as a delay.
const SINCE_DEFAULT: &str = "90d";

/// A text that is too long to be looked at.
fn bounded(text: &str) -> Result<(), Problem> {
    if text.len() as u64 <= FILE_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("text: more than {FILE_BYTES_MAX} bytes; shorten it");
    Err(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        detail,
    ))
}

fn bad(code: &'static str, detail: impl ToString) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a journey could not be looked at");
    let detail = "the answer could not be made; the server's log says why";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
}

/// Works beside the network threads.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(failed(&error)),
    }
}

/// A text to check.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = JourneyText)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The journey, in YAML.
    text: String,
}

/// Says what is wrong with a text, beside what is in force; nothing is kept.
#[utoipa::path(
    post,
    path = "/api/v1/journeys/check",
    operation_id = "journeys_check",
    tag = "journeys",
    request_body = Text,
    responses((status = 200, description = "what is wrong with it, and its steps", body = JourneyChecked))
)]
pub async fn check(
    State(workspace): Shared,
    asked: Result<Json<Text>, JsonRejection>,
) -> Result<Json<JourneyChecked>, Problem> {
    let Json(Text { text }) = asked?;
    bounded(&text)?;
    let settings = workspace.config().rfm.settings();
    let journey = match relance_wire::journey::publish_with(&text, 1, &settings) {
        Ok(journey) => journey,
        Err(found) => {
            return Ok(Json(JourneyChecked {
                id: None,
                name: None,
                problems: drafts::problems(&found),
                steps: Vec::new(),
            }));
        }
    };
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let files = Files {
        journeys: BTreeMap::from([("journey".to_owned(), text)]),
        ..Files::default()
    };
    // What it names must be there: templates, lists, segments.
    let found = read(&workspace, move |reader| {
        let in_force = InForce::read(reader)?;
        Ok(in_force.plan(&files, &Moves::default(), &settings))
    })
    .await?;
    let problems = match &found {
        Ok(planned) => &planned.applied.warnings,
        Err(problems) => problems,
    };
    Ok(Json(JourneyChecked {
        id: Some(journey.id.to_string()),
        name: Some(journey.name.to_string()),
        problems: problems.iter().map(|one| of_file(one, &lines)).collect(),
        steps: steps(&journey),
    }))
}

/// A problem of a file, as those of texts are told. Where it tells no line, it is the first that has the name of what
/// is missing.
fn of_file(problem: &FileProblem, lines: &[String]) -> TextProblem {
    let (what, remedy) = match problem.text.rsplit_once("; ") {
        Some((what, remedy)) => (what.to_owned(), remedy.to_owned()),
        None => (problem.text.clone(), String::new()),
    };
    let named = what.rsplit(' ').next().unwrap_or_default();
    let has = |line: &String| {
        line.split(|c: char| c.is_whitespace() || "{},:[]\"'".contains(c))
            .any(|word| word == named)
    };
    let found = lines.iter().position(has).map(|at| at + 1);
    TextProblem {
        path: problem.path.clone().unwrap_or_default(),
        line: problem.line.or(found).unwrap_or(0),
        message: what.clone(),
        what,
        remedy,
    }
}

fn steps(journey: &Journey) -> Vec<StepShown> {
    let key =
        |at: Option<relance_core::journey::StepIx>| at.map(|at| journey.step(at).key.to_string());
    let shown = |step: &relance_core::journey::Step| {
        let mut ways = Vec::new();
        step.kind.map_ways(|way, next| {
            ways.push(WayShown {
                word: way.to_string(),
                to: key(*next),
            });
        });
        let (channel, template) = match &step.kind {
            StepKind::Send { send, .. } => (
                Some(send.channel.word().to_owned()),
                Some(send.template.to_string()),
            ),
            StepKind::Wait(_)
            | StepKind::WaitFor { .. }
            | StepKind::Branch { .. }
            | StepKind::Split { .. }
            | StepKind::Task(_)
            | StepKind::Notify(_)
            | StepKind::Set(_)
            | StepKind::Move { .. }
            | StepKind::Promo(_)
            | StepKind::Enroll(_)
            | StepKind::Stop => (None, None),
        };
        StepShown {
            key: step.key.to_string(),
            kind: step.kind.word().to_owned(),
            next: key(step.next),
            ways,
            channel,
            template,
        }
    };
    in_order(journey)
        .into_iter()
        .map(|at| shown(journey.step(at)))
        .collect()
}

/// Steps as their author wrote them: from the first, each way to its end before what follows all of them.
fn in_order(journey: &Journey) -> Vec<relance_core::journey::StepIx> {
    let mut seen = BTreeSet::new();
    let mut order = Vec::new();
    let mut open: Vec<relance_core::journey::StepIx> = journey.first.into_iter().collect();
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        order.push(at);
        let step = journey.step(at);
        let mut after: Vec<_> = step.next.into_iter().collect();
        step.kind.map_ways(|_, next| after.extend(*next));
        open.extend(after.into_iter().rev());
    }
    order
}

/// What is played.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = JourneyPreviewAsked)]
#[serde(deny_unknown_fields)]
pub struct PreviewAsked {
    /// The journey, in YAML.
    text: String,
    /// A contact of the workspace: id, address, or its id in the customer's system. Left out: one is invented.
    contact: Option<String>,
    /// What is told of the contact before anything happens: a Segment `identify` call.
    #[schema(value_type = Option<Object>)]
    identify: Option<Value>,
    /// What happens to the contact: Segment calls, each with its `timestamp`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
    /// When the journey goes live. Of a real contact what happened since then happens again.
    #[schema(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// When the clock stops; 366 days after the last event by default.
    #[schema(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// Begins a run when the journey goes live. Default: where nothing that contacts do begins one.
    start: Option<bool>,
    /// The way that a step goes, whatever is true: `then`, `else`, `if1`, a variant; by step.
    #[serde(default)]
    choices: BTreeMap<String, String>,
}

/// What a journey would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = JourneyPreview)]
pub struct Played {
    /// Line by line, in order of time.
    lines: Vec<PreviewLine>,
    /// Whether there are more lines than are given out.
    more: bool,
    /// Whether a run was begun that contacts would not begin themselves.
    started: bool,
}

/// Plays a text on a virtual clock; nothing is sent or kept.
#[utoipa::path(
    post,
    path = "/api/v1/journeys/preview",
    operation_id = "journeys_preview",
    tag = "journeys",
    request_body = PreviewAsked,
    responses(
        (status = 200, description = "what it would do", body = Played),
        (status = 422, description = "the text is wrong; `problems` says where")
    )
)]
pub async fn play(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Json<PreviewAsked>, JsonRejection>,
) -> Result<Json<Played>, Problem> {
    let Json(asked) = asked?;
    bounded(&asked.text)?;
    if asked.events.len() > EVENTS_MAX {
        let detail = format!("events: {}; tell at most {EVENTS_MAX}", asked.events.len());
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many",
            detail,
        ));
    }
    let played = aside(move || play_now(&workspace, &caller, asked)).await?;
    Ok(Json(played))
}

/// The journey of a text that is right.
fn journey_of(workspace: &Workspace, text: &str) -> Result<Journey, Problem> {
    let settings = workspace.config().rfm.settings();
    relance_wire::journey::publish_with(text, 1, &settings).map_err(|found| {
        let problems = drafts::problems(&found);
        bad(
            "invalid_journey",
            "the text is no journey yet; `problems` says what is wrong",
        )
        .with("problems", serde_json::json!(problems))
    })
}

fn play_now(
    workspace: &Workspace,
    caller: &Caller,
    asked: PreviewAsked,
) -> Result<Played, Problem> {
    let journey = journey_of(workspace, &asked.text)?;
    let choices = choices(&journey, &asked.choices)?;
    let now = workspace.clock.now();
    let mut calls = Vec::new();
    for (at, event) in asked.events.iter().enumerate() {
        let place = format!("events[{at}]");
        calls.push(preview::read_call(&event.to_string(), &place, None, true)?);
    }
    let identify = asked.identify.as_ref().map(|call| {
        let kind = CallType::from_word("identify");
        preview::read_call(&call.to_string(), "identify", kind, false)
    });
    let mut contacts: Vec<Call> = identify.transpose()?.into_iter().collect();
    let config = workspace.config();
    let (reader, config) = (&workspace.reader, &*config);
    let (world, real) = match &asked.contact {
        Some(name) => {
            let real = Real::read(name, reader, config, now, asked.from)?;
            if !caller
                .sees
                .allows(real.snapshot.contact.responsible().as_deref())
            {
                return Err(PreviewProblem::Unknown(name.clone()).into());
            }
            calls.extend(real.again.iter().map(|event| Call {
                identities: Vec::new(),
                event: (**event).clone(),
            }));
            (real.world, Some((real.name, real.snapshot)))
        }
        None => {
            if contacts.is_empty() && calls.is_empty() {
                contacts.push(invented()?);
            }
            (preview::empty_world(reader, config)?, None)
        }
    };
    let begins = preview::begins(&journey, &[], Some(&world));
    let start = asked.start.unwrap_or(!begins);
    let first = calls.iter().map(|call| call.event.at).min();
    let begin = first.into_iter().chain(asked.from).chain([now]).min();
    let begin = begin.unwrap_or(now);
    let most = begin.saturating_add(SignedDuration::from_hours(CLOCK_HOURS_MAX));
    let most = most.unwrap_or(Timestamp::MAX);
    if asked
        .until
        .is_some_and(|until| until > most || until < begin)
    {
        let detail = format!("until: write a moment from {begin} to {most}");
        return Err(bad("bad_until", detail));
    }
    let mut lines = Vec::new();
    let mut more = false;
    let asked = preview::Asked {
        journeys: vec![journey],
        world,
        segments: Vec::new(),
        choices,
        real,
        contacts,
        calls,
        now: Some(now),
        from: asked.from,
        until: asked.until,
        start,
    };
    preview::play(asked, &mut |line| {
        if lines.len() < LINES_MAX {
            lines.push(line);
        } else {
            more = true;
        }
    })?;
    Ok(Played {
        lines,
        more,
        started: start && !begins,
    })
}

/// Somebody, where nobody is named.
fn invented() -> Result<Call, PreviewProblem> {
    let call = r#"{"userId":"ana","traits":{"name":"Ana Example","email":"ana@example.com"}}"#;
    preview::read_call(call, "identify", CallType::from_word("identify"), false)
}

/// The ways that steps are to go; a step or way that there is not would be left out without a word.
fn choices(
    journey: &Journey,
    asked: &BTreeMap<String, String>,
) -> Result<BTreeMap<StepKey, String>, Problem> {
    let mut choices = BTreeMap::new();
    for (step, way) in asked {
        let key = StepKey::from(step.as_str());
        let mut ways = BTreeSet::new();
        if let Some(at) = journey.find(&key) {
            journey.step(at).kind.map_ways(|way, _| {
                ways.insert(way.to_string());
            });
        }
        if !ways.contains(way) {
            let ways: Vec<String> = ways.into_iter().collect();
            let detail = format!("choices.{step}: its ways are {:?}", ways.join(", "));
            return Err(bad("bad_choice", detail));
        }
        choices.insert(key, way.clone());
    }
    Ok(choices)
}

impl From<PreviewProblem> for Problem {
    fn from(problem: PreviewProblem) -> Self {
        match &problem {
            PreviewProblem::Unknown(_) => Self::new(StatusCode::NOT_FOUND, "not_found", &problem),
            PreviewProblem::Call { .. }
            | PreviewProblem::Clock(_)
            | PreviewProblem::NoBeginning => bad("bad_preview", &problem),
            PreviewProblem::Read(_) | PreviewProblem::World(_) => failed(&problem),
        }
    }
}

/// What is tried over everyone's history.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = BacktestAsked)]
#[serde(deny_unknown_fields)]
pub struct BacktestAsked {
    /// The journey, in YAML; left out: the version in force of `id`.
    text: Option<String>,
    /// Which journey, where there is no text.
    id: Option<String>,
    /// How far back: a moment, or a delay such as `90d`.
    since: Option<String>,
}

/// Begins to play everyone's history through a text, beside the version in force. It is asked after by
/// `jobs/{id}`.
#[utoipa::path(
    post,
    path = "/api/v1/journeys/backtest",
    operation_id = "journeys_backtest",
    tag = "journeys",
    request_body = BacktestAsked,
    responses(
        (status = 202, description = "it has begun", body = Job),
        (status = 409, description = "too many run already")
    )
)]
pub async fn begin_backtest(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Extension(works): Extension<Arc<Works>>,
    asked: Result<Json<BacktestAsked>, JsonRejection>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let Json(asked) = asked?;
    let now = workspace.clock.now();
    let since = moment(asked.since.as_deref().unwrap_or(SINCE_DEFAULT), now)?;
    let own = workspace.clone();
    let journey = aside(move || match (&asked.text, &asked.id) {
        (Some(text), _) => {
            bounded(text)?;
            journey_of(&own, text)
        }
        (None, Some(id)) => {
            let world = backtest::world_of(&own.reader, &own.config())
                .map_err(|problem| failed(&problem))?;
            let current = world.current(&JourneyId::from(id.as_str()));
            let current = current.ok_or_else(|| Problem::not_found("journey in force"))?;
            Ok((**current).clone())
        }
        (None, None) => Err(bad(
            "no_journey",
            "give text, or the id of a journey in force",
        )),
    })
    .await?;
    let begun = works.begin("backtest", caller.name(), now, move |progress| {
        let config = workspace.config();
        let (reader, config) = (&workspace.reader, &*config);
        let journey = Arc::new(journey);
        backtest::run(reader, config, journey, since, now, |done, of| {
            progress.tell(done, of)
        })
        .map(|compared| backtest::value(&compared))
        .map_err(|problem| problem.to_string())
    });
    match begun {
        Ok(job) => Ok((StatusCode::ACCEPTED, Json(job))),
        Err(problem @ WorkProblem::Busy) => {
            Err(Problem::new(StatusCode::CONFLICT, "busy_working", problem))
        }
        Err(problem @ WorkProblem::Random(_)) => Err(failed(&problem)),
    }
}

/// A moment, or a time before now.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let delay: Delay = text
                .parse()
                .map_err(|_| bad("bad_since", "since: write a moment, or a delay such as 90d"))?;
            delay.sub(now, &Zone::utc(), &Calendar::weekends_only())
        }
    };
    if at >= now {
        return Err(bad("bad_since", "since: write a moment in the past"));
    }
    Ok(at)
}

/// How a work stands, and what came of it.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}",
    operation_id = "jobs_show",
    tag = "journeys",
    params(("id" = String, Path, description = "the id of the work")),
    responses((status = 200, description = "how it stands", body = Job))
)]
pub async fn show_job(
    Extension(works): Extension<Arc<Works>>,
    Path(id): Path<String>,
) -> Result<Json<Job>, Problem> {
    works.show(&id).map(Json).ok_or_else(no_job)
}

/// Stops a work; one that has ended is forgotten.
#[utoipa::path(
    delete,
    path = "/api/v1/jobs/{id}",
    operation_id = "jobs_stop",
    tag = "journeys",
    params(("id" = String, Path, description = "the id of the work")),
    responses((status = 200, description = "how it stood", body = Job))
)]
pub async fn stop_job(
    Extension(works): Extension<Arc<Works>>,
    Path(id): Path<String>,
) -> Result<Json<Job>, Problem> {
    works.stop(&id).map(Json).ok_or_else(no_job)
}

fn no_job() -> Problem {
    Problem::not_found("work; the server may have been started anew since")
}

/// Of which days numbers are told.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// From the day of this moment on; without it from the beginning.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// To the day of this moment, that day included; without it until now.
    #[param(value_type = Option<String>)]
    until: Option<Timestamp>,
}

/// What the steps of a journey did, as it was counted when it happened.
#[utoipa::path(
    get,
    path = "/api/v1/journeys/{id}/numbers",
    operation_id = "journeys_numbers",
    tag = "journeys",
    params(("id" = String, Path, description = "the id of the journey"), Days),
    responses((status = 200, description = "the numbers, step by step", body = JourneyNumbers))
)]
pub async fn numbers(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Days>, QueryRejection>,
) -> Result<Json<JourneyNumbers>, Problem> {
    let Query(days) = asked?;
    let id = JourneyId::from(id);
    let from = days.from.unwrap_or(Timestamp::UNIX_EPOCH);
    let until = days.until.unwrap_or(workspace.clock.now());
    let wanted = id.clone();
    let found = read(&workspace, move |reader| -> Result<_, ReadError> {
        let known = !reader.versions_of(&wanted)?.is_empty();
        let counts = reader.counts(&wanted, from, until)?;
        Ok((known, counts, reader.standing(&wanted)?))
    });
    let (known, counts, standing) = found.await?;
    if !known {
        return Err(Problem::not_found(
            "journey; GET /api/v1/journeys lists those that are",
        ));
    }
    let mut told = JourneyNumbers {
        id: id.to_string(),
        ..JourneyNumbers::default()
    };
    let mut steps: BTreeMap<String, StepNumbers> = BTreeMap::new();
    for count in counts {
        let times = count.times;
        match count.what {
            What::Enrolled => told.entered += times,
            What::Finished => told.finished += times,
            What::Exited => told.exited += times,
            What::Converted => told.converted += times,
            _elsewhere => {}
        }
        if count.reason == Some(Reason::Holdout) {
            told.held_out += times;
        }
        let key = count.step.map(|step| step.to_string()).unwrap_or_default();
        let step = steps.entry(key.clone()).or_insert_with(|| StepNumbers {
            step: key,
            ..StepNumbers::default()
        });
        step.add(count.what.word(), count.reason.map(Reason::word), times);
    }
    for (version, key, runs) in standing {
        let key = key.to_string();
        let step = steps.entry(key.clone()).or_insert_with(|| StepNumbers {
            step: key,
            ..StepNumbers::default()
        });
        step.standing += runs;
        *step.standing_on.entry(version.to_string()).or_default() += runs;
        told.live += runs;
    }
    told.steps = steps.into_values().collect();
    Ok(Json(told))
}

/// The contact that a caller names, if they may see it.
pub(super) fn contact_named(
    workspace: &Workspace,
    caller: &Caller,
    name: &str,
) -> Result<ContactId, Problem> {
    let reader = &workspace.reader;
    let unknown = || Problem::not_found("contact; tell of it first, by POST /v1/identify");
    let id = crate::segments::Called::read(name).find(reader)?;
    let id = id.ok_or_else(unknown)?;
    let contact = reader.contact(id)?.ok_or_else(unknown)?;
    if caller.sees.allows(contact.responsible().as_deref()) {
        Ok(id)
    } else {
        Err(unknown())
    }
}
