//! Contacts as a list shows them: by age or by name, of some owners, of a segment, by the words of their names.
//!
//! Like the registry of documents: walks along indexes, bounded, so a page may hold fewer than asked and yet have a
//! next one. By name only those are listed that have one: a name, a company or an address.
//!
//! **Absent:** who may see what: the owners are given. Names by identities: see [`super::search`].

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::Timestamp;
use relance_core::contact::Contact;
use relance_core::ids::{ContactId, SegmentId};
use relance_engine::ports::StoreError;

use super::db::{Conn, Row, values};
use super::walks::{CHUNK, merged};
use super::{Page, ReadError, Reader, limits, wrong};
use crate::registry::{name_of, search_words};
use crate::sqlite::column::contact_key;
use crate::sqlite::error::Located;

/// Contacts that one page looks at.
pub const CONTACTS_WALKED_MAX: usize = 10_000;
/// Owners of which each has a walk of its own; more are found among all.
const OWNERS_WALKED_MAX: usize = 16;

/// Which contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Of these owners only: addresses in lower case.
    pub owners: Option<BTreeSet<String>>,
    /// Members of it.
    pub segment: Option<SegmentId>,
}

/// In which order contacts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactSort {
    /// The newest first; the other way round, the oldest.
    Newest,
    /// By name.
    Name,
}

/// A contact as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedContact {
    /// The contact.
    pub contact: Contact,
    /// How it is called.
    pub name: String,
    /// Whose it is: an address in lower case.
    pub owner: Option<String>,
    /// When it was last heard of; a moment ago at most may be missing.
    pub seen_at: Option<Timestamp>,
}

/// What lists know of a contact.
#[derive(Debug, Clone, Default)]
pub(super) struct Face {
    pub(super) owner: String,
    pub(super) words: String,
}

/// A row of a walk: whose it is, where that is known from the walk.
struct Walked {
    contact: ContactId,
    owner: Option<String>,
    is_member: bool,
}

type PlaceKey = (String, i64);

fn owned(row: Row<'_>) -> Result<(PlaceKey, Walked), StoreError> {
    let contact = row.contact(0).at("profile", "")?;
    let owner = row.text(1).at("profile", contact)?.to_owned();
    let name = row.text(2).at("profile", contact)?.to_owned();
    let walked = Walked {
        contact,
        owner: Some(owner),
        is_member: true,
    };
    Ok(((name, contact_key(contact)), walked))
}

/// Without a name: the order is that of ids.
fn unnamed(row: Row<'_>) -> Result<(PlaceKey, Walked), StoreError> {
    let (key, walked) = owned(row)?;
    Ok(((String::new(), key.1), walked))
}

fn bare(row: Row<'_>) -> Result<(PlaceKey, Walked), StoreError> {
    let contact = row.contact(0).at("contact", "")?;
    let walked = Walked {
        contact,
        owner: None,
        is_member: true,
    };
    Ok(((String::new(), contact_key(contact)), walked))
}

fn member(row: Row<'_>) -> Result<(PlaceKey, Walked), StoreError> {
    let (key, walked) = bare(row)?;
    let is_member = row.flag(1).at("member", walked.contact)?;
    Ok((
        key,
        Walked {
            is_member,
            ..walked
        },
    ))
}

fn cursor_key(cursor: &str) -> Result<PlaceKey, ReadError> {
    let (id, name) = cursor.split_once('.').unwrap_or((cursor, ""));
    let id = id.parse().map_err(|_| wrong(cursor))?;
    Ok((name.to_owned(), id))
}

fn cursor_text((name, id): &PlaceKey) -> String {
    match name.as_str() {
        "" => id.to_string(),
        name => format!("{id}.{name}"),
    }
}

impl Reader {
    /// Contacts of a filter, in order.
    pub fn listed_contacts(
        &self,
        filter: &ContactFilter,
        sort: ContactSort,
        is_up: bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedContact>, ReadError> {
        let (shown, _) = limits(limit);
        let from = after.map(cursor_key).transpose()?;
        self.snapshot(|conn| {
            let number = match &filter.segment {
                None => None,
                Some(segment) => match self.segment_number(conn, segment)? {
                    Some(number) => Some(number),
                    None => {
                        let (items, next) = (Vec::new(), None);
                        return Ok(Page { items, next });
                    }
                },
            };
            let mut ids: Vec<ContactId> = Vec::new();
            let mut next = None;
            let mut last: Option<PlaceKey> = None;
            let mut looked_at = 0;
            self.each_contact(filter, number, sort, is_up, from, conn, |conn, key, row| {
                if ids.len() == shown || looked_at == CONTACTS_WALKED_MAX {
                    next = last.as_ref().map(cursor_text);
                    return Ok(ControlFlow::Break(()));
                }
                looked_at += 1;
                if self.fits(conn, filter, number, sort, &row)? {
                    ids.push(row.contact);
                }
                last = Some(key);
                Ok(ControlFlow::Continue(()))
            })?;
            let items = self.listed(conn, ids)?;
            Ok(Page { items, next })
        })
    }

    /// Contacts one of whose names has words that begin as those of `text`, at most `limit`, and whether there
    /// may be more.
    pub fn contacts_named(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<(Vec<ContactId>, bool), ReadError> {
        self.snapshot(|conn| self.named(conn, text, limit))
    }

    /// Contacts whose names have words that begin so, in the order of the first such word, behind a place.
    pub fn named_contacts(
        &self,
        filter: &ContactFilter,
        text: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedContact>, ReadError> {
        let (shown, _) = limits(limit);
        let from = after.map(cursor_key).transpose()?;
        self.snapshot(|conn| {
            let number = match &filter.segment {
                None => None,
                Some(segment) => match self.segment_number(conn, segment)? {
                    Some(number) => Some(number),
                    None => {
                        let (items, next) = (Vec::new(), None);
                        return Ok(Page { items, next });
                    }
                },
            };
            let (mut ids, mut next, mut last) = (Vec::new(), None, None::<PlaceKey>);
            let mut looked_at = 0;
            self.each_named(conn, text, from, |conn, key, contact, face| {
                if ids.len() == shown || looked_at == CONTACTS_WALKED_MAX {
                    next = last.as_ref().map(cursor_text);
                    return Ok(ControlFlow::Break(()));
                }
                looked_at += 1;
                if let Some(face) = face {
                    let row = Walked {
                        contact,
                        owner: Some(face.owner),
                        is_member: true,
                    };
                    if self.fits(conn, filter, number, ContactSort::Name, &row)? {
                        ids.push(contact);
                    }
                }
                last = Some(key);
                Ok(ControlFlow::Continue(()))
            })?;
            let items = self.listed(conn, ids)?;
            Ok(Page { items, next })
        })
    }

    /// What a list shows of contacts that were found otherwise.
    pub fn list_contacts(&self, ids: Vec<ContactId>) -> Result<Vec<ListedContact>, ReadError> {
        self.snapshot(|conn| self.listed(conn, ids))
    }

    /// Whose a contact is, as lists know it: an address in lower case; `None` for nobody's, and for a contact that
    /// does not exist.
    pub fn owner_of(&self, contact: ContactId) -> Result<Option<String>, ReadError> {
        self.with(|conn| {
            let face = self.face(conn, contact)?;
            Ok(face
                .map(|face| face.owner)
                .filter(|owner| !owner.is_empty()))
        })
    }

    pub(super) fn face(
        &self,
        conn: &mut Conn,
        contact: ContactId,
    ) -> Result<Option<Face>, StoreError> {
        conn.one(self.sql.profile_one, "profile", values![contact], |row| {
            Ok(Face {
                owner: row.text(0).at("profile", contact)?.to_owned(),
                words: row.text(2).at("profile", contact)?.to_owned(),
            })
        })
    }

    /// See [`contacts_named`](Self::contacts_named).
    pub(super) fn named(
        &self,
        conn: &mut Conn,
        text: &str,
        limit: usize,
    ) -> Result<(Vec<ContactId>, bool), ReadError> {
        let (mut ids, mut more, mut looked_at) = (Vec::new(), false, 0);
        self.each_named(conn, text, None, |_, _, contact, face| {
            if ids.len() == limit || looked_at == CONTACTS_WALKED_MAX {
                more = true;
                return Ok(ControlFlow::Break(()));
            }
            looked_at += 1;
            if face.is_some() {
                ids.push(contact);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((ids, more))
    }

    /// Visits contacts by the longest word that is asked for. Of those that have not all the words, or that came by an
    /// earlier word already, no face is given.
    fn each_named(
        &self,
        conn: &mut Conn,
        text: &str,
        from: Option<PlaceKey>,
        mut visit: impl FnMut(
            &mut Conn,
            PlaceKey,
            ContactId,
            Option<Face>,
        ) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        let asked: Vec<String> = search_words(text).collect();
        let Some(longest) = asked.iter().max_by_key(|word| word.chars().count()) else {
            return Ok(());
        };
        let before = format!("{longest}{}", char::MAX);
        let mut place = from.unwrap_or_else(|| (longest.clone(), i64::MIN));
        let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
        loop {
            let key = values![place.0.as_str(), place.1, before.as_str(), chunk];
            let rows = conn.rows(self.sql.name_word_range, "name_word", key, |row| {
                let word = row.text(0).at("name_word", "")?.to_owned();
                Ok((word, row.contact(1).at("name_word", "")?))
            })?;
            let is_last = rows.len() < CHUNK;
            for (word, contact) in rows {
                let face = self.face(conn, contact)?.filter(|face| {
                    let words = || face.words.split(' ');
                    let first = words().find(|own| own.starts_with(longest.as_str()));
                    first == Some(word.as_str())
                        && asked
                            .iter()
                            .all(|wanted| words().any(|own| own.starts_with(wanted.as_str())))
                });
                place = (word, contact_key(contact));
                if visit(conn, place.clone(), contact, face)?.is_break() {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn segment_number(
        &self,
        conn: &mut Conn,
        segment: &SegmentId,
    ) -> Result<Option<i64>, StoreError> {
        let key = values![segment.as_str()];
        conn.one(self.sql.segment_one, "segment", key, |row| {
            row.int(4).at("segment", segment)
        })
    }

    fn fits(
        &self,
        conn: &mut Conn,
        filter: &ContactFilter,
        segment: Option<i64>,
        sort: ContactSort,
        row: &Walked,
    ) -> Result<bool, ReadError> {
        if !row.is_member {
            return Ok(false);
        }
        if let Some(owners) = &filter.owners {
            let is_theirs = match &row.owner {
                Some(owner) => owners.contains(owner),
                None => self
                    .face(conn, row.contact)?
                    .is_some_and(|face| owners.contains(&face.owner)),
            };
            if !is_theirs {
                return Ok(false);
            }
        }
        match (segment, sort) {
            // The walk is along its members.
            (None, _) | (Some(_), ContactSort::Newest) => Ok(true),
            (Some(number), ContactSort::Name) => {
                let key = values![row.contact, number];
                let is_member = conn.one(self.sql.member_one, "member", key, |row| {
                    row.flag(0).at("member", "")
                })?;
                Ok(is_member == Some(true))
            }
        }
    }

    /// Visits contacts in order, along the narrowest index that has this order.
    #[expect(clippy::too_many_arguments, reason = "a walk and what it is asked for")]
    fn each_contact(
        &self,
        filter: &ContactFilter,
        segment: Option<i64>,
        sort: ContactSort,
        is_up: bool,
        from: Option<PlaceKey>,
        conn: &mut Conn,
        mut visit: impl FnMut(&mut Conn, PlaceKey, Walked) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        let begin = from.unwrap_or_else(|| match (sort, is_up) {
            (ContactSort::Newest, true) => (String::new(), i64::MIN),
            (ContactSort::Newest, false) => (String::new(), i64::MAX),
            (ContactSort::Name, true) => (String::new(), i64::MIN),
            (ContactSort::Name, false) => (char::MAX.to_string(), i64::MAX),
        });
        let owners: Vec<&str> = match &filter.owners {
            Some(owners) if owners.len() <= OWNERS_WALKED_MAX => {
                owners.iter().map(String::as_str).collect()
            }
            Some(_) | None => Vec::new(),
        };
        let by_owner = !owners.is_empty() && (segment.is_none() || sort == ContactSort::Name);
        if filter.owners.as_ref().is_some_and(BTreeSet::is_empty) {
            return Ok(());
        }
        let count = if by_owner { owners.len() } else { 1 };
        let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
        let sql = &self.sql;
        // The connection is lent to the walk and to whoever looks at its rows, in turns.
        let conn = std::cell::RefCell::new(conn);
        let fetch = |ix: usize, behind: Option<&PlaceKey>| {
            let (name, id) = behind.unwrap_or(&begin);
            let (name, id) = (name.as_str(), *id);
            let conn = &mut **conn.borrow_mut();
            let rows = match (sort, by_owner, segment) {
                (ContactSort::Newest, true, _) => {
                    let sql = if is_up {
                        sql.profile_of_owner_up
                    } else {
                        sql.profile_of_owner_down
                    };
                    conn.rows(sql, "profile", values![owners[ix], id, chunk], unnamed)
                }
                (ContactSort::Newest, false, Some(number)) => {
                    let sql = if is_up {
                        sql.member_up
                    } else {
                        sql.member_down
                    };
                    conn.rows(sql, "member", values![number, id, chunk], member)
                }
                (ContactSort::Newest, false, None) => {
                    let sql = if is_up {
                        sql.contact_up
                    } else {
                        sql.contact_down
                    };
                    conn.rows(sql, "contact", values![id, chunk], bare)
                }
                (ContactSort::Name, true, _) => {
                    let sql = if is_up {
                        sql.profile_of_owner_by_name_up
                    } else {
                        sql.profile_of_owner_by_name_down
                    };
                    conn.rows(sql, "profile", values![name, id, chunk, owners[ix]], owned)
                }
                (ContactSort::Name, false, _) => {
                    let sql = if is_up {
                        sql.profile_by_name_up
                    } else {
                        sql.profile_by_name_down
                    };
                    conn.rows(sql, "profile", values![name, id, chunk], owned)
                }
            }?;
            Ok(rows)
        };
        merged(count, is_up, CHUNK, fetch, |key, row| {
            visit(&mut conn.borrow_mut(), key, row)
        })
    }

    /// What a list shows of these; those that do not exist are left out.
    fn listed(
        &self,
        conn: &mut Conn,
        ids: Vec<ContactId>,
    ) -> Result<Vec<ListedContact>, ReadError> {
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            let found = conn.one(
                self.sql.contact_one,
                "contact",
                values![id],
                super::contacts::contact,
            )?;
            let Some(contact) = found else {
                continue;
            };
            let face = self.face(conn, id)?;
            let seen_at = conn.one(self.sql.event_seen, "event_head", values![id], |row| {
                row.int_or_null(0).at("event_head", id)
            })?;
            // Before all moments: nothing that the contact itself did.
            let seen_at = seen_at.flatten().filter(|at| *at > 0);
            items.push(ListedContact {
                name: name_of(&contact),
                owner: face
                    .map(|face| face.owner)
                    .filter(|owner| !owner.is_empty()),
                seen_at: seen_at.map(crate::sqlite::column::moment),
                contact,
            });
        }
        let contacts = items.iter_mut().map(|item| &mut item.contact);
        self.give_accounts(conn, contacts)?;
        Ok(items)
    }
}
