//! An engine over a database in memory, with a dispatcher that sends nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::ids::{MailboxId, TouchpointId};
use relance_core::journey::Holdout;
use relance_core::policy::{Policy, ServiceExemption};
use relance_core::time::{Calendar, Zone};
use relance_core::typed::TraitTypes;
use relance_core::world::World;
use relance_engine::ports::{Dispatch, Dispatcher};
use relance_engine::turn::Engine;
use relance_store::SqliteStore;

/// Nothing is sent here: what is handed over stays in flight.
#[derive(Default)]
pub struct Nobody {
    pub room: usize,
    pub flying: Vec<TouchpointId>,
}

impl Dispatcher for Nobody {
    fn capacity(&self) -> usize {
        self.room
    }
    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        self.flying
            .extend(messages.iter().map(|one| one.touchpoint.id));
    }
    fn revoke(&mut self, _id: TouchpointId) {}
    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

pub fn policy() -> Policy {
    Policy {
        zone: Zone::utc(),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: Default::default(),
        caps: Vec::new(),
        opt_in_topics: BTreeSet::new(),
        internal_domains: BTreeSet::from(["shop.test".to_owned()]),
        freemail_domains: BTreeSet::from(["gmail.test".to_owned()]),
        trait_types: TraitTypes::new(),
        approval_expiry: "7d".parse().expect("a delay"),
        service: ServiceExemption::ALL,
        holdout: Holdout::default(),
    }
}

pub fn engine(world: World) -> Engine<SqliteStore, Nobody> {
    let store = SqliteStore::open_in_memory().expect("a store");
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    Engine::new(store, Nobody::default(), world, title).expect("an engine")
}

pub fn at(text: &str) -> Timestamp {
    format!("2026-03-02T{text}Z").parse().expect("a moment")
}
