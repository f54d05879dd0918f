//! What happened, names in use, and sales by person and month, as they are given out.

use serde::Serialize;
use utoipa::ToSchema;

use super::Event;
use super::registry::{CurrencyTotal, ToldLine};

/// Something that happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FeedItem {
    /// When.
    pub at: String,
    /// `sent`, `held`, `enrolled`, `converted`, `replied`, `documents` (one was seen), `paid` or `tasks_done`.
    pub what: String,
    /// To whom.
    pub contact: String,
    /// How the contact is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_name: Option<String>,
    /// The event, for what is told by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// The line of the ledger, for what is told by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<ToldLine>,
}

/// A name that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NameShown {
    /// The name; inner ones with dots between.
    pub name: String,
    /// The kind of objects that it is a field of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How often: events since they are counted, or how many of those looked at have it.
    pub count: u64,
    /// What its values are: `text`, `number`, `flag`, `list`, `date`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub types: Vec<String>,
}

/// Names in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NamesShown {
    /// In order of the alphabet.
    pub items: Vec<NameShown>,
    /// How many contacts or objects were looked at; events are counted as they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<usize>,
    /// There may be more of them.
    pub cut: bool,
}

/// What was sold with reminders, or without.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SalesArm {
    /// Documents.
    pub documents: u64,
    /// Of these, paid.
    pub paid: u64,
    /// The share of these, from 0 to 1; `null` of none.
    #[schema(required)]
    pub paid_share: Option<f64>,
    /// Between which the share lies, at 95 % (Wilson).
    #[schema(required)]
    pub paid_share_interval: Option<[f64; 2]>,
    /// What the paid ones amount to, in the row's currency.
    pub paid_amount: String,
}

/// What follow-ups brought, of one currency: what was paid beyond what the control group says would have been paid
/// anyway, and what they cost.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SalesEffect {
    /// ISO 4217, or nothing.
    pub currency: String,
    /// Documents that journeys follow, the control group left out; offers bring no money themselves and are left out too.
    pub followed: u64,
    /// Documents of the control group.
    pub held_out: u64,
    /// What was brought; `null` where it cannot be measured yet, as `missing` says.
    #[schema(required)]
    pub brought: Option<SalesBrought>,
    /// Why it cannot be measured, or not all of it: `no_journey` (nothing is followed), `no_control_group` (journeys
    /// hold nobody out), `few_followed`, `few_held_out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// With `few_held_out`: documents that the nearest control group still wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<u64>,
    /// Reminders that left.
    pub reminders: u64,
    /// What they cost, with the program's share; `null` where costs are not set, or are of another currency.
    #[schema(required)]
    pub cost: Option<String>,
    /// What each unit of cost brought, with its interval; `null` where either is not known, or it cost nothing.
    #[schema(required)]
    pub roi: Option<SalesRoi>,
}

/// What was brought, and between which it lies at 95 % (Welch). It may be less than nothing.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SalesBrought {
    /// The estimate, as a decimal number.
    pub amount: String,
    /// Not less than this.
    pub low: String,
    /// Not more than this.
    pub high: String,
    /// Of the followed documents, those whose journey has a control group that is large enough.
    pub measured: u64,
}

/// What follow-ups cost, as the settings say.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SalesCosts {
    /// ISO 4217.
    pub currency: String,
    /// One reminder: the message, and the salesperson's minutes.
    pub reminder: f64,
    /// The program, a month.
    pub month: f64,
}

/// What each unit of cost brought: 12 means that one rouble brought twelve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct SalesRoi {
    /// The estimate.
    pub value: f64,
    /// Not less than this.
    pub low: f64,
    /// Not more than this.
    pub high: f64,
}

/// Documents of a salesperson, a team or a month, of one currency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SalesRow {
    /// The address of the salesperson, the team's name or the month (`2026-11`); `""`: nobody's, no team.
    pub key: String,
    /// How the salesperson is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// ISO 4217, or nothing.
    pub currency: String,
    /// Documents issued.
    pub documents: u64,
    /// Of these, invoices.
    pub invoices: u64,
    /// Of these, offers.
    pub offers: u64,
    /// Documents for each working day of the time.
    #[schema(required)]
    pub per_working_day: Option<f64>,
    /// What they amount to.
    pub amount: String,
    /// How many were answered.
    pub answered: u64,
    /// The share of these.
    #[schema(required)]
    pub answered_share: Option<f64>,
    /// How many were paid.
    pub paid: u64,
    /// The share of these.
    #[schema(required)]
    pub paid_share: Option<f64>,
    /// What the paid ones amount to.
    pub paid_amount: String,
    /// Days from issue to payment, of the middle one of those paid.
    #[schema(required)]
    pub days_to_payment: Option<f64>,
    /// Those of which a reminder left.
    pub reminded: SalesArm,
    /// Those of the control group: reminders would have left, and none did.
    pub held_out: SalesArm,
    /// Paid within so many days after a reminder: how many.
    pub brought: u64,
    /// What these amount to.
    pub brought_amount: String,
    /// What follow-ups brought beyond the control group, and cost.
    pub effect: SalesEffect,
}

/// Sales of a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SalesReport {
    /// The first day.
    pub from: String,
    /// The last.
    pub to: String,
    /// `owner`, `team` or `month`.
    pub by: String,
    /// Working days of the time, by the workspace's calendar, today at most.
    pub working_days: u32,
    /// After how many days a payment is no longer put down to a reminder.
    pub within_days: u32,
    /// The most documents first; months in order.
    pub items: Vec<SalesRow>,
    /// What all of them amount to, by currency.
    pub totals: Vec<CurrencyTotal>,
    /// What follow-ups brought and cost in the whole time, by currency: of more documents, it says more than the rows.
    pub effects: Vec<SalesEffect>,
    /// What one reminder costs, and the program a month; `null` where costs are not set.
    #[schema(required)]
    pub costs: Option<SalesCosts>,
    /// `false`: there were more documents than were counted.
    pub exact: bool,
}
