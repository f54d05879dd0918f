//! A message meets the gate: when its step is reached, when it is claimed, when a person agrees.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::{Channel, Consent, SendMark, SuppressionReason};
use crate::enrollment::{Enrollment, EnrollmentState, ExitReason};
use crate::ids::{MailboxId, StepKey, Topic, TouchpointId, UserId};
use crate::journey::{Journey, Send, Step, TaskStep};
use crate::ledger::{Reason, What};
use crate::policy::{Question, Verdict, gate};
use crate::time::is_late;
use crate::touchpoint::{Outcome, Silence, Slot, Touchpoint, TouchpointState};

use super::run::VISIT;
use super::{Answer, Effect, Turn};

impl Turn<'_> {
    /// A run reaches a `send`: the message is queued, held, put to a person, or dropped (`None`).
    pub(super) fn intend(
        &mut self,
        run: &Enrollment,
        journey: &Arc<Journey>,
        step: &Step,
        send: &Send,
        due: Timestamp,
    ) -> Option<Touchpoint> {
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
            channel: send.channel,
            template: send.template.clone(),
            from: send.from,
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
        match self.ask(&touchpoint, true, run.held_out, journey.topic.as_ref()) {
            Verdict::Send => Some(touchpoint),
            Verdict::Hold { until, reason } => {
                self.hold(&mut touchpoint, until, reason);
                Some(touchpoint)
            }
            Verdict::Drop { reason } => {
                let line = self.touchpoint_line(&touchpoint, What::Dropped, Some(reason));
                self.ledger(line);
                self.put_settled(touchpoint, Outcome::Dropped(reason));
                None
            }
        }
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

    fn ask(
        &self,
        touchpoint: &Touchpoint,
        running: bool,
        held_out: bool,
        topic: Option<&Topic>,
    ) -> Verdict {
        let in_flight: Vec<SendMark> = self
            .snapshot
            .touchpoints
            .iter()
            .filter(|other| other.id != touchpoint.id)
            .filter_map(|other| match other.state {
                TouchpointState::Sending { since } => Some(self.mark(other, since)),
                TouchpointState::Queued { .. }
                | TouchpointState::Held { .. }
                | TouchpointState::AwaitingApproval { .. }
                | TouchpointState::Settled { .. } => None,
            })
            .collect();
        let question = Question {
            in_flight: &in_flight,
            contact: &self.snapshot.contact,
            touchpoint,
            running,
            held_out,
            facts: &self.world.templates,
            topic,
            zone: &self.zone,
            calendar: &self.calendar,
            synced: &self.world.synced,
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
    fn hold(&mut self, touchpoint: &mut Touchpoint, until: Timestamp, reason: Reason) {
        let told = matches!(&touchpoint.state,
            TouchpointState::Held { reason: before, .. } if *before == reason);
        if !told {
            let mut line = self.touchpoint_line(touchpoint, What::Held, Some(reason));
            line.until = Some(until);
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
        } else if let Some(silence) = &mut touchpoint.silence {
            // The silence must last until the message really goes.
            silence.after = until;
        }
        touchpoint.state = if reason == Reason::Approval {
            TouchpointState::AwaitingApproval { expires_at: until }
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
        let run = self.snapshot.enrollment(touchpoint.enrollment).cloned();
        let journey = run
            .as_ref()
            .and_then(|run| self.world.journey(&run.journey, run.version))
            .cloned();
        if let Some(step) = journey
            .as_ref()
            .and_then(|journey| Some(journey.step(journey.find(&touchpoint.step)?)))
        {
            let due = match &touchpoint.silence {
                Some(silence) => silence.after.min(ready_at),
                None => ready_at,
            };
            if is_late(due, self.now, &step.late, &self.zone, &self.calendar) {
                self.drop_touchpoint(touchpoint, What::Skipped, Reason::Late);
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
        let topic = journey.as_ref().and_then(|journey| journey.topic.as_ref());
        match self.ask(&touchpoint, running, held_out, topic) {
            Verdict::Send => {
                touchpoint.attempts = touchpoint.attempts.saturating_add(1);
                touchpoint.state = TouchpointState::Sending { since: self.now };
                self.put_touchpoint(touchpoint);
            }
            Verdict::Hold { until, reason } => {
                self.hold(&mut touchpoint, until, reason);
                self.put_touchpoint(touchpoint);
            }
            Verdict::Drop { reason } => self.drop_touchpoint(touchpoint, What::Dropped, reason),
        }
    }

    /// Settles a message that will not go, and lets its run go on.
    fn drop_touchpoint(&mut self, touchpoint: Touchpoint, what: What, reason: Reason) {
        let id = touchpoint.id;
        let line = self.touchpoint_line(&touchpoint, what, Some(reason));
        self.ledger(line);
        self.put_settled(touchpoint, Outcome::Dropped(reason));
        self.past_send(id);
    }

    /// A person answered. What held when the question was put is tested again at the claim.
    pub(super) fn approve(&mut self, id: TouchpointId, by: &UserId, answer: Answer) {
        let Some(mut touchpoint) = self.snapshot.touchpoint(id).cloned() else {
            return;
        };
        let TouchpointState::AwaitingApproval { .. } = touchpoint.state else {
            return;
        };
        match answer {
            Answer::Approve => {
                let mut line = self.touchpoint_line(&touchpoint, What::Approved, None);
                line.detail = Some(by.to_string());
                self.ledger(line);
                touchpoint.approved_by = Some(by.clone());
                if let Some(silence) = &mut touchpoint.silence {
                    silence.after = self.now;
                }
                touchpoint.state = TouchpointState::Queued { ready_at: self.now };
                self.put_touchpoint(touchpoint);
            }
            Answer::Skip => self.drop_touchpoint(touchpoint, What::Skipped, Reason::Approval),
            Answer::CallInstead => {
                if let Some(run) = self.snapshot.enrollment(touchpoint.enrollment).cloned() {
                    let task = TaskStep {
                        title: "Call {{ contact.name }}".into(),
                        due: None,
                        assignee: Some(by.as_str().into()),
                    };
                    let key = StepKey::from(format!("{}.call", touchpoint.step));
                    self.give_task(&run, &key, &task);
                }
                self.drop_touchpoint(touchpoint, What::Skipped, Reason::Approval);
            }
        }
    }

    /// Nobody answered in time.
    pub(super) fn approval_lapsed(&mut self, touchpoint: Touchpoint) {
        self.drop_touchpoint(touchpoint, What::Skipped, Reason::Approval);
    }

    /// A channel must not be used any more: its messages are called back, runs go on without them.
    pub(super) fn suppress(&mut self, channel: Channel, reason: SuppressionReason) {
        if self.snapshot.contact.suppressed.contains_key(&channel) {
            return;
        }
        let code = match reason {
            SuppressionReason::HardBounce => Reason::HardBounce,
            SuppressionReason::Complaint => Reason::Complaint,
            SuppressionReason::Manual => Reason::Suppressed,
        };
        self.put_contact(|contact| {
            contact.suppressed.insert(channel, reason);
        });
        let mut line = self.line(What::Suppressed);
        line.channel = Some(channel);
        line.reason = Some(code);
        self.ledger(line);
        self.call_back(|touchpoint| touchpoint.channel == channel, code);
    }

    /// The contact said what it wants.
    pub(super) fn consent(&mut self, channel: Channel, topic: Option<&Topic>, consent: Consent) {
        let contact = &self.snapshot.contact;
        let known = match topic {
            Some(topic) => contact.topic_consents.get(topic),
            None => contact.channel_consents.get(&channel),
        };
        if known == Some(&consent) {
            return;
        }
        self.put_contact(|contact| {
            match topic {
                Some(topic) => contact.topic_consents.insert(topic.clone(), consent),
                None => contact.channel_consents.insert(channel, consent),
            };
        });
        if consent == Consent::Granted {
            return;
        }
        let mut line = self.line(What::Unsubscribed);
        line.channel = Some(channel);
        line.detail = topic.map(Topic::to_string);
        self.ledger(line);
        let world = self.world;
        let journeys: Vec<_> = self.snapshot.enrollments.clone();
        let concerned = |touchpoint: &Touchpoint| {
            let facts = world.templates.get(&touchpoint.template);
            if facts.is_some_and(|facts| facts.service) {
                return false;
            }
            let of_journey = || {
                let run = journeys
                    .iter()
                    .find(|run| run.id == touchpoint.enrollment)?;
                world.journey(&run.journey, run.version)?.topic.as_ref()
            };
            match topic {
                Some(topic) => {
                    facts
                        .and_then(|facts| facts.topic.as_ref())
                        .or_else(of_journey)
                        == Some(topic)
                }
                None => touchpoint.channel == channel,
            }
        };
        self.call_back(concerned, Reason::Unsubscribed);
    }

    /// Withdraws messages and lets their runs go on.
    fn call_back(&mut self, which: impl Fn(&Touchpoint) -> bool, reason: Reason) {
        for id in self.withdraw(which, reason) {
            self.past_send(id);
        }
    }

    /// The contact must be forgotten: every run ends, every message is called back.
    pub(super) fn erase(&mut self) {
        self.put_contact(|contact| {
            contact.erased = true;
            contact.traits.clear();
            contact.sends.clear();
        });
        for run in self.snapshot.enrollments.clone() {
            if run.is_running() {
                self.exit(run, ExitReason::Erased, Reason::Erased);
            }
        }
        for watch in self.snapshot.watches.clone() {
            let kind = super::TimerKind::Watch(watch.hash());
            self.emit(Effect::Disarm(super::Timer {
                due_at: watch.due_at,
                kind,
            }));
            self.emit(Effect::Unwatch(watch));
        }
    }
}
