//! Generated batches: what a store gives back is what applying the effects in memory gives.

use std::collections::{BTreeMap, BTreeSet};

use relance_core::contact::Contact;
use relance_core::decide::{Effect, Timer, TimerKind};
use relance_core::enrollment::{EnrollmentState, Entry, ExitReason};
use relance_core::event::Event;
use relance_core::ids::{ContactId, SubjectRef};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_core::segment::Membership;
use relance_core::snapshot::Snapshot;
use relance_core::subject::Object;
use relance_core::touchpoint::{Outcome, Slot, TouchpointState};
use relance_core::watch::Watch;
use relance_core::world::Needs;
use relance_engine::ports::{Change, Store};

use super::{at, contact, document, enrollment, touchpoint};

const SEEDS: u64 = 6;
const BATCHES: u64 = 40;
const CONTACTS: u64 = 4;
const EVENTS: [&str; 3] = ["Viewed", "Bought", ""];
const SEGMENTS: [&str; 2] = ["vip", "asleep"];
const JOURNEYS: [&str; 2] = ["offer-no-reply", "welcome"];

/// A small generator with a seed that a failure prints.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }

    fn seconds(&mut self) -> i64 {
        i64::try_from(self.below(1_000)).unwrap_or(0)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }
}

/// The world as it should be.
#[derive(Clone, Default)]
struct Model {
    snapshots: BTreeMap<ContactId, Snapshot>,
    timers: BTreeSet<(jiff::Timestamp, ContactId, TimerKind)>,
    seen: BTreeSet<u64>,
}

impl Model {
    fn apply(&mut self, contact: ContactId, effect: &Effect) {
        match effect {
            Effect::Arm(timer) => {
                self.timers.insert((timer.due_at, contact, timer.kind));
            }
            Effect::Disarm(timer) => {
                self.timers.remove(&(timer.due_at, contact, timer.kind));
            }
            Effect::Contact(_)
            | Effect::Enrollment(_)
            | Effect::Entry(_)
            | Effect::Touchpoint(_)
            | Effect::Watch(_)
            | Effect::Membership { .. }
            | Effect::Unwatch(_)
            | Effect::Consent(_)
            | Effect::Suppression(_)
            | Effect::Object(_)
            | Effect::Event(_)
            | Effect::Task(_)
            | Effect::TaskChanged { .. }
            | Effect::Ledger(_)
            | Effect::Account { .. }
            | Effect::Belongs { .. }
            | Effect::Revoke(_)
            | Effect::RequestSync(_) => {
                self.snapshots
                    .get_mut(&contact)
                    .expect("known")
                    .apply(effect);
            }
        }
    }
}

fn effect(chance: &mut Chance, contact: &Contact, clock: &mut i64) -> Effect {
    *clock += 1;
    let number = u32::try_from(chance.below(4) + 1).unwrap_or(1);
    let subject = (chance.below(2) == 0).then(|| document(chance.one(&["1", "2"])));
    match chance.below(12) {
        0 => {
            let mut contact = contact.clone();
            contact
                .traits
                .insert("plan".to_owned(), chance.below(9).into());
            contact.enrollments = number;
            contact.mailboxes.insert(chance.one(&["a@x", "b@x"]).into());
            Effect::Contact(Box::new(contact))
        }
        1 | 2 => {
            let until = at(chance.seconds());
            let state = match chance.below(4) {
                0 => EnrollmentState::Waiting {
                    step: chance.one(&["1", "3"]).into(),
                    since: at(*clock),
                    until,
                },
                1 => EnrollmentState::Listening {
                    step: "2".into(),
                    until: None,
                },
                2 => EnrollmentState::Finished { at: until },
                _three => EnrollmentState::Exited {
                    at: until,
                    reason: ExitReason::Goal("Bought".into()),
                },
            };
            let mut run = enrollment(contact.id, number, state);
            run.subject = subject;
            run.goal_until = (chance.below(3) == 0).then_some(until);
            Effect::Enrollment(run)
        }
        3 | 4 => {
            let run = enrollment(contact.id, number, EnrollmentState::Finished { at: at(0) });
            let when = at(chance.seconds());
            let state = match chance.below(5) {
                0 => TouchpointState::Queued { ready_at: when },
                1 => TouchpointState::Held {
                    until: when,
                    reason: Reason::FrequencyCap,
                },
                2 => TouchpointState::AwaitingApproval {
                    deputy_at: None,
                    expires_at: when,
                },
                3 => TouchpointState::Sending { since: when },
                _four => TouchpointState::Settled {
                    at: when,
                    outcome: Outcome::Dropped(Reason::NoConsent),
                },
            };
            Effect::Touchpoint(touchpoint(&run, chance.one(&["1", "2"]), state).into())
        }
        5 => {
            let watch = Watch {
                journey: chance.one(&JOURNEYS).into(),
                subject,
                due_at: at(chance.seconds()),
                last_day: None,
            };
            if chance.below(3) == 0 {
                Effect::Unwatch(watch)
            } else {
                Effect::Watch(watch)
            }
        }
        6 => Effect::Entry(Entry {
            journey: chance.one(&JOURNEYS).into(),
            subject,
            at: at(*clock),
        }),
        7 => {
            let mut object = Object::new(document(chance.one(&["1", "2", "3"])), at(0));
            object
                .fields
                .insert("amount".to_owned(), chance.below(1_000).into());
            object.updated_at = at(*clock);
            Effect::Object(object)
        }
        8 => {
            // Moments differ, so that the order of history is one; they do not come in order.
            let mut event = Event::track(chance.one(&EVENTS), at(*clock * 7_919 % 100_003));
            event.subject = subject;
            Effect::Event(event.into())
        }
        9 => {
            let timer = Timer {
                due_at: at(chance.seconds() / 100),
                kind: match chance.below(3) {
                    0 => TimerKind::Enrollment(number),
                    1 => TimerKind::Touchpoint(u64::MAX - chance.below(2)),
                    _two => TimerKind::Watch(chance.below(2)),
                },
            };
            if chance.below(3) == 0 {
                Effect::Disarm(timer)
            } else {
                Effect::Arm(timer)
            }
        }
        10 => {
            let segment = relance_core::ids::SegmentId::from(chance.one(&SEGMENTS));
            let after = Membership {
                member: chance.below(2) == 0,
                due: (chance.below(2) == 0).then(|| at(chance.seconds())),
            };
            Effect::Membership {
                segment,
                before: Membership::default(),
                after,
            }
        }
        _eleven => {
            let mut line = LedgerEntry::new(at(*clock), contact.id, What::Held);
            line.reason = Some(Reason::QuietHours);
            line.journey = Some(chance.one(&JOURNEYS).into());
            Effect::Ledger(line)
        }
    }
}

fn in_order(mut snapshot: Snapshot) -> Snapshot {
    snapshot.enrollments.sort_by_key(|run| run.id);
    snapshot.touchpoints.sort_by_key(|touchpoint| touchpoint.id);
    snapshot.watches.sort_by_key(Watch::hash);
    let key = |entry: &Entry| (entry.journey.clone(), entry.subject.clone());
    snapshot.entries.sort_by_key(key);
    snapshot
}

/// Reads everything and compares it with the model.
fn compare<S: Store>(store: &mut S, model: &Model, seed: u64) {
    let needs = Needs {
        history: EVENTS.into_iter().map(Into::into).collect(),
        last_event: true,
        objects: ["1", "2", "3"]
            .into_iter()
            .map(document)
            .collect::<BTreeSet<SubjectRef>>(),
        entries: JOURNEYS.into_iter().map(Into::into).collect(),
        kinds: [document("1").kind].into(),
        segments: SEGMENTS.into_iter().map(Into::into).collect(),
        ..Needs::default()
    };
    let ids: Vec<ContactId> = model.snapshots.keys().copied().collect();
    let loaded = store.load(&ids).expect("loads");
    assert_eq!(loaded.len(), ids.len());
    for (mut snapshot, expected) in loaded.into_iter().zip(model.snapshots.values()) {
        store.load_needs(&mut snapshot, &needs).expect("loads");
        assert_eq!(
            in_order(snapshot),
            in_order(expected.clone()),
            "seed {seed}"
        );
    }
    let due = store.due_timers(at(1_000_000), usize::MAX).expect("lists");
    let timers: Vec<_> = due
        .iter()
        .map(|(contact, timer)| (timer.due_at, *contact, timer.kind))
        .collect();
    assert_eq!(timers.len(), model.timers.len(), "seed {seed}");
    assert!(
        timers.is_sorted_by_key(|(due_at, ..)| *due_at),
        "seed {seed}"
    );
    assert_eq!(
        timers.into_iter().collect::<BTreeSet<_>>(),
        model.timers,
        "seed {seed}"
    );

    let open = || {
        model
            .snapshots
            .values()
            .flat_map(|snapshot| &snapshot.touchpoints)
    };
    let mut outbox: Vec<_> = open()
        .filter_map(|one| match one.slot() {
            Slot::Outbox(ready_at) => Some((ready_at, one.id)),
            Slot::Timer(_) | Slot::Flight | Slot::Done => None,
        })
        .collect();
    outbox.sort_unstable();
    let outbox: Vec<_> = outbox.into_iter().map(|(_, id)| id).collect();
    let mut ready = store
        .ready_touchpoints(at(1_000_000), usize::MAX)
        .expect("lists");
    assert_eq!(ready.len(), outbox.len(), "seed {seed}");
    let mut outbox = outbox;
    ready.sort_unstable();
    outbox.sort_unstable();
    assert_eq!(ready, outbox, "seed {seed}");
    let mut flying: Vec<_> = open()
        .filter(|one| one.slot() == Slot::Flight)
        .cloned()
        .collect();
    flying.sort_by_key(|one| one.id);
    let mut in_flight = store.in_flight().expect("lists");
    in_flight.sort_by_key(|one| one.id);
    assert_eq!(in_flight, flying, "seed {seed}");
}

/// Batches of random effects, some thrown away, each followed by a comparison of everything.
pub(super) fn what_is_loaded_is_what_was_applied<S: Store>(store: &mut S) {
    for seed in 1..=SEEDS {
        one_world(store, seed);
    }
}

fn one_world<S: Store>(store: &mut S, seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut model = Model::default();
    let mut clock = 0;
    for n in 0..CONTACTS {
        let id = contact(store, &format!("{seed}-{n}@example.org"));
        model.snapshots.insert(id, super::load(store, id));
    }
    let ids: Vec<ContactId> = model.snapshots.keys().copied().collect();
    for _ in 0..BATCHES {
        let before = model.clone();
        store.begin().expect("begins");
        for _ in 0..=chance.below(2) {
            let mut changes = Vec::new();
            for _ in 0..chance.below(6) {
                let contact = ids[usize::try_from(chance.below(CONTACTS)).unwrap_or(0)];
                let mut effects = Vec::new();
                for _ in 0..chance.below(5) {
                    let known = model.snapshots[&contact].contact.clone();
                    let effect = effect(&mut chance, &known, &mut clock);
                    model.apply(contact, &effect);
                    effects.push(effect);
                }
                changes.push(Change { contact, effects });
            }
            store.write(&changes).expect("writes");
        }
        let keys: Vec<u64> = (0..3).map(|_| seed << 32 | chance.below(50)).collect();
        let fresh = store.remember(&keys, at(clock)).expect("remembers");
        let expected: Vec<bool> = keys.iter().map(|key| model.seen.insert(*key)).collect();
        assert_eq!(fresh, expected, "seed {seed}");
        if chance.below(4) == 0 {
            store.rollback();
            model = before;
        } else {
            store.commit().expect("commits");
        }
        compare(store, &model, seed);
    }
    // The next world's timers and messages are compared alone.
    let changes = ids.iter().map(|contact| {
        let timers = model.timers.iter().filter(|(_, owner, _)| owner == contact);
        let mut effects: Vec<Effect> = timers
            .map(|(due_at, _, kind)| {
                Effect::Disarm(Timer {
                    due_at: *due_at,
                    kind: *kind,
                })
            })
            .collect();
        for one in &model.snapshots[contact].touchpoints {
            let mut one = one.clone();
            one.state = TouchpointState::Settled {
                at: at(0),
                outcome: Outcome::Unknown,
            };
            effects.push(Effect::Touchpoint(one.into()));
        }
        Change {
            contact: *contact,
            effects,
        }
    });
    let changes: Vec<Change> = changes.collect();
    super::batch(store, |store| store.write(&changes).expect("writes"));
}
