//! Tracked links and the pixel, put into finished HTML.
//!
//! Only the addresses of web links change; every other byte stays as it was. Mail and telephone
//! links, links marked `data-no-track`, and the addresses the caller wants kept (unsubscribe,
//! preferences) are left alone. One pass, linear.
//!
//! **Absent:** what a tracked address looks like; the caller's function makes and signs it. Text
//! bodies are never changed: a reader sees their addresses.

use super::html::{self, Token, Tokens};

/// A link found in the HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRef<'a> {
    /// Its address, entities decoded.
    pub url: &'a str,
    /// The how-manyth tracked link of the message it is, counted from 0.
    pub position: usize,
}

/// Replaces the address of every web link by what `link` answers, and adds the pixel.
///
/// An answer equal to the address leaves the link's bytes as they are.
pub fn instrument(
    html: &str,
    link: &mut dyn FnMut(LinkRef<'_>) -> String,
    pixel: Option<&str>,
) -> String {
    instrument_keeping(html, &[], link, pixel)
}

/// Like [`instrument`]; addresses that begin with one of `keep` are left alone.
pub fn instrument_keeping(
    html: &str,
    keep: &[&str],
    link: &mut dyn FnMut(LinkRef<'_>) -> String,
    pixel: Option<&str>,
) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 4 + 256);
    let mut copied = 0;
    let mut position = 0;
    let mut body_end = None;
    for token in Tokens::new(html) {
        let Token::Tag(tag) = token else { continue };
        let name = &html[tag.name.clone()];
        if tag.closing {
            if name.eq_ignore_ascii_case("body") {
                // Nothing before this byte changes any more, so its place in the output is known.
                body_end = Some(out.len() + (tag.range.start - copied));
            }
            continue;
        }
        if !name.eq_ignore_ascii_case("a") && !name.eq_ignore_ascii_case("area") {
            continue;
        }
        let attributes = html::attributes(html, &tag);
        let named = |wanted: &str| {
            attributes
                .iter()
                .find(|a| html[a.name.clone()].eq_ignore_ascii_case(wanted))
        };
        let Some(href) = named("href") else { continue };
        if named("data-no-track").is_some() {
            continue;
        }
        let url = html::decode(html[href.value.clone()].trim());
        if !is_web(&url) || keep.iter().any(|k| !k.is_empty() && url.starts_with(k)) {
            continue;
        }
        let answer = link(LinkRef {
            url: &url,
            position,
        });
        position += 1;
        if answer == url {
            continue;
        }
        out.push_str(&html[copied..href.value.start]);
        if href.quote.is_none() {
            out.push('"');
        }
        out.push_str(&html::escape(&answer));
        if href.quote.is_none() {
            out.push('"');
        }
        copied = href.value.end;
    }
    out.push_str(&html[copied..]);
    if let Some(pixel) = pixel {
        let image = format!(
            "<img src=\"{}\" width=\"1\" height=\"1\" alt=\"\" style=\"display:block;border:0;width:1px;height:1px\">",
            html::escape(pixel)
        );
        match body_end {
            Some(at) => out.insert_str(at, &image),
            None => out.push_str(&image),
        }
    }
    out
}

fn is_web(url: &str) -> bool {
    let begins = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    };
    begins("https://") || begins("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(html: &str) -> (String, Vec<String>) {
        let mut seen = Vec::new();
        let out = instrument_keeping(
            html,
            &["https://r.example/u/"],
            &mut |link| {
                seen.push(link.url.to_owned());
                format!("https://r.example/t/{}?a=1&b=2", link.position)
            },
            None,
        );
        (out, seen)
    }

    #[test]
    fn web_links_are_rewritten_and_nothing_else() {
        let (out, seen) = track(
            "<p>x &amp; <A class=b HREF='https://a.example/?q=1&amp;z=2' title=\"t\">a</A>\n\
             <a href=http://b.example/c>b</a> <a href=\"mailto:x@y.example\">m</a>\
             <a href=\"tel:+1\">t</a><a href=\"#top\">top</a><a name=n>n</a>\
             <a data-no-track href=\"https://c.example\">c</a>\
             <a href=\"https://r.example/u/abc\">off</a><img src=\"https://d.example/i.png\"></p>",
        );
        assert_eq!(seen, ["https://a.example/?q=1&z=2", "http://b.example/c"]);
        assert_eq!(
            out,
            "<p>x &amp; <A class=b HREF='https://r.example/t/0?a=1&amp;b=2' title=\"t\">a</A>\n\
             <a href=\"https://r.example/t/1?a=1&amp;b=2\">b</a> <a href=\"mailto:x@y.example\">m</a>\
             <a href=\"tel:+1\">t</a><a href=\"#top\">top</a><a name=n>n</a>\
             <a data-no-track href=\"https://c.example\">c</a>\
             <a href=\"https://r.example/u/abc\">off</a><img src=\"https://d.example/i.png\"></p>"
        );
    }

    #[test]
    fn comments_and_style_sheets_are_left_alone_but_outlook_is_followed() {
        let (out, seen) = track(
            "<!-- <a href=\"https://a.example\">a</a> --><style>/*<a href='https://b.example'>*/</style>\
             <!--[if mso]><a href=\"https://c.example\">c</a><![endif]-->",
        );
        assert_eq!(seen, ["https://c.example"]);
        assert!(out.contains("https://a.example") && out.contains("https://b.example"));
    }

    #[test]
    fn the_pixel_stands_before_the_end_of_the_body() {
        let html = "<html><body><a href=\"https://a.example\">a</a></body></html>\n";
        let out = instrument(
            html,
            &mut |_| "https://t.example/1".to_owned(),
            Some("https://t.example/o?a=1&b=\""),
        );
        assert_eq!(
            out,
            "<html><body><a href=\"https://t.example/1\">a</a><img src=\"https://t.example/o?a=1&amp;b=&quot;\" \
             width=\"1\" height=\"1\" alt=\"\" style=\"display:block;border:0;width:1px;height:1px\"></body></html>\n"
        );
        assert!(instrument("x", &mut |l| l.url.to_owned(), Some("p")).ends_with('>'));
    }

    #[test]
    fn an_unchanged_address_leaves_the_bytes_unchanged() {
        let html =
            "<a href=' https://a.example/?x=1&y=2 '>a</a><a href=\"HTTPS://b.example\">b</a>";
        assert_eq!(instrument(html, &mut |l| l.url.to_owned(), None), html);
    }

    #[test]
    fn an_answer_cannot_leave_its_attribute() {
        let out = instrument(
            "<a href='https://a.example'>a</a>",
            &mut |_| "x'><script>".to_owned(),
            None,
        );
        assert_eq!(out, "<a href='x&#39;&gt;&lt;script&gt;'>a</a>");
    }

    #[test]
    fn hostile_html_takes_linear_time() {
        for seed in [
            "<a href=\"https://a",
            "<a ",
            "<a href='https://x'>",
            "</body>",
            "<!--[if ",
        ] {
            let html = seed.repeat(50_000);
            let out = instrument(&html, &mut |_| "y".to_owned(), Some("p"));
            assert!(out.len() < html.len() + 1_000_000);
        }
    }
}
