//! A journey as written: a tree of steps, each with its path, before publication.

use crate::condition::Condition;
use crate::ids::{EventName, JourneyId, ObjectKind, StepKey, Topic};
use crate::time::{Delay, Window};
use crate::value::{FieldPath, Value};

use super::{Approval, Exit, Goal, Reentry, Send, TaskStep, Trigger};

/// A journey as written.
#[derive(Debug, Clone, PartialEq)]
pub struct JourneyDraft {
    /// Its author's id.
    pub id: JourneyId,
    /// For people.
    pub name: String,
    /// What a run is about; `None` is the contact.
    pub subject: Option<ObjectKind>,
    /// What begins a run.
    pub trigger: Trigger,
    /// May a run begin again; `None` leaves it to the subject.
    pub reentry: Option<Reentry>,
    /// What a conversion is.
    pub goal: Option<Goal>,
    /// What ends a run at once.
    pub exits: Vec<Exit>,
    /// Share of contacts kept as control group, in thousandths.
    pub holdout_permille: u16,
    /// Who must agree before a message leaves.
    pub approval: Approval,
    /// The preference topic of its messages.
    pub topic: Option<Topic>,
    /// The steps.
    pub steps: Vec<StepDraft>,
}

/// A step as written.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDraft {
    /// Its place, for problems: `steps[2].then[0]`.
    pub path: String,
    /// Its own key, if the author gave one.
    pub id: Option<StepKey>,
    /// How late it may still be done; `None` is the default.
    pub late: Option<Delay>,
    /// What it does.
    pub kind: StepDraftKind,
}

/// What a step does, with its branches inside.
#[derive(Debug, Clone, PartialEq)]
pub enum StepDraftKind {
    /// See [`super::StepKind::Send`].
    Send(Send),
    /// See [`super::StepKind::Wait`].
    Wait {
        /// How long.
        delay: Delay,
        /// When the run may go on.
        window: Option<Window>,
    },
    /// See [`super::StepKind::WaitFor`].
    WaitFor {
        /// What is awaited.
        event: EventName,
        /// What it must be.
        filter: Condition,
        /// Whether what happened since the entry counts too.
        since_enrolled: bool,
        /// How long at most.
        timeout: Option<Delay>,
        /// Steps when it happens.
        then: Vec<StepDraft>,
        /// Steps when it does not.
        otherwise: Vec<StepDraft>,
    },
    /// See [`super::StepKind::Branch`].
    Branch {
        /// Conditions and their steps.
        arms: Vec<(Condition, Vec<StepDraft>)>,
        /// Steps when none holds.
        otherwise: Vec<StepDraft>,
    },
    /// See [`super::StepKind::Task`].
    Task(TaskStep),
    /// See [`super::StepKind::Set`].
    Set(Vec<(FieldPath, Value)>),
    /// See [`super::StepKind::Stop`].
    Stop,
}

/// Something wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}; {remedy}")]
pub struct JourneyProblem {
    /// Where, in the words of the journey file.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}
