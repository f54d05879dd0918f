//! The bounds that no design passes: HTTP without work, rows without rules, signatures without mail.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use relance_channels::dkim::DkimSigner;
use rusqlite::{Connection, params};

use crate::Failure;
use crate::chance::Chance;

/// Rows that share one commit in the bound of ingestion.
const GROUP: u64 = 100;
/// Timers that share one commit in the bound of firing: as many as the engine takes in a turn.
const TIMER_GROUP: u64 = 1_000;

/// The statement of a name.
pub fn sql(name: &str) -> Result<&'static str, Failure> {
    let file = include_str!("bare.sql");
    let head = format!("-- name: {name}\n");
    let at = file.find(&head).ok_or("no such statement")? + head.len();
    let rest = &file[at..];
    Ok(rest.split("\n-- name:").next().unwrap_or(rest))
}

/// A handler that reads the body, parses nothing and answers. It ends with the process.
pub fn http() -> Result<SocketAddr, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))?;
    let address = listener.local_addr()?;
    let answer = |body: axum::body::Bytes| async move { format!("{{\"bytes\":{}}}", body.len()) };
    let app = axum::Router::new().route("/v1/{call}", axum::routing::post(answer));
    std::thread::Builder::new()
        .name("bare-http".to_owned())
        .spawn(move || runtime.block_on(async move { axum::serve(listener, app).await }))?;
    Ok(address)
}

/// SQLite with the program's pragmas.
pub struct Rows {
    conn: Connection,
    chance: Chance,
    contacts: u64,
}

fn open(path: &Path, schema: &str) -> Result<Connection, Failure> {
    let conn = Connection::open(path)?;
    conn.execute_batch(sql("pragmas")?)?;
    conn.execute_batch(sql(schema)?)?;
    Ok(conn)
}

impl Rows {
    /// A database with contacts.
    pub fn contacts(path: &Path, contacts: u64) -> Result<Self, Failure> {
        let conn = open(path, "intake")?;
        conn.execute_batch(sql("begin")?)?;
        for contact in 0..i64::try_from(contacts)? {
            conn.prepare_cached(sql("contact_put")?)?
                .execute(params![contact, CONTACT])?;
        }
        conn.execute_batch(sql("commit")?)?;
        Ok(Self {
            conn,
            chance: Chance::new(5),
            contacts,
        })
    }

    /// Writes an event and its contact for a time; returns how many a second.
    pub fn events(&mut self, time: Duration) -> Result<f64, Failure> {
        let began = Instant::now();
        let mut events = 0;
        while began.elapsed() < time {
            self.conn.execute_batch(sql("begin")?)?;
            for _ in 0..GROUP {
                let contact = i64::try_from(self.chance.below(self.contacts))?;
                self.conn
                    .prepare_cached(sql("event_add")?)?
                    .execute(params![contact, EVENT])?;
                self.conn
                    .prepare_cached(sql("contact_put")?)?
                    .execute(params![contact, CONTACT])?;
            }
            self.conn.execute_batch(sql("commit")?)?;
            events += GROUP;
        }
        Ok(events as f64 / began.elapsed().as_secs_f64())
    }

    /// A database with runs that wait.
    pub fn waiting(path: &Path, timers: u64) -> Result<Self, Failure> {
        let conn = open(path, "runs")?;
        conn.execute_batch(sql("begin")?)?;
        for contact in 0..i64::try_from(timers)? {
            conn.prepare_cached(sql("timer_add")?)?
                .execute(params![contact, contact])?;
            conn.prepare_cached(sql("run_put")?)?
                .execute(params![contact, RUN])?;
        }
        conn.execute_batch(sql("commit")?)?;
        Ok(Self {
            conn,
            chance: Chance::new(5),
            contacts: timers,
        })
    }

    /// A database with contacts, for batches.
    pub fn batches(path: &Path, contacts: u64) -> Result<Self, Failure> {
        let conn = open(path, "batch")?;
        conn.execute_batch(sql("begin")?)?;
        for contact in 0..i64::try_from(contacts)? {
            conn.prepare_cached(sql("contact_put")?)?
                .execute(params![contact, CONTACT])?;
        }
        conn.execute_batch(sql("commit")?)?;
        Ok(Self {
            conn,
            chance: Chance::new(5),
            contacts,
        })
    }

    /// One commit for contacts that enter a journey and wait: an event, the contact, its run, its entry, a
    /// timer and two lines each.
    pub fn enter(&mut self, contacts: std::ops::Range<u64>) -> Result<Duration, Failure> {
        let began = Instant::now();
        self.conn.execute_batch(sql("begin")?)?;
        for contact in contacts {
            let contact = i64::try_from(contact)?;
            let put = |name: &str, row: &[&dyn rusqlite::ToSql]| -> Result<(), Failure> {
                self.conn.prepare_cached(sql(name)?)?.execute(row)?;
                Ok(())
            };
            put("event_add", params![contact, EVENT])?;
            put("contact_put", params![contact, CONTACT])?;
            put("run_put", params![contact, RUN])?;
            put("entry_put", params![contact, "waiting", 1])?;
            put("timer_add", params![1, contact])?;
            put("line_add", params![contact, "enrolled"])?;
            put("line_add", params![contact, "waiting"])?;
        }
        self.conn.execute_batch(sql("commit")?)?;
        Ok(began.elapsed())
    }

    /// All timers become messages: a timer is read and deleted, a row of the outbox is written, and nothing
    /// else. Returns how many and how long it took.
    pub fn hand_over(&mut self) -> Result<(u64, Duration), Failure> {
        let began = Instant::now();
        let mut count = 0;
        loop {
            self.conn.execute_batch(sql("begin")?)?;
            let due: Vec<(i64, i64)> = self
                .conn
                .prepare_cached(sql("timer_due")?)?
                .query_map(params![i64::MAX, i64::try_from(TIMER_GROUP)?], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?
                .collect::<Result<_, _>>()?;
            for (due_at, contact) in &due {
                self.conn
                    .prepare_cached(sql("timer_drop")?)?
                    .execute(params![due_at, contact])?;
                self.conn
                    .prepare_cached(sql("outbox_add")?)?
                    .execute(params![due_at, contact, RUN])?;
            }
            self.conn.execute_batch(sql("commit")?)?;
            count += due.len() as u64;
            if due.is_empty() {
                return Ok((count, began.elapsed()));
            }
        }
    }

    /// Fires so many timers, the earliest first; returns how many a second.
    pub fn fire(&mut self, timers: u64) -> Result<f64, Failure> {
        let began = Instant::now();
        for _ in 0..timers / TIMER_GROUP {
            self.conn.execute_batch(sql("begin")?)?;
            let due: Vec<(i64, i64)> = self
                .conn
                .prepare_cached(sql("timer_due")?)?
                .query_map(params![i64::MAX, i64::try_from(TIMER_GROUP)?], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?
                .collect::<Result<_, _>>()?;
            for (due_at, contact) in due {
                self.conn
                    .prepare_cached(sql("timer_drop")?)?
                    .execute(params![due_at, contact])?;
                self.conn
                    .prepare_cached(sql("run_put")?)?
                    .execute(params![contact, RUN])?;
                for what in ["set", "finished"] {
                    self.conn
                        .prepare_cached(sql("line_add")?)?
                        .execute(params![contact, what])?;
                }
            }
            self.conn.execute_batch(sql("commit")?)?;
        }
        Ok(timers as f64 / began.elapsed().as_secs_f64())
    }
}

/// Bodies of the size that the program stores.
const EVENT: &str = r#"{"v":1,"kind":"track","name":"Product Viewed","at":"2026-11-21T10:00:00.123Z","properties":{"product_id":"sku-4711","name":"Running shoe","category":"shoes","price":123,"currency":"EUR","url":"https://shop.example/p/sku-4711","quantity":1,"brand":"Example"},"id":"0192f0a1-7b3c-7def-8123-000000004711"}"#;
const CONTACT: &str = r#"{"v":1,"created":"2026-11-21T10:00:00Z","traits":{"email":"user-4711@client-4711.example","firstName":"Ana","name":"Ana Example","plan":"pro","country":"DE","timezone":"Europe/Berlin","language":"en"},"runs":1}"#;
const RUN: &str = r#"{"v":1,"entered":"2026-11-21T10:00:00Z","state":{"waiting":{"step":"pause","until":"2026-12-21T10:00:00Z"}}}"#;

/// Signatures a second, one thread a core.
pub fn signatures(signer: &DkimSigner, message: &[u8], time: Duration) -> Result<f64, Failure> {
    let cores = std::thread::available_parallelism()?.get();
    let now = Timestamp::now();
    let began = Instant::now();
    let counts: Vec<Result<u64, Failure>> = std::thread::scope(|scope| {
        let work = || -> Result<u64, Failure> {
            let mut count = 0;
            while began.elapsed() < time {
                std::hint::black_box(signer.sign(message, now)?);
                count += 1;
            }
            Ok(count)
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err("signing panicked".into())))
            .collect()
    });
    let total: u64 = counts.into_iter().sum::<Result<u64, Failure>>()?;
    Ok(total as f64 / began.elapsed().as_secs_f64())
}

/// Messages a second from the SMTP client to the sink, without a program round it.
pub fn submissions(
    address: SocketAddr,
    message: &[u8],
    messages: u64,
    connections: u16,
) -> Result<f64, Failure> {
    use relance_channels::smtp::{Envelope, RouteId, SendOutcome, SmtpRoute, SmtpSender, Tls};
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let sender = SmtpSender::new();
    let id = RouteId::new("bare");
    let host = address.ip().to_string();
    let mut route = SmtpRoute::new(host.as_str(), address.port(), Tls::None, "localhost");
    route.limits.connections_max = connections;
    sender.configure(id.clone(), route)?;
    // Each message needs an id of its own, or the sink takes it for a double.
    let own = |n: u64| {
        let mut copy = format!("Message-ID: <bare-{n}@bench.example>\r\n").into_bytes();
        copy.extend_from_slice(message);
        copy
    };
    let next = std::sync::atomic::AtomicU64::new(0);
    let began = Instant::now();
    let lane = || async {
        loop {
            let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if n >= messages {
                return Ok::<(), Failure>(());
            }
            let envelope = Envelope::new("news@bench.example", vec!["a@client.example".into()])?;
            match sender.send(&id, &envelope, &own(n)).await {
                SendOutcome::Accepted { .. } => {}
                other => return Err(format!("not taken: {other:?}").into()),
            }
        }
    };
    let lanes = (0..connections * 2).map(|_| lane());
    runtime.block_on(futures::future::try_join_all(lanes))?;
    Ok(messages as f64 / began.elapsed().as_secs_f64())
}

/// Template files of a message of ordinary size: the shipped welcome, its subject a stamp.
pub fn templates() -> BTreeMap<String, String> {
    let welcome = include_str!("../../../../assets/scenarios/welcome/templates/welcome.en.mjml");
    let text: Vec<&str> = welcome
        .lines()
        .map(|line| {
            if line.starts_with("subject:") {
                "subject: RLT{{ event.stamp }}. welcome"
            } else {
                line
            }
        })
        .collect();
    BTreeMap::from([("welcome.en.mjml".to_owned(), text.join("\n"))])
}
