//! The hour of the day at which one person opens and replies.
//!
//! Counted over the hours of the contact's own clock and smoothed with the neighbours, since a habit of nine o'clock
//! shows at 08:55 too; the day is a circle.
//!
//! **Absent:** which events are signs; those made by machines must not come here.

use jiff::Timestamp;
use jiff::civil::Time;

use super::{Zone, next_time_of_day};

/// Fewer signs than this say nothing.
pub const SIGNS_MIN: usize = 3;

const HOURS: usize = 24;

/// How much an hour's own signs weigh beside those of each neighbour.
const OWN_WEIGHT: u64 = 2;

/// The local hour, 0 to 23, with the most signs round it; the earlier one when several have as many. `None` with fewer
/// than [`SIGNS_MIN`] signs.
pub fn best_hour(signs: impl Iterator<Item = Timestamp>, zone: &Zone) -> Option<i8> {
    let mut counts = [0u64; HOURS];
    let mut total = 0usize;
    for at in signs {
        counts[zone.local(at).hour() as usize % HOURS] += 1;
        total = total.saturating_add(1);
    }
    if total < SIGNS_MIN {
        return None;
    }
    let mut best = (0, 0);
    for hour in 0..HOURS {
        let around = counts[(hour + HOURS - 1) % HOURS] + counts[(hour + 1) % HOURS];
        let weight = OWN_WEIGHT * counts[hour] + around;
        if weight > best.1 {
            best = (hour, weight);
        }
    }
    Some(best.0 as i8)
}

/// The first instant from `after` on that lies in the best hour: `after` itself within that hour, else its beginning.
/// Where the signs say nothing, the next `fallback`.
pub fn next_best_hour(
    signs: impl Iterator<Item = Timestamp>,
    fallback: Time,
    after: Timestamp,
    zone: &Zone,
) -> Timestamp {
    match best_hour(signs, zone) {
        Some(hour) if zone.local(after).hour() == hour => after,
        Some(hour) => next_time_of_day(Time::constant(hour, 0, 0, 0), after, zone),
        None => next_time_of_day(fallback, after, zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour_of(zone: &str, signs: &[&str]) -> Option<i8> {
        let zone = Zone::parse(zone).unwrap();
        best_hour(signs.iter().map(|at| at.parse().unwrap()), &zone)
    }

    #[test]
    fn few_signs_say_nothing() {
        assert_eq!(hour_of("UTC", &[]), None);
        assert_eq!(hour_of("UTC", &["2026-03-02T09:10:00Z"; 2]), None);
        assert_eq!(
            hour_of("UTC", &["2026-03-02T09:10:00Z"; SIGNS_MIN]),
            Some(9)
        );
    }

    #[test]
    fn the_hour_is_that_of_the_contacts_clock_in_summer_and_winter() {
        assert_eq!(
            hour_of(
                "Europe/Berlin",
                &[
                    "2026-01-02T08:10:00Z",
                    "2026-07-02T07:10:00Z",
                    "2026-07-03T07:50:00Z"
                ]
            ),
            Some(9)
        );
        assert_eq!(
            hour_of("Asia/Kolkata", &["2026-01-02T08:40:00Z"; 3]),
            Some(14)
        );
    }

    #[test]
    fn neighbours_count_half_also_over_midnight_and_ties_go_to_the_earlier_hour() {
        let at = |hour: i8| format!("2026-03-02T{hour:02}:30:00Z");
        let best = |hours: &[i8]| {
            let signs: Vec<String> = hours.iter().map(|hour| at(*hour)).collect();
            hour_of("UTC", &signs.iter().map(String::as_str).collect::<Vec<_>>())
        };
        // A lone pair at 20 loses to a habit round ten o'clock.
        assert_eq!(best(&[9, 10, 10, 11, 20, 20]), Some(10));
        assert_eq!(best(&[10, 10, 11, 11]), Some(10));
        assert_eq!(best(&[22, 23, 23, 0, 12, 12]), Some(23));
        assert_eq!(best(&[23, 0, 0, 1]), Some(0));
        assert_eq!(best(&[5, 12, 19]), Some(5));
    }

    #[test]
    fn the_next_best_hour_is_now_within_it_and_the_fallback_without_signs() {
        let zone = Zone::parse("Europe/Moscow").unwrap();
        let sign: Timestamp = "2026-03-02T10:40:00+03:00".parse().unwrap();
        let next = |signs: usize, after: &str| {
            let at = next_best_hour(
                std::iter::repeat_n(sign, signs),
                Time::constant(9, 30, 0, 0),
                after.parse().unwrap(),
                &zone,
            );
            zone.rfc3339(at).to_string()
        };
        assert_eq!(
            next(3, "2026-03-09T09:59:00+03:00"),
            "2026-03-09T10:00:00+03:00"
        );
        assert_eq!(
            next(3, "2026-03-09T10:20:00+03:00"),
            "2026-03-09T10:20:00+03:00"
        );
        assert_eq!(
            next(3, "2026-03-09T11:00:00+03:00"),
            "2026-03-10T10:00:00+03:00"
        );
        assert_eq!(
            next(2, "2026-03-09T10:20:00+03:00"),
            "2026-03-10T09:30:00+03:00"
        );
        assert_eq!(
            next(0, "2026-03-09T09:30:00+03:00"),
            "2026-03-09T09:30:00+03:00"
        );
    }
}
