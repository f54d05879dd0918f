//! What one entry says, as readers gather it, and the payment that it becomes.

use jiff::civil::Date;
use relance_core::payment::{Amount, NAME_CHARS_MAX, Payer, Payment, TEXT_CHARS_MAX};

use super::text;

/// What an entry says.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    /// The bank's reference.
    pub(super) key: String,
    pub(super) booked: Option<Date>,
    /// With its sign: more than nothing came.
    pub(super) amount: Amount,
    pub(super) currency: String,
    pub(super) name: String,
    pub(super) account: String,
    pub(super) tax_id: String,
    pub(super) bic: String,
    pub(super) text: String,
    pub(super) creditor_reference: String,
    pub(super) end_to_end: String,
    pub(super) is_reversal: bool,
}

impl Gathered {
    /// The payment of an entry of the account `own`.
    pub(super) fn payment(&self, booked: Date, own: &str) -> Payment {
        let some = |value: &str| {
            let value = text::tidy(value, NAME_CHARS_MAX);
            let is_none = value.is_empty()
                || value.eq_ignore_ascii_case("notprovided")
                || value.eq_ignore_ascii_case("nonref");
            (!is_none).then_some(value)
        };
        let key = some(&self.key).unwrap_or_default();
        Payment {
            key,
            booked,
            amount: self.amount,
            currency: self.currency.clone(),
            payer: Payer {
                name: text::tidy(&self.name, NAME_CHARS_MAX),
                account: text::account(&self.account),
                tax_id: text::account(&self.tax_id),
                bic: text::account(&self.bic),
            },
            text: text::tidy(&self.text, TEXT_CHARS_MAX),
            creditor_reference: some(&self.creditor_reference),
            end_to_end: some(&self.end_to_end),
            is_reversal: self.is_reversal,
            account: own.to_owned(),
        }
    }

    /// Whether it is kept: money that came, or that was taken back.
    pub(super) fn is_kept(&self) -> bool {
        if self.amount.is_positive() {
            // Money of ours that came back pays nothing.
            !self.is_reversal
        } else {
            self.is_reversal && self.amount.is_negative()
        }
    }
}
