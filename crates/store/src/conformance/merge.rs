//! Two contacts that are one, and two again.

use std::collections::BTreeSet;

use relance_core::contact::{Contact, Identity};
use relance_core::decide::Effect;
use relance_core::enrollment::Entry;
use relance_core::event::Event;
use relance_core::identity::{Apart, MergeRecord, UNDO_WITHIN, Undo};
use relance_core::ids::{ContactId, EventName};
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::world::Needs;
use relance_engine::ports::{Doubt, Store};

use super::{at, batch, commit, contact, document, load};

fn record(survivor: &Contact, absorbed: &Contact, seconds: i64) -> MergeRecord {
    MergeRecord {
        survivor: survivor.id,
        absorbed: absorbed.id,
        at: at(seconds),
        by: "a test".into(),
        runs: vec![(1, 3)],
        messages: vec![(7, u64::MAX)],
        undo: Some(Box::new(Undo {
            survivor: survivor.clone(),
            absorbed: absorbed.clone(),
            lists: BTreeSet::from(["vip".into()]),
            shared_lists: BTreeSet::new(),
        })),
    }
}

/// Makes one of two contacts, as a decided merge does, and returns the record.
fn merged<S: Store>(
    store: &mut S,
    survivor: ContactId,
    absorbed: ContactId,
    seconds: i64,
) -> MergeRecord {
    let mut one = load(store, survivor).contact;
    let mut gone = load(store, absorbed).contact;
    let record = record(&one, &gone, seconds);
    one.absorbed.insert(absorbed);
    gone.merged_into = Some(survivor);
    commit(store, survivor, vec![Effect::Contact(Box::new(one))]);
    commit(store, absorbed, vec![Effect::Contact(Box::new(gone))]);
    batch(store, |store| store.merge(&record).expect("merges"));
    record
}

fn found<S: Store>(store: &mut S, identity: &Identity) -> Option<ContactId> {
    store.find(identity).expect("finds")
}

pub(super) fn names_and_objects_go_over_and_come_back<S: Store>(store: &mut S) {
    let device = Identity::anonymous("device");
    let ana = contact(store, "ana@firm.example");
    batch(store, |store| {
        let names = [Identity::email("ana@firm.example"), device.clone()];
        assert_eq!(store.resolve(&names, at(0)).expect("resolves"), ana);
    });
    let bob = contact(store, "bob@other.example");
    let shared = Object::new(document("1"), at(1));
    let own = Object::new(document("2"), at(1));
    let objects = |list: &[&Object]| {
        list.iter()
            .map(|one| Effect::Object((*one).clone()))
            .collect()
    };
    commit(store, ana, objects(&[&shared, &own]));
    commit(store, bob, objects(&[&shared]));
    let names = store.identities_of(ana, 10).expect("lists");
    assert_eq!(BTreeSet::from_iter(&names).len(), 2, "{names:?}");
    assert_eq!(store.identities_of(ana, 1).expect("lists").len(), 1);

    merged(store, bob, ana, 5);
    assert_eq!(found(store, &device), Some(bob));
    let asked = [&device, &Identity::email("nobody@firm.example")];
    assert_eq!(store.find_all(&asked).expect("finds"), [Some(bob), None]);
    let at_firm = |store: &mut S| store.find_by_domain("firm.example", 9).expect("finds");
    assert_eq!(at_firm(store), [bob]);
    assert_eq!(
        store.find_by_object(&document("1"), 9).expect("finds"),
        [bob]
    );
    assert_eq!(
        store.find_by_object(&document("2"), 9).expect("finds"),
        [bob]
    );
    // What is told under an old name is the survivor's.
    batch(store, |store| {
        let names = [device.clone(), Identity::phone("+4930123456")];
        assert_eq!(store.resolve(&names, at(6)).expect("resolves"), bob);
    });

    batch(store, |store| store.unmerge(ana).expect("undoes"));
    assert_eq!(found(store, &device), Some(ana));
    assert_eq!(
        found(store, &Identity::phone("+4930123456")),
        Some(bob),
        "told since"
    );
    assert_eq!(
        found(store, &Identity::email("bob@other.example")),
        Some(bob)
    );
    assert_eq!(at_firm(store), [ana]);
    for id in ["1", "2"] {
        let found = store.find_by_object(&document(id), 9).expect("finds");
        assert_eq!(found, [ana, bob], "both know of it");
    }
    assert_eq!(store.merge_record(ana).expect("reads"), None);
}

fn history_of<S: Store>(store: &mut S, id: ContactId) -> Snapshot {
    let mut snapshot = load(store, id);
    let needs = Needs {
        history: BTreeSet::from(["Viewed".into(), "Paid".into()]),
        last_event: true,
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    snapshot
}

pub(super) fn the_past_of_both_is_read_as_one<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    let event = |name: &str, seconds, id: Option<&str>| {
        let mut event = Event::track(name, at(seconds));
        event.message_id = id.map(Into::into);
        Effect::Event(event.into())
    };
    commit(
        store,
        ana,
        vec![event("Viewed", 1, None), event("Viewed", 4, None)],
    );
    commit(store, bob, vec![event("Viewed", 2, None)]);
    // An invoice of both was paid: it was told to one and echoed to the other.
    commit(store, ana, vec![event("Paid", 5, Some("paid-1"))]);
    commit(store, bob, vec![event("Paid", 5, Some("paid-1"))]);
    merged(store, bob, ana, 6);
    commit(store, bob, vec![event("Viewed", 7, None)]);

    let snapshot = history_of(store, bob);
    let of = |name: &str| -> Vec<_> {
        let name = EventName::from(name);
        snapshot.history.of(&name).map(|event| event.at).collect()
    };
    assert_eq!(of("Viewed"), [at(1), at(2), at(4), at(7)]);
    assert_eq!(of("Paid"), [at(5)], "it happened once");
    assert_eq!(snapshot.last_event_at, Some(at(7)));
    let page = store.scan(
        None,
        10,
        &Needs {
            history: BTreeSet::from(["Viewed".into()]),
            ..Needs::default()
        },
    );
    let scanned = page
        .expect("scans")
        .into_iter()
        .find(|one| one.contact.id == bob);
    let scanned = scanned.expect("in order of id");
    assert_eq!(
        scanned.history.of(&"Viewed".into()).count(),
        4,
        "for a scan as well"
    );

    // Who stands alone again has its own past, and the other one's stays its own.
    let mut one = load(store, bob).contact;
    one.absorbed.clear();
    commit(store, bob, vec![Effect::Contact(Box::new(one))]);
    batch(store, |store| store.unmerge(ana).expect("undoes"));
    let count = |snapshot: &Snapshot| snapshot.history.of(&"Viewed".into()).count();
    assert_eq!(count(&history_of(store, bob)), 2);
    assert_eq!(count(&history_of(store, ana)), 2);
}

pub(super) fn a_merge_is_kept_and_what_undoes_it_is_forgotten_after_a_day<S: Store>(store: &mut S) {
    let all: Vec<ContactId> = (0..3)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    let record = merged(store, all[1], all[0], 10);
    let kept = |store: &mut S| store.merge_record(all[0]).expect("reads");
    assert_eq!(kept(store), Some(record.clone()));
    assert_eq!(store.merge_record(all[1]).expect("reads"), None);
    let day = UNDO_WITHIN.as_secs();
    merged(store, all[2], all[1], 11 + day);
    let left = MergeRecord {
        undo: None,
        ..record
    };
    assert_eq!(kept(store), Some(left));
    batch(store, |store| {
        store.unmerge(all[0]).expect("nothing to give back")
    });
    assert!(kept(store).is_some(), "it stays merged");
}

pub(super) fn entries_go_over_and_the_later_counts<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    let entry = |journey: &str, seconds| {
        Effect::Entry(Entry {
            journey: journey.into(),
            subject: Some(document("7")),
            at: at(seconds),
        })
    };
    commit(
        store,
        ana,
        vec![entry("welcome", 5), entry("offer", 1), entry("lesson", 3)],
    );
    commit(store, bob, vec![entry("welcome", 2), entry("offer", 4)]);
    merged(store, bob, ana, 6);
    let mut snapshot = load(store, bob);
    let needs = Needs {
        entries: BTreeSet::from(["welcome".into(), "offer".into(), "lesson".into()]),
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    let last = |journey: &str| snapshot.last_entry(&journey.into(), None).map(|one| one.at);
    assert_eq!(last("welcome"), Some(at(5)));
    assert_eq!(last("offer"), Some(at(4)));
    assert_eq!(last("lesson"), Some(at(3)));
}

pub(super) fn doubts_are_noted_once_and_bounded<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    let doubt = |second, why| Doubt {
        first: ana,
        second,
        why,
        at: at(1),
    };
    batch(store, |store| {
        for why in [Apart::TwoUsers, Apart::OtherAddress] {
            store.put_doubt(&doubt(bob, why)).expect("notes");
        }
        // Whatever else is told of one contact, there is an end to it.
        for n in 0..100 {
            let other = ContactId(bob.0 + 1 + n);
            store
                .put_doubt(&doubt(other, Apart::TwoUsers))
                .expect("notes");
        }
    });
    merged(store, ana, bob, 3);
}
