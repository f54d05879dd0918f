//! A route that keeps failing rests, and is tried again by one message at a time.
//!
//! Closed: everything passes. After several failures in a row it opens for a pause; when the pause is over
//! one attempt probes, and its end closes the breaker or opens it for twice as long. Refused credentials
//! open it sooner and longer, because repeated wrong passwords lock accounts.
//!
//! A state machine without a clock: `now` is an argument.
//!
//! **Absent:** what counts as a failure; see [`pool`](super::pool).

use std::time::{Duration, Instant};

/// Refusals of the credentials in a row before the route rests.
pub(crate) const AUTH_FAILURES_MAX: u32 = 2;
/// First rest after refused credentials, at least. New credentials end it at once.
pub(crate) const AUTH_PAUSE_MIN: Duration = Duration::from_secs(300);
/// A probe that has not ended by now (its caller gave up, say) no longer keeps others from probing.
pub(crate) const PROBE_DURATION_MAX: Duration = Duration::from_secs(120);
/// Rests double at most this often, so that the arithmetic cannot overflow.
const PAUSE_DOUBLINGS_MAX: u32 = 16;

/// Why a route rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerCause {
    /// It cannot be reached, or it fails in the middle.
    Link,
    /// It refuses our credentials: somebody must enter new ones.
    Auth,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BreakerLimits {
    pub(crate) failures_max: u32,
    pub(crate) pause_min: Duration,
    pub(crate) pause_max: Duration,
}

#[derive(Debug)]
pub(crate) struct Breaker {
    limits: BreakerLimits,
    state: State,
}

#[derive(Debug)]
enum State {
    Closed {
        link_failures: u32,
        auth_failures: u32,
    },
    Open {
        until: Instant,
        cause: BreakerCause,
        openings: u32,
    },
    Probing {
        until: Instant,
        cause: BreakerCause,
        openings: u32,
    },
}

const CLOSED: State = State::Closed {
    link_failures: 0,
    auth_failures: 0,
};

impl Breaker {
    pub(crate) fn new(limits: BreakerLimits) -> Self {
        Self {
            limits,
            state: CLOSED,
        }
    }

    /// The rest still to come, if any. Changes nothing.
    pub(crate) fn resting(&self, now: Instant) -> Option<(BreakerCause, Duration)> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until, cause, .. } | State::Probing { until, cause, .. } => {
                (now < until).then(|| (cause, until - now))
            }
        }
    }

    /// An attempt goes out. After a rest it becomes the probe, and others wait for it.
    pub(crate) fn enter(&mut self, now: Instant) {
        match self.state {
            State::Closed { .. } => {}
            State::Open {
                cause, openings, ..
            }
            | State::Probing {
                cause, openings, ..
            } => {
                self.state = State::Probing {
                    until: now + PROBE_DURATION_MAX,
                    cause,
                    openings,
                };
            }
        }
    }

    /// The attempt never reached the wire and says nothing about the route.
    pub(crate) fn abandon(&mut self, now: Instant) {
        if let State::Probing {
            cause, openings, ..
        } = self.state
        {
            self.state = State::Open {
                until: now,
                cause,
                openings,
            };
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.state = CLOSED;
    }

    /// Returns true if this failure opened the breaker.
    pub(crate) fn failed(&mut self, cause: BreakerCause, now: Instant) -> bool {
        let openings = match &mut self.state {
            State::Closed {
                link_failures,
                auth_failures,
            } => {
                let (count, limit) = match cause {
                    BreakerCause::Link => (link_failures, self.limits.failures_max),
                    BreakerCause::Auth => (auth_failures, AUTH_FAILURES_MAX),
                };
                *count += 1;
                if *count < limit {
                    return false;
                }
                0
            }
            // An attempt that had begun before the breaker opened: the rest is already decided.
            State::Open { .. } => return false,
            State::Probing { openings, .. } => *openings + 1,
        };
        let pause_min = match cause {
            BreakerCause::Link => self.limits.pause_min,
            BreakerCause::Auth => self.limits.pause_min.max(AUTH_PAUSE_MIN),
        };
        let pause = pause_min
            .saturating_mul(1 << openings.min(PAUSE_DOUBLINGS_MAX))
            .min(self.limits.pause_max.max(pause_min));
        self.state = State::Open {
            until: now + pause,
            cause,
            openings,
        };
        true
    }

    /// New credentials: what the old ones earned is forgotten.
    pub(crate) fn credentials_changed(&mut self) {
        match &mut self.state {
            State::Closed { auth_failures, .. } => *auth_failures = 0,
            State::Open {
                cause: BreakerCause::Auth,
                ..
            }
            | State::Probing {
                cause: BreakerCause::Auth,
                ..
            } => {
                self.state = CLOSED;
            }
            State::Open {
                cause: BreakerCause::Link,
                ..
            }
            | State::Probing {
                cause: BreakerCause::Link,
                ..
            } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BreakerLimits = BreakerLimits {
        failures_max: 3,
        pause_min: Duration::from_secs(10),
        pause_max: Duration::from_secs(60),
    };

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let start = Instant::now();
        let mut breaker = Breaker::new(LIMITS);
        assert!(!breaker.failed(BreakerCause::Link, start));
        assert!(!breaker.failed(BreakerCause::Link, start));
        breaker.succeeded();
        assert!(!breaker.failed(BreakerCause::Link, start));
        assert!(!breaker.failed(BreakerCause::Link, start));
        assert_eq!(breaker.resting(start), None);
        assert!(breaker.failed(BreakerCause::Link, start));
        assert_eq!(
            breaker.resting(start),
            Some((BreakerCause::Link, Duration::from_secs(10)))
        );
    }

    #[test]
    fn one_probe_after_the_rest_and_longer_rests_after_failed_probes() {
        let start = Instant::now();
        let mut breaker = Breaker::new(LIMITS);
        for _ in 0..3 {
            breaker.failed(BreakerCause::Link, start);
        }
        assert_eq!(breaker.resting(at(start, 10)), None, "the rest is over");
        breaker.enter(at(start, 10));
        assert!(
            breaker.resting(at(start, 10)).is_some(),
            "the others wait for the probe"
        );
        assert!(breaker.failed(BreakerCause::Link, at(start, 11)));
        assert_eq!(
            breaker.resting(at(start, 11)),
            Some((BreakerCause::Link, Duration::from_secs(20)))
        );
        for _ in 0..40 {
            breaker.enter(at(start, 1000));
            breaker.failed(BreakerCause::Link, at(start, 1000));
        }
        assert_eq!(
            breaker.resting(at(start, 1000)),
            Some((BreakerCause::Link, Duration::from_secs(60)))
        );
        breaker.enter(at(start, 2000));
        breaker.succeeded();
        assert_eq!(breaker.resting(at(start, 2000)), None);
    }

    #[test]
    fn a_probe_that_never_ends_or_never_started_blocks_nobody() {
        let start = Instant::now();
        let mut breaker = Breaker::new(LIMITS);
        for _ in 0..3 {
            breaker.failed(BreakerCause::Link, start);
        }
        breaker.enter(at(start, 10));
        assert!(breaker.resting(at(start, 11)).is_some());
        assert_eq!(breaker.resting(at(start, 10) + PROBE_DURATION_MAX), None);
        breaker.abandon(at(start, 12));
        assert_eq!(breaker.resting(at(start, 12)), None);
    }

    #[test]
    fn refused_credentials_rest_sooner_and_new_ones_end_it() {
        let start = Instant::now();
        let mut breaker = Breaker::new(LIMITS);
        assert!(!breaker.failed(BreakerCause::Auth, start));
        assert!(breaker.failed(BreakerCause::Auth, start));
        assert_eq!(
            breaker.resting(start),
            Some((BreakerCause::Auth, AUTH_PAUSE_MIN))
        );
        breaker.credentials_changed();
        assert_eq!(breaker.resting(start), None);
    }

    #[test]
    fn late_failures_do_not_lengthen_the_rest() {
        let start = Instant::now();
        let mut breaker = Breaker::new(LIMITS);
        for _ in 0..3 {
            breaker.failed(BreakerCause::Link, start);
        }
        assert!(!breaker.failed(BreakerCause::Link, at(start, 5)));
        assert_eq!(breaker.resting(at(start, 10)), None);
    }
}
