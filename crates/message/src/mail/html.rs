//! HTML mail to plain text, in one pass and constant depth.
//!
//! Made for reading, not for showing: scripts and styles vanish, block elements break lines,
//! `<blockquote>` becomes `> ` lines, table cells are set apart by a tab. Linear in the input
//! whatever its nesting. **Absent:** a DOM, CSS, links' targets, sanitising.

use super::TEXT_BYTES_MAX;

/// Deepest quotation shown by `>` marks.
const QUOTE_MARKS_MAX: usize = 4;
/// Longest entity name looked for.
const ENTITY_BYTES_MAX: usize = 10;
/// Most bytes of a tag in which marks are looked for.
const TAG_BYTES_MAX: usize = 4_096;

/// The text, and where the quoted message starts if a mark said so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HtmlText {
    pub text: String,
    /// Offset in `text` of the first element that carried one of the marks.
    pub quote_at: Option<usize>,
}

/// Converts. `marks` are lower-case values of `id` or `class` (whole words) by which mail clients
/// mark the message they quote.
pub fn to_text(html: &str, marks: &[String]) -> HtmlText {
    let html = super::header::cut(html, TEXT_BYTES_MAX);
    let mut writer = Writer::default();
    let mut skip: Option<&'static str> = None;
    let mut head_closes = true;
    let mut rest = html;
    while !rest.is_empty() {
        let Some(open) = rest.find('<') else {
            if skip.is_none() {
                writer.text(rest);
            }
            break;
        };
        if skip.is_none() {
            writer.text(&rest[..open]);
        }
        rest = &rest[open..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            // `<!-->` and `<!--->` are empty comments.
            rest = match comment.find("-->") {
                Some(end) => &comment[end + 3..],
                None => "",
            };
            continue;
        }
        let name_at = &rest[1..];
        let starts_tag = name_at
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?'));
        if !starts_tag {
            if skip.is_none() {
                writer.text("<");
            }
            rest = name_at;
            continue;
        }
        let end = tag_end(rest);
        let tag = &rest[1..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let closing = tag.starts_with('/');
        let name = tag_name(tag.trim_start_matches('/'));
        if let Some(skipped) = skip {
            if closing && name == skipped {
                skip = None;
            }
            continue;
        }
        if !closing {
            skip = ["script", "style", "title", "head"]
                .into_iter()
                .find(|skipped| *skipped == name);
            if skip == Some("head") {
                // A head that never closes must not swallow the body; looked for once.
                head_closes = head_closes && rest_has(rest, "</head");
                skip = head_closes.then_some("head");
            }
            if !marks.is_empty() && marked(tag, marks) {
                writer.mark_quote();
            }
        }
        writer.tag(&name, closing);
    }
    writer.finish()
}

fn rest_has(rest: &str, needle: &str) -> bool {
    let (hay, needle) = (rest.as_bytes(), needle.as_bytes());
    hay.windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle))
}

/// Offset of the `>` that ends the tag, quotes respected within reason.
fn tag_end(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut quote = None;
    for (at, &byte) in bytes.iter().enumerate().skip(1).take(TAG_BYTES_MAX) {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') if bytes[at - 1] == b'=' => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    // Unbalanced quotes or a monstrous tag: the first `>` will do.
    rest.find('>').unwrap_or(rest.len())
}

fn tag_name(tag: &str) -> String {
    let end = tag
        .bytes()
        .take(16)
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b':'))
        .unwrap_or(tag.len().min(16));
    tag.get(..end).unwrap_or_default().to_ascii_lowercase()
}

/// Whether `id` or `class` of the tag holds one of the marks as a word.
fn marked(tag: &str, marks: &[String]) -> bool {
    let tag = super::header::cut(tag, TAG_BYTES_MAX).to_ascii_lowercase();
    ["id=", "class="].iter().any(|attribute| {
        let Some(at) = tag.find(attribute) else {
            return false;
        };
        let value = &tag[at + attribute.len()..];
        let value = match value.as_bytes().first() {
            Some(b'"') => value[1..].split('"').next(),
            Some(b'\'') => value[1..].split('\'').next(),
            _ => value.split_ascii_whitespace().next(),
        };
        value
            .unwrap_or_default()
            .split_ascii_whitespace()
            .any(|word| {
                marks
                    .iter()
                    .any(|mark| word == mark || word.strip_prefix("x_") == Some(mark))
            })
    })
}

#[derive(Default)]
struct Writer {
    out: String,
    line: String,
    /// Line ends owed before the next text: 1 ends the line, 2 leaves an empty one.
    breaks: usize,
    space: bool,
    quote: usize,
    preformatted: usize,
    quote_at: Option<usize>,
}

impl Writer {
    fn text(&mut self, raw: &str) {
        let mut rest = raw;
        while let Some(ch) = rest.chars().next() {
            if ch == '&'
                && let Some((decoded, used)) = entity(rest)
            {
                self.put(decoded);
                rest = &rest[used..];
                continue;
            }
            self.put(ch);
            rest = &rest[ch.len_utf8()..];
        }
    }

    fn put(&mut self, ch: char) {
        if self.preformatted > 0 && ch == '\n' {
            self.end_line();
            return;
        }
        match ch {
            ' ' | '\t' | '\n' | '\r' if self.preformatted == 0 => self.space = true,
            // Zero-width characters and soft hyphens carry nothing.
            '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{ad}' | '\u{34f}' => {}
            _ => {
                self.flush_breaks();
                if self.space {
                    self.space = false;
                    if !self.line.is_empty() && !self.line.ends_with([' ', '\t']) {
                        self.line.push(' ');
                    }
                }
                self.line.push(if ch == '\u{a0}' { ' ' } else { ch });
            }
        }
    }

    fn tag(&mut self, name: &str, closing: bool) {
        match name {
            "br" => {
                self.flush_breaks();
                self.end_line();
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "table" => self.owe(2),
            "hr" => self.owe(1),
            "pre" => {
                self.owe(1);
                self.preformatted = if closing {
                    self.preformatted.saturating_sub(1)
                } else {
                    self.preformatted + 1
                };
            }
            "div" | "tr" | "li" | "dt" | "dd" | "section" | "article" | "header" | "footer"
            | "center" | "form" | "body" | "tbody" | "address" | "o:p"
                if name != "o:p" =>
            {
                self.owe(1);
                if name == "li" && !closing {
                    self.flush_breaks();
                    self.line.push_str("- ");
                }
            }
            "td" | "th" if closing => {
                if !self.line.is_empty() {
                    self.line.push('\t');
                }
                self.space = false;
            }
            "blockquote" => {
                self.finish_line();
                self.breaks = self.breaks.max(1);
                self.quote = if closing {
                    self.quote.saturating_sub(1)
                } else {
                    self.quote + 1
                };
            }
            _ => {}
        }
    }

    fn owe(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.space = false;
    }

    fn finish_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line();
        }
        self.line.clear();
        self.space = false;
    }

    fn flush_breaks(&mut self) {
        if self.breaks == 0 {
            return;
        }
        let breaks = std::mem::take(&mut self.breaks);
        if !self.line.trim().is_empty() {
            self.end_line();
        }
        self.line.clear();
        if breaks > 1 && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.mark_line("");
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.mark_line(line.trim_end());
        self.space = false;
    }

    fn mark_line(&mut self, line: &str) {
        for _ in 0..self.quote.min(QUOTE_MARKS_MAX) {
            self.out.push('>');
        }
        if self.quote > 0 && !line.is_empty() {
            self.out.push(' ');
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn mark_quote(&mut self) {
        if self.quote_at.is_none() {
            self.finish_line();
            self.quote_at = Some(self.out.len());
        }
    }

    fn finish(mut self) -> HtmlText {
        self.finish_line();
        let length = self.out.trim_end().len();
        self.out.truncate(length);
        let quote_at = self.quote_at.filter(|at| *at <= length);
        HtmlText {
            text: self.out,
            quote_at,
        }
    }
}

/// A character reference at the start of `text`, and its length.
fn entity(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    let semicolon = bytes
        .iter()
        .take(ENTITY_BYTES_MAX + 2)
        .position(|&byte| byte == b';')?;
    let name = text.get(1..semicolon)?;
    let ch = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code).filter(|ch| !ch.is_control() || *ch == '\n')?
    } else {
        named(name)?
    };
    Some((ch, semicolon + 1))
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "sbquo" => '‚',
        "ldquo" => '“',
        "rdquo" => '”',
        "bdquo" => '„',
        "laquo" => '«',
        "raquo" => '»',
        "hellip" => '…',
        "bull" => '•',
        "middot" => '·',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "euro" => '€',
        "pound" => '£',
        "yen" => '¥',
        "cent" => '¢',
        "sect" => '§',
        "deg" => '°',
        "times" => '×',
        "numero" => '№',
        "shy" => '\u{ad}',
        "zwnj" => '\u{200c}',
        "zwj" => '\u{200d}',
        "ensp" | "emsp" | "thinsp" => ' ',
        "agrave" => 'à',
        "aacute" => 'á',
        "acirc" => 'â',
        "atilde" => 'ã',
        "auml" => 'ä',
        "aring" => 'å',
        "aelig" => 'æ',
        "ccedil" => 'ç',
        "egrave" => 'è',
        "eacute" => 'é',
        "ecirc" => 'ê',
        "euml" => 'ë',
        "igrave" => 'ì',
        "iacute" => 'í',
        "icirc" => 'î',
        "iuml" => 'ï',
        "ntilde" => 'ñ',
        "ograve" => 'ò',
        "oacute" => 'ó',
        "ocirc" => 'ô',
        "otilde" => 'õ',
        "ouml" => 'ö',
        "oslash" => 'ø',
        "ugrave" => 'ù',
        "uacute" => 'ú',
        "ucirc" => 'û',
        "uuml" => 'ü',
        "szlig" => 'ß',
        "Agrave" => 'À',
        "Aacute" => 'Á',
        "Acirc" => 'Â',
        "Auml" => 'Ä',
        "Aring" => 'Å',
        "Ccedil" => 'Ç',
        "Egrave" => 'È',
        "Eacute" => 'É',
        "Ecirc" => 'Ê',
        "Ntilde" => 'Ñ',
        "Oacute" => 'Ó',
        "Ouml" => 'Ö',
        "Oslash" => 'Ø',
        "Uuml" => 'Ü',
        _ => return None,
    })
}
