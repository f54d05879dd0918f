//! A row to the call that it means: identities, typed traits, consents; or what is wrong with it, cell by cell.
//!
//! A [`Plan`] is made once of a mapping and the heads of a table. Rows are independent of each other.
//!
//! **Absent:** whether the contact is known already, and when the call happens.

use std::sync::Arc;

use jiff::Timestamp;
use relance_core::consent::About;
use relance_core::contact::{Identity, IdentityKind};
use relance_core::event::{Event, names};
use relance_core::time::Zone;
use relance_core::value::{Fields, Value};

use super::column::{Field, Key, Kind, Target};
use super::mapping::{BadCells, Mapping};
use super::record::{Cell, Row};
use super::value::{self, ValueProblem};
use super::{export, shorten};
use crate::address::{self, AddressProblem};
use crate::phone::{self, PhoneProblem};
use crate::segment::{CALL_BYTES_MAX, NAME_CHARS_MAX};

/// A table that a mapping does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanProblem {
    /// A column that the table does not have.
    #[error("the table has no column {head:?}; it has: {known}")]
    NoColumn {
        /// As the mapping names it.
        head: String,
        /// Those that it has.
        known: String,
    },
    /// A head that stands over several columns.
    #[error(
        "several columns are called {0:?}; name the one that is meant by its place, such as \"#3\""
    )]
    Ambiguous(String),
    /// No column names the contact.
    #[error("no column names the contact; map one to user_id, email or phone")]
    NoIdentity,
    /// The key is not mapped.
    #[error("the key is {0}, but no column becomes it; map one, or choose another key")]
    NoKey(&'static str),
}

/// What a row becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct RowCall {
    /// Whose, the key first.
    pub identities: Vec<Identity>,
    /// What is told of it.
    pub traits: Fields,
    /// What it said of channels and topics: wanted or not.
    pub consents: Vec<(About, bool)>,
    /// The address is an office's.
    pub role: bool,
    /// The address is thrown away.
    pub disposable: bool,
    /// Cells that were left out.
    pub left_out: Vec<CellProblem>,
}

/// What is wrong with one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellProblem {
    /// The column's head or place; empty when the whole row is meant.
    pub column: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong, and what to do.
    pub why: CellWhy,
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellWhy {
    /// No value of its kind.
    #[error(transparent)]
    Value(#[from] ValueProblem),
    /// No address.
    #[error(transparent)]
    Address(#[from] AddressProblem),
    /// No telephone number.
    #[error(transparent)]
    Phone(#[from] PhoneProblem),
    /// No time zone.
    #[error("that is no time zone; write a name such as Europe/Moscow")]
    Zone,
    /// An id that is too long.
    #[error("the id has more than {NAME_CHARS_MAX} characters; shorten it")]
    IdTooLong,
    /// The key is empty.
    #[error("the key of the import is empty here; fill it in, or choose another key")]
    NoKey,
    /// Nothing names the contact.
    #[error("nothing in the row names a contact; fill in user_id, email or phone")]
    NoIdentity,
    /// An office's address, which the mapping refuses.
    #[error("the address is an office's, which the mapping refuses; find the person's own")]
    Role,
    /// A thrown-away address, which the mapping refuses.
    #[error(
        "the mailbox is one that is thrown away, which the mapping refuses; find a lasting one"
    )]
    Disposable,
    /// All together is larger than a call may be.
    #[error(
        "the row's values take more than {CALL_BYTES_MAX} bytes; shorten them, or skip columns"
    )]
    TooLarge,
}

impl CellWhy {
    /// A short stable code for counting.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Value(problem) => problem.code(),
            Self::Address(problem) => problem.code(),
            Self::Phone(problem) => problem.code(),
            Self::Zone => "not_a_zone",
            Self::IdTooLong => "id_too_long",
            Self::NoKey => "no_key",
            Self::NoIdentity => "no_identity",
            Self::Role => "role_address",
            Self::Disposable => "disposable_address",
            Self::TooLarge => "too_large",
        }
    }
}

/// How the rows of one table are read.
#[derive(Debug, Clone)]
pub struct Plan {
    columns: Vec<Planned>,
    mapping: Mapping,
}

#[derive(Debug, Clone)]
struct Planned {
    at: usize,
    head: String,
    target: Target,
}

impl Plan {
    /// For a table with these heads; without a header they are empty, and as many as there are columns.
    ///
    /// # Errors
    /// What in the mapping does not fit.
    pub fn new(mapping: &Mapping, heads: &[String]) -> Result<Self, PlanProblem> {
        let mut columns = Vec::new();
        for (name, target) in &mapping.columns {
            let at = place(name, heads)?;
            if *target != Target::Skip {
                columns.push(Planned {
                    at,
                    head: name.clone(),
                    target: target.clone(),
                });
            }
        }
        let has = |key: Key| {
            columns
                .iter()
                .any(|column| column.target == Target::Field(key.field()))
        };
        match mapping.key {
            Some(key) if !has(key) => return Err(PlanProblem::NoKey(key.word())),
            None if !Key::ALL.into_iter().any(has) => return Err(PlanProblem::NoIdentity),
            Some(_) | None => {}
        }
        Ok(Self {
            columns,
            mapping: mapping.clone(),
        })
    }

    /// The mapping that it was made of.
    pub const fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// What a row means.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn call(&self, row: &Row) -> Result<RowCall, Vec<CellProblem>> {
        let mut call = RowCall {
            identities: Vec::with_capacity(3),
            traits: Fields::new(),
            consents: Vec::new(),
            role: false,
            disposable: false,
            left_out: Vec::new(),
        };
        let mut problems = Vec::new();
        let mut bytes = 0;
        for column in &self.columns {
            let cell = match row.cell(column.at) {
                Cell::Text(text) => Cell::Text(export::original(text.trim())),
                cell => cell,
            };
            match cell {
                Cell::Empty | Cell::Text("") => continue,
                Cell::Text(text) | Cell::Failed(text) => bytes += text.len(),
                Cell::Number(_) | Cell::Serial(_) | Cell::Bool(_) => bytes += 8,
            }
            bytes += column.head.len();
            if let Err(why) = self.take(column, cell, &mut call) {
                problems.push(CellProblem {
                    column: column.head.clone(),
                    value: shorten(&row.shown(column.at)),
                    why,
                });
            }
        }
        let whole = |why| CellProblem {
            column: String::new(),
            value: String::new(),
            why,
        };
        if bytes > CALL_BYTES_MAX {
            problems.push(whole(CellWhy::TooLarge));
            return Err(problems);
        }
        if !problems.is_empty() {
            match self.mapping.bad_cells {
                BadCells::RefuseRow => return Err(problems),
                BadCells::LeaveOut => call.left_out = problems,
            }
        }
        self.order(&mut call.identities).map_err(|why| {
            // Why the key was left out says more than that it is missing.
            let mut all = std::mem::take(&mut call.left_out);
            all.push(whole(why));
            all
        })?;
        Ok(call)
    }

    /// The key first, then by trust.
    fn order(&self, identities: &mut [Identity]) -> Result<(), CellWhy> {
        let kind = |key: Key| match key {
            Key::UserId => IdentityKind::UserId,
            Key::Email => IdentityKind::Email,
            Key::Phone => IdentityKind::Phone,
        };
        if identities.is_empty() {
            return Err(CellWhy::NoIdentity);
        }
        identities.sort_by_key(|identity| identity.kind);
        if let Some(key) = self.mapping.key {
            let Some(at) = identities.iter().position(|one| one.kind == kind(key)) else {
                return Err(CellWhy::NoKey);
            };
            identities[..=at].rotate_right(1);
        }
        Ok(())
    }

    fn take(&self, column: &Planned, cell: Cell<'_>, call: &mut RowCall) -> Result<(), CellWhy> {
        match cell {
            Cell::Failed(_) => return Err(ValueProblem::Failed.into()),
            Cell::Text(text) if text.contains('\u{FFFD}') => {
                return Err(ValueProblem::Garbled.into());
            }
            Cell::Empty | Cell::Text(_) | Cell::Number(_) | Cell::Serial(_) | Cell::Bool(_) => {}
        }
        match &column.target {
            Target::Skip => Ok(()),
            Target::Consent(to) => {
                let wanted = match cell {
                    Cell::Bool(value) => value,
                    cell => value::wanted(&text_of(cell))?,
                };
                call.consents.push((to.clone(), wanted));
                Ok(())
            }
            Target::Trait { name, kind } => {
                let value = self.typed(*kind, cell)?;
                call.traits.insert(name.clone(), value);
                Ok(())
            }
            Target::Field(field) => self.field(*field, cell, call),
        }
    }

    fn field(&self, field: Field, cell: Cell<'_>, call: &mut RowCall) -> Result<(), CellWhy> {
        let value = match field {
            Field::UserId => {
                let id = text_of(cell);
                if id.chars().count() > NAME_CHARS_MAX {
                    return Err(CellWhy::IdTooLong);
                }
                call.identities.push(Identity::user(&id));
                return Ok(());
            }
            Field::Email => {
                let address = address::check(&text_of(cell))?;
                if address.disposable && self.mapping.refuse.disposable {
                    return Err(CellWhy::Disposable);
                }
                if address.role && self.mapping.refuse.role {
                    return Err(CellWhy::Role);
                }
                call.role = address.role;
                call.disposable = address.disposable;
                let identity = Identity::email(&address.text);
                let value = Value::from(identity.value.as_str());
                call.identities.push(identity);
                value
            }
            Field::Phone => {
                let number = phone::e164(&text_of(cell), self.mapping.country.as_deref())?;
                call.identities.push(Identity {
                    kind: IdentityKind::Phone,
                    value: number.clone(),
                });
                Value::from(number)
            }
            Field::Timezone => match Zone::parse(&text_of(cell)) {
                Ok(zone) => Value::from(zone.name()),
                Err(_) => return Err(CellWhy::Zone),
            },
            Field::FirstName
            | Field::LastName
            | Field::Name
            | Field::Company
            | Field::Language
            | Field::Country
            | Field::Owner
            | Field::Birthday
            | Field::CreatedAt
            | Field::Tags => self.typed(field.kind(), cell)?,
        };
        call.traits.insert(field.word().to_owned(), value);
        Ok(())
    }

    fn typed(&self, kind: Kind, cell: Cell<'_>) -> Result<Value, CellWhy> {
        let Mapping {
            dates,
            decimal,
            zone,
            ..
        } = &self.mapping;
        Ok(match (kind, cell) {
            (Kind::Text, cell) => Value::from(text_of(cell)),
            (Kind::Number, Cell::Number(number) | Cell::Serial(number)) => {
                value::number_value(number)?
            }
            (Kind::Number, cell) => value::number(&text_of(cell), *decimal)?,
            (Kind::YesNo, Cell::Bool(value)) => Value::from(value),
            (Kind::YesNo, cell) => Value::from(value::yes_no(&text_of(cell))?),
            (Kind::Date, Cell::Number(serial) | Cell::Serial(serial)) => {
                let civil = value::of_serial(serial).ok_or(ValueProblem::NotADate)?;
                Value::from(civil.date().to_string())
            }
            (Kind::Date, cell) => value::date(&text_of(cell), *dates)?,
            (Kind::Moment, Cell::Number(serial) | Cell::Serial(serial)) => {
                let civil = value::of_serial(serial).ok_or(ValueProblem::NotADate)?;
                Value::from(zone.at(civil).to_string())
            }
            (Kind::Moment, cell) => value::moment(&text_of(cell), *dates, zone)?,
            (Kind::List, cell) => value::list(&text_of(cell))?,
        })
    }
}

/// A cell as a text.
fn text_of(cell: Cell<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) | Cell::Failed(text) => text.to_owned(),
        Cell::Number(number) => value::number_text(number),
        Cell::Serial(serial) => {
            value::serial_text(serial).unwrap_or_else(|| value::number_text(serial))
        }
        Cell::Bool(value) => value.to_string(),
    }
}

/// The column that a mapping names: by its head, or `#3` by its place.
fn place(name: &str, heads: &[String]) -> Result<usize, PlanProblem> {
    let missing = || PlanProblem::NoColumn {
        head: shorten(name),
        known: known(heads),
    };
    let mut found = heads
        .iter()
        .enumerate()
        .filter(|(_, head)| head.trim() == name.trim() && !name.trim().is_empty());
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(PlanProblem::Ambiguous(shorten(name))),
        (Some((at, _)), None) => Ok(at),
        (None, _) => name
            .strip_prefix('#')
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| number.checked_sub(1))
            .filter(|at| *at < heads.len())
            .ok_or_else(missing),
    }
}

/// The heads, as a message lists them.
fn known(heads: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut list: Vec<String> = heads.iter().take(SHOWN).map(|head| shorten(head)).collect();
    if heads.len() > SHOWN {
        list.push("…".to_owned());
    }
    list.join(", ")
}

/// Whose row it is, and the events that its call becomes: what it tells of the contact, then what was said of
/// channels and topics. Their ids derive from the import and the row, so that a repetition changes nothing (R6).
pub fn events(
    call: RowCall,
    import: &str,
    row: u64,
    now: Timestamp,
) -> (Vec<Identity>, Vec<Event>) {
    let id = format!("import:{import}:{row}");
    let mut told = Event::identify(call.traits, now);
    told.message_id = Some(Arc::from(id.as_str()));
    let mut events = Vec::with_capacity(1 + call.consents.len());
    events.push(told);
    for (at, (about, wanted)) in call.consents.iter().enumerate() {
        let name = if *wanted {
            names::SUBSCRIBED
        } else {
            names::UNSUBSCRIBED
        };
        let mut event = Event::track(name, now);
        let (key, value) = match about {
            About::Channel(channel) => ("channel", channel.word()),
            About::Topic(topic) => ("topic", topic.as_str()),
        };
        let proof = format!("import {import}, row {row}");
        for (key, value) in [
            (key, value),
            ("source", "import"),
            ("wording", proof.as_str()),
        ] {
            event.properties.insert(key.to_owned(), Value::from(value));
        }
        event.message_id = Some(Arc::from(format!("{id}:{at}")));
        events.push(event);
    }
    (call.identities, events)
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
