//! Mailboxes: how they fare, how they are connected. Answers and questions of the API.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::stored::{MailServer, MailTls};

/// All mailboxes that the caller may see.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MailboxPage {
    /// By address.
    pub items: Vec<Mailbox>,
    /// There is no more.
    pub next: Option<String>,
    /// Providers of tokens that are set up: `google`, `microsoft`.
    pub oauth: Vec<String>,
    /// Mailboxes that were removed and not forgotten: reminders that depend on them are held.
    pub gone: Vec<MailboxGone>,
}

/// A mailbox that was removed, and what waits for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MailboxGone {
    /// Its address.
    pub address: String,
    /// When it was last read whole.
    #[schema(required)]
    pub synced_at: Option<String>,
    /// Reminders that are held until it is read.
    pub waiting: u64,
    /// Whether all of them were counted.
    pub exact: bool,
}

/// What becomes of what waits for a removed mailbox.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetPost {
    /// `go_on`: reminders go on as if the mailbox had never been watched; `leave_out`: those about what was sent from
    /// it are left out.
    pub waiting: String,
}

/// A mailbox, and how it fares.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Mailbox {
    /// Its address.
    pub address: String,
    /// What recipients see beside it.
    pub name: Option<String>,
    /// `file` (it stands in relance.toml and is changed there) or `here`.
    pub origin: String,
    /// The preset that it was made from: `gmail`, `yandex`, ...
    pub provider: Option<String>,
    /// `password` or `oauth`.
    pub auth: String,
    /// `starting`, `synchronising`, `live`, `failing`, `login_refused`, `silent` or `paused`.
    pub state: String,
    /// When it was last read whole.
    pub synced_at: Option<String>,
    /// What is wrong.
    pub failure: Option<MailboxFailure>,
    /// How far a reading has come.
    pub progress: Option<MailboxProgress>,
    /// The folders that are watched, as people read their names.
    pub folders: MailboxFolders,
    /// Reminders that are held until it is read.
    pub waiting: u64,
    /// Mails seen since the program began.
    pub seen: u64,
    /// Mails that could not be read since then.
    pub unreadable: u64,
    /// The last of them.
    pub unreadable_last: Option<String>,
    /// Other addresses that it sends as.
    pub aliases: Vec<String>,
    /// Users who work with it, when it is shared.
    pub members: Vec<String>,
    /// Where it is read.
    pub imap: MailServer,
    /// How it sends; without it by the workspace's route.
    pub smtp: Option<MailServer>,
    /// Who logs in, where it is not the address.
    pub user: Option<String>,
    /// How many days the first reading looks back.
    pub look_back_days: u16,
    /// The folder of sent mail that was chosen.
    pub sent_folder: Option<String>,
    /// Changes with each change of it, for `If-Match`.
    pub revision: String,
    /// Who changed it last.
    pub changed_by: Option<String>,
    /// When.
    pub changed_at: Option<String>,
    /// Whether the caller may change it.
    pub editable: bool,
}

/// What is wrong with a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailboxFailure {
    /// By which the page chooses its words: `password_refused`, `app_password_needed`, `imap_disabled`,
    /// `connect_again`, `too_many_connections`, `throttled`, `certificate`, `port_blocked`, `unreachable`, `protocol`,
    /// `no_secret_key`, `no_token`.
    pub code: String,
    /// The server's words, or ours.
    pub text: String,
    /// Since when.
    pub since: Option<String>,
}

/// How far a reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailboxProgress {
    /// Mails that were read.
    pub done: u64,
    /// Mails to read.
    pub total: u64,
}

/// Folders that are watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailboxFolders {
    /// What comes in.
    pub inbox: Option<String>,
    /// What was sent.
    pub sent: Option<String>,
}

/// Whose servers are looked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscoverPost {
    /// The address of the mailbox.
    pub address: String,
}

/// What was found of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Discovered {
    /// The preset: `gmail`, `yandex`, ...
    pub provider: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// `preset`, `mx`, `autoconfig`, `srv` or `guess`; `none` when nothing was found.
    pub source: String,
    /// Where it is read.
    pub imap: Option<MailServer>,
    /// How it sends.
    pub smtp: Option<MailServer>,
    /// Who logs in, where it is not the address.
    pub user: Option<String>,
    /// Ways to log in, the best first: `oauth`, `password`.
    pub auth: Vec<String>,
    /// The provider of tokens: `google`, `microsoft`.
    pub oauth: Option<String>,
    /// Whether that provider is set up here.
    pub oauth_ready: bool,
    /// What must be done first, as a code: `app_password`, `enable_imap`, `app_password_and_imap`, `oauth_only`, `none`.
    pub hint: String,
    /// Where it is done.
    pub help_url: Option<String>,
}

/// A mailbox to be tried before it is saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPost {
    /// Its address.
    pub address: String,
    /// Where it is read.
    pub imap: MailServer,
    /// How it sends.
    #[serde(default)]
    pub smtp: Option<MailServer>,
    /// Who logs in; the address, when missing.
    #[serde(default)]
    pub user: Option<String>,
    /// The password; one that is saved is used when it is missing.
    #[serde(default)]
    pub password: Option<String>,
}

/// What the trying told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Checked {
    /// Whether it can be saved.
    pub ok: bool,
    /// What was done, in order.
    pub steps: Vec<CheckStep>,
    /// Folders in which mail may lie.
    pub folders: Vec<CheckFolder>,
}

/// One step of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckStep {
    /// `connect`, `tls`, `login`, `folders` or `smtp`.
    pub step: String,
    /// Whether it went well.
    pub ok: bool,
    /// By which the page chooses its words; `ok` where it went well.
    pub code: String,
    /// The server's words, or ours.
    pub text: String,
}

/// A folder of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckFolder {
    /// Its name, as people read it.
    pub name: String,
    /// `inbox`, `sent`, or nothing of interest.
    pub role: Option<String>,
    /// Whether the server marks it so.
    pub marked: bool,
}

/// A mailbox to be connected or changed. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailboxPut {
    /// What recipients see beside the address; an empty text takes it away.
    #[serde(default)]
    pub name: Option<String>,
    /// The preset.
    #[serde(default)]
    pub provider: Option<String>,
    /// Where it is read; needed for a new one.
    #[serde(default)]
    pub imap: Option<MailServer>,
    /// How it sends; a new one without it sends by the workspace's route.
    #[serde(default)]
    pub smtp: Option<MailServer>,
    /// Who logs in; the address, when missing or empty.
    #[serde(default)]
    pub user: Option<String>,
    /// The password; left out, the one that is saved stays.
    #[serde(default)]
    pub password: Option<String>,
    /// How many days the first reading looks back: 1 to 730; 90 for a new one.
    #[serde(default)]
    pub look_back_days: Option<u16>,
    /// The folder of sent mail; an object without it lets it be found.
    #[serde(default)]
    pub folders: Option<MailboxFolders>,
    /// Other addresses that it sends as.
    #[serde(default)]
    pub aliases: Option<Vec<String>>,
    /// Users who work with it, when it is shared.
    #[serde(default)]
    pub members: Option<Vec<String>>,
}

/// A way to a provider of tokens is begun.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OauthPost {
    /// The address that is hoped for; the provider may tell another one.
    pub address: Option<String>,
}

/// A way to a provider of tokens.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OauthBegun {
    /// Where the browser goes.
    pub url: String,
}

/// What became of a mailbox that is disconnected.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MailboxRemoved {
    /// `revoked`, `failed`, `by_hand` (the provider has no way; the person does it there) or `none`.
    pub revoked: String,
    /// Where the person takes the access away.
    pub revoke_url: Option<String>,
}
