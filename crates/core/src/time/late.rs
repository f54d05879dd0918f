//! May a step that is overdue still be done? (Rule R4, `late`.)
//!
//! **Absent:** what happens to a late step; that is the decision's business.

use jiff::Timestamp;

use super::{Calendar, Delay, Zone};

/// How late a step may be done when its author does not say.
pub const LATE_DEFAULT: Delay = Delay::days(2);

/// Whether `now` lies more than `allowance` after `due`. Exactly at the end of the allowance is not late.
pub fn is_late(
    due: Timestamp,
    now: Timestamp,
    allowance: &Delay,
    zone: &Zone,
    calendar: &Calendar,
) -> bool {
    now > allowance.add(due, zone, calendar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_is_civil_and_its_end_is_not_late() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let calendar = Calendar::weekends_only();
        // The clocks go forward in the night to 29 March 2026: two civil days are 47 hours.
        let due: Timestamp = "2026-03-28T09:00:00+01:00".parse().unwrap();
        let end: Timestamp = "2026-03-30T09:00:00+02:00".parse().unwrap();
        let late = |now| is_late(due, now, &LATE_DEFAULT, &zone, &calendar);
        assert!(!late(due));
        assert!(!late(end));
        assert!(late(Timestamp::from_second(end.as_second() + 1).unwrap()));
        assert_eq!(LATE_DEFAULT.to_string(), "2d");
    }
}
