//! The log's sealed columns: of each [`SEAL_EVENTS`] events in order of arrival one row (see
//! [`super::columns`]), so that a question about what everyone did reads a fiftieth of the log.
//!
//! Events that are not sealed yet are held here. A file that was written before there were seals, or that
//! was closed with events beyond the last one, is caught up a little with each commit.

use std::collections::BTreeMap;

use relance_core::event::Event;
use relance_core::ids::{ContactId, EventName};
use relance_engine::ports::StoreError;
use relance_wire::stored::read_event;
use rusqlite::{Connection, OptionalExtension, params};

use super::column::{contact_id, nanos, text};
use super::columns::{self, Packed, Told};
use super::error::{Located, unreadable};
use crate::sql::Sql;

/// Events of one seal.
pub(super) const SEAL_EVENTS: usize = 65_536;
/// Events that one commit catches up: some 3 ms.
const CAUGHT_UP_PER_COMMIT: usize = 1_024;
/// Events that one call catches up for somebody who waits for it: some 20 ms.
pub(super) const CAUGHT_UP_PER_CALL: usize = 8_192;

/// An event that is not sealed.
#[derive(Debug, Clone, Copy)]
struct Open {
    told: Told,
    name: u32,
}

#[derive(Debug)]
pub(super) struct Seals {
    /// [`SEAL_EVENTS`], or less in tests.
    pub(super) size: usize,
    /// The last event that is sealed, by what is committed or written in this batch.
    sealed: i64,
    /// The last event that is sealed or held here.
    reached: i64,
    /// Whether nothing of the log lies beyond.
    is_current: bool,
    open: Vec<Open>,
    names: Vec<EventName>,
    numbers: BTreeMap<EventName, u32>,
    undo: Option<Undo>,
}

/// What it takes to forget the batch under way.
#[derive(Debug)]
struct Undo {
    sealed: i64,
    reached: i64,
    is_current: bool,
    /// How many were held.
    open: usize,
    /// Those that the batch sealed.
    drained: Vec<Open>,
    /// All that were held, where the batch took some out.
    whole: Option<Vec<Open>>,
}

/// Writes the seal that holds an event anew without a contact; returns the last event of the seal.
fn erase_from_seal(
    conn: &Connection,
    sql: &Sql,
    event: i64,
    contact: ContactId,
) -> Result<i64, StoreError> {
    let seal: Option<(i64, Vec<u8>, Vec<u8>)> = conn
        .prepare_cached(sql.seal_next)
        .and_then(|mut statement| {
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            statement.query_row([event - 1], row).optional()
        })
        .at("event_seal", event)?;
    let Some((last, names, columns)) = seal else {
        return Ok(i64::MAX);
    };
    let packed = Packed { names, columns };
    let packed = packed
        .without(contact)
        .map_err(|problem| unreadable("event_seal", last, problem))?;
    conn.prepare_cached(sql.seal_replace)
        .and_then(|mut statement| statement.execute(params![last, packed.names, packed.columns]))
        .at("event_seal", last)?;
    Ok(last)
}

impl Seals {
    /// `log_end`: the last event of the log.
    pub(super) fn load(conn: &Connection, sql: &Sql, log_end: i64) -> Result<Self, StoreError> {
        let sealed: Option<i64> = conn
            .prepare_cached(sql.seal_last)
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
            .at("event_seal", "the last")?;
        let sealed = sealed.unwrap_or(0);
        Ok(Self {
            size: SEAL_EVENTS,
            sealed,
            reached: sealed,
            is_current: sealed >= log_end,
            open: Vec::new(),
            names: Vec::new(),
            numbers: BTreeMap::new(),
            undo: None,
        })
    }

    /// Whether every event of the log is sealed or held here.
    pub(super) fn is_current(&self) -> bool {
        self.is_current
    }

    /// The last event that is sealed.
    pub(super) fn sealed(&self) -> i64 {
        self.sealed
    }

    /// The last event that is sealed or held here.
    pub(super) fn reached(&self) -> i64 {
        self.reached
    }

    fn touch(&mut self) {
        if self.undo.is_none() {
            self.undo = Some(Undo {
                sealed: self.sealed,
                reached: self.reached,
                is_current: self.is_current,
                open: self.open.len(),
                drained: Vec::new(),
                whole: None,
            });
        }
    }

    /// An event was added to the log.
    pub(super) fn push(&mut self, id: i64, contact: ContactId, event: &Event) {
        if !self.is_current {
            // It is read from the log when its turn comes.
            return;
        }
        self.touch();
        self.hold(id, contact, event);
    }

    fn hold(&mut self, id: i64, contact: ContactId, event: &Event) {
        let name = match self.numbers.get(&event.name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.push(event.name.clone());
                self.numbers.insert(event.name.clone(), number);
                number
            }
        };
        let told = Told {
            id,
            contact,
            at: nanos(event.at),
            by_machine: event.by_machine(),
        };
        self.open.push(Open { told, name });
        self.reached = id;
    }

    /// Before a commit: catches up a little, and seals what is full.
    pub(super) fn flush(&mut self, conn: &Connection, sql: &Sql) -> Result<(), StoreError> {
        if !self.is_current {
            self.catch_up(conn, sql, CAUGHT_UP_PER_COMMIT)?;
        }
        while self.open.len() >= self.size {
            self.seal(conn, sql)?;
        }
        Ok(())
    }

    /// Reads some of the log that is not sealed or held yet.
    pub(super) fn catch_up(
        &mut self,
        conn: &Connection,
        sql: &Sql,
        most: usize,
    ) -> Result<(), StoreError> {
        self.touch();
        let mut statement = conn
            .prepare_cached(sql.event_after)
            .at("event", "not sealed")?;
        let mut rows = statement.query([self.reached]).at("event", "not sealed")?;
        for _ in 0..most {
            let Some(row) = rows.next().at("event", "not sealed")? else {
                self.is_current = true;
                return Ok(());
            };
            let id: i64 = row.get(0).at("event", "event_id")?;
            let contact = contact_id(row, 1).at("event", id)?;
            let event = read_event(text(row, 2).at("event", id)?).at("event", id)?;
            self.hold(id, contact, &event);
        }
        Ok(())
    }

    /// Seals the oldest events held.
    fn seal(&mut self, conn: &Connection, sql: &Sql) -> Result<(), StoreError> {
        self.touch();
        let size = self.size;
        let mut by_name: BTreeMap<u32, Vec<Told>> = BTreeMap::new();
        for one in &self.open[..size] {
            by_name.entry(one.name).or_default().push(one.told);
        }
        let mut packed = Packed::default();
        for (number, events) in &by_name {
            let name = usize::try_from(*number)
                .ok()
                .and_then(|at| self.names.get(at));
            if let Some(name) = name {
                packed.add(name, events);
            }
        }
        let last = self.open[size - 1].told.id;
        conn.prepare_cached(sql.seal_put)
            .and_then(|mut statement| {
                statement.execute(params![last, packed.names, packed.columns])
            })
            .at("event_seal", last)?;
        let drained = self.open.drain(..size);
        if let Some(undo) = &mut self.undo {
            undo.drained.extend(drained);
        }
        self.sealed = last;
        Ok(())
    }

    /// Takes events of a contact out of the columns: they were emptied in the log.
    pub(super) fn erase(
        &mut self,
        conn: &Connection,
        sql: &Sql,
        contact: ContactId,
        events: &[i64],
    ) -> Result<(), StoreError> {
        self.touch();
        if let Some(undo) = &mut self.undo
            && undo.whole.is_none()
        {
            let held = undo.drained.iter().chain(&self.open);
            undo.whole = Some(held.take(undo.open).copied().collect());
        }
        self.open.retain(|one| one.told.contact != contact);
        let mut left: Vec<i64> = events
            .iter()
            .copied()
            .filter(|id| *id <= self.sealed)
            .collect();
        left.sort_unstable();
        let mut place = 0;
        while let Some(id) = left.get(place) {
            let last = erase_from_seal(conn, sql, *id, contact)?;
            place += left[place..].iter().take_while(|id| **id <= last).count();
        }
        Ok(())
    }

    /// Reads the seal behind an event: those of `wanted` names, each with its place among them, that came
    /// after it. Returns the last event of the seal; `None` behind the last seal.
    pub(super) fn read_seal(
        &self,
        conn: &Connection,
        sql: &Sql,
        after: i64,
        wanted: &[EventName],
        mut take: impl FnMut(usize, Told),
    ) -> Result<Option<i64>, StoreError> {
        let mut statement = conn.prepare_cached(sql.seal_next).at("event_seal", after)?;
        let mut rows = statement.query([after]).at("event_seal", after)?;
        let Some(row) = rows.next().at("event_seal", after)? else {
            return Ok(None);
        };
        let last: i64 = row.get(0).at("event_seal", after)?;
        let damaged = |problem| unreadable("event_seal", last, problem);
        let blob = |ix| {
            let column = row.get_ref(ix).at("event_seal", last)?;
            column
                .as_blob()
                .map_err(|problem| unreadable("event_seal", last, problem))
        };
        let found = columns::find(blob(1)?, wanted).map_err(damaged)?;
        if found.is_empty() {
            return Ok(Some(last));
        }
        let all = blob(2)?;
        for (place, count, range) in found {
            let bytes = all.get(range).ok_or(columns::Damaged).map_err(damaged)?;
            let told = |told: Told| {
                if told.id > after {
                    take(place, told);
                }
            };
            columns::read(bytes, count, told).map_err(damaged)?;
        }
        Ok(Some(last))
    }

    /// Those held of `wanted` names, each with its place among them, that came after an event.
    pub(super) fn read_open(
        &self,
        after: i64,
        wanted: &[EventName],
        mut take: impl FnMut(usize, Told),
    ) {
        let mut places: Vec<Option<usize>> = vec![None; self.names.len()];
        for (place, name) in wanted.iter().enumerate() {
            let number = self
                .numbers
                .get(name)
                .and_then(|number| usize::try_from(*number).ok());
            if let Some(known) = number.and_then(|number| places.get_mut(number)) {
                *known = Some(place);
            }
        }
        let first = self.open.partition_point(|one| one.told.id <= after);
        for one in &self.open[first..] {
            let number = usize::try_from(one.name).ok();
            let place = number.and_then(|number| places.get(number).copied().flatten());
            if let Some(place) = place {
                take(place, one.told);
            }
        }
    }

    pub(super) fn committed(&mut self) {
        self.undo = None;
        if self.names.len() > self.size {
            self.forget_names();
        }
    }

    /// Keeps the names of those held alone.
    fn forget_names(&mut self) {
        let names = std::mem::take(&mut self.names);
        self.numbers.clear();
        for one in &mut self.open {
            let name = usize::try_from(one.name).ok().and_then(|at| names.get(at));
            let Some(name) = name else {
                continue;
            };
            let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            one.name = *self.numbers.entry(name.clone()).or_insert(next);
            if one.name == next {
                self.names.push(name.clone());
            }
        }
    }

    pub(super) fn rolled_back(&mut self) {
        let Some(undo) = self.undo.take() else {
            return;
        };
        self.open = match undo.whole {
            Some(whole) => whole,
            None => {
                let mut held = undo.drained;
                held.append(&mut self.open);
                held.truncate(undo.open);
                held
            }
        };
        self.sealed = undo.sealed;
        self.reached = undo.reached;
        self.is_current = undo.is_current;
    }
}
