//! Contacts known to have no live run, no open message and no watch: their next event looks for none.
//!
//! One bit a contact, learned when a contact is loaded and forgotten when something of the kind is written
//! for it. Only the writer has it, and only the writer writes, so it is never wrong; a batch that is rolled
//! back forgets everything, as it may have learned from rows that are gone.

use relance_core::ids::ContactId;

/// Contacts that have a bit: 8 MB. Those beyond are looked at each time.
const CONTACTS_MAX: u64 = 1 << 26;
const BITS: u64 = u64::BITS as u64;

#[derive(Debug, Default)]
pub(super) struct Quiet(Vec<u64>);

fn place(contact: ContactId) -> Option<(usize, u64)> {
    let word = usize::try_from(contact.0 / BITS).ok()?;
    (contact.0 < CONTACTS_MAX).then_some((word, 1 << (contact.0 % BITS)))
}

impl Quiet {
    pub(super) fn knows(&self, contact: ContactId) -> bool {
        place(contact)
            .and_then(|(word, bit)| Some(self.0.get(word)? & bit != 0))
            .unwrap_or(false)
    }

    pub(super) fn learn(&mut self, contact: ContactId) {
        let Some((word, bit)) = place(contact) else {
            return;
        };
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    pub(super) fn forget(&mut self, contact: ContactId) {
        if let Some((word, bit)) = place(contact)
            && let Some(bits) = self.0.get_mut(word)
        {
            *bits &= !bit;
        }
    }

    pub(super) fn rolled_back(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_is_known_until_it_is_forgotten() {
        let mut quiet = Quiet::default();
        quiet.learn(ContactId(200));
        assert!(quiet.knows(ContactId(200)));
        for other in [0, 199, 201, CONTACTS_MAX, u64::MAX] {
            assert!(!quiet.knows(ContactId(other)), "{other}");
        }
        quiet.forget(ContactId(200));
        quiet.forget(ContactId(100_000));
        assert!(!quiet.knows(ContactId(200)));
        quiet.learn(ContactId(CONTACTS_MAX));
        assert!(!quiet.knows(ContactId(CONTACTS_MAX)));
        quiet.learn(ContactId(3));
        quiet.rolled_back();
        assert!(!quiet.knows(ContactId(3)));
    }
}
