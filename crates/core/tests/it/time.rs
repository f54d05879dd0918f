//! Rule R4 over all bundled zones: tables of stories first, then properties.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, date};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Span, Timestamp, ToSpan};
use proptest::prelude::*;
use relance_core::time::{
    Calendar, CalendarParts, Days, Delay, Holiday, MonthDay, QuietHours, Recurring, Weekdays,
    Window, Zone, civil_day, date_of, day_bounds, day_number, next_yearly, parse_time_of_day,
};

/// Days off and moved working days round the dates of the stories.
pub(super) fn story_calendar() -> Calendar {
    let holiday = |year, month, day, name: &str| Holiday {
        date: date(year, month, day),
        name: name.to_owned(),
    };
    let mut holidays: Vec<Holiday> = (1..=8)
        .map(|day| holiday(2026, 1, day, "New Year holidays"))
        .collect();
    holidays.push(holiday(2026, 1, 9, "moved day off"));
    holidays.push(holiday(2026, 3, 9, "Women's Day, substitute"));
    holidays.push(holiday(2025, 11, 3, "moved day off"));
    holidays.push(holiday(2025, 11, 4, "Unity Day"));
    holidays.push(holiday(2025, 12, 31, "moved day off"));
    Calendar::new(CalendarParts {
        id: "story".to_owned(),
        name: "Story".to_owned(),
        weekend: Weekdays::SAT_SUN,
        years: (2025, 2026),
        provisional: vec![],
        holidays,
        working_days: vec![date(2025, 11, 1)],
        recurring: vec![Recurring {
            date: MonthDay::new(1, 1).unwrap(),
            name: "New Year".to_owned(),
        }],
    })
    .unwrap()
}

/// Runs a table of stories, one a line: `FROM ZONE VERB ARGUMENTS -> EXPECTED`.
///
/// `FROM` is a wall-clock time, or an instant when it carries an offset. Verbs: `+ DELAY`, `- DELAY`, `open DAYS HOURS`,
/// `closed DAYS HOURS`, `allowed HOURS`, `yearly MM-DD HH:MM`. Counting in working days uses [`story_calendar`].
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
        let words: Vec<&str> = story.split_whitespace().collect();
        let zone = Zone::parse(words[1]).unwrap();
        let from = words[0]
            .parse::<Timestamp>()
            .unwrap_or_else(|_| zone.at(words[0].parse::<DateTime>().expect(words[0])));
        let result = match words[2..] {
            ["+", ref delay @ ..] => delay
                .join(" ")
                .parse::<Delay>()
                .unwrap()
                .add(from, &zone, &calendar),
            ["-", ref delay @ ..] => delay
                .join(" ")
                .parse::<Delay>()
                .unwrap()
                .sub(from, &zone, &calendar),
            ["open", days, hours] => Window::parse(Some(days), Some(hours))
                .unwrap()
                .next_open(from, &zone, &calendar),
            ["closed", days, hours] => Window::parse(Some(days), Some(hours))
                .unwrap()
                .next_closed(from, &zone, &calendar)
                .unwrap(),
            ["allowed", hours] => QuietHours::daily(hours)
                .unwrap()
                .next_allowed(from, &zone, &calendar),
            ["yearly", day, time] => next_yearly(
                day.parse().unwrap(),
                parse_time_of_day(time).unwrap(),
                from,
                &zone,
            ),
            ref other => panic!("unknown story {other:?}"),
        };
        let got = zone.rfc3339(result).to_string();
        if got != expected.trim() {
            wrong.push(format!("{line}\n    got {got}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn working_days_skip_weekends_and_holidays_and_keep_the_time_of_day() {
    check(
        "
        # Friday, before a long weekend of three days, and an ordinary one
        2026-03-06T15:00 Europe/Moscow + 1bd -> 2026-03-10T15:00:00+03:00
        2026-03-13T15:00 Europe/Moscow + 1bd -> 2026-03-16T15:00:00+03:00
        # Saturday and Sunday count from the next working day, which is the first
        2026-03-14T15:00 Europe/Moscow + 1bd -> 2026-03-16T15:00:00+03:00
        2026-03-15T23:59 Europe/Moscow + 1bd -> 2026-03-16T23:59:00+03:00
        2026-03-14T15:00 Europe/Moscow + 3bd -> 2026-03-18T15:00:00+03:00
        2026-03-14T15:00 Europe/Moscow + 0bd -> 2026-03-16T15:00:00+03:00
        2026-03-13T15:00 Europe/Moscow + 0bd -> 2026-03-13T15:00:00+03:00
        # a working Saturday counts, the Monday it was swapped with doesn't
        2025-10-31T10:00 Europe/Moscow + 1bd -> 2025-11-01T10:00:00+03:00
        2025-10-31T10:00 Europe/Moscow + 2bd -> 2025-11-05T10:00:00+03:00
        # the New Year holidays, over a year's end
        2025-12-30T18:00 Europe/Moscow + 1bd -> 2026-01-12T18:00:00+03:00
        2025-12-30T18:00 Europe/Moscow + 5bd -> 2026-01-16T18:00:00+03:00
        # backwards
        2026-03-10T15:00 Europe/Moscow - 1bd -> 2026-03-06T15:00:00+03:00
        2026-03-15T12:00 Europe/Moscow - 1bd -> 2026-03-13T12:00:00+03:00
        2026-03-16T12:00 Europe/Moscow - 3bd -> 2026-03-11T12:00:00+03:00
        # beyond the calendar's years weekends and fixed holidays still hold
        2029-12-31T09:00 Europe/Moscow + 1bd -> 2030-01-02T09:00:00+03:00
        # working days over a DST change
        2026-03-27T09:00 Europe/Berlin + 1bd -> 2026-03-30T09:00:00+02:00
        # the local date decides, not the date in UTC
        2026-03-13T23:30:00Z Asia/Tokyo + 1bd -> 2026-03-16T08:30:00+09:00
        2026-03-13T14:30:00Z Asia/Tokyo + 1bd -> 2026-03-16T23:30:00+09:00
        ",
    );
}

#[test]
fn exact_units_count_seconds_and_civil_units_keep_the_wall_clock() {
    check(
        "
        2026-03-28T09:00 Europe/Berlin + 24h -> 2026-03-29T10:00:00+02:00
        2026-03-28T09:00 Europe/Berlin + 1d -> 2026-03-29T09:00:00+02:00
        2026-03-28T09:00 Europe/Berlin + 90s -> 2026-03-28T09:01:30+01:00
        2026-03-28T09:00 Europe/Berlin + 15m -> 2026-03-28T09:15:00+01:00
        2026-10-24T09:00 Europe/Berlin + 2w -> 2026-11-07T09:00:00+01:00
        2026-10-25T09:00 Europe/Berlin - 1d -> 2026-10-24T09:00:00+02:00
        # the civil part first, then the exact one
        2026-03-28T01:30 Europe/Berlin + 1d 1h -> 2026-03-29T03:30:00+02:00
        2026-03-28T01:30 Europe/Berlin + 1d1h -> 2026-03-29T03:30:00+02:00
        2026-03-30T03:30 Europe/Berlin - 1d1h -> 2026-03-29T01:30:00+01:00
        # a month's end stays one where it must
        2026-01-31T12:00 Asia/Tokyo + 1mo -> 2026-02-28T12:00:00+09:00
        2024-01-31T12:00 Asia/Tokyo + 1mo -> 2024-02-29T12:00:00+09:00
        2026-03-31T12:00 Asia/Tokyo - 1mo -> 2026-02-28T12:00:00+09:00
        2024-02-29T12:00 Asia/Tokyo + 1y -> 2025-02-28T12:00:00+09:00
        2024-02-29T12:00 Asia/Tokyo + 4y -> 2028-02-29T12:00:00+09:00
        2026-12-31T23:59 Asia/Tokyo + 1d -> 2027-01-01T23:59:00+09:00
        2026-11-30T12:00 Asia/Tokyo + 1y3mo -> 2028-02-29T12:00:00+09:00
        ",
    );
}

#[test]
fn a_skipped_time_becomes_the_first_instant_after_and_a_repeated_one_the_earlier() {
    check(
        "
        2026-03-28T02:30 Europe/Berlin + 1d -> 2026-03-29T03:00:00+02:00
        2026-10-24T02:30 Europe/Berlin + 1d -> 2026-10-25T02:30:00+02:00
        2026-03-07T02:30 America/New_York + 1d -> 2026-03-08T03:00:00-04:00
        2026-10-31T01:30 America/New_York + 1d -> 2026-11-01T01:30:00-04:00
        # no delay does not go back from the second pass to the first
        2026-11-01T01:30:00-05:00 America/New_York + 0d -> 2026-11-01T01:30:00-05:00
        # Lord Howe: half an hour
        2026-10-03T02:15 Australia/Lord_Howe + 1d -> 2026-10-04T02:30:00+11:00
        2026-04-04T01:45 Australia/Lord_Howe + 1d -> 2026-04-05T01:45:00+11:00
        2026-04-04T01:15 Australia/Lord_Howe + 1d -> 2026-04-05T01:15:00+11:00
        2026-04-05T02:00 Australia/Lord_Howe + 1d -> 2026-04-06T02:00:00+10:30
        # Samoa had no 30 December 2011
        2011-12-29T10:00 Pacific/Apia + 1d -> 2011-12-31T00:00:00+14:00
        2011-12-29T10:00 Pacific/Apia + 2d -> 2011-12-31T10:00:00+14:00
        2011-12-31T10:00 Pacific/Apia - 1d -> 2011-12-31T00:00:00+14:00
        2011-12-29T10:00 Pacific/Apia + 24h -> 2011-12-31T10:00:00+14:00
        2011-12-29T10:00 Pacific/Apia + 1bd -> 2012-01-02T10:00:00+14:00
        # nor Kwajalein a 21 August 1993, nor Kiritimati a last day of 1994
        1993-08-20T10:00 Pacific/Kwajalein + 1d -> 1993-08-22T00:00:00+12:00
        1993-08-20T10:00 Pacific/Kwajalein + 2d -> 1993-08-22T10:00:00+12:00
        1993-08-20T10:00 Pacific/Kwajalein + 1w -> 1993-08-27T10:00:00+12:00
        1993-08-20T10:00 Pacific/Kwajalein + 24h -> 1993-08-22T10:00:00+12:00
        1993-08-20T10:00 Pacific/Kwajalein + 1bd -> 1993-08-23T10:00:00+12:00
        1994-12-30T10:00 Pacific/Kiritimati + 1d -> 1995-01-01T00:00:00+14:00
        # no midnight on that day
        2018-11-03T00:00 America/Sao_Paulo + 1d -> 2018-11-04T01:00:00-02:00
        2018-11-03T00:30 America/Sao_Paulo + 1d -> 2018-11-04T01:00:00-02:00
        2022-03-21T00:30 Asia/Tehran + 1d -> 2022-03-22T01:00:00+04:30
        2021-09-21T23:30 Asia/Tehran + 1d -> 2021-09-22T23:30:00+03:30
        # Morocco leaves summer time for Ramadan
        2025-02-22T02:30 Africa/Casablanca + 1d -> 2025-02-23T02:30:00+01:00
        2025-04-05T02:30 Africa/Casablanca + 1d -> 2025-04-06T03:00:00+01:00
        ",
    );
}

#[test]
fn windows_open_at_the_earliest_instant_inside() {
    check(
        "
        2026-03-13T19:30 Europe/Moscow open mon-fri 09:00-18:00 -> 2026-03-16T09:00:00+03:00
        2026-03-13T17:59:59 Europe/Moscow open mon-fri 09:00-18:00 -> 2026-03-13T17:59:59+03:00
        2026-03-13T18:00 Europe/Moscow open mon-fri 09:00-18:00 -> 2026-03-16T09:00:00+03:00
        2026-03-13T08:59:59 Europe/Moscow open mon-fri 09:00-18:00 -> 2026-03-13T09:00:00+03:00
        2026-03-09T10:00 Europe/Moscow open mon-fri 09:00-18:00 -> 2026-03-09T10:00:00+03:00
        2026-03-09T10:00 Europe/Moscow open bd 09:00-18:00 -> 2026-03-10T09:00:00+03:00
        2026-03-13T12:30 Europe/Moscow open mon-fri 09:00-12:00,13:00-18:00 -> 2026-03-13T13:00:00+03:00
        2026-03-10T12:00 Europe/Moscow open mon,wed 09:00-12:00 -> 2026-03-11T09:00:00+03:00
        2026-03-11T12:00 Europe/Moscow open wed 09:00-12:00 -> 2026-03-18T09:00:00+03:00
        # over midnight, by the day of the beginning
        2026-03-14T03:00 Europe/Moscow open fri 22:00-06:00 -> 2026-03-14T03:00:00+03:00
        2026-03-14T06:00 Europe/Moscow open fri 22:00-06:00 -> 2026-03-20T22:00:00+03:00
        2026-03-13T03:00 Europe/Moscow open fri 22:00-06:00 -> 2026-03-13T22:00:00+03:00
        2026-01-01T00:00 Europe/Moscow open bd 00:00-24:00 -> 2026-01-12T00:00:00+03:00
        # the opening time is skipped: open when the clock is past it
        2026-03-29T01:00 Europe/Berlin open sun 02:30-04:00 -> 2026-03-29T03:00:00+02:00
        2026-03-27T01:00 Europe/Berlin open sun 02:30-04:00 -> 2026-03-29T03:00:00+02:00
        # the whole window is skipped: a week later
        2026-03-29T01:00 Europe/Berlin open sun 02:00-03:00 -> 2026-04-05T02:00:00+02:00
        # a repeated hour is open twice
        2026-10-25T02:10:00+02:00 Europe/Berlin open sun 02:30-04:00 -> 2026-10-25T02:30:00+02:00
        2026-10-25T02:10:00+01:00 Europe/Berlin open sun 02:30-04:00 -> 2026-10-25T02:30:00+01:00
        2026-10-25T02:50:00+02:00 Europe/Berlin open sun 02:00-02:45 -> 2026-10-25T02:00:00+01:00
        2026-10-25T02:50:00+01:00 Europe/Berlin open sun 02:00-02:45 -> 2026-11-01T02:00:00+01:00
        # the zone's day is the one that counts
        2011-12-29T10:00 Pacific/Apia open fri 09:00-18:00 -> 2012-01-06T09:00:00+14:00
        2011-12-29T19:00 Pacific/Apia open mon-sun 09:00-18:00 -> 2011-12-31T09:00:00+14:00
        2018-11-03T23:30 America/Sao_Paulo open sun 00:00-24:00 -> 2018-11-04T01:00:00-02:00
        ",
    );
}

#[test]
fn windows_close_and_quiet_hours_end_at_the_earliest_instant_outside() {
    check(
        "
        2026-03-13T10:00 Europe/Moscow closed mon-fri 09:00-18:00 -> 2026-03-13T18:00:00+03:00
        2026-03-14T10:00 Europe/Moscow closed mon-fri 09:00-18:00 -> 2026-03-14T10:00:00+03:00
        2026-03-13T10:00 Europe/Moscow closed mon-fri 00:00-24:00 -> 2026-03-14T00:00:00+03:00
        2026-03-13T10:00 Europe/Moscow closed mon-fri 09:00-12:00,12:00-18:00 -> 2026-03-13T18:00:00+03:00
        2026-03-13T23:00 Europe/Moscow allowed 21:00-09:00 -> 2026-03-14T09:00:00+03:00
        2026-03-13T12:00 Europe/Moscow allowed 21:00-09:00 -> 2026-03-13T12:00:00+03:00
        2026-03-28T23:00 Europe/Berlin allowed 21:00-09:00 -> 2026-03-29T09:00:00+02:00
        2026-03-29T01:30 Europe/Berlin allowed 21:00-02:30 -> 2026-03-29T03:00:00+02:00
        2026-10-25T02:15:00+02:00 Europe/Berlin allowed 21:00-02:30 -> 2026-10-25T02:30:00+02:00
        2026-10-25T02:15:00+01:00 Europe/Berlin allowed 21:00-02:30 -> 2026-10-25T02:30:00+01:00
        2026-10-25T02:45:00+02:00 Europe/Berlin allowed 02:40-05:00 -> 2026-10-25T02:00:00+01:00
        ",
    );
}

#[test]
fn yearly_dates_come_back_and_a_leap_day_is_kept_on_the_28th() {
    check(
        "
        2026-03-01T00:00 Europe/Moscow yearly 02-29 09:00 -> 2027-02-28T09:00:00+03:00
        2027-02-28T08:59 Europe/Moscow yearly 02-29 09:00 -> 2027-02-28T09:00:00+03:00
        # the instant itself is not after itself
        2027-02-28T09:00 Europe/Moscow yearly 02-29 09:00 -> 2028-02-29T09:00:00+03:00
        2026-12-31T23:59 Asia/Tokyo yearly 01-01 00:00 -> 2027-01-01T00:00:00+09:00
        2026-05-01T12:00 Europe/Moscow yearly 05-01 09:00 -> 2027-05-01T09:00:00+03:00
        2011-06-01T12:00 Pacific/Apia yearly 12-30 09:00 -> 2011-12-31T00:00:00+14:00
        1993-06-01T12:00 Pacific/Kwajalein yearly 08-21 09:00 -> 1993-08-22T00:00:00+12:00
        2018-06-01T12:00 America/Sao_Paulo yearly 11-04 00:00 -> 2018-11-04T01:00:00-02:00
        ",
    );
}

#[test]
fn quiet_hours_may_differ_by_weekday_and_end_after_long_holidays() {
    let (zone, calendar) = (Zone::parse("Europe/Moscow").unwrap(), story_calendar());
    let quiet: QuietHours = serde_json::from_str(
        r#"[{"days":"mon-fri","hours":"21:00-09:00"},{"days":"sat,sun","hours":"00:00-24:00"}]"#,
    )
    .unwrap();
    let allowed = |from: &str| {
        zone.rfc3339(quiet.next_allowed(zone.at(from.parse().unwrap()), &zone, &calendar))
            .to_string()
    };
    // Sunday runs into Monday 00:00, where no night period of Sunday reaches: Monday's own begins in the evening.
    assert_eq!(allowed("2026-03-13T22:00"), "2026-03-16T00:00:00+03:00");
    assert_eq!(allowed("2026-03-12T22:00"), "2026-03-13T09:00:00+03:00");
    assert_eq!(allowed("2026-03-12T12:00"), "2026-03-12T12:00:00+03:00");
    assert!(quiet.is_quiet(
        zone.at("2026-03-14T12:00".parse().unwrap()),
        &zone,
        &calendar
    ));
    assert!(!quiet.is_quiet(
        zone.at("2026-03-13T12:00".parse().unwrap()),
        &zone,
        &calendar
    ));
}

#[test]
fn a_civil_day_has_the_hours_that_the_clock_shows() {
    let hours = |zone: &str, day: Date| {
        let bounds = day_bounds(day_number(day), &Zone::parse(zone).unwrap());
        bounds.end.duration_since(bounds.start).as_secs() as f64 / 3600.0
    };
    assert_eq!(hours("Europe/Berlin", date(2026, 3, 29)), 23.0);
    assert_eq!(hours("Europe/Berlin", date(2026, 10, 25)), 25.0);
    assert_eq!(hours("Australia/Lord_Howe", date(2026, 10, 4)), 23.5);
    assert_eq!(hours("Pacific/Apia", date(2011, 12, 30)), 0.0);
    assert_eq!(hours("America/Sao_Paulo", date(2018, 11, 4)), 23.0);
    let tokyo = Zone::parse("Asia/Tokyo").unwrap();
    assert_eq!(
        date_of(civil_day("2026-03-13T15:00:00Z".parse().unwrap(), &tokyo)),
        date(2026, 3, 14)
    );
}

// Properties

/// 1 January 1900.
pub(super) const SECONDS_1900: i64 = -2_208_988_800;
/// 1 January 2100.
pub(super) const SECONDS_2100: i64 = 4_102_444_800;

pub(super) static ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    Zone::names()
        .iter()
        .map(|name| Zone::parse(name).unwrap())
        .collect()
});

pub(super) fn zone() -> impl Strategy<Value = Zone> {
    prop_oneof![
        6 => (0..ZONES.len()).prop_map(|index| ZONES[index].clone()),
        // Half an hour, missing days, no midnight, changes at midnight, Ramadan, and ordinary ones.
        4 => prop::sample::select(vec![
            "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Asia/Tehran", "Africa/Casablanca",
            "America/St_Johns", "America/New_York", "Europe/Berlin", "Europe/London", "Antarctica/Troll",
            "Pacific/Kwajalein", "Pacific/Kiritimati", "America/Nuuk", "America/Havana",
        ]).prop_map(|name| Zone::parse(name).unwrap()),
    ]
}

/// A zone and an instant from 1900 to 2100, half of the time within two days of a clock change.
pub(super) fn zone_and_instant() -> impl Strategy<Value = (Zone, Timestamp)> {
    (
        zone(),
        SECONDS_1900..SECONDS_2100,
        any::<bool>(),
        any::<bool>(),
        -172_800i64..172_800,
    )
        .prop_map(|(zone, second, near, later, by)| {
            let at = Timestamp::from_second(second).unwrap();
            // Zones that ended with clock changes, or begin with them late, have some on one side only.
            let after = zone.time_zone().following(at).next();
            let before = zone.time_zone().preceding(at).next();
            let change = if later {
                after.or(before)
            } else {
                before.or(after)
            };
            match change.map(|transition| transition.timestamp().as_second()) {
                Some(change) if near && change > -8_000_000_000 => {
                    (zone, Timestamp::from_second(change + by).unwrap())
                }
                Some(_) | None => (zone, at),
            }
        })
}

pub(super) fn calendar() -> impl Strategy<Value = Calendar> {
    prop_oneof![Just(Calendar::weekends_only()), Just(story_calendar())]
}

/// A window with its parts as plain numbers, for the oracle.
fn window() -> impl Strategy<Value = (Window, Oracle)> {
    let days = prop_oneof![Just(None), (1u8..128).prop_map(Some)];
    let spans = prop::collection::vec((0i64..96, 1i64..=96), 1..3);
    (days, spans).prop_map(|(days, spans)| {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let spans: Vec<(i64, i64)> = spans
            .iter()
            .map(|(start, length)| (start * 15, start * 15 + length * 15))
            .collect();
        let days_text = match days {
            None => "bd".to_owned(),
            Some(bits) => (0..7)
                .filter(|day| bits & (1 << day) != 0)
                .map(|day| NAMES[day])
                .collect::<Vec<_>>()
                .join(","),
        };
        let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let hours_text: Vec<String> = spans
            .iter()
            .filter(|(start, end)| end - start < 1_440 || *start == 0)
            .map(|(start, end)| {
                format!(
                    "{}-{}",
                    clock(*start),
                    clock(if *end > 1_440 { end - 1_440 } else { *end })
                )
            })
            .collect();
        let kept: Vec<(i64, i64)> = spans
            .into_iter()
            .filter(|(start, end)| end - start < 1_440 || *start == 0)
            .collect();
        let (hours_text, kept) = if kept.is_empty() {
            ("00:00-24:00".to_owned(), vec![(0, 1_440)])
        } else {
            (hours_text.join(","), kept)
        };
        (
            Window::parse(Some(&days_text), Some(&hours_text)).unwrap(),
            Oracle { days, spans: kept },
        )
    })
}

#[derive(Debug, Clone)]
struct Oracle {
    /// `None`: working days.
    days: Option<u8>,
    spans: Vec<(i64, i64)>,
}

impl Oracle {
    /// The definition, told as simply as it can be.
    fn contains(&self, at: Timestamp, zone: &Zone, calendar: &Calendar) -> bool {
        let local = zone.local(at);
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let on = |date: Date| match self.days {
            None => calendar.is_working(date),
            Some(bits) => bits & (1 << date.weekday().to_monday_zero_offset()) != 0,
        };
        let (today, yesterday) = (local.date(), local.date().yesterday().unwrap());
        self.spans.iter().any(|(start, end)| {
            (on(today) && *start <= minute && minute < *end)
                || (on(yesterday) && *start <= minute + 1_440 && minute + 1_440 < *end)
        })
    }
}

fn minutes_later(at: Timestamp, minutes: i64) -> Timestamp {
    at + SignedDuration::from_mins(minutes)
}

/// Instants from `from` up to `to`, `to` not included: a grid of at most 1,500 points, finer at both ends.
fn grid(from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let length = to.duration_since(from).as_mins();
    let step = (length / 1_000).max(5);
    let mut points = Vec::new();
    let mut minute = 0;
    while minute <= length {
        points.push(minutes_later(from, minute));
        minute += if minute < 120 || length - minute < 120 {
            1
        } else {
            step.min(length - 119 - minute).max(1)
        };
    }
    points.retain(|point| *point < to);
    points.push((to - SignedDuration::from_nanos(1)).max(from));
    points
}

/// So many cases, or more where the environment asks for them (`PROPTEST_CASES`).
pub(super) fn cases(at_least: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    config.cases = config.cases.max(at_least);
    config
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn add_is_never_earlier_than_from_and_grows_with_the_delay(
        (zone, from) in zone_and_instant(),
        calendar in calendar(),
        unit in prop::sample::select(vec!["s", "m", "h", "d", "w", "mo", "y", "bd"]),
        (few, more) in (0u32..6, 0u32..5),
    ) {
        let (few, many) = (format!("{few}{unit}"), format!("{}{unit}", few + more));
        let (few, many): (Delay, Delay) = (few.parse().unwrap(), many.parse().unwrap());
        let (a, b) = (few.add(from, &zone, &calendar), many.add(from, &zone, &calendar));
        prop_assert!(from <= a && a <= b, "{from} + {few} = {a}, + {many} = {b} in {zone}");
        let (a, b) = (few.sub(from, &zone, &calendar), many.sub(from, &zone, &calendar));
        prop_assert!(from >= a && a >= b, "{from} - {few} = {a}, - {many} = {b} in {zone}");
    }

    #[test]
    fn a_civil_delay_keeps_the_wall_clock_unless_the_clock_skips_it(
        (zone, from) in zone_and_instant(),
        (years, months, weeks, days) in (0i64..3, 0i64..14, 0i64..6, 1i64..40),
    ) {
        let delay: Delay = format!("{years}y{months}mo{weeks}w{days}d").parse().unwrap();
        let span: Span = years.years().months(months).weeks(weeks).days(days);
        let expected = zone.local(from).checked_add(span).unwrap();
        let got = delay.add(from, &zone, &Calendar::weekends_only());
        match zone.time_zone().to_ambiguous_timestamp(expected).offset() {
            AmbiguousOffset::Unambiguous { .. } => prop_assert_eq!(zone.local(got), expected),
            AmbiguousOffset::Fold { before, .. } => prop_assert_eq!(got, before.to_timestamp(expected).unwrap()),
            AmbiguousOffset::Gap { .. } => {
                prop_assert!(zone.local(got) > expected);
                prop_assert!(zone.local(got - SignedDuration::from_nanos(1)) < expected);
            }
        }
    }

    #[test]
    fn an_exact_delay_is_exact((zone, from) in zone_and_instant(), seconds in 0u32..10_000_000) {
        let got = Delay::seconds(seconds).add(from, &zone, &story_calendar());
        prop_assert_eq!(got.duration_since(from).as_secs(), i64::from(seconds));
    }

    #[test]
    fn working_days_land_on_a_working_day_and_count_each(
        (zone, from) in zone_and_instant(),
        calendar in calendar(),
        count in 0u32..30,
    ) {
        let start = zone.local(from).date();
        let later = Delay::working_days(count).add(from, &zone, &calendar);
        let day = zone.local(later).date();
        prop_assert!(calendar.is_working(day), "{from} + {count}bd = {later} in {zone}");
        // Dates that the zone skipped are the only ones that may be counted or not; and a wall clock that the
        // zone skipped at the end of a day is shown the day after.
        let is_kept = zone.local(later).time() == zone.local(from).time();
        if is_kept && zone.name() != "Pacific/Apia" && !zone.name().starts_with("Pacific/") {
            let mut between = 0;
            let mut date = start;
            while date < day {
                date = date.tomorrow().unwrap();
                between += u32::from(calendar.is_working(date));
            }
            let counted = if count == 0 && !calendar.is_working(start) { 1 } else { count };
            prop_assert_eq!(between, counted);
        }
        let earlier = Delay::working_days(count).sub(from, &zone, &calendar);
        prop_assert!(earlier <= from);
    }

    #[test]
    fn next_open_is_inside_and_nothing_before_it_is(
        (zone, from) in zone_and_instant(),
        calendar in calendar(),
        (window, oracle) in window(),
    ) {
        let open = window.next_open(from, &zone, &calendar);
        prop_assert!(open >= from);
        prop_assert!(window.contains(open, &zone, &calendar));
        prop_assert!(oracle.contains(open, &zone, &calendar));
        if open > from {
            for point in grid(from, open) {
                prop_assert!(!oracle.contains(point, &zone, &calendar), "{window} in {zone} from {from}: open at {point}, not first at {open}");
            }
        }
    }

    #[test]
    fn next_closed_is_outside_and_nothing_before_it_is(
        (zone, from) in zone_and_instant(),
        calendar in calendar(),
        (window, oracle) in window(),
    ) {
        prop_assert_eq!(window.contains(from, &zone, &calendar), oracle.contains(from, &zone, &calendar));
        let closed = window.next_closed(from, &zone, &calendar);
        if let Some(closed) = closed {
            prop_assert!(closed >= from);
            prop_assert!(!oracle.contains(closed, &zone, &calendar));
        }
        let until = closed.unwrap_or(minutes_later(from, 30 * 1_440));
        if until > from {
            for point in grid(from, until) {
                prop_assert!(oracle.contains(point, &zone, &calendar), "{window} in {zone} from {from}: closed at {point}");
            }
        }
    }

    #[test]
    fn next_allowed_is_not_quiet_and_everything_before_it_is(
        (zone, from) in zone_and_instant(),
        calendar in calendar(),
        (first, _) in window(),
        (second, _) in window(),
    ) {
        let Ok(quiet) = QuietHours::new(vec![first, second]) else { return Ok(()) };
        let allowed = quiet.next_allowed(from, &zone, &calendar);
        prop_assert!(allowed >= from);
        prop_assert!(!quiet.is_quiet(allowed, &zone, &calendar), "{quiet} in {zone} from {from}: quiet at {allowed}");
        if allowed > from {
            for point in grid(from, allowed) {
                prop_assert!(quiet.is_quiet(point, &zone, &calendar), "{quiet} in {zone} from {from}: allowed at {point}");
            }
        }
    }

    #[test]
    fn a_day_holds_its_instants((zone, at) in zone_and_instant()) {
        let day = civil_day(at, &zone);
        let bounds = day_bounds(day, &zone);
        prop_assert!(bounds.start <= at);
        prop_assert_eq!(civil_day(bounds.start, &zone), day);
        prop_assert_eq!(day_bounds(day + 1, &zone).start, bounds.end);
        // A clock that goes back over midnight shows the end of a day twice; the second time belongs to the next day.
        let hours_ago = minutes_later(at, -180);
        if zone.time_zone().to_offset(hours_ago) == zone.time_zone().to_offset(at) {
            prop_assert!(at < bounds.end, "{at} is day {day} in {zone}, which ends at {}", bounds.end);
        }
    }

    #[test]
    fn a_yearly_date_is_after_and_at_most_a_year_away(
        (zone, after) in zone_and_instant(),
        (month, day) in (1i8..=12, 1i8..=31),
        minute in 0i64..1_440,
    ) {
        let Some(month_day) = MonthDay::new(month, day) else { return Ok(()) };
        let time = jiff::civil::time((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let at = next_yearly(month_day, time, after, &zone);
        prop_assert!(at > after);
        prop_assert!(at.duration_since(after).as_hours() <= 367 * 24);
        let local = zone.local(at);
        // A day that a zone skipped whole (Kiritimati, 31 December 1994) is kept on the next one, which may be of another year.
        let own = [local.year() - 1, local.year()].map(|year| month_day.in_year(year).to_datetime(time));
        prop_assert!(own.iter().any(|own| *own <= local && local.duration_since(*own).as_hours() <= 48));
    }

    #[test]
    fn no_text_makes_parsing_panic(text in "\\PC{0,40}") {
        let _ = text.parse::<Delay>().map(|delay| delay.to_string());
        let _ = text.parse::<Days>();
        let _ = text.parse::<MonthDay>();
        let _ = QuietHours::daily(&text);
        let _ = parse_time_of_day(&text);
        prop_assert!(Zone::parse(&text).map_or_else(|problem| !problem.to_string().is_empty(), |zone| !zone.name().is_empty()));
    }

    #[test]
    fn what_parses_prints_to_what_parses_alike(text in "[0-9]{1,3}(y|mo|w|d|h|m|s|bd)( ?[0-9]{1,3}(mo|w|d|h|m|s)){0,2}") {
        if let Ok(delay) = text.parse::<Delay>() {
            prop_assert_eq!(delay.to_string().parse::<Delay>().unwrap(), delay);
        }
    }
}
