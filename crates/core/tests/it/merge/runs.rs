//! Runs of two contacts that turn out to be one: which go on, and as what.

use relance_core::decide::{
    Input, MergeProblem, Overdue, RUNS_MERGED_MAX, Starter, merge, needs_of_merge,
};
use relance_core::enrollment::EnrollmentState;
use relance_core::ids::{EventName, JourneyId, ObjectKind, UserId};
use relance_core::ledger::What;
use relance_core::value::Fields;

use super::life::Life;
use super::two;

#[test]
fn contact_merged_while_waiting_the_wait_ends_once_the_message_goes_once() {
    let mut life = two("
journey welcome: on \"Signed Up\"
  wait 3d
  email hello
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    life.pass("2026-03-03 10:00");
    life.tell("bob", "Signed Up", &[]);
    assert_eq!(
        life.seen(),
        ["ana enrolled welcome", "bob enrolled welcome"]
    );

    life.pass("2026-03-04 10:00");
    life.merge("bob", "ana").unwrap();
    assert_eq!(
        life.seen(),
        [
            "ana merged merged con_2",
            "ana merged welcome merged enr_2_2",
            "bob merged merged con_1",
            "bob exited welcome merged",
            "bob merged welcome merged enr_1_1",
        ]
    );
    life.pass("2026-03-05 10:00");
    assert_eq!(
        life.seen(),
        ["bob sent welcome hello", "bob finished welcome"]
    );
    life.pass("2026-06-01 10:00");
    assert_eq!(life.seen(), [""; 0]);
    life.tell("bob", "Signed Up", &[]);
    assert_eq!(life.seen(), ["bob not_enrolled welcome reentry"]);
}

#[test]
fn a_run_that_the_other_half_does_not_have_goes_over_as_it_stands() {
    let mut life = two("
journey welcome: on \"Signed Up\"
  wait 3d
  email hello
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    let before = life.of("ana").enrollments[0].clone();
    let merged = life.merge("bob", "ana").unwrap();
    let after = &life.of("bob").enrollments[0];
    assert_eq!(merged.runs, [(before.id, after.id)]);
    assert_eq!((after.id.contact, after.id.number), (life.id("bob"), 1));
    assert_eq!(after.state, before.state);
    assert_eq!(after.cause, before.cause);
    assert_eq!(after.entered_at, before.entered_at);
    life.seen();
    life.pass("2026-03-10 10:00");
    assert_eq!(
        life.seen(),
        ["bob sent welcome hello", "bob finished welcome"]
    );
}

#[test]
fn who_was_through_the_journey_once_does_not_go_through_the_rest_of_it_again() {
    let rules = "
journey welcome: on \"Signed Up\"
  wait 3d
  email hello
";
    // Whichever half it is that was through.
    for (survivor, absorbed) in [("ana", "bob"), ("bob", "ana")] {
        let mut life = two(rules);
        life.pass("2026-03-02 10:00");
        life.tell("ana", "Signed Up", &[]);
        life.pass("2026-03-10 10:00");
        life.tell("bob", "Signed Up", &[]);
        life.merge(survivor, absorbed).unwrap();
        life.pass("2026-04-10 10:00");
        assert_eq!(life.sent.len(), 1);
        let ended = life.lines.iter().filter(|line| line.what == What::Exited);
        assert_eq!(ended.count(), 1);
    }
}

#[test]
fn a_half_without_an_address_was_sent_nothing_so_the_others_run_goes_on() {
    let rules = "
contact anonymous browser=firefox
contact known email=known@client.test
journey welcome: on \"Signed Up\"
  email hello
  wait 1d
  email more
";
    let mut life = Life::new(rules);
    life.pass("2026-03-02 10:00");
    life.tell("anonymous", "Signed Up", &[]);
    life.pass("2026-03-02 11:00");
    life.tell("known", "Signed Up", &[]);
    life.merge("known", "anonymous").unwrap();
    life.seen();
    life.pass("2026-03-05 10:00");
    assert_eq!(
        life.seen(),
        ["known sent welcome more", "known finished welcome"]
    );
    let moments: Vec<_> = life.sent.iter().map(|sent| sent.at).collect();
    assert_eq!(
        moments,
        ["2026-03-02 11:00", "2026-03-03 11:00"].map(|at| life.moment(at))
    );
}

#[test]
fn runs_about_other_subjects_go_over_and_of_one_subject_the_earlier_goes_on() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  wait 3d
  email reminder
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Document Sent", &[("document", "d1")]);
    life.tell("ana", "Document Sent", &[("document", "d2")]);
    life.pass("2026-03-02 12:00");
    life.tell("bob", "Document Sent", &[("document", "d2")]);
    life.tell("bob", "Document Sent", &[("document", "d3")]);
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-20 10:00");
    let mut told: Vec<_> = life
        .sent
        .iter()
        .map(|sent| sent.touchpoint.subject.as_ref().unwrap().id.to_string())
        .collect();
    told.sort();
    assert_eq!(told, ["d1", "d2", "d3"]);
    assert!(
        life.sent
            .iter()
            .all(|sent| sent.touchpoint.id.contact == life.id("bob"))
    );
}

#[test]
fn the_erased_the_same_and_the_overfull_are_refused() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  wait 30d
");
    life.pass("2026-03-02 10:00");
    let ana = life.id("ana");
    let mut one = life.of("ana").clone();
    let mut same = one.clone();
    let problem = merge(&life.world, &mut one, &mut same, life.now);
    assert_eq!(problem, Err(MergeProblem::Same(ana)));

    for n in 0..200 {
        life.tell("ana", "Document Sent", &[("document", &format!("a{n}"))]);
        life.tell("bob", "Document Sent", &[("document", &format!("b{n}"))]);
    }
    life.merge("bob", "ana").unwrap();
    assert_eq!(life.of("bob").enrollments.len(), RUNS_MERGED_MAX);
    life.seen();
    life.tell("bob", "Document Sent", &[("document", "c1")]);
    assert_eq!(life.seen(), ["bob not_enrolled offer too_many"]);

    // A third one must wait; who was absorbed is nobody to merge with.
    life.add("eve");
    life.tell("eve", "Document Sent", &[("document", "d1")]);
    let problem = MergeProblem::TooManyRuns {
        live: RUNS_MERGED_MAX + 1,
        most: RUNS_MERGED_MAX,
    };
    assert_eq!(life.merge("bob", "eve"), Err(problem));
    assert_eq!(life.merge("eve", "ana"), Err(MergeProblem::Gone(ana)));
    life.tell("ana", "Document Sent", &[("document", "d2")]);
    assert_eq!(life.of("ana").enrollments, []);
    life.happen("ana", &Input::Erase);
    assert_eq!(life.merge("bob", "ana"), Err(MergeProblem::Erased(ana)));
    assert_eq!(life.merge("ana", "bob"), Err(MergeProblem::Erased(ana)));
}

#[test]
fn control_group_and_variant_stay_with_the_run() {
    let mut life = two("
journey test: on \"Signed Up\"
  holdout 50%
  goal \"Order Completed\" 30d
  reentry always
  split
    arm A 1
      wait 1d
      email a
    arm B 1
      wait 1d
      email b
");
    life.pass("2026-03-02 10:00");
    for n in 0..60 {
        let name = format!("c{n}");
        life.add(&name);
        life.tell(&name, "Signed Up", &[]);
    }
    let mut mixed = 0;
    for n in (0..60).step_by(2) {
        let (one, other) = (format!("c{n}"), format!("c{}", n + 1));
        let mut before: Vec<_> = [&one, &other]
            .iter()
            .map(|name| life.of(name).enrollments[0].clone())
            .map(|run| (run.held_out, run.variant.clone(), run.is_running()))
            .collect();
        let running = before.iter().filter(|(.., running)| *running).count();
        if running == 2 {
            // Of two under way one goes on: that of the survivor, who began no later.
            before.truncate(1);
        }
        life.merge(&one, &other).unwrap();
        let mut after: Vec<_> = life
            .of(&one)
            .enrollments
            .iter()
            .filter(|run| run.timer_at().is_some())
            .map(|run| (run.held_out, run.variant.clone(), run.is_running()))
            .collect();
        after.retain(|(held_out, _, running)| *held_out || *running);
        assert_eq!(after, before);
        mixed += usize::from(before.len() == 2 && before[0] != before[1]);
    }
    assert!(mixed > 0, "no pair was of two minds");
}

#[test]
fn a_run_of_a_paused_journey_stands_and_goes_on_when_the_journey_does() {
    let mut life = two("
journey hello: on \"Signed Up\"
  wait 1d
  email hello
");
    let hello = JourneyId::from("hello");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    life.world.set_paused(&hello, true);
    life.pass("2026-03-03 12:00");
    let standing = |life: &Life, who| {
        let mut runs = life.of(who).enrollments.iter();
        runs.any(|run| matches!(run.state, EnrollmentState::Standing { .. }))
    };
    assert!(standing(&life, "ana"));
    life.merge("bob", "ana").unwrap();
    assert!(standing(&life, "bob"));
    life.world.set_paused(&hello, false);
    let overdue = Overdue::Late;
    life.happen(
        "bob",
        &Input::Resume {
            journey: hello,
            overdue,
        },
    );
    assert_eq!(life.sent.len(), 1);
}

#[test]
fn a_third_contact_joins_what_two_became() {
    let mut life = two("
contact eve email=eve@client.test
journey offer: on \"Document Sent\" about document
  wait 3d
  email reminder
");
    life.pass("2026-03-02 10:00");
    for (n, who) in ["ana", "bob", "eve"].into_iter().enumerate() {
        life.tell(who, "Document Sent", &[("document", &format!("d{n}"))]);
        life.tell(who, "Document Sent", &[("document", "shared")]);
    }
    life.merge("bob", "ana").unwrap();
    life.merge("eve", "bob").unwrap();
    life.pass("2026-03-20 10:00");
    assert_eq!(life.sent.len(), 4);
    assert!(
        life.sent
            .iter()
            .all(|sent| sent.touchpoint.id.contact == life.id("eve"))
    );
}

#[test]
fn needs_ask_for_all_that_a_merge_looks_at() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  wait 3d
  email reminder
  exit Replied
journey welcome: on \"Signed Up\"
  email hello
journey ping: on Ping
  reentry always
  email ping
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Document Sent", &[("document", "d1")]);
    let needs = needs_of_merge(&life.world, life.of("bob"), life.of("ana"));
    assert!(needs.history.contains(&EventName::from("Replied")));
    assert!(needs.objects.iter().any(|subject| &*subject.id == "d1"));
    assert!(needs.kinds.contains(&ObjectKind::from("document")));
    let entries: Vec<_> = needs.entries.iter().map(JourneyId::as_str).collect();
    assert_eq!(entries, ["offer", "welcome"]);
    // Told of the absorbed too, though it alone has no runs.
    let other = needs_of_merge(&life.world, life.of("ana"), life.of("bob"));
    assert_eq!(needs, other);
}

#[test]
fn begun_by_hand_for_both_one_goes_on() {
    let mut life = two("
journey nurture: manual
  wait 1d
  email one
");
    life.pass("2026-03-02 10:00");
    let by = Starter::Person(UserId::from("boss"));
    for who in ["ana", "bob"] {
        let begin = Input::Enroll {
            journey: "nurture".into(),
            by: by.clone(),
            subject: None,
            properties: Fields::new(),
            once: None,
        };
        life.happen(who, &begin);
    }
    life.merge("ana", "bob").unwrap();
    life.pass("2026-03-10 10:00");
    assert_eq!(life.sent.len(), 1);
}
