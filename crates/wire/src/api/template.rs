//! Templates, content lists and settings as they are given out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::recognition::TriedMailbox;

/// A template in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TemplateSummary {
    /// Its id: what journeys name.
    pub id: String,
    /// The languages it has files for; the one without a language is `""`.
    pub languages: Vec<String>,
    /// The forms it has: `mjml`, `html`, `txt`, ...
    pub forms: Vec<String>,
    /// When one of its files changed last.
    pub updated_at: String,
    /// Journeys in force that send it.
    pub used_by: Vec<String>,
}

/// One template.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TemplateShown {
    /// What a list tells of it.
    #[serde(flatten)]
    pub summary: TemplateSummary,
    /// Its files by name, such as `welcome.en.mjml`.
    pub files: BTreeMap<String, String>,
    /// Which state of the files this is, to be sent as `If-Match` with the next.
    pub revision: String,
}

/// What was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FilesRemoved {
    /// Files, by name.
    pub removed: Vec<String>,
}

/// Something wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileProblemShown {
    /// Which file.
    pub file: String,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is wrong and what to do.
    pub text: String,
}

/// Something that should be looked at before a template is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TemplateCheck {
    /// A public code: `size`, `link`, `alt`, `unsubscribe`, `spam_word`.
    pub code: String,
    /// What, in English.
    pub detail: String,
    /// The words, links or numbers that it is about.
    pub about: Vec<String>,
}

/// A template as it would be sent.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct TemplateRendered {
    /// The subject line.
    pub subject: String,
    /// As HTML, where it has that form. Show it in a frame without rights.
    #[schema(required)]
    pub html: Option<String>,
    /// As plain text.
    pub text: String,
    /// The language that was used.
    #[schema(required)]
    pub language: Option<String>,
    /// Bytes of the HTML, or of the text.
    pub bytes: usize,
    /// Mistakes in the files: nothing was rendered.
    pub mistakes: Vec<FileProblemShown>,
    /// Why it could not be sent as it is, and what its data lacks.
    pub problems: Vec<String>,
    /// What should be looked at.
    pub checks: Vec<TemplateCheck>,
    /// Variables that there are, with what they are for the contact.
    pub variables: Vec<Variable>,
}

/// A variable of templates.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Variable {
    /// Its name: `contact.name`.
    pub name: String,
    /// Its value for the contact; long ones are cut.
    pub value: Value,
}

/// What became of a message that was sent to try it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TestSent {
    /// To whom.
    pub to: String,
    /// By which channel.
    pub channel: String,
    /// `accepted`, `refused`, ...
    pub outcome: String,
    /// What the next system said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A content list in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ListSummary {
    /// Its id: what journeys name.
    pub id: String,
    /// What people call it.
    #[schema(required)]
    pub name: Option<String>,
    /// The file it is in.
    pub file: String,
    /// Its items.
    pub items: usize,
    /// When it changed last.
    pub updated_at: String,
}

/// One content list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ListShown {
    /// What a list tells of it.
    #[serde(flatten)]
    pub summary: ListSummary,
    /// Its text.
    pub text: String,
    /// Which state of the text this is, to be sent as `If-Match` with the next.
    pub revision: String,
}

/// A channel as it is set up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChannelShown {
    /// `email`, ...
    pub channel: String,
    /// Whether messages leave by it.
    pub ready: bool,
    /// By what: `smtp` (a mail server), `mailboxes` (those of salespeople), `outbox` (they lie in a folder instead),
    /// `none` (it is not set up).
    pub by: String,
    /// The mail server, with its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How the connection to it is encrypted: `implicit`, `starttls`, `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
}

/// What is in force, without secrets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Settings {
    /// The workspace: name, zone, language, address.
    #[schema(value_type = Object)]
    pub workspace: Map<String, Value>,
    /// Channels.
    pub channels: Vec<ChannelShown>,
    /// Everything else of the configuration, section by section.
    #[schema(value_type = Object)]
    pub configuration: Map<String, Value>,
    /// What people change in the interface, and whose word each part is.
    pub sections: Vec<super::settings::SectionListed>,
    /// Where the configuration lies.
    pub file: String,
    /// The program's.
    pub version: String,
}

/// Messages of one day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BacktestDay {
    /// The day.
    pub day: String,
    /// Messages.
    pub messages: u64,
}

/// Messages to one contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BacktestHit {
    /// Who.
    pub contact: String,
    /// Messages.
    pub messages: u64,
}

/// What a text would have done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BacktestReport {
    /// Contacts that were looked at.
    pub contacts: u64,
    /// Events that were played.
    pub events: u64,
    /// Runs that would have begun.
    pub enrolled: u64,
    /// Of these, in the control group.
    pub held_out: u64,
    /// Runs that would not have begun, by reason.
    pub not_enrolled: BTreeMap<String, u64>,
    /// Messages that would have gone.
    pub messages: u64,
    /// The same by template.
    pub messages_by_template: BTreeMap<String, u64>,
    /// The same by day.
    pub messages_by_day: Vec<BacktestDay>,
    /// Questions for approval.
    pub asked_for_approval: u64,
    /// Messages that would have been held, by reason.
    pub held: BTreeMap<String, u64>,
    /// Messages that would not have gone, by reason.
    pub not_sent: BTreeMap<String, u64>,
    /// Tasks for people.
    pub tasks: u64,
    /// Runs that an exit would have ended, by reason.
    pub exited: BTreeMap<String, u64>,
    /// Runs that would have gone all the way.
    pub finished: u64,
    /// Runs that would have reached the goal.
    pub converted: u64,
    /// The contacts that would have got most.
    pub contacts_hit_most: Vec<BacktestHit>,
}

/// A text, and the version in force beside it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BacktestCompared {
    /// The text.
    pub candidate: BacktestReport,
    /// The version in force, where it is another one.
    #[schema(required)]
    pub current: Option<BacktestReport>,
}

/// What came of work, by what it does.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum JobResult {
    /// Of `backtest`.
    Backtest(Box<BacktestCompared>),
    /// Of `recognition`.
    Recognition(TriedMailbox),
}

/// Work that takes its time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it does: `backtest` or `recognition`.
    pub kind: String,
    /// `running`, `done`, `failed`, `cancelled`.
    pub state: String,
    /// How much is done.
    pub done: u64,
    /// Of so much; 0 while that is not known.
    pub of: u64,
    /// Who began it.
    pub by: String,
    /// When it began.
    pub began_at: String,
    /// What came of it: of a backtest `{candidate, current}`, of a trial of recognition a `TriedMailbox`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JobResult>)]
    pub result: Option<Value>,
    /// Why it did not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The same as a code: `failed`; of a mailbox that could not be read what `code` of a mailbox says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}
