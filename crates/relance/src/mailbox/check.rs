//! A mailbox is tried before it is saved: step by step, each with a code that people are helped by.
//!
//! Nothing in the mailbox changes, and no mail is sent: the server for sending is logged into and left.

use std::time::Duration;

use relance_channels::imap::{ImapAccount, ImapError, MailSession};
use relance_channels::smtp::{self, SmtpRoute};
use relance_wire::api::mailbox::{CheckFolder, CheckStep, Checked};

/// How long the whole of one server may take.
const SERVER_TIMEOUT: Duration = Duration::from_secs(25);
/// Folders that are told.
const FOLDERS_MAX: usize = 200;

fn step(step: &str, result: Result<&str, (&str, String)>) -> CheckStep {
    let (ok, code, text) = match result {
        Ok(text) => (true, "ok", text.to_owned()),
        Err((code, text)) => (false, code, text),
    };
    CheckStep {
        step: step.to_owned(),
        ok,
        code: code.to_owned(),
        text,
    }
}

/// The step that an error stopped at.
fn stopped_at(error: &ImapError) -> &'static str {
    match error {
        ImapError::Connect { .. } => "connect",
        ImapError::Silent { during, .. } => match *during {
            "connecting" => "connect",
            "encryption" => "tls",
            _command => "login",
        },
        ImapError::Handshake { .. }
        | ImapError::HostName { .. }
        | ImapError::Trust { .. }
        | ImapError::NoStartTls => "tls",
        ImapError::Auth { .. }
        | ImapError::Closed { .. }
        | ImapError::Broken { .. }
        | ImapError::Refused { .. }
        | ImapError::Input { .. } => "login",
        ImapError::Unreadable { during, .. } => match *during {
            "greeting" => "tls",
            _command => "login",
        },
    }
}

/// The steps to a login, of which the last may have failed.
fn way(failed: Option<&ImapError>, fallback: &str) -> Vec<CheckStep> {
    let at = failed.map(stopped_at);
    let mut steps = Vec::new();
    for name in ["connect", "tls", "login"] {
        if let (Some(error), true) = (failed, at == Some(name)) {
            let code = match (error.code(), fallback) {
                // The provider takes tokens alone, and says no more than that the login failed.
                ("password_refused", "oauth_only") => "oauth_only",
                ("password_refused", "app_password" | "app_password_and_imap") => {
                    "password_refused_app"
                }
                (code, _) => code,
            };
            steps.push(step(name, Err((code, error.explain()))));
            return steps;
        }
        steps.push(step(name, Ok("")));
    }
    steps
}

/// Tries a mailbox. `hint` is what is known of the provider: what a person must do before a password works.
pub async fn check(account: &ImapAccount, route: Option<&SmtpRoute>, hint: &str) -> Checked {
    let (mut steps, folders) = match tokio::time::timeout(SERVER_TIMEOUT, read(account)).await {
        Ok(Ok((session, found))) => {
            session.logout().await;
            let mut steps = way(None, hint);
            steps.push(folder_step(&found));
            (steps, found)
        }
        Ok(Err(error)) => (way(Some(&error), hint), Vec::new()),
        Err(_) => {
            let text = "the server does not answer in time".to_owned();
            let late = step("connect", Err(("port_blocked", text)));
            (vec![late], Vec::new())
        }
    };
    if let Some(route) = route {
        let tried = tokio::time::timeout(SERVER_TIMEOUT, smtp::check(route)).await;
        let refused = match tried {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some((failure.code(), failure.text())),
            Err(_) => Some((
                "port_blocked",
                "the server does not answer in time".to_owned(),
            )),
        };
        steps.push(step("smtp", refused.map_or(Ok(""), Err)));
    }
    Checked {
        ok: steps.iter().all(|step| step.ok),
        steps,
        folders,
    }
}

async fn read(account: &ImapAccount) -> Result<(MailSession, Vec<CheckFolder>), ImapError> {
    let mut session = MailSession::connect(account).await?;
    let found = session.folders().await?;
    let folders = found
        .into_iter()
        .take(FOLDERS_MAX)
        .map(|folder| CheckFolder {
            role: match (folder.inbox, folder.sent) {
                (true, _) => Some("inbox".to_owned()),
                (false, true) => Some("sent".to_owned()),
                (false, false) => None,
            },
            name: folder.name.text(),
            marked: folder.marked,
        });
    Ok((session, folders.collect()))
}

fn folder_step(folders: &[CheckFolder]) -> CheckStep {
    let sent = folders
        .iter()
        .filter(|folder| folder.role.as_deref() == Some("sent"));
    let sent: Vec<&str> = sent.map(|folder| folder.name.as_str()).collect();
    if sent.is_empty() {
        let text = "no folder of sent mail was found; choose one".to_owned();
        return step("folders", Err(("no_sent_folder", text)));
    }
    step("folders", Ok(&sent.join(", ")))
}
