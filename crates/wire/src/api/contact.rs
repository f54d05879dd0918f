//! Contacts and accounts as they are given out, and what contacts allow.

use std::collections::BTreeMap;

use relance_core::account;
use relance_core::consent::{
    About, Consent, ConsentChange, ConsentRecord, Evidence, Proof, Source,
};
use relance_core::contact;
use relance_core::preferences;
use relance_core::suppression;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Contact {
    /// `con_` and a number.
    pub id: String,
    /// When it was first told of.
    pub created_at: String,
    /// What is known of it; its account under `account`.
    #[schema(value_type = Object)]
    pub traits: Map<String, Value>,
    /// The id of its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// `true`: forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased: Option<bool>,
    /// The contact that it turned out to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// Contacts that turned out to be this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub absorbed: Vec<String>,
    /// Channels that must not be used, with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub suppressed: BTreeMap<String, String>,
    /// Answers in force by channel: `granted`, `denied`, `pending`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub channel_consents: BTreeMap<String, String>,
    /// Answers in force by topic.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub topic_consents: BTreeMap<String, String>,
    /// Its own wishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
}

impl Contact {
    /// A contact of core's.
    pub fn of(own: &contact::Contact) -> Self {
        let is_plain = own.preferences == preferences::Preferences::default();
        Self {
            id: own.id.to_string(),
            created_at: own.created_at.to_string(),
            traits: own.face(),
            account: own.account_id().map(ToString::to_string),
            erased: own.erased.then_some(true),
            merged_into: own.merged_into.map(|id| id.to_string()),
            absorbed: own.absorbed.iter().map(ToString::to_string).collect(),
            suppressed: own
                .suppressed
                .iter()
                .map(|(channel, reason)| (channel.word().to_owned(), word(json!(reason))))
                .collect(),
            channel_consents: own
                .channel_consents
                .iter()
                .map(|(channel, record)| (channel.word().to_owned(), answer(record.answer)))
                .collect(),
            topic_consents: own
                .topic_consents
                .iter()
                .map(|(topic, record)| (topic.to_string(), answer(record.answer)))
                .collect(),
            preferences: (!is_plain).then(|| Preferences::of(&own.preferences)),
        }
    }
}

/// The word of a closed set that serde writes as a text.
fn word(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn answer(consent: Consent) -> String {
    consent.word().to_owned()
}

/// An account, without its contacts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Account {
    /// Its id in the customer's own system.
    pub id: String,
    /// What is known of it.
    #[schema(value_type = Object)]
    pub traits: Value,
    /// When it was first told of.
    pub first_seen_at: String,
    /// And last.
    pub last_seen_at: String,
}

impl Account {
    /// An account of core's.
    pub fn of(own: &account::Account) -> Self {
        Self {
            id: own.id.to_string(),
            traits: own.face().clone(),
            first_seen_at: own.first_seen_at.to_string(),
            last_seen_at: own.last_seen_at.to_string(),
        }
    }
}

/// What shows that an answer was given.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ProofShown {
    /// What the contact read and agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which wording of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    /// In which language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// On which page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// By or in which message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// A hash of the program that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

impl ProofShown {
    fn of(own: &Proof) -> Self {
        let text = |one: &Option<std::sync::Arc<str>>| one.as_deref().map(str::to_owned);
        Self {
            text: text(&own.text),
            wording: text(&own.wording),
            language: text(&own.language),
            url: text(&own.url),
            message: text(&own.message),
            agent: text(&own.agent),
        }
    }
}

/// An answer about a channel or topic, with when, how, and what proves it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConsentLine {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// `channel:email`, `topic:news`.
    pub about: String,
    /// `granted`, `denied` or `pending`.
    pub answer: String,
    /// By which way it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofShown>,
}

impl ConsentLine {
    fn new(at: Option<String>, about: &About, answer: Consent, evidence: &Evidence) -> Self {
        Self {
            at,
            about: about.word().to_string(),
            answer: answer.word().to_owned(),
            source: evidence.source.map(|source: Source| word(json!(source))),
            proof: evidence.proof.as_ref().map(|proof| ProofShown::of(proof)),
        }
    }

    /// One that was given.
    pub fn of(change: &ConsentChange) -> Self {
        let at = Some(change.at.to_string());
        Self::new(at, &change.about, change.answer, &change.evidence)
    }

    /// Those in force.
    pub fn in_force(contact: &contact::Contact) -> Vec<Self> {
        let channels = contact.channel_consents.iter();
        let channels = channels.map(|(channel, record)| (About::Channel(*channel), record));
        let topics = contact.topic_consents.iter();
        let topics = topics.map(|(topic, record)| (About::Topic(topic.clone()), record));
        let line = |(about, record): (About, &ConsentRecord)| {
            let at = record.at.map(|at| at.to_string());
            Self::new(at, &about, record.answer, &record.evidence)
        };
        channels.chain(topics).map(line).collect()
    }
}

/// How often a contact wants to hear of us.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FrequencyShown {
    /// Messages at most.
    pub most: u8,
    /// In a `week` or `month`.
    pub per: String,
}

/// A contact's wishes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preferences {
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<FrequencyShown>,
    /// On which days and at which hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub window: Option<Value>,
    /// Nothing before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<String>,
}

impl Preferences {
    /// Wishes of core's.
    pub fn of(own: &preferences::Preferences) -> Self {
        Self {
            frequency: own.frequency.map(|own| FrequencyShown {
                most: own.most(),
                per: word(json!(own.per())),
            }),
            window: own.window.as_ref().map(|window| json!(window)),
            paused_until: own.paused_until.map(|until| until.to_string()),
        }
    }
}

/// An entry of the list of suppressions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Suppression {
    /// `email`, `domain`, `phone`.
    pub kind: String,
    /// What is not reached.
    pub value: String,
    /// `hard_bounce`, `complaint`, `manual`.
    pub reason: String,
    /// Since when.
    pub at: String,
    /// Who put it there.
    pub source: String,
}

impl Suppression {
    /// An entry of core's.
    pub fn of(own: &suppression::Suppression) -> Self {
        Self {
            kind: own.key.kind.word().to_owned(),
            value: own.key.value.to_string(),
            reason: word(json!(own.reason)),
            at: own.at.to_string(),
            source: own.source.to_string(),
        }
    }
}
