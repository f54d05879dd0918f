//! A validator for the part of JSON Schema that the journey schema uses.
//!
//! It knows few keywords and refuses to pass over others, so that a new one cannot stand unchecked.

use std::sync::LazyLock;

use regex::Regex;
use relance_wire::yaml;
use serde_json::Value;

/// A published schema.
pub type Schema = LazyLock<Value>;

macro_rules! schema {
    ($name:ident, $file:literal) => {
        pub static $name: Schema = LazyLock::new(|| {
            let text = include_str!(concat!("../../../../assets/schema/", $file));
            serde_json::from_str(text).unwrap()
        });
    };
}

schema!(JOURNEY, "journey-1.schema.json");
schema!(SEGMENT, "segment-1.schema.json");
schema!(GRADES, "grades-1.schema.json");

/// What the published schema has against a journey; `None` when nothing.
pub fn against(text: &str) -> Option<String> {
    against_schema(&JOURNEY, text)
}

/// What a published schema has against a file of its format; `None` when nothing.
pub fn against_schema(schema: &Value, text: &str) -> Option<String> {
    let value = yaml::parse(text).unwrap().to_value();
    check(schema, schema, &value, "").err()
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let schema = match schema {
        Value::Object(schema) => schema,
        other => panic!("{other} is no schema"),
    };
    for (keyword, rule) in schema {
        keep(root, keyword, rule, schema, value, path)?;
    }
    Ok(())
}

fn keep(
    root: &Value,
    keyword: &str,
    rule: &Value,
    schema: &serde_json::Map<String, Value>,
    value: &Value,
    path: &str,
) -> Result<(), String> {
    let broken = |what: &str| Err(format!("{path}: {value} breaks {keyword} {what}"));
    let number = || rule.as_f64().unwrap();
    let kept = match keyword {
        "$schema" | "$id" | "$defs" | "title" | "description" | "examples" => true,
        "$ref" => {
            let pointer = rule.as_str().unwrap().trim_start_matches('#');
            return check(root, root.pointer(pointer).unwrap(), value, path);
        }
        "type" => match rule {
            Value::Array(types) => types.iter().any(|one| is(one, value)),
            one => is(one, value),
        },
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "pattern" => value.as_str().is_none_or(|text| {
            let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
            pattern.is_match(text)
        }),
        "minLength" => length(value).is_none_or(|length| length >= number()),
        "maxLength" => length(value).is_none_or(|length| length <= number()),
        "minimum" => value.as_f64().is_none_or(|value| value >= number()),
        "maximum" => value.as_f64().is_none_or(|value| value <= number()),
        "minItems" => value
            .as_array()
            .is_none_or(|list| list.len() as f64 >= number()),
        "maxItems" => value
            .as_array()
            .is_none_or(|list| list.len() as f64 <= number()),
        "minProperties" => value
            .as_object()
            .is_none_or(|map| map.len() as f64 >= number()),
        "maxProperties" => value
            .as_object()
            .is_none_or(|map| map.len() as f64 <= number()),
        "required" => value.as_object().is_none_or(|map| {
            let mut names = rule.as_array().unwrap().iter().filter_map(Value::as_str);
            names.all(|name| map.contains_key(name))
        }),
        "items" => {
            for (at, member) in value.as_array().into_iter().flatten().enumerate() {
                check(root, rule, member, &format!("{path}[{at}]"))?;
            }
            true
        }
        "properties" => {
            for (name, rule) in rule.as_object().unwrap() {
                if let Some(member) = value.get(name) {
                    check(root, rule, member, &format!("{path}.{name}"))?;
                }
            }
            true
        }
        "additionalProperties" => {
            let known = schema.get("properties");
            for (name, member) in value.as_object().into_iter().flatten() {
                if known.is_some_and(|known| known.get(name).is_some()) {
                    continue;
                }
                match rule {
                    Value::Bool(false) => return broken(&format!("by {name:?}")),
                    rule => check(root, rule, member, &format!("{path}.{name}"))?,
                }
            }
            true
        }
        "not" => check(root, rule, value, path).is_err(),
        "allOf" => {
            for rule in rule.as_array().unwrap() {
                check(root, rule, value, path)?;
            }
            true
        }
        "anyOf" | "oneOf" => {
            let rules = rule.as_array().unwrap().iter();
            let results: Vec<_> = rules.map(|rule| check(root, rule, value, path)).collect();
            let kept = results.iter().filter(|result| result.is_ok()).count();
            if kept == 0 {
                // The form that came furthest tells most.
                let told = results.into_iter().filter_map(Result::err);
                let deepest = told.max_by_key(|error| error.find(": ").unwrap_or(0));
                return broken(&format!("({})", deepest.unwrap_or_default()));
            }
            keyword == "anyOf" || kept == 1
        }
        other => panic!("the schema uses {other}, which this test does not know"),
    };
    if kept {
        Ok(())
    } else {
        broken(&rule.to_string())
    }
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}

fn length(value: &Value) -> Option<f64> {
    value.as_str().map(|text| text.chars().count() as f64)
}

#[test]
fn the_validator_finds_faults() {
    let journey = |rest: &str| format!("format: journey/1\nid: a\n{rest}");
    let good = journey("trigger: manual\nsteps: [stop]\n");
    assert_eq!(against(&good), None);
    for bad in [
        "trigger: manual\n",
        "trigger: [manual]\nsteps: [stop]\n",
        "trigger: { event: A, offset: 3d }\nsteps: [stop]\n",
        "trigger: manual\nsteps: [{ wait: 3 parsecs }]\n",
        "trigger: manual\nsteps: [{ send: pigeon, template: t }]\n",
        "trigger: manual\npriority: 2000\nsteps: [stop]\n",
    ] {
        assert!(against(&journey(bad)).is_some(), "{bad}");
    }
}
