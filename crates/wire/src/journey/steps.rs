//! Steps in YAML: each a map with one verb, its options beside it.

use std::sync::Arc;

use relance_core::contact::Channel;
use relance_core::ids::{JourneyId, ListId, StepKey, TemplateId, Variant};
use relance_core::journey::draft::StepDraft;
use relance_core::journey::{ARMS_MAX, Arm, NESTING_MAX, STEPS_MAX, Send, Sender, StepKind};
use relance_core::value::{Root, Value};

use crate::yaml::{Node, Pair};

use super::head::{read_approval, read_unit, read_word};
use super::reader::{ID_CHARS_MAX, Map, Reader, nearest, shorten};
use super::{acts, condition, waits};

/// The steps of a way.
pub(super) type Steps = Vec<StepDraft>;
/// What a step does, with its ways inside.
pub(super) type Kind = StepKind<Steps>;

/// Verbs of steps, each with what may stand beside it.
pub const VERBS: &[(&str, &[&str])] = &[
    (
        "send",
        &[
            "template",
            "from",
            "approval",
            "if",
            "content",
            "digest",
            "opened_within",
            "otherwise",
        ],
    ),
    ("wait", &["window"]),
    ("wait_for", &["timeout", "then", "else"]),
    ("branch", &[]),
    ("split", &["by", "experiment"]),
    ("task", &[]),
    ("notify", &["text", "template"]),
    ("set", &[]),
    ("move", &[]),
    ("promo", &[]),
    ("enroll", &[]),
    ("stop", &[]),
];
/// Options of every step.
pub const STEP_KEYS: &[&str] = &["id", "late"];
/// Keys of an arm of a branch.
pub const BRANCH_KEYS: &[&str] = &["if", "then", "else"];
/// Keys of an arm of a split.
pub const SPLIT_KEYS: &[&str] = &["variant", "weight", "then"];
/// From whom a message comes.
pub const SENDERS: &[(&str, Sender)] = &[
    ("workspace", Sender::Workspace),
    ("owner_mailbox", Sender::OwnerMailbox),
];
/// Arms of one branch.
pub const BRANCH_ARMS_MAX: usize = 100;
/// The largest weight of an arm of a split.
pub const WEIGHT_MAX: u32 = 10_000;
/// How deep the paths of steps may lie; what is less deep is judged at publication.
const PATH_DEPTH_MAX: usize = NESTING_MAX * 2 + 4;

/// The steps under a key; none when it is not there.
pub(super) fn read_way(reader: &mut Reader, map: &Map<'_>, key: &str) -> Steps {
    match map.get(key) {
        Some(node) => read_list(reader, node, &map.child(key)),
        None => Vec::new(),
    }
}

/// Reads a list of steps.
pub(super) fn read_list(reader: &mut Reader, node: &Node, path: &str) -> Steps {
    // Deeper ones are refused at publication; here only recursion is bounded.
    if path.matches('[').count() > PATH_DEPTH_MAX {
        let remedy = "split the journey in two";
        reader.problem(path, node.line, "branches lie too deep", remedy);
        return Vec::new();
    }
    let Some(list) = reader.list(node, path) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    for (at, node) in list.iter().enumerate() {
        let path = format!("{path}[{at}]");
        reader.steps += 1;
        if reader.steps > STEPS_MAX {
            // Once: the rest would say the same.
            if reader.steps == STEPS_MAX + 1 {
                let what = format!("the journey has more than {STEPS_MAX} steps");
                reader.problem(&path, node.line, what, "split it in two");
            }
            break;
        }
        steps.extend(read_step(reader, node, &path));
    }
    steps
}

fn read_step(reader: &mut Reader, node: &Node, path: &str) -> Option<StepDraft> {
    reader.lines.insert(path.to_owned(), node.line);
    if node.text() == Some("stop") {
        return Some(StepDraft {
            path: path.to_owned(),
            id: None,
            late: None,
            kind: Kind::Stop,
        });
    }
    let Some(pairs) = node.pairs() else {
        let what = format!("expected a step, found {}", node.kind());
        reader.problem(path, node.line, what, "write for example `- wait: 3d`");
        return None;
    };
    let (verb, options) = find_verb(reader, node, path, pairs)?;
    let keys = [&[verb][..], options, STEP_KEYS].concat();
    let map = reader.map(node, path, &keys)?;
    let id = map
        .get("id")
        .and_then(|node| reader.text_up_to(node, &map.child("id"), ID_CHARS_MAX))
        .map(StepKey::from);
    let late = reader.optional(&map, "late");
    let kind = match verb {
        "send" => read_send(reader, &map)?,
        "wait" => waits::read_wait(reader, &map)?,
        "wait_for" => waits::read_wait_for(reader, &map)?,
        "branch" => read_branch(reader, &map)?,
        "split" => read_split(reader, &map)?,
        "task" => acts::read_task(reader, &map)?,
        "notify" => acts::read_notify(reader, &map)?,
        "set" => acts::read_set(reader, &map)?,
        "move" => {
            let stage = reader.required_name(&map, verb, "name the stage to move the deal to")?;
            let stage = Arc::from(stage);
            Kind::Move { stage }
        }
        "promo" => acts::read_promo(reader, &map)?,
        "enroll" => {
            let node = reader.required(&map, verb, "write the id of the journey to begin")?;
            Kind::Enroll(JourneyId::from(reader.id(node, &map.child(verb))?))
        }
        _stop => read_stop(reader, &map)?,
    };
    Some(StepDraft {
        path: path.to_owned(),
        id,
        late,
        kind,
    })
}

/// The one verb of a step, with its options.
fn find_verb(
    reader: &mut Reader,
    node: &Node,
    path: &str,
    pairs: &[Pair],
) -> Option<(&'static str, &'static [&'static str])> {
    let mut verbs = VERBS
        .iter()
        .filter(|(verb, _)| pairs.iter().any(|pair| pair.key == *verb));
    match (verbs.next(), verbs.next()) {
        (Some(verb), None) => Some(*verb),
        (Some((first, _)), Some((second, _))) => {
            let what = format!("one step both `{first}` and `{second}`");
            reader.problem(path, node.line, what, "begin a new step with `- `");
            None
        }
        (None, _) => {
            let known: Vec<&str> = VERBS.iter().map(|(verb, _)| *verb).collect();
            let (what, remedy) = match pairs.first() {
                Some(pair) => (
                    format!("`{}` is not a step", shorten(&pair.key)),
                    match pairs.iter().find_map(|pair| nearest(&pair.key, &known)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("use {}", known.join(", ")),
                    },
                ),
                None => (
                    "the step is empty".to_owned(),
                    "say what it does".to_owned(),
                ),
            };
            reader.problem(path, node.line, what, remedy);
            None
        }
    }
}

fn read_stop(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    if let Some(node) = map.get("stop")
        && node.to_value() != Value::Bool(true)
    {
        let what = format!("expected nothing, found {}", node.kind());
        reader.problem_at(map, "stop", what, "write `- stop`");
        return None;
    }
    Some(Kind::Stop)
}

fn read_send(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    let channel = reader
        .required_name(map, "send", "name the channel, for example email")
        .and_then(|word| read_channel(reader, map, word));
    let template = reader.required_name(map, "template", "name the template to send");
    let from = read_word(reader, map, "from", SENDERS).unwrap_or(Sender::Workspace);
    let approval = map
        .get("approval")
        .and_then(|node| read_approval(reader, node, &map.child("approval")));
    let when = map
        .get("if")
        .and_then(|node| condition::read(reader, node, &map.child("if"), Root::Contact, 0));
    let content = reader.name(map, "content").map(ListId::from);
    let digest = reader.optional(map, "digest");
    let opened_within = reader.optional(map, "opened_within");
    let otherwise = read_way(reader, map, "otherwise");
    Some(Kind::Send {
        send: Send {
            channel: channel?,
            template: TemplateId::from(template?),
            from,
            approval,
            when,
            content,
            digest,
            opened_within,
        },
        otherwise,
    })
}

fn read_channel(reader: &mut Reader, map: &Map<'_>, word: &str) -> Option<Channel> {
    let channel = Channel::from_word(word);
    if channel.is_none() {
        let words = Channel::ALL.map(Channel::word);
        let remedy = match nearest(word, &words) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use {}", words.join(", ")),
        };
        let what = format!("{:?} is not a channel", shorten(word));
        reader.problem_at(map, "send", what, remedy);
    }
    channel
}

fn read_branch(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    const REMEDY: &str = "write `- if: ...` with `then:`, or `- else:`";
    let path = map.child("branch");
    let node = reader.required(map, "branch", REMEDY)?;
    let list = reader.list_up_to(node, &path, BRANCH_ARMS_MAX, "split the journey")?;
    let mut arms = Vec::new();
    let mut otherwise = Vec::new();
    for (at, node) in list.iter().enumerate() {
        let Some(arm) = reader.map(node, &format!("{path}[{at}]"), BRANCH_KEYS) else {
            continue;
        };
        // `- else:` with nothing below it is an empty way.
        match (arm.get("if"), arm.written("else")) {
            (Some(when), None) => {
                let when = condition::read(reader, when, &arm.child("if"), Root::Contact, 0);
                let steps = read_way(reader, &arm, "then");
                arms.extend(when.map(|when| (when, steps)));
            }
            (None, Some(_)) if arm.written("then").is_some() => {
                let remedy = "put the steps below `else:`";
                reader.problem(&arm.path, arm.line, "`else` has a `then`", remedy);
            }
            (None, Some(_)) if at + 1 == list.len() => {
                otherwise = read_way(reader, &arm, "else");
            }
            (None, Some(_)) => {
                let remedy = "move it to the end";
                reader.problem(&arm.path, arm.line, "`else` is not the last", remedy);
            }
            (Some(_), Some(_)) | (None, None) => {
                reader.problem(&arm.path, arm.line, "not an arm of a branch", REMEDY);
            }
        }
    }
    Some(Kind::Branch { arms, otherwise })
}

fn read_split(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    let path = map.child("split");
    let by = read_unit(reader, map);
    let experiment = reader.name(map, "experiment").map(Arc::from);
    let remedy = "write for example `- weight: 50` with `then:`";
    let node = reader.required(map, "split", remedy)?;
    let list = reader.list_up_to(node, &path, ARMS_MAX, "make a second split of some")?;
    if list.len() < 2 {
        let what = format!("the list has {} members", list.len());
        reader.problem(&path, node.line, what, "a split needs two ways or more");
    }
    let mut arms = Vec::new();
    for (at, node) in list.iter().enumerate() {
        let Some(arm) = reader.map(node, &format!("{path}[{at}]"), SPLIT_KEYS) else {
            continue;
        };
        let variant = match arm.get("variant") {
            Some(node) => read_variant(reader, node, &arm.child("variant")),
            None => Some(variant_at(at)),
        };
        let weight = read_weight(reader, &arm);
        let then = read_way(reader, &arm, "then");
        arms.extend(variant.map(|variant| Arm {
            variant,
            weight,
            then,
        }));
    }
    Some(Kind::Split {
        arms,
        by,
        experiment,
    })
}

/// A, B, C by place.
fn variant_at(at: usize) -> Variant {
    let letter = u8::try_from(at).map_or('Z', |at| char::from(b'A'.saturating_add(at)));
    Variant::from(letter.to_string())
}

/// A variant's name is a part of step keys, so it keeps to plain characters.
fn read_variant(reader: &mut Reader, node: &Node, path: &str) -> Option<Variant> {
    let text = reader.text_up_to(node, path, ID_CHARS_MAX)?;
    let good = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if !text.chars().all(good) {
        let what = format!("{:?} is not a variant", shorten(text));
        reader.problem(path, node.line, what, "use letters, digits, - and _");
        return None;
    }
    Some(Variant::from(text))
}

/// `50` or `50%`.
fn read_weight(reader: &mut Reader, arm: &Map<'_>) -> u32 {
    let Some(node) = arm.get("weight") else {
        return 1;
    };
    let weight = node
        .text()
        .and_then(|text| text.strip_suffix('%').unwrap_or(text).trim().parse().ok())
        .filter(|weight| *weight <= WEIGHT_MAX);
    if weight.is_none() {
        let remedy = format!("write a whole number from 0 to {WEIGHT_MAX}, for example 50 or 50%");
        reader.problem_at(arm, "weight", "not a weight", remedy);
    }
    weight.unwrap_or(1)
}
