//! A private PostgreSQL: a cluster in a folder of its own, reached by a socket in it, gone with the value.
//!
//! The server of the package is used, never the cluster that the package made. It stops when the test's
//! process ends in whatever way. Run as root it becomes `nobody`, since PostgreSQL refuses root.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::certificates::Certificates;
use crate::postgres::connect::{self, Purpose};

/// Where Debian puts the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Whom the server runs as where the test is root.
const USER: &str = "nobody";
const GROUP: &str = "nogroup";
/// How long a server may take to begin.
const START_MAX: Duration = Duration::from_secs(60);
/// The beginning of each folder's name; the number of the process follows.
const PREFIX: &str = "relance-pg-";

/// What a commit survives on a server of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: quick.
    None,
    /// A loss of power, as in production: for measuring.
    Full,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    dir: PathBuf,
    child: Child,
    /// The thread that started the server: when it ends, the server ends.
    keeper: mpsc::Sender<()>,
    /// Where it listens beside its socket, when it encrypts.
    encrypted: Option<(u16, Certificates)>,
}

impl Server {
    /// Starts a server; `None` with a word about it where PostgreSQL is not installed, which fails in CI.
    pub fn start() -> Option<Self> {
        Self::start_with(Durability::None)
    }

    /// Starts a server whose commits survive what is asked.
    pub fn start_with(durability: Durability) -> Option<Self> {
        Self::start_as(durability, false)
    }

    /// Starts a server that also listens on `localhost`, encrypts there, and has a certificate for that name.
    pub fn start_encrypted() -> Option<Self> {
        Self::start_as(Durability::None, true)
    }

    fn start_as(durability: Durability, encrypts: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            let missing = "PostgreSQL is not installed; scripts/install-test-deps.sh brings it";
            let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!in_ci, "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        };
        remove_left_behind();
        let dir = new_folder();
        let data = dir.join("data");
        let mut init = as_user(&programs.join("initdb"), &dir, None);
        init.arg("--pgdata").arg(&data);
        init.args(["--username=relance", "--auth=trust", "--encoding=UTF8"]);
        init.args(["--locale=C.UTF-8", "--no-sync"]);
        let done = init.output().expect("initdb runs");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "initdb: {told}");

        let mut server = as_user(&programs.join("postgres"), &dir, Some("QUIT"));
        server.arg("-D").arg(&data).arg("-k").arg(&dir);
        let encrypted = encrypts.then(|| {
            let own = Certificates::make(&dir, |program| as_user(program, &dir, None));
            let port = free_port();
            server
                .arg("-c")
                .arg("ssl=on")
                .arg("-p")
                .arg(port.to_string());
            for (name, path) in [
                ("ssl_cert_file", &own.certificate),
                ("ssl_key_file", &own.key),
            ] {
                server.arg("-c").arg(format!("{name}={}", path.display()));
            }
            (port, own)
        });
        let listens = if encrypts {
            "listen_addresses=127.0.0.1"
        } else {
            "listen_addresses="
        };
        for setting in [
            listens,
            "max_connections=60",
            "shared_buffers=128MB",
            "log_min_messages=warning",
        ] {
            server.args(["-c", setting]);
        }
        if durability == Durability::None {
            server.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        } else {
            server.args(["-c", "max_wal_size=4GB"]);
        }
        let log = std::fs::File::create(dir.join("log")).expect("a log");
        server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let (child, keeper) = spawn_kept(server);
        let server = Self {
            dir,
            child,
            keeper,
            encrypted,
        };
        server.wait_until_ready();
        Some(server)
    }

    /// The URL of a workspace on it.
    pub fn url(&self, schema: &str) -> String {
        let dir = self.dir.display();
        let port = match &self.encrypted {
            Some((port, _)) => format!("&port={port}"),
            None => String::new(),
        };
        format!("postgres://relance@/postgres?host={dir}&schema={schema}{port}")
    }

    /// The URL of a workspace over the network, of a server that encrypts.
    pub fn network_url(&self, host: &str, schema: &str) -> String {
        let port = self.encrypted.as_ref().map_or(0, |(port, _)| *port);
        format!("postgres://relance@{host}:{port}/postgres?schema={schema}")
    }

    /// The files of whoever signed its certificate, and of somebody else.
    pub fn authorities(&self) -> (&Path, &Path) {
        let (_, own) = self.encrypted.as_ref().expect("a server that encrypts");
        (&own.authority, &own.stranger)
    }

    /// Runs statements in a schema, beside whoever works in it.
    pub fn run(&self, schema: &str, text: &str) {
        let address = connect::parse(&self.url(schema)).expect("a URL");
        let link = connect::open(&address, Purpose::Migrate).expect("opens");
        link.wait(link.client.batch_execute(text)).expect("runs");
    }

    /// Lets a schema say that it is of another version.
    pub fn shift_version(&self, schema: &str, by: i64) {
        self.run(
            schema,
            &format!("UPDATE relance_schema SET version = version + ({by})"),
        );
    }

    /// Lets the lease of a node be over, as when it has been silent for long.
    pub fn expire(&self, schema: &str, node: &str) {
        self.run(
            schema,
            &format!("UPDATE node SET expires_at = '-infinity' WHERE name = '{node}'"),
        );
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn wait_until_ready(&self) {
        let address = connect::parse(&self.url("public")).expect("a URL");
        let deadline = Instant::now() + START_MAX;
        while let Err(error) = connect::open(&address, Purpose::Read) {
            assert!(
                Instant::now() < deadline,
                "the server does not begin: {error}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ends the keeper, and by that the server at once, in an orderly way.
        let (closed, _) = mpsc::channel();
        drop(std::mem::replace(&mut self.keeper, closed));
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Starts a program that ends with the thread that started it, and keeps that thread until told.
fn spawn_kept(mut program: Command) -> (Child, mpsc::Sender<()>) {
    let (keeper, told) = mpsc::channel::<()>();
    let (started, child) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = started.send(program.spawn());
        // Ends when the sender is dropped.
        let _ = told.recv();
    });
    let child = child.recv().expect("the keeper answers");
    (child.expect("the server starts"), keeper)
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let has_server = |bin: &PathBuf| bin.join("initdb").exists() && bin.join("postgres").exists();
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| has_server(bin))
        .max();
    if let Some((_, bin)) = newest {
        return Some(bin);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(has_server)
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A program as a user that PostgreSQL accepts; it gets a signal when its starter is gone.
fn as_user(program: &Path, home: &Path, signal: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", USER, "--regid", GROUP, "--clear-groups"]);
    }
    if let Some(signal) = signal {
        command.args(["--pdeathsig", signal]);
    }
    command.arg(program).current_dir(home).env("HOME", home);
    // Settings of the tester's own connections.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command
}

/// A folder that belongs to the server's user.
fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("{PREFIX}{}-{number}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    let mut install = Command::new("install");
    install.args(["-d", "-m", "700"]);
    if is_root() {
        install.args(["-o", USER, "-g", GROUP]);
    }
    let done = install.arg(&dir).status().expect("install runs");
    assert!(done.success(), "a folder for the server");
    dir
}

/// Removes folders of processes that are gone without removing theirs.
fn remove_left_behind() {
    let entries = std::fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten();
    for entry in entries {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let process = process.and_then(|rest| rest.split('-').next());
        let is_gone = process.is_some_and(|process| {
            process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists()
        });
        if is_gone {
            // Somebody else may be removing it too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
