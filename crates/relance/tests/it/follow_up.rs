//! Documents that were there before their journey: followed up when a person says so, and only those that wait. And
//! what the client answered about one.

use serde_json::{Value, json};

use crate::journeys::{done, folder, identify, post, through, told};
use crate::server::{Server, path_text};

const UNPAID: &str = "format: journey/1
id: unpaid
name: Invoice without payment
subject: document
trigger: { event: Document Sent, where: { subject.kind: invoice } }
exit:
  - { event: Document Paid }
steps:
  - task: { title: \"Call about {{ subject.number }}\", due: 1d }
";
const WELCOME: &str = "format: journey/1
id: welcome
trigger: { event: Signed Up }
steps:
  - task: { title: \"Say hello\", due: 1d }
";

/// An invoice of three weeks ago.
fn sent(server: &Server, user: &str, id: &str, kind: &str, status: &str) {
    server.told(
        "track",
        &json!({ "userId": user, "event": "Document Sent", "timestamp": three_weeks_ago(),
            "properties": { "document": { "id": id, "kind": kind, "status": status, "number": id } } }),
    );
}

fn three_weeks_ago() -> String {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(21 * 24);
    then.to_string()
}

/// What became of documents of a contact, in their order: `begun`, or why not.
fn follow_up(server: &Server, journey: &str, contact: &str, documents: &[&str]) -> Vec<String> {
    let named: Vec<Value> = documents
        .iter()
        .map(|id| json!({ "contact": contact, "document": id }))
        .collect();
    let body = json!({ "journey": journey, "documents": named });
    let answer = told(server, "documents/follow-up", &body);
    let items = answer["items"].as_array().expect("items").iter();
    let outcome = |one: &Value| match one["begun"].as_bool() {
        Some(true) => "begun".to_owned(),
        _not => one["reason"].as_str().expect("a reason").to_owned(),
    };
    items.map(outcome).collect()
}

#[test]
fn what_was_sent_before_the_journey_is_followed_up_when_a_person_says_so() {
    let server = Server::start("");
    identify(
        &server,
        "ana",
        &json!({ "name": "Ana", "owner": "eve@firm.test" }),
    );
    for (id, kind, status) in [
        ("d1", "invoice", "sent"),
        ("d2", "invoice", "paid"),
        ("d3", "offer", "sent"),
        ("d4", "invoice", "sent"),
    ] {
        sent(&server, "ana", id, kind, status);
    }
    assert_eq!(server.api("documents/follow-up")["items"], json!([]));
    let files = folder(&[("unpaid.yaml", UNPAID), ("welcome.yaml", WELCOME)]);
    done(&through(&server, &["apply", path_text(files.path())]));
    assert_eq!(
        server.api("documents/follow-up")["items"],
        json!([{ "id": "unpaid", "name": "Invoice without payment" }]),
        "only what is about documents"
    );

    let contact = server.api("documents?search=d1")["items"][0]["contact"]
        .as_str()
        .expect("whose")
        .to_owned();
    assert_eq!(
        follow_up(
            &server,
            "unpaid",
            &contact,
            &["d1", "d2", "d3", "d4", "d9", "d1"]
        ),
        [
            "begun",
            "settled",
            "where_false",
            "begun",
            "no_document",
            "reentry"
        ]
    );
    let tasks = server.api("tasks?state=open");
    let mut titles: Vec<&str> = tasks["items"]
        .as_array()
        .expect("tasks")
        .iter()
        .map(|task| task["title"].as_str().expect("a title"))
        .collect();
    titles.sort_unstable();
    assert_eq!(titles, ["Call about d1", "Call about d4"]);
    let last = server.api("audit?limit=1");
    assert_eq!(last["items"][0]["action"], "documents.follow_up", "{last}");

    let of = |journey: &str| json!({ "journey": journey, "documents": [] });
    let no_such = post(&server, "documents/follow-up", &of("welcome"));
    assert_eq!(no_such.status, 404, "{}", no_such.text());
    let many: Vec<Value> = (0..201)
        .map(|_| json!({ "contact": contact, "document": "d1" }))
        .collect();
    let too_many = json!({ "journey": "unpaid", "documents": many });
    assert_eq!(post(&server, "documents/follow-up", &too_many).status, 413);
}

#[test]
fn a_document_tells_what_the_client_answered_about_it() {
    let server = Server::start("");
    identify(&server, "ana", &json!({}));
    sent(&server, "ana", "d1", "offer", "sent");
    let answers = |event: &str, document: &str, more: Value| {
        let mut properties = json!({ "document": { "id": document }, "from": "ana@client.test" });
        for (name, value) in more.as_object().into_iter().flatten() {
            properties[name] = value.clone();
        }
        let body = json!({ "userId": "ana", "event": event, "properties": properties });
        server.told("track", &body);
    };
    answers("Auto Replied", "d1", json!({ "returns": "2026-12-01" }));
    answers("Replied", "d2", json!({ "text": "about another one" }));
    let later = json!({ "text": "not yet", "intent": "later", "intent_date": "2026-12-06" });
    answers("Replied", "d1", later);
    let contact = server.api("documents?search=d1")["items"][0]["contact"].clone();
    let contact = contact.as_str().expect("whose");
    let told = server.api(&format!("contacts/{contact}/documents/d1"));
    let replies = told["replies"].as_array().expect("replies");
    let facts = |reply: &Value| {
        let of = |name: &str| reply[name].as_str().unwrap_or("-").to_owned();
        let automatic = reply["automatic"] == true;
        (automatic, of("text"), of("intent"), of("date"))
    };
    let text = |text: &str| text.to_owned();
    assert_eq!(
        replies.iter().map(facts).collect::<Vec<_>>(),
        [
            (false, text("not yet"), text("later"), text("2026-12-06")),
            (true, text("-"), text("-"), text("2026-12-01")),
        ]
    );
    assert_eq!(replies[0]["from"], "ana@client.test");
}
