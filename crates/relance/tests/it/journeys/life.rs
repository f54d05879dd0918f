//! Pause, resume, retire, archive; and the sweeps behind them, over restarts and kills.

use std::time::Duration;

use relance_store::read::Reader;
use serde_json::{Value, json};

use crate::server::{Server, path_text, until};

use super::{
    done, err, folder, identify, inside, journey, line, lines, post, problem, refused, through,
    told, track, track_all,
};

/// Contacts of one sweep: several pages of it.
const MANY: usize = 3_000;
/// The wait before the first message, and the one before the second.
const WAIT: Duration = Duration::from_secs(2);

const SLOW: &str = "format: journey/1
id: slow
trigger: { event: Joined }
exit: [{ event: Left }]
steps:
  - wait: 2s
  - { send: email, template: first }
  - wait: 2s
  - { send: email, template: second }
";

fn server(ids: &[&str]) -> Server {
    let server = Server::start("");
    let texts: Vec<(String, String)> = ids
        .iter()
        .map(|id| (format!("{id}.yaml"), SLOW.replace("slow", id)))
        .collect();
    let mut files = vec![
        (
            "templates/first.en.txt",
            "---\nsubject: First\n---\nFirst\n",
        ),
        (
            "templates/second.en.txt",
            "---\nsubject: Second\n---\nSecond\n",
        ),
    ];
    files.extend(
        texts
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    let scenario = folder(&files);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    server
}

#[test]
fn a_pause_over_a_deadline_ends_late_skipped_or_shifted() {
    let mut server = server(&["late", "skip", "shift"]);
    for user in ["ana", "leaver"] {
        identify(&server, user, &json!({}));
        track(&server, user, "Joined");
    }
    // By the command line and by the API.
    done(&through(&server, &["pause", "late"]));
    done(&through(&server, &["pause", "skip"]));
    let paused = told(&server, "journeys/shift/pause", &json!({}));
    assert_eq!(paused, json!({ "id": "shift", "done": "pause" }));
    assert_eq!(journey(&server, "late")["status"], "paused");
    for id in ["late", "skip", "shift"] {
        line(&server, "ana", id, "paused");
    }
    // Nothing begins meanwhile, and what ends a run ends it.
    track(&server, "late-comer", "Joined");
    let refused_entry = line(&server, "late-comer", "late", "not_enrolled");
    assert_eq!(refused_entry["reason"], "paused");
    track(&server, "leaver", "Left");
    assert_eq!(
        line(&server, "leaver", "shift", "exited")["reason"],
        "exit_event"
    );
    // It stands over a restart.
    assert!(server.stop());
    server.start_again();
    std::thread::sleep(WAIT);
    assert!(server.sink.taken().is_empty());
    // A new version of a paused journey is paused too, and the plan says so.
    let scenario = folder(&[(
        "late.yaml",
        &format!("{}# more\n", SLOW.replace("slow", "late")),
    )]);
    let planned = through(&server, &["plan", path_text(scenario.path())]);
    assert!(err(&planned).contains("late is paused"), "{planned:?}");

    let ledger = |id: &str, what: &str| lines(&server, "ana", id, what);
    let resumed = told(
        &server,
        "journeys/late/resume",
        &json!({ "overdue": "late" }),
    );
    assert_eq!(resumed["done"], "resume");
    line(&server, "ana", "late", "finished");
    assert_eq!(ledger("late", "sent").len(), 2);

    done(&through(&server, &["resume", "skip", "--overdue", "skip"]));
    line(&server, "ana", "skip", "finished");
    // Both came due during the pause: the second by the first's deadline.
    let skipped = ledger("skip", "skipped");
    assert!(
        !skipped.is_empty() && skipped.iter().all(|one| one["reason"] == "paused"),
        "{skipped:?}"
    );
    assert_eq!(ledger("skip", "sent").len() + skipped.len(), 2);

    done(&through(
        &server,
        &["resume", "shift", "--overdue", "shift"],
    ));
    line(&server, "ana", "shift", "finished");
    let mut moments: Vec<jiff::Timestamp> = ledger("shift", "sent")
        .iter()
        .map(|one| {
            one["at"]
                .as_str()
                .expect("a moment")
                .parse()
                .expect("a moment")
        })
        .collect();
    moments.sort();
    assert_eq!(moments.len(), 2);
    let between = moments[1].duration_since(moments[0]).unsigned_abs();
    assert!(
        between >= WAIT - Duration::from_millis(500),
        "counted on from the end of the pause: {between:?}"
    );
    assert!(lines(&server, "leaver", "shift", "sent").is_empty());
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut server = server(&["slow"]);
    for (path, body, status, hint) in [
        (
            "journeys/nothing/pause",
            json!({}),
            404,
            "GET /api/v1/journeys",
        ),
        (
            "journeys/slow/dance",
            json!({}),
            404,
            "use pause, resume, retire or archive",
        ),
        (
            "journeys/slow/resume",
            json!({ "overdue": "never" }),
            400,
            "use late, skip or shift",
        ),
        (
            "journeys/slow/pause",
            json!({ "overdue": "late" }),
            400,
            "belongs to resume",
        ),
        (
            "journeys/slow/pause",
            json!({ "overdu": "late" }),
            422,
            "overdu",
        ),
    ] {
        let (found, _, detail) = problem(&post(&server, path, &body));
        assert_eq!(found, status, "{path}: {detail}");
        assert!(detail.contains(hint), "{path}: {detail}");
    }
    let malformed = super::ask(&server, "POST", "journeys/slow/resume", b"{");
    assert_eq!(problem(&malformed).1, "malformed");
    let said = refused(&through(&server, &["pause", "nothing"]), 1);
    assert!(said.contains("there is no such journey"), "{said}");
    let data = server.data.path().to_owned();
    let said = refused(&inside(&data, &["pause", "slow"]), 2);
    assert!(said.contains("a server runs on this folder"), "{said}");
    assert!(server.stop());
    let said = refused(&inside(&data, &["pause", "nothing"]), 2);
    assert!(said.contains("there is no journey"), "{said}");
    // Without a server it waits for one.
    done(&inside(&data, &["pause", "slow"]));
    server.start_again();
    assert_eq!(journey(&server, "slow")["status"], "paused");
    assert!(server.stop());
    done(&inside(&data, &["resume", "slow"]));
    done(&inside(&data, &["retire", "slow"]));
    server.start_again();
    assert_eq!(journey(&server, "slow")["status"], "archived");
}

/// Live runs that a killed server left, as the database says.
fn left(server: &Server, id: &str) -> u64 {
    let reader = Reader::open(&server.data.path().join("relance.db")).expect("opens");
    let list = reader.journey_list().expect("reads");
    let own = list
        .iter()
        .find(|one| one.id.as_str() == id)
        .expect("the journey");
    own.live_runs
}

#[test]
fn a_sweep_over_thousands_is_finished_whatever_kills_it() {
    let mut server = Server::start("");
    let text = "format: journey/1\nid: long\ntrigger: { event: Joined }\nsteps:\n  - wait: 2s\n  - wait: 30d\n";
    let scenario = folder(&[("long.yaml", text)]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    track_all(&server, MANY, "Joined");
    done(&through(&server, &["pause", "long"]));
    let runs = |server: &Server| journey(server, "long")["live_runs"].clone();
    assert_eq!(runs(&server), json!(MANY));
    // They all come to stand before the second wait.
    let stand = |server: &Server, version: u32, step: &str| -> Value {
        let own = journey(server, "long");
        let steps = own["standing"].as_array().expect("a list").clone();
        let here = |one: &&Value| one["version"] == version && one["step"] == step;
        steps
            .iter()
            .find(here)
            .map_or(json!(0), |one| one["runs"].clone())
    };
    until("all to stand", || {
        (stand(&server, 1, "2") == json!(MANY)).then_some(())
    });
    told(
        &server,
        "journeys/long/resume",
        &json!({ "overdue": "shift" }),
    );
    // A page or two are done by now.
    server.kill();
    server.start_again();
    let resumed = |user: &str| lines(&server, user, "long", "resumed").len();
    until("the last to go on", || {
        (resumed(&format!("u{}", MANY - 1)) == 1).then_some(())
    });
    for n in [0, 1, 499, 500, 501, MANY / 2, MANY - 2] {
        assert_eq!(resumed(&format!("u{n}")), 1, "u{n}: once");
    }
    told(&server, "journeys/long/archive", &json!({}));
    server.kill();
    let after_kill = left(&server, "long");
    server.start_again();
    server.kill();
    eprintln!(
        "runs left at the first kill {after_kill}, at the second {}",
        left(&server, "long")
    );
    server.start_again();
    until("all runs to end", || (runs(&server) == 0).then_some(()));
    for n in [0, 1, 499, 500, 501, MANY / 2, MANY - 1] {
        let exited = lines(&server, &format!("u{n}"), "long", "exited");
        assert_eq!(exited.len(), 1, "u{n}: once");
        assert_eq!(exited[0]["reason"], "archived");
    }
    assert_eq!(server.api("overview")["timers"], 0);
}
