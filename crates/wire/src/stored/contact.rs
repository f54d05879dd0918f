//! A contact's body; its id is the key of its row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::account::Account;
use relance_core::consent::ConsentRecord;
use relance_core::contact::{Channel, Contact, MailMark, SendMark, SuppressionReason};
use relance_core::ids::{AccountId, ContactId, ItemId, ListId, MailboxId, Topic};
use relance_core::value::Fields;
use serde::{Deserialize, Serialize};

use super::consent::{PreferencesV1, RecordV1};
use super::{StoredProblem, Version, bounded, is_false, is_zero, read, text};

const SHAPE: &str = "contact";

#[derive(Debug, Serialize, Deserialize)]
struct ContactV1<'a> {
    v: Version<1>,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "is_empty")]
    traits: Cow<'a, Fields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "is_zero_revision")]
    heard: u64,
    #[serde(default, skip_serializing_if = "is_false")]
    erased: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    suppressed: BTreeMap<Channel, SuppressionReason>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    consents: BTreeMap<Channel, RecordV1>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    topics: BTreeMap<Topic, RecordV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asked: Vec<Timestamp>,
    #[serde(default, skip_serializing_if = "PreferencesV1::is_empty")]
    preferences: PreferencesV1,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    mailboxes: BTreeSet<MailboxId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sends: Vec<SendV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mails: Vec<MailMarkV1>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<ListId, Vec<ItemId>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    runs: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merged_into: Option<ContactId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    absorbed: BTreeSet<ContactId>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MailMarkV1 {
    at: Timestamp,
    mail: u64,
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

fn is_zero_revision(revision: &u64) -> bool {
    *revision == 0
}

fn records<K: Ord + Clone>(own: &BTreeMap<K, ConsentRecord>) -> BTreeMap<K, RecordV1> {
    own.iter()
        .map(|(about, record)| (about.clone(), record.into()))
        .collect()
}

fn read_records<K: Ord>(stored: BTreeMap<K, RecordV1>) -> BTreeMap<K, ConsentRecord> {
    stored
        .into_iter()
        .map(|(about, record)| (about, record.into()))
        .collect()
}

/// The text of a contact.
pub fn contact_text(contact: &Contact) -> Result<String, StoredProblem> {
    let body = ContactV1 {
        v: Version,
        created: contact.created_at,
        traits: bounded(&contact.traits),
        account: contact.account_id().cloned(),
        heard: contact.account_heard,
        erased: contact.erased,
        suppressed: contact.suppressed.clone(),
        consents: records(&contact.channel_consents),
        topics: records(&contact.topic_consents),
        asked: contact.asked_at.clone(),
        preferences: (&contact.preferences).into(),
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
        mails: contact
            .mails_answered
            .iter()
            .map(|mark| MailMarkV1 {
                at: mark.at,
                mail: mark.mail,
            })
            .collect(),
        seen: contact.seen.clone(),
        runs: contact.enrollments,
        merged_into: contact.merged_into,
        absorbed: contact.absorbed.clone(),
    };
    text(SHAPE, &body)
}

/// The contact of a row. Of its account only the id is known: what is known of that is another row.
pub fn read_contact(id: ContactId, stored: &str) -> Result<Contact, StoredProblem> {
    let body: ContactV1<'_> = read(SHAPE, stored)?;
    Ok(Contact {
        id,
        created_at: body.created,
        traits: body.traits.into_owned(),
        account: body.account.map(|id| Arc::new(Account::unknown(id))),
        account_heard: body.heard,
        erased: body.erased,
        suppressed: body.suppressed,
        channel_consents: read_records(body.consents),
        topic_consents: read_records(body.topics),
        asked_at: body.asked,
        preferences: body.preferences.into(),
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
        mails_answered: body
            .mails
            .into_iter()
            .map(|mark| MailMark {
                at: mark.at,
                mail: mark.mail,
            })
            .collect(),
        seen: body.seen,
        enrollments: body.runs,
        merged_into: body.merged_into,
        absorbed: body.absorbed,
    })
}
