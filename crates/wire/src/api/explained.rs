//! Why, and why not, as the document tells it: the shape of what [`super::explain`] writes.

use serde::Serialize;
use utoipa::ToSchema;

use super::LedgerLine;

/// Something that stands against a message or an entry.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ObstacleShown {
    /// Why: a public code.
    pub reason: String,
    /// By which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A refusal to begin.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefusedShown {
    /// When.
    pub at: String,
    /// Why: a public code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A message that is on its way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OpenMessageShown {
    /// Its id.
    pub id: String,
    /// By which channel.
    pub channel: String,
    /// With which template.
    pub template: String,
    /// Who is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
}

/// What became of a run's messages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunMessages {
    /// Sent.
    pub sent: u64,
    /// Held now.
    pub held: u64,
    /// Not sent.
    pub not_sent: u64,
}

/// A run of a journey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunShown {
    /// Its id.
    pub enrollment: String,
    /// About what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// On which version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_at: Option<String>,
    /// The control group it is in: `journey` or `workspace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_out: Option<String>,
    /// When it reached the goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converted_at: Option<String>,
    /// `waiting`, `listening`, `message`, `paused`, `finished`, `exited`, ...
    pub state: String,
    /// At which step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Since when, or when it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The events that it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub events: Vec<String>,
    /// Why: a public code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// More for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The message that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<OpenMessageShown>,
    /// What became of its messages.
    pub messages: RunMessages,
}

/// Whether the journey could begin now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryShown {
    /// The sort of trigger.
    pub trigger: String,
    /// Of which event, segment or field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// When it comes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What stands against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<ObstacleShown>,
}

/// Where a contact stands with a journey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StandingShown {
    /// What the journey does: `live`, `paused`, ...
    pub journey: String,
    /// `never_came`, `refused`, or the state of the newest run.
    pub state: String,
    /// The last refusal to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedShown>,
    /// Runs, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub runs: Vec<RunShown>,
    /// Whether it could begin now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryShown>,
    /// What stands against messages now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub obstacles: Vec<ObstacleShown>,
}

/// A line of the ledger with its sentence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpokenLine {
    /// The line.
    #[serde(flatten)]
    pub line: LedgerLine,
    /// The same for people.
    pub sentence: String,
}

/// Why, and why not, of a contact and a journey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JourneyExplained {
    /// Which contact.
    pub contact: String,
    /// Which journey.
    pub journey: String,
    /// The moment it is told of.
    pub now: String,
    /// The language of the sentences.
    pub language: String,
    /// Where the contact stands.
    pub standing: StandingShown,
    /// The answer for people.
    pub sentences: Vec<String>,
    /// The lines of the ledger that it rests on.
    pub lines: Vec<SpokenLine>,
    /// Whether there are more lines.
    pub more: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FateShown {
    /// `sent`, `held`, `dropped`, ...
    pub state: String,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Why: a public code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// More for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What stands against it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<ObstacleShown>,
}

/// Why, and why not, of one message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageExplained {
    /// Which message.
    pub id: String,
    /// Whose.
    pub contact: String,
    /// Of which journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journey: Option<String>,
    /// By which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// With which template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The moment it is told of.
    pub now: String,
    /// The language of the sentences.
    pub language: String,
    /// What became of it.
    pub fate: FateShown,
    /// The answer for people.
    pub sentences: Vec<String>,
    /// The lines of the ledger that it rests on.
    pub lines: Vec<SpokenLine>,
}
