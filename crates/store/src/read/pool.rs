//! A few connections that only read, taken and given back.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relance_engine::ports::StoreError;
use rusqlite::{Connection, OpenFlags};

use super::db::{Conn, Row, Value, values};
use super::pg::PgConn;
use super::{POSTGRES, ReadError, SQLITE};
use crate::postgres::connect::Address;
use crate::sql::ReadSql;
use crate::sqlite::error::{Located, store_error};
use crate::sqlite::{OpenError, keep_plans};
use crate::{DatabaseUrl, Place, PlaceError, postgres};

/// Connections of one reader; further callers wait.
pub const READERS_MAX: usize = 8;
/// Statements kept prepared by a connection: more than there are.
const STATEMENTS_KEPT: usize = 128;
/// How long a reader waits for the file itself, which only another program can hold.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the file is read through the memory map.
const MMAP_BYTES: u64 = 256 << 20;

/// Reads a workspace beside its writer.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    pub(super) sql: ReadSql,
    pool: Mutex<Pool>,
    returned: Condvar,
}

/// Where connections lead to.
#[derive(Debug)]
enum Source {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Address>),
}

impl Source {
    fn connect(&self) -> Result<Conn, StoreError> {
        match self {
            Self::Sqlite(path) => connect_file(path).map(Conn::Sqlite),
            Self::Postgres(address) => PgConn::open(address).map(Conn::Postgres),
        }
    }
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Conn>,
    /// Connections that exist, idle or not.
    open: usize,
}

impl Reader {
    /// Opens a file that a [`SqliteStore`](crate::SqliteStore) has created.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let sql = ReadSql::load(SQLITE)?;
        let conn = connect_file(path)?;
        crate::sqlite::check_current(&conn)?;
        let source = Source::Sqlite(path.to_owned());
        Ok(Self::of(source, sql, Conn::Sqlite(conn)))
    }

    /// Opens a workspace of a server that a store has created.
    pub fn open_url(url: &DatabaseUrl) -> Result<Self, postgres::OpenError> {
        let sql = ReadSql::load(POSTGRES)?;
        let source = Source::Postgres(Box::new(url.address().clone()));
        let conn = PgConn::open(url.address())?;
        conn.check(url.address())?;
        Ok(Self::of(source, sql, Conn::Postgres(conn)))
    }

    /// Opens a workspace wherever it is.
    pub fn open_place(place: &Place) -> Result<Self, PlaceError> {
        Ok(match place {
            Place::File(path) => Self::open(path)?,
            Place::Server(url) => Self::open_url(url)?,
        })
    }

    fn of(source: Source, sql: ReadSql, first: Conn) -> Self {
        let pool = Mutex::new(Pool {
            idle: vec![first],
            open: 1,
        });
        Self {
            source,
            sql,
            pool,
            returned: Condvar::new(),
        }
    }

    /// The file that is read; `None` when the workspace lies on a server.
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            Source::Sqlite(path) => Some(path),
            Source::Postgres(_) => None,
        }
    }

    /// Whether a move into this database was begun and has not ended.
    pub fn is_half_moved(&self) -> Result<bool, StoreError> {
        let mut conn = self.take().map_err(|error| match error {
            ReadError::Store(error) => error,
            other @ (ReadError::Cursor(_) | ReadError::Exists(_) | ReadError::ServerBackup) => {
                StoreError::Failed(other.to_string())
            }
        })?;
        let outcome = match &mut conn {
            Conn::Sqlite(_) => Ok(false),
            Conn::Postgres(conn) => conn.is_half_moved(),
        };
        self.give_back(conn);
        outcome
    }

    /// Whether another program than the node of this name works on the workspace right now, as a node among
    /// several.
    pub fn works_elsewhere(&self, node: Option<&str>) -> Result<bool, ReadError> {
        let key = values![node.unwrap_or_default()];
        let others = self.one(self.sql.nodes_beside, "node", key, |row| {
            row.count(0).at("node", "")
        })?;
        Ok(others.is_some_and(|others| others > 0))
    }

    /// What a workspace on a server is told by: it stays the same while the server's data does, and is
    /// another for what was restored from a dump. `None` for a file, which is told by itself.
    pub fn server_identity(&self) -> Result<Option<String>, ReadError> {
        let found = self.one(self.sql.database_identity, "database", values![], |row| {
            Ok(row
                .text_or_null(0)
                .at("database", "identity")?
                .map(str::to_owned))
        })?;
        Ok(found.flatten())
    }

    /// Writes a copy of the workspace, whole and as of one moment, while everything goes on. `to` must
    /// not exist. The copy is on the disk when this returns.
    pub fn backup(&self, to: &Path) -> Result<(), ReadError> {
        match &self.source {
            Source::Sqlite(_) => {}
            Source::Postgres(_) => return Err(ReadError::ServerBackup),
        }
        if to.exists() {
            return Err(ReadError::Exists(to.display().to_string()));
        }
        let name = to.to_str().ok_or_else(|| {
            StoreError::Failed(format!("the path {} is not readable text", to.display()))
        })?;
        self.with(|conn| {
            match conn {
                Conn::Sqlite(conn) => {
                    conn.execute("VACUUM INTO ?1", [name]).at("backup", name)?;
                }
                Conn::Postgres(_) => return Err(ReadError::ServerBackup),
            }
            let sync = std::fs::File::open(to).and_then(|file| file.sync_all());
            sync.map_err(|error| StoreError::Failed(format!("the backup {name}: {error}")).into())
        })
    }

    /// Lends a connection: for several statements that need not agree about the moment that they show.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&mut Conn) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut conn = self.take()?;
        let outcome = read(&mut conn);
        self.give_back(conn);
        outcome
    }

    /// Lends a connection whose statements all show one moment of the database.
    pub(super) fn snapshot<T>(
        &self,
        read: impl FnOnce(&mut Conn) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.with(|conn| conn.snapshot(read))
    }

    /// The rows of a statement.
    pub(super) fn rows<T>(
        &self,
        sql: &'static str,
        table: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, ReadError> {
        self.again(|conn| conn.rows(sql, table, params, &mut read))
    }

    /// The first row of a statement.
    pub(super) fn one<T>(
        &self,
        sql: &'static str,
        table: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, ReadError> {
        self.again(|conn| conn.one(sql, table, params, &mut read))
    }

    /// Reads; once more when the connection turned out to be lost, as after a restart of the server.
    fn again<T>(
        &self,
        mut read: impl FnMut(&mut Conn) -> Result<T, StoreError>,
    ) -> Result<T, ReadError> {
        let mut conn = self.take()?;
        let outcome = read(&mut conn);
        let is_lost = outcome.is_err() && !conn.is_usable();
        self.give_back(conn);
        if is_lost {
            return self.with(|conn| Ok(read(conn)?));
        }
        Ok(outcome?)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        // Nothing is done under the lock that could leave the pool half changed.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Conn, ReadError> {
        let mut pool = self.lock();
        loop {
            if let Some(conn) = pool.idle.pop() {
                if conn.is_usable() {
                    return Ok(conn);
                }
                pool.open -= 1;
                continue;
            }
            if pool.open < READERS_MAX {
                pool.open += 1;
                drop(pool);
                return self.source.connect().map_err(|error| {
                    self.lock().open -= 1;
                    self.returned.notify_one();
                    error.into()
                });
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, conn: Conn) {
        let mut pool = self.lock();
        let mut lost = Vec::new();
        if conn.is_usable() {
            pool.idle.push(conn);
        } else {
            // A server that ended one connection has most likely ended all of them.
            lost.append(&mut pool.idle);
            lost.push(conn);
            pool.open -= lost.len();
        }
        drop(pool);
        self.returned.notify_all();
    }
}

fn connect_file(path: &Path) -> Result<Connection, StoreError> {
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
