//! Texts as PostgreSQL takes them: without the character NUL, and keys no longer than an index takes.
//!
//! SQLite takes any text. What comes from outside may hold anything (R9), so it is made to fit here instead
//! of stopping a batch: the same text always becomes the same key.

use std::borrow::Cow;

/// Bytes of a key. Three of them, or two and a few words, fit into a row of an index (2,704 bytes).
const KEY_BYTES_MAX: usize = 1_024;
/// Bytes of a word: a kind, a journey, a step.
const WORD_BYTES_MAX: usize = 256;
/// What stands for NUL: the picture of it.
const NUL_PICTURE: &str = "\u{2400}";
/// Bytes of the hash at the end of a key that was cut.
const HASH_BYTES: usize = 16;

/// A text of any length.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', NUL_PICTURE))
    } else {
        Cow::Borrowed(text)
    }
}

/// Part of a key: an identity, an object's id, an event's name, a Message-ID.
pub(crate) fn key(text: &str) -> Cow<'_, str> {
    cut(text, KEY_BYTES_MAX)
}

/// Part of a key that is a word.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    cut(text, WORD_BYTES_MAX)
}

/// The beginning of a text that is too long, and a hash of the whole.
fn cut(text: &str, max: usize) -> Cow<'_, str> {
    let text = plain(text);
    if text.len() <= max {
        return text;
    }
    let kept = text.floor_char_boundary(max - HASH_BYTES);
    Cow::Owned(format!("{}{:016x}", &text[..kept], fnv(text.as_bytes())))
}

/// FNV-1a: stable for ever, as it stands in keys.
fn fnv(bytes: &[u8]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.iter().fold(BASIS, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_the_rest_is_made_to_fit() {
        assert!(matches!(
            key("ana@example.org"),
            Cow::Borrowed("ana@example.org")
        ));
        assert_eq!(plain("a\0b"), "a\u{2400}b");
        let long = "é".repeat(2_000);
        let (one, other) = (key(&long), key(&long[..3_998]));
        assert!(one.len() <= KEY_BYTES_MAX && other.len() <= KEY_BYTES_MAX);
        assert_ne!(one, other, "the hash tells them apart");
        assert_eq!(key(&long), one);
        assert_eq!(key(&"x".repeat(KEY_BYTES_MAX)).len(), KEY_BYTES_MAX);
        assert!(word(&"\0".repeat(WORD_BYTES_MAX)).len() <= WORD_BYTES_MAX);
    }
}
