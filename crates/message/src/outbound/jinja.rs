//! Where the Jinja tags of a source are, and which of them a template may use.
//!
//! The engine bounds the steps of a rendering, but a step may double a string, and captures escape
//! the limit on output. So the language is kept to what mail needs: conditions, loops, values; and
//! growing assignments cannot feed each other. Everything refused here has a line and a remedy.
//!
//! **Absent:** meaning; expressions are compiled and evaluated by [`super::engine`] alone.

use std::collections::BTreeSet;

use super::problem::TemplateProblem;

/// Tags of one template.
const TAGS_MAX: usize = 5_000;
/// Joining operators (`~`) of one template.
const JOINS_MAX: usize = 64;
/// Multiplications of one template: each may repeat a text up to the engine's own limit, 100 MB.
const MULTIPLICATIONS_MAX: usize = 16;
const STATEMENTS: [&str; 9] = [
    "if", "elif", "else", "endif", "for", "endfor", "set", "with", "endwith",
];

/// A piece of a template source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// `{{ ... }}`, braces included.
    Expression(&'a str),
    /// `{% ... %}`, braces included.
    Statement(&'a str),
    /// `{# ... #}`: dropped when rendered.
    Comment(&'a str),
}

/// A tag that is opened at this byte and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub at: usize,
    pub opening: &'static str,
}

/// Splits a source into text and tags, with the byte at which each begins. Linear.
pub(super) fn pieces(source: &str) -> Result<Vec<(usize, Piece<'_>)>, Unclosed> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut text_from) = (0, 0);
    while at + 1 < bytes.len() {
        if bytes[at] != b'{' || !matches!(bytes[at + 1], b'{' | b'%' | b'#') {
            at += 1;
            continue;
        }
        if text_from < at {
            found.push((text_from, Piece::Text(&source[text_from..at])));
        }
        let (end, piece) = match bytes[at + 1] {
            b'{' => {
                let end = tag_end(bytes, at, b'}', "{{")?;
                (end, Piece::Expression(&source[at..end]))
            }
            b'%' => {
                let end = tag_end(bytes, at, b'%', "{%")?;
                (end, Piece::Statement(&source[at..end]))
            }
            _ => {
                let unclosed = Unclosed { at, opening: "{#" };
                let end = at + 4 + source[at + 2..].find("#}").ok_or(unclosed)?;
                (end, Piece::Comment(&source[at..end]))
            }
        };
        found.push((at, piece));
        at = end;
        text_from = end;
    }
    if text_from < source.len() {
        found.push((text_from, Piece::Text(&source[text_from..])));
    }
    Ok(found)
}

/// The byte after a tag's closing pair, strings and brackets inside it respected.
fn tag_end(bytes: &[u8], at: usize, close: u8, opening: &'static str) -> Result<usize, Unclosed> {
    let mut depth = 0_i32;
    let mut i = at + 2;
    while i < bytes.len() {
        match bytes[i] {
            b if b == close && depth <= 0 && bytes.get(i + 1) == Some(&b'}') => return Ok(i + 2),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            quote @ (b'"' | b'\'') => {
                i += 1;
                while i < bytes.len() && bytes[i] != quote {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        i += 1;
    }
    Err(Unclosed { at, opening })
}

/// Makes lines that hold nothing but statements and comments leave nothing in the output.
///
/// The engine's own option for this also eats the line break behind `{% endif %}` at the end of a
/// sentence. Line numbers stay: the line break moves into the tag.
pub(super) fn without_lone_statements(source: &str) -> String {
    let Ok(found) = pieces(source) else {
        return source.to_owned();
    };
    let mut out = String::with_capacity(source.len());
    let mut line: Vec<Piece<'_>> = Vec::new();
    for (_, piece) in found {
        let Piece::Text(text) = piece else {
            line.push(piece);
            continue;
        };
        for part in text.split_inclusive('\n') {
            line.push(Piece::Text(part));
            if part.ends_with('\n') {
                push_line(&mut out, &line);
                line.clear();
            }
        }
    }
    push_line(&mut out, &line);
    out
}

fn push_line(out: &mut String, line: &[Piece<'_>]) {
    let is_statement = |p: &Piece<'_>| matches!(p, Piece::Statement(_) | Piece::Comment(_));
    let is_blank = |p: &Piece<'_>| matches!(p, Piece::Text(text) if text.trim().is_empty());
    let alone =
        line.iter().any(is_statement) && line.iter().all(|p| is_statement(p) || is_blank(p));
    let last = line.iter().rposition(is_statement);
    let breaks = matches!(line.last(), Some(Piece::Text(text)) if text.ends_with('\n'));
    for (i, piece) in line.iter().enumerate() {
        match piece {
            Piece::Statement(tag) | Piece::Comment(tag) if alone && breaks && Some(i) == last => {
                let inner = tag.len() - 2;
                let control = tag[..inner].ends_with(['-', '+']) && inner > 3;
                let at = if control { inner - 1 } else { inner };
                out.push_str(&tag[..at]);
                out.push('\n');
                out.push_str(&tag[at..]);
            }
            Piece::Text(_) if alone => {}
            Piece::Text(text)
            | Piece::Expression(text)
            | Piece::Statement(text)
            | Piece::Comment(text) => out.push_str(text),
        }
    }
}

/// Line of a byte, counted from `first`.
pub(super) fn line_at(source: &str, at: usize, first: u32) -> u32 {
    let before = source.as_bytes().get(..at).unwrap_or(source.as_bytes());
    let breaks = before.iter().filter(|b| **b == b'\n').count();
    first.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX))
}

/// Checks a source against the rules of this module.
pub(super) fn check(source: &str, file: &str, first_line: u32) -> Vec<TemplateProblem> {
    let error = |at: usize, message: String, remedy: &str| {
        TemplateProblem::error(file, line_at(source, at, first_line), message, remedy)
    };
    let found = match pieces(source) {
        Ok(found) => found,
        Err(Unclosed { at, opening }) => {
            let remedy = if opening == "{#" {
                "close the comment with `#}`, or write `{ #` when this is a style sheet"
            } else {
                "close the tag; a `{{` meant as text is written `{{ \"{{\" }}`"
            };
            return vec![error(at, format!("`{opening}` is never closed"), remedy)];
        }
    };
    let mut problems = Vec::new();
    let mut grown = BTreeSet::new();
    let (mut tags, mut joins, mut multiplications) = (0_usize, 0_usize, 0_usize);
    for (at, piece) in found {
        let tag = match piece {
            Piece::Text(_) | Piece::Comment(_) => continue,
            Piece::Expression(tag) | Piece::Statement(tag) => tag,
        };
        tags += 1;
        let tokens = tokens(tag);
        joins += tokens.iter().filter(|token| token.is("~")).count();
        multiplications += tokens.iter().filter(|token| token.is("*")).count();
        if let Piece::Statement(_) = piece {
            let keyword = tokens.first().and_then(Token::name).unwrap_or_default();
            if !STATEMENTS.contains(&keyword) {
                problems.push(error(
                    at,
                    format!("statement `{keyword}` is not available in templates"),
                    "use if, elif, else, for, set and with",
                ));
            } else if keyword == "set" && !tokens.iter().any(|t| t.is("=")) {
                problems.push(error(
                    at,
                    "`set` without a value is not available in templates".to_owned(),
                    "write `{% set name = value %}`",
                ));
            } else if keyword == "for" && tokens.iter().any(|t| t.is("recursive")) {
                problems.push(error(
                    at,
                    "recursive loops are not available in templates".to_owned(),
                    "nest two loops",
                ));
            } else if !note_growth(keyword, &tokens, &mut grown) {
                problems.push(error(
                    at,
                    "a joined text is joined again into another name".to_owned(),
                    "join all its parts in one expression",
                ));
            }
        }
    }
    for (count, limit, what, remedy) in [
        (tags, TAGS_MAX, "tags", "split the template"),
        (
            joins,
            JOINS_MAX,
            "joins with `~`",
            "write text outside of the braces instead of joining it",
        ),
        (
            multiplications,
            MULTIPLICATIONS_MAX,
            "multiplications",
            "compute the value before the message, as a field",
        ),
    ] {
        if count > limit {
            problems.push(error(0, format!("more than {limit} {what}"), remedy));
        }
    }
    problems
}

/// Remembers the names of a growing assignment; false when it is fed by another one.
///
/// Without this, `{% set a = a ~ a %}` forty times is a terabyte, at forty steps.
fn note_growth<'a>(keyword: &str, tokens: &[Token<'a>], grown: &mut BTreeSet<&'a str>) -> bool {
    let split = match keyword {
        "set" | "with" => tokens.iter().position(|t| t.is("=")),
        "for" => tokens.iter().position(|t| t.is("in")),
        _ => None,
    };
    let Some(split) = split else { return true };
    let (targets, value) = tokens.split_at(split);
    // `join` and `replace` multiply like `~`; `+` joins lists and texts; brackets make lists.
    let grows = value
        .iter()
        .any(|t| t.grows() || t.is("+") || t.is("join") || t.is("replace"));
    let fed = value
        .iter()
        .any(|t| t.name().is_some_and(|name| grown.contains(name)));
    if grows && fed {
        return false;
    }
    if grows || fed {
        let names = if keyword == "with" { tokens } else { targets };
        grown.extend(names.iter().filter_map(Token::name));
        // Words of the language are no variables.
        for word in ["set", "with", "for", "in", "if", "else", "join", "replace"] {
            grown.remove(word);
        }
    }
    true
}

/// Words of a tag.
pub(super) fn names(tag: &str) -> Vec<&str> {
    tokens(tag).iter().filter_map(Token::name).collect()
}

/// Names of the filters of a tag.
pub(super) fn filter_names(tag: &str) -> Vec<&str> {
    let tokens = tokens(tag);
    tokens
        .windows(2)
        .filter(|pair| pair[0].is("|"))
        .filter_map(|pair| pair[1].name())
        .collect()
}

/// Names of the tests of a tag (`x is defined`).
pub(super) fn test_names(tag: &str) -> Vec<&str> {
    let tokens = tokens(tag);
    tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is("is"))
        .filter_map(|(i, _)| {
            let rest = tokens.get(i + 1..)?;
            let rest = match rest.split_first() {
                Some((not, rest)) if not.is("not") => rest,
                Some(_) | None => rest,
            };
            rest.first()?.name()
        })
        .collect()
}

/// A word or a sign of an expression; strings and numbers are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Other(&'a str),
}

impl<'a> Token<'a> {
    fn name(&self) -> Option<&'a str> {
        match self {
            Token::Name(name) => Some(name),
            Token::Other(_) => None,
        }
    }

    fn is(&self, text: &str) -> bool {
        match self {
            Token::Name(own) | Token::Other(own) => *own == text,
        }
    }

    fn grows(&self) -> bool {
        matches!(self, Token::Other("~" | "*"))
    }
}

/// Words and signs of one tag, its braces left out.
fn tokens(tag: &str) -> Vec<Token<'_>> {
    let inner = tag.get(2..tag.len().saturating_sub(2)).unwrap_or_default();
    let inner = inner.trim_start_matches(['-', '+']).trim_end_matches('-');
    let bytes = inner.as_bytes();
    let mut found = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let from = i;
        match bytes[i] {
            b if b.is_ascii_alphabetic() || b == b'_' => {
                while i < bytes.len() && (bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_') {
                    i += 1;
                }
                found.push(Token::Name(&inner[from..i]));
                continue;
            }
            quote @ (b'"' | b'\'') => {
                i += 1;
                while i < bytes.len() && bytes[i] != quote {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
            }
            b'=' | b'!' | b'<' | b'>' if bytes.get(i + 1) == Some(&b'=') => i += 1,
            b if b.is_ascii_punctuation() => found.push(Token::Other(&inner[i..=i])),
            _ => {}
        }
        i += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(source: &str) -> Vec<(u32, String)> {
        check(source, "a.txt", 1)
            .into_iter()
            .map(|p| (p.line, p.message))
            .collect()
    }

    #[test]
    fn tags_are_found_with_strings_and_brackets_inside() {
        let source = "a{{ x | d(\"}}\") }}b{% if {'k': {'%}': 1}} %}{# {{ #}c}}";
        let found: Vec<Piece<'_>> = pieces(source)
            .expect("closed")
            .into_iter()
            .map(|(_, piece)| piece)
            .collect();
        assert_eq!(
            found,
            [
                Piece::Text("a"),
                Piece::Expression("{{ x | d(\"}}\") }}"),
                Piece::Text("b"),
                Piece::Statement("{% if {'k': {'%}': 1}} %}"),
                Piece::Comment("{# {{ #}"),
                Piece::Text("c}}"),
            ]
        );
    }

    #[test]
    fn lines_of_statements_leave_nothing() {
        for (source, expected) in [
            (
                "a\n  {% if b %}\nc\n{% endif %}\nd\n",
                "a\n{% if b \n%}c\n{% endif \n%}d\n",
            ),
            ("a{% if b %}c{% endif %}\nd", "a{% if b %}c{% endif %}\nd"),
            (
                "{% if b -%} {# x #}\r\n{{ c }}\n{%- endif -%}\nd",
                "{% if b -%}{# x \n#}{{ c }}\n{%- endif \n-%}d",
            ),
            ("{% set a = 1 %}", "{% set a = 1 %}"),
            ("{#-#}\nx\n", "{#-\n#}x\n"),
            ("\n\n", "\n\n"),
        ] {
            let got = without_lone_statements(source);
            assert_eq!(got, expected);
            assert_eq!(got.matches('\n').count(), source.matches('\n').count());
        }
    }

    #[test]
    fn what_mail_needs_is_allowed() {
        let source = "{% set full = contact.first ~ ' ' ~ contact.last -%}\n\
            {%- for item in subject.items if item.price * 2 > 10 %}{{ item.name ~ '!' }}{% else %}\
            {% endfor %}{% if full == 'a' %}{{ full }}{% endif %}{% with n = 3 %}{{ n }}{% endwith %}";
        assert_eq!(messages(source), []);
    }

    #[test]
    fn growth_cannot_feed_growth() {
        for source in [
            "{% set a = a ~ a %}{% set b = a ~ a %}",
            "{% set a = 'x' * 1000 %}{% for b in [a ~ a] %}{% endfor %}",
            "{% set a = x + x %}{% set b = a %}{% set c = b + b %}",
            "{% with a = x ~ x %}{% set b = [a, a] | join(a) %}{% endwith %}",
        ] {
            assert_eq!(messages(source).len(), 1, "{source}");
        }
    }

    #[test]
    fn statements_that_capture_or_include_are_refused() {
        for (source, word) in [
            ("{% include 'a' %}", "`include`"),
            ("{% macro f() %}{% endmacro %}", "`macro`"),
            ("{%- filter upper %}", "`filter`"),
            ("{% raw %}", "`raw`"),
            ("{% %}", "``"),
        ] {
            let seen = messages(source);
            assert!(seen[0].1.contains(word), "{source}: {seen:?}");
        }
        assert_eq!(messages("{% set a %}x")[0].0, 1);
        assert_eq!(messages("\n{% for a in b recursive %}")[0].0, 2);
    }

    #[test]
    fn unclosed_tags_have_a_line() {
        assert_eq!(messages("a\nb {{ c").len(), 1);
        assert_eq!(messages("a\nb {{ c")[0].0, 2);
        assert_eq!(messages("@media x{#id{a:b}}")[0].1, "`{#` is never closed");
        assert_eq!(messages("{{ \"").len(), 1);
        assert_eq!(messages("{{ 'a\\").len(), 1);
    }

    #[test]
    fn many_tags_are_refused_and_take_linear_time() {
        let seen = messages(&"{{a}}".repeat(50_000));
        assert_eq!(seen, [(1, format!("more than {TAGS_MAX} tags"))]);
    }
}
