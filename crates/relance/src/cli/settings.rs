//! `relance settings`: what people change in the interface, from the command line.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::ports::Asset;
use relance_engine::turn::Engine;
use relance_wire::api::settings::{SectionListed, SectionShown};
use serde_json::{Value, json};

use crate::config::Config;
use crate::content;
use crate::keys::SECRET;
use crate::policy::policy;
use crate::settings::{self, Change, ChangeProblem, SETTING, Section, Stored};
use crate::vault::{self, Vault};

use super::apply::Nobody;
use super::target::{Held, Place, Target, config_of, hold, reader};
use super::user::BY;
use super::{Done, Failure, print_line, read_text};

/// Bytes of a value that is read.
const VALUE_BYTES_MAX: u64 = 1024 * 1024;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    target: Target,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `show` and `reset`.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// The section: workspace, quiet_hours, caps, topics, consent, smtp, oauth_clients or costs.
    section: String,
    #[command(flatten)]
    target: Target,
    /// Prints JSON: the value with whose word it is.
    #[arg(long)]
    json: bool,
}

/// Arguments of `set`.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// A file with the value as JSON; standard input without it. A secret that is left out stays, null takes it away.
    #[arg(long)]
    from: Option<PathBuf>,
}

fn named(word: &str) -> Result<Section, Failure> {
    Section::from_word(word).ok_or_else(|| {
        let known = Section::words();
        Failure::Usage(format!("there is no section {word:?}; use one of {known}"))
    })
}

fn all_in(data: &Path) -> Result<Vec<SectionShown>, Failure> {
    // Only read: a server may run on the folder.
    let reader = reader(data)?;
    let file = Config::load(data).map_err(Failure::cannot)?;
    let secrets = reader.texts(SECRET).map_err(Failure::cannot)?;
    let known = vault::known(secrets.iter().map(|text| (&*text.name, &*text.body)));
    let vault = Vault::look(data, known.as_deref());
    settings::all_in_folder((&file, data), &reader, &vault).map_err(Failure::cannot)
}

pub fn list(args: ListArgs) -> Done {
    let items: Vec<SectionListed> = match args.target.place()? {
        Place::Server(server) => {
            let told = server.get("/api/v1/settings")?;
            serde_json::from_value(told["sections"].clone()).map_err(Failure::cannot)?
        }
        Place::Folder(data) => all_in(data)?.into_iter().map(Into::into).collect(),
    };
    if args.json {
        return print_line(&json!({ "sections": items }).to_string());
    }
    for one in items {
        let by = match (one.changed_by, one.changed_at) {
            (Some(by), Some(at)) => format!("  {by}  {at}"),
            (_, _) => String::new(),
        };
        print_line(&format!("{:<14} {:<7}{by}", one.id, one.origin))?;
    }
    Ok(())
}

fn told(shown: &SectionShown, json: bool) -> Done {
    if json {
        let line = serde_json::to_string(shown).map_err(Failure::cannot)?;
        return print_line(&line);
    }
    let value = serde_json::to_string_pretty(&shown.value).map_err(Failure::cannot)?;
    print_line(&value)
}

pub fn show(args: OneArgs) -> Done {
    let section = named(&args.section)?;
    let shown: SectionShown = match args.target.place()? {
        Place::Server(server) => {
            let told = server.get(&format!("/api/v1/settings/{}", section.word()))?;
            serde_json::from_value(told).map_err(Failure::cannot)?
        }
        Place::Folder(data) => one_in(data, section)?,
    };
    told(&shown, args.json)
}

fn one_in(data: &Path, section: Section) -> Result<SectionShown, Failure> {
    let mut all = all_in(data)?.into_iter();
    all.find(|one| one.section == section.word())
        .ok_or_else(|| Failure::Cannot(format!("the section {} is gone", section.word())))
}

pub fn set(args: SetArgs) -> Done {
    let section = named(&args.one.section)?;
    let text = match &args.from {
        Some(path) => read_text(path)?,
        None => {
            let mut text = String::new();
            let mut input = std::io::stdin().lock().take(VALUE_BYTES_MAX + 1);
            input.read_to_string(&mut text).map_err(Failure::cannot)?;
            text
        }
    };
    if text.len() as u64 > VALUE_BYTES_MAX {
        let what = format!("the value has more than {VALUE_BYTES_MAX} bytes");
        return Err(Failure::Usage(what));
    }
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::Usage(format!("the value is no JSON: {error}")))?;
    let shown: SectionShown = match args.one.target.place()? {
        Place::Server(server) => {
            let path = format!("/api/v1/settings/{}", section.word());
            let told = server.put(&path, &json!({ "value": value }))?;
            serde_json::from_value(told).map_err(Failure::cannot)?
        }
        Place::Folder(data) => {
            change(data, section, Some(value))?;
            one_in(data, section)?
        }
    };
    eprintln!("{} is changed", section.word());
    told(&shown, args.one.json)
}

pub fn reset(args: OneArgs) -> Done {
    let section = named(&args.section)?;
    match args.target.place()? {
        Place::Server(server) => {
            server.delete_quietly(&format!("/api/v1/settings/{}", section.word()))?;
        }
        Place::Folder(data) => change(data, section, None)?,
    }
    eprintln!("{}: relance.toml counts again", section.word());
    if args.json {
        let shown = match args.target.place()? {
            Place::Server(server) => {
                let told = server.get(&format!("/api/v1/settings/{}", section.word()))?;
                serde_json::from_value(told).map_err(Failure::cannot)?
            }
            Place::Folder(data) => one_in(data, section)?,
        };
        return told(&shown, true);
    }
    Ok(())
}

/// Changes a section in a data folder on which no server runs. Taking one back goes where nothing else does: it is
/// the way out when a change and the file do not go together any more.
fn change(data: &Path, section: Section, value: Option<Value>) -> Done {
    let file = Config::load(data).map_err(Failure::cannot)?;
    let before = config_of(data).unwrap_or_else(|_| file.clone());
    let mut held = hold(data)?;
    let is_reset = value.is_none();
    let stored = match settings::stored(&mut held.store) {
        Ok(stored) => stored,
        // What cannot be read at all can be taken back all the same.
        Err(_) if is_reset => Stored::new(),
        Err(problem) => return Err(Failure::cannot(problem)),
    };
    let vault = Vault::begin(&mut held.store, data, held.now).map_err(Failure::cannot)?;
    let asked = Change {
        section,
        value,
        revision: None,
    };
    let planned = settings::plan((&file, data), &stored, &vault, asked, BY, held.now);
    let (mut arrivals, detail) = match planned {
        Ok(planned) => {
            let arrivals = planned.arrivals().map_err(Failure::cannot)?;
            (arrivals, planned.detail.to_string())
        }
        Err(ChangeProblem::Wrong(faults)) if is_reset => {
            for fault in faults {
                eprintln!("still wrong: {}: {}", fault.field, fault.what);
            }
            let gone = Arrival::Asset(Asset {
                kind: SETTING.to_owned(),
                name: section.word().to_owned(),
                body: None,
            });
            (vec![gone], String::new())
        }
        Err(ChangeProblem::Wrong(faults)) => {
            for fault in &faults {
                eprintln!("{}: {}", fault.field, fault.what);
            }
            return Err(Failure::Findings);
        }
        Err(problem) => return Err(Failure::cannot(problem)),
    };
    let action = if is_reset {
        "setting.reset"
    } else {
        "setting.change"
    };
    arrivals.push(Arrival::Audited {
        by: BY.to_owned(),
        action: action.to_owned(),
        object: section.word().to_owned(),
        detail,
    });
    // What waits by the rules of before is asked anew when a server runs again.
    let Held { store, now, .. } = held;
    let rules = policy(&before).or_else(|_| policy(&Config::default()));
    let world = World::new(rules.map_err(Failure::cannot)?, 0);
    let mut engine =
        Engine::new(store, Nobody, world, content::title_writer()).map_err(Failure::cannot)?;
    engine.configure(&arrivals, now).map_err(Failure::cannot)
}
