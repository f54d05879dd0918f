//! This program as one of several that share a workspace on a server: what it reads anew when another one changed
//! it, which mailboxes it reads, and messages that a gone one left behind.
//!
//! **Absent:** who holds what (see the store), when these are called (see the engine).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use relance_core::ids::ContactId;
use relance_core::world::World;
use relance_engine::ports::{Dispatch, StoreError};
use relance_engine::quiet;
use relance_engine::sharing::{Held, Node, part_of};
use relance_store::AnyStore;
use relance_store::read::Reader;

use crate::access::{self, Access};
use crate::consent::Erased;
use crate::content::{self, Content};
use crate::copy::{self, Guard};
use crate::keys::{self, Keys};
use crate::mailbox::book;
use crate::mailbox::keep::Watching;
use crate::metrics::Metrics;
use crate::scenario::apply::{LIST, TEMPLATE};
use crate::segments::rfm::RFM;
use crate::send::Sending;
use crate::send::compose::Composer;
use crate::send::wire_log::Noted;
use crate::settings::{self, SETTING, Settings};
use crate::vault::Vault;
use crate::workspace::{OpenProblem, empty_world};

/// The program round an engine that shares its store.
pub struct Member {
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whether work that is nobody's own falls to this node.
    pub first: Arc<AtomicBool>,
    /// The configuration of this node; the same on all, but for what tells them apart.
    pub settings: Arc<Settings>,
    /// Makes mails.
    pub composer: Arc<Composer>,
    /// The workspace's secret.
    pub secret: Vec<u8>,
    /// Templates and content lists.
    pub content: Arc<Content>,
    /// Write keys and tokens.
    pub keys: Arc<Keys>,
    /// Who logs in.
    pub access: Arc<Access>,
    /// Whom erasures removed.
    pub erased: Arc<Erased>,
    /// The database, for pages.
    pub reader: Arc<Reader>,
    /// Whether the workspace is a copy.
    pub copy: Arc<Guard>,
    /// Messages.
    pub sending: Sending,
    /// What the wire log told when this program began.
    pub noted: Noted,
    /// Mailboxes.
    pub watching: Arc<Watching>,
    /// Opens the secrets of mailboxes.
    pub vault: Arc<Vault>,
    /// Messages of gone nodes that wait for the release of a copy.
    pub waiting: Mutex<Vec<(Dispatch, bool)>>,
}

impl Member {
    fn load(&self, store: &mut AnyStore, world: &mut World) -> Result<(), OpenProblem> {
        let config = self.settings.look(store)?;
        let mut fresh = empty_world(&config, &self.secret)?;
        self.content.reload(store, &mut fresh)?;
        let settings = config.rfm.settings();
        content::load_segments(store, &settings, &mut fresh)?;
        content::load_journeys(store, &settings, &mut fresh)?;
        fresh.synced = std::mem::take(&mut world.synced);
        fresh.set_all_paused(world.set_all_paused(std::collections::BTreeSet::new()));
        *world = fresh;
        self.keys.reload(store)?;
        self.watching.rules.own.reload(store)?;
        self.access.reload(store)?;
        self.erased.reload(&self.reader)?;
        let watching = &self.watching;
        watching.book.reload(store, &self.vault, &watching.tokens)?;
        watching.apply();
        // Last, so that nothing goes by what the engine does not go by.
        let users = settings::Users {
            composer: &self.composer,
            access: &self.access,
            sending: &self.sending,
        };
        self.settings.go_by(config, &users);
        Ok(())
    }

    /// Tells what the logs say of messages, and lets the rest be looked into.
    fn look_into(&self, messages: Vec<(Dispatch, bool)>) {
        let (own, others): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|(_, was_own)| *was_own);
        let bare = |all: Vec<(Dispatch, bool)>| -> Vec<Dispatch> {
            let messages = all.into_iter().map(|(dispatch, _)| dispatch);
            // What this very program still has under way it reports itself.
            messages
                .filter(|dispatch| !self.sending.is_under_way(dispatch.touchpoint.id))
                .collect()
        };
        self.sending.reconcile(bare(own), &self.noted);
        // Where the log of another node lies, nobody knows.
        let others = bare(others);
        let tries = others.iter().map(|one| copy::attempt_of(&one.touchpoint));
        let doubtful = copy::doubt(&Noted::new(), tries);
        self.sending.reconcile(others, &doubtful);
    }

    fn waiting(&self) -> Vec<(Dispatch, bool)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting)
    }
}

impl Node<AnyStore> for Member {
    fn reload(&mut self, store: &mut AnyStore, world: &mut World) -> Result<(), StoreError> {
        self.load(store, world).map_err(|problem| match problem {
            OpenProblem::Store(error) => error,
            other => StoreError::Unreadable {
                place: "the configuration that another node published".to_owned(),
                what: other.to_string(),
            },
        })?;
        if self.copy.quiet().is_some() && !quiet::is_quiet(store)? {
            tracing::info!("released by another node: messages go again");
            if let Some((unsettled, noted)) = self.copy.released() {
                self.sending.reconcile(unsettled, &noted);
            }
            self.look_into(self.waiting());
        }
        Ok(())
    }

    fn hold(&mut self, _store: &mut AnyStore, held: &Held) -> Result<(), StoreError> {
        self.first
            .store(held.holds(part_of(ContactId(0))), Ordering::Release);
        self.metrics.partitions.set(held.parts.len() as u64);
        self.sending
            .give_back(|contact| held.lost.binary_search(&part_of(contact)).is_ok());
        self.watching.hold(held);
        Ok(())
    }

    fn find_out(&mut self, messages: Vec<(Dispatch, bool)>) {
        if self.copy.quiet().is_some() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.extend(messages);
            return;
        }
        self.look_into(messages);
    }

    fn is_configuration(&self, kind: &str) -> bool {
        [
            TEMPLATE,
            LIST,
            RFM,
            SETTING,
            keys::KIND,
            access::USER,
            book::KIND,
            crate::recognition::own::KIND,
        ]
        .contains(&kind)
    }
}
