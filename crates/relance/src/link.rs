//! Signed links: tracking, unsubscribe, preferences.
//!
//! A link carries what it means and a signature, and nothing that names a person. What cannot be verified
//! is not told apart from what does not exist.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use relance_core::ids::{ContactId, TouchpointId};
use sha2::Sha256;

/// Bytes of a signature in a link.
const SIGNATURE_BYTES: usize = 16;
/// Characters of a link's token.
pub const TOKEN_CHARS_MAX: usize = 4_096;

/// What a link means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// The pixel of a message.
    Open(TouchpointId),
    /// A link of a message: where it leads.
    Click(TouchpointId, String),
    /// Unsubscribe from what a message belongs to.
    Unsubscribe(TouchpointId),
    /// The contact's preferences.
    Preferences(TouchpointId),
    /// Confirms a sign-up; with a [fingerprint](LinkKey::fingerprint) of the address that was asked.
    Confirm(TouchpointId, u64),
}

/// Makes and reads links with the workspace's key.
#[derive(Clone)]
pub struct LinkKey(Hmac<Sha256>);

impl LinkKey {
    /// From the workspace's secret.
    pub fn new(secret: &[u8]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Self(Hmac::new_from_slice(secret).expect("any length"))
    }

    /// The token of a link.
    pub fn sign(&self, link: &Link) -> String {
        let address;
        let (tag, id, rest): (_, _, &[u8]) = match link {
            Link::Open(id) => (b'o', id, &[]),
            Link::Click(id, url) => (b'c', id, url.as_bytes()),
            Link::Unsubscribe(id) => (b'u', id, &[]),
            Link::Preferences(id) => (b'p', id, &[]),
            Link::Confirm(id, fingerprint) => {
                address = fingerprint.to_be_bytes();
                (b'd', id, &address)
            }
        };
        let mut bytes = Vec::with_capacity(17 + rest.len() + SIGNATURE_BYTES);
        bytes.push(tag);
        bytes.extend(id.contact.0.to_be_bytes());
        bytes.extend(id.hash.to_be_bytes());
        bytes.extend(rest);
        let signature = self.signature(&bytes);
        bytes.extend(signature);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a token means, if it is ours.
    pub fn verify(&self, token: &str) -> Option<Link> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (body, signature) =
            bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE_BYTES)?)?;
        let mut mac = self.0.clone();
        mac.update(body);
        mac.verify_truncated_left(signature).ok()?;
        let (head, rest) = body.split_at_checked(17)?;
        let number = |range: std::ops::Range<usize>| {
            Some(u64::from_be_bytes(head.get(range)?.try_into().ok()?))
        };
        let id = TouchpointId {
            contact: ContactId(number(1..9)?),
            hash: number(9..17)?,
        };
        match head[0] {
            b'o' => Some(Link::Open(id)),
            b'c' => Some(Link::Click(id, String::from_utf8(rest.to_vec()).ok()?)),
            b'u' => Some(Link::Unsubscribe(id)),
            b'p' => Some(Link::Preferences(id)),
            b'd' => Some(Link::Confirm(id, u64::from_be_bytes(rest.try_into().ok()?))),
            _unknown => None,
        }
    }

    /// What tells an address from another without telling it.
    pub fn fingerprint(&self, address: &str) -> u64 {
        let signature =
            self.signature(format!("address\0{}", address.trim().to_lowercase()).as_bytes());
        let mut short = [0; 8];
        short.copy_from_slice(&signature[..8]);
        u64::from_be_bytes(short)
    }

    fn signature(&self, body: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut mac = self.0.clone();
        mac.update(body);
        let full = mac.finalize().into_bytes();
        let mut short = [0; SIGNATURE_BYTES];
        short.copy_from_slice(&full[..SIGNATURE_BYTES]);
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_and_an_altered_one_does_not() {
        let key = LinkKey::new(b"secret");
        let id = TouchpointId {
            contact: ContactId(7),
            hash: 99,
        };
        for link in [
            Link::Open(id),
            Link::Click(id, "https://shop.test/?a=1&b=2".to_owned()),
            Link::Unsubscribe(id),
            Link::Preferences(id),
            Link::Confirm(id, key.fingerprint("ana@shop.test")),
        ] {
            let token = key.sign(&link);
            assert_eq!(key.verify(&token), Some(link));
            let mut altered = token.clone().into_bytes();
            altered[4] = if altered[4] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.verify(std::str::from_utf8(&altered).unwrap()), None);
            assert_eq!(LinkKey::new(b"other").verify(&token), None);
        }
        assert_eq!(key.verify(""), None);
        assert_eq!(key.verify("AAAA"), None);
    }
}
