//! Segments, who belongs to them, and how one contact stands to them.
//!
//! **Absent:** telling who belongs: that is decided by core and written by the store.

use relance_core::contact::Contact;
use relance_core::ids::{ContactId, SegmentId};
use relance_core::segment::Membership;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_contact;

use super::db::{Row, values};
use super::{Page, ReadError, Reader, limits, number, page};
use crate::sqlite::error::Located;

/// Records of a segment that one page looks at. Beside its members a segment has a record of each contact
/// that time alone may bring in; where those are many, a page may hold few members, or none, and go on.
pub const MEMBERS_WALKED_MAX: usize = 50_000;

/// A segment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRow {
    /// Which one.
    pub id: SegmentId,
    /// Its definition; `None` for a list that nobody has defined, and for a segment that was removed.
    pub text: Option<String>,
    /// How many belong to it.
    pub members: u64,
    /// When its definition was last changed.
    pub updated_at: jiff::Timestamp,
    /// What stands for it in other tables.
    pub(super) number: i64,
}

fn segment(row: Row<'_>) -> Result<SegmentRow, StoreError> {
    let id = row.text(0).at("segment", "")?;
    Ok(SegmentRow {
        id: SegmentId::from(id),
        text: row.text_or_null(1).at("segment", id)?.map(str::to_owned),
        members: row.count(2).at("segment", id)?,
        updated_at: row.moment(3).at("segment", id)?,
        number: row.int(4).at("segment", id)?,
    })
}

impl Reader {
    /// All segments by id, with their counts: those in force, lists that nobody defined, and what is left of
    /// removed ones.
    pub fn segments(&self) -> Result<Vec<SegmentRow>, ReadError> {
        self.rows(self.sql.segment_all, "segment", values![], segment)
    }

    /// One segment.
    pub fn segment(&self, id: &SegmentId) -> Result<Option<SegmentRow>, ReadError> {
        self.one(
            self.sql.segment_one,
            "segment",
            values![id.as_str()],
            segment,
        )
    }

    /// Members of a segment, in order of their ids. A page may hold fewer than asked, even none, and yet
    /// have a next one: it looks at [`MEMBERS_WALKED_MAX`] records at most.
    pub fn members(
        &self,
        id: &SegmentId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Contact>, ReadError> {
        self.members_walking(id, after, limit, MEMBERS_WALKED_MAX)
    }

    /// [`members`](Self::members) with another limit, for tests.
    pub(super) fn members_walking(
        &self,
        id: &SegmentId,
        after: Option<&str>,
        limit: usize,
        walked_max: usize,
    ) -> Result<Page<Contact>, ReadError> {
        let (shown, asked) = limits(limit);
        let after = number(after, i64::MIN)?;
        let walked_max = i64::try_from(walked_max).unwrap_or(i64::MAX);
        self.snapshot(|conn| {
            let row = conn.one(
                self.sql.segment_one,
                "segment",
                values![id.as_str()],
                segment,
            )?;
            let Some(row) = row else {
                return Ok(page(Vec::new(), shown));
            };
            let key = values![row.number, after, walked_max, asked];
            let rows = conn.rows(self.sql.member_page, "member of", key, |row| {
                let contact = row.contact(0).at("member of", id)?;
                let body = row.text(1).at("contact", contact)?;
                let contact = read_contact(contact, body).at("contact", contact)?;
                let place = contact.id.0.to_string();
                Ok((contact, place))
            })?;
            let mut page = page(rows, shown);
            self.give_accounts(conn, &mut page.items)?;
            if page.next.is_none() {
                // Where the walk ended, if it did not come to the end by itself.
                let edge = values![row.number, after, walked_max];
                let last = conn.one(self.sql.member_edge, "member of", edge, |row| {
                    row.int(0).at("member of", id)
                })?;
                page.next = last.map(|last| last.to_string());
            }
            Ok(page)
        })
    }

    /// How a contact stands to every segment that has a record of it, by id.
    pub fn segments_of(
        &self,
        contact: ContactId,
    ) -> Result<Vec<(SegmentId, Membership)>, ReadError> {
        self.rows(
            self.sql.member_of_contact,
            "member of",
            values![contact],
            |row| {
                let id = SegmentId::from(row.text(0).at("member of", "")?);
                let due = row.int_or_null(2).at("member of", &id)?;
                let due = due
                    .map(|_| row.moment(2).at("member of", &id))
                    .transpose()?;
                let member = row.flag(1).at("member of", &id)?;
                Ok((id, Membership { member, due }))
            },
        )
    }
}
