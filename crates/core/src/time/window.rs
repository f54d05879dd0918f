//! When something may happen: "Monday to Friday, 09:00-18:00", by the contact's own wall clock.
//!
//! An instant lies in a window when the wall clock of the zone shows a time inside its hours on one of its days. So in
//! the hour that a DST change repeats both passes count, and hours that it skips do not exist. Hours over midnight
//! belong to the day on which they begin.
//!
//! **Invariant:** [`Window::next_open`] answers the earliest instant that [`Window::contains`].
//!
//! **Absent:** the opposite question, which is [`super::QuietHours`].

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::civil::weekday_from_monday;
use super::hours::DAY_MINUTES;
use super::{Calendar, Hours, Weekdays, Zone, date_of, day_number, serde_as_text};

/// How many boundaries and clock changes one search may cross. Two suffice but where a clock change swallows a span.
const SEARCH_STEPS_MAX: usize = 64;

/// How many adjoining spans are followed to find where an open stretch ends; past them it counts as endless.
const ADJOINING_MAX: usize = 64;

/// How far ahead a clock change can make the wall clock show once more what it has shown.
const REPEAT_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Why a text is no window and no quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WindowProblem {
    #[error("days {text:?} are not weekdays; write mon-fri, mon,wed or bd (working days)")]
    Days { text: String },
    #[error(
        "hours {text:?} are not hours of a day; write them as 09:00-18:00 or 09:00-12:00,13:00-18:00"
    )]
    Hours { text: String },
    #[error(
        "hours {text:?} are empty; end after the start, or write 00:00-24:00 for the whole day"
    )]
    EmptyHours { text: String },
    #[error(
        "hours {text:?} have too many spans; at most {} are allowed",
        super::SPANS_MAX
    )]
    TooManySpans { text: String },
    #[error("quiet hours have no period; write for example 21:00-09:00")]
    NoPeriods,
    #[error(
        "quiet hours have too many periods; at most {} are allowed",
        super::PERIODS_MAX
    )]
    TooManyPeriods,
    #[error("quiet hours cover the whole week; leave some time in which messages may leave")]
    AlwaysQuiet,
}

/// On which days a window opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Days {
    Weekdays(Weekdays),
    /// Working days of the contact's calendar, written `bd`.
    Working,
}

impl Days {
    pub const EVERY_DAY: Days = Days::Weekdays(Weekdays::ALL);

    fn has(self, day: i32, calendar: &Calendar) -> bool {
        match self {
            Days::Weekdays(set) => set.has(weekday_from_monday(day)),
            Days::Working => calendar.is_working_day(day),
        }
    }

    /// The first of these days after `day`.
    fn after(self, day: i32, calendar: &Calendar) -> Option<i32> {
        match self {
            Days::Weekdays(set) => set
                .days_until_next(weekday_from_monday(day))
                .map(|ahead| day + ahead),
            Days::Working => Some(calendar.day_after(day)),
        }
    }
}

impl FromStr for Days {
    type Err = WindowProblem;

    fn from_str(text: &str) -> Result<Days, WindowProblem> {
        if text.trim() == "bd" {
            Ok(Days::Working)
        } else {
            text.parse().map(Days::Weekdays)
        }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Days::Weekdays(set) => set.fmt(f),
            Days::Working => f.write_str("bd"),
        }
    }
}

serde_as_text!(Days, "weekdays such as mon-fri, or bd");

/// The times of a week in which something may happen. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    #[serde(default = "every_day")]
    days: Days,
    #[serde(default = "Hours::all_day")]
    hours: Hours,
}

fn every_day() -> Days {
    Days::EVERY_DAY
}

/// A wall-clock reading in minutes: the day number and the minute of that day.
#[derive(Clone, Copy)]
struct Wall {
    day: i32,
    minute: i64,
}

impl Window {
    pub fn new(days: Days, hours: Hours) -> Window {
        Window { days, hours }
    }

    /// Reads the journey language's `days` and `hours`; a missing one means every day, or the whole day.
    pub fn parse(days: Option<&str>, hours: Option<&str>) -> Result<Window, WindowProblem> {
        Ok(Window {
            days: days.map_or(Ok(Days::EVERY_DAY), str::parse)?,
            hours: hours.map_or(Ok(Hours::all_day()), str::parse)?,
        })
    }

    pub fn days(&self) -> Days {
        self.days
    }

    pub fn hours(&self) -> &Hours {
        &self.hours
    }

    /// Whether the window depends on a calendar of working days.
    pub fn needs_calendar(&self) -> bool {
        matches!(self.days, Days::Working)
    }

    /// Whether `at` lies in the window.
    pub fn contains(&self, at: Timestamp, zone: &Zone, calendar: &Calendar) -> bool {
        self.contains_wall(Wall::at(at, zone), calendar)
    }

    /// The earliest instant from `at` on that lies in the window. Saturates at the end of the timeline.
    ///
    /// ```
    /// use relance_core::time::{Calendar, Window, Zone};
    ///
    /// let (zone, calendar) = (Zone::parse("Europe/Moscow")?, Calendar::weekends_only());
    /// let window = Window::parse(Some("mon-fri"), Some("09:00-18:00"))?;
    /// let friday_evening = "2026-03-06T19:30:00+03:00".parse()?;
    /// let monday_morning = "2026-03-09T09:00:00+03:00".parse()?;
    /// assert_eq!(window.next_open(friday_evening, &zone, &calendar), monday_morning);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_open(&self, at: Timestamp, zone: &Zone, calendar: &Calendar) -> Timestamp {
        self.reach(at, true, zone, calendar)
            .unwrap_or(Timestamp::MAX)
    }

    /// The earliest instant from `at` on that lies outside the window; `None` when it stays open as far as one looks.
    pub fn next_closed(
        &self,
        at: Timestamp,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        self.reach(at, false, zone, calendar)
    }

    /// The earliest instant from `from` on at which `contains` answers `open`.
    fn reach(
        &self,
        from: Timestamp,
        open: bool,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        let mut at = from;
        for _ in 0..SEARCH_STEPS_MAX {
            let wall = Wall::at(at, zone);
            if self.contains_wall(wall, calendar) == open {
                return Some(at);
            }
            let boundary = if open {
                self.start_after(wall, calendar)
            } else {
                self.end_after(wall, calendar)
            }?;
            let next = boundary.instant_after(at, zone);
            if next <= at {
                // Only at the end of the timeline, where instants saturate.
                return None;
            }
            // A clock change before the boundary can bring it forward: going back, by showing an open hour again; going
            // forward, by skipping the boundary itself, which `instant_after` has then already moved to the change.
            let soon = at
                .saturating_add(REPEAT_WITHIN)
                .unwrap_or(Timestamp::MAX)
                .min(next);
            at = zone.offset_change_between(at, soon).unwrap_or(next);
        }
        None
    }

    fn contains_wall(&self, wall: Wall, calendar: &Calendar) -> bool {
        self.end_of_span(wall, calendar).is_some()
    }

    /// Where the span that holds `wall` ends, in minutes of `wall`'s day; the furthest when several hold it.
    fn end_of_span(&self, wall: Wall, calendar: &Calendar) -> Option<i64> {
        let minute = wall.minute;
        let today = self
            .hours
            .spans()
            .iter()
            .filter(|span| span.start <= minute && minute < span.end)
            .map(|span| span.end)
            .max();
        let today = today.filter(|_| self.days.has(wall.day, calendar));
        // Yesterday's spans over midnight, seen from today.
        let over = self
            .hours
            .spans()
            .iter()
            .map(|span| span.end - DAY_MINUTES)
            .filter(|end| minute < *end)
            .max();
        let over = over.filter(|_| self.days.has(wall.day - 1, calendar));
        today.max(over)
    }

    /// The first start of a span after `wall`, which is not in the window.
    fn start_after(&self, wall: Wall, calendar: &Calendar) -> Option<Wall> {
        let spans = self.hours.spans();
        if let Some(span) = spans.iter().find(|span| span.start > wall.minute)
            && self.days.has(wall.day, calendar)
        {
            return Some(Wall {
                day: wall.day,
                minute: span.start,
            });
        }
        let day = self.days.after(wall.day, calendar)?;
        Some(Wall {
            day,
            minute: spans.first()?.start,
        })
    }

    /// The end of the open stretch that holds `wall`, over spans that adjoin or overlap.
    fn end_after(&self, wall: Wall, calendar: &Calendar) -> Option<Wall> {
        let mut wall = wall;
        for _ in 0..ADJOINING_MAX {
            match self.end_of_span(wall, calendar) {
                Some(end) => {
                    wall = Wall {
                        day: wall.day + (end / DAY_MINUTES) as i32,
                        minute: end % DAY_MINUTES,
                    };
                }
                None => return Some(wall),
            }
        }
        None
    }
}

impl Wall {
    fn at(at: Timestamp, zone: &Zone) -> Wall {
        let local = zone.local(at);
        Wall {
            day: day_number(local.date()),
            // Boundaries lie on whole minutes, so the seconds decide nothing.
            minute: i64::from(local.hour()) * 60 + i64::from(local.minute()),
        }
    }

    /// The first instant after `after` at which the wall clock shows this, or passes over it.
    fn instant_after(self, after: Timestamp, zone: &Zone) -> Timestamp {
        let (hour, minute) = ((self.minute / 60) as i8, (self.minute % 60) as i8);
        zone.at_after(date_of(self.day).at(hour, minute, 0, 0), after)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.days, self.hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_read_and_print() {
        for (json, printed) in [
            (
                r#"{"days":"mon-fri","hours":"09:00-18:00"}"#,
                "mon-fri 09:00-18:00",
            ),
            (r#"{"days":"bd"}"#, "bd 00:00-24:00"),
            (r#"{"hours":"22:00-06:00"}"#, "mon-sun 22:00-06:00"),
        ] {
            let window: Window = serde_json::from_str(json).unwrap();
            assert_eq!(window.to_string(), printed);
            let again: Window =
                serde_json::from_str(&serde_json::to_string(&window).unwrap()).unwrap();
            assert_eq!(again, window);
        }
        assert!(serde_json::from_str::<Window>(r#"{"hour":"09:00-18:00"}"#).is_err());
        let problem = Window::parse(Some("workdays"), None)
            .unwrap_err()
            .to_string();
        assert_eq!(
            problem,
            "days \"workdays\" are not weekdays; write mon-fri, mon,wed or bd (working days)"
        );
        assert!(
            Window::parse(None, Some("09:00-09:00"))
                .unwrap_err()
                .to_string()
                .contains("are empty")
        );
    }

    #[test]
    fn an_endless_window_never_closes() {
        let (zone, calendar) = (Zone::utc(), Calendar::weekends_only());
        let always = Window::parse(None, None).unwrap();
        assert_eq!(
            always.next_closed(Timestamp::UNIX_EPOCH, &zone, &calendar),
            None
        );
        assert_eq!(
            always.next_open(Timestamp::MAX, &zone, &calendar),
            Timestamp::MAX
        );
        let mornings = Window::parse(None, Some("09:00-12:00")).unwrap();
        assert_eq!(
            mornings.next_open(Timestamp::MAX, &zone, &calendar),
            Timestamp::MAX
        );
    }
}
