//! What is loaded only where it is asked for.

use std::sync::Arc;

use relance_core::decide::Effect;
use relance_core::enrollment::Entry;
use relance_core::event::{Event, HISTORY_EVENTS_MAX, names};
use relance_core::ids::{ContactId, SubjectRef};
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::world::Needs;
use relance_engine::ports::{Change, Store};

use super::{at, batch, commit, contact, document, load};

fn event(name: &str, seconds: i64, note: &str) -> Arc<Event> {
    let mut event = Event::track(name, at(seconds));
    event.properties.insert("note".to_owned(), note.into());
    event.into()
}

fn notes(snapshot: &Snapshot, name: &str) -> Vec<String> {
    let note = |event: &Event| event.properties["note"].as_str().unwrap_or("").to_owned();
    snapshot.history.of(&name.into()).map(note).collect()
}

fn history_of(names: &[&str]) -> Needs {
    Needs {
        history: names.iter().map(|name| (*name).into()).collect(),
        ..Needs::default()
    }
}

fn tell<S: Store>(store: &mut S, contact: ContactId, events: &[Arc<Event>]) {
    commit(
        store,
        contact,
        events.iter().cloned().map(Effect::Event).collect(),
    );
}

pub(super) fn history_is_in_order_of_time_and_of_the_names_asked<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    tell(
        store,
        ana,
        &[event("Viewed", 5, "second"), event("Bought", 6, "x")],
    );
    tell(store, bob, &[event("Viewed", 7, "of another contact")]);
    tell(
        store,
        ana,
        &[
            event("Viewed", 1, "late first"),
            event("Viewed", 9, "third"),
        ],
    );
    let mut snapshot = load(store, ana);
    assert_eq!(
        notes(&snapshot, "Viewed"),
        [] as [String; 0],
        "not asked, not loaded"
    );
    store
        .load_needs(&mut snapshot, &history_of(&["Viewed"]))
        .expect("loads");
    assert_eq!(
        notes(&snapshot, "Viewed"),
        ["late first", "second", "third"]
    );
    assert_eq!(
        notes(&snapshot, "Bought"),
        [] as [String; 0],
        "another name"
    );
    store
        .load_needs(&mut snapshot, &history_of(&["Bought", "Never"]))
        .expect("loads");
    assert_eq!(notes(&snapshot, "Bought"), ["x"]);
    assert_eq!(notes(&snapshot, "Viewed").len(), 3, "what was there stays");
}

pub(super) fn history_ends_at_its_limit_with_the_newest<S: Store>(store: &mut S) {
    let ana = contact(store, "a@example.org");
    let most = i64::try_from(HISTORY_EVENTS_MAX).expect("fits");
    let events: Vec<_> = (0..most + 5)
        .map(|n| event("Viewed", n, &n.to_string()))
        .collect();
    tell(store, ana, &events);
    tell(store, ana, &[event("Bought", most + 9, "x")]);
    let mut snapshot = load(store, ana);
    store
        .load_needs(&mut snapshot, &history_of(&["Viewed", "Bought"]))
        .expect("loads");
    let viewed = notes(&snapshot, "Viewed");
    assert_eq!(
        viewed.len(),
        HISTORY_EVENTS_MAX - 1,
        "one of the newest is of the other name"
    );
    assert_eq!(viewed.first().map(String::as_str), Some("6"));
    assert_eq!(notes(&snapshot, "Bought"), ["x"]);
}

pub(super) fn history_is_complete_beside_events_not_written_yet<S: Store>(store: &mut S) {
    let ana = contact(store, "a@example.org");
    tell(store, ana, &[event("Viewed", 1, "old")]);
    batch(store, |store| {
        let mut snapshot = load(store, ana);
        let (written, unwritten) = (event("Viewed", 2, "written"), event("Viewed", 3, "not yet"));
        let effects = vec![Effect::Event(written.clone())];
        store
            .write(&[Change {
                contact: ana,
                effects,
            }])
            .expect("writes");
        snapshot.apply(&Effect::Event(written));
        snapshot.apply(&Effect::Event(unwritten));
        store
            .load_needs(&mut snapshot, &history_of(&["Viewed"]))
            .expect("loads");
        assert_eq!(
            notes(&snapshot, "Viewed"),
            ["old", "written", "not yet"],
            "each once"
        );
    });
}

pub(super) fn entries_and_objects_are_those_asked<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    let entry = |journey: &str, subject: Option<&str>, seconds| Entry {
        journey: journey.into(),
        subject: subject.map(document),
        at: at(seconds),
    };
    let object = |id: &str, amount: i64| {
        let mut object = Object::new(document(id), at(1));
        object.fields.insert("amount".to_owned(), amount.into());
        object
    };
    commit(
        store,
        ana,
        vec![
            Effect::Entry(entry("offer", Some("1"), 1)),
            Effect::Entry(entry("offer", None, 2)),
            Effect::Entry(entry("welcome", None, 3)),
            Effect::Object(object("1", 100)),
            Effect::Object(object("2", 200)),
        ],
    );
    commit(
        store,
        ana,
        vec![
            Effect::Entry(entry("offer", Some("1"), 9)),
            Effect::Object(object("1", 150)),
        ],
    );
    commit(store, bob, vec![Effect::Entry(entry("offer", None, 20))]);
    let mut snapshot = load(store, ana);
    let needs = Needs {
        entries: ["offer".into()].into(),
        objects: [document("1"), document("absent")].into(),
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    let last = |subject: Option<&str>| {
        let subject = subject.map(document);
        snapshot
            .last_entry(&"offer".into(), subject.as_ref())
            .map(|entry| entry.at)
    };
    assert_eq!((last(Some("1")), last(None)), (Some(at(9)), Some(at(9))));
    assert_eq!(
        snapshot.entries.len(),
        2,
        "the last of each subject, of the journey asked"
    );
    assert_eq!(
        snapshot.objects.into_values().collect::<Vec<_>>(),
        [object("1", 150)]
    );
}

pub(super) fn all_objects_of_a_kind_come_where_they_are_asked_for<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    let object = |kind: &str, id: &str, updated: i64| {
        let subject = SubjectRef {
            kind: kind.into(),
            id: id.into(),
        };
        let mut object = Object::new(subject, at(1));
        object.updated_at = at(updated);
        object
    };
    let put = |objects: &[Object]| objects.iter().cloned().map(Effect::Object).collect();
    let own = [object("deal", "1", 5), object("deal", "2", 3)];
    commit(store, ana, put(&own));
    commit(store, ana, put(&[object("order", "1", 9)]));
    commit(store, bob, put(&[object("deal", "3", 9)]));
    let needs = Needs {
        kinds: ["deal".into(), "cart".into()].into(),
        ..Needs::default()
    };
    batch(store, |store| {
        let mut snapshot = load(store, ana);
        // What was decided in this batch and is not written yet counts, not what is stored.
        let changed = object("deal", "2", 8);
        snapshot.apply(&Effect::Object(changed.clone()));
        let added = object("deal", "4", 8);
        store
            .write(&[Change {
                contact: ana,
                effects: put(std::slice::from_ref(&added)),
            }])
            .expect("writes");
        store.load_needs(&mut snapshot, &needs).expect("loads");
        assert_eq!(
            snapshot.objects.into_values().collect::<Vec<_>>(),
            [own[0].clone(), changed, added]
        );
    });
}

pub(super) fn the_last_event_is_the_latest_by_its_own_time<S: Store>(store: &mut S) {
    let ana = contact(store, "a@example.org");
    let asked = Needs {
        last_event: true,
        ..Needs::default()
    };
    let last = |store: &mut S| {
        let mut snapshot = load(store, ana);
        store.load_needs(&mut snapshot, &asked).expect("loads");
        snapshot.last_event_at
    };
    assert_eq!(last(store), None);
    tell(
        store,
        ana,
        &[event("Viewed", 9, ""), event("Bought", 3, "")],
    );
    assert_eq!(last(store), Some(at(9)));
    tell(store, ana, &[event("Viewed", 5, "came late")]);
    assert_eq!(last(store), Some(at(9)));
    // What a machine did, or a journey of ours, is no activity of the contact.
    let mut machine = Event::track(names::EMAIL_OPENED, at(12));
    let properties = &mut machine.properties;
    properties.insert(names::MACHINE.to_owned(), true.into());
    let promo = event(names::PROMO_ISSUED, 13, "");
    tell(store, ana, &[machine.into(), promo]);
    assert_eq!(last(store), Some(at(9)));
}
