//! Whose and which document a mail is about, by its Message-ID.

use relance_core::ids::{ContactId, ObjectKind, SubjectRef};

use super::db::{Value, values};
use super::{ReadError, Reader};
use crate::sqlite::THREADS_PER_MESSAGE_MAX;
use crate::sqlite::error::Located;

impl Reader {
    /// The contacts, as they are now, and the objects that a mail is about.
    pub fn subjects_of_mail(
        &self,
        message_id: &str,
    ) -> Result<Vec<(ContactId, SubjectRef)>, ReadError> {
        let most = i64::try_from(THREADS_PER_MESSAGE_MAX).unwrap_or(i64::MAX);
        let key = values![Value::Key(message_id), most];
        let rows = self.rows(self.sql.thread_of_mail, "thread", key, |row| {
            let contact = row.contact(0).at("thread", "")?;
            let kind = row.text(1).at("thread of", contact)?;
            let id = row.text(2).at("thread of", contact)?;
            let subject = SubjectRef {
                kind: ObjectKind::from(kind),
                id: id.into(),
            };
            Ok((contact, subject))
        })?;
        let mut found = Vec::new();
        for (contact, subject) in rows {
            let about = (self.contact_now(contact)?, subject);
            if !about.1.kind.as_str().is_empty() && !found.contains(&about) {
                found.push(about);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
pub(super) fn a_mail_tells_what_it_is_about(mut world: super::tests::World) {
    use relance_engine::ports::{Store as _, ThreadEntry};

    let (anna, boris) = (world.contact("anna"), world.contact("boris"));
    let offer = SubjectRef {
        kind: ObjectKind::from("document"),
        id: "offer@us.test".into(),
    };
    let entry = |contact, subject| ThreadEntry {
        message_id: "second@us.test".to_owned(),
        contact,
        subject,
    };
    let entries = [entry(anna, Some(offer.clone())), entry(boris, None)];
    world.store.put_threads(&entries).expect("puts");
    let found = world.reader.subjects_of_mail("second@us.test");
    assert_eq!(found.expect("reads"), [(anna, offer)]);
    assert_eq!(world.reader.subjects_of_mail("other").expect("reads"), []);
}
