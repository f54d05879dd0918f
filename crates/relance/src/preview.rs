//! Journeys on a virtual clock: over calls that are told, or over a real contact's history.
//!
//! The command line and the API show the same lines of the same play. Nothing is sent and nothing is written.
//! **Absent:** where texts and calls come from.

use std::collections::{BTreeMap, BTreeSet};
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
use relance_store::read::{PAGE_ROWS_MAX, ReadError, Reader};
use relance_wire::api::PreviewLine;
use relance_wire::segment::{self, Call, CallType};
use serde_json::Value;

use crate::backtest::{self, BacktestProblem};
use crate::config::Config;

/// How long after the last event the clock runs on when no end is given, in hours.
const RUN_ON_HOURS: i64 = 366 * 24;
/// Later than any moment that a call tells, so that the call's own time counts.
const END_OF_TIME: &str = "9999-01-01T00:00:00Z";

/// Why nothing could be played.
#[derive(Debug, thiserror::Error)]
pub enum PreviewProblem {
    /// Nobody is called so.
    #[error("the workspace has no contact {0:?}")]
    Unknown(String),
    /// A call cannot be used.
    #[error("{place}: {what}")]
    Call {
        /// Which: a file and line, or a field.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// Nothing says when it begins.
    #[error("give --events, or --from for a clock without events")]
    NoBeginning,
    /// The end lies beyond the calendar.
    #[error("the clock would run beyond the calendar: {0}")]
    Clock(#[from] jiff::Error),
    /// The workspace cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the workspace is made of cannot be used.
    #[error(transparent)]
    World(#[from] BacktestProblem),
}

/// What is played.
pub struct Asked {
    /// The journeys.
    pub journeys: Vec<Journey>,
    /// The world they run in, with no journey in force.
    pub world: World,
    /// Segments that are played beside those of the world.
    pub segments: Vec<Arc<Segment>>,
    /// Ways that steps go, whatever is true.
    pub choices: BTreeMap<StepKey, String>,
    /// The contact that everything happens to, if it is one of a workspace: its name, and what is known of it.
    pub real: Option<(String, Snapshot)>,
    /// What is told of contacts before anything happens.
    pub contacts: Vec<Call>,
    /// What happens, in any order.
    pub calls: Vec<Call>,
    /// Where the clock begins at the latest: of a workspace, now.
    pub now: Option<Timestamp>,
    /// When the journeys go live; what is earlier is history.
    pub from: Option<Timestamp>,
    /// When the clock stops.
    pub until: Option<Timestamp>,
    /// Begins runs when the journeys go live, where nothing that contacts do begins them.
    pub start: bool,
}

/// The world of a workspace in which no journey is in force yet.
pub fn empty_world(reader: &Reader, config: &Config) -> Result<World, PreviewProblem> {
    let mut world = backtest::world_of(reader, config)?;
    // Only the journeys that are previewed run.
    let in_force: Vec<JourneyId> = world.all_current().map(|one| one.id.clone()).collect();
    for id in in_force {
        world.retire(&id);
    }
    // A preview does not wait for mailboxes.
    world.synced.clear();
    Ok(world)
}

/// A contact of a workspace, with what happened to it and the rules it lives under.
pub struct Real {
    /// How the caller called it.
    pub name: String,
    /// What is known of it.
    pub snapshot: Snapshot,
    /// The workspace, with no journey in force.
    pub world: World,
    /// Where the clock begins.
    pub now: Timestamp,
    /// What is to happen again.
    pub again: Vec<Arc<Event>>,
}

impl Real {
    /// Reads it; `now` is where the clock begins. What happened from `again` on is left out of the history, to happen
    /// again.
    pub fn read(
        name: &str,
        reader: &Reader,
        config: &Config,
        now: Timestamp,
        again: Option<Timestamp>,
    ) -> Result<Self, PreviewProblem> {
        let world = empty_world(reader, config)?;
        let unknown = || PreviewProblem::Unknown(name.to_owned());
        let id = match name.parse::<ContactId>() {
            Ok(id) => Some(id),
            Err(_) => [Identity::user(name), Identity::email(name)]
                .iter()
                .find_map(|identity| reader.find_contact(identity).ok().flatten()),
        };
        let id = id.ok_or_else(unknown)?;
        let contact = reader.contact(id)?;
        let contact = contact.ok_or_else(unknown)?;
        let history = reader.events_between(id, Timestamp::UNIX_EPOCH, Timestamp::MAX)?;
        let objects = reader.objects_of_contact(id, None, PAGE_ROWS_MAX)?;
        let mut snapshot = Snapshot::new(contact);
        let is_before = |event: &Arc<Event>| again.is_none_or(|again| event.at < again);
        let (before, again): (Vec<_>, Vec<_>) = history.events.into_iter().partition(is_before);
        snapshot.last_event_at = before.last().map(|event| event.at);
        snapshot.history = History::new(before);
        for object in objects.items {
            snapshot.objects.insert(object.subject.clone(), object);
        }
        let standings = reader.segments_of(id)?;
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
            now,
            again,
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

/// Plays, and shows each line as it comes, in order of time.
pub fn play(asked: Asked, show: &mut dyn FnMut(PreviewLine)) -> Result<(), PreviewProblem> {
    let mut people = People::default();
    let told = |people: &mut People, call: Call| (people.resolve(&call.identities).0, call.event);
    let mut contacts: Vec<(ContactId, Event)> = Vec::new();
    for call in asked.contacts {
        contacts.push(told(&mut people, call));
    }
    let mut calls: Vec<(ContactId, Arc<Event>)> = Vec::new();
    for call in asked.calls {
        let (id, event) = told(&mut people, call);
        calls.push((id, Arc::new(event)));
    }
    // Calls of the same moment stay in the order in which they were told.
    calls.sort_by_key(|(_, event)| event.at);
    let first = calls.first().map(|(_, event)| event.at);
    let begin = first.into_iter().chain(asked.from).chain(asked.now).min();
    let begin = begin.ok_or(PreviewProblem::NoBeginning)?;
    let last = calls.last().map_or(begin, |(_, event)| event.at);
    let until = match asked.until {
        Some(until) => until,
        None => last.checked_add(SignedDuration::from_hours(RUN_ON_HOURS))?,
    };
    let mut play = Play::new(asked.world);
    play.world.choices = asked.choices;
    for segment in asked.segments {
        play.world.add_segment(segment);
    }
    play.pass(begin, &mut |_, _, _| {});
    if let Some((name, snapshot)) = asked.real {
        // What is told happens to the contact that is previewed.
        let id = snapshot.contact.id;
        people.names = BTreeMap::from([(id, name)]);
        contacts.iter_mut().for_each(|(other, _)| *other = id);
        calls.iter_mut().for_each(|(other, _)| *other = id);
        play.add_as(snapshot);
    } else {
        for id in people.names.keys() {
            play.add(Contact::new(*id, begin));
        }
    }
    // What is told of a contact was known before anything happened.
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
    let go_live = asked.from.unwrap_or(begin);
    let mut show = |at: Timestamp, contact: &Contact, seen: &Seen| {
        // Before it is history.
        if at < go_live && matches!(seen, Seen::Turned { .. }) {
            return;
        }
        let zone = zone_of(contact);
        show(PreviewLine::new(
            at,
            &people.names[&contact.id],
            &zone,
            seen,
        ));
    };
    let mut seen_ids = BTreeSet::new();
    let mut waiting = Some(asked.journeys);
    let started: &[ContactId] = if asked.start { &ids } else { &[] };
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
    Ok(())
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

/// The segment that a journey listens to, where nothing else begins it.
pub fn segment_of(journey: &Journey) -> Option<&SegmentId> {
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
pub fn is_computed(id: &SegmentId, played: &[Arc<Segment>], world: Option<&World>) -> bool {
    let own = played.iter().find(|one| one.id == *id);
    let own = own.or_else(|| world?.segment(id));
    own.is_some_and(|segment| segment.condition().is_some())
}

/// Whether something that contacts do begins a journey, in this world.
pub fn begins(journey: &Journey, played: &[Arc<Segment>], world: Option<&World>) -> bool {
    match segment_of(journey) {
        Some(id) => is_computed(id, played, world),
        None => starters(journey).is_empty(),
    }
}

/// A call on the virtual clock: its own `timestamp` counts, not when it was sent.
pub fn read_call(
    text: &str,
    place: &str,
    call: Option<CallType>,
    needs_time: bool,
) -> Result<Call, PreviewProblem> {
    let wrong = |what: String| PreviewProblem::Call {
        place: place.to_owned(),
        what,
    };
    let mut value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let Some(fields) = value.as_object_mut() else {
        return Err(wrong("not a JSON object".to_owned()));
    };
    fields.remove("sentAt");
    if needs_time && !fields.contains_key("timestamp") {
        return Err(wrong("the call has no timestamp; add one".to_owned()));
    }
    let end: Timestamp = END_OF_TIME
        .parse()
        .map_err(|_| wrong("the clock has no end".to_owned()))?;
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
