//! Plays journeys on a virtual clock: previews, backtests and stories.
//!
//! Every message that passes the gate counts as delivered at once; nothing is ever sent. Everything is
//! kept in memory, so nothing needs to be loaded.
//!
//! **Absent:** the ways in which the world fails; see the simulator for those.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::account::Account;
use crate::contact::Contact;
use crate::decide::{Answer, Effect, Input, Timer, TimerKind, decide};
use crate::event::Event;
use crate::ids::{
    AccountId, ContactId, JourneyId, SegmentId, StepKey, SubjectRef, TouchpointId, UserId,
};
use crate::journey::{Journey, Moves, Recipient};
use crate::ledger::{LedgerEntry, What};
use crate::mail::COLLEAGUES_MAX;
use crate::snapshot::Snapshot;
use crate::time::Zone;
use crate::touchpoint::{Outcome, Slot, Touchpoint, TouchpointState};
use crate::world::World;

/// Moments that one run of the player may pass through.
pub const MOMENTS_MAX: u64 = 10_000_000;

/// One thing that the player saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A line of the ledger.
    Ledger(LedgerEntry),
    /// A message passed the gate and would have been sent.
    WouldSend(Box<Touchpoint>),
    /// The contact came into a segment, or left it.
    Turned {
        /// Which.
        segment: SegmentId,
        /// Whether it belongs to it now.
        member: bool,
    },
}

impl Seen {
    /// The public code of what happened.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ledger(line) => line.what.word(),
            Self::WouldSend(_) => "would_send",
            Self::Turned { member: true, .. } => "segment_entered",
            Self::Turned { member: false, .. } => "segment_left",
        }
    }

    /// Of which journey, if of one.
    pub fn journey(&self) -> Option<&JourneyId> {
        match self {
            Self::Ledger(line) => line.journey.as_ref(),
            Self::WouldSend(touchpoint) => Some(&touchpoint.journey),
            Self::Turned { .. } => None,
        }
    }

    /// At which step, if at one.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Self::Ledger(line) => line.step.as_ref(),
            Self::WouldSend(touchpoint) => Some(&touchpoint.step),
            Self::Turned { .. } => None,
        }
    }
}

/// Receives what the player saw: when, whose, what.
pub type Watcher<'a> = dyn FnMut(Timestamp, &Contact, &Seen) + 'a;

/// A world of contacts on a virtual clock.
#[derive(Debug)]
pub struct Play {
    /// Journeys and policy.
    pub world: World,
    /// Whether questions for approval are answered with yes at once.
    pub approve: bool,
    contacts: BTreeMap<ContactId, Snapshot>,
    timers: BTreeSet<(Timestamp, ContactId, TimerKind)>,
    outbox: BTreeSet<(Timestamp, TouchpointId)>,
    /// Whose objects are: what is told of one to a contact reaches the others.
    owners: BTreeSet<(SubjectRef, ContactId)>,
    accounts: BTreeMap<AccountId, Arc<Account>>,
    /// Accounts of which contacts have not heard yet.
    told_of: BTreeSet<AccountId>,
    now: Timestamp,
}

impl Play {
    /// A world without contacts.
    pub fn new(world: World) -> Self {
        Self {
            world,
            approve: true,
            contacts: BTreeMap::new(),
            timers: BTreeSet::new(),
            outbox: BTreeSet::new(),
            owners: BTreeSet::new(),
            accounts: BTreeMap::new(),
            told_of: BTreeSet::new(),
            now: Timestamp::MIN,
        }
    }

    /// Adds a contact.
    pub fn add(&mut self, contact: Contact) {
        self.know(&contact);
        self.contacts.insert(contact.id, Snapshot::new(contact));
    }

    /// Adds a contact with what is known of it; its runs and messages are left out.
    pub fn add_as(&mut self, snapshot: Snapshot) {
        let snapshot = Snapshot {
            enrollments: Vec::new(),
            touchpoints: Vec::new(),
            watches: Vec::new(),
            ..snapshot
        };
        let id = snapshot.contact.id;
        self.know(&snapshot.contact);
        let objects = snapshot.objects.keys().cloned();
        self.owners.extend(objects.map(|subject| (subject, id)));
        self.contacts.insert(id, snapshot);
    }

    fn know(&mut self, contact: &Contact) {
        if let Some(account) = &contact.account {
            let known = self.accounts.entry(account.id.clone());
            known.or_insert_with(|| account.clone());
        }
    }

    /// Forgets contacts and what waits of them, and sets the clock; the world stays.
    pub fn begin_again(&mut self, now: Timestamp) {
        self.contacts.clear();
        self.timers.clear();
        self.outbox.clear();
        self.owners.clear();
        self.accounts.clear();
        self.told_of.clear();
        self.now = now;
    }

    /// Tells the segments in force whether a contact belongs to them, by what is known of it now. No journey
    /// hears of it, but of those that say so.
    pub fn assess(&mut self, contact: ContactId, watcher: &mut Watcher<'_>) {
        let all: Vec<SegmentId> = self.world.segments().map(|one| one.id.clone()).collect();
        if !all.is_empty() {
            self.input(contact, &Input::Assess(all.into()), watcher);
        }
    }

    /// Lets what segments and journeys in force wait for be awaited of a contact.
    pub fn arm(&mut self, contact: ContactId, watcher: &mut Watcher<'_>) {
        self.assess(contact, watcher);
        let waiting: Vec<JourneyId> = self
            .world
            .all_current()
            .filter(|journey| journey.trigger.waits_for_contacts())
            .map(|journey| journey.id.clone())
            .collect();
        for journey in waiting {
            self.input(contact, &Input::Arm(journey), watcher);
        }
    }

    /// Publishes a journey: new runs begin on it from now on.
    pub fn publish(&mut self, journey: Arc<Journey>, moves: Moves, watcher: &mut Watcher<'_>) {
        let id = journey.id.clone();
        let waits = journey.trigger.waits_for_contacts();
        self.world.add_journey(journey, moves, true);
        if waits {
            let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
            for contact in contacts {
                self.input(contact, &Input::Arm(id.clone()), watcher);
            }
        }
    }

    /// A contact as it stands.
    pub fn contact(&self, id: ContactId) -> Option<&Snapshot> {
        self.contacts.get(&id)
    }

    /// The virtual clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A contact's zone.
    pub fn zone_of(&self, contact: &Contact) -> Zone {
        self.world.zone_of(contact)
    }

    /// The next moment at which anything happens by itself.
    pub fn next_moment(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(at, ..)| *at);
        let outbox = self.outbox.first().map(|(at, _)| *at);
        timer.into_iter().chain(outbox).min()
    }

    /// Lets time pass up to `until` (not included), then sets the clock to it.
    pub fn pass(&mut self, until: Timestamp, watcher: &mut Watcher<'_>) {
        for _ in 0..MOMENTS_MAX {
            match self.next_moment() {
                Some(at) if at < until => {
                    self.now = self.now.max(at);
                    self.moment(watcher);
                }
                Some(_) | None => break,
            }
        }
        self.now = self.now.max(until);
    }

    /// Lets an input happen to a contact now, with all that follows at once.
    pub fn input(&mut self, contact: ContactId, input: &Input, watcher: &mut Watcher<'_>) {
        self.step(contact, input, watcher);
        if let Input::Event(event) = input {
            for other in self.others_with(contact, event) {
                self.step(other, &Input::Echo(event.clone()), watcher);
            }
        }
        while let Some(account) = self.told_of.pop_first() {
            let of = |one: &&Snapshot| one.contact.account_id() == Some(&account);
            let others = self.contacts.values().filter(of);
            let others: Vec<ContactId> = others.map(|one| one.contact.id).collect();
            for other in others {
                self.step(other, &Input::Account, watcher);
            }
        }
        for _ in 0..MOMENTS_MAX {
            match self.next_moment() {
                Some(at) if at <= self.now => self.moment(watcher),
                Some(_) | None => break,
            }
        }
    }

    /// Other contacts that have an object which an event is about, as the engine tells it to them.
    fn others_with(&self, contact: ContactId, event: &Event) -> BTreeSet<ContactId> {
        let mut others = BTreeSet::new();
        for subject in self.world.subjects_of(event) {
            let first = (subject.clone(), ContactId(0));
            let owners = self.owners.range(first..);
            let owners = owners.take_while(|(own, _)| *own == subject);
            others.extend(owners.map(|(_, owner)| *owner).take(COLLEAGUES_MAX));
        }
        others.remove(&contact);
        others
    }

    /// The earliest thing that is due.
    fn moment(&mut self, watcher: &mut Watcher<'_>) {
        let timer = self
            .timers
            .first()
            .filter(|(at, ..)| *at <= self.now)
            .copied();
        if let Some((due_at, contact, kind)) = timer {
            // A timer that the decision leaves armed would come for ever.
            self.timers.remove(&(due_at, contact, kind));
            self.step(contact, &Input::Timer(Timer { due_at, kind }), watcher);
            return;
        }
        let ready = self
            .outbox
            .first()
            .filter(|(at, _)| *at <= self.now)
            .copied();
        if let Some((at, id)) = ready {
            self.outbox.remove(&(at, id));
            self.step(id.contact, &Input::Claim(id), watcher);
        }
    }

    fn step(&mut self, contact: ContactId, input: &Input, watcher: &mut Watcher<'_>) {
        let mut inputs = vec![input.clone()];
        while let Some(input) = inputs.pop() {
            let Some(snapshot) = self.contacts.get_mut(&contact) else {
                return;
            };
            let slots: Vec<_> = snapshot
                .touchpoints
                .iter()
                .map(|one| (one.id, one.slot()))
                .collect();
            snapshot.see_accounts(&self.accounts, &input);
            let effects = decide(&self.world, snapshot, &input, self.now);
            for effect in &effects {
                self.follow(contact, effect, &slots, &mut inputs, watcher);
            }
        }
    }

    fn follow(
        &mut self,
        contact: ContactId,
        effect: &Effect,
        slots: &[(TouchpointId, Slot)],
        inputs: &mut Vec<Input>,
        watcher: &mut Watcher<'_>,
    ) {
        match effect {
            Effect::Ledger(line) => {
                if line.what != What::Sent {
                    self.tell(line.contact, &Seen::Ledger(line.clone()), watcher);
                }
            }
            Effect::Touchpoint(touchpoint) => {
                if let Some((_, Slot::Outbox(at))) =
                    slots.iter().find(|(id, _)| *id == touchpoint.id)
                {
                    self.outbox.remove(&(*at, touchpoint.id));
                }
                match &touchpoint.state {
                    TouchpointState::Queued { ready_at: at }
                    | TouchpointState::Held { until: at, .. } => {
                        self.outbox.insert((*at, touchpoint.id));
                    }
                    TouchpointState::AwaitingApproval { .. } => {
                        if self.approve {
                            inputs.push(Input::Approve {
                                touchpoint: touchpoint.id,
                                by: UserId::from("preview"),
                                answer: Answer::Approve { text: None },
                            });
                        }
                    }
                    TouchpointState::Sending { .. } => {
                        // A word to one of ours was told when it was intended.
                        if touchpoint.recipient == Recipient::Contact {
                            let seen = Seen::WouldSend(touchpoint.clone());
                            self.tell(touchpoint.id.contact, &seen, watcher);
                        }
                        inputs.push(Input::Settle {
                            touchpoint: touchpoint.id,
                            attempt: touchpoint.attempts,
                            outcome: Outcome::Accepted,
                        });
                    }
                    TouchpointState::Settled { .. } => {}
                }
            }
            Effect::Arm(timer) => {
                self.timers.insert((timer.due_at, contact, timer.kind));
            }
            Effect::Object(object) => {
                self.owners.insert((object.subject.clone(), contact));
            }
            Effect::Account { account, tell } => {
                self.accounts.insert(account.id.clone(), account.clone());
                if *tell {
                    self.told_of.insert(account.id.clone());
                }
            }
            Effect::Disarm(timer) => {
                self.timers.remove(&(timer.due_at, contact, timer.kind));
            }
            Effect::Membership {
                segment,
                before,
                after,
            } => {
                if before.member != after.member {
                    let seen = Seen::Turned {
                        segment: segment.clone(),
                        member: after.member,
                    };
                    self.tell(contact, &seen, watcher);
                }
            }
            Effect::Contact(_)
            | Effect::Enrollment(_)
            | Effect::Entry(_)
            | Effect::Watch(_)
            | Effect::Unwatch(_)
            | Effect::Consent(_)
            | Effect::Suppression(_)
            | Effect::Event(_)
            | Effect::Task(_)
            | Effect::TaskChanged { .. }
            | Effect::Belongs { .. }
            | Effect::Revoke(_)
            | Effect::RequestSync(_) => {}
        }
    }

    fn tell(&self, contact: ContactId, seen: &Seen, watcher: &mut Watcher<'_>) {
        if let Some(snapshot) = self.contacts.get(&contact) {
            watcher(self.now, &snapshot.contact, seen);
        }
    }
}
