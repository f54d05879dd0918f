//! The registry of documents: sorted in any way, filtered, searched, and what they amount to.
//!
//! A list walks an index of each state (and owner) from where the page begins; a page late in the list costs what the
//! first one does. Filters that no index begins with are asked of the rows that are walked, of which one page looks at
//! [`DOCUMENTS_WALKED_MAX`]: a page may hold fewer than asked, even none, and yet have a next one.
//!
//! **Absent:** who may see what: the owners are given.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::civil::Date;
use relance_core::contact::Identity;
use relance_core::ids::{ContactId, SubjectRef};
use relance_core::subject::Object;
use relance_engine::ports::StoreError;

use super::db::{Conn, Row, Value, values};
use super::walks::{CHUNK, merged};
use super::{Page, ReadError, Reader, limits, wrong};
use crate::registry::{
    AMOUNT_NONE, AMOUNT_PARTS, DOCUMENT, DUE_NONE, DocumentState, NEXT_NONE, PAID_SOMETIME,
    REMINDED_NEVER, date_of, days, sort_column, state_column, state_of_column,
};
use crate::sqlite::column::moment;
use crate::sqlite::error::{Located, unreadable};

/// Rows that one page looks at.
pub const DOCUMENTS_WALKED_MAX: usize = 10_000;
/// Documents that are counted one by one, where no sum is kept of what is asked.
pub const DOCUMENTS_COUNTED_MAX: usize = 20_000;
/// Documents that a search finds; of more the first are shown, and it says so.
pub const DOCUMENTS_FOUND_MAX: usize = 1_000;
/// Contacts whose documents a search looks at.
const CLIENTS_FOUND_MAX: usize = 200;
/// Owners of which each has a walk of its own; more are found among all.
const OWNERS_WALKED_MAX: usize = 16;
/// Rows of sums that are added up.
const SUMS_MAX: usize = 50_000;

/// By what documents are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentSort {
    /// The date of issue.
    Issued,
    /// The date by which it is due; those without one last.
    Due,
    /// The amount, whatever the currency; those without one are the smallest.
    Amount,
    /// When it last changed.
    Updated,
    /// Its number.
    Number,
    /// The contact's name.
    Client,
    /// The owner.
    Owner,
    /// When something is next about it; those about which nothing is last.
    Next,
}

/// Which documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// In one of these states; none named: in any.
    pub states: BTreeSet<DocumentState>,
    /// Of these owners only: addresses in lower case.
    pub owners: Option<BTreeSet<String>>,
    /// `offer`, `invoice` or `other`.
    pub kind: Option<String>,
    /// ISO 4217; the empty text: none is known.
    pub currency: Option<String>,
    /// Issued on this day or later.
    pub issued_from: Option<Date>,
    /// Issued on this day or before.
    pub issued_until: Option<Date>,
    /// Due before this day.
    pub due_before: Option<Date>,
    /// Whose number begins so, or whose client is called so.
    pub search: Option<String>,
}

impl DocumentFilter {
    fn states(&self) -> Vec<DocumentState> {
        DocumentState::ALL
            .into_iter()
            .chain([DocumentState::Withdrawn])
            .filter(|state| state.is_listed(&self.states))
            .collect()
    }

    /// Whether sums are kept of what is asked.
    fn is_counted(&self) -> bool {
        self.search.is_none()
            && self.issued_from.is_none()
            && self.issued_until.is_none()
            && self.due_before.is_none()
    }

    fn fits(&self, row: &ListedDocument) -> bool {
        let within = |bound: Option<Date>, fits: &dyn Fn(i64) -> bool| {
            bound.is_none_or(|bound| fits(days(bound)))
        };
        row.state.is_listed(&self.states)
            && self
                .owners
                .as_ref()
                .is_none_or(|owners| owners.contains(&row.owner))
            && self.kind.as_ref().is_none_or(|kind| *kind == row.kind)
            && self
                .currency
                .as_ref()
                .is_none_or(|currency| *currency == row.currency)
            && within(self.issued_from, &|day| row.issued_day >= day)
            && within(self.issued_until, &|day| row.issued_day <= day)
            && within(self.due_before, &|day| row.due_day < day)
    }

    /// From where on, and before what, a column of days is walked.
    fn bounds(&self, sort: DocumentSort) -> (i64, i64) {
        match sort {
            DocumentSort::Issued => (
                self.issued_from.map_or(i64::MIN, days),
                self.issued_until
                    .map_or(i64::MAX, |day| days(day).saturating_add(1)),
            ),
            DocumentSort::Due => (i64::MIN, self.due_before.map_or(i64::MAX, days)),
            DocumentSort::Amount
            | DocumentSort::Updated
            | DocumentSort::Number
            | DocumentSort::Client
            | DocumentSort::Owner
            | DocumentSort::Next => (i64::MIN, i64::MAX),
        }
    }
}

/// A document as the registry shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedDocument {
    /// Whose.
    pub contact: ContactId,
    /// Which.
    pub id: String,
    /// Where it stands.
    pub state: DocumentState,
    /// Who is responsible; nothing: nobody is known.
    pub owner: String,
    /// `offer`, `invoice` or `other`.
    pub kind: String,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// In ten-thousandths.
    pub amount: Option<i64>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// As it is sorted by.
    pub number: String,
    /// The contact's name as it is sorted by.
    pub client: String,
    /// Messages about it that left before it was paid.
    pub reminders: u32,
    /// A run about it was in the control group.
    pub held_out: bool,
    /// The journey of a run about it, in the control group or not, as a number; 0: none.
    pub followed: i64,
    /// It was answered.
    pub answered: bool,
    next: i64,
    reminded_day: i64,
    paid_day: i64,
    issued_day: i64,
    due_day: i64,
    updated: i64,
    place: i64,
}

impl ListedDocument {
    /// The date of issue.
    pub fn issued(&self) -> Option<Date> {
        date_of(self.issued_day)
    }

    /// The date by which it is due.
    pub fn due(&self) -> Option<Date> {
        date_of(self.due_day).filter(|_| self.due_day != DUE_NONE)
    }

    /// When something is next about it: a run goes on, a message is looked at again, a question lapses.
    pub fn next_at(&self) -> Option<Timestamp> {
        (self.next != NEXT_NONE).then(|| moment(self.next))
    }

    /// The day on which it was paid, where that is known.
    pub fn paid_on(&self) -> Option<Date> {
        (self.paid_day < PAID_SOMETIME)
            .then(|| date_of(self.paid_day))
            .flatten()
    }

    /// The day of the last reminder before it was paid.
    pub fn reminded_on(&self) -> Option<Date> {
        (self.reminded_day != REMINDED_NEVER)
            .then(|| date_of(self.reminded_day))
            .flatten()
    }

    /// Whether it was due before a day, and something is still expected.
    pub fn is_overdue(&self, today: Date) -> bool {
        DocumentState::WAITING.contains(&self.state) && self.due_day < days(today)
    }

    fn key(&self, sort: DocumentSort) -> Key {
        match sort {
            DocumentSort::Issued => Key::Int(self.issued_day),
            DocumentSort::Due => Key::Int(self.due_day),
            DocumentSort::Amount => Key::Int(self.amount.unwrap_or(AMOUNT_NONE)),
            DocumentSort::Updated => Key::Int(self.updated),
            DocumentSort::Number => Key::Text(self.number.clone()),
            DocumentSort::Client => Key::Text(self.client.clone()),
            DocumentSort::Owner => Key::Text(self.owner.clone()),
            DocumentSort::Next => Key::Int(self.next),
        }
    }
}

/// A page of documents.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentPage {
    /// In order, each as it is sorted by and as it is known.
    pub items: Vec<(ListedDocument, Object)>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// A search found more than it shows.
    pub is_cut: bool,
}

/// What some documents amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSum {
    /// In this state.
    pub state: DocumentState,
    /// `offer`, `invoice` or `other`.
    pub kind: String,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// How many.
    pub count: u64,
    /// In ten-thousandths.
    pub amount: i128,
}

/// Sums of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentTotals {
    /// By state, kind and currency.
    pub sums: Vec<DocumentSum>,
    /// There may be more than was counted.
    pub is_exact: bool,
}

/// What a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Int(i64),
    Text(String),
}

type PlaceKey = (Key, i64);

fn value(key: &Key) -> Value<'_> {
    match key {
        Key::Int(number) => Value::Int(*number),
        Key::Text(text) => Value::Text(text),
    }
}

const fn is_text(sort: DocumentSort) -> bool {
    match sort {
        DocumentSort::Issued
        | DocumentSort::Due
        | DocumentSort::Amount
        | DocumentSort::Updated
        | DocumentSort::Next => false,
        DocumentSort::Number | DocumentSort::Client | DocumentSort::Owner => true,
    }
}

/// Before or behind every text.
fn edge(is_first: bool) -> Key {
    Key::Text(match is_first {
        true => String::new(),
        false => char::MAX.to_string(),
    })
}

fn cursor_text((key, place): &PlaceKey) -> String {
    match key {
        Key::Int(number) => format!("{place}.{number}"),
        Key::Text(text) => format!("{place}.{text}"),
    }
}

fn cursor_key(sort: DocumentSort, cursor: &str) -> Result<PlaceKey, ReadError> {
    let (place, key) = cursor.split_once('.').ok_or_else(|| wrong(cursor))?;
    let place = place.parse().map_err(|_| wrong(cursor))?;
    let key = match is_text(sort) {
        true => Key::Text(key.to_owned()),
        false => Key::Int(key.parse().map_err(|_| wrong(cursor))?),
    };
    Ok((key, place))
}

fn listed(row: Row<'_>) -> Result<ListedDocument, StoreError> {
    let contact = row.contact(0).at("document", "")?;
    let text = |ix: usize| row.text(ix).map(str::to_owned).at("document of", contact);
    let int = |ix: usize| row.int(ix).at("document of", contact);
    let state = int(3)?;
    Ok(ListedDocument {
        contact,
        id: text(1)?,
        place: int(2)?,
        state: state_of_column(state)
            .ok_or_else(|| unreadable("document of", contact, format_args!("state {state}")))?,
        owner: text(4)?,
        kind: text(5)?,
        currency: text(6)?,
        issued_day: int(7)?,
        due_day: int(8)?,
        amount: Some(int(9)?).filter(|amount| *amount != AMOUNT_NONE),
        updated: int(10)?,
        updated_at: row.moment(10).at("document of", contact)?,
        number: text(11)?,
        client: text(12)?,
        next: int(13)?,
        reminders: row.small(14).at("document of", contact)?,
        reminded_day: int(15)?,
        held_out: row.flag(16).at("document of", contact)?,
        answered: row.flag(17).at("document of", contact)?,
        paid_day: int(18)?,
        followed: int(19)?,
    })
}

impl Reader {
    /// Documents in order; `is_up`: the smallest first.
    pub fn documents(
        &self,
        filter: &DocumentFilter,
        sort: DocumentSort,
        is_up: bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<DocumentPage, ReadError> {
        let (shown, _) = limits(limit);
        let from = after.map(|cursor| cursor_key(sort, cursor)).transpose()?;
        self.snapshot(|conn| {
            let (rows, next, is_cut) = match &filter.search {
                Some(text) => {
                    let (mut found, is_cut) = self.found(conn, filter, text)?;
                    found.sort_by_cached_key(|row| (row.key(sort), row.place));
                    if !is_up {
                        found.reverse();
                    }
                    let is_behind = |row: &ListedDocument| match &from {
                        None => true,
                        Some(from) if is_up => (row.key(sort), row.place) > *from,
                        Some(from) => (row.key(sort), row.place) < *from,
                    };
                    found.retain(is_behind);
                    let more = found.len() > shown;
                    found.truncate(shown);
                    let last = found.last().filter(|_| more);
                    let next = last.map(|row| cursor_text(&(row.key(sort), row.place)));
                    (found, next, is_cut)
                }
                None => {
                    let (rows, next) = self.walked(conn, filter, sort, is_up, from, shown)?;
                    (rows, next, false)
                }
            };
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                let subject = SubjectRef {
                    kind: DOCUMENT.into(),
                    id: row.id.as_str().into(),
                };
                let key = values![row.contact, Value::Word(DOCUMENT), Value::Key(&row.id)];
                let object = conn.one(self.sql.object_one, "object", key, super::lists::object)?;
                let object = object.map_or_else(
                    || Object::new(subject, row.updated_at),
                    |(found, _)| found.object,
                );
                items.push((row, object));
            }
            Ok(DocumentPage {
                items,
                next,
                is_cut,
            })
        })
    }

    /// One document as the registry shows it.
    pub fn listed_document(
        &self,
        contact: ContactId,
        id: &str,
    ) -> Result<Option<ListedDocument>, ReadError> {
        let key = values![contact, Value::Key(id)];
        self.one(self.sql.document_one, "document", key, listed)
    }

    /// Visits documents of a filter in order of their dates of issue, the first first; says whether all were looked at.
    pub fn each_issued(
        &self,
        filter: &DocumentFilter,
        most: usize,
        mut visit: impl FnMut(&ListedDocument),
    ) -> Result<bool, ReadError> {
        self.snapshot(|conn| {
            let (mut looked_at, mut is_whole) = (0, true);
            self.each_document(conn, filter, DocumentSort::Issued, true, None, |_, row| {
                if looked_at == most {
                    is_whole = false;
                    return ControlFlow::Break(());
                }
                looked_at += 1;
                if filter.fits(&row) {
                    visit(&row);
                }
                ControlFlow::Continue(())
            })?;
            Ok(is_whole)
        })
    }

    /// The page that a walk finds, and where the next begins.
    fn walked(
        &self,
        conn: &mut Conn,
        filter: &DocumentFilter,
        sort: DocumentSort,
        is_up: bool,
        from: Option<PlaceKey>,
        shown: usize,
    ) -> Result<(Vec<ListedDocument>, Option<String>), ReadError> {
        let mut rows: Vec<ListedDocument> = Vec::new();
        let mut next = None;
        let mut looked_at = 0;
        let mut last = None;
        self.each_document(conn, filter, sort, is_up, from, |key, row| {
            if rows.len() == shown || looked_at == DOCUMENTS_WALKED_MAX {
                next = last.as_ref().map(cursor_text);
                return ControlFlow::Break(());
            }
            looked_at += 1;
            if filter.fits(&row) {
                rows.push(row);
            }
            last = Some(key);
            ControlFlow::Continue(())
        })?;
        Ok((rows, next))
    }

    /// Visits documents of the filter's states in order, from behind a place.
    fn each_document(
        &self,
        conn: &mut Conn,
        filter: &DocumentFilter,
        sort: DocumentSort,
        is_up: bool,
        from: Option<PlaceKey>,
        mut visit: impl FnMut(PlaceKey, ListedDocument) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let states = filter.states();
        let owners: Vec<Option<&str>> = match &filter.owners {
            Some(owners)
                if owners.len() <= OWNERS_WALKED_MAX && self.of_owner(sort, is_up).is_some() =>
            {
                owners.iter().map(|owner| Some(owner.as_str())).collect()
            }
            Some(_) | None => vec![None],
        };
        let walks: Vec<(DocumentState, Option<&str>)> = states
            .iter()
            .flat_map(|state| owners.iter().map(|owner| (*state, *owner)))
            .collect();
        let (low, high) = filter.bounds(sort);
        let begin = match (is_text(sort), is_up) {
            (true, _) => (edge(is_up), i64::MIN),
            (false, true) => (Key::Int(low), i64::MIN),
            (false, false) => (Key::Int(high), i64::MIN),
        };
        let begin = match from {
            None => begin,
            Some(from) if is_up => from.max(begin),
            Some(from) => from.min(begin),
        };
        let fetch = |ix: usize, behind: Option<&PlaceKey>| {
            let (state, owner) = walks[ix];
            let (key, place) = behind.unwrap_or(&begin);
            let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
            let (state, key) = (Value::Int(state_column(state)), value(key));
            let rows = match (owner, self.of_owner(sort, is_up)) {
                (Some(owner), Some(sql)) => {
                    let key = values![state, key, *place, chunk, owner];
                    conn.rows(sql, "document", key, listed)
                }
                (_, _) => {
                    let key = values![state, key, *place, chunk];
                    conn.rows(self.of_all(sort, is_up), "document", key, listed)
                }
            }?;
            Ok(rows
                .into_iter()
                .map(|row| ((row.key(sort), row.place), row))
                .collect())
        };
        merged(walks.len(), is_up, CHUNK, fetch, |key, row| {
            // A column of days is walked within its bounds.
            let is_beyond = match &key.0 {
                Key::Int(number) if is_up => *number >= high,
                Key::Int(number) => *number < low,
                Key::Text(_) => false,
            };
            if is_beyond {
                return Ok(ControlFlow::Break(()));
            }
            Ok(visit(key, row))
        })
    }

    const fn of_all(&self, sort: DocumentSort, is_up: bool) -> &'static str {
        let sql = &self.sql;
        match (sort, is_up) {
            (DocumentSort::Issued, true) => sql.document_by_issued_up,
            (DocumentSort::Issued, false) => sql.document_by_issued_down,
            (DocumentSort::Due, true) => sql.document_by_due_up,
            (DocumentSort::Due, false) => sql.document_by_due_down,
            (DocumentSort::Amount, true) => sql.document_by_amount_up,
            (DocumentSort::Amount, false) => sql.document_by_amount_down,
            (DocumentSort::Updated, true) => sql.document_by_updated_up,
            (DocumentSort::Updated, false) => sql.document_by_updated_down,
            (DocumentSort::Number, true) => sql.document_by_number_up,
            (DocumentSort::Number, false) => sql.document_by_number_down,
            (DocumentSort::Client, true) => sql.document_by_client_up,
            (DocumentSort::Client, false) => sql.document_by_client_down,
            (DocumentSort::Owner, true) => sql.document_by_owner_up,
            (DocumentSort::Owner, false) => sql.document_by_owner_down,
            (DocumentSort::Next, true) => sql.document_by_next_up,
            (DocumentSort::Next, false) => sql.document_by_next_down,
        }
    }

    /// The walk of one owner, where there is an index for it.
    const fn of_owner(&self, sort: DocumentSort, is_up: bool) -> Option<&'static str> {
        let sql = &self.sql;
        match (sort, is_up) {
            (DocumentSort::Issued, true) => Some(sql.document_of_owner_by_issued_up),
            (DocumentSort::Issued, false) => Some(sql.document_of_owner_by_issued_down),
            (DocumentSort::Due, true) => Some(sql.document_of_owner_by_due_up),
            (DocumentSort::Due, false) => Some(sql.document_of_owner_by_due_down),
            (DocumentSort::Amount, true) => Some(sql.document_of_owner_by_amount_up),
            (DocumentSort::Amount, false) => Some(sql.document_of_owner_by_amount_down),
            (DocumentSort::Updated, true) => Some(sql.document_of_owner_by_updated_up),
            (DocumentSort::Updated, false) => Some(sql.document_of_owner_by_updated_down),
            (DocumentSort::Next, true) => Some(sql.document_of_owner_by_next_up),
            (DocumentSort::Next, false) => Some(sql.document_of_owner_by_next_down),
            (DocumentSort::Number | DocumentSort::Client | DocumentSort::Owner, _) => None,
        }
    }

    /// Documents that a search finds and the filter lets through, and whether there may be more.
    fn found(
        &self,
        conn: &mut Conn,
        filter: &DocumentFilter,
        text: &str,
    ) -> Result<(Vec<ListedDocument>, bool), ReadError> {
        let mut found: BTreeMap<i64, ListedDocument> = BTreeMap::new();
        let number = sort_column(text);
        if number.is_empty() {
            return Ok((Vec::new(), false));
        }
        let before = format!("{number}{}", char::MAX);
        let most = i64::try_from(DOCUMENTS_FOUND_MAX).unwrap_or(i64::MAX);
        let mut is_cut = false;
        for state in filter.states() {
            let key = values![state_column(state), number.as_str(), before.as_str(), most];
            let rows = conn.rows(self.sql.document_numbered, "document", key, listed)?;
            is_cut |= rows.len() >= DOCUMENTS_FOUND_MAX;
            found.extend(rows.into_iter().map(|row| (row.place, row)));
        }
        let (mut clients, more) = self.named(conn, text, CLIENTS_FOUND_MAX)?;
        is_cut |= more;
        if text.contains('@') {
            let address = Identity::email(text.trim());
            let key = values![address.kind.word(), Value::Key(&address.value)];
            let client = conn.one(self.sql.contact_of_identity, "identity", key, |row| {
                row.contact(0).at("identity", "email")
            })?;
            clients.extend(client);
        }
        for client in clients {
            if found.len() >= 2 * DOCUMENTS_FOUND_MAX {
                is_cut = true;
                break;
            }
            let key = values![client, "", most];
            let rows = conn.rows(self.sql.document_of_contact_page, "document", key, listed)?;
            is_cut |= rows.len() >= DOCUMENTS_FOUND_MAX;
            found.extend(rows.into_iter().map(|row| (row.place, row)));
        }
        let rows = found.into_values().filter(|row| filter.fits(row));
        Ok((rows.collect(), is_cut))
    }

    /// What the documents of a list amount to.
    pub fn document_totals(&self, filter: &DocumentFilter) -> Result<DocumentTotals, ReadError> {
        self.snapshot(|conn| {
            let mut sums: BTreeMap<(DocumentState, String, String), (u64, i128)> = BTreeMap::new();
            let mut is_exact = true;
            if filter.is_counted() {
                is_exact = self.add_sums(conn, filter, &mut sums)?;
            } else {
                let mut add = |row: &ListedDocument| {
                    let of = (row.state, row.kind.clone(), row.currency.clone());
                    let sum = sums.entry(of).or_default();
                    sum.0 += 1;
                    sum.1 += row.amount.map_or(0, i128::from);
                };
                if let Some(text) = &filter.search {
                    let (found, is_cut) = self.found(conn, filter, text)?;
                    found.iter().for_each(&mut add);
                    is_exact = !is_cut;
                } else {
                    let sort = match filter.due_before {
                        Some(_) => DocumentSort::Due,
                        None => DocumentSort::Issued,
                    };
                    let mut looked_at = 0;
                    self.each_document(conn, filter, sort, true, None, |_, row| {
                        if looked_at == DOCUMENTS_COUNTED_MAX {
                            is_exact = false;
                            return ControlFlow::Break(());
                        }
                        looked_at += 1;
                        if filter.fits(&row) {
                            add(&row);
                        }
                        ControlFlow::Continue(())
                    })?;
                }
            }
            let behind = conn.one(self.sql.registry_behind, "registry", values![], |_| Ok(()))?;
            let sums = sums.into_iter().filter(|(_, (count, _))| *count > 0);
            Ok(DocumentTotals {
                sums: sums
                    .map(|((state, kind, currency), (count, amount))| DocumentSum {
                        state,
                        kind,
                        currency,
                        count,
                        amount,
                    })
                    .collect(),
                is_exact: is_exact && behind.is_none(),
            })
        })
    }

    fn add_sums(
        &self,
        conn: &mut Conn,
        filter: &DocumentFilter,
        sums: &mut BTreeMap<(DocumentState, String, String), (u64, i128)>,
    ) -> Result<bool, ReadError> {
        let most = i64::try_from(SUMS_MAX).unwrap_or(i64::MAX);
        let mut rows = 0;
        let mut add = |row: Row<'_>| {
            rows += 1;
            let state = row.int(1).at("document_sum", "")?;
            let kind = row.text(2).at("document_sum", "")?;
            let currency = row.text(3).at("document_sum", "")?;
            let wanted = |own: &Option<String>, is: &str| own.as_ref().is_none_or(|own| own == is);
            let Some(state) = state_of_column(state).filter(|state| {
                state.is_listed(&filter.states)
                    && wanted(&filter.kind, kind)
                    && wanted(&filter.currency, currency)
            }) else {
                return Ok(ControlFlow::Continue(()));
            };
            let sum = sums
                .entry((state, kind.to_owned(), currency.to_owned()))
                .or_default();
            sum.0 += row.count(4).at("document_sum", "")?;
            let units = row.int(5).at("document_sum", "")?;
            let parts = row.int(6).at("document_sum", "")?;
            sum.1 += i128::from(units) * i128::from(AMOUNT_PARTS) + i128::from(parts);
            Ok(ControlFlow::Continue(()))
        };
        match &filter.owners {
            None => conn.each(
                self.sql.document_sum_all,
                "document_sum",
                values![most],
                &mut add,
            )?,
            Some(owners) => {
                for owner in owners {
                    let key = values![owner.as_str(), most];
                    conn.each(self.sql.document_sum_of, "document_sum", key, &mut add)?;
                }
            }
        }
        Ok(rows < SUMS_MAX)
    }

    /// Documents of a contact as the registry shows them, by id.
    pub fn documents_of_contact(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedDocument>, ReadError> {
        let (shown, asked) = limits(limit);
        let key = values![contact, Value::Key(after.unwrap_or_default()), asked];
        let rows = self.rows(self.sql.document_of_contact_page, "document", key, |row| {
            let one = listed(row)?;
            let place = one.id.clone();
            Ok((one, place))
        })?;
        Ok(super::page(rows, shown))
    }
}
