//! What contacts did and when, gathered from the log's sealed columns by somebody who only reads: for telling
//! quickly how many would belong to a segment.
//!
//! Where there is too much of it, half of the contacts are left out, and again half of those: by a hash of their
//! ids, so that who is left is a fair sample of everyone.
//!
//! **Absent:** properties of events; whoever asks for them looks at each contact alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use relance_core::event::{Event, HISTORY_EVENTS_MAX, History, names};
use relance_core::ids::{ContactId, EventName};
use relance_engine::ports::StoreError;
use relance_wire::stored::read_event;
use rusqlite::Connection;

use super::column::{contact_id, moment, nanos, text};
use super::columns::Told;
use super::error::Located;
use super::seals::Seals;
use crate::sql::Sql;

/// Events that are held at most, 40 bytes each.
const EVENTS_MAX: usize = 1 << 20;
/// Events of the log that are read between two looks at the clock.
const EVENTS_BETWEEN_LOOKS: usize = 256;

/// What contacts did.
#[derive(Debug)]
pub(crate) struct Gathered {
    names: Vec<EventName>,
    /// One contact of two to the power of this is in it.
    halvings: u32,
    /// With the place of the name; by contact, and as they arrived.
    entries: Vec<(usize, Told)>,
}

/// Gathers all events of some names, from one moment of the database; `None` when `is_late` says so before the end.
pub(crate) fn gather(
    conn: &Connection,
    wanted: &BTreeSet<EventName>,
    is_late: &dyn Fn() -> bool,
) -> Result<Option<Gathered>, StoreError> {
    gather_up_to(conn, wanted, is_late, EVENTS_MAX)
}

fn gather_up_to(
    conn: &Connection,
    wanted: &BTreeSet<EventName>,
    is_late: &dyn Fn() -> bool,
    most: usize,
) -> Result<Option<Gathered>, StoreError> {
    let sql = Sql::load(super::FILES).map_err(|problem| StoreError::Failed(problem.to_string()))?;
    let seals = Seals::load(conn, &sql, i64::MAX)?;
    let mut all = Gathered {
        names: wanted.iter().cloned().collect(),
        halvings: 0,
        entries: Vec::new(),
    };
    let names = all.names.clone();
    let mut reached = 0;
    loop {
        if is_late() {
            return Ok(None);
        }
        let last = seals.read_seal(conn, &sql, reached, &names, |name, told| {
            all.take(name, told)
        })?;
        let Some(last) = last else { break };
        reached = last;
        all.halve_down_to(most);
    }
    // What is not sealed lies in the log alone.
    let mut statement = conn
        .prepare_cached(sql.event_after)
        .at("event", "not sealed")?;
    let mut rows = statement.query([reached]).at("event", "not sealed")?;
    let mut seen = 0;
    while let Some(row) = rows.next().at("event", "not sealed")? {
        seen += 1;
        if seen % EVENTS_BETWEEN_LOOKS == 0 && is_late() {
            return Ok(None);
        }
        let id: i64 = row.get(0).at("event", "event_id")?;
        let contact = contact_id(row, 1).at("event", id)?;
        if !all.has(contact) {
            continue;
        }
        let event = read_event(text(row, 2).at("event", id)?).at("event", id)?;
        if let Ok(name) = names.binary_search(&event.name) {
            let told = Told {
                id,
                contact,
                at: nanos(event.at),
                by_machine: event.by_machine(),
            };
            all.take(name, told);
        }
    }
    all.halve_down_to(most);
    all.entries
        .sort_unstable_by_key(|(_, told)| (told.contact, told.id));
    Ok(Some(all))
}

impl Gathered {
    /// One contact of two to the power of this is in it.
    pub(crate) fn halvings(&self) -> u32 {
        self.halvings
    }

    /// Whether all that a contact did is in it.
    pub(crate) fn has(&self, contact: ContactId) -> bool {
        mixed(contact.0).leading_zeros() >= self.halvings
    }

    /// A contact's events of the names asked, the newest as far as is looked back.
    pub(crate) fn history(&self, contact: ContactId) -> History {
        let first = self
            .entries
            .partition_point(|(_, told)| told.contact < contact);
        let own = self.entries[first..]
            .iter()
            .take_while(|(_, told)| told.contact == contact);
        let own: Vec<&(usize, Told)> = own.collect();
        let surplus = own.len().saturating_sub(HISTORY_EVENTS_MAX);
        let events = own[surplus..].iter().map(|(name, told)| {
            let mut event = Event {
                name: self.names[*name].clone(),
                ..Event::track("", moment(told.at))
            };
            if told.by_machine {
                event
                    .properties
                    .insert(names::MACHINE.to_owned(), true.into());
            }
            Arc::new(event)
        });
        History::new(events.collect())
    }

    fn take(&mut self, name: usize, told: Told) {
        if self.has(told.contact) {
            self.entries.push((name, told));
        }
    }

    fn halve_down_to(&mut self, most: usize) {
        while self.entries.len() > most {
            self.halvings += 1;
            let halvings = self.halvings;
            self.entries
                .retain(|(_, told)| mixed(told.contact.0).leading_zeros() >= halvings);
        }
    }
}

/// A number that tells nothing of the one it comes from (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use relance_core::contact::Identity;
    use relance_core::decide::Effect;
    use relance_core::world::Needs;
    use relance_engine::ports::{Change, Store};

    use super::*;
    use crate::{SqliteOptions, SqliteStore};

    #[test]
    fn what_is_gathered_is_what_single_looks_find() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("workspace.db");
        let mut store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
        store.seals.size = 40;
        let at = |second: i64| jiff::Timestamp::constant(1_800_000_000 + second, 0);
        let mut ids = Vec::new();
        for n in 0..300_i64 {
            store.begin().expect("begins");
            let who = Identity::user(&format!("u{}", n * n % 61));
            let contact = store
                .resolve(std::slice::from_ref(&who), at(n))
                .expect("creates");
            ids.push(contact);
            let name = ["Viewed", "Bought", "Signed Up"][usize::try_from(n % 3).expect("small")];
            // Some are told late.
            let mut event = Event::track(name, at(n - n % 7));
            if n % 5 == 0 {
                event
                    .properties
                    .insert(names::MACHINE.to_owned(), true.into());
            }
            let effects = vec![Effect::Event(Arc::new(event))];
            store.write(&[Change { contact, effects }]).expect("writes");
            store.commit().expect("commits");
        }
        ids.sort_unstable();
        ids.dedup();
        let wanted: BTreeSet<EventName> = ["Bought".into(), "Viewed".into()].into();
        let needs = Needs {
            history: wanted.clone(),
            ..Needs::default()
        };
        let told = |history: &History| -> Vec<(EventName, jiff::Timestamp, bool)> {
            let all = wanted.iter().flat_map(|name| history.of(name));
            all.map(|event| (event.name.clone(), event.at, event.by_machine()))
                .collect()
        };
        let conn = Connection::open(&path).expect("opens");
        for (most, fewest) in [(EVENTS_MAX, ids.len()), (60, 5)] {
            let gathered = gather_up_to(&conn, &wanted, &|| false, most).expect("reads");
            let gathered = gathered.expect("in time");
            let mut looked = 0;
            for mut snapshot in store.load(&ids).expect("loads") {
                let id = snapshot.contact.id;
                if gathered.has(id) {
                    looked += 1;
                    store.load_needs(&mut snapshot, &needs).expect("loads");
                    assert_eq!(told(&gathered.history(id)), told(&snapshot.history), "{id}");
                }
            }
            assert!(looked >= fewest, "{looked} with {most}");
            assert!(gathered.entries.len() <= most);
            assert_eq!(gathered.halvings() > 0, most == 60);
        }
        assert!(gather(&conn, &wanted, &|| true).expect("reads").is_none());
    }
}
