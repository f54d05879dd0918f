//! Whose an event is.
//!
//! Calls of a batch are resolved together: their names are looked up at once, new ones are bound at once. Every
//! contact that the engine makes is made here, and none by a name that an erasure removed: what comes with one
//! happens to nobody, by whatever way it came. **Absent:** the rule ([`judge`]), and making one of two contacts (see [`merges`](super::merges)).

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use relance_core::contact::{Identity, IdentityKind};
use relance_core::event::EventKind;
use relance_core::identity::{Apart, Names, Told, Verdict, judge};
use relance_core::ids::ContactId;

use super::Engine;
use crate::arrival::Arrival;
use crate::ports::{Dispatcher, Doubt, Store, StoreError};

/// Names of one contact that are looked at.
const NAMES_MAX: usize = 200;
/// Pairs that are known to be two people.
const PAIRS_KNOWN_MAX: usize = 10_000;

/// Pairs of contacts that calls name together and that nothing can make one but a person.
pub(super) type Pairs = BTreeSet<(ContactId, ContactId)>;

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) contact: ContactId,
    /// Contacts that its names show to be the same.
    pub(super) absorbed: Vec<ContactId>,
    /// What shows it.
    pub(super) by: &'static str,
}

/// A call on the way to its contact.
struct Call<'a> {
    identities: &'a [Identity],
    how: Told,
    whose: Option<Whose>,
    apart: Vec<(ContactId, Apart)>,
}

/// Calls that name somebody new, or tell new names of somebody: resolved together.
#[derive(Default)]
struct Unbound<'a> {
    calls: Vec<(usize, Vec<Identity>)>,
    names: BTreeSet<&'a Identity>,
}

type Found<'a> = HashMap<&'a Identity, Option<ContactId>>;

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Whom the events at the beginning of a batch happened to, up to the first arrival of another sort; nobody
    /// where a new name is an erased person's.
    pub(super) fn resolve_events(
        &mut self,
        arrivals: &[&Arrival],
        now: Timestamp,
    ) -> Result<Vec<Option<Whose>>, StoreError> {
        let events = arrivals.iter().map_while(|arrival| match arrival {
            Arrival::Event { identities, event } => Some((identities.as_slice(), event)),
            _another_sort => None,
        });
        let mut calls: Vec<Call<'_>> = events
            .map(|(identities, event)| Call {
                identities,
                how: match event.kind {
                    EventKind::Alias => Told::Outright,
                    EventKind::Track
                    | EventKind::Identify
                    | EventKind::Page
                    | EventKind::Screen
                    | EventKind::Group => Told::Together,
                },
                whose: None,
                apart: Vec::new(),
            })
            .collect();
        let mut found: Found<'_> = HashMap::new();
        let mut wanted: Vec<&Identity> = Vec::new();
        for identity in calls.iter().flat_map(|call| call.identities) {
            if !found.contains_key(identity) {
                found.insert(identity, None);
                wanted.push(identity);
            }
        }
        let owners = self.store.find_all(&wanted)?;
        found.extend(wanted.into_iter().zip(owners));

        let mut unbound = Unbound::default();
        for place in 0..calls.len() {
            let identities = calls[place].identities;
            if identities.iter().any(|name| unbound.names.contains(name)) {
                // A name that a call before this one bound.
                self.bind(&mut unbound, &mut calls, &mut found, now)?;
            }
            self.look_at(place, &mut calls, &found, &mut unbound)?;
        }
        self.bind(&mut unbound, &mut calls, &mut found, now)?;
        self.note_doubts(&calls, now)?;
        Ok(calls.into_iter().map(|call| call.whose).collect())
    }

    /// Decides whose a call is, as far as its names are bound.
    fn look_at<'a>(
        &mut self,
        place: usize,
        calls: &mut [Call<'a>],
        found: &Found<'a>,
        unbound: &mut Unbound<'a>,
    ) -> Result<(), StoreError> {
        let call = &mut calls[place];
        let owner = |name: &Identity| found.get(name).copied().flatten();
        let told: Vec<(&'a Identity, Option<ContactId>)> = call
            .identities
            .iter()
            .map(|name| (name, owner(name)))
            .collect();
        let verdict = self.verdict(&told, call.how)?;
        call.apart = verdict.apart;
        call.whose = verdict.contact.map(|contact| Whose {
            contact,
            absorbed: verdict.absorbed,
            by: match call.how {
                Told::Together => "identify",
                Told::Outright => "alias",
            },
        });
        let new = told.iter().filter(|(_, owner)| owner.is_none());
        let new: Vec<&'a Identity> = new.map(|(name, _)| *name).collect();
        if new.is_empty() && call.whose.is_some() {
            return Ok(());
        }
        // A name that is bound says whose the new ones are.
        let main = verdict.contact;
        let known = told.iter().find(|(_, of)| of.is_some() && *of == main);
        let names = known
            .map(|(name, _)| *name)
            .into_iter()
            .chain(new.iter().copied());
        unbound.calls.push((place, names.cloned().collect()));
        unbound.names.extend(new);
        Ok(())
    }

    fn verdict(
        &mut self,
        told: &[(&Identity, Option<ContactId>)],
        how: Told,
    ) -> Result<Verdict, StoreError> {
        let mut named: Vec<ContactId> = Vec::new();
        for contact in told.iter().filter_map(|(_, contact)| *contact) {
            if !named.contains(&contact) {
                named.push(contact);
            }
        }
        let unknown_user = told
            .iter()
            .any(|(name, of)| name.kind == IdentityKind::UserId && of.is_none());
        let plain = Verdict {
            contact: named.first().copied(),
            ..Verdict::default()
        };
        let is_plain = match named.as_slice() {
            [] => true,
            [_] => !unknown_user,
            [first, other] => how == Told::Together && self.pairs.contains(&(*first, *other)),
            _several => false,
        };
        if is_plain {
            return Ok(plain);
        }
        let mut names = Names::new();
        for contact in &named {
            names.insert(*contact, self.store.identities_of(*contact, NAMES_MAX)?);
        }
        let verdict = judge(told, &names, how);
        if let ([first, other], [(_, why)]) = (named.as_slice(), verdict.apart.as_slice())
            && verdict.contact == Some(*first)
            && *why != Apart::OtherAddress
        {
            if self.pairs.len() >= PAIRS_KNOWN_MAX {
                self.pairs.clear();
            }
            // Doubts are noted with the first call; a turn that is rolled back forgets the pairs.
            self.pairs.insert((*first, *other));
        }
        Ok(verdict)
    }

    /// Binds what is new to its contacts.
    fn bind<'a>(
        &mut self,
        unbound: &mut Unbound<'a>,
        calls: &mut [Call<'a>],
        found: &mut Found<'a>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Unbound {
            calls: mut waiting,
            names,
        } = std::mem::take(unbound);
        if waiting.is_empty() {
            return Ok(());
        }
        let erased = self.erased_of(names)?;
        if !erased.is_empty() {
            waiting.retain(|(place, names)| {
                let is_erased = names.iter().any(|name| erased.contains(name));
                if is_erased {
                    calls[*place].whose = None;
                }
                !is_erased
            });
        }
        let wanted: Vec<&[Identity]> = waiting.iter().map(|(_, names)| names.as_slice()).collect();
        let contacts = self.store.resolve_all(&wanted, now)?;
        for ((place, _), contact) in waiting.iter().zip(contacts) {
            let call = &mut calls[*place];
            for name in call.identities {
                let owner = found.entry(name).or_default();
                owner.get_or_insert(contact);
            }
            call.whose.get_or_insert(Whose {
                contact,
                absorbed: Vec::new(),
                by: "identify",
            });
        }
        Ok(())
    }

    /// Those of some new names that an erasure removed.
    fn erased_of<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a Identity>,
    ) -> Result<BTreeSet<&'a Identity>, StoreError> {
        let names: Vec<&Identity> = names.into_iter().collect();
        let hash = self.hash_identity.clone();
        let erased = self.store.erased(&names, &*hash)?;
        let marked = names.into_iter().zip(erased);
        Ok(marked
            .filter_map(|(name, is_erased)| is_erased.then_some(name))
            .collect())
    }

    /// Whether a name that no contact has was an erased person's.
    pub(super) fn is_erased(&mut self, name: &Identity) -> Result<bool, StoreError> {
        Ok(!self.erased_of([name])?.is_empty())
    }

    /// The contact of some names, made if there is none; nobody where a new name is an erased person's.
    pub(super) fn known_or_new(
        &mut self,
        names: &[Identity],
        now: Timestamp,
    ) -> Result<Option<ContactId>, StoreError> {
        let asked: Vec<&Identity> = names.iter().collect();
        let owners = self.store.find_all(&asked)?;
        let new = asked.into_iter().zip(owners);
        let new: Vec<&Identity> = new
            .filter_map(|(name, owner)| owner.is_none().then_some(name))
            .collect();
        if !new.is_empty() && !self.erased_of(new)?.is_empty() {
            return Ok(None);
        }
        self.store.resolve(names, now).map(Some)
    }

    fn note_doubts(&mut self, calls: &[Call<'_>], now: Timestamp) -> Result<(), StoreError> {
        for call in calls {
            let Some(whose) = &call.whose else { continue };
            for (other, why) in &call.apart {
                if why.is_doubtful() && *other != whose.contact {
                    self.store.put_doubt(&Doubt {
                        first: whose.contact.min(*other),
                        second: whose.contact.max(*other),
                        why: *why,
                        at: now,
                    })?;
                }
            }
        }
        Ok(())
    }
}
