//! What the engine asks of a store and of a dispatcher.
//!
//! Both are synchronous: the engine has a thread of its own, and a simulator drives it without one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Contact, Identity};
use relance_core::decide::{Effect, Timer};
use relance_core::event::Event;
use relance_core::identity::{Apart, MergeRecord};
use relance_core::ids::{
    AccountId, ContactId, EventName, JourneyId, MailboxId, SegmentId, SubjectRef, TouchpointId,
};
use relance_core::journey::Moves;
use relance_core::payment::{PaymentRecord, StatementRecord};
use relance_core::policy::GivenUp;
use relance_core::snapshot::Snapshot;
use relance_core::subject::{Object, with_related};
use relance_core::suppression::{Suppression, SuppressionKey};
use relance_core::touchpoint::Touchpoint;
use relance_core::world::{Needs, World};

use crate::sharing::Sharing;

/// What went wrong in a store, by who must act.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the database or a row; the batch can be tried again.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// What a batch was judged by changed meanwhile: whoever judged looks anew.
    #[error("payments were changed meanwhile; look at them anew")]
    Overtaken,
    /// Another node owns this work now (a lease was lost).
    #[error("this node no longer holds the lease: {0}")]
    Fenced(String),
    /// The disk is full, the file is damaged, the server is gone: an operator must act.
    #[error("the store failed: {0}")]
    Failed(String),
    /// What was read is not what was written; the row is named.
    #[error("{place} holds data that this version cannot read: {what}")]
    Unreadable {
        /// Table and key.
        place: String,
        /// What is wrong with it.
        what: String,
    },
}

/// What to do about a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Roll back, wait a little, try the same batch again.
    RetryLater,
    /// Stop working on it; somebody else does.
    StandDown,
    /// Give it back to whoever judged it.
    JudgeAnew,
    /// Stop and call an operator.
    PageOperator,
}

impl StoreError {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Busy(_) => Remedy::RetryLater,
            Self::Fenced(_) => Remedy::StandDown,
            Self::Overtaken => Remedy::JudgeAnew,
            Self::Failed(_) | Self::Unreadable { .. } => Remedy::PageOperator,
        }
    }
}

/// A message that crossed a watched mailbox, or left from here: which contact and subject its thread is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadEntry {
    /// The Message-ID without angle brackets.
    pub message_id: String,
    /// Whose conversation.
    pub contact: ContactId,
    /// About what.
    pub subject: Option<SubjectRef>,
}

/// A published journey, as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJourney {
    /// Which one.
    pub id: JourneyId,
    /// Which version, from 1.
    pub version: u32,
    /// The YAML, as it was published.
    pub text: String,
    /// New runs begin on it. A journey of which no version is current is archived.
    pub current: bool,
    /// How runs on older versions come to it.
    pub moves: Moves,
}

/// A published segment, as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSegment {
    /// Which one.
    pub id: SegmentId,
    /// The YAML, as it was published.
    pub text: String,
}

/// What is known of a watched mailbox between two runs of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxState {
    /// Its address.
    pub mailbox: MailboxId,
    /// When it was last read whole; `None` before the first time.
    pub synced_at: Option<Timestamp>,
    /// Where reading goes on: opaque to the store.
    pub cursors: String,
}

/// What stands in place of cursors of a mailbox that nobody will read again.
const FORGOTTEN: [(&str, GivenUp); 2] = [
    ("forgotten/1:go_on", GivenUp::GoOn),
    ("forgotten/1:leave_out", GivenUp::LeaveOut),
];

impl MailboxState {
    /// The state of a mailbox that nobody will read again.
    pub fn of_forgotten(mailbox: MailboxId, what: GivenUp) -> Self {
        let mark = FORGOTTEN.iter().find(|(_, own)| *own == what);
        Self {
            mailbox,
            synced_at: None,
            cursors: mark.map_or_else(String::new, |(mark, _)| (*mark).to_owned()),
        }
    }

    /// Whether nobody will read it again, and what becomes of what waits for it.
    pub fn forgotten(&self) -> Option<GivenUp> {
        let found = FORGOTTEN.iter().find(|(mark, _)| *mark == self.cursors);
        found.map(|(_, what)| *what)
    }

    /// Tells a world of it.
    pub fn tell(self, world: &mut World) {
        if let Some(what) = self.forgotten() {
            world.synced.remove(&self.mailbox);
            world.forgotten.insert(self.mailbox, what);
        } else {
            world.forgotten.remove(&self.mailbox);
            let synced_at = self.synced_at.unwrap_or(Timestamp::MIN);
            world.synced.insert(self.mailbox, synced_at);
        }
    }
}

/// The sort of an [`Asset`] that is the text of a journey being worked on beside its published versions;
/// its name is the journey's id.
pub const DRAFT: &str = "draft";

/// A text that belongs to the workspace and lives in its database: a template, a key, a setting, a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// What sort of text: `template`, `key`, `setting`, [`draft`](DRAFT).
    pub kind: String,
    /// Its name inside the sort.
    pub name: String,
    /// The text; `None` removes it.
    pub body: Option<String>,
}

/// How long it is known who changed what: five years.
pub const AUDIT_KEPT: SignedDuration = SignedDuration::from_hours(5 * 366 * 24);
/// Bytes of the detail of a line; what is longer is left out.
pub const AUDIT_DETAIL_BYTES_MAX: usize = 4_096;
/// Bytes of who, action and object.
pub const AUDIT_WORD_BYTES_MAX: usize = 300;

/// Who changed what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When.
    pub at: Timestamp,
    /// Who: an address, or the name of a token.
    pub by: String,
    /// What was done, as a code: `journey.publish`.
    pub action: String,
    /// To what: an id, or an address of ours.
    pub object: String,
    /// More of it, as a JSON object; empty for nothing. Never what a contact is called by.
    pub detail: String,
}

impl AuditLine {
    /// A line, with what is too long cut between letters.
    pub fn new(at: Timestamp, by: &str, action: &str, object: &str, detail: &str) -> Self {
        let cut = |text: &str| {
            let end = text.floor_char_boundary(AUDIT_WORD_BYTES_MAX);
            text[..end].to_owned()
        };
        let fits = detail.len() <= AUDIT_DETAIL_BYTES_MAX;
        Self {
            at,
            by: cut(by),
            action: cut(action),
            object: cut(object),
            detail: if fits {
                detail.to_owned()
            } else {
                String::new()
            },
        }
    }

    /// Lines of before this moment are forgotten.
    pub fn kept_since(&self) -> Timestamp {
        self.at.checked_sub(AUDIT_KEPT).unwrap_or(Timestamp::MIN)
    }

    /// What tells two lines of one moment apart.
    pub fn hash(&self) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for part in [&self.by, &self.action, &self.object, &self.detail] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        hasher.digest()
    }
}

/// Effects of one decision, for one contact, in order.
#[derive(Debug)]
pub struct Change {
    /// Whose.
    pub contact: ContactId,
    /// What to write. `Revoke` and `RequestSync` are not the store's.
    pub effects: Vec<Effect>,
}

/// Contacts that are noted as possibly one with another one.
pub const DOUBTS_PER_CONTACT_MAX: usize = 20;

/// Two contacts that may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// The one that came first.
    pub first: ContactId,
    /// The other.
    pub second: ContactId,
    /// Why they were left apart.
    pub why: Apart,
    /// Since when that is known.
    pub at: Timestamp,
}

/// What of the events of a name counts where everyone is looked at, beside the name, the moment and whether a
/// machine caused them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Properties that are looked at, by the events' name; all that there is of a name that is missing.
    pub properties: BTreeMap<EventName, BTreeSet<Box<str>>>,
    /// What lies before a moment counts for nothing, by the events' name.
    pub since: BTreeMap<EventName, Timestamp>,
}

impl Counts {
    /// Whether nothing but name, moment and machine count of a name.
    pub fn is_bare(&self, name: &EventName) -> bool {
        self.properties.get(name).is_some_and(BTreeSet::is_empty)
    }
}

/// The store of one workspace, as the engine's thread uses it.
///
/// Between [`begin`](Store::begin) and [`commit`](Store::commit) everything reads its own writes. Nothing
/// of a batch is visible to others, or survives a crash, before `commit` returns; after it, all of it.
pub trait Store {
    /// Opens the transaction of one batch.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Throws the batch away. Never fails: at worst the connection is renewed.
    fn rollback(&mut self);

    /// Makes the batch durable.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Remembers the keys of arrivals; `false` for each that was known already, also inside `keys`.
    /// Keys are remembered for a bounded recent window, stated by the store.
    fn remember(&mut self, keys: &[u64], now: Timestamp) -> Result<Vec<bool>, StoreError>;

    /// The contact that the first known identity names, by the order given; creates one when none is
    /// known, and binds the identities that were not bound. An identity bound to another contact stays.
    fn resolve(&mut self, identities: &[Identity], now: Timestamp)
    -> Result<ContactId, StoreError>;

    /// The contact of an identity, if there is one; creates nothing.
    fn find(&mut self, identity: &Identity) -> Result<Option<ContactId>, StoreError>;

    /// Contacts that have this object, at most `limit`.
    fn find_by_object(
        &mut self,
        subject: &SubjectRef,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// Contacts with an address at this domain, at most `limit`.
    fn find_by_domain(&mut self, domain: &str, limit: usize) -> Result<Vec<ContactId>, StoreError>;

    /// Timers due at `now`, earliest first, at most `limit`. They stay until an effect disarms them.
    fn due_timers(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ContactId, Timer)>, StoreError>;

    /// Messages in the outbox whose moment has come, earliest first, at most `limit`.
    fn ready_touchpoints(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<TouchpointId>, StoreError>;

    /// The earliest moment at which a timer or the outbox wants attention.
    fn next_due(&mut self) -> Result<NextDue, StoreError>;

    /// The contacts with live runs, open messages and watches; in the order asked, those that do not
    /// exist left out.
    fn load(&mut self, contacts: &[ContactId]) -> Result<Vec<Snapshot>, StoreError>;

    /// Adds to a snapshot what an input needs beside it. What was written of it in this batch is
    /// included; history of the names asked takes the place of what the snapshot holds of them. Of the
    /// kinds asked, all objects of the contact are loaded, up to a bound stated by the store: the newest.
    fn load_needs(&mut self, snapshot: &mut Snapshot, needs: &Needs) -> Result<(), StoreError>;

    /// [`resolve`](Store::resolve) for many, in order; a store over a network needs few round trips for it.
    fn resolve_all(
        &mut self,
        wanted: &[&[Identity]],
        now: Timestamp,
    ) -> Result<Vec<ContactId>, StoreError> {
        let one = |identities: &&[Identity]| self.resolve(identities, now);
        wanted.iter().map(one).collect()
    }

    /// [`load_needs`](Store::load_needs) for many contacts, each named once.
    fn load_needs_all(&mut self, wanted: Vec<(&mut Snapshot, &Needs)>) -> Result<(), StoreError> {
        for (snapshot, needs) in wanted {
            self.load_needs(snapshot, needs)?;
        }
        Ok(())
    }

    /// Contacts in order of id, after one, at most `limit`, without runs, messages and watches, and with what
    /// `needs` asks of each: for looking at everyone, as when a segment is built. A page costs the same
    /// wherever it lies, and everything committed or written in this batch is in it. Only an empty page is
    /// the end.
    fn scan(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
        needs: &Needs,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let page = self.contacts_after(after, limit)?;
        let mut snapshots = self.load(&page)?;
        for snapshot in &mut snapshots {
            snapshot.enrollments.clear();
            snapshot.touchpoints.clear();
            snapshot.watches.clear();
            self.load_needs(snapshot, needs)?;
        }
        Ok(snapshots)
    }

    /// Writes effects.
    fn write(&mut self, changes: &[Change]) -> Result<(), StoreError>;

    /// Remembers messages of threads.
    fn put_threads(&mut self, entries: &[ThreadEntry]) -> Result<(), StoreError>;

    /// The threads that any of these Message-IDs belongs to, without repetition.
    fn find_threads(&mut self, message_ids: &[&str]) -> Result<Vec<ThreadEntry>, StoreError>;

    /// Messages in flight: after a crash, those whose fate is unknown.
    fn in_flight(&mut self) -> Result<Vec<Touchpoint>, StoreError>;

    /// Versions that new runs begin on, and all versions of journeys with live runs: runs pass through those
    /// between, and what an older one may have told a run is not told again by a newer one. By id, oldest
    /// first.
    fn journeys(&mut self) -> Result<Vec<StoredJourney>, StoreError>;

    /// Every version of one journey, archived or not, oldest first.
    fn journey_versions(&mut self, id: &JourneyId) -> Result<Vec<StoredJourney>, StoreError>;

    /// Adds a version of a journey; when it is current, no other version of it is. Of a version that is
    /// there already, whether it is current and how runs come to it are replaced; another text is refused.
    /// Runs go over to higher versions only, so going back to an older text is a new version.
    fn put_journey(&mut self, journey: &StoredJourney, now: Timestamp) -> Result<(), StoreError>;

    /// Makes a version of a journey no longer current: no new run begins on it.
    fn retire_journey(&mut self, id: &JourneyId, version: u32) -> Result<(), StoreError>;

    /// Lets a journey stand still, or go on. It need not be published yet, nor still.
    fn set_journey_paused(&mut self, id: &JourneyId, paused: bool) -> Result<(), StoreError>;

    /// Journeys that stand still, by id.
    fn paused_journeys(&mut self) -> Result<Vec<JourneyId>, StoreError>;

    /// Contacts with a live run of a journey, in order of id, after one, at most `limit`. A page costs
    /// the same wherever it lies.
    fn contacts_running(
        &mut self,
        journey: &JourneyId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// Contacts with messages that are not settled, each once, in an order of the store's own, after one, at most
    /// `limit`. A page costs the same wherever it lies.
    fn contacts_awaiting(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// All contacts, in order of id, after one, at most `limit`. A page costs the same wherever it lies.
    fn contacts_after(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// The segments in force, by id.
    fn segments(&mut self) -> Result<Vec<StoredSegment>, StoreError>;

    /// Puts or replaces the definition of a segment. Who belongs to it stays as it is.
    fn put_segment(&mut self, segment: &StoredSegment, now: Timestamp) -> Result<(), StoreError>;

    /// Takes a segment out of force. Who belonged to it is left to [`drop_members`](Store::drop_members).
    fn remove_segment(&mut self, id: &SegmentId) -> Result<(), StoreError>;

    /// Contacts that have a record of a segment, members or not, in order of id, after one, at most `limit`.
    fn members_after(
        &mut self,
        id: &SegmentId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// Forgets how contacts stand to a segment, with the timers for it, at most `limit` of them; says how many it forgot.
    fn drop_members(&mut self, id: &SegmentId, limit: usize) -> Result<usize, StoreError>;

    /// All texts of a sort, by name.
    fn assets(&mut self, kind: &str) -> Result<Vec<Asset>, StoreError>;

    /// Puts, replaces or removes a text.
    fn put_asset(&mut self, asset: &Asset, now: Timestamp) -> Result<(), StoreError>;

    /// Notes who changed what; the same line at the same moment is one. Lines older than [`AUDIT_KEPT`] are forgotten.
    fn put_audit(&mut self, line: &AuditLine) -> Result<(), StoreError>;

    /// Keeps a payment and what it was put to; says whether it is new, or newer than what is known of it. Of one that
    /// is not, nothing changes.
    fn put_payment(&mut self, record: &PaymentRecord) -> Result<bool, StoreError>;

    /// Counts a change of payments that was judged by them as they were at the number `seen`; when they were changed
    /// since, by whomever, it is [`StoreError::Overtaken`]. Nobody else changes them before this batch is committed.
    fn turn_payments(&mut self, seen: u64) -> Result<(), StoreError>;

    /// Keeps a statement, or what is known of it now.
    fn put_statement(&mut self, record: &StatementRecord) -> Result<(), StoreError>;

    /// What is known of the watched mailboxes.
    fn mailboxes(&mut self) -> Result<Vec<MailboxState>, StoreError>;

    /// Remembers the state of a mailbox.
    fn put_mailbox(&mut self, state: &MailboxState) -> Result<(), StoreError>;

    /// Does a bounded part of what makes a [`scan`](Store::scan) of these needs from this place on fast;
    /// says whether it may begin. Where it was asked for before, what does not count by `counts` may be missing. A
    /// scan without it is exact, and slow.
    fn prepare_scan(
        &mut self,
        _after: Option<ContactId>,
        _needs: &Needs,
        _counts: &Counts,
    ) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// The contacts of identities, in order; creates nothing. A store over a network needs few round trips.
    fn find_all(&mut self, wanted: &[&Identity]) -> Result<Vec<Option<ContactId>>, StoreError> {
        wanted.iter().map(|identity| self.find(identity)).collect()
    }

    /// All names of a contact, at most `limit`.
    fn identities_of(
        &mut self,
        contact: ContactId,
        limit: usize,
    ) -> Result<Vec<Identity>, StoreError>;

    /// Makes a merge that was decided and [written](Store::write) whole: names of the absorbed contact are
    /// the survivor's, and so are objects, entries and undefined lists beyond what was loaded; the record is kept.
    /// Events, ledger, past runs, messages and tasks stay where they are: [`load_needs`](Store::load_needs)
    /// looks through the past of all that [absorbed](Contact::absorbed) names. What is kept to undo merges of
    /// more than [`UNDO_WITHIN`](relance_core::identity::UNDO_WITHIN) ago is forgotten, and so are doubts about the absorbed contact.
    fn merge(&mut self, record: &MergeRecord) -> Result<(), StoreError>;

    /// The merge by which a contact was absorbed.
    fn merge_record(&mut self, absorbed: ContactId) -> Result<Option<MergeRecord>, StoreError>;

    /// Gives back to an absorbed contact its names, copies of its objects and its undefined lists, and
    /// forgets the merge.
    fn unmerge(&mut self, absorbed: ContactId) -> Result<(), StoreError>;

    /// Remembers that two contacts may be one, for a person to look at: once for a pair, and no more of one
    /// contact than [`DOUBTS_PER_CONTACT_MAX`].
    fn put_doubt(&mut self, doubt: &Doubt) -> Result<(), StoreError>;

    /// Puts entries on the list of suppressions; one that stands there stays as it is. Says how many are new.
    fn put_suppressions(&mut self, entries: &[Suppression]) -> Result<usize, StoreError>;

    /// Takes an entry off the list of suppressions; says whether it was there.
    fn drop_suppression(&mut self, key: &SuppressionKey) -> Result<bool, StoreError>;

    /// Removes what is stored of an erased contact, at most about `limit` rows, and says what it removed; to
    /// be called until it is done, each time in a batch of its own or with others. First of all, what `hash`
    /// makes of each of its names is remembered, and its names leave the list of suppressions. What stays is
    /// a row of the contact's number that says that it was erased, and sums.
    fn forget(
        &mut self,
        contact: ContactId,
        hash: &dyn Fn(&Identity) -> String,
        limit: usize,
        now: Timestamp,
    ) -> Result<Forgotten, StoreError>;

    /// Lets somebody who was erased be known again: forgets what [`forget`](Store::forget) remembered.
    fn readmit(&mut self, hash: &str) -> Result<bool, StoreError>;

    /// Which of some names an erasure removed, in order. Where nobody was ever erased, nothing is hashed.
    fn erased(
        &mut self,
        names: &[&Identity],
        hash: &dyn Fn(&Identity) -> String,
    ) -> Result<Vec<bool>, StoreError>;

    /// The store as one that several programs share; `None` where one works alone.
    fn sharing(&mut self) -> Option<&mut dyn Sharing> {
        None
    }

    /// Accounts of which contacts are being told, at most `limit`. An effect that changes an account and wants
    /// it told adds one, where the account has other contacts; where it is told already, those who heard of an
    /// earlier change hear of this one after the others.
    fn tellings(&mut self, limit: usize) -> Result<Vec<Telling>, StoreError>;

    /// Contacts that belong to an account, in order of id, after one, at most `limit`. A page costs the same
    /// wherever it lies.
    fn contacts_of_account(
        &mut self,
        account: &AccountId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// Notes how far telling came, unless the account changed since.
    fn put_telling(&mut self, telling: &Telling) -> Result<(), StoreError>;

    /// Telling came to its end, unless the account changed since. It `settles` where nobody is left who has yet to
    /// hear of this revision.
    fn end_telling(&mut self, telling: &Telling, settles: bool) -> Result<(), StoreError>;
}

/// Contacts that are being told what became of their account, in order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// Of which account.
    pub account: AccountId,
    /// The last change that they must hear of.
    pub revision: u64,
    /// The last one that was told.
    pub after: Option<ContactId>,
    /// The last one of this pass; `None` is everyone.
    pub until: Option<ContactId>,
    /// Up to whom all must be told once more after it: the account changed meanwhile.
    pub again: Option<ContactId>,
}

/// What one step of [`Store::forget`] removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows by table.
    pub removed: BTreeMap<&'static str, u64>,
    /// Nothing is left.
    pub done: bool,
}

impl Forgotten {
    /// Rows removed.
    pub fn rows(&self) -> u64 {
        self.removed.values().sum()
    }

    /// Notes rows of a table.
    pub fn add(&mut self, table: &'static str, rows: usize) {
        if rows > 0 {
            *self.removed.entry(table).or_default() += rows as u64;
        }
    }
}

/// When the store wants attention next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NextDue {
    /// The earliest timer.
    pub timer: Option<Timestamp>,
    /// The earliest message in the outbox.
    pub outbox: Option<Timestamp>,
}

/// A message to be sent: all that rendering needs.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// The message; its state is `Sending`.
    pub touchpoint: Touchpoint,
    /// To whom.
    pub contact: Arc<Contact>,
    /// What it is about.
    pub subject: Option<Object>,
    /// All that it is about, `subject` first: a digest carries reminders of several runs.
    pub subjects: Vec<Object>,
    /// The event that began the run.
    pub cause: Option<Arc<Event>>,
}

impl Dispatch {
    /// A message, with what a snapshot holds of it.
    pub fn of(touchpoint: &Touchpoint, snapshot: &Snapshot) -> Self {
        let object = |subject: &SubjectRef| {
            let object = snapshot.objects.get(subject)?;
            Some(with_related(object, &snapshot.objects))
        };
        let run = snapshot.enrollment(touchpoint.enrollment);
        Self {
            touchpoint: touchpoint.clone(),
            contact: Arc::new(snapshot.contact.clone()),
            subject: touchpoint.subject.as_ref().and_then(object),
            subjects: touchpoint.subjects().filter_map(object).collect(),
            cause: run.and_then(|run| run.cause.clone()),
        }
    }
}

/// Whoever sends. Calls return at once; outcomes come back to the engine as `Settle` inputs, exactly one
/// for each [`Dispatch`].
pub trait Dispatcher {
    /// How many more messages it takes now.
    fn capacity(&self) -> usize;

    /// Takes messages over.
    fn dispatch(&mut self, messages: Vec<Dispatch>);

    /// Stops a message if it has not reached the wire.
    fn revoke(&mut self, id: TouchpointId);

    /// Asks for a mailbox to be read now.
    fn request_sync(&mut self, mailbox: &MailboxId);
}
