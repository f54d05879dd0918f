//! How fast a walk over the whole log is, beside what bare SQLite does with it in the same run.
//!
//! `cargo run --release -p relance-store --example history_speed -- FOLDER [EVENTS] [CONTACTS] [ROUNDS]`
//!
//! A log of events of random contacts is walked contact by contact, each one's in order of time, as
//! `journey backtest` does. In turn with it the bound: the rows of the log in order of arrival, neither
//! sorted nor decoded. Then the history of single contacts, and how much is read from a late moment on.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_engine::ports::{Change, Store};
use relance_store::{Reader, SqliteOptions, SqliteStore, Synchronous};
use rusqlite::Connection;
use serde_json::json;

const BATCH_EVENTS: u64 = 1_000;
const SINGLE_READS: u64 = 10_000;
const SPAN: SignedDuration = SignedDuration::from_hours(365 * 24);
const NAMES: [&str; 8] = [
    "Product Viewed",
    "Order Completed",
    "Cart Viewed",
    "Email Opened",
    "Signed Up",
    "Page Viewed",
    "Product Added",
    "Checkout Started",
];

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % limit
    }
}

fn start() -> Timestamp {
    Timestamp::constant(1_800_000_000, 0)
}

fn event(chance: &mut Chance, n: u64, all: u64) -> Event {
    let name = NAMES[usize::try_from(chance.below(8)).unwrap_or(0)];
    let share = n as f64 / all as f64;
    let mut event = Event::track(name, start() + SPAN.mul_f64(share));
    let properties = json!({
        "product_id": format!("sku-{}", chance.below(10_000)), "price": 12.5, "currency": "EUR",
        "url": "https://shop.example/p/sku", "category": "shoes",
    });
    if let Some(fields) = properties.as_object() {
        event.properties = fields.clone();
    }
    event
}

fn seed(path: &Path, all: u64, contacts: u64) -> Result<(), Box<dyn Error>> {
    let options = SqliteOptions {
        synchronous: Synchronous::Off,
        ..SqliteOptions::default()
    };
    let mut store = SqliteStore::open(path, options)?;
    for first in (0..contacts).step_by(BATCH_EVENTS as usize) {
        store.begin()?;
        for n in first..(first + BATCH_EVENTS).min(contacts) {
            store.resolve(&[Identity::user(&n.to_string())], start())?;
        }
        store.commit()?;
    }
    let mut chance = Chance(7);
    for first in (0..all).step_by(BATCH_EVENTS as usize) {
        let one = |n| Change {
            contact: ContactId(chance.below(contacts) + 1),
            effects: vec![Effect::Event(event(&mut chance, n, all).into())],
        };
        let changes: Vec<Change> = (first..(first + BATCH_EVENTS).min(all)).map(one).collect();
        store.begin()?;
        store.write(&changes)?;
        store.commit()?;
    }
    Ok(())
}

/// What the program holds apart from pages of the file, in kB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn median(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[0], times[times.len() - 1])
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("name a folder that does not exist")?;
    let mut number = |default: u64| args.next().map_or(Ok(default), |text| text.parse());
    let (all, contacts, rounds) = (number(1_000_000)?, number(100_000)?, number(5)?);
    let folder = Path::new(&folder);
    std::fs::create_dir(folder)?;
    let path = folder.join("workspace.db");
    seed(&path, all, contacts)?;

    let reader = Reader::open(&path)?;
    let bare = Connection::open(&path)?;
    let (mut bound, mut walk) = (Vec::new(), Vec::new());
    let before = memory();
    let mut most = before;
    for _ in 0..rounds {
        let began = Instant::now();
        let mut statement = bare.prepare("SELECT contact_id, event_id, body FROM event")?;
        let mut rows = statement.query([])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            bytes += row.get_ref(2)?.as_str()?.len();
        }
        bound.push(began.elapsed());

        let began = Instant::now();
        let (mut events, mut told, mut last) = (0, 0, ContactId(0));
        reader.history(Timestamp::MIN, |one| {
            assert!(one.contact > last && one.events.is_sorted_by_key(|event| event.at));
            last = one.contact;
            events += one.events.len();
            told += 1;
            if told % 10_000 == 1 {
                most = most.max(memory());
            }
            ControlFlow::Continue(())
        })?;
        walk.push(began.elapsed());
        assert_eq!(u64::try_from(events)?, all, "everything is told");
        println!(
            "{events} events of {told} contacts, {bytes} bytes: bare {:?}, walk {:?}",
            bound[bound.len() - 1],
            walk[walk.len() - 1]
        );
    }
    for (what, times) in [("rows, bare", bound), ("a walk", walk)] {
        let (middle, least, longest) = median(times);
        let rate = all as f64 / middle.as_secs_f64();
        println!("{what:<12} {rate:>9.0} events/s, median {middle:?}, {least:?} to {longest:?}");
    }
    println!("memory       {before} kB before, {most} kB at most during a walk");

    let began = Instant::now();
    let mut chance = Chance(99);
    let mut found = 0;
    for _ in 0..SINGLE_READS {
        let contact = ContactId(chance.below(contacts) + 1);
        let own = reader.events_between(contact, Timestamp::MIN, Timestamp::MAX)?;
        found += own.events.len();
    }
    let each = began.elapsed() / u32::try_from(SINGLE_READS)?;
    println!("one contact                {each:?}, {found} events in all");

    let since = start() + SPAN.mul_f64(0.9);
    let began = Instant::now();
    let mut events = 0;
    reader.history(since, |one| {
        events += one.events.len();
        ControlFlow::Continue(())
    })?;
    let read = reader.history_events(since)?;
    println!(
        "the last tenth of the log  {:?}: {events} told, {read} read",
        began.elapsed()
    );
    Ok(())
}
