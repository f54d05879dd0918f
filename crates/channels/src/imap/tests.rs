//! Servers that lie, refuse, break off and stall, over real sockets.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;

/// What the server does instead of the usual, by connection (from 1) and command.
type Quirk = Box<dyn Fn(u32, &str) -> Option<Reply> + Send + Sync>;

enum Reply {
    /// `{tag}` is replaced.
    Text(String),
    TextThenClose(String),
    Close,
    Silence,
}

fn text(text: impl Into<String>) -> Option<Reply> {
    Some(Reply::Text(text.into()))
}

/// A small IMAP server with an INBOX and a Sent folder.
struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    inbox: Mutex<Vec<(u32, Vec<u8>)>>,
    capabilities: &'static str,
    quirk: Quirk,
    connections: AtomicU32,
}

impl Server {
    async fn start(capabilities: &'static str, inbox: &[(u32, &str)], quirk: Quirk) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let inbox = inbox
            .iter()
            .map(|(uid, body)| (*uid, body.as_bytes().to_vec()));
        let shared = Arc::new(Shared {
            inbox: Mutex::new(inbox.collect()),
            capabilities,
            quirk,
            connections: AtomicU32::new(0),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = accepting.connections.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::spawn(serve(stream, number, Arc::clone(&accepting)));
            }
        });
        Self { port, shared }
    }

    fn account(&self) -> ImapAccount {
        let login = Login::password("anna@shop.test", "secret");
        let mut account = ImapAccount::new("127.0.0.1", self.port, Tls::None, login);
        account.limits.command_timeout = Duration::from_millis(500);
        account.limits.connect_timeout = Duration::from_millis(500);
        account
    }

    fn watch(&self) -> (MailboxWatcher, mpsc::Receiver<MailboxEvent>) {
        MailboxWatcher::spawn(self.config())
    }

    fn config(&self) -> WatchConfig {
        WatchConfig {
            account: self.account(),
            cursors: Vec::new(),
            look_back: SignedDuration::from_hours(24 * 30),
            sent: None,
            timings: WatchTimings {
                poll_interval: Duration::from_millis(100),
                answer_timeout: Duration::from_millis(200),
                retry_delay_min: Duration::from_millis(20),
                retry_delay_max: Duration::from_millis(40),
                asked_retry_delay_min: Duration::from_millis(20),
                ..WatchTimings::default()
            },
            clock: Arc::new(Timestamp::now),
        }
    }

    fn connections(&self) -> u32 {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, number: u32, shared: Arc<Shared>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    write.write_all(b"* OK ready\r\n").await.ok()?;
    let mut folder = "INBOX";
    let mut idle_tag = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        let (tag, command) = match line {
            "DONE" => (idle_tag.clone(), "DONE"),
            _ => line
                .split_once(' ')
                .map(|(tag, rest)| (tag.to_owned(), rest))?,
        };
        if let Some(reply) = (shared.quirk)(number, command) {
            match reply {
                Reply::Text(text) => {
                    let text = text.replace("{tag}", &tag);
                    write.write_all(text.as_bytes()).await.ok()?;
                    continue;
                }
                Reply::TextThenClose(text) => {
                    write.write_all(text.as_bytes()).await.ok()?;
                    return None;
                }
                Reply::Close => return None,
                Reply::Silence => continue,
            }
        }
        let inbox = shared.inbox.lock().expect("unpoisoned").clone();
        let messages = if folder == "INBOX" { inbox } else { Vec::new() };
        let mut out = Vec::new();
        if command == "CAPABILITY" {
            out.extend(format!("* CAPABILITY {}\r\n", shared.capabilities).into_bytes());
        } else if command.starts_with("AUTHENTICATE") {
            write.write_all(b"+ \r\n").await.ok()?;
            let mut answer = String::new();
            lines.read_line(&mut answer).await.ok()?;
        } else if command.starts_with("LIST") {
            out.extend(b"* LIST () \"/\" INBOX\r\n* LIST (\\Sent) \"/\" Sent\r\n");
        } else if let Some(name) = command.strip_prefix("EXAMINE ") {
            folder = if name.contains("Sent") {
                "Sent"
            } else {
                "INBOX"
            };
            let messages = if folder == "INBOX" {
                shared.inbox.lock().expect("unpoisoned").clone()
            } else {
                Vec::new()
            };
            let next = messages.last().map_or(1, |(uid, _)| uid + 1);
            out.extend(
                format!(
                    "* {} EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT {next}] next\r\n",
                    messages.len()
                )
                .into_bytes(),
            );
        } else if command.starts_with("UID SEARCH") {
            let uids: String = messages.iter().map(|(uid, _)| format!(" {uid}")).collect();
            out.extend(format!("* SEARCH{uids}\r\n").into_bytes());
        } else if let Some(fetch) = command.strip_prefix("UID FETCH ") {
            let (set, items) = fetch.split_once(' ')?;
            for (at, (uid, body)) in messages.iter().enumerate() {
                if !in_set(*uid, set) {
                    continue;
                }
                let seq = at + 1;
                if items.contains("BODY.PEEK[HEADER") {
                    let end = body.windows(4).position(|four| four == b"\r\n\r\n");
                    let header = &body[..end.map_or(body.len(), |end| end + 4)];
                    out.extend(
                        format!(
                            "* {seq} FETCH (UID {uid} BODY[HEADER]<0> {{{}}}\r\n",
                            header.len()
                        )
                        .into_bytes(),
                    );
                    out.extend(header);
                    out.extend(b")\r\n");
                } else if items.contains("BODY.PEEK[]") {
                    out.extend(
                        format!("* {seq} FETCH (UID {uid} BODY[] {{{}}}\r\n", body.len())
                            .into_bytes(),
                    );
                    out.extend(body);
                    out.extend(b")\r\n");
                } else {
                    out.extend(
                        format!(
                            "* {seq} FETCH (UID {uid} RFC822.SIZE {} INTERNALDATE \"{}\")\r\n",
                            body.len(),
                            Timestamp::now().strftime("%d-%b-%Y %H:%M:%S +0000"),
                        )
                        .into_bytes(),
                    );
                }
            }
        } else if command == "IDLE" {
            idle_tag = tag;
            write.write_all(b"+ idling\r\n").await.ok()?;
            continue;
        }
        out.extend(format!("{tag} OK done\r\n").into_bytes());
        write.write_all(&out).await.ok()?;
    }
}

fn in_set(uid: u32, set: &str) -> bool {
    set.split(',').any(|part| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let first: u32 = first.parse().unwrap_or(1);
        let last: u32 = last.parse().unwrap_or(u32::MAX);
        (first..=last).contains(&uid)
    })
}

const MAIL: &str = "Subject: offer\r\nMessage-ID: <one@shop.test>\r\n\r\nHello\r\n";
const IDLE: &str = "IMAP4rev1 AUTH=PLAIN IDLE";

async fn next(events: &mut mpsc::Receiver<MailboxEvent>) -> MailboxEvent {
    timeout(Duration::from_secs(10), events.recv())
        .await
        .expect("an event in time")
        .expect("a running watcher")
}

/// Everything up to the first event of the kind that is asked for, as short words.
async fn story(events: &mut mpsc::Receiver<MailboxEvent>, until: &str) -> Vec<String> {
    let mut story = Vec::new();
    loop {
        let word = match next(events).await {
            MailboxEvent::Message { uid, content, .. } => format!("message {uid} {content:?}"),
            MailboxEvent::Synced { .. } => "synced".into(),
            MailboxEvent::Failed { kind, .. } => format!("failed {kind:?}"),
        };
        story.push(word);
        if story.last().is_some_and(|word| word == until) {
            return story;
        }
        assert!(story.len() < 50, "{story:?}");
    }
}

#[tokio::test]
async fn what_was_found_is_told_before_synced() {
    let server = Server::start(IDLE, &[(3, MAIL), (9, MAIL)], Box::new(|_, _| None)).await;
    let (watcher, mut events) = server.watch();
    let before = Timestamp::now();
    assert_eq!(
        story(&mut events, "synced").await,
        ["message 3 Whole", "message 9 Whole", "synced"]
    );
    watcher.sync_now();
    let MailboxEvent::Synced {
        started_at,
        cursors,
    } = next(&mut events).await
    else {
        panic!("nothing is new");
    };
    assert!(started_at >= before);
    let next: Vec<_> = cursors
        .iter()
        .map(|cursor| (cursor.folder, cursor.cursor.uid_next))
        .collect();
    assert_eq!(next, [(Folder::Sent, 1), (Folder::Inbox, 10)]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_is_refused_is_never_an_empty_one() {
    let listing =
        |command: &str| command.starts_with("UID FETCH") && command.contains("RFC822.SIZE");
    let quirks: [fn() -> Reply; 4] = [
        || Reply::Text("{tag} NO [SERVERBUG] out of order\r\n".into()),
        || Reply::Text("{tag} BAD what\r\n".into()),
        || Reply::Close,
        || Reply::Silence,
    ];
    for quirk in quirks {
        let server = Server::start(
            IDLE,
            &[(3, MAIL)],
            Box::new(move |connection, command| (connection <= 2 && listing(command)).then(quirk)),
        )
        .await;
        let (_watcher, mut events) = server.watch();
        let story = story(&mut events, "synced").await;
        assert!(story[0].starts_with("failed"), "{story:?}");
        assert_eq!(story[story.len() - 2..], ["message 3 Whole", "synced"]);
    }
}

#[tokio::test]
async fn a_listing_cut_in_the_middle_loses_nothing() {
    let server = Server::start(
        IDLE,
        &[(3, MAIL), (4, MAIL)],
        Box::new(|connection, command| {
            (connection == 1 && command.contains("RFC822.SIZE"))
                .then(|| Reply::TextThenClose("* 1 FETCH (UID 3 RFC822.SIZE 10)\r\n".into()))
        }),
    )
    .await;
    let (_watcher, mut events) = server.watch();
    assert_eq!(
        story(&mut events, "synced").await,
        [
            "failed Unreachable",
            "message 3 Whole",
            "message 4 Whole",
            "synced"
        ]
    );
}

#[tokio::test]
async fn a_parser_that_panics_is_a_failure_and_not_the_end() {
    let server = Server::start(
        IDLE,
        &[(3, MAIL)],
        Box::new(|connection, command| {
            // A text that follows its code without a space, in Cyrillic.
            (connection == 1 && command.starts_with("EXAMINE"))
                .then(|| Reply::Text("* OK [ALERT]привет\r\n{tag} OK\r\n".into()))
        }),
    )
    .await;
    let (_watcher, mut events) = server.watch();
    assert_eq!(
        story(&mut events, "synced").await,
        ["failed Protocol", "message 3 Whole", "synced"]
    );
}

#[tokio::test]
async fn a_poisoned_message_is_told_as_unreadable_and_the_others_are_read() {
    let server = Server::start(
        IDLE,
        &[(3, MAIL), (4, MAIL), (5, MAIL)],
        Box::new(|_, command| {
            let set = command.strip_prefix("UID FETCH ")?.split(' ').next()?;
            (command.contains("BODY.PEEK") && in_set(4, set))
                .then(|| Reply::Text("* 2 FETCH (UID 4 BODY[] {2000000000}\r\n".into()))
        }),
    )
    .await;
    let (_watcher, mut events) = server.watch();
    let story = story(&mut events, "synced").await;
    let told: Vec<_> = story
        .iter()
        .filter(|word| !word.starts_with("failed"))
        .collect();
    assert_eq!(
        told,
        [
            "message 3 Whole",
            "message 4 Unreadable",
            "message 5 Whole",
            "synced"
        ]
    );
}

/// A server that asks for patience in the midst of a reading, in the words of several.
#[tokio::test]
async fn a_server_that_has_enough_is_left_alone_and_no_message_is_given_up() {
    for words in [
        "NO [THROTTLED] Account exceeded command or bandwidth limits",
        "NO [LIMIT] UID FETCH Rate limit hit.",
        "BAD Request is throttled. Suggested Backoff Time: 300 milliseconds",
        "NO Request is throttled. Suggested Backoff Time: 300 milliseconds",
    ] {
        const REFUSALS: u32 = 8;
        let refused = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&refused);
        let server = Server::start(
            IDLE,
            &[(3, MAIL), (4, MAIL), (5, MAIL)],
            Box::new(move |_, command| {
                let is_body = command.starts_with("UID FETCH") && command.contains("BODY.PEEK");
                // More often than a message that is at fault itself is tried.
                (is_body && counted.fetch_add(1, Ordering::SeqCst) < REFUSALS)
                    .then(|| Reply::Text(format!("{{tag}} {words}\r\n")))
            }),
        )
        .await;
        let mut config = server.config();
        config.timings.throttle_delay_min = Duration::from_millis(60);
        let (_watcher, mut events) = MailboxWatcher::spawn(config);
        let begun = tokio::time::Instant::now();
        let story = story(&mut events, "synced").await;
        let failed = vec!["failed Unreachable"; REFUSALS as usize];
        let told = [
            "message 3 Whole",
            "message 4 Whole",
            "message 5 Whole",
            "synced",
        ];
        assert_eq!(story, [failed, told.to_vec()].concat(), "{words}");
        let least = Duration::from_millis(60) * REFUSALS;
        assert!(begun.elapsed() >= least, "{words}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_large_message_is_told_by_its_headers() {
    let large = format!("Subject: large\r\n\r\n{}", "x".repeat(5000));
    let server = Server::start(IDLE, &[(3, &large), (4, MAIL)], Box::new(|_, _| None)).await;
    let mut account = server.account();
    account.limits.message_bytes_max = 1000;
    let mut session = MailSession::connect(&account).await.expect("a session");
    let now = Timestamp::now();
    let since = now - SignedDuration::from_hours(24);
    let mut pass = session
        .begin(&FolderName::inbox(), None, since, now)
        .await
        .expect("a pass");
    let mut told = Vec::new();
    while let Some(batch) = session
        .next_batch(&mut pass, Caution::None)
        .await
        .expect("a batch")
    {
        told.extend(batch);
    }
    assert_eq!(told[0].content, Content::HeadersOnly);
    assert_eq!(told[0].bytes, b"Subject: large\r\n\r\n");
    assert_eq!(told[0].size_bytes, 5018);
    assert_eq!(
        (told[1].content, told[1].bytes.as_slice()),
        (Content::Whole, MAIL.as_bytes())
    );
    assert_eq!(
        pass.cursor(),
        Some(Cursor {
            uid_validity: 7,
            uid_next: 5
        })
    );
}

#[tokio::test]
async fn a_message_removed_meanwhile_is_passed_over() {
    let server = Server::start(
        IDLE,
        &[(3, MAIL)],
        Box::new(|_, command| {
            if command.contains("RFC822.SIZE") {
                return text(
                    "* 1 FETCH (UID 2 RFC822.SIZE 9)\r\n* 2 FETCH (UID 3 RFC822.SIZE 9)\r\n{tag} OK\r\n",
                );
            }
            if command.starts_with("UID SEARCH") {
                return text("* SEARCH 2 3\r\n{tag} OK\r\n");
            }
            None
        }),
    )
    .await;
    let (_watcher, mut events) = server.watch();
    assert_eq!(
        story(&mut events, "synced").await,
        ["message 3 Whole", "synced"]
    );
}

#[tokio::test]
async fn a_refused_second_connection_and_a_server_without_idle_are_enough() {
    let refuse: Quirk = Box::new(|connection, command| {
        (connection == 2 && command.starts_with("AUTHENTICATE"))
            .then(|| Reply::Text("{tag} NO [LIMIT] too many connections\r\n".into()))
    });
    let single = Server::start(IDLE, &[(3, MAIL)], refuse).await;
    let polled = Server::start("IMAP4rev1 AUTH=PLAIN", &[(3, MAIL)], Box::new(|_, _| None)).await;
    for (server, connections) in [(single, 2), (polled, 1)] {
        let (_watcher, mut events) = server.watch();
        assert_eq!(
            story(&mut events, "synced").await,
            ["message 3 Whole", "synced"]
        );
        server
            .shared
            .inbox
            .lock()
            .expect("unpoisoned")
            .push((4, MAIL.into()));
        let story = story(&mut events, "message 4 Whole").await;
        assert!(
            story.iter().all(|word| !word.starts_with("failed")),
            "{story:?}"
        );
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn a_dead_idle_is_replaced_when_asked() {
    // The first two connections answer nothing once they idle.
    let server = Server::start(
        IDLE,
        &[(3, MAIL)],
        Box::new(|connection, command| {
            (connection <= 2 && command == "DONE").then_some(Reply::Silence)
        }),
    )
    .await;
    let (watcher, mut events) = server.watch();
    story(&mut events, "synced").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server
        .shared
        .inbox
        .lock()
        .expect("unpoisoned")
        .push((4, MAIL.into()));
    let asked_at = Timestamp::now();
    watcher.sync_now();
    assert!(matches!(
        next(&mut events).await,
        MailboxEvent::Message { uid: 4, .. }
    ));
    let MailboxEvent::Synced { started_at, .. } = next(&mut events).await else {
        panic!("synced follows");
    };
    assert!(started_at >= asked_at);
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn news_during_a_pass_causes_another() {
    // The server tells of a new message at the end of the listing, and never again.
    let told = AtomicU32::new(0);
    let server = Server::start(
        IDLE,
        &[(3, MAIL)],
        Box::new(move |_, command| {
            (command.contains("BODY.PEEK") && told.fetch_add(1, Ordering::SeqCst) == 0).then(|| {
                let mail = format!("{{{}}}\r\n{MAIL}", MAIL.len());
                Reply::Text(format!(
                    "* 1 FETCH (UID 3 BODY[] {mail})\r\n* 2 EXISTS\r\n{{tag}} OK\r\n"
                ))
            })
        }),
    )
    .await;
    let (_watcher, mut events) = server.watch();
    story(&mut events, "synced").await;
    assert_eq!(story(&mut events, "synced").await, ["synced"]);
}

#[tokio::test]
async fn refused_logins_are_told_apart_from_busy_servers() {
    for (answer, kind) in [
        ("{tag} NO [AUTHENTICATIONFAILED] no\r\n", FailureKind::Auth),
        ("{tag} NO [UNAVAILABLE] later\r\n", FailureKind::Unreachable),
        (
            "{tag} NO Too many connections\r\n",
            FailureKind::Unreachable,
        ),
        ("* BYE going down\r\n", FailureKind::Unreachable),
        ("{tag} BAD no such command\r\n", FailureKind::Protocol),
    ] {
        let server = Server::start(
            IDLE,
            &[],
            Box::new(move |_, command| {
                command
                    .starts_with("AUTHENTICATE")
                    .then(|| Reply::Text(answer.into()))
            }),
        )
        .await;
        let error = MailSession::connect(&server.account())
            .await
            .err()
            .expect("refused");
        assert_eq!(error.kind(), kind, "{answer}: {error}");
    }
}

#[tokio::test]
async fn xoauth2_sends_the_token_and_answers_the_challenge_of_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut said = String::new();
        let mut answer = async |stream: &mut TcpStream, reply: &str| {
            stream.write_all(reply.as_bytes()).await.expect("written");
            let mut buffer = [0; 1000];
            let read = stream.read(&mut buffer).await.expect("read");
            said.push_str(&String::from_utf8_lossy(&buffer[..read]));
        };
        answer(&mut stream, "* OK ready\r\n").await;
        let caps = "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\nR1 OK\r\n";
        answer(&mut stream, caps).await;
        answer(&mut stream, "+ \r\n").await;
        answer(&mut stream, "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n").await;
        stream
            .write_all(b"R2 NO invalid token\r\n")
            .await
            .expect("written");
        said
    });
    let login = Login::xoauth2("anna@shop.test", "ya29");
    let account = ImapAccount::new("127.0.0.1", port, Tls::None, login);
    let error = MailSession::connect(&account).await.err().expect("refused");
    assert_eq!(error.kind(), FailureKind::Auth);
    let said = server.await.expect("the server's story");
    let lines: Vec<&str> = said.split("\r\n").collect();
    assert_eq!(lines[..2], ["R1 CAPABILITY", "R2 AUTHENTICATE XOAUTH2"]);
    let sent = STANDARD.decode(lines[2]).expect("base64");
    assert_eq!(sent, b"user=anna@shop.test\x01auth=Bearer ya29\x01\x01");
    assert_eq!(lines[3], "", "an empty answer to the challenge");
}

#[tokio::test]
async fn the_task_ends_with_its_handle_and_with_its_receiver() {
    let server = Server::start(IDLE, &[], Box::new(|_, _| None)).await;
    let (watcher, mut events) = server.watch();
    story(&mut events, "synced").await;
    drop(watcher);
    let end = timeout(Duration::from_secs(5), async {
        while events.recv().await.is_some() {}
    });
    end.await.expect("the channel closes");

    let (watcher, mut events) = server.watch();
    story(&mut events, "synced").await;
    drop(events);
    timeout(Duration::from_secs(5), watcher.stop())
        .await
        .expect("the task is over");
}

#[tokio::test]
async fn names_with_line_breaks_are_refused() {
    let server = Server::start(IDLE, &[], Box::new(|_, _| None)).await;
    let mut session = MailSession::connect(&server.account())
        .await
        .expect("a session");
    let name = FolderName::from_raw("Sent\r\nR9 DELETE INBOX");
    let error = session.append(&name, b"x").await.expect_err("refused");
    assert!(matches!(error, ImapError::Input { .. }));
    let error = session
        .find_by_message_id(&FolderName::inbox(), "<a\nb>")
        .await
        .expect_err("refused");
    assert!(matches!(error, ImapError::Input { .. }));
}
