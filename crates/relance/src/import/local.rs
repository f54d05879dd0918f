//! An engine for the time of an import, over a data folder on which no server runs: it takes rows in and
//! sends nothing.
//!
//! What rows begin, such as a journey for new members of a segment, begins; its messages wait in the outbox
//! for the server.

use std::sync::Arc;
use std::thread::JoinHandle;

use relance_core::ids::{MailboxId, TouchpointId};
use relance_core::world::World;
use relance_engine::clock::SharedClock;
use relance_engine::ports::{Dispatch, Dispatcher, Store, StoreError};
use relance_engine::run::{self, Handle};
use relance_engine::turn::{Engine, HashIdentity};

use crate::content;

/// Nobody sends: messages stay where they are.
struct Nobody;

impl Dispatcher for Nobody {
    fn capacity(&self) -> usize {
        0
    }

    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        debug_assert!(messages.is_empty(), "there was no room for messages");
    }

    fn revoke(&mut self, _id: TouchpointId) {}

    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

/// The engine's thread.
pub struct Local {
    /// The way to it.
    pub handle: Handle,
    thread: JoinHandle<()>,
}

/// Starts an engine over a store.
pub fn start<S: Store + Send + 'static>(
    store: S,
    world: World,
    hash: HashIdentity,
    clock: &SharedClock,
) -> Result<Local, StoreError> {
    let (handle, intake) = run::intake();
    let mut engine = Engine::new(store, Nobody, world, content::title_writer())?;
    engine.set_identity_hash(hash);
    let clock = Arc::clone(clock);
    let thread = std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || {
            // The store closes with the engine.
            drop(run::run(engine, &intake, &clock, Box::new(|_| {})));
        })
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(Local { handle, thread })
}

impl Local {
    /// Lets the engine finish what waits, and waits for it.
    pub fn stop(self) {
        self.handle.stop();
        // A panic there was reported by the panic hook.
        let _ended = self.thread.join();
    }
}
