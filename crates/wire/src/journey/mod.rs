//! `journey/1`: the YAML that people write, to the journey that runs.
//!
//! A file is read whole: every problem is reported, each with path, line and remedy. The published
//! schema stands in `assets/schema/journey-1.schema.json`; a test keeps its words equal to the ones here.

mod condition;
mod reader;
mod steps;

use std::fmt;

use relance_core::condition::Condition;
use relance_core::ids::{EventName, JourneyId, ObjectKind, Topic};
use relance_core::journey::draft::JourneyDraft;
use relance_core::journey::{Approval, Exit, Goal, Journey, Reentry, Trigger};
use relance_core::time::Delay;
use relance_core::value::Root;

use crate::yaml::{self, Node};
use reader::{Map, Reader};

/// The format this module reads.
pub const FORMAT: &str = "journey/1";
/// Problems reported for one file; the rest is counted.
pub const PROBLEMS_MAX: usize = 100;
/// How long a conversion counts when the author does not say.
const GOAL_WITHIN_DEFAULT: &str = "30d";
/// Largest control group, in thousandths.
const HOLDOUT_PERMILLE_MAX: u16 = 900;

/// Keys of a journey.
pub const JOURNEY_KEYS: &[&str] = &[
    "format", "id", "name", "subject", "trigger", "reentry", "goal", "exit", "holdout", "approval",
    "topic", "steps",
];
/// Keys of a trigger.
pub const TRIGGER_KEYS: &[&str] = &["event", "inactive", "where"];
/// Triggers of the language that this version does not run yet.
const TRIGGERS_LATER: &[&str] = &[
    "segment_entered",
    "segment_left",
    "changed",
    "date",
    "schedule",
    "form",
    "manual",
    "api",
];
/// Keys of a goal.
pub const GOAL_KEYS: &[&str] = &["event", "where", "within"];
/// Keys of an exit.
pub const EXIT_KEYS: &[&str] = &["event", "where", "any"];

/// One problem of a journey file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where, in the file's own words: `steps[2].then[0].wait`.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            what,
            remedy,
        } = self;
        if path.is_empty() {
            write!(f, "line {line}: {what}; {remedy}")
        } else {
            write!(f, "line {line}: {path}: {what}; {remedy}")
        }
    }
}

/// Reads, checks and publishes a journey as `version`.
pub fn publish(text: &str, version: u32) -> Result<Journey, Vec<Problem>> {
    let root = yaml::parse(text).map_err(|error| {
        vec![Problem {
            path: String::new(),
            line: error.line,
            what: error.what,
            remedy: error.remedy.to_owned(),
        }]
    })?;
    let mut reader = Reader::default();
    let draft = read(&mut reader, &root);
    let mut problems = reader.problems;
    let journey = match draft {
        Some(draft) if problems.is_empty() => relance_core::journey::publish(draft, version)
            .map_err(|found| {
                problems.extend(found.into_iter().map(|problem| Problem {
                    line: reader.lines.get(&problem.path).copied().unwrap_or(1),
                    path: problem.path,
                    what: problem.what,
                    remedy: problem.remedy,
                }));
            }),
        Some(_) | None => Err(()),
    };
    journey.map_err(|()| {
        problems.sort_by_key(|problem| problem.line);
        if problems.len() > PROBLEMS_MAX {
            let more = problems.len() - PROBLEMS_MAX;
            problems.truncate(PROBLEMS_MAX);
            problems.push(Problem {
                path: String::new(),
                line: 1,
                what: format!("{more} more problems"),
                remedy: "mend these first".to_owned(),
            });
        }
        problems
    })
}

fn read(reader: &mut Reader, root: &Node) -> Option<JourneyDraft> {
    let map = reader.map(root, "", JOURNEY_KEYS)?;
    match reader.text(&map, "format") {
        Some(FORMAT) => {}
        Some(other) => {
            let what = format!("format {other:?} is not known");
            reader.problem_at(&map, "format", what, "write `format: journey/1`");
        }
        None => reader.missing(&map, "format", "write `format: journey/1`"),
    }
    let id = read_id(reader, &map);
    let subject = read_subject(reader, &map);
    let trigger = read_trigger(reader, &map);
    let reentry = map
        .get("reentry")
        .and_then(|node| read_reentry(reader, node));
    let goal = map.get("goal").and_then(|node| read_goal(reader, node));
    let exits = read_exits(reader, &map);
    let holdout_permille = read_holdout(reader, &map);
    let approval = match map.get("approval") {
        Some(node) => read_approval(reader, node, "approval"),
        None => Some(Approval::Auto),
    };
    let steps = match map.get("steps") {
        Some(node) => steps::read_list(reader, node, "steps"),
        None => {
            reader.missing(&map, "steps", "list at least one step");
            Vec::new()
        }
    };
    let name = reader.text(&map, "name").map(str::to_owned);
    let topic = reader.text(&map, "topic").map(Topic::from);
    let id = id?;
    Some(JourneyDraft {
        name: name.unwrap_or_else(|| id.to_string()),
        id,
        subject,
        trigger: trigger?,
        reentry,
        goal,
        exits,
        holdout_permille,
        approval: approval?,
        topic,
        steps,
    })
}

fn read_id(reader: &mut Reader, map: &Map<'_>) -> Option<JourneyId> {
    /// Characters of an id.
    const ID_CHARS_MAX: usize = 64;
    let Some(id) = reader.text(map, "id") else {
        reader.missing(map, "id", "write a short name such as `id: offer-no-reply`");
        return None;
    };
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if id.is_empty() || id.len() > ID_CHARS_MAX || !id.chars().all(good) {
        let what = format!("{id:?} is not an id");
        reader.problem_at(map, "id", what, "use at most 64 of a-z, 0-9, - and _");
        return None;
    }
    Some(JourneyId::from(id))
}

fn read_subject(reader: &mut Reader, map: &Map<'_>) -> Option<ObjectKind> {
    match reader.text(map, "subject") {
        None | Some("contact") => None,
        Some(kind) => Some(ObjectKind::from(kind)),
    }
}

fn read_trigger(reader: &mut Reader, map: &Map<'_>) -> Option<Trigger> {
    let Some(node) = map.get("trigger") else {
        reader.missing(
            map,
            "trigger",
            "write for example `trigger: { event: Signed Up }`",
        );
        return None;
    };
    if let Some(pair) = node.pairs().and_then(|pairs| {
        pairs
            .iter()
            .find(|pair| TRIGGERS_LATER.contains(&pair.key.as_str()))
    }) {
        let what = format!("the trigger `{}` is not part of this version", pair.key);
        reader.problem("trigger", pair.line, what, "use `event` or `inactive`");
        return None;
    }
    let trigger = reader.map(node, "trigger", TRIGGER_KEYS)?;
    let event = reader.text(&trigger, "event").map(EventName::from);
    let filter = read_where(reader, &trigger)?;
    match trigger.get("inactive") {
        Some(node) => {
            let after = reader.parse::<Delay>(node, "trigger.inactive")?;
            Some(Trigger::Inactive {
                event,
                after,
                filter,
            })
        }
        None => match event {
            Some(event) => Some(Trigger::Event { event, filter }),
            None => {
                reader.missing(&trigger, "event", "write for example `event: Signed Up`");
                None
            }
        },
    }
}

fn read_reentry(reader: &mut Reader, node: &Node) -> Option<Reentry> {
    const WORDS: &str = "write once, once_per_subject, always or { after: 30d }";
    if node.pairs().is_some() {
        let map = reader.map(node, "reentry", &["after"])?;
        let Some(after) = map.get("after") else {
            reader.missing(&map, "after", WORDS);
            return None;
        };
        return reader
            .parse::<Delay>(after, "reentry.after")
            .map(Reentry::After);
    }
    match node.text() {
        Some("once") => Some(Reentry::Once),
        Some("once_per_subject") => Some(Reentry::OncePerSubject),
        Some("always") => Some(Reentry::Always),
        Some(_) | None => {
            reader.problem("reentry", node.line, "not a re-entry rule", WORDS);
            None
        }
    }
}

fn read_goal(reader: &mut Reader, node: &Node) -> Option<Goal> {
    let map = reader.map(node, "goal", GOAL_KEYS)?;
    let event = reader.text(&map, "event").map(EventName::from);
    if event.is_none() {
        reader.missing(&map, "event", "name the event that is a conversion");
    }
    let filter = read_where(reader, &map)?;
    let within = match map.get("within") {
        Some(node) => reader.parse::<Delay>(node, "goal.within")?,
        None => GOAL_WITHIN_DEFAULT.parse().ok()?,
    };
    Some(Goal {
        event: event?,
        filter,
        within,
    })
}

fn read_exits(reader: &mut Reader, map: &Map<'_>) -> Vec<Exit> {
    let Some(node) = map.get("exit") else {
        return Vec::new();
    };
    let Some(list) = reader.list(node, "exit") else {
        return Vec::new();
    };
    let mut exits = Vec::new();
    for (at, node) in list.iter().enumerate() {
        let path = format!("exit[{at}]");
        let Some(map) = reader.map(node, &path, EXIT_KEYS) else {
            continue;
        };
        let event = reader.text(&map, "event").map(EventName::from);
        if event.is_none() {
            reader.missing(&map, "event", "name the event that ends the run");
        }
        let any = map
            .get("any")
            .is_some_and(|node| reader.yes(node, &format!("{path}.any")));
        let filter = read_where(reader, &map);
        if let (Some(event), Some(filter)) = (event, filter) {
            exits.push(Exit { event, filter, any });
        }
    }
    exits
}

fn read_holdout(reader: &mut Reader, map: &Map<'_>) -> u16 {
    let Some(text) = reader.text(map, "holdout") else {
        return 0;
    };
    let permille = text
        .strip_suffix('%')
        .and_then(|number| number.trim().parse::<f64>().ok())
        .map(|percent| percent * 10.0)
        .filter(|permille| (0.0..=f64::from(HOLDOUT_PERMILLE_MAX)).contains(permille));
    match permille {
        Some(permille) => permille.round() as u16,
        None => {
            let what = format!("{text:?} is not a share");
            reader.problem_at(map, "holdout", what, "write 0% to 90%, for example 10%");
            0
        }
    }
}

/// `auto`, `owner` or `role:NAME`.
fn read_approval(reader: &mut Reader, node: &Node, path: &str) -> Option<Approval> {
    match node.text() {
        Some("auto") => Some(Approval::Auto),
        Some("owner") => Some(Approval::Owner),
        Some(text)
            if text
                .strip_prefix("role:")
                .is_some_and(|role| !role.is_empty()) =>
        {
            Some(Approval::Role(text["role:".len()..].to_owned()))
        }
        Some(_) | None => {
            reader.problem(
                path,
                node.line,
                "not an approval",
                "write auto, owner or role:head",
            );
            None
        }
    }
}

/// The `where` of a trigger, goal, exit or awaited event: bare names are the event's properties.
fn read_where(reader: &mut Reader, map: &Map<'_>) -> Option<Condition> {
    match map.get("where") {
        Some(node) => {
            let path = map.child("where");
            condition::read(reader, node, &path, Root::Event, 0)
        }
        None => Some(Condition::All(Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use relance_core::journey::StepKind;

    use super::*;

    const EXAMPLE: &str =
        include_str!("../../../../assets/scenarios/b2b-reminders/journeys/offer-no-reply.yaml");

    #[test]
    fn the_example_of_the_design_is_published() {
        let journey = publish(EXAMPLE, 3).unwrap();
        assert_eq!(
            (journey.id.as_str(), journey.version),
            ("offer-no-reply", 3)
        );
        assert_eq!(journey.holdout_permille, 100);
        assert!(journey.depends_on_silence());
        let keys: Vec<&str> = journey
            .steps
            .iter()
            .rev()
            .map(|step| step.key.as_str())
            .collect();
        assert_eq!(keys, ["1", "2", "3", "4", "4.else.1", "4.if1.1"]);
        let first = journey.step(journey.first.unwrap());
        assert!(matches!(
            first.kind,
            StepKind::Wait {
                window: Some(_),
                ..
            }
        ));
    }

    /// Publishes and returns `line: path: what; remedy` for each problem.
    fn problems(text: &str) -> Vec<String> {
        publish(text, 1)
            .unwrap_err()
            .iter()
            .map(Problem::to_string)
            .collect()
    }

    #[test]
    fn every_problem_is_reported_at_once_with_line_and_remedy() {
        let found = problems(
            "format: journey/1\nid: Bad Id\nnmae: x\ntrigger: { evnt: A }\nholdout: 95%\nsteps:\n  \
             - wiat: 3d\n  - wait: 3 parsecs\n  - send: pigeon\n    template: t\n  - split: []\n",
        );
        let expected = [
            "line 2: id: \"Bad Id\" is not an id; use at most 64 of a-z, 0-9, - and _",
            "line 3: nmae: `nmae` is not known; did you mean `name`?",
            "line 4: trigger.evnt: `evnt` is not known; did you mean `event`?",
            "line 4: trigger.event: `event` is missing; write for example `event: Signed Up`",
            "line 5: holdout: \"95%\" is not a share; write 0% to 90%, for example 10%",
            "line 7: steps[0]: `wiat` is not a step; did you mean `wait`?",
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found, expected);
        }
        let has = |part: &str| found.iter().any(|line| line.contains(part));
        assert!(has("steps[1].wait"), "{found:#?}");
        assert!(has("\"pigeon\" is not a channel"), "{found:#?}");
        assert!(has("`split` is not part of this version"), "{found:#?}");
    }

    #[test]
    fn publication_names_the_line_of_a_step() {
        let found = problems(
            "format: journey/1\nid: a\ntrigger: { event: A }\nsteps:\n  - wait: 1d\n  \
             - set: { event.x: 1 }\n  - wait_for: { event: B }\n    else:\n      - stop\n",
        );
        assert!(
            found[0].starts_with("line 6: steps[1]: event.x cannot be set"),
            "{found:#?}"
        );
        assert!(
            found[1].starts_with("line 7: steps[2]: `else` is never reached"),
            "{found:#?}"
        );
    }

    #[test]
    fn conditions_of_every_form_are_read() {
        let text = "format: journey/1\nid: a\ntrigger:\n  event: A\n  where:\n    all:\n      \
            - any: [{ total: { gte: 10, lt: 20 } }, { not: { coupon: { exists: true } } }]\n      \
            - did: Order Completed\n        times: { lte: 3 }\n        within: 90d\n        \
            where: { total: { gt: 5 } }\n        then: { did: Order Refunded }\n      \
            - contact.last_order_at: { before: { ago: 30d } }\n      - plan: [pro, team]\nsteps: [stop]\n";
        let journey = publish(text, 1).unwrap();
        let names: Vec<String> = journey
            .history_names()
            .iter()
            .map(EventName::to_string)
            .collect();
        assert_eq!(names, ["Order Completed", "Order Refunded"]);
    }

    #[test]
    fn deep_conditions_are_refused_not_overflowed() {
        let deep = format!("{}{{ x: 1 }}{}", "{ not: ".repeat(20), " }".repeat(20));
        let text = format!(
            "format: journey/1\nid: a\ntrigger: {{ event: A, where: {deep} }}\nsteps: [stop]\n"
        );
        let found = problems(&text);
        assert!(found[0].contains("more than 16 deep"), "{found:#?}");
    }

    #[test]
    fn the_published_schema_has_the_words_that_are_read() {
        let schema: serde_json::Value = serde_json::from_str(include_str!(
            "../../../../assets/schema/journey-1.schema.json"
        ))
        .unwrap();
        let keys = |pointer: &str| -> Vec<String> {
            let map = schema
                .pointer(pointer)
                .and_then(serde_json::Value::as_object);
            let map = map.unwrap_or_else(|| panic!("the schema has no {pointer}"));
            let mut keys: Vec<String> = map.keys().cloned().collect();
            keys.sort();
            keys
        };
        let check = |pointer: &str, words: &[&[&str]]| {
            let mut words: Vec<String> = words
                .iter()
                .flat_map(|list| list.iter())
                .map(ToString::to_string)
                .collect();
            words.sort();
            assert_eq!(keys(pointer), words, "{pointer}");
        };
        let step = |name: &str| format!("/$defs/{name}/properties");
        check("/properties", &[JOURNEY_KEYS]);
        check("/properties/trigger/properties", &[TRIGGER_KEYS]);
        check("/properties/goal/properties", &[GOAL_KEYS]);
        check("/properties/exit/items/properties", &[EXIT_KEYS]);
        check(&step("tests"), &[condition::TESTS]);
        check(&step("did"), &[condition::DID_KEYS]);
        check(&step("send"), &[steps::SEND_KEYS, steps::STEP_KEYS]);
        check(&step("wait"), &[steps::WAIT_KEYS, steps::STEP_KEYS]);
        check(
            "/$defs/wait/properties/window/properties",
            &[steps::WINDOW_KEYS],
        );
        check(&step("wait_for"), &[steps::WAIT_FOR_KEYS, steps::STEP_KEYS]);
        check(
            "/$defs/wait_for/properties/wait_for/properties",
            &[steps::AWAITED_KEYS],
        );
        check(
            "/$defs/task/properties/task/anyOf/1/properties",
            &[steps::TASK_KEYS],
        );
        for verb in steps::VERBS {
            assert!(
                schema.pointer(&format!("/$defs/{verb}")).is_some(),
                "{verb}"
            );
        }
    }
}
