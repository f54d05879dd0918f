//! A contact: who follow-ups go to, what is known of them, and what they allow.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ContactId, ItemId, ListId, MailboxId, SegmentId, Topic};
use crate::value::{Fields, Value};

/// Traits that one contact may have; further ones are left out and counted.
pub const TRAITS_MAX: usize = 500;
/// Sends remembered for frequency caps.
pub const SENDS_MAX: usize = 64;

/// Items of one content list that are remembered as sent.
pub const SEEN_MAX: usize = 1_000;

/// A way to reach a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// Text message.
    Sms,
    /// Telephone call.
    Voice,
    /// WhatsApp message.
    Whatsapp,
    /// Telegram message.
    Telegram,
    /// An HTTP request to a system.
    Webhook,
    /// A printed letter.
    Letter,
}

impl Channel {
    /// All channels, in the order of the journey language.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::Sms,
        Self::Voice,
        Self::Whatsapp,
        Self::Telegram,
        Self::Webhook,
        Self::Letter,
    ];

    /// The word in the journey language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Whatsapp => "whatsapp",
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
            Self::Letter => "letter",
        }
    }

    /// The channel of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.word() == word)
    }
}

/// How an identity names a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// The id in the customer's own system.
    UserId,
    /// An address, lower case.
    Email,
    /// A telephone number in E.164.
    Phone,
    /// A browser's or device's id before sign-up.
    AnonymousId,
}

impl IdentityKind {
    /// The order of trust: the first that is known decides which contact is meant.
    pub const BY_TRUST: [Self; 4] = [Self::UserId, Self::Email, Self::Phone, Self::AnonymousId];

    /// A stable short word for storage and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::AnonymousId => "anonymous_id",
        }
    }
}

/// One name of a contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// In which namespace.
    pub kind: IdentityKind,
    /// The name itself.
    pub value: String,
}

impl Identity {
    /// An address, in lower case and without surrounding space.
    pub fn email(address: &str) -> Self {
        Self {
            kind: IdentityKind::Email,
            value: address.trim().to_lowercase(),
        }
    }

    /// The id in the customer's system.
    pub fn user(id: &str) -> Self {
        Self {
            kind: IdentityKind::UserId,
            value: id.to_owned(),
        }
    }

    /// A browser's or device's id.
    pub fn anonymous(id: &str) -> Self {
        Self {
            kind: IdentityKind::AnonymousId,
            value: id.to_owned(),
        }
    }
}

/// Why a channel of a contact must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The address does not exist or refuses for good.
    HardBounce,
    /// The recipient called a message spam.
    Complaint,
    /// A person of ours said so.
    Manual,
}

/// What a contact said of a channel or a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Wanted.
    Granted,
    /// Not wanted.
    Denied,
}

/// A message that went out, for frequency caps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMark {
    /// When it was accepted.
    pub at: Timestamp,
    /// By which channel.
    pub channel: Channel,
    /// About which topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
}

/// One contact, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// Which one.
    pub id: ContactId,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// What is known of it.
    pub traits: Fields,
    /// Erased on request: nothing may ever be sent.
    pub erased: bool,
    /// Channels that must not be used.
    pub suppressed: BTreeMap<Channel, SuppressionReason>,
    /// Consent by channel; without an entry the workspace's policy decides.
    pub channel_consents: BTreeMap<Channel, Consent>,
    /// Consent by topic.
    pub topic_consents: BTreeMap<Topic, Consent>,
    /// Segments the contact is a member of.
    pub segments: BTreeSet<SegmentId>,
    /// Watched mailboxes that corresponded with the contact: those that rule R1 asks.
    pub mailboxes: BTreeSet<MailboxId>,
    /// Recent sends, oldest first.
    pub sends: Vec<SendMark>,
    /// Items of content lists that were sent, oldest first: none is sent twice.
    pub seen: BTreeMap<ListId, Vec<ItemId>>,
    /// Enrollments so far; the next one's number is one more.
    pub enrollments: u32,
}

impl Contact {
    /// A contact that nothing is known of.
    pub fn new(id: ContactId, now: Timestamp) -> Self {
        Self {
            id,
            created_at: now,
            traits: Fields::new(),
            erased: false,
            suppressed: BTreeMap::new(),
            channel_consents: BTreeMap::new(),
            topic_consents: BTreeMap::new(),
            segments: BTreeSet::new(),
            mailboxes: BTreeSet::new(),
            sends: Vec::new(),
            seen: BTreeMap::new(),
            enrollments: 0,
        }
    }

    /// A text trait.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.traits
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The id of its account, as told by a `group` call.
    pub fn account(&self) -> Option<&Value> {
        self.traits.get("account")?.get("id")
    }

    /// The owner: the user responsible for it, by address.
    pub fn owner(&self) -> Option<&str> {
        self.text("owner")
    }

    /// The address that a channel would use.
    pub fn address(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Email => self.text("email"),
            Channel::Sms | Channel::Voice | Channel::Whatsapp => self.text("phone"),
            Channel::Telegram => self.text("telegram"),
            Channel::Webhook | Channel::Letter => self.text("address"),
        }
    }

    /// Remembers that an item of a content list was sent; the oldest make room.
    pub fn remember_item(&mut self, list: ListId, item: ItemId) {
        let seen = self.seen.entry(list).or_default();
        if !seen.contains(&item) {
            if seen.len() >= SEEN_MAX {
                seen.remove(0);
            }
            seen.push(item);
        }
    }

    /// Remembers a send; the oldest marks make room.
    pub fn remember_send(&mut self, mark: SendMark) {
        if self.sends.len() >= SENDS_MAX {
            self.sends.remove(0);
        }
        self.sends.push(mark);
    }
}
