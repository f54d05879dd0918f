//! Walks over the log.

use std::ops::ControlFlow;

use jiff::Timestamp;
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::ids::ContactId;

use super::tests::{World, at};
use super::{ContactHistory, Reader};

const DAY: i64 = 86_400;

fn event(name: &str, seconds: i64) -> Effect {
    Effect::Event(Event::track(name, at(seconds)).into())
}

/// Names of what happened to each contact.
fn walked(reader: &Reader, since: Timestamp, most: usize) -> Vec<(ContactId, String, bool)> {
    let mut found = Vec::new();
    reader
        .walk(since, most, |one| {
            found.push((one.contact, names(&one), one.is_cut));
            ControlFlow::Continue(())
        })
        .expect("walks");
    found
}

fn names(history: &ContactHistory) -> String {
    let names: Vec<&str> = history
        .events
        .iter()
        .map(|event| event.name.as_str())
        .collect();
    names.join(" ")
}

pub(super) fn history_comes_contact_by_contact_in_order_of_time(mut world: World) {
    assert_eq!(walked(&world.reader, Timestamp::MIN, 9), []);
    let (ana, bob) = (world.contact("1"), world.contact("2"));
    let eve = world.contact("3");
    world.write(bob, vec![event("b3", 3), event("b1", 1)]);
    world.write(ana, vec![event("a2", 2)]);
    world.write(bob, vec![event("b2", 2), event("b3'", 3)]);
    world.write(ana, vec![event("a1", -5)]);
    let told = |contact, names: &str| (contact, names.to_owned(), false);
    let all = [told(ana, "a1 a2"), told(bob, "b1 b2 b3 b3'")];
    assert_eq!(walked(&world.reader, Timestamp::MIN, 9), all);
    assert_eq!(
        walked(&world.reader, at(2), 9),
        [told(ana, "a2"), told(bob, "b2 b3 b3'")],
        "from the very moment on"
    );
    assert_eq!(walked(&world.reader, at(4), 9), []);
    assert_eq!(
        walked(&world.reader, Timestamp::MIN, 2),
        [told(ana, "a1 a2"), (bob, "b2 b3'".to_owned(), true)],
        "the last to arrive are kept"
    );
    // Told once is told enough.
    let mut visits = 0;
    world
        .reader
        .history(Timestamp::MIN, |_| {
            visits += 1;
            ControlFlow::Break(())
        })
        .expect("walks");
    assert_eq!(visits, 1);
    let own = |from, until| {
        world
            .reader
            .events_between(bob, from, until)
            .expect("reads")
    };
    assert_eq!(names(&own(at(0), at(9))), "b1 b2 b3 b3'");
    assert_eq!(names(&own(at(1), at(3))), "b1 b2", "the end is outside");
    assert_eq!(names(&own(at(9), at(99))), "");
    let of_eve = world
        .reader
        .events_between(eve, Timestamp::MIN, Timestamp::MAX)
        .expect("reads");
    assert_eq!(of_eve.events, []);
}

/// A year of events, old history told late among them: a walk from a day on reads no more than it must,
/// and misses nothing.
pub(super) fn a_walk_begins_where_its_day_begins_in_the_log(mut world: World) {
    let ana = world.contact("1");
    for n in 0..365 {
        world.write(ana, vec![event("day", n * DAY)]);
        if n % 50 == 49 {
            world.write(ana, vec![event("late", (n - 40) * DAY)]);
        }
    }
    let read = |days: i64| world.reader.history_events(at(days * DAY)).expect("counts");
    assert_eq!(
        world.reader.history_events(Timestamp::MIN).expect("counts"),
        373
    );
    assert_eq!((read(364), read(366)), (1, 0));
    assert!((60..70).contains(&read(300)), "{}", read(300));
    for days in [0, 1, 8, 9, 10, 300, 309, 364, 365] {
        let told = walked(&world.reader, at(days * DAY), 1_000);
        let late = (0..7).filter(|n| 50 * n + 9 >= days).count();
        let expected = usize::try_from(365 - days).unwrap_or(0) + late;
        let found = told
            .first()
            .map_or(0, |(_, names, _)| names.split(' ').count());
        assert_eq!(found, expected, "from day {days}");
        let own = world
            .reader
            .events_between(ana, at(days * DAY), Timestamp::MAX)
            .expect("reads");
        assert_eq!(own.events.len(), expected, "from day {days}");
    }
}

pub(super) fn a_day_noted_by_a_batch_thrown_away_is_noted_again(mut world: World) {
    use relance_engine::ports::{Change, Store};
    let ana = world.contact("1");
    let put = |world: &mut World| {
        let effects = vec![event("kept", 0)];
        let change = Change {
            contact: ana,
            effects,
        };
        world.store.write(&[change]).expect("writes");
    };
    world.store.begin().expect("begins");
    put(&mut world);
    world.store.rollback();
    world.write(ana, vec![event("before", -DAY)]);
    put(&mut world);
    assert_eq!(walked(&world.reader, at(0), 9).len(), 1);
    assert_eq!(world.reader.history_events(at(0)).expect("counts"), 1);
}
