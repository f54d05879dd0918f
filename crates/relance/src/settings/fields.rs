//! A value that a person sent, read field by field: what is wrong is found all at once, and what is not known is
//! refused.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// What is wrong with one field, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its place within the section: `zone`, `0.days`; empty for the whole.
    pub field: String,
    /// In words.
    pub what: String,
}

impl Fault {
    /// About a field.
    pub fn new(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            what: what.into(),
        }
    }
}

/// An object whose fields are taken one after another. A field that is not there leaves what stands in its place.
pub struct Fields<'a> {
    place: String,
    map: &'a Map<String, Value>,
    known: BTreeSet<&'static str>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// Of an object; what is none is a fault.
    pub fn of(place: &str, value: &'a Value, faults: &'a mut Vec<Fault>) -> Option<Self> {
        let Value::Object(map) = value else {
            let what = format!("{} stands here; write an object", kind(value));
            faults.push(Fault::new(place, what));
            return None;
        };
        Some(Self {
            place: place.to_owned(),
            map,
            known: BTreeSet::new(),
            faults,
        })
    }

    fn at(&self, name: &str) -> String {
        match self.place.as_str() {
            "" => name.to_owned(),
            place => format!("{place}.{name}"),
        }
    }

    fn wrong(&mut self, name: &str, value: &Value, wanted: &str) {
        let what = format!("{} stands here; write {wanted}", kind(value));
        let at = self.at(name);
        self.faults.push(Fault::new(at, what));
    }

    /// A field as it was sent, if it was.
    pub fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.map.get(name)
    }

    /// Says what is wrong with a field.
    pub fn fault(&mut self, name: &str, what: impl Into<String>) {
        let at = self.at(name);
        self.faults.push(Fault::new(at, what));
    }

    /// A text.
    pub fn text(&mut self, name: &'static str, to: &mut String) {
        match self.get(name) {
            None => {}
            Some(Value::String(text)) => text.trim().clone_into(to),
            Some(other) => self.wrong(name, other, "a text"),
        }
    }

    /// A text or nothing; an empty one is nothing.
    pub fn text_or_none(&mut self, name: &'static str, to: &mut Option<String>) {
        match self.get(name) {
            None => {}
            Some(Value::Null) => *to = None,
            Some(Value::String(text)) => {
                *to = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            }
            Some(other) => self.wrong(name, other, "a text, or null for none"),
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &'static str, to: &mut Vec<String>) {
        match self.get(name) {
            None => {}
            Some(Value::Array(list)) => {
                let mut texts = Vec::with_capacity(list.len());
                for (place, one) in list.iter().enumerate() {
                    match one {
                        Value::String(text) => texts.push(text.trim().to_owned()),
                        other => self.wrong(&format!("{name}.{place}"), other, "a text"),
                    }
                }
                *to = texts;
            }
            Some(other) => self.wrong(name, other, "a list of texts"),
        }
    }

    /// A whole number.
    pub fn number<T: TryFrom<u64>>(&mut self, name: &'static str, to: &mut T) {
        match self.get(name) {
            None => {}
            Some(value) => match value.as_u64().and_then(|number| T::try_from(number).ok()) {
                Some(number) => *to = number,
                None => self.wrong(name, value, "a whole number that is not too large"),
            },
        }
    }

    /// A number, whole or not.
    pub fn decimal(&mut self, name: &'static str, to: &mut f64) {
        match self.get(name) {
            None => {}
            Some(value) => match value.as_f64().filter(|number| number.is_finite()) {
                Some(number) => *to = number,
                None => self.wrong(name, value, "a number such as 12.5"),
            },
        }
    }

    /// A whole number or nothing.
    pub fn number_or_none<T: TryFrom<u64>>(&mut self, name: &'static str, to: &mut Option<T>) {
        match self.get(name) {
            None => {}
            Some(Value::Null) => *to = None,
            Some(value) => match value.as_u64().and_then(|number| T::try_from(number).ok()) {
                Some(number) => *to = Some(number),
                None => self.wrong(
                    name,
                    value,
                    "a whole number that is not too large, or null for none",
                ),
            },
        }
    }

    /// Refuses what was not asked for.
    pub fn end(self) {
        let unknown = self.map.keys();
        let unknown: Vec<&String> = unknown
            .filter(|name| !self.known.contains(name.as_str()))
            .collect();
        for name in unknown {
            let known: Vec<&str> = self.known.iter().copied().collect();
            let what = format!("there is no such field; it may be {}", known.join(", "));
            let short: String = name.chars().take(NAME_CHARS_MAX).collect();
            let at = self.at(&short);
            self.faults.push(Fault::new(at, what));
        }
    }
}

/// Characters of a field's name that are said again.
const NAME_CHARS_MAX: usize = 64;

/// What a value is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "yes or no",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let value =
            json!({ "name": 1, "days": -3, "list": ["a", 2], "odd": true, "country": null });
        let mut faults = Vec::new();
        let (mut name, mut days) = ("before".to_owned(), 7_u16);
        let (mut list, mut country) = (Vec::new(), Some("RU".to_owned()));
        let mut fields = Fields::of("", &value, &mut faults).unwrap();
        fields.text("name", &mut name);
        fields.number("days", &mut days);
        fields.texts("list", &mut list);
        fields.text_or_none("country", &mut country);
        fields.end();
        let places: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(places, ["name", "days", "list.1", "odd"]);
        assert_eq!((name.as_str(), days, country), ("before", 7, None));
        assert!(faults[3].what.contains("country, days, list, name"));
        let mut faults = Vec::new();
        assert!(Fields::of("0", &json!("x"), &mut faults).is_none());
        assert_eq!(faults[0].field, "0");
    }
}
