//! Inputs: every one there is, as version 1 wrote it.

use relance_core::consent::{About, Evidence, Proof, Source};
use relance_core::decide::{Answer, Input, Overdue, Starter, TaskAct, TaskOrder, Timer, TimerKind};
use relance_core::ids::SegmentId;
use relance_core::preferences::{Frequency, Per, Preferences, Wishes};
use relance_core::time::{Window, Zone};

use super::*;

/// Kinds of inputs there are.
const KINDS: usize = 21;

/// The place of an input's kind: a new kind must come in here, and then into [`inputs`].
fn kind(input: &Input) -> usize {
    match input {
        Input::Event(_) => 0,
        Input::Echo(_) => 1,
        Input::Timer(_) => 2,
        Input::Claim(_) => 3,
        Input::Settle { .. } => 4,
        Input::Approve { .. } => 5,
        Input::Suppress { .. } => 6,
        Input::Consent { .. } => 7,
        Input::Confirm(_) => 8,
        Input::Prefer(_) => 9,
        Input::Lift(_) => 10,
        Input::Segment { .. } => 11,
        Input::Assess(_) => 12,
        Input::Enroll { .. } => 13,
        Input::Arm(_) => 14,
        Input::Resume { .. } => 15,
        Input::End(_) => 16,
        Input::Erase => 17,
        Input::Account => 18,
        Input::Task(_) => 19,
        Input::Reconsider(_) => 20,
    }
}

fn message() -> TouchpointId {
    TouchpointId::derive(RUN, "2", 1)
}

fn evidence() -> Evidence {
    Evidence::of(Source::Form).with(Proof {
        text: Some("Yes, write to me".into()),
        wording: Some("2026-10".into()),
        language: Some("en".into()),
        url: Some("https://firm.example/news".into()),
        message: Some("m-1".into()),
        agent: Some("9f86d081".into()),
    })
}

fn wishes() -> Wishes {
    Wishes {
        preferences: Preferences {
            frequency: Frequency::new(2, Per::Week),
            window: Window::parse(Some("mon-fri"), Some("09:00-18:00")).ok(),
            paused_until: Some(at(60)),
        },
        answers: vec![
            (About::Channel(Channel::Email), Consent::Granted),
            (About::Topic("news".into()), Consent::Denied),
        ],
        language: Some("de".to_owned()),
        evidence: Evidence::of(Source::PreferencePage),
    }
}

fn enroll() -> Input {
    Input::Enroll {
        journey: "welcome".into(),
        by: Starter::Person("eve".into()),
        subject: Some(offer()),
        properties: fields(json!({"coupon": "A1", "lines": [1, null]})),
        once: Some("o-1".into()),
    }
}

/// Every input there is, with every word it is written in.
fn inputs() -> Vec<Input> {
    let timer = |kind| {
        Input::Timer(Timer {
            due_at: at(1),
            kind,
        })
    };
    let approve = |answer| Input::Approve {
        touchpoint: message(),
        by: "eve".into(),
        answer,
    };
    let settle = |outcome| Input::Settle {
        touchpoint: message(),
        attempt: 2,
        outcome,
    };
    let suppress = |reason| Input::Suppress {
        channel: Channel::Sms,
        reason,
    };
    let resume = |overdue| Input::Resume {
        journey: "welcome".into(),
        overdue,
    };
    let mut all = vec![
        Input::Event(Arc::new(event())),
        Input::Event(Arc::new(Event::track("Viewed", at(0)))),
        Input::Echo(Arc::new(event())),
        timer(TimerKind::Enrollment(3)),
        timer(TimerKind::Touchpoint(u64::MAX)),
        timer(TimerKind::Watch(7)),
        timer(TimerKind::Segment(0)),
        Input::Claim(message()),
    ];
    let mut outcomes: Vec<Outcome> = touchpoint_states()
        .into_iter()
        .filter_map(|state| match state {
            TouchpointState::Settled { outcome, .. } => Some(outcome),
            TouchpointState::Queued { .. }
            | TouchpointState::Held { .. }
            | TouchpointState::AwaitingApproval { .. }
            | TouchpointState::Sending { .. } => None,
        })
        .collect();
    outcomes.push(Outcome::Missed);
    all.extend(outcomes.into_iter().map(settle));
    all.extend([
        approve(Answer::Approve { text: None }),
        approve(Answer::Approve {
            text: Some("Dear Ana\nshorter".into()),
        }),
        approve(Answer::Skip),
        approve(Answer::CallInstead),
        suppress(SuppressionReason::HardBounce),
        suppress(SuppressionReason::Complaint),
        suppress(SuppressionReason::Manual),
        Input::Consent {
            channel: Channel::Email,
            topic: None,
            consent: Consent::Denied,
            evidence: Evidence::default(),
        },
        Input::Consent {
            channel: Channel::Email,
            topic: Some("news".into()),
            consent: Consent::Pending,
            evidence: evidence(),
        },
        Input::Confirm(Evidence::of(Source::DoubleOptIn)),
        Input::Confirm(Evidence::default()),
        Input::Prefer(Box::new(wishes())),
        Input::Prefer(Box::new(Wishes {
            preferences: Preferences::default(),
            answers: Vec::new(),
            language: None,
            evidence: Evidence::default(),
        })),
        Input::Lift(Channel::Whatsapp),
        Input::Segment {
            segment: "vip".into(),
            member: true,
        },
        Input::Segment {
            segment: "vip".into(),
            member: false,
        },
        Input::Assess(["vip".into(), "beta".into()].into()),
        enroll(),
        Input::Enroll {
            journey: "welcome".into(),
            by: Starter::Program,
            subject: None,
            properties: Fields::new(),
            once: None,
        },
        Input::Arm("come-back".into()),
        resume(Overdue::Late),
        resume(Overdue::Skip),
        resume(Overdue::Shift),
        Input::End("welcome".into()),
        Input::Erase,
        Input::Account,
        Input::Task(Box::new(TaskOrder {
            task: message(),
            journey: "welcome".into(),
            subject: Some(SubjectRef {
                kind: "document".into(),
                id: "d1".into(),
            }),
            title: "Call Ana".into(),
            by: "boss@firm.example".into(),
            act: TaskAct::Done,
        })),
        Input::Task(Box::new(TaskOrder {
            task: message(),
            journey: "welcome".into(),
            subject: None,
            title: "Call Ana".into(),
            by: "boss@firm.example".into(),
            act: TaskAct::Postpone(at(60)),
        })),
        Input::Task(Box::new(TaskOrder {
            task: message(),
            journey: "welcome".into(),
            subject: None,
            title: "Call Ana".into(),
            by: "boss@firm.example".into(),
            act: TaskAct::Reopen,
        })),
        Input::Reconsider(None),
        Input::Reconsider(Zone::parse("Europe/Moscow").ok()),
    ]);
    all
}

#[test]
fn inputs_are_as_version_1_wrote_them() {
    let all = inputs();
    let kinds: BTreeSet<usize> = all.iter().map(kind).collect();
    assert_eq!(kinds, (0..KINDS).collect(), "an input of every kind");
    golden(
        include_str!("../../../tests/golden/stored-input-1.jsonl"),
        &all,
        input_text,
        read_input,
    );
}

#[test]
fn an_answer_reads_back_whatever_its_way() {
    let ways = [
        Source::Form,
        Source::Import,
        Source::Api,
        Source::PreferencePage,
        Source::Reply,
        Source::OneClick,
        Source::Link,
        Source::DoubleOptIn,
        Source::Merge,
        Source::Person,
    ];
    for (source, channel) in ways.into_iter().zip(Channel::ALL.into_iter().cycle()) {
        let input = Input::Consent {
            channel,
            topic: None,
            consent: Consent::Granted,
            evidence: Evidence::of(source),
        };
        assert_eq!(read_input(&input_text(&input).expect("writes")), Ok(input));
    }
}

#[test]
fn an_input_that_is_not_ours_is_refused_by_name() {
    let problem = read_input(r#"{"v":2,"input":"erase"}"#).unwrap_err();
    assert_eq!(problem.shape, "input");
    assert!(problem.why.contains("version 2"), "{problem}");
    for word in ["of-tomorrow", "Erase", ""] {
        let problem = read_input(&format!(r#"{{"v":1,"input":"{word}"}}"#)).unwrap_err();
        assert!(problem.why.contains("unknown variant"), "{problem}");
    }
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"v":1}"#,
        r#"{"input":"erase"}"#,
        r#"{"v":1,"input":null}"#,
        r#"{"v":1,"input":{}}"#,
        r#"{"v":1,"input":{"erase":1}}"#,
        r#"{"v":1,"input":{"lift":"email","erase":null}}"#,
        r#"{"v":1,"input":"erase","input":"erase"}"#,
        r#"{"v":1,"input":"erase"} "#.repeat(2).as_str(),
        r#"{"v":1,"input":{"lift":"pigeon"}}"#,
        r#"{"v":1,"input":{"claim":"tp_42"}}"#,
        r#"{"v":1,"input":{"claim":"con_42"}}"#,
        r#"{"v":1,"input":{"timer":{"due":"tomorrow","of":{"watch":7}}}}"#,
        r#"{"v":1,"input":{"timer":{"due":"2026-11-18T11:06:40Z","of":{"watch":-7}}}}"#,
        r#"{"v":1,"input":{"settle":{"touchpoint":"tp_42_00f1e2d3c4b5a697","attempt":256,"outcome":"unknown"}}}"#,
        r#"{"v":1,"input":{"event":{"v":2,"name":"Viewed","at":"2026-11-18T11:06:40Z"}}}"#,
        r#"{"v":1,"input":{"prefer":{"answers":[{"about":"email","answer":"granted"}]}}}"#,
        r#"{"v":1,"input":{"enroll":{"journey":"welcome","by":"nobody"}}}"#,
    ] {
        assert!(read_input(text).is_err(), "{text}");
    }
    for opening in ["[", r#"{"v":1,"input":{"event":{"p":"#, r#"{"input":"#] {
        assert!(read_input(&opening.repeat(100_000)).is_err(), "{opening}");
    }
}

/// What was cut short on its way is an error, never another input.
#[test]
fn half_an_input_is_none() {
    for input in inputs() {
        let text = input_text(&input).expect("writes");
        for end in 0..text.len() {
            assert!(read_input(&text[..end]).is_err(), "{}", &text[..end]);
        }
    }
}

/// An event and the words of a beginning journey read back however deep they were.
#[test]
fn what_nests_too_deep_is_cut_and_the_rest_arrives() {
    let mut deep = json!("leaf");
    for _ in 0..125 {
        deep = json!({ "in": deep });
    }
    let properties = fields(json!({"deep": deep, "flat": 1}));
    let told = Event {
        properties: properties.clone(),
        traits: Some(properties.clone()),
        ..event()
    };
    let started = Input::Enroll {
        journey: "welcome".into(),
        by: Starter::Program,
        subject: None,
        properties,
        once: None,
    };
    for input in [
        Input::Event(Arc::new(told.clone())),
        Input::Echo(Arc::new(told)),
        started,
    ] {
        let text = input_text(&input).expect("writes");
        let back = read_input(&text).expect("reads");
        assert_eq!(kind(&back), kind(&input));
        assert!(text.contains("\"flat\":1"), "{text}");
        assert_eq!(
            input_text(&back),
            Ok(text),
            "and a second way changes nothing"
        );
    }
}

fn any_touchpoint() -> impl Strategy<Value = TouchpointId> {
    (any::<u64>(), any::<u64>()).prop_map(|(contact, hash)| TouchpointId {
        contact: ContactId(contact),
        hash,
    })
}

fn any_channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(Channel::ALL.to_vec())
}

fn any_consent() -> impl Strategy<Value = Consent> {
    prop::sample::select(vec![Consent::Granted, Consent::Denied, Consent::Pending])
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let part = || prop::option::of(".{0,12}").prop_map(|text| text.map(Into::into));
    let proof = (part(), part(), part(), part(), part(), part()).prop_map(
        |(text, wording, language, url, message, agent)| Proof {
            text,
            wording,
            language,
            url,
            message,
            agent,
        },
    );
    let source = prop::sample::select(vec![Source::Form, Source::Api, Source::Reply]);
    (prop::option::of(source), prop::option::of(proof)).prop_map(|(source, proof)| Evidence {
        source,
        proof: proof.map(Box::new),
    })
}

fn any_wishes() -> impl Strategy<Value = Wishes> {
    let about = prop_oneof![
        any_channel().prop_map(About::Channel),
        ".{0,6}".prop_map(|topic| About::Topic(topic.into())),
    ];
    (
        (any::<u8>(), prop::option::of(any_moment())),
        prop::collection::vec((about, any_consent()), 0..4),
        prop::option::of(".{0,6}"),
        any_evidence(),
    )
        .prop_map(
            |((most, paused_until), answers, language, evidence)| Wishes {
                preferences: Preferences {
                    frequency: Frequency::new(most, Per::Month),
                    window: None,
                    paused_until,
                },
                answers,
                language,
                evidence,
            },
        )
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        (".{0,12}", any::<bool>()).prop_map(|(text, address_is_bad)| Outcome::RefusedHard {
            text,
            address_is_bad,
        }),
        ".{0,12}".prop_map(Outcome::RefusedSoft),
        ".{0,12}".prop_map(Outcome::TemplateFailed),
        any::<u32>().prop_map(|seconds| Outcome::Postponed { seconds }),
        prop::sample::select(Reason::ALL.to_vec()).prop_map(Outcome::Withdrawn),
        prop::sample::select(Reason::ALL.to_vec()).prop_map(Outcome::Dropped),
    ]
}

/// Of the kinds that hold more than a word.
fn any_input() -> impl Strategy<Value = Input> {
    let timer = prop_oneof![
        any::<u32>().prop_map(TimerKind::Enrollment),
        any::<u64>().prop_map(TimerKind::Touchpoint),
        any::<u64>().prop_map(TimerKind::Watch),
        any::<u64>().prop_map(TimerKind::Segment),
    ];
    let settle = (any_touchpoint(), any::<u8>(), any_outcome());
    let approve = (any_touchpoint(), ".{0,6}", prop::option::of(".{0,12}"));
    let topic = prop::option::of(".{0,6}");
    let consent = (any_channel(), topic, any_consent(), any_evidence());
    let enroll = (
        (".{0,6}", prop::option::of(".{0,6}")),
        prop::option::of(any_subject()),
        any_fields(),
        prop::option::of(".{0,6}"),
    );
    let starter = |person: Option<String>| match person {
        Some(user) => Starter::Person(user.into()),
        None => Starter::Program,
    };
    prop_oneof![
        any_event().prop_map(|event| Input::Event(Arc::new(event))),
        any_event().prop_map(|event| Input::Echo(Arc::new(event))),
        (any_moment(), timer).prop_map(|(due_at, kind)| Input::Timer(Timer { due_at, kind })),
        any_touchpoint().prop_map(Input::Claim),
        settle.prop_map(|(touchpoint, attempt, outcome)| Input::Settle {
            touchpoint,
            attempt,
            outcome,
        }),
        approve.prop_map(|(touchpoint, by, text)| Input::Approve {
            touchpoint,
            by: by.into(),
            answer: Answer::Approve {
                text: text.map(Into::into),
            },
        }),
        consent.prop_map(|(channel, topic, consent, evidence)| Input::Consent {
            channel,
            topic: topic.map(Into::into),
            consent,
            evidence,
        }),
        any_evidence().prop_map(Input::Confirm),
        any_wishes().prop_map(|wishes| Input::Prefer(Box::new(wishes))),
        prop::collection::vec(".{0,6}".prop_map(SegmentId::from), 0..5)
            .prop_map(|segments| Input::Assess(segments.into())),
        enroll.prop_map(
            move |((journey, person), subject, properties, once)| Input::Enroll {
                journey: journey.into(),
                by: starter(person),
                subject,
                properties,
                once: once.map(Into::into),
            }
        ),
        ".{0,6}".prop_map(|journey| Input::End(journey.into())),
    ]
}

proptest! {
    #[test]
    fn any_input_reads_back(input in any_input()) {
        prop_assert_eq!(read_input(&input_text(&input).unwrap()), Ok(input));
    }

    /// A text that somebody wrote into gives an error or an input that can be handed on, never a panic.
    #[test]
    fn a_spoilt_text_makes_no_reader_panic(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        other in ".{0,3}",
    ) {
        let text = input_text(which.get(&inputs())).unwrap();
        let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
        let place = *place.get(&places);
        let rest = text[place..].chars().next().map_or(0, char::len_utf8);
        let spoilt = format!("{}{other}{}", &text[..place], &text[place + rest..]);
        if let Ok(read) = read_input(&spoilt) {
            prop_assert_eq!(read_input(&input_text(&read).unwrap()), Ok(read));
        }
    }
}
