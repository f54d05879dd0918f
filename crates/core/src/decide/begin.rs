//! How runs begin: by events, changes, segments, people, programs and other runs.

use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::Channel;
use crate::document::{DOCUMENT, DocumentState};
use crate::enrollment::{Enrollment, EnrollmentState, Entry, ExitReason};
use crate::event::Event;
use crate::ids::{EnrollmentId, EventName, JourneyId, SubjectRef};
use crate::journey::{Journey, On, Reentry};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::subject::subject_of;
use crate::time::{LATE_DEFAULT, is_late};
use crate::value::{FieldPath, Fields, Root, Value, same};

use super::order::Ending;
use super::{
    CHAIN_LINK_MAX, CHAIN_MAX, CONSEQUENCES_PER_TURN_MAX, Change, Effect, Pending, RUNS_MAX,
    Starter, Turn,
};

impl Turn<'_> {
    /// Journeys that the event begins.
    pub(super) fn begin(&mut self, event: &Arc<Event>) {
        let world = self.world;
        for journey in world.triggered_by(&event.name) {
            let subject = match &journey.subject {
                None => None,
                Some(kind) => match subject_of(event, kind) {
                    Some(subject) => Some(subject),
                    None => {
                        self.not_enrolled(journey, Reason::NoSubject, None);
                        continue;
                    }
                },
            };
            if !self.admits(journey, subject.as_ref(), Some(event)) {
                self.not_enrolled(journey, Reason::WhereFalse, None);
            } else if is_late(
                event.at,
                self.now,
                &LATE_DEFAULT,
                &self.zone,
                &self.calendar,
            ) {
                // History that is imported, or found in a mailbox, begins nothing.
                self.not_enrolled(journey, Reason::Late, None);
            } else {
                self.enroll(journey, subject, Some(event.clone()));
            }
        }
    }

    pub(super) fn begin_for_contact(&mut self, journey: &Arc<Journey>) {
        if self.admits(journey, None, None) {
            self.enroll(journey, None, None);
        } else {
            self.not_enrolled(journey, Reason::WhereFalse, None);
        }
    }

    /// A person or a program begins a journey.
    pub(super) fn start(
        &mut self,
        id: &JourneyId,
        by: &Starter,
        subject: Option<&SubjectRef>,
        properties: &Fields,
    ) {
        let world = self.world;
        let allowed = world
            .current(id)
            .filter(|journey| may_be_started(journey, by));
        let Some(journey) = allowed else {
            let line = LedgerEntry {
                journey: Some(id.clone()),
                reason: Some(Reason::NoJourney),
                ..self.line(What::NotEnrolled)
            };
            self.ledger(line);
            return;
        };
        let of_kind = |subject: &&SubjectRef| Some(&subject.kind) == journey.subject.as_ref();
        let subject = subject.filter(of_kind);
        if journey.subject.is_some() && subject.is_none() {
            self.not_enrolled(journey, Reason::NoSubject, None);
            return;
        }
        let event = match &journey.trigger.on {
            On::Event(name) => match self.as_if_now(name, subject) {
                Ok(event) => event,
                Err(reason) => {
                    self.not_enrolled(journey, reason, None);
                    return;
                }
            },
            _asked => Event::track("", self.now),
        };
        let mut event = Event {
            subject: subject.cloned(),
            ..event
        };
        event.properties.extend(properties.clone());
        if !self.admits(journey, subject, Some(&event)) {
            self.not_enrolled(journey, Reason::WhereFalse, None);
            return;
        }
        // The run keeps what it was begun with; nothing in the log is its cause.
        self.enroll(journey, subject.cloned(), Some(Arc::new(event)));
    }

    /// What happened to an object before its journey was there, told as if it happened now: what is known of the
    /// object are its properties. Of a document nothing may have come yet.
    fn as_if_now(&self, name: &EventName, subject: Option<&SubjectRef>) -> Result<Event, Reason> {
        let object = subject.and_then(|subject| self.snapshot.objects.get(subject));
        let Some(object) = object else {
            return Err(Reason::NoSubject);
        };
        let is_document = object.subject.kind.as_str() == DOCUMENT;
        if is_document && !DocumentState::of(object).is_waiting() {
            return Err(Reason::Settled);
        }
        let mut event = Event::track(name.as_str(), self.now);
        let mut whole = object.fields.clone();
        whole.insert("id".to_owned(), object.id_value.clone());
        event.properties.extend(object.fields.clone());
        let kind = object.subject.kind.to_string();
        event.properties.insert(kind, Value::Object(whole));
        Ok(event)
    }

    /// What follows from what was decided: journeys that changes or steps begin, conditions that hold now.
    pub(super) fn settle_down(&mut self) {
        // What the input itself brought about is no loop, however much it is; what follows from it may be.
        let mut left = self.pending.len() + CONSEQUENCES_PER_TURN_MAX as usize;
        loop {
            self.tell_segments();
            self.recheck();
            let Some((link, pending)) = self.pending.pop_front() else {
                return;
            };
            let Some(fewer) = left.checked_sub(1) else {
                self.too_many_consequences(pending);
                return;
            };
            left = fewer;
            self.link = link;
            match pending {
                Pending::Changed(change) => {
                    self.arm_dates(&change);
                    self.changed(&change);
                }
                Pending::ChangedQuietly(change) => self.arm_dates(&change),
                Pending::Turned {
                    segment,
                    member,
                    quiet,
                } => self.follow_turn(&segment, member, quiet),
                Pending::Enroll {
                    journey,
                    subject,
                    cause,
                } => self.begin_by_step(&journey, subject, cause),
            }
            self.link = None;
        }
    }

    /// One beginning brought about the next, again and again.
    fn too_many_consequences(&mut self, first: Pending) {
        let rest = std::mem::take(&mut self.pending);
        let rest = rest.into_iter().map(|(_, pending)| pending);
        let world = self.world;
        for pending in std::iter::once(first).chain(rest) {
            match pending {
                Pending::Enroll { journey, .. } => {
                    let line = LedgerEntry {
                        journey: Some(journey),
                        reason: Some(Reason::Loop),
                        ..self.line(What::NotEnrolled)
                    };
                    self.ledger(line);
                }
                Pending::ChangedQuietly(change) => self.arm_dates(&change),
                Pending::Turned {
                    segment,
                    member,
                    quiet,
                } => {
                    self.follow_turn(&segment, member, true);
                    let hears = world.triggered_by_segment(&segment, member);
                    for journey in hears.iter().filter(|_| !quiet) {
                        self.not_enrolled(journey, Reason::Loop, None);
                    }
                }
                Pending::Changed(change) => {
                    // A date is awaited all the same: that begins nothing now.
                    self.arm_dates(&change);
                    for journey in world.triggered_by_change(change.kind(), &change.name) {
                        self.not_enrolled(journey, Reason::Loop, None);
                    }
                }
            }
        }
    }

    fn begin_by_step(
        &mut self,
        id: &JourneyId,
        subject: Option<SubjectRef>,
        cause: Option<Arc<Event>>,
    ) {
        let world = self.world;
        let Some(journey) = world.current(id) else {
            let line = LedgerEntry {
                journey: Some(id.clone()),
                reason: Some(Reason::NoJourney),
                ..self.line(What::NotEnrolled)
            };
            self.ledger(line);
            return;
        };
        let subject = subject.filter(|subject| Some(&subject.kind) == journey.subject.as_ref());
        if journey.subject.is_some() && subject.is_none() {
            self.not_enrolled(journey, Reason::NoSubject, None);
        } else if !self.admits(journey, subject.as_ref(), cause.as_deref()) {
            self.not_enrolled(journey, Reason::WhereFalse, None);
        } else {
            self.enroll(journey, subject, cause);
        }
    }

    /// Dates that a trait, or a field of an object, holds are awaited.
    fn arm_dates(&mut self, change: &Change) {
        let world = self.world;
        for journey in world.dated_by(change.kind(), &change.name) {
            self.arm_date(journey, change.subject.clone());
        }
    }

    /// A trait, or a field of an object, is not what it was.
    fn changed(&mut self, change: &Change) {
        let world = self.world;
        let subject = change.subject.as_ref();
        for journey in world.triggered_by_change(change.kind(), &change.name) {
            let On::Changed { path, from, to } = &journey.trigger.on else {
                continue;
            };
            let value_in = |value: &'_ Option<Value>| {
                let found = path.below(value.as_ref()?);
                found.filter(|value| !value.is_null()).cloned()
            };
            let (was, is) = (value_in(&change.before), value_in(&change.after));
            if was == is {
                continue;
            }
            let is_value = |wanted: &Option<Value>, found: &Option<Value>| {
                wanted.as_ref().is_none_or(|wanted| match found {
                    Some(found) => same(found, wanted),
                    None => wanted.is_null(),
                })
            };
            if !is_value(from, &was) || !is_value(to, &is) {
                continue;
            }
            // A change that another journey's object tells of begins nothing about this contact alone.
            let about = journey.subject.as_ref().and(subject).cloned();
            if journey.subject.is_some() && about.is_none() {
                self.not_enrolled(journey, Reason::NoSubject, None);
            } else if self.admits(journey, about.as_ref(), None) {
                self.enroll(journey, about, None);
            } else {
                self.not_enrolled(journey, Reason::WhereFalse, None);
            }
        }
    }

    /// The value that a path leads to now.
    pub(super) fn value_at(
        &self,
        path: &FieldPath,
        subject: Option<&SubjectRef>,
    ) -> Option<&Value> {
        let found = match path.root {
            Root::Contact => self.snapshot.contact.find(path),
            Root::Subject => path.find(&self.snapshot.objects.get(subject?)?.fields),
            Root::Event => None,
        };
        found.filter(|value| !value.is_null())
    }

    fn admits(
        &self,
        journey: &Journey,
        subject: Option<&SubjectRef>,
        event: Option<&Event>,
    ) -> bool {
        journey.trigger.filter.holds(&self.scene(subject, event))
    }

    /// Begins a run, if the trigger's condition holds and nothing speaks against it.
    pub(super) fn enroll_if_admitted(
        &mut self,
        journey: &Arc<Journey>,
        subject: Option<SubjectRef>,
    ) {
        if self.admits(journey, subject.as_ref(), None) {
            self.enroll(journey, subject, None);
        } else {
            self.not_enrolled(journey, Reason::WhereFalse, None);
        }
    }

    /// Begins a run, unless something speaks against it.
    pub(super) fn enroll(
        &mut self,
        journey: &Arc<Journey>,
        subject: Option<SubjectRef>,
        cause: Option<Arc<Event>>,
    ) {
        if let Some((reason, until)) = self.against(journey, subject.as_ref()) {
            self.not_enrolled(journey, reason, until);
            return;
        }
        if self.answers_too_many() {
            self.not_enrolled(journey, Reason::Loop, None);
            return;
        }
        self.note_mail_at_hand();
        let contact = &self.snapshot.contact;
        let id = EnrollmentId {
            contact: contact.id,
            number: contact.enrollments + 1,
        };
        let everywhere = self.world.policy.holdout;
        let held_out = self.world.in_share(
            contact,
            journey.id.as_str(),
            journey.holdout.by,
            journey.holdout.permille,
        );
        let held_out_of_all =
            self.world
                .in_share(contact, ALL_JOURNEYS, everywhere.by, everywhere.permille);
        let goal_until = journey
            .goal
            .as_ref()
            .map(|goal| goal.within.add(self.now, &self.zone, &self.calendar));
        let run = Enrollment {
            id,
            journey: journey.id.clone(),
            version: journey.version,
            subject: subject.clone(),
            entered_at: self.now,
            cause,
            held_out,
            converted_at: None,
            goal_until,
            variant: None,
            chain: self.chain(),
            state: EnrollmentState::Finished { at: self.now },
        };
        self.put_contact(|contact| contact.enrollments += 1);
        self.emit(Effect::Entry(Entry {
            journey: journey.id.clone(),
            subject,
            at: self.now,
        }));
        let mut line = self.run_line(&run, What::Enrolled);
        line.reason = (held_out || held_out_of_all).then_some(Reason::Holdout);
        line.detail = held_out_of_all.then(|| ALL_JOURNEYS.to_owned());
        self.ledger(line);
        let overtaken = self
            .began_by_input(&run)
            .then(|| self.overtaken_by(&run, journey));
        match overtaken.flatten() {
            Some(Ending::Goal(event)) => self.convert(run, &event, !held_out),
            Some(Ending::Exit(event)) if !held_out => {
                self.exit(run, ExitReason::Event(event), Reason::ExitEvent);
            }
            Some(Ending::Exit(_)) | None if held_out => self.put_run(run),
            Some(Ending::Exit(_)) | None => self.follow(run, journey, journey.first, self.now),
        }
    }

    /// Whether a run begins now and by the event at hand. One that a step begins later has its cause for
    /// its templates alone: what happened before it began is old news.
    pub(super) fn began_by_input(&self, run: &Enrollment) -> bool {
        let is_at_hand = |cause: &Arc<Event>| {
            let input = self.at_hand.as_ref();
            input.is_some_and(|event| Arc::ptr_eq(event, cause))
        };
        run.entered_at == self.now && run.cause.as_ref().is_some_and(is_at_hand)
    }

    /// How many runs began one another up to one that begins now.
    fn chain(&self) -> u16 {
        match self.link {
            Some(link) if self.now.duration_since(link.entered_at) <= CHAIN_LINK_MAX => {
                link.chain.saturating_add(1)
            }
            Some(_) | None => 0,
        }
    }

    /// What speaks against a new run, and until when.
    fn against(
        &self,
        journey: &Journey,
        subject: Option<&SubjectRef>,
    ) -> Option<(Reason, Option<Timestamp>)> {
        let contact = &self.snapshot.contact;
        if contact.erased {
            return Some((Reason::Erased, None));
        }
        if let Some(address) = contact.address(Channel::Email)
            && self.world.policy.is_internal(Channel::Email, address)
        {
            return Some((Reason::Internal, None));
        }
        if self.world.is_paused(&journey.id) {
            return Some((Reason::Paused, None));
        }
        let running = |run: &&Enrollment| run.journey == journey.id && run.is_running();
        if self
            .snapshot
            .enrollments
            .iter()
            .filter(running)
            .any(|run| run.subject.as_ref() == subject)
        {
            return Some((Reason::AlreadyEnrolled, None));
        }
        match &journey.reentry {
            Reentry::Once if self.snapshot.last_entry(&journey.id, None).is_some() => {
                return Some((Reason::Reentry, None));
            }
            // A newer version is sent to be answered anew, also where the one before was.
            Reentry::OncePerSubject
                if self.snapshot.last_entry(&journey.id, subject).is_some()
                    && !self.at_hand.as_ref().is_some_and(|event| {
                        event.is_newer_version() && event.subject.as_ref() == subject
                    }) =>
            {
                return Some((Reason::Reentry, None));
            }
            Reentry::After(delay) => {
                if let Some(entry) = self.snapshot.last_entry(&journey.id, subject) {
                    let free = delay.add(entry.at, &self.zone, &self.calendar);
                    if free > self.now {
                        return Some((Reason::Reentry, Some(free)));
                    }
                }
            }
            Reentry::Once | Reentry::OncePerSubject | Reentry::Always => {}
        }
        if self.chain() > CHAIN_MAX {
            return Some((Reason::Loop, None));
        }
        if self.snapshot.enrollments.len() >= RUNS_MAX {
            return Some((Reason::TooMany, None));
        }
        None
    }

    pub(super) fn not_enrolled(
        &mut self,
        journey: &Journey,
        reason: Reason,
        until: Option<Timestamp>,
    ) {
        let line = LedgerEntry {
            journey: Some(journey.id.clone()),
            reason: Some(reason),
            until,
            ..self.line(What::NotEnrolled)
        };
        self.ledger(line);
    }
}

/// The experiment of the workspace's own control group, over all journeys.
pub const ALL_JOURNEYS: &str = "*";

/// Who may begin runs of a journey. A person follows up what was there before a journey that waits for its event.
fn may_be_started(journey: &Journey, by: &Starter) -> bool {
    match (&journey.trigger.on, by) {
        (On::Manual, Starter::Person(_)) | (On::Api, Starter::Program) => true,
        (On::Event(_), Starter::Person(_)) => journey.subject.is_some(),
        (
            On::Manual
            | On::Api
            | On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Inactive { .. }
            | On::Date { .. }
            | On::Schedule { .. },
            Starter::Person(_) | Starter::Program,
        ) => false,
    }
}
