//! A million waits: starting with them, the memory they take, and many that end at once.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::figures::{Figure, say};
use crate::server::Server;
use crate::{Failure, Options, bare, seed};

/// Timers that come due together.
const DUE: u64 = 100_000;
/// From preparation until they come due.
const HEAD_START: SignedDuration = SignedDuration::from_secs(12);
/// How often the counter is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(300);
const MIB: f64 = 1_048_576.0;

pub fn run(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    seed::workspace(&data, "[workspace]\ndelivery = \"outbox\"\n")?;
    seed::apply(&data, &[seed::WAITING.to_owned()], &Default::default())?;
    let made = Instant::now();
    let began = seed::waiting(&data, options.timers)?;
    eprintln!("{} waits made in {:?}", options.timers, made.elapsed());
    let mut rows = bare::Rows::waiting(&folder.path().join("bare.db"), options.timers)?;
    let due_each = DUE.min(options.timers / (options.rounds as u64 + 1));

    let [
        mut ready,
        mut all,
        mut own,
        mut rate,
        mut bound,
        mut cost,
        mut after,
    ] = [const { Figure::new() }; 7];
    for round in 0..options.rounds as u64 {
        let server = Server::start(&data)?;
        ready.push(server.ready_after.as_secs_f64() * 1e3);
        let (resident, anonymous) = server.memory()?;
        all.push(resident as f64 / MIB);
        own.push(anonymous as f64 / MIB);
        server.stop()?;

        bound.push(rows.fire(due_each)?);
        let due = Timestamp::from_millisecond((Timestamp::now() + HEAD_START).as_millisecond())?;
        let some = round * due_each..(round + 1) * due_each;
        seed::end_waits(&data, began, some, due)?;
        let server = Server::start(&data)?;
        if Timestamp::now() > due {
            return Err("the waits ended before the server was ready".into());
        }
        let before = server.processor_seconds()?;
        while Timestamp::now() < due {
            std::thread::sleep(Duration::from_millis(1));
        }
        let began_firing = Instant::now();
        while server.counter("relance_timers_total")? < due_each {
            if began_firing.elapsed() > PATIENCE {
                return Err("not all waits ended".into());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        let time = began_firing.elapsed();
        if server.counter("relance_timers_total")? != due_each {
            return Err("more waits ended than were due".into());
        }
        rate.push(due_each as f64 / time.as_secs_f64());
        cost.push((server.processor_seconds()? - before) / due_each as f64 * 1e6);
        after.push(server.memory()?.0 as f64 / MIB);
        server.stop()?;
    }
    println!("{} pending, {due_each} due at once", options.timers);
    say("start to /readyz, ms", &ready);
    say("resident when ready, MiB", &all);
    say("  of which not pages of files, MiB", &own);
    say("bare SQLite firing, timers/s", &bound);
    say("fired, timers/s", &rate);
    say("  beside bare SQLite", &rate.over(&bound));
    say("  server's processor time, us/timer", &cost);
    say("resident after firing, MiB", &after);
    Ok(())
}
