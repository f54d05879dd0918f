//! One mail as bytes: RFC 5322 headers, RFC 2047 and 2231 for the words of the world, MIME parts.
//!
//! The bytes depend on the arguments alone: `Message-ID`, date and boundaries are given or derived,
//! so the same mail built again after a crash is the same to the byte. A value that would break out
//! of its header is an error that names the field, never repaired in silence.
//!
//! **Absent:** DKIM and the wire (`relance-channels`). SMTPUTF8: addresses are ASCII, a domain of
//! other letters is given in its `xn--` form.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::headers::url::URL;
use mail_builder::mime::{BodyPart, MimePart};
use thiserror::Error;

use super::thread;

/// Bytes of an address (RFC 5321, 4.5.3.1.3, without the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of one header's value.
pub const HEADER_BYTES_MAX: usize = 4 * 1024;
/// Further headers of one mail.
pub const HEADERS_MAX: usize = 32;
/// Recipients of one mail (RFC 5321, 4.5.3.1.8 obliges servers to take a hundred).
pub const RECIPIENTS_MAX: usize = 100;
/// Attachments of one mail.
pub const ATTACHMENTS_MAX: usize = 32;
/// Bytes of all bodies and attachments before encoding; encoded it is a third more.
pub const MAIL_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Bytes without a space in one header: such a word cannot be folded, and a line has 998 at most.
const WORD_BYTES_MAX: usize = 900;
const NAME_BYTES_MAX: usize = 400;
/// Bytes of text in one encoded word: 60 of base64, 72 with its frame (RFC 2047 allows 75).
const ENCODED_WORD_BYTES: usize = 45;
/// Boundaries tried until none occurs in the bodies.
const BOUNDARY_SALTS_MAX: u32 = 64;

/// Headers that are fields of [`OutgoingMail`] or made here.
const OWN_HEADERS: [&str; 19] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "return-path",
];

/// How a recipient leaves the list (RFC 2369, RFC 8058).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ListUnsubscribe {
    /// With `https` the one-click header is added: a POST there must act without a question.
    pub url: Option<String>,
    /// An address, with or without `mailto:`.
    pub mailto: Option<String>,
}

/// Says that no person wrote this (RFC 3834). A reminder in a person's name carries none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoSubmitted {
    Generated,
    Replied,
}

/// A file that goes with the mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    pub file_name: String,
    /// Like `application/pdf`.
    pub content_type: String,
    pub bytes: Vec<u8>,
    /// Set for a picture that the HTML shows as `cid:...`.
    pub content_id: Option<String>,
}

/// Everything one mail is made of. Ids go without angle brackets or with them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OutgoingMail {
    pub from: String,
    pub from_name: Option<String>,
    pub to: String,
    pub to_name: Option<String>,
    /// Others who see each other in the same mail: address and name. For people of the own house only.
    pub more_to: Vec<(String, Option<String>)>,
    pub reply_to: Option<String>,
    pub subject: String,
    pub html: Option<String>,
    pub text: String,
    /// See [`super::message_id`].
    pub message_id: String,
    /// An id that no header can hold is left out: a stranger's oddity does not stop a message.
    pub in_reply_to: Option<String>,
    /// Capped at [`super::REFERENCES_MAX`]; unusable ids are left out.
    pub references: Vec<String>,
    pub date: Timestamp,
    pub list_unsubscribe: Option<ListUnsubscribe>,
    pub auto_submitted: Option<AutoSubmitted>,
    /// Further headers, in order.
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
}

/// Names only the message: addresses and bodies do not belong into logs (rule R13).
impl fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMail")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

/// Why no mail can be made of these values. Never carries the value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildProblem {
    #[error("{field} is not an e-mail address; correct it in the contact or the mailbox")]
    Address { field: &'static str },
    #[error("{field} has letters beyond ascii in its address; give the domain in its xn-- form")]
    AddressNotAscii { field: &'static str },
    #[error("{field} has a control character; remove line breaks from it")]
    ControlCharacter { field: String },
    #[error("{field} is longer than {limit} bytes; shorten it")]
    TooLong { field: String, limit: usize },
    #[error("{field} is not valid; {remedy}")]
    Invalid { field: String, remedy: &'static str },
    #[error("more than {limit} {field}; leave some out")]
    TooMany { field: &'static str, limit: usize },
    #[error("text and html are both empty; give the template a body")]
    BodyEmpty,
}

impl OutgoingMail {
    /// The mail as bytes, lines ended by CRLF.
    ///
    /// # Errors
    /// The first field that cannot be written.
    pub fn build(&self) -> Result<Vec<u8>, BuildProblem> {
        self.check_sizes()?;
        let text = canonical(&self.text);
        let html = self.html.as_deref().map(canonical);
        if text.trim().is_empty() && html.as_deref().is_none_or(|h| h.trim().is_empty()) {
            return Err(BuildProblem::BodyEmpty);
        }
        let headers = self.headers()?;
        let body = self.body(text, html)?;
        let mut builder = MessageBuilder::new();
        builder.headers = headers;
        let mut bytes = Vec::new();
        builder.body(body).serialize(&mut bytes);
        Ok(bytes)
    }

    fn check_sizes(&self) -> Result<(), BuildProblem> {
        if self.attachments.len() > ATTACHMENTS_MAX {
            return Err(BuildProblem::TooMany {
                field: "attachments",
                limit: ATTACHMENTS_MAX,
            });
        }
        if self.headers.len() > HEADERS_MAX {
            return Err(BuildProblem::TooMany {
                field: "headers",
                limit: HEADERS_MAX,
            });
        }
        let attached: usize = self.attachments.iter().map(|a| a.bytes.len()).sum();
        let size = self.text.len() + self.html.as_ref().map_or(0, String::len) + attached;
        too_long("mail", size, MAIL_BYTES_MAX)
    }

    fn headers(&self) -> Result<Vec<Header>, BuildProblem> {
        let mut headers: Vec<Header> = Vec::with_capacity(16);
        let mut put = |name: &str, value: HeaderType<'static>| {
            headers.push((name.to_owned().into(), value));
        };
        put(
            "From",
            mailbox("from", &self.from, "from_name", self.from_name.as_deref())?,
        );
        put("To", self.recipients()?);
        if let Some(reply_to) = &self.reply_to {
            put("Reply-To", mailbox("reply_to", reply_to, "", None)?);
        }
        put("Subject", words("subject", &self.subject)?);
        put("Date", Date::new(self.date.as_second()).into());
        let id = thread::bare_id(&self.message_id);
        no_control("message_id", &self.message_id)?;
        if !thread::is_usable_id(id) || !id.contains('@') {
            return Err(BuildProblem::Invalid {
                field: "message_id".to_owned(),
                remedy: "make it with `message_id`",
            });
        }
        put("Message-ID", MessageId::new(id.to_owned()).into());
        if let Some(parent) = &self.in_reply_to {
            no_control("in_reply_to", parent)?;
            let parent = thread::bare_id(parent);
            if thread::is_usable_id(parent) {
                put("In-Reply-To", MessageId::new(parent.to_owned()).into());
            }
        }
        let references = thread::capped(self.references.iter().map(String::as_str));
        if !references.is_empty() {
            put("References", MessageId::from(references).into());
        }
        if let Some(list) = &self.list_unsubscribe {
            for (name, value) in list.headers()? {
                put(name, value);
            }
        }
        if let Some(auto) = self.auto_submitted {
            let value = match auto {
                AutoSubmitted::Generated => "auto-generated",
                AutoSubmitted::Replied => "auto-replied",
            };
            put("Auto-Submitted", Raw::new(value).into());
        }
        for (name, value) in &self.headers {
            let is_token = !name.is_empty()
                && name.len() <= 76
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !is_token || OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(BuildProblem::Invalid {
                    field: "headers".to_owned(),
                    remedy: "use letters, digits and `-`, and the mail's own fields for the rest",
                });
            }
            put(name, words(name, value)?);
        }
        Ok(headers)
    }

    fn recipients(&self) -> Result<HeaderType<'static>, BuildProblem> {
        let first = mailbox("to", &self.to, "to_name", self.to_name.as_deref())?;
        if self.more_to.is_empty() {
            return Ok(first);
        }
        let mut all = vec![(&self.to, self.to_name.as_deref())];
        all.extend(self.more_to.iter().map(|(to, name)| (to, name.as_deref())));
        if all.len() > RECIPIENTS_MAX {
            return Err(BuildProblem::TooMany {
                field: "recipients",
                limit: RECIPIENTS_MAX,
            });
        }
        let mut addresses = Vec::with_capacity(all.len());
        for (to, name) in all {
            // The same checks, one by one.
            mailbox("to", to, "to_name", name)?;
            // A name that readers would decode is left out rather than written by hand into a list.
            let name = name
                .map(str::trim)
                .filter(|name| !name.is_empty() && !name.contains("=?"));
            addresses.push(Address::new_address(name.map(str::to_owned), to.to_owned()));
        }
        Ok(Address::new_list(addresses).into())
    }

    /// mixed( alternative( text, related( html, pictures ) ), files ); each level only when needed.
    fn body(&self, text: String, html: Option<String>) -> Result<MimePart<'static>, BuildProblem> {
        let boundaries = Boundaries::for_mail(self, &text, html.as_deref());
        let (mut pictures, mut files) = (Vec::new(), Vec::new());
        for attachment in &self.attachments {
            let part = attachment.part()?;
            if attachment.content_id.is_some() && html.is_some() {
                pictures.push(part);
            } else {
                files.push(part);
            }
        }
        let text = MimePart::new("text/plain", BodyPart::Text(text.into()));
        let mut body = match html {
            None => text,
            Some(html) => {
                let mut html = MimePart::new("text/html", BodyPart::Text(html.into()));
                if !pictures.is_empty() {
                    pictures.insert(0, html);
                    html = boundaries.part("related", pictures);
                }
                boundaries.part("alternative", vec![text, html])
            }
        };
        if !files.is_empty() {
            files.insert(0, body);
            body = boundaries.part("mixed", files);
        }
        Ok(body)
    }
}

type Header = (std::borrow::Cow<'static, str>, HeaderType<'static>);

impl ListUnsubscribe {
    fn headers(&self) -> Result<Vec<(&'static str, HeaderType<'static>)>, BuildProblem> {
        let mut targets = Vec::new();
        let mut one_click = false;
        if let Some(url) = &self.url {
            let field = "list_unsubscribe.url";
            no_control(field, url)?;
            too_long(field, url.len(), WORD_BYTES_MAX)?;
            let is_web = url.starts_with("https://") || url.starts_with("http://");
            let fits = url
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b','));
            if !is_web || !fits {
                return Err(BuildProblem::Invalid {
                    field: field.to_owned(),
                    remedy: "give an https address, percent-encoded",
                });
            }
            one_click = url.starts_with("https://");
            targets.push(url.clone());
        }
        if let Some(mailto) = &self.mailto {
            let address = mailto.strip_prefix("mailto:").unwrap_or(mailto);
            let (address, query) = match address.split_once('?') {
                Some((address, query)) => (address, Some(query)),
                None => (address, None),
            };
            check_address("list_unsubscribe.mailto", address)?;
            let query_fits = query.is_none_or(|q| {
                q.len() <= WORD_BYTES_MAX / 2
                    && q.bytes()
                        .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b','))
            });
            if !query_fits {
                return Err(BuildProblem::Invalid {
                    field: "list_unsubscribe.mailto".to_owned(),
                    remedy: "percent-encode what stands behind the `?`",
                });
            }
            let query = query.map(|q| format!("?{q}")).unwrap_or_default();
            targets.push(format!("mailto:{address}{query}"));
        }
        if targets.is_empty() {
            return Err(BuildProblem::Invalid {
                field: "list_unsubscribe".to_owned(),
                remedy: "give a url or an address",
            });
        }
        let mut headers = vec![("List-Unsubscribe", HeaderType::URL(URL::from(targets)))];
        if one_click {
            let value = Raw::new("List-Unsubscribe=One-Click");
            headers.push(("List-Unsubscribe-Post", value.into()));
        }
        Ok(headers)
    }
}

impl Attachment {
    fn part(&self) -> Result<MimePart<'static>, BuildProblem> {
        no_control("attachment file_name", &self.file_name)?;
        too_long("attachment file_name", self.file_name.len(), NAME_BYTES_MAX)?;
        if self.file_name.trim().is_empty() || self.file_name.contains(['/', '\\']) {
            return Err(BuildProblem::Invalid {
                field: "attachment file_name".to_owned(),
                remedy: "give a name without folders",
            });
        }
        let is_token = |part: &str| {
            !part.is_empty()
                && part.len() <= 127
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        let content_type = self.content_type.to_ascii_lowercase();
        let fits = content_type.split_once('/').is_some_and(|(kind, rest)| {
            is_token(kind) && is_token(rest) && kind != "multipart" && kind != "message"
        });
        if !fits {
            return Err(BuildProblem::Invalid {
                field: "attachment content_type".to_owned(),
                remedy: "write it like `application/pdf`",
            });
        }
        let disposition = if self.content_id.is_some() {
            "inline"
        } else {
            "attachment"
        };
        // Base64 always: a file's bytes arrive as they are, whatever they are called.
        let mut part = MimePart::new(
            ContentType::new(content_type).attribute("name", self.file_name.clone()),
            BodyPart::Binary(base64_lines(&self.bytes).into_bytes().into()),
        )
        .header(
            "Content-Disposition",
            ContentType::new(disposition).attribute("filename", self.file_name.clone()),
        );
        if let Some(id) = &self.content_id {
            let id = thread::bare_id(id);
            no_control("attachment content_id", id)?;
            if !thread::is_usable_id(id) {
                return Err(BuildProblem::Invalid {
                    field: "attachment content_id".to_owned(),
                    remedy: "use letters, digits, `.`, `-` and `@`",
                });
            }
            part = part.cid(id.to_owned());
        }
        Ok(part.transfer_encoding("base64"))
    }
}

/// Base64 in lines of 76 (RFC 2045, 6.8).
fn base64_lines(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() / 57 * 78 + 80);
    for line in bytes.chunks(57) {
        STANDARD.encode_string(line, &mut out);
        out.push_str("\r\n");
    }
    out
}

/// Boundaries that depend on the Message-ID alone, and occur in no body.
struct Boundaries(String);

impl Boundaries {
    fn for_mail(mail: &OutgoingMail, text: &str, html: Option<&str>) -> Self {
        let mut boundary = String::new();
        for salt in 0..BOUNDARY_SALTS_MAX {
            let high = fnv(&mail.message_id, u64::from(salt));
            let low = fnv(&mail.message_id, high);
            // `=_` occurs in neither base64 nor quoted-printable.
            boundary = format!("=_{high:016x}{low:016x}");
            if !text.contains(&boundary) && html.is_none_or(|h| !h.contains(&boundary)) {
                break;
            }
        }
        Self(boundary)
    }

    fn part(&self, kind: &str, parts: Vec<MimePart<'static>>) -> MimePart<'static> {
        // No boundary may be the beginning of another's line.
        let boundary = format!("{}_{kind}", self.0);
        MimePart::new(
            ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary),
            BodyPart::Multipart(parts),
        )
    }
}

/// FNV-1a: spreads, no more is asked of it here.
fn fnv(text: &str, seed: u64) -> u64 {
    text.bytes()
        .chain(seed.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// A body in canonical form: CRLF line ends (RFC 2045, 6.8), no control characters but the tab.
fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut after_return = false;
    for c in text.chars() {
        match c {
            '\n' if after_return => {}
            '\n' | '\r' => out.push_str("\r\n"),
            '\t' => out.push(c),
            control if control.is_control() => {}
            other => out.push(other),
        }
        after_return = c == '\r';
    }
    out
}

fn mailbox(
    field: &'static str,
    address: &str,
    name_field: &str,
    name: Option<&str>,
) -> Result<HeaderType<'static>, BuildProblem> {
    check_address(field, address)?;
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    if let Some(name) = name {
        no_control(name_field, name)?;
        too_long(name_field, name.len(), NAME_BYTES_MAX)?;
        if name.is_ascii() && name.contains("=?") {
            // In quotes it would be text, yet many readers would decode it.
            return Ok(Raw::new(format!("{} <{address}>", encoded_words(name))).into());
        }
    }
    Ok(Address::new_address(name.map(str::to_owned), address.to_owned()).into())
}

/// Whether a mail can be written to this address.
pub fn is_address(address: &str) -> bool {
    check_address("to", address).is_ok()
}

/// The addresses that occur, among them Japanese mobile ones with dots where RFC 5321 has none.
fn check_address(field: &'static str, address: &str) -> Result<(), BuildProblem> {
    no_control(field, address)?;
    too_long(field, address.len(), EMAIL_BYTES_MAX)?;
    if !address.is_ascii() {
        return Err(BuildProblem::AddressNotAscii { field });
    }
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Err(BuildProblem::Address { field });
    };
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b));
    let domain_fits = !domain.is_empty()
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    if local_fits && domain_fits {
        Ok(())
    } else {
        Err(BuildProblem::Address { field })
    }
}

/// Free text of a header. ASCII stays readable; the rest becomes encoded words.
fn words(field: &str, text: &str) -> Result<HeaderType<'static>, BuildProblem> {
    no_control(field, text)?;
    too_long(field, text.len(), HEADER_BYTES_MAX)?;
    let text = text.trim();
    if !text.is_ascii() {
        return Ok(Text::new(text.to_owned()).into());
    }
    let fits = !text.contains("=?")
        && !text.contains("  ")
        && text.split(' ').all(|word| word.len() <= WORD_BYTES_MAX);
    if fits {
        return Ok(Raw::new(text.to_owned()).into());
    }
    Ok(Raw::new(encoded_words(text)).into())
}

/// RFC 2047 by hand, for ASCII that would otherwise be read as encoded or not survive folding.
fn encoded_words(text: &str) -> String {
    let words: Vec<String> = text
        .as_bytes()
        .chunks(ENCODED_WORD_BYTES)
        .map(|chunk| format!("=?utf-8?B?{}?=", STANDARD.encode(chunk)))
        .collect();
    words.join(" ")
}

fn no_control(field: &str, text: &str) -> Result<(), BuildProblem> {
    // U+2028 and U+2029 are line ends to some readers.
    let hostile = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.chars().any(hostile) {
        return Err(BuildProblem::ControlCharacter {
            field: field.to_owned(),
        });
    }
    Ok(())
}

fn too_long(field: &str, size: usize, limit: usize) -> Result<(), BuildProblem> {
    if size > limit {
        return Err(BuildProblem::TooLong {
            field: field.to_owned(),
            limit,
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
