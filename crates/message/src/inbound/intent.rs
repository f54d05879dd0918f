//! What a short answer wants: it is paid, will be, is not wanted, later, a question, no more mail.
//!
//! By rules kept as data, sentence by sentence, with the negations of each. A long mail is rarely one of these: it
//! must be plain in its first sentences, and is less sure. Linear in the text. **Absent:** what follows; an intent is
//! a suggestion.

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::InboundRules;
use super::phrases::Phrases;
use super::said_date::{self, End};
use crate::mail::Mail;

/// Characters of an answer that are read.
const CHARS_MAX: usize = 4_000;
/// Sentences of an answer that are read.
const SENTENCES_MAX: usize = 40;
/// Bytes of a sentence that are read; more is no short answer's.
const SENTENCE_BYTES_MAX: usize = 600;
/// Weight of an answer's length: Latin and Cyrillic letters count one, others two and a half.
const SHORT_MAX: usize = 320;
const LONG_MIN: usize = 700;
/// Sentences of a long mail in which an intent may stand.
const SENTENCES_OF_LONG: usize = 2;
/// What takes from how sure a reading is, in percent.
const LOSS_LONGER: u8 = 12;
const LOSS_LONG: u8 = 25;
const LOSS_TWO_INTENTS: u8 = 15;
/// Below this it is not said.
const PERCENT_MIN: u8 = 55;

/// What an answer wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    Unsubscribe,
    Paid,
    WillPay,
    NotInterested,
    Later,
    Question,
    #[default]
    Other,
}

impl Intent {
    pub const ALL: [Intent; 7] = [
        Intent::Unsubscribe,
        Intent::Paid,
        Intent::WillPay,
        Intent::NotInterested,
        Intent::Later,
        Intent::Question,
        Intent::Other,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Intent::Unsubscribe => "unsubscribe",
            Intent::Paid => "paid",
            Intent::WillPay => "will_pay",
            Intent::NotInterested => "not_interested",
            Intent::Later => "later",
            Intent::Question => "question",
            Intent::Other => "other",
        }
    }

    pub fn from_name(name: &str) -> Option<Intent> {
        Intent::ALL.into_iter().find(|intent| intent.name() == name)
    }
}

/// How sure a reading is, in percent; in JSON a number from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u8);

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0.min(100)) / 100.0)
    }
}

/// A rule of `replies.toml`.
#[derive(Debug, Clone)]
pub(super) struct IntentRule {
    pub intent: Intent,
    pub weight: u8,
    pub patterns: Phrases,
    pub not: Phrases,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub intent: Intent,
    pub date: Option<Date>,
    pub sure: Percent,
}

/// Reads an answer's own words. Without the day of the mail no day is told.
pub(super) fn read(mail: &Mail, own: &str, rules: &InboundRules) -> Reading {
    let today = mail.date_local.map(|local| local.date()).or_else(|| {
        let received = mail.received?;
        Some(received.to_zoned(jiff::tz::TimeZone::UTC).date())
    });
    read_text(own, today, rules)
}

/// The same of a text alone.
pub(super) fn read_text(own: &str, today: Option<Date>, rules: &InboundRules) -> Reading {
    let text = normal(own);
    let sentences = sentences(&text);
    let length = weight_of(&text);
    let is_long = length > LONG_MIN;
    let seen = if is_long {
        SENTENCES_OF_LONG
    } else {
        SENTENCES_MAX
    };
    let mut best: Option<(&IntentRule, &str)> = None;
    let mut several = false;
    for sentence in sentences.iter().take(seen) {
        for rule in &rules.intents {
            // A question beside an answer is no second answer.
            if best.is_some_and(|(known, _)| known.intent < rule.intent)
                && rule.intent == Intent::Question
            {
                continue;
            }
            if !rule.patterns.is_match(sentence) || rule.not.is_match(sentence) {
                continue;
            }
            match best {
                Some((known, _)) if known.intent <= rule.intent => {
                    several |= known.intent != rule.intent;
                }
                Some((known, _)) => {
                    several |= known.intent != Intent::Question;
                    best = Some((rule, sentence));
                }
                None => best = Some((rule, sentence)),
            }
        }
    }
    let Some((rule, sentence)) = best else {
        return Reading::default();
    };
    let mut sure = rule.weight.min(100);
    if is_long {
        sure = sure.saturating_sub(LOSS_LONG);
    } else if length > SHORT_MAX {
        sure = sure.saturating_sub(LOSS_LONGER);
    }
    if several {
        sure = sure.saturating_sub(LOSS_TWO_INTENTS);
    }
    if sure < PERCENT_MIN {
        return Reading::default();
    }
    let end = match rule.intent {
        Intent::WillPay => Some(End::Last),
        Intent::Later => Some(End::First),
        Intent::Unsubscribe
        | Intent::Paid
        | Intent::NotInterested
        | Intent::Question
        | Intent::Other => None,
    };
    let date = end.zip(today).and_then(|(end, today)| {
        said_date::find(sentence, today, end, &rules.days)
            .or_else(|| said_date::find(&text, today, end, &rules.days))
    });
    Reading {
        intent: rule.intent,
        date,
        sure: Percent(sure),
    }
}

/// Lower case, one spelling of each letter and sign.
fn normal(text: &str) -> String {
    let cut: String = text.chars().take(CHARS_MAX).collect();
    cut.to_lowercase()
        .chars()
        .map(|ch| match ch {
            'ё' => 'е',
            '’' | '‘' | '`' | '´' => '\'',
            '\u{a0}' | '\u{202f}' | '\u{2009}' | '　' => ' ',
            '０'..='９' => char::from(b'0' + (u32::from(ch) - u32::from('０')) as u8),
            '／' => '/',
            other => other,
        })
        .collect()
}

/// Sentences, with their question marks.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    let mut push = |from: usize, to: usize| {
        let sentence = text.get(from..to).unwrap_or_default().trim();
        if !sentence.is_empty()
            && sentence.len() <= SENTENCE_BYTES_MAX
            && found.len() < SENTENCES_MAX
        {
            found.push(sentence);
        }
    };
    while let Some((at, ch)) = chars.next() {
        let after = at + ch.len_utf8();
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match ch {
            '\n' => next.is_none_or(|next| next == '\n' || starts_sentence(text, after)),
            '。' | '！' | '？' | '!' | '?' | ';' | '；' => true,
            '.' => next.is_none_or(char::is_whitespace) && !is_abbreviated(text, at),
            _ => false,
        };
        if ends {
            push(start, after);
            start = after;
        }
    }
    push(start, text.len());
    found
}

/// Whether a line that a mail program did not fold starts here: the one before was short.
fn starts_sentence(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().trim_end();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.chars().count() < 60
}

/// Whether the full stop belongs to a number of a day or an abbreviation: `am 12. dezember`, `nr. 5`.
fn is_abbreviated(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let word = before
        .rsplit(|ch: char| !ch.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let day = word.len() <= 2 && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let followed = text
        .get(at + 1..)
        .unwrap_or_default()
        .trim_start()
        .starts_with(|ch: char| ch.is_lowercase());
    let abbreviated = [
        "nr", "no", "inv", "г", "руб", "т", "jan", "feb", "dec", "nov", "oct",
    ];
    (day && followed && before.ends_with(|ch: char| ch.is_ascii_digit()))
        || (abbreviated.contains(&word) && followed)
}

/// How long a text is for a reader.
fn weight_of(text: &str) -> usize {
    text.chars()
        .map(|ch| if u32::from(ch) >= 0x2e80 { 5 } else { 2 })
        .sum::<usize>()
        / 2
}
