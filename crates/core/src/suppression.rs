//! Suppression: addresses that must not be written to, whoever has them.
//!
//! The list knows addresses, domains and telephone numbers, plain or as a SHA-256, and no contacts: a new
//! contact with a suppressed address is as suppressed as the old one was, and a contact that changes its
//! address is free of what its old one brought upon it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::address;
use crate::contact::{Channel, Contact, SuppressionReason};

/// Characters of a value on the list: an address has no more.
pub const VALUE_CHARS_MAX: usize = 320;
/// What stands before the hexadecimal digits of a hash.
pub const HASHED: &str = "sha256:";

/// What an entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuppressionKind {
    /// One address.
    Email,
    /// All addresses of a domain.
    Domain,
    /// A telephone number.
    Phone,
}

impl SuppressionKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Domain, Self::Phone];

    /// A stable short word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Domain => "domain",
            Self::Phone => "phone",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A text that no entry of the list can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {expected}; write {example}")]
pub struct SuppressionProblem {
    /// What was given, shortened.
    pub text: String,
    /// What was wanted.
    pub expected: &'static str,
    /// A good one.
    pub example: &'static str,
}

/// What an entry stands under: the same for every way to write an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SuppressionKey {
    /// What it names.
    pub kind: SuppressionKind,
    /// In lower case, without what people add; or [`HASHED`] and 64 digits.
    pub value: String,
}

impl SuppressionKey {
    /// The key of a text of a known kind.
    pub fn new(kind: SuppressionKind, text: &str) -> Result<Self, SuppressionProblem> {
        let problem = |expected, example| SuppressionProblem {
            text: text.chars().take(80).collect(),
            expected,
            example,
        };
        let lower = match kind {
            SuppressionKind::Email => address::normal(text),
            SuppressionKind::Domain => match text.trim().strip_prefix('@') {
                Some(domain) => address::normal_domain(domain),
                None => address::normal_domain(text),
            },
            SuppressionKind::Phone => text.trim().to_lowercase(),
        };
        let long = lower.chars().count() > VALUE_CHARS_MAX;
        if let Some(digits) = lower.strip_prefix(HASHED) {
            let whole = digits.len() == 64 && digits.bytes().all(|one| one.is_ascii_hexdigit());
            return match whole {
                true => Ok(Self { kind, value: lower }),
                false => Err(problem("hash", "sha256: and 64 hexadecimal digits")),
            };
        }
        let value = match kind {
            SuppressionKind::Email => lower
                .rsplit_once('@')
                .filter(|(local, domain)| {
                    !local.is_empty() && !domain.is_empty() && !lower.contains(char::is_whitespace)
                })
                .is_some()
                .then_some(lower.clone()),
            SuppressionKind::Domain => {
                let name = lower.trim_start_matches('@');
                (name.contains('.') && !name.contains(['@', ' ', '/', ',', ';']))
                    .then(|| name.to_owned())
            }
            SuppressionKind::Phone => phone(&lower),
        };
        value
            .filter(|_| !long)
            .map(|value| Self { kind, value })
            .ok_or_else(|| match kind {
                SuppressionKind::Email => problem("address", "ana@example.com"),
                SuppressionKind::Domain => problem("domain", "example.com"),
                SuppressionKind::Phone => problem("telephone number", "+49 30 123456"),
            })
    }

    /// The key of a text that may be an address, a domain or a number, as in a file of one column.
    pub fn guess(text: &str) -> Result<Self, SuppressionProblem> {
        let text = text.trim();
        let kind = if text.len() > 1 && text.contains('@') && !text.starts_with('@') {
            SuppressionKind::Email
        } else if phone(text).is_some() {
            SuppressionKind::Phone
        } else if text.to_lowercase().starts_with(HASHED) {
            SuppressionKind::Email
        } else {
            SuppressionKind::Domain
        };
        Self::new(kind, text)
    }

    /// The same entry without the address itself.
    pub fn hashed(&self) -> Self {
        if self.value.starts_with(HASHED) {
            return self.clone();
        }
        let mut value = HASHED.to_owned();
        for byte in Sha256::digest(self.value.as_bytes()) {
            // Writing to a String cannot fail.
            let _written = write!(value, "{byte:02x}");
        }
        Self {
            kind: self.kind,
            value,
        }
    }
}

/// The digits of a number, with the plus if it has one.
fn phone(text: &str) -> Option<String> {
    let known = |c: char| c.is_ascii_digit() || "+-–()./ \u{a0}".contains(c);
    let text = text.trim();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if !text.chars().all(known) || !(5..=20).contains(&digits) {
        return None;
    }
    let plus = text.starts_with('+') || text.starts_with("00");
    let digits = text.chars().filter(char::is_ascii_digit);
    let digits: String = digits
        .skip(if text.starts_with("00") { 2 } else { 0 })
        .collect();
    Some(if plus { format!("+{digits}") } else { digits })
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// What must not be written to.
    pub key: SuppressionKey,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub at: Timestamp,
    /// Who said so: `bounce`, `complaint`, `api`, `import`, a file's name.
    pub source: String,
}

/// What the list says of a contact's addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The addresses that were looked up.
    of: [Option<String>; 2],
    reasons: BTreeMap<Channel, SuppressionReason>,
}

/// The addresses of a contact that a list may name.
fn addresses(contact: &Contact) -> [Option<&str>; 2] {
    [contact.text("email"), contact.text("phone")]
}

/// The keys under which the list may name a contact, with the channels that each closes.
pub fn keys_of(contact: &Contact) -> Vec<SuppressionKey> {
    let [email, phone] = addresses(contact);
    let mut keys = Vec::new();
    let mut add = |kind, text: &str| {
        if let Ok(key) = SuppressionKey::new(kind, text) {
            keys.push(key.hashed());
            keys.push(key);
        }
    };
    if let Some(email) = email {
        add(SuppressionKind::Email, email);
        if let Some((_, domain)) = email.rsplit_once('@') {
            add(SuppressionKind::Domain, domain);
        }
    }
    if let Some(phone) = phone {
        add(SuppressionKind::Phone, phone);
    }
    keys
}

impl Listed {
    /// What was found of a contact among its [`keys_of`].
    pub fn new(contact: &Contact, found: &[(SuppressionKind, SuppressionReason)]) -> Self {
        let mut reasons = BTreeMap::new();
        for (kind, reason) in found {
            let channels: &[Channel] = match kind {
                SuppressionKind::Email | SuppressionKind::Domain => &[Channel::Email],
                SuppressionKind::Phone => &[Channel::Sms, Channel::Voice, Channel::Whatsapp],
            };
            for channel in channels {
                reasons.insert(*channel, *reason);
            }
        }
        Self {
            of: addresses(contact).map(|address| address.map(str::to_owned)),
            reasons,
        }
    }

    /// Whether it is about the addresses that the contact has now.
    pub fn is_of(&self, contact: &Contact) -> bool {
        self.of.iter().map(Option::as_deref).eq(addresses(contact))
    }

    /// Why a channel must not be used, if so.
    pub fn reason(&self, channel: Channel) -> Option<SuppressionReason> {
        self.reasons.get(&channel).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_key_however_it_is_written() {
        let key = |text: &str| SuppressionKey::guess(text).map(|key| (key.kind.word(), key.value));
        let is = |text: &str, kind, value: &str| {
            assert_eq!(key(text), Ok((kind, value.to_owned())), "{text}");
        };
        is(" Ana@Example.COM ", "email", "ana@example.com");
        is("@Example.com", "domain", "example.com");
        is("+49 (30) 123-456", "phone", "+4930123456");
        is("0049 30 123456", "phone", "+4930123456");
        for wrong in [
            "",
            "ana",
            "a b@x.example",
            "a@",
            "sha256:12",
            "1234",
            "=cmd()",
        ] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hash_stands_for_its_address() {
        let plain = SuppressionKey::guess("ana@example.com").unwrap();
        let hashed = plain.hashed();
        assert_eq!(SuppressionKey::guess(&hashed.value), Ok(hashed.clone()));
        assert_eq!(hashed.hashed(), hashed);
        let mut contact = Contact::new(crate::ids::ContactId(1), Timestamp::UNIX_EPOCH);
        let address = serde_json::json!("Ana@Example.com");
        contact.traits.insert("email".to_owned(), address);
        assert!(keys_of(&contact).contains(&hashed));
    }

    #[test]
    fn what_was_found_of_one_address_says_nothing_of_another() {
        let mut contact = Contact::new(crate::ids::ContactId(1), Timestamp::UNIX_EPOCH);
        let found = [(SuppressionKind::Phone, SuppressionReason::Manual)];
        let listed = Listed::new(&contact, &found);
        assert!(listed.is_of(&contact));
        assert_eq!(
            listed.reason(Channel::Voice),
            Some(SuppressionReason::Manual)
        );
        assert_eq!(listed.reason(Channel::Email), None);
        contact
            .traits
            .insert("phone".to_owned(), serde_json::json!("+1"));
        assert!(!listed.is_of(&contact));
    }
}
