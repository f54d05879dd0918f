//! `journey/1`: the YAML that people write, to the journey that runs.
//!
//! A file is read whole: every problem is reported, each with path, line and remedy. The published
//! schema stands in `assets/schema/journey-1.schema.json`; a test keeps its words equal to the ones here.

mod acts;
pub(crate) mod condition;
mod head;
pub(crate) mod reader;
mod steps;
mod trigger;
mod waits;

use std::fmt;

use relance_core::condition::Condition;
use relance_core::ids::{JourneyId, ObjectKind, Topic};
use relance_core::journey::draft::JourneyDraft;
use relance_core::journey::{Approval, Journey};
use relance_core::value::Root;

use self::condition::Settings;
use crate::yaml::{self, Node};
use reader::{Map, Reader};

/// The format this module reads.
pub const FORMAT: &str = "journey/1";
/// Problems reported for one file; the rest is counted.
pub const PROBLEMS_MAX: usize = 100;

/// Keys of a journey.
pub const JOURNEY_KEYS: &[&str] = &[
    "format", "id", "name", "subject", "trigger", "reentry", "goal", "exit", "holdout", "approval",
    "topic", "priority", "away", "steps",
];

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
    publish_with(text, version, &Settings::default())
}

/// [`publish`] with what the workspace says of words whose meaning it may choose.
///
/// # Errors
/// All problems at once, in order of their lines.
pub fn publish_with(
    text: &str,
    version: u32,
    settings: &Settings,
) -> Result<Journey, Vec<Problem>> {
    let root = yaml::parse(text).map_err(|error| {
        vec![Problem {
            path: String::new(),
            line: error.line,
            what: error.what,
            remedy: error.remedy.to_owned(),
        }]
    })?;
    let mut reader = Reader {
        settings: settings.clone(),
        ..Reader::default()
    };
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
    const FORMAT_REMEDY: &str = "write `format: journey/1`";
    const ID_REMEDY: &str = "write a short name such as `id: offer-no-reply`";
    let map = reader.map(root, "", JOURNEY_KEYS)?;
    if let Some(format) = reader.required_name(&map, "format", FORMAT_REMEDY)
        && format != FORMAT
    {
        let what = format!("format {:?} is not known", reader::shorten(format));
        reader.problem_at(&map, "format", what, FORMAT_REMEDY);
    }
    let id = reader
        .required(&map, "id", ID_REMEDY)
        .and_then(|node| reader.id(node, "id"))
        .map(JourneyId::from);
    // Before whatever names its fields.
    let subject = reader
        .name(&map, "subject")
        .filter(|kind| *kind != "contact");
    reader.subject = subject.map(str::to_owned);
    let trigger = trigger::read(reader, &map);
    let reentry = map
        .get("reentry")
        .and_then(|node| head::read_reentry(reader, node));
    let goal = map
        .get("goal")
        .and_then(|node| head::read_goal(reader, node));
    let exits = head::read_exits(reader, &map);
    let holdout = head::read_holdout(reader, &map).unwrap_or_default();
    let approval = map
        .get("approval")
        .and_then(|node| head::read_approval(reader, node, "approval"));
    let priority = head::read_priority(reader, &map);
    let waits_for_absent = head::read_away(reader, &map);
    let steps = reader
        .required(&map, "steps", "list at least one step")
        .map(|node| steps::read_list(reader, node, "steps"));
    let name = reader.name(&map, "name").map(str::to_owned);
    let topic = reader.name(&map, "topic").map(Topic::from);
    let id = id?;
    Some(JourneyDraft {
        name: name.unwrap_or_else(|| id.to_string()),
        id,
        subject: subject.map(ObjectKind::from),
        trigger: trigger?,
        reentry,
        goal,
        exits,
        holdout,
        approval: approval.unwrap_or(Approval::AUTO),
        topic,
        priority,
        waits_for_absent,
        steps: steps?,
    })
}

/// The `where` of a trigger, goal, exit or awaited event; bare names lie below `bare`.
fn read_where(reader: &mut Reader, map: &Map<'_>, bare: Root) -> Option<Condition> {
    match map.get("where") {
        Some(node) => condition::read(reader, node, &map.child("where"), bare, 0),
        None => Some(Condition::All(Vec::new())),
    }
}

#[cfg(test)]
mod tests;
