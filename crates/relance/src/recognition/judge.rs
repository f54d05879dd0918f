//! What a sent mail is, and why: what was found, what left it out, what it lacks, and where the registry has it.
//!
//! **Absent:** how a document is found (see `relance-message`), getting mails (see [`super::Trial`]).

use jiff::Timestamp;
use relance_core::access::Sees;
use relance_core::contact::Channel;
use relance_core::ids::{ContactId, MailboxId};
use relance_core::mail::{self, Acquaintance, Folder, MailSeen, WITHDRAWN};
use relance_core::policy::Policy;
use relance_core::subject::Object;
use relance_core::value::Value;
use relance_message::document::{DocumentKind, Evidence, FoundDocument, Near};
use relance_message::inbound::Classified;
use relance_store::read::{ReadError, Reader};
use relance_wire::api::recognition::{
    FiredRule, Points, ReadDocument, RegisteredDocument, SeenMail,
};
use serde::Serialize;

use crate::examine::Examined;
use crate::mailbox::{by_its_author, by_one_name};

/// Recipients and attachments of a mail that are told.
const TOLD_MAX: usize = 20;
/// The kind of objects that documents are.
const DOCUMENT: &str = "document";

/// By whose eyes a mail is looked at.
pub struct Judge<'a> {
    /// The mailbox that sent it.
    pub mailbox: &'a MailboxId,
    /// Other addresses that it sends as.
    pub aliases: &'a [String],
    /// Who works with it, where several do.
    pub members: &'a [String],
    /// Who is one of us.
    pub policy: &'a Policy,
    /// What is known.
    pub reader: &'a Reader,
    /// Whose contacts whoever asks may see.
    pub sees: &'a Sees,
}

impl Judge<'_> {
    /// A mail as core is told of it; `unnamed` is what one without a Message-ID is called.
    pub fn see(&self, examined: Examined, at: Timestamp, unnamed: String) -> MailSeen {
        let mut seen = examined.see(self.mailbox, Folder::Sent, at, unnamed);
        by_its_author(&mut seen, self.members);
        by_one_name(&mut seen, self.aliases);
        seen
    }

    /// What a sent mail is, and why.
    pub fn judge(
        &self,
        examined: Examined,
        near: Option<Near>,
        at: Timestamp,
        unnamed: String,
    ) -> Result<SeenMail, ReadError> {
        let document = examined.document.clone();
        let rule = examined.rule.clone();
        let is_never = rule
            .as_ref()
            .is_some_and(|rule| rule.then.document().is_none());
        let is_list = examined.is_bulk && !examined.is_said();
        let is_forward = examined.forwarded.is_some() && !examined.is_said();
        let machine = match &examined.class {
            Classified::AutoReply(_) => Some("auto_reply"),
            Classified::Bounce(_) => Some("bounce"),
            Classified::Complaint(_) => Some("complaint"),
            Classified::Reply(_) | Classified::Other => None,
        };
        let attachments = examined.mail.attachments.iter().take(TOLD_MAX);
        let attachments = attachments.filter_map(|one| one.name.clone()).collect();
        let seen = self.see(examined, at, unnamed);
        let counts = !mail::interpret(&seen, &Acquaintance::default(), self.policy)
            .events
            .is_empty();
        let has_client = self.has_client(&seen);
        let left_out = match (&document, counts) {
            (_, _) if seen.touchpoint.is_some() => Some("own_message"),
            (_, _) if is_never => Some("never"),
            (None, _) | (Some(_), true) => None,
            (Some(_), false) if is_list => Some("list"),
            (Some(_), false) if is_forward && has_client => Some("forwarded"),
            (Some(_), false) => Some("internal"),
        };
        let mut lacks: Vec<String> = Vec::new();
        if document.is_none() && left_out.is_none() {
            let before = [
                (seen.to.is_empty()).then_some("no_recipient"),
                (!seen.to.is_empty() && !has_client).then_some("internal"),
                is_list.then_some("list"),
                is_forward.then_some("forwarded"),
                machine,
            ];
            lacks.extend(before.into_iter().flatten().map(str::to_owned));
            let near = near.iter().flat_map(|near| &near.lacks);
            lacks.extend(near.map(word));
        }
        let near = near.filter(|near| left_out.is_none() && near.kind.is_some());
        let evidence = document.as_ref().map(|document| &document.evidence);
        let evidence = evidence.or(near.as_ref().map(|near| &near.evidence));
        let found = registered(self.reader, &seen.message_id)?;
        let mut to: Vec<String> = seen.to.iter().map(|to| to.email.clone()).collect();
        to.truncate(TOLD_MAX);
        Ok(SeenMail {
            at: at.to_string(),
            to,
            subject: seen.subject,
            attachments,
            found: document.as_ref().filter(|_| left_out.is_none()).map(shown),
            left_out: left_out.map(str::to_owned),
            why: evidence.into_iter().flatten().map(fired).collect(),
            lacks,
            near: near.as_ref().and_then(|near| near.kind).map(kind_word),
            points: near.map(|near| Points {
                got: near.score,
                needed: near.threshold,
            }),
            rule: rule.map(|rule| rule.id.clone()),
            known: found.is_some(),
            registered: match found {
                Some((contact, object)) => {
                    place_of(self.reader, self.sees, contact, &object, &seen.message_id)?
                }
                None => None,
            },
            message_id: seen.message_id,
        })
    }

    /// Whether a mail went to somebody outside.
    fn has_client(&self, seen: &MailSeen) -> bool {
        seen.to.iter().any(|to| {
            to.email != self.mailbox.as_str() && !self.policy.is_internal(Channel::Email, &to.email)
        })
    }
}

/// Where a mail's document is, for whoever may see its contact.
pub fn place_of(
    reader: &Reader,
    sees: &Sees,
    contact: ContactId,
    object: &Object,
    message_id: &str,
) -> Result<Option<RegisteredDocument>, ReadError> {
    if sees.is_limited() && !sees.allows(reader.owner_of(contact)?.as_deref()) {
        return Ok(None);
    }
    let versions = versions(object);
    let place = versions
        .iter()
        .position(|one| named(one) == Some(message_id));
    // Of many sendings the oldest are not remembered: the newest has the number that the object has.
    let last = usize::try_from(mail::version_of(object)).unwrap_or(usize::MAX);
    let before = last.saturating_sub(versions.len());
    Ok(Some(RegisteredDocument {
        contact: contact.to_string(),
        document: object.subject.id.to_string(),
        kind: object.text("kind").map(str::to_owned),
        withdrawn: object.text("status") == Some(WITHDRAWN),
        version: place.map(|place| (before + place + 1) as u64),
    }))
}

/// The document that a mail brought, as any of its versions. That a mail is in the thread of one is not enough: answers
/// are, too.
pub fn registered(
    reader: &Reader,
    message_id: &str,
) -> Result<Option<(ContactId, Object)>, ReadError> {
    if message_id.is_empty() {
        return Ok(None);
    }
    for (contact, subject) in reader.subjects_of_mail(message_id)? {
        if subject.kind.as_str() != DOCUMENT {
            continue;
        }
        let object = reader.object(contact, &subject)?;
        if let Some(object) = object.filter(|object| is_sending(object, message_id)) {
            return Ok(Some((contact, object)));
        }
    }
    Ok(None)
}

fn is_sending(object: &Object, message_id: &str) -> bool {
    &*object.subject.id == message_id
        || object.text("message_id") == Some(message_id)
        || versions(object)
            .iter()
            .any(|one| named(one) == Some(message_id))
}

fn versions(object: &Object) -> &[Value] {
    match object.fields.get("versions") {
        Some(Value::Array(all)) => all,
        Some(_) | None => &[],
    }
}

fn named(version: &Value) -> Option<&str> {
    version.get("message_id").and_then(Value::as_str)
}

fn fired(evidence: &Evidence) -> FiredRule {
    FiredRule {
        rule: evidence.rule.clone(),
        place: word(&evidence.place),
        weight: evidence.weight,
    }
}

/// A code as it stands in JSON.
fn word<T: Serialize>(code: &T) -> String {
    match serde_json::to_value(code) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn kind_word(kind: DocumentKind) -> String {
    match kind {
        DocumentKind::Invoice => "invoice".to_owned(),
        DocumentKind::Offer => "offer".to_owned(),
    }
}

/// A document as it is told.
pub fn shown(found: &FoundDocument) -> ReadDocument {
    ReadDocument {
        kind: kind_word(found.kind),
        number: found.number.clone(),
        amount: found.amount.map(|amount| amount.to_string()),
        currency: found.currency.clone(),
        vat: found.vat.map(|vat| vat.to_string()),
        vat_rates: found.vat_rates.iter().map(ToString::to_string).collect(),
        net: found.net.map(|net| net.to_string()),
        issued: found.issued.map(|date| date.to_string()),
        due: found.due.or(found.valid_until).map(|date| date.to_string()),
        payer: found.payer.clone(),
        payer_tax_id: found.payer_tax_id.clone(),
        seller_tax_id: found.seller_tax_id.clone(),
        bank_reference: found.bank_reference.clone(),
        confidence: found.confidence,
    }
}
