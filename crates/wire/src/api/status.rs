//! Whether a workspace works, and what people allow, as they are given out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Account, ConsentLine, Contact, Page};

/// Why a workspace is quiet (R10).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuietShown {
    /// A public code.
    pub reason: String,
    /// The same as a sentence.
    pub detail: String,
    /// When it was noticed.
    pub noticed_at: String,
    /// What to do.
    pub remedy: String,
}

/// How much is overdue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DueShown {
    /// How many.
    pub count: u64,
    /// Whether there are more than that.
    pub more: bool,
    /// The first.
    #[schema(required)]
    pub earliest: Option<String>,
    /// The last.
    #[schema(required)]
    pub latest: Option<String>,
}

/// What is overdue of one journey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OverdueOfJourney {
    /// Which.
    pub journey: String,
    /// Timers.
    pub timers: u64,
    /// Messages.
    pub messages: u64,
}

/// What is overdue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OverdueShown {
    /// Timers.
    pub timers: DueShown,
    /// Messages.
    pub messages: DueShown,
    /// The first of both.
    #[schema(required)]
    pub earliest: Option<String>,
    /// The last of both.
    #[schema(required)]
    pub latest: Option<String>,
    /// By journey.
    pub journeys: Vec<OverdueOfJourney>,
}

/// Whether the workspace works.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Status {
    /// The program's.
    pub version: String,
    /// The workspace's clock.
    pub now: String,
    /// Why nothing is sent, if so.
    #[schema(required)]
    pub quiet: Option<QuietShown>,
    /// Partitions that this node works for, of 256.
    pub partitions: u64,
    /// What is overdue.
    pub overdue: OverdueShown,
}

/// A workspace that was released.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Released {
    /// `false`: it was not quiet.
    pub released: bool,
    /// What becomes of what is overdue: `send` or `skip`.
    pub overdue: String,
}

/// An account with a page of its contacts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountShown {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// A page of its contacts.
    pub contacts: Page<Contact>,
}

/// An entry that was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryRefused {
    /// Which, from 0.
    pub index: u64,
    /// Why.
    pub detail: String,
}

/// What became of entries of the list of suppressions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SuppressionsTaken {
    /// Added.
    pub taken: u64,
    /// Not added.
    pub refused: u64,
    /// The first of these.
    pub problems: Vec<EntryRefused>,
}

/// Whether there was something to remove.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Removed {
    /// Whether there was.
    pub removed: bool,
}

/// The answers of a contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Consents {
    /// Those in force.
    pub in_force: Vec<ConsentLine>,
    /// All that were given, the newest first.
    pub items: Vec<ConsentLine>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// The answers of a contact in force.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConsentsInForce {
    /// Those in force.
    pub in_force: Vec<ConsentLine>,
}

/// The receipt of an erasure.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErasureReceipt {
    /// Who was forgotten.
    pub contact: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub asked_at: String,
    /// Whether it is done.
    pub done: bool,
    /// When it was.
    #[schema(required)]
    pub done_at: Option<String>,
    /// What was removed, how often, by sort.
    #[schema(value_type = Object)]
    pub removed: Value,
}

/// How many may be known again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Readmitted {
    /// Names.
    pub readmitted: u64,
}

/// A contact's wishes, with its choices.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WishesShown {
    /// How often: `{most, per}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<super::FrequencyShown>,
    /// When: `{days, hours}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub window: Option<Value>,
    /// Nothing before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<String>,
    /// Topics that it may choose, and whether it wants them.
    pub topics: BTreeMap<String, bool>,
    /// Channels that it may choose, and whether it wants them.
    pub channels: BTreeMap<String, bool>,
    /// The language that it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// What a contact wishes, and the link of its own page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreferencesShown {
    /// Its wishes.
    pub preferences: WishesShown,
    /// Its answers in force.
    pub consents: Vec<ConsentLine>,
    /// Its own page.
    pub link: String,
}
