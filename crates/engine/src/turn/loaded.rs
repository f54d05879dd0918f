//! Contacts are loaded once a turn, many in a call, each with what its inputs ask for and no more.
//!
//! A contact whose rows cannot be read stops only itself (R9).
//!
//! **Absent:** what an input asks for (see core), how it is read (see the store).

use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// What is to be loaded next.
    wanted: Needs,
    /// An input that is next for it, and what that asks for, which is loaded.
    foreseen: Option<(Input, Needs)>,
}

/// What an input asks for.
pub(super) struct Asked {
    /// All that it asks for, as a decision sees it.
    whole: Needs,
    /// What of it is not loaded.
    missing: Needs,
    /// Whether it asks for nothing else once that is loaded.
    is_final: bool,
}

/// Rounds in which a batch is loaded: how contacts stand to segments tells what of their past is asked for.
const ROUNDS: usize = 2;

/// Whether it is the very same input, as far as that is told at a look.
fn is_same(left: &Input, right: &Input) -> bool {
    match (left, right) {
        (Input::Event(left), Input::Event(right)) => Arc::ptr_eq(left, right),
        (Input::Timer(left), Input::Timer(right)) => left == right,
        _other_inputs => false,
    }
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Loads in few calls what the first looks at these inputs ask for. What an earlier input of the batch
    /// makes a later one ask is loaded when its turn comes.
    pub(super) fn foresee<'i>(
        &mut self,
        inputs: impl Iterator<Item = (ContactId, &'i Input)>,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<(), StoreError> {
        let mut open: Vec<(ContactId, &Input)> = inputs.collect();
        for _ in 0..ROUNDS {
            let mut wanted: BTreeSet<ContactId> = BTreeSet::new();
            open.retain(|(contact, input)| {
                // What is loaded must include what this turn decided before.
                let loaded = work.contacts.get_mut(contact);
                let Some(loaded) = loaded.filter(|one| !one.unwritten) else {
                    return false;
                };
                let asked = self.asked_by(loaded, input, now);
                if !asked.missing.is_empty() {
                    loaded.wanted.extend(asked.missing);
                    wanted.insert(*contact);
                }
                if asked.is_final && loaded.foreseen.is_none() {
                    loaded.foreseen = Some(((*input).clone(), asked.whole));
                }
                !asked.is_final
            });
            if wanted.is_empty() {
                return Ok(());
            }
            let all = work.contacts.iter_mut();
            let mut asking: Vec<&mut Loaded> = all
                .filter(|(contact, _)| wanted.contains(*contact))
                .map(|(_, loaded)| &mut **loaded)
                .collect();
            let asked = asking.iter_mut();
            let asked = asked.map(|loaded| (&mut loaded.snapshot, &loaded.wanted));
            self.store.load_needs_all(asked.collect())?;
            for loaded in asking {
                loaded.needs.extend(std::mem::take(&mut loaded.wanted));
            }
        }
        Ok(())
    }

    /// What an input asks for, and what of it the turn does not hold of its contact.
    pub(super) fn asked_by(&self, loaded: &Loaded, input: &Input, now: Timestamp) -> Asked {
        let needs = &loaded.needs;
        let whole = loaded.snapshot.needs_with(&self.world, input, needs);
        let is_final = whole.is_final(needs);
        let whole = if is_final { whole.whole() } else { whole };
        let mut missing = whole.beyond(needs);
        if let Input::Event(event) = input
            && now.duration_since(event.at) > TOLD_LATE_AFTER
        {
            let mut late = Needs::default();
            self.world.needs_of_late_event(event, &mut late);
            missing.extend(late.beyond(needs));
        }
        Asked {
            whole,
            missing,
            is_final,
        }
    }

    /// Loads what an input asks for, and says what that is; `None` where there is no such contact.
    pub(super) fn load_asked(
        &mut self,
        contact: ContactId,
        input: &Input,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<Option<Needs>, StoreError> {
        loop {
            let Some(loaded) = work.contacts.get_mut(&contact) else {
                return Ok(None);
            };
            if let Some((next, asked)) = loaded.foreseen.take()
                && is_same(&next, input)
            {
                debug_assert!(
                    {
                        let again = self.asked_by(loaded, input, now);
                        again.is_final && again.missing.is_empty() && again.whole == asked
                    },
                    "what was loaded lets {contact} ask for more"
                );
                return Ok(Some(asked));
            }
            let asked = self.asked_by(loaded, input, now);
            if asked.missing.is_empty() && asked.is_final {
                return Ok(Some(asked.whole));
            }
            if loaded.unwritten {
                // What is loaded must include what this turn decided before.
                self.write(work)?;
            }
            if let Some(loaded) = work.contacts.get_mut(&contact) {
                self.store
                    .load_needs(&mut loaded.snapshot, &asked.missing)?;
                loaded.needs.extend(asked.missing);
            }
            if asked.is_final {
                return Ok(Some(asked.whole));
            }
        }
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
                wanted: Needs::default(),
                foreseen: None,
            };
            let contact = loaded.snapshot.contact.id;
            work.contacts.insert(contact, Box::new(loaded));
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
