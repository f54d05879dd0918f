//! Golden files and round trips.

mod input;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use relance_core::contact::{Channel, Consent, Contact, MailMark, SendMark, SuppressionReason};
use relance_core::enrollment::{Enrollment, EnrollmentState, ExitReason};
use relance_core::event::{Event, EventKind};
use relance_core::ids::{ContactId, EnrollmentId, ObjectKind, SubjectRef, TouchpointId};
use relance_core::journey::{Approval, Approver, Deputy, Lapse, Moves, Recipient, Sender};
use relance_core::ledger::Reason;
use relance_core::subject::{Object, ObjectPatch};
use relance_core::time::Delay;
use relance_core::touchpoint::{Member, Outcome, Silence, Task, Touchpoint, TouchpointState};
use relance_core::value::{Fields, Value};
use relance_core::watch::Watch;
use serde_json::json;

use super::*;

const ANA: ContactId = ContactId(42);
const RUN: EnrollmentId = EnrollmentId {
    contact: ANA,
    number: 3,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_795_000_000 + seconds, 123_456_789)
}

fn fields(value: Value) -> Fields {
    value.as_object().cloned().expect("an object")
}

fn offer() -> SubjectRef {
    SubjectRef {
        kind: "document".into(),
        id: "2026-117".into(),
    }
}

fn event() -> Event {
    Event {
        kind: EventKind::Track,
        name: "Document Sent".into(),
        at: at(0),
        properties: fields(
            json!({"amount": 1234.56, "mailbox": "sales@firm.example", "tags": ["a", null]}),
        ),
        traits: Some(fields(json!({"name": "Ana"}))),
        subject: Some(offer()),
        objects: vec![ObjectPatch {
            subject: offer(),
            fields: fields(json!({"status": "sent"})),
        }],
        message_id: Some("m-1".into()),
    }
}

fn contact() -> Contact {
    let mut contact = Contact::new(ANA, at(0));
    contact.traits =
        fields(json!({"email": "ana@firm.example", "amount": 0.1, "plan": {"name": "pro"}}));
    contact.erased = true;
    contact
        .suppressed
        .insert(Channel::Sms, SuppressionReason::HardBounce);
    contact
        .channel_consents
        .insert(Channel::Email, Consent::Granted.into());
    contact
        .topic_consents
        .insert("news".into(), Consent::Denied.into());
    contact.mailboxes.insert("sales@firm.example".into());
    contact.sends = vec![
        SendMark {
            at: at(1),
            channel: Channel::Email,
            topic: Some("news".into()),
        },
        SendMark {
            at: at(2),
            channel: Channel::Letter,
            topic: None,
        },
    ];
    contact.enrollments = 3;
    contact
}

fn enrollment(state: EnrollmentState) -> Enrollment {
    Enrollment {
        id: RUN,
        journey: "offer-no-reply".into(),
        version: 2,
        subject: Some(offer()),
        entered_at: at(3),
        cause: Some(Arc::new(event())),
        held_out: true,
        converted_at: Some(at(4)),
        chain: 0,
        goal_until: Some(at(5)),
        variant: None,
        state,
    }
}

fn touchpoint(state: TouchpointState) -> Touchpoint {
    Touchpoint {
        id: TouchpointId::derive(RUN, "2", 1),
        enrollment: RUN,
        journey: "offer-no-reply".into(),
        step: "2".into(),
        subject: Some(offer()),
        recipient: Recipient::Contact,
        channel: Channel::Email,
        template: "offer-reminder-1".into(),
        item: None,
        text: None,
        from: Sender::OwnerMailbox,
        variant: None,
        priority: 0,
        members: Vec::new(),
        approval: Approval::of(Approver::Role("head".to_owned())),
        approved_by: Some("eve".into()),
        created_at: at(1),
        silence: Some(Silence {
            mailboxes: BTreeSet::from(["sales@firm.example".into()]),
            after: at(2),
        }),
        attempts: 2,
        state,
    }
}

fn object() -> Object {
    let mut object = Object::new(offer(), at(0));
    object.fields = fields(json!({"amount": 99.95, "lines": [{"sku": "x"}]}));
    object.updated_at = at(9);
    object
}

fn watch() -> Watch {
    Watch {
        journey: "come-back".into(),
        subject: Some(offer()),
        due_at: at(7),
        last_day: None,
    }
}

fn task() -> Task {
    Task {
        id: TouchpointId::derive(RUN, "4", 1),
        enrollment: RUN,
        journey: "offer-no-reply".into(),
        subject: Some(offer()),
        title: "Call Ana".into(),
        assignee: Some("eve".into()),
        created_at: at(1),
        due_at: Some(at(2)),
    }
}

/// What version 1 wrote is written still, and read still.
fn golden<T: PartialEq + std::fmt::Debug>(
    file: &str,
    values: &[T],
    text: impl Fn(&T) -> Result<String, StoredProblem>,
    read: impl Fn(&str) -> Result<T, StoredProblem>,
) {
    let written: Vec<String> = values
        .iter()
        .map(|value| text(value).expect("writes"))
        .collect();
    assert_eq!(file.lines().collect::<Vec<_>>(), written);
    let found: Vec<T> = file
        .lines()
        .map(|line| read(line).expect("reads"))
        .collect();
    assert_eq!(found, values);
}

#[test]
fn events_are_as_version_1_wrote_them() {
    let identify = Event::identify(fields(json!({"plan": "pro"})), at(1));
    let all = [event(), Event::track("Viewed", at(0)), identify];
    golden(
        include_str!("../../tests/golden/stored-event-1.jsonl"),
        &all,
        event_text,
        read_event,
    );
}

#[test]
fn contacts_are_as_version_1_wrote_them() {
    let all = [contact(), Contact::new(ANA, at(0))];
    let read = |text: &str| read_contact(ANA, text);
    golden(
        include_str!("../../tests/golden/stored-contact-1.jsonl"),
        &all,
        contact_text,
        read,
    );
}

fn enrollment_states() -> Vec<EnrollmentState> {
    let exited = |reason| EnrollmentState::Exited { at: at(6), reason };
    vec![
        EnrollmentState::Waiting {
            step: "1".into(),
            since: at(6),
            until: at(6),
        },
        EnrollmentState::Listening {
            step: "4.then.1".into(),
            until: Some(at(6)),
        },
        EnrollmentState::Listening {
            step: "4".into(),
            until: None,
        },
        EnrollmentState::Sending {
            step: "2".into(),
            touchpoint: TouchpointId::derive(RUN, "2", 1),
        },
        EnrollmentState::Finished { at: at(6) },
        exited(ExitReason::Event("Replied".into())),
        exited(ExitReason::Goal("Deal Won".into())),
        exited(ExitReason::Unsubscribed),
        exited(ExitReason::Erased),
        exited(ExitReason::StepGone),
        exited(ExitReason::Loop),
    ]
}

#[test]
fn enrollments_are_as_version_1_wrote_them() {
    let mut all: Vec<Enrollment> = enrollment_states().into_iter().map(enrollment).collect();
    let mut bare = enrollment(EnrollmentState::Finished { at: at(1) });
    (bare.subject, bare.cause, bare.held_out) = (None, None, false);
    (bare.converted_at, bare.goal_until) = (None, None);
    all.push(bare);
    let read = |text: &str| read_enrollment(RUN, text);
    golden(
        include_str!("../../tests/golden/stored-enrollment-1.jsonl"),
        &all,
        enrollment_text,
        read,
    );
}

fn touchpoint_states() -> Vec<TouchpointState> {
    let outcomes = [
        Outcome::Accepted,
        Outcome::RefusedHard {
            text: "550 no such user".to_owned(),
            address_is_bad: true,
        },
        Outcome::RefusedHard {
            text: "554".to_owned(),
            address_is_bad: false,
        },
        Outcome::RefusedSoft("451".to_owned()),
        Outcome::Postponed { seconds: 30 },
        Outcome::TemplateFailed("line 3".to_owned()),
        Outcome::ChannelNotConfigured,
        Outcome::Unknown,
    ];
    let settled = |outcome| TouchpointState::Settled { at: at(8), outcome };
    let mut all = vec![
        TouchpointState::Queued { ready_at: at(8) },
        TouchpointState::AwaitingApproval {
            deputy_at: None,
            expires_at: at(8),
        },
        TouchpointState::Sending { since: at(8) },
    ];
    all.extend(outcomes.map(settled));
    // Every reason there is, so that a renamed code is noticed here.
    for reason in Reason::ALL {
        all.push(TouchpointState::Held {
            until: at(8),
            reason: *reason,
        });
    }
    all.push(settled(Outcome::Withdrawn(Reason::Goal)));
    all.push(settled(Outcome::Dropped(Reason::NoConsent)));
    all
}

#[test]
fn touchpoints_are_as_version_1_wrote_them() {
    let golden_states = touchpoint_states().into_iter().filter(|state| {
        // New reasons may come; those of the golden file stay.
        !matches!(state, TouchpointState::Held { reason, .. } if *reason != Reason::QuietHours)
    });
    let mut all: Vec<Touchpoint> = golden_states.map(touchpoint).collect();
    let mut bare = touchpoint(TouchpointState::Queued { ready_at: at(0) });
    (bare.subject, bare.approved_by, bare.silence) = (None, None, None);
    (bare.from, bare.approval, bare.attempts) = (Sender::Workspace, Approval::AUTO, 0);
    all.push(bare);
    let id = all[0].id;
    let read = |text: &str| read_touchpoint(id, text);
    golden(
        include_str!("../../tests/golden/stored-touchpoint-1.jsonl"),
        &all,
        touchpoint_text,
        read,
    );
    for state in touchpoint_states() {
        let one = touchpoint(state);
        assert_eq!(read(&touchpoint_text(&one).expect("writes")), Ok(one));
    }
}

#[test]
fn objects_watches_and_tasks_are_as_version_1_wrote_them() {
    let mut numbered = object();
    numbered.id_value = json!(2026);
    let read = |text: &str| read_object(offer(), text);
    golden(
        include_str!("../../tests/golden/stored-object-1.jsonl"),
        &[object(), numbered],
        object_text,
        read,
    );
    let all = [
        watch(),
        Watch {
            subject: None,
            ..watch()
        },
    ];
    golden(
        include_str!("../../tests/golden/stored-watch-1.jsonl"),
        &all,
        watch_text,
        read_watch,
    );
    let all = [
        task(),
        Task {
            subject: None,
            assignee: None,
            due_at: None,
            ..task()
        },
    ];
    let id = task().id;
    let read = |text: &str| read_task(id, text);
    golden(
        include_str!("../../tests/golden/stored-task-1.jsonl"),
        &all,
        task_text,
        read,
    );
}

/// Ways to stand and to end that were added to version 1.
fn added_enrollment_states() -> Vec<EnrollmentState> {
    let exited = |reason| EnrollmentState::Exited { at: at(6), reason };
    vec![
        EnrollmentState::Waiting {
            step: "1".into(),
            since: at(5),
            until: at(6),
        },
        EnrollmentState::Standing {
            step: "2".into(),
            due: at(6),
        },
        exited(ExitReason::Merged),
        exited(ExitReason::Stopped),
        exited(ExitReason::Archived),
    ]
}

#[test]
fn contacts_and_watches_are_as_they_were_added_to_version_1() {
    let mut seen = Contact::new(ANA, at(0));
    seen.seen = [
        ("lessons".into(), vec!["b".into(), "a".into()]),
        ("tips".into(), vec!["1".into()]),
    ]
    .into();
    golden(
        include_str!("../../tests/golden/stored-contact-1b.jsonl"),
        &[seen],
        contact_text,
        |text| read_contact(ANA, text),
    );
    let of_day = |last_day| Watch {
        last_day,
        ..watch()
    };
    golden(
        include_str!("../../tests/golden/stored-watch-1b.jsonl"),
        &[of_day(Some(20_775)), of_day(Some(-1))],
        watch_text,
        read_watch,
    );
}

#[test]
fn enrollments_are_as_they_were_added_to_version_1() {
    let plain = |state| Enrollment {
        cause: None,
        subject: None,
        ..enrollment(state)
    };
    let mut all: Vec<Enrollment> = added_enrollment_states().into_iter().map(plain).collect();
    all.push(Enrollment {
        variant: Some("B".into()),
        ..plain(EnrollmentState::Finished { at: at(6) })
    });
    golden(
        include_str!("../../tests/golden/stored-enrollment-1b.jsonl"),
        &all,
        enrollment_text,
        |text| read_enrollment(RUN, text),
    );
}

fn delay(text: &str) -> Delay {
    text.parse().expect("a delay")
}

#[test]
fn touchpoints_are_as_they_were_added_to_version_1() {
    let plain = |state| Touchpoint {
        subject: None,
        silence: None,
        ..touchpoint(state)
    };
    let queued = || plain(TouchpointState::Queued { ready_at: at(8) });
    let mut all = vec![
        plain(TouchpointState::AwaitingApproval {
            deputy_at: Some(at(7)),
            expires_at: at(8),
        }),
        plain(TouchpointState::Settled {
            at: at(8),
            outcome: Outcome::Missed,
        }),
        Touchpoint {
            item: Some(("lessons".into(), "7".into())),
            text: Some("Dear Ana\nshorter".into()),
            variant: Some("A".into()),
            priority: -5,
            ..queued()
        },
    ];
    let member = |number, subject| Member {
        enrollment: EnrollmentId {
            contact: ANA,
            number,
        },
        step: "2".into(),
        subject,
    };
    all.push(Touchpoint {
        members: vec![member(4, Some(offer())), member(5, None)],
        ..queued()
    });
    let recipients = [
        Recipient::Owner,
        Recipient::Role("head".into()),
        Recipient::User("eve@firm.example".into()),
    ];
    for recipient in recipients {
        all.push(Touchpoint {
            recipient,
            ..queued()
        });
    }
    let deputy = |who, after| Deputy {
        who,
        after: delay(after),
    };
    let approvals = [
        Approval {
            by: Approver::Owner,
            deputy: Some(deputy(Approver::Role("head".to_owned()), "1bd")),
            expires: Some(delay("1d 12h")),
            lapse: Lapse::Skip,
        },
        Approval {
            deputy: Some(deputy(Approver::Owner, "4h")),
            lapse: Lapse::Send,
            ..Approval::of(Approver::Role("head".to_owned()))
        },
        Approval {
            lapse: Lapse::Stop,
            ..Approval::of(Approver::Owner)
        },
        Approval {
            lapse: Lapse::Call,
            ..Approval::of(Approver::Owner)
        },
    ];
    for approval in approvals {
        all.push(Touchpoint {
            approval,
            ..queued()
        });
    }
    let id = all[0].id;
    golden(
        include_str!("../../tests/golden/stored-touchpoint-1b.jsonl"),
        &all,
        touchpoint_text,
        |text| read_touchpoint(id, text),
    );
}

#[test]
fn moves_are_as_version_1_wrote_them() {
    let table = [
        ("1".into(), Some("first".into())),
        ("2.then.1".into(), None),
    ];
    golden(
        include_str!("../../tests/golden/stored-moves-1.jsonl"),
        &[Moves::Pin, Moves::Follow, Moves::Map(table.into())],
        moves_text,
        read_moves,
    );
}

/// What says nothing costs nothing: an ordinary row is as short as before fields were added.
#[test]
fn what_was_added_takes_no_room_in_an_ordinary_row() {
    let state = TouchpointState::Queued { ready_at: at(8) };
    let text = touchpoint_text(&touchpoint(state)).expect("writes");
    for name in [
        "to", "item", "text", "variant", "priority", "members", "deputy", "expires",
    ] {
        assert!(!text.contains(&format!("\"{name}\":")), "{name}: {text}");
    }
}

#[test]
fn another_version_and_a_broken_text_are_refused_by_name() {
    let problem = read_event(r#"{"v":9,"at":"2026-11-21T00:00:00Z"}"#).unwrap_err();
    assert!(
        problem
            .to_string()
            .contains("version 9, known is version 1"),
        "{problem}"
    );
    assert_eq!(problem.shape, "event");
    for text in [
        "",
        "{",
        "null",
        "[]",
        r#"{"at":"2026-11-21T00:00:00Z"}"#,
        r#"{"v":1}"#,
    ] {
        assert!(read_event(text).is_err(), "{text}");
        assert!(read_contact(ANA, text).is_err(), "{text}");
        assert!(read_enrollment(RUN, text).is_err(), "{text}");
    }
    let text = touchpoint_text(&touchpoint(TouchpointState::Held {
        until: at(0),
        reason: Reason::Late,
    }));
    let text = text.expect("writes").replace("\"late\"", "\"of-tomorrow\"");
    let problem = read_touchpoint(task().id, &text).unwrap_err();
    assert!(problem.why.contains("of-tomorrow"), "{problem}");
}

#[test]
fn a_value_too_deep_to_be_read_back_is_cut() {
    let mut value = json!("leaf");
    for _ in 0..125 {
        value = Value::Array(vec![value]);
    }
    let mut deep = event();
    deep.properties = fields(json!({"deep": value, "flat": 1}));
    let text = enrollment_text(&Enrollment {
        cause: Some(Arc::new(deep)),
        ..enrollment(EnrollmentState::Finished { at: at(0) })
    });
    let back = read_enrollment(RUN, &text.expect("writes")).expect("reads");
    let cause = back.cause.expect("kept");
    assert_eq!(cause.properties["flat"], 1);
    let mut levels = 0;
    let mut at = &cause.properties["deep"];
    while let Some(inner) = at.as_array().and_then(|list| list.first()) {
        (at, levels) = (inner, levels + 1);
    }
    assert_eq!((levels, at), (VALUE_DEPTH_MAX, &Value::Null));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_fields() -> impl Strategy<Value = Fields> {
    prop::collection::btree_map(".{0,8}", any_value(), 0..5)
        .prop_map(|map| map.into_iter().collect())
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    (least + 1..most, 0..1_000_000_000_i32).prop_filter_map("a moment", |(seconds, nanos)| {
        Timestamp::new(seconds, nanos).ok()
    })
}

fn any_subject() -> impl Strategy<Value = SubjectRef> {
    (".{0,8}", ".{0,8}").prop_map(|(kind, id)| SubjectRef {
        kind: ObjectKind::from(kind),
        id: id.into(),
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let patch =
        (any_subject(), any_fields()).prop_map(|(subject, fields)| ObjectPatch { subject, fields });
    let kind = prop::sample::select(vec![
        EventKind::Track,
        EventKind::Identify,
        EventKind::Page,
        EventKind::Screen,
        EventKind::Group,
        EventKind::Alias,
    ]);
    (
        (kind, ".{0,12}", any_moment(), any_fields()),
        prop::option::of(any_fields()),
        prop::option::of(any_subject()),
        prop::collection::vec(patch, 0..3),
        prop::option::of(".{0,12}"),
    )
        .prop_map(
            |((kind, name, at, properties), traits, subject, objects, message_id)| Event {
                kind,
                name: name.into(),
                at,
                properties,
                traits,
                subject,
                objects,
                message_id: message_id.map(Into::into),
            },
        )
}

proptest! {
    #[test]
    fn any_event_reads_back(event in any_event()) {
        prop_assert_eq!(read_event(&event_text(&event).unwrap()), Ok(event));
    }

    #[test]
    fn any_contact_reads_back(
        traits in any_fields(),
        created in any_moment(),
        sends in prop::collection::vec((any_moment(), 0..7_usize, prop::option::of(".{0,6}")), 0..5),
        names in prop::collection::btree_set(".{0,6}", 0..4),
        mails in prop::collection::vec((any_moment(), any::<u64>()), 0..4),
        enrollments in any::<u32>(),
        erased in any::<bool>(),
    ) {
        let mut contact = Contact::new(ANA, created);
        contact.traits = traits;
        contact.sends = sends
            .into_iter()
            .map(|(at, channel, topic)| SendMark {
                at,
                channel: Channel::ALL[channel],
                topic: topic.map(Into::into),
            })
            .collect();
        contact.mails_answered = mails.into_iter().map(|(at, mail)| MailMark { at, mail }).collect();
        for (name, channel) in names.iter().zip(Channel::ALL) {
            contact.mailboxes.insert(name.as_str().into());
            contact.topic_consents.insert(name.as_str().into(), Consent::Denied.into());
            contact.channel_consents.insert(channel, Consent::Granted.into());
            contact.suppressed.insert(channel, SuppressionReason::Complaint);
        }
        contact.enrollments = enrollments;
        contact.erased = erased;
        prop_assert_eq!(read_contact(ANA, &contact_text(&contact).unwrap()), Ok(contact));
    }

    #[test]
    fn any_run_reads_back(
        cause in prop::option::of(any_event()),
        which in 0..16_usize,
        variant in prop::option::of(".{0,6}"),
        subject in prop::option::of(any_subject()),
        moments in prop::collection::vec(prop::option::of(any_moment()), 2),
        held_out in any::<bool>(),
    ) {
        let mut states = enrollment_states();
        states.extend(added_enrollment_states());
        let mut run = enrollment(states.swap_remove(which));
        run.variant = variant.map(Into::into);
        run.cause = cause.map(Arc::new);
        run.subject = subject;
        run.converted_at = moments[0];
        run.goal_until = moments[1];
        run.held_out = held_out;
        prop_assert_eq!(read_enrollment(RUN, &enrollment_text(&run).unwrap()), Ok(run));
    }

    #[test]
    fn any_object_reads_back(
        subject in any_subject(),
        id_value in any_value(),
        fields in any_fields(),
        moments in (any_moment(), any_moment()),
    ) {
        let mut object = Object::new(subject.clone(), moments.0);
        object.updated_at = moments.1;
        object.fields = fields;
        object.id_value = id_value;
        prop_assert_eq!(read_object(subject, &object_text(&object).unwrap()), Ok(object));
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,200}") {
        let _ = read_event(&text);
        let _ = read_contact(ANA, &text);
        let _ = read_touchpoint(task().id, &text);
        let _ = read_watch(&text);
        let _ = read_moves(&text);
        let _ = read_input(&text);
    }
}
