//! An answer that is seen before what it answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_core::event::names;
use relance_core::ids::{EventName, MailboxId, TouchpointId};
use relance_core::journey::Holdout;
use relance_core::mail::{Address, DocumentFacts, Folder, MailClass, MailSeen};
use relance_core::policy::{Policy, ServiceExemption};
use relance_core::time::{Calendar, Zone};
use relance_core::world::{Needs, World};
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Dispatch, Dispatcher, Store};
use relance_engine::turn::Engine;
use relance_store::SqliteStore;

/// Nothing is sent here.
pub struct Nobody;

impl Dispatcher for Nobody {
    fn capacity(&self) -> usize {
        0
    }
    fn dispatch(&mut self, _messages: Vec<Dispatch>) {}
    fn revoke(&mut self, _id: TouchpointId) {}
    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

pub fn engine() -> Engine<SqliteStore, Nobody> {
    let policy = Policy {
        zone: Zone::utc(),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: Default::default(),
        caps: Vec::new(),
        opt_in_topics: BTreeSet::new(),
        internal_domains: BTreeSet::from(["shop.test".to_owned()]),
        freemail_domains: BTreeSet::from(["gmail.test".to_owned()]),
        trait_types: relance_core::typed::TraitTypes::new(),
        approval_expiry: "7d".parse().expect("a delay"),
        service: ServiceExemption::ALL,
        holdout: Holdout::default(),
    };
    let store = SqliteStore::open_in_memory().expect("a store");
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    Engine::new(store, Nobody, World::new(policy, 1), title).expect("an engine")
}

pub fn at(text: &str) -> Timestamp {
    format!("2026-03-02T{text}Z").parse().expect("a moment")
}

fn person(email: &str) -> Address {
    Address {
        email: email.to_owned(),
        name: None,
    }
}

fn reply(from: &str, answers: &[&str], when: &str) -> MailSeen {
    MailSeen {
        mailbox: MailboxId::from("boris@shop.test"),
        folder: Folder::Inbox,
        message_id: format!("reply-of-{from}"),
        references: answers.iter().map(ToString::to_string).collect(),
        from: Some(person(from)),
        to: vec![person("boris@shop.test")],
        at: at(when),
        subject: "Re: Offer".to_owned(),
        touchpoint: None,
        numbers: Vec::new(),
        class: MailClass::Reply {
            text: "No, thank you".to_owned(),
            said: relance_core::mail::Said::default(),
        },
    }
}

fn offer(when: &str) -> MailSeen {
    MailSeen {
        mailbox: MailboxId::from("anna@shop.test"),
        folder: Folder::Sent,
        message_id: "offer-1".to_owned(),
        references: Vec::new(),
        from: Some(person("anna@shop.test")),
        to: vec![person("ana@client.test")],
        at: at(when),
        subject: "Offer".to_owned(),
        touchpoint: None,
        numbers: Vec::new(),
        class: MailClass::Document(Box::new(DocumentFacts {
            kind: "offer".to_owned(),
            number: None,
            amount: None,
            currency: None,
            issued: None,
            due: None,
            ..DocumentFacts::default()
        })),
    }
}

/// How often the client of the offer is known to have replied, after mails seen in this order.
fn replies(mails: Vec<MailSeen>) -> usize {
    let mut engine = engine();
    for (minute, mail) in mails.into_iter().enumerate() {
        let arrival = Arrival::Mail(Box::new(mail));
        let now = at(&format!("12:{minute:02}:00"));
        engine.turn(&[&arrival], now).expect("a turn");
    }
    let store = engine.store();
    let client = store
        .find(&Identity::email("ana@client.test"))
        .expect("a look");
    let client = client.expect("the client is known");
    let mut snapshot = store.load(&[client]).expect("loaded").remove(0);
    let name = EventName::from(names::REPLIED);
    let needs = Needs {
        history: BTreeSet::from([name.clone()]),
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loaded");
    snapshot.history.of(&name).count()
}

#[test]
fn an_answer_seen_before_its_document_is_not_forgotten() {
    let early = reply("somebody@elsewhere.test", &["offer-1"], "11:00:00");
    assert_eq!(replies(vec![early, offer("10:00:00")]), 1);
    let colleague = reply("bob@client.test", &[], "11:00:00");
    assert_eq!(replies(vec![colleague, offer("10:00:00")]), 1);
}

#[test]
fn a_stranger_is_no_answer_and_an_answer_counts_once() {
    let stranger = reply("somebody@gmail.test", &[], "11:00:00");
    assert_eq!(replies(vec![stranger, offer("10:00:00")]), 0);
    let answer = reply("ana@client.test", &["offer-1"], "11:00:00");
    assert_eq!(replies(vec![answer.clone(), offer("10:00:00"), answer]), 1);
}
