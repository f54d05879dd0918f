//! Many at once: ten thousand people due in the same second, more changes than a loop may have.

use std::fmt::Write as _;

use relance_core::contact::Contact;
use relance_core::decide::{CHAIN_MAX, Input, MAILS_ANSWERED_MAX};
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

/// What a mailbox is flooded with: answers of one contact, each a mail of its own. Also the allocations of each.
fn flood(count: u32) -> (Vec<Seen>, Vec<u64>) {
    let story = StoryWorld::read(&[
        "journey thanks: on Replied",
        "  reentry always",
        "  email thanks",
        "  task \"Look\"",
        "journey offer: on \"Document Sent\" about document",
        "  wait 3d",
        "  email reminder",
        "  exit Replied",
        "segment talkers: did Replied times 3 within 10d",
    ]);
    let mut play = Play::new(story.world.clone());
    play.add(story.contacts[0].1.clone());
    let contact = story.contacts[0].1.id;
    let start = story.zone.at("2026-03-02T10:00:00".parse().unwrap());
    play.pass(start, &mut |_, _, _| {});
    let (mut seen, mut work) = (Vec::new(), Vec::new());
    for number in 0..count {
        // A thousand in a minute.
        let at = start + jiff::SignedDuration::from_millis(i64::from(number) * 60);
        play.pass(at, &mut |_, _, one| seen.push(one.clone()));
        let mut event = Event::track("Replied", at);
        let mail = format!("m{number}@client.test").into();
        event.properties.insert("mail_id".to_owned(), mail);
        let input = Input::Event(Arc::new(event));
        let spent = allocation_counter::measure(|| {
            play.input(contact, &input, &mut |_, _, one| seen.push(one.clone()));
        });
        work.push(spent.count_total);
    }
    (seen, work)
}

#[test]
fn a_thousand_answers_in_a_minute_begin_ten_runs_and_are_one_task() {
    let (seen, work) = flood(1_000);
    let lines = |what: What, reason: Option<Reason>| {
        let is = |one: &&Seen| matches!(one, Seen::Ledger(line) if line.what == what && line.reason == reason);
        seen.iter().filter(is).count()
    };
    assert_eq!(lines(What::Enrolled, None), MAILS_ANSWERED_MAX);
    // Those of the runs, and the one that tells of the flood.
    assert_eq!(lines(What::Task, None), MAILS_ANSWERED_MAX + 1);
    assert_eq!(
        lines(What::NotEnrolled, Some(Reason::Loop)),
        1_000 - MAILS_ANSWERED_MAX
    );
    let sent = seen.iter().filter(|one| matches!(one, Seen::WouldSend(_)));
    assert_eq!(sent.count(), MAILS_ANSWERED_MAX);
    // The last is no more work than one after the limit was met.
    let (early, late) = (&work[50..150], &work[900..]);
    let most = |some: &[u64]| some.iter().max().copied().unwrap_or_default();
    assert!(
        most(late) <= most(early) + 10,
        "{} allocations, then {}",
        most(early),
        most(late)
    );
}
