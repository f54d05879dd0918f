//! What is new in a folder since a cursor, in bounded batches, oldest first.
//!
//! The cursor moves only over messages that were handed out or that are known to be gone, so a pass
//! that breaks off can be taken up again where it stopped.
//!
//! **Absent:** the connection (`session`), and what is done about a message that cannot be had.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use async_imap::imap_proto::{AttributeValue, MessageSection, Response, SectionPath};
use jiff::Timestamp;
use jiff::fmt::strtime;

/// Where reading goes on. Kept by the caller, per folder; belongs to one UIDVALIDITY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub uid_validity: u32,
    /// The lowest number that has not been read.
    pub uid_next: u32,
}

/// How much of a message was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Whole,
    /// It is larger than the limit, or only its headers can be had.
    HeadersOnly,
    /// The server says it exists and cannot give it; `bytes` is empty.
    Unreadable,
}

/// One message as the server has it.
#[derive(Clone, Debug)]
pub struct FetchedMessage {
    pub uid: u32,
    /// When the server received or stored it; when it was seen, if the server does not say.
    pub internal_date: Timestamp,
    /// Its size by the server's word.
    pub size_bytes: u32,
    pub content: Content,
    pub bytes: Vec<u8>,
}

/// How carefully the next message is approached, after earlier attempts failed at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// In batches.
    None,
    /// Alone, so that a failure is known to be its own.
    Alone,
    /// Its headers alone.
    Headers,
    /// Not at all: it is handed out as [`Content::Unreadable`].
    Skip,
}

/// What a listing says about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) uid: u32,
    pub(super) size_bytes: u32,
    pub(super) internal_date: Option<Timestamp>,
}

/// Messages of which a listing is kept at a time (24 bytes each).
pub(super) const LISTED_MAX: usize = 20_000;

/// How far a reading of one folder has come.
#[derive(Debug)]
pub struct FolderPass {
    pub(super) uid_validity: u32,
    /// When the server was asked.
    pub(super) asked_at: Timestamp,
    pub(super) source: Source,
    /// Listed, not yet handed out, ascending.
    pub(super) listed: VecDeque<Listed>,
    /// The highest number that was handed out or is gone.
    pub(super) passed: Option<u32>,
}

/// Where the numbers come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Everything from a number on; `exhausted` when the last listing was complete.
    From { uid: u32, exhausted: bool },
    /// The first reading: found by date, ascending. What is older than `since` to the second is left
    /// out, as a search knows days only.
    Found {
        uids: VecDeque<u32>,
        since: Timestamp,
        uid_next: u32,
    },
}

impl FolderPass {
    /// Where the next pass goes on, if this one were to end now. `None` before a first reading handed
    /// anything out: the next one is a first reading again.
    pub fn cursor(&self) -> Option<Cursor> {
        let after_passed = self.passed.map(|uid| uid.saturating_add(1));
        let uid_next = match &self.source {
            Source::From { uid, .. } => Some(after_passed.unwrap_or(0).max(*uid)),
            Source::Found { uids, uid_next, .. } if uids.is_empty() && self.listed.is_empty() => {
                Some(after_passed.unwrap_or(0).max(*uid_next))
            }
            Source::Found { .. } => after_passed,
        }?;
        Some(Cursor {
            uid_validity: self.uid_validity,
            uid_next,
        })
    }

    /// Messages that are still to be read, as far as is known.
    pub fn left(&self) -> u64 {
        let found = match &self.source {
            Source::Found { uids, .. } => uids.len(),
            Source::From { .. } => 0,
        };
        (self.listed.len() + found) as u64
    }

    /// Leaves out all but the last `most` messages of a first reading that nothing was handed out of yet. How many
    /// were left out.
    pub fn keep_last(&mut self, most: usize) -> u64 {
        match &mut self.source {
            Source::Found { uids, .. } if self.passed.is_none() && self.listed.is_empty() => {
                let over = uids.len().saturating_sub(most);
                uids.drain(..over);
                over as u64
            }
            Source::Found { .. } | Source::From { .. } => 0,
        }
    }

    /// The message that the next batch begins with, when that is known.
    pub fn next_uid(&self) -> Option<u32> {
        match (self.listed.front(), &self.source) {
            (Some(listed), _) => Some(listed.uid),
            (None, Source::Found { uids, .. }) => uids.front().copied(),
            (None, Source::From { .. }) => None,
        }
    }

    pub(super) fn pass(&mut self, uid: u32) {
        self.passed = Some(self.passed.map_or(uid, |passed| passed.max(uid)));
    }
}

/// Keeps the lowest [`LISTED_MAX`] numbers of a listing from `first` on.
#[derive(Debug, Default)]
pub(super) struct Listing {
    first: u32,
    by_uid: BTreeMap<u32, Listed>,
    cut: bool,
}

impl Listing {
    pub(super) fn from(first: u32) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    pub(super) fn see(&mut self, response: &Response<'_>) {
        // `n:*` gives the last message even when its number is lower than n.
        if let Some(listed) = listed_of(response)
            && listed.uid >= self.first
        {
            // A server may give the parts of an answer one by one.
            let kept = self.by_uid.entry(listed.uid).or_insert(listed);
            kept.size_bytes = kept.size_bytes.max(listed.size_bytes);
            kept.internal_date = listed.internal_date.or(kept.internal_date);
            if self.by_uid.len() > LISTED_MAX {
                self.by_uid.pop_last();
                self.cut = true;
            }
        }
    }

    /// The messages ascending, and whether there are more.
    pub(super) fn finish(self) -> (VecDeque<Listed>, bool) {
        (self.by_uid.into_values().collect(), self.cut)
    }
}

fn listed_of(response: &Response<'_>) -> Option<Listed> {
    let Response::Fetch(_, attributes) = response else {
        return None;
    };
    let mut listed = Listed {
        uid: 0,
        size_bytes: 0,
        internal_date: None,
    };
    let mut asked_for = false;
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => listed.uid = *uid,
            AttributeValue::Rfc822Size(size) => {
                listed.size_bytes = *size;
                asked_for = true;
            }
            AttributeValue::InternalDate(date) => {
                listed.internal_date = internal_date(date);
                asked_for = true;
            }
            _ => {}
        }
    }
    // With neither size nor date it is news about flags, not part of the listing.
    (listed.uid > 0 && asked_for).then_some(listed)
}

/// The number and text of a fetched message or of its headers.
pub(super) fn body_of(response: &Response<'_>) -> Option<(u32, Vec<u8>)> {
    let Response::Fetch(_, attributes) = response else {
        return None;
    };
    let uid = uid_of(response)?;
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::BodySection {
            section: None | Some(SectionPath::Full(MessageSection::Header)),
            data: Some(data),
            ..
        } => Some((uid, data.to_vec())),
        _ => None,
    })
}

pub(super) fn uid_of(response: &Response<'_>) -> Option<u32> {
    let Response::Fetch(_, attributes) = response else {
        return None;
    };
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

/// `17-Jul-1996 02:44:25 -0700`, the day also as ` 7`.
fn internal_date(text: &str) -> Option<Timestamp> {
    strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim())
        .ok()?
        .to_timestamp()
        .ok()
}

/// A date for `SINCE`. Servers compare days in their own zone, so it is a day earlier than asked.
pub(super) fn search_date(since: Timestamp) -> String {
    let day_before = since
        .checked_sub(jiff::SignedDuration::from_hours(24))
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .max(Timestamp::UNIX_EPOCH);
    day_before
        .to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%-d-%b-%Y")
        .to_string()
}

/// `1:3,7` for ascending numbers.
pub(super) fn uid_set(uids: impl IntoIterator<Item = u32>) -> String {
    let mut set = String::new();
    let mut run: Option<(u32, u32)> = None;
    let mut write = |run: Option<(u32, u32)>| {
        let Some((first, last)) = run else { return };
        if !set.is_empty() {
            set.push(',');
        }
        let _ = match first == last {
            true => write!(set, "{first}"),
            false => write!(set, "{first}:{last}"),
        };
    };
    for uid in uids {
        run = match run {
            Some((first, last)) if last.checked_add(1) == Some(uid) => Some((first, uid)),
            done => {
                write(done);
                Some((uid, uid))
            }
        };
    }
    write(run);
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_dates_are_read() {
        let at = |text: &str| internal_date(text).map(|at| at.to_string());
        assert_eq!(
            at("17-Jul-1996 02:44:25 -0700").as_deref(),
            Some("1996-07-17T09:44:25Z")
        );
        assert_eq!(
            at(" 7-Nov-2026 00:00:00 +0900").as_deref(),
            Some("2026-11-06T15:00:00Z")
        );
        assert_eq!(at("yesterday"), None);
    }

    #[test]
    fn search_dates_are_a_day_early_and_never_before_the_epoch() {
        let since = "2026-03-01T00:30:00Z".parse().expect("a timestamp");
        assert_eq!(search_date(since), "28-Feb-2026");
        assert_eq!(search_date(Timestamp::MIN), "1-Jan-1970");
    }

    #[test]
    fn sets_are_written_as_runs() {
        assert_eq!(uid_set([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set([u32::MAX]), "4294967295");
        assert_eq!(uid_set([]), "");
    }

    #[test]
    fn a_listing_keeps_the_lowest_and_says_when_there_are_more() {
        let mut listing = Listing::from(5);
        let fetch = |uid| {
            Response::Fetch(
                1,
                vec![AttributeValue::Uid(uid), AttributeValue::Rfc822Size(10)],
            )
        };
        for uid in (1..=u32::try_from(LISTED_MAX).expect("small") + 10).rev() {
            listing.see(&fetch(uid));
        }
        listing.see(&Response::Fetch(1, vec![AttributeValue::Uid(6)]));
        let (listed, more) = listing.finish();
        assert!(more);
        assert_eq!(listed.len(), LISTED_MAX);
        assert_eq!(listed.front().map(|listed| listed.uid), Some(5));
    }
}
