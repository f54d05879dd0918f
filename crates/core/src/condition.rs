//! Conditions: the same in `where`, `branch`, exits and segments (design section 5).
//!
//! A condition is evaluated over a [`Scene`]: the contact, the subject of the run, the event at hand
//! and the contact's history. **Invariant:** evaluation never fails and never reads a clock; what is
//! missing makes a comparison false. Where not everything was loaded, or the answer must be told when to ask
//! again, [`Condition::verdict`] is asked instead of [`Condition::holds`].

mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::contact::Contact;
use crate::event::{Event, History};
use crate::ids::{EventName, ObjectKind, SegmentId, SubjectRef};
use crate::rfm::{Rfm, RfmBounds};
use crate::segment::Memberships;
use crate::subject::{Object, related};
use crate::time::{Calendar, Delay, Zone};
use crate::value::{self, FieldPath, Fields, Root, Value};

pub use verdict::{Changing, Knows, Part, Verdict};

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
    /// The contact has an object of a kind.
    Has {
        /// Which kind.
        kind: ObjectKind,
        /// What the object must be; it is the `subject` there.
        filter: Option<Box<Condition>>,
    },
    /// Recency, frequency and money of the contact's orders are as asked.
    Rfm(Rfm),
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
    /// How the contact stands to the segments that were asked for.
    pub memberships: &'a Memberships,
    /// The contact's objects that were asked for.
    pub objects: &'a BTreeMap<SubjectRef, Object>,
    /// Where the fifths of all customers end, if that is known.
    pub rfm: Option<&'a RfmBounds>,
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
            Self::InSegment(id) => scene.is_member(id),
            Self::Has { kind, filter } => scene.objects_of(kind).any(|object| {
                let about = Scene {
                    subject: Some(object),
                    ..*scene
                };
                filter.as_ref().is_none_or(|filter| filter.holds(&about))
            }),
            Self::Rfm(rfm) => rfm.verdict(scene, Knows::All).holds == Some(true),
        }
    }

    /// Every condition inside this one, itself first.
    pub fn visit<'c>(&'c self, see: &mut impl FnMut(&'c Self)) {
        see(self);
        match self {
            Self::All(list) | Self::Any(list) => list.iter().for_each(|one| one.visit(see)),
            Self::Not(inner) => inner.visit(see),
            Self::Did(did) => did.visit(see),
            Self::Has { filter, .. } => {
                if let Some(filter) = filter {
                    filter.visit(see);
                }
            }
            Self::Field { .. } | Self::InSegment(_) | Self::Rfm(_) => {}
        }
    }

    /// Whether it looks back over what the contact did.
    pub fn looks_back(&self) -> bool {
        let mut looks = false;
        self.visit(&mut |one| looks |= matches!(one, Self::Did(_) | Self::Rfm(_)));
        looks
    }

    /// Adds what must be loaded to evaluate it.
    pub fn asks(&self, into: &mut Asks) {
        self.visit(&mut |one| match one {
            Self::Did(did) => did.history_names(&mut into.history),
            Self::Rfm(rfm) => drop(into.history.insert(rfm.event.clone())),
            Self::InSegment(id) => drop(into.segments.insert(id.clone())),
            Self::Has { kind, .. } => drop(into.kinds.insert(kind.clone())),
            // The objects of that kind are looked through for the one that the subject names.
            Self::Field { path, .. } => into.kinds.extend(kind_beyond(path)),
            Self::All(_) | Self::Any(_) | Self::Not(_) => {}
        });
    }

    /// Adds the names of the events whose history the condition asks for.
    pub fn history_names(&self, into: &mut BTreeSet<EventName>) {
        let mut asks = Asks::default();
        self.asks(&mut asks);
        into.append(&mut asks.history);
    }
}

/// The kind of objects that a path leads through: `subject.deal.stage` asks for deals.
pub fn kind_beyond(path: &FieldPath) -> Option<ObjectKind> {
    let goes_on = path.root == Root::Subject && path.names.len() > 1;
    path.names
        .first()
        .filter(|_| goes_on)
        .map(|name| kind_named(name))
}

fn kind_named(name: &str) -> ObjectKind {
    ObjectKind::from(name)
}

/// What conditions ask to be loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    /// Events whose history they look back over.
    pub history: BTreeSet<EventName>,
    /// Segments that they name.
    pub segments: BTreeSet<SegmentId>,
    /// Kinds of objects that they look through.
    pub kinds: BTreeSet<ObjectKind>,
}

impl Scene<'_> {
    /// Whether the contact belongs to a segment.
    pub fn is_member(&self, segment: &SegmentId) -> bool {
        self.memberships
            .get(segment)
            .is_some_and(|membership| membership.member)
    }

    /// The contact's objects of a kind.
    pub fn objects_of(&self, kind: &ObjectKind) -> impl Iterator<Item = &Object> {
        let own = |object: &&Object| object.subject.kind == *kind;
        self.objects.values().filter(own)
    }

    /// The value of a field, if it is there.
    pub fn field(&self, path: &FieldPath) -> Option<&Value> {
        let fields: &Fields = match path.root {
            Root::Contact => return self.contact.find(path),
            Root::Subject => match self.subject {
                Some(object) => match self.beyond(object, path) {
                    Some(found) => return Some(found),
                    None => &object.fields,
                },
                None => return None,
            },
            Root::Event => match self.event {
                Some(event) => &event.properties,
                None => return None,
            },
        };
        path.find(fields).or_else(|| self.well_known(path))
    }

    /// What a path leads to in another object that the subject names: one step, `subject.deal.stage`.
    fn beyond(&self, object: &Object, path: &FieldPath) -> Option<&Value> {
        let [kind, name, rest @ ..] = &*path.names else {
            return None;
        };
        let other = self
            .objects
            .get(&related(&object.fields, &kind_named(kind))?)?;
        if rest.is_empty() && &**name == "id" {
            return Some(&other.id_value);
        }
        path.beyond(&other.fields)
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
    /// Whether the contact did it as often as asked. Counting stops where it can no longer matter.
    fn holds(&self, scene: &Scene<'_>) -> bool {
        let enough = self
            .times_max
            .map_or(self.times_min.max(1), |most| most.saturating_add(1));
        let then = self.followers(scene);
        let count = self.counting(scene, then.as_deref());
        self.suffices(
            count
                .take(usize::try_from(enough).unwrap_or(usize::MAX))
                .count(),
        )
    }

    fn suffices(&self, count: usize) -> bool {
        let fits = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        count >= fits(self.times_min) && self.times_max.is_none_or(|most| count <= fits(most))
    }

    /// When each event happened that may follow one of these, oldest first: told from the end of the sequence,
    /// so that a long one over a long past costs no more than its links together.
    fn followers(&self, scene: &Scene<'_>) -> Option<Vec<Timestamp>> {
        let then = self.then.as_ref()?;
        let deeper = then.followers(scene);
        Some(then.counting(scene, deeper.as_deref()).collect())
    }

    /// When each event that counts happened, oldest first.
    fn counting<'s>(
        &'s self,
        scene: &'s Scene<'s>,
        followers: Option<&'s [Timestamp]>,
    ) -> impl Iterator<Item = Timestamp> + 's {
        let within = self.within.as_ref();
        let since = within.map(|delay| delay.sub(scene.now, scene.zone, scene.calendar));
        let events = scene.history.of(&self.event).filter(move |event| {
            // R7: what a machine did is no deed of the contact.
            if since.is_some_and(|since| event.at < since)
                || event.at > scene.now
                || event.by_machine()
            {
                return false;
            }
            let inner = Scene {
                event: Some(event),
                ..*scene
            };
            let refused = self
                .filter
                .as_ref()
                .is_some_and(|filter| !filter.holds(&inner));
            let then = self.then.as_ref().zip(followers);
            !refused
                && then.is_none_or(|(then, followers)| {
                    let before = followers.partition_point(|at| *at <= event.at);
                    then.suffices(followers.len() - before)
                })
        });
        events.map(|event| event.at)
    }

    /// Names of it and of what follows it; filters are visited apart.
    fn history_names(&self, into: &mut BTreeSet<EventName>) {
        let mut link = Some(self);
        while let Some(did) = link {
            into.insert(did.event.clone());
            link = did.then.as_deref();
        }
    }

    fn visit<'c>(&'c self, see: &mut impl FnMut(&'c Condition)) {
        let mut link = Some(self);
        while let Some(did) = link {
            if let Some(filter) = &did.filter {
                filter.visit(see);
            }
            link = did.then.as_deref();
        }
    }
}
