//! The real Segment clients, unmodified: only their host is changed.
//!
//! They are installed by `scripts/install-sdk-clients.sh`; without them these tests are skipped, and fail
//! when `CI=true`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{Server, workspace_path};

/// Where the clients are; `None`, with a word, when they are not.
fn clients() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let folder = set("RELANCE_SDK_CLIENTS").or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        Some(cache?.join("relance-test/sdk"))
    })?;
    if folder.join(".installed").is_file() {
        return Some(folder);
    }
    let what = "the Segment clients are not installed; run scripts/install-sdk-clients.sh";
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "CI runs every test: {what}");
    eprintln!("SKIPPED: {what}");
    None
}

/// Lets a client send its calls, and follows them to the mail.
fn follow(mut client: Command, user: &str, subject: &str, library: &str) {
    let server = Server::start("");
    let done = server.apply(&workspace_path("assets/scenarios/welcome"));
    assert!(done.status.success(), "{done:?}");
    let email = format!("{user}@client.test");
    let done = client
        .args([&server.url(), &server.write_key, user, &email])
        .output()
        .expect("the client runs");
    assert!(done.status.success(), "{library}: {done:?}");

    let mail = server.sink.wait_for(&email).mail();
    assert!(mail.subject.contains(subject), "{}", mail.subject);
    assert_eq!(
        server.metric("relance_calls_total{result=\"ok\"}"),
        6,
        "{library}"
    );
    let events = server.events(user);
    for kind in ["identify", "track", "page", "screen", "group", "alias"] {
        assert!(
            events.iter().any(|event| event["type"] == kind),
            "{library}: {kind}"
        );
    }
    let contact = server.contact(user).expect("the contact");
    assert_eq!(contact["traits"]["account"]["name"], "Acme");
    let former = server.api(&format!("contacts?anonymous_id=anonymous-of-{user}"));
    assert_eq!(former["items"][0]["id"], contact["id"]);
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sdk")
        .join(name)
}

#[test]
fn the_client_for_node_sends_and_the_mail_arrives() {
    let Some(clients) = clients() else { return };
    let mut node = Command::new("node");
    node.arg(script("client.mjs"))
        .env("NODE_CLIENT_FOLDER", clients.join("node"));
    follow(node, "node-1", "Welcome, Ana", "@segment/analytics-node");
}

#[test]
fn the_client_for_python_sends_and_the_mail_arrives() {
    let Some(clients) = clients() else { return };
    let mut python = Command::new(clients.join("python/bin/python"));
    python.arg(script("client.py"));
    follow(python, "python-1", "Борис", "segment-analytics-python");
}

#[test]
fn clients_are_told_that_a_key_is_wrong() {
    let Some(clients) = clients() else { return };
    let server = Server::start("");
    let mut node = Command::new("node");
    node.arg(script("client.mjs"))
        .env("NODE_CLIENT_FOLDER", clients.join("node"));
    let mut python = Command::new(clients.join("python/bin/python"));
    python.arg(script("client.py"));
    for mut client in [node, python] {
        let done = client
            .args([&server.url(), "wk_wrong", "u1", "u1@client.test"])
            .output()
            .expect("the client runs");
        let text = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && text.contains("401"), "{done:?}");
    }
    assert!(server.contact("u1").is_none());
}
