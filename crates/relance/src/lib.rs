//! The Relance server: configuration, CLI, HTTP API, tracking.
//!
//! Everything here is thin: handlers translate and delegate. **Absent:** rules (see `relance-core`), SQL
//! (see `relance-store`), byte formats (see `relance-message` and `relance-wire`).

pub mod access;
pub mod approvals;
pub mod autoconfig;
pub mod backtest;
pub mod cli;
pub mod config;
pub mod consent;
pub mod content;
pub mod copy;
pub mod demo;
pub mod digest;
pub mod examine;
pub mod explain;
pub mod held;
pub mod http;
pub mod import;
pub mod keys;
mod library;
pub mod link;
pub mod listing;
pub mod live;
pub mod lock;
pub mod mailbox;
pub mod metrics;
pub mod node;
pub mod oauth;
pub mod payments;
pub mod policy;
pub mod preview;
pub mod recognition;
mod scenario;
mod see;
pub mod segments;
pub mod send;
pub mod settings;
mod task_words;
pub mod vault;
pub mod work;
pub mod workspace;

/// A client for HTTP, with the program's own TLS.
pub fn client() -> reqwest::Result<reqwest::Client> {
    // Installing the provider a second time changes nothing.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(CLIENT_TIMEOUT).build()
}

/// A client for files, which take as long as they take.
pub fn client_without_timeout() -> reqwest::Result<reqwest::Client> {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().build()
}

/// How long an answer may take.
const CLIENT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
