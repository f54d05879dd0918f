//! A connection to PostgreSQL as [`Conn`](super::db::Conn) uses it, and its columns as numbers and texts.
//!
//! Statements are prepared once per connection. Rows are handed out as they come: who visits them may use
//! another connection meanwhile.
//!
//! **Absent:** writing; the URL and the session's settings (see [`crate::postgres::connect`]).

use std::collections::HashMap;
use std::error::Error;
use std::ops::ControlFlow;

use futures::TryStreamExt;
use relance_engine::ports::StoreError;
use tokio_postgres::Statement;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use super::db::{ColumnProblem, Row, Value};
use crate::postgres::connect::{self, Address, Link, Purpose};
use crate::postgres::error::PgLocated;
use crate::postgres::{OpenError, check_current, text};
use crate::{blocking, moving};

/// Rows of an answer that nobody wants any more which are still taken in; with more to come the connection
/// is given up instead.
const UNWANTED_ROWS_MAX: usize = 1_000;

/// A connection and its statements.
pub(super) struct PgConn {
    /// There until this is dropped.
    link: Option<Link>,
    prepared: HashMap<&'static str, Statement>,
    given_up: bool,
}

impl std::fmt::Debug for PgConn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgConn")
            .field("usable", &self.is_usable())
            .finish_non_exhaustive()
    }
}

impl Drop for PgConn {
    fn drop(&mut self) {
        let link = self.link.take();
        blocking(|| drop(link));
    }
}

impl PgConn {
    pub(super) fn open(address: &Address) -> Result<Self, StoreError> {
        let link = blocking(|| connect::open(address, Purpose::Read))?;
        Ok(Self {
            link: Some(link),
            prepared: HashMap::new(),
            given_up: false,
        })
    }

    /// Refuses a schema that is not what this program reads.
    pub(super) fn check(&self, address: &Address) -> Result<(), OpenError> {
        let link = self.link()?;
        blocking(|| check_current(link, &address.schema))
    }

    pub(super) fn is_half_moved(&self) -> Result<bool, StoreError> {
        moving::is_half_moved(self.link()?)
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.given_up && self.link.as_ref().is_some_and(|link| !link.is_lost())
    }

    fn link(&self) -> Result<&Link, StoreError> {
        self.link
            .as_ref()
            .ok_or_else(|| StoreError::Busy("the connection is closed".to_owned()))
    }

    fn batch(&self, sql: &str, what: &str) -> Result<(), StoreError> {
        let link = self.link()?;
        blocking(|| link.wait(link.client.batch_execute(sql))).at("snapshot", what)
    }

    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "begin")
    }

    pub(super) fn rollback(&mut self) -> Result<(), StoreError> {
        if self.given_up {
            return Ok(());
        }
        let ended = self.batch("ROLLBACK", "end");
        self.given_up |= ended.is_err();
        ended
    }

    pub(super) fn unhurried(&mut self) -> Result<(), StoreError> {
        self.batch("SET LOCAL statement_timeout TO 0", "settings")
    }

    fn prepare(&mut self, sql: &'static str, table: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let link = self.link()?;
        let statement = blocking(|| link.wait(link.client.prepare(sql))).at(table, "")?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// How the server would go about a statement that it has not seen values for.
    #[cfg(test)]
    pub(super) fn plan(&self, sql: &str, params: usize) -> Result<Vec<String>, StoreError> {
        use tokio_postgres::SimpleQueryMessage;
        let values = vec!["NULL"; params].join(", ");
        let values = if params == 0 {
            values
        } else {
            format!("({values})")
        };
        let text = format!(
            "SET plan_cache_mode TO force_generic_plan; SET enable_seqscan TO off;
             DEALLOCATE ALL; PREPARE planned AS {sql}; EXPLAIN EXECUTE planned{values}"
        );
        let link = self.link()?;
        let told = link.wait(link.client.simple_query(&text)).at("plan", "")?;
        let line = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _of_no_row => None,
        };
        Ok(told.into_iter().filter_map(line).collect())
    }

    /// How many parameters and columns a statement has; it is refused where a type is not one of ours.
    #[cfg(test)]
    pub(super) fn shape(&mut self, sql: &'static str) -> Result<(usize, usize), StoreError> {
        let statement = self.prepare(sql, "shape")?;
        let is_known = |ty: &Type| <Value<'_> as ToSql>::accepts(ty);
        let strange = statement.params().iter().find(|ty| !is_known(ty));
        let strange = strange.or_else(|| {
            let columns = statement
                .columns()
                .iter()
                .map(tokio_postgres::Column::type_);
            columns.into_iter().find(|ty| !is_known(ty))
        });
        match strange {
            Some(ty) => Err(StoreError::Failed(format!(
                "the type {ty} is not one of ours"
            ))),
            None => Ok((statement.params().len(), statement.columns().len())),
        }
    }

    pub(super) fn each(
        &mut self,
        sql: &'static str,
        table: &str,
        params: &[Value<'_>],
        mut visit: impl FnMut(Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.prepare(sql, table)?;
        let link = self.link()?;
        let asked = link.client.query_raw(&statement, params.iter().copied());
        let rows = blocking(|| link.wait(asked)).at(table, "")?;
        let mut rows = std::pin::pin!(rows);
        let mut outcome = Ok(());
        let mut unwanted = None;
        while let Some(row) = blocking(|| link.wait(rows.try_next())).at(table, "")? {
            match &mut unwanted {
                Some(count) if *count >= UNWANTED_ROWS_MAX => {
                    self.given_up = true;
                    return outcome;
                }
                Some(count) => *count += 1,
                None => match visit(Row::Postgres(&row)) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) => unwanted = Some(0),
                    Err(error) => {
                        outcome = Err(error);
                        unwanted = Some(0);
                    }
                },
            }
        }
        outcome
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => match ty {
                &Type::INT2 => i16::try_from(*number)?.to_sql(ty, out),
                &Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
                &Type::BOOL => (*number != 0).to_sql(ty, out),
                _of_eight_bytes => number.to_sql(ty, out),
            },
            Self::Text(own) => text::plain(own).as_ref().to_sql(ty, out),
            Self::Key(own) => text::key(own).as_ref().to_sql(ty, out),
            Self::Word(own) => text::word(own).as_ref().to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
            Self::Ints(numbers) => numbers.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::BOOL,
            Type::TEXT,
            Type::VARCHAR,
            Type::BYTEA,
            Type::INT8_ARRAY,
        ]
        .contains(ty)
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        // What the server wants and what is given: a statement that takes a text for a number is wrong.
        let fits = match self {
            Self::Null => true,
            Self::Int(_) => [Type::INT2, Type::INT4, Type::INT8, Type::BOOL].contains(ty),
            Self::Text(_) | Self::Key(_) | Self::Word(_) => {
                [Type::TEXT, Type::VARCHAR].contains(ty)
            }
            Self::Bytes(_) => *ty == Type::BYTEA,
            Self::Ints(_) => *ty == Type::INT8_ARRAY,
        };
        if !fits {
            return Err(format!("{self:?} is given for a parameter of type {ty}").into());
        }
        self.to_sql(ty, out)
    }
}

/// A number of any width, or a flag.
struct Int(i64);

impl<'a> FromSql<'a> for Int {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match ty {
            &Type::INT2 => i64::from(i16::from_sql(ty, raw)?),
            &Type::INT4 => i64::from(i32::from_sql(ty, raw)?),
            &Type::BOOL => i64::from(bool::from_sql(ty, raw)?),
            _of_eight_bytes => i64::from_sql(ty, raw)?,
        }))
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT2, Type::INT4, Type::INT8, Type::BOOL].contains(ty)
    }
}

fn column<'r, T: FromSql<'r>>(
    row: &'r tokio_postgres::Row,
    ix: usize,
) -> Result<Option<T>, ColumnProblem> {
    row.try_get(ix)
        .map_err(|error| ColumnProblem::new(ix, error))
}

pub(super) fn int(row: &tokio_postgres::Row, ix: usize) -> Result<Option<i64>, ColumnProblem> {
    Ok(column::<Int>(row, ix)?.map(|number| number.0))
}

pub(super) fn text_of(row: &tokio_postgres::Row, ix: usize) -> Result<Option<&str>, ColumnProblem> {
    column(row, ix)
}
