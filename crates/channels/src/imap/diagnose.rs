//! What a refusal means for the person who must act, by the words of real servers.
//!
//! Servers have one answer for a wrong password and others for what is set wrong at the provider: no password for
//! programs, IMAP switched off, tokens only. The words are theirs, kept as data here; a server that says nothing of the
//! kind has its password doubted.
//!
//! **Absent:** what the person is told (the page chooses words by the code).

use std::io;

use super::error::ImapError;

/// Parts of answers to a login, lower case, and what they mean. The first that is found counts.
const LOGIN_SIGNS: &[(&str, &str)] = &[
    // Google.
    (
        "application-specific password required",
        "app_password_needed",
    ),
    ("please log in via your web browser", "web_login_needed"),
    ("web login required", "web_login_needed"),
    ("not enabled for imap use", "imap_disabled"),
    ("imap access is disabled", "imap_disabled"),
    // Mail.ru: "NEOBHODIM parol prilozheniya ... / Application password is REQUIRED".
    ("parol prilozheniya", "app_password_needed"),
    ("application password is required", "app_password_needed"),
    ("verify your account", "web_login_needed"),
    // Yandex says both at once.
    (
        "invalid credentials or imap is disabled",
        "imap_disabled_or_password",
    ),
    (
        "does not have access rights to this service",
        "imap_disabled",
    ),
    // Microsoft.
    ("authenticated but not connected", "imap_disabled"),
    ("smtpclientauthentication is disabled", "smtp_auth_disabled"),
    ("basic authentication is disabled", "oauth_only"),
    ("basicauthblocked", "oauth_only"),
    ("user_account_disabled", "account_disabled"),
    ("account has been disabled", "account_disabled"),
    // Zoho, Yahoo!, others.
    ("yet to enable imap", "imap_disabled"),
    ("enable imap", "imap_disabled"),
    ("imap is disabled", "imap_disabled"),
    ("imap disabled", "imap_disabled"),
    ("app password", "app_password_needed"),
    ("app-specific password", "app_password_needed"),
    ("application specific password", "app_password_needed"),
    (
        "takes no password over this connection",
        "encryption_needed",
    ),
    ("password expired", "password_expired"),
    ("[expired]", "password_expired"),
];

/// Parts of answers by which a server asks for patience.
const THROTTLE_SIGNS: &[(&str, &str)] = &[
    ("too many simultaneous connections", "too_many_connections"),
    ("maximum number of connections", "too_many_connections"),
    ("too many connections", "too_many_connections"),
    ("connection limit", "too_many_connections"),
    ("exceeded command or bandwidth limits", "throttled"),
    ("bandwidth limit", "throttled"),
    ("suggested backoff time", "throttled"),
    ("over the throttle limit", "throttled"),
    ("[throttled]", "throttled"),
    ("throttled", "throttled"),
    ("rate limit", "throttled"),
    ("too many login", "throttled"),
    ("too many bad auth", "throttled"),
    ("[limit]", "throttled"),
];

fn throttle_code(text: &str) -> Option<&'static str> {
    find(THROTTLE_SIGNS, text)
}

fn find(signs: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let found = signs.iter().find(|(sign, _)| lower.contains(sign));
    found.map(|(_, code)| *code)
}

/// What a server's answer to a login means; also that of a server for sending.
pub fn of_text(text: &str) -> &'static str {
    throttle_code(text)
        .or_else(|| find(LOGIN_SIGNS, text))
        .unwrap_or("password_refused")
}

/// What an error means for the person who must act.
pub(super) fn diagnose(error: &ImapError) -> &'static str {
    match error {
        ImapError::Auth { text } => of_text(text),
        ImapError::Connect { source, .. } => match source.kind() {
            io::ErrorKind::ConnectionRefused => "connection_refused",
            io::ErrorKind::TimedOut | io::ErrorKind::NetworkUnreachable => "port_blocked",
            // Names that are not found are told as uncategorised errors of the resolver.
            _ if source.to_string().contains("lookup") => "host_unknown",
            _ => "unreachable",
        },
        ImapError::Silent { during, .. } => match *during {
            "connecting" | "encryption" => "port_blocked",
            _command => "unreachable",
        },
        ImapError::Handshake { source, .. } => match source.kind() {
            io::ErrorKind::InvalidData if source.to_string().contains("certificate") => {
                "certificate"
            }
            io::ErrorKind::InvalidData => "tls",
            _ => "unreachable",
        },
        ImapError::HostName { .. } | ImapError::Trust { .. } => "certificate",
        ImapError::NoStartTls => "no_starttls",
        ImapError::Closed { text } => throttle_code(text).unwrap_or("unreachable"),
        // Some servers say it with `NO`, Microsoft's with `BAD`.
        ImapError::Refused { text, .. } | ImapError::Unreadable { text, .. } => {
            throttle_code(text).unwrap_or("protocol")
        }
        ImapError::Broken { .. } => "unreachable",
        ImapError::Input { .. } => "protocol",
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::FailureKind;
    use super::*;

    #[test]
    fn words_of_real_servers_mean_what_a_person_must_do() {
        for (text, code) in [
            (
                "[ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
                "app_password_needed",
            ),
            (
                "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
                "password_refused",
            ),
            (
                "[ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)",
                "web_login_needed",
            ),
            (
                "[ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)",
                "imap_disabled",
            ),
            (
                "[ALERT] IMAP access is disabled for your domain.",
                "imap_disabled",
            ),
            (
                "[ALERT] Too many simultaneous connections. (Failure)",
                "too_many_connections",
            ),
            (
                "[AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials or IMAP is disabled sc=abc",
                "imap_disabled_or_password",
            ),
            (
                "535 5.7.8 Error: authentication failed: This user does not have access rights to this service",
                "imap_disabled",
            ),
            (
                "[AUTHENTICATIONFAILED] NEOBHODIM parol prilozheniya https://help.mail.ru/mail/security/protection/external / Application password is REQUIRED",
                "app_password_needed",
            ),
            ("AUTHENTICATE failed.", "password_refused"),
            ("User is authenticated but not connected.", "imap_disabled"),
            (
                "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
                "smtp_auth_disabled",
            ),
            (
                "5.7.139 Authentication unsuccessful, basic authentication is disabled.",
                "oauth_only",
            ),
            (
                "You are yet to enable IMAP for your account. Please contact your administrator",
                "imap_disabled",
            ),
            (
                "[AUTHENTICATIONFAILED] Authentication failed.",
                "password_refused",
            ),
            (
                "[LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
                "too_many_connections",
            ),
            (
                "Request is throttled. Suggested Backoff Time: 299981 milliseconds",
                "throttled",
            ),
            ("[LIMIT] LOGIN Rate limit hit.", "throttled"),
        ] {
            assert_eq!(of_text(text), code, "{text}");
        }
    }

    #[test]
    fn a_server_that_asks_for_patience_is_left_alone_longer() {
        let closed = |text: &str| ImapError::Closed { text: text.into() };
        assert!(closed("Too many connections").is_throttling());
        assert!(!closed("end of stream").is_throttling());
        assert_eq!(closed("end of stream").code(), "unreachable");
        let refused = ImapError::Refused {
            command: "FETCH",
            text: "Request is throttled. Suggested Backoff Time: 5 milliseconds".into(),
        };
        assert!(refused.is_throttling());
        assert_eq!(refused.code(), "throttled");
        assert_eq!(refused.kind(), FailureKind::Unreachable);
    }
}
