//! What happened, as one list: lines of the ledger and events that people want to hear of, the last written first.
//!
//! The list is kept as things happen, for some weeks. Each line of it knows whose the contact was then; whoever asks
//! says which owners they may see.
//!
//! **Absent:** what happened to one contact (see its life), and what comes in masses to contacts of nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use jiff::Timestamp;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_event;

use super::daily::QuarterCount;
use super::db::{Conn, Row, values};
use super::ledger::one_line;
use super::walks::merged;
use super::{LedgerLine, Page, ReadError, Reader, limits, number};
use crate::sqlite::column::{moment, nanos, quarter};
use crate::sqlite::error::Located;

/// Lines of an owner that are counted.
pub const FEED_COUNTED_MAX: usize = 20_000;
/// Lines that one page looks at; contacts may have gone to others meanwhile, or be erased.
const WALKED_MAX: usize = 2_000;

/// Merges that a contact is followed through.
const MERGES_FOLLOWED_MAX: usize = 64;

/// What happened, in full.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A line of the ledger.
    Line(Box<LedgerLine>),
    /// An event.
    Event(Box<Event>),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// To whom: who it is now, of contacts that were merged.
    pub contact: ContactId,
    /// `sent`, `held`, `enrolled`, `converted`, `replied`, `documents`, `paid` or `tasks_done`.
    pub what: String,
    /// The same in full.
    pub told: Told,
}

/// A row of the list.
struct Noted {
    at: Timestamp,
    contact: ContactId,
    what: String,
    is_line: bool,
    place: i64,
}

fn noted(row: Row<'_>) -> Result<(i64, Noted), StoreError> {
    let id = row.int(0).at("feed", "")?;
    let one = Noted {
        at: row.moment(1).at("feed", id)?,
        contact: row.contact(2).at("feed", id)?,
        what: row.text(3).at("feed", id)?.to_owned(),
        is_line: row.flag(4).at("feed", id)?,
        place: row.int(5).at("feed", id)?,
    };
    Ok((id, one))
}

impl Reader {
    /// What happened to contacts of some owners (addresses in lower case), or to anybody. A page may hold fewer than
    /// asked and yet have a next one.
    pub fn feed(
        &self,
        owners: Option<&BTreeSet<String>>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Happened>, ReadError> {
        let (shown, asked) = limits(limit);
        let before = number(after, i64::MAX)?;
        let own: Vec<&str> = owners.map_or_else(Vec::new, |owners| {
            let named = owners.iter().filter(|owner| !owner.is_empty());
            named.map(String::as_str).collect()
        });
        let walks = if owners.is_some() { own.len() } else { 1 };
        let chunk = shown + 1;
        self.snapshot(|conn| {
            let mut items = Vec::new();
            let (mut looked_at, mut last, mut next) = (0, before, None);
            let conn = std::cell::RefCell::new(conn);
            let fetch = |ix: usize, behind: Option<&i64>| {
                let from = behind.copied().unwrap_or(before);
                let conn = &mut **conn.borrow_mut();
                let rows = match owners {
                    None => conn.rows(self.sql.feed_all, "feed", values![from, asked], noted),
                    Some(_) => {
                        let key = values![own[ix], from, asked];
                        conn.rows(self.sql.feed_of_owner, "feed", key, noted)
                    }
                };
                Ok(rows?)
            };
            merged(walks, false, chunk, fetch, |id, one| {
                if items.len() == shown || looked_at == WALKED_MAX {
                    next = Some(last.to_string());
                    return Ok(ControlFlow::Break(()));
                }
                looked_at += 1;
                last = id;
                items.extend(self.in_full(&mut conn.borrow_mut(), owners, one)?);
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(Page { items, next })
        })
    }

    /// One of them, unless it is gone, or the contact is somebody else's by now.
    fn in_full(
        &self,
        conn: &mut Conn,
        owners: Option<&BTreeSet<String>>,
        one: Noted,
    ) -> Result<Option<Happened>, ReadError> {
        let told = if one.is_line {
            let key = values![one.contact, one.place];
            conn.one(self.sql.ledger_one, "ledger", key, one_line)?
                .map(|line| Told::Line(Box::new(line)))
        } else {
            let key = values![one.contact, one.place];
            conn.one(self.sql.event_one, "event", key, |row| {
                read_event(row.text(0).at("event", one.place)?).at("event", one.place)
            })?
            .map(|event| Told::Event(Box::new(event)))
        };
        let Some(told) = told else {
            return Ok(None);
        };
        let contact = self.survivor(conn, one.contact)?;
        if let Some(owners) = owners {
            let face = self.face(conn, contact)?;
            let owner = face.map(|face| face.owner).unwrap_or_default();
            if !owner.is_empty() && !owners.contains(&owner) {
                return Ok(None);
            }
        }
        Ok(Some(Happened {
            at: one.at,
            contact,
            what: one.what,
            told,
        }))
    }

    /// Who a contact is now.
    fn survivor(&self, conn: &mut Conn, contact: ContactId) -> Result<ContactId, ReadError> {
        let mut now = contact;
        for _ in 0..MERGES_FOLLOWED_MAX {
            let key = values![now];
            let body = conn.one(
                self.sql.contact_one,
                "contact",
                key,
                super::contacts::contact,
            )?;
            match body.and_then(|body| body.merged_into) {
                Some(next) => now = next,
                None => break,
            }
        }
        Ok(now)
    }

    /// How often what happened to contacts of some owners since a moment, by quarters of an hour; and whether all were
    /// counted.
    pub fn feed_counts(
        &self,
        owners: &BTreeSet<String>,
        since: Timestamp,
    ) -> Result<(Vec<QuarterCount>, bool), ReadError> {
        let mut counts: BTreeMap<(i64, String), u64> = BTreeMap::new();
        let mut is_exact = true;
        let most = i64::try_from(FEED_COUNTED_MAX).unwrap_or(i64::MAX);
        for owner in owners.iter().filter(|owner| !owner.is_empty()) {
            let key = values![owner.as_str(), nanos(since), most];
            let rows = self.rows(self.sql.feed_since, "feed", key, |row| {
                let at = row.int(0).at("feed", "")?;
                Ok((quarter(moment(at)), row.text(1).at("feed", "")?.to_owned()))
            })?;
            is_exact &= rows.len() < FEED_COUNTED_MAX;
            for row in rows {
                *counts.entry(row).or_default() += 1;
            }
        }
        let counts = counts.into_iter().map(|((number, what), times)| {
            let began = Timestamp::from_second(number.saturating_mul(900));
            QuarterCount {
                from: began.unwrap_or(Timestamp::UNIX_EPOCH),
                what,
                times,
            }
        });
        Ok((counts.collect(), is_exact))
    }
}
