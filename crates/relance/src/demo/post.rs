//! Mails of the demonstration as real bytes, and their way into the engine: examined as a mailbox
//! reading examines them.

use jiff::Timestamp;
use jiff::civil::Date;
use relance_core::ids::MailboxId;
use relance_core::mail::{Folder, MailSeen};
use relance_message::outbound::{Attachment, AutoSubmitted, OutgoingMail, reply_subject};

use crate::examine::{Rules, examine};

use super::DemoProblem;
use super::company::{Desk, Letter, Person, fill};
use super::paper;
use super::script::{Document, Kind};

/// A document, as the salesperson sends it.
pub fn document(desk: &Desk, one: &Document, at: Timestamp) -> Result<Vec<u8>, DemoProblem> {
    let client = &desk.clients[one.client];
    let letter = letter(desk, one.kind);
    let (amount, due) = (desk.written_amount(one.amount), desk.written_date(one.due));
    let values = [
        ("number", one.number.as_str()),
        ("item", one.item.as_str()),
        ("amount", &amount),
        ("due", &due),
        ("name", &client.name),
        ("first", &client.first),
        ("company", &client.company),
    ];
    let title = match one.kind {
        Kind::Offer => "Offer",
        Kind::Invoice => "Invoice",
    };
    let page = paper::pdf(&[
        format!("{title} {}", one.number),
        format!("Date: {}", one.issued),
        format!("Total: {}.00 {}", one.amount, desk.currency),
    ]);
    let buyer = client.buyer();
    let mail = OutgoingMail {
        from: desk.salesperson.address.clone(),
        from_name: Some(desk.salesperson.name.clone()),
        to: buyer.address,
        to_name: Some(buyer.name),
        subject: fill(&letter.subject, &values),
        text: fill(letter.body.trim_start(), &values),
        message_id: one.message_id.clone(),
        date: at,
        attachments: vec![Attachment {
            file_name: fill(&letter.file, &values),
            content_type: "application/pdf".to_owned(),
            bytes: page,
            content_id: None,
        }],
        ..OutgoingMail::default()
    };
    Ok(mail.build()?)
}

/// The subject of a document's mail.
pub fn document_subject(desk: &Desk, one: &Document) -> String {
    let values = [("number", one.number.as_str()), ("item", &one.item)];
    fill(&letter(desk, one.kind).subject, &values)
}

fn letter(desk: &Desk, kind: Kind) -> &Letter {
    match kind {
        Kind::Offer => &desk.offer,
        Kind::Invoice => &desk.invoice,
    }
}

/// A mail that a client writes.
pub struct FromClient<'a> {
    /// Who.
    pub from: &'a Person,
    /// What.
    pub text: &'a str,
    /// The subject of what is answered, or an own one outside any thread.
    pub subject: &'a str,
    /// Message-IDs of the thread, oldest first; none outside any thread.
    pub thread: &'a [String],
    /// Its own Message-ID.
    pub message_id: String,
}

/// A client's mail to the salesperson.
pub fn from_client(
    desk: &Desk,
    mail: FromClient<'_>,
    at: Timestamp,
) -> Result<Vec<u8>, DemoProblem> {
    let in_thread = !mail.thread.is_empty();
    let quoted = if in_thread {
        let name = &desk.salesperson.name;
        format!("\n\n{name} <{}>:\n> ...\n", desk.salesperson.address)
    } else {
        String::new()
    };
    let mail = OutgoingMail {
        from: mail.from.address.clone(),
        from_name: Some(mail.from.name.clone()),
        to: desk.salesperson.address.clone(),
        to_name: Some(desk.salesperson.name.clone()),
        subject: if in_thread {
            reply_subject(mail.subject)
        } else {
            mail.subject.to_owned()
        },
        text: format!("{}{quoted}", mail.text),
        message_id: mail.message_id,
        in_reply_to: mail.thread.last().cloned(),
        references: mail.thread.to_vec(),
        date: at,
        ..OutgoingMail::default()
    };
    Ok(mail.build()?)
}

/// What a client's machine answers while the client is away.
pub fn away(
    desk: &Desk,
    one: &Document,
    back: Date,
    at: Timestamp,
) -> Result<Vec<u8>, DemoProblem> {
    let buyer = desk.clients[one.client].buyer();
    let subject = document_subject(desk, one);
    let mail = OutgoingMail {
        message_id: format!("away.{}", one.message_id),
        from: buyer.address,
        from_name: Some(buyer.name),
        to: desk.salesperson.address.clone(),
        subject: fill(&desk.replies.away_subject, &[("subject", &subject)]),
        text: fill(&desk.replies.away, &[("back", &desk.written_date(back))]),
        in_reply_to: Some(one.message_id.clone()),
        references: vec![one.message_id.clone()],
        date: at,
        auto_submitted: Some(AutoSubmitted::Replied),
        ..OutgoingMail::default()
    };
    Ok(mail.build()?)
}

/// What a mail server answers when the address does not exist (RFC 3464).
pub fn bounce(desk: &Desk, one: &Document, at: Timestamp) -> Vec<u8> {
    let to = &desk.salesperson.address;
    let lost = desk.clients[one.client].buyer().address;
    let (host, id) = (&desk.clients[one.client].domain, &one.message_id);
    let date = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let text = &desk.replies.bounce;
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@{host}>\nTo: {to}\nDate: {date}\n\
         Subject: Undelivered Mail Returned to Sender\nMessage-ID: <bounce.{id}>\n\
         Auto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain; charset=us-ascii\n\n\
         Your message could not be delivered to <{lost}>.\n{text}\n\n\
         --b\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.{host}\n\n\
         Final-Recipient: rfc822; {lost}\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 5.1.1 {text}\n\n\
         --b\nContent-Type: text/rfc822-headers\n\n\
         From: {to}\nTo: {lost}\nMessage-ID: <{id}>\nDate: {date}\n\n--b--\n"
    )
    .replace('\n', "\r\n")
    .into_bytes()
}

/// A mail as the engine sees it, examined from its bytes.
pub fn see(
    bytes: &[u8],
    mailbox: &MailboxId,
    folder: Folder,
    at: Timestamp,
    rules: &Rules,
) -> Result<MailSeen, DemoProblem> {
    Ok(examine(bytes, rules)?.see(mailbox, folder, at, String::new()))
}
