//! Two contacts that are one: what a decided merge leaves to the store, and the way back.
//!
//! What is appended to (events, ledger) and what is over (runs, messages, tasks) stays where it was written
//! and is read through [`absorbed`](relance_core::contact::Contact::absorbed): a merge costs the same however
//! long the two lives were, and undoing it needs nothing of them back.

use std::collections::BTreeSet;

use relance_core::contact::{Identity, IdentityKind};
use relance_core::identity::{MergeRecord, UNDO_WITHIN};
use relance_core::ids::{ContactId, ObjectKind, SubjectRef};
use relance_engine::ports::{DOUBTS_PER_CONTACT_MAX, Doubt, StoreError};
use relance_wire::stored::{
    Moved, merge_text, moved_text, read_merge, read_moved, read_undo, undo_text,
};
use rusqlite::params;

use super::column::{contact_id, contact_key, moment, nanos, text};
use super::error::{Located, unreadable};
use super::tally::totals;
use super::{SqliteStore, limit_column};

/// Objects of an absorbed contact that it gets back when the merge is undone.
pub const OBJECTS_RETURNED_MAX: usize = 5_000;
/// Names of an absorbed contact that it gets back.
const NAMES_RETURNED_MAX: usize = 10_000;

impl SqliteStore {
    pub(super) fn names_of(
        &self,
        contact: ContactId,
        limit: usize,
    ) -> Result<Vec<Identity>, StoreError> {
        let mut names = Vec::new();
        let mut statement = self
            .conn
            .prepare_cached(self.sql.identity_list)
            .at("identity of", contact)?;
        let mut rows = statement
            .query(params![contact_key(contact), limit_column(limit)])
            .at("identity of", contact)?;
        while let Some(row) = rows.next().at("identity of", contact)? {
            let word = text(row, 0).at("identity of", contact)?;
            let kind = IdentityKind::from_word(word).ok_or_else(|| {
                unreadable("identity of", contact, format_args!("the kind {word:?}"))
            })?;
            names.push(Identity {
                kind,
                value: row.get(1).at("identity of", contact)?,
            });
        }
        Ok(names)
    }

    pub(super) fn make_one(&mut self, record: &MergeRecord) -> Result<(), StoreError> {
        let (survivor, absorbed) = (record.survivor, record.absorbed);
        let (own, old) = (contact_key(survivor), contact_key(absorbed));
        let names = self.names_of(absorbed, NAMES_RETURNED_MAX)?;
        self.run(self.sql.identity_move, params![own, old])
            .at("identity of", absorbed)?;
        self.move_domains(&names, absorbed, survivor)?;

        let objects = self.object_keys(absorbed)?;
        self.run(self.sql.object_move, params![own, old])
            .at("object of", absorbed)?;
        self.run(self.sql.doing_move, params![own, old])
            .at("document_doing of", absorbed)?;
        self.run(self.sql.object_drop_all, params![old])
            .at("object of", absorbed)?;
        self.write_documents(survivor)?;
        self.run(self.sql.entry_move, params![own, old])
            .at("entry of", absorbed)?;
        let lists = self.undefined_lists(absorbed)?;
        for list in &lists {
            self.change_list(*list, absorbed, false)?;
            self.change_list(*list, survivor, true)?;
        }

        let moved = Moved {
            names,
            objects,
            lists,
        };
        let body = merge_text(record).at("merged", absorbed)?;
        let undo = record.undo.as_deref().map(undo_text);
        let undo = undo.transpose().at("merged", absorbed)?;
        let moved = moved_text(&moved).at("merged", absorbed)?;
        let at = nanos(record.at);
        self.run(
            self.sql.merged_put,
            params![old, own, at, body, undo, moved],
        )
        .at("merged", absorbed)?;
        let settled = record.at.checked_sub(UNDO_WITHIN).unwrap_or(record.at);
        self.run(self.sql.merged_settle, [nanos(settled)])
            .at("merged", "")?;
        self.run(self.sql.doubt_drop, [old]).at("doubt", absorbed)?;
        self.tally.total(totals::CONTACTS, -1);
        Ok(())
    }

    pub(super) fn merge_of(
        &mut self,
        absorbed: ContactId,
    ) -> Result<Option<MergeRecord>, StoreError> {
        Ok(self.kept_merge(absorbed)?.map(|(record, _)| record))
    }

    fn kept_merge(
        &self,
        absorbed: ContactId,
    ) -> Result<Option<(MergeRecord, Option<String>)>, StoreError> {
        type Row = (ContactId, i64, String, Option<String>, Option<String>);
        let row: Option<Row> = self
            .row(self.sql.merged_get, [contact_key(absorbed)], |row| {
                let survivor = contact_id(row, 0)?;
                Ok((survivor, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })
            .at("merged", absorbed)?;
        let Some((survivor, at, body, undo, moved)) = row else {
            return Ok(None);
        };
        let mut record =
            read_merge(absorbed, survivor, moment(at), &body).at("merged", absorbed)?;
        let undo = undo.map(|text| read_undo(survivor, absorbed, &text));
        record.undo = undo.transpose().at("merged", absorbed)?.map(Box::new);
        Ok(Some((record, moved)))
    }

    pub(super) fn make_two(&mut self, absorbed: ContactId) -> Result<(), StoreError> {
        let Some((record, Some(moved))) = self.kept_merge(absorbed)? else {
            return Ok(());
        };
        let survivor = record.survivor;
        let moved = read_moved(&moved).at("merged", absorbed)?;
        let (own, old) = (contact_key(survivor), contact_key(absorbed));
        for name in &moved.names {
            let key = params![name.kind.word(), name.value, old, own];
            self.run(self.sql.identity_return, key)
                .at("identity of", absorbed)?;
        }
        self.move_domains(&moved.names, survivor, absorbed)?;
        for object in &moved.objects {
            let key = params![old, own, object.kind.as_str(), &*object.id];
            self.run(self.sql.object_copy, key)
                .at("object of", absorbed)?;
        }
        self.write_documents(absorbed)?;
        for list in &moved.lists {
            self.change_list(*list, absorbed, true)?;
        }
        self.run(self.sql.merged_drop, [old])
            .at("merged", absorbed)?;
        self.tally.total(totals::CONTACTS, 1);
        Ok(())
    }

    /// Names went from one contact to another: so do the domains of addresses, unless who had them still has
    /// an address there.
    fn move_domains(
        &self,
        names: &[Identity],
        from: ContactId,
        to: ContactId,
    ) -> Result<(), StoreError> {
        let left = self.names_of(from, NAMES_RETURNED_MAX)?;
        let left: BTreeSet<&str> = left.iter().filter_map(domain).collect();
        let domains: BTreeSet<&str> = names.iter().filter_map(domain).collect();
        for domain in domains {
            self.run(self.sql.domain_add, params![domain, contact_key(to)])
                .at("email_domain of", to)?;
            if !left.contains(domain) {
                self.run(self.sql.domain_drop, params![domain, contact_key(from)])
                    .at("email_domain of", from)?;
            }
        }
        Ok(())
    }

    fn object_keys(&self, contact: ContactId) -> Result<Vec<SubjectRef>, StoreError> {
        let limit = limit_column(OBJECTS_RETURNED_MAX);
        self.conn
            .prepare_cached(self.sql.object_keys)
            .and_then(|mut statement| {
                let rows = statement.query_map(params![contact_key(contact), limit], |row| {
                    Ok(SubjectRef {
                        kind: ObjectKind::from(text(row, 0)?),
                        id: text(row, 1)?.into(),
                    })
                })?;
                rows.collect()
            })
            .at("object of", contact)
    }

    fn undefined_lists(&self, contact: ContactId) -> Result<Vec<i64>, StoreError> {
        self.conn
            .prepare_cached(self.sql.member_lists)
            .and_then(|mut statement| {
                let rows = statement.query_map([contact_key(contact)], |row| row.get(0))?;
                rows.collect()
            })
            .at("member of", contact)
    }

    fn change_list(
        &mut self,
        number: i64,
        contact: ContactId,
        member: bool,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        let was: Option<bool> = self
            .row(self.sql.member_get, params![number, key], |row| row.get(0))
            .at("member", contact)?;
        if member {
            let none: Option<i64> = None;
            self.run(self.sql.member_put, params![number, key, true, none])
        } else {
            self.run(self.sql.member_drop, params![number, key])
        }
        .at("member", contact)?;
        let was = was.unwrap_or(false);
        self.tally
            .member(number, i64::from(member) - i64::from(was));
        Ok(())
    }

    pub(super) fn write_doubt(&self, doubt: &Doubt) -> Result<(), StoreError> {
        let row = params![
            contact_key(doubt.first),
            contact_key(doubt.second),
            doubt.why.word(),
            nanos(doubt.at),
            limit_column(DOUBTS_PER_CONTACT_MAX),
        ];
        self.run(self.sql.doubt_put, row).at("doubt", doubt.first)?;
        Ok(())
    }
}

/// The domain of a name that is an address.
fn domain(name: &Identity) -> Option<&str> {
    let (_, domain) = name.value.rsplit_once('@')?;
    (name.kind == IdentityKind::Email && !domain.is_empty()).then_some(domain)
}
