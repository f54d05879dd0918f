//! Watched mailboxes: what IMAP reports, to the engine, in order.
//!
//! The order is the base of rule R1: a `Synced` is told to the engine only after everything that the
//! reading found, and the engine commits in that order.

pub mod alert;
pub mod book;
pub mod change;
pub mod check;
pub mod keep;
pub mod shown;
pub mod waiting;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use relance_channels::imap::{
    self, Content, Cursor, FailureKind, FolderCursor, FolderName, ImapAccount, MailboxEvent,
    MailboxWatcher, Progress, VISIBILITY_LAG, WatchConfig, WatchTimings,
};
use relance_core::ids::MailboxId;
use relance_core::mail::{Folder, MailClass, MailSeen};
use relance_engine::arrival::{Arrival, Envelope, Refusal};
use relance_engine::clock::SharedClock;
use relance_engine::run::Handle;
use relance_message::mail::MailProblem;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use self::book::Entry;
use crate::examine::{Examined, Rules, examine};
use crate::oauth::Tokens;

/// How long the reader waits when the engine is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(200);

/// How a mailbox fares, for pages and alerts.
#[derive(Debug, Clone)]
pub struct Health {
    /// When it began to be watched here.
    pub watched_at: Timestamp,
    /// When it was last read whole.
    pub synced_at: Option<Timestamp>,
    /// Why it cannot be read now.
    pub failure: Option<String>,
    /// What that means for whoever must act, and since when it is so.
    pub failing: Option<(&'static str, Timestamp)>,
    /// Mails seen since the start.
    pub seen: u64,
    /// Mails that could not be read, since the start. Each may have been a reply: somebody must look.
    pub unreadable: u64,
    /// The last of them: folder and number.
    pub unreadable_last: Option<String>,
    /// How far a reading under way has come.
    pub progress: Option<Progress>,
    /// The folders of sent mail that are watched.
    pub sent: Vec<String>,
}

/// One mailbox to watch.
pub struct Watched {
    /// Its address, lower case.
    pub mailbox: MailboxId,
    /// Where it is read.
    pub account: ImapAccount,
    /// How far back the first reading looks.
    pub look_back: SignedDuration,
    /// The folder of sent mail that somebody chose.
    pub sent: Option<FolderName>,
    /// Other addresses that it sends as, lower case.
    pub aliases: Vec<String>,
    /// Users who work with it, by address, lower case.
    pub members: Vec<String>,
    /// Whether it is logged into by tokens.
    pub oauth: bool,
    /// Where reading goes on, as told to the engine before.
    pub cursors: String,
}

struct Running {
    watcher: MailboxWatcher,
    account: ImapAccount,
    sent: Option<FolderName>,
    aliases: Vec<String>,
    members: Vec<String>,
}

/// All watched mailboxes of a workspace.
#[derive(Default)]
pub struct Mailboxes {
    watchers: Mutex<BTreeMap<MailboxId, Running>>,
    health: Mutex<BTreeMap<MailboxId, Health>>,
    /// Nothing is watched any more.
    stopped: AtomicBool,
}

impl Mailboxes {
    /// Begins to watch a mailbox. Must be called within the runtime.
    pub fn watch(
        self: &Arc<Self>,
        watched: Watched,
        rules: Arc<Rules>,
        engine: Handle,
        clock: SharedClock,
        tokens: Arc<Tokens>,
    ) {
        let now = clock.clone();
        let place = place_of(&watched.account);
        let health = Health {
            watched_at: clock.now(),
            synced_at: None,
            failure: None,
            failing: None,
            seen: 0,
            unreadable: 0,
            unreadable_last: None,
            progress: None,
            sent: Vec::new(),
        };
        lock(&self.health).insert(watched.mailbox.clone(), health);
        let (watcher, events) = MailboxWatcher::spawn(WatchConfig {
            account: watched.account.clone(),
            cursors: read_cursors(&watched.cursors, &place),
            look_back: watched.look_back,
            sent: watched.sent.clone(),
            timings: WatchTimings::default(),
            clock: Arc::new(move || now.now()),
        });
        let running = Running {
            watcher,
            account: watched.account,
            sent: watched.sent,
            aliases: watched.aliases.clone(),
            members: watched.members.clone(),
        };
        lock(&self.watchers).insert(watched.mailbox.clone(), running);
        let reader = Reader {
            aliases: watched.aliases.into(),
            members: watched.members.into(),
            mailboxes: self.clone(),
            mailbox: watched.mailbox,
            place,
            tokens: watched.oauth.then_some(tokens),
            rules,
            engine,
            clock,
        };
        tokio::spawn(reader.read(events));
    }

    /// No longer watches a mailbox: somebody else does, or nobody.
    pub fn unwatch(&self, mailbox: &MailboxId) {
        lock(&self.watchers).remove(mailbox);
        lock(&self.health).remove(mailbox);
    }

    /// Those that are watched here.
    pub fn watched(&self) -> Vec<MailboxId> {
        lock(&self.watchers).keys().cloned().collect()
    }

    /// Whether a mailbox is watched where and as it should be; another password or token is taken over.
    pub fn takes_over(&self, entry: &Entry) -> bool {
        if self.stopped.load(Ordering::Acquire) {
            return true;
        }
        let mut watchers = lock(&self.watchers);
        let Some(running) = watchers.get_mut(entry.address.as_str()) else {
            return false;
        };
        if !running.account.is_same_place(&entry.account)
            || running.sent != entry.sent()
            || running.aliases != entry.stored.aliases
            || running.members != entry.stored.members
        {
            return false;
        }
        if running.account.login != entry.account.login {
            running.account.login = entry.account.login.clone();
            running.watcher.set_login(entry.account.login.clone());
        }
        true
    }

    /// Asks for a mailbox to be read now; `false` where it is not watched here.
    pub fn sync_now(&self, mailbox: &MailboxId) -> bool {
        let watchers = lock(&self.watchers);
        let running = watchers.get(mailbox);
        if let Some(running) = running {
            running.watcher.sync_now();
        }
        running.is_some()
    }

    /// Stops watching all, for good.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        lock(&self.watchers).clear();
    }

    /// How the mailboxes fare.
    pub fn health(&self) -> BTreeMap<MailboxId, Health> {
        let mut health = lock(&self.health).clone();
        for (mailbox, running) in lock(&self.watchers).iter() {
            if let Some(health) = health.get_mut(mailbox) {
                health.progress = running.watcher.progress();
                let sent = running.watcher.sent_folders();
                health.sent = sent.iter().map(FolderName::text).collect();
            }
        }
        health
    }

    fn note(&self, mailbox: &MailboxId, change: impl FnOnce(&mut Health)) {
        if let Some(health) = lock(&self.health).get_mut(mailbox) {
            change(health);
        }
    }
}

/// A server and a login of it, as cursors name them: those of another place mean nothing.
fn place_of(account: &ImapAccount) -> String {
    let named = format!("{}\n{}", account.host.to_lowercase(), account.login.user());
    let hash = blake3::hash(named.as_bytes()).to_hex();
    hash.chars().take(16).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Reader {
    /// Other addresses that the mailbox sends as.
    aliases: Arc<[String]>,
    /// Users who work with it.
    members: Arc<[String]>,
    mailboxes: Arc<Mailboxes>,
    mailbox: MailboxId,
    /// What its cursors name their server by.
    place: String,
    /// Where another token is asked for, of a mailbox that is logged into by tokens.
    tokens: Option<Arc<Tokens>>,
    clock: SharedClock,
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
                        cursors: write_cursors(&cursors, &self.place),
                    };
                    if !self.tell(arrival).await {
                        return;
                    }
                    self.mailboxes.note(&self.mailbox, |health| {
                        if health.failure.take().is_some() {
                            tracing::info!("a mailbox is read again");
                        }
                        health.failing = None;
                        health.synced_at = Some(started_at);
                    });
                }
                MailboxEvent::Failed {
                    kind,
                    code,
                    text,
                    retry_at,
                } => {
                    tracing::warn!(?kind, code, %retry_at, "a mailbox cannot be read; its reminders are held");
                    let failure = match kind {
                        FailureKind::Auth => format!("login refused: {text}"),
                        FailureKind::Unreachable | FailureKind::Protocol => text,
                    };
                    // A token that ended is renewed: nobody has to act yet.
                    let code = match (code, &self.tokens) {
                        ("password_refused", Some(_)) => "token_refused",
                        (code, _) => code,
                    };
                    let now = self.clock.now();
                    self.mailboxes.note(&self.mailbox, |health| {
                        health.failure = Some(failure);
                        let since = health.failing.map_or(now, |(_, since)| since);
                        health.failing = Some((code, since));
                    });
                    if let (FailureKind::Auth, Some(tokens)) = (kind, &self.tokens) {
                        tokens.ask(self.mailbox.as_str());
                    }
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
        let (aliases, members) = (self.aliases.clone(), self.members.clone());
        let examined = tokio::task::spawn_blocking(move || {
            let (examined, flaw) = match examine(&bytes, &rules) {
                Ok(examined) => (examined, None),
                Err(problem) => (examine(header_of(&bytes), &rules)?, Some(problem.code())),
            };
            let mut seen = place.see(&mailbox, examined);
            by_its_author(&mut seen, &members);
            by_one_name(&mut seen, &aliases);
            Ok::<_, MailProblem>((seen, flaw))
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
                Err(Refusal::Busy { .. } | Refusal::Overtaken | Refusal::StoreFailed) => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
            }
        }
    }
}

/// What one of those who share a mailbox sent from it in their own name is theirs. Asked before aliases are the mailbox.
pub(crate) fn by_its_author(seen: &mut MailSeen, members: &[String]) {
    let author = seen.from.as_ref().map(|from| &from.email);
    let Some(author) = author.filter(|author| members.contains(author)) else {
        return;
    };
    if let MailClass::Document(facts) = &mut seen.class
        && seen.folder == Folder::Sent
    {
        facts.owner = Some(author.clone());
    }
}

/// An alias is the mailbox by another name: what it wrote is ours, and what is written to it is written to us.
pub(crate) fn by_one_name(seen: &mut MailSeen, aliases: &[String]) {
    let named = seen.from.iter_mut().chain(&mut seen.to);
    for address in named.filter(|address| aliases.contains(&address.email)) {
        address.email = seen.mailbox.to_string();
    }
}

/// A mail's bytes up to the empty line.
pub(crate) fn header_of(bytes: &[u8]) -> &[u8] {
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
        let unnamed = unnamed(mailbox, self.uid_validity, self.uid);
        examined.see(mailbox, folder, at, unnamed)
    }
}

/// What a mail without a Message-ID is called.
pub(crate) fn unnamed(mailbox: &MailboxId, uid_validity: u32, uid: u32) -> String {
    format!("no-id.{uid_validity}.{uid}@{mailbox}")
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
    /// Which server and login; one of before it was noted is believed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    place: String,
}

fn write_cursors(cursors: &[FolderCursor], place: &str) -> String {
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
            place: place.to_owned(),
        })
        .collect();
    serde_json::to_string(&stored).unwrap_or_default()
}

/// Cursors that cannot be read are forgotten: the mailbox is read again from its look-back, and what was
/// seen before changes nothing.
fn read_cursors(text: &str, place: &str) -> Vec<FolderCursor> {
    let stored: Vec<StoredCursor> = serde_json::from_str(text).unwrap_or_default();
    stored
        .into_iter()
        .filter(|cursor| cursor.place.is_empty() || cursor.place == place)
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
    fn an_alias_is_the_mailbox_by_another_name() {
        let rules = Rules::bundled().unwrap();
        let mail = b"From: sales@shop.test\r\nTo: ivan@client.test\r\nMessage-ID: <x@shop.test>\r\n\r\nHi\r\n";
        let place = Place {
            folder: imap::Folder::Inbox,
            uid: 1,
            uid_validity: 1,
            internal_date: Timestamp::UNIX_EPOCH,
        };
        let mailbox = MailboxId::from("anna@gmail.test");
        let mut seen = place.see(&mailbox, examine(mail, &rules).unwrap());
        by_one_name(&mut seen, &["other@shop.test".to_owned()]);
        assert_eq!(seen.from.as_ref().unwrap().email, "sales@shop.test");
        by_one_name(&mut seen, &["sales@shop.test".to_owned()]);
        assert_eq!(seen.from.as_ref().unwrap().email, "anna@gmail.test");
        assert_eq!(seen.to[0].email, "ivan@client.test");
    }

    #[test]
    fn what_a_member_sends_from_a_shared_mailbox_is_theirs() {
        let rules = Rules::bundled().unwrap();
        let mail = "From: Boris <Boris@shop.test>\r\nTo: ivan@client.test\r\nSubject: Commercial offer No. KP-7\r\nMessage-ID: <x@shop.test>\r\n\r\nDear customer, here is our commercial offer No. KP-7.\r\n\r\nTotal: 120,000.00 EUR\r\n";
        let place = Place {
            folder: imap::Folder::Sent,
            uid: 1,
            uid_validity: 1,
            internal_date: Timestamp::UNIX_EPOCH,
        };
        let mailbox = MailboxId::from("sales@shop.test");
        let owner = |members: &[&str], aliases: &[&str]| {
            let all = |list: &[&str]| list.iter().map(|own| (*own).to_owned()).collect::<Vec<_>>();
            let mut seen = place.see(&mailbox, examine(mail.as_bytes(), &rules).unwrap());
            by_its_author(&mut seen, &all(members));
            by_one_name(&mut seen, &all(aliases));
            let MailClass::Document(facts) = seen.class else {
                panic!("an offer: {:?}", seen.class);
            };
            (facts.owner, seen.from.unwrap().email)
        };
        let (boris, sales) = ("boris@shop.test", "sales@shop.test");
        // An alias or not: the mail is the mailbox's, the document its author's.
        assert_eq!(
            owner(&[boris, "olga@shop.test"], &[]),
            (Some(boris.to_owned()), boris.to_owned())
        );
        assert_eq!(
            owner(&[boris], &[boris]),
            (Some(boris.to_owned()), sales.to_owned())
        );
        assert_eq!(owner(&[], &[boris]), (None, sales.to_owned()));
    }

    #[test]
    fn cursors_of_another_server_or_login_mean_nothing() {
        let cursor = FolderCursor {
            folder: imap::Folder::Inbox,
            name: FolderName::inbox(),
            cursor: Cursor {
                uid_validity: 1,
                uid_next: 7,
            },
        };
        let text = write_cursors(std::slice::from_ref(&cursor), "here");
        assert_eq!(read_cursors(&text, "here"), std::slice::from_ref(&cursor));
        assert_eq!(read_cursors(&text, "elsewhere"), []);
        let old = write_cursors(std::slice::from_ref(&cursor), "");
        assert_eq!(read_cursors(&old, "here"), [cursor]);
        assert_eq!(read_cursors("nonsense", "here"), []);
    }

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
