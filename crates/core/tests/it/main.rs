//! Stories and properties of the core.

mod docs;
mod documents;
mod golden;
mod limits;
mod lives;
mod merge;
mod needs;
mod publication;
mod replies;
mod stickiness;
mod stories;
mod story;
mod time;
mod time_broadcasts;
mod time_dates;
mod time_rules;
mod time_zones;
mod verdicts;
mod versions;
