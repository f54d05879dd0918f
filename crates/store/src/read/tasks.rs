//! Tasks: whose they are, until when, and whether they are done.
//!
//! **Absent:** who may see what: assignees are given.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::Timestamp;
use relance_core::ids::{ContactId, TouchpointId};
use relance_core::touchpoint::Task;
use relance_engine::ports::StoreError;
use relance_wire::stored::read_task;

use super::db::{Conn, Row, values};
use super::walks::{CHUNK, merged};
use super::{Page, Place, ReadError, Reader, limits, number, page};
use crate::registry::{TASK_DONE, TASK_OPEN};
use crate::sqlite::column::{contact_key, moment, nanos};
use crate::sqlite::error::Located;

/// Tasks that one page looks at.
pub const TASKS_WALKED_MAX: usize = 10_000;
/// Tasks that are counted one by one.
pub const TASKS_COUNTED_MAX: usize = 1_000;
/// Assignees of which each has a walk of its own; more are found among all.
const ASSIGNEES_WALKED_MAX: usize = 16;

/// Which tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Of these only: addresses in lower case.
    pub assignees: Option<BTreeSet<String>>,
    /// Done, or open; both if it is not said.
    pub done: Option<bool>,
    /// Due at this moment or later.
    pub due_from: Option<Timestamp>,
    /// Due before this moment.
    pub due_before: Option<Timestamp>,
}

/// In which order tasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskSort {
    /// Open ones by when they are due, the soonest first; done ones by when they were done, the latest first.
    Due,
    /// The newest first.
    Newest,
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedTask {
    /// The task; due when it is due now.
    pub task: Task,
    /// Whose it is, also where that is the contact's owner.
    pub assignee: Option<String>,
    /// When it was done, and by whom.
    pub done: Option<(Timestamp, String)>,
}

fn listed(row: Row<'_>) -> Result<(Place, ListedTask), StoreError> {
    let contact = row.contact(0).at("task", "")?;
    let id = TouchpointId {
        contact,
        hash: row.hash(1).at("task of", contact)?,
    };
    let place = Place {
        at: row.int(2).at("task", id)?,
        contact: contact_key(contact),
        hash: id.hash.cast_signed(),
    };
    let mut task = read_task(id, row.text(3).at("task", id)?).at("task", id)?;
    let assignee = row.text(4).at("task", id)?;
    let due_at = row.int_or_null(6).at("task", id)?;
    task.due_at = due_at.map(moment).or(task.due_at);
    let done_at = row.int_or_null(7).at("task", id)?;
    let by = row.text_or_null(8).at("task", id)?.unwrap_or_default();
    let is_done = row.int(5).at("task", id)? == TASK_DONE;
    let done = done_at.filter(|_| is_done);
    let one = ListedTask {
        assignee: Some(assignee)
            .filter(|name| !name.is_empty())
            .or(task.assignee.as_deref())
            .map(str::to_owned),
        done: done.map(|at| (moment(at), by.to_owned())),
        task,
    };
    Ok((place, one))
}

impl TaskFilter {
    fn fits(&self, one: &ListedTask) -> bool {
        let due = one.task.due_at;
        self.assignees.as_ref().is_none_or(|wanted| {
            one.assignee
                .as_ref()
                .is_some_and(|own| wanted.contains(own))
        }) && self.done.is_none_or(|done| one.done.is_some() == done)
            && self
                .due_from
                .is_none_or(|from| due.is_some_and(|due| due >= from))
            && self
                .due_before
                .is_none_or(|before| due.is_some_and(|due| due < before))
    }
}

impl Reader {
    /// Tasks of a filter, in order.
    pub fn listed_tasks(
        &self,
        filter: &TaskFilter,
        sort: TaskSort,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedTask>, ReadError> {
        let (shown, _) = limits(limit);
        self.snapshot(|conn| {
            let mut items = Vec::new();
            let (mut next, mut looked_at, mut last) = (None, 0, None::<Place>);
            self.each_task(conn, filter, sort, after, |place, one| {
                if items.len() == shown || looked_at == TASKS_WALKED_MAX {
                    next = last.map(Place::text);
                    return ControlFlow::Break(());
                }
                looked_at += 1;
                if filter.fits(&one) {
                    items.push(one);
                }
                last = Some(place);
                ControlFlow::Continue(())
            })?;
            Ok(Page { items, next })
        })
    }

    /// How many open tasks of some people are due before a moment, and whether that is all:
    /// [`TASKS_COUNTED_MAX`] are counted.
    pub fn tasks_due(
        &self,
        assignees: Option<&BTreeSet<String>>,
        before: Timestamp,
    ) -> Result<(u64, bool), ReadError> {
        let filter = TaskFilter {
            assignees: assignees.cloned(),
            done: Some(false),
            due_from: None,
            due_before: Some(before),
        };
        self.snapshot(|conn| {
            let (mut count, mut looked_at, mut is_exact) = (0, 0, true);
            self.each_task(conn, &filter, TaskSort::Due, None, |_, one| {
                if looked_at == TASKS_COUNTED_MAX {
                    is_exact = false;
                    return ControlFlow::Break(());
                }
                looked_at += 1;
                count += u64::from(filter.fits(&one));
                ControlFlow::Continue(())
            })?;
            Ok((count, is_exact))
        })
    }

    /// One task.
    pub fn listed_task(&self, id: TouchpointId) -> Result<Option<ListedTask>, ReadError> {
        let key = values![id.contact, id.hash.cast_signed()];
        let found = self.one(self.sql.task_one, "task", key, listed)?;
        Ok(found.map(|(_, one)| one))
    }

    /// Tasks of a contact, in no order that means anything.
    pub fn listed_tasks_of_contact(
        &self,
        contact: ContactId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedTask>, ReadError> {
        let (shown, asked) = limits(limit);
        let key = values![contact, number(after, i64::MIN)?, asked];
        let rows = self.rows(self.sql.task_list, "task", key, |row| {
            listed(row).map(|(place, one)| (one, place.hash.to_string()))
        })?;
        Ok(page(rows, shown))
    }

    fn each_task(
        &self,
        conn: &mut Conn,
        filter: &TaskFilter,
        sort: TaskSort,
        after: Option<&str>,
        mut visit: impl FnMut(Place, ListedTask) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let (state, is_up) = match (sort, filter.done) {
            (TaskSort::Due, Some(true)) => (TASK_DONE, false),
            (TaskSort::Due, Some(false) | None) => (TASK_OPEN, true),
            (TaskSort::Newest, _) => (0, false),
        };
        let mut begin = Place::parse(after, if is_up { Place::FIRST } else { Place::LAST })?;
        // Open ones lie in the order in which they are due.
        let bounds = state == TASK_OPEN;
        if let Some(from) = filter.due_from.filter(|_| bounds)
            && begin.at < nanos(from)
        {
            begin = Place {
                at: nanos(from),
                ..Place::FIRST
            };
        }
        let until = filter.due_before.filter(|_| bounds).map(nanos);
        let assignees: Vec<&str> = match &filter.assignees {
            Some(all) if all.is_empty() => return Ok(()),
            Some(all) if all.len() <= ASSIGNEES_WALKED_MAX && state != 0 => {
                all.iter().map(String::as_str).collect()
            }
            Some(_) | None => Vec::new(),
        };
        let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
        let sql = &self.sql;
        let parts = |place: &Place| (place.at, place.contact, place.hash);
        let fetch = |ix: usize, behind: Option<&(i64, i64, i64)>| {
            let (at, contact, hash) = behind.copied().unwrap_or_else(|| parts(&begin));
            let rows = match (assignees.get(ix), sort) {
                (_, TaskSort::Newest) => {
                    let key = values![at, contact, hash, chunk];
                    conn.rows(sql.task_newest, "task", key, listed)
                }
                (Some(assignee), TaskSort::Due) => {
                    let sql = if is_up {
                        sql.task_of_assignee_up
                    } else {
                        sql.task_of_assignee_down
                    };
                    let key = values![state, at, contact, hash, chunk, *assignee];
                    conn.rows(sql, "task", key, listed)
                }
                (None, TaskSort::Due) => {
                    let sql = if is_up {
                        sql.task_by_state_up
                    } else {
                        sql.task_by_state_down
                    };
                    let key = values![state, at, contact, hash, chunk];
                    conn.rows(sql, "task", key, listed)
                }
            }?;
            let keyed = rows.into_iter().map(|(place, one)| (parts(&place), one));
            Ok(keyed.collect())
        };
        merged(assignees.len().max(1), is_up, CHUNK, fetch, |key, one| {
            if until.is_some_and(|until| key.0 >= until) {
                return Ok(ControlFlow::Break(()));
            }
            let (at, contact, hash) = key;
            Ok(visit(Place { at, contact, hash }, one))
        })
    }
}
