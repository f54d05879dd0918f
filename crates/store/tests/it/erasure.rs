//! Whoever was erased stays forgotten, by whatever way something comes for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::{Contact, Identity};
use relance_core::event::{Event, names};
use relance_core::ids::{ContactId, EventName};
use relance_core::mail::{Address, DocumentFacts, Folder, MailClass, MailSeen};
use relance_core::world::{Needs, World};
use relance_engine::arrival::Arrival;
use relance_engine::ports::Store;
use relance_engine::turn::Engine;
use relance_store::SqliteStore;

use super::support::{Nobody, at, engine, policy};

const ANA: &str = "ana@client.test";
const BOB: &str = "bob@client.test";

fn person(email: &str) -> Address {
    Address {
        email: email.to_owned(),
        name: Some("A Person".to_owned()),
    }
}

fn mail(folder: Folder, from: &str, to: &str, class: MailClass, when: Timestamp) -> MailSeen {
    MailSeen {
        mailbox: "boris@shop.test".into(),
        folder,
        message_id: format!("{}-{}-{when}", from.len(), to.len()),
        references: Vec::new(),
        from: Some(person(from)),
        to: vec![person(to)],
        at: when,
        subject: "Offer to Ana".to_owned(),
        touchpoint: None,
        numbers: Vec::new(),
        class,
    }
}

fn offer(to: &str, when: Timestamp) -> Arrival {
    let class = MailClass::Document(Box::new(DocumentFacts {
        kind: "offer".to_owned(),
        // One number sent to two people of one company would be one document.
        number: Some(format!("7 for {to}")),
        amount: None,
        currency: None,
        issued: None,
        due: None,
        ..DocumentFacts::default()
    }));
    Arrival::Mail(Box::new(mail(
        Folder::Sent,
        "boris@shop.test",
        to,
        class,
        when,
    )))
}

fn reply(from: &str, when: Timestamp) -> Arrival {
    let text = "Ana speaking: no, thank you".to_owned();
    let class = MailClass::Reply {
        text,
        said: relance_core::mail::Said::default(),
    };
    Arrival::Mail(Box::new(mail(
        Folder::Inbox,
        from,
        "boris@shop.test",
        class,
        when,
    )))
}

type Machine = Engine<SqliteStore, Nobody>;

fn find(engine: &mut Machine, name: &Identity) -> Option<ContactId> {
    engine.store().find(name).expect("a look")
}

fn contact(engine: &mut Machine, email: &str) -> Contact {
    let id = find(engine, &Identity::email(email)).expect("known");
    engine.store().load(&[id]).expect("loads").remove(0).contact
}

/// What is kept of a name, legible.
fn kept(name: &Identity) -> String {
    format!(
        "{} backwards {}",
        name.kind.word(),
        name.value.chars().rev().collect::<String>()
    )
}

/// An engine that knows Ana and Bob of one company, and has forgotten Ana.
fn without_ana() -> Machine {
    let mut engine = engine(World::new(policy(), 1));
    engine.set_identity_hash(Arc::new(kept));
    let offers = [offer(ANA, at("10:00:00")), offer(BOB, at("10:00:01"))];
    let arrivals: Vec<&Arrival> = offers.iter().collect();
    engine.turn(&arrivals, at("10:01:00")).expect("a turn");
    let ana = contact(&mut engine, ANA);
    let erase = Arrival::Erase {
        contact: ana.id,
        by: "boss".to_owned(),
    };
    engine.turn(&[&erase], at("10:02:00")).expect("a turn");
    while engine.is_erasing() {
        engine.turn(&[], at("10:02:00")).expect("a turn");
    }
    assert_eq!(find(&mut engine, &Identity::email(ANA)), None);
    engine
}

fn events(engine: &mut Machine, email: &str, name: &str) -> Vec<Event> {
    let id = find(engine, &Identity::email(email)).expect("known");
    let mut snapshot = engine.store().load(&[id]).expect("loads").remove(0);
    let name = EventName::from(name);
    let needs = Needs {
        history: BTreeSet::from([name.clone()]),
        ..Needs::default()
    };
    let store = engine.store();
    store.load_needs(&mut snapshot, &needs).expect("loads");
    snapshot.history.of(&name).cloned().collect()
}

#[test]
fn a_mail_to_or_from_an_erased_person_makes_nobody() {
    let mut engine = without_ana();
    let again = offer(ANA, at("11:00:00"));
    let answer = reply(ANA, at("11:01:00"));
    engine
        .turn(&[&again, &answer], at("11:02:00"))
        .expect("a turn");
    assert_eq!(find(&mut engine, &Identity::email(ANA)), None);
    // It answers for the company, and nobody is told whose words they were.
    let heard = events(&mut engine, BOB, names::REPLIED);
    assert_eq!(heard.len(), 1);
    let told = format!("{:?}", heard[0].properties);
    for word in [ANA, "Ana speaking", "Offer to Ana"] {
        assert!(!told.contains(word), "{told}");
    }
}

#[test]
fn a_call_with_a_new_name_of_an_erased_person_happens_to_nobody() {
    let mut engine = without_ana();
    let call = |names: &[Identity]| Arrival::Event {
        identities: names.to_vec(),
        event: Arc::new(Event::track("Signed Up", at("11:00:00"))),
    };
    let (user, device) = (Identity::user("1"), Identity::anonymous("x"));
    let bob = Identity::email(BOB);
    let calls = [
        call(&[user.clone(), Identity::email(ANA), device.clone()]),
        call(&[bob.clone(), Identity::anonymous("y")]),
    ];
    let calls: Vec<&Arrival> = calls.iter().collect();
    let summary = engine.turn(&calls, at("11:00:00")).expect("a turn");
    assert_eq!(summary.of_erased, 1);
    for name in [user.clone(), device, Identity::email(ANA)] {
        assert_eq!(find(&mut engine, &name), None);
    }
    // The call beside it is Bob's.
    assert_eq!(events(&mut engine, BOB, "Signed Up").len(), 1);
    assert!(find(&mut engine, &Identity::anonymous("y")).is_some());
    // On their own wish they may come back.
    let readmitted = Arrival::Readmit(vec![kept(&Identity::email(ANA))]);
    engine.turn(&[&readmitted], at("11:01:00")).expect("a turn");
    let back = call(&[user.clone(), Identity::email(ANA)]);
    engine.turn(&[&back], at("11:02:00")).expect("a turn");
    assert!(find(&mut engine, &user).is_some());
}
