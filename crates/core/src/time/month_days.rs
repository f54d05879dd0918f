//! Days of the month on which something recurs, written `1,15` or `last` by [`super::Recurrence`].
//!
//! **Invariant:** every month has some of them: a day that a month does not have is kept on its last.

use std::fmt;

use super::{date_of, month_start};

/// How many months are looked at for one with days; each has some.
const SEARCH_MONTHS_MAX: usize = 2;

/// A set of days of the month. A day that a month does not have is kept on its last. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MonthDays {
    /// Bit 1 is the first, bit 31 the last day of whatever month.
    set: u32,
}

impl MonthDays {
    /// `None` for no days and for days outside 1 to 31.
    pub fn new(days: impl IntoIterator<Item = u8>) -> Option<MonthDays> {
        let mut set = 0;
        for day in days {
            if !(1..=31).contains(&day) {
                return None;
            }
            set |= 1 << day;
        }
        (set != 0).then_some(MonthDays { set })
    }

    /// The days, sorted; 31 is the last of whatever month.
    pub fn days(self) -> impl Iterator<Item = u8> {
        (1..=31).filter(move |day| self.set & (1 << day) != 0)
    }

    /// The first of these dates on or after `day`.
    pub(super) fn on_or_after(self, day: i32) -> Option<i32> {
        let mut first = month_start(day);
        for _ in 0..SEARCH_MONTHS_MAX {
            let length = u8::try_from(date_of(first).days_in_month()).unwrap_or(31);
            // Several days may fall on the last of a short month; it is one date.
            let found = self
                .days()
                .map(|of_month| first + i32::from(of_month.min(length)) - 1)
                .find(|found| *found >= day);
            if found.is_some() {
                return found;
            }
            first += i32::from(length);
        }
        None
    }
}

impl fmt::Display for MonthDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for day in self.days() {
            f.write_str(separator)?;
            separator = ",";
            match day {
                31 => f.write_str("last")?,
                day => write!(f, "{day}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::time::day_number;

    #[test]
    fn days_are_sorted_and_within_a_month() {
        let days = MonthDays::new([31, 15, 1, 15]).unwrap();
        assert_eq!(days.days().collect::<Vec<_>>(), [1, 15, 31]);
        assert_eq!(days.to_string(), "1,15,last");
        assert_eq!(MonthDays::new([]), None);
        assert_eq!(MonthDays::new([1, 0]), None);
        assert_eq!(MonthDays::new([32]), None);
        assert_eq!(MonthDays::new([u8::MAX]), None);
    }

    #[test]
    fn a_day_that_a_month_lacks_is_its_last() {
        let thirtieth = MonthDays::new([30]).unwrap();
        let next = |from| thirtieth.on_or_after(day_number(from)).map(date_of);
        assert_eq!(next(date(2026, 1, 30)), Some(date(2026, 1, 30)));
        assert_eq!(next(date(2026, 1, 31)), Some(date(2026, 2, 28)));
        assert_eq!(next(date(2028, 2, 1)), Some(date(2028, 2, 29)));
        assert_eq!(next(date(2026, 12, 31)), Some(date(2027, 1, 30)));
    }
}
