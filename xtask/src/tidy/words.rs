//! One word per thing: identifiers in Rust and SQL use the glossary's words and no synonyms.
//!
//! Looks at identifiers only, cut at `_` and capitals: comments, strings and the prose of documents
//! may quote the world's other words, and so may a name that is a whole sentence (a test's, an
//! invariant's), where `lead` is mostly a verb.

use super::lexer::{self, Kind};
use super::{Finding, SourceFile};

const CHECK: &str = "names";

/// A word of the trade, the glossary's word for it, and why the glossary chose so.
struct Synonym {
    word: &'static str,
    instead: &'static str,
    why: &'static str,
}

const SYNONYMS: [Synonym; 12] = [
    Synonym {
        word: "lead",
        instead: "contact",
        why: "a person is the same person before and after the sale",
    },
    Synonym {
        word: "prospect",
        instead: "contact",
        why: "a person is the same person before and after the sale",
    },
    Synonym {
        word: "subscriber",
        instead: "contact",
        why: "whether a person subscribes is told by their consents",
    },
    Synonym {
        word: "cadence",
        instead: "journey",
        why: "one language describes all of them",
    },
    Synonym {
        word: "campaign",
        instead: "journey",
        why: "one language describes all of them",
    },
    Synonym {
        word: "workflow",
        instead: "journey",
        why: "one language describes all of them",
    },
    Synonym {
        word: "tenant",
        instead: "workspace",
        why: "a workspace is a database, and the word that users see",
    },
    Synonym {
        word: "blacklist",
        instead: "suppression",
        why: "an address is suppressed for a recorded reason",
    },
    Synonym {
        word: "blocklist",
        instead: "suppression",
        why: "an address is suppressed for a recorded reason",
    },
    Synonym {
        word: "optin",
        instead: "consent",
        why: "consent has a channel, a topic, a source and a time",
    },
    Synonym {
        word: "optout",
        instead: "consent",
        why: "consent has a channel, a topic, a source and a time",
    },
    Synonym {
        word: "opportunity",
        instead: "deal",
        why: "the word of the markets that we serve",
    },
];

/// Where a word has another meaning that belongs there: in the layout of a page, a label leads an amount.
const OTHER_MEANINGS: [(&str, &str); 1] = [("lead", "crates/message/src/document/")];

/// A longer name is a sentence.
const WORDS_OF_A_NAME_MAX: usize = 4;

/// Names of other people's libraries, which we cannot choose.
const FOREIGN: [&str; 5] = [
    "tracing_subscriber",
    "Subscriber",
    "SubscriberExt",
    "SubscriberInitExt",
    "SubscriberBuilder",
];

pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let tokens = if file.has_extension(&["rs"]) {
            lexer::rust(&file.text)
        } else if file.has_extension(&["sql"]) {
            lexer::sql(&file.text)
        } else {
            continue;
        };
        for token in tokens {
            if token.kind != Kind::Identifier || FOREIGN.contains(&token.text) {
                continue;
            }
            let Some(synonym) = synonym(token.text) else {
                continue;
            };
            let other_meaning = OTHER_MEANINGS
                .iter()
                .any(|(word, place)| *word == synonym.word && file.path.starts_with(place));
            if other_meaning {
                continue;
            }
            findings.push(Finding::error(
                CHECK,
                &file.path,
                token.line,
                format!("`{}` in the name `{}`", synonym.word, token.text),
                format!("say `{}`: {}", synonym.instead, synonym.why),
            ));
        }
    }
    findings
}

fn synonym(identifier: &str) -> Option<&'static Synonym> {
    let words = words(identifier);
    if words.len() > WORDS_OF_A_NAME_MAX {
        return None;
    }
    SYNONYMS.iter().find(|synonym| {
        words
            .iter()
            .any(|word| word == synonym.word || word.strip_suffix('s') == Some(synonym.word))
    })
}

/// The lower-case words of a name in snake, camel or screaming case.
fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for c in identifier.chars() {
        let boundary = !c.is_alphanumeric() || (c.is_uppercase() && previous_lower);
        if boundary {
            words.push(String::new());
        }
        previous_lower = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, shown};
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(words("lead_id"), ["lead", "id"]);
        assert_eq!(words("LeadId"), ["lead", "id"]);
        assert_eq!(words("LEADS_MAX"), ["leads", "max"]);
        assert_eq!(words("\"lead\""), ["lead"]);
        assert_eq!(words("misleading"), ["misleading"]);
    }

    #[test]
    fn a_synonym_is_found_in_every_case_and_number() {
        let source = "struct Lead;\nfn load_campaigns(opt: OptIn) {}\nconst TENANT: u8 = 1;";
        assert_eq!(
            shown(&check(&[file("a.rs", source)])),
            "a.rs:1 `lead` in the name `Lead`\n\
             a.rs:2 `campaign` in the name `load_campaigns`\n\
             a.rs:3 `tenant` in the name `TENANT`\n"
        );
        assert_eq!(
            shown(&check(&[file(
                "a.sql",
                "-- of a lead\nSELECT lead_id FROM t"
            )])),
            "a.sql:2 `lead` in the name `lead_id`\n"
        );
    }

    #[test]
    fn prose_strings_lookalikes_and_foreign_names_are_left_alone() {
        let source = "// a lead\nuse tracing_subscriber::layer::SubscriberExt;\n\
                      fn every_reply_leads_to_an_exit() {}\nfn leading() -> &'static str { \"campaign\" }";
        assert_eq!(check(&[file("a.rs", source)]), []);
        assert_eq!(check(&[file("a.md", "lead_id")]), []);
        let layout = file("crates/message/src/document/a.rs", "fn lead() {}");
        assert_eq!(check(&[layout]), []);
    }

    #[test]
    fn every_word_that_we_demand_is_in_the_glossary() {
        let path = crate::process::root().join("docs/GLOSSARY.md");
        let glossary = std::fs::read_to_string(path).expect("docs/GLOSSARY.md");
        for synonym in &SYNONYMS {
            let entry = format!("**{}**", synonym.instead);
            assert!(glossary.contains(&entry), "no entry {entry}");
        }
    }
}
