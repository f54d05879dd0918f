//! Contacts from files: read as a stream, shown before anything changes, and resumable.
//!
//! A file is read row by row; each row becomes events with ids of its own, which the engine takes in batches
//! as it takes any others. A job remembers how far it was acknowledged, so that it goes on after a crash, and
//! a row that is told twice changes nothing (R6). Rows that cannot be used go to a file with their reasons,
//! in a shape that can be mended and imported again.
//!
//! **Absent:** what a column means and how a cell is read (`relance_wire::table`), and what an event does to
//! a contact (`relance_core`).

pub mod archive;
pub mod errors;
pub mod job;
pub mod jobs;
pub mod known;
pub mod leftovers;
pub mod local;
pub mod run;
pub mod source;
pub mod workbook;
