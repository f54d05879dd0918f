//! How often templates may be tried by mail.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::http::Problem;

/// Messages sent to try something, in [`TESTS_WITHIN`].
pub(super) const TESTS_MAX: usize = 20;
/// See [`TESTS_MAX`].
const TESTS_WITHIN: Duration = Duration::from_secs(60);

/// When messages were sent to try something.
#[derive(Debug, Default)]
pub struct Tests(Mutex<VecDeque<Instant>>);

impl Tests {
    /// Whether one more may go now.
    pub fn take(&self) -> Result<(), Problem> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while sent.front().is_some_and(|at| at.elapsed() >= TESTS_WITHIN) {
            sent.pop_front();
        }
        if sent.len() >= TESTS_MAX {
            let detail = format!("{TESTS_MAX} messages were tried within a minute; wait a little");
            let busy = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tests", detail);
            return Err(busy.retry_after(TESTS_WITHIN.as_secs() as u32));
        }
        sent.push_back(Instant::now());
        Ok(())
    }
}
