//! Segments as the people who define them meet them: files, the command line, the API.

mod build;
mod defined;
mod lists;
mod live;
mod rfm;
mod search;

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::journeys::{ask, done, folder};
use crate::server::{Answer, Server, path_text, relance, until};

/// `relance segment ...` through a running server.
fn segment(server: &Server, words: &[&str]) -> Output {
    let url = server.url();
    let target = ["--server", &url, "--token", &server.api_token];
    relance(&[&["segment"], words, &target].concat())
}

/// `relance segment ...` in a data folder.
fn inside(data: &Path, words: &[&str]) -> Output {
    relance(&[&["segment"], words, &["--data", path_text(data)]].concat())
}

/// Applies files, which must be good; returns what it told as JSON.
pub fn apply(server: &Server, files: &[(&str, &str)], more: &[&str]) -> Value {
    let scenario = folder(files);
    let words = [&["apply", path_text(scenario.path()), "--json"], more].concat();
    let text = done(&crate::journeys::through(server, &words));
    serde_json::from_str(&text).expect("JSON")
}

/// A segment as the API tells it.
fn one(server: &Server, id: &str) -> Value {
    server.api(&format!("segments/{id}"))
}

/// Waits until a segment is built, and has so many members.
pub fn ready(server: &Server, id: &str, members: u64) -> Value {
    until(&format!("{members} members of {id}"), || {
        let told = one(server, id);
        let is_ready = told["state"] == "ready" && told["members"] == members;
        is_ready.then_some(told)
    })
}

/// The segments that a contact belongs to.
fn of(server: &Server, user: &str) -> Vec<String> {
    let contact = server.contact(user).expect("the contact");
    let id = contact["id"].as_str().expect("an id");
    let told = server.api(&format!("contacts/{id}/segments"));
    let items = told["items"].as_array().expect("items");
    items
        .iter()
        .filter(|one| one["member"] == true)
        .map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Contacts `u0` and on, with the traits that `traits` gives each.
fn people(server: &Server, count: usize, traits: impl Fn(usize) -> Value) {
    let all: Vec<usize> = (0..count).collect();
    for some in all.chunks(100) {
        let calls = some.iter().map(
            |n| json!({ "type": "identify", "userId": format!("u{n}"), "traits": traits(*n) }),
        );
        server.told("batch", &json!({ "batch": calls.collect::<Vec<_>>() }));
    }
}

fn put(server: &Server, path: &str, text: &str) -> Answer {
    ask(server, "PUT", path, text.as_bytes())
}

fn preview(server: &Server, text: &str) -> Value {
    let answer = ask(server, "POST", "segments/preview?sample=5", text.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}
