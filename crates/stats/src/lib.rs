//! Numbers in, numbers out. Pure, and of nothing else of ours: whoever asks brings the numbers.
pub mod brought;
pub mod rfm;
pub mod share;
