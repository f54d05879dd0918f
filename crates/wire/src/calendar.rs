//! Calendars of working days as files: `format = "calendar/1"`, TOML.
//!
//! A file states rules (a fixed date, the third Monday, so many days after Easter, substitute days) and what rules
//! cannot know (dates announced year by year, days moved by decree). [`parse`] expands them once into the table that
//! [`relance_core::time::Calendar`] answers from. Six calendars come with the program: see [`built_in`].
//!
//! **Absent:** the questions themselves; and reading files, which the caller does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use relance_core::time::{
    Calendar, CalendarParts, HOLIDAYS_MAX, Holiday, InvalidCalendar, MonthDay,
    NON_WORKING_RUN_DAYS_MAX, RECURRING_MAX, Recurring, Weekdays, date_of, day_number,
};
use serde::Deserialize;
use thiserror::Error;

/// The largest calendar file.
pub const CALENDAR_BYTES_MAX: usize = 64 * 1024;

/// The longest name of a calendar or a holiday.
pub const NAME_CHARS_MAX: usize = 100;

/// How many days before or after Easter a holiday may lie.
const EASTER_OFFSET_DAYS_MAX: i16 = 100;

const BUILT_IN: [(&str, &str); 6] = [
    ("de", include_str!("../../../assets/calendars/de.toml")),
    ("gb", include_str!("../../../assets/calendars/gb.toml")),
    ("jp", include_str!("../../../assets/calendars/jp.toml")),
    (
        "jp-business",
        include_str!("../../../assets/calendars/jp-business.toml"),
    ),
    ("ru", include_str!("../../../assets/calendars/ru.toml")),
    ("us", include_str!("../../../assets/calendars/us.toml")),
];

/// Why a text is no calendar.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalendarProblem {
    #[error("calendar file is larger than {CALENDAR_BYTES_MAX} bytes; list fewer dates")]
    TooLarge,
    #[error("calendar file, line {line}: {message}")]
    Toml { line: usize, message: String },
    #[error(
        "calendar file: {field} is missing; write it, or name a calendar in `base` that has it"
    )]
    Missing { field: &'static str },
    #[error("calendar file, base: {base:?} is none of {known}")]
    Base { base: String, known: String },
    #[error(
        "calendar file, closed {holiday:?}: a day on which one is closed is made up for by no other; leave out observed"
    )]
    ClosedObserved { holiday: String },
    #[error("calendar file, weekend: {message}")]
    Weekend { message: String },
    #[error("calendar file: {field} must have 1 to {NAME_CHARS_MAX} characters")]
    Name { field: &'static str },
    #[error("calendar file, holiday {holiday:?}: give exactly one of fixed, nth, easter, dates")]
    OneRule { holiday: String },
    #[error("calendar file, holiday {holiday:?}: {text:?} is not a date; write {shape}")]
    Date {
        holiday: String,
        text: String,
        shape: &'static str,
    },
    #[error(
        "calendar file, holiday {holiday:?}: nth needs n from 1 to 4, or -1 for the last, and a month from 1 to 12"
    )]
    Nth { holiday: String },
    #[error(
        "calendar file, holiday {holiday:?}: easter must lie within {EASTER_OFFSET_DAYS_MAX} days of Easter Sunday"
    )]
    Easter { holiday: String },
    #[error("calendar file: more than {limit} {what}; list fewer")]
    TooMany { what: &'static str, limit: usize },
    #[error(transparent)]
    Calendar(#[from] InvalidCalendar),
}

/// A file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    #[serde(rename = "format")]
    _format: Format,
    id: String,
    name: String,
    base: Option<String>,
    weekend: Option<String>,
    years: Option<Years>,
    #[serde(default)]
    provisional: Vec<i16>,
    between_holidays: Option<String>,
    #[serde(default)]
    holiday: Vec<Rule>,
    #[serde(default)]
    closed: Vec<Rule>,
    #[serde(default)]
    moved: Vec<Moved>,
}

/// A file with all that its base says.
struct File {
    id: String,
    name: String,
    weekend: String,
    years: Years,
    provisional: Vec<i16>,
    between_holidays: Option<String>,
    holiday: Vec<Rule>,
    /// Days off that are no holidays: nothing is made up for them or because of them.
    closed: Vec<Rule>,
    moved: Vec<Moved>,
}

impl File {
    fn read(text: &str) -> Result<Self, CalendarProblem> {
        let own: Draft = toml::from_str(text).map_err(|error| toml_problem(text, &error))?;
        let base = match &own.base {
            Some(id) => Some(Self::base(id)?),
            None => None,
        };
        let missing = |field| CalendarProblem::Missing { field };
        Ok(match base {
            None => Self {
                id: own.id,
                name: own.name,
                weekend: own.weekend.ok_or(missing("weekend"))?,
                years: own.years.ok_or(missing("years"))?,
                provisional: own.provisional,
                between_holidays: own.between_holidays,
                holiday: own.holiday,
                closed: own.closed,
                moved: own.moved,
            },
            Some(base) => Self {
                id: own.id,
                name: own.name,
                weekend: own.weekend.unwrap_or(base.weekend),
                years: own.years.unwrap_or(base.years),
                provisional: [base.provisional, own.provisional].concat(),
                between_holidays: own.between_holidays.or(base.between_holidays),
                holiday: base.holiday.into_iter().chain(own.holiday).collect(),
                closed: base.closed.into_iter().chain(own.closed).collect(),
                moved: base.moved.into_iter().chain(own.moved).collect(),
            },
        })
    }

    /// A calendar of the program that another begins from; those have at most one base themselves.
    fn base(id: &str) -> Result<Self, CalendarProblem> {
        match BUILT_IN.iter().find(|(known, _)| *known == id) {
            Some((_, text)) => Self::read(text),
            None => Err(CalendarProblem::Base {
                base: short(id),
                known: built_in_ids().collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

#[derive(Deserialize)]
enum Format {
    #[serde(rename = "calendar/1")]
    V1,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Years {
    first: i16,
    last: i16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    fixed: Option<Vec<String>>,
    nth: Option<Nth>,
    easter: Option<i16>,
    dates: Option<Vec<String>>,
    observed: Option<Observed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nth {
    n: i8,
    weekday: Day,
    month: i8,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// What happens to a holiday that falls on a day off.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Observed {
    /// It moves to the next day that is neither weekend nor holiday.
    NextWorkingDay,
    /// From Saturday to the Friday before, from Sunday to the Monday after.
    NearestWeekday,
    /// From Sunday, and only from there, to the next day that is no holiday.
    NextAfterSunday,
}

/// "The day off of `from` moves to `to`."
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Moved {
    from: String,
    to: String,
}

impl From<Day> for Weekday {
    fn from(day: Day) -> Weekday {
        match day {
            Day::Mon => Weekday::Monday,
            Day::Tue => Weekday::Tuesday,
            Day::Wed => Weekday::Wednesday,
            Day::Thu => Weekday::Thursday,
            Day::Fri => Weekday::Friday,
            Day::Sat => Weekday::Saturday,
            Day::Sun => Weekday::Sunday,
        }
    }
}

/// The ids of the calendars that come with the program.
pub fn built_in_ids() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(id, _)| *id)
}

/// A calendar that comes with the program: `de`, `gb`, `jp`, `jp-business`, `ru` or `us`. Reads it anew; keep the result.
pub fn built_in(id: &str) -> Option<Calendar> {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == id)?;
    parse(text).ok()
}

/// Reads a calendar file and expands its rules.
pub fn parse(text: &str) -> Result<Calendar, CalendarProblem> {
    if text.len() > CALENDAR_BYTES_MAX {
        return Err(CalendarProblem::TooLarge);
    }
    let file = File::read(text)?;
    let weekend: Weekdays = file.weekend.parse().map_err(|_| CalendarProblem::Weekend {
        message: format!(
            "{:?} is not a set of weekdays; write sat,sun",
            short(&file.weekend)
        ),
    })?;
    named("id", &file.id)?;
    named("name", &file.name)?;
    if let Some(name) = &file.between_holidays {
        named("between_holidays", name)?;
    }
    for rule in file.holiday.iter().chain(&file.closed) {
        named("name of a holiday", &rule.name)?;
    }
    // The span of years is checked before it is walked: everything below is years times rules.
    let mut parts = CalendarParts {
        id: file.id.clone(),
        name: file.name.clone(),
        weekend,
        years: (file.years.first, file.years.last),
        provisional: file.provisional.clone(),
        holidays: Vec::new(),
        working_days: Vec::new(),
        recurring: Vec::new(),
    };
    Calendar::new(parts.clone())?;
    let table = expand(&file, weekend)?;
    let listed = |date: &Date| (file.years.first..=file.years.last).contains(&date.year());
    parts.holidays = table
        .holidays
        .into_iter()
        .filter(|(date, _)| listed(date))
        .map(|(date, name)| Holiday { date, name })
        .collect();
    parts.working_days = table.working_days.into_iter().collect();
    parts.recurring = recurring(&file)?;
    Ok(Calendar::new(parts)?)
}

struct Table {
    holidays: BTreeMap<Date, String>,
    working_days: BTreeSet<Date>,
}

fn expand(file: &File, weekend: Weekdays) -> Result<Table, CalendarProblem> {
    let mut moved = BTreeMap::new();
    for Moved { from, to } in &file.moved {
        moved.insert(full_date("moved", from)?, full_date("moved", to)?);
    }
    for date in moved.iter().flat_map(|(from, to)| [from, to]) {
        within_years(file, *date)?;
    }

    // A year more at both ends, for substitutes over the turn of a year.
    let mut statutory: BTreeMap<Date, (&str, Option<Observed>)> = BTreeMap::new();
    for rule in &file.holiday {
        for date in rule_dates(rule, file.years.first - 1, file.years.last + 1)? {
            if rule.dates.is_some() {
                within_years(file, date)?;
            }
            // Where two holidays meet, the first in the file gives the name.
            statutory.entry(date).or_insert((&rule.name, rule.observed));
            if statutory.len() > HOLIDAYS_MAX {
                return Err(CalendarProblem::TooMany {
                    what: "holidays",
                    limit: HOLIDAYS_MAX,
                });
            }
        }
    }

    let mut holidays: BTreeMap<Date, String> = statutory
        .iter()
        .map(|(date, (name, _))| (*date, (*name).to_owned()))
        .collect();
    for (date, (name, observed)) in &statutory {
        // A decree that moves this very day replaces the rule.
        if moved.contains_key(date) {
            continue;
        }
        let substitute =
            observed.and_then(|observed| substitute(*date, observed, weekend, &holidays));
        if let Some(substitute) = substitute {
            holidays
                .entry(substitute)
                .or_insert_with(|| format!("{name} (substitute day)"));
        }
    }
    if let Some(name) = &file.between_holidays {
        for date in statutory.keys() {
            let (between, after) = (days_later(*date, 1), days_later(*date, 2));
            if statutory.contains_key(&after) && between.weekday() != Weekday::Sunday {
                holidays.entry(between).or_insert_with(|| name.clone());
            }
        }
    }

    for rule in &file.closed {
        if rule.observed.is_some() {
            let holiday = rule.name.clone();
            return Err(CalendarProblem::ClosedObserved { holiday });
        }
        for date in rule_dates(rule, file.years.first - 1, file.years.last + 1)? {
            if rule.dates.is_some() {
                within_years(file, date)?;
            }
            holidays.entry(date).or_insert_with(|| rule.name.clone());
        }
    }

    let mut working_days = BTreeSet::new();
    for (from, to) in moved {
        holidays
            .entry(to)
            .or_insert_with(|| format!("Day off moved from {from}"));
        // A holiday that gives its day off away stays a holiday; an ordinary Saturday becomes a working day.
        if !statutory.contains_key(&from) {
            working_days.insert(from);
        }
    }
    Ok(Table {
        holidays,
        working_days,
    })
}

/// A date written out in full outside the file's years is a slip of the pen, and would be lost without a word.
fn within_years(file: &File, date: Date) -> Result<(), CalendarProblem> {
    let Years { first, last } = file.years;
    if (first..=last).contains(&date.year()) {
        return Ok(());
    }
    Err(InvalidCalendar::OutsideYears {
        id: file.id.clone(),
        date,
        first,
        last,
    }
    .into())
}

/// All dates of a rule in the years `first..=last`.
fn rule_dates(rule: &Rule, first: i16, last: i16) -> Result<Vec<Date>, CalendarProblem> {
    let years = first..=last;
    match (&rule.fixed, &rule.nth, rule.easter, &rule.dates) {
        (Some(fixed), None, None, None) => {
            let mut dates = Vec::new();
            for day in fixed_days(rule, fixed)? {
                // 29 February is a holiday only where it exists, unlike a birthday.
                dates.extend(
                    years
                        .clone()
                        .filter_map(|year| Date::new(year, day.month(), day.day()).ok()),
                );
            }
            Ok(dates)
        }
        (None, Some(nth), None, None) => {
            let problem = || CalendarProblem::Nth {
                holiday: rule.name.clone(),
            };
            if !(nth.n == -1 || (1..=4).contains(&nth.n)) {
                return Err(problem());
            }
            years
                .map(|year| {
                    let first_day = Date::new(year, nth.month, 1).map_err(|_| problem())?;
                    first_day
                        .nth_weekday_of_month(nth.n, nth.weekday.into())
                        .map_err(|_| problem())
                })
                .collect()
        }
        (None, None, Some(offset), None) => {
            if offset.abs() > EASTER_OFFSET_DAYS_MAX {
                return Err(CalendarProblem::Easter {
                    holiday: rule.name.clone(),
                });
            }
            Ok(years
                .map(|year| days_later(easter(year), i32::from(offset)))
                .collect())
        }
        (None, None, None, Some(dates)) => dates
            .iter()
            .map(|date| full_date(&rule.name, date))
            .collect(),
        _ => Err(CalendarProblem::OneRule {
            holiday: rule.name.clone(),
        }),
    }
}

fn fixed_days(rule: &Rule, fixed: &[String]) -> Result<Vec<MonthDay>, CalendarProblem> {
    if fixed.len() > RECURRING_MAX {
        return Err(CalendarProblem::TooMany {
            what: "fixed dates",
            limit: RECURRING_MAX,
        });
    }
    let read = |text: &String| {
        text.parse().map_err(|_| CalendarProblem::Date {
            holiday: rule.name.clone(),
            text: short(text),
            shape: "month and day as 02-23",
        })
    };
    fixed.iter().map(read).collect()
}

fn recurring(file: &File) -> Result<Vec<Recurring>, CalendarProblem> {
    let mut recurring = Vec::new();
    for rule in file.holiday.iter().chain(&file.closed) {
        if let Some(fixed) = &rule.fixed {
            let days = fixed_days(rule, fixed)?;
            recurring.extend(days.into_iter().map(|date| Recurring {
                date,
                name: rule.name.clone(),
            }));
        }
    }
    Ok(recurring)
}

/// The day on which a holiday is made up for, if it must be.
fn substitute(
    date: Date,
    observed: Observed,
    weekend: Weekdays,
    holidays: &BTreeMap<Date, String>,
) -> Option<Date> {
    let next_free = |also_weekend: bool| {
        (1..=NON_WORKING_RUN_DAYS_MAX as i32)
            .map(|ahead| days_later(date, ahead))
            .find(|day| {
                !(holidays.contains_key(day) || also_weekend && weekend.contains(day.weekday()))
            })
    };
    match observed {
        Observed::NextWorkingDay if weekend.contains(date.weekday()) => next_free(true),
        Observed::NextAfterSunday if date.weekday() == Weekday::Sunday => next_free(false),
        Observed::NearestWeekday if date.weekday() == Weekday::Saturday => {
            Some(days_later(date, -1))
        }
        Observed::NearestWeekday if date.weekday() == Weekday::Sunday => Some(days_later(date, 1)),
        Observed::NextWorkingDay | Observed::NextAfterSunday | Observed::NearestWeekday => None,
    }
}

/// Easter Sunday of the Western churches, by the anonymous Gregorian algorithm.
fn easter(year: i16) -> Date {
    let year = i32::from(year);
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let epact =
        (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let correction = (golden + 11 * epact + 22 * weekday) / 451;
    let march_day = epact + weekday - 7 * correction + 22;
    days_later(jiff::civil::date(year as i16, 3, 1), march_day - 1)
}

fn days_later(date: Date, days: i32) -> Date {
    date_of(day_number(date) + days)
}

fn full_date(holiday: &str, text: &str) -> Result<Date, CalendarProblem> {
    // Ten characters and no more: the parser behind `Date` would also take a time of day and a zone.
    let date = if text.len() == 10 {
        text.parse().ok()
    } else {
        None
    };
    date.ok_or_else(|| CalendarProblem::Date {
        holiday: holiday.to_owned(),
        text: short(text),
        shape: "year, month and day as 2026-02-23",
    })
}

fn named(field: &'static str, name: &str) -> Result<(), CalendarProblem> {
    let chars = name.chars().take(NAME_CHARS_MAX + 1).count();
    if chars == 0 || chars > NAME_CHARS_MAX {
        Err(CalendarProblem::Name { field })
    } else {
        Ok(())
    }
}

fn toml_problem(text: &str, error: &toml::de::Error) -> CalendarProblem {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..offset]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1;
    CalendarProblem::Toml {
        line,
        message: short(error.message()),
    }
}

fn short(text: &str) -> String {
    text.chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
