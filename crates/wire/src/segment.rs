//! The Segment HTTP specification: what the SDKs send, to events.
//!
//! Lenient where real clients are (numbers for ids, nulls, missing `type` on a single call), strict on
//! size. A call that cannot be used is refused with its reason; its neighbours in a batch are not.

mod names;

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::document;
use relance_core::event::{Event, EventKind};
use relance_core::ids::{EventName, ObjectKind};
use relance_core::subject::patch_of;
use relance_core::time::Zone;
use relance_core::value::{Fields, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Bytes of one request (Segment: 500 KB a batch).
pub const REQUEST_BYTES_MAX: usize = 500 * 1024;
/// Bytes of one call (Segment: 32 KB).
pub const CALL_BYTES_MAX: usize = 32 * 1024;
/// Characters of an id or an event's name.
pub const NAME_CHARS_MAX: usize = 256;
/// The property of a `track` call that keeps what the client's clock said, where it ran too far ahead.
pub const TOLD_AT: &str = "told_at";
/// How far a client's clock may run ahead before that is noted; nothing happens in the future either way.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Kinds of objects that are kept even where no journey is about them: registries show them.
pub(crate) const OBJECT_KINDS: [&str; 4] = ["document", "deal", "order", "cart"];

/// One usable call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Whose, most trusted first.
    pub identities: Vec<Identity>,
    /// What happened.
    pub event: Event,
}

/// Why a call is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallProblem {
    /// Not JSON, or not an object of this shape.
    #[error("not a JSON object of the Segment specification: {0}")]
    Malformed(String),
    /// Larger than the specification allows.
    #[error("{what} has {bytes} bytes, more than {most}; send less at a time")]
    TooLarge {
        /// The call or the request.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// No identity.
    #[error("userId and anonymousId are both missing; set one of them")]
    NoIdentity,
    /// `type` is not one of the six.
    #[error("type {0:?} is not known; use identify, track, page, screen, group or alias")]
    UnknownType(String),
    /// A field that the type needs.
    #[error("{field} is missing; a {call} call needs it")]
    Missing {
        /// Which.
        field: &'static str,
        /// Of which type.
        call: &'static str,
    },
    /// A field that is too long.
    #[error("{field} is longer than {NAME_CHARS_MAX} characters; shorten it")]
    TooLong {
        /// Which.
        field: &'static str,
    },
}

impl CallProblem {
    /// A short stable code for counting.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::NoIdentity => "no_identity",
            Self::UnknownType(_) => "unknown_type",
            Self::Missing { .. } => "missing_field",
            Self::TooLong { .. } => "too_long",
        }
    }
}

/// The six calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallType(pub EventKind);

impl CallType {
    /// From the word in `type` or in the path, long or short.
    pub fn from_word(word: &str) -> Option<Self> {
        let kind = match word {
            "identify" | "i" => EventKind::Identify,
            "track" | "t" => EventKind::Track,
            "page" | "p" => EventKind::Page,
            "screen" | "s" => EventKind::Screen,
            "group" | "g" => EventKind::Group,
            "alias" | "a" => EventKind::Alias,
            _other => return None,
        };
        Some(Self(kind))
    }

    const fn word(self) -> &'static str {
        match self.0 {
            EventKind::Track => "track",
            EventKind::Identify => "identify",
            EventKind::Page => "page",
            EventKind::Screen => "screen",
            EventKind::Group => "group",
            EventKind::Alias => "alias",
        }
    }
}

/// A request with many calls.
#[derive(Debug)]
pub struct Batch {
    /// The calls, or why each is of no use.
    pub calls: Vec<Result<Call, CallProblem>>,
    /// A key in the body, as the browser SDK sends it.
    pub write_key: Option<String>,
}

#[derive(Deserialize)]
struct RawBatch<'a> {
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
    #[serde(default, rename = "sentAt")]
    sent_at: Option<Value>,
    #[serde(default, rename = "writeKey")]
    write_key: Option<String>,
    #[serde(default)]
    context: Option<Fields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCall {
    #[serde(default, rename = "type")]
    call: Option<String>,
    #[serde(default)]
    user_id: Option<Value>,
    #[serde(default)]
    anonymous_id: Option<Value>,
    #[serde(default)]
    previous_id: Option<Value>,
    #[serde(default)]
    group_id: Option<Value>,
    #[serde(default)]
    message_id: Option<Value>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    properties: Option<Fields>,
    #[serde(default)]
    traits: Option<Fields>,
    #[serde(default)]
    context: Option<Fields>,
    #[serde(default)]
    timestamp: Option<Value>,
    #[serde(default)]
    original_timestamp: Option<Value>,
    #[serde(default)]
    sent_at: Option<Value>,
    #[serde(default)]
    write_key: Option<String>,
}

/// Reads a `/v1/batch` body. Telephone numbers without a country code are of no country.
pub fn parse_batch(body: &[u8], received_at: Timestamp) -> Result<Batch, CallProblem> {
    parse_batch_in(body, received_at, None)
}

/// Reads a `/v1/batch` body. Telephone numbers without a country code are read as of `country`.
pub fn parse_batch_in(
    body: &[u8],
    received_at: Timestamp,
    country: Option<&str>,
) -> Result<Batch, CallProblem> {
    check_size("the request", body.len(), REQUEST_BYTES_MAX)?;
    check_object(body)?;
    let raw: RawBatch<'_> = serde_json::from_slice(body).map_err(malformed)?;
    let shift = shift(raw.sent_at.as_ref(), received_at);
    let calls = raw
        .batch
        .iter()
        .map(|call| {
            let shared = Shared {
                context: raw.context.as_ref(),
                shift,
                country,
            };
            read(call.get(), None, shared, received_at)
        })
        .map(|read| read.map(|(call, _)| call))
        .collect();
    Ok(Batch {
        calls,
        write_key: raw.write_key,
    })
}

/// Reads the body of a single call; `call` is what the path says. Returns the key in the body, too.
pub fn parse_call(
    body: &[u8],
    call: Option<CallType>,
    received_at: Timestamp,
) -> Result<(Call, Option<String>), CallProblem> {
    parse_call_in(body, call, received_at, None)
}

/// Reads the body of a single call as [`parse_call`] does; telephone numbers without a country code are read
/// as of `country`.
pub fn parse_call_in(
    body: &[u8],
    call: Option<CallType>,
    received_at: Timestamp,
    country: Option<&str>,
) -> Result<(Call, Option<String>), CallProblem> {
    let text = std::str::from_utf8(body).map_err(malformed)?;
    let shared = Shared {
        country,
        ..Shared::default()
    };
    read(text, call, shared, received_at)
}

/// What calls of one request have in common.
#[derive(Clone, Copy, Default)]
struct Shared<'a> {
    context: Option<&'a Fields>,
    shift: Option<SignedDuration>,
    country: Option<&'a str>,
}

fn check_size(what: &'static str, bytes: usize, most: usize) -> Result<(), CallProblem> {
    if bytes > most {
        Err(CallProblem::TooLarge { what, bytes, most })
    } else {
        Ok(())
    }
}

/// Serde would take a list for an object, its members by their places.
fn check_object(text: &[u8]) -> Result<(), CallProblem> {
    match text.trim_ascii_start().first() {
        Some(b'[') => Err(malformed("a list stands where an object should")),
        Some(_) | None => Ok(()),
    }
}

fn malformed(error: impl fmt::Display) -> CallProblem {
    CallProblem::Malformed(error.to_string())
}

fn read(
    text: &str,
    call: Option<CallType>,
    shared: Shared<'_>,
    received_at: Timestamp,
) -> Result<(Call, Option<String>), CallProblem> {
    check_size("the call", text.len(), CALL_BYTES_MAX)?;
    check_object(text.as_bytes())?;
    let mut raw: RawCall = serde_json::from_str(text).map_err(malformed)?;
    let call = match (call, &raw.call) {
        (Some(call), _) => call,
        (None, Some(word)) => CallType::from_word(word)
            .ok_or_else(|| CallProblem::UnknownType(word.chars().take(40).collect()))?,
        (None, None) => {
            return Err(CallProblem::Missing {
                field: "type",
                call: "batched",
            });
        }
    };
    let mut own = raw.context.take();
    if call.0 == EventKind::Identify
        && let Some(Value::Object(more)) = own.as_mut().and_then(|own| own.remove("traits"))
    {
        // Some clients tell the traits there only, others in both places.
        let traits = raw.traits.get_or_insert_default();
        for (name, value) in more {
            traits.entry(name).or_insert(value);
        }
    }
    let identities = identities(call, &mut raw, shared.country)?;
    let (at, ahead) = moment(&raw, shared.shift, received_at);
    let message_id = id("messageId", raw.message_id.as_ref())?.map(Arc::from);
    let context = own.as_ref().or(shared.context);
    let (name, mut properties) = (name(call, &raw)?, raw.properties.take().unwrap_or_default());
    for (key, value) in [("name", raw.name.take()), ("category", raw.category.take())] {
        if let Some(value) = value.filter(|_| matches!(call.0, EventKind::Page | EventKind::Screen))
        {
            properties.entry(key).or_insert(Value::String(value));
        }
    }
    if let Some(told) = ahead
        && call.0 == EventKind::Track
    {
        // Nothing is lost: what the client's clock said can be looked up.
        let told = Value::String(told.to_string());
        properties.entry(TOLD_AT).or_insert(told);
    }
    let traits = traits(call, &mut raw, context)?;
    let mut event = Event {
        kind: call.0,
        name,
        at,
        properties,
        traits,
        subject: None,
        objects: Vec::new(),
        message_id,
    };
    event.objects = OBJECT_KINDS
        .into_iter()
        .filter_map(|kind| patch_of(&event, &ObjectKind::from(kind)))
        .collect();
    document::settle(&mut event);
    Ok((Call { identities, event }, raw.write_key))
}

fn identities(
    call: CallType,
    raw: &mut RawCall,
    country: Option<&str>,
) -> Result<Vec<Identity>, CallProblem> {
    let mut identities = Vec::with_capacity(3);
    let user = id("userId", raw.user_id.as_ref())?;
    identities.extend(user.map(|id| Identity::user(&id)));
    if call.0 == EventKind::Identify
        && let Some(traits) = &mut raw.traits
    {
        if let Some(Value::String(email)) = traits.get("email") {
            check_length("traits.email", email)?;
        }
        identities.extend(names::settle(traits, country));
    }
    let anonymous = id("anonymousId", raw.anonymous_id.as_ref())?;
    identities.extend(anonymous.map(|id| Identity::anonymous(&id)));
    if call.0 == EventKind::Alias {
        let previous = id("previousId", raw.previous_id.as_ref())?.ok_or(CallProblem::Missing {
            field: "previousId",
            call: "alias",
        })?;
        identities.push(Identity::user(&previous));
        identities.push(Identity::anonymous(&previous));
    }
    // An address alone names a contact too, but the specification wants one of the two ids.
    let named = raw.user_id.as_ref().is_some_and(|id| !id.is_null())
        || raw.anonymous_id.as_ref().is_some_and(|id| !id.is_null());
    if identities.is_empty() || !named {
        return Err(CallProblem::NoIdentity);
    }
    Ok(identities)
}

/// An id: a text, or a number as some clients send it.
fn id(field: &'static str, value: Option<&Value>) -> Result<Option<String>, CallProblem> {
    let text = match value {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            return Ok(None);
        }
    };
    check_length(field, &text)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn check_length(field: &'static str, text: &str) -> Result<(), CallProblem> {
    if text.len() > NAME_CHARS_MAX && text.chars().count() > NAME_CHARS_MAX {
        return Err(CallProblem::TooLong { field });
    }
    Ok(())
}

fn name(call: CallType, raw: &RawCall) -> Result<EventName, CallProblem> {
    let name = match call.0 {
        EventKind::Track => match raw.event.as_deref().map(str::trim) {
            Some(name) if !name.is_empty() => name,
            Some(_) | None => {
                return Err(CallProblem::Missing {
                    field: "event",
                    call: call.word(),
                });
            }
        },
        EventKind::Page => "Page Viewed",
        EventKind::Screen => "Screen Viewed",
        EventKind::Identify | EventKind::Group | EventKind::Alias => "",
    };
    check_length("event", name)?;
    Ok(EventName::from(name))
}

/// What the call tells of the contact.
fn traits(
    call: CallType,
    raw: &mut RawCall,
    context: Option<&Fields>,
) -> Result<Option<Fields>, CallProblem> {
    let mut traits = match call.0 {
        EventKind::Identify => raw.traits.take().unwrap_or_default(),
        EventKind::Group => {
            let mut account = raw.traits.take().unwrap_or_default();
            let told = raw.group_id.take().filter(|id| !id.is_null());
            let told = told.or_else(|| account.remove("id"));
            if id("groupId", told.as_ref())?.is_none() {
                return Err(CallProblem::Missing {
                    field: "groupId",
                    call: "group",
                });
            }
            account.extend(told.map(|id| ("id".to_owned(), id)));
            Fields::from_iter([("account".to_owned(), Value::Object(account))])
        }
        EventKind::Track | EventKind::Page | EventKind::Screen | EventKind::Alias => Fields::new(),
    };
    // Zone and locale of the device, where the client says nothing itself. The locale is not the language
    // that the contact chose elsewhere, so it stands beside it.
    for name in ["timezone", "locale"] {
        if call.0 == EventKind::Identify
            && let Some(Value::String(text)) = context.and_then(|context| context.get(name))
            && (name != "timezone" || Zone::parse(text).is_ok())
        {
            let value = || Value::String(text.clone());
            traits.entry(name).or_insert_with(value);
        }
    }
    Ok(Some(traits).filter(|traits| !traits.is_empty()))
}

/// How far the client's clock is behind ours, by its `sentAt`.
fn shift(sent_at: Option<&Value>, received_at: Timestamp) -> Option<SignedDuration> {
    Some(received_at.duration_since(instant(sent_at?)?))
}

fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// When it happened by our clock, in whole milliseconds, and never in the future; and the moment that was
/// told, where it lies so far ahead that ours stands in its place.
fn moment(
    raw: &RawCall,
    shift_of_batch: Option<SignedDuration>,
    received_at: Timestamp,
) -> (Timestamp, Option<Timestamp>) {
    let told = raw
        .timestamp
        .as_ref()
        .or(raw.original_timestamp.as_ref())
        .and_then(instant);
    let Some(told) = told else {
        return (received_at, None);
    };
    let shift = shift(raw.sent_at.as_ref(), received_at).or(shift_of_batch);
    let at = match shift {
        Some(shift) => told.checked_add(shift).unwrap_or(received_at),
        None => told,
    };
    let is_ahead = at.duration_since(received_at) > AHEAD_MAX;
    let at = at.min(received_at);
    let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(received_at);
    (at, is_ahead.then_some(told))
}

#[cfg(test)]
mod tests;
