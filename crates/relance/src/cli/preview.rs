//! `relance journey preview`: journeys on a virtual clock, with no server and no data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::decide::Input;
use relance_core::event::{Event, EventKind};
use relance_core::ids::ContactId;
use relance_core::journey::Journey;
use relance_core::play::{Play, Seen};
use relance_core::world::World;
use relance_wire::api::PreviewLine;
use relance_wire::segment::{self, Call, CallType};
use serde_json::Value;

use crate::config::Config;
use crate::workspace::{calendars, policy};

use super::{Done, Failure, read_text};

/// How long after the last event the clock runs on when `--until` is not given, in hours.
const RUN_ON_HOURS: i64 = 366 * 24;
/// Lines of events that are read.
const EVENTS_MAX: usize = 5_000_000;
/// Later than any moment that a call tells, so that the call's own time counts.
const END_OF_TIME: &str = "9999-01-01T00:00:00Z";

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Journeys in YAML.
    #[arg(required = true)]
    journeys: Vec<PathBuf>,
    /// A Segment `identify` call in JSON; may be given again.
    #[arg(long)]
    contact: Vec<PathBuf>,
    /// Segment calls, one a line, each with its timestamp; may be given again.
    #[arg(long)]
    events: Vec<PathBuf>,
    /// When the journeys go live; what is earlier is history. Default: the first event.
    #[arg(long)]
    from: Option<Timestamp>,
    /// When the clock stops. Default: 366 days after the last event.
    #[arg(long)]
    until: Option<Timestamp>,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Contacts by the names that calls give them.
#[derive(Default)]
struct People {
    ids: BTreeMap<Identity, ContactId>,
    names: BTreeMap<ContactId, String>,
}

impl People {
    /// The contact of a call; `true` when it is new.
    fn resolve(&mut self, identities: &[Identity]) -> (ContactId, bool) {
        let known = identities
            .iter()
            .find_map(|identity| self.ids.get(identity).copied());
        let id = known.unwrap_or(ContactId(self.names.len() as u64 + 1));
        for identity in identities {
            self.ids.entry(identity.clone()).or_insert(id);
        }
        self.names.entry(id).or_insert_with(|| {
            let named = |kind| identities.iter().find(|identity| identity.kind == kind);
            named(IdentityKind::UserId)
                .or(named(IdentityKind::AnonymousId))
                .map_or_else(|| id.to_string(), |identity| identity.value.clone())
        });
        (id, known.is_none())
    }
}

pub fn run(args: Args) -> Done {
    let journeys = read_journeys(&args.journeys)?;
    let mut people = People::default();
    let mut calls: Vec<(ContactId, Arc<Event>)> = Vec::new();
    let mut contacts = Vec::new();
    for path in &args.contact {
        let text = read_text(path)?;
        let place = path.display().to_string();
        let call = read_call(&text, &place, CallType::from_word("identify"), false)?;
        contacts.push((people.resolve(&call.identities).0, call.event));
    }
    for path in &args.events {
        let text = read_text(path)?;
        for (at, line) in text.lines().enumerate().take(EVENTS_MAX) {
            if line.trim().is_empty() {
                continue;
            }
            let place = format!("{}:{}", path.display(), at + 1);
            let call = read_call(line, &place, None, true)?;
            calls.push((people.resolve(&call.identities).0, Arc::new(call.event)));
        }
    }
    // Calls of the same moment stay in the order of the file.
    calls.sort_by_key(|(_, event)| event.at);
    let first = calls.first().map(|(_, event)| event.at);
    let begin = first.into_iter().chain(args.from).min();
    let Some(begin) = begin else {
        return Err(Failure::Usage(
            "give --events, or --from for a clock without events".to_owned(),
        ));
    };
    let last = calls.last().map_or(begin, |(_, event)| event.at);
    let run_on = SignedDuration::from_hours(RUN_ON_HOURS);
    let until = match args.until {
        Some(until) => until,
        None => last.checked_add(run_on).map_err(Failure::cannot)?,
    };

    let world = World::new(policy(&Config::default()).map_err(Failure::cannot)?, 0);
    let mut play = Play::new(world);
    play.world.calendars = calendars();
    play.pass(begin, &mut |_, _, _| {});
    for id in people.names.keys() {
        play.add(Contact::new(*id, begin));
    }
    // What a contact's file tells was known before anything happened.
    for (id, event) in contacts {
        let event = Event {
            at: event.at.min(begin),
            ..event
        };
        play.input(id, &Input::Event(Arc::new(event)), &mut |_, _, _| {});
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut closed = false;
    let mut show = |at: Timestamp, contact: &Contact, seen: &Seen| {
        let zone = zone_of(contact);
        let line = PreviewLine::new(at, &people.names[&contact.id], &zone, seen);
        let written = if args.json {
            serde_json::to_writer(&mut out, &line).is_ok() && writeln!(out).is_ok()
        } else {
            writeln!(out, "{}", sentence(&line)).is_ok()
        };
        closed |= !written;
    };
    let mut seen_ids = BTreeSet::new();
    let mut waiting = Some(journeys);
    let go_live = args.from.unwrap_or(begin);
    for (id, event) in calls {
        if event.at >= until {
            break;
        }
        // The same event told twice changes nothing (R6).
        if let Some(id) = &event.message_id
            && !seen_ids.insert(id.clone())
        {
            continue;
        }
        if event.at >= go_live {
            add_journeys(&mut play, waiting.take());
        }
        play.pass(event.at, &mut show);
        play.input(id, &Input::Event(event), &mut show);
    }
    add_journeys(&mut play, waiting.take());
    play.pass(until, &mut show);
    out.flush().map_err(|_| Failure::Findings)?;
    if closed {
        Err(Failure::Findings)
    } else {
        Ok(())
    }
}

fn zone_of(contact: &Contact) -> relance_core::time::Zone {
    contact
        .text("timezone")
        .and_then(|name| relance_core::time::Zone::parse(name).ok())
        .unwrap_or_else(relance_core::time::Zone::utc)
}

fn add_journeys(play: &mut Play, journeys: Option<Vec<Journey>>) {
    for journey in journeys.into_iter().flatten() {
        play.world.add_journey(Arc::new(journey), true);
    }
}

fn read_journeys(paths: &[PathBuf]) -> Result<Vec<Journey>, Failure> {
    let mut journeys = Vec::new();
    let mut found = false;
    for path in paths {
        match relance_wire::journey::publish(&read_text(path)?, 1) {
            Ok(journey) => journeys.push(journey),
            Err(problems) => {
                found = true;
                for problem in problems {
                    eprintln!("error: {}: {problem}", path.display());
                }
            }
        }
    }
    if found {
        Err(Failure::Findings)
    } else {
        Ok(journeys)
    }
}

/// A call on the virtual clock: its own `timestamp` counts, not when it was sent.
fn read_call(
    text: &str,
    place: &str,
    call: Option<CallType>,
    needs_time: bool,
) -> Result<Call, Failure> {
    let wrong = |what: String| Failure::Usage(format!("{place}: {what}"));
    let mut value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let Some(fields) = value.as_object_mut() else {
        return Err(wrong("not a JSON object".to_owned()));
    };
    fields.remove("sentAt");
    if needs_time && !fields.contains_key("timestamp") {
        return Err(wrong("the call has no timestamp; add one".to_owned()));
    }
    let end: Timestamp = END_OF_TIME.parse().map_err(Failure::cannot)?;
    let kind = match (&call, fields.get("type").and_then(Value::as_str)) {
        (Some(call), None) => Some(*call),
        (_, Some(word)) => CallType::from_word(word),
        (None, None) => None,
    };
    let body = value.to_string();
    let (read, _) = segment::parse_call(body.as_bytes(), kind, end)
        .map_err(|error| wrong(error.to_string()))?;
    if needs_time && read.event.at == end {
        return Err(wrong(
            "the timestamp cannot be read; write RFC 3339".to_owned(),
        ));
    }
    if call.is_some() && read.event.kind != EventKind::Identify {
        return Err(wrong("a contact is an identify call".to_owned()));
    }
    Ok(read)
}

/// A line for people.
fn sentence(line: &PreviewLine) -> String {
    let mut text = format!("{}  {:<13} {}", line.at, line.what, line.contact);
    for (word, value) in [
        ("journey", line.journey.as_deref()),
        ("step", line.step.as_deref()),
        ("template", line.template.as_deref()),
        ("reason", line.reason),
        ("until", line.until.as_deref()),
        ("", line.detail.as_deref()),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("  {word} {value}"));
        }
    }
    text
}
