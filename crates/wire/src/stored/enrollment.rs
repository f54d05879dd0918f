//! A run's body; contact and number are the key of its row.

use std::sync::Arc;

use jiff::Timestamp;
use relance_core::enrollment::{Enrollment, EnrollmentState, ExitReason};
use relance_core::ids::{EnrollmentId, EventName, JourneyId, StepKey, TouchpointId, Variant};
use serde::{Deserialize, Serialize};

use super::event::EventV1;
use super::{StoredProblem, SubjectV1, Version, is_false, read, text};

const SHAPE: &str = "enrollment";

#[derive(Debug, Serialize, Deserialize)]
struct EnrollmentV1<'a> {
    v: Version<1>,
    journey: JourneyId,
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<SubjectV1>,
    entered: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<EventV1<'a>>,
    #[serde(default, skip_serializing_if = "is_false")]
    held_out: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    converted: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    goal_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_unlinked")]
    chain: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<Variant>,
    state: StateV1,
}

fn is_unlinked(chain: &u16) -> bool {
    *chain == 0
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateV1 {
    Waiting {
        step: StepKey,
        /// Left out where it is `until`, as in rows from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        until: Timestamp,
    },
    Listening {
        step: StepKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    Standing {
        step: StepKey,
        due: Timestamp,
    },
    Sending {
        step: StepKey,
        touchpoint: TouchpointId,
    },
    Finished {
        at: Timestamp,
    },
    Exited {
        at: Timestamp,
        by: ExitV1,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExitV1 {
    Event(EventName),
    Goal(EventName),
    Unsubscribed,
    Erased,
    Merged,
    Stopped,
    Archived,
    StepGone,
    Loop,
}

impl From<&EnrollmentState> for StateV1 {
    fn from(state: &EnrollmentState) -> Self {
        match state {
            EnrollmentState::Waiting { step, since, until } => Self::Waiting {
                step: step.clone(),
                since: Some(*since).filter(|since| since != until),
                until: *until,
            },
            EnrollmentState::Listening { step, until } => Self::Listening {
                step: step.clone(),
                until: *until,
            },
            EnrollmentState::Standing { step, due } => Self::Standing {
                step: step.clone(),
                due: *due,
            },
            EnrollmentState::Sending { step, touchpoint } => Self::Sending {
                step: step.clone(),
                touchpoint: *touchpoint,
            },
            EnrollmentState::Finished { at } => Self::Finished { at: *at },
            EnrollmentState::Exited { at, reason } => Self::Exited {
                at: *at,
                by: match reason {
                    ExitReason::Event(name) => ExitV1::Event(name.clone()),
                    ExitReason::Goal(name) => ExitV1::Goal(name.clone()),
                    ExitReason::Unsubscribed => ExitV1::Unsubscribed,
                    ExitReason::Erased => ExitV1::Erased,
                    ExitReason::Merged => ExitV1::Merged,
                    ExitReason::Stopped => ExitV1::Stopped,
                    ExitReason::Archived => ExitV1::Archived,
                    ExitReason::StepGone => ExitV1::StepGone,
                    ExitReason::Loop => ExitV1::Loop,
                },
            },
        }
    }
}

impl From<StateV1> for EnrollmentState {
    fn from(state: StateV1) -> Self {
        match state {
            StateV1::Waiting { step, since, until } => Self::Waiting {
                step,
                since: since.unwrap_or(until),
                until,
            },
            StateV1::Listening { step, until } => Self::Listening { step, until },
            StateV1::Standing { step, due } => Self::Standing { step, due },
            StateV1::Sending { step, touchpoint } => Self::Sending { step, touchpoint },
            StateV1::Finished { at } => Self::Finished { at },
            StateV1::Exited { at, by } => Self::Exited {
                at,
                reason: match by {
                    ExitV1::Event(name) => ExitReason::Event(name),
                    ExitV1::Goal(name) => ExitReason::Goal(name),
                    ExitV1::Unsubscribed => ExitReason::Unsubscribed,
                    ExitV1::Erased => ExitReason::Erased,
                    ExitV1::Merged => ExitReason::Merged,
                    ExitV1::Stopped => ExitReason::Stopped,
                    ExitV1::Archived => ExitReason::Archived,
                    ExitV1::StepGone => ExitReason::StepGone,
                    ExitV1::Loop => ExitReason::Loop,
                },
            },
        }
    }
}

/// The text of a run.
pub fn enrollment_text(run: &Enrollment) -> Result<String, StoredProblem> {
    let body = EnrollmentV1 {
        v: Version,
        journey: run.journey.clone(),
        version: run.version,
        subject: run.subject.as_ref().map(SubjectV1::from),
        entered: run.entered_at,
        cause: run.cause.as_deref().map(EventV1::from),
        held_out: run.held_out,
        converted: run.converted_at,
        goal_until: run.goal_until,
        chain: run.chain,
        variant: run.variant.clone(),
        state: StateV1::from(&run.state),
    };
    text(SHAPE, &body)
}

/// The run of a row.
pub fn read_enrollment(id: EnrollmentId, stored: &str) -> Result<Enrollment, StoredProblem> {
    let body: EnrollmentV1<'_> = read(SHAPE, stored)?;
    Ok(Enrollment {
        id,
        journey: body.journey,
        version: body.version,
        subject: body.subject.map(Into::into),
        entered_at: body.entered,
        cause: body.cause.map(|event| Arc::new(event.into())),
        held_out: body.held_out,
        converted_at: body.converted,
        goal_until: body.goal_until,
        chain: body.chain,
        variant: body.variant,
        state: body.state.into(),
    })
}
