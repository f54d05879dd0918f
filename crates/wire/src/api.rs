//! The shapes that the management API and the preview give out.
//!
//! Fields that do not apply are left out. Ids are texts, moments are RFC 3339. The document of the API
//! (`web/openapi.json`) is made from these shapes, so what is not here does not exist for its clients.

pub mod access;
mod contact;
pub mod explain;
pub mod explained;
pub mod feed;
pub mod import;
pub mod journey;
pub mod library;
pub mod mailbox;
mod message;
pub mod payment;
mod preview;
pub mod recognition;
pub mod registry;
pub mod segment;
pub mod settings;
pub mod status;
pub mod template;

pub use contact::{
    Account, ConsentLine, Contact, FrequencyShown, Preferences, ProofShown, Suppression,
};
pub use message::{Event, LedgerLine, MessageRow, Object, Task, Touchpoint};
pub use preview::PreviewLine;

use relance_core::ids::ContactId;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    pub next: Option<String>,
}

/// An object without its empty fields.
fn whole(fields: Vec<(&str, Option<Value>)>) -> Value {
    let present = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

fn text(value: impl ToString) -> Option<Value> {
    Some(Value::String(value.to_string()))
}

/// An answer about a channel or topic, with when, how, and what proves it.
pub fn consent(change: &relance_core::consent::ConsentChange) -> Value {
    json!(ConsentLine::of(change))
}

/// The answers in force, with when, how, and what proves each.
pub fn consents(contact: &relance_core::contact::Contact) -> Vec<Value> {
    let lines = ConsentLine::in_force(contact);
    lines.iter().map(|line| json!(line)).collect()
}

/// A contact's wishes.
pub fn preferences(own: &relance_core::preferences::Preferences) -> Value {
    json!(Preferences::of(own))
}

/// An entry of the list of suppressions.
pub fn suppression(one: &relance_core::suppression::Suppression) -> Value {
    json!(Suppression::of(one))
}

/// An account, without its contacts.
pub fn account(account: &relance_core::account::Account) -> Value {
    json!(Account::of(account))
}

/// A contact.
pub fn contact(contact: &relance_core::contact::Contact) -> Value {
    json!(Contact::of(contact))
}

/// A line of the ledger.
pub fn ledger_line(entry: &relance_core::ledger::LedgerEntry) -> Value {
    json!(LedgerLine::of(entry))
}

/// What happened to a contact.
pub fn event(event: &relance_core::event::Event) -> Value {
    json!(Event::of(event))
}

/// An object of a contact: a document, a deal, an order.
pub fn object(owner: ContactId, object: &relance_core::subject::Object) -> Value {
    json!(Object::of(owner, object))
}

/// A message.
pub fn touchpoint(touchpoint: &relance_core::touchpoint::Touchpoint) -> Value {
    json!(Touchpoint::of(touchpoint))
}

/// Something for a person to do.
pub fn task(task: &relance_core::touchpoint::Task) -> Value {
    json!(Task::of(task))
}
