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

use super::{Page, ReadError, Reader, TouchpointList};

/// The newest lines of a run among which the one that put the question is looked for.
const LINES_LOOKED_AT_MAX: usize = 64;

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
