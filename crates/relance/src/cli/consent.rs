//! `relance suppressions`, and `relance contacts held` and `erase`: what must not be written to, what is held
//! on a person, and forgetting it.

use std::io::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;
use relance_core::contact::SuppressionReason;
use relance_core::ids::ContactId;
use relance_core::suppression::{Suppression, SuppressionKey};
use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::turn::{ERASURE, Engine, Erasure};
use relance_store::read::{PAGE_ROWS_MAX, Reader};
use serde_json::{Value, json};

use crate::config::Config;
use crate::consent::{forget_files, identity_hash};
use crate::content;
use crate::held;
use crate::http::consent::{key_of, receipt, values_of};
use crate::import::leftovers::forget_rows;
use crate::keys;
use crate::policy::policy;

use super::apply::Nobody;
use super::explain::{Named, named};
use super::target::{Held, Place, Server, Target, hold, reader};
use super::{Done, Failure, print_line, read_text};

/// Entries that are sent at once.
const ENTRIES_AT_ONCE: usize = 10_000;
/// Refused lines that are told one by one.
const REFUSED_SHOWN_MAX: usize = 20;

/// Arguments of `suppressions import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// A file with one address, domain, telephone number or sha256: hash a line; of more columns the first.
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `suppressions export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Prints JSON, one entry a line, instead of CSV.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `suppressions add` and `remove`.
#[derive(Debug, clap::Args)]
pub struct ChangeArgs {
    /// Addresses, domains, telephone numbers or sha256: hashes.
    #[arg(required = true)]
    values: Vec<String>,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `contacts held` and `erase`.
#[derive(Debug, clap::Args)]
pub struct PersonArgs {
    /// The contact: its id (con_42), its address, or its id in your own system.
    contact: String,
    #[command(flatten)]
    target: Target,
}

pub fn import(args: ImportArgs) -> Done {
    let text = read_text(&args.file)?;
    let values: Vec<String> = values_of(&text).map(str::to_owned).collect();
    put(&args.target, &values, "import")
}

pub fn add(args: ChangeArgs) -> Done {
    put(&args.target, &args.values, "cli")
}

fn put(target: &Target, values: &[String], source: &str) -> Done {
    let (mut taken, mut refused) = (0, 0);
    let now = Timestamp::now();
    for some in values.chunks(ENTRIES_AT_ONCE) {
        let mut good = Vec::new();
        for value in some {
            match key_of(value, None) {
                Ok(key) => good.push((value, key)),
                Err(problem) => {
                    refused += 1;
                    if refused <= REFUSED_SHOWN_MAX {
                        eprintln!("{problem}");
                    }
                }
            }
        }
        taken += good.len();
        match target.place()? {
            Place::Server(server) => {
                let items: Vec<&String> = good.iter().map(|(value, _)| *value).collect();
                let body = json!({ "items": items, "source": source });
                server.post("/api/v1/suppressions", &body)?;
            }
            Place::Folder(data) => {
                let put = good.into_iter().map(|(_, key)| Suppression {
                    key,
                    reason: SuppressionReason::Manual,
                    at: now,
                    source: source.to_owned(),
                });
                let dropped = Vec::new();
                let put = put.collect();
                carry_out(hold(data)?, Arrival::Suppressions { put, dropped })?;
            }
        }
    }
    eprintln!("{taken} on the list, {refused} refused");
    if refused > 0 {
        return Err(Failure::Findings);
    }
    Ok(())
}

pub fn remove(args: ChangeArgs) -> Done {
    let keys: Result<Vec<SuppressionKey>, String> = args
        .values
        .iter()
        .map(|value| key_of(value, None))
        .collect();
    let keys = keys.map_err(Failure::Usage)?;
    match args.target.place()? {
        Place::Server(server) => {
            for key in keys {
                let query = query_of(&key);
                server.delete(&format!("/api/v1/suppressions?{query}"), &json!({}))?;
            }
        }
        Place::Folder(data) => {
            let put = Vec::new();
            carry_out(hold(data)?, Arrival::Suppressions { put, dropped: keys })?;
        }
    }
    Ok(())
}

fn query_of(key: &SuppressionKey) -> String {
    let escaped: String = key
        .value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("kind={}&value={escaped}", key.kind.word())
}

pub fn export(args: ExportArgs) -> Done {
    let mut out = std::io::stdout().lock();
    let mut line = |one: &Value| {
        let text = match args.json {
            true => one.to_string(),
            false => one["value"].as_str().unwrap_or_default().to_owned(),
        };
        writeln!(out, "{text}").map_err(|_| Failure::Findings)
    };
    let mut cursor: Option<String> = None;
    loop {
        let (items, next) = match args.target.place()? {
            Place::Server(server) => {
                let mut path = format!("/api/v1/suppressions?limit={PAGE_ROWS_MAX}");
                if let Some((kind, value)) = cursor.as_deref().and_then(|one| one.split_once(':')) {
                    let key = key_of(value, Some(kind)).map_err(Failure::cannot)?;
                    let value = query_of(&key);
                    let value = value.split_once("&value=").map_or("", |(_, value)| value);
                    path.push_str(&format!("&cursor={kind}%3A{value}"));
                }
                let page = server.get(&path)?;
                let items = page["items"].as_array().cloned().unwrap_or_default();
                (items, page["next"].as_str().map(str::to_owned))
            }
            Place::Folder(data) => {
                let page = reader(data)?
                    .suppressions(cursor.as_deref(), PAGE_ROWS_MAX)
                    .map_err(Failure::cannot)?;
                let shape = relance_wire::api::suppression;
                (page.items.iter().map(shape).collect(), page.next)
            }
        };
        items.iter().try_for_each(&mut line)?;
        cursor = next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// Prints all that is held on a person.
pub fn held(args: PersonArgs) -> Done {
    match args.target.place()? {
        Place::Server(server) => {
            let id = asked_for(&server, &args.contact)?;
            let whole = server.get(&format!("/api/v1/contacts/{id}/export"))?;
            print_line(&whole.to_string())
        }
        Place::Folder(data) => {
            let pages = reader(data)?;
            let id = found(&pages, &args.contact)?;
            let mut out = std::io::stdout().lock();
            let mut sink = |piece: String| out.write_all(piece.as_bytes()).is_ok();
            match held::write(&pages, id, &mut sink).map_err(Failure::cannot)? {
                true => Ok(()),
                false => Err(Failure::cannot("there is no such contact")),
            }
        }
    }
}

/// Forgets a person.
pub fn erase(args: PersonArgs) -> Done {
    let told = match args.target.place()? {
        Place::Server(server) => {
            let id = asked_for(&server, &args.contact)?;
            server.delete(&format!("/api/v1/contacts/{id}"), &json!({}))?
        }
        Place::Folder(data) => {
            let pages = reader(data)?;
            let id = found(&pages, &args.contact)?;
            let id = pages.contact_now(id).map_err(Failure::cannot)?;
            let contact = pages.contact(id).map_err(Failure::cannot)?;
            let person: Vec<ContactId> =
                contact.map_or_else(|| vec![id], |contact| contact.selves().collect());
            let mut names = Vec::new();
            for one in &person {
                names.extend(pages.identities(*one).map_err(Failure::cannot)?);
            }
            drop(pages);
            let by = "cli".to_owned();
            carry_out(hold(data)?, Arrival::Erase { contact: id, by })?;
            forget_files(data, &person).map_err(Failure::cannot)?;
            forget_rows(data, &names).map_err(Failure::cannot)?;
            let texts = reader(data)?.texts(ERASURE).map_err(Failure::cannot)?;
            let own = texts.iter().find(|text| text.name == id.to_string());
            let own = own.and_then(|text| Erasure::read(&text.name, &text.body));
            own.as_ref().map_or(Value::Null, receipt)
        }
    };
    print_line(&told.to_string())
}

/// Carries out an order on a folder on which no server runs, to its end.
fn carry_out(held: Held, order: Arrival) -> Done {
    let mut store = held.store;
    let now = held.now;
    let secret = keys::link_secret(&mut store, now).map_err(Failure::cannot)?;
    let mut world = World::new(policy(&Config::default()).map_err(Failure::cannot)?, 0);
    let settings = &held.settings;
    content::load_segments(&mut store, settings, &mut world).map_err(Failure::cannot)?;
    content::load_journeys(&mut store, settings, &mut world).map_err(Failure::cannot)?;
    let mut engine =
        Engine::new(store, Nobody, world, content::title_writer()).map_err(Failure::cannot)?;
    engine.set_identity_hash(identity_hash(&secret));
    engine.configure(&[order], now).map_err(Failure::cannot)?;
    while engine.is_erasing() {
        engine.configure(&[], now).map_err(Failure::cannot)?;
    }
    Ok(())
}

fn found(pages: &Reader, text: &str) -> Result<ContactId, Failure> {
    let id = match named(text) {
        Named::Id(id) => Some(id),
        Named::Identity(identity) => pages.find_contact(&identity).map_err(Failure::cannot)?,
    };
    id.ok_or_else(|| Failure::cannot("there is no such contact"))
}

fn asked_for(server: &Server<'_>, text: &str) -> Result<String, Failure> {
    let query = match named(text) {
        Named::Id(id) => return Ok(id.to_string()),
        Named::Identity(identity) => {
            let key = SuppressionKey {
                kind: relance_core::suppression::SuppressionKind::Email,
                value: identity.value,
            };
            let value = query_of(&key).replace("kind=email&value=", "");
            format!("{}={value}", identity.kind.word())
        }
    };
    let page = server.get(&format!("/api/v1/contacts?{query}"))?;
    let id = page["items"][0]["id"].as_str();
    id.map(str::to_owned)
        .ok_or_else(|| Failure::cannot("there is no such contact"))
}
