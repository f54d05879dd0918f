//! What the one half did concerns the runs of the other: a reply to the one address ends the reminder to
//! the other (R1), a refusal calls its messages back (R2), and no content is sent twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::contact::{Consent, SuppressionReason};
use crate::decide::Turn;
use crate::decide::gate::After;
use crate::enrollment::{Enrollment, EnrollmentState, Entry, ExitReason};
use crate::event::{Event, History, names};
use crate::ids::{EnrollmentId, EventName, ItemId, JourneyId, ListId, SubjectRef, TouchpointId};
use crate::journey::{Journey, Next, Recipient, Step, StepKind};
use crate::ledger::{Reason, What};
use crate::subject::concerns;
use crate::touchpoint::{Slot, Touchpoint};
use crate::world::World;

/// What one half did and ran.
pub(super) struct Past {
    /// Events that may turn a run of either half, oldest first; those of machines are left out (R7).
    events: Vec<Arc<Event>>,
    entered: BTreeSet<(JourneyId, Option<SubjectRef>)>,
}

impl Past {
    pub(super) fn new(names: &BTreeSet<EventName>, history: &History, entries: &[Entry]) -> Self {
        let mut events: Vec<_> = names
            .iter()
            .flat_map(|name| history.of(name))
            .filter(|event| !event.by_machine())
            .map(|event| Arc::new(event.clone()))
            .collect();
        events.sort_by_key(|event| event.at);
        let entered = entries
            .iter()
            .map(|entry| (entry.journey.clone(), entry.subject.clone()));
        Self {
            events,
            entered: entered.collect(),
        }
    }

    fn entered(&self, run: &Enrollment) -> bool {
        let key = (run.journey.clone(), run.subject.clone());
        self.entered.contains(&key)
    }
}

/// Names of the events that may turn a run.
pub(super) fn turning_names(world: &World, runs: &[Enrollment]) -> BTreeSet<EventName> {
    let journeys = runs
        .iter()
        .filter_map(|run| world.journey(&run.journey, run.version));
    journeys
        .flat_map(|journey| journey.turning_names().cloned())
        .collect()
}

impl Turn<'_> {
    /// Tells a run what the other half did since it began, as if it were told late.
    pub(super) fn hear(&mut self, id: EnrollmentId, other: &Past) {
        let Some(run) = self.snapshot.enrollment(id) else {
            return;
        };
        let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
            return;
        };
        let names: BTreeSet<&EventName> = journey.turning_names().collect();
        let began_at = run.began_at();
        for event in &other.events {
            if event.at < began_at || !names.contains(&event.name) {
                continue;
            }
            let Some(run) = self.snapshot.enrollment(id).cloned() else {
                return;
            };
            if !self.ended_by(&run, &journey, event, other) {
                self.turned_by(run, &journey, event);
            }
        }
    }

    /// Goals and exits. Says whether the event was one of them.
    fn ended_by(
        &mut self,
        run: &Enrollment,
        journey: &Journey,
        event: &Event,
        other: &Past,
    ) -> bool {
        let subject = run.subject.as_ref();
        let concerned = concerns(event, subject);
        let scene = self.scene(subject, Some(event));
        let is_goal = journey.goal.as_ref().is_some_and(|goal| {
            goal.event == event.name
                && concerned
                && run.converted_at.is_none()
                && run.goal_until.is_none_or(|until| event.at <= until)
                && goal.filter.holds(&scene)
        });
        let is_exit = journey.exits.iter().any(|exit| {
            exit.event == event.name && (concerned || exit.any) && exit.filter.holds(&scene)
        });
        // Where the other half ran the journey itself, the conversion is counted there.
        if is_goal && !other.entered(run) {
            self.convert(run.clone(), &event.name, run.is_running());
        } else if is_goal && run.is_running() {
            let mut run = run.clone();
            run.goal_until = None;
            self.exit(run, ExitReason::Goal(event.name.clone()), Reason::Goal);
        } else if is_exit && run.is_running() {
            let reason = ExitReason::Event(event.name.clone());
            self.exit(run.clone(), reason, Reason::ExitEvent);
        } else {
            return false;
        }
        true
    }

    /// What a run waits for.
    fn turned_by(&mut self, run: Enrollment, journey: &Arc<Journey>, event: &Arc<Event>) {
        let EnrollmentState::Listening { step, .. } = &run.state else {
            self.answer_late(run.id, event);
            return;
        };
        let Some(step) = journey.find(step).map(|ix| journey.step(ix)) else {
            return;
        };
        let Some(then) = self.heard(&run, step, event) else {
            return;
        };
        let mut line = self.step_line(&run, step, What::Came);
        line.detail = Some(event.name.to_string());
        self.ledger(line);
        self.follow(run, journey, then, self.now);
    }

    fn heard(&self, run: &Enrollment, step: &Step, event: &Event) -> Option<Next> {
        let subject = run.subject.as_ref();
        match &step.kind {
            StepKind::WaitFor { awaited, .. } => {
                Some(self.awaited_by(awaited, subject, event)?.then)
            }
            // Its message was the one half's: the other can have answered, not opened it.
            StepKind::Send { .. } => {
                let answered = event.name.as_str() == names::REPLIED && concerns(event, subject);
                answered.then_some(step.next)
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

    /// Calls back what the one half refused and the other had under way (R2).
    pub(super) fn call_back_unwelcome(&mut self) {
        for touchpoint in self.snapshot.touchpoints.clone() {
            if let Some((reason, after)) = self.unwelcome(&touchpoint) {
                for id in self.withdraw(|one| one.id == touchpoint.id, reason) {
                    self.past_send(id, after);
                }
            }
        }
    }

    fn unwelcome(&self, touchpoint: &Touchpoint) -> Option<(Reason, After)> {
        if touchpoint.recipient != Recipient::Contact {
            return None;
        }
        let contact = &self.snapshot.contact;
        match contact.suppressed.get(&touchpoint.channel) {
            Some(SuppressionReason::HardBounce) => {
                return Some((Reason::HardBounce, After::NotReached));
            }
            Some(SuppressionReason::Complaint) => return Some((Reason::Complaint, After::GoOn)),
            Some(SuppressionReason::Manual) => return Some((Reason::Suppressed, After::GoOn)),
            None => {}
        }
        let facts = self.world.templates.get(&touchpoint.template);
        let is_service = facts.is_some_and(|facts| facts.service);
        if touchpoint.is_confirmation() || (self.world.policy.service.consent && is_service) {
            return None;
        }
        let topic = self.mark(touchpoint, self.now).topic;
        let answers = [
            contact.channel_consents.get(&touchpoint.channel),
            topic.and_then(|topic| contact.topic_consents.get(&topic)),
        ];
        let mut answers = answers.into_iter().flatten();
        let denied = answers.any(|record| *record == Consent::Denied);
        denied.then_some((Reason::Unsubscribed, After::GoOn))
    }

    /// An item of a content list that the one half was sent, or is about to be, makes room for the next one
    /// in messages of the other.
    pub(super) fn change_doubled_items(&mut self) {
        let mut open: Vec<Touchpoint> = self.snapshot.touchpoints.clone();
        open.retain(|one| one.item.is_some() && one.slot() != Slot::Flight);
        // What a person has agreed to stays as it is, where one of two must change.
        open.sort_by_key(|one| (one.approved_by.is_none(), one.created_at, one.id));
        let mut kept: BTreeSet<(ListId, ItemId)> = BTreeSet::new();
        for touchpoint in open {
            let Some(own) = touchpoint.item.clone() else {
                continue;
            };
            if !self.was_sent(&own) && kept.insert(own.clone()) {
                continue;
            }
            match self.item_after(&own, &kept) {
                Some(item) => {
                    kept.insert(item.clone());
                    self.change_item(touchpoint, &own, item);
                }
                None => self.drop_touchpoint(touchpoint, What::Skipped, Reason::ListExhausted),
            }
        }
    }

    fn change_item(
        &mut self,
        mut touchpoint: Touchpoint,
        old: &(ListId, ItemId),
        item: (ListId, ItemId),
    ) {
        let mut line = self.touchpoint_line(&touchpoint, What::Merged, Some(Reason::Duplicate));
        line.detail = Some(format!("{} -> {}", old.1, item.1));
        self.ledger(line);
        touchpoint.item = Some(item);
        // What was agreed to was another text: at the claim the question is put anew.
        if touchpoint.approved_by.take().is_some() {
            touchpoint.text = None;
        }
        self.put_touchpoint(touchpoint);
    }

    fn was_sent(&self, (list, item): &(ListId, ItemId)) -> bool {
        let seen = self.snapshot.contact.seen.get(list);
        seen.is_some_and(|seen| seen.contains(item))
    }

    /// The first item of the list that was not sent, and that no open message carries.
    fn item_after(
        &self,
        (list, _): &(ListId, ItemId),
        kept: &BTreeSet<(ListId, ItemId)>,
    ) -> Option<(ListId, ItemId)> {
        let seen = self.snapshot.contact.seen.get(list);
        let mut taken: BTreeSet<&ItemId> = seen.into_iter().flatten().collect();
        let open = self.snapshot.touchpoints.iter();
        let carried = open.filter_map(|one| one.item.as_ref());
        taken.extend(
            carried
                .chain(kept)
                .filter(|(of, _)| of == list)
                .map(|(_, item)| item),
        );
        let items = self.world.lists.get(list)?;
        let free = items.iter().find(|item| !taken.contains(item))?;
        Some((list.clone(), free.clone()))
    }
}

/// The name that a message has once its run has another.
pub(super) fn renamed(run: EnrollmentId, step: &str) -> TouchpointId {
    TouchpointId::derive(run, step, crate::decide::run::VISIT)
}
