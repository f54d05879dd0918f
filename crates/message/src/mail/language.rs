//! The language that a mail is written in.

use whatlang::{Detector, Info, Lang};

/// Bytes that are looked at.
const BYTES_MAX: usize = 4 * 1024;

/// Languages that follow-ups are written in; any other would only blur the answer.
const LANGUAGES: [(Lang, &str); 8] = [
    (Lang::Eng, "en"),
    (Lang::Rus, "ru"),
    (Lang::Jpn, "ja"),
    (Lang::Deu, "de"),
    (Lang::Fra, "fr"),
    (Lang::Spa, "es"),
    (Lang::Ita, "it"),
    (Lang::Por, "pt"),
];

/// The language of a text as ISO 639-1, where it is plain.
///
/// ```
/// use relance_message::mail::language;
/// assert_eq!(language("Добрый день! Направляю коммерческое предложение на поставку."), Some("ru"));
/// assert_eq!(language("ok"), None);
/// ```
pub fn language(text: &str) -> Option<&'static str> {
    let mut end = text.len().min(BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let known = LANGUAGES.iter().map(|(lang, _)| *lang).collect();
    let detector = Detector::with_allowlist(known);
    let found = detector.detect(&text[..end]).filter(Info::is_reliable)?;
    LANGUAGES
        .iter()
        .find(|(lang, _)| *lang == found.lang())
        .map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_are_told_apart() {
        let mail = "お世話になっております。お見積書を添付いたしましたので、ご確認ください。";
        assert_eq!(language(mail), Some("ja"));
        let mail = "Dear Ana,\nThank you for your interest in our sensors. Please find the quotation attached. \
             If you have any questions, I will be happy to answer them.\nKind regards";
        assert_eq!(language(mail), Some("en"));
        assert_eq!(language(""), None);
        assert_eq!(language(&"я".repeat(BYTES_MAX)).unwrap_or("ru"), "ru");
    }
}
