//! Many at once: ten thousand people due in the same second, more changes than a loop may have.

use std::fmt::Write as _;

use relance_core::contact::Contact;
use relance_core::decide::{CHAIN_MAX, Input};
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::ledger::{Reason, What};
use relance_core::play::{Play, Seen};
use std::sync::Arc;

use crate::story::check;
use crate::story::world::StoryWorld;

const PEOPLE: u64 = 10_000;

#[test]
fn ten_thousand_people_due_the_same_second_get_one_message_each() {
    let story = StoryWorld::read(&[
        "journey hello: on Ping",
        "  wait 1d",
        "  email welcome",
        "  wait 1d",
        "  email more",
    ]);
    let mut play = Play::new(story.world.clone());
    for id in 1..=PEOPLE {
        let mut contact = Contact::new(ContactId(id), jiff::Timestamp::UNIX_EPOCH);
        let address = format!("c{id}@client.test");
        contact.traits.insert("email".to_owned(), address.into());
        play.add(contact);
    }
    let start = story.zone.at("2026-03-02T10:00:00".parse().unwrap());
    play.pass(start, &mut |_, _, _| {});
    for id in 1..=PEOPLE {
        let event = Input::Event(Arc::new(Event::track("Ping", start)));
        play.input(ContactId(id), &event, &mut |_, _, _| {});
    }
    let mut sent = vec![0u32; PEOPLE as usize + 1];
    let mut finished = 0u64;
    let due = start + jiff::SignedDuration::from_hours(24);
    let mut moments = std::collections::BTreeSet::new();
    play.pass(
        due + jiff::SignedDuration::from_secs(1),
        &mut |at, contact, seen| {
            if let Seen::WouldSend(_) = seen {
                sent[contact.id.0 as usize] += 1;
                moments.insert(at);
            }
        },
    );
    assert!(sent[1..].iter().all(|count| *count == 1));
    assert_eq!(moments.into_iter().collect::<Vec<_>>(), [due]);
    play.pass(
        due + jiff::SignedDuration::from_hours(48),
        &mut |_, _, seen| {
            if let Seen::Ledger(line) = seen {
                finished += u64::from(line.what == What::Finished);
            }
        },
    );
    assert_eq!(finished, PEOPLE);
    // Nothing is left behind that would grow: no run, no message, no timer.
    for id in 1..=PEOPLE {
        let snapshot = play.contact(ContactId(id)).unwrap();
        assert!(snapshot.enrollments.is_empty() && snapshot.touchpoints.is_empty());
    }
    assert_eq!(play.next_moment(), None);
}

#[test]
fn more_changes_at_once_than_a_loop_may_have_are_no_loop() {
    let mut story = String::from("\n== many\n");
    let (mut told, mut seen) = (String::new(), String::new());
    for at in 10..60 {
        writeln!(
            story,
            "journey j{at}: changed contact.f{at}\n  task \"{at}\""
        )
        .unwrap();
        write!(told, " f{at}=1").unwrap();
        write!(seen, "; enrolled j{at}; task {at}; finished j{at}").unwrap();
    }
    story.push_str("journey last: date contact.g\n  task \"date\"\n");
    let seen = seen.trim_start_matches("; ");
    writeln!(
        story,
        "2026-03-02 10:00  identify{told} g=2026-03-03 -> {seen}"
    )
    .unwrap();
    story.push_str("2026-03-04 10:00  -> enrolled last; task date; finished last\n");
    check(&story);
}

#[test]
fn a_run_too_many_is_refused_and_says_so() {
    use relance_core::decide::RUNS_MAX;
    let mut story = String::from(
        "\n== many\njourney offer: on Sent about document\n  wait 1d\n  task \"Call\"\n",
    );
    for at in 0..RUNS_MAX {
        writeln!(story, "2026-03-02 10:00  Sent document=d{at} -> enrolled").unwrap();
    }
    story.push_str("2026-03-02 10:00  Sent document=more -> not_enrolled too_many\n");
    let ended = vec!["task Call; finished"; RUNS_MAX].join("; ");
    writeln!(story, "2026-03-03 10:00  -> {ended}").unwrap();
    story.push_str("2026-03-03 10:01  Sent document=more -> enrolled\n");
    check(&story);
}

#[test]
fn journeys_that_begin_one_another_after_each_message_come_to_an_end() {
    let story = StoryWorld::read(&[
        "journey ping: on Ping",
        "  reentry always",
        "  email one",
        "  enroll pong",
        "journey pong: api",
        "  email two",
        "  enroll ping",
    ]);
    let mut play = Play::new(story.world.clone());
    let ana = story.contacts[0].1.clone();
    let id = ana.id;
    play.add(ana);
    let start = story.zone.at("2026-03-02T10:00:00".parse().unwrap());
    play.pass(start, &mut |_, _, _| {});
    let mut sent = 0;
    let mut loops = 0;
    let mut count = |_: jiff::Timestamp, _: &Contact, seen: &Seen| match seen {
        Seen::WouldSend(_) => sent += 1,
        Seen::Ledger(line) => loops += u32::from(line.reason == Some(Reason::Loop)),
        Seen::Turned { .. } => {}
    };
    let event = Input::Event(Arc::new(Event::track("Ping", start)));
    play.input(id, &event, &mut count);
    play.pass(start + jiff::SignedDuration::from_hours(240), &mut count);
    assert_eq!((sent, loops), (u32::from(CHAIN_MAX) + 1, 1));
}

#[test]
fn a_journey_that_begins_itself_again_each_day_goes_on() {
    let story = StoryWorld::read(&[
        "journey daily: on Ping",
        "  reentry always",
        "  email hello",
        "  wait 1d",
        "  enroll daily",
    ]);
    let mut play = Play::new(story.world.clone());
    let ana = story.contacts[0].1.clone();
    let id = ana.id;
    play.add(ana);
    let start = story.zone.at("2026-03-02T10:00:00".parse().unwrap());
    play.pass(start, &mut |_, _, _| {});
    let mut sent = 0;
    let mut count = |_: jiff::Timestamp, _: &Contact, seen: &Seen| {
        sent += u32::from(matches!(seen, Seen::WouldSend(_)));
    };
    let event = Input::Event(Arc::new(Event::track("Ping", start)));
    play.input(id, &event, &mut count);
    let days = 2 * i64::from(CHAIN_MAX);
    play.pass(
        start + jiff::SignedDuration::from_hours(24 * days),
        &mut count,
    );
    assert_eq!(i64::from(sent), days);
}
