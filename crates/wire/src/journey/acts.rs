//! Steps that change or tell something, in YAML: `task`, `notify`, `set`, `promo`.

use std::sync::Arc;

use relance_core::ids::TemplateId;
use relance_core::journey::{NotifyStep, Promo, Recipient, TaskStep};
use relance_core::value::{Fields, Root};

use crate::yaml::{Node, Pair};

use super::head::role;
use super::reader::{Map, NAME_CHARS_MAX, Reader, TEXT_CHARS_MAX, shorten};
use super::steps::Kind;

/// Keys of a task.
pub const TASK_KEYS: &[&str] = &["title", "due", "assignee"];
/// Keys of a notification, written as a map.
pub const NOTIFY_KEYS: &[&str] = &["to", "text", "template"];
/// Keys of a promo code.
pub const PROMO_KEYS: &[&str] = &["prefix", "save_as", "valid", "fields"];
/// Fields that one step sets, and fields of one promo code.
pub const FIELDS_MAX: usize = 50;
/// Characters that a promo code may begin with.
pub const PREFIX_CHARS_MAX: usize = 24;
/// The trait that keeps a promo code, when the author does not say.
const PROMO_TRAIT: &str = "promo_code";

pub(super) fn read_task(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    let node = reader.required(map, "task", "say what is to be done")?;
    let path = map.child("task");
    if node.pairs().is_none() {
        let title = reader.text_up_to(node, &path, TEXT_CHARS_MAX)?;
        return Some(Kind::Task(TaskStep {
            title: title.into(),
            due: None,
            assignee: None,
        }));
    }
    let task = reader.map(node, &path, TASK_KEYS)?;
    let title = reader
        .required(&task, "title", "say what is to be done")
        .and_then(|node| reader.text_up_to(node, &task.child("title"), TEXT_CHARS_MAX));
    let due = reader.optional(&task, "due");
    let assignee = reader.name(&task, "assignee").map(Arc::from);
    Some(Kind::Task(TaskStep {
        title: title?.into(),
        due,
        assignee,
    }))
}

pub(super) fn read_notify(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    const REMEDY: &str = "write owner, role:head or the address of one of yours";
    let node = reader.required(map, "notify", REMEDY)?;
    let path = map.child("notify");
    let inner;
    let (to, said) = if node.pairs().is_some() {
        for key in ["text", "template"] {
            if map.get(key).is_some() {
                let what = format!("`{key}` stands beside a map");
                reader.problem_at(map, key, what, "move it into the map");
            }
        }
        inner = reader.map(node, &path, NOTIFY_KEYS)?;
        let to = reader
            .required(&inner, "to", REMEDY)
            .map(|node| (node, inner.child("to")));
        (to, &inner)
    } else {
        (Some((node, path)), map)
    };
    let text = reader.text(said, "text");
    let template = reader.name(said, "template").map(TemplateId::from);
    match (said.get("text"), said.get("template")) {
        (Some(_), Some(_)) => {
            let what = "both a text and a template";
            reader.problem_at(said, "template", what, "leave one out");
        }
        (None, None) => reader.missing(said, "text", "say what they should know"),
        (Some(_), None) | (None, Some(_)) => {}
    }
    let (node, path) = to?;
    let name = reader.text_up_to(node, &path, NAME_CHARS_MAX)?;
    let to = match name {
        "owner" => Some(Recipient::Owner),
        _ => match role(name) {
            Some(role) => Some(Recipient::Role(role.into())),
            None if name.contains('@') => Some(Recipient::User(name.trim().into())),
            None => None,
        },
    };
    if to.is_none() {
        let what = format!("{:?} is not one of yours", shorten(name));
        reader.problem(&path, node.line, what, REMEDY);
    }
    Some(Kind::Notify(NotifyStep {
        to: to?,
        text: text.unwrap_or_default().into(),
        template,
    }))
}

pub(super) fn read_set(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    const EXAMPLE: &str = "write for example { contact.grade: A }";
    let node = reader.required(map, "set", EXAMPLE)?;
    let path = map.child("set");
    let pairs = read_fields(reader, node, &path, EXAMPLE)?;
    if pairs.is_empty() {
        reader.problem(&path, node.line, "nothing is set", EXAMPLE);
    }
    let mut changes = Vec::new();
    for pair in pairs {
        let field = reader.field(&pair.key, &path, pair.line, Root::Contact);
        changes.extend(field.map(|field| (field, pair.value.to_value())));
    }
    Some(Kind::Set(changes))
}

/// The pairs of a map with names of the author's own.
fn read_fields<'a>(
    reader: &mut Reader,
    node: &'a Node,
    path: &str,
    example: &str,
) -> Option<&'a [Pair]> {
    let Some(pairs) = node.pairs() else {
        let what = format!("expected a map, found {}", node.kind());
        reader.problem(path, node.line, what, example);
        return None;
    };
    if pairs.len() > FIELDS_MAX {
        let what = format!("the map has {} fields, more than {FIELDS_MAX}", pairs.len());
        reader.problem(path, node.line, what, "keep those that matter");
        return None;
    }
    Some(pairs)
}

/// `BACK`, or `{ prefix: BACK, save_as: promo_code, valid: 7d, fields: { discount: 10 } }`.
pub(super) fn read_promo(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    const REMEDY: &str = "say what codes begin with, for example BACK";
    let node = reader.required(map, "promo", REMEDY)?;
    let path = map.child("promo");
    if node.pairs().is_none() {
        return Some(Kind::Promo(Promo {
            prefix: read_prefix(reader, node, &path)?,
            save_as: PROMO_TRAIT.into(),
            valid: None,
            fields: Fields::new(),
        }));
    }
    let promo = reader.map(node, &path, PROMO_KEYS)?;
    let prefix = reader
        .required(&promo, "prefix", REMEDY)
        .and_then(|node| read_prefix(reader, node, &promo.child("prefix")));
    let save_as = reader.name(&promo, "save_as").unwrap_or(PROMO_TRAIT);
    if save_as.contains('.') {
        let what = format!("{:?} is not a trait's name", shorten(save_as));
        reader.problem_at(&promo, "save_as", what, "write one word: promo_code");
    }
    let valid = reader.optional(&promo, "valid");
    let fields = promo.get("fields").and_then(|node| {
        let example = "write for example { discount: 10 }";
        read_fields(reader, node, &promo.child("fields"), example)
    });
    let fields = fields.unwrap_or_default().iter();
    Some(Kind::Promo(Promo {
        prefix: prefix?,
        save_as: save_as.into(),
        valid,
        fields: fields
            .map(|pair| (pair.key.clone(), pair.value.to_value()))
            .collect(),
    }))
}

/// People type codes, so a prefix keeps to characters that a till takes.
fn read_prefix(reader: &mut Reader, node: &Node, path: &str) -> Option<Arc<str>> {
    let text = reader.text_up_to(node, path, NAME_CHARS_MAX)?;
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.len() > PREFIX_CHARS_MAX || !text.chars().all(good) {
        let what = format!("{:?} is not a prefix", shorten(text));
        let remedy = format!("use at most {PREFIX_CHARS_MAX} of A-Z, 0-9, - and _");
        reader.problem(path, node.line, what, remedy);
        return None;
    }
    Some(text.into())
}
