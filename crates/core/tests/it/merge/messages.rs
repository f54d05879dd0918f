//! Messages under way, and what either said to being written to, when two contacts turn out to be one.

use relance_core::contact::{Channel, Consent, SuppressionReason};
use relance_core::decide::{Answer, Input, MergeProblem};
use relance_core::event::Event;
use relance_core::ids::{ListId, Topic, UserId};
use relance_core::touchpoint::{Outcome, TouchpointState};

use super::two;

#[test]
fn what_is_in_flight_or_may_have_arrived_puts_the_merge_off() {
    let mut life = two("
template order service at_least_once
journey welcome: on \"Signed Up\"
  email hello
  email order
");
    life.by_hand = true;
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    let flying = life.of("ana").touchpoints[0].id;
    for (one, other) in [("bob", "ana"), ("ana", "bob")] {
        assert_eq!(life.merge(one, other), Err(MergeProblem::InFlight(flying)));
    }
    life.settle("ana", Outcome::Accepted);
    // The next one may have arrived; it is tried again under its name.
    life.settle("ana", Outcome::Unknown);
    let again = life.of("ana").touchpoints[0].clone();
    assert!(matches!(again.state, TouchpointState::Queued { .. }));
    assert_eq!(
        life.merge("bob", "ana"),
        Err(MergeProblem::InFlight(again.id))
    );
    life.pass("2026-03-02 10:10");
    life.settle("ana", Outcome::Accepted);
    life.merge("bob", "ana").unwrap();
}

#[test]
fn a_message_that_was_refused_for_now_is_tried_again_under_its_new_name() {
    let mut life = two("
journey welcome: on \"Signed Up\"
  email hello
");
    life.by_hand = true;
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    life.settle("ana", Outcome::RefusedSoft("451".to_owned()));
    let old = life.of("ana").touchpoints[0].clone();
    let merged = life.merge("bob", "ana").unwrap();
    let new = &life.of("bob").touchpoints[0];
    assert_eq!(merged.messages, [(old.id, new.id)]);
    assert_eq!((&new.state, new.attempts), (&old.state, old.attempts));
    life.pass("2026-03-02 10:10");
    life.settle("bob", Outcome::Accepted);
    assert_eq!(life.sent.len(), 2, "two tries, one message accepted");
    assert!(life.of("bob").enrollments.is_empty());
}

#[test]
fn a_question_goes_over_and_is_answered_under_its_new_name_only() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  approval owner deputy role:head after 1d
  email reminder
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Document Sent", &[("document", "d1")]);
    let old = life.of("ana").touchpoints[0].clone();
    life.merge("bob", "ana").unwrap();
    let new = life.of("bob").touchpoints[0].clone();
    assert_eq!(new.state, old.state);
    life.seen();
    let yes = |touchpoint| Input::Approve {
        touchpoint,
        by: UserId::from("boss"),
        answer: Answer::Approve { text: None },
    };
    life.happen("ana", &yes(old.id));
    assert_eq!(life.seen(), [""; 0], "the old name says nothing any more");
    life.happen("bob", &yes(new.id));
    assert_eq!(
        life.seen(),
        [
            "bob approved offer reminder",
            "bob sent offer reminder",
            "bob finished offer"
        ]
    );
    assert_eq!(life.sent.len(), 1);
}

#[test]
fn a_question_that_nobody_answers_lapses_when_it_would_have() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  approval owner expires 2d lapse send
  email reminder
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Document Sent", &[("document", "d1")]);
    life.pass("2026-03-03 10:00");
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-08 10:00");
    let moments: Vec<_> = life.sent.iter().map(|sent| sent.at).collect();
    assert_eq!(moments, [life.moment("2026-03-04 10:00")]);
}

#[test]
fn a_digest_goes_over_with_its_members() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  email reminder digest 1d
");
    life.pass("2026-03-02 10:00");
    for document in ["d1", "d2", "d3"] {
        life.tell("ana", "Document Sent", &[("document", document)]);
    }
    life.pass("2026-03-02 11:00");
    // The same document, later: the other half's reminder of it is enough.
    life.tell("bob", "Document Sent", &[("document", "d2")]);
    life.merge("bob", "ana").unwrap();
    life.seen();
    life.pass("2026-03-10 10:00");
    assert_eq!(
        life.seen(),
        [
            "bob sent offer reminder",
            "bob finished offer",
            "bob finished offer",
            "bob finished offer"
        ]
    );
    let subjects = life.sent[0].touchpoint.subjects();
    let told: Vec<_> = subjects.map(|subject| &*subject.id).collect();
    assert_eq!(told, ["d1", "d2", "d3"]);
}

#[test]
fn a_digest_whose_first_run_ends_by_the_merge_goes_on_with_the_others() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  email reminder digest 1d
");
    life.pass("2026-03-02 09:00");
    life.tell("bob", "Document Sent", &[("document", "d1")]);
    life.pass("2026-03-02 10:00");
    for document in ["d1", "d2"] {
        life.tell("ana", "Document Sent", &[("document", document)]);
    }
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-10 10:00");
    let told: Vec<Vec<_>> = life
        .sent
        .iter()
        .map(|sent| {
            sent.touchpoint
                .subjects()
                .map(|one| one.id.to_string())
                .collect()
        })
        .collect();
    assert_eq!(told, [["d1"], ["d2"]]);
}

#[test]
fn a_refusal_of_the_one_half_calls_back_messages_of_the_other() {
    let rules = "
quiet email 20:00-08:00
journey welcome: on \"Signed Up\"
  email hello
";
    for (survivor, absorbed) in [("ana", "bob"), ("bob", "ana")] {
        let mut life = two(rules);
        life.pass("2026-03-02 21:00");
        life.tell("bob", "Unsubscribed", &[]);
        life.tell("ana", "Signed Up", &[]);
        life.seen();
        life.merge(survivor, absorbed).unwrap();
        let seen = life.seen();
        let withdrawn = format!("{survivor} withdrawn welcome hello unsubscribed");
        assert!(seen.contains(&withdrawn), "{seen:?}");
        assert!(
            seen.contains(&format!("{survivor} finished welcome")),
            "{seen:?}"
        );
        life.pass("2026-03-05 21:00");
        assert!(life.sent.is_empty());
    }
}

#[test]
fn a_bounced_address_lets_the_other_halfs_run_try_another_way() {
    let mut life = two("
contact eve phone=+7900
quiet email 20:00-08:00
journey welcome: on \"Signed Up\"
  email hello
    otherwise
      sms hello-sms
");
    life.pass("2026-03-02 21:00");
    life.happen(
        "eve",
        &Input::Suppress {
            channel: Channel::Email,
            reason: SuppressionReason::HardBounce,
        },
    );
    life.tell("ana", "Signed Up", &[]);
    life.seen();
    life.merge("ana", "eve").unwrap();
    let seen = life.seen();
    assert_eq!(
        seen[seen.len() - 3..],
        [
            "ana withdrawn welcome hello hard_bounce",
            "ana sent welcome hello-sms",
            "ana finished welcome"
        ]
    );
}

#[test]
fn consents_are_united_and_the_gate_obeys_them() {
    let mut life = two("
journey tips: on \"Read\"
  topic tips
  reentry always
  email tip
");
    life.pass("2026-03-02 10:00");
    for (who, consent) in [("ana", Consent::Granted), ("bob", Consent::Denied)] {
        let topic = Some(Topic::from("tips"));
        let channel = Channel::Email;
        life.happen(
            who,
            &Input::Consent {
                channel,
                topic,
                consent,
                evidence: Default::default(),
            },
        );
    }
    life.merge("ana", "bob").unwrap();
    life.seen();
    life.tell("ana", "Read", &[]);
    assert_eq!(
        life.seen(),
        [
            "ana enrolled tips",
            "ana dropped tips tip no_consent",
            "ana finished tips"
        ]
    );
}

#[test]
fn sends_to_both_count_for_the_caps_of_the_one() {
    let mut life = two("
cap 2 in 1
journey ping: on \"Ping\"
  reentry always
  email ping
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Ping", &[]);
    life.tell("bob", "Ping", &[]);
    life.merge("ana", "bob").unwrap();
    life.seen();
    life.tell("ana", "Ping", &[]);
    assert_eq!(
        life.seen(),
        ["ana enrolled ping", "ana held ping ping frequency_cap"]
    );
    life.pass("2026-03-03 10:00");
    assert_eq!(life.seen(), ["ana sent ping ping", "ana finished ping"]);
}

const LESSONS: &str = "
list lessons one two three
quiet email 20:00-08:00
journey lesson: on \"Lesson Due\" about deal
  email lesson content lessons
";

#[test]
fn no_item_of_a_list_goes_twice() {
    let mut life = two(LESSONS);
    // Ana was sent the first; of both, the next message is held over night.
    life.pass("2026-03-02 19:00");
    life.tell("ana", "Lesson Due", &[("deal", "1")]);
    life.pass("2026-03-02 21:00");
    life.tell("ana", "Lesson Due", &[("deal", "2")]);
    life.tell("bob", "Lesson Due", &[("deal", "3")]);
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-04 10:00");
    let mut items: Vec<_> = life
        .sent
        .iter()
        .map(|sent| sent.touchpoint.item.as_ref().unwrap().1.to_string())
        .collect();
    items.sort();
    assert_eq!(items, ["one", "three", "two"]);
}

#[test]
fn where_no_item_is_left_the_run_goes_on_without() {
    let mut life = two(&LESSONS.replace("one two three", "one"));
    life.pass("2026-03-02 21:00");
    life.tell("ana", "Lesson Due", &[("deal", "2")]);
    life.tell("bob", "Lesson Due", &[("deal", "3")]);
    life.merge("bob", "ana").unwrap();
    let seen = life.seen();
    assert!(
        seen.contains(&"bob skipped lesson lesson list_exhausted".to_owned()),
        "{seen:?}"
    );
    life.pass("2026-03-04 10:00");
    assert_eq!(life.sent.len(), 1);
    assert!(life.of("bob").enrollments.is_empty());
}

#[test]
fn an_item_that_a_person_agreed_to_stays_and_a_changed_one_is_asked_about_again() {
    let mut life = two(&LESSONS.replace("content lessons", "content lessons approval owner"));
    life.pass("2026-03-02 21:00");
    life.tell("ana", "Lesson Due", &[("deal", "2")]);
    life.tell("bob", "Lesson Due", &[("deal", "3")]);
    // Both nights' messages are asked about in the morning; only ana's is answered, both carry `one`.
    life.pass("2026-03-03 09:00");
    let approve = |touchpoint| Input::Approve {
        touchpoint,
        by: UserId::from("boss"),
        answer: Answer::Approve { text: None },
    };
    life.by_hand = true;
    let of_bob = life.of("bob").touchpoints[0].id;
    life.pass("2026-03-03 21:00");
    life.happen("bob", &approve(of_bob));
    life.merge("bob", "ana").unwrap();
    let carried: Vec<_> = life
        .of("bob")
        .touchpoints
        .iter()
        .map(|one| {
            (
                one.item.as_ref().unwrap().1.to_string(),
                one.approved_by.is_some(),
            )
        })
        .collect();
    assert_eq!(
        carried,
        [("one".to_owned(), true), ("two".to_owned(), false)]
    );
    // It turns out that the first was sent before: the agreed one must change, and is asked about.
    let list = ListId::from("lessons");
    life.add("eve");
    life.of_mut("eve")
        .contact
        .seen
        .insert(list, vec!["one".into()]);
    life.merge("bob", "eve").unwrap();
    let asked = life.of("bob").touchpoints.iter().find(|one| {
        one.item
            .as_ref()
            .is_some_and(|(_, item)| item.as_str() == "three")
    });
    assert!(asked.unwrap().approved_by.is_none());
    life.by_hand = false;
    life.pass("2026-03-04 12:00");
    assert!(life.sent.is_empty(), "both wait for an answer");
}

#[test]
fn an_opened_message_leads_on_under_its_new_name() {
    let rules = "
journey hello: on \"Signed Up\"
  email hello opened 2d
    otherwise
      sms hello-sms
";
    let mut life = two(rules);
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    let sent = life.sent[0].touchpoint.id;
    let merged = life.merge("bob", "ana").unwrap();
    let new = merged
        .messages
        .iter()
        .find(|(old, _)| *old == sent)
        .unwrap()
        .1;
    life.seen();
    life.pass("2026-03-03 10:00");
    life.tell("bob", "Email Opened", &[("touchpoint", &new.to_string())]);
    assert_eq!(life.seen(), ["bob came hello", "bob finished hello"]);
    life.pass("2026-03-09 10:00");
    assert_eq!(life.sent.len(), 1, "no fallback for what was opened");
}

#[test]
fn a_word_to_one_of_ours_outlives_its_run_and_goes_once() {
    let mut life = two("
journey call: on \"Signed Up\"
  notify owner \"call them\"
");
    life.by_hand = true;
    life.pass("2026-03-02 10:00");
    // It stands in the outbox: no time passes before the merge.
    let event = Event::track("Signed Up", life.now);
    life.input(life.id("ana"), &Input::Event(event.into()));
    assert!(life.of("ana").enrollments.is_empty(), "its run has ended");
    assert_eq!(life.of("ana").touchpoints.len(), 1);
    life.merge("bob", "ana").unwrap();
    life.settle("bob", Outcome::Accepted);
    assert_eq!(life.sent.len(), 1);
    let number = life.of("bob").contact.enrollments;
    assert_eq!(number, 1, "the number it goes under is nobody else's");
}
