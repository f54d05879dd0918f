//! Raw requests recorded from nine real SDKs, played against the running server.

use std::path::PathBuf;

use serde_json::json;

use crate::ingest::gzip;
use crate::server::{Answer, Server, basic};

/// Where test material is; `None`, with a word, when it is not there.
fn corpora(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("RELANCE_CORPORA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(
        !ci,
        "the corpora are missing at {}; set RELANCE_CORPORA",
        root.display()
    );
    eprintln!(
        "SKIPPED: no corpora at {}; set RELANCE_CORPORA",
        root.display()
    );
    None
}

/// A request as an SDK sent it.
struct Recorded {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    /// The body was packed on the wire, and is shown unpacked.
    packed: bool,
}

fn recorded(text: &str) -> Vec<Recorded> {
    text.split("### request ")
        .skip(1)
        .map(|block| {
            let mut lines = block.lines().skip(1);
            let mut packed = false;
            let mut first = lines.next().expect("a request line");
            while let Some(comment) = first.strip_prefix("# ") {
                packed |= comment.starts_with("body was gzip");
                first = lines.next().expect("a request line");
            }
            let mut words = first.split(' ');
            let (method, path) = (
                words.next().expect("a method"),
                words.next().expect("a path"),
            );
            let headers = lines
                .by_ref()
                .map_while(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let body: Vec<&str> = lines.collect();
            Recorded {
                method: method.to_owned(),
                path: path.to_owned(),
                headers,
                body: body.join("\n").trim().to_owned(),
                packed,
            }
        })
        .collect()
}

/// Plays a recording against the server, the recorded key `WK` replaced by its own.
fn play(server: &Server, file: &str, request: &Recorded) -> Answer {
    let key = basic(&server.write_key);
    let body = request
        .body
        .replace("\"WK\"", &format!("\"{}\"", server.write_key));
    let body = if request.packed {
        gzip(&body)
    } else {
        body.into_bytes()
    };
    let headers: Vec<(&str, &str)> = request
        .headers
        .iter()
        .filter(|(name, _)| {
            !["host", "connection", "content-length"].contains(&name.to_lowercase().as_str())
        })
        .map(|(name, value)| match name.to_lowercase().as_str() {
            "authorization" if value == "Basic V0s6" => (name.as_str(), key.as_str()),
            _other => (name.as_str(), value.as_str()),
        })
        .collect();
    let path = request
        .path
        .replace("/WK/", &format!("/{}/", server.write_key));
    let path = path.replace("writeKey=WK", &format!("writeKey={}", server.write_key));
    eprintln!("{file}: {} {path}", request.method);
    server.request(&request.method, &path, &headers, &body)
}

#[test]
fn recorded_requests_of_real_sdks_are_taken() {
    let Some(folder) = corpora("clients") else {
        return;
    };
    // User ids and anonymous ids are the same in all recordings, so each meets a server of its own.
    for (file, events) in [
        ("segment_browser.http", 5),
        ("segment_browser_batching.http", 3),
        ("segment_node.http", 6),
        ("segment_py.http", 6),
        ("rudder_browser.http", 4),
        ("rudder_node.http", 2),
        ("rudder_py.http", 3),
    ] {
        let server = Server::start("");
        let text = std::fs::read_to_string(folder.join(file)).expect("a recording");
        let mut posts = 0;
        for request in recorded(&text) {
            let answer = play(&server, file, &request);
            assert_eq!(answer.status, 200, "{file}: {}", answer.text());
            if request.method == "POST" {
                posts += 1;
                assert_eq!(answer.json(), json!({ "success": true }), "{file}");
            }
        }
        assert!(posts > 0, "{file}");
        let taken = server.metric("relance_calls_total{result=\"ok\"}");
        assert!(taken >= events, "{file}: {taken} events");
        if file != "segment_browser_batching.http" {
            let contact = server.contact("u1").expect("the contact");
            assert_eq!(contact["traits"]["email"], "anna@example.com", "{file}");
        }
        // The same recording again: every client sets `messageId`.
        let before = server.metric("relance_repeated_total");
        for request in recorded(&text) {
            assert_eq!(play(&server, file, &request).status, 200);
        }
        assert_eq!(
            server.metric("relance_repeated_total") - before,
            taken,
            "{file}"
        );
    }
}

/// Customer.io's and Dittofeed's own paths are compat layers of a later issue; until then each gets a clear
/// refusal and nothing else happens.
#[test]
fn recorded_requests_for_other_products_are_refused_clearly() {
    let Some(folder) = corpora("clients") else {
        return;
    };
    let server = Server::start("");
    for file in [
        "customerio_node.http",
        "customerio_python.http",
        "dittofeed.http",
    ] {
        let text = std::fs::read_to_string(folder.join(file)).expect("a recording");
        for request in recorded(&text) {
            let answer = play(&server, file, &request);
            assert!(
                [401, 404, 405].contains(&answer.status),
                "{file}: {}",
                answer.status
            );
            answer.problem();
        }
    }
    assert_eq!(server.api("overview")["events"], 0);
}
