//! Choices out of bytes: a property test draws the bytes, and shrinks them. Where they end, every choice is
//! the first.

pub struct Entropy<'a> {
    bytes: &'a [u8],
}

impl<'a> Entropy<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// One of `0..most`.
    pub fn below(&mut self, most: u64) -> u64 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        u64::from(*first) % most
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}
