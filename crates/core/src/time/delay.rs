//! The journey language's lengths of time: `90s`, `15m`, `2h`, `3d`, `2w`, `1mo`, `1y`, `1d12h`, `3bd` (rule R4).
//!
//! `s m h` are exact. `d w mo y` are civil: 09:00 stays 09:00 over a DST change, and a day that the target month does not
//! have becomes its last. In a combination the civil part is taken first, then the exact one. `bd` are working days of
//! the contact's calendar and stand alone.
//!
//! **Invariant:** `add` never answers an instant before `from`, `sub` never one after it, and both saturate.
//!
//! **Absent:** negative delays, fractions and conversions: `90s` prints as `90s` and is not equal to `1m30s`.

mod edge;

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::civil::add_months;
use super::{Calendar, Zone, date_of, day_number, quoted, serde_as_text};

/// The longest delay in days, ten years; a year counts as 365 days here and a month as 30.
pub const DELAY_DAYS_MAX: u32 = 3_650;

/// The longest delay in working days, ten years of them.
pub const DELAY_WORKING_DAYS_MAX: u32 = 2_600;

/// The longest text read as a delay.
pub const DELAY_TEXT_BYTES_MAX: usize = 64;

const SECONDS_MAX: u64 = DELAY_DAYS_MAX as u64 * SECONDS_PER_DAY;
const SECONDS_PER_DAY: u64 = 86_400;

/// Days that no two zones are apart in what they call a month or a year ago, with room: their dates differ by one
/// day, which may be the last of a month in one and the first in the other; and a clock may go back a little.
const FAR_DAYS: i64 = 14;

/// Units from large to small, as they must stand in a combination, with their nominal length.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * SECONDS_PER_DAY),
    ("mo", 30 * SECONDS_PER_DAY),
    ("w", 7 * SECONDS_PER_DAY),
    ("d", SECONDS_PER_DAY),
    ("h", 3_600),
    ("m", 60),
    ("s", 1),
];
const YEAR: usize = 0;
const MONTH: usize = 1;
const WEEK: usize = 2;
const DAY: usize = 3;
const HOUR: usize = 4;
const MINUTE: usize = 5;
const SECOND: usize = 6;

/// Unit words people write, and the unit they mean.
const COMMON_MISTAKES: [(&str, &str); 29] = [
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("wk", "w"),
    ("week", "w"),
    ("weeks", "w"),
    ("mon", "mo"),
    ("mos", "mo"),
    ("month", "mo"),
    ("months", "mo"),
    ("yr", "y"),
    ("yrs", "y"),
    ("year", "y"),
    ("years", "y"),
    ("bds", "bd"),
    ("wd", "bd"),
    ("workday", "bd"),
    ("workdays", "bd"),
];

/// A length of time in the units of the journey language. Prints as it was written, apart from leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delay(Length);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Length {
    Units {
        /// By index in `UNITS`.
        amounts: [u32; UNITS.len()],
        /// Bit per unit: which were written, so that `0d` prints as `0d`.
        written: u8,
        /// Written with spaces between the units.
        spaced: bool,
    },
    WorkingDays(u32),
}

/// Why a text is no delay.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DelayProblem {
    #[error("delay is empty; write for example 90s, 15m, 2h, 3d, 2w, 1mo, 1y or 3bd")]
    Empty,
    #[error("delay is longer than {DELAY_TEXT_BYTES_MAX} bytes; write for example 3d or 1d12h")]
    TextTooLong,
    #[error(
        "delay {text:?} is not a whole number with a unit; write for example 90s, 15m, 2h, 3d, 2w, 1mo, 1y or 3bd"
    )]
    NoNumber { text: String },
    #[error("delay {text:?} has a number without a unit; add one of s, m, h, d, w, mo, y, bd")]
    NoUnit { text: String },
    #[error("delay {text:?} has the unknown unit {unit:?}; {}", unit_advice(.unit))]
    Unit { text: String, unit: String },
    #[error(
        "delay {text:?} has its units out of order; write each once, from large to small: y mo w d h m s"
    )]
    Order { text: String },
    #[error("delay {text:?} mixes working days with other units; write bd alone")]
    WorkingDaysMixed { text: String },
    #[error(
        "delay {text:?} is too long; at most 10 years ({DELAY_DAYS_MAX}d, {DELAY_WORKING_DAYS_MAX}bd) are allowed"
    )]
    TooLong { text: String },
}

impl Delay {
    /// No time at all.
    pub const ZERO: Delay = Delay::seconds(0);

    /// Exact seconds, at most ten years of them.
    pub const fn seconds(count: u32) -> Delay {
        Delay::of(SECOND, count)
    }

    /// Exact minutes, at most ten years of them.
    pub const fn minutes(count: u32) -> Delay {
        Delay::of(MINUTE, count)
    }

    /// Exact hours, at most ten years of them.
    pub const fn hours(count: u32) -> Delay {
        Delay::of(HOUR, count)
    }

    /// Civil days, at most ten years of them.
    pub const fn days(count: u32) -> Delay {
        Delay::of(DAY, count)
    }

    /// Working days, at most ten years of them.
    pub const fn working_days(count: u32) -> Delay {
        Delay(Length::WorkingDays(if count > DELAY_WORKING_DAYS_MAX {
            DELAY_WORKING_DAYS_MAX
        } else {
            count
        }))
    }

    const fn of(unit: usize, count: u32) -> Delay {
        let max = SECONDS_MAX / UNITS[unit].1;
        let mut amounts = [0; UNITS.len()];
        // The cast is exact where it is taken: `max` is then below `count`.
        amounts[unit] = if count as u64 > max {
            max as u32
        } else {
            count
        };
        Delay(Length::Units {
            amounts,
            written: 1 << unit,
            spaced: false,
        })
    }

    /// Whether the delay is a number of seconds whatever the zone and calendar are.
    pub fn is_exact(&self) -> bool {
        match self.0 {
            Length::Units { amounts, .. } => amounts[..HOUR].iter().all(|amount| *amount == 0),
            Length::WorkingDays(_) => false,
        }
    }

    /// Whether the delay is counted on a calendar of working days.
    pub fn needs_calendar(&self) -> bool {
        matches!(self.0, Length::WorkingDays(_))
    }

    /// Roughly how long it is, for comparing delays with each other and with limits: a month counts as 30 days, a year
    /// as 365, five working days as a week.
    pub fn nominal(&self) -> SignedDuration {
        let seconds = match self.0 {
            Length::Units { amounts, .. } => nominal_seconds(&amounts),
            Length::WorkingDays(count) => u64::from(count) * 7 * SECONDS_PER_DAY / 5,
        };
        SignedDuration::from_secs(seconds as i64)
    }

    /// `from` and this much later.
    ///
    /// Working days: the result is the N-th working day after the local date of `from`, at the same time of day. From
    /// Friday, Saturday or Sunday at 15:00, `1bd` is Monday at 15:00. `0bd` is `from` itself on a working day, else
    /// the next working day at the same time of day.
    ///
    /// ```
    /// use relance_core::time::{Calendar, Delay, Zone};
    ///
    /// let (zone, calendar) = (Zone::parse("Europe/Berlin")?, Calendar::weekends_only());
    /// let delay: Delay = "1d".parse()?;
    /// // The clocks go forward in that night: 23 hours later it is 09:00 again.
    /// let later = delay.add("2026-03-28T09:00:00+01:00".parse()?, &zone, &calendar);
    /// assert_eq!(later, "2026-03-29T09:00:00+02:00".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add(&self, from: Timestamp, zone: &Zone, calendar: &Calendar) -> Timestamp {
        // No zone in today's data breaks the order; callers rely on it whatever the next release of the data holds.
        self.shift(from, 1, zone, calendar).max(from)
    }

    /// `from` and this much earlier: `3bd` before a date is the third working day before it.
    pub fn sub(&self, from: Timestamp, zone: &Zone, calendar: &Calendar) -> Timestamp {
        self.shift(from, -1, zone, calendar).min(from)
    }

    /// A moment that lies no later than [`Delay::sub`] from `now`, or from any moment after it, in any zone; `None`
    /// where calendars decide about it.
    pub fn sub_at_least(&self, now: Timestamp) -> Option<Timestamp> {
        match self.0 {
            Length::Units { .. } => {
                let zone = Zone::utc();
                let there = self.shift(now, -1, &zone, &Calendar::weekends_only());
                let slack = SignedDuration::from_hours(24 * FAR_DAYS);
                Some(there.checked_sub(slack).unwrap_or(Timestamp::MIN))
            }
            Length::WorkingDays(_) => None,
        }
    }

    /// The moment that lies this much before or after the clock reading `time` on `date`: working days and civil units
    /// move the date, the time of day is set on the day found, exact units count from that moment. So a time of day that
    /// is skipped on `date` itself is kept on the day that counts. Saturates.
    pub(super) fn shift_reading(
        &self,
        date: Date,
        time: Time,
        before: bool,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Timestamp {
        let direction = if before { -1 } else { 1 };
        match self.0 {
            Length::Units { amounts, .. } => {
                let (months, days) = civil_part(&amounts);
                let date = move_date(date, direction * months, direction * days);
                exactly_later(zone.at(date.to_datetime(time)), &amounts, direction)
            }
            Length::WorkingDays(count) => {
                reading_working_days_away(date, time, count, direction, zone, calendar)
            }
        }
    }

    fn shift(
        &self,
        from: Timestamp,
        direction: i32,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Timestamp {
        match self.0 {
            Length::Units { amounts, .. } => {
                let (months, days) = civil_part(&amounts);
                let civil = if months == 0 && days == 0 {
                    from
                } else if let Some(there) = (months == 0)
                    .then(|| zone.days_away(from, direction * days))
                    .flatten()
                {
                    there
                } else {
                    let local = zone.local(from);
                    let date = move_date(local.date(), direction * months, direction * days);
                    zone.at(date.to_datetime(local.time()))
                };
                exactly_later(civil, &amounts, direction)
            }
            Length::WorkingDays(count) => {
                let local = zone.local(from);
                // No delay does not go back from the second pass through a repeated hour to the first.
                if count == 0 && calendar.is_working(local.date()) {
                    return from;
                }
                reading_working_days_away(
                    local.date(),
                    local.time(),
                    count,
                    direction,
                    zone,
                    calendar,
                )
            }
        }
    }
}

/// Months and days of the civil units.
fn civil_part(amounts: &[u32; UNITS.len()]) -> (i32, i32) {
    (
        (amounts[YEAR] * 12 + amounts[MONTH]) as i32,
        (amounts[WEEK] * 7 + amounts[DAY]) as i32,
    )
}

/// `from` and the exact units later or earlier.
fn exactly_later(from: Timestamp, amounts: &[u32; UNITS.len()], direction: i32) -> Timestamp {
    let seconds = i64::from(amounts[HOUR]) * 3_600
        + i64::from(amounts[MINUTE]) * 60
        + i64::from(amounts[SECOND]);
    let exact = SignedDuration::from_secs(i64::from(direction) * seconds);
    from.checked_add(exact).unwrap_or(if direction > 0 {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    })
}

fn move_date(date: Date, months: i32, days: i32) -> Date {
    let date = if months == 0 {
        date
    } else {
        add_months(date, months)
    };
    if days == 0 {
        date
    } else {
        date_of(day_number(date) + days)
    }
}

/// `time` on the `count`-th working day from `date` on; none away is `date` itself, or the nearest one when it is a day
/// off.
fn reading_working_days_away(
    date: Date,
    time: Time,
    count: u32,
    direction: i32,
    zone: &Zone,
    calendar: &Calendar,
) -> Timestamp {
    let step = |day| {
        if direction > 0 {
            calendar.day_after(day)
        } else {
            calendar.day_before(day)
        }
    };
    let mut day = day_number(date);
    if count == 0 && !calendar.is_working_day(day) {
        day = step(day);
    }
    for _ in 0..count {
        day = step(day);
    }
    let at = zone.at(date_of(day).to_datetime(time));
    // A zone that crossed the date line skipped a whole day (Samoa, 30 December 2011). If the day counted to is such a
    // day, the instant after the gap may lie on a day off.
    let landed = day_number(zone.local(at).date());
    if landed == day || calendar.is_working_day(landed) {
        return at;
    }
    zone.at(date_of(step(landed)).to_datetime(time))
}

fn nominal_seconds(amounts: &[u32; UNITS.len()]) -> u64 {
    amounts
        .iter()
        .zip(UNITS)
        .fold(0u64, |sum, (amount, (_, seconds))| {
            sum.saturating_add(u64::from(*amount).saturating_mul(seconds))
        })
}

/// What to write instead of an unknown unit.
fn unit_advice(unit: &str) -> String {
    let lower = unit.to_ascii_lowercase();
    let known = UNITS
        .iter()
        .map(|(name, _)| *name)
        .chain(["bd"])
        .find(|name| *name == lower);
    let meant = known.or_else(|| {
        COMMON_MISTAKES
            .iter()
            .find(|(word, _)| *word == lower)
            .map(|(_, name)| *name)
    });
    match meant {
        Some(name) => format!("write {name}"),
        None => "use s, m (minutes), h, d, w, mo (months), y or bd (working days)".to_owned(),
    }
}

impl FromStr for Delay {
    type Err = DelayProblem;

    fn from_str(written_text: &str) -> Result<Delay, DelayProblem> {
        let text = written_text.trim();
        if text.is_empty() {
            return Err(DelayProblem::Empty);
        }
        if text.len() > DELAY_TEXT_BYTES_MAX {
            return Err(DelayProblem::TextTooLong);
        }
        let shown = || quoted(text);
        let mut amounts = [0; UNITS.len()];
        let mut written = 0u8;
        let mut spaced = false;
        let mut working_days = None;
        let mut smallest: Option<usize> = None;
        let mut rest = text;
        while !rest.is_empty() {
            let after_space = rest.trim_start_matches(' ');
            spaced |= after_space.len() != rest.len();
            let digits = after_space.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = after_space.split_at(digits);
            if number.is_empty() {
                return Err(DelayProblem::NoNumber { text: shown() });
            }
            let unit_end = tail
                .find(|c: char| c.is_ascii_digit() || c == ' ')
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_end);
            if unit.is_empty() {
                return Err(DelayProblem::NoUnit { text: shown() });
            }
            if unit.starts_with(['.', ',']) {
                return Err(DelayProblem::NoNumber { text: shown() });
            }
            // A number with too many digits for the type is too long for a delay in any unit.
            let amount: u32 = number
                .parse()
                .map_err(|_| DelayProblem::TooLong { text: shown() })?;
            if unit == "bd" {
                if working_days.replace(amount).is_some() {
                    return Err(DelayProblem::WorkingDaysMixed { text: shown() });
                }
            } else {
                let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) else {
                    return Err(DelayProblem::Unit {
                        text: shown(),
                        unit: quoted(unit),
                    });
                };
                if smallest.is_some_and(|smallest| index <= smallest) {
                    return Err(DelayProblem::Order { text: shown() });
                }
                smallest = Some(index);
                amounts[index] = amount;
                written |= 1 << index;
            }
            rest = tail;
        }
        match working_days {
            Some(_) if written != 0 => Err(DelayProblem::WorkingDaysMixed { text: shown() }),
            Some(count) if count > DELAY_WORKING_DAYS_MAX => {
                Err(DelayProblem::TooLong { text: shown() })
            }
            Some(count) => Ok(Delay(Length::WorkingDays(count))),
            None if nominal_seconds(&amounts) > SECONDS_MAX => {
                Err(DelayProblem::TooLong { text: shown() })
            }
            None => Ok(Delay(Length::Units {
                amounts,
                written,
                spaced,
            })),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Length::Units {
                amounts,
                written,
                spaced,
            } => {
                let mut first = true;
                for (index, (unit, _)) in UNITS.iter().enumerate() {
                    if written & (1 << index) == 0 {
                        continue;
                    }
                    if spaced && !first {
                        f.write_str(" ")?;
                    }
                    first = false;
                    write!(f, "{}{unit}", amounts[index])?;
                }
                Ok(())
            }
            Length::WorkingDays(count) => write!(f, "{count}bd"),
        }
    }
}

serde_as_text!(
    Delay,
    "a delay such as 90s, 15m, 2h, 3d, 2w, 1mo, 1y or 3bd"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_print_as_they_were_written() {
        for text in [
            "90s",
            "15m",
            "2h",
            "3d",
            "2w",
            "1mo",
            "1y",
            "3bd",
            "1d12h",
            "1d 12h",
            "1y2mo3w4d5h6m7s",
            "0s",
            "0d",
            "0bd",
            "10y",
            "3650d",
            "2600bd",
            "87600h",
        ] {
            let delay: Delay = text.parse().unwrap();
            assert_eq!(delay.to_string(), text);
            assert_eq!(
                serde_json::to_string(&delay).unwrap(),
                format!("\"{text}\"")
            );
            assert_eq!(
                serde_json::from_str::<Delay>(&format!("\"{text}\"")).unwrap(),
                delay
            );
        }
        assert_eq!(" 007d ".parse::<Delay>().unwrap().to_string(), "7d");
        assert_eq!(Delay::days(3), "3d".parse().unwrap());
        assert_eq!(Delay::working_days(3), "3bd".parse().unwrap());
        assert_eq!(Delay::hours(u32::MAX), "87600h".parse().unwrap());
    }

    #[test]
    fn a_refusal_names_the_text_and_the_remedy() {
        let said = |text: &str| text.parse::<Delay>().unwrap_err().to_string();
        assert!(said("").contains("empty"));
        assert_eq!(
            said("3"),
            "delay \"3\" has a number without a unit; add one of s, m, h, d, w, mo, y, bd"
        );
        assert_eq!(
            said("3days"),
            "delay \"3days\" has the unknown unit \"days\"; write d"
        );
        assert_eq!(
            said("3D"),
            "delay \"3D\" has the unknown unit \"D\"; write d"
        );
        assert!(
            said("3q")
                .ends_with("use s, m (minutes), h, d, w, mo (months), y or bd (working days)")
        );
        assert!(said("-3d").contains("not a whole number"));
        assert!(said("1.5d").contains("not a whole number"));
        assert!(said("d").contains("not a whole number"));
        assert!(said("1d -2h").contains("not a whole number"));
        assert!(said("3 d").contains("without a unit"));
        assert!(said("12h1d").contains("from large to small"));
        assert!(said("1d1d").contains("each once"));
        assert!(said("1bd 2h").contains("write bd alone"));
        assert!(said("1d2bd").contains("write bd alone"));
        assert!(said("1bd2bd").contains("write bd alone"));
        for text in [
            "11y",
            "3651d",
            "2601bd",
            "99999999999999999999s",
            "4294967295y4294967295mo",
            "9y366d",
        ] {
            assert!(said(text).contains("at most 10 years"), "{text}");
        }
        assert!(said(&"1".repeat(1_000_000)).contains("64 bytes"));
        assert!(said("3дня").contains("unknown unit"));
    }

    #[test]
    fn nominal_lengths_compare_delays() {
        assert_eq!(
            "1d12h".parse::<Delay>().unwrap().nominal(),
            SignedDuration::from_hours(36)
        );
        assert_eq!(
            "5bd".parse::<Delay>().unwrap().nominal(),
            SignedDuration::from_hours(7 * 24)
        );
        assert!("2h".parse::<Delay>().unwrap().is_exact());
        assert!(!"1d2h".parse::<Delay>().unwrap().is_exact());
        assert!("1bd".parse::<Delay>().unwrap().needs_calendar());
    }

    #[test]
    fn a_far_bound_holds_in_every_zone() {
        let calendar = Calendar::weekends_only();
        let zones = ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin", "UTC"];
        let zones = zones.map(|name| Zone::parse(name).unwrap());
        for text in ["1d", "30d", "1mo", "3mo", "1y", "1y1mo1d1h", "2h"] {
            let delay: Delay = text.parse().unwrap();
            for hour in 0..24 * 400 {
                let now = Timestamp::constant(1_700_000_000, 0) + SignedDuration::from_hours(hour);
                let bound = delay.sub_at_least(now).unwrap();
                for zone in &zones {
                    assert!(
                        bound <= delay.sub(now, zone, &calendar),
                        "{text} {now} {zone}"
                    );
                }
            }
        }
        assert_eq!(
            Delay::working_days(3).sub_at_least(Timestamp::UNIX_EPOCH),
            None
        );
        let long: Delay = "10y".parse().unwrap();
        assert_eq!(long.sub_at_least(Timestamp::MIN), Some(Timestamp::MIN));
    }

    #[test]
    fn results_saturate_at_the_ends_of_time() {
        let (zone, calendar) = (Zone::utc(), Calendar::weekends_only());
        for text in ["10y", "120mo", "3650d", "87600h", "2600bd", "1d12h"] {
            let delay: Delay = text.parse().unwrap();
            assert_eq!(
                delay.add(Timestamp::MAX, &zone, &calendar),
                Timestamp::MAX,
                "{text}"
            );
            assert_eq!(
                delay.sub(Timestamp::MIN, &zone, &calendar),
                Timestamp::MIN,
                "{text}"
            );
        }
    }
}
