//! Names and addresses among the traits of an `identify` call: brought to one spelling, so that two spellings
//! are one contact, and checked, so that what is no address names nobody.
//!
//! | trait | kept as | names the contact |
//! |---|---|---|
//! | `email` | its domain in ASCII (`xn--...`) where it was in another script; `email_status` says `invalid`, `disposable` or `role` | unless it is invalid, in lower case |
//! | `phone` | E.164, read as of the workspace's country | if it is a number; else it stays as it was told |
//! | `whatsapp` | the same | the same |
//! | `telegram` | as it was told | a chat's number or a user's name, in lower case and without `@` |

use relance_core::contact::{EMAIL_STATUS, INVALID, Identity};
use relance_core::value::{Fields, Value};

use crate::{address, phone};

/// Characters of a Telegram name.
const TELEGRAM_CHARS_MAX: usize = 64;

/// Brings what traits tell of names to one spelling, and returns the names, the most trusted first.
pub(super) fn settle(traits: &mut Fields, country: Option<&str>) -> Vec<Identity> {
    let mut names = Vec::new();
    names.extend(email(traits));
    names.extend(number(traits, "phone", country).map(|number| Identity::phone(&number)));
    names.extend(telegram(traits));
    names.extend(number(traits, "whatsapp", country).map(|number| Identity::whatsapp(&number)));
    names
}

fn email(traits: &mut Fields) -> Option<Identity> {
    let told = traits.get("email").and_then(Value::as_str)?;
    if told.trim().is_empty() {
        return None;
    }
    let Ok(right) = address::check(told) else {
        traits.insert(EMAIL_STATUS.to_owned(), INVALID.into());
        return None;
    };
    let status = match (right.disposable, right.role) {
        (true, _) => Some("disposable"),
        (false, true) => Some("role"),
        (false, false) => None,
    };
    // Another writing of the same letters is left as the customer's system has it.
    let respelled = !told.trim().eq_ignore_ascii_case(&right.text);
    if let Some(status) = status {
        traits.insert(EMAIL_STATUS.to_owned(), status.into());
    }
    if respelled {
        traits.insert("email".to_owned(), Value::String(right.text.clone()));
    }
    Some(Identity::email(&right.text))
}

fn number(traits: &mut Fields, name: &str, country: Option<&str>) -> Option<String> {
    let told = match traits.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let number = phone::e164(&told, country).ok()?;
    if number != told {
        traits.insert(name.to_owned(), Value::String(number.clone()));
    }
    Some(number)
}

fn telegram(traits: &Fields) -> Option<Identity> {
    let identity = match traits.get("telegram")? {
        Value::String(text) => Identity::telegram(text),
        Value::Number(number) => Identity::telegram(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let is_name = !identity.value.is_empty()
        && identity.value.len() <= TELEGRAM_CHARS_MAX
        && identity
            .value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    is_name.then_some(identity)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settled(told: Value) -> (Vec<String>, Value) {
        let mut traits = told.as_object().cloned().unwrap_or_default();
        let names = settle(&mut traits, Some("RU"));
        let word = |name: &Identity| format!("{} {}", name.kind.word(), name.value);
        (names.iter().map(word).collect(), Value::Object(traits))
    }

    #[test]
    fn names_come_in_one_spelling() {
        let (names, traits) = settled(json!({
            "email": " Ana@Пример.рф ",
            "phone": "8 (912) 345-67-89",
            "whatsapp": "+44 7911 123456",
            "telegram": "@Ana_B",
            "plan": "pro",
        }));
        let expected = [
            "email ana@xn--e1afmkfd.xn--p1ai",
            "phone +79123456789",
            "telegram ana_b",
            "whatsapp +447911123456",
        ];
        assert_eq!(names, expected);
        let expected = json!({
            "email": "Ana@xn--e1afmkfd.xn--p1ai",
            "phone": "+79123456789",
            "whatsapp": "+447911123456",
            "telegram": "@Ana_B",
            "plan": "pro",
        });
        assert_eq!(traits, expected);
        // The other spelling is the same contact.
        let (names, _) = settled(json!({"email": "ana@xn--e1afmkfd.xn--p1ai"}));
        assert_eq!(names, ["email ana@xn--e1afmkfd.xn--p1ai"]);
    }

    #[test]
    fn what_is_no_address_stays_a_trait_and_names_nobody() {
        let (names, traits) = settled(json!({
            "email": "ana@@example",
            "phone": "ask Bob",
            "whatsapp": "12",
            "telegram": "t.me/ana b",
        }));
        assert_eq!(names, [] as [&str; 0]);
        assert_eq!(traits["email_status"], "invalid");
        assert_eq!(
            (&traits["phone"], &traits["whatsapp"]),
            (&json!("ask Bob"), &json!("12"))
        );
        for odd in [json!(7), json!(null), json!([]), json!({}), json!("")] {
            let told = json!({"email": odd, "phone": odd, "telegram": odd, "whatsapp": odd});
            let (_, traits) = settled(told);
            assert_eq!(traits.get("email_status"), None, "{odd}");
        }
    }

    #[test]
    fn offices_and_thrown_away_mailboxes_are_marked_and_an_ordinary_address_is_not() {
        let status = |address: &str| settled(json!({ "email": address })).1["email_status"].clone();
        assert_eq!(status("info@example.com"), "role");
        assert_eq!(status("bob@mailinator.com"), "disposable");
        assert_eq!(status("Bob@Example.com"), json!(null));
        let (_, traits) = settled(json!({"email": "Bob@Example.com"}));
        assert_eq!(
            traits["email"], "Bob@Example.com",
            "as the customer's system writes it"
        );
    }

    #[test]
    fn chats_by_number_are_names_as_well() {
        let (names, _) = settled(json!({"telegram": 123_456_789, "phone": 79_123_456_789_u64}));
        assert_eq!(names, ["phone +79123456789", "telegram 123456789"]);
    }
}
