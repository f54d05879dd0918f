//! One message by its Message-ID: the server searches, so that no folder is read for it.
//!
//! **Absent:** guessing. A server whose search finds nothing has no such message, as far as anyone knows.

use async_imap::imap_proto::{MailboxDatum, Response};
use jiff::Timestamp;

use super::{CANDIDATES_MAX, MESSAGE_ID_BYTES_MAX, MailSession, bare_id};
use crate::imap::error::ImapError;
use crate::imap::name::FolderName;
use crate::imap::sync::{Content, FetchedMessage, Listing, body_of, uid_set};
use crate::imap::wire::quote;

impl MailSession {
    /// Whether a folder has a message with this Message-ID (with or without angle brackets).
    pub async fn find_by_message_id(
        &mut self,
        folder: &FolderName,
        message_id: &str,
    ) -> Result<bool, ImapError> {
        Ok(self.uid_by_message_id(folder, message_id).await?.is_some())
    }

    /// The message with this Message-ID (with or without angle brackets); of several the one filed last. `now` is
    /// what it is dated by where the server does not say.
    pub async fn fetch_by_message_id(
        &mut self,
        folder: &FolderName,
        message_id: &str,
        now: Timestamp,
    ) -> Result<Option<FetchedMessage>, ImapError> {
        let Some(uid) = self.uid_by_message_id(folder, message_id).await? else {
            return Ok(None);
        };
        let mut listing = Listing::from(uid);
        let command = format!("UID FETCH {uid} (UID RFC822.SIZE INTERNALDATE)");
        self.wire
            .run("FETCH", &command, 0, |response| listing.see(response))
            .await?;
        let (listed, _) = listing.finish();
        let Some(listed) = listed.into_iter().find(|listed| listed.uid == uid) else {
            return Ok(None);
        };
        let whole_max = self.wire.limits().message_bytes();
        let got = if listed.size_bytes as usize <= whole_max {
            self.fetch_again(listed, whole_max).await?
        } else {
            self.fetch_headers(uid).await?
        };
        Ok(
            got.map(|(content, bytes): (Content, Vec<u8>)| FetchedMessage {
                uid,
                internal_date: listed.internal_date.unwrap_or(now),
                size_bytes: listed.size_bytes,
                content,
                bytes,
            }),
        )
    }

    /// The number of the message with a Message-ID; of several the highest.
    async fn uid_by_message_id(
        &mut self,
        folder: &FolderName,
        message_id: &str,
    ) -> Result<Option<u32>, ImapError> {
        let bare = bare_id(message_id);
        if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(ImapError::Input {
                what: "a Message-ID",
            });
        }
        if self.examine(folder).await?.exists == 0 {
            return Ok(None);
        }
        let mut found = Vec::new();
        let command = format!("UID SEARCH HEADER Message-ID {}", quote(bare)?);
        self.wire
            .run("SEARCH", &command, 0, |response| {
                if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                    found.extend(uids.iter().rev().take(CANDIDATES_MAX));
                }
            })
            .await?;
        found.truncate(CANDIDATES_MAX);
        if found.is_empty() {
            return Ok(None);
        }
        found.sort_unstable();
        // A search finds parts of a header too, so the header itself decides.
        let command = format!(
            "UID FETCH {} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
            uid_set(found.iter().copied())
        );
        let mut same = None;
        self.wire
            .run("FETCH", &command, 0, |response| {
                if let Some((uid, header)) = body_of(response) {
                    let header = &header[..header.len().min(MESSAGE_ID_BYTES_MAX)];
                    let text = String::from_utf8_lossy(header);
                    let value = text.split_once(':').map_or("", |(_, value)| value);
                    if bare_id(value) == bare {
                        same = same.max(Some(uid));
                    }
                }
            })
            .await?;
        Ok(same)
    }
}
