//! What becomes of a document's runs when it turns out to be none, another, or is sent in a newer version.
//!
//! What is withdrawn ends every run about it, whatever the journey's exits. What is corrected ends the runs of journeys
//! that would not have begun for it. A newer version is what waits for an answer now: waits count from its sending, and
//! a reminder of the older one that has not left counts as done. **Absent:** how versions are told (see `mail`).

use std::sync::Arc;

use crate::enrollment::{Enrollment, EnrollmentState, ExitReason};
use crate::event::{Event, names};
use crate::ids::EnrollmentId;
use crate::journey::{Journey, Step, StepKind, Until};
use crate::ledger::Reason;
use crate::touchpoint::Slot;

use super::Turn;
use super::gate::After;

impl Event {
    /// Whether it tells the runs about its subject what to do, beside what their journeys say.
    pub fn steers_subject(&self) -> bool {
        match self.name.as_str() {
            names::DOCUMENT_WITHDRAWN | names::DOCUMENT_CORRECTED => true,
            names::DOCUMENT_SENT => self.is_newer_version(),
            _other_event => false,
        }
    }

    /// Whether a document was sent that had been sent before.
    pub fn is_newer_version(&self) -> bool {
        let version = self.properties.get("version");
        self.name.as_str() == names::DOCUMENT_SENT
            && version
                .and_then(crate::value::Value::as_u64)
                .is_some_and(|version| version > 1)
    }
}

impl Turn<'_> {
    /// What an event says to the runs about its subject.
    pub(super) fn steer(&mut self, event: &Arc<Event>) {
        if !event.steers_subject() || event.subject.is_none() {
            return;
        }
        let about = |run: &Enrollment| run.is_running() && run.subject == event.subject;
        for id in self.runs_where(about) {
            let Some(run) = self.snapshot.enrollment(id).cloned() else {
                continue;
            };
            let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
                continue;
            };
            match event.name.as_str() {
                names::DOCUMENT_WITHDRAWN => self.exit_by(run, event),
                names::DOCUMENT_CORRECTED => {
                    let scene = self.scene(run.subject.as_ref(), run.cause.as_deref());
                    if !journey.trigger.filter.holds(&scene) {
                        self.exit_by(run, event);
                    }
                }
                _newer_version => {
                    if run.began_at() < event.at {
                        self.renew(run, &journey, event);
                    }
                }
            }
        }
    }

    fn exit_by(&mut self, run: Enrollment, event: &Event) {
        self.exit(
            run,
            ExitReason::Event(event.name.clone()),
            Reason::ExitEvent,
        );
    }

    fn renew(&mut self, run: Enrollment, journey: &Arc<Journey>, event: &Event) {
        let Some(ix) = run.step().and_then(|step| journey.find(step)) else {
            return;
        };
        let step = journey.step(ix);
        match (&run.state, &step.kind) {
            (EnrollmentState::Waiting { since, .. }, StepKind::Wait(wait)) if *since < event.at => {
                // A day or an hour that is waited for is the same, whatever was sent.
                if !matches!(wait.until, Until::Passed(_)) {
                    return;
                }
                let Some(until) = self.moment_of(wait, run.subject.as_ref(), event.at) else {
                    return;
                };
                let until = until.max(self.now);
                self.waiting(&run, step, until);
                let state = EnrollmentState::Waiting {
                    step: step.key.clone(),
                    since: event.at,
                    until,
                };
                self.put_run(Enrollment { state, ..run });
            }
            (
                EnrollmentState::Listening { until: Some(_), .. },
                StepKind::WaitFor {
                    timeout: Some(timeout),
                    ..
                },
            ) => {
                let until = timeout.add(event.at, &self.zone, &self.calendar);
                let until = until.max(self.now);
                self.waiting(&run, step, until);
                let state = EnrollmentState::Listening {
                    step: step.key.clone(),
                    until: Some(until),
                };
                self.put_run(Enrollment { state, ..run });
            }
            (EnrollmentState::Sending { .. }, _) => self.counts_as_sent(run, step),
            (
                EnrollmentState::Waiting { .. }
                | EnrollmentState::Listening { .. }
                | EnrollmentState::Standing { .. }
                | EnrollmentState::Finished { .. }
                | EnrollmentState::Exited { .. },
                _,
            ) => {}
        }
    }

    /// A reminder that has not left is not needed: the client was just written to. The run waits on from here.
    fn counts_as_sent(&mut self, run: Enrollment, step: &Step) {
        let EnrollmentState::Sending { touchpoint, .. } = run.state else {
            return;
        };
        let is_send = matches!(step.kind, StepKind::Send { .. });
        let in_flight = self
            .snapshot
            .touchpoint(touchpoint)
            .is_none_or(|one| one.slot() == Slot::Flight);
        if !is_send || in_flight {
            return;
        }
        let id: EnrollmentId = run.id;
        self.withdraw_own(&run, Reason::FollowedUp);
        self.go_on_from_send(id, touchpoint, After::GoOn);
    }
}
