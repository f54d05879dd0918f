//! `/api/v1/tasks`: what people have to do, and that they did it.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::civil::{Date, Time};
use jiff::{Timestamp, ToSpan};
use relance_core::decide::{Input, TaskAct, TaskOrder};
use relance_core::ids::{ContactId, TouchpointId, UserId};
use relance_core::time::local_at;
use relance_engine::arrival::Arrival;
use relance_store::read::{ListedTask, TaskFilter, TaskSort};
use relance_wire::api as shape;
use relance_wire::api::registry::{Postponed, TaskRow};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::workspace::Workspace;

use super::api::read;
use super::lists::{bad_query, contact_id, owners, rows, said, task_row, today, zone};
use super::{Problem, Shared, identity};

/// What one word about a task weighs in the engine's queue.
const WEIGHT: usize = 512;
/// The hour to which a task is put off when only a day is said.
const HOUR_OF_DAY: i8 = 9;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(of_contact))
        .routes(routes!(done))
        .routes(routes!(reopen))
        .routes(routes!(postpone))
}

/// Which tasks.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// An address, `me`, or `none`; those of everyone that the caller sees if it is left out.
    assignee: Option<String>,
    /// `open` or `done`; both if it is left out.
    state: Option<String>,
    /// `overdue`, `today` (what is late too), `week` (the next seven days, and what is late too).
    due: Option<String>,
    /// `due`: open ones by when they are due, done ones by when they were done; `newest` (the default).
    sort: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

impl Which {
    fn filter(&self, caller: &Caller, workspace: &Workspace) -> Result<TaskFilter, Problem> {
        let done = match said(&self.state) {
            None => None,
            Some("open") => Some(false),
            Some("done") => Some(true),
            Some(other) => {
                let detail = format!("state {other:?} is not known; use open or done");
                return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_state", detail));
            }
        };
        let (now, zone) = (workspace.clock.now(), zone(workspace));
        let today = zone.local(now).date();
        let begin = |days: i64| -> Timestamp {
            local_at(today.saturating_add(days.days()), Time::midnight(), &zone)
        };
        let due_before = match said(&self.due) {
            None => None,
            Some("overdue") => Some(now),
            Some("today") => Some(begin(1)),
            Some("week") => Some(begin(7)),
            Some(other) => {
                return Err(bad_query(format!(
                    "due {other:?} is not known; use overdue, today or week"
                )));
            }
        };
        Ok(TaskFilter {
            assignees: owners(caller, said(&self.assignee))?,
            done,
            due_from: None,
            due_before,
        })
    }
}

/// Tasks, of those whose things the caller sees. A page may hold fewer than asked and yet have a next one.
#[utoipa::path(get, path = "/api/v1/tasks", operation_id = "tasks_list", tag = "tasks", params(Which),
    responses((status = 200, description = "a page of tasks", body = shape::Page<TaskRow>)))]
pub async fn list(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Json<shape::Page<TaskRow>>, Problem> {
    let Query(asked) = asked?;
    let filter = asked.filter(&caller, &workspace)?;
    let sort = match said(&asked.sort) {
        Some("due") => TaskSort::Due,
        None | Some("newest") => TaskSort::Newest,
        Some(other) => {
            return Err(bad_query(format!(
                "sort {other:?} is not known; use due or newest"
            )));
        }
    };
    let page = read(&workspace, move |reader| {
        let page = reader.listed_tasks(&filter, sort, said(&asked.cursor), rows(asked.limit))?;
        let ids = page.items.iter().map(|one| one.task.id.contact).collect();
        let contacts = reader.contacts_of(&ids)?;
        let items = page.items.iter();
        let items = items.map(|one| task_row(one, contacts.get(&one.task.id.contact)));
        Ok(shape::Page {
            items: items.collect(),
            next: page.next,
        })
    })
    .await?;
    Ok(Json(page))
}

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Where the page begins.
    cursor: Option<String>,
    /// Rows of the page, 50 unless said, 500 at most.
    limit: Option<usize>,
}

/// What people have to do about a contact and those that it absorbed.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/tasks", operation_id = "contacts_tasks", tag = "contacts",
    params(("id" = String, Path, description = "the contact"), Paging),
    responses((status = 200, description = "a page of tasks", body = shape::Page<TaskRow>)))]
pub async fn of_contact(
    State(workspace): Shared,
    Path(id): Path<String>,
    asked: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<shape::Page<TaskRow>>, Problem> {
    let Query(paging) = asked?;
    let id: ContactId = contact_id(&id)?;
    let page = read(&workspace, move |reader| {
        let contact = reader.contact(id)?;
        let page = identity::tasks(reader, id, said(&paging.cursor), rows(paging.limit))?;
        let items = page.items.iter();
        Ok(shape::Page {
            items: items.map(|one| task_row(one, contact.as_ref())).collect(),
            next: page.next,
        })
    })
    .await?;
    Ok(Json(page))
}

fn task_id(text: &str) -> Result<TouchpointId, Problem> {
    text.parse()
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, "bad_id", problem))
}

/// The task, if the caller sees it: as its assignee, or as somebody who sees its contact.
async fn seen(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    id: TouchpointId,
) -> Result<ListedTask, Problem> {
    let sees = caller.sees.clone();
    let found = read(workspace, move |reader| {
        let Some(task) = reader.listed_task(id)? else {
            return Ok(None);
        };
        let owner = reader.owner_of(id.contact)?;
        let is_seen = sees.allows(task.assignee.as_deref()) || sees.allows(owner.as_deref());
        Ok(Some(task).filter(|_| is_seen || !sees.is_limited()))
    });
    found.await?.ok_or_else(|| Problem::not_found("task"))
}

/// Tells the engine what was done with a task, and gives the task as it is then.
async fn tell(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    known: &ListedTask,
    act: TaskAct,
    action: &str,
) -> Result<Json<TaskRow>, Problem> {
    let id = known.task.id;
    let by = UserId::from(caller.name());
    let order = TaskOrder {
        task: id,
        journey: known.task.journey.clone(),
        subject: known.task.subject.clone(),
        title: known.task.title.clone(),
        by,
        act,
    };
    let arrival = Arrival::Input {
        contact: id.contact,
        input: Input::Task(Box::new(order)),
    };
    workspace
        .submit_as(caller, vec![arrival], WEIGHT, action, &id.to_string())
        .await?;
    let found = read(workspace, move |reader| {
        let task = reader.listed_task(id)?;
        Ok(task.zip(Some(reader.contact(id.contact)?)))
    });
    let (task, contact) = found.await?.ok_or_else(|| Problem::not_found("task"))?;
    Ok(Json(task_row(&task, contact.as_ref())))
}

/// A task is done: journeys may wait for the event `Task Completed`. One that is done already stays as it is.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/done", operation_id = "tasks_done", tag = "tasks",
    params(("id" = String, Path, description = "the task")),
    responses((status = 200, description = "as it is now", body = TaskRow), (status = 404, description = "there is none")))]
pub async fn done(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<TaskRow>, Problem> {
    let known = seen(&workspace, &caller, task_id(&id)?).await?;
    if known.done.is_some() {
        return Ok(Json(task_row(&known, None)));
    }
    tell(&workspace, &caller, &known, TaskAct::Done, "task.done").await
}

/// A task is open again. What followed from it stays.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/reopen", operation_id = "tasks_reopen", tag = "tasks",
    params(("id" = String, Path, description = "the task")),
    responses((status = 200, description = "as it is now", body = TaskRow), (status = 404, description = "there is none")))]
pub async fn reopen(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<TaskRow>, Problem> {
    let known = seen(&workspace, &caller, task_id(&id)?).await?;
    if known.done.is_none() {
        return Ok(Json(task_row(&known, None)));
    }
    tell(&workspace, &caller, &known, TaskAct::Reopen, "task.reopen").await
}

/// A task is put off. One that was done is open again.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/postpone", operation_id = "tasks_postpone", tag = "tasks",
    params(("id" = String, Path, description = "the task")),
    request_body = Postponed,
    responses((status = 200, description = "as it is now", body = TaskRow), (status = 404, description = "there is none")))]
pub async fn postpone(
    State(workspace): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Json<Postponed>, JsonRejection>,
) -> Result<Json<TaskRow>, Problem> {
    let Json(asked) = asked?;
    let known = seen(&workspace, &caller, task_id(&id)?).await?;
    let until = asked.until.trim();
    let moment: Option<Timestamp> = until.parse().ok();
    let day = || -> Option<Timestamp> {
        let date: Date = until.parse().ok()?;
        let hour = Time::constant(HOUR_OF_DAY, 0, 0, 0);
        Some(local_at(date, hour, &zone(&workspace)))
    };
    let Some(until) = moment.or_else(day) else {
        return Err(bad_query(format!(
            "until: write a date such as {} or a moment in RFC 3339",
            today(&workspace)
        )));
    };
    if until <= workspace.clock.now() {
        return Err(bad_query("until: that is over; name a moment to come"));
    }
    let act = TaskAct::Postpone(until);
    tell(&workspace, &caller, &known, act, "task.postpone").await
}
