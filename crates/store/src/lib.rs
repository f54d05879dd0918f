//! SQLite behind the engine's [`Store`](relance_engine::ports::Store) port, and the pages' view of it.
//!
//! One workspace is one database (design section 2). The engine's thread owns a
//! [`SqliteStore`], the only writer; pages and the API use a [`Reader`]
//! beside it. What every store must do is written down in `conformance`, which runs on any of them.
//!
//! **Absent:** decisions (see `relance-core`), the shapes of stored texts (see `relance-wire`).

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod read;
mod sql;
pub mod sqlite;

pub use read::Reader;
pub use sqlite::{OpenError, SqliteOptions, SqliteStore, Synchronous};
