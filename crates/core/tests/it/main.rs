//! Stories and properties of the core.

mod golden;
mod stories;
mod story;
mod time;
