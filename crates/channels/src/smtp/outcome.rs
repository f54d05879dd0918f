//! How an attempt ended, in words that the engine can settle a touchpoint with.

use std::time::Duration;

use super::breaker::BreakerCause;

/// How one attempt ended. Exactly one of these is true of every call to
/// [`SmtpSender::send`](super::SmtpSender::send).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an attempt must be settled with its outcome"]
pub enum SendOutcome {
    /// The server took responsibility for the message, for every recipient but the `refused` ones.
    Accepted {
        /// The server's last reply, code and text, truncated.
        response: String,
        /// The server's own name for the message, where its reply gives one in a known form.
        queue_id: Option<String>,
        refused: Vec<RecipientRefusal>,
    },
    /// Somebody said no, and nobody received the message.
    Refused(Refusal),
    /// The link failed before the message was handed over. Another attempt cannot duplicate it.
    Unreachable(LinkFailure),
    /// The link failed when the final dot had been, or may have been, sent. The message may have been
    /// delivered: never resend it blindly.
    Unknown(LinkFailure),
    /// Nothing was tried on the wire, so this is not an attempt and uses up no retry.
    NotTried {
        reason: NotTriedReason,
        retry_after: Duration,
    },
}

/// A refusal of the whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub permanence: Permanence,
    /// SMTP reply code (RFC 5321 section 4.2); for a local refusal the code a server would have used.
    pub code: u16,
    /// Enhanced status code (RFC 3463).
    pub enhanced: Option<(u8, u8, u8)>,
    pub stage: Stage,
    pub origin: Origin,
    /// The reply's text, control characters removed, truncated. It often repeats the address: never log it.
    pub text: String,
}

/// One recipient refused while others were accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientRefusal {
    /// Position in [`Envelope::to`](super::Envelope::to).
    pub recipient: usize,
    pub refusal: Refusal,
}

/// 5xx or 4xx. What that means for the contact depends on the stage as well, and is decided elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permanence {
    Hard,
    Soft,
}

/// Where in the dialogue it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Connect,
    Helo,
    Auth,
    Mail,
    Rcpt,
    Data,
    Body,
}

impl Stage {
    /// True when a refusal here is about the route (its address, certificate, credentials), not about this
    /// message or its recipient: even a hard one is no bounce.
    pub fn concerns_route(self) -> bool {
        match self {
            Stage::Connect | Stage::Helo | Stage::Auth => true,
            Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Body => false,
        }
    }
}

/// Who refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    Server,
    /// We did, because the server had said that it cannot take such a message (size, character set,
    /// authentication mechanism).
    Local,
}

/// The link, not the server's word, ended the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFailure {
    pub cause: LinkCause,
    /// The command that was being answered.
    pub stage: Stage,
    /// For the operator: what the system or the TLS library said.
    pub detail: String,
}

impl LinkFailure {
    pub(crate) fn new(cause: LinkCause, stage: Stage, detail: impl Into<String>) -> Self {
        Self {
            cause,
            stage,
            detail: detail.into(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkCause {
    /// The host's name has no address.
    Dns,
    Connect,
    /// The TLS handshake failed; most often the certificate is not trusted for this name.
    Tls,
    /// The route requires STARTTLS and the server does not offer it (or somebody removed the offer).
    StartTlsNotOffered,
    Timeout,
    Closed,
    /// The server broke the protocol: malformed, endless or impossible replies.
    Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotTriedReason {
    /// No such route is configured.
    RouteUnknown,
    /// The route failed repeatedly and is resting.
    BreakerOpen(BreakerCause),
    /// The route's own rate is used up for longer than an attempt may wait.
    RateLimited,
    /// Every connection of the route is busy and too many attempts are waiting, or this one waited too long.
    Busy,
}

impl Refusal {
    /// A refusal made here, in the words of the reply that a server would have given.
    pub(crate) fn local(
        code: u16,
        enhanced: (u8, u8, u8),
        stage: Stage,
        text: impl Into<String>,
    ) -> Self {
        Self {
            permanence: Permanence::of(code),
            code,
            enhanced: Some(enhanced),
            stage,
            origin: Origin::Local,
            text: text.into(),
        }
    }
}

impl Permanence {
    pub(crate) fn of(code: u16) -> Self {
        if code >= 500 {
            Permanence::Hard
        } else {
            Permanence::Soft
        }
    }
}

/// What ends a dialogue early, inside this module.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    /// Nothing was handed over.
    Unreached(LinkFailure),
    /// The final dot may have been read.
    Lost(LinkFailure),
}

impl From<LinkFailure> for Failure {
    /// Everything but the reply to the final dot fails before the message is handed over.
    fn from(failure: LinkFailure) -> Self {
        Failure::Unreached(failure)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<Failure> for SendOutcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => SendOutcome::Refused(refusal),
            Failure::Unreached(link) => SendOutcome::Unreachable(link),
            Failure::Lost(link) => SendOutcome::Unknown(link),
        }
    }
}
