//! A virtual world that drives the engine: clock, seeded faults, invariants.
//!
//! [`run`] lets one world live from a seed: people, mailboxes and a mail provider that fail in every way
//! that is known to happen, round the real engine over a real store. [`invariants`] are functions over
//! what was recorded. The same seed lives the same life; `README.md` says how to replay one.
//!
//! **Absent:** threads, sockets, the machine's clock and its chance.

pub mod history;
pub mod invariants;
mod mailbox;
mod plan;
mod recorder;
mod rng;
mod sim;
mod wire;

pub use sim::{Report, run, run_at};
