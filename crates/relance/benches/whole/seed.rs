//! Workspaces to measure on: made through the program's own commands, contacts through its store.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::decide::{Effect, Timer, TimerKind};
use relance_core::enrollment::{Enrollment, EnrollmentState, Entry};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId};
use relance_core::ledger::{LedgerEntry, What};
use relance_core::snapshot::Snapshot;
use relance_engine::ports::{Change, Store};
use relance_store::{SqliteOptions, SqliteStore, Synchronous};
use serde_json::json;

use crate::{Failure, server};

/// Contacts made in one commit.
const BATCH: u64 = 1_000;
/// Journeys of one application; a scenario holds no more files.
const JOURNEYS_PER_APPLY: usize = 400;
/// The database's name inside a data folder.
const DATABASE: &str = "relance.db";

/// Creates a workspace; returns its write key.
pub fn workspace(data: &Path, config: &str) -> Result<String, Failure> {
    std::fs::create_dir_all(data)?;
    std::fs::write(data.join("relance.toml"), config)?;
    let data = data.to_str().ok_or("the folder's name is no text")?;
    let made = server::command(&["init", "--json", "--data", data])?;
    let made: serde_json::Value = serde_json::from_str(&made)?;
    let key = made["write_key"].as_str().ok_or("no write key")?;
    Ok(key.to_owned())
}

/// Publishes journeys and templates.
pub fn apply(
    data: &Path,
    journeys: &[String],
    templates: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    for chunk in journeys.chunks(JOURNEYS_PER_APPLY) {
        let scenario = folder.path().join("scenario");
        std::fs::create_dir_all(scenario.join("templates"))?;
        for (n, text) in chunk.iter().enumerate() {
            std::fs::write(scenario.join(format!("{n}.yaml")), text)?;
        }
        for (name, text) in templates {
            std::fs::write(scenario.join("templates").join(name), text)?;
        }
        let words = [
            "journey",
            "apply",
            scenario.to_str().ok_or("no text")?,
            "--data",
            data.to_str().ok_or("no text")?,
        ];
        server::command(&words)?;
        std::fs::remove_dir_all(scenario)?;
    }
    Ok(())
}

fn open(data: &Path) -> Result<SqliteStore, Failure> {
    // Nothing measured: what is lost in a crash is made again.
    let options = SqliteOptions {
        synchronous: Synchronous::Off,
        ..SqliteOptions::default()
    };
    Ok(SqliteStore::open(&data.join(DATABASE), options)?)
}

fn user(n: u64) -> Identity {
    Identity::user(&format!("user-{n}"))
}

fn contact(mut snapshot: Snapshot, n: u64) -> relance_core::contact::Contact {
    let traits = json!({
        "email": format!("user-{n}@client-{}.example", n % 5_000), "firstName": "Ana", "name": "Ana Example",
        "plan": "pro", "country": "DE", "timezone": "Europe/Berlin", "language": "en",
    });
    if let Some(fields) = traits.as_object() {
        snapshot.contact.traits = fields.clone();
    }
    snapshot.contact
}

/// Makes contacts `user-0` and on, each with an address and a zone.
pub fn contacts(data: &Path, count: u64) -> Result<(), Failure> {
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
    let mut store = open(data)?;
    for first in (0..count).step_by(BATCH as usize) {
        store.begin()?;
        let mut changes = Vec::new();
        for n in first..(first + BATCH).min(count) {
            let id = store.resolve(&[user(n)], now)?;
            let snapshot = store.load(&[id])?.pop().ok_or("no contact")?;
            changes.push(Change {
                contact: id,
                effects: vec![Effect::Contact(Box::new(contact(snapshot, n)))],
            });
        }
        store.write(&changes)?;
        store.commit()?;
    }
    Ok(())
}

/// The journey that [`waiting`] contacts stand in.
pub const WAITING: &str = "\
format: journey/1
id: waiting
name: Waiting
trigger: { event: Signed Up }
reentry: always
steps:
  - id: pause
    wait: 30d
  - set: { contact.waited: true }
";

fn run(contact: ContactId, entered_at: Timestamp, until: Timestamp) -> Enrollment {
    Enrollment {
        id: EnrollmentId { contact, number: 1 },
        journey: JourneyId::from("waiting"),
        version: 1,
        subject: None,
        entered_at,
        cause: None,
        held_out: false,
        converted_at: None,
        goal_until: None,
        chain: 0,
        variant: None,
        state: EnrollmentState::Waiting {
            step: "pause".into(),
            since: entered_at,
            until,
        },
    }
}

const fn timer(due_at: Timestamp) -> Timer {
    Timer {
        due_at,
        kind: TimerKind::Enrollment(1),
    }
}

/// Moment at which the `n`-th waiting contact's wait ends, if nobody moves it: within a month.
fn end_of_wait(began: Timestamp, n: u64) -> Timestamp {
    let spread = i64::try_from(n % 2_000_000).unwrap_or(0);
    began + SignedDuration::from_hours(24) + SignedDuration::from_millis(spread * 1_000)
}

/// Makes contacts that all stand at a wait. Returns when they began.
pub fn waiting(data: &Path, count: u64) -> Result<Timestamp, Failure> {
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
    let mut store = open(data)?;
    for first in (0..count).step_by(BATCH as usize) {
        store.begin()?;
        let mut changes = Vec::new();
        for n in first..(first + BATCH).min(count) {
            let id = store.resolve(&[user(n)], now)?;
            let snapshot = store.load(&[id])?.pop().ok_or("no contact")?;
            let mut contact = contact(snapshot, n);
            contact.enrollments = 1;
            let run = run(id, now, end_of_wait(now, n));
            let line = |what| {
                Effect::Ledger(LedgerEntry {
                    journey: Some(run.journey.clone()),
                    enrollment: Some(run.id),
                    ..LedgerEntry::new(now, id, what)
                })
            };
            let effects = vec![
                Effect::Contact(Box::new(contact)),
                Effect::Entry(Entry {
                    journey: run.journey.clone(),
                    subject: None,
                    at: now,
                }),
                line(What::Enrolled),
                line(What::Waiting),
                Effect::Arm(timer(end_of_wait(now, n))),
                Effect::Enrollment(run),
            ];
            changes.push(Change {
                contact: id,
                effects,
            });
        }
        store.write(&changes)?;
        store.commit()?;
    }
    Ok(now)
}

/// Lets the waits of some contacts end together at `due`.
pub fn end_waits(
    data: &Path,
    began: Timestamp,
    numbers: std::ops::Range<u64>,
    due: Timestamp,
) -> Result<(), Failure> {
    let mut store = open(data)?;
    let numbers: Vec<u64> = numbers.collect();
    for chunk in numbers.chunks(BATCH as usize) {
        store.begin()?;
        let mut changes = Vec::new();
        for n in chunk {
            let id = store.find(&user(*n))?.ok_or("no contact")?;
            changes.push(Change {
                contact: id,
                effects: vec![
                    Effect::Disarm(timer(end_of_wait(began, *n))),
                    Effect::Arm(timer(due)),
                    Effect::Enrollment(run(id, began, due)),
                ],
            });
        }
        store.write(&changes)?;
        store.commit()?;
    }
    Ok(())
}

/// Copies a data folder in which no server runs.
pub fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
