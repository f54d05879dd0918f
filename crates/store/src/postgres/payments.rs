//! Payments, what they were put to, and what becomes of them when a person is forgotten.

use relance_core::ids::ContactId;
use relance_core::payment::{PaymentRecord, StatementRecord};
use relance_engine::ports::{Forgotten, StoreError};
use relance_wire::stored::{payment_text, statement_text};

use super::PostgresStore;
use super::contacts::limit_column;
use super::error::PgLocated;
use super::text::{key, plain};
use crate::payment::{forgotten, mark};
use crate::registry::days;
use crate::sqlite::column::{contact_key, nanos};

impl PostgresStore {
    pub(super) fn write_payment(&mut self, record: &PaymentRecord) -> Result<bool, StoreError> {
        let id = record.id.to_string();
        let payment = &record.payment;
        let (state, booked) = (i16::from(record.state.column()), days(payment.booked));
        let (amount, revision) = (payment.amount.parts(), i64::from(record.revision));
        let mark = mark(record);
        let mark = key(&mark);
        let body = payment_text(record).at("payment", &id)?;
        let body = plain(&body);
        let statement = key(&record.statement);
        let params = vec![
            &id as super::Param<'_>,
            &state,
            &booked,
            &amount,
            &mark,
            &revision,
            &body,
            &statement,
        ];
        if self.one(self.sql.payment_put, params)?.changed == 0 {
            return Ok(false);
        }
        self.one(self.sql.payment_share_drop, vec![&id])?;
        if record.shares.is_empty() {
            return Ok(true);
        }
        let shares = || record.shares.iter();
        let contacts: Vec<i64> = shares().map(|one| contact_key(one.contact)).collect();
        let documents: Vec<_> = shares().map(|one| key(&one.document)).collect();
        let amounts: Vec<i64> = shares().map(|one| one.amount.parts()).collect();
        let params = vec![&id as super::Param<'_>, &contacts, &documents, &amounts];
        self.one(self.sql.payment_share_put, params)?;
        Ok(true)
    }

    pub(super) fn turn_book(&mut self, seen: u64) -> Result<(), StoreError> {
        let seen = i64::try_from(seen).unwrap_or(i64::MAX - 1);
        match self.one(self.sql.payment_book_turn, vec![&seen])?.changed {
            0 => Err(StoreError::Overtaken),
            _turned => Ok(()),
        }
    }

    pub(super) fn write_statement(&mut self, record: &StatementRecord) -> Result<(), StoreError> {
        let body = statement_text(record).at("statement", &record.id)?;
        let (id, at, body) = (key(&record.id), nanos(record.at), plain(&body));
        self.one(self.sql.statement_put, vec![&id, &at, &body])
            .map(drop)
    }

    /// Payments of the contact's documents say nothing of who paid any more.
    pub(super) fn forget_payments(
        &mut self,
        contact: ContactId,
        room: usize,
        gone: &mut Forgotten,
    ) -> Result<(), StoreError> {
        let (owner, limit) = (contact_key(contact), limit_column(room));
        let answer = self.one(self.sql.forget_payments, vec![&owner, &limit])?;
        let mut found: Vec<(String, String)> = Vec::new();
        for row in &answer.rows {
            let id: String = row.try_get(0).at("payment of", contact)?;
            let body: String = row.try_get(1).at("payment of", contact)?;
            found.push((id, body));
        }
        for (id, body) in found {
            let body = forgotten(&id, &body, contact)?;
            let body = plain(&body);
            self.one(self.sql.forget_payment, vec![&id, &body])?;
            self.one(self.sql.forget_payment_share, vec![&id, &owner])?;
            gone.add("payment", 1);
        }
        Ok(())
    }
}
