//! One logged-in connection: find folders, read what is new, file what was sent.
//!
//! **Invariant:** folders are opened read-only and bodies are peeked at; no flag of a message that is
//! already there ever changes.

mod find;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response, ResponseCode, Status};
use jiff::Timestamp;

use super::account::ImapAccount;
use super::error::ImapError;
use super::name::{FolderName, ListedFolder, pick_all_sent, pick_sent};
use super::sync::{
    Caution, Content, Cursor, FetchedMessage, FolderPass, Listed, Listing, Source, body_of,
    search_date, uid_of, uid_set,
};
use super::wire::{Wire, quote};

/// Folders of a listing that are looked at.
const FOLDERS_MAX: usize = 10_000;
/// Messages of one folder that this can deal with.
const FOLDER_MESSAGES_MAX: u32 = 10_000_000;
/// Messages searched by one command, so that its answer stays a bounded line.
const SEARCH_WINDOW: u32 = 10_000;
/// Messages whose size and date are asked for by one command in a first reading.
const DETAILS_MAX: usize = 80;
/// Bytes of headers fetched of a message that is too large.
const HEADER_BYTES_MAX: usize = 256 * 1024;
/// Candidates of a search that are compared with the Message-ID looked for.
const CANDIDATES_MAX: usize = 50;
/// Bytes of one `Message-ID` header that are compared.
const MESSAGE_ID_BYTES_MAX: usize = 4096;
/// The folder made when there is none for sent mail.
const SENT_CREATED: &str = "Sent";

/// A connection to one mailbox.
pub struct MailSession {
    wire: Wire,
}

/// What [`ensure_in_sent`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    Appended,
    /// A message with this Message-ID was there; nothing was changed.
    AlreadyThere,
}

/// A folder, as somebody chooses among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderInfo {
    pub name: FolderName,
    /// What comes in lies there.
    pub inbox: bool,
    /// What was sent lies there, by its mark or name.
    pub sent: bool,
    /// The server itself says what it is for.
    pub marked: bool,
}

struct Opened {
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    exists: u32,
}

impl MailSession {
    /// Connects and logs in.
    pub async fn connect(account: &ImapAccount) -> Result<Self, ImapError> {
        Ok(Self {
            wire: Wire::open(account).await?,
        })
    }

    /// Says goodbye; an answer is waited for briefly.
    pub async fn logout(self) {
        self.wire.logout().await;
    }

    /// The folder of sent mail, if there is one.
    pub async fn find_sent(&mut self) -> Result<Option<FolderName>, ImapError> {
        Ok(pick_sent(&self.list().await?))
    }

    /// All folders of sent mail, the one to file in first: programs of several languages make several.
    pub async fn find_all_sent(&mut self) -> Result<Vec<FolderName>, ImapError> {
        Ok(pick_all_sent(&self.list().await?))
    }

    /// All folders that hold mail.
    pub async fn folders(&mut self) -> Result<Vec<FolderInfo>, ImapError> {
        let listed = self.list().await?;
        let sent = pick_all_sent(&listed);
        let held = listed.into_iter().filter(|folder| folder.selectable);
        Ok(held
            .map(|folder| FolderInfo {
                inbox: folder.name.raw().eq_ignore_ascii_case("INBOX"),
                sent: sent.contains(&folder.name),
                marked: folder.sent || folder.other,
                name: folder.name,
            })
            .collect())
    }

    async fn list(&mut self) -> Result<Vec<ListedFolder>, ImapError> {
        // A server that knows the extended form marks folders for certain only when asked.
        let marks = self.wire.has("SPECIAL-USE") && self.wire.has("LIST-EXTENDED");
        let command = match marks {
            true => "LIST \"\" \"*\" RETURN (SPECIAL-USE)",
            false => "LIST \"\" \"*\"",
        };
        let mut folders: Vec<ListedFolder> = Vec::new();
        self.wire
            .run("LIST", command, 0, |response| {
                if let Response::MailboxData(MailboxDatum::List(listed)) = response
                    && folders.len() < FOLDERS_MAX
                {
                    // The parser leaves the escapes of quoted names in.
                    let raw = listed.name.replace("\\\"", "\"").replace("\\\\", "\\");
                    folders.push(ListedFolder {
                        name: FolderName::from_raw(raw),
                        delimiter: listed.delimiter.as_deref().map(str::to_owned),
                        sent: listed.name_attributes.contains(&NameAttribute::Sent),
                        other: listed.name_attributes.iter().any(|attribute| {
                            matches!(
                                attribute,
                                NameAttribute::Drafts | NameAttribute::Junk | NameAttribute::Trash
                            )
                        }),
                        selectable: !listed.name_attributes.iter().any(|attribute| {
                            matches!(attribute, NameAttribute::NoSelect)
                                || matches!(attribute, NameAttribute::Extension(name)
                                    if name.eq_ignore_ascii_case("\\NonExistent"))
                        }),
                    });
                }
            })
            .await?;
        Ok(folders)
    }

    /// Starts to read what is new in `folder` since `cursor`.
    ///
    /// Without a cursor, or when the server's numbering changed, everything received since `since` is
    /// new; the caller knows what it has by Message-ID. `now` is the time before this call.
    ///
    /// Everything the server had accepted before this call is handed out by
    /// [`next_batch`](Self::next_batch) until it returns `None`.
    pub async fn begin(
        &mut self,
        folder: &FolderName,
        cursor: Option<Cursor>,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<FolderPass, ImapError> {
        let opened = self.examine(folder).await?;
        let uid_validity = opened.uid_validity.ok_or(ImapError::Unreadable {
            during: "EXAMINE",
            text: "no UIDVALIDITY; the server has no lasting message numbers".into(),
        })?;
        // Numbers that went backwards are another numbering, whatever the server calls it.
        let known = cursor.filter(|cursor| {
            cursor.uid_validity == uid_validity
                && opened.uid_next.is_none_or(|next| cursor.uid_next <= next)
        });
        let mut listed = VecDeque::new();
        let source = match known {
            Some(cursor) if opened.exists == 0 => Source::From {
                uid: cursor.uid_next,
                exhausted: true,
            },
            Some(cursor) => {
                let (first, more) = self.list_from(cursor.uid_next).await?;
                listed = first;
                Source::From {
                    uid: cursor.uid_next,
                    exhausted: !more,
                }
            }
            None => {
                let uids = self.search_since(opened.exists, since).await?;
                let uid_next = match opened.uid_next {
                    Some(uid_next) => uid_next,
                    None => self.last_uid(opened.exists).await?.saturating_add(1),
                };
                Source::Found {
                    uids,
                    since,
                    uid_next,
                }
            }
        };
        Ok(FolderPass {
            uid_validity,
            asked_at: now,
            source,
            listed,
            passed: None,
        })
    }

    /// The next messages, ascending; `None` when the pass is complete. A batch may be empty: its
    /// messages were gone.
    ///
    /// After an error the connection is to be given up; `pass.cursor()` says where to go on.
    pub async fn next_batch(
        &mut self,
        pass: &mut FolderPass,
        caution: Caution,
    ) -> Result<Option<Vec<FetchedMessage>>, ImapError> {
        if caution == Caution::Skip
            && let Some(uid) = pass.next_uid()
        {
            return Ok(Some(vec![skip(pass, uid)]));
        }
        if pass.listed.is_empty() && !self.list_more(pass).await? {
            return Ok(None);
        }
        let batch = self.take_batch(pass, caution);
        let whole_max = match caution {
            Caution::Headers => 0,
            Caution::None | Caution::Alone | Caution::Skip => self.wire.limits().message_bytes(),
        };
        let mut bodies = self.fetch_whole(&batch, whole_max).await?;
        let mut messages = Vec::with_capacity(batch.len());
        for listed in batch {
            let size = listed.size_bytes as usize;
            let got = match bodies.remove(&listed.uid) {
                Some(bytes) if bytes.len() <= whole_max => Some((Content::Whole, bytes)),
                // Larger than the server said.
                Some(_) => self.fetch_headers(listed.uid).await?,
                None if size <= whole_max => self.fetch_again(listed, whole_max).await?,
                None => self.fetch_headers(listed.uid).await?,
            };
            pass.pass(listed.uid);
            if let Some((content, bytes)) = got {
                messages.push(FetchedMessage {
                    uid: listed.uid,
                    internal_date: listed.internal_date.unwrap_or(pass.asked_at),
                    size_bytes: listed.size_bytes,
                    content,
                    bytes,
                });
            }
        }
        Ok(Some(messages))
    }

    /// Files a message, marked as read. A folder that is missing is made.
    ///
    /// A broken connection leaves it open whether the message was filed; see [`ensure_in_sent`].
    pub async fn append(&mut self, folder: &FolderName, bytes: &[u8]) -> Result<(), ImapError> {
        match self.append_once(folder, bytes).await {
            Err(ImapError::Refused { text, .. }) if text.to_lowercase().contains("trycreate") => {
                let create = format!("CREATE {}", quote(folder.raw())?);
                self.wire.run("CREATE", &create, 0, |_| {}).await?;
                self.append_once(folder, bytes).await
            }
            result => result,
        }
    }

    pub(super) fn can_idle(&self) -> bool {
        self.wire.has("IDLE")
    }

    /// Whether the server spoke of messages since the folder was opened.
    pub(super) fn news(&self) -> bool {
        self.wire.news()
    }

    /// Starts IDLE in the folder that was opened last. Returns the tag for
    /// [`idle_done`](Self::idle_done).
    pub(super) async fn idle_start(&mut self) -> Result<String, ImapError> {
        let tag = self.wire.send("IDLE", "IDLE").await?;
        self.wire.continuation("IDLE", &tag).await?;
        Ok(tag)
    }

    pub(super) async fn idle_news(&mut self) -> Result<(), ImapError> {
        self.wire.wait_news("IDLE").await
    }

    /// Ends IDLE; fails when the server does not confirm it within `patience`.
    pub(super) async fn idle_done(
        &mut self,
        tag: &str,
        patience: Duration,
    ) -> Result<(), ImapError> {
        self.wire.write("DONE", b"DONE\r\n").await?;
        self.wire.finish("DONE", tag, patience).await.map(drop)
    }

    /// Proves that the server still answers.
    pub(super) async fn noop(&mut self, patience: Duration) -> Result<(), ImapError> {
        let tag = self.wire.send("NOOP", "NOOP").await?;
        self.wire.finish("NOOP", &tag, patience).await.map(drop)
    }

    async fn append_once(&mut self, folder: &FolderName, bytes: &[u8]) -> Result<(), ImapError> {
        let command = format!(
            "APPEND {} (\\Seen) {{{}}}",
            quote(folder.raw())?,
            bytes.len()
        );
        let tag = self.wire.send("APPEND", &command).await?;
        self.wire.continuation("APPEND", &tag).await?;
        self.wire.write("APPEND", bytes).await?;
        self.wire.write("APPEND", b"\r\n").await?;
        let patience = self.wire.patience(bytes.len());
        self.wire.finish("APPEND", &tag, patience).await.map(drop)
    }

    async fn examine(&mut self, folder: &FolderName) -> Result<Opened, ImapError> {
        let mut exists = None;
        let mut opened = Opened {
            uid_validity: None,
            uid_next: None,
            exists: 0,
        };
        let command = format!("EXAMINE {}", quote(folder.raw())?);
        self.wire
            .run("EXAMINE", &command, 0, |response| match response {
                Response::MailboxData(MailboxDatum::Exists(count)) => exists = Some(*count),
                Response::Data {
                    status: Status::Ok,
                    outcome,
                } => match outcome.code {
                    Some(ResponseCode::UidValidity(value)) => opened.uid_validity = Some(value),
                    Some(ResponseCode::UidNext(value)) => opened.uid_next = Some(value),
                    Some(_) | None => {}
                },
                _ => {}
            })
            .await?;
        // Silence about the count is not an empty folder.
        opened.exists = exists.ok_or(ImapError::Unreadable {
            during: "EXAMINE",
            text: "no count of messages".into(),
        })?;
        if opened.exists > FOLDER_MESSAGES_MAX {
            return Err(ImapError::Unreadable {
                during: "EXAMINE",
                text: format!("{} messages in one folder", opened.exists),
            });
        }
        // What arrives from here on may come after the listing, and is worth another pass.
        self.wire.forget_news();
        Ok(opened)
    }

    async fn list_from(&mut self, uid: u32) -> Result<(VecDeque<Listed>, bool), ImapError> {
        let mut listing = Listing::from(uid);
        let command = format!("UID FETCH {}:* (UID RFC822.SIZE INTERNALDATE)", uid.max(1));
        self.wire
            .run("FETCH", &command, 0, |response| listing.see(response))
            .await?;
        Ok(listing.finish())
    }

    /// Numbers of messages received since a day, ascending.
    async fn search_since(
        &mut self,
        exists: u32,
        since: Timestamp,
    ) -> Result<VecDeque<u32>, ImapError> {
        let date = search_date(since);
        let mut found = Vec::new();
        let mut last = exists;
        // From the end down: when messages are removed meanwhile, positions move down, and a window
        // may meet a message again but misses none.
        while last > 0 {
            let first = last.saturating_sub(SEARCH_WINDOW - 1).max(1);
            let command = format!("UID SEARCH {first}:{last} SINCE {date}");
            self.wire
                .run("SEARCH", &command, 0, |response| {
                    if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                        found.extend(uids);
                    }
                })
                .await?;
            if found.len() > FOLDER_MESSAGES_MAX as usize {
                return Err(ImapError::Unreadable {
                    during: "SEARCH",
                    text: "more messages found than there are".into(),
                });
            }
            last = first - 1;
        }
        found.sort_unstable();
        found.dedup();
        Ok(found.into())
    }

    async fn last_uid(&mut self, exists: u32) -> Result<u32, ImapError> {
        let mut last = 0;
        if exists > 0 {
            self.wire
                .run("FETCH", "UID FETCH * (UID)", 0, |response| {
                    last = uid_of(response).unwrap_or(0).max(last);
                })
                .await?;
        }
        Ok(last)
    }

    /// Fills `pass.listed` from its source. False when there is nothing more.
    async fn list_more(&mut self, pass: &mut FolderPass) -> Result<bool, ImapError> {
        loop {
            match &mut pass.source {
                Source::From {
                    exhausted: true, ..
                } => return Ok(false),
                Source::From { uid, exhausted } => {
                    if let Some(passed) = pass.passed {
                        *uid = passed.saturating_add(1).max(*uid);
                    }
                    let (listed, more) = self.list_from(*uid).await?;
                    *exhausted = !more;
                    pass.listed = listed;
                }
                Source::Found { uids, since, .. } => {
                    let details: Vec<u32> = uids.iter().take(DETAILS_MAX).copied().collect();
                    let (Some(first), Some(last)) = (details.first(), details.last().copied())
                    else {
                        return Ok(false);
                    };
                    let mut listing = Listing::from(*first);
                    let set = uid_set(details.iter().copied());
                    let command = format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE)");
                    self.wire
                        .run("FETCH", &command, 0, |response| listing.see(response))
                        .await?;
                    let since = *since;
                    uids.drain(..details.len());
                    let (listed, _) = listing.finish();
                    pass.listed = listed
                        .into_iter()
                        .filter(|listed| details.binary_search(&listed.uid).is_ok())
                        .filter(|listed| listed.internal_date.is_none_or(|date| date >= since))
                        .collect();
                    // Those that are not handed out are gone or too old: they count as passed, once
                    // those before them are.
                    if pass.listed.is_empty() {
                        pass.pass(last);
                    }
                }
            }
            if !pass.listed.is_empty() {
                return Ok(true);
            }
        }
    }

    fn take_batch(&self, pass: &mut FolderPass, caution: Caution) -> Vec<Listed> {
        let limits = self.wire.limits();
        let messages_max = match caution {
            Caution::None => limits.batch_messages(),
            Caution::Alone | Caution::Headers | Caution::Skip => 1,
        };
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(listed) = pass.listed.front() {
            let size = (listed.size_bytes as usize).min(limits.message_bytes());
            if batch.len() == messages_max
                || (!batch.is_empty() && bytes + size > limits.batch_bytes_max)
            {
                break;
            }
            bytes += size;
            batch.extend(pass.listed.pop_front());
        }
        batch
    }

    /// Messages of up to `whole_max` bytes. What the server refuses or leaves out is missing from the
    /// answer; the caller asks again, one by one.
    async fn fetch_whole(
        &mut self,
        batch: &[Listed],
        whole_max: usize,
    ) -> Result<BTreeMap<u32, Vec<u8>>, ImapError> {
        let wanted: Vec<Listed> = batch
            .iter()
            .copied()
            .filter(|listed| listed.size_bytes as usize <= whole_max)
            .collect();
        let mut bodies = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(bodies);
        }
        let bytes: usize = wanted.iter().map(|listed| listed.size_bytes as usize).sum();
        // Sizes may be estimates: near the limit only what the limit allows is asked for.
        let part = match wanted
            .iter()
            .any(|listed| listed.size_bytes as usize > whole_max / 2)
        {
            true => format!("<0.{}>", whole_max + 1),
            false => String::new(),
        };
        let set = uid_set(wanted.iter().map(|listed| listed.uid));
        let command = format!("UID FETCH {set} (UID BODY.PEEK[]{part})");
        let result = self
            .wire
            .run("FETCH", &command, bytes, |response| {
                if let Some((uid, body)) = body_of(response)
                    && wanted.iter().any(|listed| listed.uid == uid)
                {
                    bodies.insert(uid, body);
                }
            })
            .await;
        match result {
            // One message that was removed meanwhile makes some servers refuse, after giving the rest.
            Ok(_) => Ok(bodies),
            Err(error) if is_about_messages(&error) => Ok(bodies),
            Err(error) => Err(error),
        }
    }

    /// A message that was missing from its batch: asked for alone, then its headers, then whether it
    /// still exists. `None` when it does not.
    async fn fetch_again(
        &mut self,
        listed: Listed,
        whole_max: usize,
    ) -> Result<Option<(Content, Vec<u8>)>, ImapError> {
        if let Some(bytes) = self
            .fetch_whole(&[listed], whole_max)
            .await?
            .remove(&listed.uid)
            && bytes.len() <= whole_max
        {
            return Ok(Some((Content::Whole, bytes)));
        }
        self.fetch_headers(listed.uid).await
    }

    async fn fetch_headers(&mut self, uid: u32) -> Result<Option<(Content, Vec<u8>)>, ImapError> {
        let mut header = None;
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[HEADER]<0.{HEADER_BYTES_MAX}>)");
        let result = self
            .wire
            .run("FETCH", &command, HEADER_BYTES_MAX, |response| {
                if let Some((of, bytes)) = body_of(response)
                    && of == uid
                {
                    header = Some(bytes);
                }
            })
            .await;
        match result {
            Ok(_) => {}
            Err(error) if is_about_messages(&error) => {}
            Err(error) => return Err(error),
        }
        if let Some(mut bytes) = header {
            bytes.truncate(HEADER_BYTES_MAX);
            return Ok(Some((Content::HeadersOnly, bytes)));
        }
        let mut exists = false;
        let command = format!("UID FETCH {uid} (UID)");
        let result = self
            .wire
            .run("FETCH", &command, 0, |response| {
                exists |= uid_of(response) == Some(uid);
            })
            .await;
        match result {
            Ok(_) => Ok(exists.then(|| (Content::Unreadable, Vec::new()))),
            // It cannot even be said that it is gone.
            Err(error) if is_about_messages(&error) => Ok(Some((Content::Unreadable, Vec::new()))),
            Err(error) => Err(error),
        }
    }

    async fn sent_or_created(&mut self) -> Result<FolderName, ImapError> {
        if let Some(sent) = self.find_sent().await? {
            return Ok(sent);
        }
        let sent = FolderName::from_text(SENT_CREATED);
        let create = format!("CREATE {}", quote(sent.raw())?);
        self.wire.run("CREATE", &create, 0, |_| {}).await?;
        Ok(sent)
    }
}

/// Whether a refusal is about the messages that were asked for. One that asks for patience is not: they are asked for
/// again later, and none is given up.
fn is_about_messages(error: &ImapError) -> bool {
    matches!(error, ImapError::Refused { .. }) && !error.is_throttling()
}

fn skip(pass: &mut FolderPass, uid: u32) -> FetchedMessage {
    let listed = match pass.listed.pop_front() {
        Some(listed) => Some(listed),
        None => {
            if let Source::Found { uids, .. } = &mut pass.source {
                uids.pop_front();
            }
            None
        }
    };
    pass.pass(uid);
    FetchedMessage {
        uid,
        internal_date: listed
            .and_then(|listed| listed.internal_date)
            .unwrap_or(pass.asked_at),
        size_bytes: listed.map_or(0, |listed| listed.size_bytes),
        content: Content::Unreadable,
        bytes: Vec::new(),
    }
}

fn bare_id(message_id: &str) -> &str {
    let trimmed = message_id.trim();
    trimmed
        .strip_prefix('<')
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(trimmed)
        .trim()
}

/// Files a message that was sent, marked as read, in `folder` or else the folder of sent mail.
pub async fn append_sent(
    account: &ImapAccount,
    folder: Option<&FolderName>,
    bytes: &[u8],
) -> Result<(), ImapError> {
    let mut session = MailSession::connect(account).await?;
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => session.sent_or_created().await?,
    };
    session.append(&folder, bytes).await?;
    session.logout().await;
    Ok(())
}

/// Whether `folder`, or else the folder of sent mail, has a message with this Message-ID: after a
/// crash, the proof that a message had been sent and filed.
pub async fn find_by_message_id(
    account: &ImapAccount,
    folder: Option<&FolderName>,
    message_id: &str,
) -> Result<bool, ImapError> {
    let mut session = MailSession::connect(account).await?;
    let folder = match folder {
        Some(folder) => Some(folder.clone()),
        None => session.find_sent().await?,
    };
    let found = match folder {
        Some(folder) => session.find_by_message_id(&folder, message_id).await?,
        None => false,
    };
    session.logout().await;
    Ok(found)
}

/// [`append_sent`] that may be repeated: providers that file sent mail by themselves, and a connection
/// that broke after the message was taken, do not make a second copy.
pub async fn ensure_in_sent(
    account: &ImapAccount,
    folder: Option<&FolderName>,
    message_id: &str,
    bytes: &[u8],
) -> Result<Filed, ImapError> {
    let mut session = MailSession::connect(account).await?;
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => session.sent_or_created().await?,
    };
    let filed = match session.find_by_message_id(&folder, message_id).await {
        Ok(true) => Filed::AlreadyThere,
        // A folder that is not there has no such message; appending makes it.
        Ok(false) | Err(ImapError::Refused { .. }) => {
            session.append(&folder, bytes).await?;
            Filed::Appended
        }
        Err(error) => return Err(error),
    };
    session.logout().await;
    Ok(filed)
}
