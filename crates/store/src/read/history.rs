//! What happened, read out of the log: of one contact over a period, and of all, one after another.
//!
//! The log lies in order of arrival and has no index. One contact's events are found along their chains;
//! everybody's are read once, in order, and sorted by contact beside the file. So a walk over all of it
//! costs two passes over what it reads, in memory that does not grow with it, and room for temporary files
//! of its size.
//!
//! **Absent:** snapshots and decisions: who replays makes them.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_event;
use rusqlite::{Connection, OptionalExtension};

use super::{ReadError, Reader};
use crate::sql::ReadSql;
use crate::sqlite::column::{contact_id, contact_key, day, text};
use crate::sqlite::error::{Located, unreadable};

/// Events of one contact that are told: the last to arrive. A contact with more is no person.
pub const CONTACT_EVENTS_MAX: usize = 100_000;

/// What happened to one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactHistory {
    /// To whom.
    pub contact: ContactId,
    /// What, in order of time; what happened at one moment, in order of arrival.
    pub events: Vec<Arc<Event>>,
    /// There were more than [`CONTACT_EVENTS_MAX`]; the first to arrive are left out.
    pub is_cut: bool,
}

/// Gathers the events of one contact as they arrived.
#[derive(Debug)]
struct Gathered {
    contact: ContactId,
    events: VecDeque<Arc<Event>>,
    most: usize,
    is_cut: bool,
}

impl Gathered {
    fn new(contact: ContactId, most: usize) -> Self {
        Self {
            contact,
            events: VecDeque::new(),
            most,
            is_cut: false,
        }
    }

    fn push(&mut self, event: Event) {
        if self.events.len() >= self.most {
            self.events.pop_front();
            self.is_cut = true;
        }
        self.events.push_back(event.into());
    }

    fn told(self) -> ContactHistory {
        let mut events = Vec::from(self.events);
        events.sort_by_key(|event| event.at);
        ContactHistory {
            contact: self.contact,
            events,
            is_cut: self.is_cut,
        }
    }
}

/// Goes back over the chains of a contact's events, the last to arrive first, until `visit` says stop.
pub(super) fn walk_back(
    conn: &Connection,
    sql: &ReadSql,
    contact: ContactId,
    mut visit: impl FnMut(i64, &str) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let key = contact_key(contact);
    // One moment of the database for all statements.
    let whole = conn.unchecked_transaction().at("event of", contact)?;
    let numbers = |sql: &'static str, of: &[i64]| -> rusqlite::Result<Vec<i64>> {
        let mut statement = whole.prepare_cached(sql)?;
        statement
            .query_map(rusqlite::params_from_iter(of), |row| row.get(0))?
            .collect()
    };
    let mark = numbers(sql.event_mark, &[]).at("mark", "event_head")?;
    let mark = mark.first().copied().unwrap_or(0);
    // Beginnings that are written, events behind the mark, and from each the way back.
    let mut open: BTreeSet<i64> = numbers(sql.event_heads_of, &[key])
        .at("event_head", contact)?
        .into_iter()
        .collect();
    open.extend(numbers(sql.event_tail_of, &[mark, key]).at("event of", contact)?);
    let mut statement = whole.prepare_cached(sql.event_one).at("event", "")?;
    while let Some(id) = open.pop_last() {
        let found = statement
            .query_row([id], |row| {
                let previous: Option<i64> = row.get(1)?;
                let goes_back = previous.is_none_or(|previous| previous < id);
                if contact_id(row, 0)? != contact || !goes_back {
                    return Ok(None);
                }
                Ok(Some((previous, visit(id, text(row, 2)?))))
            })
            .optional()
            .at("event", id)?;
        let Some(found) = found else {
            return Err(unreadable(
                "event",
                id,
                "a chain leads to it but it is gone",
            ));
        };
        let Some((previous, flow)) = found else {
            return Err(unreadable("event", id, "its chain does not lead back"));
        };
        if flow?.is_break() {
            break;
        }
        open.extend(previous);
    }
    Ok(())
}

impl Reader {
    /// What happened to a contact from one moment on, before another.
    pub fn events_between(
        &self,
        contact: ContactId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<ContactHistory, ReadError> {
        self.with(|conn| {
            let first = self.first_since(conn, from)?;
            let mut events: Vec<Arc<Event>> = Vec::new();
            let mut is_cut = false;
            walk_back(conn, &self.sql, contact, |id, body| {
                if id < first {
                    return Ok(ControlFlow::Break(()));
                }
                let event = read_event(body).at("event", id)?;
                if event.at < from || event.at >= until {
                    return Ok(ControlFlow::Continue(()));
                }
                if events.len() >= CONTACT_EVENTS_MAX {
                    is_cut = true;
                    return Ok(ControlFlow::Break(()));
                }
                events.push(event.into());
                Ok(ControlFlow::Continue(()))
            })?;
            events.reverse();
            events.sort_by_key(|event| event.at);
            Ok(ContactHistory {
                contact,
                events,
                is_cut,
            })
        })
    }

    /// How many events [`history`](Self::history) reads for a moment: at least as many as it tells.
    pub fn history_events(&self, since: Timestamp) -> Result<u64, ReadError> {
        self.with(|conn| {
            let first = self.first_since(conn, since)?;
            let last = self.last_event(conn)?;
            Ok(u64::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0))
        })
    }

    /// What happened since a moment, contact after contact in order of id, until `visit` says stop.
    /// Contacts to whom nothing happened are left out. What arrives meanwhile is not told. The writer goes
    /// on beside it, but cannot shorten its write-ahead log until the walk ends.
    pub fn history(
        &self,
        since: Timestamp,
        visit: impl FnMut(ContactHistory) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.walk(since, CONTACT_EVENTS_MAX, visit)
    }

    /// [`history`](Self::history) with another limit, for tests.
    pub(super) fn walk(
        &self,
        since: Timestamp,
        most: usize,
        mut visit: impl FnMut(ContactHistory) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.with(|conn| {
            let first = self.first_since(conn, since)?;
            let last = self.last_event(conn)?;
            let mut statement = conn
                .prepare_cached(self.sql.history_walk)
                .at("event", "in order")?;
            let mut rows = statement.query([first, last]).at("event", "in order")?;
            let mut open: Option<Gathered> = None;
            while let Some(row) = rows.next().at("event", "in order")? {
                let contact = contact_id(row, 0).at("event", "in order")?;
                let id: i64 = row.get(1).at("event of", contact)?;
                let event = read_event(text(row, 2).at("event", id)?).at("event", id)?;
                if event.at < since {
                    continue;
                }
                if let Some(whole) = open.take_if(|gathered| gathered.contact != contact)
                    && visit(whole.told()).is_break()
                {
                    return Ok(());
                }
                open.get_or_insert_with(|| Gathered::new(contact, most))
                    .push(event);
            }
            if let Some(whole) = open {
                // Nothing is left that a stop could stop.
                let _last = visit(whole.told());
            }
            Ok(())
        })
    }

    /// The first event that may have happened at a moment or after it. An event's place follows from its
    /// arrival, its moment from its source; where each day begins is noted when it begins.
    fn first_since(&self, conn: &Connection, since: Timestamp) -> Result<i64, StoreError> {
        if since <= Timestamp::UNIX_EPOCH {
            return Ok(0);
        }
        let first: Option<i64> = conn
            .prepare_cached(self.sql.history_from)
            .and_then(|mut statement| statement.query_row([day(since)], |row| row.get(0)))
            .at("event_day", "")?;
        Ok(first.unwrap_or(i64::MAX))
    }

    fn last_event(&self, conn: &Connection) -> Result<i64, StoreError> {
        let last: Option<i64> = conn
            .prepare_cached(self.sql.history_last)
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .at("event", "")?;
        Ok(last.unwrap_or(0))
    }
}
