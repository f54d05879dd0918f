//! The template engine in its cage: steps, bytes and items are limited, nothing outside is reachable.
//!
//! Built from an empty environment, so a filter exists because it is listed in [`super::filters`].
//! No template can read another, no function reads a file, a clock or chance.
//!
//! **Absent:** which statements are allowed, see [`super::jinja`].

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use super::filters;
use super::html;
use super::problem::{RenderProblem, TemplatePart};

/// Steps of one part of one rendering.
pub const FUEL_MAX: u64 = 100_000;
/// Bytes of a rendered HTML body. Gmail cuts a message off at 102 kB, so this is generous.
pub const HTML_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a rendered text body.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a rendered subject or sender name.
pub const LINE_BYTES_MAX: usize = 4 * 1024;
/// Items a filter or `range` may walk over.
pub const ITEMS_MAX: usize = 10_000;
/// Nesting of calls inside the engine.
const DEPTH_MAX: usize = 64;

const fn bytes_max(part: TemplatePart) -> usize {
    match part {
        TemplatePart::Subject | TemplatePart::FromName => LINE_BYTES_MAX,
        TemplatePart::Html => HTML_BYTES_MAX,
        TemplatePart::Text => TEXT_BYTES_MAX,
    }
}

/// An empty engine whose filters speak `language`.
pub(super) fn environment(language: &str) -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_fuel(Some(FUEL_MAX));
    env.set_recursion_limit(DEPTH_MAX);
    env.set_debug(false);
    // `contact.company.name` is empty, not an error, for a contact without a company.
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    if let Ok(syntax) = syntax {
        env.set_syntax(syntax);
    }
    env.set_auto_escape_callback(|name| {
        if name.ends_with(".html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    env.set_formatter(|out, state, value| {
        // A field that is null says as little as one that is missing; never print `none`.
        if value.is_none() {
            return Ok(());
        }
        if value.is_safe() || !matches!(state.auto_escape(), AutoEscape::Html) {
            return minijinja::escape_formatter(out, state, value);
        }
        // The engine's own escaping writes `&#x2f;` into every address.
        let written = match value.as_str() {
            Some(text) => out.write_str(&html::escape(text)),
            None => out.write_str(&html::escape(&value.to_string())),
        };
        Ok(written?)
    });
    filters::add(&mut env, language);
    env
}

/// Renders one part, if the template has it.
pub(super) fn render_part(
    env: &Environment<'static>,
    part: TemplatePart,
    context: &Value,
) -> Result<Option<String>, Failure> {
    let Ok(template) = env.get_template(part.name()) else {
        return Ok(None);
    };
    let limit = bytes_max(part);
    let mut out = Limited {
        bytes: Vec::new(),
        limit,
        over: false,
    };
    let outcome = template
        .render_captured_to(context.clone(), &mut out)
        .map(drop);
    match outcome {
        Ok(()) => match String::from_utf8(out.bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Failure::of(
                RenderProblem::Failed {
                    part,
                    line: 0,
                    detail: "output is not text".to_owned(),
                },
                None,
            )),
        },
        Err(_) if out.over => Err(Failure::of(RenderProblem::TooLong { part, limit }, None)),
        Err(error) => Err(Failure::from_engine(part, error)),
    }
}

/// Why a part could not be rendered; knows whether a missing variable was the reason.
#[derive(Debug)]
pub(super) struct Failure {
    pub problem: RenderProblem,
    pub undefined: bool,
}

impl Failure {
    fn of(problem: RenderProblem, kind: Option<ErrorKind>) -> Self {
        Self {
            problem,
            undefined: kind == Some(ErrorKind::UndefinedError),
        }
    }

    fn from_engine(part: TemplatePart, error: Error) -> Self {
        let kind = root_kind(&error);
        let problem = if kind == ErrorKind::OutOfFuel {
            RenderProblem::OutOfFuel {
                part,
                limit: FUEL_MAX,
            }
        } else {
            RenderProblem::Failed {
                part,
                line: line_of(&error),
                detail: describe(&error),
            }
        };
        Self::of(problem, Some(kind))
    }
}

/// What the engine says, without values: they may be the recipient's.
pub(super) fn describe(error: &Error) -> String {
    match error.kind() {
        // These quote names and syntax of the template only.
        ErrorKind::SyntaxError
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod
        | ErrorKind::TooManyArguments
        | ErrorKind::MissingArgument => match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        },
        kind => kind.to_string(),
    }
}

pub(super) fn line_of(error: &Error) -> u32 {
    error
        .line()
        .map_or(0, |line| u32::try_from(line).unwrap_or(u32::MAX))
}

fn root_kind(error: &Error) -> ErrorKind {
    let mut kind = error.kind();
    let mut source = std::error::Error::source(error);
    for _ in 0..8 {
        let Some(inner) = source.and_then(|s| s.downcast_ref::<Error>()) else {
            break;
        };
        kind = inner.kind();
        source = std::error::Error::source(inner);
    }
    kind
}

/// Refuses a value that a filter would walk for too long; see the engine's lazy `list * n`.
pub(super) fn bounded(value: &Value) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return within(text.len(), HTML_BYTES_MAX);
    }
    if value.as_object().is_some() {
        return within(value.len().unwrap_or(usize::MAX), ITEMS_MAX);
    }
    Ok(())
}

pub(super) fn within(size: usize, limit: usize) -> Result<(), Error> {
    if size > limit {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "value is too long for a template",
        ));
    }
    Ok(())
}

/// Collects output up to a limit. Growing past it is an error of the writer, so the engine stops.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    over: bool,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            self.over = true;
            return Err(io::Error::other("output limit"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn render(source: &str, context: Value) -> Result<Option<String>, RenderProblem> {
        let mut env = environment("en");
        env.add_template_owned(TemplatePart::Text.name(), source.to_owned())
            .expect("compiles");
        render_part(&env, TemplatePart::Text, &context).map_err(|f| f.problem)
    }

    #[test]
    fn loops_end() {
        let nested = "{% for a in range(1000) %}".repeat(3) + "x" + &"{% endfor %}".repeat(3);
        assert_eq!(
            render(&nested, context! {}),
            Err(RenderProblem::OutOfFuel {
                part: TemplatePart::Text,
                limit: FUEL_MAX
            })
        );
    }

    #[test]
    fn output_ends() {
        let long = "{% for a in range(5000) %}".to_owned() + &"x".repeat(100) + "{% endfor %}";
        let too_long = Err(RenderProblem::TooLong {
            part: TemplatePart::Text,
            limit: TEXT_BYTES_MAX,
        });
        assert_eq!(render(&long, context! {}), too_long);
        assert_eq!(render("{{ 'x' * 90000000 }}", context! {}), too_long);
    }

    #[test]
    fn lazy_lists_cannot_run_away() {
        for source in [
            "{{ (range(1000) * 100000) | list | length }}",
            "{{ (range(1000) * 100000) | join('aaaa') }}",
            "{{ range(1000000) | length }}",
            "{{ (range(1000) * 100000) | sum }}",
            "{{ (range(1000) * 100000) | sort | first }}",
        ] {
            assert!(render(source, context! {}).is_err(), "{source}");
        }
    }

    #[test]
    fn null_and_missing_are_empty() {
        let context = context! { a => Value::from(()), c => context! {} };
        assert_eq!(
            render("[{{ a }}{{ b }}{{ c.d }}{{ e.f.g }}]", context),
            Ok(Some("[]".to_owned()))
        );
    }

    #[test]
    fn nothing_outside_is_reachable() {
        let mut env = environment("en");
        for source in ["{{ namespace() }}", "{{ debug() }}", "{{ dict(a=1) }}"] {
            env.add_template_owned(TemplatePart::Text.name(), source.to_owned())
                .expect("compiles");
            assert!(render_part(&env, TemplatePart::Text, &context! {}).is_err());
        }
    }
}
