//! What should be looked at before a template is sent: size, links, images, the way out, words of advertisers.
//!
//! Every finding has a public code and what it is about; none of them keeps a message from going.
//!
//! **Absent:** whether the template is right, which compiling says; filters of receivers, which nobody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::html::{self, Token, Tokens};
use super::{Kind, SUBJECT_CHARS_MAX};

/// Bytes of HTML beyond which a large mail program shows a part and a link to the rest.
pub const CLIPPED_BYTES: usize = 102 * 1024;
/// Characters of a subject line that a telephone shows.
const SUBJECT_SHOWN_CHARS: usize = 70;
/// Things that one finding names.
const ABOUT_MAX: usize = 20;
/// Characters of one of them.
const ABOUT_CHARS_MAX: usize = 200;
const WORDS: &str = include_str!("../../../../assets/rules/spam-words.toml");

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    /// The subject line.
    pub subject: &'a str,
    /// The HTML, where there is one.
    pub html: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// What sort of message it is.
    pub kind: Kind,
    /// The language that it is in.
    pub language: &'a str,
    /// The recipient's own links begin so; one of them is the way out.
    pub own_links: &'a str,
    /// The address by which the recipient leaves.
    pub unsubscribe: &'a str,
}

/// Something that should be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A public code.
    pub code: &'static str,
    /// What, and what to do.
    pub detail: String,
    /// The words, links or numbers that it is about.
    pub about: Vec<String>,
}

/// The words of advertisers, by language.
#[derive(Debug, Deserialize)]
struct SpamWords {
    format: String,
    words: BTreeMap<String, Vec<String>>,
}

/// The version of the list that is understood.
const FORMAT: &str = "spam-words/1";

static SPAM_WORDS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    // A test reads the file; without it there are no words to find.
    let read: Option<SpamWords> = toml::from_str(WORDS).ok();
    let read = read.filter(|list| list.format == FORMAT);
    read.map(|list| list.words).unwrap_or_default()
});

/// Looks at a message.
pub fn check(looked: &Looked<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |code, detail: String, about: Vec<String>| {
        findings.push(Finding {
            code,
            detail,
            about,
        });
    };
    if let Some(html) = looked.html
        && html.len() > CLIPPED_BYTES
    {
        let detail = format!(
            "the HTML has {} bytes; beyond {CLIPPED_BYTES} some programs cut it off, the way out with it; shorten it",
            html.len()
        );
        found("size", detail, vec![html.len().to_string()]);
    }
    if looked.subject.trim().is_empty() {
        found(
            "subject_empty",
            "the subject line is empty; write one".to_owned(),
            vec![],
        );
    }
    let chars = looked.subject.chars().count();
    if chars > SUBJECT_SHOWN_CHARS.min(SUBJECT_CHARS_MAX) {
        let detail = format!(
            "the subject line has {chars} characters; telephones show {SUBJECT_SHOWN_CHARS}"
        );
        found("subject_long", detail, vec![chars.to_string()]);
    }
    let Seen {
        empty,
        insecure,
        images,
    } = looked
        .html
        .map(|html| seen(html, looked.own_links))
        .unwrap_or_default();
    if !empty.is_empty() {
        let detail = format!("{} links lead nowhere; give each an address", empty.len());
        found("link_empty", detail, cut(empty));
    }
    if !insecure.is_empty() {
        let detail = "links without https are marked as unsafe; use https".to_owned();
        found("link_insecure", detail, cut(insecure));
    }
    if !images.is_empty() {
        let detail = format!(
            "{} images have no alt text; without it they say nothing where images are not loaded",
            images.len()
        );
        found("image_alt", detail, cut(images));
    }
    let leaves = |text: &str| text.contains(looked.unsubscribe);
    if looked.kind == Kind::Marketing && !leaves(looked.text) && !looked.html.is_some_and(leaves) {
        let detail =
            "there is no way to unsubscribe; put {{ links.unsubscribe }} into it".to_owned();
        found("unsubscribe", detail, vec![]);
    }
    let words = spam_words(&[looked.subject, looked.text], looked.language);
    if !words.is_empty() {
        let detail =
            "filters look for these words; say it in others where that is possible".to_owned();
        found("spam_words", detail, cut(words));
    }
    findings
}

fn cut(all: Vec<String>) -> Vec<String> {
    let all = all.into_iter().take(ABOUT_MAX);
    all.map(|one| one.chars().take(ABOUT_CHARS_MAX).collect())
        .collect()
}

/// What stands out in HTML.
#[derive(Default)]
struct Seen {
    empty: Vec<String>,
    insecure: Vec<String>,
    images: Vec<String>,
}

fn seen(html: &str, own_links: &str) -> Seen {
    let mut seen = Seen::default();
    for token in Tokens::new(html) {
        let Token::Tag(tag) = token else { continue };
        if tag.closing {
            continue;
        }
        let name = &html[tag.name.clone()];
        let is_link = name.eq_ignore_ascii_case("a") || name.eq_ignore_ascii_case("area");
        let is_image = name.eq_ignore_ascii_case("img");
        if !is_link && !is_image {
            continue;
        }
        let attributes = html::attributes(html, &tag);
        let value = |wanted: &str| {
            let own = attributes
                .iter()
                .find(|one| html[one.name.clone()].eq_ignore_ascii_case(wanted))?;
            Some(html::decode(html[own.value.clone()].trim()).into_owned())
        };
        if is_image && value("alt").is_none() {
            seen.images.push(value("src").unwrap_or_default());
        }
        if is_link && let Some(href) = value("href") {
            let is_own = !own_links.is_empty() && href.starts_with(own_links);
            if href.is_empty() || href == "#" {
                seen.empty.push(html[tag.range.clone()].to_owned());
            } else if href.starts_with("http://") && !is_own {
                seen.insecure.push(href);
            }
        }
    }
    seen
}

/// Words of advertisers in a text, each once; those of the language and, since it is read everywhere, of English.
fn spam_words(texts: &[&str], language: &str) -> Vec<String> {
    let own = language.get(..2).unwrap_or("en").to_lowercase();
    let known = ["en", &own].into_iter().collect::<BTreeSet<_>>();
    let text = texts.join("\n").to_lowercase();
    let mut words = BTreeSet::new();
    for language in known {
        let is_spaced = language != "ja";
        for word in SPAM_WORDS.get(language).into_iter().flatten() {
            let word = word.to_lowercase();
            if stands_in(&text, &word, is_spaced) {
                words.insert(word);
            }
        }
    }
    words.into_iter().collect()
}

/// Whether a word stands in a text, as a word of its own where words are told apart by spaces.
fn stands_in(text: &str, word: &str, is_spaced: bool) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !is_spaced || !(is_letter(before) || is_letter(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(html: &str, text: &str, language: &str) -> Vec<&'static str> {
        let looked = Looked {
            subject: "Invoice 7",
            html: Some(html),
            text,
            kind: Kind::Marketing,
            language,
            own_links: "http://127.0.0.1:8080/",
            unsubscribe: "http://127.0.0.1:8080/u/preview",
        };
        check(&looked).into_iter().map(|one| one.code).collect()
    }

    const OUT: &str = "http://127.0.0.1:8080/u/preview";

    #[test]
    fn a_decent_message_has_nothing_to_look_at() {
        let html =
            format!("<a href=\"https://x.test/\">x</a><img src=x alt=\"\"><a href={OUT}>out</a>");
        assert_eq!(codes(&html, "Good day", "en"), Vec::<&str>::new());
    }

    #[test]
    fn each_fault_has_its_code() {
        let html = "<a href='http://x.test'>x</a><a href='#'>y</a><img src='p.png'>";
        assert_eq!(
            codes(html, "Good day", "en"),
            ["link_empty", "link_insecure", "image_alt", "unsubscribe"]
        );
        let long = format!("<p>{}</p>{OUT}", "x".repeat(CLIPPED_BYTES));
        assert_eq!(codes(&long, OUT, "en"), ["size"]);
    }

    #[test]
    fn words_are_found_in_their_language_as_words() {
        assert_eq!(codes(OUT, "Act now, dear reader", "en"), ["spam_words"]);
        assert_eq!(codes(OUT, "Разыгрывается приз!", "ru-RU"), ["spam_words"]);
        assert_eq!(codes(OUT, "本日限りのご案内", "ja"), ["spam_words"]);
        // A part of another word is no word.
        assert_eq!(codes(OUT, "сюрприз", "ru"), Vec::<&str>::new());
        assert_eq!(codes(OUT, "Разыгрывается приз!", "en"), Vec::<&str>::new());
    }

    #[test]
    fn the_list_of_words_is_read_and_has_every_language_of_the_program() {
        for language in ["en", "ru", "ja"] {
            let words = &SPAM_WORDS[language];
            assert!(words.len() >= 25, "{language}: {}", words.len());
        }
    }

    #[test]
    fn hostile_markup_takes_linear_time() {
        let html = "<a href=".repeat(100_000) + &"<img ".repeat(100_000);
        let _ended = codes(&html, &"free ".repeat(50_000), "en");
    }
}
