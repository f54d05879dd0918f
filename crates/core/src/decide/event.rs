//! An event: what it changes, what it ends, what it answers, what it begins. In this order, so that
//! an event that begins a run is not also taken for the answer that run will wait for.

use std::sync::Arc;

use crate::condition::Scene;
use crate::contact::{Channel, Consent, SuppressionReason, TRAITS_MAX};
use crate::enrollment::{Enrollment, EnrollmentState, Entry, ExitReason};
use crate::event::{Event, names};
use crate::ids::{EnrollmentId, EventName, MailboxId, SubjectRef, Topic};
use crate::journey::{Journey, Reentry, StepKind, Trigger};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::subject::{Object, concerns, merge_fields, patch_of, subject_of};
use crate::time::{LATE_DEFAULT, is_late};
use crate::value::Value;
use crate::watch::Watch;

use super::order::Ending;
use super::{Effect, RUNS_MAX, Timer, TimerKind, Turn};

impl Turn<'_> {
    pub(super) fn event(&mut self, event: &Arc<Event>) {
        self.emit(Effect::Event(event.clone()));
        self.learn(event);
        // R7: what a machine did is recorded and drives nothing.
        if event.by_machine() {
            return;
        }
        self.obey(event);
        self.interrupt_by(event);
        self.answer(event);
        self.watch(event);
        self.begin(event);
    }

    /// Traits, objects and mailboxes that the event tells of.
    fn learn(&mut self, event: &Arc<Event>) {
        // Whoever is erased stays forgotten.
        if self.snapshot.contact.erased {
            return;
        }
        if let Some(traits) = &event.traits {
            let mut merged = self.snapshot.contact.traits.clone();
            if merge_fields(&mut merged, traits, TRAITS_MAX) {
                self.put_contact(|contact| contact.traits = merged);
                self.zone = self.world.zone_of(&self.snapshot.contact);
                self.calendar = self.world.calendar_of(&self.snapshot.contact);
            }
        }
        let told = self
            .world
            .kinds
            .iter()
            .filter(|kind| {
                !event
                    .objects
                    .iter()
                    .any(|patch| patch.subject.kind == **kind)
            })
            .filter_map(|kind| patch_of(event, kind));
        for patch in told
            .chain(event.objects.iter().cloned())
            .collect::<Vec<_>>()
        {
            let mut object = match self.snapshot.objects.get(&patch.subject) {
                Some(object) => object.clone(),
                None => Object::new(patch.subject.clone(), event.at),
            };
            let is_new = !self.snapshot.objects.contains_key(&patch.subject);
            if object.merge(&patch.fields, event.at) || is_new {
                self.emit(Effect::Object(object));
            }
        }
        // Only mailboxes that are really watched: a stranger's word must not hold reminders (R1).
        if let Some(mailbox) = event.properties.get("mailbox").and_then(Value::as_str)
            && self.world.synced.contains_key(mailbox)
            && !self.snapshot.contact.mailboxes.contains(mailbox)
        {
            let mailbox = MailboxId::from(mailbox);
            self.put_contact(|contact| {
                contact.mailboxes.insert(mailbox);
            });
        }
    }

    /// Events that are also orders: unsubscribe, complaint, bounce for good.
    fn obey(&mut self, event: &Event) {
        match event.name.as_str() {
            names::UNSUBSCRIBED => {
                let topic = event
                    .properties
                    .get("topic")
                    .and_then(Value::as_str)
                    .map(Topic::from);
                self.consent(Channel::Email, topic.as_ref(), Consent::Denied);
            }
            names::EMAIL_MARKED_AS_SPAM => {
                self.suppress(Channel::Email, SuppressionReason::Complaint);
            }
            names::EMAIL_BOUNCED
                if event
                    .properties
                    .get("class")
                    .is_some_and(|class| class == "hard") =>
            {
                self.suppress(Channel::Email, SuppressionReason::HardBounce);
            }
            _other_event => {}
        }
    }

    /// Goals and exits of live runs (R2).
    fn interrupt_by(&mut self, event: &Arc<Event>) {
        for run in self.snapshot.enrollments.clone() {
            let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
                continue;
            };
            // What happened before the run began is old news: a mailbox is read backwards at first.
            if event.at < run.began_at() {
                continue;
            }
            let concerned = concerns(event, run.subject.as_ref());
            if let Some(goal) = &journey.goal
                && run.converted_at.is_none()
                && run.goal_until.is_none_or(|until| self.now <= until)
                && goal.event == event.name
                && concerned
                && goal
                    .filter
                    .holds(&self.scene(run.subject.as_ref(), Some(event)))
            {
                let is_running = run.is_running();
                self.convert(run, &event.name, is_running);
                continue;
            }
            if !run.is_running() {
                continue;
            }
            let ended = journey.exits.iter().any(|exit| {
                exit.event == event.name
                    && (concerned || exit.any)
                    && exit
                        .filter
                        .holds(&self.scene(run.subject.as_ref(), Some(event)))
            });
            if ended {
                self.exit(
                    run,
                    ExitReason::Event(event.name.clone()),
                    Reason::ExitEvent,
                );
            }
        }
    }

    fn convert(&mut self, mut run: Enrollment, event: &EventName, is_running: bool) {
        run.converted_at = Some(self.now);
        let mut line = self.run_line(&run, What::Converted);
        line.reason = run.held_out.then_some(Reason::Holdout);
        line.detail = Some(event.to_string());
        self.ledger(line);
        if is_running {
            self.exit(run, ExitReason::Goal(event.clone()), Reason::Goal);
        } else {
            self.put_run(run);
        }
    }

    /// Runs that wait for this.
    fn answer(&mut self, event: &Arc<Event>) {
        for run in self.snapshot.enrollments.clone() {
            if event.at < run.began_at() {
                continue;
            }
            let EnrollmentState::Listening { step, .. } = &run.state else {
                self.answer_late(run, event);
                continue;
            };
            let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
                continue;
            };
            let Some(ix) = journey.find(step) else {
                continue;
            };
            let StepKind::WaitFor {
                event: awaited,
                filter,
                then,
                ..
            } = &journey.step(ix).kind
            else {
                continue;
            };
            if *awaited == event.name
                && concerns(event, run.subject.as_ref())
                && filter.holds(&self.scene(run.subject.as_ref(), Some(event)))
            {
                let mut line = self.run_line(&run, What::Came);
                line.step = Some(step.clone());
                line.detail = Some(event.name.to_string());
                self.ledger(line);
                self.follow(run, &journey, *then, self.now);
            }
        }
    }

    /// Arms the timers of `inactive` journeys, each only once: further activity rewrites nothing.
    fn watch(&mut self, event: &Event) {
        let world = self.world;
        for journey in world.inactive_by(&event.name) {
            let Trigger::Inactive { after, .. } = &journey.trigger else {
                continue;
            };
            let subject = match &journey.subject {
                None => None,
                Some(kind) => match subject_of(event, kind) {
                    Some(subject) => Some(subject),
                    None => continue,
                },
            };
            let due_at = after.add(event.at.min(self.now), &self.zone, &self.calendar);
            let watch = Watch {
                journey: journey.id.clone(),
                subject,
                due_at,
            };
            if self
                .snapshot
                .watches
                .iter()
                .any(|old| old.hash() == watch.hash())
            {
                continue;
            }
            self.arm_watch(watch);
        }
    }

    fn arm_watch(&mut self, watch: Watch) {
        let kind = TimerKind::Watch(watch.hash());
        self.emit(Effect::Arm(Timer {
            due_at: watch.due_at,
            kind,
        }));
        self.emit(Effect::Watch(watch));
    }

    /// The moment came at which awaited activity is missed, unless it happened meanwhile.
    pub(super) fn watch_timer(&mut self, watch: Watch) {
        let kind = TimerKind::Watch(watch.hash());
        self.emit(Effect::Disarm(Timer {
            due_at: watch.due_at,
            kind,
        }));
        let journey = self.world.current(&watch.journey).cloned();
        let Some((
            journey,
            Trigger::Inactive {
                event,
                after,
                filter,
            },
        )) = journey.as_ref().map(|journey| (journey, &journey.trigger))
        else {
            self.emit(Effect::Unwatch(watch));
            return;
        };
        let last = match event {
            None => self.snapshot.last_event_at,
            Some(name) => self
                .snapshot
                .history
                .of(name)
                .filter(|event| concerns(event, watch.subject.as_ref()))
                .map(|event| event.at)
                .last(),
        };
        if let Some(last) = last {
            let due_at = after.add(last.min(self.now), &self.zone, &self.calendar);
            if due_at > self.now {
                self.arm_watch(Watch { due_at, ..watch });
                return;
            }
        }
        self.emit(Effect::Unwatch(watch.clone()));
        if is_late(
            watch.due_at,
            self.now,
            &LATE_DEFAULT,
            &self.zone,
            &self.calendar,
        ) {
            // Inactivity that is found in imported history begins nothing.
            self.not_enrolled(journey, Reason::Late, None);
        } else if filter.holds(&self.scene(watch.subject.as_ref(), None)) {
            self.enroll(journey, watch.subject, None);
        } else {
            self.not_enrolled(journey, Reason::WhereFalse, None);
        }
    }

    /// Journeys that the event begins.
    fn begin(&mut self, event: &Arc<Event>) {
        let world = self.world;
        for journey in world.triggered_by(&event.name) {
            let Trigger::Event { filter, .. } = &journey.trigger else {
                continue;
            };
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
            if !filter.holds(&self.scene(subject.as_ref(), Some(event))) {
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
        let contact = &self.snapshot.contact;
        let id = EnrollmentId {
            contact: contact.id,
            number: contact.enrollments + 1,
        };
        let held_out = self
            .world
            .in_share(contact, journey.id.as_str(), journey.holdout_permille);
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
            state: EnrollmentState::Finished { at: self.now },
        };
        self.put_contact(|contact| contact.enrollments += 1);
        self.emit(Effect::Entry(Entry {
            journey: journey.id.clone(),
            subject,
            at: self.now,
        }));
        let mut line = self.run_line(&run, What::Enrolled);
        line.reason = held_out.then_some(Reason::Holdout);
        self.ledger(line);
        match self.overtaken_by(&run, journey) {
            Some(Ending::Goal(event)) => self.convert(run, &event, !held_out),
            Some(Ending::Exit(event)) if !held_out => {
                self.exit(run, ExitReason::Event(event), Reason::ExitEvent);
            }
            Some(Ending::Exit(_)) | None if held_out => self.put_run(run),
            Some(Ending::Exit(_)) | None => self.follow(run, journey, journey.first, self.now),
        }
    }

    /// What speaks against a new run, and until when.
    fn against(
        &self,
        journey: &Journey,
        subject: Option<&SubjectRef>,
    ) -> Option<(Reason, Option<jiff::Timestamp>)> {
        let contact = &self.snapshot.contact;
        if contact.erased {
            return Some((Reason::Erased, None));
        }
        if let Some(address) = contact.address(Channel::Email)
            && self.world.policy.is_internal(Channel::Email, address)
        {
            return Some((Reason::Internal, None));
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
            Reentry::OncePerSubject if self.snapshot.last_entry(&journey.id, subject).is_some() => {
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
        if self.snapshot.enrollments.len() >= RUNS_MAX {
            return Some((Reason::TooMany, None));
        }
        None
    }

    fn not_enrolled(&mut self, journey: &Journey, reason: Reason, until: Option<jiff::Timestamp>) {
        let line = LedgerEntry {
            journey: Some(journey.id.clone()),
            reason: Some(reason),
            until,
            ..self.line(What::NotEnrolled)
        };
        self.ledger(line);
    }

    /// What conditions of a run are evaluated over.
    pub(super) fn scene<'s>(
        &'s self,
        subject: Option<&SubjectRef>,
        event: Option<&'s Event>,
    ) -> Scene<'s> {
        Scene {
            contact: &self.snapshot.contact,
            subject: subject.and_then(|subject| self.snapshot.objects.get(subject)),
            event,
            history: &self.snapshot.history,
            zone: &self.zone,
            calendar: &self.calendar,
            now: self.now,
        }
    }
}
