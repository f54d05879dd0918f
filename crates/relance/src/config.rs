//! `relance.toml`: what the operator decides. Everything has a default but the mail servers.
//!
//! A secret may stand in the file, in a file of its own (`password_file`) or in the environment
//! (`password_env`); the last two keep it out of backups.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use relance_core::typed::TraitType;
use relance_message::outbound::{RECIPIENTS_MAX, is_address};
use relance_store::postgres::Lease;
use relance_store::{DatabaseUrl, Place};
use serde::Deserialize;

pub use self::oauth::{OauthClientConfig, OauthClientsConfig};
use crate::segments::order::RfmConfig;
use crate::workspace::DATABASE;

mod oauth;

/// The file's name inside the data folder.
pub const FILE_NAME: &str = "relance.toml";

/// The variable of the environment that names the database before the file does.
pub const STORE_URL: &str = "RELANCE_STORE_URL";
/// The environment's word for `store.node`, so that nodes may share one configuration.
pub const STORE_NODE: &str = "RELANCE_STORE_NODE";
/// Longest name of a node.
const NODE_BYTES_MAX: usize = 63;
/// How long a node may be silent, unless it is said otherwise.
const LEASE_SECONDS: u64 = 6;
/// Shorter, and a slow disk loses the work; longer, and a lost node is missed for too long.
const LEASE_SECONDS_RANGE: std::ops::RangeInclusive<u64> = 2..=600;

/// People of ours in one file.
pub const USERS_MAX: usize = 1_000;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who we are.
    pub workspace: WorkspaceConfig,
    /// Where the database is.
    pub store: StoreConfig,
    /// The route of messages that do not come from a salesperson's mailbox.
    pub smtp: Option<SmtpConfig>,
    /// Keys that messages are signed with, by the domain of the sender.
    pub dkim: Vec<DkimConfig>,
    /// Watched mailboxes of salespeople.
    pub mailbox: Vec<MailboxConfig>,
    /// People of ours: who is told, who agrees.
    pub user: Vec<UserConfig>,
    /// When a channel may not be used: `email = "21:00-09:00"`.
    pub quiet_hours: BTreeMap<String, QuietConfig>,
    /// How many messages are enough.
    pub cap: Vec<CapConfig>,
    /// How sign-ups are confirmed.
    pub consent: ConsentConfig,
    /// What is kept of imports.
    pub import: crate::import::leftovers::ImportConfig,
    /// Types of traits: `text`, `number`, `bool`, `date`, `moment`, `list`.
    pub traits: BTreeMap<String, TraitType>,
    /// Topics that contacts choose among, in the order in which they are shown.
    pub topic: Vec<TopicConfig>,
    /// A provider by which users sign in.
    pub oidc: Option<OidcConfig>,
    /// What this server is called at providers of mail, to be let into mailboxes.
    pub oauth_clients: OauthClientsConfig,
    /// Other addresses of those providers, by `google` and `microsoft`.
    pub oauth_endpoints: BTreeMap<String, EndpointsConfig>,
    /// What holds for all mailboxes.
    pub mailboxes: MailboxesConfig,
    /// What an order is, for recency, frequency and money.
    pub rfm: RfmConfig,
    /// What follow-ups cost, for the report that sets it against what they brought.
    pub costs: CostsConfig,
}

/// What follow-ups cost. Without a currency nothing is reckoned.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostsConfig {
    /// ISO 4217; empty: costs are not known.
    pub currency: String,
    /// What the program costs a month, with the server and whoever looks after it.
    pub month: f64,
    /// What one message costs.
    pub message: f64,
    /// Minutes that a salesperson spends on a reminder: reading, agreeing, correcting.
    pub minutes: f64,
    /// What an hour of a salesperson costs.
    pub hour: f64,
}

impl CostsConfig {
    /// What one reminder costs.
    pub fn of_reminder(&self) -> f64 {
        self.message + self.minutes / 60.0 * self.hour
    }
}

/// How sign-ups are confirmed.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsentConfig {
    /// Topics whose sign-ups the owner of the address must confirm; `email` is the channel as a whole.
    pub double_opt_in: Vec<String>,
    /// Questions to one contact within 24 hours.
    pub confirmations_per_day: u8,
    /// Days for which a question stands.
    pub confirm_within_days: u16,
}

impl Default for ConsentConfig {
    fn default() -> Self {
        Self {
            double_opt_in: Vec::new(),
            confirmations_per_day: 3,
            confirm_within_days: 7,
        }
    }
}

/// A topic that contacts choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicConfig {
    /// As journeys and templates name it.
    pub id: String,
    /// What contacts read, by language.
    #[serde(default)]
    pub name: BTreeMap<String, String>,
    /// A sentence more.
    #[serde(default)]
    pub description: BTreeMap<String, String>,
}

/// Who we are.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkspaceConfig {
    /// For people.
    pub name: String,
    /// The zone of contacts that tell none.
    pub zone: String,
    /// The calendar of contacts that tell none: `ru`, `jp`, `de`, `us`, `gb`.
    pub calendar: String,
    /// The language of contacts that tell none.
    pub language: String,
    /// The country of telephone numbers without a country code: two letters.
    pub country: Option<String>,
    /// How recipients reach this server: links and pixels begin with it.
    pub public_url: String,
    /// The sender of messages that do not come from a salesperson's mailbox.
    pub address: Option<String>,
    /// The name beside it.
    pub from_name: Option<String>,
    /// Domains of the own company: their people are never contacted, their mail is never a reply.
    pub internal_domains: Vec<String>,
    /// Topics that need a granted consent.
    pub opt_in_topics: Vec<String>,
    /// How long a question for approval stands.
    pub approval_expiry: String,
    /// `smtp` sends; `outbox` writes every message into the folder `outbox` and sends nothing.
    pub delivery: Delivery,
    /// What service messages must ask all the same: `consent`, `holdout`, `caps`, `quiet_hours`.
    pub service_asks: Vec<String>,
    /// Share of contacts that no journey writes to, so that all journeys together can be judged.
    pub holdout: String,
}

/// Where the database is; without it a file in the data folder.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME&sslmode=require`.
    pub url: Option<String>,
    /// A file that holds the URL, which keeps its password out of backups of this one.
    pub url_file: Option<PathBuf>,
    /// This program's name among several that share the database of a server: another for each, the same after a
    /// restart. Without it the program works alone.
    pub node: Option<String>,
    /// How long a node may be silent before others take over its work.
    pub lease_seconds: Option<u64>,
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreConfig(hidden)")
    }
}

/// Where messages go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// To mail servers.
    #[default]
    Smtp,
    /// Into a folder.
    Outbox,
}

impl Delivery {
    /// Its word in the file and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Outbox => "outbox",
        }
    }

    /// What a word means.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Smtp, Self::Outbox]
            .into_iter()
            .find(|one| one.word() == word)
    }
}

impl Default for WorkspaceConfig {
    fn default() -> Self {
        Self {
            name: "My company".to_owned(),
            zone: "UTC".to_owned(),
            calendar: "none".to_owned(),
            language: "en".to_owned(),
            country: None,
            public_url: "http://127.0.0.1:8080".to_owned(),
            address: None,
            from_name: None,
            internal_domains: Vec::new(),
            opt_in_topics: Vec::new(),
            approval_expiry: "7d".to_owned(),
            delivery: Delivery::Smtp,
            service_asks: Vec::new(),
            holdout: "0%".to_owned(),
        }
    }
}

/// A mail server to submit to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// Certificates to believe beside the public ones, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The name given in EHLO.
    #[serde(default = "default_helo")]
    pub helo: String,
    /// Who logs in.
    pub user: Option<String>,
    /// With what.
    #[serde(flatten)]
    pub secret: SecretConfig,
    /// Connections at once.
    pub connections_max: Option<u16>,
    /// Messages a second.
    pub per_second_max: Option<u32>,
    /// Messages an hour.
    pub per_hour_max: Option<u32>,
}

/// The name given in EHLO, unless another is set.
pub(crate) fn default_helo() -> String {
    "localhost".to_owned()
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// By STARTTLS; refused when not offered.
    #[default]
    Starttls,
    /// Not at all: for a server on the same machine.
    None,
}

/// A password or token, in one of four places.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SecretConfig {
    password: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    /// A file with an OAuth 2 access token, read anew for each connection.
    token_file: Option<PathBuf>,
    /// Why a sealed one does not open.
    #[serde(skip)]
    shut: Option<String>,
}

impl std::fmt::Debug for SecretConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretConfig(hidden)")
    }
}

/// A password or an OAuth 2 token.
#[derive(Clone)]
pub enum Credential {
    /// A password.
    Password(String),
    /// An access token.
    Token(String),
}

impl SecretConfig {
    /// A password that is at hand.
    pub fn of(password: String) -> Self {
        Self {
            password: Some(password),
            ..Self::default()
        }
    }

    /// One that is sealed and does not open, with the reason: whatever needs it waits for the key.
    pub fn shut(reason: String) -> Self {
        Self {
            shut: Some(reason),
            ..Self::default()
        }
    }

    /// Why it does not open, where it is sealed.
    pub fn why_shut(&self) -> Option<&str> {
        self.shut.as_deref()
    }

    /// Whether one is set, wherever it stands.
    pub const fn is_set(&self) -> bool {
        self.shut.is_some()
            || self.password.is_some()
            || self.password_file.is_some()
            || self.password_env.is_some()
            || self.token_file.is_some()
    }

    /// The secret, if one is set.
    pub fn read(&self, field: &str, base: &Path) -> Result<Option<Credential>, ConfigProblem> {
        let file = |path: &Path| {
            std::fs::read_to_string(base.join(path))
                .map(|text| text.trim().to_owned())
                .map_err(|error| ConfigProblem::Field {
                    field: field.to_owned(),
                    what: format!("cannot read {}: {error}", path.display()),
                })
        };
        if let Some(reason) = &self.shut {
            return Err(ConfigProblem::Field {
                field: field.to_owned(),
                what: reason.clone(),
            });
        }
        if let Some(path) = &self.token_file {
            return file(path).map(|token| Some(Credential::Token(token)));
        }
        if let Some(path) = &self.password_file {
            return file(path).map(|password| Some(Credential::Password(password)));
        }
        if let Some(name) = &self.password_env {
            return match std::env::var(name) {
                Ok(password) => Ok(Some(Credential::Password(password))),
                Err(_) => Err(ConfigProblem::Field {
                    field: field.to_owned(),
                    what: format!("the environment has no {name}; set it, or use password_file"),
                }),
            };
        }
        Ok(self.password.clone().map(Credential::Password))
    }
}

/// A key that messages are signed with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimConfig {
    /// The domain of the sender.
    pub domain: String,
    /// The selector in its DNS.
    pub selector: String,
    /// The private key: PEM (RSA) or base64 seed (Ed25519).
    pub key_file: PathBuf,
    /// Which kind of key.
    #[serde(default)]
    pub kind: DkimKind,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DkimKind {
    /// RSA-2048, which every receiver checks.
    #[default]
    Rsa,
    /// Ed25519, as a second signature.
    Ed25519,
}

/// A salesperson's mailbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxConfig {
    /// Its address.
    pub address: String,
    /// The salesperson's name, as recipients see it.
    pub name: Option<String>,
    /// Where it is read.
    pub imap: ImapConfig,
    /// How it sends; without it the workspace's route is used.
    pub smtp: Option<SmtpConfig>,
    /// The folder of sent mail, as people read it; found by its mark and name, when missing.
    pub sent_folder: Option<String>,
    /// Other addresses that it sends as.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Users who work with it, when it is shared.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A mail server to read from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImapConfig {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// Certificates to believe beside the public ones, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Who logs in; the address, when missing.
    pub user: Option<String>,
    /// With what.
    #[serde(flatten)]
    pub secret: SecretConfig,
    /// How far back the first reading looks.
    #[serde(default = "default_look_back_days")]
    pub look_back_days: u16,
}

fn default_look_back_days() -> u16 {
    90
}

/// One of ours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// The address that names them: in `owner`, in `notify`.
    pub address: String,
    /// For people.
    pub name: Option<String>,
    /// What `role:` in journeys means: `head`.
    pub role: Option<String>,
    /// The language of what they are told; the workspace's, when missing.
    pub language: Option<String>,
    /// Who answers in their place, by address.
    pub deputy: Option<String>,
}

/// A provider by which users sign in (OpenID Connect).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// Its address, as it names itself: `https://accounts.example.com`.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// A file with the secret that it gave to this server.
    pub client_secret_file: Option<PathBuf>,
    /// What the button says.
    #[serde(default = "default_provider_name")]
    pub name: String,
    /// What users become who are not known yet; without it they are not let in.
    pub role: Option<String>,
}

/// Where a provider of mail is asked for tokens, where not at its own places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointsConfig {
    /// Where the person agrees.
    pub auth: Option<String>,
    /// Where tokens are had.
    pub token: Option<String>,
    /// Where a leave is taken back.
    pub revoke: Option<String>,
    /// Where its mailboxes are read.
    pub imap: Option<relance_wire::stored::MailServer>,
    /// How they send.
    pub smtp: Option<relance_wire::stored::MailServer>,
}

/// What holds for all mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailboxesConfig {
    /// Whether everyone may connect mailboxes of servers in private networks; otherwise admins alone.
    pub private_hosts: bool,
    /// How long a mailbox may be silent before people are told: `30m`.
    pub alert_after: String,
    /// Whether servers are looked for on the internet by the address of a mailbox.
    pub discovery: bool,
}

impl Default for MailboxesConfig {
    fn default() -> Self {
        Self {
            private_hosts: false,
            alert_after: "30m".to_owned(),
            discovery: true,
        }
    }
}

fn default_provider_name() -> String {
    "SSO".to_owned()
}

/// A frequency cap.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapConfig {
    /// One channel, or all together.
    pub channel: Option<String>,
    /// One topic, or all together.
    pub topic: Option<String>,
    /// Civil days, today included; or `per`.
    pub days: Option<u16>,
    /// `day`, `week` (7 days) or `month` (30 days).
    pub per: Option<String>,
    /// Messages in them.
    pub most: u32,
}

/// Hours at which a channel rests: the same every day, or by weekday.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum QuietConfig {
    /// `21:00-09:00`.
    Daily(String),
    /// Each with its days.
    Periods(Vec<QuietPeriod>),
}

/// Quiet hours of some weekdays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietPeriod {
    /// `mon-fri`, `sat,sun`, `weekends`; left out: every day.
    pub days: Option<String>,
    /// `21:00-09:00`.
    pub hours: String,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigProblem {
    /// The file cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not TOML of this shape; the text names line and field.
    #[error("{path}: {text}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// The parser's words.
        text: String,
    },
    /// A field's value is of no use.
    #[error("{FILE_NAME}: {field}: {what}")]
    Field {
        /// Which.
        field: String,
        /// What is wrong, and what to do.
        what: String,
    },
}

impl Config {
    /// Reads the file of a data folder; a missing file is the default.
    pub fn load(data: &Path) -> Result<Self, ConfigProblem> {
        let path = data.join(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let config = Self::parse(&text).map_err(|error| ConfigProblem::Malformed {
                    path,
                    text: error.to_string(),
                })?;
                config.check_users()?;
                crate::access::oidc::check(&config)?;
                config.rfm.check()?;
                Ok(config)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ConfigProblem::Unreadable { path, error }),
        }
    }

    /// Where the database of a data folder is.
    pub fn place(&self, data: &Path) -> Result<Place, ConfigProblem> {
        let set = std::env::var(STORE_URL).ok().filter(|url| !url.is_empty());
        let (name, url) = match (set, &self.store.url, &self.store.url_file) {
            (Some(url), _, _) => (STORE_URL, url),
            (None, Some(_), Some(_)) => {
                let what = "both it and store.url_file are set; keep one of them";
                return Err(field("store.url", what));
            }
            (None, Some(url), None) => ("store.url", url.clone()),
            (None, None, Some(path)) => {
                let text = std::fs::read_to_string(data.join(path)).map_err(|error| {
                    let what = format!("cannot read {}: {error}", path.display());
                    field("store.url_file", what)
                })?;
                ("store.url_file", text.trim().to_owned())
            }
            (None, None, None) => return Ok(Place::File(data.join(DATABASE))),
        };
        let url = DatabaseUrl::parse(&url).map_err(|problem| field(name, problem))?;
        Ok(Place::Server(url))
    }

    /// What this program is among several that share the database; `None` where it works alone.
    pub fn lease(&self, place: &Place) -> Result<Option<Lease>, ConfigProblem> {
        let set = std::env::var(STORE_NODE)
            .ok()
            .filter(|name| !name.is_empty());
        let (what, name) = match (set, &self.store.node) {
            (Some(name), _) => (STORE_NODE, name),
            (None, Some(name)) => ("store.node", name.clone()),
            (None, None) => return Ok(None),
        };
        if matches!(place, Place::File(_)) {
            let problem = "nodes share the database of a server, not a file; set store.url, or leave the name out";
            return Err(field(what, problem));
        }
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > NODE_BYTES_MAX || !name.bytes().all(is_letter) {
            let problem = format!(
                "{name:?} is no name; use at most {NODE_BYTES_MAX} letters, digits, -, _ and ."
            );
            return Err(field(what, problem));
        }
        let seconds = self.store.lease_seconds.unwrap_or(LEASE_SECONDS);
        if !LEASE_SECONDS_RANGE.contains(&seconds) {
            let problem = format!(
                "{seconds} is out of range; use {} to {}",
                LEASE_SECONDS_RANGE.start(),
                LEASE_SECONDS_RANGE.end()
            );
            return Err(field("store.lease_seconds", problem));
        }
        Ok(Some(Lease {
            name,
            ttl: Duration::from_secs(seconds),
        }))
    }

    /// Parses the file's text.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Whether the users can be told apart and reached.
    fn check_users(&self) -> Result<(), ConfigProblem> {
        let problem = |place: usize, field: &str, what: String| {
            Err(ConfigProblem::Field {
                field: format!("user[{place}].{field}"),
                what,
            })
        };
        if self.user.len() > USERS_MAX {
            let what = format!("more than {USERS_MAX} users; list those who are told or agree");
            return problem(USERS_MAX, "address", what);
        }
        let mut known = BTreeSet::new();
        let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, user) in self.user.iter().enumerate() {
            if !is_address(&user.address) {
                let what = format!("{:?} is no address; write anna@example.com", user.address);
                return problem(place, "address", what);
            }
            if !known.insert(user.address.to_lowercase()) {
                let what = format!("{} stands twice; keep one of them", user.address);
                return problem(place, "address", what);
            }
            let Some(role) = &user.role else { continue };
            let of_role = roles.entry(role).or_default();
            *of_role += 1;
            if *of_role > RECIPIENTS_MAX {
                let what = format!(
                    "more than {RECIPIENTS_MAX} users of the role {role:?}; one message to them all would not be taken"
                );
                return problem(place, "role", what);
            }
        }
        for (place, user) in self.user.iter().enumerate() {
            if let Some(deputy) = &user.deputy
                && (!known.contains(&deputy.to_lowercase())
                    || deputy.eq_ignore_ascii_case(&user.address))
            {
                let what = format!("{deputy} is no other user; add a [[user]] with that address");
                return problem(place, "deputy", what);
            }
        }
        Ok(())
    }
}

/// What is wrong with one field.
pub(crate) fn field(name: &str, what: impl ToString) -> ConfigProblem {
    ConfigProblem::Field {
        field: name.to_owned(),
        what: what.to_string(),
    }
}

#[cfg(test)]
mod tests;
