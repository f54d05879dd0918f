//! An object's body; contact, kind and id are the key of its row.

use std::borrow::Cow;

use jiff::Timestamp;
use relance_core::ids::SubjectRef;
use relance_core::subject::Object;
use relance_core::value::{Fields, Value};
use serde::{Deserialize, Deserializer, Serialize};

use super::{StoredProblem, Version, bounded, read, text};

const SHAPE: &str = "object";

#[derive(Debug, Serialize, Deserialize)]
struct ObjectV1<'a> {
    v: Version<1>,
    created: Timestamp,
    updated: Timestamp,
    /// Only where the id as a value is not the id as a text.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    id: Option<Cow<'a, Value>>,
    fields: Cow<'a, Fields>,
}

/// A null that is there is a value; only what is left out is none.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'static, Value>>, D::Error> {
    Value::deserialize(from).map(|value| Some(Cow::Owned(value)))
}

/// The text of an object.
pub fn object_text(object: &Object) -> Result<String, StoredProblem> {
    let same = object.id_value.as_str() == Some(&*object.subject.id);
    let body = ObjectV1 {
        v: Version,
        created: object.created_at,
        updated: object.updated_at,
        id: (!same).then_some(Cow::Borrowed(&object.id_value)),
        fields: bounded(&object.fields),
    };
    text(SHAPE, &body)
}

/// The object of a row.
pub fn read_object(subject: SubjectRef, stored: &str) -> Result<Object, StoredProblem> {
    let body: ObjectV1<'_> = read(SHAPE, stored)?;
    Ok(Object {
        id_value: match body.id {
            Some(value) => value.into_owned(),
            None => Value::String(subject.id.to_string()),
        },
        subject,
        fields: body.fields.into_owned(),
        created_at: body.created,
        updated_at: body.updated,
    })
}
