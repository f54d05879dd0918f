//! Brings a file to the schema of this program, one step a transaction.
//!
//! The version stands in `user_version`, and `application_id` says whose file it is. A file of a newer
//! program, or of another one, is refused and not touched.

use rusqlite::Connection;

use super::OpenError;
use super::error::Located;

/// "Rlnc": in the header of every file of ours.
pub(super) const APPLICATION_ID: i32 = 0x526C_6E63;

/// Steps, in order; the first makes an empty file version 1.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_workspace.sql")];

/// The version of the schema that this program reads and writes.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

fn number(conn: &Connection, pragma: &str) -> Result<i64, OpenError> {
    Ok(conn
        .pragma_query_value(None, pragma, |row| row.get(0))
        .at("pragma", pragma)?)
}

/// Refuses a file that is not ours or is newer than this program. Changes nothing.
pub(crate) fn check(conn: &Connection) -> Result<(), OpenError> {
    let version = number(conn, "user_version")?;
    let application = number(conn, "application_id")?;
    if application != i64::from(APPLICATION_ID) {
        let objects: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .at("sqlite_schema", "")?;
        if objects > 0 || version != 0 {
            return Err(OpenError::Foreign);
        }
    }
    if usize::try_from(version).is_ok_and(|version| version <= SCHEMA_VERSION) {
        Ok(())
    } else {
        Err(OpenError::Newer {
            found: version,
            known: SCHEMA_VERSION,
        })
    }
}

/// Takes the steps that the file has not taken.
pub(super) fn migrate(conn: &Connection) -> Result<(), OpenError> {
    loop {
        conn.execute_batch("BEGIN IMMEDIATE")
            .at("migration", "begin")?;
        let outcome = step(conn);
        let end = if outcome.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        conn.execute_batch(end).at("migration", end)?;
        if !outcome? {
            return Ok(());
        }
    }
}

/// Takes one step; `false` when there was none to take. The version is read inside the transaction, so
/// that two programs which open one file do not take a step twice.
fn step(conn: &Connection) -> Result<bool, OpenError> {
    check(conn)?;
    let version = number(conn, "user_version")?;
    let Some(text) = usize::try_from(version)
        .ok()
        .and_then(|at| MIGRATIONS.get(at))
    else {
        return Ok(false);
    };
    let next = version + 1;
    conn.execute_batch(text).at("migration", next)?;
    conn.pragma_update(None, "user_version", next)
        .at("migration", next)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)
        .at("migration", next)?;
    Ok(true)
}
