//! Messages a second through the SMTP client to a local sink, with and without DKIM.
//!
//!     smtp_speed HOST:PORT [--messages N] [--connections C] [--tasks T] [--bytes B] [--rsa KEY.pem]
//!
//! Prints one JSON object a line. Each message carries the time of its making in the subject
//! (`RLT<nanoseconds>.`), from which a sink can tell the latency. Any outcome but `Accepted` ends the run:
//! a figure with a loss is void.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use relance_channels::dkim::DkimSigner;
use relance_channels::smtp::{
    Envelope, RouteId, RouteLimits, SendOutcome, SmtpRoute, SmtpSender, Tls,
};

type Failure = Box<dyn Error + Send + Sync>;

/// A key known to everybody (RFC 8463 appendix A).
const ED25519_SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

struct Options {
    host: String,
    port: u16,
    messages: usize,
    connections: u16,
    tasks: usize,
    bytes: usize,
    rsa_pem: Option<String>,
}

fn options() -> Result<Options, Failure> {
    let mut words = std::env::args().skip(1);
    let target = words
        .next()
        .ok_or("usage: smtp_speed HOST:PORT [--messages N] [--rsa KEY.pem] ...")?;
    let (host, port) = target.rsplit_once(':').ok_or("the target is HOST:PORT")?;
    let mut options = Options {
        host: host.to_owned(),
        port: port.parse()?,
        messages: 20_000,
        connections: 8,
        tasks: 32,
        bytes: 10_500,
        rsa_pem: None,
    };
    while let Some(key) = words.next() {
        let value = words.next().ok_or_else(|| format!("{key} needs a value"))?;
        match key.as_str() {
            "--messages" => options.messages = value.parse()?,
            "--connections" => options.connections = value.parse()?,
            "--tasks" => options.tasks = value.parse()?,
            "--bytes" => options.bytes = value.parse()?,
            "--rsa" => options.rsa_pem = Some(std::fs::read_to_string(value)?),
            _ => return Err(format!("unknown option {key}").into()),
        }
    }
    Ok(options)
}

fn message(number: usize, bytes: usize) -> Vec<u8> {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let mut text = format!(
        "From: Ana <ana@example.com>\r\nTo: bob@example.net\r\nSubject: RLT{nanos}. reminder {number}\r\nDate: Sat, 21 \
         Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: \
         text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\nList-Unsubscribe: \
         <https://example.com/u/{number}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n"
    )
    .into_bytes();
    while text.len() < bytes {
        text.extend_from_slice(
            b"<p style=\"margin:0\">A line of a message of ordinary length and kind.</p>\r\n",
        );
    }
    text
}

async fn run(options: &Options, name: &str, signer: Option<DkimSigner>) -> Result<(), Failure> {
    let sender = Arc::new(SmtpSender::new());
    let id = RouteId::new("sink");
    let limits = RouteLimits {
        connections_max: options.connections,
        messages_per_connection_max: u32::MAX,
        ..RouteLimits::default()
    };
    let route = SmtpRoute {
        limits,
        ..SmtpRoute::new(&options.host, options.port, Tls::None, "speed.example")
    };
    sender.configure(id.clone(), route)?;
    let signer = signer.map(Arc::new);
    let next = Arc::new(AtomicUsize::new(0));
    let (messages, bytes) = (options.messages, options.bytes);
    let started = Instant::now();
    let tasks: Vec<_> = (0..options.tasks)
        .map(|_| {
            let (sender, id, signer, next) = (
                Arc::clone(&sender),
                id.clone(),
                signer.clone(),
                Arc::clone(&next),
            );
            tokio::spawn(async move {
                let envelope =
                    Envelope::new("ana@example.com", vec!["bob@example.net".to_owned()])?;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= messages {
                        return Ok::<(), Failure>(());
                    }
                    let mut message = message(number, bytes);
                    if let Some(signer) = &signer {
                        let signer = Arc::clone(signer);
                        message = tokio::task::spawn_blocking(move || {
                            signer.sign(&message, Timestamp::now())
                        })
                        .await??;
                    }
                    match sender.send(&id, &envelope, &message).await {
                        SendOutcome::Accepted { .. } => {}
                        other => return Err(format!("message {number}: {other:?}").into()),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let seconds = started.elapsed().as_secs_f64();
    let opened = sender
        .stats(&id)
        .map_or(0, |stats| stats.connections_opened);
    println!(
        "{{\"dkim\": \"{name}\", \"messages\": {messages}, \"bytes\": {bytes}, \"connections\": {opened}, \"seconds\": \
         {seconds:.3}, \"messages_per_second\": {:.0}}}",
        messages as f64 / seconds
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = options()?;
    run(&options, "none", None).await?;
    run(
        &options,
        "ed25519",
        Some(DkimSigner::ed25519("example.com", "ed", ED25519_SEED)?),
    )
    .await?;
    if let Some(pem) = &options.rsa_pem {
        let rsa = || DkimSigner::rsa_pem("example.com", "rsa", pem);
        run(&options, "rsa", Some(rsa()?)).await?;
        run(
            &options,
            "rsa+ed25519",
            Some(rsa()?.and_ed25519("ed", ED25519_SEED)?),
        )
        .await?;
    }
    Ok(())
}
