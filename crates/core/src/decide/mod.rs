//! The heart: what should happen to one contact, given one input, now.
//!
//! [`decide`] is a function: the same snapshot, input and moment give the same effects, so a replay is
//! free and a test is a story. It advances the snapshot to the state after the decision, so that the
//! next input of the same batch sees it; whoever fails to commit the effects throws the snapshot away.
//!
//! **Absent:** storage, clocks, chance, sending. What is to be done in the world is an [`Effect`].

mod absence;
mod account;
mod approve;
mod begin;
mod consent;
mod document;
pub(crate) mod event;
mod follow_up;
mod gate;
mod merge;
mod order;
mod own_task;
mod pause;
pub mod probe;
mod reconsider;
mod run;
mod segment;
mod settle;
mod steps;
mod task;
mod watch;

pub use approve::NOBODY;
pub use begin::ALL_JOURNEYS;
pub use follow_up::FOLLOWED_UP_AT;
pub use gate::OWN_WISH;
pub use merge::{
    MergeProblem, Merged, RUNS_MERGED_MAX, UndoProblem, merge, needs_of_merge, needs_of_unmerge,
    unmerge,
};
pub use own_task::{MAILBOX_JOURNEY, MAILS_ANSWERED_MAX, MAILS_ANSWERED_WITHIN, OwnTitle};

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::account::Account;
use crate::consent::{About, Consent, ConsentChange, Evidence};
use crate::contact::{Channel, Contact, SuppressionReason};
use crate::enrollment::{Enrollment, Entry};
use crate::event::Event;
use crate::ids::{
    AccountId, EnrollmentId, JourneyId, MailboxId, ObjectKind, SegmentId, SubjectRef, Topic,
    TouchpointId, UserId,
};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::preferences::Wishes;
use crate::segment::Membership;
use crate::snapshot::Snapshot;
use crate::subject::Object;
use crate::suppression::Suppression;
use crate::time::{Calendar, Zone};
use crate::touchpoint::{Outcome, Slot, Task, Touchpoint, TouchpointState};
use crate::value::{Fields, Value};
use crate::watch::Watch;
use crate::world::{Needs, Touched, World};

/// Steps that one input may cross in one run before the journey is declared a loop.
pub const STEPS_PER_TURN_MAX: u32 = 64;
/// Journeys that one input may begin by way of others before they are declared a loop.
pub const CONSEQUENCES_PER_TURN_MAX: u32 = 32;
/// Runs that may begin one another, each within [`CHAIN_LINK_MAX`] of the one before, before they are
/// declared a loop.
pub const CHAIN_MAX: u16 = 100;
/// A run that another began later than this after its own beginning belongs to no chain.
pub const CHAIN_LINK_MAX: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// Live runs that one contact may have.
pub const RUNS_MAX: usize = 200;

/// What happened, to one contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// An event arrived.
    Event(Arc<Event>),
    /// An event about an object of the contact's happened to another contact: to a colleague, or in a system
    /// that knows only the object. It ends and turns runs, and begins none.
    Echo(Arc<Event>),
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
        /// By which way it said so, and what proves it.
        evidence: Evidence,
    },
    /// The contact confirmed by mail that it signed up: all that it was asked about is granted.
    Confirm(Evidence),
    /// The contact said what it wishes of our messages.
    Prefer(Box<Wishes>),
    /// A channel that was suppressed for this contact may be used again.
    Lift(Channel),
    /// The contact's membership in a segment changed.
    Segment {
        /// Which.
        segment: SegmentId,
        /// Whether it is a member now.
        member: bool,
    },
    /// Who belongs to these segments is to be told anew: their definition is new or changed.
    Assess(Arc<[SegmentId]>),
    /// A person or a program begins a journey.
    Enroll {
        /// Which.
        journey: JourneyId,
        /// By whom.
        by: Starter,
        /// About what.
        subject: Option<SubjectRef>,
        /// What the steps may use as `event`.
        properties: Fields,
        /// A second one with the same key changes nothing (R6).
        once: Option<Arc<str>>,
    },
    /// The contact's account is not what it was when the contact heard of it last.
    Account,
    /// A journey was published whose trigger waits for something of each contact: see to it here.
    Arm(JourneyId),
    /// A paused journey goes on.
    Resume {
        /// Which.
        journey: JourneyId,
        /// What becomes of what came due meanwhile.
        overdue: Overdue,
    },
    /// A journey is stopped for good: its runs end.
    End(JourneyId),
    /// The workspace's rules are others: what waits by the old ones is asked anew. Where its zone or calendar changed,
    /// with the zone that it had.
    Reconsider(Option<Zone>),
    /// A person did something with a task.
    Task(Box<TaskOrder>),
    /// The contact must be forgotten.
    Erase,
}

/// What a person did with a task, and the task as they saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOrder {
    /// Which.
    pub task: TouchpointId,
    /// Of which journey.
    pub journey: JourneyId,
    /// About what.
    pub subject: Option<SubjectRef>,
    /// What there was to do.
    pub title: Arc<str>,
    /// Who.
    pub by: UserId,
    /// What they did.
    pub act: TaskAct,
}

/// What becomes of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskAct {
    /// It is done.
    Done,
    /// It is open again.
    Reopen,
    /// It is due at this moment.
    Postpone(Timestamp),
}

/// How a task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// Still to be done.
    Open {
        /// By when from now on; `None`: as before.
        due_at: Option<Timestamp>,
    },
    /// Done.
    Done {
        /// When.
        at: Timestamp,
        /// By whom.
        by: UserId,
    },
}

/// Who begins a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Starter {
    /// A person: journeys with the trigger `manual`.
    Person(UserId),
    /// A program: journeys with the trigger `api`.
    Program,
}

/// What becomes of steps that came due while their journey was paused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overdue {
    /// They are done now, unless later than their own allowance (R4).
    #[default]
    Late,
    /// Messages and tasks that came due meanwhile are passed over.
    Skip,
    /// They are done now, and what follows counts from now.
    Shift,
}

/// A person's answer to a question for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Send it.
    Approve {
        /// What it should say instead; the first line is the subject line.
        text: Option<Arc<str>>,
    },
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
    /// The segment with this hash, whose verdict time alone may change.
    Segment(u64),
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
    Touchpoint(Box<Touchpoint>),
    /// Activity is awaited.
    Watch(Watch),
    /// Activity is no longer awaited.
    Unwatch(Watch),
    /// An object changed.
    Object(Object),
    /// The account that a contact tells of changed.
    Account {
        /// As it is now.
        account: Arc<Account>,
        /// Whether its other contacts must hear of it.
        tell: bool,
    },
    /// The contact belongs to another account than before, or to none.
    Belongs {
        /// To which it belonged.
        before: Option<AccountId>,
        /// To which it belongs.
        after: Option<AccountId>,
    },
    /// How the contact stands to a segment changed.
    Membership {
        /// To which.
        segment: SegmentId,
        /// How it stood.
        before: Membership,
        /// How it stands.
        after: Membership,
    },
    /// The contact gave an answer: remembered for proof.
    Consent(ConsentChange),
    /// An address must not be written to, whoever has it.
    Suppression(Suppression),
    /// An event goes to the log.
    Event(Arc<Event>),
    /// A person has something to do.
    Task(Task),
    /// How a task stands changed.
    TaskChanged {
        /// Which.
        task: TouchpointId,
        /// How it stands.
        state: TaskState,
    },
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
    let asked = match input {
        Input::Assess(_) => Needs::default(),
        _tells_segments if world.segment_index().compute() => snapshot.needs(world, input).whole(),
        _no_segments => Needs::default(),
    };
    decide_asked(world, snapshot, input, asked, now)
}

/// [`decide`] where it is known what the input asks for: `asked` is [`Snapshot::needs`] of this very snapshot and
/// input, all of it ([`Needs::whole`]). A store that loads more, or has everything at hand, decides by no more
/// than this: the same decision on every store.
pub fn decide_asked(
    world: &World,
    snapshot: &mut Snapshot,
    input: &Input,
    asked: Needs,
    now: Timestamp,
) -> Vec<Effect> {
    let mut turn = Turn::new(world, snapshot, now);
    turn.asked = match input {
        Input::Assess(_) => Needs::default(),
        _tells_segments => asked,
    };
    turn.knows_history = matches!(
        input,
        Input::Event(_) | Input::Echo(_) | Input::Segment { .. }
    );
    if turn.snapshot.contact.merged_into.is_some() {
        turn.happens_to_nobody(input);
        return turn.effects;
    }
    turn.migrate();
    match input {
        Input::Event(event) => turn.event(event),
        Input::Echo(event) => turn.echo(event),
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
        } => turn.approve(*touchpoint, by, answer),
        Input::Suppress { channel, reason } => turn.suppress(*channel, *reason),
        Input::Consent {
            channel,
            topic,
            consent,
            evidence,
        } => {
            let about = match topic {
                Some(topic) => About::Topic(topic.clone()),
                None => About::Channel(*channel),
            };
            turn.consent(&about, *consent, evidence);
        }
        Input::Confirm(evidence) => turn.confirm(evidence),
        Input::Prefer(wishes) => turn.prefer(wishes),
        Input::Lift(channel) => turn.lift(*channel),
        Input::Segment { segment, member } => turn.segment(segment, *member),
        Input::Assess(segments) => turn.assess_all(segments),
        Input::Enroll {
            journey,
            by,
            subject,
            properties,
            once: _,
        } => turn.start(journey, by, subject.as_ref(), properties),
        Input::Account => turn.hear_of_account(),
        Input::Arm(journey) => turn.arm(journey),
        Input::Resume { journey, overdue } => turn.resume(journey, *overdue),
        Input::End(journey) => turn.end(journey),
        Input::Reconsider(left) => turn.reconsider(left.as_ref()),
        Input::Task(order) => turn.task_told(order),
        Input::Erase => turn.erase(),
    }
    turn.settle_down();
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
    /// What follows from what was decided, in order, with the run that brought it about.
    pending: VecDeque<(Option<Link>, Pending)>,
    /// Whether the history that every run may look back over is at hand.
    knows_history: bool,
    /// A journey goes on without what came due while it was paused.
    skip_overdue: bool,
    /// The event that is decided about.
    at_hand: Option<Arc<Event>>,
    /// The run whose next reminder counts as done, as it goes past it.
    passing: Option<EnrollmentId>,
    /// The run that goes from step to step; where the snapshot has it, it was before.
    following: Option<EnrollmentId>,
    /// The run whose steps bring about what happens now.
    link: Option<Link>,
    /// What segments may look at.
    asked: Needs,
    /// Whether they may look at everything that they ask for.
    knows_all: bool,
    /// The segment whose timer came.
    came: Option<SegmentId>,
    /// What changed since segments were told.
    touched: Touched,
    /// Who comes in or leaves does so because a definition is new: journeys hear of it only where it says so.
    quiet_segments: bool,
    /// What changes now begins no journey.
    quiet_changes: bool,
}

/// A run that may begin another.
#[derive(Clone, Copy)]
struct Link {
    chain: u16,
    entered_at: Timestamp,
}

/// Something that a decision brings about beside itself.
enum Pending {
    /// A trait or field changed: journeys may begin.
    Changed(Change),
    /// A trait changed that no journey shall hear of.
    ChangedQuietly(Change),
    /// The contact came into a segment, or left it.
    Turned {
        segment: SegmentId,
        member: bool,
        quiet: bool,
    },
    /// A run's step begins another journey.
    Enroll {
        journey: JourneyId,
        subject: Option<SubjectRef>,
        cause: Option<Arc<Event>>,
    },
}

/// A trait or field that is another than before.
struct Change {
    /// Of which object; `None` is the contact.
    subject: Option<SubjectRef>,
    name: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    fn kind(&self) -> Option<&ObjectKind> {
        self.subject.as_ref().map(|subject| &subject.kind)
    }
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
            pending: VecDeque::new(),
            knows_history: false,
            skip_overdue: false,
            at_hand: None,
            passing: None,
            following: None,
            link: None,
            asked: Needs::default(),
            knows_all: false,
            came: None,
            touched: Touched::default(),
            quiet_segments: false,
            quiet_changes: false,
        }
    }

    /// Notes an effect and advances the snapshot by it.
    fn emit(&mut self, effect: Effect) {
        self.snapshot.apply(&effect);
        self.effects.push(effect);
    }

    /// Stores a changed contact.
    fn put_contact(&mut self, change: impl FnOnce(&mut Contact)) {
        let before = self.snapshot.contact.account_id().cloned();
        change(&mut self.snapshot.contact);
        let after = self.snapshot.contact.account_id();
        if before.as_ref() != after {
            let after = after.cloned();
            self.effects.push(Effect::Belongs { before, after });
        }
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
        self.emit(Effect::Touchpoint(Box::new(touchpoint)));
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
            variant: run.variant.clone(),
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
            // What belongs to no run is a line of the contact as a whole.
            enrollment: Some(touchpoint.enrollment).filter(|run| run.number > 0),
            step: Some(touchpoint.step.clone()),
            touchpoint: Some(touchpoint.id),
            channel: Some(touchpoint.channel),
            template: Some(touchpoint.template.clone()),
            variant: touchpoint.variant.clone(),
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
            TimerKind::Segment(hash) => self.segment_timer(timer, hash),
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
