//! Everyone with what a segment asks of each, page by page (see [`Store::prepare_scan`]).
//!
//! What contacts did is gathered from the log's sealed columns for a *window* of contacts, as wide as
//! [`WINDOW_EVENTS_MAX`] events of the names asked allow: first everyone; when there are too many events, the
//! upper half of the contacts is left to the next window. Then pages are read along the keys. Events that
//! come meanwhile are taken in before each page, so that a page is as exact as single looks would be.
//!
//! [`Store::prepare_scan`]: relance_engine::ports::Store::prepare_scan

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relance_core::event::{Event, HISTORY_EVENTS_MAX, History, names};
use relance_core::ids::{ContactId, EventName};
use relance_core::segment::Membership;
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;
use relance_engine::ports::{Counts, StoreError};
use relance_wire::stored::{event_part, read_contact, read_event, read_event_part};
use rusqlite::params;

use super::column::{contact_id, contact_key, moment, nanos, text};
use super::columns::Told;
use super::contacts::after_column;
use super::error::Located;
use super::seals::CAUGHT_UP_PER_CALL;
use super::{SqliteStore, limit_column};

/// Events of a window, 40 bytes each.
const WINDOW_EVENTS_MAX: usize = 1 << 20;
/// Bytes of bodies in a window.
const WINDOW_BYTES_MAX: usize = 64 << 20;
/// Seals that one call reads: some 15 ms.
const SEALS_PER_CALL: usize = 12;
/// Bodies that one call fetches: some 15 ms.
const BODIES_PER_CALL: usize = 8_192;
/// Bytes that a body takes beside its text.
const BODY_BYTES_BESIDE: usize = 32;
/// Of events that lie closer together than so many to one that is asked for, the log is read through.
const CLOSE_TOGETHER: i64 = 8;
/// Contacts of a page that was not prepared.
const PLAIN_PAGE_MAX: usize = 200;

/// No body.
const BARE: u32 = u32::MAX;
/// No name that was asked for.
const NAMELESS: u32 = u32::MAX;

/// An event of a window.
#[derive(Debug, Clone, Copy)]
struct Entry {
    told: Told,
    /// Its place among the names asked.
    name: u32,
    /// Its place among the bodies.
    body: u32,
}

/// How far a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Seals are read.
    Gathering,
    /// Bodies are fetched, from this entry on.
    Fetching(usize),
    /// Pages can be read.
    Ready,
}

/// A scan under way.
#[derive(Debug)]
pub(super) struct Scan {
    needs: Needs,
    counts: Counts,
    names: Vec<EventName>,
    /// The same of each name.
    is_bare: Vec<bool>,
    properties: Vec<Option<BTreeSet<Box<str>>>>,
    /// In nanoseconds.
    since: Vec<i64>,
    /// The window: contacts after this one, up to that one.
    from: Option<ContactId>,
    to: ContactId,
    phase: Phase,
    /// The last event that was looked at.
    reached: i64,
    /// By id while bodies are fetched, then by contact, name and id.
    entries: Vec<Entry>,
    bodies: Vec<Box<str>>,
    body_bytes: usize,
    /// Events that came after the window was ready.
    late: BTreeMap<ContactId, Vec<Entry>>,
}

/// Limits, smaller in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScanLimits {
    pub(super) events: usize,
    pub(super) bytes: usize,
    pub(super) seals: usize,
    pub(super) bodies: usize,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            events: WINDOW_EVENTS_MAX,
            bytes: WINDOW_BYTES_MAX,
            seals: SEALS_PER_CALL,
            bodies: BODIES_PER_CALL,
        }
    }
}

impl Scan {
    fn new(after: Option<ContactId>, needs: &Needs, counts: &Counts) -> Self {
        let names: Vec<EventName> = needs.history.iter().cloned().collect();
        Self {
            needs: needs.clone(),
            counts: counts.clone(),
            is_bare: names.iter().map(|name| counts.is_bare(name)).collect(),
            properties: names
                .iter()
                .map(|name| counts.properties.get(name).cloned())
                .collect(),
            since: names
                .iter()
                .map(|name| counts.since.get(name).map_or(i64::MIN, |at| nanos(*at)))
                .collect(),
            names,
            from: after,
            to: ContactId(u64::MAX),
            phase: Phase::Gathering,
            reached: 0,
            entries: Vec::new(),
            bodies: Vec::new(),
            body_bytes: 0,
            late: BTreeMap::new(),
        }
    }

    /// Whether a page after a contact can come from this window.
    fn covers(&self, after: Option<ContactId>) -> bool {
        after >= self.from && after.is_none_or(|contact| contact < self.to)
    }

    fn is_within(&self, contact: ContactId) -> bool {
        self.from.is_none_or(|from| contact > from) && contact <= self.to
    }

    /// Whether an event of the `name`-th name counts for anyone of the window.
    fn wants(&self, name: usize, told: &Told) -> bool {
        self.is_within(told.contact) && self.since.get(name).is_none_or(|since| told.at >= *since)
    }

    /// Leaves the upper half of the contacts to the next window. Of one contact alone the newest events of each
    /// name are kept, which are as many as are looked back over.
    fn shrink(&mut self) {
        self.sort();
        let Self { entries, .. } = self;
        let mut kept = 0;
        let mut place = 0;
        while place < entries.len() {
            let (contact, name) = (entries[place].told.contact, entries[place].name);
            let same = entries[place..]
                .iter()
                .take_while(|one| one.told.contact == contact && one.name == name)
                .count();
            let surplus = same.saturating_sub(HISTORY_EVENTS_MAX);
            entries.copy_within(place + surplus..place + same, kept);
            kept += same - surplus;
            place += same;
        }
        entries.truncate(kept);
        if let Some(middle) = entries.get(entries.len() / 2) {
            let first = entries[0].told.contact;
            // The middle's contact stays whole with the lower half, unless it is the greater part of it.
            let middle = middle.told.contact;
            let below = entries.partition_point(|one| one.told.contact < middle);
            let to = if middle == first || below == 0 {
                middle
            } else {
                entries[below - 1].told.contact
            };
            let ends = entries.partition_point(|one| one.told.contact <= to);
            entries.truncate(ends);
            self.to = self.to.min(to);
        }
        self.drop_bodies();
    }

    /// Lets go of bodies that no entry has any more.
    fn drop_bodies(&mut self) {
        let mut bodies = std::mem::take(&mut self.bodies);
        self.body_bytes = 0;
        for entry in self.entries.iter_mut().filter(|entry| entry.body != BARE) {
            let body = usize::try_from(entry.body).ok();
            let body = body
                .and_then(|place| bodies.get_mut(place))
                .map(std::mem::take);
            let Some(body) = body else {
                continue;
            };
            self.body_bytes += body.len();
            entry.body = u32::try_from(self.bodies.len()).unwrap_or(BARE);
            self.bodies.push(body);
        }
    }

    fn sort(&mut self) {
        self.entries
            .sort_unstable_by_key(|one| (one.told.contact, one.name, one.told.id));
    }

    /// What counts of the body of an event.
    fn part_of(&self, entry: &Entry, body: &str) -> Result<Box<str>, StoreError> {
        match self.properties_of(entry) {
            Some(asked) => event_part(body, asked).at("event", entry.told.id),
            None => Ok(body.into()),
        }
    }

    /// The properties that count of an event, if not all.
    fn properties_of(&self, entry: &Entry) -> Option<&BTreeSet<Box<str>>> {
        let name = usize::try_from(entry.name).ok()?;
        self.properties.get(name)?.as_ref()
    }

    fn wants_body(&self, entry: &Entry) -> bool {
        let name = usize::try_from(entry.name).ok();
        let is_bare = name.and_then(|name| self.is_bare.get(name));
        entry.body == BARE && is_bare == Some(&false)
    }
}

impl SqliteStore {
    /// See [`Store::prepare_scan`](relance_engine::ports::Store::prepare_scan).
    pub(super) fn prepare_window(
        &mut self,
        after: Option<ContactId>,
        needs: &Needs,
        counts: &Counts,
    ) -> Result<bool, StoreError> {
        let known = self.scan.take();
        let known = known
            .filter(|scan| scan.needs == *needs && scan.counts == *counts && scan.covers(after));
        let mut scan = known.unwrap_or_else(|| Scan::new(after, needs, counts));
        if scan.names.is_empty() {
            scan.phase = Phase::Ready;
        } else if !self.seals.is_current() {
            self.together(|store| {
                let most = CAUGHT_UP_PER_CALL;
                store.seals.catch_up(&store.conn, &store.sql, most)?;
                store.seals.flush(&store.conn, &store.sql)
            })?;
            self.scan = Some(scan);
            return Ok(false);
        }
        match scan.phase {
            Phase::Gathering => self.gather(&mut scan)?,
            Phase::Fetching(from) => self.fetch(&mut scan, from)?,
            Phase::Ready => {}
        }
        let is_ready = scan.phase == Phase::Ready;
        self.scan = Some(scan);
        Ok(is_ready)
    }

    fn gather(&mut self, scan: &mut Scan) -> Result<(), StoreError> {
        for _ in 0..self.scan_limits.seals {
            if scan.reached >= self.seals.sealed() {
                break;
            }
            let mut found = Vec::new();
            let last = self.seals.read_seal(
                &self.conn,
                &self.sql,
                scan.reached,
                &scan.names,
                |name, told| {
                    if scan.wants(name, &told) {
                        found.push(entry(name, told));
                    }
                },
            )?;
            scan.entries.append(&mut found);
            let Some(last) = last else {
                break;
            };
            scan.reached = last;
            if scan.entries.len() > self.scan_limits.events {
                scan.shrink();
            }
        }
        if scan.reached < self.seals.sealed() {
            return Ok(());
        }
        let mut found = Vec::new();
        self.seals
            .read_open(scan.reached, &scan.names, |name, told| {
                if scan.wants(name, &told) {
                    found.push(entry(name, told));
                }
            });
        scan.entries.append(&mut found);
        scan.reached = self.seals.reached();
        if scan.is_bare.iter().all(|is_bare| *is_bare) {
            scan.sort();
            scan.phase = Phase::Ready;
        } else {
            scan.entries.sort_unstable_by_key(|one| one.told.id);
            scan.phase = Phase::Fetching(0);
        }
        Ok(())
    }

    /// Fetches bodies in the order in which they lie.
    fn fetch(&mut self, scan: &mut Scan, from: usize) -> Result<(), StoreError> {
        let mut wanted: Vec<usize> = Vec::new();
        let mut place = from;
        while wanted.len() < self.scan_limits.bodies
            && let Some(entry) = scan.entries.get(place)
        {
            if scan.wants_body(entry) {
                wanted.push(place);
            }
            place += 1;
        }
        let is_last = place >= scan.entries.len();
        let mut texts = self.bodies_of(scan, &wanted)?.into_iter();
        for place in wanted {
            match texts.next().flatten() {
                Some(body) => {
                    scan.body_bytes += body.len() + BODY_BYTES_BESIDE;
                    scan.entries[place].body = u32::try_from(scan.bodies.len()).unwrap_or(BARE);
                    scan.bodies.push(body);
                }
                // It was erased.
                None => scan.entries[place].name = NAMELESS,
            }
        }
        if scan.body_bytes > self.scan_limits.bytes {
            let before = scan.to;
            scan.shrink();
            scan.entries.sort_unstable_by_key(|one| one.told.id);
            if scan.to == before {
                // One contact's: bounded by what is looked back over.
                scan.body_bytes = 0;
            }
            scan.phase = Phase::Fetching(0);
            return Ok(());
        }
        scan.phase = Phase::Fetching(place);
        if is_last {
            scan.sort();
            scan.phase = Phase::Ready;
        }
        Ok(())
    }

    /// What counts of the entries at these places, in order of their ids; nothing of those that were erased. Where
    /// they lie close together the log is read through between them: a step costs a tenth of a look.
    fn bodies_of(
        &self,
        scan: &Scan,
        places: &[usize],
    ) -> Result<Vec<Option<Box<str>>>, StoreError> {
        let ids: Vec<i64> = places.iter().map(|at| scan.entries[*at].told.id).collect();
        let (Some(first), Some(last)) = (ids.first().copied(), ids.last().copied()) else {
            return Ok(Vec::new());
        };
        let part = |place: usize, body: &str| scan.part_of(&scan.entries[places[place]], body);
        let mut texts = vec![None; ids.len()];
        let many = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        if last - first < many.saturating_mul(CLOSE_TOGETHER) {
            let mut statement = self
                .conn
                .prepare_cached(self.sql.event_between)
                .at("event", first)?;
            let mut rows = statement.query([first, last]).at("event", first)?;
            let mut place = 0;
            while let Some(row) = rows.next().at("event", first)? {
                let id: i64 = row.get(0).at("event", first)?;
                while ids.get(place).is_some_and(|wanted| *wanted < id) {
                    place += 1;
                }
                if ids.get(place) == Some(&id) {
                    texts[place] = Some(part(place, text(row, 1).at("event", id)?)?);
                }
            }
            return Ok(texts);
        }
        let mut statement = self
            .conn
            .prepare_cached(self.sql.event_get)
            .at("event", first)?;
        for (place, id) in ids.iter().enumerate() {
            let mut rows = statement.query([id]).at("event", id)?;
            if let Some(row) = rows.next().at("event", id)? {
                texts[place] = Some(part(place, text(row, 1).at("event", id)?)?);
            }
        }
        Ok(texts)
    }

    /// The text of an event that is still in the log.
    fn body_of(&self, event: i64) -> Result<Option<Box<str>>, StoreError> {
        self.row(self.sql.event_get, [event], |row| Ok(text(row, 1)?.into()))
            .at("event", event)
    }

    /// Takes in what came since the window was gathered.
    fn take_late(&mut self, scan: &mut Scan) -> Result<(), StoreError> {
        let mut found = Vec::new();
        while scan.reached < self.seals.sealed() {
            let take = |name, told| found.push(entry(name, told));
            let (conn, sql) = (&self.conn, &self.sql);
            match self
                .seals
                .read_seal(conn, sql, scan.reached, &scan.names, take)?
            {
                Some(last) => scan.reached = last,
                None => break,
            }
        }
        self.seals
            .read_open(scan.reached, &scan.names, |name, told| {
                found.push(entry(name, told));
            });
        scan.reached = scan.reached.max(self.seals.reached());
        for entry in found {
            let name = usize::try_from(entry.name).unwrap_or(usize::MAX);
            if scan.wants(name, &entry.told) {
                scan.late.entry(entry.told.contact).or_default().push(entry);
            }
        }
        Ok(())
    }

    /// See [`Store::scan`](relance_engine::ports::Store::scan).
    pub(super) fn scan_page(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
        needs: &Needs,
    ) -> Result<Vec<Snapshot>, StoreError> {
        self.write_made()?;
        let prepared = self.scan.take();
        let prepared = prepared.filter(|scan| {
            scan.phase == Phase::Ready && scan.needs == *needs && scan.covers(after)
        });
        let Some(mut scan) = prepared else {
            return self.plain_page(after, limit, needs);
        };
        self.take_late(&mut scan)?;
        let mut snapshots = self.page_of_window(&scan, after, limit)?;
        // Whose past is that of several contacts is looked at alone: there are few.
        for one in snapshots
            .iter_mut()
            .filter(|one| !one.contact.absorbed.is_empty())
        {
            one.history = History::default();
            self.load_more(one, needs)?;
        }
        let is_past = snapshots.is_empty() && scan.to < ContactId(u64::MAX);
        if let Some(last) = snapshots.last() {
            let done = last.contact.id;
            scan.late = scan.late.split_off(&ContactId(done.0.saturating_add(1)));
        }
        self.scan = Some(scan);
        if is_past {
            // Nobody is left in the window: the next page lies in another.
            return self.plain_page(after, limit.min(PLAIN_PAGE_MAX), needs);
        }
        Ok(snapshots)
    }

    /// A page by single looks.
    fn plain_page(
        &mut self,
        after: Option<ContactId>,
        limit: usize,
        needs: &Needs,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let mut snapshots = self.contacts_up_to(after, ContactId(u64::MAX), limit)?;
        for snapshot in &mut snapshots {
            self.load_more(snapshot, needs)?;
        }
        Ok(snapshots)
    }

    /// Contacts along their key, alone.
    fn contacts_up_to(
        &mut self,
        after: Option<ContactId>,
        to: ContactId,
        limit: usize,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let to = i64::try_from(to.0).unwrap_or(i64::MAX);
        let mut statement = self
            .conn
            .prepare_cached(self.sql.contact_range)
            .at("contact", "in order")?;
        let mut rows = statement
            .query(params![after_column(after), to, limit_column(limit)])
            .at("contact", "in order")?;
        let mut snapshots = Vec::new();
        while let Some(row) = rows.next().at("contact", "in order")? {
            let id = contact_id(row, 0).at("contact", "in order")?;
            let contact = read_contact(id, text(row, 1).at("contact", id)?).at("contact", id)?;
            snapshots.push(Snapshot::new(contact));
        }
        drop(rows);
        drop(statement);
        for snapshot in &mut snapshots {
            self.with_account(&mut snapshot.contact)?;
        }
        Ok(snapshots)
    }

    fn page_of_window(
        &mut self,
        scan: &Scan,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let mut snapshots = self.contacts_up_to(after, scan.to, limit)?;
        let Some(last) = snapshots.last().map(|snapshot| snapshot.contact.id) else {
            return Ok(snapshots);
        };
        for id in &scan.needs.segments {
            let Some(number) = self.known_number(id)? else {
                continue;
            };
            let records = self.records_between(number, after, last)?;
            let mut place = 0;
            for (contact, membership) in records {
                while snapshots
                    .get(place)
                    .is_some_and(|one| one.contact.id < contact)
                {
                    place += 1;
                }
                if let Some(one) = snapshots.get_mut(place)
                    && one.contact.id == contact
                {
                    one.memberships.insert(id.clone(), membership);
                }
            }
        }
        let rest = Needs {
            history: BTreeSet::new(),
            segments: BTreeSet::new(),
            ..scan.needs.clone()
        };
        let asks_more = !rest.is_empty();
        let past = Needs {
            history: scan.needs.history.clone(),
            ..Needs::default()
        };
        let mut place = scan
            .entries
            .partition_point(|one| Some(one.told.contact) <= after);
        for snapshot in &mut snapshots {
            if asks_more {
                self.load_more(snapshot, &rest)?;
            }
            let id = snapshot.contact.id;
            while scan
                .entries
                .get(place)
                .is_some_and(|one| one.told.contact < id)
            {
                place += 1;
            }
            let own = &scan.entries[place..];
            let count = own.iter().take_while(|one| one.told.contact == id).count();
            let late = scan.late.get(&id).map_or(&[][..], Vec::as_slice);
            if !snapshot.contact.absorbed.is_empty() {
                // Its past lies under several contacts.
                self.load_more(snapshot, &past)?;
            } else if count + late.len() > 0 {
                snapshot.history = self.history_of(scan, &own[..count], late)?;
            }
            place += count;
        }
        Ok(snapshots)
    }

    /// A contact's history, as [`load_needs`](relance_engine::ports::Store::load_needs) would have it.
    fn history_of(
        &self,
        scan: &Scan,
        own: &[Entry],
        late: &[Entry],
    ) -> Result<History, StoreError> {
        let mut events: Vec<Event> = Vec::with_capacity(own.len() + late.len());
        let mut place = 0;
        for (number, name) in scan.names.iter().enumerate() {
            let is_bare = scan.is_bare[number];
            let is_named = |one: &Entry| usize::try_from(one.name) == Ok(number);
            let count = own[place..].iter().take_while(|one| is_named(one)).count();
            let named: Vec<&Entry> = own[place..place + count]
                .iter()
                .chain(late.iter().filter(|one| is_named(one)))
                .collect();
            place += count;
            let surplus = named.len().saturating_sub(HISTORY_EVENTS_MAX);
            for one in &named[surplus..] {
                events.extend(self.event_of(scan, name, is_bare, one)?);
            }
        }
        events.sort_by_key(|event| event.at);
        let surplus = events.len().saturating_sub(HISTORY_EVENTS_MAX);
        Ok(History::new(
            events.into_iter().skip(surplus).map(Arc::new).collect(),
        ))
    }

    fn event_of(
        &self,
        scan: &Scan,
        name: &EventName,
        is_bare: bool,
        entry: &Entry,
    ) -> Result<Option<Event>, StoreError> {
        let id = entry.told.id;
        let asked = scan.properties_of(entry);
        let mut event = Event {
            name: name.clone(),
            ..Event::track("", moment(entry.told.at))
        };
        if !is_bare {
            let place = usize::try_from(entry.body).ok();
            let known = place.and_then(|place| scan.bodies.get(place)).cloned();
            let part = match known {
                Some(part) => Some(part),
                None => {
                    let body = self.body_of(id)?;
                    body.map(|body| scan.part_of(entry, &body)).transpose()?
                }
            };
            let Some(part) = part else {
                return Ok(None);
            };
            if asked.is_none() {
                return Ok(Some(read_event(&part).at("event", id)?));
            }
            event.properties = read_event_part(&part).at("event", id)?;
        }
        if entry.told.by_machine {
            let machine = names::MACHINE.to_owned();
            event.properties.insert(machine, true.into());
        }
        Ok(Some(event))
    }

    fn records_between(
        &self,
        number: i64,
        after: Option<ContactId>,
        last: ContactId,
    ) -> Result<Vec<(ContactId, Membership)>, StoreError> {
        let key = params![number, after_column(after), contact_key(last)];
        self.conn
            .prepare_cached(self.sql.member_range)
            .and_then(|mut statement| {
                let rows = statement.query_map(key, super::segments::record)?;
                rows.collect()
            })
            .at("member of", number)
    }
}

fn entry(name: usize, told: Told) -> Entry {
    Entry {
        told,
        name: u32::try_from(name).unwrap_or(u32::MAX),
        body: BARE,
    }
}
