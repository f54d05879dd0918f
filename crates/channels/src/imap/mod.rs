//! IMAP mailboxes: what a salesperson sent, and what came back.
//!
//! [`MailboxWatcher`] keeps one account watched and says, after everything it found,
//! [`MailboxEvent::Synced`]: the base of the rule that no reminder leaves after a reply.
//! [`MailSession`] is one connection for one purpose; [`append_sent`] and [`find_by_message_id`] file
//! what was sent over SMTP and find out, after a crash, whether it had been filed.
//!
//! Nothing here marks a message read: folders are opened with `EXAMINE`, bodies taken with
//! `BODY.PEEK`. A command counts as done only when the server's tagged `OK` was read; an answer that
//! breaks off, or ends in `NO`, is never taken for an empty one.
//!
//! **Absent:** what a message means, whether it was seen before (the caller knows Message-IDs), where
//! cursors are kept, and how OAuth tokens are obtained.

mod account;
mod diagnose;
mod error;
mod guard;
mod name;
mod session;
mod sync;
mod watch;
mod wire;

#[cfg(test)]
mod tests;

pub use crate::secret::Secret;
pub use account::{
    ImapAccount, ImapLimits, Login, MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX_DEFAULT, Tls, Trust,
};
pub use diagnose::of_text;
pub use error::{FailureKind, ImapError};
pub use name::FolderName;
pub use session::{
    Filed, FolderInfo, MailSession, append_sent, ensure_in_sent, find_by_message_id,
};
pub use sync::{Caution, Content, Cursor, FetchedMessage, FolderPass};
pub use watch::{
    Clock, EVENTS_MAX, Folder, FolderCursor, MailboxEvent, MailboxWatcher, Progress,
    VISIBILITY_LAG, WatchConfig, WatchTimings,
};
