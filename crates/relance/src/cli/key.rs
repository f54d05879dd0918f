//! `relance key`: write keys and API tokens. On a stopped workspace, or through a running server.

use relance_core::user::{KEYS_MAX, Key};
use relance_engine::ports::Asset;
use serde_json::{Value, json};

use crate::access::KEY_USE;
use crate::access::problem::{AccessProblem, Full};
use crate::keys::{self, Keys};

use super::target::{Place, Target, hold, reader};
use super::user::{BY, put};
use super::{Done, Failure, print_line};

/// Arguments of `add`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// For people.
    #[arg(long)]
    name: String,
    /// `write` (sends events), `read`, `contacts`, `journeys` or `admin`.
    #[arg(long)]
    scope: String,
    #[command(flatten)]
    target: Target,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    target: Target,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `remove`.
#[derive(Debug, clap::Args)]
pub struct RemoveArgs {
    /// The id, as `list` shows it.
    id: String,
    #[command(flatten)]
    target: Target,
}

fn shown(hash: &str, key: &Key) -> Value {
    json!({
        "id": keys::id(hash),
        "name": key.name,
        "scope": key.scope.word(),
        "made_at": key.made_at.map(|at| at.to_string()),
        "made_by": key.made_by,
    })
}

pub fn add(args: AddArgs) -> Done {
    let (secret, about) = match args.target.place()? {
        Place::Server(server) => {
            let body = json!({ "name": args.name, "scope": args.scope });
            let made = server.post("/api/v1/keys", &body)?;
            let secret = made["secret"].as_str().unwrap_or_default().to_owned();
            (secret, made["key"].clone())
        }
        Place::Folder(data) => {
            let mut held = hold(data)?;
            let about = keys::about(&args.name, &args.scope, BY, held.now)?;
            let all = Keys::load(&mut held.store).map_err(Failure::cannot)?.all();
            if all.len() >= KEYS_MAX {
                return Err(AccessProblem::Full(Full::Keys).into());
            }
            let (secret, asset) = keys::make_named(&about).map_err(Failure::cannot)?;
            let (id, told) = (keys::id(&asset.name), shown(&asset.name, &about));
            let more = json!({ "scope": about.scope.word(), "name": about.name }).to_string();
            put(&mut held, &[asset], "key.add", &id, &more)?;
            (secret, told)
        }
    };
    if args.json {
        return print_line(&json!({ "secret": secret, "key": about }).to_string());
    }
    eprintln!("The key is shown this once; keep it:");
    print_line(&secret)
}

pub fn list(args: ListArgs) -> Done {
    let items = match args.target.place()? {
        Place::Server(server) => server.get("/api/v1/keys")?["items"].clone(),
        Place::Folder(data) => {
            // Reading is in nobody's way.
            let texts = reader(data)?.texts(keys::KIND).map_err(Failure::cannot)?;
            let known = texts.iter().filter_map(|text| {
                let key = relance_wire::stored::read_key(&text.body).ok()?;
                Some(shown(&text.name, &key))
            });
            known.collect()
        }
    };
    if args.json {
        return print_line(&json!({ "items": items, "next": null }).to_string());
    }
    for key in items.as_array().into_iter().flatten() {
        let text = |name: &str| key[name].as_str().unwrap_or("-").to_owned();
        print_line(&format!(
            "{}  {}  {}",
            text("id"),
            text("scope"),
            text("name")
        ))?;
    }
    Ok(())
}

pub fn remove(args: RemoveArgs) -> Done {
    if !keys::is_id(&args.id) {
        return Err(Failure::Usage(format!(
            "{:?} is no id of a key; see relance key list",
            args.id
        )));
    }
    match args.target.place()? {
        Place::Server(server) => {
            server.delete_quietly(&format!("/api/v1/keys/{}", args.id))?;
        }
        Place::Folder(data) => {
            let mut held = hold(data)?;
            let all = Keys::load(&mut held.store).map_err(Failure::cannot)?.all();
            let found = all.into_iter().find(|(hash, _)| keys::id(hash) == args.id);
            let Some((hash, key)) = found else {
                return Err(Failure::Usage(format!("there is no key {}", args.id)));
            };
            let gone = [keys::KIND, KEY_USE].map(|kind| Asset {
                kind: kind.to_owned(),
                name: hash.clone(),
                body: None,
            });
            let more = json!({ "scope": key.scope.word(), "name": key.name }).to_string();
            put(&mut held, &gone, "key.remove", &args.id, &more)?;
        }
    }
    eprintln!("{} is removed", args.id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use relance_core::access::Scope;

    use super::*;

    #[test]
    fn a_key_is_shown_without_itself() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let about = keys::about("reports", "read", BY, now).unwrap();
        assert_eq!(about.scope, Scope::Read);
        let (secret, asset) = keys::make_named(&about).unwrap();
        let told = shown(&asset.name, &about);
        assert!(secret.starts_with("at_"));
        assert!(!told.to_string().contains(&secret));
        assert!(keys::is_id(told["id"].as_str().unwrap()));
        assert!(keys::about("", "read", BY, now).is_err());
        assert!(keys::about("x", "root", BY, now).is_err());
    }
}
