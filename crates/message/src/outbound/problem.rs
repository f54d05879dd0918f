//! What can be wrong with a template, for its author and for the touchpoint it was rendered for.
//!
//! Problems of a template carry a file, a line and a remedy, and come all together. Problems of a
//! rendering never carry the recipient's data: they end in the ledger and in logs.

use std::fmt;

use thiserror::Error;

/// Whether a template with this problem may still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The template cannot be compiled.
    Error,
    /// It compiles, but does something its author probably did not mean.
    Warning,
}

/// One problem of a template, for its author.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateProblem {
    /// The file as it was named to [`super::TemplateSource::parse`].
    pub file: String,
    /// Line of that file, counted from 1; 0 when the whole file is meant.
    pub line: u32,
    pub severity: Severity,
    /// What is wrong, lower-case.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl TemplateProblem {
    pub(super) fn error(
        file: &str,
        line: u32,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line,
            severity: Severity::Error,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn warning(
        file: &str,
        line: u32,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(file, line, message, remedy)
        }
    }
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            severity,
            message,
            remedy,
        } = self;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{file}:{line}: {severity}: {message}; {remedy}")
    }
}

/// A part of a template that is rendered on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplatePart {
    Subject,
    FromName,
    Html,
    Text,
}

impl TemplatePart {
    pub(super) const ALL: [Self; 4] = [Self::Subject, Self::FromName, Self::Html, Self::Text];

    /// Name of the part inside the template engine; its ending chooses the escaping.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::FromName => "from_name",
            Self::Html => "body.html",
            Self::Text => "body.txt",
        }
    }
}

impl fmt::Display for TemplatePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "subject",
            Self::FromName => "from_name",
            Self::Html => "html body",
            Self::Text => "text body",
        })
    }
}

/// Why one rendering failed. It settles that touchpoint and concerns no other (rule R9).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RenderProblem {
    #[error("{part} failed at line {line}: {detail}; correct the template or the data it reads")]
    Failed {
        part: TemplatePart,
        /// Line of the template's file; 0 when unknown.
        line: u32,
        detail: String,
    },
    #[error("{part} took more than {limit} steps; shorten its loops")]
    OutOfFuel { part: TemplatePart, limit: u64 },
    #[error("{part} is longer than {limit} bytes; shorten the template or its lists")]
    TooLong { part: TemplatePart, limit: usize },
    #[error("subject is empty; give its variables a default")]
    SubjectEmpty,
    #[error("context must be an object with the roots `contact`, `subject`, ...")]
    ContextNotObject,
}
