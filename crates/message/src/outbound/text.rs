//! HTML read aloud: the text part of a message that has none of its own.
//!
//! Links keep their address (`Open <https://...>`), pictures their words, lists their dashes; what
//! the reader does not see (style sheets, the preheader) is left out. Layout tables are paragraphs,
//! tables of data are lines. One pass without a tree: linear, and depth costs nothing.
//!
//! A general converter builds the whole tree first and draws borders round layout tables; it took
//! most of a rendering's time. **Absent:** wrapping; mail programs wrap.

use super::html::{self, Tag, Token, Tokens};

/// Nesting of lists that is shown.
const LIST_DEPTH_MAX: usize = 8;
/// Elements that a paragraph's gap surrounds.
const PARAGRAPHS: [&str; 13] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "blockquote",
    "pre",
    "table",
    "hr",
];
/// Elements that begin a line.
const LINES: [&str; 10] = [
    "div", "tr", "li", "section", "article", "header", "footer", "center", "address", "dd",
];
const VOID: [&str; 7] = ["br", "hr", "img", "input", "link", "meta", "wbr"];
/// Elements whose content nobody reads.
const SILENT: [&str; 6] = ["head", "style", "script", "title", "template", "noscript"];

/// The text of an HTML document.
pub fn text_from_html(source: &str) -> String {
    let mut reader = Reader::default();
    for token in Tokens::new(source) {
        match token {
            Token::Comment(range) => reader.comment(&source[range]),
            Token::Text(range) if reader.hidden.is_none() => {
                reader.text(&html::decode(&source[range]));
            }
            Token::Text(_) => {}
            Token::Tag(tag) => reader.tag(source, &tag),
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Line breaks owed before the next word.
    breaks: usize,
    space: bool,
    /// Name and depth of the element that hides what it holds.
    hidden: Option<(String, usize)>,
    /// Inside of `<!--[if mso]>`, which other programs do not show.
    outlook: bool,
    link: Option<Link>,
    lists: Vec<Option<u32>>,
    /// Per open table, whether it is only layout.
    tables: Vec<bool>,
    bullet: Option<String>,
}

struct Link {
    url: String,
    /// Where its words begin.
    from: usize,
}

impl Reader {
    fn comment(&mut self, text: &str) {
        // `<!--[if !mso]><!-->` shows its content to everyone; its end is a comment too.
        if text.starts_with("<!--[if") {
            self.outlook = !text.contains("!mso");
        } else if text.starts_with("<![endif]") || text.contains("<![endif]") {
            self.outlook = false;
        }
    }

    fn tag(&mut self, source: &str, tag: &Tag) {
        let name = source[tag.name.clone()].to_ascii_lowercase();
        let empty = VOID.contains(&name.as_str()) || source[tag.inside.clone()].ends_with('/');
        if let Some((hider, depth)) = &mut self.hidden {
            if *hider == name && !empty {
                if tag.closing {
                    *depth -= 1;
                } else {
                    *depth += 1;
                }
                if *depth == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        if self.outlook {
            return;
        }
        if tag.closing {
            self.close(&name);
            return;
        }
        let attributes = html::attributes(source, tag);
        let value = |wanted: &str| {
            attributes
                .iter()
                .find(|a| source[a.name.clone()].eq_ignore_ascii_case(wanted))
                .map(|a| &source[a.value.clone()])
        };
        let unseen = SILENT.contains(&name.as_str())
            || value("hidden").is_some()
            || value("style").is_some_and(hides);
        if unseen && !empty {
            self.hidden = Some((name, 1));
            return;
        }
        match name.as_str() {
            "a" => {
                let url = html::decode(value("href").unwrap_or_default().trim()).into_owned();
                self.end_link();
                self.link = Some(Link {
                    url,
                    from: self.out.len(),
                });
            }
            "img" => {
                let words = html::decode(value("alt").unwrap_or_default()).into_owned();
                self.text(&words);
            }
            "br" => self.breaks = (self.breaks + 1).min(2),
            "hr" => {
                self.break_lines(2);
                self.text("----------");
            }
            "ul" => self.lists.push(None),
            "ol" => self.lists.push(Some(0)),
            "table" => self
                .tables
                .push(value("role").is_some_and(|r| r.eq_ignore_ascii_case("presentation"))),
            "td" | "th" => self.cell(),
            _ => {}
        }
        self.gap(&name);
        if name == "li" {
            let depth = self.lists.len().clamp(1, LIST_DEPTH_MAX);
            let sign = match self.lists.last_mut() {
                Some(Some(n)) => {
                    *n += 1;
                    format!("{n}. ")
                }
                Some(None) | None => "- ".to_owned(),
            };
            self.bullet = Some("  ".repeat(depth - 1) + &sign);
        }
    }

    fn close(&mut self, name: &str) {
        if name == "a" {
            self.end_link();
        }
        self.gap(name);
        match name {
            "ul" | "ol" => drop(self.lists.pop()),
            "table" => drop(self.tables.pop()),
            _ => {}
        }
    }

    /// Owes the line breaks that surround an element.
    fn gap(&mut self, name: &str) {
        let layout_row = name == "tr" && self.tables.last() == Some(&true);
        let inner_list = self.lists.len() > 1 && matches!(name, "ul" | "ol");
        if layout_row || (PARAGRAPHS.contains(&name) && !inner_list) {
            self.break_lines(2);
        } else if inner_list || LINES.contains(&name) {
            self.break_lines(1);
        }
    }

    fn cell(&mut self) {
        if self.tables.last() == Some(&false) && self.breaks == 0 && !self.out.is_empty() {
            self.space = false;
            if !self.out.ends_with('\n') {
                self.out.push_str("  ");
            }
        }
    }

    fn break_lines(&mut self, count: usize) {
        if !self.out.is_empty() {
            self.breaks = self.breaks.max(count);
        }
    }

    fn text(&mut self, text: &str) {
        if self.outlook {
            return;
        }
        for c in text.chars() {
            match c {
                ' ' | '\t' | '\n' | '\r' => self.space = true,
                // Invisible filler of preheaders: soft hyphens, joiners, figure spaces, marks.
                '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{2007}' | '\u{34f}' | '\u{feff}' => {}
                other => {
                    self.settle();
                    self.out.push(other);
                }
            }
        }
    }

    /// Writes what is owed before a word.
    fn settle(&mut self) {
        if self.breaks > 0 {
            trim_end(&mut self.out);
            if !self.out.is_empty() {
                self.out.extend(std::iter::repeat_n('\n', self.breaks));
            }
            if let Some(link) = &mut self.link {
                link.from = link.from.min(self.out.len());
            }
        } else if self.space && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        self.breaks = 0;
        self.space = false;
        if let Some(bullet) = self.bullet.take() {
            self.out.push_str(&bullet);
        }
    }

    /// Writes the address behind the words of a link.
    fn end_link(&mut self) {
        let Some(Link { url, from }) = self.link.take() else {
            return;
        };
        let shown = url.strip_prefix("mailto:").or(url.strip_prefix("tel:"));
        let shown = shown.unwrap_or(&url);
        if shown.is_empty() || shown.starts_with('#') {
            return;
        }
        let words = self.out.get(from..).unwrap_or_default().trim();
        let bare = |s: &str| {
            s.trim_start_matches("https://")
                .trim_start_matches("http://")
                .trim_end_matches('/')
                .replace(['-', ' ', '(', ')', '\u{a0}'], "")
        };
        if words.is_empty() {
            // A picture without words still leads somewhere; a link without content does not.
            return;
        }
        if bare(words) != bare(shown) {
            let address = format!(" <{shown}>");
            self.out.push_str(&address);
        }
    }

    fn finish(mut self) -> String {
        self.end_link();
        trim_end(&mut self.out);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}

fn trim_end(text: &mut String) {
    let kept = text.trim_end_matches([' ', '\n', '\t']).len();
    text.truncate(kept);
}

/// Whether an inline style hides its element, as preheaders do.
fn hides(style: &str) -> bool {
    let mut compact = style.to_ascii_lowercase();
    compact.retain(|c| !c.is_whitespace());
    compact.contains("display:none") || compact.contains("mso-hide:all")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, text: &str) {
        assert_eq!(text_from_html(html), text, "{html}");
    }

    #[test]
    fn paragraphs_lists_and_links_are_readable() {
        check(
            "<html><head><title>t</title><style>a{}</style></head><body>\n<h1>Hello,  Ann</h1>\n\
             <p>See <a href=\"https://a.example/?x=1&amp;y=2\">the\n offer</a>.<br>Or write: \
             <a href='mailto:a@b.example'>a@b.example</a></p><ul><li>one</li><li>two<ol><li>x<li>y</ol></li></ul>\
             <p>https: <a href=\"https://b.example/\">b.example</a></p></body></html>",
            "Hello, Ann\n\nSee the offer <https://a.example/?x=1&y=2>.\nOr write: a@b.example\n\n\
             - one\n- two\n  1. x\n  2. y\n\nhttps: b.example\n",
        );
    }

    #[test]
    fn what_is_hidden_is_not_read() {
        check(
            "<div style=\"display: none\">pre<div>header</div></div><span hidden>x</span>a\
             <!--[if mso]><table><tr><td>outlook</td></tr></table><![endif]-->\
             <!--[if !mso]><!-->b<!--<![endif]--><script>c</script>",
            "ab\n",
        );
    }

    #[test]
    fn tables_of_data_are_lines_and_layout_is_paragraphs() {
        check(
            "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Pump</td><td>7</td></tr></table>",
            "Item  Price\nPump  7\n",
        );
        check(
            "<table role=\"presentation\"><tbody><tr><td><div>A</div></td></tr><tr><td><div>B</div></td></tr></tbody></table>",
            "A\n\nB\n",
        );
    }

    #[test]
    fn pictures_speak_by_their_words() {
        check(
            "<a href=\"https://a.example\"><img src=x alt=\"Our logo\"></a><img src=y alt=''><img src=z>",
            "Our logo <https://a.example>\n",
        );
    }

    #[test]
    fn empty_and_broken_html_is_no_trouble() {
        check("", "");
        check("<p></p> <div>", "");
        check("</a></ul></table></div>x</p>", "x\n");
        check("a &amp; b &lt;c&gt;&nbsp;d < e", "a & b <c>\u{a0}d < e\n");
        check("<br><br><br>a<br><br><br><br>b", "a\n\nb\n");
    }

    #[test]
    fn hostile_html_takes_linear_time() {
        for seed in [
            "<div>",
            "<ul><li>",
            "<a href='x'>a",
            "<table><td>",
            "&amp;",
            "</p>a",
            "<b style=\"",
        ] {
            let html = seed.repeat(100_000);
            assert!(text_from_html(&html).len() <= html.len() * 4);
        }
    }
}
