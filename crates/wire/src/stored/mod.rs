//! The shapes of what a store keeps as JSON text, each with its version.
//!
//! Every text begins with `"v": N`. A text of a version that this program does not know is refused by
//! name, never half read; a shape that changes gets a new version and keeps the reader of the old one.
//! A field or a case may be added to a version where leaving it out means what it meant before: it is left
//! out of the text then, and the schema of the file keeps programs away that do not know it.
//! `tests/golden/*-1.jsonl` is what version 1 wrote, `*-1b.jsonl` what was added to it, for ever.
//!
//! What a store has as the key of a row (contact, number, hash, kind and id) is not repeated in the text.
//!
//! **Absent:** the ledger, timers and counters, which are columns; storage itself (see `relance-store`).

mod account;
mod consent;
mod contact;
mod enrollment;
mod event;
mod event_part;
mod input;
mod mailbox;
mod merge;
mod moves;
mod object;
mod payment;
mod setting;
mod statement;
mod task;
#[cfg(test)]
mod tests;
mod touchpoint;
mod user;
mod watch;

use std::borrow::Cow;
use std::sync::Arc;

use relance_core::ids::{ObjectKind, SubjectRef};
use relance_core::value::{Fields, Value};
use serde::{Deserialize, Serialize};

pub use account::{account_text, read_account};
pub use consent::{consent_text, read_consent, read_reason, reason_word};
pub use contact::{contact_text, read_contact};
pub use enrollment::{enrollment_text, read_enrollment};
pub use event::{event_text, read_event};
pub use event_part::{event_part, read_event_part};
pub use input::{input_text, read_input};
pub use mailbox::{
    MailLogin, MailServer, MailTls, MailToken, Mailbox, NAMES_MAX, mail_token_text, mailbox_text,
    read_mail_token, read_mailbox,
};
pub use merge::{Moved, merge_text, moved_text, read_merge, read_moved, read_undo, undo_text};
pub use moves::{moves_text, read_moves};
pub use object::{object_text, read_object};
pub use payment::{payment_text, read_payment};
pub use setting::{SETTING_BYTES_MAX, StoredSetting, read_setting, setting_text};
pub use statement::{read_statement, statement_text};
pub use task::{read_task, task_text};
pub use touchpoint::{read_touchpoint, touchpoint_text};
pub use user::{
    key_text, read_key, read_session, read_ticket, read_user, session_text, ticket_text, user_text,
};
pub use watch::{read_watch, watch_text};

/// Levels that a value may nest. What lies deeper is stored as null: the reader has a limit of its own,
/// and a text that cannot be read back would hurt more than a lost leaf.
pub const VALUE_DEPTH_MAX: usize = 64;

/// A stored text that is not what this program wrote, or a value that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored {shape} is not readable: {why}; an upgrade of the program may be needed")]
pub struct StoredProblem {
    /// Which shape.
    pub shape: &'static str,
    /// What is wrong with it.
    pub why: String,
}

/// The version of a shape, as the number that stands in its text.
#[derive(Debug, Clone, Copy, Default)]
struct Version<const N: u32>;

impl<const N: u32> Serialize for Version<N> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(N)
    }
}

impl<'de, const N: u32> Deserialize<'de> for Version<N> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u32::deserialize(from)? {
            found if found == N => Ok(Self),
            found => Err(serde::de::Error::custom(format_args!(
                "it is of version {found}, known is version {N}"
            ))),
        }
    }
}

fn text<T: Serialize>(shape: &'static str, value: &T) -> Result<String, StoredProblem> {
    serde_json::to_string(value).map_err(|error| StoredProblem {
        shape,
        why: error.to_string(),
    })
}

fn read<'a, T: Deserialize<'a>>(shape: &'static str, text: &'a str) -> Result<T, StoredProblem> {
    serde_json::from_str(text).map_err(|error| StoredProblem {
        shape,
        why: error.to_string(),
    })
}

/// One object by kind and id.
#[derive(Debug, Serialize, Deserialize)]
struct SubjectV1 {
    kind: ObjectKind,
    id: Arc<str>,
}

impl From<&SubjectRef> for SubjectV1 {
    fn from(subject: &SubjectRef) -> Self {
        Self {
            kind: subject.kind.clone(),
            id: subject.id.clone(),
        }
    }
}

impl From<SubjectV1> for SubjectRef {
    fn from(subject: SubjectV1) -> Self {
        Self {
            kind: subject.kind,
            id: subject.id,
        }
    }
}

/// `fields` as they are, or with what nests deeper than [`VALUE_DEPTH_MAX`] left out.
fn bounded(fields: &Fields) -> Cow<'_, Fields> {
    if fields.values().all(|value| fits(value, VALUE_DEPTH_MAX)) {
        return Cow::Borrowed(fields);
    }
    Cow::Owned(
        fields
            .iter()
            .map(|(name, value)| (name.clone(), cut(value, VALUE_DEPTH_MAX)))
            .collect(),
    )
}

/// Looks at most `levels` deep.
fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(list) => levels > 0 && list.iter().all(|value| fits(value, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|value| fits(value, levels - 1)),
    }
}

fn cut(value: &Value, levels: usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        Value::Array(_) | Value::Object(_) if levels == 0 => Value::Null,
        Value::Array(list) => list.iter().map(|value| cut(value, levels - 1)).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| (name.clone(), cut(value, levels - 1)))
                .collect(),
        ),
    }
}

/// Left out of the text when it says nothing.
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Left out of the text when it says nothing.
fn is_zero(number: &u32) -> bool {
    *number == 0
}
