//! A workspace in one schema of PostgreSQL: the engine's writer, on one machine or on several.
//!
//! What a batch costs is round trips, so everything is asked and written for the whole batch, one statement a
//! table, and what does not depend on an answer goes out together (see `session`). Who may write to which
//! contacts is in `lease`: one program alone, or several that share the partitions. Statements are by name
//! from `sql/postgres/`; the layout is decision 0017.
//!
//! When the connection is lost in the middle of `commit`, nobody knows whether the batch was made durable.
//! [`StoreError::Busy`] says so: the same arrivals may be taken again, their keys tell.
//!
//! **Absent:** pages' queries (see [`crate::read`]), decisions.

mod accounts;
mod columns;
pub(crate) mod connect;
mod contacts;
mod due;
pub(crate) mod error;
mod forget;
mod ids;
mod lease;
mod merge;
pub(crate) mod migrate;
mod needs;
mod payments;
mod quiet;
mod registry;
mod seen;
mod session;
mod tally;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod workspace;
mod write;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

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
    Asset, AuditLine, Change, Doubt, Forgotten, MailboxState, NextDue, Store, StoreError,
    StoredJourney, StoredSegment, Telling, ThreadEntry,
};
use relance_engine::sharing::Sharing;

use self::connect::{Address, Purpose};
use self::due::Floors;
use self::error::{PgLocated, unreadable};
use self::ids::{ContactIds, Numbers, PARTITIONS};
use self::lease::Standing;
use self::quiet::Quiet;
use self::seen::Seen;
use self::session::{Answer, Ask, Param, Session};
use self::tally::Tally;
use self::text::word;
use self::workspace::{SegmentNumbers, version_column};
use crate::sql::{PgSql, SqlProblem};

pub use self::connect::UrlProblem;
pub use self::lease::Lease;
pub use self::migrate::POSTGRES_SCHEMA_VERSION;
pub(crate) use self::migrate::check_current;
pub use self::seen::SEEN_BYTES_MAX;

/// The SQL of this dialect.
const FILES: &[&str] = &[
    include_str!("../../sql/postgres/contact.sql"),
    include_str!("../../sql/postgres/account.sql"),
    include_str!("../../sql/postgres/event.sql"),
    include_str!("../../sql/postgres/run.sql"),
    include_str!("../../sql/postgres/due.sql"),
    include_str!("../../sql/postgres/ledger.sql"),
    include_str!("../../sql/postgres/segment.sql"),
    include_str!("../../sql/postgres/workspace.sql"),
    include_str!("../../sql/postgres/payment.sql"),
    include_str!("../../sql/postgres/merge.sql"),
    include_str!("../../sql/postgres/consent.sql"),
    include_str!("../../sql/postgres/registry.sql"),
    include_str!("../../sql/postgres/lease.sql"),
];

const BEGIN: &str = "BEGIN";
const COMMIT: &str = "COMMIT";

/// How long a batch of a program that works alone may stand idle in the middle.
const IDLE_IN_BATCH_MAX: Duration = Duration::from_secs(60);
/// Between two tries for the workspace while another session has it.
const TAKE_PAUSE: Duration = Duration::from_millis(50);

/// How a workspace is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// A name among several programs that share the work; `None` works alone.
    pub lease: Option<Lease>,
    /// Whether a commit waits for the server's disk. Without it the last batches may be missing after a
    /// crash of the server; the database is whole.
    pub waits_for_disk: bool,
    /// How long to wait for whoever has the workspace before it is refused: the server may take a moment to
    /// notice that a killed program is gone.
    pub take_wait: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            lease: None,
            waits_for_disk: true,
            take_wait: Duration::from_secs(10),
        }
    }
}

impl PostgresOptions {
    /// Shares the work under a name.
    #[must_use]
    pub fn with_lease(self, name: &str, ttl: Duration) -> Self {
        let name = name.to_owned();
        Self {
            lease: Some(Lease { name, ttl }),
            ..self
        }
    }
}

/// Why a workspace cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not usable.
    #[error(transparent)]
    Url(#[from] UrlProblem),
    /// It was written by a newer program.
    #[error(
        "the database has schema version {found}, this program knows up to {known}; use the newer program"
    )]
    Newer {
        /// In the database.
        found: i64,
        /// In this program.
        known: usize,
    },
    /// It was written by an older program, and nobody has opened it to write since.
    #[error(
        "the database has schema version {found}, this program reads {known}; start `relance serve` with it once"
    )]
    Older {
        /// In the database.
        found: i64,
        /// In this program.
        known: usize,
    },
    /// The schema has tables of another program.
    #[error(
        "the schema holds tables of another program; name a schema of ours or one that does not exist"
    )]
    Foreign,
    /// The server is too old.
    #[error("the server is PostgreSQL {found}; version {needed} or newer is needed")]
    Server {
        /// Its version.
        found: i32,
        /// The oldest that will do.
        needed: i32,
    },
    /// Another program works on it.
    #[error(
        "another program works on this workspace; stop it, or give each a node name to share the work"
    )]
    InUse,
    /// The program was put together wrongly.
    #[error(transparent)]
    Sql(#[from] SqlProblem),
    /// PostgreSQL refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The batch under way.
#[derive(Debug, Default)]
struct Batch {
    /// Between `begin` and `commit`.
    is_begun: bool,
    /// The database knows of it.
    is_open: bool,
    /// A statement of it failed: it cannot be committed.
    is_broken: bool,
}

/// The store of one workspace in PostgreSQL.
#[derive(Debug)]
pub struct PostgresStore {
    address: Address,
    options: PostgresOptions,
    session: Session,
    /// The session may be in a state that is not known: it is renewed before the next batch.
    is_spoilt: bool,
    sql: PgSql,
    standing: Standing,
    /// Which partitions this program may write to.
    held: Vec<bool>,
    batch: Batch,
    seen: Seen,
    tally: Tally,
    quiet: Quiet,
    timers: Floors,
    outbox: Floors,
    contact_ids: ContactIds,
    event_ids: Numbers,
    line_ids: Numbers,
    segment_numbers: SegmentNumbers,
    days: BTreeSet<i64>,
    /// Nothing is left of a schema from before there was a registry.
    is_brought_over: bool,
}

impl PostgresStore {
    /// Opens a workspace by the URL of its database; creates its schema when there is none, and brings it to
    /// this program's version.
    pub fn open(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let address = connect::parse(url)?;
        migrate::migrate(&address)?;
        let session = Session::new(connect::open(&address, purpose(&options))?);
        let mut store = Self {
            address,
            session,
            is_spoilt: false,
            sql: PgSql::load(FILES)?,
            standing: Standing::new(options.lease.clone()),
            options,
            held: vec![false; PARTITIONS],
            batch: Batch::default(),
            seen: Seen::default(),
            tally: Tally::default(),
            quiet: Quiet::default(),
            timers: Floors::default(),
            outbox: Floors::default(),
            contact_ids: ContactIds::default(),
            event_ids: Numbers::default(),
            line_ids: Numbers::default(),
            segment_numbers: SegmentNumbers::new(),
            days: BTreeSet::new(),
            is_brought_over: false,
        };
        let deadline = Instant::now() + store.options.take_wait;
        while !store.take_lock()? {
            if Instant::now() >= deadline {
                return Err(OpenError::InUse);
            }
            std::thread::sleep(TAKE_PAUSE);
        }
        store.heartbeat()?;
        Ok(store)
    }

    /// Statements, of which what does not depend on another's answer goes together. Opens the batch's
    /// transaction where it is not open yet.
    fn ask(&mut self, asks: Vec<Ask<'_>>) -> Result<Vec<Answer>, StoreError> {
        if !self.batch.is_begun {
            self.renew_if_lost()?;
            return self.session.ask(&asks);
        }
        if self.batch.is_broken {
            return Err(StoreError::Failed(
                "a statement of this batch failed before".to_owned(),
            ));
        }
        if self.batch.is_open {
            let outcome = self.session.ask(&asks);
            self.batch.is_broken |= outcome.is_err();
            return outcome;
        }
        let (sql, whose) = self.fence();
        let params: Vec<Param<'_>> = match &whose {
            Some((name, epoch)) => vec![name, epoch],
            None => Vec::new(),
        };
        let mut all = vec![Ask::new(BEGIN, Vec::new()), Ask::new(sql, params)];
        all.extend(asks);
        self.batch.is_open = true;
        let outcome = self.session.ask(&all);
        self.batch.is_broken |= outcome.is_err();
        let mut answers = outcome?;
        let rest = answers.split_off(2);
        let fence = answers.pop().unwrap_or_default();
        match fence.rows.first() {
            Some(row) => {
                let generation: i64 = row.try_get(0).at("seen_generation", "")?;
                self.seen.generation = (generation, row.try_get(1).at("seen_generation", "")?);
                Ok(rest)
            }
            None if whose.is_some() => {
                self.batch.is_broken = true;
                Err(self.lose_all())
            }
            None => Err(unreadable("seen_generation", "", "its row is gone")),
        }
    }

    /// One statement.
    fn one(&mut self, sql: &'static str, params: Vec<Param<'_>>) -> Result<Answer, StoreError> {
        let mut answers = self.ask(vec![Ask::new(sql, params)])?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Lets the database know of the batch, if it does not yet.
    fn open_batch(&mut self) -> Result<(), StoreError> {
        if self.batch.is_begun && !self.batch.is_open {
            self.ask(Vec::new())?;
        }
        Ok(())
    }

    /// Runs several statements as one, unless a batch is begun already.
    fn together<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.batch.is_begun {
            return work(self);
        }
        self.begin()?;
        let outcome = work(self).and_then(|value| self.commit().map(|()| value));
        if outcome.is_err() {
            self.rollback();
        }
        outcome
    }

    /// Opens a new connection when the old one is lost or cannot be trusted.
    fn renew_if_lost(&mut self) -> Result<(), StoreError> {
        if !self.is_spoilt && !self.session.is_lost() {
            return Ok(());
        }
        self.is_spoilt = true;
        self.session = Session::new(connect::open(&self.address, purpose(&self.options))?);
        self.forget_cached();
        if !self.take_lock()? {
            return Err(StoreError::Busy(
                "another program works on this workspace".to_owned(),
            ));
        }
        self.is_spoilt = false;
        Ok(())
    }

    /// What was learned from rows that may be gone or changed.
    fn forget_cached(&mut self) {
        self.tally.clear();
        self.quiet.clear();
        self.timers.clear();
        self.outbox.clear();
        self.segment_numbers.clear();
        self.days.clear();
        // Whoever worked here in between gave higher numbers.
        self.event_ids.clear();
        self.line_ids.clear();
    }

    /// The statements of this dialect, for the test that prepares each.
    #[cfg(test)]
    fn statements(&self) -> Vec<(&'static str, &'static str)> {
        self.sql.all()
    }
}

fn purpose(options: &PostgresOptions) -> Purpose {
    let idle = options
        .lease
        .as_ref()
        .map_or(IDLE_IN_BATCH_MAX, |lease| lease.ttl);
    Purpose::Write {
        idle_in_batch: idle,
        waits_for_disk: options.waits_for_disk,
    }
}

impl Store for PostgresStore {
    fn sharing(&mut self) -> Option<&mut dyn Sharing> {
        self.standing.lease.is_some().then_some(self)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if self.batch.is_begun {
            return Err(StoreError::Failed("a batch has begun already".to_owned()));
        }
        self.renew_if_lost()?;
        self.turn_generation();
        self.batch = Batch {
            is_begun: true,
            ..Batch::default()
        };
        Ok(())
    }

    fn rollback(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_open && self.session.run("ROLLBACK").is_err() {
            self.is_spoilt = true;
        }
        self.forget_cached();
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.batch.is_broken {
            return Err(StoreError::Failed(
                "a batch of which a statement failed cannot be committed".to_owned(),
            ));
        }
        if self.batch.is_open {
            self.bring_over()?;
        }
        let sums = self.tally.take();
        let shard = self.standing.shard;
        let mut asks = sums.asks(&self.sql, &shard);
        if self.batch.is_open || !asks.is_empty() {
            asks.push(Ask::new(COMMIT, Vec::new()));
            self.ask(asks)?;
        }
        self.batch = Batch::default();
        Ok(())
    }

    fn remember(&mut self, keys: &[u64], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        self.tally.told_now(now);
        self.together(|store| store.remember_keys(keys, now))
    }

    fn resolve(
        &mut self,
        identities: &[Identity],
        now: Timestamp,
    ) -> Result<ContactId, StoreError> {
        let found = self.resolve_all(&[identities], now)?;
        let found = found.first().copied();
        found.ok_or_else(|| StoreError::Failed("nobody was resolved".to_owned()))
    }

    fn resolve_all(
        &mut self,
        wanted: &[&[Identity]],
        now: Timestamp,
    ) -> Result<Vec<ContactId>, StoreError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
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
        self.timers_due(now, limit)
    }

    fn ready_touchpoints(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<TouchpointId>, StoreError> {
        self.messages_ready(now, limit)
    }

    fn next_due(&mut self) -> Result<NextDue, StoreError> {
        self.earliest()
    }

    fn load(&mut self, contacts: &[ContactId]) -> Result<Vec<Snapshot>, StoreError> {
        self.load_all(contacts)
    }

    fn load_needs(&mut self, snapshot: &mut Snapshot, needs: &Needs) -> Result<(), StoreError> {
        self.load_more(vec![(snapshot, needs)])
    }

    fn load_needs_all(&mut self, wanted: Vec<(&mut Snapshot, &Needs)>) -> Result<(), StoreError> {
        self.load_more(wanted)
    }

    fn scan(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
        needs: &Needs,
    ) -> Result<Vec<Snapshot>, StoreError> {
        self.scan_page(after, limit, needs)
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.together(|store| store.write_all(changes))
    }

    fn put_threads(&mut self, entries: &[ThreadEntry]) -> Result<(), StoreError> {
        self.write_threads(entries)
    }

    fn find_threads(&mut self, message_ids: &[&str]) -> Result<Vec<ThreadEntry>, StoreError> {
        self.threads_of(message_ids)
    }

    fn in_flight(&mut self) -> Result<Vec<Touchpoint>, StoreError> {
        self.load_in_flight()
    }

    fn journeys(&mut self) -> Result<Vec<StoredJourney>, StoreError> {
        if self.batch.is_begun {
            // Live runs are counted at the end of the batch; this one's count too.
            let sums = self.tally.take();
            let shard = self.standing.shard;
            let asks = sums.asks(&self.sql, &shard);
            if !asks.is_empty() {
                self.ask(asks)?;
            }
        }
        self.journeys_by(self.sql.journey_wanted, Vec::new())
    }

    fn journey_versions(&mut self, id: &JourneyId) -> Result<Vec<StoredJourney>, StoreError> {
        let id = word(id.as_str());
        self.journeys_by(self.sql.journey_versions, vec![&id])
    }

    fn put_journey(&mut self, journey: &StoredJourney, now: Timestamp) -> Result<(), StoreError> {
        self.together(|store| store.write_journey(journey, now))
    }

    fn retire_journey(&mut self, id: &JourneyId, version: u32) -> Result<(), StoreError> {
        let (id, version) = (word(id.as_str()), version_column(version));
        self.one(self.sql.journey_retire, vec![&id, &version])
            .map(drop)
    }

    fn set_journey_paused(&mut self, id: &JourneyId, paused: bool) -> Result<(), StoreError> {
        let sql = if paused {
            self.sql.journey_pause
        } else {
            self.sql.journey_go_on
        };
        self.one(sql, vec![&word(id.as_str())]).map(drop)
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

    fn mailboxes(&mut self) -> Result<Vec<MailboxState>, StoreError> {
        self.mailbox_states()
    }

    fn put_mailbox(&mut self, state: &MailboxState) -> Result<(), StoreError> {
        self.write_mailbox(state)
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
        self.together(|store| store.make_one(record))
    }

    fn merge_record(&mut self, absorbed: ContactId) -> Result<Option<MergeRecord>, StoreError> {
        let mut record = self.kept_merge(absorbed)?.map(|(record, _)| record);
        if let Some(undo) = record.as_mut().and_then(|record| record.undo.as_mut()) {
            let undo = &mut **undo;
            self.with_accounts([&mut undo.survivor, &mut undo.absorbed].into_iter())?;
        }
        Ok(record)
    }

    fn unmerge(&mut self, absorbed: ContactId) -> Result<(), StoreError> {
        self.together(|store| store.make_two(absorbed))
    }

    fn put_doubt(&mut self, doubt: &Doubt) -> Result<(), StoreError> {
        self.write_doubt(doubt)
    }

    fn put_suppressions(&mut self, entries: &[Suppression]) -> Result<usize, StoreError> {
        self.write_suppressions(entries)
    }

    fn drop_suppression(&mut self, key: &SuppressionKey) -> Result<bool, StoreError> {
        Ok(self.remove_suppressions(std::slice::from_ref(key))? > 0)
    }

    fn forget(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError> {
        self.together(|store| store.forget_some(contact, hash, limit, now))
    }

    fn readmit(&mut self, hash: &str) -> Result<bool, StoreError> {
        Ok(self.one(self.sql.erased_drop, vec![&hash])?.changed > 0)
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
