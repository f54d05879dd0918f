//! A mail's bytes, examined whole: parsed, classified, its attachments read, its document found.
//!
//! Rules of the workspace's own are asked first. Files are read in a process of their own, with limits.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use relance_message::document::pdf::{self, PdfLimits, PdfText};
use relance_message::document::{
    self, AttachmentText, DocumentInput, DocumentKind, DocumentRules, Forwarded, FoundDocument,
    Near,
};
use relance_message::inbound::{self, Classified, InboundRules, NamedNumber};
use relance_message::mail::{Attachment, Mail, MailProblem};

use crate::recognition::office;
use crate::recognition::own::{OwnRule, OwnRules, Then};

/// Address space of the process that reads a PDF.
const PDF_MEMORY_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Processor time of the process that reads a PDF, in seconds.
const PDF_CPU_SECONDS_MAX: u64 = 10;
/// How long a PDF may take, waiting included.
const PDF_TIME_MAX: Duration = Duration::from_secs(15);
/// Bytes of an XML attachment that are looked at.
const XML_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The hidden subcommand that reads a PDF.
pub const PDF_SUBCOMMAND: &str = "internal-pdf-text";

/// The rules that mail is read by.
pub struct Rules {
    /// Bounces, auto-replies, replies.
    pub inbound: InboundRules,
    /// Offers and invoices.
    pub documents: DocumentRules,
    /// What people of the workspace said of mails.
    pub own: OwnRules,
}

impl Rules {
    /// The rules that come with the program.
    pub fn bundled() -> Result<Self, String> {
        let inbound = InboundRules::from_toml(
            include_str!("../../../assets/rules/bounces.toml"),
            include_str!("../../../assets/rules/replies.toml"),
        );
        let documents =
            DocumentRules::from_toml(include_str!("../../../assets/rules/documents.toml"));
        Ok(Self {
            inbound: inbound.map_err(|problem| problem.to_string())?,
            documents: documents.map_err(|problem| problem.to_string())?,
            own: OwnRules::default(),
        })
    }
}

/// What a mail is.
pub struct Examined {
    /// The mail.
    pub mail: Mail,
    /// Reply, auto-reply, bounce, complaint or other.
    pub class: Classified,
    /// The offer or invoice that it carries.
    pub document: Option<FoundDocument>,
    /// The rule of the workspace's own that says what it is.
    pub rule: Option<std::sync::Arc<OwnRule>>,
    /// A list's mail: it goes to many, and what it carries is nobody's document.
    pub is_bulk: bool,
    /// Set when it passes on another mail.
    pub forwarded: Option<Forwarded>,
    /// Documents' numbers that a person names in it.
    pub numbers: Vec<NamedNumber>,
}

impl Examined {
    /// Whether a person said that it is a document, so that nothing else about it matters.
    pub fn is_said(&self) -> bool {
        let kind = self.rule.as_ref().and_then(|rule| rule.then.document());
        kind.is_some()
    }
}

/// Whether a mail goes to a list (RFC 2919, RFC 3834).
fn is_bulk(mail: &Mail) -> bool {
    let precedence = mail
        .headers
        .get("precedence")
        .unwrap_or_default()
        .to_lowercase();
    mail.headers.get("list-id").is_some() || matches!(precedence.trim(), "bulk" | "list" | "junk")
}

/// Examines a mail. Takes as long as its largest PDF, up to a limit: not for network threads.
pub fn examine(bytes: &[u8], rules: &Rules) -> Result<Examined, MailProblem> {
    examine_with(bytes, rules, |_| ())
}

/// [`examine`]; of a mail without a document also how near it came to one, for people who ask why.
pub fn examine_closely(
    bytes: &[u8],
    rules: &Rules,
) -> Result<(Examined, Option<Near>), MailProblem> {
    let mut near = None;
    let examined = examine_with(bytes, rules, |input| {
        near = Some(document::near(input, &rules.documents));
    })?;
    Ok((examined, near))
}

/// `unfound` hears of what no document was found in.
fn examine_with(
    bytes: &[u8],
    rules: &Rules,
    unfound: impl FnOnce(&DocumentInput<'_>),
) -> Result<Examined, MailProblem> {
    let mail = Mail::parse(bytes)?;
    let class = inbound::classify(&mail, &rules.inbound);
    let rule = rules.own.verdict(&mail);
    let text = match &class {
        Classified::Reply(reply) => Some(reply.text.as_str()),
        // Newsletters and notices of shops may carry an invoice too.
        Classified::Other => Some(mail.text.as_str()),
        Classified::AutoReply(_) | Classified::Bounce(_) | Classified::Complaint(_) => None,
    };
    let document = match (text, &rule) {
        (None, _) => None,
        (Some(text), None) => find_document(&mail, text, rules, unfound),
        (Some(text), Some(rule)) => match rule.then {
            Then::Never => None,
            Then::Invoice | Then::Offer => rule
                .then
                .document()
                .map(|kind| read_document(&mail, text, kind, &rule.id, rules)),
        },
    };
    let forwarded = document::forwarded(&mail.subject, &mail.text, &rules.documents);
    let numbers = match &class {
        Classified::Reply(reply) => inbound::numbers(&mail.subject, &reply.text, &rules.inbound),
        Classified::AutoReply(_)
        | Classified::Bounce(_)
        | Classified::Complaint(_)
        | Classified::Other => Vec::new(),
    };
    Ok(Examined {
        numbers,
        is_bulk: is_bulk(&mail),
        mail,
        class,
        document,
        rule,
        forwarded,
    })
}

impl Examined {
    /// The same mail, read as a document of a kind because a person says so.
    pub fn read_as(mut self, kind: DocumentKind, by: &str, rules: &Rules) -> Self {
        let text = match &self.class {
            Classified::Reply(reply) => reply.text.clone(),
            Classified::Other
            | Classified::AutoReply(_)
            | Classified::Bounce(_)
            | Classified::Complaint(_) => self.mail.text.clone(),
        };
        self.document = Some(read_document(&self.mail, &text, kind, by, rules));
        self.forwarded = None;
        self.is_bulk = false;
        self
    }
}

/// Examines a file that is an attachment without a mail: a PDF, an office file or XML. `None`: it is none of these.
pub fn examine_attachment(
    path: &std::path::Path,
    bytes: &[u8],
    rules: &Rules,
) -> Option<Option<FoundDocument>> {
    let trimmed = bytes.trim_ascii_start();
    let content_type = if trimmed.starts_with(b"%PDF-") {
        "application/pdf"
    } else if trimmed.starts_with(office::ARCHIVE) {
        office::content_type(path.extension().and_then(|ending| ending.to_str()))?
    } else if trimmed.starts_with(b"<") || trimmed.starts_with(b"\xef\xbb\xbf<") {
        "application/xml"
    } else {
        return None;
    };
    let attachment = relance_message::mail::Attachment {
        name: path
            .file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned),
        content_type: content_type.to_owned(),
        bytes: bytes.to_vec(),
        ..Default::default()
    };
    let mail = Mail {
        attachments: vec![attachment],
        ..Mail::default()
    };
    Some(find_document(&mail, "", rules, |_| ()))
}

fn find_document(
    mail: &Mail,
    text: &str,
    rules: &Rules,
    unfound: impl FnOnce(&DocumentInput<'_>),
) -> Option<FoundDocument> {
    let attachments = Texts::of(mail);
    let shown = attachments.shown();
    let input = attachments.input(mail, text, &shown);
    let found = document::find(&input, &rules.documents);
    if found.is_none() {
        unfound(&input);
    }
    found
}

fn read_document(
    mail: &Mail,
    text: &str,
    kind: DocumentKind,
    rule: &str,
    rules: &Rules,
) -> FoundDocument {
    let attachments = Texts::of(mail);
    let shown = attachments.shown();
    document::read_as(
        &attachments.input(mail, text, &shown),
        kind,
        rule,
        &rules.documents,
    )
}

/// Attachments with the text that was found in them.
struct Texts<'m>(Vec<(&'m str, &'m str, Option<String>)>);

impl<'m> Texts<'m> {
    fn of(mail: &'m Mail) -> Self {
        let mut texts = Vec::new();
        for attachment in mail.attachments.iter().take(document::ATTACHMENTS_MAX) {
            add_texts(attachment, &mut texts);
        }
        Self(texts)
    }

    fn shown(&self) -> Vec<AttachmentText<'_>> {
        let texts = self.0.iter();
        texts
            .map(|(name, content_type, text)| AttachmentText {
                name,
                content_type,
                text: text.as_deref(),
            })
            .collect()
    }

    fn input<'a>(
        &self,
        mail: &'a Mail,
        text: &'a str,
        attachments: &'a [AttachmentText<'a>],
    ) -> DocumentInput<'a> {
        DocumentInput {
            subject: &mail.subject,
            text,
            attachments,
            sent_on: mail.date_local.map(|local| local.date()),
        }
    }
}

fn add_texts<'m>(attachment: &'m Attachment, texts: &mut Vec<(&'m str, &'m str, Option<String>)>) {
    let name = attachment.name.as_deref().unwrap_or("");
    let lower = name.to_lowercase();
    let is = |kind: &str, ending: &str| attachment.content_type == kind || lower.ends_with(ending);
    if is("application/pdf", ".pdf") {
        let read = read_file(&attachment.bytes);
        let xml = read
            .as_ref()
            .map(|read| read.embedded_xml.clone())
            .unwrap_or_default();
        texts.push((name, "application/pdf", read.map(|read| read.joined())));
        texts.extend(
            xml.into_iter()
                .map(|xml| (name, "application/xml", Some(xml.text))),
        );
    } else if office::is_office(&attachment.content_type, &lower)
        && attachment.bytes.starts_with(office::ARCHIVE)
    {
        let read = read_file(&attachment.bytes);
        let text = read.map(|read| read.joined());
        texts.push((name, &attachment.content_type, text));
    } else if (is("application/xml", ".xml") || is("text/xml", ".xml"))
        && attachment.bytes.len() <= XML_BYTES_MAX
    {
        let text = Some(document::einvoice::decode(&attachment.bytes).into_owned());
        texts.push((name, "application/xml", text));
    } else {
        texts.push((name, &attachment.content_type, None));
    }
}

/// Reads a PDF or office file in a process of its own with limits, so that a bomb hurts itself only. `None`: it
/// could not be read; the mail is judged by its other parts.
fn read_file(bytes: &[u8]) -> Option<PdfText> {
    if bytes.len() > PdfLimits::default().bytes_max {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let mut child = Command::new(program)
        .arg(PDF_SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let mut output = child.stdout.take()?;
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        output.read_to_end(&mut text).map(|_| text)
    });
    let begun = Instant::now();
    let finished = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if begun.elapsed() < PDF_TIME_MAX => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(None) | Err(_) => {
                // Its pipes close with it, and both threads end.
                let _gone = child.kill();
                let _status = child.wait();
                break false;
            }
        }
    };
    let _written = writer.join();
    let text = reader.join().ok()?.ok()?;
    if !finished {
        tracing::warn!("an attachment could not be read within its limits");
        return None;
    }
    serde_json::from_slice::<PdfPages>(&text)
        .ok()
        .map(PdfPages::into_text)
}

/// A PDF's text between the two processes.
#[derive(serde::Serialize, serde::Deserialize)]
struct PdfPages {
    pages: Vec<String>,
    xml: Vec<(String, String)>,
    truncated: bool,
}

impl PdfPages {
    fn into_text(self) -> PdfText {
        let xml = self
            .xml
            .into_iter()
            .map(|(name, text)| pdf::EmbeddedXml { name, text });
        PdfText {
            pages: self.pages,
            embedded_xml: xml.collect(),
            truncated: self.truncated,
        }
    }
}

/// The process that reads a PDF or office file: bytes on standard input, JSON on standard output.
pub fn pdf_process() -> std::process::ExitCode {
    use rlimit::Resource;
    use std::process::ExitCode;
    let limited = Resource::AS
        .set(PDF_MEMORY_BYTES_MAX, PDF_MEMORY_BYTES_MAX)
        .is_ok()
        && Resource::CPU
            .set(PDF_CPU_SECONDS_MAX, PDF_CPU_SECONDS_MAX)
            .is_ok();
    if !limited {
        return ExitCode::FAILURE;
    }
    let limits = PdfLimits::default();
    let mut bytes = Vec::new();
    let most = limits.bytes_max as u64 + 1;
    if std::io::stdin().take(most).read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let read = if bytes.starts_with(office::ARCHIVE) {
        office::text(&bytes).ok().map(|text| PdfText {
            pages: vec![text],
            embedded_xml: Vec::new(),
            truncated: false,
        })
    } else {
        pdf::text(&bytes, &limits).ok()
    };
    let Some(text) = read else {
        return ExitCode::FAILURE;
    };
    let pages = PdfPages {
        pages: text.pages,
        xml: text
            .embedded_xml
            .into_iter()
            .map(|xml| (xml.name, xml.text))
            .collect(),
        truncated: text.truncated,
    };
    match serde_json::to_writer(std::io::stdout().lock(), &pages) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
