//! An account that changes: its other contacts hear of it, a few a turn, each once, over crashes.

use std::sync::Arc;

use relance_core::account::Account;
use relance_core::condition::Condition;
use relance_core::contact::{Channel, Identity};
use relance_core::event::{Event, EventKind};
use relance_core::ids::ContactId;
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Approval, Holdout, Journey, Moves, On, Reentry, Send, Sender, StepKind, Trigger, publish,
};
use relance_core::value::{FieldPath, Fields, Value};
use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Dispatcher, Store};
use relance_engine::turn::{Engine, Summary};
use serde_json::json;

use crate::orphans::{Nobody, at, engine};

/// Contacts of the account.
const PEOPLE: usize = 7;
/// Contacts that one turn tells.
const PAGE: usize = 3;

/// Begins for each contact whose account's plan changes, every time.
fn journey() -> Journey {
    let draft = JourneyDraft {
        id: "plan".into(),
        name: "Plan".to_owned(),
        subject: None,
        trigger: Trigger {
            on: On::Changed {
                path: FieldPath::parse("contact.account.plan", None).expect("a path"),
                from: None,
                to: None,
            },
            filter: Condition::All(Vec::new()),
        },
        reentry: Some(Reentry::Always),
        goal: None,
        exits: Vec::new(),
        holdout: Holdout::default(),
        approval: Approval::AUTO,
        topic: None,
        priority: 0,
        waits_for_absent: true,
        steps: vec![StepDraft {
            path: "steps[0]".to_owned(),
            id: None,
            late: None,
            kind: StepKind::Send {
                send: Send {
                    channel: Channel::Email,
                    template: "plan".into(),
                    from: Sender::Workspace,
                    approval: None,
                    when: None,
                    content: None,
                    digest: None,
                    opened_within: None,
                },
                otherwise: Vec::new(),
            },
        }],
    };
    publish(draft, 1).expect("a journey")
}

fn email(person: usize) -> String {
    format!("c{person}@acme.test")
}

fn group(person: usize, second: usize, traits: Value) -> Arrival {
    let mut event = Event::track("", at(&format!("12:00:{second:02}")));
    event.kind = EventKind::Group;
    let mut account = traits.as_object().cloned().expect("traits");
    account.insert("id".to_owned(), "acme".into());
    event.traits = Some(Fields::from_iter([("account".to_owned(), account.into())]));
    event.message_id = Some(format!("{person} {second}").into());
    Arrival::Event {
        identities: vec![Identity::email(&email(person))],
        event: Arc::new(event),
    }
}

fn tell<S: Store, D: Dispatcher>(
    engine: &mut Engine<S, D>,
    person: usize,
    second: usize,
    traits: Value,
) -> Summary {
    let arrival = group(person, second, traits);
    let now = at(&format!("12:00:{second:02}"));
    engine.turn(&[&arrival], now).expect("a turn")
}

fn contact<S: Store, D: Dispatcher>(
    engine: &mut Engine<S, D>,
    person: usize,
) -> relance_core::Snapshot {
    let store = engine.store();
    let found = store.find(&Identity::email(&email(person))).expect("finds");
    let id: ContactId = found.expect("a contact");
    store.load(&[id]).expect("loads").remove(0)
}

/// How often the journey began, by contact.
fn begun<S: Store, D: Dispatcher>(engine: &mut Engine<S, D>) -> Vec<u32> {
    let each = (0..PEOPLE).map(|person| contact(engine, person).contact.enrollments);
    each.collect()
}

fn world() -> World {
    let mut world = engine().world().clone();
    world.add_journey(Arc::new(journey()), Moves::Pin, true);
    world
}

/// An engine with everyone in the account, which is on the plan `free`.
fn office() -> Engine<relance_store::SqliteStore, Nobody> {
    let (store, nobody) = engine().into_parts();
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    let mut engine = Engine::new(store, nobody, world(), title).expect("an engine");
    engine.limit_sweeps(PAGE);
    tell(&mut engine, 0, 1, json!({"plan": "free"}));
    for person in 1..PEOPLE {
        tell(&mut engine, person, 1 + person, json!({}));
    }
    // Whoever comes in has a plan that it had not.
    assert_eq!(begun(&mut engine), [1; PEOPLE]);
    engine
}

fn idle<S: Store, D: Dispatcher>(engine: &mut Engine<S, D>, second: usize) -> Summary {
    let now = at(&format!("12:00:{second:02}"));
    engine.turn(&[], now).expect("a turn")
}

#[test]
fn a_change_is_told_a_page_a_turn_and_to_each_once() {
    let mut engine = office();
    let summary = tell(&mut engine, 3, 20, json!({"plan": "pro"}));
    // All see it at once; a page has heard.
    for person in 0..PEOPLE {
        let account = contact(&mut engine, person)
            .contact
            .account
            .expect("an account");
        assert_eq!(account.text("plan"), Some("pro"));
    }
    assert!(
        summary.more && summary.decided <= 1 + PAGE + PAGE,
        "{summary:?}"
    );
    assert_eq!(begun(&mut engine), [2, 2, 2, 2, 1, 1, 1]);
    let mut turns = 0;
    while idle(&mut engine, 21).more {
        turns += 1;
        assert!(turns < 10, "it comes to an end");
    }
    assert_eq!(begun(&mut engine), [2; PEOPLE]);
    assert_eq!(engine.store().tellings(10).expect("lists"), []);
    let account = contact(&mut engine, 0).contact.account.expect("an account");
    assert_eq!(account.revision, account.settled);
    // The same once more is no news.
    tell(&mut engine, 3, 22, json!({"plan": "pro"}));
    idle(&mut engine, 23);
    assert_eq!(begun(&mut engine), [2; PEOPLE]);
}

#[test]
fn a_change_while_another_is_told_reaches_everyone_and_nobody_twice() {
    let mut engine = office();
    tell(&mut engine, 3, 20, json!({"plan": "pro"}));
    assert_eq!(begun(&mut engine), [2, 2, 2, 2, 1, 1, 1]);
    tell(&mut engine, 6, 21, json!({"plan": "max"}));
    while idle(&mut engine, 22).more {}
    // Four heard of both; of the others each heard what became of `free` once.
    assert_eq!(begun(&mut engine), [3, 3, 3, 3, 2, 2, 2]);
    assert_eq!(engine.store().tellings(10).expect("lists"), []);
}

#[test]
fn a_crash_in_the_middle_loses_nobody() {
    let mut engine = office();
    tell(&mut engine, 3, 20, json!({"plan": "pro"}));
    let (store, nobody) = engine.into_parts();
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    let mut engine = Engine::new(store, nobody, world(), title).expect("an engine");
    engine.limit_sweeps(PAGE);
    while idle(&mut engine, 30).more {}
    assert_eq!(begun(&mut engine), [2; PEOPLE]);
}

#[test]
fn colleagues_of_one_batch_see_each_others_news() {
    let mut engine = office();
    let arrivals = [
        group(1, 20, json!({"plan": "pro"})),
        group(2, 21, json!({"seats": 5})),
        group(3, 22, json!({"plan": "max", "seats": 6})),
    ];
    let arrivals: Vec<&Arrival> = arrivals.iter().collect();
    engine.turn(&arrivals, at("12:00:22")).expect("a turn");
    while idle(&mut engine, 23).more {}
    let account = contact(&mut engine, 0).contact.account.expect("an account");
    let face = json!({"id": "acme", "plan": "max", "seats": 6});
    assert_eq!(*account.face(), face);
    // Whoever told of it while it changed heard of each change that it saw.
    assert_eq!(begun(&mut engine), [2, 3, 3, 2, 2, 2, 2]);
}

#[test]
fn where_nobody_listens_nothing_is_told() {
    let mut engine = engine();
    for person in 0..PEOPLE {
        tell(&mut engine, person, 1 + person, json!({}));
    }
    let summary = tell(&mut engine, 0, 20, json!({"plan": "pro"}));
    assert!(!summary.more);
    assert_eq!(summary.decided, 1);
    let account: Arc<Account> = contact(&mut engine, 5).contact.account.expect("an account");
    assert_eq!(account.text("plan"), Some("pro"));
    assert_eq!(
        account.revision, account.settled,
        "no journey hears of it years later"
    );
}
