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
    // `RELANCE_MANGLED=200` asks each file so often.
    let times = std::env::var("RELANCE_MANGLED")
        .ok()
        .and_then(|times| times.parse().ok())
        .unwrap_or(MUTATIONS_PER_FILE);
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
            for seed in 0..times {
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

/// Peak memory of this process, in bytes; 0 where the system does not tell.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}

/// A build without optimisation beside a whole test run; alone the shapes take some seconds.
const ONE_HUGE_INPUT_MAX: Duration = Duration::from_secs(180);
const MEGABYTE: usize = 1024 * 1024;

#[test]
fn a_mail_as_large_as_allowed_is_read_in_bounded_memory() {
    let rules = corpora::rules();
    let head = "From: a@example.com\r\nTo: b@example.net\r\nSubject: Re: offer\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nWe take it.\r\n\
                --b\r\nContent-Type: application/pdf; name=big.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let line = "A".repeat(76) + "\r\n";
    let room = mail::MESSAGE_BYTES_MAX - head.len() - 16;
    let mut bytes = head.as_bytes().to_vec();
    bytes.extend(line.repeat(room / line.len()).into_bytes());
    bytes.extend_from_slice(b"\r\n--b--\r\n");
    let before = peak_bytes();
    let started = Instant::now();
    let parsed = Mail::parse(&bytes).expect("it is as large as allowed");
    let found = inbound::classify(&parsed, rules);
    let taken = started.elapsed();
    let grown = peak_bytes().saturating_sub(before) as usize;
    println!(
        "{} MB: {taken:?}, {} MB more",
        bytes.len() / MEGABYTE,
        grown / MEGABYTE
    );
    assert_eq!(found.kind(), "reply");
    assert!(taken < ONE_HUGE_INPUT_MAX, "{taken:?}");
    assert!(
        grown < 3 * mail::MESSAGE_BYTES_MAX,
        "{} MB",
        grown / MEGABYTE
    );
    bytes.extend(line.repeat(10).into_bytes());
    let started = Instant::now();
    assert!(Mail::parse(&bytes).is_err());
    assert!(started.elapsed() < ONE_MAIL_MAX);
}

#[test]
fn multiparts_nested_without_end_are_cut() {
    let rules = corpora::rules();
    let shapes: [fn(usize) -> String; 3] = [
        |at| format!("Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n"),
        |_| "Content-Type: message/rfc822\r\n\r\n".to_owned(),
        |at| {
            format!(
                "Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\nContent-Type: message/rfc822\r\n\r\n"
            )
        },
    ];
    for shape in shapes {
        let mut bytes = b"From: a@example.com\r\nSubject: x\r\n".to_vec();
        for at in 0..50_000 {
            bytes.extend(shape(at).into_bytes());
        }
        bytes.extend_from_slice(b"Content-Type: text/plain\r\n\r\nHello");
        let started = Instant::now();
        if let Ok(parsed) = Mail::parse(&bytes) {
            let _ = inbound::classify(&parsed, rules);
        }
        let taken = started.elapsed();
        println!("{} bytes nested: {taken:?}", bytes.len());
        assert!(taken < ONE_HUGE_INPUT_MAX, "{taken:?}");
    }
}

#[test]
fn a_charset_that_lies_leaves_readable_text() {
    let rules = corpora::rules();
    let sentence = "Добрый день! Оплатим завтра.";
    let (windows, _, _) = encoding_rs::WINDOWS_1251.encode(sentence);
    let (japanese, _, _) =
        encoding_rs::SHIFT_JIS.encode("お世話になっております。来週お支払いします。");
    let (koi8, _, _) = encoding_rs::KOI8_R.encode(sentence);
    // What everybody reads, whatever the label says.
    for (charset, body) in [
        ("utf-8", &windows[..]),
        ("iso-8859-1", &windows),
        ("", &koi8),
        ("us-ascii", &windows),
        ("windows-1251", sentence.as_bytes()),
        ("koi8-r", sentence.as_bytes()),
    ] {
        let mut bytes = format!(
            "From: a@example.com\r\nContent-Type: text/plain; charset=\"{charset}\"\r\n\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        let parsed = Mail::parse(&bytes).expect("readable");
        assert_eq!(parsed.text.trim(), sentence, "{charset}");
    }
    let cases: [(&str, &[u8]); 8] = [
        ("utf-8", &windows),
        ("windows-1251", sentence.as_bytes()),
        ("us-ascii", sentence.as_bytes()),
        ("x-unknown-klingon", b"Plain words stay."),
        ("utf-16", b"Plain words stay."),
        ("iso-2022-jp", b"Plain words stay. \x1b$B"),
        ("shift_jis", &japanese),
        ("", b"\xff\xfe\x00Plain words stay."),
    ];
    for (charset, body) in cases {
        let mut bytes = format!(
            "From: a@example.com\r\nSubject: Re: offer\r\nIn-Reply-To: <1@x.org>\r\nContent-Type: text/plain; charset=\"{charset}\"\r\n\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        let parsed = Mail::parse(&bytes).expect("readable");
        let found = inbound::classify(&parsed, rules);
        assert_eq!(found.kind(), "reply", "{charset}");
        let letters = parsed.text.chars().filter(|c| c.is_alphabetic()).count();
        assert!(letters >= 8, "{charset}: {:?}", parsed.text);
    }
    let mut lie =
        b"From: a@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".to_vec();
    lie.extend_from_slice(&japanese);
    let parsed = Mail::parse(&lie).expect("readable");
    assert!(
        parsed.text.contains("来週お支払いします"),
        "{:?}",
        parsed.text
    );
    let latin = b"From: a@example.com\r\n\r\nVoil\xe0, c'est pay\xe9. Gr\xfc\xdfe, M\xfcller, caf\xe9 \xe0 No\xebl";
    let parsed = Mail::parse(latin).expect("readable");
    assert!(
        parsed.text.contains("Voilà, c'est payé. Grüße"),
        "{:?}",
        parsed.text
    );
}

/// As many objects as the byte limit allows, none of them of use.
#[test]
fn a_pdf_of_a_million_objects_is_refused_in_time() {
    use relance_message::document::pdf::{self, PdfLimits};
    const OBJECTS: usize = 1_000_000;
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::with_capacity(OBJECTS);
    for at in 1..=OBJECTS {
        offsets.push(bytes.len());
        bytes.extend(format!("{at} 0 obj 0 endobj\n").into_bytes());
    }
    let plain = bytes.clone();
    let xref = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", OBJECTS + 1).into_bytes());
    for offset in offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").into_bytes());
    }
    bytes.extend(
        format!(
            "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF",
            OBJECTS + 1
        )
        .into_bytes(),
    );
    let limits = PdfLimits {
        bytes_max: 64 * MEGABYTE,
        ..PdfLimits::default()
    };
    for (name, bytes) in [("with a table", &bytes), ("without one", &plain)] {
        let before = peak_bytes();
        let started = Instant::now();
        let read = pdf::text(bytes, &limits);
        let taken = started.elapsed();
        let grown = peak_bytes().saturating_sub(before) as usize;
        println!("{name}: {taken:?}, {} MB more", grown / MEGABYTE);
        assert!(read.is_err(), "{name}: {read:?}");
        assert!(taken < ONE_HUGE_INPUT_MAX, "{name}: {taken:?}");
        assert!(grown < 1024 * MEGABYTE, "{name}: {} MB", grown / MEGABYTE);
    }
}

#[test]
fn xml_that_multiplies_or_nests_without_end_is_refused() {
    use relance_message::document::einvoice;
    let mut laughs = "<?xml version=\"1.0\"?><!DOCTYPE Invoice [<!ENTITY a \"ha\">".to_owned();
    for (name, of) in ('b'..='z').zip('a'..='y') {
        laughs.push_str(&format!(
            "<!ENTITY {name} \"{}\">",
            format!("&{of};").repeat(10)
        ));
    }
    laughs.push_str("]><Invoice><ID>&z;</ID></Invoice>");
    let outside = "<!DOCTYPE Invoice SYSTEM \"file:///etc/passwd\"><Invoice><ID>1</ID></Invoice>";
    let nested = format!("<Invoice>{}", "<a>".repeat(300_000));
    let attributes = format!("<Invoice {}>", "a=\"b\" ".repeat(200_000));
    for (name, text) in [
        ("entities", laughs.as_str()),
        ("a file", outside),
        ("nesting", &nested),
        ("attributes", &attributes),
    ] {
        let started = Instant::now();
        let read = einvoice::read(text);
        let taken = started.elapsed();
        assert!(read.is_err(), "{name}: {read:?}");
        assert!(taken < ONE_MAIL_MAX, "{name}: {taken:?}");
    }
}
