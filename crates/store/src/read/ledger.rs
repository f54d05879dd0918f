//! The why ledger of a contact, of one of its runs or of what a journey had to do with it, the newest line
//! first.

use relance_core::contact::Channel;
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, TouchpointId};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_engine::ports::StoreError;
use rusqlite::{OptionalExtension, Row};

use super::{Page, ReadError, Reader, limits, number, wrong};
use crate::sqlite::column::{contact_id, contact_key, moment, text};
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

/// A line, and the lines before it of the contact and of the run.
struct Found {
    entry: LedgerEntry,
    previous: Option<i64>,
    previous_of_run: Option<i64>,
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

fn line(row: &Row<'_>, id: i64) -> Result<Found, StoreError> {
    let optional = |ix: usize| -> Result<Option<&str>, StoreError> {
        if row.get_ref(ix).at("ledger", id)? == rusqlite::types::ValueRef::Null {
            return Ok(None);
        }
        text(row, ix).map(Some).at("ledger", id)
    };
    let integer = |ix: usize| row.get::<_, Option<i64>>(ix).at("ledger", id);
    let contact = contact_id(row, 2).at("ledger", id)?;
    let at = moment(row.get(3).at("ledger", id)?);
    let what = word(id, optional(4)?, What::from_word)?
        .ok_or_else(|| unreadable("ledger", id, "it does not say what happened"))?;
    let run: Option<u32> = row.get(7).at("ledger", id)?;
    let entry = LedgerEntry {
        at,
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
        entry,
        previous: integer(0)?,
        previous_of_run: integer(1)?,
    })
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
        let ids: Vec<i64> =
            self.rows(self.sql.ledger_newest, "ledger", [before, asked], |row| {
                row.get(0).at("ledger", "")
            })?;
        self.with(|conn| {
            let mut statement = conn.prepare_cached(self.sql.ledger_line).at("ledger", "")?;
            let mut items = Vec::with_capacity(ids.len().min(shown));
            for id in ids.iter().take(shown) {
                let found = statement
                    .query_row([id], |row| Ok(line(row, *id)))
                    .at("ledger", id)??;
                items.push(LedgerLine {
                    number: id.cast_unsigned(),
                    entry: found.entry,
                });
            }
            let next = items
                .last()
                .filter(|_| ids.len() > shown)
                .map(|line| line.number.to_string());
            Ok(Page { items, next })
        })
    }

    fn chain(
        &self,
        contact: ContactId,
        of: Of<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<LedgerLine>, ReadError> {
        let (shown, _) = limits(limit);
        let run = of.run();
        self.with(|conn| {
            let mut next = match after {
                Some(_) => Some(number(after, 0)?),
                None => conn
                    .prepare_cached(self.sql.ledger_head)
                    .and_then(|mut statement| {
                        let key = [contact_key(contact), i64::from(run.unwrap_or(0))];
                        statement.query_row(key, |row| row.get(0)).optional()
                    })
                    .at("ledger_head", contact)?,
            };
            let mut items = Vec::new();
            let mut walked = 0;
            let mut statement = conn.prepare_cached(self.sql.ledger_line).at("ledger", "")?;
            while let Some(id) = next.filter(|_| items.len() < shown && walked < LINES_WALKED_MAX) {
                let found = statement
                    .query_row([id], |row| Ok(line(row, id)))
                    .optional()
                    .at("ledger", id)?
                    .transpose()?;
                // A place handed in is a stranger's word: it may not lead into another contact's life.
                let own = |found: &Found| {
                    found.entry.contact == contact
                        && run.is_none_or(|run| {
                            found.entry.enrollment.is_some_and(|own| own.number == run)
                        })
                };
                let Some(found) = found.filter(own) else {
                    return Err(match after {
                        Some(cursor) if walked == 0 => wrong(cursor),
                        Some(_) | None => {
                            unreadable("ledger", id, "a chain leads to it wrongly").into()
                        }
                    });
                };
                let previous = if run.is_some() {
                    found.previous_of_run
                } else {
                    found.previous
                };
                if previous.is_some_and(|previous| previous >= id) {
                    return Err(unreadable("ledger", id, "its chain does not lead back").into());
                }
                walked += 1;
                if of.holds(&found.entry) {
                    items.push(LedgerLine {
                        number: id.unsigned_abs(),
                        entry: found.entry,
                    });
                }
                next = previous;
            }
            Ok(Page {
                items,
                next: next.map(|id| id.to_string()),
            })
        })
    }
}
