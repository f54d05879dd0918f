//! Contacts are erased, and addresses suppressed, on a person's order.
//!
//! An erasure is decided at once (runs end, messages are called back, nothing leaves any more) and carried
//! out in steps, a bounded part of the rows a turn, beside the ordinary work; how far it came is remembered
//! in the database, so that a crash loses none of it. What remains of it is a receipt that names nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::{Channel, Identity};
use relance_core::decide::Input;
use relance_core::ids::ContactId;
use relance_core::suppression::{Suppression, SuppressionKey, SuppressionKind};
use xxhash_rust::xxh3::xxh3_64;

use super::{Engine, Work};
use crate::ports::{Asset, Dispatcher, Store, StoreError};

/// Rows that one turn removes of an erased contact.
pub const ROWS_PER_TURN_MAX: usize = 1_000;
/// Contacts that one person may turn out to have been.
const CONTACTS_OF_PERSON_MAX: usize = 1_000;

/// The sort of assets that receipts of erasures are, by the contact that was named.
pub const ERASURE: &str = "erasure";

/// Makes of a name what is kept of it after an erasure: the same for the same name, and nothing that leads
/// back without the workspace's secret.
pub type HashIdentity = Arc<dyn Fn(&Identity) -> String + Send + Sync>;

/// A hash without a secret, for worlds that end with their process.
pub(super) fn plain_hash() -> HashIdentity {
    Arc::new(|identity: &Identity| {
        let name = format!("{}\0{}", identity.kind.word(), identity.value);
        format!("{:016x}", xxh3_64(name.as_bytes()))
    })
}

/// An erasure, under way or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The contact that was named.
    pub contact: ContactId,
    /// By whom.
    pub by: String,
    /// When it was ordered.
    pub asked_at: Timestamp,
    /// Contacts of the same person that are not gone yet.
    pub left: Vec<ContactId>,
    /// Rows removed, by table.
    pub removed: BTreeMap<String, u64>,
    /// When nothing was left.
    pub done_at: Option<Timestamp>,
}

impl Erasure {
    /// The receipt as it is stored.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("by {}", self.by.replace(['\n', '\r'], " ")),
            format!("asked_at {}", self.asked_at),
        ];
        lines.extend(self.left.iter().map(|contact| format!("left {contact}")));
        let removed = self.removed.iter();
        lines.extend(removed.map(|(table, rows)| format!("removed {table} {rows}")));
        lines.extend(self.done_at.map(|at| format!("done_at {at}")));
        lines.join("\n")
    }

    /// The receipt of a stored text.
    pub fn read(name: &str, text: &str) -> Option<Self> {
        let mut one = Self {
            contact: name.parse().ok()?,
            by: String::new(),
            asked_at: Timestamp::UNIX_EPOCH,
            left: Vec::new(),
            removed: BTreeMap::new(),
            done_at: None,
        };
        for line in text.lines() {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "by" => one.by = rest.to_owned(),
                "asked_at" => one.asked_at = rest.parse().ok()?,
                "left" => one.left.push(rest.parse().ok()?),
                "removed" => {
                    let (table, rows) = rest.split_once(' ')?;
                    one.removed.insert(table.to_owned(), rows.parse().ok()?);
                }
                "done_at" => one.done_at = Some(rest.parse().ok()?),
                _later_word => {}
            }
        }
        Some(one)
    }

    fn asset(&self) -> Asset {
        Asset {
            kind: ERASURE.to_owned(),
            name: self.contact.to_string(),
            body: Some(self.text()),
        }
    }
}

/// Erasures that a crash or a restart interrupted.
pub(super) fn unfinished(store: &mut impl Store) -> Result<Vec<Erasure>, StoreError> {
    let read = |asset: Asset| {
        let body = asset.body.as_deref().unwrap_or_default();
        Erasure::read(&asset.name, body).ok_or_else(|| StoreError::Unreadable {
            place: format!("asset {ERASURE} {}", asset.name),
            what: "no receipt of an erasure".to_owned(),
        })
    };
    let all: Vec<Erasure> = store
        .assets(ERASURE)?
        .into_iter()
        .map(read)
        .collect::<Result<_, _>>()?;
    Ok(all
        .into_iter()
        .filter(|one| one.done_at.is_none())
        .collect())
}

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Says what is kept of the names of erased contacts.
    pub fn set_identity_hash(&mut self, hash: HashIdentity) {
        self.hash_identity = hash;
    }

    /// Whether an erasure is not carried out yet: the next turn, or [`configure`](Self::configure), goes on.
    pub fn is_erasing(&self) -> bool {
        !self.erasures.is_empty()
    }

    /// Takes an arrival of these sorts without a turn.
    pub(super) fn obey_order(
        &mut self,
        arrival: &crate::arrival::Arrival,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        use crate::arrival::Arrival;
        match arrival {
            Arrival::Erase { contact, by } => self.begin_erasure(*contact, by, work, now)?,
            Arrival::Readmit(hashes) => {
                for hash in hashes {
                    self.store.readmit(hash)?;
                }
                work.announced.configuration = true;
            }
            Arrival::Suppressions { put, dropped } => {
                self.change_suppressions(put, dropped, work, now)?;
            }
            _another_sort => return Ok(false),
        }
        Ok(true)
    }

    /// Decides that a person is forgotten: the contact, and all that turned out to be the same.
    pub(super) fn begin_erasure(
        &mut self,
        contact: ContactId,
        by: &str,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let person = self.person(contact, work)?;
        let Some(named) = person.first().copied() else {
            return Ok(());
        };
        for one in &person {
            self.decide_or_leave(*one, &Input::Erase, work, now)?;
        }
        work.announced.configuration = true;
        let erasure = Erasure {
            contact: named,
            by: by.to_owned(),
            asked_at: now,
            left: person,
            removed: BTreeMap::new(),
            done_at: None,
        };
        self.store.put_asset(&erasure.asset(), now)?;
        let erasures = work.erasures.get_or_insert_with(|| self.erasures.clone());
        erasures.retain(|old| old.contact != named);
        erasures.push(erasure);
        Ok(())
    }

    /// A contact, the one it turned out to be, and all that turned out to be that one; nobody for a contact
    /// that does not exist.
    fn person(
        &mut self,
        contact: ContactId,
        work: &mut Work,
    ) -> Result<Vec<ContactId>, StoreError> {
        let mut known = BTreeSet::new();
        let mut order = Vec::new();
        let mut open = vec![contact];
        while let Some(one) = open.pop() {
            if order.len() >= CONTACTS_OF_PERSON_MAX || !known.insert(one) {
                continue;
            }
            self.load(std::iter::once(one), work)?;
            let Some(loaded) = work.contacts.get(&one) else {
                continue;
            };
            order.push(one);
            let contact = &loaded.snapshot.contact;
            open.extend(contact.absorbed.iter().copied());
            open.extend(contact.merged_into);
        }
        Ok(order)
    }

    /// Removes a bounded part of the oldest erasure. Everything decided in this turn is written before.
    pub(super) fn erase_some(&mut self, work: &mut Work, now: Timestamp) -> Result<(), StoreError> {
        if work.erasures.is_none() && self.erasures.is_empty() {
            return Ok(());
        }
        self.write(work)?;
        let mut erasures = work
            .erasures
            .take()
            .unwrap_or_else(|| self.erasures.clone());
        // Of one that is another node's turn, that one has heard.
        let is_mine = |one: &Erasure, engine: &mut Self| {
            one.left.last().is_none_or(|contact| engine.holds(*contact))
        };
        let Some(place) = erasures.iter().position(|one| is_mine(one, self)) else {
            work.erasures = Some(erasures);
            return Ok(());
        };
        if let Some(first) = erasures.get_mut(place) {
            if let Some(contact) = first.left.last().copied() {
                let hash = self.hash_identity.clone();
                let gone = self.store.forget(contact, &*hash, ROWS_PER_TURN_MAX, now)?;
                for (table, rows) in &gone.removed {
                    *first.removed.entry((*table).to_owned()).or_default() += rows;
                }
                if gone.done {
                    first.left.pop();
                    // The next may be another node's, and all must know the names that are gone.
                    work.announced.configuration = true;
                }
            }
            if first.left.is_empty() {
                first.done_at = Some(now);
            }
            self.store.put_asset(&first.asset(), now)?;
            if first.done_at.is_some() {
                erasures.remove(place);
            }
        }
        work.summary.more |= erasures.iter().any(|one| is_mine(one, self));
        work.erasures = Some(erasures);
        Ok(())
    }

    /// Puts addresses on the list and takes others off; who has one of them now is told.
    pub(super) fn change_suppressions(
        &mut self,
        put: &[Suppression],
        dropped: &[SuppressionKey],
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.put_suppressions(put)?;
        for one in put {
            if let Some((contact, channels)) = self.owner_of(&one.key)? {
                self.load(std::iter::once(contact), work)?;
                for channel in channels {
                    let reason = one.reason;
                    let input = Input::Suppress {
                        channel: *channel,
                        reason,
                    };
                    self.decide_or_leave(contact, &input, work, now)?;
                }
            }
        }
        for key in dropped {
            self.store.drop_suppression(key)?;
            if let Some((contact, channels)) = self.owner_of(key)? {
                self.load(std::iter::once(contact), work)?;
                for channel in channels {
                    self.decide_or_leave(contact, &Input::Lift(*channel), work, now)?;
                }
            }
        }
        Ok(())
    }

    /// The contact that has an address now. A domain's and a hash's are met at the last gate.
    fn owner_of(
        &mut self,
        key: &SuppressionKey,
    ) -> Result<Option<(ContactId, &'static [Channel])>, StoreError> {
        let (identity, channels): (_, &[Channel]) = match key.kind {
            SuppressionKind::Email => (Identity::email(&key.value), &[Channel::Email]),
            SuppressionKind::Phone => (
                Identity::phone(&key.value),
                &[Channel::Sms, Channel::Voice, Channel::Whatsapp],
            ),
            SuppressionKind::Domain => return Ok(None),
        };
        let found = self.store.find(&identity)?;
        Ok(found.map(|contact| (contact, channels)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_reads_back() {
        let erasure = Erasure {
            contact: ContactId(7),
            by: "api\nleft con_9".to_owned(),
            asked_at: Timestamp::UNIX_EPOCH,
            left: vec![ContactId(7), ContactId(3)],
            removed: [("event".to_owned(), 12)].into(),
            done_at: None,
        };
        let read = Erasure::read("con_7", &erasure.text()).unwrap();
        assert_eq!(read.by, "api left con_9");
        assert_eq!(
            Erasure {
                by: erasure.by.clone(),
                ..read
            },
            erasure
        );
        assert_eq!(Erasure::read("con_7", "removed x"), None);
        assert_eq!(Erasure::read("ana", ""), None);
    }
}
