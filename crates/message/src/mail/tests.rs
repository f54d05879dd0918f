use super::*;

fn mail(text: &str) -> Mail {
    Mail::parse(text.replace('\n', "\r\n").as_bytes()).expect("readable")
}

#[test]
fn header_fields_are_normalised() {
    let mail = mail(
        "Message-ID: <a.b@Example.COM>\nIn-Reply-To: <x@y>\nReferences: <r1@y>\n <r2@y>\n\
         From: \"Doe, Jane\" <Jane.Doe@EXAMPLE.com>\nTo: a@B.com, =?utf-8?B?0JjQstCw0L0=?= <ivan@пример.рф>\n\
         Return-Path: <>\nDate: Mon, 12 Jan 2026 10:00:00 +0300\nSubject: =?utf-8?B?0Jg=?=\n =?utf-8?B?0YLQvtCz?=\n\nhello\n",
    );
    assert_eq!(mail.message_id.as_deref(), Some("a.b@Example.COM"));
    assert_eq!(mail.references, ["r1@y", "r2@y"]);
    assert_eq!(mail.answers(), ["x@y", "r2@y", "r1@y"]);
    assert_eq!(mail.from[0].name, "Doe, Jane");
    assert_eq!(mail.from[0].email, "Jane.Doe@example.com");
    assert_eq!(mail.from[0].domain(), "example.com");
    assert_eq!(mail.to[1].name, "Иван");
    assert_eq!(mail.return_path.as_deref(), Some(""));
    assert_eq!(mail.subject, "Итог");
    assert_eq!(
        mail.date.map(|date| date.to_string()).as_deref(),
        Some("2026-01-12T07:00:00Z")
    );
    assert_eq!(
        mail.date_local.map(|date| date.to_string()).as_deref(),
        Some("2026-01-12T10:00:00")
    );
    assert_eq!(mail.text.trim(), "hello");
}

#[test]
fn a_character_split_between_two_encoded_words_is_whole() {
    // "日本" in UTF-8, cut after its second byte.
    let mail = mail("From: a@b.c\nSubject: =?UTF-8?B?5pc=?= =?UTF-8?B?peacrA==?= x\n\n");
    assert_eq!(mail.subject, "日本 x");
}

#[test]
fn unlabelled_iso_2022_jp_and_wrong_labels_are_read() {
    let mut bytes = b"From: a@b.c\r\nSubject: x\r\n\r\n".to_vec();
    bytes.extend_from_slice(b"\x1b$B$3$s$K$A$O\x1b(B\r\n");
    assert_eq!(Mail::parse(&bytes).unwrap().text.trim(), "こんにちは");
    let bytes = "From: a@b.c\r\nContent-Type: text/plain; charset=x-unknown\r\n\r\nпривет";
    assert_eq!(Mail::parse(bytes.as_bytes()).unwrap().text, "привет");
}

#[test]
fn alternative_prefers_plain_and_attachments_keep_their_names() {
    let mail = mail(
        "From: a@b.c\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\
         Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\nplain\n--a\n\
         Content-Type: text/html\n\n<p>rich</p>\n--a--\n--m\n\
         Content-Type: application/pdf; name*=UTF-8''%D1%81%D1%87%D1%91%D1%82.pdf\n\
         Content-Transfer-Encoding: base64\n\nJVBERi0=\n--m--\n",
    );
    assert_eq!(mail.text, "plain");
    assert_eq!(mail.html.as_deref(), Some("<p>rich</p>"));
    assert_eq!(mail.attachments.len(), 1);
    assert_eq!(mail.attachments[0].name.as_deref(), Some("счёт.pdf"));
    assert_eq!(mail.attachments[0].bytes, b"%PDF-");
}

#[test]
fn html_alone_becomes_text_with_quotation_marks() {
    let mail = mail(
        "From: a@b.c\nContent-Type: text/html; charset=utf-8\n\n<html><head><style>p{}</style></head><body>\
         <p>Yes &amp; no&nbsp;</p><div>one<br>two</div><blockquote type=cite>old<div>older</div></blockquote>tail</body></html>",
    );
    assert_eq!(mail.text_source, TextSource::Html);
    assert_eq!(mail.text, "Yes & no\n\none\ntwo\n> old\n> older\ntail");
}

#[test]
fn each_limit_has_its_own_refusal() {
    let deep: String = (0..40)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"))
        .collect();
    assert_eq!(
        Mail::parse(deep.as_bytes()).unwrap_err().code(),
        "mail_nested_too_deep"
    );
    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\n\nx\n".repeat(PARTS_MAX + 1)
    );
    assert_eq!(
        Mail::parse(many.as_bytes()).unwrap_err().code(),
        "mail_too_many_parts"
    );
    let wide = format!("X: {}\n\nbody", "y".repeat(HEADER_BYTES_MAX));
    assert_eq!(
        Mail::parse(wide.as_bytes()).unwrap_err().code(),
        "mail_header_too_large"
    );
    assert_eq!(Mail::parse(b"").unwrap_err(), MailProblem::NotMail);
    assert_eq!(
        Mail::parse(&vec![b'a'; MESSAGE_BYTES_MAX + 1])
            .unwrap_err()
            .code(),
        "mail_too_large"
    );
}

#[test]
fn messages_nested_beyond_the_limit_stay_attachments() {
    let doll = "Content-Type: message/rfc822\n\n".repeat(50_000) + "Subject: core\n\nx";
    let mail = Mail::parse(doll.as_bytes()).expect("readable");
    let mut depth = 0;
    let mut inner = &mail;
    while let Some(nested) = inner.nested.first() {
        inner = &nested.mail;
        depth += 1;
    }
    assert_eq!(depth, NESTED_DEPTH_MAX);
    assert_eq!(inner.attachments[0].content_type, "message/rfc822");
}
