//! `/api/v1/reports/sales`: documents by salesperson, team or month: how many, what share is answered and paid, after
//! how long, and what reminders did beside the control group,
//! in money and beside their cost.
//!
//! Read from the registry along the dates of issue; a document belongs to the month in which it was issued, whenever
//! it was paid. **Absent:** orders of shops, and what a journey did (see its numbers).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::ToSpan;
use jiff::civil::Date;
use relance_core::user::User;
use relance_stats::share::{interval, median, share};
use relance_store::read::{DocumentFilter, ListedDocument};
use relance_store::registry::{DocumentState, decimal};
use relance_wire::api::feed::{
    SalesArm, SalesBrought, SalesCosts, SalesEffect, SalesReport, SalesRow,
};
use relance_wire::api::registry::CurrencyTotal;
use relance_wire::table::export::write_row;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::config::CostsConfig;
use crate::workspace::Workspace;

mod effect;

use self::effect::{Followed, cost_of_reminders};
use super::lists::{bad_query, date, owners, said, today, world};
use super::{Problem, Shared};

/// Documents that one report counts; of more it says that there are.
const DOCUMENTS_MAX: usize = 200_000;
/// Days of a report.
const DAYS_MAX: i32 = 3_700;
/// Days after a reminder within which a payment is put down to it, unless said.
const WITHIN_DEFAULT: u32 = 7;
const WITHIN_MAX: u32 = 90;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(sales))
}

/// Which report.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Issued on this day or later; the first of this month if it is left out.
    from: Option<String>,
    /// Issued on this day or before; today if it is left out.
    to: Option<String>,
    /// `owner` (the default), `team` or `month`.
    by: Option<String>,
    /// Of this salesperson alone: an address, `me`, or `none`.
    owner: Option<String>,
    /// `invoice`, `offer` or `other`; all if it is left out.
    kind: Option<String>,
    /// ISO 4217; without it each currency has rows of its own.
    currency: Option<String>,
    /// Days after a reminder within which a payment is put down to it: 7 unless said.
    within: Option<u32>,
    /// `json` (the default) or `csv`.
    format: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Owner,
    Team,
    Month,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Team => "team",
            Self::Month => "month",
        }
    }
}

/// What was counted of one part of the documents.
#[derive(Debug, Default)]
struct Arm {
    documents: u64,
    paid: u64,
    paid_amount: i128,
}

impl Arm {
    fn add(&mut self, one: &ListedDocument) {
        self.documents += 1;
        if one.state == DocumentState::Paid {
            self.paid += 1;
            self.paid_amount += one.amount.map_or(0, i128::from);
        }
    }

    fn shown(&self) -> SalesArm {
        SalesArm {
            documents: self.documents,
            paid: self.paid,
            paid_share: share(self.paid, self.documents),
            paid_share_interval: interval(self.paid, self.documents),
            paid_amount: decimal(self.paid_amount),
        }
    }
}

/// What was counted for one row.
#[derive(Debug, Default)]
struct Counted {
    all: Arm,
    invoices: u64,
    offers: u64,
    amount: i128,
    answered: u64,
    days: Vec<f64>,
    reminded: Arm,
    held_out: Arm,
    brought: u64,
    brought_amount: i128,
    followed: Followed,
}

impl Counted {
    fn add(&mut self, one: &ListedDocument, within: i32) {
        let amount = one.amount.map_or(0, i128::from);
        self.all.add(one);
        self.followed.add(one);
        self.amount += amount;
        match one.kind.as_str() {
            "invoice" => self.invoices += 1,
            "offer" => self.offers += 1,
            _other => {}
        }
        self.answered += u64::from(one.answered);
        if one.reminders > 0 {
            self.reminded.add(one);
        }
        if one.held_out {
            self.held_out.add(one);
        }
        let Some(paid) = one.paid_on() else {
            return;
        };
        if let Some(issued) = one.issued() {
            self.days.push(f64::from(days_between(issued, paid).max(0)));
        }
        let is_brought = one
            .reminded_on()
            .is_some_and(|reminded| (0..=within).contains(&days_between(reminded, paid)));
        if is_brought {
            self.brought += 1;
            self.brought_amount += amount;
        }
    }

    fn shown(
        self,
        key: String,
        currency: String,
        name: Option<String>,
        days: u32,
        cost: Option<f64>,
    ) -> SalesRow {
        let documents = self.all.documents;
        let effect = self.followed.shown(&currency, cost);
        SalesRow {
            key,
            name,
            currency,
            documents,
            invoices: self.invoices,
            offers: self.offers,
            per_working_day: (days > 0).then(|| documents as f64 / f64::from(days)),
            amount: decimal(self.amount),
            answered: self.answered,
            answered_share: share(self.answered, documents),
            paid: self.all.paid,
            paid_share: share(self.all.paid, documents),
            paid_amount: decimal(self.all.paid_amount),
            days_to_payment: median(self.days),
            reminded: self.reminded.shown(),
            held_out: self.held_out.shown(),
            brought: self.brought,
            brought_amount: decimal(self.brought_amount),
            effect,
        }
    }
}

/// What the program costs on the days of a time, by month; a month's price is of its days.
fn program_by_month(costs: &CostsConfig, from: Date, last: Date) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    for day in from.series(1.day()).take_while(|day| *day <= last) {
        let of_day = costs.month / f64::from(day.days_in_month());
        *all.entry(month_of(day)).or_default() += of_day;
    }
    all
}

/// What rows of one currency cost: reminders each their own, the program by month, or by the reminders of a row.
struct Costs {
    own: CostsConfig,
    by_month: BTreeMap<String, f64>,
    reminders: u64,
}

impl Costs {
    fn of_row(&self, by: By, key: &str, reminders: u64) -> f64 {
        let program: f64 = match by {
            By::Month => self.by_month.get(key).copied().unwrap_or_default(),
            By::Owner | By::Team if self.reminders == 0 => 0.0,
            By::Owner | By::Team => {
                let all: f64 = self.by_month.values().sum();
                all * reminders as f64 / self.reminders as f64
            }
        };
        program + cost_of_reminders(&self.own, reminders)
    }

    fn of_all(&self) -> f64 {
        let program: f64 = self.by_month.values().sum();
        program + cost_of_reminders(&self.own, self.reminders)
    }
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

fn text<'a>(
    users: &'a BTreeMap<String, Arc<User>>,
    owner: &str,
    of: impl Fn(&'a User) -> Option<&'a String>,
) -> Option<&'a String> {
    users.get(owner).and_then(|user| of(user))
}

/// Sales of a time, by salesperson, team or month; as a table for a spreadsheet with `format=csv`.
#[utoipa::path(get, path = "/api/v1/reports/sales", operation_id = "reports_sales", tag = "overview", params(Which),
    responses((status = 200, description = "counted from the registry of documents", body = SalesReport)))]
pub async fn sales(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked?;
    let today = today(&workspace);
    let from = date("from", said(&asked.from))?.unwrap_or(today.first_of_month());
    let to = date("to", said(&asked.to))?.unwrap_or(today);
    if from > to || days_between(from, to) > DAYS_MAX {
        return Err(bad_query(format!(
            "from, to: name a time of at most {DAYS_MAX} days, the first day first"
        )));
    }
    let by = match said(&asked.by) {
        None | Some("owner") => By::Owner,
        Some("team") => By::Team,
        Some("month") => By::Month,
        Some(other) => {
            return Err(bad_query(format!(
                "by {other:?} is not known; use owner, team or month"
            )));
        }
    };
    let is_table = match said(&asked.format) {
        None | Some("json") => false,
        Some("csv") => true,
        Some(other) => {
            return Err(bad_query(format!(
                "format {other:?} is not known; use json or csv"
            )));
        }
    };
    let within = asked.within.unwrap_or(WITHIN_DEFAULT);
    if within > WITHIN_MAX {
        return Err(bad_query(format!("within: at most {WITHIN_MAX} days")));
    }
    let filter = DocumentFilter {
        owners: owners(&caller, said(&asked.owner))?,
        kind: said(&asked.kind).map(str::to_owned),
        currency: said(&asked.currency).map(|text| text.trim().to_ascii_uppercase()),
        issued_from: Some(from),
        issued_until: Some(to),
        ..DocumentFilter::default()
    };
    let users: BTreeMap<String, Arc<User>> = workspace
        .access
        .users()
        .iter()
        .map(|(address, user)| (address.as_str().to_lowercase(), user.clone()))
        .collect();
    let report = tokio::task::spawn_blocking(move || {
        let calendar = world(&workspace)?.policy.calendar.clone();
        let last = to.min(today);
        let mut working_days = 0;
        let mut by_month: BTreeMap<String, u32> = BTreeMap::new();
        for day in from.series(1.day()).take_while(|day| *day <= last) {
            if calendar.is_working(day) {
                working_days += 1;
                *by_month.entry(month_of(day)).or_default() += 1;
            }
        }
        let mut rows: BTreeMap<(String, String), Counted> = BTreeMap::new();
        let mut whole: BTreeMap<String, Followed> = BTreeMap::new();
        let reach = i32::try_from(within).unwrap_or(i32::MAX);
        let exact = workspace
            .reader
            .each_issued(&filter, DOCUMENTS_MAX, |one| {
                let key = match by {
                    By::Owner => one.owner.clone(),
                    By::Team => text(&users, &one.owner, |user| user.team.as_ref())
                        .cloned()
                        .unwrap_or_default(),
                    By::Month => one.issued().map(month_of).unwrap_or_default(),
                };
                whole.entry(one.currency.clone()).or_default().add(one);
                let row = rows.entry((key, one.currency.clone())).or_default();
                row.add(one, reach);
            })?;
        let mut totals: BTreeMap<String, (u64, i128)> = BTreeMap::new();
        for ((_, currency), row) in &rows {
            let sum = totals.entry(currency.clone()).or_default();
            sum.0 += row.all.documents;
            sum.1 += row.amount;
        }
        let own = workspace.config().costs.clone();
        let costs = (!own.currency.is_empty()).then(|| {
            let of_currency = whole.get(&own.currency);
            Costs {
                by_month: program_by_month(&own, from, last),
                reminders: of_currency.map_or(0, |all| all.reminders),
                own,
            }
        });
        let costs_of = |currency: &str| {
            let costs = costs.as_ref();
            costs.filter(|costs| costs.own.currency == currency)
        };
        let effects: Vec<SalesEffect> = whole
            .iter()
            .map(|(currency, all)| all.shown(currency, costs_of(currency).map(Costs::of_all)))
            .collect();
        let mut items: Vec<SalesRow> = rows
            .into_iter()
            .map(|((key, currency), row)| {
                let (name, days) = match by {
                    By::Owner => {
                        let name = text(&users, &key, |user| user.name.as_ref());
                        (name.cloned(), working_days)
                    }
                    By::Team => (None, working_days),
                    By::Month => (None, by_month.get(&key).copied().unwrap_or(0)),
                };
                let reminders = row.followed.reminders;
                let cost = costs_of(&currency).map(|costs| costs.of_row(by, &key, reminders));
                row.shown(key, currency, name, days, cost)
            })
            .collect();
        match by {
            By::Owner | By::Team => items.sort_by_key(|row| std::cmp::Reverse(row.documents)),
            By::Month => {}
        }
        let totals = totals
            .into_iter()
            .map(|(currency, (count, amount))| CurrencyTotal {
                currency: Some(currency).filter(|currency| !currency.is_empty()),
                count,
                amount: decimal(amount),
            });
        Ok::<_, Problem>(SalesReport {
            from: from.to_string(),
            to: to.to_string(),
            by: by.word().to_owned(),
            working_days,
            within_days: within,
            items,
            totals: totals.collect(),
            effects,
            costs: costs.map(|costs| SalesCosts {
                reminder: costs.own.of_reminder(),
                month: costs.own.month,
                currency: costs.own.currency,
            }),
            exact,
        })
    });
    let report = report.await.map_err(|_| {
        let detail = "the report could not be made; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })??;
    if is_table {
        return Ok(table(&report));
    }
    Ok(Json(report).into_response())
}

fn month_of(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

/// The same rows for a spreadsheet.
fn table(report: &SalesReport) -> Response {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let mut text = String::from('\u{feff}');
    let head = [
        report.by.as_str(),
        "name",
        "currency",
        "documents",
        "invoices",
        "offers",
        "per_working_day",
        "amount",
        "answered",
        "answered_share",
        "paid",
        "paid_share",
        "paid_amount",
        "days_to_payment",
        "reminded",
        "reminded_paid_share",
        "reminded_paid_amount",
        "held_out",
        "held_out_paid_share",
        "held_out_paid_amount",
        "brought",
        "brought_amount",
        "followed",
        "control_group",
        "brought_beyond_control",
        "brought_low",
        "brought_high",
        "not_measured",
        "reminders",
        "cost",
        "roi",
    ];
    write_row(&mut text, head);
    for row in &report.items {
        let brought = |of: fn(&SalesBrought) -> &String| {
            let brought = row.effect.brought.as_ref();
            brought.map(of).cloned().unwrap_or_default()
        };
        let cells = [
            row.key.clone(),
            row.name.clone().unwrap_or_default(),
            row.currency.clone(),
            row.documents.to_string(),
            row.invoices.to_string(),
            row.offers.to_string(),
            number(row.per_working_day),
            row.amount.clone(),
            row.answered.to_string(),
            number(row.answered_share),
            row.paid.to_string(),
            number(row.paid_share),
            row.paid_amount.clone(),
            number(row.days_to_payment),
            row.reminded.documents.to_string(),
            number(row.reminded.paid_share),
            row.reminded.paid_amount.clone(),
            row.held_out.documents.to_string(),
            number(row.held_out.paid_share),
            row.held_out.paid_amount.clone(),
            row.brought.to_string(),
            row.brought_amount.clone(),
            row.effect.followed.to_string(),
            row.effect.held_out.to_string(),
            brought(|brought| &brought.amount),
            brought(|brought| &brought.low),
            brought(|brought| &brought.high),
            row.effect.missing.clone().unwrap_or_default(),
            row.effect.reminders.to_string(),
            row.effect.cost.clone().unwrap_or_default(),
            number(row.effect.roi.map(|roi| roi.value)),
        ];
        write_row(&mut text, cells.iter().map(String::as_str));
    }
    let name = format!("sales-{}-{}.csv", report.from, report.to);
    super::imports::attachment(text.into(), "text/csv; charset=utf-8", &name)
}
