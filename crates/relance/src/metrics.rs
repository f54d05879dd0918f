//! Counters and gauges of one workspace, for `/metrics`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use relance_engine::ports::StoreError;
use relance_engine::run::Observer;

/// One label.
type Labels = Vec<(&'static str, &'static str)>;

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Calls taken, by what became of them: `ok` or the reason of the refusal.
    pub calls: Family<Labels, Counter>,
    /// Requests refused because the engine was busy.
    pub busy: Counter,
    /// Inputs decided.
    decided: Counter,
    /// Events that were known already.
    repeated: Counter,
    /// Timers that came.
    timers: Counter,
    /// Messages handed to the dispatcher.
    dispatched: Counter,
    /// Lines of the ledger, by what happened.
    ledger: Family<Labels, Counter>,
    /// Turns that failed.
    failed_turns: Counter,
    /// Bytes that wait for the engine.
    pub queued_bytes: Gauge<u64, AtomicU64>,
    /// 1 while nothing is sent because this is a copy (R10).
    pub quiet: Gauge<u64, AtomicU64>,
    /// Mailboxes that were not read for too long.
    pub silent_mailboxes: Gauge<u64, AtomicU64>,
    /// Partitions that this program works for: all of them where it works alone.
    pub partitions: Gauge<u64, AtomicU64>,
}

impl Metrics {
    /// Counts each turn of the engine.
    pub fn observer(self: Arc<Self>) -> Observer {
        Box::new(move |result| match result {
            Ok(summary) => {
                self.decided.inc_by(summary.decided as u64);
                self.repeated.inc_by(summary.repeated as u64);
                self.timers.inc_by(summary.timers as u64);
                self.dispatched.inc_by(summary.dispatched as u64);
                for (what, count) in &summary.ledger {
                    self.ledger
                        .get_or_create(&vec![("what", what.word())])
                        .inc_by(*count);
                }
            }
            // Whoever judged looks anew: nothing failed.
            Err(StoreError::Overtaken) => {}
            Err(error) => {
                self.failed_turns.inc();
                tracing::error!(%error, remedy = ?error.remedy(), "a batch could not be committed");
            }
        })
    }

    /// The text of `/metrics`.
    pub fn text(&self) -> String {
        let mut registry = Registry::with_prefix("relance");
        registry.register("calls", "Ingestion calls by result", self.calls.clone());
        registry.register("busy", "Requests refused with 429", self.busy.clone());
        registry.register("decided", "Inputs decided", self.decided.clone());
        registry.register("repeated", "Events known already", self.repeated.clone());
        registry.register("timers", "Timers that came", self.timers.clone());
        registry.register(
            "dispatched",
            "Messages handed to the dispatcher",
            self.dispatched.clone(),
        );
        registry.register(
            "ledger",
            "Ledger lines by what happened",
            self.ledger.clone(),
        );
        registry.register(
            "failed_turns",
            "Batches that could not be committed",
            self.failed_turns.clone(),
        );
        registry.register(
            "queued_bytes",
            "Bytes waiting for the engine",
            self.queued_bytes.clone(),
        );
        registry.register(
            "quiet",
            "1 while a copy waits to be released and sends nothing",
            self.quiet.clone(),
        );
        registry.register(
            "silent_mailboxes",
            "Mailboxes that were not read for longer than mailboxes.alert_after",
            self.silent_mailboxes.clone(),
        );
        registry.register(
            "partitions",
            "Partitions of contacts, of 256, that this node works for",
            self.partitions.clone(),
        );
        let mut text = String::new();
        match encode(&mut text, &registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
