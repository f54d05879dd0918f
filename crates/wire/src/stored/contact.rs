//! A contact's body; its id is the key of its row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use relance_core::contact::{Channel, Consent, Contact, SendMark, SuppressionReason};
use relance_core::ids::{ContactId, ItemId, ListId, MailboxId, SegmentId, Topic};
use relance_core::value::Fields;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, bounded, is_false, is_zero, read, text};

const SHAPE: &str = "contact";

#[derive(Debug, Serialize, Deserialize)]
struct ContactV1<'a> {
    v: Version<1>,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "is_empty")]
    traits: Cow<'a, Fields>,
    #[serde(default, skip_serializing_if = "is_false")]
    erased: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    suppressed: BTreeMap<Channel, SuppressionReason>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    consents: BTreeMap<Channel, Consent>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    topics: BTreeMap<Topic, Consent>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    segments: BTreeSet<SegmentId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    mailboxes: BTreeSet<MailboxId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sends: Vec<SendV1>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<ListId, Vec<ItemId>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    runs: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct SendV1 {
    at: Timestamp,
    channel: Channel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<Topic>,
}

#[expect(clippy::ptr_arg, reason = "serde hands over the field's own type")]
fn is_empty(fields: &Cow<'_, Fields>) -> bool {
    fields.is_empty()
}

/// The text of a contact.
pub fn contact_text(contact: &Contact) -> Result<String, StoredProblem> {
    let body = ContactV1 {
        v: Version,
        created: contact.created_at,
        traits: bounded(&contact.traits),
        erased: contact.erased,
        suppressed: contact.suppressed.clone(),
        consents: contact.channel_consents.clone(),
        topics: contact.topic_consents.clone(),
        segments: contact.segments.clone(),
        mailboxes: contact.mailboxes.clone(),
        sends: contact
            .sends
            .iter()
            .map(|mark| SendV1 {
                at: mark.at,
                channel: mark.channel,
                topic: mark.topic.clone(),
            })
            .collect(),
        seen: contact.seen.clone(),
        runs: contact.enrollments,
    };
    text(SHAPE, &body)
}

/// The contact of a row.
pub fn read_contact(id: ContactId, stored: &str) -> Result<Contact, StoredProblem> {
    let body: ContactV1<'_> = read(SHAPE, stored)?;
    Ok(Contact {
        id,
        created_at: body.created,
        traits: body.traits.into_owned(),
        erased: body.erased,
        suppressed: body.suppressed,
        channel_consents: body.consents,
        topic_consents: body.topics,
        segments: body.segments,
        mailboxes: body.mailboxes,
        sends: body
            .sends
            .into_iter()
            .map(|mark| SendMark {
                at: mark.at,
                channel: mark.channel,
                topic: mark.topic,
            })
            .collect(),
        seen: body.seen,
        enrollments: body.runs,
    })
}
