//! The moment that a date in the data stands for: "three days before the end of the trial", "on each birthday at 09:00".
//!
//! Both the trigger `date` and the step that waits for a date ask here, so they agree. A value that is no date gives no
//! moment: data from outside is never an error.
//!
//! **Invariant:** [`DateRule::next`] answers later than `after`. Asked again from its own answer, a yearly rule gives the
//! occurrence of every year once, also where an offset moves it over the turn of the year.
//!
//! **Absent:** where the value is kept, and the guess that midnight in universal time was meant as a date.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use thiserror::Error;

use super::{Calendar, Delay, DelayProblem, MonthDay, Zone, serde_as_text};
use crate::value::{self, Value};

/// The time of day for a date that has none, when the rule gives none either.
pub const DATE_TIME_DEFAULT: Time = Time::constant(9, 0, 0, 0);

/// The longest text read as a date; with a zone's name in brackets the longest real one has about 70 bytes.
const TEXT_BYTES_MAX: usize = 128;

/// How many years before the likely one the search for a yearly occurrence starts. An offset taken back and forth comes
/// out some days beside its start, with working days at most one run of days off: below two years for any calendar.
const SEARCH_YEARS_BACK: i16 = 2;

/// How many years past the likely one the search goes, for the same reason.
const SEARCH_YEARS_AHEAD: i16 = 4;

/// A delay with its direction, written `-3d` (before), `+2w` or `3bd` (after).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Offset {
    pub before: bool,
    pub delay: Delay,
}

/// Why a text is no offset.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OffsetProblem {
    #[error("offset is empty; write for example -3d (before), +2w or 3bd (after)")]
    Empty,
    #[error("offset has two signs; write one: -3d (before) or +3d (after)")]
    TwoSigns,
    #[error(transparent)]
    Delay(#[from] DelayProblem),
}

/// How a date becomes a moment in the contact's zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DateRule {
    /// How far from the date. Days, weeks, months, years and working days move the day, and the time of day is kept on
    /// the day found; hours, minutes and seconds count from the moment itself.
    pub offset: Option<Offset>,
    /// The time of day; without it a date has [`DATE_TIME_DEFAULT`] and a date with a time its own.
    pub at: Option<Time>,
    /// Month and day of each year, whatever year the value names; 29 February on 28 February in common years.
    pub yearly: bool,
}

/// What a value says.
enum Given {
    Day(Date),
    /// Month and day without a year.
    DayOfYear(MonthDay),
    /// A date and time by the contact's own clock.
    Reading(DateTime),
    Moment(Timestamp),
}

impl Given {
    /// A date (`1990-05-12`), a month and day (`05-12`), a date and time with or without offset, or Unix seconds or
    /// milliseconds.
    fn read(value: &Value, zone: &Zone) -> Option<Given> {
        match value {
            Value::String(text) => Given::read_text(text),
            // `value::moment` takes the amount of the number, which this one does not have.
            Value::Number(number) if number.as_i64() == Some(i64::MIN) => None,
            Value::Number(_) => value::moment(value, zone).map(Given::Moment),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn read_text(text: &str) -> Option<Given> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Given::Moment(at));
        }
        if let Ok(local) = text.parse::<DateTime>() {
            let before_zone = text.split('[').next().unwrap_or(text);
            // Without a time the parser answers midnight, which is not what a birthday means.
            return Some(if before_zone.contains(['T', 't', ' ']) {
                Given::Reading(local)
            } else {
                Given::Day(local.date())
            });
        }
        // ISO 8601 and address books write "--05-12".
        let day = text.strip_prefix("--").unwrap_or(text);
        day.parse().ok().map(Given::DayOfYear)
    }
}

impl DateRule {
    /// The first moment after `after`, not `after` itself, that the rule gives for `value`; `None` when there is none.
    ///
    /// ```
    /// use relance_core::time::{Calendar, DateRule, Zone};
    ///
    /// let (zone, calendar) = (Zone::parse("Asia/Tokyo")?, Calendar::weekends_only());
    /// let three_days_before = DateRule { offset: Some("-3d".parse()?), at: None, yearly: true };
    /// let next = three_days_before.next(
    ///     &"1990-01-02".into(),
    ///     "2026-12-01T00:00:00+09:00".parse()?,
    ///     &zone,
    ///     &calendar,
    /// );
    /// assert_eq!(next, Some("2026-12-30T09:00:00+09:00".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next(
        &self,
        value: &Value,
        after: Timestamp,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        if !self.yearly {
            return self.moment(value, zone, calendar).filter(|at| *at > after);
        }
        let (day, time) = match Given::read(value, zone)? {
            Given::Day(date) => (MonthDay::from(date), DATE_TIME_DEFAULT),
            Given::DayOfYear(day) => (day, DATE_TIME_DEFAULT),
            Given::Reading(local) => (MonthDay::from(local.date()), local.time()),
            Given::Moment(at) => {
                let local = zone.local(at);
                (MonthDay::from(local.date()), local.time())
            }
        };
        let time = self.at.unwrap_or(time);
        // With the offset taken back from `after`, the year of the day sought is near.
        let near = match self.offset {
            None => after,
            Some(offset) => offset.reversed().moved(after, zone, calendar),
        };
        let year = zone.local(near).year();
        (year.saturating_sub(SEARCH_YEARS_BACK)..=year.saturating_add(SEARCH_YEARS_AHEAD))
            .filter(|year| (Date::MIN.year()..=Date::MAX.year()).contains(year))
            .map(|year| self.shifted(day.in_year(year), time, zone, calendar))
            .find(|at| *at > after)
            .and_then(on_the_timeline)
    }

    /// The moment that the rule gives for `value`'s own year, past or future; `None` when it names no year.
    pub fn moment(&self, value: &Value, zone: &Zone, calendar: &Calendar) -> Option<Timestamp> {
        let (date, time) = match Given::read(value, zone)? {
            Given::Day(date) => (date, DATE_TIME_DEFAULT),
            Given::DayOfYear(_) => return None,
            Given::Reading(local) => (local.date(), local.time()),
            Given::Moment(at) => match (self.at, self.offset) {
                // Left as it is, for its clock reading may occur twice.
                (None, None) => return Some(at),
                (None, Some(offset)) => return on_the_timeline(offset.moved(at, zone, calendar)),
                (Some(time), _) => (zone.local(at).date(), time),
            },
        };
        on_the_timeline(self.shifted(date, self.at.unwrap_or(time), zone, calendar))
    }

    fn shifted(&self, date: Date, time: Time, zone: &Zone, calendar: &Calendar) -> Timestamp {
        match self.offset {
            None => zone.at(date.to_datetime(time)),
            Some(Offset { before, delay }) => {
                delay.shift_reading(date, time, before, zone, calendar)
            }
        }
    }
}

/// Results saturate at the ends of the timeline; nothing is due there.
fn on_the_timeline(at: Timestamp) -> Option<Timestamp> {
    (Timestamp::MIN < at && at < Timestamp::MAX).then_some(at)
}

impl Offset {
    fn reversed(self) -> Offset {
        Offset {
            before: !self.before,
            delay: self.delay,
        }
    }

    fn moved(self, at: Timestamp, zone: &Zone, calendar: &Calendar) -> Timestamp {
        if self.before {
            self.delay.sub(at, zone, calendar)
        } else {
            self.delay.add(at, zone, calendar)
        }
    }
}

impl FromStr for Offset {
    type Err = OffsetProblem;

    fn from_str(written: &str) -> Result<Offset, OffsetProblem> {
        let text = written.trim();
        let (before, rest) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let rest = rest.trim_start();
        if rest.is_empty() {
            return Err(OffsetProblem::Empty);
        }
        if rest.starts_with(['-', '−', '+']) {
            return Err(OffsetProblem::TwoSigns);
        }
        Ok(Offset {
            before,
            delay: rest.parse()?,
        })
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.before { '-' } else { '+' };
        write!(f, "{sign}{}", self.delay)
    }
}

serde_as_text!(Offset, "an offset such as -3d (before), +2w or 3bd (after)");

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(offset: &str, at: &str, yearly: bool) -> DateRule {
        DateRule {
            offset: (!offset.is_empty()).then(|| offset.parse().unwrap()),
            at: (!at.is_empty()).then(|| crate::time::parse_time_of_day(at).unwrap()),
            yearly,
        }
    }

    #[test]
    fn offsets_read_and_print() {
        for (text, printed) in [
            ("-3d", "-3d"),
            ("+2w", "+2w"),
            ("3bd", "+3bd"),
            (" - 1d12h ", "-1d12h"),
            ("−2h", "-2h"),
            ("0d", "+0d"),
        ] {
            let offset: Offset = text.parse().unwrap();
            assert_eq!(offset.to_string(), printed, "{text}");
            assert_eq!(printed.parse::<Offset>().unwrap(), offset);
            assert_eq!(
                serde_json::from_value::<Offset>(json!(printed)).unwrap(),
                offset
            );
        }
    }

    #[test]
    fn a_refused_offset_names_the_remedy() {
        let said = |text: &str| text.parse::<Offset>().unwrap_err().to_string();
        assert_eq!(
            said(" "),
            "offset is empty; write for example -3d (before), +2w or 3bd (after)"
        );
        assert!(said("-").contains("offset is empty"));
        assert_eq!(
            said("--3d"),
            "offset has two signs; write one: -3d (before) or +3d (after)"
        );
        assert!(said("+-3d").contains("two signs"));
        assert_eq!(
            said("-3days"),
            "delay \"3days\" has the unknown unit \"days\"; write d"
        );
        assert!(said("three days before").contains("whole number"));
    }

    #[test]
    fn values_of_every_shape_give_their_moment_in_the_zone() {
        let (zone, calendar) = (
            Zone::parse("Europe/Moscow").unwrap(),
            Calendar::weekends_only(),
        );
        let said = |value: Value, offset: &str, at: &str| {
            rule(offset, at, false)
                .moment(&value, &zone, &calendar)
                .map(|at| zone.rfc3339(at).to_string())
        };
        for (value, offset, at, expected) in [
            (json!("2026-05-12"), "", "", "2026-05-12T09:00:00+03:00"),
            (
                json!(" 2026-05-12 "),
                "",
                "18:30",
                "2026-05-12T18:30:00+03:00",
            ),
            (json!("20260512"), "", "", "2026-05-12T09:00:00+03:00"),
            (
                json!("2026-05-12T10:20"),
                "",
                "",
                "2026-05-12T10:20:00+03:00",
            ),
            (
                json!("2026-05-12 00:00"),
                "",
                "",
                "2026-05-12T00:00:00+03:00",
            ),
            (
                json!("2026-05-12T22:00:00Z"),
                "",
                "",
                "2026-05-13T01:00:00+03:00",
            ),
            // with a time of day the local date counts
            (
                json!("2026-05-12T22:00:00Z"),
                "",
                "12:00",
                "2026-05-13T12:00:00+03:00",
            ),
            (
                json!("2026-05-12T22:00:00Z"),
                "-1d2h",
                "",
                "2026-05-11T23:00:00+03:00",
            ),
            (json!(1_778_630_400), "", "", "2026-05-13T03:00:00+03:00"),
            (
                json!(1_778_630_400_000_i64),
                "+1w",
                "",
                "2026-05-20T03:00:00+03:00",
            ),
            (json!("2026-05-12"), "-3d", "", "2026-05-09T09:00:00+03:00"),
            (json!("2026-05-12"), "-2h", "", "2026-05-12T07:00:00+03:00"),
            (
                json!("2026-05-12"),
                "-1mo2h",
                "",
                "2026-04-12T07:00:00+03:00",
            ),
            // 12 May 2026 is a Tuesday
            (json!("2026-05-12"), "3bd", "", "2026-05-15T09:00:00+03:00"),
            (json!("2026-05-12"), "-2bd", "", "2026-05-08T09:00:00+03:00"),
            (json!("2026-05-10"), "0bd", "", "2026-05-11T09:00:00+03:00"),
            (json!("2026-05-10"), "-0bd", "", "2026-05-08T09:00:00+03:00"),
        ] {
            assert_eq!(
                said(value.clone(), offset, at).as_deref(),
                Some(expected),
                "{value} {offset} {at}"
            );
        }
    }

    #[test]
    fn what_is_no_date_gives_no_moment() {
        let (zone, calendar) = (Zone::utc(), Calendar::weekends_only());
        for value in [
            json!("1990-02-29"),
            json!("1990-13-01"),
            json!("2026-05-12T25:00"),
            json!("02-30"),
            json!("soon"),
            json!(""),
            json!("2026"),
            json!("9".repeat(1_000_000)),
            json!(null),
            json!(true),
            json!(1.5),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(i64::MAX),
            json!(["2026-05-12"]),
            json!({"date": "2026-05-12"}),
        ] {
            for yearly in [false, true] {
                let rule = rule("", "", yearly);
                assert_eq!(rule.moment(&value, &zone, &calendar), None, "{value}");
                assert_eq!(
                    rule.next(&value, Timestamp::UNIX_EPOCH, &zone, &calendar),
                    None,
                    "{value}"
                );
            }
        }
        // A day of the year needs a yearly rule.
        for value in [json!("05-12"), json!("--05-12")] {
            let after: Timestamp = "2026-05-12T09:00:00Z".parse().unwrap();
            assert_eq!(
                rule("", "", false).next(&value, after, &zone, &calendar),
                None
            );
            assert_eq!(
                rule("", "", true).next(&value, after, &zone, &calendar),
                Some("2027-05-12T09:00:00Z".parse().unwrap())
            );
        }
    }

    #[test]
    fn the_ends_of_time_give_no_moment() {
        let calendar = Calendar::weekends_only();
        for zone in ["UTC", "Pacific/Apia", "Pacific/Pago_Pago"] {
            let zone = Zone::parse(zone).unwrap();
            for offset in ["", "+10y", "-10y", "+2600bd", "-2600bd", "87600h"] {
                for value in [
                    json!("9999-12-31"),
                    json!("-009999-01-01"),
                    json!("02-29"),
                    json!("12-31"),
                ] {
                    for yearly in [false, true] {
                        let rule = rule(offset, "23:59", yearly);
                        for after in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
                            let next = rule.next(&value, after, &zone, &calendar);
                            assert!(next.is_none_or(|at| at > after && at < Timestamp::MAX));
                        }
                        assert_eq!(rule.next(&value, Timestamp::MAX, &zone, &calendar), None);
                    }
                }
            }
        }
    }

    #[test]
    fn a_skipped_time_of_day_is_kept_on_the_day_that_counts() {
        let (zone, calendar) = (
            Zone::parse("Europe/Berlin").unwrap(),
            Calendar::weekends_only(),
        );
        // 02:30 does not exist on 29 March 2026.
        let moment = |offset: &str| {
            let at = rule(offset, "02:30", false)
                .moment(&json!("2026-03-29"), &zone, &calendar)
                .unwrap();
            zone.rfc3339(at).to_string()
        };
        assert_eq!(moment(""), "2026-03-29T03:00:00+02:00");
        assert_eq!(moment("-1d"), "2026-03-28T02:30:00+01:00");
        assert_eq!(moment("+1bd"), "2026-03-30T02:30:00+02:00");
        assert_eq!(moment("-2h"), "2026-03-29T00:00:00+01:00");
    }
}
