//! What a mail seen in a watched mailbox means, and for whom.
//!
//! The bytes were read and classified elsewhere; here the rules stand: a reply counts for the thread it
//! is in and the documents it names, else for the person who wrote, and for everyone of the same company
//! (`whom` holds the order), but never when we wrote it ourselves. **Absent:** MIME, IMAP.

mod answer;
mod document;
mod whom;

use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::{AWAY_UNTIL, EMAIL_STATUS, Identity};
use crate::event::{Event, names};
use crate::ids::{ContactId, MailboxId, ObjectKind, SubjectRef, TouchpointId};
use crate::policy::{AWAY_DAYS_MAX, Policy};
use crate::subject::ObjectPatch;
use crate::value::{Fields, Value};

pub use answer::{Intent, NUMBERS_MAX, NamedNumber, OBEYED_PERCENT_MIN, Said};
pub use document::{
    DocumentFacts, EARLIER_CONTACTS_MAX, Earlier, Forwarded, VERSION_AGE_MAX, VERSIONS_MAX,
    WITHDRAWN, version_of,
};

pub use whom::{Addresses, Numbered, RECIPIENTS_MAX, is_number_of};

/// Message-IDs of one mail that are looked up.
pub const REFERENCES_MAX: usize = 50;
/// Contacts of one company that one reply may concern.
pub const COLLEAGUES_MAX: usize = 50;
/// Characters of a reply that are kept.
pub const REPLY_CHARS_MAX: usize = 4_000;
/// Characters of what a reply quotes that are kept.
pub const QUOTED_CHARS_MAX: usize = 1_000;

/// Where in a mailbox a mail was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Folder {
    /// What its owner sent.
    Sent,
    /// What came in.
    Inbox,
}

/// A mail address with the name beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Lower case.
    pub email: String,
    /// As written.
    pub name: Option<String>,
}

/// A mail that crossed a watched mailbox.
#[derive(Debug, Clone, PartialEq)]
pub struct MailSeen {
    /// Where.
    pub mailbox: MailboxId,
    /// In which folder.
    pub folder: Folder,
    /// Its Message-ID without angle brackets.
    pub message_id: String,
    /// Message-IDs it answers, nearest first.
    pub references: Vec<String>,
    /// Who wrote it.
    pub from: Option<Address>,
    /// To whom.
    pub to: Vec<Address>,
    /// When the mailbox received it.
    pub at: Timestamp,
    /// Its subject line.
    pub subject: String,
    /// The touchpoint that its Message-ID names: it left from here.
    pub touchpoint: Option<TouchpointId>,
    /// Documents' numbers that its subject or its author's own words name.
    pub numbers: Vec<NamedNumber>,
    /// What it is.
    pub class: MailClass,
}

/// The reason of an automatic answer that says that somebody is gone for good.
pub const LEFT_COMPANY: &str = "left_company";
/// The kind of objects that documents are.
const DOCUMENT: &str = "document";

/// What a mail is.
#[derive(Debug, Clone, PartialEq)]
pub enum MailClass {
    /// It carries an offer or invoice.
    Document(Box<DocumentFacts>),
    /// A person wrote it.
    Reply {
        /// What is new in it.
        text: String,
        /// What that says.
        said: Said,
    },
    /// A machine answered for a person.
    AutoReply {
        /// The day that it names.
        until: Option<jiff::civil::Date>,
        /// The first day on which the person is back: the one named, or the one after where that is the last of the
        /// absence.
        returns: Option<jiff::civil::Date>,
        /// Why: `out_of_office`, `left_company`, ...
        reason: String,
        /// Where to write instead, if it says so.
        new_address: Option<String>,
    },
    /// It says that a mail could not be delivered.
    Bounce {
        /// To whom.
        recipient: Option<String>,
        /// RFC 3463 status.
        status: Option<String>,
        /// `hard`, `soft`, `block`, `delay`.
        class: String,
        /// Which mail.
        original: Option<String>,
    },
    /// It says that a recipient called a mail spam.
    Complaint {
        /// Who.
        recipient: Option<String>,
        /// Which mail.
        original: Option<String>,
    },
    /// Anything else.
    Other,
}

/// Who may be meant by a mail, as far as the store knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Acquaintance {
    /// Threads that the mail refers to.
    pub threads: Vec<(ContactId, Option<SubjectRef>)>,
    /// The contact with the sender's (or failed recipient's) address.
    pub person: Option<ContactId>,
    /// Contacts with an address at the sender's company.
    pub colleagues: Vec<ContactId>,
    /// Documents whose numbers the mail names, whoever's they are.
    pub numbered: Vec<Numbered>,
    /// Addresses of the contacts of those documents; for a mail that one of us wrote, of the threads' too.
    pub addresses: Addresses,
    /// Documents of the thread, the client and the client's company, of which the mail may bring a newer version.
    pub earlier: Vec<Earlier>,
}

/// To whom an event happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Whom {
    /// A known contact.
    Contact(ContactId),
    /// The contact of these identities, made if there is none.
    Identities(Vec<Identity>),
}

/// What a mail means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meaning {
    /// What happened to whom.
    pub events: Vec<(Whom, Event)>,
}

impl MailSeen {
    /// The domain whose people answer for one another: the sender's, unless it is a mail provider's.
    pub fn company_domain(&self, policy: &Policy) -> Option<String> {
        let (_, domain) = self.from.as_ref()?.email.rsplit_once('@')?;
        (!policy.freemail_domains.contains(domain)).then(|| domain.to_owned())
    }

    /// Whether one of us wrote it.
    pub fn is_ours(&self, policy: &Policy) -> bool {
        self.from.as_ref().is_none_or(|from| {
            from.email == self.mailbox.as_str()
                || policy.is_internal(crate::contact::Channel::Email, &from.email)
        })
    }

    /// The first recipient outside the own company.
    fn client(&self, policy: &Policy) -> Option<&Address> {
        self.to.iter().find(|to| {
            to.email != self.mailbox.as_str()
                && !policy.is_internal(crate::contact::Channel::Email, &to.email)
        })
    }

    /// The document that this mail carries, as a subject.
    pub fn document(&self) -> Option<SubjectRef> {
        match (&self.class, self.folder) {
            (MailClass::Document(_), Folder::Sent) => Some(SubjectRef {
                kind: ObjectKind::from(DOCUMENT),
                id: self.message_id.as_str().into(),
            }),
            (
                MailClass::Document(_)
                | MailClass::Reply { .. }
                | MailClass::AutoReply { .. }
                | MailClass::Bounce { .. }
                | MailClass::Complaint { .. }
                | MailClass::Other,
                Folder::Sent | Folder::Inbox,
            ) => None,
        }
    }
}

/// What a mail means, given who is known.
pub fn interpret(mail: &MailSeen, known: &Acquaintance, policy: &Policy) -> Meaning {
    let mut meaning = Meaning::default();
    // Our own reminder, seen again. Only in the Sent folder: a stranger may write any Message-ID.
    if mail.folder == Folder::Sent && mail.touchpoint.is_some() {
        return meaning;
    }
    match (mail.folder, &mail.class) {
        (Folder::Sent, MailClass::Document(facts)) => {
            meaning
                .events
                .extend(document::sent(mail, facts, known, policy));
        }
        // One of us wrote to the client about a document; a document, new or sent again, is told as that.
        (Folder::Sent, MailClass::Reply { .. }) => {
            for (contact, subject) in whom::followed_up(mail, known, policy) {
                let mut event = mail.event(names::FOLLOWED_UP);
                event.put("by", Some(mail.mailbox.to_string()));
                event.subject = Some(subject);
                meaning.events.push((Whom::Contact(contact), event));
            }
        }
        (
            Folder::Sent,
            MailClass::AutoReply { .. }
            | MailClass::Bounce { .. }
            | MailClass::Complaint { .. }
            | MailClass::Other,
        ) => {}
        // A document that a client sends us is an answer too: an order, a contract.
        (Folder::Inbox, MailClass::Document(_)) => {
            if !mail.is_ours(policy) {
                meaning.answer(mail, known, &mail.event(names::REPLIED), policy);
            }
        }
        (Folder::Inbox, MailClass::Reply { text, said }) => {
            if !mail.is_ours(policy) {
                let mut event = mail.event(names::REPLIED);
                event.put("text", Some(text.chars().take(REPLY_CHARS_MAX).collect()));
                event.tell_said(said);
                meaning.answer(mail, known, &event, policy);
                if said.wants_silence() {
                    meaning.unsubscribe(mail, known, text);
                }
            }
        }
        (
            Folder::Inbox,
            MailClass::AutoReply {
                until,
                returns,
                reason,
                new_address,
            },
        ) => {
            if !mail.is_ours(policy) {
                let mut event = mail.event(names::AUTO_REPLIED);
                event.put("until", until.map(|date| date.to_string()));
                event.put("returns", returns.map(|date| date.to_string()));
                event.put("reason", Some(reason.clone()));
                event.put("new_address", new_address.clone());
                event.traits = mail.absence(returns.or(*until), reason);
                meaning.tell_of_person(known, &event);
                if reason == LEFT_COMPANY {
                    let mut event = mail.event(names::CONTACT_LEFT);
                    event.put("new_address", new_address.clone());
                    event.traits = Some(one_trait(EMAIL_STATUS, Value::String(reason.clone())));
                    meaning.tell_of_person(known, &event);
                }
            }
        }
        (
            Folder::Inbox,
            MailClass::Bounce {
                recipient,
                status,
                class,
                original: _,
            },
        ) => {
            let mut event = mail.event(names::EMAIL_BOUNCED);
            event.put("recipient", recipient.clone());
            event.put("status", status.clone());
            event.put("class", Some(class.clone()));
            meaning.tell_of_person(known, &event);
        }
        (
            Folder::Inbox,
            MailClass::Complaint {
                recipient,
                original: _,
            },
        ) => {
            let mut event = mail.event(names::EMAIL_MARKED_AS_SPAM);
            event.put("recipient", recipient.clone());
            meaning.tell_of_person(known, &event);
        }
        (Folder::Inbox, MailClass::Other) => {}
    }
    meaning
}

impl Meaning {
    /// A person answered: see [`whom`] for the order of those for whom.
    fn answer(&mut self, mail: &MailSeen, known: &Acquaintance, event: &Event, policy: &Policy) {
        let named = whom::named(mail, known, policy);
        self.tell_each(&named, event);
        if named.is_empty() {
            let colleagues = known.colleagues.iter();
            let colleagues = colleagues.filter(|id| Some(**id) != known.person);
            for contact in known.person.iter().chain(colleagues) {
                self.events.push((Whom::Contact(*contact), event.clone()));
            }
        }
        self.end_absence(known);
    }

    /// Something is told of one person, not of the company: of a machine that speaks for them, of their address. In
    /// each thread of theirs; a thread of somebody else, in which they were only copied, is not meant.
    fn tell_of_person(&mut self, known: &Acquaintance, event: &Event) {
        let own = |(contact, _): &&(ContactId, Option<SubjectRef>)| {
            known.person.is_none_or(|person| person == *contact)
        };
        let threads: Vec<_> = known.threads.iter().filter(own).cloned().collect();
        self.tell_each(&threads, event);
        if let Some(person) = known.person.filter(|_| threads.is_empty()) {
            self.events.push((Whom::Contact(person), event.clone()));
        }
    }

    fn tell_each(&mut self, about: &[(ContactId, Option<SubjectRef>)], event: &Event) {
        for (contact, subject) in about {
            let mut event = Event {
                subject: subject.clone(),
                ..event.clone()
            };
            event.objects.extend(answered(&event));
            self.events.push((Whom::Contact(*contact), event));
        }
    }

    /// Whoever answers in person is back.
    fn end_absence(&mut self, known: &Acquaintance) {
        let Some(person) = known.person else { return };
        for (whom, event) in &mut self.events {
            if *whom == Whom::Contact(person) && event.name.as_str() == names::REPLIED {
                event.traits = Some(one_trait(AWAY_UNTIL, Value::Null));
            }
        }
    }

    /// A person asks in words to be written to no more: whoever wrote it; where that is nobody known, the contacts
    /// of the threads that it is in. Never a whole company.
    fn unsubscribe(&mut self, mail: &MailSeen, known: &Acquaintance, text: &str) {
        let mut event = mail.event(names::UNSUBSCRIBED);
        event.put("channel", Some("email".to_owned()));
        event.put("source", Some("reply".to_owned()));
        event.put("text", Some(text.chars().take(REPLY_CHARS_MAX).collect()));
        let mut told: Vec<ContactId> = known.person.into_iter().collect();
        if told.is_empty() {
            told.extend(known.threads.iter().map(|(contact, _)| *contact));
            told.sort_unstable();
            told.dedup();
        }
        for contact in told {
            self.events.push((Whom::Contact(contact), event.clone()));
        }
    }
}

/// What a reply tells of the document that it is about: that there is an answer.
fn answered(event: &Event) -> Option<ObjectPatch> {
    let subject = event.subject.clone()?;
    if event.name.as_str() != names::REPLIED || subject.kind.as_str() != DOCUMENT {
        return None;
    }
    let at = Value::String(event.at.to_string());
    let mut fields = Fields::from_iter([("answered_at".to_owned(), at)]);
    // What the answer wants, for pages and journeys that ask; the last answer stands.
    if let Some(intent) = event.properties.get("intent") {
        let date = event.properties.get("intent_date").cloned();
        fields.insert("answer".to_owned(), intent.clone());
        fields.insert("answer_date".to_owned(), date.unwrap_or_default());
    }
    Some(ObjectPatch { subject, fields })
}

/// A trait that a mail tells of.
fn one_trait(name: &str, value: Value) -> Fields {
    Fields::from_iter([(name.to_owned(), value)])
}

impl MailSeen {
    /// What an automatic answer tells of its person: until when they are away, where that is a day to come and not
    /// too far. Who has left does not come back.
    fn absence(&self, returns: Option<jiff::civil::Date>, reason: &str) -> Option<Fields> {
        let returns = returns.filter(|_| reason != LEFT_COMPANY)?;
        let today = self.at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let days = i64::from((returns - today).get_days());
        (0..=AWAY_DAYS_MAX)
            .contains(&days)
            .then(|| one_trait(AWAY_UNTIL, Value::String(returns.to_string())))
    }

    fn event(&self, name: &str) -> Event {
        let mut event = Event::track(name, self.at);
        event.put("mailbox", Some(self.mailbox.to_string()));
        event.put("from", self.from.as_ref().map(|from| from.email.clone()));
        event.put("mail_subject", Some(self.subject.clone()));
        event.put("mail_id", Some(self.message_id.clone()));
        event.message_id = Some(Arc::from(format!("mail:{}:{name}", self.message_id)));
        event
    }
}

impl Event {
    /// What a reply says.
    fn tell_said(&mut self, said: &Said) {
        self.put("intent", Some(said.intent.word().to_owned()));
        self.put("intent_date", said.date.map(|date| date.to_string()));
        let sure = f64::from(said.percent.min(100)) / 100.0;
        self.properties
            .insert("intent_confidence".to_owned(), Value::from(sure));
        let quoted: String = said.quoted.chars().take(QUOTED_CHARS_MAX).collect();
        self.put("quoted", Some(quoted).filter(|text| !text.is_empty()));
    }

    /// Sets a text property, if there is a text.
    fn put(&mut self, name: &str, text: Option<String>) {
        if let Some(text) = text {
            self.properties.insert(name.to_owned(), Value::String(text));
        }
    }
}
