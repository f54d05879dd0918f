//! The golden table: every state of a run and its message, met by every input, and what `decide` makes of
//! it. A change of the table is a change of the product: read it line by line before it is accepted.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::{Channel, SuppressionReason};
use relance_core::decide::{Answer, Effect, Input, Overdue, Starter, Timer, TimerKind, decide};
use relance_core::enrollment::EnrollmentState;
use relance_core::event::Event;
use relance_core::ids::{EnrollmentId, JourneyId, SubjectRef, TouchpointId, UserId};
use relance_core::snapshot::Snapshot;
use relance_core::touchpoint::{Outcome, Slot, TouchpointState};
use relance_core::value::{Fields, Value};
use relance_core::world::World;

use crate::story::act::{self, Driver};
use crate::story::world::StoryWorld;

/// One journey with everything that can be met.
const WORLD: &str = r#"
wire by hand
quiet email 21:00-09:00
mailbox sales@us.test
journey offer: on "Document Sent" about document
  goal "Deal Won" 30d
  exit Replied
  wait 1d
  email first
  email second approval owner
  wait_for "Order Completed" 2d
    then
      task "Thank"
    else
      email third
"#;

/// Another, for what the first cannot hold.
const SECOND: &str = r#"
wire by hand
journey offer: on "Document Sent" about document
  goal "Deal Won" 30d
  exit Replied
  wait 1d
  email first digest 1h
  wait_for any 2d
    on "Order Completed"
      task "Thank"
    when contact.plan = pro
      notify owner "Pro"
    else
      email third opened 1d
        otherwise
          task "Call"
  wait until contact.trial_ends
  email last
"#;

/// Journeys beside it, for what begins runs in other ways.
const BESIDE: &str = r#"
journey vip: entered vip
  task "Welcome"
journey left: left old
  task "Ask why"
journey asked: manual
  task "Asked"
journey trial: date contact.trial_ends
  task "Ask how it is"
journey news: schedule tue at 10:00
  task "News"
journey moved: changed contact.city
  task "Note it"
"#;

/// What has happened before in every state.
const BEFORE: &str = "2026-03-01 10:00 enters old
    2026-03-01 10:00 identify trial_ends=2026-03-20";

/// How each state is reached. The last moment is that of the table.
const STATES: &[(&str, &str)] = &[
    ("no run", "2026-03-02 10:00"),
    ("waiting", "2026-03-02 10:00 Document Sent document=d1"),
    (
        "held for the mailbox",
        "2026-03-02 10:00 Document Sent document=d1 mailbox=sales@us.test
         2026-03-03 10:00",
    ),
    (
        "held for the hour",
        "2026-03-02 22:00 Document Sent document=d1
         2026-03-03 22:00",
    ),
    (
        "in flight",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 10:00",
    ),
    (
        "queued for another try",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 10:00:01 settle soft",
    ),
    (
        "awaiting approval",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 10:00:01 settle accepted",
    ),
    (
        "listening",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 10:00:01 settle accepted
         2026-03-03 10:00:02 skip",
    ),
    (
        "finished, the goal still open",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 10:00:01 settle accepted
         2026-03-03 10:00:02 skip
         2026-03-03 10:00:03 Order Completed document=d1",
    ),
    (
        "exited, a message in flight",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 10:00:01 Replied document=d1",
    ),
    (
        "held in a pause",
        "2026-03-02 22:00 Document Sent document=d1
         2026-03-03 22:00
         2026-03-03 23:00 pause offer
         2026-03-04 09:00",
    ),
];

/// States of the second journey.
const STATES_OF_SECOND: &[(&str, &str)] = &[
    (
        "standing in a pause",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-02 11:00 pause offer
         2026-03-03 10:00
         2026-03-03 11:00",
    ),
    (
        "in a digest, the first of two",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-02 10:10 Document Sent document=d2
         2026-03-03 10:10",
    ),
    (
        "listening on several things",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 11:00
         2026-03-03 11:00:01 settle accepted",
    ),
    (
        "listening for an open",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 11:00
         2026-03-03 11:00:01 settle accepted
         2026-03-05 11:00:01
         2026-03-05 11:00:02 settle accepted third",
    ),
    (
        "waiting for a date",
        "2026-03-02 10:00 Document Sent document=d1
         2026-03-03 11:00
         2026-03-03 11:00:01 settle accepted
         2026-03-03 11:00:02 Order Completed document=d1",
    ),
];

#[test]
fn the_golden_table_of_decide() {
    let mut table = String::new();
    let first = STATES.iter().map(|state| (WORLD, state));
    let second = STATES_OF_SECOND.iter().map(|state| (SECOND, state));
    for (world, (name, lines)) in first.chain(second) {
        let rules = world.lines().chain(BESIDE.lines());
        let rules: Vec<&str> = rules.filter(|line| !line.is_empty()).collect();
        let story = StoryWorld::read(&rules);
        let mut driver = story.driver();
        for line in BEFORE.lines().chain(lines.lines()) {
            act::happen(&story, &mut driver, line.trim(), &mut Vec::new());
        }
        let Driver::ByHand(rig) = &driver else {
            panic!("the table is made by hand")
        };
        let (snapshot, now) = (rig.contact(story.contacts[0].1.id), rig.now());
        writeln!(table, "== {name}").unwrap();
        for (word, input) in inputs(snapshot, now) {
            let effects = after(&rig.world, snapshot, &input, now);
            writeln!(table, "{word:<28} -> {effects}").unwrap();
        }
        table.push('\n');
    }
    insta::with_settings!({
        snapshot_path => "../golden",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("decide", table);
    });
}

fn inputs(snapshot: &Snapshot, now: Timestamp) -> Vec<(&'static str, Input)> {
    let contact = snapshot.contact.id;
    let first = EnrollmentId { contact, number: 1 };
    let open = snapshot.touchpoints.first();
    let id = open.map_or(TouchpointId::derive(first, "2", 1), |one| one.id);
    let attempt = open.map_or(1, |one| one.attempts);
    let event = |name: &str, document: &str| {
        let mut event = Event::track(name, now);
        event.subject = Some(SubjectRef {
            kind: "document".into(),
            id: document.into(),
        });
        event
    };
    let machine = {
        let mut event = event("Replied", "d1");
        event
            .properties
            .insert("machine".to_owned(), Value::Bool(true));
        event
    };
    let bounced = {
        let mut event = event("Email Bounced", "d1");
        event
            .properties
            .insert("class".to_owned(), Value::from("hard"));
        event
    };
    let settle = |attempt, outcome| Input::Settle {
        touchpoint: id,
        attempt,
        outcome,
    };
    let answer = |answer| Input::Approve {
        touchpoint: id,
        by: UserId::from("boss"),
        answer,
    };
    let hard = |address_is_bad| Outcome::RefusedHard {
        text: String::new(),
        address_is_bad,
    };
    let due_at = snapshot
        .enrollments
        .first()
        .and_then(|run| run.timer_at())
        .unwrap_or(now);
    let timer = |due_at, kind| Input::Timer(Timer { due_at, kind });
    let lapse_at = match open.map(|one| one.slot()) {
        Some(Slot::Timer(at)) => at,
        Some(Slot::Outbox(_) | Slot::Flight | Slot::Done) | None => now,
    };
    let told = |event: Event| Input::Event(Arc::new(event));
    let traits = |name: &str, value: Value| {
        let traits = [(name.to_owned(), value)];
        told(Event::identify(traits.into_iter().collect(), now))
    };
    let acme = serde_json::json!({ "id": "acme", "timezone": "Asia/Tokyo" });
    let opened = {
        let step = snapshot.enrollments.first().and_then(|run| run.step());
        let sent = step.map(|step| TouchpointId::derive(first, step.as_str(), 1));
        let message = open.map(|one| one.id).or(sent).unwrap_or(id).to_string();
        let mut event = event("Email Opened", "d1");
        event
            .properties
            .insert("touchpoint".to_owned(), message.into());
        event
    };
    let enroll = |by| Input::Enroll {
        journey: JourneyId::from("asked"),
        by,
        subject: None,
        properties: Fields::new(),
        once: None,
    };
    let resume = |overdue| Input::Resume {
        journey: JourneyId::from("offer"),
        overdue,
    };
    let segment = |segment: &str, member| Input::Segment {
        segment: segment.into(),
        member,
    };
    vec![
        ("the trigger again", told(event("Document Sent", "d1"))),
        (
            "the trigger, another subject",
            told(event("Document Sent", "d2")),
        ),
        ("an exit", told(event("Replied", "d1"))),
        ("an exit, another subject", told(event("Replied", "d2"))),
        ("an exit by a machine", told(machine)),
        ("the goal", told(event("Deal Won", "d1"))),
        ("what is awaited", told(event("Order Completed", "d1"))),
        ("something else", told(event("Ping", "d1"))),
        ("a hard bounce", told(bounced)),
        ("a complaint", told(event("Email Marked as Spam", "d1"))),
        ("an unsubscription", told(event("Unsubscribed", "d1"))),
        (
            "a suppression",
            Input::Suppress {
                channel: Channel::Email,
                reason: SuppressionReason::Manual,
            },
        ),
        ("an erasure", Input::Erase),
        ("the run's timer", timer(due_at, TimerKind::Enrollment(1))),
        (
            "the message's timer",
            timer(lapse_at, TimerKind::Touchpoint(id.hash)),
        ),
        ("a stale timer", timer(now, TimerKind::Enrollment(7))),
        ("a claim", Input::Claim(id)),
        ("accepted", settle(attempt, Outcome::Accepted)),
        (
            "accepted, another try",
            settle(attempt + 1, Outcome::Accepted),
        ),
        (
            "refused for now",
            settle(attempt, Outcome::RefusedSoft(String::new())),
        ),
        ("refused for good", settle(attempt, hard(false))),
        ("refused, a bad address", settle(attempt, hard(true))),
        (
            "postponed",
            settle(attempt, Outcome::Postponed { seconds: 60 }),
        ),
        (
            "a template that fails",
            settle(attempt, Outcome::TemplateFailed(String::new())),
        ),
        ("no channel", settle(attempt, Outcome::ChannelNotConfigured)),
        ("unknown", settle(attempt, Outcome::Unknown)),
        ("a yes", answer(Answer::Approve { text: None })),
        ("a no", answer(Answer::Skip)),
        ("a call instead", answer(Answer::CallInstead)),
        ("an open", told(opened)),
        ("a trait that is awaited", traits("plan", "pro".into())),
        ("a trait that changes", traits("city", "Lyon".into())),
        (
            "a date that is put off",
            traits("trial_ends", "2026-04-20".into()),
        ),
        ("another zone", traits("timezone", "Asia/Tokyo".into())),
        ("into a segment", segment("vip", true)),
        ("out of a segment", segment("old", false)),
        ("begun by a person", enroll(Starter::Person("boss".into()))),
        ("begun by a program", enroll(Starter::Program)),
        ("a broadcast is published", Input::Arm("news".into())),
        ("resumed, late", resume(Overdue::Late)),
        ("resumed, skip", resume(Overdue::Skip)),
        ("resumed, shift", resume(Overdue::Shift)),
        ("archived", Input::End("offer".into())),
        ("an account is told", traits("account", acme)),
        ("an account changed", Input::Account),
        ("other rules", Input::Reconsider(None)),
    ]
}

/// What is decided. What comes at a moment of its own is decided then.
fn after(world: &World, snapshot: &Snapshot, input: &Input, now: Timestamp) -> String {
    let now = match input {
        Input::Timer(timer) => timer.due_at.max(now),
        Input::Claim(id) => match snapshot.touchpoint(*id).map(|one| one.slot()) {
            Some(Slot::Outbox(at)) => at.max(now),
            Some(Slot::Timer(_) | Slot::Flight | Slot::Done) | None => now,
        },
        Input::Event(_)
        | Input::Echo(_)
        | Input::Settle { .. }
        | Input::Approve { .. }
        | Input::Suppress { .. }
        | Input::Consent { .. }
        | Input::Confirm(_)
        | Input::Prefer(_)
        | Input::Lift(_)
        | Input::Segment { .. }
        | Input::Assess(_)
        | Input::Enroll { .. }
        | Input::Account
        | Input::Arm(_)
        | Input::Resume { .. }
        | Input::End(_)
        | Input::Reconsider(_)
        | Input::Task(_)
        | Input::Erase => now,
    };
    let mut snapshot = snapshot.clone();
    let mut world = world.clone();
    if let Input::Resume { journey, .. } = input {
        world.set_paused(journey, false);
    }
    let effects = decide(&world, &mut snapshot, input, now);
    let words: Vec<String> = effects.iter().map(|effect| word(effect, now)).collect();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}

fn word(effect: &Effect, now: Timestamp) -> String {
    let later = |at: Timestamp| {
        let by = SignedDuration::from_secs(at.duration_since(now).as_secs());
        format!("{by:#}")
    };
    match effect {
        Effect::Contact(_) => "contact".to_owned(),
        Effect::Enrollment(run) => match &run.state {
            EnrollmentState::Waiting { step, until, .. } => {
                format!("{} waits at {step} {}", run.journey, later(*until))
            }
            EnrollmentState::Listening { step, .. } => format!("{} listens at {step}", run.journey),
            EnrollmentState::Standing { step, .. } => {
                format!("{} stands before {step}", run.journey)
            }
            EnrollmentState::Sending { step, .. } => format!("{} sends at {step}", run.journey),
            EnrollmentState::Finished { .. } => format!("{} finished", run.journey),
            EnrollmentState::Exited { .. } => format!("{} exited", run.journey),
        },
        Effect::Entry(_) => "entry".to_owned(),
        Effect::Touchpoint(touchpoint) => {
            let state = match &touchpoint.state {
                TouchpointState::Queued { ready_at } => format!("queued {}", later(*ready_at)),
                TouchpointState::Held { until, .. } => format!("held {}", later(*until)),
                TouchpointState::AwaitingApproval { .. } => "put to a person".to_owned(),
                TouchpointState::Sending { .. } => format!("goes #{}", touchpoint.attempts),
                TouchpointState::Settled { .. } => "settled".to_owned(),
            };
            format!("{} {state}", touchpoint.template)
        }
        Effect::Watch(_) => "watch".to_owned(),
        Effect::Membership { segment, after, .. } if after.member => format!("member of {segment}"),
        Effect::Membership { segment, .. } => format!("no member of {segment}"),
        Effect::Unwatch(_) => "unwatch".to_owned(),
        Effect::Consent(change) => format!("{} {}", change.about.word(), change.answer.word()),
        Effect::Suppression(one) => format!("{} listed", one.key.kind.word()),
        Effect::Object(_) => "object".to_owned(),
        Effect::Event(_) => "event".to_owned(),
        Effect::Task(_) => "task".to_owned(),
        Effect::TaskChanged { .. } => "task changed".to_owned(),
        Effect::Arm(timer) => format!("arm {}", later(timer.due_at)),
        Effect::Disarm(_) => "disarm".to_owned(),
        Effect::Ledger(line) => match line.reason {
            Some(reason) => format!("[{} {reason}]", line.what),
            None => format!("[{}]", line.what),
        },
        Effect::Account { account, .. } => format!("account {}", account.id),
        Effect::Belongs {
            after: Some(id), ..
        } => format!("belongs to {id}"),
        Effect::Belongs { after: None, .. } => "belongs to none".to_owned(),
        Effect::Revoke(_) => "revoke".to_owned(),
        Effect::RequestSync(_) => "sync".to_owned(),
    }
}
