//! The management API as programs and the interface use it: answers as the document says, drafts of two people, texts
//! that are tried out, templates, what changes as it changes, and the interface itself.

mod document;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::document::Document;
use crate::server::{Answer, PATIENCE, Server, until};

const WELCOME: &str = "format: journey/1\nid: welcome\nname: Welcome\ntrigger: { event: Signed Up }\nsteps:\n\
    \x20 - send: email\n    id: hello\n    template: hello\n  - wait: 3d\n  - send: email\n    template: hello\n";
const HELLO: &str = "---\nsubject: Hello {{ contact.name }}\nkind: service\n---\nHello {{ contact.name }}, click here.\n";

fn begin() -> Server {
    let server = Server::start("");
    server.apply_files(&[("welcome.yaml", WELCOME), ("hello.en.txt", HELLO)]);
    server
}

fn call(server: &Server, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let token = format!("Bearer {}", server.api_token);
    let mut headers = vec![("Authorization", &*token)];
    headers.extend(more);
    server.request(
        method,
        &format!("/api/v1/{path}"),
        &headers,
        body.as_bytes(),
    )
}

fn send(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    let kind = [("Content-Type", "application/json")];
    call(server, method, path, &kind, &body.to_string())
}

#[test]
fn answers_are_as_the_document_says() {
    let server = begin();
    for user in ["ana", "bob"] {
        let traits = json!({ "email": format!("{user}@client.test"), "name": user });
        server.told("identify", &json!({ "userId": user, "traits": traits }));
        server.told("track", &json!({ "userId": user, "event": "Signed Up" }));
    }
    server.told(
        "group",
        &json!({ "userId": "ana", "groupId": "acme", "traits": { "name": "Acme" } }),
    );
    server.ledger_line("ana", "sent");
    let segment = "format: segment/1\nid: named\nname: Named\nwhen: { name: { exists: true } }\n";
    assert_eq!(
        call(&server, "PUT", "segments/named", &[], segment).status,
        200
    );
    let put = call(&server, "PUT", "journeys/welcome/draft", &[], WELCOME);
    assert_eq!(put.status, 200, "{}", put.text());
    let block = json!({ "items": ["x@y.test", "spam.test"], "source": "a test" });
    assert_eq!(send(&server, "POST", "suppressions", &block).status, 200);
    let contact = server.contact("ana").expect("ana")["id"].clone();
    let contact = contact.as_str().expect("an id");
    let message = server.touchpoints("ana")[0]["id"].clone();
    let message = message.as_str().expect("an id");
    let document = Document::read(&server);
    for (template, path) in [
        ("status", "status".to_owned()),
        ("accounts", "accounts".to_owned()),
        ("accounts/{id}", "accounts/acme".to_owned()),
        ("suppressions", "suppressions".to_owned()),
        ("segments", "segments".to_owned()),
        ("segments/{id}", "segments/named".to_owned()),
        ("segments/{id}/members", "segments/named/members".to_owned()),
        (
            "segments/{id}/why",
            format!("segments/named/why?contact={contact}"),
        ),
        ("rfm", "rfm".to_owned()),
        ("journeys", "journeys".to_owned()),
        ("journeys/{id}", "journeys/welcome".to_owned()),
        (
            "journeys/{id}/numbers",
            "journeys/welcome/numbers".to_owned(),
        ),
        ("scenario", "scenario".to_owned()),
        ("templates", "templates".to_owned()),
        ("templates/{id}", "templates/hello".to_owned()),
        ("lists", "lists".to_owned()),
        ("settings", "settings".to_owned()),
        ("imports", "imports".to_owned()),
        (
            "contacts/{id}/segments",
            format!("contacts/{contact}/segments"),
        ),
        (
            "contacts/{id}/consents",
            format!("contacts/{contact}/consents"),
        ),
        (
            "contacts/{id}/preferences",
            format!("contacts/{contact}/preferences"),
        ),
        (
            "contacts/{id}/explain",
            format!("contacts/{contact}/explain?journey=welcome"),
        ),
        (
            "touchpoints/{id}/explain",
            format!("touchpoints/{message}/explain"),
        ),
        // Lists of other files than this one's.
        ("contacts", "contacts".to_owned()),
        ("contacts/{id}", format!("contacts/{contact}")),
        ("contacts/{id}/ledger", format!("contacts/{contact}/ledger")),
        ("contacts/{id}/events", format!("contacts/{contact}/events")),
        (
            "contacts/{id}/touchpoints",
            format!("contacts/{contact}/touchpoints"),
        ),
        ("documents", "documents".to_owned()),
        ("tasks", "tasks".to_owned()),
        ("approvals", "approvals".to_owned()),
        ("overview", "overview".to_owned()),
    ] {
        let answer = server.api(&path);
        document.check("get", template, "200", &answer);
    }
    let check = send(
        &server,
        "POST",
        "journeys/check",
        &json!({ "text": WELCOME }),
    );
    document.check("post", "journeys/check", "200", &check.json());
    let refused = send(&server, "POST", "journeys/check", &json!({ "txt": "" }));
    document.check("post", "journeys/check", "default", &refused.json());
}

#[test]
fn two_people_at_one_draft_do_not_overwrite_each_other() {
    let server = begin();
    let path = "journeys/welcome/draft";
    let first = call(&server, "PUT", path, &[("If-None-Match", "*")], WELCOME);
    assert_eq!(first.status, 200, "{}", first.text());
    let revision = first.json()["revision"]
        .as_str()
        .expect("a revision")
        .to_owned();
    // The second who begins hears of the first.
    let second = call(
        &server,
        "PUT",
        path,
        &[("If-None-Match", "*")],
        "id: welcome\n",
    );
    assert_eq!((second.status, &*second.problem()), (412, "stale"));
    assert_eq!(second.json()["text"], WELCOME);
    // Who goes on from what was read is taken, though the text is not right yet.
    let matching = format!("\"{revision}\"");
    let next = call(
        &server,
        "PUT",
        path,
        &[("If-Match", &matching)],
        "id: welcome\n",
    );
    assert_eq!(next.status, 200, "{}", next.text());
    assert!(
        !next.json()["problems"]
            .as_array()
            .expect("problems")
            .is_empty()
    );
    let stale = call(&server, "PUT", path, &[("If-Match", &matching)], WELCOME);
    assert_eq!((stale.status, &*stale.problem()), (412, "stale"));
    let told = stale.json();
    assert_eq!(told["text"], "id: welcome\n");
    assert_eq!(told["revision"], next.json()["revision"]);
    assert!(told["by"].is_string(), "{told}");
    // Nothing was overwritten, and who insists on nothing still may.
    let shown = server.api("journeys/welcome");
    assert_eq!(shown["draft"]["text"], "id: welcome\n");
    assert_eq!(shown["name"], "Welcome");
    assert_eq!(call(&server, "PUT", path, &[], WELCOME).status, 200);
    for reserved in ["check", "preview", "backtest"] {
        let path = format!("journeys/{reserved}/draft");
        let refused = call(&server, "PUT", &path, &[], WELCOME);
        assert_eq!((refused.status, &*refused.problem()), (400, "bad_id"));
    }
}

#[test]
fn a_text_is_checked_and_played_before_it_is_published() {
    let server = begin();
    let wrong =
        "format: journey/1\nid: x\nname: X\ntrigger: { event: E }\nsteps:\n  - wait: soon\n";
    let checked = send(&server, "POST", "journeys/check", &json!({ "text": wrong })).json();
    assert_eq!(checked["problems"][0]["line"], 6, "{checked}");
    assert!(checked["problems"][0]["remedy"].is_string());
    let unknown = WELCOME.replace("template: hello", "template: nowhere");
    let checked = send(
        &server,
        "POST",
        "journeys/check",
        &json!({ "text": unknown }),
    )
    .json();
    assert!(
        checked["problems"].to_string().contains("nowhere"),
        "{checked}"
    );
    assert_eq!(checked["problems"][0]["line"], 8, "{checked}");
    let checked = send(
        &server,
        "POST",
        "journeys/check",
        &json!({ "text": WELCOME }),
    )
    .json();
    assert_eq!(checked["problems"], json!([]), "{checked}");
    assert_eq!(checked["steps"][0]["key"], "hello", "{checked}");
    assert_eq!(checked["steps"][0]["template"], "hello");

    // Somebody invented signs up.
    let asked = json!({
        "text": WELCOME,
        "identify": { "userId": "eva", "traits": { "email": "eva@client.test" } },
        "events": [{ "type": "track", "userId": "eva", "event": "Signed Up", "timestamp": "2026-11-02T10:00:00Z" }],
        "from": "2026-11-01T00:00:00Z",
    });
    let played = send(&server, "POST", "journeys/preview", &asked);
    assert_eq!(played.status, 200, "{}", played.text());
    let played = played.json();
    let sent = |played: &Value| {
        let lines = played["lines"].as_array().expect("lines").iter();
        lines.filter(|line| line["what"] == "would_send").count()
    };
    assert_eq!(sent(&played), 2, "{played}");
    assert_eq!(played["more"], false);
    // A real one, to whom what happened happens again.
    let traits = json!({ "email": "ana@client.test" });
    server.told("identify", &json!({ "userId": "ana", "traits": traits }));
    server.told("track", &json!({ "userId": "ana", "event": "Signed Up" }));
    server.ledger_line("ana", "sent");
    let asked = json!({ "text": WELCOME, "contact": "ana@client.test", "from": "2020-01-01T00:00:00Z", "until": "2024-12-01T00:00:00Z" });
    let early = send(&server, "POST", "journeys/preview", &asked);
    assert_eq!(
        sent(&early.json()),
        0,
        "before it happened: {}",
        early.text()
    );
    let asked =
        json!({ "text": WELCOME, "contact": "ana@client.test", "from": "2025-01-01T00:00:00Z" });
    let played = send(&server, "POST", "journeys/preview", &asked).json();
    assert_eq!(sent(&played), 2, "{played}");
    for (asked, status, code) in [
        (json!({ "text": wrong }), 422, "invalid_journey"),
        (
            json!({ "text": WELCOME, "contact": "nobody" }),
            404,
            "not_found",
        ),
        (
            json!({ "text": WELCOME, "events": [{}] }),
            422,
            "bad_preview",
        ),
        (
            json!({ "text": WELCOME, "until": "9000-01-01T00:00:00Z" }),
            422,
            "bad_until",
        ),
        (
            json!({ "text": WELCOME, "choices": { "hello": "up" } }),
            422,
            "bad_choice",
        ),
        (json!({ "text": "x".repeat(600_000) }), 413, "too_large"),
        (
            json!({ "text": WELCOME, "events": vec![Value::Null; 1_001] }),
            413,
            "too_many",
        ),
    ] {
        let answer = send(&server, "POST", "journeys/preview", &asked);
        assert_eq!(
            (answer.status, &*answer.problem()),
            (status, code),
            "{}",
            answer.text()
        );
    }

    let begun = send(
        &server,
        "POST",
        "journeys/backtest",
        &json!({ "text": WELCOME, "since": "30d" }),
    );
    assert_eq!(begun.status, 202, "{}", begun.text());
    let id = begun.json()["id"].as_str().expect("an id").to_owned();
    let job = until("the backtest", || {
        let job = server.api(&format!("jobs/{id}"));
        (job["state"] != "running").then_some(job)
    });
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!(job["result"]["candidate"]["messages"], 1, "{job}");
    assert_eq!(
        call(&server, "DELETE", &format!("jobs/{id}"), &[], "").status,
        200
    );
    assert_eq!(
        call(&server, "GET", &format!("jobs/{id}"), &[], "").status,
        404
    );

    let numbers = server.api("journeys/welcome/numbers");
    assert_eq!(numbers["entered"], 1, "{numbers}");
    assert_eq!(numbers["live"], 1, "{numbers}");
    let steps = numbers["steps"].as_array().expect("steps");
    let hello = steps
        .iter()
        .find(|step| step["step"] == "hello")
        .expect("the step");
    assert_eq!(hello["sent"], 1, "{numbers}");
}

#[test]
fn a_template_is_looked_at_changed_and_tried() {
    let server = begin();
    let listed = server.api("templates");
    assert_eq!(
        listed["items"][0]["used_by"],
        json!(["welcome"]),
        "{listed}"
    );
    let traits = json!({ "email": "ana@client.test", "name": "Ana <b>" });
    server.told("identify", &json!({ "userId": "ana", "traits": traits }));
    server.contact("ana").expect("ana");
    let asked = json!({ "id": "hello", "contact": "ana" });
    let rendered = send(&server, "POST", "templates/render", &asked).json();
    assert_eq!(rendered["subject"], "Hello Ana <b>", "{rendered}");
    let codes = |rendered: &Value| -> Vec<String> {
        let checks = rendered["checks"].as_array().expect("checks").iter();
        checks
            .map(|one| one["code"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(codes(&rendered), ["spam_words"], "{rendered}");
    let variables = rendered["variables"].as_array().expect("variables");
    assert!(
        variables.iter().any(|one| one["name"] == "contact.name"),
        "{rendered}"
    );
    // Files that are not in force, with faults of each sort.
    let html = "---\nsubject: News\n---\n<html><body><a href=\"http://x.test\">x</a><img src=\"https://x.test/a.png\"></body></html>";
    let asked = json!({ "id": "news", "files": { "news.en.html": html } });
    let rendered = send(&server, "POST", "templates/render", &asked).json();
    assert_eq!(
        codes(&rendered),
        ["link_insecure", "image_alt", "unsubscribe"],
        "{rendered}"
    );
    let asked =
        json!({ "id": "news", "files": { "news.en.txt": "---\nsubject: x\n---\n{% if %}" } });
    let rendered = send(&server, "POST", "templates/render", &asked).json();
    assert_eq!(rendered["mistakes"][0]["file"], "news.en.txt", "{rendered}");

    let shown = server.api("templates/hello");
    let revision = shown["revision"].as_str().expect("a revision").to_owned();
    let changed = HELLO.replace("Hello", "Good day");
    let put = |revision: &str, text: &str| {
        let body = json!({ "files": { "hello.en.txt": text } }).to_string();
        let headers = [("Content-Type", "application/json"), ("If-Match", revision)];
        call(&server, "PUT", "templates/hello", &headers, &body)
    };
    let done = put(&revision, &changed);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(
        (
            put(&revision, HELLO).status,
            &*put(&revision, HELLO).problem()
        ),
        (412, "stale")
    );
    let wrong = put(
        done.json()["revision"].as_str().expect("one"),
        "---\nsubject: x\n---\n{% if %}",
    );
    assert_eq!((wrong.status, &*wrong.problem()), (422, "invalid_scenario"));
    assert_eq!(
        server.api("templates/hello")["files"]["hello.en.txt"],
        changed
    );

    // Sent to try it: marked, counted nowhere, and not to whom must not be written to.
    let sent = server.api("overview")["accepted"].clone();
    let tried = send(
        &server,
        "POST",
        "templates/hello/test",
        &json!({ "to": "me@house.test", "contact": "ana" }),
    );
    assert_eq!(tried.status, 200, "{}", tried.text());
    let mail = server.sink.wait_for("me@house.test").mail();
    assert!(mail.subject.starts_with("[Test] Good day"), "{mail:?}");
    assert_eq!(server.api("overview")["accepted"], sent);
    assert_eq!(
        send(
            &server,
            "POST",
            "suppressions",
            &json!({ "items": ["me@house.test"] })
        )
        .status,
        200
    );
    for (asked, status, code) in [
        (json!({ "to": "me@house.test" }), 409, "suppressed"),
        (json!({}), 422, "no_recipient"),
        (json!({ "to": "no address" }), 422, "bad_address"),
    ] {
        let answer = send(&server, "POST", "templates/hello/test", &asked);
        assert_eq!(
            (answer.status, &*answer.problem()),
            (status, code),
            "{}",
            answer.text()
        );
    }
    let tried = send(
        &server,
        "POST",
        "settings/test",
        &json!({ "channel": "email", "to": "you@house.test" }),
    );
    assert_eq!(tried.status, 200, "{}", tried.text());
    server.sink.wait_for("you@house.test");
    let refused = send(
        &server,
        "POST",
        "settings/test",
        &json!({ "channel": "sms", "to": "you@house.test" }),
    );
    assert_eq!(
        (refused.status, &*refused.problem()),
        (409, "channel_not_configured")
    );
}

#[test]
fn settings_tell_no_secret() {
    let server = Server::start("");
    let path = server.data.path().join("relance.toml");
    let secret = "correct-horse-battery";
    let mut text = std::fs::read_to_string(&path).expect("the configuration");
    text = text.replace(
        "[smtp]\n",
        &format!("[smtp]\nuser = \"u\"\npassword = \"{secret}\"\n"),
    );
    assert!(text.contains(secret), "{text}");
    std::fs::write(&path, text).expect("the configuration");
    let mut server = server;
    server.kill();
    server.start_again();
    let told = server.api("settings").to_string();
    assert!(!told.contains(secret), "{told}");
    assert!(told.contains("Lumen & Co"), "{told}");
}

/// The lines of a stream that never ends by itself.
fn watch(server: &Server) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("the server");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let head = format!(
        "GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        server.api_token
    );
    stream.write_all(head.as_bytes()).expect("the request");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).expect("the head");
    }
    reader
}

fn next_topics(reader: &mut BufReader<TcpStream>) -> Value {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(reader.read_line(&mut line).expect("a line"), 0, "it ended");
        if let Some(data) = line.strip_prefix("data:") {
            return serde_json::from_str::<Value>(data).expect("JSON")["topics"].clone();
        }
    }
}

#[test]
fn open_pages_hear_of_what_changes_and_are_let_go_at_the_end() {
    let mut server = begin();
    let mut reader = watch(&server);
    server.told(
        "identify",
        &json!({ "userId": "ana", "traits": { "email": "ana@client.test" } }),
    );
    let topics = next_topics(&mut reader);
    let has = |topics: &Value, topic: &str| {
        topics
            .as_array()
            .expect("topics")
            .iter()
            .any(|one| one == topic)
    };
    assert!(has(&topics, "contacts"), "{topics}");
    // Many changes are one word a second.
    let begun = Instant::now();
    for at in 0..30 {
        server.told(
            "track",
            &json!({ "userId": format!("u{at}"), "event": "Signed Up" }),
        );
    }
    let topics = next_topics(&mut reader);
    assert!(has(&topics, "journeys"), "{topics}");
    let mut words = 1;
    while begun.elapsed() < Duration::from_secs(3) {
        server.told("track", &json!({ "userId": "ana", "event": "Seen" }));
        next_topics(&mut reader);
        words += 1;
    }
    // One a second, and one that was on its way.
    let most = begun.elapsed().as_secs() + 2;
    assert!(words <= most, "{words} words in {:?}", begun.elapsed());
    // A server that ends does not wait for whoever watches.
    let begun = Instant::now();
    assert!(server.stop());
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn one_more_than_may_watch_is_told_when_to_come_again() {
    let server = begin();
    let all: Vec<_> = (0..256).map(|_| watch(&server)).collect();
    let refused = call(&server, "GET", "live", &[], "");
    assert_eq!(
        (refused.status, &*refused.problem()),
        (503, "too_many_watch")
    );
    assert!(refused.header("retry-after").is_some());
    drop(all);
}

#[test]
fn the_interface_is_one_page_under_every_address() {
    let server = begin();
    let html = [("Accept", "text/html,*/*;q=0.8")];
    let root = server.request("GET", "/", &html, b"");
    assert_eq!(root.status, 200);
    for path in ["/documents", "/contacts/con_1", "/journeys/%3Cscript%3E"] {
        let page = server.request("GET", path, &html, b"");
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.body, root.body, "{path}");
    }
    for (path, headers) in [
        ("/documents", &[][..]),
        ("/api/v1/nothing", &html[..]),
        ("/api/nothing", &html[..]),
        ("/assets/gone.js", &html[..]),
        ("/assets/../../Cargo.toml", &html[..]),
        ("/v1", &[][..]),
    ] {
        let answer = server.request("GET", path, headers, b"");
        assert_eq!(
            (answer.status, &*answer.problem()),
            (404, "not_found"),
            "{path}"
        );
    }
    let document = server.get("/api/openapi.json");
    assert_eq!(document.json()["openapi"], "3.1.0");
    let tag = document.header("etag").expect("a tag").to_owned();
    let again = server.request("GET", "/api/openapi.json", &[("If-None-Match", &tag)], b"");
    assert_eq!(again.status, 304);
    if root.text().contains("was built without") {
        eprintln!("web/dist is not there: its files are not looked at");
        return;
    }
    let policy = root.header("content-security-policy").expect("a policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(
        !root.text().contains("<script>"),
        "no script stands in the page"
    );
    assert_eq!(root.header("cache-control"), Some("no-cache"));
    let tag = root.header("etag").expect("a tag").to_owned();
    let again = server.request(
        "GET",
        "/",
        &[("Accept", "text/html"), ("If-None-Match", &tag)],
        b"",
    );
    assert_eq!((again.status, again.body.len()), (304, 0));
    let page = root.text();
    let script = page
        .split('"')
        .find(|text| text.starts_with("/assets/") && text.ends_with(".js"));
    let script = script.expect("a script").to_owned();
    let answer = server.request("GET", &script, &[("Accept-Encoding", "br")], b"");
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(
        answer.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    let plain = server.request("GET", &script, &[], b"");
    assert_eq!(plain.header("content-encoding"), None);
    if answer.header("content-encoding") == Some("br") {
        assert!(answer.body.len() < plain.body.len());
    }
}
