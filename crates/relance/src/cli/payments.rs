//! `relance payments`: bank statements from files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::bounded;
use relance_core::payment::PaymentState;
use relance_engine::arrival::{Arrival, Envelope, Refusal};
use relance_engine::clock::{Clock as _, SharedClock, SystemClock};
use relance_engine::run::Handle;
use relance_store::Reader;
use relance_wire::api::payment::StatementTaken;
use relance_wire::statement::{STATEMENT_BYTES_MAX, parse};
use serde_json::{Value, json};

use crate::config::Config;
use crate::consent::Erased;
use crate::import::local;
use crate::payments::PAYMENT_WEIGHT;
use crate::payments::take::{Taking, statement_id, told};

use super::target::{self, Place, Server, Target};
use super::{Done, Failure, print_line};

/// Who is named in the audit.
const BY: &str = "command line";

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// Statements: CAMT.053, .052, .054, MT940, 1C's exchange format, or CSV.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Reads everything and says what would become of it; changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Prints JSON, an object for each file.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub fn import(args: &ImportArgs) -> Done {
    match args.target.place()? {
        Place::Server(server) => {
            for file in &args.files {
                let taken = there(&server, file, args.dry_run)?;
                show(file, &taken, args.json)?;
            }
            Ok(())
        }
        Place::Folder(data) => here(args, data),
    }
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error| Failure::cannot(format!("cannot read {}: {error}", file.display()));
    let length = std::fs::metadata(file).map_err(cannot)?.len();
    if length > STATEMENT_BYTES_MAX as u64 {
        return Err(Failure::cannot(format!(
            "{} has {length} bytes, and a statement {STATEMENT_BYTES_MAX} at most; export a shorter period",
            file.display()
        )));
    }
    std::fs::read(file).map_err(cannot)
}

fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.into_owned()
}

fn there(server: &Server<'_>, file: &Path, dry_run: bool) -> Result<Value, Failure> {
    let pairs = [("name", name_of(file)), ("dry_run", dry_run.to_string())];
    let base = "http://x/api/v1/statements";
    let url = reqwest::Url::parse_with_params(base, pairs).map_err(Failure::cannot)?;
    let path = format!("/api/v1/statements?{}", url.query().unwrap_or_default());
    server
        .post_bytes(&path, bytes_of(file)?)
        .map_err(|failure| Failure::cannot(format!("{}: {failure}", file.display())))
}

fn here(args: &ImportArgs, data: &Path) -> Done {
    let held = target::hold(data)?;
    let config = Config::load(data).map_err(Failure::cannot)?;
    let reader = Arc::new(target::reader(data)?);
    let world = crate::explain::world(&reader, &config).map_err(Failure::cannot)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let mut store = held.store;
    let secret = crate::keys::link_secret(&mut store, held.now).map_err(Failure::cannot)?;
    let erased = Erased::load(&secret, &reader).map_err(Failure::cannot)?;
    let local = local::start(store, world, erased.hash(), &clock).map_err(Failure::cannot)?;
    let mut outcome = Ok(());
    for file in &args.files {
        outcome = take(&local.handle, &reader, file, args);
        if outcome.is_err() {
            break;
        }
    }
    local.stop();
    outcome
}

fn take(engine: &Handle, reader: &Reader, file: &Path, args: &ImportArgs) -> Done {
    let bytes = bytes_of(file)?;
    let id = statement_id(&bytes);
    let read = parse(&bytes, &name_of(file))
        .map_err(|problem| Failure::cannot(format!("{}: {problem}", file.display())))?;
    let taken = StatementTaken::of(&id, &read);
    let mut taking = Taking::new(id.clone(), read);
    while let Some(piece) = taking
        .next(reader, BY, SystemClock.now())
        .map_err(Failure::cannot)?
    {
        if !args.dry_run {
            commit(engine, piece.arrivals)?;
        }
    }
    let taken = told(taken, &taking.tally);
    if !args.dry_run {
        commit(
            engine,
            vec![Arrival::Audited {
                by: BY.to_owned(),
                action: "statement.take".to_owned(),
                object: id,
                detail: json!({ "format": taken.format, "entries": taken.entries, "new": taken.new,
                                "matched": taken.matched, "unclear": taken.unclear })
                .to_string(),
            }],
        )?;
    }
    let taken = serde_json::to_value(&taken).map_err(Failure::cannot)?;
    show(file, &taken, args.json)
}

/// Gives arrivals to the engine, and waits until they are durable.
fn commit(engine: &Handle, arrivals: Vec<Arrival>) -> Done {
    let (tell, told) = bounded(1);
    let envelope = Envelope {
        weight: arrivals.len() * PAYMENT_WEIGHT,
        arrivals,
        acknowledge: Some(Box::new(move |result| {
            // Whoever waited may have failed meanwhile.
            let _nobody_waits = tell.send(result);
        })),
    };
    engine.submit(envelope).map_err(Failure::cannot)?;
    told.recv()
        .unwrap_or(Err(Refusal::Stopping))
        .map_err(Failure::cannot)
}

fn show(file: &Path, taken: &Value, json: bool) -> Done {
    if json {
        let mut line = taken.clone();
        line["file"] = json!(file.display().to_string());
        return print_line(&line.to_string());
    }
    let number = |field: &str| taken[field].as_u64().unwrap_or_default();
    eprintln!(
        "{}: {}, {} payments: {} new, {} known",
        file.display(),
        taken["format"].as_str().unwrap_or_default(),
        number("entries"),
        number("new"),
        number("known"),
    );
    let states = PaymentState::ALL.map(PaymentState::word);
    let told: Vec<String> = states
        .into_iter()
        .chain(["reversed"])
        .filter(|word| number(word) > 0)
        .map(|word| format!("{} {word}", number(word)))
        .collect();
    if !told.is_empty() {
        eprintln!("  {}", told.join(", "));
    }
    let accounts = taken["accounts"].as_array();
    for one in accounts.into_iter().flatten() {
        if one["balanced"] == false {
            eprintln!(
                "  account {}: the entries do not lead from one balance to the other; the file may not be whole",
                one["account"].as_str().unwrap_or_default()
            );
        }
    }
    Ok(())
}
