//! What a payment does to a document: the event that says so, and the document's fields after it.
//!
//! `Document Paid` when nothing stays open, `Document Partly Paid` before, `Document Payment Withdrawn` when a
//! payment is taken back. Ids of these events derive from payment, revision and document, so a second one of the same
//! changes nothing.
//!
//! **Absent:** what journeys make of it.

use jiff::Timestamp;

use super::{Amount, PaymentRecord, Share};
use crate::event::{Event, names};
use crate::ids::{ContactId, ObjectKind, SubjectRef};
use crate::subject::{Object, ObjectPatch};
use crate::value::{Fields, Value};

/// What came for a document so far.
pub const PAID_AMOUNT: &str = "paid_amount";
/// What is still to be paid, where a part was.
pub const OPEN_AMOUNT: &str = "open_amount";
/// The kind of objects that documents are.
const DOCUMENT: &str = "document";

/// The subject of a document.
pub fn subject_of(document: &str) -> SubjectRef {
    SubjectRef {
        kind: ObjectKind::from(DOCUMENT),
        id: document.into(),
    }
}

/// What a document says of its amount.
pub fn amount_of(document: &Object) -> Option<Amount> {
    document.fields.get("amount").and_then(Amount::of_value)
}

/// What came for a document so far.
pub fn paid_of(document: &Object) -> Amount {
    let paid = document.fields.get(PAID_AMOUNT);
    paid.and_then(Amount::of_value).unwrap_or_default()
}

/// What is open of a document: nothing where it is paid, `None` where no amount is known.
pub fn open_of(document: &Object, is_paid: bool) -> Option<Amount> {
    if is_paid {
        return Some(Amount::ZERO);
    }
    let open = amount_of(document)? - paid_of(document);
    Some(open.max(Amount::ZERO))
}

/// A document with what is put to it by payments, `shares` in sum, where its own fields do not say so yet: the event
/// that will may be on its way to another node.
pub fn with_shares(mut document: Object, shares: Amount) -> Object {
    if !shares.is_positive() || shares <= paid_of(&document) {
        return document;
    }
    let fields = &mut document.fields;
    fields.insert(PAID_AMOUNT.to_owned(), shares.number());
    if amount_of(&document).is_none_or(|amount| shares >= amount) {
        document.fields.insert("status".to_owned(), "paid".into());
    }
    document
}

/// A payment, or a part of it, was put to a document.
pub fn paid(
    record: &PaymentRecord,
    share: &Share,
    document: &Object,
    by: &str,
    now: Timestamp,
) -> Event {
    let total = paid_of(document) + share.amount;
    let left = amount_of(document).map(|amount| (amount - total).max(Amount::ZERO));
    let mut fields = Fields::new();
    fields.insert(PAID_AMOUNT.to_owned(), total.number());
    let booked = Value::from(record.payment.booked.to_string());
    let name = match left {
        Some(left) if left.is_positive() => {
            fields.insert(OPEN_AMOUNT.to_owned(), left.number());
            names::DOCUMENT_PARTLY_PAID
        }
        Some(_) | None => {
            fields.insert("status".to_owned(), "paid".into());
            fields.insert("paid_at".to_owned(), booked.clone());
            fields.insert("paid_told_by".to_owned(), Value::Null);
            fields.insert(OPEN_AMOUNT.to_owned(), Amount::ZERO.number());
            names::DOCUMENT_PAID
        }
    };
    let mut event = event(record, share, document, name, by, now);
    event.properties.insert("paid_at".to_owned(), booked);
    finish(event, share, fields)
}

/// It was taken back.
pub fn withdrawn(
    record: &PaymentRecord,
    share: &Share,
    document: &Object,
    by: &str,
    now: Timestamp,
) -> Event {
    let total = (paid_of(document) - share.amount).max(Amount::ZERO);
    let mut fields = Fields::new();
    let some = |amount: Amount| {
        if amount.is_positive() {
            amount.number()
        } else {
            Value::Null
        }
    };
    let left = amount_of(document).map(|amount| (amount - total).max(Amount::ZERO));
    let is_paid_still = total.is_positive() && left == Some(Amount::ZERO);
    fields.insert(PAID_AMOUNT.to_owned(), some(total));
    if !is_paid_still {
        // Whether it was answered stands in a field of its own.
        fields.insert("status".to_owned(), "sent".into());
        fields.insert("paid_at".to_owned(), Value::Null);
        let open = match left {
            Some(left) if total.is_positive() => left.number(),
            Some(_) | None => Value::Null,
        };
        fields.insert(OPEN_AMOUNT.to_owned(), open);
    }
    let name = names::DOCUMENT_PAYMENT_WITHDRAWN;
    finish(event(record, share, document, name, by, now), share, fields)
}

fn event(
    record: &PaymentRecord,
    share: &Share,
    document: &Object,
    name: &str,
    by: &str,
    now: Timestamp,
) -> Event {
    let mut event = Event::track(name, now);
    let mut put = |name: &str, value: Value| event.properties.insert(name.to_owned(), value);
    for field in ["number", "kind"] {
        if let Some(value) = document.fields.get(field) {
            put(field, value.clone());
        }
    }
    put("amount", share.amount.number());
    let currency = if record.payment.currency.is_empty() {
        document.text("currency").unwrap_or_default()
    } else {
        &record.payment.currency
    };
    put("currency", currency.into());
    put("payment", record.id.to_string().into());
    put("by", by.into());
    event.message_id = Some(
        message_id(record, share.contact, &share.document, name)
            .as_str()
            .into(),
    );
    event
}

/// The id of the event that a payment causes: the same however often it is tried.
fn message_id(record: &PaymentRecord, contact: ContactId, document: &str, name: &str) -> String {
    let (id, revision) = (record.id, record.revision);
    format!("payment:{id}:{revision}:{contact}:{document}:{name}")
}

fn finish(mut event: Event, share: &Share, fields: Fields) -> Event {
    for field in [PAID_AMOUNT, OPEN_AMOUNT] {
        if let Some(value) = fields.get(field) {
            event.properties.insert(field.to_owned(), value.clone());
        }
    }
    let subject = subject_of(&share.document);
    event.objects = vec![ObjectPatch {
        subject: subject.clone(),
        fields,
    }];
    event.subject = Some(subject);
    event
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Payer, Payment, PaymentState};
    use super::*;

    fn record(amount: i64) -> PaymentRecord {
        let payment = Payment {
            key: "one".to_owned(),
            booked: jiff::civil::date(2026, 10, 5),
            amount: Amount::of_units(amount).expect("fits"),
            currency: "EUR".to_owned(),
            payer: Payer::default(),
            text: String::new(),
            creditor_reference: None,
            end_to_end: None,
            is_reversal: false,
            account: String::new(),
        };
        PaymentRecord {
            id: payment.id(),
            payment,
            statement: "st".to_owned(),
            state: PaymentState::Matched,
            shares: Vec::new(),
            ranked: Vec::new(),
            note: None,
            other: None,
            revision: 1,
            changed_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn share(amount: i64) -> Share {
        Share {
            contact: ContactId(7),
            document: "m1".into(),
            number: "R-7".to_owned(),
            amount: Amount::of_units(amount).expect("fits"),
        }
    }

    fn apply(document: &mut Object, event: &Event) {
        let patch = &event.objects[0];
        document.merge(&patch.fields, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn parts_add_up_and_are_taken_back() {
        let mut document = Object::new(subject_of("m1"), Timestamp::UNIX_EPOCH);
        let fields = json!({"number": "R-7", "amount": 100, "status": "sent", "currency": "EUR"});
        document.fields = fields.as_object().cloned().expect("fields");
        let now = Timestamp::UNIX_EPOCH;
        let part = paid(&record(40), &share(40), &document, "import", now);
        assert_eq!(part.name.as_str(), names::DOCUMENT_PARTLY_PAID);
        apply(&mut document, &part);
        assert_eq!(open_of(&document, false), Amount::of_units(60));
        assert_eq!(document.fields["status"], "sent");

        let rest = paid(&record(60), &share(60), &document, "import", now);
        assert_eq!(rest.name.as_str(), names::DOCUMENT_PAID);
        assert_eq!(rest.properties["paid_at"], "2026-10-05");
        apply(&mut document, &rest);
        assert_eq!(document.fields["status"], "paid");
        assert_eq!(document.fields[PAID_AMOUNT], 100);

        let back = withdrawn(&record(60), &share(60), &document, "anna", now);
        assert_eq!(back.name.as_str(), names::DOCUMENT_PAYMENT_WITHDRAWN);
        apply(&mut document, &back);
        assert_eq!(document.fields["status"], "sent");
        assert_eq!(open_of(&document, false), Amount::of_units(60));
        let back = withdrawn(&record(40), &share(40), &document, "anna", now);
        apply(&mut document, &back);
        assert_eq!(open_of(&document, false), Amount::of_units(100));
        assert!(
            !document.fields.contains_key(PAID_AMOUNT) || document.fields[PAID_AMOUNT].is_null()
        );
    }

    #[test]
    fn what_payments_were_put_to_counts_before_the_document_says_so() {
        let mut document = Object::new(subject_of("m1"), Timestamp::UNIX_EPOCH);
        let fields = json!({"number": "R-7", "amount": 100, "status": "sent", "paid_amount": 30});
        document.fields = fields.as_object().cloned().expect("fields");
        let units = |units| Amount::of_units(units).expect("fits");
        assert_eq!(with_shares(document.clone(), units(30)), document);
        assert_eq!(with_shares(document.clone(), Amount::ZERO), document);
        let part = with_shares(document.clone(), units(70));
        assert_eq!(open_of(&part, false), Some(units(30)));
        assert_eq!(part.fields["status"], "sent");
        let whole = with_shares(document, units(100));
        assert_eq!(open_of(&whole, false), Some(Amount::ZERO));
        assert_eq!(whole.fields["status"], "paid");
    }

    #[test]
    fn the_same_change_is_one_event_and_the_next_is_another() {
        let document = Object::new(subject_of("m1"), Timestamp::UNIX_EPOCH);
        let now = Timestamp::UNIX_EPOCH;
        let first = paid(&record(40), &share(40), &document, "a", now);
        let again = paid(&record(40), &share(40), &document, "b", now);
        assert_eq!(first.message_id, again.message_id);
        let mut later = record(40);
        later.revision = 3;
        let later = paid(&later, &share(40), &document, "a", now);
        assert_ne!(first.message_id, later.message_id);
    }
}
