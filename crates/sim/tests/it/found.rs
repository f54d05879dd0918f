//! What the simulator found and a story cannot tell, as stories leave out where waits begin.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use relance_core::condition::Condition;
use relance_core::contact::Contact;
use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::{ContactId, StepKey};
use relance_core::journey::draft::{JourneyDraft, StepDraft};
use relance_core::journey::{
    Approval, Holdout, Moves, On, StepKind, Trigger, Until, Wait, publish,
};
use relance_core::ledger::What;
use relance_core::play::{Play, Seen};
use relance_core::policy::{Policy, ServiceExemption};
use relance_core::time::{Calendar, Window, Zone};
use relance_core::value::{FieldPath, Value};
use relance_core::world::World;

fn policy() -> Policy {
    Policy {
        zone: Zone::parse("Europe/Berlin").expect("a zone"),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: Default::default(),
        caps: Vec::new(),
        opt_in_topics: BTreeSet::new(),
        internal_domains: BTreeSet::new(),
        freemail_domains: BTreeSet::new(),
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
