//! Definitions: what is wrong with them, who names whom, and what goes.

use serde_json::json;

use crate::journeys::{ask, done, err, folder, out, problem, put as put_file, refused, through};
use crate::server::{Server, path_text, relance};

use super::{apply, inside, people, preview, put, ready, segment};

const VIP: &str = "format: segment/1\nid: vip\nname: Best\nwhen: { plan: pro }\n";
const ASKS: &str = "format: segment/1\nid: idle-vip\nwhen:\n  - in_segment: vip\n  - not: { did: Lesson Viewed }\n";
const JOURNEY: &str = "format: journey/1
id: hello
trigger: { segment_entered: vip }
steps:
  - branch:
      - if: { in_segment: idle-vip }
        then:
          - stop
";

#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let files = folder(&[
        (
            "segments/a.yaml",
            "format: segment/1\nid: a\nwhen:\n  - in_segment: b\n  - in_segment: vip22\n",
        ),
        (
            "segments/b.yaml",
            "format: segment/1\nid: b\nwhen: { in_segment: a }\n",
        ),
        (
            "segments/vip2.yaml",
            "format: segment/1\nid: vip2\nlisted: true\n",
        ),
        (
            "segments/wrong.yaml",
            "format: segment/1\nid: wrong\nwehn: {}\n",
        ),
        ("segments/twice.yaml", VIP),
        ("segments/again.yaml", VIP),
    ]);
    let told = refused(&relance(&["journey", "check", path_text(files.path())]), 1);
    for words in [
        [
            "a.yaml",
            "line 5",
            "no segment vip22",
            "did you mean `vip2`?",
        ],
        ["a.yaml", "circle", "a -> b -> a", ""],
        [
            "wrong.yaml",
            "line 3",
            "`wehn` is not known",
            "did you mean `when`?",
        ],
        ["twice.yaml", "another file has the segment vip", "", ""],
    ] {
        let found = told
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "{words:?}: {told}");
    }
    let wrong = files.path().join("segments/wrong.yaml");
    let told = relance(&["segment", "check", "--json", path_text(&wrong)]);
    assert_eq!(told.status.code(), Some(1));
    let lines = out(&told);
    let mut lines = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    assert!(lines.any(|told| told["line"] == 3
        && told["file"] == "wrong.yaml"
        && told["severity"] == "error"));
    // A journey may come before the list that it waits for.
    let early = folder(&[("j.yaml", JOURNEY), ("segments/vip.yaml", VIP)]);
    let told = relance(&["journey", "check", path_text(early.path())]);
    assert!(told.status.success());
    let told = err(&told);
    assert!(
        told.contains("warning: j.yaml: line 6: there is no segment idle-vip"),
        "{told}"
    );
}

#[test]
fn what_is_named_does_not_go() {
    let server = Server::start("");
    let scenario = folder(&[
        ("segments/vip.yaml", VIP),
        ("segments/idle.yaml", ASKS),
        (
            "segments/old.yaml",
            "format: segment/1\nid: old\nlisted: true\n",
        ),
        ("j.yaml", JOURNEY),
    ]);
    let path = path_text(scenario.path());
    let told = done(&through(&server, &["apply", path]));
    for id in ["vip", "idle-vip", "old"] {
        assert!(told.contains(&format!("new segment {id}")), "{told}");
    }
    ready(&server, "vip", 0);
    let answer = ask(&server, "DELETE", "segments/vip", b"");
    let (status, code, detail) = problem(&answer);
    assert_eq!((status, &*code), (409, "in_use"), "{detail}");
    for user in ["journey hello names vip", "segment idle-vip names vip"] {
        assert!(detail.contains(user), "{detail}");
    }
    std::fs::remove_file(scenario.path().join("segments/vip.yaml")).expect("removed");
    std::fs::remove_file(scenario.path().join("segments/old.yaml")).expect("removed");
    // What is not in the folder stays, unless it is said that it shall go.
    let told = done(&through(&server, &["plan", path]));
    assert!(!told.contains("removed"), "{told}");
    let told = refused(&through(&server, &["apply", path, "--prune"]), 1);
    assert!(told.contains("hello") && told.contains("vip"), "{told}");
    put_file(scenario.path(), "segments/vip.yaml", VIP);
    let told = done(&through(&server, &["apply", path, "--prune"]));
    assert!(told.contains("removed    old"), "{told}");
    let left = server.api("segments");
    let ids: Vec<&str> = left["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|one| one["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, ["idle-vip", "vip"]);
    let answer = ask(&server, "DELETE", "segments/idle-vip", b"");
    let (_, code, _) = problem(&answer);
    assert_eq!(code, "in_use", "the branch of a journey names it");
}

#[test]
fn a_definition_is_tried_out_before_it_is_in_force() {
    let mut server = Server::start("");
    people(
        &server,
        50,
        |n| json!({ "plan": (["free", "pro"][n % 2]), "name": format!("N{n}"), "email": format!("n{n}@x.test") }),
    );
    let told = preview(&server, VIP);
    let exactly = json!({ "count": 25, "low": 25, "high": 25, "exact": true });
    assert_eq!(told["segments"][0]["members"], exactly, "{told}");
    assert_eq!(
        (&told["contacts"], &told["looked_at"]),
        (&json!(50), &json!(50))
    );
    let shown = told["segments"][0]["sample"].as_array().expect("a sample");
    assert_eq!(shown.len(), 5);
    assert!(
        shown
            .iter()
            .all(|one| one["name"].is_string() && one["id"].is_string()),
        "{told}"
    );
    assert_eq!(
        server.api("segments")["items"],
        json!([]),
        "nothing is written"
    );
    let answer = ask(
        &server,
        "POST",
        "segments/preview",
        b"format: segment/1\nid: x\nwehn: {}\n",
    );
    assert_eq!(problem(&answer).1, "invalid_scenario");
    // The same at the command line, of a draft and of what is in force, with a server and without.
    let folder = folder(&[("vip.yaml", VIP)]);
    let file = folder.path().join("vip.yaml");
    let told = done(&segment(
        &server,
        &["count", path_text(&file), "--sample", "3"],
    ));
    assert!(
        told.starts_with("vip: 25 of 50 contacts; 25 would come in, 0 would leave\n"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 4, "{told}");
    let answer = put(&server, "segments/vip", VIP);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["segments"]["vip"]["what"], "new");
    ready(&server, "vip", 25);
    let told = done(&segment(&server, &["count", "vip"]));
    assert!(
        told.contains("25 of 50 contacts; 0 would come in, 0 would leave"),
        "{told}"
    );
    assert!(server.stop());
    let told = done(&inside(server.data.path(), &["count", "vip"]));
    assert!(told.contains("25 of 50 contacts"), "{told}");
    let told = done(&inside(server.data.path(), &["list"]));
    assert!(
        told.contains("vip  25 members  condition  ready  Best"),
        "{told}"
    );
    let told = refused(&inside(server.data.path(), &["count", "vpi"]), 1);
    assert!(told.contains("there is no segment vpi"), "{told}");
}

#[test]
fn the_api_says_what_to_do() {
    let server = Server::start("");
    apply(&server, &[("segments/vip.yaml", VIP)], &[]);
    for (method, path, body, status, code, hint) in [
        (
            "GET",
            "segments/vi",
            "",
            404,
            "not_found",
            "did you mean vip?",
        ),
        (
            "GET",
            "segments/nothing-like-it",
            "",
            404,
            "not_found",
            "segment list",
        ),
        (
            "GET",
            "segments/vip/members?cursor=x",
            "",
            400,
            "bad_cursor",
            "begin without one",
        ),
        ("GET", "segments?limit=x", "", 400, "bad_query", "limit"),
        (
            "GET",
            "segments/vip/why?contact=nobody",
            "",
            404,
            "not_found",
            "/v1/identify",
        ),
        ("PUT", "segments/other", VIP, 422, "wrong_id", "same id"),
        (
            "PUT",
            "segments/vip",
            "a: [",
            422,
            "invalid_scenario",
            "YAML",
        ),
        (
            "DELETE",
            "segments/none",
            "",
            404,
            "not_found",
            "no segment none",
        ),
        (
            "POST",
            "segments/vip/members",
            "{\"contacts\":[\"a\"]}",
            409,
            "not_a_list",
            "condition",
        ),
        (
            "POST",
            "segments/vip/members",
            "{\"contacts\":[]}",
            400,
            "bad_contacts",
            "1 to 1000",
        ),
        ("POST", "segments/vip/members", "{", 400, "malformed", ""),
        (
            "GET",
            "contacts/con_99/segments",
            "",
            404,
            "not_found",
            "contact",
        ),
    ] {
        let answer = ask(&server, method, path, body.as_bytes());
        let (found, word, detail) = problem(&answer);
        assert_eq!((found, &*word), (status, code), "{method} {path}: {detail}");
        assert!(detail.contains(hint), "{method} {path}: {detail}");
    }
}

#[test]
fn the_examples_are_good_and_define_what_they_name() {
    let examples = crate::server::workspace_path("docs/examples");
    let told = relance(&["journey", "check", path_text(&examples)]);
    assert!(told.status.success(), "{}", err(&told));
    assert!(
        !err(&told).contains("there is no segment"),
        "{}",
        err(&told)
    );
    let guide = crate::server::workspace_path("docs/guide/segments.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let blocks = guide.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let folder = tempfile::TempDir::new().expect("a folder");
    let files: Vec<std::path::PathBuf> = blocks
        .enumerate()
        .map(|(n, text)| put_file(folder.path(), &format!("{n}.yaml"), text))
        .collect();
    assert_eq!(files.len(), 2);
    let names: Vec<&str> = files.iter().map(|path| path_text(path)).collect();
    let told = relance(&[&["segment", "check"], &*names].concat());
    assert!(told.status.success(), "{}", err(&told));
    assert!(err(&told).contains("5 segments are good"), "{}", err(&told));
}
