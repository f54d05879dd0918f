//! One intended message, from intention to outcome; and tasks for people.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::contact::Channel;
use crate::ids::{
    EnrollmentId, ItemId, JourneyId, ListId, MailboxId, StepKey, SubjectRef, TemplateId,
    TouchpointId, UserId, Variant,
};
use crate::journey::{Approval, Recipient, Sender};
use crate::ledger::Reason;

/// Tries on the wire before a message that is refused for now is given up.
pub const ATTEMPTS_MAX: u8 = 6;
/// Waits after the first to fifth try that was refused for now, in seconds.
const RETRY_SECONDS: [i64; 5] = [60, 300, 1_800, 7_200, 28_800];

/// Reminders that one digest may carry.
pub const DIGEST_MEMBERS_MAX: usize = 100;

/// Under whose name a question to confirm a sign-up stands in ledger and counters; and its template.
pub const CONFIRM_JOURNEY: &str = "confirm-subscription";
/// The step that such a question is.
pub const CONFIRM_STEP: &str = "confirm";

/// One intended message.
#[derive(Debug, Clone, PartialEq)]
pub struct Touchpoint {
    /// Derived from enrollment, step and visit: a second one cannot exist (R6).
    pub id: TouchpointId,
    /// Whose step it is.
    pub enrollment: EnrollmentId,
    /// Of which journey.
    pub journey: JourneyId,
    /// The step.
    pub step: StepKey,
    /// What it is about.
    pub subject: Option<SubjectRef>,
    /// To whom.
    pub recipient: Recipient,
    /// By which channel.
    pub channel: Channel,
    /// What it says.
    pub template: TemplateId,
    /// The item of a content list that it carries.
    pub item: Option<(ListId, ItemId)>,
    /// The text of a notification, or what a person wrote in place of the template's.
    pub text: Option<Arc<str>>,
    /// From whom.
    pub from: Sender,
    /// The way that its run went at its last split.
    pub variant: Option<Variant>,
    /// Its journey's priority.
    pub priority: i16,
    /// Runs about other subjects whose reminders it carries as well (a digest).
    pub members: Vec<Member>,
    /// Who must agree.
    pub approval: Approval,
    /// Who agreed.
    pub approved_by: Option<UserId>,
    /// When the step was reached.
    pub created_at: Timestamp,
    /// The silence it depends on (R1).
    pub silence: Option<Silence>,
    /// Tries so far.
    pub attempts: u8,
    /// Where it stands.
    pub state: TouchpointState,
}

/// A run whose reminder another run's message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The run.
    pub enrollment: EnrollmentId,
    /// The step that it stands at.
    pub step: StepKey,
    /// What it is about.
    pub subject: Option<SubjectRef>,
}

/// The silence that a reminder depends on: these mailboxes must have been synchronised after this
/// moment, with no reply found (R1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Mailboxes that correspond with the contact.
    pub mailboxes: BTreeSet<MailboxId>,
    /// The deadline that passed.
    pub after: Timestamp,
}

/// Where a touchpoint stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TouchpointState {
    /// Will be tried as soon as there is room.
    Queued {
        /// Not before this.
        ready_at: Timestamp,
    },
    /// Will be looked at again.
    Held {
        /// When.
        until: Timestamp,
        /// Why it did not go now.
        reason: Reason,
    },
    /// Waits for a person.
    AwaitingApproval {
        /// From when the deputy may answer too.
        deputy_at: Option<Timestamp>,
        /// When the question lapses.
        expires_at: Timestamp,
    },
    /// Claimed by a dispatcher; after a crash its fate is unknown, and it is never sent blindly again.
    Sending {
        /// Since when.
        since: Timestamp,
    },
    /// Done, one way or another.
    Settled {
        /// When.
        at: Timestamp,
        /// How.
        outcome: Outcome,
    },
}

/// Where the store keeps a touchpoint so that it is found in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// In the outbox, ready at this moment.
    Outbox(Timestamp),
    /// Under a timer.
    Timer(Timestamp),
    /// In flight.
    Flight,
    /// Nowhere: settled.
    Done,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The next system took responsibility for it.
    Accepted,
    /// Refused for good.
    RefusedHard {
        /// What the other side said.
        text: String,
        /// The recipient's address is at fault, not the message.
        address_is_bad: bool,
    },
    /// Refused for now; settles when the tries are used up.
    RefusedSoft(String),
    /// Not tried: the provider rests or is busy. Uses up no try.
    Postponed {
        /// When to try.
        seconds: u32,
    },
    /// Never left: rendering failed.
    TemplateFailed(String),
    /// Never left: the channel is not set up.
    ChannelNotConfigured,
    /// Withdrawn before the wire.
    Withdrawn(Reason),
    /// Nobody took the call.
    Missed,
    /// Dropped by the gate.
    Dropped(Reason),
    /// A crash or a lost connection leaves open whether it went.
    Unknown,
}

impl Outcome {
    /// Whether the contact could not be reached by this message, so that another way is worth a try. A
    /// wish of the contact is no such reason.
    pub fn could_not_reach(&self) -> bool {
        match self {
            Self::RefusedHard { .. }
            | Self::RefusedSoft(_)
            | Self::TemplateFailed(_)
            | Self::ChannelNotConfigured
            | Self::Missed => true,
            Self::Dropped(reason) => reason.could_not_reach(),
            Self::Accepted | Self::Postponed { .. } | Self::Withdrawn(_) | Self::Unknown => false,
        }
    }
}

impl Touchpoint {
    /// Whether it asks the contact to confirm that it signed up: it belongs to no run.
    pub fn is_confirmation(&self) -> bool {
        self.enrollment.number == 0 && self.step.as_str() == CONFIRM_STEP
    }

    /// Whether it is a message of this run, alone or with others.
    pub fn is_of(&self, run: EnrollmentId) -> bool {
        self.enrollment == run || self.members.iter().any(|member| member.enrollment == run)
    }

    /// The message without a run that it carries among others; `None` when it carries no other.
    pub fn without(&self, run: EnrollmentId) -> Option<Self> {
        let mut rest = self.clone();
        if let Some(at) = rest
            .members
            .iter()
            .position(|member| member.enrollment == run)
        {
            rest.members.remove(at);
            return Some(rest);
        }
        if rest.enrollment != run || rest.members.is_empty() {
            return None;
        }
        let heir = rest.members.remove(0);
        rest.enrollment = heir.enrollment;
        rest.step = heir.step;
        rest.subject = heir.subject;
        Some(rest)
    }

    /// What it is about: its own subject and those of the runs that it carries.
    pub fn subjects(&self) -> impl Iterator<Item = &SubjectRef> {
        let members = self
            .members
            .iter()
            .filter_map(|member| member.subject.as_ref());
        self.subject.iter().chain(members)
    }

    /// Whether it may still go.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, TouchpointState::Settled { .. })
    }

    /// Where the store keeps it.
    pub fn slot(&self) -> Slot {
        match &self.state {
            TouchpointState::Queued { ready_at } => Slot::Outbox(*ready_at),
            TouchpointState::Held { until, .. } => Slot::Outbox(*until),
            TouchpointState::AwaitingApproval { expires_at, .. } => Slot::Timer(*expires_at),
            TouchpointState::Sending { .. } => Slot::Flight,
            TouchpointState::Settled { .. } => Slot::Done,
        }
    }

    /// How long to wait after a try that was refused for now; `None` when tries are used up.
    /// Spread by the id, so that a provider that comes back is not stormed.
    pub fn retry_delay(&self) -> Option<SignedDuration> {
        if self.attempts >= ATTEMPTS_MAX {
            return None;
        }
        let base =
            RETRY_SECONDS[usize::from(self.attempts.max(1) - 1).min(RETRY_SECONDS.len() - 1)];
        let spread = (self.id.hash % 256) as i64 * base / 1_024;
        Some(SignedDuration::from_secs(base + spread))
    }
}

/// Something for a person to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Derived like a touchpoint's.
    pub id: TouchpointId,
    /// Whose step it is.
    pub enrollment: EnrollmentId,
    /// Of which journey.
    pub journey: JourneyId,
    /// What it is about.
    pub subject: Option<SubjectRef>,
    /// A Jinja text, rendered when the task is stored.
    pub title: Arc<str>,
    /// Who should do it; `None` is the owner.
    pub assignee: Option<Arc<str>>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it should be done.
    pub due_at: Option<Timestamp>,
}
