//! `list/1`: a content list, which a marketer fills and journeys send from, an item at a time.
//!
//! A file is read whole: every problem is reported, each with path, line and remedy. An item is what
//! templates see as `item`: its fields are data, shown and never evaluated. The order of the file is the
//! order in which a contact receives the items.
//!
//! **Absent:** who has received what (core's contact), and which message carries which item.

use std::collections::BTreeMap;
use std::sync::Arc;

use relance_core::ids::{ItemId, ListId};
use relance_core::value::{Fields, Value};

use crate::journey::{PROBLEMS_MAX, Problem};
use crate::yaml::{self, Node};

/// The format this module reads.
pub const FORMAT: &str = "list/1";
/// Items of one list.
pub const ITEMS_MAX: usize = 10_000;
/// Bytes of one item's fields, as JSON.
pub const ITEM_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one file.
pub const LIST_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Values in one file, keys included.
pub const LIST_NODES_MAX: usize = 400_000;
/// Characters of an item's id.
const ITEM_ID_CHARS_MAX: usize = 64;
/// Characters of a list's name.
const NAME_CHARS_MAX: usize = 256;
/// Characters of a text from a file that a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// Keys of a list.
pub const LIST_KEYS: &[&str] = &["format", "id", "name", "items"];
/// Fields that must be a text, where an item has them.
const TEXT_FIELDS: [&str; 4] = ["title", "text", "url", "image"];
/// Of these, the ones that lead somewhere: a template puts them into `href` and `src`.
const ADDRESS_FIELDS: [&str; 2] = ["url", "image"];

/// A content list.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentList {
    /// Which one.
    pub id: ListId,
    /// For people.
    pub name: Option<String>,
    items: Vec<ContentItem>,
    places: BTreeMap<ItemId, usize>,
}

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentItem {
    /// Which one: unique in its list, and for ever the same content.
    pub id: ItemId,
    /// What templates see, `id` included.
    pub fields: Fields,
}

impl ContentList {
    /// The items, in the order in which they are sent.
    pub fn items(&self) -> &[ContentItem] {
        &self.items
    }

    /// Their ids, in the same order: what a decision must know of the list.
    pub fn ids(&self) -> Arc<[ItemId]> {
        self.items.iter().map(|item| item.id.clone()).collect()
    }

    /// The fields of an item; `None` for one that the list does not have any more.
    pub fn fields(&self, item: &ItemId) -> Option<&Fields> {
        let place = *self.places.get(item)?;
        self.items.get(place).map(|item| &item.fields)
    }
}

/// Reads and checks a list.
///
/// # Errors
/// All problems at once, in order of their lines.
pub fn parse(text: &str) -> Result<ContentList, Vec<Problem>> {
    let limits = yaml::Limits {
        bytes: LIST_BYTES_MAX,
        nodes: LIST_NODES_MAX,
    };
    let root = yaml::parse_within(text, limits).map_err(|error| {
        vec![Problem {
            path: String::new(),
            line: error.line,
            what: error.what,
            remedy: error.remedy.to_owned(),
        }]
    })?;
    let mut reader = Reader::default();
    let list = reader.list(&root);
    match list {
        Some(list) if reader.problems.is_empty() => Ok(list),
        Some(_) | None => Err(reader.finish()),
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
    /// Problems beyond those that are reported.
    more: usize,
}

impl Reader {
    fn problem(
        &mut self,
        path: impl Into<String>,
        line: usize,
        what: impl Into<String>,
        remedy: &str,
    ) {
        if self.problems.len() >= PROBLEMS_MAX {
            self.more += 1;
            return;
        }
        self.problems.push(Problem {
            path: path.into(),
            line,
            what: what.into(),
            remedy: remedy.to_owned(),
        });
    }

    fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.line);
        if self.more > 0 {
            self.problems.push(Problem {
                path: String::new(),
                line: 1,
                what: format!("{} more problems", self.more),
                remedy: "mend these first".to_owned(),
            });
        }
        self.problems
    }

    fn list(&mut self, root: &Node) -> Option<ContentList> {
        const FORMAT_REMEDY: &str = "write `format: list/1`";
        const ID_REMEDY: &str = "write a short name such as `id: lessons`";
        let Some(pairs) = root.pairs() else {
            let what = format!("expected a map, found {}", root.kind());
            self.problem("", root.line, what, FORMAT_REMEDY);
            return None;
        };
        for pair in pairs {
            if !LIST_KEYS.contains(&pair.key.as_str()) {
                let what = format!("`{}` is not known", shorten(&pair.key));
                let remedy = format!("known here: {}", LIST_KEYS.join(", "));
                self.problem(shorten(&pair.key), pair.line, what, &remedy);
            }
        }
        match root.get("format").map(|node| (node, node.text())) {
            Some((_, Some(FORMAT))) => {}
            Some((node, _)) => {
                self.problem(
                    "format",
                    node.line,
                    "the format is not known",
                    FORMAT_REMEDY,
                );
            }
            None => self.problem("format", root.line, "`format` is missing", FORMAT_REMEDY),
        }
        let id = match root.get("id") {
            Some(node) => self.list_id(node),
            None => {
                self.problem("id", root.line, "`id` is missing", ID_REMEDY);
                None
            }
        };
        let name = root.get("name").and_then(|node| {
            let name = node.text().filter(|text| fits(text, NAME_CHARS_MAX));
            if name.is_none() {
                let what = "the name is not a text of at most 256 characters";
                self.problem("name", node.line, what, "shorten it, or leave it out");
            }
            name.map(str::to_owned)
        });
        let items = match root.get("items") {
            Some(node) => self.items(node),
            None => {
                let remedy = "list them below `items:`, each beginning with `- id: ...`";
                self.problem("items", root.line, "`items` is missing", remedy);
                None
            }
        };
        let items = items?;
        let places = items
            .iter()
            .enumerate()
            .map(|(place, item)| (item.id.clone(), place))
            .collect();
        Some(ContentList {
            id: id?,
            name,
            items,
            places,
        })
    }

    fn list_id(&mut self, node: &Node) -> Option<ListId> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let id = node
            .text()
            .filter(|text| fits(text, ITEM_ID_CHARS_MAX) && text.chars().all(good));
        if id.is_none() {
            let shown = node.text().map_or(node.kind().to_owned(), shorten);
            let what = format!("{shown:?} is not an id");
            self.problem("id", node.line, what, "use at most 64 of a-z, 0-9, - and _");
        }
        id.map(ListId::from)
    }

    fn items(&mut self, node: &Node) -> Option<Vec<ContentItem>> {
        // `items:` with nothing below it is a list that nobody has filled yet.
        if node.text().is_none() && node.list().is_none() && node.pairs().is_none() {
            return Some(Vec::new());
        }
        let Some(nodes) = node.list() else {
            let what = format!("expected a list, found {}", node.kind());
            self.problem("items", node.line, what, "begin each item with `- id: ...`");
            return None;
        };
        if nodes.len() > ITEMS_MAX {
            let what = format!("the list has {} items, more than {ITEMS_MAX}", nodes.len());
            self.problem("items", node.line, what, "make two lists of it");
            return None;
        }
        let mut lines: BTreeMap<ItemId, usize> = BTreeMap::new();
        let mut items = Vec::with_capacity(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            let path = format!("items[{at}]");
            let Some(item) = self.item(node, &path) else {
                continue;
            };
            if let Some(earlier) = lines.insert(item.id.clone(), node.line) {
                let what = format!(
                    "the item of line {earlier} has the id {:?} too",
                    shorten(item.id.as_str())
                );
                let remedy = "give each an id of its own: a contact receives each id once";
                self.problem(format!("{path}.id"), node.line, what, remedy);
            }
            items.push(item);
        }
        Some(items)
    }

    fn item(&mut self, node: &Node, path: &str) -> Option<ContentItem> {
        if node.pairs().is_none() {
            let what = format!("expected a map, found {}", node.kind());
            self.problem(path, node.line, what, "write `id: ...`, `title: ...`");
            return None;
        }
        let id = match node.get("id") {
            None => {
                let remedy = "write one that never changes, such as `id: lesson-1`";
                self.problem(format!("{path}.id"), node.line, "`id` is missing", remedy);
                None
            }
            Some(id) => {
                let text = id
                    .text()
                    .filter(|text| fits(text, ITEM_ID_CHARS_MAX))
                    .filter(|text| !text.chars().any(char::is_control));
                if text.is_none() {
                    let what = "the id is not a text of 1 to 64 characters";
                    let remedy = "write a short one that never changes, such as `id: lesson-1`";
                    self.problem(format!("{path}.id"), id.line, what, remedy);
                }
                text
            }
        };
        for name in TEXT_FIELDS {
            self.text_field(node, path, name);
        }
        let Value::Object(mut fields) = node.to_value() else {
            return None;
        };
        let bytes = serde_json::to_string(&fields).map_or(usize::MAX, |text| text.len());
        if bytes > ITEM_BYTES_MAX {
            let what = format!("the item has {bytes} bytes, more than {ITEM_BYTES_MAX}");
            self.problem(
                path,
                node.line,
                what,
                "keep pictures elsewhere, and link to them",
            );
            return None;
        }
        let id = id?;
        // As it is written: `id: 007` is not 7.
        fields.insert("id".to_owned(), Value::String(id.to_owned()));
        Some(ContentItem {
            id: ItemId::from(id),
            fields,
        })
    }

    fn text_field(&mut self, item: &Node, path: &str, name: &str) {
        let Some(node) = item.get(name) else { return };
        if node.list().is_some() || node.pairs().is_some() {
            let what = format!("expected a text, found {}", node.kind());
            let remedy = format!("write `{name}: ...`");
            self.problem(format!("{path}.{name}"), node.line, what, &remedy);
            return;
        }
        let Some(text) = node.text().filter(|_| ADDRESS_FIELDS.contains(&name)) else {
            return;
        };
        let text = text.trim();
        let is_web = ["https://", "http://"].iter().any(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        });
        if !is_web || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            let what = format!("{:?} is not an address of the web", shorten(text));
            let remedy = "begin it with https:// and write a space as %20";
            self.problem(format!("{path}.{name}"), node.line, what, remedy);
        }
    }
}

/// Whether a text is there and has at most so many characters.
fn fits(text: &str, chars_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().nth(chars_max).is_none()
}

/// A text from a file, short enough for a message.
fn shorten(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let found = parse(text).expect_err("has problems");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_keeps_its_order_and_every_field() {
        let list = parse(
            "format: list/1\nid: lessons\nname: Уроки\nitems:\n\
             - id: l2\n  title: \"Урок 2\"\n  url: https://school.test/2\n  minutes: 12\n\
             - { id: 007, title: First, tags: [a, b], image: 'HTTPS://school.test/1.png' }\n",
        )
        .unwrap();
        assert_eq!(list.id.as_str(), "lessons");
        assert_eq!(list.name.as_deref(), Some("Уроки"));
        let ids = list.ids();
        let ids: Vec<&str> = ids.iter().map(ItemId::as_str).collect();
        assert_eq!(ids, ["l2", "007"]);
        let second = list.fields(&ItemId::from("007")).unwrap();
        assert_eq!(second["id"], "007");
        assert_eq!(second["tags"], serde_json::json!(["a", "b"]));
        assert_eq!(list.fields(&ItemId::from("l2")).unwrap()["minutes"], 12);
        assert_eq!(list.fields(&ItemId::from("gone")), None);
    }

    #[test]
    fn the_guides_example_is_true() {
        const GUIDE: &str = include_str!("../../../docs/guide/templates.md");
        let (_, behind) = GUIDE.split_once("```yaml\n").unwrap();
        let (example, _) = behind.split_once("```").unwrap();
        let list = parse(example).unwrap();
        assert_eq!(list.items()[0].fields["minutes"], 12);
        for limit in ["`ITEMS_MAX`", "`ITEM_BYTES_MAX`", "`LIST_BYTES_MAX`"] {
            assert!(GUIDE.contains(limit), "{limit} is not in the guide");
        }
    }

    #[test]
    fn an_empty_list_is_one_that_nobody_has_filled_yet() {
        for items in ["[]", ""] {
            let list = parse(&format!("format: list/1\nid: a\nitems: {items}\n")).unwrap();
            assert!(list.items().is_empty());
        }
    }

    #[test]
    fn all_problems_come_at_once_with_line_and_remedy() {
        let found = problems(
            "format: list/2\nid: My List\nitem: []\nitems:\n\
             - title: No id\n\
             - just a text\n\
             - { id: a, url: 'javascript:alert(1)' }\n\
             - { id: a, title: [x] }\n\
             - { id: '' }\n",
        );
        let expected = [
            "line 1: format: the format is not known; write `format: list/1`",
            "line 2: id: \"My List\" is not an id; use at most 64 of a-z, 0-9, - and _",
            "line 3: item: `item` is not known; known here: format, id, name, items",
            "line 5: items[0].id: `id` is missing; write one that never changes, such as `id: lesson-1`",
            "line 6: items[1]: expected a map, found a text; write `id: ...`, `title: ...`",
            "line 7: items[2].url: \"javascript:alert(1)\" is not an address of the web; begin it with https:// and write a space as %20",
            "line 8: items[3].title: expected a text, found a list; write `title: ...`",
            "line 8: items[3].id: the item of line 7 has the id \"a\" too; give each an id of its own: a contact receives each id once",
            "line 9: items[4].id: the id is not a text of 1 to 64 characters; write a short one that never changes, such as `id: lesson-1`",
        ];
        assert_eq!(found, expected);
        let found = problems("{}");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(problems("- a")[0].contains("expected a map"));
        assert!(problems("").concat().contains("empty"));
        assert!(problems("format: list/1\nid: a\nitems: 3\n")[0].contains("expected a list"));
    }

    #[test]
    fn limits_hold_and_a_large_list_is_read() {
        let many = |count: usize| {
            let items: String = (0..count)
                .map(|n| format!("- {{ id: i{n}, title: T, url: 'https://a.test/{n}' }}\n"))
                .collect();
            format!("format: list/1\nid: a\nitems:\n{items}")
        };
        assert_eq!(parse(&many(ITEMS_MAX)).unwrap().items().len(), ITEMS_MAX);
        assert!(problems(&many(ITEMS_MAX + 1))[0].contains("more than 10000"));
        let long = |bytes: usize| {
            let text = "x".repeat(bytes);
            format!("format: list/1\nid: a\nitems:\n- {{ id: a, text: {text} }}\n")
        };
        assert!(parse(&long(ITEM_BYTES_MAX - 100)).is_ok());
        assert!(problems(&long(ITEM_BYTES_MAX))[0].contains("more than 65536"));
        assert!(problems(&" ".repeat(LIST_BYTES_MAX + 1))[0].contains("bytes"));
    }

    #[test]
    fn a_flood_of_problems_is_counted() {
        let items = "- 1\n".repeat(ITEMS_MAX);
        let found = problems(&format!("format: list/1\nid: a\nitems:\n{items}"));
        assert_eq!(found.len(), PROBLEMS_MAX + 1);
        assert!(found[PROBLEMS_MAX].contains("9900 more problems"));
    }
}
