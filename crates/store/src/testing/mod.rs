//! Servers that tests start for themselves, and texts that are looked at in review.

mod certificates;
pub mod golden;
pub mod postgres;
