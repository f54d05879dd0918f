//! How a row stands to what is known: a new contact, a change, or nothing new.
//!
//! What is on its way to the engine is not in the database yet, so identities of unacknowledged rows are
//! remembered beside it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use relance_core::consent::Consent;
use relance_core::contact::{Contact, Identity};
use relance_core::ids::ContactId;
use relance_core::value::same;
use relance_store::read::{ReadError, Reader};
use relance_wire::table::call::RowCall;
use serde_json::{Value, json};

/// How a row stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Nobody is called so.
    New,
    /// It tells nothing new.
    Unchanged,
    /// It tells something new.
    Changed(Box<Contact>),
    /// A row on its way is about the same contact.
    OnItsWay,
    /// The contact was erased on request: nothing is told of it again.
    Erased,
}

/// Identities of rows on their way.
#[derive(Debug, Default)]
pub struct OnTheWay {
    counts: HashMap<u64, u32>,
}

/// A short name for an identity.
pub fn key_of(identity: &Identity) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

impl OnTheWay {
    /// A row with these identities goes on its way.
    pub fn add(&mut self, keys: &[u64]) {
        for key in keys {
            *self.counts.entry(*key).or_default() += 1;
        }
    }

    /// It has arrived.
    pub fn remove(&mut self, keys: &[u64]) {
        for key in keys {
            if let Some(count) = self.counts.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(key);
                }
            }
        }
    }

    /// How many are on their way.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn has(&self, identities: &[Identity]) -> bool {
        !self.counts.is_empty()
            && identities
                .iter()
                .any(|identity| self.counts.contains_key(&key_of(identity)))
    }
}

/// What is known.
pub struct Known<'a> {
    /// The database.
    pub reader: &'a Reader,
    /// Whether any of some names was an erased person's.
    pub erased: &'a (dyn Fn(&[Identity]) -> bool + Send + Sync),
}

/// Whom rows that were read together name, as it is stored: looked up at once.
#[derive(Debug, Default)]
pub struct Acquainted {
    /// For each row the contact that it names first, and whether one of its names is nobody's.
    rows: Vec<(Option<ContactId>, bool)>,
    contacts: BTreeMap<ContactId, Contact>,
}

impl Known<'_> {
    /// Looks up whom rows name.
    pub fn look_up<'c>(
        &self,
        calls: impl Iterator<Item = &'c RowCall> + Clone,
    ) -> Result<Acquainted, ReadError> {
        let names: Vec<&Identity> = calls.clone().flat_map(|call| &call.identities).collect();
        let mut owners = self.reader.find_contacts(&names)?.into_iter();
        let rows: Vec<(Option<ContactId>, bool)> = calls
            .map(|call| {
                let mut named = None;
                let mut unbound = false;
                for owner in owners.by_ref().take(call.identities.len()) {
                    match owner {
                        Some(id) => named = named.or(Some(id)),
                        None => unbound = true,
                    }
                }
                (named, unbound)
            })
            .collect();
        let wanted: BTreeSet<ContactId> = rows.iter().filter_map(|(named, _)| *named).collect();
        let contacts = if wanted.is_empty() {
            BTreeMap::new()
        } else {
            self.reader.contacts_of(&wanted)?
        };
        Ok(Acquainted { rows, contacts })
    }

    /// How a row stands, by its place among those that were looked up.
    pub fn standing(
        &self,
        looked_up: &Acquainted,
        place: usize,
        on_the_way: &OnTheWay,
        call: &RowCall,
    ) -> Standing {
        if (self.erased)(&call.identities) {
            return Standing::Erased;
        }
        if on_the_way.has(&call.identities) {
            return Standing::OnItsWay;
        }
        let (named, unbound) = looked_up.rows.get(place).copied().unwrap_or_default();
        let Some(contact) = named.and_then(|id| looked_up.contacts.get(&id)) else {
            return Standing::New;
        };
        if contact.erased {
            return Standing::Erased;
        }
        if !unbound && tells_nothing_new(contact, call) {
            return Standing::Unchanged;
        }
        Standing::Changed(Box::new(contact.clone()))
    }
}

fn tells_nothing_new(contact: &Contact, call: &RowCall) -> bool {
    call.traits.iter().all(|(name, value)| {
        contact
            .traits
            .get(name)
            .is_some_and(|known| same(known, value))
    }) && call.consents.iter().all(|(about, wanted)| {
        match contact.consent(about).map(|record| record.answer) {
            // What waits for a confirmation is not asked again, and no list outweighs a no.
            Some(Consent::Granted | Consent::Pending) => *wanted,
            Some(Consent::Denied) => true,
            None => false,
        }
    })
}

/// What a row would change, for people.
pub fn differences(contact: Option<&Contact>, call: &RowCall) -> Value {
    let mut changes = serde_json::Map::new();
    for (name, value) in &call.traits {
        let before = contact.and_then(|contact| contact.traits.get(name));
        if before.is_none_or(|before| !same(before, value)) {
            changes.insert(name.clone(), json!({ "before": before, "after": value }));
        }
    }
    for (about, wanted) in &call.consents {
        let before = contact
            .and_then(|contact| contact.consent(about))
            .map(|record| record.answer);
        let after = if *wanted {
            Consent::Granted
        } else {
            Consent::Denied
        };
        if before != Some(after) && before != Some(Consent::Denied) {
            let name = format!("consent {}", about.word());
            let before = before.map(Consent::word);
            changes.insert(name, json!({ "before": before, "after": after.word() }));
        }
    }
    Value::Object(changes)
}
