//! Membership follows what happens, at once, and time; journeys hear of it.

use serde_json::json;

use crate::journeys::{done, identify, line, lines, track};
use crate::server::{Server, until};

use super::{apply, of, one, ready, segment};

const BUYERS: &str = "format: segment/1
id: buyers
name: Buyers
when: { did: Order Completed }
";
const THANKS: &str = "format: journey/1
id: thanks
trigger: { segment_entered: buyers }
steps:
  - { send: email, template: thanks }
";
const THANKS_EN: &str = "---\nsubject: Thanks\n---\nThank you, {{ contact.name }}\n";

/// Looked at in the last seconds.
const WARM: &str = "format: segment/1
id: warm
when: { did: Product Viewed, within: 3s }
";
const COOLED: &str = "format: journey/1
id: cooled
trigger: { segment_left: warm }
steps:
  - set: { cooled: true }
";

#[test]
fn an_event_lets_a_contact_in_at_once_and_its_journey_sends() {
    let mut server = Server::start("");
    let files = [
        ("segments/buyers.yaml", BUYERS),
        ("journeys/thanks.yaml", THANKS),
        ("templates/thanks.en.txt", THANKS_EN),
    ];
    let applied = apply(&server, &files, &[]);
    assert_eq!(applied["segments"]["buyers"]["what"], "new", "{applied}");
    assert_eq!(applied["published"], json!({ "thanks": 1 }));
    assert_eq!(applied["warnings"], json!([]));
    ready(&server, "buyers", 0);

    identify(&server, "ana", &json!({}));
    identify(&server, "bob", &json!({}));
    track(&server, "ana", "Order Completed");
    // Acknowledged is committed: who asks now is told.
    assert_eq!(of(&server, "ana"), ["buyers"]);
    assert!(of(&server, "bob").is_empty());
    assert_eq!(one(&server, "buyers")["members"], 1);
    assert_eq!(
        one(&server, "buyers")["used_by"]["journeys"],
        json!(["thanks"])
    );
    let mail = server.sink.wait_for("ana@client.test");
    assert!(mail.mail().text.contains("Thank you, ana"));
    // A second order changes nothing.
    track(&server, "ana", "Order Completed");
    line(&server, "ana", "thanks", "finished");
    assert_eq!(lines(&server, "ana", "thanks", "enrolled").len(), 1);

    let members = server.api("segments/buyers/members");
    assert_eq!(members["items"][0]["traits"]["name"], "ana", "{members}");
    assert_eq!(members["next"], json!(null));
    let why = done(&segment(&server, &["why", "buyers", "ana@client.test"]));
    assert!(why.contains("is a member of buyers"), "{why}");
    assert!(why.contains("yes did Order Completed"), "{why}");
    let why = done(&segment(&server, &["why", "buyers", "bob"]));
    assert!(
        why.contains("is no member") && why.contains("no  did Order Completed"),
        "{why}"
    );

    // It is kept over a kill.
    server.kill();
    server.start_again();
    assert_eq!(of(&server, "ana"), ["buyers"]);
    track(&server, "bob", "Order Completed");
    server.sink.wait_for("bob@client.test");
}

#[test]
fn time_alone_lets_a_contact_leave_and_a_journey_hears_of_it() {
    let server = Server::start("");
    let files = [
        ("segments/warm.yaml", WARM),
        ("journeys/cooled.yaml", COOLED),
    ];
    apply(&server, &files, &[]);
    identify(&server, "ana", &json!({}));
    track(&server, "ana", "Product Viewed");
    assert_eq!(of(&server, "ana"), ["warm"]);
    let why = done(&segment(&server, &["why", "warm", "ana", "--json"]));
    let why: serde_json::Value = serde_json::from_str(&why).expect("JSON");
    assert_eq!(why["because"]["what"], "did", "{why}");
    assert!(why["because"]["until"].is_string(), "{why}");
    // Further activity keeps it warm.
    std::thread::sleep(std::time::Duration::from_secs(2));
    track(&server, "ana", "Product Viewed");
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(of(&server, "ana"), ["warm"]);
    until("ana to leave", || {
        of(&server, "ana").is_empty().then_some(())
    });
    ready(&server, "warm", 0);
    line(&server, "ana", "cooled", "finished");
    let ana = server.contact("ana").expect("the contact");
    assert_eq!(ana["traits"]["cooled"], true);
}

const GRADES: &str = "format: grades/1
id: grade
name: Grade
ways:
  - { if: { revenue: { gte: 1000 } }, is: A }
  - { if: { revenue: { gte: 100 } }, is: B }
  - else: D
";
const PROMOTED: &str = "format: journey/1
id: promoted
trigger: { changed: grade, to: A }
steps:
  - task: Call {{ contact.name }}
";

#[test]
fn grades_set_a_trait_and_a_journey_hears_of_the_change() {
    let server = Server::start("");
    let files = [
        ("segments/grades.yaml", GRADES),
        ("journeys/promoted.yaml", PROMOTED),
    ];
    let applied = apply(&server, &files, &[]);
    for id in ["grade-a", "grade-b", "grade-d"] {
        assert_eq!(applied["segments"][id]["what"], "new", "{applied}");
    }
    identify(&server, "ana", &json!({ "revenue": 50 }));
    assert_eq!(of(&server, "ana"), ["grade-d"]);
    identify(&server, "ana", &json!({ "revenue": 500 }));
    assert_eq!(of(&server, "ana"), ["grade-b"]);
    let grade = |user: &str| server.contact(user).expect("the contact")["traits"]["grade"].clone();
    assert_eq!(grade("ana"), "B");
    identify(&server, "ana", &json!({ "revenue": 5_000 }));
    assert_eq!(
        (of(&server, "ana"), grade("ana")),
        (vec!["grade-a".to_owned()], json!("A"))
    );
    line(&server, "ana", "promoted", "task");
    // The text is one file of what is in force.
    let files = server.api("scenario");
    let segments = files["segments"].as_object().expect("segments");
    let texts: Vec<&str> = segments.values().filter_map(|text| text.as_str()).collect();
    assert_eq!(texts, [GRADES]);
    let shown = one(&server, "grade-a");
    assert_eq!(
        (&shown["name"], &shown["sets"]),
        (&json!("Grade A"), &json!({ "grade": "A" }))
    );
}
