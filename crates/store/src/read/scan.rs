//! Contacts with what a condition asks of them, as the store loads them for a decision: for counting who
//! would belong to a segment while somebody edits it.
//!
//! It reads a page of contacts at a time, so that the writer can shorten its log in between. What a page
//! costs grows with what the condition looks back over.
//!
//! **Absent:** runs, messages and watches, which no segment asks for; and deciding.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use relance_core::Snapshot;
use relance_core::contact::Contact;
use relance_core::event::{Event, HISTORY_EVENTS_MAX, History};
use relance_core::ids::{ContactId, EventName, SegmentId};
use relance_core::segment::Membership;
use relance_core::world::Needs;
use relance_engine::ports::StoreError;
use relance_wire::stored::{read_contact, read_event};

use super::db::{Conn, values};
use super::{PAGE_ROWS_MAX, ReadError, Reader};
use crate::sqlite::column::contact_key;
use crate::sqlite::error::Located;
use crate::sqlite::gather::{Gathered, gather};

/// Objects of one kind that a condition sees of a contact: the newest ones.
const OBJECTS_OF_KIND_MAX: usize = 500;
/// Events that are looked through for the last activity.
const LAST_EVENTS_MAX: usize = 50;

/// Reads contacts with what `needs` asks of each.
#[derive(Debug)]
pub struct Scanner<'r> {
    reader: &'r Reader,
    needs: Needs,
    /// The segments asked for, by the number that stands for them.
    segments: BTreeMap<i64, SegmentId>,
    /// The same numbers.
    numbers: Vec<i64>,
    /// Events that are not yet noted where chains begin, by contact.
    tail: BTreeMap<ContactId, Vec<i64>>,
    /// The names asked for, as a JSON list.
    names: String,
    /// What contacts did, where that was gathered.
    gathered: Option<Gathered>,
}

impl Reader {
    /// Reads contacts with what `needs` asks of each; entries are left out.
    pub fn scanner(&self, needs: Needs) -> Result<Scanner<'_>, ReadError> {
        let mut segments = BTreeMap::new();
        if !needs.segments.is_empty() {
            for row in self.segments()? {
                if needs.segments.contains(&row.id) {
                    segments.insert(row.number, row.id);
                }
            }
        }
        let mut tail: BTreeMap<ContactId, Vec<i64>> = BTreeMap::new();
        if !needs.history.is_empty() {
            self.with(|conn| {
                conn.each(self.sql.event_tail, "event", values![], |row| {
                    let contact = row.contact(0).at("event", "after the mark")?;
                    let id = row.int(1).at("event of", contact)?;
                    tail.entry(contact).or_default().push(id);
                    Ok(ControlFlow::Continue(()))
                })?;
                Ok(())
            })?;
        }
        let names: Vec<&str> = needs.history.iter().map(EventName::as_str).collect();
        Ok(Scanner {
            reader: self,
            numbers: segments.keys().copied().collect(),
            segments,
            tail,
            names: relance_core::value::Value::from(names).to_string(),
            needs,
            gathered: None,
        })
    }

    /// The first and the last contact there is.
    pub fn contact_bounds(&self) -> Result<Option<(ContactId, ContactId)>, ReadError> {
        self.snapshot(|conn| {
            let id = |row: super::db::Row<'_>| row.contact(0).at("contact", "");
            let first = conn.one(self.sql.contact_from, "contact", values![0, 1], id)?;
            let last = values![i64::MAX, 1];
            let last = conn.one(self.sql.contact_page, "contact", last, id)?;
            Ok(first.zip(last))
        })
    }
}

impl Scanner<'_> {
    /// Gathers what contacts did, of the names asked, so that it need not be looked up for each: without properties,
    /// which is enough where only their moments count. Does nothing where `is_late` says so before the end, and for a
    /// workspace on a server: a look at each contact is as exact.
    pub fn gather(&mut self, is_late: &dyn Fn() -> bool) -> Result<(), ReadError> {
        if self.needs.history.is_empty() {
            return Ok(());
        }
        let names = &self.needs.history;
        self.gathered = self.reader.snapshot(|conn| match conn {
            Conn::Sqlite(conn) => Ok(gather(conn, names, is_late)?),
            Conn::Postgres(_) => Ok(None),
        })?;
        Ok(())
    }

    /// How often contacts were left out by half of what was gathered; `None` where nothing was.
    pub fn halvings(&self) -> Option<u32> {
        self.gathered.as_ref().map(Gathered::halvings)
    }

    /// Whether what a contact of this id did, if there is one, was gathered.
    pub fn has(&self, id: ContactId) -> bool {
        self.gathered
            .as_ref()
            .is_some_and(|gathered| gathered.has(id))
    }

    /// Contacts in order of id, beginning with the first at `from` or behind it, at most `limit` and at most
    /// [`PAGE_ROWS_MAX`]. Fewer than asked: there are no more.
    pub fn page(&self, from: ContactId, limit: usize) -> Result<Vec<Snapshot>, ReadError> {
        let limit = i64::try_from(limit.clamp(1, PAGE_ROWS_MAX)).unwrap_or(i64::MAX);
        self.reader.snapshot(|conn| {
            let key = values![from, limit];
            let sql = self.reader.sql.contact_from;
            let mut contacts: Vec<Contact> = conn.rows(sql, "contact", key, |row| {
                let id = row.contact(0).at("contact", "")?;
                read_contact(id, row.text(1).at("contact", id)?).at("contact", id)
            })?;
            self.reader.give_accounts(conn, &mut contacts)?;
            let mut snapshots = Vec::with_capacity(contacts.len());
            for contact in contacts {
                snapshots.push(self.load(conn, contact)?);
            }
            Ok(snapshots)
        })
    }

    /// One contact.
    pub fn one(&self, id: ContactId) -> Result<Option<Snapshot>, ReadError> {
        self.reader.snapshot(|conn| {
            let sql = self.reader.sql.contact_one;
            let mut contact = conn.one(sql, "contact", values![id], |row| {
                read_contact(id, row.text(1).at("contact", id)?).at("contact", id)
            })?;
            self.reader.give_accounts(conn, &mut contact)?;
            let loaded = contact.map(|contact| self.load(conn, contact));
            Ok(loaded.transpose()?)
        })
    }

    /// Contacts that ever did something of a name, each once, until `visit` says stop. Takes a page at a time.
    pub fn each_having(
        &self,
        name: &EventName,
        mut visit: impl FnMut(Snapshot) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        // What is not noted where chains begin may be of any name.
        for id in self.tail.keys() {
            if let Some(snapshot) = self.one(*id)?
                && snapshot.history.of(name).next().is_some()
                && visit(snapshot).is_break()
            {
                return Ok(());
            }
        }
        let most = i64::try_from(PAGE_ROWS_MAX).unwrap_or(i64::MAX);
        let (mut part, mut after) = (0, i64::MIN);
        loop {
            let key = values![name.as_str(), part, after, most];
            let sql = self.reader.sql.event_name_contacts;
            let rows = self.reader.rows(sql, "event_head", key, |row| {
                let id = row.contact(1).at("event_head", "")?;
                Ok((row.int(0).at("event_head", id)?, id))
            })?;
            let Some((last_part, last)) = rows.last().copied() else {
                return Ok(());
            };
            (part, after) = (last_part, contact_key(last));
            for (_, id) in rows {
                if !self.tail.contains_key(&id)
                    && let Some(snapshot) = self.one(id)?
                    && visit(snapshot).is_break()
                {
                    return Ok(());
                }
            }
        }
    }

    fn load(&self, conn: &mut Conn, contact: Contact) -> Result<Snapshot, StoreError> {
        let id = contact.id;
        let sql = &self.reader.sql;
        let mut snapshot = Snapshot::new(contact);
        if !self.numbers.is_empty() {
            let key = values![id, self.numbers.as_slice()];
            conn.each(sql.member_of_numbers, "member of", key, |row| {
                let number = row.int(0).at("member of", id)?;
                let due = row.int_or_null(2).at("member of", id)?;
                let due = due.map(|_| row.moment(2).at("member of", id)).transpose()?;
                let member = row.flag(1).at("member of", id)?;
                if let Some(segment) = self.segments.get(&number) {
                    let standing = Membership { member, due };
                    snapshot.memberships.insert(segment.clone(), standing);
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        for kind in &self.needs.kinds {
            let mut objects = Vec::new();
            let most = i64::try_from(PAGE_ROWS_MAX).unwrap_or(i64::MAX);
            let key = values![id, kind.as_str(), "", most];
            conn.each(sql.object_of_contact, "object of", key, |row| {
                let object = super::lists::object(row)?.0.object;
                if object.subject.kind != *kind {
                    return Ok(ControlFlow::Break(()));
                }
                objects.push(object);
                Ok(ControlFlow::Continue(()))
            })?;
            objects.sort_by_key(|object| std::cmp::Reverse(object.updated_at));
            objects.truncate(OBJECTS_OF_KIND_MAX);
            let keyed = objects.into_iter().map(|one| (one.subject.clone(), one));
            snapshot.objects.extend(keyed);
        }
        if !self.needs.history.is_empty() {
            let gathered = self.gathered.as_ref();
            // The past of whoever absorbed others lies under several contacts.
            let is_alone = snapshot.contact.absorbed.is_empty();
            snapshot.history = match gathered.filter(|all| is_alone && all.has(id)) {
                Some(gathered) => gathered.history(id),
                None => self.history(conn, id)?,
            };
        }
        if self.needs.last_event {
            let mut seen = 0;
            let all = (i64::MIN, i64::MAX);
            super::history::walk_back(conn, sql, id, all, i64::MAX, |number, body| {
                let event = read_event(body).at("event", number)?;
                seen += 1;
                if event.is_activity() {
                    snapshot.last_event_at = snapshot.last_event_at.max(Some(event.at));
                }
                Ok(if seen == LAST_EVENTS_MAX {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })?;
        }
        Ok(snapshot)
    }

    /// The newest events of the names asked.
    fn history(&self, conn: &mut Conn, id: ContactId) -> Result<History, StoreError> {
        let sql = &self.reader.sql;
        let mut begins = self.tail.get(&id).cloned().unwrap_or_default();
        conn.each(sql.event_heads, "event_head", values![id], |row| {
            let name = row.text(0).at("event_head", id)?;
            if self.needs.history.iter().any(|one| one.as_str() == name) {
                begins.push(row.int(1).at("event_head", id)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if begins.is_empty() {
            return Ok(History::default());
        }
        let most = i64::try_from(HISTORY_EVENTS_MAX).unwrap_or(i64::MAX);
        let key = values![id, begins.as_slice(), self.names.as_str(), most];
        let mut events: Vec<Arc<Event>> = Vec::new();
        conn.each(sql.event_chains, "event of", key, |row| {
            let number = row.int(0).at("event of", id)?;
            let body = row.text(1).at("event", number)?;
            events.push(read_event(body).at("event", number)?.into());
            Ok(ControlFlow::Continue(()))
        })?;
        // Oldest first, so that events of one moment stay in order of arrival.
        events.reverse();
        Ok(History::new(events))
    }
}
