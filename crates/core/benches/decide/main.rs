//! What one decision costs: time and allocations of `decide` for a contact with 1, 10 and 100 live runs,
//! beside bounds measured in the same run.
//!
//!     cargo bench -p relance-core --bench decide [-- --rounds N] [--calls N] [WORD...]
//!
//! Every call meets a fresh copy of its snapshot, made and thrown away outside the measured part. The
//! bounds: copying the snapshot once, and looking once at the state of every run. `decide` and bounds take
//! turns; of each turn the median call counts, of all turns median, least and most. The allocator counts in
//! a thread-local cell, which makes an allocation some nanoseconds dearer for both sides. Words choose
//! inputs by their names. What was measured stands in `docs/BENCHMARKS.md`.

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark reads clock and arguments"
)]

#[path = "../../tests/it/story/journey.rs"]
#[allow(dead_code, reason = "the stories use more of their language")]
mod journey;
mod scene;

use std::hint::black_box;
use std::time::{Duration, Instant};

use relance_core::decide::decide;
use relance_core::enrollment::EnrollmentState;
use relance_core::snapshot::Snapshot;

use scene::{Case, Scene};

/// Live runs of the contact.
const RUNS: [usize; 3] = [1, 10, 100];
/// Looks at all runs that share one reading of the clock: a single one is too short for it.
const LOOKS: u32 = 64;

/// One quantity, a value for each turn.
#[derive(Default)]
struct Figure(Vec<f64>);

impl Figure {
    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn text(&self) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(0.0, f64::max);
        format!("{:.0} ({least:.0} to {most:.0})", self.median())
    }
}

/// Median nanoseconds of one call, `one` being timed and what it leaves thrown away afterwards.
fn turn<T, R>(calls: usize, mut make: impl FnMut() -> T, mut one: impl FnMut(&mut T) -> R) -> f64 {
    let mut times: Vec<Duration> = (0..calls)
        .map(|_| {
            let mut given = make();
            let began = Instant::now();
            let left = one(black_box(&mut given));
            let time = began.elapsed();
            black_box(left);
            time
        })
        .collect();
    times.sort_unstable();
    times.get(calls / 2).copied().unwrap_or_default().as_nanos() as f64
}

/// A bare look at every run: its state, and whether its timer is due.
fn look(snapshot: &Snapshot, scene: &Scene) -> usize {
    let concerned = |state: &EnrollmentState| match state {
        EnrollmentState::Waiting { until, .. } => *until <= scene.now,
        EnrollmentState::Listening { until, .. } => until.is_some_and(|until| until <= scene.now),
        EnrollmentState::Standing { .. } | EnrollmentState::Sending { .. } => true,
        EnrollmentState::Finished { .. } | EnrollmentState::Exited { .. } => false,
    };
    let runs = snapshot.enrollments.iter();
    runs.filter(|run| concerned(&run.state)).count()
}

fn measure(case: &Case, runs: usize, rounds: usize, calls: usize) {
    let scene = case.scene(runs);
    let [mut decided, mut needed, mut copied, mut looked] = [const { Figure(Vec::new()) }; 4];
    for _ in 0..rounds {
        decided.0.push(turn(
            calls,
            || scene.snapshot.clone(),
            |snapshot| decide(&scene.world, snapshot, &scene.input, scene.now),
        ));
        copied
            .0
            .push(turn(calls, || (), |()| scene.snapshot.clone()));
        needed.0.push(turn(
            calls,
            || (),
            |()| scene.snapshot.needs(&scene.world, &scene.input),
        ));
        let looks = turn(
            calls,
            || (),
            |()| {
                (0..LOOKS)
                    .map(|_| look(black_box(&scene.snapshot), &scene))
                    .sum::<usize>()
            },
        );
        looked.0.push(looks / f64::from(LOOKS));
    }
    let mut snapshot = scene.snapshot.clone();
    let mut effects = Vec::new();
    let spent = allocation_counter::measure(|| {
        effects = decide(&scene.world, &mut snapshot, &scene.input, scene.now);
    });
    let copy = allocation_counter::measure(|| drop(black_box(scene.snapshot.clone())));
    let needs = allocation_counter::measure(|| {
        drop(black_box(scene.snapshot.needs(&scene.world, &scene.input)));
    });
    println!(
        "{:<28} {runs:>4} | {:<24} {:>6.2} {:>4} {:>7} | {:>3} | {:<22} {:>4} | {:<24} {:>5} | {:.0}",
        case.name,
        decided.text(),
        decided.median() / copied.median(),
        spent.count_total,
        spent.bytes_total,
        effects.len(),
        needed.text(),
        needs.count_total,
        copied.text(),
        copy.count_total,
        looked.median(),
    );
}

fn main() {
    let (mut rounds, mut calls) = (7, 500);
    let mut chosen = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse().ok());
        match word.as_str() {
            // Cargo adds it.
            "--bench" => {}
            "--rounds" => rounds = number().expect("--rounds N"),
            "--calls" => calls = number().expect("--calls N"),
            _name => chosen.push(word),
        }
    }
    let clock = turn(10_000, || (), |()| ());
    println!("nanoseconds: median (least to most) of {rounds} turns of {calls} calls each");
    println!("reading the clock, contained in each: {clock:.0}");
    println!(
        "{:<28} {:>4} | {:<24} {:>6} {:>4} {:>7} | {:>3} | {:<22} {:>4} | {:<24} {:>5} | look",
        "input",
        "runs",
        "decide",
        "/copy",
        "news",
        "bytes",
        "eff",
        "needs",
        "news",
        "copy of the snapshot",
        "news",
    );
    for case in Case::all() {
        if !chosen.is_empty() && !chosen.iter().any(|word| case.name.contains(word.as_str())) {
            continue;
        }
        for runs in RUNS {
            measure(&case, runs, rounds, calls);
        }
    }
}
