//! How a mailbox is reached: server, encryption, login, limits.
//!
//! **Invariant:** a secret is never part of a `Debug` text.

use crate::secret::Secret;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::error::ImapError;

/// Bytes of one message that may be configured at most.
pub const MESSAGE_BYTES_MAX: usize = 50 * 1024 * 1024;
/// Bytes of one message that are fetched unless configured; of larger ones only the headers are.
pub const MESSAGE_BYTES_MAX_DEFAULT: usize = 25 * 1024 * 1024;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte (port 993).
    Implicit,
    /// By the `STARTTLS` command (port 143); a server that does not offer it is refused.
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

/// Which certificates are believed: the bundled roots of the web, and these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// Who logs in, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    Password {
        user: String,
        secret: Secret,
    },
    /// `token` is an OAuth 2 access token; it expires, see `MailboxWatcher::set_login`.
    XOAuth2 {
        user: String,
        token: Secret,
    },
}

impl Login {
    pub fn password(user: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::Password {
            user: user.into(),
            secret: Secret::new(secret),
        }
    }

    pub fn xoauth2(user: impl Into<String>, token: impl Into<String>) -> Self {
        Self::XOAuth2 {
            user: user.into(),
            token: Secret::new(token),
        }
    }

    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::XOAuth2 { user, .. } => user,
        }
    }
}

/// What one connection may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImapLimits {
    /// For TCP, TLS and the greeting, each.
    pub connect_timeout: Duration,
    /// How long the server may be silent within one command; large messages get more.
    pub command_timeout: Duration,
    /// Larger messages are fetched as headers only. Never above [`MESSAGE_BYTES_MAX`].
    pub message_bytes_max: usize,
    /// Messages fetched by one command.
    pub batch_messages_max: usize,
    /// Bytes fetched by one command, unless a single message is larger.
    pub batch_bytes_max: usize,
}

impl Default for ImapLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            command_timeout: Duration::from_secs(30),
            message_bytes_max: MESSAGE_BYTES_MAX_DEFAULT,
            batch_messages_max: 50,
            batch_bytes_max: 4 * 1024 * 1024,
        }
    }
}

impl ImapLimits {
    pub(super) fn message_bytes(&self) -> usize {
        self.message_bytes_max.clamp(1, MESSAGE_BYTES_MAX)
    }

    pub(super) fn batch_messages(&self) -> usize {
        self.batch_messages_max.clamp(1, BATCH_MESSAGES_MAX)
    }
}

/// Keeps a command line of message numbers under the 1,000 bytes that old servers accept.
const BATCH_MESSAGES_MAX: usize = 80;

/// One mailbox on one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImapAccount {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub trust: Trust,
    pub login: Login,
    pub limits: ImapLimits,
}

impl ImapAccount {
    /// An account with default limits and trust.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls, login: Login) -> Self {
        Self {
            host: host.into(),
            port,
            tls,
            trust: Trust::default(),
            login,
            limits: ImapLimits::default(),
        }
    }

    /// Whether it is the same mailbox, reached in the same way; what is logged in with may differ.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let Self {
            host,
            port,
            tls,
            trust,
            login,
            limits,
        } = self;
        *host == other.host
            && *port == other.port
            && *tls == other.tls
            && *trust == other.trust
            && *limits == other.limits
            && login.user() == other.login.user()
    }

    pub(super) fn tls_config(&self) -> Result<Arc<ClientConfig>, ImapError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for root in &self.trust.extra_roots {
            roots
                .add(root.clone())
                .map_err(|source| ImapError::Trust { source })?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| ImapError::Trust { source })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_in_debug_texts() {
        let account = ImapAccount::new(
            "imap.shop.test",
            993,
            Tls::Implicit,
            Login::password("anna@shop.test", "hunter2"),
        );
        let text = format!("{account:?} {:?}", Login::xoauth2("anna", "ya29.token"));
        assert!(text.contains("***"));
        assert!(
            !text.contains("hunter2") && !text.contains("ya29"),
            "{text}"
        );
    }
}
