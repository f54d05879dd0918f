//! `relance contacts`: contacts from files, and to files.

mod remote;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use relance_core::ids::SegmentId;
use relance_engine::clock::{Clock as _, SharedClock, SystemClock};
use relance_wire::table::charset::Charset;
use relance_wire::table::column::Key;
use relance_wire::table::guess::delimiter_of;
use relance_wire::table::mapping::{Mapping, Mode};
use serde_json::{Value, json};

use crate::consent::Erased;
use crate::import::job::{Counts, Folder, Job, State};
use crate::import::jobs::{shown_job, shown_suggestion, suggested};
use crate::import::known::Known;
use crate::import::local;
use crate::import::run::{self, Forecast, Outlet, read_mapping};
use crate::import::source::{self, Told};
use crate::listing::{self, Format, SHEET_ROWS_MAX};

use super::target::{self, Place, Target, config_of};
use super::{Done, Failure, print_line, read_text};

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file: CSV, or a workbook (.xlsx). Not needed to resume.
    #[arg(required_unless_present = "resume")]
    file: Option<PathBuf>,
    /// What the columns mean; without it, what is suggested.
    #[arg(long)]
    map: Option<PathBuf>,
    /// Prints what is suggested, and ends: a mapping to edit and give with --map.
    #[arg(long, conflicts_with_all = ["map", "dry_run", "resume"])]
    suggest: bool,
    /// What a contact is found by.
    #[arg(long, value_parser = ["user_id", "email", "phone"])]
    key: Option<String>,
    /// The country of telephone numbers without +, such as RU.
    #[arg(long)]
    country: Option<String>,
    /// Reads everything and shows what would change; changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Leaves contacts that exist as they are.
    #[arg(long, conflicts_with = "only_existing")]
    only_new: bool,
    /// Makes no new contacts.
    #[arg(long)]
    only_existing: bool,
    /// Where rows that could not be used are written.
    #[arg(long)]
    errors: Option<PathBuf>,
    /// Goes on with an import that was stopped.
    #[arg(long, value_name = "JOB", conflicts_with_all = ["file", "map"])]
    resume: Option<String>,
    /// The file's encoding, such as windows-1251 or shift_jis.
    #[arg(long)]
    encoding: Option<String>,
    /// The file's delimiter: comma, semicolon, tab, pipe.
    #[arg(long)]
    delimiter: Option<String>,
    /// The sheet of a workbook; the first without it.
    #[arg(long)]
    sheet: Option<String>,
    /// Whether the first row names the columns.
    #[arg(long)]
    header: Option<bool>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The file to write.
    out: PathBuf,
    /// In which form; by the file's name without it.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Which list.
    #[arg(long, default_value = "contacts", value_parser = ["contacts", "documents", "ledger", "tasks", "suppressions"])]
    list: String,
    /// Only members of this segment.
    #[arg(long)]
    segment: Option<String>,
    /// Only these columns, in this order.
    #[arg(long, value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub fn import(args: ImportArgs) -> Done {
    if args.suggest {
        return print_suggestion(&args);
    }
    match args.target.place()? {
        Place::Server(server) => remote::import(&server, &order(&args)?),
        Place::Folder(data) => {
            if args.dry_run {
                forecast(&args, data)
            } else {
                import_here(&args, data)
            }
        }
    }
}

/// The import that a server is asked for.
fn order(args: &ImportArgs) -> Result<remote::Order<'_>, Failure> {
    let mapping = match (&args.resume, &args.file) {
        (Some(_), _) | (None, None) => None,
        (None, Some(file)) => Some(mapping_of(args, file)?.1.to_yaml()),
    };
    Ok(remote::Order {
        file: args.file.as_deref(),
        resume: args.resume.as_deref(),
        mapping,
        told: told(args)?,
        dry_run: args.dry_run,
        errors: args.errors.as_deref(),
        json: args.json,
    })
}

fn told(args: &ImportArgs) -> Result<Told, Failure> {
    let encoding = args.encoding.as_deref().map(|word| {
        let known = Charset::ALL.map(Charset::word).join(", ");
        let what = format!("encoding {word:?} is not known; use one of {known}");
        Charset::from_word(word).ok_or(Failure::Usage(what))
    });
    let delimiter = args.delimiter.as_deref().map(|word| {
        let what = format!("delimiter {word:?} is not known; use comma, semicolon, tab or pipe");
        delimiter_of(word).ok_or(Failure::Usage(what))
    });
    Ok(Told {
        encoding: encoding.transpose()?,
        delimiter: delimiter.transpose()?,
        header: args.header,
        sheet: args.sheet.clone(),
    })
}

/// The table and what its columns mean: by the mapping that is given, else as suggested; options go before
/// both.
fn mapping_of(args: &ImportArgs, file: &Path) -> Result<(source::Table, Mapping), Failure> {
    let mut told = told(args)?;
    let given = args.map.as_ref().map(|path| {
        let text = read_text(path)?;
        read_mapping(&text)
            .map_err(|problem| Failure::cannot(format!("{}: {problem}", path.display())))
    });
    let given = given.transpose()?;
    if let Some(mapping) = &given {
        told.encoding = told.encoding.or(mapping.encoding);
        told.delimiter = told.delimiter.or(mapping.delimiter);
        told.header = told.header.or(mapping.header);
        told.sheet = told.sheet.or_else(|| mapping.sheet.clone());
    }
    let table = source::open(file, &told)
        .map_err(|problem| Failure::cannot(format!("{}: {problem}", file.display())))?;
    let mut mapping = given.unwrap_or_else(|| suggested(&table).1);
    if let Some(key) = args.key.as_deref().and_then(Key::from_word) {
        mapping.key = Some(key);
    }
    if let Some(country) = &args.country {
        if !relance_wire::phone::is_country(country) {
            let what =
                format!("country {country:?} is not known; write two letters such as RU, JP or US");
            return Err(Failure::Usage(what));
        }
        mapping.country = Some(country.to_ascii_uppercase());
    }
    if args.only_new {
        mapping.mode = Mode::OnlyNew;
    }
    if args.only_existing {
        mapping.mode = Mode::OnlyExisting;
    }
    Ok((table, mapping))
}

fn print_suggestion(args: &ImportArgs) -> Done {
    let Some(file) = &args.file else {
        return Err(Failure::Usage("name the file".to_owned()));
    };
    let table = source::open(file, &told(args)?).map_err(Failure::cannot)?;
    let (suggestions, mapping) = suggested(&table);
    if args.json {
        return print_line(&shown_suggestion(&table, &suggestions, &mapping).to_string());
    }
    print_line(mapping.to_yaml().trim_end())
}

/// A bar for people; nothing where nobody watches.
pub(crate) fn bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template(
        "{bar:30} {percent:>3}% {bytes}/{total_bytes} {elapsed}, {eta} to go  {msg}",
    );
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// What became of the rows, in a line.
pub(crate) fn summary(counts: &Counts, would: bool) -> String {
    let Counts {
        rows,
        created,
        updated,
        unchanged,
        skipped,
        errors,
        left_out,
        role,
        disposable,
    } = counts;
    let would = if would { "would be " } else { "" };
    let mut text = format!(
        "{rows} rows: {would}{created} new, {updated} changed, {unchanged} unchanged, {errors} with errors"
    );
    for (count, what) in [
        (skipped, "left out by the mode"),
        (left_out, "cells left out"),
        (role, "addresses of offices"),
        (disposable, "thrown-away addresses"),
    ] {
        if *count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

fn forecast(args: &ImportArgs, data: &Path) -> Done {
    let Some(file) = &args.file else {
        return Err(Failure::Usage("name the file for a dry run".to_owned()));
    };
    let (table, mapping) = mapping_of(args, file)?;
    let reader = target::reader(data)?;
    let secrets = reader.texts(crate::keys::SECRET).map_err(Failure::cannot)?;
    let secrets = secrets
        .into_iter()
        .map(|one| (one.name, one.body))
        .collect();
    let erased = crate::keys::stored_secret(&secrets)
        .map(|secret| Erased::load(&secret, &reader))
        .transpose()
        .map_err(Failure::cannot)?;
    let length = std::fs::metadata(file).map_err(Failure::cannot)?.len();
    let job = Job::new("", "", length, table.facts, SystemClock.now());
    let mut errors = match &args.errors {
        Some(path) => Some(std::io::BufWriter::new(create(path)?)),
        None => None,
    };
    let bar = bar(length);
    let forecast = run::forecast(
        &job,
        file,
        &mapping,
        &Known {
            reader: &reader,
            erased: &|identities| {
                erased
                    .as_ref()
                    .is_some_and(|erased| erased.knows(identities))
            },
        },
        errors.as_mut().map(|file| file as &mut dyn std::io::Write),
        &AtomicBool::new(false),
        &mut |counts, (read, of)| {
            bar.set_length(of);
            bar.set_position(read);
            bar.set_message(format!("{} rows", counts.rows));
        },
    )
    .map_err(Failure::cannot)?;
    bar.finish_and_clear();
    if let Some(mut file) = errors {
        file.flush().map_err(Failure::cannot)?;
    }
    tell_forecast(&forecast, args.json)
}

pub(crate) fn tell_forecast(forecast: &Forecast, json: bool) -> Done {
    if json {
        print_line(&forecast.shown().to_string())?;
    } else {
        for example in &forecast.examples {
            print_line(&example_line(example))?;
        }
        eprintln!("{}", summary(&forecast.counts, true));
    }
    if forecast.counts.errors > 0 {
        return Err(Failure::Findings);
    }
    Ok(())
}

/// A change or an error, for people.
pub(crate) fn example_line(example: &Value) -> String {
    let text = |name: &str| example[name].as_str().unwrap_or_default();
    let row = &example["row"];
    if text("what") == "error" {
        let column = text("column");
        let place = if column.is_empty() {
            String::new()
        } else {
            format!(" {column}:")
        };
        return format!("row {row}: error:{place} {}", text("reason"));
    }
    let key = example["key"].as_object().and_then(|key| key.iter().next());
    let key = key.map_or_else(String::new, |(name, value)| {
        format!(" {name} {}", value.as_str().unwrap_or_default())
    });
    let changes: Vec<String> = example["changes"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, change)| match &change["before"] {
            Value::Null => format!("{name} = {}", change["after"]),
            before => format!("{name}: {before} -> {}", change["after"]),
        })
        .collect();
    format!("row {row}: {}{key}: {}", text("what"), changes.join(", "))
}

fn create(path: &Path) -> Result<std::fs::File, Failure> {
    std::fs::File::create(path)
        .map_err(|error| Failure::cannot(format!("cannot write {}: {error}", path.display())))
}

/// Works in the data folder, with an engine of its own that sends nothing.
fn import_here(args: &ImportArgs, data: &Path) -> Done {
    let held = target::hold(data)?;
    let (folder, mut job) = match (&args.resume, &args.file) {
        (Some(id), _) => {
            let folder = Folder::of(data, id).map_err(Failure::cannot)?;
            let job = folder.load().map_err(Failure::cannot)?;
            (folder, job)
        }
        (None, Some(file)) => {
            let (table, mapping) = mapping_of(args, file)?;
            let file = std::fs::canonicalize(file).map_err(Failure::cannot)?;
            let length = std::fs::metadata(&file).map_err(Failure::cannot)?.len();
            let (id, folder) = Folder::make(data).map_err(Failure::cannot)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let mut job = Job::new(&id, &name, length, table.facts, held.now);
            job.mapping = Some(mapping.to_yaml());
            job.source = Some(file.clone());
            folder.save(&job).map_err(Failure::cannot)?;
            (folder, job)
        }
        (None, None) => return Err(Failure::Usage("name the file".to_owned())),
    };
    eprintln!(
        "import {}; if it is stopped: relance contacts import --resume {0} --data {}",
        job.id,
        data.display()
    );
    let config = config_of(data)?;
    let reader = Arc::new(target::reader(data)?);
    let world = crate::explain::world(&reader, &config).map_err(Failure::cannot)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let mut store = held.store;
    let secret = crate::keys::link_secret(&mut store, held.now).map_err(Failure::cannot)?;
    let erased = Erased::load(&secret, &reader).map_err(Failure::cannot)?;
    let local = local::start(store, world, erased.hash(), &clock).map_err(Failure::cannot)?;
    let outlet = Outlet {
        engine: local.handle.clone(),
        reader,
        clock,
        erased: Arc::new(move |identities| erased.knows(identities)),
    };
    let bar = bar(job.source_bytes);
    let done = run::import(
        &mut job,
        &folder,
        &outlet,
        &AtomicBool::new(false),
        &mut |job, (read, of)| {
            bar.set_length(of);
            bar.set_position(read);
            bar.set_message(format!(
                "{} rows, {} with errors",
                job.counts.rows, job.counts.errors
            ));
        },
    );
    bar.finish_and_clear();
    local.stop();
    if let Some(path) = &args.errors {
        std::fs::copy(folder.errors(), path).map_err(|error| {
            Failure::cannot(format!("cannot write {}: {error}", path.display()))
        })?;
    }
    done.map_err(Failure::cannot)?;
    let errors = args.errors.clone().unwrap_or_else(|| folder.errors());
    tell(&job, &errors.display().to_string(), args.json)
}

/// Says what became of an import.
fn tell(job: &Job, errors: &str, json: bool) -> Done {
    if json {
        print_line(&shown_job(job, None).to_string())?;
    } else {
        eprintln!("{}", summary(&job.counts, false));
    }
    if job.counts.errors + job.counts.left_out > 0 {
        eprintln!("the rows with errors, to mend and import again: {errors}");
    }
    if job.counts.errors > 0 || job.state != State::Done {
        return Err(Failure::Findings);
    }
    Ok(())
}

pub fn export(args: ExportArgs) -> Done {
    let format =
        args.format
            .unwrap_or_else(|| match args.out.extension().and_then(|end| end.to_str()) {
                Some("xlsx") => Format::Xlsx,
                Some("jsonl" | "ndjson") => Format::Jsonl,
                Some(_) | None => Format::Csv,
            });
    if args.segment.is_some() && args.list != "contacts" {
        return Err(Failure::Usage("--segment is for contacts only".to_owned()));
    }
    let count = match args.target.place()? {
        Place::Server(server) => {
            let word = match format {
                Format::Csv => "csv",
                Format::Xlsx => "xlsx",
                Format::Jsonl => "jsonl",
            };
            let columns = args.columns.as_ref().map(|columns| columns.join(","));
            let pairs: Vec<(&str, &str)> = [
                Some(("format", word)),
                args.segment.as_deref().map(|segment| ("segment", segment)),
                columns.as_deref().map(|columns| ("columns", columns)),
            ]
            .into_iter()
            .flatten()
            .collect();
            remote::export(&server, &args.list, &pairs, &args.out)?;
            None
        }
        Place::Folder(data) => Some(export_here(&args, format, data)?),
    };
    if args.json {
        return print_line(&json!({ "rows": count, "file": args.out }).to_string());
    }
    match count {
        Some(count) => eprintln!("{count} rows in {}", args.out.display()),
        None => eprintln!("written to {}", args.out.display()),
    }
    Ok(())
}

fn export_here(args: &ExportArgs, format: Format, data: &Path) -> Result<u64, Failure> {
    let reader = target::reader(data)?;
    let segment = args.segment.as_deref().map(SegmentId::from);
    let mut list =
        |after: Option<&str>| listing::page_of(&reader, &args.list, segment.as_ref(), after);
    let bar = ProgressBar::new_spinner();
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let mut progress = |count: u64| {
        bar.set_position(count);
        bar.tick();
    };
    let columns = args.columns.as_deref();
    let count = match format {
        Format::Xlsx => {
            listing::write_workbook(columns, &mut list, &args.out, SHEET_ROWS_MAX, &mut progress)
        }
        Format::Csv | Format::Jsonl => {
            let mut file = std::io::BufWriter::new(create(&args.out)?);
            listing::write_text(format, columns, &mut list, &mut file, &mut progress)
        }
    };
    bar.finish_and_clear();
    count.map_err(Failure::cannot)
}
