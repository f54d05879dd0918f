//! `relance explain`: why something was sent to a contact, or was not.

use relance_core::contact::Identity;
use relance_core::ids::{ContactId, JourneyId};
use relance_engine::clock::{Clock, SystemClock};
use relance_wire::explain::Language;
use serde_json::Value;

use crate::explain;

use super::target::{Place, Server, Target, config_of, reader};
use super::{Done, Failure, print_line};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The contact: its id (con_42), its address, or its id in your own system.
    contact: String,
    /// The journey's id.
    journey: String,
    /// The language of the sentences.
    #[arg(long, default_value = "en", value_parser = ["en", "ru", "ja"])]
    lang: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub fn run(args: Args) -> Done {
    let told = match args.target.place()? {
        Place::Server(server) => ask(&args, &server)?,
        Place::Folder(data) => {
            // Only read: a server may run on the folder.
            let reader = reader(data)?;
            let config = config_of(data)?;
            let world = explain::world(&reader, &config).map_err(Failure::cannot)?;
            let id = match named(&args.contact) {
                Named::Id(id) => Some(id),
                Named::Identity(identity) => {
                    reader.find_contact(&identity).map_err(Failure::cannot)?
                }
            };
            let journey = JourneyId::from(args.journey.as_str());
            let language = Language::from_tag(&args.lang).unwrap_or_default();
            let now = SystemClock.now();
            let told = id.map(|id| explain::explain(&reader, &world, id, &journey, language, now));
            told.transpose().map_err(Failure::cannot)?.flatten()
        }
    };
    let Some(told) = told else {
        return Err(Failure::cannot(format!(
            "there is no contact {}; name its id, address or your own id of it",
            args.contact
        )));
    };
    if args.json {
        return print_line(&told.to_string());
    }
    show(&told)
}

/// How a person names a contact.
pub(super) enum Named {
    Id(ContactId),
    Identity(Identity),
}

/// How a text names one.
pub(super) fn named(text: &str) -> Named {
    match text.parse() {
        Ok(id) => Named::Id(id),
        Err(_) if text.contains('@') => Named::Identity(Identity::email(text)),
        Err(_) => Named::Identity(Identity::user(text)),
    }
}

fn ask(args: &Args, server: &Server<'_>) -> Result<Option<Value>, Failure> {
    let id = match named(&args.contact) {
        Named::Id(id) => id.to_string(),
        Named::Identity(identity) => {
            let query = query(&[(identity.kind.word(), &identity.value)])?;
            let found = server.get(&format!("/api/v1/contacts?{query}"))?;
            match found["items"][0]["id"].as_str() {
                Some(id) => id.to_owned(),
                None => return Ok(None),
            }
        }
    };
    let query = query(&[("journey", &args.journey), ("lang", &args.lang)])?;
    let told = server.get(&format!("/api/v1/contacts/{id}/explain?{query}"))?;
    Ok(Some(told))
}

/// A query string.
pub(super) fn query(pairs: &[(&str, &str)]) -> Result<String, Failure> {
    let url = reqwest::Url::parse_with_params("http://localhost/", pairs);
    let url = url.map_err(Failure::cannot)?;
    Ok(url.query().unwrap_or_default().to_owned())
}

/// Sentences, then the lines that led there.
fn show(told: &Value) -> Done {
    let empty = Vec::new();
    for sentence in told["sentences"].as_array().unwrap_or(&empty) {
        print_line(sentence.as_str().unwrap_or_default())?;
    }
    let lines = told["lines"].as_array().unwrap_or(&empty);
    if !lines.is_empty() {
        print_line("")?;
    }
    for line in lines {
        let field = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        print_line(&format!("{}  {}", field("at"), field("sentence")))?;
    }
    Ok(())
}
