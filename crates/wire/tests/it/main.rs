//! The journey language, as people meet it: every form, every refusal, the published schema, the examples.
#![allow(clippy::disallowed_methods, reason = "tests read fixtures")]

mod examples;
mod forms;
mod hostile;
mod mangled;
mod played;
mod ready_made;
mod refusals;
mod schema;
mod segments;
mod statements;
mod table;
