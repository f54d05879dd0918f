//! A workspace on a PostgreSQL server: it works as one in a file, also after it was moved there, and nowhere
//! twice (R10).

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use relance_store::testing::postgres::Server as Postgres;
use serde_json::{Value, json};

use crate::daemon::dovecot::Dovecot;
use crate::daemon::{PASSWORD, User};
use crate::server::{Server, path_text, relance, until};

/// How long nothing must come.
const NOTHING_FOR: Duration = Duration::from_secs(2);

const AT_ONCE: &str = "format: journey/1
id: at-once
trigger: { event: Asked }
steps:
  - send: email
    template: hello
  - wait: 6s
  - send: email
    template: hello
";
const HELLO: &str = "---\nsubject: Hello\n---\nHello {{ contact.name }}\n";

fn asks(server: &Server, user: &str, message: &str) {
    let traits = json!({ "email": format!("{user}@client.test"), "name": user });
    server.told("identify", &json!({ "userId": user, "traits": traits }));
    let event = json!({ "userId": user, "event": "Asked", "messageId": message });
    server.told("track", &event);
}

fn accepted(server: &Server, user: &str) -> usize {
    let all = server.touchpoints(user);
    all.iter().filter(|one| one["state"] == "accepted").count()
}

fn waits_for(server: &Server, user: &str, messages: usize) {
    let address = format!("{user}@client.test");
    until(&format!("{messages} messages to {user}"), || {
        (server.sink.to(&address).len() >= messages).then_some(())
    });
}

fn prints_json(arguments: &[&str]) -> Value {
    let done = relance(arguments);
    assert!(done.status.success(), "{done:?}");
    serde_json::from_slice(&done.stdout).expect("one JSON object")
}

#[test]
fn a_workspace_is_moved_and_goes_on_there_and_nowhere_else() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres
        .url("moved")
        .replace("relance@", "relance:pass-word@");
    let mut server = Server::start("");
    server.apply_files(&[("at-once.yaml", AT_ONCE), ("hello.txt", HELLO)]);
    asks(&server, "ana", "m-1");
    waits_for(&server, "ana", 1);
    let data = server.data.path().to_owned();
    let data = path_text(&data);

    // Not under a running server.
    let refused = relance(&["store", "move", "--data", data, "--to", &url]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(server.stop());

    let moved = prints_json(&["store", "move", "--data", data, "--to", &url, "--json"]);
    assert_eq!(
        (&moved["was_done"], &moved["configured"]),
        (&json!(false), &json!(true))
    );
    let tables = moved["tables"].as_array().expect("a list");
    let contacts = tables
        .iter()
        .find(|one| one["table"] == "contact")
        .expect("contacts");
    assert_eq!(contacts["rows"], 1);
    assert!(!moved.to_string().contains("pass-word"), "{moved}");
    let again = prints_json(&["store", "move", "--data", data, "--to", &url, "--json"]);
    assert_eq!(again["was_done"], true);
    let secret = server.data.path().join("store-url");
    let mode = std::fs::metadata(&secret)
        .expect("the URL")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner reads the password");

    // What was waiting goes on, what was sent is not sent again, what was seen is known.
    server.start_again();
    assert_eq!(server.metric("relance_quiet"), 0, "{}", server.log());
    asks(&server, "ana", "m-1");
    waits_for(&server, "ana", 2);
    asks(&server, "bob", "m-2");
    // Beside a server it only looks.
    let beside = relance(&["doctor", "--data", data]);
    let text = String::from_utf8_lossy(&beside.stdout).into_owned();
    assert!(
        text.contains("ok   database") && text.contains("ok   copy"),
        "{text}"
    );
    waits_for(&server, "bob", 2);
    std::thread::sleep(NOTHING_FOR);
    assert_eq!((accepted(&server, "ana"), accepted(&server, "bob")), (2, 2));
    assert_eq!(server.sink.taken().len(), 4);
    assert!(server.stop());

    let checked = relance(&["doctor", "--data", data]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        text.contains("ok   database") && !text.contains("pass-word"),
        "{text}"
    );

    // A second start there is no copy; without the server's name nothing starts at all.
    server.start_again();
    assert_eq!(server.metric("relance_quiet"), 0, "{}", server.log());
    assert!(server.stop());
    let config = server.data.path().join("relance.toml");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let (before, _) = text.split_once("[store]").expect("a section");
    std::fs::write(&config, before).expect("written");
    let refused = relance(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && told.contains("was moved to"),
        "{told}"
    );
    assert!(!told.contains("pass-word"), "{told}");
}

#[test]
fn a_new_workspace_begins_on_a_server_and_a_folder_without_its_witness_is_quiet() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url("fresh");
    let folder = tempfile::TempDir::new().expect("a folder");
    let data = path_text(folder.path());
    std::fs::write(
        folder.path().join("relance.toml"),
        format!("[store]\nurl = \"{url}\"\n"),
    )
    .expect("written");
    let keys = prints_json(&["init", "--data", data, "--json"]);
    assert!(keys["write_key"].is_string());
    assert!(!folder.path().join("relance.db").exists());
    // A start, the first; `release` says whether it is quiet.
    let release = || prints_json(&["release", "--data", data, "--json"]);
    assert_eq!(release()["released"], false, "a new workspace is no copy");
    assert_eq!(release()["released"], false, "nor at its second start");
    std::fs::remove_file(folder.path().join("relance.witness")).expect("a witness");
    let checked = relance(&["doctor", "--data", data]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(text.contains("without its witness"), "{text}");
    assert_eq!(
        release()["released"],
        true,
        "the folder that knew what left is gone"
    );
    assert_eq!(release()["released"], false);
}

/// Whoever stands between is told from the server, and said in a word; a program that is older than the database
/// refuses to start on it.
#[test]
fn a_server_that_is_not_trusted_and_a_database_of_a_newer_program_are_refused() {
    let Some(postgres) = Postgres::start_encrypted() else {
        return;
    };
    let folder = tempfile::TempDir::new().expect("a folder");
    let data = path_text(folder.path());
    let configure = |authority: &std::path::Path| {
        let url = postgres.network_url("localhost", "encrypted");
        let authority = path_text(authority);
        let text =
            format!("[store]\nurl = \"{url}&sslmode=verify-full&sslrootcert={authority}\"\n");
        std::fs::write(folder.path().join("relance.toml"), text).expect("written");
    };
    let (authority, stranger) = postgres.authorities();
    configure(authority);
    let keys = prints_json(&["init", "--data", data, "--json"]);
    assert!(keys["write_key"].is_string());
    let doctor = || {
        let checked = relance(&["doctor", "--data", data]);
        String::from_utf8_lossy(&checked.stdout).into_owned()
    };
    assert!(doctor().contains("ok   database"), "{}", doctor());
    configure(stranger);
    let told = doctor();
    assert!(
        told.contains("FAIL database") && told.contains("sslrootcert"),
        "{told}"
    );
    configure(authority);
    postgres.shift_version("encrypted", 1);
    let refused = relance(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && told.contains("use the newer program"),
        "{told}"
    );
    assert!(doctor().contains("use the newer program"), "{}", doctor());
    // What an older version left is looked at, and not changed.
    postgres.shift_version("encrypted", -2);
    for _ in 0..2 {
        let told = doctor();
        assert!(
            told.contains("ok   database") && told.contains("start `relance serve` with it once"),
            "{told}"
        );
    }
}

#[test]
fn nodes_share_a_workspace_and_what_a_killed_one_had_to_do_is_done() {
    const PEOPLE: usize = 40;
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url("shared");
    let a = Server::first_node(&url, "a");
    let mut b = a.another_node(&url, "b");
    assert_eq!(b.metric("relance_quiet"), 0, "{}", b.log());
    // What one publishes both go by.
    b.apply_files(&[("at-once.yaml", AT_ONCE), ("hello.txt", HELLO)]);
    until("both hold half", || {
        let held = [&a, &b].map(|node| node.metric("relance_partitions"));
        (held == [128, 128]).then_some(())
    });
    let people: Vec<String> = (0..PEOPLE).map(|n| format!("p{n}")).collect();
    for (n, user) in people.iter().enumerate() {
        let node = if n % 2 == 0 { &a } else { &b };
        asks(node, user, &format!("m-{user}"));
        // The other one is told the same, and more of the same person.
        let other = if n % 2 == 0 { &b } else { &a };
        asks(other, user, &format!("m-{user}"));
    }
    let to = |node: &Server, user: &str| node.sink.to(&format!("{user}@client.test")).len();
    let sent = |b: &Server| {
        people
            .iter()
            .map(|user| to(&a, user) + to(b, user))
            .sum::<usize>()
    };
    until("a message to each", || (sent(&b) >= PEOPLE).then_some(()));
    assert!(
        !a.sink.taken().is_empty() && !b.sink.taken().is_empty(),
        "both work"
    );

    // Everybody waits for a second message.
    b.kill();
    let killed = std::time::Instant::now();
    until("its work is taken over", || {
        (a.metric("relance_partitions") == 256).then_some(())
    });
    eprintln!("taken over after {:?}", killed.elapsed());
    let has_ended = |one: &Value| one["state"] == "accepted" || one["state"] == "unknown";
    until("all runs end", || {
        let all = people.iter().map(|user| a.touchpoints(user));
        let mut all = all.map(|own| own.iter().filter(|one| has_ended(one)).count());
        all.all(|ended| ended == 2).then_some(())
    });
    for user in &people {
        let unknown = a.touchpoints(user);
        let unknown = unknown
            .iter()
            .filter(|one| one["state"] == "unknown")
            .count();
        let left = to(&a, user) + to(&b, user);
        assert!(
            left <= 2 && left + unknown >= 2,
            "{user}: {left} left, {unknown} in doubt"
        );
    }

    // It comes back, and its share with it.
    b.start_again();
    until("both hold half again", || {
        (b.metric("relance_partitions") == 128 && a.metric("relance_partitions") == 128)
            .then_some(())
    });
    asks(&b, "late", "m-late");
    until("a message", || {
        (to(&a, "late") + to(&b, "late") >= 1).then_some(())
    });
    assert!(b.stop());
    let ended = std::time::Instant::now();
    until("all is taken", || {
        (a.metric("relance_partitions") == 256).then_some(())
    });
    eprintln!("given back and taken after {:?}", ended.elapsed());
}

/// The mailboxes that a node reads itself.
fn read_by(node: &Server) -> Vec<String> {
    let page = node.api("mailboxes");
    let items = page["items"].as_array().cloned().unwrap_or_default();
    let here = items
        .iter()
        .filter(|one| one["folders"]["inbox"].is_string());
    here.filter_map(|one| one["address"].as_str())
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_mailbox_is_read_by_one_node_and_by_another_when_that_is_killed() {
    let people: Vec<String> = (0..8).map(|n| format!("person-{n}@shop.test")).collect();
    let users: Vec<User> = people.iter().map(|address| User::new(address)).collect();
    let (Some(postgres), Some(dovecot)) = (Postgres::start(), Dovecot::start(&users)) else {
        return;
    };
    let url = postgres.url("mailboxes");
    let imap = dovecot.imaps_port();
    let ca = dovecot.authority_file();
    let own = |address: &String| {
        format!(
            "\n[[mailbox]]\naddress = \"{address}\"\nimap = {{ host = \"127.0.0.1\", port = {imap}, tls = \"implicit\", ca_file = {ca:?}, password = \"{PASSWORD}\" }}\n"
        )
    };
    let more: String = people.iter().map(own).collect();
    let a = Server::first_node_with(&url, "a", &more);
    let mut b = a.another_node_with(&url, "b", &more);
    until("both hold half", || {
        let held = [&a, &b].map(|node| node.metric("relance_partitions"));
        (held == [128, 128]).then_some(())
    });
    let shared = || {
        let mut all = read_by(&a);
        all.extend(read_by(&b));
        all.sort();
        all
    };
    until("each is read once", || (shared() == people).then_some(()));
    let (own, others) = (read_by(&a), read_by(&b));
    assert!(
        !own.is_empty() && !others.is_empty(),
        "both read some: {own:?} {others:?}"
    );
    // The server sees no more than the two connections to each.
    let sessions = || {
        let told = dovecot
            .doveadm()
            .args(["-f", "flow", "who", "-1"])
            .output()
            .expect("doveadm");
        String::from_utf8_lossy(&told.stdout).lines().count()
    };
    until("two connections to each", || {
        (sessions() == 2 * people.len()).then_some(())
    });

    let mail = |to: &str, id: &str| {
        format!(
            "From: client@client.test\r\nTo: {to}\r\nSubject: {id}\r\nMessage-ID: <{id}-{to}>\r\n\r\nHello\r\n"
        )
    };
    b.kill();
    for to in &people {
        dovecot.deliver(to, "INBOX", mail(to, "meanwhile").as_bytes());
    }
    until("all are read by the one that is left", || {
        (read_by(&a) == people).then_some(())
    });
    until("what came meanwhile", || {
        let page = a.api("mailboxes");
        let items = page["items"].as_array().cloned().unwrap_or_default();
        (items.len() == people.len() && items.iter().all(|one| one["seen"] == 1)).then_some(())
    });
    until("two connections to each", || {
        (sessions() == 2 * people.len()).then_some(())
    });
    for to in &people {
        assert_eq!(dovecot.seen(to, "INBOX"), 0);
    }
}
