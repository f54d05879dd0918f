//! Secrets at rest: what is sealed here can be read in the database and in its backups by nobody who has not the key.
//!
//! The key lies outside of the database: in the environment ([`SECRET_KEY`]) or in the file [`KEY_FILE`] of the data
//! folder. Each secret is sealed with a key of its own, drawn from the workspace's key and chance, by
//! ChaCha20-Poly1305; the context (whose secret it is, and of what) is part of the seal, so a sealed text put in
//! another place does not open. Decision 0025.
//!
//! A missing or other key is said, never replaced: sealed texts stay as they are and open again with the right one.
//!
//! **Absent:** what is sealed, and where it is kept.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use relance_engine::ports::{Asset, Store, StoreError};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use crate::keys::SECRET;
use crate::workspace::random_secret;

/// The variable of the environment with the key: 32 bytes in base64. After a comma may stand older keys, which only
/// open.
pub const SECRET_KEY: &str = "RELANCE_SECRET_KEY";
/// The file of the data folder with the key; a key a line, the first of them seals.
pub const KEY_FILE: &str = "secret.key";
/// The asset that says by which key the workspace is sealed.
const VAULT_KEY: &str = "vault-key";

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of chance before what is sealed.
const SALT_BYTES: usize = 24;
/// Keys that are tried.
const KEYS_MAX: usize = 8;
/// Bytes of a sealed text that are looked at.
const SEALED_BYTES_MAX: usize = 256 * 1024;
/// How a sealed text begins.
const FORMAT: &str = "sealed/1";

/// Why a secret is not sealed or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultProblem {
    /// The key is gone.
    #[error(
        "the secrets are sealed by key {known}, which is not here; put back {KEY_FILE} in the data folder or set {SECRET_KEY}, then start again"
    )]
    Missing {
        /// By which key.
        known: String,
    },
    /// There is another key.
    #[error(
        "the secrets are sealed by key {known}, and here is {here}; put back the right {KEY_FILE} in the data folder or set {SECRET_KEY}, then start again (nodes of one workspace share the key)"
    )]
    Other {
        /// By which key.
        known: String,
        /// What there is.
        here: String,
    },
    /// It was sealed by a key that was given up.
    #[error(
        "it is sealed by key {known}, which was given up; enter it again, or set that key too in {SECRET_KEY}, behind a comma, and start again"
    )]
    Lost {
        /// By which key.
        known: String,
    },
    /// The key is none.
    #[error("{place}: {text}; a key is 32 bytes in base64, as `openssl rand -base64 32` makes it")]
    Unusable {
        /// Where it stands.
        place: String,
        /// What is wrong.
        text: String,
    },
    /// What was sealed is no longer whole, or stands in another place than it was sealed for.
    #[error("a sealed secret is damaged or stands in another place; enter it again")]
    Damaged,
    /// The machine has no chance to give.
    #[error("no randomness: {0}")]
    NoChance(String),
}

#[derive(Clone)]
struct Key {
    id: String,
    bytes: [u8; KEY_BYTES],
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let hash = blake3::derive_key("relance 2026-11 name of a secret key", &bytes);
        let id = blake3::Hash::from_bytes(hash).to_hex();
        Self {
            id: id.chars().take(12).collect(),
            bytes,
        }
    }

    fn parse(place: &str, text: &str) -> Result<Self, VaultProblem> {
        let unusable = |text: &str| VaultProblem::Unusable {
            place: place.to_owned(),
            text: text.to_owned(),
        };
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|_| unusable("it is not base64"))?;
        let bytes = <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
            .map_err(|_| unusable(&format!("it has {} bytes", bytes.len())))?;
        Ok(Self::new(bytes))
    }

    /// The key of one sealed text: chance is part of it, so no two share a nonce.
    fn of(&self, salt: &[u8]) -> Result<LessSafeKey, VaultProblem> {
        let own = blake3::keyed_hash(&self.bytes, salt);
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, own.as_bytes());
        Ok(LessSafeKey::new(
            unbound.map_err(|_| VaultProblem::Damaged)?,
        ))
    }
}

/// What seals and opens the secrets of a workspace.
pub struct Vault {
    keys: Result<Vec<Key>, VaultProblem>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(hidden)")
    }
}

impl Vault {
    /// The vault of a workspace that is opened for work. The first time it makes the key, where there is none;
    /// afterwards a key that is missing or another one leaves the vault shut, with the reason
    /// ([`problem`](Self::problem)).
    pub fn begin(store: &mut impl Store, data: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let kept = store.assets(SECRET)?;
        let known = kept.into_iter().find(|asset| asset.name == VAULT_KEY);
        if let Some(known) = known.and_then(|asset| asset.body) {
            return Ok(Self::look(data, Some(&known)));
        }
        Self::first(store, data, now)
    }

    /// Goes on with the key that is here, whatever sealed before: what other keys sealed must be entered again.
    pub fn first(store: &mut impl Store, data: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let mut vault = Self::look(data, None);
        if matches!(vault.keys, Err(VaultProblem::Missing { .. })) {
            vault.keys = Ok(vec![make(data)?]);
        }
        if let Some(id) = vault.id() {
            let asset = Asset {
                kind: SECRET.to_owned(),
                name: VAULT_KEY.to_owned(),
                body: Some(id.to_owned()),
            };
            store.begin()?;
            store.put_asset(&asset, now)?;
            store.commit()?;
        }
        Ok(vault)
    }

    /// The vault of a workspace that is only looked at: `known` is what the database says of its key
    /// ([`known`]).
    pub fn look(data: &Path, known: Option<&str>) -> Self {
        let set = std::env::var(SECRET_KEY)
            .ok()
            .filter(|text| !text.is_empty());
        Self::with(set.as_deref(), data, known)
    }

    fn with(set: Option<&str>, data: &Path, known: Option<&str>) -> Self {
        let keys = read_keys(set, data).and_then(|keys| match (keys.first(), known) {
            (None, known) => Err(VaultProblem::Missing {
                known: known.unwrap_or("not yet made").to_owned(),
            }),
            (Some(first), Some(known)) if !keys.iter().any(|key| key.id == known) => {
                Err(VaultProblem::Other {
                    known: known.to_owned(),
                    here: first.id.clone(),
                })
            }
            (Some(_), _) => Ok(keys),
        });
        Self { keys }
    }

    /// A vault for tests and demonstrations, of a key that is drawn anew.
    pub fn of_chance() -> Result<Self, StoreError> {
        Ok(Self {
            keys: Ok(vec![draw()?]),
        })
    }

    /// Why nothing can be sealed or opened, if so.
    pub fn problem(&self) -> Option<&VaultProblem> {
        self.keys.as_ref().err()
    }

    /// What the key that seals is called by; tells nothing of the key.
    pub fn id(&self) -> Option<&str> {
        self.keys.as_ref().ok()?.first().map(|key| &*key.id)
    }

    /// Seals a secret for one place, which `context` names: `mailbox/anna@shop.test/password`.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<String, VaultProblem> {
        let keys = self.keys.as_ref().map_err(Clone::clone)?;
        let key = keys.first().ok_or(VaultProblem::Damaged)?;
        let mut sealed = vec![0; SALT_BYTES];
        getrandom::fill(&mut sealed).map_err(|error| VaultProblem::NoChance(error.to_string()))?;
        let own = key.of(&sealed)?;
        let mut body = plain.to_vec();
        own.seal_in_place_append_tag(nonce(), Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| VaultProblem::Damaged)?;
        sealed.append(&mut body);
        Ok(format!("{FORMAT}:{}:{}", key.id, STANDARD.encode(sealed)))
    }

    /// Opens what was [sealed](Self::seal) for this very place.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Vec<u8>, VaultProblem> {
        let keys = self.keys.as_ref().map_err(Clone::clone)?;
        if sealed.len() > SEALED_BYTES_MAX {
            return Err(VaultProblem::Damaged);
        }
        let mut parts = sealed.splitn(3, ':');
        let (Some(FORMAT), Some(id), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(VaultProblem::Damaged);
        };
        let Some(key) = keys.iter().find(|key| key.id == id) else {
            return Err(VaultProblem::Lost {
                known: id.chars().take(16).collect(),
            });
        };
        let bytes = STANDARD.decode(text).map_err(|_| VaultProblem::Damaged)?;
        let (salt, body) = bytes
            .split_at_checked(SALT_BYTES)
            .ok_or(VaultProblem::Damaged)?;
        let mut body = body.to_vec();
        let plain = key
            .of(salt)?
            .open_in_place(nonce(), Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| VaultProblem::Damaged)?;
        Ok(plain.to_vec())
    }

    /// [`open`](Self::open), of a text.
    pub fn open_text(&self, context: &str, sealed: &str) -> Result<String, VaultProblem> {
        String::from_utf8(self.open(context, sealed)?).map_err(|_| VaultProblem::Damaged)
    }
}

/// What a database says of the key, among its texts of the sort `secret`.
pub fn known<'a>(mut names: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let found = names.find(|(name, _)| *name == VAULT_KEY);
    found.map(|(_, body)| body.to_owned())
}

/// Each key seals once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn read_keys(set: Option<&str>, data: &Path) -> Result<Vec<Key>, VaultProblem> {
    if let Some(set) = set {
        let keys = set.split(',').filter(|text| !text.trim().is_empty());
        return keys
            .take(KEYS_MAX)
            .map(|text| Key::parse(SECRET_KEY, text))
            .collect();
    }
    let path = data.join(KEY_FILE);
    let place = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let keys = text.lines().filter(|line| !line.trim().is_empty());
            let keys: Vec<Key> = keys
                .take(KEYS_MAX)
                .map(|line| Key::parse(&place, line))
                .collect::<Result<_, _>>()?;
            if keys.is_empty() {
                let text = "it is empty".to_owned();
                return Err(VaultProblem::Unusable { place, text });
            }
            Ok(keys)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(VaultProblem::Unusable {
            place,
            text: error.to_string(),
        }),
    }
}

fn draw() -> Result<Key, StoreError> {
    let bytes = random_secret()?;
    let bytes = <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
        .map_err(|_| StoreError::Failed("no randomness of 32 bytes".to_owned()))?;
    Ok(Key::new(bytes))
}

/// Makes the key and its file, which only the program's user may read.
fn make(data: &Path) -> Result<Key, StoreError> {
    let key = draw()?;
    let path = data.join(KEY_FILE);
    let failed = |error: std::io::Error| {
        StoreError::Failed(format!("cannot write {}: {error}", path.display()))
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&path).map_err(failed)?;
    let text = format!("{}\n", STANDARD.encode(key.bytes));
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use relance_engine::clock::{Clock as _, SystemClock};
    use relance_store::{AnyStore, Place};

    fn store(data: &Path) -> AnyStore {
        AnyStore::open(&Place::File(data.join("relance.db"))).unwrap()
    }

    #[test]
    fn a_secret_opens_in_its_place_and_nowhere_else() {
        let vault = Vault::of_chance().unwrap();
        let sealed = vault.seal("mailbox/anna/password", b"hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(
            vault.open("mailbox/anna/password", &sealed).unwrap(),
            b"hunter2"
        );
        let elsewhere = vault.open("mailbox/boris/password", &sealed);
        assert_eq!(elsewhere, Err(VaultProblem::Damaged));
        // The same twice is not the same text.
        assert_ne!(
            sealed,
            vault.seal("mailbox/anna/password", b"hunter2").unwrap()
        );
        assert!(!format!("{vault:?}").contains(vault.id().unwrap()));
    }

    #[test]
    fn a_changed_letter_opens_nothing() {
        let vault = Vault::of_chance().unwrap();
        let sealed = vault.seal("c", b"a secret of some length").unwrap();
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(vault.open("c", &other).is_err(), "letter {at}");
        }
        for odd in [
            "",
            ":",
            "sealed/1::",
            "sealed/1",
            "hunter2",
            "sealed/1:x:!!",
        ] {
            assert!(vault.open("c", odd).is_err(), "{odd:?}");
        }
        let long = "A".repeat(SEALED_BYTES_MAX + 1);
        assert_eq!(vault.open("c", &long), Err(VaultProblem::Damaged));
    }

    #[test]
    fn the_key_is_made_once_and_another_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let mut store = store(data);
        let now = SystemClock.now();
        let vault = Vault::begin(&mut store, data, now).unwrap();
        let sealed = vault.seal("c", b"hunter2").unwrap();
        let file = data.join(KEY_FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let again = Vault::begin(&mut store, data, now).unwrap();
        assert_eq!(again.open("c", &sealed).unwrap(), b"hunter2");

        let right = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let gone = Vault::begin(&mut store, data, now).unwrap();
        let problem = gone.open("c", &sealed).unwrap_err();
        assert!(matches!(problem, VaultProblem::Missing { .. }), "{problem}");
        assert!(problem.to_string().contains(SECRET_KEY));
        assert!(!file.exists(), "a lost key is not replaced by itself");

        std::fs::write(&file, STANDARD.encode([7; KEY_BYTES])).unwrap();
        let other = Vault::begin(&mut store, data, now).unwrap();
        assert!(matches!(
            other.seal("c", b"x"),
            Err(VaultProblem::Other { .. })
        ));
        assert!(matches!(other.problem(), Some(VaultProblem::Other { .. })));

        // The old key after the new one: the new seals, both open.
        std::fs::write(
            &file,
            format!("{}\n{right}", STANDARD.encode([7; KEY_BYTES])),
        )
        .unwrap();
        let both = Vault::begin(&mut store, data, now).unwrap();
        assert_eq!(both.open("c", &sealed).unwrap(), b"hunter2");
        let newer = both.seal("c", b"x").unwrap();
        assert!(again.open("c", &newer).is_err());
        assert_eq!(both.open("c", &newer).unwrap(), b"x");

        std::fs::write(&file, &right).unwrap();
        let back = Vault::begin(&mut store, data, now).unwrap();
        assert_eq!(back.open("c", &sealed).unwrap(), b"hunter2");
    }

    #[test]
    fn a_key_of_the_environment_stands_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let text = STANDARD.encode([1; KEY_BYTES]);
        let set = Vault::with(Some(&text), data, None);
        let sealed = set.seal("c", b"x").unwrap();
        std::fs::write(data.join(KEY_FILE), STANDARD.encode([2; KEY_BYTES])).unwrap();
        assert_eq!(
            Vault::with(Some(&text), data, None)
                .open("c", &sealed)
                .unwrap(),
            b"x"
        );
        assert!(Vault::with(None, data, None).open("c", &sealed).is_err());
        for bad in ["x", "aGVsbG8="] {
            let problem = Vault::with(Some(bad), data, None).problem().cloned();
            let text = problem.unwrap().to_string();
            assert!(
                text.contains(SECRET_KEY) && text.contains("openssl"),
                "{text}"
            );
            assert!(!text.contains("aGVsbG8"), "a key is never said: {text}");
        }
        std::fs::write(data.join(KEY_FILE), "\n").unwrap();
        assert!(Vault::with(None, data, None).problem().is_some());
    }
}
