//! Companies through the running server: one thing for all their contacts; and objects that name one another.

use serde_json::{Value, json};

use crate::segments::{apply, ready};
use crate::server::Server;

fn group(server: &Server, user: &str, traits: &Value) {
    let call = json!({ "userId": user, "groupId": "acme", "traits": traits });
    server.told("group", &call);
}

fn identify(server: &Server, user: &str) {
    let traits = json!({ "email": format!("{user}@client.test"), "name": user });
    server.told("identify", &json!({ "userId": user, "traits": traits }));
}

const RICH: &str = "format: segment/1
id: rich
when: { account.plan: pro }
";
const HELLO: &str = "format: journey/1
id: hello
trigger: { segment_entered: rich }
steps:
  - send: email
    template: hello
";
const HELLO_TEXT: &str =
    "---\nsubject: Hello\n---\nHello {{ contact.name }} of {{ contact.account.name }}\n";

#[test]
fn a_company_is_one_for_its_contacts() {
    let server = Server::start("");
    let files = [
        ("segments/rich.yaml", RICH),
        ("journeys/hello.yaml", HELLO),
        ("templates/hello.en.txt", HELLO_TEXT),
    ];
    apply(&server, &files, &[]);
    ready(&server, "rich", 0);
    for user in ["ana", "bob", "eve"] {
        identify(&server, user);
    }
    group(&server, "ana", &json!({ "name": "Acme", "plan": "free" }));
    group(&server, "bob", &json!({}));
    let of = |user: &str| server.contact(user).expect("a contact");
    assert_eq!(of("bob")["account"], "acme");
    assert_eq!(of("bob")["traits"]["account"]["name"], "Acme");
    assert_eq!(of("eve")["account"], Value::Null);

    group(&server, "ana", &json!({ "plan": "pro" }));
    assert_eq!(of("bob")["traits"]["account"]["plan"], "pro", "at once");
    let greeted = server.sink.wait_for("bob@client.test");
    assert!(
        greeted.mail().text.contains("Hello bob of Acme"),
        "{greeted:?}"
    );

    let account = server.api("accounts/acme");
    assert_eq!(account["traits"]["plan"], "pro");
    let people = account["contacts"]["items"].as_array().expect("a list");
    assert_eq!(people.len(), 2);
    for text in ["ac", "ACM", "acme"] {
        let found = server.api(&format!("accounts?search={text}"));
        assert_eq!(found["items"][0]["id"], "acme", "{text}");
    }
    assert_eq!(server.api("accounts?search=other")["items"], json!([]));
    assert_eq!(server.api("accounts")["items"][0]["traits"]["name"], "Acme");
    let token = format!("Bearer {}", server.api_token);
    let headers = [("Authorization", token.as_str())];
    let answer = server.request("GET", "/api/v1/accounts/nobody", &headers, b"");
    assert_eq!(answer.status, 404, "{}", answer.text());
    let listed = server.request("GET", "/api/v1/export/accounts", &headers, b"");
    assert!(listed.text().contains("acme"), "{}", listed.text());
}

const CLOSED: &str = "format: journey/1
id: closed
subject: document
trigger:
  event: Document Sent
  where: { subject.deal.stage: won }
steps:
  - send: email
    template: thanks
";
const THANKS: &str = "---\nsubject: Thanks\n---\n{{ subject.number }} of {{ subject.deal.title }} for {{ subject.deal.amount }}\n";

#[test]
fn a_document_names_its_deal() {
    let server = Server::start("");
    server.apply_files(&[("closed.yaml", CLOSED), ("thanks.txt", THANKS)]);
    identify(&server, "ana");
    let track = |event: &str, properties: Value| {
        let call = json!({ "userId": "ana", "event": event, "properties": properties });
        server.told("track", &call);
    };
    let deal = json!({ "id": "D-1", "stage": "won", "title": "Roof", "amount": 900 });
    track("Deal Won", json!({ "deal": deal }));
    let document =
        |id: &str, deal: &str| json!({ "document": { "id": id, "number": id, "deal_id": deal } });
    track("Document Sent", document("I-2", "D-2"));
    track("Document Sent", document("I-1", "D-1"));
    let mail = server.sink.wait_for("ana@client.test");
    assert!(mail.mail().text.contains("I-1 of Roof for 900"), "{mail:?}");
    assert_eq!(server.sink.to("ana@client.test").len(), 1);
    let documents = server.api("documents");
    assert_eq!(documents["items"][0]["relations"], json!({ "deal": "D-1" }));
}
