//! A message meets the gate: when its step is reached, when it is claimed, when a person agrees.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::{Channel, SendMark, SuppressionReason};
use crate::enrollment::{Enrollment, EnrollmentState};
use crate::ids::{EnrollmentId, ItemId, ListId, MailboxId, Topic, TouchpointId};
use crate::journey::{Journey, Recipient, Send, Step, StepKind};
use crate::ledger::{Reason, What};
use crate::policy::{GivenUp, Question, Verdict, gate};
use crate::time::is_late;
use crate::touchpoint::{
    DIGEST_MEMBERS_MAX, Member, Outcome, Silence, Slot, Touchpoint, TouchpointState,
};

use super::begin::ALL_JOURNEYS;
use super::run::VISIT;
use super::{Effect, Turn};

/// What stands beside a reason of the gate that the contact itself wished for.
pub const OWN_WISH: &str = "own wish";

/// What becomes of a run that comes to a `send`.
pub(super) enum Intent {
    /// The message is queued, held, or put to a person.
    Open(Box<Touchpoint>),
    /// There is no message, and the run goes on.
    GoOn,
    /// The contact cannot be reached this way.
    Otherwise,
}

/// How a message ended, for the run that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// The next system took it.
    Accepted,
    /// The contact could not be reached by it.
    NotReached,
    /// Any other way.
    GoOn,
}

impl Turn<'_> {
    /// A run reaches a `send`: the message is queued, held, put to a person, or there is none.
    pub(super) fn intend(
        &mut self,
        run: &Enrollment,
        journey: &Arc<Journey>,
        step: &Step,
        send: &Send,
        due: Timestamp,
    ) -> Intent {
        if !self.still_wanted(run, send) {
            self.pass_over(run, step, Reason::Condition);
            return Intent::GoOn;
        }
        let item = match &send.content {
            None => None,
            Some(list) => match self.next_item(list) {
                Some(item) => Some((list.clone(), item)),
                None => {
                    self.pass_over(run, step, Reason::ListExhausted);
                    return Intent::Otherwise;
                }
            },
        };
        let silence = journey.depends_on_silence().then(|| Silence {
            mailboxes: self.mailboxes_of(run),
            after: due,
        });
        let mut touchpoint = Touchpoint {
            id: TouchpointId::derive(run.id, step.key.as_str(), VISIT),
            enrollment: run.id,
            journey: run.journey.clone(),
            step: step.key.clone(),
            subject: run.subject.clone(),
            recipient: Recipient::Contact,
            channel: send.channel,
            template: send.template.clone(),
            item,
            text: None,
            from: send.from,
            variant: run.variant.clone(),
            priority: journey.priority,
            members: Vec::new(),
            approval: send
                .approval
                .clone()
                .unwrap_or_else(|| journey.approval.clone()),
            approved_by: None,
            created_at: self.now,
            silence: silence.filter(|silence| !silence.mailboxes.is_empty()),
            attempts: 0,
            state: TouchpointState::Queued { ready_at: self.now },
        };
        let verdict = self.ask(&touchpoint, true, run.held_out, journey.topic.as_ref());
        if let Verdict::Drop { reason } = verdict {
            let line = self.touchpoint_line(&touchpoint, What::Dropped, Some(reason));
            self.ledger(line);
            let after = self.after_drop(touchpoint.channel, reason);
            self.put_settled(touchpoint, Outcome::Dropped(reason));
            return match after {
                After::NotReached => Intent::Otherwise,
                After::Accepted | After::GoOn => Intent::GoOn,
            };
        }
        if let Some(window) = &send.digest {
            if let Some(shared) = self.join(&touchpoint, run) {
                return Intent::Open(Box::new(shared));
            }
            let until = window.add(self.now, &self.zone, &self.calendar);
            self.hold(&mut touchpoint, until, Reason::Digest, false);
        } else if let Verdict::Hold {
            until,
            reason,
            wish,
        } = verdict
        {
            self.hold(&mut touchpoint, until, reason, wish);
        }
        Intent::Open(Box::new(touchpoint))
    }

    /// The digest that still waits for reminders like this one, with this one in it.
    fn join(&mut self, touchpoint: &Touchpoint, run: &Enrollment) -> Option<Touchpoint> {
        let open = self.snapshot.touchpoints.iter().find(|other| {
            matches!(other.state, TouchpointState::Held { .. })
                && other.journey == touchpoint.journey
                && other.step == touchpoint.step
                && other.recipient == Recipient::Contact
                && other.approved_by.is_none()
                && other.members.len() + 1 < DIGEST_MEMBERS_MAX
        });
        let mut shared = open?.clone();
        shared.members.push(Member {
            enrollment: run.id,
            step: touchpoint.step.clone(),
            subject: run.subject.clone(),
        });
        if let Some(own) = &touchpoint.silence {
            let silence = shared.silence.get_or_insert_with(|| own.clone());
            silence.mailboxes.extend(own.mailboxes.iter().cloned());
            silence.after = silence.after.max(own.after);
        }
        let mut line = self.touchpoint_line(&shared, What::Merged, Some(Reason::Digest));
        line.enrollment = Some(run.id);
        self.ledger(line);
        Some(shared)
    }

    /// Whether a message's own condition holds.
    fn still_wanted(&self, run: &Enrollment, send: &Send) -> bool {
        send.when
            .as_ref()
            .is_none_or(|when| when.holds(&self.scene(run.subject.as_ref(), run.cause.as_deref())))
    }

    /// The first item of a list that the contact was not sent, and that no open message carries.
    fn next_item(&self, list: &ListId) -> Option<ItemId> {
        let seen = self.snapshot.contact.seen.get(list);
        let seen = seen.map_or(&[][..], Vec::as_slice);
        let carried = |item: &ItemId| {
            let open = self.snapshot.touchpoints.iter();
            open.filter_map(|one| one.item.as_ref())
                .any(|(of, carried)| of == list && carried == item)
        };
        let items = self.world.lists.get(list)?;
        items
            .iter()
            .find(|item| !seen.contains(item) && !carried(item))
            .cloned()
    }

    /// Whether a refusal means that another way to the contact is worth a try.
    pub(super) fn after_drop(&self, channel: Channel, reason: Reason) -> After {
        let listed = self.snapshot.listed.as_ref();
        let why = self.snapshot.contact.suppressed.get(&channel).copied();
        let why = why.or_else(|| listed?.reason(channel));
        let bounced = reason == Reason::Suppressed && why == Some(SuppressionReason::HardBounce);
        if bounced || reason.could_not_reach() {
            After::NotReached
        } else {
            After::GoOn
        }
    }

    /// Whether the contact is in the workspace's own control group.
    pub(super) fn held_out_of_all(&self) -> bool {
        let share = self.world.policy.holdout;
        let contact = &self.snapshot.contact;
        self.world
            .in_share(contact, ALL_JOURNEYS, share.by, share.permille)
    }

    /// The mailboxes whose silence a message depends on: that of its subject, and all that ever
    /// corresponded with the contact.
    fn mailboxes_of(&self, run: &Enrollment) -> BTreeSet<MailboxId> {
        let mut mailboxes = self.snapshot.contact.mailboxes.clone();
        let own = run
            .subject
            .as_ref()
            .and_then(|subject| self.snapshot.objects.get(subject))
            .and_then(|object| object.text("mailbox"))
            .map(MailboxId::from);
        mailboxes.extend(own);
        mailboxes.retain(|mailbox| self.world.synced.contains_key(mailbox));
        mailboxes
    }

    /// Whether a reminder is about what was sent from a mailbox that was forgotten together with its reminders.
    fn is_left_out(&self, touchpoint: &Touchpoint, journey: Option<&Journey>) -> bool {
        let own = || {
            let object = self.snapshot.objects.get(touchpoint.subject.as_ref()?)?;
            self.world.forgotten.get(object.text("mailbox")?)
        };
        journey.is_some_and(Journey::depends_on_silence) && own() == Some(&GivenUp::LeaveOut)
    }

    pub(super) fn ask(
        &self,
        touchpoint: &Touchpoint,
        running: bool,
        held_out: bool,
        topic: Option<&Topic>,
    ) -> Verdict {
        if touchpoint.recipient != Recipient::Contact {
            // A word to one of ours is none to the contact.
            return if self.snapshot.contact.erased {
                Verdict::Drop {
                    reason: Reason::Erased,
                }
            } else {
                Verdict::Send
            };
        }
        let mut in_flight = Vec::new();
        let mut rivals = Vec::new();
        for other in &self.snapshot.touchpoints {
            if other.id == touchpoint.id || other.recipient != Recipient::Contact {
                continue;
            }
            let facts = self.world.templates.get(&other.template);
            if self.world.policy.service.caps && facts.is_some_and(|facts| facts.service) {
                // It counts for no cap once it has gone, so it takes no room before.
                continue;
            }
            match &other.state {
                TouchpointState::Sending { since } => in_flight.push(self.mark(other, *since)),
                TouchpointState::Queued { ready_at: at }
                | TouchpointState::Held { until: at, .. }
                    if *at <= self.now && other.priority > touchpoint.priority =>
                {
                    rivals.push(self.mark(other, self.now));
                }
                TouchpointState::Queued { .. }
                | TouchpointState::Held { .. }
                | TouchpointState::AwaitingApproval { .. }
                | TouchpointState::Settled { .. } => {}
            }
        }
        let journey = match self.snapshot.enrollment(touchpoint.enrollment) {
            Some(run) => self.world.journey(&run.journey, run.version),
            None => self.world.newest(&touchpoint.journey),
        };
        let question = Question {
            away_until: self.away_until(journey.map(|journey| &**journey)),
            gone: self.is_gone(),
            reminds: journey.is_some_and(|journey| journey.depends_on_silence()),
            in_flight: &in_flight,
            rivals: &rivals,
            contact: &self.snapshot.contact,
            touchpoint,
            running,
            held_out: held_out || self.held_out_of_all(),
            paused: self.world.is_paused(&touchpoint.journey),
            listed: self.snapshot.listed.as_ref(),
            facts: &self.world.templates,
            topic,
            zone: &self.zone,
            calendar: &self.calendar,
            synced: &self.world.synced,
            forgotten: &self.world.forgotten,
            left_out: self.is_left_out(touchpoint, journey.map(|journey| &**journey)),
        };
        gate(&self.world.policy, &question, self.now)
    }

    /// What a message that goes at a moment counts for caps.
    pub(super) fn mark(&self, touchpoint: &Touchpoint, at: Timestamp) -> SendMark {
        let own = self.world.templates.get(&touchpoint.template);
        let topic = own.and_then(|facts| facts.topic.clone()).or_else(|| {
            let run = self.snapshot.enrollment(touchpoint.enrollment);
            let journey = match run {
                Some(run) => self.world.journey(&run.journey, run.version),
                // The run has ended; its journey's topic is most likely still the same.
                None => self.world.newest(&touchpoint.journey),
            };
            journey.and_then(|journey| journey.topic.clone())
        });
        SendMark {
            at,
            channel: touchpoint.channel,
            topic,
        }
    }

    /// Puts a message off, and says so once for each reason.
    fn hold(&mut self, touchpoint: &mut Touchpoint, until: Timestamp, reason: Reason, wish: bool) {
        let told = matches!(&touchpoint.state,
            TouchpointState::Held { reason: before, .. } if *before == reason);
        if !told {
            let mut line = self.touchpoint_line(touchpoint, What::Held, Some(reason));
            line.until = Some(until);
            line.detail = wish.then(|| OWN_WISH.to_owned());
            self.ledger(line);
        }
        if reason == Reason::MailboxNotSynced {
            let mailboxes = touchpoint
                .silence
                .iter()
                .flat_map(|silence| silence.mailboxes.clone());
            for mailbox in mailboxes.collect::<Vec<_>>() {
                self.emit(Effect::RequestSync(mailbox));
            }
        } else if reason == Reason::Paused {
            // Whether it is too late when the journey goes on counts from the moment that it missed.
            if let Slot::Outbox(after) = touchpoint.slot() {
                let mailboxes = BTreeSet::new();
                let silence = touchpoint
                    .silence
                    .get_or_insert(Silence { mailboxes, after });
                silence.after = silence.after.min(after);
            }
        } else if let Some(silence) = &mut touchpoint.silence {
            // The silence must last until the message really goes.
            silence.after = until;
        }
        touchpoint.state = if reason == Reason::Approval {
            let deputy = touchpoint.approval.deputy.as_ref();
            TouchpointState::AwaitingApproval {
                deputy_at: deputy
                    .map(|deputy| deputy.after.add(self.now, &self.zone, &self.calendar)),
                expires_at: until,
            }
        } else {
            TouchpointState::Held { until, reason }
        };
    }

    /// The dispatcher has room. The last gate stands here: what passes it is in flight.
    pub(super) fn claim(&mut self, id: TouchpointId) {
        let Some(mut touchpoint) = self.snapshot.touchpoint(id).cloned() else {
            return;
        };
        let Slot::Outbox(ready_at) = touchpoint.slot() else {
            return;
        };
        if ready_at > self.now {
            return;
        }
        // The address changed after the list was asked: the next turn asks anew.
        let listed = self.snapshot.listed.as_ref();
        if listed.is_some_and(|listed| !listed.is_of(&self.snapshot.contact)) {
            return;
        }
        if touchpoint.recipient != Recipient::Contact || touchpoint.is_confirmation() {
            self.take_off(touchpoint, true, false, None);
            return;
        }
        let run = self.snapshot.enrollment(touchpoint.enrollment).cloned();
        let journey = run
            .as_ref()
            .and_then(|run| self.world.journey(&run.journey, run.version))
            .cloned();
        let step = journey
            .as_ref()
            .and_then(|journey| Some(journey.step(journey.find(&touchpoint.step)?)));
        if let Some(step) = step {
            let due = match &touchpoint.silence {
                Some(silence) => silence.after.min(ready_at),
                None => ready_at,
            };
            if is_late(due, self.now, &step.late, &self.zone, &self.calendar) {
                self.drop_touchpoint(touchpoint, What::Skipped, Reason::Late);
                return;
            }
            if let (StepKind::Send { send, .. }, Some(run)) = (&step.kind, &run)
                && !self.still_wanted(run, send)
            {
                self.leave_out(touchpoint, run.id, Reason::Condition);
                return;
            }
        }
        let running = run.as_ref().is_some_and(|run| {
            matches!(&run.state, EnrollmentState::Sending { touchpoint: own, .. } if *own == id)
        });
        // Mailboxes that came to know the contact while the message was held are asked too (R1).
        if let Some((run, journey)) = run.as_ref().zip(journey.as_ref())
            && journey.depends_on_silence()
        {
            let mailboxes = self.mailboxes_of(run);
            match &mut touchpoint.silence {
                Some(silence) => silence.mailboxes.extend(mailboxes),
                None if mailboxes.is_empty() => {}
                None => {
                    let after = ready_at;
                    touchpoint.silence = Some(Silence { mailboxes, after });
                }
            }
        }
        let held_out = run.as_ref().is_some_and(|run| run.held_out);
        let topic = journey.as_ref().and_then(|journey| journey.topic.clone());
        self.take_off(touchpoint, running, held_out, topic.as_ref());
    }

    /// The last gate.
    fn take_off(
        &mut self,
        mut touchpoint: Touchpoint,
        running: bool,
        held_out: bool,
        topic: Option<&Topic>,
    ) {
        match self.ask(&touchpoint, running, held_out, topic) {
            Verdict::Send => {
                touchpoint.attempts = touchpoint.attempts.saturating_add(1);
                touchpoint.state = TouchpointState::Sending { since: self.now };
                self.put_touchpoint(touchpoint);
            }
            Verdict::Hold {
                until,
                reason,
                wish,
            } => {
                self.hold(&mut touchpoint, until, reason, wish);
                self.put_touchpoint(touchpoint);
            }
            Verdict::Drop { reason } => self.drop_touchpoint(touchpoint, What::Dropped, reason),
        }
    }

    /// Settles a message that will not go, and lets its run go on.
    pub(super) fn drop_touchpoint(&mut self, touchpoint: Touchpoint, what: What, reason: Reason) {
        let id = touchpoint.id;
        let line = self.touchpoint_line(&touchpoint, what, Some(reason));
        self.ledger(line);
        let after = self.after_drop(touchpoint.channel, reason);
        self.put_settled(touchpoint, Outcome::Dropped(reason));
        self.past_send(id, after);
    }

    /// Leaves one run out of a message. Reminders that it carries for others are looked at again.
    pub(super) fn leave_out(&mut self, touchpoint: Touchpoint, run: EnrollmentId, reason: Reason) {
        let Some(rest) = touchpoint.without(run) else {
            self.drop_touchpoint(touchpoint, What::Skipped, reason);
            return;
        };
        let line = self.touchpoint_line(&touchpoint, What::Skipped, Some(reason));
        self.ledger(line);
        self.put_touchpoint(rest);
        self.go_on_from_send(run, touchpoint.id, After::GoOn);
    }
}
