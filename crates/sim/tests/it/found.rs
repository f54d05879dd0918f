//! What the simulator found and a story cannot tell, as stories leave out where waits begin.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::condition::Condition;
use relance_core::contact::{Channel, Contact, Identity};
use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::{ContactId, MailboxId, StepKey, TouchpointId};
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Approval, Holdout, Moves, NotifyStep, On, Recipient, Send, Sender, StepKind, Trigger, Until,
    Wait, publish,
};
use relance_core::ledger::What;
use relance_core::play::{Play, Seen};
use relance_core::policy::{Policy, ServiceExemption};
use relance_core::time::{Calendar, Window, Zone};
use relance_core::value::{FieldPath, Fields, Value};
use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Dispatch, Dispatcher};
use relance_engine::turn::Engine;
use relance_store::SqliteStore;

pub(crate) fn policy() -> Policy {
    Policy {
        zone: Zone::parse("Europe/Berlin").expect("a zone"),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: Default::default(),
        caps: Vec::new(),
        opt_in_topics: BTreeSet::new(),
        internal_domains: BTreeSet::new(),
        freemail_domains: BTreeSet::new(),
        trait_types: relance_core::typed::TraitTypes::new(),
        approval_expiry: "7d".parse().expect("a delay"),
        service: ServiceExemption::ALL,
        holdout: Holdout::default(),
    }
}

fn journey(steps: Vec<StepKind<Vec<StepDraft>>>) -> JourneyDraft {
    let step = |kind| StepDraft {
        path: "steps".to_owned(),
        id: None,
        late: None,
        kind,
    };
    JourneyDraft {
        id: "move".into(),
        name: "move".to_owned(),
        subject: None,
        trigger: Trigger {
            on: On::Event("Signed Up".into()),
            filter: Condition::All(vec![]),
        },
        reentry: None,
        goal: None,
        exits: Vec::new(),
        holdout: Holdout::default(),
        approval: Approval::AUTO,
        topic: None,
        priority: 0,
        waits_for_absent: true,
        steps: steps.into_iter().map(step).collect(),
    }
}

fn wait(text: &str, window: Option<Window>) -> StepKind<Vec<StepDraft>> {
    StepKind::Wait(Wait {
        until: Until::Passed(text.parse().expect("a delay")),
        window,
    })
}

/// Seed 102: a run left a wait, set the zone, and was told to wait once more where it had been.
#[test]
fn a_run_that_moves_its_contact_does_not_wait_again_where_it_was() {
    let office = Window::parse(Some("mon-fri"), Some("09:00-18:00")).expect("a window");
    let zone = FieldPath::parse("contact.timezone", None).expect("a path");
    let steps = vec![
        wait("1h", Some(office)),
        StepKind::Set(vec![(zone, Value::from("Asia/Tokyo"))]),
        wait("2h", None),
    ];
    let journey = publish(journey(steps), 1).expect("it publishes");
    let mut world = World::new(policy(), 1);
    world.add_journey(Arc::new(journey), Moves::Pin, true);
    let at = |text: &str| -> Timestamp { text.parse().expect("a moment") };
    let born = at("2026-03-02T08:00:00Z");
    let mut play = Play::new(world);
    play.begin_again(born);
    play.add(Contact::new(ContactId(1), born));
    let mut waits: Vec<StepKey> = Vec::new();
    let mut watch = |_: Timestamp, _: &Contact, seen: &Seen| {
        if let Seen::Ledger(line) = seen
            && line.what == What::Waiting
        {
            waits.extend(line.step.clone());
        }
    };
    let event = Input::Event(Arc::new(Event::track("Signed Up", born)));
    play.input(ContactId(1), &event, &mut watch);
    play.pass(at("2026-03-03T00:00:00Z"), &mut watch);
    assert_eq!(waits, [StepKey::from("1"), StepKey::from("3")]);
}

/// Takes everything over, and remembers what it should stop.
#[derive(Default)]
struct Desk {
    taken: Vec<Dispatch>,
    revoked: Vec<TouchpointId>,
}

impl Dispatcher for Desk {
    fn capacity(&self) -> usize {
        8
    }
    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        self.taken.extend(messages);
    }
    fn revoke(&mut self, id: TouchpointId) {
        self.revoked.push(id);
    }
    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

/// A word to one of ours tells of what has happened: a pause that called it back would lose it.
#[test]
fn a_pause_calls_back_what_goes_to_contacts_alone() {
    let notify = StepKind::Notify(NotifyStep {
        to: Recipient::Owner,
        text: "Look".into(),
        template: None,
    });
    let send = StepKind::Send {
        send: Send {
            channel: Channel::Email,
            template: "hello".into(),
            from: Sender::Workspace,
            approval: None,
            when: None,
            content: None,
            digest: None,
            opened_within: None,
        },
        otherwise: vec![],
    };
    let journey = Arc::new(publish(journey(vec![notify, send]), 1).expect("it publishes"));
    let id = journey.id.clone();
    let store = SqliteStore::open_in_memory().expect("a store");
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    let mut engine =
        Engine::new(store, Desk::default(), World::new(policy(), 1), title).expect("an engine");
    let now: Timestamp = "2026-03-02T08:00:00Z".parse().expect("a moment");
    let published = Arrival::Published {
        text: "move".to_owned(),
        journey,
        moves: Moves::Pin,
    };
    let traits = Fields::from_iter([("email".to_owned(), Value::from("ana@client.test"))]);
    let mut event = Event::track("Signed Up", now);
    event.traits = Some(traits);
    let signed_up = Arrival::Event {
        identities: vec![Identity::email("ana@client.test")],
        event: Arc::new(event),
    };
    engine.turn(&[&published, &signed_up], now).expect("a turn");
    engine.turn(&[&Arrival::Paused(id)], now).expect("a turn");
    let desk = engine.dispatcher();
    let to_contact = desk.taken.iter().map(|one| &one.touchpoint);
    let to_contact = to_contact.filter(|one| one.recipient == Recipient::Contact);
    let to_contact: Vec<TouchpointId> = to_contact.map(|one| one.id).collect();
    assert_eq!((desk.taken.len(), to_contact.len()), (2, 1));
    assert_eq!(desk.revoked, to_contact);
}
