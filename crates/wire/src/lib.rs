//! Versioned shapes of everything stored or exchanged, and their conversion to core. Pure.
pub mod api;
pub mod calendar;
pub mod explain;
pub mod journey;
pub mod list;
pub mod segment;
pub mod stored;
pub mod yaml;
