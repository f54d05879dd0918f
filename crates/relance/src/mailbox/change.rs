//! Mailboxes are connected, changed, paused and removed, each in one commit with its line of the audit; what runs follows
//! at once, here and on other nodes.
//!
//! **Absent:** HTTP; whether the servers can be reached (see [`super::check`]).

use std::sync::Arc;

use relance_core::ids::UserId;
use relance_engine::arrival::{Arrival, Refusal};
use relance_engine::ports::Asset;
use relance_message::outbound::is_address;
use relance_wire::api::mailbox as shape;
use relance_wire::stored::{
    MailLogin, MailServer, MailTls, Mailbox, NAMES_MAX, StoredProblem, mailbox_text,
};
use serde_json::{Value, json};

use super::book::{Entry, KIND, MAILBOXES_MAX, Origin, password_context};
use super::shown::may_change;
use crate::access::Caller;
use crate::autoconfig::presets;
use crate::oauth::provider::{Asked, OauthProblem, Provider};
use crate::oauth::{self, KeepProblem, Known};
use crate::vault::VaultProblem;
use crate::workspace::Workspace;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 200;
/// Bytes of a password.
const PASSWORD_BYTES_MAX: usize = 1_024;
/// Bytes of a host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;
/// Characters of a folder's name.
const FOLDER_CHARS_MAX: usize = 250;
/// Days that the first reading may look back.
const LOOK_BACK_DAYS: std::ops::RangeInclusive<u16> = 1..=730;
/// Days that it looks back unless it is said.
pub const LOOK_BACK_DEFAULT: u16 = 90;
/// What a mailbox weighs in the engine's queue.
const WEIGHT: usize = 16 * 1024;

/// Why a mailbox is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeProblem {
    /// A field.
    #[error("{field}: {what}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong, and what to do.
        what: String,
    },
    /// It stands in the file.
    #[error("{0} stands in relance.toml; change it there and start again")]
    InFile(String),
    /// It is connected still.
    #[error("{0} is connected; remove it first, or connect it again so that it is read")]
    Connected(String),
    /// There is none.
    #[error("there is no such mailbox")]
    NotFound,
    /// The caller may not.
    #[error("a mailbox of others is connected by an admin; you may connect your own")]
    NotYours,
    /// Somebody else changed it.
    #[error("somebody else changed it meanwhile; look at it again")]
    Stale,
    /// There are too many.
    #[error("more than {MAILBOXES_MAX} mailboxes; remove some")]
    Full,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultProblem),
    /// Its text.
    #[error(transparent)]
    Stored(#[from] StoredProblem),
    /// The engine.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The provider of tokens.
    #[error(transparent)]
    Oauth(#[from] OauthProblem),
}

impl From<KeepProblem> for ChangeProblem {
    fn from(problem: KeepProblem) -> Self {
        match problem {
            KeepProblem::Vault(problem) => Self::Vault(problem),
            KeepProblem::Stored(problem) => Self::Stored(problem),
        }
    }
}

fn field(field: &'static str, what: impl ToString) -> ChangeProblem {
    ChangeProblem::Field {
        field,
        what: what.to_string(),
    }
}

/// An address as mailboxes are named by it.
pub fn address_of(text: &str) -> Result<String, ChangeProblem> {
    let address = text.trim().to_lowercase();
    if !is_address(&address) {
        return Err(field("address", "it is no address; write anna@example.com"));
    }
    Ok(address)
}

/// Whether a server may be named by this caller: servers of private networks by admins alone, unless it is allowed.
pub fn check_server(
    workspace: &Workspace,
    caller: &Caller,
    place: &'static str,
    server: &MailServer,
) -> Result<(), ChangeProblem> {
    let host = server.host.trim();
    let is_name = !host.is_empty()
        && host.len() <= HOST_BYTES_MAX
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    if !is_name || server.port == 0 {
        return Err(field(
            place,
            "it is no server; write a name such as imap.example.com and a port",
        ));
    }
    let private = crate::autoconfig::net::is_private_name(host);
    let allowed = workspace.config().mailboxes.private_hosts
        || caller.may(relance_core::access::Permission::Settings);
    if private && !allowed {
        let what = "servers of the own network are connected by an admin";
        return Err(field(place, what));
    }
    let here = ["localhost", "127.0.0.1", "::1"].contains(&host);
    if server.tls == MailTls::None && !here {
        let what = "passwords would travel in the clear; use implicit or starttls";
        return Err(field(place, what));
    }
    Ok(())
}

fn text(
    place: &'static str,
    text: Option<&str>,
    most: usize,
) -> Result<Option<String>, ChangeProblem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(field(
            place,
            format!("write at most {most} characters of one line"),
        ));
    }
    Ok(Some(text.to_owned()))
}

fn addresses(place: &'static str, list: &[String]) -> Result<Vec<String>, ChangeProblem> {
    if list.len() > NAMES_MAX {
        return Err(field(place, format!("at most {NAMES_MAX} addresses")));
    }
    let mut all = Vec::new();
    for text in list {
        let address = text.trim().to_lowercase();
        if !is_address(&address) {
            return Err(field(place, format!("{address:?} is no address")));
        }
        if !all.contains(&address) {
            all.push(address);
        }
    }
    Ok(all)
}

/// A mailbox that the caller may change, if there is one.
fn own(
    workspace: &Workspace,
    caller: &Caller,
    address: &str,
) -> Result<Option<Arc<Entry>>, ChangeProblem> {
    if !may_change(caller, address) {
        return Err(ChangeProblem::NotYours);
    }
    match workspace.watching.book.find(address) {
        Some(entry) if entry.origin == Origin::File => {
            Err(ChangeProblem::InFile(address.to_owned()))
        }
        found => Ok(found),
    }
}

/// Connects a mailbox by a password, or changes one.
pub async fn put(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
    wanted: shape::MailboxPut,
    revision: Option<&str>,
) -> Result<(), ChangeProblem> {
    let address = address_of(address)?;
    let _turn = workspace.changing_mailboxes.lock().await;
    let known = own(workspace, caller, &address)?;
    if let (Some(revision), Some(known)) = (revision, &known)
        && revision != known.stored.revision.to_string()
    {
        return Err(ChangeProblem::Stale);
    }
    let old = known.as_ref().map(|known| &known.stored);
    let imap = wanted.imap.or(old.map(|old| old.imap.clone()));
    let imap = imap.ok_or_else(|| field("imap", "say where the mailbox is read"))?;
    check_server(workspace, caller, "imap", &imap)?;
    let smtp = wanted.smtp.or(old.and_then(|old| old.smtp.clone()));
    if let Some(smtp) = &smtp {
        check_server(workspace, caller, "smtp", smtp)?;
    }
    let user = match &wanted.user {
        Some(user) => text("user", Some(user), 256)?.filter(|user| *user != address),
        None => old.and_then(|old| old.user.clone()),
    };
    let login = match (&wanted.password, old) {
        (Some(password), _) => {
            if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
                return Err(field("password", "it is empty or too long; enter it again"));
            }
            if password.contains(['\r', '\n', '\0']) {
                return Err(field("password", "it holds a line break; enter it again"));
            }
            let context = password_context(&address);
            MailLogin::Password(workspace.vault.seal(&context, password.as_bytes())?)
        }
        (None, Some(old)) => {
            // A saved secret goes to the server that it was entered for, and to no other.
            let moved = old.imap.host != imap.host
                || old.smtp.as_ref().map(|own| &own.host) != smtp.as_ref().map(|own| &own.host);
            if moved {
                return Err(field(
                    "password",
                    "the server is another one; enter the password again",
                ));
            }
            old.login.clone()
        }
        (None, None) => return Err(field("password", "enter the password")),
    };
    let look_back_days = wanted
        .look_back_days
        .or(old.map(|old| old.look_back_days))
        .unwrap_or(LOOK_BACK_DEFAULT);
    if !LOOK_BACK_DAYS.contains(&look_back_days) {
        return Err(field("look_back_days", "write 1 to 730 days"));
    }
    let provider = wanted.provider.or(old.and_then(|old| old.provider.clone()));
    let provider = provider.filter(|id| presets::by_id(id).is_some());
    let list = |place, wanted: &Option<Vec<String>>, old: Option<&Vec<String>>| match wanted {
        Some(list) => addresses(place, list),
        None => Ok(old.cloned().unwrap_or_default()),
    };
    let members = list("members", &wanted.members, old.map(|old| &old.members))?;
    let aliases = list("aliases", &wanted.aliases, old.map(|old| &old.aliases))?;
    check_names(workspace, caller, &address, &members, &aliases)?;
    let stored = Mailbox {
        name: match &wanted.name {
            Some(name) => text("name", Some(name), NAME_CHARS_MAX)?,
            None => old.and_then(|old| old.name.clone()),
        },
        sent_folder: match &wanted.folders {
            Some(folders) => text("folders.sent", folders.sent.as_deref(), FOLDER_CHARS_MAX)?,
            None => old.and_then(|old| old.sent_folder.clone()),
        },
        provider,
        imap,
        smtp,
        user,
        login,
        look_back_days,
        aliases,
        members,
        paused: old.is_some_and(|old| old.paused),
        revision: 0,
        changed_by: String::new(),
        changed_at: workspace.clock.now(),
    };
    let action = match old {
        Some(_) => "mailbox.change",
        None => "mailbox.connect",
    };
    let more = json!({
        "imap": stored.imap.host,
        "smtp": stored.smtp.as_ref().map(|own| own.host.clone()),
        "password": wanted.password.is_some(),
    });
    // A login by tokens that a password takes the place of is no longer needed.
    let gone = old.is_some_and(|old| old.login != stored.login)
        && known.as_ref().is_some_and(|known| known.oauth().is_some());
    let more_arrivals = if gone {
        workspace.watching.tokens.put(&address, None);
        vec![removed(oauth::KIND, &address)]
    } else {
        Vec::new()
    };
    commit(
        workspace,
        caller,
        &address,
        old,
        stored,
        more_arrivals,
        action,
        &more,
    )
    .await
}

/// Whoever is no admin does not say for others what is theirs.
fn check_names(
    workspace: &Workspace,
    caller: &Caller,
    address: &str,
    members: &[String],
    aliases: &[String],
) -> Result<(), ChangeProblem> {
    if caller.may(relance_core::access::Permission::Settings) {
        return Ok(());
    }
    let users = workspace.access.users();
    let mut others = users
        .keys()
        .map(UserId::as_str)
        .filter(|own| *own != address);
    if others.any(|other| aliases.iter().any(|alias| alias == other)) {
        return Err(field(
            "aliases",
            "one of them is a user's own address; ask an admin",
        ));
    }
    let known = workspace.watching.book.find(address);
    let before = known.map(|known| known.stored.members.clone());
    if members != before.unwrap_or_default() {
        return Err(field(
            "members",
            "who works with a shared mailbox is said by an admin",
        ));
    }
    Ok(())
}

fn removed(kind: &str, address: &str) -> Arrival {
    Arrival::Asset(Asset {
        kind: kind.to_owned(),
        name: address.to_owned(),
        body: None,
    })
}

#[expect(clippy::too_many_arguments, reason = "each is one part of the commit")]
async fn commit(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
    old: Option<&Mailbox>,
    stored: Mailbox,
    mut arrivals: Vec<Arrival>,
    action: &str,
    more: &Value,
) -> Result<(), ChangeProblem> {
    let watching = &workspace.watching;
    if old.is_none() && watching.book.all().len() >= MAILBOXES_MAX {
        return Err(ChangeProblem::Full);
    }
    let stored = Mailbox {
        revision: old.map_or(0, |old| old.revision).saturating_add(1),
        changed_by: caller.name(),
        changed_at: workspace.clock.now(),
        ..stored
    };
    arrivals.push(Arrival::Asset(Asset {
        kind: KIND.to_owned(),
        name: address.to_owned(),
        body: Some(mailbox_text(&stored)?),
    }));
    workspace
        .submit_with(caller, arrivals, WEIGHT, action, address, more)
        .await?;
    let trust = &watching.book.trust;
    let entry = Entry::of_stored(address, stored, &workspace.vault, &watching.tokens, trust);
    watching.book.put(address, Some(entry));
    workspace.apply_mailboxes();
    Ok(())
}

/// Connects a mailbox by a leave that its owner gave to the provider, or connects it again.
pub async fn connect(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    provider: Provider,
    address: &str,
    user: &str,
    known: Known,
) -> Result<(), ChangeProblem> {
    let address = address_of(address)?;
    let _turn = workspace.changing_mailboxes.lock().await;
    let entry = own(workspace, caller, &address)?;
    let old = entry.as_ref().map(|entry| &entry.stored);
    let preset = presets::by_id(provider.preset()).ok_or(ChangeProblem::NotFound)?;
    let servers = &workspace.config().oauth_endpoints;
    let own = servers.get(provider.word());
    let stored = Mailbox {
        name: old.and_then(|old| old.name.clone()),
        provider: Some(preset.id.clone()),
        imap: own
            .and_then(|own| own.imap.clone())
            .unwrap_or(preset.imap.clone()),
        smtp: Some(
            own.and_then(|own| own.smtp.clone())
                .unwrap_or(preset.smtp.clone()),
        ),
        user: Some(user.to_owned()).filter(|user| *user != address),
        login: MailLogin::Oauth(provider.word().to_owned()),
        look_back_days: old.map_or(LOOK_BACK_DEFAULT, |old| old.look_back_days),
        sent_folder: old.and_then(|old| old.sent_folder.clone()),
        aliases: old.map_or_else(Vec::new, |old| old.aliases.clone()),
        members: old.map_or_else(Vec::new, |old| old.members.clone()),
        paused: old.is_some_and(|old| old.paused),
        revision: 0,
        changed_by: String::new(),
        changed_at: workspace.clock.now(),
    };
    let token = Arrival::Asset(known.asset(&address, &workspace.vault)?);
    workspace.watching.tokens.put(&address, Some(known));
    let action = match old {
        Some(_) => "mailbox.change",
        None => "mailbox.connect",
    };
    let more = json!({ "oauth": provider.word() });
    commit(
        workspace,
        caller,
        &address,
        old,
        stored,
        vec![token],
        action,
        &more,
    )
    .await
}

/// Puts a mailbox to rest, or wakes it.
pub async fn pause(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
    paused: bool,
) -> Result<(), ChangeProblem> {
    let address = address_of(address)?;
    let _turn = workspace.changing_mailboxes.lock().await;
    let entry = own(workspace, caller, &address)?.ok_or(ChangeProblem::NotFound)?;
    if entry.stored.paused == paused {
        return Ok(());
    }
    let stored = Mailbox {
        paused,
        ..entry.stored.clone()
    };
    let action = match paused {
        true => "mailbox.pause",
        false => "mailbox.resume",
    };
    let old = Some(&entry.stored);
    commit(
        workspace,
        caller,
        &address,
        old,
        stored,
        Vec::new(),
        action,
        &Value::Null,
    )
    .await
}

/// Disconnects a mailbox, and takes the leave back where the provider has a way to.
pub async fn remove(
    workspace: &Arc<Workspace>,
    caller: &Caller,
    address: &str,
) -> Result<shape::MailboxRemoved, ChangeProblem> {
    let address = address_of(address)?;
    let _turn = workspace.changing_mailboxes.lock().await;
    let entry = own(workspace, caller, &address)?.ok_or(ChangeProblem::NotFound)?;
    let arrivals = vec![removed(KIND, &address), removed(oauth::KIND, &address)];
    let known = workspace.watching.tokens.known(&address);
    workspace
        .submit_as(caller, arrivals, WEIGHT, "mailbox.remove", &address)
        .await?;
    let watching = &workspace.watching;
    watching.tokens.put(&address, None);
    watching.book.put(&address, None);
    workspace.apply_mailboxes();
    let provider = entry.oauth().and_then(Provider::from_word);
    let Some(provider) = provider else {
        return Ok(shape::MailboxRemoved {
            revoked: "none".to_owned(),
            revoke_url: None,
        });
    };
    // The mailbox is forgotten already: a provider that is away does not bring it back.
    let refresh = known.and_then(|known| known.refresh);
    let revoked = match (
        Asked::new(&workspace.config(), &workspace.data, provider),
        refresh,
    ) {
        (Ok(asked), Some(refresh)) => asked.revoke(&refresh).await,
        (Err(problem), _) => Err(problem),
        (Ok(_), None) => Ok(false),
    };
    let word = match revoked {
        Ok(true) => "revoked",
        Ok(false) => "by_hand",
        Err(problem) => {
            tracing::warn!(code = problem.code(), "a leave could not be taken back");
            "failed"
        }
    };
    Ok(shape::MailboxRemoved {
        revoked: word.to_owned(),
        revoke_url: (word != "revoked").then(|| provider.revoke_page().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_by_name() {
        assert_eq!(
            address_of(" Anna@Shop.test ").ok().as_deref(),
            Some("anna@shop.test")
        );
        let told = address_of("anna").unwrap_err().to_string();
        assert!(told.starts_with("address: "), "{told}");
        assert!(text("name", Some("a\nb"), 10).is_err());
        assert_eq!(text("name", Some("  "), 10).ok(), Some(None));
        let twice = ["A@b.test".to_owned(), "a@b.test".to_owned()];
        assert_eq!(
            addresses("aliases", &twice).ok(),
            Some(vec!["a@b.test".to_owned()])
        );
        assert!(addresses("aliases", &["x".to_owned()]).is_err());
        let many = vec!["a@b.test".to_owned(); NAMES_MAX + 1];
        assert!(addresses("aliases", &many).is_err());
    }
}
