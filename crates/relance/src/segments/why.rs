//! Why a contact belongs to a segment, or does not: the parts of its condition, each with yes or no, and until
//! when where time alone may change it.
//!
//! **Absent:** sentences; the parts are told by the words of the definition.

use jiff::Timestamp;
use relance_core::condition::{Condition, Did, Knows, Operand, Scene, Test};
use relance_core::contact::Contact;
use relance_core::decide::Input;
use relance_core::ids::{ContactId, SegmentId};
use relance_core::segment::Rule;
use relance_core::{Snapshot, World};
use relance_store::read::{ReadError, Reader};
use serde_json::{Map, Value, json};

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 200;

/// How a contact stands to a segment, and why; `None` when there is no such contact or segment.
pub fn why(
    reader: &Reader,
    world: &World,
    segment: &SegmentId,
    contact: ContactId,
    now: Timestamp,
) -> Result<Option<Value>, ReadError> {
    let input = Input::Assess([segment.clone()].into());
    let nobody = Snapshot::new(Contact::new(contact, now));
    let mut needs = nobody.needs(world, &input).whole();
    needs.entries.clear();
    needs.segments.insert(segment.clone());
    let Some(snapshot) = reader.scanner(needs)?.one(contact)? else {
        return Ok(None);
    };
    let standing = snapshot.memberships.get(segment).copied();
    let standing = standing.unwrap_or_default();
    let Some(known) = world.segment(segment) else {
        // A list that nobody defined may have members all the same.
        let row = reader.segment(segment)?;
        let listed = row.is_some_and(|row| row.text.is_none() && row.members > 0);
        return Ok(
            listed.then(|| told(segment, contact, standing.member, json!({ "what": "list" })))
        );
    };
    let because = match &known.rule {
        Rule::Listed => json!({ "what": "list", "holds": standing.member }),
        Rule::When(condition) => {
            let (zone, calendar) = (
                world.zone_of(&snapshot.contact),
                world.calendar_of(&snapshot.contact),
            );
            let scene = Scene {
                contact: &snapshot.contact,
                subject: None,
                event: None,
                history: &snapshot.history,
                memberships: &snapshot.memberships,
                objects: &snapshot.objects,
                rfm: world.rfm.as_ref(),
                zone: &zone,
                calendar: &calendar,
                now,
            };
            tree(condition, &scene)
        }
    };
    let mut told = told(segment, contact, standing.member, because);
    if let Some(due) = standing.due {
        told["looked_at_again"] = json!(due.to_string());
    }
    Ok(Some(told))
}

fn told(segment: &SegmentId, contact: ContactId, member: bool, because: Value) -> Value {
    json!({
        "segment": segment.to_string(),
        "contact": contact.to_string(),
        "member": member,
        "because": because,
    })
}

/// A condition and its parts. Depth is bounded where conditions are read.
fn tree(condition: &Condition, scene: &Scene<'_>) -> Value {
    let verdict = condition.verdict(scene, Knows::All);
    let mut told = Map::new();
    let mut put = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    let all = |list: &[Condition]| Value::from_iter(list.iter().map(|one| tree(one, scene)));
    match condition {
        Condition::All(list) => {
            put("what", json!("all"));
            put("parts", all(list));
        }
        Condition::Any(list) => {
            put("what", json!("any"));
            put("parts", all(list));
        }
        Condition::Not(inner) => {
            put("what", json!("not"));
            put("parts", json!([tree(inner, scene)]));
        }
        Condition::Field { path, test } => {
            put("what", json!("field"));
            put("field", json!(path.to_string()));
            put("asked", asked(test));
            put("value", scene.field(path).map_or(Value::Null, short));
        }
        Condition::Did(did) => {
            put("what", json!("did"));
            put("event", json!(did.event.as_str()));
            put("asked", times(did));
            let events = scene.history.of(&did.event);
            let known = events.filter(|event| event.at <= scene.now && !event.by_machine());
            let (count, last) = known.fold((0_u64, None), |(count, last), event| {
                (count + 1, last.max(Some(event.at)))
            });
            put("known", json!(count));
            put("last", json!(last.map(|at: Timestamp| at.to_string())));
        }
        Condition::InSegment(id) => {
            put("what", json!("in_segment"));
            put("segment", json!(id.to_string()));
        }
        Condition::Has { kind, filter } => {
            put("what", json!("has"));
            put("kind", json!(kind.to_string()));
            put("known", json!(scene.objects_of(kind).count()));
            if let Some(filter) = filter {
                let fits = |object: &&relance_core::subject::Object| {
                    let about = Scene {
                        subject: Some(object),
                        ..*scene
                    };
                    filter.holds(&about)
                };
                put(
                    "fitting",
                    json!(scene.objects_of(kind).filter(fits).count()),
                );
            }
        }
        Condition::Rfm(rfm) => {
            put("what", json!("rfm"));
            let orders = rfm.orders(scene.history.of(&rfm.event), scene.now);
            match (orders, scene.rfm) {
                (_, None) => put("missing", json!("bounds")),
                (None, Some(_)) => put("missing", json!("orders")),
                (Some(orders), Some(bounds)) => {
                    let recency = bounds.recency(orders.days(scene.now));
                    let frequency = bounds.frequency(f64::from(orders.count));
                    let monetary = bounds.monetary(orders.sum);
                    let group = relance_core::rfm::RfmGroup::of(recency, frequency, monetary);
                    put(
                        "scores",
                        json!({ "recency": recency, "frequency": frequency, "monetary": monetary }),
                    );
                    put("group", json!(group.word()));
                    put("last", json!(orders.last.to_string()));
                    put("orders", json!(orders.count));
                    put("sum", json!(orders.sum));
                }
            }
        }
    }
    put("holds", json!(verdict.holds == Some(true)));
    if let Some(until) = verdict.until {
        put("until", json!(until.to_string()));
    }
    Value::Object(told)
}

/// How often it must have been done, and since when.
fn times(did: &Did) -> Value {
    let mut asked = json!({ "at_least": did.times_min });
    if let Some(most) = did.times_max {
        asked["at_most"] = json!(most);
    }
    if let Some(within) = &did.within {
        asked["within"] = json!(within.to_string());
    }
    if did.filter.is_some() {
        asked["where"] = json!(true);
    }
    if let Some(then) = &did.then {
        asked["then"] = json!(then.event.as_str());
    }
    asked
}

/// A test in the words of the language.
fn asked(test: &Test) -> Value {
    let operand = |operand: &Operand| match operand {
        Operand::Value(value) => short(value),
        Operand::Ago(delay) => json!({ "ago": delay.to_string() }),
        Operand::In(delay) => json!({ "in": delay.to_string() }),
    };
    match test {
        Test::Eq(value) => json!({ "eq": short(value) }),
        Test::Ne(value) => json!({ "ne": short(value) }),
        Test::Gt(of) => json!({ "gt": operand(of) }),
        Test::Gte(of) => json!({ "gte": operand(of) }),
        Test::Lt(of) => json!({ "lt": operand(of) }),
        Test::Lte(of) => json!({ "lte": operand(of) }),
        Test::In(values) => json!({ "in": Value::from_iter(values.iter().map(short)) }),
        Test::Contains(value) => json!({ "contains": short(value) }),
        Test::StartsWith(text) => json!({ "starts_with": text }),
        Test::Exists(wanted) => json!({ "exists": wanted }),
        Test::Before(of) => json!({ "before": operand(of) }),
        Test::After(of) => json!({ "after": operand(of) }),
    }
}

/// A value; a long one as the beginning of its text.
fn short(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => json!(text.chars().take(VALUE_CHARS_MAX).collect::<String>()),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            if text.chars().count() <= VALUE_CHARS_MAX {
                return value.clone();
            }
            json!(text.chars().take(VALUE_CHARS_MAX).collect::<String>())
        }
    }
}

/// The tree as lines for people: a mark, what was asked, what is known.
pub fn lines(told: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = vec![(&told["because"], 0_usize)];
    while let Some((part, depth)) = open.pop() {
        let mark = if part["holds"] == true { "yes" } else { "no " };
        let text = |name: &str| match &part[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut line = match part["what"].as_str().unwrap_or_default() {
            "field" => {
                let value = match &part["value"] {
                    Value::Null => "nothing".to_owned(),
                    value => value.to_string(),
                };
                format!("{} {}: is {value}", text("field"), text("asked"))
            }
            "did" => {
                let last = match &part["last"] {
                    Value::Null => String::new(),
                    last => format!(", the last at {}", last.as_str().unwrap_or_default()),
                };
                let (event, asked, known) = (text("event"), text("asked"), text("known"));
                format!("did {event} {asked}: {known} known{last}")
            }
            "in_segment" => format!("in segment {}", text("segment")),
            "has" => format!("has {}: {} known", text("kind"), text("known")),
            "rfm" => match part["missing"].as_str() {
                Some("bounds") => "rfm: there are no bounds yet".to_owned(),
                Some(_) => "rfm: no order is known".to_owned(),
                None => format!("rfm: {} {}", text("group"), text("scores")),
            },
            other => other.to_owned(),
        };
        if let Some(until) = part["until"].as_str() {
            line.push_str(&format!(" (until {until} at least)"));
        }
        lines.push(format!("{mark} {}{line}", "  ".repeat(depth)));
        let parts = part["parts"].as_array();
        open.extend(
            parts
                .into_iter()
                .flatten()
                .rev()
                .map(|one| (one, depth + 1)),
        );
    }
    lines
}
