//! Integration tests of `relance-message`, one binary: what real material becomes.
//!
//! Run `cargo test -p relance-message --test it accuracy -- --nocapture` for the accuracy table.

// The purity of the crate ends where its tests read real files and clocks.
#![allow(clippy::disallowed_methods)]

mod accuracy;
mod accuracy_more;
mod answers;
mod corpora;
mod documents;
mod hostile;
mod mime;
mod scenarios;
mod stories;
