//! Journeys that stand still, go on, end, or come out in another version (R8).

use std::sync::Arc;

use crate::enrollment::{Enrollment, EnrollmentState, ExitReason};
use crate::ids::{EnrollmentId, JourneyId};
use crate::journey::{Journey, Landing, Recipient};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::time::is_late;
use crate::touchpoint::{Slot, Touchpoint, TouchpointState};

use super::{Overdue, Turn};

impl Turn<'_> {
    /// A paused journey goes on: runs that stand go on, messages that were held for it come up again.
    pub(super) fn resume(&mut self, id: &JourneyId, overdue: Overdue) {
        if self.world.is_paused(id) {
            return;
        }
        self.skip_overdue = overdue == Overdue::Skip;
        for touchpoint in self.snapshot.touchpoints.clone() {
            let paused = matches!(
                touchpoint.state,
                TouchpointState::Held {
                    reason: Reason::Paused,
                    ..
                }
            );
            if touchpoint.journey != *id || !paused {
                continue;
            }
            if overdue == Overdue::Skip {
                self.drop_touchpoint(touchpoint, What::Skipped, Reason::Paused);
                continue;
            }
            let mut touchpoint = touchpoint;
            if overdue == Overdue::Late && self.missed_its_time(&touchpoint) {
                self.drop_touchpoint(touchpoint, What::Skipped, Reason::Late);
                continue;
            }
            if let Some(silence) = &mut touchpoint.silence {
                // The silence must last until the message really goes.
                silence.after = self.now;
            }
            touchpoint.state = TouchpointState::Queued { ready_at: self.now };
            self.put_touchpoint(touchpoint);
        }
        for run in self.snapshot.enrollments.clone() {
            let EnrollmentState::Standing { step, due } = &run.state else {
                continue;
            };
            if run.journey != *id {
                continue;
            }
            let (step, due) = (step.clone(), *due);
            let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
                continue;
            };
            let line = LedgerEntry {
                step: Some(step.clone()),
                ..self.run_line(&run, What::Resumed)
            };
            self.ledger(line);
            match journey.find(&step) {
                Some(ix) => {
                    let due = match overdue {
                        Overdue::Shift => self.now,
                        Overdue::Late | Overdue::Skip => due,
                    };
                    self.follow(run, &journey, Some(ix), due);
                }
                None => self.exit(run, ExitReason::StepGone, Reason::StepGone),
            }
        }
        self.skip_overdue = false;
    }

    /// Whether a message that was held for its journey's sake is later than its step allows.
    fn missed_its_time(&self, touchpoint: &Touchpoint) -> bool {
        let run = self.snapshot.enrollment(touchpoint.enrollment);
        let journey = run.and_then(|run| self.world.journey(&run.journey, run.version));
        let step = journey.and_then(|journey| Some(journey.step(journey.find(&touchpoint.step)?)));
        step.zip(touchpoint.silence.as_ref())
            .is_some_and(|(step, silence)| {
                is_late(
                    silence.after,
                    self.now,
                    &step.late,
                    &self.zone,
                    &self.calendar,
                )
            })
    }

    /// A journey is stopped for good.
    pub(super) fn end(&mut self, id: &JourneyId) {
        for run in self.snapshot.enrollments.clone() {
            if run.journey == *id && run.is_running() {
                self.exit(run, ExitReason::Archived, Reason::Archived);
            }
        }
    }

    /// A run comes to a step of a paused journey, and stands before it.
    pub(super) fn stand(
        &mut self,
        mut run: Enrollment,
        journey: &Journey,
        ix: crate::journey::StepIx,
        due: jiff::Timestamp,
    ) {
        let step = journey.step(ix).key.clone();
        let line = LedgerEntry {
            step: Some(step.clone()),
            ..self.run_line(&run, What::Paused)
        };
        self.ledger(line);
        run.state = EnrollmentState::Standing { step, due };
        self.put_run(run);
    }

    /// Takes runs over to newer versions that take them (R8).
    pub(super) fn migrate(&mut self) {
        let world = self.world;
        for id in self.runs_where(|run| world.migration_of(run).is_some()) {
            self.migrate_run(id);
        }
    }

    /// Takes one run over.
    pub(super) fn migrate_run(&mut self, id: EnrollmentId) {
        let Some(run) = self.snapshot.enrollment(id).cloned() else {
            return;
        };
        let Some((journey, landing)) = self.world.migration_of(&run) else {
            return;
        };
        let journey = journey.clone();
        match landing {
            Landing::Stay => {}
            Landing::Same(step) => self.go_over(run, &journey, step),
            Landing::Before(_) | Landing::End if self.is_in_flight(&run) => {
                // Its message may be on the wire: the run goes over when that is settled.
            }
            Landing::Before(step) => {
                self.withdraw_own(&run, Reason::Stopped);
                let run = self.migrated(run, &journey, &step);
                if let Some(ix) = journey.find(&step) {
                    self.follow(run, &journey, Some(ix), self.now);
                }
            }
            Landing::End => {
                let run = self.migrated(run, &journey, &crate::ids::StepKey::from("end"));
                self.exit(run, ExitReason::Stopped, Reason::Stopped);
            }
        }
    }

    /// The run stands as it stood, at the step of the same meaning.
    fn go_over(&mut self, run: Enrollment, journey: &Arc<Journey>, to: crate::ids::StepKey) {
        let mut run = self.migrated(run, journey, &to);
        let old = match &mut run.state {
            EnrollmentState::Waiting { step, .. }
            | EnrollmentState::Listening { step, .. }
            | EnrollmentState::Standing { step, .. }
            | EnrollmentState::Sending { step, .. } => std::mem::replace(step, to.clone()),
            EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => return,
        };
        let id = run.id;
        self.put_run(run);
        if old == to {
            return;
        }
        for mut touchpoint in self.snapshot.touchpoints.clone() {
            if touchpoint.enrollment == id && touchpoint.step == old {
                touchpoint.step = to.clone();
            } else if let Some(member) = touchpoint
                .members
                .iter_mut()
                .find(|member| member.enrollment == id)
            {
                member.step = to.clone();
            } else {
                continue;
            }
            self.put_touchpoint(touchpoint);
        }
    }

    fn migrated(
        &mut self,
        mut run: Enrollment,
        journey: &Journey,
        step: &crate::ids::StepKey,
    ) -> Enrollment {
        let line = LedgerEntry {
            step: Some(step.clone()),
            detail: Some(format!("{} -> {}", run.version, journey.version)),
            ..self.run_line(&run, What::Migrated)
        };
        self.ledger(line);
        run.version = journey.version;
        run
    }

    fn is_in_flight(&self, run: &Enrollment) -> bool {
        self.snapshot
            .touchpoints
            .iter()
            .filter(|touchpoint| touchpoint.recipient == Recipient::Contact)
            .any(|touchpoint| touchpoint.is_of(run.id) && touchpoint.slot() == Slot::Flight)
    }
}
