//! Stories: a message in, what it means out.

use relance_message::inbound::{self, BounceClass, Classified, InboundRules, smtp_reply};
use relance_message::mail::Mail;

use crate::corpora;

fn classify(text: &str) -> Classified {
    let mail = Mail::parse(text.trim_start().as_bytes()).expect("readable");
    inbound::classify(&mail, corpora::rules())
}

fn json(text: &str) -> serde_json::Value {
    classify(text).to_json()
}

#[test]
fn a_person_answers_above_the_quotation() {
    let found = json(
        "
From: Jane <jane@example.com>
Subject: RE: Offer 12
In-Reply-To: <1@x>
Content-Type: text/plain; charset=utf-8

Yes, we take it.

Best regards,
Jane Doe
ACME

On Mon, 12 Jan 2026 at 10:00, Bob <bob@example.net> wrote:
> Our offer
",
    );
    assert_eq!(found["kind"], "reply");
    assert_eq!(found["text"], "Yes, we take it.");
    assert_eq!(found["answer"], true);
    assert_eq!(found["in_reply_to"][0], "1@x");
}

#[test]
fn quotations_are_cut_in_russian_and_japanese() {
    for (body, expected) in [
        (
            "Добрый день! Оплатим завтра.\n\n--\nС уважением, Анна\n\n12.01.2026 10:00, Иван Петров пишет:\n> Счёт",
            "Добрый день! Оплатим завтра.",
        ),
        (
            "Согласны.\n\nпн, 12 янв. 2026 г. в 10:00, Иван <i@example.ru>:\n\n> Коммерческое предложение",
            "Согласны.",
        ),
        (
            "Да\n\nОт: Иван <i@example.ru>\nОтправлено: 12 января 2026 г. 10:00\nКому: Анна\nТема: Счёт\n\nТекст",
            "Да",
        ),
        (
            "Готово, оплатили\n\nОтправлено с iPhone\n\n> 12 янв. 2026 г., в 10:00, Иван <i@example.ru> написал(а):\n> \n> Счёт",
            "Готово, оплатили",
        ),
        (
            "-\n\nОтвет ниже\n\n-------- Пересылаемое сообщение --------\n12.01.2026, 10:00, \"Иван\" <i@example.ru>:\n\nтекст",
            "-\n\nОтвет ниже",
        ),
        (
            "承知しました。\n\n2026年1月12日(月) 10:00 田中 <t@example.jp>:\n\n> お見積り",
            "承知しました。",
        ),
        (
            "了解です。\n\n差出人: 田中 <t@example.jp>\n送信日時: 2026年1月12日 10:00\n宛先: 鈴木\n件名: 見積書\n\n本文",
            "了解です。",
        ),
    ] {
        let found = json(&format!(
            "From: a@b.cc\nIn-Reply-To: <1@x>\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
        ));
        assert_eq!(found["kind"], "reply", "{body}");
        assert_eq!(found["text"], expected);
    }
}

#[test]
fn html_only_replies_lose_the_quoted_message() {
    let found = json(
        "
From: a@b.cc
In-Reply-To: <1@x>
Content-Type: text/html; charset=utf-8

<html><body><div>Agreed, send the invoice.</div><div id=\"appendonsend\"></div>
<div id=\"divRplyFwdMsg\"><b>From:</b> Bob<br><b>Subject:</b> Offer</div><p>Old text</p></body></html>
",
    );
    assert_eq!(found["text"], "Agreed, send the invoice.");
    let found = json(
        "
From: a@b.cc
In-Reply-To: <1@x>
Content-Type: text/html; charset=utf-8

<div>Fine.</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Mon, 12 Jan 2026 Bob &lt;b@x.cc&gt; wrote:<br></div><blockquote>Old</blockquote></div>
",
    );
    assert_eq!(found["text"], "Fine.");
}

/// Subject, headers, body; expected reason and day. Sent on 20 December 2025.
fn absent(headers: &str, body: &str) -> serde_json::Value {
    json(&format!(
        "From: a@b.cc\nDate: Sat, 20 Dec 2025 09:00:00 +0300\nIn-Reply-To: <1@x>\n{headers}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
    ))
}

#[test]
fn absences_are_auto_replies_with_their_day() {
    for (headers, body, reason, until) in [
        (
            "Subject: Automatic reply: Offer\nAuto-Submitted: auto-replied",
            "I am out of the office until 12 January and will answer then.",
            "out_of_office",
            "2026-01-12",
        ),
        (
            "Subject: Out of Office: Offer",
            "Thanks. I'm on annual leave, back in the office on Monday, January 12th, 2026.",
            "vacation",
            "2026-01-12",
        ),
        (
            "Subject: Автоответ: Счёт",
            "Здравствуйте! Я в отпуске до 12 января. По срочным вопросам: Анна.",
            "vacation",
            "2026-01-12",
        ),
        (
            "Subject: Re: Счёт\nX-Autoreply: yes",
            "Нахожусь в отпуске с 22.12 по 11.01.2026",
            "vacation",
            "2026-01-11",
        ),
        (
            "Subject: 自動返信: お見積り",
            "1月12日まで休暇をいただいております。",
            "vacation",
            "2026-01-12",
        ),
        (
            "Subject: Re: お見積り\nPrecedence: auto_reply",
            "出張のため、２４日まで不在にしております。",
            "out_of_office",
            "2025-12-24",
        ),
        (
            "Subject: 【不在通知】",
            "年末年始休業：12月27日(土)～1月4日(日)",
            "vacation",
            "2026-01-04",
        ),
        (
            "Subject: Abwesenheitsnotiz: Angebot",
            "Ich bin bis 12. Januar nicht im Büro.",
            "out_of_office",
            "2026-01-12",
        ),
        (
            "Subject: Réponse automatique : Offre",
            "Je suis en congés jusqu'au 12 janvier.",
            "vacation",
            "2026-01-12",
        ),
    ] {
        let found = absent(headers, body);
        assert_eq!(found["kind"], "auto_reply", "{headers}: {found}");
        assert_eq!(found["reason"], reason, "{body}");
        assert_eq!(found["until"], until, "{body}");
    }
}

#[test]
fn other_automatic_answers_have_their_reason() {
    for (headers, body, reason) in [
        (
            "Subject: Re: Offer\nAuto-Submitted: auto-replied",
            "John Smith no longer works for ACME. Please write to info@acme.example.",
            "left_company",
        ),
        (
            "Subject: [Ticket #4711] Offer\nAuto-Submitted: auto-generated",
            "Your request has been received and ticket 4711 has been created.",
            "ticket",
        ),
        (
            "Subject: Re: Счёт\nX-Auto-Response-Suppress: All",
            "Ваше обращение №12 зарегистрировано. Это письмо создано автоматически.",
            "ticket",
        ),
    ] {
        let found = absent(headers, body);
        assert_eq!(found["kind"], "auto_reply", "{headers}: {found}");
        assert_eq!(found["reason"], reason, "{body}");
    }
}

#[test]
fn an_absence_notice_with_a_bounce_s_envelope_is_no_bounce() {
    let found = absent(
        "Subject: Out of office: Offer\nReturn-Path: <>\nAuto-Submitted: auto-replied",
        "I am away until 12 January. Your message was not delivered to anybody else, write to anna@b.cc.",
    );
    assert_eq!(found["kind"], "auto_reply", "{found}");
    assert_eq!(found["until"], "2026-01-12");
}

#[test]
fn a_person_who_speaks_of_absence_is_a_reply() {
    for (subject, body) in [
        ("Re: Out of office next week?", "No, I will be there."),
        (
            "RE: Offer",
            "We will decide after my vacation. Call me until 12 January.",
        ),
        (
            "Re: automatic doors",
            "The automatic door needs a new drive, please quote.",
        ),
        ("Re: Счёт", "Анна в отпуске, счёт оплатим до 12 января."),
    ] {
        let found = absent(&format!("Subject: {subject}"), body);
        assert_eq!(found["kind"], "reply", "{subject}: {found}");
    }
}

#[test]
fn receipts_newsletters_and_notices_of_success_are_other() {
    let receipt = "
From: a@b.cc
Subject: Read: Offer
Content-Type: multipart/report; report-type=disposition-notification; boundary=b

--b
Content-Type: text/plain

Your message was read.
--b
Content-Type: message/disposition-notification

Final-Recipient: rfc822;a@b.cc
Disposition: manual-action/MDN-sent-manually; displayed
--b--
";
    assert_eq!(classify(receipt), Classified::Other);
    let success = "
From: MAILER-DAEMON@b.cc
Subject: Successful Mail Delivery Report
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; b.cc

Final-Recipient: rfc822;a@b.cc
Action: delivered
Status: 2.0.0
--b--
";
    assert_eq!(classify(success), Classified::Other);
    let newsletter = "
From: News <newsletter@shop.example>
Subject: Returned by popular demand
List-Unsubscribe: <https://shop.example/u>
Precedence: bulk

Delivery failed to impress? Not ours.
";
    assert_eq!(classify(newsletter), Classified::Other);
}

#[test]
fn a_report_names_recipient_status_class_and_original() {
    let found = json(
        "
From: MAILER-DAEMON@mx.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

failed
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ann@example.org
Original-Recipient: rfc822;sales@example.org
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; 550 5.1.1 <ann@example.org>: Recipient address rejected:
    User unknown in virtual mailbox table

Final-Recipient: rfc822; bob@example.org
Action: delayed
Status: 4.4.1
Diagnostic-Code: smtp; connect to mx: Connection timed out
--b
Content-Type: text/rfc822-headers

Message-ID: <77@relance.example>
Subject: Offer
--b--
",
    );
    assert_eq!(found["kind"], "bounce");
    assert_eq!(found["recipient"], "ann@example.org");
    assert_eq!(found["status"], "5.1.1");
    assert_eq!(found["class"], "hard");
    assert_eq!(found["reason"], "user_unknown");
    assert_eq!(found["original_recipient"], "sales@example.org");
    assert_eq!(found["original_message_id"], "77@relance.example");
    assert_eq!(found["recipients"][1]["class"], "delay");
    assert_eq!(found["recipients"][1]["action"], "delayed");
}

#[test]
fn a_person_forwarding_a_bounce_is_not_a_bounce() {
    let found = classify(
        "
From: Jane <jane@example.com>
To: bob@example.net
Subject: Fwd: Undelivered Mail Returned to Sender
In-Reply-To: <1@x>

Bob, your address did not work, see below.

---------- Forwarded message ---------
From: Mail Delivery System <MAILER-DAEMON@example.com>
Subject: Undelivered Mail Returned to Sender

<bob@example.ne>: Host or domain name not found
",
    );
    assert_eq!(found.kind(), "reply");
}

#[test]
fn live_answers_are_judged_like_bounces_but_never_hard_when_temporary() {
    let rules = corpora::rules();
    let verdict = smtp_reply::classify(rules, Some(550), "5.1.1 User unknown");
    assert_eq!(verdict.class, BounceClass::Hard);
    let verdict = smtp_reply::classify(rules, Some(450), "4.1.1 User unknown, try later");
    assert_eq!(verdict.class, BounceClass::Soft);
    let verdict = smtp_reply::classify(rules, Some(552), "Mailbox full");
    assert_eq!(
        (verdict.reason.name(), verdict.status.to_string().as_str()),
        ("mailbox_full", "5.2.2")
    );
    let verdict = smtp_reply::classify(rules, Some(554), "5.7.1 Blocked, see zen.spamhaus.org");
    assert_eq!(verdict.class, BounceClass::Block);
}

#[test]
fn all_problems_of_the_rules_are_told_at_once() {
    let bounces = include_str!("../../../../assets/rules/bounces.toml")
        .replace("bounce-rules/1", "bounce-rules/9")
        .replace("name = \"moved\"", "name = \"vanished\"");
    let replies =
        include_str!("../../../../assets/rules/replies.toml").replace("'^--\\s*$'", "'^(--$'");
    let problem = InboundRules::from_toml(&bounces, &replies).expect_err("refused");
    let told = problem.to_string();
    for part in ["bounce-rules/9", "vanished", "reply.signature"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_notice_in_two_languages_tells_each_recipient_s_own_story() {
    let story = "  full@example.jp\n    SMTP error after RCPT TO:<full@example.jp>:\n    550 5.2.2 <full@example.jp>... Mailbox Full\n\
         \x20 gone@example.jp\n    SMTP error after RCPT TO:<gone@example.jp>:\n    550 5.1.1 <gone@example.jp>... User Unknown\n";
    let found = json(&format!(
        "From: mailer-daemon@corp.example\nReturn-Path: <>\nTo: me@our.example\nSubject: Mail failure\n\
         Content-Type: text/plain; charset=utf-8\n\nВаше письмо не может быть доставлено:\n{story}\n****\n\
         A message that you sent could not be delivered. The following addresses failed:\n{story}"
    ));
    assert_eq!(found["kind"], "bounce");
    let recipients = found["recipients"].as_array().expect("a list");
    let told: Vec<(&str, &str)> = recipients
        .iter()
        .filter_map(|one| Some((one["recipient"].as_str()?, one["reason"].as_str()?)))
        .collect();
    assert_eq!(
        told,
        [
            ("full@example.jp", "mailbox_full"),
            ("gone@example.jp", "user_unknown")
        ]
    );
}

#[test]
fn a_code_that_says_the_mailbox_exists_outweighs_the_words() {
    let report = |diagnostic: &str, status: &str| {
        json(&format!(
            "From: postmaster@mx.example\nReturn-Path: <>\nTo: me@our.example\nSubject: Undeliverable\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nIt could not be delivered.\n\
             --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@example.jp\n\
             Action: failed\nStatus: {status}\nDiagnostic-Code: smtp; {diagnostic}\n\n--b--\n"
        ))
    };
    let found = report("550 5.2.1 <a@example.jp>... User Unknown", "5.2.1");
    assert_eq!(
        (found["class"].as_str(), found["reason"].as_str()),
        (Some("soft"), Some("mailbox_disabled"))
    );
    let found = report(
        "550 5.2.1 User Unknown (in reply to RCPT TO command)",
        "5.2.1",
    );
    assert_eq!(
        (found["class"].as_str(), found["reason"].as_str()),
        (Some("hard"), Some("user_unknown"))
    );
    let found = report("Host unknown; delivery was aborted after 5 hours", "5.0.0");
    assert_eq!(
        (found["class"].as_str(), found["reason"].as_str()),
        (Some("soft"), Some("expired"))
    );
}

#[test]
fn signed_names_and_footers_of_servers_are_none_of_the_text() {
    for (body, expected) in [
        ("We agree.\n\n— Ann Smith", "We agree."),
        ("Låter bra!\n\n/John", "Låter bra!"),
        (
            "Please ship:\n- pump\n- Valve",
            "Please ship:\n- pump\n- Valve",
        ),
        (
            "Согласны.\n\nНастоящее сообщение предназначено только адресату и содержит конфиденциальную информацию.",
            "Согласны.",
        ),
        (
            "Ja, gerne.\n\nDiese E-Mail kann vertrauliche Informationen enthalten. Wenn Sie nicht der Empfänger sind, löschen Sie sie.",
            "Ja, gerne.",
        ),
        (
            "Fine.\n\nDisclaimer\nThe information contained in this e-mail is confidential.",
            "Fine.",
        ),
        (
            "Fine.\n\nOn Nov 21, 2014,\nat 10:18,\nJohn Doe <john@doe.example> wrote:\n\n> Our offer",
            "Fine.",
        ),
    ] {
        let found = json(&format!(
            "From: a@example.com\nSubject: Re: offer\nIn-Reply-To: <1@x>\nContent-Type: text/plain; charset=utf-8\n\n{body}"
        ));
        assert_eq!(found["text"], expected);
    }
}
