//! An event: what it changes, what it ends, what it answers, what it begins. In this order, so that
//! an event that begins a run is not also taken for the answer that run will wait for.

use std::sync::Arc;

use crate::condition::Scene;
use crate::contact::{Channel, Consent, SuppressionReason};
use crate::enrollment::{Enrollment, EnrollmentState, ExitReason};
use crate::event::{Event, names};
use crate::ids::{EventName, MailboxId, SubjectRef, TouchpointId};
use crate::journey::{Awaited, AwaitedThing, Next, Step, StepKind};
use crate::ledger::{Reason, What};
use crate::subject::{concerns, patch_of};
use crate::value::Value;

use super::run::VISIT;
use super::{Effect, Turn};

/// What shows that a message was opened; its property `touchpoint` names the message.
pub(crate) const SIGNS_OF_OPENING: [&str; 2] = [names::EMAIL_OPENED, names::EMAIL_LINK_CLICKED];

impl Turn<'_> {
    pub(super) fn event(&mut self, event: &Arc<Event>) {
        // Of whoever is erased nothing is noted but that nothing began.
        if self.snapshot.contact.erased {
            self.begin(event);
            return;
        }
        self.emit(Effect::Event(event.clone()));
        self.at_hand = Some(event.clone());
        let before = self.known_before();
        self.learn(event);
        self.touch_event();
        // R7: what a machine did is recorded and drives nothing.
        if event.by_machine() {
            return;
        }
        if event.is_wish_in_words() {
            // Before messages are called back: their runs would go on to the next.
            self.end_unwanted();
        }
        self.obey(event);
        self.tell_owner(event, before);
        self.steer(event);
        self.interrupt_by(event);
        self.followed_up(event);
        self.answer(event);
        self.watch(event);
        self.begin(event);
    }

    /// An event about an object of this contact's happened to another contact.
    pub(super) fn echo(&mut self, event: &Arc<Event>) {
        if self.snapshot.contact.erased {
            return;
        }
        self.emit(Effect::Event(event.clone()));
        self.learn_objects(event);
        self.tell_segments();
        if event.by_machine() {
            return;
        }
        self.steer(event);
        self.interrupt_by(event);
        self.answer(event);
    }

    /// Traits, objects and mailboxes that the event tells of.
    fn learn(&mut self, event: &Arc<Event>) {
        // Whoever is erased stays forgotten.
        if self.snapshot.contact.erased {
            return;
        }
        if let Some(traits) = &event.traits {
            self.tell_traits(traits);
        }
        if let Some(told) = event.account() {
            self.tell_account(told, event.at);
        }
        self.learn_objects(event);
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

    fn learn_objects(&mut self, event: &Event) {
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
            self.tell_object(&patch.subject, &patch.fields, event.at);
        }
    }

    /// Events that are also orders: subscribe, unsubscribe, complaint, bounce for good.
    fn obey(&mut self, event: &Event) {
        match event.name.as_str() {
            names::UNSUBSCRIBED => self.obey_consent(event, Consent::Denied),
            names::SUBSCRIBED => self.obey_consent(event, Consent::Granted),
            names::EMAIL_MARKED_AS_SPAM => {
                self.suppress(Channel::Email, SuppressionReason::Complaint);
            }
            names::EMAIL_BOUNCED if is_hard_bounce(event) => {
                self.suppress(Channel::Email, SuppressionReason::HardBounce);
            }
            _other_event => {}
        }
    }

    /// Goals and exits of live runs (R2).
    fn interrupt_by(&mut self, event: &Arc<Event>) {
        let world = self.world;
        let turned = world.turned_by(&event.name);
        let meant = |run: &Enrollment| {
            turned.contains(&run.journey)
                && world
                    .journey(&run.journey, run.version)
                    .is_some_and(|journey| {
                        journey.exits.iter().any(|exit| exit.event == event.name)
                            || journey
                                .goal
                                .as_ref()
                                .is_some_and(|goal| goal.event == event.name)
                    })
        };
        for id in self.runs_where(meant) {
            let Some(run) = self.snapshot.enrollment(id).cloned() else {
                continue;
            };
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

    pub(super) fn convert(&mut self, mut run: Enrollment, event: &EventName, is_running: bool) {
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
        let turned = self.world.turned_by(&event.name);
        debug_assert!(
            self.runs_where(|run| !turned.contains(&run.journey) && self.listens_to(run, event))
                .is_empty(),
            "an answer would be lost: its name is missing among the signs of receipt"
        );
        for id in self.runs_where(|run| turned.contains(&run.journey) && run.is_running()) {
            let Some(run) = self.snapshot.enrollment(id) else {
                continue;
            };
            if event.at < run.began_at() {
                continue;
            }
            let EnrollmentState::Listening { step, .. } = &run.state else {
                self.answer_late(id, event);
                continue;
            };
            let Some(journey) = self.world.journey(&run.journey, run.version) else {
                continue;
            };
            let Some(ix) = journey.find(step) else {
                continue;
            };
            let step = journey.step(ix);
            let Some(then) = self.answered(run, step, event) else {
                continue;
            };
            let (run, journey) = (run.clone(), journey.clone());
            let mut line = self.step_line(&run, journey.step(ix), What::Came);
            line.detail = Some(event.name.to_string());
            self.ledger(line);
            self.follow(run, &journey, then, self.now);
        }
    }

    fn listens_to(&self, run: &Enrollment, event: &Event) -> bool {
        let EnrollmentState::Listening { step, .. } = &run.state else {
            return false;
        };
        let journey = self.world.journey(&run.journey, run.version);
        journey.is_some_and(|journey| {
            let step = journey.find(step).map(|ix| journey.step(ix));
            step.is_some_and(|step| self.answered(run, step, event).is_some())
        })
    }

    /// Which of the things that a step waits for an event is.
    pub(super) fn awaited_by<'j>(
        &self,
        awaited: &'j [Awaited],
        subject: Option<&SubjectRef>,
        event: &Event,
    ) -> Option<&'j Awaited> {
        awaited.iter().find(|one| match &one.what {
            AwaitedThing::Event {
                event: name,
                filter,
                ..
            } => {
                *name == event.name
                    && concerns(event, subject)
                    && filter.holds(&self.scene(subject, Some(event)))
            }
            AwaitedThing::Condition(_) => false,
        })
    }

    /// Where a run that listens at a step goes on by an event. What is looked for here by name stands in
    /// [`SIGNS_OF_RECEIPT`](crate::journey::SIGNS_OF_RECEIPT), or the run is never asked.
    fn answered(&self, run: &Enrollment, step: &Step, event: &Event) -> Option<Next> {
        let subject = run.subject.as_ref();
        match &step.kind {
            StepKind::WaitFor { awaited, .. } => {
                Some(self.awaited_by(awaited, subject, event)?.then)
            }
            StepKind::Send { otherwise, .. } => {
                // It was sent, and counts as received once there is a sign of life.
                let seen = match event.name.as_str() {
                    names::EMAIL_OPENED | names::EMAIL_LINK_CLICKED => {
                        self.is_about_message(run, step, event)
                    }
                    names::REPLIED => concerns(event, subject),
                    // It did not arrive: nobody will open it.
                    names::EMAIL_BOUNCED if is_hard_bounce(event) => return Some(*otherwise),
                    _other_event => false,
                };
                seen.then_some(step.next)
            }
            StepKind::Wait(_)
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
    }

    /// Whether the message that a run sent at a step was opened already.
    pub(super) fn is_opened(&self, run: &Enrollment, step: &Step) -> bool {
        SIGNS_OF_OPENING.into_iter().any(|name| {
            let name = EventName::from(name);
            let mut events = self.snapshot.history.of(&name);
            events.any(|event| !event.by_machine() && self.is_about_message(run, step, event))
        })
    }

    /// Whether an open or click is of the message that a run sent at a step, whatever the step was called
    /// then.
    fn is_about_message(&self, run: &Enrollment, step: &Step, event: &Event) -> bool {
        let told = event.properties.get(names::TOUCHPOINT);
        let told = told.and_then(Value::as_str);
        let keys = self
            .world
            .earlier_keys(&run.journey, run.version, &step.key);
        keys.iter().any(|key| {
            let id = TouchpointId::derive(run.id, key.as_str(), VISIT);
            told == Some(id.to_string().as_str())
        })
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
            memberships: &self.snapshot.memberships,
            objects: &self.snapshot.objects,
            rfm: self.world.rfm.as_ref(),
            zone: &self.zone,
            calendar: &self.calendar,
            now: self.now,
        }
    }
}

/// Whether a mail was refused for good.
fn is_hard_bounce(event: &Event) -> bool {
    let class = event.properties.get("class");
    class.is_some_and(|class| class == "hard")
}
