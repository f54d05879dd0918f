//! A try on the wire ended.

use crate::contact::SuppressionReason;
use crate::ids::TouchpointId;
use crate::ledger::{Reason, What};
use crate::touchpoint::{Outcome, Touchpoint, TouchpointState};

use super::Turn;

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
            Outcome::Withdrawn(reason) => {
                let line = self.touchpoint_line(&touchpoint, What::Withdrawn, Some(*reason));
                self.ledger(line);
            }
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
        self.put_settled(touchpoint, outcome.clone());
        // Only now, so that the message itself is not called back.
        if bad_address {
            self.suppress(channel, SuppressionReason::HardBounce);
        }
        self.past_send(id);
    }

    fn accepted(&mut self, touchpoint: &Touchpoint) {
        let line = self.touchpoint_line(touchpoint, What::Sent, None);
        self.ledger(line);
        self.remember_send(touchpoint);
    }

    fn remember_send(&mut self, touchpoint: &Touchpoint) {
        let mark = self.mark(touchpoint, self.now);
        self.put_contact(|contact| contact.remember_send(mark));
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
