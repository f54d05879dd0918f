//! Moments of dates in the data: properties over all zones and calendars.
//!
//! The oracle counts dates with the library's own calendar arithmetic, year by year; of the code under test it uses
//! [`Zone::at`] alone, which has its own tests.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};
use proptest::prelude::*;
use relance_core::time::{Calendar, DATE_TIME_DEFAULT, DateRule, MonthDay, Offset, Zone};
use serde_json::json;

use crate::time::{calendar, cases, story_calendar, zone_and_instant};
use crate::time_rules::{dates, exists, rule, times};

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

#[test]
fn nothing_is_skipped_or_doubled_round_the_turn_of_the_year() {
    const YEARS: i16 = 12;
    let calendar = story_calendar();
    let offsets = [
        "0d", "-1d", "1d", "-3d", "3d", "-2w", "2w", "-1mo", "1mo", "-11mo", "11mo", "-1y", "1y",
        "-10y", "10y", "-400d", "400d", "-0bd", "0bd", "-1bd", "1bd", "-10bd", "10bd", "-2h",
        "36h", "-1d12h", "1y1d1h",
    ];
    for name in [
        "UTC",
        "Europe/Berlin",
        "Pacific/Apia",
        "Pacific/Auckland",
        "America/New_York",
    ] {
        let zone = Zone::parse(name).unwrap();
        for day in ["01-01", "12-31", "02-29", "02-28", "03-01", "06-15"] {
            let month_day: MonthDay = day.parse().unwrap();
            for (offset, time) in offsets
                .iter()
                .flat_map(|offset| ["00:00", "09:00", "23:59"].map(|time| (*offset, time)))
            {
                let rule = rule(offset, time, true);
                let value = json!(day);
                // What the rule without its `yearly` gives for the day of each year, one by one.
                let single = DateRule {
                    yearly: false,
                    ..rule
                };
                let occurrences: Vec<Timestamp> = (2008..2008 + YEARS)
                    .map(|year| {
                        let value = json!(month_day.in_year(year).to_string());
                        single.moment(&value, &zone, &calendar).unwrap()
                    })
                    .collect();
                let mut at = occurrences[0] - NANOSECOND;
                for occurrence in &occurrences {
                    let next = rule.next(&value, at, &zone, &calendar);
                    assert_eq!(
                        next,
                        Some(*occurrence),
                        "{day} {offset} {time} in {zone} after {at}"
                    );
                    let just_before = rule.next(&value, *occurrence - NANOSECOND, &zone, &calendar);
                    assert_eq!(
                        just_before, next,
                        "{day} {offset} {time} in {zone} just before"
                    );
                    at = *occurrence;
                }
            }
        }
    }
}

#[test]
fn the_longest_offsets_in_working_days_lose_no_year() {
    let (zone, calendar) = (Zone::parse("Europe/Moscow").unwrap(), story_calendar());
    for offset in ["2600bd", "-2600bd"] {
        let mut at: Timestamp = "2020-06-01T00:00:00Z".parse().unwrap();
        let mut years = Vec::new();
        for _ in 0..6 {
            at = rule(offset, "-", true)
                .next(&json!("05-12"), at, &zone, &calendar)
                .unwrap();
            years.push(zone.local(at).year());
        }
        assert_eq!(years, [2021, 2022, 2023, 2024, 2025, 2026], "{offset}");
    }
}

/// An offset in plain numbers, for the oracle.
#[derive(Debug, Clone)]
pub(super) struct Away {
    before: bool,
    span: Span,
    seconds: i64,
    working_days: Option<u32>,
    text: String,
}

impl Away {
    pub(super) fn offset(&self) -> Option<Offset> {
        (!self.text.is_empty()).then(|| self.text.parse().unwrap())
    }

    /// The moment this far from `time` on `date`; `None` where a missing date makes it a matter of taste.
    fn from(&self, date: Date, time: Time, zone: &Zone, calendar: &Calendar) -> Option<Timestamp> {
        let direction = if self.before { -1 } else { 1 };
        let Some(count) = self.working_days else {
            let date = date.checked_add(self.span * direction).unwrap();
            let exact = SignedDuration::from_secs(self.seconds * direction);
            return Some(zone.at(date.to_datetime(time)) + exact);
        };
        let mut date = date;
        let mut left = count;
        if left == 0 && !calendar.is_working(date) {
            left = 1;
        }
        while left > 0 {
            date = date.checked_add(Span::new().days(direction)).unwrap();
            left -= u32::from(calendar.is_working(date));
        }
        exists(date, zone).then(|| zone.at(date.to_datetime(time)))
    }
}

pub(super) fn away() -> impl Strategy<Value = Away> {
    let sign = |before: bool| if before { "-" } else { "+" };
    let units = (
        any::<bool>(),
        0usize..6,
        0u32..=40,
        0u32..=48,
        any::<bool>(),
    )
        .prop_map(move |(before, unit, count, hours, both)| {
            let many = i64::from(count);
            let (civil, span) = match unit {
                0 => (format!("{}y", many % 10), (many % 10).years()),
                1 => (format!("{many}mo"), many.months()),
                2 => (format!("{many}w"), many.weeks()),
                3 => (format!("{many}d"), many.days()),
                4 => (format!("{}d", many * 80), (many * 80).days()),
                _ => (
                    format!("1y{}mo{many}d", many % 13),
                    1.year().months(many % 13).days(many),
                ),
            };
            let (exact, seconds) = if both {
                (format!("{hours}h1m"), i64::from(hours) * 3_600 + 60)
            } else {
                (String::new(), 0)
            };
            Away {
                before,
                span,
                seconds,
                working_days: None,
                text: format!("{}{civil}{exact}", sign(before)),
            }
        });
    let exact = (any::<bool>(), 0i64..=87_000).prop_map(move |(before, hours)| Away {
        before,
        span: Span::new(),
        seconds: hours * 3_600,
        working_days: None,
        text: format!("{}{hours}h", sign(before)),
    });
    let working_days = (any::<bool>(), 0u32..=40).prop_map(move |(before, count)| Away {
        before,
        span: Span::new(),
        seconds: 0,
        working_days: Some(count),
        text: format!("{}{count}bd", sign(before)),
    });
    let none = Just(Away {
        before: false,
        span: Span::new(),
        seconds: 0,
        working_days: None,
        text: String::new(),
    });
    prop_oneof![1 => none, 4 => units, 1 => exact, 2 => working_days]
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_yearly_rule_gives_each_occurrence_once_and_in_order(
        (zone, after) in zone_and_instant(),
        calendar in calendar(),
        day in dates(),
        own_time in prop::option::of(times()),
        at in prop::option::of(times()),
        away in away(),
    ) {
        let rule = DateRule { offset: away.offset(), at, yearly: true };
        let value = match own_time {
            Some(time) => json!(day.to_datetime(time).to_string()),
            None => json!(day.to_string()),
        };
        let time = at.or(own_time).unwrap_or(DATE_TIME_DEFAULT);
        let year = zone.local(after).year();
        let occurrences: Option<Vec<Timestamp>> = (year - 15..=year + 15)
            .map(|year| away.from(MonthDay::from(day).in_year(year), time, &zone, &calendar))
            .collect();
        let Some(mut occurrences) = occurrences else { return Ok(()) };
        occurrences.retain(|occurrence| *occurrence > after);
        let mut from = after;
        for occurrence in occurrences.iter().take(3) {
            let next = rule.next(&value, from, &zone, &calendar);
            prop_assert_eq!(next, Some(*occurrence), "{} {:?} {} in {} after {}", value, at, away.text, zone, from);
            from = *occurrence;
        }
        // Where no offset and no skipped hour moves it, it is that day and time by the local clock.
        let local = zone.local(occurrences[0]);
        if away.text.is_empty() && local.time() == time {
            prop_assert_eq!(local.date(), MonthDay::from(day).in_year(local.year()));
        }
    }

    #[test]
    fn a_single_date_gives_one_moment_before_or_after(
        (zone, after) in zone_and_instant(),
        calendar in calendar(),
        day in dates(),
        own_time in prop::option::of(times()),
        at in prop::option::of(times()),
        away in away(),
    ) {
        let rule = DateRule { offset: away.offset(), at, yearly: false };
        let value = match own_time {
            Some(time) => json!(day.to_datetime(time).to_string()),
            None => json!(day.to_string()),
        };
        let time = at.or(own_time).unwrap_or(DATE_TIME_DEFAULT);
        let Some(expected) = away.from(day, time, &zone, &calendar) else { return Ok(()) };
        prop_assert_eq!(rule.moment(&value, &zone, &calendar), Some(expected), "{} {} in {}", value, away.text, zone);
        prop_assert_eq!(rule.next(&value, after, &zone, &calendar), Some(expected).filter(|at| *at > after));
        prop_assert_eq!(rule.next(&value, expected, &zone, &calendar), None);
    }

    #[test]
    fn a_moment_in_the_data_is_the_moment_in_every_zone((zone, at) in zone_and_instant(), time in times()) {
        let calendar = Calendar::weekends_only();
        let plain = DateRule::default();
        let timed = DateRule { at: Some(time), ..plain };
        // An offset in a text is written to the minute, which some zones' offsets once were not.
        let text = zone.rfc3339(at).to_string();
        let mut values = vec![
            (json!(at.to_string()), at),
            (json!(text), text.parse().unwrap()),
        ];
        // Within three years of 1970 a number of milliseconds is taken for one of seconds.
        if at.as_millisecond().abs() > 99_999_999_999 {
            values.push((json!(at.as_millisecond()), at));
        }
        for (value, at) in values {
            prop_assert_eq!(plain.moment(&value, &zone, &calendar), Some(at), "{}", value);
            let local = zone.local(at).date().to_datetime(time);
            prop_assert_eq!(timed.moment(&value, &zone, &calendar), Some(zone.at(local)), "{}", value);
        }
    }
}
