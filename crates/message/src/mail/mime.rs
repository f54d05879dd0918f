//! The MIME tree: from bytes to the parts of a [`Mail`], with one budget for the whole message.

use super::header::{self, Content, Headers};
use super::{
    Attachment, HEADER_BYTES_MAX, ListHeaders, MULTIPART_DEPTH_MAX, Mail, MailProblem,
    NESTED_DEPTH_MAX, Nested, PARTS_MAX, REFERENCES_MAX, ReportKind, ReportPart, TEXT_BYTES_MAX,
    TextSource, charset, html,
};

/// What is left of the limits that concern the message as a whole.
#[derive(Default)]
pub(super) struct Budget {
    parts: usize,
}

/// A body leaf, in document order.
struct BodyText {
    /// Innermost `multipart/alternative` around it.
    alternative: Option<usize>,
    html: bool,
    text: String,
}

#[derive(Default)]
struct Collected {
    bodies: Vec<BodyText>,
    alternatives: usize,
    attachments: Vec<Attachment>,
    reports: Vec<ReportPart>,
    nested: Vec<Nested>,
}

/// Where a part stands in the tree.
#[derive(Clone, Copy)]
struct Place {
    multipart_depth: usize,
    nested_depth: usize,
    alternative: Option<usize>,
    digest: bool,
    related: bool,
    top: bool,
}

pub(super) fn message(
    bytes: &[u8],
    nested_depth: usize,
    budget: &mut Budget,
) -> Result<Mail, MailProblem> {
    // Empty lines before the first field are a sender's slip.
    let start = bytes
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))
        .unwrap_or(0);
    let bytes = &bytes[start..];
    let (headers, body_at) = checked_split(bytes)?;
    let place = Place {
        multipart_depth: 0,
        nested_depth,
        alternative: None,
        digest: false,
        related: false,
        top: true,
    };
    let mut collected = Collected::default();
    part(&headers, &bytes[body_at..], place, budget, &mut collected)?;
    Ok(assemble(headers, collected))
}

fn checked_split(bytes: &[u8]) -> Result<(Headers, usize), MailProblem> {
    let (headers, body_at) = header::split(bytes);
    if body_at > HEADER_BYTES_MAX && !headers.is_empty() {
        return Err(MailProblem::HeaderTooLarge {
            max: HEADER_BYTES_MAX,
        });
    }
    Ok((headers, body_at))
}

fn part(
    headers: &Headers,
    body: &[u8],
    place: Place,
    budget: &mut Budget,
    out: &mut Collected,
) -> Result<(), MailProblem> {
    budget.parts += 1;
    if budget.parts > PARTS_MAX {
        return Err(MailProblem::TooManyParts { max: PARTS_MAX });
    }
    let content = headers
        .get("content-type")
        .map(header::content)
        .unwrap_or_default();
    let kind = match (content.value.as_str(), place.digest) {
        ("", true) => "message/rfc822",
        ("", false) => "text/plain",
        (kind, _) => kind,
    };
    if let Some(subtype) = kind.strip_prefix("multipart/")
        && let Some(ranges) = split_parts(body, content.attribute("boundary"))
    {
        if place.multipart_depth >= MULTIPART_DEPTH_MAX {
            return Err(MailProblem::NestedTooDeep {
                max: MULTIPART_DEPTH_MAX,
            });
        }
        let alternative = if subtype == "alternative" {
            out.alternatives += 1;
            Some(out.alternatives)
        } else {
            place.alternative
        };
        let inner = Place {
            multipart_depth: place.multipart_depth + 1,
            alternative,
            digest: subtype == "digest",
            related: subtype == "related",
            top: false,
            ..place
        };
        for (start, end) in ranges {
            let bytes = &body[start..end];
            let (headers, body_at) = checked_split(bytes)?;
            part(&headers, &bytes[body_at..], inner, budget, out)?;
        }
        return Ok(());
    }
    leaf(headers, &content, kind, body, place, budget, out)
}

fn leaf(
    headers: &Headers,
    content: &Content,
    kind: &str,
    body: &[u8],
    place: Place,
    budget: &mut Budget,
    out: &mut Collected,
) -> Result<(), MailProblem> {
    let encoding = headers.get("content-transfer-encoding").unwrap_or_default();
    let disposition = headers
        .get("content-disposition")
        .map(header::content)
        .unwrap_or_default();
    let name = disposition
        .attribute("filename")
        .or_else(|| content.attribute("name"))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let decoded = charset::transfer_decode(body, encoding);

    let headers_only = matches!(
        kind,
        "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers"
    );
    let whole = matches!(kind, "message/rfc822" | "message/global" | "message/news")
        || (kind == "message/partial" && content.attribute("number").is_none_or(|n| n == "1"));
    if (headers_only || whole) && place.nested_depth < NESTED_DEPTH_MAX {
        let mail = message(&decoded, place.nested_depth + 1, budget)?;
        if !mail.headers.is_empty() {
            out.nested.push(Nested {
                headers_only,
                mail: Box::new(mail),
            });
            return Ok(());
        }
    }
    let report = match kind {
        "message/delivery-status" | "message/global-delivery-status" => {
            Some(ReportKind::DeliveryStatus)
        }
        "message/feedback-report" => Some(ReportKind::Feedback),
        "message/disposition-notification" | "message/global-disposition-notification" => {
            Some(ReportKind::Disposition)
        }
        _ => None,
    };
    if let Some(kind) = report {
        let text = charset::decode(&decoded, content.attribute("charset"));
        out.reports.push(ReportPart { kind, text });
        return Ok(());
    }
    let attached = disposition.value == "attachment" || (name.is_some() && !place.top);
    let is_html = kind == "text/html";
    // A multipart without its boundary, or with a type nobody knows at the top, is read as text.
    let is_text = kind == "text/plain" || is_html || content.is("multipart/") || {
        content.is("text/") && !kind.ends_with("calendar") && place.top
    };
    if is_text && !attached {
        let cut = &decoded[..decoded.len().min(TEXT_BYTES_MAX)];
        out.bodies.push(BodyText {
            alternative: place.alternative,
            html: is_html,
            text: charset::decode(cut, content.attribute("charset")).replace("\r\n", "\n"),
        });
        return Ok(());
    }
    let inline = disposition.value == "inline" || (place.related && disposition.value.is_empty());
    out.attachments.push(Attachment {
        name,
        content_type: kind.to_owned(),
        content_id: headers
            .get("content-id")
            .and_then(|value| header::message_ids(value).into_iter().next()),
        inline,
        bytes: decoded,
    });
    Ok(())
}

/// Byte ranges of the parts; `None` when no delimiter is found, even a guessed one.
fn split_parts(body: &[u8], boundary: Option<&str>) -> Option<Vec<(usize, usize)>> {
    let declared = boundary
        .map(|boundary| boundary.trim_end().as_bytes())
        .filter(|boundary| !boundary.is_empty());
    declared
        .and_then(|boundary| ranges(body, boundary))
        .or_else(|| {
            let guessed = guess_boundary(body)?;
            ranges(body, &guessed)
        })
}

fn ranges(body: &[u8], boundary: &[u8]) -> Option<Vec<(usize, usize)>> {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    let mut closed = false;
    while at < body.len() {
        let end = header::line_end(body, at);
        let line = header::trim_eol(&body[at..end]);
        if let Some(closing) = delimiter(line, boundary) {
            if let Some(start) = open.take() {
                found.push((start, before_eol(body, start, at)));
            }
            closed = closing;
            if closing {
                // A second set of parts after the closing line is an epilogue, read no further.
                break;
            }
            open = Some(end);
            if found.len() > PARTS_MAX {
                break;
            }
        }
        at = end;
    }
    if let Some(start) = open {
        found.push((start, body.len()));
    }
    (!found.is_empty() || closed).then_some(found)
}

/// `Some(closing)` for a delimiter line of this boundary.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (rest, closing) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    rest.iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .then_some(closing)
}

/// The line end before a delimiter belongs to the delimiter.
fn before_eol(body: &[u8], start: usize, at: usize) -> usize {
    let mut end = at;
    if end > start && body[end - 1] == b'\n' {
        end -= 1;
        if end > start && body[end - 1] == b'\r' {
            end -= 1;
        }
    }
    end
}

/// Lines of a body looked at for a delimiter nobody declared.
const GUESS_LINES_MAX: usize = 100;

/// A line `--X` followed by a `Content-` line is a delimiter whatever the header says.
fn guess_boundary(body: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    let mut candidate: Option<&[u8]> = None;
    for _ in 0..GUESS_LINES_MAX {
        if at >= body.len() {
            return None;
        }
        let end = header::line_end(body, at);
        let line = header::trim_eol(&body[at..end]);
        if let Some(boundary) = candidate
            && line.len() > 8
            && line[..8].eq_ignore_ascii_case(b"content-")
        {
            return Some(boundary.to_vec());
        }
        candidate = line
            .strip_prefix(b"--")
            .map(<[u8]>::trim_ascii_end)
            .filter(|boundary| boundary.len() > 1 && boundary.len() <= 200);
        at = end;
    }
    None
}

fn assemble(headers: Headers, collected: Collected) -> Mail {
    let mut mail = Mail {
        attachments: collected.attachments,
        reports: collected.reports,
        nested: collected.nested,
        ..Mail::default()
    };
    bodies(&mut mail, &collected.bodies);
    let ids = |name: &str| {
        headers
            .all(name)
            .take(4)
            .flat_map(header::message_ids)
            .collect::<Vec<_>>()
    };
    let people = |name: &str| {
        headers
            .all(name)
            .take(16)
            .flat_map(header::addresses)
            .take(super::ADDRESSES_MAX)
            .collect::<Vec<_>>()
    };
    mail.message_id = ids("message-id").into_iter().next();
    mail.in_reply_to = ids("in-reply-to");
    mail.in_reply_to.truncate(REFERENCES_MAX);
    mail.references = ids("references");
    let older = mail.references.len().saturating_sub(REFERENCES_MAX);
    mail.references.drain(..older);
    mail.from = people("from");
    mail.sender = people("sender").into_iter().next();
    mail.to = people("to");
    mail.cc = people("cc");
    mail.reply_to = people("reply-to");
    mail.return_path = headers.get("return-path").map(|value| {
        let path = value.trim().trim_matches(['<', '>']).trim();
        header::normalise_email(path).unwrap_or_default()
    });
    mail.subject = headers
        .get("subject")
        .map(header::decode_words)
        .unwrap_or_default();
    if let Some((instant, local)) = headers.get("date").and_then(header::date) {
        mail.date = Some(instant);
        mail.date_local = Some(local);
    }
    mail.received = headers
        .get("received")
        .and_then(|value| value.rsplit_once(';'))
        .and_then(|(_, date)| header::date(date))
        .map(|(instant, _)| instant);
    mail.list = ListHeaders {
        id: headers.get("list-id").map(str::to_owned),
        unsubscribe: headers
            .get("list-unsubscribe")
            .map(|value| {
                value
                    .split(',')
                    .take(16)
                    .map(|uri| uri.trim().trim_matches(['<', '>']).to_owned())
                    .filter(|uri| !uri.is_empty())
                    .collect()
            })
            .unwrap_or_default(),
        one_click: headers
            .get("list-unsubscribe-post")
            .is_some_and(|value| value.to_ascii_lowercase().contains("one-click")),
        precedence: headers
            .get("precedence")
            .map(|value| value.trim().to_ascii_lowercase()),
    };
    let content = headers
        .get("content-type")
        .map(header::content)
        .unwrap_or_default();
    mail.report_type = content
        .attribute("report-type")
        .map(str::to_ascii_lowercase);
    mail.content_type = if content.value.is_empty() {
        "text/plain".to_owned()
    } else {
        content.value
    };
    mail.headers = headers;
    mail
}

/// Chooses the body: plain text where it says something, else HTML made text.
fn bodies(mail: &mut Mail, bodies: &[BodyText]) {
    let says = |body: &&BodyText| !body.text.trim().is_empty();
    let mut html = String::new();
    for body in bodies.iter().filter(|body| body.html).filter(says) {
        if html.len() + body.text.len() <= TEXT_BYTES_MAX {
            html.push_str(&body.text);
        }
    }
    let plain_in = |alternative: Option<usize>| {
        bodies
            .iter()
            .any(|body| !body.html && says(&body) && body.alternative == alternative)
    };
    let mut text = String::new();
    let mut source = TextSource::None;
    for body in bodies.iter().filter(says) {
        let piece = if !body.html {
            source = TextSource::Plain;
            body.text.clone()
        } else if body.alternative.is_some() && plain_in(body.alternative) {
            continue;
        } else {
            if source == TextSource::None {
                source = TextSource::Html;
            }
            html::to_text(&body.text, &[]).text
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        if text.len() + piece.len() <= TEXT_BYTES_MAX {
            text.push_str(&piece);
        }
    }
    mail.text = text;
    mail.text_source = source;
    mail.html = (!html.is_empty()).then_some(html);
}
