use super::*;
use mail_parser::{MessageParser, MimeHeaders};

fn mail() -> OutgoingMail {
    OutgoingMail {
        from: "anna@firm.example".to_owned(),
        from_name: Some("Анна Петрова".to_owned()),
        to: "taro@client.example".to_owned(),
        more_to: Vec::new(),
        to_name: Some("山田 太郎".to_owned()),
        reply_to: Some("sales@firm.example".to_owned()),
        subject: "Re: Предложение № 12".to_owned(),
        html: Some("<p>Здравствуйте, <b>山田</b>!</p>\n".to_owned()),
        text: "Здравствуйте!\nс уважением\n".to_owned(),
        message_id: "relance.tch_1@firm.example".to_owned(),
        in_reply_to: Some("<p@client.example>".to_owned()),
        references: vec!["a@x.example".to_owned(), "<p@client.example>".to_owned()],
        date: "2026-11-21T09:30:00Z".parse().expect("a moment"),
        list_unsubscribe: Some(ListUnsubscribe {
            url: Some("https://r.example/u/abc?x=1".to_owned()),
            mailto: Some("mailto:off@firm.example?subject=off".to_owned()),
        }),
        auto_submitted: None,
        headers: vec![("X-Campaign".to_owned(), "spring".to_owned())],
        attachments: Vec::new(),
    }
}

/// No line is longer than RFC 5322 allows, every line ends in CRLF, headers are ASCII.
fn assert_wire(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("ascii or utf-8");
    assert!(text.is_ascii(), "eight-bit bytes on the wire");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
    for line in text.split("\r\n") {
        assert!(line.len() <= 998, "a line of {} bytes", line.len());
    }
}

#[test]
fn a_mail_comes_back_as_it_was_given() {
    let bytes = mail().build().expect("builds");
    assert_wire(&bytes);
    let parsed = MessageParser::default().parse(&bytes).expect("parses");
    let from = parsed.from().and_then(|a| a.first()).expect("from");
    assert_eq!(from.name(), Some("Анна Петрова"));
    assert_eq!(from.address(), Some("anna@firm.example"));
    let to = parsed.to().and_then(|a| a.first()).expect("to");
    assert_eq!(to.name(), Some("山田 太郎"));
    assert_eq!(parsed.subject(), Some("Re: Предложение № 12"));
    assert_eq!(
        parsed.body_text(0).as_deref(),
        Some("Здравствуйте!\r\nс уважением\r\n")
    );
    assert_eq!(
        parsed.body_html(0).as_deref(),
        Some("<p>Здравствуйте, <b>山田</b>!</p>\r\n")
    );
    assert_eq!(parsed.message_id(), Some("relance.tch_1@firm.example"));
    assert_eq!(parsed.in_reply_to().as_text(), Some("p@client.example"));
    assert_eq!(parsed.references().as_text_list().map(<[_]>::len), Some(2));
    assert_eq!(
        parsed.date().map(|d| d.to_rfc3339()).as_deref(),
        Some("2026-11-21T09:30:00Z")
    );
    let text = String::from_utf8(bytes.clone()).expect("ascii");
    let unfolded = text.replace("\r\n ", " ").replace("\r\n\t", " ");
    assert!(unfolded.contains(
        "List-Unsubscribe: <https://r.example/u/abc?x=1>, <mailto:off@firm.example?subject=off>\r\n"
    ));
    assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    assert!(text.contains("X-Campaign: spring\r\n"));
    assert!(!text.contains("Auto-Submitted"));
    assert_eq!(text.matches("MIME-Version: 1.0\r\n").count(), 1);
}

#[test]
fn the_same_mail_is_the_same_bytes() {
    let built = mail().build();
    assert_eq!(built, mail().build());
    let mut other = mail();
    other.message_id = "relance.tch_2@firm.example".to_owned();
    assert_ne!(built, other.build());
}

#[test]
fn a_plain_reminder_has_one_part() {
    let mut mail = mail();
    mail.html = None;
    mail.text = "Just a line.\n".to_owned();
    mail.list_unsubscribe = None;
    mail.auto_submitted = Some(AutoSubmitted::Generated);
    let bytes = mail.build().expect("builds");
    assert_wire(&bytes);
    let text = String::from_utf8(bytes).expect("ascii");
    assert!(
        text.contains("Content-Type: text/plain; charset=\"utf-8\"\r\n"),
        "{text}"
    );
    assert!(text.contains("Auto-Submitted: auto-generated\r\n"));
    assert!(!text.contains("multipart"));
    assert!(text.ends_with("\r\n\r\nJust a line.\r\n"), "{text}");
}

#[test]
fn every_kind_of_text_survives() {
    let long_word = "x".repeat(3_000);
    let texts = [
        "a",
        "Кириллица и 日本語 and 👨\u{200d}👩\u{200d}👧 \u{a0}nbsp",
        "line\n.\n..dots\nFrom here\n",
        "trailing spaces   \n\ttab\t\n",
        "=3D equals = signs =?utf-8?Q?x?= ?=",
        "--=_boundary\n--\n",
        "請求書のお支払い期限が近づいております。ご確認のほどよろしくお願いいたします。",
        long_word.as_str(),
        "quote \" and \\ and <b> & , ; ( )",
    ];
    for text in texts {
        for newline in ["\n", "\r\n", "\r"] {
            let body = text.replace('\n', newline);
            let mut mail = mail();
            mail.text.clone_from(&body);
            mail.html = Some(format!("<p>{body}</p>"));
            let single = text.replace(['\n', '\t'], " ");
            let subject: String = single.split_whitespace().collect::<Vec<_>>().join(" ");
            mail.subject.clone_from(&subject);
            let name: String = subject.chars().take(80).collect();
            mail.from_name = Some(name.clone());
            let bytes = mail.build().expect("builds");
            assert_wire(&bytes);
            let parsed = MessageParser::default().parse(&bytes).expect("parses");
            let expected = text.replace('\n', "\r\n");
            assert_eq!(parsed.body_text(0).as_deref(), Some(expected.as_str()));
            assert_eq!(
                parsed.body_html(0).as_deref(),
                Some(format!("<p>{expected}</p>").as_str())
            );
            assert_eq!(parsed.subject(), Some(subject.as_str()));
            let from = parsed.from().and_then(|a| a.first()).expect("from");
            assert_eq!(from.address(), Some("anna@firm.example"));
            assert_eq!(from.name(), Some(name.as_str()));
        }
    }
}

#[test]
fn long_ascii_subjects_stay_readable() {
    let mut mail = mail();
    mail.subject =
        "Your order of pumps, valves and pipes for the new plant in the north ".repeat(4);
    let bytes = mail.build().expect("builds");
    assert_wire(&bytes);
    let text = String::from_utf8(bytes.clone()).expect("ascii");
    assert!(text.contains("Subject: Your order of pumps"));
    let parsed = MessageParser::default().parse(&bytes).expect("parses");
    assert_eq!(parsed.subject(), Some(mail.subject.trim()));
}

#[test]
fn files_and_pictures_arrive_to_the_byte() {
    let mut mail = mail();
    let every_byte: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    mail.attachments = vec![
        Attachment {
            file_name: "Счёт № 12 от 21 ноября, «Насосы и клапаны для северного завода».pdf"
                .to_owned(),
            content_type: "application/pdf".to_owned(),
            bytes: every_byte.clone(),
            content_id: None,
        },
        Attachment {
            file_name: "見積書.csv".to_owned(),
            content_type: "text/csv".to_owned(),
            bytes: "a;b\n1;2\r\nж\n".as_bytes().to_vec(),
            content_id: None,
        },
        Attachment {
            file_name: "logo.png".to_owned(),
            content_type: "image/png".to_owned(),
            bytes: vec![1, 2, 3],
            content_id: Some("logo@firm".to_owned()),
        },
    ];
    let bytes = mail.build().expect("builds");
    assert_wire(&bytes);
    let parsed = MessageParser::default().parse(&bytes).expect("parses");
    let found: Vec<(Option<&str>, &[u8])> = parsed
        .attachments()
        .map(|a| (a.attachment_name(), a.contents()))
        .collect();
    for attachment in &mail.attachments {
        assert!(
            found.contains(&(Some(attachment.file_name.as_str()), &attachment.bytes)),
            "{} is lost",
            attachment.file_name
        );
    }
    let text = String::from_utf8(bytes).expect("ascii");
    assert!(text.contains("Content-ID: <logo@firm>"));
    for kind in ["mixed", "alternative", "related"] {
        assert_eq!(
            text.matches(&format!("multipart/{kind}")).count(),
            1,
            "{kind}"
        );
    }
}

#[test]
fn hostile_values_are_errors_that_name_the_field() {
    type Change = fn(&mut OutgoingMail);
    let changes: [(&str, Change); 19] = [
        ("from", |m| {
            m.from = "a@b.example\r\nBcc: x@y.example".to_owned()
        }),
        ("from", |m| m.from = "a@b.example, c@d.example".to_owned()),
        ("from", |m| m.from = "<a@b.example>".to_owned()),
        ("from_name", |m| m.from_name = Some("a\nBcc: x".to_owned())),
        ("to", |m| m.to = "nobody".to_owned()),
        ("to", |m| m.to = "иван@почта.example".to_owned()),
        ("to", |m| m.to = format!("{}@x.example", "a".repeat(300))),
        ("to_name", |m| m.to_name = Some("a\u{2028}b".to_owned())),
        ("reply_to", |m| {
            m.reply_to = Some("a b@c.example".to_owned())
        }),
        ("subject", |m| m.subject = "a\r\n\r\nbody".to_owned()),
        ("subject", |m| m.subject = "a".repeat(HEADER_BYTES_MAX + 1)),
        ("message_id", |m| m.message_id = "a b@c".to_owned()),
        ("in_reply_to", |m| {
            m.in_reply_to = Some("a@b>\r\nX: y".to_owned())
        }),
        ("list_unsubscribe.url", |m| {
            m.list_unsubscribe = Some(ListUnsubscribe {
                url: Some("https://x.example/>, <y".to_owned()),
                mailto: None,
            });
        }),
        ("list_unsubscribe", |m| {
            m.list_unsubscribe = Some(ListUnsubscribe::default());
        }),
        ("headers", |m| {
            m.headers = vec![("Bcc".to_owned(), "x".to_owned())]
        }),
        ("headers", |m| {
            m.headers = vec![("A:b".to_owned(), "x".to_owned())]
        }),
        ("X-A", |m| {
            m.headers = vec![("X-A".to_owned(), "x\ny".to_owned())]
        }),
        ("attachment file_name", |m| {
            m.attachments = vec![Attachment {
                file_name: "../a\".pdf".to_owned(),
                content_type: "application/pdf".to_owned(),
                bytes: Vec::new(),
                content_id: None,
            }];
        }),
    ];
    for (field, change) in changes {
        let mut mail = mail();
        change(&mut mail);
        let problem = mail.build().expect_err(field);
        assert!(problem.to_string().starts_with(field), "{field}: {problem}");
    }
    let mut empty = mail();
    empty.text = " \n".to_owned();
    empty.html = None;
    assert_eq!(empty.build(), Err(BuildProblem::BodyEmpty));
}

#[test]
fn odd_ids_of_strangers_do_not_stop_a_message() {
    let mut mail = mail();
    mail.in_reply_to = Some("<not an id>".to_owned());
    mail.references = (0..500)
        .map(|i| format!("{i}@x.example"))
        .chain(["ы@x".to_owned(), "a".repeat(5_000)])
        .collect();
    let bytes = mail.build().expect("builds");
    assert_wire(&bytes);
    let parsed = MessageParser::default().parse(&bytes).expect("parses");
    assert_eq!(
        parsed.references().as_text_list().map(<[_]>::len),
        Some(thread::REFERENCES_MAX)
    );
    assert_eq!(parsed.in_reply_to().as_text(), None);
}

#[test]
fn a_body_cannot_forge_a_boundary() {
    let boundary = Boundaries::for_mail(&mail(), "", None).0;
    let mut forged = mail();
    forged.text = format!("a\n--{boundary}_alternative--\nb\n");
    let bytes = forged.build().expect("builds");
    let parsed = MessageParser::default().parse(&bytes).expect("parses");
    let expected = forged.text.replace('\n', "\r\n");
    assert_eq!(parsed.body_text(0).as_deref(), Some(expected.as_str()));
    assert!(parsed.body_html(0).is_some());
}

#[test]
fn an_unsubscribe_link_without_https_is_not_one_click() {
    let mut mail = mail();
    mail.list_unsubscribe = Some(ListUnsubscribe {
        url: Some("http://localhost:8080/u/1".to_owned()),
        mailto: None,
    });
    let text = String::from_utf8(mail.build().expect("builds")).expect("ascii");
    assert!(text.contains("List-Unsubscribe: <http://localhost:8080/u/1>\r\n"));
    assert!(!text.contains("One-Click"));
}

#[test]
fn nothing_personal_is_in_the_debug_form() {
    let shown = format!("{:?}", mail());
    assert!(
        shown.contains("tch_1") && !shown.contains("client.example"),
        "{shown}"
    );
}

#[test]
fn several_people_see_each_other_in_one_mail() {
    let more = |address: &str, name: Option<&str>| (address.to_owned(), name.map(str::to_owned));
    let mut mail = mail();
    mail.more_to = vec![
        more("boris@firm.example", Some("Борис")),
        more("c@firm.example", None),
        more("d@firm.example", Some("=?utf-8?B?eA==?=")),
    ];
    let bytes = mail.build().expect("builds");
    assert_wire(&bytes);
    let parsed = MessageParser::default().parse(&bytes).expect("a mail");
    let to = parsed.to().expect("recipients");
    let seen: Vec<_> = to.iter().map(|one| (one.address(), one.name())).collect();
    assert_eq!(
        seen,
        [
            (Some("taro@client.example"), Some("山田 太郎")),
            (Some("boris@firm.example"), Some("Борис")),
            (Some("c@firm.example"), None),
            (Some("d@firm.example"), None),
        ]
    );
    mail.more_to[1].0 = "c@firm.example\r\nBcc: x@y.example".to_owned();
    assert!(mail.build().is_err());
    mail.more_to = vec![more("a@b.example", None); RECIPIENTS_MAX];
    assert_eq!(
        mail.build(),
        Err(BuildProblem::TooMany {
            field: "recipients",
            limit: RECIPIENTS_MAX
        })
    );
}
