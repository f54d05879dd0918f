//! Journeys as they are given out: their versions, where runs stand, drafts, checks and numbers.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// A journey in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JourneySummary {
    /// Its id.
    pub id: String,
    /// `draft`, `live`, `paused`, `retired`, `archived`.
    pub status: String,
    /// The version in force.
    #[schema(required)]
    pub current: Option<u32>,
    /// The newest version.
    #[schema(required)]
    pub newest: Option<u32>,
    /// When that was published.
    #[schema(required)]
    pub published_at: Option<String>,
    /// Runs under way.
    pub live_runs: u64,
    /// When its draft was last written; without one, `null`.
    #[schema(required)]
    pub drafted_at: Option<String>,
    /// What people call it: of the version in force, else of the draft.
    pub name: String,
}

/// A version of a journey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JourneyVersion {
    /// From 1.
    pub version: u32,
    /// Whether new runs begin on it.
    pub current: bool,
    /// How runs of older versions came to it: `pin`, `follow`, `map`.
    pub moves: String,
    /// When it was published.
    pub published_at: String,
    /// Runs under way on it.
    pub live_runs: u64,
    /// Its text, as it was published.
    pub text: String,
}

/// Runs that stand at one step.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StandingAt {
    /// On which version.
    pub version: u32,
    /// At which step.
    pub step: String,
    /// How many.
    pub runs: u64,
}

/// A text that is being worked on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JourneyDraft {
    /// The text.
    pub text: String,
    /// When it was last written.
    pub updated_at: String,
    /// Which writing of it this is, to be sent as `If-Match` with the next.
    pub revision: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One journey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JourneyShown {
    /// What a list tells of it.
    #[serde(flatten)]
    pub summary: JourneySummary,
    /// Its versions, oldest first.
    pub versions: Vec<JourneyVersion>,
    /// Where runs stand.
    pub standing: Vec<StandingAt>,
    /// Its draft.
    #[schema(required)]
    pub draft: Option<JourneyDraft>,
}

/// Something wrong with a journey's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TextProblem {
    /// Where in the text, in its own words: `steps[2].then[0].wait`.
    pub path: String,
    /// Line from 1; 0 where the whole text is meant.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// The same; for pages.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// What became of a draft.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DraftStored {
    /// Of which journey.
    pub id: String,
    /// What is wrong with it; it is kept all the same.
    pub problems: Vec<TextProblem>,
    /// Which writing of it this is.
    pub revision: String,
    /// When it was written.
    pub updated_at: String,
}

/// A step of a text that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StepShown {
    /// Its key: runs stand at it, and numbers are told by it.
    pub key: String,
    /// `send`, `wait`, `wait_for`, `branch`, `split`, `task`, ...
    pub kind: String,
    /// The step after it, of kinds without ways; `null`: the run ends.
    #[schema(required)]
    pub next: Option<String>,
    /// The ways that lead on from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub ways: Vec<WayShown>,
    /// The channel of a `send`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The template of a `send`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

/// A way that a step leads on by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct WayShown {
    /// Its word: `then`, `else`, `otherwise`, `if1`, `on2`, or a variant.
    pub word: String,
    /// The first step on it; `null`: the run ends.
    #[schema(required)]
    pub to: Option<String>,
}

/// A text that was checked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JourneyChecked {
    /// The journey's id, where the text has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is wrong; none: it could be published.
    pub problems: Vec<TextProblem>,
    /// Its steps, where nothing is wrong.
    pub steps: Vec<StepShown>,
}

/// What happened at one step, on all versions together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StepNumbers {
    /// Which; empty for what happened to the run as a whole.
    pub step: String,
    /// Runs that stand there now.
    pub standing: u64,
    /// The same by version.
    pub standing_on: BTreeMap<String, u64>,
    /// Messages sent.
    pub sent: u64,
    /// Messages held, each time.
    pub held: u64,
    /// Messages that were not sent, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Runs that an exit ended there.
    pub exited: u64,
    /// Runs that reached the goal there.
    pub converted: u64,
    /// All that happened there, by the ledger's word: `sent`, `held`, `skipped`, ...
    pub what: BTreeMap<String, u64>,
    /// The same where it has a reason: `held.quiet_hours`.
    pub reasons: BTreeMap<String, u64>,
}

impl StepNumbers {
    /// Something happened there so many times.
    pub fn add(&mut self, what: &str, reason: Option<&str>, times: u64) {
        *self.what.entry(what.to_owned()).or_default() += times;
        if let Some(reason) = reason {
            let key = format!("{what}.{reason}");
            *self.reasons.entry(key).or_default() += times;
        }
        match what {
            "sent" => self.sent += times,
            "held" => self.held += times,
            "exited" => self.exited += times,
            "converted" => self.converted += times,
            "dropped" | "withdrawn" | "failed" | "skipped" => {
                let reason = reason.unwrap_or(what).to_owned();
                *self.dropped.entry(reason).or_default() += times;
            }
            _counted_only => {}
        }
    }
}

/// The numbers of a journey, counted as it happened.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct JourneyNumbers {
    /// Of which journey.
    pub id: String,
    /// Runs that began.
    pub entered: u64,
    /// Runs under way now.
    pub live: u64,
    /// Runs that went all the way.
    pub finished: u64,
    /// Runs that an exit ended.
    pub exited: u64,
    /// Runs that reached the goal.
    pub converted: u64,
    /// Lines that say that the control group got nothing.
    pub held_out: u64,
    /// By step.
    pub steps: Vec<StepNumbers>,
}
