//! Header fields: splitting a block, unfolding, decoding words, addresses, ids and dates.
//!
//! Work is linear: each structured value is cut to a limit before it is parsed.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, civil};
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, ContentType, HeaderValue};

use super::charset;
use super::{ADDRESSES_MAX, Address, HEADER_FIELDS_MAX};

/// Longest structured value handed to a field parser, in bytes.
const STRUCTURED_BYTES_MAX: usize = 64 * 1024;
/// Longest unstructured value decoded (subject), in bytes.
const UNSTRUCTURED_BYTES_MAX: usize = 16 * 1024;
/// Longest charset name of an encoded word.
const CHARSET_NAME_MAX: usize = 45;

/// Header fields in order; names in lower case, values unfolded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    fields: Vec<(String, String)>,
}

impl Headers {
    /// First value of `name`, any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All values of `name`, any case, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.fields
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }
}

/// Splits a block at its first empty line: the fields, and where the body starts.
///
/// A line without a field name is skipped, unless it looks like a boundary or nothing but text
/// precedes it: then the body starts there, as senders that forget the empty line mean it.
pub(super) fn split(bytes: &[u8]) -> (Headers, usize) {
    let mut headers = Headers::default();
    let mut at = 0;
    let mut current: Option<(String, Vec<u8>)> = None;
    let mut garbage = 0usize;
    while at < bytes.len() {
        let end = line_end(bytes, at);
        let line = trim_eol(&bytes[at..end]);
        if line.is_empty() {
            push(&mut headers, current.take());
            return (headers, end);
        }
        let blank = line.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if matches!(line[0], b' ' | b'\t') && current.is_some() {
            if let Some((_, value)) = &mut current
                && !blank
            {
                // RFC 5322: unfolding removes the line end and keeps the space.
                value.extend_from_slice(line);
            }
        } else if blank {
            // A line of spaces where no field can continue ends the block.
            push(&mut headers, current.take());
            return (headers, end);
        } else if let Some((name, value)) = field(line) {
            push(&mut headers, current.take());
            current = Some((name, value.to_vec()));
            garbage = 0;
        } else if is_envelope_line(line) && headers.is_empty() && current.is_none() {
            // mbox "From " separator.
        } else {
            push(&mut headers, current.take());
            garbage += 1;
            if line.starts_with(b"--") || garbage > GARBAGE_LINES_MAX || headers.is_empty() {
                return (headers, at);
            }
        }
        at = end;
    }
    push(&mut headers, current.take());
    (headers, bytes.len())
}

/// Lines in a row without a field name after which a block is taken to be over.
const GARBAGE_LINES_MAX: usize = 3;

fn push(headers: &mut Headers, field: Option<(String, Vec<u8>)>) {
    if let Some((name, value)) = field
        && headers.fields.len() < HEADER_FIELDS_MAX
    {
        let value = charset::guess(&value);
        headers.fields.push((name, value.trim().to_owned()));
    }
}

fn is_envelope_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// `Name: value`; the name is printable ASCII without spaces (a space before the colon is borne).
fn field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    let good = !name.is_empty() && name.len() <= 128 && name.iter().all(u8::is_ascii_graphic);
    good.then(|| {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        (name, &line[colon + 1..])
    })
}

/// Offset after the line that starts at `at`.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(bytes.len(), |found| at + found + 1)
}

pub(super) fn trim_eol(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut end = line.len();
    while end > 0 && line[end - 1] == b'\r' {
        end -= 1;
    }
    &line[..end]
}

pub(super) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Decodes RFC 2047 words. Neighbours of one charset are joined before decoding, since many
/// senders split characters between words.
pub fn decode_words(value: &str) -> String {
    rewrite_words(cut(value, UNSTRUCTURED_BYTES_MAX), &|text| {
        // Line ends in a decoded word would forge a second line.
        text.replace(['\r', '\n'], " ")
    })
}

/// Makes each run of words one UTF-8 word, so that a field parser sees whole characters.
fn normalise_words(value: &str) -> Cow<'_, str> {
    if !value.contains("=?") {
        return Cow::Borrowed(value);
    }
    Cow::Owned(rewrite_words(value, &|text| {
        format!("=?utf-8?b?{}?=", STANDARD.encode(text))
    }))
}

struct Word<'x> {
    charset: &'x str,
    bytes: Vec<u8>,
    end: usize,
}

fn rewrite_words(value: &str, emit: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find("=?") {
        let Some(first) = word(&rest[start..]) else {
            out.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        out.push_str(&rest[..start]);
        rest = &rest[start + first.end..];
        let mut text = String::new();
        let (mut set, mut bytes) = (first.charset.to_owned(), first.bytes);
        loop {
            let gap = rest.len() - rest.trim_start().len();
            let Some(next) = rest[gap..]
                .starts_with("=?")
                .then(|| word(&rest[gap..]))
                .flatten()
            else {
                break;
            };
            // Stateful charsets return to ASCII at each word's end: joining bytes is right for
            // them too.
            if next.charset.eq_ignore_ascii_case(&set) {
                bytes.extend_from_slice(&next.bytes);
            } else {
                text.push_str(&charset::decode(&bytes, Some(&set)));
                set = next.charset.to_owned();
                bytes = next.bytes;
            }
            rest = &rest[gap + next.end..];
        }
        text.push_str(&charset::decode(&bytes, Some(&set)));
        out.push_str(&emit(&text));
    }
    out.push_str(rest);
    out
}

/// One `=?charset?B|Q?data?=` at the start of `text`.
fn word(text: &str) -> Option<Word<'_>> {
    let body = &text[2..];
    let set_end = body
        .bytes()
        .take(CHARSET_NAME_MAX + 1)
        .position(|byte| byte == b'?')?;
    let charset = body[..set_end].split('*').next().unwrap_or_default();
    let tail = &body[set_end + 1..];
    let kind = *tail.as_bytes().first()?;
    if tail.as_bytes().get(1) != Some(&b'?') {
        return None;
    }
    let data = &tail[2..];
    // A word is at most 75 bytes by the standard; many are longer, none is a page.
    let window = cut(data, WORD_BYTES_MAX);
    let close = window.find("?=")?;
    let raw = &data[..close];
    let bytes = match kind {
        b'b' | b'B' => charset::base64_lenient(raw.as_bytes()),
        b'q' | b'Q' => charset::quoted_printable(raw.replace('_', " ").as_bytes()),
        _ => return None,
    };
    Some(Word {
        charset,
        bytes,
        end: 2 + set_end + 1 + 2 + close + 2,
    })
}

/// Longest encoded word's data looked at, in bytes.
const WORD_BYTES_MAX: usize = 2_048;

fn with_stream<T>(value: &str, parse: impl FnOnce(HeaderValue<'_>) -> T, kind: Field) -> T {
    let mut line = normalise_words(cut(value, STRUCTURED_BYTES_MAX)).into_owned();
    // The parsers end at a line end that no space follows.
    line.push('\n');
    let mut stream = MessageStream::new(line.as_bytes());
    parse(match kind {
        Field::Address => stream.parse_address(),
        Field::Date => stream.parse_date(),
        Field::ContentType => stream.parse_content_type(),
    })
}

enum Field {
    Address,
    Date,
    ContentType,
}

/// Addresses of a field; entries without an `@` are left out unless they are all there is.
pub(super) fn addresses(value: &str) -> Vec<Address> {
    let list = with_stream(
        value,
        |parsed| match parsed {
            HeaderValue::Address(mail_parser::Address::List(list)) => {
                list.iter().filter_map(address).collect()
            }
            HeaderValue::Address(mail_parser::Address::Group(groups)) => groups
                .iter()
                .flat_map(|group| group.addresses.iter())
                .filter_map(address)
                .take(ADDRESSES_MAX)
                .collect(),
            _ => Vec::new(),
        },
        Field::Address,
    );
    let mut list: Vec<Address> = list;
    list.truncate(ADDRESSES_MAX);
    list
}

fn address(addr: &Addr<'_>) -> Option<Address> {
    let name = addr.name.as_deref().unwrap_or_default().trim();
    let email = addr.address.as_deref().unwrap_or_default().trim();
    // `address@host (Name)` and bare addresses in a quoted name both occur.
    let (name, email) = match (email.is_empty(), name.contains('@') && !name.contains(' ')) {
        (true, true) => ("", name),
        (true, false) => return (!name.is_empty()).then(|| bare(name)),
        (false, _) => (name, email),
    };
    let email = normalise_email(email)?;
    Some(Address {
        name: name.trim_matches('"').trim().to_owned(),
        email,
    })
}

/// A name where an address should be ("undisclosed-recipients", "MAILER-DAEMON").
fn bare(name: &str) -> Address {
    Address {
        name: name.to_owned(),
        email: String::new(),
    }
}

/// Trims brackets and dots, lower-cases the domain. `None` for nothing at all.
pub(super) fn normalise_email(email: &str) -> Option<String> {
    let email = email
        .trim()
        .trim_start_matches(['<', '"', '\''])
        .trim_end_matches(['>', '"', '\'', '.', ',', ';', ':']);
    let email = email.strip_prefix("mailto:").unwrap_or(email);
    if email.is_empty() || email.len() > 998 {
        return None;
    }
    Some(match email.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => email.to_owned(),
    })
}

/// Message-IDs of a field, brackets removed; without brackets, the words that hold an `@`.
pub(super) fn message_ids(value: &str) -> Vec<String> {
    let value = cut(value, STRUCTURED_BYTES_MAX);
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else {
            break;
        };
        let id: String = rest[open + 1..open + close]
            .chars()
            .filter(|ch| !ch.is_whitespace() && *ch != '<')
            .collect();
        if !id.is_empty() {
            ids.push(id);
        }
        rest = &rest[open + close + 1..];
    }
    if ids.is_empty() {
        ids.extend(
            value
                .split_whitespace()
                .map(|word| word.trim_matches(['<', '>', '"', ',', ';']))
                .filter(|word| word.contains('@'))
                .map(str::to_owned),
        );
    }
    ids
}

/// A date field: the instant, and the sender's wall clock.
pub(super) fn date(value: &str) -> Option<(Timestamp, civil::DateTime)> {
    let parsed = with_stream(
        cut(value, 200),
        |parsed| match parsed {
            HeaderValue::DateTime(date) if date.is_valid() => Some(date),
            _ => None,
        },
        Field::Date,
    )?;
    let local = civil::DateTime::new(
        i16::try_from(parsed.year).ok()?,
        i8::try_from(parsed.month).ok()?,
        i8::try_from(parsed.day).ok()?,
        i8::try_from(parsed.hour).ok()?,
        i8::try_from(parsed.minute).ok()?,
        i8::try_from(parsed.second.min(59)).ok()?,
        0,
    )
    .ok()?;
    let minutes = i32::from(parsed.tz_hour) * 60 + i32::from(parsed.tz_minute);
    let seconds = if parsed.tz_before_gmt {
        -minutes
    } else {
        minutes
    } * 60;
    let offset = jiff::tz::Offset::from_seconds(seconds).ok()?;
    Some((offset.to_timestamp(local).ok()?, local))
}

/// A parsed `Content-Type` or `Content-Disposition`.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    /// `type/subtype`, or the disposition; lower case.
    pub value: String,
    attributes: Vec<(String, String)>,
}

impl Content {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn is(&self, prefix: &str) -> bool {
        self.value.starts_with(prefix)
    }
}

/// Longest content header parsed, in bytes: parameters are compared with each other.
const CONTENT_BYTES_MAX: usize = 8 * 1024;

pub(super) fn content(value: &str) -> Content {
    with_stream(
        cut(value, CONTENT_BYTES_MAX),
        |parsed| match parsed {
            HeaderValue::ContentType(content) => to_content(&content),
            _ => Content::default(),
        },
        Field::ContentType,
    )
}

fn to_content(content: &ContentType<'_>) -> Content {
    let mut value = content.c_type.trim().to_ascii_lowercase();
    if let Some(subtype) = &content.c_subtype {
        value.push('/');
        // A forgotten semicolon leaves the first parameter here.
        let subtype = subtype.split_whitespace().next().unwrap_or_default();
        value.push_str(&subtype.to_ascii_lowercase());
    }
    let attributes = content
        .attributes
        .iter()
        .flatten()
        .map(|attribute| {
            (
                attribute.name.to_ascii_lowercase(),
                decode_words(&attribute.value),
            )
        })
        .collect();
    Content { value, attributes }
}
