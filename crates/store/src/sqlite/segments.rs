//! Segments: their definitions, and a row for each contact that belongs to one or may come to by time alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::decide::{Timer, TimerKind};
use relance_core::ids::{ContactId, SegmentId};
use relance_core::segment::{Membership, timer_hash};
use relance_core::snapshot::Snapshot;
use relance_core::world::Needs;
use relance_engine::ports::{StoreError, StoredSegment};
use rusqlite::params;

use super::column::{contact_id, contact_key, moment, nanos};
use super::contacts::after_column;
use super::error::Located;
use super::tally::totals;
use super::{SqliteStore, limit_column};

/// Numbers of segments that are known, so that a row is found by its key alone.
pub(super) type Numbers = BTreeMap<SegmentId, i64>;

/// How a contact stands, from the columns of `member` but for the segment.
pub(super) fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<(ContactId, Membership)> {
    let due: Option<i64> = row.get(2)?;
    let membership = Membership {
        member: row.get(1)?,
        due: due.map(moment),
    };
    Ok((contact_id(row, 0)?, membership))
}

/// How a contact stands, from the columns that tell it alone.
fn standing(row: &rusqlite::Row<'_>) -> rusqlite::Result<Membership> {
    let due: Option<i64> = row.get(1)?;
    Ok(Membership {
        member: row.get(0)?,
        due: due.map(moment),
    })
}

impl SqliteStore {
    pub(super) fn defined_segments(&mut self) -> Result<Vec<StoredSegment>, StoreError> {
        self.conn
            .prepare_cached(self.sql.segment_list)
            .and_then(|mut statement| {
                let rows = statement.query_map([], |row| {
                    Ok(StoredSegment {
                        id: super::column::text(row, 0)?.into(),
                        text: row.get(1)?,
                    })
                })?;
                rows.collect()
            })
            .at("segment", "")
    }

    pub(super) fn define_segment(
        &mut self,
        id: &SegmentId,
        text: Option<&str>,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let number = self.number_of(id)?;
        let at = now.map_or(0, nanos);
        self.run(self.sql.segment_define, params![number, at, text])
            .at("segment", id)?;
        Ok(())
    }

    /// The number of a segment, which is given at the first question.
    fn number_of(&mut self, id: &SegmentId) -> Result<i64, StoreError> {
        if let Some(number) = self.segment_numbers.get(id) {
            return Ok(*number);
        }
        self.run(self.sql.segment_add, params![id.as_str(), 0])
            .at("segment", id)?;
        let number = self.known_number(id)?;
        number.ok_or_else(|| StoreError::Failed(format!("segment {id} got no number")))
    }

    pub(super) fn known_number(&mut self, id: &SegmentId) -> Result<Option<i64>, StoreError> {
        if let Some(number) = self.segment_numbers.get(id) {
            return Ok(Some(*number));
        }
        let number = self
            .row(self.sql.segment_number, [id.as_str()], |row| row.get(0))
            .at("segment", id)?;
        if let Some(number) = number {
            self.segment_numbers.insert(id.clone(), number);
        }
        Ok(number)
    }

    pub(super) fn write_membership(
        &mut self,
        contact: ContactId,
        id: &SegmentId,
        before: Membership,
        after: Membership,
    ) -> Result<(), StoreError> {
        let number = self.number_of(id)?;
        let key = contact_key(contact);
        if after == Membership::default() {
            self.run(self.sql.member_drop, params![number, key])
        } else {
            let due = after.due.map(nanos);
            self.run(self.sql.member_put, params![number, key, after.member, due])
        }
        .at("member of", id)?;
        self.tally
            .member(number, i64::from(after.member) - i64::from(before.member));
        Ok(())
    }

    pub(super) fn load_memberships(
        &mut self,
        snapshot: &mut Snapshot,
        needs: &Needs,
    ) -> Result<(), StoreError> {
        let contact = snapshot.contact.id;
        for id in &needs.segments {
            if snapshot.memberships.contains_key(id) {
                continue;
            }
            let Some(number) = self.known_number(id)? else {
                continue;
            };
            let key = params![number, contact_key(contact)];
            let found = self
                .row(self.sql.member_get, key, standing)
                .at("member of", id)?;
            if let Some(membership) = found {
                snapshot.memberships.insert(id.clone(), membership);
            }
        }
        Ok(())
    }

    /// [`SqliteStore::load_memberships`] for many contacts, in the order in which the rows lie.
    pub(super) fn load_standings(
        &mut self,
        wanted: &mut [(&mut Snapshot, &Needs)],
    ) -> Result<(), StoreError> {
        let mut keys: Vec<(i64, i64, usize, &SegmentId)> = Vec::new();
        for (place, (snapshot, needs)) in wanted.iter().enumerate() {
            if self.fresh.is_bare(snapshot.contact.id) && snapshot.contact.absorbed.is_empty() {
                // Of somebody new nothing is stored.
                continue;
            }
            let contact = contact_key(snapshot.contact.id);
            for id in &needs.segments {
                if snapshot.memberships.contains_key(id) {
                    continue;
                }
                if let Some(number) = self.known_number(id)? {
                    keys.push((number, contact, place, id));
                }
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        keys.sort_unstable_by_key(|(number, contact, ..)| (*number, *contact));
        let mut statement = self
            .conn
            .prepare_cached(self.sql.member_get)
            .at("member of", "")?;
        for (number, contact, place, id) in keys {
            let mut rows = statement.query([number, contact]).at("member of", id)?;
            let Some(row) = rows.next().at("member of", id)? else {
                continue;
            };
            let membership = standing(row).at("member of", id)?;
            if let Some((snapshot, _)) = wanted.get_mut(place) {
                snapshot.memberships.insert(id.clone(), membership);
            }
        }
        Ok(())
    }

    pub(super) fn records_after(
        &mut self,
        id: &SegmentId,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, Membership)>, StoreError> {
        let Some(number) = self.known_number(id)? else {
            return Ok(Vec::new());
        };
        let key = params![number, after_column(after), limit_column(limit)];
        self.conn
            .prepare_cached(self.sql.member_next)
            .and_then(|mut statement| {
                let rows = statement.query_map(key, record)?;
                rows.collect()
            })
            .at("member of", id)
    }

    pub(super) fn forget_members(
        &mut self,
        id: &SegmentId,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let records = self.records_after(id, None, limit)?;
        for (contact, membership) in &records {
            self.write_membership(*contact, id, *membership, Membership::default())?;
            if let Some(due_at) = membership.due {
                let kind = TimerKind::Segment(timer_hash(id));
                let timer = Timer { due_at, kind };
                let disarmed = self.run_timer(self.sql.timer_disarm, *contact, timer)?;
                self.tally.total(totals::TIMERS, -disarmed);
            }
        }
        Ok(records.len())
    }
}
