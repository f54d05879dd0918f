//! Where mails were seen in their folders, so that one that was tried can be fetched at once.
//!
//! **Absent:** lasting: what is forgotten is searched for on the server.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use relance_channels::imap::{Cursor, FolderName};

/// Mails whose place is remembered.
const PLACES_MAX: usize = 20_000;

/// A mail's folder, and its number there.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder.
    pub folder: FolderName,
    /// The number and its validity.
    pub at: Cursor,
}

/// Where mails were seen.
#[derive(Debug, Default)]
pub struct Places {
    known: Mutex<Known>,
}

/// A mailbox's address and a Message-ID.
type Key = (String, String);

#[derive(Debug, Default)]
struct Known {
    places: BTreeMap<Key, Place>,
    order: VecDeque<Key>,
}

impl Places {
    /// Remembers one.
    pub fn put(&self, mailbox: &str, message_id: &str, place: Place) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (mailbox.to_owned(), message_id.to_owned());
        if known.places.insert(key.clone(), place).is_none() {
            known.order.push_back(key);
        }
        if known.order.len() > PLACES_MAX
            && let Some(oldest) = known.order.pop_front()
        {
            known.places.remove(&oldest);
        }
    }

    /// Where one was.
    pub fn find(&self, mailbox: &str, message_id: &str) -> Option<Place> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (mailbox.to_owned(), message_id.to_owned());
        known.places.get(&key).cloned()
    }
}
