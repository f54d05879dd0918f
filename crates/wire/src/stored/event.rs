//! An event, alone in the log or as the cause inside a run.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::event::{Event, EventKind};
use relance_core::ids::EventName;
use relance_core::subject::ObjectPatch;
use relance_core::value::Fields;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, SubjectV1, Version, bounded, read, text};

const SHAPE: &str = "event";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EventV1<'a> {
    v: Version<1>,
    #[serde(default, skip_serializing_if = "KindV1::is_track")]
    kind: KindV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<EventName>,
    at: Timestamp,
    #[serde(rename = "p", default, skip_serializing_if = "is_empty")]
    properties: Cow<'a, Fields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traits: Option<Cow<'a, Fields>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<SubjectV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    objects: Vec<PatchV1<'a>>,
    #[serde(rename = "id", default, skip_serializing_if = "Option::is_none")]
    message_id: Option<Arc<str>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindV1 {
    #[default]
    Track,
    Identify,
    Page,
    Screen,
    Group,
    Alias,
}

impl KindV1 {
    fn is_track(&self) -> bool {
        *self == Self::Track
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct PatchV1<'a> {
    #[serde(flatten)]
    subject: SubjectV1,
    fields: Cow<'a, Fields>,
}

#[expect(clippy::ptr_arg, reason = "serde hands over the field's own type")]
fn is_empty(fields: &Cow<'_, Fields>) -> bool {
    fields.is_empty()
}

impl<'a> From<&'a Event> for EventV1<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            v: Version,
            kind: match event.kind {
                EventKind::Track => KindV1::Track,
                EventKind::Identify => KindV1::Identify,
                EventKind::Page => KindV1::Page,
                EventKind::Screen => KindV1::Screen,
                EventKind::Group => KindV1::Group,
                EventKind::Alias => KindV1::Alias,
            },
            name: Some(event.name.clone()).filter(|name| !name.as_str().is_empty()),
            at: event.at,
            properties: bounded(&event.properties),
            traits: event.traits.as_ref().map(bounded),
            subject: event.subject.as_ref().map(SubjectV1::from),
            objects: event
                .objects
                .iter()
                .map(|patch| PatchV1 {
                    subject: SubjectV1::from(&patch.subject),
                    fields: bounded(&patch.fields),
                })
                .collect(),
            message_id: event.message_id.clone(),
        }
    }
}

impl From<EventV1<'_>> for Event {
    fn from(event: EventV1<'_>) -> Self {
        Self {
            kind: match event.kind {
                KindV1::Track => EventKind::Track,
                KindV1::Identify => EventKind::Identify,
                KindV1::Page => EventKind::Page,
                KindV1::Screen => EventKind::Screen,
                KindV1::Group => EventKind::Group,
                KindV1::Alias => EventKind::Alias,
            },
            name: event.name.unwrap_or_else(|| EventName::from("")),
            at: event.at,
            properties: event.properties.into_owned(),
            traits: event.traits.map(Cow::into_owned),
            subject: event.subject.map(Into::into),
            objects: event
                .objects
                .into_iter()
                .map(|patch| ObjectPatch {
                    subject: patch.subject.into(),
                    fields: patch.fields.into_owned(),
                })
                .collect(),
            message_id: event.message_id,
        }
    }
}

/// The text of an event.
pub fn event_text(event: &Event) -> Result<String, StoredProblem> {
    text(SHAPE, &EventV1::from(event))
}

/// The event of a text.
pub fn read_event(stored: &str) -> Result<Event, StoredProblem> {
    read::<EventV1<'_>>(SHAPE, stored).map(Into::into)
}
