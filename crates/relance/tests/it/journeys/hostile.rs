//! Scenarios from whoever has a token: too many, too large, wrongly named; two at once; in a copy.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::server::{Server, path_text, until};

use super::{done, folder, identify, journey, lines, post, problem, through, told, track};

/// Journeys of a large workspace, in scenarios of the largest size.
const JOURNEYS: usize = 2_000;
const JOURNEYS_PER_SCENARIO: usize = 500;
/// How long one such scenario may take on a busy machine, unoptimised.
const SCENARIO_TIME_MAX: Duration = Duration::from_secs(20);
/// Callers at once.
const CALLERS: usize = 8;

fn text(id: &str, event: &str) -> String {
    format!(
        "format: journey/1\nid: {id}\ntrigger: {{ event: {event} }}\nreentry: always\nsteps:\n  - {{ send: email, template: t }}\n"
    )
}

#[test]
fn what_is_too_large_or_wrongly_named_is_refused_whole() {
    let server = Server::start("");
    let good = json!({ "a.yaml": text("a", "E") });
    let many: Map<String, Value> = (0..501)
        .map(|n| (format!("{n}.yaml"), json!(text(&format!("j{n}"), "E"))))
        .collect();
    let large = format!("{}# {}\n", text("large", "E"), "x".repeat(600 * 1024));
    let deep = format!("format: journey/1\nsteps: {}", "[".repeat(100_000));
    let wide = format!("{}{}", text("wide", "E"), "  - wait: 1d\n".repeat(20_000));
    let list = "format: list/1\nid: tips\nitems: []\n";
    let hello = "---\nsubject: x\n---\nx\n";
    for (name, scenario, hint) in [
        ("many", json!({ "journeys": many }), "at most 500"),
        (
            "large",
            json!({ "journeys": { "large.yaml": large } }),
            "large.yaml",
        ),
        (
            "deep",
            json!({ "journeys": { "deep.yaml": deep } }),
            "deep.yaml",
        ),
        (
            "wide",
            json!({ "journeys": { "wide.yaml": wide } }),
            "wide.yaml",
        ),
        (
            "slash",
            json!({ "journeys": good, "templates": { "../../x.en.txt": hello } }),
            "without /",
        ),
        (
            "hidden",
            json!({ "journeys": good, "lists": { ".tips.yaml": list } }),
            "no dot first",
        ),
        (
            "line",
            json!({ "journeys": good, "lists": { "a\nb.yaml": list } }),
            "no name of a file",
        ),
        (
            "long",
            json!({ "journeys": { "x".repeat(300): text("a", "E") } }),
            "at most 200 bytes",
        ),
        (
            "empty",
            json!({ "journeys": { "": text("a", "E") } }),
            "no name of a file",
        ),
    ] {
        for path in ["scenario/plan", "scenario"] {
            let begun = Instant::now();
            let (status, code, detail) = problem(&post(&server, path, &scenario));
            assert_eq!((status, code.as_str()), (422, "invalid_scenario"), "{name}");
            assert!(
                detail.contains(hint) && detail.len() < 100_000,
                "{name}: {detail:.400}"
            );
            assert!(begun.elapsed() < SCENARIO_TIME_MAX, "{name}");
        }
    }
    let (status, _, detail) = problem(&post(&server, "scenario", &json!({ "journeis": {} })));
    assert_eq!(status, 422);
    assert!(detail.contains("journeis"), "{detail}");
    let moves = json!({ "journeys": good, "moves": "jump" });
    let (status, _, detail) = problem(&post(&server, "scenario", &moves));
    assert_eq!(status, 422);
    assert!(detail.contains("follow"), "{detail}");
    let huge = json!({ "templates": { "t.en.txt": "x".repeat(5 * 1024 * 1024) } });
    assert_eq!(post(&server, "scenario", &huge).status, 413);
    assert_eq!(server.api("journeys")["items"], json!([]));
    assert_eq!(
        server.api("scenario"),
        json!({ "journeys": {}, "segments": {}, "templates": {}, "lists": {} })
    );
}

#[test]
fn thousands_of_journeys_are_published_and_listed() {
    let server = Server::start("");
    let all: Vec<String> = (0..JOURNEYS).map(|n| format!("j{n:05}")).collect();
    for (round, ids) in all.chunks(JOURNEYS_PER_SCENARIO).enumerate() {
        let begun = Instant::now();
        let files: Map<String, Value> = ids
            .iter()
            .map(|id| {
                (
                    format!("{id}.yaml"),
                    json!(text(id, &format!("Event {id}"))),
                )
            })
            .collect();
        let applied = told(&server, "scenario", &json!({ "journeys": files }));
        assert_eq!(
            applied["published"].as_object().map(Map::len),
            Some(ids.len())
        );
        eprintln!(
            "{} journeys beside {}: {:?}",
            ids.len(),
            round * JOURNEYS_PER_SCENARIO,
            begun.elapsed()
        );
        assert!(begun.elapsed() < SCENARIO_TIME_MAX);
    }
    let (mut seen, mut path) = (Vec::new(), "journeys?limit=200".to_owned());
    loop {
        let page = server.api(&path);
        seen.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["id"].clone()),
        );
        match page["next"].as_str() {
            Some(cursor) => path = format!("journeys?limit=200&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, all.iter().map(|id| json!(id)).collect::<Vec<_>>());
    identify(&server, "ana", &json!({}));
    track(&server, "ana", "Event j01999");
    assert_eq!(lines(&server, "ana", "j01999", "enrolled").len(), 1);
}

#[test]
fn of_many_appliers_at_once_each_publishes_a_version_of_its_own() {
    let server = Server::start("");
    let versions: Vec<u64> = std::thread::scope(|scope| {
        let server = &server;
        let callers: Vec<_> = (0..CALLERS)
            .map(|n| {
                scope.spawn(move || {
                    let journeys = json!({ "race.yaml": format!("{}# {n}\n", text("race", "E")) });
                    let template = json!({ "t.en.txt": format!("---\nsubject: {n}\n---\n{n}\n") });
                    let scenario = json!({ "journeys": journeys, "templates": template });
                    let applied = told(server, "scenario", &scenario);
                    applied["published"]["race"].as_u64().expect("a version")
                })
            })
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().expect("applied"))
            .collect()
    });
    let own: BTreeSet<u64> = versions.iter().copied().collect();
    assert_eq!(own, (1..=CALLERS as u64).collect());
    let race = journey(&server, "race");
    assert_eq!(race["current"], CALLERS);
    assert_eq!(race["versions"].as_array().map(Vec::len), Some(CALLERS));
    // The template in force is the one of whose journey is: the last of both.
    let last = versions
        .iter()
        .position(|version| *version == CALLERS as u64)
        .expect("the last");
    let files = server.api("scenario");
    assert!(
        files["journeys"]["race.yaml"]
            .as_str()
            .expect("a text")
            .ends_with(&format!("# {last}\n"))
    );
    identify(&server, "ana", &json!({}));
    track(&server, "ana", "E");
    let mail = server.sink.wait_for("ana@client.test");
    assert_eq!(mail.mail().subject, last.to_string());
}

#[test]
fn a_copy_takes_scenarios_and_sends_nothing_until_it_is_released() {
    let mut server = Server::start("");
    identify(&server, "ana", &json!({}));
    track(&server, "ana", "Lesson Viewed");
    let copy = TempDir::new().expect("a folder");
    for entry in fs::read_dir(server.data.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copied");
    }
    server.kill();
    server.data = copy;
    server.start_again();
    assert_eq!(server.api("status")["quiet"]["reason"], "copied");
    let still = "format: journey/1\nid: still\ntrigger: { inactive: 1h, event: Lesson Viewed }\n\
        steps:\n  - { send: email, template: t }\n";
    let scenario = folder(&[
        ("still.yaml", still),
        ("e.yaml", &text("e", "E")),
        ("templates/t.en.txt", "---\nsubject: Hello\n---\nHello\n"),
    ]);
    let path = path_text(scenario.path()).to_owned();
    done(&through(&server, &["plan", &path]));
    done(&through(&server, &["apply", &path]));
    track(&server, "ana", "E");
    done(&through(&server, &["pause", "e"]));
    done(&through(&server, &["resume", "e"]));
    std::thread::sleep(Duration::from_secs(2));
    assert!(server.sink.taken().is_empty());
    // What would wait for silence waits for the release first.
    assert_eq!(timers(&server), 0);
    assert_eq!(server.api("status")["quiet"]["reason"], "copied");
    // Without the server too: applying releases nothing.
    assert!(server.stop());
    super::put(scenario.path(), "more.yaml", &text("more", "F"));
    done(&super::inside(server.data.path(), &["apply", &path]));
    server.start_again();
    assert_eq!(server.api("status")["quiet"]["reason"], "copied");
    assert!(server.sink.taken().is_empty());
    told(&server, "release", &json!({}));
    server.sink.wait_for("ana@client.test");
    until("the sweep", || (timers(&server) == 1).then_some(()));
    assert_eq!(journey(&server, "more")["status"], "live");
}

fn timers(server: &Server) -> u64 {
    server.api("overview")["timers"].as_u64().expect("a number")
}
