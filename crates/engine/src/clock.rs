//! The moment, as an object: the system's, or a virtual one that runs faster.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Tells the moment, and how long it really takes until another.
pub trait Clock: Send + Sync {
    /// The moment.
    fn now(&self) -> Timestamp;

    /// How long a thread must sleep until `at`.
    fn real_time_until(&self, at: Timestamp) -> Duration {
        at.duration_since(self.now()).try_into().unwrap_or_default()
    }
}

/// A clock that many share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock, in whole milliseconds as all moments that are decided: an event told now has happened
/// when it is decided, and is not a fraction of a millisecond ahead.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// A clock that stands still until it is set: for demonstrations and tests. It never goes back.
#[derive(Debug)]
pub struct VirtualClock(AtomicI64);

impl VirtualClock {
    /// A clock that stands at a moment.
    pub fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.as_millisecond()))
    }

    /// Sets the clock forward.
    pub fn set(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millisecond(), Ordering::SeqCst);
    }

    /// Sets the clock forward by a time.
    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::MIN)
    }

    fn real_time_until(&self, at: Timestamp) -> Duration {
        /// How often a thread looks whether the clock was set.
        const LOOK_AGAIN: Duration = Duration::from_millis(5);
        if at <= self.now() {
            Duration::ZERO
        } else {
            LOOK_AGAIN
        }
    }
}
