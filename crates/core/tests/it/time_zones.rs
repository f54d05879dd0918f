//! Rule R4 against the zone data itself: every clock change of every zone, from 1900 to 2100.
//!
//! The oracle knows only what the data says: from when to when which offset holds. So it shares nothing with the code that
//! reads clocks but the data.

use jiff::civil::{DateTime, Time, date};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use relance_core::time::{
    Calendar, Delay, Zone, date_of, day_bounds, day_number, local_at, next_time_of_day,
};

use crate::time::{SECONDS_1900, SECONDS_2100, ZONES, cases, zone_and_instant};

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// A stretch of time in which one offset holds: `start <= at < end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    start: Timestamp,
    end: Timestamp,
    offset: i32,
}

impl Stretch {
    /// The instant at which a clock with this offset shows `local`, if it lies in the stretch.
    fn shows(&self, local: DateTime) -> Option<Timestamp> {
        let at = universal(local, self.offset);
        (self.start <= at && at < self.end).then_some(at)
    }
}

/// The instant at which a clock `offset` seconds ahead of universal time shows `local`.
fn universal(local: DateTime, offset: i32) -> Timestamp {
    let unshifted = jiff::tz::Offset::UTC.to_timestamp(local).unwrap();
    unshifted - SignedDuration::from_secs(i64::from(offset))
}

/// What the data says of the time from `from` to `to`.
pub(super) fn stretches(zone: &Zone, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
    let mut stretches = vec![Stretch {
        start: from,
        end: to,
        offset: zone.time_zone().to_offset(from).seconds(),
    }];
    for transition in zone.time_zone().following(from) {
        let at = transition.timestamp();
        if at >= to {
            break;
        }
        stretches.last_mut().unwrap().end = at;
        stretches.push(Stretch {
            start: at,
            end: to,
            offset: transition.offset().seconds(),
        });
    }
    stretches
}

/// The rule of [`Zone::at`] as simply as it can be told: the first instant at which the clock shows `local`, else the
/// change at which it jumps over it.
fn expected_at(local: DateTime, zone: &Zone) -> Timestamp {
    let day = SignedDuration::from_hours(50);
    let near = universal(local, 0);
    let around = stretches(zone, near - day, near + day);
    let shown = around
        .iter()
        .filter_map(|stretch| stretch.shows(local))
        .min();
    let jump = || {
        around.windows(2).find_map(|pair| {
            let (before, after) = (pair[0], pair[1]);
            (universal(local, before.offset) >= after.start
                && universal(local, after.offset) < after.start)
                .then_some(after.start)
        })
    };
    shown
        .or_else(jump)
        .expect("a clock shows a time or jumps over it")
}

#[test]
fn every_gap_and_fold_of_every_zone_follows_the_rule() {
    let (from, to) = (
        Timestamp::from_second(SECONDS_1900).unwrap(),
        Timestamp::from_second(SECONDS_2100).unwrap(),
    );
    let (mut gaps, mut folds, mut half_hours) = (0, 0, 0);
    for zone in ZONES.iter() {
        for pair in stretches(zone, from, to).windows(2) {
            let (before, after) = (pair[0], pair[1]);
            let change = after.start;
            if before.offset == after.offset {
                continue;
            }
            let size = SignedDuration::from_secs(i64::from(after.offset - before.offset));
            half_hours += u32::from(size.as_mins().abs() == 30);
            let unchanged = zone.local(change - NANOSECOND);
            if after.offset > before.offset {
                gaps += 1;
                // From the first reading that is skipped to the last.
                let first = unchanged + NANOSECOND;
                for ahead in [SignedDuration::ZERO, size / 2, size - NANOSECOND] {
                    let skipped = first + ahead;
                    assert_eq!(zone.at(skipped), change, "{skipped} in {zone}");
                }
                assert_eq!(zone.at(first + size), change, "{zone} after {change}");
                assert_eq!(
                    zone.at(unchanged),
                    change - NANOSECOND,
                    "{zone} before {change}"
                );
            } else {
                folds += 1;
                let first = zone.local(change);
                for ahead in [SignedDuration::ZERO, -size / 2, -size - NANOSECOND] {
                    let repeated = first + ahead;
                    let earlier = change + size + ahead;
                    assert_eq!(zone.at(repeated), earlier, "{repeated} in {zone}");
                    assert_eq!(zone.local(change + ahead), repeated, "{zone}: comes again");
                }
                assert_eq!(
                    zone.at(first - size),
                    change - size,
                    "{zone} after {change}"
                );
            }
        }
    }
    // Of this release of the data some 31,000 each; far fewer would mean that nothing was looked at.
    assert!(
        gaps > 10_000 && folds > 10_000,
        "{gaps} gaps, {folds} folds"
    );
    assert!(half_hours > 100, "{half_hours} changes by half an hour");
}

#[test]
fn a_day_later_it_is_as_late_over_every_change_of_the_last_and_next_decade() {
    let calendar = Calendar::weekends_only();
    let (from, to) = (
        "2016-01-01T00:00:00Z".parse().unwrap(),
        "2036-01-01T00:00:00Z".parse().unwrap(),
    );
    let mut looked_at = 0;
    for zone in ZONES.iter() {
        for pair in stretches(zone, from, to).windows(2) {
            let change = pair[1].start;
            for hours in [-13, -1, 3] {
                let start = change + SignedDuration::from_hours(hours);
                let expected = zone.local(start) + SignedDuration::from_hours(24);
                let got = Delay::days(1).add(start, zone, &calendar);
                assert_eq!(got, expected_at(expected, zone), "{zone}: {start} + 1d");
                let exact = Delay::hours(24).add(start, zone, &calendar);
                assert_eq!(exact, start + SignedDuration::from_hours(24));
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 10_000, "{looked_at}");
}

#[test]
fn a_leap_day_has_its_moment_in_every_zone() {
    for zone in ZONES.iter() {
        for year in [1904, 1996, 2000, 2024, 2028, 2096] {
            let noon = local_at(date(year, 2, 29), Time::constant(12, 0, 0, 0), zone);
            assert_eq!(
                zone.local(noon),
                date(year, 2, 29).at(12, 0, 0, 0),
                "{zone}"
            );
            let year_later = Delay::days(365).add(noon, zone, &Calendar::weekends_only());
            assert_eq!(
                zone.local(year_later).date(),
                date(year + 1, 2, 28),
                "{zone}"
            );
        }
    }
}

#[test]
fn days_that_a_zone_never_had_have_no_length_and_are_known() {
    let mut missing = Vec::new();
    for zone in ZONES.iter() {
        let (from, to) = (
            Timestamp::from_second(SECONDS_1900).unwrap(),
            Timestamp::from_second(SECONDS_2100).unwrap(),
        );
        for pair in stretches(zone, from, to).windows(2) {
            if pair[1].offset - pair[0].offset < 20 * 3_600 {
                continue;
            }
            let around = day_number(zone.local(pair[1].start).date());
            for day in around - 2..=around + 1 {
                let bounds = day_bounds(day, zone);
                if bounds.start == bounds.end {
                    missing.push(format!("{zone} {}", date_of(day)));
                }
            }
        }
    }
    missing.sort();
    assert_eq!(
        missing,
        [
            "Kwajalein 1993-08-21",
            "Pacific/Apia 2011-12-30",
            "Pacific/Enderbury 1994-12-31",
            "Pacific/Fakaofo 2011-12-30",
            "Pacific/Kanton 1994-12-31",
            "Pacific/Kiritimati 1994-12-31",
            "Pacific/Kwajalein 1993-08-21",
        ]
    );
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn a_clock_reading_is_the_first_instant_that_shows_it_or_the_change_that_skips_it(
        (zone, at) in zone_and_instant(),
        by in -200_000i64..200_000,
    ) {
        let local = zone.local(at) + SignedDuration::from_secs(by);
        prop_assert_eq!(zone.at(local), expected_at(local, &zone), "{} in {}", local, zone);
    }

    #[test]
    fn later_readings_are_never_earlier_instants(
        (zone, at) in zone_and_instant(),
        by in -200_000i64..200_000,
        ahead in 0i64..100_000,
    ) {
        let local = zone.local(at) + SignedDuration::from_secs(by);
        let later = local + SignedDuration::from_secs(ahead);
        prop_assert!(zone.at(local) <= zone.at(later), "{local} and {later} in {zone}");
    }

    #[test]
    fn the_next_time_of_day_is_the_first_from_then_on(
        (zone, after) in zone_and_instant(),
        minute in 0i64..1_440,
    ) {
        let time = Time::constant((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let got = next_time_of_day(time, after, &zone);
        prop_assert!(got >= after);
        let days = || (-1..=3).map(|ahead| date_of(day_number(zone.local(after).date()) + ahead));
        // Nothing before it shows the time.
        for stretch in stretches(&zone, after, after.max(got) + NANOSECOND) {
            for day in days() {
                if let Some(at) = stretch.shows(day.to_datetime(time)) {
                    prop_assert!(at >= got, "{zone} from {after}: {time} already at {at}, not {got}");
                }
            }
        }
        // It shows the time itself, or the clock has just jumped over it.
        let (local, just_before) = (zone.local(got), zone.local(got - NANOSECOND));
        let jumped = || days().any(|day| just_before < day.to_datetime(time) && day.to_datetime(time) < local);
        prop_assert!(local.time() == time || jumped(), "{zone} from {after}: {time} at {got}");
    }
}
