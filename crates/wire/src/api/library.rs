//! The library of ready-made journeys as it is given out.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// Ready-made journeys that belong together, with the templates that they send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LibraryItem {
    /// Its id.
    pub id: String,
    /// What it is called, by language.
    pub name: BTreeMap<String, String>,
    /// What it does in a sentence or two, by language.
    pub description: BTreeMap<String, String>,
    /// Languages that it is written in.
    pub languages: Vec<String>,
    /// What must be there for it to work: `mailbox`, `owner`, `head`, `orders`, `equipment`, `sign_ups`, `form`, `file`.
    pub needs: Vec<String>,
    /// The ids of its journeys.
    pub journeys: Vec<String>,
    /// The ids of its templates.
    pub templates: Vec<String>,
    /// Whether the workspace has it.
    pub state: LibraryState,
}

/// Whether a workspace has what the library offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LibraryState {
    /// None of its journeys is there.
    NotUsed,
    /// It is there as it was written.
    Used,
    /// It is there, and somebody changed it.
    Changed,
}

/// All that the library has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LibraryItems {
    /// In the order in which they are offered.
    pub items: Vec<LibraryItem>,
}

/// What taking from the library brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct LibraryAdded {
    /// Journeys that are drafts now; nothing of them runs until they are published.
    pub journeys: Vec<String>,
    /// Files of templates that are there now.
    pub templates: Vec<String>,
    /// What was there already and stayed as it is: journeys and files of templates.
    pub kept: Vec<String>,
}
