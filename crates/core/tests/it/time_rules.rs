//! Date triggers, recurring broadcasts and the best hour as tables of stories; what else the rules promise together.
//!
//! Their properties over all zones are in `time_dates.rs` and `time_broadcasts.rs`.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use relance_core::time::{
    Calendar, DateRule, Offset, Recurrence, SIGNS_MIN, Zone, best_hour, day_bounds, day_number,
    next_best_hour, next_time_of_day, parse_time_of_day,
};
use relance_core::value::Value;
use serde_json::json;

use crate::time::{cases, story_calendar, zone, zone_and_instant};
use crate::time_dates::away;

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

fn instant(text: &str, zone: &Zone) -> Timestamp {
    text.parse()
        .unwrap_or_else(|_| zone.at(text.parse::<DateTime>().expect(text)))
}

pub(super) fn rule(offset: &str, at: &str, yearly: bool) -> DateRule {
    DateRule {
        offset: (offset != "-").then(|| offset.parse().unwrap()),
        at: (at != "-").then(|| parse_time_of_day(at).unwrap()),
        yearly,
    }
}

/// Runs a table of stories, one a line: `AFTER ZONE VERB ARGUMENTS -> EXPECTED`, a hyphen for what is not given.
///
/// Verbs: `date VALUE OFFSET AT`, `yearly VALUE OFFSET AT`, `days DAYS AT WEEKS`, `once DATE AT`. Several expected
/// moments are those that follow one another.
#[track_caller]
fn check(table: &str) {
    let calendar = story_calendar();
    let mut wrong = Vec::new();
    for line in table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (story, expected) = line.split_once("->").unwrap();
        let expected: Vec<&str> = expected.split_whitespace().collect();
        let words: Vec<&str> = story.split_whitespace().collect();
        let zone = Zone::parse(words[1]).unwrap();
        let next = |after: Timestamp| match words[2..] {
            [verb @ ("date" | "yearly"), value, offset, at] => {
                let value = value
                    .parse::<i64>()
                    .map_or(json!(value), |number| json!(number));
                rule(offset, at, verb == "yearly").next(&value, after, &zone, &calendar)
            }
            ["days", days, at, weeks] => {
                Recurrence::parse(Some(days), at, weeks.parse().ok(), None)
                    .unwrap()
                    .next(after, &zone)
            }
            ["once", date, at] => Recurrence::parse(None, at, None, Some(date))
                .unwrap()
                .next(after, &zone),
            ref other => panic!("unknown story {other:?}"),
        };
        let mut after = instant(words[0], &zone);
        let mut got = Vec::new();
        for _ in &expected {
            let Some(at) = next(after) else {
                got.push("never".to_owned());
                break;
            };
            got.push(zone.rfc3339(at).to_string());
            after = at;
        }
        if got != expected {
            wrong.push(format!("{line}\n    got {}", got.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_date_in_the_data_has_one_moment() {
    check(
        "
        2026-03-01T00:00 Europe/Moscow date 2026-04-10 - - -> 2026-04-10T09:00:00+03:00 never
        2026-03-01T00:00 Europe/Moscow date 2026-04-10 -3d 10:30 -> 2026-04-07T10:30:00+03:00 never
        2026-04-07T10:30 Europe/Moscow date 2026-04-10 -3d 10:30 -> never
        2026-03-01T00:00 Europe/Moscow date 2026-04-10 -2h - -> 2026-04-10T07:00:00+03:00
        # a date with a time keeps it, unless the rule has its own
        2026-03-01T00:00 Europe/Moscow date 2026-04-10T20:15:00Z - - -> 2026-04-10T23:15:00+03:00
        2026-03-01T00:00 Europe/Moscow date 2026-04-10T22:15:00Z -1d 09:00 -> 2026-04-10T09:00:00+03:00
        2026-03-01T00:00 Asia/Tokyo date 1775859300 - - -> 2026-04-11T07:15:00+09:00
        # the trial ends on a Sunday; the working day before it
        2026-03-01T00:00 Europe/Moscow date 2026-03-15 -1bd - -> 2026-03-13T09:00:00+03:00
        2026-03-01T00:00 Europe/Moscow date 2026-03-10 -1bd - -> 2026-03-06T09:00:00+03:00
        # summer time between the offset and the date
        2026-03-01T00:00 Europe/Berlin date 2026-03-29 -1d 09:00 -> 2026-03-28T09:00:00+01:00
        2026-03-01T00:00 Europe/Berlin date 2026-03-29T01:00:00Z -24h - -> 2026-03-28T02:00:00+01:00
        2026-03-01T00:00 Europe/Berlin date 1990-02-29 - - -> never
        2026-03-01T00:00 Europe/Berlin date 04-10 - - -> never
        ",
    );
}

#[test]
fn a_birthday_comes_every_year_and_its_offset_over_the_turn_of_the_year_too() {
    check(
        "
        2026-03-01T00:00 Europe/Moscow yearly 1990-05-12 - - -> 2026-05-12T09:00:00+03:00 2027-05-12T09:00:00+03:00
        2026-05-12T09:00 Europe/Moscow yearly 05-12 - - -> 2027-05-12T09:00:00+03:00
        # 29 February
        2026-03-01T00:00 Asia/Tokyo yearly 2024-02-29 - 10:00 -> 2027-02-28T10:00:00+09:00 2028-02-29T10:00:00+09:00 2029-02-28T10:00:00+09:00
        2026-03-01T09:00 Asia/Tokyo yearly 2024-02-29 +1d - -> 2027-03-01T09:00:00+09:00 2028-03-01T09:00:00+09:00
        2026-03-01T00:00 Asia/Tokyo yearly 02-29 -1y - -> 2027-02-28T09:00:00+09:00 2028-02-28T09:00:00+09:00
        # before New Year, and after it
        2026-12-25T00:00 Asia/Tokyo yearly 01-01 -3d - -> 2026-12-29T09:00:00+09:00 2027-12-29T09:00:00+09:00
        2026-12-29T09:00 Asia/Tokyo yearly 01-01 -3d - -> 2027-12-29T09:00:00+09:00
        2026-12-31T23:59 Asia/Tokyo yearly 12-31 +1d 00:00 -> 2027-01-01T00:00:00+09:00 2028-01-01T00:00:00+09:00
        2026-01-01T00:00 Asia/Tokyo yearly 12-31 +1d 00:00 -> 2027-01-01T00:00:00+09:00
        2026-01-01T00:00 Asia/Tokyo yearly 01-01 -9h - -> 2027-01-01T00:00:00+09:00
        2025-12-31T12:00 Asia/Tokyo yearly 01-01 -10h - -> 2025-12-31T23:00:00+09:00 2026-12-31T23:00:00+09:00
        # in the story's calendar New Year's first working day is 12 January 2026
        2025-12-31T12:00 Europe/Moscow yearly 12-31 +1bd - -> 2026-01-12T09:00:00+03:00 2027-01-04T09:00:00+03:00
        2025-12-29T12:00 Europe/Moscow yearly 01-01 -1bd - -> 2025-12-30T09:00:00+03:00 2026-12-31T09:00:00+03:00
        # an hour that the clock skips on that day only
        2025-06-01T00:00 Europe/Berlin yearly 1990-03-29T02:30 - - -> 2026-03-29T03:00:00+02:00 2027-03-29T02:30:00+02:00
        # a moment is its local date and time
        2026-03-01T00:00 Asia/Tokyo yearly 1990-05-12T20:00:00Z - - -> 2026-05-13T05:00:00+09:00
        2026-03-01T00:00 America/New_York yearly 1990-05-12T02:00:00Z - 09:00 -> 2026-05-11T09:00:00-04:00
        # days that the zone never had
        2011-06-01T00:00 Pacific/Apia yearly 12-30 - - -> 2011-12-31T00:00:00+14:00 2012-12-30T09:00:00+14:00
        1993-06-01T00:00 Pacific/Kwajalein yearly 08-21 - - -> 1993-08-22T00:00:00+12:00 1994-08-21T09:00:00+12:00
        2011-06-01T00:00 Pacific/Apia yearly 12-30 +1d - -> 2011-12-31T09:00:00+14:00
        2026-03-01T00:00 Europe/Moscow yearly 2023-02-29 - - -> never
        ",
    );
}

#[test]
fn broadcasts_come_round_by_the_contacts_clock() {
    check(
        "
        2026-03-10T10:00 Europe/Moscow days tue 10:00 - -> 2026-03-17T10:00:00+03:00 2026-03-24T10:00:00+03:00
        2026-03-13T10:00 Europe/Moscow days mon-fri 09:00 - -> 2026-03-16T09:00:00+03:00
        2026-01-31T10:00 Europe/Moscow days 1,last 09:00 - -> 2026-02-01T09:00:00+03:00 2026-02-28T09:00:00+03:00 2026-03-01T09:00:00+03:00
        2026-01-31T10:00 Europe/Moscow days 30 09:00 - -> 2026-02-28T09:00:00+03:00 2026-03-30T09:00:00+03:00
        # the weeks of all contacts are the same
        2026-03-10T10:00 Asia/Tokyo days tue 10:00 2 -> 2026-03-17T10:00:00+09:00 2026-03-31T10:00:00+09:00
        2026-03-17T10:00 America/New_York days tue 10:00 2 -> 2026-03-31T10:00:00-04:00
        # skipped, repeated, half an hour, at midnight
        2026-03-28T12:00 Europe/Berlin days mon-sun 02:30 - -> 2026-03-29T03:00:00+02:00 2026-03-30T02:30:00+02:00
        2026-10-24T12:00 Europe/Berlin days mon-sun 02:30 - -> 2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00
        2026-10-03T12:00 Australia/Lord_Howe days mon-sun 02:15 - -> 2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00
        2024-03-29T23:30 America/Nuuk days mon-sun 23:30 - -> 2024-03-31T00:00:00-01:00 2024-03-31T23:30:00-01:00
        # a date that never was is left out
        2011-12-29T08:00 Pacific/Apia days mon-sun 09:00 - -> 2011-12-29T09:00:00-10:00 2011-12-31T09:00:00+14:00
        2011-12-29T08:00 Pacific/Apia days fri 09:00 - -> 2012-01-06T09:00:00+14:00
        1993-08-20T08:00 Kwajalein days mon-sun 00:00 - -> 1993-08-22T00:00:00+12:00 1993-08-23T00:00:00+12:00
        # but not when it is the only one
        2011-12-29T08:00 Pacific/Apia once 2011-12-30 09:00 -> 2011-12-31T00:00:00+14:00 never
        2026-03-01T00:00 Europe/Moscow once 2026-12-01 10:00 -> 2026-12-01T10:00:00+03:00 never
        2026-12-01T10:00 Europe/Moscow once 2026-12-01 10:00 -> never
        ",
    );
}

pub(super) fn exists(date: Date, zone: &Zone) -> bool {
    let bounds = day_bounds(day_number(date), zone);
    bounds.start < bounds.end
}

/// A date round which years turn, or any other.
pub(super) fn dates() -> impl Strategy<Value = Date> {
    prop_oneof![
        (
            1900i16..2100,
            prop::sample::select(vec![
                (12, 31),
                (12, 30),
                (1, 1),
                (1, 2),
                (2, 28),
                (3, 1),
                (12, 21)
            ])
        )
            .prop_map(|(year, (month, day))| date(year, month, day)),
        (475i16..525).prop_map(|quarter| date(
            quarter * 4,
            2,
            if quarter * 4 == 1900 { 28 } else { 29 }
        )),
        (1900i16..2100, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| date(year, month, day)),
    ]
}

pub(super) fn times() -> impl Strategy<Value = Time> {
    (0i8..24, 0i8..60).prop_map(|(hour, minute)| Time::constant(hour, minute, 0, 0))
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn the_best_hour_has_the_most_signs_round_it(
        zone in zone(),
        // As many minutes from a moment of 2026, on some days.
        signs in prop::collection::vec((0i64..20, 0i64..1_440), 0..40),
        fallback in times(),
        later in 0i64..100_000,
    ) {
        let start: Timestamp = "2026-03-20T00:00:00Z".parse().unwrap();
        let signs: Vec<Timestamp> = signs
            .iter()
            .map(|(day, minute)| start + SignedDuration::from_mins(day * 1_440 + minute))
            .collect();
        let mut at = [0; 24];
        for sign in &signs {
            at[zone.local(*sign).hour() as usize] += 1;
        }
        let weight = |hour: i8| {
            let hour = hour as usize;
            2 * at[hour] + at[(hour + 1) % 24] + at[(hour + 23) % 24]
        };
        let after = start + SignedDuration::from_mins(later);
        let next = next_best_hour(signs.iter().copied(), fallback, after, &zone);
        prop_assert!(next >= after);
        prop_assert!(next.duration_since(after).as_hours() <= 25);
        match best_hour(signs.iter().copied(), &zone) {
            Some(best) => {
                prop_assert!(signs.len() >= SIGNS_MIN);
                for hour in 0..24 {
                    prop_assert!(weight(hour) < weight(best) || (weight(hour) == weight(best) && hour >= best));
                }
                // In the hour, from its beginning unless it is now; or spring's gap has swallowed it.
                let (local, just_before) = (zone.local(next), zone.local(next - NANOSECOND));
                let skipped = || {
                    [local.date().yesterday().unwrap(), local.date()]
                        .map(|date| date.at(best, 0, 0, 0))
                        .iter()
                        .any(|hour| just_before < *hour && *hour < local)
                };
                let begins = next == after || local.time() == Time::constant(best, 0, 0, 0);
                prop_assert!((local.hour() == best && begins) || skipped(), "{best} but {local} in {zone}");
            }
            None => {
                prop_assert!(signs.len() < SIGNS_MIN);
                prop_assert_eq!(next, next_time_of_day(fallback, after, &zone));
            }
        }
    }

    #[test]
    fn no_value_and_no_text_makes_a_rule_panic(
        text in prop_oneof!["\\PC{0,60}", "-?[0-9]{0,6}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9:.]{0,12}(Z|[+-][0-9:]{1,6})?)?", "--?[0-9]{2}-[0-9]{2}"],
        number in any::<i64>(),
        fraction in any::<f64>(),
        (zone, after) in zone_and_instant(),
        away in away(),
        yearly in any::<bool>(),
    ) {
        let rule = DateRule { offset: away.offset(), at: None, yearly };
        let calendar = Calendar::weekends_only();
        for value in [json!(text), json!(number), json!(fraction), Value::Null] {
            for after in [after, Timestamp::MIN, Timestamp::MAX] {
                let next = rule.next(&value, after, &zone, &calendar);
                prop_assert!(next.is_none_or(|at| at > after), "{value}");
            }
        }
        if let Ok(offset) = text.parse::<Offset>() {
            prop_assert_eq!(offset.to_string().parse::<Offset>().unwrap(), offset);
        }
        for (days, once) in [(Some(text.as_str()), None), (None, Some(text.as_str()))] {
            if let Ok(recurrence) = Recurrence::parse(days, "09:00", None, once) {
                prop_assert!(recurrence.next(after, &zone).is_none_or(|at| at > after));
            }
        }
    }
}
