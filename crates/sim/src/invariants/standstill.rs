//! What stands still, and goes on: paused journeys, quiet copies, sweeps.

use std::collections::{BTreeMap, BTreeSet};

use relance_core::decide::{Effect, Overdue};
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, SegmentId, TouchpointId};
use relance_core::journey::On;
use relance_core::ledger::Reason;
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};
use relance_core::value::Root;
use relance_engine::quiet::Backlog;

use super::stage::{Stage, is_claim, is_to_contact};
use crate::history::{Commit, History, Order};

/// Journeys that stand still after the orders of a commit.
fn pause(paused: &mut BTreeSet<JourneyId>, orders: &[Order]) {
    for order in orders {
        match order {
            Order::Paused(id) => drop(paused.insert(id.clone())),
            Order::Resumed(id, _) => drop(paused.remove(id)),
            _other => {}
        }
    }
}

fn orders_about(commit: &Commit, journey: &JourneyId) -> bool {
    commit.orders.iter().any(|order| match order {
        Order::Paused(id) | Order::Resumed(id, _) => id == journey,
        _other => false,
    })
}

/// Nothing of it begins, nothing to the contact is claimed, nothing that was claimed is still made.
pub fn nothing_leaves_while_its_journey_is_paused(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut paused = BTreeSet::new();
    let mut known: BTreeSet<EnrollmentId> = BTreeSet::new();
    // From the moment on that the engine was told, until it is told otherwise.
    let mut spans: Vec<(JourneyId, jiff::Timestamp, jiff::Timestamp)> = Vec::new();
    for commit in &history.commits {
        for order in &commit.orders {
            match order {
                Order::Paused(id) if !paused.contains(id) => {
                    spans.push((id.clone(), commit.at, jiff::Timestamp::MAX));
                }
                Order::Resumed(id, _) => {
                    let open = spans.iter_mut().rev().find(|(own, ..)| own == id);
                    if let Some((_, _, until)) = open.filter(|_| paused.contains(id)) {
                        *until = commit.at;
                    }
                }
                _other => {}
            }
            pause(&mut paused, std::slice::from_ref(order));
        }
        for (_, effect) in &commit.effects {
            match effect {
                Effect::Touchpoint(touchpoint)
                    if is_claim(touchpoint)
                        && is_to_contact(touchpoint)
                        && paused.contains(&touchpoint.journey) =>
                {
                    broken.push(format!("{} was claimed at {}", touchpoint.id, commit.at));
                }
                Effect::Enrollment(run) => {
                    let begins = known.insert(run.id) && !history.went_over.contains_key(&run.id);
                    if begins
                        && paused.contains(&run.journey)
                        && !orders_about(commit, &run.journey)
                    {
                        broken.push(format!(
                            "{} of {} began at {}",
                            run.id, run.journey, commit.at
                        ));
                    }
                }
                _other => {}
            }
        }
    }
    for delivery in &history.deliveries {
        let made = delivery.composed_at;
        let during = spans.iter().any(|(journey, from, until)| {
            *journey == delivery.touchpoint.journey && *from < made && made < *until
        });
        if during && is_to_contact(&delivery.touchpoint) {
            broken.push(format!("{} was made at {made}", delivery.touchpoint.id));
        }
    }
    broken
}

/// The first commit from a place on after which the engine had nothing left to do.
fn rest_after(history: &History, from: usize) -> Option<usize> {
    let later = history.commits.get(from..)?;
    Some(from + later.iter().position(|commit| commit.rested)?)
}

/// Whether an order about a journey comes after one place, up to another.
fn is_overtaken(history: &History, from: usize, to: usize, which: impl Fn(&Order) -> bool) -> bool {
    history.commits[from..=to]
        .iter()
        .flat_map(|commit| &commit.orders)
        .any(which)
}

/// What stood before an order, by the place of its commit.
fn before_orders<'a>(history: &'a History, mut seen: impl FnMut(&Stage<'a>, usize, &'a Order)) {
    let mut stage = Stage::default();
    for (place, commit) in history.commits.iter().enumerate() {
        for order in &commit.orders {
            seen(&stage, place, order);
        }
        for (_, effect) in &commit.effects {
            stage.apply(effect);
        }
    }
}

fn touched_runs(history: &History, from: usize, to: usize) -> BTreeMap<EnrollmentId, &Enrollment> {
    let effects = history.commits[from..=to]
        .iter()
        .flat_map(|one| &one.effects);
    let runs = effects.filter_map(|(_, effect)| match effect {
        Effect::Enrollment(run) => Some((run.id, run)),
        _other => None,
    });
    runs.collect()
}

fn touched_messages(history: &History, from: usize, to: usize) -> Vec<(TouchpointId, &Touchpoint)> {
    let effects = history.commits[from..=to]
        .iter()
        .flat_map(|one| &one.effects);
    let messages = effects.filter_map(|(_, effect)| match effect {
        Effect::Touchpoint(touchpoint) => Some((touchpoint.id, &**touchpoint)),
        _other => None,
    });
    messages.collect()
}

/// Once a journey goes on and the engine has come to rest, every run and message of it that stood has moved;
/// and messages that came due meanwhile are passed over if that was chosen, and only then.
pub fn standing_runs_go_on_after_resume(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut paused = BTreeSet::new();
    before_orders(history, |stage, place, order| {
        let was_paused = match order {
            Order::Resumed(id, _) => paused.contains(id),
            _other => false,
        };
        pause(&mut paused, std::slice::from_ref(order));
        let Order::Resumed(journey, overdue) = order else {
            return;
        };
        let Some(rest) = rest_after(history, place).filter(|_| was_paused) else {
            return;
        };
        let again = |order: &Order| matches!(order, Order::Paused(id) if id == journey);
        if is_overtaken(history, place, rest, again) {
            return;
        }
        let runs = touched_runs(history, place, rest);
        for run in stage.runs.values().filter(|run| run.journey == *journey) {
            let stood = matches!(run.state, EnrollmentState::Standing { .. });
            if stood && !runs.contains_key(&run.id) {
                broken.push(format!("{} still stands at {:?}", run.id, run.state));
            }
        }
        let messages = touched_messages(history, place, rest);
        for touchpoint in stage.touchpoints.values() {
            let held = matches!(
                touchpoint.state,
                TouchpointState::Held {
                    reason: Reason::Paused,
                    ..
                }
            );
            if touchpoint.journey != *journey || !held {
                continue;
            }
            let mut own = messages.iter().filter(|(id, _)| *id == touchpoint.id);
            let Some((_, first)) = own.next() else {
                broken.push(format!("{} is still held", touchpoint.id));
                continue;
            };
            let skipped = matches!(
                first.state,
                TouchpointState::Settled {
                    outcome: Outcome::Dropped(Reason::Paused),
                    ..
                }
            );
            let queued = matches!(first.state, TouchpointState::Queued { .. });
            if skipped && *overdue != Overdue::Skip || queued && *overdue == Overdue::Skip {
                broken.push(format!("{} is {:?}, {overdue:?}", first.id, first.state));
            }
        }
    });
    broken
}

/// What a change of a journey means for each contact comes to each of them, whatever ended the program
/// meanwhile: runs of an archived journey end, and what a journey waits for is awaited of everyone.
pub fn every_sweep_comes_to_every_contact(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    before_orders(history, |stage, place, order| {
        let Order::Archived(journey) = order else {
            return;
        };
        let Some(rest) = rest_after(history, place) else {
            return;
        };
        let runs = touched_runs(history, place, rest);
        for run in stage.runs.values().filter(|run| run.journey == *journey) {
            let last = runs.get(&run.id).unwrap_or(run);
            if last.is_running() {
                broken.push(format!("{} still runs: {:?}", run.id, last.state));
            }
        }
    });
    broken.extend(unwatched(history));
    broken
}

/// Contacts of whom a journey that is in force does not await what it should.
fn unwatched(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut stage = Stage::default();
    let mut current: BTreeMap<JourneyId, u32> = BTreeMap::new();
    let mut watches: BTreeSet<(ContactId, JourneyId)> = BTreeSet::new();
    let mut members: BTreeSet<(ContactId, SegmentId)> = BTreeSet::new();
    let mut everyone: BTreeSet<ContactId> = BTreeSet::new();
    for commit in &history.commits {
        for order in &commit.orders {
            match order {
                Order::Published(id, version) => drop(current.insert(id.clone(), *version)),
                Order::Retired(id) | Order::Archived(id) => drop(current.remove(id)),
                _other => {}
            }
        }
        for (contact, effect) in &commit.effects {
            everyone.insert(*contact);
            match effect {
                Effect::Watch(watch) => {
                    watches.insert((*contact, watch.journey.clone()));
                }
                Effect::Unwatch(watch) => {
                    watches.remove(&(*contact, watch.journey.clone()));
                }
                Effect::Membership { segment, after, .. } => {
                    let key = (*contact, segment.clone());
                    if after.member {
                        members.insert(key);
                    } else {
                        members.remove(&key);
                    }
                }
                _other => {}
            }
            stage.apply(effect);
        }
        if !commit.rested {
            continue;
        }
        for (id, version) in &current {
            let journey = &history.journeys[&(id.clone(), *version)];
            for contact in &everyone {
                let body = stage.contacts.get(contact);
                if body.is_some_and(|body| body.erased || body.merged_into.is_some()) {
                    continue;
                }
                let awaited = match &journey.trigger.on {
                    On::Schedule { segment: None, .. } => true,
                    On::Schedule {
                        segment: Some(segment),
                        ..
                    } => members.contains(&(*contact, segment.clone())),
                    On::Date { path, rule } if path.root == Root::Contact && rule.yearly => {
                        let name = &*path.names[0];
                        body.is_some_and(|body| body.traits.contains_key(name))
                    }
                    _other => false,
                };
                if awaited && !watches.contains(&(*contact, id.clone())) {
                    broken.push(format!("{contact} is not awaited by {id} at {}", commit.at));
                }
            }
        }
    }
    broken
}

/// A copy takes everything in and claims nothing, until somebody releases it.
pub fn a_quiet_workspace_sends_nothing(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut quiet = None;
    let mut spans = Vec::new();
    for commit in &history.commits {
        for order in &commit.orders {
            match order {
                Order::Quieted => quiet = Some(commit.at),
                Order::Released(_) => spans.extend(quiet.take().map(|from| (from, commit.at))),
                _other => {}
            }
        }
        if quiet.is_none() {
            continue;
        }
        for (_, effect) in &commit.effects {
            if let Effect::Touchpoint(touchpoint) = effect
                && is_claim(touchpoint)
            {
                broken.push(format!("{} was claimed at {}", touchpoint.id, commit.at));
            }
        }
    }
    for delivery in &history.deliveries {
        let made = delivery.composed_at;
        if spans.iter().any(|(from, to)| *from < made && made < *to) {
            broken.push(format!("{} was made at {made}", delivery.touchpoint.id));
        }
    }
    broken
}

/// What lay ready when a copy was released without its backlog does not go.
pub fn what_a_release_leaves_out_is_never_sent(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut quiet = false;
    let mut paused = BTreeSet::new();
    before_orders(history, |stage, place, order| {
        pause(&mut paused, std::slice::from_ref(order));
        match order {
            Order::Quieted => quiet = true,
            Order::Released(backlog) => {
                let ends = std::mem::take(&mut quiet);
                if !ends || *backlog != Backlog::Skip {
                    return;
                }
                let now = history.commits[place].engine_at;
                let now = jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
                let ready = stage.touchpoints.values().filter(|touchpoint| {
                    // What a person paused goes on as that person says.
                    is_to_contact(touchpoint)
                        && !paused.contains(&touchpoint.journey)
                        && match &touchpoint.state {
                            TouchpointState::Queued { ready_at: at }
                            | TouchpointState::Held { until: at, .. } => *at <= now,
                            _other => false,
                        }
                });
                let ready: BTreeSet<TouchpointId> = ready.map(|one| one.id).collect();
                let end = history.commits.len() - 1;
                for (id, touchpoint) in touched_messages(history, place, end) {
                    if ready.contains(&id) && is_claim(touchpoint) {
                        broken.push(format!("{id} goes after it was left out"));
                    }
                }
            }
            _other => {}
        }
    });
    broken
}
