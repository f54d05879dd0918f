//! What a journey's steps do.
//!
//! [`StepKind`] is generic over its ways: a draft holds the steps of a way inside it, a published journey
//! holds the place where the way begins.

use std::sync::Arc;

use crate::condition::{Asks, Condition};
use crate::contact::Channel;
use crate::event::names;
use crate::ids::{EventName, JourneyId, ListId, StepKey, TemplateId, Variant};
use crate::time::{DateRule, Delay, Window};
use crate::value::{FieldPath, Fields, Root, Value};

use super::{Approval, Next};

/// The template of a notification that has none of its own: its text is the step's.
pub const NOTIFY_TEMPLATE: &str = "notify";
/// The kind of object that a promo code is.
pub const PROMO_KIND: &str = "promo";
/// The field of a deal that `move` sets.
pub const STAGE_FIELD: &str = "stage";

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Stable through versions.
    pub key: StepKey,
    /// Whether the author gave the key; else it is the step's place, which may mean another step in
    /// another version.
    pub named: bool,
    /// What it does.
    pub kind: StepKind,
    /// What follows it, for kinds without ways.
    pub next: Next,
    /// How late it may still be done.
    pub late: Delay,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind<W = Next> {
    /// Sends one message.
    Send {
        /// Which.
        send: Send,
        /// The way when the contact could not be reached by it.
        otherwise: W,
    },
    /// Waits for a moment.
    Wait(Wait),
    /// Waits for something to happen.
    WaitFor {
        /// What, each with its way.
        awaited: Vec<Awaited<W>>,
        /// How long at most.
        timeout: Option<Delay>,
        /// The way when nothing of it happens in time.
        otherwise: W,
    },
    /// Goes the way of the first condition that holds.
    Branch {
        /// Conditions and their ways.
        arms: Vec<(Condition, W)>,
        /// The way when none holds.
        otherwise: W,
    },
    /// Divides contacts by weight, each for ever the same way (R5).
    Split {
        /// The ways.
        arms: Vec<Arm<W>>,
        /// What sticks to a way.
        by: Unit,
        /// The experiment's name, for splits that must agree across steps and journeys; else its place.
        experiment: Option<Arc<str>>,
    },
    /// Gives a person something to do.
    Task(TaskStep),
    /// Tells one of ours.
    Notify(NotifyStep),
    /// Sets traits of the contact or fields of the subject.
    Set(Vec<(FieldPath, Value)>),
    /// Moves the deal to another stage.
    Move {
        /// Which.
        stage: Arc<str>,
    },
    /// Issues a promo code.
    Promo(Promo),
    /// Begins another journey for the contact, about the same subject.
    Enroll(JourneyId),
    /// Ends the run.
    Stop,
}

/// One message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    /// By which channel.
    pub channel: Channel,
    /// What it says.
    pub template: TemplateId,
    /// From whom.
    pub from: Sender,
    /// Its own approval, else the journey's.
    pub approval: Option<Approval>,
    /// What must hold, when the step is reached and again before the wire; else it is passed over.
    pub when: Option<Condition>,
    /// The list whose next unseen item it carries.
    pub content: Option<ListId>,
    /// Reminders to the same contact within this time become one message.
    pub digest: Option<Delay>,
    /// The contact counts as not reached when it does not open the message within this time.
    pub opened_within: Option<Delay>,
}

/// From whom a message comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The workspace's address.
    Workspace,
    /// The owner's mailbox, in the thread of the subject.
    OwnerMailbox,
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The contact.
    Contact,
    /// The owner of the subject or contact.
    Owner,
    /// Everyone of a role.
    Role(Arc<str>),
    /// One of ours, by address.
    User(Arc<str>),
}

/// A wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// For which moment.
    pub until: Until,
    /// When the run may go on.
    pub window: Option<Window>,
}

/// The moment that a wait is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Until {
    /// A time after the step was reached.
    Passed(Delay),
    /// The next time of day.
    TimeOfDay(jiff::civil::Time),
    /// A date that a trait of the contact or a field of the subject holds.
    Date {
        /// Which.
        path: FieldPath,
        /// The moment that the date stands for.
        rule: DateRule,
    },
    /// The hour at which the contact mostly opens and replies.
    BestHour {
        /// The hour while too little is known.
        fallback: jiff::civil::Time,
    },
}

/// One thing that a run waits for, with its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Awaited<W = Next> {
    /// What.
    pub what: AwaitedThing,
    /// Where the run goes on.
    pub then: W,
}

/// Something that a run waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum AwaitedThing {
    /// An event.
    Event {
        /// Its name.
        event: EventName,
        /// What it must be.
        filter: Condition,
        /// Whether what happened since the entry counts too.
        since_enrolled: bool,
    },
    /// That a condition holds; asked when the step is reached and at whatever happens to the contact.
    Condition(Condition),
}

/// One way of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm<W = Next> {
    /// Its name.
    pub variant: Variant,
    /// Its share among the weights of all arms.
    pub weight: u32,
    /// Where the run goes on.
    pub then: W,
}

/// What a share or a variant sticks to (R5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unit {
    /// Each contact by itself.
    #[default]
    Contact,
    /// All contacts of an account alike; a contact without one by itself.
    Account,
}

/// Something for a person to do.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskStep {
    /// A Jinja text.
    pub title: Arc<str>,
    /// When it should be done, counted from its creation.
    pub due: Option<Delay>,
    /// Who should; `None` is the owner.
    pub assignee: Option<Arc<str>>,
}

/// A word to one of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct NotifyStep {
    /// To whom; never [`Recipient::Contact`].
    pub to: Recipient,
    /// A Jinja text; its first line is the subject line.
    pub text: Arc<str>,
    /// A template instead of the text.
    pub template: Option<TemplateId>,
}

/// A promo code to issue. The code derives from run and step, so a replay issues the same (R6).
#[derive(Debug, Clone, PartialEq)]
pub struct Promo {
    /// What codes begin with.
    pub prefix: Arc<str>,
    /// The trait that keeps the code, for templates.
    pub save_as: Arc<str>,
    /// How long it is good for.
    pub valid: Option<Delay>,
    /// What the shop must know of it: `{ discount: 10 }`.
    pub fields: Fields,
}

impl<W> StepKind<W> {
    /// The word in the journey language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Send { .. } => "send",
            Self::Wait(_) => "wait",
            Self::WaitFor { .. } => "wait_for",
            Self::Branch { .. } => "branch",
            Self::Split { .. } => "split",
            Self::Task(_) => "task",
            Self::Notify(_) => "notify",
            Self::Set(_) => "set",
            Self::Move { .. } => "move",
            Self::Promo(_) => "promo",
            Self::Enroll(_) => "enroll",
            Self::Stop => "stop",
        }
    }

    /// What it waits for.
    pub fn awaited(&self) -> &[Awaited<W>] {
        match self {
            Self::WaitFor { awaited, .. } => awaited,
            Self::Send { .. }
            | Self::Wait(_)
            | Self::Branch { .. }
            | Self::Split { .. }
            | Self::Task(_)
            | Self::Notify(_)
            | Self::Set(_)
            | Self::Move { .. }
            | Self::Promo(_)
            | Self::Enroll(_)
            | Self::Stop => &[],
        }
    }

    /// Names of the events that it waits for, with their filters.
    pub fn awaited_events(&self) -> impl Iterator<Item = (&EventName, &Condition, bool)> {
        self.awaited().iter().filter_map(|one| match &one.what {
            AwaitedThing::Event {
                event,
                filter,
                since_enrolled,
            } => Some((event, filter, *since_enrolled)),
            AwaitedThing::Condition(_) => None,
        })
    }

    /// The same step with its ways made into something else, first to last.
    pub fn map_ways<V>(&self, mut lay: impl FnMut(Way<'_>, &W) -> V) -> StepKind<V> {
        match self {
            Self::Send { send, otherwise } => StepKind::Send {
                send: send.clone(),
                otherwise: lay(Way::Otherwise, otherwise),
            },
            Self::Wait(wait) => StepKind::Wait(wait.clone()),
            Self::WaitFor {
                awaited,
                timeout,
                otherwise,
            } => {
                let only = awaited.len() == 1;
                let awaited = awaited
                    .iter()
                    .enumerate()
                    .map(|(at, one)| {
                        let way = if only { Way::Then } else { Way::On(at + 1) };
                        Awaited {
                            what: one.what.clone(),
                            then: lay(way, &one.then),
                        }
                    })
                    .collect();
                StepKind::WaitFor {
                    awaited,
                    timeout: *timeout,
                    otherwise: lay(Way::Else, otherwise),
                }
            }
            Self::Branch { arms, otherwise } => StepKind::Branch {
                arms: arms
                    .iter()
                    .enumerate()
                    .map(|(at, (when, way))| (when.clone(), lay(Way::If(at + 1), way)))
                    .collect(),
                otherwise: lay(Way::Else, otherwise),
            },
            Self::Split {
                arms,
                by,
                experiment,
            } => StepKind::Split {
                arms: arms
                    .iter()
                    .map(|arm| Arm {
                        variant: arm.variant.clone(),
                        weight: arm.weight,
                        then: lay(Way::Variant(&arm.variant), &arm.then),
                    })
                    .collect(),
                by: *by,
                experiment: experiment.clone(),
            },
            Self::Task(task) => StepKind::Task(task.clone()),
            Self::Notify(notify) => StepKind::Notify(notify.clone()),
            Self::Set(changes) => StepKind::Set(changes.clone()),
            Self::Move { stage } => StepKind::Move {
                stage: stage.clone(),
            },
            Self::Promo(promo) => StepKind::Promo(promo.clone()),
            Self::Enroll(journey) => StepKind::Enroll(journey.clone()),
            Self::Stop => StepKind::Stop,
        }
    }

    /// The way of a word: `then`, `on2`, `if1`, `else`, `otherwise`, or a variant.
    pub fn way(&self, word: &str) -> Option<W>
    where
        W: Clone,
    {
        let mut found = None;
        self.map_ways(|way, to| {
            if way.to_string() == word {
                found = Some(to.clone());
            }
        });
        found
    }

    /// Adds what the step may look back over.
    pub fn asks(&self, into: &mut Asks) {
        match self {
            Self::WaitFor { awaited, .. } => {
                for one in awaited {
                    match &one.what {
                        AwaitedThing::Event {
                            event,
                            filter,
                            since_enrolled,
                        } => {
                            filter.asks(into);
                            if *since_enrolled {
                                into.history.insert(event.clone());
                            }
                        }
                        AwaitedThing::Condition(condition) => condition.asks(into),
                    }
                }
            }
            Self::Branch { arms, .. } => {
                arms.iter().for_each(|(when, _)| when.asks(into));
            }
            Self::Send { send, .. } => {
                if let Some(when) = &send.when {
                    when.asks(into);
                }
            }
            Self::Wait(Wait {
                until: Until::BestHour { .. },
                ..
            }) => into.history.extend(SIGNS_OF_LIFE.map(EventName::from)),
            Self::Wait(_)
            | Self::Split { .. }
            | Self::Task(_)
            | Self::Notify(_)
            | Self::Set(_)
            | Self::Move { .. }
            | Self::Promo(_)
            | Self::Enroll(_)
            | Self::Stop => {}
        }
    }

    /// The fields that it changes.
    pub fn changes(&self) -> Vec<Changes<'_>> {
        match self {
            Self::Set(changes) => changes
                .iter()
                .filter_map(|(path, _)| {
                    let name = path.names.first()?;
                    match path.root {
                        Root::Contact => Some(Changes::Contact(name)),
                        Root::Subject => Some(Changes::Subject(name)),
                        Root::Event => None,
                    }
                })
                .collect(),
            Self::Move { .. } => vec![Changes::Subject(STAGE_FIELD)],
            Self::Promo(promo) => vec![Changes::Contact(&promo.save_as)],
            Self::Send { .. }
            | Self::Wait(_)
            | Self::WaitFor { .. }
            | Self::Branch { .. }
            | Self::Split { .. }
            | Self::Task(_)
            | Self::Notify(_)
            | Self::Enroll(_)
            | Self::Stop => Vec::new(),
        }
    }
}

/// A field that a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes<'a> {
    /// A trait of the contact.
    Contact(&'a str),
    /// A field of the subject.
    Subject(&'a str),
}

/// What shows that a person was there: what the best hour is told from.
pub const SIGNS_OF_LIFE: [&str; 3] = [
    names::EMAIL_OPENED,
    names::EMAIL_LINK_CLICKED,
    names::REPLIED,
];

/// What answers a run that listens at a `send`: a person has the message, or nobody will (see `answered` in
/// `decide`).
pub const SIGNS_OF_RECEIPT: [&str; 4] = [
    names::EMAIL_OPENED,
    names::EMAIL_LINK_CLICKED,
    names::REPLIED,
    names::EMAIL_BOUNCED,
];

/// Which way of a step; as text, its part in the keys of the steps inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'a> {
    /// The only awaited thing came.
    Then,
    /// The how-many-th awaited thing came.
    On(usize),
    /// The how-many-th condition holds.
    If(usize),
    /// An arm of a split.
    Variant(&'a Variant),
    /// Nothing of it.
    Else,
    /// The contact could not be reached.
    Otherwise,
}

impl std::fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Then => f.write_str("then"),
            Self::On(at) => write!(f, "on{at}"),
            Self::If(at) => write!(f, "if{at}"),
            Self::Variant(variant) => write!(f, "{variant}"),
            Self::Else => f.write_str("else"),
            Self::Otherwise => f.write_str("otherwise"),
        }
    }
}
