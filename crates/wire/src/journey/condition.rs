//! Conditions in YAML.
//!
//! A map of fields holds when all of them pass: `{ subject.amount: { gte: 500000 }, plan: pro }`.

use relance_core::condition::{
    CONDITION_DEPTH_MAX, CONDITION_LIST_MAX, Condition, Did, Operand, Test,
};
use relance_core::ids::{EventName, ObjectKind, SegmentId};
use relance_core::journey::SIGNS_OF_LIFE;
use relance_core::rfm::{ORDER_EVENT_DEFAULT, ORDER_SUM_DEFAULT, Rfm, RfmGroup, SCORE_MAX, Scores};
use relance_core::time::{Delay, Zone};
use relance_core::value::{self, FieldPath, Root, Value};

use crate::yaml::Node;

use super::reader::{NAME_CHARS_MAX, Reader, nearest, shorten};

/// Comparisons.
pub const TESTS: &[&str] = &[
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "contains",
    "starts_with",
    "exists",
    "before",
    "after",
];
/// Keys of `did`.
pub const DID_KEYS: &[&str] = &["did", "times", "within", "where", "then"];
/// Words that are not fields.
pub const WORDS: &[&str] = &[
    "all",
    "any",
    "not",
    "did",
    "in_segment",
    "engaged",
    "has",
    "rfm",
];
/// Keys of `has`.
pub const HAS_KEYS: &[&str] = &["has", "where"];
/// Keys of `rfm`.
pub const RFM_KEYS: &[&str] = &["recency", "frequency", "monetary", "group"];
/// Words for how long ago a contact last showed itself.
pub const ENGAGEMENTS: &[&str] = &["engaged", "cooling", "asleep"];
/// Values in one `in: [...]`.
pub const VALUES_MAX: usize = 1_000;
/// How long ago a sign of life may lie for `engaged: true`.
const ENGAGED_WITHIN: Delay = Delay::days(90);
/// What shows, beside opens, clicks and replies, that a person was there.
pub const SIGNS_ON_SITE: [&str; 4] = [
    "Page Viewed",
    "Screen Viewed",
    "Product Viewed",
    "Form Submitted",
];

/// What the workspace says of words whose meaning it may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Up to so long after their last sign contacts are `engaged`.
    pub engaged_within: Delay,
    /// Up to so long after it they are `cooling`, and then `asleep`.
    pub cooling_within: Delay,
    /// The event that is an order.
    pub order_event: EventName,
    /// The properties of it that may hold its sum, the first that is there counts.
    pub order_sum: Box<[Box<str>]>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engaged_within: Delay::days(30),
            cooling_within: Delay::days(90),
            order_event: EventName::from(ORDER_EVENT_DEFAULT),
            order_sum: ORDER_SUM_DEFAULT.map(Into::into).into(),
        }
    }
}

/// What a condition stands in, and so what it may ask about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// A journey: the run's subject and an event may be at hand.
    #[default]
    Journey,
    /// A segment: there is only the contact.
    Segment,
    /// The `where` of a segment's `did`: an event is at hand.
    Deed,
    /// The `where` of a segment's `has`: an object is at hand.
    Object,
}

impl Scope {
    /// Whether there is something for a path to begin at.
    fn has(self, root: Root) -> bool {
        match (self, root) {
            (Self::Journey, _) | (_, Root::Contact) => true,
            (Self::Deed, Root::Event) | (Self::Object, Root::Subject) => true,
            (Self::Segment | Self::Deed | Self::Object, Root::Event | Root::Subject) => false,
        }
    }
}

/// Reads a condition; bare field names lie below `default`.
pub(crate) fn read(
    reader: &mut Reader,
    node: &Node,
    path: &str,
    default: Root,
    depth: usize,
) -> Option<Condition> {
    if depth > CONDITION_DEPTH_MAX {
        let what = format!("conditions lie more than {CONDITION_DEPTH_MAX} deep");
        reader.problem(path, node.line, what, "flatten them");
        return None;
    }
    let Some(pairs) = node.pairs() else {
        // A list reads as `all`, the way people write it.
        if node.list().is_some() {
            return list(reader, node, path, default, depth).map(Condition::All);
        }
        let what = format!("expected a condition, found {}", node.kind());
        reader.problem(
            path,
            node.line,
            what,
            "write for example `{ subject.kind: offer }`",
        );
        return None;
    };
    if pairs.iter().any(|pair| pair.key == "did") {
        may_look_around(reader, node, path, "did")?;
        return did(reader, node, path, depth).map(Condition::Did);
    }
    if pairs.iter().any(|pair| pair.key == "has") {
        may_look_around(reader, node, path, "has")?;
        return has(reader, node, path, depth);
    }
    let mut all = Vec::new();
    let mut whole = true;
    for pair in pairs {
        let child = format!("{path}.{}", shorten(&pair.key));
        let one = match pair.key.as_str() {
            "all" => list(reader, &pair.value, &child, default, depth).map(Condition::All),
            "any" => list(reader, &pair.value, &child, default, depth).map(Condition::Any),
            "not" => read(reader, &pair.value, &child, default, depth + 1)
                .map(|inner| Condition::Not(Box::new(inner))),
            "in_segment" => reader
                .text_up_to(&pair.value, &child, NAME_CHARS_MAX)
                .map(|id| Condition::InSegment(SegmentId::from(id))),
            "engaged" => may_look_around(reader, node, path, "engaged")
                .and_then(|()| engaged(reader, &pair.value, &child)),
            "rfm" => may_look_around(reader, node, path, "rfm")
                .and_then(|()| rfm(reader, &pair.value, &child)),
            name => reader
                .field(name, &child, pair.line, default)
                .filter(|field| in_reach(reader, field, &child, pair.line))
                .and_then(|field| tests(reader, &pair.value, &child, &field)),
        };
        whole &= one.is_some();
        all.extend(one);
    }
    if !whole {
        return None;
    }
    if all.len() == 1 {
        all.pop()
    } else {
        Some(Condition::All(all))
    }
}

/// In a segment a `where` asks about its event or object alone: what it would look through again for each of
/// them stands beside it.
fn may_look_around(reader: &mut Reader, node: &Node, path: &str, word: &str) -> Option<()> {
    match reader.scope {
        Scope::Journey | Scope::Segment => Some(()),
        Scope::Deed | Scope::Object => {
            let what = format!("`{word}` stands inside a `where`");
            reader.problem(path, node.line, what, "write it beside, joined by `all`");
            None
        }
    }
}

fn in_reach(reader: &mut Reader, field: &FieldPath, path: &str, line: usize) -> bool {
    let scope = reader.scope;
    if !scope.has(field.root) {
        let remedy = match field.root {
            Root::Event => "ask for events by `did`, for example { did: Order Completed }",
            Root::Subject | Root::Contact => "ask for objects by `has`, for example { has: deal }",
        };
        let what = format!("no {} is at hand here", field.root.word());
        reader.problem(path, line, what, remedy);
    }
    scope.has(field.root)
}

/// The condition of a `where`, in a scope of its own.
fn read_within(
    reader: &mut Reader,
    node: &Node,
    path: &str,
    default: Root,
    depth: usize,
) -> Option<Condition> {
    let scope = reader.scope;
    reader.scope = match (scope, default) {
        (Scope::Journey, _) => Scope::Journey,
        (_, Root::Subject) => Scope::Object,
        (_, Root::Event | Root::Contact) => Scope::Deed,
    };
    let condition = read(reader, node, path, default, depth);
    reader.scope = scope;
    condition
}

/// `has: deal`, with a `where` about it.
fn has(reader: &mut Reader, node: &Node, path: &str, depth: usize) -> Option<Condition> {
    let map = reader.map(node, path, HAS_KEYS)?;
    let kind = reader.required_name(&map, "has", "name a kind of objects, for example deal");
    let filter = match map.get("where") {
        None => None,
        Some(node) => {
            let path = map.child("where");
            Some(read_within(reader, node, &path, Root::Subject, depth + 1)?)
        }
    };
    Some(Condition::Has {
        kind: ObjectKind::from(kind?),
        filter: filter.map(Box::new),
    })
}

/// `rfm: { recency: { gte: 4 }, group: champions }`.
fn rfm(reader: &mut Reader, node: &Node, path: &str) -> Option<Condition> {
    let map = reader.map(node, path, RFM_KEYS)?;
    let before = reader.problems.len();
    let mut score = |key: &str| {
        let node = map.get(key)?;
        scores(reader, node, &map.child(key))
    };
    let (recency, frequency, monetary) = (score("recency"), score("frequency"), score("monetary"));
    let group = map.get("group").and_then(|node| {
        let path = map.child("group");
        let word = reader.text_up_to(node, &path, NAME_CHARS_MAX)?;
        let known = RfmGroup::ALL.map(RfmGroup::word);
        let group = RfmGroup::from_word(word);
        if group.is_none() {
            let remedy = match nearest(word, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write {}", known.join(", ")),
            };
            let what = format!("{:?} is no group", shorten(word));
            reader.problem(&path, node.line, what, remedy);
        }
        group
    });
    if reader.problems.len() > before {
        return None;
    }
    if [recency, frequency, monetary].iter().all(Option::is_none) && group.is_none() {
        let remedy = "write for example { recency: { gte: 4 } } or { group: champions }";
        reader.problem(path, node.line, "nothing is asked", remedy);
        return None;
    }
    Some(Condition::Rfm(Rfm {
        event: reader.settings.order_event.clone(),
        sum: reader.settings.order_sum.clone(),
        recency,
        frequency,
        monetary,
        group,
    }))
}

/// `4`, or `{ gte: 4 }`, `{ gte: 2, lte: 3 }`.
fn scores(reader: &mut Reader, node: &Node, path: &str) -> Option<Scores> {
    let number = |node: &Node| {
        let number = node.to_value().as_u64()?;
        u8::try_from(number)
            .ok()
            .filter(|one| (1..=SCORE_MAX).contains(one))
    };
    let all = (1, SCORE_MAX);
    let range = match node.pairs() {
        None => number(node).map(|one| (one, one)),
        Some([]) => None,
        Some(pairs) => pairs.iter().try_fold(all, |(least, most), pair| {
            let score = number(&pair.value)?;
            Some(match pair.key.as_str() {
                "eq" => (least.max(score), most.min(score)),
                "gte" => (least.max(score), most),
                "gt" => (least.max(score + 1), most),
                "lte" => (least, most.min(score)),
                "lt" => (least, most.min(score - 1)),
                _other => return None,
            })
        }),
    };
    let range = range.filter(|(least, most)| least <= most);
    if range.is_none() {
        let remedy = "write a score from 1 to 5, or for example { gte: 4 }";
        reader.problem(path, node.line, "not a score", remedy);
    }
    range.map(|(least, most)| Scores { least, most })
}

fn list(
    reader: &mut Reader,
    node: &Node,
    path: &str,
    default: Root,
    depth: usize,
) -> Option<Vec<Condition>> {
    let remedy = "use `in: [...]`, or split them";
    let members = reader.list_up_to(node, path, CONDITION_LIST_MAX, remedy)?;
    let read: Vec<Option<Condition>> = members
        .iter()
        .enumerate()
        .map(|(at, member)| read(reader, member, &format!("{path}[{at}]"), default, depth + 1))
        .collect();
    read.into_iter().collect()
}

/// What a field must be: a value, a list of values, or comparisons.
fn tests(reader: &mut Reader, node: &Node, path: &str, field: &FieldPath) -> Option<Condition> {
    let with = |test| Condition::Field {
        path: field.clone(),
        test,
    };
    if let Some(list) = node.list() {
        // `ayn: [{ ... }]` would be a field that is one of some maps.
        if list.iter().any(|member| member.pairs().is_some()) {
            let last = field.names.last().map_or("", |name| name);
            let remedy = match nearest(last, WORDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write `all`, `any` or `not` before conditions".to_owned(),
            };
            reader.problem(path, node.line, "a field is compared with maps", remedy);
            return None;
        }
        return values(reader, node, path).map(|values| with(Test::In(values)));
    }
    let Some(pairs) = node.pairs() else {
        return Some(with(Test::Eq(node.to_value())));
    };
    let mut all = Vec::new();
    let mut whole = !pairs.is_empty();
    if pairs.is_empty() {
        reader.problem(
            path,
            node.line,
            "no comparison",
            format!("use {}", TESTS.join(", ")),
        );
    }
    for pair in pairs {
        let child = format!("{path}.{}", shorten(&pair.key));
        let test = test(reader, &pair.key, &pair.value, &child);
        whole &= test.is_some();
        all.extend(test.map(with));
    }
    if !whole {
        return None;
    }
    if all.len() == 1 {
        all.pop()
    } else {
        Some(Condition::All(all))
    }
}

fn test(reader: &mut Reader, word: &str, node: &Node, path: &str) -> Option<Test> {
    match word {
        "eq" => Some(Test::Eq(node.to_value())),
        "ne" => Some(Test::Ne(node.to_value())),
        "gt" => operand(reader, node, path).map(Test::Gt),
        "gte" => operand(reader, node, path).map(Test::Gte),
        "lt" => operand(reader, node, path).map(Test::Lt),
        "lte" => operand(reader, node, path).map(Test::Lte),
        "before" => moment(reader, node, path).map(Test::Before),
        "after" => moment(reader, node, path).map(Test::After),
        "in" => values(reader, node, path).map(Test::In),
        "contains" => Some(Test::Contains(node.to_value())),
        "starts_with" => reader
            .text_up_to(node, path, NAME_CHARS_MAX)
            .map(|text| Test::StartsWith(text.to_owned())),
        "exists" => Some(Test::Exists(reader.yes(node, path))),
        other => {
            let remedy = match nearest(other, TESTS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("use {}", TESTS.join(", ")),
            };
            let what = format!("`{}` is not a comparison", shorten(other));
            reader.problem(path, node.line, what, remedy);
            None
        }
    }
}

fn values(reader: &mut Reader, node: &Node, path: &str) -> Option<Vec<Value>> {
    let members = reader.list_up_to(node, path, VALUES_MAX, "make a segment of them")?;
    Some(members.iter().map(Node::to_value).collect())
}

/// An operand that can be a moment; another could never hold.
fn moment(reader: &mut Reader, node: &Node, path: &str) -> Option<Operand> {
    let operand = operand(reader, node, path)?;
    if let Operand::Value(value) = &operand
        && value::moment(value, &Zone::utc()).is_none()
    {
        let remedy = "write a date such as 2026-12-24, { ago: 90d } or { in: 7d }";
        reader.problem(path, node.line, "not a moment", remedy);
        return None;
    }
    Some(operand)
}

/// A value, `{ ago: 90d }` or `{ in: 7d }`.
fn operand(reader: &mut Reader, node: &Node, path: &str) -> Option<Operand> {
    if node.pairs().is_none() {
        if node.list().is_some() {
            reader.problem(
                path,
                node.line,
                "expected one value, found a list",
                "compare with one",
            );
            return None;
        }
        return Some(Operand::Value(node.to_value()));
    }
    let map = reader.map(node, path, &["ago", "in"])?;
    match (map.get("ago"), map.get("in")) {
        (Some(ago), None) => reader
            .parse::<Delay>(ago, &map.child("ago"))
            .map(Operand::Ago),
        (None, Some(ahead)) => reader
            .parse::<Delay>(ahead, &map.child("in"))
            .map(Operand::In),
        (Some(_), Some(_)) | (None, None) => {
            reader.problem(
                path,
                node.line,
                "not a moment",
                "write { ago: 90d } or { in: 7d }",
            );
            None
        }
    }
}

/// Did any of these within a time.
fn any_sign<'s>(signs: impl Iterator<Item = &'s str>, within: Delay) -> Condition {
    let sign = |event: &str| {
        Condition::Did(Did {
            event: EventName::from(event),
            times_min: 1,
            times_max: None,
            within: Some(within),
            filter: None,
            then: None,
        })
    };
    Condition::Any(signs.map(sign).collect())
}

/// `engaged: 30d`: opened, clicked or replied within this time; `true` is [`ENGAGED_WITHIN`]. `engaged`,
/// `cooling` and `asleep` count orders and visits too, by the workspace's days: each contact is one of them.
fn engaged(reader: &mut Reader, node: &Node, path: &str) -> Option<Condition> {
    let within = |within| any_sign(SIGNS_OF_LIFE.into_iter(), within);
    let settings = reader.settings.clone();
    let shown = |within| {
        let order = std::iter::once(settings.order_event.as_str());
        any_sign(
            SIGNS_OF_LIFE.into_iter().chain(SIGNS_ON_SITE).chain(order),
            within,
        )
    };
    let not = |condition| Condition::Not(Box::new(condition));
    let word = node.text().filter(|text| ENGAGEMENTS.contains(text));
    match word {
        Some("engaged") => return Some(shown(settings.engaged_within)),
        Some("cooling") => {
            let lately = not(shown(settings.engaged_within));
            return Some(Condition::All(vec![shown(settings.cooling_within), lately]));
        }
        Some("asleep") => return Some(not(shown(settings.cooling_within))),
        // `engaged: 30d`, or true or false.
        Some(_) | None => {}
    }
    match node.to_value() {
        Value::Bool(true) => Some(within(ENGAGED_WITHIN)),
        Value::Bool(false) => Some(Condition::Not(Box::new(within(ENGAGED_WITHIN)))),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            reader.parse::<Delay>(node, path).map(within)
        }
    }
}

fn did(reader: &mut Reader, node: &Node, path: &str, depth: usize) -> Option<Did> {
    if depth > CONDITION_DEPTH_MAX {
        let what = format!("conditions lie more than {CONDITION_DEPTH_MAX} deep");
        reader.problem(path, node.line, what, "flatten them");
        return None;
    }
    let map = reader.map(node, path, DID_KEYS)?;
    let event = reader.required_name(&map, "did", "name an event");
    let times = match map.get("times") {
        Some(node) => times(reader, node, &map.child("times")),
        None => Some((1, None)),
    };
    let within = reader.optional(&map, "within");
    let filter = map
        .get("where")
        .and_then(|node| read_within(reader, node, &map.child("where"), Root::Event, depth + 1));
    let then = map
        .get("then")
        .and_then(|node| did(reader, node, &map.child("then"), depth + 1));
    let (times_min, times_max) = times?;
    Some(Did {
        event: EventName::from(event?),
        times_min,
        times_max,
        within,
        filter: filter.map(Box::new),
        then: then.map(Box::new),
    })
}

/// `2` (at least), or `{ gte: 1, lte: 3 }`, `{ eq: 0 }`.
fn times(reader: &mut Reader, node: &Node, path: &str) -> Option<(u32, Option<u32>)> {
    const REMEDY: &str = "write a number (at least), or for example { lte: 3 } or { eq: 0 }";
    let number = |node: &Node| {
        node.to_value()
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
    };
    let read = match node.pairs() {
        None => number(node).map(|least| (least, None)),
        Some([]) => None,
        Some(pairs) => pairs.iter().try_fold((0, None), |(least, most), pair| {
            let count = number(&pair.value)?;
            match pair.key.as_str() {
                "eq" => Some((count, Some(count))),
                "gte" => Some((count, most)),
                "gt" => Some((count.checked_add(1)?, most)),
                "lte" => Some((least, Some(count))),
                "lt" => Some((least, Some(count.checked_sub(1)?))),
                _other => None,
            }
        }),
    };
    if read.is_none() {
        reader.problem(path, node.line, "not a number of times", REMEDY);
    }
    read
}
