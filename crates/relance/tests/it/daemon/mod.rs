//! Real mail servers for tests: private instances in temporary folders, on free ports, without systemd.
//!
//! Every instance belongs to the test that started it and ends with it, also when the test panics or
//! is killed: a shell between them reads from a pipe that only the test holds open.
//!
//! A test whose servers are not installed is skipped with a line on stderr, and fails when `CI=true`:
//!
//! ```ignore
//! let Some(dovecot) = Dovecot::start(&[User::new("anna@shop.test")]) else { return };
//! ```
//!
//! **Absent:** anything of Relance. What is here would serve another mail program as well.

#![allow(dead_code, reason = "each test uses its part of the harness")]

pub mod dkim;
pub mod dovecot;
pub mod postfix;
pub mod smtp;

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tempfile::TempDir;

/// The password of every user that was not given another.
pub const PASSWORD: &str = "secret";
/// How long a server may take to start or to stop.
pub const START_MAX: Duration = Duration::from_secs(30);
/// Attempts to find a port that nobody else takes before the server does.
pub const PORT_ATTEMPTS: usize = 5;

/// Where system administration programs are, whatever the caller's path says.
const PROGRAM_FOLDERS: &[&str] = &[
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
];

/// A mailbox of a test.
#[derive(Clone, Debug)]
pub struct User {
    pub address: String,
    pub password: String,
    pub sieve: Option<String>,
}

impl User {
    pub fn new(address: &str) -> Self {
        Self {
            address: address.into(),
            password: PASSWORD.into(),
            sieve: None,
        }
    }

    pub fn password(mut self, password: &str) -> Self {
        self.password = password.into();
        self
    }

    /// Answers everything, once a day to each sender, by a real out-of-office filter.
    pub fn vacation(self, subject: &str, text: &str) -> Self {
        let address = self.address.clone();
        self.sieve(&format!(
            "require [\"vacation\"];\nvacation :days 1 :subject \"{subject}\" :addresses [\"{address}\"] \"{text}\";\n"
        ))
    }

    pub fn vacation_en(address: &str) -> Self {
        Self::new(address).vacation("Auto: out of office", "I am away until Monday, 12 January.")
    }

    pub fn vacation_ru(address: &str) -> Self {
        Self::new(address).vacation(
            "Автоответ: я в отпуске до 12 января",
            "Здравствуйте! Я в отпуске до 12 января. По срочным вопросам пишите Петрову.",
        )
    }

    pub fn vacation_ja(address: &str) -> Self {
        Self::new(address).vacation(
            "自動返信: 不在のお知らせ",
            "お世話になっております。田中は12日まで不在にしております。",
        )
    }

    /// Refuses everything after it was accepted, by a message to the sender.
    pub fn rejecting(address: &str) -> Self {
        Self::new(address).sieve(
            "require [\"reject\"];\nreject \"I do not accept offers by e-mail. Please remove me from your list.\";\n",
        )
    }

    pub fn sieve(mut self, script: &str) -> Self {
        self.sieve = Some(script.into());
        self
    }

    pub fn domain(&self) -> &str {
        self.address
            .split_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

/// Whether all programs are installed. Says which are not, and fails under `CI=true`.
pub fn installed(programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|name| program(name).is_none())
        .collect();
    missing.is_empty() || skip(&format!("{} not installed", missing.join(", ")))
}

/// Says why a test is skipped; fails under `CI=true`. Always false.
pub fn skip(why: &str) -> bool {
    let remedy = "run scripts/install-test-deps.sh";
    assert!(
        !std::env::var("CI").is_ok_and(|ci| ci == "true"),
        "CI runs every test: {why}; {remedy}"
    );
    eprintln!("SKIPPED: {why}; {remedy}");
    false
}

pub fn program(name: &str) -> Option<PathBuf> {
    PROGRAM_FOLDERS
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A port that nobody listened on a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A folder that other users may enter: servers give up root.
pub fn open_folder(name: &str) -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix(&format!("relance-{name}-"))
        .tempdir()
        .expect("a temporary folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
        .expect("its permissions");
    folder
}

/// Runs a program to its end; its output is in the panic when it fails.
pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Tries until it is true or the time is up.
pub fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < limit {
        if ready() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    ready()
}

/// A certificate for `localhost` and 127.0.0.1, and the authority that signed it.
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub authority: CertificateDer<'static>,
}

impl Tls {
    pub fn create(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder for certificates");
        let path = |name: &str| folder.join(name);
        std::fs::write(
            path("leaf.ext"),
            "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n",
        )
        .expect("written");
        let curve = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ];
        let openssl = || {
            let mut command = Command::new("openssl");
            command.current_dir(folder);
            command
        };
        run(openssl().arg("req").arg("-x509").args(curve).args([
            "-days",
            "30",
            "-subj",
            "/CN=Relance tests",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
        ]));
        run(openssl().arg("req").args(curve).args([
            "-subj",
            "/CN=localhost",
            "-keyout",
            "leaf.key",
            "-out",
            "leaf.csr",
        ]));
        run(openssl().args([
            "x509",
            "-req",
            "-days",
            "30",
            "-in",
            "leaf.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-extfile",
            "leaf.ext",
            "-out",
            "leaf.pem",
        ]));
        Self {
            certificate: path("leaf.pem"),
            key: path("leaf.key"),
            authority: CertificateDer::from_pem_file(path("ca.pem")).expect("a certificate"),
        }
    }
}

/// A server that ends when this is dropped, and when the test process is gone for whatever reason.
pub struct Supervised {
    name: &'static str,
    shell: Child,
    /// Its end is the order to stop.
    pipe: Option<ChildStdin>,
}

impl Supervised {
    /// Runs `start`, then, when told or left alone, `stop`: both shell commands with `$1` and
    /// following as arguments, and what they say added to `log`. `folder` is the server's own.
    pub fn start(
        name: &'static str,
        folder: &Path,
        start: &str,
        stop: &str,
        arguments: &[&Path],
        log: &Path,
    ) -> Self {
        // Nobody is left to remove the folder when the pipe just ends.
        let script = format!(
            "folder=$1; shift\n{start}\nread -r _ || abandoned=1\n({stop}\n)\n\
             [ -z \"$abandoned\" ] || rm -rf \"$folder\"\n"
        );
        let log = File::options().create(true).append(true).open(log);
        let log = log.expect("a log");
        // A session of its own: what kills the test's process group leaves the shell to clean up.
        let mut shell = Command::new("setsid")
            .args(["sh", "-c", &script, name])
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // Not the test's own: a process that ends late would keep it open.
            .stderr(log)
            .spawn()
            .expect("setsid and sh");
        let pipe = shell.stdin.take();
        Self { name, shell, pipe }
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.shell.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Stops the server and waits until it has.
    pub fn stop(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            let _ = pipe.write_all(b"\n");
        }
        if !wait_until(START_MAX, || self.has_ended()) {
            eprintln!("{} did not stop", self.name);
            let _ = self.shell.kill();
            let _ = self.shell.wait();
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The end of a log, for a panic.
pub fn log_tail(path: &Path) -> String {
    let log = std::fs::read(path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
