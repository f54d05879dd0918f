//! What waits for a moment, over partitions: timers and the outbox.
//!
//! Keys begin with the partition, so the earliest of all is the least of 256 beginnings. For each partition
//! a moment is remembered before which nothing of it waits: only the node that holds it writes to it. A look
//! when nothing is due asks the database nothing.

use jiff::Timestamp;
use relance_core::decide::{Timer, TimerKind};
use relance_core::ids::{ContactId, TouchpointId};
use relance_engine::ports::{NextDue, StoreError};

use super::PostgresStore;
use super::error::{PgLocated, unreadable};
use super::ids::PARTITIONS;
use crate::sqlite::column::{moment, nanos};

/// Rows asked of each partition at least.
const CHUNK_MIN: usize = 8;

/// The column `kind` of a timer, and `target`.
pub(super) fn timer_columns(kind: TimerKind) -> (i16, i64) {
    match kind {
        TimerKind::Enrollment(number) => (1, i64::from(number)),
        TimerKind::Touchpoint(hash) => (2, hash.cast_signed()),
        TimerKind::Watch(hash) => (3, hash.cast_signed()),
        TimerKind::Segment(hash) => (4, hash.cast_signed()),
    }
}

/// The kind of a timer from its columns.
fn timer_kind(kind: i16, target: i64) -> Option<TimerKind> {
    match kind {
        1 => u32::try_from(target).ok().map(TimerKind::Enrollment),
        2 => Some(TimerKind::Touchpoint(target.cast_unsigned())),
        3 => Some(TimerKind::Watch(target.cast_unsigned())),
        4 => Some(TimerKind::Segment(target.cast_unsigned())),
        _unknown_number => None,
    }
}

/// Before which moment nothing waits in a partition.
#[derive(Debug, Clone, Copy)]
struct Floor {
    at: i64,
    /// Something waits at this very moment, or nothing waits at all.
    is_exact: bool,
}

const UNKNOWN: Floor = Floor {
    at: i64::MIN,
    is_exact: false,
};

/// The floors of all partitions.
#[derive(Debug)]
pub(super) struct Floors(Vec<Floor>);

impl Default for Floors {
    fn default() -> Self {
        Self(vec![UNKNOWN; PARTITIONS])
    }
}

impl Floors {
    /// Something waits now.
    pub(super) fn put(&mut self, part: usize, at: i64) {
        let floor = &mut self.0[part];
        if at <= floor.at {
            *floor = Floor { at, is_exact: true };
        }
    }

    /// Something waits no longer.
    pub(super) fn drop(&mut self, part: usize, at: i64) {
        let floor = &mut self.0[part];
        floor.is_exact &= at != floor.at;
    }

    fn found(&mut self, part: usize, at: i64, is_exact: bool) {
        self.0[part] = Floor { at, is_exact };
    }

    pub(super) fn forget(&mut self, part: usize) {
        self.0[part] = UNKNOWN;
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(UNKNOWN);
    }
}

/// Something that waits: when, whose, what.
type Place = (i64, i64, i16, i64);
const FIRST: Place = (i64::MIN, i64::MIN, i16::MIN, i64::MIN);

/// Which of the two.
#[derive(Debug, Clone, Copy)]
enum Queue {
    Timers,
    Outbox,
}

impl PostgresStore {
    fn floors(&mut self, queue: Queue) -> &mut Floors {
        match queue {
            Queue::Timers => &mut self.timers,
            Queue::Outbox => &mut self.outbox,
        }
    }

    /// What is due in the partitions held, earliest first, at most `limit`.
    fn due(
        &mut self,
        queue: Queue,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let now = nanos(now);
        let held = self.held_parts();
        let floors = self.floors(queue);
        let mut open: Vec<(usize, Place)> = held
            .into_iter()
            .filter(|part| floors.0[*part].at <= now)
            .map(|part| (part, FIRST))
            .collect();
        let mut found: Vec<Place> = Vec::new();
        let mut chunk = limit.min((limit / open.len().max(1)).saturating_mul(2).max(CHUNK_MIN));
        while !open.is_empty() && limit > 0 {
            let rows = self.ask_due(queue, &open, now, chunk)?;
            let mut counts = vec![0; PARTITIONS];
            let mut last = vec![FIRST; PARTITIONS];
            let mut first = vec![None; PARTITIONS];
            for (part, place) in rows {
                counts[part] += 1;
                last[part] = last[part].max(place);
                let earliest = first[part].get_or_insert(place.0);
                *earliest = (*earliest).min(place.0);
                found.push(place);
            }
            let floors = self.floors(queue);
            for (part, after) in &open {
                if *after == FIRST {
                    match first[*part] {
                        Some(at) => floors.found(*part, at, true),
                        None => floors.found(*part, now.saturating_add(1), false),
                    }
                }
            }
            found.sort_unstable();
            // A partition that may have more matters only before the last that is asked for.
            let enough = found.get(limit - 1).copied();
            open.retain_mut(|(part, after)| {
                *after = last[*part];
                counts[*part] == chunk && enough.is_none_or(|enough| *after < enough)
            });
            chunk = limit.min(chunk.saturating_mul(4));
        }
        found.truncate(limit);
        Ok(found)
    }

    fn ask_due(
        &mut self,
        queue: Queue,
        open: &[(usize, Place)],
        now: i64,
        chunk: usize,
    ) -> Result<Vec<(usize, Place)>, StoreError> {
        let (sql, table) = match queue {
            Queue::Timers => (self.sql.timer_due, "timer"),
            Queue::Outbox => (self.sql.outbox_ready, "touchpoint"),
        };
        let parts: Vec<i16> = open.iter().map(|(part, _)| part_column(*part)).collect();
        let moments: Vec<i64> = open.iter().map(|(_, place)| place.0).collect();
        let contacts: Vec<i64> = open.iter().map(|(_, place)| place.1).collect();
        let kinds: Vec<i16> = open.iter().map(|(_, place)| place.2).collect();
        let targets: Vec<i64> = open.iter().map(|(_, place)| place.3).collect();
        let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
        let answer = self.one(
            sql,
            vec![&parts, &moments, &contacts, &kinds, &targets, &now, &chunk],
        )?;
        let row = |row: &tokio_postgres::Row| {
            let part: i16 = row.try_get(0)?;
            let place = (
                row.try_get(1)?,
                row.try_get(2)?,
                row.try_get(3)?,
                row.try_get(4)?,
            );
            Ok((usize::try_from(part).unwrap_or(0) % PARTITIONS, place))
        };
        let rows: Result<Vec<_>, tokio_postgres::Error> = answer.rows.iter().map(row).collect();
        rows.at(table, "due")
    }

    pub(super) fn timers_due(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ContactId, Timer)>, StoreError> {
        let found = self.due(Queue::Timers, now, limit)?;
        let timer = |(at, contact, kind, target): Place| {
            let contact = ContactId(contact.cast_unsigned());
            let kind = timer_kind(kind, target)
                .ok_or_else(|| unreadable("timer of", contact, format_args!("kind {kind}")))?;
            let due_at = moment(at);
            Ok((contact, Timer { due_at, kind }))
        };
        found.into_iter().map(timer).collect()
    }

    pub(super) fn messages_ready(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<TouchpointId>, StoreError> {
        let found = self.due(Queue::Outbox, now, limit)?;
        let id = |(_, contact, _, hash): Place| TouchpointId {
            contact: ContactId(contact.cast_unsigned()),
            hash: hash.cast_unsigned(),
        };
        Ok(found.into_iter().map(id).collect())
    }

    pub(super) fn earliest(&mut self) -> Result<NextDue, StoreError> {
        Ok(NextDue {
            timer: self.earliest_of(Queue::Timers)?,
            outbox: self.earliest_of(Queue::Outbox)?,
        })
    }

    fn earliest_of(&mut self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        let held = self.held_parts();
        let floors = self.floors(queue);
        // One that may lie before what is known to be the earliest must be looked at, no other.
        let known = |part: &&usize| floors.0[**part].is_exact;
        let least = held
            .iter()
            .filter(known)
            .map(|part| floors.0[*part].at)
            .min();
        let unsure: Vec<i16> = held
            .iter()
            .filter(|part| {
                let floor = floors.0[**part];
                !floor.is_exact && least.is_none_or(|least| floor.at < least)
            })
            .map(|part| part_column(*part))
            .collect();
        if !unsure.is_empty() {
            let (sql, table) = match queue {
                Queue::Timers => (self.sql.timer_next, "timer"),
                Queue::Outbox => (self.sql.outbox_next, "touchpoint"),
            };
            let answer = self.one(sql, vec![&unsure])?;
            let floors = self.floors(queue);
            for part in unsure {
                // Nothing waits, unless a row says otherwise.
                floors.found(usize::try_from(part).unwrap_or(0), i64::MAX, true);
            }
            for row in &answer.rows {
                let part: i16 = row.try_get(0).at(table, "next")?;
                let at: i64 = row.try_get(1).at(table, "next")?;
                floors.found(usize::try_from(part).unwrap_or(0) % PARTITIONS, at, true);
            }
        }
        let floors = self.floors(queue);
        let least = held
            .iter()
            .filter(|part| floors.0[**part].is_exact)
            .map(|part| floors.0[*part].at);
        Ok(least.min().filter(|at| *at < i64::MAX).map(moment))
    }
}

/// A partition as a column.
pub(super) fn part_column(part: usize) -> i16 {
    i16::try_from(part).unwrap_or(i16::MAX)
}
