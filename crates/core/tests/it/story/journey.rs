//! Journeys in the stories' words: one step a line, ways inside a step two spaces deeper.

use std::sync::Arc;

use relance_core::condition::{Condition, Did, Operand, Test};
use relance_core::contact::Channel;
use relance_core::ids::{JourneyId, StepKey};
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Approval, Approver, Arm, Awaited, AwaitedThing, Deputy, Exit, Goal, Holdout, Journey, Lapse,
    NotifyStep, On, Promo, Recipient, Reentry, Send, Sender, StepKind, TaskStep, Trigger, Unit,
    Until, Wait, publish,
};
use relance_core::segment::{Rule, Segment};
use relance_core::time::{DateRule, Offset, Recurrence, Window, parse_time_of_day};
use relance_core::value::{FieldPath, Fields, Root, Value};

/// Reads `journey ID [vN]: on ...` and its lines.
pub fn read(lines: &[&str]) -> Arc<Journey> {
    let (draft, version) = draft(lines);
    match publish(draft, version) {
        Ok(journey) => Arc::new(journey),
        Err(problems) => panic!("{problems:?}"),
    }
}

/// Reads a journey that may have problems, and its version.
pub fn draft(lines: &[&str]) -> (JourneyDraft, u32) {
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
        holdout: Holdout::default(),
        approval: Approval::AUTO,
        topic: None,
        priority: 0,
        waits_for_absent: true,
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
            ["holdout", share, ref by @ ..] if top => {
                draft.holdout = Holdout {
                    permille: permille(share),
                    by: unit(by),
                };
            }
            ["away", "ignore"] if top => draft.waits_for_absent = false,
            ["priority", priority] if top => draft.priority = priority.parse().expect(priority),
            ["approval", ref who @ ..] if top => draft.approval = approval(who),
            ["topic", topic] if top => draft.topic = Some(topic.into()),
            [..] => steps.push(*line),
        }
    }
    draft.steps = read_steps(&steps, 2);
    (draft, version)
}

fn exit(event: &str, any: bool, filter: Condition) -> Exit {
    Exit {
        event: event.into(),
        filter,
        any,
    }
}

/// `10%` in thousandths.
pub fn permille(share: &str) -> u16 {
    let percent: u16 = share.trim_end_matches('%').parse().expect(share);
    percent * 10
}

/// Nothing, or `by account`.
fn unit(words: &[&str]) -> Unit {
    match words {
        [] => Unit::Contact,
        ["by", "account"] => Unit::Account,
        other => panic!("a unit is `by account`, not {other:?}"),
    }
}

/// `WHO [deputy WHO after TIME] [expires TIME] [lapse END]`.
fn approval(words: &[&str]) -> Approval {
    let mut approval = Approval::of(approver(words[0]));
    let mut rest = &words[1..];
    loop {
        match rest {
            [] => return approval,
            ["deputy", who, "after", after, more @ ..] => {
                approval.deputy = Some(Deputy {
                    who: approver(who),
                    after: after.parse().expect(after),
                });
                rest = more;
            }
            ["expires", delay, more @ ..] => {
                approval.expires = Some(delay.parse().expect(delay));
                rest = more;
            }
            ["lapse", end, more @ ..] => {
                approval.lapse = match *end {
                    "skip" => Lapse::Skip,
                    "send" => Lapse::Send,
                    "stop" => Lapse::Stop,
                    "call" => Lapse::Call,
                    other => panic!("no end of a question: {other}"),
                };
                rest = more;
            }
            other => panic!("in an approval: {other:?}"),
        }
    }
}

fn approver(who: &str) -> Approver {
    match who {
        "auto" => Approver::Auto,
        "owner" => Approver::Owner,
        role => Approver::Role(role.trim_start_matches("role:").to_owned()),
    }
}

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text, None).expect(text)
}

/// `[offset -3d] [at 09:00] [yearly]`; the rest is left.
fn date_rule<'a>(words: &'a [&'a str]) -> (DateRule, &'a [&'a str]) {
    let mut rule = DateRule::default();
    let mut rest = words;
    loop {
        match rest {
            ["offset", offset, more @ ..] => {
                rule.offset = Some(offset.parse::<Offset>().expect(offset));
                rest = more;
            }
            ["at", time, more @ ..] => {
                rule.at = Some(parse_time_of_day(time).expect(time));
                rest = more;
            }
            ["yearly", more @ ..] => {
                rule.yearly = true;
                rest = more;
            }
            _other => return (rule, rest),
        }
    }
}

fn read_trigger(text: &str) -> (Trigger, Option<String>) {
    let words = split(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut subject = None;
    let mut filter = Condition::All(vec![]);
    let (mut on, mut rest) = match words[..] {
        ["on", event, ref rest @ ..] => (On::Event(event.into()), rest),
        ["inactive", after, ref rest @ ..] => {
            let after = after.parse().expect(after);
            (On::Inactive { event: None, after }, rest)
        }
        ["entered", segment, ref rest @ ..] => (On::SegmentEntered(segment.into()), rest),
        ["left", segment, ref rest @ ..] => (On::SegmentLeft(segment.into()), rest),
        ["changed", field, ref rest @ ..] => {
            let (mut from, mut to, mut rest) = (None, None, rest);
            loop {
                match rest {
                    ["from", was, more @ ..] => (from, rest) = (Some(value(was)), more),
                    ["to", is, more @ ..] => (to, rest) = (Some(value(is)), more),
                    _other => break,
                }
            }
            let path = path(field);
            (On::Changed { path, from, to }, rest)
        }
        ["date", field, ref rest @ ..] => {
            let (rule, rest) = date_rule(rest);
            let path = path(field);
            (On::Date { path, rule }, rest)
        }
        ["schedule", days, "at", time, ref rest @ ..] => {
            let days = Some(days).filter(|days| *days != "daily");
            let (every, rest) = match rest {
                ["every", weeks, more @ ..] => (
                    Some(weeks.trim_end_matches('w').parse().expect(weeks)),
                    more,
                ),
                _other => (None, rest),
            };
            let rule = Recurrence::parse(days, time, every, None).expect("schedule");
            let (segment, rest) = match rest {
                ["for", segment, more @ ..] => (Some((*segment).into()), more),
                _other => (None, rest),
            };
            (On::Schedule { rule, segment }, rest)
        }
        ["manual", ref rest @ ..] => (On::Manual, rest),
        ["api", ref rest @ ..] => (On::Api, rest),
        ref other => panic!("no trigger: {other:?}"),
    };
    loop {
        match rest {
            [] => break,
            ["about", kind, more @ ..] => {
                subject = Some((*kind).to_owned());
                rest = more;
            }
            ["event", name, more @ ..] => {
                let On::Inactive { event, .. } = &mut on else {
                    panic!("only `inactive` misses an event");
                };
                *event = Some((*name).into());
                rest = more;
            }
            ["where", more @ ..] => {
                filter = condition(more);
                rest = &[];
            }
            other => panic!("in a trigger: {other:?}"),
        }
    }
    (Trigger { on, filter }, subject)
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
        ["wait", "best_hour", fallback] => StepKind::Wait(Wait {
            until: Until::BestHour {
                fallback: parse_time_of_day(fallback).expect(fallback),
            },
            window: None,
        }),
        ["wait", "until", field, ref rest @ ..] if field.contains('.') => {
            let (rule, rest) = date_rule(rest);
            assert!(rest.is_empty(), "in a wait: {rest:?}");
            let until = Until::Date {
                path: path(field),
                rule,
            };
            StepKind::Wait(Wait {
                until,
                window: None,
            })
        }
        ["wait", "until", time] => StepKind::Wait(Wait {
            until: Until::TimeOfDay(parse_time_of_day(time).expect(time)),
            window: None,
        }),
        ["wait", delay, ref window @ ..] => StepKind::Wait(Wait {
            until: Until::Passed(delay.parse().expect(delay)),
            window: match window {
                [] => None,
                ["in", days, hours] => {
                    Some(Window::parse(Some(days), Some(hours)).expect("window"))
                }
                other => panic!("in a wait: {other:?}"),
            },
        }),
        ["wait_for", "any", ref timeout @ ..] => {
            let otherwise = way("else");
            let awaited = ways
                .drain(..)
                .map(|(head, then)| {
                    let words = split(head);
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    let what = match words[..] {
                        ["on", event] => awaited_event(event, false),
                        ["when", ref rest @ ..] => AwaitedThing::Condition(condition(rest)),
                        ref other => panic!("awaited: {other:?}"),
                    };
                    Awaited { what, then }
                })
                .collect();
            StepKind::WaitFor {
                awaited,
                timeout: timeout.first().map(|delay| delay.parse().expect(delay)),
                otherwise,
            }
        }
        ["wait_for", event, ref rest @ ..] => {
            let mut timeout = None;
            let mut since_enrolled = false;
            for word in rest {
                match *word {
                    "since_enrolled" => since_enrolled = true,
                    delay => timeout = Some(delay.parse().expect(delay)),
                }
            }
            StepKind::WaitFor {
                awaited: vec![Awaited {
                    what: awaited_event(event, since_enrolled),
                    then: way("then"),
                }],
                timeout,
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
            StepKind::Branch { arms, otherwise }
        }
        ["split", ref rest @ ..] => {
            let (experiment, rest) = match rest {
                ["experiment", name, more @ ..] => (Some((*name).into()), more),
                _other => (None, rest),
            };
            let arms = ways
                .drain(..)
                .map(|(head, then)| {
                    let words: Vec<&str> = head.split_whitespace().collect();
                    let ["arm", variant, weight] = words[..] else {
                        panic!("an arm is `arm NAME WEIGHT`, not {head}");
                    };
                    Arm {
                        variant: variant.into(),
                        weight: weight.parse().expect(weight),
                        then,
                    }
                })
                .collect();
            StepKind::Split {
                arms,
                by: unit(rest),
                experiment,
            }
        }
        ["set", field, "=", value] => StepKind::Set(vec![(path(field), self::value(value))]),
        ["task", title, ref due @ ..] => StepKind::Task(TaskStep {
            title: title.into(),
            due: due.first().map(|due| due.parse().expect(due)),
            assignee: None,
        }),
        ["notify", to, text] => StepKind::Notify(NotifyStep {
            to: match to.split_once(':') {
                Some(("role", role)) => Recipient::Role(role.into()),
                Some(_) | None if to == "owner" => Recipient::Owner,
                Some(_) | None => Recipient::User(to.into()),
            },
            text: text.into(),
            template: None,
        }),
        ["move", stage] => StepKind::Move {
            stage: stage.into(),
        },
        ["promo", prefix, ref valid @ ..] => StepKind::Promo(Promo {
            prefix: prefix.into(),
            save_as: "promo_code".into(),
            valid: valid.first().map(|delay| delay.parse().expect(delay)),
            fields: Fields::new(),
        }),
        ["enroll", journey] => StepKind::Enroll(journey.into()),
        ["stop"] => StepKind::Stop,
        [channel, template, ref rest @ ..] => {
            let channel = Channel::from_word(channel).unwrap_or_else(|| panic!("step: {line}"));
            StepKind::Send {
                send: read_send(channel, template, rest),
                otherwise: way("otherwise"),
            }
        }
        ref other => panic!("no step: {other:?}"),
    };
    assert!(ways.is_empty(), "no way of this step: {:?}", ways[0].0);
    StepDraft {
        path: line.trim().to_owned(),
        id,
        late,
        kind,
    }
}

fn awaited_event(event: &str, since_enrolled: bool) -> AwaitedThing {
    AwaitedThing::Event {
        event: event.into(),
        filter: Condition::All(vec![]),
        since_enrolled,
    }
}

/// What stands behind channel and template, in any order; `approval ...` and `if ...` last.
fn read_send(channel: Channel, template: &str, words: &[&str]) -> Send {
    let mut send = Send {
        channel,
        template: template.into(),
        from: Sender::Workspace,
        approval: None,
        when: None,
        content: None,
        digest: None,
        opened_within: None,
    };
    let mut rest = words;
    loop {
        match rest {
            [] => return send,
            ["from", "owner", more @ ..] => {
                send.from = Sender::OwnerMailbox;
                rest = more;
            }
            ["content", list, more @ ..] => {
                send.content = Some((*list).into());
                rest = more;
            }
            ["digest", within, more @ ..] => {
                send.digest = Some(within.parse().expect(within));
                rest = more;
            }
            ["opened", within, more @ ..] => {
                send.opened_within = Some(within.parse().expect(within));
                rest = more;
            }
            ["approval", who @ ..] => {
                send.approval = Some(approval(who));
                rest = &[];
            }
            ["if", when @ ..] => {
                send.when = Some(condition(when));
                rest = &[];
            }
            other => panic!("in a send: {other:?}"),
        }
    }
}

/// `PATH OP VALUE`, `PATH before|after ago|in TIME`, `did EVENT [times N] [most N] [within TIME]`,
/// `has KIND [FIELD OP VALUE]`, `in_segment SEGMENT`, each after `not` too; joined by `and`.
pub fn condition(words: &[&str]) -> Condition {
    let parts = words.split(|word| *word == "and");
    Condition::All(parts.map(one_condition).collect())
}

fn one_condition(words: &[&str]) -> Condition {
    match words {
        ["did", event, limits @ ..] => Condition::Did(did(event, limits)),
        ["has", kind, filter @ ..] => Condition::Has {
            kind: (*kind).into(),
            filter: match filter {
                [] => None,
                [path, op, operand] => {
                    let path = format!("subject.{path}");
                    Some(Box::new(one_condition(&[&path, op, operand])))
                }
                other => panic!("an object has {other:?}"),
            },
        },
        [path, way @ ("before" | "after"), which, delay] => {
            let delay = delay.parse().expect(delay);
            let operand = match *which {
                "ago" => Operand::Ago(delay),
                "in" => Operand::In(delay),
                other => panic!("a moment is ago or in, not {other}"),
            };
            Condition::Field {
                path: self::path(path),
                test: match *way {
                    "before" => Test::Before(operand),
                    _after => Test::After(operand),
                },
            }
        }
        ["in_segment", segment] => Condition::InSegment((*segment).into()),
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

fn did(event: &str, limits: &[&str]) -> Did {
    let mut did = Did {
        event: event.into(),
        times_min: 1,
        times_max: None,
        within: None,
        filter: None,
        then: None,
    };
    for limit in limits.chunks(2) {
        let [word, value] = limit else {
            panic!("in a `did`: {limits:?}")
        };
        match *word {
            "times" => did.times_min = value.parse().expect(value),
            "most" => {
                did.times_min = 0;
                did.times_max = Some(value.parse().expect(value));
            }
            "within" => did.within = Some(value.parse().expect(value)),
            other => panic!("in a `did`: {other}"),
        }
    }
    did
}

/// `segment ID: listed`, or `segment ID: CONDITION [sets NAME VALUE] [announce]`.
pub fn segment(line: &str) -> Segment {
    let (id, rest) = line
        .strip_prefix("segment ")
        .and_then(|line| line.split_once(':'))
        .expect("`segment ID: ...`");
    let words = split(rest);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let announce = words.last() == Some(&"announce");
    words.truncate(words.len() - usize::from(announce));
    let sets = words.iter().position(|word| *word == "sets").map(|at| {
        let told = (words[at + 1].into(), value(words[at + 2]));
        words.truncate(at);
        told
    });
    Segment {
        id: id.into(),
        name: id.to_owned(),
        rule: match words[..] {
            ["listed"] => Rule::Listed,
            [..] => Rule::When(condition(&words)),
        },
        sets,
        announce,
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
