//! The timer behind triggers that wait for something of each contact: `inactive`, `date`, `schedule`.
//!
//! The watch of an `inactive` trigger is armed by activity and is not rewritten by further activity: when
//! its timer comes, the time of the last activity decides whether it fires or is armed anew.

use jiff::Timestamp;

use crate::ids::{JourneyId, SubjectRef};

/// A moment that is awaited of one contact, or about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The journey that begins then.
    pub journey: JourneyId,
    /// About what.
    pub subject: Option<SubjectRef>,
    /// When to look.
    pub due_at: Timestamp,
    /// The local day on which it last fired: a contact that moves west does not live it twice.
    pub last_day: Option<i32>,
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
