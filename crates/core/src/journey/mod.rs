//! A published journey: parsed once, so that following it cannot fail.
//!
//! [`publish`] turns a [`JourneyDraft`](draft::JourneyDraft) into a [`Journey`] whose steps lie flat and
//! know what follows them. **Invariant:** every [`StepIx`] inside a journey is valid for it.

pub mod draft;
mod publish;
mod step;
mod versions;

use std::collections::BTreeSet;

pub use publish::publish;
pub use step::{
    Arm, Awaited, AwaitedThing, Changes, NOTIFY_TEMPLATE, NotifyStep, PROMO_KIND, Promo, Recipient,
    SIGNS_OF_LIFE, SIGNS_OF_RECEIPT, STAGE_FIELD, Send, Sender, Step, StepKind, TaskStep, Unit,
    Until, Wait, Way,
};
pub use versions::{Landing, Moves, Plan, PlanLine, land, plan, route};

use crate::condition::{Asks, Condition};
use crate::event::names;
use crate::ids::{EventName, JourneyId, ListId, ObjectKind, SegmentId, StepKey, Topic};
use crate::time::{DateRule, Delay, Recurrence};
use crate::value::{FieldPath, Value};

/// Steps in one journey, branches included.
pub const STEPS_MAX: usize = 500;
/// Branches inside one another.
pub const NESTING_MAX: usize = 16;
/// Arms of one split.
pub const ARMS_MAX: usize = 26;
/// Things that one step may wait for.
pub const AWAITED_MAX: usize = 16;

/// A step's place in its journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepIx(pub u16);

/// Where a run goes on: a step, or nowhere.
pub type Next = Option<StepIx>;

/// One immutable version of a journey.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey {
    /// Its author's id.
    pub id: JourneyId,
    /// Counted from 1 by publication.
    pub version: u32,
    /// For people.
    pub name: String,
    /// What a run is about; `None` is the contact.
    pub subject: Option<ObjectKind>,
    /// What begins a run.
    pub trigger: Trigger,
    /// May a run begin again.
    pub reentry: Reentry,
    /// What a conversion is.
    pub goal: Option<Goal>,
    /// What ends a run at once.
    pub exits: Vec<Exit>,
    /// The control group.
    pub holdout: Holdout,
    /// Who must agree before a message leaves.
    pub approval: Approval,
    /// The preference topic its messages belong to.
    pub topic: Option<Topic>,
    /// Where a cap leaves room for one message, that of the higher priority goes.
    pub priority: i16,
    /// Whether its reminders wait for who is away until a day that is known.
    pub waits_for_absent: bool,
    /// All steps; a run begins at `first`.
    pub steps: Vec<Step>,
    /// Where a run begins.
    pub first: Next,
}

/// What begins a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// What must happen.
    pub on: On,
    /// What must hold then.
    pub filter: Condition,
}

/// What must happen for a run to begin.
#[derive(Debug, Clone, PartialEq)]
pub enum On {
    /// An event arrived.
    Event(EventName),
    /// The contact became a member of a segment.
    SegmentEntered(SegmentId),
    /// The contact is no longer a member of a segment.
    SegmentLeft(SegmentId),
    /// A trait of the contact, or a field of an object of the journey's kind, changed.
    Changed {
        /// Which.
        path: FieldPath,
        /// From this; `None` is any value, or none.
        from: Option<Value>,
        /// To this; `None` is any other.
        to: Option<Value>,
    },
    /// A contact, or a subject of theirs, did nothing of this kind for this time.
    Inactive {
        /// The activity that did not come; `None` is any event of the contact.
        event: Option<EventName>,
        /// For how long.
        after: Delay,
    },
    /// A date that a trait of the contact or a field of the subject holds comes.
    Date {
        /// Which.
        path: FieldPath,
        /// The moment that the date stands for.
        rule: DateRule,
    },
    /// A recurring moment, in each contact's own zone.
    Schedule {
        /// When.
        rule: Recurrence,
        /// For members of a segment; `None` is everyone.
        segment: Option<SegmentId>,
    },
    /// A person of ours begins it.
    Manual,
    /// A program begins it.
    Api,
}

/// May a contact (or subject) run a journey again.
#[derive(Debug, Clone, PartialEq)]
pub enum Reentry {
    /// Never again for the contact.
    Once,
    /// Never again for the subject.
    OncePerSubject,
    /// Whenever no run for the same subject is under way.
    Always,
    /// When the last run began at least this long ago.
    After(Delay),
}

/// What a conversion is, for statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// The event.
    pub event: EventName,
    /// What it must be.
    pub filter: Condition,
    /// How long after the entry it counts.
    pub within: Delay,
}

/// What ends a run at once, wherever it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Exit {
    /// The event.
    pub event: EventName,
    /// What it must be.
    pub filter: Condition,
    /// Also when it is about another subject of the contact.
    pub any: bool,
}

/// Who receives nothing, for comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holdout {
    /// The share, in thousandths.
    pub permille: u16,
    /// Of what.
    pub by: Unit,
}

/// Who must agree before a message leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: Approver,
    /// Who may answer as well, once the question has stood for a time.
    pub deputy: Option<Deputy>,
    /// How long the question stands; `None` is the workspace's rule.
    pub expires: Option<Delay>,
    /// What happens when nobody answers.
    pub lapse: Lapse,
}

/// Who must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approver {
    /// Nobody.
    Auto,
    /// The owner of the contact or subject.
    Owner,
    /// Anyone of a role.
    Role(String),
}

/// Who answers in another's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deputy {
    /// Who; never [`Approver::Auto`].
    pub who: Approver,
    /// How long the question must have stood.
    pub after: Delay,
}

/// What happens to a message that nobody answered for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lapse {
    /// It is passed over; the run goes on.
    #[default]
    Skip,
    /// It goes.
    Send,
    /// The run ends.
    Stop,
    /// It becomes a call task; the run goes on.
    Call,
}

impl Approval {
    /// Nobody must agree.
    pub const AUTO: Self = Self::of(Approver::Auto);

    /// The plain question: it stands as long as the workspace says, and lapses.
    pub const fn of(by: Approver) -> Self {
        Self {
            by,
            deputy: None,
            expires: None,
            lapse: Lapse::Skip,
        }
    }

    /// Whether nobody is asked.
    pub fn is_auto(&self) -> bool {
        self.by == Approver::Auto
    }
}

impl Trigger {
    /// Whether something must be armed for each contact, also for those that were there before.
    pub fn waits_for_contacts(&self) -> bool {
        match &self.on {
            On::Inactive { .. } | On::Date { .. } | On::Schedule { .. } => true,
            On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Manual
            | On::Api => false,
        }
    }
}

impl Journey {
    /// The step at a place.
    pub fn step(&self, ix: StepIx) -> &Step {
        &self.steps[usize::from(ix.0)]
    }

    /// The place of a step by its key.
    pub fn find(&self, key: &StepKey) -> Option<StepIx> {
        self.steps
            .iter()
            .position(|step| step.key == *key)
            .map(|at| StepIx(at as u16))
    }

    /// Whether its messages depend on silence: it ends or turns when somebody answers (R1).
    pub fn depends_on_silence(&self) -> bool {
        self.exits
            .iter()
            .map(|exit| &exit.event)
            .chain(self.awaited_events())
            .any(|event| event.as_str() == names::REPLIED)
    }

    fn awaited_events(&self) -> impl Iterator<Item = &EventName> {
        self.steps
            .iter()
            .flat_map(|step| step.kind.awaited_events())
            .map(|(event, ..)| event)
    }

    /// Names of the events that can begin, end, turn or convert a run.
    pub fn event_names(&self) -> BTreeSet<EventName> {
        let mut names: BTreeSet<EventName> = self.turning_names().cloned().collect();
        match &self.trigger.on {
            On::Event(event) => drop(names.insert(event.clone())),
            On::Inactive { event, .. } => names.extend(event.clone()),
            On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Date { .. }
            | On::Schedule { .. }
            | On::Manual
            | On::Api => {}
        }
        names
    }

    /// Whether a run that goes on at `from` may come to `target` before it comes to `join`.
    pub fn reaches(&self, from: Next, target: StepIx, join: Next) -> bool {
        let mut seen = BTreeSet::new();
        let mut open: Vec<StepIx> = from.into_iter().collect();
        while let Some(ix) = open.pop() {
            if Some(ix) == join || !seen.insert(ix) {
                continue;
            }
            if ix == target {
                return true;
            }
            let step = self.step(ix);
            open.extend(step.next);
            step.kind.map_ways(|_, way| open.extend(*way));
        }
        false
    }

    /// Names of the events that end a run before its last step, or that it waits for.
    pub fn turning_names(&self) -> impl Iterator<Item = &EventName> {
        let goal = self.goal.iter().map(|goal| &goal.event);
        let exits = self.exits.iter().map(|exit| &exit.event);
        exits.chain(goal).chain(self.awaited_events())
    }

    /// Names of the events whose history a run may look back over.
    pub fn history_names(&self) -> BTreeSet<EventName> {
        self.asks().history
    }

    /// What a run may look back over.
    pub fn asks(&self) -> Asks {
        let mut asks = Asks::default();
        self.trigger.filter.asks(&mut asks);
        self.exits
            .iter()
            .for_each(|exit| exit.filter.asks(&mut asks));
        if let Some(goal) = &self.goal {
            goal.filter.asks(&mut asks);
        }
        if let On::Schedule { segment, .. } = &self.trigger.on {
            asks.segments.extend(segment.clone());
        }
        self.steps.iter().for_each(|step| step.kind.asks(&mut asks));
        asks
    }

    /// The content lists that its messages take items from.
    pub fn lists(&self) -> impl Iterator<Item = &ListId> {
        self.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Send { send, .. } => send.content.as_ref(),
            StepKind::Wait(_)
            | StepKind::WaitFor { .. }
            | StepKind::Branch { .. }
            | StepKind::Split { .. }
            | StepKind::Task(_)
            | StepKind::Notify(_)
            | StepKind::Set(_)
            | StepKind::Move { .. }
            | StepKind::Promo(_)
            | StepKind::Enroll(_)
            | StepKind::Stop => None,
        })
    }
}
