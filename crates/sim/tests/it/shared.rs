//! An object that several contacts have: what is told of it to one ends the runs of the others.

use std::sync::Arc;

use jiff::Timestamp;
use relance_core::condition::Condition;
use relance_core::contact::{Channel, Identity};
use relance_core::enrollment::Enrollment;
use relance_core::event::Event;
use relance_core::ids::{ContactId, ObjectKind};
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Approval, Exit, Holdout, Journey, Moves, On, Send, Sender, StepKind, Trigger, Until, Wait,
    publish,
};
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Dispatcher, Store};
use relance_engine::turn::Engine;

use crate::orphans::{at, engine};

fn reminder() -> Journey {
    let step = |at: usize, kind| StepDraft {
        path: format!("steps[{at}]"),
        id: None,
        late: None,
        kind,
    };
    let draft = JourneyDraft {
        id: "unpaid".into(),
        name: "Unpaid".to_owned(),
        subject: Some(ObjectKind::from("document")),
        trigger: Trigger {
            on: On::Event("Document Sent".into()),
            filter: Condition::All(Vec::new()),
        },
        reentry: None,
        goal: None,
        exits: vec![Exit {
            event: "Document Paid".into(),
            filter: Condition::All(Vec::new()),
            any: false,
        }],
        holdout: Holdout::default(),
        approval: Approval::AUTO,
        topic: None,
        priority: 0,
        waits_for_absent: true,
        steps: vec![
            step(
                0,
                StepKind::Wait(Wait {
                    until: Until::Passed("3d".parse().expect("a delay")),
                    window: None,
                }),
            ),
            step(
                1,
                StepKind::Send {
                    send: Send {
                        channel: Channel::Email,
                        template: "reminder".into(),
                        from: Sender::Workspace,
                        approval: None,
                        when: None,
                        content: None,
                        digest: None,
                        opened_within: None,
                    },
                    otherwise: Vec::new(),
                },
            ),
        ],
    };
    publish(draft, 1).expect("a journey")
}

fn told(email: &str, name: &str, document: &str, when: Timestamp) -> Arrival {
    let mut event = Event::track(name, when);
    let id = ("document_id".to_owned(), document.into());
    event.properties.extend([id]);
    event.message_id = Some(format!("{email} {name} {document}").into());
    Arrival::Event {
        identities: vec![Identity::email(email)],
        event: Arc::new(event),
    }
}

fn running<S: Store, D: Dispatcher>(engine: &mut Engine<S, D>, email: &str) -> usize {
    let store = engine.store();
    let found = store.find(&Identity::email(email)).expect("finds");
    let id: ContactId = found.expect("a contact");
    let snapshot = store.load(&[id]).expect("loads").remove(0);
    let runs = snapshot.enrollments.iter();
    runs.filter(|run| Enrollment::is_running(run)).count()
}

/// Runs of Ana that are left after these turns, each of events that arrive together.
fn left(turns: &[&[(&str, &str, &str)]]) -> usize {
    let mut engine = engine();
    let published = Arrival::Published {
        text: "unpaid".to_owned(),
        journey: Arc::new(reminder()),
        moves: Moves::Pin,
    };
    engine.turn(&[&published], at("11:00:00")).expect("a turn");
    for (minute, events) in turns.iter().enumerate() {
        let now = at(&format!("12:{minute:02}:00"));
        let arrivals: Vec<Arrival> = events
            .iter()
            .map(|(email, name, document)| told(email, name, document, now))
            .collect();
        let arrivals: Vec<&Arrival> = arrivals.iter().collect();
        engine.turn(&arrivals, now).expect("a turn");
    }
    running(&mut engine, "ana@client.test")
}

const SENT: (&str, &str, &str) = ("ana@client.test", "Document Sent", "d1");
const PAID: (&str, &str, &str) = ("accounts@client.test", "Document Paid", "d1");
const OTHER: (&str, &str, &str) = ("accounts@client.test", "Document Paid", "d2");

#[test]
fn an_invoice_that_a_colleague_paid_is_paid() {
    assert_eq!(left(&[&[SENT]]), 1, "it waits");
    assert_eq!(left(&[&[SENT], &[PAID]]), 0, "one after the other");
    assert_eq!(left(&[&[SENT, PAID]]), 0, "in one batch");
    assert_eq!(left(&[&[SENT], &[OTHER]]), 1, "another invoice");
}

#[test]
fn what_is_told_of_a_shared_object_begins_nothing_for_the_others() {
    let colleague = ("bob@client.test", "Document Sent", "d1");
    let mut engine = engine();
    let published = Arrival::Published {
        text: "unpaid".to_owned(),
        journey: Arc::new(reminder()),
        moves: Moves::Pin,
    };
    engine.turn(&[&published], at("11:00:00")).expect("a turn");
    for (minute, (email, name, document)) in [PAID, SENT, colleague].into_iter().enumerate() {
        let now = at(&format!("12:{minute:02}:00"));
        let arrival = told(email, name, document, now);
        engine.turn(&[&arrival], now).expect("a turn");
    }
    // Each was sent the invoice, and each has one run; who paid before has none.
    assert_eq!(running(&mut engine, "ana@client.test"), 1);
    assert_eq!(running(&mut engine, "bob@client.test"), 1);
    assert_eq!(running(&mut engine, "accounts@client.test"), 0);
}
