//! R10: a restored or copied database sends nothing until a person releases it, and shows what is overdue.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use relance_store::read::Reader;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, path_text, program, relance, until};

/// How long a quiet workspace is watched for a mail that must not come. Long after everything came due.
const NOTHING_FOR: Duration = Duration::from_secs(2);
/// Kills while the program starts or has just started.
const KILLS: u64 = 100;
/// The shortest time within which a kill comes; the longest is sixteen times as long.
const KILL_WITHIN_MS: u64 = 30;

const LATER: &str = "format: journey/1
id: later
trigger: { event: Signed Up }
steps:
  - wait: 3s
  - send: email
    template: hello
";
const AT_ONCE: &str = "format: journey/1
id: at-once
trigger: { event: Asked }
steps:
  - send: email
    template: hello
";
const TWICE: &str = "format: journey/1
id: twice
trigger: { event: Asked Twice }
steps:
  - send: email
    template: hello
  - send: email
    template: hello
";
const HELLO: &str = "---\nsubject: Hello\n---\nHello {{ contact.name }}\n";

fn server() -> Server {
    let server = Server::start("");
    server.apply_files(&[
        ("later.yaml", LATER),
        ("at-once.yaml", AT_ONCE),
        ("twice.yaml", TWICE),
        ("hello.txt", HELLO),
    ]);
    server
}

fn email(user: &str) -> String {
    format!("{user}@client.test")
}

fn happens(server: &Server, user: &str, event: &str) {
    let traits = json!({ "email": email(user), "name": user });
    server.told("identify", &json!({ "userId": user, "traits": traits }));
    server.told("track", &json!({ "userId": user, "event": event }));
}

/// Everything in a folder, as `cp -r` would do it.
fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

fn status(server: &Server) -> Value {
    server.api("status")
}

fn assert_works(server: &Server, why: &str) {
    assert_eq!(
        status(server)["quiet"],
        Value::Null,
        "{why}\n{}",
        server.log()
    );
    assert_eq!(server.metric("relance_quiet"), 0, "{why}");
}

fn assert_quiet(server: &Server, reason: &str) {
    let status = status(server);
    assert_eq!(status["quiet"]["reason"], reason, "{status}");
    assert_eq!(server.metric("relance_quiet"), 1);
    assert_eq!(server.get("/readyz").status, 200);
    assert!(server.log().contains("relance release"), "{}", server.log());
}

fn release(server: &Server, body: &Value) -> Value {
    let token = format!("Bearer {}", server.api_token);
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
    ];
    let answer = server.request(
        "POST",
        "/api/v1/release",
        &headers,
        body.to_string().as_bytes(),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The database alone, whole and as of now, while the program runs or not.
fn backup(data: &Path, to: &Path) {
    let reader = Reader::open(&data.join("relance.db")).expect("opens");
    reader.backup(to).expect("copies");
}

/// Puts a database back over the one that is there: the same file with other contents.
fn restore(from: &Path, data: &Path) {
    for log in ["relance.db-wal", "relance.db-shm"] {
        // A server that ended politely has left none.
        let _absent = fs::remove_file(data.join(log));
    }
    fs::copy(from, data.join("relance.db")).expect("restored");
}

/// A copy of a live folder in which one message is due in a run, taken while the original still runs.
/// The original is gone when it starts.
fn started_copy() -> Server {
    let mut server = server();
    happens(&server, "ana", "Signed Up");
    server.ledger_line("ana", "waiting");
    let folder = TempDir::new().expect("a folder");
    copy_folder(server.data.path(), folder.path());
    server.kill();
    server.data = folder;
    server.start_again();
    until("the timer to come due", || {
        (status(&server)["overdue"]["timers"]["count"] == 1).then_some(())
    });
    server
}

#[test]
fn a_copy_takes_events_shows_what_is_overdue_and_sends_only_after_its_release() {
    let mut server = started_copy();
    assert_quiet(&server, "copied");
    // What happens is kept and begins runs; nothing leaves.
    happens(&server, "bob", "Asked");
    assert_eq!(server.events_named("bob", "Asked").len(), 1);
    std::thread::sleep(NOTHING_FOR);
    assert_eq!(server.sink.taken().len(), 0);

    let told = status(&server);
    let overdue = &told["overdue"];
    assert_eq!(overdue["timers"]["count"], 1, "{told}");
    assert_eq!(overdue["messages"]["count"], 1, "{told}");
    let expected = json!([
        { "journey": "at-once", "timers": 0, "messages": 1 },
        { "journey": "later", "timers": 1, "messages": 0 },
    ]);
    assert_eq!(overdue["journeys"], expected);
    let moment = |name: &str| -> jiff::Timestamp {
        let text = overdue[name].as_str().expect("a moment");
        text.parse().expect("a moment")
    };
    assert!(moment("earliest") < moment("latest"), "{told}");
    // What the interface shows of it on every page.
    let quiet = &told["quiet"];
    assert_eq!(quiet["reason"], "copied", "{told}");
    assert!(
        quiet["remedy"]
            .as_str()
            .is_some_and(|text| text.contains("release")),
        "{told}"
    );

    // It stays so over a restart.
    server.stop();
    server.start_again();
    assert_quiet(&server, "copied");
    assert_eq!(server.sink.taken().len(), 0);

    let answer = release(&server, &json!({}));
    assert_eq!(answer, json!({ "released": true, "overdue": "send" }));
    server.sink.wait_for(&email("ana"));
    server.sink.wait_for(&email("bob"));
    assert_works(&server, "released");
    assert_eq!(status(&server)["quiet"], Value::Null);
    assert_eq!(release(&server, &json!({}))["released"], false);
    server.kill();
    server.start_again();
    assert_works(&server, "released, and killed");
    assert_eq!(server.sink.taken().len(), 2, "each once");
}

#[test]
fn what_is_overdue_can_be_left_out_and_runs_go_on() {
    let server = started_copy();
    happens(&server, "bob", "Asked");
    // The second came due with the first.
    happens(&server, "dora", "Asked Twice");
    let answer = release(&server, &json!({ "overdue": "skip" }));
    assert_eq!(answer["released"], true);
    for (user, messages) in [("ana", 1), ("bob", 1), ("dora", 2)] {
        server.ledger_line(user, "finished");
        let lines = server.ledger(user);
        let skipped = lines.iter().filter(|line| line["what"] == "skipped");
        assert_eq!(skipped.count(), messages, "{lines:#?}");
    }
    // What happens from now on is treated as ever.
    happens(&server, "carl", "Asked");
    server.sink.wait_for(&email("carl"));
    assert_eq!(server.sink.taken().len(), 1);
    let told = status(&server);
    assert_eq!(told["overdue"]["timers"]["count"], 0, "{told}");
    let token = format!("Bearer {}", server.api_token);
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
    ];
    let body = br#"{"overdue":"later"}"#;
    let answer = server.request("POST", "/api/v1/release", &headers, body);
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "bad_overdue")
    );
    let answer = server.request("POST", "/api/v1/release", &[], body);
    assert_eq!(answer.status, 401);
}

#[test]
fn an_older_database_put_back_over_the_newer_is_quiet_until_the_command_releases_it() {
    let mut server = server();
    happens(&server, "ana", "Asked");
    server.sink.wait_for(&email("ana"));
    server.ledger_line("ana", "finished");
    server.stop();
    let backups = TempDir::new().expect("a folder");
    let older = backups.path().join("older.db");
    backup(server.data.path(), &older);
    server.start_again();
    assert_works(&server, "the same file");
    happens(&server, "bob", "Signed Up");
    server.stop();
    restore(&older, server.data.path());
    server.start_again();
    assert_quiet(&server, "restored");

    let data = path_text(server.data.path()).to_owned();
    let refused = relance(&["release", "--data", &data]);
    assert_eq!(refused.status.code(), Some(2), "a server runs there");
    server.stop();
    let checked = relance(&["doctor", "--data", &data, "--json"]);
    let lines = String::from_utf8(checked.stdout).expect("text");
    let line: Value = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find(|line| line["check"] == "copy")
        .expect("a line about copies");
    assert_eq!(line["ok"], false, "{line}");
    assert!(
        line["text"]
            .as_str()
            .is_some_and(|text| text.contains("relance release"))
    );
    let released = relance(&["release", "--data", &data, "--json"]);
    assert!(released.status.success(), "{released:?}");
    let released: Value = serde_json::from_slice(&released.stdout).expect("JSON");
    assert_eq!(released["released"], true);
    server.start_again();
    assert_works(&server, "released by the command");
    happens(&server, "carl", "Asked");
    server.sink.wait_for(&email("carl"));
}

#[test]
fn a_database_of_a_minute_ago_is_told_by_what_left_since() {
    let mut server = server();
    happens(&server, "ana", "Signed Up");
    server.ledger_line("ana", "waiting");
    let backups = TempDir::new().expect("a folder");
    let older = backups.path().join("older.db");
    // The token is still the same when the backup is put back.
    backup(server.data.path(), &older);
    server.sink.wait_for(&email("ana"));
    server.kill();
    restore(&older, server.data.path());
    server.start_again();
    assert_quiet(&server, "older_than_sent");
    std::thread::sleep(NOTHING_FOR);
    assert_eq!(server.sink.taken().len(), 1, "never twice by itself");
}

#[test]
fn a_folder_that_is_renamed_is_no_copy() {
    let mut server = server();
    happens(&server, "ana", "Signed Up");
    server.kill();
    let beside = server.data.path().parent().expect("a folder");
    let moved = TempDir::new_in(beside).expect("a folder");
    fs::rename(server.data.path(), moved.path()).expect("renamed");
    server.data = moved;
    server.start_again();
    assert_works(&server, "the same file under another name");
    server.sink.wait_for(&email("ana"));
    // Without the file beside it nobody knows where a database comes from.
    server.stop();
    fs::remove_file(server.data.path().join("relance.witness")).expect("removed");
    server.start_again();
    assert_quiet(&server, "witness_missing");
}

#[test]
fn what_was_in_flight_in_a_copy_is_not_sent_again() {
    let mut server = server();
    server.stop();
    // A mail server that takes connections and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mute = listener.local_addr().expect("an address").port();
    let route = |server: &Server, from: u16, to: u16| {
        let path = server.data.path().join("relance.toml");
        let text = fs::read_to_string(&path).expect("a configuration");
        let (from, to) = (format!("port = {from}"), format!("port = {to}"));
        fs::write(&path, text.replace(&from, &to)).expect("a configuration");
    };
    let sink = server.sink.port;
    route(&server, sink, mute);
    server.start_again();
    happens(&server, "ana", "Asked");
    let in_flight = |server: &Server| server.api("overview")["sending"] == 1;
    until("the message to be in flight", || {
        in_flight(&server).then_some(())
    });
    let folder = TempDir::new().expect("a folder");
    copy_folder(server.data.path(), folder.path());
    server.kill();
    server.data = folder;
    route(&server, mute, sink);
    for _ in 0..2 {
        server.start_again();
        assert_quiet(&server, "copied");
        assert!(in_flight(&server));
        server.kill();
    }
    // After a crash it would be known not to have left. The original may have sent it since.
    let data = path_text(server.data.path());
    assert!(relance(&["release", "--data", data]).status.success());
    server.start_again();
    let line = server.ledger_line("ana", "failed");
    assert_eq!(line["reason"], "unknown", "{line}");
    server.ledger_line("ana", "finished");
    assert_eq!(server.sink.taken().len(), 0);
}

#[test]
fn killed_at_any_point_of_its_start_a_workspace_is_never_taken_for_a_copy() {
    let mut server = server();
    server.kill();
    let data = server.data.path().to_owned();
    let mut seed = 10_u64;
    for kill in 0..KILLS {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695);
        // On an idle machine the witness is written some 20 ms after the start; on a busy one, later.
        let within = KILL_WITHIN_MS << (kill % 5);
        let pause = Duration::from_micros((seed >> 33) % (within * 1_000));
        let mut child = Command::new(program())
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        std::thread::sleep(pause);
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    // Once noticed, it would stay so.
    server.start_again();
    assert_works(&server, "after all kills");
    assert!(server.stop());
    server.start_again();
    assert_works(&server, "after a polite end");
}
