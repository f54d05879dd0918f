//! `relance journey check`, `plan`, `apply` and `export`: a scenario as files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::clock::{Clock, SystemClock};
use relance_engine::ports::{Dispatch, Dispatcher};
use relance_engine::turn::Engine;
use relance_store::read::Reader;
use serde_json::{Value, json};

use crate::config::Config;
use crate::content;
use crate::policy::policy;
use crate::scenario::apply::{Applied, Asked, InForce, MovesAsked, Planned};
use crate::scenario::{self, FileProblem, Files, Known};
use crate::segments::plan::What;

use super::target::{Place, Target, config_of, hold, reader};
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

/// Arguments of `plan` and `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A scenario's folder, or a journey's file.
    path: PathBuf,
    #[command(flatten)]
    target: Target,
    /// What becomes of runs in flight: `pin` leaves each on its version, `follow` takes over those whose
    /// step still exists.
    #[arg(long, default_value = "pin", value_parser = ["pin", "follow"])]
    moves: String,
    /// Where runs at a step go: OLD=NEW, or OLD=end. Steps that are not named follow. May be given again.
    #[arg(long, value_name = "OLD=NEW", conflicts_with = "moves")]
    map: Vec<String>,
    /// Takes segments out of force that are in no file.
    #[arg(long)]
    prune: bool,
    /// So many contacts, as the plan told, may enter journeys at once.
    #[arg(long, value_name = "N")]
    yes_storm: Option<u64>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The folder to write to; it is made if it is not there.
    path: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Writes over files that say something else.
    #[arg(long)]
    force: bool,
}

pub fn check(args: CheckArgs) -> Done {
    let mut found = false;
    for path in &args.paths {
        let files = read(path)?;
        match scenario::check(&files, &Known::nothing()) {
            Ok(checked) => {
                report(&checked.warnings, "warning", args.json)?;
                if !args.json {
                    eprintln!(
                        "{}: {} journeys, {} segments, {} templates and {} content lists are good",
                        path.display(),
                        checked.journeys.len(),
                        checked
                            .segments
                            .iter()
                            .map(|file| file.segments.len())
                            .sum::<usize>(),
                        files.templates.len(),
                        files.lists.len()
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

fn read(path: &Path) -> Result<Files, Failure> {
    let files = Files::read(path)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))?;
    if files.is_empty() {
        let what = "holds no journeys (*.yaml), no segments, no templates and no content lists";
        return Err(Failure::Usage(format!("{} {what}", path.display())));
    }
    Ok(files)
}

pub(super) fn report(problems: &[FileProblem], severity: &str, as_json: bool) -> Done {
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

impl Args {
    fn moves(&self) -> Result<MovesAsked, Failure> {
        if self.map.is_empty() {
            return Ok(match self.moves.as_str() {
                "follow" => MovesAsked::Follow,
                _pin => MovesAsked::Pin,
            });
        }
        let mut table = BTreeMap::new();
        for pair in &self.map {
            let Some((old, new)) = pair.split_once('=') else {
                let what = format!("--map {pair:?}: write OLD=NEW or OLD=end");
                return Err(Failure::Usage(what));
            };
            let new = Some(new.to_owned()).filter(|new| new != "end");
            table.insert(old.to_owned(), new);
        }
        Ok(MovesAsked::Map(table))
    }

    fn asked(&self) -> Result<Asked, Failure> {
        Ok(Asked {
            moves: (&self.moves()?).into(),
            prune: self.prune,
            confirm: self.yes_storm,
        })
    }

    /// What the API is asked.
    fn request(&self, files: &Files) -> Result<Value, Failure> {
        let mut request = json!(files);
        request["moves"] = json!(self.moves()?);
        request["prune"] = json!(self.prune);
        request["confirm"] = json!(self.yes_storm);
        Ok(request)
    }
}

/// Says what `apply` would change, and for how many runs; changes nothing.
pub fn plan(args: Args) -> Done {
    let files = read(&args.path)?;
    let asked = args.asked()?;
    let applied = match args.target.place()? {
        Place::Server(server) => {
            let answer = server.post("/api/v1/scenario/plan", &args.request(&files)?)?;
            serde_json::from_value(answer).map_err(Failure::cannot)?
        }
        Place::Folder(data) => {
            let reader = reader(data)?;
            let config = config_of(data)?;
            let mut planned = compare(&reader, &config, &files, &asked)?;
            let now = SystemClock.now();
            let counted = planned.count(&reader, &config, true, now);
            counted.map_err(Failure::cannot)?;
            planned.applied
        }
    };
    show(&applied, "would publish", args.json)
}

/// Applies a scenario: all of it, or nothing.
pub fn run(args: Args) -> Done {
    let files = read(&args.path)?;
    let asked = args.asked()?;
    let applied = match args.target.place()? {
        Place::Server(server) => {
            let answer = server.post("/api/v1/scenario", &args.request(&files)?)?;
            serde_json::from_value(answer).map_err(Failure::cannot)?
        }
        Place::Folder(data) => into_folder(data, &files, &asked)?,
    };
    show(&applied, "published", args.json)
}

fn show(applied: &Applied, published: &str, as_json: bool) -> Done {
    report(&applied.warnings, "warning", false)?;
    if as_json {
        let text = serde_json::to_string(applied).map_err(Failure::cannot)?;
        return print_line(&text);
    }
    for (journey, version) in &applied.published {
        print_line(&format!("{published}  {journey} as version {version}"))?;
        for line in applied.runs.get(journey).into_iter().flatten() {
            let what = match (line.what.as_str(), &line.to) {
                ("move", Some(to)) => format!("go over to step {to}"),
                ("end", _) => "end".to_owned(),
                _stay => format!("stay on version {}", line.version),
            };
            let (runs, step, version) = (line.runs, &line.step, line.version);
            print_line(&format!(
                "    {runs} runs at step {step} of version {version} {what}"
            ))?;
        }
    }
    for journey in &applied.unchanged {
        print_line(&format!("unchanged  {journey}"))?;
    }
    for (id, one) in &applied.segments {
        let what = match one.what {
            What::New => "new segment",
            What::Changed => "segment   ",
            What::Unchanged => "unchanged ",
            What::Removed => "removed   ",
        };
        let after = match (one.what, &one.after, &one.entering, &one.leaving) {
            (What::Removed, ..) => format!(": {} members leave", one.members),
            (_, Some(after), Some(entering), Some(leaving)) => format!(
                ": {} members, {after} afterwards; {entering} come in, {leaving} leave",
                one.members
            ),
            (What::New | What::Changed | What::Unchanged, ..) => String::new(),
        };
        print_line(&format!("{what} {id}{after}"))?;
    }
    if let Some(storm) = &applied.storm {
        for one in &storm.journeys {
            let how = match one.by.as_str() {
                "schedule" => "at its next moment",
                _at_once => "as soon as the segment is built",
            };
            print_line(&format!(
                "storm      {} contacts enter {} by {}, {how}",
                one.contacts, one.journey, one.segment
            ))?;
        }
        print_line(&format!("           {}", storm.pace))?;
        if storm.contacts > storm.limit {
            let (contacts, limit) = (storm.contacts, storm.limit);
            print_line(&format!(
                "           more than {limit}: apply with --yes-storm {contacts}"
            ))?;
        }
    }
    for template in &applied.templates {
        print_line(&format!("template   {template}"))?;
    }
    for list in &applied.lists {
        print_line(&format!("list       {list}"))?;
    }
    if applied.is_nothing() && applied.unchanged.is_empty() {
        print_line("nothing to change")?;
    }
    Ok(())
}

fn compare(
    reader: &Reader,
    config: &Config,
    files: &Files,
    asked: &Asked,
) -> Result<Planned, Failure> {
    let in_force = InForce::read(reader).map_err(Failure::cannot)?;
    let settings = config.rfm.settings();
    in_force.plan(files, asked, &settings).map_err(|problems| {
        // They are printed; the exit code tells of them.
        let _printed = report(&problems, "error", false);
        Failure::Findings
    })
}

/// Writes a scenario into a data folder on which no server runs.
fn into_folder(data: &Path, files: &Files, asked: &Asked) -> Result<Applied, Failure> {
    let held = hold(data)?;
    let reader = reader(data)?;
    let config = config_of(data)?;
    let mut planned = compare(&reader, &config, files, asked)?;
    let counted = planned.count(&reader, &config, false, held.now);
    counted.map_err(Failure::cannot)?;
    planned.confirmed(asked.confirm).map_err(Failure::cannot)?;
    configure(held, &planned.arrivals)?;
    Ok(planned.applied)
}

/// Lets an engine that sends nothing take changes of the configuration, and nothing else.
pub(super) fn configure(held: super::target::Held, arrivals: &[Arrival]) -> Done {
    let super::target::Held {
        mut store,
        now,
        settings,
        ..
    } = held;
    let mut world = World::new(policy(&Config::default()).map_err(Failure::cannot)?, 0);
    content::load_segments(&mut store, &settings, &mut world).map_err(Failure::cannot)?;
    content::load_journeys(&mut store, &settings, &mut world).map_err(Failure::cannot)?;
    let mut engine =
        Engine::new(store, Nobody, world, content::title_writer()).map_err(Failure::cannot)?;
    engine.configure(arrivals, now).map_err(Failure::cannot)
}

/// A dispatcher for an engine that is only configured.
pub(super) struct Nobody;

impl Dispatcher for Nobody {
    fn capacity(&self) -> usize {
        0
    }

    fn dispatch(&mut self, _messages: Vec<Dispatch>) {}

    fn revoke(&mut self, _id: relance_core::ids::TouchpointId) {}

    fn request_sync(&mut self, _mailbox: &relance_core::ids::MailboxId) {}
}

/// Writes what is in force as a folder that `apply` finds unchanged.
pub fn export(args: ExportArgs) -> Done {
    let files: Files = match args.target.place()? {
        Place::Server(server) => {
            let answer = server.get("/api/v1/scenario")?;
            serde_json::from_value(answer).map_err(Failure::cannot)?
        }
        Place::Folder(data) => {
            let reader = reader(data)?;
            InForce::read(&reader).map_err(Failure::cannot)?.files()
        }
    };
    write(&files, &args.path, args.force)
}

/// Writes a scenario as a folder, all of it or nothing; over files that say something else only by `force`.
pub(super) fn write(files: &Files, to: &Path, force: bool) -> Done {
    let mut writes = Vec::new();
    for (folder, texts) in [
        ("journeys", &files.journeys),
        ("templates", &files.templates),
        ("lists", &files.lists),
        ("segments", &files.segments),
    ] {
        let folder = to.join(folder);
        for (name, text) in texts {
            // Names come from a database that somebody else may have filled.
            if !scenario::is_file_name(name) {
                return Err(Failure::cannot(format!("{name:?} is no file name")));
            }
            let path = folder.join(name);
            let old = std::fs::read(&path).ok();
            let is_same = old.as_deref() == Some(text.as_bytes());
            if !force && old.is_some() && !is_same {
                let what = format!(
                    "{} is there and says something else; use --force to write over it",
                    path.display()
                );
                return Err(Failure::Usage(what));
            }
            writes.push((path, text));
        }
        if !texts.is_empty() {
            std::fs::create_dir_all(&folder).map_err(Failure::cannot)?;
        }
    }
    // All of them, or none.
    for (path, text) in &writes {
        std::fs::write(path, text)
            .map_err(|error| Failure::cannot(format!("{}: {error}", path.display())))?;
    }
    eprintln!("{} files in {}", writes.len(), to.display());
    Ok(())
}
