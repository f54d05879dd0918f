//! An examined mail as core sees it: addresses, thread, class; no bytes.

use jiff::Timestamp;
use relance_core::ids::MailboxId;
use relance_core::mail::{Address, DocumentFacts, Folder, Forwarded, MailClass, MailSeen};
use relance_message::document::{DocumentKind, Forwarded as Inner, FoundDocument};
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
        let is_said = self.is_said();
        let Self {
            mail,
            class,
            document,
            rule: _,
            is_bulk,
            forwarded,
            numbers,
        } = self;
        let numbers = numbers.into_iter().take(relance_core::mail::NUMBERS_MAX);
        let numbers = numbers.map(|one| relance_core::mail::NamedNumber {
            number: one.number,
            is_distinctive: one.is_distinctive,
        });
        // What a person said is a document is one, whatever it came in.
        let document = document.filter(|_| is_said || !is_bulk);
        let forwarded = forwarded.filter(|_| !is_said);
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
            numbers: numbers.collect(),
            class: mail_class(folder, class, document, language, forwarded),
        }
    }
}

fn mail_class(
    folder: Folder,
    class: Classified,
    document: Option<FoundDocument>,
    language: Option<&str>,
    forwarded: Option<Inner>,
) -> MailClass {
    let by_person = matches!(class, Classified::Reply(_));
    // A machine's mail that came in is no answer, whatever it carries.
    if let Some(document) = document.filter(|_| folder == Folder::Sent || by_person) {
        let facts = document_facts(document, language, forwarded);
        return MailClass::Document(Box::new(facts));
    }
    match class {
        Classified::Reply(reply) => MailClass::Reply {
            said: relance_core::mail::Said {
                intent: relance_core::mail::Intent::from_word(reply.intent.name())
                    .unwrap_or_default(),
                date: reply.intent_date,
                percent: reply.intent_confidence.0,
                quoted: reply.quoted,
            },
            text: reply.text,
        },
        Classified::AutoReply(reply) => MailClass::AutoReply {
            until: reply.until,
            returns: reply.returns,
            new_address: reply.new_address,
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

fn document_facts(
    document: FoundDocument,
    language: Option<&str>,
    forwarded: Option<Inner>,
) -> DocumentFacts {
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
        vat: document.vat.map(|vat| vat.to_string()),
        vat_rates: document.vat_rates.iter().map(ToString::to_string).collect(),
        net: document.net.map(|net| net.to_string()),
        payer: document.payer,
        payer_tax_id: document.payer_tax_id,
        seller_tax_id: document.seller_tax_id,
        bank_reference: document.bank_reference,
        language: language.map(str::to_owned),
        forwarded: forwarded.map(|inner| Forwarded { from: inner.from }),
        owner: None,
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
