//! What the batch under way knows without asking: names that nobody has, and contacts that it made itself.
//!
//! An import makes thousands of contacts a batch. Each of their names was looked for before, and nothing of
//! them is stored, so neither is asked for again; and a contact's row is written once, when it is known, instead
//! of small first and large afterwards, which tears pages apart. Only the writer has this, only within a
//! batch, and whatever is written of a contact makes it an ordinary one.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity};
use relance_core::ids::ContactId;

/// Names that are remembered: more than one batch asks for.
const NAMES_MAX: usize = 16_384;

/// A contact of this batch whose row is not written yet.
#[derive(Debug, Clone, Copy)]
struct Made {
    at: Timestamp,
    /// Nothing else of it is written either.
    is_bare: bool,
}

#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// Names that were looked for and not found.
    free: HashSet<Identity>,
    made: BTreeMap<ContactId, Made>,
    /// The first and the last contact made in this batch: what the file held before is not about them.
    first_and_last: Option<(ContactId, ContactId)>,
}

impl Fresh {
    /// A name was looked for in a batch and not found.
    pub(super) fn missed(&mut self, name: &Identity) {
        if self.free.len() < NAMES_MAX {
            self.free.insert(name.clone());
        }
    }

    /// Whether nobody is known to have a name.
    pub(super) fn is_free(&self, name: &Identity) -> bool {
        !self.free.is_empty() && self.free.contains(name)
    }

    /// A name was given to somebody.
    pub(super) fn bound(&mut self, name: &Identity) {
        self.free.remove(name);
    }

    /// A contact was made in a batch; its row is to be written.
    pub(super) fn made(&mut self, contact: ContactId, at: Timestamp) {
        let is_bare = true;
        self.made.insert(contact, Made { at, is_bare });
        let (first, _) = self.first_and_last.unwrap_or((contact, contact));
        self.first_and_last = Some((first, contact));
    }

    /// The last contact made in this batch.
    pub(super) fn last(&self) -> Option<ContactId> {
        self.first_and_last.map(|(_, last)| last)
    }

    /// Whether a contact was made in this batch.
    pub(super) fn is_new(&self, contact: ContactId) -> bool {
        self.first_and_last
            .is_some_and(|(first, _)| contact >= first)
    }

    /// A contact whose row is not written yet, as it stands.
    pub(super) fn contact(&self, contact: ContactId) -> Option<Contact> {
        let made = self.made.get(&contact)?;
        Some(Contact::new(contact, made.at))
    }

    /// Whether nothing at all is written of a contact.
    pub(super) fn is_bare(&self, contact: ContactId) -> bool {
        self.made.get(&contact).is_some_and(|made| made.is_bare)
    }

    /// Something of a contact is written, its row aside.
    pub(super) fn written(&mut self, contact: ContactId) {
        if let Some(made) = self.made.get_mut(&contact) {
            made.is_bare = false;
        }
    }

    /// The row of a contact is written.
    pub(super) fn row_written(&mut self, contact: ContactId) {
        self.made.remove(&contact);
    }

    /// Contacts whose rows are missing: whoever takes them writes them.
    pub(super) fn take_rows(&mut self) -> Vec<Contact> {
        std::mem::take(&mut self.made)
            .into_iter()
            .map(|(contact, made)| Contact::new(contact, made.at))
            .collect()
    }

    /// The batch has ended.
    pub(super) fn clear(&mut self) {
        self.free.clear();
        self.made.clear();
        self.first_and_last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_ends_with_what_is_written() {
        let mut fresh = Fresh::default();
        let (ana, bob) = (Identity::user("ana"), Identity::user("bob"));
        assert!(!fresh.is_free(&ana));
        fresh.missed(&ana);
        assert!(fresh.is_free(&ana) && !fresh.is_free(&bob));
        fresh.bound(&ana);
        assert!(!fresh.is_free(&ana));

        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(fresh.last(), None);
        let [seven, eight, nine] = [7, 8, 9].map(ContactId);
        for one in [seven, eight, nine] {
            fresh.made(one, now);
        }
        assert_eq!(fresh.last(), Some(nine));
        assert_eq!(fresh.contact(seven), Some(Contact::new(seven, now)));
        fresh.written(seven);
        assert!(!fresh.is_bare(seven) && fresh.is_bare(eight));
        assert_eq!(fresh.contact(seven), Some(Contact::new(seven, now)));
        fresh.row_written(eight);
        assert_eq!(fresh.contact(eight), None);
        assert!(fresh.is_new(seven) && fresh.is_new(eight) && !fresh.is_new(ContactId(6)));
        let rows = fresh.take_rows();
        assert_eq!(rows, [seven, nine].map(|one| Contact::new(one, now)));
        assert!(!fresh.is_bare(nine) && fresh.take_rows().is_empty());
        fresh.missed(&bob);
        fresh.clear();
        assert!(!fresh.is_new(nine) && !fresh.is_free(&bob) && fresh.last().is_none());
    }
}
