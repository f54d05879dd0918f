//! What becomes of people when versions change, and of those whom journeys come to by the clock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Contact;
use relance_core::decide::{Effect, TimerKind};
use relance_core::enrollment::{Enrollment, EnrollmentState, ExitReason};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, StepKey};
use relance_core::journey::{Journey, Lapse, Moves, On, StepKind};
use relance_core::ledger::What;

use super::stage::{Stage, day};
use crate::history::{Commit, History};

fn journey_of<'a>(history: &'a History, run: &Enrollment) -> &'a Journey {
    &history.journeys[&(run.journey.clone(), run.version)]
}

/// A run stands at a step that its version knows; it comes to a newer version only as that version says,
/// with a line; it goes on, or its end has a line and a cause that somebody chose.
pub fn no_run_is_lost_when_versions_change(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut runs: BTreeMap<EnrollmentId, &Enrollment> = BTreeMap::new();
    let mut told: BTreeMap<EnrollmentId, BTreeSet<What>> = BTreeMap::new();
    for (commit, _, effect) in history.effects() {
        match effect {
            Effect::Ledger(line) => {
                if let Some(run) = line.enrollment {
                    told.entry(run).or_default().insert(line.what);
                }
            }
            Effect::Enrollment(run) => {
                let before = runs.insert(run.id, run);
                broken.extend(came_over(history, commit, before, run));
                let steps = &journey_of(history, run).steps;
                let unknown = |key: &&StepKey| steps.iter().all(|one| one.key != **key);
                if let Some(step) = run.step().filter(unknown) {
                    broken.push(format!("{} stands at {step}, which is not there", run.id));
                }
            }
            _other => {}
        }
    }
    for run in runs.values() {
        let lines = told.get(&run.id);
        let is_told = |what| lines.is_some_and(|lines| lines.contains(&what));
        let journey = journey_of(history, run);
        let good = match &run.state {
            // It had ended when it went over.
            EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. }
                if history.went_over.contains_key(&run.id) && is_told(What::Merged) =>
            {
                true
            }
            EnrollmentState::Exited {
                reason: ExitReason::Merged,
                ..
            } => is_told(What::Merged) || is_told(What::Exited),
            EnrollmentState::Finished { .. } => {
                is_told(What::Finished) || run.held_out || is_told(What::Converted)
            }
            EnrollmentState::Exited { reason, .. } => {
                let chosen = match reason {
                    ExitReason::Stopped => may_be_stopped(history, journey),
                    _other => true,
                };
                is_told(What::Exited) && chosen
            }
            _running => true,
        };
        if !good {
            broken.push(format!("{} of {} is {:?}", run.id, run.journey, run.state));
        }
    }
    broken
}

/// What is wrong with the way that a run came to its version.
fn came_over(
    history: &History,
    commit: &Commit,
    before: Option<&Enrollment>,
    run: &Enrollment,
) -> Option<String> {
    let before = before.filter(|before| before.version != run.version)?;
    let key = (run.journey.clone(), run.version);
    let is_told = commit.effects.iter().any(|(_, effect)| match effect {
        Effect::Ledger(line) => line.what == What::Migrated && line.enrollment == Some(run.id),
        _other => false,
    });
    let by_rule = before.version < run.version && history.moves[&key] != Moves::Pin;
    let moved = format!("{}: {} -> {}", run.id, before.version, run.version);
    (!is_told || !by_rule || !before.is_running()).then_some(moved)
}

/// Whether a map between versions, or a question that nobody answers, may end a run.
fn may_be_stopped(history: &History, journey: &Journey) -> bool {
    let versions = history.journeys.range((journey.id.clone(), 0)..);
    let versions = versions.take_while(|((id, _), _)| *id == journey.id);
    let asks = |journey: &Journey| {
        let own = journey.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Send { send, .. } => send.approval.as_ref(),
            _other => None,
        });
        let mut all = own.chain(std::iter::once(&journey.approval));
        all.any(|approval| approval.lapse == Lapse::Stop)
    };
    let maps = |version| match &history.moves[&(journey.id.clone(), version)] {
        Moves::Map(table) => table.values().any(Option::is_none),
        Moves::Pin | Moves::Follow => false,
    };
    versions
        .into_iter()
        .any(|((_, version), journey)| asks(journey) || maps(*version))
}

/// A broadcast comes to each contact once for each day of theirs, at its hour.
pub fn schedule_fires_once_a_local_day(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut stage = Stage::default();
    // When the contact is looked at next, by the clock of which place.
    let mut due: BTreeMap<(ContactId, JourneyId), (Timestamp, Option<TimeZone>)> = BTreeMap::new();
    let mut fired: BTreeSet<(ContactId, JourneyId, Date)> = BTreeSet::new();
    let mut runs: BTreeSet<EnrollmentId> = BTreeSet::new();
    for commit in &history.commits {
        let mut begun = BTreeSet::new();
        let moved = moved_in(&stage, commit);
        // What was awaited before this commit comes in it; what it awaits comes later.
        for (contact, effect) in &commit.effects {
            let Effect::Enrollment(run) = effect else {
                continue;
            };
            let On::Schedule { .. } = &journey_of(history, run).trigger.on else {
                continue;
            };
            if history.went_over.contains_key(&run.id) {
                continue;
            }
            let key = (*contact, run.journey.clone());
            let Some((at, Some(zone))) = due.get(&key).filter(|_| runs.insert(run.id)) else {
                continue;
            };
            // A step of another journey may begin it at any time.
            let comes = |effect: &Effect| match effect {
                Effect::Disarm(timer) => {
                    matches!(timer.kind, TimerKind::Watch(_)) && timer.due_at == *at
                }
                _other => false,
            };
            let mut own = commit.effects.iter().filter(|(own, _)| own == contact);
            if !own.any(|(_, effect)| comes(effect)) || !begun.insert((key, *at)) {
                continue;
            }
            let today = day(*at, zone);
            if !fired.insert((*contact, run.journey.clone(), today)) {
                broken.push(format!("{} of {} again on {today}", run.id, run.journey));
            }
            if !hours_of(history, &run.journey).any(|hour| is_hour(hour, *at, zone)) {
                broken.push(format!("{} of {} for {at}", run.id, run.journey));
            }
        }
        for (_, effect) in &commit.effects {
            stage.apply(effect);
        }
        for (contact, effect) in &commit.effects {
            if let Effect::Watch(watch) = effect {
                // Which zone counted in a commit that changes it is not told.
                let zone = (!moved.contains(contact)).then(|| stage.zone(*contact));
                let old = due.get(&(*contact, watch.journey.clone()));
                if old.is_none_or(|(at, _)| *at != watch.due_at) {
                    due.insert((*contact, watch.journey.clone()), (watch.due_at, zone));
                }
            }
        }
    }
    broken
}

/// The hours of a broadcast, of any version: what is due already comes by the version that it was due by.
fn hours_of<'a>(history: &'a History, id: &'a JourneyId) -> impl Iterator<Item = Time> + 'a {
    let versions = history.journeys.values();
    versions
        .filter(move |journey| journey.id == *id)
        .filter_map(|journey| match &journey.trigger.on {
            On::Schedule { rule, .. } => Some(rule.at()),
            _other => None,
        })
}

/// Contacts that a commit takes to another zone.
fn moved_in(stage: &Stage<'_>, commit: &Commit) -> BTreeSet<ContactId> {
    let zone = |body: &Contact| body.traits.get("timezone").cloned();
    let moved = commit
        .effects
        .iter()
        .filter_map(|(contact, effect)| match effect {
            Effect::Contact(body) => {
                let before = stage.contacts.get(contact).and_then(|old| zone(old));
                (before != zone(body)).then_some(*contact)
            }
            _other => None,
        });
    moved.collect()
}

/// Whether a moment is that hour of its day; where the clocks leave the hour out, it comes when they are set.
fn is_hour(hour: Time, at: Timestamp, zone: &TimeZone) -> bool {
    let local = at.to_zoned(zone.clone()).datetime();
    let wanted = local.date().to_datetime(hour);
    match zone.to_ambiguous_timestamp(wanted).offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => local == wanted,
        AmbiguousOffset::Gap { .. } => {
            let set = zone.following(at - SignedDuration::from_hours(1)).next();
            set.is_some_and(|set| set.timestamp() == at)
        }
    }
}
