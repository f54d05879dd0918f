//! One contact as a decision sees it: everything that may matter, and nothing else.

mod segments;

pub(crate) use segments::stays;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::account::{ACCOUNT, Account};
use crate::contact::Contact;
use crate::decide::event::SIGNS_OF_OPENING;
use crate::decide::{Effect, Input, TimerKind};
use crate::enrollment::{Enrollment, EnrollmentState, Entry};
use crate::event::History;
use crate::ids::{AccountId, EnrollmentId, EventName, JourneyId, SubjectRef, TouchpointId};
use crate::journey::{Journey, On, StepKind};
use crate::segment::{Membership, Memberships};
use crate::subject::Object;
use crate::suppression::Listed;
use crate::touchpoint::{Outcome, Touchpoint};
use crate::watch::Watch;
use crate::world::{Needs, Touched, World};

/// One contact with its live runs, open messages and what its input asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Who.
    pub contact: Contact,
    /// Runs that something can still happen to.
    pub enrollments: Vec<Enrollment>,
    /// Messages that may still go.
    pub touchpoints: Vec<Touchpoint>,
    /// Activity that is awaited, one timer each.
    pub watches: Vec<Watch>,
    /// Objects that were asked for and exist.
    pub objects: BTreeMap<SubjectRef, Object>,
    /// Accounts that were asked for and exist, beside the one that the contact belongs to.
    pub accounts: BTreeMap<AccountId, Arc<Account>>,
    /// How the contact stands to the segments that were asked for.
    pub memberships: Memberships,
    /// What the list of suppressions says of the contact's addresses, if it was asked.
    pub listed: Option<Listed>,
    /// Earlier entries into the journeys that were asked for.
    pub entries: Vec<Entry>,
    /// Earlier events of the names that were asked for.
    pub history: History,
    /// When the contact's last event happened, if it was asked for.
    pub last_event_at: Option<jiff::Timestamp>,
}

impl Snapshot {
    /// A contact without a past.
    pub fn new(contact: Contact) -> Self {
        Self {
            contact,
            enrollments: Vec::new(),
            touchpoints: Vec::new(),
            watches: Vec::new(),
            objects: BTreeMap::new(),
            accounts: BTreeMap::new(),
            memberships: Memberships::new(),
            listed: None,
            entries: Vec::new(),
            history: History::default(),
            last_event_at: None,
        }
    }

    /// What must be loaded beside contact, runs, messages and watches before `input` can be decided.
    pub fn needs(&self, world: &World, input: &Input) -> Needs {
        self.needs_knowing(world, input, None)
    }

    /// The same where `loaded` is at hand. What is asked only once it is known how the contact stands to segments
    /// is left out while that is not loaded; when it is ([`Needs::is_final`]), loading the rest lets the contact
    /// ask for no more.
    pub fn needs_with(&self, world: &World, input: &Input, loaded: &Needs) -> Needs {
        self.needs_knowing(world, input, Some(loaded))
    }

    fn needs_knowing(&self, world: &World, input: &Input, loaded: Option<&Needs>) -> Needs {
        let mut needs = Needs::default();
        match input {
            Input::Event(event) => {
                world.needs_of_event(event, &mut needs);
                needs.accounts.extend(event.account_id());
                let turned = world.turned_by(&event.name);
                let calls_back = event.calls_back();
                let steers = event.steers_subject()
                    || event.name.as_str() == crate::event::names::FOLLOWED_UP;
                let concerned = |run: &Enrollment| {
                    turned.contains(&run.journey)
                        || (calls_back && is_sending(run))
                        || (steers && run.subject == event.subject)
                };
                self.needs_of_runs(world, concerned, &mut needs);
                let touched = self.touched_by(world, event, false);
                self.needs_of_touched(world, touched, Some(event), loaded, &mut needs);
            }
            Input::Echo(event) => {
                world.needs_of_objects(event, &mut needs);
                let turned = world.turned_by(&event.name);
                let steers = event.steers_subject();
                let concerned = |run: &Enrollment| {
                    turned.contains(&run.journey) || (steers && run.subject == event.subject)
                };
                self.needs_of_runs(world, concerned, &mut needs);
                let touched = self.touched_by(world, event, true);
                self.needs_of_touched(world, touched, None, loaded, &mut needs);
            }
            // What is done is an event.
            Input::Task(order) => {
                if let Some(event) = order.completed(jiff::Timestamp::UNIX_EPOCH) {
                    return self.needs_knowing(world, &Input::Event(Arc::new(event)), loaded);
                }
            }
            Input::Segment { segment, member } => {
                needs.segments.insert(segment.clone());
                world.needs_of_turn(segment, Some(*member), &mut needs);
                let touched = Touched {
                    segments: [segment.clone()].into(),
                    ..Touched::default()
                };
                self.needs_of_touched(world, touched, None, loaded, &mut needs);
                for journey in world.triggered_by_segment(segment, *member) {
                    world.needs_of_entry(journey, &mut needs);
                }
            }
            Input::Timer(timer) => match &timer.kind {
                TimerKind::Enrollment(number) => {
                    self.needs_of_runs(world, |run| run.id.number == *number, &mut needs);
                }
                TimerKind::Touchpoint(hash) => {
                    let id = TouchpointId {
                        contact: self.contact.id,
                        hash: *hash,
                    };
                    self.needs_of_touchpoint(world, id, &mut needs);
                }
                TimerKind::Watch(hash) => {
                    if let Some(watch) = self.watches.iter().find(|watch| watch.hash() == *hash) {
                        self.needs_of_watch(world, watch, &mut needs);
                    }
                }
                TimerKind::Segment(hash) => {
                    if let Some(id) = world.segment_index().of_timer(*hash).cloned() {
                        let told = [id];
                        needs.extend(world.needs_of_assess(&told));
                        for id in world.segments_with(&told) {
                            world.needs_of_turn(&id, None, &mut needs);
                        }
                    }
                }
            },
            Input::Claim(id) | Input::Approve { touchpoint: id, .. } => {
                // The last gate asks the list; what a step queues comes here before the wire.
                needs.listed = matches!(input, Input::Claim(_));
                self.needs_of_touchpoint(world, *id, &mut needs);
            }
            Input::Settle {
                touchpoint: id,
                outcome,
                ..
            } => {
                self.needs_of_touchpoint(world, *id, &mut needs);
                self.needs_of_openings(world, *id, &mut needs);
                if matches!(
                    outcome,
                    Outcome::RefusedHard {
                        address_is_bad: true,
                        ..
                    }
                ) {
                    self.needs_of_runs(world, is_sending, &mut needs);
                }
            }
            Input::Enroll {
                journey, subject, ..
            } => {
                needs.objects.extend(subject.clone());
                if let Some(journey) = world.current(journey) {
                    world.needs_of_entry(journey, &mut needs);
                }
            }
            Input::Arm(journey) => {
                if let Some(journey) = world.current(journey) {
                    needs_of_arming(journey, &mut needs);
                }
            }
            Input::Resume { journey, .. } | Input::End(journey) => {
                self.needs_of_runs(world, |run| run.journey == *journey, &mut needs);
            }
            // What is called back lets its run go on.
            Input::Suppress { .. } | Input::Consent { .. } | Input::Confirm(_) => {
                self.needs_of_runs(world, is_sending, &mut needs);
            }
            Input::Prefer(wishes) => {
                self.needs_of_runs(world, is_sending, &mut needs);
                if wishes.language.is_some() {
                    world.needs_of_own_change(None, "language", &mut needs);
                }
            }
            Input::Lift(_) => {}
            Input::Reconsider(_) => self.needs_of_runs(world, |_| true, &mut needs),
            Input::Account => {
                world.needs_of_change(None, ACCOUNT, &mut needs);
                let touched = Touched {
                    traits: [ACCOUNT.into()].into(),
                    ..Touched::default()
                };
                self.needs_of_touched(world, touched, None, loaded, &mut needs);
            }
            Input::Assess(segments) => needs.extend(world.needs_of_assess(segments)),
            // Whoever is erased belongs nowhere.
            Input::Erase => {
                let all = world.segments().map(|segment| segment.id.clone());
                needs.segments.extend(all);
            }
        }
        self.needs_of_runs(world, |run| world.may_stir(run), &mut needs);
        if world.may_relocate(input) {
            // Dates of objects are awaited at other moments in another zone.
            let subjects = self.watches.iter().map(|watch| &watch.subject);
            needs.objects.extend(subjects.flatten().cloned());
        }
        if self.contact.enrollments == 0 {
            // Who never entered a journey has no earlier entries to look for.
            needs.entries.clear();
        }
        needs
    }

    /// What every run may ask for, as where something may concern them all.
    pub fn needs_of_all_runs(&self, world: &World, needs: &mut Needs) {
        self.needs_of_runs(world, |_| true, needs);
    }

    fn needs_of_runs(&self, world: &World, which: impl Fn(&Enrollment) -> bool, needs: &mut Needs) {
        for run in self.enrollments.iter().filter(|run| which(run)) {
            needs.objects.extend(run.subject.clone());
            let journey = match world.migration_of(run) {
                Some((journey, _)) => Some(journey),
                None => world.journey(&run.journey, run.version),
            };
            if let Some(journey) = journey {
                world.needs_of_history(journey, needs);
                world.needs_of_steps(journey, needs);
            }
        }
    }

    fn needs_of_touchpoint(&self, world: &World, id: TouchpointId, needs: &mut Needs) {
        let Some(touchpoint) = self.touchpoint(id) else {
            return;
        };
        needs.objects.extend(touchpoint.subjects().cloned());
        // Its template may look through what it is about.
        needs.related = true;
        self.needs_of_runs(world, |run| touchpoint.is_of(run.id), needs);
    }

    /// A message may be opened before its dispatcher tells that it went.
    fn needs_of_openings(&self, world: &World, id: TouchpointId, needs: &mut Needs) {
        let asks = |run: &Enrollment| {
            let journey = world.journey(&run.journey, run.version)?;
            let step = journey.step(journey.find(run.step()?)?);
            match &step.kind {
                StepKind::Send { send, .. } => send.opened_within,
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
            }
        };
        let Some(touchpoint) = self.touchpoint(id) else {
            return;
        };
        let run = self.enrollment(touchpoint.enrollment);
        if run.and_then(asks).is_some() {
            needs.history.extend(SIGNS_OF_OPENING.map(EventName::from));
        }
    }

    fn needs_of_watch(&self, world: &World, watch: &Watch, needs: &mut Needs) {
        let Some(journey) = world.current(&watch.journey) else {
            return;
        };
        world.needs_of_entry(journey, needs);
        needs.objects.extend(watch.subject.clone());
        match &journey.trigger.on {
            On::Inactive {
                event: Some(event), ..
            } => {
                needs.history.insert(event.clone());
            }
            On::Inactive { event: None, .. } => needs.last_event = true,
            On::Schedule { segment, .. } => needs.segments.extend(segment.clone()),
            On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Date { .. }
            | On::Manual
            | On::Api => {}
        }
    }

    /// A live run.
    pub fn enrollment(&self, id: EnrollmentId) -> Option<&Enrollment> {
        // They stand in order of their numbers; after a merge they may not.
        let place = self.enrollments.partition_point(|run| run.id < id);
        let there = self.enrollments.get(place).filter(|run| run.id == id);
        there.or_else(|| self.enrollments.iter().find(|run| run.id == id))
    }

    /// An open message.
    pub fn touchpoint(&self, id: TouchpointId) -> Option<&Touchpoint> {
        self.touchpoints
            .iter()
            .find(|touchpoint| touchpoint.id == id)
    }

    /// The last entry into a journey, about any subject or about one.
    pub fn last_entry(&self, journey: &JourneyId, subject: Option<&SubjectRef>) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.journey == *journey)
            .filter(|entry| subject.is_none() || entry.subject.as_ref() == subject)
            .max_by_key(|entry| entry.at)
    }

    /// Puts accounts as they stand in place of older states of them; among them the one that `input` tells of.
    pub fn see_accounts(&mut self, known: &BTreeMap<AccountId, Arc<Account>>, input: &Input) {
        if known.is_empty() {
            return;
        }
        let own = self.contact.account.as_mut();
        for account in own.into_iter().chain(self.accounts.values_mut()) {
            if let Some(newer) = known.get(&account.id) {
                *account = newer.clone();
            }
        }
        if let Input::Event(event) = input
            && let Some(told) = event.account_id().and_then(|id| known.get(&id))
        {
            self.accounts.insert(told.id.clone(), told.clone());
        }
    }

    /// Advances to the state after an effect.
    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::Contact(contact) => self.contact = (**contact).clone(),
            Effect::Enrollment(run) => {
                if run.is_live() {
                    put(&mut self.enrollments, run, |one| one.id);
                } else {
                    self.enrollments.retain(|one| one.id != run.id);
                }
            }
            Effect::Entry(entry) => {
                self.entries
                    .retain(|old| old.journey != entry.journey || old.subject != entry.subject);
                self.entries.push(entry.clone());
            }
            Effect::Touchpoint(touchpoint) => {
                if touchpoint.is_open() {
                    put(&mut self.touchpoints, touchpoint, |one| one.id);
                } else {
                    self.touchpoints.retain(|one| one.id != touchpoint.id);
                }
            }
            Effect::Watch(watch) => put(&mut self.watches, watch, Watch::hash),
            Effect::Unwatch(watch) => self.watches.retain(|old| old.hash() != watch.hash()),
            Effect::Object(object) => {
                self.objects.insert(object.subject.clone(), object.clone());
            }
            Effect::Membership { segment, after, .. } => {
                if *after == Membership::default() {
                    self.memberships.remove(segment);
                } else {
                    self.memberships.insert(segment.clone(), *after);
                }
            }
            Effect::Event(event) => {
                if event.is_activity() {
                    self.last_event_at = self.last_event_at.max(Some(event.at));
                }
                self.history.push(event.clone());
            }
            Effect::Account { account, .. } => {
                self.accounts.insert(account.id.clone(), account.clone());
            }
            Effect::Arm(_)
            | Effect::Belongs { .. }
            | Effect::Disarm(_)
            | Effect::Consent(_)
            | Effect::Suppression(_)
            | Effect::Task(_)
            | Effect::TaskChanged { .. }
            | Effect::Ledger(_)
            | Effect::Revoke(_)
            | Effect::RequestSync(_) => {}
        }
    }
}

/// Whether a run goes on when its message is called back.
fn is_sending(run: &Enrollment) -> bool {
    matches!(run.state, EnrollmentState::Sending { .. })
}

/// What is asked where the watches of a journey are armed for a contact that was there before it.
fn needs_of_arming(journey: &Journey, needs: &mut Needs) {
    match &journey.trigger.on {
        On::Inactive {
            event: Some(event), ..
        } => {
            needs.history.insert(event.clone());
        }
        On::Inactive { event: None, .. } => needs.last_event = true,
        On::Date { .. } => needs.kinds.extend(journey.subject.clone()),
        On::Schedule { segment, .. } => needs.segments.extend(segment.clone()),
        On::Event(_)
        | On::SegmentEntered(_)
        | On::SegmentLeft(_)
        | On::Changed { .. }
        | On::Manual
        | On::Api => {}
    }
}

/// Replaces the element with the same key, or adds one.
fn put<T: Clone, K: PartialEq>(list: &mut Vec<T>, value: &T, key: impl Fn(&T) -> K) {
    match list.iter_mut().find(|old| key(old) == key(value)) {
        Some(old) => *old = value.clone(),
        None => list.push(value.clone()),
    }
}
