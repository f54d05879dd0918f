//! Every identifier of the house: a type each, readable in a log, parsed back from the same text.
//!
//! Ids of effects are derived from what caused them, so a replay derives the same id and a second
//! effect cannot exist (design rule R6). **Absent:** random ids; whoever needs chance passes it in.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}; expected the form {example}")]
pub struct IdProblem {
    /// What was given, shortened.
    pub text: String,
    /// The kind of id wanted.
    pub expected: &'static str,
    /// An example of a good one.
    pub example: &'static str,
}

fn problem(text: &str, expected: &'static str, example: &'static str) -> IdProblem {
    IdProblem {
        text: text.chars().take(80).collect(),
        expected,
        example,
    }
}

/// A contact. Small integers, given by the store in order of arrival, so that what belongs to one
/// contact lies together in every table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(pub u64);

/// The `number`-th enrollment of a contact: its place in the contact's life, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrollmentId {
    /// Who is enrolled.
    pub contact: ContactId,
    /// Counted from 1 in the contact's life.
    pub number: u32,
}

/// One intended message or task: derived from enrollment, step and visit (R6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TouchpointId {
    /// Who it is meant for; touchpoints lie beside their contact in the store.
    pub contact: ContactId,
    /// Hash of enrollment, step and visit.
    pub hash: u64,
}

impl TouchpointId {
    /// Derives the id of the `visit`-th arrival (from 1) of `enrollment` at `step`.
    ///
    /// ```
    /// use relance_core::ids::*;
    /// let run = EnrollmentId { contact: ContactId(7), number: 1 };
    /// assert_eq!(TouchpointId::derive(run, "2", 1), TouchpointId::derive(run, "2", 1));
    /// assert_ne!(TouchpointId::derive(run, "2", 1), TouchpointId::derive(run, "2", 2));
    /// ```
    pub fn derive(enrollment: EnrollmentId, step: &str, visit: u32) -> Self {
        let mut hasher = Xxh3::new();
        hasher.update(&enrollment.number.to_le_bytes());
        hasher.update(&visit.to_le_bytes());
        hasher.update(step.as_bytes());
        Self {
            contact: enrollment.contact,
            hash: hasher.digest(),
        }
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "con_{}", self.0)
    }
}

impl FromStr for ContactId {
    type Err = IdProblem;

    fn from_str(text: &str) -> Result<Self, IdProblem> {
        text.strip_prefix("con_")
            .and_then(|digits| digits.parse().ok())
            .map(ContactId)
            .ok_or_else(|| problem(text, "a contact id", "con_42"))
    }
}

impl fmt::Display for EnrollmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enr_{}_{}", self.contact.0, self.number)
    }
}

impl FromStr for EnrollmentId {
    type Err = IdProblem;

    fn from_str(text: &str) -> Result<Self, IdProblem> {
        let parse = || {
            let (contact, number) = text.strip_prefix("enr_")?.split_once('_')?;
            Some(Self {
                contact: ContactId(contact.parse().ok()?),
                number: number.parse().ok()?,
            })
        };
        parse().ok_or_else(|| problem(text, "an enrollment id", "enr_42_1"))
    }
}

impl fmt::Display for TouchpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tp_{}_{:016x}", self.contact.0, self.hash)
    }
}

impl FromStr for TouchpointId {
    type Err = IdProblem;

    fn from_str(text: &str) -> Result<Self, IdProblem> {
        let parse = || {
            let (contact, hash) = text.strip_prefix("tp_")?.split_once('_')?;
            if hash.len() != 16 {
                return None;
            }
            Some(Self {
                contact: ContactId(contact.parse().ok()?),
                hash: u64::from_str_radix(hash, 16).ok()?,
            })
        };
        parse().ok_or_else(|| problem(text, "a touchpoint id", "tp_42_00f1e2d3c4b5a697"))
    }
}

/// Serialises through the text form, so that ids look the same in JSON, logs and URLs.
macro_rules! serde_as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
serde_as_text!(ContactId, EnrollmentId, TouchpointId);

/// Declares a name given by people: cheap to clone, ordered, compared as text.
macro_rules! name_type {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

name_type!(
    /// A journey's id as its author wrote it: `offer-no-reply`.
    JourneyId,
    /// A step's key inside a journey: its `id`, or its place (`4.then.1`).
    StepKey,
    /// A template's id without language: `offer-reminder-1`.
    TemplateId,
    /// An event's name: `Order Completed`.
    EventName,
    /// A kind of object: `document`, `deal`, `order`, or any other the user names.
    ObjectKind,
    /// A watched mailbox, by its address in lower case.
    MailboxId,
    /// Someone who logs in, by a stable name.
    UserId,
    /// A preference topic: `news`, `reminders`.
    Topic,
    /// A segment's id.
    SegmentId,
    /// A content list's id: `lessons`.
    ListId,
    /// An item of a content list, by its author's id.
    ItemId,
    /// An arm of a split: `A`.
    Variant,
    /// An account's id as its source gave it: `acme`.
    AccountId,
);

/// What a journey run is about: one object of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubjectRef {
    /// `document`, `deal`, `order`, ...
    pub kind: ObjectKind,
    /// The object's id inside its kind, as its source names it.
    pub id: Arc<str>,
}

impl fmt::Display for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_from_their_text() {
        let run = EnrollmentId {
            contact: ContactId(42),
            number: 3,
        };
        let touchpoint = TouchpointId::derive(run, "4.then.1", 1);
        assert_eq!(run.to_string(), "enr_42_3");
        assert_eq!(run.to_string().parse(), Ok(run));
        assert_eq!(touchpoint.to_string().parse(), Ok(touchpoint));
        assert_eq!("con_7".parse(), Ok(ContactId(7)));
    }

    #[test]
    fn a_wrong_id_says_what_was_expected() {
        let problem = "enr_1".parse::<ContactId>().unwrap_err();
        assert_eq!(
            problem.to_string(),
            r#""enr_1" is not a contact id; expected the form con_42"#
        );
        assert!("tp_1_12".parse::<TouchpointId>().is_err());
    }
}
