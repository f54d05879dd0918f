//! Which runs of two contacts one contact would not have had: nobody is told twice.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::contact::Channel;
use crate::enrollment::{Enrollment, Entry};
use crate::ids::EnrollmentId;
use crate::journey::{Journey, On, Reentry, StepKind};
use crate::snapshot::Snapshot;
use crate::time::civil_day;
use crate::world::World;

/// Runs of either that one contact would not have had beside a run of the other.
///
/// Of two runs of a journey about the same subject (or, where a contact enters it once, about any) the
/// earlier goes on (of what comes by the day, that of the later day); but one whose half had an address
/// goes before one whose half had none, and was sent nothing. A run also ends where the other half was
/// through the journey and `reentry` forbids a second.
pub(super) fn spare_runs(
    world: &World,
    survivor: &Snapshot,
    absorbed: &Snapshot,
) -> BTreeSet<EnrollmentId> {
    let halves = [survivor, absorbed];
    let zone = world.zone_of(&survivor.contact);
    let received = |half: &Snapshot, run: &Enrollment| {
        let journey = world.journey(&run.journey, run.version);
        journey.is_none_or(|journey| {
            could_receive(journey, |channel| half.contact.address(channel).is_some())
        })
    };
    let mut running: Vec<_> = halves
        .iter()
        .enumerate()
        .flat_map(|(side, half)| half.enrollments.iter().map(move |run| (side, run)))
        .filter(|(_, run)| run.is_running())
        .collect();
    running.sort_by_key(|(side, run)| {
        let sent_nothing = !received(halves[*side], run);
        // Of what comes by the day the later day is worth more: the earlier one may have been lived.
        let journey = world.journey(&run.journey, run.version);
        let by_the_day = journey.is_some_and(|journey| comes_by_the_day(&journey.trigger.on));
        let day = by_the_day.then(|| civil_day(run.entered_at, &zone));
        (sent_nothing, Reverse(day), run.entered_at, *side, run.id)
    });
    let mut spare = BTreeSet::new();
    let mut kept: Vec<(usize, &Enrollment)> = Vec::new();
    for (side, run) in running {
        let doubles = |(other, one): &(usize, &Enrollment)| {
            *other != side && one.journey == run.journey && {
                let once = |run| reentry_of(world, run) == Some(&Reentry::Once);
                one.subject == run.subject || once(one) || once(run)
            }
        };
        let other = halves[1 - side];
        if kept.iter().any(doubles) || was_through(world, run, other, received(other, run)) {
            spare.insert(run.id);
        } else {
            kept.push((side, run));
        }
    }
    spare
}

fn reentry_of<'w>(world: &'w World, run: &Enrollment) -> Option<&'w Reentry> {
    let journey = world.journey(&run.journey, run.version)?;
    Some(&journey.reentry)
}

/// Whether the other half went through the journey of a run, so that one contact would not have both.
fn was_through(world: &World, run: &Enrollment, other: &Snapshot, received: bool) -> bool {
    let Some(journey) = world.journey(&run.journey, run.version) else {
        return false;
    };
    if !received {
        return false;
    }
    let zone = world.zone_of(&other.contact);
    let calendar = world.calendar_of(&other.contact);
    // A run under way is weighed against this one by itself; the control group was sent nothing.
    let is_apart = |entry: &Entry| {
        other.enrollments.iter().any(|one| {
            one.journey == entry.journey
                && one.subject == entry.subject
                && (one.is_running() || one.held_out && one.entered_at == entry.at)
        })
    };
    let forbids = |entry: &Entry| match &journey.reentry {
        Reentry::Once => true,
        Reentry::OncePerSubject => entry.subject == run.subject,
        Reentry::After(delay) => {
            let first = entry.at.min(run.entered_at);
            let last = entry.at.max(run.entered_at);
            entry.subject == run.subject && delay.add(first, &zone, &calendar) > last
        }
        // A day comes once to one contact. Only the last entry is known: one of a later day may have
        // been of this one too.
        Reentry::Always => {
            comes_by_the_day(&journey.trigger.on)
                && entry.subject == run.subject
                && civil_day(entry.at, &zone) >= civil_day(run.entered_at, &zone)
        }
    };
    other
        .entries
        .iter()
        .filter(|entry| entry.journey == run.journey)
        .any(|entry| forbids(entry) && !is_apart(entry))
}

fn comes_by_the_day(trigger: &On) -> bool {
    match trigger {
        On::Date { .. } | On::Schedule { .. } => true,
        On::Event(_)
        | On::SegmentEntered(_)
        | On::SegmentLeft(_)
        | On::Changed { .. }
        | On::Inactive { .. }
        | On::Manual
        | On::Api => false,
    }
}

/// Whether one half can have received what a journey sends: who has no address for any of it did not.
fn could_receive(journey: &Journey, address: impl Fn(Channel) -> bool) -> bool {
    let mut channels = journey.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Send { send, .. } => Some(send.channel),
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
        | StepKind::Stop => None,
    });
    match channels.next() {
        None => true,
        Some(first) => address(first) || channels.any(address),
    }
}
