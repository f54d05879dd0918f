//! Holds real answers against the document that the server gives out.
//!
//! A checker of its own, not a library for JSON Schema: those take fields that nobody declared, and here an answer
//! with more than the document says is as wrong as one with less. Only what utoipa writes is understood; another word
//! ends the test.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::server::Server;

/// The document of a server.
pub struct Document(Value);

/// Words that say nothing of what a value may be.
const SILENT: [&str; 9] = [
    "description",
    "format",
    "title",
    "example",
    "deprecated",
    "default",
    "minimum",
    "contentMediaType",
    "propertyNames",
];

impl Document {
    pub fn read(server: &Server) -> Self {
        Self(server.get("/api/openapi.json").json())
    }

    /// An answer is as the document says of a path below `/api/v1/`.
    pub fn check(&self, method: &str, path: &str, status: &str, answer: &Value) {
        let responses = &self.0["paths"][format!("/api/v1/{path}")][method]["responses"];
        let content = responses[status]["content"].as_object();
        let content = content.unwrap_or_else(|| panic!("{method} {path} {status} is not told"));
        let schema = &content.values().next().expect("a type")["schema"];
        let mut wrong = Vec::new();
        self.value(schema, answer, "", &mut wrong);
        assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}\n{answer:#}");
    }

    fn followed<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        while let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = self.0.pointer(target.trim_start_matches('#'));
            schema = found.unwrap_or_else(|| panic!("{target} leads nowhere"));
        }
        schema
    }

    fn value(&self, schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
        let schema = self.followed(schema);
        let Some(words) = schema.as_object() else {
            return;
        };
        // A schema that says nothing of a value allows any.
        if words.keys().all(|word| SILENT.contains(&word.as_str())) {
            return;
        }
        if let Some(any) = ["oneOf", "anyOf"].iter().find_map(|word| words.get(*word)) {
            let fits = |one: &Value| {
                let mut own = Vec::new();
                self.value(one, value, place, &mut own);
                own.is_empty()
            };
            if !any.as_array().expect("schemas").iter().any(fits) {
                wrong.push(format!("{place}: none of {any} fits {value}"));
            }
            return;
        }
        if let Some(kinds) = words.get("type") {
            let is_one = |kind: &Value| kind.as_str().is_some_and(|kind| is(kind, value));
            let fits = match kinds {
                Value::Array(all) => all.iter().any(is_one),
                one => is_one(one),
            };
            if !fits {
                wrong.push(format!("{place}: {value} is not {kinds}"));
                return;
            }
        }
        if let Some(all) = words.get("enum").and_then(Value::as_array)
            && !all.contains(value)
        {
            wrong.push(format!("{place}: {value} is none of {all:?}"));
        }
        if let (Some(items), Some(list)) = (words.get("items"), value.as_array()) {
            for (at, one) in list.iter().enumerate() {
                self.value(items, one, &format!("{place}[{at}]"), wrong);
            }
        }
        if let Some(fields) = value.as_object() {
            self.object(schema, fields, place, wrong);
        }
        for word in words.keys() {
            let known = [
                "type",
                "enum",
                "items",
                "properties",
                "required",
                "additionalProperties",
                "allOf",
            ];
            assert!(
                known.contains(&word.as_str()) || SILENT.contains(&word.as_str()),
                "{place}: the checker does not know {word:?}"
            );
        }
    }

    fn object(
        &self,
        schema: &Value,
        fields: &Map<String, Value>,
        place: &str,
        wrong: &mut Vec<String>,
    ) {
        let mut declared = BTreeSet::new();
        let mut open = vec![schema];
        let mut is_open = false;
        while let Some(schema) = open.pop() {
            let schema = self.followed(schema);
            open.extend(schema["allOf"].as_array().into_iter().flatten());
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().expect("a name");
                if !fields.contains_key(name) {
                    wrong.push(format!("{place}: {name} is missing"));
                }
            }
            for (name, own) in schema["properties"].as_object().into_iter().flatten() {
                declared.insert(name.clone());
                if let Some(value) = fields.get(name) {
                    self.value(own, value, &format!("{place}.{name}"), wrong);
                }
            }
            match schema.get("additionalProperties") {
                None | Some(Value::Bool(false)) => {}
                Some(Value::Bool(true)) => is_open = true,
                Some(own) => {
                    is_open = true;
                    for (name, value) in fields {
                        self.value(own, value, &format!("{place}.{name}"), wrong);
                    }
                }
            }
        }
        if !is_open {
            let more = fields.keys().filter(|name| !declared.contains(*name));
            wrong.extend(more.map(|name| format!("{place}: {name} is not declared")));
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other:?} is not known"),
    }
}
