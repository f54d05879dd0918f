//! What a mail means, for whom; and its place in a thread.
//!
//! A mail that several mailboxes saw happens once, in whatever order they are read.
//!
//! **Absent:** the rules of what a mail means and which kept mail answers it (see core).

use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::mail::{
    self, Acquaintance, COLLEAGUES_MAX, MailClass, MailSeen, REFERENCES_MAX, Whom,
};
use relance_core::value::Fields;
use xxhash_rust::xxh3::Xxh3;

use super::{Engine, Work};
use crate::ports::{Dispatcher, Store, StoreError, ThreadEntry};

/// What an event of a mail tells of whoever wrote it, or of whom it tells.
const PERSONAL: [&str; 6] = [
    "from",
    "recipient",
    "mail_subject",
    "text",
    "quoted",
    "new_address",
];

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// What a mail means, for whom; and its place in a thread.
    pub(super) fn read_mail(
        &mut self,
        mail: &MailSeen,
        inputs: &mut Vec<(ContactId, Input)>,
        work: &mut Work,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut known = self.acquaintance(mail, work)?;
        self.learn_about(mail, &mut known, now)?;
        known.earlier = self.earlier_documents(mail, &known, inputs, work, now)?;
        let by_erased = self.is_by_erased(mail, &known)?;
        self.orphans.keep(mail, &known, &self.world.policy, now);
        let meaning = mail::interpret(mail, &known, &self.world.policy);
        let mut thread = known.threads.first().cloned();
        for (whom, event) in meaning.events {
            let contact = match whom {
                Whom::Contact(contact) => contact,
                Whom::Identities(identities) => match self.known_or_new(&identities, now)? {
                    Some(contact) => contact,
                    // Whoever was erased does not come back by being written to.
                    None => continue,
                },
            };
            let event = if by_erased { unsigned(event) } else { event };
            if mail.document().is_some() {
                // Of a newer version it is the document that is known.
                thread = Some((contact, event.subject.clone()));
            }
            // A mail to two of us is seen in two mailboxes, and happened once.
            let event = match told_key(contact, &event) {
                Some(key) if self.store.remember(&[key], now)? == [false] => only_seen(&event),
                Some(_) | None => event,
            };
            if thread.is_none() && event.subject.is_some() {
                // By its number it is in the document's thread, and so are answers to it.
                thread = Some((contact, event.subject.clone()));
            }
            inputs.push((contact, Input::Event(Arc::new(event))));
        }
        if let Some((contact, subject)) = thread {
            let entry = ThreadEntry {
                message_id: mail.message_id.clone(),
                contact,
                subject,
            };
            // Later mails of this very batch may answer it.
            self.store.put_threads(std::slice::from_ref(&entry))?;
        }
        if mail.document().is_some() {
            // And mails that came before it, as another mailbox was read first.
            for orphan in self.orphans.answering(mail, &self.world.policy, now) {
                self.read_mail(&orphan, inputs, work, now)?;
            }
        }
        Ok(())
    }

    /// Whether an erased person wrote it: who answers for colleagues still answers (R1), but nothing is kept
    /// of who it was and what they said.
    fn is_by_erased(&mut self, mail: &MailSeen, known: &Acquaintance) -> Result<bool, StoreError> {
        match address_of(mail) {
            Some(address) if known.person.is_none() => self.is_erased(&Identity::email(address)),
            Some(_) | None => Ok(false),
        }
    }

    fn acquaintance(
        &mut self,
        mail: &MailSeen,
        work: &mut Work,
    ) -> Result<Acquaintance, StoreError> {
        let original = match &mail.class {
            MailClass::Bounce { original, .. } | MailClass::Complaint { original, .. } => {
                original.as_deref()
            }
            MailClass::Document(_)
            | MailClass::Reply { .. }
            | MailClass::AutoReply { .. }
            | MailClass::Other => None,
        };
        let address = address_of(mail);
        let references: Vec<&str> = original
            .into_iter()
            .chain(mail.references.iter().map(String::as_str))
            .take(REFERENCES_MAX)
            .collect();
        let mut threads = Vec::new();
        if !references.is_empty() {
            for entry in self.store.find_threads(&references)? {
                // A thread of a contact that was absorbed is the survivor's.
                let thread = (self.whole(entry.contact, work)?, entry.subject);
                if !threads.contains(&thread) {
                    threads.push(thread);
                }
            }
        }
        let person = match address {
            Some(address) => self.store.find(&Identity::email(address))?,
            None => None,
        };
        let colleagues = match mail.company_domain(&self.world.policy) {
            Some(domain) if threads.is_empty() => {
                self.store.find_by_domain(&domain, COLLEAGUES_MAX)?
            }
            Some(_) | None => Vec::new(),
        };
        Ok(Acquaintance {
            threads,
            person,
            colleagues,
            ..Acquaintance::default()
        })
    }
}

/// The address of whom a mail is from, or tells of.
fn address_of(mail: &MailSeen) -> Option<&str> {
    match &mail.class {
        MailClass::Bounce { recipient, .. } | MailClass::Complaint { recipient, .. } => {
            recipient.as_deref()
        }
        MailClass::Document(_)
        | MailClass::Reply { .. }
        | MailClass::AutoReply { .. }
        | MailClass::Other => mail.from.as_ref().map(|from| from.email.as_str()),
    }
}

/// An event of a mail without who wrote it, and what.
fn unsigned(mut event: Event) -> Event {
    for name in PERSONAL {
        event.properties.remove(name);
    }
    event
}

/// The key by which the same event of the same contact, seen in another mailbox, is known (R6).
fn told_key(contact: ContactId, event: &Event) -> Option<u64> {
    let mut hasher = Xxh3::new();
    hasher.update(b"told\0");
    hasher.update(&contact.0.to_le_bytes());
    if let Some(subject) = &event.subject {
        hasher.update(subject.kind.as_str().as_bytes());
        hasher.update(b"\0");
        hasher.update(subject.id.as_bytes());
    }
    hasher.update(b"\0");
    hasher.update(event.message_id.as_ref()?.as_bytes());
    Some(hasher.digest())
}

/// What is left of an event that is known: that another mailbox corresponds with the contact (R1).
fn only_seen(event: &Event) -> Event {
    let mut seen = Event::identify(Fields::new(), event.at);
    seen.traits = None;
    let mailbox = event.properties.get_key_value("mailbox");
    seen.properties
        .extend(mailbox.map(|(name, value)| (name.clone(), value.clone())));
    seen
}
