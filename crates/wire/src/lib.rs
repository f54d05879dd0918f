//! Versioned shapes of everything stored or exchanged, and their conversion to core. Pure.
pub mod address;
pub mod api;
pub mod calendar;
pub mod explain;
pub mod journey;
pub mod list;
pub mod phone;
pub mod segment;
pub mod segments;
pub mod statement;
pub mod stored;
pub mod table;
pub mod yaml;
