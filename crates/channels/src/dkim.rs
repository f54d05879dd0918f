//! DKIM signatures (RFC 6376, RFC 8463): RSA, Ed25519 or both, relaxed/relaxed.
//!
//! [`DkimSigner::sign`] is a pure function of message, keys and time. It costs about a millisecond of CPU
//! with RSA-2048, so **the caller runs it on a blocking thread** (`tokio::task::spawn_blocking`), never on
//! a thread that serves connections. Share one signer behind an `Arc`: its keys are parsed once.
//!
//! What is signed is what the server will store: line ends are normalised first, by the same code that
//! sends. The header fields that are present of [`SIGNED_HEADERS`] are signed, `From` once more than it
//! occurs, so that nobody can add a second one unnoticed.
//!
//! **Absent:** verification, key generation, the body length tag (it lets strangers append), and the choice of
//! the domain: it should be that of the `From` address, or DMARC will not count the signature.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mail_auth::common::crypto::{DkimKey, Ed25519Key, HashAlgorithm, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::{HeaderStream, Writable, Writer};
use mail_auth::dkim::Signature;
use mail_auth::dkim::canonicalize::CanonicalHeaders;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use crate::smtp::normalise;

/// Header fields that are signed where present: those that a reader sees or a program acts on. The two
/// for unsubscribing must be signed (RFC 8058 section 4).
pub const SIGNED_HEADERS: [&str; 16] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// Header fields of one message.
pub const HEADER_FIELDS_MAX: usize = 1000;
/// Bytes of a domain or selector (RFC 1035).
const NAME_BYTES_MAX: usize = 253;
/// Signatures that one signer makes.
const KEYS_MAX: usize = 4;
const FOLD: &str = "\r\n\t";
/// Bytes of a folded line of the signature's field.
const FOLDED_LINE_BYTES: usize = 72;
/// An Ed25519 seed.
const ED25519_SEED_BYTES: usize = 32;
/// PKCS #8 (RFC 8410) before the 32 bytes of an Ed25519 seed.
const ED25519_PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Why a key cannot be used or a message cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DkimProblem {
    #[error("dkim.{field}: not a DNS name; give letters, digits, hyphens and dots")]
    NameInvalid { field: &'static str },
    #[error("dkim.key: not a usable {kind} private key ({detail}); give {expected}")]
    KeyUnusable {
        kind: &'static str,
        expected: &'static str,
        detail: String,
    },
    #[error("dkim.keys: more than {KEYS_MAX}; give one of each kind")]
    TooManyKeys,
    #[error("the message has {count} From fields; a message is signed with exactly one")]
    NotOneFrom { count: usize },
    #[error(
        "the message's header is malformed at line {line}; every line is a field or a folded part of one"
    )]
    HeaderMalformed { line: usize },
    #[error("the message has more than {HEADER_FIELDS_MAX} header fields")]
    TooManyHeaderFields,
    #[error("the signature could not be made")]
    SigningFailed,
}

/// Signs messages for one domain.
pub struct DkimSigner {
    domain: String,
    keys: Vec<SelectorKey>,
}

struct SelectorKey {
    selector: String,
    key: DkimKey,
    /// The TXT record's value.
    record: String,
}

/// What must stand in the DNS for receivers to check the signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimRecord {
    /// Such as `s1._domainkey.example.com`.
    pub name: String,
    pub value: String,
}

impl DkimSigner {
    /// A signer with one RSA key of at least 2048 bits, in PEM (PKCS #1 or PKCS #8).
    pub fn rsa_pem(domain: &str, selector: &str, pem: &str) -> Result<Self, DkimProblem> {
        Self::empty(domain)?.and_rsa_pem(selector, pem)
    }

    /// A signer with one Ed25519 key: PEM (PKCS #8), or the seed of 32 bytes in base64. Many receivers
    /// cannot check Ed25519 yet; use it beside RSA.
    pub fn ed25519(domain: &str, selector: &str, key: &str) -> Result<Self, DkimProblem> {
        Self::empty(domain)?.and_ed25519(selector, key)
    }

    /// The same signer, which adds an RSA signature to each message.
    pub fn and_rsa_pem(self, selector: &str, pem: &str) -> Result<Self, DkimProblem> {
        let unusable = |detail: String| DkimProblem::KeyUnusable {
            kind: "RSA",
            expected: "a PEM block of at least 2048 bits",
            detail,
        };
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| unusable(error.to_string()))?;
        let key =
            RsaKey::<Sha256>::from_key_der(der).map_err(|error| unusable(error.to_string()))?;
        let public = subject_public_key_info(&key.public_key());
        let record = format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public));
        self.with(selector, DkimKey::Rsa(key), record)
    }

    /// The same signer, which adds an Ed25519 signature to each message.
    pub fn and_ed25519(self, selector: &str, key: &str) -> Result<Self, DkimProblem> {
        let unusable = |detail: String| DkimProblem::KeyUnusable {
            kind: "Ed25519",
            expected: "a PEM block, or the 32 bytes of the seed in base64",
            detail,
        };
        let pkcs8 = if key.contains("-----BEGIN") {
            match PrivateKeyDer::from_pem_slice(key.as_bytes())
                .map_err(|error| unusable(error.to_string()))?
            {
                PrivateKeyDer::Pkcs8(der) => der.secret_pkcs8_der().to_vec(),
                _ => return Err(unusable("the PEM block is not PKCS #8".into())),
            }
        } else {
            let seed = STANDARD
                .decode(key.trim())
                .map_err(|error| unusable(error.to_string()))?;
            if seed.len() != ED25519_SEED_BYTES {
                return Err(unusable(format!("{} bytes", seed.len())));
            }
            [&ED25519_PKCS8_PREFIX[..], &seed].concat()
        };
        // Keys made by OpenSSL do not repeat the public half, which the strict reader asks for.
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(&pkcs8)
            .map_err(|error| unusable(error.to_string()))?;
        let record = format!(
            "v=DKIM1; k=ed25519; p={}",
            STANDARD.encode(key.public_key())
        );
        self.with(selector, DkimKey::Ed25519(key), record)
    }

    fn empty(domain: &str) -> Result<Self, DkimProblem> {
        check_name("domain", domain)?;
        Ok(Self {
            domain: domain.to_ascii_lowercase(),
            keys: Vec::new(),
        })
    }

    fn with(mut self, selector: &str, key: DkimKey, record: String) -> Result<Self, DkimProblem> {
        check_name("selector", selector)?;
        if self.keys.len() == KEYS_MAX {
            return Err(DkimProblem::TooManyKeys);
        }
        self.keys.push(SelectorKey {
            selector: selector.to_owned(),
            key,
            record,
        });
        Ok(self)
    }

    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The DNS records that receivers look up, one a key.
    pub fn records(&self) -> Vec<DkimRecord> {
        self.keys
            .iter()
            .map(|key| DkimRecord {
                name: format!("{}._domainkey.{}", key.selector, self.domain),
                value: key.record.clone(),
            })
            .collect()
    }

    /// The message with its signatures before it, one a key, every line ended in CRLF. `now` is the time
    /// that the signatures claim.
    pub fn sign(&self, message: &[u8], now: Timestamp) -> Result<Vec<u8>, DkimProblem> {
        let message = normalise(message);
        let fields = Fields::split(&message)?;
        let from_count = fields
            .list
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(b"From"))
            .count();
        if from_count != 1 {
            return Err(DkimProblem::NotOneFrom { count: from_count });
        }
        // The library signs every occurrence of a name, and a name with no occurrence left as absent. So
        // the second `From` says that there is no second one; other fields may be absent unsaid, since a
        // mailing list may rightly add them.
        let mut names: Vec<String> = SIGNED_HEADERS
            .iter()
            .filter(|signed| {
                fields
                    .list
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case(signed.as_bytes()))
            })
            .map(|name| (*name).to_owned())
            .collect();
        names.push("From".to_owned());

        let mut out = Vec::with_capacity(message.len() + self.keys.len() * 1024);
        let mut body_hash = None;
        for SelectorKey {
            selector,
            key,
            record: _,
        } in &self.keys
        {
            // Relaxed/relaxed by default.
            let template = Signature {
                h: names.clone(),
                ..Signature::default()
            };
            let (_, headers, signed, body) = template.canonicalize(fields.iter());
            // Both kinds of key sign the same SHA-256 of the body.
            let body_hash = body_hash
                .get_or_insert_with(|| STANDARD.encode(HashAlgorithm::Sha256.hash(body).as_ref()));
            let algorithm = match key {
                DkimKey::Rsa(_) => "rsa-sha256",
                DkimKey::Ed25519(_) => "ed25519-sha256",
            };
            let value = format!(
                "v=1; a={algorithm}; c=relaxed/relaxed; d={}; s={selector};{FOLD}\
                 t={}; bh={body_hash};{FOLD}h={};{FOLD}b=",
                self.domain,
                now.as_second().max(0),
                folded_names(&signed),
            );
            let signature = key
                .sign(Unsigned {
                    headers,
                    value: &value,
                })
                .map_err(|_| DkimProblem::SigningFailed)?;
            let signature = STANDARD.encode(signature);
            out.extend_from_slice(b"DKIM-Signature: ");
            out.extend_from_slice(value.as_bytes());
            for (at, piece) in signature.as_bytes().chunks(FOLDED_LINE_BYTES).enumerate() {
                if at > 0 {
                    out.extend_from_slice(FOLD.as_bytes());
                }
                out.extend_from_slice(piece);
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(&message);
        Ok(out)
    }
}

/// Shows no key.
impl fmt::Debug for DkimSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selectors: Vec<_> = self.keys.iter().map(|key| &key.selector).collect();
        f.debug_struct("DkimSigner")
            .field("domain", &self.domain)
            .field("selectors", &selectors)
            .finish_non_exhaustive()
    }
}

/// What the key signs: the chosen fields, then the signature's own field up to and without the signature
/// (RFC 6376 section 3.7), in its relaxed form.
///
/// The field is written here and not by the library, which may fold between the signature and the semicolon
/// after it. Verifiers disagree on whether that white space is part of what is signed. Here `b=` is the last
/// tag, so nothing follows it.
struct Unsigned<'a> {
    headers: CanonicalHeaders<'a>,
    /// Folded only where its relaxed form has one space.
    value: &'a str,
}

impl Writable for Unsigned<'_> {
    fn write(self, writer: &mut impl Writer) {
        self.headers.write(writer);
        writer.write(b"dkim-signature:");
        writer.write(self.value.replace(FOLD, " ").as_bytes());
    }
}

/// The names with colons between them, on lines of moderate length.
fn folded_names(names: &[String]) -> String {
    let mut out = String::new();
    let mut line = 0;
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            out.push(':');
            line += 1;
            if line + name.len() > FOLDED_LINE_BYTES {
                out.push_str(FOLD);
                line = 0;
            }
        }
        out.push_str(name);
        line += name.len();
    }
    out
}

/// A normalised message, taken apart.
struct Fields<'a> {
    /// Name, and value with its line end, in the message's order.
    list: Vec<(&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

impl<'a> Fields<'a> {
    fn split(message: &'a [u8]) -> Result<Self, DkimProblem> {
        let mut list = Vec::new();
        let mut start = 0;
        let mut line = 0;
        while start < message.len() {
            if message[start..].starts_with(b"\r\n") {
                return Ok(Self {
                    list,
                    body: &message[start + 2..],
                });
            }
            let malformed = DkimProblem::HeaderMalformed { line: line + 1 };
            let mut end = start;
            let mut colon = None;
            // One field: a line, and the folded lines after it.
            loop {
                let length =
                    memchr::memchr(b'\n', &message[end..]).map_or(message.len() - end, |at| at + 1);
                if colon.is_none() {
                    colon = memchr::memchr(b':', &message[end..end + length]).map(|at| end + at);
                }
                end += length;
                line += 1;
                if !matches!(message.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let colon = colon.ok_or(malformed.clone())?;
            let name = &message[start..colon];
            if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                return Err(malformed);
            }
            if list.len() == HEADER_FIELDS_MAX {
                return Err(DkimProblem::TooManyHeaderFields);
            }
            list.push((name, &message[colon + 1..end]));
            start = end;
        }
        Ok(Self { list, body: &[] })
    }

    fn iter(&self) -> FieldsIter<'_, 'a> {
        FieldsIter {
            rest: self.list.iter(),
            body: self.body,
        }
    }
}

struct FieldsIter<'f, 'a> {
    rest: std::slice::Iter<'f, (&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

impl<'a> HeaderStream<'a> for FieldsIter<'_, 'a> {
    fn next_header(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.rest.next().copied()
    }

    fn body(&mut self) -> &'a [u8] {
        self.body
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), DkimProblem> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.len() <= NAME_BYTES_MAX && name.split('.').all(label) {
        Ok(())
    } else {
        Err(DkimProblem::NameInvalid { field })
    }
}

/// Wraps an RSA public key (PKCS #1) the way DNS records carry it (RFC 5280 section 4.1.2.7).
fn subject_public_key_info(public: &[u8]) -> Vec<u8> {
    /// SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }
    const RSA_ALGORITHM: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let bits = der(0x03, &[&[0], public].concat());
    der(0x30, &[&RSA_ALGORITHM[..], &bits].concat())
}

/// One DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length
        .iter()
        .position(|&byte| byte != 0)
        .unwrap_or(length.len() - 1)..];
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(content.len() as u8);
    } else {
        out.push(0x80 | significant.len() as u8);
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8463 appendix A.
    const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    const NOW: Timestamp = Timestamp::constant(1_795_219_200, 0);

    fn signer() -> DkimSigner {
        DkimSigner::ed25519("Example.com", "ed", SEED).unwrap()
    }

    fn signed(message: &str) -> Result<String, DkimProblem> {
        signer()
            .sign(message.as_bytes(), NOW)
            .map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// The value of a tag of the first signature, folding undone.
    fn tag(signed: &str, tag: &str) -> String {
        let header = signed
            .split("\r\n")
            .take_while(|line| line.starts_with("DKIM") || line.starts_with('\t'));
        let flat: String = header.collect::<String>().replace('\t', "");
        let value = flat.split_once(':').unwrap().1;
        value
            .split(';')
            .find_map(|part| part.trim().strip_prefix(tag)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("no tag {tag} in {flat}"))
            .to_owned()
    }

    #[test]
    fn the_signature_says_what_it_covers() {
        let text = signed("To: b@example.net\nSubject: x\nFROM: a@example.com\nX-Other: y\n\nbody")
            .unwrap();
        assert!(text.starts_with(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=ed;\r\n"
        ));
        assert!(
            text.ends_with("\r\n\r\nbody\r\n"),
            "line ends are normalised: {text:?}"
        );
        assert_eq!(tag(&text, "t"), "1795219200");
        let mut covered: Vec<_> = tag(&text, "h")
            .split(':')
            .map(str::to_ascii_lowercase)
            .collect();
        covered.sort();
        assert_eq!(
            covered,
            ["from", "from", "subject", "to"],
            "From once more than it occurs"
        );
    }

    #[test]
    fn the_same_arguments_give_the_same_bytes() {
        let message = "From: a@example.com\r\nSubject: x\r\n\r\nhello\r\n";
        assert_eq!(signed(message), signed(message));
        let later = signer()
            .sign(message.as_bytes(), NOW + jiff::SignedDuration::from_secs(1))
            .unwrap();
        assert_ne!(signed(message).unwrap().into_bytes(), later);
    }

    #[test]
    fn odd_line_ends_are_signed_as_they_are_sent() {
        let odd = signed("From: a@example.com\rSubject: x\n\nline\rline\n").unwrap();
        assert_eq!(
            odd,
            signed("From: a@example.com\r\nSubject: x\r\n\r\nline\r\nline\r\n").unwrap()
        );
    }

    #[test]
    fn what_cannot_be_signed_is_said() {
        assert_eq!(
            signed("Subject: x\n\nbody"),
            Err(DkimProblem::NotOneFrom { count: 0 })
        );
        assert_eq!(
            signed("From: a@b\nfrom: c@d\n\n"),
            Err(DkimProblem::NotOneFrom { count: 2 })
        );
        assert_eq!(
            signed("From: a@b\nno colon\n\n"),
            Err(DkimProblem::HeaderMalformed { line: 2 })
        );
        assert_eq!(
            signed(" folded: first\nFrom: a@b\n"),
            Err(DkimProblem::HeaderMalformed { line: 1 })
        );
        assert_eq!(
            signed("From : a@b\n\n"),
            Err(DkimProblem::HeaderMalformed { line: 1 })
        );
        assert_eq!(
            signed(&"X: y\n".repeat(HEADER_FIELDS_MAX + 1)),
            Err(DkimProblem::TooManyHeaderFields)
        );
        assert!(
            signed("From: a@b").is_ok(),
            "a message of one field and no body"
        );
    }

    #[test]
    fn bad_keys_and_names_are_said() {
        for domain in [
            "",
            ".",
            "a..b",
            "exa mple.com",
            "-a.com",
            "a;b",
            "пример.рф",
            &"a".repeat(64),
        ] {
            let problem = DkimSigner::ed25519(domain, "s", SEED).unwrap_err();
            assert_eq!(
                problem,
                DkimProblem::NameInvalid { field: "domain" },
                "{domain}"
            );
        }
        assert!(matches!(
            DkimSigner::ed25519("example.com", "s;", SEED),
            Err(DkimProblem::NameInvalid { field: "selector" })
        ));
        for key in [
            "",
            "AAAA",
            "not base64 !",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(matches!(
                DkimSigner::ed25519("example.com", "s", key),
                Err(DkimProblem::KeyUnusable {
                    kind: "Ed25519",
                    ..
                })
            ));
            assert!(matches!(
                DkimSigner::rsa_pem("example.com", "s", key),
                Err(DkimProblem::KeyUnusable { kind: "RSA", .. })
            ));
        }
    }

    #[test]
    fn the_record_of_the_rfcs_key() {
        assert_eq!(
            signer().records(),
            [DkimRecord {
                name: "ed._domainkey.example.com".into(),
                value: "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into()
            }]
        );
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(
            format!("{:?}", signer()),
            "DkimSigner { domain: \"example.com\", selectors: [\"ed\"], .. }"
        );
    }
}
