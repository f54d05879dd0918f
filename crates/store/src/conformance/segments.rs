//! Who belongs to segments, and everyone with what a segment asks.

use std::collections::BTreeSet;

use relance_core::decide::{Effect, Timer, TimerKind};
use relance_core::event::{Event, HISTORY_EVENTS_MAX, names};
use relance_core::ids::{ContactId, EventName, SegmentId, SubjectRef};
use relance_core::segment::{Membership, timer_hash};
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::value::Value;
use relance_core::world::Needs;
use relance_engine::ports::{Change, Counts, Store, StoredSegment};

use super::{at, batch, commit, contact, load};

/// Calls of `prepare_scan` before a page: far more than any of these cases needs.
const CALLS_MAX: usize = 10_000;

fn member(segment: &str, before: Membership, after: Membership) -> Effect {
    Effect::Membership {
        segment: segment.into(),
        before,
        after,
    }
}

fn is_member() -> Membership {
    Membership {
        member: true,
        due: None,
    }
}

fn due(seconds: i64) -> Membership {
    Membership {
        member: false,
        due: Some(at(seconds)),
    }
}

fn asks_segments(ids: &[&str]) -> Needs {
    Needs {
        segments: ids.iter().map(|id| SegmentId::from(*id)).collect(),
        ..Needs::default()
    }
}

fn membership<S: Store>(store: &mut S, contact: ContactId, segment: &str) -> Option<Membership> {
    let mut snapshot = load(store, contact);
    let needs = asks_segments(&[segment]);
    store.load_needs(&mut snapshot, &needs).expect("loads");
    snapshot.memberships.get(&SegmentId::from(segment)).copied()
}

pub(super) fn definitions_are_what_was_put_last<S: Store>(store: &mut S) {
    let segment = |id: &str, text: &str| StoredSegment {
        id: id.into(),
        text: text.to_owned(),
    };
    assert_eq!(store.segments().expect("lists"), []);
    batch(store, |store| {
        for (id, text) in [("vip", "one"), ("asleep", "two"), ("vip", "three")] {
            store.put_segment(&segment(id, text), at(0)).expect("puts");
        }
    });
    let both = [segment("asleep", "two"), segment("vip", "three")];
    assert_eq!(store.segments().expect("lists"), both);
    let ana = contact(store, "a@example.org");
    commit(
        store,
        ana,
        vec![member("vip", Membership::default(), is_member())],
    );
    batch(store, |store| {
        store.remove_segment(&"vip".into()).expect("removes");
        store.remove_segment(&"never".into()).expect("removes");
    });
    assert_eq!(store.segments().expect("lists"), both[..1]);
    assert_eq!(
        membership(store, ana, "vip"),
        Some(is_member()),
        "who belonged is let go apart"
    );
}

pub(super) fn memberships_are_what_was_written_and_asked<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    assert_eq!(membership(store, ana, "vip"), None);
    commit(
        store,
        ana,
        vec![
            member("vip", Membership::default(), is_member()),
            member("asleep", Membership::default(), due(50)),
        ],
    );
    commit(
        store,
        bob,
        vec![member("vip", Membership::default(), due(60))],
    );
    let mut snapshot = load(store, ana);
    assert_eq!(snapshot.memberships.len(), 0, "not asked, not loaded");
    let needs = asks_segments(&["vip", "never"]);
    store.load_needs(&mut snapshot, &needs).expect("loads");
    assert_eq!(snapshot.memberships, [("vip".into(), is_member())].into());
    assert_eq!(membership(store, ana, "asleep"), Some(due(50)));
    assert_eq!(membership(store, bob, "vip"), Some(due(60)));
    commit(
        store,
        ana,
        vec![
            member("vip", is_member(), Membership::default()),
            member("asleep", due(50), is_member()),
        ],
    );
    assert_eq!(membership(store, ana, "vip"), None);
    assert_eq!(membership(store, ana, "asleep"), Some(is_member()));

    store.begin().expect("begins");
    let change = Change {
        contact: bob,
        effects: vec![member("new", Membership::default(), is_member())],
    };
    store.write(&[change]).expect("writes");
    assert_eq!(
        membership(store, bob, "new"),
        Some(is_member()),
        "its own writes"
    );
    store.rollback();
    assert_eq!(membership(store, bob, "new"), None);
    // What the batch thrown away knew of the segment is not known any more.
    commit(
        store,
        bob,
        vec![member("new", Membership::default(), due(70))],
    );
    assert_eq!(membership(store, bob, "new"), Some(due(70)));
}

pub(super) fn members_are_dropped_in_pages_with_their_timers<S: Store>(store: &mut S) {
    let all: Vec<ContactId> = (0..5)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    let timer = |segment: &str| Timer {
        due_at: at(50),
        kind: TimerKind::Segment(timer_hash(&segment.into())),
    };
    for (n, id) in all.iter().enumerate() {
        let standing = if n % 2 == 0 { is_member() } else { due(50) };
        let mut effects = Vec::new();
        for segment in ["vip", "asleep"] {
            effects.push(member(segment, Membership::default(), standing));
            effects.extend(standing.due.map(|_| Effect::Arm(timer(segment))));
        }
        commit(store, *id, effects);
    }
    let records = |store: &mut S, after, limit| {
        store
            .members_after(&"vip".into(), after, limit)
            .expect("lists")
    };
    assert_eq!(records(store, None, 2), all[..2]);
    assert_eq!(records(store, Some(all[1]), 9), all[2..]);
    assert_eq!(
        store
            .members_after(&"never".into(), None, 9)
            .expect("lists"),
        []
    );
    let drop = |store: &mut S| store.drop_members(&"vip".into(), 2).expect("drops");
    let dropped: Vec<usize> = (0..4).map(|_| drop(store)).collect();
    assert_eq!(dropped, [2, 2, 1, 0]);
    assert_eq!(records(store, None, 9), []);
    let left = store.due_timers(at(99), 9).expect("lists");
    assert_eq!(left, [(all[1], timer("asleep")), (all[3], timer("asleep"))]);
    assert_eq!(membership(store, all[0], "asleep"), Some(is_member()));
    assert_eq!(store.drop_members(&"never".into(), 2).expect("drops"), 0);
}

/// One page as a scan gives it, prepared.
fn page<S: Store>(
    store: &mut S,
    after: Option<ContactId>,
    limit: usize,
    needs: &Needs,
    counts: &Counts,
) -> Vec<Snapshot> {
    let ready = (0..CALLS_MAX).any(|_| store.prepare_scan(after, needs, counts).expect("prepares"));
    assert!(ready, "it never gets ready");
    store.scan(after, limit, needs).expect("scans")
}

/// Of events of these names nothing counts beside.
fn bare(names: impl IntoIterator<Item = EventName>) -> Counts {
    let names = names.into_iter().map(|name| (name, BTreeSet::new()));
    Counts {
        properties: names.collect(),
        ..Counts::default()
    }
}

/// The same contacts by single looks.
fn single<S: Store>(store: &mut S, contacts: &[Snapshot], needs: &Needs) -> Vec<Snapshot> {
    let look = |one: &Snapshot| {
        let mut snapshot = load(store, one.contact.id);
        snapshot.enrollments.clear();
        snapshot.touchpoints.clear();
        snapshot.watches.clear();
        store.load_needs(&mut snapshot, needs).expect("loads");
        snapshot
    };
    contacts.iter().map(look).collect()
}

/// What of a history is left of events without anything but name, moment and cause.
fn outline(snapshot: &Snapshot, needs: &Needs) -> Vec<(String, jiff::Timestamp, bool)> {
    let of = |name| snapshot.history.of(name);
    let told = |event: &Event| (event.name.to_string(), event.at, event.by_machine());
    needs.history.iter().flat_map(of).map(told).collect()
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

const NAMES: [&str; 4] = ["Viewed", "Bought", names::EMAIL_OPENED, ""];

fn some_event(chance: &mut Chance, n: u64) -> Effect {
    let name = NAMES[usize::try_from(chance.below(4)).expect("fits")];
    // In no order of time, several at one moment, some to the nanosecond.
    let mut at = at(i64::try_from(chance.below(40)).expect("fits"));
    if chance.below(3) == 0 {
        at += jiff::SignedDuration::from_nanos(i64::try_from(n).expect("fits"));
    }
    let mut event = Event::track(name, at);
    event.properties.insert("n".to_owned(), n.into());
    if chance.below(4) == 0 {
        event
            .properties
            .insert(names::MACHINE.to_owned(), true.into());
    }
    Effect::Event(event.into())
}

/// A life of some contacts with events, objects and memberships.
fn live<S: Store>(store: &mut S, all: &[ContactId], chance: &mut Chance, rounds: u64) {
    for n in 0..rounds {
        let who = all[usize::try_from(chance.below(all.len() as u64)).expect("fits")];
        let mut effects: Vec<Effect> = (0..chance.below(4))
            .map(|_| some_event(chance, n))
            .collect();
        if chance.below(5) == 0 {
            let standing = membership(store, who, "vip").unwrap_or_default();
            let member = !standing.member;
            let after = Membership { member, due: None };
            effects.push(self::member("vip", standing, after));
        }
        if chance.below(9) == 0 {
            let subject = SubjectRef {
                kind: "deal".into(),
                id: n.to_string().as_str().into(),
            };
            effects.push(Effect::Object(Object::new(subject, at(1))));
        }
        store.begin().expect("begins");
        store
            .write(&[Change {
                contact: who,
                effects,
            }])
            .expect("writes");
        if chance.below(6) == 0 {
            store.rollback();
        } else {
            store.commit().expect("commits");
        }
    }
}

pub(super) fn a_scan_is_what_single_looks_are<S: Store>(store: &mut S) {
    let mut chance = Chance(0x5EED);
    let all: Vec<ContactId> = (0..40)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    live(store, &all, &mut chance, 150);
    let needs = Needs {
        history: [NAMES[0], NAMES[2], "", "Never"]
            .map(EventName::from)
            .into(),
        segments: ["vip".into(), "never".into()].into(),
        kinds: ["deal".into()].into(),
        last_event: true,
        ..Needs::default()
    };
    let none = Counts::default();
    for limit in [1, 7, 100] {
        let mut after = None;
        let mut found = Vec::new();
        loop {
            let page = page(store, after, limit, &needs, &none);
            assert!(page.len() <= limit);
            assert_eq!(page, single(store, &page, &needs));
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.contact.id);
            found.extend(page.iter().map(|one| one.contact.id));
            // What happens meanwhile is in the pages to come.
            live(store, &all, &mut chance, 6);
        }
        assert_eq!(found, all);
    }
    // Within a batch too, and without having been prepared.
    batch(store, |store| {
        let change = Change {
            contact: all[2],
            effects: vec![some_event(&mut chance, 1)],
        };
        store.write(&[change]).expect("writes");
        let scanned = page(store, Some(all[0]), 5, &needs, &none);
        assert_eq!(scanned, single(store, &scanned, &needs));
        let other = Needs {
            history: ["Bought".into()].into(),
            ..Needs::default()
        };
        let scanned = store.scan(Some(all[0]), 5, &other).expect("scans");
        assert_eq!(scanned.len(), 5);
        assert_eq!(scanned, single(store, &scanned, &other));
    });
}

pub(super) fn a_scan_leaves_out_what_was_not_asked_of_events<S: Store>(store: &mut S) {
    let mut chance = Chance(0xBA5E);
    let all: Vec<ContactId> = (0..25)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    live(store, &all, &mut chance, 150);
    let needs = Needs {
        history: NAMES.map(EventName::from).into(),
        ..Needs::default()
    };
    let bare = bare([NAMES[0], NAMES[2]].map(EventName::from));
    let mut after = None;
    let mut count = 0;
    loop {
        let page = page(store, after, 4, &needs, &bare);
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.contact.id);
        count += page.len();
        for (scanned, looked) in page.iter().zip(single(store, &page, &needs)) {
            assert_eq!(outline(scanned, &needs), outline(&looked, &needs));
            let bought = EventName::from("Bought");
            let whole = |one: &Snapshot| one.history.of(&bought).cloned().collect::<Vec<Event>>();
            assert_eq!(whole(scanned), whole(&looked));
        }
        live(store, &all, &mut chance, 4);
    }
    assert_eq!(count, all.len());
}

pub(super) fn a_scan_ends_histories_at_their_limit<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    let most = i64::try_from(HISTORY_EVENTS_MAX).expect("fits");
    let event = |name: &str, n: i64| {
        let mut event = Event::track(name, at(n));
        event.properties.insert("n".to_owned(), n.into());
        Effect::Event(event.into())
    };
    // Old ones come last: the newest are those that arrived last.
    let viewed = (0..most + 5).rev().map(|n| event("Viewed", n)).collect();
    commit(store, ana, viewed);
    commit(store, bob, vec![event("Bought", 3)]);
    commit(
        store,
        ana,
        (0..20).map(|n| event("Bought", n * 7)).collect(),
    );
    let needs = Needs {
        history: ["Viewed".into(), "Bought".into()].into(),
        ..Needs::default()
    };
    for bare in [Counts::default(), bare(needs.history.clone())] {
        let mut found = Vec::new();
        loop {
            let after: Option<ContactId> = found.last().copied();
            let page = page(store, after, 9, &needs, &bare);
            if page.is_empty() {
                break;
            }
            for (scanned, looked) in page.iter().zip(single(store, &page, &needs)) {
                assert_eq!(outline(scanned, &needs), outline(&looked, &needs));
                found.push(scanned.contact.id);
            }
        }
        assert_eq!(found, [ana, bob]);
    }
}

pub(super) fn a_scan_brings_of_events_what_counts<S: Store>(store: &mut S) {
    let all: Vec<ContactId> = (0..9)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    for round in 0..20_i64 {
        for (place, one) in all.iter().enumerate() {
            let name = ["Bought", "Viewed", "Opened"][(place + usize::from(round % 4 == 0)) % 3];
            let mut event = Event::track(name, at(round * 7 % 20));
            let fields = [
                ("n", round.into()),
                ("text", "a \"text\"".into()),
                ("other", true.into()),
            ];
            event.properties = fields
                .map(|(key, value): (&str, Value)| (key.to_owned(), value))
                .into_iter()
                .collect();
            event.message_id = Some(format!("{place}-{round}").into());
            commit(store, *one, vec![Effect::Event(event.into())]);
        }
    }
    let [bought, viewed, opened] = ["Bought", "Viewed", "Opened"].map(EventName::from);
    let needs = Needs {
        history: [bought.clone(), viewed.clone(), opened.clone()].into(),
        ..Needs::default()
    };
    let asked = ["n", "text", "missing"].map(Box::from).into();
    let counts = Counts {
        properties: [(bought.clone(), asked)].into(),
        since: [(bought.clone(), at(6)), (viewed.clone(), at(100))].into(),
    };
    let read = |one: &Snapshot, name: &EventName| {
        let events = one.history.of(name);
        events
            .map(|event| (event.at, event.properties.clone()))
            .collect::<Vec<_>>()
    };
    let mut scanned: Vec<Snapshot> = Vec::new();
    loop {
        let after = scanned.last().map(|one| one.contact.id);
        let page = page(store, after, 20, &needs, &counts);
        if page.is_empty() {
            break;
        }
        scanned.extend(page);
    }
    assert_eq!(scanned.len(), all.len());
    for (scanned, looked) in scanned.iter().zip(single(store, &scanned, &needs)) {
        // What does not count may be missing; what counts may not.
        let counting = |one: &Snapshot| {
            let mut events = read(one, &bought);
            events.retain(|(at_, _)| *at_ >= at(6));
            for (_, properties) in &mut events {
                properties.retain(|name, _| name == "n" || name == "text");
            }
            events
        };
        assert_eq!(counting(scanned), counting(&looked));
        assert_eq!(read(scanned, &opened), read(&looked, &opened));
    }
}
