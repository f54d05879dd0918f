//! The book of mailboxes: those of `relance.toml`, and those that were connected in the interface, as they are in force.
//!
//! A mailbox that stands in the file is changed in the file; one of the same address in the database is not looked at
//! then. What makes a connected one unusable (a secret that cannot be opened, no token yet) is a state of it, not an
//! error of the whole.
//!
//! **Absent:** who may change what (see [`crate::http`]), reading itself (see [`super`]).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use relance_channels::imap::{self, FolderName, ImapAccount};
use relance_channels::smtp::{self, SmtpRoute};
use relance_engine::ports::{Store, StoreError};
use relance_wire::stored::{MailLogin, MailServer, MailTls, Mailbox, read_mailbox};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::autoconfig::presets;
use crate::config::{self, Config, ConfigProblem};
use crate::oauth::Tokens;
use crate::vault::{Vault, VaultProblem};
use crate::workspace::{account, route};

/// The sort of assets that connected mailboxes are.
pub const KIND: &str = "mailbox";
/// Mailboxes of a workspace.
pub const MAILBOXES_MAX: usize = 1_000;
/// What we call ourselves to servers that a mailbox sends by.
const HELO: &str = "localhost";
/// A file of the data folder with certificates that mail servers of the own house are signed by.
pub const AUTHORITIES: &str = "mail-ca.pem";

/// The place of a password in the vault.
pub fn password_context(address: &str) -> String {
    format!("mailbox/{address}/password")
}

/// Where a mailbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// In `relance.toml`.
    File,
    /// In the database.
    Here,
}

impl Origin {
    /// Its word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Here => "here",
        }
    }
}

/// Why a mailbox cannot be used now, by no fault of its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready {
    /// `no_secret_key`, `no_token`, `connect_again`, `unusable`.
    pub code: &'static str,
    /// In words.
    pub text: String,
}

/// A mailbox as it is in force.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Lower case.
    pub address: String,
    /// Where it stands.
    pub origin: Origin,
    /// What is kept of it.
    pub stored: Mailbox,
    /// Where it is read.
    pub account: ImapAccount,
    /// How it sends, where it has a server of its own.
    pub route: Option<SmtpRoute>,
    /// Why it cannot be used now.
    pub unready: Option<Unready>,
}

impl Entry {
    /// The provider of its tokens.
    pub fn oauth(&self) -> Option<&str> {
        match &self.stored.login {
            MailLogin::Oauth(provider) => Some(provider),
            MailLogin::Password(_) => None,
        }
    }

    /// The folder of sent mail that somebody chose.
    pub fn sent(&self) -> Option<FolderName> {
        self.stored
            .sent_folder
            .as_deref()
            .map(FolderName::from_text)
    }

    /// Who logs in.
    pub fn user(&self) -> &str {
        self.stored.user.as_deref().unwrap_or(&self.address)
    }

    /// Whether it may be read and written to.
    pub fn is_usable(&self) -> bool {
        self.unready.is_none() && !self.stored.paused
    }

    fn of_file(own: &config::MailboxConfig, data: &Path) -> Result<Self, ConfigProblem> {
        let address = own.address.to_lowercase();
        let account = account(&own.imap, &address, data)?;
        let route = own.smtp.as_ref();
        let route = route.map(|own| route_of_file(own, data)).transpose()?;
        let server = |host: &str, port, tls| MailServer {
            host: host.to_owned(),
            port,
            tls: match tls {
                config::Tls::Implicit => MailTls::Implicit,
                config::Tls::Starttls => MailTls::Starttls,
                config::Tls::None => MailTls::None,
            },
        };
        let smtp = own.smtp.as_ref();
        Ok(Self {
            stored: Mailbox {
                name: own.name.clone(),
                provider: None,
                imap: server(&own.imap.host, own.imap.port, own.imap.tls),
                smtp: smtp.map(|own| server(&own.host, own.port, own.tls)),
                user: own.imap.user.clone(),
                login: MailLogin::Password(String::new()),
                look_back_days: own.imap.look_back_days,
                sent_folder: own.sent_folder.clone(),
                aliases: own.aliases.iter().map(|own| own.to_lowercase()).collect(),
                members: own.members.iter().map(|own| own.to_lowercase()).collect(),
                paused: false,
                revision: 0,
                changed_by: String::new(),
                changed_at: jiff::Timestamp::UNIX_EPOCH,
            },
            address,
            origin: Origin::File,
            account,
            route,
            unready: None,
        })
    }

    /// A connected mailbox.
    pub fn of_stored(
        address: &str,
        stored: Mailbox,
        vault: &Vault,
        tokens: &Tokens,
        trust: &Trust,
    ) -> Self {
        let user = stored.user.clone().unwrap_or_else(|| address.to_owned());
        let (secret, unready) = match &stored.login {
            MailLogin::Password(sealed) => {
                match vault.open_text(&password_context(address), sealed) {
                    Ok(password) => (Ok(password), None),
                    Err(problem) => {
                        let code = match problem {
                            VaultProblem::Lost { .. } => "secret_lost",
                            VaultProblem::Damaged
                            | VaultProblem::Missing { .. }
                            | VaultProblem::Other { .. }
                            | VaultProblem::Unusable { .. }
                            | VaultProblem::NoChance(_) => "no_secret_key",
                        };
                        let text = problem.to_string();
                        (Ok(String::new()), Some(Unready { code, text }))
                    }
                }
            }
            MailLogin::Oauth(_) => match tokens.now(address) {
                Ok(token) => (Err(token), None),
                Err(unready) => (Err(String::new()), Some(unready)),
            },
        };
        let (account, route) = connections(&stored, &user, &secret, trust);
        Self {
            address: address.to_owned(),
            origin: Origin::Here,
            stored,
            account,
            route,
            unready,
        }
    }
}

fn route_of_file(own: &config::SmtpConfig, data: &Path) -> Result<SmtpRoute, ConfigProblem> {
    route(own, data, "mailbox.smtp")
}

/// Certificates that are believed beside the public ones.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    roots: Vec<CertificateDer<'static>>,
    pem: Option<String>,
}

impl Trust {
    /// Those of the data folder; a file that cannot be read is none, and said.
    pub fn load(data: &Path) -> Self {
        let Ok(pem) = std::fs::read_to_string(data.join(AUTHORITIES)) else {
            return Self::default();
        };
        match CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>() {
            Ok(roots) => Self {
                roots,
                pem: Some(pem),
            },
            Err(error) => {
                tracing::error!(%error, "{AUTHORITIES} in the data folder holds no certificates");
                Self::default()
            }
        }
    }
}

/// The ways to a mailbox's servers, with a password (`Ok`) or a token (`Err`).
pub fn connections(
    stored: &Mailbox,
    user: &str,
    secret: &Result<String, String>,
    trust: &Trust,
) -> (ImapAccount, Option<SmtpRoute>) {
    let login = match secret {
        Ok(password) => imap::Login::password(user, password.clone()),
        Err(token) => imap::Login::xoauth2(user, token.clone()),
    };
    let tls = match stored.imap.tls {
        MailTls::Implicit => imap::Tls::Implicit,
        MailTls::Starttls => imap::Tls::StartTls,
        MailTls::None => imap::Tls::None,
    };
    let mut account = ImapAccount::new(stored.imap.host.as_str(), stored.imap.port, tls, login);
    account.trust.extra_roots = trust.roots.clone();
    let route = stored.smtp.as_ref().map(|server| {
        let tls = match server.tls {
            MailTls::Implicit => smtp::Tls::Implicit,
            MailTls::Starttls => smtp::Tls::StartTls,
            MailTls::None => smtp::Tls::None,
        };
        let mut route = SmtpRoute::new(server.host.as_str(), server.port, tls, HELO);
        if let Some(pem) = &trust.pem {
            route.trust = smtp::Trust::WebRootsAnd {
                authorities_pem: pem.clone(),
            };
        }
        let user = user.to_owned();
        route.auth = match secret {
            Ok(password) => smtp::Auth::Password {
                user,
                secret: smtp::Secret::new(password.clone()),
            },
            Err(token) => smtp::Auth::XOAuth2 {
                user,
                token: smtp::Secret::new(token.clone()),
            },
        };
        route
    });
    (account, route)
}

/// All mailboxes of a workspace.
pub struct Book {
    file: Vec<Arc<Entry>>,
    now: RwLock<BTreeMap<String, Arc<Entry>>>,
    /// Certificates that are believed beside the public ones.
    pub trust: Trust,
}

impl Book {
    /// Those of the file; [`reload`](Self::reload) brings the others.
    pub fn new(config: &Config, data: &Path) -> Result<Self, ConfigProblem> {
        let file: Vec<Arc<Entry>> = config
            .mailbox
            .iter()
            .map(|own| Entry::of_file(own, data).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let now = file.iter().map(|own| (own.address.clone(), own.clone()));
        Ok(Self {
            now: RwLock::new(now.collect()),
            file,
            trust: Trust::load(data),
        })
    }

    /// Reads the connected ones anew: another program may have changed some.
    pub fn reload(
        &self,
        store: &mut impl Store,
        vault: &Vault,
        tokens: &Tokens,
    ) -> Result<(), StoreError> {
        tokens.reload(store, vault)?;
        let texts = store.assets(KIND)?;
        let texts = texts
            .iter()
            .filter_map(|asset| Some((asset.name.as_str(), asset.body.as_deref()?)));
        self.fill(texts, vault, tokens);
        Ok(())
    }

    /// Lays down what the texts say.
    fn fill<'a>(
        &self,
        texts: impl Iterator<Item = (&'a str, &'a str)>,
        vault: &Vault,
        tokens: &Tokens,
    ) {
        let mut all = BTreeMap::new();
        for (address, body) in texts.take(MAILBOXES_MAX) {
            match read_mailbox(body) {
                Ok(stored) => {
                    let entry = Entry::of_stored(address, stored, vault, tokens, &self.trust);
                    all.insert(address.to_owned(), Arc::new(entry));
                }
                Err(problem) => tracing::error!(%problem, "a mailbox cannot be read"),
            }
        }
        // What the operator wrote counts.
        all.extend(
            self.file
                .iter()
                .map(|own| (own.address.clone(), own.clone())),
        );
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    /// A mailbox was changed or removed here.
    pub fn put(&self, address: &str, entry: Option<Entry>) {
        if self.file.iter().any(|own| own.address == address) {
            return;
        }
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        match entry {
            Some(entry) => now.insert(address.to_owned(), Arc::new(entry)),
            None => now.remove(address),
        };
    }

    /// A token was renewed, or is no more to be had.
    pub fn renew(&self, address: &str, vault: &Vault, tokens: &Tokens) {
        let Some(entry) = self.find(address) else {
            return;
        };
        if entry.origin == Origin::Here {
            let stored = entry.stored.clone();
            let fresh = Entry::of_stored(address, stored, vault, tokens, &self.trust);
            self.put(address, Some(fresh));
        }
    }

    /// All of them, by address.
    pub fn all(&self) -> Vec<Arc<Entry>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.values().cloned().collect()
    }

    /// One by its address.
    pub fn find(&self, address: &str) -> Option<Arc<Entry>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.get(&address.to_lowercase()).cloned()
    }

    /// Where copies of what an address sends are filed, and in which folder. `None` where nothing is to be filed.
    pub fn filing(&self, address: &str) -> Option<(ImapAccount, Option<FolderName>)> {
        let entry = self.find(address)?;
        let preset = entry.stored.provider.as_deref().and_then(presets::by_id);
        // It files what it sends by itself: a second copy would be seen.
        let keeps = entry.route.is_some() && preset.is_some_and(|preset| preset.keeps_sent);
        if keeps {
            return None;
        }
        self.searching(address)
    }

    /// Where copies of what an address sent are looked for. `None` where nothing can be found now.
    pub fn searching(&self, address: &str) -> Option<(ImapAccount, Option<FolderName>)> {
        let entry = self.find(address).filter(|entry| entry.is_usable())?;
        Some((entry.account.clone(), entry.sent()))
    }

    /// Whether what an address sends goes by the workspace's route.
    pub fn sends_by_workspace(&self, address: &str) -> bool {
        self.find(address).is_some_and(|entry| {
            entry.origin == Origin::Here && entry.route.is_none() && entry.is_usable()
        })
    }

    /// Addresses that are ours because we read or send as them.
    pub fn own_addresses(&self) -> impl Iterator<Item = String> {
        self.all().into_iter().flat_map(|entry| {
            let aliases = entry.stored.aliases.clone();
            std::iter::once(entry.address.clone()).chain(aliases)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn stored(vault: &Vault, address: &str) -> Mailbox {
        let sealed = vault.seal(&password_context(address), b"hunter2").unwrap();
        Mailbox {
            name: None,
            provider: None,
            imap: MailServer {
                host: "imap.shop.test".to_owned(),
                port: 993,
                tls: MailTls::Implicit,
            },
            smtp: None,
            user: None,
            login: MailLogin::Password(sealed),
            look_back_days: 90,
            sent_folder: None,
            aliases: vec!["sales@shop.test".to_owned()],
            members: Vec::new(),
            paused: false,
            revision: 1,
            changed_by: "anna@shop.test".to_owned(),
            changed_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_file_counts_and_a_secret_of_another_mailbox_opens_nothing() {
        let config = Config::parse(
            "[[mailbox]]\naddress = \"Anna@shop.test\"\nimap = { host = \"file.test\", port = 993, password = \"x\" }\n",
        )
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let book = Book::new(&config, folder.path()).unwrap();
        let vault = Vault::of_chance().unwrap();
        let tokens = Tokens::default();
        let anna = relance_wire::stored::mailbox_text(&stored(&vault, "anna@shop.test")).unwrap();
        let texts = [
            ("anna@shop.test", anna.as_str()),
            ("boris@shop.test", &anna),
        ];
        book.fill(texts.into_iter(), &vault, &tokens);
        assert_eq!(
            book.find("ANNA@shop.test").unwrap().account.host,
            "file.test"
        );
        let boris = book.find("boris@shop.test").unwrap();
        assert_eq!(boris.unready.as_ref().unwrap().code, "no_secret_key");
        assert!(book.filing("boris@shop.test").is_none());
        let right = stored(&vault, "boris@shop.test");
        let right = Entry::of_stored("boris@shop.test", right, &vault, &tokens, &book.trust);
        book.put("boris@shop.test", Some(right));
        assert!(book.filing("boris@shop.test").is_some());
        assert!(book.own_addresses().any(|own| own == "sales@shop.test"));
        book.put("boris@shop.test", None);
        book.put("anna@shop.test", None);
        assert_eq!(book.all().len(), 1, "what stands in the file stays");
    }
}
