//! MJML to HTML once per template, with its Jinja tags carried through unharmed.
//!
//! The renderer of MJML knows nothing of Jinja: it would read a `<` inside of an expression as a
//! tag and a quote as the end of an attribute. So each tag is replaced by a word that means nothing
//! to it, and put back afterwards. A tag that got lost on the way is reported, never forgotten.
//!
//! The same words protect characters of attributes that the renderer writes the way Rust debugs a
//! string (`\u{a0}`, `\"`).
//!
//! **Absent:** `mj-include` (templates read no files), and the inlining of `mj-style inline`, which
//! is answered with a warning.

use std::collections::BTreeSet;

use mrml::prelude::parser::{Error as MrmlError, ParserOptions, Span, WarningKind};
use mrml::prelude::render::RenderOptions;

use super::html::{self, Token, Tokens};
use super::jinja::{self, Piece};
use super::problem::TemplateProblem;

/// Nesting of elements in MJML. The renderer recurses; real templates stay below ten.
pub const MJML_DEPTH_MAX: usize = 40;
/// Elements that have no content and so do not nest.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// MJML turned into HTML that still has its Jinja tags.
#[derive(Debug)]
pub(super) struct Converted {
    pub html: String,
    pub warnings: Vec<TemplateProblem>,
}

/// Converts the body of an MJML file.
pub(super) fn convert(
    source: &str,
    file: &str,
    first_line: u32,
) -> Result<Converted, Vec<TemplateProblem>> {
    if jinja::pieces(source).is_err() {
        return Err(jinja::check(source, file, first_line));
    }
    let context = Place {
        source,
        file,
        first_line,
    };
    let (before, inner, behind) = match split_root(source) {
        Some(parts) => parts,
        None => {
            return Err(vec![context.error(
                0,
                "no `<mjml>` element",
                "begin with `<mjml><mj-body>` and end with `</mj-body></mjml>`",
            )]);
        }
    };
    let mut problems = Vec::new();
    for part in [before.clone(), behind.clone()] {
        if has_text_outside_tags(&source[part.clone()]) {
            problems.push(context.error(
                part.start,
                "text stands outside of the `<mjml>` element",
                "move it into an `mj-text`",
            ));
        }
    }
    let mut shield = Shield::new(source);
    let protected = shield.protect(&context, inner, &mut problems);
    check_depth(&context, &protected, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let (html, mut warnings) = run_renderer(&context, &protected)?;
    let (restored, seen) = shield.restore(&html);
    for (index, held) in shield.held.iter().enumerate() {
        if seen.contains(&index) {
            continue;
        }
        match held.kind {
            HeldKind::Statement => problems.push(context.error(
                held.at,
                "a Jinja statement stands where MJML shows nothing",
                "put it around or inside of an element of `mj-body`",
            )),
            HeldKind::Expression => warnings.push(context.warning(
                held.at,
                "a Jinja expression stands where MJML shows nothing",
                "use it in a text or in an attribute that takes any value",
            )),
            HeldKind::Character => {}
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let html = [&source[before], &restored, &source[behind]].concat();
    Ok(Converted { html, warnings })
}

/// The foreign part: parse and render.
fn run_renderer(
    context: &Place<'_>,
    protected: &Protected,
) -> Result<(String, Vec<TemplateProblem>), Vec<TemplateProblem>> {
    let work = || -> Result<_, Vec<TemplateProblem>> {
        let parsed = mrml::parse_with_options(&protected.text, &ParserOptions::default())
            .map_err(|error| vec![parse_problem(context, protected, error)])?;
        let html = parsed.element.render(&RenderOptions::default());
        let html = html.map_err(|error| {
            let message = format!("mjml cannot be rendered: {error}");
            vec![context.error(0, &message, "check the elements and their nesting")]
        })?;
        let warnings = parsed.warnings.iter().map(|warning| {
            let at = protected.origin_of(warning.span.start);
            match warning.kind {
                WarningKind::UnexpectedAttribute => context.warning(
                    at,
                    "an attribute has no effect on this element",
                    "remove it, or move it to the element it is meant for",
                ),
                WarningKind::InlineStyleUnsupported => context.warning(
                    at,
                    "`mj-style inline=\"inline\"` is not inlined",
                    "set the attributes on the elements, or with `mj-class`",
                ),
            }
        });
        Ok((html, warnings.collect()))
    };
    // The parser has `panic!` for shapes it does not expect. Those known are kept from it; one more
    // must not take down whoever checks a template.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(vec![context.error(
            0,
            "the mjml parser gave up",
            "remove comments and unusual signs until it passes, and report the template",
        )])
    })
}

/// What problems need to know of the file.
struct Place<'a> {
    source: &'a str,
    file: &'a str,
    first_line: u32,
}

impl Place<'_> {
    fn error(&self, at: usize, message: &str, remedy: &str) -> TemplateProblem {
        TemplateProblem::error(self.file, self.line(at), message, remedy)
    }

    fn warning(&self, at: usize, message: &str, remedy: &str) -> TemplateProblem {
        TemplateProblem::warning(self.file, self.line(at), message, remedy)
    }

    fn line(&self, at: usize) -> u32 {
        jinja::line_at(self.source, at, self.first_line)
    }
}

type Part = std::ops::Range<usize>;

/// Before, inside of, and behind the root element. `{% set %}` lines may stand before it.
fn split_root(source: &str) -> Option<(Part, Part, Part)> {
    let from = source.find("<mjml")?;
    let to = source.rfind("</mjml>")? + "</mjml>".len();
    (from < to).then_some((0..from, from..to, to..source.len()))
}

/// Comments of HTML are no text either.
fn has_text_outside_tags(part: &str) -> bool {
    let Ok(pieces) = jinja::pieces(part) else {
        return true;
    };
    pieces.into_iter().any(|(_, piece)| match piece {
        Piece::Text(text) => Tokens::new(text).any(|token| match token {
            Token::Text(range) => !text[range].trim().is_empty(),
            Token::Tag(_) => true,
            Token::Comment(range) => text[range].starts_with("<!--[if"),
        }),
        Piece::Expression(_) | Piece::Statement(_) | Piece::Comment(_) => false,
    })
}

/// Text in which words stand for Jinja tags, and where each part of it came from.
struct Protected {
    text: String,
    /// Bytes of the text and of the source at which a verbatim stretch begins, ascending.
    origins: Vec<(usize, usize)>,
}

impl Protected {
    fn origin_of(&self, at: usize) -> usize {
        let index = self.origins.partition_point(|(own, _)| *own <= at);
        match index.checked_sub(1).and_then(|i| self.origins.get(i)) {
            Some((own, origin)) => origin + (at - own),
            None => at,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeldKind {
    Expression,
    Statement,
    Character,
}

/// Something kept out of the renderer's sight.
struct Held {
    at: usize,
    text: String,
    kind: HeldKind,
}

struct Shield {
    /// Begins every placeholder; occurs nowhere in the source.
    mark: String,
    held: Vec<Held>,
}

impl Shield {
    fn new(source: &str) -> Self {
        let mut mark = "zqj".to_owned();
        while source.contains(&mark) {
            mark.push_str("xj");
        }
        Self {
            mark,
            held: Vec::new(),
        }
    }

    /// A word of letters and digits: valid in texts, attributes, addresses and style sheets.
    fn hold(&mut self, at: usize, text: &str, kind: HeldKind) -> String {
        let word = format!("{}{}z", self.mark, self.held.len());
        self.held.push(Held {
            at,
            text: text.to_owned(),
            kind,
        });
        word
    }

    fn protect(
        &mut self,
        place: &Place<'_>,
        inner: Part,
        problems: &mut Vec<TemplateProblem>,
    ) -> Protected {
        let base = inner.start;
        let source = &place.source[inner];
        let mut tagged = Protected {
            text: String::with_capacity(source.len()),
            origins: Vec::new(),
        };
        // Tags first: afterwards the text is plain markup that can be scanned.
        for (at, piece) in jinja::pieces(source).unwrap_or_default() {
            let at = base + at;
            tagged.origins.push((tagged.text.len(), at));
            match piece {
                Piece::Text(text) => tagged.text.push_str(text),
                Piece::Expression(tag) => {
                    let word = self.hold(at, tag, HeldKind::Expression);
                    tagged.text.push_str(&word);
                }
                Piece::Statement(tag) => {
                    let word = self.hold(at, tag, HeldKind::Statement);
                    tagged.text.push_str(&word);
                }
                Piece::Comment(_) => {}
            }
        }
        self.protect_attributes(place, &tagged, problems)
    }

    /// Holds back what the renderer would spoil, and finds tags where no value can stand.
    fn protect_attributes(
        &mut self,
        place: &Place<'_>,
        tagged: &Protected,
        problems: &mut Vec<TemplateProblem>,
    ) -> Protected {
        let text = &tagged.text;
        let mut out = Protected {
            text: String::with_capacity(text.len()),
            origins: Vec::new(),
        };
        let mut copied = 0;
        let copy = |out: &mut Protected, from: usize, to: usize| {
            // Stretches of `tagged` that begin inside of this one keep their own origin.
            out.origins.push((out.text.len(), tagged.origin_of(from)));
            let first = tagged.origins.partition_point(|(own, _)| *own <= from);
            for (own, origin) in tagged.origins[first..].iter().take_while(|(o, _)| *o < to) {
                out.origins.push((out.text.len() + (own - from), *origin));
            }
            out.text.push_str(&text[from..to]);
        };
        let mut behind_condition = None;
        for token in Tokens::new(text) {
            let tag = match token {
                Token::Tag(tag) => tag,
                Token::Text(range) => {
                    // In text the parser cuts characters in two before a `>` ("日本>"), and reads
                    // tags inside of style sheets.
                    for (i, c) in text[range.clone()].match_indices(['<', '>']) {
                        let at = range.start + i;
                        copy(&mut out, copied, at);
                        let word = self.hold(tagged.origin_of(at), c, HeldKind::Character);
                        out.text.push_str(&word);
                        copied = at + c.len();
                    }
                    continue;
                }
                Token::Comment(range) => {
                    let comment = &text[range.clone()];
                    let follows = behind_condition == Some(range.start);
                    if !is_sane_comment(comment, follows) {
                        problems.push(place.error(
                            tagged.origin_of(range.start),
                            "this comment is not understood",
                            "write `<!-- ... -->` or `<!--[if mso]> ... <![endif]-->`",
                        ));
                    }
                    behind_condition = comment.starts_with("<!--[if").then_some(range.end);
                    continue;
                }
            };
            let attributes = html::attributes(text, &tag);
            let misplaced = text[tag.name.clone()].contains(&self.mark)
                || attributes.iter().any(|a| {
                    a.quote.is_none() && text[a.name.start..a.value.end].contains(&self.mark)
                });
            if misplaced {
                problems.push(place.error(
                    tagged.origin_of(tag.range.start),
                    "a Jinja tag stands inside of an element's tag, outside of quotes",
                    "put it into a quoted attribute value, or repeat the element in `{% if %}`",
                ));
                continue;
            }
            let mut behind_quote = None;
            for attribute in attributes {
                if behind_quote == Some(attribute.name.start) {
                    // `a="1"b="2"`: browsers forgive it, the renderer does not.
                    copy(&mut out, copied, attribute.name.start);
                    out.text.push(' ');
                    copied = attribute.name.start;
                }
                behind_quote = attribute.quote.map(|_| attribute.value.end + 1);
                let value = &text[attribute.value.clone()];
                for (i, c) in value.char_indices().filter(|(_, c)| is_spoiled(*c)) {
                    let at = attribute.value.start + i;
                    copy(&mut out, copied, at);
                    let restored = match c {
                        '"' => "&quot;".to_owned(),
                        '\n' | '\r' | '\t' => " ".to_owned(),
                        other => other.to_string(),
                    };
                    let word = self.hold(tagged.origin_of(at), &restored, HeldKind::Character);
                    out.text.push_str(&word);
                    copied = at + c.len_utf8();
                }
            }
        }
        copy(&mut out, copied, text.len());
        out
    }

    /// Puts everything back; answers which of the held things were met.
    fn restore(&self, html: &str) -> (String, BTreeSet<usize>) {
        let mut seen = BTreeSet::new();
        let mut out = String::with_capacity(html.len() * 2);
        let mut rest = html;
        while let Some(at) = rest.find(&self.mark) {
            push_literal(&mut out, &rest[..at]);
            rest = &rest[at + self.mark.len()..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let index = rest[..digits].parse::<usize>().ok();
            match index.and_then(|i| Some((i, self.held.get(i)?))) {
                Some((index, held)) if rest[digits..].starts_with('z') => {
                    seen.insert(index);
                    match held.kind {
                        HeldKind::Character => push_literal(&mut out, &held.text),
                        HeldKind::Expression | HeldKind::Statement => out.push_str(&held.text),
                    }
                    rest = &rest[digits + 1..];
                }
                Some(_) | None => out.push_str(&self.mark),
            }
        }
        push_literal(&mut out, rest);
        (out, seen)
    }
}

/// Renderer's own text that looks like a Jinja tag, as in `@media x{#outlook a{...}}`.
fn push_literal(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (head, tail) = rest.split_at(at + 1);
        out.push_str(head);
        if tail.starts_with(['{', '%', '#']) {
            // White space between the signs changes neither style sheets nor words.
            out.push(' ');
        }
        rest = tail;
    }
    out.push_str(rest);
}

/// Whether the renderer, which writes attributes with `{:?}`, would change this character.
fn is_spoiled(c: char) -> bool {
    c != '\'' && c.escape_debug().len() > 1
}

/// Comments that the parser reads as this crate's scanner does; others would hide tags from the
/// check of depth.
fn is_sane_comment(comment: &str, behind_condition: bool) -> bool {
    if comment.starts_with("<!--[if") || comment.starts_with("<![if") {
        return comment.find(']').map(|at| &comment[at..]) == Some("]>");
    }
    if comment.starts_with("<!--<![endif") {
        return comment == "<!--<![endif]-->";
    }
    if comment.starts_with("<![") {
        return comment == "<![endif]-->" || comment == "<![endif]>";
    }
    if comment == "<!-->" {
        return behind_condition;
    }
    comment.len() >= "<!---->".len() && comment.starts_with("<!--") && comment.ends_with("-->")
}

fn check_depth(place: &Place<'_>, protected: &Protected, problems: &mut Vec<TemplateProblem>) {
    let text = &protected.text;
    let mut depth = 0_usize;
    for token in Tokens::new(text) {
        let Token::Tag(tag) = token else { continue };
        let name = &text[tag.name.clone()];
        if tag.closing {
            depth = depth.saturating_sub(1);
        } else if !text[tag.inside.clone()].ends_with('/') && !VOID.contains(&name) {
            depth += 1;
            if depth > MJML_DEPTH_MAX {
                problems.push(place.error(
                    protected.origin_of(tag.range.start),
                    &format!("elements are nested deeper than {MJML_DEPTH_MAX}"),
                    "close the elements above, or simplify the layout",
                ));
                return;
            }
        }
    }
}

fn parse_problem(place: &Place<'_>, protected: &Protected, error: MrmlError) -> TemplateProblem {
    let at = |span: &Span| protected.origin_of(span.start);
    let check = "check the spelling and the nesting of the element";
    match &error {
        MrmlError::UnexpectedElement { position, .. } => place.error(
            at(position),
            "this element may not stand here",
            "see the MJML reference for what its parent takes",
        ),
        MrmlError::UnexpectedToken { position, .. } => {
            place.error(at(position), "mjml does not expect this here", check)
        }
        MrmlError::MissingAttribute { name, position, .. } => place.error(
            at(position),
            &format!("attribute `{name}` is missing"),
            "add it",
        ),
        MrmlError::InvalidAttribute { position, .. } => {
            place.error(at(position), "an attribute is not valid", check)
        }
        MrmlError::InvalidFormat { position, .. } => {
            place.error(at(position), "the format is not valid", check)
        }
        MrmlError::EndOfStream { .. } => place.error(
            place.source.trim_end().len(),
            "the file ends inside of an element",
            "close all elements",
        ),
        MrmlError::IncludeLoaderError { position, .. } => place.error(
            at(position),
            "`mj-include` is not available",
            "put the included text here",
        ),
        MrmlError::ParserError { source, .. } => {
            let pos = source.pos();
            let line_start = protected
                .text
                .split_inclusive('\n')
                .take(pos.row.saturating_sub(1) as usize)
                .map(str::len)
                .sum::<usize>();
            place.error(
                protected.origin_of(line_start),
                "markup is not well-formed",
                "check quotes, `<` and closing tags here and on the lines before",
            )
        }
        MrmlError::SizeLimit { .. } | MrmlError::NoRootNode => {
            place.error(0, &error.to_string(), check)
        }
    }
}

#[cfg(test)]
#[path = "mjml_tests.rs"]
mod tests;
