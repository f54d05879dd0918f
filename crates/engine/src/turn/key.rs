//! What arrives twice happens once (R6).
//!
//! **Absent:** the memory itself and how long it lasts (see the store).

use jiff::Timestamp;
use relance_core::decide::Input;
use xxhash_rust::xxh3::Xxh3;

use super::Engine;
use crate::arrival::Arrival;
use crate::ports::{Dispatcher, Store, StoreError};

impl<S: Store, D: Dispatcher> Engine<S, D> {
    /// Asks which arrivals are new; those without a key of their own always are.
    pub(super) fn remember(
        &mut self,
        arrivals: &[&Arrival],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let mut fresh = vec![true; arrivals.len()];
        let mut keys = Vec::new();
        let mut places = Vec::new();
        for (place, arrival) in arrivals.iter().enumerate() {
            if let Some(key) = arrival_key(arrival) {
                keys.push(key);
                places.push(place);
            }
        }
        if !keys.is_empty() {
            for (place, new) in places.into_iter().zip(self.store.remember(&keys, now)?) {
                fresh[place] = new;
            }
        }
        Ok(fresh)
    }
}

/// The key by which a second arrival of the same thing is known (R6).
fn arrival_key(arrival: &Arrival) -> Option<u64> {
    let mut hasher = Xxh3::new();
    match arrival {
        Arrival::Event { event, .. } => {
            hasher.update(b"event\0");
            hasher.update(event.message_id.as_ref()?.as_bytes());
        }
        Arrival::Mail(mail) => {
            hasher.update(b"mail\0");
            hasher.update(&[mail.folder as u8]);
            hasher.update(mail.mailbox.as_str().as_bytes());
            hasher.update(b"\0");
            hasher.update(mail.message_id.as_bytes());
            // What turned out to be a document after all is told again; its event is told once (R6).
            if mail.document().is_some() {
                hasher.update(b"\0document");
            }
        }
        Arrival::Input {
            input: Input::Event(event),
            ..
        } => {
            hasher.update(b"event\0");
            hasher.update(event.message_id.as_ref()?.as_bytes());
        }
        Arrival::Input {
            input: Input::Enroll { once, .. },
            ..
        } => {
            hasher.update(b"enroll\0");
            hasher.update(once.as_ref()?.as_bytes());
        }
        Arrival::Input { .. }
        | Arrival::Threaded(_)
        | Arrival::Asset(_)
        | Arrival::Audited { .. }
        | Arrival::Payment(_)
        | Arrival::Judged(_)
        | Arrival::Statement(_)
        | Arrival::Synced { .. }
        | Arrival::Watched(_)
        | Arrival::Forgotten { .. }
        | Arrival::Published { .. }
        | Arrival::Retired(_)
        | Arrival::Paused(_)
        | Arrival::Resumed { .. }
        | Arrival::Archived(_)
        | Arrival::Segments(_)
        | Arrival::Lists(_)
        | Arrival::Templates(_)
        | Arrival::Rules(_)
        | Arrival::Released(_)
        | Arrival::Erase { .. }
        | Arrival::Readmit(_)
        | Arrival::Suppressions { .. }
        | Arrival::Merge { .. }
        | Arrival::Unmerge { .. } => return None,
    }
    Some(hasher.digest())
}
