//! Why, and why not, for a contact and a journey, or for one message: read beside the engine and told in a
//! language (R12).
//!
//! What the store keeps is put together as the engine would see it, and nothing is decided for good.
//! **Absent:** writing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::Snapshot;
use relance_core::World;
use relance_core::contact::Contact;
use relance_core::decide::{Input, decide};
use relance_core::enrollment::{Enrollment, EnrollmentState, Entry};
use relance_core::event::History;
use relance_core::explain::{self as core, RUNS_MAX};
use relance_core::ids::{ContactId, JourneyId, TouchpointId};
use relance_core::ledger::LedgerEntry;
use relance_core::time::Zone;
use relance_core::world::Needs;
use relance_store::read::{PAGE_ROWS_MAX, ReadError, Reader};
use relance_wire::api::explain as shape;
use relance_wire::explain::{Language, Names};
use serde_json::Value;

use crate::backtest::{BacktestProblem, world_of};
use crate::config::Config;

/// Pages of runs, lines and events that are looked through for one answer.
const PAGES_MAX: usize = 4;

/// The world that a workspace decides under, with what is known of its mailboxes.
pub fn world(reader: &Reader, config: &Config) -> Result<World, BacktestProblem> {
    let mut world = world_of(reader, config)?;
    for state in reader.mailboxes()? {
        state.tell(&mut world);
    }
    Ok(world)
}

/// Where a contact stands with a journey, as the API gives it out; `None` when there is no such contact.
pub fn explain(
    reader: &Reader,
    world: &World,
    contact: ContactId,
    journey: &JourneyId,
    language: Language,
    now: Timestamp,
) -> Result<Option<Value>, ReadError> {
    let Some(snapshot) = snapshot(reader, world, contact, journey, now)? else {
        return Ok(None);
    };
    let lines = lines(reader, &snapshot.contact, journey)?;
    let explanation = core::explain(world, &snapshot, journey, &lines, now);
    let (names, zone) = (names(world, &snapshot.contact), zone(world, &snapshot));
    let told = shape::explanation(&explanation, &names, &zone, language);
    Ok(Some(told))
}

/// What became of one message, as the API gives it out; `None` when there is no such message.
pub fn explain_message(
    reader: &Reader,
    world: &World,
    id: TouchpointId,
    language: Language,
    now: Timestamp,
) -> Result<Option<Value>, ReadError> {
    let Some(touchpoint) = reader.touchpoint(id)? else {
        return Ok(None);
    };
    let journey = touchpoint.journey.clone();
    let Some(mut snapshot) = snapshot(reader, world, id.contact, &journey, now)? else {
        return Ok(None);
    };
    if snapshot.touchpoint(id).is_none() {
        // A settled one tells how it ended.
        snapshot.touchpoints.push(touchpoint);
    }
    let lines = lines(reader, &snapshot.contact, &journey)?;
    let explanation = core::explain_message(world, &snapshot, id, &lines, now);
    let (names, zone) = (names(world, &snapshot.contact), zone(world, &snapshot));
    let told = shape::message_explanation(&explanation, &names, &zone, language);
    Ok(Some(told))
}

fn names<'a>(world: &'a World, contact: &'a Contact) -> Names<'a> {
    Names {
        world: Some(world),
        contact: Some(contact),
    }
}

fn zone(world: &World, snapshot: &Snapshot) -> Zone {
    world.zone_of(&snapshot.contact)
}

/// A contact as a decision about the journey would see it, with the journey's newest runs that are over.
fn snapshot(
    reader: &Reader,
    world: &World,
    id: ContactId,
    journey: &JourneyId,
    now: Timestamp,
) -> Result<Option<Snapshot>, ReadError> {
    let Some(contact) = reader.contact(id)? else {
        return Ok(None);
    };
    let mut snapshot = Snapshot::new(contact);
    let mut past = 0;
    let mut subjects = BTreeSet::new();
    for run in runs(reader, id)? {
        // The last entry about each subject, as the newest run comes first.
        if run.journey == *journey && subjects.insert(run.subject.clone()) {
            snapshot.entries.push(Entry {
                journey: run.journey.clone(),
                subject: run.subject.clone(),
                at: run.entered_at,
            });
        }
        if !run.is_live() {
            if run.journey != *journey || past == RUNS_MAX {
                continue;
            }
            past += 1;
        }
        if let EnrollmentState::Sending { touchpoint, .. } = &run.state
            && snapshot.touchpoint(*touchpoint).is_none()
        {
            snapshot.touchpoints.extend(reader.touchpoint(*touchpoint)?);
        }
        snapshot.enrollments.push(run);
    }
    // What those that it absorbed went through is its past too; what of theirs goes on is its own.
    let absorbed: Vec<ContactId> = snapshot.contact.absorbed.iter().copied().collect();
    for one in absorbed {
        let over = runs(reader, one)?.into_iter();
        for run in over.filter(|run| run.journey == *journey && !run.is_live()) {
            if past < RUNS_MAX {
                past += 1;
                enter(&mut snapshot, &run);
                snapshot.enrollments.push(run);
            }
        }
    }
    let needs = core::needs(world, &snapshot, journey);
    load(reader, &mut snapshot, &needs)?;
    // Pages do not show what is awaited of a contact; arming anew on a copy finds the same moments.
    let mut copy = snapshot.clone();
    decide(world, &mut copy, &Input::Arm(journey.clone()), now);
    snapshot.watches = copy.watches;
    Ok(Some(snapshot))
}

/// Notes that a journey was entered, where nothing later is known about the same subject.
fn enter(snapshot: &mut Snapshot, run: &Enrollment) {
    let same = |one: &&mut Entry| one.journey == run.journey && one.subject == run.subject;
    match snapshot.entries.iter_mut().find(same) {
        Some(known) => known.at = known.at.max(run.entered_at),
        None => snapshot.entries.push(Entry {
            journey: run.journey.clone(),
            subject: run.subject.clone(),
            at: run.entered_at,
        }),
    }
}

/// Runs of a contact, the newest first, as far as the pages go.
fn runs(reader: &Reader, contact: ContactId) -> Result<Vec<Enrollment>, ReadError> {
    let mut found = Vec::new();
    let mut cursor = None;
    for _ in 0..PAGES_MAX {
        let page = reader.enrollments(contact, cursor.as_deref(), PAGE_ROWS_MAX)?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(found)
}

fn load(reader: &Reader, snapshot: &mut Snapshot, needs: &Needs) -> Result<(), ReadError> {
    let contact = snapshot.contact.id;
    let selves: Vec<ContactId> = snapshot.contact.selves().collect();
    for subject in &needs.objects {
        if let Some(object) = reader.object(contact, subject)? {
            snapshot.objects.insert(subject.clone(), object);
        }
    }
    if needs.history.is_empty() && !needs.last_event {
        return Ok(());
    }
    let mut events = Vec::new();
    for one in selves {
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let page = reader.events(one, cursor.as_deref(), PAGE_ROWS_MAX)?;
            for logged in page.items {
                let at = Some(logged.event.at);
                snapshot.last_event_at = snapshot.last_event_at.max(at);
                if needs.history.contains(&logged.event.name) {
                    events.push(Arc::new(logged.event));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    snapshot.history = History::new(events);
    Ok(())
}

/// Lines of the ledger about a journey, and those about the contact as a whole, the newest first: its own, and
/// those of whom it absorbed.
fn lines(
    reader: &Reader,
    contact: &Contact,
    journey: &JourneyId,
) -> Result<Vec<LedgerEntry>, ReadError> {
    let mut found: BTreeMap<u64, LedgerEntry> = BTreeMap::new();
    for one in contact.selves() {
        let recent = reader.ledger_of_contact(one, None, PAGE_ROWS_MAX)?;
        for line in recent.items {
            if line.entry.journey.is_none() {
                found.insert(line.number, line.entry);
            }
        }
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let page = reader.ledger_of_journey(one, journey, cursor.as_deref(), PAGE_ROWS_MAX)?;
            let lines = page.items.into_iter();
            found.extend(lines.map(|line| (line.number, line.entry)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(found.into_values().rev().collect())
}
