//! The columns that lists go by, written with what they are read from (see [`crate::registry`]).
//!
//! A contact's columns are compared before they are written: most changes of a contact change none of them. A file
//! from before there was a registry is brought over some contacts with each commit.

use relance_core::contact::Contact;
use relance_core::decide::TaskState;
use relance_core::ids::{ContactId, EnrollmentId, SubjectRef, TouchpointId};
use relance_core::subject::Object;
use relance_engine::ports::StoreError;
use relance_wire::stored::{
    read_contact, read_enrollment, read_object, read_task, read_touchpoint,
};
use rusqlite::params;

use super::SqliteStore;
use super::column::{contact_key, nanos};
use super::error::{Located, unreadable};
use crate::registry::{
    BROUGHT_PER_COMMIT, DOCUMENT, DocumentRow, Doing, Profile, TaskColumns, owner_column,
    state_column,
};

/// The name of the mark that says how far the registry came.
const MARK: &str = "registry";

impl SqliteStore {
    /// Writes what lists know of a contact.
    pub(super) fn write_profile(&self, contact: &Contact) -> Result<(), StoreError> {
        self.put_profile(contact.id, &Profile::of(contact))
    }

    pub(super) fn put_profile(&self, id: ContactId, now: &Profile) -> Result<(), StoreError> {
        let key = contact_key(id);
        let before = self
            .row(self.sql.profile_get, [key], |row| {
                Ok(Profile {
                    owner: row.get(0)?,
                    name: row.get(1)?,
                    words: row.get(2)?,
                })
            })
            .at("profile", id)?;
        let was_there = before.is_some();
        let before = before.unwrap_or_default();
        if before == *now {
            return Ok(());
        }
        if now.is_empty() {
            self.run(self.sql.profile_drop, [key])
        } else {
            let row = params![key, now.owner, now.name, now.words];
            self.run(self.sql.profile_put, row)
        }
        .at("profile", id)?;
        let (old, new) = (words(&before.words), words(&now.words));
        for word in old.iter().filter(|word| !new.contains(word)) {
            self.run(self.sql.word_drop, params![word, key])
                .at("name_word of", id)?;
        }
        for word in new.iter().filter(|word| !old.contains(word)) {
            self.run(self.sql.word_put, params![word, key])
                .at("name_word of", id)?;
        }
        // A contact of which nothing was known may have documents all the same.
        if !was_there || before.owner != now.owner || before.name != now.name {
            self.run(self.sql.document_follow, params![key, now.owner, now.name])
                .at("document of", id)?;
        }
        if before.owner != now.owner {
            self.run(self.sql.task_follow, params![key, now.owner])
                .at("task of", id)?;
        }
        Ok(())
    }

    /// Writes the columns of an object that is a document.
    pub(super) fn write_document(
        &self,
        contact: ContactId,
        object: &Object,
    ) -> Result<(), StoreError> {
        let Some(row) = DocumentRow::of(object) else {
            return Ok(());
        };
        self.run(
            self.sql.document_put,
            params![
                contact_key(contact),
                &*object.subject.id,
                state_column(row.state),
                row.own,
                row.mailbox,
                row.kind,
                row.currency,
                row.issued,
                row.due,
                row.amount,
                row.updated_at,
                row.number,
                row.answered,
                row.paid,
            ],
        )
        .at("document of", contact)?;
        self.follow_doings(contact, &object.subject.id)
    }

    /// Writes what a run or message has to do with a document, and what follows from it.
    pub(super) fn write_doing(
        &self,
        contact: ContactId,
        doing: &Doing<'_>,
    ) -> Result<(), StoreError> {
        let key = contact_key(contact);
        match doing.at {
            Some(at) => self.run(
                self.sql.doing_put,
                params![key, doing.id, doing.what, doing.source, at],
            ),
            None => self.run(
                self.sql.doing_drop,
                params![key, doing.id, doing.what, doing.source],
            ),
        }
        .at("document_doing of", contact)?;
        self.follow_doings(contact, doing.id)
    }

    fn follow_doings(&self, contact: ContactId, document: &str) -> Result<(), StoreError> {
        self.run(
            self.sql.doing_follow,
            params![contact_key(contact), document],
        )
        .at("document of", contact)?;
        Ok(())
    }

    /// What runs and messages of before there were doings have to do with documents.
    fn write_doings(&self, contact: ContactId) -> Result<(), StoreError> {
        let key = contact_key(contact);
        let bodies = |sql: &'static str, table: &str| -> Result<Vec<(i64, String)>, StoreError> {
            self.conn
                .prepare_cached(sql)
                .and_then(|mut statement| {
                    let rows = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    rows.collect()
                })
                .at(table, contact)
        };
        for (number, body) in bodies(self.sql.run_bodies, "enrollment of")? {
            let number = u32::try_from(number)
                .map_err(|_| unreadable("enrollment of", contact, "its number"))?;
            let run = read_enrollment(EnrollmentId { contact, number }, &body)
                .at("enrollment of", contact)?;
            for doing in Doing::of_run(&run) {
                self.write_doing(contact, &doing)?;
            }
        }
        for (hash, body) in bodies(self.sql.message_bodies, "touchpoint of")? {
            let id = TouchpointId {
                contact,
                hash: hash.cast_unsigned(),
            };
            let one = read_touchpoint(id, &body).at("touchpoint of", contact)?;
            for doing in Doing::of_message(&one) {
                self.write_doing(contact, &doing)?;
            }
        }
        Ok(())
    }

    /// Writes the columns of all documents of a contact: it got them from another. Says whether there are any.
    pub(super) fn write_documents(&self, contact: ContactId) -> Result<bool, StoreError> {
        let bodies: Vec<(String, String)> = self
            .conn
            .prepare_cached(self.sql.document_bodies)
            .and_then(|mut statement| {
                let rows = statement
                    .query_map([contact_key(contact)], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
            .at("object of", contact)?;
        let has_some = !bodies.is_empty();
        for (id, body) in bodies {
            let subject = SubjectRef {
                kind: DOCUMENT.into(),
                id: id.into(),
            };
            let object = read_object(subject, &body).at("object of", contact)?;
            self.write_document(contact, &object)?;
        }
        Ok(has_some)
    }

    /// Writes how a task stands.
    pub(super) fn change_task(
        &self,
        id: TouchpointId,
        state: &TaskState,
    ) -> Result<(), StoreError> {
        let (contact, hash) = (contact_key(id.contact), id.hash.cast_signed());
        let row = TaskColumns::of(state);
        self.run(
            self.sql.task_change,
            params![
                contact,
                hash,
                row.state,
                row.done_at,
                row.done_by,
                row.due_at
            ],
        )
        .at("task", id)?;
        Ok(())
    }

    fn write_task_faces(&self, contact: ContactId, owner: &str) -> Result<(), StoreError> {
        let key = contact_key(contact);
        let bodies: Vec<(i64, String)> = self
            .conn
            .prepare_cached(self.sql.task_bodies)
            .and_then(|mut statement| {
                let rows = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect()
            })
            .at("task of", contact)?;
        for (hash, body) in bodies {
            let id = TouchpointId {
                contact,
                hash: hash.cast_unsigned(),
            };
            let task = read_task(id, &body).at("task", id)?;
            let assignee = task.assignee.as_deref().map(owner_column);
            let assignee = assignee.unwrap_or_else(|| owner.to_owned());
            let due = task.due_at.map(nanos);
            self.run(self.sql.task_face, params![key, hash, assignee, due])
                .at("task", id)?;
        }
        Ok(())
    }

    /// Brings some contacts of an older file over; says whether there are more.
    pub(super) fn bring_over(&mut self) -> Result<bool, StoreError> {
        if self.is_brought_over {
            return Ok(false);
        }
        let before: Option<i64> = self
            .row(self.sql.mark_get, [MARK], |row| row.get(0))
            .at("mark", MARK)?;
        let Some(before) = before.filter(|before| *before > 0) else {
            self.is_brought_over = true;
            return Ok(false);
        };
        let page: Vec<(i64, String)> = self
            .conn
            .prepare_cached(self.sql.registry_page)
            .and_then(|mut statement| {
                let rows = statement.query_map(params![before, BROUGHT_PER_COMMIT], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
                rows.collect()
            })
            .at("contact", "in order")?;
        let is_last = i64::try_from(page.len()).is_ok_and(|rows| rows < BROUGHT_PER_COMMIT);
        let mut reached = before;
        for (key, body) in page {
            let id = ContactId(key.cast_unsigned());
            let contact = read_contact(id, &body).at("contact", id)?;
            let profile = Profile::of(&contact);
            self.put_profile(id, &profile)?;
            if self.write_documents(id)? {
                self.write_doings(id)?;
            }
            self.write_task_faces(id, &profile.owner)?;
            reached = key;
        }
        let mark = if is_last { 0 } else { reached };
        self.run(self.sql.mark_put, params![MARK, mark])
            .at("mark", MARK)?;
        // Only a commit makes it so; the mark tells the next batch.
        Ok(!is_last)
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use relance_core::contact::Identity;
    use relance_core::decide::Effect;
    use relance_engine::ports::{Change, Store};
    use serde_json::json;

    use super::*;

    fn rows(store: &SqliteStore, sql: &str) -> Vec<String> {
        let mut statement = store.conn.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("reads");
        rows.collect::<Result<_, _>>().expect("texts")
    }

    /// What a file of before there was a registry holds is listed after some commits, and then once for all.
    #[test]
    fn an_older_file_is_brought_over_beside_the_ordinary_work() {
        let mut store = SqliteStore::open_in_memory().expect("opens");
        let now = Timestamp::UNIX_EPOCH;
        let count = 3 * BROUGHT_PER_COMMIT / 2;
        store.begin().expect("begins");
        for n in 0..count {
            let user = Identity::user(&n.to_string());
            let contact = store.resolve(&[user], now).expect("resolves");
            let mut body = Contact::new(contact, now);
            body.traits
                .insert("name".to_owned(), json!(format!("Ana {n}")));
            let subject = SubjectRef {
                kind: DOCUMENT.into(),
                id: n.to_string().into(),
            };
            let effects = vec![
                Effect::Contact(Box::new(body)),
                Effect::Object(Object::new(subject, now)),
            ];
            store.write(&[Change { contact, effects }]).expect("writes");
        }
        store.commit().expect("commits");
        let all = [
            "SELECT contact_id || name || words FROM profile ORDER BY 1",
            "SELECT word || contact_id FROM name_word ORDER BY 1",
            "SELECT contact_id || id || client FROM document ORDER BY 1",
            "SELECT state || n FROM document_sum",
        ];
        let whole = all.map(|sql| rows(&store, sql));
        assert_eq!(whole[0].len(), usize::try_from(count).expect("small"));
        store
            .conn
            .execute_batch(
                "DELETE FROM profile; DELETE FROM name_word; DELETE FROM document; DELETE FROM document_sum;
                 INSERT INTO mark (name, n) SELECT 'registry', max(contact_id) + 1 FROM contact",
            )
            .expect("as before");
        store.is_brought_over = false;
        let mut commits = 0;
        while !store.is_brought_over {
            store.begin().expect("begins");
            store.commit().expect("commits");
            commits += 1;
            assert!(commits < 9, "it comes to an end");
        }
        assert_eq!(commits, 3, "two pages, and one that finds nothing left");
        assert_eq!(all.map(|sql| rows(&store, sql)), whole);
    }
}
