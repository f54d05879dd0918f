//! The engine over a real store: what neither shows alone.

mod erasure;
mod identity;
mod support;
