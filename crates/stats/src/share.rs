//! Shares with their intervals, and the middle of numbers.

/// The quantile of the normal distribution for an interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The share of `hits` in `all`; `None` of nothing.
pub fn share(hits: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| hits as f64 / all as f64)
}

/// Between which a share lies at 95 %, after Wilson: it stays within 0 and 1, and of few says little. `None` of nothing.
///
/// ```
/// let [low, high] = relance_stats::share::interval(8, 10).unwrap();
/// assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4);
/// ```
pub fn interval(hits: u64, all: u64) -> Option<[f64; 2]> {
    let (p, n) = (share(hits, all)?, all as f64);
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let reach = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some([(centre - reach).max(0.0), (centre + reach).min(1.0)])
}

/// The middle of some numbers: half of them are not above it. Of an even number what lies between the two in the
/// middle; of nothing `None`. What is no number is left out.
///
/// ```
/// assert_eq!(relance_stats::share::median(vec![7.0, 1.0, 3.0]), Some(3.0));
/// assert_eq!(relance_stats::share::median(vec![7.0, 1.0, 3.0, 5.0]), Some(4.0));
/// ```
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    let count = values.len();
    if count == 0 {
        return None;
    }
    let (below, middle, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    let middle = *middle;
    if count % 2 == 1 {
        return Some(middle);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(f64::midpoint(lower, middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_share_and_no_middle() {
        assert_eq!((share(0, 0), interval(0, 0)), (None, None));
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![f64::NAN]), None);
    }

    #[test]
    fn an_interval_holds_its_share_and_stays_within_bounds() {
        for all in 1..60_u64 {
            for hits in 0..=all {
                let own = share(hits, all).expect("a share");
                let [low, high] = interval(hits, all).expect("an interval");
                assert!(low >= 0.0 && high <= 1.0 && low <= own + 1e-12 && own <= high + 1e-12);
            }
        }
        let width = |n| interval(n / 2, n).map_or(0.0, |[low, high]| high - low);
        assert!(width(1_000) < width(100) && width(100) < width(10));
    }

    #[test]
    fn the_middle_is_that_of_the_sorted() {
        for count in 1..40_i32 {
            let values: Vec<f64> = (0..count).map(|n| f64::from((n * 7_919) % 31)).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let half = sorted.len() / 2;
            let expected = match sorted.len() % 2 {
                1 => sorted[half],
                _even => f64::midpoint(sorted[half - 1], sorted[half]),
            };
            assert_eq!(median(values), Some(expected), "{count}");
        }
    }
}
