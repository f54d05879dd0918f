//! What can go wrong with a mailbox, in the terms of who must act.

use std::io;
use std::time::Duration;

use super::diagnose::diagnose;

/// Characters of a server's text that are kept.
const SERVER_TEXT_MAX: usize = 300;

/// Who must act when a mailbox cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The owner: the login was refused. Repeating it quickly may lock the account.
    Auth,
    /// Nobody yet: network or server are away, and tried again.
    Unreachable,
    /// The operator: the server said something that cannot be understood or is not allowed.
    Protocol,
}

#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    #[error("mailbox server {host}:{port} cannot be reached; check `host`, `port` and the network")]
    Connect {
        host: String,
        port: u16,
        #[source]
        source: io::Error,
    },
    #[error(
        "encryption with mailbox server {host} failed; check `host`, `tls` and the certificate"
    )]
    Handshake {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error(
        "`host` {host} is not a name that a certificate can prove; give a host name or address"
    )]
    HostName { host: String },
    #[error("an extra root certificate is not usable; check `trust`")]
    Trust {
        #[source]
        source: rustls::Error,
    },
    #[error("mailbox server does not offer STARTTLS; set `tls` to implicit, or use another port")]
    NoStartTls,
    #[error("login refused by the mailbox server; check `user` and password or token: {text}")]
    Auth { text: String },
    #[error("mailbox server is busy or closed the connection: {text}")]
    Closed { text: String },
    #[error("mailbox connection broke during {during}")]
    Broken {
        during: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("mailbox server did not answer {during} within {after:?}")]
    Silent {
        during: &'static str,
        after: Duration,
    },
    #[error("mailbox server refused {command}: {text}")]
    Refused { command: &'static str, text: String },
    #[error("answer of the mailbox server to {during} cannot be understood: {text}")]
    Unreadable { during: &'static str, text: String },
    #[error("{what} holds a character that IMAP cannot carry; remove it")]
    Input { what: &'static str },
}

impl ImapError {
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Auth { .. } => FailureKind::Auth,
            // What TLS finds wrong (a certificate, a version) is `InvalidData`; the rest is the network.
            Self::Handshake { source, .. } if source.kind() != io::ErrorKind::InvalidData => {
                FailureKind::Unreachable
            }
            Self::Connect { .. }
            | Self::Closed { .. }
            | Self::Broken { .. }
            | Self::Silent { .. } => FailureKind::Unreachable,
            // No message is at fault when a server has enough of us.
            Self::Refused { .. } | Self::Unreadable { .. } if self.is_throttling() => {
                FailureKind::Unreachable
            }
            Self::Handshake { .. }
            | Self::HostName { .. }
            | Self::Trust { .. }
            | Self::NoStartTls
            | Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::Input { .. } => FailureKind::Protocol,
        }
    }

    /// What went wrong, as a code that people are helped by.
    pub fn code(&self) -> &'static str {
        diagnose(self)
    }

    /// Whether the server asks for patience: trying soon makes it worse.
    pub fn is_throttling(&self) -> bool {
        matches!(self.code(), "throttled" | "too_many_connections")
    }

    /// The message with its sources, for a person.
    pub fn explain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(inner) = source {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            source = inner.source();
        }
        server_text(&text)
    }

    /// Sorts an error of reading: broken connections are one thing, unreadable answers another.
    pub(super) fn from_read(during: &'static str, source: io::Error) -> Self {
        match source.kind() {
            // The parser reports what it cannot read as `Other`, the guard as `InvalidData`.
            io::ErrorKind::Other | io::ErrorKind::InvalidData => Self::Unreadable {
                during,
                text: server_text(&source.to_string()),
            },
            _ => Self::Broken { during, source },
        }
    }
}

/// A server's words, shortened and free of control characters.
pub(super) fn server_text(text: &str) -> String {
    text.chars()
        .take(SERVER_TEXT_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
