//! Lives of the virtual world. `README.md` tells how to replay one.

mod accounts;
mod found;
mod loops;
mod nodes;
mod orphans;
mod postgres;
mod shared;
mod tamper;
mod tamper_more;
mod tamper_selves;

use relance_sim::{Report, run};

/// Lives that every run of the tests looks at, in groups that run beside each other.
const GROUP: u64 = 75;
/// Lines of a failing life that are shown.
const LINES_SHOWN: usize = 50;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")),
    )
}

fn live(seed: u64) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    run(seed, folder.path())
}

/// Lives the lives of some seeds; returns those that broke an invariant, told to their end.
fn broken(seeds: impl Iterator<Item = u64>) -> Vec<String> {
    let mut told = Vec::new();
    for seed in seeds {
        let report = live(seed);
        if !report.broken.is_empty() {
            let from = report.trace.len().saturating_sub(LINES_SHOWN);
            told.push(format!(
                "seed {seed}: {}\n{}",
                report.broken.join("\n  "),
                report.trace[from..].join("\n")
            ));
        }
    }
    told
}

#[track_caller]
fn check(seeds: impl Iterator<Item = u64>) {
    let told = broken(seeds);
    let summary: Vec<&str> = told.iter().filter_map(|one| one.lines().next()).collect();
    assert!(
        told.is_empty(),
        "{}\n\n{} lives broke an invariant:\n{}\nreplay: RELANCE_SIM_SEED=N cargo nextest run -p relance-sim one_seed --no-capture",
        told.first().cloned().unwrap_or_default(),
        told.len(),
        summary.join("\n")
    );
}

#[test]
fn first_lives_hold_every_invariant() {
    check(0..GROUP);
}

#[test]
fn more_lives_hold_every_invariant() {
    check(GROUP..2 * GROUP);
}

/// `RELANCE_SIM_SEEDS=N [RELANCE_SIM_FROM=K]`: as many more lives as one likes.
#[test]
fn fresh_lives_hold_every_invariant() {
    let count = number("RELANCE_SIM_SEEDS").unwrap_or(0);
    let from = number("RELANCE_SIM_FROM").unwrap_or(1_000);
    check(from..from + count);
}

/// `RELANCE_SIM_SEED=N ... --no-capture`: one life, told from its beginning.
#[test]
fn one_seed() {
    let Some(seed) = number("RELANCE_SIM_SEED") else {
        return;
    };
    let report = live(seed);
    println!("{}", report.trace.join("\n"));
    println!(
        "deliveries: {}, broken: {:#?}",
        report.history.deliveries.len(),
        report.broken
    );
    assert!(report.broken.is_empty());
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in [1, 7] {
        assert_eq!(live(seed).trace, live(seed).trace);
    }
}
