//! A published journey: parsed once, so that following it cannot fail.
//!
//! [`publish`] turns a [`JourneyDraft`](draft::JourneyDraft) into a [`Journey`] whose steps lie flat and
//! know what follows them. **Invariant:** every [`StepIx`] inside a journey is valid for it.

pub mod draft;
mod publish;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use publish::publish;

use crate::condition::Condition;
use crate::contact::Channel;
use crate::ids::{EventName, JourneyId, ObjectKind, StepKey, TemplateId, Topic};
use crate::time::{Delay, Window};
use crate::value::{FieldPath, Value};

/// Steps in one journey, branches included.
pub const STEPS_MAX: usize = 500;
/// Branches inside one another.
pub const NESTING_MAX: usize = 16;

/// A step's place in its journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepIx(pub u16);

/// Where a run goes on: a step, or nowhere.
pub type Next = Option<StepIx>;

/// One immutable version of a journey.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey {
    /// Its author's id.
    pub id: JourneyId,
    /// Counted from 1 by publication.
    pub version: u32,
    /// For people.
    pub name: String,
    /// What a run is about; `None` is the contact.
    pub subject: Option<ObjectKind>,
    /// What begins a run.
    pub trigger: Trigger,
    /// May a run begin again.
    pub reentry: Reentry,
    /// What a conversion is.
    pub goal: Option<Goal>,
    /// What ends a run at once.
    pub exits: Vec<Exit>,
    /// Share of contacts kept as control group, in thousandths.
    pub holdout_permille: u16,
    /// Who must agree before a message leaves.
    pub approval: Approval,
    /// The preference topic its messages belong to.
    pub topic: Option<Topic>,
    /// All steps; a run begins at `first`.
    pub steps: Vec<Step>,
    /// Where a run begins.
    pub first: Next,
}

/// What begins a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// An event arrived.
    Event {
        /// Its name.
        event: EventName,
        /// What it must be.
        filter: Condition,
    },
    /// A contact, or a subject of theirs, did nothing of this kind for this time.
    Inactive {
        /// The activity that did not come; `None` is any event of the contact.
        event: Option<EventName>,
        /// For how long.
        after: Delay,
        /// Who is meant.
        filter: Condition,
    },
}

/// May a contact (or subject) run a journey again.
#[derive(Debug, Clone, PartialEq)]
pub enum Reentry {
    /// Never again for the contact.
    Once,
    /// Never again for the subject.
    OncePerSubject,
    /// Whenever no run for the same subject is under way.
    Always,
    /// When the last run began at least this long ago.
    After(Delay),
}

/// What a conversion is, for statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// The event.
    pub event: EventName,
    /// What it must be.
    pub filter: Condition,
    /// How long after the entry it counts.
    pub within: Delay,
}

/// What ends a run at once, wherever it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Exit {
    /// The event.
    pub event: EventName,
    /// What it must be.
    pub filter: Condition,
    /// Also when it is about another subject of the contact.
    pub any: bool,
}

/// Who must agree before a message leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// Nobody.
    Auto,
    /// The owner of the contact or subject.
    Owner,
    /// Anyone of a role.
    Role(String),
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Stable through versions.
    pub key: StepKey,
    /// What it does.
    pub kind: StepKind,
    /// What follows it, for kinds without branches.
    pub next: Next,
    /// How late it may still be done.
    pub late: Delay,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// Sends one message.
    Send(Send),
    /// Waits a time, then for a window to open.
    Wait {
        /// How long.
        delay: Delay,
        /// When the run may go on.
        window: Option<Window>,
    },
    /// Waits for something to happen.
    WaitFor {
        /// What.
        event: EventName,
        /// What it must be.
        filter: Condition,
        /// Whether what happened since the entry counts too.
        since_enrolled: bool,
        /// How long at most.
        timeout: Option<Delay>,
        /// Where the run goes on when it happens.
        then: Next,
        /// Where it goes on when it does not.
        otherwise: Next,
    },
    /// Goes the way of the first condition that holds.
    Branch {
        /// Conditions and their ways.
        arms: Vec<(Condition, Next)>,
        /// The way when none holds.
        otherwise: Next,
    },
    /// Gives a person something to do.
    Task(TaskStep),
    /// Sets traits of the contact or fields of the subject.
    Set(Vec<(FieldPath, Value)>),
    /// Ends the run.
    Stop,
}

impl StepKind {
    /// The word in the journey language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Wait { .. } => "wait",
            Self::WaitFor { .. } => "wait_for",
            Self::Branch { .. } => "branch",
            Self::Task(_) => "task",
            Self::Set(_) => "set",
            Self::Stop => "stop",
        }
    }
}

/// One message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// By which channel.
    pub channel: Channel,
    /// What it says.
    pub template: TemplateId,
    /// From whom.
    pub from: Sender,
    /// Its own approval, else the journey's.
    pub approval: Option<Approval>,
}

/// From whom a message comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The workspace's address.
    Workspace,
    /// The owner's mailbox, in the thread of the subject.
    OwnerMailbox,
}

/// Something for a person to do.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskStep {
    /// A Jinja text.
    pub title: Arc<str>,
    /// When it should be done, counted from its creation.
    pub due: Option<Delay>,
    /// Who should; `None` is the owner.
    pub assignee: Option<Arc<str>>,
}

impl Journey {
    /// The step at a place.
    pub fn step(&self, ix: StepIx) -> &Step {
        &self.steps[usize::from(ix.0)]
    }

    /// The place of a step by its key.
    pub fn find(&self, key: &StepKey) -> Option<StepIx> {
        self.steps
            .iter()
            .position(|step| step.key == *key)
            .map(|at| StepIx(at as u16))
    }

    /// Whether its messages depend on silence: it ends or turns when somebody answers (R1).
    pub fn depends_on_silence(&self) -> bool {
        let replied = |event: &EventName| event.as_str() == crate::event::names::REPLIED;
        self.exits.iter().any(|exit| replied(&exit.event))
            || self
                .steps
                .iter()
                .any(|step| matches!(&step.kind, StepKind::WaitFor { event, .. } if replied(event)))
    }

    /// Names of the events that can begin, end, turn or convert a run.
    pub fn event_names(&self) -> BTreeSet<EventName> {
        let mut names = BTreeSet::new();
        match &self.trigger {
            Trigger::Event { event, .. } => {
                names.insert(event.clone());
            }
            Trigger::Inactive { event, .. } => names.extend(event.clone()),
        }
        names.extend(self.goal.as_ref().map(|goal| goal.event.clone()));
        names.extend(self.exits.iter().map(|exit| exit.event.clone()));
        names.extend(self.steps.iter().filter_map(|step| match &step.kind {
            StepKind::WaitFor { event, .. } => Some(event.clone()),
            StepKind::Send(_)
            | StepKind::Wait { .. }
            | StepKind::Branch { .. }
            | StepKind::Task(_)
            | StepKind::Set(_)
            | StepKind::Stop => None,
        }));
        names
    }

    /// Whether a run that goes on at `from` may come to `target` before it comes to `join`.
    pub fn reaches(&self, from: Next, target: StepIx, join: Next) -> bool {
        let mut seen = BTreeSet::new();
        let mut open: Vec<StepIx> = from.into_iter().collect();
        while let Some(ix) = open.pop() {
            if Some(ix) == join || !seen.insert(ix) {
                continue;
            }
            if ix == target {
                return true;
            }
            match &self.step(ix).kind {
                StepKind::WaitFor {
                    then, otherwise, ..
                } => open.extend(then.iter().chain(otherwise)),
                StepKind::Branch { arms, otherwise } => {
                    open.extend(arms.iter().filter_map(|(_, next)| *next).chain(*otherwise));
                }
                StepKind::Send(_)
                | StepKind::Wait { .. }
                | StepKind::Task(_)
                | StepKind::Set(_)
                | StepKind::Stop => open.extend(self.step(ix).next),
            }
        }
        false
    }

    /// Names of the events that end a run before its last step, or that it waits for.
    pub fn turning_names(&self) -> impl Iterator<Item = &EventName> {
        let goal = self.goal.iter().map(|goal| &goal.event);
        let awaited = self.steps.iter().filter_map(|step| match &step.kind {
            StepKind::WaitFor { event, .. } => Some(event),
            StepKind::Send(_)
            | StepKind::Wait { .. }
            | StepKind::Branch { .. }
            | StepKind::Task(_)
            | StepKind::Set(_)
            | StepKind::Stop => None,
        });
        let exits = self.exits.iter().map(|exit| &exit.event);
        exits.chain(goal).chain(awaited)
    }

    /// Names of the events whose history a run may look back over.
    pub fn history_names(&self) -> BTreeSet<EventName> {
        let mut names = BTreeSet::new();
        match &self.trigger {
            Trigger::Event { filter, .. } | Trigger::Inactive { filter, .. } => {
                filter.history_names(&mut names);
            }
        }
        self.exits
            .iter()
            .for_each(|exit| exit.filter.history_names(&mut names));
        if let Some(goal) = &self.goal {
            goal.filter.history_names(&mut names);
        }
        for step in &self.steps {
            match &step.kind {
                StepKind::WaitFor {
                    event,
                    filter,
                    since_enrolled,
                    ..
                } => {
                    filter.history_names(&mut names);
                    if *since_enrolled {
                        names.insert(event.clone());
                    }
                }
                StepKind::Branch { arms, .. } => {
                    arms.iter()
                        .for_each(|(when, _)| when.history_names(&mut names));
                }
                StepKind::Send(_)
                | StepKind::Wait { .. }
                | StepKind::Task(_)
                | StepKind::Set(_)
                | StepKind::Stop => {}
            }
        }
        names
    }
}
