//! Keys of a workspace: write keys for events, tokens for the management API. Shown once, stored hashed.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use relance_core::user::Key;
use relance_engine::ports::{Asset, Store, StoreError};
use relance_wire::stored::{key_text, read_key};

use crate::access::AccessProblem;
use crate::access::account::name_of;
use crate::workspace::{decode, encode, random_secret};

/// The sort of assets that keys are.
pub const KIND: &str = "key";
/// The sort of assets that the workspace's own secrets are.
pub const SECRET: &str = "secret";
/// The asset that signs links.
const LINK_SECRET: &str = "link-secret";

pub use relance_core::access::Scope;

/// How a key of a scope begins, so that people see which is which.
const fn prefix(scope: Scope) -> &'static str {
    match scope {
        Scope::Write => "wk_",
        Scope::Read | Scope::Contacts | Scope::Journeys | Scope::Admin => "at_",
    }
}

/// The keys in force, by hash.
#[derive(Debug, Default)]
pub struct Keys(RwLock<BTreeMap<[u8; 32], Key>>);

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
            // A key that cannot be read opens nothing.
            let Some(Ok(key)) = asset.body.as_deref().map(read_key) else {
                continue;
            };
            if let Ok(hash) = blake3::Hash::from_hex(&asset.name) {
                keys.insert(*hash.as_bytes(), key);
            }
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Whether a key opens this. Keys are looked up by their hash, so time tells nothing of them.
    pub fn opens(&self, key: &str, scope: Scope) -> bool {
        self.find(key)
            .is_some_and(|(_, known)| known.scope == scope)
    }

    /// What is known of a key, and the name of its asset.
    pub fn find(&self, key: &str) -> Option<(String, Key)> {
        let hash = blake3::hash(key.as_bytes());
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = keys.get(hash.as_bytes())?.clone();
        Some((hash.to_hex().to_string(), known))
    }

    /// All keys, by the name of their asset.
    pub fn all(&self) -> Vec<(String, Key)> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let named = |(hash, key): (&[u8; 32], &Key)| {
            (
                blake3::Hash::from_bytes(*hash).to_hex().to_string(),
                key.clone(),
            )
        };
        keys.iter().map(named).collect()
    }

    /// A key was made or removed here.
    pub fn put(&self, name: &str, key: Option<Key>) {
        let Ok(hash) = blake3::Hash::from_hex(name) else {
            return;
        };
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match key {
            Some(key) => keys.insert(*hash.as_bytes(), key),
            None => keys.remove(hash.as_bytes()),
        };
    }
}

/// Makes a key of which nothing but the scope is said: the key, to show once, and what to store.
pub fn make(scope: Scope) -> Result<(String, Asset), StoreError> {
    make_named(&Key {
        scope,
        name: String::new(),
        made_at: None,
        made_by: String::new(),
    })
}

/// Makes a key: the key, to show once, and what to store.
pub fn make_named(about: &Key) -> Result<(String, Asset), StoreError> {
    let secret = random_secret()?;
    let text: String = blake3::hash(&secret).to_hex().chars().take(40).collect();
    let key = format!("{}{text}", prefix(about.scope));
    let name = blake3::hash(key.as_bytes()).to_hex().to_string();
    let body = key_text(about).map_err(|problem| StoreError::Failed(problem.to_string()))?;
    let asset = Asset {
        kind: KIND.to_owned(),
        name,
        body: Some(body),
    };
    Ok((key, asset))
}

/// Letters of the hash of a key that name it.
const ID_LETTERS: usize = 16;

/// What a key is called by: the beginning of its hash.
pub fn id(hash: &str) -> String {
    hash.chars().take(ID_LETTERS).collect()
}

/// Whether a text can be what a key is called by.
pub fn is_id(text: &str) -> bool {
    text.len() == ID_LETTERS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a key is to be.
pub fn about(name: &str, scope: &str, by: &str, now: Timestamp) -> Result<Key, AccessProblem> {
    let named = name_of("name", name)?.ok_or(AccessProblem::BadName("name"))?;
    let scope = Scope::from_word(scope).ok_or_else(|| AccessProblem::BadWord {
        field: "scope",
        found: scope.chars().take(80).collect(),
        known: Scope::ALL.map(Scope::word).join(", "),
    })?;
    Ok(Key {
        scope,
        name: named,
        made_at: Some(now),
        made_by: by.to_owned(),
    })
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
