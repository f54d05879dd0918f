//! Civil time: what "in three working days, but only in office hours" means for one contact (rule R4).
//!
//! Every function here is a total function of its arguments: the instant, the contact's [`Zone`] and [`Calendar`] are
//! passed in, results saturate at the ends of the timeline, and nothing panics on any input. Zone data is bundled with
//! the program, so a result is the same on every machine.
//!
//! How a clock reading becomes an instant is decided once, in [`Zone::at`]: a reading that a DST change skips becomes
//! the first instant after the gap, a reading that occurs twice becomes the earlier one. All other modules use it.
//!
//! **Absent:** no clock (`now` is an argument), no system zone, no locale, no cron expressions, no file formats (calendars
//! are read by `relance_wire::calendar`).

mod best_hour;
mod calendar;
mod civil;
mod date_rule;
mod delay;
mod hours;
mod late;
mod month_days;
mod quiet;
mod recur;
mod spans;
mod weekdays;
mod window;
mod zone;

pub use best_hour::{SIGNS_MIN, best_hour, next_best_hour};
pub use calendar::{
    Calendar, CalendarParts, HOLIDAYS_MAX, Holiday, InvalidCalendar, NON_WORKING_RUN_DAYS_MAX,
    RECURRING_MAX, Recurring,
};
pub use civil::{
    DayBounds, MonthDay, TimeProblem, civil_day, date_of, day_bounds, day_number, month_start,
    next_time_of_day, next_yearly, parse_time_of_day, week_start,
};
pub use date_rule::{DATE_TIME_DEFAULT, DateRule, Offset, OffsetProblem};
pub use delay::{
    DELAY_DAYS_MAX, DELAY_TEXT_BYTES_MAX, DELAY_WORKING_DAYS_MAX, Delay, DelayProblem,
};
pub use hours::{Hours, SPANS_MAX};
pub use late::{LATE_DEFAULT, is_late};
pub use month_days::MonthDays;
pub use quiet::{PERIODS_MAX, QUIET_SEARCH_DAYS_MAX, QuietHours};
pub use recur::{EVERY_WEEKS_MAX, On, Recurrence, RecurrenceProblem};
pub use weekdays::Weekdays;
pub use window::{Days, Window, WindowProblem};
pub use zone::{Zone, ZoneProblem, local_at};

/// The longest piece of a refused text that an error message repeats.
const QUOTED_CHARS_MAX: usize = 40;

/// A refused text for an error message: short enough for a log line, cut at a character.
fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(QUOTED_CHARS_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// `Serialize` through `Display` and `Deserialize` through `FromStr`: these types are their text wherever they are stored.
macro_rules! serde_as_text {
    ($type:ty, $expecting:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
use serde_as_text;
