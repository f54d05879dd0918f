//! A contact's time zone, looked up once and cheap to clone.
//!
//! A [`Zone`] holds the parsed zone data, so nothing after [`Zone::parse`] looks anything up by name. This is the only
//! place that turns a clock reading into an instant.
//!
//! **Absent:** the system's zone and the system's zone data; both would make a result depend on the machine.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use thiserror::Error;

use super::spans::{Kept, OFFSETS_DIFFER_MAX, Spans, UNIVERSAL, kept_at, spans_of};
use super::{quoted, serde_as_text};

/// The longest zone name that is looked up; the longest real one has 32 bytes.
const NAME_BYTES_MAX: usize = 64;

const SECONDS_PER_DAY: i64 = 86_400;

/// How many transitions are looked at to find the one that made a gap; more than one only where zone data has
/// transitions that leave the offset unchanged.
const GAP_TRANSITIONS_MAX: usize = 4;

/// Names in zone data that mean "nobody has chosen yet".
const PLACEHOLDERS: [&str; 2] = ["Etc/Unknown", "Factory"];

/// Names people write that are no zone names, and the zone they mean most often.
const COMMON_MISTAKES: [(&str, &str); 16] = [
    ("bst", "Europe/London"),
    ("cst", "America/Chicago"),
    ("edt", "America/New_York"),
    ("gmt+3", "Europe/Moscow"),
    ("ist", "Asia/Kolkata"),
    ("jst", "Asia/Tokyo"),
    ("msk", "Europe/Moscow"),
    ("msk+2", "Asia/Yekaterinburg"),
    ("pdt", "America/Los_Angeles"),
    ("pst", "America/Los_Angeles"),
    ("utc+1", "Europe/Berlin"),
    ("utc+2", "Europe/Berlin"),
    ("utc+3", "Europe/Moscow"),
    ("utc+9", "Asia/Tokyo"),
    ("saint petersburg", "Europe/Moscow"),
    ("z", "UTC"),
];

/// An IANA time zone with its bundled data.
///
/// Equal when the names are equal. A clone is a reference count.
#[derive(Clone)]
pub struct Zone {
    tz: TimeZone,
    /// What it keeps when, for quick looks.
    spans: Spans,
}

/// Why a text is no time zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZoneProblem {
    #[error("time zone is empty; write an IANA name such as Europe/Moscow")]
    Empty,
    // The search for a near name costs more than the failed look-up, so it runs only when somebody reads the message.
    #[error("time zone {:?} is unknown; {}", quoted(.name), advice(.name))]
    Unknown { name: String },
}

/// What a clock reading means in a zone.
enum Reading {
    Once(Timestamp),
    /// The clock never shows it; this is the first instant after the gap.
    Skipped(Timestamp),
    Twice {
        first: Timestamp,
        second: Timestamp,
    },
}

impl Zone {
    /// Looks the zone up in the bundled data, without regard to ASCII case.
    pub fn parse(name: &str) -> Result<Zone, ZoneProblem> {
        let name = name.trim();
        if name.is_empty() {
            return Err(ZoneProblem::Empty);
        }
        let unknown = || ZoneProblem::Unknown { name: quoted(name) };
        if name.len() > NAME_BYTES_MAX {
            return Err(unknown());
        }
        let tz = TimeZoneDatabase::bundled()
            .get(name)
            .map_err(|_| unknown())?;
        match tz.iana_name() {
            Some(found) if !PLACEHOLDERS.contains(&found) => Ok(Zone {
                spans: spans_of(&tz),
                tz,
            }),
            Some(_) | None => Err(unknown()),
        }
    }

    /// Universal time.
    pub const fn utc() -> Zone {
        Zone {
            tz: TimeZone::UTC,
            spans: &UNIVERSAL,
        }
    }

    /// The name as the zone data spells it.
    pub fn name(&self) -> &str {
        self.tz.iana_name().unwrap_or("UTC")
    }

    pub fn time_zone(&self) -> &TimeZone {
        &self.tz
    }

    /// Every name that [`Zone::parse`] accepts, in the spelling of the zone data.
    pub fn names() -> Vec<String> {
        let database = TimeZoneDatabase::bundled();
        let names = database.available().map(|name| name.as_str().to_owned());
        names
            .filter(|name| !PLACEHOLDERS.contains(&name.as_str()))
            .collect()
    }

    /// What a wall clock in the zone shows at `at`.
    pub fn local(&self, at: Timestamp) -> DateTime {
        let known = kept_at(self.spans, at.as_second());
        match known.and_then(|kept| Offset::from_seconds(kept.offset).ok()) {
            Some(offset) => offset.to_datetime(at),
            None => self.tz.to_datetime(at),
        }
    }

    /// The offset at a second, and how long it is kept round it, where that is known without looking far.
    pub(super) fn kept_at(&self, second: i64) -> Option<Kept> {
        kept_at(self.spans, second)
    }

    /// The instant at which the clock shows what it shows at `from`, so many days later or, below none, earlier;
    /// where no change of the clock is near that instant. It is what [`Zone::at`] says of that reading.
    pub(super) fn days_away(&self, from: Timestamp, days: i32) -> Option<Timestamp> {
        let second = from.as_second();
        let here = self.kept_at(second)?;
        let about = second + i64::from(days) * SECONDS_PER_DAY;
        let there = self.kept_at(about)?;
        if !there.round(about, OFFSETS_DIFFER_MAX, OFFSETS_DIFFER_MAX) {
            return None;
        }
        let second = about + i64::from(here.offset) - i64::from(there.offset);
        Timestamp::new(second, from.subsec_nanosecond()).ok()
    }

    /// The instant at which a wall clock in the zone shows `local`: the earlier one when it does so twice, the first
    /// instant after the gap when it never does. Saturates at the ends of the timeline.
    pub fn at(&self, local: DateTime) -> Timestamp {
        match self.read(local) {
            Reading::Once(at) | Reading::Skipped(at) | Reading::Twice { first: at, .. } => at,
        }
    }

    /// `at` in RFC 3339 with the zone's offset, as people and programs outside read it.
    pub fn rfc3339(&self, at: Timestamp) -> impl fmt::Display {
        at.display_with_offset(self.tz.to_offset(at))
    }

    /// As [`Zone::at`], but the earliest such instant after `after`, for a caller who already stands in a repeated hour.
    pub(super) fn at_after(&self, local: DateTime, after: Timestamp) -> Timestamp {
        match self.read(local) {
            Reading::Once(at) | Reading::Skipped(at) => at,
            Reading::Twice { first, second } => {
                if first > after {
                    first
                } else {
                    second
                }
            }
        }
    }

    /// The first instant at or after `from` at which the clock shows `local`, or passes over it; `None` when it has done
    /// so for the last time.
    pub(super) fn at_from(&self, local: DateTime, from: Timestamp) -> Option<Timestamp> {
        match self.read(local) {
            Reading::Once(at) | Reading::Skipped(at) => Some(at),
            Reading::Twice { first, second } => Some(if first >= from { first } else { second }),
        }
        .filter(|at| *at >= from)
    }

    /// Whether the zone never had that date, as Samoa had no 30 December 2011.
    pub(super) fn skips(&self, date: Date) -> bool {
        date.tomorrow().is_ok_and(|next| {
            local_at(date, Time::midnight(), self) == local_at(next, Time::midnight(), self)
        })
    }

    /// The first instant in `(from, to)` at which the offset differs from that at `from`.
    ///
    /// `from` and `to` must lie at most a day apart: zone data has no two opposite changes within a day, so the usual
    /// answer, none, needs no search.
    pub(super) fn offset_change_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Option<Timestamp> {
        let offset = self.tz.to_offset(from);
        if self.tz.to_offset(to) == offset {
            return None;
        }
        self.tz
            .following(from)
            .take(GAP_TRANSITIONS_MAX)
            .find(|transition| transition.offset() != offset)
            .map(|transition| transition.timestamp())
            .filter(|at| *at < to)
    }

    fn read(&self, local: DateTime) -> Reading {
        // Far from any change of the clock only one offset can be meant.
        if let Ok(about) = Offset::UTC.to_timestamp(local)
            && let Some(kept) = self.kept_at(about.as_second())
            && kept.round(about.as_second(), OFFSETS_DIFFER_MAX, OFFSETS_DIFFER_MAX)
            && let Ok(offset) = Offset::from_seconds(kept.offset)
        {
            return Reading::Once(instant(offset, local));
        }
        match self.tz.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Reading::Once(instant(offset, local)),
            AmbiguousOffset::Fold { before, after } => Reading::Twice {
                first: instant(before, local),
                second: instant(after, local),
            },
            AmbiguousOffset::Gap { before, after } => {
                // Read with the later offset, the skipped clock time lies before the change; with the earlier, after it.
                let (early, late) = (instant(after, local), instant(before, local));
                let change = self
                    .tz
                    .following(early)
                    .take(GAP_TRANSITIONS_MAX)
                    .find(|transition| transition.offset() == after)
                    .map(|transition| transition.timestamp())
                    .filter(|change| *change <= late);
                Reading::Skipped(change.unwrap_or(late))
            }
        }
    }
}

/// The instant at which a wall clock in `zone` shows `date` and `time`; see [`Zone::at`].
pub fn local_at(date: Date, time: Time, zone: &Zone) -> Timestamp {
    zone.at(date.to_datetime(time))
}

fn instant(offset: Offset, local: DateTime) -> Timestamp {
    offset.to_timestamp(local).unwrap_or(if local.year() > 0 {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    })
}

/// What to write instead of an unknown zone name.
fn advice(name: &str) -> String {
    match nearest(name) {
        Some(near) => format!("did you mean {near}?"),
        None => "write an IANA name such as Europe/Moscow".to_owned(),
    }
}

/// A known zone whose name, or last part of it ("Moscow"), is what was written or one or two slips away from it.
fn nearest(name: &str) -> Option<String> {
    let wanted = name.to_ascii_lowercase();
    if let Some((_, zone)) = COMMON_MISTAKES
        .iter()
        .find(|(mistake, _)| *mistake == wanted)
    {
        return Some((*zone).to_owned());
    }
    let wanted = wanted.replace(' ', "_");
    let allowed = if wanted.len() < 6 { 1 } else { 2 };
    let mut best: Option<(usize, String)> = None;
    for candidate in Zone::names() {
        let lower = candidate.to_ascii_lowercase();
        let city = lower.rsplit('/').next().unwrap_or(&lower);
        // A difference in length is as many slips, so most names need no closer look.
        let near = [lower.as_str(), city]
            .into_iter()
            .filter(|name| name.len().abs_diff(wanted.len()) <= allowed)
            .map(|name| slips(&wanted, name))
            .min();
        if let Some(slips) = near
            && slips <= allowed
            && best.as_ref().is_none_or(|(least, _)| slips < *least)
        {
            best = Some((slips, candidate));
        }
    }
    best.map(|(_, name)| name)
}

/// Levenshtein distance in bytes; both sides are bounded by [`NAME_BYTES_MAX`].
fn slips(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = ZoneProblem;

    fn from_str(name: &str) -> Result<Zone, ZoneProblem> {
        Zone::parse(name)
    }
}

serde_as_text!(Zone, "an IANA time zone name such as Europe/Moscow");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_spelled_as_the_data_does() {
        assert_eq!(
            Zone::parse(" europe/moscow ").unwrap().name(),
            "Europe/Moscow"
        );
        assert_eq!(Zone::parse("utc").unwrap(), Zone::utc());
        let names = Zone::names();
        assert!(names.len() > 500);
        assert!(
            names
                .iter()
                .all(|name| Zone::parse(name).is_ok_and(|zone| zone.name() == name))
        );
    }

    #[test]
    fn an_unknown_zone_is_named_with_a_suggestion() {
        let said = |name: &str| Zone::parse(name).unwrap_err().to_string();
        assert_eq!(
            said("Europe/Mosow"),
            "time zone \"Europe/Mosow\" is unknown; did you mean Europe/Moscow?"
        );
        assert_eq!(
            said("tokyo"),
            "time zone \"tokyo\" is unknown; did you mean Asia/Tokyo?"
        );
        assert_eq!(
            said("MSK"),
            "time zone \"MSK\" is unknown; did you mean Europe/Moscow?"
        );
        assert_eq!(
            said("New York"),
            "time zone \"New York\" is unknown; did you mean America/New_York?"
        );
        assert_eq!(
            said("Mars/Olympus"),
            "time zone \"Mars/Olympus\" is unknown; write an IANA name such as Europe/Moscow"
        );
        assert_eq!(
            said(" "),
            "time zone is empty; write an IANA name such as Europe/Moscow"
        );
        assert!(said("Etc/Unknown").contains("unknown"));
        assert!(said("Factory").contains("unknown"));
        assert!(said(&"é".repeat(10_000)).len() < 200);
    }

    #[test]
    fn a_zone_is_its_name_in_json() {
        let zone: Zone = serde_json::from_str("\"asia/tokyo\"").unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Tokyo\"");
        assert!(
            serde_json::from_str::<Zone>("\"Nowhere\"")
                .unwrap_err()
                .to_string()
                .contains("Nowhere")
        );
    }
}
