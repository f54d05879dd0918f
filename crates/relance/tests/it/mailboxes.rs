//! Mailboxes connected in the interface: by a password and by a provider's leave, on a real Dovecot that asks a played
//! provider whose a token is.
//!
//! The workspace runs inside the test.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use relance::access::account::setup_link;
use relance::access::{Cost, Options};
use relance::config::Config;
use relance::workspace::Workspace;
use relance_engine::clock::SystemClock;
use serde_json::{Value, json};
use sha2::Digest as _;
use tempfile::TempDir;

use crate::daemon::dovecot::Dovecot;
use crate::daemon::postfix::Postfix;
use crate::daemon::{PASSWORD, User};
use crate::server::{Answer, request, until};

pub const ANNA: &str = "anna@shop.test";
const BORIS: &str = "boris@shop.test";
const OLGA: &str = "olga@shop.test";
const OWN_PASSWORD: &str = "correct horse battery";

/// A workspace that runs here, with its first admin.
pub struct House {
    pub workspace: Arc<Workspace>,
    pub data: TempDir,
    port: u16,
    pub runtime: tokio::runtime::Runtime,
    pub admin: Browser,
}

/// A browser with its cookies, and what the page was told.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    cookie: String,
    csrf: String,
}

fn open(runtime: &tokio::runtime::Runtime, data: &std::path::Path) -> (Arc<Workspace>, u16) {
    let config = Config::load(data).expect("a configuration");
    let options = Options {
        cost: Cost {
            memory_kib: 8,
            passes: 1,
        },
        clock: Arc::new(SystemClock),
    };
    runtime.block_on(async {
        let workspace = Workspace::open_with(data, config, Arc::new(SystemClock), options);
        let workspace = workspace.expect("opens");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let app = relance::http::router(workspace.clone());
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (workspace, port)
    })
}

impl House {
    pub fn open(dovecot: &Dovecot, more: &str) -> Self {
        let data = TempDir::new().expect("a folder");
        let config = format!(
            "[workspace]\nname = \"Shop\"\npublic_url = \"http://shop.test\"\ninternal_domains = [\"shop.test\"]\n{more}"
        );
        std::fs::write(data.path().join("relance.toml"), config).expect("writes");
        std::fs::copy(dovecot.authority_file(), data.path().join("mail-ca.pem")).expect("copies");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (workspace, port) = open(&runtime, data.path());
        let mut house = Self {
            workspace,
            data,
            port,
            runtime,
            admin: Browser::default(),
        };
        let link = setup_link(&house.workspace, "http://shop.test");
        let link = house.runtime.block_on(link).expect("a link");
        let link = link.rsplit('/').next().unwrap_or_default();
        let link = link.rsplit(['#', '=']).next().unwrap_or_default();
        let body =
            json!({ "link": link, "address": OLGA, "name": "Olga", "password": OWN_PASSWORD });
        let answer = house.ask("POST", "/api/v1/setup", &Browser::default(), Some(&body));
        house.admin = browser(&answer);
        house
    }

    pub fn ask(&self, method: &str, path: &str, who: &Browser, body: Option<&Value>) -> Answer {
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut headers = vec![("User-Agent", "Test browser")];
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        if !who.cookie.is_empty() {
            headers.push(("Cookie", &who.cookie));
            headers.push(("X-Relance-Csrf", &who.csrf));
        }
        request(self.port, method, path, &headers, text.as_bytes())
    }

    pub fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, &self.admin, Some(body));
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        match answer.text().is_empty() {
            true => Value::Null,
            false => answer.json(),
        }
    }

    /// A salesperson who is signed in.
    fn salesperson(&self, address: &str) -> Browser {
        let made = self.call(
            "POST",
            "/api/v1/users",
            &json!({ "address": address, "role": "salesperson", "mail": false }),
        );
        let token = made["link"].as_str().unwrap_or_default();
        let token = token.rsplit(['/', '#', '=']).next().unwrap_or_default();
        let path = format!("/api/v1/invitations/{token}");
        let body = json!({ "password": OWN_PASSWORD });
        let answer = self.ask("POST", &path, &Browser::default(), Some(&body));
        assert_eq!(answer.status, 200, "{}", answer.text());
        browser(&answer)
    }

    pub fn mailbox(&self, address: &str) -> Value {
        let page = self
            .ask("GET", "/api/v1/mailboxes", &self.admin, None)
            .json();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let found = items.into_iter().find(|one| one["address"] == address);
        found.unwrap_or(Value::Null)
    }

    pub fn wait_state(&self, address: &str, state: &str) -> Value {
        until(&format!("{address} {state}"), || {
            let mailbox = self.mailbox(address);
            if mailbox["state"] != state {
                eprintln!("{}: {}", mailbox["state"], mailbox["failure"]);
            }
            (mailbox["state"] == state).then_some(mailbox)
        })
    }

    pub fn audit(&self) -> Vec<String> {
        let page = self.ask("GET", "/api/v1/audit", &self.admin, None).json();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let actions = items.iter().filter_map(|line| line["action"].as_str());
        actions.map(str::to_owned).collect()
    }

    /// Stops, and opens the same folder again.
    fn again(&mut self) {
        self.workspace.stop();
        let (workspace, port) = open(&self.runtime, self.data.path());
        self.workspace = workspace;
        self.port = port;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.workspace.stop();
    }
}

fn browser(answer: &Answer) -> Browser {
    let cookie = answer.header("set-cookie").unwrap_or_default();
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let csrf = answer.json()["csrf"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Browser { cookie, csrf }
}

pub fn servers(dovecot: &Dovecot) -> Value {
    json!({ "host": "127.0.0.1", "port": dovecot.imaps_port(), "tls": "implicit" })
}

pub fn mail(id: &str) -> Vec<u8> {
    format!("From: client@client.test\r\nTo: {ANNA}\r\nSubject: {id}\r\nMessage-ID: <{id}@client.test>\r\n\r\nHello {id}\r\n")
        .into_bytes()
}

#[test]
fn a_mailbox_is_connected_read_paused_changed_and_removed_while_the_program_runs() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA), User::new(BORIS)]) else {
        return;
    };
    let mut house = House::open(&dovecot, "");
    let imap = servers(&dovecot);
    let check = json!({ "address": ANNA, "imap": imap, "password": "wrong" });
    let refused = house.call("POST", "/api/v1/mailboxes/check", &check);
    assert_eq!(refused["ok"], false, "{refused}");
    let last = refused["steps"]
        .as_array()
        .and_then(|steps| steps.last())
        .cloned();
    assert_eq!(
        last.as_ref().map(|step| &step["code"]),
        Some(&json!("password_refused")),
        "{refused}"
    );
    let check = json!({ "address": ANNA, "imap": imap, "password": PASSWORD });
    let tried = house.call("POST", "/api/v1/mailboxes/check", &check);
    assert_eq!(tried["ok"], true, "{tried}");
    let folders = tried["folders"].as_array().cloned().unwrap_or_default();
    assert!(
        folders
            .iter()
            .any(|folder| folder["name"] == "Sent" && folder["role"] == "sent"),
        "{tried}"
    );

    let path = format!("/api/v1/mailboxes/{ANNA}");
    let body = json!({ "imap": imap, "password": PASSWORD, "name": "Anna" });
    let made = house.call("PUT", &path, &body);
    assert!(!made.to_string().contains(PASSWORD));
    let live = house.wait_state(ANNA, "live");
    assert_eq!(live["origin"], "here");
    assert_eq!(live["folders"]["sent"], "Sent");
    dovecot.deliver(ANNA, "INBOX", &mail("one"));
    until("the mail", || {
        (house.mailbox(ANNA)["seen"] == 1).then_some(())
    });
    assert_eq!(dovecot.seen(ANNA, "INBOX"), 0, "nothing is marked as read");

    // The secret is in the database, and cannot be read there.
    let kept = house
        .workspace
        .reader
        .text("mailbox", ANNA)
        .expect("reads")
        .expect("a mailbox");
    assert!(
        kept.body.contains("sealed/1:") && !kept.body.contains(PASSWORD),
        "{}",
        kept.body
    );

    // Another revision is refused; a saved password goes to no other server.
    let stale = [("If-Match", "\"0\"")];
    let mut headers = vec![
        ("Cookie", house.admin.cookie.as_str()),
        ("X-Relance-Csrf", house.admin.csrf.as_str()),
        ("Content-Type", "application/json"),
    ];
    headers.extend(stale);
    let answer = request(
        house.port,
        "PUT",
        &path,
        &headers,
        json!({ "name": "x" }).to_string().as_bytes(),
    );
    assert_eq!(answer.status, 412, "{}", answer.text());
    let moved = json!({ "imap": { "host": "imap.evil.test", "port": 993, "tls": "implicit" } });
    let answer = house.ask("PUT", &path, &house.admin, Some(&moved));
    assert_eq!(
        (answer.status, answer.json()["fields"][0]["field"].clone()),
        (422, json!("password"))
    );

    house.call("POST", &format!("{path}/pause"), &json!({}));
    house.wait_state(ANNA, "paused");
    until("the watcher is gone", || {
        house.workspace.mailboxes.watched().is_empty().then_some(())
    });
    dovecot.deliver(ANNA, "INBOX", &mail("two"));
    // It stays paused over a restart, and goes on where it was.
    house.again();
    assert_eq!(house.mailbox(ANNA)["state"], "paused");
    house.call("POST", &format!("{path}/resume"), &json!({}));
    house.wait_state(ANNA, "live");
    until("what came meanwhile", || {
        (house.mailbox(ANNA)["seen"] == 1).then_some(())
    });

    // A wrong password is told; the right one heals it.
    house.call("PUT", &path, &json!({ "password": "wrong" }));
    dovecot
        .doveadm()
        .args(["kick", ANNA])
        .output()
        .expect("kicks");
    let refused = house.wait_state(ANNA, "login_refused");
    assert_eq!(refused["failure"]["code"], "password_refused");
    house.call("PUT", &path, &json!({ "password": PASSWORD }));
    house.wait_state(ANNA, "live");

    // A salesperson sees and changes the own mailbox alone.
    let boris = house.salesperson(BORIS);
    let page = house.ask("GET", "/api/v1/mailboxes", &boris, None).json();
    assert_eq!(page["items"], json!([]));
    let other = house.ask("PUT", &path, &boris, Some(&json!({ "name": "Boris" })));
    assert_eq!((other.status, &*other.problem()), (403, "not_your_mailbox"));
    let own = format!("/api/v1/mailboxes/{BORIS}");
    let body = json!({ "imap": imap, "password": PASSWORD });
    let inside = house.ask("PUT", &own, &boris, Some(&body));
    assert_eq!(
        inside.status,
        422,
        "the own network is for admins: {}",
        inside.text()
    );

    let gone = house.call("DELETE", &path, &json!({}));
    assert_eq!(gone["revoked"], "none");
    assert_eq!(house.mailbox(ANNA), Value::Null);
    until("nothing is watched", || {
        house.workspace.mailboxes.watched().is_empty().then_some(())
    });
    let audit = house.audit();
    for action in [
        "mailbox.connect",
        "mailbox.pause",
        "mailbox.resume",
        "mailbox.change",
        "mailbox.remove",
    ] {
        assert!(
            audit.iter().any(|own| own == action),
            "{action} in {audit:?}"
        );
    }
}

/// A provider of tokens that is played here.
#[derive(Default)]
struct Played {
    /// Access tokens that are good, with whose they are.
    good: Mutex<BTreeMap<String, String>>,
    /// Refresh tokens that are good.
    refresh: Mutex<BTreeSet<String>>,
    /// What the browser was sent with.
    challenge: Mutex<String>,
    revoked: Mutex<Vec<String>>,
    refreshed: Mutex<u32>,
}

type Fields = BTreeMap<String, String>;

fn text(fields: &Fields, name: &str) -> String {
    fields.get(name).cloned().unwrap_or_default()
}

impl Played {
    fn access(&self) -> String {
        let mut good = self.good.lock().expect("no panic");
        let token = format!("access-{}", good.len());
        good.insert(token.clone(), ANNA.to_owned());
        token
    }
}

async fn token(
    State(played): State<Arc<Played>>,
    Form(asked): Form<Fields>,
) -> (StatusCode, Json<Value>) {
    let refused = |word: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": word })));
    if text(&asked, "client_id") != "relance" || text(&asked, "client_secret") != "hush" {
        return refused("invalid_client");
    }
    match text(&asked, "grant_type").as_str() {
        "authorization_code" => {
            let hash = sha2::Sha256::digest(text(&asked, "code_verifier"));
            let challenge = URL_SAFE_NO_PAD.encode(hash);
            if *played.challenge.lock().expect("no panic") != challenge
                || text(&asked, "code") != "the-code"
            {
                return refused("invalid_grant");
            }
            let claims = json!({ "email": "Anna@shop.test", "email_verified": true });
            let id = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
            played
                .refresh
                .lock()
                .expect("no panic")
                .insert("refresh-1".to_owned());
            let access = played.access();
            let answer = json!({ "access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh-1", "id_token": id });
            (StatusCode::OK, Json(answer))
        }
        "refresh_token" => {
            *played.refreshed.lock().expect("no panic") += 1;
            if !played
                .refresh
                .lock()
                .expect("no panic")
                .contains(&text(&asked, "refresh_token"))
            {
                return refused("invalid_grant");
            }
            let access = played.access();
            (
                StatusCode::OK,
                Json(json!({ "access_token": access, "token_type": "Bearer", "expires_in": 3600 })),
            )
        }
        _other => refused("unsupported_grant_type"),
    }
}

async fn introspect(State(played): State<Arc<Played>>, Form(asked): Form<Fields>) -> Json<Value> {
    let good = played.good.lock().expect("no panic");
    Json(match good.get(&text(&asked, "token")) {
        Some(email) if !email.is_empty() => {
            json!({ "active": true, "email": email, "username": email })
        }
        Some(_) | None => json!({ "active": false }),
    })
}

async fn revoke(State(played): State<Arc<Played>>, Form(asked): Form<Fields>) -> StatusCode {
    played
        .revoked
        .lock()
        .expect("no panic")
        .push(text(&asked, "token"));
    StatusCode::OK
}

fn play(runtime: &tokio::runtime::Runtime) -> (Arc<Played>, u16) {
    let played = Arc::new(Played::default());
    let state = played.clone();
    let port = runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let app = Router::new()
            .route("/token", post(token))
            .route("/introspect", post(introspect))
            .route("/revoke", post(revoke))
            .with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        port
    });
    (played, port)
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let found = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_default().to_owned()
}

#[test]
fn a_mailbox_is_connected_by_a_leave_whose_tokens_are_renewed_and_taken_back() {
    let provider = tokio::runtime::Runtime::new().expect("a runtime");
    let (played, asked_at) = play(&provider);
    let introspection = format!("http://127.0.0.1:{asked_at}/introspect");
    let Some(mut dovecot) = Dovecot::start_with_tokens(&[User::new(ANNA)], &introspection) else {
        return;
    };
    let postfix = Postfix::start(&mut dovecot);
    let smtp = postfix.as_ref().map_or(587, Postfix::submission_port);
    let base = format!("http://127.0.0.1:{asked_at}");
    let more = format!(
        "[oauth_clients.google]\nclient_id = \"relance\"\nclient_secret = \"hush\"\n[oauth_endpoints.google]\n\
         auth = \"{base}/auth\"\ntoken = \"{base}/token\"\nrevoke = \"{base}/revoke\"\n\
         imap = {{ host = \"127.0.0.1\", port = {}, tls = \"implicit\" }}\nsmtp = {{ host = \"127.0.0.1\", port = {smtp}, tls = \"starttls\" }}\n",
        dovecot.imaps_port()
    );
    let mut house = House::open(&dovecot, &more);
    let found = house.call(
        "POST",
        "/api/v1/mailboxes/discover",
        &json!({ "address": "anna@gmail.com" }),
    );
    assert_eq!(
        (&found["provider"], &found["oauth_ready"]),
        (&json!("gmail"), &json!(true))
    );

    let begin = house.ask(
        "POST",
        "/api/v1/mailboxes/oauth/google",
        &house.admin,
        Some(&json!({ "address": ANNA })),
    );
    assert_eq!(begin.status, 200, "{}", begin.text());
    let url = begin.json()["url"].as_str().unwrap_or_default().to_owned();
    assert!(url.starts_with(&format!("{base}/auth?")), "{url}");
    *played.challenge.lock().expect("no panic") = parameter(&url, "code_challenge");
    let flow = begin.header("set-cookie").unwrap_or_default();
    let flow = flow.split(';').next().unwrap_or_default().to_owned();
    let state = parameter(&url, "state");
    let back = |house: &House, cookie: &str, state: &str, code: &str| {
        let path = format!("/auth/mailbox?state={state}&code={code}");
        let answer = request(house.port, "GET", &path, &[("Cookie", cookie)], b"");
        answer.header("location").unwrap_or_default().to_owned()
    };
    let cookies = format!("{}; {flow}", house.admin.cookie);
    // Without the flow's cookie, with another state, or in another's session, nothing is connected.
    assert!(
        back(&house, &house.admin.cookie, &state, "the-code").contains("refused=oauth_not_begun")
    );
    assert!(back(&house, &cookies, "other", "the-code").contains("refused=oauth_not_begun"));
    let boris = house.salesperson(BORIS);
    let stolen = format!("{}; {flow}", boris.cookie);
    assert!(back(&house, &stolen, &state, "the-code").contains("refused=oauth_not_begun"));
    assert!(back(&house, &cookies, &state, "wrong").contains("refused=connect_again"));
    let there = back(&house, &cookies, &state, "the-code");
    assert_eq!(there, "/mailboxes?connected=anna%40shop.test");
    let live = house.wait_state(ANNA, "live");
    assert_eq!(live["auth"], "oauth");
    dovecot.deliver(ANNA, "INBOX", &mail("one"));
    until("the mail", || {
        (house.mailbox(ANNA)["seen"] == 1).then_some(())
    });

    // The same token submits mail where the server asks Dovecot.
    if postfix.is_some() {
        let check = json!({ "address": ANNA, "imap": live["imap"], "smtp": live["smtp"] });
        let tried = house.call("POST", "/api/v1/mailboxes/check", &check);
        assert_eq!(tried["ok"], true, "{tried}");
    }
    for kind in ["mailbox", "mailbox_token"] {
        let kept = house
            .workspace
            .reader
            .text(kind, ANNA)
            .expect("reads")
            .expect("kept");
        assert!(
            !kept.body.contains("access-0") && !kept.body.contains("refresh-1"),
            "{}",
            kept.body
        );
    }

    // A token that ended is renewed by itself after the server refuses it.
    let kick = || {
        dovecot
            .doveadm()
            .args(["kick", ANNA])
            .output()
            .expect("kicks");
    };
    let refreshed = || *played.refreshed.lock().expect("no panic");
    assert_eq!(refreshed(), 0);
    played
        .good
        .lock()
        .expect("no panic")
        .insert("access-0".to_owned(), String::new());
    kick();
    until("a new token", || (refreshed() > 0).then_some(()));
    house.wait_state(ANNA, "live");
    dovecot.deliver(ANNA, "INBOX", &mail("two"));
    until("the second mail", || {
        (house.mailbox(ANNA)["seen"] == 2).then_some(())
    });
    assert_eq!(refreshed(), 1, "one renewal, however many asked");

    // The token is there after a restart.
    house.again();
    house.wait_state(ANNA, "live");
    assert_eq!(refreshed(), 1);

    // A leave that is gone is told, and nothing is tried again.
    played.refresh.lock().expect("no panic").clear();
    for token in played.good.lock().expect("no panic").values_mut() {
        *token = String::new();
    }
    kick();
    let refused = house.wait_state(ANNA, "login_refused");
    assert_eq!(refused["failure"]["code"], "connect_again");
    assert_eq!(refreshed(), 2);
    until("nothing is watched", || {
        house.workspace.mailboxes.watched().is_empty().then_some(())
    });

    let gone = house.call("DELETE", &format!("/api/v1/mailboxes/{ANNA}"), &json!({}));
    assert_eq!(gone["revoked"], "revoked");
    assert_eq!(*played.revoked.lock().expect("no panic"), ["refresh-1"]);
    assert!(
        house
            .workspace
            .reader
            .text("mailbox_token", ANNA)
            .expect("reads")
            .is_none()
    );
}
