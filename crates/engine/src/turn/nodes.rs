//! One node among several: what concerns contacts of others is handed over, what others left is taken in, and
//! what they changed is learned.
//!
//! A turn never waits for another node. Where work needs contacts of several nodes at once (a merge), the node
//! asks for their partitions and tries again when it has them.
//!
//! **Absent:** leases and where things lie in between (see the store).

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use relance_core::decide::Input;
use relance_core::ids::ContactId;

use super::{Engine, Work, accounts, erase, lifecycle, merges};
use crate::ports::{Asset, Dispatch, Dispatcher, Store, StoreError};
use crate::quiet;
use crate::sharing::{
    Announced, Handed, Held, News, Node, Orphaned, PARTITIONS, TAKEN_IN_PER_TURN_MAX, part_of,
    part_of_mailbox,
};

/// What an engine is as a node.
pub(super) struct Standing<S> {
    node: Box<dyn Node<S>>,
    /// What this node goes by.
    known: News,
    /// The least configuration that any node goes by, as of the last heartbeat.
    configured: i64,
    /// Partitions that are needed beside those held.
    wanted: BTreeSet<u8>,
    /// Messages of gone senders that are looked into.
    looked_into: BTreeSet<relance_core::ids::TouchpointId>,
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Makes the engine a node among several. What was loaded before is read once more, since others may have
    /// changed it.
    pub fn share(&mut self, node: Box<dyn Node<S>>) -> Result<(), StoreError> {
        self.standing = Some(Standing {
            node,
            known: News {
                configuration: -1,
                mailboxes: -1,
                handed: false,
            },
            configured: -1,
            wanted: BTreeSet::new(),
            looked_into: BTreeSet::new(),
        });
        self.catch_up()?;
        self.beat()
    }

    /// How often a node must tell that it lives; `None` where the engine works alone.
    pub fn beat_every(&mut self) -> Option<Duration> {
        self.standing.as_ref()?;
        Some(self.store.sharing()?.beat_every())
    }

    /// Whether this node decides for a contact.
    pub(super) fn holds(&mut self, contact: ContactId) -> bool {
        self.standing.is_none()
            || self
                .store
                .sharing()
                .is_none_or(|store| store.holds(part_of(contact)))
    }

    /// Whether this node decides for all of these; what is missing is asked for.
    pub(super) fn gathers(&mut self, contacts: &[ContactId]) -> bool {
        let missing: Vec<u8> = contacts
            .iter()
            .filter(|contact| !self.holds(**contact))
            .map(|contact| part_of(*contact))
            .collect();
        if let Some(standing) = &mut self.standing {
            standing.wanted.extend(&missing);
        }
        missing.is_empty()
    }

    /// Whether work that is nobody's own falls to this node: sweeps, and what is done once a day.
    pub(super) fn is_first(&mut self) -> bool {
        self.holds(ContactId(0))
    }

    /// Whether every node goes by the configuration that this one goes by. Until then what is told of each
    /// contact in passing might be told by the old one.
    pub(super) fn all_are_configured(&self) -> bool {
        self.standing
            .as_ref()
            .is_none_or(|standing| standing.configured >= standing.known.configuration)
    }

    /// Whether work waits for partitions or for the other nodes to know of a change.
    pub fn waits_for_others(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| {
            !standing.wanted.is_empty()
                || (!self.sweeps.is_empty() && standing.configured < standing.known.configuration)
        })
    }

    /// Lives on as a node. To be called between turns, often enough for the lease.
    pub fn beat(&mut self) -> Result<(), StoreError> {
        let Some(standing) = &mut self.standing else {
            return Ok(());
        };
        let Some(store) = self.store.sharing() else {
            return Ok(());
        };
        let wanted: Vec<u8> = std::mem::take(&mut standing.wanted).into_iter().collect();
        let held = store.beat(standing.known.configuration, &wanted)?;
        standing.configured = held.configured;
        self.retries_merges |= !self.pending_merges.is_empty();
        if !held.gained.is_empty() || !held.lost.is_empty() {
            let (gained, lost) = (held.gained.len(), held.lost.len());
            tracing::info!(
                held = held.parts.len(),
                gained,
                lost,
                "partitions changed hands"
            );
            standing.node.hold(&mut self.store, &held)?;
            self.take_over_work()?;
        }
        self.look_into_orphaned()
    }

    /// The store fenced this node off: others work for what was its own. Nothing that has not reached the wire
    /// leaves any more; the next heartbeat begins anew.
    pub fn stand_down(&mut self) {
        if let Some(standing) = &mut self.standing {
            let all = 0..PARTITIONS;
            let lost = Held {
                lost: all.filter_map(|part| u8::try_from(part).ok()).collect(),
                ..Held::default()
            };
            if let Err(error) = standing.node.hold(&mut self.store, &lost) {
                tracing::warn!(%error, "the mailboxes of this node could not be looked up");
            }
        }
    }

    /// Learns what other nodes changed; says whether they left something to take in.
    pub fn catch_up(&mut self) -> Result<bool, StoreError> {
        let Some(standing) = &mut self.standing else {
            return Ok(false);
        };
        let Some(store) = self.store.sharing() else {
            return Ok(false);
        };
        let news = store.news()?;
        standing.known.handed = news.handed;
        if news.configuration != standing.known.configuration {
            standing.node.reload(&mut self.store, &mut self.world)?;
            standing.known.configuration = news.configuration;
            self.quiet = quiet::is_quiet(&mut self.store)?;
            self.skip_until = quiet::skip_until(&mut self.store)?;
            let paused: BTreeSet<_> = self.store.paused_journeys()?.into_iter().collect();
            let before = self.world.set_all_paused(paused.clone());
            for id in paused.difference(&before) {
                for message in self.in_flight_of(id)? {
                    self.dispatcher.revoke(message);
                }
            }
            self.take_over_work()?;
        }
        if let Some(standing) = &mut self.standing
            && news.mailboxes != standing.known.mailboxes
        {
            standing.known.mailboxes = news.mailboxes;
            for state in self.store.mailboxes()? {
                state.tell(&mut self.world);
            }
        }
        Ok(news.handed || self.retries_merges || self.has_work())
    }

    /// Whether something remembered in the store is this node's to go on with.
    fn has_work(&mut self) -> bool {
        if !self.sweeps.is_empty() && !self.quiet && self.all_are_configured() && self.is_first() {
            return true;
        }
        if self.tells_accounts && !self.quiet && self.is_first() {
            return true;
        }
        let last: Vec<Option<ContactId>> = self
            .erasures
            .iter()
            .map(|one| one.left.last().copied())
            .collect();
        last.into_iter()
            .any(|contact| contact.is_none_or(|contact| self.holds(contact)))
    }

    /// What is to be done to contacts and is remembered in the store may be this node's from now on.
    fn take_over_work(&mut self) -> Result<(), StoreError> {
        self.sweeps = lifecycle::unfinished(&mut self.store)?;
        self.erasures = erase::unfinished(&mut self.store)?;
        self.pending_merges = merges::pending(&mut self.store)?;
        self.retries_merges = !self.pending_merges.is_empty();
        self.tells_accounts = true;
        Ok(())
    }

    /// Messages of gone senders: each is looked into once.
    fn look_into_orphaned(&mut self) -> Result<(), StoreError> {
        let Some(store) = self.store.sharing() else {
            return Ok(());
        };
        let orphaned = store.orphaned()?;
        let Some(standing) = &mut self.standing else {
            return Ok(());
        };
        let still: BTreeSet<_> = orphaned.iter().map(|one| one.touchpoint.id).collect();
        standing.looked_into.retain(|id| still.contains(id));
        let mut messages = Vec::new();
        for Orphaned {
            touchpoint,
            was_own,
        } in orphaned
        {
            if !standing.looked_into.insert(touchpoint.id) {
                continue;
            }
            let Some(mut snapshot) = self.store.load(&[touchpoint.id.contact])?.pop() else {
                continue;
            };
            let needs = snapshot.needs(&self.world, &Input::Claim(touchpoint.id));
            self.store.load_needs(&mut snapshot, &needs)?;
            messages.push((Dispatch::of(&touchpoint, &snapshot), was_own));
        }
        if !messages.is_empty() {
            tracing::warn!(
                messages = messages.len(),
                "messages of a gone node are looked into"
            );
            standing.node.find_out(messages);
        }
        Ok(())
    }

    /// What other nodes left is looked for in this turn, whether or not there is news of it.
    pub(super) fn expect_handed(&mut self) {
        if let Some(standing) = &mut self.standing {
            standing.known.handed = true;
        }
    }

    /// What other nodes left: inputs first of all that a turn decides.
    pub(super) fn take_in(&mut self, work: &mut Work, now: Timestamp) -> Result<(), StoreError> {
        if !self
            .standing
            .as_ref()
            .is_some_and(|standing| standing.known.handed)
        {
            return Ok(());
        }
        let Some(store) = self.store.sharing() else {
            return Ok(());
        };
        let handed = store.take_in(TAKEN_IN_PER_TURN_MAX)?;
        work.summary.more |= handed.len() == TAKEN_IN_PER_TURN_MAX;
        let mut inputs = Vec::with_capacity(handed.len());
        for one in handed {
            match one {
                Handed::Input(accounts::NOBODY, Input::Account) => work.tells_accounts = true,
                Handed::Input(contact, input) => inputs.push((contact, input)),
                Handed::Sync(mailbox) => {
                    work.syncs.insert(mailbox);
                }
            }
        }
        // Its caller was told that it is kept: a contact that cannot be read must not stop the others.
        self.set_aside(inputs.iter().map(|(contact, _)| *contact), work)?;
        let (stuck, inputs): (Vec<_>, Vec<_>) = inputs
            .into_iter()
            .partition(|(contact, _)| self.unreadable.contains(contact));
        if !stuck.is_empty()
            && let Some(store) = self.store.sharing()
        {
            let stuck = stuck.into_iter();
            let stuck: Vec<Handed> = stuck
                .map(|(contact, input)| Handed::Input(contact, input))
                .collect();
            store.set_aside(&stuck)?;
        }
        self.decide_inputs(inputs, work, now)
    }

    /// Hands over inputs of contacts that this node does not hold; gives back the others.
    pub(super) fn part(
        &mut self,
        inputs: Vec<(ContactId, Input)>,
    ) -> Result<Vec<(ContactId, Input)>, StoreError> {
        if self.standing.is_none() {
            return Ok(inputs);
        }
        let Some(store) = self.store.sharing() else {
            return Ok(inputs);
        };
        let (own, others): (Vec<_>, Vec<_>) = inputs
            .into_iter()
            .partition(|(contact, _)| store.holds(part_of(*contact)));
        if !others.is_empty() {
            let handed = others.into_iter();
            let handed: Vec<Handed> = handed
                .map(|(contact, input)| Handed::Input(contact, input))
                .collect();
            store.hand_over(&handed)?;
        }
        Ok(own)
    }

    /// Decides an input of a contact that is loaded, or leaves it to whoever holds the contact.
    pub(super) fn decide_or_leave(
        &mut self,
        contact: ContactId,
        input: &Input,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.holds(contact) {
            return self.decide_one(contact, input, work, now);
        }
        self.part(vec![(contact, input.clone())]).map(drop)
    }

    /// What is to be done to everyone, as it stands in the store: another node may do it.
    pub(super) fn refresh_sweeps(&mut self) -> Result<(), StoreError> {
        if self.standing.is_some() && !self.is_first() {
            self.sweeps = lifecycle::unfinished(&mut self.store)?;
        }
        Ok(())
    }

    /// Before the commit: asks others to read their mailboxes, and tells them what this turn changed.
    pub(super) fn tell_others(&mut self, work: &mut Work) -> Result<(), StoreError> {
        if self.standing.is_none() {
            return Ok(());
        }
        let Some(store) = self.store.sharing() else {
            return Ok(());
        };
        let (own, others): (BTreeSet<_>, BTreeSet<_>) = std::mem::take(&mut work.syncs)
            .into_iter()
            .partition(|mailbox| store.holds(part_of_mailbox(mailbox)));
        work.syncs = own;
        if !others.is_empty() {
            let handed: Vec<Handed> = others.into_iter().map(Handed::Sync).collect();
            store.hand_over(&handed)?;
        }
        if work.announced != Announced::default() {
            work.news = Some(store.announce(work.announced)?);
        }
        Ok(())
    }

    /// After the commit: what this turn changed is known here already, unless another node changed something
    /// right before it.
    pub(super) fn note_news(&mut self, work: &Work) {
        let (Some(standing), Some(news)) = (&mut self.standing, work.news) else {
            return;
        };
        let next = |known: &mut i64, changed: bool, number: i64| {
            if changed && number == *known + 1 {
                *known = number;
            }
        };
        let announced = work.announced;
        next(
            &mut standing.known.configuration,
            announced.configuration,
            news.configuration,
        );
        next(
            &mut standing.known.mailboxes,
            announced.mailboxes,
            news.mailboxes,
        );
    }

    /// Whether a text is a part of the configuration that other nodes must read anew.
    pub(super) fn is_configuration(&self, asset: &Asset) -> bool {
        let node = self.standing.as_ref().map(|standing| &standing.node);
        node.is_some_and(|node| node.is_configuration(&asset.kind))
    }

    /// Ends this node's share of the work politely.
    pub fn leave(&mut self) -> Result<(), StoreError> {
        match (&self.standing, self.store.sharing()) {
            (Some(_), Some(store)) => store.leave(),
            (_, _) => Ok(()),
        }
    }
}
