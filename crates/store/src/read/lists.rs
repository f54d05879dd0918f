//! Lists over all contacts: messages by state, objects of a kind, tasks.

use relance_core::ids::{ContactId, ObjectKind, SubjectRef, TouchpointId};
use relance_core::subject::Object;
use relance_core::touchpoint::{Task, Touchpoint};
use relance_engine::ports::StoreError;
use relance_wire::stored::{read_object, read_task, read_touchpoint};

use super::db::{Row, Value, values};
use super::{Page, Place, ReadError, Reader, limits, number, page, wrong};
use crate::sqlite::column::contact_key;
use crate::sqlite::error::Located;
use crate::sqlite::state;

/// Which messages are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TouchpointList {
    /// Waiting for a person, those that lapse soonest first.
    AwaitingApproval,
    /// Held, those that are looked at soonest first.
    Held,
    /// Taken by the next system, the latest first.
    Accepted,
    /// Refused for good, the latest first.
    RefusedHard,
    /// Given up after refusals for now, the latest first.
    RefusedSoft,
    /// Could not be rendered, the latest first.
    TemplateFailed,
    /// The channel was not set up, the latest first.
    ChannelNotConfigured,
    /// Called back, the latest first.
    Withdrawn,
    /// Dropped by the gate, the latest first.
    Dropped,
    /// Calls that nobody took, the latest first.
    Missed,
    /// Of unknown fate, the latest first.
    Unknown,
}

impl TouchpointList {
    const fn state(self) -> i64 {
        match self {
            Self::AwaitingApproval => state::AWAITING_APPROVAL,
            Self::Held => state::HELD,
            Self::Accepted => state::ACCEPTED,
            Self::RefusedHard => state::REFUSED_HARD,
            Self::RefusedSoft => state::REFUSED_SOFT,
            Self::TemplateFailed => state::TEMPLATE_FAILED,
            Self::ChannelNotConfigured => state::CHANNEL_NOT_CONFIGURED,
            Self::Withdrawn => state::WITHDRAWN,
            Self::Dropped => state::DROPPED,
            Self::Missed => state::MISSED,
            Self::Unknown => state::UNKNOWN,
        }
    }

    const fn is_waiting(self) -> bool {
        match self {
            Self::AwaitingApproval | Self::Held => true,
            Self::Accepted
            | Self::RefusedHard
            | Self::RefusedSoft
            | Self::TemplateFailed
            | Self::ChannelNotConfigured
            | Self::Withdrawn
            | Self::Dropped
            | Self::Missed
            | Self::Unknown => false,
        }
    }
}

/// An object and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectOf {
    /// Whose.
    pub contact: ContactId,
    /// The object.
    pub object: Object,
}

/// The key of a row that begins with contact and hash, and its place by the moment in the third column.
fn key(row: Row<'_>, table: &str) -> Result<(TouchpointId, Place), StoreError> {
    let contact = row.contact(0).at(table, "")?;
    let id = TouchpointId {
        contact,
        hash: row.hash(1).at(table, contact)?,
    };
    let at = row.int(2).at(table, id)?;
    Ok((
        id,
        Place {
            at,
            contact: contact_key(contact),
            hash: id.hash.cast_signed(),
        },
    ))
}

fn touchpoint(row: Row<'_>) -> Result<(Touchpoint, Place), StoreError> {
    let (id, place) = key(row, "touchpoint")?;
    let body = row.text(3).at("touchpoint", id)?;
    Ok((read_touchpoint(id, body).at("touchpoint", id)?, place))
}

fn task(row: Row<'_>) -> Result<(Task, Place), StoreError> {
    let (id, place) = key(row, "task")?;
    let body = row.text(3).at("task", id)?;
    Ok((read_task(id, body).at("task", id)?, place))
}

pub(super) fn object(row: Row<'_>) -> Result<(ObjectOf, i64), StoreError> {
    let contact = row.contact(0).at("object", "")?;
    let kind = ObjectKind::from(row.text(1).at("object of", contact)?);
    let subject = SubjectRef {
        kind,
        id: row.text(2).at("object of", contact)?.into(),
    };
    let updated_at = row.int(3).at("object of", contact)?;
    let object = read_object(subject, row.text(4).at("object of", contact)?);
    Ok((
        ObjectOf {
            contact,
            object: object.at("object of", contact)?,
        },
        updated_at,
    ))
}

impl Reader {
    /// Messages in a state, of all contacts.
    pub fn touchpoints(
        &self,
        list: TouchpointList,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Touchpoint>, ReadError> {
        let (shown, asked) = limits(limit);
        let (sql, start) = if list.is_waiting() {
            (self.sql.touchpoint_soonest, Place::FIRST)
        } else {
            (self.sql.touchpoint_newest, Place::LAST)
        };
        let from = Place::parse(after, start)?;
        let key = values![list.state(), from.at, from.contact, from.hash, asked];
        let rows = self.rows(sql, "touchpoint", key, |row| {
            touchpoint(row).map(|(one, place)| (one, place.text()))
        })?;
        Ok(page(rows, shown))
    }

    /// One message.
    pub fn touchpoint(&self, id: TouchpointId) -> Result<Option<Touchpoint>, ReadError> {
        let key = values![id.contact, id.hash.cast_signed()];
        let found = self.one(self.sql.touchpoint_one, "touchpoint", key, touchpoint)?;
        Ok(found.map(|(one, _)| one))
    }

    /// Messages of a contact, in no order that means anything.
    pub fn touchpoints_of_contact(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Touchpoint>, ReadError> {
        let (shown, asked) = limits(limit);
        let key = values![contact, number(after, i64::MIN)?, asked];
        let rows = self.rows(self.sql.touchpoint_of_contact, "touchpoint", key, |row| {
            touchpoint(row).map(|(one, place)| (one, place.hash.to_string()))
        })?;
        Ok(page(rows, shown))
    }

    /// Objects of a kind, of all contacts, the last changed first: the registry of documents.
    pub fn objects(
        &self,
        kind: &ObjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectOf>, ReadError> {
        let (shown, asked) = limits(limit);
        let (at, contact, id): (i64, i64, &str) = match after {
            None => (i64::MAX, i64::MAX, ""),
            Some(cursor) => {
                let mut parts = cursor.splitn(3, '.');
                let mut next = || parts.next().ok_or_else(|| wrong(cursor));
                let at = next()?.parse().map_err(|_| wrong(cursor))?;
                let contact = next()?.parse().map_err(|_| wrong(cursor))?;
                (at, contact, next()?)
            }
        };
        let key = values![
            Value::Word(kind.as_str()),
            at,
            contact,
            Value::Key(id),
            asked
        ];
        let rows = self.rows(self.sql.object_page, "object", key, |row| {
            let (found, updated_at) = object(row)?;
            let place = format!(
                "{updated_at}.{}.{}",
                contact_key(found.contact),
                found.object.subject.id
            );
            Ok((found, place))
        })?;
        Ok(page(rows, shown))
    }

    /// One object.
    pub fn object(
        &self,
        contact: ContactId,
        subject: &SubjectRef,
    ) -> Result<Option<Object>, ReadError> {
        let key = values![
            contact,
            Value::Word(subject.kind.as_str()),
            Value::Key(&subject.id)
        ];
        let found = self.one(self.sql.object_one, "object", key, object)?;
        Ok(found.map(|(found, _)| found.object))
    }

    /// Objects of a contact, by kind and id.
    pub fn objects_of_contact(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Object>, ReadError> {
        let (shown, asked) = limits(limit);
        // Kinds hold no control characters, so this one parts kind and id.
        let (kind, id) = match after {
            None => ("", ""),
            Some(cursor) => cursor.split_once('\u{1f}').ok_or_else(|| wrong(cursor))?,
        };
        let key = values![contact, Value::Word(kind), Value::Key(id), asked];
        let rows = self.rows(self.sql.object_of_contact, "object", key, |row| {
            let (found, _) = object(row)?;
            let subject = &found.object.subject;
            let place = format!("{}\u{1f}{}", subject.kind, subject.id);
            Ok((found.object, place))
        })?;
        Ok(page(rows, shown))
    }

    /// Tasks of all contacts, the newest first.
    pub fn tasks(&self, after: Option<&str>, limit: usize) -> Result<Page<Task>, ReadError> {
        let (shown, asked) = limits(limit);
        let from = Place::parse(after, Place::LAST)?;
        let key = values![from.at, from.contact, from.hash, asked];
        let rows = self.rows(self.sql.task_page, "task", key, |row| {
            task(row).map(|(one, place)| (one, place.text()))
        })?;
        Ok(page(rows, shown))
    }

    /// Tasks of a contact, in no order that means anything.
    pub fn tasks_of_contact(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Task>, ReadError> {
        let (shown, asked) = limits(limit);
        let key = values![contact, number(after, i64::MIN)?, asked];
        let rows = self.rows(self.sql.task_of_contact, "task", key, |row| {
            task(row).map(|(one, place)| (one, place.hash.to_string()))
        })?;
        Ok(page(rows, shown))
    }
}
