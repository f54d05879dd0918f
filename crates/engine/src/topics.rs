//! What pages show, as a set: a turn says which of it it touched, so that open pages look again.
//!
//! It costs a bit for each effect. **Absent:** what exactly changed, which whoever looks again finds.

use relance_core::decide::Effect;
use relance_core::ledger::What;
use relance_core::touchpoint::TouchpointState;

use crate::arrival::Arrival;
use crate::ports::{Asset, DRAFT};

/// One thing that pages show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Sums and what happened last.
    Overview,
    /// Messages that wait for a person.
    Approvals,
    /// Invoices, offers and other objects.
    Documents,
    /// Contacts, and what happened to them.
    Contacts,
    /// What people have to do.
    Tasks,
    /// Journeys, their drafts and numbers.
    Journeys,
    /// Segments and their members.
    Segments,
    /// Templates and content lists.
    Templates,
    /// Files that are taken in; the engine knows nothing of them.
    Imports,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Approvals,
        Self::Documents,
        Self::Contacts,
        Self::Tasks,
        Self::Journeys,
        Self::Segments,
        Self::Templates,
        Self::Imports,
    ];

    /// Its word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Approvals => "approvals",
            Self::Documents => "documents",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
            Self::Journeys => "journeys",
            Self::Segments => "segments",
            Self::Templates => "templates",
            Self::Imports => "imports",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of topics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Topics(u16);

impl Topics {
    /// Those of a list.
    pub const fn of(list: &[Topic]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < list.len() {
            bits |= list[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one is among them.
    pub const fn has(self, topic: Topic) -> bool {
        self.0 & topic.bit() != 0
    }

    /// Adds others.
    pub const fn add(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// What an arrival touches beside the effects on contacts.
    pub fn of_arrival(arrival: &Arrival) -> Self {
        match arrival {
            Arrival::Event { .. }
            | Arrival::Input { .. }
            | Arrival::Mail(_)
            | Arrival::Threaded(_)
            | Arrival::Judged(_)
            | Arrival::Audited { .. } => Self::default(),
            Arrival::Payment(_) | Arrival::Statement(_) => Self::of(&[Topic::Documents]),
            Arrival::Asset(asset) => Self::of_asset(asset),
            Arrival::Erase { .. } | Arrival::Readmit(_) => Self::of(&Topic::ALL),
            Arrival::Suppressions { .. } => Self::of(&[Topic::Contacts]),
            Arrival::Synced { .. } | Arrival::Watched(_) | Arrival::Forgotten { .. } => {
                Self::of(&[Topic::Overview])
            }
            Arrival::Published { .. }
            | Arrival::Retired(_)
            | Arrival::Paused(_)
            | Arrival::Resumed { .. }
            | Arrival::Archived(_) => Self::of(&[Topic::Journeys, Topic::Overview]),
            Arrival::Segments(_) => Self::of(&[Topic::Segments]),
            Arrival::Lists(_) | Arrival::Templates(_) => Self::of(&[Topic::Templates]),
            Arrival::Released(_) | Arrival::Rules(_) => Self::of(&[Topic::Overview]),
            Arrival::Merge { .. } | Arrival::Unmerge { .. } => Self::of(&Topic::ALL),
        }
    }

    fn of_asset(asset: &Asset) -> Self {
        match asset.kind.as_str() {
            DRAFT => Self::of(&[Topic::Journeys]),
            "template" | "list" => Self::of(&[Topic::Templates]),
            // Keys, sessions and the like are shown on pages that nobody keeps open.
            _other => Self::default(),
        }
    }

    /// What an effect on a contact touches.
    pub fn of_effect(effect: &Effect) -> Self {
        match effect {
            Effect::Contact(_)
            | Effect::Account { .. }
            | Effect::Belongs { .. }
            | Effect::Consent(_)
            | Effect::Suppression(_) => Self::of(&[Topic::Contacts]),
            Effect::Event(_) => Self::of(&[Topic::Contacts, Topic::Overview]),
            Effect::Object(_) => Self::of(&[Topic::Documents]),
            Effect::Membership { .. } => Self::of(&[Topic::Segments]),
            Effect::Enrollment(_) | Effect::Entry(_) => Self::of(&[Topic::Journeys]),
            Effect::Task(_) | Effect::TaskChanged { .. } => {
                Self::of(&[Topic::Tasks, Topic::Overview])
            }
            Effect::Touchpoint(touchpoint) => match touchpoint.state {
                TouchpointState::AwaitingApproval { .. } => {
                    Self::of(&[Topic::Approvals, Topic::Overview])
                }
                TouchpointState::Queued { .. }
                | TouchpointState::Held { .. }
                | TouchpointState::Sending { .. }
                | TouchpointState::Settled { .. } => Self::of(&[Topic::Overview]),
            },
            Effect::Ledger(line) => Self::of_line(line.what),
            Effect::Watch(_)
            | Effect::Unwatch(_)
            | Effect::Arm(_)
            | Effect::Disarm(_)
            | Effect::Revoke(_)
            | Effect::RequestSync(_) => Self::default(),
        }
    }

    /// A question that is answered, or lapses, says so by one of these lines.
    const fn of_line(what: What) -> Self {
        match what {
            What::Approved
            | What::Skipped
            | What::Dropped
            | What::Withdrawn
            | What::Task
            | What::Exited => Self::of(&[Topic::Approvals, Topic::Journeys, Topic::Overview]),
            What::TaskDone | What::TaskReopened | What::TaskPostponed => {
                Self::of(&[Topic::Tasks, Topic::Overview])
            }
            What::Enrolled
            | What::Sent
            | What::Held
            | What::Retried
            | What::Failed
            | What::Converted
            | What::Notified
            | What::Moved
            | What::Promo
            | What::Suppressed
            | What::Released
            | What::Consented
            | What::ConsentAsked
            | What::Preferred
            | What::Unsubscribed
            | What::NotEnrolled
            | What::Waiting
            | What::Set
            | What::Came
            | What::TimedOut
            | What::Branched
            | What::Assigned
            | What::Paused
            | What::Resumed
            | What::Migrated
            | What::Merged
            | What::Finished => Self::of(&[Topic::Journeys, Topic::Overview]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_added_and_nothing_else() {
        let mut topics = Topics::default();
        assert!(topics.is_empty());
        topics.add(Topics::of(&[Topic::Imports, Topic::Tasks]));
        for topic in Topic::ALL {
            let expected = matches!(topic, Topic::Imports | Topic::Tasks);
            assert_eq!(topics.has(topic), expected, "{topic:?}");
        }
    }

    #[test]
    fn a_draft_concerns_the_page_of_journeys() {
        let asset = |kind: &str| {
            Arrival::Asset(Asset {
                kind: kind.to_owned(),
                name: "x".to_owned(),
                body: None,
            })
        };
        assert!(Topics::of_arrival(&asset(DRAFT)).has(Topic::Journeys));
        assert!(Topics::of_arrival(&asset("template")).has(Topic::Templates));
        assert!(Topics::of_arrival(&asset("key")).is_empty());
    }
}
