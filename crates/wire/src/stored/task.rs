//! A task's body; contact and hash are the key of its row.

use std::sync::Arc;

use jiff::Timestamp;
use relance_core::ids::{EnrollmentId, JourneyId, TouchpointId};
use relance_core::touchpoint::Task;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, SubjectV1, Version, read, text};

const SHAPE: &str = "task";

#[derive(Debug, Serialize, Deserialize)]
struct TaskV1 {
    v: Version<1>,
    run: u32,
    journey: JourneyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<SubjectV1>,
    title: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignee: Option<Arc<str>>,
    created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

/// The text of a task.
pub fn task_text(task: &Task) -> Result<String, StoredProblem> {
    let body = TaskV1 {
        v: Version,
        run: task.enrollment.number,
        journey: task.journey.clone(),
        subject: task.subject.as_ref().map(SubjectV1::from),
        title: task.title.clone(),
        assignee: task.assignee.clone(),
        created: task.created_at,
        due: task.due_at,
    };
    text(SHAPE, &body)
}

/// The task of a row.
pub fn read_task(id: TouchpointId, stored: &str) -> Result<Task, StoredProblem> {
    let body: TaskV1 = read(SHAPE, stored)?;
    Ok(Task {
        id,
        enrollment: EnrollmentId {
            contact: id.contact,
            number: body.run,
        },
        journey: body.journey,
        subject: body.subject.map(Into::into),
        title: body.title,
        assignee: body.assignee,
        created_at: body.created,
        due_at: body.due,
    })
}
