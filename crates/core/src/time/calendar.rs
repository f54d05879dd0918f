//! Which days are working days.
//!
//! A calendar is a table of exceptions to its weekend: holidays, and days off that were made working days. It is
//! checked once, in [`Calendar::new`]; afterwards every question has an answer, for any date, in the logarithm of the
//! table's length. Outside the years of the table the weekend and the fixed yearly holidays still hold, and
//! [`Calendar::covers`] says that the answer is less than certain.
//!
//! **Absent:** rules (Easter, substitute days) and file formats; `relance_wire::calendar` expands them into this table.

use jiff::civil::Date;
use thiserror::Error;

use super::civil::weekday_from_monday;
use super::{MonthDay, Weekdays, date_of, day_number};

/// How many holidays and made-up working days a calendar may list, each.
pub const HOLIDAYS_MAX: usize = 5_000;

/// How many fixed yearly holidays a calendar may have. Below 104, so that even with a one-day working week no two years
/// in a row are without a working day.
pub const RECURRING_MAX: usize = 64;

/// How many days in a row may be days off within the calendar's years.
pub const NON_WORKING_RUN_DAYS_MAX: u32 = 60;

/// The longest span of years a calendar may list.
const YEARS_MAX: i32 = 200;

/// A day off with its name, for explanations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    pub date: Date,
    pub name: String,
}

/// A holiday on the same date every year, known beyond the table's years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurring {
    pub date: MonthDay,
    pub name: String,
}

/// What a calendar is made of; lists need no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarParts {
    pub id: String,
    pub name: String,
    pub weekend: Weekdays,
    /// The first and last year that `holidays` and `working_days` speak of.
    pub years: (i16, i16),
    /// Years of these whose official list is not published yet.
    pub provisional: Vec<i16>,
    pub holidays: Vec<Holiday>,
    /// Dates that are working days although they fall on the weekend.
    pub working_days: Vec<Date>,
    pub recurring: Vec<Recurring>,
}

/// Why parts do not make a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidCalendar {
    #[error("calendar {id:?}: every weekday is a weekend day; leave at least one working day")]
    NoWorkingDays { id: String },
    #[error(
        "calendar {id:?}: years {first} to {last} are not a span of 1 to {YEARS_MAX} years from 1900 to 2999"
    )]
    Years { id: String, first: i16, last: i16 },
    #[error(
        "calendar {id:?}: {date} lies outside the years {first} to {last}; widen `years` or drop the date"
    )]
    OutsideYears {
        id: String,
        date: Date,
        first: i16,
        last: i16,
    },
    #[error("calendar {id:?}: more than {limit} entries in {list}; shorten the list")]
    TooMany {
        id: String,
        list: &'static str,
        limit: usize,
    },
    #[error("calendar {id:?}: {date} is both a holiday and a working day; list it once")]
    Contradiction { id: String, date: Date },
    #[error(
        "calendar {id:?}: more than {NON_WORKING_RUN_DAYS_MAX} days off in a row from {from}; check the holidays"
    )]
    TooLongWithoutWork { id: String, from: Date },
}

/// The working days of a country, a region or a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    id: String,
    name: String,
    weekend: Weekdays,
    years: (i16, i16),
    provisional: Vec<i16>,
    /// Sorted by date, one per date.
    holidays: Vec<Holiday>,
    /// Sorted by date, one per date.
    recurring: Vec<Recurring>,
    /// Day numbers on which the weekend says the wrong thing, sorted. Membership flips the weekday's answer.
    exceptions: Vec<i32>,
    /// First and last day number of `years`.
    span: (i32, i32),
}

impl Calendar {
    pub fn new(parts: CalendarParts) -> Result<Calendar, InvalidCalendar> {
        let CalendarParts {
            id,
            name,
            weekend,
            years,
            mut provisional,
            mut holidays,
            mut working_days,
            mut recurring,
        } = parts;
        let (first, last) = years;
        if weekend.is_all() {
            return Err(InvalidCalendar::NoWorkingDays { id });
        }
        if !(1900..=2999).contains(&first)
            || last < first
            || last > 2999
            || i32::from(last) - i32::from(first) >= YEARS_MAX
        {
            return Err(InvalidCalendar::Years { id, first, last });
        }
        for (list, length, limit) in [
            ("holidays", holidays.len(), HOLIDAYS_MAX),
            ("working_days", working_days.len(), HOLIDAYS_MAX),
            ("recurring", recurring.len(), RECURRING_MAX),
            ("provisional", provisional.len(), YEARS_MAX as usize),
        ] {
            if length > limit {
                return Err(InvalidCalendar::TooMany { id, list, limit });
            }
        }
        holidays.sort_by_key(|holiday| holiday.date);
        holidays.dedup_by_key(|holiday| holiday.date);
        working_days.sort();
        working_days.dedup();
        recurring.sort_by_key(|holiday| holiday.date);
        recurring.dedup_by_key(|holiday| holiday.date);
        provisional.sort_unstable();
        provisional.dedup();
        for date in holidays
            .iter()
            .map(|holiday| holiday.date)
            .chain(working_days.iter().copied())
        {
            if date.year() < first || date.year() > last {
                return Err(InvalidCalendar::OutsideYears {
                    id,
                    date,
                    first,
                    last,
                });
            }
        }
        if let Some(date) = working_days.iter().find(|date| {
            holidays
                .binary_search_by_key(*date, |holiday| holiday.date)
                .is_ok()
        }) {
            return Err(InvalidCalendar::Contradiction { id, date: *date });
        }
        let days_off = holidays.iter().map(|holiday| day_number(holiday.date));
        let days_on = working_days.iter().map(|date| day_number(*date));
        let mut exceptions: Vec<i32> = days_off
            .filter(|day| !weekend.has(weekday_from_monday(*day)))
            .chain(days_on.filter(|day| weekend.has(weekday_from_monday(*day))))
            .collect();
        exceptions.sort_unstable();
        let span = (
            day_number(jiff::civil::date(first, 1, 1)),
            day_number(jiff::civil::date(last, 12, 31)),
        );
        let calendar = Calendar {
            id,
            name,
            weekend,
            years,
            provisional,
            holidays,
            recurring,
            exceptions,
            span,
        };
        match calendar.long_run_of_days_off() {
            Some(from) => Err(InvalidCalendar::TooLongWithoutWork {
                id: calendar.id,
                from,
            }),
            None => Ok(calendar),
        }
    }

    /// Monday to Friday, no holidays: for a contact whose country has no calendar.
    pub fn weekends_only() -> Calendar {
        Calendar {
            id: "weekends".to_owned(),
            name: "Weekends only".to_owned(),
            weekend: Weekdays::SAT_SUN,
            years: (i16::MIN, i16::MAX),
            provisional: Vec::new(),
            holidays: Vec::new(),
            recurring: Vec::new(),
            exceptions: Vec::new(),
            span: (i32::MIN, i32::MAX),
        }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn weekend(&self) -> Weekdays {
        self.weekend
    }

    /// The first and last year listed, published or not.
    pub fn years(&self) -> (i16, i16) {
        self.years
    }

    /// All listed holidays, sorted, those on weekends included.
    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }

    /// Whether the official list of that year is known. When not, answers rest on the weekend and on what the law fixes.
    pub fn covers(&self, year: i16) -> bool {
        (self.years.0..=self.years.1).contains(&year)
            && self.provisional.binary_search(&year).is_err()
    }

    /// The name of the holiday on `date`, if it is one.
    pub fn holiday(&self, date: Date) -> Option<&str> {
        if self.lists(day_number(date)) {
            let index = self
                .holidays
                .binary_search_by_key(&date, |holiday| holiday.date)
                .ok()?;
            return Some(&self.holidays[index].name);
        }
        let index = self
            .recurring
            .binary_search_by_key(&MonthDay::from(date), |holiday| holiday.date)
            .ok()?;
        Some(&self.recurring[index].name)
    }

    pub fn is_working(&self, date: Date) -> bool {
        self.is_working_day(day_number(date))
    }

    /// The first working day after `date`, not `date` itself. Saturates at the last date there is.
    pub fn next_working(&self, date: Date) -> Date {
        date_of(self.day_after(day_number(date)))
    }

    /// The last working day before `date`, not `date` itself. Saturates at the first date there is.
    pub fn previous_working(&self, date: Date) -> Date {
        date_of(self.day_before(day_number(date)))
    }

    pub(super) fn is_working_day(&self, day: i32) -> bool {
        let weekday_works = !self.weekend.has(weekday_from_monday(day));
        if self.lists(day) {
            return weekday_works != self.exceptions.binary_search(&day).is_ok();
        }
        weekday_works
            && (self.recurring.is_empty()
                || self
                    .recurring
                    .binary_search_by_key(&MonthDay::from(date_of(day)), |holiday| holiday.date)
                    .is_err())
    }

    pub(super) fn day_after(&self, day: i32) -> i32 {
        let last = day_number(Date::MAX);
        let mut day = day;
        while day < last {
            day += 1;
            if self.is_working_day(day) {
                return day;
            }
        }
        last
    }

    pub(super) fn day_before(&self, day: i32) -> i32 {
        let first = day_number(Date::MIN);
        let mut day = day;
        while day > first {
            day -= 1;
            if self.is_working_day(day) {
                return day;
            }
        }
        first
    }

    fn lists(&self, day: i32) -> bool {
        (self.span.0..=self.span.1).contains(&day)
    }

    /// The start of a run of days off that is longer than allowed. This is what bounds `day_after` and `day_before`.
    fn long_run_of_days_off(&self) -> Option<Date> {
        let mut run = 0;
        for day in self.span.0..=self.span.1 {
            run = if self.is_working_day(day) { 0 } else { run + 1 };
            if run > NON_WORKING_RUN_DAYS_MAX {
                return Some(date_of(day - NON_WORKING_RUN_DAYS_MAX as i32));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn parts() -> CalendarParts {
        CalendarParts {
            id: "test".to_owned(),
            name: "Test".to_owned(),
            weekend: Weekdays::SAT_SUN,
            years: (2025, 2026),
            provisional: vec![2026],
            holidays: vec![
                Holiday {
                    date: date(2026, 1, 1),
                    name: "New Year".to_owned(),
                },
                Holiday {
                    date: date(2025, 11, 3),
                    name: "Moved day off".to_owned(),
                },
                Holiday {
                    date: date(2025, 1, 1),
                    name: "New Year".to_owned(),
                },
            ],
            working_days: vec![date(2025, 11, 1)],
            recurring: vec![Recurring {
                date: MonthDay::new(1, 1).unwrap(),
                name: "New Year".to_owned(),
            }],
        }
    }

    #[test]
    fn a_moved_day_works_and_its_substitute_does_not() {
        let calendar = Calendar::new(parts()).unwrap();
        assert!(calendar.is_working(date(2025, 11, 1))); // a Saturday
        assert!(!calendar.is_working(date(2025, 11, 3))); // a Monday
        assert_eq!(calendar.holiday(date(2025, 11, 3)), Some("Moved day off"));
        assert_eq!(calendar.next_working(date(2025, 10, 31)), date(2025, 11, 1));
        assert_eq!(calendar.next_working(date(2025, 11, 1)), date(2025, 11, 4));
        assert_eq!(
            calendar.previous_working(date(2025, 11, 4)),
            date(2025, 11, 1)
        );
    }

    #[test]
    fn outside_its_years_the_fixed_holidays_hold_and_it_says_so() {
        let calendar = Calendar::new(parts()).unwrap();
        assert!(calendar.covers(2025));
        assert!(!calendar.covers(2026), "provisional");
        assert!(!calendar.covers(2027));
        assert!(!calendar.is_working(date(2030, 1, 1))); // a Tuesday
        assert_eq!(calendar.holiday(date(2030, 1, 1)), Some("New Year"));
        assert!(calendar.is_working(date(2030, 1, 2)));
        assert!(!calendar.is_working(date(2030, 1, 5)));
        assert_eq!(calendar.next_working(Date::MAX), Date::MAX);
        assert_eq!(calendar.previous_working(Date::MIN), Date::MIN);
        assert!(Calendar::weekends_only().covers(2050));
    }

    #[test]
    fn impossible_calendars_are_refused_with_a_remedy() {
        let refused = |change: fn(&mut CalendarParts)| {
            let mut parts = parts();
            change(&mut parts);
            Calendar::new(parts).unwrap_err().to_string()
        };
        assert!(
            refused(|parts| parts.weekend = Weekdays::ALL).contains("at least one working day")
        );
        assert!(refused(|parts| parts.years = (2026, 2025)).contains("2026 to 2025"));
        assert!(refused(|parts| parts.years = (1, 2025)).contains("1900"));
        assert!(refused(|parts| parts.years = (2025, 2025)).contains("outside the years"));
        assert!(refused(|parts| parts.working_days.push(date(2025, 1, 1))).contains("both"));
        assert!(
            refused(|parts| parts.holidays = vec![parts.holidays[0].clone(); HOLIDAYS_MAX + 1])
                .contains("more than 5000")
        );
        let long = refused(|parts| {
            parts.working_days.clear();
            for day in 0..90 {
                let date = date_of(day_number(date(2025, 3, 3)) + day);
                parts.holidays.push(Holiday {
                    date,
                    name: "Long".to_owned(),
                });
            }
        });
        assert!(long.contains("from 2025-03-01"), "{long}");
    }
}
