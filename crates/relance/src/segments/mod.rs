//! Segments of a workspace as people and programs see them: listed, tried out, compared, explained.
//!
//! **Absent:** who belongs where, which core decides and the engine keeps.

pub mod count;
pub mod lists;
pub mod names;
pub mod order;
pub mod plan;
pub mod rfm;
pub mod why;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity};
use relance_core::ids::{ContactId, SegmentId};
use relance_core::segment::{Rule, Segment};
use relance_engine::ports::Asset;
use relance_engine::turn::{Building, SWEEP, building_of};
use relance_store::read::{ReadError, Reader, SegmentRow};
use serde_json::{Value, json};

use crate::backtest::BacktestProblem;
use crate::config::Config;
use crate::scenario::apply::{Asked, InForce};
use crate::scenario::{FileProblem, Files};
use count::{Counted, count};

/// Contacts that are put into a list, or taken out, at once.
pub const LIST_CHANGES_MAX: usize = 1_000;

/// Why a definition could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum TryProblem {
    /// The definition is wrong.
    #[error("{} problems in the definition", .0.len())]
    Text(Vec<FileProblem>),
    /// The workspace cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the workspace is made of cannot be used.
    #[error(transparent)]
    World(#[from] BacktestProblem),
}

/// A definition that was tried.
pub struct Tried {
    /// What it defines.
    pub segments: Vec<Arc<Segment>>,
    /// Who would belong.
    pub counted: Counted,
}

/// Says who would belong to what a text defines; nothing is written.
pub fn try_out(
    reader: &Reader,
    config: &Config,
    text: &str,
    shown: usize,
    now: Timestamp,
) -> Result<Tried, TryProblem> {
    const NAME: &str = "definition";
    let files = Files {
        segments: BTreeMap::from([(NAME.to_owned(), text.to_owned())]),
        ..Files::default()
    };
    let in_force = InForce::read(reader)?;
    let settings = config.rfm.settings();
    in_force
        .plan(&files, &Asked::default(), &settings)
        .map_err(TryProblem::Text)?;
    let segments: Vec<Arc<Segment>> = relance_wire::segments::read_with(text, &settings)
        .unwrap_or_default()
        .into_iter()
        .map(Arc::new)
        .collect();
    let world = plan::tried(reader, config, &segments)?;
    let computed = segments.iter().filter(|one| one.condition().is_some());
    let ids: Vec<SegmentId> = computed.map(|one| one.id.clone()).collect();
    let counted = count(reader, &world, &ids, shown, now)?;
    Ok(Tried { segments, counted })
}

impl Tried {
    /// As the API gives it out.
    pub fn value(&self) -> Value {
        let Counted {
            looked,
            total,
            shares,
            took,
        } = &self.counted;
        let segments: Vec<Value> = self
            .segments
            .iter()
            .map(|segment| {
                let mut told = json!({
                    "id": segment.id.to_string(),
                    "name": segment.name,
                    "kind": kind(segment),
                });
                if let Some(share) = shares.get(&segment.id) {
                    told["members"] = json!(share.after);
                    told["entering"] = json!(share.entering);
                    told["leaving"] = json!(share.leaving);
                    told["sample"] = Value::from_iter(share.shown.iter().map(brief));
                }
                told
            })
            .collect();
        json!({
            "segments": segments,
            "contacts": total,
            "looked_at": looked,
            "exact": looked == total,
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// A contact in a word: its id and what people know it by.
pub fn brief(contact: &Contact) -> Value {
    let name = contact.text("name").map(str::to_owned).or_else(|| {
        let parts = [contact.text("first_name"), contact.text("last_name")];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    });
    let mut told = json!({ "id": contact.id.to_string() });
    for (field, value) in [
        ("name", name.as_deref()),
        ("email", contact.text("email")),
        ("phone", contact.text("phone")),
    ] {
        if let Some(value) = value {
            told[field] = json!(value);
        }
    }
    told
}

fn kind(segment: &Segment) -> &'static str {
    match segment.rule {
        Rule::When(_) => "condition",
        Rule::Listed => "list",
    }
}

/// What is known of the segments of a workspace.
pub struct Overview {
    rows: Vec<SegmentRow>,
    parsed: BTreeMap<SegmentId, Arc<Segment>>,
    building: Vec<Building>,
    contacts: u64,
}

impl Overview {
    /// Reads it.
    pub fn read(reader: &Reader) -> Result<Self, ReadError> {
        let mut rows = reader.segments()?;
        // Of a removed one a row stays, without a text and soon without members.
        rows.retain(|row| row.text.is_some() || row.members > 0);
        let parsed = parse(
            rows.iter()
                .filter_map(|row| Some((&row.id, row.text.as_deref()?))),
        );
        let sweeps = reader.texts(SWEEP)?;
        let building = sweeps.into_iter().filter_map(|one| {
            building_of(&Asset {
                kind: SWEEP.to_owned(),
                name: one.name,
                body: Some(one.body),
            })
        });
        Ok(Self {
            building: building.collect(),
            contacts: reader.totals()?.contacts,
            rows,
            parsed,
        })
    }

    /// Segments by id.
    pub fn rows(&self) -> &[SegmentRow] {
        &self.rows
    }

    /// One segment.
    pub fn row(&self, id: &SegmentId) -> Option<&SegmentRow> {
        self.rows.iter().find(|row| row.id == *id)
    }

    /// What a segment's text means.
    pub fn segment(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.parsed.get(id)
    }

    /// A segment, as the API gives it out in a list.
    pub fn value(&self, row: &SegmentRow) -> Value {
        let mut told = json!({
            "id": row.id.to_string(),
            "members": row.members,
            "state": "ready",
        });
        match self.parsed.get(&row.id) {
            Some(segment) => {
                told["name"] = json!(segment.name);
                told["kind"] = json!(kind(segment));
                told["updated_at"] = json!(row.updated_at.to_string());
                if segment.announce {
                    told["announce"] = json!(true);
                }
                if let Some((name, value)) = &segment.sets {
                    told["sets"] = json!({ (&**name): value });
                }
            }
            None => told["kind"] = json!("list"),
        }
        let own = |building: &&Building| building.segments.contains(&row.id);
        if let Some(building) = self.building.iter().find(own) {
            told["state"] = json!("building");
            told["progress"] = json!({
                "looked_at": building.looked,
                "contacts": self.contacts,
                "share": share(building.looked, self.contacts),
                "since": building.since.to_string(),
            });
        }
        told
    }
}

/// A part of a whole, from 0 to 1.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 1.0;
    }
    let share = part as f64 / whole as f64;
    (share.min(1.0) * 1_000.0).round() / 1_000.0
}

/// The segments of stored texts, by id. Grades have one text between them, which is read once; a text that cannot
/// be read defines nothing here.
pub fn parse<'a>(
    texts: impl Iterator<Item = (&'a SegmentId, &'a str)>,
) -> BTreeMap<SegmentId, Arc<Segment>> {
    let mut read: BTreeMap<&str, Vec<Arc<Segment>>> = BTreeMap::new();
    let mut parsed = BTreeMap::new();
    for (id, text) in texts {
        let segments = read.entry(text).or_insert_with(|| {
            let segments = relance_wire::segments::read(text).unwrap_or_default();
            segments.into_iter().map(Arc::new).collect()
        });
        if let Some(segment) = segments.iter().find(|one| one.id == *id) {
            parsed.insert(id.clone(), segment.clone());
        }
    }
    parsed
}

/// How a contact stands to the segments of a workspace, as the API gives it out: those that it belongs to, and
/// those that time alone may bring it into.
pub fn of_contact(reader: &Reader, contact: ContactId) -> Result<Option<Value>, ReadError> {
    if reader.contact(contact)?.is_none() {
        return Ok(None);
    }
    let overview = Overview::read(reader)?;
    let standings = reader.segments_of(contact)?;
    let mut items = Vec::new();
    for (id, standing) in standings {
        let Some(row) = overview.row(&id) else {
            continue;
        };
        let mut told = json!({ "id": id.to_string(), "member": standing.member });
        if let Some(segment) = overview.segment(&row.id) {
            told["name"] = json!(segment.name);
        }
        if let Some(due) = standing.due {
            told["looked_at_again"] = json!(due.to_string());
        }
        items.push(told);
    }
    Ok(Some(json!({ "items": items, "next": null })))
}

/// How a person names a contact: its id, an address, or the id in the customer's own system.
pub enum Called {
    /// Its id.
    Id(ContactId),
    /// One of its names.
    By(Identity),
}

impl Called {
    /// Reads a name.
    pub fn read(text: &str) -> Self {
        match text.parse() {
            Ok(id) => Self::Id(id),
            Err(_) if text.contains('@') => Self::By(Identity::email(text)),
            Err(_) => Self::By(Identity::user(text)),
        }
    }

    /// The contact, if there is one.
    pub fn find(&self, reader: &Reader) -> Result<Option<ContactId>, ReadError> {
        match self {
            Self::Id(id) => Ok(reader.contact(*id)?.map(|contact| contact.id)),
            Self::By(identity) => reader.find_contact(identity),
        }
    }
}

/// Contacts of names, and the names that nobody has.
pub fn find_all(
    reader: &Reader,
    names: &[String],
) -> Result<(Vec<ContactId>, Vec<String>), ReadError> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        match Called::read(name).find(reader)? {
            Some(id) => found.push(id),
            None => unknown.push(name.clone()),
        }
    }
    Ok((found, unknown))
}
