//! A real Relance for tests: the program itself, on a free port, with a data folder and a mail server that
//! keeps what it gets. It ends with the test, also when that panics.
//!
//! **Absent:** anything of a particular test; an IMAP server (see `daemon`).

#![allow(dead_code, reason = "each test uses its part of the harness")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::sink::SmtpSink;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// The agent of a person's browser.
pub const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
/// How recipients reach the server, as its configuration says; tests reach it by its port.
pub const PUBLIC_URL: &str = "https://go.lumen.test";
/// Attempts to find a port that nobody else takes before the server does.
const PORT_ATTEMPTS: usize = 5;

/// Asks again and again until the answer is there.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The program's path.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_relance")
}

/// Runs the program to its end.
pub fn relance(arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .output()
        .expect("the program runs")
}

/// A folder of the workspace, such as `assets/scenarios/welcome`.
pub fn workspace_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// A running server.
pub struct Server {
    pub data: TempDir,
    pub port: u16,
    pub write_key: String,
    pub api_token: String,
    pub sink: SmtpSink,
    child: Running,
}

impl Server {
    /// With an empty workspace. `more` is added to the section `[workspace]` of the configuration.
    pub fn start(more: &str) -> Self {
        let data = TempDir::new().expect("a folder");
        let sink = SmtpSink::start();
        let made = relance(&["init", "--json", "--data", path_text(data.path())]);
        assert!(made.status.success(), "{made:?}");
        let keys: Value = serde_json::from_slice(&made.stdout).expect("one JSON object");
        let key = |name: &str| keys[name].as_str().expect("a key").to_owned();
        write_config(data.path(), &sink, more);
        Self::begin(data, sink, key("write_key"), key("api_token"))
    }

    /// The first of several nodes on a new workspace of a database server.
    pub fn first_node(url: &str, name: &str) -> Self {
        Self::first_node_with(url, name, "")
    }

    /// [`first_node`](Self::first_node), with more of its configuration.
    pub fn first_node_with(url: &str, name: &str, more: &str) -> Self {
        let (data, sink) = (TempDir::new().expect("a folder"), SmtpSink::start());
        write_config(data.path(), &sink, &format!("{}{more}", store(url, name)));
        let made = relance(&["init", "--json", "--data", path_text(data.path())]);
        assert!(made.status.success(), "{made:?}");
        let keys: Value = serde_json::from_slice(&made.stdout).expect("one JSON object");
        let key = |name: &str| keys[name].as_str().expect("a key").to_owned();
        Self::begin(data, sink, key("write_key"), key("api_token"))
    }

    /// One more node on the same workspace, with a mail server of its own.
    pub fn another_node(&self, url: &str, name: &str) -> Self {
        self.another_node_with(url, name, "")
    }

    /// [`another_node`](Self::another_node), with more of its configuration.
    pub fn another_node_with(&self, url: &str, name: &str, more: &str) -> Self {
        let (data, sink) = (TempDir::new().expect("a folder"), SmtpSink::start());
        write_config(data.path(), &sink, &format!("{}{more}", store(url, name)));
        Self::begin(data, sink, self.write_key.clone(), self.api_token.clone())
    }

    fn begin(data: TempDir, sink: SmtpSink, write_key: String, api_token: String) -> Self {
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port();
            if let Some(child) = spawn(data.path(), port, &api_token) {
                return Self {
                    write_key,
                    api_token,
                    data,
                    port,
                    sink,
                    child,
                };
            }
        }
        panic!("the server did not start:\n{}", log(data.path()));
    }

    /// Kills the server as the system would: nothing is finished.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Asks the server to stop, and waits until it has; says whether it ended well.
    pub fn stop(&mut self) -> bool {
        let id = self.child.server.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.expect("kill").success());
        let status = until("the server to stop", || {
            self.child.server.try_wait().expect("a status")
        });
        status.success()
    }

    /// Starts it again on the same folder and port.
    pub fn start_again(&mut self) {
        for _ in 0..PORT_ATTEMPTS {
            if let Some(child) = spawn(self.data.path(), self.port, &self.api_token) {
                self.child = child;
                return;
            }
        }
        panic!("the server did not start again:\n{}", log(self.data.path()));
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Publishes a scenario through the running server.
    pub fn apply(&self, path: &Path) -> Output {
        relance(&[
            "journey",
            "apply",
            path_text(path),
            "--server",
            &self.url(),
            "--token",
            &self.api_token,
            "--json",
        ])
    }

    /// Publishes a scenario that is written here: journeys and templates by file name.
    pub fn apply_files(&self, files: &[(&str, &str)]) {
        let folder = scenario(files);
        let done = self.apply(folder.path());
        assert!(done.status.success(), "{done:?}");
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        request(self.port, method, path, headers, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[("User-Agent", BROWSER)], b"")
    }

    /// A Segment call with the right key.
    pub fn call(&self, word: &str, body: &Value) -> Answer {
        let key = basic(&self.write_key);
        let headers = [
            ("Authorization", &*key),
            ("Content-Type", "application/json"),
        ];
        self.request(
            "POST",
            &format!("/v1/{word}"),
            &headers,
            body.to_string().as_bytes(),
        )
    }

    /// A Segment call that must be taken.
    pub fn told(&self, word: &str, body: &Value) {
        let answer = self.call(word, body);
        assert_eq!(answer.status, 200, "{word}: {}", answer.text());
        assert!(answer.json().get("rejected").is_none(), "{}", answer.text());
    }

    /// A page of the management API.
    pub fn api(&self, path: &str) -> Value {
        let token = format!("Bearer {}", self.api_token);
        let answer = self.request(
            "GET",
            &format!("/api/v1/{path}"),
            &[("Authorization", &token)],
            b"",
        );
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The contact with a user id.
    pub fn contact(&self, user_id: &str) -> Option<Value> {
        let found = self.api(&format!("contacts?user_id={user_id}"));
        found["items"].get(0).cloned()
    }

    fn of_contact(&self, user_id: &str, what: &str) -> Vec<Value> {
        let Some(contact) = self.contact(user_id) else {
            return Vec::new();
        };
        let id = contact["id"].as_str().expect("an id");
        let page = self.api(&format!("contacts/{id}/{what}?limit=200"));
        page["items"].as_array().expect("a list").clone()
    }

    /// Events of a contact, the last first.
    pub fn events(&self, user_id: &str) -> Vec<Value> {
        self.of_contact(user_id, "events")
    }

    /// Events of a contact with a name.
    pub fn events_named(&self, user_id: &str, name: &str) -> Vec<Value> {
        let mut events = self.events(user_id);
        events.retain(|event| event["event"] == name);
        events
    }

    /// Lines of a contact's ledger, the last first.
    pub fn ledger(&self, user_id: &str) -> Vec<Value> {
        self.of_contact(user_id, "ledger")
    }

    /// Waits for a line of the ledger.
    pub fn ledger_line(&self, user_id: &str, what: &str) -> Value {
        until(&format!("{what} in the ledger of {user_id}"), || {
            let lines = self.ledger(user_id);
            lines.into_iter().find(|line| line["what"] == what)
        })
    }

    pub fn touchpoints(&self, user_id: &str) -> Vec<Value> {
        self.of_contact(user_id, "touchpoints")
    }

    /// The value of a line of `/metrics`, 0 when it is not there.
    pub fn metric(&self, line: &str) -> u64 {
        let text = self.get("/metrics").text();
        text.lines()
            .find_map(|own| own.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or(0)
    }

    pub fn log(&self) -> String {
        log(self.data.path())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the server's log\n{}", self.log());
        }
    }
}

/// A server, and a shell that kills it when the test is killed: it reads from a pipe that only the test
/// holds open.
struct Running {
    server: Child,
    watcher: Child,
}

impl Running {
    fn watch(server: Child) -> Self {
        let watcher = Command::new("sh")
            .args(["-c", "read -r _ || kill -9 \"$1\"", "watcher"])
            .arg(server.id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        Self { server, watcher }
    }

    fn kill(&mut self) {
        // Child::kill is SIGKILL, and does nothing to a process that was waited for.
        let _ended_itself = self.server.kill();
        self.server.wait().expect("the server ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        // A line, not the end of the pipe: the id may belong to another process by now.
        if let Some(mut pipe) = self.watcher.stdin.take() {
            let _gone = pipe.write_all(b"\n");
        }
        let _status = self.watcher.wait();
    }
}

/// A folder with a scenario.
pub fn scenario(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    std::fs::create_dir(folder.path().join("templates")).expect("a folder");
    for (name, text) in files {
        let place = if name.ends_with(".yaml") {
            folder.path().join(name)
        } else {
            folder.path().join("templates").join(name)
        };
        std::fs::write(place, text).expect("a file");
    }
    folder
}

pub fn path_text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn log(data: &Path) -> String {
    let text = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn write_config(data: &Path, sink: &SmtpSink, more: &str) {
    let text = format!(
        "[workspace]\nname = \"Lumen & Co\"\npublic_url = \"{PUBLIC_URL}\"\n\
         address = \"news@lumen.test\"\ndelivery = \"smtp\"\n{more}\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
        sink.port
    );
    std::fs::write(data.join("relance.toml"), text).expect("a configuration");
}

/// The section of a node that shares a database with others.
fn store(url: &str, node: &str) -> String {
    format!("[store]\nurl = \"{url}\"\nnode = \"{node}\"\nlease_seconds = 3\n")
}

/// Starts the program and waits until it is ready; `None` when it ended instead.
fn spawn(data: &Path, port: u16, token: &str) -> Option<Running> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(data.join("server.log"))
        .expect("a log");
    let mut child = Command::new(program())
        .args(["serve", "--data", path_text(data)])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .env("RELANCE_LOG", "info")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the program runs");
    let token = format!("Bearer {token}");
    let ready = until("the server to be ready or to end", || {
        if child.try_wait().expect("a status").is_some() {
            return Some(false);
        }
        // The token tells it from the server of another test, which may have been quicker to the port.
        let own = try_request(
            port,
            "GET",
            "/api/v1/overview",
            &[("Authorization", &token)],
            b"",
        );
        own.ok().filter(|answer| answer.status == 200)?;
        let answer = try_request(port, "GET", "/readyz", &[], b"").ok()?;
        (answer.status == 200).then_some(true)
    });
    ready.then(|| Running::watch(child))
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The stable code of a problem, whose form is checked on the way.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        let body = self.json();
        assert_eq!(body["status"], self.status);
        assert!(
            body["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10),
            "{body}"
        );
        body["code"].as_str().expect("a code").to_owned()
    }
}

/// The header of Basic authentication.
pub fn basic(key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{key}:")))
}

pub fn request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    try_request(port, method, path, headers, body)
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

pub fn try_request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    if !body.is_empty() || method == "POST" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // A server that refuses by the head alone need not read on.
    let _unread = stream.write_all(body);
    read_answer(stream)
}

/// Reads an answer to its end.
pub fn read_answer(stream: TcpStream) -> std::io::Result<Answer> {
    let broken = |what: &str| std::io::Error::other(what.to_owned());
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| broken("no status line"))?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse::<u64>().ok());
    let mut body = Vec::new();
    match length {
        // Answers to HEAD tell a length and bring no body: what comes until the end is taken.
        Some(length) => reader.take(length).read_to_end(&mut body)?,
        None => reader.read_to_end(&mut body)?,
    };
    Ok(Answer {
        status,
        headers,
        body,
    })
}
