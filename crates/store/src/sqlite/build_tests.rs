//! The engine builds segments over this store: exact whatever happens meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use relance_core::condition::{Condition, Did, Test};
use relance_core::event::Event;
use relance_core::ids::MailboxId;
use relance_core::journey::{Holdout, Moves};
use relance_core::policy::{Policy, ServiceExemption};
use relance_core::segment::{Rule, Segment};
use relance_core::time::{Calendar, Zone};
use relance_core::value::{FieldPath, Root};
use relance_core::world::World;
use relance_engine::arrival::{Arrival, DefinedSegments, SegmentChanges};
use relance_engine::ports::{Dispatch, Dispatcher};
use relance_engine::turn::{
    BUILD_CONSEQUENCES_PER_TURN_MAX, Building, Engine, SWEEP, Summary, building_of, forgotten_by,
};
use serde_json::json;

use super::*;

struct Nowhere;

impl Dispatcher for Nowhere {
    fn capacity(&self) -> usize {
        usize::MAX
    }
    fn dispatch(&mut self, _messages: Vec<Dispatch>) {}
    fn revoke(&mut self, _id: TouchpointId) {}
    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

type Own = Engine<SqliteStore, Nowhere>;

/// Contacts that one turn takes in these tests.
const PAGE: usize = 7;
const CONTACTS: u64 = 90;
const TURNS_MAX: usize = 10_000;

fn now() -> Timestamp {
    Timestamp::constant(1_800_000_000, 0)
}

fn engine(store: SqliteStore, segments: &[Arc<Segment>]) -> Own {
    let policy = Policy {
        zone: Zone::parse("Europe/Berlin").expect("a zone"),
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: BTreeMap::new(),
        caps: Vec::new(),
        opt_in_topics: BTreeSet::new(),
        internal_domains: BTreeSet::new(),
        freemail_domains: BTreeSet::new(),
        trait_types: relance_core::typed::TraitTypes::new(),
        approval_expiry: "3d".parse().expect("a delay"),
        service: ServiceExemption::ALL,
        holdout: Holdout::default(),
    };
    let mut world = World::new(policy, 1);
    for segment in segments {
        world.add_segment(segment.clone());
    }
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    let mut engine = Engine::new(store, Nowhere, world, title).expect("an engine");
    engine.limit_sweeps(PAGE);
    let store = engine.store();
    store.seals.size = 50;
    store.scan_limits = ScanLimits {
        events: 60,
        bytes: 9_000,
        seals: 2,
        bodies: 20,
    };
    engine
}

fn segment(id: &str, condition: Condition) -> Arc<Segment> {
    Arc::new(Segment {
        id: id.into(),
        name: id.to_owned(),
        rule: Rule::When(condition),
        sets: None,
        announce: false,
    })
}

/// Bought so often within thirty days; `dear`: for a high price.
fn bought(times: u32, dear: bool) -> Condition {
    let is_high = || Condition::Field {
        path: FieldPath::parse("event.price", Some(Root::Event)).expect("a path"),
        test: Test::Eq(json!("high")),
    };
    Condition::Did(Did {
        event: "Order Completed".into(),
        times_min: times,
        times_max: None,
        within: Some("30d".parse().expect("a delay")),
        filter: dear.then(|| Box::new(is_high())),
        then: None,
    })
}

fn changes(defined: &[Arc<Segment>], removed: &[&str]) -> Arrival {
    let one = |segment: &Arc<Segment>| DefinedSegments {
        text: format!("the text of {}", segment.id),
        segments: vec![segment.clone()],
    };
    Arrival::Segments(SegmentChanges {
        defined: defined.iter().map(one).collect(),
        removed: removed.iter().map(|id| (*id).into()).collect(),
        ..SegmentChanges::default()
    })
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// What happened to whom, beside the store: the truth that verdicts are compared with.
#[derive(Default)]
struct Truth {
    /// Orders within thirty days by contact: all, and the dear ones.
    orders: BTreeMap<u64, (u32, u32)>,
    told: u64,
}

impl Truth {
    fn event(&mut self, chance: &mut Chance) -> Arrival {
        self.told += 1;
        let who = chance.below(CONTACTS);
        let is_order = chance.below(3) > 0;
        let is_recent = chance.below(4) > 0;
        let is_dear = chance.below(2) == 0;
        let name = if is_order {
            "Order Completed"
        } else {
            "Page Viewed"
        };
        let days = if is_recent {
            chance.below(29)
        } else {
            31 + chance.below(50)
        };
        let before = SignedDuration::from_hours(24 * i64::try_from(days).expect("fits") + 1);
        let mut event = Event::track(name, now() - before);
        event.message_id = Some(format!("message-{}", self.told).into());
        let price = if is_dear { "high" } else { "low" };
        event.properties.insert("price".to_owned(), price.into());
        if is_order && is_recent {
            let (all, dear) = self.orders.entry(who).or_default();
            *all += 1;
            *dear += u32::from(is_dear);
        }
        Arrival::Event {
            identities: vec![Identity::user(&who.to_string())],
            event: Arc::new(event),
        }
    }

    fn events(&mut self, chance: &mut Chance, count: usize) -> Vec<Arrival> {
        (0..count).map(|_| self.event(chance)).collect()
    }

    fn who(&self, is: impl Fn(u32, u32) -> bool) -> BTreeSet<u64> {
        let orders = |who: &u64| self.orders.get(who).copied().unwrap_or_default();
        let belongs = |who: &u64| {
            let (all, dear) = orders(who);
            is(all, dear)
        };
        (0..CONTACTS).filter(belongs).collect()
    }
}

fn turn(engine: &mut Own, arrivals: &[Arrival]) -> Summary {
    let arrivals: Vec<&Arrival> = arrivals.iter().collect();
    engine.turn(&arrivals, now()).expect("a turn")
}

fn finish(engine: &mut Own) {
    let ends = (0..TURNS_MAX).any(|_| !turn(engine, &[]).more);
    assert!(ends, "it never ends");
    assert_eq!(building(engine), []);
}

fn building(engine: &mut Own) -> Vec<Building> {
    let assets = engine.store().assets(SWEEP).expect("lists");
    assets.iter().filter_map(building_of).collect()
}

/// Everyone is known, with a past.
fn begin(store: SqliteStore, truth: &mut Truth, chance: &mut Chance) -> Own {
    let mut engine = engine(store, &[]);
    let known: Vec<Arrival> = (0..CONTACTS)
        .map(|who| Arrival::Event {
            identities: vec![Identity::user(&who.to_string())],
            event: Arc::new(Event::track("Signed Up", now())),
        })
        .collect();
    turn(&mut engine, &known);
    for _ in 0..40 {
        let some = truth.events(chance, 10);
        turn(&mut engine, &some);
    }
    engine
}

fn members(engine: &mut Own, segment: &str) -> BTreeSet<u64> {
    let store = engine.store();
    let needs = Needs {
        segments: [segment.into()].into(),
        ..Needs::default()
    };
    let mut found = BTreeSet::new();
    for who in 0..CONTACTS {
        let identity = Identity::user(&who.to_string());
        let contact = store.find(&identity).expect("finds").expect("is known");
        let mut snapshot = store.load(&[contact]).expect("loads").remove(0);
        store.load_needs(&mut snapshot, &needs).expect("loads");
        let member = snapshot.memberships.get(&SegmentId::from(segment));
        if member.is_some_and(|one| one.member) {
            found.insert(who);
        }
    }
    found
}

#[test]
fn a_build_is_exact_while_events_arrive_and_the_program_crashes() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("workspace.db");
    let options = || SqliteOptions {
        synchronous: Synchronous::Off,
        ..SqliteOptions::default()
    };
    let open = || SqliteStore::open(&path, options()).expect("opens");
    let (mut truth, mut chance) = (Truth::default(), Chance(0xB111D));
    let mut engine = begin(open(), &mut truth, &mut chance);
    let segments = [
        segment("often", bought(3, false)),
        segment("dear", bought(2, true)),
        segment("never", Condition::Not(Box::new(bought(1, false)))),
    ];
    turn(&mut engine, &[changes(&segments, &[])]);
    let begun = building(&mut engine);
    assert_eq!(begun.len(), 1, "one pass for all");
    assert_eq!(begun[0].segments.len(), 3);
    let mut looked = Vec::new();
    for round in 0..TURNS_MAX {
        let some = truth.events(&mut chance, 3);
        let more = turn(&mut engine, &some).more;
        looked.extend(building(&mut engine).first().map(|one| one.looked));
        if !more {
            break;
        }
        if [5, 6, 21, 60].contains(&round) {
            // What is not committed is gone; where the pass stands is in the file.
            drop(engine);
            engine = self::engine(open(), &segments);
        }
    }
    assert_eq!(building(&mut engine), []);
    assert!(looked.is_sorted(), "{looked:?}");
    assert!(
        looked
            .last()
            .is_some_and(|last| *last >= CONTACTS - PAGE as u64),
        "{looked:?}"
    );
    assert_eq!(members(&mut engine, "often"), truth.who(|all, _| all >= 3));
    assert_eq!(members(&mut engine, "dear"), truth.who(|_, dear| dear >= 2));
    assert_eq!(members(&mut engine, "never"), truth.who(|all, _| all == 0));
    // And stays so, without a pass.
    for _ in 0..20 {
        let some = truth.events(&mut chance, 9);
        turn(&mut engine, &some);
    }
    finish(&mut engine);
    assert_eq!(members(&mut engine, "often"), truth.who(|all, _| all >= 3));
    assert_eq!(members(&mut engine, "never"), truth.who(|all, _| all == 0));
}

#[test]
fn a_definition_that_changes_while_it_is_built_is_built_anew() {
    let (mut truth, mut chance) = (Truth::default(), Chance(0xC4A46E));
    let store = SqliteStore::open_in_memory().expect("opens");
    let mut engine = begin(store, &mut truth, &mut chance);
    let first = [
        segment("often", bought(1, false)),
        segment("other", bought(4, false)),
    ];
    turn(&mut engine, &[changes(&first, &[])]);
    while building(&mut engine)[0].looked < CONTACTS / 2 {
        let some = truth.events(&mut chance, 1);
        turn(&mut engine, &some);
    }
    turn(
        &mut engine,
        &[changes(&[segment("often", bought(3, false))], &[])],
    );
    let both = building(&mut engine);
    let of = |one: &Building| one.segments.clone();
    let names: Vec<Vec<SegmentId>> = both.iter().map(of).collect();
    assert!(names.contains(&vec!["often".into()]), "{names:?}");
    assert!(
        names.contains(&vec!["other".into()]),
        "the other goes on: {names:?}"
    );
    // The same text again changes nothing, and begins nothing.
    turn(
        &mut engine,
        &[changes(&[segment("often", bought(3, false))], &[])],
    );
    assert_eq!(building(&mut engine).len(), 2);
    finish(&mut engine);
    assert_eq!(members(&mut engine, "often"), truth.who(|all, _| all >= 3));
    assert_eq!(members(&mut engine, "other"), truth.who(|all, _| all >= 4));
    turn(
        &mut engine,
        &[changes(&[segment("often", bought(3, false))], &[])],
    );
    assert_eq!(building(&mut engine), [], "nothing changed");
}

#[test]
fn segments_that_depend_on_a_changed_one_are_built_with_it() {
    let (mut truth, mut chance) = (Truth::default(), Chance(0xDE9));
    let store = SqliteStore::open_in_memory().expect("opens");
    let mut engine = begin(store, &mut truth, &mut chance);
    let asks = |id: &str| Condition::InSegment(id.into());
    let both = Condition::All(vec![asks("often"), asks("dear")]);
    let all = [
        // By name the dependents come first.
        segment("a-both", both),
        segment("b-not-both", Condition::Not(Box::new(asks("a-both")))),
        segment("dear", bought(1, true)),
        segment("often", bought(1, false)),
    ];
    turn(&mut engine, &[changes(&all, &[])]);
    let order = building(&mut engine).remove(0).segments;
    let place = |id: &str| {
        order
            .iter()
            .position(|one| one.as_str() == id)
            .expect("is there")
    };
    assert!(place("often") < place("a-both") && place("a-both") < place("b-not-both"));
    finish(&mut engine);
    let is_both = |all: u32, dear: u32| all >= 1 && dear >= 1;
    assert_eq!(members(&mut engine, "a-both"), truth.who(is_both));
    assert_eq!(
        members(&mut engine, "b-not-both"),
        truth.who(|all, dear| !is_both(all, dear))
    );

    turn(
        &mut engine,
        &[changes(&[segment("often", bought(4, false))], &[])],
    );
    assert_eq!(building(&mut engine)[0].segments.len(), 3, "not the other");
    finish(&mut engine);
    let is_both = |all: u32, dear: u32| all >= 4 && dear >= 1;
    assert_eq!(members(&mut engine, "a-both"), truth.who(is_both));
    assert_eq!(
        members(&mut engine, "b-not-both"),
        truth.who(|all, dear| !is_both(all, dear))
    );
}

#[test]
fn a_segment_that_is_taken_out_lets_its_members_go() {
    let (mut truth, mut chance) = (Truth::default(), Chance(0x60));
    let store = SqliteStore::open_in_memory().expect("opens");
    let mut engine = begin(store, &mut truth, &mut chance);
    let not = Condition::Not(Box::new(Condition::InSegment("often".into())));
    let both = [
        segment("not-often", not),
        segment("often", bought(1, false)),
    ];
    turn(&mut engine, &[changes(&both, &[])]);
    finish(&mut engine);
    assert!(
        members(&mut engine, "often").len() > PAGE,
        "more than a page"
    );
    turn(&mut engine, &[changes(&[], &["often"])]);
    let sweeps = engine.store().assets(SWEEP).expect("lists");
    let forgets = sweeps.iter().find_map(|asset| forgotten_by(&asset.name));
    assert_eq!(forgets, Some("often".into()));
    finish(&mut engine);
    assert_eq!(members(&mut engine, "often"), BTreeSet::new());
    assert_eq!(members(&mut engine, "not-often").len() as u64, CONTACTS);
    let listed = engine.store().segments().expect("lists");
    assert_eq!(listed.len(), 1);
    let left = engine.store().members_after(&"often".into(), None, 9);
    assert_eq!(left.expect("lists"), []);
    // Again, while the members of the old one are let go.
    turn(&mut engine, &[changes(&both[1..], &[])]);
    finish(&mut engine);
    turn(
        &mut engine,
        &[changes(&[], &["often"]), changes(&both[1..], &[])],
    );
    finish(&mut engine);
    assert_eq!(members(&mut engine, "often"), truth.who(|all, _| all >= 1));
}

#[test]
fn a_storm_begins_a_bounded_number_of_runs_a_turn() {
    let text = "\
format: journey/1
id: welcome
name: Welcome
trigger: { segment_entered: everyone }
steps:
  - wait: 1d
";
    let journey = relance_wire::journey::publish(text, 1).expect("a journey");
    let (mut truth, mut chance) = (Truth::default(), Chance(0x5704));
    let store = SqliteStore::open_in_memory().expect("opens");
    let mut engine = begin(store, &mut truth, &mut chance);
    let published = Arrival::Published {
        text: text.to_owned(),
        journey: Arc::new(journey),
        moves: Moves::Pin,
    };
    let everyone = Arc::new(Segment {
        announce: true,
        ..(*segment("everyone", Condition::All(Vec::new()))).clone()
    });
    let mut begun = Vec::new();
    let mut arrivals = vec![published, changes(&[everyone], &[])];
    for _ in 0..TURNS_MAX {
        let summary = turn(&mut engine, &arrivals);
        arrivals.clear();
        let enrolled = summary.ledger.get(&relance_core::ledger::What::Enrolled);
        begun.push(enrolled.copied().unwrap_or(0));
        if !summary.more {
            break;
        }
    }
    assert!(begun.iter().all(|count| *count <= PAGE as u64), "{begun:?}");
    const { assert!(PAGE < BUILD_CONSEQUENCES_PER_TURN_MAX) };
    assert_eq!(begun.iter().sum::<u64>(), CONTACTS, "each once");
    assert_eq!(members(&mut engine, "everyone").len() as u64, CONTACTS);
}
