//! Lists that people and programs keep.

use serde_json::json;

use crate::journeys::{ask, done, identify, line, post, refused, told};
use crate::server::Server;

use super::{apply, inside, of, one, put, ready, segment};

const LIST: &str = "format: segment/1\nid: trial-group\nname: Trial group\nlisted: true\n";
const JOURNEY: &str = "format: journey/1
id: welcome-in
trigger: { segment_entered: trial-group }
steps:
  - set: { welcomed: true }
";

#[test]
fn contacts_are_put_into_a_list_and_taken_out() {
    let server = Server::start("");
    apply(
        &server,
        &[("segments/list.yaml", LIST), ("j.yaml", JOURNEY)],
        &[],
    );
    for user in ["ana", "bob", "eve"] {
        identify(&server, user, &json!({}));
    }
    let bob = server.contact("bob").expect("the contact")["id"].clone();
    let body = json!({ "contacts": ["ana@client.test", bob, "nobody"] });
    let answer = told(&server, "segments/trial-group/members", &body);
    assert_eq!(
        answer,
        json!({ "id": "trial-group", "added": 2, "unknown": ["nobody"] })
    );
    ready(&server, "trial-group", 2);
    line(&server, "ana", "welcome-in", "finished");
    assert_eq!(of(&server, "bob"), ["trial-group"]);
    let told = refused(
        &segment(&server, &["add", "trial-group", "eve", "mallory"]),
        1,
    );
    assert!(
        told.contains("1 put in") && told.contains("there is no contact mallory"),
        "{told}"
    );
    ready(&server, "trial-group", 3);
    let shown = done(&segment(
        &server,
        &["members", "trial-group", "--limit", "2"],
    ));
    assert_eq!(shown.lines().count(), 2, "{shown}");
    let page = done(&segment(
        &server,
        &["members", "trial-group", "--limit", "2", "--json"],
    ));
    let page: serde_json::Value = serde_json::from_str(&page).expect("JSON");
    let next = page["next"].as_str().expect("there are more");
    let rest = done(&segment(
        &server,
        &["members", "trial-group", "--after", next],
    ));
    assert!(
        rest.contains("eve@client.test") && rest.lines().count() == 1,
        "{rest}"
    );

    done(&segment(&server, &["remove", "trial-group", "ana"]));
    let answer = ask(
        &server,
        "DELETE",
        "segments/trial-group/members",
        json!({ "contacts": ["bob"] }).to_string().as_bytes(),
    );
    assert_eq!(answer.json()["removed"], 1, "{}", answer.text());
    ready(&server, "trial-group", 1);
    assert!(of(&server, "ana").is_empty());
    let why = done(&segment(&server, &["why", "trial-group", "eve"]));
    assert!(
        why.contains("is a member of trial-group") && why.contains("yes list"),
        "{why}"
    );
    let answer = post(
        &server,
        "segments/no-list/members",
        &json!({ "contacts": ["ana"] }),
    );
    assert_eq!(answer.status, 404);
    let told = refused(
        &inside(server.data.path(), &["add", "trial-group", "ana"]),
        2,
    );
    assert!(told.contains("--server"), "{told}");
}

#[test]
fn a_list_is_kept_where_no_server_runs() {
    let mut server = Server::start("");
    let scored = "format: segment/1\nid: pro\nwhen: { plan: pro }\n";
    apply(
        &server,
        &[
            ("segments/list.yaml", LIST),
            ("segments/pro.yaml", scored),
            ("j.yaml", JOURNEY),
        ],
        &[],
    );
    for user in ["ana", "bob"] {
        identify(&server, user, &json!({}));
    }
    assert!(server.stop());
    let data = server.data.path().to_owned();
    let put = |words: &[&str]| inside(&data, words);
    done(&put(&["add", "trial-group", "ana@client.test", "bob"]));
    done(&put(&["add", "trial-group", "ana", "ana@client.test"]));
    done(&put(&["remove", "trial-group", "bob"]));
    let told = refused(&put(&["add", "trial-group", "mallory"]), 1);
    assert!(told.contains("there is no contact mallory"), "{told}");
    let told = refused(&put(&["add", "pro", "ana"]), 1);
    assert!(told.contains("is told by a condition"), "{told}");
    let told = refused(&put(&["add", "trial-grup", "ana"]), 1);
    assert!(told.contains("did you mean trial-group?"), "{told}");
    let shown = done(&put(&["members", "trial-group"]));
    assert!(
        shown.contains("ana@client.test") && shown.lines().count() == 1,
        "{shown}"
    );
    server.start_again();
    // The journey heard of it when it happened.
    line(&server, "ana", "welcome-in", "finished");
    line(&server, "bob", "welcome-in", "finished");
    assert_eq!(of(&server, "ana"), ["trial-group"]);
    assert!(of(&server, "bob").is_empty());
}

/// Definitions are tried at an address of the same form as that of a segment.
#[test]
fn a_segment_may_be_called_preview() {
    let server = Server::start("");
    identify(&server, "ana", &json!({ "plan": "pro" }));
    let text = "format: segment/1\nid: preview\nlisted: true\n";
    let answer = put(&server, "segments/preview", text);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let members = told(
        &server,
        "segments/preview/members",
        &json!({ "contacts": ["ana"] }),
    );
    assert_eq!(members["added"], 1);
    assert_eq!(one(&server, "preview")["members"], 1);
    let tried = super::preview(&server, "format: segment/1\nid: pro\nwhen: { plan: pro }\n");
    assert_eq!(tried["segments"][0]["members"]["count"], 1, "{tried}");
    let elsewhere = ask(&server, "POST", "segments/vip", text.as_bytes());
    assert_eq!(elsewhere.status, 405, "{}", elsewhere.text());
    let gone = ask(&server, "DELETE", "segments/preview", b"");
    assert_eq!(gone.json()["removed"], json!(["preview"]));
}
