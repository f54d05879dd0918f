//! How fast the store is, beside what bare SQLite does on the same disk in the same run.
//!
//! `cargo run --release -p relance-store --example store_speed -- FOLDER [EVENTS] [CONTACTS] [TIMERS] [off]`
//!
//! Events go the way of a batch: keys remembered, contacts found by identity, snapshots loaded, events
//! (and for one in ten a changed contact) written, committed. Bare SQLite appends rows of the same size,
//! with a commit for each batch, and nothing else: the bound that no design passes. Both take turns, so
//! that a noisy neighbour hurts both. With `off` nothing is flushed to the disk, which shows the
//! processor's share alone. Timers are set, looked up when due and taken back.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::decide::{Effect, Timer, TimerKind};
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_engine::ports::{Change, Store};
use relance_store::{SqliteOptions, SqliteStore, Synchronous};
use rusqlite::{Connection, params};
use serde_json::json;

const BATCH_EVENTS: usize = 100;
const BATCH_TIMERS: usize = 1_000;
const ROUNDS: usize = 10;
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

fn later(n: u64) -> Timestamp {
    start() + SignedDuration::from_millis(i64::try_from(n).unwrap_or(0))
}

fn event(chance: &mut Chance, n: u64) -> Event {
    let name = NAMES[usize::try_from(chance.below(8)).unwrap_or(0)];
    let mut event = Event::track(name, later(n));
    let properties = json!({
        "product_id": format!("sku-{}", chance.below(10_000)), "price": 12.5, "currency": "EUR",
        "url": "https://shop.example/p/sku", "category": "shoes",
    });
    if let Some(fields) = properties.as_object() {
        event.properties = fields.clone();
    }
    event
}

/// A connection with the store's pragmas.
fn bare(path: &Path, options: &SqliteOptions, schema: &str) -> Result<Connection, rusqlite::Error> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 4000;",
    )?;
    if options.synchronous == Synchronous::Off {
        conn.execute_batch("PRAGMA synchronous = OFF")?;
    }
    conn.execute_batch(schema)?;
    Ok(conn)
}

fn rate(n: usize, spent: Duration) -> f64 {
    n as f64 / spent.as_secs_f64()
}

fn memory_mib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

/// Bytes of a database, its log emptied into it.
fn bytes(path: &Path) -> Result<u64, Box<dyn Error>> {
    Connection::open(path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(std::fs::metadata(path)?.len())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("name a folder that does not exist")?;
    let mut number = |default: usize| args.next().map_or(Ok(default), |text| text.parse());
    let (all_events, contacts, timers) = (number(1_000_000)?, number(100_000)?, number(1_000_000)?);
    let options = match args.next().as_deref() {
        None => SqliteOptions::default(),
        Some("off") => SqliteOptions {
            synchronous: Synchronous::Off,
            ..SqliteOptions::default()
        },
        Some(other) => return Err(format!("{other:?} is not off").into()),
    };
    let folder = Path::new(&folder);
    std::fs::create_dir(folder)?;
    events(folder, &options, all_events, contacts)?;
    timers_due(folder, &options, timers, contacts)
}

fn events(
    folder: &Path,
    options: &SqliteOptions,
    all: usize,
    contacts: usize,
) -> Result<(), Box<dyn Error>> {
    let mut store = SqliteStore::open(&folder.join("events.db"), options.clone())?;
    let began = Instant::now();
    for first in (0..contacts).step_by(1_000) {
        store.begin()?;
        for n in first..(first + 1_000).min(contacts) {
            store.resolve(&[Identity::user(&format!("user-{n}"))], start())?;
        }
        store.commit()?;
    }
    println!(
        "contacts created           {:>9.0} /s",
        rate(contacts, began.elapsed())
    );

    let conn = bare(
        &folder.join("bare-events.db"),
        options,
        "CREATE TABLE event (event_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL,
                             previous_id INTEGER, body TEXT NOT NULL) STRICT",
    )?;
    let mut chance = Chance(7);
    let mut next: u64 = 0;
    let (mut bare_time, mut port_time) = (Duration::ZERO, Duration::ZERO);
    let mut batches = Vec::new();
    let per_round = all / ROUNDS / BATCH_EVENTS;
    for round in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..per_round {
            conn.execute_batch("BEGIN IMMEDIATE")?;
            for _ in 0..BATCH_EVENTS {
                let body = relance_wire::stored::event_text(&event(&mut chance, next))?;
                conn.prepare_cached(
                    "INSERT INTO event (contact_id, previous_id, body) VALUES (?1, NULL, ?2)",
                )?
                .execute(params![7, body])?;
            }
            conn.execute_batch("COMMIT")?;
        }
        let bare_round = began.elapsed();
        let began = Instant::now();
        for _ in 0..per_round {
            let batch = Instant::now();
            one_batch(&mut store, &mut chance, &mut next, contacts)?;
            batches.push(batch.elapsed());
        }
        let port_round = began.elapsed();
        let n = per_round * BATCH_EVENTS;
        let (bound, port) = (rate(n, bare_round), rate(n, port_round));
        println!("round {round:>2}: bare {bound:>9.0} events/s, port {port:>9.0} events/s");
        bare_time += bare_round;
        port_time += port_round;
    }
    let n = per_round * BATCH_EVENTS * ROUNDS;
    let (bound, port) = (rate(n, bare_time), rate(n, port_time));
    println!(
        "events, batches of {BATCH_EVENTS}     {port:>9.0} /s through the port, {bound:.0} /s bare"
    );
    batches.sort_unstable();
    let quantile = |permille: usize| batches[(batches.len() - 1) * permille / 1_000];
    let (half, most, worst) = (quantile(500), quantile(990), quantile(1_000));
    println!("a batch takes              p50 {half:?}, p99 {most:?}, worst {worst:?}");
    println!("memory                     {}", memory_mib());
    drop(store);
    println!(
        "file                       {} bytes",
        bytes(&folder.join("events.db"))?
    );
    let began = Instant::now();
    SqliteStore::open(&folder.join("events.db"), options.clone())?;
    println!("opening again              {:?}", began.elapsed());
    Ok(())
}

fn one_batch(
    store: &mut SqliteStore,
    chance: &mut Chance,
    next: &mut u64,
    contacts: usize,
) -> Result<(), Box<dyn Error>> {
    let now = later(*next);
    let arrivals: Vec<(Identity, Event)> = (0..BATCH_EVENTS)
        .map(|_| {
            *next += 1;
            let who = chance.below(contacts as u64);
            (Identity::user(&format!("user-{who}")), event(chance, *next))
        })
        .collect();
    store.begin()?;
    let first = *next - BATCH_EVENTS as u64;
    let keys: Vec<u64> = (first..*next)
        .map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .collect();
    store.remember(&keys, now)?;
    let mut ids: Vec<ContactId> = Vec::with_capacity(BATCH_EVENTS);
    for (identity, _) in &arrivals {
        ids.push(store.resolve(std::slice::from_ref(identity), now)?);
    }
    let mut wanted = ids.clone();
    wanted.sort_unstable();
    wanted.dedup();
    let snapshots = store.load(&wanted)?;
    let mut changes: Vec<Change> = Vec::with_capacity(BATCH_EVENTS);
    for (n, (contact, (_, event))) in ids.into_iter().zip(arrivals).enumerate() {
        let mut effects = vec![Effect::Event(event.into())];
        if n % 10 == 0
            && let Some(snapshot) = snapshots.iter().find(|one| one.contact.id == contact)
        {
            let mut changed = snapshot.contact.clone();
            changed
                .traits
                .insert("last_seen".to_owned(), json!(now.to_string()));
            changed
                .traits
                .insert("email".to_owned(), json!(format!("{contact}@shop.example")));
            effects.push(Effect::Contact(Box::new(changed)));
        }
        changes.push(Change { contact, effects });
    }
    store.write(&changes)?;
    store.commit()?;
    Ok(())
}

fn timers_due(
    folder: &Path,
    options: &SqliteOptions,
    timers: usize,
    contacts: usize,
) -> Result<(), Box<dyn Error>> {
    let path = folder.join("timers.db");
    let mut store = SqliteStore::open(&path, options.clone())?;
    let before = std::fs::metadata(&path)?.len();
    let conn = bare(
        &folder.join("bare-timers.db"),
        options,
        "CREATE TABLE timer (due_at INTEGER NOT NULL, contact_id INTEGER NOT NULL,
                             kind INTEGER NOT NULL, target INTEGER NOT NULL,
                             PRIMARY KEY (due_at, contact_id, kind, target)) STRICT, WITHOUT ROWID",
    )?;
    let mut chance = Chance(11);
    // Thirty days of moments, as waits of days make them.
    let mut one = || {
        let due_at = later(chance.below(30 * 86_400_000));
        let kind = TimerKind::Enrollment(u32::try_from(chance.below(3) + 1).unwrap_or(1));
        (
            ContactId(chance.below(contacts as u64) + 1),
            Timer { due_at, kind },
        )
    };
    let (mut bare_time, mut port_time) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..timers / BATCH_TIMERS {
        let set: Vec<(ContactId, Timer)> = (0..BATCH_TIMERS).map(|_| one()).collect();
        let began = Instant::now();
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for (contact, timer) in &set {
            let due_at = i64::try_from(timer.due_at.as_nanosecond())?;
            conn.prepare_cached("INSERT OR IGNORE INTO timer VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![due_at, contact.0 as i64, 1, 1])?;
        }
        conn.execute_batch("COMMIT")?;
        bare_time += began.elapsed();
        let began = Instant::now();
        let change = |(contact, timer)| Change {
            contact,
            effects: vec![Effect::Arm(timer)],
        };
        let changes: Vec<Change> = set.into_iter().map(change).collect();
        store.begin()?;
        store.write(&changes)?;
        store.commit()?;
        port_time += began.elapsed();
    }
    let (bound, port) = (rate(timers, bare_time), rate(timers, port_time));
    println!(
        "timers set, of {BATCH_TIMERS}        {port:>9.0} /s through the port, {bound:.0} /s bare"
    );
    drop(store);
    let each = (bytes(&path)? - before) as f64 / timers as f64;
    println!("a timer takes              {each:.1} bytes");
    let began = Instant::now();
    let mut store = SqliteStore::open(&path, SqliteOptions::default())?;
    println!("opening again              {:?}", began.elapsed());

    let began = Instant::now();
    const LOOKS: usize = 10_000;
    for _ in 0..LOOKS {
        let early = store.due_timers(start() - SignedDuration::from_secs(1), BATCH_TIMERS)?;
        assert!(early.is_empty(), "a timer came early");
    }
    println!(
        "a look when nothing is due {:?}",
        began.elapsed() / LOOKS as u32
    );

    let now = later(u64::MAX >> 20);
    let began = Instant::now();
    let mut fired = 0;
    loop {
        let due = store.due_timers(now, BATCH_TIMERS)?;
        if due.is_empty() {
            break;
        }
        fired += due.len();
        let change = |(contact, timer)| Change {
            contact,
            effects: vec![Effect::Disarm(timer)],
        };
        let changes: Vec<Change> = due.into_iter().map(change).collect();
        store.begin()?;
        store.write(&changes)?;
        store.commit()?;
    }
    let port = rate(fired, began.elapsed());
    let began = Instant::now();
    loop {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let gone = conn
            .prepare_cached(
                "DELETE FROM timer WHERE due_at <= (SELECT due_at FROM timer ORDER BY due_at LIMIT 1 OFFSET 999)",
            )?
            .execute([])?;
        conn.execute_batch("COMMIT")?;
        if gone == 0 {
            break;
        }
    }
    let bound = rate(timers, began.elapsed());
    println!(
        "timers fired, of {BATCH_TIMERS}      {port:>9.0} /s through the port, {bound:.0} /s bare"
    );
    println!("memory                     {}", memory_mib());
    Ok(())
}
