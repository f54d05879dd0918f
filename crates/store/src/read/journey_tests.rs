//! Journeys, questions and why, as pages show them.

use relance_core::contact::Channel;
use relance_core::decide::Effect;
use relance_core::enrollment::{Enrollment, EnrollmentState};
use relance_core::ids::{ContactId, EnrollmentId, JourneyId, StepKey, SubjectRef};
use relance_core::journey::{Approval, Approver, Moves};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_core::subject::Object;
use relance_core::touchpoint::{Outcome, TouchpointState};
use relance_engine::ports::{Asset, DRAFT, Store, StoredJourney};

use super::tests::{World, all, at, touchpoint};
use super::{JourneyStatus, LINES_WALKED_MAX};

fn publish(world: &mut World, id: &str, version: u32, current: bool) {
    let journey = StoredJourney {
        id: id.into(),
        version,
        text: format!("id: {id}"),
        current,
        moves: if version > 1 {
            Moves::Follow
        } else {
            Moves::Pin
        },
    };
    world
        .store
        .put_journey(&journey, at(i64::from(version)))
        .expect("puts");
}

fn run(contact: ContactId, number: u32, version: u32, step: &str) -> Enrollment {
    let state = EnrollmentState::Waiting {
        step: step.into(),
        since: at(0),
        until: at(9),
    };
    Enrollment {
        id: EnrollmentId { contact, number },
        journey: "live".into(),
        version,
        subject: None,
        entered_at: at(0),
        cause: None,
        held_out: false,
        converted_at: None,
        goal_until: None,
        chain: 0,
        variant: None,
        state,
    }
}

pub(super) fn a_page_can_tell_what_each_journey_does(mut world: World) {
    for id in ["live", "still", "shelved", "shelved-still"] {
        publish(&mut world, id, 1, true);
        publish(&mut world, id, 2, true);
    }
    for id in ["still", "shelved-still", "unknown"] {
        world
            .store
            .set_journey_paused(&id.into(), true)
            .expect("pauses");
    }
    for id in ["shelved", "shelved-still"] {
        world.store.retire_journey(&id.into(), 2).expect("retires");
    }
    for (name, body) in [("live", "id: live # better"), ("new", "id: new")] {
        let draft = Asset {
            kind: DRAFT.to_owned(),
            name: name.to_owned(),
            body: Some(body.to_owned()),
        };
        world.store.put_asset(&draft, at(7)).expect("puts");
    }
    let ana = world.contact("1");
    let runs = [run(ana, 1, 1, "1"), run(ana, 2, 2, "1")];
    world.write(ana, runs.map(Effect::Enrollment).into());
    let list = world.reader.journey_list().expect("lists");
    let told: Vec<(&str, JourneyStatus, Option<u32>, Option<u32>)> = list
        .iter()
        .map(|one| (one.id.as_str(), one.status, one.current, one.newest))
        .collect();
    let expected = [
        ("live", JourneyStatus::Live, Some(2), Some(2)),
        ("new", JourneyStatus::Draft, None, None),
        ("shelved", JourneyStatus::Archived, None, Some(2)),
        ("shelved-still", JourneyStatus::Archived, None, Some(2)),
        ("still", JourneyStatus::Paused, Some(2), Some(2)),
    ];
    assert_eq!(told, expected);
    let (live, new) = (&list[0], &list[1]);
    assert_eq!((live.live_runs, live.drafted_at), (2, Some(at(7))));
    assert_eq!((live.published_at, new.published_at), (Some(at(2)), None));
    let drafts = world.reader.texts(DRAFT).expect("lists");
    assert_eq!(drafts[0].body, "id: live # better");
    let versions = world.reader.journeys().expect("lists");
    assert_eq!(versions[0].journey.moves, Moves::Pin);
    assert_eq!(versions[1].journey.moves, Moves::Follow);
    assert_eq!(world.reader.paused_journeys().expect("lists").len(), 3);
}

pub(super) fn where_runs_stand_follows_them(mut world: World) {
    let (ana, bob) = (world.contact("1"), world.contact("2"));
    let standing = |world: &World| world.reader.standing(&"live".into()).expect("reads");
    let at_step = |version, step: &str, runs| (version, StepKey::from(step), runs);
    let put = |world: &mut World, run: Enrollment| {
        world.write(run.id.contact, vec![Effect::Enrollment(run)]);
    };
    put(&mut world, run(ana, 1, 1, "1"));
    put(&mut world, run(ana, 1, 1, "1"));
    put(&mut world, run(bob, 1, 1, "1"));
    put(&mut world, run(bob, 2, 1, "2.then.1"));
    let mut other = run(bob, 3, 1, "1");
    other.journey = "other".into();
    put(&mut world, other);
    assert_eq!(
        standing(&world),
        [at_step(1, "1", 2), at_step(1, "2.then.1", 1)]
    );
    // One goes on, one goes over to another version, one waits for its goal alone.
    put(&mut world, run(ana, 1, 1, "2.then.1"));
    put(&mut world, run(bob, 1, 2, "1"));
    let mut over = run(bob, 2, 1, "1");
    over.state = EnrollmentState::Finished { at: at(3) };
    over.goal_until = Some(at(9));
    put(&mut world, over.clone());
    let now = [at_step(1, "2.then.1", 1), at_step(2, "1", 1)];
    assert_eq!(standing(&world), now);
    // It takes up again, ends, and begins anew as another journey's.
    over.state = run(bob, 2, 1, "1").state;
    put(&mut world, over.clone());
    assert_eq!(standing(&world).len(), 3);
    over.journey = "other".into();
    put(&mut world, over);
    assert_eq!(standing(&world), now);
    let of_other = world.reader.standing(&"other".into()).expect("reads");
    assert_eq!(of_other, [at_step(1, "1", 2)]);
}

pub(super) fn why_is_told_of_one_journey_alone(mut world: World) {
    let ana = world.contact("1");
    let (mine, other) = (JourneyId::from("mine"), JourneyId::from("other"));
    let mut expected = Vec::new();
    for n in 0..40 {
        let mut line = LedgerEntry::new(at(n), ana, What::NotEnrolled);
        line.journey = match n % 4 {
            0 => None,
            1 => Some(mine.clone()),
            _ => Some(other.clone()),
        };
        line.variant = (n % 8 == 1).then(|| "B".into());
        if line.journey.as_ref() == Some(&mine) {
            expected.push(line.clone());
        }
        world.write(ana, vec![Effect::Ledger(line)]);
    }
    expected.reverse();
    let reader = &world.reader;
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = reader
            .ledger_of_journey(ana, &mine, next.as_deref(), 3)
            .expect("reads");
        assert!(page.items.len() <= 3);
        found.extend(page.items.into_iter().map(|line| line.entry));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
    let nothing = reader.ledger_of_journey(ana, &"absent".into(), None, 3);
    assert_eq!(nothing.expect("reads").items, []);
    let strange = reader.ledger_of_journey(ContactId(99), &mine, Some("3"), 3);
    assert!(strange.is_err(), "another contact's line");
}

pub(super) fn a_page_of_why_looks_at_a_bounded_number_of_lines(mut world: World) {
    let ana = world.contact("1");
    let line = |n: usize, journey: &str| {
        let mut line = LedgerEntry::new(at(n as i64), ana, What::NotEnrolled);
        line.journey = Some(journey.into());
        Effect::Ledger(line)
    };
    let mut lines = vec![line(0, "mine")];
    lines.extend((1..=LINES_WALKED_MAX).map(|n| line(n, "other")));
    world.write(ana, lines);
    let page = |after: Option<&str>| {
        let page = world
            .reader
            .ledger_of_journey(ana, &"mine".into(), after, 5);
        page.expect("reads")
    };
    let first = page(None);
    assert_eq!(first.items, [], "it gave up, and says where");
    let second = page(first.next.as_deref());
    assert_eq!((second.items.len(), second.next), (1, None));
}

pub(super) fn a_question_comes_with_all_that_an_answer_needs(mut world: World) {
    let (ana, bob) = (world.contact("1"), world.contact("2"));
    let offer = SubjectRef {
        kind: "document".into(),
        id: "7".into(),
    };
    let asked = |expires, deputy: Option<i64>| TouchpointState::AwaitingApproval {
        deputy_at: deputy.map(at),
        expires_at: at(expires),
    };
    let mut late = touchpoint(bob, 1, asked(100, None));
    late.approval = Approval::of(Approver::Owner);
    let mut soon = touchpoint(ana, 1, asked(50, Some(40)));
    soon.subject = Some(offer.clone());
    soon.text = Some("Dear Ana".into());
    soon.approval = Approval::of(Approver::Role("head".to_owned()));
    let held = |reason, seconds| {
        let mut line = LedgerEntry::new(at(seconds), ana, What::Held);
        line.journey = Some(soon.journey.clone());
        line.enrollment = Some(soon.enrollment);
        line.touchpoint = Some(soon.id);
        line.channel = Some(Channel::Email);
        line.reason = Some(reason);
        Effect::Ledger(line)
    };
    world.write(bob, vec![Effect::Touchpoint(late.clone().into())]);
    world.write(
        ana,
        vec![
            Effect::Object(Object::new(offer, at(0))),
            Effect::Touchpoint(soon.clone().into()),
            held(Reason::QuietHours, 10),
            held(Reason::Approval, 20),
        ],
    );
    let questions = all(|after| world.reader.approvals(after, 1), 1);
    let told: Vec<_> = questions
        .iter()
        .map(|one| (one.contact.id, one.asked_at, one.deputy_at, one.expires_at))
        .collect();
    assert_eq!(
        told,
        [
            (ana, at(20), Some(at(40)), at(50)),
            (bob, late.created_at, None, at(100)),
        ],
        "the soonest to lapse first; since it was put, not since the step"
    );
    assert_eq!(questions[0].touchpoint, soon);
    assert!(questions[0].subject.is_some() && questions[1].subject.is_none());
    let one = world.reader.approval(soon.id).expect("reads");
    assert_eq!(one.as_ref(), questions.first());
    let mut answered = late.clone();
    answered.state = TouchpointState::Settled {
        at: at(60),
        outcome: Outcome::Missed,
    };
    world.write(bob, vec![Effect::Touchpoint(answered.into())]);
    assert_eq!(world.reader.approval(late.id).expect("reads"), None);
    assert_eq!(
        world.reader.approvals(None, 9).expect("reads").items.len(),
        1
    );
    let missed = world
        .reader
        .touchpoints(super::TouchpointList::Missed, None, 9);
    assert_eq!(missed.expect("reads").items.len(), 1);
}
