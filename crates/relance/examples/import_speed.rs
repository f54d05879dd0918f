//! How fast contacts come in from a file, beside what reading the file and bare SQLite take in the same run.
//!
//! `cargo run --release -p relance --example import_speed -- curve FOLDER [ROWS ...]` makes a file of so many
//! people (100,000 and 1,000,000 without a number) and prints for each: cutting it into rows; understanding its
//! cells; bare SQLite, which writes as many rows of the same size into the same tables in the same order, looks
//! nothing up and decides nothing; and the import whole, flushed, into a new workspace. Each runs in a process
//! of its own, so that its memory is its own. `-- curve-consent` adds an answer about e-mail to every row.
//!
//! `-- read FILE [COUNTRY]` reads any file, without a database: the bound of an import.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use relance::config::Config;
use relance::import::job::{Folder, Job, State};
use relance::import::jobs::suggested;
use relance::import::run::{self, Outlet};
use relance::import::source::{Told, open};
use relance::import::{local, run::ImportProblem};
use relance_engine::clock::{Clock as _, SharedClock, SystemClock};
use relance_store::read::Reader;
use relance_store::{SqliteOptions, SqliteStore};
use relance_wire::table::call::{Plan, events};
use relance_wire::table::record::Row;
use rusqlite::{Connection, params};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sizes of the curve.
const ROWS: [u64; 2] = [100_000, 1_000_000];
/// Rows that bare SQLite commits together: as many as the engine's batches have at most.
const BARE_BATCH_ROWS: u64 = 2_000;

const FIRST_NAMES: [&str; 8] = [
    "Anna",
    "Ivan",
    "Мария",
    "Пётр",
    "花子",
    "太郎",
    "Olga",
    "John",
];
const LAST_NAMES: [&str; 8] = [
    "Petrova",
    "Smith",
    "Иванов",
    "Соколова",
    "山田",
    "佐藤",
    "Garcia",
    "Novak",
];
const CITIES: [&str; 6] = ["Москва", "Казань", "Tokyo", "Berlin", "Almaty", "Paris"];
const DOMAINS: [&str; 8] = [
    "gmail.com",
    "mail.ru",
    "yandex.ru",
    "outlook.com",
    "icloud.com",
    "bk.ru",
    "yahoo.co.jp",
    "proton.me",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["read", file] => read(Path::new(file), None),
        ["read", file, country] => read(Path::new(file), Some((*country).to_owned())),
        ["bare", file, folder] => bare(Path::new(file), Path::new(folder)),
        ["import", file, folder] => import(Path::new(file), Path::new(folder)),
        ["curve", folder, rows @ ..] => curve(Path::new(folder), rows, false),
        ["curve-consent", folder, rows @ ..] => curve(Path::new(folder), rows, true),
        _other => {
            eprintln!(
                "curve FOLDER [ROWS ...] | curve-consent FOLDER [ROWS ...] | read FILE [COUNTRY]"
            );
            std::process::exit(2);
        }
    }
}

fn curve(folder: &Path, rows: &[&str], consent: bool) -> Result<(), Box<dyn Error>> {
    let sizes: Vec<u64> = if rows.is_empty() {
        ROWS.to_vec()
    } else {
        rows.iter()
            .map(|rows| rows.parse())
            .collect::<Result<_, _>>()?
    };
    std::fs::create_dir_all(folder)?;
    for rows in sizes {
        let file = folder.join("people.csv");
        make(rows, &file, consent)?;
        println!("{rows} rows, {} MB", file.metadata()?.len() / 1_000_000);
        for what in ["read", "bare", "import"] {
            let place = folder.join("place");
            if place.exists() {
                std::fs::remove_dir_all(&place)?;
            }
            std::fs::create_dir_all(&place)?;
            let mut command = Command::new(std::env::current_exe()?);
            command.arg(what).arg(&file);
            if what != "read" {
                command.arg(&place);
            }
            if !command.status()?.success() {
                return Err(format!("{what} failed").into());
            }
            std::fs::remove_dir_all(&place)?;
        }
        std::fs::remove_file(&file)?;
    }
    Ok(())
}

/// Numbers that scatter: addresses and telephone numbers come in no order.
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn pick<'a>(list: &[&'a str], chance: u64) -> &'a str {
    let place = usize::try_from(chance % list.len() as u64).unwrap_or_default();
    list[place]
}

fn make(rows: u64, path: &Path, consent: bool) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let more = if consent { ",Newsletter" } else { "" };
    writeln!(
        file,
        "Customer ID,Email,Phone,First name,Last name,City,Birthday,Total spent{more}"
    )?;
    for row in 0..rows {
        let chance = scattered(row);
        let mut line = String::new();
        // Writing to a text does not fail.
        let _written = write!(
            line,
            "c{row:07},{}.{chance:x}@{},+79{:09},{},{},{},{}-{:02}-{:02},{}.5",
            pick(&["anna", "ivan", "olga", "petr"], chance >> 8),
            pick(&DOMAINS, chance >> 16),
            scattered(row ^ 0xABCD) % 1_000_000_000,
            pick(&FIRST_NAMES, chance >> 20),
            pick(&LAST_NAMES, chance >> 24),
            pick(&CITIES, chance >> 28),
            1950 + (chance >> 32) % 55,
            1 + (chance >> 40) % 12,
            1 + (chance >> 44) % 28,
            chance >> 50,
        );
        let answer = match (consent, chance >> 12 & 1) {
            (false, _) => "",
            (true, 0) => ",no",
            (true, _) => ",yes",
        };
        writeln!(file, "{line}{answer}")?;
    }
    file.flush()
}

/// Cutting into rows, then understanding their cells as well.
fn read(path: &Path, country: Option<String>) -> Result<(), Box<dyn Error>> {
    let mut rows = open(path, &Told::default())?.rows;
    let mut row = Row::default();
    let watch = Watch::start();
    let mut count = 0_u64;
    while let Some(read) = rows.next(&mut row)? {
        count += u64::from(read.is_ok());
    }
    watch.tell("rows cut", count);

    let mut table = open(path, &Told::default())?;
    let (_, mut mapping) = suggested(&table);
    mapping.country = country;
    let plan = Plan::new(&mapping, &table.facts.heads)?;
    let watch = Watch::start();
    let (mut calls, mut errors) = (0_u64, 0_u64);
    while let Some(read) = table.rows.next(&mut row)? {
        if read.is_ok() && row.number > 1 {
            match plan.call(&row) {
                Ok(_call) => calls += 1,
                Err(_problems) => errors += 1,
            }
        }
    }
    watch.tell("rows understood", calls + errors);
    if errors > 0 {
        println!("  {errors} with errors");
    }
    Ok(())
}

/// The same rows by hand: what no store passes that keeps these tables and flushes each batch.
fn bare(path: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut conn = Connection::open(folder.join("bare.db"))?;
    conn.execute_batch(
        // tidy:allow(sql-literals): the bound is SQLite by hand
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
         PRAGMA mmap_size = 268435456; PRAGMA wal_autocheckpoint = 4000;
         CREATE TABLE contact (contact_id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
         CREATE TABLE identity (kind TEXT NOT NULL, value TEXT NOT NULL, contact_id INTEGER NOT NULL,
             PRIMARY KEY (kind, value)) STRICT, WITHOUT ROWID;
         CREATE INDEX identity_by_contact ON identity (contact_id);
         CREATE TABLE email_domain (domain TEXT NOT NULL, contact_id INTEGER NOT NULL,
             PRIMARY KEY (domain, contact_id)) STRICT, WITHOUT ROWID;
         CREATE TABLE event (event_id INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL,
             previous_id INTEGER, body TEXT NOT NULL) STRICT;",
    )?;
    let mut table = open(path, &Told::default())?;
    let (_, mapping) = suggested(&table);
    let plan = Plan::new(&mapping, &table.facts.heads)?;
    let now = SystemClock.now();
    let mut row = Row::default();
    let watch = Watch::start();
    let mut count = 0_u64;
    let mut more = true;
    while more {
        let batch = conn.transaction()?;
        {
            // tidy:allow(sql-literals): the bound is SQLite by hand
            let mut contact = batch.prepare_cached("INSERT INTO contact (body) VALUES (?1)")?;
            let mut identity = batch.prepare_cached(
                // tidy:allow(sql-literals): the bound is SQLite by hand
                "INSERT INTO identity (kind, value, contact_id) VALUES (?1, ?2, ?3)
                     ON CONFLICT (kind, value) DO NOTHING",
            )?;
            let mut domain = batch
                // tidy:allow(sql-literals): the bound is SQLite by hand
                .prepare_cached("INSERT INTO email_domain (domain, contact_id) VALUES (?1, ?2)")?;
            let mut event =
                // tidy:allow(sql-literals): the bound is SQLite by hand
                batch.prepare_cached("INSERT INTO event (contact_id, body) VALUES (?1, ?2)")?;
            let ends = count + BARE_BATCH_ROWS;
            while count < ends {
                let Some(read) = table.rows.next(&mut row)? else {
                    more = false;
                    break;
                };
                if read.is_err() || row.number == 1 {
                    continue;
                }
                count += 1;
                // A few drawn telephone numbers are none that anybody may have.
                let Ok(call) = plan.call(&row) else {
                    continue;
                };
                let body = serde_json::to_string(&call.traits)?;
                let id = contact.insert(params![body])?;
                for name in &call.identities {
                    identity.execute(params![name.kind.word(), name.value, id])?;
                    if let Some((_, at)) = name.value.rsplit_once('@') {
                        domain.execute(params![at, id])?;
                    }
                }
                for told in events(call, "bare", row.number, now).1 {
                    let text = relance_wire::stored::event_text(&told)?;
                    event.execute(params![id, text])?;
                }
            }
        }
        batch.commit()?;
    }
    watch.tell("bare SQLite", count);
    Ok(())
}

fn import(path: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let file = folder.join("workspace.db");
    let store = SqliteStore::open(&file, SqliteOptions::default())?;
    let clock: SharedClock = Arc::new(SystemClock);
    let table = open(path, &Told::default())?;
    let (_, mapping) = suggested(&table);
    let (id, place) = Folder::make(folder)?;
    let mut job = Job::new(
        &id,
        "speed",
        path.metadata()?.len(),
        table.facts,
        clock.now(),
    );
    job.mapping = Some(mapping.to_yaml());
    job.source = Some(path.to_owned());
    let hash: relance_engine::turn::HashIdentity = Arc::new(|identity| identity.value.clone());
    let reader = Arc::new(Reader::open(&file)?);
    let world = relance::explain::world(&reader, &Config::load(folder)?)?;
    let engine = local::start(store, world, hash, &clock)?;
    let outlet = Outlet {
        engine: engine.handle.clone(),
        reader,
        clock,
        erased: Arc::new(|_| false),
    };
    let watch = Watch::start();
    let never = AtomicBool::new(false);
    let done: Result<(), ImportProblem> =
        run::import(&mut job, &place, &outlet, &never, &mut |_, _| {});
    engine.stop();
    done?;
    watch.tell("import", job.counts.rows);
    let counts = &job.counts;
    if job.state != State::Done || counts.created + counts.updated + counts.errors != counts.rows {
        return Err(format!("not all rows came in: {:?}", job.counts).into());
    }
    let bytes = file.metadata()?.len();
    println!(
        "  {} new, {} changed; {} bytes of database a row",
        job.counts.created,
        job.counts.updated,
        bytes / job.counts.rows.max(1)
    );
    Ok(())
}

/// The clock, and the processor's time of this process.
struct Watch {
    begun: Instant,
    processor: f64,
}

impl Watch {
    fn start() -> Self {
        Self {
            begun: Instant::now(),
            processor: processor_seconds(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn tell(&self, what: &str, count: u64) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let processor = processor_seconds() - self.processor;
        let count_f = count as f64;
        println!(
            "  {what}: {seconds:.2} s, {:.0} rows/s; {:.1} µs of processor a row; {} MB at most, {} MB without pages of files",
            count_f / seconds,
            processor * 1e6 / count_f,
            status("VmHWM:") / 1_000,
            status("RssAnon:") / 1_000,
        );
    }
}

/// Seconds of processor time of all threads so far.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn processor_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|number| number.parse::<u64>().ok())
        .sum();
    ticks as f64 / TICKS_A_SECOND
}

/// A number of the process's status, in kB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
