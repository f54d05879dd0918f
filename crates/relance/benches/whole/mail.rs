//! Messages: how many a second from the event to the end of DATA, and how long each takes.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use relance_channels::dkim::DkimSigner;

use crate::figures::{Figure, quantile, say};
use crate::load::{Amount, Target, drive, nanos};
use crate::server::Server;
use crate::sink::{Sink, Taken};
use crate::{Failure, Options, bare, seed};

/// A key for tests, known to everybody.
const DKIM_KEY: &str = include_str!("../../../channels/tests/it/dkim_test_key.pem");
const DOMAIN: &str = "bench.example";
const JOURNEY: &str = "\
format: journey/1
id: welcome
name: Welcome
trigger: { event: Signed Up }
reentry: always
steps:
  - send: email
    template: welcome
";
/// Events of one request, where many come at once.
const BATCH: u64 = 100;
const BATCH_CONNECTIONS: usize = 4;
const SINGLE_CONNECTIONS: usize = 128;
/// Connections to the mail server.
const SMTP_CONNECTIONS: u16 = 8;
/// How long messages may take after the last event.
const PATIENCE: Duration = Duration::from_secs(120);
/// Length of the open loop, in measurements' lengths: half a minute by default.
const OPEN_LOOP: u32 = 6;
/// Part of the maximum at which latency is measured.
const LOAD: f64 = 0.5;

fn config(sink: &Sink, signed: bool) -> String {
    let mut config = format!(
        "[workspace]\naddress = \"news@{DOMAIN}\"\ndelivery = \"smtp\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \
         \"none\"\nconnections_max = {SMTP_CONNECTIONS}\n",
        sink.address.port()
    );
    if signed {
        config.push_str(&format!(
            "[[dkim]]\ndomain = \"{DOMAIN}\"\nselector = \"s1\"\nkey_file = \"dkim.pem\"\n"
        ));
    }
    config
}

/// A workspace that welcomes whoever signs up; returns its write key.
fn workspace(data: &Path, sink: &Sink, signed: bool, contacts: u64) -> Result<String, Failure> {
    let key = seed::workspace(data, &config(sink, signed))?;
    std::fs::write(data.join("dkim.pem"), DKIM_KEY)?;
    seed::contacts(data, contacts)?;
    seed::apply(data, &[JOURNEY.to_owned()], &bare::templates())?;
    Ok(key)
}

fn event(out: &mut Vec<u8>, user: u64, stamp: u64, id: u64) {
    // Writing to memory cannot fail.
    let _written = write!(
        out,
        r#"{{"type":"track","event":"Signed Up","userId":"user-{user}","messageId":"msg-{id:020}","properties":{{"plan":"pro","trial_days":14,"stamp":"{stamp}"}}}}"#
    );
}

/// What a burst found.
struct Burst {
    rate: f64,
    micros_of_server: f64,
    taken: Taken,
}

/// Sends events as fast as they are taken, and waits for the last of their messages.
fn burst(
    server: &Server,
    sink: &Sink,
    key: &str,
    contacts: u64,
    messages: u64,
) -> Result<Burst, Failure> {
    let target = Target {
        address: server.address,
        path: "/v1/batch",
        key: key.to_owned(),
    };
    let first = nanos();
    let body = |n: u64, due: u64, out: &mut Vec<u8>| {
        out.extend_from_slice(b"{\"batch\":[");
        for ix in 0..BATCH {
            if ix > 0 {
                out.push(b',');
            }
            let place = n * BATCH + ix;
            event(out, place % contacts, due, first + place);
        }
        out.extend_from_slice(b"]}");
    };
    sink.reset();
    let before = server.processor_seconds()?;
    let began = Instant::now();
    let requests = messages / BATCH;
    drive(
        &target,
        BATCH_CONNECTIONS,
        Amount::Requests(requests),
        &body,
    )?;
    let taken = sink.wait(requests * BATCH, PATIENCE)?;
    let time = taken.last.ok_or("no message")? - began;
    let spent = server.processor_seconds()? - before;
    Ok(Burst {
        rate: taken.messages as f64 / time.as_secs_f64(),
        micros_of_server: spent / taken.messages as f64 * 1e6,
        taken,
    })
}

/// Messages a second, signed and not.
pub fn rate(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start()?;
    let bare_sink = Sink::start()?;
    let contacts = options.contacts.min(options.messages);
    let (plain, signed) = (folder.path().join("plain"), folder.path().join("signed"));
    let keys = [
        workspace(&plain, &sink, false, contacts)?,
        workspace(&signed, &sink, true, contacts)?,
    ];
    let signer = DkimSigner::rsa_pem(DOMAIN, "s1", DKIM_KEY)?;
    let [
        mut plain_rate,
        mut plain_cost,
        mut signed_rate,
        mut signed_cost,
    ] = [const { Figure::new() }; 4];
    let [mut signing, mut submitting] = [const { Figure::new() }; 2];
    let mut size = 0;
    for _ in 0..options.rounds {
        let mut message = Vec::new();
        for (data, key, rate, cost) in [
            (&plain, &keys[0], &mut plain_rate, &mut plain_cost),
            (&signed, &keys[1], &mut signed_rate, &mut signed_cost),
        ] {
            let server = Server::start(data)?;
            let found = burst(&server, &sink, key, contacts, options.messages)?;
            server.stop()?;
            rate.push(found.rate);
            cost.push(found.micros_of_server);
            if message.is_empty() {
                size = found.taken.bytes / found.taken.messages;
                message = of_size(usize::try_from(size)?);
            }
        }
        signing.push(bare::signatures(&signer, &message, options.time / 2)?);
        bare_sink.reset();
        submitting.push(bare::submissions(
            bare_sink.address,
            &message,
            options.messages,
            SMTP_CONNECTIONS,
        )?);
    }
    println!("a message has {size} bytes; {} messages", options.messages);
    say("bare SMTP client to the sink, messages/s", &submitting);
    say("bare RSA-2048 signatures on all cores, /s", &signing);
    say("event to DATA, unsigned, messages/s", &plain_rate);
    say("  beside the bare client", &plain_rate.over(&submitting));
    say("  server's processor time, us/message", &plain_cost);
    say("event to DATA, RSA-2048, messages/s", &signed_rate);
    say("  beside bare signing", &signed_rate.over(&signing));
    say("  server's processor time, us/message", &signed_cost);
    Ok(())
}

/// A mail of so many bytes.
fn of_size(bytes: usize) -> Vec<u8> {
    let mut text = format!(
        "From: news@{DOMAIN}\r\nTo: a@client.example\r\nSubject: bench\r\nMIME-Version: 1.0\r\nContent-Type: \
         text/html; charset=utf-8\r\n\r\n"
    )
    .into_bytes();
    while text.len() < bytes {
        text.extend_from_slice(
            b"<p style=\"margin:0\">A line of ordinary length and kind.</p>\r\n",
        );
    }
    text
}

/// How long a message takes at half of what is possible.
pub fn latency(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start()?;
    let contacts = options.contacts;
    let data = folder.path().join("data");
    let key = workspace(&data, &sink, false, contacts)?;
    let [
        mut most,
        mut paced,
        mut half,
        mut tail,
        mut worst,
        mut answer,
    ] = [const { Figure::new() }; 6];
    for _ in 0..options.rounds {
        let server = Server::start(&data)?;
        let found = burst(&server, &sink, &key, contacts, options.messages)?;
        let rate = found.rate * LOAD;
        let time = options.time * OPEN_LOOP;
        let requests = (rate * time.as_secs_f64()) as u64;
        let target = Target {
            address: server.address,
            path: "/v1/track",
            key: key.clone(),
        };
        let first = nanos();
        let body = |n: u64, due: u64, out: &mut Vec<u8>| {
            event(out, n % contacts, due, first + n);
        };
        sink.reset();
        let amount = Amount::Paced { requests, rate };
        let answered = drive(&target, SINGLE_CONNECTIONS, amount, &body)?;
        let taken = sink.wait(requests, PATIENCE)?;
        server.stop()?;
        let ms = |micros: &[u64], permille| quantile(micros, permille) as f64 / 1e3;
        most.push(found.rate);
        paced.push(rate);
        half.push(ms(&taken.micros, 500));
        tail.push(ms(&taken.micros, 990));
        worst.push(ms(&taken.micros, 1_000));
        answer.push(ms(&answered.micros, 990));
    }
    let seconds = (options.time * OPEN_LOOP).as_secs();
    println!("contacts: {contacts}; open loop of {seconds} s; nothing lost, nothing twice");
    say("maximum, messages/s", &most);
    say("half of it, messages/s", &paced);
    say("event to end of DATA, p50, ms", &half);
    say("event to end of DATA, p99, ms", &tail);
    say("event to end of DATA, worst, ms", &worst);
    say("HTTP answer, p99, ms", &answer);
    Ok(())
}
