//! `import/1`: what the columns of a table mean, as a file that is saved, edited and given again.
//!
//! A file is read whole: every problem is reported, each with path, line and remedy. What it leaves out is
//! guessed from the table at hand.
//!
//! **Absent:** the table itself; see [`call`](super::call) for what a mapping makes of a row.

use std::fmt::Write as _;

use relance_core::consent::About;
use relance_core::contact::Channel;
use relance_core::ids::Topic;
use relance_core::time::Zone;

use super::charset::Charset;
use super::column::{Field, Key, Kind, Target};
use super::guess::{delimiter_of, delimiter_word};
use super::suggest::{Suggestion, TRAIT_CHARS_MAX};
use super::value::{DateOrder, Decimal};
use super::{COLUMNS_MAX, shorten};
use crate::journey::{PROBLEMS_MAX, Problem};
use crate::phone::is_country;
use crate::yaml::{self, Node};

/// The format this module reads.
pub const FORMAT: &str = "import/1";
/// Keys of a mapping.
pub const MAPPING_KEYS: &[&str] = &[
    "format",
    "encoding",
    "delimiter",
    "header",
    "sheet",
    "key",
    "mode",
    "country",
    "zone",
    "dates",
    "decimal",
    "bad_cells",
    "refuse",
    "columns",
];
/// Characters of a column's head or a sheet's name.
const HEAD_CHARS_MAX: usize = 1_000;

/// Which contacts an import may touch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Makes those that are new, changes the others.
    #[default]
    Upsert,
    /// Leaves those that exist as they are.
    OnlyNew,
    /// Makes none.
    OnlyExisting,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Upsert, Self::OnlyNew, Self::OnlyExisting];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::OnlyNew => "only_new",
            Self::OnlyExisting => "only_existing",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// What becomes of a row with a cell that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BadCells {
    /// The row is refused.
    #[default]
    RefuseRow,
    /// The cell is left out and reported; without a cell that names the contact, the row is refused.
    LeaveOut,
}

impl BadCells {
    /// Both.
    pub const ALL: [Self; 2] = [Self::RefuseRow, Self::LeaveOut];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RefuseRow => "refuse_row",
            Self::LeaveOut => "leave_out",
        }
    }
}

/// Sorts of addresses that an import may refuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refuse {
    /// Offices such as `info@`.
    pub role: bool,
    /// Mailboxes that are thrown away.
    pub disposable: bool,
}

/// A mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The file's encoding; guessed if not told.
    pub encoding: Option<Charset>,
    /// The file's delimiter; guessed if not told.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns; guessed if not told.
    pub header: Option<bool>,
    /// The workbook's sheet; the first if not told.
    pub sheet: Option<String>,
    /// What a contact is found by; the most trusted that a row has if not told.
    pub key: Option<Key>,
    /// Which contacts are touched.
    pub mode: Mode,
    /// The country of telephone numbers without `+`.
    pub country: Option<String>,
    /// The zone of moments without an offset.
    pub zone: Zone,
    /// The order of day and month.
    pub dates: DateOrder,
    /// The decimal sign.
    pub decimal: Decimal,
    /// What a bad cell costs.
    pub bad_cells: BadCells,
    /// Addresses that are not wanted.
    pub refuse: Refuse,
    /// What columns become, by their heads, or `#3` by their places.
    pub columns: Vec<(String, Target)>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            encoding: None,
            delimiter: None,
            header: None,
            sheet: None,
            key: None,
            mode: Mode::default(),
            country: None,
            zone: Zone::utc(),
            dates: DateOrder::default(),
            decimal: Decimal::default(),
            bad_cells: BadCells::default(),
            refuse: Refuse::default(),
            columns: Vec::new(),
        }
    }
}

impl Mapping {
    /// With suggestions for the columns of a table.
    pub fn of_suggestions(heads: &[String], suggestions: &[Suggestion]) -> Self {
        let columns = suggestions.iter().enumerate().map(|(at, one)| {
            let head = heads.get(at).map(|head| head.trim()).unwrap_or_default();
            let is_unique = heads.iter().filter(|other| other.trim() == head).count() == 1;
            let name = if head.is_empty() || !is_unique || head.starts_with('#') {
                format!("#{}", at + 1)
            } else {
                head.to_owned()
            };
            (name, one.target.clone())
        });
        Self {
            columns: columns.collect(),
            ..Self::default()
        }
    }

    /// The text of the mapping; [`parse`] reads it back.
    pub fn to_yaml(&self) -> String {
        let mut out = format!("format: {FORMAT}\n");
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                let _written = writeln!(out, "{key}: {value}");
            }
        };
        put("encoding", self.encoding.map(|one| one.word().to_owned()));
        put(
            "delimiter",
            self.delimiter.map(|one| delimiter_word(one).to_owned()),
        );
        put("header", self.header.map(|one| one.to_string()));
        put("sheet", self.sheet.as_deref().map(quoted));
        put("key", self.key.map(|one| one.word().to_owned()));
        put("mode", Some(self.mode.word().to_owned()));
        put("country", self.country.as_deref().map(quoted));
        put("zone", Some(self.zone.name().to_owned()));
        put("dates", Some(self.dates.word().to_owned()));
        put("decimal", Some(self.decimal.word().to_owned()));
        put("bad_cells", Some(self.bad_cells.word().to_owned()));
        let refused: Vec<&str> = [
            ("role", self.refuse.role),
            ("disposable", self.refuse.disposable),
        ]
        .into_iter()
        .filter_map(|(word, on)| on.then_some(word))
        .collect();
        put(
            "refuse",
            (!refused.is_empty()).then(|| format!("[{}]", refused.join(", "))),
        );
        out.push_str(if self.columns.is_empty() {
            "columns: {}\n"
        } else {
            "columns:\n"
        });
        for (head, target) in &self.columns {
            let target = match target {
                Target::Skip => "skip".to_owned(),
                Target::Field(field) => field.word().to_owned(),
                Target::Trait { name, kind } => {
                    format!("{{ trait: {}, type: {} }}", quoted(name), kind.word())
                }
                Target::Consent(About::Channel(channel)) => {
                    format!("{{ consent: {} }}", channel.word())
                }
                Target::Consent(About::Topic(topic)) => {
                    format!("{{ topic: {} }}", quoted(topic.as_str()))
                }
            };
            let _written = writeln!(out, "  {}: {target}", quoted(head));
        }
        out
    }
}

/// A text between double quotes, which YAML reads as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads and checks a mapping.
///
/// # Errors
/// All problems at once, in order of their lines.
pub fn parse(text: &str) -> Result<Mapping, Vec<Problem>> {
    let root = yaml::parse(text).map_err(|error| {
        vec![Problem {
            path: String::new(),
            line: error.line,
            what: error.what,
            remedy: error.remedy.to_owned(),
        }]
    })?;
    let mut reader = Reader::default();
    let mapping = reader.mapping(&root);
    if reader.problems.is_empty() {
        Ok(mapping)
    } else {
        reader.problems.sort_by_key(|problem| problem.line);
        Err(reader.problems)
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn problem(
        &mut self,
        path: impl Into<String>,
        line: usize,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem {
                path: path.into(),
                line,
                what: what.into(),
                remedy: remedy.into(),
            });
        }
    }

    fn mapping(&mut self, root: &Node) -> Mapping {
        let mut mapping = Mapping::default();
        let Some(pairs) = root.pairs() else {
            let what = format!("expected a map, found {}", root.kind());
            self.problem("", root.line, what, "write `format: import/1`");
            return mapping;
        };
        match root.get("format").map(|node| (node.line, node.text())) {
            Some((_, Some(FORMAT))) => {}
            Some((line, _)) => {
                self.problem(
                    "format",
                    line,
                    "the format is not known",
                    "write `format: import/1`",
                );
            }
            None => self.problem(
                "format",
                root.line,
                "`format` is missing",
                "write `format: import/1`",
            ),
        }
        for pair in pairs {
            let node = &pair.value;
            match pair.key.as_str() {
                "format" => {}
                "encoding" => {
                    let words = Charset::ALL.map(Charset::word);
                    mapping.encoding = self.word(node, "encoding", Charset::from_word, &words);
                }
                "delimiter" => {
                    let words = ["comma", "semicolon", "tab", "pipe"];
                    mapping.delimiter = self.word(node, "delimiter", delimiter_of, &words);
                }
                "header" => {
                    let yes_no = |word: &str| word.parse::<bool>().ok();
                    mapping.header = self.word(node, "header", yes_no, &["true", "false"]);
                }
                "sheet" => mapping.sheet = self.text(node, "sheet", HEAD_CHARS_MAX),
                "key" => {
                    mapping.key = self.word(node, "key", Key::from_word, &Key::ALL.map(Key::word));
                }
                "mode" => {
                    let words = Mode::ALL.map(Mode::word);
                    mapping.mode = self
                        .word(node, "mode", Mode::from_word, &words)
                        .unwrap_or_default();
                }
                "country" => {
                    let country = |word: &str| is_country(word).then(|| word.to_ascii_uppercase());
                    let words = ["two letters such as RU, JP or US"];
                    mapping.country = self.word(node, "country", country, &words);
                }
                "zone" => match node.text().map(Zone::parse) {
                    Some(Ok(zone)) => mapping.zone = zone,
                    Some(Err(problem)) => {
                        self.problem(
                            "zone",
                            node.line,
                            problem.to_string(),
                            "write a name such as Asia/Tokyo",
                        );
                    }
                    None => self.problem(
                        "zone",
                        node.line,
                        "expected a text",
                        "write a name such as Asia/Tokyo",
                    ),
                },
                "dates" => {
                    let words = DateOrder::ALL.map(DateOrder::word);
                    let order = self.word(node, "dates", DateOrder::from_word, &words);
                    mapping.dates = order.unwrap_or_default();
                }
                "decimal" => {
                    let words = Decimal::ALL.map(Decimal::word);
                    let decimal = self.word(node, "decimal", Decimal::from_word, &words);
                    mapping.decimal = decimal.unwrap_or_default();
                }
                "bad_cells" => {
                    let words = BadCells::ALL.map(BadCells::word);
                    let known =
                        |word: &str| BadCells::ALL.into_iter().find(|one| one.word() == word);
                    mapping.bad_cells = self
                        .word(node, "bad_cells", known, &words)
                        .unwrap_or_default();
                }
                "refuse" => self.refuse(node, &mut mapping.refuse),
                "columns" => mapping.columns = self.columns(node),
                other => {
                    let what = format!("`{}` is not known", shorten(other));
                    let remedy = format!("known here: {}", MAPPING_KEYS.join(", "));
                    self.problem(shorten(other), pair.line, what, remedy);
                }
            }
        }
        if root.get("columns").is_none() {
            let remedy = "write `columns:` and below it `Head of the column: email`";
            self.problem("columns", root.line, "`columns` is missing", remedy);
        }
        mapping
    }

    fn word<T>(
        &mut self,
        node: &Node,
        path: &str,
        read: impl Fn(&str) -> Option<T>,
        words: &[&str],
    ) -> Option<T> {
        let value = node.text().and_then(read);
        if value.is_none() {
            let shown = node.text().map_or(node.kind().to_owned(), shorten);
            let remedy = format!("write one of: {}", words.join(", "));
            self.problem(path, node.line, format!("{shown:?} is not known"), remedy);
        }
        value
    }

    fn text(&mut self, node: &Node, path: &str, most: usize) -> Option<String> {
        let text = node
            .text()
            .filter(|text| !text.trim().is_empty() && text.chars().count() <= most);
        if text.is_none() {
            let what = format!("expected a text of at most {most} characters");
            self.problem(path, node.line, what, "write it, or leave the line out");
        }
        text.map(str::to_owned)
    }

    fn refuse(&mut self, node: &Node, refuse: &mut Refuse) {
        let remedy = "write `refuse: [role, disposable]`";
        let Some(list) = node.list() else {
            let what = format!("expected a list, found {}", node.kind());
            self.problem("refuse", node.line, what, remedy);
            return;
        };
        for item in list {
            match item.text() {
                Some("role") => refuse.role = true,
                Some("disposable") => refuse.disposable = true,
                Some(_) | None => {
                    self.problem("refuse", item.line, "the sort is not known", remedy)
                }
            }
        }
    }

    fn columns(&mut self, node: &Node) -> Vec<(String, Target)> {
        let Some(pairs) = node.pairs() else {
            let what = format!("expected a map, found {}", node.kind());
            self.problem(
                "columns",
                node.line,
                what,
                "write `Head of the column: email`",
            );
            return Vec::new();
        };
        if pairs.len() > COLUMNS_MAX {
            let what = format!("more than {COLUMNS_MAX} columns");
            self.problem(
                "columns",
                node.line,
                what,
                "leave out those that are not needed",
            );
            return Vec::new();
        }
        let mut columns: Vec<(String, Target)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let path = format!("columns.{}", shorten(&pair.key));
            let Some(target) = self.target(&pair.value, &path) else {
                continue;
            };
            let twice =
                target != Target::Skip && columns.iter().any(|(_, other)| is_same(other, &target));
            if twice {
                let remedy = "keep one of them, and `skip` the other";
                self.problem(path, pair.line, "two columns become the same", remedy);
                continue;
            }
            columns.push((pair.key.clone(), target));
        }
        columns
    }

    fn target(&mut self, node: &Node, path: &str) -> Option<Target> {
        if let Some(word) = node.text() {
            if word == "skip" {
                return Some(Target::Skip);
            }
            if let Some(field) = Field::from_word(word) {
                return Some(Target::Field(field));
            }
            let what = format!("{:?} is no field", shorten(word));
            let words = Field::ALL.map(Field::word).join(", ");
            let remedy = format!("write skip, one of {words}, or {{ trait: NAME, type: text }}");
            self.problem(path, node.line, what, remedy);
            return None;
        }
        const REMEDY: &str = "write { trait: NAME, type: text | number | yes_no | date | moment | list }, \
                              { consent: CHANNEL } or { topic: NAME }";
        let known = ["trait", "type", "consent", "topic"];
        let pairs = node.pairs().unwrap_or_default();
        if pairs.is_empty() || pairs.iter().any(|pair| !known.contains(&pair.key.as_str())) {
            self.problem(path, node.line, "that says nothing of the column", REMEDY);
            return None;
        }
        match (node.get("trait"), node.get("consent"), node.get("topic")) {
            (Some(name), None, None) => self.own_trait(node, name, path),
            (None, Some(channel), None) => {
                let words = Channel::ALL.map(Channel::word);
                let channel = self.word(channel, path, Channel::from_word, &words)?;
                Some(Target::Consent(About::Channel(channel)))
            }
            (None, None, Some(topic)) => {
                let topic = self.text(topic, path, TRAIT_CHARS_MAX)?;
                Some(Target::Consent(About::Topic(Topic::from(topic.as_str()))))
            }
            (_, _, _) => {
                self.problem(path, node.line, "a column becomes one thing", REMEDY);
                None
            }
        }
    }

    fn own_trait(&mut self, node: &Node, name: &Node, path: &str) -> Option<Target> {
        let kind = match node.get("type") {
            Some(kind) => self.word(kind, path, Kind::from_word, &Kind::ALL.map(Kind::word))?,
            None => Kind::Text,
        };
        let line = name.line;
        let name = self.text(name, path, TRAIT_CHARS_MAX)?.trim().to_owned();
        if name.contains('.') {
            self.problem(
                path,
                line,
                "a trait's name holds a point",
                "use `_` in its place",
            );
            return None;
        }
        if let Some(field) = Field::from_word(&name) {
            let remedy = format!("write `{}` alone: it has checks of its own", field.word());
            self.problem(path, line, "that is a field of every contact", remedy);
            return None;
        }
        Some(Target::Trait { name, kind })
    }
}

/// Whether two columns would write the same thing.
fn is_same(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (Target::Trait { name, .. }, Target::Trait { name: second, .. }) => name == second,
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::suggest::Why;

    #[test]
    fn a_mapping_is_read_as_it_was_written() {
        let text = "format: import/1\nencoding: windows-1251\ndelimiter: semicolon\nheader: true\nkey: email\n\
                    mode: only_new\ncountry: ru\nzone: Europe/Moscow\ndates: day_first\ndecimal: comma\n\
                    bad_cells: leave_out\nrefuse: [disposable]\ncolumns:\n  E-mail: email\n  \"Имя: полное\": name\n  \
                    \"#3\": { trait: amount, type: number }\n  Подписка: { consent: email }\n  Новости: { topic: news }\n  X: skip\n";
        let mapping = parse(text).unwrap();
        assert_eq!(mapping.encoding, Some(Charset::Windows1251));
        assert_eq!(mapping.country.as_deref(), Some("RU"));
        assert_eq!(mapping.columns.len(), 6);
        assert_eq!(parse(&mapping.to_yaml()).unwrap(), mapping);
        let empty = Mapping::default();
        assert_eq!(parse(&empty.to_yaml()).unwrap(), empty);
    }

    #[test]
    fn heads_that_repeat_are_named_by_place() {
        let heads = ["a", "", "a", "b"].map(str::to_owned);
        let skip = Suggestion {
            target: Target::Skip,
            why: Why::Name,
        };
        let mapping = Mapping::of_suggestions(&heads, &vec![skip; 4]);
        let names: Vec<&str> = mapping
            .columns
            .iter()
            .map(|(head, _)| head.as_str())
            .collect();
        assert_eq!(names, ["#1", "#2", "#3", "b"]);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let text = "format: import/1\nencoding: ebcdic\nkey: name\ncountry: Russia\nzone: Mars\ncolor: red\ncolumns:\n  \
                    A: email\n  B: email\n  C: { trait: email }\n  D: { trait: a.b }\n  E: mail\n  F: { type: text }\n  G: { consent: fax }\n";
        let problems = parse(text).unwrap_err();
        let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(
            lines,
            [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14],
            "{problems:#?}"
        );
        assert!(
            parse("format: import/1").unwrap_err()[0]
                .what
                .contains("columns")
        );
        assert!(parse("- a").is_err());
    }
}
