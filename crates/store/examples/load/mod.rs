//! What benchmarks of a whole engine share: events, segments about them, and an engine over any store.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use relance_core::condition::{Condition, Did, Operand, Test};
use relance_core::contact::Identity;
use relance_core::event::Event;
use relance_core::ids::{MailboxId, TouchpointId};
use relance_core::journey::Holdout;
use relance_core::policy::{Policy, ServiceExemption};
use relance_core::segment::{Rule, Segment};
use relance_core::time::{Calendar, Zone};
use relance_core::value::{FieldPath, Root};
use relance_core::world::World;
use relance_engine::arrival::{Arrival, DefinedSegments, SegmentChanges};
use relance_engine::ports::{Dispatch, Dispatcher, Store};
use relance_engine::turn::Engine;
use serde_json::json;

pub type Failure = Box<dyn Error>;

pub const BATCH: usize = 1_000;
/// Names that happen; the first is a twentieth of the log, the second half of it.
pub const NAMES: [&str; 20] = [
    "Order Completed",
    "Page Viewed",
    "Product Viewed",
    "Cart Viewed",
    "Email Opened",
    "Signed Up",
    "Product Added",
    "Checkout Started",
    "Product Removed",
    "Coupon Entered",
    "Wishlist Viewed",
    "Search Made",
    "Review Written",
    "Form Submitted",
    "Video Played",
    "App Opened",
    "Logged In",
    "Logged Out",
    "Price Asked",
    "Chat Begun",
];

pub struct Nowhere;

impl Dispatcher for Nowhere {
    fn capacity(&self) -> usize {
        usize::MAX
    }
    fn dispatch(&mut self, _messages: Vec<Dispatch>) {}
    fn revoke(&mut self, _id: TouchpointId) {}
    fn request_sync(&mut self, _mailbox: &MailboxId) {}
}

pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % limit
    }
}

/// The end of the log that is made; ninety days lie before it.
pub fn now() -> Timestamp {
    Timestamp::constant(1_800_000_000, 0)
}

pub fn name_of(chance: &mut Chance) -> &'static str {
    match chance.below(100) {
        0..5 => NAMES[0],
        5..55 => NAMES[1],
        _ => NAMES[2 + chance.below(18) as usize],
    }
}

pub fn event(chance: &mut Chance, at: Timestamp) -> Event {
    let mut event = Event::track(name_of(chance), at);
    let price = chance.below(20_000) as f64 / 100.0;
    let properties = json!({
        "product_id": format!("sku-{}", chance.below(10_000)), "price": price, "currency": "EUR",
        "url": "https://shop.example/p/sku", "category": "shoes",
    });
    if let Some(fields) = properties.as_object() {
        event.properties = fields.clone();
    }
    event
}

pub fn did(
    name: &str,
    times: u32,
    within: &str,
    filter: Option<Condition>,
) -> Result<Condition, Failure> {
    Ok(Condition::Did(Did {
        event: name.into(),
        times_min: times,
        times_max: None,
        within: Some(within.parse()?),
        filter: filter.map(Box::new),
        then: None,
    }))
}

pub fn price_from(least: f64) -> Result<Condition, Failure> {
    Ok(Condition::Field {
        path: FieldPath::parse("event.price", Some(Root::Event))
            .map_err(|problem| format!("{problem:?}"))?,
        test: Test::Gte(Operand::Value(json!(least))),
    })
}

pub fn segment(id: &str, condition: Condition) -> Arc<Segment> {
    Arc::new(Segment {
        id: id.into(),
        name: id.to_owned(),
        rule: Rule::When(condition),
        sets: None,
        announce: false,
    })
}

/// Segments, five about each of the names that happen, the others about other names.
pub fn segments(count: usize) -> Result<Vec<Arc<Segment>>, Failure> {
    let one = |n: usize| {
        let name = match NAMES.get(n / 5) {
            Some(name) => (*name).to_owned(),
            None => format!("Never {}", n / 5),
        };
        let times = [1, 2, 3, 5, 2][n % 5];
        let filter = (n % 5 == 4).then(|| price_from(150.0)).transpose()?;
        let within = ["7d", "14d", "30d", "30d", "30d"][n % 5];
        Ok(segment(
            &format!("segment-{n}"),
            did(&name, times, within, filter)?,
        ))
    };
    (0..count).map(one).collect()
}

/// An engine over a store, with segments in force.
pub fn engine<S: Store>(
    store: S,
    segments: &[Arc<Segment>],
) -> Result<Engine<S, Nowhere>, Failure> {
    let policy = Policy {
        zone: Zone::parse("Europe/Berlin")?,
        calendar: Arc::new(Calendar::weekends_only()),
        quiet_hours: BTreeMap::new(),
        caps: Vec::new(),
        opt_in_topics: Default::default(),
        internal_domains: Default::default(),
        freemail_domains: Default::default(),
        trait_types: relance_core::typed::TraitTypes::new(),
        approval_expiry: "3d".parse()?,
        service: ServiceExemption::ALL,
        holdout: Holdout::default(),
    };
    let title = Box::new(|title: &str, _: &_, _: &_| title.to_owned());
    let mut world = World::new(policy, 1);
    for segment in segments {
        world.add_segment(segment.clone());
    }
    Ok(Engine::new(store, Nowhere, world, title)?)
}

pub fn define(segments: Vec<Arc<Segment>>) -> Arrival {
    Arrival::Segments(SegmentChanges {
        defined: vec![DefinedSegments {
            text: "a definition".to_owned(),
            segments,
        }],
        ..SegmentChanges::default()
    })
}

pub fn user(n: u64) -> String {
    format!("user-{n:08}")
}

pub fn memory(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|one| one.strip_prefix(line))
        .unwrap_or("0");
    let kib = line
        .split_whitespace()
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1_024.0
}

/// Processor time of this process so far: on a machine with other work it moves less than the clock.
pub fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|one| one.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

/// The next events, from random contacts.
pub fn arrivals(chance: &mut Chance, next: &mut u64, count: usize, contacts: u64) -> Vec<Arrival> {
    let one = |_| {
        *next += 1;
        let at = now() + SignedDuration::from_millis((*next / 20) as i64);
        let mut event = event(chance, at);
        event.message_id = Some(format!("message-{next}").into());
        let who = 1 + chance.below(contacts);
        Arrival::Event {
            identities: vec![Identity::user(&user(who))],
            event: Arc::new(event),
        }
    };
    (0..count).map(one).collect()
}
