//! A journey as written: a tree of steps, each with its path, before publication.

use crate::ids::{JourneyId, ObjectKind, StepKey, Topic};
use crate::time::Delay;

use super::{Approval, Exit, Goal, Holdout, Reentry, StepKind, Trigger};

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
    /// May a run begin again; `None` leaves it to the subject and the trigger.
    pub reentry: Option<Reentry>,
    /// What a conversion is.
    pub goal: Option<Goal>,
    /// What ends a run at once.
    pub exits: Vec<Exit>,
    /// The control group.
    pub holdout: Holdout,
    /// Who must agree before a message leaves.
    pub approval: Approval,
    /// The preference topic of its messages.
    pub topic: Option<Topic>,
    /// See [`super::Journey::priority`].
    pub priority: i16,
    /// See [`super::Journey::waits_for_absent`].
    pub waits_for_absent: bool,
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
    /// What it does, with the steps of its ways inside.
    pub kind: StepKind<Vec<StepDraft>>,
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
