//! What the one half knew and did, for the runs of the other.

use relance_core::ids::MailboxId;
use relance_core::ledger::What;

use super::two;

#[test]
fn a_reply_to_the_one_address_ends_the_reminder_to_the_other() {
    let mut life = two("
mailbox sales@we.test
journey offer: on \"Document Sent\" about document
  wait 3d
  email reminder
  exit Replied
");
    life.pass("2026-03-01 10:00");
    life.tell("bob", "Replied", &[("document", "d1")]);
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Document Sent", &[("document", "d1")]);
    life.tell("ana", "Document Sent", &[("document", "d2")]);
    life.pass("2026-03-03 10:00");
    life.tell("bob", "Replied", &[("document", "d2")]);
    life.merge("bob", "ana").unwrap();
    let exited: Vec<_> = life
        .seen()
        .into_iter()
        .filter(|one| one.contains("exited"))
        .collect();
    assert_eq!(
        exited,
        ["bob exited offer exit_event"],
        "what came before it began is old news"
    );
    life.pass("2026-03-10 10:00");
    let told: Vec<_> = life
        .sent
        .iter()
        .map(|sent| sent.touchpoint.subject.clone())
        .collect();
    assert!(told.iter().flatten().all(|one| &*one.id == "d1"));
}

#[test]
fn what_the_other_half_did_is_what_a_run_waited_for() {
    let rules = "
journey cart: on \"Cart Left\"
  wait_for \"Order Completed\" 2d
    then
      stop
    else
      sms still-interested
";
    for (survivor, absorbed) in [("ana", "bob"), ("bob", "ana")] {
        let mut life = two(rules);
        life.pass("2026-03-02 10:00");
        life.tell("ana", "Cart Left", &[]);
        life.pass("2026-03-03 10:00");
        life.tell("bob", "Order Completed", &[]);
        life.seen();
        life.merge(survivor, absorbed).unwrap();
        let seen = life.seen();
        let last = [
            format!("{survivor} came cart"),
            format!("{survivor} finished cart"),
        ];
        assert!(seen.ends_with(&last), "{seen:?}");
        life.pass("2026-03-09 10:00");
        assert!(life.sent.is_empty());
    }
}

#[test]
fn a_trait_that_the_other_half_brings_is_what_a_run_waited_for() {
    let mut life = two("
contact eve phone=+7900
journey call: on \"Signed Up\"
  wait_for any
    when contact.phone = +7900
      sms hello
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    life.seen();
    life.merge("ana", "eve").unwrap();
    let seen = life.seen();
    assert_eq!(
        seen[seen.len() - 2..],
        ["ana sent call hello", "ana finished call"]
    );
}

#[test]
fn an_order_after_the_merge_converts_the_run_under_its_new_name_once() {
    let mut life = two("
journey cart: on \"Cart Left\"
  goal \"Order Completed\" 7d
  email come-back
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Cart Left", &[]);
    assert_eq!(life.of("ana").enrollments.len(), 1, "its goal's time runs");
    life.merge("bob", "ana").unwrap();
    life.seen();
    life.pass("2026-03-04 10:00");
    life.tell("bob", "Order Completed", &[]);
    assert_eq!(life.seen(), ["bob converted cart"]);
}

#[test]
fn an_order_of_the_other_half_converts_unless_it_ran_the_journey_itself() {
    let rules = "
journey cart: on \"Cart Left\"
  goal \"Order Completed\" 7d
  email come-back
  wait 1d
  email again
";
    let converted = |both: bool| {
        let mut life = two(rules);
        life.pass("2026-03-02 10:00");
        life.tell("ana", "Cart Left", &[]);
        if both {
            life.tell("bob", "Cart Left", &[]);
        }
        life.pass("2026-03-02 12:00");
        life.tell("bob", "Order Completed", &[]);
        life.merge("bob", "ana").unwrap();
        life.pass("2026-03-20 12:00");
        let lines = life
            .lines
            .iter()
            .filter(|line| line.what == What::Converted);
        (lines.count(), life.sent.len())
    };
    assert_eq!(converted(false), (1, 1));
    assert_eq!(
        converted(true),
        (1, 2),
        "both were sent the first, nobody the second"
    );
}

#[test]
fn objects_of_both_are_at_hand_for_what_comes() {
    let mut life = two("
journey offer: on \"Document Sent\" about document
  wait 1d
  branch
    if subject.amount >= 100
      email big
    else
      email small
");
    life.pass("2026-03-02 10:00");
    life.tell(
        "ana",
        "Document Sent",
        &[("document", "d1"), ("amount", "500")],
    );
    life.tell(
        "bob",
        "Document Sent",
        &[("document", "d2"), ("amount", "5")],
    );
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-04 10:00");
    let mut templates: Vec<_> = life
        .sent
        .iter()
        .map(|sent| sent.touchpoint.template.to_string())
        .collect();
    templates.sort();
    assert_eq!(templates, ["big", "small"]);
}

#[test]
fn mailboxes_of_both_are_asked_before_a_reminder_leaves() {
    let mut life = two("
mailbox sales@we.test
journey offer: on \"Document Sent\" about document
  wait 1d
  email reminder
  exit Replied
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Document Sent", &[("document", "d1")]);
    let mailbox = MailboxId::from("sales@we.test");
    life.of_mut("bob").contact.mailboxes.insert(mailbox.clone());
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-03 10:01");
    assert!(life.sent.is_empty());
    life.world.synced.insert(mailbox, life.now);
    life.pass("2026-03-03 10:10");
    assert_eq!(life.sent.len(), 1);
}

#[test]
fn a_merge_begins_no_journey() {
    let mut life = two("
contact eve plan=pro
journey grown: changed contact.plan to pro
  email congratulations
");
    life.pass("2026-03-02 10:00");
    life.merge("ana", "eve").unwrap();
    assert_eq!(life.of("ana").contact.text("plan"), Some("pro"));
    assert_eq!(
        life.seen(),
        ["eve merged merged con_1", "ana merged merged con_3"]
    );
}
