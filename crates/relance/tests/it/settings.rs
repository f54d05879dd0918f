//! Settings that are changed in the interface: in force at once, kept over restarts, refused where they are wrong,
//! and known to every node.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use relance_store::testing::postgres::Server as Postgres;
use serde_json::{Value, json};

use crate::server::{Answer, Server, path_text, relance, until};
use crate::sink::SmtpSink;

const AT_ONCE: &str = "format: journey/1
id: at-once
trigger: { event: Asked }
reentry: always
steps:
  - send: email
    template: hello
";
const HELLO: &str =
    "---\nsubject: Hello\n---\nHello {{ contact.name }} from {{ workspace.name }}\n";

fn ask(server: &Server, method: &str, path: &str, more: &[(&str, &str)], body: &Value) -> Answer {
    let token = format!("Bearer {}", server.api_token);
    let mut headers = vec![("Authorization", token.as_str())];
    headers.extend(more);
    let text = match body {
        Value::Null => String::new(),
        body => {
            headers.push(("Content-Type", "application/json"));
            body.to_string()
        }
    };
    server.request(
        method,
        &format!("/api/v1/{path}"),
        &headers,
        text.as_bytes(),
    )
}

fn put(server: &Server, section: &str, value: &Value) -> Answer {
    let body = json!({ "value": value });
    ask(server, "PUT", &format!("settings/{section}"), &[], &body)
}

fn changed(server: &Server, section: &str, value: &Value) -> Value {
    let answer = put(server, section, value);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The fields that an answer finds wrong.
fn wrong(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 422, "{}", answer.text());
    let told = answer.json();
    assert_eq!(told["code"], "bad_setting");
    let fields = told["fields"].as_array().expect("a list").iter();
    let named = fields.map(|one| one["field"].as_str().expect("a field").to_owned());
    named.collect()
}

fn asks(server: &Server, user: &str, message: &str) {
    let traits = json!({ "email": format!("{user}@client.test"), "name": user });
    server.told("identify", &json!({ "userId": user, "traits": traits }));
    let event = json!({ "userId": user, "event": "Asked", "messageId": message });
    server.told("track", &event);
}

/// Hours of the day in UTC from two before now to two after it.
fn hours_round_now() -> String {
    let at = |hours| {
        let at = Timestamp::now() + SignedDuration::from_hours(hours);
        at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()
    };
    format!("{}-{}", at(-2), at(2))
}

#[test]
fn quiet_hours_and_zone_change_under_waiting_messages_and_outlive_a_restart() {
    let mut server = Server::start("");
    server.apply_files(&[("at-once.yaml", AT_ONCE), ("hello.txt", HELLO)]);
    let hours = hours_round_now();
    let shown = changed(&server, "quiet_hours", &json!({ "email": hours }));
    assert_eq!(
        (&shown["origin"], &shown["value"]["email"]),
        (&json!("here"), &json!(hours))
    );
    assert_eq!(shown["file_value"], json!({}));

    // The next verdict goes by them.
    asks(&server, "ana", "m-1");
    until("a message that is held", || {
        let all = server.touchpoints("ana");
        all.iter().any(|one| one["state"] == "held").then_some(())
    });
    assert!(server.stop());
    server.start_again();
    assert_eq!(
        server.api("settings/quiet_hours")["value"]["email"],
        json!(hours)
    );
    assert_eq!(server.touchpoints("ana")[0]["state"], "held");

    // Five hours to the east it is another time of the day: what waited goes, and what comes goes.
    let workspace = server.api("settings/workspace");
    let mut value = workspace["value"].clone();
    value["zone"] = json!("Asia/Karachi");
    value["name"] = json!("Lumen East");
    changed(&server, "workspace", &value);
    server.sink.wait_for("ana@client.test");
    asks(&server, "bob", "m-2");
    let mail = server.sink.wait_for("bob@client.test").mail();
    assert!(mail.text.contains("from Lumen East"), "{}", mail.text);

    // Back by the file, and what waits for hours that are no longer goes as well.
    let reset = ask(&server, "DELETE", "settings/workspace", &[], &Value::Null);
    assert_eq!(reset.status, 200, "{}", reset.text());
    asks(&server, "eve", "m-3");
    until("another message that is held", || {
        let all = server.touchpoints("eve");
        all.iter().any(|one| one["state"] == "held").then_some(())
    });
    let reset = ask(&server, "DELETE", "settings/quiet_hours", &[], &Value::Null).json();
    assert_eq!(
        (&reset["origin"], &reset["value"]),
        (&json!("default"), &json!({}))
    );
    server.sink.wait_for("eve@client.test");
}

#[test]
fn what_is_wrong_is_refused_field_by_field_and_nobody_overwrites_another() {
    let server = Server::start("");
    let value =
        json!({ "zone": "Mars", "public_url": "x", "holdout": "all", "zoen": "UTC", "name": 7 });
    let mut found = wrong(&put(&server, "workspace", &value));
    found.sort_unstable();
    assert_eq!(found, ["holdout", "name", "public_url", "zoen", "zone"]);
    let caps = json!([{ "per": "week", "most": 3 }, { "days": 7, "per": "week", "most": 3 }, { "per": "day" }]);
    assert_eq!(wrong(&put(&server, "caps", &caps)), ["2.most", "1.days"]);
    let topics = json!([{ "id": "news", "name": { "en": "News" } }, { "id": "news" }]);
    assert_eq!(wrong(&put(&server, "topics", &topics)), ["1.id"]);
    let quiet =
        json!({ "email": [{ "days": "mon-fri", "hours": "21:00-25:00" }], "owl": "21:00-09:00" });
    assert_eq!(
        wrong(&put(&server, "quiet_hours", &quiet)),
        ["email.0", "owl"]
    );
    assert_eq!(wrong(&put(&server, "smtp", &json!("x"))), [""]);
    assert_eq!(put(&server, "store", &json!({})).status, 404);

    let before = server.api("settings/caps");
    let revision = before["revision"].as_str().expect("a revision").to_owned();
    let body = json!({ "value": [{ "channel": "email", "per": "week", "most": 3 }] });
    let matched = [("If-Match", revision.as_str())];
    let done = ask(&server, "PUT", "settings/caps", &matched, &body);
    assert_eq!(done.status, 200, "{}", done.text());
    let stale = ask(
        &server,
        "PUT",
        "settings/caps",
        &matched,
        &json!({ "value": [] }),
    );
    assert_eq!(stale.status, 412, "{}", stale.text());
    let theirs = stale.json();
    assert_eq!(theirs["value"][0]["most"], 3);
    assert_eq!(theirs["revision"], done.json()["revision"]);
    let gone = ask(&server, "DELETE", "settings/caps", &matched, &Value::Null);
    assert_eq!(gone.status, 412, "{}", gone.text());

    let all = server.api("settings");
    let sections = all["sections"].as_array().expect("a list");
    let caps = sections
        .iter()
        .find(|one| one["id"] == "caps")
        .expect("caps");
    assert_eq!(caps["origin"], "here");
    assert_eq!(all["channels"][0]["by"], "smtp");
    assert_eq!(all["configuration"]["caps"][0]["most"], 3);
    let audit = server.api("audit");
    let line = &audit["items"][0];
    assert_eq!(
        (&line["action"], &line["object"]),
        (&json!("setting.change"), &json!("caps"))
    );
    assert_eq!(line["detail"]["new"][0]["most"], 3);
}

#[test]
fn another_mail_server_takes_the_next_message_and_its_password_is_kept_sealed() {
    let server = Server::start("");
    server.apply_files(&[("at-once.yaml", AT_ONCE), ("hello.txt", HELLO)]);
    let other = SmtpSink::start();
    let value = json!({ "host": "127.0.0.1", "port": other.port, "tls": "none" });
    changed(&server, "smtp", &value);
    asks(&server, "ana", "m-1");
    other.wait_for("ana@client.test");
    assert_eq!(server.sink.taken().len(), 0);

    let secret = "hunter2-of-the-north";
    let with = |host: &str, password: Value| {
        let mut value = json!({ "host": host, "port": 2525, "tls": "none", "user": "news" });
        if !password.is_null() {
            value["password"] = password;
        }
        value
    };
    let shown = changed(&server, "smtp", &with("127.0.0.1", json!(secret)));
    assert_eq!(shown["value"]["password"], json!({ "set": true }));
    // Left out or as it was shown, it stays; for another server it must be entered again.
    let mut kept = with("127.0.0.1", json!({ "set": true }));
    kept["port"] = json!(2526);
    let shown = changed(&server, "smtp", &kept);
    assert_eq!(shown["value"]["password"], json!({ "set": true }));
    let moved = put(&server, "smtp", &with("localhost", Value::Null));
    assert_eq!(wrong(&moved), ["password"]);
    let sealed = json!({ "sealed": "sealed/1:x:y" });
    assert_eq!(
        wrong(&put(&server, "smtp", &with("127.0.0.1", sealed))),
        ["password"]
    );
    let clear = json!({ "host": "mail.shop.test", "port": 25, "tls": "none", "user": "a", "password": "b" });
    assert_eq!(wrong(&put(&server, "smtp", &clear)), ["tls"]);
    for path in ["settings", "settings/smtp", "audit"] {
        let told = server.api(path).to_string();
        assert!(
            !told.contains("hunter2") && !told.contains("sealed"),
            "{path}: {told}"
        );
    }
    for entry in std::fs::read_dir(server.data.path())
        .expect("a folder")
        .flatten()
    {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(secret), "{:?}", entry.path());
    }
}

#[test]
fn messages_go_into_a_folder_until_somebody_lets_them_leave() {
    let mut server = Server::start("");
    server.apply_files(&[("at-once.yaml", AT_ONCE), ("hello.txt", HELLO)]);
    let kept = |server: &Server| {
        let folder = std::fs::read_dir(server.data.path().join("outbox"));
        let mails = folder.into_iter().flatten().flatten();
        mails
            .filter(|one| one.path().extension().is_some_and(|kind| kind == "eml"))
            .count()
    };
    let told = changed(&server, "delivery", &json!({ "by": "outbox" }));
    assert_eq!(
        (&told["origin"], &told["file_value"]["by"]),
        (&json!("here"), &json!("smtp"))
    );
    asks(&server, "ana", "m-1");
    until("a mail in the folder", || {
        (kept(&server) == 1).then_some(())
    });
    assert_eq!(server.sink.taken().len(), 0);
    assert_eq!(
        wrong(&put(&server, "delivery", &json!({ "by": "pigeon" }))),
        ["by"]
    );

    // It outlives a restart, and what lies in the folder stays there.
    assert!(server.stop());
    server.start_again();
    asks(&server, "bob", "m-2");
    until("another one", || (kept(&server) == 2).then_some(()));
    changed(&server, "delivery", &json!({ "by": "smtp" }));
    asks(&server, "eve", "m-3");
    server.sink.wait_for("eve@client.test");
    assert_eq!((server.sink.taken().len(), kept(&server)), (1, 2));
}

#[test]
fn what_does_not_go_with_the_file_any_more_is_named_and_taken_back() {
    let mut server = Server::start("");
    assert!(server.stop());
    let file = server.data.path().join("relance.toml");
    let plain = std::fs::read_to_string(&file).expect("a configuration");
    std::fs::write(&file, format!("{plain}user = \"a\"\npassword = \"b\"\n")).expect("written");
    server.start_again();
    // The password is the file's, and the file gets rid of it.
    let value = json!({ "host": "127.0.0.1", "port": 2525, "tls": "none", "user": "a" });
    changed(&server, "smtp", &value);
    let data = server.data.path().to_owned();
    let data = path_text(&data);
    // Beside a running server a folder is only looked at.
    let beside = relance(&["settings", "show", "smtp", "--data", data, "--json"]);
    let shown: Value = serde_json::from_slice(&beside.stdout).expect("JSON");
    assert_eq!(shown["value"]["password"]["set"], true);
    let refused = relance(&["settings", "reset", "smtp", "--data", data]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(server.stop());

    std::fs::write(&file, &plain).expect("written");
    let refused = relance(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{told}");
    assert!(
        told.contains("setting smtp") && told.contains("relance settings reset smtp"),
        "{told}"
    );
    let looked = relance(&["doctor", "--data", data]);
    let told = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(
        told.contains("FAIL settings") && told.contains("reset smtp"),
        "{told}"
    );

    let done = relance(&["settings", "reset", "smtp", "--data", data]);
    assert!(done.status.success(), "{done:?}");
    server.start_again();
    assert_eq!(server.api("settings/smtp")["origin"], "file");
    let audit = server.api("audit");
    assert_eq!(audit["items"][0]["action"], "setting.reset");
}

#[test]
fn a_lost_key_stops_the_mails_that_need_it_and_nothing_else() {
    let mut server = Server::start("");
    server.apply_files(&[("at-once.yaml", AT_ONCE), ("hello.txt", HELLO)]);
    let sink = server.sink.port;
    let value =
        json!({ "host": "127.0.0.1", "port": sink, "tls": "none", "user": "a", "password": "b" });
    changed(&server, "smtp", &value);
    assert!(server.stop());
    let key = server.data.path().join("secret.key");
    let kept = std::fs::read(&key).expect("a key");
    std::fs::remove_file(&key).expect("removed");
    server.start_again();
    assert_eq!(
        server.api("settings/smtp")["value"]["password"]["set"],
        true
    );
    asks(&server, "ana", "m-1");
    until("a message that waits", || {
        let all = server.touchpoints("ana");
        let state = all.first()?["state"].as_str()?.to_owned();
        (state != "sending").then_some(())
    });
    assert_eq!(server.sink.taken().len(), 0, "not without its password");
    assert!(server.log().contains("secret.key"), "{}", server.log());
    assert!(server.stop());
    std::fs::write(&key, kept).expect("written");
    server.start_again();
    let told = server.api("settings/smtp");
    assert_eq!(
        (&told["origin"], &told["value"]["port"]),
        (&json!("here"), &json!(sink))
    );
}

#[test]
fn the_command_line_changes_what_the_interface_does() {
    let mut server = Server::start("");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("caps.json");
    let url = server.url();
    std::fs::write(&file, r#"[{"per": "week", "most": 3}]"#).expect("written");
    let run = |place: &[&str], words: &[&str]| {
        let all: Vec<&str> = ["settings"]
            .iter()
            .chain(words)
            .chain(place)
            .copied()
            .collect();
        relance(&all)
    };
    let token = server.api_token.clone();
    let there = ["--server", &url, "--token", &token];
    let done = run(
        &there,
        &["set", "caps", "--from", path_text(&file), "--json"],
    );
    assert!(done.status.success(), "{done:?}");
    let listed = run(&there, &["list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert!(
        listed["sections"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|one| one["id"] == "caps" && one["origin"] == "here")
    );
    assert!(server.stop());

    let data = server.data.path().to_owned();
    let here = ["--data", path_text(&data)];
    std::fs::write(&file, r#"[{"per": "year", "most": 3}]"#).expect("written");
    let refused = run(&here, &["set", "caps", "--from", path_text(&file)]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("0.per"), "{told}");
    std::fs::write(&file, r#"[{"per": "day", "most": 2}]"#).expect("written");
    let done = run(&here, &["set", "caps", "--from", path_text(&file)]);
    assert!(done.status.success(), "{done:?}");
    server.start_again();
    assert_eq!(server.api("settings/caps")["value"][0]["most"], 2);
}

#[test]
fn every_node_goes_by_what_one_was_told() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url("settings");
    let one = Server::first_node(&url, "one");
    let two = one.another_node(&url, "two");
    changed(&one, "quiet_hours", &json!({ "email": "21:00-09:00" }));
    let mut workspace = one.api("settings/workspace")["value"].clone();
    workspace["name"] = json!("Both");
    changed(&one, "workspace", &workspace);
    until("the other node to hear of it", || {
        let all = two.api("settings");
        let quiet = &all["configuration"]["quiet_hours"][0]["channel"];
        (*quiet == "email" && all["workspace"]["name"] == "Both").then_some(())
    });
    // And back again, by the other one.
    let reset = ask(&two, "DELETE", "settings/quiet_hours", &[], &Value::Null);
    assert_eq!(reset.status, 200, "{}", reset.text());
    until("the first node to hear of that", || {
        let all = one.api("settings");
        (all["configuration"]["quiet_hours"] == json!([])).then_some(())
    });
}
