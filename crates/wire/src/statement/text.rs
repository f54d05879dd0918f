//! What a file of a bank looks like, and its bytes as text.

use std::borrow::Cow;

use encoding_rs::{Encoding, IBM866, UTF_8, WINDOWS_1251};
use unicode_normalization::UnicodeNormalization;

use crate::table::charset;

/// Bytes of the head by which a format is told.
const HEAD_BYTES: usize = 4 * 1024;
/// Bytes in which an XML declaration is looked for.
const DECLARATION_BYTES: usize = 200;
/// The first word of 1C's format.
pub(super) const ONE_C: &str = "1CClientBankExchange";
/// The field of 1C's header that says how the file is encoded: readable in the right encoding only.
const ENCODING_FIELD: &str = "Кодировка=";

/// Which format a file has, with its text.
pub(super) enum Sniffed {
    Xml,
    OneC(String),
    Mt940(String),
    Table(String),
    Unknown,
}

pub(super) fn sniff(bytes: &[u8], name: &str) -> Sniffed {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let start = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let start = start.trim_ascii_start();
    if start.starts_with(b"<") || matches!(head, [0xFF, 0xFE, b'<', ..] | [0xFE, 0xFF, 0, b'<', ..])
    {
        return Sniffed::Xml;
    }
    if start.starts_with(ONE_C.as_bytes()) {
        return Sniffed::OneC(one_c(bytes));
    }
    let charset = charset::guess(bytes);
    let (text, _) = charset.encoding().decode_with_bom_removal(bytes);
    let head: String = text.chars().take(HEAD_BYTES).collect();
    if is_mt940(&head) {
        return Sniffed::Mt940(text.into_owned());
    }
    let name = name.to_ascii_lowercase();
    let is_text = !head
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t'));
    let has_columns = head.contains([';', ',', '\t', '|']);
    if is_text && (has_columns || name.ends_with(".csv") || name.ends_with(".tsv")) {
        Sniffed::Table(text.into_owned())
    } else {
        Sniffed::Unknown
    }
}

fn is_mt940(head: &str) -> bool {
    let begins = |tag: &str| head.lines().any(|line| line.trim_start().starts_with(tag));
    let within = |tag: &str| head.contains(tag);
    (begins(":20:") || within("{4:") || within("\n:20:"))
        && (within(":25:") || within(":25P:") || within(":60F:") || within(":60M:"))
}

/// The text of XML: its mark first, then its declaration, else UTF-8.
pub(super) fn xml(bytes: &[u8]) -> Cow<'_, str> {
    let declared = || {
        let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
        let head = String::from_utf8_lossy(head);
        let name = head.split("encoding=").nth(1)?;
        let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        Encoding::for_label(name[1..].split(quote).next()?.as_bytes())
    };
    let encoding = Encoding::for_bom(bytes)
        .map(|(encoding, _)| encoding)
        .or_else(declared);
    encoding.unwrap_or(UTF_8).decode(bytes).0
}

/// The text of 1C's format: its header is readable in the right encoding, whatever it says.
fn one_c(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)) {
        return text.to_owned();
    }
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let readable = |encoding: &'static Encoding| {
        let (text, _) = encoding.decode_without_bom_handling(head);
        text.contains(ENCODING_FIELD)
    };
    let encoding = [WINDOWS_1251, IBM866, UTF_8]
        .into_iter()
        .find(|encoding| readable(encoding))
        .unwrap_or(WINDOWS_1251);
    encoding.decode(bytes).0.into_owned()
}

/// A text of a bank: half-width kana as ordinary ones, one blank between words. Other signs stay as they were written.
pub(super) fn tidy(text: &str, chars_max: usize) -> String {
    // Two signs of half width may be one.
    let head: String = text.chars().take(4 * chars_max).collect();
    let is_half = |c: &char| matches!(c, '\u{FF61}'..='\u{FF9F}');
    let plain = if head.contains(|c| is_half(&c)) {
        let mut plain = String::new();
        let mut rest = head.chars().peekable();
        while let Some(c) = rest.next() {
            if !is_half(&c) {
                plain.push(c);
                continue;
            }
            let mut run = String::from(c);
            while let Some(next) = rest.next_if(is_half) {
                run.push(next);
            }
            plain.extend(run.nfkc());
        }
        plain
    } else {
        head
    };
    let mut tidied = String::new();
    for word in plain.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !tidied.is_empty() {
            tidied.push(' ');
        }
        tidied.push_str(word);
    }
    tidied.chars().take(chars_max).collect()
}

/// An account number: without blanks.
pub(super) fn account(text: &str) -> String {
    let plain = tidy(text, 64);
    plain.chars().filter(|c| !c.is_whitespace()).collect()
}

/// ISO 4217, or nothing.
pub(super) fn currency(text: &str) -> String {
    let text = text.trim();
    let upper = text.to_uppercase();
    match upper.as_str() {
        "RUR" | "РУБ" | "РУБ." | "₽" => return "RUB".to_owned(),
        "円" | "¥" | "￥" => return "JPY".to_owned(),
        "€" => return "EUR".to_owned(),
        "$" => return "USD".to_owned(),
        _other => {}
    }
    if upper.len() == 3 && upper.bytes().all(|byte| byte.is_ascii_uppercase()) {
        upper
    } else {
        String::new()
    }
}
