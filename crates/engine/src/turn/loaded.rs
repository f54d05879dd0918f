//! Contacts are loaded once a turn, many in a call, each with what its inputs ask for and no more.
//!
//! A contact whose rows cannot be read stops only itself (R9).
//!
//! **Absent:** what an input asks for (see core), how it is read (see the store).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use relance_core::decide::Input;
use relance_core::ids::ContactId;
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;

use super::{Engine, Work};
use crate::ports::{Dispatcher, Store, StoreError};

/// An event told later than this may come after one that happened after it.
const TOLD_LATE_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// One contact in a turn.
pub(super) struct Loaded {
    pub(super) snapshot: Snapshot,
    /// What was loaded beside it.
    pub(super) needs: Needs,
    /// Whether the turn holds changes of it that are not written yet.
    pub(super) unwritten: bool,
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Loads in one call what the first looks at these inputs ask for. What an earlier input of the batch
    /// makes a later one ask is loaded when its turn comes.
    pub(super) fn foresee<'i>(
        &mut self,
        inputs: impl Iterator<Item = (ContactId, &'i Input)>,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<(), StoreError> {
        let mut wanted: BTreeMap<ContactId, Needs> = BTreeMap::new();
        for (contact, input) in inputs {
            // What is loaded must include what this turn decided before.
            if let Some(loaded) = work.contacts.get(&contact).filter(|one| !one.unwritten) {
                let needs = self.needs_of(loaded, input, now);
                if !needs.is_empty() {
                    wanted.entry(contact).or_default().extend(needs);
                }
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let places = work.contacts.iter_mut();
        let asked = places.filter_map(|(contact, loaded)| {
            let needs = wanted.get(contact)?;
            Some((&mut loaded.snapshot, needs))
        });
        self.store.load_needs_all(asked.collect())?;
        for (contact, needs) in wanted {
            if let Some(loaded) = work.contacts.get_mut(&contact) {
                loaded.needs.extend(needs);
            }
        }
        Ok(())
    }

    /// What an input asks for beyond what the turn holds of its contact.
    pub(super) fn needs_of(&self, loaded: &Loaded, input: &Input, now: Timestamp) -> Needs {
        let mut needs = loaded.snapshot.needs(&self.world, input);
        if let Input::Event(event) = input
            && now.duration_since(event.at) > TOLD_LATE_AFTER
        {
            self.world.needs_of_late_event(event, &mut needs);
        }
        needs.without(&loaded.needs)
    }

    /// Loads contacts that the turn does not hold yet, in one call.
    pub(super) fn load(
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
            work.knows_gone |= snapshot.contact.merged_into.is_some();
            let loaded = Loaded {
                snapshot,
                needs: Needs::default(),
                unwritten: false,
            };
            work.contacts.insert(loaded.snapshot.contact.id, loaded);
        }
        Ok(())
    }

    /// Loads contacts; those whose rows cannot be read are set aside, so that they stop only themselves.
    /// What arrives for such a contact is refused to its sender instead.
    pub(super) fn set_aside(
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
}
