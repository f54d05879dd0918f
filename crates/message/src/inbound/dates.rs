//! The day an absence ends, as people write it: "until 12 January", "до 12 января", "12日まで".
//!
//! A day without a year is the one nearest to the day of the message, a little before at most.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::Captures;

use super::InboundRules;
use crate::mail::Mail;

/// A named day this many days before the message may still be meant (late answers).
const PAST_DAYS_MAX: i64 = 30;
/// A named day further ahead is not an absence.
const AHEAD_DAYS_MAX: i64 = 400;
/// Characters behind a day that may say that it is the last of an absence.
const BEHIND_CHARS_MAX: usize = 16;
/// Most dates looked at per pattern.
const MATCHES_MAX: usize = 20;

/// A day that ends an absence, as it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Until {
    pub date: Date,
    /// It is the last of the absence, not the first at work again.
    pub is_last: bool,
}

impl Until {
    /// The first day at work again.
    pub fn returns(self) -> Date {
        match self.is_last {
            true => self.date.tomorrow().unwrap_or(self.date),
            false => self.date,
        }
    }
}

/// The first day found, by the patterns in their order.
pub(super) fn until(mail: &Mail, text: &str, rules: &InboundRules) -> Option<Until> {
    let today = mail
        .date_local
        .map(|local| local.date())
        .or_else(|| Some(mail.received?.to_zoned(TimeZone::UTC).date()));
    let text = plain_digits(text);
    for pattern in &rules.auto.until {
        let found = pattern
            .captures_iter(&text)
            .take(MATCHES_MAX)
            .find_map(|captures| {
                let date = date(&captures, today, rules)?;
                let whole = captures.get(0)?;
                let said = whole.as_str().to_lowercase();
                // What stands right behind the day may say it too.
                let behind: String = text
                    .get(whole.end()..)?
                    .chars()
                    .take(BEHIND_CHARS_MAX)
                    .collect();
                let is_last = rules.auto.last_day.is_match(&said)
                    || rules.auto.last_day.is_match(&behind.to_lowercase());
                Some(Until { date, is_last })
            });
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Full-width digits and separators as ASCII.
pub(super) fn plain_digits(text: &str) -> String {
    text.chars()
        .map(|ch| match ch {
            '０'..='９' => char::from(b'0' + (u32::from(ch) - u32::from('０')) as u8),
            '／' => '/',
            '\u{a0}' | '\u{202f}' | '　' => ' ',
            other => other,
        })
        .collect()
}

fn date(captures: &Captures<'_>, today: Option<Date>, rules: &InboundRules) -> Option<Date> {
    let number = |name: &str| captures.name(name)?.as_str().parse::<i16>().ok();
    let year = number("year").map(|year| if year < 100 { 2000 + year } else { year });
    let candidates: Vec<(i16, i16)> =
        if let (Some(first), Some(second)) = (number("a"), number("b")) {
            // Which of the two is the month depends on the country: both are tried.
            vec![(second, first), (first, second)]
        } else {
            let day = number("day")?;
            let month = match number("month") {
                Some(month) => Some(month),
                None => match captures.name("name") {
                    Some(name) => Some(month_named(name.as_str(), rules)?),
                    None => None,
                },
            };
            match (month, today) {
                (Some(month), _) => vec![(month, day)],
                // A day of the month alone: of this month, else of the next.
                (None, Some(today)) => {
                    let this = i16::from(today.month());
                    let month = if day >= i16::from(today.day()) {
                        this
                    } else {
                        this % 12 + 1
                    };
                    vec![(month, day)]
                }
                (None, None) => return None,
            }
        };
    candidates
        .into_iter()
        .filter_map(|(month, day)| place(year, month, day, today))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, date)| date)
}

/// The date with its distance from today, days before counting double.
fn place(year: Option<i16>, month: i16, day: i16, today: Option<Date>) -> Option<(i64, Date)> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let distance = |date: Date| {
        let Some(today) = today else { return Some(0) };
        let days = i64::from((date - today).get_days());
        if !(-PAST_DAYS_MAX..=AHEAD_DAYS_MAX).contains(&days) {
            return None;
        }
        Some(if days < 0 { -2 * days } else { days })
    };
    match (year, today) {
        (Some(year), _) => {
            let date = Date::new(year, month, day).ok()?;
            Some((distance(date)?, date))
        }
        (None, Some(today)) => [today.year() - 1, today.year(), today.year() + 1]
            .into_iter()
            .filter_map(|year| {
                let date = Date::new(year, month, day).ok()?;
                Some((distance(date)?, date))
            })
            .min(),
        (None, None) => None,
    }
}

/// By the longest key of the table that the word starts with.
fn month_named(word: &str, rules: &InboundRules) -> Option<i16> {
    let word = word.to_lowercase();
    rules
        .auto
        .months
        .iter()
        .filter(|(name, _)| word.starts_with(name.as_str()))
        .max_by_key(|(name, _)| name.len())
        .map(|(_, month)| i16::from(*month))
}
