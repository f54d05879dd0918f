//! Values of traits, properties and object fields, and paths to them.
//!
//! Values are JSON. Comparing is by kind: numbers with numbers, texts with texts; a text that is a
//! date compares with a date. **Invariant:** values of different kinds are never equal and never
//! ordered, so a condition over a missing or ill-typed field is false, not an error.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::time::Zone;

/// One JSON value.
pub type Value = serde_json::Value;
/// Named values: traits, properties, object fields.
pub type Fields = serde_json::Map<String, Value>;

/// Levels a path may descend.
pub const PATH_DEPTH_MAX: usize = 8;

/// Where a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// The contact's traits.
    Contact,
    /// The object that the run is about.
    Subject,
    /// The properties of the event at hand.
    Event,
}

impl Root {
    /// The word in the journey language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Subject => "subject",
            Self::Event => "event",
        }
    }
}

/// A path to one value: `contact.plan`, `subject.amount`, `event.items`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath {
    /// Where it starts.
    pub root: Root,
    /// Names below the root, at least one.
    pub names: Arc<[Box<str>]>,
}

/// A path that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a field: write contact.NAME, subject.NAME or event.NAME, at most 8 names deep"
)]
pub struct PathProblem(pub String);

impl FieldPath {
    /// Parses `contact.plan`; a bare name is read below `default`.
    pub fn parse(text: &str, default: Option<Root>) -> Result<Self, PathProblem> {
        let wrong = || PathProblem(text.chars().take(80).collect());
        let (root, rest) = match text.split_once('.') {
            Some(("contact", rest)) => (Root::Contact, rest),
            Some(("subject", rest)) => (Root::Subject, rest),
            Some(("event", rest)) => (Root::Event, rest),
            Some(_) | None => (default.ok_or_else(wrong)?, text),
        };
        let names: Vec<Box<str>> = rest.split('.').map(|name| name.trim().into()).collect();
        if names.len() > PATH_DEPTH_MAX || names.iter().any(|name| name.is_empty()) {
            return Err(wrong());
        }
        Ok(Self {
            root,
            names: names.into(),
        })
    }

    /// The value below `fields`, if all names lead there.
    pub fn find<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        let first = self.names.first()?;
        self.below(fields.get(&**first)?)
    }

    /// The value that the names after the first lead to in other fields.
    pub fn beyond<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        let second = fields.get(&**self.names.get(1)?)?;
        self.follow(2, second)
    }

    /// The value that the names after the first lead to, below the first one's value.
    pub fn below<'a>(&self, first: &'a Value) -> Option<&'a Value> {
        self.follow(1, first)
    }

    /// The value that the names from a place on lead to.
    fn follow<'a>(&self, from: usize, first: &'a Value) -> Option<&'a Value> {
        let mut rest = self.names.iter().skip(from);
        rest.try_fold(first, |value, name| match value {
            Value::Object(map) => map.get(&**name),
            Value::Array(list) => list.get(name.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root.word())?;
        self.names.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

/// Whether two values are the same: `2` and `2.0` are, `"2"` and `2` are not.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => order(left, right) == Some(Ordering::Equal),
        _ => left == right,
    }
}

/// Numbers by size, texts by code point; `None` between different kinds.
pub fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b)) => Some(a.as_str().cmp(b.as_str())),
        _ => None,
    }
}

/// Bytes that a value takes, roughly as its text; what nests deeper than any source may is not looked into.
pub fn weight(value: &Value) -> usize {
    /// Levels that are looked at: a parser of JSON goes no deeper.
    const LEVELS_MAX: usize = 128;
    weight_within(value, LEVELS_MAX)
}

fn weight_within(value: &Value, levels: usize) -> usize {
    const BRACKETS: usize = 2;
    const COMMA_AND_QUOTES: usize = 4;
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + BRACKETS,
        Value::Array(_) | Value::Object(_) if levels == 0 => BRACKETS,
        Value::Array(list) => {
            let inner = list.iter().map(|one| weight_within(one, levels - 1) + 1);
            BRACKETS + inner.sum::<usize>()
        }
        Value::Object(map) => {
            let pair = |(name, one): (&String, &Value)| {
                name.len() + COMMA_AND_QUOTES + weight_within(one, levels - 1)
            };
            BRACKETS + map.iter().map(pair).sum::<usize>()
        }
    }
}

/// Bytes that fields take, roughly as their text.
pub fn weight_of(fields: &Fields) -> usize {
    let pair = |(name, one): (&String, &Value)| name.len() + weight(one);
    fields.iter().map(pair).sum()
}

/// Reads a moment out of a value: RFC 3339, a civil date or date-time (in `zone`), or Unix seconds or
/// milliseconds.
pub fn moment(value: &Value, zone: &Zone) -> Option<Timestamp> {
    /// Numbers above this are milliseconds (the year 5138 in seconds, 1973 in milliseconds).
    const SECONDS_MAX: u64 = 99_999_999_999;
    match value {
        Value::String(text) => text.parse::<Timestamp>().ok().or_else(|| {
            let civil = text.parse::<jiff::civil::DateTime>().ok().or_else(|| {
                text.parse::<jiff::civil::Date>()
                    .ok()
                    .map(|date| date.at(0, 0, 0, 0))
            })?;
            Some(zone.at(civil))
        }),
        Value::Number(number) => {
            let number = number.as_i64()?;
            if number.unsigned_abs() > SECONDS_MAX {
                Timestamp::from_millisecond(number).ok()
            } else {
                Timestamp::from_second(number).ok()
            }
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let fields = json!({"items": [{"sku": "a"}, {"sku": "b"}], "plan": "pro"});
        let fields = fields.as_object().unwrap();
        let at = |text: &str| {
            FieldPath::parse(text, Some(Root::Event))
                .unwrap()
                .find(fields)
                .cloned()
        };
        assert_eq!(at("event.items.1.sku"), Some(json!("b")));
        assert_eq!(at("plan"), Some(json!("pro")));
        assert_eq!(at("plan.deeper"), None);
    }

    #[test]
    fn a_path_without_a_root_needs_a_default() {
        assert!(FieldPath::parse("plan", None).is_err());
        assert!(FieldPath::parse("contact..x", None).is_err());
        assert!(FieldPath::parse("a.b.c.d.e.f.g.h.i", Some(Root::Event)).is_err());
    }

    #[test]
    fn numbers_compare_by_size_and_kinds_do_not_mix() {
        assert!(same(&json!(2), &json!(2.0)));
        assert!(!same(&json!("2"), &json!(2)));
        assert_eq!(order(&json!(10), &json!(9.5)), Some(Ordering::Greater));
        assert_eq!(order(&json!("10"), &json!(9)), None);
    }
}
