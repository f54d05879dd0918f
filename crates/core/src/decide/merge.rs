//! Two contacts turn out to be one, while journeys run.
//!
//! The *survivor* goes on with everything; the *absorbed* keeps its past and its ledger, and nothing can
//! happen to it any more: it has no live run, no open message, no timer, no address. Nobody gets a message
//! twice: of two runs that one contact would not have had, one goes on ([`ExitReason::Merged`] ends the
//! other), and an open message is settled as withdrawn under its old name before it is open under the new
//! one. Nothing is lost: every other run goes over as it stands, with its message, its place in a digest,
//! its goal's time, its variant and its share in the control group (R5); new runs draw by the survivor.
//!
//! Whatever either half did is told to the runs of the other as if it were told late, so that a reply to
//! the one address ends the reminder to the other (R1).
//!
//! A merge begins no journey: what the one half brings is news to the other half's record, not to anyone.
//!
//! **Absent:** who is merged with whom; identities, the log, tasks, threads, and objects and entries beyond
//! what was loaded, which the store takes over in the same transaction.

mod halves;
mod moments;
mod person;
mod spare;
mod undo;

pub use undo::{UndoProblem, needs_of_unmerge, unmerge};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::account::ACCOUNT;
use crate::contact::{ABSORBED_MAX, Contact};
use crate::enrollment::{Enrollment, EnrollmentState, Entry, ExitReason};
use crate::event::{Event, HISTORY_EVENTS_MAX};
use crate::ids::{ContactId, EnrollmentId, EventName, JourneyId, SubjectRef, TouchpointId};
use crate::journey::{Journey, PROMO_KIND, Reentry, StepKind};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::segment::{Membership, Rule};
use crate::snapshot::Snapshot;
use crate::touchpoint::{Outcome, Slot, Touchpoint};
use crate::value::{Fields, Value};
use crate::world::{Needs, World};

use super::{Effect, Input, RUNS_MAX, Timer, TimerKind, Turn};

use halves::{Past, renamed, turning_names};
use spare::spare_runs;

/// Live runs that a merged contact may have: what two full contacts bring. New ones begin below
/// [`RUNS_MAX`] only.
pub const RUNS_MERGED_MAX: usize = 2 * RUNS_MAX;

/// What must be committed, both lists in one transaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Merged {
    /// Effects of the contact that goes on.
    pub survivor: Vec<Effect>,
    /// Effects of the contact that was absorbed.
    pub absorbed: Vec<Effect>,
    /// Runs that went over, by old and new name.
    pub runs: Vec<(EnrollmentId, EnrollmentId)>,
    /// Messages that went over, and messages that were sent and whose opening a run awaits, by old and new
    /// name. An answer, opening or click that tells the old name means the new one.
    pub messages: Vec<(TouchpointId, TouchpointId)>,
}

/// Why two contacts cannot be merged now. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MergeProblem {
    /// One contact was named twice.
    #[error("contact {0} cannot be merged with itself: name two contacts")]
    Same(ContactId),
    /// Who is erased stays forgotten, and forgets nobody else.
    #[error("contact {0} was erased: leave it and the other contact apart")]
    Erased(ContactId),
    /// What is on the wire answers to its old name.
    #[error("message {0} is in flight: merge again when it is settled")]
    InFlight(TouchpointId),
    /// One of the two was merged before: what comes for it is another's.
    #[error("contact {0} was merged into another one: name that one")]
    Gone(ContactId),
    /// The two have been too many contacts already.
    #[error("the contacts were {were} contacts of {most}: leave them apart")]
    TooMany {
        /// How many they absorbed, and one more.
        were: usize,
        /// [`ABSORBED_MAX`].
        most: usize,
    },
    /// The two have more runs than one contact may have.
    #[error("the contacts have {live} live runs of {most}: merge again when some have ended")]
    TooManyRuns {
        /// How many they have.
        live: usize,
        /// [`RUNS_MERGED_MAX`].
        most: usize,
    },
}

/// What must be loaded of both contacts, beside runs, messages and watches, before they can be merged.
///
/// Entries are asked for of every journey whose `reentry` looks back, so that what the one entered once is
/// not begun again for the other.
pub fn needs_of_merge(world: &World, survivor: &Snapshot, absorbed: &Snapshot) -> Needs {
    let mut needs = Needs::default();
    for one in [survivor, absorbed] {
        // A merge may concern every run.
        one.needs_of_all_runs(world, &mut needs);
        needs.history.extend(turning_names(world, &one.enrollments));
        let runs = one.enrollments.iter().map(|run| run.journey.clone());
        needs.entries.extend(runs);
        let awaited = one.watches.iter().filter_map(|watch| watch.subject.clone());
        needs.objects.extend(awaited);
    }
    let looks_back = |journey: &&Arc<Journey>| journey.reentry != Reentry::Always;
    let current = world.all_current().filter(looks_back);
    needs
        .entries
        .extend(current.map(|journey| journey.id.clone()));
    needs.kinds.extend(world.kinds.iter().cloned());
    needs.kinds.insert(PROMO_KIND.into());
    needs
        .segments
        .extend(world.segments().map(|one| one.id.clone()));
    needs.last_event = true;
    needs
}

/// Decides what happens when `absorbed` turns out to be `survivor`. Both must be loaded with what
/// [`needs_of_merge`] asks. Advances both snapshots; a refusal changes neither.
pub fn merge(
    world: &World,
    survivor: &mut Snapshot,
    absorbed: &mut Snapshot,
    now: Timestamp,
) -> Result<Merged, MergeProblem> {
    refuse(world, survivor, absorbed)?;
    let spare = spare_runs(world, survivor, absorbed);
    let before = absorbed.clone();
    let left = leave(world, absorbed, &survivor.contact, &spare, now);
    let mut turn = Turn::new(world, survivor, now);
    turn.knows_history = true;
    turn.became(before.contact.id);
    turn.end_spare(&spare);
    turn.receive(&before, &left);
    turn.settle_down();
    Ok(Merged {
        survivor: turn.effects,
        absorbed: left.effects,
        runs: left
            .runs
            .iter()
            .filter_map(|run| Some((run.id, *left.names.get(&run.id)?)))
            .collect(),
        messages: left.messages,
    })
}

fn refuse(world: &World, survivor: &Snapshot, absorbed: &Snapshot) -> Result<(), MergeProblem> {
    if survivor.contact.id == absorbed.contact.id {
        return Err(MergeProblem::Same(survivor.contact.id));
    }
    for one in [survivor, absorbed] {
        if one.contact.erased {
            return Err(MergeProblem::Erased(one.contact.id));
        }
        if one.contact.merged_into.is_some() {
            return Err(MergeProblem::Gone(one.contact.id));
        }
        let on_the_wire = |touchpoint: &&Touchpoint| is_known_outside(world, touchpoint);
        if let Some(touchpoint) = one.touchpoints.iter().find(on_the_wire) {
            return Err(MergeProblem::InFlight(touchpoint.id));
        }
    }
    let were = survivor.contact.absorbed.len() + absorbed.contact.absorbed.len() + 1;
    if were > ABSORBED_MAX {
        let most = ABSORBED_MAX;
        return Err(MergeProblem::TooMany { were, most });
    }
    let live = survivor.enrollments.len() + absorbed.enrollments.len();
    let owners = absorbed
        .touchpoints
        .iter()
        .map(|one| 1 + one.members.len())
        .sum::<usize>();
    let numbers = u32::try_from(live + owners).ok();
    let fit = numbers.and_then(|more| survivor.contact.enrollments.checked_add(more));
    if live > RUNS_MERGED_MAX || fit.is_none() {
        let most = RUNS_MERGED_MAX;
        return Err(MergeProblem::TooManyRuns { live, most });
    }
    Ok(())
}

/// Whether others know a message by its name: it is on the wire, or it may have arrived and is tried again
/// under that name, by which the other side knows a second one for the same.
fn is_known_outside(world: &World, touchpoint: &Touchpoint) -> bool {
    let facts = world.templates.get(&touchpoint.template);
    touchpoint.slot() == Slot::Flight
        || touchpoint.attempts > 0 && facts.is_some_and(|facts| facts.at_least_once)
}

/// What the absorbed contact leaves.
struct Left {
    effects: Vec<Effect>,
    runs: Vec<Enrollment>,
    touchpoints: Vec<Touchpoint>,
    names: BTreeMap<EnrollmentId, EnrollmentId>,
    messages: Vec<(TouchpointId, TouchpointId)>,
}

/// Ends everything of the absorbed contact.
fn leave(
    world: &World,
    absorbed: &mut Snapshot,
    survivor: &Contact,
    spare: &BTreeSet<EnrollmentId>,
    now: Timestamp,
) -> Left {
    let mut turn = Turn::new(world, absorbed, now);
    turn.became(survivor.id);
    turn.end_spare(spare);
    let mut runs = turn.snapshot.enrollments.clone();
    runs.sort_by_key(|run| run.id);
    let touchpoints = turn.snapshot.touchpoints.clone();
    // A word to one of ours may outlive its run: it gets a number of its own.
    let owners = touchpoints.iter().flat_map(|one| {
        let members = one.members.iter().map(|member| member.enrollment);
        members.chain([one.enrollment])
    });
    let mut names = BTreeMap::new();
    let mut number = survivor.enrollments;
    for old in runs.iter().map(|run| run.id).chain(owners) {
        names.entry(old).or_insert_with(|| {
            number += 1;
            EnrollmentId {
                contact: survivor.id,
                number,
            }
        });
    }
    let mut messages = Vec::new();
    for touchpoint in &touchpoints {
        let Some(owner) = names.get(&touchpoint.enrollment) else {
            continue;
        };
        let new = renamed(*owner, touchpoint.step.as_str());
        messages.push((touchpoint.id, new));
        let why = Some(Reason::Merged);
        let mut line = turn.touchpoint_line(touchpoint, What::Withdrawn, why);
        line.detail = Some(new.to_string());
        turn.ledger(line);
        turn.put_settled(touchpoint.clone(), Outcome::Withdrawn(Reason::Merged));
    }
    for run in &runs {
        let Some(new) = names.get(&run.id) else {
            continue;
        };
        if let Some(step) = awaits_opening(world, run) {
            messages.push((renamed(run.id, step), renamed(*new, step)));
        }
        turn.went(run, &new.to_string());
        let mut run = run.clone();
        run.goal_until = None;
        if run.is_running() {
            run.state = EnrollmentState::Exited {
                at: now,
                reason: ExitReason::Merged,
            };
        }
        turn.put_run(run);
    }
    for watch in turn.snapshot.watches.clone() {
        turn.emit(Effect::Disarm(Timer {
            due_at: watch.due_at,
            kind: TimerKind::Watch(watch.hash()),
        }));
        turn.emit(Effect::Unwatch(watch));
    }
    turn.leave_segments();
    turn.put_contact(|contact| {
        person::strip(contact);
        contact.merged_into = Some(survivor.id);
    });
    Left {
        effects: turn.effects,
        runs,
        touchpoints,
        names,
        messages,
    }
}

/// The step whose message was sent and must be opened for a run to go on.
fn awaits_opening<'r>(world: &World, run: &'r Enrollment) -> Option<&'r str> {
    let EnrollmentState::Listening { step, .. } = &run.state else {
        return None;
    };
    let journey = world.journey(&run.journey, run.version)?;
    let is_send = matches!(
        journey.step(journey.find(step)?).kind,
        StepKind::Send { .. }
    );
    is_send.then_some(step.as_str())
}

impl Turn<'_> {
    /// What comes for a contact that is another now: whoever brings it tells that one. It can be forgotten,
    /// and no timer comes for ever.
    pub(super) fn happens_to_nobody(&mut self, input: &Input) {
        match input {
            Input::Timer(timer) => self.emit(Effect::Disarm(*timer)),
            Input::Erase => self.erase(),
            Input::Event(_)
            | Input::Echo(_)
            | Input::Claim(_)
            | Input::Settle { .. }
            | Input::Approve { .. }
            | Input::Suppress { .. }
            | Input::Consent { .. }
            | Input::Confirm(_)
            | Input::Prefer(_)
            | Input::Lift(_)
            | Input::Segment { .. }
            | Input::Assess(_)
            | Input::Enroll { .. }
            | Input::Arm(_)
            | Input::Resume { .. }
            | Input::Account
            | Input::Task(_)
            | Input::Reconsider(_)
            | Input::End(_) => {}
        }
    }

    /// Says that the contact and another are one.
    fn became(&mut self, other: ContactId) {
        let line = LedgerEntry {
            reason: Some(Reason::Merged),
            detail: Some(other.to_string()),
            ..self.line(What::Merged)
        };
        self.ledger(line);
    }

    /// Ends the runs beside which the other half's go on.
    fn end_spare(&mut self, spare: &BTreeSet<EnrollmentId>) {
        for id in self.runs_where(|run| spare.contains(&run.id)) {
            if let Some(mut run) = self.snapshot.enrollment(id).cloned() {
                // A conversion is counted where the journey goes on.
                run.goal_until = None;
                self.exit(run, ExitReason::Merged, Reason::Merged);
            }
        }
    }

    /// Says that a run went over.
    fn went(&mut self, run: &Enrollment, other_name: &str) {
        let line = LedgerEntry {
            reason: Some(Reason::Merged),
            step: run.step().cloned(),
            detail: Some(other_name.to_owned()),
            ..self.run_line(run, What::Merged)
        };
        self.ledger(line);
    }

    /// Takes everything over from the other half.
    fn receive(&mut self, theirs: &Snapshot, left: &Left) {
        let own: Vec<EnrollmentId> = self.runs_where(|_| true);
        let runs = [self.snapshot.enrollments.clone(), left.runs.clone()].concat();
        let names = turning_names(self.world, &runs);
        let our_past = Past::new(&names, &self.snapshot.history, &self.snapshot.entries);
        let their_past = Past::new(&names, &theirs.history, &theirs.entries);

        let ours = self.snapshot.contact.traits.clone();
        let had_account = self.snapshot.contact.account.is_some();
        let moved = self.become_one(theirs, left);
        let mut changed =
            person::differing(&self.snapshot.contact.traits, &ours, &theirs.contact.traits);
        if had_account != self.snapshot.contact.account.is_some() {
            changed.insert(ACCOUNT.to_owned(), Value::Null);
        }
        self.take_entries(&theirs.entries);
        self.take_history(theirs);
        let told = self.take_objects(theirs);
        for run in &left.runs {
            self.take_run(run, left);
        }
        for touchpoint in &left.touchpoints {
            self.take_touchpoint(touchpoint, left);
        }
        // Before what awaits members of them: a broadcast is counted anew for those who belong.
        self.take_lists(theirs);
        self.take_watches(&theirs.watches, moved, &changed);

        for id in own {
            self.hear(id, &their_past);
        }
        for id in left.runs.iter().filter_map(|run| left.names.get(&run.id)) {
            self.hear(*id, &our_past);
        }
        self.call_back_unwelcome();
        self.change_doubled_items();
        self.recount_waits(moved, None, &changed);
        for (subject, fields) in told {
            self.recount_waits(false, Some(&subject), &fields);
        }
    }

    /// Unites what is known of the two. Says whether days are counted otherwise now, for either.
    fn become_one(&mut self, theirs: &Snapshot, left: &Left) -> bool {
        let world = self.world;
        let numbers = left.names.len();
        self.put_contact(|contact| {
            person::unite(world, contact, &theirs.contact);
            // Cannot be too many: that was asked first.
            contact.enrollments += u32::try_from(numbers).unwrap_or(0);
            contact.absorbed.insert(theirs.contact.id);
            contact.absorbed.extend(&theirs.contact.absorbed);
        });
        let zone = world.zone_of(&self.snapshot.contact);
        let calendar = world.calendar_of(&self.snapshot.contact);
        let other_calendar = world.calendar_of(&theirs.contact);
        let moved = zone != self.zone
            || zone != world.zone_of(&theirs.contact)
            || !Arc::ptr_eq(&calendar, &self.calendar)
            || !Arc::ptr_eq(&calendar, &other_calendar);
        (self.zone, self.calendar) = (zone, calendar);
        moved
    }

    /// Entries of both count; of two into one journey about one subject, the last.
    fn take_entries(&mut self, theirs: &[Entry]) {
        type Key<'e> = (&'e JourneyId, Option<&'e SubjectRef>);
        fn key(entry: &Entry) -> Key<'_> {
            (&entry.journey, entry.subject.as_ref())
        }
        let known: BTreeMap<Key<'_>, Timestamp> = self
            .snapshot
            .entries
            .iter()
            .map(|entry| (key(entry), entry.at))
            .collect();
        let newer = |entry: &&Entry| known.get(&key(entry)).is_none_or(|at| *at < entry.at);
        let taken: Vec<Entry> = theirs.iter().filter(newer).cloned().collect();
        // Together: one by one, each would look through all the others.
        let keys: BTreeSet<Key<'_>> = taken.iter().map(key).collect();
        self.snapshot
            .entries
            .retain(|entry| !keys.contains(&key(entry)));
        self.snapshot.entries.extend(taken.iter().cloned());
        self.effects.extend(taken.into_iter().map(Effect::Entry));
    }

    /// The log is the store's to unite; what of it is at hand is united here, for the rest of the batch.
    fn take_history(&mut self, theirs: &Snapshot) {
        let ours = &self.snapshot.history;
        let mut names: BTreeSet<EventName> = BTreeSet::new();
        let runs = self.snapshot.enrollments.iter().chain(&theirs.enrollments);
        let of_runs = runs.filter_map(|run| self.world.journey(&run.journey, run.version));
        for journey in self.world.all_current().chain(of_runs) {
            names.extend(journey.event_names());
            names.extend(journey.history_names());
        }
        let mut events: Vec<&Event> = names
            .iter()
            .flat_map(|name| ours.of(name).chain(theirs.history.of(name)))
            .collect();
        events.sort_by_key(|event| event.at);
        let surplus = events.len().saturating_sub(HISTORY_EVENTS_MAX);
        let events = events[surplus..]
            .iter()
            .map(|event| Arc::new((*event).clone()));
        let events = events.collect();
        self.snapshot.history.replace(&names, events);
        self.snapshot.last_event_at = self.snapshot.last_event_at.max(theirs.last_event_at);
    }

    /// Objects of both. Tells what is new of those that a run waits for.
    fn take_objects(&mut self, theirs: &Snapshot) -> Vec<(SubjectRef, Fields)> {
        let mut told = BTreeMap::new();
        for (subject, object) in &theirs.objects {
            let ours = self.snapshot.objects.get(subject);
            let one = match ours {
                Some(ours) => person::united_object(ours, object),
                None => object.clone(),
            };
            if let Some(ours) = ours {
                let fields = person::differing(&one.fields, &ours.fields, &object.fields);
                told.insert(subject.clone(), fields);
                if *ours == one {
                    continue;
                }
            }
            self.emit(Effect::Object(one));
        }
        let runs = self.snapshot.enrollments.iter().chain(&theirs.enrollments);
        let subjects: BTreeSet<&SubjectRef> = runs.filter_map(|run| run.subject.as_ref()).collect();
        told.retain(|subject, fields| subjects.contains(subject) && !fields.is_empty());
        told.into_iter().collect()
    }

    /// Lists that the other half was put into. Who belongs to a computed segment is for the caller to ask
    /// anew, with what that takes.
    fn take_lists(&mut self, theirs: &Snapshot) {
        let listed = theirs.memberships.iter().filter(|(_, one)| one.member);
        for (id, _) in listed {
            let list = self
                .world
                .segment(id)
                .filter(|one| one.rule == Rule::Listed);
            let before = self.snapshot.memberships.get(id).copied();
            let before = before.unwrap_or_default();
            if list.is_none() || before.member {
                continue;
            }
            let member = true;
            self.emit(Effect::Membership {
                segment: id.clone(),
                before,
                after: Membership { member, ..before },
            });
        }
    }

    /// A run goes on under its new name, as it stood.
    fn take_run(&mut self, run: &Enrollment, left: &Left) {
        let Some(id) = left.names.get(&run.id) else {
            return;
        };
        let old_name = run.id.to_string();
        let mut run = run.clone();
        run.id = *id;
        self.went(&run, &old_name);
        if let EnrollmentState::Sending { step, touchpoint } = &mut run.state {
            let new = left.messages.iter().find(|(old, _)| old == touchpoint);
            *touchpoint = new.map_or_else(|| renamed(*id, step.as_str()), |(_, new)| *new);
        }
        self.put_run(run);
    }

    /// A message is as open under its new name as it was under the old one.
    fn take_touchpoint(&mut self, old: &Touchpoint, left: &Left) {
        let mut one = old.clone();
        let Some(id) = left.names.get(&one.enrollment) else {
            return;
        };
        one.enrollment = *id;
        one.id = renamed(*id, one.step.as_str());
        for member in &mut one.members {
            if let Some(id) = left.names.get(&member.enrollment) {
                member.enrollment = *id;
            }
        }
        for member in &one.members {
            let mut line = self.touchpoint_line(&one, What::Merged, Some(Reason::Digest));
            line.enrollment = Some(member.enrollment);
            self.ledger(line);
        }
        self.put_touchpoint(one);
    }
}
