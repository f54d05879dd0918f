//! Recurring broadcasts: properties over all zones.
//!
//! The oracle looks at one date after another; of the code under test it uses [`Zone::at`] alone, which has its own tests.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;
use relance_core::time::{Recurrence, Zone};

use crate::time::{cases, zone_and_instant};
use crate::time_rules::{dates, exists, times};

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

#[test]
fn ten_years_of_a_broadcast_have_as_many_dates_as_the_calendar() {
    let (first, last) = (date(1993, 1, 1), date(2013, 1, 1));
    let zones = [
        "UTC",
        "Pacific/Apia",
        "Pacific/Kwajalein",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Antarctica/Troll",
        "Africa/Casablanca",
        "Europe/London",
    ];
    for zone in zones.map(|name| Zone::parse(name).unwrap()) {
        for (days, time, weeks) in [
            ("mon-sun", "02:15", 1),
            ("mon-fri", "00:00", 1),
            ("fri", "23:45", 1),
            ("tue,sat", "01:30", 3),
            ("1,29,last", "02:30", 1),
        ] {
            let written = Written::new(days, weeks);
            let recurrence = written.recurrence(time);
            let mut expected = 0;
            let mut day = first;
            while day < last {
                expected += u32::from(written.holds(day) && exists(day, &zone));
                day = day.tomorrow().unwrap();
            }
            let start = zone.at(first.at(0, 0, 0, 0)) - NANOSECOND;
            let end = zone.at(last.at(0, 0, 0, 0));
            let (mut at, mut count) = (start, 0);
            while let Some(next) = recurrence.next(at, &zone).filter(|next| *next < end) {
                assert!(next > at);
                at = next;
                count += 1;
            }
            assert_eq!(count, expected, "{recurrence} in {zone}");
        }
    }
}

/// The days of a recurrence as the tests understand them.
#[derive(Debug, Clone)]
struct Written {
    days: String,
    weeks: u8,
}

impl Written {
    fn new(days: &str, weeks: u8) -> Written {
        Written {
            days: days.to_owned(),
            weeks,
        }
    }

    fn recurrence(&self, time: &str) -> Recurrence {
        Recurrence::parse(Some(&self.days), time, Some(self.weeks), None).unwrap()
    }

    /// The definition, told as simply as it can be.
    fn holds(&self, date: Date) -> bool {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let monday: Date = jiff::civil::date(1970, 1, 5);
        let weeks = (date - monday).get_days().div_euclid(7);
        let weekday = date.weekday().to_monday_zero_offset() as usize;
        let (day, length) = (date.day(), date.days_in_month());
        self.days.split(',').any(|part| match part {
            "mon-sun" => true,
            "mon-fri" => weekday < 5,
            "last" => day == length,
            part => match part.parse::<i8>() {
                Ok(wanted) => day == wanted.min(length),
                Err(_) => NAMES[weekday] == part,
            },
        }) && weeks.rem_euclid(i32::from(self.weeks)) == 0
    }
}

fn written() -> impl Strategy<Value = Written> {
    let weekdays = (1u8..128, 1u8..=6).prop_map(|(bits, weeks)| {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let days: Vec<&str> = (0..7)
            .filter(|day| bits & (1 << day) != 0)
            .map(|day| NAMES[day])
            .collect();
        Written::new(&days.join(","), weeks)
    });
    let one_weekday = (0usize..7, 1u8..=52).prop_map(|(day, weeks)| {
        Written::new(
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day],
            weeks,
        )
    });
    let month_days = prop::collection::vec(1u8..=32, 1..4).prop_map(|days| {
        let words: Vec<String> = days
            .iter()
            .map(|day| {
                if *day == 32 {
                    "last".to_owned()
                } else {
                    day.to_string()
                }
            })
            .collect();
        Written::new(&words.join(","), 1)
    });
    prop_oneof![
        weekdays,
        one_weekday,
        month_days,
        (1u8..=4).prop_map(|weeks| Written::new("mon-sun", weeks)),
    ]
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_broadcast_comes_on_each_of_its_dates_once_and_in_order(
        (zone, after) in zone_and_instant(),
        written in written(),
        time in times(),
    ) {
        let recurrence = written.recurrence(&format!("{:02}:{:02}", time.hour(), time.minute()));
        let first = zone.local(after).date().checked_sub(2.days()).unwrap();
        let dates = first
            .series(1.day())
            .take(800)
            .filter(|date| written.holds(*date) && exists(*date, &zone))
            .take(8);
        let mut from = after;
        let mut seen = 0;
        for date in dates {
            let expected = zone.at(date.to_datetime(time));
            if expected <= after {
                continue;
            }
            let next = recurrence.next(from, &zone);
            prop_assert_eq!(next, Some(expected), "{} in {} after {}", recurrence, zone, from);
            prop_assert!(expected > from);
            // The local date and time, or the first instant after a gap that held them.
            if zone.local(expected) != date.to_datetime(time) {
                prop_assert!(zone.local(expected) > date.to_datetime(time));
                prop_assert!(zone.local(expected - NANOSECOND) < date.to_datetime(time));
            }
            from = expected;
            seen += 1;
        }
        // Every sixth week and rarer shows at least two dates in 800 days.
        prop_assert!(seen >= 2);
    }

    #[test]
    fn a_single_broadcast_comes_once((zone, after) in zone_and_instant(), day in dates(), time in times()) {
        let at = format!("{:02}:{:02}", time.hour(), time.minute());
        let once = Recurrence::parse(None, &at, None, Some(&day.to_string())).unwrap();
        let expected = zone.at(day.to_datetime(time));
        prop_assert_eq!(once.next(after, &zone), Some(expected).filter(|at| *at > after));
        prop_assert_eq!(once.next(expected, &zone), None);
    }
}
