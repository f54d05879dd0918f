//! Journeys on a virtual clock, from the command line.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, path_text, relance};

use super::{done, folder, identify, put, refused, through, track};

const PICK: &str = "format: journey/1
id: pick
trigger: { event: Signed Up }
steps:
  - id: which
    branch:
      - if: { contact.plan: pro }
        then: [{ send: email, template: for-pro }]
      - else: [{ send: email, template: for-free }]
  - id: reply
    wait_for: { event: Clicked }
    timeout: 2d
    then: [{ send: email, template: thanks }]
    else: [{ task: Call }]
";

fn preview(folder: &Path, words: &[&str]) -> Output {
    let paths: Vec<String> = words
        .iter()
        .map(|word| match folder.join(word) {
            path if path.exists() => path_text(&path).to_owned(),
            _ => (*word).to_owned(),
        })
        .collect();
    let words: Vec<&str> = paths.iter().map(String::as_str).collect();
    relance(&[&["journey", "preview", "--json"], &words[..]].concat())
}

fn lines(run: &Output) -> Vec<Value> {
    let text = done(run);
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// `what` with the journey, and the template or the moment beside it.
fn told(lines: &[Value], what: &str, field: &str) -> Vec<String> {
    let own = lines.iter().filter(|line| line["what"] == what);
    own.map(|line| line[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn files(more: &[(&str, &str)]) -> TempDir {
    let own = folder(more);
    put(own.path(), "pick.yaml", PICK);
    let contact = |id: &str, plan: &str, zone: &str| {
        json!({ "userId": id, "traits": { "email": format!("{id}@client.test"), "plan": plan, "timezone": zone,
            "birthday": "1990-03-10" } })
        .to_string()
    };
    put(
        own.path(),
        "ana.json",
        &contact("ana", "free", "Asia/Tokyo"),
    );
    put(
        own.path(),
        "bob.json",
        &contact("bob", "pro", "Europe/Berlin"),
    );
    let event = |id: &str, name: &str, at: &str| {
        json!({ "type": "track", "userId": id, "event": name, "timestamp": at }).to_string()
    };
    let events = [
        event("ana", "Signed Up", "2027-03-01T00:00:00Z"),
        event("bob", "Signed Up", "2027-03-01T01:00:00Z"),
        event("bob", "Clicked", "2027-03-01T02:00:00Z"),
    ];
    put(own.path(), "events.jsonl", &events.join("\n"));
    own
}

const WHO: [&str; 6] = [
    "--contact",
    "ana.json",
    "--contact",
    "bob.json",
    "--events",
    "events.jsonl",
];

#[test]
fn several_journeys_and_contacts_and_ways_that_are_chosen() {
    let other = PICK
        .replace("id: pick", "id: other")
        .replace("for-pro", "other-pro");
    let own = files(&[("other.yaml", &other)]);
    let own = own.path();
    let seen = lines(&preview(
        own,
        &[&["pick.yaml", "other.yaml"], &WHO[..]].concat(),
    ));
    let of = |contact: &str, journey: &str| -> Vec<Value> {
        let own = seen
            .iter()
            .filter(|line| line["contact"] == contact && line["journey"] == journey);
        own.cloned().collect()
    };
    assert_eq!(
        told(&of("ana", "pick"), "would_send", "template"),
        ["for-free"]
    );
    assert_eq!(told(&of("ana", "pick"), "task", "detail").len(), 1);
    assert_eq!(
        told(&of("bob", "pick"), "would_send", "template"),
        ["for-pro", "thanks"]
    );
    assert_eq!(
        told(&of("bob", "other"), "would_send", "template"),
        ["other-pro", "thanks"]
    );
    // Each line stands in the contact's own zone.
    assert!(
        of("ana", "pick")
            .iter()
            .all(|line| line["at"].as_str().expect("at").ends_with("+09:00"))
    );
    assert!(
        of("bob", "pick")
            .iter()
            .all(|line| line["at"].as_str().expect("at").ends_with("+01:00"))
    );

    let chosen = [
        "pick.yaml",
        "--choose",
        "which=if1",
        "--choose",
        "reply=else",
    ];
    let seen = lines(&preview(own, &[&chosen, &WHO[..]].concat()));
    assert_eq!(
        told(&seen, "would_send", "template"),
        ["for-pro", "for-pro"]
    );
    assert_eq!(told(&seen, "task", "step").len(), 2);
    let people = relance(&[
        "journey",
        "preview",
        path_text(&own.join("pick.yaml")),
        "--from",
        "2027-01-01T00:00:00Z",
    ]);
    assert_eq!(done(&people), "");
}

#[test]
fn usage_and_findings_of_a_preview() {
    let own = files(&[
        ("wrong.yaml", "format: journey/1\nid: wrong\nsteps: []\n"),
        ("text.json", "x"),
    ]);
    let own = own.path();
    put(
        own,
        "late.jsonl",
        "{\"type\":\"track\",\"userId\":\"a\",\"event\":\"E\"}",
    );
    put(
        own,
        "when.jsonl",
        "\n{\"type\":\"track\",\"userId\":\"a\",\"event\":\"E\",\"timestamp\":\"soon\"}",
    );
    for (words, code, hint) in [
        (&["pick.yaml"][..], 2, "--events, or --from"),
        (&[], 2, "<JOURNEYS>"),
        (
            &["nowhere.yaml", "--from", "2027-01-01T00:00:00Z"],
            2,
            "nowhere.yaml",
        ),
        (
            &["wrong.yaml", "--from", "2027-01-01T00:00:00Z"],
            1,
            "trigger",
        ),
        (
            &["pick.yaml", "--events", "late.jsonl"],
            2,
            "late.jsonl:1: the call has no timestamp",
        ),
        (
            &["pick.yaml", "--events", "when.jsonl"],
            2,
            "when.jsonl:2: ",
        ),
        (&["pick.yaml", "--contact", "text.json"], 2, "text.json: "),
        (
            &["pick.yaml", "--contact", "events.jsonl"],
            2,
            "events.jsonl: ",
        ),
        (&["pick.yaml", "--from", "yesterday"], 2, "--from"),
        (
            &["pick.yaml", "--events", "events.jsonl", "--choose", "which"],
            2,
            "STEP=WAY",
        ),
        (
            &[
                "pick.yaml",
                "--events",
                "events.jsonl",
                "--choose",
                "nope=then",
            ],
            2,
            "no journey has a step nope",
        ),
        (
            &[
                "pick.yaml",
                "--events",
                "events.jsonl",
                "--choose",
                "which=then",
            ],
            2,
            "else, if1",
        ),
        (
            &["pick.yaml", "--of", "ana", "--from", "2027-01-01T00:00:00Z"],
            2,
            "--data",
        ),
        (
            &["pick.yaml", "--of", "ana", "--data", "."],
            2,
            "relance init",
        ),
    ] {
        let said = refused(&preview(own, words), code);
        assert!(said.contains(hint), "{words:?}: {said}");
    }
}

const TUESDAYS: &str = "format: journey/1
id: tuesdays
trigger: { schedule: { days: tue, at: \"10:00\" } }
steps:
  - { send: email, template: news }
";

#[test]
fn dates_schedules_segments_and_people_begin_runs_in_a_preview() {
    let own = files(&[
        ("tuesdays.yaml", TUESDAYS),
        (
            "birthday.yaml",
            "format: journey/1\nid: birthday\n\
            trigger: { date: contact.birthday, offset: -3d, at: \"09:00\", yearly: true }\n\
            steps:\n  - { send: email, template: wishes }\n",
        ),
        (
            "vip.yaml",
            "format: journey/1\nid: vip\ntrigger: { segment_entered: vip }\nsteps:\n  - { send: email, template: vip }\n",
        ),
        (
            "left.yaml",
            "format: journey/1\nid: left\ntrigger: { segment_left: vip }\nsteps:\n  - { send: email, template: left }\n",
        ),
        (
            "hand.yaml",
            "format: journey/1\nid: hand\ntrigger: manual\nsteps:\n  - { send: email, template: hand }\n",
        ),
        (
            "api.yaml",
            "format: journey/1\nid: api\ntrigger: api\nsteps:\n  - { send: email, template: api }\n",
        ),
        (
            "still.yaml",
            "format: journey/1\nid: still\ntrigger: { inactive: 7d, event: Signed Up }\nsteps:\n  - { send: email, template: still }\n",
        ),
    ]);
    let own = own.path();
    // What is earlier is history: the journeys begin in the middle of March, not with the first event.
    let until = [
        "--from",
        "2027-03-15T00:00:00Z",
        "--until",
        "2027-03-24T00:00:00Z",
    ];
    let seen = lines(&preview(
        own,
        &[&["tuesdays.yaml"], &WHO[..], &until].concat(),
    ));
    let mut moments = told(&seen, "would_send", "at");
    moments.sort();
    assert_eq!(
        moments,
        [
            "2027-03-16T10:00:00+01:00",
            "2027-03-16T10:00:00+09:00",
            "2027-03-23T10:00:00+01:00",
            "2027-03-23T10:00:00+09:00",
        ]
    );
    let year = [
        "--from",
        "2027-03-02T00:00:00Z",
        "--until",
        "2028-04-01T00:00:00Z",
    ];
    let seen = lines(&preview(
        own,
        &[&["birthday.yaml"], &WHO[..2], &year].concat(),
    ));
    assert_eq!(
        told(&seen, "would_send", "at"),
        ["2027-03-07T09:00:00+09:00", "2028-03-07T09:00:00+09:00"]
    );
    let seen = lines(&preview(own, &[&["still.yaml"], &WHO[..]].concat()));
    assert_eq!(
        told(&seen, "would_send", "at"),
        ["2027-03-08T09:00:00+09:00", "2027-03-08T02:00:00+01:00"]
    );

    let begun = ["vip.yaml", "left.yaml", "hand.yaml", "api.yaml"];
    let from = ["--contact", "ana.json", "--from", "2027-03-15T00:00:00Z"];
    let words = [&begun[..], &from].concat();
    let run = preview(own, &words);
    assert!(lines(&run).is_empty());
    assert!(
        super::err(&run).contains("note: hand does not begin by what contacts do; add --start")
    );
    let seen = lines(&preview(own, &[&words[..], &["--start"]].concat()));
    let mut sent = told(&seen, "would_send", "template");
    sent.sort();
    assert_eq!(sent, ["api", "hand", "left", "vip"]);
}

#[test]
fn a_contact_of_a_workspace_is_previewed_while_its_server_runs() {
    let server = Server::start("\n[quiet_hours]\nemail = \"00:00-12:00\"\n");
    let own = files(&[("tuesdays.yaml", TUESDAYS)]);
    let own = own.path();
    let other = PICK.replace("id: pick", "id: live");
    let live = folder(&[("live.yaml", &other)]);
    done(&through(&server, &["apply", path_text(live.path())]));
    identify(
        &server,
        "bob",
        &json!({ "plan": "pro", "timezone": "Europe/Berlin" }),
    );
    track(&server, "bob", "Looked");
    let contact = server.contact("bob").expect("the contact");
    let id = contact["id"].as_str().expect("an id").to_owned();
    let before = (server.events("bob"), server.ledger("bob"), contact);
    let data = path_text(server.data.path()).to_owned();
    let day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let event = json!({ "type": "track", "userId": "whoever", "event": "Signed Up", "timestamp": day.to_string() });
    put(own, "told.jsonl", &event.to_string());
    for name in ["bob", "bob@client.test", &id] {
        let words = [
            "pick.yaml",
            "--of",
            name,
            "--data",
            &data,
            "--events",
            "told.jsonl",
        ];
        let seen = lines(&preview(own, &words));
        assert_eq!(
            told(&seen, "would_send", "template"),
            ["for-pro"],
            "{seen:#?}"
        );
        assert!(
            seen.iter()
                .all(|line| line["contact"] == name && line["journey"] == "pick"),
            "{seen:#?}"
        );
    }
    // The workspace's rules hold: at ten it is quiet, so it goes at noon.
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(8 * 24)).to_string();
    let words = [
        "tuesdays.yaml",
        "--of",
        "bob",
        "--data",
        &data,
        "--until",
        &until,
    ];
    let seen = lines(&preview(own, &words));
    assert_eq!(told(&seen, "held", "reason"), ["quiet_hours"], "{seen:#?}");
    assert!(
        told(&seen, "would_send", "at")[0].contains("T12:00:00"),
        "{seen:#?}"
    );
    let said = refused(
        &preview(own, &["pick.yaml", "--of", "nobody", "--data", &data]),
        2,
    );
    assert!(said.contains("no contact \"nobody\""), "{said}");
    let after = server.contact("bob").expect("the contact");
    assert_eq!((server.events("bob"), server.ledger("bob"), after), before);
}

const VIP: &str = "format: segment/1
id: vip
when: [{ did: Order Completed, times: { gte: 2 }, within: 10d }]
";
const ASLEEP: &str = "format: segment/1
id: asleep
when: [{ not: { did: Signed Up, within: 5d } }, { not: { in_segment: vip } }]
";
const GREET: &str = "format: journey/1
id: greet
trigger: { segment_entered: vip }
steps:
  - branch:
      - if: { in_segment: asleep }
        then: [{ send: email, template: asleep-vip }]
      - else: [{ send: email, template: awake-vip }]
";
const BYE: &str = "format: journey/1
id: bye
trigger: { segment_left: vip }
steps: [{ send: email, template: bye }]
";

/// Who belongs to segments is played like everything else: by events, and by time.
#[test]
fn segments_beside_the_journeys_are_played() {
    let own = files(&[
        ("journeys/greet.yaml", GREET),
        ("journeys/bye.yaml", BYE),
        ("segments/vip.yaml", VIP),
        ("segments/asleep.yaml", ASLEEP),
    ]);
    let own = own.path();
    let order = |at: &str| {
        json!({ "type": "track", "userId": "bob", "event": "Order Completed", "timestamp": at })
            .to_string()
    };
    let more = ["2027-03-02T10:00:00Z", "2027-03-03T10:00:00Z"].map(order);
    put(own, "orders.jsonl", &more.join("\n"));
    let names = ["journeys/greet.yaml", "journeys/bye.yaml"];
    let who = [&WHO[..], &["--events", "orders.jsonl"]].concat();
    let seen = lines(&preview(own, &[&names, &who[..]].concat()));
    let turns = |what: &str| -> Vec<(String, String, String)> {
        let own = seen.iter().filter(|line| line["what"] == what);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        own.map(|line| {
            (
                text(&line["at"]),
                text(&line["contact"]),
                text(&line["detail"]),
            )
        })
        .collect()
    };
    let turn = |at: &str, who: &str, what: &str| (at.to_owned(), who.to_owned(), what.to_owned());
    // Bob ordered twice within ten days, for seven of which nothing else was true of him.
    assert_eq!(
        turns("segment_entered"),
        [
            turn("2027-03-03T11:00:00+01:00", "bob", "vip"),
            turn("2027-03-06T09:00:00.001+09:00", "ana", "asleep"),
            turn("2027-03-12T11:00:00.001+01:00", "bob", "asleep"),
        ],
        "{seen:#?}"
    );
    assert_eq!(
        turns("segment_left"),
        [
            turn("2027-03-01T09:00:00+09:00", "ana", "asleep"),
            turn("2027-03-01T02:00:00+01:00", "bob", "asleep"),
            turn("2027-03-12T11:00:00.001+01:00", "bob", "vip"),
        ],
        "{seen:#?}"
    );
    assert_eq!(told(&seen, "would_send", "template"), ["awake-vip", "bye"]);
    // History is no news, and a journey hears of nobody who came in before.
    let late = [&names, &who[..], &["--from", "2027-03-05T00:00:00Z"]].concat();
    let seen = lines(&preview(own, &late));
    assert_eq!(told(&seen, "would_send", "template"), ["bye"], "{seen:#?}");
    let entered = told(&seen, "segment_entered", "detail");
    assert_eq!(entered, ["asleep", "asleep"], "{seen:#?}");
    // Only what is named.
    let words = [&names, &who[..], &["--segments", "segments/vip.yaml"]].concat();
    let run = preview(own, &words);
    assert!(!told(&lines(&run), "segment_entered", "detail").contains(&"asleep".to_owned()));
    let said = super::err(&run);
    assert!(
        said.contains("names the segment asleep, which is not played"),
        "{said}"
    );
    assert!(!said.contains("does not begin"), "{said}");
    for (path, what) in [("pick.yaml", "is no segment"), ("absent", "is not there")] {
        let said = refused(
            &preview(own, &[&names, &who[..], &["--segments", path]].concat()),
            2,
        );
        assert!(said.contains(what), "{said}");
    }
    put(own, "segments/asleep.yaml", &ASLEEP.replace("vip", "wip"));
    let said = refused(&preview(own, &[&names, &who[..]].concat()), 1);
    assert!(said.contains("did you mean `vip`?"), "{said}");
}
