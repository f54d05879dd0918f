//! A store that remembers what was committed, and fails when it is told to.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_core::decide::{Effect, Timer};
use relance_core::ids::{ContactId, JourneyId, SubjectRef, TouchpointId};
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::Touchpoint;
use relance_core::world::Needs;
use relance_engine::ports::{
    Asset, Change, MailboxState, NextDue, Store, StoreError, StoredJourney, ThreadEntry,
};

/// How the next commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// Somebody else holds the file; nothing was written.
    Busy,
    /// The program ends before anything is durable.
    CrashBefore,
    /// The program ends when all is durable, and nobody was told.
    CrashAfter,
}

/// What the world and its store share.
#[derive(Debug, Default)]
pub struct Tape {
    /// The fault of the next commit.
    pub fault: Option<CommitFault>,
    /// The program is gone.
    pub crashed: bool,
    /// The last batch is durable, whoever was told.
    pub durable: bool,
    /// Effects of the batch under way.
    pending: Vec<(ContactId, Effect)>,
    /// Effects that were committed, until they are taken.
    pub committed: Vec<(ContactId, Effect)>,
}

/// A store that is watched.
pub struct Recorder<S> {
    inner: S,
    tape: Rc<RefCell<Tape>>,
}

impl<S: Store> Recorder<S> {
    /// Watches a store.
    pub fn new(inner: S, tape: Rc<RefCell<Tape>>) -> Self {
        Self { inner, tape }
    }
}

impl<S: Store> Store for Recorder<S> {
    fn begin(&mut self) -> Result<(), StoreError> {
        let mut tape = self.tape.borrow_mut();
        tape.pending.clear();
        tape.durable = false;
        self.inner.begin()
    }

    fn rollback(&mut self) {
        self.tape.borrow_mut().pending.clear();
        self.inner.rollback();
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let mut tape = self.tape.borrow_mut();
        let fault = tape.fault.take();
        if fault == Some(CommitFault::Busy) {
            return Err(StoreError::Busy("simulated".to_owned()));
        }
        if fault == Some(CommitFault::CrashBefore) {
            tape.crashed = true;
            return Err(StoreError::Failed("simulated crash".to_owned()));
        }
        self.inner.commit()?;
        let tape = &mut *tape;
        tape.durable = true;
        tape.committed.append(&mut tape.pending);
        if fault == Some(CommitFault::CrashAfter) {
            tape.crashed = true;
            return Err(StoreError::Failed("simulated crash".to_owned()));
        }
        Ok(())
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.inner.write(changes)?;
        let effects = changes.iter().flat_map(|change| {
            change
                .effects
                .iter()
                .map(|effect| (change.contact, effect.clone()))
        });
        self.tape.borrow_mut().pending.extend(effects);
        Ok(())
    }

    fn remember(&mut self, keys: &[u64], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        self.inner.remember(keys, now)
    }

    fn resolve(
        &mut self,
        identities: &[Identity],
        now: Timestamp,
    ) -> Result<ContactId, StoreError> {
        self.inner.resolve(identities, now)
    }

    fn find(&mut self, identity: &Identity) -> Result<Option<ContactId>, StoreError> {
        self.inner.find(identity)
    }

    fn find_by_object(
        &mut self,
        subject: &SubjectRef,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.inner.find_by_object(subject, limit)
    }

    fn find_by_domain(&mut self, domain: &str, limit: usize) -> Result<Vec<ContactId>, StoreError> {
        self.inner.find_by_domain(domain, limit)
    }

    fn due_timers(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ContactId, Timer)>, StoreError> {
        self.inner.due_timers(now, limit)
    }

    fn ready_touchpoints(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<TouchpointId>, StoreError> {
        self.inner.ready_touchpoints(now, limit)
    }

    fn next_due(&mut self) -> Result<NextDue, StoreError> {
        self.inner.next_due()
    }

    fn load(&mut self, contacts: &[ContactId]) -> Result<Vec<Snapshot>, StoreError> {
        self.inner.load(contacts)
    }

    fn load_needs(&mut self, snapshot: &mut Snapshot, needs: &Needs) -> Result<(), StoreError> {
        self.inner.load_needs(snapshot, needs)
    }

    fn put_threads(&mut self, entries: &[ThreadEntry]) -> Result<(), StoreError> {
        self.inner.put_threads(entries)
    }

    fn find_threads(&mut self, message_ids: &[&str]) -> Result<Vec<ThreadEntry>, StoreError> {
        self.inner.find_threads(message_ids)
    }

    fn in_flight(&mut self) -> Result<Vec<Touchpoint>, StoreError> {
        self.inner.in_flight()
    }

    fn journeys(&mut self) -> Result<Vec<StoredJourney>, StoreError> {
        self.inner.journeys()
    }

    fn put_journey(&mut self, journey: &StoredJourney, now: Timestamp) -> Result<(), StoreError> {
        self.inner.put_journey(journey, now)
    }

    fn retire_journey(&mut self, id: &JourneyId, version: u32) -> Result<(), StoreError> {
        self.inner.retire_journey(id, version)
    }

    fn journey_versions(&mut self, id: &JourneyId) -> Result<Vec<StoredJourney>, StoreError> {
        self.inner.journey_versions(id)
    }

    fn set_journey_paused(&mut self, id: &JourneyId, paused: bool) -> Result<(), StoreError> {
        self.inner.set_journey_paused(id, paused)
    }

    fn paused_journeys(&mut self) -> Result<Vec<JourneyId>, StoreError> {
        self.inner.paused_journeys()
    }

    fn contacts_running(
        &mut self,
        journey: &JourneyId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.inner.contacts_running(journey, after, limit)
    }

    fn contacts_after(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.inner.contacts_after(after, limit)
    }

    fn assets(&mut self, kind: &str) -> Result<Vec<Asset>, StoreError> {
        self.inner.assets(kind)
    }

    fn put_asset(&mut self, asset: &Asset, now: Timestamp) -> Result<(), StoreError> {
        self.inner.put_asset(asset, now)
    }

    fn mailboxes(&mut self) -> Result<Vec<MailboxState>, StoreError> {
        self.inner.mailboxes()
    }

    fn put_mailbox(&mut self, state: &MailboxState) -> Result<(), StoreError> {
        self.inner.put_mailbox(state)
    }
}
