//! Our signatures, checked by a verifier that did not make them.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt,
};
use relance_channels::dkim::{DkimProblem, DkimRecord, DkimSigner};

/// Made for these tests; signs nothing else.
const RSA_KEY: &str = include_str!("dkim_test_key.pem");
/// The key of RFC 8463 appendix A.
const ED25519_SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const MESSAGE: &str = "From: Ana <ana@example.com>\r\nTo: bob@example.net\r\nSubject: =?utf-8?q?h=C3=A9llo?=\r\n \
                       folded\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: \
                       1.0\r\nContent-Type: text/plain; charset=utf-8\r\nList-Unsubscribe: \
                       <https://example.com/u/1>\r\nList-Unsubscribe-Post: \
                       List-Unsubscribe=One-Click\r\n\r\nHello,  you.  \r\n\r\n.dot\r\n\r\n\r\n";

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn both() -> DkimSigner {
    DkimSigner::rsa_pem("example.com", "rsa", RSA_KEY)
        .unwrap()
        .and_ed25519("ed", ED25519_SEED)
        .unwrap()
}

/// A DNS that holds our records and nothing else.
struct Records(BTreeMap<Box<str>, Arc<DomainKey>>);

impl Records {
    fn of(records: &[DkimRecord]) -> Self {
        let parse = |record: &DkimRecord| {
            (
                format!("{}.", record.name).into_boxed_str(),
                Arc::new(DomainKey::parse(record.value.as_bytes()).unwrap()),
            )
        };
        Self(records.iter().map(parse).collect())
    }
}

impl ResolverCache<Box<str>, Txt> for Records {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let found = self
            .0
            .iter()
            .find(|(key, _)| Borrow::<Q>::borrow(*key) == name);
        found.map(|(_, key)| Txt::DomainKey(Arc::clone(key)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: std::time::Instant) {}
}

/// One result a signature, in the message's order; true is a pass.
async fn verify(message: &[u8], records: &[DkimRecord]) -> Vec<bool> {
    let records = Records::of(records);
    let parsed = AuthenticatedMessage::parse(message).unwrap();
    let verifier = MessageAuthenticator::new_cloudflare().unwrap();
    let outputs = verifier
        .verify_dkim(Parameters::new(&parsed).with_txt_cache(&records))
        .await;
    outputs
        .iter()
        .map(|output| *output.result() == DkimResult::Pass)
        .collect()
}

#[tokio::test]
async fn both_signatures_verify() {
    let signer = both();
    let signed = signer.sign(MESSAGE.as_bytes(), now()).unwrap();
    assert!(
        signed.ends_with(MESSAGE.as_bytes()),
        "the message itself is untouched"
    );
    assert_eq!(verify(&signed, &signer.records()).await, [true, true]);
    assert!(
        signed
            .split(|&byte| byte == b'\n')
            .all(|line| line.len() <= 100),
        "the signature is folded"
    );
}

#[tokio::test]
async fn each_change_breaks_both_signatures() {
    let signer = both();
    let signed = String::from_utf8(signer.sign(MESSAGE.as_bytes(), now()).unwrap()).unwrap();
    for (was, is) in [
        ("Hello", "Hallo"),
        ("folded", "unfolded"),
        ("To: bob", "To: eve"),
        ("/u/1", "/u/2"),
        ("One-Click", "Two-Clicks"),
        ("Message-ID: <1@", "Message-ID: <2@"),
        (".dot", "..dot"),
        // A second From before the first, which some readers show.
        ("From: Ana", "From: Eve <eve@example.org>\r\nFrom: Ana"),
    ] {
        let changed = signed.replacen(was, is, 1);
        assert_ne!(changed, signed, "{was:?} is in the message");
        assert_eq!(
            verify(changed.as_bytes(), &signer.records()).await,
            [false, false],
            "{was:?} -> {is:?}"
        );
    }
    // What relays may do: refold and add fields above.
    let relayed = format!(
        "Received: by relay\r\n{}",
        signed.replacen("\r\n folded", "\r\n\t  folded", 1)
    );
    assert_eq!(
        verify(relayed.as_bytes(), &signer.records()).await,
        [true, true]
    );
}

#[tokio::test]
async fn odd_bodies_verify() {
    let signer = both();
    for body in [
        "",
        "\r\n",
        "\r\n\r\n",
        "x",
        " \r\n",
        "a\rb\nc",
        "\t \r\n\r\nx  y\t\tz \r\n",
        "-- \r\n",
        "б\r\n",
    ] {
        let signed = signer
            .sign(
                format!("From: a@example.com\r\n\r\n{body}").as_bytes(),
                now(),
            )
            .unwrap();
        assert_eq!(
            verify(&signed, &signer.records()).await,
            [true, true],
            "{body:?}"
        );
    }
}

/// White space after the signature is read in two ways by verifiers, so there must be none, wherever the
/// folds fall.
#[tokio::test]
async fn nothing_follows_the_signature() {
    for length in 1..=63 {
        let selector = "s".repeat(length);
        let signer = DkimSigner::rsa_pem("example.com", &selector, RSA_KEY).unwrap();
        let recipients = "x".repeat(length);
        let message =
            format!("From: a@example.com\r\nTo: {recipients}@example.net\r\n\r\nHello.\r\n");
        let signed = signer.sign(message.as_bytes(), now()).unwrap();
        assert_eq!(verify(&signed, &signer.records()).await, [true]);
        let text = String::from_utf8(signed).unwrap();
        let field = text.split("\r\nFrom: ").next().unwrap();
        let (_, signature) = field.rsplit_once("b=").unwrap();
        assert!(
            signature.ends_with("==") && !signature.contains(';'),
            "{signature:?}"
        );
        assert!(field.split("\r\n").all(|line| line == line.trim_end()));
    }
}

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("RELANCE_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora")
        });
    if root.is_dir() {
        return Some(root);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "the corpora are missing at {}; set RELANCE_CORPORA",
        root.display()
    );
    eprintln!(
        "skipped: no corpora at {}; set RELANCE_CORPORA",
        root.display()
    );
    None
}

/// Real messages, many of them broken on purpose: each is signed so that it verifies, or refused with a reason.
#[tokio::test]
async fn messages_of_the_corpora_verify_or_are_refused() {
    let Some(corpora) = corpora() else { return };
    let signer = both();
    let records = signer.records();
    let (mut signed_count, mut refused_count, mut own_signatures) = (0, 0, 0);
    for folder in [
        "dkim-vectors/dkimpy",
        "dkim-vectors/postal",
        "mime-mime4j",
        "mime-mikelmail",
    ] {
        let mut folders = vec![corpora.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let extension = path
                    .extension()
                    .and_then(|extension| extension.to_str())
                    .unwrap_or_default();
                if !["msg", "eml", "message", "txt", "mbox"].contains(&extension) {
                    continue;
                }
                let message = std::fs::read(&path).unwrap();
                match signer.sign(&message, now()) {
                    Ok(signed) => {
                        signed_count += 1;
                        // The message may carry signatures of others, which do not verify here.
                        let results = verify(&signed, &records).await;
                        assert_eq!(results[..2], [true, true], "{}", path.display());
                        own_signatures += results.len() - 2;
                    }
                    Err(
                        DkimProblem::NotOneFrom { .. }
                        | DkimProblem::HeaderMalformed { .. }
                        | DkimProblem::TooManyHeaderFields,
                    ) => refused_count += 1,
                    Err(other) => panic!("{}: {other}", path.display()),
                }
            }
        }
    }
    eprintln!(
        "{signed_count} signed and verified, {refused_count} refused, {own_signatures} older signatures"
    );
    assert!(
        signed_count > 100,
        "only {signed_count} messages were signed"
    );
}

/// The keys that another project signs with, in the forms it has them.
#[tokio::test]
async fn keys_of_the_corpora() {
    let Some(corpora) = corpora() else { return };
    let keys = corpora.join("dkim-vectors/dkimpy");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).unwrap();
    for (name, record) in [
        ("2048_testkey.key", "2048_testkey_wo_markers.pub.txt"),
        ("2048_testkey_PKCS8.key", "2048_testkey_PKCS8.key.pub.txt"),
    ] {
        let signer = DkimSigner::rsa_pem("example.com", "s", &read(name)).unwrap();
        let signed = signer.sign(MESSAGE.as_bytes(), now()).unwrap();
        assert_eq!(verify(&signed, &signer.records()).await, [true], "{name}");
        let published = read(record);
        let published = published
            .split("p=")
            .nth(1)
            .unwrap()
            .trim()
            .trim_end_matches(['"', ';']);
        assert!(
            signer.records()[0].value.ends_with(published),
            "the record is the one they publish"
        );
    }
    assert!(
        matches!(
            DkimSigner::rsa_pem("example.com", "s", &read("1024_testkey.key")),
            Err(DkimProblem::KeyUnusable { kind: "RSA", .. })
        ),
        "1024 bits are refused"
    );
    let signer = DkimSigner::ed25519("example.com", "s", &read("rfc8032_7_1.key")).unwrap();
    assert!(
        signer.records()[0]
            .value
            .ends_with("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    );
}
