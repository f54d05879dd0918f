//! Any bytes as an attachment: a PDF, an e-invoice, a body; never a panic.
//!
//! `cargo +nightly fuzz run documents -- -timeout=10 -rss_limit_mb=1024`.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use relance_message::document::{self, DocumentInput, DocumentRules, einvoice, pdf};

static RULES: LazyLock<DocumentRules> = LazyLock::new(|| {
    DocumentRules::from_toml(include_str!("../../assets/rules/documents.toml"))
        .expect("the shipped rules compile")
});

fuzz_target!(|bytes: &[u8]| {
    let _text = pdf::text(bytes, &pdf::PdfLimits::default());
    let text = einvoice::decode(bytes);
    let _invoice = einvoice::read(&text);
    let input = DocumentInput { subject: "", text: &text, attachments: &[], sent_on: None };
    let _found = document::find(&input, &RULES);
});
