//! One contact as a decision sees it: everything that may matter, and nothing else.

use std::collections::BTreeMap;

use crate::contact::Contact;
use crate::decide::{Effect, Input, TimerKind};
use crate::enrollment::{Enrollment, Entry};
use crate::event::History;
use crate::ids::{EnrollmentId, JourneyId, SubjectRef, TouchpointId};
use crate::journey::Trigger;
use crate::subject::Object;
use crate::touchpoint::Touchpoint;
use crate::watch::Watch;
use crate::world::{Needs, World};

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
            entries: Vec::new(),
            history: History::default(),
            last_event_at: None,
        }
    }

    /// What must be loaded beside contact, runs, messages and watches before `input` can be decided.
    pub fn needs(&self, world: &World, input: &Input) -> Needs {
        let mut needs = Needs::default();
        if let Input::Event(event) = input {
            world.needs_of_event(event, &mut needs);
        }
        let runs = |needs: &mut Needs, run: &Enrollment| {
            needs.objects.extend(run.subject.clone());
            if let Some(journey) = world.journey(&run.journey, run.version) {
                needs.history.extend(journey.history_names());
            }
        };
        match input {
            // An event may concern every run of the contact.
            Input::Event(_) => self
                .enrollments
                .iter()
                .for_each(|run| runs(&mut needs, run)),
            Input::Timer(timer) => match &timer.kind {
                TimerKind::Enrollment(number) => {
                    let id = EnrollmentId {
                        contact: self.contact.id,
                        number: *number,
                    };
                    self.enrollment(id)
                        .into_iter()
                        .for_each(|run| runs(&mut needs, run));
                }
                TimerKind::Touchpoint(hash) => {
                    let id = TouchpointId {
                        contact: self.contact.id,
                        hash: *hash,
                    };
                    self.run_of(id)
                        .into_iter()
                        .for_each(|run| runs(&mut needs, run));
                }
                TimerKind::Watch(hash) => {
                    if let Some(watch) = self.watches.iter().find(|watch| watch.hash() == *hash) {
                        self.needs_of_watch(world, watch, &mut needs);
                    }
                }
            },
            Input::Claim(id)
            | Input::Settle { touchpoint: id, .. }
            | Input::Approve { touchpoint: id, .. } => {
                self.run_of(*id)
                    .into_iter()
                    .for_each(|run| runs(&mut needs, run));
            }
            Input::Suppress { .. } | Input::Consent { .. } | Input::Erase => {}
        }
        if self.contact.enrollments == 0 {
            // Who never entered a journey has no earlier entries to look for.
            needs.entries.clear();
        }
        needs
    }

    fn needs_of_watch(&self, world: &World, watch: &Watch, needs: &mut Needs) {
        let Some(journey) = world.current(&watch.journey) else {
            return;
        };
        needs.entries.insert(journey.id.clone());
        needs.history.extend(journey.history_names());
        needs.objects.extend(watch.subject.clone());
        match &journey.trigger {
            Trigger::Inactive {
                event: Some(event), ..
            } => {
                needs.history.insert(event.clone());
            }
            Trigger::Inactive { event: None, .. } => needs.last_event = true,
            Trigger::Event { .. } => {}
        }
    }

    /// A live run.
    pub fn enrollment(&self, id: EnrollmentId) -> Option<&Enrollment> {
        self.enrollments.iter().find(|run| run.id == id)
    }

    /// An open message.
    pub fn touchpoint(&self, id: TouchpointId) -> Option<&Touchpoint> {
        self.touchpoints
            .iter()
            .find(|touchpoint| touchpoint.id == id)
    }

    fn run_of(&self, id: TouchpointId) -> Option<&Enrollment> {
        self.enrollment(self.touchpoint(id)?.enrollment)
    }

    /// The last entry into a journey, about any subject or about one.
    pub fn last_entry(&self, journey: &JourneyId, subject: Option<&SubjectRef>) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.journey == *journey)
            .filter(|entry| subject.is_none() || entry.subject.as_ref() == subject)
            .max_by_key(|entry| entry.at)
    }

    /// Advances to the state after an effect.
    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::Contact(contact) => self.contact = (**contact).clone(),
            Effect::Enrollment(run) => {
                put(&mut self.enrollments, run, |one| one.id);
                self.enrollments.retain(Enrollment::is_live);
            }
            Effect::Entry(entry) => {
                self.entries
                    .retain(|old| old.journey != entry.journey || old.subject != entry.subject);
                self.entries.push(entry.clone());
            }
            Effect::Touchpoint(touchpoint) => {
                put(&mut self.touchpoints, touchpoint, |one| one.id);
                self.touchpoints.retain(Touchpoint::is_open);
            }
            Effect::Watch(watch) => put(&mut self.watches, watch, Watch::hash),
            Effect::Unwatch(watch) => self.watches.retain(|old| old.hash() != watch.hash()),
            Effect::Object(object) => {
                self.objects.insert(object.subject.clone(), object.clone());
            }
            Effect::Event(event) => {
                self.last_event_at = self.last_event_at.max(Some(event.at));
                self.history.push(event.clone());
            }
            Effect::Arm(_)
            | Effect::Disarm(_)
            | Effect::Task(_)
            | Effect::Ledger(_)
            | Effect::Revoke(_)
            | Effect::RequestSync(_) => {}
        }
    }
}

/// Replaces the element with the same key, or adds one.
fn put<T: Clone, K: PartialEq>(list: &mut Vec<T>, value: &T, key: impl Fn(&T) -> K) {
    match list.iter_mut().find(|old| key(old) == key(value)) {
        Some(old) => *old = value.clone(),
        None => list.push(value.clone()),
    }
}
