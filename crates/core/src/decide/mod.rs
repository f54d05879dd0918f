//! The heart: what should happen to one contact, given one input, now.
//!
//! [`decide`] is a function: the same snapshot, input and moment give the same effects, so a replay is
//! free and a test is a story. It advances the snapshot to the state after the decision, so that the
//! next input of the same batch sees it; whoever fails to commit the effects throws the snapshot away.
//!
//! **Absent:** storage, clocks, chance, sending. What is to be done in the world is an [`Effect`].

mod event;
mod gate;
mod order;
mod run;
mod settle;

use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::{Channel, Consent, Contact, SuppressionReason};
use crate::enrollment::{Enrollment, Entry};
use crate::event::Event;
use crate::ids::{EnrollmentId, MailboxId, Topic, TouchpointId, UserId};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::snapshot::Snapshot;
use crate::subject::Object;
use crate::time::{Calendar, Zone};
use crate::touchpoint::{Outcome, Slot, Task, Touchpoint, TouchpointState};
use crate::watch::Watch;
use crate::world::World;

/// Steps that one input may cross in one run before the journey is declared a loop.
pub const STEPS_PER_TURN_MAX: u32 = 64;
/// Live runs that one contact may have.
pub const RUNS_MAX: usize = 200;

/// What happened, to one contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// An event arrived.
    Event(Arc<Event>),
    /// A timer came due.
    Timer(Timer),
    /// The dispatcher has room for a message whose moment has come.
    Claim(TouchpointId),
    /// A try on the wire ended.
    Settle {
        /// Of which message.
        touchpoint: TouchpointId,
        /// The how-many-th try.
        attempt: u8,
        /// How.
        outcome: Outcome,
    },
    /// A person answered a question for approval.
    Approve {
        /// Of which message.
        touchpoint: TouchpointId,
        /// Who.
        by: UserId,
        /// What.
        answer: Answer,
    },
    /// A channel of the contact must not be used any more.
    Suppress {
        /// Which.
        channel: Channel,
        /// Why.
        reason: SuppressionReason,
    },
    /// The contact said what it wants.
    Consent {
        /// About a channel, or (with a topic) about that topic.
        channel: Channel,
        /// Which topic, if not the whole channel.
        topic: Option<Topic>,
        /// What.
        consent: Consent,
    },
    /// The contact must be forgotten.
    Erase,
}

/// A person's answer to a question for approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Send it.
    Approve,
    /// Leave it out; the run goes on.
    Skip,
    /// Leave it out; the person will call instead.
    CallInstead,
}

/// A moment at which a contact must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// Never before this.
    pub due_at: Timestamp,
    /// What for.
    pub kind: TimerKind,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// The run with this number.
    Enrollment(u32),
    /// The message with this hash.
    Touchpoint(u64),
    /// The awaited activity with this hash.
    Watch(u64),
}

/// What must be committed, in one transaction; and what to do after it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The contact changed.
    Contact(Box<Contact>),
    /// A run began or changed.
    Enrollment(Enrollment),
    /// A run began: remembered for `reentry`.
    Entry(Entry),
    /// A message was intended or changed.
    Touchpoint(Touchpoint),
    /// Activity is awaited.
    Watch(Watch),
    /// Activity is no longer awaited.
    Unwatch(Watch),
    /// An object changed.
    Object(Object),
    /// An event goes to the log.
    Event(Arc<Event>),
    /// A person has something to do.
    Task(Task),
    /// A timer is set.
    Arm(Timer),
    /// A timer is taken back.
    Disarm(Timer),
    /// A line of the ledger.
    Ledger(LedgerEntry),
    /// A message in flight should be stopped if it has not reached the wire.
    Revoke(TouchpointId),
    /// A mailbox should be read now (R1).
    RequestSync(MailboxId),
}

/// Decides what should happen. Advances `snapshot` and returns what must be committed for it.
pub fn decide(
    world: &World,
    snapshot: &mut Snapshot,
    input: &Input,
    now: Timestamp,
) -> Vec<Effect> {
    let mut turn = Turn::new(world, snapshot, now);
    match input {
        Input::Event(event) => turn.event(event),
        Input::Timer(timer) => turn.timer(*timer),
        Input::Claim(id) => turn.claim(*id),
        Input::Settle {
            touchpoint,
            attempt,
            outcome,
        } => turn.settle(*touchpoint, *attempt, outcome),
        Input::Approve {
            touchpoint,
            by,
            answer,
        } => turn.approve(*touchpoint, by, *answer),
        Input::Suppress { channel, reason } => turn.suppress(*channel, *reason),
        Input::Consent {
            channel,
            topic,
            consent,
        } => turn.consent(*channel, topic.as_ref(), *consent),
        Input::Erase => turn.erase(),
    }
    turn.effects
}

/// One decision under way.
struct Turn<'a> {
    world: &'a World,
    snapshot: &'a mut Snapshot,
    zone: Zone,
    calendar: Arc<Calendar>,
    now: Timestamp,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    fn new(world: &'a World, snapshot: &'a mut Snapshot, now: Timestamp) -> Self {
        let zone = world.zone_of(&snapshot.contact);
        let calendar = world.calendar_of(&snapshot.contact);
        Self {
            world,
            snapshot,
            zone,
            calendar,
            now,
            effects: Vec::new(),
        }
    }

    /// Notes an effect and advances the snapshot by it.
    fn emit(&mut self, effect: Effect) {
        self.snapshot.apply(&effect);
        self.effects.push(effect);
    }

    /// Stores a changed contact.
    fn put_contact(&mut self, change: impl FnOnce(&mut Contact)) {
        change(&mut self.snapshot.contact);
        // Several changes in one turn are one write: the last state counts.
        self.effects
            .retain(|effect| !matches!(effect, Effect::Contact(_)));
        self.effects
            .push(Effect::Contact(Box::new(self.snapshot.contact.clone())));
    }

    /// Stores a run, and moves its timer along.
    fn put_run(&mut self, run: Enrollment) {
        let before = self
            .snapshot
            .enrollment(run.id)
            .and_then(Enrollment::timer_at);
        self.move_timer(before, run.timer_at(), TimerKind::Enrollment(run.id.number));
        self.emit(Effect::Enrollment(run));
    }

    /// Stores a message, and moves its timer along.
    fn put_touchpoint(&mut self, touchpoint: Touchpoint) {
        let timer = |touchpoint: &Touchpoint| match touchpoint.slot() {
            Slot::Timer(at) => Some(at),
            Slot::Outbox(_) | Slot::Flight | Slot::Done => None,
        };
        let before = self.snapshot.touchpoint(touchpoint.id).and_then(timer);
        self.move_timer(
            before,
            timer(&touchpoint),
            TimerKind::Touchpoint(touchpoint.id.hash),
        );
        self.emit(Effect::Touchpoint(touchpoint));
    }

    fn move_timer(&mut self, before: Option<Timestamp>, after: Option<Timestamp>, kind: TimerKind) {
        if before == after {
            return;
        }
        if let Some(due_at) = before {
            self.emit(Effect::Disarm(Timer { due_at, kind }));
        }
        if let Some(due_at) = after {
            self.emit(Effect::Arm(Timer { due_at, kind }));
        }
    }

    fn ledger(&mut self, entry: LedgerEntry) {
        self.emit(Effect::Ledger(entry));
    }

    /// A line about the contact.
    fn line(&self, what: What) -> LedgerEntry {
        LedgerEntry::new(self.now, self.snapshot.contact.id, what)
    }

    /// A line about a run.
    fn run_line(&self, run: &Enrollment, what: What) -> LedgerEntry {
        LedgerEntry {
            journey: Some(run.journey.clone()),
            enrollment: Some(run.id),
            ..self.line(what)
        }
    }

    /// A line about a message.
    fn touchpoint_line(
        &self,
        touchpoint: &Touchpoint,
        what: What,
        reason: Option<Reason>,
    ) -> LedgerEntry {
        LedgerEntry {
            journey: Some(touchpoint.journey.clone()),
            enrollment: Some(touchpoint.enrollment),
            step: Some(touchpoint.step.clone()),
            touchpoint: Some(touchpoint.id),
            channel: Some(touchpoint.channel),
            template: Some(touchpoint.template.clone()),
            reason,
            ..self.line(what)
        }
    }

    /// A timer came. One that no longer matches the state it was set for changes nothing.
    fn timer(&mut self, timer: Timer) {
        if timer.due_at > self.now {
            // A clock that went back: the timer stays armed and comes again.
            return;
        }
        match timer.kind {
            TimerKind::Enrollment(number) => {
                let id = EnrollmentId {
                    contact: self.snapshot.contact.id,
                    number,
                };
                let due = self
                    .snapshot
                    .enrollment(id)
                    .filter(|run| run.timer_at() == Some(timer.due_at))
                    .cloned();
                match due {
                    Some(run) => self.run_timer(run),
                    None => self.emit(Effect::Disarm(timer)),
                }
            }
            TimerKind::Touchpoint(hash) => {
                let id = TouchpointId {
                    contact: self.snapshot.contact.id,
                    hash,
                };
                let due = self
                    .snapshot
                    .touchpoint(id)
                    .filter(|touchpoint| touchpoint.slot() == Slot::Timer(timer.due_at))
                    .cloned();
                match due {
                    Some(touchpoint) => self.approval_lapsed(touchpoint),
                    None => self.emit(Effect::Disarm(timer)),
                }
            }
            TimerKind::Watch(hash) => {
                let due = self
                    .snapshot
                    .watches
                    .iter()
                    .find(|watch| watch.hash() == hash && watch.due_at == timer.due_at)
                    .cloned();
                match due {
                    Some(watch) => self.watch_timer(watch),
                    None => self.emit(Effect::Disarm(timer)),
                }
            }
        }
    }

    /// Settles a message that never reached the wire.
    fn put_settled(&mut self, mut touchpoint: Touchpoint, outcome: Outcome) {
        touchpoint.state = TouchpointState::Settled {
            at: self.now,
            outcome,
        };
        self.put_touchpoint(touchpoint);
    }
}
