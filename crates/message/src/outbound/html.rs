//! The smallest HTML scanner that mail needs: text, tags with their attributes, comments.
//!
//! One pass, no tree, no recursion: time is linear and depth costs nothing. It never fails: what is
//! no tag is text. Conditional comments for Outlook are opened, because links stand in them too.
//!
//! **Absent:** the repair of broken HTML, and any judgement about what may be in a mail.

use std::borrow::Cow;
use std::ops::Range;

use mail_parser::decoders::html::add_html_token;

/// Bytes of an entity, `&` and `;` included. The longest of HTML has 33.
const ENTITY_BYTES_MAX: usize = 34;
/// Elements whose content is no markup.
const RAW_ELEMENTS: [&str; 4] = ["style", "script", "title", "textarea"];

/// A piece of HTML. Ranges are bytes of the whole source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(Range<usize>),
    Tag(Tag),
    /// A comment, a doctype, or a mark that opens or closes a conditional comment.
    Comment(Range<usize>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub range: Range<usize>,
    pub name: Range<usize>,
    pub closing: bool,
    /// Where the attributes stand: from behind the name to before the `>`.
    pub inside: Range<usize>,
}

/// One attribute. The value's range leaves its quotes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub name: Range<usize>,
    pub value: Range<usize>,
    pub quote: Option<u8>,
}

/// Iterates over the tokens of a source; together they cover it without a gap.
pub(super) struct Tokens<'a> {
    source: &'a str,
    at: usize,
    /// Content up to the closing tag of this raw element comes next, as one text.
    raw: Option<&'static str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            at: 0,
            raw: None,
        }
    }

    fn take(&mut self, end: usize) -> Range<usize> {
        let range = self.at..end.min(self.source.len());
        self.at = range.end;
        range
    }

    fn end_of(&self, needle: &str, from: usize) -> usize {
        let rest = self.source.get(from..).unwrap_or_default();
        rest.find(needle)
            .map_or(self.source.len(), |i| from + i + needle.len())
    }

    fn markup(&mut self) -> Option<Token> {
        let rest = &self.source[self.at..];
        let bytes = rest.as_bytes();
        if rest.starts_with("<!--[if") || rest.starts_with("<![") {
            // `<!--[if mso]>`: what follows is markup for someone. `<![endif]-->` closes it.
            let end = self.end_of(">", self.at);
            return Some(Token::Comment(self.take(end)));
        }
        for empty in ["<!-->", "<!--->"] {
            // The middle of `<!--[if !mso]><!-->`, behind which everyone reads on.
            if rest.starts_with(empty) {
                return Some(Token::Comment(self.take(self.at + empty.len())));
            }
        }
        if rest.starts_with("<!--") {
            let end = self.end_of("-->", self.at + 4);
            return Some(Token::Comment(self.take(end)));
        }
        if matches!(bytes.get(1), Some(b'!' | b'?')) {
            let end = self.end_of(">", self.at);
            return Some(Token::Comment(self.take(end)));
        }
        let closing = bytes.get(1) == Some(&b'/');
        let name_from = if closing { 2 } else { 1 };
        if !bytes.get(name_from).is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        let name_len = bytes[name_from..]
            .iter()
            .take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'>' | b'/'))
            .count();
        let name_to = name_from + name_len;
        let mut i = name_to;
        while i < bytes.len() && bytes[i] != b'>' {
            // A quote opens a value only behind `=`; elsewhere it is a typo.
            if bytes[i] == b'=' {
                i += 1;
                while bytes.get(i).is_some_and(u8::is_ascii_whitespace) {
                    i += 1;
                }
                if let Some(quote @ (b'"' | b'\'')) = bytes.get(i) {
                    i += 1;
                    while i < bytes.len() && bytes[i] != *quote {
                        i += 1;
                    }
                    i += 1;
                }
                continue;
            }
            i += 1;
        }
        if i >= bytes.len() {
            // A tag that never ends swallows the rest, as in a browser; looking again from the
            // next `<` would take quadratic time.
            return Some(Token::Text(self.take(self.source.len())));
        }
        let base = self.at;
        let range = self.take(base + i + 1);
        let tag = Tag {
            range,
            name: base + name_from..base + name_to,
            closing,
            inside: base + name_to..base + i,
        };
        if !closing {
            let name = &self.source[tag.name.clone()];
            self.raw = RAW_ELEMENTS
                .into_iter()
                .find(|raw| raw.eq_ignore_ascii_case(name));
        }
        Some(Token::Tag(tag))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if self.at >= self.source.len() {
            return None;
        }
        if let Some(raw) = self.raw.take() {
            let end = closing_of(self.source, self.at, raw);
            if end > self.at {
                return Some(Token::Text(self.take(end)));
            }
        }
        if self.source.as_bytes()[self.at] == b'<'
            && let Some(token) = self.markup()
        {
            return Some(token);
        }
        // A `<` that opens nothing is text; go on behind it.
        let from = self.at + 1;
        let end = self.source.as_bytes()[from..]
            .iter()
            .position(|b| *b == b'<')
            .map_or(self.source.len(), |i| from + i);
        Some(Token::Text(self.take(end)))
    }
}

/// Where `</name` begins, or the end. Each byte is looked at once per raw element.
fn closing_of(source: &str, from: usize, name: &str) -> usize {
    let bytes = source.as_bytes();
    let mut i = from;
    while let Some(step) = bytes[i..].iter().position(|b| *b == b'<') {
        i += step;
        let behind = bytes.get(i + 2..i + 2 + name.len());
        if bytes.get(i + 1) == Some(&b'/')
            && behind.is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes()))
        {
            return i;
        }
        i += 1;
    }
    bytes.len()
}

/// The attributes of a tag, in order.
pub(super) fn attributes(source: &str, tag: &Tag) -> Vec<Attribute> {
    let bytes = source.as_bytes();
    let end = tag.inside.end;
    let mut found = Vec::new();
    let mut i = tag.inside.start;
    while i < end {
        if bytes[i].is_ascii_whitespace() || bytes[i] == b'/' {
            i += 1;
            continue;
        }
        let name_from = i;
        while i < end && !bytes[i].is_ascii_whitespace() && !matches!(bytes[i], b'=' | b'/') {
            i += 1;
        }
        if i == name_from {
            // A `=` without a name.
            i += 1;
            continue;
        }
        let name = name_from..i;
        let mut j = i;
        while j < end && bytes[j].is_ascii_whitespace() {
            j += 1;
        }
        if bytes.get(j) != Some(&b'=') || j >= end {
            found.push(Attribute {
                name,
                value: i..i,
                quote: None,
            });
            continue;
        }
        j += 1;
        while j < end && bytes[j].is_ascii_whitespace() {
            j += 1;
        }
        let quote = (j < end)
            .then(|| bytes[j])
            .filter(|b| matches!(b, b'"' | b'\''));
        let value_from = if quote.is_some() { j + 1 } else { j };
        let mut k = value_from;
        while k < end
            && match quote {
                Some(quote) => bytes[k] != quote,
                None => !bytes[k].is_ascii_whitespace(),
            }
        {
            k += 1;
        }
        found.push(Attribute {
            name,
            value: value_from.min(end)..k,
            quote,
        });
        i = if quote.is_some() { k + 1 } else { k };
    }
    found
}

/// Text with its entities turned into characters.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let window = &rest.as_bytes()[..rest.len().min(ENTITY_BYTES_MAX)];
        let end = window.iter().skip(1).position(|b| {
            // The first byte that cannot belong to an entity; a `;` completes it.
            !(b.is_ascii_alphanumeric() || *b == b'#')
        });
        match end.map(|i| i + 1) {
            Some(end) if window[end] == b';' && end > 1 => {
                add_html_token(&mut out, &rest.as_bytes()[..=end], false);
                rest = &rest[end + 1..];
            }
            Some(_) | None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Text made safe inside of a quoted attribute, and between tags.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(source: &str) -> Vec<String> {
        let mut seen = 0;
        let found = Tokens::new(source)
            .map(|token| {
                let (mark, range) = match &token {
                    Token::Text(range) => ('t', range.clone()),
                    Token::Tag(tag) => (if tag.closing { '/' } else { '<' }, tag.range.clone()),
                    Token::Comment(range) => ('!', range.clone()),
                };
                assert_eq!(range.start, seen, "a gap in {source:?}");
                seen = range.end;
                format!("{mark}{}", &source[range])
            })
            .collect();
        assert_eq!(seen, source.len());
        found
    }

    #[test]
    fn markup_is_told_from_text() {
        assert_eq!(
            shape("a<b c=\"x>y\">2 < 3</b><!-- <i> --><!--[if mso]><i><![endif]--><!doctype html>"),
            [
                "ta",
                "<<b c=\"x>y\">",
                "t2 ",
                "t< 3",
                "/</b>",
                "!<!-- <i> -->",
                "!<!--[if mso]>",
                "<<i>",
                "!<![endif]-->",
                "!<!doctype html>"
            ]
        );
        assert_eq!(
            shape("<!--[if !mso]><!-->a<!--<![endif]-->"),
            ["!<!--[if !mso]>", "!<!-->", "ta", "!<!--<![endif]-->"]
        );
        assert_eq!(
            shape("<style>a<b>{}</style >x<SCRIPT>"),
            ["<<style>", "ta<b>{}", "/</style >", "tx", "<<SCRIPT>"]
        );
        assert_eq!(
            shape("<a href=\"never closed>"),
            ["t<a href=\"never closed>"]
        );
    }

    #[test]
    fn attributes_are_read_in_every_spelling() {
        let source = "<a  HREF = 'x y' checked data-n=1 title=\"\" = q/>";
        let Some(Token::Tag(tag)) = Tokens::new(source).next() else {
            panic!("a tag");
        };
        let found: Vec<(&str, &str, bool)> = attributes(source, &tag)
            .into_iter()
            .map(|a| (&source[a.name], &source[a.value], a.quote.is_some()))
            .collect();
        assert_eq!(
            found,
            [
                ("HREF", "x y", true),
                ("checked", "", false),
                ("data-n", "1", false),
                ("title", "", true),
                ("q", "", false),
            ]
        );
    }

    #[test]
    fn entities_are_decoded() {
        assert_eq!(
            decode("a &amp; b &#1078;&#x436; &nbsp;&nope; & &;"),
            "a & b жж \u{a0}&nope; & &;"
        );
        assert_eq!(decode("&&&amp;"), "&&&");
        assert_eq!(decode("&é;"), "&é;");
    }

    #[test]
    fn hostile_markup_takes_linear_time() {
        for seed in [
            "<",
            "<a",
            "<a href=\"",
            "<!--",
            "<style>",
            "</",
            "&",
            "&#",
            "<a ='",
        ] {
            let source = seed.repeat(100_000);
            assert!(Tokens::new(&source).count() <= source.len());
            assert!(decode(&source).len() <= source.len());
        }
    }
}
