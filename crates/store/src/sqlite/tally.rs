//! What pages show is counted when it happens: sums of one batch, added up in memory and written once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::ids::{JourneyId, StepKey};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_engine::ports::StoreError;
use rusqlite::{Connection, params};

use super::column::{day, quarter};
use super::error::Located;
use crate::sql::Sql;

/// Names of the rows of `total`.
pub(crate) mod totals {
    /// Contacts.
    pub(crate) const CONTACTS: &str = "contacts";
    /// Timers set.
    pub(crate) const TIMERS: &str = "timers";
    /// Events in the log.
    pub(crate) const EVENTS: &str = "events";
    /// Tasks.
    pub(crate) const TASKS: &str = "tasks";
    /// Messages by the number of their state (see `state.rs`); numbers without a word are free.
    pub(crate) const TOUCHPOINTS: [&str; 19] = [
        "touchpoints:0",
        "touchpoints:queued",
        "touchpoints:held",
        "touchpoints:awaiting_approval",
        "touchpoints:sending",
        "touchpoints:5",
        "touchpoints:6",
        "touchpoints:7",
        "touchpoints:8",
        "touchpoints:accepted",
        "touchpoints:refused_hard",
        "touchpoints:refused_soft",
        "touchpoints:template_failed",
        "touchpoints:channel_not_configured",
        "touchpoints:withdrawn",
        "touchpoints:dropped",
        "touchpoints:unknown",
        "touchpoints:postponed",
        "touchpoints:missed",
    ];
}

/// What pages show of a day.
pub(crate) mod daily {
    use relance_core::event::{Event, names};
    use relance_core::ledger::{LedgerEntry, What};

    /// Quarters of an hour that are kept: forty days.
    pub(crate) const QUARTERS_KEPT: i64 = 40 * 96;

    /// Quarters ahead of the clock that are counted: clocks differ.
    const QUARTERS_AHEAD: i64 = 96;

    /// Whether a quarter is counted: what a source dates into another age is not. `now` is 0 while it is not known.
    pub(crate) const fn is_kept(quarter: i64, now: i64) -> bool {
        now == 0 || (quarter > now - QUARTERS_KEPT && quarter < now + QUARTERS_AHEAD)
    }

    /// What a line of the ledger counts as.
    pub(crate) fn of_line(line: &LedgerEntry) -> Option<&'static str> {
        match line.what {
            What::Enrolled => Some("enrolled"),
            What::Sent => Some("sent"),
            What::Held => Some("held"),
            What::Converted => Some("converted"),
            _not_shown => None,
        }
    }

    /// What an event counts as.
    pub(crate) fn of_event(event: &Event) -> Option<&'static str> {
        match event.name.as_str() {
            names::REPLIED => Some("replied"),
            names::DOCUMENT_SENT => Some("documents"),
            names::DOCUMENT_PAID => Some("paid"),
            names::TASK_COMPLETED => Some("tasks_done"),
            _other_event => None,
        }
    }
}

type Count = (JourneyId, i64, Option<StepKey>, What, Option<Reason>);

#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<Count, i64>,
    totals: BTreeMap<&'static str, i64>,
    live_runs: BTreeMap<(JourneyId, u32), i64>,
    standing: BTreeMap<(JourneyId, u32, StepKey), i64>,
    members: BTreeMap<i64, i64>,
    quarters: BTreeMap<(i64, &'static str), i64>,
    /// This quarter of an hour; 0 while nobody told.
    now: i64,
    /// The quarter in which old ones were dropped last.
    dropped: i64,
}

impl Tally {
    /// Counts what pages show of a day.
    pub(super) fn happened(&mut self, what: &'static str, at: Timestamp) {
        let quarter = quarter(at);
        if daily::is_kept(quarter, self.now) {
            *self.quarters.entry((quarter, what)).or_default() += 1;
        }
    }

    /// What time it is, by the engine's clock.
    pub(super) fn told_now(&mut self, now: Timestamp) {
        self.now = quarter(now);
    }

    /// Counts a line of the ledger, if it is about a journey.
    pub(super) fn line(&mut self, line: &LedgerEntry) {
        if let Some(what) = daily::of_line(line) {
            self.happened(what, line.at);
        }
        if let Some(journey) = &line.journey {
            let count = (
                journey.clone(),
                day(line.at),
                line.step.clone(),
                line.what,
                line.reason,
            );
            *self.counts.entry(count).or_default() += 1;
        }
    }

    pub(super) fn total(&mut self, name: &'static str, by: i64) {
        *self.totals.entry(name).or_default() += by;
    }

    pub(super) fn live_run(&mut self, journey: JourneyId, version: u32, by: i64) {
        *self.live_runs.entry((journey, version)).or_default() += by;
    }

    /// A live run came to a step, or left it.
    pub(super) fn standing(&mut self, journey: JourneyId, version: u32, step: StepKey, by: i64) {
        let place = (journey, version, step);
        *self.standing.entry(place).or_default() += by;
    }

    /// Members of a segment, by its number, came in or left.
    pub(super) fn member(&mut self, segment: i64, by: i64) {
        *self.members.entry(segment).or_default() += by;
    }

    /// Writes the sums and begins anew.
    pub(super) fn flush(&mut self, conn: &Connection, sql: &Sql) -> Result<(), StoreError> {
        for ((journey, day, step, what, reason), n) in std::mem::take(&mut self.counts) {
            let step = step.as_ref().map_or("", StepKey::as_str);
            let reason = reason.map_or("", Reason::word);
            conn.prepare_cached(sql.counter_add)
                .and_then(|mut statement| {
                    statement.execute(params![journey.as_str(), day, step, what.word(), reason, n])
                })
                .at("counter", journey)?;
        }
        for (name, n) in std::mem::take(&mut self.totals)
            .into_iter()
            .filter(|(_, n)| *n != 0)
        {
            conn.prepare_cached(sql.total_add)
                .and_then(|mut statement| statement.execute(params![name, n]))
                .at("total", name)?;
        }
        self.flush_quarters(conn, sql)?;
        let members = std::mem::take(&mut self.members);
        for (segment, n) in members.into_iter().filter(|(_, n)| *n != 0) {
            conn.prepare_cached(sql.segment_count)
                .and_then(|mut statement| statement.execute(params![segment, n]))
                .at("segment", segment)?;
        }
        let live_runs = std::mem::take(&mut self.live_runs);
        for ((journey, version), n) in live_runs.into_iter().filter(|(_, n)| *n != 0) {
            conn.prepare_cached(sql.live_run_add)
                .and_then(|mut statement| statement.execute(params![journey.as_str(), version, n]))
                .at("live_run", journey)?;
        }
        let standing = std::mem::take(&mut self.standing);
        for ((journey, version, step), n) in standing.into_iter().filter(|(_, n)| *n != 0) {
            let row = params![journey.as_str(), version, step.as_str(), n];
            conn.prepare_cached(sql.standing_add)
                .and_then(|mut statement| statement.execute(row))
                .at("standing", journey)?;
        }
        Ok(())
    }

    fn flush_quarters(&mut self, conn: &Connection, sql: &Sql) -> Result<(), StoreError> {
        let quarters = std::mem::take(&mut self.quarters);
        for ((quarter, what), n) in quarters {
            conn.prepare_cached(sql.quarter_add)
                .and_then(|mut statement| statement.execute(params![quarter, what, n]))
                .at("quarter_count", quarter)?;
        }
        // Once a quarter of an hour.
        if self.now > self.dropped {
            self.dropped = self.now;
            conn.prepare_cached(sql.quarter_drop)
                .and_then(|mut statement| statement.execute([self.now - daily::QUARTERS_KEPT]))
                .at("quarter_count", self.now)?;
        }
        Ok(())
    }

    pub(super) fn rolled_back(&mut self) {
        *self = Self {
            now: self.now,
            ..Self::default()
        };
    }
}
