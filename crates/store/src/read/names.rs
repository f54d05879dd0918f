//! Names that are in use: of events as they are counted, of traits and of fields of objects as some of them have them.
//!
//! Traits and fields are not counted as they come: the newest contacts and objects are looked at, and it is said how
//! many.
//!
//! **Absent:** values.

use std::collections::BTreeMap;

use relance_core::ids::ObjectKind;
use relance_core::value::{Fields, Value as Known};

use super::db::values;
use super::{ReadError, Reader};
use crate::sqlite::error::Located;

/// Names of one answer.
pub const NAMES_MAX: usize = 500;
/// Contacts or objects of a kind that are looked at.
pub const NAMES_LOOKED_AT_MAX: usize = 500;
/// Kinds of objects that are told.
const KINDS_MAX: usize = 50;
/// How deep names within names are told.
const DEPTH_MAX: usize = 3;
/// Characters of a name that is told.
const NAME_CHARS_MAX: usize = 100;

/// A name that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameInUse {
    /// The name; inner ones with dots between.
    pub name: String,
    /// How often: events since they are counted, or how many of those looked at have it.
    pub count: u64,
    /// `text`, `number`, `flag`, `list` or `date`.
    pub types: Vec<&'static str>,
}

/// Names and how they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesInUse {
    /// In order of the alphabet.
    pub names: Vec<NameInUse>,
    /// How many contacts or objects were looked at.
    pub looked_at: usize,
}

type Found = BTreeMap<String, (u64, Vec<&'static str>)>;

/// What a value is, for whoever builds a condition on it.
fn type_of(value: &Known) -> Option<&'static str> {
    match value {
        Known::Null | Known::Object(_) => None,
        Known::Bool(_) => Some("flag"),
        Known::Number(_) => Some("number"),
        Known::Array(_) => Some("list"),
        Known::String(text) => {
            let head = text.get(..10).unwrap_or_default();
            let is_date = head.parse::<jiff::civil::Date>().is_ok();
            Some(if is_date { "date" } else { "text" })
        }
    }
}

fn add(found: &mut Found, fields: &Fields) {
    // The path of each with its depth; what lies too deep is left.
    let mut open: Vec<(String, &Known, usize)> = fields
        .iter()
        .map(|(name, value)| (name.clone(), value, 1))
        .collect();
    while let Some((name, value, depth)) = open.pop() {
        if name.chars().count() > NAME_CHARS_MAX {
            continue;
        }
        if let Known::Object(inner) = value {
            if depth < DEPTH_MAX {
                let inner = inner.iter();
                open.extend(inner.map(|(own, value)| (format!("{name}.{own}"), value, depth + 1)));
            }
            continue;
        }
        let Some(kind) = type_of(value) else {
            continue;
        };
        if !found.contains_key(&name) && found.len() >= NAMES_MAX {
            continue;
        }
        let (count, types) = found.entry(name).or_default();
        *count += 1;
        if !types.contains(&kind) {
            types.push(kind);
        }
    }
}

fn told(found: Found, looked_at: usize) -> NamesInUse {
    let names = found.into_iter();
    NamesInUse {
        names: names
            .map(|(name, (count, types))| NameInUse { name, count, types })
            .collect(),
        looked_at,
    }
}

impl Reader {
    /// Names that events had, with how often since they are counted.
    pub fn event_names(&self) -> Result<Vec<NameInUse>, ReadError> {
        let most = i64::try_from(NAMES_MAX).unwrap_or(i64::MAX);
        self.rows(
            self.sql.event_name_all,
            "event_name",
            values!["", most],
            |row| {
                Ok(NameInUse {
                    name: row.text(0).at("event_name", "")?.to_owned(),
                    count: row.count(1).at("event_name", "")?,
                    types: Vec::new(),
                })
            },
        )
    }

    /// Traits that the newest contacts have.
    pub fn trait_names(&self) -> Result<NamesInUse, ReadError> {
        let page = self.contacts(None, NAMES_LOOKED_AT_MAX)?;
        let mut found = Found::new();
        for contact in &page.items {
            add(&mut found, &contact.traits);
        }
        Ok(told(found, page.items.len()))
    }

    /// Kinds of objects that there are.
    pub fn object_kinds(&self) -> Result<Vec<ObjectKind>, ReadError> {
        let mut kinds: Vec<ObjectKind> = Vec::new();
        while kinds.len() < KINDS_MAX {
            let last = kinds.last().map_or("", ObjectKind::as_str).to_owned();
            let next = self.one(
                self.sql.object_kind_next,
                "object",
                values![last.as_str()],
                |row| {
                    Ok(row
                        .text_or_null(0)
                        .at("object", "kinds")?
                        .map(ObjectKind::from))
                },
            )?;
            let Some(next) = next.flatten() else {
                break;
            };
            kinds.push(next);
        }
        Ok(kinds)
    }

    /// Fields that the last changed objects of a kind have.
    pub fn field_names(&self, kind: &ObjectKind) -> Result<NamesInUse, ReadError> {
        let page = self.objects(kind, None, NAMES_LOOKED_AT_MAX)?;
        let mut found = Found::new();
        for one in &page.items {
            add(&mut found, &one.object.fields);
        }
        Ok(told(found, page.items.len()))
    }
}
