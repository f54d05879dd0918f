//! Keeps what runs as the book says: watchers, routes for sending, names of senders.
//!
//! Whatever changed, [`Watching::apply`] compares and does what differs: it may be called at any time, by any node.
//! A mailbox that is no longer read stays known to the engine, so reminders that depend on its silence are held (R1).

use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use relance_core::ids::MailboxId;
use relance_engine::arrival::Arrival;
use relance_engine::clock::SharedClock;
use relance_engine::run::Handle;
use relance_engine::sharing::{Held, part_of_mailbox};
use relance_store::read::Reader;

use super::book::Book;
use super::{Mailboxes, Watched};
use crate::examine::Rules;
use crate::oauth::Tokens;
use crate::send::Sending;

/// What it takes to keep mailboxes watched.
pub struct Watching {
    /// The mailboxes in force.
    pub book: Arc<Book>,
    /// Their tokens.
    pub tokens: Arc<Tokens>,
    /// Those that are watched here.
    pub mailboxes: Arc<Mailboxes>,
    /// Rules of documents, bounces and answers.
    pub rules: Arc<Rules>,
    /// Whom to tell.
    pub engine: Handle,
    /// The moment.
    pub clock: SharedClock,
    /// Where readers run.
    pub runtime: tokio::runtime::Handle,
    /// Where cursors are read.
    pub reader: Arc<Reader>,
    /// What sends.
    pub sending: Sending,
    /// The partitions that are read here; all of them, where there is none.
    pub held: Mutex<Option<Held>>,
    /// One change at a time.
    pub turn: Mutex<()>,
    /// Mailboxes that are tried, and servers that are looked for, at once.
    pub checks: tokio::sync::Semaphore,
}

impl Watching {
    /// Reads the mailboxes of these partitions from now on, and no others.
    pub fn hold(&self, held: &Held) {
        {
            let mut known = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if known
                .as_ref()
                .is_some_and(|known| known.parts == held.parts)
            {
                return;
            }
            *known = Some(held.clone());
        }
        self.apply();
    }

    fn is_held(&self, mailbox: &MailboxId) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref()
            .is_none_or(|held| held.holds(part_of_mailbox(mailbox)))
    }

    /// Does what differs between the book and what runs. Reads the database where a mailbox begins to be watched.
    pub fn apply(&self) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _readers_run_there = self.runtime.enter();
        let entries = self.book.all();
        self.sending.set_mailboxes(&entries);
        let is_wanted = |mailbox: &MailboxId| {
            entries.iter().any(|entry| {
                entry.address == mailbox.as_str() && entry.is_usable() && self.is_held(mailbox)
            })
        };
        for mailbox in self.mailboxes.watched() {
            if !is_wanted(&mailbox) {
                self.mailboxes.unwatch(&mailbox);
            }
        }
        let mut known = None;
        for entry in &entries {
            let mailbox = MailboxId::from(entry.address.as_str());
            if !is_wanted(&mailbox) {
                continue;
            }
            if self.mailboxes.takes_over(entry) {
                continue;
            }
            self.engine.report(vec![Arrival::Watched(mailbox.clone())]);
            let states = known.get_or_insert_with(|| {
                self.reader.mailboxes().unwrap_or_else(|error| {
                    // Read from the look-back then: what was seen before changes nothing.
                    tracing::error!(%error, "where the reading of mailboxes ended is not known");
                    Vec::new()
                })
            });
            let cursors = states
                .iter()
                .find(|state| state.mailbox == mailbox)
                .map_or_else(String::new, |state| state.cursors.clone());
            let watched = Watched {
                mailbox,
                account: entry.account.clone(),
                look_back: SignedDuration::from_hours(24 * i64::from(entry.stored.look_back_days)),
                sent: entry.sent(),
                aliases: entry.stored.aliases.clone(),
                members: entry.stored.members.clone(),
                oauth: entry.oauth().is_some(),
                cursors,
            };
            self.mailboxes.watch(
                watched,
                self.rules.clone(),
                self.engine.clone(),
                self.clock.clone(),
                self.tokens.clone(),
            );
        }
    }
}
