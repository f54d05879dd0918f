//! A run goes from step to step until it must wait.

use std::sync::Arc;

use jiff::Timestamp;

use crate::enrollment::{Enrollment, EnrollmentState, ExitReason};
use crate::ids::{StepKey, TouchpointId};
use crate::journey::{Journey, Next, Step, StepKind, TaskStep};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::subject::{Object, concerns, merge_fields};
use crate::time::is_late;
use crate::touchpoint::{Outcome, Slot, Task};
use crate::value::{FieldPath, Fields, Root, Value};

use super::{Effect, STEPS_PER_TURN_MAX, Turn};

/// Journeys have no loops, so a run visits each step once.
pub(super) const VISIT: u32 = 1;

impl Turn<'_> {
    /// Takes a run from `next` on. `due` is when it should have got there: what comes too late after it
    /// is skipped (R4), and waits count from it.
    pub(super) fn follow(
        &mut self,
        mut run: Enrollment,
        journey: &Arc<Journey>,
        next: Next,
        due: Timestamp,
    ) {
        let mut next = next;
        let mut due = due;
        for _ in 0..STEPS_PER_TURN_MAX {
            let Some(ix) = next else {
                self.finish(run);
                return;
            };
            let step = journey.step(ix);
            match &step.kind {
                StepKind::Stop => {
                    self.finish(run);
                    return;
                }
                StepKind::Wait { delay, window } => {
                    let mut until = delay.add(due, &self.zone, &self.calendar);
                    if let Some(window) = window {
                        until = window.next_open(until, &self.zone, &self.calendar);
                    }
                    if until > self.now {
                        self.waiting(&run, step, until);
                        run.state = EnrollmentState::Waiting {
                            step: step.key.clone(),
                            until,
                        };
                        self.put_run(run);
                        return;
                    }
                    due = until;
                    next = step.next;
                }
                StepKind::WaitFor {
                    event,
                    filter,
                    since_enrolled,
                    timeout,
                    then,
                    otherwise,
                } => {
                    // A run that begins with a wait waits for what follows its cause, though that may
                    // have been told before the cause was.
                    let began_here = run.entered_at == self.now && run.cause.is_some();
                    let came = (*since_enrolled || began_here)
                        && self.snapshot.history.of(event).any(|event| {
                            event.at > run.began_at()
                                && !event.by_machine()
                                && concerns(event, run.subject.as_ref())
                                && filter.holds(&self.scene(run.subject.as_ref(), Some(event)))
                        });
                    if came {
                        next = *then;
                        continue;
                    }
                    let until = timeout
                        .as_ref()
                        .map(|timeout| timeout.add(due, &self.zone, &self.calendar));
                    match until {
                        Some(until) if until <= self.now => {
                            due = until;
                            next = *otherwise;
                        }
                        Some(_) | None => {
                            if let Some(until) = until {
                                self.waiting(&run, step, until);
                            }
                            run.state = EnrollmentState::Listening {
                                step: step.key.clone(),
                                until,
                            };
                            self.put_run(run);
                            return;
                        }
                    }
                }
                StepKind::Branch { arms, otherwise } => {
                    let scene = self.scene(run.subject.as_ref(), run.cause.as_deref());
                    let way = arms.iter().position(|(when, _)| when.holds(&scene));
                    next = way.map_or(*otherwise, |way| arms[way].1);
                    let mut line = self.step_line(&run, step, What::Branched);
                    line.detail = Some(match way {
                        Some(way) => format!("if {}", way + 1),
                        None => "else".to_owned(),
                    });
                    self.ledger(line);
                }
                StepKind::Set(changes) => {
                    self.set(&run, step, changes);
                    next = step.next;
                }
                StepKind::Task(task) => {
                    if self.too_late(&run, step, due) {
                        next = step.next;
                        continue;
                    }
                    self.give_task(&run, &step.key, task);
                    next = step.next;
                }
                StepKind::Send(send) => {
                    if self.too_late(&run, step, due) {
                        next = step.next;
                        continue;
                    }
                    match self.intend(&run, journey, step, send, due) {
                        Some(touchpoint) => {
                            run.state = EnrollmentState::Sending {
                                step: step.key.clone(),
                                touchpoint: touchpoint.id,
                            };
                            self.put_run(run);
                            self.put_touchpoint(touchpoint);
                            return;
                        }
                        None => next = step.next,
                    }
                }
            }
        }
        self.exit(run, ExitReason::Loop, Reason::Loop);
    }

    /// A run's one timer came: the end of a wait, a timeout, or the end of the goal's time.
    pub(super) fn run_timer(&mut self, run: Enrollment) {
        let (step, due) = match &run.state {
            EnrollmentState::Waiting { step, until } => (step.clone(), *until),
            EnrollmentState::Listening {
                step,
                until: Some(until),
            } => (step.clone(), *until),
            EnrollmentState::Listening { until: None, .. } | EnrollmentState::Sending { .. } => {
                return;
            }
            EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => {
                // The goal's time is over: nothing can happen to the run any more.
                let mut run = run;
                run.goal_until = None;
                self.put_run(run);
                return;
            }
        };
        let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
            self.exit(run, ExitReason::StepGone, Reason::StepGone);
            return;
        };
        let Some(ix) = journey.find(&step) else {
            self.exit(run, ExitReason::StepGone, Reason::StepGone);
            return;
        };
        let step = journey.step(ix);
        let next = match &step.kind {
            StepKind::WaitFor { otherwise, .. } => {
                let line = self.step_line(&run, step, What::TimedOut);
                self.ledger(line);
                *otherwise
            }
            StepKind::Wait { .. }
            | StepKind::Send(_)
            | StepKind::Branch { .. }
            | StepKind::Task(_)
            | StepKind::Set(_)
            | StepKind::Stop => step.next,
        };
        self.follow(run, &journey, next, due);
    }

    /// Takes a run past its `send`, after the message was settled.
    pub(super) fn past_send(&mut self, touchpoint: TouchpointId) {
        let at_send = self
            .snapshot
            .enrollments
            .iter()
            .find_map(|run| match &run.state {
                EnrollmentState::Sending {
                    step,
                    touchpoint: own,
                } if *own == touchpoint => Some((run.clone(), step.clone())),
                EnrollmentState::Sending { .. }
                | EnrollmentState::Waiting { .. }
                | EnrollmentState::Listening { .. }
                | EnrollmentState::Finished { .. }
                | EnrollmentState::Exited { .. } => None,
            });
        let Some((run, step)) = at_send else { return };
        let journey = self.world.journey(&run.journey, run.version).cloned();
        match journey
            .as_ref()
            .and_then(|journey| Some((journey, journey.find(&step)?)))
        {
            Some((journey, ix)) => self.follow(run, journey, journey.step(ix).next, self.now),
            None => self.exit(run, ExitReason::StepGone, Reason::StepGone),
        }
    }

    /// Ends a run before its last step and calls its messages back (R2).
    pub(super) fn exit(&mut self, mut run: Enrollment, reason: ExitReason, code: Reason) {
        self.withdraw(|touchpoint| touchpoint.enrollment == run.id, code);
        let detail = match &reason {
            ExitReason::Event(name) | ExitReason::Goal(name) => Some(name.to_string()),
            ExitReason::Unsubscribed
            | ExitReason::Erased
            | ExitReason::StepGone
            | ExitReason::Loop => None,
        };
        let line = LedgerEntry {
            reason: Some(code),
            detail,
            step: run.step().cloned(),
            ..self.run_line(&run, What::Exited)
        };
        self.ledger(line);
        run.state = EnrollmentState::Exited {
            at: self.now,
            reason,
        };
        self.put_run(run);
    }

    /// Calls back open messages; those in flight are revoked and settle by their dispatcher.
    /// Returns the ids of those that were settled here.
    pub(super) fn withdraw(
        &mut self,
        which: impl Fn(&crate::touchpoint::Touchpoint) -> bool,
        reason: Reason,
    ) -> Vec<TouchpointId> {
        let mut settled = Vec::new();
        for touchpoint in self.snapshot.touchpoints.clone() {
            if !which(&touchpoint) {
                continue;
            }
            match touchpoint.slot() {
                Slot::Flight => self.emit(Effect::Revoke(touchpoint.id)),
                Slot::Outbox(_) | Slot::Timer(_) => {
                    let line = self.touchpoint_line(&touchpoint, What::Withdrawn, Some(reason));
                    self.ledger(line);
                    settled.push(touchpoint.id);
                    self.put_settled(touchpoint, Outcome::Withdrawn(reason));
                }
                Slot::Done => {}
            }
        }
        settled
    }

    fn finish(&mut self, mut run: Enrollment) {
        let line = self.run_line(&run, What::Finished);
        self.ledger(line);
        run.state = EnrollmentState::Finished { at: self.now };
        self.put_run(run);
    }

    fn step_line(&self, run: &Enrollment, step: &Step, what: What) -> LedgerEntry {
        LedgerEntry {
            step: Some(step.key.clone()),
            ..self.run_line(run, what)
        }
    }

    fn waiting(&mut self, run: &Enrollment, step: &Step, until: Timestamp) {
        let line = LedgerEntry {
            until: Some(until),
            ..self.step_line(run, step, What::Waiting)
        };
        self.ledger(line);
    }

    /// Whether a step was overtaken by more than its allowance; then it says so and is passed over.
    fn too_late(&mut self, run: &Enrollment, step: &Step, due: Timestamp) -> bool {
        let late = is_late(due, self.now, &step.late, &self.zone, &self.calendar);
        if late {
            let line = LedgerEntry {
                reason: Some(Reason::Late),
                ..self.step_line(run, step, What::Skipped)
            };
            self.ledger(line);
        }
        late
    }

    pub(super) fn give_task(&mut self, run: &Enrollment, step: &StepKey, task: &TaskStep) {
        let due_at = task
            .due
            .as_ref()
            .map(|due| due.add(self.now, &self.zone, &self.calendar));
        let id = TouchpointId::derive(run.id, step.as_str(), VISIT);
        let line = LedgerEntry {
            step: Some(step.clone()),
            touchpoint: Some(id),
            until: due_at,
            detail: Some(task.title.to_string()),
            ..self.run_line(run, What::Task)
        };
        self.emit(Effect::Task(Task {
            id,
            enrollment: run.id,
            journey: run.journey.clone(),
            subject: run.subject.clone(),
            title: task.title.clone(),
            assignee: task.assignee.clone(),
            created_at: self.now,
            due_at,
        }));
        self.ledger(line);
    }

    fn set(&mut self, run: &Enrollment, step: &Step, changes: &[(FieldPath, Value)]) {
        let mut traits = Fields::new();
        let mut fields = Fields::new();
        for (path, value) in changes {
            let Some(name) = path.names.first() else {
                continue;
            };
            match path.root {
                Root::Contact => traits.insert(name.to_string(), value.clone()),
                Root::Subject => fields.insert(name.to_string(), value.clone()),
                // Refused at publication.
                Root::Event => None,
            };
            let mut line = self.step_line(run, step, What::Set);
            line.detail = Some(format!("{path} = {value}"));
            self.ledger(line);
        }
        if !traits.is_empty() {
            self.put_contact(|contact| {
                merge_fields(&mut contact.traits, &traits, crate::contact::TRAITS_MAX);
            });
            self.zone = self.world.zone_of(&self.snapshot.contact);
            self.calendar = self.world.calendar_of(&self.snapshot.contact);
        }
        if let Some(subject) = run.subject.as_ref().filter(|_| !fields.is_empty()) {
            let mut object = match self.snapshot.objects.get(subject) {
                Some(object) => object.clone(),
                None => Object::new(subject.clone(), self.now),
            };
            object.merge(&fields, self.now);
            self.emit(Effect::Object(object));
        }
    }
}
