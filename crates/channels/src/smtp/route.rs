//! Where mail is submitted, with which credentials and within which limits.
//!
//! A route is checked when it is configured ([`SmtpSender::configure`](super::SmtpSender::configure)), so
//! that sending meets only the network's surprises.

use crate::secret::Secret;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// Bytes of a user name, password or token.
const CREDENTIAL_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// The caller's name for a route: a mailbox, a provider account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(String);

impl RouteId {
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RouteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpRoute {
    /// Host name or IP address; with TLS, the name that the certificate must carry.
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub trust: Trust,
    pub auth: Auth,
    /// The name we give in EHLO: a host name, or an address literal such as `[192.0.2.1]`.
    pub helo: String,
    pub limits: RouteLimits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte, usually on port 465.
    Implicit,
    /// STARTTLS, usually on port 587. A server that does not offer it gets neither credentials nor mail.
    StartTls,
    /// No encryption: a relay on this machine or a private network.
    None,
}

/// Which server certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The public certificate authorities.
    WebRoots,
    /// These and the public ones too (PEM, one certificate or more).
    WebRootsAnd { authorities_pem: String },
    /// These authorities only.
    Only { authorities_pem: String },
    /// Exactly this server certificate, whatever its name, dates and issuer.
    Pinned { certificate_pem: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    None,
    /// PLAIN where offered, else LOGIN.
    Password {
        user: String,
        secret: Secret,
    },
    /// An OAuth 2 access token for Google and Microsoft.
    XOAuth2 {
        user: String,
        token: Secret,
    },
}

impl Auth {
    /// The identity that a connection acts for. Connections of another identity must not be reused.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Auth::None => None,
            Auth::Password { user, .. } | Auth::XOAuth2 { user, .. } => Some(user),
        }
    }
}

/// A route's limits. The defaults suit a common submission server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteLimits {
    /// Connections open at once, so also messages under way at once.
    pub connections_max: u16,
    /// A connection is closed after this many messages, as many servers ask.
    pub messages_per_connection_max: u32,
    pub messages_per_second_max: Option<NonZeroU32>,
    pub messages_per_hour_max: Option<NonZeroU32>,
    /// Name look-up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Each reply, from the greeting to the reply to DATA, whole.
    pub command_timeout: Duration,
    /// The message and the reply to its final dot, together.
    pub data_timeout: Duration,
    /// An unused connection is closed after this.
    pub idle_timeout: Duration,
    /// Failures in a row before the route rests.
    pub breaker_failures_max: u32,
    /// The first rest; each next one is twice as long.
    pub breaker_pause_min: Duration,
    pub breaker_pause_max: Duration,
}

impl RouteLimits {
    pub const CONNECTIONS_MAX: u16 = 4;
    pub const MESSAGES_PER_CONNECTION_MAX: u32 = 100;
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
    /// Servers that look up and delay strangers answer within a minute or so; RFC 5321 section 4.5.3.2 is
    /// more patient than a person who waits for a reminder.
    pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);
    /// RFC 5321 section 4.5.3.2.6: giving up early on the final dot makes duplicates.
    pub const DATA_TIMEOUT: Duration = Duration::from_secs(600);
    pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
    pub const BREAKER_FAILURES_MAX: u32 = 5;
    pub const BREAKER_PAUSE_MIN: Duration = Duration::from_secs(15);
    pub const BREAKER_PAUSE_MAX: Duration = Duration::from_secs(15 * 60);
}

impl Default for RouteLimits {
    fn default() -> Self {
        Self {
            connections_max: Self::CONNECTIONS_MAX,
            messages_per_connection_max: Self::MESSAGES_PER_CONNECTION_MAX,
            messages_per_second_max: None,
            messages_per_hour_max: None,
            connect_timeout: Self::CONNECT_TIMEOUT,
            command_timeout: Self::COMMAND_TIMEOUT,
            data_timeout: Self::DATA_TIMEOUT,
            idle_timeout: Self::IDLE_TIMEOUT,
            breaker_failures_max: Self::BREAKER_FAILURES_MAX,
            breaker_pause_min: Self::BREAKER_PAUSE_MIN,
            breaker_pause_max: Self::BREAKER_PAUSE_MAX,
        }
    }
}

/// Why a route cannot be used as configured. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteProblem {
    #[error("smtp.host: not a host name or address; give one such as smtp.example.com")]
    HostInvalid,
    #[error(
        "smtp.helo: not a host name or address literal; give one such as mail.example.com or [192.0.2.1]"
    )]
    HeloInvalid,
    #[error("smtp.auth.{field}: empty, too long or with control characters; enter it again")]
    CredentialInvalid { field: &'static str },
    #[error(
        "smtp.tls: credentials would travel unencrypted; use implicit TLS or STARTTLS, or a host on this machine"
    )]
    CredentialsInClear,
    #[error(
        "smtp.trust: no usable certificate in the PEM text ({detail}); give BEGIN CERTIFICATE blocks"
    )]
    TrustUnreadable { detail: String },
    #[error("smtp.limits.{field}: zero; give at least one")]
    LimitZero { field: &'static str },
}

impl SmtpRoute {
    /// A route without credentials, with public trust and default limits.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls, helo: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            tls,
            trust: Trust::WebRoots,
            auth: Auth::None,
            helo: helo.into(),
            limits: RouteLimits::default(),
        }
    }

    /// The first problem found, certificates apart (they are read when the route is configured).
    pub fn check(&self) -> Result<(), RouteProblem> {
        let plain = |c: char| c.is_ascii_graphic();
        if self.host.is_empty() || self.host.len() > HOST_BYTES_MAX || !self.host.chars().all(plain)
        {
            return Err(RouteProblem::HostInvalid);
        }
        let helo_char = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if self.helo.is_empty()
            || self.helo.len() > HOST_BYTES_MAX
            || !self.helo.chars().all(helo_char)
        {
            return Err(RouteProblem::HeloInvalid);
        }
        let (user, secret, field) = match &self.auth {
            Auth::None => ("-", "-", ""),
            Auth::Password { user, secret } => (user.as_str(), secret.expose(), "secret"),
            Auth::XOAuth2 { user, token } => (user.as_str(), token.expose(), "token"),
        };
        for (text, field) in [(user, "user"), (secret, field)] {
            if text.is_empty()
                || text.len() > CREDENTIAL_BYTES_MAX
                || text.chars().any(char::is_control)
            {
                return Err(RouteProblem::CredentialInvalid { field });
            }
        }
        if self.tls == Tls::None && self.auth != Auth::None && !self.is_loopback() {
            return Err(RouteProblem::CredentialsInClear);
        }
        let limits = &self.limits;
        for (field, zero) in [
            ("connections_max", limits.connections_max == 0),
            (
                "messages_per_connection_max",
                limits.messages_per_connection_max == 0,
            ),
            ("connect_timeout", limits.connect_timeout.is_zero()),
            ("command_timeout", limits.command_timeout.is_zero()),
            ("data_timeout", limits.data_timeout.is_zero()),
            ("idle_timeout", limits.idle_timeout.is_zero()),
            ("breaker_failures_max", limits.breaker_failures_max == 0),
        ] {
            if zero {
                return Err(RouteProblem::LimitZero { field });
            }
        }
        Ok(())
    }

    fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// True when open connections, limits and breaker of a route configured as `other` serve this one too.
    pub(crate) fn same_but_for_secret(&self, other: &SmtpRoute) -> bool {
        let Self {
            host,
            port,
            tls,
            trust,
            auth,
            helo,
            limits,
        } = self;
        *host == other.host
            && *port == other.port
            && *tls == other.tls
            && *trust == other.trust
            && auth.user() == other.auth.user()
            && *helo == other.helo
            && *limits == other.limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> SmtpRoute {
        SmtpRoute::new("smtp.example.com", 587, Tls::StartTls, "mail.example.com")
    }

    fn password(secret: &str) -> Auth {
        Auth::Password {
            user: "ana".into(),
            secret: Secret::new(secret),
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut route = route();
        route.auth = password("correct horse");
        assert!(!format!("{route:?}").contains("horse"));
        route.auth = Auth::XOAuth2 {
            user: "ana".into(),
            token: Secret::new("ya29.horse"),
        };
        assert!(!format!("{route:?}").contains("horse"));
    }

    #[test]
    fn problems_are_named() {
        assert_eq!(route().check(), Ok(()));
        let with = |change: fn(&mut SmtpRoute)| {
            let mut changed = route();
            change(&mut changed);
            changed.check()
        };
        assert_eq!(
            with(|r| r.host = "a b".into()),
            Err(RouteProblem::HostInvalid)
        );
        assert_eq!(
            with(|r| r.helo = "x\r\nMAIL".into()),
            Err(RouteProblem::HeloInvalid)
        );
        assert_eq!(
            with(|r| r.auth = password("a\0b")),
            Err(RouteProblem::CredentialInvalid { field: "secret" })
        );
        assert_eq!(
            with(|r| r.auth = password("")),
            Err(RouteProblem::CredentialInvalid { field: "secret" })
        );
        assert_eq!(
            with(|r| {
                r.tls = Tls::None;
                r.auth = password("x");
            }),
            Err(RouteProblem::CredentialsInClear)
        );
        assert_eq!(
            with(|r| r.limits.connections_max = 0),
            Err(RouteProblem::LimitZero {
                field: "connections_max"
            })
        );
    }

    #[test]
    fn credentials_in_clear_only_on_this_machine() {
        for (host, fine) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("10.0.0.1", false),
        ] {
            let mut route = SmtpRoute::new(host, 25, Tls::None, "x");
            route.auth = password("x");
            assert_eq!(route.check().is_ok(), fine, "{host}");
        }
    }
}
