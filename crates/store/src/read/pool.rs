//! A few read-only connections, taken and given back.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relance_engine::ports::StoreError;
use rusqlite::{Connection, OpenFlags, Params, Row};

use super::{FILES, ReadError};
use crate::sql::ReadSql;
use crate::sqlite::error::{Located, store_error};
use crate::sqlite::{OpenError, keep_plans};

/// Connections of one reader; further callers wait.
pub const READERS_MAX: usize = 8;
/// Statements kept prepared by a connection: more than there are.
const STATEMENTS_KEPT: usize = 64;
/// How long a reader waits for the file itself, which only another program can hold.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the file is read through the memory map.
const MMAP_BYTES: u64 = 256 << 20;

/// Reads a workspace's file beside its writer.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    pub(super) sql: ReadSql,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    /// Connections that exist, idle or not.
    open: usize,
}

impl Reader {
    /// Opens a file that a [`SqliteStore`](crate::SqliteStore) has created.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let sql = ReadSql::load(FILES)?;
        let conn = connect(path)?;
        crate::sqlite::check_current(&conn)?;
        let pool = Mutex::new(Pool {
            idle: vec![conn],
            open: 1,
        });
        Ok(Self {
            path: path.to_owned(),
            sql,
            pool,
            returned: Condvar::new(),
        })
    }

    /// Writes a copy of the workspace, whole and as of one moment, while everything goes on. `to` must
    /// not exist. The copy is on the disk when this returns.
    pub fn backup(&self, to: &Path) -> Result<(), ReadError> {
        if to.exists() {
            return Err(ReadError::Exists(to.display().to_string()));
        }
        let name = to.to_str().ok_or_else(|| {
            StoreError::Failed(format!("the path {} is not readable text", to.display()))
        })?;
        self.with(|conn| {
            conn.execute("VACUUM INTO ?1", [name]).at("backup", name)?;
            let sync = std::fs::File::open(to).and_then(|file| file.sync_all());
            sync.map_err(|error| StoreError::Failed(format!("the backup {name}: {error}")).into())
        })
    }

    /// Lends a connection.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let conn = self.take()?;
        let outcome = read(&conn);
        self.lock().idle.push(conn);
        self.returned.notify_one();
        outcome
    }

    /// The rows of a statement.
    pub(super) fn rows<T>(
        &self,
        sql: &'static str,
        table: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, ReadError> {
        self.with(|conn| {
            let mut found = Vec::new();
            let mut statement = conn.prepare_cached(sql).at(table, "")?;
            let mut rows = statement.query(params).at(table, "")?;
            while let Some(row) = rows.next().at(table, "")? {
                found.push(read(row)?);
            }
            Ok(found)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        // Nothing is done under the lock that could leave the pool half changed.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Connection, ReadError> {
        let mut pool = self.lock();
        loop {
            if let Some(conn) = pool.idle.pop() {
                return Ok(conn);
            }
            if pool.open < READERS_MAX {
                pool.open += 1;
                drop(pool);
                return connect(&self.path).map_err(|error| {
                    self.lock().open -= 1;
                    error.into()
                });
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        keep_plans(&conn)?;
        conn.pragma_update(None, "mmap_size", i64::try_from(MMAP_BYTES).unwrap_or(0))?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(conn)
    };
    open().map_err(|error| store_error(error, || format!("file {}", path.display())))
}
