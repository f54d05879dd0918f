//! Contacts that were merged, and contacts that may be one.

use relance_core::identity::{Apart, MergeRecord};
use relance_core::ids::{ContactId, TouchpointId};
use relance_engine::ports::Doubt;
use relance_wire::stored::read_merge;

use super::db::values;
use super::{Page, ReadError, Reader, limits, page, wrong};
use crate::sqlite::error::{Located, unreadable};

/// Merges that lie one behind another on the way to who a contact is now.
const MERGES_FOLLOWED_MAX: usize = 100;

/// A merge, as pages show it.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeStatus {
    /// The merge, without the two contacts as they were.
    pub record: MergeRecord,
    /// Whether what it takes to undo it is still kept.
    pub is_kept: bool,
}

impl Reader {
    /// Contacts that calls name together and that stayed two, for a person to look at.
    pub fn doubts(&self, after: Option<&str>, limit: usize) -> Result<Page<Doubt>, ReadError> {
        let (shown, asked) = limits(limit);
        let (first, second) = match after {
            None => (i64::MIN, i64::MIN),
            Some(cursor) => {
                let place = || {
                    let (first, second) = cursor.split_once('.')?;
                    Some((first.parse().ok()?, second.parse().ok()?))
                };
                place().ok_or_else(|| wrong(cursor))?
            }
        };
        let key = values![first, second, asked];
        let rows = self.rows(self.sql.doubt_page, "doubt", key, |row| {
            let first = row.contact(0).at("doubt", "")?;
            let second = row.contact(1).at("doubt of", first)?;
            let word = row.text(2).at("doubt of", first)?;
            let why = Apart::from_word(word).ok_or_else(|| {
                unreadable("doubt of", first, format_args!("{word:?} is not known"))
            })?;
            let doubt = Doubt {
                first,
                second,
                why,
                at: row.moment(3).at("doubt of", first)?,
            };
            Ok((doubt, format!("{}.{}", first.0, second.0)))
        })?;
        Ok(page(rows, shown))
    }

    /// The merge by which a contact was absorbed.
    pub fn merge_of(&self, absorbed: ContactId) -> Result<Option<MergeStatus>, ReadError> {
        self.one(self.sql.merged_one, "merged", values![absorbed], |row| {
            let survivor = row.contact(0).at("merged", absorbed)?;
            let at = row.moment(1).at("merged", absorbed)?;
            let body = row.text(2).at("merged", absorbed)?;
            Ok(MergeStatus {
                record: read_merge(absorbed, survivor, at, body).at("merged", absorbed)?,
                is_kept: row.flag(3).at("merged", absorbed)?,
            })
        })
    }

    /// Who a contact is now.
    pub fn contact_now(&self, contact: ContactId) -> Result<ContactId, ReadError> {
        let mut contact = contact;
        for _ in 0..MERGES_FOLLOWED_MAX {
            match self.merge_of(contact)? {
                Some(merge) => contact = merge.record.survivor,
                None => break,
            }
        }
        Ok(contact)
    }

    /// The name that a message has now, if it went over to another contact; its own, if it did not.
    pub fn message_now(&self, message: TouchpointId) -> Result<TouchpointId, ReadError> {
        let mut message = message;
        for _ in 0..MERGES_FOLLOWED_MAX {
            let merge = self.merge_of(message.contact)?;
            match merge.and_then(|merge| merge.record.message(message)) {
                Some(next) => message = next,
                None => break,
            }
        }
        Ok(message)
    }
}
