//! A store that remembers what was committed, and fails when it is told to.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_core::decide::{Effect, Timer};
use relance_core::identity::MergeRecord;
use relance_core::ids::{AccountId, ContactId, JourneyId, SegmentId, SubjectRef, TouchpointId};
use relance_core::payment::{PaymentRecord, StatementRecord};
use relance_core::snapshot::Snapshot;
use relance_core::suppression::{Suppression, SuppressionKey};
use relance_core::touchpoint::Touchpoint;
use relance_core::world::Needs;
use relance_engine::ports::{
    Asset, AuditLine, Change, Counts, Doubt, Forgotten, MailboxState, NextDue, Store, StoreError,
    StoredJourney, StoredSegment, Telling, ThreadEntry,
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

    fn contacts_awaiting(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.inner.contacts_awaiting(after, limit)
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

    fn put_audit(&mut self, line: &AuditLine) -> Result<(), StoreError> {
        self.inner.put_audit(line)
    }

    fn put_payment(&mut self, record: &PaymentRecord) -> Result<bool, StoreError> {
        self.inner.put_payment(record)
    }

    fn turn_payments(&mut self, seen: u64) -> Result<(), StoreError> {
        self.inner.turn_payments(seen)
    }

    fn put_statement(&mut self, record: &StatementRecord) -> Result<(), StoreError> {
        self.inner.put_statement(record)
    }

    fn mailboxes(&mut self) -> Result<Vec<MailboxState>, StoreError> {
        self.inner.mailboxes()
    }

    fn put_mailbox(&mut self, state: &MailboxState) -> Result<(), StoreError> {
        self.inner.put_mailbox(state)
    }

    fn resolve_all(
        &mut self,
        wanted: &[&[Identity]],
        now: Timestamp,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.inner.resolve_all(wanted, now)
    }

    fn load_needs_all(&mut self, wanted: Vec<(&mut Snapshot, &Needs)>) -> Result<(), StoreError> {
        self.inner.load_needs_all(wanted)
    }

    fn prepare_scan(
        &mut self,
        after: Option<ContactId>,
        needs: &Needs,
        counts: &Counts,
    ) -> Result<bool, StoreError> {
        self.inner.prepare_scan(after, needs, counts)
    }

    fn scan(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
        needs: &Needs,
    ) -> Result<Vec<Snapshot>, StoreError> {
        self.inner.scan(after, limit, needs)
    }

    fn segments(&mut self) -> Result<Vec<StoredSegment>, StoreError> {
        self.inner.segments()
    }

    fn put_segment(&mut self, segment: &StoredSegment, now: Timestamp) -> Result<(), StoreError> {
        self.inner.put_segment(segment, now)
    }

    fn remove_segment(&mut self, id: &SegmentId) -> Result<(), StoreError> {
        self.inner.remove_segment(id)
    }

    fn members_after(
        &mut self,
        id: &SegmentId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.inner.members_after(id, after, limit)
    }

    fn drop_members(&mut self, id: &SegmentId, limit: usize) -> Result<usize, StoreError> {
        self.inner.drop_members(id, limit)
    }

    fn find_all(&mut self, wanted: &[&Identity]) -> Result<Vec<Option<ContactId>>, StoreError> {
        self.inner.find_all(wanted)
    }

    fn identities_of(
        &mut self,
        contact: ContactId,
        limit: usize,
    ) -> Result<Vec<Identity>, StoreError> {
        self.inner.identities_of(contact, limit)
    }

    fn merge(&mut self, record: &MergeRecord) -> Result<(), StoreError> {
        self.inner.merge(record)
    }

    fn merge_record(&mut self, absorbed: ContactId) -> Result<Option<MergeRecord>, StoreError> {
        self.inner.merge_record(absorbed)
    }

    fn unmerge(&mut self, absorbed: ContactId) -> Result<(), StoreError> {
        self.inner.unmerge(absorbed)
    }

    fn put_doubt(&mut self, doubt: &Doubt) -> Result<(), StoreError> {
        self.inner.put_doubt(doubt)
    }

    fn put_suppressions(&mut self, entries: &[Suppression]) -> Result<usize, StoreError> {
        self.inner.put_suppressions(entries)
    }

    fn drop_suppression(&mut self, key: &SuppressionKey) -> Result<bool, StoreError> {
        self.inner.drop_suppression(key)
    }

    fn forget(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError> {
        self.inner.forget(contact, hash, limit, now)
    }

    fn readmit(&mut self, hash: &str) -> Result<bool, StoreError> {
        self.inner.readmit(hash)
    }

    fn erased(
        &mut self,
        names: &[&Identity],
        hash: &dyn Fn(&Identity) -> String,
    ) -> Result<Vec<bool>, StoreError> {
        self.inner.erased(names, hash)
    }

    fn tellings(&mut self, limit: usize) -> Result<Vec<Telling>, StoreError> {
        self.inner.tellings(limit)
    }

    fn contacts_of_account(
        &mut self,
        account: &AccountId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.inner.contacts_of_account(account, after, limit)
    }

    fn put_telling(&mut self, telling: &Telling) -> Result<(), StoreError> {
        self.inner.put_telling(telling)
    }

    fn end_telling(&mut self, telling: &Telling, settles: bool) -> Result<(), StoreError> {
        self.inner.end_telling(telling, settles)
    }
}
