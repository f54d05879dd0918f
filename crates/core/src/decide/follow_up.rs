//! One of ours followed up by hand: the reminder that would have come next counts as done.
//!
//! What counts is a mail about the document that was written while a run about it waits to remind, but not at once after
//! the last touch: a word sent after the document, a second mail within the hour, or one behind our own reminder belong
//! to what went before. The run goes on to what follows that reminder, and waits count from the mail. **Absent:** which
//! mails are about a document (see [`crate::mail`]).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::enrollment::{Enrollment, EnrollmentState};
use crate::event::{Event, names};
use crate::ids::{EnrollmentId, SubjectRef};
use crate::journey::{Journey, Next, StepKind};
use crate::ledger::Reason;
use crate::subject::Object;
use crate::touchpoint::{Slot, Touchpoint};
use crate::value::{Fields, Value};

use super::gate::After;
use super::{Effect, STEPS_PER_TURN_MAX, Turn};

/// The field of a document that says when one of ours last followed up by hand.
pub const FOLLOWED_UP_AT: &str = "followed_up_at";
/// A mail so long after a wait began is one of its own; sooner where half of the wait is shorter.
const APART_MAX: SignedDuration = SignedDuration::from_hours(24);

impl Turn<'_> {
    pub(super) fn followed_up(&mut self, event: &Event) {
        let Some(subject) = event.subject.clone().filter(|_| is_follow_up(event)) else {
            return;
        };
        let last = self
            .snapshot
            .objects
            .get(&subject)
            .and_then(followed_up_at)
            .unwrap_or(Timestamp::MIN);
        for id in self.runs_where(|run| run.is_running() && run.subject.as_ref() == Some(&subject))
        {
            self.follow_up_counts(id, event.at.min(self.now), last);
        }
        self.note_follow_up(&subject, event.at, last);
    }

    fn note_follow_up(&mut self, subject: &SubjectRef, at: Timestamp, last: Timestamp) {
        if at > last && self.snapshot.objects.contains_key(subject) {
            let at_text = Value::String(at.to_string());
            let fields = Fields::from_iter([(FOLLOWED_UP_AT.to_owned(), at_text)]);
            self.tell_object(subject, &fields, at);
            self.tell_segments();
        }
    }

    fn follow_up_counts(&mut self, id: EnrollmentId, at: Timestamp, last: Timestamp) {
        let Some(run) = self.snapshot.enrollment(id).cloned() else {
            return;
        };
        let Some(journey) = self.world.journey(&run.journey, run.version).cloned() else {
            return;
        };
        if !journey.depends_on_silence() || at < run.began_at() {
            return;
        }
        // The last touch that is known: a run that listens or sends does not tell since when.
        let touched = last.max(run.began_at());
        match &run.state {
            EnrollmentState::Waiting { step, since, until } => {
                let next = journey.find(step).and_then(|ix| journey.step(ix).next);
                // A first wait begins when its cause is found, maybe long after the document went.
                let touched = match *since == run.entered_at {
                    true => touched,
                    false => touched.max(*since),
                };
                if is_apart(at, touched, *until) {
                    self.pass_reminder(run, &journey, next, at);
                }
            }
            EnrollmentState::Listening {
                step,
                until: Some(until),
            } => {
                let next = journey
                    .find(step)
                    .and_then(|ix| match &journey.step(ix).kind {
                        StepKind::WaitFor { otherwise, .. } => *otherwise,
                        StepKind::Send { .. }
                        | StepKind::Wait(_)
                        | StepKind::Branch { .. }
                        | StepKind::Split { .. }
                        | StepKind::Task(_)
                        | StepKind::Notify(_)
                        | StepKind::Set(_)
                        | StepKind::Move { .. }
                        | StepKind::Promo(_)
                        | StepKind::Enroll(_)
                        | StepKind::Stop => None,
                    });
                if is_apart(at, touched, *until) {
                    self.pass_reminder(run, &journey, next, at);
                }
            }
            EnrollmentState::Standing { step, due } => {
                if is_apart(at, touched, *due) {
                    let next = journey.find(step);
                    self.pass_reminder(run, &journey, next, at);
                }
            }
            EnrollmentState::Sending { touchpoint, .. } => {
                let Some(message) = self.snapshot.touchpoint(*touchpoint).cloned() else {
                    return;
                };
                // The mailbox may be read only after the reminder came due.
                let late = at >= message.created_at - APART_MAX;
                if late && is_apart(at, touched, message.created_at) {
                    self.withdraw_reminder(id, message);
                }
            }
            EnrollmentState::Listening { until: None, .. }
            | EnrollmentState::Finished { .. }
            | EnrollmentState::Exited { .. } => {}
        }
    }

    /// Calls back the reminder that stands ready; its run goes on.
    fn withdraw_reminder(&mut self, run: EnrollmentId, message: Touchpoint) {
        if message.recipient != crate::journey::Recipient::Contact {
            return;
        }
        let id = message.id;
        match message.slot() {
            // Its dispatcher tells whether it went.
            Slot::Flight => self.emit(Effect::Revoke(id)),
            Slot::Outbox(_) | Slot::Timer(_) if message.members.is_empty() => {
                self.withdraw(|one| one.id == id, Reason::FollowedUp);
                self.past_send(id, After::GoOn);
            }
            Slot::Outbox(_) | Slot::Timer(_) => {
                self.leave_out(message, run, Reason::FollowedUp);
            }
            Slot::Done => {}
        }
    }

    /// Takes a run past the reminder that comes next, if one does.
    fn pass_reminder(
        &mut self,
        run: Enrollment,
        journey: &Arc<Journey>,
        next: Next,
        at: Timestamp,
    ) {
        if self.reminds_next(&run, journey, next) {
            self.passing = Some(run.id);
            self.follow(run, journey, next, at);
            self.passing = None;
        }
    }

    /// Whether what comes next, when waits are over, is a message to the contact.
    fn reminds_next(&self, run: &Enrollment, journey: &Journey, next: Next) -> bool {
        let mut next = next;
        for _ in 0..STEPS_PER_TURN_MAX {
            let Some(ix) = next else { return false };
            let step = journey.step(ix);
            next = match &step.kind {
                StepKind::Send { .. } => return true,
                StepKind::Wait(_) => step.next,
                StepKind::Branch { arms, otherwise } => {
                    let scene = self.scene(run.subject.as_ref(), run.cause.as_deref());
                    let way = arms.iter().find(|(when, _)| when.holds(&scene));
                    way.map_or(*otherwise, |(_, next)| *next)
                }
                StepKind::Split {
                    arms,
                    by,
                    experiment,
                } => {
                    let name = crate::world::World::experiment_of(
                        &run.journey,
                        step.key.as_str(),
                        experiment.as_deref(),
                    );
                    let arm = self.world.arm_of(&self.snapshot.contact, &name, *by, arms);
                    arm.map_or(step.next, |arm| arm.then)
                }
                // What a person or a system does next is not what was done by hand.
                StepKind::WaitFor { .. }
                | StepKind::Task(_)
                | StepKind::Notify(_)
                | StepKind::Set(_)
                | StepKind::Move { .. }
                | StepKind::Promo(_)
                | StepKind::Enroll(_)
                | StepKind::Stop => return false,
            };
        }
        false
    }
}

/// Whether an event tells of a mail by hand.
fn is_follow_up(event: &Event) -> bool {
    event.name.as_str() == names::FOLLOWED_UP
}

fn followed_up_at(object: &Object) -> Option<Timestamp> {
    object.text(FOLLOWED_UP_AT)?.parse().ok()
}

/// Whether a mail is one of its own, in a wait from `since` until `until`.
fn is_apart(at: Timestamp, since: Timestamp, until: Timestamp) -> bool {
    let wait = until.duration_since(since).as_secs().max(0);
    let least = SignedDuration::from_secs(wait / 2).min(APART_MAX);
    at > since && at.duration_since(since) >= least
}
