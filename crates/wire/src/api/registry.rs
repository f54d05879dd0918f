//! Lists as pages read them: documents, contacts, tasks, questions, what happened to a contact, and the overview.
//!
//! **Absent:** single things (see the modules beside this one); what a list leaves out for whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

// Under another name: `Object` alone is any object in a schema.
use super::Object as KnownObject;
use super::{ConsentLine, Contact, Event, LedgerLine, Page, Task, Touchpoint};

/// A document, or an object of another kind, as a list shows it. What the registry does not know of other kinds is
/// left out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentRow {
    /// As it is known.
    #[serde(flatten)]
    pub object: KnownObject,
    /// `open`, `answered`, `paid`, `won` or `lost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `invoice`, `offer` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_kind: Option<String>,
    /// Its amount as a decimal number, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The date of issue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<String>,
    /// By when it is to be paid or answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// It was due before today, and something is still expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue: Option<bool>,
    /// Who is responsible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How the contact is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What happens next with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextAction>,
    /// When something happens next with it: a run goes on, a message is looked at again, a question lapses. What the
    /// list is sorted by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_reminder_at: Option<String>,
    /// Messages about it that left before it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminders: Option<u32>,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextAction {
    /// `approval`: a person is asked; `send`: a message is about to go; `held`: it waits; `wait`: the run waits until
    /// a moment; `wait_for`: it waits for something; `task`: somebody has something to do.
    pub what: String,
    /// When, or until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// In which journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journey: Option<String>,
    /// At which step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// With which template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Why it waits: a public code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The message or task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A page of documents.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentPage {
    /// In order. A page may hold fewer than asked, even none, and yet have a next one.
    pub items: Vec<DocumentRow>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    pub next: Option<String>,
    /// A search found more than it shows: ask for more of the number or the name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub cut: bool,
}

/// What the documents of one currency amount to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CurrencyTotal {
    /// ISO 4217; `null`: none is known.
    #[schema(required)]
    pub currency: Option<String>,
    /// How many documents.
    pub count: u64,
    /// Their sum as a decimal number, exactly.
    pub amount: String,
}

/// What the documents of a list amount to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentTotals {
    /// By currency, the most documents first.
    pub items: Vec<CurrencyTotal>,
    /// How many documents, of all currencies.
    pub count: u64,
    /// How many in each state.
    pub states: BTreeMap<String, u64>,
    /// `false`: there are more than were counted.
    pub exact: bool,
}

/// A line of the ledger with its sentence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ToldLine {
    /// The line.
    #[serde(flatten)]
    pub line: LedgerLine,
    /// The same in words of the language that was asked for.
    pub sentence: String,
}

/// A document with all that has to do with it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentDetail {
    /// The document.
    pub document: DocumentRow,
    /// Whose it is.
    pub contact: ContactRow,
    /// Messages about it, the newest first.
    pub messages: Vec<Touchpoint>,
    /// What the client answered about it, people and their machines, the newest first.
    pub replies: Vec<ReplyShown>,
    /// What happened in its runs and why, the newest first.
    pub ledger: Vec<ToldLine>,
    /// What people have to do about it, the newest first.
    pub tasks: Vec<TaskRow>,
    /// What happens next.
    #[schema(required)]
    pub next: Option<NextAction>,
}

/// An answer of the client.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReplyShown {
    /// When it was written.
    pub at: String,
    /// By whom.
    #[schema(required)]
    pub from: Option<String>,
    /// A machine wrote it: they are away, or gone.
    pub automatic: bool,
    /// What is new in it, without the quotation; its first 2,000 characters.
    #[schema(required)]
    pub text: Option<String>,
    /// What it seems to want: `paid`, `will_pay`, `not_interested`, `later`, `question`, `unsubscribe`, `other`. A
    /// suggestion: nothing follows from it but what a journey asks for.
    #[schema(required)]
    pub intent: Option<String>,
    /// The day that it names; of an automatic one, when they are back.
    #[schema(required)]
    pub date: Option<String>,
}

/// What a person says of a payment.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidPaid {
    /// `false`: it was not paid after all. Runs that ended by the payment stay ended.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub paid: bool,
    /// When; today if it is left out.
    #[serde(default)]
    pub at: Option<String>,
}

const fn yes() -> bool {
    true
}

/// A contact as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactRow {
    /// As it is known.
    #[serde(flatten)]
    pub contact: Contact,
    /// How it is called: its name, its company or an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Its company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Who is responsible: an address in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A to D.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    /// When it was last heard of; what happened in the last moments may be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<String>,
    /// By which of its identities a search found it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub found_by: BTreeMap<String, String>,
}

/// A name by which a contact is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IdentityShown {
    /// `user_id`, `email`, `phone`, `telegram`, `whatsapp` or `anonymous_id`.
    pub kind: String,
    /// As it is compared.
    pub value: String,
}

/// One contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactShown {
    /// As lists show it.
    #[serde(flatten)]
    pub row: ContactRow,
    /// Names by which it is recognised, those of contacts that it absorbed among them; of very many the first.
    pub identities: Vec<IdentityShown>,
}

/// A page of contacts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactPage {
    /// In order. A page may hold fewer than asked, even none, and yet have a next one.
    pub items: Vec<ContactRow>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    pub next: Option<String>,
    /// In what a search looked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub searched: Vec<String>,
    /// And in what it did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub not_searched: Vec<String>,
}

/// Something of the life of a contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimelineItem {
    /// When.
    pub at: String,
    /// Which of the following it is: `event`, `message`, `ledger`, `task`, `consent`.
    pub kind: String,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// A message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Touchpoint>,
    /// A line of the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<ToldLine>,
    /// Something for a person to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskRow>,
    /// An answer about a channel or topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentLine>,
}

/// A task as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskRow {
    /// The task; due when it is due now, its assignee whoever has it now.
    #[serde(flatten)]
    pub task: Task,
    /// `open` or `done`.
    pub state: String,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_by: Option<String>,
    /// How the contact is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_name: Option<String>,
}

/// Until when a task is put off.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Postponed {
    /// A moment (RFC 3339), or a date: nine o'clock of that day in the workspace's zone.
    pub until: String,
}

/// A message that waits for a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Question {
    /// The message.
    #[serde(flatten)]
    pub message: Touchpoint,
    /// Since when the question stands.
    pub asked_at: String,
    /// When it lapses.
    pub expires_at: String,
    /// From when the deputy may answer too.
    #[schema(required)]
    pub deputy_at: Option<String>,
    /// Who is asked: `owner`, `role:head`.
    pub by: String,
    /// Who may answer in their place.
    #[schema(required)]
    pub deputy: Option<String>,
    /// What happens when nobody answers: `skip`, `send`, `stop`, `call`.
    pub lapse: String,
    /// To whom it would go, or whom it is about.
    pub to: Contact,
    /// The fields of what it is about.
    #[schema(required, value_type = Option<Object>)]
    pub about: Option<Map<String, Value>>,
    /// Who is responsible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How the journey is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journey_name: Option<String>,
}

/// A message as it would leave.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessagePreview {
    /// The sender's address.
    #[schema(required)]
    pub from: Option<String>,
    /// The name before it.
    #[schema(required)]
    pub from_name: Option<String>,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML, if it is sent so. Data of others is in it: show it in a frame without rights.
    #[schema(required)]
    pub html: Option<String>,
    /// In which language.
    #[schema(required)]
    pub language: Option<String>,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

/// A question with the message as it would be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuestionDetail {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// What a person may change: the subject line, an empty line, the words.
    pub editable: String,
    /// The message.
    pub preview: MessagePreview,
}

/// A page of questions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuestionPage {
    /// Those that lapse soonest first; only those that the caller may answer.
    pub items: Vec<Question>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    pub next: Option<String>,
}

/// What is said to one question.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Of which message.
    pub id: String,
    /// `approve`, `skip` or `call`.
    pub answer: String,
    /// What the message should say instead; the first line is the subject line.
    #[serde(default)]
    pub text: Option<String>,
}

/// Answers to questions.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// At most 500.
    pub answers: Vec<Said>,
    /// Who answers, where a program asks in somebody's name. Of whoever is signed in it is themselves.
    #[serde(default)]
    pub by: Option<String>,
}

/// What became of one answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answered {
    /// Of which message.
    pub id: String,
    /// Whether it counted.
    pub done: bool,
    /// Why not.
    #[schema(required)]
    pub detail: Option<String>,
}

/// What became of answers, in their order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnsweredAll {
    /// One for each.
    pub items: Vec<Answered>,
}

/// What became of the answer to one question.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnsweredOne {
    /// The message, by its name of now.
    pub id: String,
    /// The answer.
    pub answer: String,
}

/// A journey by which documents can be followed up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FollowUpJourney {
    /// Which.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// Journeys by which documents can be followed up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FollowUpJourneys {
    /// By name.
    pub items: Vec<FollowUpJourney>,
}

/// One document of a contact.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentNamed {
    /// Whose.
    pub contact: String,
    /// Which.
    pub document: String,
}

/// Documents that a journey is to follow up.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// By which journey.
    pub journey: String,
    /// At most 200.
    pub documents: Vec<DocumentNamed>,
}

/// What became of one document that was to be followed up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FollowedUp {
    /// Whose.
    pub contact: String,
    /// Which.
    pub document: String,
    /// Whether a run began.
    pub begun: bool,
    /// Why not, as the ledger's code, or `no_document`; of a run that began, `holdout` where it is of the control group.
    #[schema(required)]
    pub reason: Option<String>,
}

/// What became of documents that were to be followed up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FollowedUpAll {
    /// One for each, in their order.
    pub items: Vec<FollowedUp>,
}

/// What happened on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayCounts {
    /// The day, in the workspace's zone.
    pub date: String,
    /// Messages that left.
    pub sent: u64,
    /// Answers by people.
    pub replied: u64,
    /// Messages that had to wait.
    pub held: u64,
    /// Documents seen in mailboxes.
    pub documents: u64,
    /// Documents that were paid.
    pub paid: u64,
    /// Runs that began.
    pub enrolled: u64,
    /// Goals that were reached.
    pub converted: u64,
    /// Tasks that were done.
    pub tasks_done: u64,
}

/// How many of something wait.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WaitingCount {
    /// How many.
    pub count: u64,
    /// `false`: there may be more.
    pub exact: bool,
}

/// What waits for the caller.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Waiting {
    /// Questions that they may answer.
    pub approvals: WaitingCount,
    /// Open tasks of theirs that are due by the end of today.
    pub tasks: WaitingCount,
    /// Documents that they see of which something is overdue.
    pub documents: WaitingCount,
    /// What those amount to, by currency.
    pub documents_amount: Vec<CurrencyTotal>,
}

/// How a mailbox is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MailboxHealth {
    /// How it fares: `starting`, `synchronising`, `live`, `failing`, `login_refused`, `silent`, `paused`.
    pub state: String,
    /// What is wrong, as a code that says what to do.
    #[schema(required)]
    pub code: Option<String>,
    /// Since when it is wrong.
    #[schema(required)]
    pub since: Option<String>,
    /// When it was last read whole.
    #[schema(required)]
    pub synced_at: Option<String>,
    /// Why it cannot be read now.
    #[schema(required)]
    pub failure: Option<String>,
    /// Mails seen since the start.
    pub seen: u64,
    /// Mails that could not be read, since the start.
    pub unreadable: u64,
    /// The last of them: folder and number.
    #[schema(required)]
    pub unreadable_last: Option<String>,
}

/// Sums, today, what waits, and how mailboxes are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    /// The workspace's clock.
    pub now: String,
    /// Its zone.
    pub zone: String,
    /// Nothing is sent until a person releases it.
    pub quiet: bool,
    /// Contacts.
    pub contacts: u64,
    /// Events in the log.
    pub events: u64,
    /// Timers set.
    pub timers: u64,
    /// Tasks ever created.
    pub tasks: u64,
    /// Messages about to go.
    pub queued: u64,
    /// Messages held.
    pub held: u64,
    /// Messages that wait for a person.
    pub awaiting_approval: u64,
    /// Messages in flight.
    pub sending: u64,
    /// Messages that left.
    pub accepted: u64,
    /// Messages settled in any other way.
    pub not_accepted: u64,
    /// Today: of the whole workspace, or of one's own (see `own`).
    pub today: DayCounts,
    /// The last fourteen days, today last.
    pub days: Vec<DayCounts>,
    /// Whether `today` and `days` count only contacts that the caller sees.
    pub own: bool,
    /// What waits for the caller.
    pub waiting: Waiting,
    /// Watched mailboxes, by address.
    pub mailboxes: BTreeMap<String, MailboxHealth>,
}

/// A saved view of a page.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct View {
    /// What its owner calls it.
    pub name: String,
    /// Filters and order, as the page keeps them.
    #[schema(value_type = Object)]
    pub view: Map<String, Value>,
}

/// What a view keeps.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewBody {
    /// Filters and order, as the page keeps them; at most 4 KB.
    #[schema(value_type = Object)]
    pub view: Map<String, Value>,
}

/// The saved views of a page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Views {
    /// By name.
    pub items: Vec<View>,
}

/// Objects of a contact: a page of them.
pub type ObjectPage = Page<KnownObject>;

/// Which object a run is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SubjectShown {
    /// `document`, `deal`, `order`, ...
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// A run of a journey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunRow {
    /// `enr_` and what names it.
    pub id: String,
    /// Of which journey.
    pub journey: String,
    /// In which version.
    pub version: u32,
    /// About what.
    #[schema(required)]
    pub subject: Option<SubjectShown>,
    /// When it began.
    pub entered_at: String,
    /// When the goal was reached.
    #[schema(required)]
    pub converted_at: Option<String>,
    /// In the control group.
    pub held_out: bool,
    /// The way of a split.
    #[schema(required)]
    pub variant: Option<String>,
    /// Where it stands; `null` when it has no steps to come.
    #[schema(required)]
    pub step: Option<String>,
    /// Whether steps are still to come.
    pub running: bool,
    /// The event that began it.
    #[schema(required)]
    pub cause: Option<Event>,
}

/// Two contacts that became one, or are about to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MergedShown {
    /// Who goes on.
    pub id: String,
    /// Who was absorbed.
    pub absorbed: String,
    /// `merged`, or `waiting` while a message is in flight.
    pub state: String,
    /// Until when it can be undone.
    pub undo_until: String,
}

/// A contact that is itself again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnmergedShown {
    /// Who.
    pub id: String,
    /// Who it was meanwhile.
    pub was: String,
    /// `unmerged`.
    pub state: String,
    /// What stays as it became.
    pub stays: String,
}

/// Two contacts that may be one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DoubtShown {
    /// Both.
    pub contacts: Vec<String>,
    /// A public code.
    pub reason: String,
    /// The same as a sentence.
    pub detail: String,
    /// Since when.
    pub since: String,
}
