//! `relance payments`: bank statements from files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::bounded;
use relance_core::payment::PaymentState;
use relance_engine::arrival::{Arrival, Envelope, Refusal};
use relance_engine::clock::{Clock as _, SharedClock, SystemClock};
use relance_engine::run::Handle;
use relance_store::Reader;
use relance_wire::api::payment::{StatementRow, StatementTaken, StatementUndone};
use relance_wire::statement::{STATEMENT_BYTES_MAX, parse};
use serde_json::{Value, json};

use crate::config::Config;
use crate::consent::Erased;
use crate::import::local;
use crate::payments::PAYMENT_WEIGHT;
use crate::payments::take::{PIECE_PAYMENTS_MAX, Taking, statement_id, told};
use crate::payments::undo::Undoing;

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
    in_folder(data, |engine, reader| {
        args.files
            .iter()
            .try_for_each(|file| take(engine, reader, file, args))
    })
}

fn take(engine: &Handle, reader: &Reader, file: &Path, args: &ImportArgs) -> Done {
    let bytes = bytes_of(file)?;
    let id = statement_id(&bytes);
    let read = parse(&bytes, &name_of(file))
        .map_err(|problem| Failure::cannot(format!("{}: {problem}", file.display())))?;
    let taken = StatementTaken::of(&id, &read);
    let name = name_of(file);
    let mut taking = Taking::new(id.clone(), &name, BY, SystemClock.now(), read);
    loop {
        let now = SystemClock.now();
        // Nobody else works in the folder, so that nobody overtakes.
        let planned = taking.plan(reader, BY, now, PIECE_PAYMENTS_MAX);
        let Some(mut piece) = planned.map_err(Failure::cannot)? else {
            break;
        };
        let arrivals = std::mem::take(&mut piece.arrivals);
        if !args.dry_run && !arrivals.is_empty() {
            commit(engine, arrivals)?;
        }
        taking.done(&piece);
    }
    let taken = told(taken, &taking.tally);
    if !args.dry_run {
        let closing = taking.close(reader, BY, SystemClock.now());
        let mut closing = closing.map_err(Failure::cannot)?;
        let detail = json!({ "name": name, "format": taken.format, "entries": taken.entries, "new": taken.new,
                             "matched": taken.matched, "unclear": taken.unclear });
        closing.push(audited("statement.take", id, &detail));
        commit(engine, closing)?;
    }
    let taken = serde_json::to_value(&taken).map_err(Failure::cannot)?;
    show(file, &taken, args.json)
}

fn audited(action: &str, object: String, detail: &Value) -> Arrival {
    Arrival::Audited {
        by: BY.to_owned(),
        action: action.to_owned(),
        object,
        detail: detail.to_string(),
    }
}

/// Arguments of `statements`.
#[derive(Debug, clap::Args)]
pub struct StatementsArgs {
    /// How many, the last taken in first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Prints JSON, an object for each statement.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub fn statements(args: &StatementsArgs) -> Done {
    let rows: Vec<Value> = match args.target.place()? {
        Place::Server(server) => {
            let page = server.get(&format!("/api/v1/statements?limit={}", args.limit))?;
            page["items"].as_array().cloned().unwrap_or_default()
        }
        Place::Folder(data) => {
            let page = target::reader(data)?.statements(None, args.limit);
            let rows = page.map_err(Failure::cannot)?.items.into_iter();
            let rows = rows.map(|one| serde_json::to_value(StatementRow::of(one)));
            rows.collect::<Result<_, _>>().map_err(Failure::cannot)?
        }
    };
    for row in rows {
        if args.json {
            print_line(&row.to_string())?;
            continue;
        }
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let number = |field: &str| row[field].as_u64().unwrap_or_default();
        let mut line = format!(
            "{}  {}  {}  {} by {}: {} payments, {} new, {} unclear",
            text("id"),
            text("at"),
            text("format"),
            text("name"),
            text("by"),
            number("entries"),
            number("new"),
            number("unclear"),
        );
        if row["whole"] == false {
            line.push_str("; not whole, import it again");
        }
        if row["undone_at"].is_string() {
            line.push_str("; taken back");
        }
        print_line(&line)?;
    }
    Ok(())
}

/// Arguments of `undo`.
#[derive(Debug, clap::Args)]
pub struct UndoArgs {
    /// The statement: `st_...`, see `relance payments statements`.
    statement: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub fn undo(args: &UndoArgs) -> Done {
    let id = &args.statement;
    if !id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        let what = format!("{id:?} is no statement; relance payments statements lists them");
        return Err(Failure::Usage(what));
    }
    let undone = match args.target.place()? {
        Place::Server(server) => {
            server.post(&format!("/api/v1/statements/{id}/undo"), &json!({}))?
        }
        Place::Folder(data) => in_folder(data, |engine, reader| {
            let mut undoing = Undoing::new(reader, id).map_err(Failure::cannot)?;
            loop {
                let now = SystemClock.now();
                let planned = undoing.plan(reader, BY, now, PIECE_PAYMENTS_MAX);
                let Some(mut piece) = planned.map_err(Failure::cannot)? else {
                    break;
                };
                let arrivals = std::mem::take(&mut piece.arrivals);
                if !arrivals.is_empty() {
                    commit(engine, arrivals)?;
                }
                undoing.done(piece);
            }
            let detail = json!({ "payments": undoing.payments });
            commit(engine, vec![audited("statement.undo", id.clone(), &detail)])?;
            let statement = reader.statement(id).map_err(Failure::cannot)?;
            let statement = statement.ok_or_else(|| Failure::cannot("the statement is gone"))?;
            serde_json::to_value(StatementUndone {
                statement: StatementRow::of(statement),
                payments: undoing.payments,
            })
            .map_err(Failure::cannot)
        })?,
    };
    if args.json {
        return print_line(&undone.to_string());
    }
    let payments = undone["payments"].as_u64().unwrap_or_default();
    eprintln!("{id}: taken back, {payments} payments");
    Ok(())
}

/// Does something in a folder on which no server runs.
fn in_folder<T>(
    data: &Path,
    work: impl FnOnce(&Handle, &Reader) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let held = target::hold(data)?;
    let config = Config::load(data).map_err(Failure::cannot)?;
    let reader = Arc::new(target::reader(data)?);
    let world = crate::explain::world(&reader, &config).map_err(Failure::cannot)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let mut store = held.store;
    let secret = crate::keys::link_secret(&mut store, held.now).map_err(Failure::cannot)?;
    let erased = Erased::load(&secret, &reader).map_err(Failure::cannot)?;
    let local = local::start(store, world, erased.hash(), &clock).map_err(Failure::cannot)?;
    let outcome = work(&local.handle, &reader);
    local.stop();
    outcome
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
