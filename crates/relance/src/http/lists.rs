//! What lists share: where a page begins, whose things a caller is shown, and rows made of what is stored.
//!
//! **Absent:** the lists themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use relance_core::World;
use relance_core::access::Sees;
use relance_core::contact::{Channel, Contact};
use relance_core::ids::ContactId;
use relance_core::ledger::LedgerEntry;
use relance_core::time::Zone;
use relance_store::read::{ListedContact, ListedTask, PAGE_ROWS_MAX};
use relance_wire::api::registry::{ContactRow, TaskRow, ToldLine};
use relance_wire::api::{self as shape};
use relance_wire::explain::{Language, Names, sentence};
use serde::Deserialize;

use crate::access::Caller;
use crate::explain;
use crate::workspace::Workspace;

use super::Problem;

/// Rows of a page when it is not said.
pub(super) const ROWS_DEFAULT: usize = 50;
/// Characters of an owner's address in a query.
const OWNER_CHARS_MAX: usize = 254;
/// The owner of what is nobody's, in a query.
const NOBODY: &str = "none";
/// The caller as owner, in a query.
const MYSELF: &str = "me";

/// How many rows a page has.
pub(super) fn rows(limit: Option<usize>) -> usize {
    limit.unwrap_or(ROWS_DEFAULT).clamp(1, PAGE_ROWS_MAX)
}

/// Where a page begins and how long it is, of what is sorted by id.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

impl Paging {
    /// A page of a list that is in memory, in order of its ids: the cursor is the last id of the page before.
    pub(super) fn page<T>(
        &self,
        all: impl Iterator<Item = T>,
        id: impl Fn(&T) -> &String,
    ) -> (Vec<T>, Option<String>) {
        let after = said(&self.cursor).unwrap_or_default();
        let shown = rows(self.limit);
        let mut page: Vec<T> = all
            .filter(|one| id(one).as_str() > after)
            .take(shown + 1)
            .collect();
        let more = page.len() > shown;
        page.truncate(shown);
        let next = page.last().filter(|_| more).map(|one| id(one).clone());
        (page, next)
    }
}

/// A text of a query that says something.
pub(super) fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// A query that cannot be answered.
pub(super) fn bad_query(detail: impl ToString) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_query", detail)
}

/// Which way a list goes.
pub(super) fn is_up(order: Option<&str>, unless_said: bool) -> Result<bool, Problem> {
    match order {
        None => Ok(unless_said),
        Some("asc") => Ok(true),
        Some("desc") => Ok(false),
        Some(other) => Err(bad_query(format!(
            "order {other:?} is not known; use asc or desc"
        ))),
    }
}

/// The contact of a path.
pub(super) fn contact_id(text: &str) -> Result<ContactId, Problem> {
    text.parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))
}

/// Whose things are listed: those that the caller sees and asks for; `None`: everyone's.
pub(super) fn owners(
    caller: &Caller,
    asked: Option<&str>,
) -> Result<Option<BTreeSet<String>>, Problem> {
    let wanted = match asked {
        None => None,
        Some(text) if text.chars().count() > OWNER_CHARS_MAX => {
            return Err(bad_query(format!(
                "owner: more than {OWNER_CHARS_MAX} characters"
            )));
        }
        Some(NOBODY) => Some(String::new()),
        Some(MYSELF) => match caller.address() {
            Some(address) => Some(address.as_str().to_lowercase()),
            None => return Err(bad_query("owner: a token is nobody; name an address")),
        },
        Some(text) => Some(text.trim().to_lowercase()),
    };
    Ok(match (&caller.sees, wanted) {
        (Sees::Everything, None) => None,
        (Sees::Everything, Some(owner)) => Some(BTreeSet::from([owner])),
        (Sees::Of(own), None) => Some(own.iter().map(|one| one.as_str().to_lowercase()).collect()),
        (Sees::Of(own), Some(owner)) => {
            let is_seen = own.iter().any(|one| one.as_str().to_lowercase() == owner);
            Some(BTreeSet::from_iter(is_seen.then_some(owner)))
        }
    })
}

/// The workspace's zone.
pub(super) fn zone(workspace: &Workspace) -> Zone {
    Zone::parse(&workspace.config().workspace.zone).unwrap_or_else(|_| Zone::utc())
}

/// The date of now in the workspace's zone.
pub(super) fn today(workspace: &Workspace) -> Date {
    zone(workspace).local(workspace.clock.now()).date()
}

/// A date of a query.
pub(super) fn date(name: &str, text: Option<&str>) -> Result<Option<Date>, Problem> {
    text.map(|text| {
        text.parse()
            .map_err(|_| bad_query(format!("{name}: write a date such as 2026-11-30")))
    })
    .transpose()
}

/// A moment in words of the API.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_string()
}

/// A contact as a list shows it.
pub(super) fn contact_row(listed: &ListedContact) -> ContactRow {
    let own = &listed.contact;
    let text = |name: &str| {
        own.text(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let company = text("company").or_else(|| {
        let face = own.account.as_deref()?.face();
        face.get("name")?.as_str().map(str::to_owned)
    });
    ContactRow {
        contact: shape::Contact::of(own),
        name: Some(listed.name.clone()).filter(|name| !name.is_empty()),
        email: own
            .address(Channel::Email)
            .map(str::to_owned)
            .or_else(|| text("email")),
        phone: text("phone"),
        company,
        owner: listed.owner.clone(),
        grade: text("grade"),
        seen_at: listed.seen_at.map(moment),
        found_by: BTreeMap::new(),
    }
}

/// A task as it stands.
pub(super) fn task_row(listed: &ListedTask, contact: Option<&Contact>) -> TaskRow {
    let mut task = shape::Task::of(&listed.task);
    task.assignee = listed.assignee.clone();
    TaskRow {
        task,
        state: match &listed.done {
            Some(_) => "done",
            None => "open",
        }
        .to_owned(),
        done_at: listed.done.as_ref().map(|(at, _)| moment(*at)),
        done_by: listed.done.as_ref().map(|(_, by)| by.clone()),
        contact_name: contact.and_then(called),
    }
}

/// How a contact is called.
pub(super) fn called(contact: &Contact) -> Option<String> {
    Some(relance_store::registry::name_of(contact)).filter(|name| !name.is_empty())
}

/// The language that sentences are asked for in.
pub(super) fn language(tag: Option<&str>) -> Result<Language, Problem> {
    let Some(tag) = tag else {
        return Ok(Language::default());
    };
    Language::from_tag(tag).ok_or_else(|| {
        let known: Vec<&str> = Language::ALL.into_iter().map(Language::word).collect();
        bad_query(format!(
            "language is not known; use one of {}",
            known.join(", ")
        ))
    })
}

/// The world, for what sentences name by it.
pub(super) fn world(workspace: &Workspace) -> Result<Arc<World>, Problem> {
    let world = explain::world(&workspace.reader, &workspace.config()).map_err(|error| {
        tracing::error!(%error, "the ledger could not be told in words");
        let detail = "the ledger could not be told; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    })?;
    Ok(Arc::new(world))
}

/// A line with its sentence, on the contact's clock.
pub(super) fn told(
    world: &World,
    contact: &Contact,
    language: Language,
    entry: &LedgerEntry,
) -> ToldLine {
    let names = Names {
        world: Some(world),
        contact: Some(contact),
    };
    ToldLine {
        line: shape::LedgerLine::of(entry),
        sentence: sentence(entry, &names, &world.zone_of(contact), language),
    }
}
