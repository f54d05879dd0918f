//! Any bytes as an office file or a Russian e-invoice: never a panic, never more than the bounds of archives allow.
//!
//! `cargo +nightly fuzz run office -- -timeout=20 -rss_limit_mb=2048`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relance::recognition::office;
use relance_message::document::einvoice;

fuzz_target!(|bytes: &[u8]| {
    let _text = office::text(bytes);
    // A УПД, whose values are attributes: the bytes stand where the tax office's would.
    let inner = String::from_utf8_lossy(bytes);
    let text = format!("<Файл><Документ Функция=\"СЧФДОП\">{inner}</Документ></Файл>");
    let _invoice = einvoice::read(&text);
});
