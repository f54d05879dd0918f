//! A template file: its name, its front matter, its body.
//!
//! `welcome.ru.mjml` is template `welcome` in Russian, in MJML; `welcome.mjml` is its default
//! language. The file opens with `key: value` lines between two lines of `---`:
//!
//! ```text
//! ---
//! subject: Welcome, {{ contact.first_name | default("friend") }}!
//! kind: marketing
//! tracking: { opens: true, clicks: false }
//! ---
//! ```
//!
//! Values are plain text to the end of the line, optionally in quotes; the format is a subset of
//! YAML small enough that every mistake gets its line and its remedy.
//!
//! **Absent:** what the body means; see [`super::template`] and [`super::mjml`].

use super::problem::TemplateProblem;

/// Bytes of one template file.
pub const SOURCE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a template's id.
const ID_BYTES_MAX: usize = 64;
/// Bytes of a language tag.
const LANGUAGE_BYTES_MAX: usize = 16;
const FENCE: &str = "---";
const KEYS: &str =
    "`subject`, `preheader`, `from_name`, `topic`, `kind`, `delivery` and `tracking`";

/// What the body of a template is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceFormat {
    Mjml,
    Html,
    Text,
}

/// Whether consent to marketing is needed. Service messages are what the contact asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Kind {
    #[default]
    Marketing,
    Service,
}

/// What happens to a touchpoint whose fate is unknown after a crash (design, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// Rather lost than twice. The default of [`Kind::Marketing`].
    AtMostOnce,
    /// Rather twice than lost. The default of [`Kind::Service`].
    AtLeastOnce,
}

/// Which traces a message carries. On for marketing, off for service messages unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tracking {
    pub opens: bool,
    pub clicks: bool,
}

/// The front matter, understood. `subject`, `preheader` and `from_name` are Jinja.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateMeta {
    /// Absent only in a text file that accompanies an MJML or HTML file.
    pub subject: Option<String>,
    pub preheader: Option<String>,
    pub from_name: Option<String>,
    /// The consent topic this message belongs to.
    pub topic: Option<String>,
    pub kind: Kind,
    pub delivery: Delivery,
    pub tracking: Tracking,
}

/// One template file, parsed but not compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSource {
    pub id: String,
    /// Lower-case tag such as `ru` or `pt-br`; absent for the default language.
    pub language: Option<String>,
    pub format: SourceFormat,
    pub meta: TemplateMeta,
    pub body: String,
    pub(super) file: String,
    /// Line of the file on which the body begins, counted from 1.
    pub(super) body_line: u32,
    pub(super) lines: MetaLines,
}

/// Lines of the front matter's Jinja values, for problems found later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct MetaLines {
    pub subject: u32,
    pub preheader: u32,
    pub from_name: u32,
}

impl TemplateSource {
    /// Parses one file. `file_name` may carry folders; only its last part is read.
    ///
    /// # Errors
    /// All problems of the name and the front matter at once.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<TemplateProblem>> {
        let mut problems = Vec::new();
        if text.len() > SOURCE_BYTES_MAX {
            problems.push(TemplateProblem::error(
                file_name,
                0,
                format!("file is longer than {SOURCE_BYTES_MAX} bytes"),
                "move images out of the template and shorten it",
            ));
            return Err(problems);
        }
        let name = match FileName::parse(file_name) {
            Ok(name) => Some(name),
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let front = FrontMatter::parse(file_name, text, &mut problems);
        match (name, problems.is_empty()) {
            (Some(name), true) => Ok(Self {
                id: name.id,
                language: name.language,
                format: name.format,
                meta: front.meta,
                body: front.body.to_owned(),
                file: file_name.to_owned(),
                body_line: front.body_line,
                lines: front.lines,
            }),
            (Some(_) | None, _) => Err(problems),
        }
    }

    /// The file as it was named to [`Self::parse`].
    pub fn file(&self) -> &str {
        &self.file
    }
}

struct FileName {
    id: String,
    language: Option<String>,
    format: SourceFormat,
}

impl FileName {
    fn parse(file_name: &str) -> Result<Self, TemplateProblem> {
        let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        let wrong = |message: &str| {
            TemplateProblem::error(
                file_name,
                0,
                message,
                "name it like `welcome.ru.mjml`: id, optional language, then mjml, html or txt",
            )
        };
        let Some((stem, extension)) = base.rsplit_once('.') else {
            return Err(wrong("file name has no ending"));
        };
        let format = match extension.to_ascii_lowercase().as_str() {
            "mjml" => SourceFormat::Mjml,
            "html" | "htm" => SourceFormat::Html,
            "txt" => SourceFormat::Text,
            _ => return Err(wrong("file ending is not mjml, html or txt")),
        };
        let (id, language) = match stem.split_once('.') {
            Some((id, language)) => (id, Some(language)),
            None => (stem, None),
        };
        let id_fits = !id.is_empty()
            && id.len() <= ID_BYTES_MAX
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if !id_fits {
            return Err(wrong(
                "template id is not up to 64 of a-z, 0-9, `-` and `_`",
            ));
        }
        let language = match language.map(normal_language) {
            None => None,
            Some(Some(language)) => Some(language),
            Some(None) => return Err(wrong("language is not a tag such as `ru` or `pt-br`")),
        };
        Ok(Self {
            id: id.to_owned(),
            language,
            format,
        })
    }
}

/// A language tag in its one spelling (`pt_BR` -> `pt-br`), or nothing when it is none.
pub(super) fn normal_language(tag: &str) -> Option<String> {
    if tag.is_empty() || tag.len() > LANGUAGE_BYTES_MAX {
        return None;
    }
    let tag = tag.replace('_', "-").to_ascii_lowercase();
    let mut parts = tag.split('-');
    let base = parts.next()?;
    let base_fits = (2..=3).contains(&base.len()) && base.bytes().all(|b| b.is_ascii_lowercase());
    let rest_fits =
        parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (base_fits && rest_fits).then_some(tag)
}

struct FrontMatter<'a> {
    meta: TemplateMeta,
    lines: MetaLines,
    body: &'a str,
    body_line: u32,
}

/// A value of the front matter and the line it stands on.
type Placed<T> = Option<(T, u32)>;

impl<'a> FrontMatter<'a> {
    fn parse(file: &str, text: &'a str, problems: &mut Vec<TemplateProblem>) -> Self {
        let mut fields = Fields::default();
        let mut rest = text;
        let mut line = 1;
        let opening = rest.split('\n').next().unwrap_or_default();
        let mut closed = true;
        if opening.trim_end() == FENCE {
            closed = false;
            rest = rest.get(opening.len() + 1..).unwrap_or_default();
            while !rest.is_empty() {
                line += 1;
                let raw = rest.split('\n').next().unwrap_or_default();
                rest = rest.get(raw.len() + 1..).unwrap_or_default();
                let raw = raw.trim();
                if raw == FENCE {
                    closed = true;
                    line += 1;
                    break;
                }
                if !raw.is_empty() && !raw.starts_with('#') {
                    fields.read_line(file, line, raw, problems);
                }
            }
        }
        if !closed {
            problems.push(TemplateProblem::error(
                file,
                1,
                "front matter is not closed",
                "end it with a line of `---`",
            ));
        }
        let (meta, lines) = fields.finish();
        Self {
            meta,
            lines,
            body: rest,
            body_line: line,
        }
    }
}

#[derive(Default)]
struct Fields {
    subject: Placed<String>,
    preheader: Placed<String>,
    from_name: Placed<String>,
    topic: Placed<String>,
    kind: Placed<Kind>,
    delivery: Placed<Delivery>,
    tracking: Placed<Tracking>,
}

impl Fields {
    fn read_line(&mut self, file: &str, line: u32, raw: &str, problems: &mut Vec<TemplateProblem>) {
        let mut report = |message: String, remedy: &str| {
            problems.push(TemplateProblem::error(file, line, message, remedy));
        };
        let Some((key, value)) = raw.split_once(':') else {
            report(
                "front matter line is not `key: value`".to_owned(),
                "write for example `subject: Your order`",
            );
            return;
        };
        let (key, value) = (key.trim(), unquote(value.trim()));
        let earlier = match key {
            "subject" => put(&mut self.subject, value, line),
            "preheader" => put(&mut self.preheader, value, line),
            "from_name" => put(&mut self.from_name, value, line),
            "topic" => {
                if is_topic(&value) {
                    put(&mut self.topic, value, line)
                } else {
                    report(
                        "topic is not up to 64 of a-z, 0-9, `-` and `_`".to_owned(),
                        "write the topic's id, for example `topic: news`",
                    );
                    None
                }
            }
            "kind" => match value.as_str() {
                "marketing" => put(&mut self.kind, Kind::Marketing, line),
                "service" => put(&mut self.kind, Kind::Service, line),
                _ => {
                    report(
                        format!("kind {value:?} is unknown"),
                        "write `marketing` or `service`",
                    );
                    None
                }
            },
            "delivery" => match value.as_str() {
                "at_most_once" => put(&mut self.delivery, Delivery::AtMostOnce, line),
                "at_least_once" => put(&mut self.delivery, Delivery::AtLeastOnce, line),
                _ => {
                    report(
                        format!("delivery {value:?} is unknown"),
                        "write `at_most_once` or `at_least_once`",
                    );
                    None
                }
            },
            "tracking" => match parse_tracking(&value) {
                Some(tracking) => put(&mut self.tracking, tracking, line),
                None => {
                    report(
                        "tracking is not understood".to_owned(),
                        "write `tracking: { opens: true, clicks: false }`",
                    );
                    None
                }
            },
            _ => {
                report(
                    format!("front matter key `{key}` is unknown"),
                    &format!("use {KEYS}"),
                );
                None
            }
        };
        if let Some(earlier) = earlier {
            report(
                format!("`{key}` was already given on line {earlier}"),
                "keep one of them",
            );
        }
    }

    fn finish(self) -> (TemplateMeta, MetaLines) {
        let line_of = |field: &Placed<String>| field.as_ref().map_or(0, |(_, line)| *line);
        let lines = MetaLines {
            subject: line_of(&self.subject),
            preheader: line_of(&self.preheader),
            from_name: line_of(&self.from_name),
        };
        let kind = self.kind.map(|(kind, _)| kind).unwrap_or_default();
        let marketing = kind == Kind::Marketing;
        let filled = |field: Placed<String>| field.map(|(text, _)| text).filter(|t| !t.is_empty());
        let meta = TemplateMeta {
            subject: filled(self.subject),
            preheader: filled(self.preheader),
            from_name: filled(self.from_name),
            topic: filled(self.topic),
            kind,
            delivery: self.delivery.map_or(
                if marketing {
                    Delivery::AtMostOnce
                } else {
                    Delivery::AtLeastOnce
                },
                |(delivery, _)| delivery,
            ),
            tracking: self.tracking.map_or(
                Tracking {
                    opens: marketing,
                    clicks: marketing,
                },
                |(tracking, _)| tracking,
            ),
        };
        (meta, lines)
    }
}

/// Stores a value; answers the line of an earlier one.
fn put<T>(slot: &mut Placed<T>, value: T, line: u32) -> Option<u32> {
    slot.replace((value, line)).map(|(_, earlier)| earlier)
}

fn is_topic(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= ID_BYTES_MAX
        && value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Takes off one pair of quotes that encloses the whole value.
fn unquote(value: &str) -> String {
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner
            && !inner.contains(quote)
        {
            return inner.to_owned();
        }
    }
    value.to_owned()
}

/// `{ opens: true, clicks: false }`; a part left out is off.
fn parse_tracking(value: &str) -> Option<Tracking> {
    let inner = value.strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut tracking = Tracking {
        opens: false,
        clicks: false,
    };
    for part in inner.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (key, on) = part.split_once(':')?;
        let on = match on.trim() {
            "true" | "yes" | "on" => true,
            "false" | "no" | "off" => false,
            _ => return None,
        };
        match key.trim() {
            "opens" => tracking.opens = on,
            "clicks" => tracking.clicks = on,
            _ => return None,
        }
    }
    Some(tracking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_understood() {
        let source = TemplateSource::parse(
            "templates/offer-1.pt_BR.mjml",
            "---\r\nsubject: \"Hi: {{ contact.name }}\"\nkind: service\n# note\ntopic: offers\n\
             tracking: { opens: yes }\n---\n<mjml/>\n",
        )
        .expect("parses");
        assert_eq!(source.id, "offer-1");
        assert_eq!(source.language.as_deref(), Some("pt-br"));
        assert_eq!(source.format, SourceFormat::Mjml);
        assert_eq!(
            source.meta.subject.as_deref(),
            Some("Hi: {{ contact.name }}")
        );
        assert_eq!(source.meta.delivery, Delivery::AtLeastOnce);
        assert_eq!(
            source.meta.tracking,
            Tracking {
                opens: true,
                clicks: false
            }
        );
        assert_eq!((source.body.as_str(), source.body_line), ("<mjml/>\n", 8));
    }

    #[test]
    fn marketing_is_the_default_and_goes_at_most_once() {
        let source = TemplateSource::parse("a.txt", "---\nsubject: A\n---\nhi").expect("parses");
        assert_eq!(source.language, None);
        assert_eq!(source.meta.kind, Kind::Marketing);
        assert_eq!(source.meta.delivery, Delivery::AtMostOnce);
        assert!(source.meta.tracking.opens && source.meta.tracking.clicks);
    }

    #[test]
    fn all_problems_come_at_once_with_their_lines() {
        let problems = TemplateSource::parse(
            "Bad Name.xyz",
            "---\nsubject: a\nsubject: b\nkind: spam\ncolour: red\nnonsense\ntracking: all\n",
        )
        .expect_err("fails");
        let seen: Vec<(u32, &str)> = problems
            .iter()
            .map(|p| (p.line, p.message.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (0, "file ending is not mjml, html or txt"),
                (3, "`subject` was already given on line 2"),
                (4, "kind \"spam\" is unknown"),
                (5, "front matter key `colour` is unknown"),
                (6, "front matter line is not `key: value`"),
                (7, "tracking is not understood"),
                (1, "front matter is not closed"),
            ]
        );
        assert!(problems.iter().all(|p| !p.remedy.is_empty()));
    }

    #[test]
    fn a_file_without_front_matter_is_all_body() {
        let source = TemplateSource::parse("a.en.txt", "Hello").expect("parses");
        assert_eq!((source.body.as_str(), source.body_line), ("Hello", 1));
        assert_eq!(source.meta.subject, None);
    }

    #[test]
    fn hostile_names_and_sizes_are_refused() {
        for name in [
            "",
            ".mjml",
            "a",
            "a.b.c.mjml",
            "ä.txt",
            "a.123.txt",
            "../../x y.txt",
        ] {
            assert!(TemplateSource::parse(name, "x").is_err(), "{name}");
        }
        assert!(TemplateSource::parse("a.txt", &"x".repeat(SOURCE_BYTES_MAX + 1)).is_err());
    }
}
