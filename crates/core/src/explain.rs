//! Why, and why not (R12): where a contact stands with a journey, how it came there, and what would speak
//! against a run or a message now. As data; the words are elsewhere (`relance-wire`).
//!
//! The past is read from lines of the ledger, the present from the snapshot, and what would happen is asked
//! of the code that decides (see [`probe`]). **Absent:** words, loading, effects.

mod now;
mod run;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::contact::Channel;
use crate::decide::{Input, Overdue, Starter, probe};
use crate::ids::{
    ContactId, EnrollmentId, EventName, JourneyId, StepKey, SubjectRef, TemplateId, TouchpointId,
};
use crate::journey::{Approver, On};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::snapshot::Snapshot;
use crate::value::Fields;
use crate::world::{Needs, World};

use now::{entry_now, obstacles};
use run::{Told, fate_of, run_of, standing_of, state_of};

/// Lines of the ledger that an explanation keeps; older ones are left out, and it says so.
pub const LINES_MAX: usize = 200;
/// Runs that an explanation tells of, the newest.
pub const RUNS_MAX: usize = 20;
/// Messages of a journey that are put to the gate.
pub const PROBES_MAX: usize = 16;

/// Where a contact stands with a journey, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Whose.
    pub contact: ContactId,
    /// Which journey.
    pub journey: JourneyId,
    /// The moment it speaks of.
    pub now: Timestamp,
    /// What state the journey itself is in.
    pub state: JourneyState,
    /// Where the contact stands.
    pub standing: Standing,
    /// What another entry would meet now; `None` where none can begin.
    pub entry: Option<EntryNow>,
    /// Why messages would not go now, once for each channel and reason. What passes by itself, such as
    /// quiet hours and caps, is left out.
    pub obstacles: Vec<Obstacle>,
    /// The lines that led here: the newest run first, in each the newest line first; then lines of no run.
    pub lines: Vec<LedgerEntry>,
    /// Older lines or runs were left out.
    pub more: bool,
}

/// What state a journey is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JourneyState {
    /// New runs begin.
    Current,
    /// It stands still.
    Paused,
    /// No new runs begin; those under way may go on.
    Retired,
    /// No journey of this name is known.
    Unknown,
}

impl JourneyState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Current, Self::Paused, Self::Retired, Self::Unknown];

    /// The public code.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Paused => "paused",
            Self::Retired => "retired",
            Self::Unknown => "unknown",
        }
    }

    fn of(world: &World, journey: &JourneyId) -> Self {
        if world.newest(journey).is_none() {
            Self::Unknown
        } else if world.is_paused(journey) {
            Self::Paused
        } else if world.current(journey).is_none() {
            Self::Retired
        } else {
            Self::Current
        }
    }
}

/// Where a contact stands with a journey.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// What begins the journey did not happen, as far as the lines reach back.
    NeverCame,
    /// It happened, and no run began.
    Refused {
        /// When, the last time.
        at: Timestamp,
        /// Why.
        reason: Option<Reason>,
        /// Until when it speaks against a run, where that is known.
        until: Option<Timestamp>,
    },
    /// Runs began, the newest first; a refusal after the newest stands beside them.
    Began {
        /// The runs.
        runs: Vec<Run>,
        /// The newest refusal, if it came after the newest run began.
        refused: Option<(Timestamp, Reason)>,
    },
}

/// One run, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which.
    pub id: EnrollmentId,
    /// What it is about, where that is still known.
    pub subject: Option<SubjectRef>,
    /// On which version, while that is known.
    pub version: Option<u32>,
    /// When it began, where the lines reach back so far.
    pub began_at: Option<Timestamp>,
    /// Whether it is in a control group.
    pub held_out: Option<HeldOut>,
    /// When its goal was reached.
    pub converted_at: Option<Timestamp>,
    /// Where it stands.
    pub place: Place,
    /// What became of its messages.
    pub messages: Messages,
}

/// Of which control group a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldOut {
    /// The journey's own.
    Journey,
    /// The workspace's, over all journeys.
    Workspace,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// At a wait.
    Waiting {
        /// The step.
        step: StepKey,
        /// When it goes on.
        until: Timestamp,
    },
    /// At a `wait_for`.
    Listening {
        /// The step.
        step: StepKey,
        /// Events that it waits for.
        events: Vec<EventName>,
        /// When it gives up, if ever.
        until: Option<Timestamp>,
    },
    /// At a message that was sent, until it is opened.
    Unopened {
        /// The step.
        step: StepKey,
        /// When it gives up, if ever.
        until: Option<Timestamp>,
    },
    /// Before a step of a journey that was paused.
    Paused {
        /// The step.
        step: StepKey,
        /// When it came there.
        since: Timestamp,
    },
    /// At a message that has not left.
    Message {
        /// The step.
        step: StepKey,
        /// The message, as it stands.
        message: OpenMessage,
    },
    /// It did its last step.
    Finished {
        /// When.
        at: Timestamp,
    },
    /// It ended before its last step.
    Exited {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Option<Reason>,
        /// By which event, if by one.
        detail: Option<String>,
    },
    /// It is in the journey's control group: it receives nothing, and is only counted.
    HeldOut,
    /// It is over; how it ended lies further back than the lines reach.
    Over,
}

impl Place {
    /// The public code.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Listening { .. } => "listening",
            Self::Unopened { .. } => "unopened",
            Self::Paused { .. } => "paused",
            Self::Message { message, .. } => message.state.word(),
            Self::Finished { .. } => "finished",
            Self::Exited { .. } => "exited",
            Self::HeldOut => "held_out",
            Self::Over => "over",
        }
    }

    /// The step that it stands at.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Self::Waiting { step, .. }
            | Self::Listening { step, .. }
            | Self::Unopened { step, .. }
            | Self::Paused { step, .. }
            | Self::Message { step, .. } => Some(step),
            Self::Finished { .. } | Self::Exited { .. } | Self::HeldOut | Self::Over => None,
        }
    }
}

/// A message that has not left.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenMessage {
    /// Which.
    pub id: TouchpointId,
    /// By which channel.
    pub channel: Channel,
    /// Saying what.
    pub template: TemplateId,
    /// Where it stands.
    pub state: MessageState,
}

/// Where a message stands that has not left.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageState {
    /// It goes as soon as there is room.
    Queued {
        /// Not before this.
        ready_at: Timestamp,
    },
    /// It must wait.
    Held {
        /// When it is looked at again.
        until: Timestamp,
        /// Why.
        reason: Reason,
    },
    /// A person is asked.
    AwaitingApproval {
        /// Who.
        by: Approver,
        /// When the question lapses.
        until: Timestamp,
    },
    /// It is on its way to the wire.
    Sending,
    /// It is not known: the message is not among those loaded.
    Unknown,
}

impl MessageState {
    /// The public code.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Held { .. } => "held",
            Self::AwaitingApproval { .. } => "awaiting_approval",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of messages. Words to people of ours do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Messages {
    /// Accepted by the next system.
    pub sent: u32,
    /// Still open, for whatever reason.
    pub held: u32,
    /// Dropped by the gate, withdrawn, passed over or failed.
    pub not_sent: u32,
}

/// What an entry would meet now.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryNow {
    /// What begins a run.
    pub trigger: On,
    /// When the trigger comes next, where that is a moment.
    pub next: Option<Timestamp>,
    /// What speaks against it.
    pub against: Option<Obstacle>,
}

/// Something that speaks against a run or a message now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Why.
    pub reason: Reason,
    /// By which channel the message would go, for a message.
    pub channel: Option<Channel>,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
}

impl Obstacle {
    fn of(line: &LedgerEntry) -> Option<Self> {
        Some(Self {
            reason: line.reason?,
            channel: line.channel,
            until: line.until,
        })
    }
}

/// Why one message went or did not.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageExplanation {
    /// Which.
    pub id: TouchpointId,
    /// The moment it speaks of.
    pub now: Timestamp,
    /// Of which journey.
    pub journey: Option<JourneyId>,
    /// By which channel.
    pub channel: Option<Channel>,
    /// Saying what.
    pub template: Option<TemplateId>,
    /// What became of it.
    pub fate: Fate,
    /// What speaks against it now, while it is open.
    pub against: Option<Obstacle>,
    /// Its lines, the newest first.
    pub lines: Vec<LedgerEntry>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It has not left yet.
    Open(MessageState),
    /// The next system took it.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// It did not go, and will not.
    NotSent {
        /// When that was settled.
        at: Timestamp,
        /// How: dropped, withdrawn, failed or skipped.
        what: What,
        /// Why.
        reason: Option<Reason>,
        /// More for people.
        detail: Option<String>,
    },
    /// Nothing tells of it.
    Unknown,
}

/// What must be loaded into a snapshot, beside contact, runs, messages and watches, before a journey can be
/// explained.
pub fn needs(world: &World, snapshot: &Snapshot, journey: &JourneyId) -> Needs {
    let mut needs = snapshot.needs(
        world,
        &Input::Resume {
            journey: journey.clone(),
            overdue: Overdue::Late,
        },
    );
    needs.extend(snapshot.needs(
        world,
        &Input::Enroll {
            journey: journey.clone(),
            by: Starter::Program,
            subject: None,
            properties: Fields::new(),
            once: None,
        },
    ));
    needs
}

/// Explains where a contact stands with a journey.
///
/// `lines` are those of the contact and of those that it absorbed, the newest first; of other journeys they
/// are passed over. The snapshot holds what [`needs`] asks, and may hold runs of the absorbed that are over.
pub fn explain(
    world: &World,
    snapshot: &Snapshot,
    journey: &JourneyId,
    lines: &[LedgerEntry],
    now: Timestamp,
) -> Explanation {
    let state = JourneyState::of(world, journey);
    let told = Told::read(journey, snapshot.contact.id, lines);
    let mut ids: BTreeSet<EnrollmentId> = told.runs.keys().copied().collect();
    let own = snapshot.enrollments.iter();
    ids.extend(
        own.filter(|run| run.journey == *journey)
            .map(|run| told.now(run.id)),
    );
    let mut runs: Vec<Run> = ids
        .into_iter()
        .map(|id| run_of(world, snapshot, journey, id, &told))
        .collect();
    // The numbers of one contact are in order of time; those of two are not comparable.
    runs.sort_by_key(|run| Reverse((run.began_at, run.id.number, run.id.contact)));
    let mut more = runs.len() > RUNS_MAX;
    runs.truncate(RUNS_MAX);
    let mut shown = Vec::new();
    let of_runs = runs
        .iter()
        .filter_map(|run| told.runs.get(&run.id))
        .flatten();
    for line in of_runs.chain(&told.others) {
        if shown.len() == LINES_MAX {
            more = true;
            break;
        }
        shown.push((*line).clone());
    }
    let standing = standing_of(runs, &told);
    Explanation {
        contact: snapshot.contact.id,
        journey: journey.clone(),
        now,
        state,
        entry: entry_now(world, snapshot, journey, now),
        obstacles: obstacles(world, snapshot, journey, &standing, now),
        standing,
        lines: shown,
        more,
    }
}

/// Explains one message. `lines` are those of the contact, the newest first.
pub fn explain_message(
    world: &World,
    snapshot: &Snapshot,
    id: TouchpointId,
    lines: &[LedgerEntry],
    now: Timestamp,
) -> MessageExplanation {
    let own: Vec<&LedgerEntry> = lines
        .iter()
        .filter(|line| line.touchpoint == Some(id))
        .take(LINES_MAX)
        .collect();
    let open = snapshot.touchpoint(id);
    let newest = own.first();
    let fate = match open {
        Some(touchpoint) => state_of(touchpoint).map_or_else(|fate| fate, Fate::Open),
        None => own.iter().find_map(|line| fate_of(line)).unwrap_or(
            // A line that tells of no end, and no message to look at.
            match newest {
                Some(_) => Fate::Open(MessageState::Unknown),
                None => Fate::Unknown,
            },
        ),
    };
    let against = probe::claim(world, snapshot, id, now);
    MessageExplanation {
        id,
        now,
        journey: open
            .map(|one| one.journey.clone())
            .or_else(|| newest?.journey.clone()),
        channel: open.map(|one| one.channel).or_else(|| newest?.channel),
        template: open
            .map(|one| one.template.clone())
            .or_else(|| newest?.template.clone()),
        fate,
        against: against.as_ref().and_then(Obstacle::of),
        lines: own.into_iter().cloned().collect(),
    }
}
