//! How many received messages one core reads and classifies in a second, beside what the bare MIME
//! parser and a copy of the bytes take on the same messages in the same run.
//!
//! `cargo run --release -p relance-message --example mail_speed`; the corpora are found as the tests find
//! them (`RELANCE_CORPORA`). A bound is a ratio, so that a slow or busy machine does not fail it: classifying
//! a message takes at most `RATIO_MAX` times what the parser alone takes.

#![expect(
    clippy::disallowed_methods,
    reason = "a stopwatch needs a clock; the crate itself has none"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use relance_message::document::{
    self, AttachmentText, DocumentInput, DocumentRules, einvoice, pdf,
};
use relance_message::inbound::{self, InboundRules};
use relance_message::mail::Mail;

/// The bound on what classifying costs over bare parsing.
const RATIO_MAX: f64 = 12.0;
const MEASURE: Duration = Duration::from_secs(2);
/// Folders of messages, and how their names end.
const FOLDERS: [(&str, &str); 4] = [
    ("bounce-sisimai", ".eml"),
    ("mime-mikelmail", ".eml"),
    ("reply-crisp", ".txt"),
    ("bounce-flufl", ".txt"),
];

fn main() {
    let root = std::env::var_os("RELANCE_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let rules = InboundRules::from_toml(
        include_str!("../../../assets/rules/bounces.toml"),
        include_str!("../../../assets/rules/replies.toml"),
    )
    .expect("the shipped rules compile");
    let papers = DocumentRules::from_toml(include_str!("../../../assets/rules/documents.toml"))
        .expect("the shipped rules compile");
    let mut total = 0.0;
    let mut bare = 0.0;
    println!(
        "| messages | files | KB each | copied | parsed bare | read and classified | documents looked for |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (folder, ending) in FOLDERS {
        let mails = mails(&root.join(folder), ending);
        if mails.is_empty() {
            println!("| {folder} | not found: set RELANCE_CORPORA |");
            continue;
        }
        let bytes: usize = mails.iter().map(Vec::len).sum();
        let copied = rate(&mails, |mail| mail.clone());
        let parsed = rate(&mails, |mail| {
            mail_parser::MessageParser::default()
                .parse(mail)
                .map(|parsed| parsed.parts.len())
        });
        let classified = rate(&mails, |mail| {
            Mail::parse(mail)
                .ok()
                .map(|mail| inbound::classify(&mail, &rules))
        });
        let found = rate(&mails, |mail| {
            let mail = Mail::parse(mail).ok()?;
            let input = DocumentInput {
                subject: &mail.subject,
                text: &mail.text,
                attachments: &[],
                sent_on: None,
            };
            document::find(&input, &papers)
        });
        total += 1.0 / classified;
        bare += 1.0 / parsed;
        println!(
            "| {folder} | {} | {:.1} | {copied:.0}/s | {parsed:.0}/s | {classified:.0}/s | {found:.0}/s |",
            mails.len(),
            bytes as f64 / mails.len() as f64 / 1024.0
        );
    }
    attachments(&root, &papers);
    if bare > 0.0 {
        let ratio = total / bare;
        println!("classifying takes {ratio:.1} times bare parsing (bound {RATIO_MAX})");
        assert!(ratio <= RATIO_MAX, "{ratio:.1} times bare parsing");
    }
}

/// PDFs and e-invoices, read from bytes to fields.
fn attachments(root: &Path, papers: &DocumentRules) {
    let find = |text: &str| {
        let attachments = [AttachmentText {
            name: "document.pdf",
            content_type: "application/pdf",
            text: Some(text),
        }];
        let input = DocumentInput {
            subject: "",
            text: "",
            attachments: &attachments,
            sent_on: None,
        };
        document::find(&input, papers)
    };
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pdf");
    for folder in [root.join("invoice-pdf/invoice2data"), made] {
        let pdfs = mails(&folder, ".pdf");
        if pdfs.is_empty() {
            continue;
        }
        let text = rate(&pdfs, |bytes| {
            pdf::text(bytes, &pdf::PdfLimits::default()).map(|text| text.joined())
        });
        let fields = rate(&pdfs, |bytes| {
            let text = pdf::text(bytes, &pdf::PdfLimits::default()).ok()?;
            find(&text.joined())
        });
        println!(
            "{} PDFs of {}: text {text:.0}/s, text and fields {fields:.0}/s",
            pdfs.len(),
            folder.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    let invoices = mails(&root.join("einvoice-xml"), ".xml");
    if !invoices.is_empty() {
        let read = rate(&invoices, |bytes| {
            einvoice::read(&einvoice::decode(bytes)).is_ok()
        });
        println!("{} e-invoices: {read:.0}/s", invoices.len());
    }
}

/// Items a second over whole passes, for about [`MEASURE`].
fn rate<T>(items: &[Vec<u8>], mut work: impl FnMut(&Vec<u8>) -> T) -> f64 {
    // The first pass compiles patterns and warms caches.
    for item in items {
        black_box(work(item));
    }
    let started = Instant::now();
    let mut count = 0_u64;
    while started.elapsed() < MEASURE {
        for item in items {
            black_box(work(black_box(item)));
        }
        count += items.len() as u64;
    }
    count as f64 / started.elapsed().as_secs_f64()
}

fn mails(folder: &Path, ending: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .collect()
}
