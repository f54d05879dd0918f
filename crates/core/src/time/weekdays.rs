//! A set of weekdays, written `mon-fri` or `mon,wed`.

use std::fmt;
use std::str::FromStr;

use super::{WindowProblem, quoted, serde_as_text};

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ALL: u8 = 0b111_1111;

/// The longest text read as a set of weekdays.
const TEXT_BYTES_MAX: usize = 128;

/// A set of weekdays; bit 0 is Monday. Never empty when parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

impl Weekdays {
    pub const ALL: Weekdays = Weekdays(ALL);
    pub const MON_FRI: Weekdays = Weekdays(0b001_1111);
    pub const SAT_SUN: Weekdays = Weekdays(0b110_0000);

    pub fn contains(self, weekday: jiff::civil::Weekday) -> bool {
        self.has(weekday.to_monday_zero_offset() as u8)
    }

    pub fn is_all(self) -> bool {
        self.0 == ALL
    }

    /// Whether the weekday counted from Monday as 0 is in the set.
    pub(super) fn has(self, from_monday: u8) -> bool {
        self.0 & (1 << from_monday) != 0
    }

    /// How many days after the weekday `from_monday` the next one of the set comes, from 1 to 7; `None` for no days.
    pub(super) fn days_until_next(self, from_monday: u8) -> Option<i32> {
        (1..=7u8)
            .find(|ahead| self.has((from_monday + ahead) % 7))
            .map(i32::from)
    }
}

impl FromStr for Weekdays {
    type Err = WindowProblem;

    fn from_str(text: &str) -> Result<Weekdays, WindowProblem> {
        let problem = || WindowProblem::Days { text: quoted(text) };
        if text.len() > TEXT_BYTES_MAX {
            return Err(problem());
        }
        let day = |name: &str| {
            let name = name.trim();
            NAMES
                .iter()
                .position(|known| name.eq_ignore_ascii_case(known))
                .ok_or_else(problem)
        };
        let mut set = 0;
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (day(first)?, day(last)?),
                None => (day(part)?, day(part)?),
            };
            // A range may run over Sunday: "sat-mon".
            let length = (last + 7 - first) % 7;
            for ahead in 0..=length {
                set |= 1 << ((first + ahead) % 7);
            }
        }
        Ok(Weekdays(set))
    }
}

impl fmt::Display for Weekdays {
    /// Days in order, three or more neighbours as a range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut day = 0;
        let mut separator = "";
        while day < 7 {
            if !self.has(day) {
                day += 1;
                continue;
            }
            let mut last = day;
            while last < 6 && self.has(last + 1) {
                last += 1;
            }
            f.write_str(separator)?;
            separator = ",";
            if last - day >= 2 {
                write!(
                    f,
                    "{}-{}",
                    NAMES[usize::from(day)],
                    NAMES[usize::from(last)]
                )?;
                day = last + 1;
            } else {
                f.write_str(NAMES[usize::from(day)])?;
                day += 1;
            }
        }
        Ok(())
    }
}

serde_as_text!(Weekdays, "weekdays such as mon-fri or mon,wed");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_read_and_print() {
        for (text, printed) in [
            ("mon-fri", "mon-fri"),
            ("mon,wed", "mon,wed"),
            ("sat,sun", "sat,sun"),
            ("Tue, MON , wed", "mon-wed"),
            ("sat-mon", "mon,sat,sun"),
            ("mon-sun", "mon-sun"),
            ("thu-thu", "thu"),
            ("mon,tue,thu-sun", "mon,tue,thu-sun"),
        ] {
            assert_eq!(
                text.parse::<Weekdays>().unwrap().to_string(),
                printed,
                "{text}"
            );
        }
        for text in [
            "",
            "monday",
            "mon-",
            "mon,,tue",
            "mon fri",
            "1-5",
            &"mon,".repeat(1000),
        ] {
            assert!(text.parse::<Weekdays>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_next_day_of_the_set_is_one_to_seven_days_ahead() {
        assert_eq!(Weekdays::MON_FRI.days_until_next(4), Some(3));
        assert_eq!(Weekdays::MON_FRI.days_until_next(0), Some(1));
        assert_eq!(
            "sun".parse::<Weekdays>().unwrap().days_until_next(6),
            Some(7)
        );
    }
}
