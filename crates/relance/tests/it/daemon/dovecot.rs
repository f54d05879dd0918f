//! A private Dovecot: IMAP (plain, STARTTLS, implicit TLS), LMTP with Sieve, mailboxes as Maildir or
//! in Dovecot's own format.
//!
//! As root its processes run as the package's user; otherwise as the caller.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use tempfile::TempDir;

use super::smtp::Talk;
use super::{
    PORT_ATTEMPTS, START_MAX, Supervised, Tls, User, free_port, installed, is_root, log_tail,
    open_folder, program, run, wait_until,
};

/// Ends a server by its process number, and waits for it; `$2` is the file that holds the number. An
/// ended process that nobody has waited for yet has no `exe` any more. Sessions outlive
/// the server by some seconds; an outage ends them too, so its process group is killed.
const STOP: &str = r#"
pid=$(cat "$2" 2>/dev/null) || exit 0
kill -TERM "$pid" 2>/dev/null
tries=0
while [ -e "/proc/$pid/exe" ] && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
kill -s KILL -- "-$pid" 2>/dev/null
exit 0
"#;

#[derive(Clone, Copy, Debug)]
struct Ports {
    imap: u16,
    imaps: u16,
    lmtp: u16,
    /// Answers SASL for Postfix.
    auth: u16,
}

/// A running server. It stops when dropped.
pub struct Dovecot {
    /// Before `folder`: what is declared first is dropped first, and the server needs its folder to stop.
    server: Option<Supervised>,
    folder: TempDir,
    users: Vec<User>,
    tls: Tls,
    ports: Ports,
    owner: String,
    group: String,
    storage: &'static str,
    /// Where Sieve sends its answers.
    submission_port: u16,
    /// Where tokens are asked about, of a server that takes them.
    introspection: Option<String>,
    /// What is added to its configuration.
    more: &'static str,
}

/// Makes names of delivered files unique in this process.
static DELIVERED: AtomicU32 = AtomicU32::new(0);

impl Dovecot {
    /// Starts a server with these mailboxes; `None` when it is not installed.
    pub fn start(users: &[User]) -> Option<Self> {
        Self::start_on("maildir", users)
    }

    /// [`start`](Self::start) with mail stored as `sdbox`: what was accepted is in the index, so it is
    /// visible at once. Over Maildir a folder that changes twice within a clock tick is looked at again
    /// only after a second. What reads the files of a mailbox does not work here.
    pub fn start_indexed(users: &[User]) -> Option<Self> {
        Self::start_on("sdbox", users)
    }

    /// [`start`](Self::start) that also takes tokens (XOAUTH2 and OAUTHBEARER): whose a token is, it asks at this address
    /// by its OAuth2 driver.
    pub fn start_with_tokens(users: &[User], introspection: &str) -> Option<Self> {
        Self::start_as("maildir", users, Some(introspection.to_owned()), "")
    }

    /// [`start_indexed`](Self::start_indexed) for hundreds of connections at once.
    pub fn start_crowded(users: &[User]) -> Option<Self> {
        Self::start_as("sdbox", users, None, CROWDED)
    }

    /// [`start`](Self::start) with lines added to its configuration.
    pub fn start_configured(users: &[User], more: &'static str) -> Option<Self> {
        Self::start_as("maildir", users, None, more)
    }

    fn start_on(storage: &'static str, users: &[User]) -> Option<Self> {
        Self::start_as(storage, users, None, "")
    }

    fn start_as(
        storage: &'static str,
        users: &[User],
        introspection: Option<String>,
        more: &'static str,
    ) -> Option<Self> {
        if !installed(&["dovecot", "doveadm", "openssl", "setsid"]) {
            return None;
        }
        if !Path::new("/usr/lib/dovecot/lmtp").exists() || !sieve_installed() {
            super::skip("dovecot-lmtpd or dovecot-sieve not installed");
            return None;
        }
        let id = |option: &str| {
            let name = run(Command::new("id").arg(option));
            String::from_utf8_lossy(&name).trim().to_owned()
        };
        let (owner, group) = match is_root() {
            true => ("dovecot".to_owned(), "dovecot".to_owned()),
            false => (id("-un"), id("-gn")),
        };
        let folder = open_folder("dovecot");
        for name in ["run", "mail", "sieve"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let tls = Tls::create(&folder.path().join("tls"));
        let mut dovecot = Self {
            folder,
            users: users.to_vec(),
            tls,
            ports: Ports {
                imap: 0,
                imaps: 0,
                lmtp: 0,
                auth: 0,
            },
            owner,
            group,
            storage,
            submission_port: free_port(),
            introspection,
            more,
            server: None,
        };
        dovecot.write_users();
        for attempt in 1..=PORT_ATTEMPTS {
            dovecot.ports = Ports {
                imap: free_port(),
                imaps: free_port(),
                lmtp: free_port(),
                auth: free_port(),
            };
            if dovecot.try_start() {
                return Some(dovecot);
            }
            eprintln!("dovecot did not start, attempt {attempt}");
        }
        panic!("dovecot does not start:\n{}", dovecot.log());
    }

    /// The port of plain IMAP, which also offers STARTTLS.
    pub fn imap_port(&self) -> u16 {
        self.ports.imap
    }

    /// The port of IMAP with TLS from the first byte.
    pub fn imaps_port(&self) -> u16 {
        self.ports.imaps
    }

    pub fn lmtp_port(&self) -> u16 {
        self.ports.lmtp
    }

    pub(super) fn auth_port(&self) -> u16 {
        self.ports.auth
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// The certificate that clients must trust; the name is `localhost` or 127.0.0.1.
    pub fn authority(&self) -> CertificateDer<'static> {
        self.tls.authority.clone()
    }

    /// The authority that signed its certificate, as a PEM file.
    pub fn authority_file(&self) -> PathBuf {
        self.folder.path().join("tls/ca.pem")
    }

    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Gives a user another password. Sessions that are open stay open: see [`kick`](Self::kick).
    pub fn set_password(&mut self, user: &str, password: &str) {
        for own in &mut self.users {
            if own.address == user {
                own.password = password.to_owned();
            }
        }
        self.write_users();
    }

    /// Ends a user's sessions.
    pub fn kick(&self, user: &str) {
        // It fails when there are none.
        let _ended = self.doveadm().args(["kick", user]).output();
    }

    /// How many logins were refused since the start.
    pub fn refused_logins(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines()
            .filter(|line| line.contains("auth failed, "))
            .count()
    }

    /// Stops the server, as in an outage. Mailboxes and ports stay.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Starts it again on the same mailboxes and ports.
    pub fn restart(&mut self) {
        self.stop();
        assert!(
            wait_until(START_MAX, || self.try_start()),
            "dovecot does not start again:\n{}",
            self.log()
        );
    }

    /// Delivers to the inbox by LMTP as a mail server does, Sieve included; to another folder as
    /// `doveadm save` does.
    pub fn deliver(&self, user: &str, folder: &str, message: &[u8]) {
        if folder.eq_ignore_ascii_case("INBOX") {
            self.deliver_from("sender@outside.test", user, message)
                .expect("accepted by LMTP");
            return;
        }
        let file = self.folder.path().join(self.unique("save"));
        fs::write(&file, message).expect("written");
        run(self
            .doveadm()
            .args(["save", "-u", user, "-m", folder])
            .arg(&file));
    }

    /// Delivers to the inbox by LMTP. The refusal, if it is refused.
    pub fn deliver_from(&self, from: &str, user: &str, message: &[u8]) -> Result<(), String> {
        Talk::start(self.ports.lmtp, "LHLO")?.send(from, &[user], message, true)
    }

    /// Puts a message into a folder as if it had been received at `received_at`. The server finds it
    /// there by itself.
    pub fn deliver_dated(&self, user: &str, folder: &str, message: &[u8], received_at: SystemTime) {
        let maildir = self.maildir(user, folder);
        assert!(
            maildir.join("new").is_dir(),
            "{user} has no folder {folder} yet: log in or deliver once before"
        );
        let name = self.unique("dated");
        let new = maildir.join("tmp").join(&name);
        fs::write(&new, message).expect("written");
        let owner = fs::metadata(&maildir).expect("a folder");
        chown(&new, Some(owner.uid()), Some(owner.gid())).expect("chown");
        File::options()
            .write(true)
            .open(&new)
            .and_then(|file| file.set_modified(received_at))
            .expect("a time");
        fs::rename(&new, maildir.join("new").join(&name)).expect("moved");
    }

    /// Makes the standard folders of a user, which a first login does.
    pub fn prepare(&self, user: &str) {
        // A server that was told to reload is not there for a moment.
        let there = wait_until(START_MAX, || {
            let listed = self
                .doveadm()
                .args(["mailbox", "list", "-u", user])
                .output();
            listed.is_ok_and(|output| output.status.success())
        });
        assert!(there, "{user} has no mailbox:\n{}", self.log());
        for folder in ["INBOX", "Sent"] {
            run(self
                .doveadm()
                .args(["mailbox", "status", "-u", user, "uidvalidity", folder]));
            let missing = !self.maildir(user, folder).join("new").is_dir();
            if self.storage == "maildir" && missing {
                run(self
                    .doveadm()
                    .args(["mailbox", "create", "-u", user, folder]));
            }
        }
    }

    /// All messages of a folder, as they are stored, oldest first.
    pub fn list(&self, user: &str, folder: &str) -> Vec<Vec<u8>> {
        self.files(user, folder)
            .iter()
            .map(|path| fs::read(path).expect("a message"))
            .collect()
    }

    /// Waits until a folder has `count` messages, and returns them.
    pub fn wait_for(
        &self,
        user: &str,
        folder: &str,
        count: usize,
        limit: Duration,
    ) -> Vec<Vec<u8>> {
        let there = wait_until(limit, || self.files(user, folder).len() >= count);
        let messages = self.list(user, folder);
        assert!(
            there,
            "{folder} of {user} has {} of {count} messages:\n{}",
            messages.len(),
            self.log()
        );
        messages
    }

    /// How many messages of a folder are marked as read.
    pub fn seen(&self, user: &str, folder: &str) -> usize {
        self.files(user, folder)
            .iter()
            .filter_map(|path| path.file_name()?.to_str()?.rsplit_once(":2,"))
            .filter(|(_, flags)| flags.contains('S'))
            .count()
    }

    /// Gives a folder another UIDVALIDITY and new numbers, as a moved or repaired mailbox has.
    pub fn renumber(&mut self, user: &str, folder: &str) {
        let before = self.uid_validity(user, folder);
        self.stop();
        let maildir = self.maildir(user, folder);
        for entry in fs::read_dir(&maildir).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| {
                name.starts_with("dovecot-uidlist") || name.starts_with("dovecot.index")
            }) {
                fs::remove_file(&path).expect("removed");
            }
        }
        self.restart();
        // It is a time in seconds when nothing else is known.
        assert!(
            wait_until(START_MAX, || {
                let changed = self.uid_validity(user, folder) != before;
                if !changed {
                    let next = (before + 1).to_string();
                    run(self.doveadm().args([
                        "mailbox",
                        "update",
                        "-u",
                        user,
                        "--uid-validity",
                        &next,
                        folder,
                    ]));
                }
                changed
            }),
            "UIDVALIDITY stays {before}"
        );
    }

    pub fn uid_validity(&self, user: &str, folder: &str) -> u32 {
        let text = run(self.doveadm().args([
            "-f",
            "flow",
            "mailbox",
            "status",
            "-u",
            user,
            "uidvalidity",
            folder,
        ]));
        let text = String::from_utf8_lossy(&text);
        let value = text.rsplit_once('=').map(|(_, value)| value.trim());
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("a UIDVALIDITY in {text}"))
    }

    /// The end of the server's log.
    pub fn log(&self) -> String {
        log_tail(&self.folder.path().join("log"))
    }

    /// Where Sieve sends its answers: a port for Postfix to listen on.
    pub(super) fn submission_port(&self) -> u16 {
        self.submission_port
    }

    /// Where Sieve sends its answers from now on.
    pub(super) fn set_submission_port(&mut self, port: u16) {
        if self.submission_port == port {
            return;
        }
        self.submission_port = port;
        self.write_config();
        run(self.doveadm().arg("reload"));
    }

    pub fn doveadm(&self) -> Command {
        let mut command = Command::new(program("doveadm").expect("doveadm"));
        command.arg("-c").arg(self.config_path());
        command
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("dovecot.conf")
    }

    fn maildir(&self, user: &str, folder: &str) -> PathBuf {
        let mailbox = self.folder.path().join("mail").join(user);
        if folder.eq_ignore_ascii_case("INBOX") {
            mailbox
        } else {
            mailbox.join(format!(".{folder}"))
        }
    }

    fn files(&self, user: &str, folder: &str) -> Vec<PathBuf> {
        let maildir = self.maildir(user, folder);
        let mut files: Vec<_> = ["new", "cur"]
            .iter()
            .filter_map(|part| fs::read_dir(maildir.join(part)).ok())
            .flatten()
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let received_at = fs::metadata(&path).ok()?.modified().ok()?;
                Some((received_at, path))
            })
            .collect();
        files.sort();
        files.into_iter().map(|(_, path)| path).collect()
    }

    fn unique(&self, what: &str) -> String {
        let number = DELIVERED.fetch_add(1, Ordering::Relaxed);
        format!("{what}-{}-{number:06}", std::process::id())
    }

    fn try_start(&mut self) -> bool {
        self.write_config();
        let dovecot = program("dovecot").expect("dovecot");
        let pid = self.folder.path().join("run/master.pid");
        let _ = fs::remove_file(&pid);
        let mut server = Supervised::start(
            "dovecot",
            self.folder.path(),
            "\"$3\" -c \"$1\" || exit 1",
            STOP,
            &[&self.config_path(), &pid, &dovecot],
            &self.folder.path().join("log"),
        );
        let ready = wait_until(START_MAX, || {
            server.has_ended()
                || (greets(self.ports.imap, b"* OK") && greets(self.ports.lmtp, b"220"))
        }) && !server.has_ended();
        self.server = ready.then_some(server);
        ready
    }

    fn write_users(&self) {
        let mut list = String::new();
        for user in &self.users {
            list.push_str(&format!("{}:{{PLAIN}}{}\n", user.address, user.password));
            if let Some(sieve) = &user.sieve {
                let path = self.folder.path().join("sieve");
                fs::write(path.join(format!("{}.sieve", user.address)), sieve).expect("written");
            }
        }
        fs::write(self.folder.path().join("users"), list).expect("written");
        if is_root() {
            for folder in ["run", "mail", "sieve", "tls"] {
                let path = self.folder.path().join(folder);
                run(Command::new("chown")
                    .arg("-R")
                    .arg(format!("{}:", self.owner))
                    .arg(path));
            }
        }
    }

    fn write_config(&self) {
        let mut more = self.more.to_owned();
        if let Some(url) = &self.introspection {
            let file = self.folder.path().join("oauth2.conf");
            let oauth = format!(
                "introspection_mode = post\nintrospection_url = {url}\nusername_attribute = email\nactive_attribute = active\nactive_value = true\n"
            );
            fs::write(&file, oauth).expect("written");
            more += &format!(
                "auth_mechanisms = plain login xoauth2 oauthbearer\npassdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {}\n}}\n",
                file.display()
            );
        }
        let config = format!("{CONFIG}{more}")
            .replace("@DIR@", &self.folder.path().display().to_string())
            .replace("@OWNER@", &self.owner)
            .replace("@GROUP@", &self.group)
            .replace("@STORAGE@", self.storage)
            .replace("@IMAP@", &self.ports.imap.to_string())
            .replace("@IMAPS@", &self.ports.imaps.to_string())
            .replace("@LMTP@", &self.ports.lmtp.to_string())
            .replace("@AUTH@", &self.ports.auth.to_string())
            .replace("@SUBMISSION@", &self.submission_port.to_string());
        fs::write(self.config_path(), config).expect("written");
    }
}

fn sieve_installed() -> bool {
    Path::new("/usr/lib/dovecot/modules/lib90_sieve_plugin.so").exists()
}

fn greets(port: u16, greeting: &[u8]) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut buffer = vec![0; greeting.len()];
    stream.read_exact(&mut buffer).is_ok() && buffer == greeting
}

/// One login process serves many connections, instead of a process each.
const CROWDED: &str = "default_client_limit = 4000
service imap-login {
  service_count = 0
  process_limit = 4
}
service imap {
  process_limit = 2000
}
";

const CONFIG: &str = r#"
base_dir = @DIR@/run
state_dir = @DIR@/run
log_path = @DIR@/log
info_log_path = @DIR@/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <@DIR@/tls/leaf.pem
ssl_key = <@DIR@/tls/leaf.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_internal_user = @OWNER@
default_internal_group = @GROUP@
default_login_user = @OWNER@
first_valid_uid = 1
mail_location = @STORAGE@:@DIR@/mail/%u
mail_uid = @OWNER@
mail_gid = @GROUP@
mail_fsync = never
# Its lock can deadlock when several processes meet a new mailbox.
mailbox_list_index = no
mail_max_userip_connections = 100
# What the kernel cannot watch is looked at this often.
mailbox_idle_check_interval = 1s
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u @DIR@/users
}
userdb {
  driver = static
  args = uid=@OWNER@ gid=@GROUP@ home=@DIR@/mail/%u
}
namespace inbox {
  inbox = yes
  mailbox Sent {
    auto = create
    special_use = \Sent
  }
  mailbox Drafts {
    auto = create
    special_use = \Drafts
  }
  mailbox Junk {
    auto = create
    special_use = \Junk
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = @LMTP@
  }
}
service auth {
  inet_listener sasl {
    address = 127.0.0.1
    port = @AUTH@
  }
}
service anvil {
  chroot =
  # A test of a wrong password does not wait for the penalty of an attacker.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
protocol lmtp {
  mail_plugins = sieve
  postmaster_address = postmaster@localhost
}
submission_host = 127.0.0.1:@SUBMISSION@
plugin {
  sieve = file:@DIR@/sieve/%u.sieve
  sieve_vacation_send_from_recipient = yes
}
"#;

#[test]
fn dovecot_delivers_lists_and_survives_a_restart() {
    let Some(mut dovecot) = Dovecot::start(&[User::new("anna@shop.test")]) else {
        return;
    };
    let message = b"Subject: one\r\n\r\n.a line with a dot\r\n";
    dovecot.deliver("anna@shop.test", "INBOX", message);
    dovecot.deliver("anna@shop.test", "Sent", b"Subject: two\r\n\r\nx\r\n");
    assert!(
        dovecot
            .deliver_from("a@b.test", "nobody@shop.test", message)
            .is_err()
    );
    dovecot.restart();
    let inbox = dovecot.list("anna@shop.test", "INBOX");
    assert_eq!(inbox.len(), 1);
    assert!(
        inbox[0].ends_with(b"\n.a line with a dot\r\n")
            || inbox[0].ends_with(b"\n.a line with a dot\n")
    );
    assert_eq!(dovecot.list("anna@shop.test", "Sent").len(), 1);
    assert_eq!(dovecot.seen("anna@shop.test", "INBOX"), 0);
    let before = dovecot.uid_validity("anna@shop.test", "INBOX");
    dovecot.renumber("anna@shop.test", "INBOX");
    assert_ne!(dovecot.uid_validity("anna@shop.test", "INBOX"), before);
}
