//! Designs of the event log and of remembered keys, side by side: the numbers of decision 0003.
//!
//! `cargo run --release -p relance-store --example layout_speed -- FOLDER [EVENTS]`
//!
//! Each design appends the same events of 100,000 contacts with eight names, in batches of 100 and of
//! 1,000, flushed at each commit; then reads the history of one contact and name, 20,000 times.

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;
use relance_engine::ports::{Change, Store};
use relance_store::{SqliteOptions, SqliteStore};
use rusqlite::{Connection, OptionalExtension, params};

const CONTACTS: u64 = 100_000;
const READS: u64 = 20_000;
const NAMES: [&str; 8] = [
    "Viewed", "Bought", "Carted", "Opened", "Joined", "Paged", "Added", "Paid",
];

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }

    fn one(&mut self) -> (i64, &'static str) {
        let random = self.next();
        (
            (random % CONTACTS) as i64 + 1,
            NAMES[(random >> 40) as usize % 8],
        )
    }
}

fn open(path: &Path, schema: &str) -> Outcome<Connection> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 4000;",
    )?;
    conn.execute_batch(schema)?;
    Ok(conn)
}

fn event(name: &str, n: u64) -> Event {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(n as i64);
    let mut event = Event::track(name, at);
    event.properties.insert(
        "url".to_owned(),
        "https://shop.example/p/sku-123456?size=42".into(),
    );
    event
        .properties
        .insert("product_id".to_owned(), "sku-123456".into());
    event.properties.insert("price".to_owned(), 1234.5.into());
    event
}

/// Appends in batches; `put` writes one row, in a transaction of `begin` and `commit`.
fn appended(
    what: &str,
    batch: u64,
    all: u64,
    conn: &Connection,
    mut put: impl FnMut(&Connection, u64, i64, &str, &str) -> rusqlite::Result<()>,
) -> Outcome<()> {
    let mut chance = Chance(7);
    let began = Instant::now();
    for first in (0..all).step_by(batch as usize) {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for n in first..first + batch {
            let (contact, name) = chance.one();
            let body = relance_wire::stored::event_text(&event(name, n))?;
            put(conn, n, contact, name, &body)?;
        }
        conn.execute_batch("COMMIT")?;
    }
    report(what, batch, all, began);
    Ok(())
}

fn report(what: &str, batch: u64, all: u64, began: Instant) {
    println!(
        "{what:<44} batch {batch:>5} {:>9.0} /s",
        all as f64 / began.elapsed().as_secs_f64()
    );
}

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("name a folder that does not exist")?;
    let all: u64 = args.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = Path::new(&folder);
    std::fs::create_dir(folder)?;
    for batch in [100, 1_000] {
        logs(&folder.join(batch.to_string()), batch, all)?;
        keys(&folder.join(format!("keys-{batch}")), batch, all)?;
    }
    Ok(())
}

fn logs(at: &Path, batch: u64, all: u64) -> Outcome<()> {
    let file = |name: &str| at.with_extension(name);
    let row = "contact_id INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL";

    let conn = open(
        &file("bare"),
        &format!("CREATE TABLE event (event_id INTEGER PRIMARY KEY, {row}) STRICT"),
    )?;
    appended(
        "bare log, no history",
        batch,
        all,
        &conn,
        |conn, _, contact, name, body| {
            let sql = "INSERT INTO event (contact_id, name, body) VALUES (?1, ?2, ?3)";
            conn.prepare_cached(sql)?
                .execute(params![contact, name, body])
                .map(drop)
        },
    )?;

    let schema = format!(
        "CREATE TABLE event ({row}, n INTEGER, PRIMARY KEY (contact_id, name, n)) STRICT, WITHOUT ROWID"
    );
    let conn = open(&file("clustered"), &schema)?;
    appended(
        "clustered by contact, name and time",
        batch,
        all,
        &conn,
        |conn, n, contact, name, body| {
            let sql = "INSERT INTO event (contact_id, name, n, body) VALUES (?1, ?2, ?3, ?4)";
            conn.prepare_cached(sql)?
                .execute(params![contact, name, n as i64, body])
                .map(drop)
        },
    )?;
    read(
        &conn,
        "SELECT body FROM event WHERE contact_id = ?1 AND name = ?2 ORDER BY n DESC LIMIT 1000",
    )?;

    let schema = format!(
        "CREATE TABLE event (event_id INTEGER PRIMARY KEY, {row}) STRICT;
         CREATE INDEX event_by_contact ON event (contact_id, name)"
    );
    let conn = open(&file("index"), &schema)?;
    appended(
        "log with a live index",
        batch,
        all,
        &conn,
        |conn, _, contact, name, body| {
            let sql = "INSERT INTO event (contact_id, name, body) VALUES (?1, ?2, ?3)";
            conn.prepare_cached(sql)?
                .execute(params![contact, name, body])
                .map(drop)
        },
    )?;
    read(
        &conn,
        "SELECT body FROM event WHERE contact_id = ?1 AND name = ?2 ORDER BY event_id DESC LIMIT 1000",
    )?;

    let conn = open(
        &file("chain"),
        "CREATE TABLE event (event_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL,
                             previous_id INTEGER, body TEXT NOT NULL) STRICT;
         CREATE TABLE event_head (contact_id INTEGER, name TEXT, last_id INTEGER,
                                  PRIMARY KEY (contact_id, name)) STRICT, WITHOUT ROWID",
    )?;
    appended(
        "log with chains, beginnings written at once",
        batch,
        all,
        &conn,
        |conn, _, contact, name, body| {
            let sql = "SELECT last_id FROM event_head WHERE contact_id = ?1 AND name = ?2";
            let previous: Option<i64> = conn
                .prepare_cached(sql)?
                .query_row(params![contact, name], |row| row.get(0))
                .optional()?;
            let sql = "INSERT INTO event (contact_id, previous_id, body) VALUES (?1, ?2, ?3)";
            let id = conn
                .prepare_cached(sql)?
                .insert(params![contact, previous, body])?;
            let sql = "INSERT INTO event_head (contact_id, name, last_id) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET last_id = excluded.last_id";
            conn.prepare_cached(sql)?
                .execute(params![contact, name, id])
                .map(drop)
        },
    )?;

    let mut store = SqliteStore::open(&file("store"), SqliteOptions::default())?;
    let mut chance = Chance(7);
    let began = Instant::now();
    for first in (0..all).step_by(batch as usize) {
        let one = |n| {
            let (contact, name) = chance.one();
            let effects = vec![Effect::Event(event(name, n).into())];
            Change {
                contact: ContactId(contact as u64),
                effects,
            }
        };
        let changes: Vec<Change> = (first..first + batch).map(one).collect();
        store.begin()?;
        store.write(&changes)?;
        store.commit()?;
    }
    report(
        "log with chains, beginnings in sweeps (store)",
        batch,
        all,
        began,
    );
    let mut chance = Chance(99);
    let began = Instant::now();
    let mut found = 0;
    for _ in 0..READS {
        let (contact, name) = chance.one();
        let contact =
            relance_core::contact::Contact::new(ContactId(contact as u64), Timestamp::UNIX_EPOCH);
        let mut snapshot = Snapshot::new(contact);
        let needs = Needs {
            history: [name.into()].into(),
            ..Needs::default()
        };
        store.load_needs(&mut snapshot, &needs)?;
        found += snapshot.history.of(&name.into()).count();
    }
    println!(
        "  a history, decoded: {:?}, {found} events",
        began.elapsed() / READS as u32
    );
    Ok(())
}

fn read(conn: &Connection, sql: &str) -> Outcome<()> {
    let mut chance = Chance(99);
    let began = Instant::now();
    let mut found = 0;
    for _ in 0..READS {
        let (contact, name) = chance.one();
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![contact, name])?;
        while let Some(row) = rows.next()? {
            relance_wire::stored::read_event(row.get_ref(0)?.as_str()?)?;
            found += 1;
        }
    }
    println!(
        "  a history, decoded: {:?}, {found} events",
        began.elapsed() / READS as u32
    );
    Ok(())
}

fn keys(at: &Path, batch: u64, all: u64) -> Outcome<()> {
    let conn = open(
        &at.with_extension("tree"),
        "CREATE TABLE seen (key INTEGER PRIMARY KEY) STRICT",
    )?;
    let mut chance = Chance(7);
    let began = Instant::now();
    for _ in (0..all).step_by(batch as usize) {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..batch {
            let sql = "INSERT INTO seen (key) VALUES (?1) ON CONFLICT DO NOTHING";
            conn.prepare_cached(sql)?
                .execute([(chance.next() << 8) as i64])?;
        }
        conn.execute_batch("COMMIT")?;
    }
    report("keys in a table by key", batch, all, began);

    let conn = open(
        &at.with_extension("log"),
        "CREATE TABLE seen (seen_id INTEGER PRIMARY KEY, keys BLOB) STRICT",
    )?;
    let mut known: HashSet<u64> = HashSet::new();
    let began = Instant::now();
    for _ in (0..all).step_by(batch as usize) {
        let fresh: Vec<u64> = (0..batch)
            .map(|_| chance.next())
            .filter(|key| known.insert(*key))
            .collect();
        let blob: Vec<u8> = fresh.iter().flat_map(|key| key.to_le_bytes()).collect();
        conn.execute_batch("BEGIN IMMEDIATE")?;
        conn.prepare_cached("INSERT INTO seen (keys) VALUES (?1)")?
            .execute([blob])?;
        conn.execute_batch("COMMIT")?;
    }
    report(
        "keys in memory, a log of them in the file",
        batch,
        all,
        began,
    );
    Ok(())
}
