//! Watches one account: everything that arrives or is sent, and the proof that nothing was missed.
//!
//! One task reads the folders, idles on them (RFC 2177) or polls, reconnects, and reports through a
//! bounded channel. All of it happens in one line of control, so the order of events needs no lock:
//! a [`MailboxEvent::Synced`] is sent only after the server, asked for every folder after `started_at`,
//! has answered completely, and every message it named was sent before it through the same channel.
//!
//! **Invariant:** nothing that fails (a connection, a login, a parser that panics) ends the task; it
//! ends when the handle or the receiver is dropped.
//!
//! **Absent:** what is done about a failure that lasts, and who is told.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::account::{ImapAccount, Login};
use super::error::{FailureKind, ImapError};
use super::name::FolderName;
use super::session::MailSession;
use super::sync::{Caution, Content, Cursor};

/// Events that wait for the receiver. Few, as each may carry a large message; the reader waits.
pub const EVENTS_MAX: usize = 4;
/// How long after it accepted a message a server may still not show it. Dovecot over Maildir, for one,
/// looks at a folder that changed twice within a clock tick again only after a second; servers of many
/// machines take longer to agree. Whoever must not miss a reply compares
/// `started_at - VISIBILITY_LAG` with the moment that counts.
pub const VISIBILITY_LAG: SignedDuration = SignedDuration::from_secs(5);
/// Between two passes that follow each other because of news, so that a burst is read at once.
const PASS_GAP: Duration = Duration::from_millis(50);
/// How long a server is left alone after it refused a second connection.
const SECOND_LANE_RETRY: Duration = Duration::from_secs(600);
/// A connection that lived this long was in order: when it ends, back-off starts from the beginning.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// Attempts at one message that fail by its content, before only its headers are asked for, ...
const ATTEMPTS_WHOLE: u32 = 3;
/// ... and before it is handed out as unreadable.
const ATTEMPTS: u32 = 5;

/// The time, as the caller tells it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a watched folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Folder {
    Sent,
    Inbox,
}

/// How far a folder was read; kept by the caller, given back at the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderCursor {
    pub folder: Folder,
    /// The folder that was it: a cursor means nothing in another one.
    pub name: FolderName,
    pub cursor: Cursor,
}

/// What a watcher reports, in order.
#[derive(Clone, Debug)]
pub enum MailboxEvent {
    /// A message that is new since the cursor. It may be reported again after a failure, a restart or
    /// a change of the server's numbering: the Message-ID tells.
    Message {
        folder: Folder,
        uid: u32,
        uid_validity: u32,
        internal_date: Timestamp,
        size_bytes: u32,
        content: Content,
        bytes: Vec<u8>,
    },
    /// After `started_at` the server was asked for new mail in every watched folder, and everything it
    /// showed was reported before this event. What a server accepted it may show a little later: see
    /// [`VISIBILITY_LAG`]. `cursors` names the watched folders: an account without a
    /// folder for sent mail is watched in its inbox alone.
    Synced {
        started_at: Timestamp,
        cursors: Vec<FolderCursor>,
    },
    /// The mailbox cannot be read now. It is tried again at about `retry_at`.
    Failed {
        kind: FailureKind,
        /// What it means for the person who must act.
        code: &'static str,
        /// For the operator; may hold the server's words, so it is not for logs.
        text: String,
        retry_at: Timestamp,
    },
}

/// How long a watcher waits for what.
#[derive(Clone, Copy, Debug)]
pub struct WatchTimings {
    /// IDLE is issued anew after this long: a dead connection is noticed then at the latest.
    pub idle_max: Duration,
    /// How long a connection may take to prove that it is alive, before a fresh one is made.
    pub answer_timeout: Duration,
    /// Between two readings of a folder that IDLE does not cover.
    pub poll_interval: Duration,
    pub retry_delay_min: Duration,
    pub retry_delay_max: Duration,
    /// A server that asks for patience is left alone for this long at least.
    pub throttle_delay_min: Duration,
    /// Refused logins are repeated slowly: providers lock accounts.
    pub auth_retry_delay_min: Duration,
    pub auth_retry_delay_max: Duration,
    /// `sync_now` during back-off brings the next attempt forward, but not nearer than this to the last.
    pub asked_retry_delay_min: Duration,
}

impl Default for WatchTimings {
    fn default() -> Self {
        Self {
            idle_max: Duration::from_secs(300),
            answer_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_secs(60),
            retry_delay_min: Duration::from_secs(1),
            retry_delay_max: Duration::from_secs(300),
            throttle_delay_min: Duration::from_secs(60),
            auth_retry_delay_min: Duration::from_secs(60),
            auth_retry_delay_max: Duration::from_secs(1800),
            asked_retry_delay_min: Duration::from_secs(5),
        }
    }
}

/// What is watched, and from where on.
pub struct WatchConfig {
    pub account: ImapAccount,
    /// From the last [`MailboxEvent::Synced`]; empty at first.
    pub cursors: Vec<FolderCursor>,
    /// How old mail may be that is read where there is no cursor.
    pub look_back: SignedDuration,
    /// The folder of sent mail that somebody chose; else those that are found.
    pub sent: Option<FolderName>,
    pub timings: WatchTimings,
    pub clock: Clock,
}

/// How far the reading of a folder has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub folder: Folder,
    /// Messages that were handed out.
    pub done: u64,
    /// Messages that this reading has found.
    pub total: u64,
}

/// What a watcher tells whoever looks, beside its events.
#[derive(Clone, Debug, Default)]
struct Shown {
    progress: Option<Progress>,
    sent: Vec<FolderName>,
}

/// A running watcher. Dropping it ends the task and its connections.
pub struct MailboxWatcher {
    wake: Arc<Notify>,
    login: watch::Sender<Login>,
    shown: Arc<Mutex<Shown>>,
    task: JoinHandle<()>,
}

impl MailboxWatcher {
    /// Starts to watch. Must be called within a Tokio runtime.
    pub fn spawn(config: WatchConfig) -> (Self, mpsc::Receiver<MailboxEvent>) {
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let (login, logins) = watch::channel(config.account.login.clone());
        let wake = Arc::new(Notify::new());
        let shown = Arc::new(Mutex::new(Shown::default()));
        let task = Task {
            progress: config
                .cursors
                .into_iter()
                .map(|cursor| ((cursor.folder, cursor.name.clone()), cursor))
                .collect(),
            chosen: config.sent,
            shown: Arc::clone(&shown),
            account: config.account,
            look_back: config.look_back,
            timings: config.timings,
            clock: config.clock,
            events,
            wake: Arc::clone(&wake),
            logins,
            lanes: Vec::new(),
            sent: Vec::new(),
            second_lane_after: None,
            connected_at: Instant::now(),
            failures: 0,
            at_work: None,
            suspect: None,
        };
        let watcher = Self {
            wake,
            login,
            shown,
            task: tokio::spawn(task.run()),
        };
        (watcher, receiver)
    }

    /// Asks for a reading now. It starts after this call and ends in a
    /// [`MailboxEvent::Synced`] whose `started_at` is later than it, or in a
    /// [`MailboxEvent::Failed`]. A connection that does not answer at once is replaced.
    pub fn sync_now(&self) {
        self.wake.notify_one();
    }

    /// Takes a new password or token for the next connection. After a refused login it is tried at
    /// once.
    pub fn set_login(&self, login: Login) {
        self.login.send_if_modified(|current| {
            let changed = *current != login;
            *current = login;
            changed
        });
    }

    /// How far a reading under way has come; `None` between readings.
    pub fn progress(&self) -> Option<Progress> {
        lock(&self.shown).progress
    }

    /// The folders of sent mail that are watched, once they are known.
    pub fn sent_folders(&self) -> Vec<FolderName> {
        lock(&self.shown).sent.clone()
    }

    /// Ends the task and waits until it has.
    pub async fn stop(mut self) {
        self.task.abort();
        // Cancelled, or over already: either way it is gone.
        let _ = (&mut self.task).await;
    }
}

impl Drop for MailboxWatcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shown: &Mutex<Shown>) -> std::sync::MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection with the folder it idles on.
struct Lane {
    session: MailSession,
    folder: Folder,
}

/// Why a turn of the task ended before its time.
enum Cut {
    /// Nobody listens any more.
    Unheard,
    /// The connection was lost while nothing was going on; servers do that.
    WhileIdle(ImapError),
    Failed(ImapError),
}

impl From<ImapError> for Cut {
    fn from(error: ImapError) -> Self {
        Self::Failed(error)
    }
}

/// What ended a time of waiting.
enum Woken {
    News,
    Time,
    Asked,
    Unheard,
    Lost(ImapError),
}

/// A message at which reading failed by what the server sent, not by the network.
struct Suspect {
    folder: Folder,
    uid: u32,
    attempts: u32,
}

struct Task {
    account: ImapAccount,
    look_back: SignedDuration,
    timings: WatchTimings,
    clock: Clock,
    events: mpsc::Sender<MailboxEvent>,
    wake: Arc<Notify>,
    logins: watch::Receiver<Login>,
    progress: BTreeMap<(Folder, FolderName), FolderCursor>,
    chosen: Option<FolderName>,
    shown: Arc<Mutex<Shown>>,
    /// One or two; the first reads every folder that has no own.
    lanes: Vec<Lane>,
    /// The one to file in first.
    sent: Vec<FolderName>,
    second_lane_after: Option<Instant>,
    connected_at: Instant,
    /// Failures in a row.
    failures: u32,
    /// The message being fetched.
    at_work: Option<(Folder, u32)>,
    suspect: Option<Suspect>,
}

impl Task {
    async fn run(mut self) {
        loop {
            // The parser is not ours: should it panic on some answer, that is a failure like others.
            let turn = AssertUnwindSafe(self.turn()).catch_unwind().await;
            let cut = match turn {
                Ok(Ok(())) => continue,
                Ok(Err(cut)) => cut,
                Err(_panic) => Cut::Failed(ImapError::Unreadable {
                    during: "reading",
                    text: "the parser gave up".into(),
                }),
            };
            self.lanes.clear();
            self.second_lane_after = None;
            if self.connected_at.elapsed() >= STABLE_AFTER {
                self.failures = 0;
            }
            let (error, quiet) = match cut {
                Cut::Unheard => return,
                Cut::WhileIdle(error) => (error, self.failures == 0),
                Cut::Failed(error) => (error, false),
            };
            if self.recover(error, quiet).await.is_err() {
                return;
            }
        }
    }

    /// Connects what is not connected, reads every folder, waits for a reason to read again.
    async fn turn(&mut self) -> Result<(), Cut> {
        self.connect().await?;
        self.read_folders().await?;
        self.wait().await
    }

    async fn connect(&mut self) -> Result<(), Cut> {
        if self.lanes.is_empty() {
            self.account.login = self.logins.borrow_and_update().clone();
            self.connected_at = Instant::now();
            let session = MailSession::connect(&self.account).await?;
            self.lanes.push(Lane {
                session,
                folder: Folder::Inbox,
            });
            self.sent.clear();
        }
        let Some(first) = self.lanes.first_mut() else {
            return Ok(());
        };
        if self.sent.is_empty() {
            self.sent = match &self.chosen {
                Some(chosen) => vec![chosen.clone()],
                None => first.session.find_all_sent().await?,
            };
            lock(&self.shown).sent = self.sent.clone();
        }
        let wanted = !self.sent.is_empty() && first.session.can_idle() && self.lanes.len() == 1;
        let allowed = self
            .second_lane_after
            .is_none_or(|after| Instant::now() >= after);
        if wanted && allowed {
            match MailSession::connect(&self.account).await {
                Ok(session) => self.lanes.push(Lane {
                    session,
                    folder: Folder::Sent,
                }),
                // Providers limit connections. One is enough, if slower for sent mail.
                Err(error) => {
                    tracing::debug!(kind = ?error.kind(), "no second mailbox connection");
                    self.second_lane_after = Some(Instant::now() + SECOND_LANE_RETRY);
                }
            }
        }
        Ok(())
    }

    /// One pass over all folders, and [`MailboxEvent::Synced`] after it.
    async fn read_folders(&mut self) -> Result<(), Cut> {
        let started_at = (self.clock)();
        // Sent before Inbox: what is answered is known before its answer.
        let mut names = self.sent.clone();
        self.progress
            .retain(|(folder, name), _| *folder == Folder::Inbox || names.contains(name));
        // The first is read last, so that its connection idles on it.
        names.reverse();
        for name in names {
            self.read_folder(Folder::Sent, &name, started_at).await?;
        }
        self.read_folder(Folder::Inbox, &FolderName::inbox(), started_at)
            .await?;
        lock(&self.shown).progress = None;
        let cursors = self.progress.values().cloned().collect();
        self.emit(MailboxEvent::Synced {
            started_at,
            cursors,
        })
        .await
    }

    async fn read_folder(
        &mut self,
        folder: Folder,
        name: &FolderName,
        started_at: Timestamp,
    ) -> Result<(), Cut> {
        let since = started_at
            .checked_sub(self.look_back)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let known = self
            .progress
            .get(&(folder, name.clone()))
            .map(|known| known.cursor);
        let lane = self.lane_of(folder);
        let session = self.session(lane)?;
        let mut pass = session.begin(name, known, since, started_at).await?;
        let mut done = 0;
        loop {
            let total = done + pass.left();
            if total > 0 {
                let progress = Progress {
                    folder,
                    done,
                    total,
                };
                lock(&self.shown).progress = Some(progress);
            }
            let next = pass.next_uid();
            self.at_work = next.map(|uid| (folder, uid));
            let caution = caution(self.suspect.as_ref(), folder, next);
            let session = self.session(lane)?;
            let batch = session.next_batch(&mut pass, caution).await?;
            self.at_work = None;
            let Some(batch) = batch else { break };
            if caution != Caution::None {
                self.suspect = None;
            }
            for message in batch {
                done += 1;
                let uid_validity = pass.uid_validity;
                let uid = message.uid;
                self.emit(MailboxEvent::Message {
                    folder,
                    uid,
                    uid_validity,
                    internal_date: message.internal_date,
                    size_bytes: message.size_bytes,
                    content: message.content,
                    bytes: message.bytes,
                })
                .await?;
                self.advance(
                    folder,
                    name,
                    Cursor {
                        uid_validity,
                        uid_next: uid.saturating_add(1),
                    },
                );
            }
        }
        if let Some(cursor) = pass.cursor() {
            self.advance(folder, name, cursor);
        }
        Ok(())
    }

    fn advance(&mut self, folder: Folder, name: &FolderName, cursor: Cursor) {
        self.progress.insert(
            (folder, name.clone()),
            FolderCursor {
                folder,
                name: name.clone(),
                cursor,
            },
        );
    }

    /// The session of a lane. A folder that cannot be asked is a failure, never an empty one.
    fn session(&mut self, lane: usize) -> Result<&mut MailSession, ImapError> {
        match self.lanes.get_mut(lane) {
            Some(lane) => Ok(&mut lane.session),
            None => Err(ImapError::Closed {
                text: "no connection".into(),
            }),
        }
    }

    fn lane_of(&self, folder: Folder) -> usize {
        self.lanes
            .iter()
            .position(|lane| lane.folder == folder)
            .unwrap_or(0)
    }

    /// Waits for news, for the time of the next reading, or for [`MailboxWatcher::sync_now`].
    async fn wait(&mut self) -> Result<(), Cut> {
        if self.lanes.iter().any(|lane| lane.session.news()) {
            self.failures = 0;
            sleep(PASS_GAP).await;
            return Ok(());
        }
        if self.wake.notified().now_or_never().is_some() {
            return Ok(());
        }
        if self.lanes.iter().all(|lane| lane.session.can_idle()) {
            self.idle().await
        } else {
            self.poll().await
        }
    }

    async fn poll(&mut self) -> Result<(), Cut> {
        let woken = tokio::select! {
            () = sleep(self.timings.poll_interval) => Woken::Time,
            () = self.wake.notified() => Woken::Asked,
            () = self.events.closed() => Woken::Unheard,
        };
        if matches!(woken, Woken::Unheard) {
            return Err(Cut::Unheard);
        }
        let patience = self.timings.answer_timeout;
        let alive = join_all(
            self.lanes
                .iter_mut()
                .map(|lane| lane.session.noop(patience)),
        )
        .await;
        self.keep_alive(alive);
        Ok(())
    }

    async fn idle(&mut self) -> Result<(), Cut> {
        let started = join_all(self.lanes.iter_mut().map(|lane| lane.session.idle_start())).await;
        let mut tags = Vec::new();
        for tag in started {
            tags.push(tag.map_err(Cut::WhileIdle)?);
        }
        let covered = self.sent.is_empty() || (self.lanes.len() > 1 && self.sent.len() == 1);
        let time = match covered {
            true => self.timings.idle_max,
            false => self.timings.idle_max.min(self.timings.poll_interval),
        };
        let woken = {
            let news = self
                .lanes
                .iter_mut()
                .map(|lane| lane.session.idle_news().boxed());
            tokio::select! {
                (first, _, _) = futures::future::select_all(news) => match first {
                    Ok(()) => Woken::News,
                    Err(error) => Woken::Lost(error),
                },
                () = sleep(time) => Woken::Time,
                () = self.wake.notified() => Woken::Asked,
                () = self.events.closed() => Woken::Unheard,
            }
        };
        match woken {
            Woken::Unheard => return Err(Cut::Unheard),
            Woken::Lost(error) => return Err(Cut::WhileIdle(error)),
            Woken::News => sleep(PASS_GAP).await,
            Woken::Time | Woken::Asked => {}
        }
        let patience = self.timings.answer_timeout;
        let done = self
            .lanes
            .iter_mut()
            .zip(&tags)
            .map(|(lane, tag)| lane.session.idle_done(tag, patience));
        let alive = join_all(done).await;
        self.keep_alive(alive);
        Ok(())
    }

    /// Drops connections that did not prove to be alive; the next turn makes fresh ones.
    fn keep_alive(&mut self, alive: Vec<Result<(), ImapError>>) {
        if alive.iter().all(Result::is_ok) {
            self.failures = 0;
        } else {
            // Both go through the same network: one dead, the other is not trusted either.
            self.lanes.clear();
        }
    }

    /// Reports a failure and waits out the back-off.
    async fn recover(&mut self, error: ImapError, quiet: bool) -> Result<(), Cut> {
        let kind = error.kind();
        let code = error.code();
        self.note_suspect(kind);
        let (min, max) = match kind {
            FailureKind::Auth => (
                self.timings.auth_retry_delay_min,
                self.timings.auth_retry_delay_max,
            ),
            FailureKind::Unreachable | FailureKind::Protocol => {
                (self.timings.retry_delay_min, self.timings.retry_delay_max)
            }
        };
        let delay = backoff(self.failures, min, max, self.account.login.user());
        let delay = match error.is_throttling() {
            true => delay.max(self.timings.throttle_delay_min),
            false => delay,
        };
        self.failures = self.failures.saturating_add(1);
        tracing::debug!(?kind, quiet, ?delay, "mailbox connection lost");
        let failed_at = Instant::now();
        if !quiet {
            let retry_at = SignedDuration::try_from(delay)
                .ok()
                .and_then(|delay| (self.clock)().checked_add(delay).ok())
                .unwrap_or(Timestamp::MAX);
            let text = error.explain();
            self.emit(MailboxEvent::Failed {
                kind,
                code,
                text,
                retry_at,
            })
            .await?;
        }
        let mut until = failed_at + delay;
        loop {
            tokio::select! {
                () = sleep_until(until) => return Ok(()),
                () = self.events.closed() => return Err(Cut::Unheard),
                () = self.wake.notified() => match kind {
                    // Asking more often does not make a password right, it may lock the account.
                    FailureKind::Auth => {}
                    FailureKind::Unreachable | FailureKind::Protocol => {
                        until = until.min(failed_at + self.timings.asked_retry_delay_min);
                    }
                },
                changed = self.logins.changed() => {
                    // Without a sender the handle is gone, and this task is about to be.
                    changed.map_err(|_| Cut::Unheard)?;
                    if kind == FailureKind::Auth {
                        self.failures = 0;
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Counts failures at one message, so that it cannot keep the rest of the mailbox away for ever.
    fn note_suspect(&mut self, kind: FailureKind) {
        let at_work = self.at_work.take();
        let (FailureKind::Protocol, Some((folder, uid))) = (kind, at_work) else {
            return;
        };
        let before = match &self.suspect {
            Some(suspect) if suspect.folder == folder && suspect.uid == uid => suspect.attempts,
            Some(_) | None => 0,
        };
        self.suspect = Some(Suspect {
            folder,
            uid,
            attempts: before + 1,
        });
    }

    async fn emit(&mut self, event: MailboxEvent) -> Result<(), Cut> {
        self.events.send(event).await.map_err(|_| Cut::Unheard)
    }
}

fn caution(suspect: Option<&Suspect>, folder: Folder, next: Option<u32>) -> Caution {
    match suspect {
        Some(suspect) if suspect.folder == folder => {
            if next != Some(suspect.uid) {
                // It may be further on: stay careful until it is passed.
                return match next {
                    Some(uid) if uid < suspect.uid => Caution::Alone,
                    Some(_) | None => Caution::None,
                };
            }
            match suspect.attempts {
                0..=ATTEMPTS_WHOLE => Caution::Alone,
                attempts if attempts < ATTEMPTS => Caution::Headers,
                _ => Caution::Skip,
            }
        }
        Some(_) | None => Caution::None,
    }
}

/// Doubles from `min` to `max`, and takes off up to a half, differently for each account: a server that
/// comes back is not met by all of them at once.
fn backoff(failures: u32, min: Duration, max: Duration, account: &str) -> Duration {
    let full = min
        .saturating_mul(2u32.saturating_pow(failures.min(16)))
        .min(max);
    let mut hasher = DefaultHasher::new();
    (account, failures).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 501).unwrap_or(0);
    full.saturating_sub(full.saturating_mul(share) / 1000)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn back_off_grows_to_its_cap_and_differs_between_accounts() {
        let (min, max) = (Duration::from_secs(1), Duration::from_secs(300));
        let mut seen = std::collections::BTreeSet::new();
        for failures in 0..40 {
            for account in ["anna@shop.test", "boss@shop.test"] {
                let full = min.saturating_mul(1 << failures.min(16)).min(max);
                let delay = backoff(failures, min, max, account);
                assert!(delay <= full && delay >= full / 2, "{failures}: {delay:?}");
                seen.insert(delay);
            }
        }
        assert!(seen.len() > 40, "jitter differs");
    }

    #[test]
    fn caution_grows_with_attempts_and_ends_behind_the_message() {
        let suspect = |attempts| Suspect {
            folder: Folder::Inbox,
            uid: 7,
            attempts,
        };
        let at = |attempts, folder, next| caution(Some(&suspect(attempts)), folder, next);
        assert_eq!(at(1, Folder::Inbox, Some(7)), Caution::Alone);
        assert_eq!(at(4, Folder::Inbox, Some(7)), Caution::Headers);
        assert_eq!(at(5, Folder::Inbox, Some(7)), Caution::Skip);
        assert_eq!(at(5, Folder::Inbox, Some(6)), Caution::Alone);
        assert_eq!(at(5, Folder::Inbox, Some(8)), Caution::None);
        assert_eq!(at(5, Folder::Sent, Some(7)), Caution::None);
        assert_eq!(caution(None, Folder::Inbox, Some(7)), Caution::None);
    }
}
