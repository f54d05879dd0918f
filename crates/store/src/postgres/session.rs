//! Statements over one connection: prepared once, sent together, answered in order.
//!
//! What is asked together is one round trip: all statements are on their way before the first answer is
//! read.

use std::collections::HashMap;

use futures::TryStreamExt;
use futures::future::join_all;
use relance_engine::ports::StoreError;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::connect::Link;
use super::error::{PgLocated, cause, store_error};
use crate::blocking;

/// A value for a parameter.
pub(super) type Param<'a> = &'a (dyn ToSql + Sync);

/// A statement with its parameters.
pub(super) struct Ask<'a> {
    pub(super) sql: &'static str,
    pub(super) params: Vec<Param<'a>>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(sql: &'static str, params: Vec<Param<'a>>) -> Self {
        Self { sql, params }
    }
}

/// What a statement gave.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    /// Rows that were written.
    pub(super) changed: u64,
}

impl Answer {
    /// How many rows were written, as a count that may be subtracted.
    pub(super) fn changed(&self) -> i64 {
        i64::try_from(self.changed).unwrap_or(i64::MAX)
    }
}

/// Sends a statement when first polled, then collects its rows.
async fn answer(
    client: &Client,
    statement: Option<&Statement>,
    params: &[Param<'_>],
) -> Result<Answer, tokio_postgres::Error> {
    let Some(statement) = statement else {
        return Ok(Answer::default());
    };
    let stream = client.query_raw(statement, params.iter().copied()).await?;
    futures::pin_mut!(stream);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    let changed = stream.rows_affected().unwrap_or(0);
    Ok(Answer { rows, changed })
}

/// One connection with its prepared statements.
#[derive(Debug)]
pub(super) struct Session {
    link: Link,
    prepared: HashMap<&'static str, Statement>,
}

impl Session {
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            prepared: HashMap::new(),
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.link.is_lost()
    }

    /// Sends statements together and gives their answers. Of several errors the first tells.
    pub(super) fn ask(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        for ask in asks {
            if !self.prepared.contains_key(ask.sql) {
                let link = &self.link;
                let statement = blocking(|| link.wait(link.client.prepare(ask.sql)));
                let statement = statement.map_err(store_error)?;
                self.prepared.insert(ask.sql, statement);
            }
        }
        let client = &self.link.client;
        let prepared = &self.prepared;
        let all = asks
            .iter()
            .map(|ask| answer(client, prepared.get(ask.sql), &ask.params));
        let outcomes = blocking(|| self.link.wait(join_all(all)));
        let mut answers = Vec::with_capacity(outcomes.len());
        let mut errors = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(answer) => answers.push(answer),
                Err(error) => errors.push(error),
            }
        }
        match cause(errors) {
            Some(error) => Err(store_error(error)),
            None => Ok(answers),
        }
    }

    /// One statement.
    pub(super) fn one(
        &mut self,
        sql: &'static str,
        params: Vec<Param<'_>>,
    ) -> Result<Answer, StoreError> {
        let mut answers = self.ask(&[Ask::new(sql, params)])?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Statements in one text, without parameters or answers.
    pub(super) fn run(&mut self, text: &str) -> Result<(), StoreError> {
        let link = &self.link;
        blocking(|| link.wait(link.client.batch_execute(text))).at("session", "")
    }

    /// Parameter types and columns of a statement, for the test that prepares each.
    #[cfg(test)]
    pub(super) fn prepare(&mut self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        self.link.wait(self.link.client.prepare(sql))
    }
}
