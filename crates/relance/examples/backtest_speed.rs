//! How fast a backtest is, beside the walk over the same log that decides nothing, in the same run.
//!
//! `cargo run --release -p relance --example backtest_speed -- FOLDER [EVENTS] [CONTACTS] [ROUNDS]`
//!
//! A workspace is made: contacts with an address, in zones of their own, and 90 days of a shop's events of
//! random contacts. A journey about abandoned carts is in force, with two beside it, caps and quiet hours;
//! a draft of it is tried beside the version in force, so everything is decided twice. With a folder that
//! exists only the measurement is made, again.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use relance::backtest;
use relance::config::Config;
use relance::workspace::DATABASE;
use relance_core::contact::Identity;
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::journey::Moves;
use relance_engine::ports::{Asset, Change, Store, StoredJourney};
use relance_store::read::Reader;
use relance_store::{SqliteOptions, SqliteStore, Synchronous};
use serde_json::json;

const BATCH_EVENTS: u64 = 1_000;
const SPAN: SignedDuration = SignedDuration::from_hours(90 * 24);
const NAMES: [&str; 8] = [
    "Product Viewed",
    "Product Viewed",
    "Page Viewed",
    "Page Viewed",
    "Email Opened",
    "Product Added",
    "Cart Viewed",
    "Order Completed",
];
const ZONES: [&str; 5] = [
    "Europe/Moscow",
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Yekaterinburg",
];
const CONFIG: &str = r#"
[quiet_hours]
email = "21:00-09:00"

[[cap]]
channel = "email"
per = "week"
most = 3
"#;
const CART: &str = "format: journey/1
id: cart
trigger: { event: Cart Viewed }
reentry: { after: 3d }
goal: { event: Order Completed, within: 7d }
holdout: 10%
steps:
  - wait: 1h
  - send: email
    template: cart-1
  - wait: 1d
  - branch:
      - if: { did: Email Opened, within: 7d }
        then:
          - { send: email, template: cart-2 }
      - else:
          - task: Call about the cart
";
const WIN_BACK: &str = "format: journey/1
id: win-back
trigger: { inactive: 14d }
steps:
  - { send: email, template: win-back }
";
const THANKS: &str = "format: journey/1
id: thanks
trigger: { event: Order Completed }
reentry: always
steps:
  - wait: 2d
  - { send: email, template: thanks }
";

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % limit
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words[place]
    }
}

fn start() -> Timestamp {
    Timestamp::constant(1_785_000_000, 0)
}

fn event(chance: &mut Chance, n: u64, all: u64) -> Event {
    let share = n as f64 / all as f64;
    let mut event = Event::track(chance.one_of(&NAMES), start() + SPAN.mul_f64(share));
    let properties = json!({
        "product_id": format!("sku-{}", chance.below(10_000)), "price": 12.5, "currency": "EUR",
        "url": "https://shop.example/p/sku", "category": "shoes",
    });
    if let Some(fields) = properties.as_object() {
        event.properties = fields.clone();
    }
    event
}

fn seed(folder: &Path, all: u64, contacts: u64) -> Result<(), Box<dyn Error>> {
    let options = SqliteOptions {
        synchronous: Synchronous::Off,
        ..SqliteOptions::default()
    };
    let mut store = SqliteStore::open(&folder.join(DATABASE), options)?;
    let mut chance = Chance(7);
    for first in (0..contacts).step_by(BATCH_EVENTS as usize) {
        store.begin()?;
        let mut ids = Vec::new();
        for n in first..(first + BATCH_EVENTS).min(contacts) {
            let email = Identity::email(&format!("c{n}@shop.example"));
            ids.push(store.resolve(&[Identity::user(&n.to_string()), email], start())?);
        }
        let mut changes = Vec::new();
        for mut snapshot in store.load(&ids)? {
            let contact = &mut snapshot.contact;
            let id = contact.id;
            let traits = json!({
                "email": format!("c{}@shop.example", id.0 - 1),
                "timezone": chance.one_of(&ZONES),
            });
            contact
                .traits
                .extend(traits.as_object().cloned().unwrap_or_default());
            changes.push(Change {
                contact: id,
                effects: vec![Effect::Contact(Box::new(snapshot.contact))],
            });
        }
        store.write(&changes)?;
        store.commit()?;
    }
    for first in (0..all).step_by(BATCH_EVENTS as usize) {
        let one = |n| Change {
            contact: ContactId(chance.below(contacts) + 1),
            effects: vec![Effect::Event(event(&mut chance, n, all).into())],
        };
        let changes: Vec<Change> = (first..(first + BATCH_EVENTS).min(all)).map(one).collect();
        store.begin()?;
        store.write(&changes)?;
        store.commit()?;
    }
    store.begin()?;
    for (id, text) in [("cart", CART), ("win-back", WIN_BACK), ("thanks", THANKS)] {
        let stored = StoredJourney {
            id: id.into(),
            version: 1,
            text: text.to_owned(),
            current: true,
            moves: Moves::Pin,
        };
        store.put_journey(&stored, start())?;
    }
    for name in ["cart-1", "cart-2", "win-back", "thanks"] {
        let template = Asset {
            kind: "template".to_owned(),
            name: format!("{name}.en.txt"),
            body: Some("---\nsubject: From the shop\n---\nYour shop\n".to_owned()),
        };
        store.put_asset(&template, start())?;
    }
    store.commit()?;
    Ok(())
}

fn median(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[0], times[times.len() - 1])
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("name a folder")?;
    let mut number = |default: u64| args.next().map_or(Ok(default), |text| text.parse());
    let (all, contacts, rounds) = (number(1_000_000)?, number(100_000)?, number(3)?);
    let folder = Path::new(&folder);
    if !folder.exists() {
        std::fs::create_dir(folder)?;
        seed(folder, all, contacts)?;
        std::fs::write(folder.join("relance.toml"), CONFIG)?;
    }
    let config = Config::load(folder)?;
    let reader = Reader::open(&folder.join(DATABASE))?;
    let text = CART.replace("wait: 1h", "wait: 3h");
    let draft = relance_wire::journey::publish(&text, 1).map_err(|found| format!("{found:?}"))?;
    let draft = Arc::new(draft);
    let (mut walk, mut both) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let began = Instant::now();
        let mut events = 0;
        reader.history(start(), |one| {
            events += one.events.len() as u64;
            ControlFlow::Continue(())
        })?;
        walk.push(began.elapsed());

        let began = Instant::now();
        let goes_on = |_, _| ControlFlow::Continue(());
        let compared = backtest::run(
            &reader,
            &config,
            draft.clone(),
            start(),
            start() + SPAN,
            goes_on,
        )?;
        both.push(began.elapsed());
        let current = compared.current.ok_or("nothing is in force")?;
        assert_eq!((events, current.events), (all, all), "everything is told");
        println!(
            "{} events of {} contacts: {} messages beside {}; walk {:?}, backtest {:?}",
            current.events,
            current.contacts,
            compared.candidate.messages,
            current.messages,
            walk[walk.len() - 1],
            both[both.len() - 1]
        );
    }
    for (what, times) in [("walk alone", walk), ("backtest, draft and in force", both)] {
        let (middle, least, longest) = median(times);
        let rate = all as f64 / middle.as_secs_f64();
        println!("{what:<30} {rate:>9.0} events/s, median {middle:?}, {least:?} to {longest:?}");
    }
    Ok(())
}
