//! When a moment that moves with the clock passes a moment that stands still.
//!
//! `now` less a month jumps at midnights, and back and forth where months or DST end; so the moment at which
//! something leaves a window of such a length is looked for piece by piece. **Invariant:** never late, and
//! always after `now`; counted in whole milliseconds. Early is allowed where looking on would take long.

use jiff::{SignedDuration, Timestamp};

use crate::time::{Calendar, NON_WORKING_RUN_DAYS_MAX, Zone, civil_day, day_bounds};

use super::{Delay, HOUR, Length, MINUTE, SECOND, exactly_later};

/// Pieces that one search looks at.
const PIECES_MAX: usize = 48;
/// How much earlier than its opposite suggests something may leave: a zone that skips a day, and DST.
const SLACK_DAYS: i64 = 2;
/// How long no clock may have changed before a moment, and after it, so that days are as long as days are.
const CALM_BEFORE: i64 = 86_400 * (SLACK_DAYS + 1);
const CALM_AFTER: i64 = 86_400;
/// The same where the months differ in length.
const SLACK_MONTHS: i64 = 6;
/// Every month has this day.
const SHORTEST_MONTH_DAYS: i8 = 28;
/// How soon to look again where the next midnight is not known.
const SOON_MINUTES: i64 = 5;
/// How far a moving moment may go back, in hours: a day that is lived twice, and DST.
const BACK_HOURS: i64 = 52;

impl Delay {
    /// The first moment after `now` at which `sub(that moment) > at` may be another answer than now; `None` is
    /// never.
    pub fn left_at(
        &self,
        at: Timestamp,
        now: Timestamp,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        self.left_from(self.sub(now, zone, calendar), at, now, zone, calendar)
    }

    /// [`Delay::left_at`] where `sub(now)` is known: one window is asked about many moments.
    pub(crate) fn left_from(
        &self,
        start: Timestamp,
        at: Timestamp,
        now: Timestamp,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        self.passes(start, at, now, -1, zone, calendar)
    }

    /// The same of `add(that moment) > at`.
    pub fn reached_at(
        &self,
        at: Timestamp,
        now: Timestamp,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        self.passes(self.add(now, zone, calendar), at, now, 1, zone, calendar)
    }

    /// `start` is where `now` is moved to.
    fn passes(
        &self,
        start: Timestamp,
        at: Timestamp,
        now: Timestamp,
        direction: i32,
        zone: &Zone,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        let moved = |from| match direction {
            1 => self.add(from, zone, calendar),
            _back => self.sub(from, zone, calendar),
        };
        let passed = start > at;
        if self.is_exact() {
            return match passed {
                true => None,
                false => just_after(now.checked_add(at.duration_since(start)).ok()?),
            };
        }
        let back = SignedDuration::from_hours(BACK_HOURS);
        if passed && start.duration_since(at) > back {
            return None;
        }
        let mut here = now;
        if !passed {
            // Far away it is certain; the search begins near.
            let opposite = match direction {
                1 => self.sub(at, zone, calendar),
                _back => self.add(at, zone, calendar),
            };
            if let Some(left) = self.steadily(at, opposite, zone).filter(|left| *left > now) {
                return Some(left);
            }
            if opposite > now && self.is_plain_at(at, opposite, zone) {
                return just_after(opposite);
            }
            let near = opposite.checked_sub(self.slack()).ok()?;
            let near = Timestamp::from_millisecond(near.as_millisecond()).ok()?;
            here = here.max(near);
        }
        for _ in 0..PIECES_MAX {
            if here > now && (moved(here) > at) != passed {
                return Some(here);
            }
            if passed && moved(here).duration_since(at) > back {
                return None;
            }
            let end = self.piece_end(here, moved(here), direction, zone)?;
            let reach = here.checked_add(at.duration_since(moved(here))).ok();
            here = match reach.filter(|_| !passed).and_then(just_after) {
                Some(reach) if here < reach && reach < end => {
                    standing_still(reach, end, |moment| moved(moment) <= at)
                }
                Some(_) | None => end,
            };
        }
        Some(here)
    }

    /// The answer where days alone are counted and the offset changes neither near the moment nor near its
    /// opposite, as on most days of the year: there the moving moment moves as fast as the clock.
    fn steadily(&self, at: Timestamp, opposite: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let Length::Units { amounts, .. } = self.0 else {
            return None;
        };
        let mut units = amounts.iter().enumerate();
        let other = units.any(|(unit, n)| *n > 0 && unit != super::WEEK && unit != super::DAY);
        let is_calm = |moment: Timestamp| {
            let second = moment.as_second();
            let known = zone.kept_at(second);
            // A second more, for its part that is left out.
            if known.is_some_and(|kept| kept.round(second, CALM_BEFORE, CALM_AFTER + 1)) {
                return true;
            }
            let from = moment.checked_sub(SignedDuration::from_secs(CALM_BEFORE));
            let to = moment.checked_add(SignedDuration::from_secs(CALM_AFTER));
            let (Ok(from), Ok(to)) = (from, to) else {
                return false;
            };
            let change = zone.time_zone().following(from).next();
            change.is_none_or(|change| change.timestamp() > to)
        };
        (!other && is_calm(at) && is_calm(opposite)).then(|| just_after(opposite))?
    }

    /// Whether there and back are each other's inverse here: only days, or only months that have the day, and
    /// no clock is changed round either end.
    fn is_plain_at(&self, at: Timestamp, opposite: Timestamp, zone: &Zone) -> bool {
        let Length::Units { amounts, .. } = self.0 else {
            return false;
        };
        let (months, days) = super::civil_part(&amounts);
        let is_exact_too = amounts[HOUR] + amounts[MINUTE] + amounts[SECOND] > 0;
        let has_day = months == 0 || (days == 0 && zone.local(at).day() < SHORTEST_MONTH_DAYS);
        let round = SignedDuration::from_hours(24 * SLACK_DAYS);
        let is_calm = |moment: Timestamp| {
            let ends = (moment.checked_sub(round), moment.checked_add(round));
            let (Ok(before), Ok(after)) = ends else {
                return false;
            };
            // Zone data has no two opposite changes so close to each other.
            zone.time_zone().to_offset(before) == zone.time_zone().to_offset(after)
        };
        !is_exact_too && has_day && is_calm(at) && is_calm(opposite)
    }

    fn slack(&self) -> SignedDuration {
        let days = match self.0 {
            Length::Units { amounts, .. } => {
                let is_civil = amounts[super::YEAR] + amounts[super::MONTH] > 0;
                if is_civil { SLACK_MONTHS } else { SLACK_DAYS }
            }
            // A working day stands for the days off after it as well.
            Length::WorkingDays(_) => SLACK_DAYS + i64::from(NON_WORKING_RUN_DAYS_MAX),
        };
        SignedDuration::from_hours(24 * days)
    }

    /// Up to where the moving moment moves as fast as the clock.
    fn piece_end(
        &self,
        here: Timestamp,
        moved: Timestamp,
        direction: i32,
        zone: &Zone,
    ) -> Option<Timestamp> {
        let midnight = day_bounds(civil_day(here, zone).checked_add(1)?, zone).start;
        // In an evening that is lived twice midnight has been once already, and comes again soon.
        let midnight = match midnight > here {
            true => midnight,
            false => here
                .checked_add(SignedDuration::from_mins(SOON_MINUTES))
                .ok()?,
        };
        let tz = zone.time_zone();
        let own = tz.following(here).next().map(|change| change.timestamp());
        // What it is moved to has changes of its own, which the exact part of the delay only shifts.
        let civil = match self.0 {
            Length::Units { amounts, .. } => {
                let mut exact = [0; super::UNITS.len()];
                for unit in [HOUR, MINUTE, SECOND] {
                    exact[unit] = amounts[unit];
                }
                exactly_later(moved, &exact, -direction)
            }
            Length::WorkingDays(_) => moved,
        };
        let there = tz.following(civil).next();
        let there = there.and_then(|change| {
            let ahead = change.timestamp().duration_since(civil);
            here.checked_add(ahead).ok()
        });
        let ends = [Some(midnight), own, there].into_iter().flatten();
        ends.filter(|end| *end > here).min().and_then(whole)
    }
}

/// A late moment from `here` on and before `end` up to which it `stays` so, where it does not change back: a clock that
/// skips an hour lets the moving moment stand still as long.
fn standing_still(here: Timestamp, end: Timestamp, stays: impl Fn(Timestamp) -> bool) -> Timestamp {
    let mut here = here;
    let mut step = SignedDuration::from_millis(1);
    while stays(here) {
        match here.checked_add(step) {
            Ok(next) if next < end && stays(next) => here = next,
            Ok(_) | Err(_) => break,
        }
        step = step.saturating_add(step);
    }
    here
}

/// The first whole millisecond after a moment.
fn just_after(at: Timestamp) -> Option<Timestamp> {
    let below = at.as_millisecond();
    // Before 1970 the part below a millisecond counts the other way.
    if below > 0 {
        return Timestamp::from_millisecond(below + 1).ok();
    }
    whole(at.checked_add(SignedDuration::from_nanos(1)).ok()?)
}

/// The first whole millisecond that is not before a moment.
fn whole(at: Timestamp) -> Option<Timestamp> {
    let below = Timestamp::from_millisecond(at.as_millisecond()).ok()?;
    if below < at {
        return below.checked_add(SignedDuration::from_millis(1)).ok();
    }
    Some(below)
}
