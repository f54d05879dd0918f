//! Where the ledger's chains begin: of a contact (run 0) and of a run.
//!
//! A batch often writes several lines of one contact and run, so beginnings are kept for the length of a
//! batch and written once, in order of their key, at its end.

use std::collections::BTreeMap;

use relance_core::ids::ContactId;
use relance_engine::ports::StoreError;
use rusqlite::{Connection, OptionalExtension, params};

use super::column::contact_key;
use super::error::Located;
use crate::sql::Sql;

/// The chain of a contact as a whole: runs are counted from 1.
pub(super) const OF_CONTACT: u32 = 0;

/// Beginnings that the batch under way has moved.
#[derive(Debug, Default)]
pub(super) struct Chains(BTreeMap<(ContactId, u32), i64>);

impl Chains {
    /// The newest line of a chain.
    pub(super) fn newest(
        &self,
        conn: &Connection,
        sql: &Sql,
        contact: ContactId,
        run: u32,
    ) -> Result<Option<i64>, StoreError> {
        if let Some(line) = self.moved_to(contact, run) {
            return Ok(Some(line));
        }
        conn.prepare_cached(sql.ledger_head_get)
            .and_then(|mut statement| {
                let key = params![contact_key(contact), run];
                statement.query_row(key, |row| row.get(0)).optional()
            })
            .at("ledger_head", contact)
    }

    /// The newest line of a chain, if it is of this batch.
    pub(super) fn moved_to(&self, contact: ContactId, run: u32) -> Option<i64> {
        self.0.get(&(contact, run)).copied()
    }

    /// A line was added to a chain.
    pub(super) fn moved(&mut self, contact: ContactId, run: u32, line: i64) {
        self.0.insert((contact, run), line);
    }

    /// Writes what moved and begins anew.
    pub(super) fn flush(&mut self, conn: &Connection, sql: &Sql) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut statement = conn
            .prepare_cached(sql.ledger_head_put)
            .at("ledger_head", "")?;
        for ((contact, run), line) in std::mem::take(&mut self.0) {
            statement
                .execute(params![contact_key(contact), run, line])
                .at("ledger_head", contact)?;
        }
        Ok(())
    }

    pub(super) fn rolled_back(&mut self) {
        self.0.clear();
    }
}
