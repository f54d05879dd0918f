//! Objects of a contact: documents, deals, orders, carts, and any kind the user names.
//!
//! A journey may be about one of them (its *subject*). **Absent:** fixed columns; a kind's fields are
//! data, so a new kind needs no code.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::event::Event;
use crate::ids::{ObjectKind, SubjectRef};
use crate::value::{Fields, Value, weight, weight_of};

/// Fields that one object may have.
pub const OBJECT_FIELDS_MAX: usize = 200;
/// Objects that one object names and that are at hand with it; by the names of its fields, the first ones.
pub const RELATIONS_MAX: usize = 8;
/// Bytes of the traits of one contact, or of the fields of one object, roughly as their text.
pub const FIELDS_BYTES_MAX: usize = 128 * 1_024;

/// One object and its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Which one.
    pub subject: SubjectRef,
    /// Its id as a value, for conditions and templates.
    pub id_value: Value,
    /// What is known of it.
    pub fields: Fields,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Object {
    /// An object that nothing is known of.
    pub fn new(subject: SubjectRef, now: Timestamp) -> Self {
        let id_value = Value::String(subject.id.to_string());
        Self {
            subject,
            id_value,
            fields: Fields::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// A text field.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// Lays `patch` over the fields: a null removes. Says whether anything changed. Fields past
    /// [`OBJECT_FIELDS_MAX`] are left out.
    pub fn merge(&mut self, patch: &Fields, now: Timestamp) -> bool {
        let changed = merge_fields(&mut self.fields, patch, OBJECT_FIELDS_MAX);
        if changed {
            self.updated_at = now;
        }
        changed
    }
}

/// Lays `patch` over `fields`; a null removes; at most `most` names and [`FIELDS_BYTES_MAX`] are kept: what
/// comes beyond is left out, and what was there stays as it was.
pub fn merge_fields(fields: &mut Fields, patch: &Fields, most: usize) -> bool {
    let mut changed = false;
    let mut bytes = None;
    for (name, value) in patch {
        if value.is_null() {
            changed |= fields.remove(name).is_some();
            bytes = None;
        } else if fields.get(name) != Some(value)
            && (fields.len() < most || fields.contains_key(name))
        {
            let known = bytes.unwrap_or_else(|| weight_of(fields));
            let old = fields.get(name).map(|old| name.len() + weight(old));
            let new = name.len() + weight(value);
            let after = known - old.unwrap_or(0).min(known) + new;
            bytes = Some(known);
            if after > FIELDS_BYTES_MAX && after > known {
                continue;
            }
            fields.insert(name.clone(), value.clone());
            bytes = Some(after);
            changed = true;
        }
    }
    changed
}

/// What an event says of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPatch {
    /// Which object.
    pub subject: SubjectRef,
    /// Fields to lay over those known.
    pub fields: Fields,
}

/// Which object of `kind` an event is about: the one it names, else the one its properties name.
pub fn subject_of(event: &Event, kind: &ObjectKind) -> Option<SubjectRef> {
    match &event.subject {
        Some(subject) if subject.kind == *kind => Some(subject.clone()),
        Some(_) | None => told_object(&event.properties, kind).map(|(subject, _)| subject),
    }
}

/// What an event's properties say of an object of `kind`: a property of that name is the object, when it
/// is a map with an `id`; else `<kind>_id` names it and the properties are its fields.
pub fn patch_of(event: &Event, kind: &ObjectKind) -> Option<ObjectPatch> {
    let (subject, fields) = told_object(&event.properties, kind)?;
    Some(ObjectPatch {
        subject,
        fields: fields.clone(),
    })
}

/// The object of `kind` that fields name, as an event's properties would: by a field of that name that is a map with
/// an `id`, or by `<kind>_id`.
pub fn related(fields: &Fields, kind: &ObjectKind) -> Option<SubjectRef> {
    told_object(fields, kind).map(|(subject, _)| subject)
}

/// The objects that an object names, one of a kind, at most [`RELATIONS_MAX`]. It does not name itself.
pub fn relations(object: &Object) -> BTreeSet<SubjectRef> {
    let kind_of = |(name, value): (&String, &Value)| match value {
        Value::Object(fields) => fields
            .contains_key("id")
            .then(|| ObjectKind::from(name.as_str())),
        Value::String(_) | Value::Number(_) => name.strip_suffix("_id").map(ObjectKind::from),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    };
    object
        .fields
        .iter()
        .filter_map(kind_of)
        .filter_map(|kind| related(&object.fields, &kind))
        .filter(|subject| *subject != object.subject)
        .take(RELATIONS_MAX)
        .collect()
}

/// An object as templates see it: what is known of the objects that it names stands in fields of their kinds.
pub fn with_related(object: &Object, known: &BTreeMap<SubjectRef, Object>) -> Object {
    let mut whole = object.clone();
    for subject in relations(object) {
        let Some(other) = known.get(&subject) else {
            continue;
        };
        let field = whole.fields.entry(subject.kind.as_str());
        let field = field.or_insert_with(|| Value::Object(Fields::new()));
        if !field.is_object() {
            continue;
        }
        if let Value::Object(own) = field {
            own.entry("id").or_insert_with(|| other.id_value.clone());
            own.extend(other.fields.clone());
        }
    }
    whole
}

fn told_object<'a>(properties: &'a Fields, kind: &ObjectKind) -> Option<(SubjectRef, &'a Fields)> {
    let named = |id: &Value| {
        let id = object_id(id)?;
        let kind = kind.clone();
        Some(SubjectRef { kind, id })
    };
    if let Some(Value::Object(fields)) = properties.get(kind.as_str())
        && let Some(subject) = fields.get("id").and_then(named)
    {
        return Some((subject, fields));
    }
    let subject = named(properties.get(&format!("{kind}_id"))?)?;
    Some((subject, properties))
}

/// An id as a source writes it: a text or a number.
fn object_id(value: &Value) -> Option<std::sync::Arc<str>> {
    /// Bytes of an id; a longer text is not one.
    const ID_BYTES_MAX: usize = 1_024;
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= ID_BYTES_MAX => {
            Some(text.as_str().into())
        }
        Value::Number(number) => Some(number.to_string().into()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// Whether an event can interrupt a run about `subject`: an event about another object of the same
/// kind cannot; one that names no such object concerns the contact as a whole, and can.
pub fn concerns(event: &Event, subject: Option<&SubjectRef>) -> bool {
    subject.is_none_or(|own| subject_of(event, &own.kind).is_none_or(|other| other == *own))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn what_is_told_beyond_the_limits_is_left_out() {
        let mut known = fields(json!({"name": "Ana"}));
        let many = (0..2_000_000 / 1_000).map(|n| (format!("trait-{n}"), json!(n)));
        assert!(merge_fields(&mut known, &many.collect(), 500));
        assert_eq!(known.len(), 500);

        let mut known = fields(json!({"name": "Ana"}));
        let large = "x".repeat(30_000);
        for n in 0..10 {
            merge_fields(
                &mut known,
                &fields(json!({ format!("text-{n}"): large })),
                500,
            );
        }
        assert!(weight_of(&known) <= FIELDS_BYTES_MAX);
        assert_eq!(known.len(), 5, "four large ones and the name");
        // What is there can still become another, and smaller ones find room.
        assert!(merge_fields(
            &mut known,
            &fields(json!({"name": "Eve", "text-0": "y"})),
            500
        ));
        assert!(merge_fields(
            &mut known,
            &fields(json!({ "text-9": large })),
            500
        ));
        assert_eq!((&known["name"], known.len()), (&json!("Eve"), 6));
        assert!(!merge_fields(
            &mut known,
            &fields(json!({ "text-8": large })),
            500
        ));
    }

    #[test]
    fn an_object_names_others_by_fields_of_their_kinds() {
        let object = |kind: &str, id: &str, value: Value| {
            let (kind, id) = (kind.into(), id.into());
            let mut one = Object::new(SubjectRef { kind, id }, Timestamp::UNIX_EPOCH);
            one.fields = fields(value);
            one
        };
        let invoice = object(
            "document",
            "I-1",
            json!({"document_id": "I-1", "deal_id": "D-1", "order": {"id": 7, "note": "n"}, "amount": 5,
                   "cart": {"lines": 2}, "sent_id": null}),
        );
        let named: Vec<String> = relations(&invoice)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(named, ["deal:D-1", "order:7"]);
        let known = [
            object("deal", "D-1", json!({"stage": "won", "amount": 900})),
            object("order", "7", json!({"total": 3})),
        ];
        let known = known.map(|one| (one.subject.clone(), one)).into();
        let whole = with_related(&invoice, &known);
        assert_eq!(
            whole.fields["deal"],
            json!({"id": "D-1", "stage": "won", "amount": 900})
        );
        assert_eq!(
            whole.fields["order"],
            json!({"id": 7, "note": "n", "total": 3})
        );
        assert_eq!(whole.fields["amount"], json!(5));
        let many = (0..100).map(|n| (format!("k{n}_id"), json!(n)));
        let many = object("deal", "D", Value::Object(many.collect()));
        assert_eq!(relations(&many).len(), RELATIONS_MAX);
    }

    #[test]
    fn a_null_removes() {
        let mut known = fields(json!({"a": 1, "b": 2}));
        assert!(merge_fields(
            &mut known,
            &fields(json!({"a": null, "c": null})),
            9
        ));
        assert_eq!(Value::Object(known), json!({"b": 2}));
    }
}
