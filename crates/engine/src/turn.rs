//! One turn: load, decide, commit, and only then dispatch.

mod backlog;
mod lifecycle;

pub use lifecycle::{SWEEP, ended_by};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::decide::{Effect, Input, decide};
use relance_core::event::Event;
use relance_core::ids::{ContactId, MailboxId, SubjectRef, TouchpointId};
use relance_core::ledger::What;
use relance_core::mail::{self, Acquaintance, COLLEAGUES_MAX, MailSeen, REFERENCES_MAX, Whom};
use relance_core::orphans::Orphans;
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::{Slot, TouchpointState};
use relance_core::value::Fields;
use relance_core::world::{Needs, World};
use xxhash_rust::xxh3::Xxh3;

use crate::arrival::Arrival;
use crate::ports::{Change, Dispatch, Dispatcher, MailboxState, Store, StoreError, ThreadEntry};
use crate::quiet;

/// Timers taken in one turn.
pub const TIMERS_PER_TURN_MAX: usize = 1_000;
/// Messages claimed in one turn.
pub const CLAIMS_PER_TURN_MAX: usize = 1_000;

/// Writes the title of a task: the engine knows no template language.
pub type TitleWriter =
    Box<dyn Fn(&str, &Snapshot, &relance_core::touchpoint::Task) -> String + Send>;

/// An event told later than this may come after one that happened after it.
const TOLD_LATE_AFTER: SignedDuration = SignedDuration::from_secs(2);

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
    /// What changes of journeys still have to do to contacts.
    sweeps: Vec<lifecycle::Sweep>,
    /// Contacts that one turn takes of a sweep.
    sweep_page: usize,
    /// Nothing is sent until a person releases it (R10).
    quiet: bool,
    /// What came due up to here is left out, since a release; `None` once it is worked off.
    skip_until: Option<Timestamp>,
}

/// What one turn did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Inputs decided, by arrivals, timers and claims.
    pub decided: usize,
    /// Events that were known already.
    pub repeated: usize,
    /// Timers that came.
    pub timers: usize,
    /// Messages handed to the dispatcher.
    pub dispatched: usize,
    /// Ledger lines by what they say.
    pub ledger: BTreeMap<What, u64>,
    /// Whether more is due than the turn took.
    pub more: bool,
}

/// One contact in a turn.
struct Loaded {
    snapshot: Snapshot,
    /// What was loaded beside it.
    needs: Needs,
    /// Whether the turn holds changes of it that are not written yet.
    unwritten: bool,
}

/// What a turn gathers before it commits.
#[derive(Default)]
struct Work {
    contacts: BTreeMap<ContactId, Loaded>,
    changes: Vec<Change>,
    /// Messages that this turn queued or took from the outbox.
    claimable: Vec<TouchpointId>,
    dispatches: Vec<(TouchpointId, ContactId)>,
    revoked: Vec<TouchpointId>,
    /// Objects that events of this turn were about.
    told_of: BTreeSet<SubjectRef>,
    syncs: BTreeSet<MailboxId>,
    summary: Summary,
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
        for id in store.paused_journeys()? {
            world.set_paused(&id, true);
        }
        for state in store.mailboxes()? {
            world
                .synced
                .insert(state.mailbox, state.synced_at.unwrap_or(Timestamp::MIN));
        }
        Ok(Self {
            store,
            dispatcher,
            world,
            write_title,
            unreadable: BTreeSet::new(),
            orphans: Orphans::default(),
            sweeps,
            sweep_page: lifecycle::SWEEP_CONTACTS_PER_TURN_MAX,
            quiet,
            skip_until,
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
            Ok(work) => Ok(self.hand_on(work)),
            Err(error) => {
                self.store.rollback();
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
        let fresh = self.remember(arrivals, now)?;
        let mut inputs: Vec<(ContactId, Input)> = Vec::with_capacity(arrivals.len());
        for (arrival, fresh) in arrivals.iter().zip(fresh) {
            if !fresh {
                work.summary.repeated += 1;
                continue;
            }
            match arrival {
                Arrival::Event { identities, event } => {
                    let contact = self.store.resolve(identities, now)?;
                    inputs.push((contact, Input::Event(event.clone())));
                    self.echo(contact, event, &mut inputs, &mut work, now)?;
                }
                Arrival::Input { contact, input } => inputs.push((*contact, input.clone())),
                Arrival::Mail(mail) => self.read_mail(mail, &mut inputs, now)?,
                Arrival::Threaded(entry) => self.store.put_threads(std::slice::from_ref(entry))?,
                Arrival::Asset(asset) => self.store.put_asset(asset, now)?,
                Arrival::Synced { .. }
                | Arrival::Watched(_)
                | Arrival::Published { .. }
                | Arrival::Retired(_)
                | Arrival::Paused(_)
                | Arrival::Resumed { .. }
                | Arrival::Archived(_)
                | Arrival::Lists(_)
                | Arrival::Templates(_)
                | Arrival::Released(_) => {
                    // Order matters: what came before was not yet under the new configuration.
                    self.decide_inputs(std::mem::take(&mut inputs), &mut work, now)?;
                    self.reconfigure(arrival, &mut work, now)?;
                }
            }
        }
        self.decide_inputs(inputs, &mut work, now)?;
        let mut sweeps = None;
        if !self.quiet {
            sweeps = Some(self.sweep(&mut work, now)?);
            self.decide_timers(&mut work, now)?;
            self.decide_claims(&mut work, now)?;
        }
        let skip_until = self.end_backlog(&mut work, now)?;
        self.write(&mut work)?;
        self.store.commit()?;
        self.skip_until = skip_until;
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

    /// Asks which arrivals are new; those without a key of their own always are.
    fn remember(&mut self, arrivals: &[&Arrival], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        let mut fresh = vec![true; arrivals.len()];
        let mut keys = Vec::new();
        let mut places = Vec::new();
        for (place, arrival) in arrivals.iter().enumerate() {
            if let Some(key) = arrival_key(arrival) {
                keys.push(key);
                places.push(place);
            }
        }
        if !keys.is_empty() {
            for (place, new) in places.into_iter().zip(self.store.remember(&keys, now)?) {
                fresh[place] = new;
            }
        }
        Ok(fresh)
    }

    /// What a mail means, for whom; and its place in a thread.
    fn read_mail(
        &mut self,
        mail: &MailSeen,
        inputs: &mut Vec<(ContactId, Input)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = self.acquaintance(mail)?;
        self.orphans.keep(mail, &known, &self.world.policy, now);
        let meaning = mail::interpret(mail, &known, &self.world.policy);
        let mut thread = known.threads.first().cloned();
        for (whom, event) in meaning.events {
            let contact = match whom {
                Whom::Contact(contact) => contact,
                Whom::Identities(identities) => self.store.resolve(&identities, now)?,
            };
            if let Some(subject) = mail.document() {
                thread = Some((contact, Some(subject)));
            }
            // A mail to two of us is seen in two mailboxes, and happened once.
            let event = match told_key(contact, &event) {
                Some(key) if self.store.remember(&[key], now)? == [false] => only_seen(&event),
                Some(_) | None => event,
            };
            inputs.push((contact, Input::Event(Arc::new(event))));
        }
        if let Some((contact, subject)) = thread {
            let entry = ThreadEntry {
                message_id: mail.message_id.clone(),
                contact,
                subject,
            };
            // Later mails of this very batch may answer it.
            self.store.put_threads(std::slice::from_ref(&entry))?;
        }
        if mail.document().is_some() {
            // And mails that came before it, as another mailbox was read first.
            for orphan in self.orphans.answering(mail, &self.world.policy, now) {
                self.read_mail(&orphan, inputs, now)?;
            }
        }
        Ok(())
    }

    fn acquaintance(&mut self, mail: &MailSeen) -> Result<Acquaintance, StoreError> {
        use relance_core::mail::MailClass;
        let (original, address) = match &mail.class {
            MailClass::Bounce {
                original,
                recipient,
                ..
            }
            | MailClass::Complaint {
                original,
                recipient,
            } => (original.as_deref(), recipient.as_deref()),
            MailClass::Document(_)
            | MailClass::Reply { .. }
            | MailClass::AutoReply { .. }
            | MailClass::Other => (None, mail.from.as_ref().map(|from| from.email.as_str())),
        };
        let references: Vec<&str> = original
            .into_iter()
            .chain(mail.references.iter().map(String::as_str))
            .take(REFERENCES_MAX)
            .collect();
        let mut threads = Vec::new();
        if !references.is_empty() {
            for entry in self.store.find_threads(&references)? {
                let thread = (entry.contact, entry.subject);
                if !threads.contains(&thread) {
                    threads.push(thread);
                }
            }
        }
        let person = match address {
            Some(address) => self.store.find(&Identity::email(address))?,
            None => None,
        };
        let colleagues = match mail.company_domain(&self.world.policy) {
            Some(domain) if threads.is_empty() => {
                self.store.find_by_domain(&domain, COLLEAGUES_MAX)?
            }
            Some(_) | None => Vec::new(),
        };
        Ok(Acquaintance {
            threads,
            person,
            colleagues,
        })
    }

    fn reconfigure(
        &mut self,
        arrival: &Arrival,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match arrival {
            Arrival::Synced {
                mailbox,
                at,
                cursors,
            } => {
                // What is known of the future was told by a clock that was set back since.
                let known = self
                    .world
                    .synced
                    .get(mailbox)
                    .filter(|known| **known <= now);
                let synced_at = known.map_or(*at, |known| *at.max(known));
                self.store.put_mailbox(&MailboxState {
                    mailbox: mailbox.clone(),
                    synced_at: Some(synced_at),
                    cursors: cursors.clone(),
                })?;
                self.world.synced.insert(mailbox.clone(), synced_at);
            }
            Arrival::Watched(mailbox) => {
                if !self.world.synced.contains_key(mailbox) {
                    self.store.put_mailbox(&MailboxState {
                        mailbox: mailbox.clone(),
                        synced_at: None,
                        cursors: String::new(),
                    })?;
                    self.world.synced.insert(mailbox.clone(), Timestamp::MIN);
                }
            }
            Arrival::Published {
                text,
                journey,
                moves,
            } => self.publish(text, journey, moves, now)?,
            Arrival::Retired(id) => self.retire(id)?,
            Arrival::Paused(id) => self.pause(id, work, now)?,
            Arrival::Resumed { journey, overdue } => self.resume(journey, *overdue, now)?,
            Arrival::Archived(id) => self.archive(id, now)?,
            Arrival::Lists(lists) => self.world.lists = lists.clone(),
            Arrival::Templates(facts) => self.world.templates.extend(facts.iter().cloned()),
            Arrival::Released(backlog) => {
                if self.quiet {
                    self.quiet = false;
                    self.skip_until = quiet::release(&mut self.store, *backlog, now)?;
                }
            }
            Arrival::Event { .. }
            | Arrival::Input { .. }
            | Arrival::Mail(_)
            | Arrival::Threaded(_)
            | Arrival::Asset(_) => {}
        }
        Ok(())
    }

    fn decide_inputs(
        &mut self,
        inputs: Vec<(ContactId, Input)>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.load(inputs.iter().map(|(contact, _)| *contact), work)?;
        for (contact, input) in inputs {
            self.decide_one(contact, &input, work, now)?;
        }
        Ok(())
    }

    /// Loads contacts that the turn does not hold yet, in one call.
    fn load(
        &mut self,
        contacts: impl Iterator<Item = ContactId>,
        work: &mut Work,
    ) -> Result<(), StoreError> {
        let missing: BTreeSet<ContactId> = contacts
            .filter(|contact| !work.contacts.contains_key(contact))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<ContactId> = missing.into_iter().collect();
        for snapshot in self.store.load(&missing)? {
            let loaded = Loaded {
                snapshot,
                needs: Needs::default(),
                unwritten: false,
            };
            work.contacts.insert(loaded.snapshot.contact.id, loaded);
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
        // An input about a contact that was erased from the store has nobody to happen to.
        let Some(loaded) = work.contacts.get(&contact) else {
            return Ok(());
        };
        let mut needs = loaded.snapshot.needs(&self.world, input);
        if let Input::Event(event) = input
            && now.duration_since(event.at) > TOLD_LATE_AFTER
        {
            self.world.needs_of_late_event(event, &mut needs);
        }
        let needs = needs.without(&loaded.needs);
        if !needs.is_empty() && loaded.unwritten {
            // What is loaded must include what this turn decided before.
            self.write(work)?;
        }
        let Some(loaded) = work.contacts.get_mut(&contact) else {
            return Ok(());
        };
        if !needs.is_empty() {
            self.store.load_needs(&mut loaded.snapshot, &needs)?;
            loaded.needs.extend(needs);
        }
        let mut effects = decide(&self.world, &mut loaded.snapshot, input, now);
        work.summary.decided += 1;
        // A task comes before the line that tells of it.
        let mut title = None;
        for effect in &mut effects {
            match effect {
                Effect::Touchpoint(touchpoint) => match &touchpoint.state {
                    TouchpointState::Sending { .. } => {
                        work.dispatches.push((touchpoint.id, contact));
                    }
                    TouchpointState::Queued { ready_at } if *ready_at <= now => {
                        work.claimable.push(touchpoint.id);
                    }
                    TouchpointState::Queued { .. }
                    | TouchpointState::Held { .. }
                    | TouchpointState::AwaitingApproval { .. }
                    | TouchpointState::Settled { .. } => {}
                },
                Effect::Task(task) => {
                    let written = (self.write_title)(&task.title, &loaded.snapshot, task);
                    task.title = written.as_str().into();
                    title = Some(written);
                }
                Effect::Ledger(line) => {
                    if line.what == What::Task {
                        line.detail = title.take();
                    }
                    *work.summary.ledger.entry(line.what).or_default() += 1;
                }
                Effect::Revoke(id) => work.revoked.push(*id),
                Effect::RequestSync(mailbox) => {
                    work.syncs.insert(mailbox.clone());
                }
                Effect::Contact(_)
                | Effect::Enrollment(_)
                | Effect::Entry(_)
                | Effect::Watch(_)
                | Effect::Unwatch(_)
                | Effect::Object(_)
                | Effect::Event(_)
                | Effect::Arm(_)
                | Effect::Disarm(_) => {}
            }
        }
        effects.retain(|effect| !matches!(effect, Effect::Revoke(_) | Effect::RequestSync(_)));
        if !effects.is_empty() {
            loaded.unwritten = true;
            work.changes.push(Change { contact, effects });
        }
        Ok(())
    }

    fn decide_timers(&mut self, work: &mut Work, now: Timestamp) -> Result<(), StoreError> {
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

    /// Loads contacts; those whose rows cannot be read are set aside, so that they stop only themselves.
    /// What arrives for such a contact is refused to its sender instead.
    fn set_aside(
        &mut self,
        contacts: impl Iterator<Item = ContactId> + Clone,
        work: &mut Work,
    ) -> Result<(), StoreError> {
        let readable = contacts.filter(|contact| !self.unreadable.contains(contact));
        let readable: Vec<ContactId> = readable.collect();
        match self.load(readable.iter().copied(), work) {
            Err(StoreError::Unreadable { .. }) => {}
            loaded => return loaded,
        }
        for contact in readable {
            match self.load(std::iter::once(contact), work) {
                Ok(()) => {}
                Err(StoreError::Unreadable { place, what }) => {
                    tracing::error!(%contact, place, what, "a contact cannot be read; it stands still");
                    self.unreadable.insert(contact);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Claims what is ready, as far as the dispatcher has room: messages from the outbox, then those that
    /// this very turn queued.
    fn decide_claims(&mut self, work: &mut Work, now: Timestamp) -> Result<(), StoreError> {
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

/// The key by which the same event of the same contact, seen in another mailbox, is known (R6).
fn told_key(contact: ContactId, event: &Event) -> Option<u64> {
    let mut hasher = Xxh3::new();
    hasher.update(b"told\0");
    hasher.update(&contact.0.to_le_bytes());
    if let Some(subject) = &event.subject {
        hasher.update(subject.kind.as_str().as_bytes());
        hasher.update(b"\0");
        hasher.update(subject.id.as_bytes());
    }
    hasher.update(b"\0");
    hasher.update(event.message_id.as_ref()?.as_bytes());
    Some(hasher.digest())
}

/// What is left of an event that is known: that another mailbox corresponds with the contact (R1).
fn only_seen(event: &Event) -> Event {
    let mut seen = Event::identify(Fields::new(), event.at);
    seen.traits = None;
    let mailbox = event.properties.get_key_value("mailbox");
    seen.properties
        .extend(mailbox.map(|(name, value)| (name.clone(), value.clone())));
    seen
}

/// The key by which a second arrival of the same thing is known (R6).
fn arrival_key(arrival: &Arrival) -> Option<u64> {
    let mut hasher = Xxh3::new();
    match arrival {
        Arrival::Event { event, .. } => {
            hasher.update(b"event\0");
            hasher.update(event.message_id.as_ref()?.as_bytes());
        }
        Arrival::Mail(mail) => {
            hasher.update(b"mail\0");
            hasher.update(&[mail.folder as u8]);
            hasher.update(mail.mailbox.as_str().as_bytes());
            hasher.update(b"\0");
            hasher.update(mail.message_id.as_bytes());
        }
        Arrival::Input {
            input: Input::Event(event),
            ..
        } => {
            hasher.update(b"event\0");
            hasher.update(event.message_id.as_ref()?.as_bytes());
        }
        Arrival::Input {
            input: Input::Enroll { once, .. },
            ..
        } => {
            hasher.update(b"enroll\0");
            hasher.update(once.as_ref()?.as_bytes());
        }
        Arrival::Input { .. }
        | Arrival::Threaded(_)
        | Arrival::Asset(_)
        | Arrival::Synced { .. }
        | Arrival::Watched(_)
        | Arrival::Published { .. }
        | Arrival::Retired(_)
        | Arrival::Paused(_)
        | Arrival::Resumed { .. }
        | Arrival::Archived(_)
        | Arrival::Lists(_)
        | Arrival::Templates(_)
        | Arrival::Released(_) => return None,
    }
    Some(hasher.digest())
}
