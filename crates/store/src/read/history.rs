//! What happened, read out of the log: of one contact over a period, and of all, one after another.
//!
//! The log lies in order of arrival and has no index. One contact's events are found along their chains;
//! everybody's are read once, in order, and sorted by contact beside the file. So a walk over all of it
//! costs two passes over what it reads, in memory that does not grow with it, and room for temporary files
//! of its size.
//!
//! **Absent:** snapshots and decisions: who replays makes them.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_event;

use super::db::{Conn, values};
use super::{ReadError, Reader};
use crate::sql::ReadSql;
use crate::sqlite::column::day;
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

/// Goes back over a contact's events from one place to before another, the last to arrive first, until
/// `visit` says stop.
pub(super) fn walk_back(
    conn: &mut Conn,
    sql: &ReadSql,
    contact: ContactId,
    (from, before): (i64, i64),
    limit: i64,
    mut visit: impl FnMut(i64, &str) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let key = values![contact, from, before, limit];
    let mut later = i64::MAX;
    conn.each(sql.event_of_contact, "event of", key, |row| {
        let id = row.int(0).at("event of", contact)?;
        let Some(body) = row.text_or_null(2).at("event", id)? else {
            return Err(unreadable(
                "event",
                id,
                "a chain leads to it but it is gone or another's",
            ));
        };
        let previous = row.int_or_null(1).at("event", id)?;
        if id >= later || previous.is_some_and(|previous| previous >= id) {
            return Err(unreadable("event", id, "its chain does not lead back"));
        }
        later = id;
        visit(id, body)
    })
}

impl Reader {
    /// What happened to a contact from one moment on, before another.
    pub fn events_between(
        &self,
        contact: ContactId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<ContactHistory, ReadError> {
        self.snapshot(|conn| {
            let first = self.first_since(conn, from)?;
            let mut events: Vec<Arc<Event>> = Vec::new();
            let mut is_cut = false;
            let all = (first, i64::MAX);
            walk_back(conn, &self.sql, contact, all, i64::MAX, |id, body| {
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
        self.snapshot(|conn| {
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
        self.snapshot(|conn| {
            conn.unhurried()?;
            let first = self.first_since(conn, since)?;
            let last = self.last_event(conn)?;
            let mut open: Option<Gathered> = None;
            let mut is_over = false;
            conn.each(
                self.sql.history_walk,
                "event",
                values![first, last],
                |row| {
                    let contact = row.contact(0).at("event", "in order")?;
                    let id = row.int(1).at("event of", contact)?;
                    let event = read_event(row.text(2).at("event", id)?).at("event", id)?;
                    if event.at < since {
                        return Ok(ControlFlow::Continue(()));
                    }
                    if let Some(whole) = open.take_if(|gathered| gathered.contact != contact)
                        && visit(whole.told()).is_break()
                    {
                        is_over = true;
                        return Ok(ControlFlow::Break(()));
                    }
                    open.get_or_insert_with(|| Gathered::new(contact, most))
                        .push(event);
                    Ok(ControlFlow::Continue(()))
                },
            )?;
            if is_over {
                return Ok(());
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
    fn first_since(&self, conn: &mut Conn, since: Timestamp) -> Result<i64, StoreError> {
        if since <= Timestamp::UNIX_EPOCH {
            return Ok(0);
        }
        let key = values![day(since)];
        let first = conn.one(self.sql.history_from, "event_day", key, |row| {
            row.int_or_null(0).at("event_day", "")
        })?;
        Ok(first.flatten().unwrap_or(i64::MAX))
    }

    fn last_event(&self, conn: &mut Conn) -> Result<i64, StoreError> {
        let last = conn.one(self.sql.history_last, "event", values![], |row| {
            row.int_or_null(0).at("event", "")
        })?;
        Ok(last.flatten().unwrap_or(0))
    }
}
