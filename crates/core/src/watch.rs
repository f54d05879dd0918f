//! Awaited activity: the timer behind an `inactive` trigger.
//!
//! A watch is armed by activity and is not rewritten by further activity. When its timer comes, the
//! time of the last activity decides whether it fires or is armed anew.

use jiff::Timestamp;

use crate::ids::{JourneyId, SubjectRef};

/// Activity that is awaited of one contact, or about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The journey that begins when it does not come.
    pub journey: JourneyId,
    /// About what.
    pub subject: Option<SubjectRef>,
    /// When to look.
    pub due_at: Timestamp,
}

impl Watch {
    /// Names the watch among those of its contact.
    pub fn hash(&self) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        hasher.update(self.journey.as_str().as_bytes());
        if let Some(subject) = &self.subject {
            hasher.update(&[0]);
            hasher.update(subject.kind.as_str().as_bytes());
            hasher.update(&[0]);
            hasher.update(subject.id.as_bytes());
        }
        hasher.digest()
    }
}
