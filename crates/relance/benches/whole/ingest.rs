//! Events over HTTP to committed decisions, with 1, 100 and 1,000 published journeys of which one concerns
//! the event.

use std::io::Write as _;
use std::path::Path;

use crate::chance::Chance;
use crate::figures::{Figure, quantile, say};
use crate::load::{Amount, Target, drive, nanos};
use crate::server::Server;
use crate::{Failure, Options, bare, seed};

const JOURNEYS: [usize; 3] = [1, 100, 1_000];
/// Events of one request.
const BATCH: u64 = 100;
const BATCH_CONNECTIONS: usize = 16;
const SINGLE_CONNECTIONS: usize = 64;

const CONFIG: &str = "[workspace]\ndelivery = \"outbox\"\n";

/// The first journey concerns the events that are sent: one in a hundred begins a run that waits.
pub fn journeys(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            let event = match n {
                0 => "Product Viewed".to_owned(),
                n => format!("Shelf {n} Viewed"),
            };
            format!(
                "format: journey/1\nid: shelf-{n}\nname: Shelf {n}\ntrigger:\n  event: {event}\n  where: {{ \
                 event.price: {{ gte: 990 }} }}\nreentry: {{ after: 1d }}\nexit:\n  - {{ event: Shelf {n} Bought \
                 }}\nsteps:\n  - wait: 3d\n  - set: {{ contact.shelf: {n} }}\n"
            )
        })
        .collect()
}

fn event(out: &mut Vec<u8>, chance: &mut Chance, contacts: u64, id: u64, at: &str) {
    let (user, price, sku) = (
        chance.below(contacts),
        chance.below(1_000),
        chance.below(10_000),
    );
    // Writing to memory cannot fail.
    let _written = write!(
        out,
        r#"{{"type":"track","event":"Product Viewed","userId":"user-{user}","messageId":"msg-{id:020}","timestamp":"{at}","context":{{"library":{{"name":"bench","version":"1"}},"ip":"192.0.2.7"}},"properties":{{"product_id":"sku-{sku}","name":"Running shoe","category":"shoes","price":{price},"currency":"EUR","url":"https://shop.example/p/sku-{sku}","quantity":1,"brand":"Example"}}}}"#
    );
}

/// What one measurement found.
struct Found {
    rate: f64,
    micros_of_server: f64,
    p99_ms: f64,
}

fn measure(
    server: &Server,
    key: &str,
    batch: u64,
    contacts: u64,
    options: &Options,
) -> Result<Found, Failure> {
    let target = Target {
        address: server.address,
        path: if batch == 1 { "/v1/track" } else { "/v1/batch" },
        key: key.to_owned(),
    };
    let connections = if batch == 1 {
        SINGLE_CONNECTIONS
    } else {
        BATCH_CONNECTIONS
    };
    // Ids of all measurements differ, or the events would be known already.
    let first = nanos();
    // Told some seconds late, as clients that gather events do.
    let at = jiff::Timestamp::now().to_string();
    let body = |n: u64, _due: u64, out: &mut Vec<u8>| {
        let mut chance = Chance::new((first + n).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        if batch == 1 {
            event(out, &mut chance, contacts, first + n, &at);
            return;
        }
        out.extend_from_slice(b"{\"batch\":[");
        for ix in 0..batch {
            if ix > 0 {
                out.push(b',');
            }
            event(out, &mut chance, contacts, first + n * batch + ix, &at);
        }
        out.extend_from_slice(b"]}");
    };
    let before = (
        server.counter("relance_decided_total")?,
        server.processor_seconds()?,
    );
    let answered = drive(&target, connections, Amount::For(options.time), &body)?;
    let spent = server.processor_seconds()? - before.1;
    let decided = server.counter("relance_decided_total")? - before.0;
    let events = answered.requests * batch;
    if decided != events {
        return Err(format!("{events} events acknowledged, {decided} decided").into());
    }
    Ok(Found {
        rate: events as f64 / answered.time.as_secs_f64(),
        micros_of_server: spent / events as f64 * 1e6,
        p99_ms: quantile(&answered.micros, 990) as f64 / 1e3,
    })
}

/// What the same load finds where nothing is done.
fn bound(
    address: std::net::SocketAddr,
    batch: u64,
    contacts: u64,
    options: &Options,
) -> Result<f64, Failure> {
    let target = Target {
        address,
        path: if batch == 1 { "/v1/track" } else { "/v1/batch" },
        key: "none".to_owned(),
    };
    let at = jiff::Timestamp::now().to_string();
    let body = |n: u64, _due: u64, out: &mut Vec<u8>| {
        let mut chance = Chance::new(n + 1);
        for ix in 0..batch {
            event(out, &mut chance, contacts, n * batch + ix, &at);
        }
    };
    let connections = if batch == 1 {
        SINGLE_CONNECTIONS
    } else {
        BATCH_CONNECTIONS
    };
    let answered = drive(&target, connections, Amount::For(options.time / 2), &body)?;
    Ok((answered.requests * batch) as f64 / answered.time.as_secs_f64())
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let first = folder.path().join("seed");
    let key = seed::workspace(&first, CONFIG)?;
    seed::contacts(&first, options.contacts)?;
    let data = |count: usize| folder.path().join(format!("journeys-{count}"));
    for count in JOURNEYS {
        seed::copy(&first, &data(count))?;
        seed::apply(&data(count), &journeys(count), &Default::default())?;
    }
    let single = folder.path().join("single");
    seed::copy(&first, &single)?;
    seed::apply(&single, &journeys(1), &Default::default())?;
    let http = bare::http()?;
    let mut rows = bare::Rows::contacts(&folder.path().join("bare.db"), options.contacts)?;

    let mut rates = [const { Figure::new() }; 3];
    let mut costs = [const { Figure::new() }; 3];
    let mut tails = [const { Figure::new() }; 3];
    let [mut bare_http, mut bare_http_single, mut bare_rows] = [const { Figure::new() }; 3];
    let [mut single_rate, mut single_cost, mut single_tail] = [const { Figure::new() }; 3];
    let one = |data: &Path, batch: u64| -> Result<Found, Failure> {
        let server = Server::start(data)?;
        let found = measure(&server, &key, batch, options.contacts, options)?;
        server.stop()?;
        Ok(found)
    };
    for round in 0..options.rounds {
        bare_rows.push(rows.events(options.time / 2)?);
        bare_http.push(bound(http, BATCH, options.contacts, options)?);
        for turn in 0..JOURNEYS.len() {
            // Another order in each round: none is always the first.
            let ix = (turn + round) % JOURNEYS.len();
            let found = one(&data(JOURNEYS[ix]), BATCH)?;
            rates[ix].push(found.rate);
            costs[ix].push(found.micros_of_server);
            tails[ix].push(found.p99_ms);
        }
        bare_http_single.push(bound(http, 1, options.contacts, options)?);
        let found = one(&single, 1)?;
        single_rate.push(found.rate);
        single_cost.push(found.micros_of_server);
        single_tail.push(found.p99_ms);
    }
    println!("contacts: {}", options.contacts);
    say("bare HTTP, batches of 100, events/s", &bare_http);
    say("bare SQLite, groups of 100, events/s", &bare_rows);
    for (ix, count) in JOURNEYS.into_iter().enumerate() {
        say(
            &format!("batches of 100, {count} journeys, events/s"),
            &rates[ix],
        );
        say("  beside bare SQLite", &rates[ix].over(&bare_rows));
        say("  beside one journey", &rates[ix].over(&rates[0]));
        say("  server's processor time, us/event", &costs[ix]);
        say(
            "  processor time beside one journey",
            &costs[ix].over(&costs[0]),
        );
        say("  a request's p99, ms", &tails[ix]);
    }
    say("bare HTTP, single events/s", &bare_http_single);
    say("single events, 1 journey, events/s", &single_rate);
    say("  beside bare HTTP", &single_rate.over(&bare_http_single));
    say("  server's processor time, us/event", &single_cost);
    say("  a request's p99, ms", &single_tail);
    Ok(())
}
