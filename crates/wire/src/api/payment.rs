//! Bank statements and payments.

use relance_core::payment::{Note, PaymentRecord, Ranked, Reason, Share, StatementRecord};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::statement::{Part, Statement};

/// An account of a statement.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatementPart {
    /// IBAN or another number.
    pub account: String,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// The first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Payments that came or were taken back.
    pub entries: usize,
    /// Entries that concern nobody here: what we paid.
    pub outgoing: usize,
    /// Whether the entries lead from one balance to the other; left out where balances are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced: Option<bool>,
}

impl StatementPart {
    /// As it is told.
    pub fn of(part: &Part) -> Self {
        Self {
            account: part.account.clone(),
            currency: part.currency.clone(),
            from: part.from.map(|date| date.to_string()),
            to: part.to.map(|date| date.to_string()),
            entries: part.payments.len(),
            outgoing: part.outgoing,
            balanced: part.is_balanced(),
        }
    }
}

/// A statement that was taken in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatementTaken {
    /// The same for the same bytes.
    pub id: String,
    /// `camt.053`, `camt.052`, `camt.054`, `mt940`, `1c` or `csv`.
    pub format: String,
    /// Of the first account.
    pub account: String,
    /// Of the first account.
    pub currency: String,
    /// The first day of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last day of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Payments that came or were taken back.
    pub entries: usize,
    /// Entries that concern nobody here: what we paid.
    pub outgoing: usize,
    /// Not known before.
    pub new: usize,
    /// Known from another statement.
    pub known: usize,
    /// Each paid one document, exactly.
    pub matched: usize,
    /// Each paid a part of one.
    pub part: usize,
    /// Each paid one, and more came than was open.
    pub over: usize,
    /// Each paid several.
    pub joint: usize,
    /// A person must look.
    pub unclear: usize,
    /// Earlier payments that the bank took back.
    pub reversed: usize,
    /// By account.
    pub accounts: Vec<StatementPart>,
    /// Of a dry run: the first of the new payments as they would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<PaymentRow>>,
}

impl StatementTaken {
    /// What a statement says, before anything is done about it.
    pub fn of(id: &str, statement: &Statement) -> Self {
        let parts = &statement.parts;
        let first = parts.first();
        let from = parts.iter().filter_map(|part| part.from).min();
        let to = parts.iter().filter_map(|part| part.to).max();
        Self {
            id: id.to_owned(),
            format: statement.format.word().to_owned(),
            account: first.map(|part| part.account.clone()).unwrap_or_default(),
            currency: first.map(|part| part.currency.clone()).unwrap_or_default(),
            from: from.map(|date| date.to_string()),
            to: to.map(|date| date.to_string()),
            entries: statement.payments().count(),
            outgoing: statement.outgoing(),
            new: 0,
            known: 0,
            matched: 0,
            part: 0,
            over: 0,
            joint: 0,
            unclear: 0,
            reversed: 0,
            accounts: parts.iter().map(StatementPart::of).collect(),
            items: None,
        }
    }
}

/// Who paid.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayerShown {
    /// As the bank writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// IBAN or another number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// A tax id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tax_id: String,
}

/// A document that a payment was put to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaidDocument {
    /// Whose.
    pub contact: String,
    /// Which.
    pub document: String,
    /// Its number.
    pub number: String,
    /// How the contact is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// How much of the payment, as a decimal number.
    pub amount: String,
}

impl PaidDocument {
    /// As it is told.
    pub fn of(share: &Share, client: Option<String>) -> Self {
        Self {
            contact: share.contact.to_string(),
            document: share.document.to_string(),
            number: share.number.clone(),
            client,
            amount: share.amount.to_string(),
        }
    }
}

/// A document that may be meant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CandidateShown {
    /// Whose.
    pub contact: String,
    /// Which.
    pub document: String,
    /// Its number.
    pub number: String,
    /// How the contact is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What is open, as a decimal number; left out where no amount is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// What speaks for and against it, the strongest first: `number`, `number_end`, `reference`, `amount`,
    /// `amount_less`, `amount_more`, `payer_account`, `payer_tax_id`, `payer_known`, `payer_name`, `date`,
    /// `other_currency`, `other_payer`, `paid_already`, `other_number`, `rival`.
    pub reasons: Vec<String>,
}

impl CandidateShown {
    /// As it is told.
    pub fn of(one: &Ranked, client: Option<String>) -> Self {
        let reasons = one.reasons.iter().copied().map(Reason::word);
        Self {
            contact: one.contact.to_string(),
            document: one.document.to_string(),
            number: one.number.clone(),
            client,
            open: one.open.map(|open| open.to_string()),
            reasons: reasons.map(str::to_owned).collect(),
        }
    }
}

/// A payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentRow {
    /// Which.
    pub id: String,
    /// The day on which the bank booked it.
    pub at: String,
    /// As a decimal number; less than nothing where the bank took it back.
    pub amount: String,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// Who paid.
    pub payer: PayerShown,
    /// What the payer wrote, or the reference in a field of its own.
    pub reference: String,
    /// To which account of ours.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// `matched`, `part`, `over`, `joint`, `unclear` or `ignored`.
    pub state: String,
    /// `by_hand`, `dismissed`, `undone`, `reversed`, `reversal`, `unknown_reversal`, `forgotten` or
    /// `statement_undone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The payment that this one takes back, or that took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// What it was put to.
    pub documents: Vec<PaidDocument>,
    /// What is left of the money, as a decimal number; left out where nothing is, or nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
    /// What may be meant, best first.
    pub candidates: Vec<CandidateShown>,
    /// In which statement it came first.
    pub statement: String,
    /// How the statement's file was called, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// The code of a note.
pub const fn note_word(note: Note) -> &'static str {
    match note {
        Note::ByHand => "by_hand",
        Note::Dismissed => "dismissed",
        Note::Undone => "undone",
        Note::Reversed => "reversed",
        Note::Reversal => "reversal",
        Note::UnknownReversal => "unknown_reversal",
        Note::Forgotten => "forgotten",
        Note::StatementUndone => "statement_undone",
    }
}

impl PaymentRow {
    /// As it is told; documents and candidates are given.
    pub fn of(
        record: &PaymentRecord,
        documents: Vec<PaidDocument>,
        candidates: Vec<CandidateShown>,
        file: Option<String>,
    ) -> Self {
        let payment = &record.payment;
        let rest = record.rest();
        let field = payment.creditor_reference.clone().unwrap_or_default();
        Self {
            id: record.id.to_string(),
            at: payment.booked.to_string(),
            amount: payment.amount.to_string(),
            currency: payment.currency.clone(),
            payer: PayerShown {
                name: payment.payer.name.clone(),
                account: payment.payer.account.clone(),
                tax_id: payment.payer.tax_id.clone(),
            },
            reference: if payment.text.is_empty() {
                field
            } else {
                payment.text.clone()
            },
            account: payment.account.clone(),
            state: record.state.word().to_owned(),
            note: record.note.map(|note| note_word(note).to_owned()),
            other: record.other.map(|id| id.to_string()),
            rest: (!record.shares.is_empty() && rest.is_positive()).then(|| rest.to_string()),
            documents,
            candidates,
            statement: record.statement.clone(),
            file: file.filter(|name| !name.is_empty()),
        }
    }
}

/// A statement that was taken in, as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StatementRow {
    /// The same for the same bytes.
    pub id: String,
    /// The file's name; left out where none was told.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `camt.053`, `camt.052`, `camt.054`, `mt940`, `1c` or `csv`.
    pub format: String,
    /// Who took it in first: an address, or the name of a token.
    pub by: String,
    /// When.
    pub at: String,
    /// Of its first account.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Of its first account.
    pub currency: String,
    /// Accounts in it.
    pub accounts: u64,
    /// The first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Payments in it that came or were taken back.
    pub entries: u64,
    /// Entries that concern nobody here: what we paid.
    pub outgoing: u64,
    /// Of the payments, those that came with it first; the others were known.
    pub new: u64,
    /// Of the new ones as it was taken in: each paid one document, exactly.
    pub matched: u64,
    /// Each paid a part of one.
    pub part: u64,
    /// Each paid one, and more came than was open.
    pub over: u64,
    /// Each paid several.
    pub joint: u64,
    /// A person had to look.
    pub unclear: u64,
    /// Nothing was done about them.
    pub ignored: u64,
    /// Earlier payments that the bank took back by it.
    pub reversed: u64,
    /// `false`: the program ended half-way; sending the file again goes on.
    pub whole: bool,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
}

impl StatementRow {
    /// As it is told.
    pub fn of(record: StatementRecord) -> Self {
        let tally = record.tally;
        let (undone_at, undone_by) = record
            .undone
            .map(|undone| (undone.at.to_string(), undone.by))
            .unzip();
        Self {
            id: record.id,
            name: record.name,
            format: record.format,
            by: record.by,
            at: record.at.to_string(),
            account: record.account,
            currency: record.currency,
            accounts: record.accounts,
            from: record.from.map(|date| date.to_string()),
            to: record.to.map(|date| date.to_string()),
            entries: record.entries,
            outgoing: record.outgoing,
            new: tally.new,
            matched: tally.matched,
            part: tally.part,
            over: tally.over,
            joint: tally.joint,
            unclear: tally.unclear,
            ignored: tally.ignored,
            reversed: tally.reversed,
            whole: record.whole,
            undone_at,
            undone_by,
        }
    }
}

/// A statement that was taken back, with all that followed from it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StatementUndone {
    /// The statement as it is now.
    pub statement: StatementRow,
    /// Payments that were taken back now.
    pub payments: usize,
}

/// How many payments stand where.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct PaymentCounts {
    /// One document, exactly.
    pub matched: u64,
    /// A part of one.
    pub part: u64,
    /// One, and more came.
    pub over: u64,
    /// Several.
    pub joint: u64,
    /// A person must look.
    pub unclear: u64,
    /// Nothing is done about them.
    pub ignored: u64,
    /// Whether all are counted; each number is a least one otherwise.
    pub exact: bool,
}

/// What a payment pays, as a person says it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidAssigned {
    /// The documents, with what each gets.
    pub documents: Vec<SaidDocument>,
}

/// A document and what it gets.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidDocument {
    /// Whose.
    pub contact: String,
    /// Which.
    pub document: String,
    /// A decimal number as a text; without it what is open, as far as the money goes.
    #[serde(default)]
    pub amount: Option<String>,
}
