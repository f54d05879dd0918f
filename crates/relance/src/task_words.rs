//! Titles of tasks that no journey words, in the language of whoever has the task.
//!
//! A decision gives them in English and knows no users; here they get their words as they are stored. A language that
//! has none keeps the English. **Absent:** titles of steps: a journey says them in its own words.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use relance_core::decide::OwnTitle;

const TEXTS: [(&str, &str); 3] = [
    ("en", include_str!("../../../assets/words/tasks.en.toml")),
    ("ja", include_str!("../../../assets/words/tasks.ja.toml")),
    ("ru", include_str!("../../../assets/words/tasks.ru.toml")),
];
/// The entry of a title that names an address ends so.
const NAMED: &str = "_named";
/// Where the address stands.
const ADDRESS: &str = "{address}";

fn texts() -> &'static BTreeMap<&'static str, BTreeMap<String, String>> {
    static ALL: OnceLock<BTreeMap<&'static str, BTreeMap<String, String>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |(language, text)| Some((language, toml::from_str(text).ok()?));
        TEXTS.into_iter().filter_map(read).collect()
    })
}

/// The title in this language, a Jinja text still; `None` where a journey words it, or the language has no words.
pub fn worded(title: &str, language: &str) -> Option<String> {
    let (own, address) = OwnTitle::of(title)?;
    // `pt-BR` reads what `pt` reads.
    let short = language.split(['-', '_']).next().unwrap_or(language);
    let words = texts().get(language).or_else(|| texts().get(short))?;
    match address {
        None => words.get(own.word()).cloned(),
        Some(address) => {
            let text = words.get(&format!("{}{NAMED}", own.word()))?;
            Some(text.replace(ADDRESS, address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_title_has_its_words_in_three_languages() {
        for (language, words) in texts() {
            for own in OwnTitle::ALL {
                assert!(words.contains_key(own.word()), "{language}: {own:?}");
                let told = worded(own.english(), language).unwrap();
                let context = serde_json::json!({ "contact": { "email": "ana@client.test" } });
                let line = relance_message::outbound::render_line(&told, &context).unwrap();
                assert!(line.contains("ana@client.test"), "{line}");
            }
        }
        assert_eq!(texts().len(), TEXTS.len());
        // The English of the catalogue is that of the decision.
        for own in OwnTitle::ALL {
            assert_eq!(worded(own.english(), "en").unwrap(), own.english());
        }
    }

    #[test]
    fn an_address_that_an_answer_names_stands_in_the_title() {
        let title = format!(
            "{} (the answer names eva@client.test)",
            OwnTitle::LeftCompany.english()
        );
        assert_eq!(worded(&title, "en-GB").as_deref(), Some(title.as_str()));
        assert!(
            worded(&title, "ru")
                .unwrap()
                .contains("указан eva@client.test")
        );
        assert_eq!(worded(&title, "fi"), None);
        assert_eq!(worded("Call {{ contact.name }} about it", "ru"), None);
    }
}
