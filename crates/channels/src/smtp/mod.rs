//! SMTP submission: one message, one envelope, one attempt, and the truth about how it ended.
//!
//! [`SmtpSender`] keeps a pool of connections per [`SmtpRoute`], with the route's own limits and breaker, so
//! that a slow provider delays nobody else. [`SmtpSender::send`] always returns a [`SendOutcome`]; there is
//! no error beside it. The one distinction that everything here serves: was the final dot possibly read by
//! the server? Before it, nothing was handed over and another attempt is safe ([`SendOutcome::Unreachable`]);
//! after it, without the server's word, the outcome is [`SendOutcome::Unknown`] and is never resent here.
//!
//! A connection that the server closed while it lay idle costs no message: the transaction starts again,
//! once, on a fresh connection, as long as no byte of the body was sent.
//!
//! **Absent:** retry policy (see `relance-core`; [`backoff::retry_delay`] is the arithmetic only), MX look-up
//! and delivery to strangers' servers (a route is a submission or relay host), DSN requests, `CHUNKING`,
//! opportunistic TLS (a route either has TLS or says that it has none), and the refresh of OAuth tokens.

mod auth;
pub mod backoff;
mod body;
mod breaker;
mod check;
mod connection;
mod ehlo;
mod envelope;
mod outcome;
mod pool;
mod rate;
mod reply;
mod route;
mod sender;
mod stream;
mod tls;
mod transaction;

pub use crate::secret::Secret;
pub use body::normalise;
pub use breaker::BreakerCause;
pub use check::{CheckFailure, check};
pub use envelope::{ADDRESS_BYTES_MAX, Envelope, EnvelopeProblem, RECIPIENTS_MAX};
pub use outcome::{
    LinkCause, LinkFailure, NotTriedReason, Origin, Permanence, RecipientRefusal, Refusal,
    SendOutcome, Stage,
};
pub use pool::RouteStats;
pub use reply::{REPLY_BYTES_MAX, REPLY_LINE_BYTES_MAX, REPLY_TEXT_CHARS_MAX};
pub use route::{Auth, RouteId, RouteLimits, RouteProblem, SmtpRoute, Tls, Trust};
pub use sender::SmtpSender;
pub use transaction::{BeforeBody, MESSAGE_BYTES_MAX};
