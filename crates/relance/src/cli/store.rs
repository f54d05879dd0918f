//! `relance store move`: a workspace goes from its file to a PostgreSQL server.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use relance_store::DatabaseUrl;
use relance_store::moving::{Moved, Step, move_to_server};
use serde_json::json;

use crate::config::{self, Config};
use crate::copy;
use crate::lock::{Lock, LockProblem};
use crate::workspace::DATABASE;

use super::{Done, Failure, print_line};

/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// The file that the URL is written to.
const URL_FILE: &str = "store-url";

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct MoveArgs {
    /// The data folder. No server may run on it.
    #[arg(long, env = "RELANCE_DATA")]
    data: PathBuf,
    /// Where to: postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME&sslmode=require.
    /// In the environment it is not seen by other users of the machine.
    #[arg(long, env = config::STORE_URL, hide_env_values = true)]
    to: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: MoveArgs) -> Done {
    let data = &args.data;
    let file = data.join(DATABASE);
    if !file.exists() {
        let what = format!("{} holds no workspace in a file", data.display());
        return Err(Failure::Usage(what));
    }
    let to = DatabaseUrl::parse(&args.to)
        .map_err(|problem| Failure::Usage(format!("--to: {problem}")))?;
    let config = Config::load(data).map_err(Failure::cannot)?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let _lock = Lock::take(data, nowhere).map_err(|problem| match problem {
        LockProblem::Taken(address) => Failure::Usage(format!(
            "a server runs on this folder, listening on {address}; stop it first"
        )),
        LockProblem::Failed { .. } => Failure::cannot(problem),
    })?;
    let mut bar = Bar::new();
    let stays = copy::stays_behind();
    let moved = move_to_server(&file, &to, &[stays], |step| bar.tell(step));
    bar.end();
    let moved = moved.map_err(Failure::cannot)?;
    // The first start on the server leaves a witness of its own.
    copy::forget_witness(data).map_err(Failure::cannot)?;
    let is_set = configure(data, &config, &to)?;
    tell(&args, &to, &moved, is_set)
}

/// Names the server in the configuration, unless something is named there already; `false` leaves it to a person.
fn configure(data: &Path, config: &Config, to: &DatabaseUrl) -> Result<bool, Failure> {
    if config.store.url.is_some() || config.store.url_file.is_some() {
        return Ok(config
            .place(data)
            .is_ok_and(|place| place.to_string() == to.to_string()));
    }
    let path = data.join(config::FILE_NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::cannot(format!("{}: {error}", path.display()))),
    };
    let text = format!(
        "{}\n[store]\nurl_file = \"{URL_FILE}\"\n",
        text.trim_end_matches('\n').to_owned() + "\n"
    );
    if Config::parse(&text).is_err() {
        return Ok(false);
    }
    write_secret(&data.join(URL_FILE), to.secret_text())
        .and_then(|()| {
            let fresh = path.with_extension("toml.new");
            std::fs::write(&fresh, text)?;
            std::fs::rename(&fresh, &path)
        })
        .map_err(|error| Failure::cannot(format!("{}: {error}", path.display())))?;
    Ok(true)
}

/// Writes a file that only its owner reads.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

fn tell(args: &MoveArgs, to: &DatabaseUrl, moved: &Moved, is_set: bool) -> Done {
    if args.json {
        let tables: Vec<_> = moved
            .tables
            .iter()
            .map(|one| json!({ "table": one.name, "rows": one.rows, "was_there": one.was_there }))
            .collect();
        print_line(
            &json!({
                "to": to.to_string(),
                "was_done": moved.was_done,
                "configured": is_set,
                "tables": tables,
            })
            .to_string(),
        )?;
    }
    let rows: u64 = moved.tables.iter().map(|one| one.rows).sum();
    if moved.was_done {
        eprintln!("The workspace is at {to} already.");
    } else {
        eprintln!(
            "Moved to {to}: {} tables, {rows} rows, each compared.",
            moved.tables.len()
        );
        eprintln!("{DATABASE} serves nobody any more; keep it as a backup.");
    }
    if is_set {
        eprintln!(
            "{} names the server now: start relance serve.",
            config::FILE_NAME
        );
    } else {
        eprintln!(
            "Name the server in {} before the next start: [store] url = ...",
            config::FILE_NAME
        );
    }
    Ok(())
}

/// Progress: one line that is written anew on a terminal, a line a table elsewhere.
struct Bar {
    told: Option<Instant>,
    table: &'static str,
    is_terminal: bool,
}

impl Bar {
    fn new() -> Self {
        Self {
            told: None,
            table: "",
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    fn tell(&mut self, step: Step) {
        let is_new = step.table != self.table;
        let recent = self.told.is_some_and(|told| told.elapsed() < TELL_EVERY);
        if !is_new && (recent || !self.is_terminal) {
            return;
        }
        self.told = Some(Instant::now());
        self.table = step.table;
        let line = match self.is_terminal {
            true => format!("\r{:<20} {:>12} rows", step.table, step.rows),
            false => format!("{}\n", step.table),
        };
        // A terminal that went away is no reason to stop.
        let _written = std::io::stderr().write_all(line.as_bytes());
    }

    fn end(&self) {
        if self.is_terminal && self.told.is_some() {
            eprintln!();
        }
    }
}
