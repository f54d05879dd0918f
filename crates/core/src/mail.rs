//! What a mail seen in a watched mailbox means, and for whom.
//!
//! The bytes were read and classified elsewhere; here the rules stand: a reply counts for the thread it
//! is in, for the person who wrote, and for everyone of the same company, but never when we wrote it
//! ourselves. **Absent:** MIME, IMAP.

use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::Identity;
use crate::event::{Event, names};
use crate::ids::{ContactId, MailboxId, ObjectKind, SubjectRef, TouchpointId};
use crate::policy::Policy;
use crate::subject::ObjectPatch;
use crate::value::{Fields, Value};

/// Message-IDs of one mail that are looked up.
pub const REFERENCES_MAX: usize = 50;
/// Contacts of one company that one reply may concern.
pub const COLLEAGUES_MAX: usize = 50;
/// Characters of a reply that are kept.
pub const REPLY_CHARS_MAX: usize = 4_000;

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
    /// What it is.
    pub class: MailClass,
}

/// The kind of objects that documents are.
const DOCUMENT: &str = "document";

/// What a mail is.
#[derive(Debug, Clone, PartialEq)]
pub enum MailClass {
    /// It carries an offer or invoice.
    Document(DocumentFacts),
    /// A person wrote it.
    Reply {
        /// What is new in it.
        text: String,
    },
    /// A machine answered for a person.
    AutoReply {
        /// When the person is back.
        until: Option<jiff::civil::Date>,
        /// Why: `out_of_office`, `left_company`, ...
        reason: String,
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

/// What is known of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFacts {
    /// `offer` or `invoice`.
    pub kind: String,
    /// Its number.
    pub number: Option<String>,
    /// Its total, as a decimal number.
    pub amount: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Date of issue.
    pub issued: Option<jiff::civil::Date>,
    /// Date by which it should be paid or answered.
    pub due: Option<jiff::civil::Date>,
    /// The language it was written in (`ru`), where that is plain.
    pub language: Option<String>,
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
            if let (Some(client), Some(subject)) = (mail.client(policy), mail.document()) {
                let event = document_sent(mail, facts, client, subject);
                let whom = Whom::Identities(vec![Identity::email(&client.email)]);
                meaning.events.push((whom, event));
            }
        }
        (Folder::Sent, _) => {}
        // A document that a client sends us is an answer too: an order, a contract.
        (Folder::Inbox, MailClass::Document(_)) => {
            if !mail.is_ours(policy) {
                meaning.tell(known, &mail.event(names::REPLIED), true);
            }
        }
        (Folder::Inbox, MailClass::Reply { text }) => {
            if !mail.is_ours(policy) {
                let mut event = mail.event(names::REPLIED);
                event.put("text", Some(text.chars().take(REPLY_CHARS_MAX).collect()));
                meaning.tell(known, &event, true);
            }
        }
        (Folder::Inbox, MailClass::AutoReply { until, reason }) => {
            if !mail.is_ours(policy) {
                let mut event = mail.event(names::AUTO_REPLIED);
                event.put("until", until.map(|date| date.to_string()));
                event.put("reason", Some(reason.clone()));
                meaning.tell(known, &event, false);
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
            meaning.tell(known, &event, false);
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
            meaning.tell(known, &event, false);
        }
        (Folder::Inbox, MailClass::Other) => {}
    }
    meaning
}

impl Meaning {
    /// The event happens in each thread; else to the person; and, where colleagues count, to all of the
    /// company who are not told already.
    fn tell(&mut self, known: &Acquaintance, event: &Event, colleagues: bool) {
        for (contact, subject) in &known.threads {
            let mut event = Event {
                subject: subject.clone(),
                ..event.clone()
            };
            event.objects.extend(answered(&event));
            self.events.push((Whom::Contact(*contact), event));
        }
        let in_thread = |contact: &ContactId| known.threads.iter().any(|(id, _)| id == contact);
        let others = known.person.iter().chain(
            known
                .colleagues
                .iter()
                .filter(|id| colleagues && Some(**id) != known.person),
        );
        // A reply inside a thread answers that thread; for the other runs of the same person, and of
        // the person's colleagues, only a mail outside any known thread is an answer.
        if known.threads.is_empty() {
            for contact in others.filter(|id| !in_thread(id)) {
                self.events.push((Whom::Contact(*contact), event.clone()));
            }
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
    let fields = Fields::from_iter([("answered_at".to_owned(), at)]);
    Some(ObjectPatch { subject, fields })
}

impl MailSeen {
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
    /// Sets a text property, if there is a text.
    fn put(&mut self, name: &str, text: Option<String>) {
        if let Some(text) = text {
            self.properties.insert(name.to_owned(), Value::String(text));
        }
    }
}

fn document_sent(
    mail: &MailSeen,
    facts: &DocumentFacts,
    client: &Address,
    subject: SubjectRef,
) -> Event {
    let mut event = mail.event(names::DOCUMENT_SENT);
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Value::String(value));
        }
    };
    put("kind", Some(facts.kind.clone()));
    put("status", Some("sent".to_owned()));
    put("number", facts.number.clone());
    put("currency", facts.currency.clone());
    put("issued", facts.issued.map(|date| date.to_string()));
    put("due", facts.due.map(|date| date.to_string()));
    put("mailbox", Some(mail.mailbox.to_string()));
    put("message_id", Some(mail.message_id.clone()));
    put("mail_subject", Some(mail.subject.clone()));
    put("to", Some(client.email.clone()));
    put("sent_at", Some(mail.at.to_string()));
    let amount = facts
        .amount
        .as_deref()
        .and_then(|text| text.parse::<f64>().ok());
    fields.extend(amount.map(|amount| ("amount".to_owned(), Value::from(amount))));
    let references: Vec<Value> = mail
        .references
        .iter()
        .rev()
        .cloned()
        .map(Value::String)
        .collect();
    fields.insert("references".to_owned(), Value::Array(references));
    event.properties.extend(fields.clone());

    let mut traits = Fields::new();
    traits.insert("email".to_owned(), Value::String(client.email.clone()));
    traits.extend(
        client
            .name
            .clone()
            .map(|name| ("name".to_owned(), Value::String(name))),
    );
    // Not `language`, which is what the client chose.
    let language = facts.language.clone().map(Value::String);
    traits.extend(language.map(|language| ("mail_language".to_owned(), language)));
    event.traits = Some(traits);
    event.objects = vec![ObjectPatch {
        subject: subject.clone(),
        fields,
    }];
    event.subject = Some(subject);
    event
}
