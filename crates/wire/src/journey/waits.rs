//! Steps that wait, in YAML: for a moment, or for something to happen.

use jiff::civil::Time;
use relance_core::ids::EventName;
use relance_core::journey::{AWAITED_MAX, Awaited, AwaitedThing, Until, Wait};
use relance_core::time::{Delay, Window, parse_time_of_day};
use relance_core::value::Root;

use crate::yaml::Node;

use super::head::read_word;
use super::reader::{Map, NAME_CHARS_MAX, Reader, shorten};
use super::steps::{Kind, Steps, read_way};
use super::{condition, read_where, trigger};

/// Keys of `wait`, written as a map.
pub const UNTIL_KEYS: &[&str] = &["until", "offset", "at", "yearly", "default"];
/// Keys of a window.
pub const WINDOW_KEYS: &[&str] = &["days", "hours"];
/// Keys of what is awaited.
pub const AWAITED_KEYS: &[&str] = &["event", "where", "since", "if"];
/// Since when an awaited event counts.
pub const SINCE: &[(&str, bool)] = &[("now", false), ("enrolled", true)];
/// The word for the hour at which a contact mostly opens and replies.
pub const BEST_HOUR: &str = "best_hour";
/// The hour while too little is known of the contact, when the author does not say.
const BEST_HOUR_DEFAULT: Time = Time::constant(10, 0, 0, 0);

pub(super) fn read_wait(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    let node = reader.required(map, "wait", "say how long, for example 3d");
    let window = map
        .get("window")
        .and_then(|node| read_window(reader, node, &map.child("window")));
    let path = map.child("wait");
    let node = node?;
    let until = match node.text() {
        Some(BEST_HOUR) => Until::BestHour {
            fallback: BEST_HOUR_DEFAULT,
        },
        Some(text) if is_moment(text) => {
            let what = format!("{:?} is not a length of time", shorten(text));
            let remedy = format!("did you mean `wait: {{ until: {} }}`?", quoted(text));
            reader.problem(&path, node.line, what, remedy);
            return None;
        }
        Some(_) => Until::Passed(reader.parse::<Delay>(node, &path)?),
        None => read_until(reader, node, &path)?,
    };
    Some(Kind::Wait(Wait { until, window }))
}

/// Whether a text names a moment, not a length of time.
fn is_moment(text: &str) -> bool {
    let is_field = || text.starts_with("contact.") || text.starts_with("subject.");
    parse_time_of_day(text).is_ok() || is_field()
}

/// A time of day in quotes, for YAML 1.1 readers take it for a number; a field without.
fn quoted(text: &str) -> String {
    let text = shorten(text);
    if text.contains(':') {
        format!("\"{text}\"")
    } else {
        text
    }
}

fn read_until(reader: &mut Reader, node: &Node, path: &str) -> Option<Until> {
    const REMEDY: &str = "write a time such as \"10:00\", a date such as subject.due, or best_hour";
    let text = node.get("until").and_then(Node::text).unwrap_or_default();
    let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let keys = match text {
        "" => UNTIL_KEYS,
        BEST_HOUR => &["until", "default"],
        _ if starts_with_digit => &["until"],
        _ => &["until", "offset", "at", "yearly"],
    };
    let map = reader.map(node, path, keys)?;
    let until = reader.required(&map, "until", REMEDY)?;
    let path = map.child("until");
    let text = reader.text_up_to(until, &path, NAME_CHARS_MAX)?;
    if text == BEST_HOUR {
        let fallback = reader.time(&map, "default");
        return Some(Until::BestHour {
            fallback: fallback.unwrap_or(BEST_HOUR_DEFAULT),
        });
    }
    if !starts_with_digit {
        let field = trigger::field(reader, until, &path);
        let rule = trigger::read_date_rule(reader, &map);
        return Some(Until::Date { path: field?, rule });
    }
    match parse_time_of_day(text) {
        Ok(time) => Some(Until::TimeOfDay(time)),
        Err(error) if text.contains(':') => {
            reader.told(&path, until.line, &error.to_string());
            None
        }
        Err(_) => {
            let what = format!("{:?} is not a moment to wait for", shorten(text));
            let remedy = match text.parse::<Delay>() {
                Ok(delay) => format!("did you mean `wait: {delay}`?"),
                Err(_) => REMEDY.to_owned(),
            };
            reader.problem(&path, until.line, what, remedy);
            None
        }
    }
}

fn read_window(reader: &mut Reader, node: &Node, path: &str) -> Option<Window> {
    let map = reader.map(node, path, WINDOW_KEYS)?;
    let days = reader.joined(&map, "days");
    let hours = reader.joined(&map, "hours");
    Window::parse(days.as_deref(), hours.as_deref())
        .inspect_err(|error| reader.told(path, node.line, &error.to_string()))
        .ok()
}

pub(super) fn read_wait_for(reader: &mut Reader, map: &Map<'_>) -> Option<Kind> {
    const EXAMPLE: &str = "write for example { event: Order Completed }";
    let node = reader.required(map, "wait_for", EXAMPLE);
    let timeout = reader.optional(map, "timeout");
    let otherwise = read_way(reader, map, "else");
    let path = map.child("wait_for");
    let node = node?;
    let mut awaited = Vec::new();
    if node.list().is_some() {
        if map.written("then").is_some() {
            let remedy = "move it into a member: `- { event: ..., then: [...] }`";
            reader.problem_at(map, "then", "`then` stands beside a list", remedy);
        }
        let remedy = "join some with `any` in one `where`";
        let list = reader.list_up_to(node, &path, AWAITED_MAX, remedy)?;
        if list.is_empty() {
            reader.problem(&path, node.line, "nothing is awaited", EXAMPLE);
        }
        for (at, node) in list.iter().enumerate() {
            let keys = [AWAITED_KEYS, &["then"]].concat();
            let Some(one) = reader.map(node, &format!("{path}[{at}]"), &keys) else {
                continue;
            };
            let then = read_way(reader, &one, "then");
            awaited.extend(read_awaited(reader, &one, then));
        }
    } else {
        let then = read_way(reader, map, "then");
        let one = reader.map(node, &path, AWAITED_KEYS)?;
        awaited.extend(read_awaited(reader, &one, then));
    }
    Some(Kind::WaitFor {
        awaited,
        timeout,
        otherwise,
    })
}

fn read_awaited(reader: &mut Reader, map: &Map<'_>, then: Steps) -> Option<Awaited<Steps>> {
    let what = match (map.get("event"), map.get("if")) {
        (Some(_), Some(_)) => {
            let remedy = "keep one, or make a list of two: `- event: ...`, `- if: ...`";
            reader.problem(
                &map.path,
                map.line,
                "both an event and a condition are awaited",
                remedy,
            );
            return None;
        }
        (None, Some(node)) => {
            for key in ["where", "since"] {
                if map.get(key).is_some() {
                    let what = format!("`{key}` goes with an event");
                    reader.problem_at(map, key, what, "put it into the condition");
                }
            }
            let condition = condition::read(reader, node, &map.child("if"), Root::Contact, 0);
            AwaitedThing::Condition(condition?)
        }
        (Some(_) | None, None) => {
            let event = reader.required_name(map, "event", "name the awaited event");
            let filter = read_where(reader, map, Root::Event);
            let since_enrolled = read_word(reader, map, "since", SINCE).unwrap_or_default();
            AwaitedThing::Event {
                event: EventName::from(event?),
                filter: filter?,
                since_enrolled,
            }
        }
    };
    Some(Awaited { what, then })
}
