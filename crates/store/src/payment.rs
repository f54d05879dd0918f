//! What both stores make of a payment: by what its payer is known again, and what stays of it when a person is
//! forgotten.

use relance_core::ids::ContactId;
use relance_core::payment::{Note, Payer, PaymentRecord};
use relance_engine::ports::StoreError;
use relance_wire::stored::{payment_text, read_payment};

use crate::sqlite::error::{Located, unreadable};

/// By what the payer is known again; nothing for a payment that was put to nothing.
pub(crate) fn mark(record: &PaymentRecord) -> String {
    if record.shares.is_empty() {
        return String::new();
    }
    record.payment.payer.mark().unwrap_or_default()
}

/// A payment's text without the payer, and without what it was put to of a contact that is forgotten. Day, sum and
/// state stay: books must add up.
pub(crate) fn forgotten(id: &str, body: &str, contact: ContactId) -> Result<String, StoreError> {
    let parsed = id
        .parse()
        .map_err(|problem| unreadable("payment", id, problem))?;
    let mut record = read_payment(parsed, body).at("payment", id)?;
    record.payment.payer = Payer::default();
    record.payment.text.clear();
    record.payment.creditor_reference = None;
    record.payment.end_to_end = None;
    record.shares.retain(|share| share.contact != contact);
    record.ranked.clear();
    record.note = Some(Note::Forgotten);
    payment_text(&record).at("payment", id)
}
