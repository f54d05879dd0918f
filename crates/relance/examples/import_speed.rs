//! How fast a file is read, without a database: the bound of an import.
//!
//! `cargo run --release -p relance --example import_speed -- FILE [COUNTRY]` prints rows a second of cutting
//! the file into rows, and of reading their cells as well, with the memory that it took.

use std::path::Path;
use std::time::Instant;

use relance::import::jobs::suggested;
use relance::import::source::{Told, open};
use relance_wire::table::call::Plan;
use relance_wire::table::record::Row;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("name a file");
        std::process::exit(2);
    };
    let country = arguments.next();
    let path = Path::new(&path);
    let table = || open(path, &Told::default()).unwrap_or_else(|problem| panic!("{problem}"));

    let mut rows = table().rows;
    let mut row = Row::default();
    let begun = Instant::now();
    let mut count = 0_u64;
    while let Some(read) = rows.next(&mut row).expect("the file is read") {
        count += u64::from(read.is_ok());
    }
    tell("rows cut", count, begun);

    let mut table = table();
    let (_, mut mapping) = suggested(&table);
    mapping.country = country;
    let plan =
        Plan::new(&mapping, &table.facts.heads).unwrap_or_else(|problem| panic!("{problem}"));
    let begun = Instant::now();
    let (mut calls, mut errors) = (0_u64, 0_u64);
    while let Some(read) = table.rows.next(&mut row).expect("the file is read") {
        if read.is_ok() && row.number > 1 {
            match plan.call(&row) {
                Ok(_call) => calls += 1,
                Err(_problems) => errors += 1,
            }
        }
    }
    tell("rows understood", calls + errors, begun);
    println!("{errors} with errors, {} kB at most", peak_kilobytes());
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn tell(what: &str, count: u64, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{what}: {count} in {seconds:.2} s, {:.0}/s",
        count as f64 / seconds
    );
}

/// The most memory that the process has had.
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
