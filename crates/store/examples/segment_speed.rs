//! How fast segments are kept and built, beside what bare SQLite does on the same disk in the same run.
//!
//! `cargo run --release -p relance-store --example segment_speed -- ingest FOLDER [EVENTS] [CONTACTS] [SEGMENTS] [off]`
//! `cargo run --release -p relance-store --example segment_speed -- lag FOLDER [SECONDS] [CONTACTS] [SEGMENTS] [off]`
//! `cargo run --release -p relance-store --example segment_speed -- build FOLDER [EVENTS] [CONTACTS] [busy]`
//! `cargo run --release -p relance-store --example segment_speed -- all FOLDER`
//!
//! *ingest*: events go through whole turns of the engine, 1,000 a batch, with so many segments in force; 100
//! of them ask about the twenty names that happen (five about each), the others about names that do not. Each
//! batch takes turns with a bare transaction that appends rows of the same size and looks nothing up. With `off` nothing
//! is flushed to the disk, which shows the processor's share alone.
//!
//! *lag*: as *ingest* as fast as it goes for some seconds, then half of that in an open loop: how long after an event
//! was due its memberships are committed. Turns take what is due, as the engine's thread does.
//!
//! *all*: the curve of *ingest* (10,000, 100,000 and 1,000,000 contacts; 0, 100 and 1,000 segments), *lag* and *build*, each
//! in a process of its own. The files of some 6 GB are removed.
//!
//! *build*: a file with so many events is made (once: it is kept in the folder), then segments are defined and
//! built: about an event that is a twentieth, or half, of the log, by moments alone or by properties as well. With
//! `busy`, 200 events arrive in each turn. What a turn takes bounds how long those who wait must.

mod load;

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use relance_core::contact::{Contact, Identity};
use relance_core::ids::ContactId;
use relance_engine::arrival::Arrival;
use relance_engine::turn::Engine;
use relance_store::{SqliteOptions, SqliteStore, Synchronous};
use rusqlite::{Connection, params};
use serde_json::json;
use std::sync::Arc;

use load::{
    BATCH, Chance, Failure, NAMES, Nowhere, arrivals, define, did, engine, event, load, memory,
    now, price_from, processor, segment, segments, user,
};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Own = Engine<SqliteStore, Nowhere>;

const ROUNDS: usize = 10;
/// Contacts without a past, and their identities.
fn make_contacts(conn: &Connection, contacts: u64) -> Result<(), Failure> {
    let created = now() - SignedDuration::from_hours(24 * 90);
    conn.execute_batch("BEGIN")?;
    for n in 1..=contacts {
        let mut contact = Contact::new(ContactId(n), created);
        contact
            .traits
            .insert("email".to_owned(), json!(format!("user-{n}@shop.example")));
        contact.traits.insert(
            "city".to_owned(),
            json!(["Berlin", "Osaka", "Tver"][(n % 3) as usize]),
        );
        let body = relance_wire::stored::contact_text(&contact)?;
        conn.prepare_cached("INSERT INTO contact (contact_id, body) VALUES (?1, ?2)")?
            .execute(params![n as i64, body])?;
        conn.prepare_cached(
            "INSERT INTO identity (kind, value, contact_id) VALUES ('user_id', ?1, ?2)",
        )?
        .execute(params![user(n), n as i64])?;
    }
    conn.prepare("INSERT INTO total (name, n) VALUES ('contacts', ?1)")?
        .execute([contacts as i64])?;
    conn.execute_batch("COMMIT")?;
    Ok(())
}

/// A log of ninety days, as the store would have written it.
fn make_log(conn: &Connection, events: u64, contacts: u64) -> Result<(), Failure> {
    let mut chance = Chance(7);
    let mut heads: Vec<[(u32, i64); NAMES.len()]> =
        vec![[(0, 0); NAMES.len()]; contacts as usize + 1];
    let began = now() - SignedDuration::from_hours(24 * 90);
    let step = 90 * 86_400_000 / events.max(1);
    let mut day = -1;
    conn.execute_batch("BEGIN")?;
    for n in 1..=events {
        let at = began + SignedDuration::from_millis((n * step) as i64);
        let contact = 1 + chance.below(contacts);
        let event = event(&mut chance, at);
        let name = NAMES
            .iter()
            .position(|name| *name == event.name.as_str())
            .unwrap_or(0);
        let head = &mut heads[contact as usize][name];
        let previous = (head.0 > 0).then_some(i64::from(head.0));
        *head = (u32::try_from(n)?, i64::try_from(at.as_nanosecond())?);
        let body = relance_wire::stored::event_text(&event)?;
        conn.prepare_cached(
            "INSERT INTO event (event_id, contact_id, previous_id, body) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![n as i64, contact as i64, previous, body])?;
        if at.as_second().div_euclid(86_400) != day {
            day = at.as_second().div_euclid(86_400);
            conn.prepare_cached(
                "INSERT INTO event_day (day, event_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )?
            .execute(params![day, n as i64])?;
        }
        if n % 100_000 == 0 {
            conn.execute_batch("COMMIT; BEGIN")?;
        }
    }
    let mut order: Vec<usize> = (0..NAMES.len()).collect();
    order.sort_by_key(|name| NAMES[*name]);
    for (contact, heads) in heads.iter().enumerate() {
        for name in &order {
            let (last, at) = heads[*name];
            if last > 0 {
                conn.prepare_cached("INSERT INTO event_head (contact_id, name, last_id, last_at) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![contact as i64, NAMES[*name], last, at])?;
            }
        }
    }
    conn.prepare("INSERT INTO mark (name, n) VALUES ('event_head', ?1)")?
        .execute([events as i64])?;
    conn.prepare("INSERT INTO total (name, n) VALUES ('events', ?1)")?
        .execute([events as i64])?;
    conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn main() -> Result<(), Failure> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let has = |args: &mut Vec<String>, word: &str| {
        let before = args.len();
        args.retain(|one| one != word);
        args.len() < before
    };
    let (off, busy) = (has(&mut args, "off"), has(&mut args, "busy"));
    let mut args = args.into_iter();
    let what = args.next().ok_or("say ingest, lag, build or all")?;
    let folder = args.next().ok_or("name a folder")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let mut number = |default: u64| args.next().map_or(Ok(default), |text| text.parse());
    let options = SqliteOptions {
        synchronous: if off {
            Synchronous::Off
        } else {
            Synchronous::Full
        },
        ..SqliteOptions::default()
    };
    match what.as_str() {
        "ingest" => {
            let (events, contacts, segments) = (number(300_000)?, number(1_000_000)?, number(100)?);
            ingest(folder, &options, events, contacts, segments as usize)
        }
        "lag" => {
            let (seconds, contacts, segments) = (number(20)?, number(1_000_000)?, number(100)?);
            lag(folder, &options, seconds, contacts, segments as usize)
        }
        "all" => all(folder),
        "build" => build(
            folder,
            &options,
            number(20_000_000)?,
            number(1_000_000)?,
            busy,
        ),
        other => Err(format!("{other:?} is none of ingest, lag, build and all").into()),
    }
}

/// An engine over a file with contacts who did nothing yet, and segments that nobody belongs to.
fn populated(
    path: &Path,
    options: &SqliteOptions,
    contacts: u64,
    count: usize,
) -> Result<Own, Failure> {
    let segments = segments(count)?;
    let mut nobody = engine(SqliteStore::open(path, options.clone())?, &[])?;
    let mut more = nobody.turn(&[&define(segments.clone())], now())?.more;
    while more {
        more = nobody.turn(&[], now())?.more;
    }
    drop(nobody);
    make_contacts(&Connection::open(path)?, contacts)?;
    engine(SqliteStore::open(path, options.clone())?, &segments)
}

/// Bytes of a file, with what is still in its write-ahead log.
fn file_bytes(path: &Path) -> Result<u64, Failure> {
    let conn = Connection::open(path)?;
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let size: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    Ok((pages * size).unsigned_abs())
}

/// How long after an event was due its memberships are committed, at half of what can be taken.
fn lag(
    folder: &Path,
    options: &SqliteOptions,
    seconds: u64,
    contacts: u64,
    count: usize,
) -> Result<(), Failure> {
    let path = folder.join(format!("lag-{contacts}-{count}.db"));
    for end in ["", "-wal", "-shm"] {
        let _none = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    let mut engine = populated(&path, options, contacts, count)?;
    let mut chance = Chance(17);
    let mut next = 0;
    let (began, mut taken, mut spent) = (Instant::now(), 0_u64, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(seconds) {
        let batch = arrivals(&mut chance, &mut next, BATCH, contacts);
        let asked: Vec<&Arrival> = batch.iter().collect();
        let turn = Instant::now();
        let at = now() + SignedDuration::from_millis((next / 20) as i64);
        engine.turn(&asked, at)?;
        spent += turn.elapsed();
        taken += BATCH as u64;
    }
    let most = taken as f64 / spent.as_secs_f64();
    let half = most / 2.0;
    let began = Instant::now();
    let mut waits: Vec<Duration> = Vec::new();
    let mut sent = 0_u64;
    let mut ready = Vec::new();
    while began.elapsed() < Duration::from_secs(seconds) {
        let due = (began.elapsed().as_secs_f64() * half) as u64;
        // Made before they are due, so that making them is not waited for.
        let short = (BATCH * 2).saturating_sub(ready.len());
        ready.extend(arrivals(&mut chance, &mut next, short, contacts));
        let many = due.saturating_sub(sent).min(ready.len() as u64);
        if many == 0 {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        }
        let batch: Vec<Arrival> = ready.drain(..many as usize).collect();
        let asked: Vec<&Arrival> = batch.iter().collect();
        let at = now() + SignedDuration::from_millis((next / 20) as i64);
        let mut more = engine.turn(&asked, at)?.more;
        while more {
            more = engine.turn(&[], at)?.more;
        }
        let done = began.elapsed();
        waits.extend((0..many).map(|n| {
            let due = Duration::from_secs_f64((sent + n) as f64 / half);
            done.saturating_sub(due)
        }));
        sent += many;
    }
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 1_000).copied();
    println!(
        "lag, {contacts} contacts, {count} segments, load {}: most {most:.0} events/s; at {half:.0}: p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        load(),
        at(500).unwrap_or_default(),
        at(990).unwrap_or_default(),
        waits.last().copied().unwrap_or_default(),
    );
    Ok(())
}

/// Everything, each part in a process of its own.
fn all(folder: &Path) -> Result<(), Failure> {
    let own = std::env::current_exe()?;
    let part = |words: &[&str]| {
        let folder = folder.join("part");
        let mut command = std::process::Command::new(&own);
        let (what, rest) = words.split_first().ok_or("a part has a name")?;
        let ended = command.arg(what).arg(&folder).args(rest).status()?;
        let _none = std::fs::remove_dir_all(&folder);
        if ended.success() {
            Ok::<(), Failure>(())
        } else {
            Err(format!("{words:?} failed").into())
        }
    };
    for contacts in ["10000", "100000", "1000000"] {
        for segments in ["0", "100", "1000"] {
            part(&["ingest", "200000", contacts, segments])?;
        }
    }
    for contacts in ["100000", "1000000"] {
        part(&["lag", "20", contacts, "100"])?;
    }
    part(&["build"])
}

fn ingest(
    folder: &Path,
    options: &SqliteOptions,
    events: u64,
    contacts: u64,
    count: usize,
) -> Result<(), Failure> {
    let path = folder.join(format!("ingest-{contacts}-{count}.db"));
    for end in ["", "-wal", "-shm"] {
        let _none = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    let mut engine = populated(&path, options, contacts, count)?;
    let before = file_bytes(&path)?;
    let bare_path = folder.join("bare.db");
    let _none = std::fs::remove_file(&bare_path);
    let bare = Connection::open(&bare_path)?;
    bare.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;
         CREATE TABLE event (event_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL, previous_id INTEGER, body TEXT NOT NULL) STRICT;
         CREATE TABLE seen (seen_id INTEGER PRIMARY KEY, keys BLOB NOT NULL) STRICT;",
    )?;
    if options.synchronous == Synchronous::Off {
        bare.execute_batch("PRAGMA synchronous = OFF")?;
    }
    let mut chance = Chance(11);
    let mut next = 0_u64;
    let (mut rates, mut bounds, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    let (mut used, mut bare_used) = (Duration::ZERO, Duration::ZERO);
    let per_round = events as usize / ROUNDS / BATCH;
    for _ in 0..ROUNDS {
        let (mut ours, mut bares) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..per_round {
            let arrivals = arrivals(&mut chance, &mut next, BATCH, contacts);
            let at = now() + SignedDuration::from_millis((next / 20) as i64);
            let began = Instant::now();
            let before = processor();
            bare.execute_batch("BEGIN IMMEDIATE")?;
            for arrival in &arrivals {
                if let Arrival::Event { event, .. } = arrival {
                    let body = relance_wire::stored::event_text(event)?;
                    bare.prepare_cached(
                        "INSERT INTO event (contact_id, previous_id, body) VALUES (?1, 7, ?2)",
                    )?
                    .execute(params![7, body])?;
                }
            }
            bare.prepare_cached("INSERT INTO seen (keys) VALUES (?1)")?
                .execute([vec![7_u8; 8 * BATCH]])?;
            bare.execute_batch("COMMIT")?;
            bares += began.elapsed();
            bare_used += processor() - before;
            let asked: Vec<&Arrival> = arrivals.iter().collect();
            let began = Instant::now();
            let before = processor();
            let summary = engine.turn(&asked, at)?;
            let time = began.elapsed();
            used += processor() - before;
            ours += time;
            batches.push(time);
            if summary.decided < BATCH {
                return Err(format!("not all was decided: {summary:?}").into());
            }
        }
        let n = (per_round * BATCH) as f64;
        rates.push(n / ours.as_secs_f64());
        bounds.push(n / bares.as_secs_f64());
    }
    batches.sort_unstable();
    let say = |name: &str, list: &mut Vec<f64>| {
        list.sort_by(f64::total_cmp);
        println!(
            "{name:<44} {:>9.0} ({:.0} to {:.0})",
            list[list.len() / 2],
            list[0],
            list[list.len() - 1]
        );
    };
    println!("{contacts} contacts, {count} segments, load {}", load());
    say("bare rows, events/s", &mut bounds);
    say("events to commit, events/s", &mut rates);
    let all = (per_round * BATCH * ROUNDS) as f64 / 1e6;
    println!(
        "processor time, us/event: {:.1}; bare {:.1}",
        used.as_secs_f64() / all,
        bare_used.as_secs_f64() / all
    );
    println!(
        "a batch of {BATCH}: p50 {:?}, p99 {:?}",
        batches[batches.len() / 2],
        batches[batches.len() * 99 / 100]
    );
    let members: i64 =
        Connection::open(&path)?.query_row("SELECT count(*) FROM member", [], |row| row.get(0))?;
    let events = (per_round * BATCH * ROUNDS) as f64;
    println!(
        "resident {:.0} MiB, of it not pages of files {:.0} MiB: {:.0} bytes a contact; {members} memberships",
        memory("VmRSS:"),
        memory("RssAnon:"),
        memory("RssAnon:") * 1_048_576.0 / contacts as f64,
    );
    println!(
        "in the file: {:.0} bytes a contact, {:.0} bytes an event with its memberships",
        before as f64 / contacts as f64,
        file_bytes(&path)?.saturating_sub(before) as f64 / events,
    );
    Ok(())
}

fn build(
    folder: &Path,
    options: &SqliteOptions,
    events: u64,
    contacts: u64,
    busy: bool,
) -> Result<(), Failure> {
    let path = folder.join(format!("build-{events}-{contacts}.db"));
    if !path.exists() {
        let began = Instant::now();
        drop(SqliteStore::open(&path, options.clone())?);
        let conn = Connection::open(&path)?;
        conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")?;
        make_contacts(&conn, contacts)?;
        make_log(&conn, events, contacts)?;
        println!(
            "made in {:?}, {} MiB",
            began.elapsed(),
            std::fs::metadata(&path)?.len() >> 20
        );
    }
    let mut engine = engine(SqliteStore::open(&path, options.clone())?, &[])?;
    let mut chance = Chance(13);
    let mut told = 0_u64;
    let cases = [
        ("5 %, moments", did(NAMES[0], 3, "30d", None)?),
        ("50 %, moments", did(NAMES[1], 3, "30d", None)?),
        ("5 %, moments, again", did(NAMES[0], 1, "90d", None)?),
        (
            "5 %, where",
            did(NAMES[0], 2, "90d", Some(price_from(100.0)?))?,
        ),
        (
            "50 %, where",
            did(NAMES[1], 3, "30d", Some(price_from(100.0)?))?,
        ),
    ];
    for (n, (name, condition)) in cases.into_iter().enumerate() {
        let id = format!("case-{n}-{}", std::process::id());
        let arrival = define(vec![segment(&id, condition)]);
        let began = Instant::now();
        let used = processor();
        let mut turns = vec![Duration::ZERO; 0];
        let mut arrivals = vec![arrival];
        loop {
            if busy {
                arrivals.extend((0..200).map(|_| {
                    told += 1;
                    let mut event = event(&mut chance, now());
                    event.message_id = Some(format!("{id}-{told}").into());
                    let who = 1 + chance.below(contacts);
                    Arrival::Event {
                        identities: vec![Identity::user(&user(who))],
                        event: Arc::new(event),
                    }
                }));
            }
            let asked: Vec<&Arrival> = arrivals.iter().collect();
            let turn = Instant::now();
            let more = engine.turn(&asked, now())?.more;
            turns.push(turn.elapsed());
            arrivals.clear();
            if !more {
                break;
            }
        }
        let spent = began.elapsed();
        turns.sort_unstable();
        let members: i64 = Connection::open(&path)?.query_row(
            "SELECT n FROM segment WHERE id = ?1",
            [&id],
            |row| row.get(0),
        )?;
        println!(
            "{name:<22} {spent:>8.2?}, processor {:.2?}, {members} members, {} turns: p50 {:.1?}, p99 {:.1?}, worst {:.1?}; anon {:.0} MiB",
            processor() - used,
            turns.len(),
            turns[turns.len() / 2],
            turns[turns.len() * 99 / 100],
            turns[turns.len() - 1],
            memory("RssAnon:"),
        );
    }
    if busy {
        println!("{told} events meanwhile");
    }
    bare_scan(&path)
}

/// What reading the same log bare takes: every row stepped, nothing decoded.
fn bare_scan(path: &Path) -> Result<(), Failure> {
    let conn = Connection::open(path)?;
    for (name, sql) in [
        (
            "bare: log read",
            "SELECT count(*), sum(length(body)) FROM event",
        ),
        (
            "bare: seals read",
            "SELECT count(*), sum(length(columns)) FROM event_seal",
        ),
        (
            "bare: contacts read",
            "SELECT count(*), sum(length(body)) FROM contact",
        ),
    ] {
        let began = Instant::now();
        let used = processor();
        let (rows, bytes): (i64, i64) =
            conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        println!(
            "{name:<22} {:>8.2?}, processor {:.2?}, {rows} rows, {} MiB",
            began.elapsed(),
            processor() - used,
            bytes >> 20
        );
    }
    Ok(())
}
