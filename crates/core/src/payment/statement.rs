//! A bank statement as it is kept: who took it in, when, and what became of its payments.
//!
//! **Absent:** its payments, which are kept one by one, and its bytes, which are not kept.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::PaymentState;

/// Characters of a file's name.
pub const FILE_NAME_CHARS_MAX: usize = 200;

/// What became of a statement's payments, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatementTally {
    /// Payments that came with it first.
    pub new: u64,
    /// Of these, one document each, exactly.
    pub matched: u64,
    /// A part of one.
    pub part: u64,
    /// One, and more came than was open.
    pub over: u64,
    /// Several.
    pub joint: u64,
    /// For a person.
    pub unclear: u64,
    /// Nothing is done about them.
    pub ignored: u64,
    /// Earlier payments that the bank took back by it.
    pub reversed: u64,
}

impl StatementTally {
    /// One more payment that stands here.
    pub fn add(&mut self, state: PaymentState) {
        self.new += 1;
        let of_state = match state {
            PaymentState::Matched => &mut self.matched,
            PaymentState::Part => &mut self.part,
            PaymentState::Over => &mut self.over,
            PaymentState::Joint => &mut self.joint,
            PaymentState::Unclear => &mut self.unclear,
            PaymentState::Ignored => &mut self.ignored,
        };
        *of_state += 1;
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            new: self.new + other.new,
            matched: self.matched + other.matched,
            part: self.part + other.part,
            over: self.over + other.over,
            joint: self.joint + other.joint,
            unclear: self.unclear + other.unclear,
            ignored: self.ignored + other.ignored,
            reversed: self.reversed + other.reversed,
        }
    }
}

/// Who took a statement back, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// When.
    pub at: Timestamp,
    /// Who: an address, or the name of a token.
    pub by: String,
}

/// A statement that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRecord {
    /// The same for the same bytes.
    #[serde(skip)]
    pub id: String,
    /// The file's name, as it was sent; may be nothing.
    pub name: String,
    /// `camt.053`, `mt940`, ...
    pub format: String,
    /// Who took it in first: an address, or the name of a token.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Of its first account.
    pub account: String,
    /// Of its first account.
    pub currency: String,
    /// Accounts in it.
    pub accounts: u64,
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Payments in it that came or were taken back.
    pub entries: u64,
    /// Entries that concern nobody here.
    pub outgoing: u64,
    /// What became of them when it was taken in.
    pub tally: StatementTally,
    /// Whether all of it was taken in: a program may have ended half-way. Sending it again goes on.
    pub whole: bool,
    /// It was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<Undone>,
}

impl StatementRecord {
    /// It, sent once more, with what is known of it already.
    pub fn onto(self, known: Option<Self>) -> Self {
        match known {
            Some(known) if known.undone.is_none() => known,
            Some(_) | None => self,
        }
    }
}
