//! What the engine asks of a store and of a dispatcher.
//!
//! Both are synchronous: the engine has a thread of its own, and a simulator drives it without one.

use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity};
use relance_core::decide::{Effect, Timer};
use relance_core::event::Event;
use relance_core::ids::{ContactId, JourneyId, MailboxId, SubjectRef, TouchpointId};
use relance_core::journey::Moves;
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::touchpoint::Touchpoint;
use relance_core::world::Needs;

/// What went wrong in a store, by who must act.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the database or a row; the batch can be tried again.
    #[error("the store is busy: {0}")]
    Busy(String),
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
    /// Stop and call an operator.
    PageOperator,
}

impl StoreError {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Busy(_) => Remedy::RetryLater,
            Self::Fenced(_) => Remedy::StandDown,
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

/// Effects of one decision, for one contact, in order.
#[derive(Debug)]
pub struct Change {
    /// Whose.
    pub contact: ContactId,
    /// What to write. `Revoke` and `RequestSync` are not the store's.
    pub effects: Vec<Effect>,
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

    /// All contacts, in order of id, after one, at most `limit`. A page costs the same wherever it lies.
    fn contacts_after(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError>;

    /// All texts of a sort, by name.
    fn assets(&mut self, kind: &str) -> Result<Vec<Asset>, StoreError>;

    /// Puts, replaces or removes a text.
    fn put_asset(&mut self, asset: &Asset, now: Timestamp) -> Result<(), StoreError>;

    /// What is known of the watched mailboxes.
    fn mailboxes(&mut self) -> Result<Vec<MailboxState>, StoreError>;

    /// Remembers the state of a mailbox.
    fn put_mailbox(&mut self, state: &MailboxState) -> Result<(), StoreError>;
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
        let object = |subject: &SubjectRef| snapshot.objects.get(subject).cloned();
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
