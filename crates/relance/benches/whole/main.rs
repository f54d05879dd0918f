//! How fast the whole program is: the release binary in a process of its own, driven over HTTP and SMTP,
//! beside bare bounds measured in the same run.
//!
//!     cargo bench -p relance --bench whole -- [ingest|latency|mail|timers|engine|mailboxes|replies] [--rounds N] ...
//!
//! Program and bounds take turns, so that a noisy neighbour hurts both; what counts are the ratios. Load
//! generator and sink run in this process, on the same cores; `engine` alone runs without the binary, `mailboxes` and
//! `replies` beside a private Dovecot. A run in which anything is refused, lost or
//! doubled ends with an error: its figure would be void. What was measured stands in `docs/BENCHMARKS.md`.

mod bare;
mod chance;
#[allow(
    unused_imports,
    reason = "its own tests use them, and are not built here"
)]
#[path = "../../tests/it/daemon/mod.rs"]
mod daemon;
mod engine;
mod figures;
mod ingest;
mod load;
mod mail;
mod mailboxes;
mod replies;
mod seed;
mod server;
mod sink;
mod timers;

use std::process::ExitCode;
use std::time::Duration;

/// Why a run is void.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the command line asks.
#[derive(Debug, Clone)]
pub struct Options {
    /// Turns that program and bounds take.
    pub rounds: usize,
    /// Length of one measurement.
    pub time: Duration,
    /// Contacts in the workspace.
    pub contacts: u64,
    /// Pending timers.
    pub timers: u64,
    /// Messages of one measurement of mail.
    pub messages: u64,
    /// Mailboxes that are watched at once.
    pub mailboxes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rounds: 5,
            time: Duration::from_secs(5),
            contacts: 100_000,
            timers: 1_000_000,
            messages: 4_000,
            mailboxes: 200,
        }
    }
}

const USAGE: &str = "\
usage: whole [ingest|latency|mail|timers|engine|mailboxes|replies]... [--rounds N] [--seconds S] [--contacts N] [--timers N] [--messages N] [--mailboxes N]";

fn read_args() -> Result<(Vec<String>, Options), Failure> {
    let mut options = Options::default();
    let mut names = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, Failure> {
            let text = words.next().ok_or(USAGE)?;
            Ok(text.parse()?)
        };
        match word.as_str() {
            // Cargo adds it.
            "--bench" => {}
            "--rounds" => options.rounds = usize::try_from(number()?)?.max(1),
            "--seconds" => options.time = Duration::from_secs(number()?.max(1)),
            "--contacts" => options.contacts = number()?.max(1),
            "--timers" => options.timers = number()?,
            "--messages" => options.messages = number()?.max(1),
            "--mailboxes" => options.mailboxes = number()?.max(1),
            "ingest" | "latency" | "mail" | "timers" | "engine" | "mailboxes" | "replies" => {
                names.push(word);
            }
            _unknown => return Err(USAGE.into()),
        }
    }
    if names.is_empty() {
        names = [
            "ingest",
            "latency",
            "mail",
            "timers",
            "engine",
            "mailboxes",
            "replies",
        ]
        .map(str::to_owned)
        .to_vec();
    }
    Ok((names, options))
}

fn run() -> Result<(), Failure> {
    let (names, options) = read_args()?;
    figures::say_machine();
    for name in names {
        println!("\n== {name}");
        match name.as_str() {
            "ingest" => ingest::run(&options)?,
            "latency" => mail::latency(&options)?,
            "mail" => mail::rate(&options)?,
            "engine" => engine::run(&options)?,
            "mailboxes" => mailboxes::run(&options)?,
            "replies" => replies::run(&options)?,
            _timers => timers::run(&options)?,
        }
    }
    Ok(())
}

/// The program's own, so that the memory of what runs in this process is comparable.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match &words[..] {
        [word, folder] if word == engine::ENTER => engine::enter(folder.as_ref()),
        [word, folder] if word == engine::FIRE => engine::fire(folder.as_ref()),
        _words => run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("void: {error}");
            ExitCode::FAILURE
        }
    }
}
