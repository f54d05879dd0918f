//! The workspace's rules are others than they were: what waits by the old ones is asked by the new.
//!
//! A message that the rules held comes up when the new ones let it, sooner or later than it was told; whether it goes
//! is decided then, by the same gate as ever. Waits count by the new zone and calendar.
//!
//! **Absent:** questions that people were asked already, which stand until they lapse; what is on the wire.

use crate::ledger::Reason;
use crate::policy::Verdict;
use crate::time::Zone;
use crate::touchpoint::TouchpointState;
use crate::value::Fields;

use super::Turn;

impl Turn<'_> {
    /// The rules are others; `left` is the zone of before, where zone or calendar changed.
    pub(super) fn reconsider(&mut self, left: Option<&Zone>) {
        // Whoever tells a zone of their own stayed where they were.
        if let Some(left) = left {
            if self.zone == self.world.policy.zone {
                self.rearm_in_zone(left);
            }
            self.recount_waits(true, None, &Fields::default());
        }
        for mut touchpoint in self.snapshot.touchpoints.clone() {
            let TouchpointState::Held { until, reason } = touchpoint.state.clone() else {
                continue;
            };
            if !by_rules(reason) {
                continue;
            }
            let run = self.snapshot.enrollment(touchpoint.enrollment);
            let held_out = run.is_some_and(|run| run.held_out);
            let journey = run.and_then(|run| self.world.journey(&run.journey, run.version));
            let topic = journey.and_then(|journey| journey.topic.clone());
            let anew = match self.ask(&touchpoint, true, held_out, topic.as_ref()) {
                Verdict::Hold { until, reason, .. } if by_rules(reason) => until,
                // What else there is to say is said when it comes up.
                Verdict::Hold { .. } | Verdict::Send | Verdict::Drop { .. } => self.now,
            };
            if anew == until {
                continue;
            }
            if let Some(silence) = &mut touchpoint.silence {
                // The silence must last until the message really goes.
                silence.after = anew;
            }
            touchpoint.state = TouchpointState::Held {
                until: anew,
                reason,
            };
            self.put_touchpoint(touchpoint);
        }
    }
}

/// Whether it is the workspace's rules, by hours or numbers, that a message waits for.
fn by_rules(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::QuietHours | Reason::FrequencyCap | Reason::Priority
    )
}
