//! Texts that nobody guesses, and what is kept of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use relance_engine::ports::StoreError;

/// Bytes of chance in a token.
const TOKEN_BYTES: usize = 32;
/// Bytes of a token's text.
pub const TOKEN_TEXT_BYTES: usize = 43;

/// Chance.
pub fn random(bytes: usize) -> Result<Box<[u8]>, StoreError> {
    let mut chance = vec![0; bytes];
    getrandom::fill(&mut chance)
        .map_err(|error| StoreError::Failed(format!("no randomness: {error}")))?;
    Ok(chance.into())
}

/// A new token, for an address or a cookie.
pub fn new() -> Result<String, StoreError> {
    Ok(URL_SAFE_NO_PAD.encode(random(TOKEN_BYTES)?))
}

/// What is kept of a token, and its name in the database: who reads that cannot use it.
pub fn hash(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

/// What a page must send beside the cookie: of the same session, and telling nothing of it.
pub fn csrf(token: &str) -> String {
    let derived = blake3::derive_key("relance 2026-11 page of a session", token.as_bytes());
    URL_SAFE_NO_PAD.encode(derived)
}

/// Whether two texts are the same, in a time that does not depend on where they differ.
pub fn same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_their_hashes_and_marks_tell_nothing_of_them() {
        let (one, other) = (new().unwrap(), new().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), TOKEN_TEXT_BYTES);
        assert_ne!(hash(&one), hash(&other));
        assert_ne!(csrf(&one), hash(&one));
        assert!(same(&csrf(&one), &csrf(&one)) && !same(&csrf(&one), &csrf(&other)));
    }
}
