//! What waits for a moment: timers and the outbox.

use relance_core::decide::{Effect, Timer, TimerKind};
use relance_core::ledger::Reason;
use relance_core::touchpoint::{Outcome, Touchpoint, TouchpointState};
use relance_engine::ports::{NextDue, Store};

use super::{at, batch, commit, contact, load, timer, touchpoint, waiting};

pub(super) fn timers_come_earliest_first_and_never_early<S: Store>(store: &mut S) {
    let (ana, bob) = (
        contact(store, "a@example.org"),
        contact(store, "b@example.org"),
    );
    assert_eq!(store.next_due().expect("asks"), NextDue::default());
    let watch = Timer {
        due_at: at(20),
        kind: TimerKind::Watch(u64::MAX - 1),
    };
    let message = Timer {
        due_at: at(40),
        kind: TimerKind::Touchpoint(1 << 63),
    };
    commit(
        store,
        bob,
        vec![Effect::Arm(timer(30, 1)), Effect::Arm(watch)],
    );
    commit(
        store,
        ana,
        vec![Effect::Arm(timer(10, 4)), Effect::Arm(message)],
    );
    let all = [
        (ana, timer(10, 4)),
        (bob, watch),
        (bob, timer(30, 1)),
        (ana, message),
    ];
    assert_eq!(store.due_timers(at(100), 100).expect("lists"), all);
    assert_eq!(store.due_timers(at(100), 2).expect("lists"), all[..2]);
    assert_eq!(
        store.due_timers(at(20), 100).expect("lists"),
        all[..2],
        "due at its very moment"
    );
    let before = at(20) - jiff::SignedDuration::from_nanos(1);
    assert_eq!(
        store.due_timers(before, 100).expect("lists"),
        all[..1],
        "not a nanosecond early"
    );
    assert_eq!(store.next_due().expect("asks").timer, Some(at(10)));
    assert_eq!(
        store.due_timers(at(100), 100).expect("lists"),
        all,
        "asking takes nothing away"
    );
}

pub(super) fn arming_and_disarming_twice_is_once<S: Store>(store: &mut S) {
    let ana = contact(store, "a@example.org");
    commit(
        store,
        ana,
        vec![Effect::Arm(timer(10, 1)), Effect::Arm(timer(10, 1))],
    );
    commit(store, ana, vec![Effect::Arm(timer(10, 1))]);
    assert_eq!(
        store.due_timers(at(99), 9).expect("lists"),
        [(ana, timer(10, 1))]
    );
    commit(
        store,
        ana,
        vec![Effect::Disarm(timer(11, 1)), Effect::Disarm(timer(10, 2))],
    );
    assert_eq!(
        store.due_timers(at(99), 9).expect("lists").len(),
        1,
        "others are not touched"
    );
    commit(
        store,
        ana,
        vec![Effect::Disarm(timer(10, 1)), Effect::Disarm(timer(10, 1))],
    );
    assert_eq!(store.due_timers(at(99), 9).expect("lists"), []);
    // In one batch the order counts.
    commit(
        store,
        ana,
        vec![
            Effect::Arm(timer(5, 1)),
            Effect::Disarm(timer(5, 1)),
            Effect::Arm(timer(5, 1)),
        ],
    );
    assert_eq!(store.due_timers(at(99), 9).expect("lists").len(), 1);
}

pub(super) fn a_message_moves_between_outbox_flight_and_rest<S: Store>(store: &mut S) {
    let ana = contact(store, "a@example.org");
    let run = waiting(ana, 1, 10);
    let message = |state| touchpoint(&run, "2", state);
    let outbox = |store: &mut S, now| store.ready_touchpoints(at(now), 10).expect("lists").len();
    let put = |store: &mut S, one: &Touchpoint| {
        commit(store, ana, vec![Effect::Touchpoint(one.clone().into())]);
    };

    put(
        store,
        &message(TouchpointState::AwaitingApproval {
            deputy_at: None,
            expires_at: at(5),
        }),
    );
    assert_eq!(
        (outbox(store, 99), store.in_flight().expect("lists").len()),
        (0, 0)
    );
    put(
        store,
        &message(TouchpointState::Queued { ready_at: at(10) }),
    );
    assert_eq!((outbox(store, 9), outbox(store, 10)), (0, 1), "never early");
    assert_eq!(store.next_due().expect("asks").outbox, Some(at(10)));
    put(
        store,
        &message(TouchpointState::Held {
            until: at(20),
            reason: Reason::QuietHours,
        }),
    );
    assert_eq!(
        (outbox(store, 19), outbox(store, 20)),
        (0, 1),
        "the old place is gone"
    );
    let flying = message(TouchpointState::Sending { since: at(21) });
    put(store, &flying);
    put(store, &flying);
    assert_eq!(outbox(store, 99), 0);
    assert_eq!(store.in_flight().expect("lists"), [flying]);
    assert_eq!(store.next_due().expect("asks").outbox, None);
    put(
        store,
        &message(TouchpointState::Queued { ready_at: at(30) }),
    );
    assert_eq!(
        (outbox(store, 30), store.in_flight().expect("lists").len()),
        (1, 0)
    );
    let settled = TouchpointState::Settled {
        at: at(31),
        outcome: Outcome::Unknown,
    };
    put(store, &message(settled));
    assert_eq!(
        (outbox(store, 99), store.in_flight().expect("lists").len()),
        (0, 0)
    );
    assert_eq!(load(store, ana).touchpoints, []);
}

pub(super) fn several_states_in_one_batch_leave_only_the_last<S: Store>(store: &mut S) {
    let ana = contact(store, "a@example.org");
    let run = waiting(ana, 1, 10);
    let later = waiting(ana, 1, 50);
    let queued = touchpoint(&run, "2", TouchpointState::Queued { ready_at: at(10) });
    let flying = touchpoint(&run, "2", TouchpointState::Sending { since: at(11) });
    let effects = |run: &relance_core::enrollment::Enrollment, one: &Touchpoint| {
        vec![
            Effect::Enrollment(run.clone()),
            Effect::Touchpoint(one.clone().into()),
        ]
    };
    batch(store, |store| {
        let write = |store: &mut S, effects| {
            let change = relance_engine::ports::Change {
                contact: ana,
                effects,
            };
            store.write(&[change]).expect("writes");
        };
        write(
            store,
            [effects(&run, &queued), effects(&later, &flying)].concat(),
        );
        write(store, effects(&run, &queued));
        write(store, effects(&later, &flying));
    });
    let snapshot = load(store, ana);
    assert_eq!(snapshot.enrollments, [later]);
    assert_eq!(snapshot.touchpoints, std::slice::from_ref(&flying));
    assert_eq!(store.ready_touchpoints(at(99), 9).expect("lists"), []);
    assert_eq!(store.in_flight().expect("lists"), [flying]);
}
