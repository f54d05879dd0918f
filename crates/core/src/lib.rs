//! What should happen: contacts, journeys, policy, and [`decide()`].
//!
//! Read [`mod@decide`] first, then the stories in `tests/stories/`.
//!
//! Pure: time, chance and identity are arguments. **Absent:** async, I/O, clocks, randomness, unordered
//! iteration, the shapes of what is stored (see `relance-wire`).

pub mod access;
pub mod account;
pub mod address;
pub mod backtest;
pub mod condition;
pub mod consent;
pub mod contact;
pub mod decide;
pub mod document;
pub mod enrollment;
pub mod event;
pub mod explain;
pub mod identity;
pub mod ids;
pub mod journey;
pub mod ledger;
pub mod mail;
pub mod orphans;
pub mod payment;
pub mod play;
pub mod policy;
pub mod preferences;
pub mod rfm;
pub mod segment;
pub mod snapshot;
pub mod subject;
pub mod suppression;
pub mod time;
pub mod touchpoint;
pub mod typed;
pub mod user;
pub mod value;
pub mod watch;
pub mod world;

pub use decide::{Effect, Input, Timer, TimerKind, decide};
pub use snapshot::Snapshot;
pub use world::World;
