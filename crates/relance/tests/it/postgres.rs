//! A workspace on a PostgreSQL server: it works as one in a file, also after it was moved there, and nowhere
//! twice (R10).

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use relance_store::testing::postgres::Server as Postgres;
use serde_json::{Value, json};

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
    waits_for(&server, "bob", 2);
    std::thread::sleep(NOTHING_FOR);
    assert_eq!((accepted(&server, "ana"), accepted(&server, "bob")), (2, 2));
    assert_eq!(server.sink.taken().len(), 4);
    assert!(server.stop());

    let checked = relance(&["doctor", "--data", data]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        text.contains("database") && !text.contains("pass-word"),
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
