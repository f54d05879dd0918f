//! SQLite and PostgreSQL behind the engine's [`Store`](relance_engine::ports::Store) port, and the pages'
//! view of them.
//!
//! One workspace is one database (design section 2), at a [`Place`]. The engine's thread owns a store, the
//! only writer of its contacts; pages and the API use a [`Reader`] beside it. What every store must do is written down in `conformance`, which runs on any of them.
//!
//! **Absent:** decisions (see `relance-core`), the shapes of stored texts (see `relance-wire`).

mod any;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod moving;
mod payment;
mod place;
pub mod postgres;
pub mod read;
pub mod registry;
mod sql;
pub mod sqlite;
#[cfg(any(test, feature = "conformance"))]
pub mod testing;

pub use any::AnyStore;
pub(crate) use place::blocking;
pub use place::{DatabaseUrl, Place, PlaceError};
pub use read::Reader;
pub use sqlite::{OpenError, SqliteOptions, SqliteStore, Synchronous};
