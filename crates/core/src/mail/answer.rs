//! What an answer says, beside its text: what its author wants, by when, and which documents it names.
//!
//! Read by rules elsewhere (`relance-message`); a suggestion to people, and to journeys that ask for it.
//! **Absent:** who is meant, see [`super::whom`].

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How sure a reading must be before it is obeyed without a person, in percent: a wish not to be written to.
pub const OBEYED_PERCENT_MIN: u8 = 80;
/// Numbers of documents that one mail may name.
pub const NUMBERS_MAX: usize = 20;

/// What a short answer wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// It is paid, they say.
    Paid,
    /// They will pay.
    WillPay,
    /// They do not want what was offered.
    NotInterested,
    /// Not now.
    Later,
    /// They want something of us: an answer, a change, a document.
    Question,
    /// They do not want to be written to.
    Unsubscribe,
    /// None of these, or not plain.
    #[default]
    Other,
}

impl Intent {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Paid,
        Self::WillPay,
        Self::NotInterested,
        Self::Later,
        Self::Question,
        Self::Unsubscribe,
        Self::Other,
    ];

    /// The word in events and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::WillPay => "will_pay",
            Self::NotInterested => "not_interested",
            Self::Later => "later",
            Self::Question => "question",
            Self::Unsubscribe => "unsubscribe",
            Self::Other => "other",
        }
    }

    /// The intent of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|intent| intent.word() == word)
    }
}

/// What a person's answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What they want.
    pub intent: Intent,
    /// By when: of a promise to pay and of a "later"; never before the day of the mail.
    pub date: Option<Date>,
    /// How sure that is, in percent.
    pub percent: u8,
    /// What they quote, cut short.
    pub quoted: String,
}

impl Said {
    /// Whether it asks us to write no more, plainly enough to be obeyed.
    pub fn wants_silence(&self) -> bool {
        self.intent == Intent::Unsubscribe && self.percent >= OBEYED_PERCENT_MIN
    }
}

/// A document's number that a mail names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedNumber {
    /// In lower case, as it is written but for the sign before it.
    pub number: String,
    /// Long and odd enough that it is nothing else: `q-2026-15`, not `15`.
    pub is_distinctive: bool,
}
