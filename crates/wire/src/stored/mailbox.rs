//! A mailbox that was connected in the interface, and what is known of its login, as stored texts.
//!
//! Secrets are in these texts only sealed; whoever reads one has it opened by the vault.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, text};

/// Aliases, or people, of one mailbox.
pub const NAMES_MAX: usize = 50;
/// Bytes of one text that is read.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// From the first byte.
    #[default]
    Implicit,
    /// After STARTTLS; refused where it is not offered.
    Starttls,
    /// Not at all: for a server on the same machine.
    None,
}

/// A server of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `implicit`, `starttls` or `none`.
    #[serde(default)]
    pub tls: MailTls,
}

/// How somebody logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailLogin {
    /// By a password, sealed.
    Password(String),
    /// By a provider of tokens: `google`, `microsoft`.
    Oauth(String),
}

/// A mailbox that was connected in the interface; its address is the name of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// What recipients see beside the address.
    pub name: Option<String>,
    /// The preset that it was made from.
    pub provider: Option<String>,
    /// Where it is read.
    pub imap: MailServer,
    /// How it sends; without it the workspace's route is used.
    pub smtp: Option<MailServer>,
    /// Who logs in; the address, when missing.
    pub user: Option<String>,
    /// With what.
    pub login: MailLogin,
    /// How many days the first reading looks back.
    pub look_back_days: u16,
    /// The folder of sent mail, as people read it; found by its mark and name, when missing.
    pub sent_folder: Option<String>,
    /// Other addresses that it sends as.
    pub aliases: Vec<String>,
    /// Users who work with it, when it is shared.
    pub members: Vec<String>,
    /// Whether it stands still.
    pub paused: bool,
    /// How often it was changed.
    pub revision: u32,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MailboxV1 {
    v: Version<1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    imap: MailServer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    smtp: Option<MailServer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    login: MailLogin,
    look_back_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_folder: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    revision: u32,
    changed_by: String,
    changed_at: Timestamp,
}

/// A mailbox as text.
pub fn mailbox_text(mailbox: &Mailbox) -> Result<String, StoredProblem> {
    let Mailbox {
        name,
        provider,
        imap,
        smtp,
        user,
        login,
        look_back_days,
        sent_folder,
        aliases,
        members,
        paused,
        revision,
        changed_by,
        changed_at,
    } = mailbox.clone();
    let stored = MailboxV1 {
        v: Version,
        name,
        provider,
        imap,
        smtp,
        user,
        login,
        look_back_days,
        sent_folder,
        aliases,
        members,
        paused,
        revision,
        changed_by,
        changed_at,
    };
    text("mailbox", &stored)
}

/// A mailbox from text.
pub fn read_mailbox(body: &str) -> Result<Mailbox, StoredProblem> {
    let stored: MailboxV1 = bounded("mailbox", body)?;
    Ok(Mailbox {
        name: stored.name,
        provider: stored.provider,
        imap: stored.imap,
        smtp: stored.smtp,
        user: stored.user,
        login: stored.login,
        look_back_days: stored.look_back_days,
        sent_folder: stored.sent_folder,
        aliases: stored.aliases.into_iter().take(NAMES_MAX).collect(),
        members: stored.members.into_iter().take(NAMES_MAX).collect(),
        paused: stored.paused,
        revision: stored.revision,
        changed_by: stored.changed_by,
        changed_at: stored.changed_at,
    })
}

/// What is known of a login by tokens: shared by all nodes, changed with each renewal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailToken {
    /// What new access tokens are had for, sealed.
    pub refresh: Option<String>,
    /// The access token, sealed.
    pub access: Option<String>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// Why no new one is given, when the provider said so: a person must connect it again.
    pub refused: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MailTokenV1 {
    v: Version<1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// A login by tokens as text.
pub fn mail_token_text(token: &MailToken) -> Result<String, StoredProblem> {
    let token = token.clone();
    let stored = MailTokenV1 {
        v: Version,
        refresh: token.refresh,
        access: token.access,
        expires_at: token.expires_at,
        refused: token.refused,
    };
    text("mail token", &stored)
}

/// A login by tokens from text.
pub fn read_mail_token(body: &str) -> Result<MailToken, StoredProblem> {
    let stored: MailTokenV1 = bounded("mail token", body)?;
    Ok(MailToken {
        refresh: stored.refresh,
        access: stored.access,
        expires_at: stored.expires_at,
        refused: stored.refused,
    })
}

fn bounded<'a, T: Deserialize<'a>>(shape: &'static str, body: &'a str) -> Result<T, StoredProblem> {
    if body.len() > TEXT_BYTES_MAX {
        let why = format!("it has more than {TEXT_BYTES_MAX} bytes");
        return Err(StoredProblem { shape, why });
    }
    super::read(shape, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What version 1 wrote, for ever.
    const MAILBOX: &str = r#"{"v":1,"name":"Anna","provider":"yandex","imap":{"host":"imap.yandex.ru","port":993,"tls":"implicit"},"smtp":{"host":"smtp.yandex.ru","port":465,"tls":"implicit"},"user":"anna","login":{"password":"sealed/1:k:AAAA"},"look_back_days":90,"sent_folder":"Отправленные","aliases":["sales@shop.test"],"members":["boris@shop.test"],"paused":true,"revision":3,"changed_by":"anna@shop.test","changed_at":"1970-01-01T00:00:00Z"}"#;
    const LEAST: &str = r#"{"v":1,"imap":{"host":"imap.gmail.com","port":993,"tls":"implicit"},"login":{"oauth":"google"},"look_back_days":90,"revision":1,"changed_by":"api","changed_at":"1970-01-01T00:00:00Z"}"#;

    #[test]
    fn a_mailbox_is_written_as_ever() {
        for golden in [MAILBOX, LEAST] {
            let read = read_mailbox(golden).unwrap();
            assert_eq!(mailbox_text(&read).unwrap(), golden);
        }
        let read = read_mailbox(MAILBOX).unwrap();
        assert_eq!(
            read.login,
            MailLogin::Password("sealed/1:k:AAAA".to_owned())
        );
        assert_eq!(read.sent_folder.as_deref(), Some("Отправленные"));
        assert!(read.paused);
        let token = r#"{"v":1,"refresh":"sealed/1:k:A","access":"sealed/1:k:B","expires_at":"1970-01-01T00:00:00Z","refused":"invalid_grant"}"#;
        let read = read_mail_token(token).unwrap();
        assert_eq!(mail_token_text(&read).unwrap(), token);
        assert_eq!(read_mail_token(r#"{"v":1}"#).unwrap(), MailToken::default());
    }

    #[test]
    fn what_is_of_another_version_or_too_long_is_refused() {
        assert!(read_mailbox(&LEAST.replace("\"v\":1", "\"v\":2")).is_err());
        let long = LEAST.replace("google", &"x".repeat(TEXT_BYTES_MAX));
        assert!(read_mailbox(&long).is_err());
        assert!(read_mailbox("{}").is_err());
    }
}
