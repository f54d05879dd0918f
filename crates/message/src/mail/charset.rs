//! Bytes to text: transfer encodings and charsets, tolerant of both.
//!
//! Never fails: what cannot be decoded becomes U+FFFD, and a wrong or missing label is corrected
//! where the bytes speak for themselves (UTF-8, ISO-2022-JP, Shift_JIS, EUC-JP, Cyrillic sets).

use base64::Engine as _;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{
    EUC_JP, Encoding, ISO_2022_JP, KOI8_R, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251,
    WINDOWS_1252,
};
use mail_parser::decoders::charsets::map::charset_decoder;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Letters beyond ASCII from which a text's own say is believed.
const LETTERS_MIN: usize = 6;
/// Bytes looked at to tell a charset.
const SAMPLE_BYTES: usize = 4 * 1024;

/// Decodes by label; a missing, unknown or plainly wrong label falls back to [`guess`].
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    let label = label.map(|label| label.trim_matches(['"', '\'', ' ']));
    if let Some(label) = label {
        let ascii = label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii");
        if !ascii {
            if let Some(encoding) = Encoding::for_label(label.as_bytes()) {
                // Mail labelled with a set of one byte a letter is often UTF-8; the reverse never
                // decodes as UTF-8, but for a letter or two.
                let utf8 = (encoding.is_single_byte() && !bytes.is_ascii())
                    .then(|| std::str::from_utf8(bytes).ok())
                    .flatten()
                    .filter(|text| {
                        encoding == WINDOWS_1252
                            || text.chars().filter(|c| !c.is_ascii()).count() >= LETTERS_MIN
                    });
                if let Some(text) = utf8 {
                    return text.to_owned();
                }
                // UTF-16 of letters that have a code has zeroes in it.
                let wide = encoding == UTF_16LE || encoding == UTF_16BE;
                if wide && bytes.is_ascii() && !bytes.contains(&0) {
                    return guess(bytes);
                }
                if encoding == WINDOWS_1252
                    && let Some(text) = by_letters(bytes)
                {
                    return text;
                }
                let (text, broken) = encoding.decode_without_bom_handling(bytes);
                if broken && encoding == UTF_8 {
                    return guess(bytes);
                }
                return text.trim_start_matches('\u{feff}').to_owned();
            }
            if let Some(decoder) = charset_decoder(label.as_bytes()) {
                return decoder(bytes);
            }
        }
    }
    guess(bytes)
}

/// UTF-8 where it is valid, ISO-2022-JP where its escapes show, mostly-UTF-8 with marks for what
/// is broken, else Windows-1252, which decodes anything.
pub(super) fn guess(bytes: &[u8]) -> String {
    const ESCAPES: [&[u8]; 3] = [b"\x1b$B", b"\x1b$@", b"\x1b(J"];
    if bytes.is_ascii()
        && bytes.contains(&0x1b)
        && ESCAPES
            .iter()
            .any(|escape| bytes.windows(3).any(|window| window == *escape))
    {
        return ISO_2022_JP
            .decode_without_bom_handling(bytes)
            .0
            .into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(error) => {
            // A late error in much non-ASCII text is a cut character, not another charset.
            let valid = &bytes[..error.valid_up_to()];
            if !valid.is_ascii() {
                return String::from_utf8_lossy(bytes).into_owned();
            }
            if let Some(text) = by_letters(bytes) {
                return text;
            }
            WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
                .into_owned()
        }
    }
}

/// Decodes by what letters the bytes would be: words of small Cyrillic letters, or kana between Han.
/// In Latin text the letters beyond ASCII stand alone.
fn by_letters(bytes: &[u8]) -> Option<String> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let high = |byte: &u8| *byte >= 0x80;
    let all = sample.iter().filter(|byte| high(byte)).count();
    let in_runs = sample
        .windows(2)
        .filter(|pair| high(&pair[0]) && high(&pair[1]))
        .count();
    if all < LETTERS_MIN || in_runs * 2 < all {
        return None;
    }
    for encoding in [SHIFT_JIS, EUC_JP] {
        let (text, broken) = encoding.decode_without_bom_handling(bytes);
        let wide = text.chars().filter(|c| !c.is_ascii()).count();
        let kana = text
            .chars()
            .filter(|c| matches!(c, '\u{3041}'..='\u{30ff}'))
            .count();
        if !broken && kana * 5 >= wide {
            return Some(text.into_owned());
        }
    }
    let best = [WINDOWS_1251, KOI8_R]
        .into_iter()
        .map(|encoding| {
            let (text, _) = encoding.decode_without_bom_handling(sample);
            let small = text
                .chars()
                .filter(|c| matches!(c, 'а'..='я' | 'ё'))
                .count();
            (small, encoding)
        })
        .max_by_key(|(small, _)| *small)?;
    (best.0 * 10 >= all * 6).then(|| best.1.decode_without_bom_handling(bytes).0.into_owned())
}

/// Removes a `Content-Transfer-Encoding`.
pub(super) fn transfer_decode(bytes: &[u8], encoding: &str) -> Vec<u8> {
    let encoding = encoding.trim().trim_matches('"');
    if encoding.eq_ignore_ascii_case("base64") {
        base64_lenient(bytes)
    } else if encoding.eq_ignore_ascii_case("quoted-printable") {
        quoted_printable(bytes)
    } else {
        bytes.to_vec()
    }
}

/// Base64 with anything foreign skipped and padding ignored; stops being clever at the first
/// group that cannot be decoded.
pub(super) fn base64_lenient(bytes: &[u8]) -> Vec<u8> {
    let mut clean: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect();
    if clean.len() % 4 == 1 {
        clean.pop();
    }
    LENIENT.decode(&clean).unwrap_or_default()
}

/// Quoted-printable; a `=` that starts no pair stays as it is.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte != b'=' {
            out.push(byte);
            at += 1;
            continue;
        }
        let pair = (bytes.get(at + 1).copied(), bytes.get(at + 2).copied());
        match pair {
            (Some(high), Some(low)) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(high) << 4 | hex(low));
                at += 3;
            }
            (Some(b'\r'), Some(b'\n')) => at += 3,
            (Some(b'\n'), _) => at += 2,
            (Some(b' ' | b'\t' | b'\r'), _) => {
                // Soft line break with trailing spaces.
                let spaces = bytes[at + 1..]
                    .iter()
                    .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
                    .count();
                if bytes.get(at + 1 + spaces) == Some(&b'\n') {
                    at += 2 + spaces;
                } else {
                    // Keeps the run, so that it is not counted again for each `=`.
                    out.extend_from_slice(&bytes[at..=at + spaces]);
                    at += 1 + spaces;
                }
            }
            (None, _) => at += 1,
            _ => {
                out.push(b'=');
                at += 1;
            }
        }
    }
    out
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}
