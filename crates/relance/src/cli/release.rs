//! `relance release`: a copy of a workspace may send again (R10).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use relance_engine::clock::{Clock, SystemClock};
use relance_engine::ports::Store;
use relance_store::AnyStore;
use relance_store::read::{self, Reader};
use serde_json::json;

use crate::copy;
use crate::http::status;
use crate::lock::{Lock, LockProblem};
use crate::send::wire_log::WireLog;

use super::target::database;
use super::{Done, Failure, print_line};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data folder, when no server runs on it.
    #[arg(long, env = "RELANCE_DATA", required_unless_present = "server")]
    data: Option<PathBuf>,
    /// A running server, such as http://127.0.0.1:8080.
    #[arg(long, env = "RELANCE_SERVER", requires = "token")]
    server: Option<String>,
    /// An API token of that server.
    #[arg(long, env = "RELANCE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// What becomes of what is overdue: `send` does each step that is not later than its `late`
    /// allowance; `skip` leaves out every message and task that came due before now.
    #[arg(long, default_value = "send", value_parser = ["send", "skip"])]
    overdue: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What the release found.
struct Released {
    released: bool,
    /// What was overdue, where the database could be read here.
    overdue: Option<read::Overdue>,
}

pub fn run(args: Args) -> Done {
    let done = match (&args.server, &args.token, &args.data) {
        (Some(server), Some(token), _) => through_server(server, token, &args.overdue)?,
        (_, _, Some(data)) => in_folder(data, &args.overdue)?,
        (_, _, None) => return Err(Failure::Usage("name --data or --server".to_owned())),
    };
    if args.json {
        let overdue = done.overdue.as_ref().map(status::overdue_value);
        let line = json!({ "released": done.released, "choice": args.overdue, "overdue": overdue });
        return print_line(&line.to_string());
    }
    if !done.released {
        println!("The workspace was not quiet; nothing changed.");
        return Ok(());
    }
    println!("Released: messages go again.");
    if let Some(overdue) = done.overdue {
        let what = match args.overdue.as_str() {
            "skip" => "are left out",
            _send => "are done unless later than their allowance",
        };
        let more = |due: &read::Due| if due.more { "more than " } else { "" };
        println!(
            "Overdue: {}{} timers and {}{} messages; they {what} at the next start.",
            more(&overdue.timers),
            overdue.timers.count,
            more(&overdue.messages),
            overdue.messages.count,
        );
    }
    Ok(())
}

/// Asks a running server.
fn through_server(server: &str, token: &str, overdue: &str) -> Result<Released, Failure> {
    let url = format!("{}/api/v1/release", server.trim_end_matches('/'));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::cannot)?;
    runtime.block_on(async {
        let client = crate::client().map_err(Failure::cannot)?;
        let answer = client
            .post(&url)
            .bearer_auth(token)
            .json(&json!({ "overdue": overdue }))
            .send()
            .await
            .map_err(|error| Failure::cannot(format!("cannot reach {server}: {error}")))?;
        let status = answer.status();
        let body: serde_json::Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            let detail = body["detail"]
                .as_str()
                .unwrap_or("the server gave no reason");
            return Err(Failure::cannot(format!(
                "the server refused the release ({status}): {detail}"
            )));
        }
        Ok(Released {
            released: body["released"] == true,
            overdue: None,
        })
    })
}

/// Releases a folder on which no server runs. One that was copied and never started is released too.
fn in_folder(data: &Path, overdue: &str) -> Result<Released, Failure> {
    let place = database(data)?;
    let choice = status::choice(overdue)
        .ok_or_else(|| Failure::Usage("--overdue is send or skip".to_owned()))?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let _lock = Lock::take(data, nowhere).map_err(|problem| match problem {
        LockProblem::Taken(address) => Failure::Usage(format!(
            "a server runs on this folder; release through it: --server http://{address} --token ..."
        )),
        LockProblem::Failed { .. } => Failure::cannot(problem),
    })?;
    let mut store = AnyStore::open(&place).map_err(Failure::cannot)?;
    let reader = Reader::open_place(&place).map_err(Failure::cannot)?;
    let now =
        Timestamp::from_millisecond(SystemClock.now().as_millisecond()).map_err(Failure::cannot)?;
    let begun = copy::begin(&mut store, &reader, data, None, now).map_err(Failure::cannot)?;
    let counted = reader.overdue(now).map_err(Failure::cannot)?;
    if begun.quiet.is_none() {
        return Ok(Released {
            released: false,
            overdue: Some(counted),
        });
    }
    // The wire log says from now on that messages in flight may have left, whoever starts next.
    let noted = WireLog::read(data).map_err(Failure::cannot)?;
    let in_flight = store.in_flight().map_err(Failure::cannot)?;
    let doubted = copy::doubt(&noted, in_flight.iter().map(copy::attempt_of));
    drop(WireLog::begin(data, &doubted).map_err(Failure::cannot)?);
    let released = store
        .begin()
        .and_then(|()| relance_engine::quiet::release(&mut store, choice, now).map(drop))
        .and_then(|()| store.commit());
    if let Err(error) = released {
        store.rollback();
        return Err(Failure::cannot(error));
    }
    Ok(Released {
        released: true,
        overdue: Some(counted),
    })
}
