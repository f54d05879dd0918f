//! A day that an answer names: "on Friday", "до 15.12", 来週月曜, "in Q1".
//!
//! Told against the day of the mail by its author's clock, and never before it. A day without a year is the next one
//! of that name. Of a span ("next week", "in January") a promise means its last day, a "later" its first.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};
use regex::{Captures, Regex};

use super::dates::plain_digits;

/// Most hits looked at per pattern.
const HITS_MAX: usize = 8;
/// A day further ahead is not what an answer means.
const AHEAD_DAYS_MAX: i32 = 800;

/// Which end of a span is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// What a pattern finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayKind {
    Date,
    /// A day of the month alone.
    Day,
    /// So many days from today.
    Relative(i32),
    Weekday,
    /// In so many units.
    In,
    /// The end of a unit.
    EndOf,
    Quarter,
    Month,
    /// The unit after this one.
    Next,
    /// This very unit.
    This,
    Season,
}

impl DayKind {
    pub fn from_name(name: &str, days: Option<i32>) -> Option<DayKind> {
        Some(match name {
            "date" => DayKind::Date,
            "day" => DayKind::Day,
            "relative" => DayKind::Relative(days?),
            "weekday" => DayKind::Weekday,
            "in" => DayKind::In,
            "end" => DayKind::EndOf,
            "quarter" => DayKind::Quarter,
            "month" => DayKind::Month,
            "next" => DayKind::Next,
            "this" => DayKind::This,
            "season" => DayKind::Season,
            _ => return None,
        })
    }
}

/// Patterns of one kind.
#[derive(Debug, Clone)]
pub(super) struct DayRule {
    pub kind: DayKind,
    pub patterns: Vec<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// The first day found, by the rules in their order.
pub(super) fn find(text: &str, today: Date, end: End, rules: &[DayRule]) -> Option<Date> {
    let text = plain_digits(text);
    for rule in rules {
        for pattern in &rule.patterns {
            let found = pattern
                .captures_iter(&text)
                .take(HITS_MAX)
                .find_map(|hit| resolve(rule.kind, &hit, today, end));
            if let Some(date) = found.filter(|date| {
                let ahead = days_between(today, *date);
                (0..=AHEAD_DAYS_MAX).contains(&ahead)
            }) {
                return Some(date);
            }
        }
    }
    None
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

fn resolve(kind: DayKind, hit: &Captures<'_>, today: Date, end: End) -> Option<Date> {
    let number = |name: &str| hit.name(name)?.as_str().parse::<i16>().ok();
    let word = |name: &str| {
        hit.name(name)
            .map(|found| found.as_str().trim().to_lowercase())
    };
    let unit = || {
        ["unit", "unit2", "unit3"]
            .into_iter()
            .find_map(word)
            .and_then(|word| unit_of(&word))
    };
    let year = number("year").map(|year| if year < 100 { 2000 + year } else { year });
    match kind {
        DayKind::Date => {
            if let (Some(first), Some(second)) = (number("a"), number("b")) {
                // Which of the two is the month depends on the country: the sooner one is meant.
                return [(second, first), (first, second)]
                    .into_iter()
                    .filter_map(|(month, day)| next_date(year, month, day, today))
                    .min();
            }
            let month = number("month").or_else(|| month_of(&word("name")?))?;
            next_date(year, month, number("day")?, today)
        }
        DayKind::Day => {
            let day = i8::try_from(number("day").or_else(|| number("day2"))?).ok()?;
            let first = today.first_of_month();
            (0..4)
                .filter_map(|ahead| {
                    let month = first.checked_add(ahead.months()).ok()?;
                    Date::new(month.year(), month.month(), day).ok()
                })
                .find(|date| *date >= today)
        }
        DayKind::Relative(days) => today.checked_add(days.days()).ok(),
        DayKind::Weekday => {
            let weekday = weekday_of(&word("weekday")?)?;
            // The word "next" before a day means this week's to some, the next one's to others; beside a week it is
            // plain. What has passed this week is the next week's.
            let plain = hit.name("after").is_some()
                || word("next").is_some_and(|next| next.starts_with('来'));
            if plain {
                let monday = first_of(Unit::Week, today)?.checked_add(1.week()).ok()?;
                let days = i32::from(weekday.to_monday_zero_offset());
                return monday.checked_add(days.days()).ok();
            }
            let ahead = i32::from(weekday.since(today.weekday()));
            let ahead = if ahead == 0 { 7 } else { ahead };
            today.checked_add(ahead.days()).ok()
        }
        DayKind::In => {
            let unit = unit()?;
            let n = match word("n") {
                Some(n) => count_of(&n)?,
                None => 1,
            };
            today.checked_add(span(unit, n)).ok()
        }
        DayKind::EndOf => {
            let unit = unit()?;
            let mut first = first_of(unit, today)?;
            if hit.name("next").is_some() {
                first = first.checked_add(span(unit, 1)).ok()?;
            }
            last_of(unit, first)
        }
        DayKind::Quarter => {
            let quarter = quarter_of(&word("quarter")?)?;
            let month = 3 * (quarter - 1) + 1;
            span_end(Unit::Quarter, month, None, today, end)
        }
        DayKind::Month => {
            let month = number("month").or_else(|| month_of(&word("name")?))?;
            span_end(Unit::Month, i8::try_from(month).ok()?, year, today, end)
        }
        DayKind::Next => {
            let unit = unit()?;
            let first = first_of(unit, today)?.checked_add(span(unit, 1)).ok()?;
            match end {
                End::First => Some(first),
                End::Last => last_of(unit, first),
            }
        }
        DayKind::This => last_of(unit()?, first_of(unit()?, today)?).map(|last| last.max(today)),
        DayKind::Season => {
            let month = season_of(&word("name")?)?;
            let first = Date::new(today.year(), month, 1).ok()?;
            if first >= today {
                Some(first)
            } else {
                first.checked_add(1.year()).ok()
            }
        }
    }
}

/// The next day of a month and day; of a year, if one is named.
fn next_date(year: Option<i16>, month: i16, day: i16, today: Date) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    match year {
        Some(year) => Date::new(year, month, day)
            .ok()
            .filter(|date| *date >= today),
        None => (0..5)
            .filter_map(|ahead| Date::new(today.year() + ahead, month, day).ok())
            .find(|date| *date >= today),
    }
}

/// An end of a month or quarter that begins with a month: the next such span that is not over.
fn span_end(unit: Unit, month: i8, year: Option<i16>, today: Date, end: End) -> Option<Date> {
    let years = match year {
        Some(year) => year..year + 1,
        None => today.year()..today.year() + 2,
    };
    let first = years
        .filter_map(|year| Date::new(year, month, 1).ok())
        .find(|first| last_of(unit, *first).is_some_and(|last| last >= today))?;
    match end {
        // What is under way already: from today on.
        End::First => Some(first.max(today)),
        End::Last => last_of(unit, first),
    }
}

fn first_of(unit: Unit, day: Date) -> Option<Date> {
    match unit {
        Unit::Day => Some(day),
        Unit::Week => {
            let back = i32::from(day.weekday().to_monday_zero_offset());
            day.checked_sub(back.days()).ok()
        }
        Unit::Month => Some(day.first_of_month()),
        Unit::Quarter => Date::new(day.year(), 3 * ((day.month() - 1) / 3) + 1, 1).ok(),
        Unit::Year => Some(day.first_of_year()),
    }
}

/// The last day of a span; of a week its Friday.
fn last_of(unit: Unit, first: Date) -> Option<Date> {
    match unit {
        Unit::Week => first.checked_add(4.days()).ok(),
        Unit::Day | Unit::Month | Unit::Quarter | Unit::Year => first
            .checked_add(span(unit, 1))
            .ok()?
            .checked_sub(1.day())
            .ok(),
    }
}

fn span(unit: Unit, n: i32) -> Span {
    match unit {
        Unit::Day => n.days(),
        Unit::Week => n.weeks(),
        Unit::Month => n.months(),
        Unit::Quarter => (3 * n).months(),
        Unit::Year => n.years(),
    }
}

/// The entry whose key the word begins with.
fn by_start<T: Copy>(word: &str, table: &[(&str, T)]) -> Option<T> {
    let found = table.iter().find(|(start, _)| word.starts_with(start));
    found.map(|(_, value)| *value)
}

fn unit_of(word: &str) -> Option<Unit> {
    by_start(
        word,
        &[
            ("day", Unit::Day),
            ("дн", Unit::Day),
            ("день", Unit::Day),
            ("日", Unit::Day),
            ("tag", Unit::Day),
            ("week", Unit::Week),
            ("недел", Unit::Week),
            ("週", Unit::Week),
            ("woche", Unit::Week),
            ("month", Unit::Month),
            ("месяц", Unit::Month),
            ("月", Unit::Month),
            ("か月", Unit::Month),
            ("ヶ月", Unit::Month),
            ("カ月", Unit::Month),
            ("ケ月", Unit::Month),
            ("monat", Unit::Month),
            ("quarter", Unit::Quarter),
            ("квартал", Unit::Quarter),
            ("期", Unit::Quarter),
            ("quartal", Unit::Quarter),
            ("year", Unit::Year),
            ("год", Unit::Year),
            ("лет", Unit::Year),
            ("年", Unit::Year),
            ("jahr", Unit::Year),
        ],
    )
}

fn weekday_of(word: &str) -> Option<Weekday> {
    by_start(
        word,
        &[
            ("mon", Weekday::Monday),
            ("пон", Weekday::Monday),
            ("月", Weekday::Monday),
            ("tue", Weekday::Tuesday),
            ("вт", Weekday::Tuesday),
            ("火", Weekday::Tuesday),
            ("die", Weekday::Tuesday),
            ("wed", Weekday::Wednesday),
            ("ср", Weekday::Wednesday),
            ("水", Weekday::Wednesday),
            ("mit", Weekday::Wednesday),
            ("thu", Weekday::Thursday),
            ("чет", Weekday::Thursday),
            ("木", Weekday::Thursday),
            ("don", Weekday::Thursday),
            ("fri", Weekday::Friday),
            ("frei", Weekday::Friday),
            ("пят", Weekday::Friday),
            ("金", Weekday::Friday),
            ("sat", Weekday::Saturday),
            ("sam", Weekday::Saturday),
            ("суб", Weekday::Saturday),
            ("土", Weekday::Saturday),
            ("sun", Weekday::Sunday),
            ("son", Weekday::Sunday),
            ("вос", Weekday::Sunday),
            ("日", Weekday::Sunday),
        ],
    )
}

fn month_of(word: &str) -> Option<i16> {
    by_start(
        word,
        &[
            ("jan", 1),
            ("янв", 1),
            ("feb", 2),
            ("фев", 2),
            ("mar", 3),
            ("mär", 3),
            ("мар", 3),
            ("apr", 4),
            ("апр", 4),
            ("may", 5),
            ("mai", 5),
            ("ма", 5),
            ("jun", 6),
            ("июн", 6),
            ("jul", 7),
            ("июл", 7),
            ("aug", 8),
            ("авг", 8),
            ("sep", 9),
            ("сен", 9),
            ("oct", 10),
            ("okt", 10),
            ("окт", 10),
            ("nov", 11),
            ("ноя", 11),
            ("dec", 12),
            ("dez", 12),
            ("дек", 12),
        ],
    )
}

fn quarter_of(word: &str) -> Option<i8> {
    by_start(
        word,
        &[
            ("1", 1),
            ("перв", 1),
            ("first", 1),
            ("一", 1),
            ("2", 2),
            ("втор", 2),
            ("second", 2),
            ("二", 2),
            ("3", 3),
            ("трет", 3),
            ("third", 3),
            ("三", 3),
            ("4", 4),
            ("четверт", 4),
            ("fourth", 4),
            ("四", 4),
        ],
    )
}

fn season_of(word: &str) -> Option<i8> {
    by_start(
        word,
        &[
            ("spring", 3),
            ("весн", 3),
            ("春", 3),
            ("来春", 3),
            ("frü", 3),
            ("summer", 6),
            ("лет", 6),
            ("夏", 6),
            ("sommer", 6),
            ("autumn", 9),
            ("fall", 9),
            ("осен", 9),
            ("秋", 9),
            ("herbst", 9),
            ("winter", 12),
            ("зим", 12),
            ("冬", 12),
        ],
    )
}

fn count_of(word: &str) -> Option<i32> {
    if let Ok(n) = word.parse::<i32>() {
        return Some(n);
    }
    by_start(
        word,
        &[
            ("a couple", 2),
            ("couple", 2),
            ("a few", 3),
            ("один", 1),
            ("одн", 1),
            ("one", 1),
            ("einem", 1),
            ("einer", 1),
            ("полгода", 6),
            ("two", 2),
            ("два", 2),
            ("две", 2),
            ("пару", 2),
            ("zwei", 2),
            ("three", 3),
            ("три", 3),
            ("drei", 3),
            ("four", 4),
            ("четыре", 4),
            ("vier", 4),
            ("five", 5),
            ("пять", 5),
            ("six", 6),
            ("ten", 10),
            ("a", 1),
        ],
    )
}
