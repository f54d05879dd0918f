//! The why ledger: each thing that happened to a contact, or did not, with its reason (R12).

use std::fmt;

use jiff::Timestamp;

use crate::contact::Channel;
use crate::ids::{ContactId, EnrollmentId, JourneyId, StepKey, TemplateId, TouchpointId, Variant};

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerEntry {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub contact: ContactId,
    /// What happened.
    pub what: What,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
    /// Which journey.
    pub journey: Option<JourneyId>,
    /// Which run.
    pub enrollment: Option<EnrollmentId>,
    /// Which step.
    pub step: Option<StepKey>,
    /// Which message or task.
    pub touchpoint: Option<TouchpointId>,
    /// By which channel.
    pub channel: Option<Channel>,
    /// Saying what.
    pub template: Option<TemplateId>,
    /// The way of a split that the run went.
    pub variant: Option<Variant>,
    /// Until when, for what is held.
    pub until: Option<Timestamp>,
    /// More for people: an event's name, a server's answer.
    pub detail: Option<String>,
}

impl LedgerEntry {
    /// A line about a contact and nothing else.
    pub fn new(at: Timestamp, contact: ContactId, what: What) -> Self {
        Self {
            at,
            contact,
            what,
            reason: None,
            journey: None,
            enrollment: None,
            step: None,
            touchpoint: None,
            channel: None,
            template: None,
            variant: None,
            until: None,
            detail: None,
        }
    }
}

/// Declares a closed set of public codes.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])+ $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])+ $variant),+ }

        impl $name {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The public code: stable, in API, ledger and preview.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The code of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

codes! {
    /// What happened.
    What {
        /// A run began.
        Enrolled = "enrolled",
        /// A run did not begin.
        NotEnrolled = "not_enrolled",
        /// A wait began.
        Waiting = "waiting",
        /// A person agreed.
        Approved = "approved",
        /// The next system took the message.
        Sent = "sent",
        /// A message must wait.
        Held = "held",
        /// A message will not go.
        Dropped = "dropped",
        /// A queued message was called back.
        Withdrawn = "withdrawn",
        /// A try failed; another will come.
        Retried = "retried",
        /// A message could not be sent.
        Failed = "failed",
        /// A step was passed over.
        Skipped = "skipped",
        /// A person has something to do.
        Task = "task",
        /// A person did a task.
        TaskDone = "task_done",
        /// A task that was done is open again.
        TaskReopened = "task_reopened",
        /// A task was put off.
        TaskPostponed = "task_postponed",
        /// A field was set.
        Set = "set",
        /// An awaited event came.
        Came = "came",
        /// An awaited event did not come in time.
        TimedOut = "timed_out",
        /// A branch was taken.
        Branched = "branched",
        /// A split chose a way.
        Assigned = "assigned",
        /// The run stands still: its journey is paused.
        Paused = "paused",
        /// The run goes on: its journey was resumed.
        Resumed = "resumed",
        /// The run went over to another version.
        Migrated = "migrated",
        /// The deal was moved to another stage.
        Moved = "moved",
        /// One of ours is told.
        Notified = "notified",
        /// A reminder joined another's message, or a run went over to the contact that its own was merged with.
        Merged = "merged",
        /// A promo code was issued.
        Promo = "promo",
        /// A run ended before its last step.
        Exited = "exited",
        /// A run did its last step.
        Finished = "finished",
        /// The goal was reached.
        Converted = "converted",
        /// The contact may not be reached any more.
        Suppressed = "suppressed",
        /// The contact withdrew consent.
        Unsubscribed = "unsubscribed",
        /// The contact may be reached again.
        Released = "released",
        /// The contact gave consent.
        Consented = "consented",
        /// The contact is asked to confirm that it signed up.
        ConsentAsked = "consent_asked",
        /// The contact said what it wishes of our messages.
        Preferred = "preferred",
    }
}

codes! {
    /// Why. The first nine are the gate's, in its order (R3).
    Reason {
        /// The contact was erased.
        Erased = "erased",
        /// The address may not be used.
        Suppressed = "suppressed",
        /// No consent for channel or topic.
        NoConsent = "no_consent",
        /// The run had ended.
        Exited = "exited",
        /// Control group.
        Holdout = "holdout",
        /// The same message exists.
        Duplicate = "duplicate",
        /// Enough messages for now.
        FrequencyCap = "frequency_cap",
        /// Not at this hour.
        QuietHours = "quiet_hours",
        /// A person has not agreed yet, or did not.
        Approval = "approval",
        /// The journey is paused.
        Paused = "paused",
        /// The contact wants no messages for a while.
        PausedByContact = "paused_by_contact",
        /// The contact is away; the message waits until they are back.
        Away = "away",
        /// The contact has left the company; a person must look for another.
        LeftCompany = "left_company",
        /// One of ours has followed up by hand.
        FollowedUp = "followed_up",
        /// Waits for other reminders to the same contact.
        Digest = "digest",
        /// The step's own condition did not hold.
        Condition = "condition",
        /// The contact has seen every item of the content list.
        ListExhausted = "list_exhausted",
        /// The date that is waited for is not known.
        NoDate = "no_date",
        /// A message of a higher priority takes the room that a cap leaves.
        Priority = "priority",
        /// Nobody took the call.
        Missed = "missed",
        /// The message was not opened in time.
        NotOpened = "not_opened",
        /// Nobody is known who should be told.
        NoRecipient = "no_recipient",
        /// No such journey runs.
        NoJourney = "no_journey",
        /// A mailbox has not been read since the deadline (R1).
        MailboxNotSynced = "mailbox_not_synced",
        /// The contact has no address for the channel.
        NoAddress = "no_address",
        /// Overtaken by more than its allowance (R4).
        Late = "late",
        /// A run about the same subject is under way.
        AlreadyEnrolled = "already_enrolled",
        /// The journey's `reentry` forbids it.
        Reentry = "reentry",
        /// The trigger's condition did not hold.
        WhereFalse = "where_false",
        /// Nothing is expected of the document any more.
        Settled = "settled",
        /// The event names no subject of the journey's kind.
        NoSubject = "no_subject",
        /// The address belongs to the own company.
        Internal = "internal",
        /// More runs at once than a contact may have.
        TooMany = "too_many",
        /// An exit event came.
        ExitEvent = "exit_event",
        /// The goal was reached.
        Goal = "goal",
        /// The contact unsubscribed.
        Unsubscribed = "unsubscribed",
        /// The recipient called a message spam.
        Complaint = "complaint",
        /// The address refuses for good.
        HardBounce = "hard_bounce",
        /// Refused for now, too often.
        SoftBounce = "soft_bounce",
        /// The template could not be rendered.
        TemplateFailed = "template_failed",
        /// The channel is not set up.
        ChannelNotConfigured = "channel_not_configured",
        /// The channel's provider rests or is busy.
        ChannelBusy = "channel_busy",
        /// It is not known whether the message went.
        Unknown = "unknown",
        /// The run's version no longer knows its step.
        StepGone = "step_gone",
        /// A map between versions, or an approval that nobody gave, ended the run.
        Stopped = "stopped",
        /// The contact was merged with another that runs the same journey.
        Merged = "merged",
        /// A merge of two contacts was undone.
        Unmerged = "unmerged",
        /// The journey was archived.
        Archived = "archived",
        /// More steps in one turn than a journey may cross.
        Loop = "loop",
    }
}

impl Reason {
    /// Whether it says that the contact could not be reached, not that it should not be.
    pub fn could_not_reach(self) -> bool {
        matches!(
            self,
            Self::NoAddress
                | Self::HardBounce
                | Self::Missed
                | Self::NotOpened
                | Self::ListExhausted
        )
    }
}
