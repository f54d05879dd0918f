//! Rules that people of the workspace made: never from this sender, always from that one.
//!
//! Each is an asset; all are at hand in memory, and asked before the bundled rules. A `never` beats the others, of those
//! the newest counts. **Absent:** what is done with a mail; the bundled rules.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use relance_engine::ports::{Asset, Store, StoreError};
use relance_message::document::DocumentKind;
use relance_message::mail::Mail;
use serde::{Deserialize, Serialize};

/// The sort of assets that rules are.
pub const KIND: &str = "recognition_rule";
/// Rules of one workspace.
pub const RULES_MAX: usize = 2_000;
/// Characters of one text of a rule.
pub const TEXT_CHARS_MAX: usize = 200;
/// Recipients of a mail that are compared.
const RECIPIENTS_MAX: usize = 200;

/// What a mail must be like; all that is said must be true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RecognitionWhen)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The sender's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The address of one recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The domain of one recipient, those below it included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Words that the subject has in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Words that the name of an attachment has in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What such a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RecognitionThen)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    /// No document, whatever it looks like.
    Never,
    /// An invoice.
    Invoice,
    /// An offer.
    Offer,
}

impl Then {
    /// The kind of document, if it is one.
    pub const fn document(self) -> Option<DocumentKind> {
        match self {
            Self::Never => None,
            Self::Invoice => Some(DocumentKind::Invoice),
            Self::Offer => Some(DocumentKind::Offer),
        }
    }
}

/// The mail that a rule was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RecognitionRuleMail)]
pub struct RuleMail {
    /// Its Message-ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The mailbox that it was sent from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// Its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whose document it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

impl RuleMail {
    /// With what is too long cut; nothing, where nothing is said.
    pub fn cut(self) -> Option<Self> {
        let cut = |text: Option<String>| {
            let text = text.map(|text| text.trim().chars().take(TEXT_CHARS_MAX).collect());
            text.filter(|text: &String| !text.is_empty())
        };
        let cut = Self {
            message_id: cut(self.message_id),
            mailbox: cut(self.mailbox),
            subject: cut(self.subject),
            contact: cut(self.contact),
            document: cut(self.document),
        };
        Some(cut).filter(|cut| *cut != Self::default())
    }
}

/// A rule of the workspace's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RecognitionRule)]
pub struct OwnRule {
    /// Its id.
    pub id: String,
    /// What a mail must be like.
    pub when: When,
    /// What it then is.
    pub then: Then,
    /// Who made it.
    pub by: String,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The mail that it was made of, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<RuleMail>,
}

/// Why a rule is none: the field, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// Nothing is asked of a mail.
    #[error("when: say at least one of from, to, domain, subject, file")]
    Empty,
    /// A text is too long.
    #[error("when.{field}: more than {TEXT_CHARS_MAX} characters; shorten it")]
    TooLong {
        /// Which.
        field: &'static str,
    },
    /// It is no address.
    #[error("when.{field}: {text:?} is no address; write name@example.com")]
    NoAddress {
        /// Which.
        field: &'static str,
        /// What was written.
        text: String,
    },
    /// It is no domain.
    #[error("when.domain: {text:?} is no domain; write example.com")]
    NoDomain {
        /// What was written.
        text: String,
    },
    /// Words without letters would fit everything.
    #[error("when.{field}: needs two letters or digits; write a word")]
    TooShort {
        /// Which.
        field: &'static str,
    },
    /// There are enough.
    #[error("there are {RULES_MAX} rules already; delete some that are not needed")]
    TooMany,
    /// Whoever sees some mailboxes makes rules for these.
    #[error("when.from: name a mailbox that is yours")]
    NotYours,
}

impl RuleProblem {
    /// The field of `when` that it is about; `when` for the whole.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Empty | Self::TooMany => "when",
            Self::TooLong { field } | Self::NoAddress { field, .. } | Self::TooShort { field } => {
                field
            }
            Self::NoDomain { .. } => "domain",
            Self::NotYours => "from",
        }
    }

    /// Its code, which pages have words for.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::NoAddress { .. } => "no_address",
            Self::NoDomain { .. } => "no_domain",
            Self::TooShort { .. } => "too_short",
            Self::TooMany => "too_many_rules",
            Self::NotYours => "not_yours",
        }
    }
}

impl When {
    /// In one spelling, or what is wrong.
    pub fn checked(self) -> Result<Self, RuleProblem> {
        let plain = |field: &'static str, text: Option<String>| {
            let text = text
                .map(|text| folded(text.trim()))
                .filter(|text| !text.is_empty());
            match text {
                Some(text) if text.chars().count() > TEXT_CHARS_MAX => {
                    Err(RuleProblem::TooLong { field })
                }
                text => Ok(text),
            }
        };
        let address = |field: &'static str, text: Option<String>| {
            let text = plain(field, text)?;
            match text {
                Some(text)
                    if text
                        .split_once('@')
                        .is_none_or(|(name, domain)| name.is_empty() || !is_domain(domain)) =>
                {
                    Err(RuleProblem::NoAddress { field, text })
                }
                text => Ok(text),
            }
        };
        let words = |field: &'static str, text: Option<String>| {
            let text = plain(field, text)?;
            match &text {
                Some(text) if text.chars().filter(|c| c.is_alphanumeric()).count() < 2 => {
                    Err(RuleProblem::TooShort { field })
                }
                Some(_) | None => Ok(text),
            }
        };
        let checked = Self {
            from: address("from", self.from)?,
            to: address("to", self.to)?,
            domain: plain("domain", self.domain)?
                .map(|text| text.trim_start_matches('@').to_owned()),
            subject: words("subject", self.subject)?,
            file: words("file", self.file)?,
        };
        if let Some(text) = checked.domain.as_ref().filter(|text| !is_domain(text)) {
            return Err(RuleProblem::NoDomain { text: text.clone() });
        }
        if checked == Self::default() {
            return Err(RuleProblem::Empty);
        }
        Ok(checked)
    }

    /// Whether a mail is like that.
    pub fn fits(&self, mail: &Mail) -> bool {
        let recipients = || {
            let all = mail.to.iter().chain(&mail.cc);
            all.take(RECIPIENTS_MAX).map(|to| to.email.to_lowercase())
        };
        let from = |own: &String| {
            mail.author()
                .is_some_and(|author| author.email.to_lowercase() == *own)
        };
        let within = |own: &String| {
            recipients().any(|to| {
                let domain = to.rsplit_once('@').map(|(_, domain)| domain.to_owned());
                domain.is_some_and(|domain| {
                    domain == *own
                        || domain
                            .strip_suffix(own.as_str())
                            .is_some_and(|below| below.ends_with('.'))
                })
            })
        };
        let file = |own: &String| {
            mail.attachments.iter().any(|one| {
                one.name
                    .as_deref()
                    .is_some_and(|name| folded(name).contains(own.as_str()))
            })
        };
        self.from.as_ref().is_none_or(from)
            && self
                .to
                .as_ref()
                .is_none_or(|own| recipients().any(|to| to == *own))
            && self.domain.as_ref().is_none_or(within)
            && self
                .subject
                .as_ref()
                .is_none_or(|own| folded(&mail.subject).contains(own.as_str()))
            && self.file.as_ref().is_none_or(file)
    }
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && !text.starts_with('.')
        && !text.ends_with('.')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
}

/// Words in one spelling.
fn folded(text: &str) -> String {
    let low = text.to_lowercase().replace('ё', "е");
    low.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rules in force.
#[derive(Debug, Default)]
pub struct OwnRules {
    held: RwLock<Arc<Vec<Arc<OwnRule>>>>,
}

impl OwnRules {
    /// Reads all anew: another program may have changed some.
    pub fn reload(&self, store: &mut impl Store) -> Result<(), StoreError> {
        let mut all = Vec::new();
        for asset in store.assets(KIND)? {
            let body = asset.body.unwrap_or_default();
            match serde_json::from_str::<OwnRule>(&body) {
                Ok(rule) => all.push(Arc::new(rule)),
                // One that a newer version wrote must not keep this one from starting.
                Err(error) => {
                    tracing::warn!(rule = asset.name, %error, "a rule of recognition cannot be read")
                }
            }
        }
        self.set(all);
        Ok(())
    }

    fn set(&self, mut all: Vec<Arc<OwnRule>>) {
        all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
    }

    /// All, the newest first.
    pub fn all(&self) -> Arc<Vec<Arc<OwnRule>>> {
        self.held
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts a rule in force that is durable.
    pub fn put(&self, rule: OwnRule) {
        let mut all: Vec<Arc<OwnRule>> = self.all().to_vec();
        all.retain(|one| one.id != rule.id);
        all.push(Arc::new(rule));
        self.set(all);
    }

    /// Takes one out of force.
    pub fn remove(&self, id: &str) {
        let mut all: Vec<Arc<OwnRule>> = self.all().to_vec();
        all.retain(|one| one.id != id);
        self.set(all);
    }

    /// The rule that says what a mail is.
    pub fn verdict(&self, mail: &Mail) -> Option<Arc<OwnRule>> {
        let all = self.all();
        let mut fitting = all.iter().filter(|rule| rule.when.fits(mail));
        let first = fitting.next()?.clone();
        if first.then == Then::Never {
            return Some(first);
        }
        Some(
            fitting
                .find(|rule| rule.then == Then::Never)
                .cloned()
                .unwrap_or(first),
        )
    }
}

impl OwnRule {
    /// As it is stored.
    pub fn asset(&self) -> Asset {
        Asset {
            kind: KIND.to_owned(),
            name: self.id.clone(),
            // A rule is plain data.
            body: Some(serde_json::to_string(self).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(text: &str) -> Mail {
        Mail::parse(text.as_bytes()).expect("a mail")
    }

    fn rule(id: &str, at: i64, when: When, then: Then) -> OwnRule {
        OwnRule {
            id: id.to_owned(),
            when: when.checked().expect("a rule"),
            then,
            by: "anna".to_owned(),
            at: Timestamp::from_second(at).expect("a moment"),
            of: None,
        }
    }

    #[test]
    fn a_never_wins_then_the_newest() {
        let seen = mail(
            "From: Anna <anna@shop.test>\r\nTo: Ivan <IVAN@mail.client.test>\r\nSubject: Счёт  и акт\r\n\r\nx",
        );
        let rules = OwnRules::default();
        let domain = |domain: &str| When {
            domain: Some(domain.to_owned()),
            ..When::default()
        };
        assert_eq!(rules.verdict(&seen), None);
        rules.put(rule("a", 1, domain("Client.test"), Then::Offer));
        rules.put(rule("b", 2, domain("mail.client.test"), Then::Invoice));
        assert_eq!(
            rules.verdict(&seen).map(|rule| rule.id.clone()),
            Some("b".to_owned())
        );
        let subject = When {
            subject: Some("СЧЕТ и".to_owned()),
            ..When::default()
        };
        rules.put(rule("c", 0, subject, Then::Never));
        assert_eq!(
            rules.verdict(&seen).map(|rule| rule.then),
            Some(Then::Never)
        );
        rules.remove("c");
        rules.put(rule("d", 9, domain("lient.test"), Then::Never));
        assert_eq!(
            rules.verdict(&seen).map(|rule| rule.id.clone()),
            Some("b".to_owned())
        );
    }

    #[test]
    fn problems_name_the_field() {
        let wrong = |when: When| when.checked().unwrap_err().to_string();
        assert!(wrong(When::default()).starts_with("when:"));
        let from = When {
            from: Some("anna".to_owned()),
            ..When::default()
        };
        assert!(wrong(from).starts_with("when.from:"));
        let domain = When {
            domain: Some("not a domain".to_owned()),
            ..When::default()
        };
        assert!(wrong(domain).starts_with("when.domain:"));
        let subject = When {
            subject: Some(" - ".to_owned()),
            ..When::default()
        };
        assert!(wrong(subject).starts_with("when.subject:"));
        let file = When {
            file: Some("x".repeat(TEXT_CHARS_MAX + 1)),
            ..When::default()
        };
        assert!(wrong(file).starts_with("when.file:"));
    }
}
