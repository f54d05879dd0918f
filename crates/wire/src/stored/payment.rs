//! A payment's body; its id, state, day, sum and revision are columns as well, and the key of its row is not repeated.
//!
//! What the id was derived from is not kept: it repeats who paid.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use relance_core::ids::ContactId;
use relance_core::payment::{
    Amount, Note, Payer, Payment, PaymentId, PaymentRecord, PaymentState, Ranked, Reason, Share,
};
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, read, text};

const SHAPE: &str = "payment";

#[derive(Debug, Serialize, Deserialize)]
struct PaymentV1 {
    v: Version<1>,
    booked: Date,
    amount: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    currency: String,
    #[serde(default)]
    payer: Payer,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_to_end: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reversal: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    account: String,
    statement: String,
    state: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shares: Vec<ShareV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ranked: Vec<RankedV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other: Option<String>,
    revision: u32,
    changed: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct ShareV1 {
    contact: ContactId,
    document: Arc<str>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    number: String,
    amount: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct RankedV1 {
    contact: ContactId,
    document: Arc<str>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<i64>,
    reasons: Vec<Reason>,
    weight: i32,
}

fn wrong(why: impl ToString) -> StoredProblem {
    StoredProblem {
        shape: SHAPE,
        why: why.to_string(),
    }
}

fn amount(parts: i64) -> Result<Amount, StoredProblem> {
    Amount::of_parts(parts).ok_or_else(|| wrong("the amount is out of range"))
}

/// The text of a payment.
pub fn payment_text(record: &PaymentRecord) -> Result<String, StoredProblem> {
    let payment = &record.payment;
    let share = |share: &Share| ShareV1 {
        contact: share.contact,
        document: share.document.clone(),
        number: share.number.clone(),
        amount: share.amount.parts(),
    };
    let ranked = |one: &Ranked| RankedV1 {
        contact: one.contact,
        document: one.document.clone(),
        number: one.number.clone(),
        open: one.open.map(Amount::parts),
        reasons: one.reasons.clone(),
        weight: one.weight,
    };
    let body = PaymentV1 {
        v: Version,
        booked: payment.booked,
        amount: payment.amount.parts(),
        currency: payment.currency.clone(),
        payer: payment.payer.clone(),
        text: payment.text.clone(),
        reference: payment.creditor_reference.clone(),
        end_to_end: payment.end_to_end.clone(),
        reversal: payment.is_reversal,
        account: payment.account.clone(),
        statement: record.statement.clone(),
        state: record.state.word().to_owned(),
        shares: record.shares.iter().map(share).collect(),
        ranked: record.ranked.iter().map(ranked).collect(),
        note: record.note,
        other: record.other.map(|id| id.to_string()),
        revision: record.revision,
        changed: record.changed_at,
    };
    text(SHAPE, &body)
}

/// The payment of a row. Its key is not known any more.
pub fn read_payment(id: PaymentId, stored: &str) -> Result<PaymentRecord, StoredProblem> {
    let body: PaymentV1 = read(SHAPE, stored)?;
    let share = |share: ShareV1| {
        Ok(Share {
            contact: share.contact,
            document: share.document,
            number: share.number,
            amount: amount(share.amount)?,
        })
    };
    let ranked = |one: RankedV1| {
        Ok(Ranked {
            contact: one.contact,
            document: one.document,
            number: one.number,
            open: one.open.map(amount).transpose()?,
            reasons: one.reasons,
            weight: one.weight,
        })
    };
    let state = PaymentState::from_word(&body.state)
        .ok_or_else(|| wrong(format_args!("state {:?} is not known", body.state)))?;
    let other = body.other.map(|id| id.parse()).transpose().map_err(wrong)?;
    Ok(PaymentRecord {
        id,
        payment: Payment {
            key: String::new(),
            booked: body.booked,
            amount: amount(body.amount)?,
            currency: body.currency,
            payer: body.payer,
            text: body.text,
            creditor_reference: body.reference,
            end_to_end: body.end_to_end,
            is_reversal: body.reversal,
            account: body.account,
        },
        statement: body.statement,
        state,
        shares: body
            .shares
            .into_iter()
            .map(share)
            .collect::<Result<_, _>>()?,
        ranked: body
            .ranked
            .into_iter()
            .map(ranked)
            .collect::<Result<_, _>>()?,
        note: body.note,
        other,
        revision: body.revision,
        changed_at: body.changed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What version 1 wrote, for ever.
    const WRITTEN: &str = r#"{"v":1,"booked":"2026-10-20","amount":12000000,"currency":"EUR","payer":{"name":"Ana","account":"DE02"},"text":"R-7","reference":"RF18","end_to_end":"E1","account":"DE89","statement":"st_1","state":"unclear","shares":[{"contact":"con_7","document":"m1","number":"R-7","amount":1000}],"ranked":[{"contact":"con_8","document":"m2","number":"R-8","open":5,"reasons":["number","other_payer"],"weight":20}],"note":"by_hand","other":"pay_00112233445566778899aabbccddeeff","revision":2,"changed":"1970-01-01T00:00:00Z"}"#;

    #[test]
    fn a_payment_reads_back_from_its_text() {
        let id = PaymentId::derive("x");
        let record = read_payment(id, WRITTEN).expect("reads");
        assert_eq!(
            record.payment.amount,
            Amount::of_units(1_200).expect("fits")
        );
        assert_eq!(
            record.ranked[0].reasons,
            [Reason::Number, Reason::OtherPayer]
        );
        assert_eq!(payment_text(&record).as_deref(), Ok(WRITTEN));
    }

    #[test]
    fn what_was_not_written_is_refused() {
        let id = PaymentId::derive("x");
        let later = WRITTEN.replace("\"v\":1", "\"v\":2");
        assert!(read_payment(id, &later).is_err());
        let other = WRITTEN.replace("unclear", "perhaps");
        assert!(read_payment(id, &other).is_err());
        let huge = WRITTEN.replace("12000000", "9223372036854775807");
        assert!(read_payment(id, &huge).is_err());
    }
}
