//! When a zone keeps which offset, as a table: most questions about civil time concern a moment far from any
//! change of the clock, and there a look into a sorted list answers what takes the zone's rules a while.
//!
//! **Invariant:** the table says what the zone data says, or nothing. **Absent:** moments outside of
//! the years 1970 to 2099, and readings near a change of the clock, which the zone data answers itself.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Years of which offsets are kept, 1970 to 2099, in seconds: 4 KB a zone that changes its clocks twice a year.
const BEGINS: i64 = 0;
const ENDS: i64 = 4_102_444_800;
/// No two offsets of any zone differ by more, with room: zone data allows 26 hours at either side.
pub(super) const OFFSETS_DIFFER_MAX: i64 = 52 * 3_600;

/// From this second on the zone keeps this offset, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    begins: i64,
    offset: i32,
}

/// A table of spans, in order.
pub(super) type Spans = &'static [Span];

/// The table of universal time.
pub(super) static UNIVERSAL: [Span; 1] = [Span {
    begins: BEGINS,
    offset: 0,
}];

/// An offset, and from which second up to which it is kept at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) offset: i32,
    pub(super) begins: i64,
    pub(super) ends: i64,
}

impl Kept {
    /// Whether it is kept so long before a second, and so long after it.
    pub(super) fn round(&self, second: i64, before: i64, after: i64) -> bool {
        self.begins <= second - before && second + after < self.ends
    }
}

/// What a zone keeps at a second.
pub(super) fn kept_at(spans: Spans, second: i64) -> Option<Kept> {
    if !(BEGINS..ENDS).contains(&second) {
        return None;
    }
    let next = spans.partition_point(|span| span.begins <= second);
    let span = spans.get(next.checked_sub(1)?)?;
    Some(Kept {
        offset: span.offset,
        begins: span.begins,
        ends: spans.get(next).map_or(ENDS, |next| next.begins),
    })
}

/// The table of a zone: made at the first question, and kept as long as the program runs. There are no more than
/// zones in the data.
pub(super) fn spans_of(tz: &TimeZone) -> Spans {
    static KNOWN: RwLock<BTreeMap<String, Spans>> = RwLock::new(BTreeMap::new());
    let Some(name) = tz.iana_name() else {
        return &[];
    };
    if *tz == TimeZone::UTC {
        return &UNIVERSAL;
    }
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(spans) = known.get(name) {
        return spans;
    }
    drop(known);
    let spans: Spans = Vec::leak(made_of(tz));
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert(spans)
}

fn made_of(tz: &TimeZone) -> Vec<Span> {
    let Ok(from) = Timestamp::from_second(BEGINS) else {
        return Vec::new();
    };
    let mut spans = vec![Span {
        begins: BEGINS,
        offset: tz.to_offset(from).seconds(),
    }];
    for change in tz.following(from) {
        let begins = change.timestamp().as_second();
        if begins >= ENDS {
            break;
        }
        spans.push(Span {
            begins,
            offset: change.offset().seconds(),
        });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Zone;

    #[test]
    fn the_table_says_what_the_zone_says() {
        for name in Zone::names() {
            let zone = Zone::parse(&name).unwrap();
            let tz = zone.time_zone();
            let spans = spans_of(tz);
            assert!(!spans.is_empty(), "{name}");
            let ends: Vec<i64> = spans.iter().map(|span| span.begins).collect();
            let round = ends.iter().flat_map(|at| [at - 1, *at, at + 1]);
            let between = (0..400).map(|n| n * (ENDS / 400) + 12_345);
            for second in round.chain(between) {
                let Some(kept) = kept_at(spans, second) else {
                    assert!(!(BEGINS..ENDS).contains(&second));
                    continue;
                };
                let at = Timestamp::from_second(second).unwrap();
                assert_eq!(kept.offset, tz.to_offset(at).seconds(), "{name} {at}");
                assert!((kept.begins..kept.ends).contains(&second));
            }
        }
    }

    #[test]
    fn outside_of_its_years_the_table_says_nothing() {
        assert_eq!(kept_at(&UNIVERSAL, BEGINS - 1), None);
        assert_eq!(kept_at(&UNIVERSAL, ENDS), None);
        assert_eq!(kept_at(&[], 1), None);
        let first = |year| jiff::civil::date(year, 1, 1).at(0, 0, 0, 0);
        let second = |year| {
            let at = jiff::tz::Offset::UTC.to_timestamp(first(year)).unwrap();
            at.as_second()
        };
        assert_eq!((second(1970), second(2100)), (BEGINS, ENDS));
    }
}
