//! Recency, frequency and money: bounds are told from everybody's orders, and segments follow them.

use serde_json::json;

use crate::journeys::{done, identify, refused};
use crate::server::{Server, until};

use super::{apply, inside, of, ready, segment};

const BEST: &str = "format: segment/1\nid: best\nwhen: { rfm: { frequency: 5, monetary: 5 } }\n";

#[test]
fn scores_follow_bounds_that_are_told_from_all_orders() {
    let mut server = Server::start("");
    apply(&server, &[("segments/best.yaml", BEST)], &[]);
    ready(&server, "best", 0);
    let told = done(&segment(&server, &["rfm", "--now"]));
    assert!(told.contains("no bounds"), "{told}");
    // The n-th buys n times, for n each.
    for n in 1..=10 {
        let user = format!("b{n}");
        identify(&server, &user, &json!({}));
        for _ in 0..n {
            let order =
                json!({ "userId": user, "event": "Order Completed", "properties": { "total": n } });
            server.told("track", &order);
        }
    }
    identify(&server, "never", &json!({}));
    assert!(
        of(&server, "b10").is_empty(),
        "without bounds nobody has scores"
    );
    let told = done(&segment(&server, &["rfm", "--now", "--json"]));
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["customers"], 10, "{told}");
    let edges = told["bounds"]["orders"].as_array().expect("edges");
    assert_eq!(edges.len(), 4, "{told}");
    ready(&server, "best", 2);
    for user in ["b9", "b10"] {
        assert_eq!(of(&server, user), ["best"]);
    }
    let why = done(&segment(&server, &["why", "best", "b10"]));
    assert!(why.contains("\"frequency\":5"), "{why}");
    let why = done(&segment(&server, &["why", "best", "never"]));
    assert!(why.contains("no order is known"), "{why}");
    // Bounds are kept, and scores follow orders at once.
    server.kill();
    server.start_again();
    for _ in 0..20 {
        let order =
            json!({ "userId": "b1", "event": "Order Completed", "properties": { "total": 50 } });
        server.told("track", &order);
    }
    until("b1 to come in", || {
        (of(&server, "b1") == ["best"]).then_some(())
    });
    let shown = done(&segment(&server, &["rfm"]));
    assert!(shown.contains("of 10 customers"), "{shown}");
}

/// What an order is, the workspace says; where it says something else, who belongs is told anew.
#[test]
fn an_order_is_what_the_configuration_says() {
    let mut server = Server::start("[rfm]\nevent = \"Invoice Paid\"\namount = \"sum\"\n");
    apply(&server, &[("segments/best.yaml", BEST)], &[]);
    for n in 1..=10 {
        let user = format!("b{n}");
        identify(&server, &user, &json!({}));
        for _ in 0..n {
            let properties = json!({ "sum": n, "total": 100 - n });
            let paid = json!({ "userId": user, "event": "Invoice Paid", "properties": properties });
            server.told("track", &paid);
            // In the opposite order, by the usual names.
            let properties = json!({ "total": 100 });
            let user = format!("b{}", 11 - n);
            let order =
                json!({ "userId": user, "event": "Order Completed", "properties": properties });
            server.told("track", &order);
        }
    }
    let told = done(&segment(&server, &["rfm", "--now", "--json"]));
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        told["order"],
        json!({ "event": "Invoice Paid", "amount": ["sum"] })
    );
    assert_eq!(told["bounds"]["money"][3], 64.0, "{told}");
    ready(&server, "best", 2);
    assert_eq!(of(&server, "b10"), ["best"]);
    assert!(server.stop());

    let file = server.data.path().join("relance.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    let wrong = text.replace("amount = \"sum\"", "amount = []");
    std::fs::write(&file, wrong).expect("written");
    let told = refused(&inside(server.data.path(), &["rfm"]), 1);
    assert!(told.contains("rfm.amount"), "{told}");
    let usual = text
        .replace("event = \"Invoice Paid\"", "")
        .replace("amount = \"sum\"", "");
    std::fs::write(&file, usual).expect("written");
    server.start_again();
    until("who orders by the usual name is best", || {
        (of(&server, "b1") == ["best"] && of(&server, "b10").is_empty()).then_some(())
    });
}
