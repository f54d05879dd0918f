//! Who is away, and who is gone: messages wait for them.
//!
//! The day of return is the trait [`AWAY_UNTIL`], that an address reaches nobody any more is its status
//! [`LEFT_COMPANY`]: people and programs see both, and may take them back. **Absent:** how an answer is read.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use crate::contact::{AWAY_UNTIL, EMAIL_STATUS};
use crate::journey::{Journey, Recipient};
use crate::ledger::Reason;
use crate::mail::LEFT_COMPANY;
use crate::time::local_at;
use crate::touchpoint::{Touchpoint, TouchpointState};
use crate::value::Fields;

use super::Turn;

/// When a message goes to who was away: in the second working hour, behind what piled up.
const BACK_AT: Time = Time::constant(10, 0, 0, 0);
/// Working days that are looked at from the day of return.
const DAYS_LOOKED_AT: usize = 40;

impl Turn<'_> {
    /// Until when messages of a journey wait for the contact to be back.
    pub(super) fn away_until(&self, journey: Option<&Journey>) -> Option<Timestamp> {
        let waits = journey.is_some_and(|one| one.waits_for_absent && one.depends_on_silence());
        if !waits {
            return None;
        }
        let date: Date = self.snapshot.contact.text(AWAY_UNTIL)?.parse().ok()?;
        let mut day = date;
        for _ in 0..DAYS_LOOKED_AT {
            if self.calendar.is_working(day) {
                break;
            }
            day = day.tomorrow().ok()?;
        }
        Some(local_at(day, BACK_AT, &self.zone)).filter(|until| *until > self.now)
    }

    /// Whether the contact's address reaches nobody any more.
    pub(super) fn is_gone(&self) -> bool {
        self.snapshot.contact.text(EMAIL_STATUS) == Some(LEFT_COMPANY)
    }

    /// Messages that waited for somebody to be back, or to be found, are looked at anew: what is known of the contact
    /// changed.
    pub(super) fn wake_held(&mut self, before: &Fields) {
        let now = &self.snapshot.contact.traits;
        let changed = |name: &str| before.get(name) != now.get(name);
        let back = changed(AWAY_UNTIL);
        let found = changed(EMAIL_STATUS) || changed("email");
        if !back && !found {
            return;
        }
        let waits = |one: &Touchpoint| {
            one.recipient == Recipient::Contact
                && match &one.state {
                    TouchpointState::Held { reason, .. } => {
                        (back && *reason == Reason::Away)
                            || (found && *reason == Reason::LeftCompany)
                    }
                    TouchpointState::Queued { .. }
                    | TouchpointState::AwaitingApproval { .. }
                    | TouchpointState::Sending { .. }
                    | TouchpointState::Settled { .. } => false,
                }
        };
        for mut touchpoint in self.messages_where(waits) {
            if let Some(silence) = &mut touchpoint.silence {
                silence.after = self.now;
            }
            touchpoint.state = TouchpointState::Queued { ready_at: self.now };
            self.put_touchpoint(touchpoint);
        }
    }
}
