//! Cells to typed values: dates, numbers, yes and no, lists.
//!
//! What can be read in two ways is not read at all, but answered with what to say in the mapping: 03/04/2026
//! is no date until somebody says which part is the month, and 1,234 no number until the comma is explained.

use jiff::civil::{Date, DateTime, Time};
use relance_core::time::Zone;
use relance_core::value::Value;

/// Texts of one list.
pub const LIST_ITEMS_MAX: usize = 100;
/// Digits that a number keeps exactly.
const DIGITS_MAX: usize = 15;
/// The last day that spreadsheets know, 9999-12-31.
const SERIAL_MAX: f64 = 2_958_466.0;
/// Numbers between these, in a column of dates, are days of a spreadsheet: 1954 to 2119.
const BARE_SERIALS: std::ops::Range<f64> = 20_000.0..80_000.0;

/// Which part of 03/04/2026 is the month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// Nobody said; only what is certain is read.
    #[default]
    Certain,
    /// The day first.
    DayFirst,
    /// The month first.
    MonthFirst,
}

impl DateOrder {
    /// All orders.
    pub const ALL: [Self; 3] = [Self::Certain, Self::DayFirst, Self::MonthFirst];

    /// Its word in a mapping.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::DayFirst => "day_first",
            Self::MonthFirst => "month_first",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }
}

/// What stands before the fraction of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decimal {
    /// Nobody said; only what is certain is read.
    #[default]
    Certain,
    /// A comma.
    Comma,
    /// A point.
    Point,
}

impl Decimal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Certain, Self::Comma, Self::Point];

    /// Its word in a mapping.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Comma => "comma",
            Self::Point => "point",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decimal| decimal.word() == word)
    }
}

/// Why a cell is not of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueProblem {
    /// Not a date.
    #[error("that is no date; write 2026-11-22, 22.11.2026, 2026/11/22 or 2026年11月22日")]
    NotADate,
    /// A date with day and month in an order that nobody told.
    #[error(
        "day and month can be read in two ways; say `dates: day_first` or `dates: month_first` in the mapping"
    )]
    DateOrder,
    /// Two digits of a year.
    #[error("the year has two digits; write all four")]
    ShortYear,
    /// Not a number.
    #[error("that is no number; write 1234.5, or map the column as text")]
    NotANumber,
    /// A comma or point that can be read in two ways.
    #[error(
        "the number can be read in two ways; say `decimal: comma` or `decimal: point` in the mapping"
    )]
    Decimal,
    /// More digits than a number keeps.
    #[error(
        "the number has more than {DIGITS_MAX} digits and would be rounded; map the column as text"
    )]
    TooManyDigits,
    /// Neither yes nor no.
    #[error("that is neither yes nor no; write yes, no, 1 or 0")]
    NotYesNo,
    /// A list that is too long.
    #[error("the list has more than {LIST_ITEMS_MAX} items; shorten it")]
    TooManyItems,
    /// A formula that failed.
    #[error("the cell holds the error of a formula; mend it in the spreadsheet")]
    Failed,
    /// Bytes that the encoding does not have.
    #[error("the cell holds characters that could not be decoded; name the file's encoding")]
    Garbled,
}

impl ValueProblem {
    /// A short stable code for counting.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotADate => "not_a_date",
            Self::DateOrder => "date_order",
            Self::ShortYear => "short_year",
            Self::NotANumber => "not_a_number",
            Self::Decimal => "decimal",
            Self::TooManyDigits => "too_many_digits",
            Self::NotYesNo => "not_yes_no",
            Self::TooManyItems => "too_many_items",
            Self::Failed => "formula_failed",
            Self::Garbled => "garbled",
        }
    }
}

/// A date, and a time of day if the text has one; with an offset, the moment is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// By the clock of some zone.
    Civil(DateTime),
    /// Certain.
    Exact(jiff::Timestamp),
}

/// Reads a day: its time of day, if any, is left out.
pub fn date(text: &str, order: DateOrder) -> Result<Value, ValueProblem> {
    Ok(match when(text, order)? {
        When::Civil(civil) => civil.date().to_string().into(),
        // The day that it was where it was written.
        When::Exact(_) => match text.trim().get(..10).map(str::parse::<Date>) {
            Some(Ok(date)) => date.to_string().into(),
            Some(Err(_)) | None => return Err(ValueProblem::NotADate),
        },
    })
}

/// Reads a moment; without an offset, by the clock of a zone. RFC 3339 in UTC.
pub fn moment(text: &str, order: DateOrder, zone: &Zone) -> Result<Value, ValueProblem> {
    Ok(match when(text, order)? {
        When::Civil(civil) => zone.at(civil).to_string().into(),
        When::Exact(at) => at.to_string().into(),
    })
}

/// Reads a date or moment.
pub fn when(text: &str, order: DateOrder) -> Result<When, ValueProblem> {
    let text = narrow(text);
    let text = text.trim();
    if let Ok(serial) = text.parse::<f64>()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return match of_serial(serial) {
            Some(civil) if BARE_SERIALS.contains(&serial) => Ok(When::Civil(civil)),
            Some(_) | None => Err(ValueProblem::NotADate),
        };
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(When::Exact(at));
    }
    // Only the first few characters can be a date, and the rest a time.
    let (day, rest) = split_day(text, order)?;
    let time = time_of(rest).ok_or(ValueProblem::NotADate)?;
    Ok(When::Civil(day.to_datetime(time)))
}

/// The day at the beginning, and what follows it.
fn split_day(text: &str, order: DateOrder) -> Result<(Date, &str), ValueProblem> {
    if let Some(found) = japanese_day(text) {
        return found.ok_or(ValueProblem::NotADate);
    }
    let mut rest = text;
    let mut numbers = [(0_i16, 0_usize); 3];
    let mut marks = [' '; 2];
    for at in 0..3 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 4 {
            return Err(ValueProblem::NotADate);
        }
        let number = rest[..digits].parse().map_err(|_| ValueProblem::NotADate)?;
        numbers[at] = (number, digits);
        rest = &rest[digits..];
        if at < 2 {
            let mark = rest.chars().next().ok_or(ValueProblem::NotADate)?;
            if !matches!(mark, '-' | '/' | '.') {
                return Err(ValueProblem::NotADate);
            }
            marks[at] = mark;
            rest = &rest[1..];
        }
    }
    if marks[0] != marks[1] {
        return Err(ValueProblem::NotADate);
    }
    let [(first, width), (second, _), (third, last_width)] = numbers;
    let (year, month, day) = if width == 4 {
        (first, second, third)
    } else if last_width == 4 {
        let (day, month) = match (marks[0], order) {
            // With points, the day comes first wherever points are used.
            ('.', DateOrder::Certain | DateOrder::DayFirst) | (_, DateOrder::DayFirst) => {
                (first, second)
            }
            (_, DateOrder::MonthFirst) => (second, first),
            (_, DateOrder::Certain) if first > 12 => (first, second),
            (_, DateOrder::Certain) if first == second => (first, second),
            (_, DateOrder::Certain) => return Err(ValueProblem::DateOrder),
        };
        (third, month, day)
    } else {
        return Err(ValueProblem::ShortYear);
    };
    let narrow = |number: i16| i8::try_from(number).map_err(|_| ValueProblem::NotADate);
    let date = Date::new(year, narrow(month)?, narrow(day)?).map_err(|_| ValueProblem::NotADate)?;
    Ok((date, rest))
}

/// `2026年11月22日`, `令和8年11月22日`; `None` if the text has no 年.
#[expect(clippy::option_option, reason = "not of this sort, or of it and wrong")]
fn japanese_day(text: &str) -> Option<Option<(Date, &str)>> {
    const ERAS: [(&str, i16); 5] = [
        ("令和", 2018),
        ("平成", 1988),
        ("昭和", 1925),
        ("大正", 1911),
        ("明治", 1867),
    ];
    let (year, rest) = text.split_once('年')?;
    Some((|| {
        let era = ERAS.iter().find_map(|(name, before)| {
            let year = year.strip_prefix(name)?;
            let year = if year == "元" { 1 } else { year.parse().ok()? };
            Some(before + year)
        });
        let year: i16 = match era {
            Some(year) => year,
            None if year.len() == 4 => year.parse().ok()?,
            None => return None,
        };
        let (month, rest) = rest.split_once('月')?;
        let (day, rest) = rest.split_once('日')?;
        let date = Date::new(year, month.trim().parse().ok()?, day.trim().parse().ok()?).ok()?;
        Some((date, rest))
    })())
}

/// A time of day after a date; midnight if there is none.
fn time_of(rest: &str) -> Option<Time> {
    let rest = rest
        .trim_start_matches(['T', 't', ' ', ',', '\u{a0}'])
        .trim();
    if rest.is_empty() {
        return Some(Time::midnight());
    }
    let plain = rest.replace(['時', '分'], ":").replace('秒', "");
    let plain = plain.trim_end_matches(':');
    let (clock, half) = match plain.to_ascii_lowercase() {
        lower if lower.ends_with("am") => (plain[..plain.len() - 2].trim().to_owned(), Some(0)),
        lower if lower.ends_with("pm") => (plain[..plain.len() - 2].trim().to_owned(), Some(12)),
        _no_half => (plain.to_owned(), None),
    };
    let mut parts = clock.split(':');
    let mut number = |most: i8| -> Option<i8> {
        match parts.next() {
            None => Some(0),
            Some(text) => {
                let text = text.split('.').next().unwrap_or(text);
                text.trim()
                    .parse()
                    .ok()
                    .filter(|number| (0..=most).contains(number))
            }
        }
    };
    let (hour, minute, second) = (number(23)?, number(59)?, number(59)?);
    if parts.next().is_some() || !clock.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
    };
    Time::new(hour, minute, second, 0).ok()
}

/// The date and time of a spreadsheet's number, in the system that begins with 1900.
pub fn of_serial(serial: f64) -> Option<DateTime> {
    if !(1.0..SERIAL_MAX).contains(&serial) {
        return None;
    }
    let days = serial.trunc();
    // The 29th of February 1900 is day 60, and never was.
    let base = if days < 60.0 {
        Date::constant(1899, 12, 31)
    } else if days > 60.0 {
        Date::constant(1899, 12, 30)
    } else {
        return None;
    };
    #[expect(clippy::cast_possible_truncation, reason = "in range: checked above")]
    let (days, seconds) = (days as i32, ((serial - days) * 86_400.0).round() as i64);
    let span = jiff::Span::new()
        .try_days(days)
        .ok()?
        .try_seconds(seconds)
        .ok()?;
    base.to_datetime(Time::midnight()).checked_add(span).ok()
}

/// A spreadsheet's date as people write it.
pub fn serial_text(serial: f64) -> Option<String> {
    let civil = of_serial(serial)?;
    Some(if civil.time() == Time::midnight() {
        civil.date().to_string()
    } else {
        civil.strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}

/// A spreadsheet's number as people write it: whole ones without a fraction.
pub fn number_text(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        (number as i64).to_string()
    } else {
        number.to_string()
    }
}

/// A spreadsheet's number as a value.
pub fn number_value(number: f64) -> Result<Value, ValueProblem> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        Ok(Value::from(number as i64))
    } else {
        serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or(ValueProblem::NotANumber)
    }
}

/// Reads a number: groups by blanks, apostrophes, commas or points; a sign; a currency beside it.
pub fn number(text: &str, decimal: Decimal) -> Result<Value, ValueProblem> {
    let text = narrow(text);
    let text = without_currency(text.trim());
    let (is_negative, body) = match text.strip_prefix(['-', '−', '–']) {
        Some(body) => (true, body.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let is_blank = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’');
    let has_blanks = body.contains(is_blank);
    let body: String = if has_blanks {
        if !are_groups(body.split(['.', ',']).next().unwrap_or(body), is_blank) {
            return Err(ValueProblem::NotANumber);
        }
        body.chars().filter(|c| !is_blank(*c)).collect()
    } else {
        body.to_owned()
    };
    if body.is_empty()
        || !body.starts_with(|c: char| c.is_ascii_digit())
        || !body
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
    {
        return Err(ValueProblem::NotANumber);
    }
    let (whole, fraction) = split_fraction(&body, decimal, has_blanks)?;
    exact(is_negative, &whole, fraction)
}

/// Digits before and after the decimal sign.
fn split_fraction(
    body: &str,
    decimal: Decimal,
    has_blanks: bool,
) -> Result<(String, &str), ValueProblem> {
    let commas = body.matches(',').count();
    let points = body.matches('.').count();
    let sign = match (commas, points, decimal) {
        (0, 0, _) => return Ok((body.to_owned(), "")),
        (_, _, Decimal::Comma) => ',',
        (_, _, Decimal::Point) => '.',
        (1.., 1.., Decimal::Certain) if body.rfind(',') > body.rfind('.') => ',',
        (1.., 1.., Decimal::Certain) => '.',
        (0, 1, Decimal::Certain) => '.',
        // Several of one sort are groups.
        (0, 2.., Decimal::Certain) => ',',
        (2.., 0, Decimal::Certain) => '.',
        (1, 0, Decimal::Certain) => {
            let (before, after) = body.split_once(',').unwrap_or((body, ""));
            let may_be_group =
                after.len() == 3 && !has_blanks && before.len() <= 3 && !before.starts_with('0');
            if may_be_group {
                return Err(ValueProblem::Decimal);
            }
            ','
        }
    };
    let group = if sign == ',' { '.' } else { ',' };
    let (whole, fraction) = match body.rsplit_once(sign) {
        Some((whole, fraction)) => (whole, fraction),
        None => (body, ""),
    };
    if whole.contains(sign) || fraction.contains(group) || !are_groups(whole, |c| c == group) {
        return Err(ValueProblem::NotANumber);
    }
    Ok((whole.replace(group, ""), fraction))
}

/// Whether a number is cut into groups of three, the first shorter at most.
fn are_groups(text: &str, is_mark: impl Fn(char) -> bool + Copy) -> bool {
    let mut groups = text.split(is_mark);
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    let is_cut = rest.peek().is_some();
    rest.all(|group| group.len() == 3) && (!is_cut || (1..=3).contains(&first.len()))
}

fn exact(is_negative: bool, whole: &str, fraction: &str) -> Result<Value, ValueProblem> {
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.len() + fraction.len() > DIGITS_MAX {
        return Err(ValueProblem::TooManyDigits);
    }
    let sign = if is_negative { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() {
        let number: i64 = format!("{sign}{whole}")
            .parse()
            .map_err(|_| ValueProblem::NotANumber)?;
        return Ok(Value::from(number));
    }
    let number: f64 = format!("{sign}{whole}.{fraction}")
        .parse()
        .map_err(|_| ValueProblem::NotANumber)?;
    number_value(number)
}

fn without_currency(text: &str) -> &str {
    const MARKS: [&str; 11] = [
        "руб.", "руб", "р.", "₽", "$", "€", "£", "¥", "円", "USD", "EUR",
    ];
    let mut text = text;
    for mark in MARKS {
        text = text.strip_prefix(mark).unwrap_or(text);
        text = text.strip_suffix(mark).unwrap_or(text);
    }
    text.trim_matches(|c: char| c.is_whitespace())
}

/// Words for yes and no, in lower case.
const YES: [&str; 22] = [
    "yes",
    "y",
    "true",
    "1",
    "on",
    "+",
    "x",
    "✓",
    "✔",
    "да",
    "д",
    "есть",
    "истина",
    "はい",
    "有",
    "有り",
    "あり",
    "○",
    "◯",
    "可",
    "真",
    "v",
];
const NO: [&str; 20] = [
    "no",
    "n",
    "false",
    "0",
    "off",
    "-",
    "–",
    "нет",
    "н",
    "ложь",
    "いいえ",
    "無",
    "無し",
    "なし",
    "×",
    "✕",
    "✗",
    "不可",
    "偽",
    "none",
];
/// Words that say the same of a consent.
const WANTED: [&str; 17] = [
    "granted",
    "subscribed",
    "opt-in",
    "opted in",
    "active",
    "согласен",
    "согласна",
    "подписан",
    "подписана",
    "подписка",
    "активен",
    "同意",
    "同意する",
    "希望する",
    "許可",
    "配信中",
    "登録",
];
const NOT_WANTED: [&str; 18] = [
    "denied",
    "unsubscribed",
    "opt-out",
    "opted out",
    "inactive",
    "cleaned",
    "не согласен",
    "не согласна",
    "отписан",
    "отписана",
    "отписался",
    "отписалась",
    "同意しない",
    "希望しない",
    "拒否",
    "配信停止",
    "解除",
    "停止",
];

/// Reads yes or no, in three languages.
pub fn yes_no(text: &str) -> Result<bool, ValueProblem> {
    let word = narrow(text).trim().to_lowercase();
    if YES.contains(&word.as_str()) {
        Ok(true)
    } else if NO.contains(&word.as_str()) {
        Ok(false)
    } else {
        Err(ValueProblem::NotYesNo)
    }
}

/// Reads whether something is wanted: yes and no, and the words that mailing tools use.
pub fn wanted(text: &str) -> Result<bool, ValueProblem> {
    let word = narrow(text).trim().to_lowercase();
    if WANTED.contains(&word.as_str()) {
        Ok(true)
    } else if NOT_WANTED.contains(&word.as_str()) {
        Ok(false)
    } else {
        yes_no(&word)
    }
}

/// Reads a list: cut at semicolons, bars and Japanese commas, or at commas if there are none of these.
pub fn list(text: &str) -> Result<Value, ValueProblem> {
    const MARKS: [char; 5] = [';', '|', '、', '\n', '；'];
    let has_marks = text.contains(MARKS);
    let is_mark = |c: char| {
        if has_marks {
            MARKS.contains(&c)
        } else {
            matches!(c, ',' | '，')
        }
    };
    let items: Vec<Value> = text
        .split(is_mark)
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .take(LIST_ITEMS_MAX + 1)
        .map(Value::from)
        .collect();
    if items.len() > LIST_ITEMS_MAX {
        return Err(ValueProblem::TooManyItems);
    }
    Ok(Value::Array(items))
}

/// Digits, signs and letters of double width as ordinary ones.
pub fn narrow(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii()
        || !text
            .chars()
            .any(|c| matches!(c, '\u{FF01}'..='\u{FF5E}' | '\u{3000}'))
    {
        return std::borrow::Cow::Borrowed(text);
    }
    let narrow = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFF01 + 0x21).unwrap_or(c),
        c => c,
    };
    std::borrow::Cow::Owned(text.chars().map(narrow).collect())
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
