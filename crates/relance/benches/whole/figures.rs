//! Figures of several rounds: median, least and most, and ratios taken round by round.

use std::fmt;

/// One quantity, a value for each round.
#[derive(Debug, Clone, Default)]
pub struct Figure(Vec<f64>);

impl Figure {
    /// No round yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a round's value.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Round by round, this over that.
    pub fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// The middle value.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.median() {
            large if large >= 100.0 => 0,
            small if small < 10.0 => 2,
            _middle => 1,
        };
        let (least, most) = self.0.iter().fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, most), value| (least.min(*value), most.max(*value)),
        );
        write!(
            f,
            "{:>9.digits$}  ({least:.digits$} to {most:.digits$})",
            self.median()
        )
    }
}

/// Prints one line of a table.
pub fn say(what: &str, figure: &Figure) {
    println!("{what:<52} {figure}");
}

/// The value below which a share of the sorted values lie.
pub fn quantile(sorted: &[u64], permille: usize) -> u64 {
    match sorted.len() {
        0 => 0,
        n => sorted[((n - 1) * permille).div_ceil(1_000)],
    }
}

/// Says what the figures were measured on.
pub fn say_machine() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    println!("{cores} cores, {model}; load before: {}", load.trim());
    println!("median (least to most) of the rounds");
}
