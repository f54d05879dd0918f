//! A workspace goes from a file to a server, whole, once.
//!
//! Each table is carried over in a transaction of its own, in memory that does not grow with it, and what
//! arrived is compared with what left: rows, and a sum of their hashes. A move that ended early goes on when
//! it is called again: tables that arrived are compared once more and kept. Until the last step the server's
//! schema is marked as half moved and nobody works on it; before that step the file is marked as moved, and
//! nobody works on it ever after (R10). So at no moment two places can send the same message.
//!
//! **Absent:** the data folder's other files, and the way back.

mod rows;
mod tables;
#[cfg(test)]
mod tests;

use std::path::Path;

use relance_engine::ports::StoreError;
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use self::rows::{Cell, Sum, bytes, names, read, select_sql, sum_sql};
use self::tables::{TABLES, Table};
use crate::place::DatabaseUrl;
use crate::postgres::connect::{self, Link, Purpose};
use crate::postgres::error::PgLocated;
use crate::postgres::migrate;
use crate::read::db::Value;
use crate::sqlite::error::Located;
use crate::sqlite::settle::{MOVED_TO, mark_moved, moved_to};
use crate::{SqliteOptions, SqliteStore, blocking};

/// The table of the server that says what has arrived; there while a move is under way.
pub(crate) const MOVE_TABLE: &str = "relance_move";
/// Rows sent at once, and their size.
const ROWS_AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 1 << 20;
/// Events or lines in a block of ids (see the server's store), and contacts.
const ROW_BLOCK: i64 = 4_096;
const CONTACT_BLOCK: i64 = 256;

/// Why a workspace cannot be moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveProblem {
    /// The file cannot be opened.
    #[error(transparent)]
    File(#[from] crate::sqlite::OpenError),
    /// The server's schema cannot be opened.
    #[error(transparent)]
    Server(#[from] crate::postgres::OpenError),
    /// One of the two failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file was moved before.
    #[error("the workspace was moved to {0} already; it cannot go to another place from here")]
    Elsewhere(String),
    /// There is something.
    #[error("{0} holds a workspace already; name an empty schema: ?schema=NAME")]
    Occupied(String),
    /// Somebody works there.
    #[error("another program works on {0}; stop it")]
    InUse(String),
    /// What arrived is not what left.
    #[error(
        "the table {table} arrived with {arrived} rows of {left}, or with other contents; nothing was changed, try again"
    )]
    Differs {
        /// Which.
        table: &'static str,
        /// Rows that left.
        left: u64,
        /// Rows that arrived.
        arrived: u64,
    },
}

/// A table that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub rows: u64,
    /// It was there from a move that ended early.
    pub was_there: bool,
}

/// A move that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What arrived; nothing when the workspace was there already.
    pub tables: Vec<MovedTable>,
    /// The move had ended before.
    pub was_done: bool,
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The table under way.
    pub table: &'static str,
    /// Its rows that are on the server, or were compared.
    pub rows: u64,
}

/// Moves a stopped workspace. `leave` names texts (kind and name) that stay behind: what the file knows of
/// its own place. `tell` hears how far it is. Whoever calls keeps others away from the file.
pub fn move_to_server(
    file: &Path,
    to: &DatabaseUrl,
    leave: &[(&str, &str)],
    mut tell: impl FnMut(Step),
) -> Result<Moved, MoveProblem> {
    let (mut source, is_marked) = open_source(file, to)?;
    let target = Target::open(to)?;
    if !target.is_begun()? {
        if !target.is_empty()? {
            return match is_marked {
                true => Ok(Moved {
                    tables: Vec::new(),
                    was_done: true,
                }),
                false => Err(MoveProblem::Occupied(to.to_string())),
            };
        }
        target.begin()?;
    }
    let mut moved = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut progress = |rows| {
            tell(Step {
                table: table.name,
                rows,
            })
        };
        let known = target.arrived(table)?;
        if let Some(known) = known
            && known == source_sum(&source, table, leave, &mut progress)?
        {
            moved.push(MovedTable {
                name: table.name,
                rows: known.rows,
                was_there: true,
            });
            continue;
        }
        let left = target.copy(&source, table, leave, &mut progress)?;
        moved.push(MovedTable {
            name: table.name,
            rows: left.rows,
            was_there: false,
        });
    }
    // From here on the file serves nobody; the server does when the last step is done.
    mark_moved(&mut source, &to.to_string())?;
    target.finish(&source)?;
    Ok(Moved {
        tables: moved,
        was_done: false,
    })
}

/// Opens a file that may go to a place, and says whether it is marked as gone there; if not, with everything that its store would keep in memory written down.
fn open_source(file: &Path, to: &DatabaseUrl) -> Result<(Connection, bool), MoveProblem> {
    let open = || -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(file, flags).at("file", file.display())
    };
    let source = open()?;
    match moved_to(&source)? {
        Some(gone) if gone == to.to_string() => return Ok((source, true)),
        Some(gone) => return Err(MoveProblem::Elsewhere(gone)),
        None => drop(source),
    }
    let mut store = SqliteStore::open(file, SqliteOptions::default())?;
    store.settle()?;
    drop(store);
    Ok((open()?, false))
}

/// Visits the rows that leave, made to fit.
fn source_rows(
    source: &Connection,
    table: &Table,
    leave: &[(&str, &str)],
    mut take: impl FnMut(Vec<Cell>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = source.prepare(&select_sql(table)).at(table.name, "")?;
    let mut found = statement.query([]).at(table.name, "")?;
    while let Some(row) = found.next().at(table.name, "")? {
        read(table, row, |row| {
            let stays = |of: &(&str, &str)| match row.as_slice() {
                [kind, name, ..] => (kind.text(), name.text()) == *of,
                [] | [_] => false,
            };
            let is_text = table.name == "asset";
            if is_text && (stays(&MOVED_TO) || leave.iter().any(stays)) {
                return Ok(());
            }
            take(row)
        })?;
    }
    Ok(())
}

fn source_sum(
    source: &Connection,
    table: &Table,
    leave: &[(&str, &str)],
    tell: &mut impl FnMut(u64),
) -> Result<Sum, StoreError> {
    let mut sum = Sum::default();
    let mut text = String::new();
    source_rows(source, table, leave, |row| {
        sum.add(&row, &mut text);
        if sum.rows.is_multiple_of(ROWS_AT_ONCE as u64) {
            tell(sum.rows);
        }
        Ok(())
    })?;
    Ok(sum)
}

/// The server's schema, held for as long as the move lasts.
struct Target {
    link: Option<Link>,
}

impl Drop for Target {
    fn drop(&mut self) {
        let link = self.link.take();
        blocking(|| drop(link));
    }
}

impl Target {
    fn open(to: &DatabaseUrl) -> Result<Self, MoveProblem> {
        let address = to.address();
        blocking(|| migrate::migrate(address))?;
        let link = blocking(|| connect::open(address, Purpose::Migrate))?;
        let target = Self { link: Some(link) };
        let held = target.number(
            "SELECT pg_try_advisory_lock(hashtextextended('relance ' || current_schema(), 0))::integer::bigint",
            "lock",
        )?;
        if held != 1 {
            return Err(MoveProblem::InUse(to.to_string()));
        }
        Ok(target)
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        for table in TABLES {
            let sql = format!(
                "SELECT EXISTS (SELECT FROM {})::integer::bigint",
                table.name
            );
            if self.number(&sql, table.name)? != 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Marks the schema as half moved.
    fn begin(&self) -> Result<(), StoreError> {
        self.run(
            &format!(
                "CREATE TABLE {MOVE_TABLE} (name text PRIMARY KEY, rows bigint NOT NULL, sum text NOT NULL)"
            ),
            MOVE_TABLE,
        )
    }

    fn link(&self) -> Result<&Link, StoreError> {
        self.link
            .as_ref()
            .ok_or_else(|| StoreError::Busy("the connection is closed".to_owned()))
    }

    fn run(&self, sql: &str, what: &str) -> Result<(), StoreError> {
        let link = self.link()?;
        blocking(|| link.wait(link.client.batch_execute(sql))).at(what, "")
    }

    fn number(&self, sql: &str, what: &str) -> Result<i64, StoreError> {
        let link = self.link()?;
        let row = blocking(|| link.wait(link.client.query_one(sql, &[]))).at(what, "")?;
        row.try_get(0).at(what, "")
    }

    fn is_begun(&self) -> Result<bool, StoreError> {
        is_half_moved(self.link()?)
    }

    /// What arrived in a move that ended early.
    fn arrived(&self, table: &Table) -> Result<Option<Sum>, StoreError> {
        let sql = format!("SELECT rows, sum FROM {MOVE_TABLE} WHERE name = $1");
        let link = self.link()?;
        let found = blocking(|| link.wait(link.client.query_opt(&sql, &[&table.name])))
            .at(MOVE_TABLE, table.name)?;
        found.map(|row| sum_of(&row, table)).transpose()
    }

    /// Carries a table over, compares, and notes that it arrived: all of it, or nothing.
    fn copy(
        &self,
        source: &Connection,
        table: &Table,
        leave: &[(&str, &str)],
        tell: &mut impl FnMut(u64),
    ) -> Result<Sum, MoveProblem> {
        let name = table.name;
        self.run(&format!("BEGIN; TRUNCATE {name}"), name)?;
        let outcome = self.fill(source, table, leave, tell).and_then(|left| {
            let link = self.link()?;
            let sql = sum_sql(table);
            let row = blocking(|| link.wait(link.client.query_one(&sql, &[]))).at(name, "sum")?;
            let arrived = sum_of(&row, table)?;
            if arrived != left {
                return Err(MoveProblem::Differs {
                    table: name,
                    left: left.rows,
                    arrived: arrived.rows,
                });
            }
            self.run(
                &format!(
                    "INSERT INTO {MOVE_TABLE} VALUES ('{name}', {}, '{}')
                     ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, sum = excluded.sum;
                     COMMIT;",
                    left.rows, left.sum,
                ),
                name,
            )?;
            Ok(left)
        });
        if outcome.is_err() {
            // The error that led here is the one to tell.
            let _ended = self.run("ROLLBACK", name);
        }
        outcome
    }

    fn fill(
        &self,
        source: &Connection,
        table: &Table,
        leave: &[(&str, &str)],
        tell: &mut impl FnMut(u64),
    ) -> Result<Sum, MoveProblem> {
        let link = self.link()?;
        let (name, columns) = (table.name, names(table));
        let of_columns = format!("SELECT {columns} FROM {name}");
        let shape = blocking(|| link.wait(link.client.prepare(&of_columns))).at(name, "columns")?;
        let types: Vec<Type> = shape
            .columns()
            .iter()
            .map(|one| one.type_().clone())
            .collect();
        let begin = format!("COPY {name} ({columns}) FROM STDIN (FORMAT binary)");
        let sink = blocking(|| link.wait(link.client.copy_in(&begin))).at(name, "copy")?;
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &types));
        let mut send = |rows: &mut Vec<Vec<Cell>>| -> Result<(), StoreError> {
            let sent = async {
                for row in rows.drain(..) {
                    let values: Vec<Value<'_>> = row.iter().map(Cell::value).collect();
                    writer.as_mut().write_raw(values).await?;
                }
                Ok::<_, tokio_postgres::Error>(())
            };
            blocking(|| link.wait(sent)).at(name, "copy")
        };
        let mut sum = Sum::default();
        let mut text = String::new();
        let (mut waiting, mut size) = (Vec::new(), 0);
        source_rows(source, table, leave, |row| {
            sum.add(&row, &mut text);
            size += bytes(&row);
            waiting.push(row);
            if waiting.len() >= ROWS_AT_ONCE || size >= BYTES_AT_ONCE {
                send(&mut waiting)?;
                size = 0;
                tell(sum.rows);
            }
            Ok(())
        })?;
        send(&mut waiting)?;
        blocking(|| link.wait(writer.as_mut().finish())).at(name, "copy")?;
        tell(sum.rows);
        Ok(sum)
    }

    /// Numbers go on where the file's ended, and the server's schema is a workspace like any other.
    fn finish(&self, source: &Connection) -> Result<(), MoveProblem> {
        let last = |sql: &str, what: &str| -> Result<i64, StoreError> {
            let found: Option<i64> = source
                .query_row(sql, [], |row| row.get(0))
                .at(what, "last")?;
            Ok(found.unwrap_or(0))
        };
        let contact = last("SELECT max(contact_id) FROM contact", "contact")?;
        let event = last("SELECT max(event_id) FROM event", "event")?;
        let line = last("SELECT max(ledger_id) FROM ledger", "ledger")?;
        let segment = last("SELECT max(number) FROM segment", "segment")?;
        let document = last("SELECT max(place) FROM document", "document")?;
        let feed = last("SELECT max(feed_id) FROM feed", "feed")?;
        let generation = last("SELECT max(generation) FROM seen", "seen")?;
        let since: Option<i64> = source
            .query_row(
                "SELECT min(seen_at) FROM seen WHERE generation = ?1",
                [generation],
                |row| row.get(0),
            )
            .at("seen", "last")?;
        let since = since.map_or_else(|| "NULL".to_owned(), |at| at.to_string());
        // A block holds the numbers from its own times its size on: for rows those after it.
        let after = |last: i64| last.saturating_add(ROW_BLOCK - 1) / ROW_BLOCK;
        let analyze: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        self.run(
            &format!(
                "BEGIN;
                 SELECT setval('contact_block', {}, false), setval('event_block', {}, false),
                        setval('ledger_block', {}, false),
                        setval(pg_get_serial_sequence('segment', 'number'), {}, false),
                        setval(pg_get_serial_sequence('document', 'place'), {}, false),
                        setval(pg_get_serial_sequence('feed', 'feed_id'), {}, false);
                 UPDATE seen_generation SET generation = {generation}, since = {since};
                 DROP TABLE {MOVE_TABLE};
                 COMMIT;
                 ANALYZE {};",
                contact / CONTACT_BLOCK + 1,
                after(event),
                after(line),
                segment.saturating_add(1),
                document.saturating_add(1),
                feed.saturating_add(1),
                analyze.join(", "),
            ),
            "last step",
        )?;
        Ok(())
    }
}

/// Whether a move into a schema was begun and has not ended.
pub(crate) fn is_half_moved(link: &Link) -> Result<bool, StoreError> {
    let sql = format!("SELECT to_regclass('{MOVE_TABLE}') IS NOT NULL");
    let row = blocking(|| link.wait(link.client.query_one(&sql, &[]))).at(MOVE_TABLE, "")?;
    row.try_get(0).at(MOVE_TABLE, "")
}

fn sum_of(row: &tokio_postgres::Row, table: &Table) -> Result<Sum, StoreError> {
    let rows: i64 = row.try_get(0).at(MOVE_TABLE, table.name)?;
    let sum: &str = row.try_get(1).at(MOVE_TABLE, table.name)?;
    let sum = sum.parse().map_err(|_| StoreError::Unreadable {
        place: format!("{MOVE_TABLE} {}", table.name),
        what: format!("{sum:?} is no sum"),
    })?;
    Ok(Sum {
        rows: rows.unsigned_abs(),
        sum,
    })
}
