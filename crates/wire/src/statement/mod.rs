//! Bank statements: CAMT.052, .053 and .054, MT940, 1C's exchange format, and CSV as banks give it out.
//!
//! [`parse`] tells which of them a file is and reads it to money that came, and money that a bank took back. What was
//! paid by us is counted and not kept: it concerns nobody here. Each entry has a key that is the same in every
//! statement of the same account that has it.
//!
//! **Absent:** document type definitions and entities (refused), files and streams, what an entry pays.

mod camt;
mod csv;
mod heads;
mod keys;
mod mt940;
mod onec;
mod remittance;
mod text;

use std::fmt;

use jiff::civil::Date;
use relance_core::payment::{Amount, Payment};

/// Bytes of a statement; a year of a busy account has a tenth.
pub const STATEMENT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Entries of a statement, those that are only counted included.
pub const ENTRIES_MAX: usize = 100_000;
/// Accounts of one file.
pub const ACCOUNTS_MAX: usize = 1_000;
/// Characters of a value that a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// ISO 20022, end of day.
    Camt053,
    /// ISO 20022, within the day.
    Camt052,
    /// ISO 20022, a notice of single entries.
    Camt054,
    /// SWIFT.
    Mt940,
    /// `1CClientBankExchange`.
    OneC,
    /// A table.
    Csv,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Camt053,
        Self::Camt052,
        Self::Camt054,
        Self::Mt940,
        Self::OneC,
        Self::Csv,
    ];

    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Camt053 => "camt.053",
            Self::Camt052 => "camt.052",
            Self::Camt054 => "camt.054",
            Self::Mt940 => "mt940",
            Self::OneC => "1c",
            Self::Csv => "csv",
        }
    }

    /// The format of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// A file of a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// How it is written.
    pub format: Format,
    /// What is in it, by account and period.
    pub parts: Vec<Part>,
}

impl Statement {
    /// All money that came or was taken back.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.parts.iter().flat_map(|part| &part.payments)
    }

    /// How many entries were only counted.
    pub fn outgoing(&self) -> usize {
        self.parts.iter().map(|part| part.outgoing).sum()
    }
}

/// The statement of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// IBAN or another number; may be nothing in a table.
    pub account: String,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
    /// What was on the account before.
    pub opening: Option<Amount>,
    /// What was on it after.
    pub closing: Option<Amount>,
    /// Money that came, or that a bank took back, in order.
    pub payments: Vec<Payment>,
    /// Entries that were only counted: what we paid, and between our own accounts.
    pub outgoing: usize,
    /// The sum of all entries, those that were only counted included.
    pub sum: Amount,
}

impl Part {
    /// Whether the entries lead from the one balance to the other; `None` where one is not told.
    pub fn is_balanced(&self) -> Option<bool> {
        let (opening, closing) = (self.opening?, self.closing?);
        Some(opening + self.sum == closing)
    }

    /// Days of the entries, where no period is told.
    fn complete(&mut self) {
        let first = self.payments.iter().map(|one| one.booked).min();
        let last = self.payments.iter().map(|one| one.booked).max();
        self.from = self.from.or(first);
        self.to = self.to.or(last);
        if self.currency.is_empty() {
            let of_entry = self.payments.first().map(|one| one.currency.clone());
            self.currency = of_entry.unwrap_or_default();
        }
    }
}

/// Why a statement was not read. Nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementProblem {
    /// Counted from 1; 0 where it is about the whole file.
    pub line: u64,
    /// What is wrong.
    pub why: Why,
}

impl fmt::Display for StatementProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        self.why.fmt(f)
    }
}

impl std::error::Error for StatementProblem {}

/// What is wrong with a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Too many bytes.
    #[error("the statement has {0} bytes; {STATEMENT_BYTES_MAX} at most, export a shorter period")]
    TooLarge(usize),
    /// Too many entries.
    #[error("the statement has more than {ENTRIES_MAX} entries; export a shorter period")]
    TooManyEntries,
    /// Too many accounts.
    #[error(
        "the file has more than {ACCOUNTS_MAX} accounts or statements; export them in several files"
    )]
    TooManyAccounts,
    /// No bytes.
    #[error("the file is empty; export the statement again")]
    Empty,
    /// No format fits.
    #[error(
        "the file is no statement that is known; export it as CAMT.053, MT940, 1C (1CClientBankExchange) or CSV"
    )]
    Unknown,
    /// XML that declares its own entities.
    #[error("the file has a document type definition, which is refused; export it without")]
    Doctype,
    /// XML that is broken.
    #[error("the XML is broken here; export the statement again")]
    Malformed,
    /// XML nested too deep.
    #[error(
        "the XML is nested deeper than {} levels; export the statement again",
        camt::DEPTH_MAX
    )]
    TooDeep,
    /// An element of many values.
    #[error(
        "an entry has more than {} values; ask the bank for entries that are not gathered",
        camt::FIELDS_MAX
    )]
    TooManyFields,
    /// XML of something else.
    #[error("the XML is `{0}` and no bank statement; export camt.053")]
    OtherXml(String),
    /// No date where one must be.
    #[error("{field} {text:?} is no date; {remedy}")]
    NotADate {
        /// Where.
        field: &'static str,
        /// What stands there, shortened.
        text: String,
        /// What to do.
        remedy: &'static str,
    },
    /// No amount where one must be.
    #[error("{field} {text:?} is no amount; write 1234.56 or 1234,56 with two decimals")]
    NotAnAmount {
        /// Where.
        field: &'static str,
        /// What stands there, shortened.
        text: String,
    },
    /// A field that must be there.
    #[error("{0} is missing; export the statement again with all fields")]
    Missing(&'static str),
    /// A line that must have another form.
    #[error(
        "{field} {text:?} has another form than MT940 says; export the statement again, or as CAMT.053"
    )]
    BadLine {
        /// Where.
        field: &'static str,
        /// What stands there, shortened.
        text: String,
    },
    /// A file that ends too early.
    #[error("the file ends within {0}; it was not written whole, export it again")]
    Cut(&'static str),
    /// A table whose columns say nothing.
    #[error("no row names the columns; one must be called date, and one amount or credit")]
    NoHeader,
}

impl Why {
    /// A short stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::TooManyEntries => "too_many_entries",
            Self::TooManyAccounts => "too_many_accounts",
            Self::Empty => "empty",
            Self::Unknown => "unknown_format",
            Self::Doctype => "doctype",
            Self::Malformed => "malformed",
            Self::TooDeep => "too_deep",
            Self::TooManyFields => "too_many_fields",
            Self::OtherXml(_) => "other_xml",
            Self::NotADate { .. } => "not_a_date",
            Self::NotAnAmount { .. } => "not_an_amount",
            Self::Missing(_) => "missing",
            Self::BadLine { .. } => "bad_line",
            Self::Cut(_) => "cut",
            Self::NoHeader => "no_header",
        }
    }

    const fn at(self, line: u64) -> StatementProblem {
        StatementProblem { line, why: self }
    }
}

/// A value as a message may repeat it.
fn shown(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(SHOWN_CHARS_MAX).collect()
}

/// Reads a statement, whichever it is. `name` is the file's, and decides only where the bytes leave it open.
pub fn parse(bytes: &[u8], name: &str) -> Result<Statement, StatementProblem> {
    if bytes.len() > STATEMENT_BYTES_MAX {
        return Err(Why::TooLarge(bytes.len()).at(0));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Why::Empty.at(0));
    }
    let mut read = match text::sniff(bytes, name) {
        text::Sniffed::Xml => camt::read(&text::xml(bytes)),
        text::Sniffed::OneC(text) => onec::read(&text),
        text::Sniffed::Mt940(text) => mt940::read(&text),
        text::Sniffed::Table(text) => csv::read(&text),
        text::Sniffed::Unknown => Err(Why::Unknown.at(0)),
    }?;
    for part in &mut read.parts {
        part.complete();
        keys::settle(part);
    }
    Ok(read)
}
