//! `grades/1`: ways in order, of which each contact goes the first that fits, and the trait that says which.
//!
//! The same shape serves grades A to D and the stages of a sales cycle. Each way becomes a segment: its own
//! condition, and none of those before it.

use relance_core::condition::Condition;
use relance_core::ids::SegmentId;
use relance_core::segment::{Rule, Segment};
use relance_core::value::Value;

use crate::journey::reader::{ID_CHARS_MAX, Map, Reader, shorten};
use crate::yaml::Node;

use super::{Described, asks_for, check_format, scalar, segment_id, trait_name, when};

/// Ways of one file.
pub const WAYS_MAX: usize = 26;
/// Keys of a file.
pub const GRADES_KEYS: &[&str] = &[
    "format",
    "id",
    "name",
    "description",
    "trait",
    "announce",
    "ways",
];
/// Keys of a way.
pub const WAY_KEYS: &[&str] = &["if", "else", "is", "id", "name"];
/// Levels that a way's condition gains by the ways before it.
const DEPTH_GAINED: usize = 3;

/// A way as it is written.
struct Way {
    condition: Option<Condition>,
    value: Value,
    id: SegmentId,
    name: String,
}

pub(super) fn read(reader: &mut Reader, root: &Node) -> Option<Vec<Described>> {
    const REMEDY: &str = "list them, each with `if` and `is`, the last with `else`";
    let map = reader.map(root, "", GRADES_KEYS)?;
    check_format(reader, &map);
    let id = segment_id(reader, &map);
    let name = reader.name(&map, "name").map(str::to_owned);
    let description = reader.text(&map, "description").map(str::to_owned);
    let announce = reader.flag(&map, "announce");
    let told = match reader.name(&map, "trait") {
        Some(text) => {
            let line = map.get("trait").map_or(1, |node| node.line);
            trait_name(reader, text, "trait", line)
        }
        None => id.as_ref().map(|id| id.as_str().into()),
    };
    let nodes = reader.required(&map, "ways", REMEDY)?;
    let nodes = reader.list_up_to(nodes, "ways", WAYS_MAX, "join some of them")?;
    if nodes.is_empty() {
        reader.problem_at(&map, "ways", "there are no ways", REMEDY);
    }
    let (id, told) = (id?, told?);
    let name = name.unwrap_or_else(|| id.to_string());
    let mut ways: Vec<Way> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let path = format!("ways[{at}]");
        let is_last = at + 1 == nodes.len();
        let Some(way) = read_way(reader, node, &path, &id, &name, is_last) else {
            continue;
        };
        if ways.iter().any(|earlier| earlier.id == way.id) {
            let what = format!("two ways are the segment {:?}", way.id.as_str());
            reader.problem(
                &path,
                node.line,
                what,
                "give one of them an `id` of its own",
            );
        }
        if way
            .condition
            .as_ref()
            .is_some_and(|one| asks_for(one, &told))
        {
            let what = format!("the way asks for the trait {told:?} that it sets");
            reader.problem(&path, node.line, what, "ask for something else");
        }
        ways.push(way);
    }
    let mut earlier: Vec<Condition> = Vec::new();
    let mut segments = Vec::new();
    for way in ways {
        let none_before = (!earlier.is_empty())
            .then(|| Condition::Not(Box::new(Condition::Any(earlier.clone()))));
        let parts = way.condition.iter().cloned().chain(none_before);
        segments.push(Described {
            segment: Segment {
                id: way.id,
                name: way.name,
                rule: Rule::When(Condition::All(parts.collect())),
                sets: Some((told.clone(), way.value)),
                announce,
            },
            description: description.clone(),
        });
        earlier.extend(way.condition);
    }
    Some(segments)
}

fn read_way(
    reader: &mut Reader,
    node: &Node,
    path: &str,
    of: &SegmentId,
    name: &str,
    is_last: bool,
) -> Option<Way> {
    let map = reader.map(node, path, WAY_KEYS)?;
    let (condition, value) = match (map.get("if"), map.get("else")) {
        (Some(node), None) => {
            let condition = when(reader, node, &map.child("if"), DEPTH_GAINED);
            let remedy = "write what the trait becomes, for example `is: A`";
            let value = reader.required(&map, "is", remedy);
            let value = value.and_then(|node| scalar(reader, node, &map.child("is")));
            (Some(condition?), value?)
        }
        (None, Some(node)) => {
            if !is_last {
                let remedy = "put it last: no way behind it is ever gone";
                reader.problem_at(&map, "else", "`else` is not the last way", remedy);
            }
            (None, scalar(reader, node, &map.child("else"))?)
        }
        (Some(_), Some(_)) | (None, None) => {
            let remedy = "write `if: ...` and `is: A`, or for the last way `else: D`";
            reader.problem(path, node.line, "not a way", remedy);
            return None;
        }
    };
    let id = way_id(reader, &map, of, &value)?;
    let own = reader.name(&map, "name").map(str::to_owned);
    let name = own.unwrap_or_else(|| match &value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    Some(Way {
        condition,
        value,
        id,
        name,
    })
}

/// `grade-a`: the file's id and the value, or the way's own id.
fn way_id(reader: &mut Reader, map: &Map<'_>, of: &SegmentId, value: &Value) -> Option<SegmentId> {
    if let Some(node) = map.get("id") {
        return reader.id(node, &map.child("id")).map(SegmentId::from);
    }
    let text = match value {
        Value::String(text) => text.to_lowercase(),
        other => other.to_string(),
    };
    let slug: String = text
        .chars()
        .map(|c| if c == ' ' { '-' } else { c })
        .collect();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let id = format!("{of}-{slug}");
    if !slug.chars().all(good) || id.len() > ID_CHARS_MAX {
        let what = format!("{:?} makes no id", shorten(&text));
        let remedy = "give the way an id, for example `id: stage-won`";
        reader.problem(&map.path, map.line, what, remedy);
        return None;
    }
    Some(SegmentId::from(id.as_str()))
}
