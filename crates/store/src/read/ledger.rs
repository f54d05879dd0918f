//! The why ledger of a contact, of one of its runs or of what a journey had to do with it, the newest line
//! first.

use std::ops::ControlFlow;

use relance_core::contact::Channel;
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, TouchpointId};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_engine::ports::StoreError;

use super::db::{Row, values};
use super::{Page, ReadError, Reader, limits, number, page, wrong};
use crate::sqlite::column::moment;
use crate::sqlite::error::{Located, unreadable};

/// Lines of a contact that one page of a journey's lines looks at; a page that found too few goes on from
/// there.
pub const LINES_WALKED_MAX: usize = 10_000;

/// A line with its place in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerLine {
    /// Its place, which is the order of writing.
    pub number: u64,
    /// The line.
    pub entry: LedgerEntry,
}

/// A line, and the line before it of the contact or of the run, where the database keeps chains.
struct Found {
    id: i64,
    entry: LedgerEntry,
    previous: Option<i64>,
}

/// Which lines of a contact.
#[derive(Debug, Clone, Copy)]
enum Of<'a> {
    /// All.
    Contact,
    /// Those of a run.
    Run(u32),
    /// Those of a journey: found among all.
    Journey(&'a JourneyId),
}

impl Of<'_> {
    /// The run whose chain is followed; else it is that of the contact.
    const fn run(self) -> Option<u32> {
        match self {
            Self::Run(number) => Some(number),
            Self::Contact | Self::Journey(_) => None,
        }
    }

    fn holds(self, entry: &LedgerEntry) -> bool {
        match self {
            Self::Contact | Self::Run(_) => true,
            Self::Journey(journey) => entry.journey.as_ref() == Some(journey),
        }
    }
}

/// A word of a closed set.
fn word<T>(
    id: i64,
    word: Option<&str>,
    of: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    let read = |word: &str| {
        of(word).ok_or_else(|| unreadable("ledger", id, format_args!("{word:?} is not known")))
    };
    word.map(read).transpose()
}

fn line(row: Row<'_>) -> Result<Found, StoreError> {
    let id = row.int(0).at("ledger", "")?;
    let optional = |ix: usize| row.text_or_null(ix).at("ledger", id);
    let integer = |ix: usize| row.int_or_null(ix).at("ledger", id);
    let contact = row.contact(2).at("ledger", id)?;
    let what = word(id, optional(4)?, What::from_word)?
        .ok_or_else(|| unreadable("ledger", id, "it does not say what happened"))?;
    let run = match integer(7)? {
        Some(_) => Some(row.small(7).at("ledger", id)?),
        None => None,
    };
    let entry = LedgerEntry {
        at: row.moment(3).at("ledger", id)?,
        contact,
        what,
        reason: word(id, optional(5)?, Reason::from_word)?,
        journey: optional(6)?.map(Into::into),
        enrollment: run.map(|number| EnrollmentId { contact, number }),
        step: optional(8)?.map(Into::into),
        touchpoint: integer(9)?.map(|hash| TouchpointId {
            contact,
            hash: hash.cast_unsigned(),
        }),
        channel: word(id, optional(10)?, Channel::from_word)?,
        template: optional(11)?.map(Into::into),
        until: integer(12)?.map(moment),
        detail: optional(13)?.map(str::to_owned),
        variant: optional(14)?.map(Into::into),
    };
    Ok(Found {
        id,
        entry,
        previous: integer(1)?,
    })
}

/// One line, for whoever knows its place.
pub(super) fn one_line(row: Row<'_>) -> Result<LedgerLine, StoreError> {
    line(row).map(Found::told)
}

impl Found {
    fn told(self) -> LedgerLine {
        LedgerLine {
            number: self.id.unsigned_abs(),
            entry: self.entry,
        }
    }
}

impl Reader {
    /// What happened to a contact, and why.
    pub fn ledger_of_contact(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<LedgerLine>, ReadError> {
        self.chain(contact, Of::Contact, after, limit)
    }

    /// What happened in one run, and why.
    pub fn ledger_of_enrollment(
        &self,
        id: EnrollmentId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<LedgerLine>, ReadError> {
        self.chain(id.contact, Of::Run(id.number), after, limit)
    }

    /// What a journey had to do with a contact, and why: its runs, and why there were none. A page may
    /// hold fewer lines than asked and still not be the last.
    pub fn ledger_of_journey(
        &self,
        contact: ContactId,
        journey: &JourneyId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<LedgerLine>, ReadError> {
        self.chain(contact, Of::Journey(journey), after, limit)
    }

    /// What happened to anybody, the newest first.
    pub fn ledger(&self, after: Option<&str>, limit: usize) -> Result<Page<LedgerLine>, ReadError> {
        let (shown, asked) = limits(limit);
        let before = number(after, i64::MAX)?;
        let key = values![before, asked];
        let rows = self.rows(self.sql.ledger_newest, "ledger", key, |row| {
            let found = line(row)?;
            let place = found.id.to_string();
            Ok((found.told(), place))
        })?;
        Ok(page(rows, shown))
    }

    /// A page of a contact's lines or of a run's. The place that is handed out is the first line of the next page.
    fn chain(
        &self,
        contact: ContactId,
        of: Of<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<LedgerLine>, ReadError> {
        let (shown, asked) = limits(limit);
        let start = after.map(|cursor| number(Some(cursor), 0)).transpose()?;
        let most = match of {
            Of::Contact | Of::Run(_) => asked,
            Of::Journey(_) => LINES_WALKED_MAX as i64 + 1,
        };
        let mut items = Vec::new();
        let mut walked = 0;
        let mut last: Option<(i64, Option<i64>)> = None;
        let mut next = None;
        let mut is_strange = false;
        let mut visit = |row: Row<'_>| -> Result<ControlFlow<()>, StoreError> {
            let found = line(row)?;
            let id = found.id;
            if last.is_none() && start.is_some_and(|start| start != id) {
                is_strange = true;
                return Ok(ControlFlow::Break(()));
            }
            let own = found.entry.contact == contact
                && of.run().is_none_or(|run| {
                    let run_of = found.entry.enrollment;
                    run_of.is_some_and(|own| own.number == run)
                });
            let goes_back = last.is_none_or(|(last, _)| id < last)
                && found.previous.is_none_or(|previous| previous < id);
            if !own || !goes_back {
                return Err(unreadable("ledger", id, "a chain leads to it wrongly"));
            }
            if items.len() >= shown || walked >= LINES_WALKED_MAX {
                next = Some(id);
                return Ok(ControlFlow::Break(()));
            }
            last = Some((id, found.previous));
            walked += 1;
            if of.holds(&found.entry) {
                items.push(found.told());
            }
            Ok(ControlFlow::Continue(()))
        };
        self.with(|conn| {
            match of.run() {
                None => {
                    let key = values![contact, start, most];
                    conn.each(self.sql.ledger_of_contact, "ledger", key, &mut visit)?;
                }
                Some(run) => {
                    let key = values![contact, run, start, most];
                    conn.each(self.sql.ledger_of_run, "ledger", key, &mut visit)?;
                }
            }
            Ok(())
        })?;
        // A place handed in is a stranger's word: it may not lead into another contact's life.
        if let Some(cursor) = after
            && (is_strange || last.is_none())
        {
            return Err(wrong(cursor));
        }
        if let (Some((id, Some(_))), None) = (last, next) {
            let gone = "a chain leads on from it to a line that is gone or another's";
            return Err(unreadable("ledger", id, gone).into());
        }
        let next = next.map(|id| id.to_string());
        Ok(Page { items, next })
    }
}
