//! The engine over a real store: what neither shows alone.

mod identity;
mod support;
