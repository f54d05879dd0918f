//! YAML as a tree that remembers lines, so that a problem can name its place.
//!
//! Built from the parser's events, not recursively: depth, nodes and size are limited before anything is
//! kept. **Absent:** anchors, aliases and tags; they are refused with a word, since a journey has no use
//! for them and an alias bomb has.

use relance_core::value::{Fields, Value};
use saphyr::Scalar;
use saphyr_parser::{Event, Parser};

/// Bytes of one file.
pub const YAML_BYTES_MAX: usize = 512 * 1024;
/// Levels of lists and maps inside one another.
pub const YAML_DEPTH_MAX: usize = 64;
/// Keys in one map.
pub const YAML_KEYS_MAX: usize = 1_000;
/// Values in one file.
pub const YAML_NODES_MAX: usize = 50_000;

/// How large a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Values in it, keys included.
    pub nodes: usize,
}

impl Limits {
    /// For what a person writes by hand.
    pub const ORDINARY: Self = Self {
        bytes: YAML_BYTES_MAX,
        nodes: YAML_NODES_MAX,
    };
}

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Line, from 1.
    pub line: usize,
    /// What it is.
    pub data: Data,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A text, number, boolean or null.
    Scalar {
        /// The resolved value.
        value: Value,
        /// The text as written.
        text: String,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written.
    Map(Vec<Pair>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// The key's line, from 1.
    pub line: usize,
    /// The value.
    pub value: Node,
}

/// A file that is not YAML, or not YAML of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}; {remedy}")]
pub struct YamlProblem {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

/// A list or map whose end has not come yet.
enum Open {
    List(usize, Vec<Node>),
    Map(usize, Vec<Pair>, Option<(String, usize)>),
}

/// Parses one document.
pub fn parse(text: &str) -> Result<Node, YamlProblem> {
    parse_within(text, Limits::ORDINARY)
}

/// Parses one document of a kind that may be larger, or must be smaller.
pub fn parse_within(text: &str, limits: Limits) -> Result<Node, YamlProblem> {
    let problem = |line, what: String, remedy| YamlProblem { line, what, remedy };
    if text.len() > limits.bytes {
        let what = format!(
            "the file has {} bytes, more than {}",
            text.len(),
            limits.bytes
        );
        return Err(problem(1, what, "split it"));
    }
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Node> = None;
    let mut nodes = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let line = error.marker().line();
            problem(
                line,
                format!("not YAML: {}", error.info()),
                "check indentation and quotes",
            )
        })?;
        let line = span.start.line();
        let (anchor, tag) = match &event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag) => (*anchor, tag.is_some()),
            Event::Alias(anchor) => (*anchor, false),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => (0, false),
        };
        if anchor != 0 || tag {
            let what = "anchors, aliases and tags are not part of the format".to_owned();
            return Err(problem(line, what, "write the value out"));
        }
        let done = match event {
            Event::Scalar(text, style, _, tag) => {
                let value = scalar(text.clone(), style, tag.as_ref());
                Some(Node {
                    line,
                    data: Data::Scalar {
                        value,
                        text: text.into_owned(),
                    },
                })
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(line, Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(line, Vec::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(line, list)) => Some(Node {
                    line,
                    data: Data::List(list),
                }),
                Some(Open::Map(line, pairs, _)) => Some(Node {
                    line,
                    data: Data::Map(pairs),
                }),
                None => None,
            },
            Event::DocumentStart(_) if root.is_some() => {
                let what = "the file holds a second document".to_owned();
                return Err(problem(line, what, "put it into a file of its own"));
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Alias(_) => None,
        };
        if open.len() > YAML_DEPTH_MAX {
            let what = format!("values lie more than {YAML_DEPTH_MAX} deep");
            return Err(problem(line, what, "flatten them"));
        }
        let Some(node) = done else { continue };
        nodes += 1;
        if nodes > limits.nodes {
            let what = format!("the file holds more than {} values", limits.nodes);
            return Err(problem(line, what, "split it"));
        }
        match open.last_mut() {
            None => root = Some(node),
            Some(Open::List(_, list)) => list.push(node),
            Some(Open::Map(_, pairs, key)) => match key.take() {
                Some((key, line)) => pairs.push(Pair {
                    key,
                    line,
                    value: node,
                }),
                None => match node.data {
                    Data::Scalar { text, .. } => {
                        if pairs.iter().any(|pair| pair.key == text) {
                            let what = format!("{text:?} stands twice in the same map");
                            return Err(problem(node.line, what, "keep one of the two"));
                        }
                        if pairs.len() >= YAML_KEYS_MAX {
                            let what = format!("the map has more than {YAML_KEYS_MAX} keys");
                            return Err(problem(node.line, what, "split it"));
                        }
                        *key = Some((text, node.line));
                    }
                    Data::List(_) | Data::Map(_) => {
                        let what = "a key must be a text".to_owned();
                        return Err(problem(node.line, what, "write `name: value`"));
                    }
                },
            },
        }
    }
    root.ok_or_else(|| {
        problem(
            1,
            "the file is empty".to_owned(),
            "write its `format:` first",
        )
    })
}

fn scalar(
    text: std::borrow::Cow<'_, str>,
    style: saphyr_parser::ScalarStyle,
    tag: Option<&std::borrow::Cow<'_, saphyr_parser::Tag>>,
) -> Value {
    match Scalar::parse_from_cow_and_metadata(text.clone(), style, tag) {
        Some(Scalar::Null) => Value::Null,
        Some(Scalar::Boolean(value)) => Value::Bool(value),
        Some(Scalar::Integer(value)) => Value::from(value),
        Some(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        Some(Scalar::String(value)) => Value::String(value.into_owned()),
        None => Value::String(text.into_owned()),
    }
}

impl Node {
    /// The pairs of a map.
    pub fn pairs(&self) -> Option<&[Pair]> {
        match &self.data {
            Data::Map(pairs) => Some(pairs),
            Data::Scalar { .. } | Data::List(_) => None,
        }
    }

    /// The members of a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(list) => Some(list),
            Data::Scalar { .. } | Data::Map(_) => None,
        }
    }

    /// The text of a scalar, as written.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { value, text } if !value.is_null() => Some(text),
            Data::Scalar { .. } | Data::List(_) | Data::Map(_) => None,
        }
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pairs()?
            .iter()
            .find(|pair| pair.key == key)
            .map(|pair| &pair.value)
    }

    /// The whole as JSON. Depth is limited by the parser.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Scalar { value, .. } => value.clone(),
            Data::List(list) => Value::Array(list.iter().map(Node::to_value).collect()),
            Data::Map(pairs) => {
                let pair = |pair: &Pair| (pair.key.clone(), pair.value.to_value());
                Value::Object(pairs.iter().map(pair).collect::<Fields>())
            }
        }
    }

    /// What it is, for problems.
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar { value, .. } => match value {
                Value::Null => "nothing",
                Value::Bool(_) => "a yes or no",
                Value::Number(_) => "a number",
                Value::String(_) | Value::Array(_) | Value::Object(_) => "a text",
            },
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_remembered() {
        let node = parse("a: 1\nb:\n  - x\n  - y: 2\n").unwrap();
        assert_eq!(node.get("a").unwrap().to_value(), Value::from(1));
        let list = node.get("b").unwrap().list().unwrap();
        assert_eq!((list[0].line, list[1].line), (3, 4));
    }

    #[test]
    fn hostile_files_are_refused_with_a_line() {
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(refused(&"- ".repeat(100)).contains("more than 64 deep"));
        assert!(refused("a: &x 1\nb: *x\n").contains("line 1: anchors"));
        assert!(refused("a: 1\na: 2\n").contains("line 2: \"a\" stands twice"));
        assert!(refused("").contains("empty"));
        assert!(refused("a: [1\nb: 2").contains("not YAML"));
        assert!(refused(&"x".repeat(YAML_BYTES_MAX + 1)).contains("bytes"));
        assert!(refused("a: 1\n---\nb: 2").contains("second document"));
    }
}
