//! `relance journey library`: the ready-made journeys, and one of them as a folder of files.

use std::path::PathBuf;

use serde_json::json;

use crate::library::{self, Has, LANGUAGES};

use super::{Done, Failure, apply, print_line};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which one; left out, all are listed.
    #[arg(requires = "to")]
    id: Option<String>,
    /// The folder to write it to; it is made if it is not there.
    #[arg(long, value_name = "DIR", requires = "id")]
    to: Option<PathBuf>,
    /// Languages: of the names in a list, and of the letters that are written. The journeys' own words are in the first.
    /// May be given again; left out, all.
    #[arg(long, value_parser = LANGUAGES)]
    language: Vec<String>,
    /// Writes over files that say something else.
    #[arg(long, requires = "to")]
    force: bool,
    /// Prints the list as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Done {
    let library = library::bundled().map_err(Failure::cannot)?;
    if let (Some(id), Some(to)) = (&args.id, &args.to) {
        let languages = match args.language.is_empty() {
            true => LANGUAGES.map(str::to_owned).to_vec(),
            false => args.language.clone(),
        };
        let files = library.files(id, &languages);
        let files = files.map_err(|problem| Failure::Usage(problem.to_string()))?;
        return apply::write(&files, to, args.force);
    }
    let items = library.items(&Has::default());
    if args.json {
        return print_line(&json!({ "items": items }).to_string());
    }
    let language = args.language.first().map_or(LANGUAGES[0], String::as_str);
    for item in items {
        let told = |texts: &std::collections::BTreeMap<String, String>| {
            texts.get(language).cloned().unwrap_or_default()
        };
        let (name, description) = (told(&item.name), told(&item.description));
        print_line(&format!("{:<20} {name}\n{:<20} {description}", item.id, ""))?;
    }
    Ok(())
}
