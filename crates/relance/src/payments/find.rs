//! The documents that a payment may be about: by the numbers that it names, by its amount, and by who paid.
//!
//! Each way asks an index and has a limit, so a payment costs some ten questions of the database, however many
//! documents there are.

use std::collections::{BTreeMap, BTreeSet};

use relance_core::contact::Contact;
use relance_core::ids::ContactId;
use relance_core::payment::effect::open_of;
use relance_core::payment::judge::{CANDIDATES_MAX, Candidate, Client, lookup_keys};
use relance_core::payment::{Payment, Share, payer};
use relance_core::subject::Object;
use relance_core::value::Value;
use relance_store::Reader;
use relance_store::read::ReadError;
use relance_store::registry::{DocumentState, name_of};

use super::Books;

/// Objects of a payer's contact among which invoices are looked for.
const OBJECTS_OF_PAYER_MAX: usize = 200;
/// Contacts of a payer, by earlier payments and by name.
const CONTACTS_MAX: usize = 20;
/// Words of a payer's name that are looked for.
const WORDS_MAX: usize = 4;
/// Letters of such a word.
const WORD_CHARS_MIN: usize = 3;
/// Traits that hold a client's accounts.
const ACCOUNTS: &[&str] = &[
    "iban",
    "bank_account",
    "account_number",
    "р/с",
    "расчетный_счет",
];
/// Traits that hold its tax ids.
const TAX_IDS: &[&str] = &["inn", "tax_id", "vat_id", "vat", "инн"];
/// Fields in which a document says how it wants to be referred to.
const REFERENCES: &[&str] = &["bank_reference", "payment_reference", "reference"];

/// A document's number as a text.
pub fn number_of(object: &Object) -> String {
    match object.fields.get("number") {
        Some(Value::String(text)) => text.trim().chars().take(80).collect(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            String::new()
        }
    }
}

/// Everything that may be meant, each document once; `shares` is what the payment was put to until now.
pub fn candidates(
    reader: &Reader,
    books: &mut Books,
    payment: &Payment,
    shares: &[Share],
) -> Result<Vec<Candidate>, ReadError> {
    let mut found: BTreeMap<String, ContactId> = BTreeMap::new();
    let mut add = |all: Vec<(ContactId, String)>| {
        for (contact, document) in all {
            // A document that colleagues share is one.
            if found.len() < CANDIDATES_MAX {
                found.entry(document).or_insert(contact);
            }
        }
    };
    // What it was put to until now: the store has it as paid still, and would not find it among what is open.
    let until_now = shares.iter();
    add(until_now
        .map(|share| (share.contact, share.document.to_string()))
        .collect());
    let keys = lookup_keys(payment);
    if !keys.is_empty() {
        add(reader.invoices_of_numbers(&keys)?);
    }
    let mut payers = BTreeSet::new();
    if let Some(mark) = payment.payer.mark() {
        payers = reader.contacts_of_payer(&mark)?;
    }
    let by_name = reader.contacts_of_words(&words(&payment.payer.name))?;
    for contact in payers.iter().chain(&by_name).take(CONTACTS_MAX) {
        add(open_invoices(reader, *contact)?);
    }
    add(reader.invoices_of_amount(payment.amount)?);
    let contacts: BTreeSet<ContactId> = found.values().copied().collect();
    let contacts = reader.contacts_of(&contacts)?;
    let ids: Vec<&str> = found.keys().map(String::as_str).collect();
    books.look_at(reader, &ids)?;
    let mut all = Vec::with_capacity(found.len());
    for (document, contact) in found {
        let Some((object, state)) = books.document(reader, contact, &document)? else {
            continue;
        };
        if let Some(one) = candidate(&object, state, contact, contacts.get(&contact), &payers) {
            all.push(one);
        }
    }
    Ok(all)
}

/// The words of a name that few others have: its longest.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| {
            let is_ideographic = word.chars().any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'));
            word.chars().count() >= if is_ideographic { 2 } else { WORD_CHARS_MIN }
        })
        .map(str::to_lowercase)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.dedup();
    words.truncate(WORDS_MAX);
    words
}

fn is_invoice(object: &Object) -> bool {
    object.subject.kind.as_str() == "document"
        && object
            .text("kind")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("invoice"))
}

fn open_invoices(
    reader: &Reader,
    contact: ContactId,
) -> Result<Vec<(ContactId, String)>, ReadError> {
    let page = reader.objects_of_contact(contact, None, OBJECTS_OF_PAYER_MAX)?;
    let open = page.items.into_iter().filter(|object| {
        is_invoice(object) && DocumentState::WAITING.contains(&DocumentState::of(object))
    });
    Ok(open
        .map(|object| (contact, object.subject.id.to_string()))
        .collect())
}

fn candidate(
    object: &Object,
    state: DocumentState,
    contact: ContactId,
    whose: Option<&Contact>,
    payers: &BTreeSet<ContactId>,
) -> Option<Candidate> {
    let is_paid = match state {
        DocumentState::Open | DocumentState::Answered => false,
        DocumentState::Paid => true,
        // Nothing is expected of it.
        DocumentState::Won | DocumentState::Lost | DocumentState::Withdrawn => return None,
    };
    if !is_invoice(object) {
        return None;
    }
    let whose = whose.filter(|contact| !contact.erased)?;
    let day = |field: &str| -> Option<jiff::civil::Date> {
        object.text(field)?.trim().get(..10)?.parse().ok()
    };
    let texts = |names: &[&str]| -> Vec<String> {
        let all = names
            .iter()
            .filter_map(|name| match whose.traits.get(*name)? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            });
        all.filter(|text| !payer::plain_id(text).is_empty())
            .collect()
    };
    let mut names = vec![name_of(whose)];
    names.extend(texts(&[
        "name",
        "company",
        "company_name",
        "legal_name",
        "name_kana",
        "company_kana",
    ]));
    let company = whose.account.as_deref().and_then(|account| {
        let name = account.face().get("name")?.as_str()?.to_owned();
        Some(name)
    });
    names.extend(company);
    names.extend(object.text("payer").map(str::to_owned));
    let mut accounts = texts(ACCOUNTS);
    accounts.extend(object.text("payer_account").map(str::to_owned));
    Some(Candidate {
        contact,
        document: object.subject.id.clone(),
        number: number_of(object),
        open: open_of(object, is_paid),
        currency: object
            .text("currency")
            .unwrap_or_default()
            .trim()
            .to_uppercase(),
        issued: day("issued").or_else(|| day("sent_at")),
        due: day("due"),
        reference: REFERENCES
            .iter()
            .find_map(|field| object.text(field))
            .unwrap_or_default()
            .to_owned(),
        is_paid,
        client: Client {
            names: names
                .into_iter()
                .filter(|name| !name.trim().is_empty())
                .collect(),
            accounts,
            tax_ids: texts(TAX_IDS),
            is_known_payer: payers.contains(&contact),
        },
    })
}
