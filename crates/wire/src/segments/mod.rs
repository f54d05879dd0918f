//! `segment/1` and `grades/1`: the YAML that people write, to the segments that are kept.
//!
//! A file is read whole: every problem is reported, each with path, line and remedy. A `grades/1` file is
//! several segments, one for each of its ways, of which a contact belongs to one at most. The published schemas
//! stand in `assets/schema`; a test keeps their words equal to the ones here.
//!
//! **Absent:** whether segments that name each other do so in a circle: that is told from all of them together
//! (`relance_core::segment::cycle`).

mod bounds;
mod grades;

pub use bounds::{BoundsProblem, read_bounds, write_bounds};
pub use grades::{GRADES_KEYS, WAY_KEYS, WAYS_MAX};

use relance_core::condition::Condition;
use relance_core::ids::SegmentId;
use relance_core::segment::{Rule, Segment};
use relance_core::value::{Root, Value};

use crate::journey::PROBLEMS_MAX;
pub use crate::journey::Problem;
pub use crate::journey::condition::Settings;
use crate::journey::condition::{self, Scope};
use crate::journey::reader::{Map, NAME_CHARS_MAX, Reader};
use crate::yaml::{self, Node};

/// The format of one segment.
pub const FORMAT: &str = "segment/1";
/// The format of segments that divide contacts among them.
pub const GRADES_FORMAT: &str = "grades/1";
/// Conditions in one segment, all levels together.
pub const CONDITIONS_MAX: usize = 1_000;
/// Keys of a segment.
pub const SEGMENT_KEYS: &[&str] = &[
    "format",
    "id",
    "name",
    "description",
    "when",
    "listed",
    "announce",
    "sets",
];

/// A segment with what its author says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// What is kept.
    pub segment: Segment,
    /// For people.
    pub description: Option<String>,
}

/// Reads the segments of a file, with the workspace's usual settings.
///
/// # Errors
/// All problems at once, in order of their lines.
pub fn read(text: &str) -> Result<Vec<Segment>, Vec<Problem>> {
    read_with(text, &Settings::default())
}

/// Reads the segments of a file.
///
/// # Errors
/// All problems at once, in order of their lines.
pub fn read_with(text: &str, settings: &Settings) -> Result<Vec<Segment>, Vec<Problem>> {
    let described = read_described(text, settings)?;
    Ok(described.into_iter().map(|one| one.segment).collect())
}

/// Reads the segments of a file, with what it says of them.
///
/// # Errors
/// All problems at once, in order of their lines.
pub fn read_described(text: &str, settings: &Settings) -> Result<Vec<Described>, Vec<Problem>> {
    let (mut reader, root) = begin(text, settings)?;
    let is_grades = root.get("format").and_then(Node::text) == Some(GRADES_FORMAT);
    let read = match is_grades {
        true => grades::read(&mut reader, &root),
        false => segment(&mut reader, &root).map(|one| vec![one]),
    };
    finish(reader, read)
}

/// Reads a condition alone, as an editor has it before there is a segment.
///
/// # Errors
/// All problems at once, in order of their lines.
pub fn read_condition(text: &str, settings: &Settings) -> Result<Condition, Vec<Problem>> {
    let (mut reader, root) = begin(text, settings)?;
    let read = when(&mut reader, &root, "when", 0);
    finish(reader, read)
}

fn begin(text: &str, settings: &Settings) -> Result<(Reader, Node), Vec<Problem>> {
    let root = yaml::parse(text).map_err(|error| {
        vec![Problem {
            path: String::new(),
            line: error.line,
            what: error.what,
            remedy: error.remedy.to_owned(),
        }]
    })?;
    let reader = Reader {
        scope: Scope::Segment,
        settings: settings.clone(),
        ..Reader::default()
    };
    Ok((reader, root))
}

fn finish<T>(reader: Reader, read: Option<T>) -> Result<T, Vec<Problem>> {
    let mut problems = reader.problems;
    match read {
        Some(read) if problems.is_empty() => return Ok(read),
        Some(_) | None => {}
    }
    problems.sort_by_key(|problem| problem.line);
    if problems.len() > PROBLEMS_MAX {
        let more = problems.len() - PROBLEMS_MAX;
        problems.truncate(PROBLEMS_MAX);
        problems.push(Problem {
            path: String::new(),
            line: 1,
            what: format!("{more} more problems"),
            remedy: "mend these first".to_owned(),
        });
    }
    Err(problems)
}

fn segment(reader: &mut Reader, root: &Node) -> Option<Described> {
    let map = reader.map(root, "", SEGMENT_KEYS)?;
    check_format(reader, &map);
    let id = segment_id(reader, &map);
    let name = reader.name(&map, "name").map(str::to_owned);
    let description = reader.text(&map, "description").map(str::to_owned);
    let announce = reader.flag(&map, "announce");
    let listed = reader.flag(&map, "listed");
    let sets = map.get("sets").map(|node| read_sets(reader, node));
    let rule = match (map.get("when"), listed) {
        (Some(node), false) => when(reader, node, "when", 0).map(Rule::When),
        (None, true) => Some(Rule::Listed),
        (Some(_), true) => {
            let remedy = "keep `when` for a condition, or `listed: true` for a list by hand";
            reader.problem_at(&map, "listed", "a list has no condition", remedy);
            None
        }
        (None, false) => {
            let remedy = "write who belongs to it, or `listed: true` for a list by hand";
            reader.missing(&map, "when", remedy);
            None
        }
    };
    let sets = match sets {
        Some(sets) => Some(sets?),
        None => None,
    };
    if let (Some((name, _)), Some(Rule::When(condition))) = (&sets, &rule)
        && asks_for(condition, name)
    {
        let what = format!("the segment sets the trait {name:?} that it asks for");
        let remedy = "set another one, or make grades of it (`format: grades/1`)";
        reader.problem_at(&map, "sets", what, remedy);
    }
    let id = id?;
    Some(Described {
        segment: Segment {
            name: name.unwrap_or_else(|| id.to_string()),
            id,
            rule: rule?,
            sets,
            announce,
        },
        description,
    })
}

fn check_format(reader: &mut Reader, map: &Map<'_>) {
    const REMEDY: &str = "write `format: segment/1`, or `format: grades/1`";
    if let Some(format) = reader.required_name(map, "format", REMEDY)
        && format != FORMAT
        && format != GRADES_FORMAT
    {
        let what = format!(
            "format {:?} is not known",
            crate::journey::reader::shorten(format)
        );
        reader.problem_at(map, "format", what, REMEDY);
    }
}

fn segment_id(reader: &mut Reader, map: &Map<'_>) -> Option<SegmentId> {
    let node = reader.required(map, "id", "write a short name such as `id: no-order-30d`")?;
    reader.id(node, "id").map(SegmentId::from)
}

/// Who belongs to a segment.
fn when(reader: &mut Reader, node: &Node, path: &str, depth: usize) -> Option<Condition> {
    let condition = condition::read(reader, node, path, Root::Contact, depth)?;
    let mut count = 0;
    condition.visit(&mut |_| count += 1);
    if count > CONDITIONS_MAX {
        let what = format!("the segment has {count} conditions, more than {CONDITIONS_MAX}");
        let remedy = "use `in: [...]`, or name other segments by `in_segment`";
        reader.problem(path, node.line, what, remedy);
        return None;
    }
    Some(condition)
}

/// Whether a condition asks for a trait of the contact.
fn asks_for(condition: &Condition, name: &str) -> bool {
    let mut asks = false;
    condition.visit(&mut |one| {
        if let Condition::Field { path, .. } = one {
            asks |=
                path.root == Root::Contact && path.names.first().is_some_and(|own| **own == *name);
        }
    });
    asks
}

/// `sets: { stage: lapsed }`: one trait.
fn read_sets(reader: &mut Reader, node: &Node) -> Option<(Box<str>, Value)> {
    const REMEDY: &str = "write one trait and its value, for example { stage: lapsed }";
    let Some([pair]) = node.pairs() else {
        reader.problem("sets", node.line, "expected a map of one trait", REMEDY);
        return None;
    };
    let name = trait_name(reader, &pair.key, "sets", pair.line)?;
    let value = scalar(reader, &pair.value, &format!("sets.{name}"))?;
    Some((name, value))
}

/// The name of a trait that may be set.
fn trait_name(reader: &mut Reader, text: &str, path: &str, line: usize) -> Option<Box<str>> {
    let name = text.strip_prefix("contact.").unwrap_or(text).trim();
    if name.is_empty() || name.contains('.') || name.chars().count() > NAME_CHARS_MAX {
        let what = format!("{:?} is not a trait", crate::journey::reader::shorten(text));
        reader.problem(
            path,
            line,
            what,
            "write its name alone, for example `grade`",
        );
        return None;
    }
    Some(name.into())
}

fn scalar(reader: &mut Reader, node: &Node, path: &str) -> Option<Value> {
    match node.to_value() {
        Value::String(text) => {
            let text = reader
                .text_up_to(node, path, NAME_CHARS_MAX)
                .is_some()
                .then_some(text)?;
            Some(Value::String(text))
        }
        value @ (Value::Bool(_) | Value::Number(_)) => Some(value),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let what = format!("expected one value, found {}", node.kind());
            reader.problem(
                path,
                node.line,
                what,
                "write a text, a number, true or false",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests;
