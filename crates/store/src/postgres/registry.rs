//! The columns that lists go by, for rows that no effect of this batch wrote: those that went from one contact to
//! another, and those of a schema from before there was a registry (see [`crate::registry`]).

use relance_core::ids::{ContactId, EnrollmentId, SubjectRef, TouchpointId};
use relance_engine::ports::StoreError;
use relance_wire::stored::{
    read_contact, read_enrollment, read_object, read_task, read_touchpoint,
};

use super::PostgresStore;
use super::columns::{Columns, Documents};
use super::error::PgLocated;
use super::session::Ask;
use super::workspace::contact_id;
use crate::registry::{BROUGHT_PER_COMMIT, DOCUMENT, DocumentRow, Doing, Profile, owner_column};
use crate::sqlite::column::{contact_key, nanos};

impl PostgresStore {
    /// Writes what lists know of contacts.
    pub(super) fn put_profiles(&mut self, all: &[(i64, Profile)]) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let contacts: Vec<i64> = all.iter().map(|(contact, _)| *contact).collect();
        let column = |of: fn(&Profile) -> &str| -> Vec<&str> {
            all.iter().map(|(_, profile)| of(profile)).collect()
        };
        let (owners, names) = (column(|one| &one.owner), column(|one| &one.name));
        let words = column(|one| &one.words);
        self.one(
            self.sql.profile_put,
            vec![&contacts, &owners, &names, &words],
        )
        .map(drop)
    }

    /// Writes the columns of all documents of contacts. Says whose they are.
    pub(super) fn write_documents(&mut self, contacts: &[i64]) -> Result<Vec<i64>, StoreError> {
        let contacts = contacts.to_vec();
        let answer = self.one(self.sql.document_bodies, vec![&contacts])?;
        let mut rows: Vec<(i64, String, DocumentRow)> = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let contact = contact_id(row, 0).at("object", "")?;
            let id: &str = row.try_get(1).at("object of", contact)?;
            let subject = SubjectRef {
                kind: DOCUMENT.into(),
                id: id.into(),
            };
            let body: &str = row.try_get(2).at("object of", contact)?;
            let object = read_object(subject, body).at("object of", contact)?;
            let key: i64 = row.try_get(0).at("object of", contact)?;
            rows.extend(DocumentRow::of(&object).map(|one| (key, id.to_owned(), one)));
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut columns = Documents::default();
        for (contact, id, row) in &rows {
            columns.push(*contact, id, row);
        }
        let (owners, ids) = columns.keys();
        self.ask(vec![
            Ask::new(self.sql.document_put, columns.params()),
            Ask::new(self.sql.doing_follow, vec![owners, ids]),
        ])?;
        let mut owners = owners.clone();
        owners.dedup();
        Ok(owners)
    }

    /// What runs and messages of before there were doings have to do with documents.
    fn write_doings(&mut self, contacts: Vec<i64>) -> Result<(), StoreError> {
        if contacts.is_empty() {
            return Ok(());
        }
        let answer = self.one(self.sql.run_bodies, vec![&contacts])?;
        let mut runs = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let contact = contact_id(row, 0).at("enrollment", "")?;
            let number: i32 = row.try_get(1).at("enrollment of", contact)?;
            let number = number.cast_unsigned();
            let body: &str = row.try_get(2).at("enrollment of", contact)?;
            let id = EnrollmentId { contact, number };
            runs.push(read_enrollment(id, body).at("enrollment", id)?);
        }
        let answer = self.one(self.sql.message_bodies, vec![&contacts])?;
        let mut messages = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let contact = contact_id(row, 0).at("touchpoint", "")?;
            let hash: i64 = row.try_get(1).at("touchpoint of", contact)?;
            let id = TouchpointId {
                contact,
                hash: hash.cast_unsigned(),
            };
            let body: &str = row.try_get(2).at("touchpoint of", contact)?;
            messages.push(read_touchpoint(id, body).at("touchpoint", id)?);
        }
        let mut c = Columns::default();
        for run in &runs {
            for doing in Doing::of_run(run).filter(|doing| doing.at.is_some()) {
                c.add_doing(contact_key(run.id.contact), &doing);
            }
        }
        for one in &messages {
            for doing in Doing::of_message(one).filter(|doing| doing.at.is_some()) {
                c.add_doing(contact_key(one.id.contact), &doing);
            }
        }
        if c.doings.0.is_empty() {
            return Ok(());
        }
        let all = &c.doings;
        self.ask(vec![
            Ask::new(
                self.sql.doing_put,
                vec![&all.0, &all.1, &all.2, &all.3, &all.4],
            ),
            Ask::new(self.sql.doing_follow, vec![&c.followed.0, &c.followed.1]),
        ])?;
        Ok(())
    }

    fn write_task_faces(&mut self, contacts: &Vec<i64>) -> Result<(), StoreError> {
        let answer = self.one(self.sql.task_bodies, vec![contacts])?;
        let (mut owners, mut hashes) = (Vec::new(), Vec::new());
        let (mut assignees, mut due) = (Vec::new(), Vec::new());
        for row in &answer.rows {
            let contact = contact_id(row, 0).at("task", "")?;
            let hash: i64 = row.try_get(1).at("task of", contact)?;
            let id = TouchpointId {
                contact,
                hash: hash.cast_unsigned(),
            };
            let body: &str = row.try_get(2).at("task of", contact)?;
            let task = read_task(id, body).at("task", id)?;
            let assignee = task.assignee.as_deref().map(owner_column);
            owners.push(row.try_get::<_, i64>(0).at("task of", contact)?);
            hashes.push(hash);
            assignees.push(assignee.unwrap_or_default());
            due.push(task.due_at.map(nanos));
        }
        if owners.is_empty() {
            return Ok(());
        }
        self.one(self.sql.task_face, vec![&owners, &hashes, &assignees, &due])
            .map(drop)
    }

    /// Brings some contacts of a partition that is held over, within a batch that is open.
    pub(super) fn bring_over(&mut self) -> Result<(), StoreError> {
        if self.is_brought_over {
            return Ok(());
        }
        let parts = self.parts_column();
        let answer = self.one(self.sql.registry_next, vec![&parts])?;
        let Some(row) = answer.rows.first() else {
            self.is_brought_over = true;
            return Ok(());
        };
        let part: i16 = row.try_get(0).at("registry_left", "")?;
        let after: i64 = row.try_get(1).at("registry_left", part)?;
        let limit = BROUGHT_PER_COMMIT;
        let answer = self.one(self.sql.registry_page, vec![&part, &after, &limit])?;
        let mut profiles = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            let key: i64 = row.try_get(0).at("contact", "in order")?;
            let id = ContactId(key.cast_unsigned());
            let body: &str = row.try_get(1).at("contact", id)?;
            let contact = read_contact(id, body).at("contact", id)?;
            profiles.push((key, Profile::of(&contact)));
        }
        let contacts: Vec<i64> = profiles.iter().map(|(contact, _)| *contact).collect();
        self.put_profiles(&profiles)?;
        let with_documents = self.write_documents(&contacts)?;
        self.write_doings(with_documents)?;
        self.write_task_faces(&contacts)?;
        let is_whole = i64::try_from(contacts.len()).is_ok_and(|rows| rows == limit);
        match contacts.last().filter(|_| is_whole) {
            Some(last) => self.one(self.sql.registry_put, vec![&part, last]),
            None => self.one(self.sql.registry_drop, vec![&part]),
        }
        .map(drop)
    }
}
