//! Runs that a program or a person begins.

use serde_json::{Value, json};

use crate::server::{Server, path_text, until};

use super::{done, folder, identify, lines, post, problem, through, told};

const BY_PROGRAM: &str = "format: journey/1
id: by-program
trigger: api
steps:
  - { send: email, template: hello }
";
const BY_PERSON: &str = "format: journey/1
id: by-person
trigger: manual
steps:
  - task: Look after {{ contact.name }}
";
const BY_EVENT: &str = "format: journey/1
id: by-event
trigger: { event: Asked }
steps:
  - stop
";
const ABOUT_ORDER: &str = "format: journey/1
id: about-order
subject: order
trigger: api
steps:
  - task: Order {{ subject.number }}
";

fn server() -> Server {
    let server = Server::start("");
    let scenario = folder(&[
        ("a.yaml", BY_PROGRAM),
        ("b.yaml", BY_PERSON),
        ("c.yaml", BY_EVENT),
        ("d.yaml", ABOUT_ORDER),
        (
            "templates/hello.en.txt",
            "---\nsubject: Hello\n---\nPlan {{ event.plan }}\n",
        ),
    ]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    identify(&server, "ana", &json!({}));
    server
}

#[test]
fn a_program_begins_a_run_once_for_each_key() {
    let server = server();
    let start = json!({ "user_id": "ana", "key": "order-7", "properties": { "plan": "pro" } });
    let answer = told(&server, "journeys/by-program/start", &start);
    assert_eq!(answer["newest"]["journey"], "by-program", "{answer}");
    let mail = server.sink.wait_for("ana@client.test");
    assert!(mail.mail().text.contains("Plan pro"));
    // A second with the key changes nothing, whatever else it says; over a restart too.
    let mut server = server;
    told(&server, "journeys/by-program/start", &start);
    server.kill();
    server.start_again();
    let other = json!({ "email": "ana@client.test", "key": "order-7" });
    told(&server, "journeys/by-program/start", &other);
    assert_eq!(lines(&server, "ana", "by-program", "enrolled").len(), 1);
    assert!(lines(&server, "ana", "by-program", "not_enrolled").is_empty());
    // Another key, and no key, are other runs; the key belongs to its journey.
    let finished = |runs: usize| {
        until("the runs to finish", || {
            let finished = lines(&server, "ana", "by-program", "finished");
            (finished.len() == runs).then_some(())
        });
    };
    finished(1);
    for (runs, start) in [
        (2, json!({ "user_id": "ana", "key": "order-8" })),
        (3, json!({ "user_id": "ana" })),
    ] {
        told(&server, "journeys/by-program/start", &start);
        finished(runs);
    }
    assert_eq!(lines(&server, "ana", "by-program", "enrolled").len(), 3);
    let order = json!({ "kind": "order", "id": "7" });
    let about = json!({ "user_id": "ana", "key": "order-7", "subject": order });
    told(&server, "journeys/about-order/start", &about);
    assert_eq!(lines(&server, "ana", "about-order", "enrolled").len(), 1);
}

#[test]
fn a_person_begins_a_run_of_a_manual_journey() {
    let server = server();
    let contact = server.contact("ana").expect("the contact")["id"].clone();
    let start = json!({ "contact": contact, "user": "boris" });
    told(&server, "journeys/by-person/start", &start);
    super::line(&server, "ana", "by-person", "task");
    let tasks = server.api("tasks");
    assert_eq!(tasks["items"][0]["title"], "Look after ana", "{tasks}");
}

#[test]
fn what_cannot_begin_says_what_to_do() {
    let server = server();
    let start = |journey: &str, body: Value| {
        let answer = post(&server, &format!("journeys/{journey}/start"), &body);
        problem(&answer)
    };
    for (journey, body, status, code, hint) in [
        (
            "nothing",
            json!({ "user_id": "ana" }),
            404,
            "not_found",
            "GET /api/v1/journeys",
        ),
        (
            "by-program",
            json!({ "user_id": "bob" }),
            404,
            "not_found",
            "/v1/identify",
        ),
        (
            "by-program",
            json!({ "contact": "con_99999" }),
            404,
            "not_found",
            "contact",
        ),
        (
            "by-program",
            json!({ "contact": "99999x" }),
            400,
            "bad_id",
            "con_",
        ),
        ("by-program", json!({}), 400, "no_contact", "user_id"),
        (
            "by-program",
            json!({ "user_id": "ana", "user": "boris" }),
            409,
            "wrong_trigger",
            "leave `user` out",
        ),
        (
            "by-person",
            json!({ "user_id": "ana" }),
            409,
            "wrong_trigger",
            "`user`",
        ),
        (
            "by-event",
            json!({ "user_id": "ana" }),
            409,
            "wrong_trigger",
            "`trigger: api`",
        ),
        (
            "by-program",
            json!({ "user_id": "ana", "key": "" }),
            400,
            "bad_key",
            "leave it out",
        ),
        (
            "by-program",
            json!({ "user_id": "ana", "key": "k".repeat(300) }),
            400,
            "bad_key",
            "200",
        ),
        (
            "by-program",
            json!({ "user_id": "ana", "who": 1 }),
            422,
            "malformed",
            "who",
        ),
    ] {
        let (found, word, detail) = start(journey, body.clone());
        assert_eq!(
            (found, word.as_str()),
            (status, code),
            "{journey} {body}: {detail}"
        );
        assert!(detail.contains(hint), "{journey} {body}: {detail}");
    }
    let answer = super::ask(&server, "POST", "journeys/by-program/start", b"{");
    assert_eq!(problem(&answer).1, "malformed");
    // Without a subject a journey about one begins for nobody, and the answer says so.
    let answer = told(
        &server,
        "journeys/about-order/start",
        &json!({ "user_id": "ana" }),
    );
    assert_eq!(answer["newest"]["what"], "not_enrolled");
    assert_eq!(answer["newest"]["reason"], "no_subject");
    // What was refused left no trace.
    assert!(
        server
            .ledger("ana")
            .iter()
            .all(|line| line["journey"] == "about-order")
    );
}
