//! A run goes from step to step until it must wait.

use std::sync::Arc;

use jiff::Timestamp;

use crate::enrollment::{Enrollment, EnrollmentState, ExitReason};
use crate::ids::{EnrollmentId, SubjectRef, TouchpointId};
use crate::journey::{Awaited, AwaitedThing, Journey, Next, Step, StepKind, Until};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::subject::concerns;
use crate::time::is_late;
use crate::touchpoint::{Outcome, Slot, Touchpoint};
use crate::value::{Fields, Root};

use super::gate::{After, Intent};
use super::{Effect, Link, Pending, STEPS_PER_TURN_MAX, Turn};

/// Journeys have no loops, so a run visits each step once.
pub(super) const VISIT: u32 = 1;

impl Turn<'_> {
    /// Takes a run from `next` on. `due` is when it should have got there: what comes too late after it
    /// is skipped (R4), and waits count from it.
    pub(super) fn follow(
        &mut self,
        run: Enrollment,
        journey: &Arc<Journey>,
        next: Next,
        due: Timestamp,
    ) {
        let before = self.following.replace(run.id);
        let link = self.link.replace(Link {
            chain: run.chain,
            entered_at: run.entered_at,
        });
        self.follow_on(run, journey, next, due);
        self.following = before;
        self.link = link;
    }

    fn follow_on(
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
            // Listening is no going on: what comes during a pause must not be missed.
            let goes_on = !matches!(step.kind, StepKind::Stop | StepKind::WaitFor { .. });
            // What was done by hand is done, also while the journey is paused.
            let passes = self.passing == Some(run.id);
            if goes_on && !passes && self.world.is_paused(&run.journey) {
                self.stand(run, journey, ix, due);
                return;
            }
            if let Some(word) = self.world.choices.get(&step.key)
                && let Some(way) = step.kind.way(word)
            {
                let mut line = self.step_line(&run, step, What::Branched);
                line.detail = Some(format!("chosen {word}"));
                self.ledger(line);
                next = way;
                continue;
            }
            match &step.kind {
                StepKind::Stop => {
                    self.finish(run);
                    return;
                }
                StepKind::Wait(_) if self.passing == Some(run.id) => next = step.next,
                StepKind::Wait(wait) => {
                    let Some(until) = self.moment_of(wait, run.subject.as_ref(), due) else {
                        self.pass_over(&run, step, Reason::NoDate);
                        next = step.next;
                        continue;
                    };
                    if until > self.now {
                        self.waiting(&run, step, until);
                        run.state = EnrollmentState::Waiting {
                            step: step.key.clone(),
                            since: due,
                            until,
                        };
                        self.put_run(run);
                        return;
                    }
                    due = until;
                    next = step.next;
                }
                StepKind::WaitFor {
                    awaited,
                    timeout,
                    otherwise,
                } => {
                    if let Some(way) = self.came_already(&run, awaited) {
                        next = awaited[way].then;
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
                            self.listen(run, step, until);
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
                StepKind::Split {
                    arms,
                    by,
                    experiment,
                } => next = self.assign(&mut run, step, arms, *by, experiment.as_deref()),
                StepKind::Set(changes) => {
                    self.set(&run, step, changes);
                    next = step.next;
                }
                StepKind::Move { stage } => {
                    self.move_to(&run, step, stage);
                    next = step.next;
                }
                StepKind::Promo(promo) => {
                    self.promo(&run, step, promo);
                    next = step.next;
                }
                StepKind::Enroll(other) => {
                    let begun = Pending::Enroll {
                        journey: other.clone(),
                        subject: run.subject.clone(),
                        cause: run.cause.clone(),
                    };
                    self.pending.push_back((self.link, begun));
                    next = step.next;
                }
                StepKind::Task(task) => {
                    if self.held_out_of_all() {
                        self.pass_over(&run, step, Reason::Holdout);
                    } else if !self.too_late(&run, step, due) {
                        self.give_task(&run, &step.key, task);
                    }
                    next = step.next;
                }
                StepKind::Notify(notify) => {
                    if self.held_out_of_all() {
                        self.pass_over(&run, step, Reason::Holdout);
                    } else if !self.too_late(&run, step, due) {
                        self.notify(&run, journey, step, notify);
                    }
                    next = step.next;
                }
                StepKind::Send { send, .. } if self.passing == Some(run.id) => {
                    self.passing = None;
                    let line = LedgerEntry {
                        reason: Some(Reason::FollowedUp),
                        channel: Some(send.channel),
                        template: Some(send.template.clone()),
                        ..self.step_line(&run, step, What::Skipped)
                    };
                    self.ledger(line);
                    next = step.next;
                }
                StepKind::Send { send, otherwise } => {
                    if self.too_late(&run, step, due) {
                        next = step.next;
                        continue;
                    }
                    match self.intend(&run, journey, step, send, due) {
                        Intent::Open(touchpoint) => {
                            run.state = EnrollmentState::Sending {
                                step: step.key.clone(),
                                touchpoint: touchpoint.id,
                            };
                            self.put_run(run);
                            self.put_touchpoint(*touchpoint);
                            return;
                        }
                        Intent::GoOn => next = step.next,
                        Intent::Otherwise => next = *otherwise,
                    }
                }
            }
        }
        self.exit(run, ExitReason::Loop, Reason::Loop);
    }

    fn listen(&mut self, mut run: Enrollment, step: &Step, until: Option<Timestamp>) {
        if let Some(until) = until {
            self.waiting(&run, step, until);
        }
        run.state = EnrollmentState::Listening {
            step: step.key.clone(),
            until,
        };
        self.put_run(run);
    }

    /// Which of the awaited things is there already, as the run comes to wait for it.
    fn came_already(&self, run: &Enrollment, awaited: &[Awaited]) -> Option<usize> {
        // A run that begins with a wait waits for what follows its cause, though that may have been told
        // before the cause was.
        let began_here = self.began_by_input(run);
        let subject = run.subject.as_ref();
        awaited.iter().position(|one| match &one.what {
            AwaitedThing::Event {
                event,
                filter,
                since_enrolled,
            } => {
                (*since_enrolled || began_here)
                    && self.snapshot.history.of(event).any(|event| {
                        event.at > run.began_at()
                            && !event.by_machine()
                            && concerns(event, subject)
                            && filter.holds(&self.scene(subject, Some(event)))
                    })
            }
            AwaitedThing::Condition(condition) => {
                condition.holds(&self.scene(subject, run.cause.as_deref()))
            }
        })
    }

    /// Runs that wait for a condition go on once it holds. Conditions that look back are asked only where
    /// the input brought the history that they look at.
    pub(super) fn recheck(&mut self) {
        let world = self.world;
        for id in self.runs_where(|run| world.awaits_condition(run)) {
            let Some(run) = self.snapshot.enrollment(id) else {
                continue;
            };
            let EnrollmentState::Listening { step, .. } = &run.state else {
                continue;
            };
            // An object that was not asked for is not one without fields.
            let is_blind = |subject| !self.snapshot.objects.contains_key(subject);
            if !self.knows_history && run.subject.as_ref().is_some_and(is_blind) {
                continue;
            }
            let Some(journey) = self.world.journey(&run.journey, run.version) else {
                continue;
            };
            let Some(ix) = journey.find(step) else {
                continue;
            };
            let scene = self.scene(run.subject.as_ref(), run.cause.as_deref());
            let came = journey.step(ix).kind.awaited().iter().find(|one| {
                let AwaitedThing::Condition(condition) = &one.what else {
                    return false;
                };
                (self.knows_history || !condition.looks_back()) && condition.holds(&scene)
            });
            let Some(then) = came.map(|one| one.then) else {
                continue;
            };
            let (run, journey) = (run.clone(), journey.clone());
            let line = self.step_line(&run, journey.step(ix), What::Came);
            self.ledger(line);
            self.follow(run, &journey, then, self.now);
        }
    }

    /// A run's one timer came: the end of a wait, a timeout, or the end of the goal's time.
    pub(super) fn run_timer(&mut self, run: Enrollment) {
        let (step, due) = match &run.state {
            EnrollmentState::Waiting { step, until, .. } => (step.clone(), *until),
            EnrollmentState::Listening {
                step,
                until: Some(until),
            } => (step.clone(), *until),
            EnrollmentState::Listening { until: None, .. }
            | EnrollmentState::Standing { .. }
            | EnrollmentState::Sending { .. } => {
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
        let timed_out = |turn: &mut Self, reason| {
            let mut line = turn.step_line(&run, step, What::TimedOut);
            line.reason = reason;
            turn.ledger(line);
        };
        let next = match &step.kind {
            StepKind::WaitFor { otherwise, .. } => {
                timed_out(self, None);
                *otherwise
            }
            StepKind::Send { otherwise, .. } => {
                timed_out(self, Some(Reason::NotOpened));
                *otherwise
            }
            StepKind::Wait(_)
            | StepKind::Branch { .. }
            | StepKind::Split { .. }
            | StepKind::Task(_)
            | StepKind::Notify(_)
            | StepKind::Set(_)
            | StepKind::Move { .. }
            | StepKind::Promo(_)
            | StepKind::Enroll(_)
            | StepKind::Stop => step.next,
        };
        self.follow(run, &journey, next, due);
    }

    /// Takes the runs of a message past their `send`, after it was settled.
    pub(super) fn past_send(&mut self, touchpoint: TouchpointId, after: After) {
        let at_send = |run: &Enrollment| {
            matches!(&run.state,
                EnrollmentState::Sending { touchpoint: own, .. } if *own == touchpoint)
        };
        for id in self.runs_where(at_send) {
            self.go_on_from_send(id, touchpoint, after);
        }
    }

    /// Takes a run past its `send`.
    pub(super) fn go_on_from_send(
        &mut self,
        id: EnrollmentId,
        touchpoint: TouchpointId,
        after: After,
    ) {
        // A version that was published while the message was on the wire may lead elsewhere from here.
        self.migrate_run(id);
        let stands = |run: &&Enrollment| {
            matches!(&run.state,
                EnrollmentState::Sending { touchpoint: own, .. } if *own == touchpoint)
        };
        let Some(run) = self.snapshot.enrollment(id).filter(stands).cloned() else {
            return;
        };
        let journey = self.world.journey(&run.journey, run.version).cloned();
        let at = journey
            .as_ref()
            .zip(run.step())
            .and_then(|(journey, step)| Some((journey, journey.find(step)?)));
        let Some((journey, ix)) = at else {
            self.exit(run, ExitReason::StepGone, Reason::StepGone);
            return;
        };
        let step = journey.step(ix);
        match (&step.kind, after) {
            (StepKind::Send { otherwise, .. }, After::NotReached) => {
                self.follow(run, journey, *otherwise, self.now);
            }
            (StepKind::Send { send, .. }, After::Accepted) if send.opened_within.is_some() => {
                if self.is_opened(&run, step) {
                    // By a person who was faster than the word that it went.
                    let line = self.step_line(&run, step, What::Came);
                    self.ledger(line);
                    self.follow(run, journey, step.next, self.now);
                    return;
                }
                let until = send
                    .opened_within
                    .map(|within| within.add(self.now, &self.zone, &self.calendar));
                self.listen(run, step, until);
            }
            (_, After::Accepted | After::NotReached | After::GoOn) => {
                self.follow(run, journey, step.next, self.now);
            }
        }
    }

    /// Runs that something may have to happen to; looked up one by one, as each may change the others.
    pub(super) fn runs_where(&self, which: impl Fn(&Enrollment) -> bool) -> Vec<EnrollmentId> {
        let runs = self.snapshot.enrollments.iter();
        runs.filter(|run| which(run)).map(|run| run.id).collect()
    }

    /// Open messages that something may have to happen to.
    pub(super) fn messages_where(&self, which: impl Fn(&Touchpoint) -> bool) -> Vec<Touchpoint> {
        let open = self.snapshot.touchpoints.iter();
        open.filter(|one| which(one)).cloned().collect()
    }

    /// Ends a run before its last step and calls its messages back (R2).
    pub(super) fn exit(&mut self, mut run: Enrollment, reason: ExitReason, code: Reason) {
        self.withdraw_own(&run, code);
        let detail = match &reason {
            ExitReason::Event(name) | ExitReason::Goal(name) => Some(name.to_string()),
            ExitReason::Unsubscribed
            | ExitReason::Erased
            | ExitReason::Merged
            | ExitReason::Stopped
            | ExitReason::Archived
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

    /// Calls a run's message back; one that it shares goes on without it.
    pub(super) fn withdraw_own(&mut self, run: &Enrollment, reason: Reason) {
        let of_run = |touchpoint: &Touchpoint| {
            touchpoint.is_of(run.id) && touchpoint.recipient == crate::journey::Recipient::Contact
        };
        for touchpoint in self.messages_where(of_run) {
            if touchpoint.slot() != Slot::Flight {
                let id = touchpoint.id;
                if let Some(rest) = touchpoint.without(run.id) {
                    debug_assert_eq!(rest.id, id);
                    self.put_touchpoint(rest);
                }
            }
        }
        self.withdraw(of_run, reason);
    }

    /// Calls back open messages; those in flight are revoked and settle by their dispatcher.
    /// Returns the ids of those that were settled here.
    pub(super) fn withdraw(
        &mut self,
        which: impl Fn(&Touchpoint) -> bool,
        reason: Reason,
    ) -> Vec<TouchpointId> {
        let mut settled = Vec::new();
        for touchpoint in self.messages_where(which) {
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

    pub(super) fn waiting(&mut self, run: &Enrollment, step: &Step, until: Timestamp) {
        let line = LedgerEntry {
            until: Some(until),
            ..self.step_line(run, step, What::Waiting)
        };
        self.ledger(line);
    }

    /// Whether a step was overtaken by more than its allowance; then it says so and is passed over.
    fn too_late(&mut self, run: &Enrollment, step: &Step, due: Timestamp) -> bool {
        if self.skip_overdue && due <= self.now {
            self.pass_over(run, step, Reason::Paused);
            return true;
        }
        let late = is_late(due, self.now, &step.late, &self.zone, &self.calendar);
        if late {
            self.pass_over(run, step, Reason::Late);
        }
        late
    }

    /// Counts waits anew whose moment has become another: the contact lives in another zone now, or the
    /// awaited date was changed. A moment that has passed by the new count comes at once.
    pub(super) fn recount_waits(
        &mut self,
        moved: bool,
        subject: Option<&SubjectRef>,
        changed: &Fields,
    ) {
        // A run whose own step changes the zone or the date has left its wait.
        let following = self.following;
        let waits = |run: &Enrollment| {
            matches!(run.state, EnrollmentState::Waiting { .. }) && Some(run.id) != following
        };
        for id in self.runs_where(waits) {
            let Some(run) = self.snapshot.enrollment(id).cloned() else {
                continue;
            };
            let EnrollmentState::Waiting { step, since, until } = &run.state else {
                continue;
            };
            let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
                continue;
            };
            let Some(ix) = journey.find(step) else {
                continue;
            };
            let step = journey.step(ix);
            let StepKind::Wait(wait) = &step.kind else {
                continue;
            };
            let field_changed = Self::follows_fields(wait).is_some_and(|path| {
                let here = match path.root {
                    Root::Contact => subject.is_none(),
                    Root::Subject => subject.is_some() && subject == run.subject.as_ref(),
                    Root::Event => false,
                };
                here && path
                    .names
                    .first()
                    .is_some_and(|name| changed.contains_key(&**name))
            });
            if !moved && !field_changed {
                continue;
            }
            // The next nine o'clock is the next one from now, by the clock of the place.
            let from = match &wait.until {
                Until::TimeOfDay(_) | Until::BestHour { .. } => self.now,
                Until::Passed(_) | Until::Date { .. } => *since,
            };
            // A date that was taken away leaves the wait as it was.
            let Some(anew) = self.moment_of(wait, run.subject.as_ref(), from) else {
                continue;
            };
            // Never early: a timer that is moved to the past comes now, or when the window is open.
            let anew = match &wait.window {
                Some(window) if anew <= self.now => {
                    window.next_open(self.now, &self.zone, &self.calendar)
                }
                Some(_) | None => anew.max(self.now),
            };
            if anew == *until {
                continue;
            }
            self.waiting(&run, step, anew);
            let state = EnrollmentState::Waiting {
                step: step.key.clone(),
                since: *since,
                until: anew,
            };
            self.put_run(Enrollment { state, ..run });
        }
    }
}
