//! Some properties of a stored event, without the rest: where everyone's past is looked at, what is not asked for
//! would be most of the work.
//!
//! **Absent:** everything of an event but its properties.

use std::collections::BTreeSet;
use std::fmt;

use relance_core::value::{Fields, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{StoredProblem, Version};

const SHAPE: &str = "event";

/// The properties of a stored event that are `asked` for, in a text of their own; empty where it has none of them.
///
/// # Errors
/// As of [`read_event`](super::read_event), as far as it is read.
pub fn event_part(text: &str, asked: &BTreeSet<Box<str>>) -> Result<Box<str>, StoredProblem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = Whole(asked).deserialize(&mut json).map_err(refused)?;
    json.end().map_err(refused)?;
    if fields.is_empty() {
        return Ok("".into());
    }
    let part = serde_json::to_string(&fields).map_err(refused)?;
    Ok(part.into())
}

/// What [`event_part`] gave out.
///
/// # Errors
/// When the text is another.
pub fn read_event_part(part: &str) -> Result<Fields, StoredProblem> {
    if part.is_empty() {
        return Ok(Fields::new());
    }
    serde_json::from_str(part).map_err(refused)
}

fn refused(error: serde_json::Error) -> StoredProblem {
    StoredProblem {
        shape: SHAPE,
        why: error.to_string(),
    }
}

/// What the name of a field is.
enum Key<'n> {
    Version,
    Properties,
    Asked(&'n str),
    Other,
}

/// Names of fields, of the event itself or (with a list) of its properties.
struct Keys<'n>(Option<&'n BTreeSet<Box<str>>>);

impl<'de, 'n> DeserializeSeed<'de> for Keys<'n> {
    type Value = Key<'n>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Key<'n>, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<'n> Visitor<'_> for Keys<'n> {
    type Value = Key<'n>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key<'n>, E> {
        let asked = self.0.map(|asked| asked.get(name));
        Ok(match (asked, name) {
            (Some(Some(asked)), _) => Key::Asked(asked),
            (None, "v") => Key::Version,
            (None, "p") => Key::Properties,
            (Some(None), _) | (None, _) => Key::Other,
        })
    }
}

/// A whole event.
struct Whole<'n>(&'n BTreeSet<Box<str>>);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Fields, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        let mut version = None;
        while let Some(key) = map.next_key_seed(Keys(None))? {
            match key {
                Key::Version => version = Some(map.next_value::<Version<1>>()?),
                Key::Properties => fields = map.next_value_seed(Properties(self.0))?,
                Key::Asked(_) | Key::Other => {
                    let _unread: IgnoredAny = map.next_value()?;
                }
            }
        }
        match version {
            Some(_) => Ok(fields),
            None => Err(A::Error::missing_field("v")),
        }
    }
}

/// The properties of an event.
struct Properties<'n>(&'n BTreeSet<Box<str>>);

impl<'de> DeserializeSeed<'de> for Properties<'_> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Fields, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Properties<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the properties of an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        while let Some(key) = map.next_key_seed(Keys(Some(self.0)))? {
            match key {
                Key::Asked(name) => {
                    let value: Value = map.next_value()?;
                    fields.insert(name.to_owned(), value);
                }
                Key::Version | Key::Properties | Key::Other => {
                    let _unread: IgnoredAny = map.next_value()?;
                }
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use relance_core::event::Event;
    use serde_json::json;

    use super::super::event_text;
    use super::*;

    #[test]
    fn what_is_asked_for_is_what_the_whole_event_has() {
        let mut event = Event::track("Order \"Completed\"", Timestamp::UNIX_EPOCH);
        let properties = json!({
            "price": 12.5, "nested": {"price": 1, "v": 2}, "p": "a property", "v": [1, "\u{1F600}\n"],
            "na\"me": true, "no": null,
        });
        event.properties = properties.as_object().unwrap().clone();
        event.message_id = Some("p".into());
        let text = event_text(&event).unwrap();
        let part = |names: &[&str]| {
            let asked = names.iter().map(|name| Box::from(*name)).collect();
            let part = event_part(&text, &asked).unwrap();
            Value::Object(read_event_part(&part).unwrap())
        };
        assert_eq!(part(&["price", "missing"]), json!({"price": 12.5}));
        let odd = json!({"nested": {"price": 1, "v": 2}, "na\"me": true, "no": null});
        assert_eq!(part(&["nested", "na\"me", "no"]), odd);
        let named_as_ours = json!({"p": "a property", "v": [1, "\u{1F600}\n"]});
        assert_eq!(part(&["p", "v", "at"]), named_as_ours);
        assert_eq!(part(&[]), json!({}));
    }

    #[test]
    fn another_text_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"v":2,"p":{}}"#,
            r#"{"v":1,"p":[]}"#,
            r#"{"v":1} x"#,
        ] {
            assert!(event_part(text, &BTreeSet::new()).is_err(), "{text}");
        }
        assert!(read_event_part("[1]").is_err());
    }
}
