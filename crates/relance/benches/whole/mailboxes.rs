//! Many mailboxes on IDLE: what each takes of the server's memory, beside the same server without any.
//!
//! A private Dovecot holds them; the program keeps two connections to each, over TLS, for the inbox and for sent mail.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::bare::sql;
use crate::daemon::dovecot::Dovecot;
use crate::daemon::smtp::Talk;
use crate::daemon::{PASSWORD, User};
use crate::figures::{Figure, say};
use crate::server::Server;
use crate::{Failure, Options, seed};

/// Mails in each inbox before it is read.
const MAILS: u64 = 5;
/// Recipients of one delivery.
const RECIPIENTS: usize = 100;
/// How long all may take to be read.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long nothing happens before memory is looked at.
const REST: Duration = Duration::from_secs(10);
/// How long the processor's share of doing nothing is taken over.
const IDLE: Duration = Duration::from_secs(30);
const KIB: f64 = 1_024.0;

/// Opens the workspace's database beside the server, to read alone.
pub fn reading(data: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(data.join("relance.db"), flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// A mailbox of the configuration.
pub fn configured(dovecot: &Dovecot, address: &str) -> String {
    format!(
        "[[mailbox]]\naddress = \"{address}\"\nimap = {{ host = \"127.0.0.1\", port = {}, tls = \"implicit\", ca_file = {:?}, password = \"{PASSWORD}\" }}\n",
        dovecot.imaps_port(),
        dovecot.authority_file()
    )
}

/// A workspace that sends nothing.
pub const WORKSPACE: &str = "[workspace]\naddress = \"desk@shop.test\"\ninternal_domains = [\"shop.test\"]\ndelivery = \"outbox\"\n";

fn address(n: u64) -> String {
    format!("person-{n}@shop.test")
}

/// A mail to everybody.
fn deliver(dovecot: &Dovecot, all: &[String], id: &str) -> Result<(), Failure> {
    let mail = format!(
        "From: client@client.test\r\nTo: everybody@shop.test\r\nSubject: {id}\r\nMessage-ID: <{id}@client.test>\r\n\r\nHello {id}\r\n"
    );
    for some in all.chunks(RECIPIENTS) {
        let to: Vec<&str> = some.iter().map(String::as_str).collect();
        Talk::start(dovecot.lmtp_port(), "LHLO")?.send(
            "client@client.test",
            &to,
            mail.as_bytes(),
            true,
        )?;
    }
    Ok(())
}

/// How many mailboxes were read whole since a moment.
fn read_since(data: &Path, since: jiff::Timestamp) -> Result<u64, Failure> {
    let connection = reading(data)?;
    // What counts as read ends some seconds before the reading began.
    let since = (since.as_millisecond() - 5_000) * 1_000_000;
    let read: i64 = connection.query_row(sql("mailboxes_read")?, [since], |row| row.get(0))?;
    Ok(read.cast_unsigned())
}

fn wait_read(data: &Path, since: jiff::Timestamp, count: u64) -> Result<Duration, Failure> {
    let began = Instant::now();
    loop {
        let read = read_since(data, since)?;
        if read >= count {
            return Ok(began.elapsed());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("{read} of {count} mailboxes were read").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sessions that the server has open.
fn sessions(dovecot: &Dovecot) -> Result<usize, Failure> {
    let mut who: Command = dovecot.doveadm();
    let told = who.args(["-f", "flow", "who", "-1"]).output()?;
    Ok(String::from_utf8_lossy(&told.stdout).lines().count())
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let all: Vec<String> = (0..options.mailboxes).map(address).collect();
    let users: Vec<User> = all.iter().map(|address| User::new(address)).collect();
    let dovecot = Dovecot::start_crowded(&users).ok_or("dovecot is not installed")?;
    for n in 0..MAILS {
        deliver(&dovecot, &all, &format!("before-{n}"))?;
    }
    let folder = tempfile::tempdir()?;
    let mut config = WORKSPACE.to_owned();
    for address in &all {
        write!(config, "{}", configured(&dovecot, address))?;
    }
    let [
        mut empty,
        mut reading_time,
        mut each,
        mut each_resident,
        mut again,
        mut idle,
    ] = [const { Figure::new() }; 6];
    for round in 0..options.rounds {
        let without = folder.path().join(format!("without-{round}"));
        seed::workspace(&without, WORKSPACE)?;
        let server = Server::start(&without)?;
        std::thread::sleep(REST);
        let (resident, own) = server.memory()?;
        server.stop()?;
        empty.push(own as f64 / KIB / KIB);

        let with = folder.path().join(format!("with-{round}"));
        seed::workspace(&with, &config)?;
        let since = jiff::Timestamp::now();
        let server = Server::start(&with)?;
        let took = wait_read(&with, since, options.mailboxes)?;
        reading_time.push(took.as_secs_f64());
        std::thread::sleep(REST);
        let open = sessions(&dovecot)?;
        if (open as u64) < 2 * options.mailboxes {
            return Err(format!("only {open} connections are open").into());
        }
        let per_mailbox =
            |now: u64, before: u64| (now as f64 - before as f64) / KIB / options.mailboxes as f64;
        let (resident_now, own_now) = server.memory()?;
        each.push(per_mailbox(own_now, own));
        each_resident.push(per_mailbox(resident_now, resident));

        let before = server.processor_seconds()?;
        std::thread::sleep(IDLE);
        let spent = server.processor_seconds()? - before;
        idle.push(spent / IDLE.as_secs_f64() * 100.0);

        let since = jiff::Timestamp::now();
        deliver(&dovecot, &all, &format!("news-{round}"))?;
        wait_read(&with, since, options.mailboxes)?;
        std::thread::sleep(REST);
        again.push(per_mailbox(server.memory()?.1, own));
        server.stop()?;
    }
    println!(
        "{} mailboxes, two connections each over TLS, {MAILS} mails in each",
        options.mailboxes
    );
    say("without mailboxes, own memory, MiB", &empty);
    say("all read for the first time, s", &reading_time);
    say("a mailbox on IDLE, own memory, KiB", &each);
    say("  with pages of files, KiB", &each_resident);
    say("  after a mail came to each, KiB", &again);
    say("processor while nothing happens, % of a core", &idle);
    Ok(())
}
