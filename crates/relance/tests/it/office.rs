//! An office for tests: a private Dovecot and Postfix, salespeople and clients with mailboxes, and the
//! real program between them.
//!
//! **Absent:** sleeping for success. Whatever must happen is polled for, with a generous limit.

#![allow(dead_code, reason = "each test uses its part of the office")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relance_core::ids::ContactId;
use relance_message::mail::Mail;
use relance_store::read::Reader;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::daemon::dovecot::Dovecot;
use crate::daemon::postfix::Postfix;
use crate::daemon::{PASSWORD, User, log_tail, open_folder, program, run, wait_until};

/// The salesperson.
pub const ANNA: &str = "anna@shop.test";
/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// What an office is made with.
pub struct Plan {
    pub clients: Vec<User>,
    /// `auto` or `owner`.
    pub approval: &'static str,
    /// Before the first reminder, and between the two.
    pub wait: &'static str,
    /// What the journey does while the client is away: `wait` or `ignore`.
    pub away: &'static str,
    /// More of `relance.toml`.
    pub config: String,
    /// Where the program finds IMAP, if not at Dovecot itself.
    pub through_proxy: bool,
}

impl Plan {
    pub fn new(clients: Vec<User>) -> Self {
        Self {
            clients,
            approval: "auto",
            wait: "2s",
            away: "wait",
            config: String::new(),
            through_proxy: false,
        }
    }
}

pub struct Office {
    /// Before the servers: what is declared first is dropped first.
    program: Option<Child>,
    pub dovecot: Dovecot,
    pub postfix: Postfix,
    pub proxy: Option<Proxy>,
    data: TempDir,
    address: String,
    write_key: String,
    token: String,
}

/// A mail that somebody sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub id: String,
    pub subject: String,
}

impl Office {
    /// Opens an office; `None` when the servers are not installed.
    pub fn open(plan: Plan) -> Option<Self> {
        let mut users = vec![User::new(ANNA)];
        users.extend(plan.clients);
        let mut dovecot = Dovecot::start(&users)?;
        let postfix = Postfix::start(&mut dovecot)?;
        dovecot.prepare(ANNA);
        let proxy = plan
            .through_proxy
            .then(|| Proxy::start(dovecot.imaps_port()));
        let data = open_folder("office");
        let path = data.path();
        let made = relance(&["init", "--json", "--data"], path);
        let made: Value = serde_json::from_slice(&made).expect("JSON of init");
        fs::copy(dovecot.authority_file(), path.join("ca.pem")).expect("copied");
        fs::write(path.join("password"), PASSWORD).expect("written");
        let imaps = proxy
            .as_ref()
            .map_or(dovecot.imaps_port(), |proxy| proxy.port);
        let submission = postfix.submission_port();
        let config = format!(
            r#"
            [workspace]
            name = "Shop"
            language = "en"
            internal_domains = ["shop.test"]
            delivery = "smtp"
            [[mailbox]]
            address = "{ANNA}"
            name = "Anna Sergeeva"
            imap = {{ host = "127.0.0.1", port = {imaps}, tls = "implicit", ca_file = "ca.pem", password_file = "password" }}
            smtp = {{ host = "127.0.0.1", port = {submission}, tls = "starttls", ca_file = "ca.pem", user = "{ANNA}", password_file = "password" }}
            {}
            "#,
            plan.config
        );
        fs::write(path.join("relance.toml"), config).expect("written");
        let office = Self {
            program: None,
            dovecot,
            postfix,
            proxy,
            address: String::new(),
            write_key: made["write_key"].as_str().expect("a key").to_owned(),
            token: made["api_token"].as_str().expect("a token").to_owned(),
            data,
        };
        office.write_scenario(plan.approval, plan.wait, plan.away);
        Some(office)
    }

    /// Opens an office and starts the program: its mailbox is being watched.
    pub fn start(plan: Plan) -> Option<Self> {
        let mut office = Self::open(plan)?;
        office.start_program();
        office.apply();
        Some(office)
    }

    fn write_scenario(&self, approval: &str, wait: &str, away: &str) {
        let folder = self.data.path().join("scenario");
        fs::create_dir_all(folder.join("templates")).expect("a folder");
        let assets = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../assets/scenarios/b2b-reminders/templates");
        for entry in fs::read_dir(assets).expect("the scenario of the program") {
            let file = entry.expect("a file").path();
            let name = file.file_name().expect("a name");
            fs::copy(&file, folder.join("templates").join(name)).expect("copied");
        }
        let journey = format!(
            "format: journey/1
id: offer
name: Offer without a reply
subject: document
trigger:
  event: Document Sent
  where: {{ subject.kind: offer }}
reentry: once_per_subject
exit:
  - {{ event: Replied }}
approval: {approval}
away: {away}
steps:
  - wait: {wait}
  - send: email
    template: offer-reminder-1
    from: owner_mailbox
  - wait: {wait}
  - send: email
    template: offer-reminder-2
    from: owner_mailbox
"
        );
        fs::write(folder.join("offer.yaml"), journey).expect("written");
    }

    /// Applies the scenario as an operator does.
    pub fn apply(&self) {
        let folder = self.data.path().join("scenario");
        let server = format!("http://{}", self.address);
        let arguments = [
            "journey",
            "apply",
            "--json",
            "--server",
            &server,
            "--token",
            &self.token,
        ];
        relance(&arguments, &folder);
    }

    pub fn start_program(&mut self) {
        let data = self.data.path();
        let lock = data.join("relance.lock");
        let _ = fs::remove_file(&lock);
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a log");
        // Where the system can, the program ends with the test's thread, also when the test is killed.
        let mut command = match program("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_relance")]);
                command
            }
            None => Command::new(env!("CARGO_BIN_EXE_relance")),
        };
        let child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.program = Some(child);
        let ready = wait_until(PATIENCE, || {
            self.address = fs::read_to_string(&lock)
                .unwrap_or_default()
                .trim()
                .to_owned();
            !self.address.is_empty() && self.call("GET", "/readyz", None).is_ok()
        });
        assert!(ready, "the program does not start:\n{}", self.log());
    }

    /// Ends the program as a power failure would, as far as it can tell.
    pub fn kill_program(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.kill().expect("killed");
            let status = program.wait().expect("waited for");
            assert_eq!(status.signal(), Some(9), "it had ended by itself");
        }
    }

    /// Ends the program politely; it must end well.
    pub fn stop_program(&mut self) {
        if let Some(mut program) = self.program.take() {
            let asked = Instant::now();
            run(Command::new("kill").arg(program.id().to_string()));
            let status = program.wait().expect("waited for");
            told("polite end", asked);
            assert!(asked.elapsed() < PATIENCE / 2, "it takes too long to stop");
            assert!(status.success(), "{status}: {}", self.log());
        }
    }

    fn log_file(&self) -> PathBuf {
        self.data.path().join("program.log")
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn log(&self) -> String {
        log_tail(&self.log_file())
    }

    /// Everything that helps when a test fails.
    fn scene(&self) -> String {
        format!(
            "program:\n{}\n\npostfix:\n{}\n\ndovecot:\n{}",
            self.log(),
            self.postfix.log(),
            self.dovecot.log()
        )
    }

    /// Polls until there is an answer.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let mut found = None;
        wait_until(PATIENCE, || {
            found = look();
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("in vain for {what}\n{}", self.scene()))
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.call_with(method, path, "application/json", &body)
    }

    fn call_with(&self, method: &str, path: &str, kind: &str, body: &str) -> Result<Value, String> {
        let say = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(&self.address).map_err(say)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(say)?;
        let authorization = match path.starts_with("/v1/") {
            true => format!("Basic {}", STANDARD.encode(format!("{}:", self.write_key))),
            false => format!("Bearer {}", self.token),
        };
        let request = format!(
            "{method} {path} HTTP/1.0\r\nAuthorization: {authorization}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(say)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(say)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        match status {
            "200" | "201" | "202" => {
                Ok(serde_json::from_str(body).unwrap_or(Value::String(body.to_owned())))
            }
            _ => Err(format!("{method} {path}: {head}\n{body}")),
        }
    }

    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, None)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.scene()))
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, Some(body))
            .unwrap_or_else(|error| panic!("{error}\n{}", self.scene()))
    }

    /// A call with a text that is no JSON.
    pub fn post_text(&self, path: &str, kind: &str, text: &str) -> Value {
        self.call_with("POST", path, kind, text)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.scene()))
    }

    /// All rows of a list.
    pub fn items(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{sign}limit=100&cursor={cursor}"));
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return items,
            }
        }
    }

    /// Tells the contact's language, as a shop does.
    pub fn identify(&self, email: &str, language: &str) {
        let traits = json!({ "email": email, "language": language });
        self.post(
            "/v1/identify",
            &json!({ "userId": email, "traits": traits }),
        );
    }

    /// The id of the contact with this address, once there is one.
    pub fn contact(&self, email: &str) -> String {
        self.wait(&format!("the contact {email}"), || {
            let contacts = self.items("/api/v1/contacts");
            let found = contacts
                .iter()
                .find(|contact| contact["traits"]["email"] == email)?;
            found["id"].as_str().map(str::to_owned)
        })
    }

    /// The contact's ledger, oldest first.
    pub fn ledger(&self, contact: &str) -> Vec<Value> {
        let mut lines = self.items(&format!("/api/v1/contacts/{contact}/ledger"));
        lines.reverse();
        lines
    }

    /// Waits for a line of the ledger that has these fields.
    pub fn line(&self, contact: &str, fields: &[(&str, &str)]) -> Value {
        self.wait(&format!("{fields:?} in the ledger of {contact}"), || {
            self.ledger(contact)
                .into_iter()
                .find(|line| has(line, fields))
        })
    }

    pub fn has_line(&self, contact: &str, fields: &[(&str, &str)]) -> bool {
        self.ledger(contact).iter().any(|line| has(line, fields))
    }

    /// Names of the contact's events, oldest first.
    pub fn events(&self, contact: &str) -> Vec<String> {
        let reader = Reader::open(&self.data.path().join("relance.db")).expect("the database");
        let id: ContactId = contact.parse().expect("an id");
        let page = reader.events(id, None, 100).expect("events");
        let mut names: Vec<String> = page
            .items
            .iter()
            .map(|logged| logged.event.name.to_string())
            .collect();
        names.reverse();
        names
    }

    /// The document of an offer, once it is in the registry.
    pub fn document(&self, sent: &Sent) -> Value {
        self.wait(&format!("the document {}", sent.id), || {
            self.items("/api/v1/documents")
                .into_iter()
                .find(|document| document["fields"]["message_id"] == sent.id.as_str())
        })
    }

    /// The salesperson's mail program sends an offer: to the client by SMTP, and a copy into Sent.
    pub fn offer(&self, client: &str) -> Sent {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("offer-{number}@shop.test");
        let subject = format!("Commercial offer No. KP-{number}");
        let message = format!(
            "From: Anna Sergeeva <{ANNA}>\r\nTo: <{client}>\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\nDate: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Dear customer,\r\n\r\nas agreed, here is our commercial offer No. KP-{number} for two pumps with delivery.\r\n\r\n\
             Total: 120,000.00 EUR\r\nThe offer is valid until 31 December 2030.\r\n\r\nKind regards,\r\nAnna Sergeeva\r\n",
            date()
        );
        self.postfix
            .send(ANNA, &[client], message.as_bytes())
            .expect("accepted");
        append(self.dovecot.imap_port(), ANNA, "Sent", message.as_bytes());
        Sent { id, subject }
    }

    /// Somebody writes to the salesperson; with `answers`, inside that thread.
    pub fn write(&self, from: &str, answers: Option<&Sent>, text: &str) {
        let message = letter(from, answers, text);
        self.postfix
            .send(from, &[ANNA], &message)
            .expect("accepted");
    }

    /// Mails in a client's inbox that are reminders in the thread of an offer.
    pub fn reminders(&self, client: &str, offer: &Sent) -> Vec<Vec<u8>> {
        let wanted = format!("<{}>", offer.id);
        self.dovecot
            .list(client, "INBOX")
            .into_iter()
            .filter(|mail| header(mail, "In-Reply-To").is_some_and(|id| id == wanted))
            .collect()
    }

    pub fn wait_reminders(&self, client: &str, offer: &Sent, count: usize) -> Vec<Vec<u8>> {
        self.wait(&format!("{count} reminders to {client}"), || {
            Some(self.reminders(client, offer)).filter(|found| found.len() >= count)
        })
    }

    /// The state of the watched mailbox.
    pub fn mailbox(&self) -> Value {
        self.get("/api/v1/overview")["mailboxes"][ANNA].clone()
    }

    /// Waits until the mailbox was read for the first time, so that what comes next comes by IDLE.
    pub fn wait_watched(&self) {
        self.wait("the first reading", || {
            self.mailbox()["synced_at"].as_str().map(drop)
        });
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if let Some(mut program) = self.program.take() {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

/// Runs the program to its end.
fn relance(arguments: &[&str], last: &Path) -> Vec<u8> {
    run(Command::new(env!("CARGO_BIN_EXE_relance"))
        .args(arguments)
        .arg(last))
}

fn has(line: &Value, fields: &[(&str, &str)]) -> bool {
    fields.iter().all(|(name, value)| line[*name] == *value)
}

pub fn date() -> String {
    jiff::Timestamp::now()
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string()
}

/// A person's mail to the salesperson.
pub fn letter(from: &str, answers: Option<&Sent>, text: &str) -> Vec<u8> {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let thread = answers.map_or(String::new(), |sent| {
        format!("In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n", sent.id)
    });
    let subject = answers.map_or("A question".to_owned(), |sent| {
        format!("Re: {}", sent.subject)
    });
    format!(
        "From: <{from}>\r\nTo: <{ANNA}>\r\nSubject: {subject}\r\nMessage-ID: <letter-{number}@{domain}>\r\nDate: {}\r\n{thread}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
        date()
    )
    .into_bytes()
}

/// A header field, unfolded, as it was received.
pub fn header(mail: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let head = text.split("\n\n").next().unwrap_or_default();
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

pub fn parsed(mail: &[u8]) -> Mail {
    Mail::parse(mail).expect("a mail")
}

/// Files a message by IMAP, as mail programs do with what they sent.
pub fn append(port: u16, user: &str, folder: &str, message: &[u8]) {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut stream = BufReader::new(stream);
    let until = |stream: &mut BufReader<TcpStream>, wanted: &str| {
        loop {
            let mut line = String::new();
            let read = stream.read_line(&mut line).expect("an answer");
            assert!(read > 0, "{user}: IMAP closed before {wanted:?}");
            if line.starts_with(wanted) {
                break;
            }
            assert!(!line.contains(" NO ") && !line.contains(" BAD "), "{line}");
        }
    };
    until(&mut stream, "* OK");
    let say = |stream: &mut BufReader<TcpStream>, bytes: &[u8]| {
        stream.get_mut().write_all(bytes).expect("written");
    };
    say(
        &mut stream,
        format!("a LOGIN {user} {PASSWORD}\r\n").as_bytes(),
    );
    until(&mut stream, "a OK");
    let size = message.len();
    say(
        &mut stream,
        format!("b APPEND {folder} (\\Seen) {{{size}}}\r\n").as_bytes(),
    );
    until(&mut stream, "+");
    say(&mut stream, message);
    say(&mut stream, b"\r\n");
    until(&mut stream, "b OK");
    say(&mut stream, b"c LOGOUT\r\n");
}

/// Passes connections on, until it forgets those that it has, in silence, as a firewall does.
pub struct Proxy {
    pub port: u16,
    forgets: Arc<AtomicBool>,
}

impl Proxy {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let forgets = Arc::new(AtomicBool::new(false));
        let forgot = forgets.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", to)))
                else {
                    continue;
                };
                // Connections made after the forgetting are new to the firewall, and work.
                let old = !forgot.load(Ordering::SeqCst);
                for (from, into) in [(&client, &server), (&server, &client)] {
                    let (from, into) = (from.try_clone(), into.try_clone());
                    let (Ok(from), Ok(into)) = (from, into) else {
                        continue;
                    };
                    let forgot = forgot.clone();
                    std::thread::spawn(move || pass_on(from, into, old, &forgot));
                }
            }
        });
        Self { port, forgets }
    }

    pub fn forget(&self) {
        self.forgets.store(true, Ordering::SeqCst);
    }
}

fn pass_on(mut from: TcpStream, mut into: TcpStream, old: bool, forgot: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if old && forgot.load(Ordering::SeqCst) {
            continue;
        }
        if into.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
    let _ = into.shutdown(std::net::Shutdown::Write);
}

/// How long something took, for the record.
pub fn told(what: &str, since: Instant) {
    eprintln!("{what} after {:?}", since.elapsed());
}
