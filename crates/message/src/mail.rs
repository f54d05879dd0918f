//! A received message: bytes in, a typed [`Mail`] out, whatever the bytes are.
//!
//! The caller may rely on: no panic, work linear in the input, no recursion deeper than
//! [`MULTIPART_DEPTH_MAX`] plus [`NESTED_DEPTH_MAX`], every text valid UTF-8, every address and
//! Message-ID normalised the same way. Broken charsets, encodings and boundaries are read as well
//! as can be; only input beyond a named limit is refused, with a [`MailProblem`] to count.
//!
//! **Absent:** any judgement of what the message means (see [`crate::inbound`] and
//! [`crate::document`]), DKIM, decryption, TNEF, uuencode.

mod charset;
mod header;
pub mod html;
mod language;
mod mime;

use jiff::{Timestamp, civil};
use serde::Serialize;

pub use header::{Headers, decode_words};
pub use language::language;

/// Largest message read, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 50 * 1024 * 1024;
/// Largest header block of a message or part, in bytes.
pub const HEADER_BYTES_MAX: usize = 512 * 1024;
/// Most header fields of a message or part; later ones are not kept.
pub const HEADER_FIELDS_MAX: usize = 2_000;
/// Most parts of a message, those of nested messages included.
pub const PARTS_MAX: usize = 1_000;
/// Deepest multipart within multipart.
pub const MULTIPART_DEPTH_MAX: usize = 24;
/// Deepest message within message that is still parsed; deeper ones stay attachments.
pub const NESTED_DEPTH_MAX: usize = 4;
/// Longest text body kept, in bytes; the rest is cut.
pub const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most addresses kept of one header field.
pub const ADDRESSES_MAX: usize = 1_000;
/// Most Message-IDs kept of `References`, the newest ones.
pub const REFERENCES_MAX: usize = 200;

/// Why bytes were refused. Each case is a counted reason; none says anything of the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailProblem {
    #[error("message is {bytes} bytes, the limit is {max}; ask the sender for a smaller one")]
    TooLarge { bytes: usize, max: usize },
    #[error("header block exceeds {max} bytes; the message is not real mail")]
    HeaderTooLarge { max: usize },
    #[error("message has more than {max} parts; the message is not real mail")]
    TooManyParts { max: usize },
    #[error("multiparts are nested deeper than {max}; the message is not real mail")]
    NestedTooDeep { max: usize },
    #[error("no header field found; pass a whole RFC 5322 message")]
    NotMail,
}

impl MailProblem {
    /// The public reason code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            MailProblem::TooLarge { .. } => "mail_too_large",
            MailProblem::HeaderTooLarge { .. } => "mail_header_too_large",
            MailProblem::TooManyParts { .. } => "mail_too_many_parts",
            MailProblem::NestedTooDeep { .. } => "mail_nested_too_deep",
            MailProblem::NotMail => "mail_not_mail",
        }
    }
}

/// An address as the header named it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Address {
    /// Display name, decoded; empty when there was none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `local@domain`, the domain in lower case, the local part as written.
    pub email: String,
}

impl Address {
    /// The part after the last `@`; empty when there is none.
    pub fn domain(&self) -> &str {
        self.email.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the last `@`.
    pub fn local(&self) -> &str {
        self.email
            .rsplit_once('@')
            .map_or(self.email.as_str(), |(local, _)| local)
    }
}

/// Mailing-list headers (RFC 2369, 2919, 8058) and `Precedence`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListHeaders {
    pub id: Option<String>,
    pub unsubscribe: Vec<String>,
    pub one_click: bool,
    /// `Precedence`, lower-cased: `bulk`, `list`, `junk`, `auto_reply`.
    pub precedence: Option<String>,
}

impl ListHeaders {
    /// Whether the message came through a list or a bulk sender.
    pub fn is_list(&self) -> bool {
        self.id.is_some() || !self.unsubscribe.is_empty()
    }
}

/// Where [`Mail::text`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextSource {
    Plain,
    /// Made from the HTML body; quoted lines start with `> `.
    Html,
    /// The message has no readable body.
    #[default]
    None,
}

/// A part that is neither body nor nested message nor report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// File name, decoded; may be absent.
    pub name: Option<String>,
    /// `type/subtype` in lower case.
    pub content_type: String,
    /// `Content-ID` without brackets, of inline parts.
    pub content_id: Option<String>,
    /// Shown in the body (`Content-Disposition: inline` or a part of `multipart/related`).
    pub inline: bool,
    /// Transfer encoding removed.
    pub bytes: Vec<u8>,
}

/// A machine-readable report part: `message/delivery-status` and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// RFC 3464 `message/delivery-status`.
    DeliveryStatus,
    /// RFC 5965 `message/feedback-report`.
    Feedback,
    /// RFC 8098 `message/disposition-notification`.
    Disposition,
}

/// The text of a report part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPart {
    pub kind: ReportKind,
    pub text: String,
}

/// A message within the message: whole (`message/rfc822`) or its headers only.
#[derive(Debug, Clone)]
pub struct Nested {
    pub headers_only: bool,
    pub mail: Box<Mail>,
}

/// A received message. Texts are decoded; bytes of attachments are owned.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// Without angle brackets, in the order written.
    pub in_reply_to: Vec<String>,
    /// Without angle brackets, oldest first; the newest [`REFERENCES_MAX`].
    pub references: Vec<String>,
    pub from: Vec<Address>,
    pub sender: Option<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub reply_to: Vec<Address>,
    /// `None` when absent; `Some("")` for the null path `<>` of bounces.
    pub return_path: Option<String>,
    pub subject: String,
    /// `Date`, as an instant.
    pub date: Option<Timestamp>,
    /// `Date`, as the sender's clock showed it.
    pub date_local: Option<civil::DateTime>,
    /// When the last relay took it, by the topmost `Received`.
    pub received: Option<Timestamp>,
    pub list: ListHeaders,
    /// The readable body; [`Mail::text_source`] says where it comes from.
    pub text: String,
    pub text_source: TextSource,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    pub reports: Vec<ReportPart>,
    pub nested: Vec<Nested>,
    /// `type/subtype` of the message, lower-cased; `text/plain` when absent.
    pub content_type: String,
    /// `report-type` of a `multipart/report`, lower-cased.
    pub report_type: Option<String>,
    /// Every header field, unfolded, in order.
    pub headers: Headers,
}

impl Mail {
    /// Reads a message. See the module's promise; errors are limits and "no header at all".
    pub fn parse(bytes: &[u8]) -> Result<Mail, MailProblem> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(MailProblem::TooLarge {
                bytes: bytes.len(),
                max: MESSAGE_BYTES_MAX,
            });
        }
        let mut budget = mime::Budget::default();
        let mail = mime::message(bytes, 0, &mut budget)?;
        if mail.headers.is_empty() {
            return Err(MailProblem::NotMail);
        }
        Ok(mail)
    }

    /// First field of that name (any case): unfolded, encoded words left as they are.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// First field of that name with encoded words decoded.
    pub fn header_decoded(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(decode_words)
    }

    /// The author's address, when there is one.
    pub fn author(&self) -> Option<&Address> {
        self.from.first().or(self.sender.as_ref())
    }

    /// Message-IDs this one answers: `In-Reply-To`, then `References` from the newest, each once.
    pub fn answers(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = Vec::new();
        let all = self.in_reply_to.iter().chain(self.references.iter().rev());
        for id in all {
            if ids.len() < REFERENCES_MAX && !ids.contains(&id.as_str()) {
                ids.push(id);
            }
        }
        ids
    }

    /// The instant to reckon from: `Date`, else the last relay's.
    pub fn instant(&self) -> Option<Timestamp> {
        self.date.or(self.received)
    }
}

#[cfg(test)]
mod tests;
