//! `relance segment ...`: definitions checked and tried out, members listed, lists kept, verdicts explained.

use std::path::{Path, PathBuf};

use relance_core::ids::SegmentId;
use relance_engine::clock::{Clock, SystemClock};
use relance_store::read::{PAGE_ROWS_MAX, Reader};
use serde_json::{Value, json};

use crate::explain;
use crate::scenario::{self, Files, Known};
use crate::segments::count::{Estimate, SHOWN_MAX};
use crate::segments::lists;
use crate::segments::plan::unknown;
use crate::segments::{self, Called, LIST_CHANGES_MAX, Overview, TryProblem, brief, rfm};

use super::apply::{configure, report};
use super::explain::query;
use super::identity::carry_out;
use super::target::{Place, Server, Target, config_of, hold, reader};
use super::{Done, Failure, print_line, read_text};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Files of segments.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Prints JSON, one problem a line.
    #[arg(long)]
    json: bool,
}

/// Arguments of `count`.
#[derive(Debug, clap::Args)]
pub struct CountArgs {
    /// A file of a definition, or the id of a segment in force.
    what: String,
    /// So many who would belong are shown.
    #[arg(long, default_value_t = 0)]
    sample: usize,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Prints JSON, one segment a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `members`.
#[derive(Debug, clap::Args)]
pub struct MembersArgs {
    /// The segment's id.
    id: String,
    /// Begins behind the place that a page told as `next`.
    #[arg(long)]
    after: Option<String>,
    /// Members of one page.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Prints JSON: a page with `items` and `next`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `add` and `remove`.
#[derive(Debug, clap::Args)]
pub struct ChangeArgs {
    /// The list's id.
    id: String,
    /// Contacts: ids (con_42), addresses, or their ids in your own system.
    #[arg(required = true)]
    contacts: Vec<String>,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
pub struct WhyArgs {
    /// The segment's id.
    id: String,
    /// The contact: its id (con_42), its address, or its id in your own system.
    contact: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `rfm`.
#[derive(Debug, clap::Args)]
pub struct RfmArgs {
    /// Tells the bounds anew now, instead of showing those in force.
    #[arg(long)]
    now: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Says what is wrong with definitions, all at once.
pub fn check(args: CheckArgs) -> Done {
    let mut files = Files::default();
    for path in &args.files {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| path.display().to_string());
        if files
            .segments
            .insert(name.clone(), read_text(path)?)
            .is_some()
        {
            return Err(Failure::Usage(format!("{name} is named twice")));
        }
    }
    match scenario::check(&files, &Known::nothing()) {
        Ok(checked) => {
            report(&checked.warnings, "warning", args.json)?;
            if !args.json {
                let count: usize = checked
                    .segments
                    .iter()
                    .map(|file| file.segments.len())
                    .sum();
                let noun = if count == 1 {
                    "segment is"
                } else {
                    "segments are"
                };
                eprintln!("{count} {noun} good");
            }
            Ok(())
        }
        Err(problems) => {
            report(&problems, "error", args.json)?;
            Err(Failure::Findings)
        }
    }
}

/// Says who would belong, or belongs now; nothing is written.
pub fn count(args: CountArgs) -> Done {
    let path = Path::new(&args.what);
    let sample = args.sample.min(SHOWN_MAX);
    let told = match args.target.place()? {
        Place::Server(server) => {
            let text = if path.is_file() {
                read_text(&path.to_owned())?
            } else {
                let one = server.get(&format!("/api/v1/segments/{}", plain(&args.what)?))?;
                definition(&args.what, one["text"].as_str())?
            };
            server.post_text(&format!("/api/v1/segments/preview?sample={sample}"), text)?
        }
        Place::Folder(data) => {
            // Only read: a server may run on the folder.
            let reader = reader(data)?;
            let config = config_of(data)?;
            let text = if path.is_file() {
                read_text(&path.to_owned())?
            } else {
                let row = known(&reader, &args.what)?;
                definition(&args.what, row.text.as_deref())?
            };
            let now = SystemClock.now();
            match segments::try_out(&reader, &config, &text, sample, now) {
                Ok(tried) => tried.value(),
                Err(TryProblem::Text(problems)) => {
                    report(&problems, "error", args.json)?;
                    return Err(Failure::Findings);
                }
                Err(problem) => return Err(Failure::cannot(problem)),
            }
        }
    };
    if args.json {
        return print_line(&told.to_string());
    }
    show_count(&told)
}

fn definition(id: &str, text: Option<&str>) -> Result<String, Failure> {
    let undefined = || {
        Failure::cannot(format!(
            "{id} is a list that nobody defined: relance segment members {id}"
        ))
    };
    text.map(str::to_owned).ok_or_else(undefined)
}

fn known(reader: &Reader, id: &str) -> Result<relance_store::read::SegmentRow, Failure> {
    let overview = Overview::read(reader).map_err(Failure::cannot)?;
    let row = overview.row(&SegmentId::from(id)).cloned();
    row.ok_or_else(|| Failure::cannot(unknown(id, overview.rows())))
}

fn show_count(told: &Value) -> Done {
    for one in told["segments"].as_array().into_iter().flatten() {
        let id = one["id"].as_str().unwrap_or_default();
        if one["members"].is_null() {
            print_line(&format!("{id}: a list; its members are whoever was put in"))?;
            continue;
        }
        let number = |name: &str| {
            let estimate: Option<Estimate> = serde_json::from_value(one[name].clone()).ok();
            estimate.map_or_else(String::new, |estimate| estimate.to_string())
        };
        let (members, entering, leaving) =
            (number("members"), number("entering"), number("leaving"));
        print_line(&format!(
            "{id}: {members} of {} contacts; {entering} would come in, {leaving} would leave",
            told["contacts"]
        ))?;
        for contact in one["sample"].as_array().into_iter().flatten() {
            print_line(&format!("    {}", line(contact)))?;
        }
    }
    let (looked, took) = (&told["looked_at"], &told["took_ms"]);
    eprintln!("{looked} contacts looked at in {took} ms");
    Ok(())
}

/// A contact in a line.
fn line(contact: &Value) -> String {
    let traits = &contact["traits"];
    let field = |name: &str| contact[name].as_str().or_else(|| traits[name].as_str());
    let parts = [field("id"), field("name"), field("email"), field("phone")];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join("  ")
}

/// Segments with their counts.
pub fn list(args: ListArgs) -> Done {
    let items: Vec<Value> = match args.target.place()? {
        Place::Server(server) => all(&server, "/api/v1/segments?limit=500")?,
        Place::Folder(data) => {
            let reader = reader(data)?;
            let overview = Overview::read(&reader).map_err(Failure::cannot)?;
            overview
                .rows()
                .iter()
                .map(|row| overview.value(row))
                .collect()
        }
    };
    for one in &items {
        if args.json {
            print_line(&one.to_string())?;
            continue;
        }
        let field = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let state = match one["progress"]["share"].as_f64() {
            Some(share) => format!("building, {:.0} %", share * 100.0),
            None => field("state"),
        };
        let (id, kind, name, members) =
            (field("id"), field("kind"), field("name"), &one["members"]);
        print_line(&format!("{id}  {members} members  {kind}  {state}  {name}"))?;
    }
    if items.is_empty() && !args.json {
        eprintln!("there are no segments");
    }
    Ok(())
}

/// All pages of a list.
fn all(server: &Server<'_>, path: &str) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut page = match &next {
            None => server.get(path)?,
            Some(cursor) => server.get(&format!("{path}&{}", query(&[("cursor", cursor)])?))?,
        };
        if let Value::Array(own) = page["items"].take() {
            items.extend(own);
        }
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            return Ok(items);
        }
    }
}

/// A page of members.
pub fn members(args: MembersArgs) -> Done {
    let limit = args.limit.clamp(1, PAGE_ROWS_MAX);
    let page = match args.target.place()? {
        Place::Server(server) => {
            let mut pairs = vec![("limit", limit.to_string())];
            pairs.extend(args.after.clone().map(|after| ("cursor", after)));
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let id = plain(&args.id)?;
            server.get(&format!("/api/v1/segments/{id}/members?{}", query(&pairs)?))?
        }
        Place::Folder(data) => {
            let reader = reader(data)?;
            known(&reader, &args.id)?;
            let id = SegmentId::from(args.id.as_str());
            let page = reader.members(&id, args.after.as_deref(), limit);
            let page = page.map_err(Failure::cannot)?;
            let items: Vec<Value> = page.items.iter().map(brief).collect();
            json!({ "items": items, "next": page.next })
        }
    };
    if args.json {
        return print_line(&page.to_string());
    }
    for contact in page["items"].as_array().into_iter().flatten() {
        print_line(&line(contact))?;
    }
    if let Some(next) = page["next"].as_str() {
        eprintln!("there are more: --after {next}");
    }
    Ok(())
}

/// Puts contacts into a list.
pub fn add(args: ChangeArgs) -> Done {
    change(&args, true)
}

/// Takes contacts out of a list.
pub fn remove(args: ChangeArgs) -> Done {
    change(&args, false)
}

fn change(args: &ChangeArgs, member: bool) -> Done {
    let id = plain(&args.id)?;
    if args.contacts.len() > LIST_CHANGES_MAX {
        let what = format!(
            "{} contacts; name at most {LIST_CHANGES_MAX} at once",
            args.contacts.len()
        );
        return Err(Failure::Usage(what));
    }
    let (done, nobody): (u64, Vec<String>) = match args.target.place()? {
        Place::Server(server) => {
            let path = format!("/api/v1/segments/{id}/members");
            let body = json!({ "contacts": args.contacts });
            let told = match member {
                true => server.post(&path, &body)?,
                false => server.delete(&path, &body)?,
            };
            let word = if member { "added" } else { "removed" };
            let done = told[word].as_u64().unwrap_or(0);
            (
                done,
                serde_json::from_value(told["unknown"].clone()).unwrap_or_default(),
            )
        }
        Place::Folder(data) => {
            let pages = reader(data)?;
            let own = SegmentId::from(id);
            let change = lists::change(&pages, &own, &args.contacts, member);
            let change = change.map_err(Failure::cannot)?.map_err(Failure::cannot)?;
            carry_out(data, &pages, &change.arrivals)?;
            (change.found as u64, change.nobody)
        }
    };
    let word = if member { "put in" } else { "taken out" };
    eprintln!("{id}: {done} {word}");
    if nobody.is_empty() {
        return Ok(());
    }
    for name in &nobody {
        eprintln!("error: there is no contact {name}");
    }
    Err(Failure::Findings)
}

/// Says which parts of a segment's condition hold for a contact.
pub fn why(args: WhyArgs) -> Done {
    let id = plain(&args.id)?;
    let told = match args.target.place()? {
        Place::Server(server) => {
            let query = query(&[("contact", &args.contact)])?;
            server.get(&format!("/api/v1/segments/{id}/why?{query}"))?
        }
        Place::Folder(data) => {
            let reader = reader(data)?;
            let config = config_of(data)?;
            let world = explain::world(&reader, &config).map_err(Failure::cannot)?;
            let found = Called::read(&args.contact).find(&reader);
            let Some(contact) = found.map_err(Failure::cannot)? else {
                let what = format!("there is no contact {}", args.contact);
                return Err(Failure::cannot(what));
            };
            known(&reader, id)?;
            let own = SegmentId::from(id);
            let told = segments::why::why(&reader, &world, &own, contact, SystemClock.now());
            told.map_err(Failure::cannot)?.unwrap_or_default()
        }
    };
    if args.json {
        return print_line(&told.to_string());
    }
    let member = told["member"] == true;
    let word = if member {
        "is a member of"
    } else {
        "is no member of"
    };
    let contact = told["contact"].as_str().unwrap_or(&args.contact);
    print_line(&format!("{contact} {word} {id}"))?;
    for line in segments::why::lines(&told) {
        print_line(&line)?;
    }
    if let Some(due) = told["looked_at_again"].as_str() {
        print_line(&format!("looked at again at {due}"))?;
    }
    Ok(())
}

/// Shows the bounds of recency, frequency and money, or tells them anew.
pub fn rfm(args: RfmArgs) -> Done {
    let told = match args.target.place()? {
        Place::Server(server) => match args.now {
            true => server.post("/api/v1/rfm", &json!({}))?,
            false => server.get("/api/v1/rfm")?,
        },
        Place::Folder(data) => {
            let config = config_of(data)?;
            if args.now {
                let held = hold(data)?;
                let reader = reader(data)?;
                let computed = rfm::compute(&reader, &config, held.now).map_err(Failure::cannot)?;
                let arrivals = rfm::arrivals(&reader, &computed).map_err(Failure::cannot)?;
                configure(held, &arrivals)?;
                computed.value()
            } else {
                rfm::shown(&reader(data)?, &config).map_err(Failure::cannot)?
            }
        }
    };
    if args.json {
        return print_line(&told.to_string());
    }
    let edges = &told["bounds"];
    if edges.is_null() {
        return print_line("no bounds: nobody has ordered, or they were not told yet (--now)");
    }
    for (name, field) in [
        ("days since the last order", "recency_days"),
        ("orders", "orders"),
        ("money", "money"),
    ] {
        print_line(&format!("{name}: fifths end at {}", edges[field]))?;
    }
    print_line(&format!(
        "of {} customers, at {}",
        told["customers"],
        told["at"].as_str().unwrap_or("?")
    ))
}

/// An id that becomes a part of an address.
fn plain(id: &str) -> Result<&str, Failure> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    if !id.is_empty() && id.chars().all(good) {
        return Ok(id);
    }
    Err(Failure::Usage(format!(
        "{id:?} is no file, and no id of a segment; use a-z, 0-9, - and _"
    )))
}
