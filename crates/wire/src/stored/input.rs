//! What happened to a contact, on its way from one node to another over a table of the database.
//!
//! Every [`Input`] has a form, those too that a node never hands over, so that a new one cannot be forgotten.
//! Whoever reads an input from a row sees to it that the messages it names are of the row's contact.
//!
//! **Absent:** the contact and the order of arrival, which are columns; who hands what to whom.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::consent::{About, Consent};
use relance_core::contact::{Channel, SuppressionReason};
use relance_core::decide::{Answer, Input, Overdue, Starter, TaskAct, TaskOrder, Timer, TimerKind};
use relance_core::ids::{JourneyId, SegmentId, Topic, TouchpointId, UserId};
use relance_core::preferences::Wishes;
use relance_core::time::Zone;
use relance_core::value::Fields;
use serde::{Deserialize, Serialize};

use super::consent::{EvidenceV1, PreferencesV1};
use super::event::EventV1;
use super::touchpoint::OutcomeV1;
use super::{StoredProblem, SubjectV1, Version, bounded, read, text};

const SHAPE: &str = "input";

#[derive(Debug, Serialize, Deserialize)]
struct BodyV1<'a> {
    v: Version<1>,
    input: InputV1<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InputV1<'a> {
    Event(Box<EventV1<'a>>),
    Echo(Box<EventV1<'a>>),
    Timer {
        due: Timestamp,
        of: TimerKindV1,
    },
    Claim(TouchpointId),
    Settle {
        touchpoint: TouchpointId,
        attempt: u8,
        outcome: OutcomeV1,
    },
    Approve {
        touchpoint: TouchpointId,
        by: UserId,
        answer: AnswerV1,
    },
    Suppress {
        channel: Channel,
        reason: SuppressionReason,
    },
    Consent {
        channel: Channel,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<Topic>,
        answer: Consent,
        #[serde(default, skip_serializing_if = "EvidenceV1::is_empty")]
        evidence: EvidenceV1,
    },
    Confirm(EvidenceV1),
    Prefer(WishesV1),
    Lift(Channel),
    Segment {
        segment: SegmentId,
        member: bool,
    },
    Assess(Arc<[SegmentId]>),
    Enroll {
        journey: JourneyId,
        by: StarterV1,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<SubjectV1>,
        #[serde(rename = "p", default, skip_serializing_if = "is_empty")]
        properties: Cow<'a, Fields>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        once: Option<Arc<str>>,
    },
    Account,
    Arm(JourneyId),
    Resume {
        journey: JourneyId,
        overdue: OverdueV1,
    },
    End(JourneyId),
    Task {
        task: TouchpointId,
        journey: JourneyId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<SubjectV1>,
        title: Arc<str>,
        by: UserId,
        act: TaskActV1,
    },
    Erase,
    Reconsider(Option<Zone>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TaskActV1 {
    Done,
    Reopen,
    Postpone(Timestamp),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TimerKindV1 {
    Enrollment(u32),
    Touchpoint(u64),
    Watch(u64),
    Segment(u64),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnswerV1 {
    Approve {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Arc<str>>,
    },
    Skip,
    CallInstead,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StarterV1 {
    Person(UserId),
    Program,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OverdueV1 {
    Late,
    Skip,
    Shift,
}

#[derive(Debug, Serialize, Deserialize)]
struct WishesV1 {
    #[serde(default, skip_serializing_if = "PreferencesV1::is_empty")]
    preferences: PreferencesV1,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<WishV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(default, skip_serializing_if = "EvidenceV1::is_empty")]
    evidence: EvidenceV1,
}

#[derive(Debug, Serialize, Deserialize)]
struct WishV1 {
    about: AboutV1,
    answer: Consent,
}

/// Not the word of the log: a topic without a name has none that reads back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AboutV1 {
    Channel(Channel),
    Topic(Topic),
}

#[expect(clippy::ptr_arg, reason = "serde hands over the field's own type")]
fn is_empty(fields: &Cow<'_, Fields>) -> bool {
    fields.is_empty()
}

impl From<TimerKind> for TimerKindV1 {
    fn from(kind: TimerKind) -> Self {
        match kind {
            TimerKind::Enrollment(number) => Self::Enrollment(number),
            TimerKind::Touchpoint(hash) => Self::Touchpoint(hash),
            TimerKind::Watch(hash) => Self::Watch(hash),
            TimerKind::Segment(hash) => Self::Segment(hash),
        }
    }
}

impl From<TimerKindV1> for TimerKind {
    fn from(kind: TimerKindV1) -> Self {
        match kind {
            TimerKindV1::Enrollment(number) => Self::Enrollment(number),
            TimerKindV1::Touchpoint(hash) => Self::Touchpoint(hash),
            TimerKindV1::Watch(hash) => Self::Watch(hash),
            TimerKindV1::Segment(hash) => Self::Segment(hash),
        }
    }
}

impl From<&Answer> for AnswerV1 {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Approve { text } => Self::Approve { text: text.clone() },
            Answer::Skip => Self::Skip,
            Answer::CallInstead => Self::CallInstead,
        }
    }
}

impl From<AnswerV1> for Answer {
    fn from(answer: AnswerV1) -> Self {
        match answer {
            AnswerV1::Approve { text } => Self::Approve { text },
            AnswerV1::Skip => Self::Skip,
            AnswerV1::CallInstead => Self::CallInstead,
        }
    }
}

impl From<&Starter> for StarterV1 {
    fn from(starter: &Starter) -> Self {
        match starter {
            Starter::Person(user) => Self::Person(user.clone()),
            Starter::Program => Self::Program,
        }
    }
}

impl From<StarterV1> for Starter {
    fn from(starter: StarterV1) -> Self {
        match starter {
            StarterV1::Person(user) => Self::Person(user),
            StarterV1::Program => Self::Program,
        }
    }
}

impl From<Overdue> for OverdueV1 {
    fn from(overdue: Overdue) -> Self {
        match overdue {
            Overdue::Late => Self::Late,
            Overdue::Skip => Self::Skip,
            Overdue::Shift => Self::Shift,
        }
    }
}

impl From<OverdueV1> for Overdue {
    fn from(overdue: OverdueV1) -> Self {
        match overdue {
            OverdueV1::Late => Self::Late,
            OverdueV1::Skip => Self::Skip,
            OverdueV1::Shift => Self::Shift,
        }
    }
}

impl From<&About> for AboutV1 {
    fn from(about: &About) -> Self {
        match about {
            About::Channel(channel) => Self::Channel(*channel),
            About::Topic(topic) => Self::Topic(topic.clone()),
        }
    }
}

impl From<AboutV1> for About {
    fn from(about: AboutV1) -> Self {
        match about {
            AboutV1::Channel(channel) => Self::Channel(channel),
            AboutV1::Topic(topic) => Self::Topic(topic),
        }
    }
}

impl From<&Wishes> for WishesV1 {
    fn from(wishes: &Wishes) -> Self {
        let Wishes {
            preferences,
            answers,
            language,
            evidence,
        } = wishes;
        Self {
            preferences: preferences.into(),
            answers: answers
                .iter()
                .map(|(about, answer)| WishV1 {
                    about: about.into(),
                    answer: *answer,
                })
                .collect(),
            language: language.clone(),
            evidence: evidence.into(),
        }
    }
}

impl From<WishesV1> for Wishes {
    fn from(wishes: WishesV1) -> Self {
        Self {
            preferences: wishes.preferences.into(),
            answers: wishes
                .answers
                .into_iter()
                .map(|wish| (wish.about.into(), wish.answer))
                .collect(),
            language: wishes.language,
            evidence: wishes.evidence.into(),
        }
    }
}

impl<'a> From<&'a Input> for InputV1<'a> {
    fn from(input: &'a Input) -> Self {
        match input {
            Input::Event(event) => Self::Event(Box::new(EventV1::from(&**event))),
            Input::Echo(event) => Self::Echo(Box::new(EventV1::from(&**event))),
            Input::Timer(Timer { due_at, kind }) => Self::Timer {
                due: *due_at,
                of: (*kind).into(),
            },
            Input::Claim(touchpoint) => Self::Claim(*touchpoint),
            Input::Settle {
                touchpoint,
                attempt,
                outcome,
            } => Self::Settle {
                touchpoint: *touchpoint,
                attempt: *attempt,
                outcome: outcome.into(),
            },
            Input::Approve {
                touchpoint,
                by,
                answer,
            } => Self::Approve {
                touchpoint: *touchpoint,
                by: by.clone(),
                answer: answer.into(),
            },
            Input::Suppress { channel, reason } => Self::Suppress {
                channel: *channel,
                reason: *reason,
            },
            Input::Consent {
                channel,
                topic,
                consent,
                evidence,
            } => Self::Consent {
                channel: *channel,
                topic: topic.clone(),
                answer: *consent,
                evidence: evidence.into(),
            },
            Input::Confirm(evidence) => Self::Confirm(evidence.into()),
            Input::Prefer(wishes) => Self::Prefer(WishesV1::from(&**wishes)),
            Input::Lift(channel) => Self::Lift(*channel),
            Input::Segment { segment, member } => Self::Segment {
                segment: segment.clone(),
                member: *member,
            },
            Input::Assess(segments) => Self::Assess(segments.clone()),
            Input::Enroll {
                journey,
                by,
                subject,
                properties,
                once,
            } => Self::Enroll {
                journey: journey.clone(),
                by: by.into(),
                subject: subject.as_ref().map(SubjectV1::from),
                properties: bounded(properties),
                once: once.clone(),
            },
            Input::Account => Self::Account,
            Input::Arm(journey) => Self::Arm(journey.clone()),
            Input::Resume { journey, overdue } => Self::Resume {
                journey: journey.clone(),
                overdue: (*overdue).into(),
            },
            Input::End(journey) => Self::End(journey.clone()),
            Input::Task(order) => Self::Task {
                task: order.task,
                journey: order.journey.clone(),
                subject: order.subject.as_ref().map(SubjectV1::from),
                title: order.title.clone(),
                by: order.by.clone(),
                act: match order.act {
                    TaskAct::Done => TaskActV1::Done,
                    TaskAct::Reopen => TaskActV1::Reopen,
                    TaskAct::Postpone(until) => TaskActV1::Postpone(until),
                },
            },
            Input::Erase => Self::Erase,
            Input::Reconsider(left) => Self::Reconsider(left.clone()),
        }
    }
}

impl From<InputV1<'_>> for Input {
    fn from(input: InputV1<'_>) -> Self {
        match input {
            InputV1::Event(event) => Self::Event(Arc::new((*event).into())),
            InputV1::Echo(event) => Self::Echo(Arc::new((*event).into())),
            InputV1::Timer { due, of } => Self::Timer(Timer {
                due_at: due,
                kind: of.into(),
            }),
            InputV1::Claim(touchpoint) => Self::Claim(touchpoint),
            InputV1::Settle {
                touchpoint,
                attempt,
                outcome,
            } => Self::Settle {
                touchpoint,
                attempt,
                outcome: outcome.into(),
            },
            InputV1::Approve {
                touchpoint,
                by,
                answer,
            } => Self::Approve {
                touchpoint,
                by,
                answer: answer.into(),
            },
            InputV1::Suppress { channel, reason } => Self::Suppress { channel, reason },
            InputV1::Consent {
                channel,
                topic,
                answer,
                evidence,
            } => Self::Consent {
                channel,
                topic,
                consent: answer,
                evidence: evidence.into(),
            },
            InputV1::Confirm(evidence) => Self::Confirm(evidence.into()),
            InputV1::Prefer(wishes) => Self::Prefer(Box::new(wishes.into())),
            InputV1::Lift(channel) => Self::Lift(channel),
            InputV1::Segment { segment, member } => Self::Segment { segment, member },
            InputV1::Assess(segments) => Self::Assess(segments),
            InputV1::Enroll {
                journey,
                by,
                subject,
                properties,
                once,
            } => Self::Enroll {
                journey,
                by: by.into(),
                subject: subject.map(Into::into),
                properties: properties.into_owned(),
                once,
            },
            InputV1::Account => Self::Account,
            InputV1::Arm(journey) => Self::Arm(journey),
            InputV1::Resume { journey, overdue } => Self::Resume {
                journey,
                overdue: overdue.into(),
            },
            InputV1::End(journey) => Self::End(journey),
            InputV1::Task {
                task,
                journey,
                subject,
                title,
                by,
                act,
            } => Self::Task(Box::new(TaskOrder {
                task,
                journey,
                subject: subject.map(Into::into),
                title,
                by,
                act: match act {
                    TaskActV1::Done => TaskAct::Done,
                    TaskActV1::Reopen => TaskAct::Reopen,
                    TaskActV1::Postpone(until) => TaskAct::Postpone(until),
                },
            })),
            InputV1::Erase => Self::Erase,
            InputV1::Reconsider(left) => Self::Reconsider(left),
        }
    }
}

/// The text of an input.
pub fn input_text(input: &Input) -> Result<String, StoredProblem> {
    let body = BodyV1 {
        v: Version,
        input: input.into(),
    };
    text(SHAPE, &body)
}

/// The input of a text.
pub fn read_input(text: &str) -> Result<Input, StoredProblem> {
    read::<BodyV1<'_>>(SHAPE, text).map(|body| body.input.into())
}
