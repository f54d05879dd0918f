//! What is remembered of a life: what was committed, what reached the wire, what people did.
//!
//! Moments are the world's; where the engine's clock matters it stands beside. **Absent:** judgement; see
//! [`crate::invariants`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_core::decide::{Answer, Effect, Overdue};
use relance_core::event::Event;
use relance_core::ids::{
    ContactId, EnrollmentId, JourneyId, MailboxId, SegmentId, Topic, TouchpointId,
};
use relance_core::journey::{Holdout, Journey, Moves};
use relance_core::policy::{Cap, ServiceExemption, TemplateFacts};
use relance_core::segment::Segment;
use relance_core::touchpoint::{Outcome, Touchpoint};
use relance_engine::quiet::Backlog;

/// What a person of ours ordered.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// A version is in force.
    Published(JourneyId, u32),
    /// No new run begins.
    Retired(JourneyId),
    /// The journey stands still.
    Paused(JourneyId),
    /// It goes on.
    Resumed(JourneyId, Overdue),
    /// It is over.
    Archived(JourneyId),
    /// What goes on from here is a copy, which is quiet.
    Quieted,
    /// The copy may send.
    Released(Backlog),
    /// Segments were defined, changed or taken out of force.
    Segmented {
        /// In force from here on.
        defined: Vec<Arc<Segment>>,
        /// No longer in force.
        removed: Vec<SegmentId>,
    },
    /// A question for approval was answered.
    Answered(TouchpointId, Answer),
}

/// Effects of one commit, in order.
#[derive(Debug)]
pub struct Commit {
    /// When.
    pub at: Timestamp,
    /// What the engine's clock showed.
    pub engine_at: Timestamp,
    /// What was ordered in it. Messages are claimed after all of it.
    pub orders: Vec<Order>,
    /// Nothing was left to do after it for a moment: no sweep, no timer, no message that there is room for.
    pub rested: bool,
    /// Whose, what.
    pub effects: Vec<(ContactId, Effect)>,
    /// Names that contacts had after it, of those of whom more is known by it.
    pub names: Vec<(ContactId, BTreeSet<Identity>)>,
}

/// A message left: it lies in the recipient's mailbox.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// When.
    pub at: Timestamp,
    /// When it was made, and could still be called back.
    pub composed_at: Timestamp,
    /// Which, as it was claimed.
    pub touchpoint: Touchpoint,
}

/// A person's answer that reached a watched mailbox.
#[derive(Debug, Clone)]
pub struct Reply {
    /// When.
    pub at: Timestamp,
    /// Message-ID.
    pub mail: String,
    /// Where it lies.
    pub mailboxes: Vec<MailboxId>,
    /// Addresses of the contacts whose runs it ends: those that were known when it was read.
    pub answers_for: Vec<String>,
    /// The one document that it answers, if it is in a thread.
    pub document: Option<String>,
}

/// An automatic answer that names a day of return, in a watched mailbox.
#[derive(Debug, Clone)]
pub struct Absence {
    /// When.
    pub at: Timestamp,
    /// Where it lies.
    pub mailbox: MailboxId,
    /// Who is away.
    pub email: String,
    /// The day.
    pub returns: jiff::civil::Date,
}

/// A mail that one of ours wrote by hand about a document.
#[derive(Debug, Clone)]
pub struct FollowUp {
    /// When.
    pub at: Timestamp,
    /// About which, by its Message-ID.
    pub document: String,
}

/// A whole life.
#[derive(Debug, Default)]
pub struct History {
    /// Commits, in order.
    pub commits: Vec<Commit>,
    /// What left.
    pub deliveries: Vec<Delivery>,
    /// Replies of persons, in order of arrival in a mailbox.
    pub replies: Vec<Reply>,
    /// Days of return that were told.
    pub absences: Vec<Absence>,
    /// What was written by hand.
    pub follow_ups: Vec<FollowUp>,
    /// Events that callers were told to be safe.
    pub acknowledged: Vec<(Timestamp, Arc<Event>)>,
    /// Documents that lie in a Sent folder, by Message-ID, and whose folder it is.
    pub documents: BTreeMap<String, MailboxId>,
    /// Addresses that documents went to, by Message-ID.
    pub recipients: BTreeMap<String, String>,
    /// Ids and addresses of people who were erased: what is told of them afterwards is not kept.
    pub forgotten: BTreeSet<String>,
    /// People by id and address.
    pub people: Vec<(String, String)>,
    /// Contacts of people who were erased.
    pub erased: BTreeSet<ContactId>,
    /// Of those who were forgotten, whoever is known at the end all the same.
    pub returned: Vec<(String, ContactId)>,
    /// Runs that ever were.
    pub runs: BTreeSet<EnrollmentId>,
    /// Runs that went over to a contact that absorbed theirs, by their new names.
    pub went_over: BTreeMap<EnrollmentId, EnrollmentId>,
    /// Open messages that went over, by their old names.
    pub renamed: BTreeMap<TouchpointId, TouchpointId>,
    /// When callers were told that an unsubscription is safe, by address.
    pub unsubscribed: Vec<(Timestamp, String)>,
    /// Contacts that wanted messages again after they had unsubscribed.
    pub granted: BTreeSet<ContactId>,
    /// Messages that a person agreed to.
    pub approved: BTreeSet<TouchpointId>,
    /// Outcomes that were told to the engine.
    pub outcomes: Vec<(TouchpointId, u8, Outcome)>,
    /// Every journey that ever was.
    pub journeys: BTreeMap<(JourneyId, u32), Arc<Journey>>,
    /// Definitions of segments, by their texts.
    pub segments: BTreeMap<String, Arc<Segment>>,
    /// How runs on older versions come to each.
    pub moves: BTreeMap<(JourneyId, u32), Moves>,
    /// What is known of templates.
    pub templates: BTreeMap<String, TemplateFacts>,
    /// Caps of the workspace.
    pub caps: Vec<Cap>,
    /// What service messages need not ask.
    pub service: ServiceExemption,
    /// The workspace's own control group.
    pub holdout: Holdout,
    /// Topics that need a yes.
    pub opt_in_topics: BTreeSet<Topic>,
    /// Hours in which no mail goes, if there are such.
    pub quiet_hours: Option<(i8, i8)>,
    /// Addresses of contacts, as the store resolved them.
    pub addresses: BTreeMap<ContactId, String>,
    /// The engine's clock was set back or forth.
    pub clock_jumped: bool,
    /// When everything had come to rest, by the engine's clock.
    pub ended_at: Timestamp,
    /// Events in the log at the end, by contact.
    pub logged: BTreeMap<ContactId, Vec<Event>>,
    /// Open or settled messages in the store at the end.
    pub stored: BTreeMap<TouchpointId, Touchpoint>,
}

impl History {
    /// The name that a message has in the end.
    pub fn name_now(&self, id: TouchpointId) -> TouchpointId {
        let mut id = id;
        // Names lead from contact to contact, and no contact is absorbed by one that it absorbed.
        for _ in 0..=self.renamed.len() {
            match self.renamed.get(&id) {
                Some(next) => id = *next,
                None => break,
            }
        }
        id
    }

    /// Contacts that were ever one with somebody who was erased: what was told of them meanwhile is gone.
    pub fn gone_with_erased(&self) -> BTreeSet<ContactId> {
        let mut gone = self.erased.clone();
        let merges = self
            .effects()
            .filter_map(|(_, contact, effect)| match effect {
                Effect::Contact(body) => Some((contact, body.merged_into?)),
                _other => None,
            });
        let merges: BTreeSet<(ContactId, ContactId)> = merges.collect();
        loop {
            let before = gone.len();
            for (one, other) in &merges {
                if gone.contains(one) || gone.contains(other) {
                    gone.extend([*one, *other]);
                }
            }
            if gone.len() == before {
                return gone;
            }
        }
    }

    /// Whether any two contacts were ever one.
    pub fn has_merges(&self) -> bool {
        self.effects().any(|(_, _, effect)| match effect {
            Effect::Contact(body) => body.merged_into.is_some(),
            _other => false,
        })
    }

    /// Effects with the moment on the engine's clock.
    pub fn effects(&self) -> impl Iterator<Item = (&Commit, ContactId, &Effect)> {
        self.commits.iter().flat_map(|commit| {
            commit
                .effects
                .iter()
                .map(move |(contact, effect)| (commit, *contact, effect))
        })
    }
}
