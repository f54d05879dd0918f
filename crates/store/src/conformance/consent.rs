//! The list of suppressions, and contacts that are forgotten.

use std::collections::BTreeSet;

use relance_core::consent::{About, Consent, ConsentChange, Evidence, Source};
use relance_core::contact::{Channel, Identity, SuppressionReason};
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::suppression::{Suppression, SuppressionKey};
use relance_core::touchpoint::TouchpointState;
use relance_core::world::Needs;
use relance_engine::ports::{Store, ThreadEntry};

use super::{at, batch, commit, contact, document, load, timer, touchpoint, waiting};

/// Few enough that an erasure takes many steps.
const ROWS_AT_ONCE: usize = 3;

fn entry(text: &str) -> Suppression {
    Suppression {
        key: SuppressionKey::guess(text).expect("a key"),
        reason: SuppressionReason::Manual,
        at: at(1),
        source: "test".to_owned(),
    }
}

fn listed<S: Store>(store: &mut S, address: &str) -> bool {
    let mut snapshot = Snapshot::new(relance_core::contact::Contact::new(
        relance_core::ids::ContactId(1),
        at(0),
    ));
    let email = relance_core::value::Value::String(address.to_owned());
    snapshot.contact.traits.insert("email".to_owned(), email);
    let needs = Needs {
        listed: true,
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    let listed = snapshot.listed.expect("was asked");
    listed.reason(Channel::Email).is_some()
}

pub(super) fn a_listed_address_is_found_however_it_is_written<S: Store>(store: &mut S) {
    let hashed = SuppressionKey::guess("eve@firm.example")
        .expect("a key")
        .hashed();
    batch(store, |store| {
        let entries = [
            entry("Ana@Firm.example"),
            entry("@bad.example"),
            entry(&hashed.value),
        ];
        assert_eq!(store.put_suppressions(&entries).expect("puts"), 3);
        assert_eq!(store.put_suppressions(&entries[..1]).expect("puts"), 0);
    });
    for address in [
        "ana@firm.example",
        " ANA@firm.example",
        "bob@bad.example",
        "eve@firm.example",
    ] {
        assert!(listed(store, address), "{address}");
    }
    assert!(!listed(store, "bob@firm.example"));
    let key = entry("ana@firm.example").key;
    batch(store, |store| {
        assert!(store.drop_suppression(&key).expect("drops"));
        assert!(!store.drop_suppression(&key).expect("drops"));
    });
    assert!(!listed(store, "ana@firm.example"));
    // A decision puts an address on the list as well.
    let bob = contact(store, "bob@firm.example");
    let effect = Effect::Suppression(entry("bob@firm.example"));
    commit(store, bob, vec![effect]);
    assert!(listed(store, "bob@firm.example"));
}

pub(super) fn an_erased_contact_leaves_nothing_behind<S: Store>(store: &mut S) {
    let ana = contact(store, "ana@firm.example");
    let bob = contact(store, "bob@firm.example");
    batch(store, |store| {
        let names = [Identity::email("ana@firm.example"), Identity::user("7")];
        assert_eq!(store.resolve(&names, at(1)).expect("resolves"), ana);
        let entries = [entry("ana@firm.example")];
        store.put_suppressions(&entries).expect("puts");
        let thread = |contact, id: &str| ThreadEntry {
            message_id: id.to_owned(),
            contact,
            subject: Some(document("7")),
        };
        let threads = [thread(ana, "a@x"), thread(bob, "b@x")];
        store.put_threads(&threads).expect("puts");
    });
    for who in [ana, bob] {
        let run = waiting(who, 1, 50);
        let flying = touchpoint(&run, "2", TouchpointState::Sending { since: at(10) });
        let queued = touchpoint(&run, "3", TouchpointState::Queued { ready_at: at(20) });
        let consent = ConsentChange {
            at: at(2),
            about: About::Topic("news".into()),
            answer: Consent::Granted,
            evidence: Evidence::of(Source::Form),
        };
        let mut effects = vec![
            Effect::Enrollment(run),
            Effect::Touchpoint(flying.into()),
            Effect::Touchpoint(queued.into()),
            Effect::Arm(timer(50, 1)),
            Effect::Consent(consent),
            Effect::Object(Object::new(document("7"), at(3))),
        ];
        for n in 0..10 {
            let name = ["Viewed", "Ordered"][n % 2];
            let event = Event::track(name, at(100 + i64::try_from(n).unwrap_or(0)));
            effects.push(Effect::Event(event.into()));
            let what = relance_core::ledger::What::Set;
            let line = relance_core::ledger::LedgerEntry::new(at(100), who, what);
            effects.push(Effect::Ledger(line));
        }
        commit(store, who, effects);
    }
    let remembered = std::cell::RefCell::new(BTreeSet::new());
    let hash = |identity: &Identity| {
        let text = format!("hash of {}", identity.value);
        remembered.borrow_mut().insert(text.clone());
        text
    };
    let mut rows = 0;
    for step in 0.. {
        assert!(step < 100, "an erasure ends");
        let mut gone = None;
        batch(store, |store| {
            gone = Some(
                store
                    .forget(ana, &hash, ROWS_AT_ONCE, at(200))
                    .expect("forgets"),
            );
        });
        let gone = gone.expect("a step");
        rows += gone.rows();
        if gone.done {
            break;
        }
        assert!(gone.rows() > 0, "a step removes something");
    }
    assert!(rows > 25, "{rows}");
    let hashes: Vec<String> = remembered.borrow().iter().cloned().collect();
    assert_eq!(hashes, ["hash of 7", "hash of ana@firm.example"]);
    let find = |store: &mut S, identity| store.find(&identity).expect("finds");
    assert_eq!(find(store, Identity::user("7")), None);
    assert_eq!(find(store, Identity::email("ana@firm.example")), None);
    assert_eq!(
        store.find_by_domain("firm.example", 10).expect("finds"),
        [bob]
    );
    assert_eq!(
        store.find_by_object(&document("7"), 10).expect("finds"),
        [bob]
    );
    assert!(!listed(store, "ana@firm.example"), "the list forgot it too");
    let threads = store.find_threads(&["a@x", "b@x"]).expect("finds");
    assert_eq!(
        threads.iter().map(|one| one.contact).collect::<Vec<_>>(),
        [bob]
    );
    assert_eq!(
        store.due_timers(at(1_000), 10).expect("lists"),
        [(bob, timer(50, 1))]
    );
    let ready = store.ready_touchpoints(at(1_000), 10).expect("lists");
    assert!(
        ready.iter().all(|id| id.contact == bob) && ready.len() == 1,
        "{ready:?}"
    );
    let flying = store.in_flight().expect("lists");
    assert!(flying.iter().all(|one| one.id.contact == bob) && flying.len() == 1);
    let mut stub = load(store, ana);
    assert!(stub.contact.erased && stub.enrollments.is_empty() && stub.touchpoints.is_empty());
    let needs = Needs {
        history: ["Viewed".into(), "Ordered".into()].into(),
        last_event: true,
        objects: [document("7")].into(),
        ..Needs::default()
    };
    store.load_needs(&mut stub, &needs).expect("loads");
    assert_eq!(stub.history, relance_core::event::History::default());
    assert!(stub.objects.is_empty() && stub.last_event_at.is_none());
    let mut other = load(store, bob);
    store.load_needs(&mut other, &needs).expect("loads");
    assert_eq!(other.history.of(&"Viewed".into()).count(), 5);
    assert_eq!(other.enrollments.len(), 1);
    // Its number is not given again, and its place in the log neither.
    let eve = contact(store, "ana@firm.example");
    assert!(eve > bob, "{eve}");
    commit(
        store,
        eve,
        vec![Effect::Event(Event::track("Viewed", at(300)).into())],
    );
    let mut eve = load(store, eve);
    store.load_needs(&mut eve, &needs).expect("loads");
    assert_eq!(eve.history.of(&"Viewed".into()).count(), 1);
    batch(store, |store| {
        assert!(store.readmit("hash of 7").expect("readmits"));
        assert!(!store.readmit("hash of 7").expect("readmits"));
    });
}
