//! A contact: who follow-ups go to, what is known of them, and what they allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::account::{ACCOUNT, Account};
use crate::address;
use crate::consent::{About, ConsentRecord, Source};
use crate::ids::{AccountId, ContactId, ItemId, ListId, MailboxId, Topic};
use crate::preferences::Preferences;
use crate::value::{FieldPath, Fields, Value};

pub use crate::consent::Consent;

/// Traits that one contact may have; further ones are left out and counted.
pub const TRAITS_MAX: usize = 500;
/// The trait that says what is the matter with the trait `email`: [`INVALID`], `disposable` or `role`. Without
/// it nothing is known to be.
pub const EMAIL_STATUS: &str = "email_status";
/// The trait that says on which day the contact is back, as `2027-01-12`: told by an automatic answer, taken back by the
/// contact's own or by a person. Reminders wait for it.
pub const AWAY_UNTIL: &str = "away_until";
/// The status of an address to which nothing can be sent.
pub const INVALID: &str = "invalid";
/// Contacts that one contact may have absorbed: each is one more past to look through.
pub const ABSORBED_MAX: usize = 50;
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

    /// Whether what it carries is read or heard by a person.
    pub const fn reaches_a_person(self) -> bool {
        match self {
            Self::Email
            | Self::Sms
            | Self::Voice
            | Self::Whatsapp
            | Self::Telegram
            | Self::Letter => true,
            Self::Webhook => false,
        }
    }
}

/// How an identity names a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// The id in the customer's own system.
    UserId,
    /// An address in its [normal form](crate::address::normal).
    Email,
    /// A telephone number in E.164.
    Phone,
    /// A Telegram chat or user name, lower case, without `@`.
    Telegram,
    /// A WhatsApp account: its number in E.164.
    Whatsapp,
    /// A browser's or device's id before sign-up.
    AnonymousId,
}

impl IdentityKind {
    /// The order of trust: the first that is known decides which contact is meant.
    pub const BY_TRUST: [Self; 6] = [
        Self::UserId,
        Self::Email,
        Self::Phone,
        Self::Telegram,
        Self::Whatsapp,
        Self::AnonymousId,
    ];

    /// A stable short word for storage and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Telegram => "telegram",
            Self::Whatsapp => "whatsapp",
            Self::AnonymousId => "anonymous_id",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::BY_TRUST.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether a message can be sent there: somebody chose it and answers to it.
    pub const fn is_address(self) -> bool {
        match self {
            Self::Email | Self::Phone | Self::Telegram | Self::Whatsapp => true,
            Self::UserId | Self::AnonymousId => false,
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
    /// An address, in its [normal form](address::normal): the same however it is written.
    pub fn email(address: &str) -> Self {
        Self {
            kind: IdentityKind::Email,
            value: address::normal(address),
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

    /// A telephone number that is in E.164 already.
    pub fn phone(number: &str) -> Self {
        Self {
            kind: IdentityKind::Phone,
            value: number.to_owned(),
        }
    }

    /// A WhatsApp account by its number, in E.164 already.
    pub fn whatsapp(number: &str) -> Self {
        Self {
            kind: IdentityKind::Whatsapp,
            value: number.to_owned(),
        }
    }

    /// A Telegram chat or user name.
    pub fn telegram(name: &str) -> Self {
        let name = name.trim();
        Self {
            kind: IdentityKind::Telegram,
            value: name.strip_prefix('@').unwrap_or(name).to_lowercase(),
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

/// A mail of the contact that began a run, for the limit of what one may write to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailMark {
    /// When the run began.
    pub at: Timestamp,
    /// Which mail, by a hash of its Message-ID.
    pub mail: u64,
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
    /// The account that it belongs to, as it stands; others have the same one.
    pub account: Option<Arc<Account>>,
    /// The revision of the account that it heard of last.
    pub account_heard: u64,
    /// Erased on request: nothing may ever be sent.
    pub erased: bool,
    /// Channels that must not be used.
    pub suppressed: BTreeMap<Channel, SuppressionReason>,
    /// Consent by channel; without an entry the workspace's policy decides.
    pub channel_consents: BTreeMap<Channel, ConsentRecord>,
    /// Consent by topic.
    pub topic_consents: BTreeMap<Topic, ConsentRecord>,
    /// When it was lately asked to confirm a sign-up, oldest first.
    pub asked_at: Vec<Timestamp>,
    /// What it wishes of our messages.
    pub preferences: Preferences,
    /// Watched mailboxes that corresponded with the contact: those that rule R1 asks.
    pub mailboxes: BTreeSet<MailboxId>,
    /// Recent sends, oldest first.
    pub sends: Vec<SendMark>,
    /// Mails of its own that lately began runs, oldest first.
    pub mails_answered: Vec<MailMark>,
    /// Items of content lists that were sent, oldest first: none is sent twice.
    pub seen: BTreeMap<ListId, Vec<ItemId>>,
    /// Enrollments so far; the next one's number is one more.
    pub enrollments: u32,
    /// The contact that it turned out to be: whatever comes for this one is that one's.
    pub merged_into: Option<ContactId>,
    /// Contacts that turned out to be this one: their past is its past too.
    pub absorbed: BTreeSet<ContactId>,
}

impl Contact {
    /// Itself, and whom it absorbed: their past is one.
    pub fn selves(&self) -> impl Iterator<Item = ContactId> + '_ {
        std::iter::once(self.id).chain(self.absorbed.iter().copied())
    }

    /// A contact that nothing is known of.
    pub fn new(id: ContactId, now: Timestamp) -> Self {
        Self {
            id,
            created_at: now,
            traits: Fields::new(),
            account: None,
            account_heard: 0,
            erased: false,
            suppressed: BTreeMap::new(),
            channel_consents: BTreeMap::new(),
            topic_consents: BTreeMap::new(),
            asked_at: Vec::new(),
            preferences: Preferences::default(),
            mailboxes: BTreeSet::new(),
            sends: Vec::new(),
            mails_answered: Vec::new(),
            seen: BTreeMap::new(),
            enrollments: 0,
            merged_into: None,
            absorbed: BTreeSet::new(),
        }
    }

    /// A text trait.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.traits
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The id of the account that it belongs to.
    pub fn account_id(&self) -> Option<&AccountId> {
        self.account.as_ref().map(|account| &account.id)
    }

    /// A trait; under `account`, what is known of its account.
    pub fn told(&self, name: &str) -> Option<&Value> {
        match name {
            ACCOUNT => self.account.as_deref().map(Account::face),
            _own => self.traits.get(name),
        }
    }

    /// Its traits, and its account under `account`: what templates and pages see.
    pub fn face(&self) -> Fields {
        let mut traits = self.traits.clone();
        if let Some(account) = &self.account {
            traits.insert(ACCOUNT.to_owned(), account.face().clone());
        }
        traits
    }

    /// The value that a path leads to below its traits and its account.
    pub fn find(&self, path: &FieldPath) -> Option<&Value> {
        path.below(self.told(path.names.first()?)?)
    }

    /// The owner: the user responsible for it, by address.
    pub fn owner(&self) -> Option<&str> {
        self.text("owner")
    }

    /// Whose contact it is in lists: the owner that is named, else the only mailbox of ours that corresponded with it.
    pub fn responsible(&self) -> Option<String> {
        if let Some(owner) = self
            .owner()
            .map(str::trim)
            .filter(|owner| !owner.is_empty())
        {
            return Some(owner.to_lowercase());
        }
        let mut mailboxes = self.mailboxes.iter();
        match (mailboxes.next(), mailboxes.next()) {
            (Some(only), None) => Some(only.as_str().to_lowercase()),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    /// The address that a channel would use.
    pub fn address(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Email => self
                .text("email")
                .filter(|_| self.text(EMAIL_STATUS) != Some(INVALID)),
            Channel::Sms | Channel::Voice => self.text("phone"),
            Channel::Whatsapp => self.text("whatsapp").or_else(|| self.text("phone")),
            Channel::Telegram => self.text("telegram"),
            Channel::Webhook | Channel::Letter => self.text("address"),
        }
    }

    /// What it said of a channel or a topic.
    pub fn consent(&self, about: &About) -> Option<&ConsentRecord> {
        match about {
            About::Channel(channel) => self.channel_consents.get(channel),
            About::Topic(topic) => self.topic_consents.get(topic),
        }
    }

    /// Whether it asked in the words of a mail to be written to no more.
    pub fn refused_in_words(&self) -> bool {
        let record = self.channel_consents.get(&Channel::Email);
        record.is_some_and(|record| {
            *record == Consent::Denied && record.evidence.source == Some(Source::Reply)
        })
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
