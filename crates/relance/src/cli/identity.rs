//! `relance contacts merge`, `unmerge` and `duplicates`.

use relance_core::ids::ContactId;
use relance_engine::arrival::Arrival;
use relance_engine::clock::{Clock, SystemClock};
use relance_engine::turn::Engine;
use relance_store::read::{PAGE_ROWS_MAX, Reader};
use serde_json::{Value, json};

use crate::content;
use crate::explain::world;
use crate::http::identity::{Refused, doubt, may_merge, may_unmerge, state_of};

use super::apply::Nobody;
use super::explain::{Named, named};
use super::target::{Held, Place, Server, Target, config_of, hold, reader};
use super::{Done, Failure, print_line};

/// Arguments of `merge`.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// The contact that goes on: its id (con_42), its address, or its id in your own system.
    survivor: String,
    /// The contact that turned out to be the same.
    absorbed: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `unmerge`.
#[derive(Debug, clap::Args)]
pub struct UnmergeArgs {
    /// The contact that was absorbed, by its id (con_42): its other names are the other one's now.
    absorbed: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `duplicates`.
#[derive(Debug, clap::Args)]
pub struct DuplicatesArgs {
    /// Prints JSON, one pair a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub fn merge(args: MergeArgs) -> Done {
    let told = match args.target.place()? {
        Place::Server(server) => {
            let survivor = asked_for(&server, &args.survivor)?;
            let absorbed = asked_for(&server, &args.absorbed)?;
            let body = json!({ "absorb": absorbed, "by": "cli" });
            server.post(&format!("/api/v1/contacts/{survivor}/merge"), &body)?
        }
        Place::Folder(data) => {
            let pages = reader(data)?;
            let survivor = found(&pages, &args.survivor)?;
            let absorbed = found(&pages, &args.absorbed)?;
            let may = may_merge(&pages, survivor, absorbed).map_err(Failure::cannot)?;
            let (survivor, absorbed) = may.map_err(refused)?;
            let order = Arrival::Merge {
                survivor,
                absorbed,
                by: "cli".into(),
            };
            carry_out(data, &pages, &[order])?;
            let state = state_of(&pages, survivor, absorbed).map_err(Failure::cannot)?;
            let state = state.ok_or_else(|| Failure::cannot("the contacts were not merged"))?;
            json!({ "id": survivor.to_string(), "absorbed": absorbed.to_string(), "state": state })
        }
    };
    if args.json {
        return print_line(&told.to_string());
    }
    let word = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    match word("state").as_str() {
        "waiting" => eprintln!(
            "{} waits to be merged into {}: a message of one of them is on its way",
            word("absorbed"),
            word("id")
        ),
        _merged => eprintln!(
            "{} is {} now; relance contacts unmerge {} undoes it within a day",
            word("absorbed"),
            word("id"),
            word("absorbed")
        ),
    }
    Ok(())
}

pub fn unmerge(args: UnmergeArgs) -> Done {
    let absorbed: ContactId = args
        .absorbed
        .parse()
        .map_err(|problem: relance_core::ids::IdProblem| Failure::Usage(problem.to_string()))?;
    let told = match args.target.place()? {
        Place::Server(server) => {
            let path = format!("/api/v1/contacts/{absorbed}/unmerge");
            server.post(&path, &json!({ "by": "cli" }))?
        }
        Place::Folder(data) => {
            let pages = reader(data)?;
            let now = SystemClock.now();
            let may = may_unmerge(&pages, absorbed, now).map_err(Failure::cannot)?;
            let survivor = may.map_err(refused)?;
            let order = Arrival::Unmerge {
                absorbed,
                by: "cli".into(),
            };
            carry_out(data, &pages, &[order])?;
            json!({ "id": absorbed.to_string(), "was": survivor.to_string(), "state": "unmerged" })
        }
    };
    if args.json {
        return print_line(&told.to_string());
    }
    eprintln!(
        "{absorbed} is itself again; runs that went over stay with {}, and refusals stay with both",
        told["was"].as_str().unwrap_or_default()
    );
    Ok(())
}

pub fn duplicates(args: DuplicatesArgs) -> Done {
    let items = match args.target.place()? {
        Place::Server(server) => {
            let mut items = Vec::new();
            let mut cursor = String::new();
            loop {
                let path =
                    format!("/api/v1/contacts/duplicates?limit={PAGE_ROWS_MAX}&cursor={cursor}");
                let page = server.get(&path)?;
                items.extend(page["items"].as_array().cloned().unwrap_or_default());
                match page["next"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break items,
                }
            }
        }
        Place::Folder(data) => {
            let pages = reader(data)?;
            let mut items: Vec<Value> = Vec::new();
            let mut cursor = None;
            loop {
                let page = pages.doubts(cursor.as_deref(), PAGE_ROWS_MAX);
                let page = page.map_err(Failure::cannot)?;
                items.extend(page.items.iter().map(doubt));
                match page.next {
                    Some(next) => cursor = Some(next),
                    None => break items,
                }
            }
        }
    };
    for item in &items {
        if args.json {
            print_line(&item.to_string())?;
            continue;
        }
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let contacts = &item["contacts"];
        print_line(&format!(
            "{}  {}  {}",
            word(&contacts[0]),
            word(&contacts[1]),
            word(&item["detail"])
        ))?;
    }
    if items.is_empty() && !args.json {
        eprintln!("no contacts are known that may be one");
    }
    Ok(())
}

fn refused(refused: Refused) -> Failure {
    Failure::Cannot(refused.detail)
}

fn nobody(name: &str) -> Failure {
    Failure::cannot(format!(
        "there is no contact {name}; name its id, address or your own id of it"
    ))
}

fn found(pages: &Reader, name: &str) -> Result<ContactId, Failure> {
    match named(name) {
        Named::Id(id) => Ok(id),
        Named::Identity(identity) => pages
            .find_contact(&identity)
            .map_err(Failure::cannot)?
            .ok_or_else(|| nobody(name)),
    }
}

fn asked_for(server: &Server<'_>, name: &str) -> Result<String, Failure> {
    match named(name) {
        Named::Id(id) => Ok(id.to_string()),
        Named::Identity(identity) => {
            let query = super::explain::query(&[(identity.kind.word(), &identity.value)])?;
            let found = server.get(&format!("/api/v1/contacts?{query}"))?;
            let id = found["items"][0]["id"].as_str().map(str::to_owned);
            id.ok_or_else(|| nobody(name))
        }
    }
}

/// Lets an engine that sends nothing carry out orders in a data folder on which no server runs, under the
/// workspace's own rules: which topics need a granted consent is among them.
pub(super) fn carry_out(data: &std::path::Path, pages: &Reader, orders: &[Arrival]) -> Done {
    let held = hold(data)?;
    let config = config_of(data)?;
    let rules = world(pages, &config).map_err(Failure::cannot)?;
    let Held { store, now, .. } = held;
    let mut engine =
        Engine::new(store, Nobody, rules, content::title_writer()).map_err(Failure::cannot)?;
    engine.configure(orders, now).map_err(Failure::cannot)
}
