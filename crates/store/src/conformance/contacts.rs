//! Batches, contacts and keys of arrivals.

use relance_core::contact::{Identity, IdentityKind};
use relance_core::decide::Effect;
use relance_core::enrollment::{EnrollmentState, ExitReason};
use relance_core::ids::{ContactId, SubjectRef};
use relance_core::ledger::Reason;
use relance_core::subject::Object;
use relance_core::touchpoint::{Outcome, TouchpointState};
use relance_engine::ports::{Change, Store};

use super::{at, batch, commit, contact, enrollment, load, touchpoint, waiting};

pub(super) fn a_batch_reads_its_own_writes_and_a_rollback_takes_them_back<S: Store>(store: &mut S) {
    let ana = contact(store, "ana@example.org");
    let run = waiting(ana, 1, 10);
    store.begin().expect("begins");
    let eve = store
        .resolve(&[Identity::email("eve@example.org")], at(1))
        .expect("resolves");
    store
        .write(&[Change {
            contact: ana,
            effects: vec![Effect::Enrollment(run.clone())],
        }])
        .expect("writes");
    assert_eq!(load(store, ana).enrollments, [run]);
    assert_eq!(load(store, eve).contact.created_at, at(1));
    store.rollback();
    assert_eq!(load(store, ana).enrollments, []);
    assert_eq!(
        store
            .find(&Identity::email("eve@example.org"))
            .expect("finds"),
        None
    );
    // The next batch is not hurt by the one thrown away.
    let eve = contact(store, "eve@example.org");
    assert_eq!(load(store, eve).contact.id, eve);
}

pub(super) fn the_first_known_identity_decides_and_bound_ones_stay<S: Store>(store: &mut S) {
    let phone = Identity {
        kind: IdentityKind::Phone,
        value: "+4930123456".to_owned(),
    };
    batch(store, |store| {
        let ana = store.resolve(
            &[Identity::user("1"), Identity::email("ana@a.example")],
            at(0),
        );
        let bob = store.resolve(&[Identity::email("bob@b.example")], at(0));
        let (ana, bob) = (ana.expect("resolves"), bob.expect("resolves"));
        assert_ne!(ana, bob);
        // By the order given, not by who came first.
        let both = [
            Identity::email("bob@b.example"),
            Identity::user("1"),
            phone.clone(),
        ];
        assert_eq!(store.resolve(&both, at(1)).expect("resolves"), bob);
        assert_eq!(
            store.find(&Identity::user("1")).expect("finds"),
            Some(ana),
            "it stays bound"
        );
        assert_eq!(
            store.find(&phone).expect("finds"),
            Some(bob),
            "it was not bound before"
        );
        // The same value in another namespace is another identity.
        let other = Identity::anonymous("1");
        assert_eq!(
            store.find(&other).expect("finds"),
            None,
            "finding creates nothing"
        );
        assert_ne!(store.resolve(&[other], at(1)).expect("resolves"), ana);
    });
}

pub(super) fn ids_are_given_in_order_of_arrival<S: Store>(store: &mut S) {
    let all: Vec<ContactId> = (0..5)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
}

pub(super) fn contacts_are_found_by_an_object_that_they_share<S: Store>(store: &mut S) {
    let ana = contact(store, "ana@firm.example");
    let bob = contact(store, "bob@firm.example");
    let subject = |id: &str| SubjectRef {
        kind: "document".into(),
        id: id.into(),
    };
    for (who, id) in [(ana, "d1"), (bob, "d1"), (bob, "d2")] {
        let object = Object::new(subject(id), at(0));
        commit(store, who, vec![Effect::Object(object)]);
    }
    let mut found = |id: &str, limit| store.find_by_object(&subject(id), limit).expect("finds");
    assert_eq!(found("d1", 10), [ana, bob]);
    assert_eq!(found("d1", 1), [ana]);
    assert_eq!(found("d2", 10), [bob]);
    assert_eq!(found("d3", 10), []);
}

pub(super) fn contacts_are_found_by_the_domain_of_an_address<S: Store>(store: &mut S) {
    let ana = contact(store, "ana@firm.example");
    let bob = contact(store, "bob@firm.example");
    contact(store, "eve@other.example");
    assert_eq!(
        store.find_by_domain("firm.example", 10).expect("finds"),
        [ana, bob]
    );
    assert_eq!(
        store.find_by_domain("Firm.Example", 1).expect("finds"),
        [ana]
    );
    assert_eq!(store.find_by_domain("example", 10).expect("finds"), []);
}

pub(super) fn load_keeps_the_order_asked_and_leaves_out_who_does_not_exist<S: Store>(
    store: &mut S,
) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    let nobody = ContactId(ana.0.max(bob.0) + 1_000);
    let loaded = store.load(&[bob, nobody, ana]).expect("loads");
    let ids: Vec<ContactId> = loaded.iter().map(|snapshot| snapshot.contact.id).collect();
    assert_eq!(ids, [bob, ana]);
    assert_eq!(store.load(&[]).expect("loads"), []);
}

pub(super) fn a_key_is_new_once_inside_a_batch_and_across_batches<S: Store>(store: &mut S) {
    batch(store, |store| {
        let fresh = store
            .remember(&[1, 2, 1, u64::MAX], at(0))
            .expect("remembers");
        assert_eq!(fresh, [true, true, false, true]);
        assert_eq!(
            store.remember(&[2, 3], at(0)).expect("remembers"),
            [false, true]
        );
    });
    batch(store, |store| {
        let fresh = store.remember(&[4, 3, u64::MAX], at(1)).expect("remembers");
        assert_eq!(fresh, [true, false, false]);
        assert_eq!(
            store.remember(&[], at(1)).expect("remembers"),
            [] as [bool; 0]
        );
    });
}

pub(super) fn keys_of_a_batch_thrown_away_are_new_again<S: Store>(store: &mut S) {
    batch(store, |store| {
        assert_eq!(store.remember(&[1], at(0)).expect("remembers"), [true])
    });
    store.begin().expect("begins");
    assert_eq!(
        store.remember(&[1, 2], at(1)).expect("remembers"),
        [false, true]
    );
    store.rollback();
    batch(store, |store| {
        assert_eq!(
            store.remember(&[1, 2], at(2)).expect("remembers"),
            [false, true]
        );
    });
}

pub(super) fn what_is_over_is_not_loaded<S: Store>(store: &mut S) {
    let ana = contact(store, "ana@example.org");
    let run = waiting(ana, 1, 10);
    let mut counting = enrollment(ana, 2, EnrollmentState::Finished { at: at(3) });
    counting.goal_until = Some(at(100));
    let reason = ExitReason::Event("Replied".into());
    let over = enrollment(ana, 3, EnrollmentState::Exited { at: at(3), reason });
    let open = touchpoint(
        &run,
        "1",
        TouchpointState::AwaitingApproval {
            deputy_at: None,
            expires_at: at(9),
        },
    );
    let settled = TouchpointState::Settled {
        at: at(3),
        outcome: Outcome::Accepted,
    };
    let done = touchpoint(&run, "2", settled);
    commit(
        store,
        ana,
        vec![
            Effect::Enrollment(run.clone()),
            Effect::Enrollment(counting.clone()),
            Effect::Enrollment(over),
            Effect::Touchpoint(open.clone().into()),
            Effect::Touchpoint(done.into()),
        ],
    );
    let snapshot = load(store, ana);
    assert_eq!(
        snapshot.enrollments,
        [run, counting.clone()],
        "a goal that counts keeps a run live"
    );
    assert_eq!(snapshot.touchpoints, [open]);
    counting.converted_at = Some(at(4));
    commit(store, ana, vec![Effect::Enrollment(counting)]);
    assert_eq!(load(store, ana).enrollments.len(), 1);
}

/// Goes through pages of two until one is empty.
fn swept<S: Store>(
    store: &mut S,
    mut page: impl FnMut(&mut S, Option<ContactId>) -> Vec<ContactId>,
) -> Vec<ContactId> {
    let mut all = Vec::new();
    loop {
        let next = page(store, all.last().copied());
        assert!(next.len() <= 2);
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

pub(super) fn contacts_are_swept_in_order_page_by_page<S: Store>(store: &mut S) {
    let all: Vec<ContactId> = (0..5)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    let found = swept(store, |store, after| {
        store.contacts_after(after, 2).expect("lists")
    });
    assert_eq!(found, all);
    let beyond = store.contacts_after(Some(ContactId(u64::MAX)), 2);
    assert_eq!(beyond.expect("lists"), []);
}

pub(super) fn those_with_open_messages_are_swept_each_once<S: Store>(store: &mut S) {
    let all: Vec<ContactId> = (0..6)
        .map(|n| contact(store, &format!("w{n}@example.org")))
        .collect();
    let waiting_ones = |store: &mut S| {
        let mut found = swept(store, |store, after| {
            store.contacts_awaiting(after, 2).expect("lists")
        });
        found.sort_unstable();
        found
    };
    assert_eq!(waiting_ones(store), []);
    let held = || TouchpointState::Held {
        until: at(100),
        reason: Reason::QuietHours,
    };
    for id in &all {
        let run = waiting(*id, 1, 10);
        let effects = vec![
            Effect::Enrollment(run.clone()),
            Effect::Touchpoint(touchpoint(&run, "1", held()).into()),
            Effect::Touchpoint(touchpoint(&run, "2", held()).into()),
        ];
        commit(store, *id, effects);
    }
    assert_eq!(
        waiting_ones(store),
        all,
        "each once, with two messages as well"
    );
    let settled = TouchpointState::Settled {
        at: at(20),
        outcome: Outcome::Accepted,
    };
    let run = waiting(all[2], 1, 10);
    let effects = ["1", "2"]
        .map(|step| Effect::Touchpoint(touchpoint(&run, step, settled.clone()).into()))
        .to_vec();
    commit(store, all[2], effects);
    let left: Vec<ContactId> = all.iter().copied().filter(|id| *id != all[2]).collect();
    assert_eq!(waiting_ones(store), left);
}

pub(super) fn those_who_run_a_journey_are_swept_alone<S: Store>(store: &mut S) {
    let journey = "offer-no-reply".into();
    let all: Vec<ContactId> = (0..6)
        .map(|n| contact(store, &format!("c{n}@example.org")))
        .collect();
    let running = |store: &mut S| {
        swept(store, |store, after| {
            store.contacts_running(&journey, after, 2).expect("lists")
        })
    };
    assert_eq!(running(store), []);
    for id in &all {
        let mut other = waiting(*id, 3, 10);
        other.journey = "welcome".into();
        let effects = vec![
            Effect::Enrollment(waiting(*id, 1, 10)),
            Effect::Enrollment(waiting(*id, 2, 10)),
            Effect::Enrollment(other),
        ];
        commit(store, *id, effects);
    }
    assert_eq!(running(store), all, "each once, with two runs as well");
    let over = |id, number| enrollment(id, number, EnrollmentState::Finished { at: at(9) });
    let mut counting = over(all[3], 2);
    counting.goal_until = Some(at(100));
    commit(store, all[1], vec![Effect::Enrollment(over(all[1], 1))]);
    commit(
        store,
        all[2],
        vec![
            Effect::Enrollment(over(all[2], 1)),
            Effect::Enrollment(over(all[2], 2)),
        ],
    );
    commit(
        store,
        all[3],
        vec![
            Effect::Enrollment(over(all[3], 1)),
            Effect::Enrollment(counting),
        ],
    );
    let left = [all[0], all[1], all[3], all[4], all[5]];
    assert_eq!(running(store), left, "while one is live");
    store.begin().expect("begins");
    store
        .write(&[Change {
            contact: all[2],
            effects: vec![Effect::Enrollment(waiting(all[2], 4, 10))],
        }])
        .expect("writes");
    assert_eq!(running(store), all, "a batch reads its own writes");
    store.rollback();
    assert_eq!(running(store), left);
}
