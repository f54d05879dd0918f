//! The journey language in few words.

use relance_core::condition::{Condition, Did, Test};
use relance_core::contact::Channel;
use relance_core::ids::{JourneyId, StepKey};
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Approval, Awaited, AwaitedThing, Exit, Holdout, On, Send, Sender, StepKind, TaskStep, Trigger,
    Until, Wait,
};
use relance_core::time::{Delay, Window};
use relance_core::value::{FieldPath, Value};

/// Steps inside a way.
pub type Steps = Vec<StepDraft>;

pub fn delay(text: &str) -> Delay {
    text.parse().expect("delay")
}

pub fn field(text: &str) -> FieldPath {
    FieldPath::parse(text, None).expect("path")
}

pub fn step(kind: StepKind<Steps>) -> StepDraft {
    StepDraft {
        path: "steps".to_owned(),
        id: None,
        late: None,
        kind,
    }
}

/// A step that its author named.
pub fn named(id: &str, kind: StepKind<Steps>) -> StepDraft {
    StepDraft {
        id: Some(StepKey::from(id)),
        ..step(kind)
    }
}

pub fn message(channel: Channel, template: &str) -> Send {
    Send {
        channel,
        template: template.into(),
        from: Sender::Workspace,
        approval: None,
        when: None,
        content: None,
        digest: None,
        opened_within: None,
    }
}

pub fn send(send: Send, otherwise: Steps) -> StepKind<Steps> {
    StepKind::Send { send, otherwise }
}

pub fn email(template: &str) -> StepDraft {
    step(send(message(Channel::Email, template), vec![]))
}

/// A message in the thread of the subject.
pub fn reminder(template: &str) -> StepDraft {
    let from = Sender::OwnerMailbox;
    let own = message(Channel::Email, template);
    step(send(Send { from, ..own }, vec![]))
}

pub fn wait_for_time(text: &str, window: bool) -> StepKind<Steps> {
    StepKind::Wait(Wait {
        until: Until::Passed(delay(text)),
        window: window.then(working_hours),
    })
}

pub fn working_hours() -> Window {
    Window::parse(Some("mon-fri"), Some("09:00-18:00")).expect("window")
}

pub fn event(name: &str, since_enrolled: bool, then: Steps) -> Awaited<Steps> {
    Awaited {
        what: AwaitedThing::Event {
            event: name.into(),
            filter: anything(),
            since_enrolled,
        },
        then,
    }
}

pub fn task(title: &str) -> StepKind<Steps> {
    StepKind::Task(TaskStep {
        title: title.into(),
        due: Some(delay("1bd")),
        assignee: None,
    })
}

pub fn set(path: &str, value: &str) -> StepKind<Steps> {
    StepKind::Set(vec![(field(path), Value::from(value))])
}

pub fn anything() -> Condition {
    Condition::All(vec![])
}

pub fn is(path: &str, value: &str) -> Condition {
    Condition::Field {
        path: field(path),
        test: Test::Eq(Value::from(value)),
    }
}

pub fn did(name: &str, times: u32, within: Option<&str>) -> Condition {
    Condition::Did(Did {
        event: name.into(),
        times_min: times,
        times_max: None,
        within: within.map(delay),
        filter: None,
        then: None,
    })
}

pub fn exit(event: &str) -> Exit {
    Exit {
        event: event.into(),
        filter: anything(),
        any: false,
    }
}

pub fn on(event: &str) -> Trigger {
    begins(On::Event(event.into()))
}

pub fn begins(on: On) -> Trigger {
    Trigger {
        on,
        filter: anything(),
    }
}

pub fn blank(id: &str, trigger: Trigger) -> JourneyDraft {
    JourneyDraft {
        id: JourneyId::from(id),
        name: id.to_owned(),
        subject: None,
        trigger,
        reentry: None,
        goal: None,
        exits: Vec::new(),
        holdout: Holdout::default(),
        approval: Approval::AUTO,
        topic: None,
        priority: 0,
        waits_for_absent: true,
        steps: Vec::new(),
    }
}
