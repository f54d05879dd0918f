//! Journeys in the stories' words: one step a line, ways inside a step two spaces deeper.

use std::sync::Arc;

use relance_core::condition::{Condition, Did, Operand, Test};
use relance_core::contact::Channel;
use relance_core::ids::{JourneyId, StepKey};
use relance_core::journey::draft::{JourneyDraft, StepDraft, StepDraftKind};
use relance_core::journey::{
    Approval, Exit, Goal, Journey, Reentry, Send, Sender, TaskStep, Trigger, publish,
};
use relance_core::time::Window;
use relance_core::value::{FieldPath, Root, Value};

/// Reads `journey ID [vN]: on ...` and its lines.
pub fn read(lines: &[&str]) -> Arc<Journey> {
    let head = lines[0].strip_prefix("journey ").expect("journey");
    let (name, trigger) = head.split_once(':').expect("`journey ID: on ...`");
    let (id, version) = match name.split_once(" v") {
        Some((id, version)) => (id, version.parse().expect(version)),
        None => (name, 1),
    };
    let (trigger, subject) = read_trigger(trigger.trim());
    let mut draft = JourneyDraft {
        id: JourneyId::from(id),
        name: id.to_owned(),
        subject: subject.map(Into::into),
        trigger,
        reentry: None,
        goal: None,
        exits: Vec::new(),
        holdout_permille: 0,
        approval: Approval::Auto,
        topic: None,
        steps: Vec::new(),
    };
    let mut steps = Vec::new();
    for line in &lines[1..] {
        let words = split(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let top = indent(line) == 2;
        match words[..] {
            ["exit", "any", event] if top => {
                draft.exits.push(exit(event, true, Condition::All(vec![])))
            }
            ["exit", event, "where", ref rest @ ..] if top => {
                draft.exits.push(exit(event, false, condition(rest)));
            }
            ["exit", event] if top => draft.exits.push(exit(event, false, Condition::All(vec![]))),
            ["goal", event, within] if top => {
                draft.goal = Some(Goal {
                    event: event.into(),
                    filter: Condition::All(vec![]),
                    within: within.parse().expect(within),
                });
            }
            ["reentry", how] if top => {
                draft.reentry = Some(match how {
                    "once" => Reentry::Once,
                    "once_per_subject" => Reentry::OncePerSubject,
                    "always" => Reentry::Always,
                    delay => Reentry::After(delay.parse().expect(delay)),
                });
            }
            ["holdout", share] if top => {
                let percent: u16 = share.trim_end_matches('%').parse().expect(share);
                draft.holdout_permille = percent * 10;
            }
            ["approval", who] if top => draft.approval = approval(who),
            ["topic", topic] if top => draft.topic = Some(topic.into()),
            [..] => steps.push(*line),
        }
    }
    draft.steps = read_steps(&steps, 2);
    match publish(draft, version) {
        Ok(journey) => Arc::new(journey),
        Err(problems) => panic!("{problems:?}"),
    }
}

fn exit(event: &str, any: bool, filter: Condition) -> Exit {
    Exit {
        event: event.into(),
        filter,
        any,
    }
}

fn approval(who: &str) -> Approval {
    match who {
        "auto" => Approval::Auto,
        "owner" => Approval::Owner,
        role => Approval::Role(role.trim_start_matches("role:").to_owned()),
    }
}

fn read_trigger(text: &str) -> (Trigger, Option<String>) {
    let words = split(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (what, rest) = match words[..] {
        ["on", event, ref rest @ ..] => (Ok(event), rest),
        ["inactive", after, ref rest @ ..] => (Err(after), rest),
        ref other => panic!("a trigger is `on EVENT` or `inactive TIME`, not {other:?}"),
    };
    let mut subject = None;
    let mut filter = Condition::All(vec![]);
    let mut missed = None;
    let mut rest = rest;
    loop {
        match rest {
            [] => break,
            ["about", kind, more @ ..] => {
                subject = Some((*kind).to_owned());
                rest = more;
            }
            ["event", name, more @ ..] => {
                missed = Some((*name).into());
                rest = more;
            }
            ["where", more @ ..] => {
                filter = condition(more);
                rest = &[];
            }
            other => panic!("in a trigger: {other:?}"),
        }
    }
    let trigger = match what {
        Ok(event) => Trigger::Event {
            event: event.into(),
            filter,
        },
        Err(after) => Trigger::Inactive {
            event: missed,
            after: after.parse().expect(after),
            filter,
        },
    };
    (trigger, subject)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Steps whose lines begin at `depth`; deeper lines belong to the step before.
fn read_steps(lines: &[&str], depth: usize) -> Vec<StepDraft> {
    let mut steps = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        assert_eq!(indent(lines[at]), depth, "indentation of: {}", lines[at]);
        let end = at
            + 1
            + lines[at + 1..]
                .iter()
                .take_while(|line| indent(line) > depth)
                .count();
        steps.push(read_step(lines[at], &lines[at + 1..end], depth + 2));
        at = end;
    }
    steps
}

/// The ways inside a step, by their first word: `then`, `else`, `if`.
fn ways<'a>(lines: &[&'a str], depth: usize) -> Vec<(&'a str, Vec<StepDraft>)> {
    let mut ways = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let end = at
            + 1
            + lines[at + 1..]
                .iter()
                .take_while(|line| indent(line) > depth)
                .count();
        ways.push((lines[at].trim(), read_steps(&lines[at + 1..end], depth + 2)));
        at = end;
    }
    ways
}

fn read_step(line: &str, inside: &[&str], depth: usize) -> StepDraft {
    let mut words = split(line);
    let mut late = None;
    if let Some(at) = words.iter().position(|word| word == "late") {
        late = Some(words[at + 1].parse().expect("late TIME"));
        words.drain(at..=at + 1);
    }
    let mut id = None;
    if let Some(at) = words.iter().position(|word| word == "id") {
        id = Some(StepKey::from(words[at + 1].as_str()));
        words.drain(at..=at + 1);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut ways = ways(inside, depth);
    let mut way = |name: &str| {
        let at = ways.iter().position(|(head, _)| *head == name);
        at.map(|at| ways.remove(at).1).unwrap_or_default()
    };
    let kind = match words[..] {
        ["wait", delay] => StepDraftKind::Wait {
            delay: delay.parse().expect(delay),
            window: None,
        },
        ["wait", delay, "in", days, hours] => StepDraftKind::Wait {
            delay: delay.parse().expect(delay),
            window: Some(Window::parse(Some(days), Some(hours)).expect("window")),
        },
        ["wait_for", event, ref rest @ ..] => {
            let mut timeout = None;
            let mut since_enrolled = false;
            for word in rest {
                match *word {
                    "since_enrolled" => since_enrolled = true,
                    delay => timeout = Some(delay.parse().expect(delay)),
                }
            }
            StepDraftKind::WaitFor {
                event: event.into(),
                filter: Condition::All(vec![]),
                since_enrolled,
                timeout,
                then: way("then"),
                otherwise: way("else"),
            }
        }
        ["branch"] => {
            let otherwise = way("else");
            let arms = ways
                .drain(..)
                .map(|(head, steps)| {
                    let words = split(head.strip_prefix("if ").expect("`if ...`"));
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    (condition(&words), steps)
                })
                .collect();
            StepDraftKind::Branch { arms, otherwise }
        }
        ["set", path, "=", value] => StepDraftKind::Set(vec![(
            FieldPath::parse(path, None).expect(path),
            self::value(value),
        )]),
        ["task", title, ref due @ ..] => StepDraftKind::Task(TaskStep {
            title: title.into(),
            due: due.first().map(|due| due.parse().expect(due)),
            assignee: None,
        }),
        ["stop"] => StepDraftKind::Stop,
        [channel, template, ref rest @ ..] => {
            let mut send = Send {
                channel: Channel::from_word(channel).unwrap_or_else(|| panic!("step: {line}")),
                template: template.into(),
                from: Sender::Workspace,
                approval: None,
            };
            match rest {
                [] => {}
                ["from", "owner"] => send.from = Sender::OwnerMailbox,
                ["approval", who] => send.approval = Some(approval(who)),
                other => panic!("in a send: {other:?}"),
            }
            StepDraftKind::Send(send)
        }
        ref other => panic!("no step: {other:?}"),
    };
    StepDraft {
        path: line.trim().to_owned(),
        id,
        late,
        kind,
    }
}

/// `PATH OP VALUE`, `did EVENT`, joined by `and`.
pub fn condition(words: &[&str]) -> Condition {
    let parts = words.split(|word| *word == "and");
    Condition::All(parts.map(one_condition).collect())
}

fn one_condition(words: &[&str]) -> Condition {
    match words {
        ["did", event] => Condition::Did(Did {
            event: (*event).into(),
            times_min: 1,
            times_max: None,
            within: None,
            filter: None,
            then: None,
        }),
        ["not", rest @ ..] => Condition::Not(Box::new(one_condition(rest))),
        [path, op, operand] => {
            let operand = value(operand);
            let test = match *op {
                "=" => Test::Eq(operand),
                "!=" => Test::Ne(operand),
                ">" => Test::Gt(Operand::Value(operand)),
                ">=" => Test::Gte(Operand::Value(operand)),
                "<" => Test::Lt(Operand::Value(operand)),
                "<=" => Test::Lte(Operand::Value(operand)),
                other => panic!("no comparison: {other}"),
            };
            let path = FieldPath::parse(path, Some(Root::Event)).expect(path);
            Condition::Field { path, test }
        }
        other => panic!("no condition: {other:?}"),
    }
}

/// JSON where it is, else text.
pub fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Words, texts in double quotes being one.
pub fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in text.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
