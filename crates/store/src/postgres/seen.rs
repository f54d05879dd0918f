//! Keys of arrivals, so that the same one twice changes nothing (R6), also on another node.
//!
//! Two generations are remembered, in tables: a generation ends when its table is [`SEEN_BYTES_MAX`] large
//! or it is [`SEEN_AGE`](crate::sqlite::SEEN_AGE) old; then the one before it is forgotten by emptying its
//! table, which takes the same short time however much it holds. So a key is known for at least the next
//! 1,500,000 keys or that age, whichever is less.

use jiff::Timestamp;
use relance_engine::ports::StoreError;

use super::PostgresStore;
use super::error::PgLocated;
use crate::sqlite::SEEN_AGE;
use crate::sqlite::column::{moment, nanos};

/// Size of one generation's table: 1,800,000 keys, fewer when batches were thrown away.
pub const SEEN_BYTES_MAX: i64 = 80 << 20;
/// Keys of this program after which the size is looked at again.
const KEYS_PER_LOOK: usize = 16_384;
/// Tables that generations take turns in.
const SLOTS: i64 = 3;
/// How long the end of a generation waits for batches of other nodes before it is tried later.
const TURN_WAIT_MAX: &str = "500ms";

#[derive(Debug)]
pub(super) struct Seen {
    /// [`SEEN_BYTES_MAX`], or less in tests.
    pub(super) bytes_max: i64,
    /// [`KEYS_PER_LOOK`], or less in tests.
    pub(super) keys_per_look: usize,
    /// The generation and when it began, as the batch under way found it.
    pub(super) generation: (i64, Option<i64>),
    keys: usize,
    /// A generation that is to end.
    ends: Option<i64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            bytes_max: SEEN_BYTES_MAX,
            keys_per_look: KEYS_PER_LOOK,
            generation: (0, None),
            keys: 0,
            ends: None,
        }
    }
}

fn slot(generation: i64) -> i16 {
    i16::try_from(generation.rem_euclid(SLOTS)).unwrap_or(0)
}

impl PostgresStore {
    pub(super) fn remember_keys(
        &mut self,
        keys: &[u64],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        // The generation comes with the beginning of the batch.
        self.open_batch()?;
        let (generation, since) = self.seen.generation;
        let mut sorted: Vec<i64> = keys.iter().map(|key| key.cast_signed()).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let (slot, before) = (slot(generation), slot(generation - 1));
        let answer = self.one(self.sql.seen_append, vec![&slot, &before, &sorted])?;
        let mut fresh = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            fresh.push(row.try_get::<_, i64>(0).at("seen", generation)?);
        }
        fresh.sort_unstable();
        let mut told = vec![false; fresh.len()];
        let first = |key: &u64| match fresh.binary_search(&key.cast_signed()) {
            Ok(place) => !std::mem::replace(&mut told[place], true),
            Err(_) => false,
        };
        let outcome: Vec<bool> = keys.iter().map(first).collect();
        self.count_keys(fresh.len(), since, now)?;
        Ok(outcome)
    }

    /// Notes when the generation began, and whether it is to end.
    fn count_keys(
        &mut self,
        added: usize,
        since: Option<i64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let generation = self.seen.generation.0;
        match since {
            None if added > 0 => {
                let now = nanos(now);
                self.one(self.sql.seen_begin, vec![&now])?;
                self.seen.generation.1 = Some(now);
            }
            Some(since) if now.duration_since(moment(since)) >= SEEN_AGE => {
                self.seen.ends = Some(generation);
            }
            Some(_) | None => {}
        }
        self.seen.keys += added;
        if self.seen.keys >= self.seen.keys_per_look {
            self.seen.keys = 0;
            let slot = slot(generation);
            let answer = self.one(self.sql.seen_bytes, vec![&slot])?;
            let bytes: i64 = match answer.rows.first() {
                Some(row) => row.try_get(0).at("seen", generation)?,
                None => 0,
            };
            if bytes >= self.seen.bytes_max {
                self.seen.ends = Some(generation);
            }
        }
        Ok(())
    }

    /// Ends a generation that is to end, between two batches. Whatever stands in the way is left to the
    /// next time.
    pub(super) fn turn_generation(&mut self) {
        let Some(generation) = self.seen.ends.take() else {
            return;
        };
        if let Err(error) = self.end_generation(generation) {
            tracing::debug!(%error, generation, "keys of arrivals are kept a little longer");
            self.seen.ends = Some(generation);
            // At worst there is nothing to roll back.
            let _ = self.session.run("ROLLBACK");
        }
    }

    fn end_generation(&mut self, generation: i64) -> Result<(), StoreError> {
        self.session.run(&format!(
            "BEGIN; SET LOCAL lock_timeout TO '{TURN_WAIT_MAX}'"
        ))?;
        let found = self.session.one(self.sql.seen_lock, vec![&generation])?;
        if !found.rows.is_empty() {
            // The slot of the next generation holds the one before the last.
            let empty = match slot(generation + 1) {
                0 => self.sql.seen_empty_0,
                1 => self.sql.seen_empty_1,
                _two => self.sql.seen_empty_2,
            };
            self.session.one(empty, Vec::new())?;
            self.session.one(self.sql.seen_next, Vec::new())?;
        }
        self.session.run("COMMIT")
    }
}
