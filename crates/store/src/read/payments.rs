//! Payments, and the documents and contacts that one may be about.
//!
//! Every question goes along an index and has a limit, so that one payment costs the same whatever the number of
//! documents. A search walks the newest payments and looks at [`PAYMENTS_WALKED_MAX`] of them at most a page.
//!
//! **Absent:** what a payment pays.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use jiff::civil::Date;
use relance_core::ids::ContactId;
use relance_core::payment::{
    Amount, Note, PaymentId, PaymentRecord, PaymentState, StatementRecord,
};
use relance_core::value::Value as Json;
use relance_engine::ports::StoreError;
use relance_wire::stored::{read_payment, read_statement};

use super::db::{Row, Value, values};
use super::{Page, ReadError, Reader, limits, wrong};
use crate::registry::{DocumentState, days, folded, state_column};
use crate::sqlite::column::nanos;
use crate::sqlite::error::{Located, unreadable};

/// Payments that one page of a search looks at.
pub const PAYMENTS_WALKED_MAX: usize = 5_000;
/// Payments of a state that are counted; of more it is said that there are more.
pub const PAYMENTS_COUNTED_MAX: u64 = 10_000;
/// Invoices of some numbers, or of an amount, that are told.
pub const INVOICES_FOUND_MAX: usize = 100;
/// Payments of a sum, or of a payer, that are looked at.
pub const PAYMENTS_ALIKE_MAX: usize = 50;
/// Contacts of one word of a name; a word of more tells nobody.
pub const CONTACTS_OF_WORD_MAX: usize = 20;

fn record(row: Row<'_>) -> Result<PaymentRecord, StoreError> {
    let id = row.text(0).at("payment", "")?;
    let parsed: PaymentId = id
        .parse()
        .map_err(|problem| unreadable("payment", id, problem))?;
    let body = row.text(1).at("payment", id)?;
    read_payment(parsed, body).map_err(|problem| unreadable("payment", id, problem))
}

/// Whether a payment is what is searched for: words of payer and text, numbers, the amount.
fn fits(record: &PaymentRecord, wanted: &str) -> bool {
    let payment = &record.payment;
    let amount = payment.amount.to_string();
    let shares = record.shares.iter().map(|share| share.number.as_str());
    [
        payment.payer.name.as_str(),
        &payment.payer.account,
        &payment.payer.tax_id,
        &payment.text,
        &amount,
    ]
    .into_iter()
    .chain(shares)
    .any(|text| folded(text).contains(wanted))
}

fn statement(row: Row<'_>) -> Result<StatementRecord, StoreError> {
    let id = row.text(0).at("statement", "")?;
    let body = row.text(2).at("statement", id)?;
    read_statement(id, body).map_err(|problem| unreadable("statement", id, problem))
}

/// What is known of a payment that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPayment {
    /// How often it was changed, from 1.
    pub revision: u32,
    /// It came with a statement that was taken back: it may come again.
    pub is_undone: bool,
}

fn list(texts: impl IntoIterator<Item = String>) -> String {
    let all = texts.into_iter().map(Json::from).collect();
    Json::Array(all).to_string()
}

fn invoice(row: Row<'_>) -> Result<(ContactId, String), StoreError> {
    let contact = row.contact(0).at("document", "")?;
    let id = row.text(1).at("document of", contact)?;
    Ok((contact, id.to_owned()))
}

/// Where a page begins: a number and an id.
fn place(after: Option<&str>) -> Result<(i64, String), ReadError> {
    let Some(cursor) = after else {
        return Ok((i64::MAX, String::new()));
    };
    let (number, id) = cursor.split_once('.').ok_or_else(|| wrong(cursor))?;
    Ok((number.parse().map_err(|_| wrong(cursor))?, id.to_owned()))
}

impl Reader {
    /// Payments, the last booked first; `of` a statement, or all. A page of a search may hold fewer than asked, even none, and yet have a next
    /// one.
    pub fn payments(
        &self,
        state: Option<PaymentState>,
        of: Option<&str>,
        search: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<PaymentRecord>, ReadError> {
        let (shown, _) = limits(limit);
        let (mut day, mut id) = place(after)?;
        let wanted = search.map(|text| folded(text.trim()));
        let is_sifted = wanted.is_some() || of.is_some() && state.is_some();
        let chunk = if is_sifted { 500 } else { shown + 1 };
        let mut items = Vec::new();
        let mut walked = 0;
        loop {
            let asked = i64::try_from(chunk).unwrap_or(i64::MAX);
            let rows = match (of, state) {
                (Some(statement), _) => {
                    let key = values![statement, day, id.as_str(), asked];
                    self.rows(self.sql.payment_of_statement, "payment", key, record)
                }
                (None, Some(state)) => {
                    let key = values![i64::from(state.column()), day, id.as_str(), asked];
                    self.rows(self.sql.payment_of_state, "payment", key, record)
                }
                (None, None) => {
                    let key = values![day, id.as_str(), asked];
                    self.rows(self.sql.payment_newest, "payment", key, record)
                }
            }?;
            let is_last = rows.len() < chunk;
            for one in rows {
                if items.len() == shown {
                    return Ok(Page {
                        items,
                        next: Some(format!("{day}.{id}")),
                    });
                }
                day = days(one.payment.booked);
                id = one.id.to_string();
                walked += 1;
                let is_of_state = state.is_none_or(|state| one.state == state);
                if is_of_state && wanted.as_ref().is_none_or(|wanted| fits(&one, wanted)) {
                    items.push(one);
                }
            }
            if is_last || walked >= PAYMENTS_WALKED_MAX {
                let next = (!is_last).then(|| format!("{day}.{id}"));
                return Ok(Page { items, next });
            }
        }
    }

    /// One payment.
    pub fn payment(&self, id: PaymentId) -> Result<Option<PaymentRecord>, ReadError> {
        let id = id.to_string();
        self.one(
            self.sql.payment_one,
            "payment",
            values![id.as_str()],
            record,
        )
    }

    /// Which of some payments are known.
    pub fn known_payments(
        &self,
        ids: &[PaymentId],
    ) -> Result<BTreeMap<PaymentId, KnownPayment>, ReadError> {
        let list = list(ids.iter().map(PaymentId::to_string));
        let rows = self.rows(
            self.sql.payment_known,
            "payment",
            values![list.as_str()],
            |row| {
                let id = row.text(0).at("payment", "")?;
                let parsed: PaymentId = id
                    .parse()
                    .map_err(|problem| unreadable("payment", id, problem))?;
                let revision = row.small(1).at("payment", id)?;
                let ignored = match row.text_or_null(2).at("payment", id)? {
                    Some(body) => Some(
                        read_payment(parsed, body)
                            .map_err(|problem| unreadable("payment", id, problem))?,
                    ),
                    None => None,
                };
                let note = ignored.and_then(|one| one.note);
                let known = KnownPayment {
                    revision,
                    is_undone: note == Some(Note::StatementUndone),
                };
                Ok((parsed, known))
            },
        )?;
        Ok(rows.into_iter().collect())
    }

    /// How often payments were changed: told with what is judged by them, so that nobody else's change is overlooked.
    /// Ask it before anything else.
    pub fn payment_changes(&self) -> Result<u64, ReadError> {
        let found = self.one(self.sql.payment_book_get, "payment_book", &[], |row| {
            row.count(0).at("payment_book", "")
        })?;
        Ok(found.unwrap_or_default())
    }

    /// How much payments were put to documents, by the documents' ids; those with nothing left out.
    pub fn payment_shares(
        &self,
        documents: &[&str],
    ) -> Result<BTreeMap<String, Amount>, ReadError> {
        let ids = list(documents.iter().map(|&id| id.to_owned()));
        let rows = self.rows(
            self.sql.payment_share_sums,
            "payment_share",
            values![ids.as_str()],
            |row| {
                let id = row.text(0).at("payment_share", "")?;
                let parts = row.int(1).at("payment_share", id)?;
                Ok((id.to_owned(), Amount::of_parts(parts).unwrap_or_default()))
            },
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Payments that came with a statement, the last booked first.
    pub fn payments_of_statement(
        &self,
        id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<PaymentRecord>, ReadError> {
        let (shown, asked) = limits(limit);
        let (day, last) = place(after)?;
        let key = values![id, day, last.as_str(), asked];
        let mut items = self.rows(self.sql.payment_of_statement, "payment", key, record)?;
        let is_more = items.len() > shown;
        items.truncate(shown);
        let last = items.last().filter(|_| is_more);
        let next = last.map(|one| format!("{}.{}", days(one.payment.booked), one.id));
        Ok(Page { items, next })
    }

    /// Statements, the last taken in first.
    pub fn statements(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<StatementRecord>, ReadError> {
        let (shown, asked) = limits(limit);
        let (at, id) = place(after)?;
        let key = values![at, id.as_str(), asked];
        let mut items = self.rows(self.sql.statement_newest, "statement", key, statement)?;
        let is_more = items.len() > shown;
        items.truncate(shown);
        let last = items.last().filter(|_| is_more);
        let next = last.map(|one| format!("{}.{}", nanos(one.at), one.id));
        Ok(Page { items, next })
    }

    /// Some statements, by their ids; those that there are not left out.
    pub fn statements_of(
        &self,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, StatementRecord>, ReadError> {
        let ids = list(ids.iter().map(|&id| id.to_owned()));
        let key = values![ids.as_str()];
        let rows = self.rows(self.sql.statement_of_ids, "statement", key, statement)?;
        Ok(rows.into_iter().map(|one| (one.id.clone(), one)).collect())
    }

    /// One statement.
    pub fn statement(&self, id: &str) -> Result<Option<StatementRecord>, ReadError> {
        Ok(self.statements_of(&BTreeSet::from([id]))?.remove(id))
    }

    /// How many payments there are by state; of [`PAYMENTS_COUNTED_MAX`] and more no more are counted.
    pub fn payment_counts(&self) -> Result<BTreeMap<PaymentState, u64>, ReadError> {
        let most = i64::try_from(PAYMENTS_COUNTED_MAX).unwrap_or(i64::MAX);
        let mut counts = BTreeMap::new();
        for state in PaymentState::ALL {
            let key = values![i64::from(state.column()), most];
            let count = self.one(self.sql.payment_count, "payment", key, |row| {
                row.count(0).at("payment", "")
            })?;
            counts.insert(state, count.unwrap_or_default());
        }
        Ok(counts)
    }

    /// Payments of a sum that were booked on a day or before, the last first.
    pub fn payments_of_amount(
        &self,
        amount: Amount,
        until: Date,
    ) -> Result<Vec<PaymentRecord>, ReadError> {
        let most = i64::try_from(PAYMENTS_ALIKE_MAX).unwrap_or(i64::MAX);
        let key = values![amount.parts(), days(until), most];
        self.rows(self.sql.payment_of_amount, "payment", key, record)
    }

    /// For whom a payer paid before.
    pub fn contacts_of_payer(&self, mark: &str) -> Result<BTreeSet<ContactId>, ReadError> {
        let most = i64::try_from(PAYMENTS_ALIKE_MAX).unwrap_or(i64::MAX);
        let rows = self.rows(
            self.sql.payment_by_mark,
            "payment",
            values![Value::Key(mark), most],
            record,
        )?;
        let shares = rows.into_iter().flat_map(|record| record.shares);
        Ok(shares.map(|share| share.contact).collect())
    }

    /// Invoices of these numbers, whatever their state, the last issued first.
    pub fn invoices_of_numbers(
        &self,
        keys: &BTreeSet<String>,
    ) -> Result<Vec<(ContactId, String)>, ReadError> {
        let keys = list(
            keys.iter()
                .map(|key| key.trim_start_matches('0').to_owned()),
        );
        let most = i64::try_from(INVOICES_FOUND_MAX).unwrap_or(i64::MAX);
        let key = values![keys.as_str(), most];
        self.rows(self.sql.invoice_of_number, "document", key, invoice)
    }

    /// Invoices of an amount that something is expected of; none where there are too many to tell anything.
    pub fn invoices_of_amount(
        &self,
        amount: Amount,
    ) -> Result<Vec<(ContactId, String)>, ReadError> {
        let most = i64::try_from(INVOICES_FOUND_MAX).unwrap_or(i64::MAX);
        let mut all = Vec::new();
        for state in DocumentState::WAITING {
            let key = values![state_column(state), amount.parts(), most];
            let rows = self.rows(self.sql.invoice_of_amount, "document", key, invoice)?;
            if rows.len() == INVOICES_FOUND_MAX {
                return Ok(Vec::new());
            }
            all.extend(rows);
        }
        Ok(all)
    }

    /// Contacts with one of these words in their names, of each word that few have.
    pub fn contacts_of_words(&self, words: &[String]) -> Result<BTreeSet<ContactId>, ReadError> {
        let most = i64::try_from(CONTACTS_OF_WORD_MAX + 1).unwrap_or(i64::MAX);
        let mut found = BTreeSet::new();
        for word in words {
            let word = folded(word);
            let key = values![word.as_str(), most];
            let mut rows = Vec::new();
            self.with(|conn| {
                Ok(
                    conn.each(self.sql.contact_of_word, "name_word", key, |row| {
                        rows.push(row.contact(0).at("name_word", "")?);
                        Ok(ControlFlow::Continue(()))
                    })?,
                )
            })?;
            if rows.len() <= CONTACTS_OF_WORD_MAX {
                found.extend(rows);
            }
        }
        Ok(found)
    }
}
