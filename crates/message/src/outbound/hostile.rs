//! Nonsense made of the pieces that matter, thrown at everything that reads text.
//!
//! Deterministic: a failing case is its number.

use super::{
    OutgoingMail, Template, TemplateSource, html, instrument, jinja, mjml, quote_html, quote_text,
    reply_subject, text_from_html, touchpoint_of,
};

const CASES: u64 = 4_000;
const PIECES: [&str; 64] = [
    "<",
    ">",
    "/",
    "</",
    "/>",
    "=",
    "\"",
    "'",
    " ",
    "\n",
    "\r\n",
    "\t",
    "&",
    ";",
    "&amp;",
    "&#x41;",
    "&#",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-%}",
    "{{-",
    "\\",
    "|",
    "~",
    "*",
    "if",
    "endif",
    "for a in b",
    "endfor",
    "set a = b",
    "contact.x",
    "<a href=",
    "<a href=\"https://x.example/я\">",
    "</a>",
    "<mjml>",
    "</mjml>",
    "<mj-body>",
    "</mj-body>",
    "<mj-section>",
    "</mj-section>",
    "<mj-text ",
    "<mj-text>",
    "</mj-text>",
    "<mj-raw>",
    "</mj-raw>",
    "<style>",
    "</style>",
    "<!--",
    "-->",
    "<!--[if mso]>",
    "<![endif]-->",
    "<!-->",
    "я",
    "日本",
    "👩\u{200d}👧",
    "\u{a0}",
    "\u{0}",
    "Re:",
    "<table><tr><td>",
    "---",
];

/// A small generator (Numerical Recipes); chance is an argument even here.
fn nonsense(case: u64) -> String {
    let mut state = case.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let length = next() % 40;
    (0..length)
        .map(|_| PIECES[usize::try_from(next()).unwrap_or_default() % PIECES.len()])
        .collect()
}

#[test]
fn nonsense_never_panics() {
    for case in 0..CASES {
        let text = nonsense(case);
        let covered: usize = html::Tokens::new(&text)
            .map(|token| match token {
                html::Token::Text(range) | html::Token::Comment(range) => range.len(),
                html::Token::Tag(tag) => tag.range.len(),
            })
            .sum();
        assert_eq!(covered, text.len(), "case {case}: {text:?}");
        let same = instrument(&text, &mut |link| link.url.to_owned(), None);
        assert_eq!(same, text, "case {case}");
        instrument(&text, &mut |_| "https://t.example".to_owned(), Some("p"));
        let read = text_from_html(&text);
        assert!(read.len() <= text.len() * 4 + 1, "case {case}: {read:?}");
        assert!(reply_subject(&text).starts_with("Re:"), "case {case}");
        assert!(!quote_text(&text, &text).is_empty() && !quote_html(&text, &text).is_empty());
        touchpoint_of(&text);
        if let Ok(pieces) = jinja::pieces(&text) {
            let whole: usize = pieces
                .iter()
                .map(|(_, piece)| match piece {
                    jinja::Piece::Text(part)
                    | jinja::Piece::Expression(part)
                    | jinja::Piece::Statement(part)
                    | jinja::Piece::Comment(part) => part.len(),
                })
                .sum();
            assert_eq!(whole, text.len(), "case {case}: {text:?}");
        }
        let lines = jinja::without_lone_statements(&text).matches('\n').count();
        assert_eq!(lines, text.matches('\n').count(), "case {case}: {text:?}");
        let wrapped = format!("<mjml><mj-body>{text}</mj-body></mjml>");
        if let Ok(converted) = mjml::convert(&wrapped, "x.mjml", 1) {
            assert!(!converted.html.contains("zqj"), "case {case}: {wrapped:?}");
        }
    }
}

#[test]
fn nonsense_templates_fail_or_render() {
    let context = serde_json::json!({ "contact": { "x": "<&\r\n\"я" } });
    let mut rendered = 0;
    for case in 0..CASES {
        let body = nonsense(case);
        for (name, body) in [
            ("x.txt", body.clone()),
            ("x.html", body.clone()),
            ("x.mjml", format!("<mjml><mj-body>{body}</mj-body></mjml>")),
        ] {
            let text = format!("---\nsubject: s\n---\n{body}");
            let Ok(source) = TemplateSource::parse(name, &text) else {
                continue;
            };
            match Template::compile(&source) {
                Err(problems) => assert!(!problems.is_empty(), "case {case}"),
                Ok(template) => rendered += usize::from(template.render(&context).is_ok()),
            }
        }
    }
    assert!(
        rendered > 1_000,
        "only {rendered} rendered: the pieces test nothing"
    );
}

#[test]
fn nonsense_mails_are_refused_or_sound() {
    let mut built = 0;
    for case in 0..CASES {
        let text = nonsense(case);
        let mail = OutgoingMail {
            from: "a@b.example".to_owned(),
            from_name: Some(text.clone()),
            to: "c@d.example".to_owned(),
            subject: text.clone(),
            text: text.clone(),
            html: Some(text.clone()),
            message_id: "m@b.example".to_owned(),
            references: vec![text.clone()],
            headers: vec![("X-N".to_owned(), text.clone())],
            ..OutgoingMail::default()
        };
        let Ok(bytes) = mail.build() else { continue };
        built += 1;
        let parsed = mail_parser::MessageParser::default()
            .parse(&bytes)
            .expect("it parses");
        let subject = text.trim();
        assert_eq!(parsed.subject().unwrap_or_default(), subject, "case {case}");
        let kept: String = text.chars().filter(|c| !c.is_control()).collect();
        assert_eq!(
            parsed.body_text(0).as_deref(),
            Some(kept.as_str()),
            "case {case}"
        );
        assert!(bytes.is_ascii(), "case {case}");
        let longest = bytes.split(|b| *b == b'\n').map(<[u8]>::len).max();
        assert!(longest <= Some(999), "case {case}");
    }
    assert!(built > 500, "only {built} built");
}
