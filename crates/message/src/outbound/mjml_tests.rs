use super::*;

fn body(inner: &str) -> String {
    format!(
        "<mjml><mj-body>\n<mj-section>\n<mj-column>{inner}</mj-column></mj-section></mj-body></mjml>"
    )
}

fn html(source: &str) -> String {
    convert(source, "a.mjml", 1).expect("converts").html
}

fn problems(source: &str) -> Vec<(u32, String)> {
    convert(source, "a.mjml", 1)
        .expect_err("fails")
        .into_iter()
        .map(|p| (p.line, p.message))
        .collect()
}

#[test]
fn tags_come_through_texts_and_attributes_unchanged() {
    for tag in [
        "{{ contact.name }}",
        "{{ a < b and c > d }}",
        "{{ x | default(\"a \\\" b\") }}",
        "{{ {'k': {'v': 1}}['k'] }}",
        "{% if a < 3 %}x{% elif b %}y{% endif %}",
        "{%- for i in subject.items -%}{{ i }}{%- endfor -%}",
    ] {
        let source = body(&format!(
            "<mj-text>{tag}</mj-text>\n<mj-button href=\"{tag}\" background-color='#{tag}'>b</mj-button>\
             <mj-image src=\"https://x.example/{tag}.png\" alt=\"{tag}\" href='{tag}' />\
             <mj-raw><td>{tag}</td></mj-raw>\
             <mj-table><tr><td style=\"color: {tag}\">{tag}</td></tr></mj-table>"
        ));
        let html = html(&source);
        assert!(html.matches(tag).count() >= 8, "{tag}: {html}");
        assert!(html.contains(&format!("href=\"{tag}\"")), "{tag}: {html}");
        assert!(!html.contains("zqj"), "{html}");
    }
}

#[test]
fn loops_may_stand_round_elements_of_every_level() {
    for source in [
        "<mjml><mj-body>{% for i in x %}<mj-section><mj-column><mj-text>T{{ i }}</mj-text></mj-column></mj-section>{% endfor %}</mj-body></mjml>",
        "<mjml><mj-body><mj-wrapper>\n {% for i in x %}\n<mj-section><mj-column><mj-text>T{{ i }}</mj-text></mj-column></mj-section>\n{% endfor %}\n</mj-wrapper></mj-body></mjml>",
        "<mjml><mj-body><mj-section>{% for i in x %}<mj-column><mj-text>T{{ i }}</mj-text></mj-column>{% endfor %}</mj-section></mj-body></mjml>",
        "<mjml><mj-body><mj-section><mj-column>{% for i in x %}<mj-text>T{{ i }}</mj-text>{% endfor %}</mj-column></mj-section></mj-body></mjml>",
        "<mjml><mj-body><mj-section><mj-column><mj-table>{% for i in x %}<tr><td>T{{ i }}</td></tr>{% endfor %}</mj-table></mj-column></mj-section></mj-body></mjml>",
    ] {
        let converted = html(source);
        for count in [0, 1, 3] {
            let mut env = minijinja::Environment::new();
            env.add_template("t.html", &converted).expect("compiles");
            let x: Vec<u32> = (0..count).collect();
            let out = env
                .get_template("t.html")
                .and_then(|t| t.render(minijinja::context! { x }))
                .expect("renders");
            assert_eq!(out.matches(">T").count(), count as usize, "{source}: {out}");
            assert_balanced(&out);
        }
    }
}

/// Every tag is closed, also inside of the comments for Outlook, and those pair up.
fn assert_balanced(html: &str) {
    let mut stack = Vec::new();
    let mut open = false;
    for token in Tokens::new(html) {
        match token {
            Token::Comment(range) => {
                let text = &html[range];
                if text.starts_with("<!--[if") && !text.contains("!mso") {
                    assert!(!open, "nested conditional comment in {html}");
                    open = true;
                } else if text.starts_with("<![endif") && open {
                    open = false;
                }
            }
            Token::Tag(tag) => {
                let name = html[tag.name.clone()].to_owned();
                let empty =
                    VOID.contains(&name.as_str()) || html[tag.inside.clone()].ends_with('/');
                if tag.closing {
                    assert_eq!(stack.pop(), Some((name, open)), "in {html}");
                } else if !empty {
                    stack.push((name, open));
                }
            }
            Token::Text(_) => {}
        }
    }
    assert!(stack.is_empty() && !open, "{stack:?} in {html}");
}

#[test]
fn statements_may_stand_before_the_root() {
    let html = html(
        "{% set a = 1 %}\n<!-- by Ann -->\n<mjml><mj-body><mj-section></mj-section></mj-body></mjml>\n",
    );
    assert!(html.starts_with("{% set a = 1 %}"), "{html}");
    assert!(html.contains("<!doctype html>"));
}

#[test]
fn characters_of_attributes_are_not_spoiled() {
    let html = html(&body(
        "<mj-image src='a.png' alt='\"x\" \\ 👨\u{200d}👩 a\u{a0}b' /><mj-text font-family='\"Arial\", sans'>x</mj-text>",
    ));
    assert!(
        html.contains("alt=\"&quot;x&quot; \\ 👨\u{200d}👩 a\u{a0}b\""),
        "{html}"
    );
    assert!(
        html.contains("font-family:&quot;Arial&quot;, sans"),
        "{html}"
    );
    assert!(!html.contains("\\u{"), "{html}");
}

#[test]
fn signs_in_texts_do_not_reach_the_parser() {
    let html = html(&body(
        "<mj-text>トップ > 製品>価格 1 < 2 <!--[if !mso]><!-->x<!--<![endif]--></mj-text>\
         <mj-raw><style>日>本{a:b}<b></style></mj-raw>",
    ));
    assert!(html.contains("トップ > 製品>価格 1 < 2 "), "{html}");
    assert!(html.contains("<style>日>本{a:b}<b></style>"), "{html}");
}

#[test]
fn comments_cannot_hide_depth() {
    for comment in [
        "<!-->",
        "<!--[if a>",
        "<!--[if a]b>",
        "<![CDATA[x]]>",
        "<?x >",
        "<!--[if x]",
    ] {
        let seen = problems(&body(&format!("<mj-raw>{comment}</mj-raw>")));
        assert!(
            seen[0].1.contains("comment is not understood"),
            "{comment}: {seen:?}"
        );
    }
    // Inside of a raw element nothing nests, and it is never closed.
    let hidden = format!("<mj-raw><textarea>{}", "<b>".repeat(100_000));
    assert!(!problems(&body(&hidden)).is_empty());
}

#[test]
fn attributes_may_touch() {
    let html = html(&body("<mj-text color=\"#111111\"css-class='a'>x</mj-text>"));
    assert!(
        html.contains("class=\"a\"") && html.contains("#111111"),
        "{html}"
    );
}

#[test]
fn style_sheets_are_not_taken_for_tags() {
    let source = "<mjml><mj-head><mj-style>@media x{ .a{color:red}}</mj-style></mj-head><mj-body></mj-body></mjml>";
    let html = html(source);
    assert!(html.contains("@media x{ .a{color:red}}"), "{html}");
    assert!(jinja::check(&html, "a", 1).is_empty());
}

#[test]
fn problems_name_the_line_of_the_file() {
    let long_tag = "{{ a\n\n\n }}";
    for (inner, line, word) in [
        (format!("{long_tag}\n<mj-nope"), 7, ""),
        (
            "<mj-text {{ x }}>a</mj-text>".to_owned(),
            3,
            "inside of an element",
        ),
        (
            "\n<mj-text {% if x %}color='red'{% endif %}>a</mj-text>".to_owned(),
            4,
            "inside",
        ),
        (
            "\n<mj-include path=\"/etc/passwd\" />".to_owned(),
            4,
            "mj-include",
        ),
        ("<mj-text>a</mj-tex>".to_owned(), 3, ""),
    ] {
        let Err(found) = convert(&body(&inner), "a.mjml", 1) else {
            // The renderer forgives a misspelt closing tag.
            assert!(inner.contains("</mj-tex>"), "{inner}");
            continue;
        };
        assert!(found[0].message.contains(word), "{inner}: {found:?}");
        assert!(found[0].line.abs_diff(line) <= 1, "{inner}: {found:?}");
    }
    assert_eq!(problems("<p>hi</p>")[0].1, "no `<mjml>` element");
    assert_eq!(
        problems("hello <mjml><mj-body></mj-body></mjml>")[0].1,
        "text stands outside of the `<mjml>` element"
    );
}

#[test]
fn lost_tags_are_reported() {
    let source = "<mjml><mj-head><mj-attributes><mj-class name=\"x\" color=\"{{ a }}\" /></mj-attributes></mj-head><mj-body></mj-body></mjml>";
    let warnings = convert(source, "a.mjml", 1).expect("converts").warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].message.contains("shows nothing"));
}

#[test]
fn inline_styles_are_answered_with_a_warning() {
    let source = "<mjml><mj-head>\n<mj-style inline=\"inline\">.a{color:red}</mj-style></mj-head><mj-body></mj-body></mjml>";
    let warnings = convert(source, "a.mjml", 1).expect("converts").warnings;
    assert!(
        warnings
            .iter()
            .any(|w| w.message.contains("not inlined") && w.line == 2),
        "{warnings:?}"
    );
}

#[test]
fn deep_nesting_is_refused_before_the_renderer_sees_it() {
    let deep = body(&("<mj-text>".to_owned() + &"<b>".repeat(100_000)));
    assert!(problems(&deep)[0].1.contains("nested deeper"));
    let allowed = MJML_DEPTH_MAX - 5;
    let just = body(&format!(
        "<mj-text>{}x{}</mj-text>",
        "<b>".repeat(allowed),
        "</b>".repeat(allowed)
    ));
    assert!(html(&just).contains("<b>x</b>"));
}

#[test]
fn hostile_sources_neither_panic_nor_hang() {
    for seed in [
        "<mjml>",
        "<mj-text a='",
        "{{",
        "{% if %}",
        "<!--",
        "&",
        "</mjml>",
        "<mjml/>",
    ] {
        for source in [
            seed.repeat(5_000),
            body(&seed.repeat(2_000)),
            format!("<mjml><mj-body>{seed}</mj-body></mjml>"),
        ] {
            let outcome = convert(&source, "a.mjml", 1);
            assert!(outcome.is_ok() || outcome.is_err_and(|p| !p.is_empty()));
        }
    }
}
