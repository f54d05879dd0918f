//! What came due before a copy was released, when the person chose to leave it out (R10).
//!
//! It is the same as resuming a paused journey without what came due meanwhile, and is done by the same
//! inputs: for one decision the contact's journeys are paused, so that its runs stand and its messages are
//! held; then they are resumed, and what stands or is held is passed over, with its lines in the ledger. Runs
//! go on from there. So every kind of step, trigger and message is treated by core's one rule.
//!
//! **Absent:** anything that the ordinary turn does not do to a paused journey.

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::decide::{Input, Overdue, STEPS_PER_TURN_MAX, TimerKind};
use relance_core::ids::{ContactId, JourneyId, TouchpointId};
use relance_core::touchpoint::Slot;

use super::{Engine, Work};
use crate::ports::{Dispatcher, Store, StoreError};
use crate::quiet;

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Whether what came due at a moment belongs to a backlog that is left out.
    pub(super) fn is_backlog(&self, due_at: Timestamp) -> bool {
        self.skip_until.is_some_and(|until| due_at <= until)
    }

    /// Takes a timer or a claim of the backlog: messages and tasks that it leads to are passed over.
    pub(super) fn pass_over(
        &mut self,
        contact: ContactId,
        input: &Input,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut known = ready(contact, work, now);
        self.decide_and_skip(contact, input, work, now)?;
        if let Input::Timer(timer) = input
            && let TimerKind::Touchpoint(hash) = timer.kind
        {
            // A question that lapsed may let its message go.
            known.remove(&TouchpointId { contact, hash });
        }
        // A step right behind one that is passed over came due with it.
        for _ in 0..STEPS_PER_TURN_MAX {
            let born = ready(contact, work, now);
            let Some(id) = born.difference(&known).next().copied() else {
                break;
            };
            known.insert(id);
            self.decide_and_skip(contact, &Input::Claim(id), work, now)?;
        }
        Ok(())
    }

    fn decide_and_skip(
        &mut self,
        contact: ContactId,
        input: &Input,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let journeys = self.journeys_of(contact, work);
        for id in &journeys {
            self.world.set_paused(id, true);
        }
        let decided = self.decide_one(contact, input, work, now);
        for id in &journeys {
            self.world.set_paused(id, false);
        }
        decided?;
        for journey in journeys {
            let resume = Input::Resume {
                journey,
                overdue: Overdue::Skip,
            };
            self.decide_one(contact, &resume, work, now)?;
        }
        Ok(())
    }

    /// Journeys that a contact has to do with, without those that a person has paused.
    fn journeys_of(&self, contact: ContactId, work: &Work) -> BTreeSet<JourneyId> {
        let Some(loaded) = work.contacts.get(&contact) else {
            return BTreeSet::new();
        };
        let snapshot = &loaded.snapshot;
        let runs = snapshot.enrollments.iter().map(|run| &run.journey);
        let messages = snapshot.touchpoints.iter().map(|one| &one.journey);
        let watches = snapshot.watches.iter().map(|watch| &watch.journey);
        runs.chain(messages)
            .chain(watches)
            .filter(|id| !self.world.is_paused(id))
            .cloned()
            .collect()
    }

    /// Ends the release once nothing of its backlog is left. A clock that was set back since may leave
    /// some of it in the future: that is no backlog any more.
    pub(super) fn end_backlog(
        &mut self,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Some(until) = self.skip_until else {
            return Ok(None);
        };
        self.write(work)?;
        let next = self.store.next_due()?;
        let left = next
            .timer
            .into_iter()
            .chain(next.outbox)
            .any(|at| at <= until.min(now));
        if left {
            return Ok(Some(until));
        }
        quiet::end_backlog(&mut self.store, now)?;
        Ok(None)
    }
}

/// Messages of a contact whose moment has come.
fn ready(contact: ContactId, work: &Work, now: Timestamp) -> BTreeSet<TouchpointId> {
    let Some(loaded) = work.contacts.get(&contact) else {
        return BTreeSet::new();
    };
    let open = loaded.snapshot.touchpoints.iter();
    open.filter(|one| matches!(one.slot(), Slot::Outbox(at) if at <= now))
        .map(|one| one.id)
        .collect()
}
