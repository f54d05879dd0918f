//! The library over the API: what is chosen comes as drafts with its letters, and nothing that is there is overwritten.

use std::process::Command;

use serde_json::{Value, json};

use crate::server::{Answer, Server};

fn call(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", server.api_token);
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
    ];
    let body = match body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    server.request(
        method,
        &format!("/api/v1/{path}"),
        &headers,
        body.as_bytes(),
    )
}

fn item(server: &Server, id: &str) -> Value {
    let all = call(server, "GET", "library", &Value::Null).json();
    let found = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == id);
    found
        .unwrap_or_else(|| panic!("{id} is not offered: {all}"))
        .clone()
}

#[test]
fn what_is_chosen_comes_as_drafts_and_overwrites_nothing() {
    let server = Server::start("");
    let offer = item(&server, "offer-no-reply");
    assert_eq!(offer["state"], "not_used");
    assert_eq!(offer["needs"], json!(["mailbox"]));
    assert_eq!(offer["name"]["ja"], "返信のない見積書");
    assert_eq!(
        offer["templates"],
        json!([
            "offer-again",
            "offer-reminder-1",
            "offer-reminder-2",
            "offer-reminder-3"
        ])
    );

    let added = call(
        &server,
        "POST",
        "library/offer-no-reply",
        &json!({ "languages": ["ru", "en"] }),
    );
    assert_eq!(added.status, 200, "{}", added.json());
    let added = added.json();
    assert_eq!(added["journeys"], json!(["offer-later", "offer-no-reply"]));
    assert_eq!(added["templates"].as_array().unwrap().len(), 8, "{added}");
    // A draft with its words in Russian; nothing of it runs.
    let journey = call(&server, "GET", "journeys/offer-no-reply", &Value::Null).json();
    assert_eq!(journey["status"], "draft", "{journey}");
    let text = journey["draft"]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("name: Предложение без ответа"), "{text}");
    assert!(text.contains("Позвонить: {{ contact.name"), "{text}");
    let letter = call(&server, "GET", "templates/offer-reminder-3", &Value::Null).json();
    assert_eq!(letter["languages"], json!(["en", "ru"]), "{letter}");
    assert_eq!(item(&server, "offer-no-reply")["state"], "used");

    // The second time it is there already, and said so.
    let again = call(
        &server,
        "POST",
        "library/offer-no-reply",
        &json!({ "languages": ["ru"] }),
    );
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["code"], "exists");
    assert_eq!(
        again.json()["journeys"],
        json!(["offer-later", "offer-no-reply"])
    );
    assert_eq!(again.json()["templates"], json!([]));

    // What was changed here stays; a third language may come beside it.
    let draft = call(
        &server,
        "PUT",
        "journeys/offer-no-reply/draft",
        &json!(format!("{text}# ours\n")),
    );
    assert_eq!(draft.status, 200);
    assert_eq!(item(&server, "offer-no-reply")["state"], "changed");
    let more = json!({ "languages": ["ja"], "keep": true });
    let more = call(&server, "POST", "library/offer-no-reply", &more).json();
    assert_eq!(more["templates"].as_array().unwrap().len(), 4, "{more}");
    let kept = more["kept"].as_array().unwrap();
    assert!(kept.contains(&json!("offer-no-reply")), "{more}");
    let kept = call(&server, "GET", "journeys/offer-no-reply", &Value::Null).json();
    assert!(
        kept["draft"]["text"]
            .as_str()
            .unwrap()
            .ends_with("# ours\n")
    );

    // The drafts can be published as they are, two at once.
    let two = call(
        &server,
        "POST",
        "library/catalogue-requested",
        &json!({ "languages": ["en"] }),
    )
    .json();
    assert_eq!(
        two["journeys"],
        json!(["catalogue-follow-up", "catalogue-requested"]),
        "{two}"
    );
    let mut journeys = serde_json::Map::new();
    for id in ["catalogue-requested", "catalogue-follow-up"] {
        let draft = call(&server, "GET", &format!("journeys/{id}"), &Value::Null).json();
        journeys.insert(format!("{id}.yaml"), draft["draft"]["text"].clone());
    }
    let applied = call(
        &server,
        "POST",
        "scenario",
        &json!({ "journeys": journeys }),
    )
    .json();
    assert_eq!(applied["warnings"], json!([]), "{applied}");
    assert_eq!(item(&server, "catalogue-requested")["state"], "used");
    // The audit names who took what.
    let audit = call(&server, "GET", "audit", &Value::Null).json();
    assert!(audit.to_string().contains("library.add"), "{audit}");
}

#[test]
fn what_the_library_does_not_have_is_refused() {
    let server = Server::start("");
    let ask = |path: &str, body: Value| {
        let answer = call(&server, "POST", path, &body);
        (answer.status, answer.json()["code"].clone())
    };
    assert_eq!(ask("library/pigeons", json!({})), (404, json!("not_found")));
    assert_eq!(
        ask("library/win-back", json!({ "languages": ["xx"] })),
        (422, json!("unknown_language"))
    );
    let wrong = call(
        &server,
        "POST",
        "library/win-back",
        &json!({ "language": "en" }),
    );
    assert!((400..500).contains(&wrong.status), "{}", wrong.status);
    assert_eq!(item(&server, "win-back")["state"], "not_used");
    // Without a language it is the workspace's.
    let added = call(&server, "POST", "library/win-back", &json!({})).json();
    assert_eq!(
        added["templates"],
        json!([
            "win-back-1.en.txt",
            "win-back-2.en.txt",
            "win-back-3.en.txt"
        ])
    );
}

#[test]
fn the_command_line_writes_one_as_a_folder() {
    let relance = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_relance"))
            .args(arguments)
            .output();
        output.expect("runs")
    };
    let list = relance(&["journey", "library", "--json"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 7);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let written = relance(&[
        "journey",
        "library",
        "invoice-unpaid",
        "--to",
        to,
        "--language",
        "ja",
    ]);
    assert!(written.status.success(), "{written:?}");
    let journey =
        std::fs::read_to_string(folder.path().join("journeys/invoice-unpaid.yaml")).unwrap();
    assert!(journey.contains("name: 未入金の請求書"), "{journey}");
    let checked = relance(&["journey", "check", to]);
    assert!(checked.status.success(), "{checked:?}");
    let text = String::from_utf8(checked.stderr).unwrap();
    assert!(
        text.contains("2 journeys, 0 segments, 5 templates"),
        "{text}"
    );
    let unknown = relance(&["journey", "library", "pigeons", "--to", to]);
    assert_eq!(unknown.status.code(), Some(2));
}
