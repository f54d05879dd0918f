//! Recognition as people work with it: their own rules, what would have been found in a mailbox, and mails that are
//! registered by hand.
//!
//! Mailboxes are only read here. **Absent:** how a document is found (see `relance-message`), what becomes of one (see
//! core), the watch over mailboxes (see [`crate::mailbox`]).

pub mod office;
pub mod own;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use relance_channels::imap::{
    Caution, Content, Cursor, FetchedMessage, FolderName, ImapAccount, ImapError, MailSession,
};
use relance_core::ids::{MailboxId, ObjectKind, SubjectRef};
use relance_core::mail::{self, Acquaintance, Folder, MailSeen};
use relance_core::policy::Policy;
use relance_message::document::{DocumentKind, FoundDocument};
use relance_store::read::{ReadError, Reader};
use relance_wire::api::recognition::{FiredRule, ReadDocument, SeenMail, TriedMailbox};

use crate::examine::{Examined, Rules, examine};
use crate::segments::Called;

/// How far back a mailbox may be tried, in days.
pub const DAYS_MAX: u16 = 366;
/// Mails of one trial; further ones are not read.
pub const MAILS_MAX: usize = 5_000;
/// Mails whose place in their folder is remembered, so that one can be registered at once.
const PLACES_MAX: usize = 20_000;
/// Recipients and attachments of a mail that are told.
const TOLD_MAX: usize = 20;

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
    #[error(
        "no such mail among those sent in the last {DAYS_MAX} days; it may have been moved or deleted"
    )]
    NoMail,
    /// It cannot be read.
    #[error("the mail cannot be read: {0}")]
    Unreadable(&'static str),
}

/// Where mails were seen in their folders.
#[derive(Debug, Default)]
pub struct Places {
    known: Mutex<Known>,
}

/// A mailbox's address and a Message-ID.
type Key = (String, String);

#[derive(Debug, Default)]
struct Known {
    places: BTreeMap<Key, Cursor>,
    order: VecDeque<Key>,
}

impl Places {
    fn put(&self, mailbox: &str, message_id: &str, at: Cursor) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (mailbox.to_owned(), message_id.to_owned());
        if known.places.insert(key.clone(), at).is_none() {
            known.order.push_back(key);
        }
        if known.order.len() > PLACES_MAX
            && let Some(oldest) = known.order.pop_front()
        {
            known.places.remove(&oldest);
        }
    }

    fn find(&self, mailbox: &str, message_id: &str) -> Option<Cursor> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (mailbox.to_owned(), message_id.to_owned());
        known.places.get(&key).copied()
    }
}

/// What a trial needs.
pub struct Trial<'a> {
    /// The mailbox's address.
    pub mailbox: MailboxId,
    /// Where it is read.
    pub account: ImapAccount,
    /// Its folder of sent mail, where that is said.
    pub folder: Option<FolderName>,
    /// How many days back.
    pub days: u16,
    /// The rules in force.
    pub rules: &'a Rules,
    /// Who is one of us.
    pub policy: &'a Policy,
    /// What is known.
    pub reader: &'a Reader,
    /// Where mails are remembered.
    pub places: &'a Places,
    /// The moment.
    pub now: Timestamp,
}

impl Trial<'_> {
    async fn sent(&self, session: &mut MailSession) -> Result<FolderName, TryProblem> {
        match &self.folder {
            Some(folder) => Ok(folder.clone()),
            None => session.find_sent().await?.ok_or(TryProblem::NoSent),
        }
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
        let folder = self.sent(&mut session).await?;
        let mut pass = session.begin(&folder, None, self.since(), self.now).await?;
        let mut tried = TriedMailbox {
            mailbox: self.mailbox.to_string(),
            days: self.days,
            read: 0,
            documents: 0,
            new: 0,
            cut: false,
            items: Vec::new(),
        };
        while let Some(batch) = session.next_batch(&mut pass, Caution::None).await? {
            let validity = pass.cursor().map(|cursor| cursor.uid_validity);
            for message in batch {
                tried.read += 1;
                let (seen, id) = self.look(&message)?;
                if let (Some(uid_validity), Some(id)) = (validity, id) {
                    let uid_next = message.uid;
                    let at = Cursor {
                        uid_validity,
                        uid_next,
                    };
                    self.places.put(self.mailbox.as_str(), &id, at);
                }
                tried.documents += u64::from(seen.found.is_some());
                tried.new += u64::from(seen.found.is_some() && !seen.known);
                tried.items.push(seen);
            }
            if !tell(tried.read, tried.read + pass.left()) {
                session.logout().await;
                return Err(TryProblem::Stopped);
            }
            if tried.items.len() >= MAILS_MAX {
                tried.cut = pass.left() > 0;
                break;
            }
        }
        session.logout().await;
        tried.items.sort_by(|a, b| b.at.cmp(&a.at));
        Ok(tried)
    }

    /// What is seen in one message, and its Message-ID where it has one.
    fn look(&self, message: &FetchedMessage) -> Result<(SeenMail, Option<String>), TryProblem> {
        let examined = match message.content {
            Content::Whole => examine(&message.bytes, self.rules).ok(),
            Content::HeadersOnly | Content::Unreadable => None,
        };
        let Some(examined) = examined else {
            return Ok((unread(message), None));
        };
        let id = examined.mail.message_id.clone();
        let seen = judge(
            examined,
            &self.mailbox,
            message.internal_date,
            self.policy,
            self.reader,
        )?;
        Ok((seen, id))
    }

    /// One sent mail by its Message-ID, as it was fetched and examined.
    pub async fn find(&self, message_id: &str) -> Result<(Examined, Timestamp), TryProblem> {
        let mut session = MailSession::connect(&self.account).await?;
        let folder = self.sent(&mut session).await?;
        let place = self.places.find(self.mailbox.as_str(), message_id);
        if let Some(cursor) = place {
            let mut pass = session
                .begin(&folder, Some(cursor), self.since(), self.now)
                .await?;
            if let Some(batch) = session.next_batch(&mut pass, Caution::Alone).await?
                && let Some(found) = self.of_batch(&batch, message_id)
            {
                session.logout().await;
                return found;
            }
        }
        let mut pass = session.begin(&folder, None, self.since(), self.now).await?;
        while let Some(batch) = session.next_batch(&mut pass, Caution::None).await? {
            if let Some(found) = self.of_batch(&batch, message_id) {
                session.logout().await;
                return found;
            }
        }
        session.logout().await;
        Err(TryProblem::NoMail)
    }

    fn of_batch(
        &self,
        batch: &[FetchedMessage],
        message_id: &str,
    ) -> Option<Result<(Examined, Timestamp), TryProblem>> {
        for message in batch {
            // Parsing the headers is cheap; attachments are read only of the mail that is meant.
            let head = relance_message::mail::Mail::parse(&message.bytes).ok();
            if head.and_then(|mail| mail.message_id).as_deref() == Some(message_id) {
                let examined = examine(&message.bytes, self.rules);
                return Some(
                    examined
                        .map(|examined| (examined, message.internal_date))
                        .map_err(|problem| TryProblem::Unreadable(problem.code())),
                );
            }
        }
        None
    }
}

/// A mail that could not be read.
fn unread(message: &FetchedMessage) -> SeenMail {
    SeenMail {
        message_id: String::new(),
        at: message.internal_date.to_string(),
        to: Vec::new(),
        subject: String::new(),
        attachments: Vec::new(),
        found: None,
        left_out: Some("no_reader".to_owned()),
        why: Vec::new(),
        rule: None,
        known: false,
    }
}

/// What a sent mail is, and why.
pub fn judge(
    examined: Examined,
    mailbox: &MailboxId,
    at: Timestamp,
    policy: &Policy,
    reader: &Reader,
) -> Result<SeenMail, ReadError> {
    let document = examined.document.clone();
    let rule = examined.rule.clone();
    let is_never = rule
        .as_ref()
        .is_some_and(|rule| rule.then.document().is_none());
    let is_list = examined.is_bulk && !examined.is_said();
    let is_forward = examined.forwarded.is_some() && !examined.is_said();
    let mut to: Vec<String> = examined
        .mail
        .to
        .iter()
        .chain(&examined.mail.cc)
        .map(|to| to.email.to_lowercase())
        .collect();
    to.truncate(TOLD_MAX);
    let attachments = examined.mail.attachments.iter().take(TOLD_MAX);
    let attachments = attachments.filter_map(|one| one.name.clone()).collect();
    let subject = examined.mail.subject.clone();
    let message_id = examined.mail.message_id.clone().unwrap_or_default();
    let seen = examined.see(mailbox, Folder::Sent, at, String::new());
    let counts = !mail::interpret(&seen, &Acquaintance::default(), policy)
        .events
        .is_empty();
    let left_out = match (&document, counts) {
        (_, _) if is_never => Some("never"),
        (None, _) | (Some(_), true) => None,
        (Some(_), false) if seen.touchpoint.is_some() => Some("own_message"),
        (Some(_), false) if is_list => Some("list"),
        (Some(_), false) if is_forward && seen.document_client(policy).is_some() => {
            Some("forwarded")
        }
        (Some(_), false) => Some("internal"),
    };
    let why = document.iter().flat_map(|document| &document.evidence);
    let why = why
        .map(|fired| FiredRule {
            rule: fired.rule.clone(),
            place: serde_json::to_value(fired.place)
                .ok()
                .and_then(|place| place.as_str().map(str::to_owned))
                .unwrap_or_default(),
            weight: fired.weight,
        })
        .collect();
    let known = is_known(&seen, policy, reader)?;
    Ok(SeenMail {
        message_id,
        at: at.to_string(),
        to,
        subject,
        attachments,
        found: document.as_ref().filter(|_| left_out.is_none()).map(shown),
        left_out: left_out.map(str::to_owned),
        why,
        rule: rule.map(|rule| rule.id.clone()),
        known,
    })
}

/// Whether the registry has the document of a mail.
fn is_known(seen: &MailSeen, policy: &Policy, reader: &Reader) -> Result<bool, ReadError> {
    let Some(client) = seen.document_client(policy) else {
        return Ok(false);
    };
    let Some(contact) = Called::read(&client.email).find(reader)? else {
        return Ok(false);
    };
    let subject = SubjectRef {
        kind: ObjectKind::from("document"),
        id: seen.message_id.as_str().into(),
    };
    Ok(reader.object(contact, &subject)?.is_some())
}

/// A document as it is told.
pub fn shown(found: &FoundDocument) -> ReadDocument {
    ReadDocument {
        kind: match found.kind {
            DocumentKind::Invoice => "invoice".to_owned(),
            DocumentKind::Offer => "offer".to_owned(),
        },
        number: found.number.clone(),
        amount: found.amount.map(|amount| amount.to_string()),
        currency: found.currency.clone(),
        vat: found.vat.map(|vat| vat.to_string()),
        vat_rates: found.vat_rates.iter().map(ToString::to_string).collect(),
        net: found.net.map(|net| net.to_string()),
        issued: found.issued.map(|date| date.to_string()),
        due: found.due.or(found.valid_until).map(|date| date.to_string()),
        payer: found.payer.clone(),
        payer_tax_id: found.payer_tax_id.clone(),
        seller_tax_id: found.seller_tax_id.clone(),
        bank_reference: found.bank_reference.clone(),
        confidence: found.confidence,
    }
}
