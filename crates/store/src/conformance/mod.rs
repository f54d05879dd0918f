//! What every store must do, as a suite that runs on any of them.
//!
//! [`run`] takes a fresh store for each case; [`survives`] closes one and opens it again. A case that
//! fails panics with its name before it in the output.
//!
//! **Absent:** anything about one engine, its files or its errors.

mod accounts;
mod consent;
mod contacts;
mod due;
mod history;
mod merge;
mod random;
mod segments;
mod workspace;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Channel, Identity};
use relance_core::decide::Effect;
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::ids::{ContactId, EnrollmentId, SubjectRef, TouchpointId};
use relance_core::journey::{Approval, Approver, Recipient, Sender};
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::{Touchpoint, TouchpointState};
use relance_engine::ports::{Change, Store};

/// A case: its name, and what it does with a fresh store.
type Case<S> = (&'static str, fn(&mut S));

/// Names the cases beside their functions.
macro_rules! cases {
    ($($place:ident :: $case:ident),+ $(,)?) => {
        &[$((concat!(stringify!($place), "::", stringify!($case)), $place::$case as fn(&mut S))),+]
    };
}

/// Runs every case, each on a store of its own.
pub fn run<S: Store>(mut make: impl FnMut() -> S) {
    let cases: &[Case<S>] = cases![
        contacts::a_batch_reads_its_own_writes_and_a_rollback_takes_them_back,
        contacts::the_first_known_identity_decides_and_bound_ones_stay,
        contacts::ids_are_given_in_order_of_arrival,
        contacts::contacts_are_found_by_the_domain_of_an_address,
        contacts::contacts_are_found_by_an_object_that_they_share,
        contacts::load_keeps_the_order_asked_and_leaves_out_who_does_not_exist,
        contacts::a_key_is_new_once_inside_a_batch_and_across_batches,
        contacts::keys_of_a_batch_thrown_away_are_new_again,
        contacts::what_is_over_is_not_loaded,
        contacts::contacts_are_swept_in_order_page_by_page,
        contacts::those_who_run_a_journey_are_swept_alone,
        contacts::those_with_open_messages_are_swept_each_once,
        consent::a_listed_address_is_found_however_it_is_written,
        consent::an_erased_contact_leaves_nothing_behind,
        due::timers_come_earliest_first_and_never_early,
        due::arming_and_disarming_twice_is_once,
        due::a_message_moves_between_outbox_flight_and_rest,
        due::several_states_in_one_batch_leave_only_the_last,
        history::history_is_in_order_of_time_and_of_the_names_asked,
        history::history_ends_at_its_limit_with_the_newest,
        history::history_is_complete_beside_events_not_written_yet,
        history::entries_and_objects_are_those_asked,
        history::all_objects_of_a_kind_come_where_they_are_asked_for,
        history::the_last_event_is_the_latest_by_its_own_time,
        workspace::threads_are_found_by_any_message_without_repetition,
        workspace::journeys_are_current_once_and_kept_while_runs_stand_on_them,
        workspace::versions_that_runs_pass_through_are_listed,
        workspace::a_published_version_keeps_its_text,
        workspace::how_runs_come_to_a_version_is_what_was_put_last,
        workspace::a_journey_stands_still_until_it_goes_on,
        workspace::mailboxes_and_assets_are_what_was_put_last,
        merge::names_and_objects_go_over_and_come_back,
        merge::the_past_of_both_is_read_as_one,
        merge::a_merge_is_kept_and_what_undoes_it_is_forgotten_after_a_day,
        merge::entries_go_over_and_the_later_counts,
        merge::doubts_are_noted_once_and_bounded,
        segments::definitions_are_what_was_put_last,
        segments::memberships_are_what_was_written_and_asked,
        segments::members_are_dropped_in_pages_with_their_timers,
        segments::a_scan_is_what_single_looks_are,
        segments::a_scan_leaves_out_what_was_not_asked_of_events,
        segments::a_scan_ends_histories_at_their_limit,
        segments::a_scan_brings_of_events_what_counts,
        accounts::an_account_is_one_for_all_its_contacts,
        accounts::contacts_come_and_go_and_are_listed_in_order,
        accounts::telling_goes_on_where_it_was_and_round_once_more,
        random::what_is_loaded_is_what_was_applied,
    ];
    for (name, case) in cases {
        eprintln!("conformance case {name}");
        case(&mut make());
    }
}

/// Everything committed is there after closing and opening again, nothing else.
pub fn survives<S: Store>(mut store: S, reopen: impl FnOnce(S) -> S) {
    let ana = contact(&mut store, "ana@example.org");
    let run = waiting(ana, 1, 50);
    let flying = touchpoint(&run, "2", TouchpointState::Sending { since: at(10) });
    let event = relance_core::event::Event::track("Order Completed", at(3));
    commit(
        &mut store,
        ana,
        vec![
            Effect::Event(event.into()),
            Effect::Enrollment(run.clone()),
            Effect::Touchpoint(flying.clone().into()),
            Effect::Arm(timer(50, 1)),
        ],
    );
    batch(&mut store, |store| {
        assert_eq!(
            store.remember(&[7, 8], at(1)).expect("remembers"),
            [true, true]
        );
    });
    store.begin().expect("begins");
    let lost = store
        .resolve(&[Identity::email("lost@example.org")], at(2))
        .expect("resolves");
    store.remember(&[9], at(2)).expect("remembers");
    store
        .write(&[Change {
            contact: lost,
            effects: vec![Effect::Arm(timer(60, 1))],
        }])
        .expect("writes");
    // Not committed: closing the store is a crash.
    let mut store = reopen(store);

    assert_eq!(
        store
            .find(&Identity::email("ana@example.org"))
            .expect("finds"),
        Some(ana)
    );
    assert_eq!(
        store
            .find(&Identity::email("lost@example.org"))
            .expect("finds"),
        None
    );
    let mut snapshot = load(&mut store, ana);
    assert_eq!(snapshot.enrollments, [run]);
    assert_eq!(store.in_flight().expect("lists"), [flying]);
    let due = store.due_timers(at(1_000), 10).expect("lists");
    assert_eq!(due, [(ana, timer(50, 1))]);
    let needs = relance_core::world::Needs {
        history: ["Order Completed".into()].into(),
        last_event: true,
        ..Default::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    assert_eq!(snapshot.history.of(&"Order Completed".into()).count(), 1);
    assert_eq!(snapshot.last_event_at, Some(at(3)));
    batch(&mut store, |store| {
        assert_eq!(
            store.remember(&[7, 8, 9], at(3)).expect("remembers"),
            [false, false, true]
        );
    });
}

/// `seconds` after an arbitrary moment, with nanoseconds that must not be lost.
fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_800_000_000, 123_456_789) + SignedDuration::from_secs(seconds)
}

fn timer(seconds: i64, run: u32) -> relance_core::Timer {
    relance_core::Timer {
        due_at: at(seconds),
        kind: relance_core::TimerKind::Enrollment(run),
    }
}

/// Runs a batch and commits it.
fn batch<S: Store>(store: &mut S, work: impl FnOnce(&mut S)) {
    store.begin().expect("begins");
    work(store);
    store.commit().expect("commits");
}

/// A committed contact with one address.
fn contact<S: Store>(store: &mut S, address: &str) -> ContactId {
    store.begin().expect("begins");
    let id = store
        .resolve(&[Identity::email(address)], at(0))
        .expect("resolves");
    store.commit().expect("commits");
    id
}

/// Commits effects of one contact.
fn commit<S: Store>(store: &mut S, contact: ContactId, effects: Vec<Effect>) {
    batch(store, |store| {
        store.write(&[Change { contact, effects }]).expect("writes")
    });
}

fn load<S: Store>(store: &mut S, contact: ContactId) -> Snapshot {
    let mut all = store.load(&[contact]).expect("loads");
    assert_eq!(all.len(), 1, "the contact exists");
    all.remove(0)
}

fn enrollment(contact: ContactId, number: u32, state: EnrollmentState) -> Enrollment {
    Enrollment {
        id: EnrollmentId { contact, number },
        journey: "offer-no-reply".into(),
        version: 1,
        subject: Some(document("7")),
        entered_at: at(0),
        cause: Some(relance_core::event::Event::track("Document Sent", at(0)).into()),
        held_out: false,
        converted_at: None,
        goal_until: None,
        chain: 0,
        variant: None,
        state,
    }
}

fn waiting(contact: ContactId, number: u32, until: i64) -> Enrollment {
    enrollment(
        contact,
        number,
        EnrollmentState::Waiting {
            step: "1".into(),
            since: at(0),
            until: at(until),
        },
    )
}

fn touchpoint(run: &Enrollment, step: &str, state: TouchpointState) -> Touchpoint {
    Touchpoint {
        id: TouchpointId::derive(run.id, step, 1),
        enrollment: run.id,
        journey: run.journey.clone(),
        step: step.into(),
        subject: run.subject.clone(),
        recipient: Recipient::Contact,
        channel: Channel::Email,
        template: "offer-reminder-1".into(),
        item: None,
        text: None,
        from: Sender::OwnerMailbox,
        variant: run.variant.clone(),
        priority: 0,
        members: Vec::new(),
        approval: Approval::of(Approver::Owner),
        approved_by: None,
        created_at: at(1),
        silence: None,
        attempts: 0,
        state,
    }
}

fn document(id: &str) -> SubjectRef {
    SubjectRef {
        kind: "document".into(),
        id: id.into(),
    }
}
