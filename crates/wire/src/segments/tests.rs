use super::*;

fn problems(text: &str) -> Vec<String> {
    let found = read(text).expect_err("has problems");
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_segment_is_read_whole() {
    let text = "format: segment/1\nid: lapsed\nname: Lapsed\ndescription: Bought once, long ago\n\
                when:\n  - did: Order Completed\n  - not: { did: Order Completed, within: 30d }\n\
                announce: true\nsets: { stage: lapsed }\n";
    let read = read_described(text, &Settings::default()).unwrap();
    let [one] = read.as_slice() else { panic!() };
    assert_eq!(one.segment.id.as_str(), "lapsed");
    assert_eq!(one.segment.name, "Lapsed");
    assert_eq!(one.description.as_deref(), Some("Bought once, long ago"));
    assert!(one.segment.announce);
    let sets = (Box::from("stage"), Value::from("lapsed"));
    assert_eq!(one.segment.sets, Some(sets));
    let Some(Condition::All(list)) = one.segment.condition() else {
        panic!()
    };
    assert_eq!(list.len(), 2);
    let list = super::read("format: segment/1\nid: vip\nlisted: true\n").unwrap();
    assert_eq!(list[0].rule, Rule::Listed);
    assert_eq!(list[0].name, "vip");
}

#[test]
fn grades_are_segments_of_which_one_fits() {
    let text = "format: grades/1\nid: grade\nname: Grade\nways:\n\
                - if: { revenue: { gte: 1000 } }\n  is: A\n\
                - if: { revenue: { gte: 100 } }\n  is: B\n\
                - else: C\n";
    let grades = read(text).unwrap();
    let ids: Vec<&str> = grades.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["grade-a", "grade-b", "grade-c"]);
    let sets = |at: usize| grades[at].sets.clone().unwrap();
    assert_eq!(sets(0), ("grade".into(), Value::from("A")));
    assert_eq!(sets(2), ("grade".into(), Value::from("C")));
    assert_eq!(grades[1].name, "Grade B");
    let of_grade = |revenue: i64| -> Vec<&str> {
        let zone = relance_core::time::Zone::utc();
        let calendar = relance_core::time::Calendar::weekends_only();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let id = relance_core::ids::ContactId(1);
        let mut contact = relance_core::contact::Contact::new(id, now);
        contact.traits.insert("revenue".to_owned(), revenue.into());
        let scene = relance_core::condition::Scene {
            contact: &contact,
            subject: None,
            event: None,
            history: &Default::default(),
            memberships: &Default::default(),
            objects: &Default::default(),
            rfm: None,
            zone: &zone,
            calendar: &calendar,
            now,
        };
        let fits = grades
            .iter()
            .filter(|one| one.condition().unwrap().holds(&scene));
        fits.map(|one| one.id.as_str()).collect()
    };
    assert_eq!(of_grade(5_000), ["grade-a"]);
    assert_eq!(of_grade(100), ["grade-b"]);
    assert_eq!(of_grade(0), ["grade-c"]);
}

#[test]
fn all_problems_come_at_once_with_line_and_remedy() {
    let found = problems(
        "format: segment/2\nid: My Segment\nwehn: {}\n\
         when:\n  all:\n    - { event.total: 5 }\n    - { has: deal, where: { did: X } }\n\
         \x20   - { rfm: { recency: 9 } }\n    - { rfm: { group: champion } }\n    - { rfm: {} }\n\
         listed: true\nsets: { a: 1, b: 2 }\n",
    );
    let expected = [
        "line 1: format: format \"segment/2\" is not known; write `format: segment/1`, or `format: grades/1`",
        "line 2: id: \"My Segment\" is not an id; use at most 64 of a-z, 0-9, - and _",
        "line 3: wehn: `wehn` is not known; did you mean `when`?",
        "line 11: listed: a list has no condition; keep `when` for a condition, or `listed: true` for a list by hand",
        "line 12: sets: expected a map of one trait; write one trait and its value, for example { stage: lapsed }",
    ];
    assert_eq!(found, expected);
    let found = problems(
        "format: segment/1\nid: a\n\
         when:\n  all:\n    - { event.total: 5 }\n    - { has: deal, where: { did: X } }\n\
         \x20   - { rfm: { recency: 9 } }\n    - { rfm: { group: champion } }\n    - { rfm: {} }\n",
    );
    let expected = [
        "line 5: when.all[0].event.total: no event is at hand here; ask for events by `did`, for example { did: Order Completed }",
        "line 6: when.all[1].where: `did` stands inside a `where`; write it beside, joined by `all`",
        "line 7: when.all[2].rfm.recency: not a score; write a score from 1 to 5, or for example { gte: 4 }",
        "line 8: when.all[3].rfm.group: \"champion\" is no group; did you mean `champions`?",
        "line 9: when.all[4].rfm: nothing is asked; write for example { recency: { gte: 4 } } or { group: champions }",
    ];
    assert_eq!(found, expected);
    assert!(problems("{}").len() >= 3);
    assert!(problems("")[0].contains("empty"));
    let own = "format: segment/1\nid: a\nwhen: { stage: x }\nsets: { stage: y }\n";
    assert!(problems(own)[0].contains("sets the trait \"stage\" that it asks for"));
}

#[test]
fn grades_name_their_problems() {
    let found = problems(
        "format: grades/1\nid: grade\nways:\n- else: D\n- { if: { a: 1 } }\n- { is: X }\n\
         - { if: { grade: A }, is: В работе }\n",
    );
    let has = |text: &str| {
        assert!(
            found.iter().any(|one| one.contains(text)),
            "{text}: {found:#?}"
        )
    };
    has("line 4: ways[0].else: `else` is not the last way");
    has("line 5: ways[1].is: `is` is missing");
    has("line 6: ways[2]: not a way");
    has("line 7: ways[3]: \"в работе\" makes no id; give the way an id");
}

#[test]
fn a_condition_of_great_depth_is_a_clear_problem() {
    let deep = |levels: usize| {
        let open = "{ not: ".repeat(levels);
        let close = " }".repeat(levels);
        format!("format: segment/1\nid: a\nwhen: {open}{{ a: 1 }}{close}\n")
    };
    assert!(read(&deep(15)).is_ok());
    let found = problems(&deep(17));
    assert!(
        found[0].contains("conditions lie more than 16 deep; flatten them"),
        "{found:?}"
    );
    assert!(problems(&deep(2_000))[0].contains("deep"));
    let then = "{ did: A, then: ".repeat(40) + "{ did: A }" + &" }".repeat(40);
    let found = problems(&format!("format: segment/1\nid: a\nwhen: {then}\n"));
    assert!(found[0].contains("deep"), "{found:?}");
    let list = format!("[{}]", ["{ a: 1 }"; 256].join(", "));
    let many = format!(
        "format: segment/1\nid: a\nwhen:\n{}",
        format!("- any: {list}\n").repeat(5)
    );
    assert!(problems(&many)[0].contains("conditions, more than 1000"));
}

#[test]
fn the_schemas_know_the_same_words() {
    let keys = |schema: &str, pointers: &[&str]| {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let maps = pointers
            .iter()
            .map(|pointer| schema.pointer(pointer).unwrap());
        let mut keys: Vec<String> = maps
            .flat_map(|map| map.as_object().unwrap().keys().cloned())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let sorted = |words: &[&str]| {
        let mut words: Vec<String> = words.iter().map(ToString::to_string).collect();
        words.sort();
        words
    };
    let segment = include_str!("../../../../assets/schema/segment-1.schema.json");
    let grades = include_str!("../../../../assets/schema/grades-1.schema.json");
    assert_eq!(keys(segment, &["/properties"]), sorted(SEGMENT_KEYS));
    assert_eq!(keys(grades, &["/properties"]), sorted(GRADES_KEYS));
    let ways = "/properties/ways/items/anyOf";
    let ways = [
        format!("{ways}/0/properties"),
        format!("{ways}/1/properties"),
    ];
    assert_eq!(keys(grades, &[&ways[0], &ways[1]]), sorted(WAY_KEYS));
    // What a condition is, is the same in all of them.
    let journey = include_str!("../../../../assets/schema/journey-1.schema.json");
    let journey: Value = serde_json::from_str(journey).unwrap();
    for schema in [segment, grades] {
        let schema: Value = serde_json::from_str(schema).unwrap();
        for (name, own) in schema["$defs"].as_object().unwrap() {
            assert_eq!(*own, journey["$defs"][name], "{name}");
        }
    }
}
