//! A mailbox that cannot be read, played through on a real Dovecot: what people are told, how often, and what becomes of
//! the reminders that wait for it.
//!
//! The workspace runs inside the test.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use relance::mailbox::alert;
use relance_engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::daemon::dovecot::Dovecot;
use crate::daemon::{PASSWORD, User};
use crate::mailboxes::{ANNA, House, mail, servers};
use crate::server::until;

const SENDER: &str = "address = \"desk@shop.test\"\ndelivery = \"outbox\"\n";
const CLIENT: &str = "ivan@client.test";
const MAILBOX: &str = "/api/v1/mailboxes/anna@shop.test";

/// Mails that were laid into the outbox, as text.
fn letters(house: &House) -> Vec<String> {
    let folder = std::fs::read_dir(house.data.path().join("outbox"));
    let files = folder.into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<_> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "eml"))
        .collect();
    names.sort();
    let read = |path| String::from_utf8_lossy(&std::fs::read(path).expect("a letter")).into_owned();
    names.into_iter().map(read).collect()
}

/// Looks at mailboxes as the program does each minute, at a later hour.
fn look(house: &House, later: SignedDuration) {
    let now = SystemClock.now() + later;
    house.runtime.block_on(alert::look(&house.workspace, now));
}

fn overview(house: &House) -> Value {
    let overview = house
        .ask("GET", "/api/v1/overview", &house.admin, None)
        .json();
    overview["mailboxes"][ANNA].clone()
}

#[test]
fn a_password_changed_at_night_is_told_once_and_costs_no_mail_and_no_storm_of_logins() {
    let Some(mut dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    let house = House::open(&dovecot, SENDER);
    let body = json!({ "imap": servers(&dovecot), "password": PASSWORD, "name": "Anna" });
    house.call("PUT", MAILBOX, &body);
    house.wait_state(ANNA, "live");
    assert_eq!(overview(&house)["state"], "live");
    look(&house, SignedDuration::ZERO);
    assert_eq!(letters(&house), Vec::<String>::new(), "nothing is wrong");

    // Somebody changes it at the provider; a reply comes in the night.
    dovecot.set_password(ANNA, "another");
    dovecot.kick(ANNA);
    let refused = house.wait_state(ANNA, "login_refused");
    assert_eq!(refused["failure"]["code"], "password_refused");
    dovecot.deliver(ANNA, "INBOX", &mail("night"));
    let told = overview(&house);
    assert_eq!(
        (&told["state"], &told["code"]),
        (&json!("login_refused"), &json!("password_refused"))
    );
    assert!(
        told["since"].is_string() && told["failure"].is_string(),
        "{told}"
    );

    // Nobody makes a password right by asking: neither the clock nor people do.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        house.call("POST", &format!("{MAILBOX}/sync"), &json!({}));
        std::thread::sleep(Duration::from_millis(100));
    }
    let logins = dovecot.refused_logins();
    assert!((1..=2).contains(&logins), "{logins} logins were refused");

    // People are told when it lasts, once: the admin here, as Anna is no user.
    look(&house, SignedDuration::from_mins(5));
    assert_eq!(letters(&house).len(), 0, "not at once");
    for minute in 31..40 {
        look(&house, SignedDuration::from_mins(minute));
    }
    let written = letters(&house);
    assert_eq!(written.len(), 1, "{written:#?}");
    assert!(
        written[0].contains("To: ") && written[0].contains("olga@shop.test"),
        "{}",
        written[0]
    );
    assert!(
        written[0].contains("Relance cannot read anna@shop.test"),
        "{}",
        written[0]
    );

    // The new one is entered: it goes on where it stood, and that is told once too.
    house.call("PUT", MAILBOX, &json!({ "password": "another" }));
    house.wait_state(ANNA, "live");
    until("the reply of the night", || {
        (house.mailbox(ANNA)["seen"] == 1).then_some(())
    });
    assert_eq!(overview(&house)["code"], Value::Null);
    for _ in 0..3 {
        look(&house, SignedDuration::ZERO);
    }
    let written = letters(&house);
    assert_eq!(written.len(), 2, "{written:#?}");
    assert!(
        written[1].contains("Relance reads anna@shop.test again"),
        "{}",
        written[1]
    );
    assert_eq!(dovecot.seen(ANNA, "INBOX"), 0);
}

const JOURNEY: &str = "\
format: journey/1
id: offer
name: Offer without a reply
subject: document
trigger:
  event: Document Sent
  where: { subject.kind: offer }
reentry: once_per_subject
exit:
  - { event: Replied }
steps:
  - wait: 1s
  - send: email
    template: remind
";

fn offer() -> Vec<u8> {
    format!(
        "From: Anna <{ANNA}>\r\nTo: <{CLIENT}>\r\nSubject: Commercial offer No. KP-7\r\nMessage-ID: <offer-7@shop.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Dear customer,\r\n\r\nas agreed, here is our commercial offer No. KP-7 for two pumps with delivery.\r\n\r\nTotal: 120,000.00 EUR\r\n\r\nKind regards,\r\nAnna\r\n"
    )
    .into_bytes()
}

fn page(house: &House) -> Value {
    house
        .ask("GET", "/api/v1/mailboxes", &house.admin, None)
        .json()
}

/// An offer was sent, its reminder is due, and its mailbox is removed.
fn removed(dovecot: &Dovecot) -> House {
    let house = House::open(dovecot, SENDER);
    let scenario = json!({ "journeys": { "offer.yaml": JOURNEY }, "templates": { "remind.txt": "---\nsubject: A reminder\n---\nDo you have questions?\n" } });
    house.call("POST", "/api/v1/scenario", &scenario);
    let body = json!({ "imap": servers(dovecot), "password": PASSWORD });
    house.call("PUT", MAILBOX, &body);
    house.wait_state(ANNA, "live");
    let refused = house.ask(
        "POST",
        &format!("{MAILBOX}/forget"),
        &house.admin,
        Some(&json!({ "waiting": "go_on" })),
    );
    assert_eq!(
        (refused.status, &*refused.problem()),
        (409, "mailbox_connected")
    );
    dovecot.deliver(ANNA, "Sent", &offer());
    until("the reminder is held", || {
        (house.mailbox(ANNA)["waiting"] == 1).then_some(())
    });
    house.call("DELETE", MAILBOX, &json!({}));
    assert_eq!(page(&house)["items"], json!([]));
    let gone = page(&house)["gone"].clone();
    assert_eq!(gone[0]["address"], ANNA);
    assert_eq!(
        (&gone[0]["waiting"], &gone[0]["exact"]),
        (&json!(1), &json!(true))
    );
    house
}

fn forget(house: &House, waiting: &str) {
    let path = format!("{MAILBOX}/forget");
    let wrong = house.ask(
        "POST",
        &path,
        &house.admin,
        Some(&json!({ "waiting": "perhaps" })),
    );
    assert_eq!((wrong.status, &*wrong.problem()), (422, "bad_mailbox"));
    house.call("POST", &path, &json!({ "waiting": waiting }));
    assert!(
        house
            .audit()
            .iter()
            .any(|action| action == "mailbox.forget")
    );
    until("nothing waits for it", || {
        (page(house)["gone"] == json!([])).then_some(())
    });
}

/// How the only reminder ended.
fn ended(house: &House, list: &str) -> Option<Value> {
    let page = house.ask(
        "GET",
        &format!("/api/v1/touchpoints?state={list}"),
        &house.admin,
        None,
    );
    let items = page.json()["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().next()
}

#[test]
fn what_waits_for_a_removed_mailbox_goes_on_when_a_person_says_so() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    let house = removed(&dovecot);
    forget(&house, "go_on");
    let reminders = until("the reminder", || {
        Some(letters(&house)).filter(|all| !all.is_empty())
    });
    assert!(
        reminders.len() == 1 && reminders[0].contains("A reminder"),
        "{reminders:#?}"
    );

    // Connected anew, it is read anew.
    let body = json!({ "imap": servers(&dovecot), "password": PASSWORD });
    house.call("PUT", MAILBOX, &body);
    house.wait_state(ANNA, "live");
    assert_eq!(page(&house)["gone"], json!([]));
}

#[test]
fn what_waits_for_a_removed_mailbox_is_left_out_when_a_person_says_so() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    let house = removed(&dovecot);
    forget(&house, "leave_out");
    let dropped = until("its end", || ended(&house, "dropped"));
    assert!(
        dropped.to_string().contains("mailbox_not_synced"),
        "{dropped}"
    );
    assert_eq!(letters(&house), Vec::<String>::new());
}
