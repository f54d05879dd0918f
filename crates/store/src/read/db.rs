//! One way to ask either database: a statement by name, values for its parameters, rows by column.
//!
//! Statements of both dialects have the same names, parameters and columns in the same order, so that what
//! reads a page is written once. Numbers of any width are `i64` here, flags are numbers that are 0 or 1 or a
//! boolean, whatever the dialect keeps. Every error names its table and row.
//!
//! **Absent:** SQL, and what rows mean.

use std::fmt::Display;
use std::ops::ControlFlow;

use jiff::Timestamp;
use relance_core::ids::ContactId;
use relance_core::journey::Moves;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_moves;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, Value as SqliteValue, ValueRef};

use super::pg::{self, PgConn};
use crate::sqlite::column::{contact_key, moment};
use crate::sqlite::error::Located;

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// A number of any width, or a flag.
    Int(i64),
    /// A text.
    Text(&'a str),
    /// Part of a key that comes from outside: an identity, an object's id, an event's name. It may be of any
    /// length; PostgreSQL's store cuts it, so what asks for it is cut alike.
    Key(&'a str),
    /// A word in a key: a kind, a journey. Cut alike, earlier.
    Word(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Numbers: `IN (SELECT value FROM json_each(?1))` in SQLite, `= ANY ($1)` in PostgreSQL.
    Ints(&'a [i64]),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<ContactId> for Value<'_> {
    fn from(id: ContactId) -> Self {
        Self::Int(contact_key(id))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a [i64]> for Value<'a> {
    fn from(numbers: &'a [i64]) -> Self {
        Self::Ints(numbers)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Int(number) => ToSqlOutput::Owned(SqliteValue::Integer(*number)),
            Self::Text(text) | Self::Key(text) | Self::Word(text) => {
                ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
            }
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Ints(numbers) => {
                let list: Vec<String> = numbers.iter().map(i64::to_string).collect();
                ToSqlOutput::Owned(SqliteValue::Text(format!("[{}]", list.join(","))))
            }
        })
    }
}

/// Values for the parameters of a statement, in order: `values![contact, "x", limit]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::read::db::Value::from($value)),*]
    };
}
pub(crate) use values;

/// A column that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {what}")]
pub(crate) struct ColumnProblem {
    column: usize,
    what: String,
}

impl ColumnProblem {
    pub(super) fn new(column: usize, what: impl Display) -> Self {
        let what = what.to_string();
        Self { column, what }
    }
}

impl<T> Located<T> for Result<T, ColumnProblem> {
    fn at(self, table: &str, key: impl Display) -> Result<T, StoreError> {
        self.map_err(|problem| StoreError::Unreadable {
            place: format!("{table} {key}"),
            what: problem.to_string(),
        })
    }
}

/// A row of an answer. Columns count from 0.
#[derive(Clone, Copy)]
pub(crate) enum Row<'r> {
    /// SQLite's.
    Sqlite(&'r rusqlite::Row<'r>),
    /// PostgreSQL's.
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    /// A number, or nothing.
    pub(crate) fn int_or_null(self, ix: usize) -> Result<Option<i64>, ColumnProblem> {
        match self {
            Self::Sqlite(row) => row.get(ix).map_err(|error| ColumnProblem::new(ix, error)),
            Self::Postgres(row) => pg::int(row, ix),
        }
    }

    /// A text, or nothing; not copied.
    pub(crate) fn text_or_null(self, ix: usize) -> Result<Option<&'r str>, ColumnProblem> {
        match self {
            Self::Sqlite(row) => row
                .get_ref(ix)
                .map_err(|error| ColumnProblem::new(ix, error))?
                .as_str_or_null()
                .map_err(|error| ColumnProblem::new(ix, error)),
            Self::Postgres(row) => pg::text_of(row, ix),
        }
    }

    /// A number.
    pub(crate) fn int(self, ix: usize) -> Result<i64, ColumnProblem> {
        self.int_or_null(ix)?
            .ok_or_else(|| ColumnProblem::new(ix, "a number is missing"))
    }

    /// A text; not copied.
    pub(crate) fn text(self, ix: usize) -> Result<&'r str, ColumnProblem> {
        self.text_or_null(ix)?
            .ok_or_else(|| ColumnProblem::new(ix, "a text is missing"))
    }

    /// Yes or no.
    pub(crate) fn flag(self, ix: usize) -> Result<bool, ColumnProblem> {
        self.int(ix).map(|number| number != 0)
    }

    /// A small number that counts or numbers something.
    pub(crate) fn small(self, ix: usize) -> Result<u32, ColumnProblem> {
        let number = self.int(ix)?;
        u32::try_from(number)
            .map_err(|_| ColumnProblem::new(ix, format_args!("{number} is out of range")))
    }

    /// How many of something; a sum that went below zero is none.
    pub(crate) fn count(self, ix: usize) -> Result<u64, ColumnProblem> {
        self.int(ix)
            .map(|number| u64::try_from(number).unwrap_or(0))
    }

    /// A moment.
    pub(crate) fn moment(self, ix: usize) -> Result<Timestamp, ColumnProblem> {
        self.int(ix).map(moment)
    }

    /// A contact.
    pub(crate) fn contact(self, ix: usize) -> Result<ContactId, ColumnProblem> {
        let number = self.int(ix)?;
        u64::try_from(number)
            .map(ContactId)
            .map_err(|_| ColumnProblem::new(ix, format_args!("{number} is no contact")))
    }

    /// A hash.
    pub(crate) fn hash(self, ix: usize) -> Result<u64, ColumnProblem> {
        self.int(ix).map(i64::cast_unsigned)
    }

    /// How runs on older versions come to a version; null for those that do not.
    pub(crate) fn moves(self, ix: usize) -> Result<Moves, ColumnProblem> {
        let read = |stored| read_moves(stored).map_err(|problem| ColumnProblem::new(ix, problem));
        self.text_or_null(ix)?.map_or(Ok(Moves::Pin), read)
    }
}

/// A connection.
#[derive(Debug)]
pub(super) enum Conn {
    /// To a file.
    Sqlite(Connection),
    /// To a server.
    Postgres(PgConn),
}

impl Conn {
    /// Whether it can be lent again.
    pub(super) fn is_usable(&self) -> bool {
        match self {
            Self::Sqlite(conn) => conn.is_autocommit(),
            Self::Postgres(conn) => conn.is_usable(),
        }
    }

    /// Visits the rows of a statement, in order, until `visit` says stop. An answer of any length takes
    /// little memory.
    pub(super) fn each(
        &mut self,
        sql: &'static str,
        table: &str,
        params: &[Value<'_>],
        mut visit: impl FnMut(Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(conn) => {
                let mut statement = conn.prepare_cached(sql).at(table, "")?;
                let mut rows = statement
                    .query(rusqlite::params_from_iter(params))
                    .at(table, "")?;
                while let Some(row) = rows.next().at(table, "")? {
                    if visit(Row::Sqlite(row))?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
            Self::Postgres(conn) => conn.each(sql, table, params, visit),
        }
    }

    /// The rows of a statement, at most a page of them or what is known to be few.
    pub(super) fn rows<T>(
        &mut self,
        sql: &'static str,
        table: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, table, params, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The first row of a statement.
    pub(super) fn one<T>(
        &mut self,
        sql: &'static str,
        table: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(sql, table, params, |row| {
            found = Some(read(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// The first row of a statement for each of several keys.
    pub(super) fn first_of_each<const N: usize, T>(
        &mut self,
        sql: &'static str,
        table: &str,
        keys: &[[Value<'_>; N]],
        mut read: impl FnMut(Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        match self {
            Self::Sqlite(conn) => {
                let mut statement = conn.prepare_cached(sql).at(table, "")?;
                let mut one = |key: &[Value<'_>; N]| {
                    let key = rusqlite::params_from_iter(key);
                    let mut rows = statement.query(key).at(table, "")?;
                    let row = rows.next().at(table, "")?;
                    row.map(|row| read(Row::Sqlite(row))).transpose()
                };
                keys.iter().map(&mut one).collect()
            }
            Self::Postgres(_) => keys
                .iter()
                .map(|key| self.one(sql, table, key, &mut read))
                .collect(),
        }
    }

    /// Lets all statements of `read` see one moment of the database.
    pub(super) fn snapshot<T, E: From<StoreError>>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Sqlite(conn) => conn.execute_batch("BEGIN").at("snapshot", "begin")?,
            Self::Postgres(conn) => conn.begin()?,
        }
        let outcome = read(self);
        // Nothing was written, so there is nothing that a rollback could lose.
        let ended = match self {
            Self::Sqlite(conn) => conn.execute_batch("ROLLBACK").at("snapshot", "end"),
            Self::Postgres(conn) => conn.rollback(),
        };
        let value = outcome?;
        ended?;
        Ok(value)
    }

    /// Lets the statements of this snapshot take as long as they take: one that reads a whole log is not
    /// stuck.
    pub(super) fn unhurried(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(conn) => conn.unhurried(),
        }
    }
}
