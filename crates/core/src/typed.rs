//! Traits that the workspace declares a type for: told as text by one source and as a number by another, they
//! compare as one.
//!
//! A value that is not of its trait's type and cannot be read as one is left out: what was known before
//! stays, and the event in the log keeps what was told. **Absent:** traits without a declared type, which
//! are kept as they come.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Zone;
use crate::value::{Fields, Value, moment};

/// What sort of value a trait holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraitType {
    /// Text; numbers are written out.
    Text,
    /// A number; a text that is one in the form of JSON counts.
    Number,
    /// Yes or no: `true`, `yes`, `1`, and their opposites, letter case aside.
    Bool,
    /// A day: `2026-11-22`. Of a moment, its day in the workspace's zone.
    Date,
    /// A moment: RFC 3339, a day, or Unix seconds or milliseconds.
    Moment,
    /// A list; one value is a list of one.
    List,
}

/// Declared types by the name of the trait.
pub type TraitTypes = BTreeMap<Box<str>, TraitType>;

impl TraitType {
    /// A value as this type; `None` when it cannot be read so. Null stays null: it takes a trait away.
    pub fn read(self, value: &Value, zone: &Zone) -> Option<Value> {
        if value.is_null() {
            return Some(Value::Null);
        }
        match self {
            Self::Text => match value {
                Value::String(_) => Some(value.clone()),
                Value::Number(number) => Some(Value::String(number.to_string())),
                Value::Bool(yes) => Some(Value::String(yes.to_string())),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            },
            Self::Number => match value {
                Value::Number(_) => Some(value.clone()),
                Value::String(text) => {
                    let number = serde_json::from_str::<serde_json::Number>(text.trim()).ok()?;
                    Some(Value::Number(number))
                }
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            },
            Self::Bool => match value {
                Value::Bool(_) => Some(value.clone()),
                Value::Number(number) => match number.as_i64() {
                    Some(0) => Some(Value::Bool(false)),
                    Some(1) => Some(Value::Bool(true)),
                    Some(_) | None => None,
                },
                Value::String(text) => match text.trim().to_lowercase().as_str() {
                    "true" | "yes" | "1" => Some(Value::Bool(true)),
                    "false" | "no" | "0" => Some(Value::Bool(false)),
                    _other_text => None,
                },
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            },
            Self::Date => match value {
                Value::String(text)
                    if text
                        .parse::<jiff::civil::Date>()
                        .is_ok_and(|day| day.to_string() == *text) =>
                {
                    Some(value.clone())
                }
                _anything_else => {
                    let day = zone.local(moment(value, zone)?).date();
                    Some(Value::String(day.to_string()))
                }
            },
            Self::Moment => Some(Value::String(moment(value, zone)?.to_string())),
            Self::List => match value {
                Value::Array(_) => Some(value.clone()),
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                    Some(Value::Array(vec![value.clone()]))
                }
                Value::Null => None,
            },
        }
    }
}

/// Traits as their declared types; those that cannot be read so are left out.
pub fn typed<'t>(types: &TraitTypes, traits: &'t Fields, zone: &Zone) -> Cow<'t, Fields> {
    if types.is_empty() || !traits.keys().any(|name| types.contains_key(name.as_str())) {
        return Cow::Borrowed(traits);
    }
    let read = |(name, value): (&String, &Value)| {
        let value = match types.get(name.as_str()) {
            Some(kind) => kind.read(value, zone)?,
            None => value.clone(),
        };
        Some((name.clone(), value))
    };
    Cow::Owned(traits.iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_as_their_type_or_not_at_all() {
        let moscow = Zone::parse("Europe/Moscow").expect("a zone");
        let cases = [
            (TraitType::Text, json!(42), Some(json!("42"))),
            (TraitType::Text, json!(["a"]), None),
            (TraitType::Number, json!(" 12.50 "), Some(json!(12.50))),
            (TraitType::Number, json!("12,5"), None),
            (TraitType::Number, json!("many"), None),
            (TraitType::Bool, json!("Yes"), Some(json!(true))),
            (TraitType::Bool, json!(2), None),
            (
                TraitType::Date,
                json!("2026-11-22"),
                Some(json!("2026-11-22")),
            ),
            // Nine in the evening in London is the next day in Moscow.
            (
                TraitType::Date,
                json!("2026-11-21T21:00:00Z"),
                Some(json!("2026-11-22")),
            ),
            (TraitType::Date, json!("yesterday"), None),
            (
                TraitType::Moment,
                json!(1_700_000_000),
                Some(json!("2023-11-14T22:13:20Z")),
            ),
            (TraitType::List, json!("vip"), Some(json!(["vip"]))),
            (TraitType::Number, json!(null), Some(json!(null))),
        ];
        for (kind, told, read) in cases {
            assert_eq!(kind.read(&told, &moscow), read, "{kind:?} {told}");
        }
    }

    #[test]
    fn what_has_no_declared_type_stays_as_it_came() {
        let types = TraitTypes::from([("age".into(), TraitType::Number)]);
        let fields = |value: Value| value.as_object().cloned().expect("an object");
        let told = fields(json!({"age": "41", "plan": 7}));
        let zone = Zone::utc();
        assert_eq!(
            *typed(&types, &told, &zone),
            fields(json!({"age": 41, "plan": 7}))
        );
        let told = fields(json!({"age": "old", "plan": 7}));
        assert_eq!(*typed(&types, &told, &zone), fields(json!({"plan": 7})));
        assert!(matches!(
            typed(&types, &fields(json!({"plan": 7})), &zone),
            Cow::Borrowed(_)
        ));
    }
}
