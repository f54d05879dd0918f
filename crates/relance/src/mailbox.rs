//! Watched mailboxes: what IMAP reports, to the engine, in order.
//!
//! The order is the base of rule R1: a `Synced` is told to the engine only after everything that the
//! reading found, and the engine commits in that order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use relance_channels::imap::{
    self, Content, Cursor, FailureKind, FolderCursor, FolderName, ImapAccount, MailboxEvent,
    MailboxWatcher, VISIBILITY_LAG, WatchConfig, WatchTimings,
};
use relance_core::ids::MailboxId;
use relance_core::mail::{Folder, MailSeen};
use relance_engine::arrival::{Arrival, Envelope, Refusal};
use relance_engine::clock::SharedClock;
use relance_engine::ports::MailboxState;
use relance_engine::run::Handle;
use relance_message::mail::MailProblem;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::examine::{Examined, Rules, examine};

/// How long the reader waits when the engine is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(200);

/// How a mailbox fares, for pages and alerts.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// When it was last read whole.
    pub synced_at: Option<Timestamp>,
    /// Why it cannot be read now.
    pub failure: Option<String>,
    /// Mails seen since the start.
    pub seen: u64,
    /// Mails that could not be read, since the start. Each may have been a reply: somebody must look.
    pub unreadable: u64,
    /// The last of them: folder and number.
    pub unreadable_last: Option<String>,
}

/// One mailbox to watch.
pub struct Watched {
    /// Its address, lower case.
    pub mailbox: MailboxId,
    /// Where it is read.
    pub account: ImapAccount,
    /// How far back the first reading looks.
    pub look_back: SignedDuration,
    /// Where reading goes on, as told to the engine before.
    pub cursors: String,
}

/// All watched mailboxes of a workspace.
#[derive(Default)]
pub struct Mailboxes {
    watchers: Mutex<BTreeMap<MailboxId, MailboxWatcher>>,
    health: Mutex<BTreeMap<MailboxId, Health>>,
}

impl Mailboxes {
    /// Begins to watch a mailbox. Must be called within the runtime.
    pub fn watch(
        self: &Arc<Self>,
        watched: Watched,
        rules: Arc<Rules>,
        engine: Handle,
        clock: SharedClock,
    ) {
        let now = clock.clone();
        let (watcher, events) = MailboxWatcher::spawn(WatchConfig {
            account: watched.account,
            cursors: read_cursors(&watched.cursors),
            look_back: watched.look_back,
            timings: WatchTimings::default(),
            clock: Arc::new(move || now.now()),
        });
        lock(&self.watchers).insert(watched.mailbox.clone(), watcher);
        let health = Health {
            synced_at: None,
            failure: None,
            seen: 0,
            unreadable: 0,
            unreadable_last: None,
        };
        lock(&self.health).insert(watched.mailbox.clone(), health);
        let reader = Reader {
            mailboxes: self.clone(),
            mailbox: watched.mailbox,
            rules,
            engine,
        };
        tokio::spawn(reader.read(events));
    }

    /// No longer watches a mailbox: somebody else does.
    pub fn unwatch(&self, mailbox: &MailboxId) {
        lock(&self.watchers).remove(mailbox);
        lock(&self.health).remove(mailbox);
    }

    fn is_watched(&self, mailbox: &MailboxId) -> bool {
        lock(&self.watchers).contains_key(mailbox)
    }

    /// Asks for a mailbox to be read now.
    pub fn sync_now(&self, mailbox: &MailboxId) {
        if let Some(watcher) = lock(&self.watchers).get(mailbox) {
            watcher.sync_now();
        }
    }

    /// Stops watching all.
    pub fn stop(&self) {
        lock(&self.watchers).clear();
    }

    /// How the mailboxes fare.
    pub fn health(&self) -> BTreeMap<MailboxId, Health> {
        lock(&self.health).clone()
    }

    fn note(&self, mailbox: &MailboxId, change: impl FnOnce(&mut Health)) {
        if let Some(health) = lock(&self.health).get_mut(mailbox) {
            change(health);
        }
    }
}

/// The mailboxes of a configuration, and what it takes to watch some of them.
#[derive(Clone)]
pub struct Watching {
    /// The mailboxes that are watched.
    pub mailboxes: Arc<Mailboxes>,
    /// Where each is read, by address, and how many days the first reading looks back.
    pub accounts: BTreeMap<String, (ImapAccount, u16)>,
    /// Rules of documents, bounces and answers.
    pub rules: Arc<Rules>,
    /// Whom to tell.
    pub engine: Handle,
    /// The moment.
    pub clock: SharedClock,
    /// Where readers run.
    pub runtime: tokio::runtime::Handle,
}

impl Watching {
    /// Watches those that are held, each from where reading ended, and no others.
    pub fn hold(&self, known: &[MailboxState], is_held: impl Fn(&MailboxId) -> bool) {
        let _readers_run_there = self.runtime.enter();
        for (address, (account, days)) in &self.accounts {
            let mailbox = MailboxId::from(address.as_str());
            if !is_held(&mailbox) {
                self.mailboxes.unwatch(&mailbox);
                continue;
            }
            if self.mailboxes.is_watched(&mailbox) {
                continue;
            }
            self.engine.report(vec![Arrival::Watched(mailbox.clone())]);
            let cursors = known
                .iter()
                .find(|state| state.mailbox == mailbox)
                .map_or_else(String::new, |state| state.cursors.clone());
            let watched = Watched {
                mailbox,
                account: account.clone(),
                look_back: SignedDuration::from_hours(24 * i64::from(*days)),
                cursors,
            };
            self.mailboxes.watch(
                watched,
                self.rules.clone(),
                self.engine.clone(),
                self.clock.clone(),
            );
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Reader {
    mailboxes: Arc<Mailboxes>,
    mailbox: MailboxId,
    rules: Arc<Rules>,
    engine: Handle,
}

impl Reader {
    async fn read(self, mut events: mpsc::Receiver<MailboxEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                MailboxEvent::Message {
                    folder,
                    uid,
                    uid_validity,
                    internal_date,
                    content,
                    bytes,
                    ..
                } => {
                    let place = Place {
                        folder,
                        uid,
                        uid_validity,
                        internal_date,
                    };
                    let seen = match content {
                        Content::Whole | Content::HeadersOnly => self.examine(place, bytes).await,
                        Content::Unreadable => Err("the server does not hand it out"),
                    };
                    let seen = match seen {
                        Ok((seen, flaw)) => {
                            if let Some(why) = flaw {
                                self.alert(place, why);
                            }
                            seen
                        }
                        Err(why) => {
                            self.alert(place, why);
                            continue;
                        }
                    };
                    self.mailboxes
                        .note(&self.mailbox, |health| health.seen += 1);
                    if !self.tell(Arrival::Mail(Box::new(seen))).await {
                        return;
                    }
                }
                MailboxEvent::Synced {
                    started_at,
                    cursors,
                } => {
                    // A server may show a message a little after it accepted it. What was accepted before
                    // this earlier moment was certainly shown, so only deadlines before it are proved
                    // silent (R1).
                    let proved_until = started_at
                        .checked_sub(VISIBILITY_LAG)
                        .unwrap_or(Timestamp::MIN);
                    let arrival = Arrival::Synced {
                        mailbox: self.mailbox.clone(),
                        at: whole_milliseconds(proved_until),
                        cursors: write_cursors(&cursors),
                    };
                    if !self.tell(arrival).await {
                        return;
                    }
                    self.mailboxes.note(&self.mailbox, |health| {
                        if health.failure.take().is_some() {
                            tracing::info!("a mailbox is read again");
                        }
                        health.synced_at = Some(started_at);
                    });
                }
                MailboxEvent::Failed {
                    kind,
                    text,
                    retry_at,
                } => {
                    tracing::warn!(?kind, %retry_at, "a mailbox cannot be read; its reminders are held");
                    let failure = match kind {
                        FailureKind::Auth => format!("login refused: {text}"),
                        FailureKind::Unreachable | FailureKind::Protocol => text,
                    };
                    self.mailboxes
                        .note(&self.mailbox, |health| health.failure = Some(failure));
                }
            }
        }
    }

    /// Counts a mail that could not be read whole and calls for a person. It must not stop those behind
    /// it, but in the inbox it may have been a reply that nobody saw.
    fn alert(&self, place: Place, why: &str) {
        let folder = match place.folder {
            imap::Folder::Sent => "sent",
            imap::Folder::Inbox => "inbox",
        };
        let uid = place.uid;
        match place.folder {
            imap::Folder::Inbox => {
                tracing::error!(
                    folder,
                    uid,
                    why,
                    "a mail could not be read; look whether it is a reply"
                );
            }
            imap::Folder::Sent => tracing::warn!(folder, uid, why, "a mail could not be read"),
        }
        self.mailboxes.note(&self.mailbox, |health| {
            health.unreadable += 1;
            health.unreadable_last = Some(format!("{folder}, number {uid}: {why}"));
        });
    }

    /// Examines a mail off the network threads. One whose body cannot be read is judged by its header: a
    /// reply stops reminders also when nobody knows what it says. Then the flaw is beside it.
    async fn examine(
        &self,
        place: Place,
        bytes: Vec<u8>,
    ) -> Result<(MailSeen, Option<&'static str>), &'static str> {
        let rules = self.rules.clone();
        let mailbox = self.mailbox.clone();
        let examined = tokio::task::spawn_blocking(move || {
            let (examined, flaw) = match examine(&bytes, &rules) {
                Ok(examined) => (examined, None),
                Err(problem) => (examine(header_of(&bytes), &rules)?, Some(problem.code())),
            };
            Ok::<_, MailProblem>((place.see(&mailbox, examined), flaw))
        });
        match examined.await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(problem)) => Err(problem.code()),
            Err(_) => Err("reading it panicked"),
        }
    }

    /// Tells the engine and waits until it is durable: only then may the next be told.
    async fn tell(&self, arrival: Arrival) -> bool {
        loop {
            let (tell, told) = oneshot::channel();
            let envelope = Envelope {
                arrivals: vec![arrival.clone()],
                weight: 4_096,
                acknowledge: Some(Box::new(move |result| {
                    // The reader may have been stopped meanwhile.
                    let _ = tell.send(result);
                })),
            };
            let result = match self.engine.submit(envelope) {
                Ok(()) => told.await.unwrap_or(Err(Refusal::Stopping)),
                Err(refusal) => Err(refusal),
            };
            match result {
                Ok(()) => return true,
                Err(Refusal::Stopping) => return false,
                Err(Refusal::Busy { .. } | Refusal::StoreFailed) => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
            }
        }
    }
}

/// A mail's bytes up to the empty line.
fn header_of(bytes: &[u8]) -> &[u8] {
    let end = |empty: &[u8]| {
        bytes
            .windows(empty.len())
            .position(|window| window == empty)
            .map(|at| at + empty.len())
    };
    let end = end(b"\r\n\r\n").into_iter().chain(end(b"\n\n")).min();
    &bytes[..end.unwrap_or(bytes.len())]
}

/// Where a mail was found.
#[derive(Clone, Copy)]
struct Place {
    folder: imap::Folder,
    uid: u32,
    uid_validity: u32,
    internal_date: Timestamp,
}

impl Place {
    /// A mail as core sees it.
    fn see(self, mailbox: &MailboxId, examined: Examined) -> MailSeen {
        let folder = match self.folder {
            imap::Folder::Sent => Folder::Sent,
            imap::Folder::Inbox => Folder::Inbox,
        };
        let at = whole_milliseconds(self.internal_date);
        let unnamed = format!("no-id.{}.{}@{mailbox}", self.uid_validity, self.uid);
        examined.see(mailbox, folder, at, unnamed)
    }
}

fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// A cursor as the store keeps it.
#[derive(Serialize, Deserialize)]
struct StoredCursor {
    folder: String,
    name: String,
    uid_validity: u32,
    uid_next: u32,
}

fn write_cursors(cursors: &[FolderCursor]) -> String {
    let stored: Vec<StoredCursor> = cursors
        .iter()
        .map(|cursor| StoredCursor {
            folder: match cursor.folder {
                imap::Folder::Sent => "sent".to_owned(),
                imap::Folder::Inbox => "inbox".to_owned(),
            },
            name: cursor.name.raw().to_owned(),
            uid_validity: cursor.cursor.uid_validity,
            uid_next: cursor.cursor.uid_next,
        })
        .collect();
    serde_json::to_string(&stored).unwrap_or_default()
}

/// Cursors that cannot be read are forgotten: the mailbox is read again from its look-back, and what was
/// seen before changes nothing.
fn read_cursors(text: &str) -> Vec<FolderCursor> {
    let stored: Vec<StoredCursor> = serde_json::from_str(text).unwrap_or_default();
    stored
        .into_iter()
        .filter_map(|cursor| {
            let folder = match cursor.folder.as_str() {
                "sent" => imap::Folder::Sent,
                "inbox" => imap::Folder::Inbox,
                _unknown => return None,
            };
            Some(FolderCursor {
                folder,
                name: FolderName::from_raw(cursor.name),
                cursor: Cursor {
                    uid_validity: cursor.uid_validity,
                    uid_next: cursor.uid_next,
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_a_mail_that_cannot_be_read_tells_that_it_is_a_reply() {
        let mut mail = "From: ivan@client.test\r\nMessage-ID: <r@client.test>\r\nIn-Reply-To: <o@shop.test>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n".to_owned();
        let head = mail.len();
        for _ in 0..100_000 {
            mail.push_str("--x\r\n\r\npart\r\n");
        }
        let rules = Rules::bundled().unwrap();
        assert!(examine(mail.as_bytes(), &rules).is_err());
        assert_eq!(header_of(mail.as_bytes()).len(), head);
        let examined = examine(header_of(mail.as_bytes()), &rules).unwrap();
        assert!(matches!(
            examined.class,
            relance_message::inbound::Classified::Reply(_)
        ));
        assert_eq!(examined.mail.answers(), ["o@shop.test"]);
        for odd in [&b""[..], b"no end", b"\n\n", b"\r\n\r\n"] {
            assert_eq!(header_of(odd), odd);
        }
    }
}
