//! Chance from a seed: SplitMix64 (Steele, Lea, Flood 2014), small enough to need no library.

/// A stream of chance.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` up to `to`, both included.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = to.abs_diff(from) + 1;
        from + (self.next() % span) as i64
    }

    /// Yes, so many times of a thousand.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.next() % 1_000 < permille
    }

    /// One of several.
    pub fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[(self.next() % among.len() as u64) as usize].clone()
    }
}
