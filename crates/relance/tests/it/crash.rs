//! The program is killed at random points of its work, and started again on the same data folder.
//! Nothing that was in the mailbox is missed, no mail goes twice, and what cannot be known is said.
//!
//! `RELANCE_CRASH_SEED` replays one seed; `RELANCE_CRASH_SEEDS` runs so many, one after another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use relance_core::event::names;
use serde_json::Value;

use crate::daemon::User;
use crate::office::{ANNA, Office, Plan, Sent, header, told};

/// Kills in one run.
const KILLS: usize = 10;
/// Offers in one run, each to a client of its own; each brings two reminders.
const OFFERS: usize = 12;
/// Offers before each of the first kills.
const OFFERS_PER_ROUND: u32 = 3;
/// These clients answer the offer.
const REPLIERS: [usize; 2] = [3, 8];
/// The seed of every ordinary run.
const SEED: u64 = 2_026;
/// How long a kill waits for a message to be about to leave.
const WIRE_MAX: Duration = Duration::from_secs(4);

/// What one run showed.
#[derive(Debug, Default)]
struct Tally {
    delivered: usize,
    /// Settled as unknown; they were delivered all the same.
    unknown_delivered: usize,
    /// Settled as unknown, and never delivered.
    unknown_lost: usize,
    /// Messages that were leaving at a kill: only of those it may be unknown whether they went.
    leaving: BTreeSet<String>,
}

/// A small generator (SplitMix64): the seed is the whole run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.next() % below)
    }
}

#[test]
fn killed_at_ten_random_points_nothing_is_lost_and_nothing_goes_twice() {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(
            text.parse::<u64>()
                .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        )
    };
    let first = number("RELANCE_CRASH_SEED").unwrap_or(SEED);
    for seed in first..first + number("RELANCE_CRASH_SEEDS").unwrap_or(1) {
        eprintln!("RELANCE_CRASH_SEED={seed}");
        let Some(tally) = run(seed) else { return };
        eprintln!("{tally:?}");
        // Between the last line of the log and the body there are microseconds: a kill may meet them.
        assert!(tally.unknown_lost <= 1, "lost {}", tally.unknown_lost);
    }
}

fn client(at: usize) -> String {
    format!("client@company{at}.test")
}

fn run(seed: u64) -> Option<Tally> {
    let mut chance = Chance(seed);
    let mut plan = Plan::new((0..OFFERS).map(|at| User::new(&client(at))).collect());
    plan.wait = "1s";
    let mut office = Office::start(plan)?;
    let begun = Instant::now();
    let mut tally = Tally::default();
    let mut offers: Vec<Sent> = Vec::new();
    for kill in 0..KILLS {
        // Some offers in each of the first rounds, at any moment of it.
        let pause = chance.millis(400);
        for _ in 0..OFFERS_PER_ROUND {
            if offers.len() < OFFERS {
                let at = offers.len();
                let offer = office.offer(&client(at));
                if REPLIERS.contains(&at) {
                    office.write(&client(at), Some(&offer), "We take both pumps.");
                }
                offers.push(offer);
                std::thread::sleep(pause / OFFERS_PER_ROUND);
            }
        }
        // Later kills come when a message is about to leave, if one soon is.
        let log = office.data().join("wire.log");
        let before = length(&log);
        if kill >= KILLS / 2 && grows(&log, before) {
            std::thread::sleep(Duration::from_micros(chance.next() % 20_000));
        } else {
            std::thread::sleep(chance.millis(1_200));
        }
        office.kill_program();
        tally.leaving.extend(leaving(&log));
        office.start_program();
    }
    told("the last kill", begun);
    check(&office, &offers, &mut tally);
    told("every run ended", begun);
    office.stop_program();
    Some(tally)
}

/// Waits, closely, until a file grows; in vain if nothing is written to it in time.
fn grows(path: &Path, from: u64) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < WIRE_MAX {
        if length(path) > from {
            return true;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    false
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |data| data.len())
}

/// Messages whose bodies were being handed over, without the mail server's answer.
fn leaving(log: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let mut leaving = BTreeSet::new();
    for line in text.lines() {
        let id = line.split(' ').next().unwrap_or_default();
        if line.ends_with(">;") {
            leaving.insert(id.to_owned());
        } else if line.ends_with("+;") || line.ends_with("-;") {
            leaving.remove(id);
        }
    }
    leaving
}

fn check(office: &Office, offers: &[Sent], tally: &mut Tally) {
    for (at, offer) in offers.iter().enumerate() {
        let email = client(at);
        office.document(offer);
        let contact = office.contact(&email);
        let ledger = office.wait("the end of the run", || {
            let ledger = office.ledger(&contact);
            let ended = |line: &Value| line["what"] == "finished" || line["what"] == "exited";
            ledger.iter().any(ended).then_some(ledger)
        });
        let count = |name: &str| {
            let events = office.events(&contact);
            events.iter().filter(|event| *event == name).count()
        };
        assert_eq!(count(names::DOCUMENT_SENT), 1, "{email}");
        assert_eq!(
            count(names::REPLIED),
            usize::from(REPLIERS.contains(&at)),
            "{email}"
        );
        let received = by_id(&office.dovecot.list(&email, "INBOX"));
        assert!(
            received.values().all(|count| *count == 1),
            "twice: {received:?}"
        );
        assert_eq!(received.get(&format!("<{}>", offer.id)), Some(&1));
        let filed = by_id(&office.dovecot.list(ANNA, "Sent"));

        let mut reminders = 0;
        for line in &ledger {
            let (what, reason) = (line["what"].as_str(), line["reason"].as_str());
            let id = line["touchpoint"].as_str().unwrap_or_default();
            let its = |mails: &BTreeMap<String, usize>| {
                let found = mails.iter().find(|(name, _)| name.contains(id));
                found.map_or(0, |(_, count)| *count)
            };
            match (what, reason) {
                (Some("sent"), _) => {
                    // The server took it; it may still be on its way.
                    office.wait("a reminder that was sent", || {
                        let now = by_id(&office.dovecot.list(&email, "INBOX"));
                        (its(&now) == 1).then_some(())
                    });
                    assert_eq!(its(&filed), 1, "copies of {id} in Sent");
                    tally.delivered += 1;
                    reminders += 1;
                }
                (Some("failed"), Some("unknown")) => {
                    assert!(tally.leaving.contains(id), "why is {id} unknown?");
                    match its(&received) {
                        0 => tally.unknown_lost += 1,
                        _ => tally.unknown_delivered += 1,
                    }
                    reminders += 1;
                }
                (Some("failed"), _) => panic!("{line}"),
                _ => {}
            }
        }
        let expected = if REPLIERS.contains(&at) { 0 } else { 2 };
        assert_eq!(reminders, expected, "{email}: {ledger:#?}");
        assert!(received.len() <= 1 + expected, "{received:?}");
    }
    assert_eq!(office.items("/api/v1/documents").len(), offers.len());
    let filed = by_id(&office.dovecot.list(ANNA, "Sent"));
    assert!(
        filed.values().all(|count| *count == 1),
        "filed twice: {filed:?}"
    );
}

/// How often each Message-ID is there.
fn by_id(mails: &[Vec<u8>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in mails {
        *counts
            .entry(header(mail, "Message-ID").unwrap_or_default())
            .or_default() += 1;
    }
    counts
}
