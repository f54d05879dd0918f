//! The store of a workspace, wherever its database is.
//!
//! **Absent:** what the stores do. A method of the port is added here as its signature in `delegate!`; a
//! test compares the names, since one with a default body would be missed by nobody else.

use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_core::decide::Timer;
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

use relance_engine::sharing::Sharing;

use crate::postgres::{self, PostgresOptions, PostgresStore};
use crate::read::Reader;
use crate::{Place, PlaceError, SqliteOptions, SqliteStore, blocking};

/// A store at a [`Place`].
#[derive(Debug)]
pub enum AnyStore {
    /// A file.
    Sqlite(Box<SqliteStore>),
    /// A schema of a server.
    Postgres(Box<PostgresStore>),
}

impl AnyStore {
    /// Opens a workspace to work on it alone; creates it when there is none, and brings it to this program's
    /// schema.
    pub fn open(place: &Place) -> Result<Self, PlaceError> {
        Self::open_with(place, PostgresOptions::default())
    }

    /// [`open`](Self::open) with options, which are for a server.
    pub fn open_with(place: &Place, options: PostgresOptions) -> Result<Self, PlaceError> {
        match place {
            Place::File(path) => {
                let store = SqliteStore::open(path, SqliteOptions::default())?;
                Ok(Self::Sqlite(Box::new(store)))
            }
            Place::Server(url) => {
                let store = blocking(|| PostgresStore::open(url.secret_text(), options))?;
                let is_half = Reader::open_url(url)?.is_half_moved();
                if is_half.map_err(postgres::OpenError::from)? {
                    return Err(PlaceError::HalfMoved);
                }
                Ok(Self::Postgres(Box::new(store)))
            }
        }
    }
}

macro_rules! delegate {
    ($(fn $name:ident($($arg:ident: $of:ty),* $(,)?) $(-> $told:ty)?;)+) => {
        impl Store for AnyStore {
            $(fn $name(&mut self, $($arg: $of),*) $(-> $told)? {
                match self {
                    Self::Sqlite(store) => store.$name($($arg),*),
                    Self::Postgres(store) => store.$name($($arg),*),
                }
            })+
        }

        #[cfg(test)]
        const DELEGATED: &[&str] = &[$(stringify!($name)),+];
    };
}

delegate! {
    fn sharing() -> Option<&mut dyn Sharing>;
    fn begin() -> Result<(), StoreError>;
    fn rollback();
    fn commit() -> Result<(), StoreError>;
    fn remember(keys: &[u64], now: Timestamp) -> Result<Vec<bool>, StoreError>;
    fn resolve(identities: &[Identity], now: Timestamp) -> Result<ContactId, StoreError>;
    fn find(identity: &Identity) -> Result<Option<ContactId>, StoreError>;
    fn find_by_object(subject: &SubjectRef, limit: usize) -> Result<Vec<ContactId>, StoreError>;
    fn find_by_domain(domain: &str, limit: usize) -> Result<Vec<ContactId>, StoreError>;
    fn due_timers(now: Timestamp, limit: usize) -> Result<Vec<(ContactId, Timer)>, StoreError>;
    fn ready_touchpoints(now: Timestamp, limit: usize) -> Result<Vec<TouchpointId>, StoreError>;
    fn next_due() -> Result<NextDue, StoreError>;
    fn load(contacts: &[ContactId]) -> Result<Vec<Snapshot>, StoreError>;
    fn load_needs(snapshot: &mut Snapshot, needs: &Needs) -> Result<(), StoreError>;
    fn resolve_all(identities: &[&[Identity]], now: Timestamp) -> Result<Vec<ContactId>, StoreError>;
    fn load_needs_all(wanted: Vec<(&mut Snapshot, &Needs)>) -> Result<(), StoreError>;
    fn scan(after: Option<ContactId>, limit: usize, needs: &Needs)
        -> Result<Vec<Snapshot>, StoreError>;
    fn prepare_scan(after: Option<ContactId>, needs: &Needs, counts: &Counts)
        -> Result<bool, StoreError>;
    fn write(changes: &[Change]) -> Result<(), StoreError>;
    fn put_threads(entries: &[ThreadEntry]) -> Result<(), StoreError>;
    fn find_threads(message_ids: &[&str]) -> Result<Vec<ThreadEntry>, StoreError>;
    fn in_flight() -> Result<Vec<Touchpoint>, StoreError>;
    fn journeys() -> Result<Vec<StoredJourney>, StoreError>;
    fn journey_versions(id: &JourneyId) -> Result<Vec<StoredJourney>, StoreError>;
    fn put_journey(journey: &StoredJourney, now: Timestamp) -> Result<(), StoreError>;
    fn retire_journey(id: &JourneyId, version: u32) -> Result<(), StoreError>;
    fn set_journey_paused(id: &JourneyId, paused: bool) -> Result<(), StoreError>;
    fn paused_journeys() -> Result<Vec<JourneyId>, StoreError>;
    fn contacts_running(journey: &JourneyId, after: Option<ContactId>, limit: usize)
        -> Result<Vec<ContactId>, StoreError>;
    fn contacts_awaiting(after: Option<ContactId>, limit: usize)
        -> Result<Vec<ContactId>, StoreError>;
    fn contacts_after(after: Option<ContactId>, limit: usize) -> Result<Vec<ContactId>, StoreError>;
    fn segments() -> Result<Vec<StoredSegment>, StoreError>;
    fn put_segment(segment: &StoredSegment, now: Timestamp) -> Result<(), StoreError>;
    fn remove_segment(id: &SegmentId) -> Result<(), StoreError>;
    fn members_after(id: &SegmentId, after: Option<ContactId>, limit: usize)
        -> Result<Vec<ContactId>, StoreError>;
    fn drop_members(id: &SegmentId, limit: usize) -> Result<usize, StoreError>;
    fn assets(kind: &str) -> Result<Vec<Asset>, StoreError>;
    fn put_asset(asset: &Asset, now: Timestamp) -> Result<(), StoreError>;
    fn put_audit(line: &AuditLine) -> Result<(), StoreError>;
    fn put_payment(record: &PaymentRecord) -> Result<bool, StoreError>;
    fn turn_payments(seen: u64) -> Result<(), StoreError>;
    fn put_statement(record: &StatementRecord) -> Result<(), StoreError>;
    fn mailboxes() -> Result<Vec<MailboxState>, StoreError>;
    fn put_mailbox(state: &MailboxState) -> Result<(), StoreError>;
    fn find_all(wanted: &[&Identity]) -> Result<Vec<Option<ContactId>>, StoreError>;
    fn identities_of(contact: ContactId, limit: usize) -> Result<Vec<Identity>, StoreError>;
    fn merge(record: &MergeRecord) -> Result<(), StoreError>;
    fn merge_record(absorbed: ContactId) -> Result<Option<MergeRecord>, StoreError>;
    fn unmerge(absorbed: ContactId) -> Result<(), StoreError>;
    fn put_doubt(doubt: &Doubt) -> Result<(), StoreError>;
    fn put_suppressions(entries: &[Suppression]) -> Result<usize, StoreError>;
    fn drop_suppression(key: &SuppressionKey) -> Result<bool, StoreError>;
    fn forget(
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError>;
    fn readmit(hash: &str) -> Result<bool, StoreError>;
    fn tellings(limit: usize) -> Result<Vec<Telling>, StoreError>;
    fn contacts_of_account(account: &AccountId, after: Option<ContactId>, limit: usize)
        -> Result<Vec<ContactId>, StoreError>;
    fn put_telling(telling: &Telling) -> Result<(), StoreError>;
    fn end_telling(telling: &Telling, settles: bool) -> Result<(), StoreError>;
    fn erased(names: &[&Identity], hash: &dyn Fn(&Identity) -> String)
        -> Result<Vec<bool>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_port_is_delegated() {
        let ports = include_str!("../../engine/src/ports.rs");
        let (_, port) = ports.split_once("pub trait Store {").expect("the port");
        let (port, _) = port.split_once("\n}").expect("its end");
        let methods = port
            .lines()
            .filter_map(|line| line.strip_prefix("    fn "))
            .filter_map(|line| line.split_once('('))
            .map(|(name, _)| name);
        let missing: Vec<&str> = methods.filter(|name| !DELEGATED.contains(name)).collect();
        assert!(missing.is_empty(), "add to `delegate!`: {missing:?}");
    }
}
