//! Journeys as the people who publish and watch over them meet them: the command line and the API.

mod apply;
mod approvals;
mod armed;
mod backtest;
mod hostile;
mod life;
mod people;
mod preview;
mod start;

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Answer, Server, path_text, relance, until};

/// Events of one call of the batch endpoint.
const BATCH: usize = 100;

/// A folder with files, by their paths inside it.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in files {
        put(folder.path(), name, text);
    }
    folder
}

pub fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, text).expect("a file");
    path
}

/// `relance journey ...` through a running server.
pub fn through(server: &Server, words: &[&str]) -> Output {
    let url = server.url();
    let target = ["--server", &url, "--token", &server.api_token];
    relance(&[&["journey"], words, &target].concat())
}

/// `relance journey ...` in a data folder.
pub fn inside(data: &Path, words: &[&str]) -> Output {
    relance(&[&["journey"], words, &["--data", path_text(data)]].concat())
}

pub fn out(done: &Output) -> String {
    String::from_utf8(done.stdout.clone()).expect("text")
}

pub fn err(done: &Output) -> String {
    String::from_utf8(done.stderr.clone()).expect("text")
}

/// What a command that must do its work printed.
pub fn done(done: &Output) -> String {
    assert!(done.status.success(), "{done:?}");
    out(done)
}

/// What a command that must not do it told, with its exit code.
pub fn refused(done: &Output, code: i32) -> String {
    assert_eq!(done.status.code(), Some(code), "{done:?}");
    err(done)
}

pub fn ask(server: &Server, method: &str, path: &str, body: &[u8]) -> Answer {
    let token = format!("Bearer {}", server.api_token);
    let length = body.len().to_string();
    let mut headers = vec![
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
    ];
    if method == "PUT" {
        headers.push(("Content-Length", &length));
    }
    server.request(method, &format!("/api/v1/{path}"), &headers, body)
}

pub fn post(server: &Server, path: &str, body: &Value) -> Answer {
    ask(server, "POST", path, body.to_string().as_bytes())
}

/// What a request that must be done is answered.
pub fn told(server: &Server, path: &str, body: &Value) -> Value {
    let answer = post(server, path, body);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// The status and detail of a request that must not be done, in the form of RFC 9457.
pub fn problem(answer: &Answer) -> (u16, String, String) {
    let code = answer.problem();
    let detail = answer.json()["detail"]
        .as_str()
        .expect("a detail")
        .to_owned();
    (answer.status, code, detail)
}

pub fn identify(server: &Server, user: &str, more: &Value) {
    let mut traits = json!({ "email": format!("{user}@client.test"), "name": user });
    for (name, value) in more.as_object().into_iter().flatten() {
        traits[name] = value.clone();
    }
    server.told("identify", &json!({ "userId": user, "traits": traits }));
}

pub fn track(server: &Server, user: &str, event: &str) {
    server.told("track", &json!({ "userId": user, "event": event }));
}

/// The same event of many contacts, `u0` and on.
fn track_all(server: &Server, contacts: usize, event: &str) {
    let all: Vec<usize> = (0..contacts).collect();
    for some in all.chunks(BATCH) {
        let calls = some
            .iter()
            .map(|n| json!({ "type": "track", "userId": format!("u{n}"), "event": event }));
        server.told("batch", &json!({ "batch": calls.collect::<Vec<_>>() }));
    }
}

fn journey(server: &Server, id: &str) -> Value {
    server.api(&format!("journeys/{id}"))
}

pub fn lines(server: &Server, user: &str, journey: &str, what: &str) -> Vec<Value> {
    let mut lines = server.ledger(user);
    lines.retain(|line| line["journey"] == journey && line["what"] == what);
    lines
}

/// Waits for a line of the ledger about a journey.
pub fn line(server: &Server, user: &str, journey: &str, what: &str) -> Value {
    until(&format!("{what} of {journey} for {user}"), || {
        lines(server, user, journey, what).into_iter().next()
    })
}
