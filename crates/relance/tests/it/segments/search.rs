//! Contacts by any of their identities.

use serde_json::{Value, json};

use crate::journeys::{ask, identify, problem};
use crate::server::Server;

#[test]
fn contacts_are_found_by_the_beginning_of_an_identity() {
    let server = Server::start("");
    identify(&server, "ana-1", &json!({ "phone": "+79121234567" }));
    identify(&server, "anatol", &json!({}));
    server.told(
        "track",
        &json!({ "anonymousId": "ana-device", "event": "Page Opened" }),
    );
    let found = |query: &str| -> Vec<Value> {
        let told = server.api(&format!("contacts?search={query}"));
        told["items"].as_array().expect("items").clone()
    };
    let by = |query: &str| -> Vec<String> {
        let items = found(query).into_iter();
        items.map(|one| one["found_by"].to_string()).collect()
    };
    assert_eq!(
        by("ana"),
        [
            r#"{"user_id":"ana-1"}"#,
            r#"{"user_id":"anatol"}"#,
            r#"{"anonymous_id":"ana-device"}"#
        ]
    );
    assert_eq!(by("ANATOL@"), [r#"{"email":"anatol@client.test"}"#]);
    assert_eq!(
        by("%2B7%20912%20123-45-67"),
        [r#"{"phone":"+79121234567"}"#]
    );
    let id = found("anatol")[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(found(&id)[0]["id"], *id);
    assert!(found("nobody").is_empty() && found("con_99999").is_empty());
    let first = server.api("contacts?search=ana&limit=1");
    let next = first["next"].as_str().expect("there are more");
    let second = server.api(&format!("contacts?search=ana&limit=1&cursor={next}"));
    assert_eq!(
        second["items"][0]["found_by"],
        json!({ "user_id": "anatol" })
    );
    // What has no directory is said.
    assert!(
        first["not_searched"][0]
            .as_str()
            .is_some_and(|text| text.contains("name"))
    );
    for query in ["", "%20", &"a".repeat(300)] {
        let answer = ask(&server, "GET", &format!("contacts?search={query}"), b"");
        assert_eq!(problem(&answer).1, "bad_search", "{query}");
    }
}
