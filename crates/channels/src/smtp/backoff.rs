//! How long to wait before another attempt: arithmetic only, no clock and no chance of its own.
//!
//! **Absent:** whether to try again at all. That is policy and lives in `relance-core`.

use std::time::Duration;

/// Delay before the first retry, before jitter.
pub const RETRY_DELAY_MIN: Duration = Duration::from_secs(60);
/// No delay is longer than this, jitter included.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(4 * 60 * 60);
/// Each delay is this many times the one before.
const RETRY_GROWTH: u64 = 3;
/// Jitter takes up to this share (percent) off the delay, so that a thousand messages refused together do
/// not come back together.
const JITTER_PERCENT_MAX: u64 = 25;

/// The delay before retry number `attempt` (0 is the first): one minute, then three times as long each
/// time, at most four hours, less up to a quarter chosen by `seed`. The same arguments give the same delay.
pub fn retry_delay(attempt: u8, seed: u64) -> Duration {
    let cap = RETRY_DELAY_MAX.as_millis() as u64;
    let grown = RETRY_GROWTH
        .checked_pow(u32::from(attempt))
        .and_then(|factor| (RETRY_DELAY_MIN.as_millis() as u64).checked_mul(factor))
        .map_or(cap, |millis| millis.min(cap));
    let jitter_max = grown * JITTER_PERCENT_MAX / 100;
    let jitter = mix(seed.wrapping_add(u64::from(attempt))) % (jitter_max + 1);
    Duration::from_millis(grown - jitter)
}

/// SplitMix64's finaliser: every bit of the seed moves every bit of the result.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_never_pass_the_cap() {
        for seed in [0, 1, u64::MAX] {
            for attempt in 0..=u8::MAX {
                let delay = retry_delay(attempt, seed);
                assert!(
                    delay <= RETRY_DELAY_MAX,
                    "attempt {attempt} seed {seed}: {delay:?}"
                );
                assert!(
                    delay >= RETRY_DELAY_MIN * 3 / 4,
                    "attempt {attempt} seed {seed}: {delay:?}"
                );
            }
            // A quarter of jitter cannot undo a growth of three.
            assert!(retry_delay(1, seed) > retry_delay(0, seed));
            assert!(retry_delay(3, seed) > retry_delay(2, seed));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_delay_and_seeds_spread() {
        assert_eq!(retry_delay(3, 42), retry_delay(3, 42));
        let distinct: std::collections::BTreeSet<_> =
            (0..1000).map(|seed| retry_delay(2, seed)).collect();
        assert!(
            distinct.len() > 900,
            "only {} distinct delays",
            distinct.len()
        );
    }
}
