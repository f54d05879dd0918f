//! What publication refuses: all problems of a draft at once, each with its place and a remedy.

use relance_core::journey::publish;

use crate::story::journey::draft;

/// The problems of a journey, a line each: place, what, remedy.
fn problems(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let (draft, version) = draft(&lines);
    let problems = publish(draft, version).expect_err("a draft with problems");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn a_field_of_the_contact_begins_no_run_about_an_object() {
    insta::assert_snapshot!(problems("
journey a: date contact.birthday yearly about deal
  task x
"), @r#"
trigger.date: contact.birthday is about the contact, the journey about an object; leave `subject` out, or name a field of it: subject.NAME
"#);
    insta::assert_snapshot!(problems("
journey a: changed contact.plan about deal
  task x
"), @r#"
trigger.changed: contact.plan is about the contact, the journey about an object; leave `subject` out, or name a field of it: subject.NAME
"#);
}

#[test]
fn a_subject_that_is_not_there_has_no_fields() {
    insta::assert_snapshot!(problems("
journey a: changed subject.stage
  reentry once_per_subject
  set subject.stage = won
  move won
  wait until subject.due
  email due digest 1h
"), @r#"
reentry: once_per_subject needs a subject; set `subject:` to document, deal, order or cart, or write `reentry: once`
trigger.changed: subject.stage is not there: the journey has no subject; add `subject:` to the journey, or write contact.NAME
email due digest 1h: a digest gathers subjects, and the journey has none; add `subject:` to the journey, or leave `digest` out
wait until subject.due: subject.due is not there: the journey has no subject; add `subject:` to the journey, or write contact.NAME
move won: nothing can be moved: the journey has no subject; add `subject: deal` to the journey
set subject.stage = won: subject.stage cannot be set: the journey has no subject; add `subject:` to the journey, or set contact.NAME
"#);
}

#[test]
fn triggers_of_the_contact_have_no_subject_and_missed_things_a_name() {
    for trigger in [
        "entered vip about deal",
        "schedule daily at 10:00 about deal",
        "inactive 3d about deal",
    ] {
        let text = format!("journey a: {trigger}\n  task x\n");
        assert_eq!(problems(&text).lines().count(), 1, "{trigger}");
    }
}

#[test]
fn steps_that_could_not_do_what_they_say() {
    insta::assert_snapshot!(problems("
journey a: on Ping
  sms text from owner
  sms text opened 1d
  wait_for Paid
    else
      task x
  branch
    else
      task y
  split
    arm A 0
      task z
  set event.x = 1
  set contact.a.b = 1
  task one id same
  task two id same
"), @r#"
task one id same: another step has the id same; give each step an id of its own
set contact.a.b = 1: contact.a.b lies inside another value; set the whole value
set event.x = 1: event.x cannot be set: an event has happened; set contact.NAME or subject.NAME
split: a split needs ways with names of their own; list 2 to 26, each with another `variant:`
split: all weights are zero; give one way a weight
branch: a branch needs an `if`; add `- if: ...`
wait_for Paid: `else` is never reached without a timeout; add `timeout: 2d`, or leave `else` out
sms text opened 1d: only e-mail tells that it was opened; leave `opened_within` out for other channels
sms text from owner: owner_mailbox sends e-mail only; leave `from` out for other channels
"#);
}

#[test]
fn a_journey_without_steps() {
    insta::assert_snapshot!(problems("journey a: on Ping"), @r#"
steps: the journey has no steps; add at least one step
"#);
}
