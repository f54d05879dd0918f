//! One run of a journey by one contact, about one subject.

use std::sync::Arc;

use jiff::Timestamp;

use crate::event::Event;
use crate::ids::{EnrollmentId, EventName, JourneyId, StepKey, SubjectRef, TouchpointId, Variant};

/// One run. Its state owns exactly the data of that state.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrollment {
    /// Which one.
    pub id: EnrollmentId,
    /// Of which journey.
    pub journey: JourneyId,
    /// Of which version; a run stays on it unless moved (R8).
    pub version: u32,
    /// What it is about.
    pub subject: Option<SubjectRef>,
    /// When it began.
    pub entered_at: Timestamp,
    /// The event that began it.
    pub cause: Option<Arc<Event>>,
    /// In the control group: receives nothing, counts all the same.
    pub held_out: bool,
    /// When the goal was reached.
    pub converted_at: Option<Timestamp>,
    /// Until when the goal still counts.
    pub goal_until: Option<Timestamp>,
    /// The way that it went at its last split.
    pub variant: Option<Variant>,
    /// How many runs began one another, each soon after the one before, up to this one.
    pub chain: u16,
    /// Where it stands.
    pub state: EnrollmentState,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrollmentState {
    /// At a `wait`, for its time to come.
    Waiting {
        /// The step.
        step: StepKey,
        /// What the wait counts from: told anew when the contact's zone or the awaited date changes.
        since: Timestamp,
        /// When it goes on.
        until: Timestamp,
    },
    /// At a `wait_for`, or at a `send` until it is opened.
    Listening {
        /// The step.
        step: StepKey,
        /// When the timeout comes, if there is one.
        until: Option<Timestamp>,
    },
    /// Before a step that it came to while the journey was paused.
    Standing {
        /// The step.
        step: StepKey,
        /// When it came there.
        due: Timestamp,
    },
    /// At a `send`, until its touchpoint is settled.
    Sending {
        /// The step.
        step: StepKey,
        /// The message.
        touchpoint: TouchpointId,
    },
    /// All steps done.
    Finished {
        /// When.
        at: Timestamp,
    },
    /// Ended before its last step.
    Exited {
        /// When.
        at: Timestamp,
        /// By what.
        reason: ExitReason,
    },
}

/// What ended a run before its last step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitReason {
    /// An exit of the journey.
    Event(EventName),
    /// The goal was reached.
    Goal(EventName),
    /// The contact withdrew consent.
    Unsubscribed,
    /// The contact was erased.
    Erased,
    /// Another run of the same journey, of a contact merged with this one, goes on.
    Merged,
    /// A map between versions, or an approval that nobody gave, ends it.
    Stopped,
    /// The journey was archived with its runs.
    Archived,
    /// The version that the run stood on no longer knows its step.
    StepGone,
    /// The run crossed more steps in one turn than a journey may.
    Loop,
}

impl Enrollment {
    /// When what began it happened.
    pub fn began_at(&self) -> Timestamp {
        self.cause
            .as_ref()
            .map_or(self.entered_at, |cause| cause.at.min(self.entered_at))
    }

    /// Whether steps are still to come.
    pub fn is_running(&self) -> bool {
        match self.state {
            EnrollmentState::Waiting { .. }
            | EnrollmentState::Listening { .. }
            | EnrollmentState::Standing { .. }
            | EnrollmentState::Sending { .. } => true,
            EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => false,
        }
    }

    /// The step that it stands at, while steps are still to come.
    pub fn step(&self) -> Option<&StepKey> {
        match &self.state {
            EnrollmentState::Waiting { step, .. }
            | EnrollmentState::Listening { step, .. }
            | EnrollmentState::Standing { step, .. }
            | EnrollmentState::Sending { step, .. } => Some(step),
            EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => None,
        }
    }

    /// Whether anything can still happen to it: steps, or a conversion.
    pub fn is_live(&self) -> bool {
        self.is_running() || self.timer_at().is_some()
    }

    /// The one moment at which it must be looked at again.
    pub fn timer_at(&self) -> Option<Timestamp> {
        match &self.state {
            EnrollmentState::Waiting { until, .. } => Some(*until),
            EnrollmentState::Listening { until, .. } => *until,
            EnrollmentState::Standing { .. } | EnrollmentState::Sending { .. } => None,
            EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => {
                self.goal_until.filter(|_| self.converted_at.is_none())
            }
        }
    }
}

/// When a contact last entered a journey, about a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Of which journey.
    pub journey: JourneyId,
    /// About what.
    pub subject: Option<SubjectRef>,
    /// When last.
    pub at: Timestamp,
}
