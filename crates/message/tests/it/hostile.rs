//! Hostile input: seeded mutations of real mail, and shapes made to be slow.

use std::time::{Duration, Instant};

use relance_message::inbound;
use relance_message::mail::{self, Mail};

use crate::corpora;

/// A small generator: the seed in a failure's message replays it.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

const MUTATIONS_PER_FILE: u64 = 4;
/// A message of some kilobytes takes well under a millisecond; this allows for slow machines and
/// builds without optimisation.
const ONE_MAIL_MAX: Duration = Duration::from_secs(3);

fn mutate(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(8) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = chance.below(bytes.len());
        match chance.below(7) {
            0 => bytes[at] = chance.next() as u8,
            1 => bytes.truncate(at),
            2 => {
                let end = (at + chance.below(200)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let end = (at + chance.below(400)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            4 => bytes.splice(at..at, *b"\r\n").for_each(drop),
            5 => {
                let piece: &[&[u8]] = &[
                    b"=?utf-8?B?",
                    b"?=",
                    b"Content-Type: multipart/mixed; boundary=x\n",
                    b"--x\n",
                    b"<blockquote>",
                    b"\xff\xfe\x80",
                    b"Content-Type: message/rfc822\n\n",
                    b"&#x110000;",
                    b"Final-Recipient: rfc822;",
                    "до 32 мая".as_bytes(),
                    b"\x1b$B",
                    b"=\n",
                ];
                let piece = piece[chance.below(piece.len())];
                bytes.splice(at..at, piece.iter().copied()).for_each(drop);
            }
            _ => {
                // Lines in another order.
                let end = (at + 1 + chance.below(2_000)).min(bytes.len());
                bytes[at..end].reverse();
            }
        }
    }
    bytes
}

#[test]
fn mutated_mail_neither_panics_nor_lingers() {
    let rules = corpora::rules();
    let mut slowest = (Duration::ZERO, String::new());
    let mut runs = 0;
    for (corpus, endings) in [
        ("bounce-sisimai", &[".eml"][..]),
        ("bounce-flufl", &[".txt"][..]),
        ("mime-mime4j", &[".msg"][..]),
        ("mime-mikelmail", &[".eml"][..]),
        ("reply-crisp", &[".txt"][..]),
    ] {
        let Some(folder) = corpora::folder(corpus) else {
            return;
        };
        for path in corpora::files(&folder, endings) {
            let original = corpora::bytes(&path);
            for seed in 0..MUTATIONS_PER_FILE {
                let mut chance = Chance(seed ^ ((original.len() as u64) << 8));
                let bytes = mutate(&original, &mut chance);
                let started = Instant::now();
                if let Ok(mail) = Mail::parse(&bytes) {
                    let json = inbound::classify(&mail, rules).to_json();
                    assert!(json["kind"].is_string());
                }
                runs += 1;
                let taken = started.elapsed();
                if taken > slowest.0 {
                    slowest = (taken, format!("{} seed {seed}", path.display()));
                }
            }
        }
    }
    println!("{runs} mutations, slowest {:?}: {}", slowest.0, slowest.1);
    assert!(slowest.0 < ONE_MAIL_MAX, "{:?}: {}", slowest.0, slowest.1);
}

/// Each shape at two sizes: four times the input may take not much more than four times the time.
#[test]
fn shapes_made_to_be_slow_stay_linear() {
    let rules = corpora::rules();
    let shapes: &[(&str, &str, &str)] = &[
        ("text/html", "<div>", ""),
        ("text/html", "<blockquote>x", ""),
        ("text/html", "<head><a b='", ""),
        ("text/html", "<!-- <p", ""),
        ("text/html", "&#&amp;&lt", ""),
        ("text/plain", "> ", ""),
        ("text/plain", "On 1 \n", "wrote:"),
        ("text/plain", "From: a\nSent: b\n", ""),
        ("text/plain", "a@b.cc ", ""),
        ("text/plain", "550 5.1.1 <a@b.cc> ", ""),
        ("text/plain", "Best regards,\n", ""),
        ("text/plain", "\u{1b}$B", ""),
        ("multipart/mixed; boundary=b", "--b \n-", ""),
        ("multipart/mixed; boundary=\"\"", "--\n--b\n", ""),
    ];
    for (kind, piece, end) in shapes {
        let run = |size: usize| {
            let body = piece.repeat(size / piece.len());
            let bytes = format!(
                "From: MAILER-DAEMON@x.org\nReturn-Path: <>\nSubject: failure notice\nContent-Type: {kind}\n\n{body}{end}"
            );
            let started = Instant::now();
            if let Ok(mail) = Mail::parse(bytes.as_bytes()) {
                let _ = inbound::classify(&mail, rules);
            }
            started.elapsed()
        };
        run(50_000);
        let (small, large) = (run(200_000), run(800_000));
        println!("{kind} {piece:?}: {small:?} {large:?}");
        assert!(
            large < small * 10 + Duration::from_millis(300),
            "{kind} {piece:?}: {small:?} then {large:?}"
        );
    }
}

#[test]
fn hostile_headers_stay_linear() {
    for (name, piece) in [
        ("Subject", "=?utf-8?B?"),
        ("Subject", "=?utf-8?Q?=3D"),
        ("Subject", "=?x?b?QUE= ?="),
        ("From", "(\"<a@b,"),
        ("To", "=?utf-8?B?0JjQ?= "),
        ("References", "<a@b "),
        ("Content-Type", "; a*1=b"),
        ("Date", "Mon, 1 "),
        ("Received", "; from x "),
    ] {
        let value = piece.repeat(mail::HEADER_BYTES_MAX / piece.len() - 20);
        let bytes = format!("X: y\n{name}: {value}\n\nbody");
        let started = Instant::now();
        let parsed = Mail::parse(bytes.as_bytes());
        let taken = started.elapsed();
        assert!(parsed.is_ok(), "{name}: {parsed:?}");
        assert!(taken < ONE_MAIL_MAX, "{name} {piece:?}: {taken:?}");
    }
}
