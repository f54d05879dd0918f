//! An SMTP answer to a reason and a class: for live sessions and for bounces alike.
//!
//! The text is judged first, by the ordered patterns of `bounces.toml`, since many servers answer
//! `550 5.7.1` whatever the cause; the enhanced code (RFC 3463) decides when the words say nothing.

use std::fmt;

use serde::Serialize;

use super::{InboundRules, head_of};

/// Longest text judged, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// What the refusal means for the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceClass {
    /// The address cannot receive: suppress it.
    Hard,
    /// It could not now; another message may arrive.
    Soft,
    /// The sender, its server or the content was refused, not the address.
    Block,
    /// Still being tried; nothing has failed yet.
    Delay,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $name:literal $class:ident;)+) => {
        /// Why a message was not taken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum BounceReason {
            $($(#[$doc])* $variant,)+
        }

        impl BounceReason {
            /// The public name, as in rules and JSON.
            pub fn name(self) -> &'static str {
                match self { $(BounceReason::$variant => $name,)+ }
            }

            pub fn from_name(name: &str) -> Option<BounceReason> {
                match name { $($name => Some(BounceReason::$variant),)+ _ => None }
            }

            /// The class of a final refusal for this reason.
            pub fn class(self) -> BounceClass {
                match self { $(BounceReason::$variant => BounceClass::$class,)+ }
            }
        }
    };
}

reasons! {
    /// No such mailbox.
    UserUnknown "user_unknown" Hard;
    /// No such domain, or it has no mail server.
    HostUnknown "host_unknown" Hard;
    /// Not an address at all.
    InvalidAddress "invalid_address" Hard;
    /// The mailbox has moved elsewhere.
    Moved "moved" Hard;
    /// The host takes no mail (null MX, RFC 7505; 521, RFC 7504).
    NotAccepting "not_accepting" Hard;
    MailboxFull "mailbox_full" Soft;
    MailboxDisabled "mailbox_disabled" Soft;
    MessageTooLarge "message_too_large" Soft;
    /// Refused by a filter of the recipient's own.
    Filtered "filtered" Soft;
    Greylisting "greylisting" Soft;
    RateLimited "rate_limited" Soft;
    ServerError "server_error" Soft;
    SystemFull "system_full" Soft;
    /// Connection, DNS or routing trouble.
    NetworkError "network_error" Soft;
    /// Given up after the retry time.
    Expired "expired" Soft;
    /// The program behind the mailbox failed.
    MailerError "mailer_error" Soft;
    ContentError "content_error" Soft;
    ProtocolError "protocol_error" Soft;
    SpamBlocked "spam_blocked" Block;
    VirusDetected "virus_detected" Block;
    PolicyBlocked "policy_blocked" Block;
    IpBlacklisted "ip_blacklisted" Block;
    DomainBlacklisted "domain_blacklisted" Block;
    /// SPF, DKIM or DMARC did not pass, or a login was wanted.
    AuthFailure "auth_failure" Block;
    /// No or wrong reverse DNS of the sending server.
    NoReverseDns "no_reverse_dns" Block;
    SenderRejected "sender_rejected" Block;
    RelayDenied "relay_denied" Block;
    TlsRequired "tls_required" Block;
    Unknown "unknown" Soft;
}

/// An enhanced status code, RFC 3463.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status {
    pub class: u8,
    pub subject: u16,
    pub detail: u16,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Status {
    pub const fn new(class: u8, subject: u16, detail: u16) -> Status {
        Status {
            class,
            subject,
            detail,
        }
    }

    /// Whether it says more than "something of this class".
    pub fn is_specific(self) -> bool {
        self.subject != 0 || self.detail != 0
    }

    /// The first `c.s.d` with class 2, 4 or 5 that stands alone in `text`.
    pub fn find(text: &str) -> Option<Status> {
        Status::find_all(text).next()
    }

    /// All of them, in order.
    pub fn find_all(text: &str) -> impl Iterator<Item = Status> + '_ {
        let bytes = text.as_bytes();
        (0..bytes.len()).filter_map(move |at| Status::at(bytes, at))
    }

    fn at(bytes: &[u8], at: usize) -> Option<Status> {
        let class = match bytes[at] {
            b'2' => 2,
            b'4' => 4,
            b'5' => 5,
            _ => return None,
        };
        let before = at.checked_sub(1).map(|at| bytes[at]);
        if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/') {
            return None;
        }
        if bytes.get(at + 1) != Some(&b'.') {
            return None;
        }
        let (subject, next) = number(bytes, at + 2)?;
        if bytes.get(next) != Some(&b'.') {
            return None;
        }
        let (detail, end) = number(bytes, next + 1)?;
        let alone = match bytes.get(end) {
            None => true,
            // An IP address or a version goes on with another number.
            Some(b'.') => !bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
            Some(byte) => !byte.is_ascii_alphanumeric(),
        };
        (alone && subject <= 999).then_some(Status {
            class,
            subject,
            detail,
        })
    }
}

fn number(bytes: &[u8], at: usize) -> Option<(u16, usize)> {
    let digits = bytes[at.min(bytes.len())..]
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let text = std::str::from_utf8(&bytes[at..at + digits]).ok()?;
    Some((text.parse().ok()?, at + digits))
}

/// The judgement of an SMTP answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SmtpVerdict {
    pub reason: BounceReason,
    /// For a live answer: a 4xx is never `hard`.
    pub class: BounceClass,
    /// Found in the text, else derived from the code and the reason.
    pub status: Status,
}

/// Judges an answer. `code` is the reply code when the caller has it apart from the text;
/// otherwise the first one in the text counts.
pub fn classify(rules: &InboundRules, code: Option<u16>, text: &str) -> SmtpVerdict {
    let text = head_of(text, TEXT_BYTES_MAX);
    let code = code.or_else(|| reply_code(text));
    let found = best_status(text);
    let reason = reason(rules, code, found, text);
    let temporary = match (code, found) {
        (Some(code), _) => code / 100 == 4,
        (None, Some(status)) => status.class == 4,
        (None, None) => false,
    };
    let class = match (reason.class(), temporary) {
        (BounceClass::Hard, true) => BounceClass::Soft,
        (class, _) => class,
    };
    SmtpVerdict {
        reason,
        class,
        status: found.unwrap_or_else(|| derive(reason, temporary)),
    }
}

/// The first specific status, else the first at all.
pub(super) fn best_status(text: &str) -> Option<Status> {
    let mut all = Status::find_all(text).filter(|status| status.class != 2);
    let first = all.next()?;
    if first.is_specific() {
        return Some(first);
    }
    all.find(|status| status.is_specific() && status.class == first.class)
        .or(Some(first))
}

/// A reply code: three digits that start the text or stand alone in it.
pub(super) fn reply_code(text: &str) -> Option<u16> {
    let bytes = text.as_bytes();
    for at in 0..bytes.len().saturating_sub(2) {
        let starts = at == 0
            || !(bytes[at - 1].is_ascii_alphanumeric()
                || matches!(bytes[at - 1], b'.' | b'-' | b'@' | b'_'));
        let first = matches!(bytes[at], b'4' | b'5');
        if !(starts && first && bytes[at + 1].is_ascii_digit() && bytes[at + 2].is_ascii_digit()) {
            continue;
        }
        let ends = match bytes.get(at + 3) {
            None => true,
            Some(b' ' | b'-' | b'\n' | b'\r' | b':' | b'#' | b',' | b')' | b'\t') => true,
            Some(_) => false,
        };
        // 4xx and 5xx beyond these are times, sizes and ports.
        let code = std::str::from_utf8(&bytes[at..at + 3])
            .ok()
            .and_then(|text| text.parse::<u16>().ok())?;
        if ends && (400..600).contains(&code) && code % 100 < 80 {
            return Some(code);
        }
    }
    None
}

pub(super) fn reason(
    rules: &InboundRules,
    code: Option<u16>,
    status: Option<Status>,
    text: &str,
) -> BounceReason {
    let rules = &rules.bounce;
    if !text.is_empty()
        && let Some(first) = rules.reasons.first(&text.to_lowercase())
    {
        return rules.reason_of[first];
    }
    if let Some(status) = status.filter(|status| status.is_specific()) {
        let exact = status.to_string();
        let tail = format!("x.{}.{}", status.subject, status.detail);
        let wide = format!("x.{}.x", status.subject);
        for key in [exact, tail, wide] {
            if let Some(reason) = rules.status.get(&key) {
                return *reason;
            }
        }
    }
    match code {
        Some(421 | 450 | 451) => BounceReason::ServerError,
        Some(452) => BounceReason::SystemFull,
        Some(551) => BounceReason::Moved,
        Some(552) => BounceReason::MailboxFull,
        Some(500..=504) => BounceReason::ProtocolError,
        Some(530 | 535) => BounceReason::AuthFailure,
        _ => BounceReason::Unknown,
    }
}

/// A status that fits the reason, when the other side gave none.
pub(super) fn derive(reason: BounceReason, temporary: bool) -> Status {
    let (subject, detail) = match reason {
        BounceReason::UserUnknown => (1, 1),
        BounceReason::HostUnknown => (1, 2),
        BounceReason::InvalidAddress => (1, 3),
        BounceReason::Moved => (1, 6),
        BounceReason::SenderRejected => (1, 8),
        BounceReason::MailboxDisabled => (2, 1),
        BounceReason::MailboxFull => (2, 2),
        BounceReason::NotAccepting => (3, 2),
        BounceReason::MessageTooLarge => (3, 4),
        BounceReason::SystemFull => (3, 1),
        BounceReason::MailerError | BounceReason::ServerError => (3, 0),
        BounceReason::NetworkError => (4, 0),
        BounceReason::Expired => (4, 7),
        BounceReason::ProtocolError => (5, 0),
        BounceReason::ContentError => (6, 0),
        BounceReason::NoReverseDns => (7, 25),
        BounceReason::Greylisting
        | BounceReason::RateLimited
        | BounceReason::SpamBlocked
        | BounceReason::VirusDetected
        | BounceReason::PolicyBlocked
        | BounceReason::IpBlacklisted
        | BounceReason::DomainBlacklisted
        | BounceReason::AuthFailure
        | BounceReason::RelayDenied
        | BounceReason::TlsRequired => (7, 0),
        BounceReason::Filtered | BounceReason::Unknown => (0, 0),
    };
    Status::new(if temporary { 4 } else { 5 }, subject, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_codes_are_told_from_addresses_and_versions() {
        assert_eq!(
            Status::find("550 5.1.1 unknown"),
            Some(Status::new(5, 1, 1))
        );
        assert_eq!(Status::find("(#5.7.606)"), Some(Status::new(5, 7, 606)));
        assert_eq!(Status::find("said 5.2.2."), Some(Status::new(5, 2, 2)));
        assert_eq!(Status::find("from 5.1.1.9"), None);
        assert_eq!(Status::find("Postfix 2.5.1x or /5.1.1"), None);
        assert_eq!(best_status("5.0.0 then 5.1.2"), Some(Status::new(5, 1, 2)));
    }

    #[test]
    fn reply_codes_are_told_from_other_numbers() {
        assert_eq!(reply_code("said: 550 no"), Some(550));
        assert_eq!(reply_code("550-5.1.1 x"), Some(550));
        assert_eq!(reply_code("at 4500 m, 192.0.2.550"), None);
        assert_eq!(reply_code("x"), None);
    }
}
