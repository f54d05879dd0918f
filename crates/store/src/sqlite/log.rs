//! The event log: appended in order of arrival, read by contact and name.
//!
//! Each event knows the one before it of the same contact and name, so history is a walk along a chain
//! and needs no index over the log. Where the chains begin is written to `event_head` in sweeps along the
//! key, a few neighbours at a time; what is not written yet is held here, and read from the end of the
//! log when the file is opened. A batch of events of a hundred contacts would otherwise touch a hundred
//! pages to note a hundred beginnings (decision 0003).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use jiff::Timestamp;
use relance_core::event::Event;
use relance_core::ids::{ContactId, EventName};
use relance_engine::ports::StoreError;
use relance_wire::stored::{event_text, read_event};
use rusqlite::{Connection, OptionalExtension, params};

use super::column::{contact_id, contact_key, day, moment, nanos, text};
use super::error::{Located, unreadable};
use crate::sql::Sql;

/// Beginnings held in memory before sweeping starts.
const HEADS_HELD_MIN: usize = 32_768;
/// Beginnings written for each event appended while sweeping: more than one, so that a sweep ends.
const HEADS_SWEPT_PER_EVENT: usize = 2;
/// Events behind the mark after which sweeping starts however few beginnings there are: opening the file
/// reads them.
const EVENTS_BEHIND_MAX: i64 = 262_144;
/// Days of which it is remembered that their first event is noted: more than come up in ordinary life.
const DAYS_HELD_MAX: usize = 4_096;
/// The name of the mark up to which `event_head` is right.
const MARK: &str = "event_head";

/// The moment of a name under which the contact did nothing itself.
const NO_ACTIVITY: i64 = i64::MIN;

type Key = (ContactId, EventName);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    last_id: i64,
    last_at: i64,
}

/// When the contact was active by an event, if it was.
fn activity_at(event: &Event) -> i64 {
    if event.is_activity() {
        nanos(event.at)
    } else {
        NO_ACTIVITY
    }
}

/// A sweep under way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sweep {
    /// The newest event when it began: when it ends, the mark moves there.
    began_at: i64,
    /// The last key written.
    after: Option<Key>,
}

/// Beginnings of chains that are newer than `event_head`.
#[derive(Debug)]
pub(super) struct Heads {
    /// [`HEADS_HELD_MIN`], or less in tests.
    pub(super) held_min: usize,
    /// [`EVENTS_BEHIND_MAX`], or less in tests.
    pub(super) behind_max: i64,
    held: BTreeMap<Key, Head>,
    last_id: i64,
    /// Up to which event `event_head` is right.
    mark: i64,
    sweep: Option<Sweep>,
    /// Days whose first event is noted.
    days: BTreeSet<i64>,
    /// Beginnings were written in the batch under way.
    has_swept: bool,
    /// What `event_head` said in this batch: an event asks twice, for what came before it and where it goes.
    read: RefCell<HashMap<Key, Option<i64>>>,
    undo: Undo,
}

/// What it takes to forget the batch under way.
#[derive(Debug, Default)]
struct Undo {
    /// The state before each change, in order.
    heads: Vec<(Key, Option<Head>)>,
    /// `last_id`, mark and sweep before the batch, once it changed something.
    before: Option<(i64, i64, Option<Sweep>)>,
}

impl Heads {
    /// Reads the end of the log that `event_head` does not cover.
    pub(super) fn load(conn: &Connection, sql: &Sql) -> Result<Self, StoreError> {
        let mark: Option<i64> = conn
            .prepare_cached(sql.mark_get)
            .and_then(|mut statement| statement.query_row([MARK], |row| row.get(0)).optional())
            .at("mark", MARK)?;
        let mut heads = Self {
            held_min: HEADS_HELD_MIN,
            behind_max: EVENTS_BEHIND_MAX,
            held: BTreeMap::new(),
            last_id: mark.unwrap_or(0),
            mark: mark.unwrap_or(0),
            sweep: None,
            days: BTreeSet::new(),
            has_swept: false,
            read: RefCell::default(),
            undo: Undo::default(),
        };
        let mut statement = conn
            .prepare_cached(sql.event_after)
            .at("event", "after the mark")?;
        let mut rows = statement
            .query([heads.last_id])
            .at("event", "after the mark")?;
        while let Some(row) = rows.next().at("event", "after the mark")? {
            let id: i64 = row.get(0).at("event", "event_id")?;
            let contact = contact_id(row, 1).at("event", id)?;
            let event = read_event(text(row, 2).at("event", id)?).at("event", id)?;
            let at = activity_at(&event);
            heads.put((contact, event.name), id, at);
        }
        heads.committed();
        Ok(heads)
    }

    fn put(&mut self, key: Key, last_id: i64, at: i64) {
        let last_at = self.held.get(&key).map_or(at, |head| head.last_at.max(at));
        self.last_id = last_id;
        self.change(key, Some(Head { last_id, last_at }));
    }

    fn change(&mut self, key: Key, head: Option<Head>) {
        let before = match head {
            Some(head) => self.held.insert(key.clone(), head),
            None => self.held.remove(&key),
        };
        self.undo.heads.push((key, before));
    }

    /// Notes the state before the batch's first change.
    fn touch(&mut self) {
        if self.undo.before.is_none() {
            self.undo.before = Some((self.last_id, self.mark, self.sweep.clone()));
        }
    }

    /// Adds an event to the log; returns its place there. `is_new`: the contact was made in this batch.
    pub(super) fn append(
        &mut self,
        conn: &Connection,
        sql: &Sql,
        contact: ContactId,
        is_new: bool,
        event: &Event,
    ) -> Result<i64, StoreError> {
        self.touch();
        let key = (contact, event.name.clone());
        let previous = if is_new && !self.has_swept {
            self.held.get(&key).map(|head| head.last_id)
        } else {
            self.newest(conn, sql, &key)?
        };
        let body = event_text(event).at("event of", contact)?;
        let id = conn
            .prepare_cached(sql.event_append)
            .and_then(|mut statement| {
                statement.insert(params![contact_key(contact), previous, body])
            })
            .at("event of", contact)?;
        self.put(key, id, activity_at(event));
        self.note_day(conn, sql, day(event.at), id)?;
        Ok(id)
    }

    /// The last event of the log.
    pub(super) fn last_id(&self) -> i64 {
        self.last_id
    }

    /// Notes where a day begins in the log, once.
    fn note_day(
        &mut self,
        conn: &Connection,
        sql: &Sql,
        day: i64,
        id: i64,
    ) -> Result<(), StoreError> {
        if self.days.contains(&day) {
            return Ok(());
        }
        conn.prepare_cached(sql.event_day_put)
            .and_then(|mut statement| statement.execute([day, id]))
            .at("event_day", day)?;
        if self.days.len() >= DAYS_HELD_MAX {
            self.days.clear();
        }
        self.days.insert(day);
        Ok(())
    }

    /// Writes some of the beginnings held, if they are many; `appended` events came in.
    pub(super) fn sweep(
        &mut self,
        conn: &Connection,
        sql: &Sql,
        appended: usize,
    ) -> Result<(), StoreError> {
        let is_due =
            self.held.len() >= self.held_min || self.last_id - self.mark >= self.behind_max;
        if appended == 0 || (self.sweep.is_none() && !is_due) {
            return Ok(());
        }
        self.touch();
        // What is written now takes the place of what was read.
        self.read.get_mut().clear();
        let sweep = self.sweep.take().unwrap_or(Sweep {
            began_at: self.last_id,
            after: None,
        });
        let from = match &sweep.after {
            Some(key) => Bound::Excluded(key.clone()),
            None => Bound::Unbounded,
        };
        let some: Vec<(Key, Head)> = self
            .held
            .range((from, Bound::Unbounded))
            .take(appended * HEADS_SWEPT_PER_EVENT)
            .map(|(key, head)| (key.clone(), *head))
            .collect();
        let mut statement = conn
            .prepare_cached(sql.event_head_put)
            .at("event_head", "")?;
        for ((contact, name), head) in &some {
            statement
                .execute(params![
                    contact_key(*contact),
                    name.as_str(),
                    head.last_id,
                    head.last_at
                ])
                .at("event_head", contact)?;
        }
        self.has_swept |= !some.is_empty();
        match some.last() {
            Some((key, _)) => {
                self.sweep = Some(Sweep {
                    after: Some(key.clone()),
                    ..sweep
                })
            }
            None => {
                conn.prepare_cached(sql.mark_put)
                    .and_then(|mut statement| statement.execute(params![MARK, sweep.began_at]))
                    .at("mark", MARK)?;
                self.mark = sweep.began_at;
            }
        }
        some.into_iter().for_each(|(key, _)| self.change(key, None));
        Ok(())
    }

    fn newest(&self, conn: &Connection, sql: &Sql, key: &Key) -> Result<Option<i64>, StoreError> {
        if let Some(head) = self.held.get(key) {
            return Ok(Some(head.last_id));
        }
        if let Some(known) = self.read.borrow().get(key) {
            return Ok(*known);
        }
        let found = conn
            .prepare_cached(sql.event_head_get)
            .and_then(|mut statement| {
                let key = params![contact_key(key.0), key.1.as_str()];
                statement.query_row(key, |row| row.get(0)).optional()
            })
            .at("event_head", key.0)?;
        self.read.borrow_mut().insert(key.clone(), found);
        Ok(found)
    }

    /// Events of a contact and name, the newest by arrival first, at most `limit`.
    pub(super) fn history(
        &self,
        conn: &Connection,
        sql: &Sql,
        contact: ContactId,
        name: &EventName,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        let mut next = self.newest(conn, sql, &(contact, name.clone()))?;
        let mut statement = conn.prepare_cached(sql.event_get).at("event", "")?;
        while let Some(id) = next.filter(|_| events.len() < limit) {
            let (previous, event) = statement
                .query_row([id], |row| {
                    Ok((row.get::<_, Option<i64>>(0)?, read_event(text(row, 1)?)))
                })
                .at("event", id)?;
            if previous.is_some_and(|previous| previous >= id) {
                return Err(unreadable("event", id, "its chain does not lead back"));
            }
            events.push(event.at("event", id)?);
            next = previous;
        }
        Ok(events)
    }

    /// The latest moment at which a contact did anything.
    pub(super) fn last_at(
        &self,
        conn: &Connection,
        sql: &Sql,
        contact: ContactId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let written: Option<i64> = conn
            .prepare_cached(sql.event_last_at)
            .and_then(|mut statement| statement.query_row([contact_key(contact)], |row| row.get(0)))
            .at("event_head", contact)?;
        let from = (contact, EventName::from(""));
        let held = self
            .held
            .range(from..)
            .take_while(|((owner, _), _)| *owner == contact)
            .map(|(_, head)| head.last_at)
            .max();
        let known = written.max(held).filter(|at| *at != NO_ACTIVITY);
        Ok(known.map(moment))
    }

    /// Empties events of a contact, at most `limit`; says which. What is left of a chain begins at the
    /// first that is not empty.
    pub(super) fn forget(
        &mut self,
        conn: &Connection,
        sql: &Sql,
        contact: ContactId,
        nothing: &str,
        limit: usize,
    ) -> Result<Vec<i64>, StoreError> {
        self.touch();
        self.read.get_mut().clear();
        let key = contact_key(contact);
        let mut chains: BTreeMap<EventName, i64> = conn
            .prepare_cached(sql.forget_event_heads)
            .and_then(|mut statement| {
                statement
                    .query_map([key], |row| {
                        Ok((EventName::from(text(row, 0)?), row.get(1)?))
                    })?
                    .collect()
            })
            .at("event_head", contact)?;
        let from = (contact, EventName::from(""));
        let held = self.held.range(from..);
        let held = held.take_while(|((owner, _), _)| *owner == contact);
        chains.extend(held.map(|((_, name), head)| (name.clone(), head.last_id)));
        let mut emptied = Vec::new();
        for (name, last_id) in chains {
            let mut next = Some(last_id);
            while let Some(id) = next.filter(|_| emptied.len() < limit) {
                let previous: Option<Option<i64>> = conn
                    .prepare_cached(sql.event_get)
                    .and_then(|mut statement| {
                        statement.query_row([id], |row| row.get(0)).optional()
                    })
                    .at("event", id)?;
                conn.prepare_cached(sql.forget_event)
                    .and_then(|mut statement| statement.execute(params![id, key, nothing]))
                    .at("event", id)?;
                emptied.push(id);
                next = previous.flatten().filter(|previous| *previous < id);
            }
            let place = (contact, name.clone());
            match next {
                Some(last_id) => {
                    let row = params![key, name.as_str(), last_id, NO_ACTIVITY];
                    conn.prepare_cached(sql.event_head_put)
                        .and_then(|mut statement| statement.execute(row))
                        .at("event_head", contact)?;
                    if let Some(head) = self.held.get(&place).copied() {
                        self.change(place, Some(Head { last_id, ..head }));
                    }
                }
                None => {
                    conn.prepare_cached(sql.forget_event_head)
                        .and_then(|mut statement| statement.execute(params![key, name.as_str()]))
                        .at("event_head", contact)?;
                    self.change(place, None);
                }
            }
            if emptied.len() >= limit {
                break;
            }
        }
        Ok(emptied)
    }

    pub(super) fn committed(&mut self) {
        self.has_swept = false;
        self.read.get_mut().clear();
        self.undo.heads.clear();
        self.undo.before = None;
    }

    pub(super) fn rolled_back(&mut self) {
        self.read.get_mut().clear();
        self.has_swept = false;
        for (key, head) in self.undo.heads.drain(..).rev() {
            match head {
                Some(head) => self.held.insert(key, head),
                None => self.held.remove(&key),
            };
        }
        if let Some((last_id, mark, sweep)) = self.undo.before.take() {
            self.last_id = last_id;
            self.mark = mark;
            self.sweep = sweep;
            // Those of the batch are gone from the file; the others are noted again for nothing.
            self.days.clear();
        }
    }
}
