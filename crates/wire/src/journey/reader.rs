//! Collects problems while a tree is read, so that one pass reports them all.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::yaml::{Node, Pair};

use super::Problem;

/// Problems and the lines of paths.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub problems: Vec<Problem>,
    /// Lines of the paths read so far, for problems that are found later.
    pub lines: BTreeMap<String, usize>,
}

/// A map being read.
pub(super) struct Map<'a> {
    pub path: String,
    pub line: usize,
    pairs: &'a [Pair],
}

impl<'a> Map<'a> {
    /// The value under a key; a null counts as absent.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.pairs
            .iter()
            .find(|pair| pair.key == key)
            .map(|pair| &pair.value)
            .filter(|node| node.text().is_some() || node.list().is_some() || node.pairs().is_some())
    }

    /// The path of a key.
    pub fn child(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

impl Reader {
    pub fn problem(
        &mut self,
        path: &str,
        line: usize,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems.push(Problem {
            path: path.to_owned(),
            line,
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    /// A problem with the value under a key.
    pub fn problem_at(&mut self, map: &Map<'_>, key: &str, what: String, remedy: &str) {
        let line = map.get(key).map_or(map.line, |node| node.line);
        self.problem(&map.child(key), line, what, remedy);
    }

    /// A key that must be there is not.
    pub fn missing(&mut self, map: &Map<'_>, key: &str, remedy: &str) {
        self.problem(
            &map.child(key),
            map.line,
            format!("`{key}` is missing"),
            remedy,
        );
    }

    /// A map with only these keys.
    pub fn map<'a>(&mut self, node: &'a Node, path: &str, keys: &[&str]) -> Option<Map<'a>> {
        self.lines.insert(path.to_owned(), node.line);
        let Some(pairs) = node.pairs() else {
            let what = format!("expected a map, found {}", node.kind());
            self.problem(path, node.line, what, format!("write {}", example(keys)));
            return None;
        };
        for pair in pairs
            .iter()
            .filter(|pair| !keys.contains(&pair.key.as_str()))
        {
            let child = if path.is_empty() {
                pair.key.clone()
            } else {
                format!("{path}.{}", pair.key)
            };
            let remedy = match nearest(&pair.key, keys) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", keys.join(", ")),
            };
            let what = format!("`{}` is not known", shorten(&pair.key));
            self.problem(&child, pair.line, what, remedy);
        }
        Some(Map {
            path: path.to_owned(),
            line: node.line,
            pairs,
        })
    }

    /// A list.
    pub fn list<'a>(&mut self, node: &'a Node, path: &str) -> Option<&'a [Node]> {
        self.lines.insert(path.to_owned(), node.line);
        let list = node.list();
        if list.is_none() {
            let what = format!("expected a list, found {}", node.kind());
            self.problem(path, node.line, what, "begin each member with `- `");
        }
        list
    }

    /// A text under a key; numbers are taken as written.
    pub fn text<'a>(&mut self, map: &Map<'a>, key: &str) -> Option<&'a str> {
        let node = map.get(key)?;
        let text = node.text().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            let what = format!("expected a text, found {}", node.kind());
            self.problem(
                &map.child(key),
                node.line,
                what,
                format!("write `{key}: ...`"),
            );
        }
        text
    }

    /// `true` or `false`.
    pub fn yes(&mut self, node: &Node, path: &str) -> bool {
        match node.to_value().as_bool() {
            Some(value) => value,
            None => {
                let what = format!("expected a yes or no, found {}", node.kind());
                self.problem(path, node.line, what, "write true or false");
                false
            }
        }
    }

    /// A text that a type of core reads.
    pub fn parse<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        node: &Node,
        path: &str,
    ) -> Option<T> {
        let Some(text) = node.text() else {
            let what = format!("expected a text, found {}", node.kind());
            self.problem(path, node.line, what, "write for example 3d");
            return None;
        };
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                // Core's messages read `what; remedy`.
                let text = T::Err::to_string(&error);
                let (what, remedy) = text
                    .split_once("; ")
                    .unwrap_or((text.as_str(), "see the guide"));
                self.problem(path, node.line, what, remedy);
                None
            }
        }
    }
}

fn example(keys: &[&str]) -> String {
    match keys.first() {
        Some(key) => format!("`{key}: ...`"),
        None => "a map".to_owned(),
    }
}

/// A text from a file, short enough for a message.
pub(super) fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    text.chars().take(CHARS_MAX).collect()
}

/// The known word that a wrong one was probably meant to be.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    /// Words further apart than this are different words.
    const DISTANCE_MAX: usize = 2;
    /// Longer words are not compared.
    const CHARS_MAX: usize = 40;
    if word.len() > CHARS_MAX {
        return None;
    }
    known
        .iter()
        .map(|known| (distance(word, known), *known))
        .filter(|(distance, _)| *distance <= DISTANCE_MAX)
        .min()
        .map(|(_, known)| known)
}

/// Edits between two words (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let swap = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = swap.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}
