//! Quiet hours: when nothing may leave, by the contact's own wall clock.
//!
//! One or more periods, each a [`Window`]: nightly, or different on the weekend. The machinery is the window's; a time
//! is quiet when any period contains it.
//!
//! **Absent:** who sets them and what a held message does; see rule R3.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::hours::DAY_MINUTES;
use super::{Calendar, Days, Weekdays, Window, WindowProblem, Zone};

/// How many periods quiet hours may have.
pub const PERIODS_MAX: usize = 8;

/// How far ahead the end of quiet hours is looked for. Only holidays can keep everything quiet for so long; a message
/// held until then is asked about again.
pub const QUIET_SEARCH_DAYS_MAX: i64 = 31;

/// How many periods one search may pass through: each period of each day, and once more.
const SEARCH_STEPS_MAX: usize = (QUIET_SEARCH_DAYS_MAX as usize + 1) * PERIODS_MAX;

/// Times in which nothing may leave. Never the whole week, and never none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QuietHours {
    periods: Vec<Window>,
}

impl QuietHours {
    /// Refuses no periods, too many, and periods that together leave no minute of an ordinary week.
    pub fn new(periods: Vec<Window>) -> Result<QuietHours, WindowProblem> {
        if periods.is_empty() {
            return Err(WindowProblem::NoPeriods);
        }
        if periods.len() > PERIODS_MAX {
            return Err(WindowProblem::TooManyPeriods);
        }
        if covers_the_week(&periods) {
            return Err(WindowProblem::AlwaysQuiet);
        }
        Ok(QuietHours { periods })
    }

    /// The same hours every day: `21:00-09:00`.
    pub fn daily(hours: &str) -> Result<QuietHours, WindowProblem> {
        QuietHours::new(vec![Window::parse(None, Some(hours))?])
    }

    pub fn periods(&self) -> &[Window] {
        &self.periods
    }

    pub fn is_quiet(&self, at: Timestamp, zone: &Zone, calendar: &Calendar) -> bool {
        self.periods
            .iter()
            .any(|period| period.contains(at, zone, calendar))
    }

    /// The earliest instant from `at` on that is not quiet: `at` itself when it isn't.
    ///
    /// When everything stays quiet for [`QUIET_SEARCH_DAYS_MAX`] days the answer is the end of that search.
    pub fn next_allowed(&self, at: Timestamp, zone: &Zone, calendar: &Calendar) -> Timestamp {
        let end = at
            .saturating_add(SignedDuration::from_hours(24 * QUIET_SEARCH_DAYS_MAX))
            .unwrap_or(Timestamp::MAX);
        let mut at = at;
        for _ in 0..SEARCH_STEPS_MAX {
            let Some(period) = self
                .periods
                .iter()
                .find(|period| period.contains(at, zone, calendar))
            else {
                return at;
            };
            match period.next_closed(at, zone, calendar) {
                Some(closed) if closed < end => at = closed,
                Some(_) | None => return end,
            }
        }
        end
    }
}

/// Whether an ordinary week, Monday to Friday working, has no minute outside the periods.
fn covers_the_week(periods: &[Window]) -> bool {
    const WEEK_MINUTES: i64 = 7 * DAY_MINUTES;
    let mut spans = Vec::new();
    for period in periods {
        let days = match period.days() {
            Days::Weekdays(set) => set,
            Days::Working => Weekdays::MON_FRI,
        };
        for day in (0..7u8).filter(|day| days.has(*day)) {
            for span in period.hours().spans() {
                let start = i64::from(day) * DAY_MINUTES + span.start;
                let end = i64::from(day) * DAY_MINUTES + span.end;
                spans.push((start, end.min(WEEK_MINUTES)));
                // Sunday night runs on into Monday.
                spans.push((0, end - WEEK_MINUTES));
            }
        }
    }
    spans.sort_unstable();
    let covered = spans.iter().fold(0, |covered, (start, end)| {
        if *start <= covered {
            covered.max(*end)
        } else {
            covered
        }
    });
    covered >= WEEK_MINUTES
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for period in &self.periods {
            write!(f, "{separator}{period}")?;
            separator = "; ";
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    /// Reads hours alone, one period, or a list of periods.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<QuietHours, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// A visitor and no untagged enum, for the latter swallows what is wrong.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = QuietHours;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("quiet hours such as 21:00-09:00, or a list of periods with days and hours")
    }

    fn visit_str<E: de::Error>(self, hours: &str) -> Result<QuietHours, E> {
        QuietHours::daily(hours).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, period: A) -> Result<QuietHours, A::Error> {
        let window = Window::deserialize(MapAccessDeserializer::new(period))?;
        QuietHours::new(vec![window]).map_err(de::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<QuietHours, A::Error> {
        let mut periods = Vec::new();
        while let Some(period) = list.next_element()? {
            if periods.len() == PERIODS_MAX {
                return Err(de::Error::custom(WindowProblem::TooManyPeriods));
            }
            periods.push(period);
        }
        QuietHours::new(periods).map_err(de::Error::custom)
    }
}

impl Serialize for QuietHours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.periods.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_read_in_three_shapes() {
        for (json, printed) in [
            (r#""21:00-09:00""#, "mon-sun 21:00-09:00"),
            (r#"{"days":"sat,sun"}"#, "sat,sun 00:00-24:00"),
            (
                r#"[{"days":"mon-fri","hours":"21:00-09:00"},{"days":"sat,sun","hours":"00:00-24:00"}]"#,
                "mon-fri 21:00-09:00; sat,sun 00:00-24:00",
            ),
        ] {
            let quiet: QuietHours = serde_json::from_str(json).unwrap();
            assert_eq!(quiet.to_string(), printed);
            assert_eq!(
                serde_json::from_str::<QuietHours>(&serde_json::to_string(&quiet).unwrap())
                    .unwrap(),
                quiet
            );
        }
    }

    #[test]
    fn a_refusal_keeps_its_reason() {
        let said = |json: &str| {
            serde_json::from_str::<QuietHours>(json)
                .unwrap_err()
                .to_string()
        };
        assert!(said(r#""9pm-9am""#).contains("write them as 09:00-18:00"));
        assert!(said(r#"{"days":"weekend"}"#).contains("are not weekdays"));
        assert!(said(r#"[{"days":"sun","hour":"1"}]"#).contains("unknown field"));
        assert!(said("[]").contains("no period"));
        assert!(said("7").contains("expected quiet hours"));
    }

    #[test]
    fn quiet_hours_leave_some_time() {
        let windows = |pairs: &[(&str, &str)]| {
            QuietHours::new(
                pairs
                    .iter()
                    .map(|(days, hours)| Window::parse(Some(days), Some(hours)).unwrap())
                    .collect(),
            )
        };
        assert_eq!(
            windows(&[("mon-sun", "00:00-24:00")]),
            Err(WindowProblem::AlwaysQuiet)
        );
        assert_eq!(
            windows(&[("mon-sun", "20:00-10:00,09:00-21:00")]),
            Err(WindowProblem::AlwaysQuiet)
        );
        assert_eq!(
            windows(&[("bd", "00:00-24:00"), ("sat,sun", "00:00-24:00")]),
            Err(WindowProblem::AlwaysQuiet)
        );
        assert!(windows(&[("mon-sat", "00:00-24:00"), ("sun", "00:00-23:59")]).is_ok());
        assert_eq!(windows(&[]), Err(WindowProblem::NoPeriods));
        assert_eq!(
            windows(&[("mon", "01:00-02:00"); PERIODS_MAX + 1]),
            Err(WindowProblem::TooManyPeriods)
        );
    }
}
