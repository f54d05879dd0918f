//! The demonstration's clock: it stands until it is set, and knows what the engine waits for.
//!
//! The engine asks a clock how long to sleep until its next due moment. Noting that moment tells the
//! driver how far it may go, so time never runs over a timer.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use relance_engine::clock::{Clock, VirtualClock};

/// A clock that is set by hand.
pub struct DemoClock {
    clock: VirtualClock,
    awaited: AtomicI64,
}

impl DemoClock {
    /// A clock that stands at a moment.
    pub fn new(at: Timestamp) -> Self {
        Self {
            clock: VirtualClock::new(at),
            awaited: AtomicI64::new(i64::MAX),
        }
    }

    /// Sets the clock forward.
    pub fn set(&self, at: Timestamp) {
        self.clock.set(at);
    }

    /// Forgets what the engine waits for, until it says so again.
    pub fn forget_awaited(&self) {
        self.awaited.store(i64::MAX, Ordering::SeqCst);
    }

    /// The moment that the engine waits for; `None` when it waits for nothing.
    pub fn awaited(&self) -> Option<Timestamp> {
        let at = self.awaited.load(Ordering::SeqCst);
        Timestamp::from_millisecond(at).ok()
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn real_time_until(&self, at: Timestamp) -> Duration {
        self.awaited.store(at.as_millisecond(), Ordering::SeqCst);
        self.clock.real_time_until(at)
    }
}
