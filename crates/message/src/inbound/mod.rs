//! What a received message means: a reply, an auto-reply, a bounce, a complaint, or none of these.
//!
//! [`classify`] looks first at what machines declare (RFC 3464, 5965, 8098, 3834), then at how
//! mail systems and people phrase the rest, by rules kept as data ([`InboundRules`]). It is pure
//! and linear in the message; every list it returns has a limit.
//!
//! A person's reply comes with what is new in it, what it quotes, and what it wants ([`Intent`], a suggestion).
//!
//! **Absent:** offers and invoices (see [`crate::document`]; the caller combines the two answers),
//! the search for the contact, document or thread concerned, and every decision that follows.

mod auto_reply;
mod bounce;
mod complaint;
mod dates;
mod delivery_status;
mod intent;
mod notice;
mod number;
mod phrases;
mod reply;
mod rules;
mod said_date;
mod ses;
pub mod smtp_reply;

use serde::Serialize;

use crate::mail::Mail;

pub use auto_reply::{AutoReply, AutoReplyReason};
pub use bounce::{Action, Bounce, BouncedRecipient};
pub use complaint::Complaint;
pub use intent::{Intent, Percent};
pub use number::{NamedNumber, numbers};
pub use reply::{QUOTED_CHARS_MAX, Reply};
pub use rules::{InboundRules, RulesProblem};
pub use smtp_reply::{BounceClass, BounceReason, SmtpVerdict};

/// Most recipients reported of one bounce or complaint.
pub const RECIPIENTS_MAX: usize = 200;
/// Most bytes of a body in which phrases are looked for.
pub const PHRASE_BYTES_MAX: usize = 16 * 1024;

/// What the message is. `kind` names it in JSON; the details lie beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Classified {
    /// A person wrote: within a known thread or not, the caller decides.
    Reply(Reply),
    AutoReply(AutoReply),
    Bounce(Bounce),
    Complaint(Complaint),
    /// Newsletters, notifications, read receipts, reports of success.
    Other,
}

impl Classified {
    /// The kind's name in JSON and in counters.
    pub fn kind(&self) -> &'static str {
        match self {
            Classified::Reply(_) => "reply",
            Classified::AutoReply(_) => "auto_reply",
            Classified::Bounce(_) => "bounce",
            Classified::Complaint(_) => "complaint",
            Classified::Other => "other",
        }
    }

    /// `{"kind", ...details}`, ready for a program to read.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Classifies one message.
pub fn classify(mail: &Mail, rules: &InboundRules) -> Classified {
    if let Some(complaint) = complaint::find(mail) {
        return Classified::Complaint(complaint);
    }
    match bounce::find(mail, rules) {
        bounce::Found::Bounce(bounce) => return Classified::Bounce(bounce),
        bounce::Found::Harmless => return Classified::Other,
        bounce::Found::No => {}
    }
    if let Some(found) = ses::find(mail, rules) {
        return found;
    }
    match auto_reply::find(mail, rules) {
        auto_reply::Found::AutoReply(auto_reply) => return Classified::AutoReply(auto_reply),
        auto_reply::Found::Machine => return Classified::Other,
        auto_reply::Found::No => {}
    }
    Classified::Reply(reply::read(mail, rules))
}

/// The first [`PHRASE_BYTES_MAX`] bytes of a text, whole characters.
pub(crate) fn head(text: &str) -> &str {
    head_of(text, PHRASE_BYTES_MAX)
}

pub(crate) fn head_of(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
