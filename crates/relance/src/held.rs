//! All that is held on a person, as one JSON text, written piece by piece: memory does not grow with it.
//!
//! **Absent:** sums, which name nobody; keys and settings of the workspace.

use relance_core::enrollment::Enrollment;
use relance_core::ids::ContactId;
use relance_core::suppression::keys_of;
use relance_store::read::{PAGE_ROWS_MAX, Page, ReadError, Reader};
use relance_wire::api as shape;
use serde_json::{Value, json};

/// The version of the shape.
pub const FORMAT: &str = "contact-export/1";

/// Takes pieces of the text in order; `false` when nobody wants more.
pub type Sink<'a> = &'a mut dyn FnMut(String) -> bool;

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportProblem {
    /// The database.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Whoever asked went away.
    #[error("nobody takes the export any more")]
    Gone,
}

/// Writes all that is held on a contact and on those that turned out to be the same; `false` when there is
/// no such contact.
pub fn write(reader: &Reader, id: ContactId, sink: Sink<'_>) -> Result<bool, ExportProblem> {
    let Some(named) = reader.contact(id)? else {
        return Ok(false);
    };
    let main = match named.merged_into {
        Some(survivor) => reader.contact(survivor)?.unwrap_or(named),
        None => named,
    };
    let mut out = Out { sink, comma: false };
    out.put(&format!("{{\"format\":{}", json!(FORMAT)))?;
    out.put(",\"contacts\":[")?;
    let person = std::iter::once(main.id).chain(main.absorbed.iter().copied());
    for (place, contact) in person.enumerate() {
        if place > 0 {
            out.put(",")?;
        }
        one(reader, contact, &mut out)?;
    }
    out.put("]}\n")?;
    Ok(true)
}

/// Where the text goes.
struct Out<'a> {
    sink: Sink<'a>,
    comma: bool,
}

impl Out<'_> {
    fn put(&mut self, text: &str) -> Result<(), ExportProblem> {
        match (self.sink)(text.to_owned()) {
            true => Ok(()),
            false => Err(ExportProblem::Gone),
        }
    }

    fn value(&mut self, name: &str, value: &Value) -> Result<(), ExportProblem> {
        let comma = if std::mem::replace(&mut self.comma, true) {
            ","
        } else {
            ""
        };
        self.put(&format!("{comma}{}:{value}", json!(name)))
    }

    /// A list that is read page by page.
    fn list<T>(
        &mut self,
        name: &str,
        mut page: impl FnMut(Option<&str>) -> Result<Page<T>, ReadError>,
        shape: impl Fn(&T) -> Value,
    ) -> Result<(), ExportProblem> {
        let comma = if std::mem::replace(&mut self.comma, true) {
            ","
        } else {
            ""
        };
        self.put(&format!("{comma}{}:[", json!(name)))?;
        let mut next = None;
        let mut is_first = true;
        loop {
            let found = page(next.as_deref())?;
            let mut text = String::new();
            for item in &found.items {
                if !std::mem::replace(&mut is_first, false) {
                    text.push(',');
                }
                text.push_str(&shape(item).to_string());
            }
            if !text.is_empty() {
                self.put(&text)?;
            }
            next = found.next;
            if next.is_none() {
                break;
            }
        }
        self.put("]")
    }
}

fn one(reader: &Reader, id: ContactId, out: &mut Out<'_>) -> Result<(), ExportProblem> {
    let Some(contact) = reader.contact(id)? else {
        return out.put("{}");
    };
    let most = PAGE_ROWS_MAX;
    out.comma = false;
    out.put("{")?;
    out.value("profile", &shape::contact(&contact))?;
    let identities = reader.identities(id)?;
    let identities: Vec<Value> = identities
        .iter()
        .map(|one| json!({ "kind": one.kind.word(), "value": one.value }))
        .collect();
    out.value("identities", &Value::Array(identities))?;
    out.value("consents", &Value::Array(shape::consents(&contact)))?;
    out.list(
        "consent_history",
        |after| reader.consents(id, after, most),
        shape::consent,
    )?;
    let mut suppressions = Vec::new();
    for key in keys_of(&contact) {
        suppressions.extend(reader.suppression(&key)?.iter().map(shape::suppression));
    }
    out.value("suppressions", &Value::Array(suppressions))?;
    let sends: Vec<Value> = contact
        .sends
        .iter()
        .map(|mark| json!({ "at": mark.at.to_string(), "channel": mark.channel, "topic": mark.topic }))
        .collect();
    out.value("sends", &Value::Array(sends))?;
    out.value("seen", &json!(contact.seen))?;
    out.value("mailboxes", &json!(contact.mailboxes))?;
    let segments = reader.segments_of(id)?;
    let segments: Vec<Value> = segments
        .iter()
        .map(|(segment, stands)| json!({ "segment": segment.as_str(), "member": stands.member }))
        .collect();
    out.value("segments", &Value::Array(segments))?;
    out.list(
        "objects",
        |after| reader.objects_of_contact(id, after, most),
        |object| shape::object(id, object),
    )?;
    out.list(
        "events",
        |after| reader.events(id, after, most),
        |logged| shape::event(&logged.event),
    )?;
    out.list(
        "enrollments",
        |after| reader.enrollments(id, after, most),
        enrollment,
    )?;
    out.list(
        "messages",
        |after| reader.touchpoints_of_contact(id, after, most),
        |message| {
            let mut value = shape::touchpoint(message);
            if let (Value::Object(fields), Some(text)) = (&mut value, &message.text) {
                fields.insert("text".to_owned(), Value::String(text.to_string()));
            }
            value
        },
    )?;
    out.list(
        "tasks",
        |after| reader.tasks_of_contact(id, after, most),
        shape::task,
    )?;
    out.list(
        "ledger",
        |after| reader.ledger_of_contact(id, after, most),
        |line| shape::ledger_line(&line.entry),
    )?;
    out.put("}")
}

/// A run, as programs read it.
pub(crate) fn enrollment(run: &Enrollment) -> Value {
    json!({
        "id": run.id.to_string(),
        "journey": run.journey.as_str(),
        "version": run.version,
        "subject": run.subject.as_ref().map(|subject| json!({ "kind": subject.kind.as_str(), "id": &*subject.id })),
        "entered_at": run.entered_at.to_string(),
        "converted_at": run.converted_at.map(|at| at.to_string()),
        "held_out": run.held_out,
        "variant": run.variant.as_ref().map(ToString::to_string),
        "step": run.step().map(ToString::to_string),
        "running": run.is_running(),
        "cause": run.cause.as_ref().map(|event| shape::event(event)),
    })
}
