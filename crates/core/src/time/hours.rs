//! Hours of the day, written `09:00-18:00` or `09:00-12:00,13:00-18:00`, also over midnight.
//!
//! **Absent:** on which days they hold; that is [`super::Days`].

use std::fmt;
use std::str::FromStr;

use super::civil::two_digits;
use super::{WindowProblem, quoted, serde_as_text};

/// How many spans a list of hours may have.
pub const SPANS_MAX: usize = 8;

/// Minutes of a day.
pub(super) const DAY_MINUTES: i64 = 1_440;

/// The longest text read as hours.
const TEXT_BYTES_MAX: usize = 128;

/// One or more spans of a day. The start belongs to a span, the end does not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hours {
    /// Sorted by start.
    spans: Vec<Span>,
}

/// Minutes since midnight: `start` on the day itself, `end` at most a day after `start`, so past 24:00 over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub start: i64,
    pub end: i64,
}

impl Hours {
    /// The whole day.
    pub fn all_day() -> Hours {
        Hours {
            spans: vec![Span {
                start: 0,
                end: DAY_MINUTES,
            }],
        }
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }
}

impl FromStr for Hours {
    type Err = WindowProblem;

    fn from_str(text: &str) -> Result<Hours, WindowProblem> {
        let problem = || WindowProblem::Hours { text: quoted(text) };
        if text.len() > TEXT_BYTES_MAX {
            return Err(problem());
        }
        let mut spans = Vec::new();
        for part in text.split(',') {
            let (start, end) = part.split_once(['-', '–']).ok_or_else(problem)?;
            let (start, end) = (
                minutes(start).ok_or_else(problem)?,
                minutes(end).ok_or_else(problem)?,
            );
            if start == end {
                return Err(WindowProblem::EmptyHours { text: quoted(part) });
            }
            if start == DAY_MINUTES {
                return Err(problem());
            }
            if spans.len() == SPANS_MAX {
                return Err(WindowProblem::TooManySpans { text: quoted(text) });
            }
            spans.push(Span {
                start,
                end: if end > start { end } else { end + DAY_MINUTES },
            });
        }
        spans.sort_unstable();
        Ok(Hours { spans })
    }
}

/// `HH:MM` in minutes since midnight, up to 24:00.
fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute) = (i64::from(two_digits(hour)?), i64::from(two_digits(minute)?));
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for Span { start, end } in &self.spans {
            let end = if *end > DAY_MINUTES {
                end - DAY_MINUTES
            } else {
                *end
            };
            write!(
                f,
                "{separator}{:02}:{:02}-{:02}:{:02}",
                start / 60,
                start % 60,
                end / 60,
                end % 60
            )?;
            separator = ",";
        }
        Ok(())
    }
}

serde_as_text!(Hours, "hours such as 09:00-18:00");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_read_and_print() {
        for (text, printed) in [
            ("09:00-18:00", "09:00-18:00"),
            ("9:00 - 18:00", "09:00-18:00"),
            ("22:00-06:00", "22:00-06:00"),
            ("00:00-24:00", "00:00-24:00"),
            ("18:00-24:00", "18:00-24:00"),
            ("18:00-00:00", "18:00-24:00"),
            ("13:00-18:00, 09:00-12:00", "09:00-12:00,13:00-18:00"),
        ] {
            assert_eq!(
                text.parse::<Hours>().unwrap().to_string(),
                printed,
                "{text}"
            );
        }
    }

    #[test]
    fn a_refusal_names_the_text_and_the_remedy() {
        let said = |text: &str| text.parse::<Hours>().unwrap_err().to_string();
        for text in [
            "",
            "9-18",
            "09:00",
            "09:00-25:00",
            "24:00-06:00",
            "09:60-10:00",
            "09:00-18:00,",
            "24:01-01:00",
        ] {
            assert!(
                said(text).contains("write them as 09:00-18:00"),
                "{text}: {}",
                said(text)
            );
        }
        assert!(said("09:00-09:00").contains("00:00-24:00"));
        assert!(said("00:00-01:00,".repeat(9).trim_end_matches(',')).contains("at most 8"));
        assert!(said(&"x".repeat(1_000_000)).len() < 200);
    }
}
