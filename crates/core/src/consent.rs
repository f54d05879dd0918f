//! What a contact allows, who said so, when, and what proves it (R7).
//!
//! The contact holds the answer in force for each channel and topic; every change goes to a log beside it
//! ([`ConsentChange`]), because a past consent must be provable after it was withdrawn.
//!
//! **Absent:** addresses and network addresses: a proof names texts, pages and messages.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::contact::Channel;
use crate::ids::Topic;

/// Characters of each part of a proof; what is longer is cut.
pub const PROOF_CHARS_MAX: usize = 500;
/// Topics of which one contact may have an answer; further ones are not taken.
pub const TOPICS_MAX: usize = 200;
/// Confirmations that a day may be set to send to one contact.
pub const CONFIRMATIONS_MAX: u8 = 20;

/// What a contact said of a channel or a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Wanted.
    Granted,
    /// Not wanted.
    Denied,
    /// Asked for, and not confirmed yet: no consent.
    Pending,
}

impl Consent {
    /// A stable short word for storage.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Pending => "pending",
        }
    }
}

/// By which way an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A form of a site: anybody may have typed the address.
    Form,
    /// A file.
    Import,
    /// A program of ours.
    Api,
    /// The contact's own page.
    PreferencePage,
    /// A mail that the contact wrote.
    Reply,
    /// The button of a mail program (RFC 8058).
    OneClick,
    /// The link of a message.
    Link,
    /// A confirmation that was asked for by mail.
    DoubleOptIn,
    /// Another contact that became one with this one.
    Merge,
    /// A person of ours.
    Person,
}

impl Source {
    /// Whether a yes that came this way may be somebody else's, so that the owner of the address is asked
    /// where double opt-in is wanted.
    pub const fn needs_confirmation(self) -> bool {
        match self {
            Self::Form | Self::Import | Self::Api => true,
            Self::PreferencePage
            | Self::Reply
            | Self::OneClick
            | Self::Link
            | Self::DoubleOptIn
            | Self::Merge
            | Self::Person => false,
        }
    }
}

/// What shows that an answer was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proof {
    /// What the contact read and agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Arc<str>>,
    /// Which wording of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wording: Option<Arc<str>>,
    /// In which language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Arc<str>>,
    /// On which page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Arc<str>>,
    /// By or in which message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Arc<str>>,
    /// A hash of the program that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Arc<str>>,
}

impl Proof {
    /// The proof within its bounds; `None` when it says nothing.
    pub fn bounded(mut self) -> Option<Box<Self>> {
        for part in [
            &mut self.text,
            &mut self.wording,
            &mut self.language,
            &mut self.url,
            &mut self.message,
            &mut self.agent,
        ] {
            *part = part.take().as_deref().and_then(bounded);
        }
        (self != Self::default()).then(|| Box::new(self))
    }
}

fn bounded(text: &str) -> Option<Arc<str>> {
    let text = text.trim();
    let end = text.char_indices().nth(PROOF_CHARS_MAX);
    let text = end.map_or(text, |(end, _)| &text[..end]);
    (!text.is_empty()).then(|| text.into())
}

/// How an answer came: who told it, and what proves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// By which way; not known of answers that earlier versions kept.
    pub source: Option<Source>,
    /// What proves it.
    pub proof: Option<Box<Proof>>,
}

impl Evidence {
    /// An answer without more proof than its way.
    pub fn of(source: Source) -> Self {
        Self {
            source: Some(source),
            proof: None,
        }
    }

    /// With what proves it.
    pub fn with(self, proof: Proof) -> Self {
        Self {
            proof: proof.bounded(),
            ..self
        }
    }
}

/// The answer in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    /// What.
    pub answer: Consent,
    /// Since when; not known of answers that earlier versions kept.
    pub at: Option<Timestamp>,
    /// By which way, and with what proof.
    pub evidence: Evidence,
}

impl From<Consent> for ConsentRecord {
    /// An answer of which nothing else is known.
    fn from(answer: Consent) -> Self {
        Self {
            answer,
            at: None,
            evidence: Evidence::default(),
        }
    }
}

impl PartialEq<Consent> for ConsentRecord {
    fn eq(&self, other: &Consent) -> bool {
        self.answer == *other
    }
}

/// What an answer is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A channel, whatever it carries.
    Channel(Channel),
    /// A topic, whatever carries it.
    Topic(Topic),
}

impl About {
    /// `channel:email`, `topic:news`.
    pub fn word(&self) -> String {
        match self {
            Self::Channel(channel) => format!("channel:{}", channel.word()),
            Self::Topic(topic) => format!("topic:{topic}"),
        }
    }

    /// What such a word is about.
    pub fn from_word(word: &str) -> Option<Self> {
        match word.split_once(':')? {
            ("channel", name) => Channel::from_word(name).map(Self::Channel),
            ("topic", name) if !name.is_empty() => Some(Self::Topic(Topic::from(name))),
            _other_word => None,
        }
    }
}

/// An answer that was given, for the log of a contact's consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentChange {
    /// When.
    pub at: Timestamp,
    /// About what.
    pub about: About,
    /// What.
    pub answer: Consent,
    /// By which way, and with what proof.
    pub evidence: Evidence,
}

/// Where the owner of an address must confirm that it was them who signed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleOptIn {
    /// These topics.
    pub topics: BTreeSet<Topic>,
    /// And e-mail as a channel.
    pub email: bool,
    /// Questions to one contact within 24 hours.
    pub per_day_max: u8,
    /// How long a question stands.
    pub expiry: SignedDuration,
}

impl Default for DoubleOptIn {
    fn default() -> Self {
        Self {
            topics: BTreeSet::new(),
            email: false,
            per_day_max: 3,
            expiry: SignedDuration::from_hours(7 * 24),
        }
    }
}

impl DoubleOptIn {
    /// Whether a yes to this must be confirmed.
    pub fn concerns(&self, about: &About) -> bool {
        match about {
            About::Channel(channel) => self.email && *channel == Channel::Email,
            About::Topic(topic) => self.topics.contains(topic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_is_about_reads_back() {
        for about in [About::Channel(Channel::Sms), About::Topic("a:b".into())] {
            assert_eq!(About::from_word(&about.word()), Some(about));
        }
        for word in ["", "email", "channel:", "channel:pigeon", "topic:", "x:y"] {
            assert_eq!(About::from_word(word), None, "{word}");
        }
    }

    #[test]
    fn a_proof_is_bounded_and_an_empty_one_is_none() {
        let long: Arc<str> = "я".repeat(PROOF_CHARS_MAX + 1).into();
        let proof = Proof {
            text: Some(long),
            url: Some("  ".into()),
            ..Proof::default()
        };
        let proof = proof.bounded().unwrap();
        assert_eq!(proof.text.unwrap().chars().count(), PROOF_CHARS_MAX);
        assert_eq!(proof.url, None);
        assert_eq!(Proof::default().bounded(), None);
    }
}
