//! Money that came to the bank, and which invoices it pays.
//!
//! [`judge::judge`] compares one payment with the documents that may be meant. Only what is sure acts by itself:
//! the rest waits for a person, with candidates, best first, each with its reasons.
//!
//! **Absent:** how statements are written (see `relance-wire`), how candidates are found, what is stored.

pub mod amount;
pub mod effect;
pub mod judge;
pub mod number;
pub mod payer;
pub mod reference;
pub mod statement;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use amount::Amount;
pub use judge::{Candidate, Judgement, Ranked, Reason, Verdict, judge};
pub use statement::{StatementRecord, StatementTally, Undone};

use crate::ids::{ContactId, IdProblem};

/// Documents that one payment is put to.
pub const SHARES_MAX: usize = 50;
/// Candidates that are told of a payment that is not clear.
pub const RANKED_MAX: usize = 10;
/// Characters of a reference text that are kept.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Characters of a payer's name, account and numbers that are kept.
pub const NAME_CHARS_MAX: usize = 300;

/// A payment's id: derived from what makes it the same payment in every statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId([u8; 16]);

impl PaymentId {
    /// Derives the id of a key.
    pub fn derive(key: &str) -> Self {
        let hash = Sha256::digest(key.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pay_")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for PaymentId {
    type Err = IdProblem;

    fn from_str(text: &str) -> Result<Self, IdProblem> {
        let parse = || {
            let digits = text.strip_prefix("pay_")?;
            if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let number = u128::from_str_radix(digits, 16).ok()?;
            Some(Self(number.to_be_bytes()))
        };
        parse().ok_or_else(|| IdProblem {
            text: text.chars().take(80).collect(),
            expected: "a payment id",
            example: "pay_00112233445566778899aabbccddeeff",
        })
    }
}

/// Who paid, as far as the bank says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payer {
    /// As the bank writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// IBAN or another account number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// A tax id: ИНН.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tax_id: String,
    /// The bank's code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bic: String,
}

impl Payer {
    /// By what the same payer is known in another payment: the account, else the tax id.
    pub fn mark(&self) -> Option<String> {
        let mark = |prefix: &str, text: &str| {
            let plain = payer::plain_id(text);
            (plain.len() >= MARK_CHARS_MIN).then(|| format!("{prefix}{plain}"))
        };
        mark("a:", &self.account).or_else(|| mark("t:", &self.tax_id))
    }
}

/// Letters and digits of an account or tax id that tell a payer.
const MARK_CHARS_MIN: usize = 6;

/// A line of a statement: money that came, or that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The same in every statement that has this line.
    pub key: String,
    /// When the bank booked it.
    pub booked: Date,
    /// More than nothing: it came.
    pub amount: Amount,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// Who paid.
    pub payer: Payer,
    /// What the payer wrote.
    pub text: String,
    /// A reference in a field of its own: ISO 11649, Swiss, or any other.
    pub creditor_reference: Option<String>,
    /// The payer's own id of the payment, which a return of it repeats.
    pub end_to_end: Option<String>,
    /// It takes an earlier payment back.
    pub is_reversal: bool,
    /// To which account of ours.
    pub account: String,
}

impl Payment {
    /// Its id.
    pub fn id(&self) -> PaymentId {
        PaymentId::derive(&self.key)
    }
}

/// What a payment, or a part of it, was put to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Whose document.
    pub contact: ContactId,
    /// Which.
    pub document: Arc<str>,
    /// Its number as it was then.
    pub number: String,
    /// How much of the payment.
    pub amount: Amount,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentState {
    /// It paid one document, exactly.
    Matched,
    /// It paid a part of one.
    Part,
    /// It paid one, and more came than was open.
    Over,
    /// It paid several.
    Joint,
    /// A person must look.
    Unclear,
    /// Nothing is done about it: a person said so, or it was taken back.
    Ignored,
}

impl PaymentState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Matched,
        Self::Part,
        Self::Over,
        Self::Joint,
        Self::Unclear,
        Self::Ignored,
    ];

    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Part => "part",
            Self::Over => "over",
            Self::Joint => "joint",
            Self::Unclear => "unclear",
            Self::Ignored => "ignored",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The column; never another number.
    pub const fn column(self) -> u8 {
        match self {
            Self::Matched => 1,
            Self::Part => 2,
            Self::Over => 3,
            Self::Joint => 4,
            Self::Unclear => 5,
            Self::Ignored => 6,
        }
    }
}

/// Why a payment stands where it does, where that does not follow from its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A person put it to its documents.
    ByHand,
    /// A person said that nothing is to be done.
    Dismissed,
    /// What it was put to was taken back by a person.
    Undone,
    /// The bank took it back.
    Reversed,
    /// It takes another one back, and that was done.
    Reversal,
    /// It takes another one back, which is not known.
    UnknownReversal,
    /// The person that it was about was forgotten.
    Forgotten,
    /// The statement that it came with was taken back, with all that followed.
    StatementUndone,
}

/// A payment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRecord {
    /// Which.
    pub id: PaymentId,
    /// What the bank said.
    pub payment: Payment,
    /// In which statement it came first.
    pub statement: String,
    /// Where it stands.
    pub state: PaymentState,
    /// What it was put to.
    pub shares: Vec<Share>,
    /// What may be meant, best first.
    pub ranked: Vec<Ranked>,
    /// More about its state.
    pub note: Option<Note>,
    /// The payment that this one takes back, or that took this one back.
    pub other: Option<PaymentId>,
    /// From 1; each change adds one.
    pub revision: u32,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

impl PaymentRecord {
    /// What is left of the money after what it was put to.
    pub fn rest(&self) -> Amount {
        let used: Amount = self.shares.iter().map(|share| share.amount).sum();
        self.payment.amount - used
    }
}
