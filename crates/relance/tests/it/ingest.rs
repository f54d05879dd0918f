//! Ingestion by the Segment specification, through the running server.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::server::{Answer, BROWSER, Server, basic};

const REQUEST_BYTES_MAX: usize = 500 * 1024;

pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    server.request("POST", path, headers, body)
}

/// Types and names of a contact's events, the first first.
fn history(server: &Server, user: &str) -> Vec<String> {
    let mut events = server.events(user);
    events.reverse();
    let word = |event: &Value| match event["event"].as_str() {
        Some(name) => name.to_owned(),
        None => event["type"].as_str().expect("a type").to_owned(),
    };
    events.iter().map(word).collect()
}

#[test]
fn all_seven_calls_are_taken_and_found_again() {
    let server = Server::start("");
    server.told(
        "identify",
        &json!({ "userId": "u1", "traits": { "email": "Ana@Shop.test", "plan": "pro" },
        "context": { "locale": "de-DE", "timezone": "Europe/Berlin" } }),
    );
    server.told(
        "track",
        &json!({ "userId": "u1", "event": "Order Completed",
        "properties": { "order_id": "o1", "total": 12.5 } }),
    );
    server.told(
        "page",
        &json!({ "userId": "u1", "name": "Start", "category": "Docs" }),
    );
    server.told("screen", &json!({ "userId": "u1", "name": "Home" }));
    server.told(
        "group",
        &json!({ "userId": "u1", "groupId": "acme", "traits": { "name": "Acme" } }),
    );
    server.told(
        "alias",
        &json!({ "userId": "u1", "previousId": "anonymous-1" }),
    );
    server.told(
        "batch",
        &json!({ "batch": [
        { "type": "track", "userId": "u1", "event": "A" },
        { "type": "track", "anonymousId": "anonymous-1", "event": "B" },
    ] }),
    );

    let told = [
        "identify",
        "Order Completed",
        "Page Viewed",
        "Screen Viewed",
        "group",
        "alias",
        "A",
        "B",
    ];
    assert_eq!(history(&server, "u1"), told);
    let contact = server.contact("u1").expect("the contact");
    let traits = &contact["traits"];
    assert_eq!(traits["email"], "Ana@Shop.test");
    assert_eq!(traits["locale"], "de-DE");
    assert_eq!(traits["timezone"], "Europe/Berlin");
    assert_eq!(traits["account"], json!({ "id": "acme", "name": "Acme" }));
    for name in ["email=ana@shop.test", "anonymous_id=anonymous-1"] {
        let found = server.api(&format!("contacts?{name}"));
        assert_eq!(found["items"][0]["id"], contact["id"], "{name}");
    }
    let page = &server.events_named("u1", "Page Viewed")[0];
    assert_eq!(
        page["properties"],
        json!({ "name": "Start", "category": "Docs" })
    );
    let orders = server.api("documents?kind=order");
    assert_eq!(orders["items"][0]["fields"]["total"], 12.5);
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_is_not_taken_twice() {
    let mut server = Server::start("");
    let call = json!({ "userId": "u1", "event": "Bought", "messageId": "m-1" });
    server.told("track", &call);
    server.kill();
    server.start_again();
    assert_eq!(history(&server, "u1"), ["Bought"]);
    // Retold, alone and in a batch with something new.
    server.told("track", &call);
    server.told(
        "batch",
        &json!({ "batch": [
        { "type": "track", "userId": "u1", "event": "Bought", "messageId": "m-1" },
        { "type": "track", "userId": "u1", "event": "Paid", "messageId": "m-2" },
        { "type": "track", "userId": "u1", "event": "Paid", "messageId": "m-2" },
    ] }),
    );
    assert_eq!(history(&server, "u1"), ["Bought", "Paid"]);
    assert_eq!(server.metric("relance_repeated_total"), 3);

    // Many at once, each killed right after its acknowledgement.
    for round in 0..3 {
        for n in 0..20 {
            server.told(
                "track",
                &json!({ "userId": "u2", "event": format!("E{round}-{n}") }),
            );
        }
        server.kill();
        server.start_again();
        assert_eq!(server.events("u2").len(), 20 * (round + 1));
    }
}

#[test]
fn a_polite_end_loses_nothing() {
    let mut server = Server::start("");
    for n in 0..10 {
        server.told(
            "track",
            &json!({ "userId": "u1", "event": format!("E{n}") }),
        );
    }
    assert!(server.stop(), "it ends with 0");
    server.start_again();
    assert_eq!(server.events("u1").len(), 10);
}

#[test]
fn gzip_is_unpacked_whatever_its_label() {
    let server = Server::start("");
    let key = basic(&server.write_key);
    let body = |user: &str| {
        json!({ "batch": [{ "type": "track", "userId": user, "event": "E" }] }).to_string()
    };
    let labels: [(&str, &[(&str, &str)]); 4] = [
        (
            "right",
            &[
                ("Content-Type", "application/json"),
                ("Content-Encoding", "gzip"),
            ],
        ),
        (
            "form",
            &[
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Content-Encoding", "gzip"),
            ],
        ),
        ("none", &[("Content-Type", "application/json")]),
        (
            "plain",
            &[
                ("Content-Type", "text/plain"),
                ("Content-Encoding", "identity"),
            ],
        ),
    ];
    for (user, label) in labels {
        let mut headers = label.to_vec();
        headers.push(("Authorization", &key));
        let answer = post(&server, "/v1/batch", &headers, &gzip(&body(user)));
        assert_eq!(answer.status, 200, "{user}: {}", answer.text());
        assert_eq!(history(&server, user), ["E"]);
    }
    // Labelled gzip, but it is not.
    let headers = [("Authorization", &*key), ("Content-Encoding", "gzip")];
    let answer = post(&server, "/v1/batch", &headers, body("not").as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    // Cut off, and a bomb.
    let packed = gzip(&body("cut"));
    let answer = post(&server, "/v1/batch", &headers, &packed[..packed.len() / 2]);
    assert_eq!((answer.status, &*answer.problem()), (400, "malformed"));
    let bomb = gzip(&"a".repeat(100 * 1024 * 1024));
    assert!(bomb.len() < REQUEST_BYTES_MAX);
    let answer = post(&server, "/v1/batch", &headers, &bomb);
    assert_eq!((answer.status, &*answer.problem()), (413, "too_large"));
}

#[test]
fn a_key_opens_from_the_header_or_the_body() {
    let server = Server::start("");
    let call = |key: Option<&str>| {
        let mut call = json!({ "userId": "u1", "event": "E" });
        if let Some(key) = key {
            call["writeKey"] = json!(key);
        }
        call.to_string()
    };
    let text = ("Content-Type", "text/plain");
    let own = server.write_key.clone();
    assert_eq!(
        post(&server, "/v1/t", &[text], call(Some(&own)).as_bytes()).status,
        200
    );
    let batch =
        json!({ "writeKey": own, "batch": [{ "type": "track", "userId": "u1", "event": "E" }] });
    assert_eq!(
        post(&server, "/v1/b", &[text], batch.to_string().as_bytes()).status,
        200
    );

    let wrong = basic("wrong");
    let admin = basic(&server.api_token);
    type Refused<'a> = (&'a str, &'a [(&'a str, &'a str)], String);
    let refused: [Refused<'_>; 6] = [
        ("no key", &[], call(None)),
        ("a wrong key in the body", &[], call(Some("wrong"))),
        ("a wrong key", &[("Authorization", &wrong)], call(None)),
        (
            "a wrong key before a right one",
            &[("Authorization", &wrong)],
            call(Some(&own)),
        ),
        ("an API token", &[("Authorization", &admin)], call(None)),
        (
            "a key before nonsense",
            &[("Authorization", &wrong)],
            "{".to_owned(),
        ),
    ];
    for (what, headers, body) in refused {
        let answer = post(&server, "/v1/track", headers, body.as_bytes());
        assert_eq!(
            (answer.status, &*answer.problem()),
            (401, "unauthorised"),
            "{what}"
        );
        assert!(answer.header("www-authenticate").is_some());
        assert!(answer.json()["message"].is_string(), "SDKs print it");
    }
    assert_eq!(server.events("u1").len(), 2);
    assert_eq!(
        server.metric("relance_calls_total{result=\"unauthorised\"}"),
        6
    );
    // The write key stands in web pages, so it opens nothing else.
    let bearer = format!("Bearer {own}");
    let answer = server.request(
        "GET",
        "/api/v1/contacts",
        &[("Authorization", &bearer)],
        b"",
    );
    assert_eq!(answer.status, 401);
}

#[test]
fn a_browser_of_another_site_is_let_in() {
    let server = Server::start("");
    for (path, method, asked) in [
        ("/v1/t", "POST", "authorization"),
        (
            "/v1/track",
            "POST",
            "anonymousid,authorization,content-type,sentat",
        ),
        ("/v1/projects/k/settings", "GET", "authorization"),
        ("/sourceConfig/", "GET", "authorization"),
    ] {
        let headers = [
            ("Origin", "https://shop.test"),
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", asked),
        ];
        let answer = server.request("OPTIONS", path, &headers, b"");
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{path}"
        );
        let methods = answer
            .header("access-control-allow-methods")
            .expect("methods");
        assert!(methods.contains(method), "{path}");
        // `*` would not cover the header `Authorization`.
        let allowed = answer
            .header("access-control-allow-headers")
            .expect("headers");
        for name in asked.split(',') {
            assert!(
                allowed
                    .split(',')
                    .any(|own| own.trim().eq_ignore_ascii_case(name)),
                "{path}: {name}"
            );
        }
    }
    // A refusal can be read by the page, too.
    let headers = [("Origin", "https://shop.test")];
    let answer = post(&server, "/v1/t", &headers, b"{}");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    // Other sites have no business with the management API.
    let answer = server.request("GET", "/api/v1/contacts", &headers, b"");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn limits_are_told_apart_and_a_bad_call_hurts_itself_only() {
    let server = Server::start("");
    let key = basic(&server.write_key);
    let headers = [("Authorization", &*key)];
    let with = |bytes: usize| json!({ "type": "track", "userId": "u1", "event": "E", "properties": { "x": "y".repeat(bytes) } });

    // One call of more than 32 KB.
    let answer = server.call("track", &with(33 * 1024));
    assert_eq!((answer.status, &*answer.problem()), (413, "too_large"));
    // A request of more than 500 KB, announced and unannounced.
    let batch = json!({ "batch": vec![with(30 * 1024); 17] }).to_string();
    assert!(batch.len() > REQUEST_BYTES_MAX);
    let answer = post(&server, "/v1/batch", &headers, batch.as_bytes());
    assert_eq!((answer.status, &*answer.problem()), (413, "too_large"));
    let packed = gzip(&batch);
    let answer = post(&server, "/v1/batch", &headers, &packed);
    assert_eq!((answer.status, &*answer.problem()), (413, "too_large"));
    // Right below it is taken.
    let batch = json!({ "batch": vec![with(30 * 1024); 16] });
    server.told("batch", &batch);
    assert_eq!(server.events("u1").len(), 16);

    let answer = server.call(
        "batch",
        &json!({ "batch": [
        { "type": "track", "userId": "u2", "event": "Good" },
        { "type": "track", "userId": "u2" },
        { "type": "dance", "userId": "u2" },
        { "type": "track", "event": "Whose?" },
        with(40 * 1024),
        { "userId": "u2" },
        "a text",
        { "type": "track", "userId": "u2", "event": "Good too" },
        { "type": "track", "userId": "u2", "event": "x".repeat(300) },
    ] }),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told: Vec<(u64, String)> = answer.json()["rejected"]
        .as_array()
        .expect("rejected")
        .iter()
        .map(|one| {
            (
                one["index"].as_u64().unwrap(),
                one["code"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [
        (1, "missing_field"),
        (2, "unknown_type"),
        (3, "no_identity"),
        (4, "too_large"),
        (5, "missing_field"),
        (6, "malformed"),
        (8, "too_long"),
    ];
    assert_eq!(told, expected.map(|(index, code)| (index, code.to_owned())));
    assert_eq!(history(&server, "u2"), ["Good", "Good too"]);

    // Nothing of it is of use: that is an error.
    let answer = server.call(
        "batch",
        &json!({ "batch": [{ "type": "track", "userId": "u3" }] }),
    );
    assert_eq!((answer.status, &*answer.problem()), (400, "all_rejected"));
    assert_eq!(answer.json()["rejected"][0]["code"], "missing_field");
    server.told("batch", &json!({ "batch": [] }));

    assert_eq!(
        server.metric("relance_calls_total{result=\"too_large\"}"),
        4
    );
    assert_eq!(
        server.metric("relance_calls_total{result=\"missing_field\"}"),
        3
    );
    assert_eq!(server.metric("relance_calls_total{result=\"ok\"}"), 18);
}

#[test]
fn refusals_name_the_field() {
    let server = Server::start("");
    let key = basic(&server.write_key);
    let headers = [("Authorization", &*key)];
    let deep = format!(
        "{{\"userId\":\"u\",\"event\":\"E\",\"properties\":{}1{}}}",
        "{\"a\":".repeat(5_000),
        "}".repeat(5_000)
    );
    for (path, body, status, code, word) in [
        ("/v1/track", "{", 400, "malformed", "JSON"),
        ("/v1/track", "", 400, "malformed", "JSON"),
        ("/v1/track", "[]", 400, "malformed", "object"),
        ("/v1/track", "\u{fffd}", 400, "malformed", "JSON"),
        ("/v1/track", &deep, 400, "malformed", "recursion"),
        (
            "/v1/track",
            r#"{"userId":"u"}"#,
            400,
            "missing_field",
            "event",
        ),
        (
            "/v1/track",
            r#"{"event":"E"}"#,
            400,
            "no_identity",
            "anonymousId",
        ),
        (
            "/v1/track",
            r#"{"event":"E","userId":"","anonymousId":null}"#,
            400,
            "no_identity",
            "userId",
        ),
        (
            "/v1/alias",
            r#"{"userId":"u"}"#,
            400,
            "missing_field",
            "previousId",
        ),
        ("/v1/batch", r#"{"batch":{}}"#, 400, "malformed", "sequence"),
        ("/v1/batch", r#"{}"#, 400, "malformed", "batch"),
        ("/v1/dance", r#"{"userId":"u"}"#, 404, "not_found", "call"),
        ("/v2/track", r#"{"userId":"u"}"#, 404, "not_found", "page"),
    ] {
        let answer = post(&server, path, &headers, body.as_bytes());
        assert_eq!(
            (answer.status, &*answer.problem()),
            (status, code),
            "{path} {}",
            &body[..body.len().min(60)]
        );
        let detail = answer.json()["detail"]
            .as_str()
            .expect("a detail")
            .to_owned();
        assert!(detail.contains(word), "{path}: {detail}");
    }
    let bytes = [
        &b"{\"userId\":\"u\",\"event\":\""[..],
        &[0xff, 0xfe],
        b"\"}",
    ]
    .concat();
    assert_eq!(
        post(&server, "/v1/track", &headers, &bytes).problem(),
        "malformed"
    );
    let answer = server.request("GET", "/v1/track", &headers, b"");
    assert_eq!((answer.status, &*answer.problem()), (405, "wrong_method"));
    assert!(server.contact("u").is_none());
}

#[test]
fn browser_sdks_learn_where_to_send() {
    let server = Server::start("");
    let path = format!("/v1/projects/{}/settings", server.write_key);
    let settings = server.get(&path).json();
    let target = &settings["integrations"]["Segment.io"];
    assert_eq!(target["apiKey"], json!(server.write_key));
    assert_eq!(target["apiHost"], "go.lumen.test/v1");
    assert_eq!(target["protocol"], "https");
    assert_eq!(server.get("/v1/projects/wrong/settings").status, 401);
    let path = format!("/sourceConfig/?p=npm&writeKey={}", server.write_key);
    let config = server.get(&path).json();
    assert_eq!(config["source"]["writeKey"], json!(server.write_key));
    assert_eq!(config["source"]["enabled"], true);
    assert_eq!(server.get("/sourceConfig/?writeKey=wrong").status, 401);
}

#[test]
fn keys_may_be_quoted_in_any_letter_case_of_the_scheme() {
    let server = Server::start("");
    for (scheme, key) in [
        ("basic", format!("{}:", server.write_key)),
        ("BASIC", server.write_key.clone()),
    ] {
        let header = format!("{scheme} {}", STANDARD.encode(key));
        let headers = [("Authorization", &*header), ("User-Agent", BROWSER)];
        let answer = post(
            &server,
            "/v1/track",
            &headers,
            br#"{"userId":1,"event":"E"}"#,
        );
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(server.events("1").len(), 2);
}
