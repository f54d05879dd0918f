//! The mailbox watcher on a real Dovecot when things are rough: mails that are removed while they are read, mails of
//! fifty megabytes, a server that has enough of us; and that nothing of it leaves a trace.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use relance_channels::imap::{Content, FailureKind, MailSession, MailboxEvent, Tls};
use tokio::time::timeout;

use crate::daemon::User;
use crate::daemon::dovecot::Dovecot;
use crate::imap::{ANNA, PATIENCE, Watched, account, mail, subject};

fn doveadm(dovecot: &Dovecot, arguments: &[&str]) -> String {
    let done = dovecot.doveadm().args(arguments).output().expect("doveadm");
    assert!(done.status.success(), "{done:?}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_mails_removed_while_they_are_read_leave_no_gap_and_nothing_twice() {
    const MAILS: u32 = 1_500;
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    let now = std::time::SystemTime::now();
    for at in 0..MAILS {
        dovecot.deliver_dated(ANNA, "INBOX", &mail(&format!("m{at:04}")), now);
    }
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let mut told = Vec::new();
    let mut removed = false;
    loop {
        match watched.next().await {
            MailboxEvent::Message { bytes, .. } => told.push(subject(&bytes)),
            MailboxEvent::Synced { .. } => break,
            MailboxEvent::Failed { text, .. } => panic!("failed: {text}"),
        }
        // The reader waits for us: it stands in the midst of the folder.
        if told.len() == 100 && !removed {
            removed = true;
            // Each whose number ends in 7 goes, before and behind the place where it is read.
            let mut expunge = vec!["expunge", "-u", ANNA, "mailbox", "INBOX", "("];
            let names: Vec<String> = (0..MAILS)
                .filter(|at| at % 10 == 7)
                .map(|at| format!("m{at:04}"))
                .collect();
            for (at, name) in names.iter().enumerate() {
                if at > 0 {
                    expunge.push("or");
                }
                expunge.extend(["subject", name.as_str()]);
            }
            expunge.push(")");
            doveadm(&dovecot, &expunge);
        }
    }
    let once: BTreeSet<&String> = told.iter().collect();
    assert_eq!(once.len(), told.len(), "nothing is told twice");
    for at in (0..MAILS).filter(|at| at % 10 != 7) {
        assert!(
            once.contains(&format!("m{at:04}")),
            "m{at:04} was passed over"
        );
    }
    assert!(
        told.len() < MAILS as usize,
        "some were gone before they were reached"
    );
    assert_eq!(dovecot.seen(ANNA, "INBOX"), 0);
}

/// Numbers, flags and change counters of all mails of a folder.
fn traces(dovecot: &Dovecot, folder: &str) -> String {
    doveadm(
        dovecot,
        &[
            "-f",
            "tab",
            "fetch",
            "-u",
            ANNA,
            "uid flags modseq",
            "mailbox",
            folder,
            "all",
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_reading_leaves_no_trace_in_any_mail() {
    let Some(dovecot) = Dovecot::start_indexed(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    for (folder, id) in [
        ("INBOX", "a"),
        ("INBOX", "b"),
        ("INBOX", "c"),
        ("Sent", "d"),
    ] {
        dovecot.deliver(ANNA, folder, &mail(id));
    }
    doveadm(
        &dovecot,
        &[
            "flags",
            "add",
            "-u",
            ANNA,
            "\\Seen \\Flagged",
            "mailbox",
            "INBOX",
            "subject",
            "b",
        ],
    );
    let before = ["INBOX", "Sent"].map(|folder| traces(&dovecot, folder));
    assert!(before[0].contains("\\Flagged"), "{}", before[0]);
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let (messages, _) = watched.synced().await;
    assert_eq!(messages.len(), 4);
    for _ in 0..3 {
        watched.watcher.sync_now();
        watched.synced().await;
    }
    watched.watcher.stop().await;
    let mut session = MailSession::connect(&account(&dovecot, Tls::Implicit))
        .await
        .expect("a session");
    let sent = session.find_sent().await.expect("asked").expect("a folder");
    assert!(
        session
            .find_by_message_id(&sent, "<d@client.test>")
            .await
            .expect("asked")
    );
    session.logout().await;
    let after = ["INBOX", "Sent"].map(|folder| traces(&dovecot, folder));
    assert_eq!(before, after, "not a flag, not a change counter");
}

fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    pages.unwrap_or(0_u64) * 4 / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_mails_of_fifty_megabytes_are_told_by_their_headers_in_bounded_memory() {
    const LARGE: usize = 50 * 1024 * 1024;
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    let line = [
        b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0".as_slice(),
        b"\r\n",
    ]
    .concat();
    let now = std::time::SystemTime::now();
    {
        let mut large = b"From: client@client.test\r\nTo: anna@shop.test\r\nSubject: large\r\nMessage-ID: <large@client.test>\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
        while large.len() < LARGE {
            large.extend_from_slice(&line);
        }
        for _ in 0..4 {
            dovecot.deliver_dated(ANNA, "INBOX", &large, now);
        }
        large.truncate(LARGE / 5);
        dovecot.deliver_dated(ANNA, "INBOX", &large, now);
    }
    dovecot.deliver_dated(ANNA, "INBOX", &mail("small"), now);
    let before = resident_mb();
    let mut most = before;
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let mut told = Vec::new();
    loop {
        let event = timeout(4 * PATIENCE, watched.events.recv()).await;
        match event.expect("in time").expect("a running watcher") {
            MailboxEvent::Message {
                content,
                bytes,
                size_bytes,
                ..
            } => {
                told.push((subject(&bytes), content, bytes.len(), size_bytes as usize));
            }
            MailboxEvent::Synced { .. } => break,
            MailboxEvent::Failed { text, .. } => panic!("failed: {text}"),
        }
        most = most.max(resident_mb());
    }
    let headers = told.iter().filter(|(subject, content, bytes, size)| {
        subject == "large" && *content == Content::HeadersOnly && *bytes < 1_000 && *size > LARGE
    });
    assert_eq!(headers.count(), 4, "{told:?}");
    assert_eq!(
        told.iter()
            .filter(|(_, content, ..)| *content == Content::Whole)
            .count(),
        2,
        "{told:?}"
    );
    eprintln!("{before} MB before, {most} MB at most");
    // One of ten megabytes is whole: in the parser, and once more as it is handed on.
    assert!(most - before < 60, "{before} MB before, {most} MB at most");
    assert_eq!(dovecot.seen(ANNA, "INBOX"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_one_connection_is_enough_where_the_server_allows_no_second() {
    let Some(dovecot) =
        Dovecot::start_configured(&[User::new(ANNA)], "mail_max_userip_connections = 1\n")
    else {
        return;
    };
    let one = account(&dovecot, Tls::Implicit);
    let mut watched = Watched::start(one.clone());
    watched.synced().await;
    dovecot.deliver(ANNA, "INBOX", &mail("reply"));
    watched.message("reply").await;
    watched.watcher.stop().await;
    // Somebody else's program has the only one: we are told, ask seldom, and go on when it is free.
    let taken = loop {
        // The server notices the end of ours a moment later.
        match MailSession::connect(&one).await {
            Ok(session) => break session,
            Err(_busy) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let mut watched = Watched::start(one);
    let begun = Instant::now();
    let mut failures = 0;
    while begun.elapsed() < Duration::from_secs(2) {
        let Ok(Some(event)) = timeout(Duration::from_millis(200), watched.events.recv()).await
        else {
            continue;
        };
        let MailboxEvent::Failed { kind, code, .. } = event else {
            panic!("it cannot be read: {event:?}");
        };
        assert_eq!(
            (kind, code),
            (FailureKind::Unreachable, "too_many_connections")
        );
        failures += 1;
    }
    assert!(
        (1..=6).contains(&failures),
        "{failures} attempts in two seconds at 0.4 s each"
    );
    taken.logout().await;
    dovecot.deliver(ANNA, "INBOX", &mail("after"));
    watched.message("after").await;
}
