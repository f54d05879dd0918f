//! Contacts: found by identity, created, loaded with what may matter to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::enrollment::Entry;
use relance_core::event::{Event, HISTORY_EVENTS_MAX, History};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, ObjectKind, SubjectRef, TouchpointId};
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;
use relance_engine::ports::StoreError;
use relance_wire::stored::{
    contact_text, read_contact, read_enrollment, read_object, read_touchpoint, read_watch,
};
use rusqlite::{OptionalExtension, Params, params};

use super::column::{contact_id, contact_key, hash, moment, subject, text};
use super::error::Located;
use super::tally::totals;
use super::{SqliteStore, limit_column};

/// Earlier entries of a contact into one journey that are looked back over: the latest.
pub const ENTRIES_MAX: usize = 1_000;
/// Objects of one kind that are looked at where all of a contact's are asked for: the last changed.
pub const OBJECTS_OF_KIND_MAX: usize = 500;

/// Where a page of contacts begins; a number that no contact has lies behind all of them.
pub(super) fn after_column(after: Option<ContactId>) -> i64 {
    after.map_or(i64::MIN, |id| i64::try_from(id.0).unwrap_or(i64::MAX))
}

/// The contacts whose past is a contact's own: itself, and whom it absorbed.
fn pasts(snapshot: &Snapshot) -> Vec<ContactId> {
    let contact = &snapshot.contact;
    std::iter::once(contact.id)
        .chain(contact.absorbed.iter().copied())
        .collect()
}

/// What was told to two contacts that are one now happened once. Leaves the rest newest first.
fn without_echoes(events: &mut Vec<Event>) {
    let mut known = BTreeSet::new();
    events.retain(|event| match &event.message_id {
        Some(id) => known.insert(id.clone()),
        None => true,
    });
    // Stable: of one moment, what arrived last stays first.
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
}

impl SqliteStore {
    pub(super) fn resolve_contact(
        &mut self,
        identities: &[Identity],
        now: Timestamp,
    ) -> Result<ContactId, StoreError> {
        let mut known = None;
        let mut unbound = Vec::new();
        for identity in identities {
            match self.find_contact(identity)? {
                Some(contact) => {
                    known.get_or_insert(contact);
                }
                None => unbound.push(identity),
            }
        }
        let contact = match known {
            Some(contact) => contact,
            None => self.create_contact(now)?,
        };
        for identity in unbound {
            self.bind(identity, contact)?;
        }
        Ok(contact)
    }

    pub(super) fn find_contact(
        &self,
        identity: &Identity,
    ) -> Result<Option<ContactId>, StoreError> {
        let key = params![identity.kind.word(), identity.value];
        self.row(self.sql.identity_get, key, |row| contact_id(row, 0))
            .at("identity", identity.kind.word())
    }

    fn create_contact(&mut self, now: Timestamp) -> Result<ContactId, StoreError> {
        let body = contact_text(&Contact::new(ContactId(0), now)).at("contact", "new")?;
        let key = self
            .conn
            .prepare_cached(self.sql.contact_insert)
            .and_then(|mut statement| statement.insert(params![body]))
            .at("contact", "new")?;
        self.tally.total(totals::CONTACTS, 1);
        Ok(ContactId(key.unsigned_abs()))
    }

    fn bind(&self, identity: &Identity, contact: ContactId) -> Result<(), StoreError> {
        let key = contact_key(contact);
        self.run(
            self.sql.identity_bind,
            params![identity.kind.word(), identity.value, key],
        )
        .at("identity of", contact)?;
        if identity.kind == IdentityKind::Email
            && let Some((_, domain)) = identity.value.rsplit_once('@')
            && !domain.is_empty()
        {
            self.run(self.sql.domain_add, params![domain, key])
                .at("email_domain of", contact)?;
        }
        Ok(())
    }

    pub(super) fn contacts_with_object(
        &self,
        subject: &SubjectRef,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let key = params![subject.kind.as_str(), &*subject.id, limit_column(limit)];
        self.ids(self.sql.object_contacts, key)
            .at("object", subject)
    }

    pub(super) fn contacts_at_domain(
        &self,
        domain: &str,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let key = params![domain.to_lowercase(), limit_column(limit)];
        self.ids(self.sql.domain_contacts, key)
            .at("email_domain", "")
    }

    pub(super) fn contacts_in_order(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let key = params![after_column(after), limit_column(limit)];
        self.ids(self.sql.contact_next, key)
            .at("contact", "in order")
    }

    pub(super) fn contacts_with_run(
        &self,
        journey: &JourneyId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let key = params![journey.as_str(), after_column(after), limit_column(limit)];
        self.ids(self.sql.enrollment_running, key)
            .at("enrollment of", journey)
    }

    /// The contacts in the first column.
    fn ids(&self, sql: &'static str, params: impl Params) -> rusqlite::Result<Vec<ContactId>> {
        self.conn
            .prepare_cached(sql)?
            .query_map(params, |row| contact_id(row, 0))?
            .collect()
    }

    pub(super) fn load_one(&mut self, id: ContactId) -> Result<Option<Snapshot>, StoreError> {
        let key = contact_key(id);
        let contact = self
            .row(self.sql.contact_get, [key], |row| {
                Ok(read_contact(id, text(row, 0)?))
            })
            .at("contact", id)?;
        let Some(contact) = contact else {
            return Ok(None);
        };
        let mut snapshot = Snapshot::new(contact.at("contact", id)?);
        if self.quiet.knows(id) {
            return Ok(Some(snapshot));
        }
        self.load_live(&mut snapshot)?;
        let is_quiet = snapshot.enrollments.is_empty()
            && snapshot.touchpoints.is_empty()
            && snapshot.watches.is_empty();
        if is_quiet {
            self.quiet.learn(id);
        }
        Ok(Some(snapshot))
    }

    /// Live runs, open messages and watches.
    fn load_live(&self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        let id = snapshot.contact.id;
        let key = contact_key(id);
        let mut statement = self
            .conn
            .prepare_cached(self.sql.enrollment_live)
            .at("enrollment", id)?;
        let mut rows = statement.query([key]).at("enrollment of", id)?;
        while let Some(row) = rows.next().at("enrollment of", id)? {
            let run = EnrollmentId {
                contact: id,
                number: row.get(0).at("enrollment of", id)?,
            };
            let body = text(row, 1).at("enrollment", run)?;
            snapshot
                .enrollments
                .push(read_enrollment(run, body).at("enrollment", run)?);
        }

        let mut statement = self
            .conn
            .prepare_cached(self.sql.touchpoint_open)
            .at("touchpoint", id)?;
        let mut rows = statement.query([key]).at("touchpoint of", id)?;
        while let Some(row) = rows.next().at("touchpoint of", id)? {
            let touchpoint = TouchpointId {
                contact: id,
                hash: hash(row, 0).at("touchpoint of", id)?,
            };
            let body = text(row, 1).at("touchpoint", touchpoint)?;
            snapshot
                .touchpoints
                .push(read_touchpoint(touchpoint, body).at("touchpoint", touchpoint)?);
        }
        // In the order in which they were intended, as in a snapshot that was never stored.
        snapshot
            .touchpoints
            .sort_by_key(|one| (one.created_at, one.enrollment.number));

        let mut statement = self
            .conn
            .prepare_cached(self.sql.watch_list)
            .at("watch", id)?;
        let mut rows = statement.query([key]).at("watch of", id)?;
        while let Some(row) = rows.next().at("watch of", id)? {
            let body = text(row, 1).at("watch of", id)?;
            snapshot.watches.push(read_watch(body).at("watch of", id)?);
        }
        Ok(())
    }

    pub(super) fn load_more(
        &mut self,
        snapshot: &mut Snapshot,
        needs: &Needs,
    ) -> Result<(), StoreError> {
        let id = snapshot.contact.id;
        for wanted in &needs.objects {
            if snapshot.objects.contains_key(wanted) {
                continue;
            }
            let key = params![contact_key(id), wanted.kind.as_str(), &*wanted.id];
            let object = self
                .row(self.sql.object_get, key, |row| {
                    Ok(read_object(wanted.clone(), text(row, 0)?))
                })
                .at("object of", id)?;
            if let Some(object) = object {
                snapshot
                    .objects
                    .insert(wanted.clone(), object.at("object of", id)?);
            }
        }
        for kind in &needs.kinds {
            self.load_objects(snapshot, kind)?;
        }
        for journey in &needs.entries {
            self.load_entries(snapshot, journey)?;
        }
        if needs.last_event {
            for of in pasts(snapshot) {
                let stored = self.heads.last_at(&self.conn, &self.sql, of)?;
                snapshot.last_event_at = snapshot.last_event_at.max(stored);
            }
        }
        if !needs.history.is_empty() {
            self.load_history(snapshot, needs)?;
        }
        self.load_memberships(snapshot, needs)?;
        if needs.listed {
            self.load_listed(snapshot)?;
        }
        Ok(())
    }

    /// All objects of a kind. Those that the snapshot has are newer than the stored ones, or the same.
    fn load_objects(&self, snapshot: &mut Snapshot, kind: &ObjectKind) -> Result<(), StoreError> {
        let id = snapshot.contact.id;
        let limit = limit_column(OBJECTS_OF_KIND_MAX);
        let mut statement = self
            .conn
            .prepare_cached(self.sql.object_list)
            .at("object of", id)?;
        let mut rows = statement
            .query(params![contact_key(id), kind.as_str(), limit])
            .at("object of", id)?;
        while let Some(row) = rows.next().at("object of", id)? {
            let subject = SubjectRef {
                kind: kind.clone(),
                id: text(row, 0).at("object of", id)?.into(),
            };
            if snapshot.objects.contains_key(&subject) {
                continue;
            }
            let body = text(row, 1).at("object of", id)?;
            let object = read_object(subject.clone(), body).at("object of", id)?;
            snapshot.objects.insert(subject, object);
        }
        Ok(())
    }

    /// Entries that the snapshot has are newer than the stored ones, or the same.
    fn load_entries(&self, snapshot: &mut Snapshot, journey: &JourneyId) -> Result<(), StoreError> {
        let id = snapshot.contact.id;
        let limit = limit_column(ENTRIES_MAX);
        let mut statement = self
            .conn
            .prepare_cached(self.sql.entry_list)
            .at("entry of", id)?;
        let mut rows = statement
            .query(params![contact_key(id), journey.as_str(), limit])
            .at("entry of", id)?;
        while let Some(row) = rows.next().at("entry of", id)? {
            let subject: Option<SubjectRef> = subject(row, 0).at("entry of", id)?;
            let at = moment(row.get(2).at("entry of", id)?);
            let known = snapshot
                .entries
                .iter()
                .any(|entry| entry.journey == *journey && entry.subject == subject);
            if !known {
                snapshot.entries.push(Entry {
                    journey: journey.clone(),
                    subject,
                    at,
                });
            }
        }
        Ok(())
    }

    /// The newest events of the names asked, together with those that the snapshot has already: written
    /// or not, each once.
    fn load_history(&self, snapshot: &mut Snapshot, needs: &Needs) -> Result<(), StoreError> {
        let mut stored: Vec<Event> = Vec::new();
        for name in &needs.history {
            let mut events = Vec::new();
            for of in pasts(snapshot) {
                let most = HISTORY_EVENTS_MAX;
                events.extend(self.heads.history(&self.conn, &self.sql, of, name, most)?);
            }
            if !snapshot.contact.absorbed.is_empty() {
                without_echoes(&mut events);
            }
            let mut own: Vec<&Event> = snapshot.history.of(name).collect();
            events.retain(|event| match own.iter().position(|other| *other == event) {
                Some(place) => {
                    own.swap_remove(place);
                    false
                }
                None => true,
            });
            // Oldest first, so that events of one moment stay in order of arrival.
            stored.extend(events.into_iter().rev());
        }
        stored.sort_by_key(|event| event.at);
        let surplus = stored.len().saturating_sub(HISTORY_EVENTS_MAX);
        let stored = stored.into_iter().skip(surplus).map(Arc::new);
        if snapshot.history == History::default() {
            snapshot.history = History::new(stored.collect());
        } else {
            stored.for_each(|event| snapshot.history.push(event));
        }
        Ok(())
    }

    /// The touchpoints that are in flight.
    pub(super) fn load_in_flight(
        &self,
    ) -> Result<Vec<relance_core::touchpoint::Touchpoint>, StoreError> {
        let mut all = Vec::new();
        let mut statement = self
            .conn
            .prepare_cached(self.sql.in_flight_list)
            .at("in_flight", "")?;
        let mut rows = statement.query([]).at("in_flight", "")?;
        while let Some(row) = rows.next().at("in_flight", "")? {
            let id = TouchpointId {
                contact: contact_id(row, 0).at("in_flight", "")?,
                hash: hash(row, 1).at("in_flight", "")?,
            };
            let body = text(row, 2).at("touchpoint", id)?;
            all.push(read_touchpoint(id, body).at("touchpoint", id)?);
        }
        Ok(all)
    }

    /// One row of a statement without parameters.
    pub(super) fn single<T: rusqlite::types::FromSql>(
        &self,
        sql: &'static str,
    ) -> rusqlite::Result<Option<T>> {
        Ok(self
            .conn
            .prepare_cached(sql)?
            .query_row([], |row| row.get::<_, Option<T>>(0))
            .optional()?
            .flatten())
    }
}
