//! Recency, frequency and money: bounds are told from everybody's orders, and segments follow them.

use serde_json::json;

use crate::journeys::{done, identify};
use crate::server::{Server, until};

use super::{apply, of, ready, segment};

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
