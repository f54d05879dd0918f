//! Whatever a file holds, it is published or refused with lines; nothing panics and nothing takes long.

use proptest::prelude::*;
use relance_wire::journey::{PROBLEMS_MAX, publish};

use crate::examples;

/// Published, or refused with problems that stand somewhere.
fn judge(text: &str) {
    if let Err(problems) = publish(text, 1) {
        assert!(!problems.is_empty(), "refused without a problem:\n{text}");
        assert!(problems.len() <= PROBLEMS_MAX + 1);
        for problem in problems {
            assert!(problem.line >= 1);
            assert!(!problem.what.is_empty() && !problem.remedy.is_empty());
        }
    }
}

/// Words of the language, and values that stand where others should.
const SCRAPS: &[&str] = &[
    "event",
    "where",
    "from",
    "to",
    "if",
    "then",
    "else",
    "wait",
    "wait_for",
    "split",
    "variant",
    "weight",
    "send",
    "email",
    "template",
    "notify",
    "owner",
    "role:",
    "promo",
    "set",
    "move",
    "stop",
    "schedule",
    "days",
    "at",
    "on",
    "until",
    "best_hour",
    "offset",
    "-3d",
    "3bd",
    "0d",
    "10:00",
    "25:99",
    "contact.",
    "subject.due",
    "event.x",
    "all",
    "any",
    "not",
    "did",
    "engaged",
    "times",
    "-1",
    "1e99",
    "99999999999999999999",
    "true",
    "null",
    "~",
    "50%",
    "∞",
    "\"\"",
    "[]",
    "{}",
    "[[[]]]",
    "2026-12-24",
    "a.b.c.d.e.f.g.h.i.j",
    "\u{0}",
];

/// A tree of scraps as YAML in flow style, which JSON is.
fn tree() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(SCRAPS).prop_map(|scrap| match scrap {
        "[]" | "{}" | "[[[]]]" | "true" | "null" => scrap.to_owned(),
        text => format!("{text:?}"),
    });
    leaf.prop_recursive(5, 40, 5, |inner| {
        let key = prop::sample::select(SCRAPS);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|list| format!("[{}]", list.join(", "))),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|map| {
                let pairs = map.iter().map(|(key, value)| format!("{key:?}: {value}"));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged(text in ".*") {
        judge(&text);
    }

    #[test]
    fn any_tree_is_judged_wherever_it_stands(
        key in prop::sample::select(vec![
            "trigger", "reentry", "goal", "exit", "holdout", "approval", "priority", "subject", "steps",
        ]),
        tree in tree(),
    ) {
        let mut text = "format: journey/1\nid: a\n".to_owned();
        for (other, value) in [("trigger", "manual"), ("steps", "[stop]")] {
            if other != key {
                text += &format!("{other}: {value}\n");
            }
        }
        judge(&format!("{text}{key}: {tree}\n"));
    }

    #[test]
    fn any_step_is_judged(verb in prop::sample::select(vec![
        "send", "wait", "wait_for", "branch", "split", "task", "notify", "set", "move", "promo",
        "enroll", "stop",
    ]), tree in tree(), beside in prop::sample::select(SCRAPS), more in tree()) {
        let beside = if beside == verb { "id" } else { beside };
        judge(&format!(
            "format: journey/1\nid: a\ntrigger: api\nsteps:\n  - {{ {verb}: {tree}, {beside:?}: {more} }}\n"
        ));
    }

    #[test]
    fn a_damaged_example_is_judged(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        scrap in prop::sample::select(SCRAPS),
        length in 0..40usize,
    ) {
        let examples = examples::all();
        let (_, text) = which.get(&examples);
        let chars: Vec<char> = text.chars().collect();
        let from = at.index(chars.len());
        let damaged: String = chars[..from]
            .iter()
            .copied()
            .chain(scrap.chars())
            .chain(chars[(from + length).min(chars.len())..].iter().copied())
            .collect();
        judge(&damaged);
    }
}

#[test]
fn large_files_are_refused_in_good_time() {
    let head = "format: journey/1\nid: a\ntrigger: manual\n";
    let steps = "  - set: { a: 1 }\n".repeat(10_000);
    let long_key = format!("{}: 1\n", "k".repeat(300_000));
    let paths = format!("steps:\n  - set: {{ {}: 1 }}\n", "a.".repeat(50_000));
    let unknown = (0..900)
        .map(|at| format!("key{at}: 1\n"))
        .collect::<String>();
    let wide = format!(
        "steps:\n  - branch:\n{}",
        "      - if: { a: 1 }\n".repeat(5_000)
    );
    let list = format!(
        "steps:\n  - branch:\n      - if: {{ a: [{}] }}\n",
        "1,".repeat(5_000)
    );
    for rest in [
        format!("steps:\n{steps}"),
        long_key,
        paths,
        unknown,
        wide,
        list,
    ] {
        let problems = publish(&format!("{head}{rest}"), 1).unwrap_err();
        assert!(problems.len() <= PROBLEMS_MAX + 1);
        let longest = problems
            .iter()
            .map(|problem| problem.to_string().len())
            .max();
        assert!(longest.unwrap_or_default() < 1_000, "{longest:?}");
    }
}

#[test]
fn deep_files_are_refused() {
    let head = "format: journey/1\nid: a\ntrigger: manual\nsteps: ";
    for (open, close) in [
        ("[{ branch: [{ if: { a: 1 }, then: ", " }] }]"),
        ("[{ split: [{ then: ", " }] }]"),
        ("[{ send: email, template: t, otherwise: ", " }]"),
        ("[{ wait_for: [{ event: A, then: ", " }] }]"),
    ] {
        for depth in [17, 40, 200] {
            let text = format!("{head}{}[stop]{}", open.repeat(depth), close.repeat(depth));
            let problems = publish(&text, 1).unwrap_err();
            let said = problems[0].to_string();
            let refused = said.contains("deep") || said.contains("recursion limit");
            assert!(refused, "{said}");
        }
    }
}
