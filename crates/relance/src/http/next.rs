//! What happens next with a document: a question that waits, a message that is about to go, what its runs wait for, or
//! what somebody has to do.
//!
//! **Absent:** what would happen (see the preview of journeys).

use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::ids::{ContactId, SubjectRef};
use relance_core::touchpoint::{Touchpoint, TouchpointState};
use relance_store::read::{ListedTask, ReadError, Reader};
use relance_wire::api::registry::NextAction;

use super::identity::went_over;
use super::lists::moment;

/// Runs and messages of a contact that are looked through.
const LOOKED_AT_MAX: usize = 100;

/// What a contact's runs and messages are about.
pub(super) struct Doings {
    pub(super) runs: Vec<Enrollment>,
    pub(super) messages: Vec<Touchpoint>,
    pub(super) tasks: Vec<ListedTask>,
}

impl Doings {
    /// The newest runs, the messages and the tasks of a contact and of those that it absorbed; of one with very many
    /// not all.
    pub(super) fn of(reader: &Reader, contact: ContactId) -> Result<Self, ReadError> {
        let selves: Vec<ContactId> = match reader.contact(contact)? {
            Some(contact) => contact.selves().collect(),
            None => vec![contact],
        };
        let mut all = Self {
            runs: Vec::new(),
            messages: Vec::new(),
            tasks: Vec::new(),
        };
        // What it absorbed had runs and messages of its own.
        for one in selves {
            let runs = reader.enrollments(one, None, LOOKED_AT_MAX)?;
            all.runs.extend(runs.items);
            let messages = reader.touchpoints_of_contact(one, None, LOOKED_AT_MAX)?;
            let own = messages.items.into_iter();
            all.messages
                .extend(own.filter(|message| one == contact || !went_over(message)));
            let tasks = reader.listed_tasks_of_contact(one, None, LOOKED_AT_MAX)?;
            all.tasks.extend(tasks.items);
        }
        Ok(all)
    }

    /// What happens next about a subject.
    pub(super) fn next(&self, subject: &SubjectRef) -> Option<NextAction> {
        let about = |one: &&Touchpoint| one.subjects().any(|own| own == subject);
        let open = self.messages.iter().filter(about);
        let said = open.filter_map(|one| {
            let (what, rank, at, reason) = match &one.state {
                TouchpointState::AwaitingApproval { expires_at, .. } => {
                    ("approval", 0, *expires_at, None)
                }
                TouchpointState::Sending { since } => ("send", 1, *since, None),
                TouchpointState::Queued { ready_at } => ("send", 1, *ready_at, None),
                TouchpointState::Held { until, reason } => ("held", 2, *until, Some(*reason)),
                TouchpointState::Settled { .. } => return None,
            };
            let next = NextAction {
                what: what.to_owned(),
                at: Some(moment(at)),
                journey: Some(one.journey.to_string()),
                step: Some(one.step.to_string()),
                template: Some(one.template.to_string()),
                reason: reason.map(|reason| reason.to_string()),
                id: Some(one.id.to_string()),
            };
            Some((rank, at, next))
        });
        if let Some((_, _, next)) = said.min_by_key(|(rank, at, _)| (*rank, *at)) {
            return Some(next);
        }
        let tasks = self.tasks.iter().filter(|one| one.done.is_none());
        let mut tasks = tasks.filter(|one| one.task.subject.as_ref() == Some(subject));
        if let Some(one) = tasks.next() {
            return Some(NextAction {
                what: "task".to_owned(),
                at: one.task.due_at.map(moment),
                journey: Some(one.task.journey.to_string()),
                step: None,
                template: None,
                reason: None,
                id: Some(one.task.id.to_string()),
            });
        }
        let own = |run: &&Enrollment| run.subject.as_ref() == Some(subject);
        self.runs.iter().filter(own).find_map(|run| {
            let (what, at) = match &run.state {
                EnrollmentState::Waiting { until, .. } => ("wait", Some(*until)),
                EnrollmentState::Listening { until, .. } => ("wait_for", *until),
                EnrollmentState::Standing { due, .. } => ("wait", Some(*due)),
                EnrollmentState::Sending { .. } => ("send", None),
                EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => return None,
            };
            Some(NextAction {
                what: what.to_owned(),
                at: at.map(moment),
                journey: Some(run.journey.to_string()),
                step: run.step().map(ToString::to_string),
                template: None,
                reason: None,
                id: None,
            })
        })
    }
}
