//! Contacts known to have no live run, no open message and no watch: their next event looks for none.
//!
//! One bit a contact, by partition: learned when a contact is loaded, forgotten when something of the kind
//! is written for it. Only the node that holds a partition writes to it, so it is never wrong; it forgets a
//! partition that comes or goes, and everything when a batch is rolled back.

use relance_core::ids::ContactId;

use super::ids::{PARTITIONS, part_of};

/// Contacts of a partition that have a bit: 8 MB for all of them. Those beyond are looked at each time.
const CONTACTS_MAX: u64 = 1 << 18;
const BITS: u64 = u64::BITS as u64;

#[derive(Debug)]
pub(super) struct Quiet(Vec<Vec<u64>>);

impl Default for Quiet {
    fn default() -> Self {
        Self(vec![Vec::new(); PARTITIONS])
    }
}

/// Partition, word and bit of a contact.
fn place(contact: ContactId) -> Option<(usize, usize, u64)> {
    let within = contact.0 / PARTITIONS as u64;
    let word = usize::try_from(within / BITS).ok()?;
    (within < CONTACTS_MAX).then_some((part_of(contact), word, 1 << (within % BITS)))
}

impl Quiet {
    pub(super) fn knows(&self, contact: ContactId) -> bool {
        place(contact)
            .and_then(|(part, word, bit)| Some(self.0.get(part)?.get(word)? & bit != 0))
            .unwrap_or(false)
    }

    pub(super) fn learn(&mut self, contact: ContactId) {
        let Some((part, word, bit)) = place(contact) else {
            return;
        };
        let bits = &mut self.0[part];
        if word >= bits.len() {
            bits.resize(word + 1, 0);
        }
        bits[word] |= bit;
    }

    pub(super) fn forget(&mut self, contact: ContactId) {
        if let Some((part, word, bit)) = place(contact)
            && let Some(bits) = self.0[part].get_mut(word)
        {
            *bits &= !bit;
        }
    }

    /// A partition came or went.
    pub(super) fn forget_part(&mut self, part: usize) {
        if let Some(bits) = self.0.get_mut(part) {
            bits.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(Vec::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_is_known_until_it_is_forgotten() {
        let mut quiet = Quiet::default();
        quiet.learn(ContactId(200));
        quiet.learn(ContactId(100_000));
        assert!(quiet.knows(ContactId(200)) && quiet.knows(ContactId(100_000)));
        for other in [0, 199, 201, 456, u64::MAX] {
            assert!(!quiet.knows(ContactId(other)), "{other}");
        }
        quiet.forget(ContactId(200));
        assert!(!quiet.knows(ContactId(200)));
        quiet.forget_part(part_of(ContactId(100_000)));
        assert!(!quiet.knows(ContactId(100_000)));
        quiet.learn(ContactId(u64::MAX));
        assert!(!quiet.knows(ContactId(u64::MAX)));
        quiet.learn(ContactId(3));
        quiet.clear();
        assert!(!quiet.knows(ContactId(3)));
    }
}
