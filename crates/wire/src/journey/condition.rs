//! Conditions in YAML.
//!
//! A map of fields holds when all of them pass: `{ subject.amount: { gte: 500000 }, plan: pro }`.

use relance_core::condition::{
    CONDITION_DEPTH_MAX, CONDITION_LIST_MAX, Condition, Did, Operand, Test,
};
use relance_core::ids::{EventName, SegmentId};
use relance_core::journey::SIGNS_OF_LIFE;
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
pub const WORDS: &[&str] = &["all", "any", "not", "did", "in_segment", "engaged"];
/// Values in one `in: [...]`.
pub const VALUES_MAX: usize = 1_000;
/// How long ago a sign of life may lie for `engaged: true`.
const ENGAGED_WITHIN: Delay = Delay::days(90);

/// Reads a condition; bare field names lie below `default`.
pub(super) fn read(
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
        return did(reader, node, path, depth).map(Condition::Did);
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
            "engaged" => engaged(reader, &pair.value, &child),
            name => reader
                .field(name, &child, pair.line, default)
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

/// `engaged: 30d`: opened, clicked or replied within this time; `true` is [`ENGAGED_WITHIN`].
fn engaged(reader: &mut Reader, node: &Node, path: &str) -> Option<Condition> {
    let within = |within: Delay| {
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
        Condition::Any(SIGNS_OF_LIFE.into_iter().map(sign).collect())
    };
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
        .and_then(|node| read(reader, node, &map.child("where"), Root::Event, depth + 1));
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
