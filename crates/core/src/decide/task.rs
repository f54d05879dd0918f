//! A person did something with a task: it is noted, and what is done is an event that journeys may wait for.
//!
//! A decision knows no task: what it is comes with the order. **Absent:** whose a task is, and whether it stands as the
//! order takes it to, which whoever takes the order looks at.

use std::sync::Arc;

use jiff::Timestamp;

use crate::event::{Event, names};
use crate::ledger::{LedgerEntry, What};
use crate::value::Value;

use super::{Effect, TaskAct, TaskOrder, TaskState, Turn};

impl Turn<'_> {
    pub(super) fn task_told(&mut self, order: &TaskOrder) {
        if self.snapshot.contact.erased {
            return;
        }
        let (what, until, state) = match &order.act {
            TaskAct::Done => {
                let done = TaskState::Done {
                    at: self.now,
                    by: order.by.clone(),
                };
                (What::TaskDone, None, done)
            }
            TaskAct::Reopen => (What::TaskReopened, None, TaskState::Open { due_at: None }),
            TaskAct::Postpone(until) => {
                let due_at = Some(*until);
                (What::TaskPostponed, due_at, TaskState::Open { due_at })
            }
        };
        self.emit(Effect::TaskChanged {
            task: order.task,
            state,
        });
        let line = LedgerEntry {
            journey: Some(order.journey.clone()),
            touchpoint: Some(order.task),
            until,
            detail: Some(order.by.to_string()),
            ..self.line(what)
        };
        self.ledger(line);
        if let Some(event) = order.completed(self.now) {
            self.event(&Arc::new(event));
        }
    }
}

impl TaskOrder {
    /// The event that the task was done, about what the task is about; none for anything else that is done with it.
    pub(crate) fn completed(&self, now: Timestamp) -> Option<Event> {
        if self.act != TaskAct::Done {
            return None;
        }
        let mut event = Event::track(names::TASK_COMPLETED, now);
        let told = [
            ("task", self.task.to_string()),
            ("title", self.title.to_string()),
            ("journey", self.journey.to_string()),
            ("by", self.by.to_string()),
        ];
        for (name, value) in told {
            let value = Value::String(value);
            event.properties.insert(name.to_owned(), value);
        }
        event.subject = self.subject.clone();
        Some(event)
    }
}
