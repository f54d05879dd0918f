//! Steps in YAML: each a map with one verb, its options beside it.

use relance_core::contact::Channel;
use relance_core::ids::{EventName, StepKey, TemplateId};
use relance_core::journey::draft::{StepDraft, StepDraftKind};
use relance_core::journey::{NESTING_MAX, Send, Sender, TaskStep};
use relance_core::time::{Delay, Window};
use relance_core::value::{FieldPath, Root};

use crate::yaml::Node;

use super::reader::{Map, Reader, nearest, shorten};
use super::{condition, read_approval, read_where};

/// Verbs of steps.
pub const VERBS: &[&str] = &["send", "wait", "wait_for", "branch", "task", "set", "stop"];
/// Verbs of the language that this version does not run yet.
const VERBS_LATER: &[&str] = &["split", "notify", "move", "promo", "enroll"];
/// Options of every step.
pub const STEP_KEYS: &[&str] = &["id", "late"];
/// Options of `send`.
pub const SEND_KEYS: &[&str] = &["send", "template", "from", "approval"];
/// Options of `wait`.
pub const WAIT_KEYS: &[&str] = &["wait", "window"];
/// Options of `wait_for`.
pub const WAIT_FOR_KEYS: &[&str] = &["wait_for", "timeout", "then", "else"];
/// Keys of what is awaited.
pub const AWAITED_KEYS: &[&str] = &["event", "where", "since"];
/// Keys of an arm of a branch.
pub const ARM_KEYS: &[&str] = &["if", "then", "else"];
/// Keys of a task.
pub const TASK_KEYS: &[&str] = &["title", "due", "assignee"];
/// Keys of a window.
pub const WINDOW_KEYS: &[&str] = &["days", "hours"];

/// Reads a list of steps.
pub(super) fn read_list(reader: &mut Reader, node: &Node, path: &str) -> Vec<StepDraft> {
    // Deeper ones are refused at publication; here only recursion is bounded.
    if path.matches('[').count() > NESTING_MAX * 2 + 4 {
        reader.problem(
            path,
            node.line,
            "branches lie too deep",
            "split the journey in two",
        );
        return Vec::new();
    }
    let Some(list) = reader.list(node, path) else {
        return Vec::new();
    };
    list.iter()
        .enumerate()
        .filter_map(|(at, node)| read_step(reader, node, &format!("{path}[{at}]")))
        .collect()
}

fn read_step(reader: &mut Reader, node: &Node, path: &str) -> Option<StepDraft> {
    reader.lines.insert(path.to_owned(), node.line);
    let draft = |kind| StepDraft {
        path: path.to_owned(),
        id: None,
        late: None,
        kind,
    };
    if node.text() == Some("stop") {
        return Some(draft(StepDraftKind::Stop));
    }
    let Some(pairs) = node.pairs() else {
        let what = format!("expected a step, found {}", node.kind());
        reader.problem(path, node.line, what, "write for example `- wait: 3d`");
        return None;
    };
    let verbs: Vec<&str> = pairs
        .iter()
        .map(|pair| pair.key.as_str())
        .filter(|key| VERBS.contains(key))
        .collect();
    let verb = match verbs.as_slice() {
        [verb] => *verb,
        [] => {
            let later = pairs
                .iter()
                .find(|pair| VERBS_LATER.contains(&pair.key.as_str()));
            let (what, remedy) = match (later, pairs.first()) {
                (Some(pair), _) => (
                    format!("the step `{}` is not part of this version", pair.key),
                    format!("use {}", VERBS.join(", ")),
                ),
                (None, Some(pair)) => (
                    format!("`{}` is not a step", shorten(&pair.key)),
                    match nearest(&pair.key, VERBS) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("use {}", VERBS.join(", ")),
                    },
                ),
                (None, None) => (
                    "the step is empty".to_owned(),
                    "say what it does".to_owned(),
                ),
            };
            reader.problem(path, node.line, what, remedy);
            return None;
        }
        [first, second, ..] => {
            let what = format!("one step both `{first}` and `{second}`");
            reader.problem(path, node.line, what, "begin a new step with `- `");
            return None;
        }
    };
    let own: &[&str] = match verb {
        "send" => SEND_KEYS,
        "wait" => WAIT_KEYS,
        "wait_for" => WAIT_FOR_KEYS,
        "branch" => &["branch"],
        "task" => &["task"],
        "set" => &["set"],
        _stop => &["stop"],
    };
    let keys: Vec<&str> = own.iter().chain(STEP_KEYS).copied().collect();
    let map = reader.map(node, path, &keys)?;
    let id = reader.text(&map, "id").map(StepKey::from);
    let late = match map.get("late") {
        Some(node) => Some(reader.parse::<Delay>(node, &map.child("late"))?),
        None => None,
    };
    let kind = match verb {
        "send" => read_send(reader, &map)?,
        "wait" => read_wait(reader, &map)?,
        "wait_for" => read_wait_for(reader, &map)?,
        "branch" => read_branch(reader, &map)?,
        "task" => read_task(reader, &map)?,
        "set" => read_set(reader, &map)?,
        _stop => StepDraftKind::Stop,
    };
    Some(StepDraft {
        id,
        late,
        ..draft(kind)
    })
}

fn read_send(reader: &mut Reader, map: &Map<'_>) -> Option<StepDraftKind> {
    let word = reader.text(map, "send")?;
    let channel = Channel::from_word(word);
    if channel.is_none() {
        let words: Vec<&str> = Channel::ALL.iter().map(|channel| channel.word()).collect();
        let what = format!("{:?} is not a channel", shorten(word));
        reader.problem_at(map, "send", what, &format!("use {}", words.join(", ")));
    }
    let template = reader.text(map, "template").map(TemplateId::from);
    if template.is_none() {
        reader.missing(map, "template", "name the template to send");
    }
    let from = match reader.text(map, "from") {
        None | Some("workspace") => Sender::Workspace,
        Some("owner_mailbox") => Sender::OwnerMailbox,
        Some(other) => {
            let what = format!("{:?} is not a sender", shorten(other));
            reader.problem_at(map, "from", what, "write owner_mailbox or workspace");
            return None;
        }
    };
    let approval = match map.get("approval") {
        Some(node) => Some(read_approval(reader, node, &map.child("approval"))?),
        None => None,
    };
    Some(StepDraftKind::Send(Send {
        channel: channel?,
        template: template?,
        from,
        approval,
    }))
}

fn read_wait(reader: &mut Reader, map: &Map<'_>) -> Option<StepDraftKind> {
    let delay = match map.get("wait") {
        Some(node) => reader.parse::<Delay>(node, &map.child("wait")),
        None => {
            reader.missing(map, "wait", "say how long, for example 3d");
            None
        }
    };
    let window = match map.get("window") {
        Some(node) => Some(read_window(reader, node, &map.child("window"))?),
        None => None,
    };
    Some(StepDraftKind::Wait {
        delay: delay?,
        window,
    })
}

fn read_window(reader: &mut Reader, node: &Node, path: &str) -> Option<Window> {
    let map = reader.map(node, path, WINDOW_KEYS)?;
    let days = reader.text(&map, "days");
    let hours = reader.text(&map, "hours");
    match Window::parse(days, hours) {
        Ok(window) => Some(window),
        Err(error) => {
            let text = error.to_string();
            let (what, remedy) = text.split_once("; ").unwrap_or((&text, "see the guide"));
            reader.problem(path, node.line, what, remedy);
            None
        }
    }
}

fn read_wait_for(reader: &mut Reader, map: &Map<'_>) -> Option<StepDraftKind> {
    let path = map.child("wait_for");
    let Some(node) = map.get("wait_for") else {
        reader.missing(
            map,
            "wait_for",
            "write for example { event: Order Completed }",
        );
        return None;
    };
    let awaited = reader.map(node, &path, AWAITED_KEYS)?;
    let event = reader.text(&awaited, "event").map(EventName::from);
    if event.is_none() {
        reader.missing(&awaited, "event", "name the awaited event");
    }
    let filter = read_where(reader, &awaited);
    let since_enrolled = match reader.text(&awaited, "since") {
        None | Some("now") => false,
        Some("enrolled") => true,
        Some(other) => {
            let what = format!("{:?} is not a beginning", shorten(other));
            reader.problem_at(&awaited, "since", what, "write now or enrolled");
            false
        }
    };
    let timeout = match map.get("timeout") {
        Some(node) => Some(reader.parse::<Delay>(node, &map.child("timeout"))?),
        None => None,
    };
    let mut way = |key: &str| match map.get(key) {
        Some(node) => read_list(reader, node, &map.child(key)),
        None => Vec::new(),
    };
    let (then, otherwise) = (way("then"), way("else"));
    Some(StepDraftKind::WaitFor {
        event: event?,
        filter: filter?,
        since_enrolled,
        timeout,
        then,
        otherwise,
    })
}

fn read_branch(reader: &mut Reader, map: &Map<'_>) -> Option<StepDraftKind> {
    let path = map.child("branch");
    let list = reader.list(map.get("branch")?, &path)?;
    let mut arms = Vec::new();
    let mut otherwise = Vec::new();
    let mut whole = true;
    for (at, node) in list.iter().enumerate() {
        let path = format!("{path}[{at}]");
        let Some(arm) = reader.map(node, &path, ARM_KEYS) else {
            whole = false;
            continue;
        };
        match (arm.get("if"), arm.get("else")) {
            (Some(when), None) => {
                let when = condition::read(reader, when, &arm.child("if"), Root::Contact, 0);
                let steps = match arm.get("then") {
                    Some(node) => read_list(reader, node, &arm.child("then")),
                    None => Vec::new(),
                };
                whole &= when.is_some();
                arms.extend(when.map(|when| (when, steps)));
            }
            (None, Some(steps)) if at + 1 == list.len() => {
                otherwise = read_list(reader, steps, &arm.child("else"));
            }
            (None, Some(_)) => {
                reader.problem(
                    &path,
                    node.line,
                    "`else` is not the last",
                    "move it to the end",
                );
                whole = false;
            }
            (Some(_), Some(_)) | (None, None) => {
                let remedy = "write `- if: ...` with `then:`, or `- else:`";
                reader.problem(&path, node.line, "not an arm of a branch", remedy);
                whole = false;
            }
        }
    }
    whole.then_some(StepDraftKind::Branch { arms, otherwise })
}

fn read_task(reader: &mut Reader, map: &Map<'_>) -> Option<StepDraftKind> {
    let node = map.get("task")?;
    let path = map.child("task");
    if let Some(title) = node.text() {
        let task = TaskStep {
            title: title.into(),
            due: None,
            assignee: None,
        };
        return Some(StepDraftKind::Task(task));
    }
    let task = reader.map(node, &path, TASK_KEYS)?;
    let title = reader.text(&task, "title");
    if title.is_none() {
        reader.missing(&task, "title", "say what is to be done");
    }
    let due = match task.get("due") {
        Some(node) => Some(reader.parse::<Delay>(node, &task.child("due"))?),
        None => None,
    };
    let assignee = reader.text(&task, "assignee").map(Into::into);
    Some(StepDraftKind::Task(TaskStep {
        title: title?.into(),
        due,
        assignee,
    }))
}

fn read_set(reader: &mut Reader, map: &Map<'_>) -> Option<StepDraftKind> {
    let node = map.get("set")?;
    let path = map.child("set");
    let Some(pairs) = node.pairs() else {
        let what = format!("expected a map, found {}", node.kind());
        reader.problem(
            &path,
            node.line,
            what,
            "write for example { contact.grade: A }",
        );
        return None;
    };
    let mut changes = Vec::new();
    for pair in pairs {
        match FieldPath::parse(&pair.key, Some(Root::Contact)) {
            Ok(field) => changes.push((field, pair.value.to_value())),
            Err(error) => {
                let what = format!("{:?} is not a field", shorten(&pair.key));
                reader.problem(&path, pair.line, what, error.to_string());
                return None;
            }
        }
    }
    Some(StepDraftKind::Set(changes))
}
