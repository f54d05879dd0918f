//! One turn: load, decide, commit, and only then dispatch.

mod about;
mod accounts;
mod backlog;
mod build;
mod due;
mod earlier;
mod erase;
mod gather;
mod identity;
mod key;
mod lifecycle;
mod loaded;
mod mail;
mod merges;
mod nodes;
mod reconfigure;

pub use accounts::TELLINGS_PER_TURN_MAX;
pub use build::{
    BUILD_CONSEQUENCES_PER_TURN_MAX, BUILD_CONTACTS_PER_TURN_MAX, Building,
    FORGOTTEN_MEMBERS_PER_TURN_MAX, building_of,
};
pub use due::{CLAIMS_PER_TURN_MAX, TIMERS_PER_TURN_MAX};
pub use erase::{ERASURE, Erasure, HashIdentity, ROWS_PER_TURN_MAX};
pub use lifecycle::{SWEEP, ended_by, forgotten_by};
pub use merges::{PENDING_MERGE, PENDING_MERGES_MAX};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::account::Account;
use relance_core::decide::{Input, decide_asked};
use relance_core::event::Event;
use relance_core::ids::{AccountId, ContactId, MailboxId, SubjectRef, TouchpointId};
use relance_core::ledger::What;
use relance_core::mail::COLLEAGUES_MAX;
use relance_core::orphans::Orphans;
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::TouchpointState;
use relance_core::world::World;

use self::gather::Gains;
use self::loaded::Loaded;
use crate::arrival::Arrival;
use crate::ports::{AuditLine, Change, Dispatch, Dispatcher, Store, StoreError};
use crate::quiet;
use crate::sharing::{Announced, News};
use crate::topics::Topics;

/// Writes the title of a task: the engine knows no template language.
pub type TitleWriter =
    Box<dyn Fn(&str, &Snapshot, &relance_core::touchpoint::Task) -> String + Send>;

/// The engine of one workspace.
pub struct Engine<S, D> {
    store: S,
    dispatcher: D,
    world: World,
    write_title: TitleWriter,
    /// Contacts whose rows cannot be read: their timers and messages stand still, and nobody else's (R9).
    unreadable: BTreeSet<ContactId>,
    /// Answers to what has not been seen yet.
    orphans: Orphans,
    /// Merges that wait for something.
    pending_merges: Vec<merges::PendingMerge>,
    /// Pairs of contacts that calls name together and that stay two.
    pairs: identity::Pairs,
    /// What changes of journeys still have to do to contacts.
    sweeps: Vec<lifecycle::Sweep>,
    /// Contacts that one turn takes of a sweep.
    sweep_page: usize,
    /// Contacts that one turn takes of a build at most, and now.
    build_page: usize,
    build_limit: usize,
    /// Nothing is sent until a person releases it (R10).
    quiet: bool,
    /// What came due up to here is left out, since a release; `None` once it is worked off.
    skip_until: Option<Timestamp>,
    /// Erasures that are not carried out yet.
    erasures: Vec<Erasure>,
    hash_identity: HashIdentity,
    /// What it is among several nodes; `None` where it works alone.
    standing: Option<nodes::Standing<S>>,
    /// Contacts may have to hear of their accounts.
    tells_accounts: bool,
    /// Merges that wait are tried again, since partitions came.
    retries_merges: bool,
}

/// What one turn did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Inputs decided, by arrivals, timers and claims.
    pub decided: usize,
    /// Events that were known already.
    pub repeated: usize,
    /// Events under names of erased persons: they happened to nobody.
    pub of_erased: usize,
    /// Timers that came.
    pub timers: usize,
    /// Messages handed to the dispatcher.
    pub dispatched: usize,
    /// Ledger lines by what they say.
    pub ledger: BTreeMap<What, u64>,
    /// What of that which pages show was touched.
    pub topics: Topics,
    /// Whether more is due than the turn took.
    pub more: bool,
}

/// What a turn gathers before it commits.
#[derive(Default)]
struct Work {
    contacts: BTreeMap<ContactId, Box<Loaded>>,
    changes: Vec<Change>,
    /// Messages that this turn queued or took from the outbox.
    claimable: Vec<TouchpointId>,
    dispatches: Vec<(TouchpointId, ContactId)>,
    revoked: Vec<TouchpointId>,
    /// Objects that events of this turn were about.
    told_of: BTreeSet<SubjectRef>,
    syncs: BTreeSet<MailboxId>,
    /// Whether a contact was loaded that is another now.
    knows_gone: bool,
    /// Merges that wait once the turn is committed, where that changed.
    pending_merges: Option<Vec<merges::PendingMerge>>,
    /// Erasures that are left once the turn is committed, where that changed.
    erasures: Option<Vec<Erasure>>,
    /// Accounts that this turn told of, as they are now.
    accounts: BTreeMap<AccountId, Arc<Account>>,
    /// Whether their contacts must hear of it.
    tells_accounts: bool,
    /// What other nodes must hear of, and what number it has.
    announced: Announced,
    news: Option<News>,
    summary: Summary,
}

impl Work {
    /// The contacts, the changes to write, and the rest.
    fn parts(
        &mut self,
    ) -> (
        &mut BTreeMap<ContactId, Box<Loaded>>,
        &mut Vec<Change>,
        Gains<'_>,
    ) {
        let gains = Gains {
            claimable: &mut self.claimable,
            dispatches: &mut self.dispatches,
            revoked: &mut self.revoked,
            syncs: &mut self.syncs,
            accounts: &mut self.accounts,
            tells_accounts: &mut self.tells_accounts,
            summary: &mut self.summary,
        };
        (&mut self.contacts, &mut self.changes, gains)
    }
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// An engine over a store. Mailboxes known to the store are watched.
    pub fn new(
        mut store: S,
        dispatcher: D,
        mut world: World,
        write_title: TitleWriter,
    ) -> Result<Self, StoreError> {
        let quiet = quiet::is_quiet(&mut store)?;
        let skip_until = quiet::skip_until(&mut store)?;
        let sweeps = lifecycle::unfinished(&mut store)?;
        let erasures = erase::unfinished(&mut store)?;
        let pending_merges = merges::pending(&mut store)?;
        for id in store.paused_journeys()? {
            world.set_paused(&id, true);
        }
        for state in store.mailboxes()? {
            state.tell(&mut world);
        }
        Ok(Self {
            store,
            dispatcher,
            world,
            write_title,
            unreadable: BTreeSet::new(),
            orphans: Orphans::default(),
            pending_merges,
            pairs: identity::Pairs::new(),
            sweeps,
            sweep_page: lifecycle::SWEEP_CONTACTS_PER_TURN_MAX,
            build_page: BUILD_CONTACTS_PER_TURN_MAX,
            build_limit: BUILD_CONTACTS_PER_TURN_MAX,
            quiet,
            skip_until,
            erasures,
            hash_identity: erase::plain_hash(),
            standing: None,
            tells_accounts: true,
            retries_merges: false,
        })
    }

    /// The configuration that decisions are made under.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The store, for whoever ends the engine.
    pub fn into_parts(self) -> (S, D) {
        (self.store, self.dispatcher)
    }

    /// The dispatcher.
    pub fn dispatcher(&mut self) -> &mut D {
        &mut self.dispatcher
    }

    /// The store, between turns.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// When the next turn is due without an arrival.
    pub fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        if self.quiet {
            // The arrival that ends it wakes the engine.
            return Ok(None);
        }
        let due = self.store.next_due()?;
        // Without room a ready message waits for an outcome, which is an arrival.
        let outbox = due.outbox.filter(|_| self.dispatcher.capacity() > 0);
        let due = due.timer.into_iter().chain(outbox).min();
        // A turn sees whole milliseconds: one within the last of them would find nothing due yet.
        Ok(due.map(next_whole_millisecond))
    }

    /// Contacts whose rows cannot be read; an operator must look at them.
    pub fn unreadable(&self) -> &BTreeSet<ContactId> {
        &self.unreadable
    }

    /// Takes arrivals, due timers and ready messages through decision and commit. When it fails, nothing
    /// of them happened, and the same arrivals may be taken again.
    pub fn turn(&mut self, arrivals: &[&Arrival], now: Timestamp) -> Result<Summary, StoreError> {
        // Only arrivals that change the configuration need it kept for a failure.
        let before = arrivals
            .iter()
            .any(|arrival| arrival.reconfigures())
            .then(|| {
                let sweeps = self.sweeps.clone();
                (self.world.clone(), sweeps, self.quiet, self.skip_until)
            });
        let done = self
            .store
            .begin()
            .and_then(|()| self.decide_all(arrivals, whole_milliseconds(now)));
        match done {
            Ok(work) => {
                self.note_news(&work);
                Ok(self.hand_on(work))
            }
            Err(error) => {
                self.store.rollback();
                self.pairs.clear();
                if let Some((world, sweeps, quiet, skip_until)) = before {
                    self.world = world;
                    self.sweeps = sweeps;
                    self.quiet = quiet;
                    self.skip_until = skip_until;
                }
                Err(error)
            }
        }
    }

    fn decide_all(&mut self, arrivals: &[&Arrival], now: Timestamp) -> Result<Work, StoreError> {
        let mut work = Work::default();
        if arrivals.iter().any(|one| matches!(one, Arrival::Judged(_))) {
            // What another node told of the same documents comes first: it was judged before.
            self.expect_handed();
        }
        self.take_in(&mut work, now)?;
        let fresh = self.remember(arrivals, now)?;
        let mut inputs: Vec<(ContactId, Input)> = Vec::with_capacity(arrivals.len());
        let repeated = fresh.iter().filter(|fresh| !**fresh).count();
        work.summary.repeated += repeated;
        let new = arrivals.iter().zip(fresh).filter(|(_, fresh)| *fresh);
        let arrivals: Vec<&Arrival> = new.map(|(arrival, _)| *arrival).collect();
        let mut resolved = VecDeque::new();
        for (place, arrival) in arrivals.iter().enumerate() {
            work.summary.topics.add(Topics::of_arrival(arrival));
            match arrival {
                Arrival::Event { event, .. } => {
                    if resolved.is_empty() {
                        resolved = self.resolve_events(&arrivals[place..], now)?.into();
                    }
                    let Some(identity::Whose {
                        contact,
                        absorbed,
                        by,
                    }) = resolved.pop_front().flatten()
                    else {
                        work.summary.of_erased += 1;
                        continue;
                    };
                    if !absorbed.is_empty() {
                        self.decide_inputs(std::mem::take(&mut inputs), &mut work, now)?;
                        for one in absorbed {
                            self.merge_contacts(contact, one, &by.into(), &mut work, now)?;
                        }
                    }
                    inputs.push((contact, Input::Event(event.clone())));
                    self.echo(contact, event, &mut inputs, &mut work, now)?;
                }
                Arrival::Input { contact, input } => inputs.push((*contact, input.clone())),
                Arrival::Mail(mail) => self.read_mail(mail, &mut inputs, &mut work, now)?,
                Arrival::Threaded(entry) => self.store.put_threads(std::slice::from_ref(entry))?,
                Arrival::Asset(asset) => {
                    self.store.put_asset(asset, now)?;
                    work.announced.configuration |= self.is_configuration(asset);
                }
                Arrival::Audited {
                    by,
                    action,
                    object,
                    detail,
                } => {
                    let line = AuditLine::new(now, by, action, object, detail);
                    self.store.put_audit(&line)?;
                }
                Arrival::Payment(record) => {
                    self.store.put_payment(record)?;
                }
                Arrival::Judged(seen) => self.store.turn_payments(*seen)?,
                Arrival::Statement(record) => self.store.put_statement(record)?,
                Arrival::Erase { .. } | Arrival::Readmit(_) | Arrival::Suppressions { .. } => {
                    self.decide_inputs(std::mem::take(&mut inputs), &mut work, now)?;
                    self.obey_order(arrival, &mut work, now)?;
                }
                Arrival::Merge {
                    survivor,
                    absorbed,
                    by,
                } => {
                    self.decide_inputs(std::mem::take(&mut inputs), &mut work, now)?;
                    self.merge_contacts(*survivor, *absorbed, by, &mut work, now)?;
                }
                Arrival::Unmerge { absorbed, by } => {
                    self.decide_inputs(std::mem::take(&mut inputs), &mut work, now)?;
                    self.unmerge_contacts(*absorbed, by, &mut work, now)?;
                }
                Arrival::Synced { .. }
                | Arrival::Watched(_)
                | Arrival::Forgotten { .. }
                | Arrival::Published { .. }
                | Arrival::Retired(_)
                | Arrival::Paused(_)
                | Arrival::Resumed { .. }
                | Arrival::Archived(_)
                | Arrival::Segments(_)
                | Arrival::Lists(_)
                | Arrival::Templates(_)
                | Arrival::Rules(_)
                | Arrival::Released(_) => {
                    // Order matters: what came before was not yet under the new configuration.
                    self.decide_inputs(std::mem::take(&mut inputs), &mut work, now)?;
                    self.reconfigure(arrival, &mut work, now)?;
                }
            }
        }
        self.decide_inputs(inputs, &mut work, now)?;
        self.retry_merges(&mut work, now)?;
        let mut sweeps = None;
        let mut tells_accounts = self.tells_accounts;
        if !self.quiet {
            tells_accounts = self.tell_of_accounts(&mut work, now)?;
            sweeps = Some(self.sweep(&mut work, now)?);
            self.decide_timers(&mut work, now)?;
            self.decide_claims(&mut work, now)?;
        }
        let skip_until = self.end_backlog(&mut work, now)?;
        self.write(&mut work)?;
        self.erase_some(&mut work, now)?;
        self.tell_others(&mut work)?;
        self.store.commit()?;
        self.skip_until = skip_until;
        self.tells_accounts = tells_accounts || work.tells_accounts;
        if let Some(erasures) = work.erasures.take() {
            self.erasures = erasures;
        }
        if let Some(pending) = work.pending_merges.take() {
            self.pending_merges = pending;
        }
        self.sweeps = sweeps.unwrap_or_else(|| std::mem::take(&mut self.sweeps));
        Ok(work)
    }

    /// Tells an event about an object also to the other contacts that have it: an invoice that a colleague
    /// paid is paid.
    fn echo(
        &mut self,
        contact: ContactId,
        event: &Arc<Event>,
        inputs: &mut Vec<(ContactId, Input)>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut others = BTreeSet::new();
        for subject in self.world.subjects_of(event) {
            if !work.told_of.insert(subject.clone()) {
                // Whose it is may have been told in this very batch.
                self.decide_inputs(std::mem::take(inputs), work, now)?;
                self.write(work)?;
            }
            others.extend(self.store.find_by_object(&subject, COLLEAGUES_MAX)?);
        }
        others.remove(&contact);
        let echo = |other| (other, Input::Echo(event.clone()));
        inputs.extend(others.into_iter().map(echo));
        Ok(())
    }

    fn decide_inputs(
        &mut self,
        inputs: Vec<(ContactId, Input)>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let inputs = self.part(inputs)?;
        self.load(inputs.iter().map(|(contact, _)| *contact), work)?;
        let inputs = self.follow_merges(inputs, work)?;
        // Who a contact turned out to be may be another node's.
        let inputs = self.part(inputs)?;
        self.foresee(
            inputs.iter().map(|(contact, input)| (*contact, input)),
            now,
            work,
        )?;
        for (contact, input) in inputs {
            self.decide_one(contact, &input, work, now)?;
        }
        Ok(())
    }

    fn decide_one(
        &mut self,
        contact: ContactId,
        input: &Input,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // What others of the same turn told of its account is known, written or not.
        if let Some(loaded) = work.contacts.get_mut(&contact) {
            loaded.snapshot.see_accounts(&work.accounts, input);
        }
        // An input about a contact that was erased from the store has nobody to happen to.
        let Some(asked) = self.load_asked(contact, input, work, now)? else {
            return Ok(());
        };
        let (contacts, changes, gains) = work.parts();
        let Some(loaded) = contacts.get_mut(&contact) else {
            return Ok(());
        };
        loaded.snapshot.see_accounts(gains.accounts, input);
        let effects = decide_asked(&self.world, &mut loaded.snapshot, input, asked, now);
        gains.summary.decided += 1;
        let effects = gains.gather(effects, &loaded.snapshot, &self.write_title, now);
        if !effects.is_empty() {
            loaded.unwritten = true;
            changes.push(Change { contact, effects });
        }
        Ok(())
    }

    fn write(&mut self, work: &mut Work) -> Result<(), StoreError> {
        if work.changes.is_empty() {
            return Ok(());
        }
        self.store.write(&work.changes)?;
        for change in work.changes.drain(..) {
            if let Some(loaded) = work.contacts.get_mut(&change.contact) {
                loaded.unwritten = false;
            }
        }
        Ok(())
    }

    /// After the commit: what was decided is handed on.
    fn hand_on(&mut self, mut work: Work) -> Summary {
        let mut messages = Vec::new();
        for (id, contact) in std::mem::take(&mut work.dispatches) {
            let Some(loaded) = work.contacts.get(&contact) else {
                continue;
            };
            let Some(touchpoint) = loaded.snapshot.touchpoint(id) else {
                continue;
            };
            // Claimed and, by a later input of the same turn, already settled or revoked.
            if !matches!(touchpoint.state, TouchpointState::Sending { .. }) {
                continue;
            }
            messages.push(Dispatch::of(touchpoint, &loaded.snapshot));
        }
        work.summary.dispatched = messages.len();
        if !messages.is_empty() {
            self.dispatcher.dispatch(messages);
        }
        for id in work.revoked {
            self.dispatcher.revoke(id);
        }
        for mailbox in &work.syncs {
            self.dispatcher.request_sync(mailbox);
        }
        work.summary
    }
}

/// Moments are whole milliseconds everywhere below, so that what is stored compares equal to what was
/// decided. Rounding down never makes a timer early: it was due at a whole millisecond too.
fn whole_milliseconds(now: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The first whole millisecond that is not before a moment.
fn next_whole_millisecond(at: Timestamp) -> Timestamp {
    let whole = whole_milliseconds(at);
    if whole < at {
        whole + SignedDuration::from_millis(1)
    } else {
        whole
    }
}
