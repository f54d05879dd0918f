//! Events trigger: a call by the Segment specification becomes a mail within a second; what the recipient
//! does with it comes back as events, and acts.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Answer, BROWSER, PUBLIC_URL, Server, until, workspace_path};
use crate::sink::Taken;

/// How soon a mail must have left, in the middle of many.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);
/// Sign-ups that are measured.
const SIGN_UPS: usize = 20;
/// The header by which mail programs unsubscribe for their users (RFC 8058).
const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";

/// A server with the scenario that comes with the program.
fn welcome(more: &str) -> Server {
    let server = Server::start(more);
    let done = server.apply(&workspace_path("assets/scenarios/welcome"));
    assert!(done.status.success(), "{done:?}");
    server
}

fn identify(server: &Server, user: &str, traits: Value) {
    server.told("identify", &json!({ "userId": user, "traits": traits }));
}

fn sign_up(server: &Server, user: &str) -> Taken {
    let email = format!("{user}@client.test");
    identify(server, user, json!({ "email": email, "firstName": "Ana" }));
    server.told(
        "track",
        &json!({ "userId": user, "event": "Signed Up", "properties": { "plan": "pro" } }),
    );
    server.sink.wait_for(&email)
}

fn ask(server: &Server, method: &str, path: &str, agent: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = agent
        .map(|agent| ("User-Agent", agent))
        .into_iter()
        .collect();
    server.request(method, path, &headers, b"")
}

fn has(lines: &[Value], what: &str) -> bool {
    lines.iter().any(|line| line["what"] == what)
}

#[test]
fn a_sign_up_becomes_a_mail_within_a_second() {
    let server = welcome("");
    let mut took: Vec<Duration> = (0..SIGN_UPS)
        .map(|n| {
            let user = format!("u{n}");
            let email = format!("{user}@client.test");
            let batch = json!({ "batch": [
                { "type": "identify", "userId": user, "traits": { "email": email } },
                { "type": "track", "userId": user, "event": "Signed Up" },
            ] });
            let begun = Instant::now();
            server.told("batch", &batch);
            server.sink.wait_for(&email).at.duration_since(begun)
        })
        .collect();
    took.sort();
    let (median, worst) = (took[SIGN_UPS / 2], took[SIGN_UPS - 1]);
    eprintln!("from the call to the mail server: p50 {median:?}, worst {worst:?} of {SIGN_UPS}");
    assert!(median < LEAVES_WITHIN, "{took:?}");
    assert_eq!(server.sink.taken().len(), SIGN_UPS);
}

#[test]
fn the_mail_speaks_the_contacts_language_and_is_whole() {
    let server = welcome("");
    let people = [
        (
            "en",
            json!({ "email": "en@client.test", "firstName": "Ann" }),
            "Welcome, Ann",
        ),
        (
            "ru",
            json!({ "email": "ru@client.test", "firstName": "Борис", "language": "ru" }),
            "Борис",
        ),
        (
            "ja",
            json!({ "email": "ja@client.test", "firstName": "葵", "language": "ja-JP" }),
            "ご登録",
        ),
        (
            "fr",
            json!({ "email": "fr@client.test", "firstName": "Zoé", "language": "fr" }),
            "Welcome, Zoé",
        ),
    ];
    for (user, traits, _) in &people {
        identify(&server, user, traits.clone());
        server.told(
            "track",
            &json!({ "userId": user, "event": "Signed Up", "properties": { "plan": "<pro>" } }),
        );
    }
    // The device speaks Russian, then Japanese; the contact chose Russian.
    let device = |user: &str, locale: &str, traits: Value| {
        server.told(
            "identify",
            &json!({ "userId": user, "traits": traits, "context": { "locale": locale } }),
        );
    };
    device("device", "ru-RU", json!({ "email": "device@client.test" }));
    device(
        "chosen",
        "en-US",
        json!({ "email": "chosen@client.test", "language": "ru" }),
    );
    device("chosen", "ja-JP", json!({}));
    for user in ["device", "chosen"] {
        server.told("track", &json!({ "userId": user, "event": "Signed Up" }));
    }
    for (user, _, word) in people {
        let taken = server.sink.wait_for(&format!("{user}@client.test"));
        let mail = taken.mail();
        assert!(mail.subject.contains(word), "{user}: {}", mail.subject);
        assert_eq!(mail.from[0].name, "Lumen & Co");
        assert_eq!(taken.from, "news@lumen.test");
        assert!(
            taken.bytes.is_ascii(),
            "a server without 8BITMIME must be able to take it"
        );
        assert_eq!(mail.content_type, "multipart/alternative");
        // A text part of its own, with links that can be read.
        assert!(mail.text.contains(PUBLIC_URL), "{user}: {}", mail.text);
        assert!(!mail.text.contains("</"), "{user}: {}", mail.text);
        let html = mail.html.clone().expect("HTML");
        assert!(!html.contains("{{") && !html.contains("<mj-"), "{user}");
        assert!(
            html.contains("&lt;pro&gt;") && !html.contains("<pro>"),
            "{user}"
        );
        assert!(
            !html.contains("href=\"\""),
            "{user}: a link that leads nowhere"
        );
        let unsubscribe = taken.header("List-Unsubscribe").expect("List-Unsubscribe");
        assert!(
            unsubscribe.starts_with(&format!("<{PUBLIC_URL}/u/")),
            "{unsubscribe}"
        );
        assert_eq!(
            taken.header("List-Unsubscribe-Post").as_deref(),
            Some("List-Unsubscribe=One-Click")
        );
        assert!(
            taken
                .header("Message-ID")
                .is_some_and(|id| id.ends_with("@lumen.test>"))
        );
        assert!(taken.header("Date").is_some());
        // Links lead through us, but for the ones by which the recipient leaves.
        assert!(
            !taken.links(&format!("{PUBLIC_URL}/t/c/")).is_empty(),
            "{user}"
        );
        assert_eq!(
            taken.links(&format!("{PUBLIC_URL}/t/o/")).len(),
            1,
            "{user}"
        );
        assert!(
            !taken.links(&format!("{PUBLIC_URL}/u/")).is_empty(),
            "{user}"
        );
    }
    let cyrillic = |user: &str| {
        let subject = server
            .sink
            .wait_for(&format!("{user}@client.test"))
            .mail()
            .subject;
        assert!(
            subject.chars().any(|c| ('а'..='я').contains(&c)),
            "{user}: {subject}"
        );
    };
    cyrillic("device");
    cyrillic("chosen");
}

#[test]
fn an_open_and_a_click_come_back_and_act() {
    let server = welcome("");
    let mail = sign_up(&server, "u1");
    let pixel = mail.path("/t/o/");
    let link = mail.path("/t/c/");

    let answer = ask(&server, "GET", &pixel, Some(BROWSER));
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("image/gif"))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let opened = server.events_named("u1", "Email Opened");
    assert_eq!(opened.len(), 1);
    assert!(opened[0]["properties"].get("machine").is_none());
    assert!(opened[0]["properties"]["touchpoint"].is_string());
    // Shown again at once, it is no news.
    ask(&server, "GET", &pixel, Some(BROWSER));
    assert!(
        server.events_named("u1", "Email Opened").len() <= 2,
        "a minute may have ended between"
    );

    let answer = ask(&server, "GET", &link, Some(BROWSER));
    assert_eq!(answer.status, 302);
    let target = answer.header("location").expect("a location").to_owned();
    assert_eq!(target.trim_end_matches('/'), PUBLIC_URL);
    let clicked = &server.events_named("u1", "Email Link Clicked")[0];
    assert_eq!(clicked["properties"]["url"], json!(target));
    // The journey waited for it.
    let line = server.ledger_line("u1", "came");
    assert_eq!(
        (&line["journey"], &line["step"]),
        (&json!("welcome"), &json!("reaction"))
    );
    assert_eq!(
        server.contact("u1").expect("the contact")["traits"]["welcomed"],
        true
    );
}

#[test]
fn what_machines_open_and_click_drives_nothing() {
    let server = welcome("");
    let mail = sign_up(&server, "u1");
    let (pixel, link) = (mail.path("/t/o/"), mail.path("/t/c/"));
    let bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    for path in [&pixel, &link] {
        for (method, agent) in [("HEAD", Some(BROWSER)), ("GET", Some(bot)), ("GET", None)] {
            let answer = ask(&server, method, path, agent);
            assert!([200, 302].contains(&answer.status), "{method} {agent:?}");
        }
    }
    for name in ["Email Opened", "Email Link Clicked"] {
        let events = server.events_named("u1", name);
        assert!(!events.is_empty(), "{name}");
        assert!(
            events
                .iter()
                .all(|event| event["properties"]["machine"] == true),
            "{events:?}"
        );
    }
    assert!(!has(&server.ledger("u1"), "came"));
    // The person comes in the same second as the machine, and counts.
    ask(&server, "HEAD", &link, Some(BROWSER));
    assert_eq!(ask(&server, "GET", &link, Some(BROWSER)).status, 302);
    server.ledger_line("u1", "came");
}

const LATER: &str = "format: journey/1\nid: later\nname: Later\ntrigger: { event: Later }\nreentry: always\n\
    steps:\n  - { send: email, template: news }\n";
const NEWS: &str = "---\nsubject: News\n---\n<mjml><mj-body><mj-section><mj-column><mj-text>News. \
    <a href=\"{{ links.unsubscribe }}\">Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>\n";
const RECEIPT: &str = "format: journey/1\nid: receipt\nname: Receipt\ntrigger: { event: Order Completed }\nreentry: always\n\
    steps:\n  - { send: email, template: receipt }\n";
const RECEIPT_TEXT: &str =
    "---\nsubject: Your order\nkind: service\n---\nThank you for your order.\n";

#[test]
fn one_click_unsubscribes_at_once_and_for_good() {
    let server = welcome("\n[[cap]]\nchannel = \"email\"\ndays = 1\nmost = 1\n");
    server.apply_files(&[
        ("later.yaml", LATER),
        ("news.en.mjml", NEWS),
        ("receipt.yaml", RECEIPT),
        ("receipt.en.txt", RECEIPT_TEXT),
    ]);
    let mail = sign_up(&server, "u1");
    // One mail a day is enough: the next one is held.
    server.told("track", &json!({ "userId": "u1", "event": "Later" }));
    assert_eq!(server.ledger_line("u1", "held")["reason"], "frequency_cap");

    let header = mail.header("List-Unsubscribe").expect("List-Unsubscribe");
    let url = header.trim_matches(['<', '>']);
    let path = url
        .strip_prefix(PUBLIC_URL)
        .expect("our address")
        .to_owned();
    // A look changes nothing.
    for method in ["GET", "HEAD"] {
        let answer = ask(&server, method, &path, Some(BROWSER));
        assert_eq!(answer.status, 200);
        assert!(
            method == "HEAD" || answer.text().contains("<form method=\"post\""),
            "{}",
            answer.text()
        );
    }
    assert!(server.events_named("u1", "Unsubscribed").is_empty());
    assert!(!has(&server.ledger("u1"), "unsubscribed"));

    // Providers call by machines of theirs.
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("User-Agent", "Google-Mail-Unsubscribe-Bot"),
    ];
    let answer = server.request("POST", &path, &headers, ONE_CLICK);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(server.events_named("u1", "Unsubscribed").len(), 1);
    server.ledger_line("u1", "unsubscribed");
    let withdrawn = server.ledger_line("u1", "withdrawn");
    assert_eq!(
        (&withdrawn["journey"], &withdrawn["reason"]),
        (&json!("later"), &json!("unsubscribed"))
    );
    let touchpoints = server.touchpoints("u1");
    assert!(
        touchpoints
            .iter()
            .any(|one| one["template"] == "news" && one["state"] == "withdrawn"),
        "{touchpoints:?}"
    );

    // The next one is not even begun; a receipt still goes.
    server.told("track", &json!({ "userId": "u1", "event": "Later" }));
    let dropped = server.ledger_line("u1", "dropped");
    assert_eq!(
        (&dropped["template"], &dropped["reason"]),
        (&json!("news"), &json!("no_consent"))
    );
    server.told(
        "track",
        &json!({ "userId": "u1", "event": "Order Completed" }),
    );
    let receipt = until("the receipt", || {
        let taken = server.sink.to("u1@client.test");
        taken
            .into_iter()
            .find(|mail| mail.mail().subject == "Your order")
    });
    assert_eq!(receipt.header("List-Unsubscribe"), None);
    assert_eq!(server.sink.to("u1@client.test").len(), 2);
    // Once more is no error: providers repeat.
    assert_eq!(
        server.request("POST", &path, &headers, ONE_CLICK).status,
        200
    );
}

#[test]
fn altered_links_are_not_ours() {
    let server = welcome("");
    let mail = sign_up(&server, "u1");
    let before = server.events("u1").len();
    for place in ["/t/o/", "/t/c/", "/u/"] {
        let path = mail.path(place);
        let token = path.strip_prefix(place).expect("the place");
        let other = if token.as_bytes()[8] == b'A' {
            "B"
        } else {
            "A"
        };
        let altered = format!("{}{other}{}", &token[..8], &token[9..]);
        let cut = &token[..token.len() - 4];
        for token in [altered.as_str(), cut, "AAAA", "", "%00", &"A".repeat(6_000)] {
            for method in ["GET", "POST"] {
                let status = ask(&server, method, &format!("{place}{token}"), Some(BROWSER)).status;
                assert!(
                    [404, 405].contains(&status),
                    "{method} {place}{token}: {status}"
                );
            }
        }
        // A token is good for its own purpose alone.
        let elsewhere = ["/t/o/", "/t/c/", "/u/"]
            .into_iter()
            .filter(|other| *other != place);
        for other in elsewhere {
            assert_eq!(
                ask(&server, "GET", &format!("{other}{token}"), Some(BROWSER)).status,
                404
            );
        }
    }
    assert_eq!(server.events("u1").len(), before);
    assert!(!has(&server.ledger("u1"), "unsubscribed"));
}

#[test]
fn public_pages_speak_the_readers_language_and_tell_nothing() {
    let server = welcome("");
    let mail = sign_up(&server, "u1");
    let path = mail.path("/u/");
    for (language, word) in [
        ("en-US,en", "unsubscribe"),
        ("ru", "отписаться"),
        ("ja,en;q=0.5", "停止"),
    ] {
        let headers = [("User-Agent", BROWSER), ("Accept-Language", language)];
        let page = server.request("GET", &path, &headers, b"");
        assert_eq!(page.status, 200);
        let text = page.text();
        assert!(text.contains(word), "{text}");
        assert!(
            text.contains("Lumen &amp; Co") && !text.contains("client.test"),
            "{text}"
        );
        assert!(page.header("content-security-policy").is_some());
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}
