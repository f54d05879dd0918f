//! What contacts may choose, and whom erasures removed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use relance_core::contact::{Contact, Identity};
use relance_core::ids::{ContactId, Topic, TouchpointId};
use relance_engine::turn::HashIdentity;
use relance_store::read::{ReadError, Reader};
use sha2::Sha256;

use crate::config::TopicConfig;
use crate::workspace::OUTBOX;

/// Digits of what is kept of a name: 128 bits.
const HASH_DIGITS: usize = 32;

/// Topics, in the order in which they are shown, by the names that contacts read.
#[derive(Debug, Clone, Default)]
pub struct Topics(Vec<TopicConfig>);

impl Topics {
    /// Those of a configuration.
    pub fn new(topics: &[TopicConfig]) -> Self {
        Self(topics.to_vec())
    }

    /// A topic's name in a language, else in English, else in any, else its id.
    pub fn name<'a>(&'a self, id: &'a str, language: &str) -> &'a str {
        let topic = self.0.iter().find(|topic| topic.id == id);
        topic
            .and_then(|topic| in_language(&topic.name, language))
            .unwrap_or(id)
    }

    /// A sentence more about it.
    pub fn description(&self, id: &str, language: &str) -> Option<&str> {
        let topic = self.0.iter().find(|topic| topic.id == id)?;
        in_language(&topic.description, language)
    }

    /// The topics that a contact chooses among: those of the configuration, and those that it has an answer
    /// for.
    pub fn of(&self, contact: &Contact) -> Vec<Topic> {
        let mut all: Vec<Topic> = self.0.iter().map(|topic| Topic::from(&*topic.id)).collect();
        let others = contact.topic_consents.keys();
        let others = others.filter(|topic| !all.contains(topic)).cloned();
        let others: Vec<Topic> = others.collect();
        all.extend(others);
        all
    }
}

fn in_language<'a>(texts: &'a BTreeMap<String, String>, language: &str) -> Option<&'a str> {
    let base = language.split(['-', '_']).next().unwrap_or_default();
    [language, base, "en"]
        .into_iter()
        .find_map(|language| texts.get(language))
        .or(texts.values().next())
        .map(String::as_str)
}

/// Whom erasures removed, as keyed hashes of their names.
pub struct Erased {
    hash: HashIdentity,
    known: RwLock<BTreeSet<String>>,
}

impl Erased {
    /// Those of a database.
    pub fn load(secret: &[u8], reader: &Reader) -> Result<Self, ReadError> {
        Ok(Self {
            hash: identity_hash(secret),
            known: RwLock::new(reader.erased_hashes()?.into_iter().collect()),
        })
    }

    /// Reads them anew: another program may have erased somebody.
    pub fn reload(&self, reader: &Reader) -> Result<(), ReadError> {
        let known = reader.erased_hashes()?.into_iter().collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// What makes of a name what is kept of it.
    pub fn hash(&self) -> HashIdentity {
        self.hash.clone()
    }

    /// Whether any of these names was an erased person's.
    pub fn knows(&self, identities: &[Identity]) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        // Where nobody was erased, nothing is hashed.
        !known.is_empty()
            && identities
                .iter()
                .any(|one| known.contains(&(self.hash)(one)))
    }

    /// From now on these names are an erased person's.
    pub fn add(&self, identities: &[Identity]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(identities.iter().map(|one| (self.hash)(one)));
    }

    /// They are so no longer; what was kept of those that were.
    pub fn remove(&self, identities: &[Identity]) -> Vec<String> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let hashes = identities.iter().map(|one| (self.hash)(one));
        hashes.filter(|hash| known.remove(hash)).collect()
    }
}

/// Removes the files of messages to a person's contacts from the folder that takes them in place of a mail
/// server: what they are called ends with the message's id.
pub fn forget_files(data: &Path, contacts: &[ContactId]) -> std::io::Result<usize> {
    let folder = match std::fs::read_dir(data.join(OUTBOX)) {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for file in folder {
        let file = file?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        let id = name.rsplit_once('.').map_or("", |(stem, _)| stem);
        let id = id.split_once('-').map_or("", |(_, id)| id);
        if id
            .parse::<TouchpointId>()
            .is_ok_and(|id| contacts.contains(&id.contact))
        {
            std::fs::remove_file(file.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// An HMAC of a name with a key that is drawn from the workspace's secret.
pub fn identity_hash(secret: &[u8]) -> HashIdentity {
    let key = blake3::derive_key("relance 2026-11 names of erased persons", secret);
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
    Arc::new(move |identity: &Identity| {
        let mut mac = mac.clone();
        mac.update(identity.kind.word().as_bytes());
        mac.update(b"\0");
        mac.update(identity.value.as_bytes());
        let bytes = mac.finalize().into_bytes();
        let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()[..HASH_DIGITS].to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_hashed_with_the_workspaces_secret() {
        let ana = Identity::email("ana@shop.test");
        let one = identity_hash(b"one");
        assert_eq!(one(&ana), one(&Identity::email("Ana@shop.test ")));
        assert_ne!(one(&ana), identity_hash(b"two")(&ana));
        assert_ne!(one(&ana), one(&Identity::user("ana@shop.test")));
        assert_eq!(one(&ana).len(), HASH_DIGITS);
    }

    #[test]
    fn files_of_a_person_are_removed_and_nobody_elses() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(forget_files(data.path(), &[ContactId(7)]).unwrap(), 0);
        let folder = data.path().join(OUTBOX);
        std::fs::create_dir(&folder).unwrap();
        let message = |contact| TouchpointId {
            contact: ContactId(contact),
            hash: 0xff,
        };
        let own = [7, 3].map(|contact| format!("1770000000000-{}.eml", message(contact)));
        let half = format!("1770000000000-{}.tmp", message(7));
        let others = [
            format!("1770000000000-{}.eml", message(70)),
            "notes.txt".to_owned(),
        ];
        for name in own.iter().chain([&half]).chain(&others) {
            std::fs::write(folder.join(name), "Dear Ana").unwrap();
        }
        let person = [ContactId(7), ContactId(3)];
        assert_eq!(forget_files(data.path(), &person).unwrap(), 3);
        let left = std::fs::read_dir(&folder).unwrap();
        let left: BTreeSet<String> = left
            .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(left, BTreeSet::from(others));
    }

    #[test]
    fn topics_are_called_in_the_contacts_language() {
        let topic = TopicConfig {
            id: "news".to_owned(),
            name: [("en", "News"), ("ru", "Новости")]
                .map(|(language, name)| (language.to_owned(), name.to_owned()))
                .into(),
            description: BTreeMap::new(),
        };
        let topics = Topics::new(&[topic]);
        assert_eq!(topics.name("news", "ru-RU"), "Новости");
        assert_eq!(topics.name("news", "ja"), "News");
        assert_eq!(topics.name("other", "ja"), "other");
        assert_eq!(topics.description("news", "ru"), None);
    }
}
