//! A route is tried: connected to, encrypted, logged into and left. No mail is sent.

use super::connection::Connection;
use super::outcome::{Failure, LinkCause, LinkFailure, Refusal, Stage};
use super::route::{RouteProblem, SmtpRoute};
use super::tls::TlsClient;
use crate::imap::of_text;

/// Why a route cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckFailure {
    /// As it is configured.
    Route(RouteProblem),
    /// The server said no.
    Refused(Refusal),
    /// It was not reached.
    Link(LinkFailure),
}

impl CheckFailure {
    /// What it means for the person who must act, as a code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Route(RouteProblem::CredentialsInClear) => "encryption_needed",
            Self::Route(
                RouteProblem::HostInvalid
                | RouteProblem::HeloInvalid
                | RouteProblem::CredentialInvalid { .. }
                | RouteProblem::TrustUnreadable { .. }
                | RouteProblem::LimitZero { .. },
            ) => "bad_route",
            Self::Refused(refusal) if refusal.stage == Stage::Auth => of_text(&refusal.text),
            Self::Refused(_) => "smtp_refused",
            Self::Link(failure) => match failure.cause {
                LinkCause::StartTlsNotOffered => "no_starttls",
                LinkCause::Tls => "certificate",
                LinkCause::Timeout => "port_blocked",
                LinkCause::Dns => "host_unknown",
                LinkCause::Connect => "connection_refused",
                LinkCause::Closed => "unreachable",
                LinkCause::Protocol => "protocol",
            },
        }
    }

    /// In words: the server's, or ours.
    pub fn text(&self) -> String {
        match self {
            Self::Route(problem) => problem.to_string(),
            Self::Refused(refusal) => format!("{} {}", refusal.code, refusal.text),
            Self::Link(failure) => failure.detail.clone(),
        }
    }
}

/// Tries a route.
pub async fn check(route: &SmtpRoute) -> Result<(), CheckFailure> {
    route.check().map_err(CheckFailure::Route)?;
    let tls = TlsClient::new(route).map_err(CheckFailure::Route)?;
    match Connection::open(route, tls.as_ref(), &route.auth).await {
        Ok(connection) => {
            connection.quit();
            Ok(())
        }
        Err(Failure::Refused(refusal)) => Err(CheckFailure::Refused(refusal)),
        Err(Failure::Unreached(failure) | Failure::Lost(failure)) => {
            Err(CheckFailure::Link(failure))
        }
    }
}
