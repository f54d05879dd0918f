//! Several engines on one database: they come, go and are killed, and each event is decided once, each message
//! leaves once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::{ContactId, JourneyId, MailboxId, TouchpointId};
use relance_core::journey::{Journey, Moves};
use relance_core::ledger::Reason;
use relance_core::touchpoint::{Outcome, TouchpointState};
use relance_core::value::Fields;
use relance_core::world::World;
use relance_engine::arrival::Arrival;
use relance_engine::ports::{Dispatch, Dispatcher, Store, StoreError};
use relance_engine::sharing::{Held, Node, part_of};
use relance_engine::turn::Engine;
use relance_store::postgres::PostgresOptions;
use relance_store::testing::postgres::Server;
use relance_store::{AnyStore, DatabaseUrl, Place, Reader};

/// People in the town.
const PEOPLE: u64 = 60;
/// Things that happen in one story.
const STEPS: u32 = 400;
const NAMES: [&str; 3] = ["a", "b", "c"];
/// A lease that only the story itself lets end.
const LONG: Duration = Duration::from_secs(600);

const ASKED: &str = "format: journey/1
id: answer
trigger: { event: Asked }
reentry: always
steps:
  - send: email
    template: hello
";
const ONCE: &str = "format: journey/1
id: once
trigger: { event: Asked }
reentry: once
steps:
  - wait: 1m
  - send: email
    template: hello
";
const LATER: &str = "format: journey/1
id: later
trigger: { event: Told }
reentry: always
steps:
  - send: email
    template: hello
";

fn journey(text: &str) -> Arc<Journey> {
    Arc::new(relance_wire::journey::publish(text, 1).expect("a journey"))
}

fn published(text: &str) -> Arrival {
    Arrival::Published {
        text: text.to_owned(),
        journey: journey(text),
        moves: Moves::Pin,
    }
}

fn arrival(person: u64, event: Event) -> Arrival {
    Arrival::Event {
        identities: vec![
            Identity::user(&person.to_string()),
            Identity::email(&format!("p{person}@client.test")),
        ],
        event: Arc::new(event),
    }
}

fn happens(person: u64, name: &str, n: usize, at: Timestamp) -> Arrival {
    let mut event = Event::track(name, at);
    event.message_id = Some(format!("{person}-{name}-{n}").into());
    arrival(person, event)
}

/// Everybody says who they are.
fn introduces(at: Timestamp) -> Vec<Arrival> {
    let one = |person: u64| {
        let email = format!("p{person}@client.test");
        let mut traits = Fields::new();
        traits.insert("email".to_owned(), email.into());
        arrival(person, Event::identify(traits, at))
    };
    (0..PEOPLE).map(one).collect()
}

/// What one node has under way, and what it still has to report.
#[derive(Default)]
struct Van {
    under_way: BTreeMap<TouchpointId, u8>,
    reports: Vec<Arrival>,
}

type Shared = Arc<Mutex<Van>>;

fn settle(id: TouchpointId, attempt: u8, outcome: Outcome) -> Arrival {
    Arrival::Input {
        contact: id.contact,
        input: Input::Settle {
            touchpoint: id,
            attempt,
            outcome,
        },
    }
}

struct Driver(Shared);

impl Dispatcher for Driver {
    fn capacity(&self) -> usize {
        100
    }
    fn dispatch(&mut self, messages: Vec<Dispatch>) {
        let mut van = self.0.lock().unwrap();
        for one in messages {
            van.under_way
                .insert(one.touchpoint.id, one.touchpoint.attempts);
        }
    }
    fn revoke(&mut self, _: TouchpointId) {}
    fn request_sync(&mut self, _: &MailboxId) {}
}

/// The program round the engine of a node.
struct House(Shared);

impl Node<AnyStore> for House {
    fn reload(&mut self, store: &mut AnyStore, world: &mut World) -> Result<(), StoreError> {
        let mut fresh = empty();
        for stored in store.journeys()? {
            fresh.add_journey(journey(&stored.text), stored.moves, stored.current);
        }
        fresh.synced = std::mem::take(&mut world.synced);
        fresh.set_all_paused(world.set_all_paused(BTreeSet::new()));
        *world = fresh;
        Ok(())
    }

    fn hold(&mut self, _: &mut AnyStore, held: &Held) -> Result<(), StoreError> {
        let mut van = self.0.lock().unwrap();
        let lost: Vec<_> = van
            .under_way
            .iter()
            .filter(|(id, _)| held.lost.contains(&part_of(id.contact)))
            .map(|(id, attempt)| (*id, *attempt))
            .collect();
        for (id, attempt) in lost {
            van.under_way.remove(&id);
            van.reports
                .push(settle(id, attempt, Outcome::Postponed { seconds: 1 }));
        }
        Ok(())
    }

    fn find_out(&mut self, messages: Vec<(Dispatch, bool)>) {
        let mut van = self.0.lock().unwrap();
        for (one, _) in messages {
            let (id, attempt) = (one.touchpoint.id, one.touchpoint.attempts);
            if !van.under_way.contains_key(&id) {
                van.reports.push(settle(id, attempt, Outcome::Unknown));
            }
        }
    }

    fn is_configuration(&self, _: &str) -> bool {
        false
    }
}

fn empty() -> World {
    let mut world = World::new(crate::found::policy(), 7);
    let facts = relance_core::policy::TemplateFacts::default();
    world.templates.insert("hello".into(), facts);
    world
}

struct Machine {
    engine: Engine<AnyStore, Driver>,
    van: Shared,
}

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

struct Town<'s> {
    server: &'s Server,
    schema: String,
    place: Place,
    nodes: BTreeMap<&'static str, Machine>,
    dice: Dice,
    now: Timestamp,
    /// Told and not acknowledged yet.
    waiting: Vec<Arrival>,
    asked: BTreeMap<u64, usize>,
    delivered: Rc<RefCell<BTreeMap<TouchpointId, usize>>>,
}

impl<'s> Town<'s> {
    fn new(server: &'s Server, seed: u64) -> Self {
        let schema = format!("town_{seed}");
        let url = DatabaseUrl::parse(&server.url(&schema)).expect("a URL");
        Self {
            server,
            schema,
            place: Place::Server(url),
            nodes: BTreeMap::new(),
            dice: Dice(seed),
            now: "2026-11-02T08:00:00Z".parse().unwrap(),
            waiting: Vec::new(),
            asked: BTreeMap::new(),
            delivered: Rc::default(),
        }
    }

    fn join(&mut self, name: &'static str) {
        let options = PostgresOptions::default().with_lease(name, LONG);
        let store = AnyStore::open_with(&self.place, options).expect("opens");
        let van = Shared::default();
        let title = Box::new(|text: &str, _: &_, _: &_| text.to_owned());
        let driver = Driver(van.clone());
        let mut engine = Engine::new(store, driver, empty(), title).expect("an engine");
        engine.share(Box::new(House(van.clone()))).expect("shares");
        self.nodes.insert(name, Machine { engine, van });
    }

    /// The program ends without a word; later the others notice.
    fn kill(&mut self, name: &'static str) {
        if self.nodes.remove(name).is_some() && !self.nodes.is_empty() {
            self.server.expire(&self.schema, name);
        }
    }

    fn beat_all(&mut self) {
        for machine in self.nodes.values_mut() {
            machine.engine.beat().expect("beats");
        }
    }

    /// Mail servers take what is under way, one after the other; not every answer has come when a node dies.
    fn drive(&mut self, name: &str) {
        let Some(machine) = self.nodes.get_mut(name) else {
            return;
        };
        let mut van = machine.van.lock().unwrap();
        while let Some((id, attempt)) = van.under_way.pop_first() {
            *self.delivered.borrow_mut().entry(id).or_default() += 1;
            van.reports.push(settle(id, attempt, Outcome::Accepted));
        }
    }

    /// One turn of a node with what it has to report, and `arrivals`.
    fn turn(&mut self, name: &str, arrivals: Vec<Arrival>) {
        let Some(machine) = self.nodes.get_mut(name) else {
            self.waiting.extend(arrivals);
            return;
        };
        let mut told = arrivals;
        let callers = told.len();
        let reports = std::mem::take(&mut machine.van.lock().unwrap().reports);
        told.extend(reports);
        let all: Vec<&Arrival> = told.iter().collect();
        let done = machine
            .engine
            .catch_up()
            .and_then(|_| machine.engine.turn(&all, self.now));
        if let Err(error) = done {
            let reports = told.split_off(callers);
            machine.van.lock().unwrap().reports.extend(reports);
            self.waiting.extend(told);
            match error.remedy() {
                relance_engine::ports::Remedy::StandDown => {
                    machine.engine.stand_down();
                    machine.engine.beat().expect("begins anew");
                }
                relance_engine::ports::Remedy::RetryLater => {}
                relance_engine::ports::Remedy::PageOperator
                | relance_engine::ports::Remedy::JudgeAnew => panic!("{error}"),
            }
        }
    }

    fn any_node(&mut self) -> &'static str {
        NAMES[usize::try_from(self.dice.below(3)).unwrap()]
    }

    fn asks(&mut self) -> Arrival {
        let person = self.dice.below(PEOPLE);
        let count = self.asked.entry(person).or_default();
        *count += 1;
        happens(person, "Asked", *count, self.now)
    }

    /// Whose a contact is.
    fn holder(&mut self, contact: ContactId) -> &'static str {
        let holds = |machine: &mut Machine| {
            let store = machine.engine.store().sharing();
            store.is_some_and(|store| store.holds(part_of(contact)))
        };
        let mut nodes = self.nodes.iter_mut();
        let found = nodes.find_map(|(name, machine)| holds(machine).then_some(*name));
        found.expect("somebody holds it")
    }

    /// Lets everything come to rest.
    fn rest(&mut self) {
        for name in NAMES {
            if !self.nodes.contains_key(name) {
                self.join(name);
            }
        }
        for _ in 0..40 {
            self.now += SignedDuration::from_secs(30);
            self.beat_all();
            for name in NAMES {
                let told = std::mem::take(&mut self.waiting);
                self.turn(name, told);
                self.drive(name);
            }
        }
        assert!(self.waiting.is_empty(), "all is acknowledged");
    }
}

fn a_story(server: &Server, seed: u64) {
    let mut town = Town::new(server, seed);
    town.join("a");
    town.turn("a", vec![published(ASKED), published(ONCE)]);
    town.join("b");
    town.waiting = introduces(town.now);
    for _ in 0..STEPS {
        let name = town.any_node();
        match town.dice.below(20) {
            0 => town.kill(name),
            1 | 2 => {
                if !town.nodes.contains_key(name) {
                    town.join(name);
                }
            }
            3..=5 => town.beat_all(),
            6..=9 => town.drive(name),
            10 | 11 => town.now += SignedDuration::from_secs(20),
            _ => {
                let mut told = std::mem::take(&mut town.waiting);
                told.push(town.asks());
                town.turn(name, told);
            }
        }
    }
    town.rest();

    let reader = Reader::open_place(&town.place).expect("a reader");
    let mut unknown = 0;
    for (person, count) in &town.asked {
        let name = Identity::user(&person.to_string());
        let contact = reader.find_contact(&name).expect("reads").expect("known");
        let all = messages(&reader, contact);
        let events = reader.events(contact, None, 200).expect("a page").items;
        let asked = events
            .iter()
            .filter(|one| one.event.name.as_str() == "Asked");
        assert_eq!(asked.count(), *count, "person {person} of seed {seed}");
        let lines = reader
            .ledger_of_contact(contact, None, 200)
            .expect("a page");
        let lines = lines.items.iter();
        let still = lines.filter(|line| {
            let own = line.entry.journey.as_ref().map(JourneyId::as_str) == Some("answer");
            own && line.entry.reason == Some(Reason::AlreadyEnrolled)
        });
        // One each time that none was on its way, and one once.
        assert_eq!(
            all.len() + still.count(),
            count + 1,
            "person {person} of seed {seed}"
        );
        for (id, state) in all {
            let times = town.delivered.borrow().get(&id).copied().unwrap_or(0);
            match state {
                Outcome::Accepted => assert_eq!(times, 1, "{id} of seed {seed}"),
                // Its sender died with it: delivered or not, and never again.
                Outcome::Unknown => {
                    unknown += 1;
                    assert!(times <= 1, "{id} of seed {seed}");
                }
                other => panic!("{id} of seed {seed} ended {other:?}"),
            }
        }
    }
    let all: usize = town.asked.values().sum();
    assert!(unknown < all, "all of {all} are in doubt");
}

/// Messages of a contact with how they ended.
fn messages(reader: &Reader, contact: ContactId) -> Vec<(TouchpointId, Outcome)> {
    let page = reader
        .touchpoints_of_contact(contact, None, 200)
        .expect("a page");
    let ended = page.items.into_iter().map(|one| match one.state {
        TouchpointState::Settled { outcome, .. } => (one.id, outcome),
        other => panic!("{} is not at rest: {other:?}", one.id),
    });
    ended.collect()
}

#[test]
fn nodes_come_and_go_and_each_message_leaves_once() {
    let Some(server) = Server::start() else {
        return;
    };
    for seed in 1..=3 {
        a_story(&server, seed);
    }
    // As many more as one likes: `RELANCE_SIM_SEEDS=N [RELANCE_SIM_FROM=K]`.
    let count = crate::number("RELANCE_SIM_SEEDS").unwrap_or(0) / 20;
    let from = crate::number("RELANCE_SIM_FROM").unwrap_or(1_000);
    for seed in from..from + count {
        a_story(&server, seed);
    }
}

#[test]
fn what_one_node_publishes_the_others_go_by_and_what_stands_still_stands_everywhere() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut town = Town::new(&server, 99);
    town.join("a");
    town.join("b");
    town.beat_all();
    town.beat_all();
    town.turn("b", vec![published(LATER)]);
    let mut everybody = introduces(town.now);
    let half = everybody.split_off(everybody.len() / 2);
    town.turn("a", everybody);
    town.turn("b", half);
    let now = town.now;
    let everyone = |n| {
        (0..PEOPLE)
            .map(move |person| happens(person, "Told", n, now))
            .collect()
    };
    // Both know of it; what concerns contacts of the other is handed over.
    town.turn("a", everyone(1));
    let under_way = |town: &mut Town<'_>| {
        for name in ["a", "b", "a"] {
            town.turn(name, Vec::new());
        }
        let counts = town
            .nodes
            .values()
            .map(|one| one.van.lock().unwrap().under_way.len());
        counts.sum::<usize>()
    };
    assert_eq!(under_way(&mut town), usize::try_from(PEOPLE).unwrap());
    town.drive("a");
    town.drive("b");
    town.turn("a", vec![Arrival::Paused(JourneyId::from("later"))]);
    town.turn("b", everyone(2));
    assert_eq!(under_way(&mut town), 0, "it stands still on both");

    // A merge across nodes: the partition comes to whoever holds the survivor.
    let reader = Reader::open_place(&town.place).expect("a reader");
    let who = |person: u64| {
        let name = Identity::user(&person.to_string());
        reader.find_contact(&name).expect("reads").expect("known")
    };
    let everybody: Vec<ContactId> = (0..PEOPLE).map(who).collect();
    let (survivor, own) = (everybody[0], town.holder(everybody[0]));
    let mut others = everybody.into_iter();
    let absorbed = others.find(|other| town.holder(*other) != own);
    let absorbed = absorbed.expect("a contact of the other node");
    let merge = Arrival::Merge {
        survivor,
        absorbed,
        by: "test".into(),
    };
    town.turn("a", vec![merge]);
    for _ in 0..4 {
        town.now += SignedDuration::from_secs(1);
        town.beat_all();
        for name in ["a", "b"] {
            town.turn(name, Vec::new());
        }
    }
    let gone = reader.contact(absorbed).expect("reads").expect("known");
    assert_eq!(gone.merged_into, Some(survivor));
}
