//! An examined mail as core sees it: addresses, thread, class; no bytes.

use jiff::Timestamp;
use relance_core::ids::MailboxId;
use relance_core::mail::{Address, DocumentFacts, Folder, MailClass, MailSeen};
use relance_message::document::{DocumentKind, FoundDocument};
use relance_message::inbound::Classified;
use relance_message::outbound::touchpoint_of;
use serde::Serialize;

use crate::examine::Examined;

impl Examined {
    /// What core is told. `unnamed` is the Message-ID of a mail that has none.
    pub fn see(
        self,
        mailbox: &MailboxId,
        folder: Folder,
        at: Timestamp,
        unnamed: String,
    ) -> MailSeen {
        let Self {
            mail,
            class,
            document,
        } = self;
        let language = relance_message::mail::language(&format!("{}\n{}", mail.subject, mail.text));
        let message_id = mail.message_id.clone().unwrap_or(unnamed);
        MailSeen {
            mailbox: mailbox.clone(),
            folder,
            touchpoint: touchpoint_of(&message_id).and_then(|id| id.parse().ok()),
            message_id,
            references: mail.answers().into_iter().map(str::to_owned).collect(),
            from: mail.author().map(address),
            to: mail.to.iter().chain(&mail.cc).map(address).collect(),
            at,
            subject: mail.subject.clone(),
            class: mail_class(folder, class, document, language),
        }
    }
}

fn mail_class(
    folder: Folder,
    class: Classified,
    document: Option<FoundDocument>,
    language: Option<&str>,
) -> MailClass {
    let by_person = matches!(class, Classified::Reply(_));
    // A machine's mail that came in is no answer, whatever it carries.
    if let Some(document) = document.filter(|_| folder == Folder::Sent || by_person) {
        return MailClass::Document(document_facts(document, language));
    }
    match class {
        Classified::Reply(reply) => MailClass::Reply { text: reply.text },
        Classified::AutoReply(reply) => MailClass::AutoReply {
            until: reply.until,
            reason: word(&reply.reason),
        },
        Classified::Bounce(bounce) => MailClass::Bounce {
            recipient: Some(bounce.first.recipient.to_lowercase()),
            status: Some(bounce.first.status.to_string()),
            class: word(&bounce.first.class),
            original: bounce.original_message_id,
        },
        Classified::Complaint(complaint) => MailClass::Complaint {
            recipient: complaint
                .recipients
                .first()
                .map(|address| address.to_lowercase()),
            original: complaint.original_message_id,
        },
        Classified::Other => MailClass::Other,
    }
}

fn document_facts(document: FoundDocument, language: Option<&str>) -> DocumentFacts {
    let kind = match document.kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::Offer => "offer",
    };
    DocumentFacts {
        kind: kind.to_owned(),
        number: document.number,
        amount: document.amount.map(|amount| amount.to_string()),
        currency: document.currency,
        issued: document.issued,
        due: document.due.or(document.valid_until),
        language: language.map(str::to_owned),
    }
}

/// A code as it stands in JSON.
fn word<T: Serialize>(code: &T) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn address(address: &relance_message::mail::Address) -> Address {
    Address {
        email: address.email.to_lowercase(),
        name: Some(address.name.clone()).filter(|name| !name.is_empty()),
    }
}
