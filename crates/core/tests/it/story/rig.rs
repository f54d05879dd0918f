//! A player that is not kind: messages stay in flight until they are settled by hand, questions wait for
//! an answer, mailboxes are as silent as the story says, and the clock may go back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::account::Account;
use relance_core::contact::Contact;
use relance_core::decide::{Effect, Input, Timer, TimerKind, decide};
use relance_core::ids::{AccountId, ContactId, TemplateId, TouchpointId};
use relance_core::journey::Recipient;
use relance_core::ledger::{LedgerEntry, What};
use relance_core::play::Seen;
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::{Slot, TouchpointState};
use relance_core::world::World;

/// Moments that one passage of time may have.
const MOMENTS_MAX: u32 = 100_000;

type Watcher<'a> = dyn FnMut(Timestamp, ContactId, &Seen) + 'a;

pub struct Rig {
    pub world: World,
    contacts: BTreeMap<ContactId, Snapshot>,
    accounts: BTreeMap<AccountId, Arc<Account>>,
    told_of: BTreeSet<AccountId>,
    timers: BTreeSet<(Timestamp, ContactId, TimerKind)>,
    dispatched: BTreeMap<TouchpointId, (TemplateId, u8)>,
    now: Timestamp,
    /// Looks at every decision: the world, the contact before and after, the effects, the moment.
    pub auditor: Option<Auditor>,
}

pub type Auditor = Box<dyn FnMut(&World, &Snapshot, &Snapshot, &[Effect], Timestamp)>;

impl Rig {
    pub fn new(world: World) -> Self {
        Self {
            world,
            contacts: BTreeMap::new(),
            accounts: BTreeMap::new(),
            told_of: BTreeSet::new(),
            timers: BTreeSet::new(),
            dispatched: BTreeMap::new(),
            now: Timestamp::MIN,
            auditor: None,
        }
    }

    pub fn add(&mut self, contact: Contact) {
        if let Some(account) = &contact.account {
            let known = self.accounts.entry(account.id.clone());
            known.or_insert_with(|| account.clone());
        }
        self.contacts.insert(contact.id, Snapshot::new(contact));
    }

    pub fn contact(&self, id: ContactId) -> &Snapshot {
        &self.contacts[&id]
    }

    /// Timers that are set.
    pub fn timers(&self) -> &BTreeSet<(Timestamp, ContactId, TimerKind)> {
        &self.timers
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn set_clock(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Messages that ever were in flight, with their last try.
    pub fn dispatched(
        &self,
        contact: ContactId,
    ) -> impl Iterator<Item = (&TemplateId, TouchpointId, u8)> {
        self.dispatched
            .iter()
            .filter(move |(id, _)| id.contact == contact)
            .map(|(id, (template, attempt))| (template, *id, *attempt))
    }

    pub fn pass(&mut self, until: Timestamp, watcher: &mut Watcher<'_>) {
        for _ in 0..MOMENTS_MAX {
            match self.next_moment() {
                Some(at) if at < until => {
                    self.now = self.now.max(at);
                    self.moment(watcher);
                }
                Some(_) | None => {
                    self.now = self.now.max(until);
                    return;
                }
            }
        }
        panic!(
            "time does not pass: something is due for ever at {}",
            self.now
        );
    }

    pub fn input(&mut self, contact: ContactId, input: &Input, watcher: &mut Watcher<'_>) {
        self.step(contact, input, watcher);
        while let Some(account) = self.told_of.pop_first() {
            let of = |one: &&Snapshot| one.contact.account_id() == Some(&account);
            let others: Vec<ContactId> = self
                .contacts
                .values()
                .filter(of)
                .map(|one| one.contact.id)
                .collect();
            for other in others {
                self.step(other, &Input::Account, watcher);
            }
        }
        for _ in 0..MOMENTS_MAX {
            match self.next_moment() {
                Some(at) if at <= self.now => self.moment(watcher),
                Some(_) | None => return,
            }
        }
        panic!("something is due for ever at {}", self.now);
    }

    fn outbox(&self) -> Option<(Timestamp, TouchpointId)> {
        let touchpoints = self.contacts.values().flat_map(|one| &one.touchpoints);
        touchpoints
            .filter_map(|one| match one.slot() {
                Slot::Outbox(at) => Some((at, one.id)),
                Slot::Timer(_) | Slot::Flight | Slot::Done => None,
            })
            .min()
    }

    fn next_moment(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(at, ..)| *at);
        timer
            .into_iter()
            .chain(self.outbox().map(|(at, _)| at))
            .min()
    }

    fn moment(&mut self, watcher: &mut Watcher<'_>) {
        let timer = self
            .timers
            .first()
            .copied()
            .filter(|(at, ..)| *at <= self.now);
        if let Some((due_at, contact, kind)) = timer {
            // Not removed here: the decision itself must disarm what came.
            self.step(contact, &Input::Timer(Timer { due_at, kind }), watcher);
        } else if let Some((_, id)) = self.outbox().filter(|(at, _)| *at <= self.now) {
            self.step(id.contact, &Input::Claim(id), watcher);
        }
    }

    fn step(&mut self, contact: ContactId, input: &Input, watcher: &mut Watcher<'_>) {
        let Some(snapshot) = self.contacts.get_mut(&contact) else {
            return;
        };
        snapshot.see_accounts(&self.accounts, input);
        let before = self.auditor.is_some().then(|| snapshot.clone());
        let effects = decide(&self.world, snapshot, input, self.now);
        if let (Some(audit), Some(before)) = (&mut self.auditor, before) {
            audit(&self.world, &before, snapshot, &effects, self.now);
        }
        for effect in effects {
            self.follow(contact, &effect, watcher);
        }
    }

    fn follow(&mut self, contact: ContactId, effect: &Effect, watcher: &mut Watcher<'_>) {
        match effect {
            Effect::Ledger(line) => watcher(self.now, contact, &Seen::Ledger(line.clone())),
            Effect::Touchpoint(touchpoint) => {
                if let TouchpointState::Sending { .. } = touchpoint.state {
                    let tries = (touchpoint.template.clone(), touchpoint.attempts);
                    self.dispatched.insert(touchpoint.id, tries);
                    // A word to one of ours was told when it was intended.
                    if touchpoint.recipient == Recipient::Contact {
                        watcher(self.now, contact, &Seen::WouldSend(touchpoint.clone()));
                    }
                }
            }
            Effect::Arm(timer) => {
                self.timers.insert((timer.due_at, contact, timer.kind));
            }
            Effect::Disarm(timer) => {
                self.timers.remove(&(timer.due_at, contact, timer.kind));
            }
            Effect::Revoke(id) => {
                // Told as a line of its own, so that the stories can name it.
                let mut line = LedgerEntry::new(self.now, contact, What::Withdrawn);
                line.template = self
                    .dispatched
                    .get(id)
                    .map(|(template, _)| template.clone());
                line.detail = Some("revoke".to_owned());
                watcher(self.now, contact, &Seen::Ledger(line));
            }
            Effect::Account { account, tell } => {
                self.accounts.insert(account.id.clone(), account.clone());
                if *tell {
                    self.told_of.insert(account.id.clone());
                }
            }
            Effect::RequestSync(_)
            | Effect::Contact(_)
            | Effect::Enrollment(_)
            | Effect::Entry(_)
            | Effect::Watch(_)
            | Effect::Membership { .. }
            | Effect::Unwatch(_)
            | Effect::Consent(_)
            | Effect::Suppression(_)
            | Effect::Object(_)
            | Effect::Event(_)
            | Effect::Belongs { .. }
            | Effect::TaskChanged { .. }
            | Effect::Task(_) => {}
        }
    }
}
