//! Collects problems while a tree is read, so that one pass reports them all.
//!
//! **Invariant:** whoever answers `None` for something that was written has recorded a problem. So a value
//! that is broken may be left out of the draft: a file with problems is never published.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Time;
use relance_core::time::parse_time_of_day;
use relance_core::value::{FieldPath, Root};

use crate::segment::OBJECT_KINDS;
use crate::yaml::{Node, Pair};

use super::Problem;
use super::condition::{Scope, Settings};

/// Characters of a name: an event's, a template's, a field's, a role's.
pub const NAME_CHARS_MAX: usize = 256;
/// Characters of a text for people: a title, a notification.
pub const TEXT_CHARS_MAX: usize = 4_000;
/// Characters of an id: a journey's, a step's, a variant.
pub const ID_CHARS_MAX: usize = 64;

/// Problems and the lines of paths.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub problems: Vec<Problem>,
    /// Lines of the paths read so far, for problems that are found later.
    pub lines: BTreeMap<String, usize>,
    /// The kind of object that the journey is about.
    pub subject: Option<String>,
    /// Steps read so far.
    pub steps: usize,
    /// What conditions stand in.
    pub scope: Scope,
    /// What the workspace says of words whose meaning it may choose.
    pub settings: Settings,
}

/// A map being read.
pub(crate) struct Map<'a> {
    pub path: String,
    pub line: usize,
    pairs: &'a [Pair],
}

impl<'a> Map<'a> {
    /// The value under a key; a null counts as absent.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.written(key)
            .filter(|node| node.text().is_some() || node.list().is_some() || node.pairs().is_some())
    }

    /// The value under a key, also a null.
    pub fn written(&self, key: &str) -> Option<&'a Node> {
        self.pairs
            .iter()
            .find(|pair| pair.key == key)
            .map(|pair| &pair.value)
    }

    /// The path of a key.
    pub fn child(&self, key: &str) -> String {
        child(&self.path, key)
    }
}

fn child(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
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
    pub fn problem_at(
        &mut self,
        map: &Map<'_>,
        key: &str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let line = map.written(key).map_or(map.line, |node| node.line);
        self.problem(&map.child(key), line, what, remedy);
    }

    /// A message of core's, which reads `what; remedy`.
    pub fn told(&mut self, path: &str, line: usize, text: &str) {
        let (what, remedy) = text.split_once("; ").unwrap_or((text, "see the guide"));
        self.problem(path, line, what, remedy);
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

    /// A key that must be there; its absence is a problem.
    pub fn required<'a>(&mut self, map: &Map<'a>, key: &str, remedy: &str) -> Option<&'a Node> {
        let node = map.get(key);
        if node.is_none() {
            self.missing(map, key, remedy);
        }
        node
    }

    /// A map with only these keys.
    pub fn map<'a>(&mut self, node: &'a Node, path: &str, keys: &[&str]) -> Option<Map<'a>> {
        self.lines.insert(path.to_owned(), node.line);
        let Some(pairs) = node.pairs() else {
            let what = format!("expected a map, found {}", node.kind());
            self.problem(path, node.line, what, format!("write {}", example(keys)));
            return None;
        };
        for pair in pairs {
            if keys.contains(&pair.key.as_str()) {
                self.lines.insert(child(path, &pair.key), pair.line);
                continue;
            }
            let remedy = match nearest(&pair.key, keys) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", keys.join(", ")),
            };
            let word = shorten(&pair.key);
            let what = format!("`{word}` is not known");
            self.problem(&child(path, &word), pair.line, what, remedy);
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

    /// A list of at most so many members.
    pub fn list_up_to<'a>(
        &mut self,
        node: &'a Node,
        path: &str,
        most: usize,
        remedy: &str,
    ) -> Option<&'a [Node]> {
        let list = self.list(node, path)?;
        if list.len() > most {
            let what = format!("the list has {} members, more than {most}", list.len());
            self.problem(path, node.line, what, remedy);
            return None;
        }
        Some(list)
    }

    /// A name under a key, if it is there; numbers are taken as written.
    pub fn name<'a>(&mut self, map: &Map<'a>, key: &str) -> Option<&'a str> {
        self.text_up_to(map.get(key)?, &map.child(key), NAME_CHARS_MAX)
    }

    /// A name that must be there.
    pub fn required_name<'a>(&mut self, map: &Map<'a>, key: &str, remedy: &str) -> Option<&'a str> {
        let node = self.required(map, key, remedy)?;
        self.text_up_to(node, &map.child(key), NAME_CHARS_MAX)
    }

    /// A text for people under a key, if it is there.
    pub fn text<'a>(&mut self, map: &Map<'a>, key: &str) -> Option<&'a str> {
        self.text_up_to(map.get(key)?, &map.child(key), TEXT_CHARS_MAX)
    }

    /// A text of at most so many characters.
    pub fn text_up_to<'a>(
        &mut self,
        node: &'a Node,
        path: &str,
        chars_max: usize,
    ) -> Option<&'a str> {
        let Some(text) = node.text().filter(|text| !text.trim().is_empty()) else {
            let what = match node.text() {
                Some(_) => "the text is empty".to_owned(),
                None => format!("expected a text, found {}", node.kind()),
            };
            let key = path.rsplit('.').next().unwrap_or(path);
            self.problem(path, node.line, what, format!("write `{key}: ...`"));
            return None;
        };
        // Bytes first: counting characters of every text would be for the rare long one.
        if text.len() > chars_max && text.chars().count() > chars_max {
            let what = format!("the text has more than {chars_max} characters");
            self.problem(path, node.line, what, "shorten it");
            return None;
        }
        Some(text)
    }

    /// A text, or a list of texts that are joined by commas: in `{ }` a bare comma begins a new key.
    pub fn joined(&mut self, map: &Map<'_>, key: &str) -> Option<String> {
        let node = map.get(key)?;
        let path = map.child(key);
        let Some(list) = node.list() else {
            let text = self.text_up_to(node, &path, NAME_CHARS_MAX)?;
            return Some(text.to_owned());
        };
        /// Members of such a list; a month has no more days.
        const MEMBERS_MAX: usize = 32;
        if list.is_empty() || list.len() > MEMBERS_MAX {
            let what = format!("the list has {} members", list.len());
            self.problem(
                &path,
                node.line,
                what,
                format!("write 1 to {MEMBERS_MAX}, or leave it out"),
            );
            return None;
        }
        let mut parts = Vec::new();
        for (at, node) in list.iter().enumerate() {
            parts.push(self.text_up_to(node, &format!("{path}[{at}]"), ID_CHARS_MAX)?);
        }
        Some(parts.join(","))
    }

    /// An id of a-z, 0-9, - and _.
    pub fn id<'a>(&mut self, node: &'a Node, path: &str) -> Option<&'a str> {
        let text = self.text_up_to(node, path, NAME_CHARS_MAX)?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if text.len() > ID_CHARS_MAX || !text.chars().all(good) {
            let what = format!("{:?} is not an id", shorten(text));
            self.problem(path, node.line, what, "use at most 64 of a-z, 0-9, - and _");
            return None;
        }
        Some(text)
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

    /// `true` or `false` under a key; `false` when it is not there.
    pub fn flag(&mut self, map: &Map<'_>, key: &str) -> bool {
        map.get(key)
            .is_some_and(|node| self.yes(node, &map.child(key)))
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
        text.parse()
            .inspect_err(|error: &T::Err| self.told(path, node.line, &error.to_string()))
            .ok()
    }

    /// A text that a type of core reads, if the key is there.
    pub fn optional<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        map: &Map<'_>,
        key: &str,
    ) -> Option<T> {
        self.parse(map.get(key)?, &map.child(key))
    }

    /// A time of day, if the key is there.
    pub fn time(&mut self, map: &Map<'_>, key: &str) -> Option<Time> {
        let node = map.get(key)?;
        let path = map.child(key);
        let text = self.text_up_to(node, &path, NAME_CHARS_MAX)?;
        parse_time_of_day(text)
            .inspect_err(|error| self.told(&path, node.line, &error.to_string()))
            .ok()
    }

    /// A field; bare names lie below `bare`.
    pub fn field(&mut self, text: &str, path: &str, line: usize, bare: Root) -> Option<FieldPath> {
        if text.len() > NAME_CHARS_MAX {
            let what = format!("the field has more than {NAME_CHARS_MAX} bytes");
            self.problem(path, line, what, "shorten its name");
            return None;
        }
        // `deal.stage` would be read as a trait of the contact named `deal`.
        if bare == Root::Contact
            && let Some(kind) = &self.subject
            && let Some(rest) = text.strip_prefix(kind.as_str())
            && rest.starts_with('.')
        {
            let remedy = format!("did you mean `subject{rest}`?");
            self.problem(
                path,
                line,
                format!("{text:?} is no field of the subject"),
                remedy,
            );
            return None;
        }
        let field = FieldPath::parse(text, Some(bare))
            .inspect_err(|error| {
                let what = format!("{:?} is not a field", shorten(text));
                let text = error.to_string();
                let remedy = text
                    .split_once(": ")
                    .map_or("see the guide", |(_, rest)| rest);
                self.problem(path, line, what, remedy);
            })
            .ok()?;
        if let (Root::Subject, [first, second, _, ..]) = (field.root, &*field.names)
            && [first, second]
                .iter()
                .all(|name| OBJECT_KINDS.contains(&&***name))
        {
            let what = format!("{:?} leads through two objects", shorten(text));
            let remedy = format!(
                "name the {second} in the subject itself and write `subject.{second}.NAME`"
            );
            self.problem(path, line, what, remedy);
            return None;
        }
        Some(field)
    }
}

fn example(keys: &[&str]) -> String {
    match keys.first() {
        Some(key) => format!("`{key}: ...`"),
        None => "a map".to_owned(),
    }
}

/// A text from a file, short enough for a message.
pub(crate) fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    text.chars().take(CHARS_MAX).collect()
}

/// The known word that a wrong one was probably meant to be.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    /// Words further apart than this are different words; so are short ones that share less than half.
    const DISTANCE_MAX: usize = 2;
    /// Longer words are not compared.
    const CHARS_MAX: usize = 40;
    if word.len() > CHARS_MAX {
        return None;
    }
    known
        .iter()
        .map(|known| (distance(word, known), *known))
        .filter(|(distance, known)| {
            *distance <= DISTANCE_MAX && distance * 2 <= word.len().max(known.len())
        })
        .min()
        .map(|(_, known)| known)
}

/// Edits between two words; letters that changed places are one edit (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut edits = (above[j] + usize::from(a != b))
                .min(above[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                edits = edits.min(before[j - 1] + 1);
            }
            row.push(edits);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["event", "wait", "any", "at", "on", "if"];
        for (word, expected) in [
            ("evnt", Some("event")),
            ("evetn", Some("event")),
            ("wiat", Some("wait")),
            ("ayn", Some("any")),
            ("an", Some("any")),
            ("xy", None),
            ("", None),
            ("nothing_like_it", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
