//! Threads, journeys, mailboxes, assets.

use relance_core::decide::Effect;
use relance_core::enrollment::EnrollmentState;
use relance_core::ids::{ContactId, JourneyId};
use relance_core::journey::Moves;
use relance_engine::ports::{Asset, MailboxState, Store, StoredJourney, ThreadEntry};

use super::{at, batch, commit, contact, document, enrollment, waiting};

pub(super) fn threads_are_found_by_any_message_without_repetition<S: Store>(store: &mut S) {
    let ana = contact(store, "a@example.org");
    let bob = contact(store, "b@example.org");
    let entry = |id: &str, contact: ContactId, subject: Option<&str>| ThreadEntry {
        message_id: id.to_owned(),
        contact,
        subject: subject.map(document),
    };
    let put = [
        entry("m1@x", ana, Some("7")),
        entry("m2@x", ana, Some("7")),
        entry("m3@x", ana, None),
        entry("m4@x", ana, None),
        entry("m4@x", bob, None),
    ];
    batch(store, |store| store.put_threads(&put).expect("puts"));
    batch(store, |store| {
        store.put_threads(&put[..1]).expect("puts it twice")
    });
    let find = |store: &mut S, ids: &[&str]| store.find_threads(ids).expect("finds");
    assert_eq!(find(store, &["absent@x", "m2@x", "m1@x"]), [put[1].clone()]);
    assert_eq!(
        find(store, &["m1@x", "m3@x"]),
        [put[0].clone(), put[2].clone()]
    );
    assert_eq!(
        find(store, &["m4@x"]).len(),
        2,
        "one message, two conversations"
    );
    assert_eq!(find(store, &["absent@x"]), []);
    assert_eq!(find(store, &[]), []);
}

fn journey(id: &str, version: u32, current: bool) -> StoredJourney {
    StoredJourney {
        id: id.into(),
        version,
        text: format!("id: {id}\n# {version}\n"),
        current,
        moves: Moves::Pin,
    }
}

pub(super) fn journeys_are_current_once_and_kept_while_runs_stand_on_them<S: Store>(store: &mut S) {
    let versions = |store: &mut S| -> Vec<(String, u32, bool)> {
        let all = store.journeys().expect("lists");
        all.iter()
            .map(|one| (one.id.to_string(), one.version, one.current))
            .collect()
    };
    let name = |id: &str| id.to_owned();
    batch(store, |store| {
        store
            .put_journey(&journey("offer-no-reply", 1, true), at(0))
            .expect("puts")
    });
    batch(store, |store| {
        store
            .put_journey(&journey("welcome", 1, true), at(0))
            .expect("puts")
    });
    let ana = contact(store, "a@example.org");
    commit(store, ana, vec![Effect::Enrollment(waiting(ana, 1, 10))]);
    batch(store, |store| {
        store
            .put_journey(&journey("offer-no-reply", 2, true), at(1))
            .expect("puts");
        store
            .put_journey(&journey("welcome", 2, true), at(1))
            .expect("puts");
        let now = [
            (name("offer-no-reply"), 1, false),
            (name("offer-no-reply"), 2, true),
            (name("welcome"), 2, true),
        ];
        assert_eq!(
            versions(store),
            now,
            "a run stands on the first, nobody on the other"
        );
    });
    // A run that moves to the new version, and one that ends.
    let mut moved = waiting(ana, 1, 10);
    moved.version = 2;
    commit(store, ana, vec![Effect::Enrollment(moved)]);
    assert_eq!(versions(store).len(), 3);
    batch(store, |store| {
        store
            .retire_journey(&"offer-no-reply".into(), 2)
            .expect("retires")
    });
    let kept = [
        (name("offer-no-reply"), 1, false),
        (name("offer-no-reply"), 2, false),
        (name("welcome"), 2, true),
    ];
    assert_eq!(
        versions(store),
        kept,
        "the run stands on it and was on both"
    );
    batch(store, |store| {
        let mut over = enrollment(ana, 1, EnrollmentState::Finished { at: at(9) });
        over.version = 2;
        let effects = vec![Effect::Enrollment(over)];
        store
            .write(&[relance_engine::ports::Change {
                contact: ana,
                effects,
            }])
            .expect("writes");
        assert_eq!(versions(store), kept[2..], "also inside the batch");
    });
    assert_eq!(versions(store), kept[2..]);
}

pub(super) fn versions_that_runs_pass_through_are_listed<S: Store>(store: &mut S) {
    let id = JourneyId::from("offer-no-reply");
    let ana = contact(store, "a@example.org");
    for version in 1..=5 {
        batch(store, |store| {
            store
                .put_journey(&journey("offer-no-reply", version, true), at(0))
                .expect("puts")
        });
        if version == 2 {
            let mut run = waiting(ana, 1, 10);
            run.version = 2;
            commit(store, ana, vec![Effect::Enrollment(run)]);
        }
    }
    let numbers =
        |all: Vec<StoredJourney>| -> Vec<u32> { all.iter().map(|one| one.version).collect() };
    let listed = |store: &mut S| numbers(store.journeys().expect("lists"));
    assert_eq!(listed(store), [1, 2, 3, 4, 5], "while a run is live");
    batch(store, |store| {
        store.retire_journey(&id, 5).expect("retires")
    });
    assert_eq!(
        listed(store),
        [1, 2, 3, 4, 5],
        "also when no new run begins any more"
    );
    let mut over = enrollment(ana, 1, EnrollmentState::Finished { at: at(9) });
    over.version = 2;
    commit(store, ana, vec![Effect::Enrollment(over)]);
    assert_eq!(listed(store), [] as [u32; 0]);
    let all = store.journey_versions(&id).expect("lists");
    assert!(all.iter().all(|one| !one.current), "archived");
    assert_eq!(numbers(all), [1, 2, 3, 4, 5]);
    let other = store.journey_versions(&"other".into()).expect("lists");
    assert_eq!(other, []);
}

pub(super) fn how_runs_come_to_a_version_is_what_was_put_last<S: Store>(store: &mut S) {
    let id = JourneyId::from("welcome");
    let table = [("1".into(), Some("first".into())), ("2".into(), None)];
    for moves in [Moves::Follow, Moves::Map(table.into()), Moves::Pin] {
        let one = StoredJourney {
            moves,
            ..journey("welcome", 1, true)
        };
        batch(store, |store| store.put_journey(&one, at(0)).expect("puts"));
        assert_eq!(store.journeys().expect("lists"), std::slice::from_ref(&one));
        assert_eq!(store.journey_versions(&id).expect("lists"), [one]);
    }
}

pub(super) fn a_journey_stands_still_until_it_goes_on<S: Store>(store: &mut S) {
    let paused = |store: &mut S| store.paused_journeys().expect("lists");
    assert_eq!(paused(store), []);
    let set = |store: &mut S, id: &str, still: bool| {
        batch(store, |store| {
            store.set_journey_paused(&id.into(), still).expect("sets")
        });
    };
    set(store, "welcome", true);
    set(store, "offer", true);
    set(store, "welcome", true);
    assert_eq!(paused(store), ["offer".into(), "welcome".into()]);
    set(store, "offer", false);
    set(store, "absent", false);
    assert_eq!(paused(store), ["welcome".into()]);
    // Another version is paused like the ones before it.
    batch(store, |store| {
        store
            .put_journey(&journey("welcome", 1, true), at(0))
            .expect("puts")
    });
    assert_eq!(paused(store), ["welcome".into()]);
    store.begin().expect("begins");
    store
        .set_journey_paused(&"welcome".into(), false)
        .expect("sets");
    assert_eq!(paused(store), [], "a batch reads its own writes");
    store.rollback();
    assert_eq!(paused(store), ["welcome".into()]);
}

pub(super) fn a_published_version_keeps_its_text<S: Store>(store: &mut S) {
    let first = journey("welcome", 1, true);
    batch(store, |store| {
        store.put_journey(&first, at(0)).expect("puts")
    });
    batch(store, |store| {
        store
            .put_journey(&first, at(1))
            .expect("the same again is nothing")
    });
    store.begin().expect("begins");
    let other = StoredJourney {
        text: "id: other".to_owned(),
        ..first.clone()
    };
    store
        .put_journey(&other, at(2))
        .expect_err("another text under the same number");
    store.rollback();
    assert_eq!(store.journeys().expect("lists"), [first]);
}

pub(super) fn mailboxes_and_assets_are_what_was_put_last<S: Store>(store: &mut S) {
    let state = |synced_at, cursors: &str| MailboxState {
        mailbox: "sales@example.org".into(),
        synced_at,
        cursors: cursors.to_owned(),
    };
    batch(store, |store| {
        store.put_mailbox(&state(None, "")).expect("puts")
    });
    assert_eq!(store.mailboxes().expect("lists"), [state(None, "")]);
    batch(store, |store| {
        store.put_mailbox(&state(Some(at(3)), "{}")).expect("puts")
    });
    assert_eq!(
        store.mailboxes().expect("lists"),
        [state(Some(at(3)), "{}")]
    );

    let asset = |name: &str, body: Option<&str>| Asset {
        kind: "template".to_owned(),
        name: name.to_owned(),
        body: body.map(str::to_owned),
    };
    batch(store, |store| {
        for one in [
            asset("b", Some("old")),
            asset("a", Some("first")),
            asset("b", Some("new")),
        ] {
            store.put_asset(&one, at(0)).expect("puts");
        }
    });
    let both = [asset("a", Some("first")), asset("b", Some("new"))];
    assert_eq!(store.assets("template").expect("lists"), both);
    assert_eq!(store.assets("key").expect("lists"), []);
    batch(store, |store| {
        store.put_asset(&asset("a", None), at(1)).expect("removes")
    });
    assert_eq!(store.assets("template").expect("lists"), both[1..]);
}
