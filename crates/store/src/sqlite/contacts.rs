//! Contacts: found by identity, created, loaded with what may matter to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::address;
use relance_core::contact::{Identity, IdentityKind};
use relance_core::enrollment::Entry;
use relance_core::event::{Event, HISTORY_EVENTS_MAX, History};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, ObjectKind, SubjectRef, TouchpointId};
use relance_core::snapshot::Snapshot;
use relance_core::subject::relations;
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
        let contacts = self.resolve_contacts(&[identities], now)?;
        // One for each that was asked.
        contacts.first().copied().ok_or_else(|| {
            let what = "nobody was found or made for a call";
            StoreError::Failed(what.to_owned())
        })
    }

    /// Whose calls are, in order; contacts are made, and names bound, together.
    pub(super) fn resolve_contacts(
        &mut self,
        wanted: &[&[Identity]],
        now: Timestamp,
    ) -> Result<Vec<ContactId>, StoreError> {
        // In the order of the table, so that neighbours are written together.
        let mut bound: BTreeMap<(&str, &str), (&Identity, ContactId)> = BTreeMap::new();
        let mut contacts = Vec::with_capacity(wanted.len());
        for names in wanted {
            let mut known = None;
            let mut unbound = Vec::new();
            for name in *names {
                let place = (name.kind.word(), name.value.as_str());
                let owner = match bound.get(&place) {
                    Some((_, contact)) => Some(*contact),
                    None if self.fresh.is_free(name) => None,
                    None => self.find_contact(name)?,
                };
                match owner {
                    Some(contact) => {
                        known.get_or_insert(contact);
                    }
                    None => unbound.push((place, name)),
                }
            }
            let contact = match known {
                Some(contact) => contact,
                None => self.create_contact(now)?,
            };
            let new = unbound.into_iter();
            bound.extend(new.map(|(place, name)| (place, (name, contact))));
            contacts.push(contact);
        }
        self.bind(bound.into_values())?;
        Ok(contacts)
    }

    pub(super) fn find_contact(
        &self,
        identity: &Identity,
    ) -> Result<Option<ContactId>, StoreError> {
        let key = params![identity.kind.word(), identity.value];
        self.row(self.sql.identity_get, key, |row| contact_id(row, 0))
            .at("identity", identity.kind.word())
    }

    /// The contacts of identities. Within a batch, those that nobody has are remembered: they are asked for
    /// again when they are bound.
    pub(super) fn find_contacts(
        &mut self,
        wanted: &[&Identity],
    ) -> Result<Vec<Option<ContactId>>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached(self.sql.identity_get)
            .at("identity", "")?;
        let mut found = Vec::with_capacity(wanted.len());
        for identity in wanted {
            let kind = identity.kind.word();
            let contact = statement
                .query_row(params![kind, identity.value], |row| contact_id(row, 0))
                .optional()
                .at("identity", kind)?;
            if self.in_batch && contact.is_none() {
                self.fresh.missed(identity);
            }
            found.push(contact);
        }
        Ok(found)
    }

    fn create_contact(&mut self, now: Timestamp) -> Result<ContactId, StoreError> {
        let last = match self.fresh.last() {
            Some(last) => last.0,
            None => self
                .single::<i64>(self.sql.contact_last)
                .at("contact", "the last")?
                .map_or(0, i64::unsigned_abs),
        };
        let id = ContactId(last + 1);
        self.tally.total(totals::CONTACTS, 1);
        self.fresh.made(id, now);
        self.quiet.learn(id);
        Ok(id)
    }

    /// Writes the rows of contacts that this batch made and decided nothing about.
    pub(super) fn write_made(&mut self) -> Result<(), StoreError> {
        for contact in self.fresh.take_rows() {
            let body = contact_text(&contact).at("contact", contact.id)?;
            let row = params![contact_key(contact.id), body];
            self.run(self.sql.contact_put, row)
                .at("contact", contact.id)?;
        }
        Ok(())
    }

    /// Gives names to contacts; the names are in order.
    fn bind<'a>(
        &mut self,
        names: impl Iterator<Item = (&'a Identity, ContactId)>,
    ) -> Result<(), StoreError> {
        let mut bind = self
            .conn
            .prepare_cached(self.sql.identity_bind)
            .at("identity", "")?;
        let mut domains: Vec<(&str, i64)> = Vec::new();
        for (name, contact) in names {
            let key = contact_key(contact);
            self.fresh.bound(name);
            bind.execute(params![name.kind.word(), name.value, key])
                .at("identity of", contact)?;
            let domain = name.value.rsplit_once('@');
            let domain = domain.filter(|_| name.kind == IdentityKind::Email);
            domains.extend(domain.map(|(_, domain)| (domain, key)));
        }
        domains.retain(|(domain, _)| !domain.is_empty());
        domains.sort_unstable();
        let mut add = self
            .conn
            .prepare_cached(self.sql.domain_add)
            .at("email_domain", "")?;
        for (domain, key) in domains {
            add.execute(params![domain, key])
                .at("email_domain of", key)?;
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
        let key = params![address::normal_domain(domain), limit_column(limit)];
        self.ids(self.sql.domain_contacts, key)
            .at("email_domain", "")
    }

    pub(super) fn contacts_in_order(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.write_made()?;
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

    pub(super) fn contacts_with_message(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let key = params![after_column(after), limit_column(limit)];
        self.ids(self.sql.touchpoint_waiting, key)
            .at("touchpoint", "of all")
    }

    /// The contacts in the first column.
    fn ids(&self, sql: &'static str, params: impl Params) -> rusqlite::Result<Vec<ContactId>> {
        self.conn
            .prepare_cached(sql)?
            .query_map(params, |row| contact_id(row, 0))?
            .collect()
    }

    pub(super) fn load_one(&mut self, id: ContactId) -> Result<Option<Snapshot>, StoreError> {
        if let Some(contact) = self.fresh.contact(id) {
            let mut snapshot = Snapshot::new(contact);
            if !self.fresh.is_bare(id) {
                self.load_live(&mut snapshot)?;
            }
            return Ok(Some(snapshot));
        }
        let key = contact_key(id);
        let contact = self
            .row(self.sql.contact_get, [key], |row| {
                Ok(read_contact(id, text(row, 0)?))
            })
            .at("contact", id)?;
        let Some(contact) = contact else {
            return Ok(None);
        };
        let mut contact = contact.at("contact", id)?;
        self.with_account(&mut contact)?;
        let mut snapshot = Snapshot::new(contact);
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
        self.load_memberships(snapshot, needs)?;
        self.load_beside_standings(snapshot, needs)
    }

    /// All that is asked but for how the contact stands to segments.
    pub(super) fn load_beside_standings(
        &mut self,
        snapshot: &mut Snapshot,
        needs: &Needs,
    ) -> Result<(), StoreError> {
        let id = snapshot.contact.id;
        if self.fresh.is_bare(id) && snapshot.contact.absorbed.is_empty() {
            // Of somebody of whom nothing is stored there may still be known what is not the contact's own: its
            // addresses on a list, and accounts.
            self.load_accounts(snapshot, needs)?;
            return if needs.listed {
                self.load_listed(snapshot)
            } else {
                Ok(())
            };
        }
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
        if needs.related {
            self.load_related(snapshot)?;
        }
        self.load_accounts(snapshot, needs)?;
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
        if needs.listed {
            self.load_listed(snapshot)?;
        }
        Ok(())
    }

    /// The objects that those at hand name.
    fn load_related(&mut self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        let named = snapshot.objects.values().flat_map(relations);
        let objects: BTreeSet<SubjectRef> = named
            .filter(|subject| !snapshot.objects.contains_key(subject))
            .collect();
        if objects.is_empty() {
            return Ok(());
        }
        let needs = Needs {
            objects,
            ..Needs::default()
        };
        self.load_more(snapshot, &needs)
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
