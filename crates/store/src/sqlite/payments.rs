//! Payments, what they were put to, and what becomes of them when a person is forgotten.

use relance_core::ids::ContactId;
use relance_core::payment::{PaymentRecord, StatementRecord};
use relance_engine::ports::{Forgotten, StoreError};
use relance_wire::stored::{payment_text, statement_text};
use rusqlite::params;

use super::column::{contact_key, nanos};
use super::error::Located;
use super::{SqliteStore, limit_column};
use crate::payment::{forgotten, mark};
use crate::registry::days;

impl SqliteStore {
    pub(super) fn write_payment(&self, record: &PaymentRecord) -> Result<bool, StoreError> {
        let id = record.id.to_string();
        let payment = &record.payment;
        let row = params![
            id,
            record.state.column(),
            days(payment.booked),
            payment.amount.parts(),
            mark(record),
            record.revision,
            payment_text(record).at("payment", &id)?,
            record.statement,
        ];
        if self.run(self.sql.payment_put, row).at("payment", &id)? == 0 {
            return Ok(false);
        }
        self.run(self.sql.payment_share_drop, [&id])
            .at("payment_share", &id)?;
        for share in &record.shares {
            let row = params![
                id,
                contact_key(share.contact),
                share.document,
                share.amount.parts()
            ];
            self.run(self.sql.payment_share_put, row)
                .at("payment_share", &id)?;
        }
        Ok(true)
    }

    pub(super) fn turn_book(&self, seen: u64) -> Result<(), StoreError> {
        let seen = i64::try_from(seen).unwrap_or(i64::MAX - 1);
        match self
            .run(self.sql.payment_book_turn, params![seen])
            .at("payment_book", "")?
        {
            0 => Err(StoreError::Overtaken),
            _turned => Ok(()),
        }
    }

    pub(super) fn write_statement(&self, record: &StatementRecord) -> Result<(), StoreError> {
        let body = statement_text(record).at("statement", &record.id)?;
        let row = params![record.id, nanos(record.at), body];
        self.run(self.sql.statement_put, row)
            .at("statement", &record.id)
            .map(drop)
    }

    /// Payments of the contact's documents say nothing of who paid any more.
    pub(super) fn forget_payments(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        let rows: Vec<(String, String)> = self
            .conn
            .prepare_cached(self.sql.forget_payments)
            .and_then(|mut statement| {
                statement
                    .query_map(params![key, limit_column(room)], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?
                    .collect()
            })
            .at("payment of", contact)?;
        for (id, body) in rows {
            let body = forgotten(&id, &body, contact)?;
            self.run(self.sql.forget_payment, params![id, body])
                .at("payment", &id)?;
            self.run(self.sql.forget_payment_share, params![id, key])
                .at("payment_share", &id)?;
            gone.add("payment", 1);
        }
        Ok(())
    }
}
