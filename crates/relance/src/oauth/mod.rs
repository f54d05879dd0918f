//! Tokens of mailboxes (OAuth 2): had with a person's leave, renewed before they end, taken back.
//!
//! A token is renewed once at a time, wherever it is asked for; a provider that does not answer is asked ever more
//! seldom. When the provider says that the leave is gone (`invalid_grant`), nothing is tried any more until a person
//! connects the mailbox again. Access and refresh tokens lie sealed in the database, so the nodes of a workspace share
//! them.
//!
//! **Absent:** what is done with a token (see [`crate::mailbox`]); signing in to Relance (see [`crate::access`]).

pub mod flow;
pub mod provider;
pub mod renew;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use relance_engine::ports::{Asset, Store, StoreError};
use relance_wire::stored::{MailToken, StoredProblem, mail_token_text, read_mail_token};
use tokio::sync::mpsc;

use crate::mailbox::book::Unready;
use crate::vault::{Vault, VaultProblem};

/// The sort of assets that tokens are; the name is the address of the mailbox.
pub const KIND: &str = "mailbox_token";
/// A token is renewed this long before it ends.
pub const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// Addresses that wait to be renewed at once.
const ASKS_MAX: usize = 1_024;

/// The place of a refresh token in the vault.
fn refresh_context(address: &str) -> String {
    format!("mailbox/{address}/refresh")
}

/// The place of an access token in the vault.
fn access_context(address: &str) -> String {
    format!("mailbox/{address}/access")
}

/// What is known of a mailbox's login.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What new ones are had for.
    pub refresh: Option<String>,
    /// The one to log in with.
    pub access: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Why the provider gives no new one.
    pub refused: Option<String>,
    /// Why none could be had the last time, and how often that was so.
    pub failing: Option<(String, u32, Timestamp)>,
    /// The vault is shut.
    pub shut: Option<VaultProblem>,
    /// When it was renewed here.
    pub renewed_at: Option<Timestamp>,
}

impl Known {
    /// Whether it lasts a while.
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.access.is_some()
            && self
                .expires_at
                .is_none_or(|at| now.checked_add(RENEW_BEFORE).is_ok_and(|soon| at > soon))
    }

    /// As it is kept.
    pub fn asset(&self, address: &str, vault: &Vault) -> Result<Asset, KeepProblem> {
        let sealed = |context: String, text: &Option<String>| {
            let text = text.as_ref();
            text.map(|text| vault.seal(&context, text.as_bytes()))
                .transpose()
        };
        let token = MailToken {
            refresh: sealed(refresh_context(address), &self.refresh)?,
            access: sealed(access_context(address), &self.access)?,
            expires_at: self.expires_at,
            refused: self.refused.clone(),
        };
        Ok(Asset {
            kind: KIND.to_owned(),
            name: address.to_owned(),
            body: Some(mail_token_text(&token)?),
        })
    }

    /// From what is kept.
    pub fn open(address: &str, body: &str, vault: &Vault) -> Result<Self, KeepProblem> {
        let kept = read_mail_token(body)?;
        let opened = |context: String, sealed: Option<String>| {
            sealed
                .map(|sealed| vault.open_text(&context, &sealed))
                .transpose()
        };
        let refresh = opened(refresh_context(address), kept.refresh);
        let access = opened(access_context(address), kept.access);
        Ok(match (refresh, access) {
            (Ok(refresh), Ok(access)) => Self {
                refresh,
                access,
                expires_at: kept.expires_at,
                refused: kept.refused,
                ..Self::default()
            },
            (Err(problem), _) | (_, Err(problem)) => Self {
                shut: Some(problem),
                ..Self::default()
            },
        })
    }
}

/// Why a token is not kept or not read.
#[derive(Debug, thiserror::Error)]
pub enum KeepProblem {
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultProblem),
    /// Its text.
    #[error(transparent)]
    Stored(#[from] StoredProblem),
}

/// The tokens of a workspace.
#[derive(Default)]
pub struct Tokens {
    now: RwLock<BTreeMap<String, Known>>,
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    asks: OnceLock<mpsc::Sender<String>>,
}

impl Tokens {
    /// Reads them anew.
    pub fn reload(&self, store: &mut impl Store, vault: &Vault) -> Result<(), StoreError> {
        let kept = store.assets(KIND)?;
        let mut all = BTreeMap::new();
        for asset in kept {
            let Some(body) = asset.body.as_deref() else {
                continue;
            };
            match Known::open(&asset.name, body, vault) {
                Ok(known) => {
                    all.insert(asset.name, known);
                }
                Err(problem) => tracing::error!(%problem, "a token of a mailbox cannot be read"),
            }
        }
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        // How often it failed is known here alone.
        for (address, known) in &mut all {
            let old = now.get(address).filter(|old| old.refresh == known.refresh);
            known.failing = old.and_then(|old| old.failing.clone());
            known.renewed_at = old.and_then(|old| old.renewed_at);
        }
        *now = all;
        Ok(())
    }

    /// The access token of a mailbox, or why there is none.
    pub fn now(&self, address: &str) -> Result<String, Unready> {
        let unready = |code, text: String| Err(Unready { code, text });
        let known = self.known(address).unwrap_or_default();
        if let Some(problem) = known.shut {
            return unready("no_secret_key", problem.to_string());
        }
        if let Some(refused) = known.refused {
            let text = format!("the provider says {refused}: connect the mailbox again");
            return unready("connect_again", text);
        }
        match (known.access, known.failing) {
            (Some(access), _) => Ok(access),
            (None, Some((text, _, _))) => unready("no_token", text),
            (None, None) => unready("no_token", "a token is being asked for".to_owned()),
        }
    }

    /// What is known of a mailbox's login.
    pub fn known(&self, address: &str) -> Option<Known> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.get(address).cloned()
    }

    /// It is this from now on.
    pub fn put(&self, address: &str, known: Option<Known>) {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(known) => now.insert(address.to_owned(), known),
            None => now.remove(address),
        };
    }

    /// One at a time for each mailbox.
    fn turn(&self, address: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(address.to_owned()).or_default().clone()
    }

    /// A server refused the token of a mailbox: another one is asked for.
    pub fn ask(&self, address: &str) {
        if let Some(asks) = self.asks.get() {
            // When so many wait, this one's turn comes with the next refusal.
            let _full = asks.try_send(address.to_owned());
        }
    }

    fn listen(&self) -> Option<mpsc::Receiver<String>> {
        let (asks, heard) = mpsc::channel(ASKS_MAX);
        self.asks.set(asks).ok().map(|()| heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_sealed_and_opens_for_its_mailbox_alone() {
        let vault = Vault::of_chance().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let known = Known {
            refresh: Some("1//refresh".to_owned()),
            access: Some("ya29.access".to_owned()),
            expires_at: Some(now + SignedDuration::from_hours(1)),
            ..Known::default()
        };
        let asset = known.asset("anna@shop.test", &vault).unwrap();
        let body = asset.body.unwrap();
        assert!(!body.contains("refresh\":\"1//") && !body.contains("ya29"));
        let read = Known::open("anna@shop.test", &body, &vault).unwrap();
        assert!(read == known);
        let other = Known::open("boris@shop.test", &body, &vault).unwrap();
        assert!(other.access.is_none() && other.shut.is_some());
        assert!(known.lasts(now));
        assert!(!known.lasts(now + SignedDuration::from_mins(56)));
    }

    #[test]
    fn why_there_is_no_token_is_said() {
        let tokens = Tokens::default();
        assert_eq!(tokens.now("a@b.test").unwrap_err().code, "no_token");
        let refused = Known {
            access: Some("x".to_owned()),
            refused: Some("invalid_grant".to_owned()),
            ..Known::default()
        };
        tokens.put("a@b.test", Some(refused));
        assert_eq!(tokens.now("a@b.test").unwrap_err().code, "connect_again");
        tokens.put(
            "a@b.test",
            Some(Known {
                access: Some("x".to_owned()),
                ..Known::default()
            }),
        );
        assert_eq!(tokens.now("a@b.test").as_deref(), Ok("x"));
    }
}
