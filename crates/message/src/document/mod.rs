//! Offers and invoices in mail: is this one, and what does it say?
//!
//! [`find`] answers from the subject, the body without quotation and the attachments' names and texts,
//! by rules kept as data ([`DocumentRules`]). An e-invoice in XML beats everything else, for it is exact.
//! Each answer carries the rules that led to it.
//!
//! **Absent:** who sent the mail and to whom; mail parsing; reading of files other than PDF ([`pdf`]) and
//! XML ([`einvoice`]), whose texts come with the attachment; any word of any language, which is data.

mod amount;
mod date;
pub mod einvoice;
mod fields;
mod forward;
mod number;
mod parties;
pub mod pdf;
mod phrase;
mod rules;
mod russian;
mod score;
mod text;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize, Serializer};

pub use forward::{Forwarded, forwarded};
pub use rules::{
    DocumentRules, ListedRule, RULES_BYTES_MAX, RULES_FORMAT, RULES_PHRASES_MAX, RulesProblem,
};
pub use score::{Lack, Near};

/// Attachments looked at; further ones are not read.
pub const ATTACHMENTS_MAX: usize = 20;

/// A mail as far as recognition needs it.
#[derive(Clone, Copy, Debug)]
pub struct DocumentInput<'a> {
    pub subject: &'a str,
    /// The body as plain text, without quotation.
    pub text: &'a str,
    pub attachments: &'a [AttachmentText<'a>],
    /// The day the mail was sent: years that are left out and payment terms count from it.
    pub sent_on: Option<Date>,
}

/// An attachment and the text found in it.
///
/// A PDF gives its [`pdf::PdfText::joined`] text; each XML file embedded in it is one more
/// `AttachmentText` under the PDF's name, with content type `application/xml`.
#[derive(Clone, Copy, Debug)]
pub struct AttachmentText<'a> {
    pub name: &'a str,
    pub content_type: &'a str,
    pub text: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    Invoice,
    Offer,
}

/// Where a piece of evidence was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Subject,
    Body,
    AttachmentName,
    AttachmentText,
    Xml,
    /// A rule of the workspace's own.
    Rule,
}

/// A rule that fired, for the answer to "why".
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// The rule's id in the rules file, or `einvoice`.
    pub rule: String,
    pub place: Place,
    /// Its share of the score; negative when it speaks against a document.
    pub weight: f64,
}

/// A recognised document. `kind`, `number`, `amount`, `currency`, `issued` and `due` are a promised shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundDocument {
    pub kind: DocumentKind,
    pub number: Option<String>,
    /// What is to pay, tax included where the document says so.
    #[serde(serialize_with = "as_json_number")]
    pub amount: Option<Decimal>,
    /// ISO 4217.
    pub currency: Option<String>,
    pub issued: Option<Date>,
    /// The last day to pay; for an invoice that names none, the day until which it is valid.
    pub due: Option<Date>,
    /// Until when an offer stands.
    pub valid_until: Option<Date>,
    /// Value added tax in the amount.
    #[serde(serialize_with = "as_json_number")]
    pub vat: Option<Decimal>,
    /// Its rates in percent.
    #[serde(serialize_with = "as_json_numbers")]
    pub vat_rates: Vec<Decimal>,
    /// The amount without it.
    #[serde(serialize_with = "as_json_number")]
    pub net: Option<Decimal>,
    /// Who is to pay, by name.
    pub payer: Option<String>,
    /// The payer's number with the tax office; a Russian one with that of the branch behind a stroke.
    pub payer_tax_id: Option<String>,
    /// The seller's.
    pub seller_tax_id: Option<String>,
    /// What the payment is to name.
    pub bank_reference: Option<String>,
    /// Name of the attachment that is the document; none when the mail itself is.
    pub attachment: Option<String>,
    /// 0 to 1; no probability, but monotone in the score.
    pub confidence: f64,
    pub evidence: Vec<Evidence>,
}

/// Finds the document that a mail brings, if it brings one.
pub fn find(input: &DocumentInput<'_>, rules: &DocumentRules) -> Option<FoundDocument> {
    score::find(input, rules)
}

/// Reads a mail as a document of this kind, because somebody said that it is one; the evidence is `rule`.
pub fn read_as(
    input: &DocumentInput<'_>,
    kind: DocumentKind,
    rule: &str,
    rules: &DocumentRules,
) -> FoundDocument {
    score::read_as(input, kind, rule, rules)
}

/// How near a mail in which nothing is found came to a document, and what it lacks.
pub fn near(input: &DocumentInput<'_>, rules: &DocumentRules) -> Near {
    score::near(input, rules)
}

fn as_json_numbers<S: Serializer>(numbers: &[Decimal], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(numbers.iter().filter_map(ToPrimitive::to_f64))
}

/// A whole amount is an integer, any other the nearest double, which prints the same digits.
fn as_json_number<S: Serializer>(
    amount: &Option<Decimal>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match amount {
        None => serializer.serialize_none(),
        Some(amount) => match (amount.is_integer(), amount.to_i64(), amount.to_f64()) {
            (true, Some(whole), _) => serializer.serialize_i64(whole),
            (_, _, Some(double)) => serializer.serialize_f64(double),
            (_, _, None) => serializer.serialize_none(),
        },
    }
}

#[cfg(test)]
mod tests;
