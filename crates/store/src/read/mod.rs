//! What pages and the API read: beside the writer, never in its way.
//!
//! A [`Reader`] holds a few read-only connections and may be shared between threads. Every list comes in
//! pages by key, so that a page costs the same wherever it lies; `next` is a text to hand back. What a
//! reader sees is a committed state, a moment old at most.
//!
//! One implementation reads either database. To add a read: put its statement under one name in
//! `sql/sqlite/read.sql` and `sql/postgres/read.sql`, with the same parameters and columns in the same order
//! (of one contact: PostgreSQL's begins its key with `part`); list the name in `ReadSql` of `sql.rs`; write a
//! method of [`Reader`] with `self.rows(self.sql.NAME, "table", values![..], |row| ..)`, or `self.snapshot`
//! where several statements must agree; and put its test into the table of `read/tests.rs`, which runs it on both.
//!
//! **Absent:** writing, and counting while a page is looked at: sums are kept by the writer.

mod accounts;
mod approvals;
mod audit;
#[cfg(test)]
mod audit_tests;
mod consent;
mod contacts;
mod daily;
pub(crate) mod db;
mod documents;
mod feed;
#[cfg(test)]
mod feed_tests;
mod history;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod journey_tests;
mod journeys;
mod ledger;
#[cfg(test)]
mod list_tests;
mod listed;
mod lists;
mod merges;
mod names;
mod overdue;
#[cfg(test)]
mod payment_tests;
mod payments;
mod pg;
mod pool;
mod scan;
mod search;
#[cfg(test)]
mod segment_tests;
mod segments;
mod tasks;
#[cfg(test)]
mod tests;
mod threads;
mod walks;
mod workspace;

use relance_engine::ports::StoreError;

pub use approvals::{QUESTIONS_WALKED_MAX, Question};
pub use audit::AuditAsked;
pub use contacts::LoggedEvent;
pub use daily::QuarterCount;
pub use documents::{
    DOCUMENTS_COUNTED_MAX, DOCUMENTS_FOUND_MAX, DOCUMENTS_WALKED_MAX, DocumentFilter, DocumentPage,
    DocumentSort, DocumentSum, DocumentTotals, ListedDocument,
};
pub use feed::{FEED_COUNTED_MAX, Happened, Told};
pub use history::{CONTACT_EVENTS_MAX, ContactHistory};
pub use journeys::{DatedText, JourneyStatus, JourneySummary, JourneyVersion};
pub use ledger::{LINES_WALKED_MAX, LedgerLine};
pub use listed::{CONTACTS_WALKED_MAX, ContactFilter, ContactSort, ListedContact};
pub use lists::{ObjectOf, TouchpointList};
pub use merges::MergeStatus;
pub use names::{NAMES_LOOKED_AT_MAX, NAMES_MAX, NameInUse, NamesInUse};
pub use overdue::{Due, DueOf, OVERDUE_COUNTED_MAX, Overdue};
pub use payments::{INVOICES_FOUND_MAX, KnownPayment, PAYMENTS_COUNTED_MAX, PAYMENTS_WALKED_MAX};
pub use pool::{READERS_MAX, Reader};
pub use scan::Scanner;
pub use search::{Found, SEARCH_CHARS_MAX};
pub use segments::{MEMBERS_WALKED_MAX, SegmentRow};
pub use tasks::{ListedTask, TASKS_COUNTED_MAX, TASKS_WALKED_MAX, TaskFilter, TaskSort};
pub use workspace::{Count, Totals};

/// The SQL of a file.
const SQLITE: &[&str] = &[
    include_str!("../../sql/sqlite/read.sql"),
    include_str!("../../sql/sqlite/lists.sql"),
    include_str!("../../sql/sqlite/payment_read.sql"),
];

/// The SQL of a server.
const POSTGRES: &[&str] = &[
    include_str!("../../sql/postgres/read.sql"),
    include_str!("../../sql/postgres/lists.sql"),
    include_str!("../../sql/postgres/payment_read.sql"),
];

/// Rows of one page.
pub const PAGE_ROWS_MAX: usize = 500;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// Why a page cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text that should say where the page begins is none that this list gave.
    #[error("{0:?} is not a place in this list; begin without one")]
    Cursor(String),
    /// The file that a backup should become is there already.
    #[error("the file {0} exists; name one that does not")]
    Exists(String),
    /// The workspace lies on a server.
    #[error("the workspace is in PostgreSQL: back it up with pg_dump or the server's own tools")]
    ServerBackup,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A place in a list that is ordered by moment, contact and hash.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: i64,
    contact: i64,
    hash: i64,
}

impl Place {
    const FIRST: Self = Self {
        at: i64::MIN,
        contact: i64::MIN,
        hash: i64::MIN,
    };
    const LAST: Self = Self {
        at: i64::MAX,
        contact: i64::MAX,
        hash: i64::MAX,
    };

    fn parse(cursor: Option<&str>, start: Self) -> Result<Self, ReadError> {
        let Some(cursor) = cursor else {
            return Ok(start);
        };
        let mut parts = cursor.splitn(3, '.').map(str::parse);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(at)), Some(Ok(contact)), Some(Ok(hash))) => Ok(Self { at, contact, hash }),
            _incomplete => Err(wrong(cursor)),
        }
    }

    fn text(self) -> String {
        format!("{}.{}.{}", self.at, self.contact, self.hash)
    }
}

fn wrong(cursor: &str) -> ReadError {
    ReadError::Cursor(cursor.chars().take(80).collect())
}

fn number(cursor: Option<&str>, start: i64) -> Result<i64, ReadError> {
    cursor.map_or(Ok(start), |text| text.parse().map_err(|_| wrong(text)))
}

/// How many rows are shown, and how many asked for: one more shows whether there is another page.
fn limits(limit: usize) -> (usize, i64) {
    let shown = limit.clamp(1, PAGE_ROWS_MAX);
    (shown, i64::try_from(shown + 1).unwrap_or(i64::MAX))
}

/// A page of rows that came with the places they lie at.
fn page<T>(mut rows: Vec<(T, String)>, shown: usize) -> Page<T> {
    let more = rows.len() > shown;
    rows.truncate(shown);
    let next = if more {
        rows.last().map(|(_, place)| place.clone())
    } else {
        None
    };
    Page {
        items: rows.into_iter().map(|(item, _)| item).collect(),
        next,
    }
}
