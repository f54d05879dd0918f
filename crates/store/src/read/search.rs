//! Contacts by any of their names: exact, or by how a name begins.
//!
//! Names are found along the directory of identities, a range of each kind, so that a search costs the same
//! at ten contacts and ten million. **Absent:** what has no directory: traits such as the name of a person, and parts
//! from the middle of a name.

use std::ops::ControlFlow;

use relance_core::address;
use relance_core::contact::{Contact, Identity, IdentityKind};
use relance_core::ids::ContactId;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_contact;

use super::db::{Conn, values};
use super::{Page, ReadError, Reader, limits, wrong};
use crate::sqlite::error::Located;

/// Characters of what is searched for.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Names that one page looks at beside those that it shows: a contact may have thousands that begin alike.
const NAMES_SKIPPED_MAX: usize = 100;
/// Names of one contact that are looked at to tell whether it was shown before.
const NAMES_OF_CONTACT_MAX: i64 = 500;

/// A contact and the name that it was found by.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The contact.
    pub contact: Contact,
    /// Its name.
    pub by: Identity,
}

/// Names of one kind from one on to before another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    kind: IdentityKind,
    from: String,
    before: String,
}

impl Range {
    /// Names of a kind that begin with a text.
    fn prefix(kind: IdentityKind, text: &str) -> Self {
        let name = match kind {
            IdentityKind::Email => address::normal(text),
            IdentityKind::Phone | IdentityKind::Whatsapp => {
                text.chars().filter(|c| !is_phone_space(*c)).collect()
            }
            IdentityKind::Telegram => text.trim().trim_start_matches('@').to_lowercase(),
            IdentityKind::UserId | IdentityKind::AnonymousId => text.trim().to_owned(),
        };
        Self {
            kind,
            before: format!("{name}{}", char::MAX),
            from: name,
        }
    }

    fn holds(&self, identity: &Identity) -> bool {
        identity.kind == self.kind && identity.value >= self.from && identity.value < self.before
    }
}

/// What people write between the digits of a number.
fn is_phone_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '(' | ')' | '.')
}

impl Reader {
    /// Contacts with a name that is or begins with `text`, letter case aside in addresses: by user id, then by
    /// e-mail, phone, chats and anonymous id, each in order. A contact is shown once, by the first of its names. A
    /// page may hold fewer than asked and yet have a next one.
    pub fn search_contacts(
        &self,
        text: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Found>, ReadError> {
        let (shown, _) = limits(limit);
        let mut page = Page {
            items: Vec::new(),
            next: None,
        };
        if text.trim().is_empty() || text.chars().count() > SEARCH_CHARS_MAX {
            return Ok(page);
        }
        let ranges = IdentityKind::BY_TRUST.map(|kind| Range::prefix(kind, text));
        let place = after.map(place).transpose()?;
        self.snapshot(|conn| {
            let most = shown + NAMES_SKIPPED_MAX;
            let mut walked = 0;
            for (ix, range) in ranges.iter().enumerate() {
                let begin = match place {
                    Some((kind, _)) if ix < kind => continue,
                    Some((kind, name)) if ix == kind => name,
                    Some(_) | None => "",
                };
                let names = self.names(conn, range, begin, most + 1)?;
                for (name, id) in names {
                    if page.items.len() == shown || walked == most {
                        return Ok(page);
                    }
                    walked += 1;
                    page.next = Some(format!("{ix}.{name}"));
                    let by = Identity {
                        kind: range.kind,
                        value: name,
                    };
                    if !self.is_shown_before(conn, id, &by, &ranges[..=ix])?
                        && let Some(contact) = self.contact_in(conn, id)?
                    {
                        page.items.push(Found { contact, by });
                    }
                }
            }
            page.next = None;
            Ok(page)
        })
    }

    /// Names of a range behind `begin`, at most `most`.
    fn names(
        &self,
        conn: &mut Conn,
        range: &Range,
        begin: &str,
        most: usize,
    ) -> Result<Vec<(String, ContactId)>, StoreError> {
        let from = range.from.as_str().max(begin);
        let most = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let key = values![range.kind.word(), from, range.before.as_str(), most];
        let mut names = Vec::new();
        conn.each(self.sql.identity_range, "identity", key, |row| {
            let name = row.text(0).at("identity", range.kind.word())?;
            let id = row.contact(1).at("identity", range.kind.word())?;
            if name != begin {
                names.push((name.to_owned(), id));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(names)
    }

    /// Whether another name of the contact comes before this one.
    fn is_shown_before(
        &self,
        conn: &mut Conn,
        id: ContactId,
        by: &Identity,
        ranges: &[Range],
    ) -> Result<bool, StoreError> {
        let mut before = false;
        let rank = |kind: IdentityKind| ranges.iter().position(|range| range.kind == kind);
        let key = values![id, NAMES_OF_CONTACT_MAX];
        conn.each(self.sql.identity_page, "identity", key, |row| {
            let word = row.text(0).at("identity of", id)?;
            let mut kinds = IdentityKind::BY_TRUST.into_iter();
            let Some(kind) = kinds.find(|kind| kind.word() == word) else {
                return Ok(ControlFlow::Continue(()));
            };
            let other = Identity {
                kind,
                value: row.text(1).at("identity of", id)?.to_owned(),
            };
            let earlier = (rank(kind), &other.value) < (rank(by.kind), &by.value);
            before |= earlier && ranges.iter().any(|range| range.holds(&other));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(before)
    }

    fn contact_in(&self, conn: &mut Conn, id: ContactId) -> Result<Option<Contact>, StoreError> {
        let mut found = conn.one(self.sql.contact_one, "contact", values![id], |row| {
            read_contact(id, row.text(1).at("contact", id)?).at("contact", id)
        })?;
        self.give_accounts(conn, &mut found)?;
        Ok(found)
    }
}

/// Where a page begins: the kind's place and the last name shown.
fn place(cursor: &str) -> Result<(usize, &str), ReadError> {
    let (kind, name) = cursor.split_once('.').ok_or_else(|| wrong(cursor))?;
    let kind: usize = kind.parse().map_err(|_| wrong(cursor))?;
    if kind < IdentityKind::BY_TRUST.len() {
        Ok((kind, name))
    } else {
        Err(wrong(cursor))
    }
}
