//! Contacts, their runs and what happened to them.

use std::ops::ControlFlow;

use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::enrollment::Enrollment;
use relance_core::event::Event;
use relance_core::ids::{ContactId, EnrollmentId};
use relance_engine::ports::StoreError;
use relance_wire::stored::{read_contact, read_enrollment, read_event};
use rusqlite::{Row, params};

use super::history::walk_back;
use super::{PAGE_ROWS_MAX, Page, ReadError, Reader, limits, number, page};
use crate::sqlite::column::{contact_id, contact_key, text};
use crate::sqlite::error::{Located, unreadable};

/// An event of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// Its place in the log, which is the order of arrival.
    pub number: u64,
    /// The event.
    pub event: Event,
}

fn contact(row: &Row<'_>) -> Result<Contact, StoreError> {
    let id = contact_id(row, 0).at("contact", "")?;
    read_contact(id, text(row, 1).at("contact", id)?).at("contact", id)
}

fn enrollment(row: &Row<'_>) -> Result<Enrollment, StoreError> {
    let contact = contact_id(row, 0).at("enrollment", "")?;
    let number = row.get(1).at("enrollment of", contact)?;
    let id = EnrollmentId { contact, number };
    read_enrollment(id, text(row, 2).at("enrollment", id)?).at("enrollment", id)
}

impl Reader {
    /// Contacts, the newest first.
    pub fn contacts(&self, after: Option<&str>, limit: usize) -> Result<Page<Contact>, ReadError> {
        let (shown, asked) = limits(limit);
        let before = number(after, i64::MAX)?;
        let rows = self.rows(self.sql.contact_page, "contact", [before, asked], |row| {
            let contact = contact(row)?;
            let place = contact.id.0.to_string();
            Ok((contact, place))
        })?;
        Ok(page(rows, shown))
    }

    /// One contact.
    pub fn contact(&self, id: ContactId) -> Result<Option<Contact>, ReadError> {
        let key = [contact_key(id)];
        Ok(self
            .rows(self.sql.contact_one, "contact", key, contact)?
            .pop())
    }

    /// The contact of an identity.
    pub fn find_contact(&self, identity: &Identity) -> Result<Option<ContactId>, ReadError> {
        let key = params![identity.kind.word(), identity.value];
        let found = self.rows(self.sql.contact_of_identity, "identity", key, |row| {
            contact_id(row, 0).at("identity", identity.kind.word())
        });
        Ok(found?.pop())
    }

    /// The identities of a contact, at most [`PAGE_ROWS_MAX`].
    pub fn identities(&self, id: ContactId) -> Result<Vec<Identity>, ReadError> {
        let limit = i64::try_from(PAGE_ROWS_MAX).unwrap_or(i64::MAX);
        self.rows(
            self.sql.identity_page,
            "identity",
            [contact_key(id), limit],
            |row| {
                let word = text(row, 0).at("identity of", id)?;
                let kind = IdentityKind::BY_TRUST
                    .into_iter()
                    .find(|kind| kind.word() == word)
                    .ok_or_else(|| {
                        unreadable("identity of", id, format_args!("the kind {word:?}"))
                    })?;
                Ok(Identity {
                    kind,
                    value: row.get(1).at("identity of", id)?,
                })
            },
        )
    }

    /// Runs of a contact, live and past, the newest first.
    pub fn enrollments(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Enrollment>, ReadError> {
        let (shown, asked) = limits(limit);
        let key = [contact_key(contact), number(after, i64::MAX)?, asked];
        let rows = self.rows(self.sql.enrollment_page, "enrollment", key, |row| {
            let run = enrollment(row)?;
            let place = run.id.number.to_string();
            Ok((run, place))
        })?;
        Ok(page(rows, shown))
    }

    /// One run.
    pub fn enrollment(&self, id: EnrollmentId) -> Result<Option<Enrollment>, ReadError> {
        let key = params![contact_key(id.contact), id.number];
        Ok(self
            .rows(self.sql.enrollment_one, "enrollment", key, enrollment)?
            .pop())
    }

    /// Events of a contact, the last to arrive first. A page far back costs the way to it.
    pub fn events(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<LoggedEvent>, ReadError> {
        let (shown, _) = limits(limit);
        let before = number(after, i64::MAX)?;
        self.with(|conn| {
            let mut rows = Vec::new();
            walk_back(conn, &self.sql, contact, |id, body| {
                if id < before {
                    let event = read_event(body).at("event", id)?;
                    let number = id.unsigned_abs();
                    rows.push((LoggedEvent { number, event }, id.to_string()));
                }
                // One more than is shown tells whether there is another page.
                Ok(if rows.len() > shown {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })?;
            Ok(page(rows, shown))
        })
    }
}
