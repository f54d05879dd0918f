//! A phrase: a text with `{slots}`; what stands in `[brackets]` is left out when a slot inside has no value.
//!
//! **Absent:** the words themselves, and anything but filling in.

use thiserror::Error;

/// What stands in for a value that a phrase wants and a line does not have.
const MISSING: &str = "…";

/// Declares what a phrase may ask for.
macro_rules! slots {
    ($($(#[$doc:meta])+ $slot:ident = $word:literal),+ $(,)?) => {
        /// What a phrase may ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Slot { $($(#[$doc])+ $slot),+ }

        impl Slot {
            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$slot),)+
                    _other => None,
                }
            }
        }
    };
}

slots! {
    /// The journey's name.
    Journey = "journey",
    /// The step's key.
    Step = "step",
    /// Until when.
    Until = "until",
    /// When.
    At = "at",
    /// The template.
    Template = "template",
    /// By which channel, as an adverb.
    Channel = "channel",
    /// The arm of a test.
    Variant = "variant",
    /// More: a name, a server's answer.
    Detail = "detail",
    /// The contact's name.
    Contact = "contact",
    /// A version of a journey.
    Version = "version",
    /// What happened, as a clause.
    Event = "event",
    /// Things that may happen, as clauses.
    Events = "events",
    /// Why, as a clause.
    Reason = "reason",
    /// What happened, without its reason.
    What = "what",
    /// A whole line.
    Line = "line",
    /// How many messages were sent.
    Sent = "sent",
    /// How many are open.
    Held = "held",
    /// How many will not go.
    NotSent = "not_sent",
    /// Of a date.
    Year = "year",
    /// Of a date, as a word.
    Month = "month",
    /// Of a date.
    Day = "day",
    /// Of day.
    Time = "time",
}

/// Why a text is no phrase.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("catalogue of words, {key}: {text:?} has {what}; compare the entries beside it")]
pub(super) struct PhraseProblem {
    key: String,
    text: String,
    what: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
    /// Left out when a slot inside has no value.
    Optional(Vec<Piece>),
}

/// A text with slots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Phrase(Vec<Piece>);

/// What fills the slots of a phrase.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(Vec<(Slot, String)>);

impl Values {
    /// Gives a slot its value; a later one takes the place of an earlier one.
    pub(super) fn set(&mut self, slot: Slot, value: impl Into<String>) {
        self.0.retain(|(known, _)| *known != slot);
        self.0.push((slot, value.into()));
    }

    pub(super) fn with(mut self, slot: Slot, value: impl Into<String>) -> Self {
        self.set(slot, value);
        self
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == slot);
        found.map(|(_, value)| value.as_str())
    }
}

impl Phrase {
    pub(super) fn parse(key: &str, text: &str) -> Result<Self, PhraseProblem> {
        let wrong = |what| PhraseProblem {
            key: key.to_owned(),
            text: text.to_owned(),
            what,
        };
        let mut whole: Vec<Piece> = Vec::new();
        let mut inner: Option<Vec<Piece>> = None;
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}', '[', ']']) {
            let (before, tail) = rest.split_at(at);
            let pieces = inner.as_mut().unwrap_or(&mut whole);
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            match tail.as_bytes().first() {
                Some(b'{') => {
                    let (name, after) = tail
                        .get(1..)
                        .and_then(|tail| tail.split_once('}'))
                        .ok_or_else(|| wrong("a brace that is not closed"))?;
                    let slot =
                        Slot::from_word(name).ok_or_else(|| wrong("a slot that is not known"))?;
                    pieces.push(Piece::Slot(slot));
                    rest = after;
                    continue;
                }
                Some(b'[') if inner.is_none() => inner = Some(Vec::new()),
                Some(b']') => match inner.take() {
                    Some(pieces) if pieces.iter().any(|one| matches!(one, Piece::Slot(_))) => {
                        whole.push(Piece::Optional(pieces));
                    }
                    Some(_) => return Err(wrong("brackets without a slot")),
                    None => return Err(wrong("a bracket that was not opened")),
                },
                Some(_) | None => return Err(wrong("a bracket out of place")),
            }
            rest = tail.get(1..).unwrap_or_default();
        }
        if inner.is_some() {
            return Err(wrong("a bracket that is not closed"));
        }
        if !rest.is_empty() {
            whole.push(Piece::Text(rest.to_owned()));
        }
        if whole.is_empty() {
            return Err(wrong("no words"));
        }
        Ok(Self(whole))
    }

    /// The text with its slots filled.
    pub(super) fn fill(&self, values: &Values) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Slot(slot) => text.push_str(values.get(*slot).unwrap_or(MISSING)),
                Piece::Optional(pieces) => text.push_str(&optional(pieces, values)),
            }
        }
        text
    }

    /// Whether its words end so; a slot at the end does not count.
    #[cfg(test)]
    pub(super) fn ends_with(&self, letters: &[char]) -> bool {
        match self.0.last() {
            Some(Piece::Text(text)) => text.ends_with(letters),
            Some(Piece::Slot(_) | Piece::Optional(_)) | None => false,
        }
    }

    /// What it asks for.
    #[cfg(test)]
    pub(super) fn slots(&self) -> std::collections::BTreeSet<Slot> {
        let mut found = std::collections::BTreeSet::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(_) => {}
                Piece::Slot(slot) => drop(found.insert(*slot)),
                Piece::Optional(pieces) => found.extend(Self(pieces.clone()).slots()),
            }
        }
        found
    }
}

fn optional(pieces: &[Piece], values: &Values) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(words) => text.push_str(words),
            Piece::Slot(slot) => match values.get(*slot) {
                Some(value) => text.push_str(value),
                None => return String::new(),
            },
            // Brackets do not stand inside brackets.
            Piece::Optional(_) => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_phrase_is_refused() {
        for text in [
            "",
            "{",
            "}",
            "{nobody}",
            "[x]",
            "[{step}",
            "{step}]",
            "[[{step}]]",
            "[{step",
        ] {
            assert!(Phrase::parse("key", text).is_err(), "{text:?}");
        }
        assert!(Phrase::parse("key", "a {step}[ b {until}] c").is_ok());
    }

    #[test]
    fn brackets_are_left_out_as_a_whole() {
        let phrase = Phrase::parse("key", "a[ b {step} c {until}], {detail}").unwrap();
        let values = Values::default().with(Slot::Step, "1");
        assert_eq!(phrase.fill(&values), "a, …");
        let values = values.with(Slot::Until, "2").with(Slot::Detail, "3");
        assert_eq!(phrase.fill(&values), "a b 1 c 2, 3");
    }
}
