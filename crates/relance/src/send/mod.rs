//! Sends what the engine claimed: compose, sign, note, hand over, file, report.
//!
//! Each message is a task of its own, so a slow server or a failing template holds up nobody else (R9).
//! **Absent:** whether to send, and what an outcome means; both are core's.

pub mod compose;
mod outcome;
pub mod wire_log;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use relance_channels::imap::{self, ImapAccount};
use relance_channels::smtp::{self, RouteId, SmtpSender};
use relance_core::contact::Channel;
use relance_core::decide::Input;
use relance_core::ids::{MailboxId, TouchpointId};
use relance_core::ledger::Reason;
use relance_core::touchpoint::Outcome;
use relance_engine::arrival::Arrival;
use relance_engine::clock::SharedClock;
use relance_engine::ports::{Dispatch, Dispatcher, ThreadEntry};
use relance_engine::run::Handle;
use tokio::runtime;

use crate::examine::Rules;

use self::compose::{ComposeProblem, Composed, Composer};
use self::wire_log::WireLog;

/// Messages under way at once.
pub const IN_FLIGHT_MAX: usize = 256;
/// The route of messages that do not come from a mailbox.
pub const WORKSPACE_ROUTE: &str = "workspace";
/// How long filing a copy may hold up the report.
const FILE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a message waits when nothing could be noted in the wire log.
const NOTE_FAILED_SECONDS: u32 = 60;

/// Where messages go.
pub enum Wire {
    /// To mail servers.
    Smtp(SmtpSender),
    /// Into a folder, one file each.
    Outbox(PathBuf),
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
    /// Accounts in which copies are filed, by address.
    accounts: BTreeMap<String, ImapAccount>,
    /// Messages under way, and whether they were called back.
    under_way: Mutex<BTreeMap<TouchpointId, bool>>,
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
        accounts: BTreeMap<String, ImapAccount>,
        request_sync: Box<dyn Fn(&MailboxId) + Send + Sync>,
    ) -> Self {
        Self(Arc::new(Inner {
            runtime,
            clock,
            composer,
            rules,
            wire,
            log,
            accounts,
            under_way: Mutex::default(),
            engine: OnceLock::new(),
            request_sync,
        }))
    }

    /// Says to whom outcomes are reported.
    pub fn connect(&self, engine: Handle) {
        // A second engine would be a bug of the caller; the first stays.
        let _first_stays = self.0.engine.set(engine);
    }

    /// Finds out what became of messages that were in flight when the program ended (design section 3):
    /// those that were not noted never left; the others are looked for in the Sent folder.
    pub fn reconcile(&self, messages: Vec<Dispatch>, noted: &BTreeSet<(TouchpointId, u8)>) {
        for dispatch in messages {
            let id = dispatch.touchpoint.id;
            let was_noted = noted.contains(&(id, dispatch.touchpoint.attempts));
            self.0.under_way().insert(id, false);
            let inner = self.0.clone();
            self.0.runtime.spawn(async move {
                let outcome = if was_noted {
                    inner.look_for(&dispatch).await
                } else {
                    Outcome::Postponed { seconds: 1 }
                };
                inner.report(&dispatch, outcome, None);
            });
        }
    }
}

impl Dispatcher for Sending {
    fn capacity(&self) -> usize {
        IN_FLIGHT_MAX.saturating_sub(self.0.under_way().len())
    }

    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        for dispatch in messages {
            self.0.under_way().insert(dispatch.touchpoint.id, false);
            let inner = self.0.clone();
            self.0.runtime.spawn(async move {
                let work = inner.clone();
                let own = dispatch.clone();
                // A panic in one message must not leave it in flight for ever.
                let done = tokio::spawn(async move { work.attempt(&own).await }).await;
                let (outcome, message_id) = done.unwrap_or((Outcome::Unknown, None));
                inner.report(&dispatch, outcome, message_id);
            });
        }
    }

    fn revoke(&mut self, id: TouchpointId) {
        if let Some(revoked) = self.0.under_way().get_mut(&id) {
            *revoked = true;
        }
    }

    fn request_sync(&mut self, mailbox: &MailboxId) {
        (self.0.request_sync)(mailbox);
    }
}

impl Inner {
    fn under_way(&self) -> std::sync::MutexGuard<'_, BTreeMap<TouchpointId, bool>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_revoked(&self, id: TouchpointId) -> bool {
        self.under_way().get(&id).copied().unwrap_or(false)
    }

    /// One try. Returns what became of it, and the Message-ID once it left.
    async fn attempt(&self, dispatch: &Dispatch) -> (Outcome, Option<String>) {
        let touchpoint = &dispatch.touchpoint;
        if touchpoint.channel != Channel::Email {
            return (Outcome::ChannelNotConfigured, None);
        }
        let composed = match self.composer.compose(dispatch, self.clock.now()) {
            Ok(composed) => composed,
            Err(ComposeProblem::Template(text)) => return (Outcome::TemplateFailed(text), None),
            Err(ComposeProblem::NoSender(_)) => return (Outcome::ChannelNotConfigured, None),
        };
        let composed = match self.sign(composed).await {
            Ok(composed) => composed,
            Err(text) => return (Outcome::TemplateFailed(text), None),
        };
        // What was called back while the mail was made does not go.
        if self.is_revoked(touchpoint.id) {
            return (Outcome::Withdrawn(Reason::Exited), None);
        }
        if !self.log.note(touchpoint.id, touchpoint.attempts).await {
            return (
                Outcome::Postponed {
                    seconds: NOTE_FAILED_SECONDS,
                },
                None,
            );
        }
        if self.is_revoked(touchpoint.id) {
            return (Outcome::Withdrawn(Reason::Exited), None);
        }
        let outcome = self.hand_over(touchpoint.id, &composed).await;
        if outcome == Outcome::Accepted
            && let Some(account) = composed
                .mailbox
                .as_ref()
                .and_then(|mailbox| self.accounts.get(mailbox))
        {
            self.file(account, &composed).await;
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

    async fn hand_over(&self, id: TouchpointId, composed: &Composed) -> Outcome {
        match &self.wire {
            Wire::Smtp(sender) => {
                let route = match &composed.mailbox {
                    Some(mailbox) => RouteId::new(mailbox.as_str()),
                    None => RouteId::new(WORKSPACE_ROUTE),
                };
                match smtp::Envelope::new(composed.from.as_str(), vec![composed.to.clone()]) {
                    Ok(envelope) => {
                        let outcome = sender.send(&route, &envelope, &composed.bytes).await;
                        outcome::read(outcome, &self.rules.inbound)
                    }
                    Err(problem) => Outcome::RefusedHard {
                        text: problem.to_string(),
                        address_is_bad: true,
                    },
                }
            }
            Wire::Outbox(folder) => {
                let name = format!("{}-{id}", self.clock.now().as_millisecond());
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
    async fn file(&self, account: &ImapAccount, composed: &Composed) {
        let filed = tokio::time::timeout(
            FILE_TIMEOUT,
            imap::ensure_in_sent(account, None, &composed.message_id, &composed.bytes),
        );
        match filed.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(kind = ?error.kind(), "a sent message could not be filed in Sent");
            }
            Err(_) => tracing::warn!("filing a sent message in Sent took too long"),
        }
    }

    /// Looks in the Sent folder for a message whose fate is unknown.
    async fn look_for(&self, dispatch: &Dispatch) -> Outcome {
        let Some((message_id, mailbox)) = self.composer.message_id_of(dispatch) else {
            return Outcome::Unknown;
        };
        let Some(account) = mailbox.and_then(|mailbox| self.accounts.get(&mailbox)) else {
            return Outcome::Unknown;
        };
        match imap::find_by_message_id(account, None, &message_id).await {
            Ok(true) => Outcome::Accepted,
            Ok(false) | Err(_) => Outcome::Unknown,
        }
    }

    fn report(&self, dispatch: &Dispatch, outcome: Outcome, message_id: Option<String>) {
        let touchpoint = &dispatch.touchpoint;
        self.under_way().remove(&touchpoint.id);
        let Some(engine) = self.engine.get() else {
            return;
        };
        let thread = message_id.map(|message_id| {
            Arrival::Threaded(ThreadEntry {
                message_id,
                contact: touchpoint.id.contact,
                subject: touchpoint.subject.clone(),
            })
        });
        let settle = Arrival::Input {
            contact: touchpoint.id.contact,
            input: Input::Settle {
                touchpoint: touchpoint.id,
                attempt: touchpoint.attempts,
                outcome,
            },
        };
        engine.report(thread.into_iter().chain([settle]).collect());
    }
}
