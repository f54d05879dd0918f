//! Load, decide, commit, dispatch; owns the ports [`Store`](ports::Store) and
//! [`Dispatcher`](ports::Dispatcher).
//!
//! One turn takes a batch of arrivals, due timers and ready messages, loads the contacts they concern,
//! lets `relance-core` decide, and commits all of it in one transaction. Only then are callers
//! acknowledged and messages handed on. So a crash loses nothing acknowledged, and nothing happens twice
//! inside the database.
//!
//! **Absent:** SQL, sockets, rules. A rule stands in `relance-core`.

pub mod arrival;
pub mod clock;
pub mod ports;
pub mod quiet;
pub mod run;
pub mod sharing;
pub mod topics;
pub mod turn;
