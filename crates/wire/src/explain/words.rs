//! The catalogues of words: `assets/words/ledger.{en,ru,ja}.toml`, compiled in and parsed once.
//!
//! **Absent:** plurals, genders and cases; phrases are written so that none is needed (decision 0012).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use relance_core::contact::Channel;
use relance_core::ledger::{Reason, What};
use relance_core::time::Zone;
use serde::Deserialize;
use thiserror::Error;

use super::phrase::{Phrase, PhraseProblem, Slot, Values};

/// A language that the ledger speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
    /// Japanese.
    Ja,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::En, Self::Ru, Self::Ja];

    /// Its code in ISO 639-1.
    pub const fn word(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
            Self::Ja => "ja",
        }
    }

    /// The language of a tag such as `ru` or `ja-JP`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let base = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.word().eq_ignore_ascii_case(base))
    }

    /// Quotation marks of the language, and what they become inside others.
    const fn quotes(self) -> [(char, char); 2] {
        match self {
            Self::En => [('“', '‘'), ('”', '’')],
            Self::Ru => [('«', '„'), ('»', '“')],
            Self::Ja => [('「', '『'), ('」', '』')],
        }
    }
}

/// Characters of a name or a detail that a sentence repeats.
const VALUE_CHARS_MAX: usize = 200;

/// Why a catalogue cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum WordsProblem {
    #[error("catalogue of words: {0}")]
    Toml(String),
    #[error(transparent)]
    Phrase(#[from] PhraseProblem),
    #[error("catalogue of words: {key:?} is not a code of {section}; see the guide's list")]
    Code { section: &'static str, key: String },
    #[error("catalogue of words: {section} lacks {key:?}; write it in every language")]
    Lacks { section: &'static str, key: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    reason_join: String,
    dated: String,
    list_join: String,
    stop: String,
    date: DateWords,
    what: BTreeMap<String, String>,
    reason: BTreeMap<String, String>,
    whole: BTreeMap<String, String>,
    channel: BTreeMap<String, String>,
    event: BTreeMap<String, String>,
    trigger: BTreeMap<String, String>,
    summary: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DateWords {
    at_day: String,
    at_full: String,
    until_day: String,
    until_full: String,
    two_digit_hour: bool,
    months: [String; 12],
}

/// How a moment is written in one place of a sentence.
#[derive(Debug, Default)]
struct DateForm {
    /// In the year at hand.
    day: Phrase,
    /// In any other.
    full: Phrase,
}

/// The words of one language.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) language: Language,
    pub(super) what: BTreeMap<What, Phrase>,
    pub(super) reason: BTreeMap<Reason, Phrase>,
    /// By `what.reason`, or `what.` and a word that the sentence knows.
    pub(super) whole: BTreeMap<String, Phrase>,
    pub(super) event: BTreeMap<String, Phrase>,
    pub(super) trigger: BTreeMap<String, Phrase>,
    pub(super) summary: BTreeMap<String, Phrase>,
    channel: BTreeMap<Channel, String>,
    reason_join: Phrase,
    dated: Phrase,
    list_join: String,
    stop: String,
    at: DateForm,
    until: DateForm,
    two_digit_hour: bool,
    months: [String; 12],
}

/// The entry of `event` for events that have no words of their own.
pub(super) const EVENT_OTHER: &str = "other";

const CATALOGUES: [(Language, &str); 3] = [
    (
        Language::En,
        include_str!("../../../../assets/words/ledger.en.toml"),
    ),
    (
        Language::Ru,
        include_str!("../../../../assets/words/ledger.ru.toml"),
    ),
    (
        Language::Ja,
        include_str!("../../../../assets/words/ledger.ja.toml"),
    ),
];

/// A catalogue that cannot be read speaks in codes; a test reads each.
static WORDS: LazyLock<[Words; 3]> = LazyLock::new(|| {
    CATALOGUES.map(|(language, text)| Words::parse(language, text).unwrap_or_default())
});

/// The words of a language.
pub(super) fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &WORDS[0],
        Language::Ru => &WORDS[1],
        Language::Ja => &WORDS[2],
    }
}

fn phrases(
    section: &str,
    entries: BTreeMap<String, String>,
) -> Result<BTreeMap<String, Phrase>, WordsProblem> {
    entries
        .into_iter()
        .map(|(key, text)| {
            let phrase = Phrase::parse(&format!("{section}.{key}"), &text)?;
            Ok((key, phrase))
        })
        .collect()
}

/// The entries of a section whose keys are codes: every code must have one.
fn coded<C: Copy + Ord>(
    section: &'static str,
    entries: BTreeMap<String, String>,
    all: &[C],
    word: impl Fn(C) -> &'static str,
) -> Result<BTreeMap<C, String>, WordsProblem> {
    let mut found = BTreeMap::new();
    for (key, text) in entries {
        let Some(code) = all.iter().copied().find(|code| word(*code) == key) else {
            return Err(WordsProblem::Code { section, key });
        };
        found.insert(code, text);
    }
    match all.iter().find(|code| !found.contains_key(code)) {
        Some(code) => Err(WordsProblem::Lacks {
            section,
            key: word(*code).to_owned(),
        }),
        None => Ok(found),
    }
}

fn coded_phrases<C: Copy + Ord>(
    section: &'static str,
    entries: BTreeMap<String, String>,
    all: &[C],
    word: impl Fn(C) -> &'static str,
) -> Result<BTreeMap<C, Phrase>, WordsProblem> {
    coded(section, entries, all, &word)?
        .into_iter()
        .map(|(code, text)| Ok((code, Phrase::parse(word(code), &text)?)))
        .collect()
}

impl Words {
    fn parse(language: Language, text: &str) -> Result<Self, WordsProblem> {
        let file: File =
            toml::from_str(text).map_err(|error| WordsProblem::Toml(error.to_string()))?;
        let event = phrases("event", file.event)?;
        if !event.contains_key(EVENT_OTHER) {
            return Err(WordsProblem::Lacks {
                section: "event",
                key: EVENT_OTHER.to_owned(),
            });
        }
        Ok(Self {
            language,
            what: coded_phrases("what", file.what, What::ALL, What::word)?,
            reason: coded_phrases("reason", file.reason, Reason::ALL, Reason::word)?,
            whole: phrases("whole", file.whole)?,
            event,
            trigger: phrases("trigger", file.trigger)?,
            summary: phrases("summary", file.summary)?,
            channel: coded("channel", file.channel, &Channel::ALL, Channel::word)?,
            reason_join: Phrase::parse("reason_join", &file.reason_join)?,
            dated: Phrase::parse("dated", &file.dated)?,
            list_join: file.list_join,
            stop: file.stop,
            at: DateForm {
                day: Phrase::parse("date.at_day", &file.date.at_day)?,
                full: Phrase::parse("date.at_full", &file.date.at_full)?,
            },
            until: DateForm {
                day: Phrase::parse("date.until_day", &file.date.until_day)?,
                full: Phrase::parse("date.until_full", &file.date.until_full)?,
            },
            two_digit_hour: file.date.two_digit_hour,
            months: file.date.months,
        })
    }

    /// By which channel, as an adverb.
    pub(super) fn channel(&self, channel: Channel) -> &str {
        let words = self.channel.get(&channel);
        words.map_or(channel.word(), String::as_str)
    }

    /// What happened, as a clause.
    pub(super) fn event(&self, name: &str) -> String {
        let known = self.event.get(name).filter(|_| name != EVENT_OTHER);
        let values = Values::default().with(Slot::Detail, self.value(name));
        match known.or_else(|| self.event.get(EVENT_OTHER)) {
            Some(phrase) => phrase.fill(&values),
            None => name.to_owned(),
        }
    }

    /// Things that may happen, as clauses.
    pub(super) fn events(&self, names: &[&str]) -> String {
        let clauses: Vec<String> = names.iter().map(|name| self.event(name)).collect();
        clauses.join(&self.list_join)
    }

    /// Joins what happened with its reason.
    pub(super) fn joined(&self, what: String, reason: String) -> String {
        let values = Values::default().with(Slot::What, what);
        self.reason_join.fill(&values.with(Slot::Reason, reason))
    }

    /// Adds a moment to a sentence.
    pub(super) fn dated(&self, line: String, at: String) -> String {
        let values = Values::default().with(Slot::Line, line);
        self.dated.fill(&values.with(Slot::At, at))
    }

    /// Ends a sentence.
    pub(super) fn stopped(&self, mut sentence: String) -> String {
        // Russian dates may end with a full stop already.
        if !sentence.ends_with(&self.stop) {
            sentence.push_str(&self.stop);
        }
        sentence
    }

    /// When something is or was, to the minute, on the contact's clock. The year is left out when it is
    /// that of `beside`.
    pub(super) fn at(&self, at: Timestamp, beside: Timestamp, zone: &Zone) -> String {
        self.moment(&self.at, at, beside, zone)
    }

    /// Until when, as [`Words::at`].
    pub(super) fn until(&self, at: Timestamp, beside: Timestamp, zone: &Zone) -> String {
        self.moment(&self.until, at, beside, zone)
    }

    fn moment(&self, form: &DateForm, at: Timestamp, beside: Timestamp, zone: &Zone) -> String {
        let local = zone.local(at);
        let month = usize::from(local.month().unsigned_abs()).saturating_sub(1);
        let time = match self.two_digit_hour {
            true => format!("{:02}:{:02}", local.hour(), local.minute()),
            false => format!("{}:{:02}", local.hour(), local.minute()),
        };
        let values = Values::default()
            .with(Slot::Year, local.year().to_string())
            .with(Slot::Month, self.months[month % 12].as_str())
            .with(Slot::Day, local.day().to_string())
            .with(Slot::Time, time);
        match local.year() == zone.local(beside).year() {
            true => form.day.fill(&values),
            false => form.full.fill(&values),
        }
    }

    /// A name or a detail from outside, fit to stand between quotation marks: short, on one line, with
    /// inner quotation marks and nothing that turns the direction of writing.
    pub(super) fn value(&self, text: &str) -> String {
        let quotes = self.language.quotes();
        let mut kept = String::new();
        for (count, letter) in text.trim().chars().enumerate() {
            if count == VALUE_CHARS_MAX {
                kept.push('…');
                break;
            }
            match letter {
                '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
                letter if letter.is_control() || letter == '\u{2028}' || letter == '\u{2029}' => {
                    kept.push(' ');
                }
                letter => {
                    let inner = quotes.iter().find(|(outer, _)| *outer == letter);
                    kept.push(inner.map_or(letter, |(_, inner)| *inner));
                }
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_catalogue_can_be_read() {
        for (language, text) in CATALOGUES {
            if let Err(problem) = Words::parse(language, text) {
                panic!("{}: {problem}", language.word());
            }
        }
    }

    /// Every entry of a language, by section and key, with what it asks for.
    fn entries(words: &Words) -> BTreeMap<String, BTreeSet<Slot>> {
        let mut found = BTreeMap::new();
        for (what, phrase) in &words.what {
            found.insert(format!("what.{what}"), phrase.slots());
        }
        for (reason, phrase) in &words.reason {
            found.insert(format!("reason.{reason}"), phrase.slots());
        }
        for (section, phrases) in [
            ("whole", &words.whole),
            ("event", &words.event),
            ("trigger", &words.trigger),
            ("summary", &words.summary),
        ] {
            for (key, phrase) in phrases {
                found.insert(format!("{section}.{key}"), phrase.slots());
            }
        }
        found.insert("reason_join".to_owned(), words.reason_join.slots());
        found.insert("dated".to_owned(), words.dated.slots());
        found.insert("date.at_day".to_owned(), words.at.day.slots());
        found.insert("date.at_full".to_owned(), words.at.full.slots());
        found.insert("date.until_day".to_owned(), words.until.day.slots());
        found.insert("date.until_full".to_owned(), words.until.full.slots());
        found
    }

    #[test]
    fn every_entry_stands_in_every_language_and_asks_for_the_same() {
        let english = entries(words(Language::En));
        assert!(english.len() > 150, "{}", english.len());
        for language in [Language::Ru, Language::Ja] {
            let other = entries(words(language));
            let differing: Vec<_> = english
                .iter()
                .filter(|(key, slots)| other.get(*key) != Some(slots))
                .map(|(key, _)| key)
                .chain(other.keys().filter(|key| !english.contains_key(*key)))
                .collect();
            assert!(differing.is_empty(), "{}: {differing:?}", language.word());
        }
    }

    #[test]
    fn no_entry_ends_with_a_full_stop() {
        for language in Language::ALL {
            let words = words(language);
            let ends = |phrase: &Phrase| phrase.ends_with(&['.', '。', ' ']);
            let all = words.what.values().chain(words.reason.values());
            let all = all.chain(words.whole.values()).chain(words.event.values());
            let all = all.chain(words.trigger.values());
            let ended: Vec<_> = all
                .chain(words.summary.values())
                .filter(|phrase| ends(phrase))
                .collect();
            assert!(ended.is_empty(), "{ended:?}");
        }
    }

    #[test]
    fn moments_are_written_as_their_readers_write_them() {
        let zone = Zone::parse("Asia/Tokyo").unwrap();
        let at: Timestamp = "2026-11-24T00:05:59Z".parse().unwrap();
        let next: Timestamp = "2026-12-31T15:00:00Z".parse().unwrap();
        let shown: Vec<String> = Language::ALL
            .into_iter()
            .flat_map(|language| {
                let words = words(language);
                [
                    words.at(at, at, &zone),
                    words.at(next, at, &zone),
                    words.until(at, at, &zone),
                    words.until(next, at, &zone),
                ]
            })
            .collect();
        assert_eq!(
            shown,
            [
                "November 24 at 09:05",
                "January 1, 2027 at 00:00",
                "November 24 at 09:05",
                "January 1, 2027 at 00:00",
                "24 ноября в 09:05",
                "1 января 2027 г. в 00:00",
                "09:05 24 ноября",
                "00:00 1 января 2027 г.",
                "11月24日 9:05",
                "2027年1月1日 0:00",
                "11月24日 9:05",
                "2027年1月1日 0:00",
            ]
        );
    }

    #[test]
    fn a_hostile_value_stays_short_and_on_its_line() {
        let words = words(Language::Ru);
        assert_eq!(words.value("ООО «Ветер»\r\n\u{202e}x"), "ООО „Ветер“  x");
        assert_eq!(words.value(&"я".repeat(5_000)).chars().count(), 201);
    }

    #[test]
    fn languages_are_known_by_their_tags() {
        assert_eq!(Language::from_tag("ja-JP"), Some(Language::Ja));
        assert_eq!(Language::from_tag("RU"), Some(Language::Ru));
        assert_eq!(Language::from_tag("fr"), None);
        assert_eq!(Language::from_tag(""), None);
    }
}
