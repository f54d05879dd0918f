//! A message's body; contact and hash are the key of its row.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::Channel;
use relance_core::ids::{
    EnrollmentId, ItemId, JourneyId, ListId, MailboxId, StepKey, TemplateId, TouchpointId, UserId,
    Variant,
};
use relance_core::journey::{Approval, Approver, Deputy, Lapse, Recipient, Sender};
use relance_core::ledger::Reason;
use relance_core::time::Delay;
use relance_core::touchpoint::{Member, Outcome, Silence, Touchpoint, TouchpointState};
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
    #[serde(default, skip_serializing_if = "RecipientV1::is_contact")]
    to: RecipientV1,
    channel: Channel,
    template: TemplateId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<ItemV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    owner_mailbox: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<Variant>,
    #[serde(default, skip_serializing_if = "is_ordinary")]
    priority: i16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<MemberV1>,
    #[serde(default, skip_serializing_if = "ApproverV1::is_auto")]
    approval: ApproverV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deputy: Option<DeputyV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Delay>,
    #[serde(default, skip_serializing_if = "LapseV1::is_skip")]
    lapse: LapseV1,
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
enum RecipientV1 {
    #[default]
    Contact,
    Owner,
    Role(Arc<str>),
    User(Arc<str>),
}

impl RecipientV1 {
    fn is_contact(&self) -> bool {
        *self == Self::Contact
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ItemV1 {
    list: ListId,
    item: ItemId,
}

#[derive(Debug, Serialize, Deserialize)]
struct MemberV1 {
    run: EnrollmentId,
    step: StepKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<SubjectV1>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ApproverV1 {
    #[default]
    Auto,
    Owner,
    Role(String),
}

impl ApproverV1 {
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl From<&Approver> for ApproverV1 {
    fn from(approver: &Approver) -> Self {
        match approver {
            Approver::Auto => Self::Auto,
            Approver::Owner => Self::Owner,
            Approver::Role(role) => Self::Role(role.clone()),
        }
    }
}

impl From<ApproverV1> for Approver {
    fn from(approver: ApproverV1) -> Self {
        match approver {
            ApproverV1::Auto => Self::Auto,
            ApproverV1::Owner => Self::Owner,
            ApproverV1::Role(role) => Self::Role(role),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct DeputyV1 {
    who: ApproverV1,
    after: Delay,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LapseV1 {
    #[default]
    Skip,
    Send,
    Stop,
    Call,
}

impl LapseV1 {
    fn is_skip(&self) -> bool {
        *self == Self::Skip
    }
}

fn is_ordinary(priority: &i16) -> bool {
    *priority == 0
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
    Queued {
        ready: Timestamp,
    },
    Held {
        until: Timestamp,
        reason: ReasonV1,
    },
    AwaitingApproval {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deputy: Option<Timestamp>,
        expires: Timestamp,
    },
    Sending {
        since: Timestamp,
    },
    Settled {
        at: Timestamp,
        outcome: OutcomeV1,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeV1 {
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
    Missed,
    Dropped(ReasonV1),
    Unknown,
}

/// A reason by its public code.
#[derive(Debug)]
pub(super) struct ReasonV1(Reason);

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

impl From<&Outcome> for OutcomeV1 {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted => Self::Accepted,
            Outcome::RefusedHard {
                text,
                address_is_bad,
            } => Self::RefusedHard {
                text: text.clone(),
                bad_address: *address_is_bad,
            },
            Outcome::RefusedSoft(text) => Self::RefusedSoft(text.clone()),
            Outcome::Postponed { seconds } => Self::Postponed { seconds: *seconds },
            Outcome::TemplateFailed(text) => Self::TemplateFailed(text.clone()),
            Outcome::ChannelNotConfigured => Self::ChannelNotConfigured,
            Outcome::Withdrawn(reason) => Self::Withdrawn(ReasonV1(*reason)),
            Outcome::Missed => Self::Missed,
            Outcome::Dropped(reason) => Self::Dropped(ReasonV1(*reason)),
            Outcome::Unknown => Self::Unknown,
        }
    }
}

impl From<OutcomeV1> for Outcome {
    fn from(outcome: OutcomeV1) -> Self {
        match outcome {
            OutcomeV1::Accepted => Self::Accepted,
            OutcomeV1::RefusedHard { text, bad_address } => Self::RefusedHard {
                text,
                address_is_bad: bad_address,
            },
            OutcomeV1::Postponed { seconds } => Self::Postponed { seconds },
            OutcomeV1::RefusedSoft(text) => Self::RefusedSoft(text),
            OutcomeV1::TemplateFailed(text) => Self::TemplateFailed(text),
            OutcomeV1::ChannelNotConfigured => Self::ChannelNotConfigured,
            OutcomeV1::Withdrawn(reason) => Self::Withdrawn(reason.0),
            OutcomeV1::Missed => Self::Missed,
            OutcomeV1::Dropped(reason) => Self::Dropped(reason.0),
            OutcomeV1::Unknown => Self::Unknown,
        }
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
            TouchpointState::AwaitingApproval {
                deputy_at,
                expires_at,
            } => Self::AwaitingApproval {
                deputy: *deputy_at,
                expires: *expires_at,
            },
            TouchpointState::Sending { since } => Self::Sending { since: *since },
            TouchpointState::Settled { at, outcome } => Self::Settled {
                at: *at,
                outcome: outcome.into(),
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
            StateV1::AwaitingApproval { deputy, expires } => Self::AwaitingApproval {
                deputy_at: deputy,
                expires_at: expires,
            },
            StateV1::Sending { since } => Self::Sending { since },
            StateV1::Settled { at, outcome } => Self::Settled {
                at,
                outcome: outcome.into(),
            },
        }
    }
}

/// The text of a message.
pub fn touchpoint_text(touchpoint: &Touchpoint) -> Result<String, StoredProblem> {
    let approval = &touchpoint.approval;
    let body = TouchpointV1 {
        v: Version,
        run: touchpoint.enrollment.number,
        journey: touchpoint.journey.clone(),
        step: touchpoint.step.clone(),
        subject: touchpoint.subject.as_ref().map(SubjectV1::from),
        to: match &touchpoint.recipient {
            Recipient::Contact => RecipientV1::Contact,
            Recipient::Owner => RecipientV1::Owner,
            Recipient::Role(role) => RecipientV1::Role(role.clone()),
            Recipient::User(user) => RecipientV1::User(user.clone()),
        },
        channel: touchpoint.channel,
        template: touchpoint.template.clone(),
        item: touchpoint.item.as_ref().map(|(list, item)| ItemV1 {
            list: list.clone(),
            item: item.clone(),
        }),
        text: touchpoint.text.clone(),
        owner_mailbox: match touchpoint.from {
            Sender::Workspace => false,
            Sender::OwnerMailbox => true,
        },
        variant: touchpoint.variant.clone(),
        priority: touchpoint.priority,
        members: touchpoint
            .members
            .iter()
            .map(|member| MemberV1 {
                run: member.enrollment,
                step: member.step.clone(),
                subject: member.subject.as_ref().map(SubjectV1::from),
            })
            .collect(),
        approval: ApproverV1::from(&approval.by),
        deputy: approval.deputy.as_ref().map(|deputy| DeputyV1 {
            who: ApproverV1::from(&deputy.who),
            after: deputy.after,
        }),
        expires: approval.expires,
        lapse: match approval.lapse {
            Lapse::Skip => LapseV1::Skip,
            Lapse::Send => LapseV1::Send,
            Lapse::Stop => LapseV1::Stop,
            Lapse::Call => LapseV1::Call,
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
        recipient: match body.to {
            RecipientV1::Contact => Recipient::Contact,
            RecipientV1::Owner => Recipient::Owner,
            RecipientV1::Role(role) => Recipient::Role(role),
            RecipientV1::User(user) => Recipient::User(user),
        },
        channel: body.channel,
        template: body.template,
        item: body.item.map(|one| (one.list, one.item)),
        text: body.text,
        from: if body.owner_mailbox {
            Sender::OwnerMailbox
        } else {
            Sender::Workspace
        },
        variant: body.variant,
        priority: body.priority,
        members: body
            .members
            .into_iter()
            .map(|member| Member {
                enrollment: member.run,
                step: member.step,
                subject: member.subject.map(Into::into),
            })
            .collect(),
        approval: Approval {
            by: body.approval.into(),
            deputy: body.deputy.map(|deputy| Deputy {
                who: deputy.who.into(),
                after: deputy.after,
            }),
            expires: body.expires,
            lapse: match body.lapse {
                LapseV1::Skip => Lapse::Skip,
                LapseV1::Send => Lapse::Send,
                LapseV1::Stop => Lapse::Stop,
                LapseV1::Call => Lapse::Call,
            },
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
