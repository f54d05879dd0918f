//! The shapes that the management API and the preview give out.
//!
//! Fields that do not apply are left out. Ids are texts, moments are RFC 3339.

pub mod explain;

use jiff::Timestamp;
use relance_core::account::Account;
use relance_core::consent::{About, ConsentChange, ConsentRecord};
use relance_core::contact::{Channel, Contact};
use relance_core::event::{Event, EventKind};
use relance_core::ids::{ContactId, SubjectRef};
use relance_core::journey::Recipient;
use relance_core::ledger::LedgerEntry;
use relance_core::play::Seen;
use relance_core::preferences::Preferences;
use relance_core::subject::{Object, relations};
use relance_core::suppression::Suppression;
use relance_core::time::Zone;
use relance_core::touchpoint::{Outcome, Task, Touchpoint, TouchpointState};
use relance_core::value::Fields;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One line of `relance journey preview`: a promise to others.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PreviewLine {
    /// When, in the contact's zone.
    pub at: String,
    /// What happened: `enrolled`, `would_send`, `held`, ...
    pub what: String,
    /// In which journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journey: Option<String>,
    /// To whom.
    pub contact: String,
    /// At which step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Saying what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// By which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<&'static str>,
    /// The way of a split that the run went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Why: a public code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// More for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// About what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl PreviewLine {
    /// What the player saw, as a line. `contact` is the name the caller gave the contact.
    pub fn new(at: Timestamp, contact: &str, zone: &Zone, seen: &Seen) -> Self {
        let local = |at: Timestamp| zone.rfc3339(at).to_string();
        let line = Self {
            at: local(at),
            what: seen.word().to_owned(),
            contact: contact.to_owned(),
            step: seen.step().map(ToString::to_string),
            ..Self::default()
        };
        match seen {
            Seen::Ledger(entry) => Self {
                journey: entry.journey.as_ref().map(ToString::to_string),
                template: entry.template.as_ref().map(ToString::to_string),
                channel: entry.channel.map(Channel::word),
                variant: entry.variant.as_ref().map(ToString::to_string),
                reason: entry.reason.map(|reason| reason.word()),
                until: entry.until.map(local),
                detail: entry.detail.clone(),
                ..line
            },
            Seen::WouldSend(touchpoint) => Self {
                journey: Some(touchpoint.journey.to_string()),
                template: Some(touchpoint.template.to_string()),
                channel: Some(touchpoint.channel.word()),
                variant: touchpoint.variant.as_ref().map(ToString::to_string),
                detail: touchpoint.item.as_ref().map(|(_, item)| item.to_string()),
                subject: touchpoint.subject.as_ref().map(ToString::to_string),
                ..line
            },
            Seen::Turned { segment, .. } => Self {
                detail: Some(segment.to_string()),
                ..line
            },
        }
    }
}

/// An object without its empty fields.
fn whole(fields: Vec<(&str, Option<Value>)>) -> Value {
    let present = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

fn text(value: impl ToString) -> Option<Value> {
    Some(Value::String(value.to_string()))
}

/// What a contact said, by what it said it of.
fn answers<'a>(records: impl Iterator<Item = (&'a str, &'a ConsentRecord)>) -> Option<Value> {
    let all: serde_json::Map<String, Value> = records
        .map(|(about, record)| (about.to_owned(), json!(record.answer)))
        .collect();
    (!all.is_empty()).then_some(Value::Object(all))
}

/// An answer about a channel or topic, with when, how, and what proves it.
pub fn consent(change: &ConsentChange) -> Value {
    let evidence = &change.evidence;
    whole(vec![
        ("at", text(change.at)),
        ("about", text(change.about.word())),
        ("answer", text(change.answer.word())),
        ("source", evidence.source.map(|source| json!(source))),
        ("proof", evidence.proof.as_ref().map(|proof| json!(proof))),
    ])
}

/// The answers in force, with when, how, and what proves each.
pub fn consents(contact: &Contact) -> Vec<Value> {
    let channels = contact.channel_consents.iter();
    let channels = channels.map(|(channel, record)| (About::Channel(*channel), record));
    let topics = contact.topic_consents.iter();
    let topics = topics.map(|(topic, record)| (About::Topic(topic.clone()), record));
    let shape = |(about, record): (About, &ConsentRecord)| {
        let evidence = &record.evidence;
        whole(vec![
            ("at", record.at.and_then(text)),
            ("about", text(about.word())),
            ("answer", text(record.answer.word())),
            ("source", evidence.source.map(|source| json!(source))),
            ("proof", evidence.proof.as_ref().map(|proof| json!(proof))),
        ])
    };
    channels.chain(topics).map(shape).collect()
}

/// A contact's wishes.
pub fn preferences(own: &Preferences) -> Value {
    let frequency = own
        .frequency
        .map(|own| json!({ "most": own.most(), "per": own.per() }));
    whole(vec![
        ("frequency", frequency),
        ("window", own.window.as_ref().map(|window| json!(window))),
        ("paused_until", own.paused_until.and_then(text)),
    ])
}

/// An entry of the list of suppressions.
pub fn suppression(one: &Suppression) -> Value {
    whole(vec![
        ("kind", text(one.key.kind.word())),
        ("value", text(&one.key.value)),
        ("reason", Some(json!(one.reason))),
        ("at", text(one.at)),
        ("source", text(&one.source)),
    ])
}

/// An account, without its contacts.
pub fn account(account: &Account) -> Value {
    whole(vec![
        ("id", text(&account.id)),
        ("traits", Some(account.face().clone())),
        ("first_seen_at", text(account.first_seen_at)),
        ("last_seen_at", text(account.last_seen_at)),
    ])
}

/// A contact.
pub fn contact(contact: &Contact) -> Value {
    whole(vec![
        ("id", text(contact.id)),
        ("created_at", text(contact.created_at)),
        ("traits", Some(Value::Object(contact.face()))),
        ("account", contact.account_id().and_then(text)),
        ("erased", contact.erased.then_some(Value::Bool(true))),
        ("merged_into", contact.merged_into.and_then(text)),
        (
            "absorbed",
            Some(json!(contact.absorbed)).filter(|_| !contact.absorbed.is_empty()),
        ),
        (
            "suppressed",
            Some(json!(contact.suppressed)).filter(|_| !contact.suppressed.is_empty()),
        ),
        (
            "channel_consents",
            answers(
                contact
                    .channel_consents
                    .iter()
                    .map(|(channel, record)| (channel.word(), record)),
            ),
        ),
        (
            "topic_consents",
            answers(
                contact
                    .topic_consents
                    .iter()
                    .map(|(topic, record)| (topic.as_str(), record)),
            ),
        ),
        (
            "preferences",
            Some(preferences(&contact.preferences))
                .filter(|_| contact.preferences != Preferences::default()),
        ),
    ])
}

/// A line of the ledger.
pub fn ledger_line(entry: &LedgerEntry) -> Value {
    whole(vec![
        ("at", text(entry.at)),
        ("contact", text(entry.contact)),
        ("what", text(entry.what)),
        ("reason", entry.reason.and_then(text)),
        ("journey", entry.journey.as_ref().and_then(text)),
        ("enrollment", entry.enrollment.and_then(text)),
        ("step", entry.step.as_ref().and_then(text)),
        ("touchpoint", entry.touchpoint.and_then(text)),
        ("channel", entry.channel.map(Channel::word).and_then(text)),
        ("template", entry.template.as_ref().and_then(text)),
        ("variant", entry.variant.as_ref().and_then(text)),
        ("until", entry.until.and_then(text)),
        ("detail", entry.detail.as_ref().and_then(text)),
    ])
}

/// What happened to a contact.
pub fn event(event: &Event) -> Value {
    let kind = match event.kind {
        EventKind::Track => "track",
        EventKind::Identify => "identify",
        EventKind::Page => "page",
        EventKind::Screen => "screen",
        EventKind::Group => "group",
        EventKind::Alias => "alias",
    };
    let filled = |fields: &Fields| (!fields.is_empty()).then(|| Value::Object(fields.clone()));
    whole(vec![
        ("at", text(event.at)),
        ("type", text(kind)),
        (
            "event",
            text(&event.name).filter(|_| !event.name.as_str().is_empty()),
        ),
        ("properties", filled(&event.properties)),
        ("traits", event.traits.as_ref().and_then(filled)),
        ("subject", event.subject.as_ref().and_then(text)),
        ("message_id", event.message_id.as_ref().and_then(text)),
    ])
}

/// An object of a contact: a document, a deal, an order.
pub fn object(owner: ContactId, object: &Object) -> Value {
    whole(vec![
        ("contact", text(owner)),
        ("kind", text(&object.subject.kind)),
        ("id", text(&object.subject.id)),
        ("fields", Some(Value::Object(object.fields.clone()))),
        ("relations", named(object)),
        ("created_at", text(object.created_at)),
        ("updated_at", text(object.updated_at)),
    ])
}

/// The objects that an object names, their ids by kind.
fn named(object: &Object) -> Option<Value> {
    let named = relations(object);
    let ids = named
        .iter()
        .map(|one| (one.kind.to_string(), json!(&*one.id)));
    (!named.is_empty()).then(|| Value::Object(ids.collect()))
}

/// A message.
pub fn touchpoint(touchpoint: &Touchpoint) -> Value {
    let (state, at, reason, detail) = match &touchpoint.state {
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
    whole(vec![
        ("id", text(touchpoint.id)),
        ("contact", text(touchpoint.id.contact)),
        ("enrollment", text(touchpoint.enrollment)),
        ("journey", text(&touchpoint.journey)),
        ("step", text(&touchpoint.step)),
        ("subject", touchpoint.subject.as_ref().and_then(text)),
        ("channel", text(touchpoint.channel.word())),
        ("template", text(&touchpoint.template)),
        ("variant", touchpoint.variant.as_ref().and_then(text)),
        (
            "item",
            touchpoint
                .item
                .as_ref()
                .and_then(|(list, item)| text(format_args!("{list}/{item}"))),
        ),
        ("recipient", recipient(&touchpoint.recipient)),
        ("subjects", subjects(touchpoint)),
        ("text", touchpoint.text.as_ref().and_then(text)),
        ("created_at", text(touchpoint.created_at)),
        ("attempts", Some(json!(touchpoint.attempts))),
        ("state", text(state)),
        ("at", text(at)),
        ("reason", reason.and_then(text)),
        ("detail", detail.and_then(text)),
    ])
}

/// To whom, where it is not the contact.
fn recipient(recipient: &Recipient) -> Option<Value> {
    match recipient {
        Recipient::Contact => None,
        Recipient::Owner => text("owner"),
        Recipient::Role(role) => text(format_args!("role:{role}")),
        Recipient::User(user) => text(user),
    }
}

/// All subjects of a digest.
fn subjects(touchpoint: &Touchpoint) -> Option<Value> {
    let all: Vec<String> = touchpoint.subjects().map(ToString::to_string).collect();
    (all.len() > 1).then(|| json!(all))
}

type OutcomeWords<'a> = (
    &'static str,
    Option<relance_core::ledger::Reason>,
    Option<&'a str>,
);

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
pub fn task(task: &Task) -> Value {
    let subject: Option<&SubjectRef> = task.subject.as_ref();
    whole(vec![
        ("id", text(task.id)),
        ("contact", text(task.id.contact)),
        ("journey", text(&task.journey)),
        ("subject", subject.and_then(text)),
        ("title", text(&task.title)),
        ("assignee", task.assignee.as_ref().and_then(text)),
        ("created_at", text(task.created_at)),
        ("due_at", task.due_at.and_then(text)),
    ])
}
