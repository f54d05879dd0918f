//! The contacts that are measured: they came to where they stand by decisions, as any contact does.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Channel, Contact};
use relance_core::decide::{Input, Timer, TimerKind, decide};
use relance_core::enrollment::EnrollmentState;
use relance_core::event::Event;
use relance_core::ids::{ContactId, TouchpointId};
use relance_core::journey::{Holdout, Moves};
use relance_core::policy::{Cap, Policy, ServiceExemption};
use relance_core::snapshot::Snapshot;
use relance_core::time::{Calendar, QuietHours, Zone};
use relance_core::touchpoint::{Outcome, TouchpointState};
use relance_core::value::Value;
use relance_core::world::World;

use crate::journey;

/// What a contact did before it entered its first journey.
const VIEWED: i64 = 40;
/// When it began: a Monday, 11:00 in Berlin.
const BEGAN: &str = "2026-03-02T10:00:00Z";

/// Journeys whose runs come to stand at a wait, at an awaited event, at an awaited condition, and at a
/// message. `{k}` makes each a journey of its own.
const KINDS: [&str; 4] = [
    r#"journey waits-{k}: on "Begin {k}"
  reentry always
  goal "Order Completed" 30d
  exit "Stop {k}"
  exit Replied
  wait 1d
  branch
    if did "Product Viewed" and contact.plan = pro
      wait 2d
    else
      sms back-{k}
  email offer-{k}
  wait_for "Answer {k}" 3d
    then
      set contact.answered = true
    else
      email last-{k}
  task "Call""#,
    r#"journey listens-{k}: on "Begin {k}"
  reentry always
  goal "Order Completed" 30d
  exit "Stop {k}"
  exit Replied
  wait_for "Answer {k}" 3d
    then
      wait 2d
    else
      email missed-{k}
  branch
    if did "Cart Viewed"
      email cart-{k}
  wait 5d"#,
    r#"journey asks-{k}: on "Begin {k}"
  reentry always
  goal "Order Completed" 30d
  exit "Stop {k}"
  wait_for any 5d
    when did "Review Written" and contact.score >= 1000
      task "Thank"
    else
      sms review-{k}
  wait 5d"#,
    r#"journey sends-{k}: on "Begin {k}"
  reentry always
  goal "Order Completed" 30d
  exit "Stop {k}"
  exit Replied
  email first-{k} if not did "Review Withdrawn"
  wait 2d
  branch
    if did "Product Viewed"
      email second-{k}
  wait 5d"#,
];
/// Runs stay on the older version because they are told to, or because their steps are others in the new.
const PINNED: &str = "pin";
const LEFT_BEHIND: &str = "follow";
/// Steps of the long journey, in which the run stands at the first.
const LONG: usize = 498;

/// What happens to the contact.
pub struct Case {
    pub name: &'static str,
    /// Which of [`KINDS`] the concerned run is of.
    kind: usize,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Event(&'static str),
    Timer,
    Claim,
    Settle,
    /// An event of no concern, after newer versions were published that take no run over.
    OlderVersions(&'static str),
    /// The timer of a run in a journey of many steps.
    LongTimer,
}

/// A snapshot, what meets it, and when.
pub struct Scene {
    pub world: World,
    pub snapshot: Snapshot,
    pub input: Input,
    pub now: Timestamp,
}

impl Case {
    pub fn all() -> [Self; 9] {
        let case = |name, kind, what| Self { name, kind, what };
        [
            case("an event of no concern", 0, What::Event("Page Viewed")),
            case("an event that ends one run", 0, What::Event("Stop")),
            case("the event one run awaits", 1, What::Event("Answer")),
            case("a due timer", 0, What::Timer),
            case("a due timer, 500 steps", 0, What::LongTimer),
            case("a claim", 3, What::Claim),
            case("a settle", 3, What::Settle),
            case("no concern, runs pinned", 0, What::OlderVersions(PINNED)),
            case(
                "no concern, runs left behind",
                0,
                What::OlderVersions(LEFT_BEHIND),
            ),
        ]
    }

    /// The contact with so many runs, one of them concerned.
    pub fn scene(&self, runs: usize) -> Scene {
        let numbers: Vec<usize> = match runs {
            1 => vec![self.kind],
            _many => (0..runs).collect(),
        };
        // In the middle, as no input chooses the first or the last.
        let own = *numbers[runs / 2..]
            .iter()
            .find(|k| **k % KINDS.len() == self.kind)
            .expect("a run of each kind");
        let mut world = World::new(policy(), 1);
        for k in &numbers {
            let mut text = KINDS[k % KINDS.len()].replace("{k}", &k.to_string());
            if matches!(self.what, What::LongTimer) && *k == own {
                text.push_str(&"\n  set contact.step = 1".repeat(LONG - 8));
            }
            let lines: Vec<&str> = text.lines().collect();
            world.add_journey(journey::read(&lines), Moves::Pin, true);
        }
        let mut scene = Scene {
            world,
            snapshot: contact(),
            input: Input::Erase,
            now: BEGAN.parse().expect("moment"),
        };
        for k in &numbers {
            scene.now += SignedDuration::from_secs(1);
            scene.happen(&scene.event(&format!("Begin {k}")));
        }
        assert_eq!(scene.snapshot.enrollments.len(), runs, "live runs");
        scene.now += SignedDuration::from_hours(1);
        if let What::OlderVersions(how) = self.what {
            for k in &numbers {
                scene.publish_again(*k, how);
            }
        }
        scene.input = self.input(&mut scene, own);
        // It must concern what it is meant to concern.
        let mut after = scene.snapshot.clone();
        let effects = decide(&scene.world, &mut after, &scene.input, scene.now);
        assert!(!effects.is_empty(), "nothing happens");
        scene
    }

    fn input(&self, scene: &mut Scene, own: usize) -> Input {
        let ids: Vec<TouchpointId> = scene
            .snapshot
            .touchpoints
            .iter()
            .map(|one| one.id)
            .collect();
        match self.what {
            What::Event("Page Viewed") | What::OlderVersions(_) => scene.event("Page Viewed"),
            What::Event(name) => scene.event(&format!("{name} {own}")),
            What::Timer | What::LongTimer => {
                let name = format!("waits-{own}");
                let mut runs = scene.snapshot.enrollments.iter();
                let run = runs.find(|run| run.journey.as_str() == name);
                let run = run.expect("a run that waits");
                let EnrollmentState::Waiting { until, .. } = &run.state else {
                    panic!("it does not wait: {:?}", run.state);
                };
                scene.now = *until;
                Input::Timer(Timer {
                    due_at: *until,
                    kind: TimerKind::Enrollment(run.id.number),
                })
            }
            What::Claim => Input::Claim(ids[ids.len() / 2]),
            What::Settle => {
                for id in &ids {
                    scene.happen(&Input::Claim(*id));
                }
                let touchpoint = ids[ids.len() / 2];
                let one = scene.snapshot.touchpoint(touchpoint).expect("in flight");
                assert!(matches!(one.state, TouchpointState::Sending { .. }));
                Input::Settle {
                    touchpoint,
                    attempt: one.attempts,
                    outcome: Outcome::Accepted,
                }
            }
        }
    }
}

impl Scene {
    fn event(&self, name: &str) -> Input {
        Input::Event(Arc::new(event(name, self.now)))
    }

    /// Publishes a version in which every step has another place.
    fn publish_again(&mut self, k: usize, how: &str) {
        let text = KINDS[k % KINDS.len()].replace("{k}", &k.to_string());
        let text = text.replacen(": on", " v2: on", 1);
        let mut lines: Vec<&str> = text.lines().collect();
        let first = lines.iter().position(|line| {
            let word = line.split_whitespace().next().unwrap_or_default();
            !["journey", "reentry", "goal", "exit"].contains(&word)
        });
        lines.insert(first.expect("a step"), "  task \"New\"");
        let moves = match how {
            PINNED => Moves::Pin,
            _left_behind => Moves::Follow,
        };
        self.world.add_journey(journey::read(&lines), moves, true);
    }

    fn happen(&mut self, input: &Input) {
        decide(&self.world, &mut self.snapshot, input, self.now);
    }
}

fn event(name: &str, at: Timestamp) -> Event {
    let mut event = Event::track(name, at);
    let shoe = serde_json::json!({
        "product_id": "sku-4711", "name": "Running shoe", "category": "shoes", "price": 123,
        "currency": "EUR", "url": "https://shop.example/p/sku-4711", "quantity": 1, "brand": "Example",
    });
    let Value::Object(properties) = shoe else {
        unreachable!("an object was written")
    };
    event.properties = properties;
    event
}

/// A contact with the traits of an ordinary one, and a past.
fn contact() -> Snapshot {
    let began: Timestamp = BEGAN.parse().expect("moment");
    let mut contact = Contact::new(ContactId(42), began - SignedDuration::from_hours(2_400));
    let traits = serde_json::json!({
        "email": "user-4711@client-4711.example", "phone": "+4930123456", "firstName": "Ana",
        "name": "Ana Example", "plan": "pro", "country": "DE", "timezone": "Europe/Berlin",
        "language": "en", "score": 12, "account": { "id": "acme", "name": "Acme" },
    });
    if let Value::Object(traits) = traits {
        contact.traits = traits;
    }
    let mut snapshot = Snapshot::new(contact);
    for n in 0..VIEWED {
        let at = began - SignedDuration::from_hours(n + 1);
        snapshot.history.push(Arc::new(event("Product Viewed", at)));
    }
    let at = began - SignedDuration::from_hours(30);
    snapshot.history.push(Arc::new(event("Review Written", at)));
    snapshot
}

fn policy() -> Policy {
    let zone = Zone::parse("Europe/Berlin").expect("zone");
    let quiet = QuietHours::daily("21:00-09:00").expect("quiet hours");
    let cap = |days, most| Cap {
        channel: Some(Channel::Email),
        topic: None,
        days,
        most,
    };
    Policy {
        zone,
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: BTreeMap::from([(Channel::Email, quiet)]),
        // Counted, but never reached: a held message would make a claim cheap.
        caps: vec![cap(1, 200), cap(7, 500)],
        opt_in_topics: ["news".into()].into(),
        internal_domains: ["us.example".to_owned()].into(),
        freemail_domains: ["gmail.com".to_owned()].into(),
        trait_types: relance_core::typed::TraitTypes::new(),
        approval_expiry: "3d".parse().expect("delay"),
        service: ServiceExemption::ALL,
        holdout: Holdout::default(),
    }
}
