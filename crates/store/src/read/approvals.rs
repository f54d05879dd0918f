//! Questions that wait for a person, with what is needed to show and answer them.
//!
//! **Absent:** who may answer: that is decided by whoever knows the users.

use jiff::Timestamp;
use relance_core::contact::Contact;
use relance_core::ids::TouchpointId;
use relance_core::ledger::{Reason, What};
use relance_core::subject::Object;
use relance_core::touchpoint::{Touchpoint, TouchpointState};
use relance_engine::ports::StoreError;

use super::{Page, Place, ReadError, Reader, TouchpointList, limits};
use crate::sqlite::column::{contact_key, nanos};

/// The newest lines of a run among which the one that put the question is looked for.
const LINES_LOOKED_AT_MAX: usize = 64;

/// Questions that one page looks at.
pub const QUESTIONS_WALKED_MAX: usize = 2_000;
/// Questions that are read at once.
const CHUNK: usize = 100;

/// Where a question stands in the list.
fn place(touchpoint: &Touchpoint) -> Option<Place> {
    let TouchpointState::AwaitingApproval { expires_at, .. } = touchpoint.state else {
        return None;
    };
    Some(Place {
        at: nanos(expires_at),
        contact: contact_key(touchpoint.id.contact),
        hash: touchpoint.id.hash.cast_signed(),
    })
}

/// A message that waits for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The message: its journey, channel, template or text, and who is asked.
    pub touchpoint: Touchpoint,
    /// To whom it would go, or whom it is about.
    pub contact: Contact,
    /// What it is about, where that is known.
    pub subject: Option<Object>,
    /// Since when the question stands.
    pub asked_at: Timestamp,
    /// From when the deputy may answer too.
    pub deputy_at: Option<Timestamp>,
    /// When it lapses.
    pub expires_at: Timestamp,
}

impl Reader {
    /// Questions, those that lapse soonest first.
    pub fn approvals(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Question>, ReadError> {
        let page = self.touchpoints(TouchpointList::AwaitingApproval, after, limit)?;
        let mut items = Vec::with_capacity(page.items.len());
        for touchpoint in page.items {
            items.extend(self.question(touchpoint)?);
        }
        let next = page.next;
        Ok(Page { items, next })
    }

    /// Questions that `fits` lets through, those that lapse soonest first. A page looks at [`QUESTIONS_WALKED_MAX`], so it
    /// may hold fewer than asked and yet have a next one.
    pub fn approvals_where(
        &self,
        after: Option<&str>,
        limit: usize,
        mut fits: impl FnMut(&Question) -> bool,
    ) -> Result<Page<Question>, ReadError> {
        let (shown, _) = limits(limit);
        let mut items = Vec::new();
        let mut next = after.map(str::to_owned);
        let mut looked_at = 0;
        loop {
            let list = TouchpointList::AwaitingApproval;
            let page = self.touchpoints(list, next.as_deref(), CHUNK)?;
            let rows = page.items.len();
            for (at, touchpoint) in page.items.into_iter().enumerate() {
                let place = place(&touchpoint);
                let question = self.question(touchpoint)?;
                items.extend(question.filter(|question| fits(question)));
                looked_at += 1;
                if items.len() == shown || looked_at == QUESTIONS_WALKED_MAX {
                    let more = at + 1 < rows || page.next.is_some();
                    let next = place.filter(|_| more).map(Place::text);
                    return Ok(Page { items, next });
                }
            }
            next = page.next;
            if next.is_none() {
                return Ok(Page { items, next });
            }
        }
    }

    /// The question about one message; `None` when it is answered, or there is no such message.
    pub fn approval(&self, id: TouchpointId) -> Result<Option<Question>, ReadError> {
        match self.touchpoint(id)? {
            Some(touchpoint) => self.question(touchpoint),
            None => Ok(None),
        }
    }

    fn question(&self, touchpoint: Touchpoint) -> Result<Option<Question>, ReadError> {
        let TouchpointState::AwaitingApproval {
            deputy_at,
            expires_at,
        } = touchpoint.state
        else {
            return Ok(None);
        };
        let id = touchpoint.id.contact;
        let contact = self.contact(id)?.ok_or_else(|| StoreError::Unreadable {
            place: format!("contact {id}"),
            what: "a message is meant for it but it is gone".to_owned(),
        })?;
        let subject = match &touchpoint.subject {
            Some(subject) => self.object(id, subject)?,
            None => None,
        };
        let asked_at = self.asked_at(&touchpoint)?;
        Ok(Some(Question {
            touchpoint,
            contact,
            subject,
            asked_at,
            deputy_at,
            expires_at,
        }))
    }

    /// When the question was put: a message may be held for other reasons before it.
    fn asked_at(&self, touchpoint: &Touchpoint) -> Result<Timestamp, ReadError> {
        let lines = self.ledger_of_enrollment(touchpoint.enrollment, None, LINES_LOOKED_AT_MAX)?;
        let asked = lines.items.iter().map(|line| &line.entry).find(|entry| {
            entry.touchpoint == Some(touchpoint.id)
                && entry.what == What::Held
                && entry.reason == Some(Reason::Approval)
        });
        Ok(asked.map_or(touchpoint.created_at, |entry| entry.at))
    }
}
