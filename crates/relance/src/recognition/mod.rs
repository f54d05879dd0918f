//! Recognition as people work with it: their own rules, what would have been found in a mailbox, and mails that are
//! registered by hand.
//!
//! Mailboxes are only read here. **Absent:** how a document is found (see `relance-message`), what becomes of one (see
//! core), the watch over mailboxes (see [`crate::mailbox`]).

pub mod judge;
pub mod office;
pub mod own;
mod places;

use jiff::{SignedDuration, Timestamp};
use relance_channels::imap::{
    Caution, Content, Cursor, FetchedMessage, FolderName, FolderPass, ImapAccount, ImapError,
    MailSession,
};
use relance_store::read::ReadError;
use relance_wire::api::recognition::{SeenMail, TriedMailbox};

use crate::examine::{Examined, Rules, examine, examine_closely};
use crate::mailbox::{header_of, unnamed};
use crate::work::WorkFailure;

pub use judge::{Judge, registered, shown};
pub use places::{Place, Places};

/// How far back a mailbox may be tried, in days.
pub const DAYS_MAX: u16 = 366;
/// Mails of one trial; of more the newest are read.
pub const MAILS_MAX: usize = 5_000;

/// Why a mailbox was not tried, or a mail not found.
#[derive(Debug, thiserror::Error)]
pub enum TryProblem {
    /// The mail server.
    #[error("the mailbox cannot be read: {0}")]
    Imap(#[from] ImapError),
    /// It has no folder of sent mail.
    #[error("no folder of sent mail was found; name it in the mailbox's settings")]
    NoSent,
    /// The database.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
    /// No such mail.
    #[error("no such mail in the folders of sent mail; it may have been moved or deleted")]
    NoMail,
    /// It cannot be read.
    #[error("the mail cannot be read: {0}")]
    Unreadable(&'static str),
}

impl TryProblem {
    /// Its code, which pages have words for; of a mail server what it refuses by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Imap(error) => error.code(),
            Self::NoSent => "no_sent_folder",
            Self::Read(_) => "store_failed",
            Self::Stopped => "stopped",
            Self::NoMail => "no_mail",
            Self::Unreadable(_) => "mail_unreadable",
        }
    }
}

impl From<TryProblem> for WorkFailure {
    fn from(problem: TryProblem) -> Self {
        Self {
            code: problem.code(),
            text: problem.to_string(),
        }
    }
}

/// What a trial needs.
pub struct Trial<'a> {
    /// Where it is read.
    pub account: ImapAccount,
    /// Its folder of sent mail, where that is said.
    pub folder: Option<FolderName>,
    /// How many days back.
    pub days: u16,
    /// The rules in force.
    pub rules: &'a Rules,
    /// By whose eyes.
    pub judge: Judge<'a>,
    /// Where mails are remembered.
    pub places: &'a Places,
    /// The moment.
    pub now: Timestamp,
}

impl Trial<'_> {
    /// The folders that the watch reads, too.
    async fn sent(&self, session: &mut MailSession) -> Result<Vec<FolderName>, TryProblem> {
        let folders = match &self.folder {
            Some(folder) => vec![folder.clone()],
            None => session.find_all_sent().await?,
        };
        if folders.is_empty() {
            return Err(TryProblem::NoSent);
        }
        Ok(folders)
    }

    fn since(&self) -> Timestamp {
        let back = SignedDuration::from_hours(24 * i64::from(self.days));
        self.now.checked_sub(back).unwrap_or(Timestamp::MIN)
    }

    /// Reads the sent mail and says what would have been found. `tell` hears how much is done and says whether to go
    /// on. Takes its time: not for network threads.
    pub async fn run(
        &self,
        mut tell: impl FnMut(u64, u64) -> bool,
    ) -> Result<TriedMailbox, TryProblem> {
        let mut session = MailSession::connect(&self.account).await?;
        let mut tried = TriedMailbox {
            mailbox: self.judge.mailbox.to_string(),
            days: self.days,
            read: 0,
            documents: 0,
            new: 0,
            cut: false,
            items: Vec::new(),
        };
        for folder in self.sent(&mut session).await? {
            let mut pass = session.begin(&folder, None, self.since(), self.now).await?;
            tried.cut |= pass.keep_last(MAILS_MAX.saturating_sub(tried.items.len())) > 0;
            let read = self.run_folder(&mut session, &folder, &mut pass, &mut tried, &mut tell);
            if let Err(problem) = read.await {
                session.logout().await;
                return Err(problem);
            }
        }
        session.logout().await;
        tried.items.sort_by(|a, b| b.at.cmp(&a.at));
        Ok(tried)
    }

    async fn run_folder(
        &self,
        session: &mut MailSession,
        folder: &FolderName,
        pass: &mut FolderPass,
        tried: &mut TriedMailbox,
        tell: &mut impl FnMut(u64, u64) -> bool,
    ) -> Result<(), TryProblem> {
        loop {
            // Told before the first mail too: reading that takes long shows how much there is.
            if !tell(tried.read, tried.read + pass.left()) {
                return Err(TryProblem::Stopped);
            }
            let Some(batch) = session.next_batch(pass, Caution::None).await? else {
                return Ok(());
            };
            let uid_validity = pass.cursor().map_or(0, |cursor| cursor.uid_validity);
            for message in batch {
                tried.read += 1;
                let at = Cursor {
                    uid_validity,
                    uid_next: message.uid,
                };
                let seen = self.look(&message, at)?;
                let folder = folder.clone();
                let place = Place { folder, at };
                self.places
                    .put(self.judge.mailbox.as_str(), &seen.message_id, place);
                tried.documents += u64::from(seen.found.is_some());
                tried.new += u64::from(seen.found.is_some() && !seen.known);
                tried.items.push(seen);
            }
        }
    }

    /// What is seen in one message.
    fn look(&self, message: &FetchedMessage, at: Cursor) -> Result<SeenMail, TryProblem> {
        let whole = match message.content {
            Content::Whole => examine_closely(&message.bytes, self.rules).ok(),
            Content::HeadersOnly | Content::Unreadable => None,
        };
        let name = unnamed(self.judge.mailbox, at.uid_validity, message.uid);
        if let Some((examined, near)) = whole {
            return Ok(self
                .judge
                .judge(examined, near, message.internal_date, name)?);
        }
        // Its header says at least which it is.
        let head = examine(header_of(&message.bytes), self.rules).ok();
        let mut seen = match head {
            Some(head) => self.judge.judge(head, None, message.internal_date, name)?,
            None => SeenMail {
                message_id: String::new(),
                at: message.internal_date.to_string(),
                to: Vec::new(),
                subject: String::new(),
                attachments: Vec::new(),
                found: None,
                left_out: None,
                why: Vec::new(),
                lacks: Vec::new(),
                near: None,
                points: None,
                rule: None,
                known: false,
                registered: None,
            },
        };
        if seen.found.is_none() && seen.left_out.is_none() {
            seen.left_out = Some("no_reader".to_owned());
            seen.lacks.clear();
        }
        Ok(seen)
    }

    /// One sent mail by its Message-ID, as it was fetched and examined. The server is asked for it alone.
    pub async fn find(&self, message_id: &str) -> Result<(Examined, Timestamp), TryProblem> {
        let mut session = MailSession::connect(&self.account).await?;
        let found = self.fetch(&mut session, message_id).await;
        session.logout().await;
        let message = found?.ok_or(TryProblem::NoMail)?;
        let bytes = match message.content {
            Content::Whole => message.bytes.as_slice(),
            // Too large: its header is judged, as the watch does.
            Content::HeadersOnly => header_of(&message.bytes),
            Content::Unreadable => return Err(TryProblem::Unreadable("the server keeps it back")),
        };
        let examined = examine(bytes, self.rules);
        examined
            .map(|examined| (examined, message.internal_date))
            .map_err(|problem| TryProblem::Unreadable(problem.code()))
    }

    async fn fetch(
        &self,
        session: &mut MailSession,
        message_id: &str,
    ) -> Result<Option<FetchedMessage>, TryProblem> {
        let mailbox = self.judge.mailbox;
        let folders = self.sent(session).await?;
        let known = self.places.find(mailbox.as_str(), message_id);
        let numbered = numbered(message_id, mailbox.as_str());
        let by_name = folders.iter().filter_map(|folder| {
            let folder = folder.clone();
            numbered.map(|at| Place { folder, at })
        });
        for place in known.into_iter().chain(by_name) {
            let Place { folder, at } = place;
            let mut pass = session
                .begin(&folder, Some(at), self.since(), self.now)
                .await?;
            // Another numbering: the number means nothing any more.
            if pass.cursor().map(|cursor| cursor.uid_validity) != Some(at.uid_validity) {
                continue;
            }
            let batch = session.next_batch(&mut pass, Caution::Alone).await?;
            let mut batch = batch.into_iter().flatten();
            if let Some(message) = batch.find(|message| message.uid == at.uid_next)
                && (numbered.is_some() || is_named(&message, message_id))
            {
                return Ok(Some(message));
            }
        }
        if numbered.is_some() {
            return Ok(None);
        }
        for folder in &folders {
            let found = session.fetch_by_message_id(folder, message_id, self.now);
            match found.await {
                Ok(Some(message)) => return Ok(Some(message)),
                // A folder that was removed meanwhile, or a name that cannot be asked for.
                Ok(None) | Err(ImapError::Refused { .. } | ImapError::Input { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

fn is_named(message: &FetchedMessage, message_id: &str) -> bool {
    let head = relance_message::mail::Mail::parse(header_of(&message.bytes)).ok();
    head.and_then(|mail| mail.message_id).as_deref() == Some(message_id)
}

/// The number in the name of a mail that has no Message-ID.
fn numbered(name: &str, mailbox: &str) -> Option<Cursor> {
    let place = name.strip_suffix(mailbox)?.strip_suffix('@')?;
    let (uid_validity, uid) = place.strip_prefix("no-id.")?.split_once('.')?;
    Some(Cursor {
        uid_validity: uid_validity.parse().ok()?,
        uid_next: uid.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_without_a_name_is_found_by_its_number() {
        let name = unnamed(&"anna@shop.test".into(), 7, 42);
        let place = Cursor {
            uid_validity: 7,
            uid_next: 42,
        };
        assert_eq!(numbered(&name, "anna@shop.test"), Some(place));
        assert_eq!(numbered(&name, "boris@shop.test"), None);
        assert_eq!(numbered("15@shop.test", "shop.test"), None);
    }
}
