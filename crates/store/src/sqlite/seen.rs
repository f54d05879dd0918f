//! Keys of arrivals, so that the same one twice changes nothing (R6).
//!
//! Two generations are remembered. A generation ends when it holds [`SEEN_KEYS_MAX`] keys or is
//! [`SEEN_AGE`] old; then the one before it is forgotten. So a key is known for at least the next
//! [`SEEN_KEYS_MAX`] keys or [`SEEN_AGE`], whichever is less, and memory stays below 40 MB.
//!
//! The keys are in memory; the file holds them as a log, eight bytes each, and no index at all: an index
//! over random keys is what would limit the whole store (decision 0003).

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use relance_engine::ports::StoreError;
use rusqlite::{Connection, params};

use super::column::{moment, nanos};
use super::error::{Located, unreadable};
use crate::sql::Sql;

/// Keys of one generation. Just below the size at which its table in memory would double.
pub const SEEN_KEYS_MAX: usize = 1_800_000;
/// Age of one generation.
pub const SEEN_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug)]
pub(super) struct Seen {
    /// [`SEEN_KEYS_MAX`], or less in tests.
    pub(super) keys_max: usize,
    generation: i64,
    since: Option<Timestamp>,
    current: HashSet<u64>,
    previous: HashSet<u64>,
    /// Added by the batch under way.
    added: Vec<u64>,
    /// Must be read again: a rotation was rolled back.
    is_stale: bool,
    has_rotated: bool,
}

impl Seen {
    pub(super) fn load(conn: &Connection, sql: &Sql) -> Result<Self, StoreError> {
        let mut seen = Self {
            keys_max: SEEN_KEYS_MAX,
            generation: 0,
            since: None,
            current: HashSet::new(),
            previous: HashSet::new(),
            added: Vec::new(),
            is_stale: false,
            has_rotated: false,
        };
        let mut statement = conn.prepare_cached(sql.seen_load).at("seen", "")?;
        let mut rows = statement.query([]).at("seen", "")?;
        while let Some(row) = rows.next().at("seen", "")? {
            let generation: i64 = row.get(0).at("seen", "generation")?;
            if generation > seen.generation || seen.since.is_none() {
                if generation == seen.generation + 1 {
                    seen.previous = std::mem::take(&mut seen.current);
                } else {
                    seen.previous.clear();
                    seen.current.clear();
                }
                seen.generation = generation;
                seen.since = Some(moment(row.get(1).at("seen", "seen_at")?));
            }
            let keys = row.get_ref(2).at("seen", "keys")?.as_blob();
            let keys = keys.map_err(|error| unreadable("seen", generation, error))?;
            let (keys, rest) = keys.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(unreadable(
                    "seen",
                    generation,
                    "the keys are not of eight bytes each",
                ));
            }
            seen.current
                .extend(keys.iter().map(|key| u64::from_le_bytes(*key)));
        }
        Ok(seen)
    }

    pub(super) fn remember(
        &mut self,
        conn: &Connection,
        sql: &Sql,
        keys: &[u64],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        if self.is_stale {
            *self = Self {
                keys_max: self.keys_max,
                ..Self::load(conn, sql)?
            };
        }
        self.rotate(conn, sql, now)?;
        let mut blob = Vec::with_capacity(keys.len() * 8);
        let fresh = keys
            .iter()
            .map(|key| {
                let fresh = !self.previous.contains(key) && self.current.insert(*key);
                if fresh {
                    self.added.push(*key);
                    blob.extend_from_slice(&key.to_le_bytes());
                }
                fresh
            })
            .collect();
        if !blob.is_empty() {
            self.since.get_or_insert(now);
            conn.prepare_cached(sql.seen_append)
                .and_then(|mut statement| {
                    statement.execute(params![self.generation, nanos(now), blob])
                })
                .at("seen", self.generation)?;
        }
        Ok(fresh)
    }

    fn rotate(&mut self, conn: &Connection, sql: &Sql, now: Timestamp) -> Result<(), StoreError> {
        let Some(since) = self.since else {
            return Ok(());
        };
        if self.current.len() < self.keys_max && now.duration_since(since) < SEEN_AGE {
            return Ok(());
        }
        self.previous = std::mem::take(&mut self.current);
        self.generation += 1;
        self.since = None;
        self.has_rotated = true;
        conn.prepare_cached(sql.seen_forget)
            .and_then(|mut statement| statement.execute([self.generation - 1]))
            .at("seen", self.generation)?;
        Ok(())
    }

    pub(super) fn committed(&mut self) {
        self.added.clear();
        self.has_rotated = false;
    }

    pub(super) fn rolled_back(&mut self) {
        self.is_stale |= self.has_rotated;
        self.has_rotated = false;
        for key in self.added.drain(..) {
            self.current.remove(&key);
        }
        if self.current.is_empty() {
            // The moment at which the generation began went with the batch.
            self.since = None;
        }
    }
}
