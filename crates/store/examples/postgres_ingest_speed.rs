//! How fast a whole engine takes events on PostgreSQL: resolve, load, decide and commit, in turns with bare rows on the
//! same server.
//!
//! `cargo run --release -p relance-store --features conformance --example postgres_ingest_speed --
//!  [EVENTS] [CONTACTS] [SEGMENTS] [off]`
//!
//! A private server is started; nothing else is needed. The contacts become known through the engine, as they do in
//! life. Then events go through whole turns, 1,000 a batch, as in `segment_speed -- ingest`; each batch takes turns with
//! a bare transaction that appends as many rows of the same size and looks nothing up. Processor time is that of this
//! process and of the server's own together. With `off` nothing waits for the disk.

mod load;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use relance_core::contact::Identity;
use relance_core::event::Event;
use relance_engine::arrival::Arrival;
use relance_engine::turn::Engine;
use relance_store::postgres::{PostgresOptions, PostgresStore};
use relance_store::testing::postgres::{Durability, Server};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use load::{
    BATCH, Chance, Failure, Nowhere, arrivals, define, engine, load, memory, now, processor,
    segments, user,
};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 10;

fn main() -> Result<(), Failure> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let durability = match args.iter().position(|one| one == "off") {
        Some(at) => {
            args.remove(at);
            Durability::None
        }
        None => Durability::Full,
    };
    let mut args = args.into_iter();
    let mut number = |default: u64| args.next().map_or(Ok(default), |text| text.parse());
    let (events, contacts, count) = (number(100_000)?, number(100_000)?, number(100)?);
    let server =
        Server::start_with(durability).ok_or("no PostgreSQL: sh scripts/install-test-deps.sh")?;
    let runtime = Runtime::new()?;
    let bare = runtime.block_on(bare(&server))?;

    let segments = segments(count as usize)?;
    let open = || PostgresStore::open(&server.url("load"), PostgresOptions::default());
    let mut first = engine(open()?, &[])?;
    let mut more = first.turn(&[&define(segments.clone())], now())?.more;
    while more {
        more = first.turn(&[], now())?.more;
    }
    let began = Instant::now();
    make_contacts(&mut first, contacts)?;
    println!(
        "{contacts} contacts became known in {:.1?}",
        began.elapsed()
    );
    drop(first);

    let mut engine = engine(open()?, &segments)?;
    let processes = runtime.block_on(processes(&bare))?;
    let mut chance = Chance(11);
    let mut next = 0;
    let (mut rates, mut bounds, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    let (mut own, mut servers) = (Duration::ZERO, Duration::ZERO);
    let per_round = (events as usize / ROUNDS / BATCH).max(1);
    for _ in 0..ROUNDS {
        let (mut ours, mut bares) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..per_round {
            let arrivals = arrivals(&mut chance, &mut next, BATCH, contacts);
            let at = now() + SignedDuration::from_millis((next / 20) as i64);
            let bodies = bodies(&arrivals)?;
            let began = Instant::now();
            runtime.block_on(append(&bare, &bodies))?;
            bares += began.elapsed();
            let asked: Vec<&Arrival> = arrivals.iter().collect();
            let (began, before, server_before) = (Instant::now(), processor(), time_of(&processes));
            let summary = engine.turn(&asked, at)?;
            let time = began.elapsed();
            own += processor() - before;
            servers += time_of(&processes).saturating_sub(server_before);
            ours += time;
            batches.push(time);
            if summary.decided < BATCH {
                return Err(format!("not all was decided: {summary:?}").into());
            }
        }
        let n = (per_round * BATCH) as f64;
        rates.push(n / ours.as_secs_f64());
        bounds.push(n / bares.as_secs_f64());
    }
    batches.sort_unstable();
    println!("{contacts} contacts, {count} segments, load {}", load());
    say("bare rows, events/s", &mut bounds);
    say("events to commit, events/s", &mut rates);
    let all = (per_round * BATCH * ROUNDS) as f64 / 1e6;
    println!(
        "processor time, us/event: {:.1} here, {:.1} in the server",
        own.as_secs_f64() / all,
        servers.as_secs_f64() / all
    );
    println!(
        "a batch of {BATCH}: p50 {:.1?}, p99 {:.1?}; not pages of files {:.0} MiB",
        batches[batches.len() / 2],
        batches[batches.len() * 99 / 100],
        memory("RssAnon:"),
    );
    Ok(())
}

fn say(name: &str, list: &mut [f64]) {
    list.sort_by(f64::total_cmp);
    let (least, most) = (list[0], list[list.len() - 1]);
    println!(
        "{name:<44} {:>9.0} ({least:.0} to {most:.0})",
        list[list.len() / 2]
    );
}

fn make_contacts(
    engine: &mut Engine<PostgresStore, Nowhere>,
    contacts: u64,
) -> Result<(), Failure> {
    let at = now() - SignedDuration::from_hours(24);
    let mut from = 1;
    while from <= contacts {
        let until = (from + BATCH as u64).min(contacts + 1);
        let told: Vec<Arrival> = (from..until).map(|n| identify(n, at)).collect();
        let asked: Vec<&Arrival> = told.iter().collect();
        engine.turn(&asked, at)?;
        from = until;
    }
    Ok(())
}

fn identify(n: u64, at: jiff::Timestamp) -> Arrival {
    let city = ["Berlin", "Osaka", "Tver"][(n % 3) as usize];
    let traits = json!({ "city": city });
    let mut event = Event::identify(traits.as_object().cloned().unwrap_or_default(), at);
    event.message_id = Some(format!("known-{n}").into());
    Arrival::Event {
        identities: vec![Identity::user(&user(n))],
        event: Arc::new(event),
    }
}

async fn bare(server: &Server) -> Result<Client, Failure> {
    let url = server.url("bare");
    let url = url.split("&schema").next().unwrap_or(&url);
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let sql = "CREATE SCHEMA IF NOT EXISTS bare; CREATE TABLE bare.event (
        partition int NOT NULL, event_id bigint GENERATED ALWAYS AS IDENTITY, contact_id bigint NOT NULL, previous_id bigint,
        body text NOT NULL, PRIMARY KEY (partition, event_id))";
    client.batch_execute(sql).await?;
    Ok(client)
}

async fn append(client: &Client, bodies: &[String]) -> Result<(), Failure> {
    let sql = "INSERT INTO bare.event (partition, contact_id, previous_id, body) SELECT 7, 7, 7, body FROM unnest($1::text[]) AS body";
    client.execute(sql, &[&bodies]).await?;
    Ok(())
}

fn bodies(arrivals: &[Arrival]) -> Result<Vec<String>, Failure> {
    let mut bodies = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        if let Arrival::Event { event, .. } = arrival {
            bodies.push(relance_wire::stored::event_text(event)?);
        }
    }
    Ok(bodies)
}

/// The server's processes but the one that takes the bare rows.
async fn processes(bare: &Client) -> Result<Vec<i32>, Failure> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    let rows = bare.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Processor time of these processes so far; one that ended has none.
fn time_of(processes: &[i32]) -> Duration {
    let ticks = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let own = fields.split_whitespace().skip(11).take(2);
        own.filter_map(|one| one.parse::<u64>().ok()).sum::<u64>()
    };
    Duration::from_millis(processes.iter().map(ticks).sum::<u64>() * 10)
}
