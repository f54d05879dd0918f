//! Passwords: how good one must be, and their hashes (argon2id).
//!
//! A hash takes memory and time on purpose: few are made at once, beside the network threads, and no more wait than a
//! named number. Whoever is unknown takes as long as whoever is known.

use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;

/// Characters of a password, at least.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Bytes of a password, at most.
pub const PASSWORD_BYTES_MAX: usize = 1_000;
/// Hashes made at once: each takes the memory of its cost.
const AT_ONCE: usize = 2;
/// Hashes that may wait for their turn.
const WAITING_MAX: usize = 64;
/// Passwords that everybody tries first, of those that are long enough.
const COMMON: &[&str] = &[
    "0123456789",
    "0987654321",
    "1020304050",
    "1122334455",
    "1111111111",
    "123123123123",
    "1234512345",
    "1234567890",
    "12345678900",
    "12345678910",
    "123456789a",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "9876543210",
    "administrator",
    "adminadmin",
    "changeme123",
    "football123",
    "iloveyou123",
    "letmein123",
    "letmein1234",
    "password01",
    "password10",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "passwordpassword",
    "princess123",
    "qazwsxedcrfv",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertyuiop123",
    "superman123",
    "sunshine123",
    "welcome123",
    "welcome1234",
    "zxcvbnm123",
    "asdfghjkl;",
    "asdfghjkl1",
    "йцукенгшщз",
    "йцукен12345",
    "пароль1234",
    "пароль12345",
    "パスワード12345",
];

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// How often it is gone through.
    pub passes: u32,
}

impl Default for Cost {
    /// What OWASP names for argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
        }
    }
}

/// Why a password is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too few characters.
    #[error("password: at least {PASSWORD_CHARS_MIN} characters; a sentence is easy to remember")]
    Short,
    /// Too many bytes.
    #[error("password: at most {PASSWORD_BYTES_MAX} bytes")]
    Long,
    /// It is the address, or a part of it.
    #[error("password: not the address; choose something that is not known of you")]
    Address,
    /// Everybody tries it first.
    #[error("password: one of those that are tried first; choose another")]
    Common,
}

impl Weak {
    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Address => "address",
            Self::Common => "common",
        }
    }
}

/// Whether a password is good enough for the owner of an address.
pub fn check(password: &str, address: &str) -> Result<(), Weak> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Weak::Long);
    }
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Weak::Short);
    }
    let plain = password.trim().to_lowercase();
    let address = address.to_lowercase();
    let local = address.split('@').next().unwrap_or("");
    if plain == address || plain == local {
        return Err(Weak::Address);
    }
    let mut letters = plain.chars();
    let first = letters.next();
    if COMMON.contains(&plain.as_str()) || letters.all(|letter| Some(letter) == first) {
        return Err(Weak::Common);
    }
    Ok(())
}

/// Why nothing was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashProblem {
    /// Too many wait.
    #[error("too many passwords are being looked at; try again in a moment")]
    Busy,
    /// The means failed.
    #[error("the password could not be hashed; the server's log says why")]
    Failed,
}

/// Makes and checks hashes.
#[derive(Debug)]
pub struct Passwords {
    cost: Cost,
    turns: Semaphore,
    waiting: AtomicUsize,
}

/// One who waits, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Passwords {
    /// With what each hash costs.
    pub const fn new(cost: Cost) -> Self {
        Self {
            cost,
            turns: Semaphore::const_new(AT_ONCE),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Hashes a password.
    pub async fn hash(&self, password: &str) -> Result<String, HashProblem> {
        let (cost, password) = (self.cost, password.to_owned());
        self.beside(move || {
            let made = argon2(cost).and_then(|argon2| {
                let hash = argon2.hash_password(password.as_bytes());
                Some(hash.ok()?.to_string())
            });
            made.ok_or(HashProblem::Failed)
        })
        .await?
    }

    /// Whether a password fits a hash; where there is none, it takes as long to say no.
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> Result<bool, HashProblem> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        let known = hash.is_some();
        let hash = hash.map_or_else(|| no_hash(self.cost), str::to_owned);
        let password = password.to_owned();
        let fits = self.beside(move || {
            // The parameters are those of the hash.
            PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
        });
        Ok(fits.await? && known)
    }

    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashProblem> {
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(&self.waiting);
        if before >= WAITING_MAX {
            return Err(HashProblem::Busy);
        }
        let _turn = self.turns.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| HashProblem::Failed)
    }
}

fn argon2(cost: Cost) -> Option<Argon2<'static>> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A hash that no password is known to fit, of the same cost as the others.
fn no_hash(cost: Cost) -> String {
    let text = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    let Cost { memory_kib, passes } = cost;
    format!(
        "$argon2id$v=19$m={memory_kib},t={passes},p=1${}${}",
        text(&[0x5A; 16]),
        text(&[0xA5; 32])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a test can afford.
    const CHEAP: Cost = Cost {
        memory_kib: 8,
        passes: 1,
    };

    #[test]
    fn a_password_is_long_and_nobodys_first_guess() {
        let check = |password: &str| check(password, "anna.petrova@shop.test");
        assert_eq!(check("short"), Err(Weak::Short));
        assert_eq!(check("девять789"), Err(Weak::Short));
        assert_eq!(check(&"x".repeat(PASSWORD_BYTES_MAX + 1)), Err(Weak::Long));
        assert_eq!(check("Anna.Petrova@shop.test"), Err(Weak::Address));
        assert_eq!(check("anna.petrova"), Err(Weak::Address));
        assert_eq!(check("Password123"), Err(Weak::Common));
        assert_eq!(check("aaaaaaaaaaaaaa"), Err(Weak::Common));
        assert_eq!(check("correct horse"), Ok(()));
        assert_eq!(check("длинный пароль"), Ok(()));
        for common in COMMON {
            assert!(common.chars().count() >= PASSWORD_CHARS_MIN, "{common}");
            assert_eq!(*common, common.to_lowercase());
        }
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_alone_and_nobody_has_none() {
        let passwords = Passwords::new(CHEAP);
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert_eq!(passwords.fits("correct horse", Some(&hash)).await, Ok(true));
        assert_eq!(passwords.fits("correct cow", Some(&hash)).await, Ok(false));
        assert_eq!(passwords.fits("correct horse", None).await, Ok(false));
        assert_eq!(passwords.fits("x", Some("no hash")).await, Ok(false));
        // The stand-in is a hash like others: it is gone through, not refused.
        assert!(PasswordHash::new(&no_hash(Cost::default())).is_ok());
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap());
    }

    #[tokio::test]
    async fn no_more_wait_than_may() {
        let passwords = Passwords::new(CHEAP);
        passwords.waiting.store(WAITING_MAX, Ordering::Release);
        assert_eq!(
            passwords.hash("correct horse").await,
            Err(HashProblem::Busy)
        );
        passwords.waiting.store(0, Ordering::Release);
        assert!(passwords.hash("correct horse").await.is_ok());
    }
}
