//! Several programs, called nodes, share one workspace: each decides for the contacts of the partitions that it
//! holds, and hands over what concerns others.
//!
//! A node that does not hold a contact may read it, never write it; the store refuses. What it learns of such a
//! contact it leaves in the store in the same batch as all else, and whoever holds the contact takes it in. So
//! what was acknowledged is kept, and is decided once, whichever node goes away when.
//!
//! **Absent:** how a partition is held (see the store), where inputs part (see the turn).

use std::time::Duration;

use relance_core::decide::Input;
use relance_core::ids::{ContactId, MailboxId};
use relance_core::touchpoint::Touchpoint;
use relance_core::world::World;

use crate::ports::{Dispatch, StoreError};

/// Partitions of contacts.
pub const PARTITIONS: usize = 256;
/// Inputs that one turn takes in from other nodes.
pub const TAKEN_IN_PER_TURN_MAX: usize = 2_000;

/// The partition of a contact.
pub fn part_of(contact: ContactId) -> u8 {
    contact.0.to_le_bytes()[0]
}

/// The partition of a mailbox, by which it is known who reads it.
pub fn part_of_mailbox(mailbox: &MailboxId) -> u8 {
    xxhash_rust::xxh3::xxh3_64(mailbox.as_str().as_bytes()).to_le_bytes()[0]
}

/// What is handed over.
#[derive(Debug, Clone, PartialEq)]
pub enum Handed {
    /// Something happened to a contact of another node.
    Input(ContactId, Input),
    /// A mailbox that another node reads should be read now.
    Sync(MailboxId),
}

impl Handed {
    /// Whose holder it is for.
    pub fn part(&self) -> u8 {
        match self {
            Self::Input(contact, _) => part_of(*contact),
            Self::Sync(mailbox) => part_of_mailbox(mailbox),
        }
    }
}

/// Partitions after a heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Held now, in order.
    pub parts: Vec<u8>,
    /// Held now and not at the last heartbeat.
    pub gained: Vec<u8>,
    /// Held at the last heartbeat and not now.
    pub lost: Vec<u8>,
    /// The least number of the configuration that a node goes by, of all that may still commit.
    pub configured: i64,
}

impl Held {
    /// Whether a partition is held now.
    pub fn holds(&self, part: u8) -> bool {
        self.parts.binary_search(&part).is_ok()
    }
}

/// What other nodes did, as numbers that rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct News {
    /// How often the configuration was changed.
    pub configuration: i64,
    /// How often a mailbox was read or became known.
    pub mailboxes: i64,
    /// Whether something lies there to be taken in.
    pub handed: bool,
}

/// What a change was of, for [`Sharing::announce`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Announced {
    /// The configuration: journeys, segments, texts, what stands still, what is to be done to everyone.
    pub configuration: bool,
    /// What is known of mailboxes.
    pub mailboxes: bool,
}

/// A message in flight whose sender is gone.
#[derive(Debug, Clone)]
pub struct Orphaned {
    /// The message.
    pub touchpoint: Touchpoint,
    /// The sender was this node, before it began anew.
    pub was_own: bool,
}

/// A store that several nodes share, as one of them uses it.
pub trait Sharing {
    /// Whether this node decides for the contacts of a partition.
    fn holds(&self, part: u8) -> bool;

    /// How often [`beat`](Self::beat) is wanted.
    fn beat_every(&self) -> Duration;

    /// Lives on, by a configuration of this number; takes a fair share of the partitions, beyond it those in
    /// `wanted`, and gives back what others should have. Between batches, at least three times within the lease's time.
    fn beat(&mut self, configuration: i64, wanted: &[u8]) -> Result<Held, StoreError>;

    /// What is new since it was last asked: one small question.
    fn news(&mut self) -> Result<News, StoreError>;

    /// Tells the other nodes of changes that this batch makes; gives the numbers that the changes have.
    fn announce(&mut self, what: Announced) -> Result<News, StoreError>;

    /// Leaves something for the nodes that hold it; durable with the batch.
    fn hand_over(&mut self, handed: &[Handed]) -> Result<(), StoreError>;

    /// Keeps what nobody can take in now, for an operator to look at.
    fn set_aside(&mut self, handed: &[Handed]) -> Result<(), StoreError>;

    /// Takes what lies there for the partitions held, oldest first; it is gone with the batch.
    fn take_in(&mut self, limit: usize) -> Result<Vec<Handed>, StoreError>;

    /// Messages in flight of the partitions held whose sender is gone.
    fn orphaned(&mut self) -> Result<Vec<Orphaned>, StoreError>;

    /// Gives everything back: others need not wait until the lease is over.
    fn leave(&mut self) -> Result<(), StoreError>;
}

/// What the program round the engine does as a node.
pub trait Node<S>: Send {
    /// Reads the configuration anew, since another node changed it. What of the world does not come from the
    /// store stays.
    fn reload(&mut self, store: &mut S, world: &mut World) -> Result<(), StoreError>;

    /// Works for these partitions from now on: reads their mailboxes, and no longer those of partitions that are
    /// lost. Messages of lost partitions that have not reached the wire are given back.
    fn hold(&mut self, store: &mut S, held: &Held) -> Result<(), StoreError>;

    /// Finds out what became of messages whose sender is gone, and reports it. With each: whether the sender was
    /// this node before it began anew.
    fn find_out(&mut self, messages: Vec<(Dispatch, bool)>);

    /// Whether an asset of this kind is a part of the configuration that [`reload`](Self::reload) reads.
    fn is_configuration(&self, kind: &str) -> bool;
}
