//! Journeys that wait for something of each contact, published when the contacts are there already.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance::config::Config;
use relance::workspace::Workspace;
use relance_core::contact::Identity;
use relance_core::event::Event;
use relance_core::ledger::What;
use relance_engine::arrival::Arrival;
use relance_engine::clock::{Clock as _, VirtualClock};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::server::{path_text, relance, until};

use super::{done, folder, inside};

/// More than one page of a sweep.
const CONTACTS: usize = 620;

const STILL: &str = "format: journey/1
id: still
trigger: { inactive: 7d, event: Lesson Viewed }
steps:
  - set: { still: true }
";
const BIRTHDAY: &str = "format: journey/1
id: birthday
trigger: { date: contact.birthday, at: \"09:00\", yearly: true }
steps:
  - set: { birthday_seen: true }
";
const NEWS: &str = "format: journey/1
id: news
trigger: { schedule: { days: tue, at: \"10:00\" } }
steps:
  - set: { news_seen: true }
";

fn start() -> Timestamp {
    // A Monday.
    "2027-03-01T12:00:00Z".parse().expect("a moment")
}

fn open(runtime: &Runtime, data: &Path, clock: &Arc<VirtualClock>) -> Arc<Workspace> {
    let _within = runtime.enter();
    let config = Config::load(data).expect("a configuration");
    Workspace::open(data, config, clock.clone()).expect("opens")
}

fn zone(n: usize) -> &'static str {
    ["Asia/Tokyo", "America/New_York"][n % 2]
}

/// When a journey enrolled a contact, in the contact's own time.
fn enrolled(workspace: &Workspace, n: usize, journey: &str) -> Vec<String> {
    let reader = &workspace.reader;
    let found = reader.find_contact(&Identity::user(&format!("u{n}")));
    let contact = found.expect("reads").expect("the contact");
    let page = reader.ledger_of_contact(contact, None, 100).expect("reads");
    let own = page.items.iter().map(|line| &line.entry).filter(|entry| {
        entry.what == What::Enrolled
            && entry
                .journey
                .as_ref()
                .is_some_and(|id| id.as_str() == journey)
    });
    let local = |at: Timestamp| {
        at.in_tz(zone(n))
            .expect("a zone")
            .strftime("%F %H:%M")
            .to_string()
    };
    own.map(|entry| local(entry.at)).collect()
}

/// Lets the clock run in steps that the engine can follow.
fn pass(workspace: &Workspace, runtime: &Runtime, clock: &VirtualClock, hours: i64) {
    for _ in 0..hours {
        clock.advance(SignedDuration::from_hours(1));
        // Once this is taken, so is what was due.
        for _ in 0..3 {
            runtime
                .block_on(workspace.submit(Vec::new(), 0))
                .expect("taken");
        }
    }
}

#[test]
fn what_is_published_later_waits_for_every_contact_that_is_there() {
    let data = TempDir::new().expect("a folder");
    let data = data.path();
    let made = relance(&["init", "--json", "--data", path_text(data)]);
    assert!(made.status.success(), "{made:?}");
    let runtime = Runtime::new().expect("a runtime");
    let clock = Arc::new(VirtualClock::new(start()));
    let workspace = open(&runtime, data, &clock);
    let mut arrivals = Vec::new();
    for n in 0..CONTACTS {
        let traits = json!({ "timezone": zone(n), "birthday": "1990-03-05" });
        let traits = traits.as_object().expect("fields").clone();
        for event in [
            Event::identify(traits, start()),
            Event::track("Lesson Viewed", start()),
        ] {
            arrivals.push(Arrival::Event {
                identities: vec![Identity::user(&format!("u{n}"))],
                event: Arc::new(event),
            });
        }
    }
    runtime
        .block_on(workspace.submit(arrivals, 1_000_000))
        .expect("taken");
    workspace.stop();
    drop(workspace);

    let scenario = folder(&[
        ("still.yaml", STILL),
        ("birthday.yaml", BIRTHDAY),
        ("news.yaml", NEWS),
    ]);
    done(&inside(data, &["apply", path_text(scenario.path())]));
    let workspace = open(&runtime, data, &clock);
    let sweeps = || workspace.reader.texts("sweep").expect("reads").len();
    until("the sweeps to end", || (sweeps() == 0).then_some(()));
    // Every contact has its three moments.
    let timers = workspace.reader.totals().expect("reads").timers;
    assert_eq!(timers, 3 * CONTACTS as u64);
    pass(&workspace, &runtime, &clock, 9 * 24);
    for n in [0, 1, 499, 500, 501, CONTACTS - 1] {
        let mut news = enrolled(&workspace, n, "news");
        news.sort();
        assert_eq!(news, ["2027-03-02 10:00", "2027-03-09 10:00"], "u{n}");
        assert_eq!(
            enrolled(&workspace, n, "birthday"),
            ["2027-03-05 09:00"],
            "u{n}"
        );
        // Counted from the last lesson: it was Monday at noon in Greenwich.
        let still = match zone(n) {
            "Asia/Tokyo" => "2027-03-08 21:00",
            _new_york => "2027-03-08 07:00",
        };
        assert_eq!(enrolled(&workspace, n, "still"), [still], "u{n}");
    }
    let own = workspace.reader.journey_list().expect("reads");
    assert_eq!(own.len(), 3);
    assert!(clock.now() > start());
    workspace.stop();
}
