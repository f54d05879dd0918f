//! Money as people write it, with its currency.
//!
//! Groups may be parted by a space, point, comma or apostrophe; kopecks by a comma, point, dash or
//! equals sign; 万 and тыс. multiply. A single mark before exactly three digits parts thousands
//! ("1.234" is 1234): money with three decimals is rarer than any other reading.
//! **Absent:** amounts in words, negative amounts (discounts and credits are no totals).

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::date::DateHit;
use super::text::{Page, fold_into, is_cjk};

/// Digits of the whole part; more is an account number.
const WHOLE_DIGITS_MAX: usize = 13;
/// Groups in one number.
const GROUPS_MAX: usize = 8;
/// Bytes of a currency's word.
const MARK_BYTES_MAX: usize = 24;

/// A script that hints at a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Script {
    Cyrillic,
    Kana,
}

/// The currency that a text without any means by its script.
pub(crate) fn by_script<'r>(page: &Page, rules: &'r MoneyRules) -> Option<&'r str> {
    let kana = page
        .text
        .chars()
        .any(|c| matches!(c, '\u{3040}'..='\u{30ff}'));
    let found = rules
        .currencies
        .iter()
        .find(|currency| match currency.script {
            Some(Script::Kana) => kana,
            Some(Script::Cyrillic) => !kana && page.has_cyrillic(),
            None => false,
        });
    found.map(|currency| currency.code.as_str())
}

/// How a currency is written; data of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Currency {
    /// ISO 4217.
    pub code: String,
    /// Signs and words, folded; a trailing `*` is any ending.
    pub marks: Vec<String>,
    /// Whether thousands are parted by spaces where it is used.
    pub space_groups: bool,
    /// Whether dates with slashes start with the month where it is used.
    pub month_first: bool,
    /// The script whose texts mean this currency when they name none.
    pub script: Option<Script>,
    /// A sign of another currency that it uses too: "Amount due (CAD): $10".
    pub shares: Option<String>,
}

/// A multiplying word: `тыс`, `万`, `k`; data of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Multiplier {
    pub word: String,
    pub factor: Decimal,
}

/// What the scanner must know.
#[derive(Clone, Debug, Default)]
pub(crate) struct MoneyRules {
    pub currencies: Vec<Currency>,
    pub multipliers: Vec<Multiplier>,
}

/// An amount in a page, bytes `start..end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Money {
    pub start: usize,
    pub end: usize,
    pub value: Decimal,
    /// Index into `MoneyRules::currencies`, when written beside the number.
    pub currency: Option<usize>,
    /// Written with two decimals or with parted thousands, as money is.
    pub formed: bool,
    /// A word follows that says what is counted: "14 days".
    pub counted: bool,
}

impl Money {
    /// Whether anything but its place says that the number is money.
    pub fn is_marked(&self) -> bool {
        self.currency.is_some() || self.formed && !self.counted
    }
}

/// All amounts of a page, in order; numbers within dates are none.
pub(crate) fn find(page: &Page, rules: &MoneyRules, dates: &[DateHit]) -> Vec<Money> {
    let mut found = Vec::new();
    let spaces = page.has_cyrillic()
        || mentioned(page, rules)
            .iter()
            .zip(&rules.currencies)
            .any(|(here, c)| *here && c.space_groups);
    let mut date = dates.iter().peekable();
    let mut index = 0;
    let mut behind = 0;
    while index < page.tokens.len() {
        while date.peek().is_some_and(|hit| hit.end <= index) {
            date.next();
        }
        if let Some(hit) = date.peek().filter(|hit| hit.first <= index) {
            index = hit.end;
            continue;
        }
        let token = page.tokens[index];
        let starts_number = token.kind == super::text::TokenKind::Digits && token.start >= behind;
        if starts_number
            && let Some(money) = read(page, token.start, page.cells[token.cell].end, spaces, rules)
        {
            behind = money.end;
            found.push(money);
        }
        index += 1;
    }
    found
}

/// Which currencies the text names anywhere.
fn mentioned(page: &Page, rules: &MoneyRules) -> Vec<bool> {
    let words: BTreeSet<&str> = (0..page.tokens.len())
        .map(|index| page.word(index))
        .collect();
    let here = |mark: &String| match mark.strip_suffix('*') {
        Some(stem) => words
            .range(stem..)
            .next()
            .is_some_and(|word| word.starts_with(stem)),
        None if is_word(mark) => words.contains(mark.as_str()),
        None => page.text.contains(mark.as_str()),
    };
    rules
        .currencies
        .iter()
        .map(|currency| currency.marks.iter().any(here))
        .collect()
}

/// Gives amounts with a sign that several currencies use to the one whose code the text names.
pub(crate) fn settle_signs(page: &Page, rules: &MoneyRules, found: &mut [Money]) {
    let words: BTreeSet<&str> = (0..page.tokens.len())
        .map(|index| page.word(index))
        .collect();
    let is_named = |currency: &Currency| words.contains(currency.code.to_lowercase().as_str());
    for (index, currency) in rules.currencies.iter().enumerate() {
        let Some(sign) = currency.shares.as_ref().filter(|_| is_named(currency)) else {
            continue;
        };
        let owner = rules
            .currencies
            .iter()
            .position(|owner| owner.marks.contains(sign) && !is_named(owner));
        if owner.is_none() {
            continue;
        }
        for money in found.iter_mut().filter(|money| money.currency == owner) {
            money.currency = Some(index);
        }
    }
}

/// The currency most amounts are written in; else the first one the text mentions.
pub(crate) fn prevailing(page: &Page, rules: &MoneyRules, money: &[Money]) -> Option<usize> {
    let mut counts = vec![0_usize; rules.currencies.len()];
    for index in money.iter().filter_map(|money| money.currency) {
        counts[index] += 1;
    }
    let most = counts.iter().copied().max().filter(|most| *most > 0);
    most.and_then(|most| counts.iter().position(|count| *count == most))
        .or_else(|| mentioned(page, rules).iter().position(|here| *here))
}

fn is_word(mark: &str) -> bool {
    mark.chars().all(char::is_alphanumeric)
}

fn matches_word(mark: &str, word: &str) -> bool {
    mark.strip_suffix('*')
        .map_or(word == mark, |stem| word.starts_with(stem))
}

fn read(
    page: &Page,
    start: usize,
    cell_end: usize,
    spaces: bool,
    rules: &MoneyRules,
) -> Option<Money> {
    let text = &page.text;
    let before = mark_before(text, start, rules);
    if !may_start(text, start, before.is_some()) {
        return None;
    }
    let groups = Groups::read(&text[start..cell_end], spaces);
    let (mut value, mut formed) = groups.value()?;
    let mut end = start + groups.length;
    // "123.-", "123,--": no kopecks.
    for tail in [",--", ".--", ",-", ".-"] {
        if text[end..cell_end].starts_with(tail) {
            end += tail.len();
            formed = true;
            break;
        }
    }
    if let Some(kopecks) = dashed_kopecks(&text[end..cell_end])
        && mark_after(text, end + 3, cell_end, rules).is_some()
    {
        value += Decimal::new(kopecks, 2);
        formed = true;
        end += 3;
    }
    if let Some((factor, length)) = multiplier(&text[end..cell_end], rules) {
        value = value.checked_mul(factor)?;
        end += length;
        // 1万2000円
        if let Some(rest) = text[end..cell_end]
            .chars()
            .next()
            .filter(char::is_ascii_digit)
            .map(|_| &text[end..cell_end])
        {
            let tail = Groups::read(rest, false);
            if let Some((small, _)) = tail.value()
                && small < factor
            {
                value += small;
                end += tail.length;
            }
        }
    }
    let after = mark_after(text, end, cell_end, rules);
    if let Some((_, length)) = after {
        end += length;
        if let Some((kopecks, length)) = worded_kopecks(&text[end..cell_end]) {
            value += Decimal::new(kopecks, 2);
            end += length;
        }
    } else if !may_end(&text[end..]) {
        return None;
    }
    // A sign behind is nearer than a word before: "USD 5 $".
    let currency = after
        .map(|(currency, _)| currency)
        .or(before.map(|(currency, _)| currency));
    let start = before.map_or(start, |(_, from)| from);
    let next = text[end..cell_end].trim_start_matches(' ').chars().next();
    let counted = after.is_none() && next.is_some_and(char::is_alphabetic);
    Some(Money {
        start,
        end,
        value: value.normalize(),
        currency,
        formed,
        counted,
    })
}

/// A number may follow a sign, a space or a currency, but not letters, a hash or half of another number.
fn may_start(text: &str, start: usize, marked: bool) -> bool {
    let mut before = text[..start].chars().rev();
    match before.next() {
        None => true,
        Some('-') => false,
        // The minutes of a time of day.
        Some(':') => !before.next().is_some_and(|c| c.is_ascii_digit()),
        Some('#' | '_' | '/' | '№' | '\\' | '+' | '.' | ',') => marked,
        Some(c) if is_cjk(c) => c != '第',
        Some(c) if c.is_alphanumeric() => marked,
        Some(_) => true,
    }
}

/// What may not stand behind a bare number.
fn may_end(rest: &str) -> bool {
    let mut after = rest.chars();
    match after.next() {
        None => true,
        Some('%' | '/' | '_' | '#' | '°') => false,
        Some('-') => !after.next().is_some_and(char::is_alphanumeric),
        Some(':') => !after.next().is_some_and(|c| c.is_ascii_digit()),
        // Counters of days, years, pieces; and letters of an identifier.
        Some(c) if is_cjk(c) => false,
        Some(' ') => after.next() != Some('%'),
        Some(c) => !c.is_alphanumeric(),
    }
}

fn dashed_kopecks(rest: &str) -> Option<i64> {
    let bytes = rest.as_bytes();
    let [b'-' | b'=', tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] = bytes else {
        return None;
    };
    (!bytes.get(3).is_some_and(u8::is_ascii_digit))
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// " 56 коп." behind the roubles.
fn worded_kopecks(rest: &str) -> Option<(i64, usize)> {
    let trimmed = rest.trim_start_matches(['.', ' ']);
    let skipped = rest.len() - trimmed.len();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let tail = trimmed.get(digits..)?.trim_start();
    if !(1..=2).contains(&digits) || !(tail.starts_with("коп") || tail.starts_with("cent")) {
        return None;
    }
    Some((trimmed[..digits].parse().ok()?, skipped + digits))
}

fn multiplier(rest: &str, rules: &MoneyRules) -> Option<(Decimal, usize)> {
    let trimmed = rest.trim_start_matches(' ');
    let skipped = rest.len() - trimmed.len();
    if skipped > 1 {
        return None;
    }
    let first = trimmed.chars().next()?;
    let length = if is_cjk(first) {
        first.len_utf8()
    } else {
        trimmed
            .find(|c: char| !c.is_alphabetic() || is_cjk(c))
            .unwrap_or(trimmed.len())
    };
    if length == 0 || length > MARK_BYTES_MAX {
        return None;
    }
    let mut word = String::new();
    fold_into(&trimmed[..length], &mut word);
    let found = rules
        .multipliers
        .iter()
        .find(|multiplier| matches_word(&multiplier.word, &word))?;
    let dot = usize::from(trimmed[length..].starts_with('.') && !is_cjk(first));
    Some((found.factor, skipped + length + dot))
}

/// The currency right before a number: its index and where it starts.
fn mark_before(text: &str, start: usize, rules: &MoneyRules) -> Option<(usize, usize)> {
    let head = text[..start].trim_end_matches(' ');
    if start - head.len() > 2 {
        return None;
    }
    let head_start = head
        .char_indices()
        .rev()
        .take(8)
        .last()
        .map_or(0, |(at, _)| at);
    let near = &head[head_start..];
    let near = near.rsplit('\n').next().unwrap_or_default();
    let mut folded = String::new();
    fold_into(near, &mut folded);
    let folded = folded.trim_end_matches('.');
    let mut best: Option<(usize, usize)> = None;
    for (index, currency) in rules.currencies.iter().enumerate() {
        for mark in &currency.marks {
            let mark = mark.trim_end_matches('.');
            if mark.ends_with('*')
                || !folded.ends_with(mark)
                || best.is_some_and(|(_, length)| length >= mark.len())
            {
                continue;
            }
            let starts_with_letter = mark.chars().next().is_some_and(char::is_alphanumeric);
            let earlier = folded[..folded.len() - mark.len()].chars().next_back();
            if starts_with_letter && earlier.is_some_and(|c| c.is_alphanumeric() && !is_cjk(c)) {
                continue;
            }
            best = Some((index, mark.len()));
        }
    }
    best.map(|(index, length)| (index, head.len().saturating_sub(length)))
        .map(|(index, at)| {
            (
                index,
                (0..=at)
                    .rev()
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap_or(0),
            )
        })
}

/// The currency right behind a number: its index and how many bytes up to its end.
fn mark_after(
    text: &str,
    end: usize,
    cell_end: usize,
    rules: &MoneyRules,
) -> Option<(usize, usize)> {
    let rest = text.get(end..cell_end)?;
    let trimmed = rest.trim_start_matches([' ', '(']);
    let skipped = rest.len() - trimmed.len();
    if skipped > 2 {
        return None;
    }
    let first = trimmed.chars().next()?;
    let length = if first.is_alphabetic() && !is_cjk(first) {
        trimmed
            .find(|c: char| !c.is_alphanumeric() || is_cjk(c))
            .unwrap_or(trimmed.len())
    } else {
        first.len_utf8()
    };
    if length > MARK_BYTES_MAX {
        return None;
    }
    let mut folded = String::new();
    fold_into(&trimmed[..length], &mut folded);
    // A sign right before the next number belongs to that one: "5 $10".
    let sign = !first.is_alphabetic();
    if sign
        && skipped > 0
        && trimmed[length..]
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let index = rules.currencies.iter().position(|currency| {
        currency
            .marks
            .iter()
            .any(|mark| matches_word(mark.trim_end_matches('.'), &folded))
    })?;
    let dot = usize::from(trimmed[length..].starts_with('.') && first.is_alphabetic());
    Some((index, skipped + length + dot))
}

/// Digits and the marks between them.
struct Groups<'a> {
    parts: Vec<(char, &'a str)>,
    length: usize,
}

impl<'a> Groups<'a> {
    /// Reads as far as a number can reach; `spaces` allows them between thousands.
    fn read(text: &'a str, spaces: bool) -> Self {
        let digits_at = |at: usize| text[at..].bytes().take_while(u8::is_ascii_digit).count();
        let mut parts = vec![(' ', &text[..digits_at(0)])];
        let mut length = parts[0].1.len();
        while parts.len() < GROUPS_MAX {
            let Some(mark) = text[length..]
                .chars()
                .next()
                .filter(|c| matches!(c, ' ' | '.' | ',' | '\''))
            else {
                break;
            };
            let digits = digits_at(length + 1);
            if digits == 0 {
                break;
            }
            if mark == ' ' {
                let whole = parts.iter().skip(1).all(|(mark, _)| *mark == ' ');
                let next = text[length + 1 + digits..].chars().next();
                if !spaces
                    || digits != 3
                    || !whole
                    || parts[0].1.len() > 3
                    || next.is_some_and(|c| c.is_alphanumeric() && !is_cjk(c) && !c.is_alphabetic())
                {
                    break;
                }
            }
            parts.push((mark, &text[length + 1..length + 1 + digits]));
            length += 1 + digits;
        }
        Self { parts, length }
    }

    /// The number, and whether it is written as money is; `None` for what is no amount (`1.2.3`, `007`).
    fn value(&self) -> Option<(Decimal, bool)> {
        let last_mark = self.parts.last().map(|(mark, _)| *mark)?;
        let marks: Vec<char> = self.parts.iter().skip(1).map(|(mark, _)| *mark).collect();
        let last = self.parts.last().map(|(_, digits)| digits.len())?;
        let same = marks.iter().filter(|mark| **mark == last_mark).count();
        let other = marks.iter().any(|mark| *mark != last_mark);
        let leading = self.parts[0].1;
        let fraction = matches!(last_mark, '.' | ',')
            && !marks.is_empty()
            && same == 1
            && (other || last != 3 || leading == "0" || leading.len() > 3);
        let whole = if fraction {
            &self.parts[..self.parts.len() - 1]
        } else {
            &self.parts[..]
        };
        let inner = whole.get(1..).unwrap_or_default();
        // 1,23,456 is how lakhs are written.
        let (mark, grouped) = (inner.first().map(|(mark, _)| *mark), inner.len());
        let well_grouped = inner.iter().enumerate().all(|(index, (m, digits))| {
            Some(*m) == mark
                && (digits.len() == 3 || digits.len() == 2 && *m == ',' && index + 1 < grouped)
        });
        if !well_grouped || grouped > 0 && leading.len() > 3 {
            return None;
        }
        let mut digits: String = whole.iter().map(|(_, digits)| *digits).collect();
        if digits.len() > WHOLE_DIGITS_MAX || digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        let mut formed = grouped > 0;
        if fraction {
            let (_, decimals) = self.parts[self.parts.len() - 1];
            if decimals.len() > 4 {
                return None;
            }
            formed |= decimals.len() == 2;
            digits.push('.');
            digits.push_str(decimals);
        }
        Decimal::from_str_exact(&digits)
            .ok()
            .map(|value| (value, formed))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn rules() -> MoneyRules {
        let currency = |code: &str, marks: &[&str], space_groups, month_first| Currency {
            code: code.to_owned(),
            marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            space_groups,
            month_first,
            script: None,
            shares: (code == "SGD").then(|| "$".to_owned()),
        };
        MoneyRules {
            currencies: vec![
                currency("RUB", &["₽", "руб*", "р", "rub"], true, false),
                currency("USD", &["$", "us$", "usd"], false, true),
                currency("EUR", &["€", "eur", "euro"], true, false),
                currency("JPY", &["¥", "円", "jpy"], false, false),
                currency("SGD", &["s$", "sgd"], false, false),
                currency("INR", &["₹", "rs", "inr"], false, false),
            ],
            multipliers: vec![
                Multiplier {
                    word: "тыс*".into(),
                    factor: Decimal::from(1000),
                },
                Multiplier {
                    word: "万".into(),
                    factor: Decimal::from(10_000),
                },
                Multiplier {
                    word: "k".into(),
                    factor: Decimal::from(1000),
                },
            ],
        }
    }

    fn amounts(text: &str) -> Vec<String> {
        let rules = rules();
        find(&Page::new(text), &rules, &[])
            .into_iter()
            .map(|money| {
                let code = money
                    .currency
                    .map_or("-", |index| rules.currencies[index].code.as_str());
                format!("{} {code}", money.value)
            })
            .collect()
    }

    #[test]
    fn forms() {
        for (text, expected) in [
            ("1 234 567,89 руб.", "1234567.89 RUB"),
            ("1\u{a0}234\u{a0}567,89\u{a0}₽", "1234567.89 RUB"),
            ("1\u{202f}234,50 €", "1234.5 EUR"),
            ("$1,234.50", "1234.5 USD"),
            ("€1.234,50", "1234.5 EUR"),
            ("1.234 EUR", "1234 EUR"),
            ("US$ 12.5", "12.5 USD"),
            ("S$100.00", "100 SGD"),
            ("¥123,456(税込)", "123456 JPY"),
            ("１２３，４５６円", "123456 JPY"),
            ("合計123,456円です", "123456 JPY"),
            ("12万円", "120000 JPY"),
            ("1万2,000円", "12000 JPY"),
            ("15 тыс. руб.", "15000 RUB"),
            ("1,5 тыс. руб", "1500 RUB"),
            ("10 000-50 руб.", "10000.5 RUB"),
            ("10 000 руб. 05 коп.", "10000.05 RUB"),
            ("Rs. 1,23,456.00", "123456 INR"),
            ("1'234.50 EUR", "1234.5 EUR"),
            ("25000р.", "25000 RUB"),
            ("USD1,000", "1000 USD"),
            ("1.234,- €", "1234 EUR"),
            ("0.125 EUR", "0.125 EUR"),
            ("$5k", "5000 USD"),
        ] {
            assert_eq!(amounts(text), [expected], "{text}");
        }
        assert_eq!(
            amounts("1 278.61 40.39 319.00"),
            ["1 -", "278.61 -", "40.39 -", "319 -"]
        );
        assert_eq!(
            amounts("3 шт  1 200,00  3 600,00 руб."),
            ["3 -", "1200 -", "3600 RUB"]
        );
    }

    #[test]
    fn a_shared_sign_is_of_the_currency_that_is_named() {
        let rules = rules();
        let code = |text: &str| {
            let page = Page::new(text);
            let mut found = find(&page, &rules, &[]);
            settle_signs(&page, &rules, &mut found);
            found[0]
                .currency
                .map(|index| rules.currencies[index].code.clone())
        };
        assert_eq!(code("Total (SGD): $10.00").as_deref(), Some("SGD"));
        assert_eq!(
            code("Total: $10.00, not in SGD but USD").as_deref(),
            Some("USD")
        );
        assert_eq!(code("Total: $10.00").as_deref(), Some("USD"));
    }

    #[test]
    fn not_money() {
        for text in [
            "INV-2026-0042",
            "20%",
            "10日",
            "№1234",
            "1.2.3",
            "12:30",
            "40702810900000012345",
            "А-12/45",
            "12kg",
            "#77",
        ] {
            assert_eq!(amounts(text), [] as [&str; 0], "{text}");
        }
        assert_eq!(amounts("-500,00 руб."), [] as [&str; 0]);
    }
}
