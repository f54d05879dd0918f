//! Two contacts that are one: what a decided merge leaves to the store, and the way back.
//!
//! As in SQLite, what is appended to and what is over stays where it was written and is read through
//! [`absorbed`](relance_core::contact::Contact::absorbed). Both contacts must be of partitions that are held.

use std::collections::BTreeSet;

use relance_core::contact::{Identity, IdentityKind};
use relance_core::identity::{MergeRecord, UNDO_WITHIN};
use relance_core::ids::{ContactId, ObjectKind, SubjectRef};
use relance_engine::ports::{DOUBTS_PER_CONTACT_MAX, Doubt, StoreError};
use relance_wire::stored::{
    Moved, merge_text, moved_text, read_merge, read_moved, read_undo, undo_text,
};

use super::PostgresStore;
use super::contacts::{domain_of, limit_column};
use super::error::{PgLocated, unreadable};
use super::session::Ask;
use super::text::{key, word};
use super::workspace::contact_id;
use crate::sqlite::column::{contact_key, moment, nanos};
use crate::sqlite::tally::totals;

/// Objects of an absorbed contact that it gets back when the merge is undone.
const OBJECTS_RETURNED_MAX: usize = 5_000;
/// Names of an absorbed contact that it gets back.
const NAMES_RETURNED_MAX: usize = 10_000;

impl PostgresStore {
    pub(super) fn names_of(
        &mut self,
        contact: ContactId,
        limit: usize,
    ) -> Result<Vec<Identity>, StoreError> {
        let (owner, limit) = (contact_key(contact), limit_column(limit));
        let answer = self.one(self.sql.identity_list, vec![&owner, &limit])?;
        let mut names = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let word: &str = row.try_get(0).at("identity of", contact)?;
            let kind = IdentityKind::from_word(word).ok_or_else(|| {
                unreadable("identity of", contact, format_args!("the kind {word:?}"))
            })?;
            names.push(Identity {
                kind,
                value: row.try_get(1).at("identity of", contact)?,
            });
        }
        Ok(names)
    }

    pub(super) fn make_one(&mut self, record: &MergeRecord) -> Result<(), StoreError> {
        let (survivor, absorbed) = (record.survivor, record.absorbed);
        self.check_held(survivor)?;
        self.check_held(absorbed)?;
        let (own, old) = (contact_key(survivor), contact_key(absorbed));
        let names = self.names_of(absorbed, NAMES_RETURNED_MAX)?;
        self.one(self.sql.identity_move, vec![&own, &old])?;
        self.move_domains(&names, absorbed, survivor)?;
        let objects = self.object_keys(absorbed)?;
        self.ask(vec![
            Ask::new(self.sql.object_move, vec![&own, &old]),
            Ask::new(self.sql.doing_move, vec![&own, &old]),
            Ask::new(self.sql.object_drop_all, vec![&old]),
            Ask::new(self.sql.entry_move, vec![&own, &old]),
        ])?;
        self.write_documents(&[own])?;
        let lists = self.undefined_lists(absorbed)?;
        for list in &lists {
            self.change_list(*list, absorbed, false)?;
            self.change_list(*list, survivor, true)?;
        }

        let moved = Moved {
            names,
            objects,
            lists: lists.into_iter().map(i64::from).collect(),
        };
        let body = merge_text(record).at("merged", absorbed)?;
        let undo = record.undo.as_deref().map(undo_text);
        let undo = undo.transpose().at("merged", absorbed)?;
        let moved = moved_text(&moved).at("merged", absorbed)?;
        let at = nanos(record.at);
        let settled = nanos(record.at.checked_sub(UNDO_WITHIN).unwrap_or(record.at));
        self.ask(vec![
            Ask::new(
                self.sql.merged_put,
                vec![&old, &own, &at, &body, &undo, &moved],
            ),
            Ask::new(self.sql.merged_settle, vec![&settled]),
            Ask::new(self.sql.doubt_drop, vec![&old]),
        ])?;
        self.tally.total(totals::CONTACTS, -1);
        Ok(())
    }

    pub(super) fn kept_merge(
        &mut self,
        absorbed: ContactId,
    ) -> Result<Option<(MergeRecord, Option<String>)>, StoreError> {
        let old = contact_key(absorbed);
        let answer = self.one(self.sql.merged_get, vec![&old])?;
        let Some(row) = answer.rows.first() else {
            return Ok(None);
        };
        let survivor = contact_id(row, 0).at("merged", absorbed)?;
        let at: i64 = row.try_get(1).at("merged", absorbed)?;
        let body: &str = row.try_get(2).at("merged", absorbed)?;
        let undo: Option<&str> = row.try_get(3).at("merged", absorbed)?;
        let moved: Option<String> = row.try_get(4).at("merged", absorbed)?;
        let mut record = read_merge(absorbed, survivor, moment(at), body).at("merged", absorbed)?;
        let undo = undo.map(|text| read_undo(survivor, absorbed, text));
        record.undo = undo.transpose().at("merged", absorbed)?.map(Box::new);
        Ok(Some((record, moved)))
    }

    pub(super) fn make_two(&mut self, absorbed: ContactId) -> Result<(), StoreError> {
        let Some((record, Some(moved))) = self.kept_merge(absorbed)? else {
            return Ok(());
        };
        let survivor = record.survivor;
        self.check_held(survivor)?;
        self.check_held(absorbed)?;
        let moved = read_moved(&moved).at("merged", absorbed)?;
        let (own, old) = (contact_key(survivor), contact_key(absorbed));
        let kinds: Vec<&str> = moved.names.iter().map(|name| name.kind.word()).collect();
        let values: Vec<_> = moved.names.iter().map(|name| key(&name.value)).collect();
        self.one(self.sql.identity_return, vec![&kinds, &values, &old, &own])?;
        self.move_domains(&moved.names, survivor, absorbed)?;
        let kinds: Vec<_> = moved
            .objects
            .iter()
            .map(|one| word(one.kind.as_str()))
            .collect();
        let ids: Vec<_> = moved.objects.iter().map(|one| key(&one.id)).collect();
        self.one(self.sql.object_copy, vec![&old, &own, &kinds, &ids])?;
        self.write_documents(&[old])?;
        for list in &moved.lists {
            let list = i32::try_from(*list).unwrap_or(i32::MAX);
            self.change_list(list, absorbed, true)?;
        }
        self.one(self.sql.merged_drop, vec![&old])?;
        self.tally.total(totals::CONTACTS, 1);
        Ok(())
    }

    /// Names went from one contact to another: so do the domains of addresses, unless who had them still has
    /// an address there.
    fn move_domains(
        &mut self,
        names: &[Identity],
        from: ContactId,
        to: ContactId,
    ) -> Result<(), StoreError> {
        let left = self.names_of(from, NAMES_RETURNED_MAX)?;
        let left: BTreeSet<_> = left.iter().filter_map(domain_of).collect();
        let come: BTreeSet<_> = names.iter().filter_map(domain_of).collect();
        let gone: Vec<_> = come.difference(&left).collect();
        let come: Vec<_> = come.iter().collect();
        let owners = vec![contact_key(to); come.len()];
        let from = contact_key(from);
        self.ask(vec![
            Ask::new(self.sql.domain_add, vec![&come, &owners]),
            Ask::new(self.sql.domain_drop, vec![&gone, &from]),
        ])
        .map(drop)
    }

    fn object_keys(&mut self, contact: ContactId) -> Result<Vec<SubjectRef>, StoreError> {
        let (owner, limit) = (contact_key(contact), limit_column(OBJECTS_RETURNED_MAX));
        let answer = self.one(self.sql.object_keys, vec![&owner, &limit])?;
        let subject = |row: &tokio_postgres::Row| {
            Ok(SubjectRef {
                kind: ObjectKind::from(row.try_get::<_, &str>(0)?),
                id: row.try_get::<_, &str>(1)?.into(),
            })
        };
        let all: Result<_, tokio_postgres::Error> = answer.rows.iter().map(subject).collect();
        all.at("object of", contact)
    }

    fn undefined_lists(&mut self, contact: ContactId) -> Result<Vec<i32>, StoreError> {
        let owner = contact_key(contact);
        let answer = self.one(self.sql.member_lists, vec![&owner])?;
        let all: Result<_, tokio_postgres::Error> =
            answer.rows.iter().map(|row| row.try_get(0)).collect();
        all.at("member of", contact)
    }

    fn change_list(
        &mut self,
        number: i32,
        contact: ContactId,
        member: bool,
    ) -> Result<(), StoreError> {
        let (contacts, numbers) = (vec![contact_key(contact)], vec![number]);
        let answer = self.one(self.sql.member_get, vec![&contacts, &numbers])?;
        let was: bool = match answer.rows.first() {
            Some(row) => row.try_get(1).at("member of", contact)?,
            None => false,
        };
        if member {
            let (members, due): (Vec<bool>, Vec<Option<i64>>) = (vec![true], vec![None]);
            self.one(
                self.sql.member_put,
                vec![&contacts, &numbers, &members, &due],
            )?;
        } else {
            self.one(self.sql.member_drop, vec![&contacts, &numbers])?;
        }
        self.tally
            .member(number, i64::from(member) - i64::from(was));
        Ok(())
    }

    pub(super) fn write_doubt(&mut self, doubt: &Doubt) -> Result<(), StoreError> {
        let (first, second) = (contact_key(doubt.first), contact_key(doubt.second));
        let (why, at) = (doubt.why.word(), nanos(doubt.at));
        let most = limit_column(DOUBTS_PER_CONTACT_MAX);
        self.one(self.sql.doubt_put, vec![&first, &second, &why, &at, &most])
            .map(drop)
    }
}
