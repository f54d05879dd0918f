//! The engine alone, without HTTP and without a wire: batches of a thousand, and a hundred thousand timers
//! of the same second.
//!
//! In each round contacts enter a journey in batches of 1,000 events, each batch beside a bare transaction of
//! the same rows. Then a process of its own opens the file, whose memory before that is the idle one; its
//! clock is put to the moment at which all of them wake, and every run's mail is handed to a dispatcher that
//! throws it away. **Absent:** rendering, signing, sending, outcomes.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::event::Event;
use relance_core::ids::{MailboxId, TouchpointId};
use relance_core::journey::Moves;
use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Dispatch, Dispatcher};
use relance_engine::turn::Engine;
use relance_store::{SqliteOptions, SqliteStore};
use serde_json::json;

use crate::figures::{Figure, say};
use crate::{Failure, Options, bare};

/// Inputs of one batch.
const BATCH: u64 = 1_000;
/// Contacts whose timers come due in the same second.
const DUE: u64 = 100_000;
const MIB: f64 = 1_048_576.0;
/// What the command lines of a round's own processes begin with; the folder follows.
pub const ENTER: &str = "engine-enter";
pub const FIRE: &str = "engine-fire";
/// When contacts enter; their waits begin then.
const ENTERED_AT: &str = "2026-11-20T10:00:00Z";

const JOURNEY: &str = "\
format: journey/1
id: waiting
name: Waiting
trigger: { event: Signed Up }
steps:
  - wait: 1d
  - send: email
    template: hello
  - wait: 1d
";

/// Takes every message and forgets it.
#[derive(Default)]
struct Nowhere {
    taken: u64,
}

impl Dispatcher for Nowhere {
    fn capacity(&self) -> usize {
        usize::MAX
    }

    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        self.taken += messages.len() as u64;
    }

    fn revoke(&mut self, _id: TouchpointId) {}

    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

/// Runs the rounds and says what they measured.
pub fn run(options: &Options) -> Result<(), Failure> {
    let entered = [
        "bare SQLite, batch of 1,000 entries, ms",
        "batch of 1,000 inputs, load to commit, ms",
        "  bare SQLite beside it",
        "  processor time, us/input",
        "bare SQLite: timer to outbox, rows/s",
    ];
    let fired = [
        "fired, messages decided/s",
        "  processor time, us/message",
        "resident when idle, MiB",
        "  of which not pages of files, MiB",
        "peak while firing, over idle, MiB",
        "  of which not pages of files, MiB",
    ];
    let mut at_entry = [const { Figure::new() }; 5];
    let mut at_fire = [const { Figure::new() }; 6];
    for _ in 0..options.rounds {
        let folder = tempfile::tempdir()?;
        part(ENTER, folder.path(), &mut at_entry)?;
        part(FIRE, folder.path(), &mut at_fire)?;
    }
    println!("{DUE} contacts, {BATCH} inputs a batch; {DUE} timers due in the same second");
    for (name, figure) in entered.iter().zip(&at_entry) {
        say(name, figure);
    }
    for (name, figure) in fired.iter().zip(&at_fire) {
        say(name, figure);
    }
    say("fired beside bare SQLite", &at_fire[0].over(&at_entry[4]));
    Ok(())
}

/// A part of a round, in a process of its own, which prints its figures.
fn part(name: &str, folder: &Path, figures: &mut [Figure]) -> Result<(), Failure> {
    let done = Command::new(std::env::current_exe()?)
        .arg(name)
        .arg(folder)
        .output()?;
    if !done.status.success() {
        let why = String::from_utf8_lossy(&done.stderr);
        return Err(format!("{name}: {why}").into());
    }
    let told = String::from_utf8(done.stdout)?;
    let values: Vec<f64> = told
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    if values.len() != figures.len() {
        return Err(format!("{name} told {told:?}").into());
    }
    for (figure, value) in figures.iter_mut().zip(values) {
        figure.push(value);
    }
    Ok(())
}

fn tell(values: &[f64]) {
    let words: Vec<String> = values.iter().map(f64::to_string).collect();
    println!("{}", words.join(" "));
}

/// Contacts become known, and enter the journey in batches.
pub fn enter(folder: &Path) -> Result<(), Failure> {
    let mut rows = bare::Rows::batches(&folder.join("bare.db"), DUE)?;
    let entered_at: Timestamp = ENTERED_AT.parse()?;
    let mut engine = engine(&folder.join("relance.db"))?;
    for first in (0..DUE).step_by(BATCH as usize) {
        let known_at = entered_at - SignedDuration::from_hours(1);
        take(&mut engine, first, &told_traits, known_at)?;
    }
    let [mut bound, mut batch, mut cost] = [const { Figure::new() }; 3];
    for first in (0..DUE).step_by(BATCH as usize) {
        bound.push(rows.enter(first..first + BATCH)?.as_secs_f64() * 1e3);
        let spent = processor_seconds()?;
        let time = take(&mut engine, first, &signed_up, entered_at)?;
        batch.push(time.as_secs_f64() * 1e3);
        cost.push((processor_seconds()? - spent) / BATCH as f64 * 1e6);
    }
    let (count, time) = rows.hand_over()?;
    if count != DUE {
        return Err("not all bare timers were there".into());
    }
    tell(&[
        bound.median(),
        batch.median(),
        bound.over(&batch).median(),
        cost.median(),
        DUE as f64 / time.as_secs_f64(),
    ]);
    Ok(())
}

/// All waits end, and every run sends.
pub fn fire(folder: &Path) -> Result<(), Failure> {
    let mut engine = engine(&folder.join("relance.db"))?;
    let due = ENTERED_AT.parse::<Timestamp>()? + SignedDuration::from_hours(24);
    if engine.next_due()? != Some(due) {
        return Err("the waits end at another moment".into());
    }
    let (resident, anonymous) = (memory("VmRSS:")?, memory("RssAnon:")?);
    forget_peak()?;
    let spent = processor_seconds()?;
    let (mut fired, mut dispatched, mut peak) = (0, 0, anonymous);
    let began = Instant::now();
    while engine.dispatcher().taken < DUE {
        let summary = engine.turn(&[], due)?;
        if summary.decided == 0 {
            return Err("nothing is due any more, and not every message went".into());
        }
        fired += summary.timers as u64;
        dispatched += summary.dispatched as u64;
        peak = memory("RssAnon:")?.max(peak);
    }
    let time = began.elapsed();
    let spent = processor_seconds()? - spent;
    if (fired, dispatched) != (DUE, DUE) {
        return Err(format!("{fired} timers came, {dispatched} messages went").into());
    }
    tell(&[
        DUE as f64 / time.as_secs_f64(),
        spent / DUE as f64 * 1e6,
        resident / MIB,
        anonymous / MIB,
        (memory("VmHWM:")? - resident) / MIB,
        (peak - anonymous) / MIB,
    ]);
    Ok(())
}

type Own = Engine<SqliteStore, Nowhere>;

fn engine(path: &Path) -> Result<Own, Failure> {
    let store = SqliteStore::open(path, SqliteOptions::default())?;
    let policy = relance::policy::policy(&relance::config::Config::default())?;
    let mut world = World::new(policy, 1);
    let journey = relance_wire::journey::publish(JOURNEY, 1)
        .map_err(|problems| format!("the journey: {problems:?}"))?;
    world.add_journey(Arc::new(journey), Moves::Pin, true);
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    Ok(Engine::new(store, Nowhere::default(), world, title)?)
}

/// Takes one batch: an event for each of the contacts from `first` on.
fn take(
    engine: &mut Own,
    first: u64,
    event: &dyn Fn(u64, Timestamp) -> Event,
    now: Timestamp,
) -> Result<Duration, Failure> {
    let arrivals: Vec<Arrival> = (first..first + BATCH)
        .map(|n| Arrival::Event {
            identities: vec![Identity::user(&format!("user-{n}"))],
            event: Arc::new(event(n, now)),
        })
        .collect();
    let arrivals: Vec<&Arrival> = arrivals.iter().collect();
    let began = Instant::now();
    let summary = engine.turn(&arrivals, now)?;
    let time = began.elapsed();
    if summary.decided as u64 != BATCH {
        return Err(format!("not the whole batch was decided: {summary:?}").into());
    }
    Ok(time)
}

fn told_traits(n: u64, now: Timestamp) -> Event {
    let traits = json!({
        "email": format!("user-{n}@client-{}.example", n % 5_000), "firstName": "Ana", "name": "Ana Example",
        "plan": "pro", "country": "DE", "timezone": "Europe/Berlin", "language": "en",
    });
    let mut event = Event::identify(traits.as_object().cloned().unwrap_or_default(), now);
    event.message_id = Some(format!("identify-{n}").into());
    event
}

fn signed_up(n: u64, now: Timestamp) -> Event {
    let mut event = Event::track("Signed Up", now);
    let shoe = json!({
        "product_id": "sku-4711", "name": "Running shoe", "category": "shoes", "price": 123,
        "currency": "EUR", "url": "https://shop.example/p/sku-4711", "quantity": 1, "brand": "Example",
    });
    event.properties = shoe.as_object().cloned().unwrap_or_default();
    event.message_id = Some(format!("signed-up-{n}").into());
    event
}

/// Bytes, from the kernel's account of this process.
fn memory(field: &str) -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .ok_or("no such field in /proc")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1_024.0)
}

/// Lets the kernel count the peak from now on.
fn forget_peak() -> Result<(), Failure> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

/// Nanoseconds that this process's threads ran, in seconds.
fn processor_seconds() -> Result<f64, Failure> {
    let mut total = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let first = stat.split_whitespace().next().ok_or("no schedstat")?;
        total += first.parse::<f64>()?;
    }
    Ok(total / 1e9)
}
