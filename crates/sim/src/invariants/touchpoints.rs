//! The lives of messages and runs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use relance_core::decide::{Effect, TimerKind};
use relance_core::enrollment::{Enrollment, EnrollmentState, ExitReason};
use relance_core::ids::{EnrollmentId, StepKey, TouchpointId};
use relance_core::ledger::{Reason, What};
use relance_core::segment::timer_hash;
use relance_core::touchpoint::{Touchpoint, TouchpointState};

use crate::history::{History, Order};

/// Messages that were committed, in order.
fn touchpoints(history: &History) -> impl Iterator<Item = (&crate::history::Commit, &Touchpoint)> {
    history
        .effects()
        .filter_map(|(commit, _, effect)| match effect {
            Effect::Touchpoint(touchpoint) => Some((commit, &**touchpoint)),
            _other => None,
        })
}

pub fn touchpoint_settles_at_most_once(history: &History) -> Vec<String> {
    let mut settled = BTreeSet::new();
    let mut broken = Vec::new();
    for (commit, touchpoint) in touchpoints(history) {
        if settled.contains(&touchpoint.id) {
            broken.push(format!(
                "{} changed at {} after it was settled",
                touchpoint.id, commit.at
            ));
        }
        if !touchpoint.is_open() {
            settled.insert(touchpoint.id);
        }
    }
    broken
}

/// Marketing goes once or not at all, whatever was lost on the way.
pub fn no_message_reaches_the_wire_twice(history: &History) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut broken = Vec::new();
    for delivery in &history.deliveries {
        let touchpoint = &delivery.touchpoint;
        let facts = history.templates.get(touchpoint.template.as_str());
        // Under whatever name.
        let again = !seen.insert(history.name_now(touchpoint.id));
        if again && !facts.is_some_and(|facts| facts.at_least_once) {
            broken.push(format!(
                "{} ({}) again at {}",
                touchpoint.id, touchpoint.template, delivery.at
            ));
        }
    }
    broken
}

/// A wait ends at its moment or after, each wait once; so does what lies in the outbox; and no timer that
/// is due stays behind.
pub fn timer_fires_never_early_and_once(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let mut runs: BTreeMap<EnrollmentId, &Enrollment> = BTreeMap::new();
    let mut came: BTreeSet<EnrollmentId> = BTreeSet::new();
    let mut waits: BTreeSet<(EnrollmentId, u32, StepKey)> = BTreeSet::new();
    let mut open: BTreeMap<TouchpointId, &Touchpoint> = BTreeMap::new();
    let mut armed = BTreeSet::new();
    let passed = passed_by_hand(history);
    for (commit, contact, effect) in history.effects() {
        let now = commit.engine_at;
        match effect {
            Effect::Enrollment(run) => {
                let old = runs.insert(run.id, run);
                let before = old.map(|before| &before.state);
                // A map between versions, an answer that came late, or a reminder that somebody wrote by hand leads
                // elsewhere.
                let is_led = old.is_some_and(|old| old.version != run.version)
                    || came.contains(&run.id)
                    || passed.contains(&(now, run.id));
                let was_waiting = match before {
                    Some(EnrollmentState::Waiting { step, until, .. }) => Some((step, *until)),
                    _other => None,
                };
                let is_waiting = match &run.state {
                    EnrollmentState::Waiting { step, .. } => Some(step),
                    _other => None,
                };
                if let Some((step, until)) = was_waiting
                    && is_waiting != Some(step)
                    && !matches!(run.state, EnrollmentState::Exited { .. })
                    && !is_led
                    && now < until
                {
                    broken.push(format!("{} left {step} at {now}, before {until}", run.id));
                }
                if let Some(step) = is_waiting
                    && was_waiting.map(|(step, _)| step) != Some(step)
                    && !waits.insert((run.id, run.version, step.clone()))
                    && !is_led
                {
                    broken.push(format!("{} waited at {step} again at {now}", run.id));
                }
            }
            Effect::Touchpoint(touchpoint) => {
                let before = open
                    .insert(touchpoint.id, touchpoint)
                    .map(|before| &before.state);
                let ready_at = match before {
                    Some(
                        TouchpointState::Queued { ready_at: at }
                        | TouchpointState::Held { until: at, .. },
                    ) => *at,
                    _other => continue,
                };
                if matches!(touchpoint.state, TouchpointState::Sending { .. }) && now < ready_at {
                    broken.push(format!(
                        "{} was claimed at {now}, before {ready_at}",
                        touchpoint.id
                    ));
                }
            }
            Effect::Arm(timer) => drop(armed.insert((contact, timer.kind, timer.due_at))),
            Effect::Disarm(timer) => drop(armed.remove(&(contact, timer.kind, timer.due_at))),
            Effect::Ledger(line) if line.what == What::Came => came.extend(line.enrollment),
            Effect::Ledger(line) if line.what == What::TimedOut => {
                let run = line.enrollment.and_then(|id| runs.get(&id));
                if let Some(EnrollmentState::Listening {
                    until: Some(until), ..
                }) = run.map(|run| &run.state)
                    && now < *until
                {
                    broken.push(format!(
                        "{:?} timed out at {now}, before {until}",
                        line.enrollment
                    ));
                }
            }
            _other => {}
        }
    }
    // With a segment that is taken out of force its timers go, without an effect of anybody's.
    let mut gone: Vec<(u64, Timestamp)> = Vec::new();
    for commit in &history.commits {
        for order in &commit.orders {
            if let Order::Segmented { removed, .. } = order {
                let hashes = removed.iter().map(timer_hash);
                gone.extend(hashes.map(|hash| (hash, commit.engine_at)));
            }
        }
    }
    let is_gone = |kind: TimerKind, due_at: Timestamp| match kind {
        TimerKind::Segment(own) => gone.iter().any(|(hash, at)| *hash == own && *at <= due_at),
        TimerKind::Enrollment(_) | TimerKind::Touchpoint(_) | TimerKind::Watch(_) => false,
    };
    for (contact, kind, due_at) in armed {
        // With whoever is erased they go as well.
        let is_erased = history.erased.contains(&contact);
        if due_at < history.ended_at && !is_erased && !is_gone(kind, due_at) {
            let what = match kind {
                TimerKind::Enrollment(number) => format!("run {number}"),
                TimerKind::Touchpoint(hash) => format!("message {hash:x}"),
                TimerKind::Watch(hash) => format!("watch {hash:x}"),
                TimerKind::Segment(hash) => format!("segment {hash:x}"),
            };
            broken.push(format!(
                "the timer of {contact}, {what}, for {due_at} never came"
            ));
        }
    }
    broken
}

/// Runs that went past a reminder, since one of ours had written by hand, and when.
fn passed_by_hand(history: &History) -> BTreeSet<(Timestamp, EnrollmentId)> {
    let passed = history
        .effects()
        .filter_map(|(commit, _, effect)| match effect {
            Effect::Ledger(line) if line.reason == Some(Reason::FollowedUp) => {
                Some((commit.engine_at, line.enrollment?))
            }
            _other => None,
        });
    passed.collect()
}

/// When nothing has failed for weeks, every message is settled and every run has gone on.
pub fn every_touchpoint_ends(history: &History) -> Vec<String> {
    let mut last: BTreeMap<TouchpointId, &Touchpoint> = BTreeMap::new();
    let mut runs: BTreeMap<EnrollmentId, &Enrollment> = BTreeMap::new();
    for (_, _, effect) in history.effects() {
        match effect {
            Effect::Touchpoint(touchpoint) => drop(last.insert(touchpoint.id, touchpoint)),
            Effect::Enrollment(run) => drop(runs.insert(run.id, run)),
            _other => {}
        }
    }
    // A cap of a week may still hold what has been asked for many times, and a person be asked after it.
    let held = |touchpoint: &Touchpoint| match &touchpoint.state {
        TouchpointState::Held { until: at, .. }
        | TouchpointState::AwaitingApproval { expires_at: at, .. } => *at >= history.ended_at,
        _other => false,
    };
    // What was on its way to whoever was erased comes back to nobody: its row is gone with them.
    let is_gone = |touchpoint: &Touchpoint| {
        let flies = matches!(touchpoint.state, TouchpointState::Sending { .. });
        flies && history.erased.contains(&touchpoint.id.contact)
    };
    let open = last
        .values()
        .filter(|touchpoint| touchpoint.is_open() && !held(touchpoint) && !is_gone(touchpoint))
        .map(|touchpoint| format!("{} is {:?}", touchpoint.id, touchpoint.state));
    let stuck = runs
        .values()
        .filter(|run| match &run.state {
            EnrollmentState::Sending { touchpoint, .. } => {
                last.get(touchpoint).is_none_or(|own| !own.is_open())
            }
            EnrollmentState::Standing { .. } => true,
            EnrollmentState::Waiting { until, .. } => *until < history.ended_at,
            EnrollmentState::Listening { until, .. } => {
                until.is_some_and(|until| until < history.ended_at)
            }
            EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => false,
        })
        .map(|run| format!("{} is {:?}", run.id, run.state));
    open.chain(stuck).collect()
}

/// Every settled message has a line that says how it ended; every held one a line that says why.
pub fn ledger_explains_every_touchpoint(history: &History) -> Vec<String> {
    let mut ends = BTreeSet::new();
    let mut holds = BTreeSet::new();
    for (_, _, effect) in history.effects() {
        let Effect::Ledger(line) = effect else {
            continue;
        };
        let Some(id) = line.touchpoint else { continue };
        match line.what {
            What::Sent | What::Dropped | What::Withdrawn | What::Failed | What::Skipped => {
                ends.insert(id);
            }
            What::Held => {
                holds.extend(line.reason.map(|reason| (id, reason)));
            }
            _other => {}
        }
    }
    let mut broken = Vec::new();
    // What went over as it stood has its line under the old name.
    let holds: BTreeSet<_> = holds
        .into_iter()
        .flat_map(|(id, reason)| [(id, reason), (history.name_now(id), reason)])
        .collect();
    for (_, touchpoint) in touchpoints(history) {
        let id = touchpoint.id;
        let now = history.name_now(id);
        let is_told = match &touchpoint.state {
            TouchpointState::Settled { .. } => ends.contains(&id),
            TouchpointState::Held { reason, .. } => {
                holds.contains(&(id, *reason)) || holds.contains(&(now, *reason))
            }
            TouchpointState::AwaitingApproval { .. } => {
                holds.contains(&(now, relance_core::ledger::Reason::Approval))
            }
            TouchpointState::Queued { .. } | TouchpointState::Sending { .. } => true,
        };
        if !is_told {
            broken.push(format!("{id}: {:?}", touchpoint.state));
        }
    }
    broken
}

/// Versions stay as long as somebody stands on them.
pub fn no_run_loses_its_step(history: &History) -> Vec<String> {
    history
        .effects()
        .filter_map(|(commit, _, effect)| match effect {
            Effect::Enrollment(run) => match &run.state {
                EnrollmentState::Exited {
                    reason: reason @ (ExitReason::StepGone | ExitReason::Loop),
                    ..
                } => Some(format!(
                    "{} of {} v{} {reason:?} at {}",
                    run.id, run.journey, run.version, commit.at
                )),
                _other => None,
            },
            _other => None,
        })
        .collect()
}
