//! Conditions: the same in `where`, `branch`, exits and segments (design section 5).
//!
//! A condition is evaluated over a [`Scene`]: the contact, the subject of the run, the event at hand
//! and the contact's history. **Invariant:** evaluation never fails and never reads a clock; what is
//! missing makes a comparison false.

use jiff::Timestamp;

use crate::contact::Contact;
use crate::event::{Event, History};
use crate::ids::{EventName, SegmentId};
use crate::subject::Object;
use crate::time::{Calendar, Delay, Zone};
use crate::value::{self, FieldPath, Fields, Root, Value};

/// Levels of `all`, `any`, `not`, `where` and `then` inside one another.
pub const CONDITION_DEPTH_MAX: usize = 16;
/// Conditions in one list.
pub const CONDITION_LIST_MAX: usize = 256;

/// A question with the answer yes or no.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every one holds; an empty list holds.
    All(Vec<Condition>),
    /// At least one holds; an empty list does not.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A field passes a test.
    Field {
        /// Which field.
        path: FieldPath,
        /// What it must be.
        test: Test,
    },
    /// The contact did something.
    Did(Did),
    /// The contact is a member of a segment.
    InSegment(SegmentId),
}

/// A comparison of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The same value; a list field holds when it has such a member.
    Eq(Value),
    /// Not the same value; a missing field passes.
    Ne(Value),
    /// Greater.
    Gt(Operand),
    /// Greater or the same.
    Gte(Operand),
    /// Less.
    Lt(Operand),
    /// Less or the same.
    Lte(Operand),
    /// One of these.
    In(Vec<Value>),
    /// A text contains this text (letter case aside), or a list this member.
    Contains(Value),
    /// A text starts with this text, letter case aside.
    StartsWith(String),
    /// The field is there and not null (`true`), or it is not (`false`).
    Exists(bool),
    /// A moment earlier than this.
    Before(Operand),
    /// A moment later than this.
    After(Operand),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value as written.
    Value(Value),
    /// A moment this long before now: `{ ago: 90d }`.
    Ago(Delay),
    /// A moment this long after now: `{ in: 7d }`.
    In(Delay),
}

/// `did: NAME` with its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Did {
    /// Which event.
    pub event: EventName,
    /// How often at least; 0 with `times_max` 0 means never.
    pub times_min: u32,
    /// How often at most.
    pub times_max: Option<u32>,
    /// How long ago at most.
    pub within: Option<Delay>,
    /// What its properties must be.
    pub filter: Option<Box<Condition>>,
    /// What must have followed it.
    pub then: Option<Box<Did>>,
}

/// What a condition is evaluated over.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The contact.
    pub contact: &'a Contact,
    /// The object the run is about.
    pub subject: Option<&'a Object>,
    /// The event at hand, or the one that began the run.
    pub event: Option<&'a Event>,
    /// What the contact did before.
    pub history: &'a History,
    /// The contact's zone.
    pub zone: &'a Zone,
    /// The contact's calendar.
    pub calendar: &'a Calendar,
    /// The moment of the question.
    pub now: Timestamp,
}

impl Condition {
    /// Whether the condition holds.
    pub fn holds(&self, scene: &Scene<'_>) -> bool {
        match self {
            Self::All(list) => list.iter().all(|one| one.holds(scene)),
            Self::Any(list) => list.iter().any(|one| one.holds(scene)),
            Self::Not(inner) => !inner.holds(scene),
            Self::Field { path, test } => test.passes(scene.field(path), scene),
            Self::Did(did) => did.holds(scene),
            Self::InSegment(id) => scene.contact.segments.contains(id),
        }
    }

    /// Whether it looks back over what the contact did.
    pub fn looks_back(&self) -> bool {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().any(Self::looks_back),
            Self::Not(inner) => inner.looks_back(),
            Self::Did(_) => true,
            Self::Field { .. } | Self::InSegment(_) => false,
        }
    }

    /// Adds the names of the events whose history the condition asks for.
    pub fn history_names(&self, into: &mut std::collections::BTreeSet<EventName>) {
        match self {
            Self::All(list) | Self::Any(list) => {
                list.iter().for_each(|one| one.history_names(into));
            }
            Self::Not(inner) => inner.history_names(into),
            Self::Did(did) => did.history_names(into),
            Self::Field { .. } | Self::InSegment(_) => {}
        }
    }
}

impl Scene<'_> {
    /// The value of a field, if it is there.
    pub fn field(&self, path: &FieldPath) -> Option<&Value> {
        let fields: &Fields = match path.root {
            Root::Contact => &self.contact.traits,
            Root::Subject => match self.subject {
                Some(object) => &object.fields,
                None => return None,
            },
            Root::Event => match self.event {
                Some(event) => &event.properties,
                None => return None,
            },
        };
        path.find(fields).or_else(|| self.well_known(path))
    }

    /// `subject.id` stands beside the object's fields.
    fn well_known(&self, path: &FieldPath) -> Option<&Value> {
        match (path.root, &*path.names) {
            (Root::Subject, [name]) if &**name == "id" => {
                self.subject.map(|object| &object.id_value)
            }
            (Root::Contact | Root::Subject | Root::Event, _) => None,
        }
    }

    /// The moment that an operand stands for.
    fn operand_moment(&self, operand: &Operand) -> Option<Timestamp> {
        match operand {
            Operand::Value(value) => value::moment(value, self.zone),
            Operand::Ago(delay) => Some(delay.sub(self.now, self.zone, self.calendar)),
            Operand::In(delay) => Some(delay.add(self.now, self.zone, self.calendar)),
        }
    }

    /// How a field stands to an operand; moments compare as moments.
    fn order(&self, field: &Value, operand: &Operand) -> Option<std::cmp::Ordering> {
        match operand {
            Operand::Value(value) => value::order(field, value),
            Operand::Ago(_) | Operand::In(_) => self.order_moments(field, operand),
        }
    }

    fn order_moments(&self, field: &Value, operand: &Operand) -> Option<std::cmp::Ordering> {
        Some(value::moment(field, self.zone)?.cmp(&self.operand_moment(operand)?))
    }
}

impl Test {
    /// Whether a field passes; `None` is a missing field.
    fn passes(&self, field: Option<&Value>, scene: &Scene<'_>) -> bool {
        let Some(field) = field.filter(|value| !value.is_null()) else {
            return match self {
                Self::Exists(wanted) => !wanted,
                Self::Ne(value) => !value.is_null(),
                Self::Eq(value) => value.is_null(),
                Self::Gt(_)
                | Self::Gte(_)
                | Self::Lt(_)
                | Self::Lte(_)
                | Self::In(_)
                | Self::Contains(_)
                | Self::StartsWith(_)
                | Self::Before(_)
                | Self::After(_) => false,
            };
        };
        match self {
            Self::Eq(value) => has(field, value),
            Self::Ne(value) => !has(field, value),
            Self::Gt(operand) => scene.order(field, operand).is_some_and(|o| o.is_gt()),
            Self::Gte(operand) => scene.order(field, operand).is_some_and(|o| o.is_ge()),
            Self::Lt(operand) => scene.order(field, operand).is_some_and(|o| o.is_lt()),
            Self::Lte(operand) => scene.order(field, operand).is_some_and(|o| o.is_le()),
            Self::In(values) => values.iter().any(|value| has(field, value)),
            Self::Contains(value) => match (field, value) {
                (Value::String(text), Value::String(part)) => contains_folded(text, part),
                (Value::Array(list), value) => list.iter().any(|one| value::same(one, value)),
                _ => false,
            },
            Self::StartsWith(start) => match field {
                Value::String(text) => text.to_lowercase().starts_with(&start.to_lowercase()),
                _ => false,
            },
            Self::Exists(wanted) => *wanted,
            Self::Before(operand) => scene
                .order_moments(field, operand)
                .is_some_and(|o| o.is_lt()),
            Self::After(operand) => scene
                .order_moments(field, operand)
                .is_some_and(|o| o.is_gt()),
        }
    }
}

/// Equality in which a list field stands for its members.
fn has(field: &Value, value: &Value) -> bool {
    value::same(field, value)
        || matches!(field, Value::Array(list) if list.iter().any(|one| value::same(one, value)))
}

fn contains_folded(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

impl Did {
    /// Whether the contact did it as often as asked.
    fn holds(&self, scene: &Scene<'_>) -> bool {
        let count = self.count(scene, Timestamp::MIN);
        count >= self.times_min && self.times_max.is_none_or(|most| count <= most)
    }

    /// How often it was done after `after`; counting stops where it can no longer matter.
    fn count(&self, scene: &Scene<'_>, after: Timestamp) -> u32 {
        let since = match &self.within {
            Some(delay) => delay.sub(scene.now, scene.zone, scene.calendar).max(after),
            None => after,
        };
        let enough = self
            .times_max
            .map_or(self.times_min.max(1), |most| most.saturating_add(1));
        let mut count = 0;
        for event in scene.history.of(&self.event) {
            // R7: what a machine did is no deed of the contact.
            if event.at < since || event.at > scene.now || event.by_machine() {
                continue;
            }
            let inner = Scene {
                event: Some(event),
                ..*scene
            };
            if self
                .filter
                .as_ref()
                .is_some_and(|filter| !filter.holds(&inner))
            {
                continue;
            }
            if self.then.as_ref().is_some_and(|then| {
                let following = then.count(scene, event.at + jiff::SignedDuration::from_nanos(1));
                following < then.times_min || then.times_max.is_some_and(|most| following > most)
            }) {
                continue;
            }
            count += 1;
            if count >= enough {
                break;
            }
        }
        count
    }

    fn history_names(&self, into: &mut std::collections::BTreeSet<EventName>) {
        into.insert(self.event.clone());
        if let Some(filter) = &self.filter {
            filter.history_names(into);
        }
        if let Some(then) = &self.then {
            then.history_names(into);
        }
    }
}
