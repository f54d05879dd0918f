//! The whole of a file: every problem at once, and the words of the published schema.

use relance_core::ids::EventName;
use relance_core::journey::{StepKind, Wait};

use super::*;

const EXAMPLE: &str = include_str!("../../../../docs/examples/journeys/offer-by-amount.yaml");

#[test]
fn the_example_of_the_design_is_published() {
    let journey = publish(EXAMPLE, 3).unwrap();
    assert_eq!(
        (journey.id.as_str(), journey.version),
        ("offer-by-amount", 3)
    );
    assert_eq!(journey.holdout.permille, 100);
    assert!(journey.depends_on_silence());
    let keys: Vec<&str> = journey
        .steps
        .iter()
        .rev()
        .map(|step| step.key.as_str())
        .collect();
    assert_eq!(keys, ["1", "2", "3", "4", "4.else.1", "4.if1.1"]);
    let first = journey.step(journey.first.unwrap());
    assert!(matches!(
        first.kind,
        StepKind::Wait(Wait {
            window: Some(_),
            ..
        })
    ));
}

/// Publishes and returns `line: path: what; remedy` for each problem.
fn problems(text: &str) -> Vec<String> {
    publish(text, 1)
        .unwrap_err()
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[test]
fn every_problem_is_reported_at_once_with_line_and_remedy() {
    let found = problems(
        "format: journey/1\nid: Bad Id\nnmae: x\ntrigger: { evnt: A }\nholdout: 95%\nsteps:\n  \
         - wiat: 3d\n  - wait: 3 parsecs\n  - send: pigeon\n    template: t\n  - splt: []\n",
    );
    let expected = [
        "line 2: id: \"Bad Id\" is not an id; use at most 64 of a-z, 0-9, - and _",
        "line 3: nmae: `nmae` is not known; did you mean `name`?",
        "line 4: trigger.evnt: `evnt` is not known; did you mean `event`?",
        "line 4: trigger.event: `event` is missing; write for example `event: Signed Up`",
        "line 5: holdout: \"95%\" is not a share; write 0% to 90%, for example 10%",
        "line 7: steps[0]: `wiat` is not a step; did you mean `wait`?",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    let has = |part: &str| found.iter().any(|line| line.contains(part));
    assert!(has("steps[1].wait"), "{found:#?}");
    assert!(has("\"pigeon\" is not a channel"), "{found:#?}");
    assert!(
        has("`splt` is not a step; did you mean `split`?"),
        "{found:#?}"
    );
}

#[test]
fn publication_names_the_line_of_a_step() {
    let found = problems(
        "format: journey/1\nid: a\ntrigger: { event: A }\nsteps:\n  - wait: 1d\n  \
         - set: { event.x: 1 }\n  - wait_for: { event: B }\n    else:\n      - stop\n",
    );
    assert!(
        found[0].starts_with("line 6: steps[1]: event.x cannot be set"),
        "{found:#?}"
    );
    assert!(
        found[1].starts_with("line 7: steps[2]: `else` is never reached"),
        "{found:#?}"
    );
}

#[test]
fn conditions_of_every_form_are_read() {
    let text = "format: journey/1\nid: a\ntrigger:\n  event: A\n  where:\n    all:\n      \
        - any: [{ total: { gte: 10, lt: 20 } }, { not: { coupon: { exists: true } } }]\n      \
        - did: Order Completed\n        times: { lte: 3 }\n        within: 90d\n        \
        where: { total: { gt: 5 } }\n        then: { did: Order Refunded }\n      \
        - contact.last_order_at: { before: { ago: 30d } }\n      - plan: [pro, team]\nsteps: [stop]\n";
    let journey = publish(text, 1).unwrap();
    let names: Vec<String> = journey
        .history_names()
        .iter()
        .map(EventName::to_string)
        .collect();
    assert_eq!(names, ["Order Completed", "Order Refunded"]);
}

#[test]
fn deep_conditions_are_refused_not_overflowed() {
    let deep = format!("{}{{ x: 1 }}{}", "{ not: ".repeat(20), " }".repeat(20));
    let text = format!(
        "format: journey/1\nid: a\ntrigger: {{ event: A, where: {deep} }}\nsteps: [stop]\n"
    );
    let found = problems(&text);
    assert!(found[0].contains("more than 16 deep"), "{found:#?}");
}

#[test]
fn the_published_schema_has_the_words_that_are_read() {
    let schema: serde_json::Value = serde_json::from_str(include_str!(
        "../../../../assets/schema/journey-1.schema.json"
    ))
    .unwrap();
    let at = |pointer: &str| {
        let found = schema.pointer(pointer);
        found.unwrap_or_else(|| panic!("the schema has no {pointer}"))
    };
    let sorted = |words: &mut Vec<String>| {
        words.sort();
        words.dedup();
    };
    // Several forms of one thing share its words.
    let check = |pointers: &[&str], words: &[&[&str]]| {
        let mut found: Vec<String> = pointers
            .iter()
            .flat_map(|pointer| at(pointer).as_object().unwrap().keys().cloned())
            .collect();
        let mut words: Vec<String> = words.concat().iter().map(ToString::to_string).collect();
        sorted(&mut found);
        sorted(&mut words);
        assert_eq!(found, words, "{pointers:?}");
    };
    let check_enum = |pointer: &str, words: &[&str]| {
        let found = at(pointer).as_array().unwrap().iter();
        let found: Vec<&str> = found.filter_map(serde_json::Value::as_str).collect();
        assert_eq!(found, words, "{pointer}");
    };
    fn first<T: Copy>(table: &[(&'static str, T)]) -> Vec<&'static str> {
        table.iter().map(|(word, _)| *word).collect()
    }

    check(&["/properties"], &[JOURNEY_KEYS]);
    check(&["/properties/goal/properties"], &[head::GOAL_KEYS]);
    check(&["/properties/exit/items/properties"], &[head::EXIT_KEYS]);
    check(
        &["/properties/holdout/anyOf/1/properties"],
        &[head::HOLDOUT_KEYS],
    );
    check(
        &["/$defs/approval/anyOf/1/properties"],
        &[head::APPROVAL_KEYS],
    );
    check_enum(
        "/$defs/approval/anyOf/1/properties/lapse/enum",
        &first(head::LAPSES),
    );
    check_enum(
        "/properties/holdout/anyOf/1/properties/by/enum",
        &first(head::UNITS),
    );

    check_enum("/properties/trigger/anyOf/0/enum", trigger::BARE);
    let triggers = at("/properties/trigger/anyOf").as_array().unwrap();
    assert_eq!(triggers.len(), 1 + trigger::KINDS.len());
    for kind in trigger::KINDS {
        let pointer = format!("/$defs/trigger_{}/properties", kind.word);
        check(&[&pointer], &[&[kind.word, "where"], kind.options]);
    }
    check(
        &["/$defs/trigger_changed/properties/changed/anyOf/1/properties"],
        &[trigger::CHANGED_KEYS],
    );
    check(
        &["/$defs/trigger_schedule/properties/schedule/properties"],
        &[trigger::SCHEDULE_KEYS],
    );

    check(&["/$defs/tests/properties"], &[condition::TESTS]);
    check(&["/$defs/did/properties"], &[condition::DID_KEYS]);
    check(
        &["/$defs/condition/anyOf/2/properties"],
        &[&["all", "any", "not", "in_segment", "engaged", "rfm"]],
    );
    assert!(condition::WORDS.contains(&"did"));
    check(&["/$defs/has/properties"], &[condition::HAS_KEYS]);
    check(&["/$defs/rfm/properties"], &[condition::RFM_KEYS]);
    let groups = relance_core::rfm::RfmGroup::ALL.map(|group| group.word());
    check_enum("/$defs/rfm/properties/group/enum", &groups);
    let engaged = "/$defs/condition/anyOf/2/properties/engaged/anyOf/1/enum";
    check_enum(engaged, condition::ENGAGEMENTS);

    let steps = at("/$defs/steps/items/anyOf").as_array().unwrap();
    assert_eq!(steps.len(), 1 + steps::VERBS.len());
    for (verb, options) in steps::VERBS {
        let pointer = format!("/$defs/{verb}/properties");
        check(&[&pointer], &[&[verb], options, steps::STEP_KEYS]);
    }
    let channels = relance_core::contact::Channel::ALL.map(|channel| channel.word());
    check_enum("/$defs/send/properties/send/enum", &channels);
    check_enum("/$defs/send/properties/from/enum", &first(steps::SENDERS));
    let wait = "/$defs/wait/properties/wait/anyOf";
    assert_eq!(at(&format!("{wait}/1/const")), waits::BEST_HOUR);
    let forms: Vec<String> = (2..5).map(|at| format!("{wait}/{at}/properties")).collect();
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    check(&forms, &[waits::UNTIL_KEYS]);
    check(
        &["/$defs/wait/properties/window/properties"],
        &[waits::WINDOW_KEYS],
    );
    let awaited = "/$defs/wait_for/properties/wait_for/anyOf";
    let in_list = format!("{awaited}/2/items/anyOf");
    let forms = [0, 1].map(|at| format!("{awaited}/{at}/properties"));
    check(&[&forms[0], &forms[1]], &[waits::AWAITED_KEYS]);
    let forms = [0, 1].map(|at| format!("{in_list}/{at}/properties"));
    check(&[&forms[0], &forms[1]], &[waits::AWAITED_KEYS, &["then"]]);
    check_enum(
        &format!("{awaited}/0/properties/since/enum"),
        &first(waits::SINCE),
    );
    let arms = "/$defs/branch/properties/branch/items/anyOf";
    check(
        &[
            &format!("{arms}/0/properties"),
            &format!("{arms}/1/properties"),
        ],
        &[steps::BRANCH_KEYS],
    );
    check(
        &["/$defs/split/properties/split/items/properties"],
        &[steps::SPLIT_KEYS],
    );
    for (verb, words) in [
        ("task", acts::TASK_KEYS),
        ("notify", acts::NOTIFY_KEYS),
        ("promo", acts::PROMO_KEYS),
    ] {
        let pointer = format!("/$defs/{verb}/properties/{verb}/anyOf/1/properties");
        check(&[&pointer], &[words]);
    }
}
