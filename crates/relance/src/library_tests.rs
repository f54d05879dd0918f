//! From a client's words to what follows: mails in three languages are read by the program's rules, told as core tells
//! them, and played against the ready-made journeys.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use relance_core::contact::Contact;
use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::{ContactId, MailboxId, SubjectRef};
use relance_core::journey::Moves;
use relance_core::mail::{Acquaintance, Folder, Whom, interpret};
use relance_core::play::{Play, Seen};
use relance_core::policy::Policy;
use relance_core::subject::ObjectPatch;
use relance_core::world::World;

use super::*;
use crate::config::Config;
use crate::examine::{Rules, examine};

const ANA: ContactId = ContactId(1);

/// Ana, whom an invoice or an offer of 1 December was sent to.
struct Desk {
    play: Play,
    policy: Policy,
    rules: Rules,
    zone: TimeZone,
    mails: u32,
    lines: Vec<String>,
}

impl Desk {
    fn new(kind: &str, due: &str) -> Self {
        let text = "[workspace]\nname = \"Us\"\nzone = \"Europe/Berlin\"\n\
            internal_domains = [\"us.test\"]\n";
        let config = Config::parse(text).unwrap();
        let policy = crate::policy::policy(&config).unwrap();
        let mut world = World::new(policy.clone(), 1);
        for item in &bundled().unwrap().items {
            for text in item.journeys.values() {
                let mut journey = relance_wire::journey::publish(text, 1).unwrap();
                journey.holdout.permille = 0;
                world.add_journey(Arc::new(journey), Moves::Pin, true);
            }
        }
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let mut desk = Self {
            play: Play::new(world),
            policy,
            rules: Rules::bundled().unwrap(),
            zone,
            mails: 0,
            lines: Vec::new(),
        };
        let start = desk.at("2026-12-01T10:00");
        desk.play.pass(start, &mut |_, _, _| {});
        let mut contact = Contact::new(ANA, start);
        let traits = [("email", "ana@client.test"), ("name", "Ana")];
        for (name, value) in traits {
            contact.traits.insert(name.to_owned(), value.into());
        }
        desk.play.add(contact);
        let fields = serde_json::json!({ "kind": kind, "number": "18", "due": due });
        let mut event = Event::track("Document Sent", start);
        event.subject = Some(document());
        event.objects = vec![ObjectPatch {
            subject: document(),
            fields: fields.as_object().unwrap().clone(),
        }];
        desk.happens(event);
        desk
    }

    fn at(&self, local: &str) -> Timestamp {
        let local: jiff::civil::DateTime = local.parse().unwrap();
        local.to_zoned(self.zone.clone()).unwrap().timestamp()
    }

    fn happens(&mut self, event: Event) {
        let Self {
            play, lines, zone, ..
        } = self;
        let input = Input::Event(Arc::new(event));
        play.input(ANA, &input, &mut |at, _, seen| note(lines, zone, at, seen));
    }

    fn until(&mut self, local: &str) {
        let at = self.at(local);
        let Self {
            play, lines, zone, ..
        } = self;
        play.pass(at, &mut |at, _, seen| note(lines, zone, at, seen));
    }

    /// A mail of Ana's in the document's thread.
    fn mail(&mut self, local: &str, headers: &str, text: &str) {
        self.until(local);
        let at = self.at(local);
        self.mails += 1;
        let bytes = format!(
            "From: Ana <ana@client.test>\r\nTo: sales@us.test\r\nSubject: Re: Document 18\r\n\
             Message-ID: <m{}@client.test>\r\nIn-Reply-To: <d1@us.test>\r\nDate: {}\r\n{headers}\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
            self.mails,
            jiff::fmt::rfc2822::to_string(&at.to_zoned(self.zone.clone())).unwrap(),
        );
        let examined = examine(bytes.as_bytes(), &self.rules).unwrap();
        let mailbox = MailboxId::from("sales@us.test");
        let seen = examined.see(&mailbox, Folder::Inbox, at, String::new());
        let known = Acquaintance {
            threads: vec![(ANA, Some(document()))],
            person: Some(ANA),
            ..Acquaintance::default()
        };
        for (whom, event) in interpret(&seen, &known, &self.policy).events {
            assert_eq!(whom, Whom::Contact(ANA));
            self.happens(event);
        }
    }
}

fn document() -> SubjectRef {
    SubjectRef {
        kind: "document".into(),
        id: "d1@us.test".into(),
    }
}

fn note(lines: &mut Vec<String>, zone: &TimeZone, at: Timestamp, seen: &Seen) {
    let told = match seen {
        Seen::WouldSend(message) => message.template.to_string(),
        Seen::Ledger(line) => match line.what.word() {
            word @ ("task" | "exited" | "unsubscribed") => word.to_owned(),
            _other => return,
        },
        Seen::Turned { .. } => return,
    };
    let day = at.to_zoned(zone.clone()).strftime("%m-%d");
    lines.push(format!("{day} {told}"));
}

#[test]
fn a_promise_is_waited_for_and_brought_to_mind_in_three_languages() {
    for text in [
        "Hello Emma,\r\n\r\nwe will pay by 18 December.\r\n\r\nBest regards\r\nAna",
        "Здравствуйте!\r\n\r\nОплатим до 18 декабря.\r\n\r\nС уважением,\r\nАнна",
        "お世話になっております。\r\n\r\n12月18日にお振込みいたします。\r\n\r\n山田",
    ] {
        let mut desk = Desk::new("invoice", "2026-12-15");
        desk.mail("2026-12-15T12:00", "", text);
        desk.until("2027-02-01T00:00");
        let expected = [
            "12-10 invoice-before-due",
            "12-15 invoice-due-day",
            "12-15 exited",
            "12-22 invoice-promise-passed",
            "12-25 task",
        ];
        assert_eq!(desk.lines, expected, "{text}");
    }
}

#[test]
fn a_later_is_asked_about_again_in_three_languages() {
    for text in [
        "Hello Emma,\r\n\r\nplease come back to us in February.\r\n\r\nAna",
        "Добрый день!\r\n\r\nНапишите нам в феврале, пожалуйста.\r\n\r\nАнна",
        "お世話になっております。\r\n\r\n2月に改めてご連絡ください。\r\n\r\n山田",
    ] {
        let mut desk = Desk::new("offer", "2026-12-31");
        desk.mail("2026-12-07T12:00", "", text);
        desk.until("2027-03-01T00:00");
        let expected = [
            "12-04 offer-reminder-1",
            "12-07 exited",
            "02-01 offer-again",
            "02-05 task",
        ];
        assert_eq!(desk.lines, expected, "{text}");
    }
}

#[test]
fn a_wish_in_words_is_the_end_in_three_languages() {
    for text in [
        "Please stop sending me these emails.",
        "Пожалуйста, больше мне не пишите.",
        "今後、メールの配信を停止してください。",
    ] {
        let mut desk = Desk::new("offer", "2026-12-31");
        desk.mail("2026-12-02T12:00", "", text);
        desk.until("2027-03-01T00:00");
        let expected = ["12-02 exited", "12-02 unsubscribed", "12-02 task"];
        assert_eq!(desk.lines, expected, "{text}");
    }
}

#[test]
fn machines_that_answer_every_reminder_change_nothing() {
    for (headers, text) in [
        (
            "Auto-Submitted: auto-replied\r\n",
            "Thank you for your message. We will answer within two days.",
        ),
        (
            "Precedence: auto_reply\r\nX-Autoreply: yes\r\n",
            "Спасибо за ваше письмо! Мы ответим в течение двух дней.",
        ),
        (
            "X-Auto-Response-Suppress: All\r\nAuto-Submitted: auto-generated\r\n",
            "お問い合わせありがとうございます。二営業日以内にご返信いたします。",
        ),
    ] {
        let mut desk = Desk::new("offer", "2026-12-31");
        for day in ["02T10:01", "04T10:01", "10T10:01", "10T10:02", "18T10:01"] {
            desk.mail(&format!("2026-12-{day}"), headers, text);
        }
        desk.until("2027-03-01T00:00");
        let expected = [
            "12-04 offer-reminder-1",
            "12-10 offer-reminder-2",
            "12-18 offer-reminder-3",
            "12-22 task",
        ];
        assert_eq!(desk.lines, expected, "{text}");
    }
}
