//! A document that left a watched mailbox: whose it is, and whether it is a newer version of one that is known.
//!
//! Versions of one document are one object: the newest sending is the one that waits for an answer, so its amount,
//! dates and Message-ID stand in the object, and the ones before it in `versions`. **Absent:** reading of mail (see
//! `relance-message`), looking for what is known (see the engine).

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::contact::Identity;
use crate::document::DocumentState;
use crate::event::{Event, names};
use crate::ids::{ContactId, SubjectRef};
use crate::policy::Policy;
use crate::subject::{Object, ObjectPatch};
use crate::value::{Fields, Value};

use super::{Acquaintance, Address, MailSeen, Whom};

/// How long after its last sending a number is still the same document's: after that it may be next year's.
pub const VERSION_AGE_MAX: SignedDuration = SignedDuration::from_hours(24 * 180);
/// Sendings of one document that are remembered; the oldest make room.
pub const VERSIONS_MAX: usize = 20;
/// Contacts whose documents are looked at for an earlier version.
pub const EARLIER_CONTACTS_MAX: usize = 20;
/// Digits of a revision behind a stroke: `КП-15/2`; more are a year or a number of their own.
const STROKE_DIGITS_MAX: usize = 2;
/// Words that name a revision at the end of a number.
const REVISION_WORDS: [&str; 26] = [
    "revision",
    "rev",
    "version",
    "ver",
    "v",
    "r",
    "issue",
    "редакция",
    "ред",
    "версия",
    "вер",
    "изменение",
    "изм",
    "исправление",
    "испр",
    "корректировка",
    "корр",
    "改訂版",
    "改訂",
    "修正版",
    "修正",
    "訂正版",
    "訂正",
    "改",
    "版",
    "final",
];
/// Of these one letter must be followed by a digit, or it is part of the number.
const SHORT_WORDS: [&str; 2] = ["v", "r"];

/// What is known of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    pub issued: Option<Date>,
    /// Date by which it should be paid or answered.
    pub due: Option<Date>,
    /// Value added tax in the total, as a decimal number.
    pub vat: Option<String>,
    /// Rates of that tax in percent, as decimal numbers.
    pub vat_rates: Vec<String>,
    /// The total without tax, as a decimal number.
    pub net: Option<String>,
    /// Who is to pay, by name.
    pub payer: Option<String>,
    /// The payer's number with the tax office: ИНН, VAT id, 登録番号.
    pub payer_tax_id: Option<String>,
    /// The seller's.
    pub seller_tax_id: Option<String>,
    /// What a payment will name: a creditor or QR reference, or the words that the document asks for.
    pub bank_reference: Option<String>,
    /// The language it was written in (`ru`), where that is plain.
    pub language: Option<String>,
    /// Set when the mail passes on another mail.
    pub forwarded: Option<Forwarded>,
    /// Whose it is, by address, where that is another than the mailbox: one of those who share it wrote it.
    pub owner: Option<String>,
}

/// A mail inside a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Who wrote it, lower case, where that is told.
    pub from: Option<String>,
}

/// A document that may be an earlier version of one that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Whose.
    pub contact: ContactId,
    /// What is known of it.
    pub object: Object,
}

/// To whom a document was sent, if to anyone outside; and what that means.
pub(super) fn sent(
    mail: &MailSeen,
    facts: &DocumentFacts,
    known: &Acquaintance,
    policy: &Policy,
) -> Option<(Whom, Event)> {
    let client = mail.client(policy)?;
    // A supplier's invoice that is passed on is not ours, and one of whom nobody knows who wrote it is not surely ours.
    if let Some(forwarded) = &facts.forwarded
        && !forwarded.from.as_ref().is_some_and(|from| {
            *from == mail.mailbox.as_str()
                || policy.is_internal(crate::contact::Channel::Email, from)
        })
    {
        return None;
    }
    let subject = mail.document()?;
    let Some(earlier) = earlier_of(mail, facts, known) else {
        let event = first(mail, facts, client, subject);
        return Some((
            Whom::Identities(vec![Identity::email(&client.email)]),
            event,
        ));
    };
    let event = newer(mail, facts, client, earlier);
    Some((Whom::Contact(earlier.contact), event))
}

impl MailSeen {
    /// The first recipient outside the own company, for looking up what was sent before.
    pub fn document_client(&self, policy: &Policy) -> Option<&Address> {
        self.document()?;
        self.client(policy)
    }
}

/// The first version of a document.
fn first(mail: &MailSeen, facts: &DocumentFacts, client: &Address, subject: SubjectRef) -> Event {
    let mut fields = fields_of(mail, facts, client);
    fields.insert("status".to_owned(), Value::String("sent".to_owned()));
    event_of(mail, names::DOCUMENT_SENT, facts, client, subject, fields)
}

/// What a sending tells of its document.
fn fields_of(mail: &MailSeen, facts: &DocumentFacts, client: &Address) -> Fields {
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Value::String(value));
        }
    };
    put("kind", Some(facts.kind.clone()));
    put("number", facts.number.clone());
    put("currency", facts.currency.clone());
    put("issued", facts.issued.map(|date| date.to_string()));
    put("due", facts.due.map(|date| date.to_string()));
    put("payer", facts.payer.clone());
    put("payer_tax_id", facts.payer_tax_id.clone());
    put("seller_tax_id", facts.seller_tax_id.clone());
    put("bank_reference", facts.bank_reference.clone());
    put("mailbox", Some(mail.mailbox.to_string()));
    put("owner", facts.owner.clone());
    put("message_id", Some(mail.message_id.clone()));
    put("mail_subject", Some(mail.subject.clone()));
    put("to", Some(client.email.clone()));
    put("sent_at", Some(mail.at.to_string()));
    for (name, text) in [
        ("amount", &facts.amount),
        ("vat", &facts.vat),
        ("net", &facts.net),
    ] {
        let number = text.as_deref().and_then(|text| text.parse::<f64>().ok());
        fields.extend(number.map(|number| (name.to_owned(), Value::from(number))));
    }
    let rates: Vec<Value> = facts
        .vat_rates
        .iter()
        .filter_map(|rate| rate.parse::<f64>().ok())
        .map(Value::from)
        .collect();
    if !rates.is_empty() {
        fields.insert("vat_rates".to_owned(), Value::Array(rates));
    }
    let references: Vec<Value> = mail
        .references
        .iter()
        .rev()
        .cloned()
        .map(Value::String)
        .collect();
    fields.insert("references".to_owned(), Value::Array(references));
    fields
}

fn event_of(
    mail: &MailSeen,
    name: &str,
    facts: &DocumentFacts,
    client: &Address,
    subject: SubjectRef,
    fields: Fields,
) -> Event {
    let mut event = mail.event(name);
    let told = fields.iter().filter(|(_, value)| !value.is_null());
    event
        .properties
        .extend(told.map(|(name, value)| (name.clone(), value.clone())));
    let mut traits = Fields::new();
    traits.insert("email".to_owned(), Value::String(client.email.clone()));
    let name = client.name.as_deref().and_then(plain_name);
    traits.extend(name.map(|name| ("name".to_owned(), Value::String(name))));
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

/// A document that is known was sent anew.
fn newer(mail: &MailSeen, facts: &DocumentFacts, client: &Address, earlier: &Earlier) -> Event {
    let object = &earlier.object;
    let subject = object.subject.clone();
    if sendings(object).contains(&mail.message_id) {
        // The very mail, seen in another mailbox: told in the same words, it is known.
        let is_newest = object.text("message_id") == Some(mail.message_id.as_str());
        let mut event = mail.event(if is_newest && !is_settled(object) {
            names::DOCUMENT_SENT
        } else {
            names::DOCUMENT_RESENT
        });
        event.subject = Some(subject);
        return event;
    }
    let version = version_of(object) + 1;
    let mut fields = Fields::new();
    // A mailbox tells whole seconds: of two within one, what was filed later is newer.
    let is_newest = sent_at(object).is_none_or(|at| at <= mail.at);
    let is_waited_for = !is_settled(object);
    let name = if is_newest && is_waited_for {
        names::DOCUMENT_SENT
    } else {
        names::DOCUMENT_RESENT
    };
    if is_newest {
        fields = fields_of(mail, facts, client);
        if is_waited_for {
            fields.insert("status".to_owned(), Value::String("sent".to_owned()));
            // An answer to the version before is none to this one.
            fields.insert("answered_at".to_owned(), Value::Null);
        }
    }
    fields.insert("version".to_owned(), Value::from(version));
    fields.insert("versions".to_owned(), versions_with(mail, facts, object));
    let mut event = event_of(mail, name, facts, client, subject, fields);
    event.properties.remove("versions");
    // Sent to a colleague, it stays with whom it was sent to first, who keeps name and address.
    let own = object.text("to").is_some_and(|to| to == client.email);
    event.traits = event.traits.filter(|_| own);
    event
}

/// The Message-IDs of all sendings that are remembered.
fn sendings(object: &Object) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = object
        .text("message_id")
        .map(str::to_owned)
        .into_iter()
        .collect();
    all.insert(object.subject.id.to_string());
    for one in versions(object) {
        let id = one.get("message_id").and_then(Value::as_str);
        all.extend(id.map(str::to_owned));
    }
    all
}

fn versions(object: &Object) -> &[Value] {
    match object.fields.get("versions") {
        Some(Value::Array(all)) => all,
        Some(_) | None => &[],
    }
}

fn versions_with(mail: &MailSeen, facts: &DocumentFacts, object: &Object) -> Value {
    let mut all = versions(object).to_vec();
    if all.is_empty() {
        let mut one = Fields::new();
        for (name, from) in [
            ("at", "sent_at"),
            ("message_id", "message_id"),
            ("number", "number"),
            ("amount", "amount"),
        ] {
            let value = object.fields.get(from).cloned();
            one.extend(value.map(|value| (name.to_owned(), value)));
        }
        all.push(Value::Object(one));
    }
    let mut one = Fields::new();
    one.insert("at".to_owned(), Value::String(mail.at.to_string()));
    one.insert(
        "message_id".to_owned(),
        Value::String(mail.message_id.clone()),
    );
    let number = facts.number.clone().map(Value::String);
    one.extend(number.map(|number| ("number".to_owned(), number)));
    let amount = facts
        .amount
        .as_deref()
        .and_then(|text| text.parse::<f64>().ok());
    one.extend(amount.map(|amount| ("amount".to_owned(), Value::from(amount))));
    all.push(Value::Object(one));
    let over = all.len().saturating_sub(VERSIONS_MAX);
    all.drain(..over);
    Value::Array(all)
}

/// The how-many-th version is known.
pub fn version_of(object: &Object) -> u64 {
    let told = object.fields.get("version").and_then(Value::as_u64);
    told.unwrap_or(1).max(1)
}

fn sent_at(object: &Object) -> Option<Timestamp> {
    object.text("sent_at")?.parse().ok()
}

/// Whether it came to a good end, so that a copy of it is only a copy.
fn is_settled(object: &Object) -> bool {
    matches!(
        DocumentState::of(object),
        DocumentState::Paid | DocumentState::Won
    )
}

/// What a name is followed by in the address book of whoever writes in Japanese; a letter adds its own.
const HONORIFICS: [&str; 4] = ["様", "さま", "殿", "御中"];

/// A name as it is called, without what politeness adds.
fn plain_name(name: &str) -> Option<String> {
    let name = name.trim();
    let bare = HONORIFICS.iter().find_map(|one| name.strip_suffix(one));
    let bare = bare.unwrap_or(name).trim_end();
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// The document that a mail brings a newer version of: of the same mailbox and kind, with the same number, or with
/// the same or no number in the same thread; of several the one sent last.
fn earlier_of<'k>(
    mail: &MailSeen,
    facts: &DocumentFacts,
    known: &'k Acquaintance,
) -> Option<&'k Earlier> {
    let of_thread = |earlier: &Earlier| {
        known.threads.iter().any(|(contact, subject)| {
            *contact == earlier.contact && subject.as_ref() == Some(&earlier.object.subject)
        })
    };
    let fits = |earlier: &&Earlier| {
        let object = &earlier.object;
        if sendings(object).contains(&mail.message_id) {
            return true;
        }
        let status = object.text("status").unwrap_or_default();
        let fresh =
            sent_at(object).is_some_and(|at| mail.at.duration_since(at).abs() <= VERSION_AGE_MAX);
        let same = object.text("mailbox") == Some(mail.mailbox.as_str())
            && object.text("kind") == Some(facts.kind.as_str());
        if !fresh || !same || status == WITHDRAWN {
            return false;
        }
        same_number(
            facts.number.as_deref(),
            object,
            &facts.kind,
            of_thread(earlier),
        )
    };
    known
        .earlier
        .iter()
        .filter(fits)
        .max_by_key(|earlier| sent_at(&earlier.object))
}

/// The status of what a person said is no document.
pub const WITHDRAWN: &str = "withdrawn";

fn same_number(number: Option<&str>, object: &Object, kind: &str, in_thread: bool) -> bool {
    let earlier: BTreeSet<String> = object
        .text("number")
        .into_iter()
        .chain(
            versions(object)
                .iter()
                .filter_map(|one| one.get("number")?.as_str()),
        )
        .map(normal)
        .filter(|number| !number.is_empty())
        .collect();
    let Some(number) = number.map(normal).filter(|number| !number.is_empty()) else {
        // What has no number is told by its thread; invoices follow one another there, offers are revised.
        return in_thread && kind == "offer";
    };
    if earlier.is_empty() {
        return in_thread && kind == "offer";
    }
    let base = unrevised(&number);
    if earlier
        .iter()
        .any(|one| *one == number || unrevised(one) == base)
    {
        return true;
    }
    // "15/2" is a revision of "15" where that is known; of an invoice only in its own thread, where it may as well
    // be the second part of what is to pay.
    (kind == "offer" || in_thread)
        && without_stroke(&number).is_some_and(|base| {
            earlier.iter().any(|one| {
                one == base || without_stroke(one) == Some(base) && earlier.contains(base)
            })
        })
}

/// A number without what people write differently: case, spaces, dashes, the sign before it.
pub(super) fn normal(number: &str) -> String {
    let low = number.to_lowercase();
    let low = low.trim().trim_start_matches(['№', '#', ' ']);
    low.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            'ё' => 'е',
            '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\\' => '/',
            other => other,
        })
        .collect()
}

/// A normal number without the word of a revision behind it: `кп-15v2`, `q-100-rev.b`, `見積15改訂`.
fn unrevised(number: &str) -> &str {
    let is_mark = |c: char| matches!(c, '-' | '.' | '/' | '(' | ')' | ',' | '+');
    let rest = number.trim_end_matches(is_mark);
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    let counted = rest.len() - digits.len();
    let letter = rest
        .chars()
        .next_back()
        .filter(|c| matches!(c, 'a'..='f' | 'а'..='д'))
        .map(|c| &rest[..rest.len() - c.len_utf8()])
        .filter(|before| before.ends_with(is_mark));
    let heads = [(digits, counted), (rest, 0), (letter.unwrap_or(rest), 1)];
    for (head, count) in heads {
        if count > STROKE_DIGITS_MAX {
            continue;
        }
        let head = head.trim_end_matches(is_mark);
        for word in REVISION_WORDS {
            let Some(base) = head.strip_suffix(word) else {
                continue;
            };
            if SHORT_WORDS.contains(&word) && count == 0 {
                continue;
            }
            // "第2版": the count stands before the word.
            let base = if word == "版" {
                let base = base.trim_end_matches(|c: char| c.is_ascii_digit());
                match base.strip_suffix('第') {
                    Some(base) => base,
                    None => continue,
                }
            } else {
                base
            };
            let base = base.trim_end_matches(is_mark);
            if base.chars().any(|c| c.is_ascii_digit()) {
                return base;
            }
        }
    }
    number
}

/// A number without one or two digits behind a stroke.
fn without_stroke(number: &str) -> Option<&str> {
    let (base, tail) = number.rsplit_once('/')?;
    let is_count =
        (1..=STROKE_DIGITS_MAX).contains(&tail.len()) && tail.bytes().all(|b| b.is_ascii_digit());
    (is_count && base.chars().any(|c| c.is_ascii_digit())).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_revisions_are_one_number() {
        for (one, other) in [
            ("КП-15", "кп-15 v2"),
            ("КП-15", "КП-15_ред.2"),
            ("КП-15 v2", "КП-15v3"),
            ("Q-100", "Q-100 rev. B"),
            ("Q-100-R1", "Q-100-R2"),
            ("15", "15 (версия 2)"),
            ("2026-031", "2026-031改訂"),
            ("2026-031", "2026-031 第2版"),
            ("М-2026-031", "м–2026–031"),
        ] {
            assert_eq!(
                unrevised(&normal(one)),
                unrevised(&normal(other)),
                "{one} and {other}"
            );
        }
        for (one, other) in [
            ("INV-15", "INV-16"),
            ("R2", "R3"),
            ("V1005", "V1006"),
            ("15/2026", "15/2025"),
            ("2026/031", "2026/032"),
            ("КП-15-В", "КП-15-Г"),
        ] {
            assert_ne!(
                unrevised(&normal(one)),
                unrevised(&normal(other)),
                "{one} and {other}"
            );
        }
        assert_eq!(without_stroke("кп-15/2"), Some("кп-15"));
        assert_eq!(without_stroke("15/2026"), None);
    }

    #[test]
    fn of_two_sendings_within_one_second_the_one_told_later_is_the_newer() {
        let client = Address {
            email: "ivan@client.test".to_owned(),
            name: None,
        };
        let at: Timestamp = "2026-11-22T16:00:00Z".parse().unwrap();
        let mail = |id: &str| MailSeen {
            mailbox: "anna@us.test".into(),
            folder: super::super::Folder::Sent,
            message_id: id.to_owned(),
            references: Vec::new(),
            from: None,
            to: vec![client.clone()],
            at,
            subject: "Offer".to_owned(),
            touchpoint: None,
            numbers: Vec::new(),
            class: super::super::MailClass::Document(Box::default()),
        };
        let facts = |number: &str| DocumentFacts {
            kind: "offer".to_owned(),
            number: Some(number.to_owned()),
            ..DocumentFacts::default()
        };
        let (m1, m2) = (mail("m1"), mail("m2"));
        let mut object = Object::new(m1.document().unwrap(), at);
        object.fields = fields_of(&m1, &facts("КП-15"), &client);
        let earlier = Earlier {
            contact: ContactId(1),
            object,
        };
        let event = newer(&m2, &facts("КП-15/2"), &client, &earlier);
        assert_eq!(event.name.as_str(), names::DOCUMENT_SENT);
        let told = &event.objects[0].fields;
        assert_eq!(told["number"].as_str(), Some("КП-15/2"));
        assert_eq!(told["version"].as_u64(), Some(2));
    }
}
