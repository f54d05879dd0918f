//! Lines of a preview: what a journey would do, and when.

use jiff::Timestamp;
use relance_core::contact::Channel;
use relance_core::play::Seen;
use relance_core::time::Zone;
use serde::Serialize;
use utoipa::ToSchema;

/// One line of `relance journey preview`: a promise to others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
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
