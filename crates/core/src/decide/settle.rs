//! A try on the wire ended.

use crate::contact::SuppressionReason;
use crate::ids::TouchpointId;
use crate::journey::Recipient;
use crate::ledger::{Reason, What};
use crate::touchpoint::{Outcome, Touchpoint, TouchpointState};

use super::Turn;
use super::gate::After;

impl Turn<'_> {
    /// Settles a message in flight. An outcome that comes twice, or of an earlier try, changes nothing.
    pub(super) fn settle(&mut self, id: TouchpointId, attempt: u8, outcome: &Outcome) {
        let Some(touchpoint) = self.snapshot.touchpoint(id).cloned() else {
            return;
        };
        let TouchpointState::Sending { .. } = touchpoint.state else {
            return;
        };
        if touchpoint.attempts != attempt {
            return;
        }
        let mut bad_address = false;
        match outcome {
            Outcome::Accepted => self.accepted(&touchpoint),
            Outcome::RefusedSoft(text) => {
                if let Some(delay) = touchpoint.retry_delay() {
                    self.again(touchpoint, delay, Reason::SoftBounce, text);
                    return;
                }
                self.failed(&touchpoint, Reason::SoftBounce, Some(text));
            }
            Outcome::RefusedHard {
                text,
                address_is_bad,
            } => {
                self.failed(&touchpoint, Reason::HardBounce, Some(text));
                bad_address = *address_is_bad;
            }
            Outcome::Postponed { seconds } => {
                // It never was a try: the next one has the same number.
                let tries = touchpoint.attempts.saturating_sub(1);
                let delay = jiff::SignedDuration::from_secs(i64::from((*seconds).max(1)));
                let touchpoint = Touchpoint {
                    attempts: tries,
                    ..touchpoint
                };
                self.again(touchpoint, delay, Reason::ChannelBusy, "");
                return;
            }
            Outcome::TemplateFailed(text) => {
                self.failed(&touchpoint, Reason::TemplateFailed, Some(text));
            }
            Outcome::ChannelNotConfigured => {
                self.failed(&touchpoint, Reason::ChannelNotConfigured, None);
            }
            Outcome::Withdrawn(_) if self.carries_others(&touchpoint) => {
                self.go_on_without(touchpoint);
                return;
            }
            Outcome::Withdrawn(reason) => {
                let line = self.touchpoint_line(&touchpoint, What::Withdrawn, Some(*reason));
                self.ledger(line);
            }
            Outcome::Missed => self.failed(&touchpoint, Reason::Missed, None),
            Outcome::Dropped(reason) => {
                let line = self.touchpoint_line(&touchpoint, What::Dropped, Some(*reason));
                self.ledger(line);
            }
            Outcome::Unknown => {
                let again = self
                    .world
                    .templates
                    .get(&touchpoint.template)
                    .is_some_and(|facts| facts.at_least_once);
                if again && let Some(delay) = touchpoint.retry_delay() {
                    self.again(touchpoint, delay, Reason::Unknown, "");
                    return;
                }
                self.failed(&touchpoint, Reason::Unknown, None);
                // It may have arrived: caps are there for the contact's sake.
                self.remember_send(&touchpoint);
            }
        }
        let channel = touchpoint.channel;
        bad_address &= touchpoint.recipient == Recipient::Contact;
        self.put_settled(touchpoint, outcome.clone());
        // Only now, so that the message itself is not called back.
        if bad_address {
            self.suppress(channel, SuppressionReason::HardBounce);
        }
        // It came back before its dispatcher told what became of it.
        let came_back = self.after_drop(channel, Reason::Suppressed) == After::NotReached;
        let after = match outcome {
            Outcome::Accepted | Outcome::Withdrawn(_) if came_back => After::NotReached,
            Outcome::Accepted => After::Accepted,
            _other if outcome.could_not_reach() => After::NotReached,
            _other => After::GoOn,
        };
        self.past_send(id, after);
    }

    /// Whether a message that was revoked for one run carries reminders of others.
    fn carries_others(&self, touchpoint: &Touchpoint) -> bool {
        !touchpoint.members.is_empty() && self.rest_of(touchpoint).is_some()
    }

    /// The message without the runs that have ended.
    fn rest_of(&self, touchpoint: &Touchpoint) -> Option<Touchpoint> {
        let running = |run| {
            let run = self.snapshot.enrollment(run);
            run.is_some_and(crate::enrollment::Enrollment::is_running)
        };
        let runs = std::iter::once(touchpoint.enrollment)
            .chain(touchpoint.members.iter().map(|member| member.enrollment));
        let mut rest = touchpoint.clone();
        for run in runs {
            if !running(run) {
                rest = rest.without(run)?;
            }
        }
        Some(rest)
    }

    /// A digest was stopped before the wire because one of its runs ended: the others' goes again.
    fn go_on_without(&mut self, touchpoint: Touchpoint) {
        if let Some(mut rest) = self.rest_of(&touchpoint) {
            rest.state = TouchpointState::Queued { ready_at: self.now };
            self.put_touchpoint(rest);
        }
    }

    fn accepted(&mut self, touchpoint: &Touchpoint) {
        let line = self.touchpoint_line(touchpoint, What::Sent, None);
        self.ledger(line);
        self.remember_send(touchpoint);
    }

    fn remember_send(&mut self, touchpoint: &Touchpoint) {
        if touchpoint.recipient != Recipient::Contact {
            return;
        }
        let facts = self.world.templates.get(&touchpoint.template);
        let counts = !self.world.policy.service.caps || !facts.is_some_and(|facts| facts.service);
        let mark = self.mark(touchpoint, self.now);
        let item = touchpoint.item.clone();
        if !counts && item.is_none() {
            return;
        }
        self.put_contact(|contact| {
            if counts {
                contact.remember_send(mark);
            }
            if let Some((list, item)) = item {
                contact.remember_item(list, item);
            }
        });
    }

    fn failed(&mut self, touchpoint: &Touchpoint, reason: Reason, text: Option<&str>) {
        let mut line = self.touchpoint_line(touchpoint, What::Failed, Some(reason));
        line.detail = text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.ledger(line);
    }

    fn again(
        &mut self,
        mut touchpoint: Touchpoint,
        delay: jiff::SignedDuration,
        reason: Reason,
        text: &str,
    ) {
        let ready_at = self.now + delay;
        let mut line = self.touchpoint_line(&touchpoint, What::Retried, Some(reason));
        line.until = Some(ready_at);
        line.detail = Some(text.to_owned()).filter(|text| !text.is_empty());
        self.ledger(line);
        if let Some(silence) = &mut touchpoint.silence {
            // The silence must last until the message really goes.
            silence.after = ready_at;
        }
        touchpoint.state = TouchpointState::Queued { ready_at };
        self.put_touchpoint(touchpoint);
    }
}
