//! When a recurring broadcast comes round: "Tuesdays at 10:00", "on the 1st and 15th", "every second Friday", once.
//!
//! By the contact's own clock, so a broadcast follows the morning round the world. A time of day that a DST change skips
//! becomes the first instant after it; one that comes twice is the first. Weeks are numbered from 5 January 1970, so all
//! nodes agree which is every second one.
//!
//! **Invariant:** [`Recurrence::next`] answers later than `after`, and asked again from its own answers it gives each
//! date of the rule once.
//!
//! **Absent:** cron expressions, working days (add a window for those) and an end; a paused journey has one.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use thiserror::Error;

use super::civil::{two_digits, weekday_from_monday};
use super::{
    MonthDays, Weekdays, Zone, date_of, day_number, local_at, parse_time_of_day, quoted, week_start,
};

/// The longest time between two weeks of a recurrence.
pub const EVERY_WEEKS_MAX: u8 = 52;

/// The longest text read as days.
const DAYS_BYTES_MAX: usize = 128;

/// The Monday from which weeks are counted: 5 January 1970.
const WEEKS_FROM_DAY: i32 = 4;

/// How many dates of a recurrence one search looks at. The first may lie in the past, and a zone that crossed the date
/// line may never have had another: three suffice.
const SEARCH_DATES_MAX: usize = 8;

/// The dates of a recurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum On {
    EveryDay,
    Weekdays(Weekdays),
    MonthDays(MonthDays),
    Once(Date),
}

/// A time of day on recurring dates, or on a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Recurrence {
    on: On,
    at: Time,
    /// Of how many weeks one counts; 1 is each.
    every_weeks: u8,
}

/// Why parts do not make a recurrence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecurrenceProblem {
    #[error(
        "days {text:?} are neither weekdays nor days of the month; write mon-fri, tue, 1,15 or last"
    )]
    Days { text: String },
    #[error("days {text:?} mix weekdays and days of the month; write one kind: mon-fri or 1,15")]
    Mixed { text: String },
    #[error("at {text:?} is not a time of day; write it as 09:00")]
    At { text: String },
    #[error("every {weeks}w is out of range; write 1w to {EVERY_WEEKS_MAX}w")]
    EveryWeeks { weeks: u8 },
    #[error("every {weeks}w does not go with {other}; leave it out, or give weekdays such as tue")]
    EveryWeeksOfWhat { weeks: u8, other: &'static str },
    #[error("on {text:?} is not a date; write it as 2026-12-01")]
    Once { text: String },
    #[error("on and days are both given; leave one out")]
    OnceAndDays,
}

impl Recurrence {
    /// Reads the journey language's words: weekdays (`mon-fri`, `tue`), days of the month (`1,15`, `last`) or nothing
    /// for every day; a time of day; one of how many weeks; or a single date instead of days.
    ///
    /// ```
    /// use relance_core::time::{Recurrence, Zone};
    ///
    /// let tuesdays = Recurrence::parse(Some("tue"), "10:00", None, None)?;
    /// let zone = Zone::parse("Asia/Tokyo")?;
    /// let next = tuesdays.next("2026-12-01T10:00:00+09:00".parse()?, &zone);
    /// assert_eq!(next, Some("2026-12-08T10:00:00+09:00".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(
        days: Option<&str>,
        at: &str,
        every_weeks: Option<u8>,
        once: Option<&str>,
    ) -> Result<Recurrence, RecurrenceProblem> {
        let on = match (days, once) {
            (Some(_), Some(_)) => return Err(RecurrenceProblem::OnceAndDays),
            (None, Some(text)) => On::Once(full_date(text)?),
            (Some(text), None) => parse_days(text)?,
            (None, None) => On::EveryDay,
        };
        let at = parse_time_of_day(at).map_err(|_| RecurrenceProblem::At { text: quoted(at) })?;
        let weeks = every_weeks.unwrap_or(1);
        if !(1..=EVERY_WEEKS_MAX).contains(&weeks) {
            return Err(RecurrenceProblem::EveryWeeks { weeks });
        }
        let other = match on {
            On::EveryDay | On::Weekdays(_) => None,
            On::MonthDays(_) => Some("days of the month"),
            On::Once(_) => Some("a single date"),
        };
        match other {
            Some(other) if weeks != 1 => Err(RecurrenceProblem::EveryWeeksOfWhat { weeks, other }),
            Some(_) | None => Ok(Recurrence {
                on,
                at,
                every_weeks: weeks,
            }),
        }
    }

    pub fn on(&self) -> On {
        self.on
    }

    pub fn at(&self) -> Time {
        self.at
    }

    /// Of how many weeks one counts; 1 is each. Always 1 for days of the month and for a single date.
    pub fn every_weeks(&self) -> u8 {
        self.every_weeks
    }

    /// The first instant after `after`, not `after` itself, at which it comes round; `None` after a single date.
    ///
    /// A date that the zone never had (Samoa, 30 December 2011) is left out, unless it is the single one: that comes at
    /// the first instant after it.
    pub fn next(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        if let On::Once(date) = self.on {
            return Some(local_at(date, self.at, zone)).filter(|at| *at > after);
        }
        // A clock that shows today has shown or skipped whatever yesterday had.
        let mut day = day_number(zone.local(after).date());
        for _ in 0..SEARCH_DATES_MAX {
            day = self.date_on_or_after(day)?;
            let date = date_of(day);
            let at = local_at(date, self.at, zone);
            if at == Timestamp::MAX {
                return None;
            }
            if at > after && (zone.local(at).date() == date || !zone.skips(date)) {
                return Some(at);
            }
            day += 1;
        }
        None
    }

    /// The first date of the rule on or after `day`.
    fn date_on_or_after(&self, day: i32) -> Option<i32> {
        let day = self.week_on_or_after(day);
        match self.on {
            On::EveryDay => Some(day),
            On::Weekdays(set) => {
                let weekday = weekday_from_monday(day);
                if set.has(weekday) {
                    return Some(day);
                }
                let found = day + set.days_until_next(weekday)?;
                // Past Sunday it may be a week that doesn't count, and then some Monday to Sunday that does.
                let counted = self.week_on_or_after(found);
                if counted == found || set.has(weekday_from_monday(counted)) {
                    Some(counted)
                } else {
                    Some(counted + set.days_until_next(weekday_from_monday(counted))?)
                }
            }
            On::MonthDays(set) => set.on_or_after(day),
            On::Once(date) => Some(day_number(date)).filter(|date| *date >= day),
        }
    }

    /// `day` in a week that counts, else the Monday of the next one that does.
    fn week_on_or_after(&self, day: i32) -> i32 {
        let every = i32::from(self.every_weeks);
        let monday = week_start(day);
        let past = ((monday - WEEKS_FROM_DAY) / 7).rem_euclid(every);
        if past == 0 {
            day
        } else {
            monday + 7 * (every - past)
        }
    }
}

fn parse_days(text: &str) -> Result<On, RecurrenceProblem> {
    let problem = || RecurrenceProblem::Days { text: quoted(text) };
    if text.len() > DAYS_BYTES_MAX {
        return Err(problem());
    }
    let of_month = |part: &str| match part.trim() {
        last if last.eq_ignore_ascii_case("last") => Some(31),
        number => two_digits(number).and_then(|day| u8::try_from(day).ok()),
    };
    let numbers: Vec<Option<u8>> = text.split(',').map(of_month).collect();
    if numbers.iter().all(Option::is_none) {
        let set: Weekdays = text.parse().map_err(|_| problem())?;
        return Ok(if set.is_all() {
            On::EveryDay
        } else {
            On::Weekdays(set)
        });
    }
    if numbers.iter().any(Option::is_none) {
        // A weekday beside a number is a mix of two kinds; anything else is no day at all.
        let weekday = |part: &str| part.parse::<Weekdays>().is_ok();
        let known = text
            .split(',')
            .all(|part| of_month(part).is_some() || weekday(part));
        return Err(if known {
            RecurrenceProblem::Mixed { text: quoted(text) }
        } else {
            problem()
        });
    }
    MonthDays::new(numbers.into_iter().flatten())
        .map(On::MonthDays)
        .ok_or_else(problem)
}

/// A date written `2026-12-01`, and nothing else that a parser would take for one.
fn full_date(text: &str) -> Result<Date, RecurrenceProblem> {
    let parsed = || {
        let text = text.trim();
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(index, byte)| {
                if index == 4 || index == 7 {
                    byte == b'-'
                } else {
                    byte.is_ascii_digit()
                }
            });
        text.parse().ok().filter(|_| shape)
    };
    parsed().ok_or_else(|| RecurrenceProblem::Once { text: quoted(text) })
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            On::EveryDay => Weekdays::ALL.fmt(f),
            On::Weekdays(set) => set.fmt(f),
            On::MonthDays(set) => set.fmt(f),
            On::Once(date) => date.fmt(f),
        }
    }
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:02}:{:02}",
            self.on,
            self.at.hour(),
            self.at.minute()
        )?;
        match self.every_weeks {
            1 => Ok(()),
            weeks => write!(f, " every {weeks} weeks"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(days: &str, weeks: Option<u8>) -> Result<Recurrence, RecurrenceProblem> {
        Recurrence::parse((!days.is_empty()).then_some(days), "09:00", weeks, None)
    }

    #[test]
    fn recurrences_read_and_print() {
        for (days, weeks, printed) in [
            ("", None, "mon-sun 09:00"),
            ("mon-sun", Some(1), "mon-sun 09:00"),
            ("Mon-Fri", None, "mon-fri 09:00"),
            ("tue", Some(2), "tue 09:00 every 2 weeks"),
            ("15, 1", None, "1,15 09:00"),
            ("LAST,1", None, "1,last 09:00"),
            ("31", None, "last 09:00"),
        ] {
            let recurrence = parsed(days, weeks).unwrap();
            assert_eq!(recurrence.to_string(), printed, "{days}");
            let again = parsed(&recurrence.on().to_string(), weeks).unwrap();
            assert_eq!(again, recurrence);
        }
        let once = Recurrence::parse(None, "9:30", None, Some("2026-12-01")).unwrap();
        assert_eq!(once.to_string(), "2026-12-01 09:30");
        assert_eq!(once.on(), On::Once(jiff::civil::date(2026, 12, 1)));
        assert_eq!((once.at().minute(), once.every_weeks()), (30, 1));
    }

    #[test]
    fn a_refusal_names_the_field_and_the_remedy() {
        let said = |days: Option<&str>, at: &str, weeks, once: Option<&str>| {
            Recurrence::parse(days, at, weeks, once)
                .unwrap_err()
                .to_string()
        };
        for days in [
            "", "bd", "monday", "0", "32", "1,", "1-5", "-1", "1,soon", "100", "mon,", "+1",
        ] {
            assert_eq!(
                said(Some(days), "09:00", None, None),
                format!(
                    "days {days:?} are neither weekdays nor days of the month; write mon-fri, tue, 1,15 or last"
                )
            );
        }
        assert!(said(Some(&"1,".repeat(100_000)), "09:00", None, None).len() < 200);
        assert_eq!(
            said(Some("mon,1"), "09:00", None, None),
            "days \"mon,1\" mix weekdays and days of the month; write one kind: mon-fri or 1,15"
        );
        assert_eq!(
            said(None, "9", None, None),
            "at \"9\" is not a time of day; write it as 09:00"
        );
        for weeks in [0, 53] {
            assert_eq!(
                said(Some("tue"), "09:00", Some(weeks), None),
                format!("every {weeks}w is out of range; write 1w to 52w")
            );
        }
        assert!(said(Some("1"), "09:00", Some(2), None).contains("days of the month"));
        assert!(said(None, "09:00", Some(2), Some("2026-12-01")).contains("a single date"));
        assert_eq!(
            said(Some("mon"), "09:00", None, Some("2026-12-01")),
            "on and days are both given; leave one out"
        );
        for once in [
            "",
            "tomorrow",
            "2026-02-29",
            "20261201",
            "2026-12-01T10:00",
            "12-01",
        ] {
            assert_eq!(
                said(None, "09:00", None, Some(once)),
                format!("on {once:?} is not a date; write it as 2026-12-01")
            );
        }
    }

    #[test]
    fn days_of_the_month_are_kept_on_the_last_of_shorter_months_once() {
        let zone = Zone::utc();
        let recurrence = parsed("15,30,last", None).unwrap();
        let mut at: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let mut dates = Vec::new();
        for _ in 0..7 {
            at = recurrence.next(at, &zone).unwrap();
            dates.push(zone.local(at).date().to_string());
        }
        assert_eq!(
            dates,
            [
                "2026-01-30",
                "2026-01-31",
                "2026-02-15",
                "2026-02-28",
                "2026-03-15",
                "2026-03-30",
                "2026-03-31"
            ]
        );
    }

    #[test]
    fn every_second_week_is_counted_from_the_first_monday_of_1970() {
        let zone = Zone::utc();
        let recurrence = parsed("mon,fri", Some(2)).unwrap();
        let mut at: Timestamp = "1970-01-01T00:00:00Z".parse().unwrap();
        let mut dates = Vec::new();
        for _ in 0..4 {
            at = recurrence.next(at, &zone).unwrap();
            dates.push(zone.local(at).date().to_string());
        }
        assert_eq!(
            dates,
            ["1970-01-05", "1970-01-09", "1970-01-19", "1970-01-23"]
        );
        // Before the anchor the count goes on backwards.
        let before = recurrence.next("1969-12-20T00:00:00Z".parse().unwrap(), &zone);
        assert_eq!(before, Some("1969-12-22T09:00:00Z".parse().unwrap()));
    }

    #[test]
    fn the_ends_of_time_are_no_occurrences() {
        let zones = ["UTC", "Pacific/Apia", "Pacific/Pago_Pago"];
        for zone in zones.map(|name| Zone::parse(name).unwrap()) {
            for days in ["", "sun", "1", "last"] {
                let recurrence = parsed(days, None).unwrap();
                assert_eq!(recurrence.next(Timestamp::MAX, &zone), None);
                let first = recurrence.next(Timestamp::MIN, &zone);
                assert!(first.is_some_and(|at| at > Timestamp::MIN));
            }
        }
    }
}
