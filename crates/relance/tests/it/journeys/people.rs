//! People in flight when another version is published (R8): pinned, followed, mapped; nobody is lost.

use serde_json::{Value, json};

use crate::server::{Server, path_text, until};

use super::{
    ask, done, folder, identify, inside, journey, line, lines, post, problem, refused, through,
    told, track, track_all,
};

/// Contacts in each lane of each journey.
const EACH: usize = 2;
const LANES: [&str; 3] = ["a", "b", "c"];

const FIRST: &str = "format: journey/1
id: course
trigger: { event: Joined }
steps:
  - branch:
      - if: { contact.lane: a }
        then: [{ id: a, wait_for: { event: Go }, timeout: 30d }]
      - if: { contact.lane: b }
        then: [{ id: b, wait_for: { event: Go }, timeout: 30d }]
      - else: [{ id: c, wait_for: { event: Go }, timeout: 30d }]
  - set: { course: one }
";
const SECOND: &str = "format: journey/1
id: course
trigger: { event: Joined }
steps:
  - branch:
      - if: { contact.lane: a }
        then: [{ id: a, wait_for: { event: Go }, timeout: 60d }]
      - else: [{ id: c2, wait_for: { event: Go }, timeout: 30d }]
  - set: { course: two }
";

fn text(first: &str, id: &str) -> String {
    first.replace("course", id)
}

fn people() -> impl Iterator<Item = (String, &'static str)> {
    LANES
        .into_iter()
        .flat_map(|lane| (0..EACH).map(move |n| (format!("{lane}{n}"), lane)))
}

fn standing(server: &Server, id: &str) -> Value {
    journey(server, id)["standing"].clone()
}

fn stands(version: u32, step: &str, runs: usize) -> Value {
    json!({ "version": version, "step": step, "runs": runs })
}

fn apply(server: &Server, text: &str, words: &[&str]) -> String {
    let scenario = folder(&[("j.yaml", text)]);
    done(&through(
        server,
        &[&["apply", path_text(scenario.path())], words].concat(),
    ))
}

#[test]
fn runs_are_pinned_followed_or_mapped_and_none_is_lost() {
    let server = Server::start("");
    for id in ["pinned", "followed", "mapped"] {
        apply(&server, &text(FIRST, id), &[]);
    }
    for (user, lane) in people() {
        identify(&server, &user, &json!({ "lane": lane }));
        track(&server, &user, "Joined");
    }
    let all_stand = LANES.map(|lane| stands(1, lane, EACH));
    for id in ["pinned", "followed", "mapped"] {
        until("all to stand", || {
            (standing(&server, id) == json!(all_stand)).then_some(())
        });
    }
    // The plan counts them, by step, before anything is done.
    let plan = |id: &str, words: &[&str]| {
        let scenario = folder(&[("j.yaml", &text(SECOND, id))]);
        let words = [&["plan", path_text(scenario.path()), "--json"], words].concat();
        through(&server, &words)
    };
    let moved = |id: &str, words: &[&str]| -> Value {
        let planned: Value = serde_json::from_str(&done(&plan(id, words))).expect("JSON");
        assert_eq!(planned["published"], json!({ id: 2 }));
        planned["runs"][id].clone()
    };
    let stay = |step: &str| json!({ "version": 1, "step": step, "runs": EACH, "what": "stay" });
    let goes = |step: &str, to: &str| json!({ "version": 1, "step": step, "runs": EACH, "what": "move", "to": to });
    let map = ["--map", "c=c2", "--map", "b=end"];
    assert_eq!(
        moved("pinned", &[]),
        json!([stay("a"), stay("b"), stay("c")])
    );
    assert_eq!(
        moved("followed", &["--moves", "follow"]),
        json!([goes("a", "a"), stay("b"), stay("c")])
    );
    let end = json!({ "version": 1, "step": "b", "runs": EACH, "what": "end" });
    assert_eq!(
        moved("mapped", &map),
        json!([goes("a", "a"), end, goes("c", "c2")])
    );
    // Names that are mistyped would leave runs where they are, and nobody would know.
    let told = refused(&plan("mapped", &["--map", "c=c3", "--map", "d=c2"]), 1);
    assert!(told.contains("no older version has a step d"), "{told}");
    assert!(told.contains("no new version has a step c3"), "{told}");

    let said = apply(&server, &text(SECOND, "pinned"), &[]);
    assert!(
        said.contains("2 runs at step a of version 1 stay on version 1"),
        "{said}"
    );
    let said = apply(&server, &text(SECOND, "followed"), &["--moves", "follow"]);
    assert!(
        said.contains("2 runs at step a of version 1 go over to step a"),
        "{said}"
    );
    let said = apply(&server, &text(SECOND, "mapped"), &map);
    assert!(said.contains("2 runs at step b of version 1 end"), "{said}");

    // They go over when something happens to them.
    for (user, _) in people() {
        track(&server, &user, "Looked");
    }
    assert_eq!(standing(&server, "pinned"), json!(all_stand));
    let expected = json!([
        stands(1, "b", EACH),
        stands(1, "c", EACH),
        stands(2, "a", EACH)
    ]);
    assert_eq!(standing(&server, "followed"), expected);
    assert_eq!(
        standing(&server, "mapped"),
        json!([stands(2, "a", EACH), stands(2, "c2", EACH)])
    );
    for n in 0..EACH {
        let user = format!("b{n}");
        let exited = line(&server, &user, "mapped", "exited");
        assert_eq!(exited["reason"], "stopped");
        let migrated = line(&server, &format!("c{n}"), "mapped", "migrated");
        assert_eq!(
            (&migrated["step"], &migrated["detail"]),
            (&json!("c2"), &json!("1 -> 2"))
        );
    }
    // And each is finished by the version that it is on.
    identify(&server, "new", &json!({ "lane": "a" }));
    track(&server, "new", "Joined");
    let all = people()
        .map(|(user, lane)| (user, Some(lane)))
        .chain([("new".to_owned(), None)]);
    for (user, lane) in all {
        track(&server, &user, "Go");
        let traits = until("the end of the runs", || {
            let traits = server.contact(&user)?["traits"].clone();
            traits.get("followed").is_some().then_some(traits)
        });
        let (pinned, followed, mapped) = match lane {
            None => ("two", "two", json!("two")),
            Some("a") => ("one", "two", json!("two")),
            Some("b") => ("one", "one", Value::Null),
            Some(_) => ("one", "one", json!("two")),
        };
        assert_eq!(
            (&traits["pinned"], &traits["followed"], &traits["mapped"]),
            (&json!(pinned), &json!(followed), &mapped),
            "{user}"
        );
        for id in ["pinned", "followed", "mapped"] {
            let ends = lines(&server, &user, id, "finished").len()
                + lines(&server, &user, id, "exited").len();
            assert_eq!(ends, 1, "{user} in {id}");
        }
    }
    for id in ["pinned", "followed", "mapped"] {
        let own = journey(&server, id);
        assert_eq!(
            (&own["live_runs"], &own["standing"]),
            (&json!(0), &json!([])),
            "{id}"
        );
        // The text of what nobody is on any more is there all the same.
        assert_eq!(own["versions"][0]["text"], text(FIRST, id));
        assert_eq!(own["versions"][0]["current"], false);
    }
}

#[test]
fn what_was_archived_is_published_again_under_the_next_number() {
    let mut server = Server::start("");
    apply(&server, FIRST, &[]);
    apply(&server, SECOND, &[]);
    identify(&server, "ana", &json!({ "lane": "a" }));
    track(&server, "ana", "Joined");
    line(&server, "ana", "course", "waiting");
    done(&through(&server, &["archive", "course"]));
    assert_eq!(
        line(&server, "ana", "course", "exited")["reason"],
        "archived"
    );
    until("the sweep to end", || {
        (journey(&server, "course")["live_runs"] == 0).then_some(())
    });
    let own = journey(&server, "course");
    assert_eq!(
        (&own["status"], &own["current"]),
        (&json!("archived"), &Value::Null)
    );
    // No new run begins, and the API says what to do.
    track_all(&server, 1, "Joined");
    assert!(lines(&server, "u0", "course", "enrolled").is_empty());
    let start = post(
        &server,
        "journeys/course/start",
        &json!({ "user_id": "ana" }),
    );
    assert_eq!(problem(&start).1, "not_in_force");
    // A wholly unchanged text is published, for it is in force no more.
    let said = apply(&server, SECOND, &[]);
    assert!(said.contains("published  course as version 3"), "{said}");
    let own = journey(&server, "course");
    assert_eq!(
        (&own["status"], &own["current"]),
        (&json!("live"), &json!(3))
    );
    identify(&server, "bob", &json!({ "lane": "a" }));
    track(&server, "bob", "Joined");
    line(&server, "bob", "course", "enrolled");
    // The same without a server; who is there is told.
    assert!(server.stop());
    let data = server.data.path().to_owned();
    let scenario = folder(&[("j.yaml", SECOND)]);
    let path = path_text(scenario.path()).to_owned();
    done(&inside(&data, &["archive", "course"]));
    // Its runs have still to end: what is published now would be ended with them.
    let said = refused(&inside(&data, &["apply", &path]), 1);
    assert!(said.contains("is being archived"), "{said}");
    server.start_again();
    until("bob's run to end", || {
        lines(&server, "bob", "course", "exited").into_iter().next()
    });
    until("the journey to be free", || {
        through(&server, &["apply", &path])
            .status
            .success()
            .then_some(())
    });
    assert_eq!(journey(&server, "course")["current"], 4);
    track_all(&server, 2, "Joined");
    line(&server, "u1", "course", "enrolled");
    assert!(lines(&server, "u1", "course", "exited").is_empty());
}

#[test]
fn a_draft_stands_beside_what_is_published_and_goes_when_it_is() {
    let server = Server::start("");
    let put = |id: &str, text: &str| {
        ask(
            &server,
            "PUT",
            &format!("journeys/{id}/draft"),
            text.as_bytes(),
        )
    };
    let answer = put("course", "format: journey/1\nid: course\nsteps: []\n");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let problems = answer.json()["problems"].clone();
    assert!(
        problems[0]["line"].is_u64() && problems[0]["remedy"].is_string(),
        "{problems}"
    );
    // A draft alone is a journey that was never published.
    let list = server.api("journeys");
    assert_eq!(list["items"][0]["id"], "course");
    assert_eq!(list["items"][0]["status"], "draft");
    assert_eq!(
        post(&server, "journeys/course/pause", &json!({})).status,
        404
    );

    let other = put("course", &text(FIRST, "other")).json();
    assert!(
        other["problems"].to_string().contains("draft of course"),
        "{other}"
    );
    let kept = put("course", FIRST).json();
    assert_eq!(
        (&kept["id"], &kept["problems"]),
        (&json!("course"), &json!([]))
    );
    assert!(kept["revision"].is_string(), "{kept}");
    let own = journey(&server, "course");
    assert_eq!(
        (&own["draft"]["text"], &own["versions"]),
        (&json!(FIRST), &json!([]))
    );
    apply(&server, FIRST, &[]);
    assert_eq!(journey(&server, "course")["draft"], Value::Null);
    put("course", SECOND);
    assert_eq!(journey(&server, "course")["draft"]["text"], SECOND);
    assert_eq!(
        ask(&server, "DELETE", "journeys/course/draft", b"").status,
        200
    );
    assert_eq!(journey(&server, "course")["draft"], Value::Null);

    assert_eq!(problem(&put("..%2Fetc", "x")).1, "bad_id");
    let long = ask(
        &server,
        "PUT",
        "journeys/course/draft",
        &vec![b'x'; 600 * 1024],
    );
    assert_eq!(problem(&long).0, 413);
    let binary = ask(&server, "PUT", "journeys/course/draft", &[0xff, 0xfe]);
    assert_eq!(problem(&binary).0, 400);
    // Pages of journeys.
    for n in 0..5 {
        apply(&server, &text(FIRST, &format!("j{n}")), &[]);
    }
    let first = server.api("journeys?limit=4");
    assert_eq!(first["items"].as_array().map(Vec::len), Some(4));
    let cursor = first["next"].as_str().expect("a cursor");
    let rest = server.api(&format!("journeys?limit=4&cursor={cursor}"));
    assert_eq!(
        (rest["items"].as_array().map(Vec::len), &rest["next"]),
        (Some(2), &Value::Null)
    );
    assert_eq!(
        problem(&ask(&server, "GET", "journeys/nothing", b"")).1,
        "not_found"
    );
    let _same = told(&server, "scenario/plan", &json!({}));
}
