//! Messages, tasks, objects, events and lines of the ledger as they are given out.

use std::collections::BTreeMap;

use relance_core::contact::Channel;
use relance_core::event::{self, EventKind};
use relance_core::ids::ContactId;
use relance_core::journey::Recipient;
use relance_core::ledger::{LedgerEntry, Reason};
use relance_core::subject::{self, relations};
use relance_core::touchpoint::{self, Outcome, TouchpointState};
use relance_core::value::Fields;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A line of the ledger.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LedgerLine {
    /// When.
    pub at: String,
    /// Whose.
    pub contact: String,
    /// What happened: `sent`, `held`, `dropped`, ...
    pub what: String,
    /// Why: a public code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In which journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journey: Option<String>,
    /// In which run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<String>,
    /// At which step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Of which message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touchpoint: Option<String>,
    /// By which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// With which template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The way of a split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Until when it stays so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// More for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl LedgerLine {
    /// A line of core's.
    pub fn of(entry: &LedgerEntry) -> Self {
        Self {
            at: entry.at.to_string(),
            contact: entry.contact.to_string(),
            what: entry.what.to_string(),
            reason: shown(entry.reason),
            journey: shown(entry.journey.as_ref()),
            enrollment: shown(entry.enrollment),
            step: shown(entry.step.as_ref()),
            touchpoint: shown(entry.touchpoint),
            channel: shown(entry.channel.map(Channel::word)),
            template: shown(entry.template.as_ref()),
            variant: shown(entry.variant.as_ref()),
            until: shown(entry.until),
            detail: shown(entry.detail.as_ref()),
        }
    }
}

fn shown(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// What happened to a contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Event {
    /// When.
    pub at: String,
    /// `track`, `identify`, `page`, `screen`, `group`, `alias`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name, of a `track`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What was told with it.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object, required = false)]
    pub properties: Map<String, Value>,
    /// What was told of the contact.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object, required = false)]
    pub traits: Map<String, Value>,
    /// About what: `document/INV-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The sender's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}

impl Event {
    /// An event of core's.
    pub fn of(own: &event::Event) -> Self {
        let kind = match own.kind {
            EventKind::Track => "track",
            EventKind::Identify => "identify",
            EventKind::Page => "page",
            EventKind::Screen => "screen",
            EventKind::Group => "group",
            EventKind::Alias => "alias",
        };
        let filled = |fields: &Fields| -> Map<String, Value> { fields.clone() };
        Self {
            at: own.at.to_string(),
            kind: kind.to_owned(),
            event: Some(own.name.to_string()).filter(|name| !name.is_empty()),
            properties: filled(&own.properties),
            traits: own.traits.as_ref().map(filled).unwrap_or_default(),
            subject: shown(own.subject.as_ref()),
            message_id: shown(own.message_id.as_ref()),
        }
    }
}

/// An object of a contact: a document, a deal, an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Object {
    /// Whose.
    pub contact: String,
    /// `document`, `deal`, `order`, ...
    pub kind: String,
    /// Its id in the customer's own system.
    pub id: String,
    /// What is known of it.
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
    /// The objects that it names, their ids by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub relations: BTreeMap<String, String>,
    /// When it was first told of.
    pub created_at: String,
    /// And last.
    pub updated_at: String,
}

impl Object {
    /// An object of core's.
    pub fn of(owner: ContactId, own: &subject::Object) -> Self {
        Self {
            contact: owner.to_string(),
            kind: own.subject.kind.to_string(),
            id: own.subject.id.to_string(),
            fields: own.fields.clone(),
            relations: relations(own)
                .iter()
                .map(|one| (one.kind.to_string(), one.id.to_string()))
                .collect(),
            created_at: own.created_at.to_string(),
            updated_at: own.updated_at.to_string(),
        }
    }
}

/// A message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Touchpoint {
    /// `tp_` and what names it.
    pub id: String,
    /// To whom, or about whom.
    pub contact: String,
    /// Of which run.
    pub enrollment: String,
    /// Of which journey.
    pub journey: String,
    /// At which step.
    pub step: String,
    /// About what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// By which channel.
    pub channel: String,
    /// With which template.
    pub template: String,
    /// The way of a split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The item of a content list: `list/item`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// To whom, where it is not the contact: `owner`, `role:head`, an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// All subjects of a digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub subjects: Vec<String>,
    /// What a person wrote in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When it was meant.
    pub created_at: String,
    /// Tries on the wire.
    pub attempts: u8,
    /// `queued`, `held`, `awaiting_approval`, `sending`, `accepted`, `refused`, ...
    pub state: String,
    /// Since when, or until when.
    pub at: String,
    /// Why: a public code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// More for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A message as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageRow {
    /// The message.
    #[serde(flatten)]
    pub message: Touchpoint,
    /// How the contact is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_name: Option<String>,
}

impl Touchpoint {
    /// A message of core's.
    pub fn of(own: &touchpoint::Touchpoint) -> Self {
        let (state, at, reason, detail) = match &own.state {
            TouchpointState::Queued { ready_at } => ("queued", *ready_at, None, None),
            TouchpointState::Held { until, reason } => ("held", *until, Some(*reason), None),
            TouchpointState::AwaitingApproval { expires_at, .. } => {
                ("awaiting_approval", *expires_at, None, None)
            }
            TouchpointState::Sending { since } => ("sending", *since, None, None),
            TouchpointState::Settled { at, outcome } => {
                let (state, reason, detail) = outcome_words(outcome);
                (state, *at, reason, detail)
            }
        };
        let item = own.item.as_ref();
        Self {
            id: own.id.to_string(),
            contact: own.id.contact.to_string(),
            enrollment: own.enrollment.to_string(),
            journey: own.journey.to_string(),
            step: own.step.to_string(),
            subject: shown(own.subject.as_ref()),
            channel: own.channel.word().to_owned(),
            template: own.template.to_string(),
            variant: shown(own.variant.as_ref()),
            item: item.map(|(list, item)| format!("{list}/{item}")),
            recipient: recipient(&own.recipient),
            subjects: subjects(own),
            text: shown(own.text.as_ref()),
            created_at: own.created_at.to_string(),
            attempts: own.attempts,
            state: state.to_owned(),
            at: at.to_string(),
            reason: shown(reason),
            detail: shown(detail),
        }
    }
}

/// To whom, where it is not the contact.
fn recipient(recipient: &Recipient) -> Option<String> {
    match recipient {
        Recipient::Contact => None,
        Recipient::Owner => Some("owner".to_owned()),
        Recipient::Role(role) => Some(format!("role:{role}")),
        Recipient::User(user) => Some(user.to_string()),
    }
}

/// All subjects of a digest.
fn subjects(touchpoint: &touchpoint::Touchpoint) -> Vec<String> {
    let all: Vec<String> = touchpoint.subjects().map(ToString::to_string).collect();
    if all.len() > 1 { all } else { Vec::new() }
}

type OutcomeWords<'a> = (&'static str, Option<Reason>, Option<&'a str>);

fn outcome_words(outcome: &Outcome) -> OutcomeWords<'_> {
    match outcome {
        Outcome::Accepted => ("accepted", None, None),
        Outcome::RefusedHard { text, .. } => ("refused", None, Some(text)),
        Outcome::RefusedSoft(text) => ("refused", None, Some(text)),
        Outcome::Postponed { .. } => ("postponed", None, None),
        Outcome::TemplateFailed(text) => ("template_failed", None, Some(text)),
        Outcome::ChannelNotConfigured => ("channel_not_configured", None, None),
        Outcome::Missed => ("missed", None, None),
        Outcome::Withdrawn(reason) => ("withdrawn", Some(*reason), None),
        Outcome::Dropped(reason) => ("dropped", Some(*reason), None),
        Outcome::Unknown => ("unknown", None, None),
    }
}

/// Something for a person to do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// About whom.
    pub contact: String,
    /// Of which journey.
    pub journey: String,
    /// About what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What to do.
    pub title: String,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
}

impl Task {
    /// A task of core's.
    pub fn of(own: &touchpoint::Task) -> Self {
        Self {
            id: own.id.to_string(),
            contact: own.id.contact.to_string(),
            journey: own.journey.to_string(),
            subject: shown(own.subject.as_ref()),
            title: own.title.to_string(),
            assignee: shown(own.assignee.as_ref()),
            created_at: own.created_at.to_string(),
            due_at: shown(own.due_at),
        }
    }
}
