//! Stories and properties of the core.

mod docs;
mod golden;
mod stories;
mod story;
mod time;
