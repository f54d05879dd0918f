//! Dates as people write them: ISO, dotted, with slashes, with month names, Japanese eras.
//!
//! Numeric dates whose order is unclear are settled by the other dates of the same text, then by the
//! currency's habit. Month names are data (`[[month]]` of the rules). **Absent:** times of day, relative
//! words such as "tomorrow"; due terms ("net 30") are in [`super::due`].

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::text::{Page, TokenKind};

/// Years believed; others are numbers of something else.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2100;
/// Months looked ahead for one that has the day: two in a row may lack it.
const MONTHS_AHEAD_MAX: i64 = 4;
/// Tokens between a label and a date without year: ":", "by".
const SHORT_LEAD_MAX: usize = 3;
/// Spaces allowed within a date written in words.
const GAP_MAX: usize = 3;

/// A date in a page, tokens `first..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateHit {
    pub first: usize,
    pub end: usize,
    pub when: When,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Day(Date),
    /// "20 March": the year must come from elsewhere.
    Yearless {
        month: i8,
        day: i8,
    },
    /// "by the 10th": the month must come from elsewhere too.
    DayOfMonth(i8),
}

impl When {
    /// The day itself; a yearless one is the first on or after `earliest`.
    pub fn on_or_after(self, earliest: Option<Date>) -> Option<Date> {
        match self {
            Self::Day(date) => Some(date),
            Self::Yearless { month, day } => {
                let earliest = earliest?;
                let this_year = Date::new(earliest.year(), month, day).ok()?;
                if this_year >= earliest {
                    Some(this_year)
                } else {
                    Date::new(earliest.year() + 1, month, day).ok()
                }
            }
            Self::DayOfMonth(day) => {
                let earliest = earliest?;
                let first = earliest.first_of_month();
                (0..MONTHS_AHEAD_MAX).find_map(|months| {
                    let month = first.checked_add(months.months()).ok()?;
                    let found = Date::new(month.year(), month.month(), day).ok()?;
                    (found >= earliest).then_some(found)
                })
            }
        }
    }

    pub fn day(self) -> Option<Date> {
        match self {
            Self::Day(date) => Some(date),
            Self::Yearless { .. } | Self::DayOfMonth(_) => None,
        }
    }
}

/// Month names and their forms, folded, to 1..=12.
pub(crate) type Months = BTreeMap<String, i8>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    DayFirst,
    MonthFirst,
}

/// A numeric date before its order is known.
#[derive(Clone, Copy)]
enum Raw {
    Known(When),
    Unclear {
        a: i8,
        b: i8,
        year: i16,
        slash: bool,
    },
}

/// All dates of a page, in order. `month_first` says what slashes mean when nothing else does.
pub(crate) fn find(page: &Page, months: &Months, month_first: bool) -> Vec<DateHit> {
    let mut raws = Vec::new();
    let mut at = 0;
    while at < page.tokens.len() {
        match at_token(page, at, months) {
            Some((end, raw)) => {
                raws.push((at, end, raw));
                at = end;
            }
            None => at += 1,
        }
    }
    let order = settled_order(&raws);
    raws.into_iter()
        .filter_map(|(first, end, raw)| {
            let when = match raw {
                Raw::Known(when) => when,
                Raw::Unclear { a, b, year, slash } => {
                    let default = if slash && month_first {
                        Order::MonthFirst
                    } else {
                        Order::DayFirst
                    };
                    let order = if a > 12 {
                        Order::DayFirst
                    } else if b > 12 {
                        Order::MonthFirst
                    } else {
                        order.filter(|_| slash).unwrap_or(default)
                    };
                    let (day, month) = match order {
                        Order::DayFirst => (a, b),
                        Order::MonthFirst => (b, a),
                    };
                    When::Day(Date::new(year, month, day).ok()?)
                }
            };
            Some(DateHit { first, end, when })
        })
        .collect()
}

/// `20.03` or `4/30` near the start of tokens `from..to`, which only a label makes a date.
pub(crate) fn short(page: &Page, from: usize, to: usize, month_first: bool) -> Option<When> {
    (from..to.min(from + SHORT_LEAD_MAX)).find_map(|at| {
        let separator = page.word(at + 1);
        let glued = page.joined(at) && page.joined(at + 1);
        if !matches!(separator, "." | "/")
            || !glued
            || at + 3 > to
            || glued_before(page, at)
            || glued_after(page, at + 3)
        {
            return None;
        }
        let ((a, _), (b, length)) = (digits(page, at)?, digits(page, at + 2)?);
        let (day, month) = if separator == "/" && month_first {
            (b, a)
        } else {
            (a, b)
        };
        let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
        let fits = (1..=31).contains(&day)
            && (1..=12).contains(&month)
            && (separator == "/" || length == 2);
        fits.then_some(When::Yearless { month, day })
    })
}

/// `10 числа`, `the 10th`, `10日` near the start of tokens `from..to`: a day that a word behind makes one.
pub(crate) fn day_only(page: &Page, from: usize, to: usize, words: &[String]) -> Option<When> {
    (from..to.min(from + SHORT_LEAD_MAX)).find_map(|at| {
        let (day, _) = digits(page, at)?;
        let day = i8::try_from(day)
            .ok()
            .filter(|day| (1..=31).contains(day))?;
        let dash = usize::from(page.word(at + 1) == "-");
        let word = page.word(at + 1 + dash);
        let fits =
            at + 1 + dash < to && !glued_before(page, at) && words.iter().any(|mark| mark == word);
        fits.then_some(When::DayOfMonth(day))
    })
}

/// The order that the text's clear dates with slashes agree on.
fn settled_order(raws: &[(usize, usize, Raw)]) -> Option<Order> {
    let mut found = None;
    for (_, _, raw) in raws {
        let order = match raw {
            Raw::Unclear { a, slash: true, .. } if *a > 12 => Order::DayFirst,
            Raw::Unclear { b, slash: true, .. } if *b > 12 => Order::MonthFirst,
            Raw::Unclear { .. } | Raw::Known(_) => continue,
        };
        match found {
            None => found = Some(order),
            Some(before) if before != order => return None,
            Some(_) => {}
        }
    }
    found
}

fn at_token(page: &Page, at: usize, months: &Months) -> Option<(usize, Raw)> {
    japanese(page, at)
        .or_else(|| numeric(page, at))
        .or_else(|| in_words(page, at, months))
}

fn digits(page: &Page, at: usize) -> Option<(i32, usize)> {
    let token = page.tokens.get(at)?;
    if token.kind != TokenKind::Digits || token.end - token.start > 4 {
        return None;
    }
    Some((page.word(at).parse().ok()?, token.end - token.start))
}

/// Whether the token touches letters, digits or number signs that make it part of something longer.
fn glued_before(page: &Page, at: usize) -> bool {
    let Some(start) = page.tokens.get(at).map(|token| token.start) else {
        return true;
    };
    page.text[..start].chars().next_back().is_some_and(|c| {
        c.is_alphanumeric() && !super::text::is_cjk(c)
            || matches!(c, '-' | '/' | '#' | '_')
            || c == '.' && page.text[..start - 1].ends_with(|c: char| c.is_ascii_digit())
    })
}

fn glued_after(page: &Page, end: usize) -> bool {
    let Some(last) = page.tokens.get(end.wrapping_sub(1)).map(|token| token.end) else {
        return true;
    };
    let mut rest = page.text[last..].chars();
    match rest.next() {
        Some('-' | '/' | '.' | '_') => rest.next().is_some_and(|c| c.is_ascii_alphanumeric()),
        Some(c) => c.is_ascii_digit(),
        None => false,
    }
}

fn numeric(page: &Page, at: usize) -> Option<(usize, Raw)> {
    let (a, a_len) = digits(page, at)?;
    let separator = page.word(at + 1);
    if !matches!(separator, "-" | "/" | ".")
        || page.word(at + 3) != separator
        || glued_before(page, at)
    {
        return None;
    }
    let (b, b_len) = digits(page, at + 2)?;
    let (c, c_len) = digits(page, at + 4)?;
    let spaced =
        !(page.joined(at) && page.joined(at + 1) && page.joined(at + 2) && page.joined(at + 3));
    if spaced && !(separator == "." && near(page, at, at + 5, 1))
        || b_len > 2
        || glued_after(page, at + 5)
    {
        return None;
    }
    let end = at + 5;
    if a_len == 4 {
        let date = Date::new(year(a, 4)?, i8::try_from(b).ok()?, i8::try_from(c).ok()?).ok()?;
        return (c_len <= 2).then_some((end, Raw::Known(When::Day(date))));
    }
    if a_len > 2 || !matches!(c_len, 2 | 4) || spaced && c_len != 4 {
        return None;
    }
    let (a, b) = (i8::try_from(a).ok()?, i8::try_from(b).ok()?);
    if !(1..=31).contains(&a) || !(1..=31).contains(&b) || a > 12 && b > 12 {
        return None;
    }
    Some((
        end,
        Raw::Unclear {
            a,
            b,
            year: year(c, c_len)?,
            slash: separator != ".",
        },
    ))
}

fn year(value: i32, length: usize) -> Option<i16> {
    let value = i16::try_from(value).ok()?;
    let value = if length == 2 { 2000 + value } else { value };
    YEARS.contains(&value).then_some(value)
}

/// Whether tokens `at..end` stand on one line with gaps of at most `gap` spaces.
fn near(page: &Page, at: usize, end: usize, gap: usize) -> bool {
    let Some(tokens) = page.tokens.get(at..end) else {
        return false;
    };
    tokens
        .windows(2)
        .all(|pair| pair[0].line == pair[1].line && pair[1].start - pair[0].end <= gap)
}

/// `2026年3月12日`, `令和8年3月12日`, `R8.3.12`, `3月12日`, `2026年3月末`.
fn japanese(page: &Page, at: usize) -> Option<(usize, Raw)> {
    let era = match (page.word(at), page.word(at + 1)) {
        ("令", "和") => Some((2018, 2)),
        ("平", "成") => Some((1988, 2)),
        ("r", _) if page.joined(at) && !glued_before(page, at) => Some((2018, 1)),
        ("h", _) if page.joined(at) && !glued_before(page, at) => Some((1988, 1)),
        _ => None,
    };
    let mut next = at;
    let mut base = 0;
    if let Some((first_year, length)) = era {
        base = first_year;
        next += length;
    }
    let (value, length) = if era.is_some() && page.word(next) == "元" {
        (1, 1)
    } else {
        digits(page, next)?
    };
    let separator = page.word(next + 1);
    if separator == "年" {
        let value = if base > 0 { value + base } else { value };
        let year = year(value, if base > 0 { 4 } else { length })?;
        return month_and_day(page, next + 2, Some(year));
    }
    if base > 0 {
        if !matches!(separator, "." | "/" | "-") || page.word(next + 3) != separator {
            return None;
        }
        let (month, _) = digits(page, next + 2)?;
        let (day, _) = digits(page, next + 4)?;
        let date = Date::new(
            year(value + base, 4)?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        )
        .ok()?;
        return Some((next + 5, Raw::Known(When::Day(date))));
    }
    if separator == "月" {
        month_and_day(page, at, None)
    } else {
        None
    }
}

fn month_and_day(page: &Page, at: usize, year: Option<i16>) -> Option<(usize, Raw)> {
    let (month, _) = digits(page, at)?;
    let month = i8::try_from(month)
        .ok()
        .filter(|month| (1..=12).contains(month))?;
    if page.word(at + 1) != "月" {
        return None;
    }
    if page.word(at + 2) == "末" {
        let date = Date::new(year?, month, 1).ok()?.last_of_month();
        let end = if page.word(at + 3) == "日" {
            at + 4
        } else {
            at + 3
        };
        return Some((end, Raw::Known(When::Day(date))));
    }
    let (day, _) = digits(page, at + 2)?;
    if page.word(at + 3) != "日" {
        return None;
    }
    let day = i8::try_from(day)
        .ok()
        .filter(|day| (1..=31).contains(day))?;
    let when = match year {
        Some(year) => When::Day(Date::new(year, month, day).ok()?),
        None => When::Yearless { month, day },
    };
    Some((at + 4, Raw::Known(when)))
}

/// `12 марта 2026`, `"12" марта`, `12th of March, 2026`, `12-Mar-26`, `March 12, 2026`.
fn in_words(page: &Page, at: usize, months: &Months) -> Option<(usize, Raw)> {
    if let Some(month) = months.get(page.word(at)) {
        return month_first_words(page, at, *month);
    }
    let (day, length) = digits(page, at)?;
    if length > 2 || glued_before(page, at) {
        return None;
    }
    let day = i8::try_from(day)
        .ok()
        .filter(|day| (1..=31).contains(day))?;
    let mut next = at + 1;
    while next < at + 4
        && matches!(
            page.word(next),
            "st" | "nd" | "rd" | "th" | "of" | "-" | "\"" | "." | "de" | "er"
        )
    {
        next += 1;
    }
    let month = *months.get(page.word(next))?;
    next += 1;
    if page.word(next) == "." {
        next += 1;
    }
    let mut ahead = next;
    while ahead < next + 2 && matches!(page.word(ahead), "," | "-" | "de" | "/") {
        ahead += 1;
    }
    if let Some((value, length)) = digits(page, ahead)
        && (length == 4 || length == 2 && page.word(ahead - 1) == "-")
        && let Some(year) = year(value, length)
        && near(page, at, ahead + 1, GAP_MAX)
    {
        return Some((
            ahead + 1,
            Raw::Known(When::Day(Date::new(year, month, day).ok()?)),
        ));
    }
    near(page, at, next, GAP_MAX).then_some((next, Raw::Known(When::Yearless { month, day })))
}

fn month_first_words(page: &Page, at: usize, month: i8) -> Option<(usize, Raw)> {
    let mut next = at + 1;
    if page.word(next) == "." {
        next += 1;
    }
    let (day, length) = digits(page, next)?;
    if length > 2 {
        return None;
    }
    let day = i8::try_from(day)
        .ok()
        .filter(|day| (1..=31).contains(day))?;
    next += 1;
    if matches!(page.word(next), "st" | "nd" | "rd" | "th") {
        next += 1;
    }
    let ahead = if page.word(next) == "," {
        next + 1
    } else {
        next
    };
    if let Some((value, 4)) = digits(page, ahead)
        && let Some(year) = year(value, 4)
        && near(page, at, ahead + 1, GAP_MAX)
    {
        return Some((
            ahead + 1,
            Raw::Known(When::Day(Date::new(year, month, day).ok()?)),
        ));
    }
    near(page, at, next, GAP_MAX).then_some((next, Raw::Known(When::Yearless { month, day })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months() -> Months {
        [("марта", 3), ("march", 3), ("mar", 3), ("april", 4)]
            .map(|(name, month)| (name.to_owned(), month))
            .into()
    }

    fn dates(text: &str, month_first: bool) -> Vec<String> {
        find(&Page::new(text), &months(), month_first)
            .into_iter()
            .map(|hit| match hit.when {
                When::Day(date) => date.to_string(),
                When::Yearless { month, day } => format!("--{month:02}-{day:02}"),
                When::DayOfMonth(day) => format!("---{day:02}"),
            })
            .collect()
    }

    #[test]
    fn forms() {
        for text in [
            "2026-03-12",
            "12.03.2026 г.",
            "12.03.26",
            "12 марта 2026 г.",
            "«12» марта 2026",
            "March 12, 2026",
            "March 12 , 2026",
            "12th of March, 2026",
            "12-Mar-2026",
            "2026年3月12日",
            "２０２６年３月１２日",
            "令和8年3月12日",
            "R8.3.12",
            "2026/03/12",
            "2026. 3. 12",
            "13/03/2026 12/03/2026",
            "от 12.03.2026г",
        ] {
            assert!(
                dates(text, false).contains(&"2026-03-12".to_owned()),
                "{text}: {:?}",
                dates(text, false)
            );
        }
        assert_eq!(dates("令和元年5月1日", false), ["2019-05-01"]);
        assert_eq!(dates("2026年2月末日", false), ["2026-02-28"]);
        assert_eq!(dates("до 20 марта", false), ["--03-20"]);
        assert_eq!(dates("3月20日まで", false), ["--03-20"]);
    }

    #[test]
    fn unclear_order_follows_the_text_then_the_habit() {
        assert_eq!(dates("03/04/2026", false), ["2026-04-03"]);
        assert_eq!(dates("03/04/2026", true), ["2026-03-04"]);
        assert_eq!(
            dates("03/20/2026 04/04/2026", false),
            ["2026-03-20", "2026-04-04"]
        );
        assert_eq!(dates("03.04.2026", true), ["2026-04-03"]);
    }

    #[test]
    fn days_of_a_month_lie_ahead() {
        let words = ["числа".to_owned(), "th".to_owned(), "日".to_owned()];
        let date = jiff::civil::date;
        let sent = date(2026, 10, 7);
        for (text, expected) in [
            ("до 10 числа", Some(date(2026, 10, 10))),
            ("the 5th please", Some(date(2026, 11, 5))),
            ("31日", Some(date(2026, 10, 31))),
            ("10 дней", None),
            ("40 числа", None),
        ] {
            let page = Page::new(text);
            let found = day_only(&page, 0, page.tokens.len(), &words);
            assert_eq!(
                found.and_then(|when| when.on_or_after(Some(sent))),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn short_dates_only_behind_labels() {
        let read = |text: &str, month_first| {
            let page = Page::new(text);
            short(&page, 0, page.tokens.len(), month_first)
        };
        assert_eq!(
            read("до 20.03", false),
            Some(When::Yearless { month: 3, day: 20 })
        );
        assert_eq!(
            read(":4/30まで", true),
            Some(When::Yearless { month: 4, day: 30 })
        );
        assert_eq!(read("120.03", false), None);
        assert_eq!(read("20.03.1", false), None);
    }

    #[test]
    fn not_dates() {
        for text in [
            "INV-2026-03-12",
            "99.99.2026",
            "1.2.3.4",
            "2026-031",
            "12/03",
            "30.02.2026",
            "20260312",
            "v1.2.2026-a",
            "5 march hare",
        ] {
            let found = dates(text, false);
            assert!(
                found.iter().all(|date| date.starts_with("--")),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn yearless_days_lie_ahead() {
        let when = When::Yearless { month: 1, day: 10 };
        assert_eq!(
            when.on_or_after(Some(jiff::civil::date(2026, 12, 20))),
            Some(jiff::civil::date(2027, 1, 10))
        );
        assert_eq!(when.on_or_after(None), None);
    }
}
