//! Contacts: found by identity, created, loaded with what may matter to them; many at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, SubjectRef, TouchpointId};
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::Touchpoint;
use relance_core::world::Needs;
use relance_engine::ports::StoreError;
use relance_wire::stored::{
    contact_text, read_contact, read_enrollment, read_touchpoint, read_watch,
};
use tokio_postgres::Row;

use super::PostgresStore;
use super::error::PgLocated;
use super::ids::{PARTITIONS, part_of};
use super::session::{Ask, Param};
use super::text::{key, word};
use super::workspace::contact_id;
use crate::sqlite::column::contact_key;
use crate::sqlite::tally::totals;

/// A page's beginning; a number that no contact has lies behind all of them.
pub(super) fn after_column(after: Option<ContactId>) -> i64 {
    after.map_or(i64::MIN, |id| i64::try_from(id.0).unwrap_or(i64::MAX))
}

pub(super) fn limit_column(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// An identity as its row's key.
type IdentityKey<'a> = (&'static str, Cow<'a, str>);

fn identity_key(identity: &Identity) -> IdentityKey<'_> {
    (identity.kind.word(), key(&identity.value))
}

/// The domain of an address, if the identity is one.
pub(super) fn domain_of(identity: &Identity) -> Option<Cow<'_, str>> {
    let is_address = identity.kind == IdentityKind::Email;
    let (_, domain) = identity.value.rsplit_once('@').filter(|_| is_address)?;
    (!domain.is_empty()).then(|| key(domain))
}

impl PostgresStore {
    /// Whose identities are, of those that are bound.
    fn bound<'a>(
        &mut self,
        identities: impl Iterator<Item = &'a Identity>,
    ) -> Result<BTreeMap<IdentityKey<'a>, i64>, StoreError> {
        let keys: BTreeSet<IdentityKey<'a>> = identities.map(identity_key).collect();
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (kinds, values): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        let answer = self.one(self.sql.identity_get, vec![&kinds, &values])?;
        let mut bound = BTreeMap::new();
        for row in &answer.rows {
            let n = super::workspace::place(row).at("identity", "")?;
            if let (Some(kind), Some(value)) = (kinds.get(n), values.get(n)) {
                let contact: i64 = row.try_get(1).at("identity", kind)?;
                bound.insert((*kind, value.clone()), contact);
            }
        }
        Ok(bound)
    }

    pub(super) fn find_contacts(
        &mut self,
        wanted: &[&Identity],
    ) -> Result<Vec<Option<ContactId>>, StoreError> {
        let bound = self.bound(wanted.iter().copied())?;
        let found = |identity: &&Identity| {
            let id = bound.get(&identity_key(identity))?;
            Some(ContactId(id.cast_unsigned()))
        };
        Ok(wanted.iter().map(found).collect())
    }

    pub(super) fn find_contact(
        &mut self,
        identity: &Identity,
    ) -> Result<Option<ContactId>, StoreError> {
        let bound = self.bound(std::iter::once(identity))?;
        Ok(bound
            .into_values()
            .next()
            .map(|id| ContactId(id.cast_unsigned())))
    }

    /// What [`resolve`](relance_engine::ports::Store::resolve) says, for many in order: two round trips, and
    /// one more where ids run out.
    pub(super) fn resolve_contacts(
        &mut self,
        wanted: &[&[Identity]],
        now: Timestamp,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.open_batch()?;
        let mut bound = self.bound(wanted.iter().copied().flatten())?;
        let is_new = |identities: &&&[Identity]| {
            !identities
                .iter()
                .any(|one| bound.contains_key(&identity_key(one)))
        };
        let most_new = wanted.iter().filter(is_new).count();
        self.reserve_contacts(most_new)?;

        let mut new = Vec::new();
        let mut bindings: BTreeMap<IdentityKey<'_>, i64> = BTreeMap::new();
        let mut domains: BTreeSet<(Cow<'_, str>, i64)> = BTreeSet::new();
        let mut resolved = Vec::with_capacity(wanted.len());
        for identities in wanted {
            let known = identities
                .iter()
                .find_map(|one| bound.get(&identity_key(one)).copied());
            let contact = match known {
                Some(contact) => contact,
                None => {
                    let id = self.contact_ids.take().ok_or_else(no_ids)?;
                    new.push(id);
                    id
                }
            };
            for identity in *identities {
                let key = identity_key(identity);
                if bound.contains_key(&key) {
                    continue;
                }
                bound.insert(key.clone(), contact);
                bindings.insert(key, contact);
                domains.extend(domain_of(identity).map(|domain| (domain, contact)));
            }
            resolved.push(ContactId(contact.cast_unsigned()));
        }
        self.create(&new, bindings, domains, now)?;
        Ok(resolved)
    }

    /// Takes as many ids from the database as may be needed beyond those at hand.
    fn reserve_contacts(&mut self, count: usize) -> Result<(), StoreError> {
        if count == 0 {
            return Ok(());
        }
        // A node that holds nothing yet may meet people all the same: what happens to them it hands over.
        let any = vec![true; PARTITIONS];
        let holds_none = self.held_parts().is_empty();
        let held = if holds_none { &any } else { &self.held }.clone();
        let few = held.iter().filter(|held| **held).count();
        let blocks = self.contact_ids.missing(count, few);
        if blocks > 0 {
            let answer = self.one(self.sql.contact_block, vec![&blocks])?;
            for row in &answer.rows {
                let block: i64 = row.try_get(0).at("contact_block", "")?;
                self.contact_ids.add(block, |part| held[part]);
            }
            // The first block of all has no contact 0.
            if self.contact_ids.missing(count, few) > 0 {
                return self.reserve_contacts(count);
            }
        }
        Ok(())
    }

    fn create(
        &mut self,
        new: &[i64],
        bindings: BTreeMap<IdentityKey<'_>, i64>,
        domains: BTreeSet<(Cow<'_, str>, i64)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if new.is_empty() && bindings.is_empty() {
            return Ok(());
        }
        let body = contact_text(&Contact::new(ContactId(0), now)).at("contact", "new")?;
        let (mut kinds, mut values, mut owners) = (vec![], vec![], vec![]);
        for ((kind, value), contact) in bindings {
            kinds.push(kind);
            values.push(value);
            owners.push(contact);
        }
        let (domains, at_domains): (Vec<_>, Vec<_>) = domains.into_iter().unzip();
        let mut asks = vec![Ask::new(
            self.sql.identity_bind,
            vec![&kinds, &values, &owners],
        )];
        if !new.is_empty() {
            asks.push(Ask::new(self.sql.contact_insert, vec![&new, &body]));
        }
        if !domains.is_empty() {
            asks.push(Ask::new(self.sql.domain_add, vec![&domains, &at_domains]));
        }
        let answers = self.ask(asks)?;
        let bound = answers.first().map_or(0, |answer| answer.changed);
        if usize::try_from(bound) != Ok(kinds.len()) {
            return Err(StoreError::Busy(
                "another node has just bound the same identity".to_owned(),
            ));
        }
        self.tally.total(totals::CONTACTS, limit_column(new.len()));
        for id in new {
            self.quiet.learn(ContactId(id.unsigned_abs()));
        }
        Ok(())
    }

    /// The contacts in the first column.
    pub(super) fn ids(
        &mut self,
        sql: &'static str,
        params: Vec<Param<'_>>,
        table: &str,
    ) -> Result<Vec<ContactId>, StoreError> {
        let answer = self.one(sql, params)?;
        let ids: Result<_, tokio_postgres::Error> =
            answer.rows.iter().map(|row| contact_id(row, 0)).collect();
        ids.at(table, "")
    }

    pub(super) fn contacts_with_object(
        &mut self,
        subject: &SubjectRef,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let (kind, id) = (word(subject.kind.as_str()), key(&subject.id));
        let limit = limit_column(limit);
        self.ids(self.sql.object_contacts, vec![&kind, &id, &limit], "object")
    }

    pub(super) fn contacts_at_domain(
        &mut self,
        domain: &str,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let domain = relance_core::address::normal_domain(domain);
        let (domain, limit) = (key(&domain), limit_column(limit));
        self.ids(
            self.sql.domain_contacts,
            vec![&domain, &limit],
            "email_domain",
        )
    }

    pub(super) fn contacts_in_order(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let (after, limit) = (after_column(after), limit_column(limit));
        self.ids(self.sql.contact_next, vec![&after, &limit], "contact")
    }

    pub(super) fn contacts_with_run(
        &mut self,
        journey: &JourneyId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let journey = word(journey.as_str());
        let (after, limit) = (after_column(after), limit_column(limit));
        self.ids(
            self.sql.enrollment_running,
            vec![&journey, &after, &limit],
            "enrollment",
        )
    }

    pub(super) fn contacts_with_message(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let (after, limit) = (after_column(after), limit_column(limit));
        self.ids(
            self.sql.touchpoint_waiting,
            vec![&after, &limit],
            "touchpoint",
        )
    }

    /// Contacts of a page with what `needs` asks of each, two round trips.
    pub(super) fn scan_page(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
        needs: &Needs,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let (after, limit) = (after_column(after), limit_column(limit));
        let answer = self.one(self.sql.contact_scan, vec![&after, &limit])?;
        let mut page = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            page.push(Snapshot::new(contact(row)?));
        }
        self.with_accounts(page.iter_mut().map(|one| &mut one.contact))?;
        let wanted = page.iter_mut().map(|snapshot| (snapshot, needs)).collect();
        self.load_more(wanted)?;
        Ok(page)
    }

    /// Contacts with live runs, open messages and watches, in the order asked: one round trip.
    pub(super) fn load_all(&mut self, ids: &[ContactId]) -> Result<Vec<Snapshot>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let all: Vec<i64> = ids
            .iter()
            .map(|id| contact_key(*id))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let knows = |key: &i64| self.quiet.knows(ContactId(key.cast_unsigned()));
        let live: Vec<i64> = all.iter().copied().filter(|key| !knows(key)).collect();
        let mut asks = vec![Ask::new(self.sql.contact_get, vec![&all])];
        if !live.is_empty() {
            for sql in [
                self.sql.enrollment_live,
                self.sql.touchpoint_open,
                self.sql.watch_list,
            ] {
                asks.push(Ask::new(sql, vec![&live]));
            }
        }
        let mut answers = self.ask(asks)?.into_iter().map(|answer| answer.rows);
        let mut found: BTreeMap<ContactId, Snapshot> = BTreeMap::new();
        for row in answers.next().unwrap_or_default() {
            let contact = contact(&row)?;
            found.insert(contact.id, Snapshot::new(contact));
        }
        self.with_accounts(found.values_mut().map(|one| &mut one.contact))?;
        for row in answers.next().unwrap_or_default() {
            let id = contact_id(&row, 0).at("enrollment", "")?;
            let number: i32 = row.try_get(1).at("enrollment of", id)?;
            let run = EnrollmentId {
                contact: id,
                number: number.cast_unsigned(),
            };
            let body: &str = row.try_get(2).at("enrollment", run)?;
            if let Some(snapshot) = found.get_mut(&id) {
                let run = read_enrollment(run, body).at("enrollment", run)?;
                snapshot.enrollments.push(run);
            }
        }
        for row in answers.next().unwrap_or_default() {
            let one = touchpoint(&row)?;
            if let Some(snapshot) = found.get_mut(&one.id.contact) {
                snapshot.touchpoints.push(one);
            }
        }
        for row in answers.next().unwrap_or_default() {
            let id = contact_id(&row, 0).at("watch", "")?;
            let body: &str = row.try_get(1).at("watch of", id)?;
            if let Some(snapshot) = found.get_mut(&id) {
                snapshot.watches.push(read_watch(body).at("watch of", id)?);
            }
        }
        for snapshot in found.values_mut() {
            // In the order in which they were intended, as in a snapshot that was never stored.
            let intended = |one: &Touchpoint| (one.created_at, one.enrollment.number);
            snapshot.touchpoints.sort_by_key(intended);
            let is_quiet = snapshot.enrollments.is_empty()
                && snapshot.touchpoints.is_empty()
                && snapshot.watches.is_empty();
            // Of a partition that is not held, others may write tomorrow.
            if is_quiet && self.held[part_of(snapshot.contact.id)] {
                self.quiet.learn(snapshot.contact.id);
            }
        }
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    /// The messages that are in flight.
    pub(super) fn load_in_flight(&mut self) -> Result<Vec<Touchpoint>, StoreError> {
        let parts = self.parts_column();
        let answer = self.one(self.sql.in_flight_list, vec![&parts])?;
        answer.rows.iter().map(touchpoint).collect()
    }
}

fn no_ids() -> StoreError {
    StoreError::Failed("the database gave no id for a new contact".to_owned())
}

/// A contact from its id and body.
fn contact(row: &Row) -> Result<Contact, StoreError> {
    let id = contact_id(row, 0).at("contact", "")?;
    let body: &str = row.try_get(1).at("contact", id)?;
    read_contact(id, body).at("contact", id)
}

/// A message from its contact, hash and body.
pub(super) fn touchpoint(row: &Row) -> Result<Touchpoint, StoreError> {
    let contact = contact_id(row, 0).at("touchpoint", "")?;
    let hash: i64 = row.try_get(1).at("touchpoint of", contact)?;
    let id = TouchpointId {
        contact,
        hash: hash.cast_unsigned(),
    };
    let body: &str = row.try_get(2).at("touchpoint", id)?;
    read_touchpoint(id, body).at("touchpoint", id)
}
