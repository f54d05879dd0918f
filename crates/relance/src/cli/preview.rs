//! `relance journey preview`: journeys on a virtual clock, with no server and no data folder.

mod segments;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::decide::{Input, Starter};
use relance_core::event::{Event, EventKind, History};
use relance_core::ids::{ContactId, JourneyId, SegmentId, StepKey, UserId};
use relance_core::journey::{Journey, Moves, On};
use relance_core::play::{Play, Seen, Watcher};
use relance_core::segment::{Membership, Segment};
use relance_core::snapshot::Snapshot;
use relance_core::value::Fields;
use relance_core::world::World;
use relance_engine::clock::{Clock as _, SystemClock};
use relance_store::read::PAGE_ROWS_MAX;
use relance_wire::api::PreviewLine;
use relance_wire::segment::{self, Call, CallType};
use relance_wire::segments::Settings;
use serde_json::Value;

use crate::backtest;
use crate::config::Config;
use crate::policy::{calendars, policy};

use super::target::reader;
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
    /// Segments that are played as well: files, or folders of them. Default: the folder `segments` beside the
    /// journeys. May be given again.
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    segments: Vec<PathBuf>,
    /// The way that a step goes, whatever is true: STEP=WAY, where WAY is then, else, on2, if1, otherwise or
    /// a variant. May be given again.
    #[arg(long, value_name = "STEP=WAY")]
    choose: Vec<String>,
    /// Begins runs when the journeys go live, of journeys that a person, a program or a segment begins.
    #[arg(long)]
    start: bool,
    /// A contact of a workspace, by id (con_42), user id or e-mail; needs --data.
    #[arg(long, value_name = "CONTACT", requires = "data")]
    of: Option<String>,
    /// The workspace of --of: its rules, content lists and shares count. It is only read.
    #[arg(long, env = "RELANCE_DATA")]
    data: Option<PathBuf>,
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

/// A contact of a workspace, with what happened to it and the rules it lives under.
struct Real {
    name: String,
    snapshot: Snapshot,
    world: World,
    now: Timestamp,
}

impl Real {
    fn read(name: &str, data: &std::path::Path) -> Result<Self, Failure> {
        let reader = reader(data)?;
        let config = Config::load(data).map_err(Failure::cannot)?;
        let mut world = backtest::world_of(&reader, &config).map_err(Failure::cannot)?;
        // Only the journeys that are previewed run.
        let in_force: Vec<JourneyId> = world.all_current().map(|one| one.id.clone()).collect();
        for id in in_force {
            world.retire(&id);
        }
        // A preview does not wait for mailboxes.
        world.synced.clear();
        let unknown = || Failure::Usage(format!("the workspace has no contact {name:?}"));
        let id = match name.parse::<ContactId>() {
            Ok(id) => Some(id),
            Err(_) => [Identity::user(name), Identity::email(name)]
                .iter()
                .find_map(|identity| reader.find_contact(identity).ok().flatten()),
        };
        let id = id.ok_or_else(unknown)?;
        let contact = reader.contact(id).map_err(Failure::cannot)?;
        let contact = contact.ok_or_else(unknown)?;
        let history = reader
            .events_between(id, Timestamp::UNIX_EPOCH, Timestamp::MAX)
            .map_err(Failure::cannot)?;
        let objects = reader
            .objects_of_contact(id, None, PAGE_ROWS_MAX)
            .map_err(Failure::cannot)?;
        let mut snapshot = Snapshot::new(contact);
        snapshot.last_event_at = history.events.last().map(|event| event.at);
        snapshot.history = History::new(history.events);
        for object in objects.items {
            snapshot.objects.insert(object.subject.clone(), object);
        }
        let standings = reader.segments_of(id).map_err(Failure::cannot)?;
        // When time alone changes them is told anew.
        let standings = standings.into_iter().map(|(segment, standing)| {
            let due = None;
            (segment, Membership { due, ..standing })
        });
        snapshot.memberships = standings.collect();
        Ok(Self {
            name: name.to_owned(),
            snapshot,
            world,
            now: SystemClock.now(),
        })
    }
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
    let settings = match (&args.of, &args.data) {
        (Some(_), Some(data)) => Config::load(data).map_err(Failure::cannot)?.rfm.settings(),
        (_, _) => Settings::default(),
    };
    let (journeys, texts) = read_journeys(&args.journeys, &settings)?;
    let choices = read_choices(&args.choose, &journeys)?;
    let real = match (&args.of, &args.data) {
        (Some(name), Some(data)) => Some(Real::read(name, data)?),
        (_, _) => None,
    };
    let in_force = real.iter().flat_map(|real| real.world.segments());
    let mut known: BTreeSet<SegmentId> = in_force.map(|one| one.id.clone()).collect();
    let played = segments::read(&args.segments, &args.journeys, &known, settings)?;
    known.extend(played.iter().map(|one| one.id.clone()));
    for (path, id) in segments::missing(&texts, &known) {
        let path = path.display();
        eprintln!("note: {path} names the segment {id}, which is not played: nobody belongs to it");
    }
    let begins = |journey: &Journey| match segment_of(journey) {
        Some(id) => is_computed(id, &played, real.as_ref().map(|real| &real.world)),
        None => starters(journey).is_empty(),
    };
    for journey in journeys.iter().filter(|one| !begins(one)) {
        if !args.start {
            let id = &journey.id;
            eprintln!("note: {id} does not begin by what contacts do; add --start to begin it");
        }
    }
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
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let place = format!("{}:{}", path.display(), at + 1);
            if calls.len() >= EVENTS_MAX {
                let what = format!("{place}: more than {EVENTS_MAX} events; give fewer at once");
                return Err(Failure::Usage(what));
            }
            let call = read_call(line, &place, None, true)?;
            calls.push((people.resolve(&call.identities).0, Arc::new(call.event)));
        }
    }
    // Calls of the same moment stay in the order of the file.
    calls.sort_by_key(|(_, event)| event.at);
    let first = calls.first().map(|(_, event)| event.at);
    let now = real.as_ref().map(|real| real.now);
    let begin = first.into_iter().chain(args.from).chain(now).min();
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

    let mut play = Play::new(match &real {
        Some(real) => real.world.clone(),
        None => {
            let policy = policy(&Config::default()).map_err(Failure::cannot)?;
            let mut world = World::new(policy, 0);
            world.calendars = calendars();
            world
        }
    });
    play.world.choices = choices;
    for segment in played {
        play.world.add_segment(segment);
    }
    play.pass(begin, &mut |_, _, _| {});
    if let Some(real) = real {
        // What is told happens to the contact that is previewed.
        let id = real.snapshot.contact.id;
        people.names = BTreeMap::from([(id, real.name)]);
        contacts.iter_mut().for_each(|(other, _)| *other = id);
        calls.iter_mut().for_each(|(other, _)| *other = id);
        play.add_as(real.snapshot);
    } else {
        for id in people.names.keys() {
            play.add(Contact::new(*id, begin));
        }
    }
    // What a contact's file tells was known before anything happened.
    for (id, event) in contacts {
        let event = Event {
            at: event.at.min(begin),
            ..event
        };
        play.input(id, &Input::Event(Arc::new(event)), &mut |_, _, _| {});
    }
    let ids: Vec<ContactId> = people.names.keys().copied().collect();
    // Who belongs to a segment by what was known before is no news.
    for id in &ids {
        play.assess(*id, &mut |_, _, _| {});
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut closed = false;
    let go_live = args.from.unwrap_or(begin);
    let mut show = |at: Timestamp, contact: &Contact, seen: &Seen| {
        // Before it is history.
        if at < go_live && matches!(seen, Seen::Turned { .. }) {
            return;
        }
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
    let started: &[ContactId] = if args.start { &ids } else { &[] };
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
            go_live_at(&mut play, go_live, waiting.take(), started, &mut show);
        }
        play.pass(event.at, &mut show);
        play.input(id, &Input::Event(event), &mut show);
    }
    let go_live = go_live.min(until);
    go_live_at(&mut play, go_live, waiting.take(), started, &mut show);
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

/// Publishes journeys that are not yet: with the clock at their moment, for what waits is counted from it.
fn go_live_at(
    play: &mut Play,
    at: Timestamp,
    journeys: Option<Vec<Journey>>,
    started: &[ContactId],
    show: &mut Watcher<'_>,
) {
    let Some(journeys) = journeys else {
        return;
    };
    play.pass(at, show);
    let mut inputs = Vec::new();
    for journey in journeys {
        inputs.extend(starters(&journey));
        play.publish(Arc::new(journey), Moves::Pin, show);
    }
    for contact in started {
        for input in &inputs {
            play.input(*contact, input, show);
        }
    }
}

/// What begins a journey that nothing which contacts do begins.
fn starters(journey: &Journey) -> Vec<Input> {
    let by = |by| Input::Enroll {
        journey: journey.id.clone(),
        by,
        subject: None,
        properties: Fields::new(),
        once: None,
    };
    let member = |segment: &SegmentId, member| Input::Segment {
        segment: segment.clone(),
        member,
    };
    match &journey.trigger.on {
        On::Manual => vec![by(Starter::Person(UserId::from("preview")))],
        On::Api => vec![by(Starter::Program)],
        On::SegmentEntered(segment) => vec![member(segment, true)],
        On::SegmentLeft(segment) => vec![member(segment, true), member(segment, false)],
        On::Schedule { segment, .. } => segment.iter().map(|one| member(one, true)).collect(),
        On::Event(_) | On::Changed { .. } | On::Inactive { .. } | On::Date { .. } => Vec::new(),
    }
}

/// The ways that steps are to go. A step or way that no journey has would be left out without a word.
fn read_choices(
    pairs: &[String],
    journeys: &[Journey],
) -> Result<BTreeMap<StepKey, String>, Failure> {
    let mut choices = BTreeMap::new();
    for pair in pairs {
        let wrong = |what: String| Failure::Usage(format!("--choose {pair:?}: {what}"));
        let Some((step, way)) = pair.split_once('=') else {
            return Err(wrong("write STEP=WAY".to_owned()));
        };
        let step = StepKey::from(step);
        let mut ways = BTreeSet::new();
        for journey in journeys {
            if let Some(ix) = journey.find(&step) {
                journey.step(ix).kind.map_ways(|way, _| {
                    ways.insert(way.to_string());
                });
            }
        }
        if ways.is_empty() {
            return Err(wrong(format!(
                "no journey has a step {step} with several ways"
            )));
        }
        if !ways.contains(way) {
            let ways: Vec<String> = ways.into_iter().collect();
            return Err(wrong(format!("the ways of {step} are {}", ways.join(", "))));
        }
        choices.insert(step, way.to_owned());
    }
    Ok(choices)
}

/// The segment that a journey listens to, where nothing else begins it.
fn segment_of(journey: &Journey) -> Option<&SegmentId> {
    match &journey.trigger.on {
        On::SegmentEntered(segment) | On::SegmentLeft(segment) => Some(segment),
        On::Schedule { segment, .. } => segment.as_ref(),
        On::Manual
        | On::Api
        | On::Event(_)
        | On::Changed { .. }
        | On::Inactive { .. }
        | On::Date { .. } => None,
    }
}

/// Whether a condition tells who belongs to a segment, so that the preview does.
fn is_computed(id: &SegmentId, played: &[Arc<Segment>], world: Option<&World>) -> bool {
    let own = played.iter().find(|one| one.id == *id);
    let own = own.or_else(|| world?.segment(id));
    own.is_some_and(|segment| segment.condition().is_some())
}

/// Journeys with their texts.
type Read = (Vec<Journey>, Vec<(PathBuf, String)>);

fn read_journeys(paths: &[PathBuf], settings: &Settings) -> Result<Read, Failure> {
    let mut journeys = Vec::new();
    let mut texts = Vec::new();
    let mut found = false;
    for path in paths {
        let text = read_text(path)?;
        texts.push((path.clone(), text.clone()));
        match relance_wire::journey::publish_with(&text, 1, settings) {
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
        Ok((journeys, texts))
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
