//! Civil days, weeks and months, and the dates that return every year.
//!
//! A civil day is a number (days since 1 January 1970) so that caps and counters compare and store it as an integer.
//!
//! **Absent:** working days ([`super::Calendar`]) and lengths of time ([`super::Delay`]).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use thiserror::Error;

use super::{Zone, local_at, quoted, serde_as_text};

/// Why a text is no time of day or no day of the year.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeProblem {
    #[error("time of day {text:?} is not a time; write it as 09:00")]
    TimeOfDay { text: String },
    #[error("day of the year {text:?} is not a date; write month and day as 02-29")]
    MonthDay { text: String },
}

/// The instants of one civil day: `start <= at < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayBounds {
    pub start: Timestamp,
    /// The first instant of the next day; equal to `start` for a day that the zone skipped.
    pub end: Timestamp,
}

/// The local date at `at`, as days since 1 January 1970.
pub fn civil_day(at: Timestamp, zone: &Zone) -> i32 {
    day_number(zone.local(at).date())
}

/// The Monday of the ISO week that `day` lies in.
pub fn week_start(day: i32) -> i32 {
    day.saturating_sub(i32::from(weekday_from_monday(day)))
}

/// The first day of the month that `day` lies in.
pub fn month_start(day: i32) -> i32 {
    day_number(date_of(day).first_of_month())
}

/// Where `day` begins and ends in `zone`. Where midnight is skipped by a DST change the day begins at its first instant.
pub fn day_bounds(day: i32, zone: &Zone) -> DayBounds {
    let start = local_at(date_of(day), Time::midnight(), zone);
    let end = if day >= day_number(Date::MAX) {
        Timestamp::MAX
    } else {
        local_at(date_of(day + 1), Time::midnight(), zone)
    };
    DayBounds { start, end }
}

/// Days since 1 January 1970, negative before it.
pub fn day_number(date: Date) -> i32 {
    // Howard Hinnant's `days_from_civil`: years start in March, so the leap day is the last of its year.
    let (month, day) = (i32::from(date.month()), i32::from(date.day()));
    let year = i32::from(date.year()) - i32::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a day number; saturates at the ends of the calendar.
pub fn date_of(day: i32) -> Date {
    // The inverse of `day_number`, in the same terms.
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let saturated = if day > 0 { Date::MAX } else { Date::MIN };
    let Ok(year) = i16::try_from(year) else {
        return saturated;
    };
    Date::new(year, month as i8, day_of_month as i8).unwrap_or(saturated)
}

/// Monday is 0.
pub(super) fn weekday_from_monday(day: i32) -> u8 {
    // 1 January 1970 was a Thursday.
    (i64::from(day) + 3).rem_euclid(7) as u8
}

/// `date` moved by whole months; a day that the month does not have becomes its last. Saturates.
pub(super) fn add_months(date: Date, months: i32) -> Date {
    let month_index = i32::from(date.year()) * 12 + i32::from(date.month()) - 1 + months;
    let month = (month_index.rem_euclid(12) + 1) as i8;
    let saturated = if months > 0 { Date::MAX } else { Date::MIN };
    let Ok(year) = i16::try_from(month_index.div_euclid(12)) else {
        return saturated;
    };
    match Date::new(year, month, 1) {
        Ok(first) => {
            Date::new(year, month, date.day().min(first.days_in_month())).unwrap_or(saturated)
        }
        Err(_) => saturated,
    }
}

/// A day that returns every year, such as a birthday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    month: i8,
    day: i8,
}

impl MonthDay {
    /// `None` when no year has such a day.
    pub fn new(month: i8, day: i8) -> Option<MonthDay> {
        // 2024 is a leap year: 29 February is a birthday like any other.
        Date::new(2024, month, day)
            .ok()
            .map(|_| MonthDay { month, day })
    }

    pub fn month(self) -> i8 {
        self.month
    }

    pub fn day(self) -> i8 {
        self.day
    }

    /// The day in `year`; 29 February is kept on 28 February in common years.
    pub fn in_year(self, year: i16) -> Date {
        match Date::new(year, self.month, self.day) {
            Ok(date) => date,
            // Only 29 February is missing from some years.
            Err(_) => Date::new(year, 2, 28).unwrap_or(Date::MAX),
        }
    }
}

impl From<Date> for MonthDay {
    fn from(date: Date) -> MonthDay {
        MonthDay {
            month: date.month(),
            day: date.day(),
        }
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl FromStr for MonthDay {
    type Err = TimeProblem;

    fn from_str(text: &str) -> Result<MonthDay, TimeProblem> {
        let parsed = || {
            let (month, day) = text.split_once('-')?;
            MonthDay::new(two_digits(month)?, two_digits(day)?)
        };
        parsed().ok_or_else(|| TimeProblem::MonthDay { text: quoted(text) })
    }
}

serde_as_text!(MonthDay, "a month and day such as 02-29");

/// The first instant after `after` (not `after` itself) at which it is `time` on `date` in `zone`.
///
/// 29 February is kept on 28 February in common years. Saturates at the end of the timeline.
pub fn next_yearly(date: MonthDay, time: Time, after: Timestamp, zone: &Zone) -> Timestamp {
    let year = zone.local(after).year();
    // Two years suffice unless the day itself was skipped by the zone; the third is for that.
    for ahead in 0..=2 {
        let at = local_at(date.in_year(year.saturating_add(ahead)), time, zone);
        if at > after {
            return at;
        }
    }
    Timestamp::MAX
}

/// The first instant at or after `after` at which it is `time` in `zone`; where the clock skips it, the first instant
/// after the gap. Saturates at the end of the timeline.
pub fn next_time_of_day(time: Time, after: Timestamp, zone: &Zone) -> Timestamp {
    let today = day_number(zone.local(after).date());
    // Yesterday counts where the clock goes back over midnight; the day after tomorrow where tomorrow never was.
    (today - 1..=today + 2)
        .map(date_of)
        .filter_map(|date| {
            let at = zone.at_from(date.to_datetime(time), after)?;
            (zone.local(at).date() == date || !zone.skips(date)).then_some(at)
        })
        .min()
        .unwrap_or(Timestamp::MAX)
}

/// A time of day written `HH:MM`, from 00:00 to 23:59.
pub fn parse_time_of_day(text: &str) -> Result<Time, TimeProblem> {
    let parsed = || {
        let (hour, minute) = text.trim().split_once(':')?;
        Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok()
    };
    parsed().ok_or_else(|| TimeProblem::TimeOfDay { text: quoted(text) })
}

/// One or two ASCII digits.
pub(super) fn two_digits(text: &str) -> Option<i8> {
    if text.is_empty() || text.len() > 2 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn day_numbers_agree_with_the_calendar_over_centuries() {
        let mut day = day_number(date(1580, 1, 1));
        let mut expected = date(1580, 1, 1);
        while expected < date(2440, 1, 1) {
            assert_eq!(day_number(expected), day);
            assert_eq!(date_of(day), expected);
            assert_eq!(
                weekday_from_monday(day),
                expected.weekday().to_monday_zero_offset() as u8
            );
            day += 1;
            expected = expected.tomorrow().unwrap();
        }
        assert_eq!(day_number(date(1970, 1, 1)), 0);
    }

    #[test]
    fn day_numbers_saturate() {
        assert_eq!(date_of(i32::MAX), Date::MAX);
        assert_eq!(date_of(i32::MIN), Date::MIN);
        assert_eq!(date_of(day_number(Date::MAX)), Date::MAX);
        assert_eq!(date_of(day_number(Date::MAX) + 1), Date::MAX);
        assert_eq!(date_of(day_number(Date::MIN)), Date::MIN);
        assert_eq!(day_bounds(i32::MAX, &Zone::utc()).end, Timestamp::MAX);
    }

    #[test]
    fn months_clamp_to_their_last_day() {
        assert_eq!(add_months(date(2024, 1, 31), 1), date(2024, 2, 29));
        assert_eq!(add_months(date(2023, 1, 31), 1), date(2023, 2, 28));
        assert_eq!(add_months(date(2024, 2, 29), 12), date(2025, 2, 28));
        assert_eq!(add_months(date(2024, 3, 31), -1), date(2024, 2, 29));
        assert_eq!(add_months(date(2024, 1, 15), -1), date(2023, 12, 15));
        assert_eq!(add_months(Date::MAX, 1), Date::MAX);
        assert_eq!(add_months(Date::MIN, -1), Date::MIN);
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_their_first() {
        let day = day_number(date(2026, 3, 8)); // a Sunday
        assert_eq!(date_of(week_start(day)), date(2026, 3, 2));
        assert_eq!(week_start(day + 1), day + 1);
        assert_eq!(date_of(month_start(day)), date(2026, 3, 1));
    }

    #[test]
    fn month_days_read_and_print_alike() {
        for text in ["02-29", "01-01", "12-31"] {
            assert_eq!(text.parse::<MonthDay>().unwrap().to_string(), text);
        }
        for text in [
            "02-30", "13-01", "0-1", "1", "", "01-01-01", "-1-01", "+1-01",
        ] {
            let problem = text.parse::<MonthDay>().unwrap_err().to_string();
            assert!(
                problem.contains("write month and day as 02-29"),
                "{problem}"
            );
        }
    }

    #[test]
    fn times_of_day_are_strict() {
        assert_eq!(
            parse_time_of_day("09:30").unwrap(),
            Time::constant(9, 30, 0, 0)
        );
        assert_eq!(
            parse_time_of_day("9:30").unwrap(),
            Time::constant(9, 30, 0, 0)
        );
        for text in ["24:00", "9", "09:60", "09:00:00", "", "+9:00", "nine"] {
            assert!(parse_time_of_day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_next_time_of_day_may_be_now_and_may_come_twice() {
        let next = |zone: &str, time: &str, after: &str| {
            let zone = Zone::parse(zone).unwrap();
            let time = parse_time_of_day(time).unwrap();
            let at = next_time_of_day(time, after.parse().unwrap(), &zone);
            zone.rfc3339(at).to_string()
        };
        for (zone, time, after, expected) in [
            (
                "Europe/Berlin",
                "09:00",
                "2026-03-02T09:00:00+01:00",
                "2026-03-02T09:00:00+01:00",
            ),
            (
                "Europe/Berlin",
                "09:00",
                "2026-03-02T09:00:01+01:00",
                "2026-03-03T09:00:00+01:00",
            ),
            // skipped, repeated
            (
                "Europe/Berlin",
                "02:30",
                "2026-03-28T09:00:00+01:00",
                "2026-03-29T03:00:00+02:00",
            ),
            (
                "Europe/Berlin",
                "02:30",
                "2026-10-25T02:30:00+02:00",
                "2026-10-25T02:30:00+02:00",
            ),
            (
                "Europe/Berlin",
                "02:30",
                "2026-10-25T02:30:01+02:00",
                "2026-10-25T02:30:00+01:00",
            ),
            (
                "Europe/Berlin",
                "02:30",
                "2026-10-25T02:30:01+01:00",
                "2026-10-26T02:30:00+01:00",
            ),
            // the clock goes back over midnight: the evening comes again
            (
                "America/St_Johns",
                "23:30",
                "2010-11-07T00:00:30-02:30",
                "2010-11-06T23:30:00-03:30",
            ),
            // the clock goes forward to midnight
            (
                "America/Nuuk",
                "23:30",
                "2024-03-30T22:30:00-02:00",
                "2024-03-31T00:00:00-01:00",
            ),
            // no 30 December at all
            (
                "Pacific/Apia",
                "09:00",
                "2011-12-29T10:00:00-10:00",
                "2011-12-31T09:00:00+14:00",
            ),
        ] {
            assert_eq!(next(zone, time, after), expected, "{zone} {time} {after}");
        }
    }

    #[test]
    fn the_next_time_of_day_saturates() {
        let zones = ["UTC", "Pacific/Apia", "Pacific/Pago_Pago"];
        for zone in zones.map(|name| Zone::parse(name).unwrap()) {
            assert_eq!(
                next_time_of_day(Time::midnight(), Timestamp::MAX, &zone),
                Timestamp::MAX
            );
            assert!(next_time_of_day(Time::midnight(), Timestamp::MIN, &zone) < Timestamp::MAX);
        }
    }
}
