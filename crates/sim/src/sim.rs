//! A life: what happens, in order of the world's time, to an engine that may end at any moment.

mod happen;
mod orders;
mod program;
mod script;
mod selves;
mod site;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use relance_core::decide::{Answer, TaskOrder};
use relance_core::ids::{JourneyId, TouchpointId};
use relance_core::mail::MailSeen;
use relance_core::preferences::Wishes;
use relance_core::touchpoint::Outcome;
use relance_engine::arrival::Arrival;
use relance_engine::ports::Dispatch;
use relance_engine::turn::Engine;
use relance_store::{AnyStore, Place};

use crate::history::History;
use crate::invariants;
use crate::mailbox::Mailbox;
use crate::plan::{self, Plan};
use crate::recorder::{Recorder, Tape};
use crate::rng::Rng;
use crate::wire::{Clerk, Desk, Fate};

/// Things that may happen in one life; a life that has more does not come to rest.
const HAPPENINGS_MAX: u32 = 200_000;
/// Turns at one moment before the engine counts as turning for ever.
const TURNS_PER_MOMENT_MAX: u32 = 200;
/// Days after the last fault in which everything must come to rest.
const REST_DAYS: i64 = 45;
/// Hours after the last fault at which nothing stands still any more.
const WAKE_HOURS: i64 = 6;
/// Days after the last fault at which nothing new begins any more.
const SUNSET_DAYS: i64 = 12;

type Machine = Engine<Recorder<AnyStore>, Clerk>;

/// How a life went.
#[derive(Debug)]
pub struct Report {
    /// Of which seed.
    pub seed: u64,
    /// What happened, a line each.
    pub trace: Vec<String>,
    /// What was recorded.
    pub history: History,
    /// Invariants that do not hold, each with an example.
    pub broken: Vec<String>,
}

/// Lives one life in an empty folder.
pub fn run(seed: u64, folder: &Path) -> Report {
    run_at(seed, Place::File(folder.join("sim.db")))
}

/// Lives one life in an empty place.
pub fn run_at(seed: u64, place: Place) -> Report {
    let mut sim = Sim::new(seed, place);
    let stuck = sim.live();
    let mut broken = invariants::check(&sim.history);
    broken.extend(stuck);
    Report {
        seed,
        trace: sim.trace,
        history: sim.history,
        broken,
    }
}

/// One try of a message.
#[derive(Debug, Clone)]
struct Try {
    dispatch: Dispatch,
    fate: Fate,
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    /// A caller tells something, again until it is acknowledged.
    Told(Arrival),
    /// A mail reaches a mailbox.
    Mail(usize, Box<MailSeen>),
    /// A reading pass begins.
    Pass(usize, u32),
    /// A reading pass tells what it found; the last of a pass carries where the next goes on.
    Found(usize, u32, Box<Arrival>, Option<usize>),
    /// A reading pass broke off.
    PassFailed(usize, u32),
    /// A mailbox cannot be read for a time.
    Outage(usize, SignedDuration),
    /// A mailbox tells of news, or no more.
    Idle(usize, bool),
    /// A message is composed and noted.
    Composed(u32, Box<Try>),
    /// The provider answers, or does not.
    HandedOver(u32, Box<Try>),
    /// What became of a try comes back to the engine.
    Reported(u32, Vec<Arrival>),
    /// A person answers a question.
    Answer(TouchpointId, Answer),
    /// A person does something with a task.
    Work(Box<TaskOrder>),
    /// Something is done with a contact, told again under the same key.
    Act(usize, Act, i64),
    /// The program ends without a word, and starts again.
    Crash(SignedDuration),
    /// The program starts.
    Start,
    /// The engine's clock is set.
    SetClock(SignedDuration),
    /// The database is copied, and the copy goes on: quiet, until somebody releases it.
    Copy,
    /// Nothing fails any more.
    Calm,
    /// Whatever stands still goes on.
    Wake,
    /// Nothing new begins any more.
    Sunset,
}

/// What is done with a contact.
#[derive(Debug, Clone)]
enum Act {
    Suppress,
    Erase,
    Grant,
    DenyTopic(&'static str),
    Segment(bool),
    /// A journey is begun: by a person, or by a program.
    Start(JourneyId, bool),
    /// Somebody typed the contact's address into a form: for a topic, or for mail as such.
    SignUp(Option<&'static str>),
    /// The contact says what it wishes.
    Wish(Box<Wishes>),
    /// Another person turns out to be this one, for as long as is given.
    Merge(usize, Option<SignedDuration>),
}

struct Sim {
    rng: Rng,
    plan: Plan,
    place: Place,
    now: Timestamp,
    /// What the engine's clock shows beyond the world's time.
    skew: SignedDuration,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    sequence: u64,
    engine: Option<Machine>,
    /// The how-many-th life of the program: what an earlier one began does not go on.
    epoch: u32,
    /// What waits for a turn, and whether a caller must be told.
    intake: Vec<(Arrival, bool)>,
    tape: Rc<RefCell<Tape>>,
    desk: Rc<RefCell<Desk>>,
    /// The wire log: survives crashes.
    noted: BTreeSet<(TouchpointId, u8)>,
    /// Handed over and not yet answered, at each moment.
    on_the_wire: BTreeMap<TouchpointId, Try>,
    /// Messages whose copy lies in a Sent folder.
    filed: BTreeSet<TouchpointId>,
    mailboxes: Vec<Mailbox>,
    /// Documents sent so far.
    documents: u32,
    calm: bool,
    /// More is due than the last turn took.
    more: bool,
    /// What goes on is a copy that was not released yet.
    quiet: bool,
    /// Journeys that stand still.
    paused: BTreeSet<JourneyId>,
    /// The newest version of each journey that was ever in force.
    newest: BTreeMap<JourneyId, u32>,
    /// When each try was made.
    composed: BTreeMap<(TouchpointId, u8), Timestamp>,
    history: History,
    trace: Vec<String>,
}

impl Sim {
    fn new(seed: u64, place: Place) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let mut history = History::default();
        for version in &plan.versions {
            let key = (version.journey.id.clone(), version.journey.version);
            history
                .journeys
                .insert(key.clone(), version.journey.clone());
            history.moves.insert(key, version.moves.clone());
        }
        let people = plan.people.iter();
        history.people = people
            .map(|one| (one.user.clone(), one.email.clone()))
            .collect();
        history.segments = plan.segments.iter().cloned().collect();
        history.templates = plan
            .templates
            .iter()
            .map(|(id, facts)| (id.to_string(), facts.clone()))
            .collect();
        history.caps = plan.policy.caps.clone();
        history.service = plan.policy.service;
        history.holdout = plan.policy.holdout;
        history.opt_in_topics = plan.policy.opt_in_topics.clone();
        history.quiet_hours = (!plan.policy.quiet_hours.is_empty()).then_some(plan::QUIET_HOURS);
        let mut sim = Self {
            rng,
            plan,
            place,
            now: plan::birth(),
            skew: SignedDuration::ZERO,
            queue: BTreeMap::new(),
            sequence: 0,
            engine: None,
            epoch: 0,
            intake: Vec::new(),
            tape: Rc::default(),
            desk: Rc::default(),
            noted: BTreeSet::new(),
            on_the_wire: BTreeMap::new(),
            filed: BTreeSet::new(),
            mailboxes: plan::MAILBOXES.iter().map(|id| Mailbox::new(id)).collect(),
            documents: 0,
            calm: false,
            more: false,
            quiet: false,
            paused: BTreeSet::new(),
            newest: BTreeMap::new(),
            composed: BTreeMap::new(),
            history,
            trace: Vec::new(),
        };
        sim.start();
        sim.configure();
        sim.write_script();
        sim
    }

    /// What the engine's clock shows.
    fn engine_now(&self) -> Timestamp {
        self.now + self.skew
    }

    fn at(&mut self, at: Timestamp, happening: Happening) {
        self.sequence += 1;
        self.queue
            .insert((at.max(self.now), self.sequence), happening);
    }

    fn after_ms(&mut self, from: i64, to: i64, happening: Happening) {
        let at = self.now + SignedDuration::from_millis(self.rng.between(from, to));
        self.at(at, happening);
    }

    fn say(&mut self, text: impl AsRef<str>) {
        let line = format!(
            "{} {}",
            self.now.strftime("%m-%d %H:%M:%S%.3f"),
            text.as_ref()
        );
        self.trace.push(line);
    }

    /// Lives until nothing is left to happen. Returns what never came to rest.
    fn live(&mut self) -> Option<String> {
        let end = plan::birth() + SignedDuration::from_hours(24 * (self.plan.days + REST_DAYS));
        for _ in 0..HAPPENINGS_MAX {
            if let Err(problem) = self.turns() {
                return Some(problem);
            }
            let next = self.queue.keys().next().map(|(at, _)| *at);
            let due = match &mut self.engine {
                Some(engine) => engine
                    .next_due()
                    .expect("next due")
                    .map(|due| due - self.skew),
                None => None,
            };
            let Some(next) = next.into_iter().chain(due).min().filter(|next| *next < end) else {
                self.now = end;
                self.rest();
                return None;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self
                .queue
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now)
            {
                let happening = entry.remove();
                self.happen(happening);
            }
        }
        Some(format!(
            "life_comes_to_rest: more than {HAPPENINGS_MAX} things happened"
        ))
    }

    fn outcome_of(fate: Fate, bad_address: bool) -> Outcome {
        match fate {
            Fate::Accepts | Fate::Lies => Outcome::Accepted,
            Fate::AcceptsUnheard | Fate::LostBefore => Outcome::Unknown,
            Fate::RefusesSoft => Outcome::RefusedSoft("451 try again later".to_owned()),
            Fate::RefusesHard => Outcome::RefusedHard {
                text: "550 no".to_owned(),
                address_is_bad: bad_address,
            },
            Fate::Busy => Outcome::Postponed { seconds: 120 },
            Fate::Missed => Outcome::Missed,
            Fate::NotConfigured => Outcome::ChannelNotConfigured,
        }
    }
}
