//! A route's rate: the virtual scheduling algorithm (GCRA), one instant of state, `now` an argument.
//!
//! Each reservation takes the next free slot, so callers that arrive together are spread out instead of
//! racing; a burst may go ahead of schedule by a fixed number of slots. In any window of the period no more
//! than the limit passes.
//!
//! **Absent:** memory across a restart, and sharing between processes.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

#[derive(Debug, Clone)]
pub(crate) struct Rate {
    interval: Duration,
    /// How far ahead of its schedule a message may go.
    tolerance: Duration,
    /// When the slot after the last reserved one is due.
    next: Option<Instant>,
}

impl Rate {
    /// At most `count` in any `period`, of which `burst` may come at once.
    pub(crate) fn new(count: NonZeroU32, period: Duration, burst: NonZeroU32) -> Self {
        let burst = burst.get().min(count.get());
        // A burst spends the first slots of a window at once; the rest of the window shares what is left.
        // Rounded up: a nanosecond short, a thousand times, is a message too many.
        let interval = period / (count.get() - burst + 1) + Duration::from_nanos(1);
        Self {
            interval,
            tolerance: interval * (burst - 1),
            next: None,
        }
    }

    /// Evenly spread over each second.
    pub(crate) fn per_second(count: NonZeroU32) -> Self {
        Self::new(count, Duration::from_secs(1), NonZeroU32::MIN)
    }

    /// Over an hour, with a minute's share at once.
    pub(crate) fn per_hour(count: NonZeroU32) -> Self {
        let minute_share = NonZeroU32::new(count.get() / 60).unwrap_or(NonZeroU32::MIN);
        Self::new(count, Duration::from_secs(3600), minute_share)
    }

    /// How long until the next slot may be used. Reserves nothing.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.next.map_or(Duration::ZERO, |next| {
            next.saturating_duration_since(now)
                .saturating_sub(self.tolerance)
        })
    }

    /// Takes the next slot.
    pub(crate) fn reserve(&mut self, now: Instant) {
        let from = self.next.map_or(now, |next| next.max(now));
        self.next = Some(from + self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    /// Sends as fast as the rate allows and returns the times.
    fn schedule(mut rate: Rate, start: Instant, messages: usize) -> Vec<Instant> {
        let mut now = start;
        (0..messages)
            .map(|_| {
                now += rate.wait(now);
                rate.reserve(now);
                now
            })
            .collect()
    }

    #[test]
    fn no_window_holds_more_than_the_limit() {
        let start = Instant::now();
        for (limit, period, rate) in [
            (10, Duration::from_secs(1), Rate::per_second(count(10))),
            (1, Duration::from_secs(1), Rate::per_second(count(1))),
            (1, Duration::from_secs(3600), Rate::per_hour(count(1))),
            (100, Duration::from_secs(3600), Rate::per_hour(count(100))),
            (6000, Duration::from_secs(3600), Rate::per_hour(count(6000))),
        ] {
            let times = schedule(rate, start, limit * 3);
            for (index, &from) in times.iter().enumerate() {
                let inside = times[index..]
                    .iter()
                    .filter(|&&at| at < from + period)
                    .count();
                assert!(inside <= limit, "{inside} messages in a window of {limit}");
            }
        }
    }

    #[test]
    fn callers_that_arrive_together_get_successive_slots() {
        let now = Instant::now();
        let mut rate = Rate::per_second(count(10));
        let waits = [(); 3].map(|()| {
            let wait = rate.wait(now);
            rate.reserve(now);
            wait
        });
        assert_eq!(waits.map(|wait| wait.as_millis()), [0, 100, 200]);
    }

    #[test]
    fn an_hour_has_a_minutes_burst() {
        let now = Instant::now();
        let times = schedule(Rate::per_hour(count(600)), now, 11);
        assert_eq!(times[9], now, "ten at once");
        assert!(times[10] > now);
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let start = Instant::now();
        let mut rate = Rate::per_second(count(2));
        rate.reserve(start);
        let later = start + Duration::from_secs(60);
        rate.reserve(later);
        assert_eq!(rate.wait(later).as_millis(), 500);
    }
}
