//! What begins a run, in YAML: one word that says what must happen, its options beside it.

use relance_core::condition::{Condition, Test};
use relance_core::event::names;
use relance_core::ids::{EventName, SegmentId};
use relance_core::journey::{On, Trigger};
use relance_core::time::{DateRule, Delay, EVERY_WEEKS_MAX, Recurrence, RecurrenceProblem};
use relance_core::value::{FieldPath, Root, Value};

use crate::yaml::Node;

use super::read_where;
use super::reader::{Map, NAME_CHARS_MAX, Reader, nearest, shorten};

/// A trigger's word.
pub struct Kind {
    /// The word.
    pub word: &'static str,
    /// What may stand beside it, `where` aside.
    pub options: &'static [&'static str],
    /// What a bare name in its `where` is: a property where something was told, else a trait.
    bare: Root,
}

/// Every trigger.
pub const KINDS: &[Kind] = &[
    kind("event", &[], Root::Event),
    kind("segment_entered", &[], Root::Contact),
    kind("segment_left", &[], Root::Contact),
    kind("changed", &["from", "to"], Root::Contact),
    kind("inactive", &["event"], Root::Contact),
    kind("date", &["offset", "at", "yearly"], Root::Contact),
    kind("schedule", &["segment"], Root::Contact),
    kind("form", &[], Root::Event),
    kind("manual", &[], Root::Event),
    kind("api", &[], Root::Event),
];
/// Keys of `changed`, written as a map.
pub const CHANGED_KEYS: &[&str] = &["field", "from", "to"];
/// Keys of `schedule`.
pub const SCHEDULE_KEYS: &[&str] = &["days", "at", "every", "on"];
/// Triggers that need nothing beside them, and may stand alone.
pub const BARE: &[&str] = &["manual", "api"];
/// The property of [`names::FORM_SUBMITTED`] that names the form.
const FORM: &str = "form";

const fn kind(word: &'static str, options: &'static [&'static str], bare: Root) -> Kind {
    Kind {
        word,
        options,
        bare,
    }
}

/// All keys of triggers.
pub fn keys() -> Vec<&'static str> {
    let mut keys: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
    for option in KINDS.iter().flat_map(|kind| kind.options) {
        if !keys.contains(option) {
            keys.push(option);
        }
    }
    keys.push("where");
    keys
}

/// Reads the trigger of a journey.
pub(super) fn read(reader: &mut Reader, head: &Map<'_>) -> Option<Trigger> {
    const EXAMPLE: &str = "write for example `trigger: { event: Signed Up }`";
    let node = reader.required(head, "trigger", EXAMPLE)?;
    if let Some(word) = node.text() {
        let on = match word {
            "manual" => On::Manual,
            "api" => On::Api,
            other => {
                let what = format!("{:?} is not a trigger", shorten(other));
                let remedy = match nearest(other, BARE) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => EXAMPLE.to_owned(),
                };
                reader.problem("trigger", node.line, what, remedy);
                return None;
            }
        };
        return Some(Trigger {
            on,
            filter: Condition::All(Vec::new()),
        });
    }
    let kind = match words(node).as_slice() {
        [kind] => *kind,
        [] => {
            let trigger = reader.map(node, "trigger", &keys())?;
            reader.missing(&trigger, "event", "write for example `event: Signed Up`");
            return None;
        }
        [first, second, ..] => {
            let what = format!("one trigger both `{}` and `{}`", first.word, second.word);
            let remedy = "keep one, and write another journey for the other";
            reader.problem("trigger", node.line, what, remedy);
            return None;
        }
    };
    // Written as a map, `changed` holds its own options.
    let whole = kind.word == "changed" && node.get(kind.word).is_some_and(is_map);
    let mut keys = vec![kind.word, "where"];
    keys.extend(if whole { &[] } else { kind.options });
    let trigger = reader.map(node, "trigger", &keys)?;
    let on = read_on(reader, &trigger, kind.word);
    let filter = read_where(reader, &trigger, kind.bare);
    let (on, of_kind) = on?;
    let filter = match (of_kind, filter?) {
        (None, filter) => filter,
        (Some(of_kind), Condition::All(list)) if list.is_empty() => of_kind,
        (Some(of_kind), filter) => Condition::All(vec![of_kind, filter]),
    };
    Some(Trigger { on, filter })
}

/// The triggers that a map names; `event` beside `inactive` is its option.
fn words(node: &Node) -> Vec<&'static Kind> {
    let has = |word: &str| node.get(word).is_some();
    KINDS
        .iter()
        .filter(|kind| has(kind.word))
        .filter(|kind| kind.word != "event" || !has("inactive"))
        .collect()
}

fn is_map(node: &Node) -> bool {
    node.pairs().is_some()
}

/// What must happen, and what must hold by the nature of the trigger.
fn read_on(
    reader: &mut Reader,
    trigger: &Map<'_>,
    word: &'static str,
) -> Option<(On, Option<Condition>)> {
    let name = |reader: &mut Reader, remedy| reader.required_name(trigger, word, remedy);
    let on = match word {
        "event" => On::Event(EventName::from(name(
            reader,
            "write for example `event: Signed Up`",
        )?)),
        "segment_entered" => {
            On::SegmentEntered(SegmentId::from(name(reader, "write a segment's id")?))
        }
        "segment_left" => On::SegmentLeft(SegmentId::from(name(reader, "write a segment's id")?)),
        "changed" => read_changed(reader, trigger)?,
        "inactive" => read_inactive(reader, trigger)?,
        "date" => {
            let node = reader.required(trigger, word, "write for example contact.birthday")?;
            let path = field(reader, node, &trigger.child(word));
            let rule = read_date_rule(reader, trigger);
            On::Date { path: path?, rule }
        }
        "schedule" => {
            let rule = read_schedule(reader, trigger);
            let segment = reader.name(trigger, "segment").map(SegmentId::from);
            On::Schedule {
                rule: rule?,
                segment,
            }
        }
        "form" => {
            let form = name(reader, "write the form's name")?;
            let is_form = Condition::Field {
                path: FieldPath::parse(FORM, Some(Root::Event)).ok()?,
                test: Test::Eq(Value::from(form)),
            };
            return Some((On::Event(names::FORM_SUBMITTED.into()), Some(is_form)));
        }
        by_hand => {
            let path = trigger.child(by_hand);
            let node = reader.required(trigger, by_hand, "write `true`")?;
            if !reader.yes(node, &path) && node.to_value() == Value::Bool(false) {
                let what = format!("`{by_hand}: false` begins nothing");
                reader.problem(&path, node.line, what, "write true, or another trigger");
                return None;
            }
            match by_hand {
                "manual" => On::Manual,
                _api => On::Api,
            }
        }
    };
    Some((on, None))
}

/// A field of the contact or subject; a bare name is the contact's.
pub(super) fn field(reader: &mut Reader, node: &Node, path: &str) -> Option<FieldPath> {
    let text = reader.text_up_to(node, path, NAME_CHARS_MAX)?;
    reader.field(text, path, node.line, Root::Contact)
}

fn read_changed(reader: &mut Reader, trigger: &Map<'_>) -> Option<On> {
    const REMEDY: &str = "write for example contact.plan";
    let node = reader.required(trigger, "changed", REMEDY)?;
    let path = trigger.child("changed");
    let inner;
    let (of_field, values) = if is_map(node) {
        inner = reader.map(node, &path, CHANGED_KEYS)?;
        let of_field = reader.required(&inner, "field", REMEDY)?;
        (field(reader, of_field, &inner.child("field")), &inner)
    } else {
        (field(reader, node, &path), trigger)
    };
    // `from: null` is meant: the field was not there.
    let mut value = |key: &str| {
        let node = values.written(key)?;
        if is_map(node) || node.list().is_some() {
            let what = format!("expected one value, found {}", node.kind());
            reader.problem(&values.child(key), node.line, what, "compare with one");
            return None;
        }
        Some(node.to_value())
    };
    let (from, to) = (value("from"), value("to"));
    if from.is_some() && from == to {
        let what = "`from` and `to` are the same";
        reader.problem_at(values, "to", what, "leave one out");
    }
    Some(On::Changed {
        path: of_field?,
        from,
        to,
    })
}

fn read_inactive(reader: &mut Reader, trigger: &Map<'_>) -> Option<On> {
    let path = trigger.child("inactive");
    let node = reader.required(trigger, "inactive", "say for how long, for example 7d")?;
    let event = reader.name(trigger, "event").map(EventName::from);
    let after = reader.parse::<Delay>(node, &path)?;
    if after.nominal().is_zero() {
        let what = "nobody is inactive for no time";
        reader.problem(&path, node.line, what, "write for example 7d");
        return None;
    }
    Some(On::Inactive { event, after })
}

/// `offset`, `at` and `yearly` beside a date.
pub(super) fn read_date_rule(reader: &mut Reader, map: &Map<'_>) -> DateRule {
    DateRule {
        offset: reader.optional(map, "offset"),
        at: reader.time(map, "at"),
        yearly: reader.flag(map, "yearly"),
    }
}

fn read_schedule(reader: &mut Reader, trigger: &Map<'_>) -> Option<Recurrence> {
    const EXAMPLE: &str = "write for example { days: mon-fri, at: \"10:00\" }";
    let node = reader.required(trigger, "schedule", EXAMPLE)?;
    let path = trigger.child("schedule");
    if let Some(pair) = node.pairs().and_then(|pairs| {
        let is_day = |key: &str| key.parse::<u8>().is_ok() || key == "last";
        pairs.iter().find(|pair| is_day(&pair.key))
    }) {
        let what = format!("`{}` stands as a key of its own", shorten(&pair.key));
        let remedy = "write `days: [1, 15]`: in { } a bare comma begins a new key";
        reader.problem(&path, pair.line, what, remedy);
        return None;
    }
    let map = reader.map(node, &path, SCHEDULE_KEYS)?;
    let days = reader.joined(&map, "days");
    let at = reader.required_name(&map, "at", "say at what time of day, for example \"10:00\"");
    let every = map.get("every").and_then(|node| {
        let weeks = node.text().and_then(|text| text.trim().strip_suffix('w'));
        let weeks = weeks.and_then(|weeks| weeks.trim().parse::<u8>().ok());
        if weeks.is_none() {
            let remedy = format!("write 1w to {EVERY_WEEKS_MAX}w");
            reader.problem_at(&map, "every", "not a number of weeks", remedy);
        }
        weeks
    });
    let once = reader.name(&map, "on");
    Recurrence::parse(days.as_deref(), at?, every, once)
        .inspect_err(|error| {
            let (key, what, remedy) = match error {
                RecurrenceProblem::Days { .. } | RecurrenceProblem::Mixed { .. } => {
                    return reader.told(&map.child("days"), node.line, &error.to_string());
                }
                RecurrenceProblem::At { .. } => {
                    return reader.told(&map.child("at"), node.line, &error.to_string());
                }
                RecurrenceProblem::EveryWeeks { weeks } => (
                    "every",
                    format!("every {weeks} weeks is out of range"),
                    format!("write 1w to {EVERY_WEEKS_MAX}w"),
                ),
                RecurrenceProblem::EveryWeeksOfWhat { .. } => (
                    "every",
                    "`every` counts weeks".to_owned(),
                    "leave it out, or give weekdays such as `days: tue`".to_owned(),
                ),
                RecurrenceProblem::Once { text } => (
                    "on",
                    format!("{text:?} is not a date"),
                    "write it as 2026-12-24".to_owned(),
                ),
                RecurrenceProblem::OnceAndDays => (
                    "on",
                    "`on` and `days` are both given".to_owned(),
                    "leave one out".to_owned(),
                ),
            };
            reader.problem_at(&map, key, what, remedy);
        })
        .ok()
}
