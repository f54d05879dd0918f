//! A draft over what really happened, beside the version in force; nothing is sent and nothing written.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::server::{Server, path_text, relance};

use super::{done, folder, identify, put, refused, through};

const CART: &str = "format: journey/1
id: cart
trigger: { event: Cart Viewed }
reentry: always
exit: [{ event: Order Completed }]
steps:
  - wait: 1h
  - { send: email, template: cart }
  - task: Call
";
const TEMPLATE: &str =
    "---\nsubject: Your cart\n---\nIt waits.\n<a href=\"{{ links.unsubscribe }}\">No more</a>\n";

fn ago(days: i64, minutes: i64) -> String {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * days)
        + SignedDuration::from_mins(minutes);
    at.to_string()
}

fn happened(server: &Server, user: &str, event: &str, at: &str) {
    let call = json!({ "userId": user, "event": event, "timestamp": at });
    server.told("track", &call);
}

/// Six people with a cart eight days ago. Two of them order half an hour later; one has no address; one
/// unsubscribes, and has a cart again. What was twelve days ago is not looked at.
fn history(server: &Server) {
    for n in 0..5 {
        identify(server, &format!("u{n}"), &json!({}));
    }
    server.told(
        "identify",
        &json!({ "userId": "u5", "traits": { "name": "u5" } }),
    );
    happened(server, "u0", "Cart Viewed", &ago(12, 0));
    for n in 0..6 {
        happened(server, &format!("u{n}"), "Cart Viewed", &ago(8, n));
    }
    for n in 0..2 {
        happened(server, &format!("u{n}"), "Order Completed", &ago(8, 30 + n));
    }
    happened(server, "u4", "Unsubscribed", &ago(5, 0));
    happened(server, "u4", "Cart Viewed", &ago(4, 0));
    // What happens to others all the time.
    happened(server, "u7", "Page Viewed", &ago(3, 0));
}

fn backtest(data: &Path, words: &[&str]) -> std::process::Output {
    let own = ["journey", "backtest", "cart", "--data", path_text(data)];
    relance(&[&own, words].concat())
}

/// Every file of the data folder but what readers share.
fn bytes(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(data).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        if !name.ends_with("-shm") && !name.ends_with("-wal") {
            files.insert(name, std::fs::read(entry.path()).expect("a file"));
        }
    }
    files
}

#[test]
fn the_counts_are_those_that_can_be_told_by_hand() {
    let mut server = Server::start("");
    history(&server);
    let scenario = folder(&[("cart.yaml", CART), ("templates/cart.en.html", TEMPLATE)]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    let draft = put(
        scenario.path(),
        "draft.yaml",
        &CART.replace("wait: 1h", "wait: 10m"),
    );
    let data = server.data.path().to_owned();
    let ledger = server.ledger("u0");
    let words = ["--since", "10d", "--file", path_text(&draft), "--json"];
    // While the server runs, and on the same folder without one.
    let beside = done(&backtest(&data, &words));
    assert!(server.stop());
    let before = bytes(&data);
    let alone = done(&backtest(&data, &words));
    let told: Value = serde_json::from_str(&alone).expect("one JSON object");
    let beside: Value = serde_json::from_str(&beside).expect("one JSON object");
    for column in ["candidate", "current"] {
        assert_eq!(told[column]["messages"], beside[column]["messages"]);
    }

    let current = &told["current"];
    let candidate = &told["candidate"];
    for column in [current, candidate] {
        // Eleven of them, and six calls that tell who somebody is.
        assert_eq!(
            (&column["contacts"], &column["events"]),
            (&json!(7), &json!(17)),
            "{told:#}"
        );
        assert_eq!(
            (&column["enrolled"], &column["held_out"]),
            (&json!(7), &json!(0)),
            "{told:#}"
        );
        assert_eq!(column["not_enrolled"], json!({}));
        assert_eq!(
            (&column["held"], &column["asked_for_approval"]),
            (&json!({}), &json!(0))
        );
        assert_eq!(
            column["not_sent"],
            json!({ "no_address": 1, "no_consent": 1 }),
            "{told:#}"
        );
    }
    // In force: two orders come before the hour is over. The draft is quicker than they are.
    assert_eq!(
        (&current["messages"], &candidate["messages"]),
        (&json!(3), &json!(5)),
        "{told:#}"
    );
    assert_eq!(
        (&current["exited"], &candidate["exited"]),
        (&json!({ "exit_event": 2 }), &json!({}))
    );
    assert_eq!(
        (&current["finished"], &candidate["finished"]),
        (&json!(5), &json!(7))
    );
    assert_eq!(
        (&current["tasks"], &candidate["tasks"]),
        (&json!(5), &json!(7))
    );
    assert_eq!(candidate["messages_by_template"], json!({ "cart": 5 }));
    let days = candidate["messages_by_day"].as_array().expect("a list");
    let total: u64 = days.iter().filter_map(|day| day["messages"].as_u64()).sum();
    assert_eq!(total, 5);
    let hit = candidate["contacts_hit_most"].as_array().expect("a list");
    assert_eq!(hit.len(), 5);
    assert!(
        hit.iter()
            .all(|one| one["messages"] == 1 && one["contact"].is_string())
    );

    // As people read it; the version in force alone has no column beside it.
    let text = done(&backtest(&data, &words[..4]));
    assert!(
        text.contains("this text") && text.contains("in force"),
        "{text}"
    );
    let row = |name: &str, text: &str| -> Vec<String> {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {text}"));
        line[name.len()..]
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(row("messages ", &text), ["5", "3"]);
    assert_eq!(row("exited: exit_event", &text), ["0", "2"]);
    let alone = done(&backtest(&data, &["--since", "10d"]));
    assert!(!alone.contains("in force"), "{alone}");
    assert_eq!(row("messages ", &alone), ["3"]);
    // Further back there is one cart more.
    let longer: Value =
        serde_json::from_str(&done(&backtest(&data, &["--since", &ago(13, 0), "--json"])))
            .expect("JSON");
    assert_eq!(
        (&longer["candidate"]["enrolled"], &longer["current"]),
        (&json!(8), &Value::Null)
    );

    // Byte for byte as it was, and nobody got anything.
    let after = bytes(&data);
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (name, own) in &before {
        assert!(*own == after[name], "{name} changed");
    }
    assert!(server.sink.taken().is_empty());
    server.start_again();
    assert_eq!(server.ledger("u0"), ledger);
    assert_eq!(server.api("status")["quiet"], Value::Null);
}

#[test]
fn a_backtest_that_cannot_be_made_says_why() {
    let server = Server::start("");
    let scenario = folder(&[("cart.yaml", CART)]);
    done(&through(&server, &["apply", path_text(scenario.path())]));
    let wrong = put(
        scenario.path(),
        "wrong.yaml",
        &CART.replace("1h", "1 fortnight"),
    );
    let other = put(
        scenario.path(),
        "other.yaml",
        &CART.replace("id: cart", "id: other"),
    );
    let data = server.data.path();
    for (words, code, hint) in [
        (&["--since", "soon"][..], 2, "--since"),
        (&["--since", "2999-01-01T00:00:00Z"], 2, "not in the past"),
        (&["--file", "/nowhere.yaml"], 2, "/nowhere.yaml"),
        (&["--file", path_text(&wrong)], 1, "line 7: steps[0].wait"),
        (
            &["--file", path_text(&other)],
            2,
            "the journey other, not cart",
        ),
    ] {
        let said = refused(&backtest(data, words), code);
        assert!(said.contains(hint), "{words:?}: {said}");
    }
    let unknown = relance(&["journey", "backtest", "nothing", "--data", path_text(data)]);
    let said = refused(&unknown, 2);
    assert!(
        said.contains("no journey nothing in force; give --file"),
        "{said}"
    );
    // Over an empty history it is a page of zeros.
    let text = done(&backtest(data, &[]));
    assert!(
        text.lines()
            .any(|line| line.starts_with("events") && line.ends_with(" 0")),
        "{text}"
    );
}
