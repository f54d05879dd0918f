//! How fast the demonstration's time goes, and whether it stands: set by whoever looks at it, while it plays.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Virtual seconds in a real one, at most: beyond it the engine goes as fast as it can (0 means the same).
pub const SPEED_MAX: f64 = 1_000_000.0;

/// How time goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Virtual seconds in a real one; 0 is as fast as the engine goes.
    pub speed: f64,
    /// Time stands.
    pub paused: bool,
}

/// What is told of a demonstration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// How time goes.
    pub pace: Pace,
    /// Its first moment.
    pub begins_at: Timestamp,
    /// Its last one.
    pub ends_at: Timestamp,
    /// Everything was played; time stands for good.
    pub ended: bool,
}

/// The wheel of a demonstration: one turns it, the stage looks.
#[derive(Debug)]
pub struct Control {
    pace: watch::Sender<Pace>,
    begins_at: Timestamp,
    ends_at: Timestamp,
    ended: Mutex<bool>,
}

impl Control {
    /// A demonstration between two moments.
    pub fn new(speed: f64, begins_at: Timestamp, ends_at: Timestamp) -> Self {
        let pace = Pace {
            speed,
            paused: false,
        };
        Self {
            pace: watch::Sender::new(pace),
            begins_at,
            ends_at,
            ended: Mutex::new(false),
        }
    }

    /// What to tell.
    pub fn shown(&self) -> Shown {
        Shown {
            pace: self.pace(),
            begins_at: self.begins_at,
            ends_at: self.ends_at,
            ended: *self.ended(),
        }
    }

    /// How time goes now.
    pub fn pace(&self) -> Pace {
        *self.pace.borrow()
    }

    /// Changes how time goes. A speed beyond what is allowed becomes the nearest that is.
    pub fn set(&self, speed: Option<f64>, paused: Option<bool>) {
        self.pace.send_modify(|pace| {
            if let Some(speed) = speed.filter(|speed| speed.is_finite()) {
                pace.speed = speed.clamp(0.0, SPEED_MAX);
            }
            pace.paused = paused.unwrap_or(pace.paused);
        });
    }

    /// Waits until somebody changes it.
    pub async fn changed(&self) {
        // The sender lives in this object: waiting cannot fail.
        let _changed = self.pace.subscribe().changed().await;
    }

    /// Everything was played.
    pub fn end(&self) {
        *self.ended() = true;
    }

    fn ended(&self) -> MutexGuard<'_, bool> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_stays_within_its_bounds_and_a_pause_keeps_it() {
        let at = Timestamp::UNIX_EPOCH;
        let control = Control::new(3_600.0, at, at);
        control.set(None, Some(true));
        assert_eq!(
            control.pace(),
            Pace {
                speed: 3_600.0,
                paused: true
            }
        );
        control.set(Some(1e12), Some(false));
        assert_eq!(control.pace().speed, SPEED_MAX);
        control.set(Some(-1.0), None);
        control.set(Some(f64::NAN), None);
        assert_eq!(control.pace().speed, 0.0);
        assert!(!control.pace().paused);
        assert!(!control.shown().ended);
        control.end();
        assert!(control.shown().ended);
    }
}
