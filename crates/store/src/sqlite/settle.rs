//! Brings what the store keeps in memory into the file, and marks a file whose workspace went elsewhere.
//!
//! **Absent:** the move itself (see [`crate::moving`]).

use relance_engine::ports::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension};

use super::error::Located;
use super::{OpenError, SqliteStore, migrate};

/// Added to the version of a file whose workspace went elsewhere: programs that know nothing of moves take
/// it for a newer file, and refuse it.
pub(super) const MOVED: i64 = 1_000_000;
/// The asset that says where the workspace went.
pub(crate) const MOVED_TO: (&str, &str) = ("setting", "moved_to");

/// As if so many events had come in: more than are ever held.
const EVENTS_AT_ONCE: usize = usize::MAX >> 8;

impl SqliteStore {
    /// Writes all beginnings of chains that are held in memory: `event_head` is right for the whole log.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        self.begin()?;
        let held_min = std::mem::replace(&mut self.heads.held_min, 0);
        // The first time writes what is held, the second finds nothing left and moves the mark.
        let swept =
            (0..2).try_for_each(|_| self.heads.sweep(&self.conn, &self.sql, EVENTS_AT_ONCE));
        self.heads.held_min = held_min;
        let swept = swept.and_then(|()| {
            while self.bring_over()? {}
            Ok(())
        });
        let outcome = swept.and_then(|()| self.commit());
        if outcome.is_err() {
            self.rollback();
        }
        outcome
    }
}

/// Where a file's workspace went, if it did.
pub(crate) fn moved_to(conn: &Connection) -> Result<Option<String>, StoreError> {
    if migrate::version_of(conn)? < MOVED {
        return Ok(None);
    }
    let found = conn
        .query_row(
            "SELECT body FROM asset WHERE kind = ?1 AND name = ?2",
            MOVED_TO,
            |row| row.get(0),
        )
        .optional()
        .at("asset", MOVED_TO.1)?;
    Ok(Some(found.unwrap_or_default()))
}

/// Refuses a file whose workspace went elsewhere.
pub(super) fn check_not_moved(conn: &Connection) -> Result<(), OpenError> {
    match moved_to(conn)? {
        Some(to) => Err(OpenError::Moved { to }),
        None => Ok(()),
    }
}

/// Marks a file: no program serves from it any more. `to` says where the workspace is; it is shown.
pub(crate) fn mark_moved(conn: &mut Connection, to: &str) -> Result<(), StoreError> {
    let whole = conn.transaction().at("moved", "begin")?;
    let version = migrate::version_of(&whole)?;
    whole
        .execute(
            "INSERT INTO asset (kind, name, updated_at, body) VALUES (?1, ?2, 0, ?3)
             ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
            (MOVED_TO.0, MOVED_TO.1, to),
        )
        .at("asset", MOVED_TO.1)?;
    if version < MOVED {
        whole
            .pragma_update(None, "user_version", version + MOVED)
            .at("pragma", "user_version")?;
    }
    whole.commit().at("moved", "commit")
}
