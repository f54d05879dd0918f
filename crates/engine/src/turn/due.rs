//! What is due is decided, a bounded part of it a turn: timers that came, messages that are ready.
//!
//! **Absent:** what came due before a release and is left out (see the backlog).

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::decide::{Effect, Input};
use relance_core::ids::TouchpointId;
use relance_core::touchpoint::Slot;

use super::{Engine, Work};
use crate::ports::{Change, Dispatcher, Store, StoreError};

/// Timers taken in one turn.
pub const TIMERS_PER_TURN_MAX: usize = 1_000;
/// Messages claimed in one turn.
pub const CLAIMS_PER_TURN_MAX: usize = 1_000;

impl<S: Store, D: Dispatcher> Engine<S, D> {
    pub(super) fn decide_timers(
        &mut self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Arrivals may have disarmed timers of this very moment: they must be written first.
        self.write(work)?;
        let mut due = self.store.due_timers(now, TIMERS_PER_TURN_MAX)?;
        work.summary.more |= due.len() == TIMERS_PER_TURN_MAX;
        self.set_aside(due.iter().map(|(contact, _)| *contact), work)?;
        due.retain(|(contact, _)| !self.unreadable.contains(contact));
        work.summary.timers = due.len();
        // A timer whose contact is gone has nothing to wait for, and would come for ever.
        for (contact, timer) in &due {
            if !work.contacts.contains_key(contact) {
                let effects = vec![Effect::Disarm(*timer)];
                work.changes.push(Change {
                    contact: *contact,
                    effects,
                });
            }
        }
        for (contact, timer) in due {
            let input = Input::Timer(timer);
            if self.is_backlog(timer.due_at) {
                self.pass_over(contact, &input, work, now)?;
            } else {
                self.decide_one(contact, &input, work, now)?;
            }
        }
        Ok(())
    }

    /// Claims what is ready, as far as the dispatcher has room: messages from the outbox, then those that
    /// this very turn queued.
    pub(super) fn decide_claims(
        &mut self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let room = self.dispatcher.capacity().min(CLAIMS_PER_TURN_MAX);
        if room == 0 {
            return Ok(());
        }
        let mut ready = self.store.ready_touchpoints(now, room)?;
        work.summary.more |= ready.len() == room;
        let mut known: BTreeSet<TouchpointId> = ready.iter().copied().collect();
        for id in std::mem::take(&mut work.claimable) {
            if ready.len() >= room {
                work.summary.more = true;
                break;
            }
            if known.insert(id) {
                ready.push(id);
            }
        }
        self.set_aside(ready.iter().map(|id| id.contact), work)?;
        for id in ready {
            let still = work
                .contacts
                .get(&id.contact)
                .and_then(|loaded| loaded.snapshot.touchpoint(id))
                .map(|touchpoint| touchpoint.slot());
            let claim = Input::Claim(id);
            match still {
                Some(Slot::Outbox(at)) if at <= now && self.is_backlog(at) => {
                    self.pass_over(id.contact, &claim, work, now)?;
                }
                Some(Slot::Outbox(at)) if at <= now => {
                    self.decide_one(id.contact, &claim, work, now)?;
                }
                Some(Slot::Outbox(_) | Slot::Timer(_) | Slot::Flight | Slot::Done) | None => {}
            }
        }
        Ok(())
    }
}
