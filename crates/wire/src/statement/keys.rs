//! Keys by which an entry is known in every statement that has it.
//!
//! The bank's own reference, with day and sum since some banks use references again; else all that the entry says. Of
//! entries that are alike in all of that the second one is another: its number among them is part of the key.

use std::collections::BTreeMap;

use relance_core::payment::{Payment, payer::plain_id};

use super::Part;

/// Puts the keys of a part in order. Readers leave the bank's reference in `key`, or nothing.
pub(super) fn settle(part: &mut Part) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for payment in &mut part.payments {
        let base = base(payment);
        let times = seen.entry(base.clone()).or_default();
        *times += 1;
        payment.key = if *times == 1 {
            base
        } else {
            format!("{base}\u{1f}{times}")
        };
    }
}

fn base(payment: &Payment) -> String {
    let (account, booked) = (plain_id(&payment.account), payment.booked);
    let (amount, currency) = (payment.amount, payment.currency.as_str());
    if !payment.key.is_empty() {
        let reference = &payment.key;
        return format!("r\u{1f}{account}\u{1f}{reference}\u{1f}{booked}\u{1f}{amount}{currency}");
    }
    let payer = plain_id(&payment.payer.account);
    let own = payment.end_to_end.as_deref().unwrap_or_default();
    // Banks break lines elsewhere in another statement.
    let text: String = payment
        .text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let name: String = payment
        .payer
        .name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    format!(
        "h\u{1f}{account}\u{1f}{booked}\u{1f}{amount}{currency}\u{1f}{payer}\u{1f}{name}\u{1f}{own}\u{1f}{text}"
    )
}
