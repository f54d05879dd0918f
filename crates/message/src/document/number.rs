//! A document's number behind its label: `1234-А`, `INV-2026-0042`, `2026/031`.
//!
//! **Absent:** any list of number formats; a number is what stands where a number must stand and holds
//! a digit.

use super::text::{Page, is_cjk};

/// Longest number, in characters.
pub(crate) const NUMBER_CHARS_MAX: usize = 40;
/// Signs and little words passed over before the number.
const LEAD_TOKENS_MAX: usize = 6;
/// Letters of a series before a space: "VF 1005".
const SERIES_CHARS_MAX: usize = 4;

/// A number read: its text, where it ends, and whether a number sign stood before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NumberHit {
    pub text: String,
    pub start: usize,
    pub end: usize,
    pub marked: bool,
}

/// Reads a number at the start of tokens `from..to`, past signs and "no.".
pub(crate) fn read(page: &Page, from: usize, to: usize) -> Option<NumberHit> {
    let mut at = from;
    let mut marked = false;
    while at < to && at < from + LEAD_TOKENS_MAX {
        match page.word(at) {
            "№" | "#" | "号" | "番" => marked = true,
            "no" | "n" | "nr" | "num" | "nº" | "number" | "номер"
                if !page.joined(at) || page.word(at + 1) != "-" =>
            {
                marked = true;
            }
            ":" | "." | "=" | "-" | "\"" | "(" | "°" | "º" | "is" | "は" | "[" | "/" => {}
            _ => break,
        }
        at += 1;
    }
    let first = page.tokens.get(at).filter(|_| at < to)?;
    let limit = page.tokens.get(to.checked_sub(1)?)?.end;
    let mut end = run_end(&page.text, first.start, limit);
    let series = &page.text[first.start..end];
    // A series and its number apart: "А 123", "VF 1005193039".
    if !series.is_empty()
        && series.chars().count() <= SERIES_CHARS_MAX
        && series.chars().all(char::is_uppercase)
        && let Some(rest) = page.text[end..limit].strip_prefix(' ')
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        end = run_end(&page.text, end + 1, limit);
    }
    let text =
        page.text[first.start..end].trim_end_matches(['-', '/', '_', '.', '#', '+', '\\', '&']);
    if text.is_empty()
        || !text.contains(|c: char| c.is_ascii_digit())
        || text.chars().count() > NUMBER_CHARS_MAX
    {
        return None;
    }
    Some(NumberHit {
        text: text.to_owned(),
        start: first.start,
        end: first.start + text.len(),
        marked,
    })
}

fn run_end(text: &str, start: usize, limit: usize) -> usize {
    let run = &text[start..limit];
    let most = run
        .char_indices()
        .nth(NUMBER_CHARS_MAX + 1)
        .map_or(run.len(), |(at, _)| at);
    let length = run[..most]
        .find(|c: char| {
            !(c.is_alphanumeric() && !is_cjk(c)
                || matches!(c, '-' | '/' | '_' | '.' | '#' | '+' | '\\' | '&'))
        })
        .unwrap_or(most);
    start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<String> {
        let page = Page::new(text);
        read(&page, 0, page.tokens.len()).map(|hit| hit.text)
    }

    #[test]
    fn forms() {
        for (text, expected) in [
            ("№ 1234-А от 12 марта 2026 г.", "1234-А"),
            (": INV-2026-0042.", "INV-2026-0042"),
            ("№КП-15/2026,", "КП-15/2026"),
            ("：２０２６－０３１", "2026-031"),
            ("No.2026-031号", "2026-031"),
            ("# BLR_WFLD2015", "BLR_WFLD2015"),
            ("VF 1005193039", "VF 1005193039"),
            ("\u{a0}00-00000123 ", "00-00000123"),
            ("(INV/2023/03/0008)", "INV/2023/03/0008"),
        ] {
            assert_eq!(number(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "от 12 марта",
            ": date",
            "",
            &"9".repeat(NUMBER_CHARS_MAX + 1),
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
