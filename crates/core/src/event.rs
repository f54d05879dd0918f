//! Everything that happens to a contact is an event on one path.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::ids::{EventName, SubjectRef};
use crate::subject::ObjectPatch;
use crate::value::{Fields, Value};

/// Events of one contact that a condition may look back over.
pub const HISTORY_EVENTS_MAX: usize = 1_000;

/// Names that the house itself gives to events; the Segment specifications' where one exists.
pub mod names {
    /// A person answered a mail of ours.
    pub const REPLIED: &str = "Replied";
    /// A machine answered: out of office, ticket systems.
    pub const AUTO_REPLIED: &str = "Auto Replied";
    /// One of ours wrote to the contact about a document, by hand.
    pub const FOLLOWED_UP: &str = "Followed Up";
    /// An automatic answer says that the contact has left the company.
    pub const CONTACT_LEFT: &str = "Contact Left Company";
    /// A document left a watched mailbox.
    pub const DOCUMENT_SENT: &str = "Document Sent";
    /// A person says that a document was not paid after all.
    pub const DOCUMENT_UNPAID: &str = "Document Unpaid";
    /// A copy of a document that is settled, or an older version of it, left a watched mailbox.
    pub const DOCUMENT_RESENT: &str = "Document Resent";
    /// A person says that a document is none: what it began ends.
    pub const DOCUMENT_WITHDRAWN: &str = "Document Withdrawn";
    /// A person says that it is one after all.
    pub const DOCUMENT_RESTORED: &str = "Document Restored";
    /// A person put right what was read of a document.
    pub const DOCUMENT_CORRECTED: &str = "Document Corrected";
    /// A document was paid.
    pub const DOCUMENT_PAID: &str = "Document Paid";
    /// A part of a document was paid.
    pub const DOCUMENT_PARTLY_PAID: &str = "Document Partly Paid";
    /// A payment of a document was taken back: the bank returned it, or it was put to the wrong one.
    pub const DOCUMENT_PAYMENT_WITHDRAWN: &str = "Document Payment Withdrawn";
    /// A person did a task.
    pub const TASK_COMPLETED: &str = "Task Completed";
    /// A mail could not be delivered.
    pub const EMAIL_BOUNCED: &str = "Email Bounced";
    /// A recipient called a mail spam.
    pub const EMAIL_MARKED_AS_SPAM: &str = "Email Marked as Spam";
    /// A mail was opened by a person.
    pub const EMAIL_OPENED: &str = "Email Opened";
    /// A link in a mail was clicked by a person.
    pub const EMAIL_LINK_CLICKED: &str = "Email Link Clicked";
    /// A contact withdrew consent.
    pub const UNSUBSCRIBED: &str = "Unsubscribed";
    /// A contact gave consent, or somebody in its name.
    pub const SUBSCRIBED: &str = "Subscribed";
    /// A contact said what it wishes of our messages.
    pub const PREFERENCES_UPDATED: &str = "Preferences Updated";
    /// A form was filled in; its property `form` names it.
    pub const FORM_SUBMITTED: &str = "Form Submitted";
    /// A promo code was issued.
    pub const PROMO_ISSUED: &str = "Promo Issued";
    /// The property of an open or click that names its message.
    pub const TOUCHPOINT: &str = "touchpoint";
    /// Properties beside `machine: true` mark an open or click by a machine (rule R7).
    pub const MACHINE: &str = "machine";
}

/// What sort of call an event came by (the Segment specification's words).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// Something was done.
    Track,
    /// Traits of the contact were told.
    Identify,
    /// A page was seen.
    Page,
    /// A screen of an app was seen.
    Screen,
    /// Traits of the contact's account were told.
    Group,
    /// Two identities are one contact.
    Alias,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Sort of call.
    pub kind: EventKind,
    /// What happened; empty where the kind says all (`identify`, `group`, `alias`).
    pub name: EventName,
    /// When it happened, clock skew corrected.
    pub at: Timestamp,
    /// Its properties.
    pub properties: Fields,
    /// Traits to lay over the contact's.
    pub traits: Option<Fields>,
    /// The object it is about.
    pub subject: Option<SubjectRef>,
    /// What it says of objects.
    pub objects: Vec<ObjectPatch>,
    /// Set when the event may be retold: a second one with the same id changes nothing (R6).
    pub message_id: Option<Arc<str>>,
}

impl Event {
    /// A `track` event with no properties.
    pub fn track(name: &str, at: Timestamp) -> Self {
        Self {
            kind: EventKind::Track,
            name: name.into(),
            at,
            properties: Fields::new(),
            traits: None,
            subject: None,
            objects: Vec::new(),
            message_id: None,
        }
    }

    /// An `identify` call.
    pub fn identify(traits: Fields, at: Timestamp) -> Self {
        Self {
            kind: EventKind::Identify,
            traits: Some(traits),
            ..Self::track("", at)
        }
    }

    /// Whether it is an order to call messages back: unsubscribe, complaint, bounce (see `obey` in `decide`).
    pub fn calls_back(&self) -> bool {
        matches!(
            self.name.as_str(),
            names::UNSUBSCRIBED | names::EMAIL_MARKED_AS_SPAM | names::EMAIL_BOUNCED
        )
    }

    /// Whether the contact asks in the words of a mail to be written to no more.
    pub fn is_wish_in_words(&self) -> bool {
        let text = |name: &str| self.properties.get(name).and_then(Value::as_str);
        self.name.as_str() == names::UNSUBSCRIBED
            && text("source") == Some("reply")
            && text("mail_id").is_some()
    }

    /// A number of the mail that tells it, where one came in.
    pub fn incoming_mail(&self) -> Option<u64> {
        let came_in = matches!(
            self.name.as_str(),
            names::REPLIED
                | names::AUTO_REPLIED
                | names::CONTACT_LEFT
                | names::UNSUBSCRIBED
                | names::EMAIL_BOUNCED
                | names::EMAIL_MARKED_AS_SPAM
        );
        let mail = self.properties.get("mail_id").and_then(Value::as_str);
        mail.filter(|_| came_in)
            .map(|mail| xxhash_rust::xxh3::xxh3_64(mail.as_bytes()))
    }

    /// Whether the contact did it: what a machine did (R7), a journey or a person of ours, is no activity.
    pub fn is_activity(&self) -> bool {
        !self.by_machine()
            && !matches!(
                self.name.as_str(),
                names::PROMO_ISSUED | names::FOLLOWED_UP | names::CONTACT_LEFT
            )
    }

    /// Whether a machine, not a person, caused it (R7).
    pub fn by_machine(&self) -> bool {
        self.properties
            .get(names::MACHINE)
            .is_some_and(|value| value == true)
    }
}

/// What a contact did, as far as the conditions at hand ask: in order of time, at most
/// [`HISTORY_EVENTS_MAX`] of the newest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    events: Vec<Arc<Event>>,
}

impl History {
    /// From events in any order.
    pub fn new(mut events: Vec<Arc<Event>>) -> Self {
        events.sort_by_key(|event| event.at);
        Self { events }
    }

    /// Events of one name, oldest first.
    pub fn of<'a>(&'a self, name: &'a EventName) -> impl DoubleEndedIterator<Item = &'a Event> {
        self.events
            .iter()
            .map(|event| &**event)
            .filter(move |event| event.name == *name)
    }

    /// Puts what the store knows of some names in place of what is here of them.
    pub fn replace(&mut self, names: &BTreeSet<EventName>, events: Vec<Arc<Event>>) {
        self.events.retain(|event| !names.contains(&event.name));
        self.events.extend(events);
        self.events.sort_by_key(|event| event.at);
    }

    /// Adds what just happened.
    pub fn push(&mut self, event: Arc<Event>) {
        let place = self.events.partition_point(|other| other.at <= event.at);
        self.events.insert(place, event);
        if self.events.len() > HISTORY_EVENTS_MAX {
            self.events.remove(0);
        }
    }

    /// The newest event of a name, if any.
    pub fn last(&self, name: &EventName) -> Option<&Event> {
        self.events
            .iter()
            .rev()
            .map(|event| &**event)
            .find(|event| event.name == *name)
    }
}
