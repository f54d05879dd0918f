//! Numbers for what is new, taken from the database in blocks: most batches ask for none.
//!
//! A block that is not used up when the program ends is lost; nothing needs numbers without gaps.

use std::collections::VecDeque;

use relance_core::ids::ContactId;

pub(crate) use relance_engine::sharing::PARTITIONS;

/// Ids of contacts in a block: one of each partition.
const CONTACTS: i64 = PARTITIONS as i64;
/// Ids of events or lines in a block.
const ROWS: i64 = 4_096;

/// The partition of a contact.
pub(crate) fn part_of(contact: ContactId) -> usize {
    usize::from(relance_engine::sharing::part_of(contact))
}

/// Numbers that are in order but need not be next to each other.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    ranges: VecDeque<std::ops::Range<i64>>,
}

impl Numbers {
    /// Blocks that are missing to give `count` numbers.
    pub(super) fn missing(&self, count: usize) -> i64 {
        let held: i64 = self
            .ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        count.saturating_sub(held).max(0).div_euclid(ROWS)
            + i64::from(count.saturating_sub(held).max(0) % ROWS > 0)
    }

    pub(super) fn add(&mut self, block: i64) {
        let first = block.saturating_mul(ROWS) + 1;
        self.ranges.push_back(first..first + ROWS);
    }

    pub(super) fn take(&mut self) -> Option<i64> {
        loop {
            if let Some(number) = self.ranges.front_mut()?.next() {
                return Some(number);
            }
            self.ranges.pop_front();
        }
    }

    /// Forgets what is left: another node may have given higher numbers.
    pub(super) fn clear(&mut self) {
        self.ranges.clear();
    }
}

/// Ids of new contacts, only of partitions that are held.
#[derive(Debug, Default)]
pub(super) struct ContactIds {
    left: VecDeque<i64>,
}

impl ContactIds {
    /// Blocks that are missing to give `count` ids while `held` partitions are held.
    pub(super) fn missing(&self, count: usize, held: usize) -> i64 {
        let missing = count.saturating_sub(self.left.len());
        i64::try_from(missing.div_ceil(held.max(1))).unwrap_or(i64::MAX)
    }

    pub(super) fn add(&mut self, block: i64, holds: impl Fn(usize) -> bool) {
        let first = block.saturating_mul(CONTACTS);
        // Contacts are counted from 1.
        let ids = (first..first + CONTACTS).filter(|id| *id > 0);
        self.left
            .extend(ids.filter(|id| holds(part_of(ContactId(id.unsigned_abs())))));
    }

    pub(super) fn take(&mut self) -> Option<i64> {
        self.left.pop_front()
    }

    pub(super) fn clear(&mut self) {
        self.left.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_order_and_each_once() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.missing(1), 1);
        numbers.add(0);
        numbers.add(7);
        assert_eq!(numbers.missing(2 * 4_096), 0);
        assert_eq!(numbers.missing(2 * 4_096 + 1), 1);
        let all: Vec<i64> = std::iter::from_fn(|| numbers.take()).collect();
        assert_eq!(all.len(), 2 * 4_096);
        assert!(all.is_sorted_by(|a, b| a < b));
        assert_eq!(all[0], 1);
    }

    #[test]
    fn contacts_are_of_partitions_that_are_held() {
        let mut ids = ContactIds::default();
        assert_eq!(ids.missing(300, 2), 150);
        ids.add(0, |part| part < 2);
        ids.add(3, |part| part < 2);
        let all: Vec<i64> = std::iter::from_fn(|| ids.take()).collect();
        assert_eq!(all, [1, 768, 769]);
    }
}
