//! Everything that leaves as mail: templates, their rendering, tracking, threading, and the bytes.
//!
//! The way of one message: a [`TemplateSource`] is parsed and compiled once into a [`Template`];
//! [`Template::render`] makes a [`Rendered`] per recipient; [`instrument`] puts tracked links into
//! its HTML; [`OutgoingMail::build`] makes RFC 5322 bytes that any mail program reads. The same
//! arguments give the same bytes, so a message whose fate is unknown can be made again and compared.
//!
//! **Absent:** consent, frequency, and the choice of who gets what (`relance-core`); signing and
//! sending (`relance-channels`); files, clocks and chance. Templates cannot read files or call out.

mod check;
mod engine;
mod filters;
mod html;
mod jinja;
mod letter;
mod line;
mod mail;
mod mjml;
mod money;
mod problem;
mod set;
mod source;
mod template;
mod text;
mod thread;
mod tracking;
mod when;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;

pub use check::{CLIPPED_BYTES, Finding, Looked, check};
pub use engine::{FUEL_MAX, HTML_BYTES_MAX, ITEMS_MAX, LINE_BYTES_MAX, TEXT_BYTES_MAX};
pub use letter::{Footer, LETTER_BYTES_MAX, title_and_body};
pub use line::{LINE_CHARS_MAX, render_line, render_text};
pub use mail::{
    ATTACHMENTS_MAX, Attachment, AutoSubmitted, BuildProblem, EMAIL_BYTES_MAX, HEADER_BYTES_MAX,
    HEADERS_MAX, ListUnsubscribe, MAIL_BYTES_MAX, OutgoingMail, RECIPIENTS_MAX, is_address,
};
pub use mjml::MJML_DEPTH_MAX;
pub use problem::{RenderProblem, Severity, TemplatePart, TemplateProblem};
pub use set::TemplateSet;
pub use source::{
    Delivery, Kind, SOURCE_BYTES_MAX, SourceFormat, TemplateMeta, TemplateSource, Tracking,
};
pub use template::{ROOTS, Rendered, SUBJECT_CHARS_MAX, Template};
pub use text::text_from_html;
pub use thread::{
    QUOTE_BYTES_MAX, REFERENCES_MAX, message_id, quote_html, quote_text, references_for_reply,
    reply_subject, touchpoint_of,
};
pub use tracking::{LinkRef, instrument, instrument_keeping};
