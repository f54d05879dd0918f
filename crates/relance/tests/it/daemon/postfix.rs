//! A private Postfix in front of a [`Dovecot`]: takes mail on a port without questions, and on another
//! after a login; delivers every domain of Dovecot's users by LMTP; answers for unknown mailboxes with
//! Postfix's own delivery status notifications. It reaches nothing outside the machine.
//!
//! Needs root: Postfix's master changes users.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::dovecot::Dovecot;
use super::smtp::Talk;
use super::{
    PORT_ATTEMPTS, START_MAX, Supervised, User, free_port, installed, is_root, log_tail,
    open_folder, program, run, skip, wait_until,
};

/// Where packages keep the list of Postfix's services.
const MASTER_FILES: &[&str] = &[
    "/usr/share/postfix/master.cf.dist",
    "/etc/postfix/master.cf.proto",
    "/usr/lib/postfix/master.cf",
];

/// A running server. It stops when dropped.
pub struct Postfix {
    /// Before `folder`: what is declared first is dropped first, and the server needs its folder to stop.
    server: Option<Supervised>,
    folder: TempDir,
    smtp_port: u16,
    submission_port: u16,
}

impl Postfix {
    /// Starts a server that delivers to `dovecot`; `None` when it is not installed or not allowed.
    pub fn start(dovecot: &mut Dovecot) -> Option<Self> {
        if !installed(&["postfix", "postconf", "setsid"]) {
            return None;
        }
        if !is_root() {
            skip("Postfix needs root");
            return None;
        }
        let folder = open_folder("postfix");
        for name in ["etc", "spool", "data", "log"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        run(Command::new("chown")
            .arg("postfix")
            .arg(folder.path().join("data")));
        let mut postfix = Self {
            folder,
            smtp_port: 0,
            submission_port: 0,
            server: None,
        };
        for attempt in 1..=PORT_ATTEMPTS {
            // The port that Sieve knows already spares Dovecot a reload, during which it is not there.
            postfix.smtp_port = match attempt {
                1 => dovecot.submission_port(),
                _ => free_port(),
            };
            postfix.submission_port = free_port();
            postfix.write_config(dovecot);
            if postfix.try_start() {
                dovecot.set_submission_port(postfix.smtp_port);
                return Some(postfix);
            }
            eprintln!("postfix did not start, attempt {attempt}");
        }
        panic!("postfix does not start:\n{}", postfix.log());
    }

    /// Takes mail from anyone on this machine.
    pub fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    /// Takes mail after STARTTLS and AUTH (PLAIN or LOGIN) with a user of Dovecot; its certificate is
    /// Dovecot's.
    pub fn submission_port(&self) -> u16 {
        self.submission_port
    }

    /// Sends a message. The refusal, if it is refused.
    pub fn send(&self, from: &str, to: &[&str], message: &[u8]) -> Result<(), String> {
        Talk::start(self.smtp_port, "EHLO")?.send(from, to, message, false)
    }

    /// Stops the server; what it queued stays.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Starts it again on the same queue and ports.
    pub fn restart(&mut self) {
        self.stop();
        assert!(
            wait_until(START_MAX, || self.try_start()),
            "postfix does not start again:\n{}",
            self.log()
        );
    }

    /// The end of the server's log.
    pub fn log(&self) -> String {
        log_tail(&self.folder.path().join("log/mail.log"))
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("etc")
    }

    fn try_start(&mut self) -> bool {
        let postfix = program("postfix").expect("postfix");
        let mut server = Supervised::start(
            "postfix",
            self.folder.path(),
            "\"$2\" -c \"$1\" start >/dev/null || exit 1",
            "\"$2\" -c \"$1\" abort >/dev/null",
            &[&self.config(), &postfix],
            &self.folder.path().join("log/mail.log"),
        );
        let ready = wait_until(START_MAX, || {
            server.has_ended()
                || (Talk::start(self.smtp_port, "EHLO").is_ok()
                    && Talk::start(self.submission_port, "EHLO").is_ok())
        }) && !server.has_ended();
        self.server = ready.then_some(server);
        ready
    }

    fn write_config(&self, dovecot: &Dovecot) {
        let mut domains: Vec<&str> = dovecot.users().iter().map(User::domain).collect();
        domains.sort_unstable();
        domains.dedup();
        let lmtp = format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp_port());
        let routes: Vec<String> = domains
            .iter()
            .map(|domain| format!("{domain}={lmtp}"))
            .collect();
        let path = |path: &Path| path.display().to_string();
        let main = MAIN
            .replace("@DIR@", &path(self.folder.path()))
            .replace("@DOMAINS@", &domains.join(" "))
            .replace("@ROUTES@", &routes.join(", "))
            .replace("@LMTP@", &lmtp)
            .replace("@AUTH@", &dovecot.auth_port().to_string())
            .replace("@CERT@", &path(&dovecot.tls().certificate))
            .replace("@KEY@", &path(&dovecot.tls().key));
        fs::write(self.config().join("main.cf"), main).expect("written");
        fs::write(self.config().join("master.cf"), self.master()).expect("written");
    }

    /// The package's list of services: on our ports, and without chroot, which would need copies of
    /// system files.
    fn master(&self) -> String {
        let package = MASTER_FILES
            .iter()
            .find_map(|path| fs::read_to_string(path).ok())
            .expect("Postfix's list of services");
        let mut master = String::new();
        for line in package.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_service = fields.len() >= 8 && !line.starts_with(['#', ' ', '\t']);
            if !is_service {
                continue;
            }
            let name = match (fields[0], fields[1]) {
                ("smtp", "inet") => format!("127.0.0.1:{}", self.smtp_port),
                (_, "inet") | ("postlog", _) => continue,
                (name, _) => name.to_owned(),
            };
            // name type private unpriv chroot wakeup maxproc command
            let (head, tail) = (fields[1..4].join(" "), fields[5..].join(" "));
            master.push_str(&format!("{name} {head} n {tail}\n"));
        }
        master.push_str("postlog unix-dgram n - n - 1 postlogd\n");
        master.push_str(&format!(
            "127.0.0.1:{} inet n - n - - smtpd\n{SUBMISSION}",
            self.submission_port
        ));
        master
    }
}

const MAIN: &str = "
compatibility_level = 3.6
queue_directory = @DIR@/spool
data_directory = @DIR@/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = @DIR@/log/mail.log
maillog_file_prefixes = @DIR@
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_bind_address = 127.0.0.1
myhostname = mx.shop.test
mydestination =
mynetworks = 127.0.0.0/8
local_transport = error:no local mail
relay_domains = @DOMAINS@
transport_maps = inline:{ @ROUTES@ }
default_transport = error:5.1.2 no outside world on this machine
relay_transport = @LMTP@
smtp_host_lookup = native
disable_dns_lookups = yes
bounce_queue_lifetime = 1h
minimal_backoff_time = 5s
maximal_backoff_time = 20s
queue_run_delay = 5s
delay_warning_time = 15s
notify_classes =
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:@AUTH@
smtpd_sasl_security_options = noanonymous
smtpd_tls_cert_file = @CERT@
smtpd_tls_key_file = @KEY@
recipient_delimiter = +
";

const SUBMISSION: &str = "  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
";

#[test]
fn postfix_delivers_and_out_of_office_and_bounces_come_back() {
    let users = [
        User::new("anna@shop.test"),
        User::vacation_ru("ivan@client.test"),
    ];
    let Some(mut dovecot) = Dovecot::start(&users) else {
        return;
    };
    let Some(postfix) = Postfix::start(&mut dovecot) else {
        return;
    };
    let limit = Duration::from_secs(30);
    let message = b"From: anna@shop.test\r\nTo: ivan@client.test\r\nSubject: offer\r\nMessage-ID: <1@shop.test>\r\n\r\nHello\r\n";
    postfix
        .send("anna@shop.test", &["ivan@client.test"], message)
        .expect("accepted");
    dovecot.wait_for("ivan@client.test", "INBOX", 1, limit);
    let answers = dovecot.wait_for("anna@shop.test", "INBOX", 1, limit);
    let answer = String::from_utf8_lossy(&answers[0]);
    assert!(
        answer
            .to_lowercase()
            .contains("auto-submitted: auto-replied"),
        "{answer}"
    );

    postfix
        .send("anna@shop.test", &["nobody@client.test"], message)
        .expect("accepted");
    let answers = dovecot.wait_for("anna@shop.test", "INBOX", 2, limit);
    let bounce = String::from_utf8_lossy(&answers[1]);
    assert!(bounce.contains("message/delivery-status"), "{bounce}");
    assert!(bounce.contains("Status: 5.1.1"), "{bounce}");
}
