//! The letters that come with the program, as their recipients read them: with everything that is known, and with nothing.
//!
//! `tests/data/letters.LANGUAGE.txt` holds them all, to be read whole by whoever changes one; written anew with
//! `RELANCE_WRITE_GOLDEN=1`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use relance_message::outbound::{Kind, TemplateSet, TemplateSource};
use serde_json::{Value, json};

const WRITE: &str = "RELANCE_WRITE_GOLDEN";
const LANGUAGES: [&str; 3] = ["en", "ru", "ja"];
const SCENARIOS: [&str; 2] = ["b2b-reminders", "b2b-follow-up"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of templates, by name.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for scenario in SCENARIOS {
        let folder = root()
            .join("assets/scenarios")
            .join(scenario)
            .join("templates");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    files
}

fn set() -> TemplateSet {
    let sources: Vec<TemplateSource> = files()
        .iter()
        .map(|(name, text)| {
            TemplateSource::parse(name, text).unwrap_or_else(|found| panic!("{found:?}"))
        })
        .collect();
    TemplateSet::compile(&sources).unwrap_or_else(|found| panic!("{found:?}"))
}

/// The ids of templates.
fn ids() -> Vec<String> {
    let mut ids: Vec<String> = files()
        .keys()
        .filter_map(|name| name.split('.').next().map(str::to_owned))
        .collect();
    ids.dedup();
    ids
}

/// All that may be known.
fn full(language: &str) -> Value {
    let (first, name, company, owner, firm, zone) = match language {
        "ru" => (
            "Иван",
            "Иван Сидоров",
            "ООО «Ромашка»",
            "Анна Петрова",
            "Насосы Севера",
            "Europe/Moscow",
        ),
        // In address books people are often called with their courtesy.
        "ja" => (
            "健",
            "佐藤様",
            "株式会社山田製作所",
            "田中 花子",
            "株式会社北光",
            "Asia/Tokyo",
        ),
        _ => (
            "Ann",
            "Ann Doyle",
            "Saltmarsh Brewing",
            "Emma Clarke",
            "Northlight",
            "Europe/London",
        ),
    };
    let (currency, title) = match language {
        "ru" => ("RUB", "Каталог насосов 2027"),
        "ja" => ("JPY", "ポンプ総合カタログ2027"),
        _ => ("EUR", "our pump catalogue 2027"),
    };
    json!({
        "contact": { "firstName": first, "name": name, "company": company, "timezone": zone, "phone": "+49 30 1234567",
            "email": "ann@client.example" },
        "subject": { "number": "26-117", "amount": 125_000, "currency": currency, "issued": "2026-11-03",
            "due": "2026-11-30", "name": "K-5", "serial": "A 1177", "service_date": "2023-02-10" },
        "event": { "file": "https://firm.example/catalogue.pdf", "title": title, "intent_date": "2026-11-30" },
        "owner": { "name": owner, "phone": "+49 30 7654321", "email": "emma@firm.example" },
        "workspace": { "name": firm },
        "links": { "unsubscribe": "https://r.example/u/1" },
    })
}

/// As little as there can be: the sender's name, and the way out.
fn bare(language: &str) -> Value {
    json!({
        "contact": { "email": "ann@client.example" },
        "subject": null, "event": null, "owner": null,
        "workspace": { "name": full(language)["workspace"]["name"] },
        "links": { "unsubscribe": "https://r.example/u/1" },
    })
}

/// One thing known at a time, and one thing missing at a time.
fn partly(language: &str) -> Vec<Value> {
    let full = full(language);
    let mut all = Vec::new();
    for root in ["contact", "subject", "event", "owner"] {
        let fields = full[root].as_object().unwrap();
        for field in fields.keys() {
            let mut without = full.clone();
            without[root].as_object_mut().unwrap().remove(field);
            let mut empty = full.clone();
            empty[root][field] = json!("");
            let mut only = bare(language);
            only[root] = json!({ field: fields[field] });
            all.extend([without, empty, only]);
        }
    }
    all
}

/// What no letter may have in it.
const UNTIDY: [&str; 18] = [
    "  ", " ,", " .", " !", " ?", " :", ",,", "..", "()", "（）", "（、", "、、", "。。", "\n\n\n",
    "none", "{{", "{%", "None",
];

#[test]
fn every_letter_is_there_in_three_languages() {
    let files = files();
    for id in ids() {
        for language in LANGUAGES {
            let name = format!("{id}.{language}.txt");
            assert!(files.contains_key(&name), "{name} is missing");
        }
    }
    assert_eq!(files.len(), ids().len() * LANGUAGES.len());
}

#[test]
fn letters_are_tidy_whatever_is_known() {
    let set = set();
    for id in ids() {
        for language in LANGUAGES {
            let template = set.choose(&id, Some(language)).unwrap();
            assert_eq!(template.warnings(), [], "{id}.{language}");
            // Where there is no amount, its currency is not asked for.
            let mut missing = template.missing_variables(&bare(language));
            missing.retain(|name| name != "subject.currency");
            assert_eq!(missing, Vec::<String>::new(), "{id}.{language}");
            let mut contexts = partly(language);
            contexts.extend([full(language), bare(language)]);
            for context in contexts {
                let rendered = template.render(&context).unwrap();
                for bad in UNTIDY {
                    let untidy = rendered.text.contains(bad) || rendered.subject.contains(bad);
                    assert!(
                        !untidy,
                        "{id}.{language}: {bad:?} in\n{}\n{}",
                        rendered.subject, rendered.text
                    );
                }
                assert!(!rendered.subject.trim().is_empty(), "{id}.{language}");
                // A thread brings its own subject line; a new mail must not look like an answer.
                assert!(!rendered.subject.starts_with("Re:"), "{id}.{language}");
                assert!(
                    rendered.html.is_none(),
                    "{id}.{language}: a letter from person to person is text"
                );
            }
        }
    }
}

#[test]
fn what_nobody_asked_for_shows_the_way_out() {
    let set = set();
    for id in ids() {
        for language in LANGUAGES {
            let template = set.choose(&id, Some(language)).unwrap();
            let text = template.render(&bare(language)).unwrap().text;
            let leaves = text.contains("https://r.example/u/1");
            assert_eq!(
                template.meta().kind == Kind::Marketing,
                leaves,
                "{id}.{language}"
            );
            assert_eq!(leaves, id.starts_with("win-back"), "{id}.{language}");
        }
    }
}

#[test]
fn no_letter_has_a_word_that_filters_dislike() {
    let text = std::fs::read_to_string(root().join("assets/rules/spam-words.toml")).unwrap();
    let rules: toml::Table = text.parse().unwrap();
    let set = set();
    for id in ids() {
        for language in LANGUAGES {
            let rendered = set
                .choose(&id, Some(language))
                .unwrap()
                .render(&full(language))
                .unwrap();
            let letter = format!("{}\n{}", rendered.subject, rendered.text).to_lowercase();
            let whole = |at: usize, word: &str| {
                let before = letter[..at].chars().next_back();
                let after = letter[at + word.len()..].chars().next();
                let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                language == "ja" || !(inside(before) || inside(after))
            };
            for word in rules["words"][language].as_array().unwrap() {
                let word = word.as_str().unwrap();
                let found = letter.match_indices(word).any(|(at, _)| whole(at, word));
                assert!(!found, "{id}.{language}: {word}");
            }
        }
    }
}

#[test]
fn the_letters_read_as_they_were_written() {
    let set = set();
    let mut wrong = Vec::new();
    for language in LANGUAGES {
        let mut told = String::new();
        for id in ids() {
            let template = set.choose(&id, Some(language)).unwrap();
            for (what, context) in [
                ("all is known", full(language)),
                ("nothing is known", bare(language)),
            ] {
                let rendered = template.render(&context).unwrap();
                told.push_str(&format!(
                    "=== {id}: {what}\n{}\n\n{}\n",
                    rendered.subject, rendered.text
                ));
            }
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/data/letters.{language}.txt"));
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, told).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != told {
            wrong.push(path);
        }
    }
    assert!(
        wrong.is_empty(),
        "read and rewrite {wrong:?} with {WRITE}=1"
    );
}
