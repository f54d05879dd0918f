//! A new or changed definition is built beside the ordinary work, over restarts, and quietly.

use serde_json::{Value, json};

use crate::journeys::{done, err, folder, identify, lines, problem, refused, through};
use crate::server::{Server, path_text, until};

use super::{apply, of, one, people, preview, put, ready};

const MANY: usize = 6_000;

fn plan(of: &str, more: &str) -> String {
    format!("format: segment/1\nid: paying\nname: Paying\nwhen: {{ plan: {of} }}\n{more}")
}

const HEARD: &str = "format: journey/1
id: heard
trigger: { segment_entered: paying }
steps:
  - set: { heard: true }
";

fn heard(server: &Server) -> usize {
    (0..40)
        .filter(|n| !lines(server, &format!("u{n}"), "heard", "enrolled").is_empty())
        .count()
}

#[test]
fn a_changed_definition_is_exact_when_built_and_quiet_unless_it_announces() {
    let server = Server::start("");
    people(
        &server,
        400,
        |n| json!({ "plan": (["free", "pro", "team", "free"][n % 4]) }),
    );
    let first = plan("pro", "");
    let files = [("segments/paying.yaml", &*first), ("heard.yaml", HEARD)];
    let scenario = folder(&files);
    let planned = done(&through(&server, &["plan", path_text(scenario.path())]));
    let expected = "new segment paying: 0 members, 100 afterwards; 100 come in, 0 leave";
    assert!(planned.lines().any(|line| line == expected), "{planned}");
    assert_eq!(
        server.api("segments")["items"],
        json!([]),
        "a plan changes nothing"
    );
    apply(&server, &files, &[]);
    ready(&server, "paying", 100);
    // The same again changes nothing, and a comment builds nothing.
    let again = apply(&server, &files, &[]);
    assert_eq!(again["segments"]["paying"]["what"], "unchanged");

    let second = plan("{ in: [pro, team] }", "");
    let scenario = folder(&[("segments/paying.yaml", &*second)]);
    let path = path_text(scenario.path());
    let planned = done(&through(&server, &["plan", path, "--json"]));
    let planned: Value = serde_json::from_str(&planned).expect("JSON");
    let told = &planned["segments"]["paying"];
    assert_eq!(told["what"], "changed", "{planned}");
    let exactly =
        |count: u64| json!({ "count": count, "low": count, "high": count, "exact": true });
    assert_eq!(told["members"], 100);
    assert_eq!(told["after"], exactly(200));
    assert_eq!(told["entering"], exactly(100));
    assert_eq!(told["leaving"], exactly(0));
    assert_eq!(planned["storm"], json!(null), "journeys do not hear of it");
    done(&through(&server, &["apply", path]));
    ready(&server, "paying", 200);
    assert_eq!(
        heard(&server),
        0,
        "what changed the definition is no deed of theirs"
    );
    // What happens afterwards is heard.
    identify(&server, "u0", &json!({ "plan": "pro" }));
    until("u0 to be heard", || (heard(&server) == 1).then_some(()));

    let third = plan("{ in: [pro, team, free] }", "announce: true\n");
    let scenario = folder(&[("segments/paying.yaml", &*third)]);
    let path = path_text(scenario.path());
    let planned = done(&through(&server, &["plan", path]));
    let storm = "199 contacts enter heard by paying, as soon as the segment is built";
    assert!(planned.contains(storm), "{planned}");
    done(&through(&server, &["apply", path]));
    ready(&server, "paying", 400);
    until("those who came in to be heard", || {
        (heard(&server) == 20).then_some(())
    });
}

#[test]
fn a_build_goes_on_after_a_kill() {
    let mut server = Server::start("");
    people(
        &server,
        MANY,
        |n| json!({ "plan": (["free", "pro"][n % 2]) }),
    );
    let text = plan("pro", "");
    let answer = put(&server, "segments/paying", &text);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = one(&server, "paying");
    if told["state"] == "building" {
        assert!(
            told["progress"]["share"]
                .as_f64()
                .is_some_and(|share| share <= 1.0),
            "{told}"
        );
        assert_eq!(told["progress"]["contacts"], MANY, "{told}");
    }
    server.kill();
    server.start_again();
    // What comes meanwhile is told by the new definition.
    identify(&server, "late", &json!({ "plan": "pro" }));
    assert_eq!(of(&server, "late"), ["paying"]);
    ready(&server, "paying", MANY as u64 / 2 + 1);
    let last = format!("u{}", MANY - 1);
    assert_eq!(of(&server, &last), ["paying"]);
}

#[test]
fn a_storm_is_shown_and_needs_its_number() {
    const CROWD: usize = 10_050;
    let server = Server::start("");
    people(&server, CROWD, |_| json!({ "plan": "pro" }));
    apply(&server, &[("heard.yaml", HEARD)], &[]);
    let text = plan("pro", "announce: true\n");
    let counted = preview(&server, &text);
    let members = &counted["segments"][0]["members"];
    assert!(members["low"].as_u64() <= Some(CROWD as u64), "{counted}");
    assert!(members["high"].as_u64() >= Some(CROWD as u64), "{counted}");

    let scenario = folder(&[("segments/paying.yaml", &*text)]);
    let path = path_text(scenario.path());
    let planned = done(&through(&server, &["plan", path]));
    assert!(
        planned.contains("more than 10000: apply with --yes-storm"),
        "{planned}"
    );
    assert!(
        planned.contains("at most 400 runs begin in one turn"),
        "{planned}"
    );
    let answer = put(&server, "segments/paying", &text);
    let (status, code, detail) = problem(&answer);
    assert_eq!((status, &*code), (409, "storm"), "{detail}");
    assert!(detail.contains("confirm"), "{detail}");
    let storm = answer.json()["storm"].clone();
    let contacts = storm["contacts"].as_u64().expect("a number");
    assert!(
        contacts >= CROWD as u64 && storm["limit"] == 10_000,
        "{storm}"
    );
    let told = refused(
        &through(&server, &["apply", path, "--yes-storm", "10001"]),
        1,
    );
    assert!(told.contains("--yes-storm"), "{told}");
    assert_eq!(server.api("segments")["items"], json!([]));
    // A little more than was told: the number may have grown meanwhile.
    let number = (contacts * 2).to_string();
    let applied = through(&server, &["apply", path, "--yes-storm", &number]);
    assert!(applied.status.success(), "{}", err(&applied));
    ready(&server, "paying", CROWD as u64);
}
