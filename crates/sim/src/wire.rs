//! The dispatcher of the virtual world: takes messages over, and leaves the rest to the world.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use relance_core::ids::{MailboxId, TouchpointId};
use relance_engine::ports::{Dispatch, Dispatcher};

/// What the dispatcher and the world share. Of the program, so a crash takes it away.
#[derive(Debug, Default)]
pub struct Desk {
    /// Messages under way at once.
    pub room: usize,
    /// Taken over and not yet looked at by the world.
    pub taken: Vec<Dispatch>,
    /// Under way, and whether they were called back.
    pub under_way: BTreeMap<TouchpointId, bool>,
    /// Mailboxes that should be read now.
    pub syncs: BTreeSet<MailboxId>,
}

/// The engine's side of the desk.
pub struct Clerk(pub Rc<RefCell<Desk>>);

impl Dispatcher for Clerk {
    fn capacity(&self) -> usize {
        let desk = self.0.borrow();
        desk.room.saturating_sub(desk.under_way.len())
    }

    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        let mut desk = self.0.borrow_mut();
        for message in messages {
            desk.under_way.insert(message.touchpoint.id, false);
            desk.taken.push(message);
        }
    }

    fn revoke(&mut self, id: TouchpointId) {
        if let Some(revoked) = self.0.borrow_mut().under_way.get_mut(&id) {
            *revoked = true;
        }
    }

    fn request_sync(&mut self, mailbox: &MailboxId) {
        self.0.borrow_mut().syncs.insert(mailbox.clone());
    }
}

/// What the provider makes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Takes it and says so.
    Accepts,
    /// Takes it; the answer is lost on the way.
    AcceptsUnheard,
    /// The connection is lost before it took it.
    LostBefore,
    /// Says that it took it, and never delivers.
    Lies,
    /// Refuses for now.
    RefusesSoft,
    /// Refuses for good, because of the message.
    RefusesHard,
    /// Rests.
    Busy,
    /// Calls; nobody answers.
    Missed,
    /// Nobody set the channel up.
    NotConfigured,
}
