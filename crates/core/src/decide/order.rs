//! What is told out of order: a mailbox that could not be read, a caller that was offline.
//!
//! An answer may be told before what it answers, and long after the run went on without it. Neither may
//! let a reminder leave after a reply (R1).

use std::sync::Arc;

use crate::condition::Condition;
use crate::enrollment::{Enrollment, EnrollmentState};
use crate::event::{Event, names};
use crate::ids::{EnrollmentId, EventName};
use crate::journey::{Journey, StepKind};
use crate::ledger::{Reason, What};
use crate::subject::concerns;

use super::Turn;

/// What ends a run before its last step.
pub(super) enum Ending {
    Goal(EventName),
    Exit(EventName),
}

impl Turn<'_> {
    /// A reply counts as long as the run stands in the way that its absence opened: it may have lain in a
    /// mailbox that could not be read, and no reminder leaves after a reply (R1).
    pub(super) fn answer_late(&mut self, id: EnrollmentId, event: &Arc<Event>) {
        if event.name.as_str() != names::REPLIED {
            return;
        }
        let Some(run) = self.snapshot.enrollment(id).cloned() else {
            return;
        };
        let (step, touchpoint) = match &run.state {
            EnrollmentState::Waiting { step, .. } | EnrollmentState::Standing { step, .. } => {
                (step, None)
            }
            EnrollmentState::Sending { step, touchpoint } => (step, Some(*touchpoint)),
            EnrollmentState::Listening { .. }
            | EnrollmentState::Finished { .. }
            | EnrollmentState::Exited { .. } => return,
        };
        let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
            return;
        };
        let Some(ix) = journey.find(step) else {
            return;
        };
        let subject = run.subject.as_ref();
        let answered = journey.steps.iter().find_map(|step| {
            let StepKind::WaitFor {
                awaited, otherwise, ..
            } = &step.kind
            else {
                return None;
            };
            if !journey.reaches(*otherwise, ix, step.next) {
                return None;
            }
            let came = self.awaited_by(awaited, subject, event)?;
            Some((step.key.clone(), came.then))
        });
        let Some((key, then)) = answered else { return };
        if touchpoint.is_some() {
            self.withdraw_own(&run, Reason::ExitEvent);
        }
        let mut line = self.run_line(&run, What::Came);
        line.step = Some(key);
        line.detail = Some(event.name.to_string());
        self.ledger(line);
        self.follow(run, &journey, then, self.now);
    }

    /// What ended a run before it began: its cause was told late, and what followed it was told before.
    pub(super) fn overtaken_by(&self, run: &Enrollment, journey: &Journey) -> Option<Ending> {
        let since = run.cause.as_ref()?.at;
        let subject = run.subject.as_ref();
        let first_of = |name, filter: &Condition, any: bool| {
            self.snapshot
                .history
                .of(name)
                .filter(|event| event.at > since && !event.by_machine())
                .find(|event| {
                    (any || concerns(event, subject))
                        && filter.holds(&self.scene(subject, Some(event)))
                })
                .map(|event| event.at)
        };
        let goal = journey.goal.iter().filter_map(|goal| {
            let at = first_of(&goal.event, &goal.filter, false)?;
            run.goal_until
                .is_none_or(|until| at <= until)
                .then(|| (at, Ending::Goal(goal.event.clone())))
        });
        let exits = journey.exits.iter().filter_map(|exit| {
            let at = first_of(&exit.event, &exit.filter, exit.any)?;
            Some((at, Ending::Exit(exit.event.clone())))
        });
        goal.chain(exits)
            .min_by_key(|(at, _)| *at)
            .map(|(_, ending)| ending)
    }
}
