//! What comes to the engine from outside, on one path.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::consent::DoubleOptIn;
use relance_core::contact::Identity;
use relance_core::decide::{Input, Overdue};
use relance_core::event::Event;
use relance_core::ids::{ContactId, ItemId, JourneyId, ListId, MailboxId, SegmentId, TemplateId};
use relance_core::journey::{Journey, Moves};
use relance_core::mail::MailSeen;
use relance_core::payment::{PaymentRecord, StatementRecord};
use relance_core::policy::{GivenUp, Policy, TemplateFacts};
use relance_core::rfm::RfmBounds;
use relance_core::segment::Segment;
use relance_core::suppression::{Suppression, SuppressionKey};

use crate::ports::{Asset, ThreadEntry};
use crate::quiet::Backlog;

/// Segments that a person changed together: one commit, and one pass over the contacts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SegmentChanges {
    /// New or changed definitions.
    pub defined: Vec<DefinedSegments>,
    /// Segments that are no longer in force. One that is defined as well stays.
    pub removed: Vec<SegmentId>,
    /// New bounds of recency, frequency and money: segments that ask for scores are told anew.
    pub rfm: Option<RfmBounds>,
}

/// The segments of one text: one, or several as with grades. The text is stored under the id of each.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinedSegments {
    /// As it was written.
    pub text: String,
    /// What it defines.
    pub segments: Vec<Arc<Segment>>,
}

/// What the workspace allows, beside its journeys.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What the gate asks.
    pub policy: Policy,
    /// Which sign-ups must be confirmed.
    pub double_opt_in: DoubleOptIn,
}

/// One thing that came.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// Something happened to the contact of these identities, who is made if unknown.
    Event {
        /// Who, most trusted first.
        identities: Vec<Identity>,
        /// What.
        event: Arc<Event>,
    },
    /// Something concerns a known contact: an outcome, an approval, a click.
    Input {
        /// Who.
        contact: ContactId,
        /// What.
        input: Input,
    },
    /// A mail crossed a watched mailbox.
    Mail(Box<MailSeen>),
    /// A message left from here: answers to it belong to its contact and subject.
    Threaded(ThreadEntry),
    /// A text that belongs to the workspace: a template, a key, a setting.
    Asset(Asset),
    /// Somebody changed something: noted in the same commit as the change.
    Audited {
        /// Who: an address, or the name of a token.
        by: String,
        /// What was done, as a code: `journey.publish`.
        action: String,
        /// To what: an id, or an address of ours.
        object: String,
        /// More of it, as a JSON object; empty for nothing.
        detail: String,
    },
    /// Money came to the bank, or it is decided anew what it paid. What follows for documents comes as events
    /// beside it.
    Payment(Box<PaymentRecord>),
    /// What stands beside it was judged by payments as they were at this number of changes. When somebody changed some
    /// since, nothing of the envelope is taken: it is [`Refusal::Overtaken`].
    Judged(u64),
    /// A bank statement was taken in, or taken back.
    Statement(Box<StatementRecord>),
    /// A person is to be forgotten.
    Erase {
        /// Any contact that was theirs.
        contact: ContactId,
        /// On whose order.
        by: String,
    },
    /// Somebody who was erased may be known again: what is kept of the names.
    Readmit(Vec<String>),
    /// Addresses that must not be written to, and others that may again.
    Suppressions {
        /// Entries to put on the list.
        put: Vec<Suppression>,
        /// Entries to take off.
        dropped: Vec<SuppressionKey>,
    },
    /// A mailbox was read whole: everything that was in it at this moment has arrived before.
    Synced {
        /// Which.
        mailbox: MailboxId,
        /// When reading began.
        at: Timestamp,
        /// Where reading goes on.
        cursors: String,
    },
    /// A mailbox is watched from now on.
    Watched(MailboxId),
    /// A mailbox that is no longer watched will not be read again: a person said what becomes of what waits for it.
    Forgotten {
        /// Which.
        mailbox: MailboxId,
        /// What becomes of it.
        what: GivenUp,
    },
    /// A journey was published.
    Published {
        /// Its text.
        text: String,
        /// What the text means.
        journey: Arc<Journey>,
        /// How runs on older versions come to it.
        moves: Moves,
    },
    /// No new run of a journey may begin.
    Retired(JourneyId),
    /// A journey stands still: nothing of it begins, goes on or leaves.
    Paused(JourneyId),
    /// A paused journey goes on.
    Resumed {
        /// Which.
        journey: JourneyId,
        /// What becomes of what came due meanwhile.
        overdue: Overdue,
    },
    /// No new run of a journey may begin, and those under way end.
    Archived(JourneyId),
    /// Segments were defined, changed or taken out of force.
    Segments(SegmentChanges),
    /// The content lists in force, each with its items in the order in which they are sent.
    Lists(BTreeMap<ListId, Arc<[ItemId]>>),
    /// What the gate must know of templates.
    Templates(Vec<(TemplateId, TemplateFacts)>),
    /// The workspace's rules are these from now on; what waits by the old ones is asked anew.
    Rules(Box<Rules>),
    /// A person released a quiet workspace: it sends again. Changes nothing when it was not quiet (R10).
    Released(Backlog),
    /// Two contacts are one. What stands against it for a while, such as a message in flight, puts it off; what
    /// stands against it for good leaves both as they are.
    Merge {
        /// Who goes on.
        survivor: ContactId,
        /// Who is absorbed.
        absorbed: ContactId,
        /// Who says so.
        by: Arc<str>,
    },
    /// They are not: within a day the absorbed contact is itself again.
    Unmerge {
        /// Who was absorbed.
        absorbed: ContactId,
        /// Who says so.
        by: Arc<str>,
    },
}

impl Arrival {
    /// Whether it changes the configuration that decisions are made under.
    pub fn reconfigures(&self) -> bool {
        match self {
            Self::Synced { .. }
            | Self::Watched(_)
            | Self::Forgotten { .. }
            | Self::Published { .. }
            | Self::Retired(_)
            | Self::Paused(_)
            | Self::Resumed { .. }
            | Self::Archived(_)
            | Self::Segments(_)
            | Self::Lists(_)
            | Self::Templates(_)
            | Self::Rules(_)
            | Self::Released(_) => true,
            Self::Event { .. }
            | Self::Input { .. }
            | Self::Mail(_)
            | Self::Threaded(_)
            | Self::Asset(_)
            | Self::Audited { .. }
            | Self::Payment(_)
            | Self::Judged(_)
            | Self::Statement(_)
            | Self::Erase { .. }
            | Self::Readmit(_)
            | Self::Suppressions { .. }
            | Self::Merge { .. }
            | Self::Unmerge { .. } => false,
        }
    }
}

/// Why arrivals were not taken. Nothing of them was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More waits than the engine holds; come again.
    #[error("the engine is busy; try again in {retry_after_seconds} s")]
    Busy {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// What it was judged by changed meanwhile: judge anew.
    #[error("somebody changed payments at the same moment; try again")]
    Overtaken,
    /// The store failed; nothing was taken.
    #[error("the store is not available; try again later")]
    StoreFailed,
    /// The engine is stopping.
    #[error("the server is stopping; try again in a moment")]
    Stopping,
}

/// Called once what came with it is durable, or was refused.
pub type Acknowledge = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

/// Arrivals that are acknowledged together.
pub struct Envelope {
    /// What came, in order.
    pub arrivals: Vec<Arrival>,
    /// Bytes that they take, roughly: the queue is bounded by them.
    pub weight: usize,
    /// Whom to tell.
    pub acknowledge: Option<Acknowledge>,
}

impl Envelope {
    /// One arrival that nobody waits for.
    pub fn silent(arrival: Arrival) -> Self {
        Self {
            arrivals: vec![arrival],
            weight: 512,
            acknowledge: None,
        }
    }
}
