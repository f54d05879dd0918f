//! Where a document stands, told by its fields.
//!
//! **Absent:** how documents are found in mails (see [`mail`](crate::mail)); what is paid by what (see
//! [`payment`](crate::payment)).

use std::collections::BTreeSet;

use crate::event::{Event, names};
use crate::subject::Object;
use crate::value::Value;

/// The kind of objects that these states are of.
pub const DOCUMENT: &str = "document";

/// Where a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentState {
    /// Neither answered nor paid.
    Open,
    /// Answered, and not paid.
    Answered,
    /// Paid.
    Paid,
    /// An offer that became an order.
    Won,
    /// Declined, cancelled, void.
    Lost,
    /// A person said that it is no document: it is in no list and no total that does not ask for it.
    Withdrawn,
}

impl DocumentState {
    /// All that lists and totals are of, where none is named.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Answered,
        Self::Paid,
        Self::Won,
        Self::Lost,
    ];
    /// Those of which something is still expected.
    pub const WAITING: [Self; 2] = [Self::Open, Self::Answered];

    /// What an object's fields say.
    pub fn of(object: &Object) -> Self {
        let status = object.text("status").unwrap_or_default().to_lowercase();
        match status.trim() {
            "withdrawn" => return Self::Withdrawn,
            "paid" | "settled" => return Self::Paid,
            "won" | "accepted" | "signed" => return Self::Won,
            "lost" | "declined" | "rejected" | "cancelled" | "canceled" | "void" | "expired"
            | "refunded" => return Self::Lost,
            _other_word => {}
        }
        let has = |field| {
            let value = object.fields.get(field);
            value.is_some_and(|value: &Value| !value.is_null())
        };
        if has("paid_at") {
            Self::Paid
        } else if status.trim() == "answered" || has("answered_at") {
            Self::Answered
        } else {
            Self::Open
        }
    }

    /// Whether something is still expected.
    pub fn is_waiting(self) -> bool {
        Self::WAITING.contains(&self)
    }

    /// Whether a list of these states has it; no state named means [`ALL`](Self::ALL).
    pub fn is_listed(self, states: &BTreeSet<Self>) -> bool {
        if states.is_empty() {
            self != Self::Withdrawn
        } else {
            states.contains(&self)
        }
    }

    /// Every one there is.
    pub fn every() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain([Self::Withdrawn])
    }

    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Paid => "paid",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::every().find(|state| state.word() == word)
    }
}

/// Whoever says that a document is paid need not say so of its fields, nor when: it is now.
pub fn settle(event: &mut Event) {
    if event.name.as_str() != names::DOCUMENT_PAID {
        return;
    }
    let at = event.at.to_string();
    let mut documents = event.objects.iter_mut();
    if let Some(document) = documents.find(|one| one.subject.kind.as_str() == DOCUMENT) {
        let fields = &mut document.fields;
        fields.entry("status").or_insert_with(|| "paid".into());
        fields.entry("paid_at").or_insert_with(|| at.into());
    }
}
