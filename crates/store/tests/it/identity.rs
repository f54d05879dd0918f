//! Contacts that turn out to be one, through the engine and a real store.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::condition::{Condition, Did};
use relance_core::contact::{Channel, Consent, Contact, Identity};
use relance_core::decide::Input;
use relance_core::enrollment::EnrollmentState;
use relance_core::event::{Event, EventKind, names};
use relance_core::ids::{ContactId, EventName, SegmentId, TouchpointId};
use relance_core::journey::Moves;
use relance_core::segment::{Rule, Segment};
use relance_core::touchpoint::Outcome;
use relance_core::value::Value;
use relance_core::world::{Needs, World};
use relance_engine::arrival::{Arrival, DefinedSegments, SegmentChanges};
use relance_engine::ports::Store;
use relance_engine::turn::{Engine, PENDING_MERGE};
use relance_store::SqliteStore;
use serde_json::json;

use super::support::{Nobody, at, engine, policy};

struct Shop {
    engine: Engine<SqliteStore, Nobody>,
    now: Timestamp,
}

fn traits(value: Value) -> Option<relance_core::value::Fields> {
    value.as_object().cloned()
}

impl Shop {
    fn new() -> Self {
        Self {
            engine: engine(World::new(policy(), 1)),
            now: at("12:00:00"),
        }
    }

    fn take(&mut self, arrivals: &[Arrival]) {
        self.now += SignedDuration::from_secs(1);
        let arrivals: Vec<&Arrival> = arrivals.iter().collect();
        self.engine.turn(&arrivals, self.now).expect("a turn");
    }

    fn call(&self, kind: EventKind, identities: &[Identity], told: Value) -> Arrival {
        let mut event = Event::track("", self.now);
        event.kind = kind;
        event.traits = traits(told);
        Arrival::Event {
            identities: identities.to_vec(),
            event: Arc::new(event),
        }
    }

    fn identify(&mut self, identities: &[Identity], told: Value) -> ContactId {
        let call = self.call(EventKind::Identify, identities, told);
        self.take(&[call]);
        self.who(&identities[0])
    }

    fn track(&mut self, identities: &[Identity], name: &str) {
        let event = Arc::new(Event::track(name, self.now));
        self.take(&[Arrival::Event {
            identities: identities.to_vec(),
            event,
        }]);
    }

    fn who(&mut self, identity: &Identity) -> ContactId {
        let found = self.engine.store().find(identity).expect("a look");
        found.expect("known")
    }

    fn contact(&mut self, id: ContactId) -> Contact {
        let mut loaded = self.engine.store().load(&[id]).expect("loaded");
        loaded.remove(0).contact
    }

    fn count(&mut self, id: ContactId, name: &str) -> usize {
        let store = self.engine.store();
        let mut snapshot = store.load(&[id]).expect("loaded").remove(0);
        let name = EventName::from(name);
        let needs = Needs {
            history: BTreeSet::from([name.clone()]),
            ..Needs::default()
        };
        store.load_needs(&mut snapshot, &needs).expect("loaded");
        snapshot.history.of(&name).count()
    }

    fn merge(&mut self, survivor: ContactId, absorbed: ContactId) {
        self.take(&[Arrival::Merge {
            survivor,
            absorbed,
            by: "anna".into(),
        }]);
    }

    /// A journey is published, and messages may go from now on.
    fn run(&mut self, text: &str) {
        let journey = relance_wire::journey::publish(text, 1).expect("a journey");
        self.engine.dispatcher().room = 10;
        self.take(&[Arrival::Published {
            text: text.to_owned(),
            journey: Arc::new(journey),
            moves: Moves::Pin,
        }]);
    }

    fn settle(&mut self, touchpoint: TouchpointId) {
        self.take(&[Arrival::Input {
            contact: touchpoint.contact,
            input: Input::Settle {
                touchpoint,
                attempt: 1,
                outcome: Outcome::Accepted,
            },
        }]);
    }

    fn unmerge(&mut self, absorbed: ContactId) {
        self.take(&[Arrival::Unmerge {
            absorbed,
            by: "anna".into(),
        }]);
    }
}

fn user(id: &str) -> Identity {
    Identity::user(id)
}

fn device(id: &str) -> Identity {
    Identity::anonymous(id)
}

fn email(address: &str) -> Identity {
    Identity::email(address)
}

#[test]
fn a_visitor_who_signs_in_is_the_user_with_one_past() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[user("1")], json!({"plan": "pro"}));
    shop.track(&[device("x")], "Product Viewed");
    let visitor = shop.who(&device("x"));
    assert_ne!(ana, visitor);
    shop.identify(&[user("1"), device("x")], json!({"city": "Berlin"}));
    assert_eq!(shop.who(&device("x")), ana);
    assert_eq!(shop.contact(visitor).merged_into, Some(ana));
    assert_eq!(shop.contact(ana).absorbed, BTreeSet::from([visitor]));
    assert_eq!(shop.contact(ana).text("city"), Some("Berlin"));
    assert_eq!(shop.count(ana, "Product Viewed"), 1);
    // What the device does from now on is the user's.
    shop.track(&[device("x")], "Product Viewed");
    assert_eq!(shop.count(ana, "Product Viewed"), 2);
}

#[test]
fn calls_of_one_batch_see_the_merge_before_them() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[user("1")], json!({}));
    shop.track(&[device("x")], "Product Viewed");
    let viewed = |shop: &Shop| Arrival::Event {
        identities: vec![device("x")],
        event: Arc::new(Event::track("Product Viewed", shop.now)),
    };
    let both = [user("1"), device("x")];
    let arrivals = [
        viewed(&shop),
        shop.call(EventKind::Identify, &both, json!({})),
        viewed(&shop),
        shop.call(EventKind::Identify, &both, json!({})),
        shop.call(EventKind::Identify, &[user("2"), device("y")], json!({})),
        shop.call(
            EventKind::Identify,
            &[device("y")],
            json!({"city": "Kyoto"}),
        ),
    ];
    shop.take(&arrivals);
    assert_eq!(shop.count(ana, "Product Viewed"), 3);
    let bob = shop.who(&user("2"));
    assert_eq!(shop.who(&device("y")), bob, "one new contact, not two");
    assert_eq!(shop.contact(bob).text("city"), Some("Kyoto"));
}

#[test]
fn two_users_of_one_computer_stay_two() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[user("1"), device("x")], json!({"email": "ana@a.test"}));
    let bob = shop.identify(&[user("2"), device("x")], json!({"email": "bob@b.test"}));
    assert_ne!(ana, bob);
    for _ in 0..2 {
        shop.track(&[user("2"), device("x")], "Order Completed");
    }
    assert_eq!(shop.count(bob, "Order Completed"), 2);
    assert_eq!(shop.count(ana, "Order Completed"), 0);
    assert_eq!(shop.contact(ana).text("email"), Some("ana@a.test"));
}

#[test]
fn an_address_of_two_users_makes_no_one_of_them() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[user("1"), email("office@a.test")], json!({}));
    let bob = shop.identify(&[user("2"), email("office@a.test")], json!({}));
    assert_ne!(ana, bob);
    assert_eq!(
        shop.who(&email("office@a.test")),
        ana,
        "it stays where it was"
    );
    assert_eq!(shop.contact(ana).merged_into, None);
    // A person may know better.
    shop.merge(ana, bob);
    assert_eq!(shop.who(&user("2")), ana);
}

#[test]
fn an_alias_makes_one_of_two_users() {
    let mut shop = Shop::new();
    let old = shop.identify(&[user("old")], json!({"plan": "pro"}));
    let new = shop.identify(&[user("new")], json!({}));
    let names = [user("new"), user("old"), device("old")];
    let alias = shop.call(EventKind::Alias, &names, json!({}));
    shop.take(&[alias]);
    assert_eq!(shop.who(&user("old")), new);
    assert_eq!(shop.contact(old).merged_into, Some(new));
    assert_eq!(shop.contact(new).text("plan"), Some("pro"));
}

#[test]
fn an_alias_of_two_users_with_addresses_of_their_own_makes_no_one_of_them() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[user("1"), email("ana@a.test")], json!({}));
    let bob = shop.identify(&[user("2"), email("bob@b.test")], json!({}));
    // A program that aliases whoever signs in to whoever was signed in.
    let alias = shop.call(EventKind::Alias, &[user("2"), user("1")], json!({}));
    shop.take(&[alias]);
    assert_eq!((shop.who(&user("1")), shop.who(&user("2"))), (ana, bob));
    assert_eq!(shop.contact(ana).merged_into, None);
    // A person may know better.
    shop.merge(bob, ana);
    assert_eq!(shop.who(&user("1")), bob);
}

fn segment(id: &str, condition: Condition) -> DefinedSegments {
    DefinedSegments {
        text: id.to_owned(),
        segments: vec![Arc::new(Segment {
            id: id.into(),
            name: id.to_owned(),
            rule: Rule::When(condition),
            sets: None,
            announce: false,
        })],
    }
}

fn did(event: &str, times_min: u32) -> Condition {
    Condition::Did(Did {
        event: event.into(),
        times_min,
        times_max: None,
        within: None,
        filter: None,
        then: None,
    })
}

#[test]
fn a_merge_and_its_undoing_tell_anew_who_belongs_to_segments() {
    let mut shop = Shop::new();
    let keen = Condition::InSegment("keen".into());
    let defined = vec![
        segment("keen", did("Product Viewed", 2)),
        segment("others", Condition::Not(Box::new(keen))),
    ];
    shop.take(&[Arrival::Segments(SegmentChanges {
        defined,
        ..SegmentChanges::default()
    })]);
    let ana = shop.identify(&[user("1"), email("ana@a.test")], json!({}));
    let bob = shop.identify(&[user("2"), email("bob@b.test")], json!({}));
    for name in ["1", "2"] {
        shop.track(&[user(name)], "Product Viewed");
    }
    let member = |shop: &mut Shop, id: ContactId| {
        let segments: BTreeSet<SegmentId> = ["keen", "others"].map(SegmentId::from).into();
        let store = shop.engine.store();
        let mut snapshot = store.load(&[id]).expect("loads").remove(0);
        let needs = Needs {
            segments: segments.clone(),
            ..Needs::default()
        };
        store.load_needs(&mut snapshot, &needs).expect("loads");
        let of = |id: &SegmentId| snapshot.memberships.get(id).is_some_and(|one| one.member);
        let stands: Vec<bool> = segments.iter().map(of).collect();
        (stands[0], stands[1])
    };
    assert_eq!(member(&mut shop, bob), (false, true));
    // Nothing else happens to anybody.
    shop.merge(bob, ana);
    assert_eq!(member(&mut shop, bob), (true, false));
    assert_eq!(member(&mut shop, ana), (false, false), "it is nobody now");
    shop.unmerge(ana);
    assert_eq!(member(&mut shop, ana), (false, true));
    assert_eq!(member(&mut shop, bob), (false, true));
}

#[test]
fn what_comes_for_the_old_contact_reaches_the_new_one() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[email("ana@a.test")], json!({}));
    let bob = shop.identify(&[email("bob@b.test")], json!({}));
    let eve = shop.identify(&[email("eve@e.test")], json!({}));
    shop.merge(bob, ana);
    shop.merge(eve, bob);
    // The link in an old mail: two merges lie between.
    let leave = Event::track(names::UNSUBSCRIBED, shop.now);
    shop.take(&[Arrival::Input {
        contact: ana,
        input: Input::Event(Arc::new(leave)),
    }]);
    let consents = shop.contact(eve).channel_consents;
    assert!(
        consents
            .get(&Channel::Email)
            .is_some_and(|said| *said == Consent::Denied)
    );
    assert_eq!(shop.count(eve, names::UNSUBSCRIBED), 1);
    assert_eq!(shop.contact(eve).absorbed, BTreeSet::from([ana, bob]));
    // Merging them again changes nothing.
    shop.merge(bob, ana);
    shop.merge(ana, eve);
    assert_eq!(shop.contact(eve).merged_into, None);
}

#[test]
fn a_merge_is_undone_within_a_day_and_refusals_stay() {
    let mut shop = Shop::new();
    let ana = shop.identify(
        &[user("1"), email("ana@a.test")],
        json!({"city": "Rome", "plan": "pro"}),
    );
    let bob = shop.identify(&[user("2"), email("bob@b.test")], json!({"plan": "free"}));
    shop.track(&[user("1")], "Product Viewed");
    shop.merge(bob, ana);
    assert_eq!(shop.contact(bob).text("city"), Some("Rome"));
    let leave = Event::track(names::UNSUBSCRIBED, shop.now);
    shop.take(&[Arrival::Input {
        contact: bob,
        input: Input::Event(Arc::new(leave)),
    }]);
    shop.identify(&[user("1")], json!({"age": 30}));
    shop.unmerge(ana);
    let (one, other) = (shop.contact(ana), shop.contact(bob));
    assert_eq!(
        (shop.who(&user("1")), shop.who(&email("ana@a.test"))),
        (ana, ana)
    );
    assert_eq!(
        (one.text("city"), one.text("plan")),
        (Some("Rome"), Some("pro"))
    );
    assert_eq!(
        (other.text("city"), other.text("plan")),
        (None, Some("free"))
    );
    assert_eq!(
        other.traits.get("age"),
        Some(&json!(30)),
        "told since, to whom is not known"
    );
    assert_eq!((one.merged_into, other.absorbed), (None, BTreeSet::new()));
    for consents in [one.channel_consents, other.channel_consents] {
        assert!(
            consents
                .get(&Channel::Email)
                .is_some_and(|said| *said == Consent::Denied)
        );
    }
    assert_eq!(shop.count(ana, "Product Viewed"), 1);
    assert_eq!(shop.count(bob, "Product Viewed"), 0);
    shop.track(&[user("1")], "Product Viewed");
    assert_eq!(shop.count(ana, "Product Viewed"), 2);
}

const NEWS: &str = "format: journey/1
id: news
name: News
trigger: { schedule: { at: '09:00' } }
steps:
  - send: email
    template: news
";

#[test]
fn an_undone_merge_gives_the_survivor_its_own_hours_back() {
    let mut shop = Shop::new();
    let tokyo = json!({"timezone": "Asia/Tokyo"});
    let ana = shop.identify(&[user("1"), email("ana@a.test")], tokyo);
    let bob = shop.identify(&[user("2"), email("bob@b.test")], json!({}));
    shop.run(NEWS);
    shop.take(&[]);
    let due = |shop: &mut Shop, id: ContactId| {
        let loaded = shop.engine.store().load(&[id]).expect("loads").remove(0);
        let due: Vec<String> = loaded
            .watches
            .iter()
            .map(|one| one.due_at.to_string())
            .collect();
        due
    };
    // Twelve has struck in London, and nine in Tokyo.
    assert_eq!(due(&mut shop, ana), ["2026-03-03T00:00:00Z"]);
    assert_eq!(due(&mut shop, bob), ["2026-03-03T09:00:00Z"]);
    shop.merge(bob, ana);
    assert_eq!(due(&mut shop, bob), ["2026-03-03T00:00:00Z"], "in Tokyo");
    assert_eq!(due(&mut shop, ana), [""; 0]);
    shop.unmerge(ana);
    assert_eq!(due(&mut shop, bob), ["2026-03-03T09:00:00Z"]);
    assert_eq!(due(&mut shop, ana), ["2026-03-03T00:00:00Z"]);
}

#[test]
fn after_a_day_a_merge_stands() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[user("1")], json!({}));
    let bob = shop.identify(&[user("2")], json!({}));
    shop.merge(bob, ana);
    shop.now += SignedDuration::from_hours(24);
    shop.unmerge(ana);
    assert_eq!(shop.contact(ana).merged_into, Some(bob));
    assert_eq!(shop.who(&user("1")), bob);
}

#[test]
fn a_merge_below_another_is_undone_after_it() {
    let mut shop = Shop::new();
    let ana = shop.identify(&[user("1")], json!({}));
    let bob = shop.identify(&[user("2")], json!({}));
    let eve = shop.identify(&[user("3")], json!({}));
    shop.merge(bob, ana);
    shop.merge(eve, bob);
    shop.unmerge(ana);
    assert_eq!(
        shop.contact(ana).merged_into,
        Some(bob),
        "bob is gone himself"
    );
    shop.unmerge(bob);
    assert_eq!(shop.contact(bob).absorbed, BTreeSet::from([ana]));
    assert_eq!((shop.who(&user("1")), shop.who(&user("2"))), (bob, bob));
    assert_eq!(shop.contact(eve).absorbed, BTreeSet::new());
    shop.unmerge(ana);
    assert_eq!(shop.who(&user("1")), ana);
}

const HELLO: &str = "format: journey/1
id: hello
name: Hello
trigger: { event: Signed Up }
steps:
  - send: email
    template: hello
  - wait: 1d
  - send: email
    template: again
";

#[test]
fn a_message_in_flight_puts_a_merge_off_until_it_is_settled() {
    let mut shop = Shop::new();
    shop.run(HELLO);
    let ana = shop.identify(&[user("1")], json!({"email": "ana@a.test"}));
    let bob = shop.identify(&[user("2")], json!({"email": "bob@b.test"}));
    shop.track(&[user("1")], "Signed Up");
    let flying = shop.engine.dispatcher().flying.clone();
    assert_eq!(flying.len(), 1);
    shop.merge(bob, ana);
    assert_eq!(shop.contact(ana).merged_into, None);
    let waiting = |shop: &mut Shop| {
        shop.engine
            .store()
            .assets(PENDING_MERGE)
            .expect("lists")
            .len()
    };
    assert_eq!(waiting(&mut shop), 1);
    shop.settle(flying[0]);
    assert_eq!(shop.contact(ana).merged_into, Some(bob));
    assert_eq!(waiting(&mut shop), 0);
    // The run goes on with the survivor, and sends once.
    shop.now += SignedDuration::from_hours(25);
    shop.track(&[user("2")], "Product Viewed");
    let flying = shop.engine.dispatcher().flying.clone();
    let to: Vec<ContactId> = flying.iter().map(|id| id.contact).collect();
    assert_eq!(to, [ana, bob]);
}

#[test]
fn an_outcome_and_an_opening_under_old_names_are_the_survivors() {
    let mut shop = Shop::new();
    let journey = HELLO.replace(
        "    template: hello\n",
        "    template: hello\n    opened_within: 2d\n",
    );
    shop.run(&journey);
    let ana = shop.identify(&[user("1")], json!({"email": "ana@a.test"}));
    let bob = shop.identify(&[user("2")], json!({}));
    shop.track(&[user("1")], "Signed Up");
    let sent = shop.engine.dispatcher().flying[0];
    shop.settle(sent);
    shop.merge(bob, ana);
    let mut opened = Event::track(names::EMAIL_OPENED, shop.now);
    let name = Value::String(sent.to_string());
    opened.properties.insert(names::TOUCHPOINT.to_owned(), name);
    shop.take(&[Arrival::Input {
        contact: ana,
        input: Input::Event(Arc::new(opened)),
    }]);
    let store = shop.engine.store();
    let snapshot = store.load(&[bob]).expect("loads").remove(0);
    let runs: Vec<_> = snapshot.enrollments.iter().map(|run| run.step()).collect();
    assert_eq!(runs.len(), 1, "it went over");
    assert!(
        snapshot
            .enrollments
            .iter()
            .all(|run| !matches!(run.state, EnrollmentState::Listening { .. })),
        "the opening was heard: {:?}",
        snapshot.enrollments
    );
}
