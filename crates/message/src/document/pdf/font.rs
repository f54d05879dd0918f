//! Fonts as far as text needs them: how bytes become characters, and how wide each one is.
//!
//! `ToUnicode` is trusted first, then the encoding. **Absent:** font programs themselves; glyphs of a
//! CID font with neither `ToUnicode` nor a Unicode or legacy character map stay unread.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Document, Encoding, Object, ObjectId};

use super::{Budget, get, get_dict, number};

/// Different fonts read in one file.
const FONTS_MAX: usize = 512;
/// Entries of one character map or width table.
const ENTRIES_MAX: usize = 70_000;
/// Width of a glyph of which the font says nothing, in parts of the size.
const WIDTH_UNKNOWN: f64 = 0.5;
/// Largest `ToUnicode` program read.
const CMAP_BYTES_MAX: usize = 2 * 1024 * 1024;

/// One drawn glyph.
pub(super) struct Glyph {
    pub text: String,
    /// In parts of the font size.
    pub width: f64,
    /// Whether word spacing applies (the one-byte code 32).
    pub is_space: bool,
}

#[derive(Default)]
pub(super) struct Fonts {
    fonts: Vec<Font>,
    by_id: BTreeMap<ObjectId, usize>,
}

impl Fonts {
    pub(super) fn get(&self, key: usize) -> Option<&Font> {
        self.fonts.get(key)
    }

    /// Reads a font once; a direct dictionary has no id and is read at each use.
    pub(super) fn load(
        &mut self,
        document: &Document,
        id: Option<ObjectId>,
        dictionary: &Dictionary,
        budget: &mut Budget,
    ) -> Option<usize> {
        if let Some(key) = id.and_then(|id| self.by_id.get(&id)) {
            return Some(*key);
        }
        if self.fonts.len() >= FONTS_MAX {
            return None;
        }
        self.fonts.push(Font::read(document, dictionary, budget));
        let key = self.fonts.len() - 1;
        if let Some(id) = id {
            self.by_id.insert(id, key);
        }
        Some(key)
    }
}

/// How a string's bytes are cut into codes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Codes {
    OneByte,
    TwoBytes,
    /// A legacy character set whose codes are one or two bytes.
    Legacy(&'static encoding_rs::Encoding),
}

pub(super) struct Font {
    codes: Codes,
    unicode: BTreeMap<u32, String>,
    widths: BTreeMap<u32, f64>,
    width_default: f64,
    /// Two-byte codes are UTF-16 themselves.
    utf16: bool,
}

impl Font {
    fn read(document: &Document, dictionary: &Dictionary, budget: &mut Budget) -> Self {
        let subtype = dictionary
            .get(b"Subtype")
            .and_then(Object::as_name)
            .unwrap_or_default();
        let mut font = if subtype == b"Type0" {
            Self::composite(document, dictionary)
        } else {
            Self::simple(document, dictionary, subtype == b"Type3")
        };
        if let Some(Object::Stream(stream)) = get(document, dictionary, b"ToUnicode")
            && let Some(program) = budget.inflate(stream)
            && program.len() <= CMAP_BYTES_MAX
        {
            read_cmap(&program, &mut font.unicode);
        }
        font
    }

    fn simple(document: &Document, dictionary: &Dictionary, type3: bool) -> Self {
        let first = get(document, dictionary, b"FirstChar")
            .and_then(number)
            .unwrap_or(0.0)
            .clamp(0.0, 255.0) as u32;
        let scale = if type3 {
            get(document, dictionary, b"FontMatrix")
                .and_then(|matrix| matrix.as_array().ok())
                .and_then(|matrix| matrix.first())
                .and_then(number)
                .unwrap_or(0.001)
        } else {
            0.001
        };
        let mut widths = BTreeMap::new();
        if let Some(Object::Array(list)) = get(document, dictionary, b"Widths") {
            for (code, width) in (first..=255).zip(list) {
                if let Some(width) = super::resolve(document, width).and_then(number) {
                    widths.insert(code, width * scale);
                }
            }
        }
        let width_default = get_dict(document, dictionary, b"FontDescriptor")
            .and_then(|descriptor| get(document, descriptor, b"MissingWidth"))
            .and_then(number)
            .map_or(WIDTH_UNKNOWN, |width| width * scale);
        if widths.is_empty() {
            widths = standard_widths();
        }
        Self {
            codes: Codes::OneByte,
            unicode: simple_encoding(document, dictionary),
            widths,
            width_default: if width_default > 0.0 {
                width_default
            } else {
                WIDTH_UNKNOWN
            },
            utf16: false,
        }
    }

    fn composite(document: &Document, dictionary: &Dictionary) -> Self {
        let encoding = get(document, dictionary, b"Encoding")
            .and_then(|e| e.as_name().ok())
            .unwrap_or_default();
        let encoding = String::from_utf8_lossy(encoding).into_owned();
        let legacy = if encoding.contains("RKSJ") {
            Some(encoding_rs::SHIFT_JIS)
        } else if encoding.starts_with("GBK") || encoding.starts_with("GB-EUC") {
            Some(encoding_rs::GBK)
        } else if encoding.starts_with("KSC") {
            Some(encoding_rs::EUC_KR)
        } else if encoding.contains("B5") {
            Some(encoding_rs::BIG5)
        } else if encoding == "EUC-H" || encoding == "EUC-V" {
            Some(encoding_rs::EUC_JP)
        } else {
            None
        };
        let descendant = get(document, dictionary, b"DescendantFonts")
            .and_then(|list| list.as_array().ok())
            .and_then(|list| super::resolve(document, list.first()?)?.as_dict().ok());
        let mut widths = BTreeMap::new();
        let mut width_default = 1.0;
        if let Some(descendant) = descendant {
            width_default = get(document, descendant, b"DW")
                .and_then(number)
                .map_or(1.0, |width| width / 1000.0);
            if let Some(Object::Array(list)) = get(document, descendant, b"W") {
                read_cid_widths(document, list, &mut widths);
            }
        }
        Self {
            codes: legacy.map_or(Codes::TwoBytes, Codes::Legacy),
            unicode: BTreeMap::new(),
            widths,
            width_default,
            utf16: encoding.contains("UCS2") || encoding.contains("UTF16"),
        }
    }

    /// Cuts a string into glyphs.
    pub(super) fn glyphs<'s>(&'s self, bytes: &'s [u8]) -> impl Iterator<Item = Glyph> + 's {
        let mut at = 0;
        std::iter::from_fn(move || {
            let first = *bytes.get(at)?;
            let second = bytes.get(at + 1).copied();
            let (code, length) = match (self.codes, second) {
                (Codes::OneByte, _) => (u32::from(first), 1),
                (Codes::Legacy(_), _) if first < 0x80 || (0xa0..=0xdf).contains(&first) => {
                    (u32::from(first), 1)
                }
                (Codes::TwoBytes | Codes::Legacy(_), Some(second)) => {
                    (u32::from(first) << 8 | u32::from(second), 2)
                }
                (Codes::TwoBytes | Codes::Legacy(_), None) => (u32::from(first), 1),
            };
            let text = self.text_of(code, &bytes[at..at + length]);
            at += length;
            let width = self.width_of(code, length, &text);
            Some(Glyph {
                is_space: length == 1 && code == 32,
                width,
                text,
            })
        })
    }

    fn text_of(&self, code: u32, bytes: &[u8]) -> String {
        if let Some(text) = self.unicode.get(&code) {
            return text.clone();
        }
        match self.codes {
            Codes::Legacy(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Codes::TwoBytes if self.utf16 => encoding_rs::UTF_16BE
                .decode_without_bom_handling(bytes)
                .0
                .into_owned(),
            Codes::TwoBytes | Codes::OneByte => String::new(),
        }
    }

    fn width_of(&self, code: u32, length: usize, text: &str) -> f64 {
        match self.codes {
            // Widths go by CID, which a legacy or UTF-16 code is not: half or full width is near enough.
            Codes::Legacy(_) => [0.5, 1.0][usize::from(length == 2)],
            Codes::TwoBytes if self.utf16 => [1.0, 0.5][usize::from(text.is_ascii())],
            Codes::TwoBytes | Codes::OneByte => self
                .widths
                .get(&code)
                .copied()
                .unwrap_or(self.width_default),
        }
    }
}

/// One-byte codes to text by `Encoding`; the base set fills what `Differences` leaves.
fn simple_encoding(document: &Document, dictionary: &Dictionary) -> BTreeMap<u32, String> {
    let mut unicode = BTreeMap::new();
    let encoding = get(document, dictionary, b"Encoding");
    let base_name = match encoding {
        Some(Object::Name(name)) => Some(name.clone()),
        Some(Object::Dictionary(inner)) => inner
            .get(b"BaseEncoding")
            .and_then(Object::as_name)
            .ok()
            .map(<[u8]>::to_vec),
        _ => None,
    };
    // A TrueType font that names no encoding is nearly always Windows'.
    let base = match base_name.as_deref() {
        Some(b"MacRomanEncoding") => "MacRomanEncoding",
        Some(b"StandardEncoding") => "StandardEncoding",
        _ => "WinAnsiEncoding",
    };
    let mut probe = probe_font(Object::Name(base.as_bytes().to_vec()));
    decode_all(document, &mut probe, &mut unicode);
    if let Some(Object::Dictionary(inner)) = encoding
        && let Some(Object::Array(differences)) = get(document, inner, b"Differences")
    {
        let mut code = 0_i64;
        for item in differences.iter().take(ENTRIES_MAX) {
            match item {
                Object::Integer(start) => code = *start,
                Object::Name(name) => {
                    if let (Ok(code), Some(text)) =
                        (u32::try_from(code), glyph_text(document, name))
                    {
                        unicode.insert(code, text);
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
    }
    unicode
}

fn probe_font(encoding: Object) -> Dictionary {
    let mut probe = Dictionary::new();
    probe.set("Type", Object::Name(b"Font".to_vec()));
    probe.set("Encoding", encoding);
    probe
}

fn decode_all(document: &Document, probe: &mut Dictionary, unicode: &mut BTreeMap<u32, String>) {
    let Ok(encoding) = probe.get_font_encoding_with_limit(document, CMAP_BYTES_MAX) else {
        return;
    };
    for code in 0..=255_u8 {
        if let Some(text) = decode_one(&encoding, code) {
            unicode.insert(u32::from(code), text);
        }
    }
}

fn decode_one(encoding: &Encoding<'_>, code: u8) -> Option<String> {
    encoding
        .bytes_to_string(&[code])
        .ok()
        .filter(|text| !text.is_empty())
}

/// A glyph's name to text: `uni0416`, `u1F4A9`, Adobe's `afii` Cyrillic, then the Adobe Glyph List.
fn glyph_text(document: &Document, name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let stem = name.split('.').next().filter(|stem| !stem.is_empty())?;
    if let Some(hex) = stem.strip_prefix("uni").or_else(|| stem.strip_prefix('u'))
        && (4..=6).contains(&hex.len())
        && let Ok(code) = u32::from_str_radix(hex, 16)
    {
        return char::from_u32(code).map(String::from);
    }
    if let Some(code) = stem
        .strip_prefix("afii")
        .and_then(|code| code.parse::<u32>().ok())
    {
        return afii(code).map(String::from);
    }
    let differences = vec![Object::Integer(65), Object::Name(stem.as_bytes().to_vec())];
    let mut encoding = Dictionary::new();
    encoding.set("Differences", Object::Array(differences));
    let probe = probe_font(Object::Dictionary(encoding));
    let found = probe
        .get_font_encoding_with_limit(document, CMAP_BYTES_MAX)
        .ok()?;
    matches!(found, Encoding::Differences(_))
        .then(|| decode_one(&found, 65))
        .flatten()
}

/// Adobe's names of Cyrillic letters, which lie in Unicode's order but for ё.
fn afii(code: u32) -> Option<char> {
    match code {
        10017..=10022 => char::from_u32(0x410 + code - 10017),
        10023 => Some('Ё'),
        10024..=10049 => char::from_u32(0x416 + code - 10024),
        10065..=10070 => char::from_u32(0x430 + code - 10065),
        10071 => Some('ё'),
        10072..=10097 => char::from_u32(0x436 + code - 10072),
        61352 => Some('№'),
        _ => None,
    }
}

/// `W` of a CID font (ISO 32000-1, 9.7.4.3).
fn read_cid_widths(document: &Document, list: &[Object], widths: &mut BTreeMap<u32, f64>) {
    let mut items = list
        .iter()
        .filter_map(|item| super::resolve(document, item));
    while let Some(first) = items.next().and_then(number) {
        let first = first.clamp(0.0, 65_535.0) as u32;
        match items.next() {
            Some(Object::Array(each)) => {
                for (cid, width) in (first..=65_535).zip(each) {
                    if let Some(width) = number(width) {
                        widths.insert(cid, width / 1000.0);
                    }
                }
            }
            Some(last) => {
                let Some(last) = number(last) else { return };
                let Some(width) = items.next().and_then(number) else {
                    return;
                };
                for cid in first..=last.clamp(0.0, 65_535.0) as u32 {
                    widths.insert(cid, width / 1000.0);
                }
            }
            None => return,
        }
        if widths.len() >= ENTRIES_MAX {
            return;
        }
    }
}

/// Helvetica in four classes: enough to tell a space from a column for the unembedded standard fonts.
fn standard_widths() -> BTreeMap<u32, f64> {
    (32..=255_u32)
        .map(|code| {
            let width = match char::from_u32(code) {
                Some(
                    ' ' | '.' | ',' | ':' | ';' | '/' | '!' | 'i' | 'j' | 'l' | 'I' | 't' | 'f'
                    | '\'' | '|',
                ) => 0.27,
                Some('-' | '(' | ')' | 'r' | '"' | '*') => 0.34,
                Some('m' | 'w' | 'M' | 'W' | '%' | '@') => 0.86,
                Some('A'..='Z' | '&' | '+' | '=' | '<' | '>') => 0.68,
                _ => 0.55,
            };
            (code, width)
        })
        .collect()
}

/// Reads `bfchar` and `bfrange` of a `ToUnicode` program (ISO 32000-1, 9.10.3).
fn read_cmap(program: &[u8], unicode: &mut BTreeMap<u32, String>) {
    let mut lexer = Lexer {
        data: program,
        at: 0,
    };
    let mut pending: Vec<Item> = Vec::new();
    let mut section = Section::None;
    while let Some(item) = lexer.next() {
        if unicode.len() >= ENTRIES_MAX {
            return;
        }
        match (&section, item) {
            (_, Item::Word(word)) => {
                pending.clear();
                section = match word {
                    b"beginbfchar" => Section::Char,
                    b"beginbfrange" => Section::Range,
                    b"endbfchar" | b"endbfrange" => Section::None,
                    _ => section,
                };
            }
            (Section::None, _) => {}
            (Section::Char, item) => {
                pending.push(item);
                if let [Item::Hex(code), Item::Hex(text)] = pending.as_slice() {
                    unicode.insert(code_of(code), utf16(text));
                }
                if pending.len() >= 2 {
                    pending.clear();
                }
            }
            (Section::Range, item) => {
                pending.push(item);
                if let [Item::Hex(low), Item::Hex(high), target] = pending.as_slice() {
                    insert_range(code_of(low), code_of(high), target, unicode);
                }
                if pending.len() >= 3 {
                    pending.clear();
                }
            }
        }
    }
}

enum Section {
    None,
    Char,
    Range,
}

fn insert_range(low: u32, high: u32, target: &Item<'_>, unicode: &mut BTreeMap<u32, String>) {
    let high = high.min(low.saturating_add(ENTRIES_MAX as u32));
    match target {
        Item::Hex(text) => {
            let start = utf16(text);
            let Some(last) = start.chars().last() else {
                return;
            };
            let stem = &start[..start.len() - last.len_utf8()];
            for (step, code) in (low..=high).enumerate() {
                if unicode.len() >= ENTRIES_MAX {
                    return;
                }
                if let Some(c) = char::from_u32(u32::from(last).saturating_add(step as u32)) {
                    unicode.insert(code, format!("{stem}{c}"));
                }
            }
        }
        Item::List(texts) => {
            for (code, text) in (low..=high).zip(texts) {
                unicode.insert(code, utf16(text));
            }
        }
        Item::Word(_) => {}
    }
}

enum Item<'a> {
    Hex(Vec<u8>),
    List(Vec<Vec<u8>>),
    Word(&'a [u8]),
}

fn code_of(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .fold(0, |code, byte| code << 8 | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    if let [byte] = bytes {
        return char::from(*byte).to_string();
    }
    encoding_rs::UTF_16BE
        .decode_without_bom_handling(bytes)
        .0
        .replace('\0', "")
}

struct Lexer<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            match *self.data.get(self.at)? {
                b'%' => {
                    while self
                        .data
                        .get(self.at)
                        .is_some_and(|b| !matches!(b, b'\n' | b'\r'))
                    {
                        self.at += 1;
                    }
                }
                b'<' if self.data.get(self.at + 1) != Some(&b'<') => {
                    return Some(Item::Hex(self.hex()));
                }
                b'[' => {
                    self.at += 1;
                    let mut list = Vec::new();
                    while let Some(byte) = self.data.get(self.at) {
                        match byte {
                            b']' => break,
                            b'<' => list.push(self.hex()),
                            _ => self.at += 1,
                        }
                    }
                    self.at += 1;
                    return Some(Item::List(list));
                }
                byte if byte.is_ascii_alphanumeric() => {
                    let start = self.at;
                    while self
                        .data
                        .get(self.at)
                        .is_some_and(u8::is_ascii_alphanumeric)
                    {
                        self.at += 1;
                    }
                    return Some(Item::Word(&self.data[start..self.at]));
                }
                _ => self.at += 1,
            }
        }
    }

    /// `<0041>`: stands at `<`, ends behind `>`.
    fn hex(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut bytes = Vec::new();
        let mut half: Option<u8> = None;
        while let Some(byte) = self.data.get(self.at) {
            self.at += 1;
            if *byte == b'>' {
                break;
            }
            let Some(digit) = char::from(*byte).to_digit(16) else {
                continue;
            };
            match half.take() {
                Some(high) => bytes.push(high << 4 | digit as u8),
                None => half = Some(digit as u8),
            }
        }
        if let Some(high) = half {
            bytes.push(high << 4);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmap_chars_ranges_and_lists() {
        let mut unicode = BTreeMap::new();
        read_cmap(
            b"2 beginbfchar <0003> <0020> <0010> <04210447> endbfchar
              2 beginbfrange <0041> <0043> <0410> <0050> <0051> [<8ACB> <6C42>] endbfrange",
            &mut unicode,
        );
        assert_eq!(unicode[&3], " ");
        assert_eq!(unicode[&0x10], "Сч");
        assert_eq!(unicode[&0x43], "В");
        assert_eq!(unicode[&0x50], "請");
        assert_eq!(unicode[&0x51], "求");
    }

    #[test]
    fn hostile_ranges_stay_bounded() {
        let mut unicode = BTreeMap::new();
        read_cmap(
            b"beginbfrange <00000000> <FFFFFFFF> <0041> <00> [<41 endbfrange <",
            &mut unicode,
        );
        assert!(unicode.len() <= ENTRIES_MAX + 1);
    }

    #[test]
    fn glyph_names() {
        let document = Document::new();
        let text = |name: &[u8]| glyph_text(&document, name);
        assert_eq!(text(b"uni0416").as_deref(), Some("Ж"));
        assert_eq!(text(b"afii10017").as_deref(), Some("А"));
        assert_eq!(text(b"afii10049").as_deref(), Some("Я"));
        assert_eq!(text(b"Euro").as_deref(), Some("€"));
        assert_eq!(text(b"a.sc").as_deref(), Some("a"));
        assert_eq!(text(b"g17"), None);
    }
}
