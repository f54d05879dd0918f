//! The mailbox watcher against a real Dovecot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use relance_channels::imap::{
    Content, FailureKind, Filed, Folder, FolderCursor, FolderName, ImapAccount, Login, MailSession,
    MailboxEvent, MailboxWatcher, Tls, Trust, WatchConfig, WatchTimings, append_sent,
    ensure_in_sent, find_by_message_id,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::daemon::dovecot::Dovecot;
use crate::daemon::{PASSWORD, User};

pub const ANNA: &str = "anna@shop.test";
/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const DAY: u64 = 24 * 60 * 60;

pub fn account(dovecot: &Dovecot, tls: Tls) -> ImapAccount {
    let port = match tls {
        Tls::Implicit => dovecot.imaps_port(),
        Tls::StartTls | Tls::None => dovecot.imap_port(),
    };
    let mut account = ImapAccount::new("localhost", port, tls, Login::password(ANNA, PASSWORD));
    account.host = "127.0.0.1".into();
    account.trust = Trust {
        extra_roots: vec![dovecot.authority()],
    };
    account
}

pub fn mail(id: &str) -> Vec<u8> {
    format!("From: client@client.test\r\nTo: {ANNA}\r\nSubject: {id}\r\nMessage-ID: <{id}@client.test>\r\n\r\nHello {id}\r\n")
        .into_bytes()
}

/// A watcher and what it told.
pub struct Watched {
    pub watcher: MailboxWatcher,
    pub events: mpsc::Receiver<MailboxEvent>,
}

impl Watched {
    pub fn start(account: ImapAccount) -> Self {
        Self::resume(account, Vec::new())
    }

    pub fn resume(account: ImapAccount, cursors: Vec<FolderCursor>) -> Self {
        let (watcher, events) = MailboxWatcher::spawn(WatchConfig {
            account,
            cursors,
            look_back: SignedDuration::from_hours(24 * 30),
            sent: None,
            timings: WatchTimings {
                answer_timeout: Duration::from_secs(1),
                retry_delay_min: Duration::from_millis(100),
                retry_delay_max: Duration::from_millis(500),
                asked_retry_delay_min: Duration::from_millis(100),
                throttle_delay_min: Duration::from_millis(400),
                ..WatchTimings::default()
            },
            clock: Arc::new(Timestamp::now),
        });
        Self { watcher, events }
    }

    pub async fn next(&mut self) -> MailboxEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event in time")
            .expect("a running watcher")
    }

    /// Everything up to the next `Synced`: messages as folder and subject, and the cursors.
    pub async fn synced(&mut self) -> (Vec<(Folder, String)>, Vec<FolderCursor>) {
        let mut messages = Vec::new();
        loop {
            match self.next().await {
                MailboxEvent::Message {
                    folder,
                    content,
                    bytes,
                    ..
                } => {
                    assert_eq!(content, Content::Whole);
                    messages.push((folder, subject(&bytes)));
                }
                MailboxEvent::Synced { cursors, .. } => return (messages, cursors),
                MailboxEvent::Failed { text, .. } => panic!("failed: {text}"),
            }
        }
    }

    /// Waits for a message, over any number of readings and failures.
    pub async fn message(&mut self, wanted: &str) -> Folder {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let MailboxEvent::Message { folder, bytes, .. } = self.next().await
                && subject(&bytes) == wanted
            {
                return folder;
            }
        }
        panic!("{wanted} was not seen");
    }
}

pub fn subject(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_new_mail_in_both_folders_is_seen_at_once_and_stays_unread() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let (messages, _) = watched.synced().await;
    assert_eq!(messages, []);
    for (at, (folder, kind)) in [("INBOX", Folder::Inbox), ("Sent", Folder::Sent)]
        .into_iter()
        .cycle()
        .take(6)
        .enumerate()
    {
        // Idling begins a moment after Synced; news in between must not be lost either.
        tokio::time::sleep(Duration::from_millis(100 * at as u64)).await;
        let id = format!("{folder}-{at}");
        dovecot.deliver(ANNA, folder, &mail(&id));
        let delivered = Instant::now();
        assert_eq!(watched.message(&id).await, kind);
        let took = delivered.elapsed();
        eprintln!("{id} seen after {took:?}");
        assert!(took < Duration::from_secs(5), "{id} took {took:?}");
    }
    assert_eq!(dovecot.seen(ANNA, "INBOX"), 0);
    assert_eq!(dovecot.list(ANNA, "INBOX").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_starttls_and_plain_connections_work_and_foreign_certificates_are_refused() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    for tls in [Tls::StartTls, Tls::None] {
        let mut session = MailSession::connect(&account(&dovecot, tls))
            .await
            .expect("a session");
        let sent = session.find_sent().await.expect("a listing");
        assert_eq!(sent.map(|name| name.text()).as_deref(), Some("Sent"));
        session.logout().await;
    }
    let mut untrusted = account(&dovecot, Tls::Implicit);
    untrusted.trust = Trust::default();
    let error = MailSession::connect(&untrusted)
        .await
        .err()
        .expect("refused");
    assert_eq!(error.kind(), FailureKind::Protocol);
    assert!(
        error.explain().contains("certificate"),
        "{}",
        error.explain()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_first_reading_of_500_messages_looks_back_as_far_as_asked() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    let now = SystemTime::now();
    for at in 0..500u64 {
        // The older half is from before the thirty days that are looked back.
        let age = if at < 250 { 60 * DAY + at } else { DAY + at };
        let received_at = now - Duration::from_secs(age);
        dovecot.deliver_dated(ANNA, "INBOX", &mail(&format!("m{at:03}")), received_at);
    }
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let started = Instant::now();
    let (messages, cursors) = watched.synced().await;
    eprintln!("first reading took {:?}", started.elapsed());
    let mut subjects: Vec<String> = messages.into_iter().map(|(_, subject)| subject).collect();
    subjects.sort();
    let expected: Vec<String> = (250..500).map(|at| format!("m{at:03}")).collect();
    assert_eq!(subjects, expected);

    // With its cursors, the next watcher reads what came since, and nothing twice.
    watched.watcher.stop().await;
    dovecot.deliver(ANNA, "INBOX", &mail("later"));
    let mut resumed = Watched::resume(account(&dovecot, Tls::Implicit), cursors);
    let (messages, _) = resumed.synced().await;
    assert_eq!(messages, [(Folder::Inbox, "later".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_changed_uidvalidity_reads_again_and_misses_nothing() {
    let Some(mut dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    for id in ["a", "b", "c"] {
        dovecot.deliver(ANNA, "INBOX", &mail(id));
    }
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let (messages, before) = watched.synced().await;
    assert_eq!(messages.len(), 3);
    watched.watcher.stop().await;
    dovecot.renumber(ANNA, "INBOX");
    dovecot.deliver(ANNA, "INBOX", &mail("d"));
    let mut resumed = Watched::resume(account(&dovecot, Tls::Implicit), before.clone());
    let (messages, after) = resumed.synced().await;
    let subjects: Vec<&str> = messages
        .iter()
        .map(|(_, subject)| subject.as_str())
        .collect();
    assert!(subjects.contains(&"d"), "{subjects:?}");
    assert_eq!(subjects.len(), 4, "the caller knows the rest by Message-ID");
    let validity = |cursors: &[FolderCursor]| {
        cursors
            .iter()
            .find(|cursor| cursor.folder == Folder::Inbox)
            .map(|cursor| cursor.cursor.uid_validity)
    };
    assert_ne!(validity(&before), validity(&after));
}

/// Passes bytes on until told to stop, and then keeps connections open in silence, as a firewall that
/// forgot them does.
async fn forgetful_proxy(to: u16) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let forgets = Arc::new(AtomicBool::new(false));
    let forgot = Arc::clone(&forgets);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", to))
                .await
                .expect("the server");
            // Connections made after the forgetting are new to the firewall, and work.
            let old = !forgot.load(Ordering::SeqCst);
            let (client_read, client_write) = client.into_split();
            let (server_read, server_write) = server.into_split();
            let forgot = [Arc::clone(&forgot), Arc::clone(&forgot)];
            let [there, back] = forgot;
            tokio::spawn(pass_on(client_read, server_write, there, old));
            tokio::spawn(pass_on(server_read, client_write, back, old));
        }
    });
    (port, forgets)
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    forgot: Arc<AtomicBool>,
    old: bool,
) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if old && forgot.load(Ordering::SeqCst) {
            continue;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_dead_idle_is_found_out_when_a_reading_is_asked_for() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    let (port, forgets) = forgetful_proxy(dovecot.imaps_port()).await;
    let mut through = account(&dovecot, Tls::Implicit);
    through.port = port;
    let mut watched = Watched::start(through);
    watched.synced().await;
    tokio::time::sleep(Duration::from_millis(300)).await;

    forgets.store(true, Ordering::SeqCst);
    dovecot.deliver(ANNA, "INBOX", &mail("reply"));
    let heard = timeout(Duration::from_secs(3), watched.events.recv()).await;
    assert!(heard.is_err(), "a dead IDLE tells nothing: {heard:?}");

    let deadline = Timestamp::now();
    let asked = Instant::now();
    watched.watcher.sync_now();
    // The message comes before the Synced that covers the deadline.
    let MailboxEvent::Message { bytes, .. } = watched.next().await else {
        panic!("the reply comes first");
    };
    assert_eq!(subject(&bytes), "reply");
    let MailboxEvent::Synced { started_at, .. } = watched.next().await else {
        panic!("then Synced");
    };
    assert!(started_at >= deadline);
    eprintln!("dead IDLE replaced in {:?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(10));

    // And the fresh connections idle as before.
    dovecot.deliver(ANNA, "INBOX", &mail("second"));
    watched.message("second").await;
}

/// Passes bytes on, and cuts every connection after a while, each at another point.
async fn flapping_proxy(to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut life = Duration::from_millis(150);
        while let Ok((mut client, _)) = listener.accept().await {
            life = Duration::from_millis(100 + (life.as_millis() as u64 * 7 + 131) % 900);
            tokio::spawn(async move {
                if let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)).await {
                    let passing = tokio::io::copy_bidirectional(&mut client, &mut server);
                    let _ = timeout(life, passing).await;
                }
            });
        }
    });
    port
}

/// Rule R1 stands on this: whatever the server had accepted before `started_at` was told before
/// `Synced`, also while connections break and mail arrives all the time.
#[tokio::test(flavor = "multi_thread")]
async fn imap_synced_never_comes_before_a_message_that_it_covers() {
    let Some(dovecot) = Dovecot::start_indexed(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    let mut through = account(&dovecot, Tls::Implicit);
    through.port = flapping_proxy(dovecot.imaps_port()).await;
    let mut watched = Watched::start(through);

    let accepted: Arc<Mutex<BTreeMap<String, Timestamp>>> = Arc::default();
    let noting = Arc::clone(&accepted);
    let deliveries = tokio::task::spawn_blocking(move || {
        for at in 0..80 {
            let id = format!("d{at:03}");
            let folder = if at % 8 == 0 { "Sent" } else { "INBOX" };
            dovecot.deliver(ANNA, folder, &mail(&id));
            let now = Timestamp::now();
            noting.lock().expect("unpoisoned").insert(id, now);
            std::thread::sleep(Duration::from_millis(30 * (at % 4)));
        }
        dovecot
    });

    let mut told = BTreeSet::new();
    let (mut checked, mut failures) = (0, 0);
    let started = Instant::now();
    loop {
        assert!(
            started.elapsed() < 4 * PATIENCE,
            "told {} of 80",
            told.len()
        );
        watched.watcher.sync_now();
        match watched.next().await {
            MailboxEvent::Message { content, bytes, .. } => {
                assert_eq!(content, Content::Whole);
                told.insert(subject(&bytes));
            }
            MailboxEvent::Failed { kind, text, .. } => {
                assert_eq!(kind, FailureKind::Unreachable, "{text}");
                failures += 1;
            }
            MailboxEvent::Synced { started_at, .. } => {
                let accepted = accepted.lock().expect("unpoisoned").clone();
                for (id, at) in &accepted {
                    assert!(
                        *at >= started_at || told.contains(id),
                        "{id} of {at}: {started_at}"
                    );
                }
                checked += 1;
                if deliveries.is_finished() && told.len() == 80 {
                    break;
                }
            }
        }
    }
    eprintln!("{checked} readings checked, {failures} failures");
    assert!(checked > 5);
    let _dovecot = deliveries.await.expect("delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_wrong_password_is_told_and_a_right_one_is_taken_at_once() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    let mut wrong = account(&dovecot, Tls::Implicit);
    wrong.login = Login::password(ANNA, "not it");
    let mut watched = Watched::start(wrong);
    let MailboxEvent::Failed {
        kind,
        text,
        retry_at,
        ..
    } = watched.next().await
    else {
        panic!("the login is refused");
    };
    assert_eq!(kind, FailureKind::Auth);
    assert!(!text.contains("not it"));
    assert!(
        retry_at > Timestamp::now(),
        "not at once: it may lock the account"
    );
    watched.watcher.set_login(Login::password(ANNA, PASSWORD));
    watched.synced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_outage_is_told_and_survived() {
    let Some(mut dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    watched.synced().await;
    dovecot.stop();
    let MailboxEvent::Failed { kind, .. } = watched.next().await else {
        panic!("an outage is told");
    };
    assert_eq!(kind, FailureKind::Unreachable);
    let (_, mut events) = (watched.watcher.sync_now(), watched.events);
    // Told while it lasts, without Synced.
    while let Ok(event) = events.try_recv() {
        assert!(matches!(event, MailboxEvent::Failed { .. }), "{event:?}");
    }
    dovecot.restart();
    dovecot.deliver(ANNA, "INBOX", &mail("after"));
    watched.events = events;
    assert_eq!(watched.message("after").await, Folder::Inbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_sent_mail_is_filed_once_and_found_by_its_message_id() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    let account = account(&dovecot, Tls::Implicit);
    let message = mail("reminder");
    assert!(
        !find_by_message_id(&account, None, "<reminder@client.test>")
            .await
            .expect("asked")
    );
    append_sent(&account, None, &message).await.expect("filed");
    assert_eq!(dovecot.list(ANNA, "Sent").len(), 1);
    assert_eq!(dovecot.seen(ANNA, "Sent"), 1);
    for id in ["<reminder@client.test>", "reminder@client.test"] {
        assert!(find_by_message_id(&account, None, id).await.expect("asked"));
    }
    // A search finds parts of headers; the whole decides.
    assert!(
        !find_by_message_id(&account, None, "<minder@client.test>")
            .await
            .expect("asked")
    );

    let id = "<reminder@client.test>";
    let filed = ensure_in_sent(&account, None, id, &message)
        .await
        .expect("asked");
    assert_eq!(filed, Filed::AlreadyThere);
    let another = mail("another");
    let filed = ensure_in_sent(&account, None, "<another@client.test>", &another).await;
    assert_eq!(filed.expect("filed"), Filed::Appended);
    assert_eq!(dovecot.list(ANNA, "Sent").len(), 2);

    // A folder with a name of its own is made when it is missing.
    let folder = FolderName::from_text("Отправленные напоминания");
    append_sent(&account, Some(&folder), &message)
        .await
        .expect("filed");
    assert!(
        find_by_message_id(&account, Some(&folder), id)
            .await
            .expect("asked")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_odd_messages_come_as_they_are() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    let mut large = mail("large");
    for line in 0..60_000 {
        let _ = write!(Text(&mut large), "line {line} {{17}}\r\n");
    }
    let odd =
        b"Subject: odd\r\nX-\xff\xfe: \x01\r\n\r\n\xe9\xe8 ) FETCH {5}\r\n* 1 EXISTS\r\n".to_vec();
    for message in [&large, &odd] {
        dovecot.deliver(ANNA, "INBOX", message);
    }
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let mut seen = Vec::new();
    while seen.len() < 2 {
        if let MailboxEvent::Message { bytes, .. } = watched.next().await {
            seen.push(bytes);
        }
    }
    assert!(seen[0].ends_with(&large[large.len() - 1_000_000..]));
    assert!(seen[1].ends_with(&odd));
}

/// Lets `write!` append to bytes.
struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_removed_moved_and_missing_messages_leave_no_gap() {
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    for id in ["a", "b", "c"] {
        dovecot.deliver(ANNA, "INBOX", &mail(id));
    }
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let (messages, _) = watched.synced().await;
    assert_eq!(messages.len(), 3);
    let doveadm = |arguments: &[&str]| {
        let done = dovecot.doveadm().args(arguments).output().expect("doveadm");
        assert!(done.status.success(), "{done:?}");
    };
    doveadm(&[
        "expunge", "-u", ANNA, "mailbox", "INBOX", "header", "Subject", "b",
    ]);
    doveadm(&["mailbox", "create", "-u", ANNA, "Archive"]);
    doveadm(&[
        "move", "-u", ANNA, "Archive", "mailbox", "INBOX", "header", "Subject", "c",
    ]);
    dovecot.deliver(ANNA, "INBOX", &mail("d"));
    assert_eq!(watched.message("d").await, Folder::Inbox);
    let (_, cursors) = watched.synced().await;
    watched.watcher.stop().await;
    // Whatever came, and was filed elsewhere before anybody looked, is gone; what came after it is read.
    dovecot.deliver(ANNA, "INBOX", &mail("e"));
    doveadm(&[
        "expunge", "-u", ANNA, "mailbox", "INBOX", "header", "Subject", "e",
    ]);
    dovecot.deliver(ANNA, "INBOX", &mail("f"));
    let mut resumed = Watched::resume(account(&dovecot, Tls::Implicit), cursors);
    let (messages, _) = resumed.synced().await;
    assert_eq!(messages, [(Folder::Inbox, "f".to_owned())]);
    assert_eq!(dovecot.seen(ANNA, "INBOX"), 0);
}

/// The first reading of a large folder: time, and the memory that it takes. Measured by
/// `cargo nextest run --release -p relance --run-ignored only -E 'test(imap_first_reading_of_100_000)' --no-capture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; see docs/BENCHMARKS.md"]
async fn imap_first_reading_of_100_000_messages_in_bounded_memory() {
    const MESSAGES: u64 = 100_000;
    let Some(dovecot) = Dovecot::start(&[User::new(ANNA)]) else {
        return;
    };
    dovecot.prepare(ANNA);
    let now = SystemTime::now();
    for at in 0..MESSAGES {
        let received_at = now - Duration::from_secs(DAY + at);
        dovecot.deliver_dated(ANNA, "INBOX", &mail(&format!("m{at:06}")), received_at);
    }
    let resident = || -> u64 {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = text.split_whitespace().nth(1).and_then(|n| n.parse().ok());
        pages.unwrap_or(0_u64) * 4 / 1024
    };
    let before = resident();
    let mut watched = Watched::start(account(&dovecot, Tls::Implicit));
    let started = Instant::now();
    let (mut seen, mut most) = (0_u64, before);
    loop {
        let event = timeout(Duration::from_secs(600), watched.events.recv()).await;
        match event.expect("in time").expect("a running watcher") {
            MailboxEvent::Message { .. } => {
                seen += 1;
                if seen.is_multiple_of(1_000) {
                    most = most.max(resident());
                }
            }
            MailboxEvent::Synced { .. } => break,
            MailboxEvent::Failed { text, .. } => panic!("failed: {text}"),
        }
    }
    eprintln!(
        "{seen} messages in {:?}; {before} MB before, {most} MB at most",
        started.elapsed()
    );
    assert_eq!(seen, MESSAGES);
    assert!(most - before < 200, "memory does not grow with the folder");
    assert_eq!(dovecot.seen(ANNA, "INBOX"), 0);
}
