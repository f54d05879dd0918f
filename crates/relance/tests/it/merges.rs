//! Two contacts that turned out to be one: their pages show one past, whoever lived it.

use serde_json::{Value, json};

use crate::server::{Answer, Server, until};

const JOURNEY: &str = "
format: journey/1
id: ping
name: Ping
trigger: { event: Ping }
reentry: always
steps:
  - task: { title: \"Call {{ contact.name }}\" }
  - send: email
    template: ping
";
const TEMPLATE: &str = "---\nsubject: Ping\n---\nHello\n";

fn manage(server: &Server, path: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", server.api_token);
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "application/json"),
    ];
    let path = format!("/api/v1/{path}");
    server.request("POST", &path, &headers, body.to_string().as_bytes())
}

fn items(server: &Server, path: &str) -> Vec<Value> {
    let told = server.api(path);
    told["items"].as_array().expect("items").clone()
}

/// All items of a list that is read one a page.
fn one_by_one(server: &Server, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.api(&format!("{path}?limit=1&cursor={cursor}"));
        all.extend(page["items"].as_array().expect("items").clone());
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return all,
        }
    }
}

#[test]
fn the_survivors_pages_show_the_past_of_both() {
    let server = Server::start("");
    server.apply_files(&[("ping.yaml", JOURNEY), ("ping.en.txt", TEMPLATE)]);
    let ids = ["ana", "bob"].map(|user| {
        let email = format!("{user}@client.test");
        let traits = json!({ "email": email, "name": user });
        server.told("identify", &json!({ "userId": user, "traits": traits }));
        server.told("track", &json!({ "userId": user, "event": "Ping" }));
        server.sink.wait_for(&email);
        until("the end of the run", || {
            let lines = server.ledger(user);
            lines
                .iter()
                .any(|line| line["what"] == "finished")
                .then_some(())
        });
        let contact = server.contact(user).expect("a contact");
        contact["id"].as_str().expect("an id").to_owned()
    });
    let [ana, bob] = &ids;
    let merged = manage(
        &server,
        &format!("contacts/{bob}/merge"),
        &json!({ "absorb": ana }),
    );
    assert_eq!(merged.status, 200, "{merged:?}");

    for list in ["touchpoints", "tasks", "enrollments"] {
        let path = format!("contacts/{bob}/{list}");
        let all = items(&server, &path);
        assert_eq!(all.len(), 2, "{list}: {all:#?}");
        assert_eq!(one_by_one(&server, &path), all, "{list}");
        // Of whom was absorbed, what was lived before.
        assert_eq!(items(&server, &format!("contacts/{ana}/{list}")).len(), 1);
    }
    let wrong = server.request(
        "GET",
        &format!("/api/v1/contacts/{ana}/tasks?cursor=999999:1"),
        &[("Authorization", &format!("Bearer {}", server.api_token))],
        b"",
    );
    assert_eq!(wrong.status, 400, "a place in nobody's list");

    let sent = |lines: &[Value]| lines.iter().filter(|line| line["what"] == "sent").count();
    assert_eq!(sent(&items(&server, &format!("contacts/{bob}/ledger"))), 2);
    assert_eq!(
        sent(&one_by_one(&server, &format!("contacts/{bob}/ledger"))),
        2
    );

    let told = server.api(&format!("contacts/{bob}/explain?journey=ping"));
    let runs = told["standing"]["runs"].as_array().expect("runs");
    let states: Vec<&Value> = runs.iter().map(|run| &run["place"]).collect();
    assert_eq!(runs.len(), 2, "{states:?}");
    assert_eq!(
        sent(told["lines"].as_array().expect("lines")),
        2,
        "{told:#}"
    );

    let undone = manage(&server, &format!("contacts/{ana}/unmerge"), &json!({}));
    assert_eq!(undone.status, 200, "{undone:?}");
    assert_eq!(items(&server, &format!("contacts/{bob}/tasks")).len(), 1);
    assert_eq!(server.contact("ana").expect("again")["id"], ana.as_str());
}
