//! What a person wrote in place of a template's words.
//!
//! The text is plain: paragraphs, line breaks, web addresses. It is escaped, and no Jinja in it is
//! evaluated, so what was typed is what is read. What the template decides beside its words stays: HTML or
//! text alone, the sender's name, the language, tracking.
//!
//! **Absent:** who may write it, and when it must be asked again (core's approvals).

use minijinja::value::{Serde, Value};

use super::html;
use super::problem::{RenderProblem, TemplatePart};
use super::template::{Rendered, SUBJECT_CHARS_MAX, Template, one_line, own_links};

/// Bytes of a text that a person writes in place of a template's.
pub const LETTER_BYTES_MAX: usize = 64 * 1024;
/// What ends an address in running text, where it is the last character.
const TRAILING: [char; 16] = [
    '.', ',', ';', ':', '!', '?', '\'', '"', '*', '_', '»', '”', '。', '、', '」', '）',
];
const BODY_STYLE: &str = "margin:0;padding:24px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Arial,sans-serif;color:#1a1f2b";
const FOOTER_STYLE: &str = "margin:32px 0 0;font-size:13px;color:#667085";

/// Characters of an address that is made a link.
const URL_CHARS_MAX: usize = 2_000;

/// The line below a letter, by which the recipient leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer<'a> {
    /// What it says: "Unsubscribe".
    pub words: &'a str,
    /// Where it leads.
    pub url: &'a str,
}

/// The first line, and what stands below it; a text of one line is both.
pub fn title_and_body(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.split_once('\n') {
        Some((title, body)) if !body.trim().is_empty() => {
            (title.trim(), body.trim_matches(['\r', '\n']))
        }
        Some(_) | None => (text, text),
    }
}

impl Template {
    /// A text that a person wrote, as this template's message: its first line is the subject line. The
    /// footer is left out where the text has its address already.
    ///
    /// # Errors
    /// The text is empty or too long.
    pub fn wrap(
        &self,
        written: &str,
        footer: Option<Footer<'_>>,
        context: &serde_json::Value,
    ) -> Result<Rendered, RenderProblem> {
        if written.len() > LETTER_BYTES_MAX {
            return Err(RenderProblem::TooLong {
                part: TemplatePart::Text,
                limit: LETTER_BYTES_MAX,
            });
        }
        let written = written.replace("\r\n", "\n");
        let (title, body) = title_and_body(&written);
        let subject = one_line(title, SUBJECT_CHARS_MAX);
        if subject.is_empty() {
            return Err(RenderProblem::SubjectEmpty);
        }
        let footer = footer.filter(|footer| !body.contains(footer.url));
        let mut text = body.trim_end().to_owned();
        if let Some(Footer { words, url }) = footer {
            text.push_str(&format!("\n\n{words}: {url}"));
        }
        text.push('\n');
        let context = Value::from(Serde(context));
        Ok(Rendered {
            subject,
            from_name: self.senders_name(&context),
            html: self
                .has_html()
                .then(|| document(body, footer, self.own_language())),
            text,
            own_links: own_links(&context),
        })
    }
}

/// The smallest HTML document that looks like a letter.
fn document(body: &str, footer: Option<Footer<'_>>, language: &str) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\
         <body style=\"{BODY_STYLE}\">\n",
        html::escape(language)
    );
    let mut paragraph: Vec<&str> = Vec::new();
    for line in body.lines().chain([""]) {
        if !line.trim().is_empty() {
            paragraph.push(line);
            continue;
        }
        if paragraph.is_empty() {
            continue;
        }
        out.push_str("<p>");
        for (at, line) in paragraph.iter().enumerate() {
            if at > 0 {
                out.push_str("<br>\n");
            }
            push_line(&mut out, line.trim_end());
        }
        out.push_str("</p>\n");
        paragraph.clear();
    }
    if let Some(Footer { words, url }) = footer {
        out.push_str(&format!(
            "<p style=\"{FOOTER_STYLE}\"><a href=\"{}\">{}</a></p>\n",
            html::escape(url),
            html::escape(words)
        ));
    }
    out.push_str("</body></html>\n");
    out
}

/// A line, escaped, its web addresses made links.
fn push_line(out: &mut String, line: &str) {
    let mut rest = line;
    while let Some(at) = rest.find("http") {
        let (before, from) = rest.split_at(at);
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| from.starts_with(scheme));
        let begins_word = !before.ends_with(char::is_alphanumeric);
        let Some(scheme) = scheme.filter(|_| begins_word) else {
            let (word, behind) = from.split_at("http".len());
            out.push_str(&html::escape(before));
            out.push_str(word);
            rest = behind;
            continue;
        };
        let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"');
        let end = from
            .char_indices()
            .take(URL_CHARS_MAX)
            .find(|(_, c)| ends(*c))
            .map(|(at, _)| at);
        let url = match end {
            Some(end) => &from[..end],
            None if from.len() <= URL_CHARS_MAX => from,
            // Nobody types such an address.
            None => scheme,
        };
        // "(see https://a.test)" but "https://a.test/Pump_(P)".
        let opens = url.contains('(');
        let url = url.trim_end_matches(|c| TRAILING.contains(&c) || c == ')' && !opens);
        out.push_str(&html::escape(before));
        if url.len() > scheme.len() {
            let escaped = html::escape(url);
            out.push_str(&format!("<a href=\"{escaped}\">{escaped}</a>"));
            rest = &from[url.len()..];
        } else {
            out.push_str(scheme);
            rest = &from[scheme.len()..];
        }
    }
    out.push_str(&html::escape(rest));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::source::TemplateSource;
    use super::*;

    fn template(name: &str, text: &str) -> Template {
        let source = TemplateSource::parse(name, text).expect("parses");
        Template::compile(&source).expect("compiles")
    }

    const HTML: &str =
        "---\nsubject: Offer\nfrom_name: \"{{ owner.name }}\"\n---\n<p>{{ contact.name }}</p>";

    #[test]
    fn what_was_typed_is_what_is_read() {
        let context = json!({
            "owner": { "name": "Anna" },
            "links": { "unsubscribe": "https://r.test/u/1" },
        });
        let footer = Footer {
            words: "Отписаться",
            url: "https://r.test/u/1",
        };
        let rendered = template("a.ru.html", HTML)
            .wrap(
                "  Про насосы \r\n\r\nЗдравствуйте, {{ contact.name }} <b>!\r\nсм. https://shop.test/?a=1&b=2.\r\n\r\n\r\nАнна",
                Some(footer),
                &context,
            )
            .expect("wraps");
        assert_eq!(rendered.subject, "Про насосы");
        assert_eq!(rendered.from_name.as_deref(), Some("Anna"));
        assert_eq!(
            rendered.text,
            "Здравствуйте, {{ contact.name }} <b>!\nсм. https://shop.test/?a=1&b=2.\n\n\nАнна\n\n\
             Отписаться: https://r.test/u/1\n"
        );
        let html = rendered.html.as_deref().expect("html");
        assert!(
            html.contains(
                "<p>Здравствуйте, {{ contact.name }} &lt;b&gt;!<br>\n\
                 см. <a href=\"https://shop.test/?a=1&amp;b=2\">https://shop.test/?a=1&amp;b=2</a>.</p>\n<p>Анна</p>"
            ),
            "{html}"
        );
        assert!(html.contains("<html lang=\"ru\">"));
        // The link by which one leaves is not counted; the others are.
        let mut tracked = Vec::new();
        rendered.tracked_html(
            &mut |link| {
                tracked.push(link.url.to_owned());
                link.url.to_owned()
            },
            None,
        );
        assert_eq!(tracked, ["https://shop.test/?a=1&b=2"]);
    }

    #[test]
    fn a_text_template_stays_text_and_a_footer_stands_once() {
        let own = template("a.txt", "---\nsubject: x\n---\nbody");
        let footer = Footer {
            words: "Unsubscribe",
            url: "https://r.test/u/1",
        };
        let wrapped = own
            .wrap("Hi\nLeave: https://r.test/u/1", Some(footer), &json!({}))
            .expect("wraps");
        assert_eq!(wrapped.html, None);
        assert_eq!(wrapped.text, "Leave: https://r.test/u/1\n");
        // A single line is the subject and the message.
        let wrapped = own.wrap("Please pay.", None, &json!({})).expect("wraps");
        assert_eq!(
            (wrapped.subject.as_str(), wrapped.text.as_str()),
            ("Please pay.", "Please pay.\n")
        );
        assert_eq!(
            own.wrap(" \n ", None, &json!({})),
            Err(RenderProblem::SubjectEmpty)
        );
        assert!(
            own.wrap(&"x".repeat(LETTER_BYTES_MAX + 1), None, &json!({}))
                .is_err()
        );
        // No line of it becomes a header.
        let wrapped = own.wrap("a\u{b}Bcc: x@y.test\nb", None, &json!({}));
        assert_eq!(wrapped.expect("wraps").subject, "a Bcc: x@y.test");
    }

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        for (line, expected) in [
            (
                "(see https://a.test/x).",
                "(see <a href=\"https://a.test/x\">https://a.test/x</a>).",
            ),
            (
                "https://a.test/P_(x), b",
                "<a href=\"https://a.test/P_(x)\">https://a.test/P_(x)</a>, b",
            ),
            (
                "«http://пример.рф»、",
                "«<a href=\"http://пример.рф\">http://пример.рф</a>»、",
            ),
            (
                "https:// http xhttp://a.test",
                "https:// http xhttp://a.test",
            ),
            (
                "https://a.test/'\"onclick=x",
                "<a href=\"https://a.test/\">https://a.test/</a>&#39;&quot;onclick=x",
            ),
            ("javascript:alert(1)", "javascript:alert(1)"),
        ] {
            let mut out = String::new();
            push_line(&mut out, line);
            assert_eq!(out, expected, "{line}");
        }
        for seed in ["http", "https://a", "https://)", "https://.("] {
            let mut out = String::new();
            push_line(&mut out, &seed.repeat(LETTER_BYTES_MAX / seed.len()));
            assert!(out.len() < 8 * LETTER_BYTES_MAX);
        }
    }
}
