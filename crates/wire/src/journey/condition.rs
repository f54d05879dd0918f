//! Conditions in YAML.
//!
//! A map of fields holds when all of them pass: `{ subject.amount: { gte: 500000 }, plan: pro }`.

use relance_core::condition::{
    CONDITION_DEPTH_MAX, CONDITION_LIST_MAX, Condition, Did, Operand, Test,
};
use relance_core::ids::{EventName, SegmentId};
use relance_core::time::Delay;
use relance_core::value::{FieldPath, Root, Value};

use crate::yaml::Node;

use super::reader::{Reader, nearest, shorten};

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
const WORDS: &[&str] = &["all", "any", "not", "did", "in_segment"];

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
            "in_segment" => match pair.value.text() {
                Some(id) => Some(Condition::InSegment(SegmentId::from(id))),
                None => {
                    reader.problem(&child, pair.line, "expected a segment's id", "write its id");
                    None
                }
            },
            name => match FieldPath::parse(name, Some(default)) {
                Ok(field) => tests(reader, &pair.value, &child, &field),
                Err(error) => {
                    let what = format!("{:?} is not a field", shorten(name));
                    let remedy = match nearest(name, WORDS) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => error.to_string(),
                    };
                    reader.problem(&child, pair.line, what, remedy);
                    None
                }
            },
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
    let members = reader.list(node, path)?;
    if members.len() > CONDITION_LIST_MAX {
        let what = format!("more than {CONDITION_LIST_MAX} conditions");
        reader.problem(path, node.line, what, "use `in: [...]`, or split them");
        return None;
    }
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
    if node.list().is_some() {
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
        "before" => operand(reader, node, path).map(Test::Before),
        "after" => operand(reader, node, path).map(Test::After),
        "in" => values(reader, node, path).map(Test::In),
        "contains" => Some(Test::Contains(node.to_value())),
        "starts_with" => match node.text() {
            Some(text) => Some(Test::StartsWith(text.to_owned())),
            None => {
                reader.problem(path, node.line, "expected a text", "write how it starts");
                None
            }
        },
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
    let members = reader.list(node, path)?;
    Some(members.iter().map(Node::to_value).collect())
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

fn did(reader: &mut Reader, node: &Node, path: &str, depth: usize) -> Option<Did> {
    if depth > CONDITION_DEPTH_MAX {
        let what = format!("conditions lie more than {CONDITION_DEPTH_MAX} deep");
        reader.problem(path, node.line, what, "flatten them");
        return None;
    }
    let map = reader.map(node, path, DID_KEYS)?;
    let event = reader.text(&map, "did").map(EventName::from);
    if event.is_none() {
        reader.missing(&map, "did", "name an event");
    }
    let (times_min, times_max) = match map.get("times") {
        Some(node) => times(reader, node, &map.child("times"))?,
        None => (1, None),
    };
    let within = match map.get("within") {
        Some(node) => Some(reader.parse::<Delay>(node, &map.child("within"))?),
        None => None,
    };
    let filter = match map.get("where") {
        Some(node) => {
            let filter = read(reader, node, &map.child("where"), Root::Event, depth + 1)?;
            Some(Box::new(filter))
        }
        None => None,
    };
    let then = match map.get("then") {
        Some(node) => Some(Box::new(did(reader, node, &map.child("then"), depth + 1)?)),
        None => None,
    };
    Some(Did {
        event: event?,
        times_min,
        times_max,
        within,
        filter,
        then,
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
