//! How fast the PostgreSQL store is, beside what bare statements do on the same server in the same run.
//!
//! `cargo run --release -p relance-store --features conformance --example postgres_speed --
//!  [EVENTS] [CONTACTS] [BATCH] [TIMERS] [off]`
//!
//! A private server is started; nothing else is needed. First layouts of the log compete, in plain SQL: the bare
//! log (the bound), the log with beginnings of chains, the log with a live index by contact and name. Then
//! events go the way of a batch through the port: keys remembered, contacts found by identity, snapshots
//! loaded, events (and for one in ten a changed contact) written, committed; in turns with the bare log. With
//! `off` nothing waits for the disk.

use std::error::Error;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use relance_core::contact::Identity;
use relance_core::decide::{Effect, Timer, TimerKind};
use relance_core::event::Event;
use relance_core::ids::ContactId;
use relance_core::world::Needs;
use relance_engine::ports::{Change, Store};
use relance_store::postgres::{PostgresOptions, PostgresStore};
use relance_store::testing::postgres::{Durability, Server};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

const ROUNDS: usize = 10;
const BATCH_TIMERS: usize = 1_000;
const LAYOUT_EVENTS: usize = 300_000;
const NAMES: [&str; 8] = [
    "Product Viewed",
    "Order Completed",
    "Cart Viewed",
    "Email Opened",
    "Signed Up",
    "Page Viewed",
    "Product Added",
    "Checkout Started",
];

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % limit
    }
}

fn start() -> Timestamp {
    Timestamp::constant(1_800_000_000, 0)
}

fn later(n: u64) -> Timestamp {
    start() + SignedDuration::from_millis(i64::try_from(n).unwrap_or(0))
}

fn event(chance: &mut Chance, n: u64) -> Event {
    let name = NAMES[usize::try_from(chance.below(8)).unwrap_or(0)];
    let mut event = Event::track(name, later(n));
    let properties = json!({
        "product_id": format!("sku-{}", chance.below(10_000)), "price": 12.5, "currency": "EUR",
        "url": "https://shop.example/p/sku", "category": "shoes",
    });
    if let Some(fields) = properties.as_object() {
        event.properties = fields.clone();
    }
    event
}

/// Processor time of processes so far, in seconds.
fn processor(pids: &[i64]) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let ticks = |pid: &i64| -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<f64> = after_name
            .split_whitespace()
            .filter_map(|field| field.parse().ok())
            .collect();
        // Without the state, user and system time come 11th and 12th.
        fields.get(10).unwrap_or(&0.0) + fields.get(11).unwrap_or(&0.0)
    };
    pids.iter().map(ticks).sum::<f64>() / TICKS_PER_SECOND
}

fn rate(n: usize, spent: Duration) -> f64 {
    n as f64 / spent.as_secs_f64()
}

/// A connection for plain statements.
struct Bare {
    runtime: Runtime,
    client: Client,
    next: i64,
}

impl Bare {
    fn open(server: &Server, waits: bool) -> Result<Self, Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let url = server.url("x");
        let url = url.split("&schema").next().unwrap_or(&url);
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        let bare = Self {
            runtime,
            client,
            next: 0,
        };
        if !waits {
            bare.run("SET synchronous_commit TO off")?;
        }
        bare.run("SET plan_cache_mode TO force_generic_plan; SET enable_seqscan TO off; SET enable_hashjoin TO off; SET enable_mergejoin TO off")?;
        Ok(bare)
    }

    fn run(&self, text: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.runtime.block_on(self.client.batch_execute(text))?)
    }

    fn number(&self, sql: &str) -> Result<i64, Box<dyn Error>> {
        Ok(self
            .runtime
            .block_on(self.client.query_one(sql, &[]))?
            .try_get(0)?)
    }

    /// One batch by these statements, which all have the same parameters.
    fn batch(
        &mut self,
        statements: &[tokio_postgres::Statement],
        events: &[(i64, Event)],
    ) -> Result<(), Box<dyn Error>> {
        let first = self.next;
        let ids: Vec<i64> = (first..).take(events.len()).collect();
        self.next += i64::try_from(events.len())?;
        let contacts: Vec<i64> = events.iter().map(|(contact, _)| *contact).collect();
        let names: Vec<&str> = events
            .iter()
            .map(|(_, event)| event.name.as_str())
            .collect();
        let bodies: Result<Vec<String>, _> = events
            .iter()
            .map(|(_, event)| relance_wire::stored::event_text(event))
            .collect();
        let bodies = bodies?;
        self.runtime.block_on(async {
            self.client.batch_execute("BEGIN").await?;
            for statement in statements {
                self.client
                    .execute(statement, &[&ids, &contacts, &names, &bodies])
                    .await?;
            }
            self.client.batch_execute("COMMIT").await
        })?;
        Ok(())
    }

    fn prepare(&self, sql: &[&str]) -> Result<Vec<tokio_postgres::Statement>, Box<dyn Error>> {
        let prepared: Result<Vec<_>, _> = sql
            .iter()
            .map(|sql| self.runtime.block_on(self.client.prepare(sql)))
            .collect();
        Ok(prepared?)
    }
}

const LOG: &str = "INSERT INTO NAME (event_id, contact_id, name, body)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])";
const HEADS: &str = "INSERT INTO NAME_head (contact_id, name, last_id)
    SELECT k.c, k.n, max(k.i) FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) k (i, c, n, b)
    GROUP BY k.c, k.n
    ON CONFLICT (contact_id, name) DO UPDATE SET last_id = excluded.last_id";

fn table(name: &str) -> String {
    format!(
        "CREATE TABLE {name} (event_id bigint PRIMARY KEY, contact_id bigint NOT NULL,
                              name text COLLATE \"C\" NOT NULL, body text NOT NULL);"
    )
}

fn layouts(
    server: &Server,
    batch: usize,
    contacts: u64,
    waits: bool,
) -> Result<(), Box<dyn Error>> {
    let mut bare = Bare::open(server, waits)?;
    bare.run("CREATE SCHEMA layouts; SET search_path TO layouts")?;
    for name in ["log", "chains", "live"] {
        bare.run(&table(name))?;
    }
    bare.run(
        "CREATE TABLE chains_head (contact_id bigint, name text COLLATE \"C\", last_id bigint NOT NULL,
                                   PRIMARY KEY (contact_id, name)) WITH (fillfactor = 70);
         CREATE INDEX live_by_contact ON live (contact_id, name, event_id);",
    )?;
    let append = |name: &str| LOG.replace("NAME", name);
    let (log, chains, live) = (append("log"), append("chains"), append("live"));
    let heads = HEADS.replace("NAME", "chains");
    let designs: [(&str, Vec<&str>); 3] = [
        ("bare log", vec![&log]),
        ("log with chains", vec![&chains, &heads]),
        ("log with a live index", vec![&live]),
    ];
    let mut prepared = Vec::new();
    for (name, sql) in &designs {
        prepared.push((*name, bare.prepare(sql)?, Duration::ZERO, Duration::ZERO));
    }
    let mut chance = Chance(3);
    let batches = LAYOUT_EVENTS / batch;
    for n in 0..batches {
        let events: Vec<(i64, Event)> = (0..batch)
            .map(|_| (chance.below(contacts) as i64, event(&mut chance, n as u64)))
            .collect();
        for (_, statements, spent, last) in &mut prepared {
            let began = Instant::now();
            bare.batch(statements, &events)?;
            *spent += began.elapsed();
            if n >= batches * 4 / 5 {
                *last += began.elapsed();
            }
        }
    }
    for (name, _, spent, last) in prepared {
        let (all, end) = (
            rate(batches * batch, spent),
            rate(batches * batch / 5, last),
        );
        println!("{name:<26} {all:>9.0} /s, the last fifth {end:.0} /s");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |text| text.parse());
    let (all, contacts, batch, timers) = (
        number(500_000)?,
        number(100_000)?,
        number(500)?,
        number(200_000)?,
    );
    let waits = args.next().as_deref() != Some("off");
    let server = Server::start_with(Durability::Full).ok_or("PostgreSQL is not installed")?;
    layouts(&server, batch, contacts as u64, waits)?;
    let options = PostgresOptions {
        waits_for_disk: waits,
        ..PostgresOptions::default()
    };
    let mut store = PostgresStore::open(&server.url("speed"), options)?;
    events(&server, &mut store, all, contacts, batch, waits)?;
    timers_due(&mut store, timers, contacts)?;
    needs(&mut store, contacts)
}

fn events(
    server: &Server,
    store: &mut PostgresStore,
    all: usize,
    contacts: usize,
    batch: usize,
    waits: bool,
) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    for first in (0..contacts).step_by(1_000) {
        let names: Vec<[Identity; 1]> = (first..(first + 1_000).min(contacts))
            .map(|n| [Identity::user(&format!("user-{n}"))])
            .collect();
        let wanted: Vec<&[Identity]> = names.iter().map(|names| names.as_slice()).collect();
        store.begin()?;
        store.resolve_all(&wanted, start())?;
        store.commit()?;
    }
    println!(
        "contacts created           {:>9.0} /s",
        rate(contacts, began.elapsed())
    );

    let mut bare = Bare::open(server, waits)?;
    bare.run("CREATE SCHEMA bare; SET search_path TO bare")?;
    bare.run(&table("log"))?;
    let append = LOG.replace("NAME", "log");
    let statements = bare.prepare(&[&append])?;
    let mut chance = Chance(7);
    let mut next: u64 = 0;
    let own = i64::from(std::process::id());
    let server_pid = bare.number(
        "SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'relance' LIMIT 1",
    )?;
    let (mut client_spent, mut server_spent) = (0.0, 0.0);
    let (mut bare_time, mut port_time) = (Duration::ZERO, Duration::ZERO);
    let mut batches = Vec::new();
    let mut shares = Shares::default();
    let per_round = (all / ROUNDS / batch).max(1);
    for round in 0..ROUNDS {
        let began = Instant::now();
        for n in 0..per_round {
            let events: Vec<(i64, Event)> = (0..batch)
                .map(|_| (7, event(&mut chance, n as u64)))
                .collect();
            bare.batch(&statements, &events)?;
        }
        let bare_round = began.elapsed();
        let (client, server) = (processor(&[own]), processor(&[server_pid]));
        let began = Instant::now();
        for _ in 0..per_round {
            let one = Instant::now();
            one_batch(store, &mut chance, &mut next, contacts, batch, &mut shares)?;
            batches.push(one.elapsed());
        }
        let port_round = began.elapsed();
        client_spent += processor(&[own]) - client;
        server_spent += processor(&[server_pid]) - server;
        let n = per_round * batch;
        let (bound, port) = (rate(n, bare_round), rate(n, port_round));
        println!("round {round:>2}: bare {bound:>9.0} events/s, port {port:>9.0} events/s");
        bare_time += bare_round;
        port_time += port_round;
    }
    let n = per_round * batch * ROUNDS;
    let (bound, port) = (rate(n, bare_time), rate(n, port_time));
    println!("events, batches of {batch}     {port:>9.0} /s through the port, {bound:.0} /s bare");
    batches.sort_unstable();
    let quantile = |permille: usize| batches[(batches.len() - 1) * permille / 1_000];
    println!(
        "a batch takes              p50 {:?}, p99 {:?}, worst {:?}",
        quantile(500),
        quantile(990),
        quantile(1_000)
    );
    let each = |seconds: f64| seconds * 1e6 / n as f64;
    println!(
        "processor, an event        {:.1} µs here, {:.1} µs in the server",
        each(client_spent),
        each(server_spent)
    );
    let count = u32::try_from(per_round * ROUNDS)?;
    println!(
        "of it                      make {:?}, remember {:?}, resolve {:?}, load {:?}, write {:?}, commit {:?}",
        shares.make / count,
        shares.remember / count,
        shares.resolve / count,
        shares.load / count,
        shares.write / count,
        shares.commit / count
    );
    let size = "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'speed' AND c.relkind = 'r'";
    let bytes = bare.number(size)?;
    println!(
        "database                   {:.0} bytes an event",
        bytes as f64 / n as f64
    );
    Ok(())
}

#[derive(Default)]
struct Shares {
    make: Duration,
    remember: Duration,
    resolve: Duration,
    load: Duration,
    write: Duration,
    commit: Duration,
}

/// Adds the time since the last call to a share.
fn lap(began: &mut Instant, share: &mut Duration) {
    *share += began.elapsed();
    *began = Instant::now();
}

fn one_batch(
    store: &mut PostgresStore,
    chance: &mut Chance,
    next: &mut u64,
    contacts: usize,
    batch: usize,
    shares: &mut Shares,
) -> Result<(), Box<dyn Error>> {
    let mut began = Instant::now();
    let now = later(*next);
    let arrivals: Vec<([Identity; 1], Event)> = (0..batch)
        .map(|_| {
            *next += 1;
            let who = chance.below(contacts as u64);
            (
                [Identity::user(&format!("user-{who}"))],
                event(chance, *next),
            )
        })
        .collect();
    let first = *next - batch as u64;
    let keys: Vec<u64> = (first..*next)
        .map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .collect();
    lap(&mut began, &mut shares.make);
    store.begin()?;
    store.remember(&keys, now)?;
    lap(&mut began, &mut shares.remember);
    let wanted: Vec<&[Identity]> = arrivals.iter().map(|(names, _)| names.as_slice()).collect();
    let ids = store.resolve_all(&wanted, now)?;
    lap(&mut began, &mut shares.resolve);
    let mut wanted = ids.clone();
    wanted.sort_unstable();
    wanted.dedup();
    let snapshots = store.load(&wanted)?;
    lap(&mut began, &mut shares.load);
    let mut changes: Vec<Change> = Vec::with_capacity(batch);
    for (n, (contact, (_, event))) in ids.into_iter().zip(arrivals).enumerate() {
        let mut effects = vec![Effect::Event(event.into())];
        if n % 10 == 0
            && let Ok(place) = wanted.binary_search(&contact)
        {
            let mut changed = snapshots[place].contact.clone();
            changed
                .traits
                .insert("last_seen".to_owned(), json!(now.to_string()));
            let address = format!("{contact}@shop.example");
            changed.traits.insert("email".to_owned(), json!(address));
            effects.push(Effect::Contact(Box::new(changed)));
        }
        changes.push(Change { contact, effects });
    }
    lap(&mut began, &mut shares.make);
    store.write(&changes)?;
    lap(&mut began, &mut shares.write);
    store.commit()?;
    lap(&mut began, &mut shares.commit);
    Ok(())
}

fn timers_due(
    store: &mut PostgresStore,
    timers: usize,
    contacts: usize,
) -> Result<(), Box<dyn Error>> {
    let mut chance = Chance(11);
    let began = Instant::now();
    for _ in 0..timers / BATCH_TIMERS {
        let change = |_| Change {
            contact: ContactId(chance.below(contacts as u64) + 1),
            effects: vec![Effect::Arm(Timer {
                // Thirty days of moments, as waits of days make them.
                due_at: later(chance.below(30 * 86_400_000)),
                kind: TimerKind::Enrollment(1),
            })],
        };
        let changes: Vec<Change> = (0..BATCH_TIMERS).map(change).collect();
        store.begin()?;
        store.write(&changes)?;
        store.commit()?;
    }
    println!(
        "timers set, of {BATCH_TIMERS}        {:>9.0} /s",
        rate(timers, began.elapsed())
    );
    const LOOKS: u32 = 10_000;
    store.next_due()?;
    let began = Instant::now();
    for _ in 0..LOOKS {
        let early = store.due_timers(start() - SignedDuration::from_secs(1), BATCH_TIMERS)?;
        assert!(early.is_empty(), "a timer came early");
        store.next_due()?;
    }
    println!("a look when nothing is due {:?}", began.elapsed() / LOOKS);
    let now = later(u64::MAX >> 20);
    let began = Instant::now();
    let mut fired = 0;
    loop {
        let due = store.due_timers(now, BATCH_TIMERS)?;
        if due.is_empty() {
            break;
        }
        fired += due.len();
        let change = |(contact, timer)| Change {
            contact,
            effects: vec![Effect::Disarm(timer)],
        };
        let changes: Vec<Change> = due.into_iter().map(change).collect();
        store.begin()?;
        store.write(&changes)?;
        store.commit()?;
    }
    println!(
        "timers fired, of {BATCH_TIMERS}      {:>9.0} /s",
        rate(fired, began.elapsed())
    );
    Ok(())
}

/// Histories of a batch of contacts.
fn needs(store: &mut PostgresStore, contacts: usize) -> Result<(), Box<dyn Error>> {
    const EACH: usize = 200;
    const TIMES: u32 = 20;
    let needs = Needs {
        history: ["Order Completed".into(), "Page Viewed".into()].into(),
        last_event: true,
        ..Needs::default()
    };
    let mut chance = Chance(13);
    let mut events = 0;
    let mut spent = Duration::ZERO;
    for _ in 0..TIMES {
        let mut ids: Vec<ContactId> = (0..EACH)
            .map(|_| ContactId(chance.below(contacts as u64) + 1))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut snapshots = store.load(&ids)?;
        let began = Instant::now();
        store.load_needs_all(snapshots.iter_mut().map(|one| (one, &needs)).collect())?;
        spent += began.elapsed();
        let count = |name: &str| -> usize {
            let name = name.into();
            snapshots
                .iter()
                .map(|one| one.history.of(&name).count())
                .sum()
        };
        events += count("Order Completed") + count("Page Viewed");
    }
    println!(
        "histories of {EACH} contacts   {:?}, {:.1} events each",
        spent / TIMES,
        events as f64 / f64::from(TIMES) / EACH as f64
    );
    Ok(())
}
