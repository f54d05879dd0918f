//! A message's body; contact and hash are the key of its row.

use std::collections::BTreeSet;

use jiff::Timestamp;
use relance_core::contact::Channel;
use relance_core::ids::{
    EnrollmentId, JourneyId, MailboxId, StepKey, TemplateId, TouchpointId, UserId,
};
use relance_core::journey::{Approval, Sender};
use relance_core::ledger::Reason;
use relance_core::touchpoint::{Outcome, Silence, Touchpoint, TouchpointState};
use serde::{Deserialize, Serialize};

use super::{StoredProblem, SubjectV1, Version, is_false, read, text};

const SHAPE: &str = "touchpoint";

#[derive(Debug, Serialize, Deserialize)]
struct TouchpointV1 {
    v: Version<1>,
    run: u32,
    journey: JourneyId,
    step: StepKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<SubjectV1>,
    channel: Channel,
    template: TemplateId,
    #[serde(default, skip_serializing_if = "is_false")]
    owner_mailbox: bool,
    #[serde(default, skip_serializing_if = "ApprovalV1::is_auto")]
    approval: ApprovalV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved_by: Option<UserId>,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silence: Option<SilenceV1>,
    #[serde(rename = "tries", default, skip_serializing_if = "is_untried")]
    attempts: u8,
    state: StateV1,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ApprovalV1 {
    #[default]
    Auto,
    Owner,
    Role(String),
}

impl ApprovalV1 {
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

fn is_untried(tries: &u8) -> bool {
    *tries == 0
}

#[derive(Debug, Serialize, Deserialize)]
struct SilenceV1 {
    mailboxes: BTreeSet<MailboxId>,
    after: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateV1 {
    Queued { ready: Timestamp },
    Held { until: Timestamp, reason: ReasonV1 },
    AwaitingApproval { expires: Timestamp },
    Sending { since: Timestamp },
    Settled { at: Timestamp, outcome: OutcomeV1 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeV1 {
    Accepted,
    RefusedHard {
        text: String,
        #[serde(default, skip_serializing_if = "is_false")]
        bad_address: bool,
    },
    RefusedSoft(String),
    Postponed {
        seconds: u32,
    },
    TemplateFailed(String),
    ChannelNotConfigured,
    Withdrawn(ReasonV1),
    Dropped(ReasonV1),
    Unknown,
}

/// A reason by its public code.
#[derive(Debug)]
struct ReasonV1(Reason);

impl Serialize for ReasonV1 {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.word())
    }
}

impl<'de> Deserialize<'de> for ReasonV1 {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'_, str>::deserialize(from)?;
        Reason::from_word(&word)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format_args!("{word:?} is not a known reason")))
    }
}

impl From<&TouchpointState> for StateV1 {
    fn from(state: &TouchpointState) -> Self {
        match state {
            TouchpointState::Queued { ready_at } => Self::Queued { ready: *ready_at },
            TouchpointState::Held { until, reason } => Self::Held {
                until: *until,
                reason: ReasonV1(*reason),
            },
            TouchpointState::AwaitingApproval { expires_at } => Self::AwaitingApproval {
                expires: *expires_at,
            },
            TouchpointState::Sending { since } => Self::Sending { since: *since },
            TouchpointState::Settled { at, outcome } => Self::Settled {
                at: *at,
                outcome: match outcome {
                    Outcome::Accepted => OutcomeV1::Accepted,
                    Outcome::RefusedHard {
                        text,
                        address_is_bad,
                    } => OutcomeV1::RefusedHard {
                        text: text.clone(),
                        bad_address: *address_is_bad,
                    },
                    Outcome::Postponed { seconds } => OutcomeV1::Postponed { seconds: *seconds },
                    Outcome::RefusedSoft(text) => OutcomeV1::RefusedSoft(text.clone()),
                    Outcome::TemplateFailed(text) => OutcomeV1::TemplateFailed(text.clone()),
                    Outcome::ChannelNotConfigured => OutcomeV1::ChannelNotConfigured,
                    Outcome::Withdrawn(reason) => OutcomeV1::Withdrawn(ReasonV1(*reason)),
                    Outcome::Dropped(reason) => OutcomeV1::Dropped(ReasonV1(*reason)),
                    Outcome::Unknown => OutcomeV1::Unknown,
                },
            },
        }
    }
}

impl From<StateV1> for TouchpointState {
    fn from(state: StateV1) -> Self {
        match state {
            StateV1::Queued { ready } => Self::Queued { ready_at: ready },
            StateV1::Held { until, reason } => Self::Held {
                until,
                reason: reason.0,
            },
            StateV1::AwaitingApproval { expires } => Self::AwaitingApproval {
                expires_at: expires,
            },
            StateV1::Sending { since } => Self::Sending { since },
            StateV1::Settled { at, outcome } => Self::Settled {
                at,
                outcome: match outcome {
                    OutcomeV1::Accepted => Outcome::Accepted,
                    OutcomeV1::RefusedHard { text, bad_address } => Outcome::RefusedHard {
                        text,
                        address_is_bad: bad_address,
                    },
                    OutcomeV1::Postponed { seconds } => Outcome::Postponed { seconds },
                    OutcomeV1::RefusedSoft(text) => Outcome::RefusedSoft(text),
                    OutcomeV1::TemplateFailed(text) => Outcome::TemplateFailed(text),
                    OutcomeV1::ChannelNotConfigured => Outcome::ChannelNotConfigured,
                    OutcomeV1::Withdrawn(reason) => Outcome::Withdrawn(reason.0),
                    OutcomeV1::Dropped(reason) => Outcome::Dropped(reason.0),
                    OutcomeV1::Unknown => Outcome::Unknown,
                },
            },
        }
    }
}

/// The text of a message.
pub fn touchpoint_text(touchpoint: &Touchpoint) -> Result<String, StoredProblem> {
    let body = TouchpointV1 {
        v: Version,
        run: touchpoint.enrollment.number,
        journey: touchpoint.journey.clone(),
        step: touchpoint.step.clone(),
        subject: touchpoint.subject.as_ref().map(SubjectV1::from),
        channel: touchpoint.channel,
        template: touchpoint.template.clone(),
        owner_mailbox: match touchpoint.from {
            Sender::Workspace => false,
            Sender::OwnerMailbox => true,
        },
        approval: match &touchpoint.approval {
            Approval::Auto => ApprovalV1::Auto,
            Approval::Owner => ApprovalV1::Owner,
            Approval::Role(role) => ApprovalV1::Role(role.clone()),
        },
        approved_by: touchpoint.approved_by.clone(),
        created: touchpoint.created_at,
        silence: touchpoint.silence.as_ref().map(|silence| SilenceV1 {
            mailboxes: silence.mailboxes.clone(),
            after: silence.after,
        }),
        attempts: touchpoint.attempts,
        state: StateV1::from(&touchpoint.state),
    };
    text(SHAPE, &body)
}

/// The message of a row.
pub fn read_touchpoint(id: TouchpointId, stored: &str) -> Result<Touchpoint, StoredProblem> {
    let body: TouchpointV1 = read(SHAPE, stored)?;
    Ok(Touchpoint {
        id,
        enrollment: EnrollmentId {
            contact: id.contact,
            number: body.run,
        },
        journey: body.journey,
        step: body.step,
        subject: body.subject.map(Into::into),
        channel: body.channel,
        template: body.template,
        from: if body.owner_mailbox {
            Sender::OwnerMailbox
        } else {
            Sender::Workspace
        },
        approval: match body.approval {
            ApprovalV1::Auto => Approval::Auto,
            ApprovalV1::Owner => Approval::Owner,
            ApprovalV1::Role(role) => Approval::Role(role),
        },
        approved_by: body.approved_by,
        created_at: body.created,
        silence: body.silence.map(|silence| Silence {
            mailboxes: silence.mailboxes,
            after: silence.after,
        }),
        attempts: body.attempts,
        state: body.state.into(),
    })
}
