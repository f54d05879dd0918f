//! The rules of recognition, as data: words, labels, signals, currencies, months.
//!
//! [`DocumentRules::from_toml`] checks the whole file and names the entry at fault; afterwards nothing
//! in it can fail. The shipped file is `assets/rules/documents.toml`. **Absent:** any rule in code: the
//! code is the engine, and a word that belongs to one language stands in the data.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::DocumentKind;
use super::amount::{Currency, MoneyRules, Multiplier, Script};
use super::date::Months;
use super::phrase::Phrases;
use super::text::fold_into;

/// The only format there is.
pub const RULES_FORMAT: &str = "documents/1";
/// Largest rules file read.
pub const RULES_BYTES_MAX: usize = 1024 * 1024;
/// Phrases in one file, all sections together.
pub const RULES_PHRASES_MAX: usize = 20_000;

/// A rule as people read it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRule {
    pub id: String,
    /// `invoice`, `offer`, `other` (a paper that is neither), `for`, `against`.
    pub kind: &'static str,
    /// `anywhere`, `subject`, `body`.
    pub place: &'static str,
    pub weight: f64,
    pub phrases: Vec<String>,
}

/// Rules ready for use.
#[derive(Clone, Debug)]
pub struct DocumentRules {
    pub(crate) weights: Weights,
    pub(crate) words: Vec<Word>,
    pub(crate) word_phrases: Phrases<usize>,
    pub(crate) labels: Vec<Label>,
    pub(crate) label_phrases: Phrases<usize>,
    pub(crate) terms: Vec<Term>,
    pub(crate) term_phrases: Phrases<usize>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) signal_phrases: Phrases<usize>,
    /// Beginnings of words by which a term or a day is that of a discount.
    pub(crate) discount_words: Vec<String>,
    /// Words behind a number that make it a day of some month.
    pub(crate) day_words: Vec<String>,
    /// Words before a tax's name by which a total has it in it.
    pub(crate) with_words: Vec<String>,
    pub(crate) payment_phrases: Phrases<()>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) mark_phrases: Phrases<usize>,
    pub(crate) forward_prefixes: Vec<String>,
    pub(crate) forward_authors: Vec<String>,
    pub(crate) reply_prefixes: Vec<String>,
    pub(crate) endings: Vec<Ending>,
    pub(crate) money: MoneyRules,
    pub(crate) months: Months,
}

/// Why a rules file was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RulesProblem {
    #[error("document rules of {bytes} bytes are larger than {RULES_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("document rules are not valid: {message}")]
    Syntax { message: String },
    #[error("document rules have format `{found}`: write `{RULES_FORMAT}`")]
    UnknownFormat { found: String },
    #[error("document rules: `{id}` in [[{section}]] is given twice: rename one")]
    Duplicate { section: &'static str, id: String },
    #[error(
        "document rules: `{id}` in [[{section}]] has an empty phrase `{phrase}`: write a word or remove it"
    )]
    EmptyPhrase {
        section: &'static str,
        id: String,
        phrase: String,
    },
    #[error("document rules: `{id}` in [[{section}]] needs `{{n}}` in `{phrase}`")]
    NumberMissing {
        section: &'static str,
        id: String,
        phrase: String,
    },
    #[error("document rules: `{id}` in [[{section}]] has `{field}` out of range")]
    OutOfRange {
        section: &'static str,
        id: String,
        field: &'static str,
    },
    #[error("document rules hold more than {RULES_PHRASES_MAX} phrases: split or shorten them")]
    TooManyPhrases,
}

/// What a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaperKind {
    Invoice,
    Offer,
    /// A paper that is neither: a receipt, a contract, a delivery note.
    Other,
}

/// A word that names a kind of paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    pub id: String,
    pub kind: PaperKind,
    pub weight: f64,
    words: Vec<String>,
}

/// What stands behind a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LabelField {
    Number,
    Amount,
    Issued,
    Due,
    ValidUntil,
    /// A number, amount or date of something else, so that it is not taken for ours.
    Other,
    /// Another amount of the same paper: a subtotal, a tax, a discount.
    OtherAmount,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    pub id: String,
    pub field: LabelField,
    /// Of several labels of one field the highest rank wins.
    #[serde(default)]
    pub rank: u8,
    pub kind: Option<DocumentKind>,
    /// Which part of the total the amount behind it is.
    pub part: Option<AmountPart>,
    /// Counts only where it begins its cell.
    #[serde(default)]
    pub begins_cell: bool,
    words: Vec<String>,
}

/// A part of a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AmountPart {
    /// Value added tax.
    Vat,
    /// What is left without it.
    Net,
}

/// What a word about the parties says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MarkMeans {
    /// What follows is of the seller.
    Seller,
    /// What follows is of the payer, the name first.
    Payer,
    /// It only looks like a party.
    Neither,
    /// The payer's name stands before it.
    PayerBefore,
    /// A Russian number with the tax office follows.
    Inn,
    /// The number of its branch.
    Kpp,
    /// A VAT number, or another with letters.
    VatId,
    /// What a payment is to name follows.
    Reference,
}

/// Words about the parties of a paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    pub id: String,
    pub means: MarkMeans,
    words: Vec<String>,
}

/// Unit of a payment term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TermUnit {
    Days,
    /// Monday to Friday; holidays are not known here.
    WorkingDays,
    Weeks,
    Months,
    /// The last day of the month so many months on.
    EndOfMonth,
}

/// A payment term relative to the date of issue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Term {
    pub id: String,
    pub unit: TermUnit,
    /// The count when the phrase itself holds none.
    pub count: Option<u32>,
    /// Only beside a word about payment.
    #[serde(default)]
    pub near_payment: bool,
    words: Vec<String>,
}

/// Where a signal counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignalPlace {
    Subject,
    Body,
    Anywhere,
}

/// A phrase that speaks for or against a document, whatever its kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signal {
    pub id: String,
    pub weight: f64,
    pub place: SignalPlace,
    /// Counts only when a file is attached that may hold a paper.
    #[serde(default)]
    pub with_attachment: bool,
    words: Vec<String>,
}

/// A file's ending and what it adds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ending {
    pub weight: f64,
    pub endings: Vec<String>,
}

/// How much each kind of evidence counts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weights {
    pub threshold: f64,
    pub attachment_name: f64,
    pub attachment_title: f64,
    pub attachment_text: f64,
    pub subject: f64,
    pub subject_of_reply: f64,
    pub body_title: f64,
    pub body: f64,
    pub number: f64,
    pub amount: f64,
    pub due: f64,
    /// A reply whose body is the candidate: mostly an answer to a document.
    pub reply_without_paper: f64,
    /// Part of a contrary signal that counts against an attachment that names itself.
    pub contrary_to_named: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    format: String,
    weights: Weights,
    reply_prefixes: Vec<String>,
    #[serde(default)]
    forward_prefixes: Vec<String>,
    #[serde(default)]
    forward_authors: Vec<String>,
    payment_words: Vec<String>,
    #[serde(default)]
    discount_words: Vec<String>,
    #[serde(default)]
    day_words: Vec<String>,
    #[serde(default)]
    with_words: Vec<String>,
    word: Vec<Word>,
    #[serde(default)]
    mark: Vec<Mark>,
    label: Vec<Label>,
    term: Vec<Term>,
    signal: Vec<Signal>,
    ending: Vec<Ending>,
    currency: Vec<CurrencyEntry>,
    multiplier: Vec<MultiplierEntry>,
    month: Vec<MonthEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyEntry {
    code: String,
    marks: Vec<String>,
    #[serde(default)]
    space_groups: bool,
    #[serde(default)]
    month_first: bool,
    script: Option<Script>,
    shares: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MultiplierEntry {
    factor: u64,
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MonthEntry {
    number: i8,
    names: Vec<String>,
}

impl DocumentRules {
    /// Parses and checks a rules file.
    pub fn from_toml(text: &str) -> Result<Self, RulesProblem> {
        if text.len() > RULES_BYTES_MAX {
            return Err(RulesProblem::TooLarge { bytes: text.len() });
        }
        let file: RulesFile = toml::from_str(text).map_err(|error| RulesProblem::Syntax {
            message: error.to_string(),
        })?;
        if file.format != RULES_FORMAT {
            return Err(RulesProblem::UnknownFormat { found: file.format });
        }
        let mut ids = Ids::default();
        let mut word_phrases = Phrases::new();
        for (index, word) in file.word.iter().enumerate() {
            ids.finite("word", &word.id, "weight", word.weight)?;
            ids.enter("word", &word.id, &word.words, index, &mut word_phrases)?;
        }
        let mut label_phrases = Phrases::new();
        for (index, label) in file.label.iter().enumerate() {
            ids.enter("label", &label.id, &label.words, index, &mut label_phrases)?;
        }
        let mut term_phrases = Phrases::new();
        for (index, term) in file.term.iter().enumerate() {
            if let Some(phrase) = term
                .words
                .iter()
                .find(|phrase| term.count.is_none() && !phrase.contains("{n}"))
            {
                return Err(RulesProblem::NumberMissing {
                    section: "term",
                    id: term.id.clone(),
                    phrase: phrase.clone(),
                });
            }
            ids.enter("term", &term.id, &term.words, index, &mut term_phrases)?;
        }
        let mut signal_phrases = Phrases::new();
        for (index, signal) in file.signal.iter().enumerate() {
            ids.finite("signal", &signal.id, "weight", signal.weight)?;
            ids.enter(
                "signal",
                &signal.id,
                &signal.words,
                index,
                &mut signal_phrases,
            )?;
        }
        let mut payment_phrases = Phrases::new();
        ids.enter(
            "payment_words",
            "payment_words",
            &file.payment_words,
            (),
            &mut payment_phrases,
        )?;
        let mut mark_phrases = Phrases::new();
        for (index, mark) in file.mark.iter().enumerate() {
            ids.enter("mark", &mark.id, &mark.words, index, &mut mark_phrases)?;
        }
        ids.finite("weights", "weights", "threshold", file.weights.threshold)?;
        let all_folded = |words: &[String]| words.iter().map(|word| folded(word)).collect();
        Ok(Self {
            weights: file.weights,
            words: file.word,
            word_phrases,
            labels: file.label,
            label_phrases,
            terms: file.term,
            term_phrases,
            signals: file.signal,
            signal_phrases,
            payment_phrases,
            marks: file.mark,
            mark_phrases,
            forward_prefixes: all_folded(&file.forward_prefixes),
            forward_authors: all_folded(&file.forward_authors),
            discount_words: all_folded(&file.discount_words),
            day_words: all_folded(&file.day_words),
            with_words: all_folded(&file.with_words),
            reply_prefixes: file
                .reply_prefixes
                .iter()
                .map(|prefix| folded(prefix))
                .collect(),
            endings: file.ending,
            money: money_rules(&file.currency, &file.multiplier)?,
            months: months(&file.month)?,
        })
    }

    /// The rules that say what a mail is, for whoever wants to read them: words that name a paper, and signals.
    pub fn listed(&self) -> Vec<ListedRule> {
        let words = self.words.iter().map(|word| ListedRule {
            id: word.id.clone(),
            kind: match word.kind {
                PaperKind::Invoice => "invoice",
                PaperKind::Offer => "offer",
                PaperKind::Other => "other",
            },
            place: "anywhere",
            weight: word.weight,
            phrases: word.words.clone(),
        });
        let signals = self.signals.iter().map(|signal| ListedRule {
            id: signal.id.clone(),
            kind: if signal.weight < 0.0 {
                "against"
            } else {
                "for"
            },
            place: match signal.place {
                SignalPlace::Subject => "subject",
                SignalPlace::Body => "body",
                SignalPlace::Anywhere => "anywhere",
            },
            weight: signal.weight,
            phrases: signal.words.clone(),
        });
        words.chain(signals).collect()
    }

    /// Phrases of all sections, for reports.
    pub fn phrase_count(&self) -> usize {
        let words = self
            .words
            .iter()
            .map(|rule| rule.words.len())
            .sum::<usize>();
        let labels = self
            .labels
            .iter()
            .map(|rule| rule.words.len())
            .sum::<usize>();
        let terms = self
            .terms
            .iter()
            .map(|rule| rule.words.len())
            .sum::<usize>();
        let signals = self
            .signals
            .iter()
            .map(|rule| rule.words.len())
            .sum::<usize>();
        words + labels + terms + signals
    }
}

#[derive(Default)]
struct Ids {
    seen: BTreeSet<(&'static str, String)>,
    phrases: usize,
}

impl Ids {
    fn enter<T: Copy>(
        &mut self,
        section: &'static str,
        id: &str,
        phrases: &[String],
        value: T,
        tree: &mut Phrases<T>,
    ) -> Result<(), RulesProblem> {
        if !self.seen.insert((section, id.to_owned())) {
            return Err(RulesProblem::Duplicate {
                section,
                id: id.to_owned(),
            });
        }
        self.phrases += phrases.len();
        if self.phrases > RULES_PHRASES_MAX {
            return Err(RulesProblem::TooManyPhrases);
        }
        for phrase in phrases {
            if !tree.add(phrase, value) {
                return Err(RulesProblem::EmptyPhrase {
                    section,
                    id: id.to_owned(),
                    phrase: phrase.clone(),
                });
            }
        }
        Ok(())
    }

    fn finite(
        &self,
        section: &'static str,
        id: &str,
        field: &'static str,
        value: f64,
    ) -> Result<(), RulesProblem> {
        if value.is_finite() {
            return Ok(());
        }
        Err(RulesProblem::OutOfRange {
            section,
            id: id.to_owned(),
            field,
        })
    }
}

pub(crate) fn folded(text: &str) -> String {
    let mut out = String::new();
    fold_into(text, &mut out);
    out
}

fn money_rules(
    currencies: &[CurrencyEntry],
    multipliers: &[MultiplierEntry],
) -> Result<MoneyRules, RulesProblem> {
    let mut rules = MoneyRules::default();
    for entry in currencies {
        if entry.code.len() != 3 || !entry.code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(RulesProblem::OutOfRange {
                section: "currency",
                id: entry.code.clone(),
                field: "code",
            });
        }
        if entry
            .marks
            .iter()
            .any(|mark| mark.trim_end_matches(['*', '.']).is_empty())
        {
            return Err(RulesProblem::OutOfRange {
                section: "currency",
                id: entry.code.clone(),
                field: "marks",
            });
        }
        rules.currencies.push(Currency {
            code: entry.code.clone(),
            marks: entry.marks.iter().map(|mark| folded(mark)).collect(),
            space_groups: entry.space_groups,
            month_first: entry.month_first,
            script: entry.script,
            shares: entry.shares.clone(),
        });
    }
    for entry in multipliers {
        for word in &entry.words {
            rules.multipliers.push(Multiplier {
                word: folded(word),
                factor: Decimal::from(entry.factor),
            });
        }
    }
    Ok(rules)
}

fn months(entries: &[MonthEntry]) -> Result<Months, RulesProblem> {
    let mut months = Months::new();
    for entry in entries {
        if !(1..=12).contains(&entry.number) {
            return Err(RulesProblem::OutOfRange {
                section: "month",
                id: entry.number.to_string(),
                field: "number",
            });
        }
        months.extend(entry.names.iter().map(|name| (folded(name), entry.number)));
    }
    Ok(months)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SHIPPED: &str = include_str!("../../../../assets/rules/documents.toml");

    #[test]
    fn shipped_rules_are_good() {
        let rules = DocumentRules::from_toml(SHIPPED).unwrap_or_else(|problem| panic!("{problem}"));
        assert!(rules.phrase_count() > 300);
        assert_eq!(rules.months["марта"], 3);
    }

    #[test]
    fn problems_name_the_entry() {
        let change = |from: &str, to: &str| {
            assert!(SHIPPED.contains(from), "{from}");
            DocumentRules::from_toml(&SHIPPED.replacen(from, to, 1)).unwrap_err()
        };
        assert!(matches!(
            change("documents/1", "documents/9"),
            RulesProblem::UnknownFormat { .. }
        ));
        assert!(matches!(
            change("code = \"RUB\"", "code = \"Rouble\""),
            RulesProblem::OutOfRange { field: "code", .. }
        ));
        assert!(matches!(
            change("threshold =", "treshold ="),
            RulesProblem::Syntax { .. }
        ));
        assert!(matches!(
            change("\"net {n}\"", "\"net\""),
            RulesProblem::NumberMissing { .. }
        ));
        assert!(matches!(
            change("\"net {n}\"", "\" {n}\", \"  \""),
            RulesProblem::NumberMissing { .. }
        ));
        let twice = format!("{SHIPPED}\n[[signal]]\nid='x'\nweight=1\nplace='body'\nwords=['a']\n")
            .repeat(1)
            + "[[signal]]\nid='x'\nweight=1\nplace='body'\nwords=['a']\n";
        assert!(matches!(
            DocumentRules::from_toml(&twice),
            Err(RulesProblem::Duplicate { .. })
        ));
    }
}
