//! What contacts allow: sign-ups that are confirmed, their own page, suppressions, and being forgotten.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::{Answer, BROWSER, PUBLIC_URL, Server, path_text, relance, until};

const TOPICS: &str = "opt_in_topics = [\"news\"]\n\
     [consent]\ndouble_opt_in = [\"news\"]\n\
     [[topic]]\nid = \"news\"\nname = { en = \"News & offers\", ru = \"Новости\", ja = \"ニュース\" }\n\
     description = { en = \"Once a week\", ru = \"Раз в неделю\", ja = \"週に一度\" }\n\
     [[topic]]\nid = \"tips\"\nname = { en = \"Tips\", ru = \"Советы\", ja = \"ヒント\" }\n";

/// Each event `Ping` sends a message about the topic.
fn journey(topic: &str) -> String {
    format!(
        "format: journey/1\nid: ping\nname: Ping\ntopic: {topic}\ntrigger: {{ event: Ping }}\nreentry: always\n\
         steps:\n  - send: email\n    template: ping\n"
    )
}

const TEMPLATE: &str = "---\nsubject: Ping\n---\nHello. {{ links.preferences }}\n";

fn pinging(topic: &str) -> Server {
    let server = Server::start(TOPICS);
    server.apply_files(&[("ping.yaml", &journey(topic)), ("ping.en.txt", TEMPLATE)]);
    server
}

fn identify(server: &Server, user: &str) {
    let email = format!("{user}@client.test");
    server.told(
        "identify",
        &json!({ "userId": user, "traits": { "email": email } }),
    );
}

fn track(server: &Server, user: &str, event: &str, properties: Value) {
    server.told(
        "track",
        &json!({ "userId": user, "event": event, "properties": properties }),
    );
}

fn manage(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", server.api_token);
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "application/json"),
    ];
    let body = body.to_string();
    server.request(
        method,
        &format!("/api/v1/{path}"),
        &headers,
        body.as_bytes(),
    )
}

fn browse(server: &Server, method: &str, path: &str, form: &str) -> Answer {
    let headers = [
        ("User-Agent", BROWSER),
        ("Accept-Language", "en"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    server.request(method, path, &headers, form.as_bytes())
}

/// A body that came in pieces.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).expect("digits");
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        if size == 0 {
            break;
        }
        whole.extend(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    whole
}

/// The path of the first link to a place in a text.
fn path_in(text: &str, place: &str) -> String {
    let url = format!("{PUBLIC_URL}{place}");
    let (_, rest) = text
        .split_once(&url)
        .unwrap_or_else(|| panic!("{place} in {text}"));
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    format!("{place}{}", &rest[..end])
}

fn has(lines: &[Value], what: &str, reason: &str) -> bool {
    lines
        .iter()
        .any(|line| line["what"] == what && line["reason"] == reason)
}

#[test]
fn a_sign_up_counts_once_the_owner_of_the_address_confirmed_it() {
    let server = pinging("news");
    identify(&server, "ana");
    track(
        &server,
        "ana",
        "Subscribed",
        json!({ "topic": "news", "url": "https://shop.test/form" }),
    );
    let question = server.sink.wait_for("ana@client.test").mail();
    assert!(question.subject.contains("confirm"), "{}", question.subject);
    assert!(question.text.contains("News & offers"), "{}", question.text);
    track(&server, "ana", "Ping", json!({}));
    until("the message is dropped", || {
        has(&server.ledger("ana"), "dropped", "no_consent").then_some(())
    });
    // Looking changes nothing, pressing the button does.
    let path = path_in(&question.text, "/p/confirm/");
    let page = browse(&server, "GET", &path, "");
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("client.test"), "{}", page.text());
    let consents = |user: &str| {
        let id = server.contact(user).expect("known")["id"]
            .as_str()
            .expect("id")
            .to_owned();
        server.api(&format!("contacts/{id}/consents"))
    };
    assert_eq!(consents("ana")["in_force"][0]["answer"], "pending");
    let page = browse(&server, "POST", &path, "");
    assert!(page.text().contains("subscribed"), "{}", page.text());
    let told = consents("ana");
    assert_eq!(told["in_force"][0]["answer"], "granted", "{told}");
    assert_eq!(told["in_force"][0]["source"], "double_opt_in");
    assert!(
        told["in_force"][0]["proof"]["message"].is_string(),
        "{told}"
    );
    let history: Vec<&str> = told["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["answer"].as_str())
        .collect();
    assert_eq!(history, ["pending", "granted"]);
    track(&server, "ana", "Ping", json!({}));
    until("the message comes", || {
        let mails = server.sink.to("ana@client.test");
        mails
            .iter()
            .any(|one| one.mail().subject == "Ping")
            .then_some(())
    });
    // Nobody else's address is confirmed by this link.
    server.told(
        "identify",
        &json!({ "userId": "ana", "traits": { "email": "new@client.test" } }),
    );
    assert_eq!(browse(&server, "POST", &path, "").status, 404);
    let altered = path.replace("/p/confirm/", "/p/confirm/A");
    assert_eq!(browse(&server, "POST", &altered, "").status, 404);
}

#[test]
fn a_contact_chooses_on_its_own_page() {
    let server = pinging("tips");
    identify(&server, "ana");
    track(&server, "ana", "Ping", json!({}));
    let mail = server.sink.wait_for("ana@client.test").mail();
    let path = path_in(&mail.text, "/p/");
    for (language, word) in [("en", "Tips"), ("ru", "Советы"), ("ja", "ヒント")] {
        let headers = [("User-Agent", BROWSER), ("Accept-Language", language)];
        let page = server.request("GET", &path, &headers, b"");
        assert_eq!(page.status, 200);
        let text = page.text();
        assert!(
            text.contains(word) && !text.contains("client.test"),
            "{text}"
        );
        assert!(
            text.contains(&format!("<html lang=\"{language}\"")),
            "{text}"
        );
    }
    assert!(
        !server
            .ledger("ana")
            .iter()
            .any(|line| line["what"] == "preferred")
    );
    let days = "day=mon&day=tue&day=wed&day=thu&day=fri&day=sat&day=sun&from=00%3A00&to=00%3A00";
    let shown = "shown=topic%3Anews&shown=topic%3Atips&shown=channel%3Aemail";
    let both = "want=channel%3Aemail&want=topic%3Atips";
    let form = format!("{shown}&{both}&{days}&frequency=1%2Fweek&language=ru&pause=");
    let page = browse(&server, "POST", &path, &form);
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(
        page.text().contains("Настройки сохранены"),
        "{}",
        page.text()
    );
    let contact = server.contact("ana").expect("known");
    assert_eq!(
        contact["preferences"]["frequency"],
        json!({ "most": 1, "per": "week" })
    );
    assert_eq!(contact["traits"]["language"], "ru");
    assert_eq!(server.events_named("ana", "Preferences Updated").len(), 1);
    // One message went already.
    track(&server, "ana", "Ping", json!({}));
    let held = until("the message is held", || {
        let lines = server.ledger("ana");
        lines.into_iter().find(|line| line["what"] == "held")
    });
    assert_eq!(held["reason"], "frequency_cap");
    assert_eq!(held["detail"], "own wish");
    // A pause, and a form that cannot be right.
    let form = format!("{shown}&{both}&{days}&frequency=&pause=30");
    assert_eq!(browse(&server, "POST", &path, &form).status, 200);
    let form = format!("{shown}&{both}&frequency=&pause=");
    assert_eq!(browse(&server, "POST", &path, &form).status, 422);
    assert!(server.contact("ana").expect("known")["preferences"]["paused_until"].is_string());
    let page = browse(&server, "POST", &path, "leave=all");
    assert!(page.text().contains("отписаны"), "{}", page.text());
    let contact = server.contact("ana").expect("known");
    assert_eq!(contact["channel_consents"]["email"], "denied");
    assert_eq!(contact["channel_consents"]["sms"], "denied");
    // What is open or altered does nothing.
    for wrong in ["/p/preview", "/p/AAAA"] {
        assert_eq!(browse(&server, "POST", wrong, "leave=all").status, 404);
    }
}

/// What the contact's own page takes, a program may tell as well, by the same rules.
#[test]
fn a_program_tells_what_a_contact_wishes() {
    let server = pinging("tips");
    identify(&server, "ana");
    let id = server.contact("ana").expect("known")["id"].clone();
    let path = format!("contacts/{}/preferences", id.as_str().expect("an id"));
    let told = server.api(&path);
    let first = json!({ "topics": { "news": false, "tips": true }, "channels": { "email": true } });
    assert_eq!(told["preferences"], first);
    let wishes = json!({
        "topics": { "news": true, "tips": false },
        "frequency": { "most": 2, "per": "month" },
        "window": { "days": "mon-fri", "hours": "09:00-18:00" },
        "language": "ja",
        "paused_until": (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string(),
    });
    let answer = manage(&server, "PUT", &path, &wishes);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = answer.json()["preferences"].clone();
    assert_eq!(told["frequency"], wishes["frequency"]);
    assert_eq!(told["window"], wishes["window"]);
    assert_eq!(told["language"], "ja");
    // The owner of the address is asked: the yes is a program's.
    assert_eq!(told["topics"], json!({ "news": false, "tips": false }));
    let contact = server.contact("ana").expect("known");
    assert_eq!(contact["topic_consents"]["news"], "pending", "{contact}");
    assert_eq!(server.events_named("ana", "Preferences Updated").len(), 1);
    let page = server.request(
        "GET",
        told_link(&server.api(&path)),
        &[("User-Agent", BROWSER)],
        b"",
    );
    assert!(
        page.text().contains("value=\"2/month\" selected"),
        "{}",
        page.text()
    );

    // What it gave out it takes back, and nothing changes.
    let answer = manage(&server, "PUT", &path, &told);
    assert_eq!(answer.json()["preferences"], told);
    // What is left out stays, and null takes away.
    let answer = manage(
        &server,
        "PUT",
        &path,
        &json!({ "frequency": null, "topics": { "tips": true } }),
    );
    let after = answer.json()["preferences"].clone();
    assert_eq!(after["frequency"], json!(null));
    assert_eq!(
        (&after["window"], &after["topics"]["tips"]),
        (&told["window"], &json!(true))
    );

    for (body, field) in [
        (json!({ "topic": { "news": true } }), "topic:"),
        (json!({ "topics": { "other": true } }), "topics.other:"),
        (json!({ "topics": { "news": "yes" } }), "topics.news:"),
        (json!({ "channels": { "sms": true } }), "channels.sms:"),
        (
            json!({ "frequency": { "most": 0, "per": "week" } }),
            "frequency:",
        ),
        (json!({ "frequency": "daily" }), "frequency:"),
        (json!({ "window": { "days": "" } }), "window:"),
        (json!({ "window": { "hours": "9-5" } }), "window:"),
        (json!({ "window": {} }), "window:"),
        (json!({ "language": "tlh" }), "language:"),
        (
            json!({ "paused_until": "2020-01-01T00:00:00Z" }),
            "paused_until:",
        ),
        (
            json!({ "paused_until": "9999-01-01T00:00:00Z" }),
            "paused_until:",
        ),
        (json!({ "source": "dream" }), "source:"),
    ] {
        let answer = manage(&server, "PUT", &path, &body);
        let detail = answer.json()["detail"].to_string();
        assert_eq!(answer.status, 422, "{body}: {detail}");
        assert!(detail.contains(field), "{body}: {detail}");
    }
    assert_eq!(server.api(&path)["preferences"], after);
    let answer = manage(&server, "PUT", &path, &json!([]));
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    let answer = manage(&server, "PUT", "contacts/con_999999/preferences", &wishes);
    assert_eq!(answer.status, 404);
}

/// The path of the page that an answer links to.
fn told_link(answer: &Value) -> &str {
    let link = answer["link"].as_str().expect("a link");
    let (_, path) = link.split_once("/p/").expect("a page");
    &link[link.len() - path.len() - "/p/".len()..]
}

#[test]
fn a_suppressed_address_stays_so_whoever_has_it() {
    let server = pinging("tips");
    let items = json!({ "items": ["Gone@client.test", "@bad.test", "=cmd()"] });
    let answer = manage(&server, "POST", "suppressions", &items).json();
    assert_eq!(
        (&answer["taken"], &answer["refused"]),
        (&json!(2), &json!(1))
    );
    for (user, email) in [
        ("a", "gone@client.test"),
        ("b", "eve@bad.test"),
        ("c", "c@client.test"),
    ] {
        server.told(
            "identify",
            &json!({ "userId": user, "traits": { "email": email } }),
        );
        track(&server, user, "Ping", json!({}));
    }
    server.sink.wait_for("c@client.test");
    for user in ["a", "b"] {
        until("the message is dropped", || {
            has(&server.ledger(user), "dropped", "suppressed").then_some(())
        });
    }
    // A new address is another one, and the old one stays on the list.
    server.told(
        "identify",
        &json!({ "userId": "a", "traits": { "email": "new@client.test" } }),
    );
    track(&server, "a", "Ping", json!({}));
    server.sink.wait_for("new@client.test");
    let listed = server.api("suppressions");
    assert_eq!(
        listed["items"].as_array().map(Vec::len),
        Some(2),
        "{listed}"
    );
    let gone = manage(
        &server,
        "DELETE",
        "suppressions?value=eve%40bad.test",
        &json!({}),
    )
    .json();
    assert_eq!(gone["removed"], false);
    let gone = manage(&server, "DELETE", "suppressions?value=bad.test", &json!({})).json();
    assert_eq!(gone["removed"], true);
    track(&server, "b", "Ping", json!({}));
    server.sink.wait_for("eve@bad.test");
    assert!(server.sink.to("gone@client.test").is_empty());
}

/// Every text and blob of every table that holds a needle.
fn tables_with(file: &Path, needles: &[&str]) -> Vec<String> {
    let conn = rusqlite::Connection::open(file).expect("opens");
    let mut tables = conn
        // tidy:allow(sql-literals): every table, also one that the store forgot
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .expect("a statement");
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .expect("tables")
        .collect::<Result<_, _>>()
        .expect("names");
    assert!(tables.len() > 20, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let mut rows = conn
            // tidy:allow(sql-literals): every column, also one that a later migration adds
            .prepare(&format!("SELECT * FROM {table}"))
            .expect("a table");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                let bytes = match row.get_ref(column).expect("a column") {
                    rusqlite::types::ValueRef::Text(bytes)
                    | rusqlite::types::ValueRef::Blob(bytes) => bytes,
                    _number => continue,
                };
                let text = String::from_utf8_lossy(bytes).to_lowercase();
                found.extend(
                    needles
                        .iter()
                        .filter(|needle| text.contains(*needle))
                        .map(|needle| format!("{needle} in {table}: {text}")),
                );
            }
        }
    }
    found
}

#[test]
fn a_person_that_is_forgotten_is_in_no_table_and_does_not_come_back() {
    let mut server = pinging("tips");
    let needles = ["quendolin", "u-quendolin-7"];
    let user = "u-quendolin-7";
    server.told(
        "identify",
        &json!({ "userId": user, "anonymousId": "anon-quendolin", "traits": {
            "email": "quendolin@client.test", "name": "Quendolin Abc", "phone": "+4930777777" } }),
    );
    for n in 0..300 {
        track(
            &server,
            user,
            "Order Completed",
            json!({ "orderId": format!("quendolin-{n}"), "note": "for Quendolin" }),
        );
    }
    track(&server, user, "Ping", json!({}));
    server.sink.wait_for("quendolin@client.test");
    identify(&server, "bob");
    track(&server, "bob", "Ping", json!({}));
    server.sink.wait_for("bob@client.test");
    manage(
        &server,
        "POST",
        "suppressions",
        &json!({ "items": ["quendolin@client.test"] }),
    );
    let id = server.contact(user).expect("known")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("contacts/{id}/consents");
    let said =
        json!({ "consent": "granted", "topic": "tips", "proof": { "text": "Quendolin agreed" } });
    assert_eq!(manage(&server, "POST", &path, &said).status, 200);

    let answer = manage(&server, "GET", &format!("contacts/{id}/export"), &json!({}));
    assert_eq!(
        answer.header("transfer-encoding"),
        Some("chunked"),
        "it is a stream"
    );
    let whole: Value = serde_json::from_slice(&unchunked(&answer.body)).expect("JSON");
    let one = &whole["contacts"][0];
    assert_eq!(one["profile"]["traits"]["name"], "Quendolin Abc");
    assert!(
        one["events"]
            .as_array()
            .is_some_and(|events| events.len() > 300)
    );
    assert_eq!(
        one["consent_history"][0]["proof"]["text"],
        "Quendolin agreed"
    );
    for part in [
        "identities",
        "messages",
        "ledger",
        "enrollments",
        "suppressions",
    ] {
        assert!(
            one[part].as_array().is_some_and(|list| !list.is_empty()),
            "{part}"
        );
    }

    let answer = manage(&server, "DELETE", &format!("contacts/{id}"), &json!({}));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let receipt = until("the erasure ends", || {
        let receipt = server.api(&format!("erasures/{id}"));
        (receipt["done"] == true).then_some(receipt)
    });
    assert!(
        receipt["removed"]["event"]
            .as_u64()
            .is_some_and(|rows| rows > 300),
        "{receipt}"
    );
    // It does not come back by itself.
    server.told(
        "identify",
        &json!({ "userId": user, "traits": { "email": "quendolin@client.test" } }),
    );
    track(&server, user, "Ping", json!({ "by": "quendolin" }));
    assert!(server.contact(user).is_none());
    assert_eq!(server.metric("relance_calls_total{result=\"erased\"}"), 2);
    // Others are as they were.
    track(&server, "bob", "Ping", json!({}));
    until("bob's second message", || {
        (server.sink.to("bob@client.test").len() == 2).then_some(())
    });
    assert!(server.stop());
    let file = server.data.path().join("relance.db");
    let found = tables_with(&file, &needles);
    assert!(found.is_empty(), "{found:#?}");
    for part in ["relance.db", "relance.db-wal", "wire.log", "server.log"] {
        let Ok(bytes) = std::fs::read(server.data.path().join(part)) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains("quendolin"), "{part} still knows the name");
    }
    // On their own wish they do.
    server.start_again();
    server.told(
        "identify",
        &json!({ "userId": user, "traits": { "email": "quendolin@client.test" } }),
    );
    assert!(server.contact(user).is_none(), "a restart remembers");
    let names = json!({ "email": "quendolin@client.test", "user_id": user });
    assert_eq!(
        manage(&server, "POST", "readmit", &names).json()["readmitted"],
        2
    );
    server.told(
        "identify",
        &json!({ "userId": user, "traits": { "email": "quendolin@client.test" } }),
    );
    assert!(server.contact(user).is_some());
}

#[test]
fn the_command_line_does_the_same_where_no_server_runs() {
    let mut server = pinging("tips");
    identify(&server, "ana");
    track(&server, "ana", "Ping", json!({}));
    server.sink.wait_for("ana@client.test");
    assert!(server.stop());
    let data = path_text(server.data.path()).to_owned();
    let list = server.data.path().join("list.csv");
    std::fs::write(&list, "email\nold@client.test\n\"x@client.test\",more\n").expect("a file");
    let run = |words: &[&str]| {
        let mut all = words.to_vec();
        all.extend(["--data", &data]);
        let done = relance(&all);
        assert!(done.status.success(), "{words:?}: {done:?}");
        String::from_utf8(done.stdout).expect("text")
    };
    run(&["suppressions", "import", path_text(&list)]);
    run(&["suppressions", "add", "+49 30 123456", "bad.test"]);
    run(&["suppressions", "remove", "x@client.test"]);
    let listed = run(&["suppressions", "export"]);
    assert_eq!(listed, "bad.test\nold@client.test\n+4930123456\n");
    let held: Value = serde_json::from_str(&run(&["contacts", "held", "ana"])).expect("JSON");
    assert_eq!(held["format"], "contact-export/1");
    let receipt: Value =
        serde_json::from_str(&run(&["contacts", "erase", "ana@client.test"])).expect("JSON");
    assert_eq!(receipt["done"], true, "{receipt}");
    let found = tables_with(&server.data.path().join("relance.db"), &["ana@client.test"]);
    assert!(found.is_empty(), "{found:#?}");
}
