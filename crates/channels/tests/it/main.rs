//! The crate's integration tests, one binary.

mod dkim;
mod fake_server;
mod smtp_limits;
mod smtp_outcomes;
mod smtp_pool;
mod smtp_tls;
