//! Messages that wait for a person: looked at, rewritten, answered one by one or many at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{Server, path_text, until};

use super::{ask, done, folder, identify, line, lines, post, problem, through, told, track};

/// Questions of one batch.
const QUESTIONS: usize = 50;
/// Of these, answered before.
const ANSWERED: usize = 5;

const OFFER: &str = "format: journey/1
id: offer
trigger: { event: Asked }
approval: { by: owner, deputy: role:head, deputy_after: 1d, expires: 3d, lapse: call }
steps:
  - { send: email, template: offer }
";
const OFFER_TEXT: &str =
    "---\nsubject: An offer for {{ contact.name }}\n---\nDear {{ contact.name }},\n\nour offer.\n";
const USERS: &str = "
[[user]]
address = \"anna@lumen.test\"
name = \"Anna\"
[[user]]
address = \"boris@lumen.test\"
role = \"head\"
";

fn server(contacts: usize) -> Server {
    let server = Server::start(USERS);
    let scenario = folder(&[
        ("offer.yaml", OFFER),
        ("templates/offer.en.txt", OFFER_TEXT),
    ]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    for n in 0..contacts {
        let user = format!("u{n}");
        identify(&server, &user, &json!({ "owner": "anna@lumen.test" }));
        track(&server, &user, "Asked");
    }
    server
}

fn questions(server: &Server) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = "approvals?limit=20".to_owned();
    loop {
        let page = server.api(&path);
        items.extend(page["items"].as_array().expect("a list").clone());
        match page["next"].as_str() {
            Some(cursor) => path = format!("approvals?limit=20&cursor={cursor}"),
            None => return items,
        }
    }
}

fn answer(server: &Server, answers: &[Value]) -> Vec<Value> {
    let said = json!({ "by": "anna@lumen.test", "answers": answers });
    let answer = told(server, "approvals", &said);
    answer["items"].as_array().expect("a list").clone()
}

#[test]
fn a_question_is_shown_as_it_would_be_rewritten_and_sent() {
    let server = server(1);
    let asked = questions(&server).pop().expect("a question");
    let id = asked["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        (&asked["by"], &asked["deputy"], &asked["lapse"]),
        (&json!("owner"), &json!("role:head"), &json!("call"))
    );
    let moment = |name: &str| -> jiff::Timestamp {
        asked[name]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("a moment")
    };
    let hours = |from: &str, to: &str| moment(to).duration_since(moment(from)).as_hours();
    assert_eq!(hours("asked_at", "deputy_at"), 24);
    assert_eq!(hours("asked_at", "expires_at"), 72);

    let one = server.api(&format!("approvals/{id}"));
    let preview = &one["preview"];
    assert_eq!(preview["subject"], "An offer for u0", "{one:#}");
    assert_eq!(preview["to"], json!(["u0@client.test"]));
    assert_eq!(preview["problems"], json!([]));
    let editable = one["editable"].as_str().expect("a text");
    assert!(
        editable.starts_with("An offer for u0\n\nDear u0,"),
        "{editable}"
    );
    assert!(server.sink.taken().is_empty());

    let text = editable
        .replace("our offer", "our <best> offer")
        .replace("An offer", "The offer");
    let answers = [json!({ "id": id, "answer": "approve", "text": text })];
    assert_eq!(answer(&server, &answers)[0]["done"], true);
    let mail = server.sink.wait_for("u0@client.test").mail();
    assert_eq!(mail.subject, "The offer for u0");
    assert!(mail.text.contains("our <best> offer."), "{}", mail.text);
    line(&server, "u0", "offer", "approved");
    line(&server, "u0", "offer", "finished");
    let again = &answer(&server, &answers)[0];
    assert_eq!(again["done"], false);
    assert!(
        again["detail"]
            .as_str()
            .expect("why")
            .contains("no longer waits")
    );
    let gone = problem(&ask(&server, "GET", &format!("approvals/{id}"), b""));
    assert_eq!((gone.0, gone.2.contains("answered")), (404, true));
    assert_eq!(server.sink.taken().len(), 1);
}

#[test]
fn many_are_answered_at_once_and_each_only_once() {
    let server = server(QUESTIONS);
    let all = questions(&server);
    let ids: Vec<String> = all
        .iter()
        .map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), QUESTIONS);
    let approve = |id: &String| json!({ "id": id, "answer": "approve" });
    let before: Vec<Value> = ids.iter().take(ANSWERED).map(approve).collect();
    answer(&server, &before);
    // Some are answered, one twice, one by a call, one not at all, one is nobody's.
    let mut answers: Vec<Value> = ids.iter().map(approve).collect();
    answers[10] = json!({ "id": ids[10], "answer": "call" });
    answers[11] = json!({ "id": ids[11], "answer": "skip" });
    answers.push(json!({ "id": ids[12], "answer": "skip" }));
    let items = answer(&server, &answers);
    assert_eq!(items.len(), QUESTIONS + 1);
    for (at, item) in items.iter().enumerate() {
        let is_new = (ANSWERED..QUESTIONS).contains(&at);
        assert_eq!(item["done"], is_new, "{at}: {item}");
    }
    assert!(
        items[QUESTIONS]["detail"]
            .as_str()
            .expect("why")
            .contains("the first answer counts")
    );
    until("all mails", || {
        (server.sink.taken().len() == QUESTIONS - 2).then_some(())
    });
    assert!(questions(&server).is_empty());
    let user = |at: usize| {
        all[at]["to"]["traits"]["name"]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    line(&server, &user(10), "offer", "task");
    assert!(lines(&server, &user(10), "offer", "sent").is_empty());
    let skipped = line(&server, &user(11), "offer", "skipped");
    assert_eq!(skipped["reason"], "approval");
    line(&server, &user(12), "offer", "approved");
    let tasks = server.api("tasks");
    assert_eq!(tasks["items"].as_array().map(Vec::len), Some(1), "{tasks}");
}

#[test]
fn answers_that_cannot_be_read_change_nothing() {
    let server = server(1);
    let id = questions(&server)[0]["id"].clone();
    let good = json!({ "id": id, "answer": "approve" });
    let many: Vec<Value> = vec![good.clone(); 501];
    let long = json!({ "id": id, "answer": "approve", "text": "x".repeat(600 * 1024) });
    for (answers, status, hint) in [
        (
            json!([good, { "id": id, "answer": "maybe" }]),
            400,
            "use approve, skip or call",
        ),
        (json!([good, { "id": "tp_1", "answer": "skip" }]), 400, ""),
        (
            json!([good, { "id": id, "answer": "skip", "why": 1 }]),
            422,
            "why",
        ),
        (json!(many), 413, "at most 500"),
        (json!([long]), 413, "more than"),
    ] {
        let found = problem(&post(&server, "approvals", &json!({ "answers": answers })));
        assert_eq!(found.0, status, "{}", found.2);
        assert!(found.2.contains(hint), "{}", found.2);
    }
    let by = "x".repeat(300);
    let found = problem(&post(
        &server,
        "approvals",
        &json!({ "by": by, "answers": [good] }),
    ));
    assert_eq!(found.1, "bad_by");
    for path in ["approvals?cursor=zzz", "approvals?page=2", "approvals/x"] {
        assert_eq!(problem(&ask(&server, "GET", path, b"")).0, 400, "{path}");
    }
    assert_eq!(questions(&server).len(), 1);
    assert!(server.sink.taken().is_empty());
}
