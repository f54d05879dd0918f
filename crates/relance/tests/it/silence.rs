//! Form A: silence triggers. A salesperson's offer, the client's silence, reminders in the thread, and
//! everything that must stop them; with real mail servers and the real program.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use relance_core::event::names;
use serde_json::{Value, json};

use crate::daemon::User;
use crate::daemon::dkim::Key;
use crate::office::{ANNA, Office, Plan, header, letter, parsed, told};

fn moment(line: &Value, field: &str) -> Timestamp {
    let text = line[field].as_str().unwrap_or_default();
    text.parse()
        .unwrap_or_else(|error| panic!("{field} of {line}: {error}"))
}

/// How long ago a moment of the ledger was.
fn since(line: &Value, field: &str) -> Duration {
    let ago = Timestamp::now().duration_since(moment(line, field));
    ago.try_into().unwrap_or_default()
}

/// The words of a reminder in each language.
const CLIENTS: [(&str, Option<&str>, &str); 3] = [
    ("ivan@english.test", None, "coming back to our offer"),
    (
        "olga@russian.test",
        Some("ru"),
        "Возвращаюсь к нашему предложению",
    ),
    ("taro@japanese.test", Some("ja"), "お見積り"),
];

#[test]
fn silence_brings_a_signed_reminder_in_the_thread_and_a_reply_stops_the_second() {
    let key = Key::create();
    let mut plan = Plan::new(CLIENTS.map(|(email, ..)| User::new(email)).to_vec());
    plan.wait = "3s";
    plan.config = format!(
        "[[dkim]]\ndomain = \"shop.test\"\nselector = \"tests\"\nkey_file = \"{}\"\n",
        key.private().display()
    );
    let Some(mut office) = Office::start(plan) else {
        return;
    };
    office.wait_watched();
    for (email, language, _) in CLIENTS {
        if let Some(language) = language {
            office.identify(email, language);
        }
    }
    let begun = Instant::now();
    let offers = CLIENTS.map(|(email, ..)| office.offer(email));
    for (offer, (email, _, words)) in offers.iter().zip(CLIENTS) {
        let document = office.document(offer);
        told("offer in the registry", begun);
        let fields = &document["fields"];
        assert_eq!(fields["kind"], "offer");
        assert_eq!(fields["amount"], 120_000.0);
        assert_eq!(fields["currency"], "EUR");
        assert_eq!(fields["mailbox"], ANNA);
        let contact = office.contact(email);
        assert_eq!(document["contact"], contact.as_str());
        assert!(
            office
                .events(&contact)
                .contains(&names::DOCUMENT_SENT.to_owned())
        );

        let waiting = office.line(&contact, &[("what", "waiting")]);
        let deadline = moment(&waiting, "until");
        let reminders = office.wait_reminders(email, offer, 1);
        eprintln!(
            "reminder in the inbox {:?} after the deadline",
            since(&waiting, "until")
        );
        let sent = office.line(&contact, &[("what", "sent")]);
        assert!(moment(&sent, "at") >= deadline, "never early");

        let mail = parsed(&reminders[0]);
        assert_eq!(mail.subject, format!("Re: {}", offer.subject));
        assert!(mail.text.contains(words), "{}", mail.text);
        assert_eq!(mail.from[0].email, ANNA);
        assert_eq!(mail.from[0].name, "Anna Sergeeva");
        let references = header(&reminders[0], "References").expect("references");
        assert!(references.contains(&offer.id), "{references}");
        let signed = key.verify(&reminders[0]).expect("a good signature");
        for name in [
            "from",
            "to",
            "subject",
            "message-id",
            "in-reply-to",
            "references",
        ] {
            assert!(
                signed.iter().any(|own| own == name),
                "{name} is not signed: {signed:?}"
            );
        }
        // The copy in Sent: once.
        let id = header(&reminders[0], "Message-ID");
        let copies = || {
            let filed = office.dovecot.list(ANNA, "Sent");
            filed
                .iter()
                .filter(|mail| header(mail, "Message-ID") == id)
                .count()
        };
        office.wait("a copy in Sent", || (copies() > 0).then_some(()));
        assert_eq!(copies(), 1);
    }

    // The first answers the reminder, not the offer.
    let (email, ..) = CLIENTS[0];
    let contact = office.contact(email);
    let reminder = office.reminders(email, &offers[0]).remove(0);
    let answered = crate::office::Sent {
        id: header(&reminder, "Message-ID")
            .expect("an id")
            .trim_matches(['<', '>'])
            .to_owned(),
        subject: parsed(&reminder).subject,
    };
    let replied = Instant::now();
    office.write(email, Some(&answered), "Thank you, we take both pumps.");
    let exited = office.line(&contact, &[("what", "exited")]);
    told("reply ended the run", replied);
    assert_eq!(exited["reason"], "exit_event");
    assert_eq!(exited["detail"], names::REPLIED);
    // The others receive their second reminder.
    for (offer, (email, ..)) in offers.iter().zip(CLIENTS).skip(1) {
        office.wait_reminders(email, offer, 2);
        let contact = office.contact(email);
        office.line(&contact, &[("what", "finished")]);
    }
    assert_eq!(office.reminders(email, &offers[0]).len(), 1);
    // Our own reminders in Sent are no documents.
    assert_eq!(office.items("/api/v1/documents").len(), 3);
    office.stop_program();
}

#[test]
fn silence_is_broken_by_another_address_and_by_a_colleague_but_not_by_a_stranger() {
    let (petr, olga, ivan) = ("petr@alpha.test", "olga@beta.test", "ivan@gmail.com");
    let clients = [petr, olga, ivan].map(User::new).to_vec();
    let Some(office) = Office::start(Plan {
        wait: "4s",
        ..Plan::new(clients)
    }) else {
        return;
    };
    office.wait_watched();
    let [to_petr, _, to_ivan] = [petr, olga, ivan].map(|email| {
        let offer = office.offer(email);
        office.document(&offer);
        offer
    });
    let replied = Instant::now();
    office.write(
        "petr.home@elsewhere.test",
        Some(&to_petr),
        "Writing from home: yes, please.",
    );
    office.write(
        "director@beta.test",
        None,
        "Olga is ill. I decide about the pumps now.",
    );
    office.write("stranger@gmail.com", None, "Do you repair bicycles?");
    for email in [petr, olga] {
        let contact = office.contact(email);
        let exited = office.line(&contact, &[("what", "exited")]);
        told("an answer ended the run", replied);
        assert_eq!(exited["detail"], names::REPLIED);
    }
    office.wait_reminders(ivan, &to_ivan, 1);
    for email in [petr, olga] {
        assert_eq!(
            office.dovecot.list(email, "INBOX").len(),
            1,
            "the offer alone"
        );
    }
    let contact = office.contact(ivan);
    assert!(!office.events(&contact).contains(&names::REPLIED.to_owned()));
}

#[test]
fn a_reminder_waits_for_whoever_says_when_they_are_back() {
    let client = User::vacation_ja("taro@japanese.test");
    let email = client.address.clone();
    let Some(office) = Office::start(Plan::new(vec![client])) else {
        return;
    };
    office.wait_watched();
    office.offer(&email);
    office
        .dovecot
        .wait_for(ANNA, "INBOX", 1, crate::office::PATIENCE);
    let contact = office.contact(&email);
    office.line(&contact, &[("what", "held"), ("reason", "away")]);
    assert!(!office.has_line(&contact, &[("what", "sent")]));
}

#[test]
fn silence_goes_on_after_an_out_of_office_answer() {
    let clients = [
        User::vacation_en("ivan@english.test"),
        User::vacation_ru("olga@russian.test"),
        User::vacation_ja("taro@japanese.test"),
    ];
    let emails = clients.clone().map(|user| user.address);
    let mut plan = Plan::new(clients.to_vec());
    plan.away = "ignore";
    let Some(office) = Office::start(plan) else {
        return;
    };
    office.wait_watched();
    let offers = emails.clone().map(|email| office.offer(&email));
    office
        .dovecot
        .wait_for(ANNA, "INBOX", 3, crate::office::PATIENCE);
    for (email, offer) in emails.iter().zip(&offers) {
        office.wait_reminders(email, offer, 2);
        let contact = office.contact(email);
        office.wait("the automatic answer", || {
            let events = office.events(&contact);
            assert!(!events.contains(&names::REPLIED.to_owned()), "{events:?}");
            events
                .contains(&names::AUTO_REPLIED.to_owned())
                .then_some(())
        });
        office.line(&contact, &[("what", "finished")]);
        assert!(!office.has_line(&contact, &[("what", "exited")]));
    }
}

/// Rule R1: what IDLE does not tell, the reading after the deadline finds.
#[test]
fn silence_is_not_believed_while_idle_is_dead() {
    let email = "ivan@client.test";
    let mut plan = Plan::new(vec![User::new(email)]);
    plan.wait = "5s";
    plan.through_proxy = true;
    let Some(office) = Office::start(plan) else {
        return;
    };
    office.wait_watched();
    let offer = office.offer(email);
    office.document(&offer);
    let contact = office.contact(email);
    let deadline = moment(&office.line(&contact, &[("what", "waiting")]), "until");
    office.proxy.as_ref().expect("a proxy").forget();
    let left = deadline.duration_since(Timestamp::now()) - jiff::SignedDuration::from_secs(1);
    std::thread::sleep(left.try_into().expect("the deadline is not near yet"));
    office.write(email, Some(&offer), "We take them.");
    let exited = office.line(&contact, &[("what", "exited")]);
    assert_eq!(exited["detail"], names::REPLIED);
    let at = moment(&exited, "at");
    assert!(at >= deadline, "IDLE was dead: {at}, {deadline}");
    eprintln!(
        "found out {:#} after the deadline",
        at.duration_since(deadline)
    );
    let held = [("what", "held"), ("reason", "mailbox_not_synced")];
    assert!(office.has_line(&contact, &held));
    assert!(!office.has_line(&contact, &[("what", "sent")]));
    assert_eq!(
        office.dovecot.list(email, "INBOX").len(),
        1,
        "the offer alone"
    );
}

#[test]
fn silence_is_not_believed_while_the_mailbox_cannot_be_read() {
    let (answers, keeps_silent) = ("ivan@alpha.test", "olga@beta.test");
    let clients = [answers, keeps_silent].map(User::new).to_vec();
    let Some(mut office) = Office::start(Plan {
        wait: "4s",
        ..Plan::new(clients)
    }) else {
        return;
    };
    office.wait_watched();
    let [answered, silent] = [answers, keeps_silent].map(|email| office.offer(email));
    office.document(&answered);
    office.document(&silent);
    let contacts = [answers, keeps_silent].map(|email| office.contact(email));
    office
        .dovecot
        .wait_for(keeps_silent, "INBOX", 1, crate::office::PATIENCE);
    office
        .dovecot
        .wait_for(answers, "INBOX", 1, crate::office::PATIENCE);
    office.dovecot.stop();
    for contact in &contacts {
        office.line(
            contact,
            &[("what", "held"), ("reason", "mailbox_not_synced")],
        );
    }
    assert_eq!(office.items("/api/v1/touchpoints?state=held").len(), 2);
    office.wait("the failure on the overview", || {
        office.mailbox()["failure"].as_str().map(drop)
    });
    assert_eq!(office.reminders(keeps_silent, &silent).len(), 0);

    // What the server had accepted before it went down.
    let reply = letter(answers, Some(&answered), "Yes, both.");
    office
        .dovecot
        .deliver_dated(ANNA, "INBOX", &reply, SystemTime::now());
    let back = Instant::now();
    office.dovecot.restart();
    let exited = office.line(&contacts[0], &[("what", "exited")]);
    told("the reply was found, since the server came back,", back);
    assert_eq!(exited["detail"], names::REPLIED);
    office.wait_reminders(keeps_silent, &silent, 1);
    told("the held reminder came, since the server came back,", back);
    assert_eq!(office.reminders(answers, &answered).len(), 0);
    assert_eq!(office.mailbox()["failure"], Value::Null);
}

#[test]
fn silence_puts_reminders_to_a_person_and_a_reply_withdraws_the_question() {
    let (agreed, replies) = ("ivan@alpha.test", "olga@beta.test");
    let clients = [agreed, replies].map(User::new).to_vec();
    let Some(office) = Office::start(Plan {
        approval: "owner",
        ..Plan::new(clients)
    }) else {
        return;
    };
    office.wait_watched();
    let [to_agreed, to_replies] = [agreed, replies].map(|email| office.offer(email));
    office.document(&to_agreed);
    office.document(&to_replies);
    let contacts = [agreed, replies].map(|email| office.contact(email));
    let questions = office.wait("two questions", || {
        Some(office.items("/api/v1/touchpoints")).filter(|asked| asked.len() == 2)
    });
    let question = questions
        .iter()
        .find(|question| question["contact"] == contacts[0].as_str())
        .expect("a question about the first");
    let id = question["id"].as_str().expect("an id");
    office.post(&format!("/api/v1/touchpoints/{id}/approve"), &json!({}));
    let approved = Instant::now();
    office.write(replies, Some(&to_replies), "Not this year.");
    let withdrawn = office.line(&contacts[1], &[("what", "withdrawn")]);
    assert_eq!(withdrawn["reason"], "exit_event");
    office.wait_reminders(agreed, &to_agreed, 1);
    told("the approved reminder came", approved);
    let line = office.line(&contacts[0], &[("what", "approved")]);
    assert_eq!(line["detail"], "api");
    assert_eq!(office.reminders(replies, &to_replies).len(), 0);
    // The second reminder of the first client is a question of its own.
    office.wait("the next question", || {
        let asked = office.items("/api/v1/touchpoints");
        (asked.len() == 1 && asked[0]["contact"] == contacts[0].as_str()).then_some(())
    });
}

#[test]
fn silence_of_an_address_that_does_not_exist_is_a_bounce() {
    // The company has a mailbox, the client has not.
    let clients = vec![User::new("reception@client.test")];
    let Some(office) = Office::start(Plan::new(clients)) else {
        return;
    };
    office.wait_watched();
    let gone = "gone@client.test";
    let offer = office.offer(gone);
    office.document(&offer);
    let contact = office.contact(gone);
    let bounces = office
        .dovecot
        .wait_for(ANNA, "INBOX", 1, crate::office::PATIENCE);
    assert!(String::from_utf8_lossy(&bounces[0]).contains("message/delivery-status"));
    let line = office.line(&contact, &[("what", "suppressed")]);
    assert_eq!(line["reason"], "hard_bounce");
    assert!(
        office
            .events(&contact)
            .contains(&names::EMAIL_BOUNCED.to_owned())
    );
    office.line(&contact, &[("what", "finished")]);
    let ledger = office.ledger(&contact);
    let dropped = ledger
        .iter()
        .filter(|line| line["what"] == "dropped" && line["reason"] == "suppressed")
        .count();
    assert_eq!(dropped, 2, "{ledger:#?}");
    assert!(!ledger.iter().any(|line| line["what"] == "sent"));
    let path = format!("/api/v1/contacts/{contact}");
    assert!(office.get(&path)["suppressed"].is_object());
}
