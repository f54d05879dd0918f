//! A watched mailbox and its reader, as the real one reads: passes over Sent, then Inbox, and a `Synced`
//! only after everything that a pass found.

use jiff::Timestamp;
use relance_core::ids::MailboxId;
use relance_core::mail::{Folder, MailSeen};

/// A mailbox on its server, and how its reader stands.
#[derive(Debug)]
pub struct Mailbox {
    /// Its address.
    pub id: MailboxId,
    /// What lies in it, in order of arrival. The server's: survives crashes of the program.
    pub mails: Vec<MailSeen>,
    /// Nobody can read it before this.
    pub down_until: Timestamp,
    /// Whether the server tells of news.
    pub idle_alive: bool,
    /// How many mails were read whole; the program's, written with each `Synced`.
    pub cursor: usize,
    /// A pass is under way.
    pub reading: bool,
    /// Somebody asked for another pass meanwhile.
    pub again: bool,
}

impl Mailbox {
    /// An empty mailbox in good order.
    pub fn new(id: &str) -> Self {
        Self {
            id: MailboxId::from(id),
            mails: Vec::new(),
            down_until: Timestamp::MIN,
            idle_alive: true,
            cursor: 0,
            reading: false,
            again: false,
        }
    }

    /// What a pass that begins now finds: Sent before Inbox, so that what is answered is known before
    /// its answer; and where the next pass goes on.
    pub fn unread(&self) -> (Vec<MailSeen>, usize) {
        let fresh = self.mails.get(self.cursor..).unwrap_or_default();
        let of = |folder| {
            fresh
                .iter()
                .filter(move |mail| mail.folder == folder)
                .cloned()
        };
        let found = of(Folder::Sent).chain(of(Folder::Inbox)).collect();
        (found, self.mails.len())
    }
}
