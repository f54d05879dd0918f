//! `relance journey check` and `apply`.

use std::path::PathBuf;

use jiff::Timestamp;
use relance_core::ids::JourneyId;
use relance_engine::clock::{Clock, SystemClock};
use relance_engine::ports::{Asset, Store, StoreError, StoredJourney};
use relance_store::SqliteStore;
use serde_json::json;

use crate::lock::{Lock, LockProblem};
use crate::scenario::{self, Applied, Checked, FileProblem, Files};
use crate::workspace::DATABASE;

use super::{Done, Failure, print_line};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// A scenario's folder, or a journey's file.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Prints JSON, one problem a line.
    #[arg(long)]
    json: bool,
}

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A scenario's folder, or a journey's file.
    path: PathBuf,
    /// The data folder, when no server runs on it.
    #[arg(long, env = "RELANCE_DATA", required_unless_present = "server")]
    data: Option<PathBuf>,
    /// A running server, such as http://127.0.0.1:8080.
    #[arg(long, env = "RELANCE_SERVER", requires = "token")]
    server: Option<String>,
    /// An API token of that server.
    #[arg(long, env = "RELANCE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub fn check(args: CheckArgs) -> Done {
    let mut found = false;
    for path in &args.paths {
        let files = read(path)?;
        match scenario::check(&files, &|_| false) {
            Ok(checked) => {
                report(&checked.warnings, "warning", args.json)?;
                if !args.json {
                    eprintln!(
                        "{}: {} journeys and {} templates are good",
                        path.display(),
                        checked.journeys.len(),
                        files.templates.len()
                    );
                }
            }
            Err(problems) => {
                found = true;
                report(&problems, "error", args.json)?;
            }
        }
    }
    if found {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
}

fn read(path: &std::path::Path) -> Result<Files, Failure> {
    let files = Files::read(path)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))?;
    if files.is_empty() {
        let what = "holds no journeys (*.yaml) and no templates";
        return Err(Failure::Usage(format!("{} {what}", path.display())));
    }
    Ok(files)
}

fn report(problems: &[FileProblem], severity: &str, as_json: bool) -> Done {
    for problem in problems {
        if as_json {
            let mut line = json!(problem);
            line["severity"] = json!(severity);
            print_line(&line.to_string())?;
        } else {
            eprintln!("{severity}: {problem}");
        }
    }
    Ok(())
}

pub fn run(args: Args) -> Done {
    let files = read(&args.path)?;
    let applied = match (&args.server, &args.token, &args.data) {
        (Some(server), Some(token), _) => through_server(server, token, &files)?,
        (_, _, Some(data)) => into_folder(data, &files)?,
        (_, _, None) => return Err(Failure::Usage("name --data or --server".to_owned())),
    };
    if args.json {
        let text = serde_json::to_string(&applied).map_err(Failure::cannot)?;
        return print_line(&text);
    }
    for (journey, version) in &applied.published {
        println!("published  {journey} as version {version}");
    }
    for journey in &applied.unchanged {
        println!("unchanged  {journey}");
    }
    println!("templates  {}", applied.templates.len());
    Ok(())
}

/// Gives the files to a running server.
fn through_server(server: &str, token: &str, files: &Files) -> Result<Applied, Failure> {
    let url = format!("{}/api/v1/scenario", server.trim_end_matches('/'));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::cannot)?;
    runtime.block_on(async {
        let client = crate::client().map_err(Failure::cannot)?;
        let answer = client
            .post(&url)
            .bearer_auth(token)
            .json(files)
            .send()
            .await
            .map_err(|error| Failure::cannot(format!("cannot reach {server}: {error}")))?;
        if answer.status().is_success() {
            return answer.json::<Applied>().await.map_err(Failure::cannot);
        }
        let status = answer.status();
        let problem: serde_json::Value = answer.json().await.unwrap_or_default();
        let detail = problem["detail"]
            .as_str()
            .unwrap_or("the server gave no reason");
        eprintln!("{detail}");
        Err(Failure::cannot(format!(
            "the server refused the scenario ({status})"
        )))
    })
}

/// Writes the files into a data folder on which no server runs.
fn into_folder(data: &std::path::Path, files: &Files) -> Result<Applied, Failure> {
    if !data.join(DATABASE).exists() {
        let what = format!(
            "{} holds no workspace; run relance init first",
            data.display()
        );
        return Err(Failure::Usage(what));
    }
    let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let _lock = Lock::take(data, nowhere).map_err(|problem| match problem {
        LockProblem::Taken(address) => Failure::Usage(format!(
            "a server runs on this folder; apply through it: --server http://{address} --token ..."
        )),
        LockProblem::Failed { .. } => Failure::cannot(problem),
    })?;
    let options = relance_store::SqliteOptions::default();
    let mut store = SqliteStore::open(&data.join(DATABASE), options).map_err(Failure::cannot)?;
    let known: Vec<Asset> = store.assets("template").map_err(Failure::cannot)?;
    let has = |id: &str| {
        known
            .iter()
            .any(|asset| asset.name.split('.').next() == Some(id))
    };
    let checked = match scenario::check(files, &has) {
        Ok(checked) => checked,
        Err(problems) => {
            report(&problems, "error", false)?;
            return Err(Failure::Findings);
        }
    };
    report(&checked.warnings, "warning", false)?;
    let now =
        Timestamp::from_millisecond(SystemClock.now().as_millisecond()).map_err(Failure::cannot)?;
    let written = store
        .begin()
        .and_then(|()| write(&mut store, files, &checked, now));
    match written {
        Ok(applied) => {
            store.commit().map_err(Failure::cannot)?;
            Ok(applied)
        }
        Err(error) => {
            store.rollback();
            Err(Failure::cannot(error))
        }
    }
}

fn write(
    store: &mut SqliteStore,
    files: &Files,
    checked: &Checked,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    for (name, text) in &files.templates {
        let body = Some(text.clone());
        let asset = Asset {
            kind: "template".to_owned(),
            name: name.clone(),
            body,
        };
        store.put_asset(&asset, now)?;
        applied.templates.push(name.clone());
    }
    let stored = store.journeys()?;
    let newest = |id: &JourneyId| {
        stored
            .iter()
            .filter(|one| one.id == *id)
            .max_by_key(|one| one.version)
    };
    for (text, journey) in &checked.journeys {
        let before = newest(&journey.id);
        if before.is_some_and(|before| before.text == *text && before.current) {
            applied.unchanged.push(journey.id.to_string());
            continue;
        }
        let version = before.map_or(1, |before| before.version + 1);
        let id = journey.id.clone();
        store.put_journey(
            &StoredJourney {
                id,
                version,
                text: text.clone(),
                current: true,
            },
            now,
        )?;
        applied.published.insert(journey.id.to_string(), version);
    }
    Ok(applied)
}
