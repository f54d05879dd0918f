//! `/api/v1/overview`: what happened today, what waits for the caller, and whether mailboxes are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use relance_core::time::{Zone, local_at};
use relance_engine::ports::MailboxState;
use relance_store::read::{DocumentFilter, QuarterCount};
use relance_store::registry::DocumentState;
use relance_wire::api::registry::{DayCounts, MailboxHealth, Overview, Waiting, WaitingCount};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::approvals::may_answer;
use crate::mailbox::shown::{Looked, alert_after, sees, synced};
use crate::workspace::Workspace;

use super::api::read;
use super::documents::by_currency;
use super::lists::{owners, zone};
use super::{Problem, Shared};

/// Days that are shown, today among them.
const DAYS: i64 = 14;
/// Questions that are counted.
const QUESTIONS_COUNTED_MAX: usize = 200;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(overview))
}

/// Where a day begins.
fn begin(date: Date, zone: &Zone) -> Timestamp {
    local_at(date, Time::midnight(), zone)
}

/// The last days up to today with what happened on each.
fn days(counts: &[QuarterCount], today: Date, zone: &Zone) -> Vec<DayCounts> {
    let first = today.saturating_sub((DAYS - 1).days());
    let dates: Vec<Date> = first.series(1.day()).take(DAYS as usize).collect();
    let mut days: Vec<DayCounts> = dates
        .iter()
        .map(|date| DayCounts {
            date: date.to_string(),
            ..DayCounts::default()
        })
        .collect();
    for count in counts {
        let date = zone.local(count.from).date();
        let Some(day) = dates.iter().position(|own| *own == date) else {
            continue;
        };
        let day = &mut days[day];
        let sum = match count.what.as_str() {
            "sent" => &mut day.sent,
            "replied" => &mut day.replied,
            "held" => &mut day.held,
            "documents" => &mut day.documents,
            "paid" => &mut day.paid,
            "enrolled" => &mut day.enrolled,
            "converted" => &mut day.converted,
            "tasks_done" => &mut day.tasks_done,
            _counted_by_a_newer_program => continue,
        };
        *sum += count.times;
    }
    days
}

/// How the mailboxes that a caller sees fare: also those that are read by another node, or that nobody can read.
fn mailboxes(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    known: &[MailboxState],
    now: Timestamp,
) -> BTreeMap<String, MailboxHealth> {
    let health = workspace.mailboxes.health();
    let synced = synced(&health, known);
    let alert_after = alert_after(&workspace.config().mailboxes.alert_after);
    let entries = workspace.watching.book.all().into_iter();
    let shown = entries.filter(|entry| sees(caller, entry)).map(|entry| {
        let own = health.get(entry.address.as_str());
        let looked = Looked {
            entry: &entry,
            health: own,
            synced_at: synced.get(entry.address.as_str()).copied(),
            now,
            // One that cannot be read was refused when the program began.
            alert_after: *alert_after.as_ref().unwrap_or(&SignedDuration::MAX),
        };
        let failure = looked.failure();
        let shown = MailboxHealth {
            state: looked.state().word().to_owned(),
            code: failure.as_ref().map(|failure| failure.code.clone()),
            since: failure.as_ref().and_then(|failure| failure.since.clone()),
            synced_at: looked.synced_at.map(|at| at.to_string()),
            failure: failure.map(|failure| failure.text),
            seen: own.map_or(0, |own| own.seen),
            unreadable: own.map_or(0, |own| own.unreadable),
            unreadable_last: own.and_then(|own| own.unreadable_last.clone()),
        };
        (entry.address.clone(), shown)
    });
    shown.collect()
}

/// Sums, today, what waits, and how mailboxes are.
#[utoipa::path(get, path = "/api/v1/overview", operation_id = "overview_show", tag = "overview",
    responses((status = 200, description = "what happened, and what waits", body = Overview)))]
pub async fn overview(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Overview>, Problem> {
    let now = workspace.clock.now();
    let zone = zone(&workspace);
    let today = zone.local(now).date();
    let tomorrow = begin(today.saturating_add(1.day()), &zone);
    let since = begin(today.saturating_sub((DAYS - 1).days()), &zone);
    let overdue = DocumentFilter {
        states: DocumentState::WAITING.into(),
        owners: owners(&caller, None)?,
        due_before: Some(today),
        ..DocumentFilter::default()
    };
    // Tasks are one's own; a program asks for everyone's.
    let assignees = caller
        .address()
        .map(|address| [address.as_str().to_lowercase()].into());
    let asked = caller.clone();
    let own = owners(&caller, None)?;
    let is_own = own.is_some();
    let (totals, counts, late, tasks, questions, known) = read(&workspace, move |reader| {
        let may = |question: &_| may_answer(&asked, question, now);
        let questions = reader.approvals_where(None, QUESTIONS_COUNTED_MAX, may)?;
        Ok((
            reader.totals()?,
            match &own {
                // Whoever sees some contacts is told what happened to those.
                Some(own) => reader.feed_counts(own, since)?.0,
                None => reader.quarters(since, now)?,
            },
            reader.document_totals(&overdue)?,
            reader.tasks_due(assignees.as_ref(), tomorrow)?,
            (questions.items.len() as u64, questions.next.is_none()),
            reader.mailboxes()?,
        ))
    })
    .await?;
    let days = days(&counts, today, &zone);
    let mailboxes = mailboxes(&workspace, &caller, &known, now);
    Ok(Json(Overview {
        now: now.to_string(),
        zone: zone.name().to_owned(),
        quiet: workspace.copy.quiet().is_some(),
        contacts: totals.contacts,
        events: totals.events,
        timers: totals.timers,
        tasks: totals.tasks,
        queued: totals.queued,
        held: totals.held,
        awaiting_approval: totals.awaiting_approval,
        sending: totals.sending,
        accepted: totals.accepted,
        not_accepted: totals.not_accepted,
        today: days.last().cloned().unwrap_or_default(),
        days,
        own: is_own,
        waiting: Waiting {
            approvals: WaitingCount {
                count: questions.0,
                exact: questions.1,
            },
            tasks: WaitingCount {
                count: tasks.0,
                exact: tasks.1,
            },
            documents: WaitingCount {
                count: late.sums.iter().map(|sum| sum.count).sum(),
                exact: late.is_exact,
            },
            documents_amount: by_currency(&late),
        },
        mailboxes,
    }))
}
