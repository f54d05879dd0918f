//! The second factor: codes by time (RFC 6238), and recovery codes for when they are lost.
//!
//! A secret is kept sealed (decision 0025). Those of earlier versions are plain, and are sealed when they are next used.

use relance_core::user::Totp;
use relance_engine::ports::StoreError;
use totp_rs::{Builder, Secret};

use super::token;
use crate::vault::{Vault, VaultProblem};

/// Bytes of a secret: as long as the hash that the codes are made with (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
/// Recovery codes that are given at once.
const RECOVERY_CODES: usize = 10;
/// Letters that nobody confuses with each other.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a recovery code: fifty bits.
const RECOVERY_LETTERS: usize = 10;

fn builder(secret: &[u8]) -> Builder {
    // A code is good for its half a minute, and the one before and after it, for clocks that differ.
    Builder::new()
        .with_secret(Secret::from(secret.to_vec()))
        .with_skew(1)
}

/// A new secret.
pub fn secret() -> Result<Vec<u8>, StoreError> {
    Ok(token::random(SECRET_BYTES)?.to_vec())
}

/// How a sealed secret begins; a plain one has twenty bytes of chance.
const SEALED: &[u8] = b"sealed/";

/// What a user's secret is sealed for.
fn context(address: &str) -> String {
    format!("user/{address}/totp")
}

/// A secret as it is kept.
pub fn seal(vault: &Vault, address: &str, secret: &[u8]) -> Result<Vec<u8>, VaultProblem> {
    let sealed = vault.seal(&context(address), secret)?;
    Ok(sealed.into_bytes())
}

/// Whether what is kept is sealed.
pub fn is_sealed(kept: &[u8]) -> bool {
    kept.starts_with(SEALED)
}

/// The secret of what is kept.
pub fn open(vault: &Vault, address: &str, kept: &[u8]) -> Result<Vec<u8>, VaultProblem> {
    if !is_sealed(kept) {
        return Ok(kept.to_vec());
    }
    let sealed = std::str::from_utf8(kept).map_err(|_| VaultProblem::Damaged)?;
    vault.open(&context(address), sealed)
}

/// The secret as people type it, and as applications read it off the screen.
pub fn shown(secret: &[u8], address: &str, issuer: &str) -> Option<(String, String)> {
    // A colon parts the issuer from the address.
    let issuer = issuer.replace(':', " ");
    let built = builder(secret)
        .with_issuer(Some(issuer))
        .with_account_name(address.replace(':', " "))
        .build()
        .ok()?;
    let text = Secret::from(secret.to_vec()).to_base32();
    Some((text, built.to_url().ok()?))
}

/// The step of time whose code this is.
pub fn step(secret: &[u8], code: &str, now_seconds: u64) -> Option<u64> {
    let code: String = code
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    builder(secret).build().ok()?.check(&code, now_seconds)
}

/// Takes a code, once: what is given back has it noted.
pub fn take(totp: &Totp, code: &str, now_seconds: u64) -> Option<Totp> {
    let step = step(&totp.secret, code, now_seconds)?;
    (step > totp.used).then(|| Totp {
        secret: totp.secret.clone(),
        used: step,
    })
}

/// New recovery codes: to show, and their hashes to keep.
pub fn recovery_codes() -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut shown = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let letters = token::random(RECOVERY_LETTERS)?;
        // 256 is a multiple of 32: every letter is as likely.
        let letters: String = letters
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
            .collect();
        let (first, second) = letters.split_at(RECOVERY_LETTERS / 2);
        shown.push(format!("{first}-{second}"));
    }
    let kept = shown.iter().map(|code| hash(code)).collect();
    Ok((shown, kept))
}

/// What is kept of a recovery code: it has enough chance in it for a fast hash.
pub fn hash(code: &str) -> String {
    let plain: String = code
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    token::hash(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the code at 59 seconds ends so.
    const RFC_SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn a_code_is_taken_once_and_so_is_none_before_it() {
        let totp = Totp {
            secret: RFC_SECRET.to_vec(),
            used: 0,
        };
        let taken = take(&totp, "287 082", 59).unwrap();
        assert_eq!(taken.used, 1);
        assert_eq!(take(&taken, "287082", 59), None);
        assert_eq!(take(&taken, "287082", 61), None);
        assert_eq!(take(&totp, "287083", 59), None);
        // A clock may differ by one step, not by more.
        assert!(take(&totp, "287082", 89).is_some());
        assert_eq!(take(&totp, "287082", 120), None);
        for wrong in ["", "28708", "2870820", "abcdef", "28708２"] {
            assert_eq!(take(&totp, wrong, 59), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_kept_sealed_for_its_user_and_a_plain_one_is_read_all_the_same() {
        let vault = Vault::of_chance().unwrap();
        let kept = seal(&vault, "anna@shop.test", RFC_SECRET).unwrap();
        assert!(is_sealed(&kept) && !is_sealed(RFC_SECRET));
        let opened = |address: &str, kept: &[u8]| open(&vault, address, kept);
        assert_eq!(opened("anna@shop.test", &kept).unwrap(), RFC_SECRET);
        assert!(opened("boris@shop.test", &kept).is_err());
        assert_eq!(opened("anna@shop.test", RFC_SECRET).unwrap(), RFC_SECRET);
    }

    #[test]
    fn a_secret_is_shown_as_text_and_address() {
        let secret = secret().unwrap();
        assert_eq!(secret.len(), SECRET_BYTES);
        let (text, url) = shown(&secret, "anna@shop.test", "Shop: north").unwrap();
        assert_eq!(text.len(), 32);
        assert!(url.starts_with("otpauth://totp/"), "{url}");
        assert!(url.contains(&text), "{url}");
    }

    #[test]
    fn recovery_codes_differ_and_are_read_as_people_type_them() {
        let (shown, kept) = recovery_codes().unwrap();
        assert_eq!((shown.len(), kept.len()), (RECOVERY_CODES, RECOVERY_CODES));
        let typed = format!(" {} ", shown[0].replace('-', " ").to_uppercase());
        assert_eq!(hash(&typed), kept[0]);
        assert!(!kept[1..].contains(&kept[0]));
    }
}
