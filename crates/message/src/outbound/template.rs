//! A compiled template: once per version, then one cheap rendering per recipient.
//!
//! Compiling finds every problem it can, all at once, each with its line. Rendering recompiles
//! nothing, reads nothing but its context, and always yields a text part.
//!
//! **Absent:** the choice among languages, see [`super::set`]; tracking, see [`super::tracking`].

use std::collections::BTreeSet;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::json;

use super::engine::{self, Failure};
use super::filters::{FILTERS, TESTS};
use super::html::{Token, Tokens};
use super::jinja::{self, Piece};
use super::mjml;
use super::problem::{RenderProblem, Severity, TemplatePart, TemplateProblem};
use super::source::{SourceFormat, TemplateMeta, TemplateSource};
use super::text::text_from_html;
use super::tracking::{LinkRef, instrument_keeping};

/// The variables a template may begin with.
pub const ROOTS: [&str; 10] = [
    "contact",
    "subject",
    "subjects",
    "item",
    "event",
    "owner",
    "workspace",
    "links",
    "variant",
    "notice",
];
/// Characters of a rendered subject; the rest is cut off.
pub const SUBJECT_CHARS_MAX: usize = 250;
/// Characters of a rendered sender name.
const FROM_NAME_CHARS_MAX: usize = 100;
/// Variables one check of a template looks at.
const CHECKED_VARIABLES_MAX: usize = 200;
/// The MJML as written, kept to find the line of an error of its HTML.
const WRITTEN: &str = "written.html";
const PREHEADER: &str = "preheader.html";
const LANGUAGE_DEFAULT: &str = "en";

/// A template that renders.
#[derive(Debug)]
pub struct Template {
    id: String,
    language: Option<String>,
    meta: TemplateMeta,
    env: Environment<'static>,
    warnings: Vec<TemplateProblem>,
    lines: PartLines,
}

/// Lines of the files on which the parts begin; text may come from a file of its own.
#[derive(Debug, Clone, Copy, Default)]
struct PartLines {
    subject: u32,
    from_name: u32,
    html: u32,
    text: u32,
}

impl PartLines {
    const fn of(self, part: TemplatePart) -> u32 {
        match part {
            TemplatePart::Subject => self.subject,
            TemplatePart::FromName => self.from_name,
            TemplatePart::Html => self.html,
            TemplatePart::Text => self.text,
        }
    }
}

/// What one recipient gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, never empty.
    pub subject: String,
    /// Sender's name, when the template sets one.
    pub from_name: Option<String>,
    pub html: Option<String>,
    /// The template's own text, or the HTML read aloud.
    pub text: String,
    /// Addresses under the root `links`: unsubscribe and the like. Never tracked.
    pub own_links: Vec<String>,
}

impl Rendered {
    /// The HTML with tracked links and the pixel; see [`super::instrument`].
    pub fn tracked_html(
        &self,
        link: &mut dyn FnMut(LinkRef<'_>) -> String,
        pixel: Option<&str>,
    ) -> Option<String> {
        let keep: Vec<&str> = self.own_links.iter().map(String::as_str).collect();
        let html = self.html.as_deref()?;
        Some(instrument_keeping(html, &keep, link, pixel))
    }
}

impl Template {
    /// Compiles one file.
    ///
    /// # Errors
    /// All problems at once, warnings among them; at least one is an error.
    pub fn compile(source: &TemplateSource) -> Result<Self, Vec<TemplateProblem>> {
        Self::compile_with_text(source, None)
    }

    /// Compiles an MJML or HTML file together with the text file that accompanies it.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_with_text(
        source: &TemplateSource,
        text: Option<&TemplateSource>,
    ) -> Result<Self, Vec<TemplateProblem>> {
        let language = source.language.as_deref().unwrap_or(LANGUAGE_DEFAULT);
        let mut compiler = Compiler {
            env: engine::environment(language),
            problems: Vec::new(),
            lines: PartLines::default(),
        };
        compiler.header(source);
        match source.format {
            SourceFormat::Mjml | SourceFormat::Html => compiler.html(source),
            SourceFormat::Text => compiler.text(source),
        }
        if let Some(text) = text {
            compiler.text(text);
        }
        let (errors, warnings): (Vec<_>, Vec<_>) = compiler
            .problems
            .into_iter()
            .partition(|p| p.severity == Severity::Error);
        if !errors.is_empty() {
            let mut all = [errors, warnings].concat();
            all.sort();
            all.dedup();
            return Err(all);
        }
        Ok(Self {
            id: source.id.clone(),
            language: source.language.clone(),
            meta: source.meta.clone(),
            env: compiler.env,
            warnings,
            lines: compiler.lines,
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Absent for the default language.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    pub fn meta(&self) -> &TemplateMeta {
        &self.meta
    }

    /// Whether it is sent as HTML too.
    pub fn has_html(&self) -> bool {
        self.env.get_template(TemplatePart::Html.name()).is_ok()
    }

    /// The language that its words are in.
    pub(super) fn own_language(&self) -> &str {
        self.language.as_deref().unwrap_or(LANGUAGE_DEFAULT)
    }

    /// The sender's name, when the template sets one and it can be rendered.
    pub(super) fn senders_name(&self, context: &Value) -> Option<String> {
        engine::render_part(&self.env, TemplatePart::FromName, context)
            .ok()
            .flatten()
            .map(|name| one_line(&name, FROM_NAME_CHARS_MAX))
            .filter(|name| !name.is_empty())
    }

    /// What the author should look at although the template works.
    pub fn warnings(&self) -> &[TemplateProblem] {
        &self.warnings
    }

    /// Renders for one recipient. Missing variables are empty.
    ///
    /// `context` is an object with the roots of [`ROOTS`].
    ///
    /// # Errors
    /// The first part that failed; nothing about the recipient is in it.
    pub fn render(&self, context: &serde_json::Value) -> Result<Rendered, RenderProblem> {
        if !context.is_object() {
            return Err(RenderProblem::ContextNotObject);
        }
        self.render_value(&Value::from(Serde(context)))
    }

    /// Like [`Self::render`], for a context that is already the engine's.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn render_value(&self, context: &Value) -> Result<Rendered, RenderProblem> {
        let part = |part| {
            engine::render_part(&self.env, part, context)
                .map_err(|failure| self.located(failure, context))
        };
        let subject = one_line(
            &part(TemplatePart::Subject)?.unwrap_or_default(),
            SUBJECT_CHARS_MAX,
        );
        if subject.is_empty() {
            return Err(RenderProblem::SubjectEmpty);
        }
        let from_name = part(TemplatePart::FromName)?
            .map(|name| one_line(&name, FROM_NAME_CHARS_MAX))
            .filter(|name| !name.is_empty());
        let html = part(TemplatePart::Html)?;
        let text = match part(TemplatePart::Text)? {
            Some(text) => text,
            None => text_from_html(html.as_deref().unwrap_or_default()),
        };
        Ok(Rendered {
            subject,
            from_name,
            html,
            text,
            own_links: own_links(context),
        })
    }

    /// Variables that the template shows or computes with and that `context` lacks, sorted.
    ///
    /// Guarded ones (`default`, `{% if x %}`) are not reported. For checks and previews: each
    /// candidate costs a rendering.
    pub fn missing_variables(&self, context: &serde_json::Value) -> Vec<String> {
        let missing: BTreeSet<String> = self
            .variables()
            .into_iter()
            .filter(|path| lookup(context, path).is_none_or(serde_json::Value::is_null))
            .take(CHECKED_VARIABLES_MAX)
            .collect();
        let mut strict = self.env.clone();
        strict.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let undefined_in = |context: &serde_json::Value, part| {
            let context = Value::from(Serde(context));
            engine::render_part(&strict, part, &context).is_err_and(|failure| failure.undefined)
        };
        let mut found = BTreeSet::new();
        // A list shows as nothing and a word cannot be walked through: try the rest as either.
        for filler in [json!("1"), json!([])] {
            let mut full = context.clone();
            for path in &missing {
                fill(&mut full, path, &filler);
            }
            for part in TemplatePart::ALL {
                if undefined_in(&full, part) {
                    continue;
                }
                for wanted in &missing {
                    // All others are given, so a failure is this one's.
                    let mut lacking = full.clone();
                    remove(&mut lacking, wanted);
                    if undefined_in(&lacking, part) {
                        found.insert(wanted.clone());
                    }
                }
            }
        }
        found.into_iter().collect()
    }

    /// Every variable the template may read, as dotted paths, sorted.
    pub fn variables(&self) -> BTreeSet<String> {
        TemplatePart::ALL
            .into_iter()
            .filter_map(|part| self.env.get_template(part.name()).ok())
            .flat_map(|template| template.undeclared_variables(true))
            .filter(|path| ROOTS.contains(&path.split('.').next().unwrap_or_default()))
            .collect()
    }

    /// Turns a line of a part into a line of its file.
    fn located(&self, failure: Failure, context: &Value) -> RenderProblem {
        match failure.problem {
            RenderProblem::Failed { part, line, detail } => {
                let line = if part == TemplatePart::Html {
                    self.line_as_written(context).unwrap_or(line)
                } else {
                    line
                };
                let first = self.lines.of(part);
                RenderProblem::Failed {
                    part,
                    line: if line == 0 { 0 } else { first + line - 1 },
                    detail,
                }
            }
            other @ (RenderProblem::OutOfFuel { .. }
            | RenderProblem::TooLong { .. }
            | RenderProblem::SubjectEmpty
            | RenderProblem::ContextNotObject) => other,
        }
    }

    /// HTML made of MJML has other lines; the same error in what was written has the right one.
    fn line_as_written(&self, context: &Value) -> Option<u32> {
        let written = self.env.get_template(WRITTEN).ok()?;
        let error = written
            .render_captured_to(context.clone(), std::io::sink())
            .err()?;
        Some(engine::line_of(&error))
    }
}

struct Compiler {
    env: Environment<'static>,
    problems: Vec<TemplateProblem>,
    lines: PartLines,
}

impl Compiler {
    fn header(&mut self, source: &TemplateSource) {
        let (file, meta) = (source.file.as_str(), &source.meta);
        self.lines.subject = source.lines.subject;
        self.lines.from_name = source.lines.from_name;
        match &meta.subject {
            Some(subject) => {
                self.part(
                    TemplatePart::Subject.name(),
                    subject,
                    file,
                    source.lines.subject,
                );
            }
            None => self.problems.push(TemplateProblem::error(
                file,
                1,
                "subject is missing",
                "begin the file with `---`, `subject: ...`, `---`",
            )),
        }
        if let Some(name) = &meta.from_name {
            self.part(
                TemplatePart::FromName.name(),
                name,
                file,
                source.lines.from_name,
            );
        }
        if let Some(preheader) = &meta.preheader {
            self.part(PREHEADER, preheader, file, source.lines.preheader);
            if source.format == SourceFormat::Text {
                self.problems.push(TemplateProblem::warning(
                    file,
                    source.lines.preheader,
                    "a text message has no preheader",
                    "remove it",
                ));
            }
        }
    }

    fn html(&mut self, source: &TemplateSource) {
        let file = source.file.as_str();
        let name = match source.format {
            SourceFormat::Mjml => WRITTEN,
            SourceFormat::Html | SourceFormat::Text => TemplatePart::Html.name(),
        };
        self.lines.html = source.body_line;
        if !self.part(name, &source.body, file, source.body_line) {
            return;
        }
        let html = match source.format {
            SourceFormat::Mjml => match mjml::convert(&source.body, file, source.body_line) {
                Ok(converted) => {
                    self.problems.extend(converted.warnings);
                    converted.html
                }
                Err(problems) => {
                    self.problems.extend(problems);
                    return;
                }
            },
            SourceFormat::Html | SourceFormat::Text => source.body.clone(),
        };
        let html = match &source.meta.preheader {
            Some(preheader) => with_preheader(&html, preheader),
            None => html,
        };
        let added = self.env.add_template_owned(TemplatePart::Html.name(), html);
        if added.is_err() {
            // It was fine as written, so the layout has torn a statement from its end.
            self.problems.push(TemplateProblem::error(
                file,
                source.body_line,
                "a Jinja statement and its end stand in different elements",
                "open and close `{% if %}` and `{% for %}` inside of the same element",
            ));
        }
    }

    fn text(&mut self, source: &TemplateSource) {
        self.lines.text = source.body_line;
        // The empty line below the front matter is for its reader.
        let body = source.body.trim_start_matches(['\r', '\n']);
        let skipped = source.body.len() - body.len();
        let line = jinja::line_at(&source.body, skipped, source.body_line);
        self.lines.text = line;
        let body = jinja::without_lone_statements(body);
        self.part(TemplatePart::Text.name(), &body, &source.file, line);
    }

    /// Checks and compiles one part; true when it is sound.
    fn part(&mut self, name: &'static str, text: &str, file: &str, line: u32) -> bool {
        let found = jinja::check(text, file, line);
        if !found.is_empty() {
            self.problems.extend(found);
            return false;
        }
        if let Err(error) = self.env.add_template_owned(name, text.to_owned()) {
            let at = engine::line_of(&error).max(1);
            self.problems.push(TemplateProblem::error(
                file,
                line + at - 1,
                engine::describe(&error),
                "see the template guide for what stands between the braces",
            ));
            return false;
        }
        let before = self.problems.len();
        self.unknown_names(name, text, file, line);
        self.problems.len() == before
    }

    /// A misspelt root would render as nothing, for everyone and for ever.
    fn unknown_names(&mut self, name: &str, text: &str, file: &str, line: u32) {
        let Ok(template) = self.env.get_template(name) else {
            return;
        };
        let known = |root: &str| ROOTS.contains(&root) || root == "range" || root == "loop";
        let unknown: BTreeSet<String> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|root| !known(root))
            .collect();
        for root in unknown {
            let at = tag_with(text, &root).unwrap_or_default();
            self.problems.push(TemplateProblem::error(
                file,
                jinja::line_at(text, at, line),
                format!("variable `{root}` is unknown"),
                format!("begin with one of {}", ROOTS.join(", ")),
            ));
        }
        // The engine finds unknown filters and tests only when it meets them; look beforehand.
        for (at, piece) in jinja::pieces(text).unwrap_or_default() {
            let tag = match piece {
                Piece::Expression(tag) | Piece::Statement(tag) => tag,
                Piece::Text(_) | Piece::Comment(_) => continue,
            };
            for (what, names, known) in [
                ("filter", jinja::filter_names(tag), &FILTERS[..]),
                ("test", jinja::test_names(tag), &TESTS[..]),
            ] {
                for name in names.into_iter().filter(|name| !known.contains(name)) {
                    self.problems.push(TemplateProblem::error(
                        file,
                        jinja::line_at(text, at, line),
                        format!("{what} `{name}` is unknown"),
                        format!("use one of {}", known.join(", ")),
                    ));
                }
            }
        }
    }
}

/// The first tag that has this word.
fn tag_with(text: &str, word: &str) -> Option<usize> {
    jinja::pieces(text)
        .ok()?
        .into_iter()
        .find_map(|(at, piece)| match piece {
            Piece::Expression(tag) | Piece::Statement(tag) => {
                jinja::names(tag).contains(&word).then_some(at)
            }
            Piece::Text(_) | Piece::Comment(_) => None,
        })
}

/// The line that mail programs show beside the subject, hidden in the message itself.
fn with_preheader(html: &str, preheader: &str) -> String {
    let hidden = format!(
        "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">{preheader}</div>"
    );
    let at = Tokens::new(html)
        .find_map(|token| match token {
            Token::Tag(tag)
                if !tag.closing && html[tag.name.clone()].eq_ignore_ascii_case("body") =>
            {
                Some(tag.range.end)
            }
            Token::Tag(_) | Token::Text(_) | Token::Comment(_) => None,
        })
        .unwrap_or_default();
    [&html[..at], &hidden, &html[at..]].concat()
}

/// One line without control characters: nothing in it can become a header of its own.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let cleaned: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut out = String::with_capacity(cleaned.len());
    for word in cleaned.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if let Some((at, _)) = out.char_indices().nth(chars_max) {
        out.truncate(at);
    }
    out
}

pub(super) fn own_links(context: &Value) -> Vec<String> {
    let Ok(links) = context.get_attr("links") else {
        return Vec::new();
    };
    let Ok(names) = links.try_iter() else {
        return Vec::new();
    };
    names
        .take(CHECKED_VARIABLES_MAX)
        .filter_map(|name| Some(links.get_item(&name).ok()?.as_str()?.to_owned()))
        .filter(|url| !url.is_empty())
        .collect()
}

fn lookup<'a>(context: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    path.split('.').try_fold(context, |at, name| at.get(name))
}

/// Puts something where a variable is missing. The path's parents become objects.
fn fill(context: &mut serde_json::Value, path: &str, filler: &serde_json::Value) {
    let mut at = context;
    for name in path.split('.') {
        if !at.is_object() {
            *at = json!({});
        }
        let serde_json::Value::Object(map) = at else {
            return;
        };
        at = map.entry(name).or_insert(serde_json::Value::Null);
    }
    if at.is_null() {
        *at = filler.clone();
    }
}

/// Takes a variable away and leaves its parents.
fn remove(context: &mut serde_json::Value, path: &str) {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = context;
    for name in parent.split('.').filter(|name| !name.is_empty()) {
        let Some(inner) = at.get_mut(name) else {
            return;
        };
        at = inner;
    }
    if let serde_json::Value::Object(map) = at {
        map.remove(name);
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
