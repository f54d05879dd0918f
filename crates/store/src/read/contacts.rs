//! Contacts, their runs and what happened to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::enrollment::Enrollment;
use relance_core::event::Event;
use relance_core::ids::{ContactId, EnrollmentId};
use relance_engine::ports::StoreError;
use relance_wire::stored::{read_contact, read_enrollment, read_event};

use super::db::{Row, Value, values};
use super::history::walk_back;
use super::{PAGE_ROWS_MAX, Page, ReadError, Reader, limits, number, page};
use crate::sqlite::error::{Located, unreadable};

/// An event of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// Its place in the log, which is the order of arrival.
    pub number: u64,
    /// The event.
    pub event: Event,
}

pub(super) fn contact(row: Row<'_>) -> Result<Contact, StoreError> {
    let id = row.contact(0).at("contact", "")?;
    read_contact(id, row.text(1).at("contact", id)?).at("contact", id)
}

fn enrollment(row: Row<'_>) -> Result<Enrollment, StoreError> {
    let contact = row.contact(0).at("enrollment", "")?;
    let number = row.small(1).at("enrollment of", contact)?;
    let id = EnrollmentId { contact, number };
    read_enrollment(id, row.text(2).at("enrollment", id)?).at("enrollment", id)
}

impl Reader {
    /// Contacts, the newest first.
    pub fn contacts(&self, after: Option<&str>, limit: usize) -> Result<Page<Contact>, ReadError> {
        let (shown, asked) = limits(limit);
        let before = number(after, i64::MAX)?;
        let rows = self.rows(
            self.sql.contact_page,
            "contact",
            values![before, asked],
            |row| {
                let contact = contact(row)?;
                let place = contact.id.0.to_string();
                Ok((contact, place))
            },
        )?;
        let mut page = page(rows, shown);
        self.with(|conn| Ok(self.give_accounts(conn, &mut page.items)?))?;
        Ok(page)
    }

    /// One contact.
    pub fn contact(&self, id: ContactId) -> Result<Option<Contact>, ReadError> {
        let mut found = self.one(self.sql.contact_one, "contact", values![id], contact)?;
        if found.as_ref().is_some_and(|one| one.account.is_some()) {
            self.with(|conn| Ok(self.give_accounts(conn, &mut found)?))?;
        }
        Ok(found)
    }

    /// The contact of an identity.
    pub fn find_contact(&self, identity: &Identity) -> Result<Option<ContactId>, ReadError> {
        let kind = identity.kind.word();
        let key = values![kind, Value::Key(&identity.value)];
        self.one(self.sql.contact_of_identity, "identity", key, |row| {
            row.contact(0).at("identity", kind)
        })
    }

    /// The contacts of identities, in order, all as of one moment.
    pub fn find_contacts(
        &self,
        identities: &[&Identity],
    ) -> Result<Vec<Option<ContactId>>, ReadError> {
        let keys: Vec<[Value<'_>; 2]> = identities
            .iter()
            .map(|one| [Value::Word(one.kind.word()), Value::Key(&one.value)])
            .collect();
        self.snapshot(|conn| {
            let sql = self.sql.contact_of_identity;
            Ok(conn.first_of_each(sql, "identity", &keys, |row| {
                row.contact(0).at("identity", "")
            })?)
        })
    }

    /// Contacts by their ids, all as of one moment; those that do not exist are left out.
    pub fn contacts_of(
        &self,
        ids: &BTreeSet<ContactId>,
    ) -> Result<BTreeMap<ContactId, Contact>, ReadError> {
        self.snapshot(|conn| {
            let mut found = BTreeMap::new();
            for id in ids {
                let one = conn.one(self.sql.contact_one, "contact", values![*id], contact)?;
                found.extend(one.map(|contact| (*id, contact)));
            }
            self.give_accounts(conn, found.values_mut())?;
            Ok(found)
        })
    }

    /// The identities of a contact, at most [`PAGE_ROWS_MAX`].
    pub fn identities(&self, id: ContactId) -> Result<Vec<Identity>, ReadError> {
        let limit = i64::try_from(PAGE_ROWS_MAX).unwrap_or(i64::MAX);
        self.rows(
            self.sql.identity_page,
            "identity",
            values![id, limit],
            |row| {
                let word = row.text(0).at("identity of", id)?;
                let kind = IdentityKind::BY_TRUST
                    .into_iter()
                    .find(|kind| kind.word() == word)
                    .ok_or_else(|| {
                        unreadable("identity of", id, format_args!("the kind {word:?}"))
                    })?;
                Ok(Identity {
                    kind,
                    value: row.text(1).at("identity of", id)?.to_owned(),
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
        let key = values![contact, number(after, i64::MAX)?, asked];
        let rows = self.rows(self.sql.enrollment_page, "enrollment", key, |row| {
            let run = enrollment(row)?;
            let place = run.id.number.to_string();
            Ok((run, place))
        })?;
        Ok(page(rows, shown))
    }

    /// One run.
    pub fn enrollment(&self, id: EnrollmentId) -> Result<Option<Enrollment>, ReadError> {
        let key = values![id.contact, id.number];
        self.one(self.sql.enrollment_one, "enrollment", key, enrollment)
    }

    /// Events of a contact, the last to arrive first. A page far back costs the way to it.
    pub fn events(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<LoggedEvent>, ReadError> {
        let (shown, asked) = limits(limit);
        let range = (i64::MIN, number(after, i64::MAX)?);
        self.with(|conn| {
            let mut rows = Vec::new();
            walk_back(conn, &self.sql, contact, range, asked, |id, body| {
                let event = read_event(body).at("event", id)?;
                let number = id.unsigned_abs();
                rows.push((LoggedEvent { number, event }, id.to_string()));
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(page(rows, shown))
        })
    }
}
