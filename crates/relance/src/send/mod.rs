//! Sends what the engine claimed: compose, sign, note, hand over, file, report.
//!
//! One dispatcher for all channels: what is not e-mail settles as not configured, its template checked. Each message is a task of its own, so a slow server or a failing template holds up nobody else (R9).
//! **Absent:** whether to send, and what an outcome means; both are core's.

pub mod compose;
mod outcome;
mod people;
pub mod post;
pub mod preview;
mod thread;
pub mod wire_log;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use relance_channels::imap::{self, FolderName, ImapAccount};
use relance_channels::smtp::{self, RouteId, SmtpSender};
use relance_core::contact::Channel;
use relance_core::decide::Input;
use relance_core::ids::{ContactId, MailboxId, TouchpointId};
use relance_core::journey::Recipient;
use relance_core::ledger::Reason;
use relance_core::touchpoint::{Outcome, Touchpoint};
use relance_engine::arrival::Arrival;
use relance_engine::clock::SharedClock;
use relance_engine::ports::{Dispatch, Dispatcher, ThreadEntry};
use relance_engine::run::Handle;
use relance_store::read::Reader;
use tokio::runtime;
use tokio::sync::Semaphore;

use crate::config::{Config, ConfigProblem, Delivery, field};
use crate::examine::Rules;
use crate::mailbox::book::{Book, Entry, Origin};
use crate::workspace::{OUTBOX, set_routes};

use self::compose::{ComposeProblem, Composed, Composer};
use self::wire_log::{Fate, Noted, WireLog};

/// Messages under way at once.
pub const IN_FLIGHT_MAX: usize = 256;
/// The route of messages that do not come from a mailbox.
pub const WORKSPACE_ROUTE: &str = "workspace";
/// How long filing a copy may hold up the report.
const FILE_TIMEOUT: Duration = Duration::from_secs(20);
/// Before each look into a Sent folder for a message whose fate is unknown.
const LOOK_PAUSES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(8),
];
/// How often a polite end looks whether all is sent.
const DRAIN_LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long a message waits when nothing could be noted in the wire log.
const NOTE_FAILED_SECONDS: u32 = 60;

/// Where messages go: to mail servers or, until somebody says so, into a folder, one file each.
pub struct Wire {
    sender: SmtpSender,
    outbox: PathBuf,
    is_outbox: AtomicBool,
}

impl Wire {
    /// The wire of a configuration.
    pub fn new(config: &Config, data: &Path) -> Result<Self, ConfigProblem> {
        let wire = Self {
            sender: SmtpSender::new(),
            outbox: data.join(OUTBOX),
            is_outbox: AtomicBool::new(true),
        };
        wire.go_by(config, data)?;
        Ok(wire)
    }

    /// Goes by another configuration; what is on its way ends as it began.
    fn go_by(&self, config: &Config, data: &Path) -> Result<(), ConfigProblem> {
        let is_outbox = config.workspace.delivery == Delivery::Outbox;
        if is_outbox {
            std::fs::create_dir_all(&self.outbox).map_err(|error| {
                let what = format!("{}: {error}; let it be made", self.outbox.display());
                field("workspace.delivery", what)
            })?;
        } else {
            // Before anything goes by it. A folder needs no servers, nor the files that they are told by.
            set_routes(&self.sender, config, data)?;
        }
        self.is_outbox.store(is_outbox, Ordering::Release);
        Ok(())
    }
}

/// What is to become of a message under way that has not reached the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// It goes.
    Goes,
    /// It was called back.
    CalledBack,
    /// Another node sends it.
    GivenBack,
}

/// The dispatcher of one workspace. Clones share everything.
#[derive(Clone)]
pub struct Sending(Arc<Inner>);

struct Inner {
    runtime: runtime::Handle,
    clock: SharedClock,
    composer: Arc<Composer>,
    rules: Arc<Rules>,
    wire: Wire,
    log: WireLog,
    /// Mailboxes that are sent from, and in which copies are filed.
    book: Arc<Book>,
    /// Those that have a route of their own.
    routed: Mutex<BTreeSet<String>>,
    reader: Arc<Reader>,
    /// Signatures made at once.
    signing: Semaphore,
    /// Messages under way.
    under_way: Mutex<BTreeMap<TouchpointId, Course>>,
    /// No more messages are taken.
    closed: AtomicBool,
    engine: OnceLock<Handle>,
    request_sync: Box<dyn Fn(&MailboxId) + Send + Sync>,
}

impl Sending {
    /// A dispatcher. It reports to nobody until [`Sending::connect`].
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one thing that the workspace owns"
    )]
    pub fn new(
        runtime: runtime::Handle,
        clock: SharedClock,
        composer: Arc<Composer>,
        rules: Arc<Rules>,
        wire: Wire,
        log: WireLog,
        book: Arc<Book>,
        reader: Arc<Reader>,
        request_sync: Box<dyn Fn(&MailboxId) + Send + Sync>,
    ) -> Self {
        Self(Arc::new(Inner {
            runtime,
            clock,
            composer,
            rules,
            wire,
            log,
            book,
            routed: Mutex::default(),
            reader,
            signing: Semaphore::new(
                std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            ),
            under_way: Mutex::default(),
            closed: AtomicBool::new(false),
            engine: OnceLock::new(),
            request_sync,
        }))
    }

    /// Sends where another configuration says, by its mail servers; what is on its way ends on the old ones.
    pub fn set_routes(&self, config: &Config, data: &Path) -> Result<(), ConfigProblem> {
        self.0.wire.go_by(config, data)
    }

    /// Goes by these mailboxes from now on: as senders, and by their routes. One that rests has none, so what it was to
    /// send waits.
    pub fn set_mailboxes(&self, entries: &[Arc<Entry>]) {
        let inner = &self.0;
        inner.composer.set_mailboxes(entries);
        let sender = &inner.wire.sender;
        let mut routed = inner.routed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = std::mem::take(&mut *routed);
        // Routes of the file come with the configuration.
        let here = entries.iter().filter(|entry| entry.origin == Origin::Here);
        for entry in here.filter(|entry| entry.is_usable()) {
            let Some(route) = entry.route.clone() else {
                continue;
            };
            match sender.configure(RouteId::new(entry.address.as_str()), route) {
                Ok(()) => {
                    gone.remove(&entry.address);
                    routed.insert(entry.address.clone());
                }
                Err(problem) => tracing::error!(%problem, "a mailbox cannot send"),
            }
        }
        for address in gone {
            sender.remove(&RouteId::new(address));
        }
    }

    /// Says to whom outcomes are reported.
    pub fn connect(&self, engine: Handle) {
        // A second engine would be a bug of the caller; the first stays.
        let _first_stays = self.0.engine.set(engine);
    }

    /// Takes no more messages and waits until those under way are reported, so that a polite end leaves
    /// none of them in doubt. Those that take longer than `limit` are reconciled at the next start. Not for
    /// network threads.
    pub fn drain(&self, limit: Duration) {
        self.0.closed.store(true, Ordering::Release);
        let begun = Instant::now();
        while begun.elapsed() < limit && !self.0.under_way().is_empty() {
            std::thread::sleep(DRAIN_LOOK_AGAIN);
        }
        let left = self.0.under_way().len();
        if left > 0 {
            tracing::warn!(
                left,
                "messages under way; they are looked into at the next start"
            );
        }
    }

    /// Messages of these contacts are another node's from now on: those that have not reached the wire are given
    /// back to the queue.
    pub fn give_back(&self, is_lost: impl Fn(ContactId) -> bool) {
        for (id, course) in self.0.under_way().iter_mut() {
            if *course == Course::Goes && is_lost(id.contact) {
                *course = Course::GivenBack;
            }
        }
    }

    /// Whether a message is under way here.
    pub fn is_under_way(&self, id: TouchpointId) -> bool {
        self.0.under_way().contains_key(&id)
    }

    /// Finds out what became of messages that were in flight when the program ended (design section 3):
    /// those that were not noted, or were refused, never left; those that were taken did; the others are
    /// looked for in the Sent folder.
    pub fn reconcile(&self, messages: Vec<Dispatch>, noted: &Noted) {
        for dispatch in messages {
            let touchpoint = &dispatch.touchpoint;
            let fate = noted.get(&(touchpoint.id, touchpoint.attempts)).copied();
            self.0.under_way().insert(touchpoint.id, Course::Goes);
            let inner = self.0.clone();
            self.0.runtime.spawn(async move {
                let outcome = match fate {
                    None | Some(Fate::NotLeft) => Outcome::Postponed { seconds: 1 },
                    Some(Fate::Left) => {
                        inner.file_anew(&dispatch).await;
                        Outcome::Accepted
                    }
                    Some(Fate::MayHaveLeft) => inner.look_for(&dispatch).await,
                };
                let left = matches!(outcome, Outcome::Accepted | Outcome::Unknown);
                let message_id = inner
                    .composer
                    .message_id_of(&dispatch)
                    .filter(|_| left)
                    .map(|(message_id, _)| message_id);
                inner.report(&dispatch, outcome, message_id);
            });
        }
    }
}

impl Dispatcher for Sending {
    fn capacity(&self) -> usize {
        if self.0.closed.load(Ordering::Acquire) {
            return 0;
        }
        IN_FLIGHT_MAX.saturating_sub(self.0.under_way().len())
    }

    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        for dispatch in messages {
            let id = dispatch.touchpoint.id;
            self.0.under_way().insert(id, Course::Goes);
            let inner = self.0.clone();
            // Whoever drains either sees the message under way, or is seen here.
            if self.0.closed.load(Ordering::Acquire) {
                inner.report(&dispatch, Outcome::Postponed { seconds: 1 }, None);
                continue;
            }
            self.0.runtime.spawn(async move {
                let work = inner.clone();
                let own = dispatch.clone();
                // A panic in one message must not leave it in flight for ever.
                let done = tokio::spawn(async move {
                    let own = work.with_cause(own).await;
                    work.attempt(&own).await
                });
                let done = done.await;
                let (outcome, message_id) = done.unwrap_or((Outcome::Unknown, None));
                inner.report(&dispatch, outcome, message_id);
            });
        }
    }

    fn revoke(&mut self, id: TouchpointId) {
        if let Some(course) = self.0.under_way().get_mut(&id) {
            *course = Course::CalledBack;
        }
    }

    fn request_sync(&mut self, mailbox: &MailboxId) {
        (self.0.request_sync)(mailbox);
    }
}

impl Inner {
    fn under_way(&self) -> std::sync::MutexGuard<'_, BTreeMap<TouchpointId, Course>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What became of a message that must not reach the wire any more.
    fn kept_back(&self, id: TouchpointId) -> Option<Outcome> {
        match self.under_way().get(&id) {
            Some(Course::CalledBack) => Some(Outcome::Withdrawn(Reason::Exited)),
            Some(Course::GivenBack) => Some(Outcome::Postponed { seconds: 1 }),
            Some(Course::Goes) | None => None,
        }
    }

    /// A notification holds up no run, so its run may have ended and be out of the engine's sight: what began
    /// it is read.
    async fn with_cause(self: &Arc<Self>, mut dispatch: Dispatch) -> Dispatch {
        if dispatch.cause.is_some() || dispatch.touchpoint.recipient == Recipient::Contact {
            return dispatch;
        }
        let inner = self.clone();
        let run = dispatch.touchpoint.enrollment;
        let read = tokio::task::spawn_blocking(move || inner.reader.enrollment(run)).await;
        match read {
            Ok(Ok(run)) => dispatch.cause = run.and_then(|run| run.cause),
            Ok(Err(error)) => tracing::warn!(%error, "the run of a notification cannot be read"),
            Err(_) => tracing::warn!("reading the run of a notification ended early"),
        }
        dispatch
    }

    /// One try. Returns what became of it, and the Message-ID once it left.
    async fn attempt(&self, dispatch: &Dispatch) -> (Outcome, Option<String>) {
        let touchpoint = &dispatch.touchpoint;
        let composed = match touchpoint.channel {
            Channel::Email => self.composer.compose(dispatch, self.clock.now()),
            Channel::Sms
            | Channel::Voice
            | Channel::Whatsapp
            | Channel::Telegram
            | Channel::Webhook
            | Channel::Letter => {
                let outcome = match self.composer.rehearse(dispatch) {
                    Err(ComposeProblem::Template(text)) => Outcome::TemplateFailed(text),
                    Ok(())
                    | Err(
                        ComposeProblem::NoTemplate(_)
                        | ComposeProblem::NoSender(_)
                        | ComposeProblem::NoRecipient(_),
                    ) => Outcome::ChannelNotConfigured,
                };
                return (outcome, None);
            }
        };
        let composed = match composed {
            Ok(composed) => composed,
            Err(problem) => return (unmade(problem), None),
        };
        let composed = match self.sign(composed).await {
            Ok(composed) => composed,
            Err(text) => return (Outcome::TemplateFailed(text), None),
        };
        // What was called back while the mail was made does not go.
        if let Some(outcome) = self.kept_back(touchpoint.id) {
            return (outcome, None);
        }
        let outcome = self.hand_over(touchpoint, &composed).await;
        let taken = match &outcome {
            Outcome::Accepted => Some(true),
            Outcome::Unknown => None,
            Outcome::RefusedHard { .. }
            | Outcome::RefusedSoft(_)
            | Outcome::Postponed { .. }
            | Outcome::TemplateFailed(_)
            | Outcome::ChannelNotConfigured
            | Outcome::Missed
            | Outcome::Withdrawn(_)
            | Outcome::Dropped(_) => Some(false),
        };
        if let Some(taken) = taken {
            self.log.answered(touchpoint.id, touchpoint.attempts, taken);
        }
        if outcome == Outcome::Accepted
            && let Some(mailbox) = &composed.mailbox
            && let Some(place) = self.book.filing(mailbox)
        {
            self.file(&place, &composed).await;
        }
        let left = matches!(outcome, Outcome::Accepted | Outcome::Unknown);
        (outcome, left.then_some(composed.message_id))
    }

    /// Adds the signature of the sender's domain, off the network threads: RSA takes a millisecond.
    async fn sign(&self, mut composed: Composed) -> Result<Composed, String> {
        let domain = composed
            .from
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain);
        let Some(signer) = self.composer.signers.get(&domain.to_lowercase()).cloned() else {
            return Ok(composed);
        };
        let now = self.clock.now();
        let bytes = std::mem::take(&mut composed.bytes);
        // More threads than processors would only take time from the engine's.
        let _turn = self.signing.acquire().await;
        let signed = tokio::task::spawn_blocking(move || signer.sign(&bytes, now)).await;
        match signed {
            Ok(Ok(bytes)) => {
                composed.bytes = bytes;
                Ok(composed)
            }
            Ok(Err(problem)) => Err(problem.to_string()),
            Err(_) => Err("signing ended early".to_owned()),
        }
    }

    async fn hand_over(&self, touchpoint: &Touchpoint, composed: &Composed) -> Outcome {
        let id = touchpoint.id;
        // Asked when the server waits for the body, after everything that takes long: a message is called
        // back until then, and a crash before then leaves no doubt.
        let kept_back = Mutex::new(None);
        let keep = |outcome: Outcome| {
            *kept_back.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            false
        };
        let keep = &keep;
        let note = || -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
            Box::pin(async move {
                if let Some(outcome) = self.kept_back(id) {
                    return keep(outcome);
                }
                if !self.log.note(id, touchpoint.attempts).await {
                    return keep(Outcome::Postponed {
                        seconds: NOTE_FAILED_SECONDS,
                    });
                }
                if let Some(outcome) = self.kept_back(id) {
                    return keep(outcome);
                }
                self.log.leaves(id, touchpoint.attempts)
                    || keep(Outcome::Postponed {
                        seconds: NOTE_FAILED_SECONDS,
                    })
            })
        };
        let outcome = self.over_the_wire(id, composed, &note).await;
        let kept_back = kept_back
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        kept_back.unwrap_or(outcome)
    }

    async fn over_the_wire_as(
        &self,
        id: &str,
        composed: &Composed,
        note: smtp::BeforeBody<'_>,
    ) -> Outcome {
        match self.wire.is_outbox.load(Ordering::Acquire) {
            false => {
                let route = match &composed.mailbox {
                    Some(mailbox) if !self.book.sends_by_workspace(mailbox) => {
                        RouteId::new(mailbox.as_str())
                    }
                    Some(_) | None => RouteId::new(WORKSPACE_ROUTE),
                };
                match smtp::Envelope::new(composed.from.as_str(), composed.to.clone()) {
                    Ok(envelope) => {
                        let outcome = self
                            .wire
                            .sender
                            .send_unless(&route, &envelope, &composed.bytes, note)
                            .await;
                        outcome::read(outcome, &self.rules.inbound)
                    }
                    Err(problem) => Outcome::RefusedHard {
                        text: problem.to_string(),
                        address_is_bad: true,
                    },
                }
            }
            true => {
                if !note().await {
                    return Outcome::Unknown;
                }
                let name = format!("{}-{id}", self.clock.now().as_millisecond());
                let folder = &self.wire.outbox;
                let path = folder.join(format!("{name}.eml"));
                let fresh = folder.join(format!("{name}.tmp"));
                let written = match tokio::fs::write(&fresh, &composed.bytes).await {
                    Ok(()) => tokio::fs::rename(&fresh, &path).await,
                    Err(error) => Err(error),
                };
                match written {
                    Ok(()) => Outcome::Accepted,
                    Err(error) => Outcome::RefusedSoft(format!("the outbox: {error}")),
                }
            }
        }
    }

    /// Files a copy in the Sent folder, once. A copy that cannot be filed is no reason to send again.
    async fn file(
        &self,
        (account, folder): &(ImapAccount, Option<FolderName>),
        composed: &Composed,
    ) {
        let filed = tokio::time::timeout(
            FILE_TIMEOUT,
            imap::ensure_in_sent(
                account,
                folder.as_ref(),
                &composed.message_id,
                &composed.bytes,
            ),
        );
        match filed.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(kind = ?error.kind(), "a sent message could not be filed in Sent");
            }
            Err(_) => tracing::warn!("filing a sent message in Sent took too long"),
        }
    }

    /// Files the copy of a message that left before the program ended, unless that was done.
    async fn file_anew(&self, dispatch: &Dispatch) {
        let Ok(composed) = self.composer.compose(dispatch, self.clock.now()) else {
            // The template is gone: the recipient has the message, the Sent folder will not.
            tracing::warn!("the copy of a sent message could not be made again");
            return;
        };
        let place = composed
            .mailbox
            .as_ref()
            .and_then(|mailbox| self.book.filing(mailbox));
        if let Some(place) = place {
            self.file(&place, &composed).await;
        }
    }

    /// Looks in the Sent folder for a message whose fate is unknown: many providers file what they take.
    async fn look_for(&self, dispatch: &Dispatch) -> Outcome {
        let Some((message_id, mailbox)) = self.composer.message_id_of(dispatch) else {
            return Outcome::Unknown;
        };
        let place = mailbox.and_then(|mailbox| self.book.searching(&mailbox));
        let Some((account, folder)) = place else {
            return Outcome::Unknown;
        };
        for pause in LOOK_PAUSES {
            tokio::time::sleep(pause).await;
            let looked = imap::find_by_message_id(&account, folder.as_ref(), &message_id);
            match tokio::time::timeout(FILE_TIMEOUT, looked).await {
                Ok(Ok(true)) => return Outcome::Accepted,
                // A provider may file a little later than it takes.
                Ok(Ok(false)) | Err(_) => {}
                Ok(Err(error)) => {
                    tracing::warn!(kind = ?error.kind(), "a Sent folder could not be searched");
                }
            }
        }
        Outcome::Unknown
    }

    fn report(&self, dispatch: &Dispatch, outcome: Outcome, message_id: Option<String>) {
        let touchpoint = &dispatch.touchpoint;
        // Held until it is told, so that nobody finds it gone before; and the engine's next claim of the
        // same message comes after.
        let mut under_way = self.under_way();
        under_way.remove(&touchpoint.id);
        let Some(engine) = self.engine.get() else {
            return;
        };
        // An answer belongs to all that the message is about. What is written to us is no conversation with
        // the contact.
        let message_id = message_id.filter(|_| touchpoint.recipient == Recipient::Contact);
        let threads = message_id.map_or_else(Vec::new, |message_id| {
            let mut subjects: Vec<_> = touchpoint.subjects().cloned().map(Some).collect();
            if subjects.is_empty() {
                subjects.push(None);
            }
            let entry = |subject| {
                Arrival::Threaded(ThreadEntry {
                    message_id: message_id.clone(),
                    contact: touchpoint.id.contact,
                    subject,
                })
            };
            subjects.into_iter().map(entry).collect()
        });
        let settle = Arrival::Input {
            contact: touchpoint.id.contact,
            input: Input::Settle {
                touchpoint: touchpoint.id,
                attempt: touchpoint.attempts,
                outcome,
            },
        };
        engine.report(threads.into_iter().chain([settle]).collect());
    }
}

/// What becomes of a message that could not be made.
fn unmade(problem: ComposeProblem) -> Outcome {
    match problem {
        ComposeProblem::Template(text) => Outcome::TemplateFailed(text),
        ComposeProblem::NoTemplate(_) => Outcome::TemplateFailed(problem.to_string()),
        ComposeProblem::NoSender(_) => Outcome::ChannelNotConfigured,
        ComposeProblem::NoRecipient(reason) => Outcome::Dropped(reason),
    }
}
