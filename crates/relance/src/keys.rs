//! Keys of a workspace: write keys for events, tokens for the management API. Shown once, stored hashed.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use relance_engine::ports::{Asset, Store, StoreError};

use crate::workspace::{decode, encode, random_secret};

/// The sort of assets that keys are.
pub const KIND: &str = "key";
/// The sort of assets that the workspace's own secrets are.
pub const SECRET: &str = "secret";
/// The asset that signs links.
const LINK_SECRET: &str = "link-secret";

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Sends events; may stand in a web page.
    Write,
    /// Everything of the management API.
    Admin,
}

impl Scope {
    /// How a key of this scope begins, so that people see which is which.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Write => "wk_",
            Self::Admin => "at_",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// The keys in force, by hash.
#[derive(Debug, Default)]
pub struct Keys(RwLock<BTreeMap<[u8; 32], Scope>>);

impl Keys {
    /// Reads the keys of a database.
    pub fn load(store: &mut impl Store) -> Result<Self, StoreError> {
        let keys = Self::default();
        keys.reload(store)?;
        Ok(keys)
    }

    /// Reads them anew: another program may have made some.
    pub fn reload(&self, store: &mut impl Store) -> Result<(), StoreError> {
        let mut keys = BTreeMap::new();
        for asset in store.assets(KIND)? {
            let scope = match asset.body.as_deref() {
                Some("write") => Scope::Write,
                Some("admin") => Scope::Admin,
                Some(_) | None => continue,
            };
            if let Ok(hash) = blake3::Hash::from_hex(&asset.name) {
                keys.insert(*hash.as_bytes(), scope);
            }
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Whether a key opens this. Keys are looked up by their hash, so time tells nothing of them.
    pub fn opens(&self, key: &str, scope: Scope) -> bool {
        let hash = blake3::hash(key.as_bytes());
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(hash.as_bytes()) == Some(&scope)
    }
}

/// Makes a key: the key, to show once, and what to store.
pub fn make(scope: Scope) -> Result<(String, Asset), StoreError> {
    let secret = random_secret()?;
    let text: String = blake3::hash(&secret).to_hex().chars().take(40).collect();
    let key = format!("{}{text}", scope.prefix());
    let asset = Asset {
        kind: KIND.to_owned(),
        name: blake3::hash(key.as_bytes()).to_hex().to_string(),
        body: Some(scope.word().to_owned()),
    };
    Ok((key, asset))
}

/// The secret that links are signed with; made at the first start.
pub fn link_secret(store: &mut impl Store, now: Timestamp) -> Result<Vec<u8>, StoreError> {
    let kept = store
        .assets(SECRET)?
        .into_iter()
        .find(|asset| asset.name == LINK_SECRET);
    if let Some(secret) = kept.and_then(|asset| decode(asset.body.as_deref()?)) {
        return Ok(secret);
    }
    let secret = random_secret()?;
    let asset = Asset {
        kind: SECRET.to_owned(),
        name: LINK_SECRET.to_owned(),
        body: Some(encode(&secret)),
    };
    store.begin()?;
    store.put_asset(&asset, now)?;
    store.commit()?;
    Ok(secret)
}

/// The same secret among the texts of its sort, for whoever only reads.
pub fn stored_secret(texts: &BTreeMap<String, String>) -> Option<Vec<u8>> {
    decode(texts.get(LINK_SECRET)?)
}
