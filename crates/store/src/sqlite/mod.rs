//! A workspace in one SQLite file: the engine's only writer.
//!
//! WAL, one connection, statements by name from `sql/sqlite/`. What a batch costs is the number of
//! different pages that it changes, so keys begin with what is read together, and nothing keeps an index
//! over a log (decision 0003).
//!
//! **Absent:** pages' queries (see [`crate::read`]), decisions.

mod accounts;
#[cfg(test)]
mod build_tests;
mod chains;
mod checkpoint;
pub(crate) mod column;
mod columns;
mod consent;
mod contacts;
pub(crate) mod error;
mod forget;
mod fresh;
pub(crate) mod gather;
mod log;
mod merge;
mod migrate;
mod payments;
mod quiet;
mod registry;
mod scan;
mod seals;
mod seen;
mod segments;
pub(crate) mod settle;
pub(crate) mod state;
pub(crate) mod tally;
#[cfg(test)]
mod tests;
mod workspace;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_core::decide::{Timer, TimerKind};
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
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use self::accounts::Accounts;
use self::chains::Chains;
use self::checkpoint::Checkpointer;
use self::column::{contact_id, hash, moment, nanos};
use self::error::{Located, unreadable};
use self::fresh::Fresh;
use self::log::Heads;
use self::quiet::Quiet;
use self::scan::{Scan, ScanLimits};
use self::seals::Seals;
use self::seen::Seen;
use self::segments::Numbers;
use self::tally::Tally;
use crate::sql::{Sql, SqlProblem};

pub(crate) use self::accounts::{EVERYONE, name_column, places, revision_column, telling};
pub use self::contacts::{ENTRIES_MAX, OBJECTS_OF_KIND_MAX};
pub use self::merge::OBJECTS_RETURNED_MAX;
pub use self::migrate::SCHEMA_VERSION;
pub(crate) use self::migrate::check_current;
pub use self::seen::{SEEN_AGE, SEEN_KEYS_MAX};
pub use self::workspace::THREADS_PER_MESSAGE_MAX;

/// Statements kept prepared by a connection: more than there are.
pub(crate) const STATEMENTS_KEPT: usize = 256;
/// Pages of the write-ahead log after which a commit moves them into the file: 16 MB.
const CHECKPOINT_PAGES: u32 = 4_000;
/// Size to which the write-ahead log is cut back after it was larger.
const WAL_BYTES_KEPT: u32 = 64 << 20;

/// The SQL of this dialect.
pub(crate) const FILES: &[&str] = &[
    include_str!("../../sql/sqlite/contact.sql"),
    include_str!("../../sql/sqlite/account.sql"),
    include_str!("../../sql/sqlite/event.sql"),
    include_str!("../../sql/sqlite/run.sql"),
    include_str!("../../sql/sqlite/due.sql"),
    include_str!("../../sql/sqlite/ledger.sql"),
    include_str!("../../sql/sqlite/segment.sql"),
    include_str!("../../sql/sqlite/consent.sql"),
    include_str!("../../sql/sqlite/merge.sql"),
    include_str!("../../sql/sqlite/registry.sql"),
    include_str!("../../sql/sqlite/workspace.sql"),
    include_str!("../../sql/sqlite/payment.sql"),
];

/// What a commit survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// A loss of power: the log is flushed to the disk before `commit` returns.
    #[default]
    Full,
    /// A crash of the program. After a loss of power the last batches may be missing, the file is whole.
    Normal,
    /// Nothing but a clean end: for tests and throw-away worlds.
    Off,
}

impl Synchronous {
    const fn word(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

/// How a file is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// What a commit survives.
    pub synchronous: Synchronous,
    /// Pages kept in memory by the writer.
    pub cache_bytes: u32,
    /// How much of the file is read through the memory map.
    pub mmap_bytes: u64,
    /// How long to wait for whoever holds the file before [`StoreError::Busy`].
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            cache_bytes: 64 << 20,
            mmap_bytes: 256 << 20,
            busy_timeout: Duration::from_secs(5),
        }
    }
}

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a newer program.
    #[error("the file has schema {found}, this program knows up to {known}; use the newer program")]
    Newer {
        /// In the file.
        found: i64,
        /// In this program.
        known: usize,
    },
    /// It was written by an older program, and nobody has opened it to write since.
    #[error(
        "the file has schema {found}, this program reads {known}; start `relance serve` with it once"
    )]
    Older {
        /// In the file.
        found: i64,
        /// In this program.
        known: usize,
    },
    /// Its workspace went elsewhere: serving from both would send everything twice (R10).
    #[error(
        "the workspace of this file was moved to {to}; name it in relance.toml as [store] url, and keep the file as a backup only"
    )]
    Moved {
        /// Where to, without a password.
        to: String,
    },
    /// It is a database of another program.
    #[error(
        "the file is a database of another program; name a file of ours or one that does not exist"
    )]
    Foreign,
    /// The program was put together wrongly.
    #[error(transparent)]
    Sql(#[from] SqlProblem),
    /// SQLite refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store of one workspace in SQLite.
#[derive(Debug)]
pub struct SqliteStore {
    conn: Connection,
    /// After the connection, whose commits wake it.
    checkpointer: Option<Checkpointer>,
    sql: Sql,
    /// `None` in memory.
    path: Option<PathBuf>,
    options: SqliteOptions,
    seen: Seen,
    heads: Heads,
    seals: Seals,
    scan: Option<Scan>,
    scan_limits: ScanLimits,
    tally: Tally,
    chains: Chains,
    quiet: Quiet,
    accounts: Accounts,
    fresh: Fresh,
    segment_numbers: Numbers,
    /// Nothing is left of a file from before there was a registry.
    is_brought_over: bool,
    in_batch: bool,
    /// An erasure ended in this batch.
    empty_log_after_commit: bool,
}

impl SqliteStore {
    /// Opens a workspace's file; creates it when there is none, and brings it to this program's schema.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        Self::with(
            connect(Some(path), &options)?,
            Some(path.to_owned()),
            options,
        )
    }

    /// A workspace that ends with this value.
    pub fn open_in_memory() -> Result<Self, OpenError> {
        let options = SqliteOptions {
            synchronous: Synchronous::Off,
            ..SqliteOptions::default()
        };
        Self::with(connect(None, &options)?, None, options)
    }

    fn with(
        mut conn: Connection,
        path: Option<PathBuf>,
        options: SqliteOptions,
    ) -> Result<Self, OpenError> {
        // Where nothing is flushed there is nothing to wait for.
        let file = path.as_deref();
        let file = file.filter(|_| options.synchronous == Synchronous::Full);
        let checkpointer = file.map(Checkpointer::start).transpose()?;
        if let Some(checkpointer) = &checkpointer {
            checkpointer.watch(&mut conn)?;
        }
        let sql = Sql::load(FILES)?;
        let seen = Seen::load(&conn, &sql)?;
        let heads = Heads::load(&conn, &sql)?;
        let seals = Seals::load(&conn, &sql, heads.last_id())?;
        let tally = Tally::default();
        Ok(Self {
            conn,
            checkpointer,
            sql,
            path,
            options,
            seen,
            heads,
            seals,
            scan: None,
            scan_limits: ScanLimits::default(),
            tally,
            chains: Chains::default(),
            quiet: Quiet::default(),
            accounts: Accounts::new(),
            fresh: Fresh::default(),
            segment_numbers: Numbers::new(),
            is_brought_over: false,
            in_batch: false,
            empty_log_after_commit: false,
        })
    }

    /// The statements of this dialect, for the test that prepares each.
    #[cfg(test)]
    pub(crate) fn statements(&self) -> Vec<(&'static str, &'static str)> {
        self.sql.all()
    }

    /// Runs several statements as one, unless a batch is open already.
    fn together<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.in_batch {
            return work(self);
        }
        self.begin()?;
        let outcome = work(self).and_then(|value| self.commit().map(|()| value));
        if outcome.is_err() {
            self.rollback();
        }
        outcome
    }
}

/// Lets a prepared statement keep its plan. Without it SQLite prepares a statement over a table with a
/// partial index anew for each value bound: a third of the time of a batch.
pub(crate) fn keep_plans(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// Opens, checks and migrates a file, or a database in memory.
fn connect(path: Option<&Path>, options: &SqliteOptions) -> Result<Connection, OpenError> {
    let conn = match path {
        Some(path) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags).at("file", path.display())?
        }
        None => Connection::open_in_memory().at("memory", "")?,
    };
    conn.busy_timeout(options.busy_timeout)
        .at("pragma", "busy_timeout")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    keep_plans(&conn).at("pragma", "qpsg")?;
    migrate::check(&conn)?;
    let cache_kib = options.cache_bytes / 1_024;
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {};
         PRAGMA foreign_keys = OFF;
         PRAGMA cache_size = -{cache_kib};
         PRAGMA mmap_size = {};
         PRAGMA temp_store = MEMORY;
         PRAGMA secure_delete = FAST;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA journal_size_limit = {WAL_BYTES_KEPT};",
        options.synchronous.word(),
        options.mmap_bytes,
    ))
    .at("pragma", "")?;
    migrate::migrate(&conn)?;
    Ok(conn)
}

/// The kind of a timer from its columns.
fn timer_kind(kind: i64, target: i64) -> Option<TimerKind> {
    match kind {
        1 => u32::try_from(target).ok().map(TimerKind::Enrollment),
        2 => Some(TimerKind::Touchpoint(target.cast_unsigned())),
        3 => Some(TimerKind::Watch(target.cast_unsigned())),
        4 => Some(TimerKind::Segment(target.cast_unsigned())),
        _unknown_number => None,
    }
}

fn limit_column(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE", []).at("transaction", "begin")?;
        self.in_batch = true;
        Ok(())
    }

    fn rollback(&mut self) {
        self.in_batch = false;
        self.seen.rolled_back();
        self.heads.rolled_back();
        self.seals.rolled_back();
        // It may have seen events that are gone.
        self.scan = None;
        self.tally.rolled_back();
        self.chains.rolled_back();
        self.quiet.rolled_back();
        self.accounts.clear();
        self.fresh.clear();
        self.segment_numbers.clear();
        // SQLite may have rolled back by itself, as it does when the disk is full.
        if self.conn.is_autocommit() || self.run("ROLLBACK", []).is_ok() {
            return;
        }
        // A new connection has no transaction; in memory there is nothing to go back to.
        if let Some(path) = &self.path {
            match connect(Some(path), &self.options) {
                Ok(mut conn) => {
                    if let Some(Err(error)) = self
                        .checkpointer
                        .as_ref()
                        .map(|helper| helper.watch(&mut conn))
                    {
                        tracing::warn!(%error, "commits copy their pages themselves from now on");
                    }
                    self.conn = conn;
                }
                Err(error) => tracing::error!(%error, "the store's connection cannot be renewed"),
            }
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.write_made()?;
        self.bring_over()?;
        self.chains.flush(&self.conn, &self.sql)?;
        self.tally.flush(&self.conn, &self.sql)?;
        self.seals.flush(&self.conn, &self.sql)?;
        self.run("COMMIT", []).at("transaction", "commit")?;
        self.in_batch = false;
        self.accounts.clear();
        self.fresh.clear();
        self.seen.committed();
        self.heads.committed();
        self.seals.committed();
        self.empty_log();
        Ok(())
    }

    fn remember(&mut self, keys: &[u64], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        self.tally.told_now(now);
        self.together(|store| store.seen.remember(&store.conn, &store.sql, keys, now))
    }

    fn resolve(
        &mut self,
        identities: &[Identity],
        now: Timestamp,
    ) -> Result<ContactId, StoreError> {
        self.together(|store| store.resolve_contact(identities, now))
    }

    fn resolve_all(
        &mut self,
        wanted: &[&[Identity]],
        now: Timestamp,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.tally.told_now(now);
        self.together(|store| store.resolve_contacts(wanted, now))
    }

    fn find(&mut self, identity: &Identity) -> Result<Option<ContactId>, StoreError> {
        self.find_contact(identity)
    }

    fn find_by_object(
        &mut self,
        subject: &SubjectRef,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.contacts_with_object(subject, limit)
    }

    fn find_by_domain(&mut self, domain: &str, limit: usize) -> Result<Vec<ContactId>, StoreError> {
        self.contacts_at_domain(domain, limit)
    }

    fn due_timers(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ContactId, Timer)>, StoreError> {
        let mut due = Vec::new();
        let mut statement = self
            .conn
            .prepare_cached(self.sql.timer_due)
            .at("timer", "")?;
        let mut rows = statement
            .query(params![nanos(now), limit_column(limit)])
            .at("timer", "")?;
        while let Some(row) = rows.next().at("timer", "")? {
            let contact = contact_id(row, 1).at("timer", "")?;
            let (at, kind, target): (i64, i64, i64) =
                (|| -> rusqlite::Result<_> { Ok((row.get(0)?, row.get(2)?, row.get(3)?)) })()
                    .at("timer of", contact)?;
            let kind = timer_kind(kind, target)
                .ok_or_else(|| unreadable("timer of", contact, format_args!("kind {kind}")))?;
            due.push((
                contact,
                Timer {
                    due_at: moment(at),
                    kind,
                },
            ));
        }
        Ok(due)
    }

    fn ready_touchpoints(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<TouchpointId>, StoreError> {
        self.conn
            .prepare_cached(self.sql.outbox_ready)
            .and_then(|mut statement| {
                statement
                    .query_map(params![nanos(now), limit_column(limit)], |row| {
                        Ok(TouchpointId {
                            contact: contact_id(row, 0)?,
                            hash: hash(row, 1)?,
                        })
                    })?
                    .collect()
            })
            .at("outbox", "")
    }

    fn next_due(&mut self) -> Result<NextDue, StoreError> {
        Ok(NextDue {
            timer: self
                .single(self.sql.timer_next)
                .at("timer", "")?
                .map(moment),
            outbox: self
                .single(self.sql.outbox_next)
                .at("outbox", "")?
                .map(moment),
        })
    }

    fn load(&mut self, contacts: &[ContactId]) -> Result<Vec<Snapshot>, StoreError> {
        contacts
            .iter()
            .filter_map(|id| self.load_one(*id).transpose())
            .collect()
    }

    fn load_needs(&mut self, snapshot: &mut Snapshot, needs: &Needs) -> Result<(), StoreError> {
        self.load_more(snapshot, needs)
    }

    fn load_needs_all(
        &mut self,
        mut wanted: Vec<(&mut Snapshot, &Needs)>,
    ) -> Result<(), StoreError> {
        self.load_standings(&mut wanted)?;
        for (snapshot, needs) in wanted {
            self.load_beside_standings(snapshot, needs)?;
        }
        Ok(())
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.together(|store| store.write_all(changes))
    }

    fn put_threads(&mut self, entries: &[ThreadEntry]) -> Result<(), StoreError> {
        self.together(|store| store.write_threads(entries))
    }

    fn find_threads(&mut self, message_ids: &[&str]) -> Result<Vec<ThreadEntry>, StoreError> {
        self.threads_of(message_ids)
    }

    fn in_flight(&mut self) -> Result<Vec<Touchpoint>, StoreError> {
        self.load_in_flight()
    }

    fn journeys(&mut self) -> Result<Vec<StoredJourney>, StoreError> {
        if self.in_batch {
            // Live runs are counted at the end of the batch; this one's count too.
            self.tally.flush(&self.conn, &self.sql)?;
        }
        self.wanted_journeys()
    }

    fn journey_versions(&mut self, id: &JourneyId) -> Result<Vec<StoredJourney>, StoreError> {
        self.versions_of(id)
    }

    fn retire_journey(&mut self, id: &JourneyId, version: u32) -> Result<(), StoreError> {
        self.run(self.sql.journey_retire, params![id.as_str(), version])
            .at("journey", id)?;
        Ok(())
    }

    fn set_journey_paused(&mut self, id: &JourneyId, paused: bool) -> Result<(), StoreError> {
        let sql = if paused {
            self.sql.journey_pause
        } else {
            self.sql.journey_go_on
        };
        self.run(sql, [id.as_str()]).at("journey_paused", id)?;
        Ok(())
    }

    fn paused_journeys(&mut self) -> Result<Vec<JourneyId>, StoreError> {
        self.standing_still()
    }

    fn contacts_running(
        &mut self,
        journey: &JourneyId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.contacts_with_run(journey, after, limit)
    }

    fn contacts_awaiting(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.contacts_with_message(after, limit)
    }

    fn contacts_after(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.contacts_in_order(after, limit)
    }

    fn segments(&mut self) -> Result<Vec<StoredSegment>, StoreError> {
        self.defined_segments()
    }

    fn put_segment(&mut self, segment: &StoredSegment, now: Timestamp) -> Result<(), StoreError> {
        let text = Some(segment.text.as_str());
        self.together(|store| store.define_segment(&segment.id, text, Some(now)))
    }

    fn remove_segment(&mut self, id: &SegmentId) -> Result<(), StoreError> {
        self.together(|store| store.define_segment(id, None, None))
    }

    fn members_after(
        &mut self,
        id: &SegmentId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let records = self.records_after(id, after, limit)?;
        Ok(records.into_iter().map(|(contact, _)| contact).collect())
    }

    fn drop_members(&mut self, id: &SegmentId, limit: usize) -> Result<usize, StoreError> {
        self.together(|store| store.forget_members(id, limit))
    }

    fn assets(&mut self, kind: &str) -> Result<Vec<Asset>, StoreError> {
        self.assets_of(kind)
    }

    fn put_asset(&mut self, asset: &Asset, now: Timestamp) -> Result<(), StoreError> {
        self.write_asset(asset, now)
    }

    fn put_audit(&mut self, line: &AuditLine) -> Result<(), StoreError> {
        self.write_audit(line)
    }

    fn put_payment(&mut self, record: &PaymentRecord) -> Result<bool, StoreError> {
        self.together(|store| store.write_payment(record))
    }

    fn turn_payments(&mut self, seen: u64) -> Result<(), StoreError> {
        self.turn_book(seen)
    }

    fn put_statement(&mut self, record: &StatementRecord) -> Result<(), StoreError> {
        self.write_statement(record)
    }

    fn put_journey(&mut self, journey: &StoredJourney, now: Timestamp) -> Result<(), StoreError> {
        self.together(|store| store.write_journey(journey, now))
    }

    fn mailboxes(&mut self) -> Result<Vec<MailboxState>, StoreError> {
        self.mailbox_states()
    }

    fn put_mailbox(&mut self, state: &MailboxState) -> Result<(), StoreError> {
        self.write_mailbox(state)
    }

    fn scan(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
        needs: &Needs,
    ) -> Result<Vec<Snapshot>, StoreError> {
        self.scan_page(after, limit, needs)
    }

    fn prepare_scan(
        &mut self,
        after: Option<ContactId>,
        needs: &Needs,
        counts: &Counts,
    ) -> Result<bool, StoreError> {
        self.prepare_window(after, needs, counts)
    }

    fn find_all(&mut self, wanted: &[&Identity]) -> Result<Vec<Option<ContactId>>, StoreError> {
        self.find_contacts(wanted)
    }

    fn identities_of(
        &mut self,
        contact: ContactId,
        limit: usize,
    ) -> Result<Vec<Identity>, StoreError> {
        self.names_of(contact, limit)
    }

    fn merge(&mut self, record: &MergeRecord) -> Result<(), StoreError> {
        self.write_made()?;
        self.together(|store| store.make_one(record))
    }

    fn merge_record(&mut self, absorbed: ContactId) -> Result<Option<MergeRecord>, StoreError> {
        let mut record = self.merge_of(absorbed)?;
        if let Some(undo) = record.as_mut().and_then(|record| record.undo.as_mut()) {
            self.with_account(&mut undo.survivor)?;
            self.with_account(&mut undo.absorbed)?;
        }
        Ok(record)
    }

    fn unmerge(&mut self, absorbed: ContactId) -> Result<(), StoreError> {
        self.write_made()?;
        self.together(|store| store.make_two(absorbed))
    }

    fn put_doubt(&mut self, doubt: &Doubt) -> Result<(), StoreError> {
        self.together(|store| store.write_doubt(doubt))
    }

    fn put_suppressions(&mut self, entries: &[Suppression]) -> Result<usize, StoreError> {
        self.together(|store| {
            let mut added = 0;
            for one in entries {
                added += store.write_suppression(one)?;
            }
            Ok(added)
        })
    }

    fn drop_suppression(&mut self, key: &SuppressionKey) -> Result<bool, StoreError> {
        self.remove_suppression(key)
    }

    fn forget(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError> {
        self.write_made()?;
        self.together(|store| store.forget_some(contact, hash, limit, now))
    }

    fn readmit(&mut self, hash: &str) -> Result<bool, StoreError> {
        let gone = self.run(self.sql.erased_drop, [hash]).at("erased", "")?;
        Ok(gone > 0)
    }

    fn erased(
        &mut self,
        names: &[&Identity],
        hash: &dyn Fn(&Identity) -> String,
    ) -> Result<Vec<bool>, StoreError> {
        self.are_erased(names, hash)
    }

    fn tellings(&mut self, limit: usize) -> Result<Vec<Telling>, StoreError> {
        self.list_tellings(limit)
    }

    fn contacts_of_account(
        &mut self,
        account: &AccountId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.contacts_in_account(account, after, limit)
    }

    fn put_telling(&mut self, telling: &Telling) -> Result<(), StoreError> {
        self.together(|store| store.move_telling(telling))
    }

    fn end_telling(&mut self, telling: &Telling, settles: bool) -> Result<(), StoreError> {
        self.together(|store| store.finish_telling(telling, settles))
    }
}
