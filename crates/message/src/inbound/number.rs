//! Numbers of documents that a mail names in its subject or its author's own words.
//!
//! A number counts when a word for a document stands right before it ("invoice 12", 「請求書 042」), or when it is so
//! odd that it is nothing else (`Q-2026-15`). **Absent:** whose they are; whoever asks looks for them.

use super::InboundRules;
use super::dates::plain_digits;

/// Characters of subject and text that are looked through.
const CHARS_MAX: usize = 6_000;
/// Most numbers reported.
const NUMBERS_MAX: usize = 20;
/// Longest number, in characters.
const NUMBER_CHARS_MAX: usize = 40;
/// Characters before a number in which a word for a document is looked for.
const BEFORE_CHARS_MAX: usize = 48;
/// A number of so many signs, letters and digits or parts among them, is nothing else.
const DISTINCTIVE_CHARS_MIN: usize = 5;

/// A number that a mail names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedNumber {
    /// In lower case.
    pub number: String,
    /// It is nothing but a document's number.
    pub is_distinctive: bool,
}

/// Numbers that a subject and a text name, each once.
pub fn numbers(subject: &str, text: &str, rules: &InboundRules) -> Vec<NamedNumber> {
    let mut found: Vec<NamedNumber> = Vec::new();
    for part in [subject, text] {
        let part: String = part.chars().take(CHARS_MAX).collect();
        let part = plain_digits(&part.to_lowercase());
        find(&part, rules, &mut found);
    }
    found
}

fn is_part(ch: char) -> bool {
    (ch.is_alphanumeric() && !is_kana_or_kanji(ch))
        || matches!(ch, '-' | '/' | '_' | '.' | ':' | '+')
}

/// Words of Japanese stand close to the number.
fn is_kana_or_kanji(ch: char) -> bool {
    matches!(u32::from(ch), 0x3040..=0x30ff | 0x3400..=0x9fff)
}

fn find(text: &str, rules: &InboundRules, found: &mut Vec<NamedNumber>) {
    let mut at = 0;
    while at < text.len() && found.len() < NUMBERS_MAX {
        let rest = text.get(at..).unwrap_or_default();
        let Some(start) = rest.find(is_part).map(|start| at + start) else {
            return;
        };
        let token = text.get(start..).unwrap_or_default();
        let end = token
            .find(|ch: char| !is_part(ch))
            .map_or(text.len(), |end| start + end);
        at = end.max(start + 1);
        let token = text.get(start..end).unwrap_or_default();
        let is_mail = text.get(end..).is_some_and(|rest| rest.starts_with('@'))
            || text
                .get(..start)
                .is_some_and(|before| before.ends_with('@'));
        let number = token.trim_matches(['-', '/', '_', '.', ':', '+']);
        let digits = number.chars().filter(char::is_ascii_digit).count();
        let chars = number.chars().count();
        if is_mail || digits == 0 || chars > NUMBER_CHARS_MAX || number.contains("//") {
            continue;
        }
        let head = text.get(..start).unwrap_or_default();
        let from = head
            .char_indices()
            .rev()
            .nth(BEFORE_CHARS_MAX)
            .map_or(0, |(at, _)| at);
        let before = head.get(from..).unwrap_or_default();
        let is_said = rules.number.words.is_match(before);
        let is_other_thing = rules.number.not.is_match(number);
        let has_letters = number.chars().any(char::is_alphabetic);
        let has_parts = number.contains(['-', '/', '_']);
        let is_distinctive = !is_other_thing
            && chars >= DISTINCTIVE_CHARS_MIN
            && (has_letters || has_parts)
            && digits >= 2;
        if !(is_said && (!is_other_thing || !number.contains([':', '.']))) && !is_distinctive {
            continue;
        }
        if !found.iter().any(|known| known.number == number) {
            found.push(NamedNumber {
                number: number.to_owned(),
                is_distinctive: is_distinctive || (is_said && chars >= DISTINCTIVE_CHARS_MIN),
            });
        }
    }
}
