//! What pages show is counted when it happens: sums of one batch, added up in memory and written once, to
//! rows of the node's own shard, in order of their keys.

use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::ids::{EventName, JourneyId, StepKey};
use relance_core::ledger::{LedgerEntry, Reason, What};

use super::session::{Ask, Param};
use super::text::{key, word};
use crate::sql::PgSql;
use crate::sqlite::column::{day, quarter};
use crate::sqlite::tally::daily;

type Count = (JourneyId, i64, Option<StepKey>, What, Option<Reason>);

#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<Count, i64>,
    totals: BTreeMap<&'static str, i64>,
    live_runs: BTreeMap<(JourneyId, i32), i64>,
    standing: BTreeMap<(JourneyId, i32, StepKey), i64>,
    members: BTreeMap<i32, i64>,
    quarters: BTreeMap<(i64, &'static str), i64>,
    names: BTreeMap<EventName, i64>,
    /// This quarter of an hour; 0 while nobody told.
    now: i64,
    /// The quarter in which old ones were dropped last.
    dropped: i64,
}

impl Tally {
    /// Counts what pages show of a day.
    pub(super) fn happened(&mut self, what: &'static str, at: Timestamp) {
        if self.is_kept(at) {
            *self.quarters.entry((quarter(at), what)).or_default() += 1;
        }
    }

    /// Whether pages show what happened then.
    pub(super) fn is_kept(&self, at: Timestamp) -> bool {
        daily::is_kept(quarter(at), self.now)
    }

    /// Counts an event by its name.
    pub(super) fn named(&mut self, name: &EventName) {
        match self.names.get_mut(name) {
            Some(n) => *n += 1,
            None if daily::is_counted(name.as_str()) => {
                self.names.insert(name.clone(), 1);
            }
            None => {}
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

    pub(super) fn live_run(&mut self, journey: JourneyId, version: i32, by: i64) {
        *self.live_runs.entry((journey, version)).or_default() += by;
    }

    /// A live run came to a step, or left it.
    pub(super) fn standing(&mut self, journey: JourneyId, version: i32, step: StepKey, by: i64) {
        let place = (journey, version, step);
        *self.standing.entry(place).or_default() += by;
    }

    /// Members of a segment, by its number, came in or left.
    pub(super) fn member(&mut self, segment: i32, by: i64) {
        *self.members.entry(segment).or_default() += by;
    }

    pub(super) fn clear(&mut self) {
        *self = Self {
            now: self.now,
            ..Self::default()
        };
    }

    /// Takes the sums, to be written.
    pub(super) fn take(&mut self) -> Sums {
        let mut sums = Sums::default();
        for ((journey, day, step, what, reason), n) in std::mem::take(&mut self.counts) {
            let step = step.as_ref().map_or("", StepKey::as_str);
            sums.counts
                .journeys
                .push(word(journey.as_str()).into_owned());
            sums.counts.days.push(day);
            sums.counts.steps.push(word(step).into_owned());
            sums.counts.what.push(what.word());
            sums.counts.reasons.push(reason.map_or("", Reason::word));
            sums.counts.n.push(n);
        }
        let changed = |n: &i64| *n != 0;
        let totals = std::mem::take(&mut self.totals).into_iter();
        sums.totals = totals.filter(|(_, n)| changed(n)).unzip();
        for ((journey, version), n) in std::mem::take(&mut self.live_runs) {
            if changed(&n) {
                sums.live_runs.0.push(word(journey.as_str()).into_owned());
                sums.live_runs.1.push(version);
                sums.live_runs.2.push(n);
            }
        }
        for ((journey, version, step), n) in std::mem::take(&mut self.standing) {
            if changed(&n) {
                sums.standing.0.push(word(journey.as_str()).into_owned());
                sums.standing.1.push(version);
                sums.standing.2.push(word(step.as_str()).into_owned());
                sums.standing.3.push(n);
            }
        }
        let members = std::mem::take(&mut self.members).into_iter();
        sums.members = members.filter(|(_, n)| changed(n)).unzip();
        for ((quarter, what), n) in std::mem::take(&mut self.quarters) {
            sums.quarters.0.push(quarter);
            sums.quarters.1.push(what);
            sums.quarters.2.push(n);
        }
        // Once a quarter of an hour.
        if self.now > self.dropped && !sums.quarters.0.is_empty() {
            self.dropped = self.now;
            sums.kept_from = Some(self.now - daily::QUARTERS_KEPT);
            sums.feed_from = daily::begin(self.now - daily::QUARTERS_KEPT);
        }
        for (name, n) in std::mem::take(&mut self.names) {
            sums.names.0.push(key(name.as_str()).into_owned());
            sums.names.1.push(n);
        }
        sums
    }
}

#[derive(Debug, Default)]
struct Counts {
    journeys: Vec<String>,
    days: Vec<i64>,
    steps: Vec<String>,
    what: Vec<&'static str>,
    reasons: Vec<&'static str>,
    n: Vec<i64>,
}

/// Sums as columns.
#[derive(Debug, Default)]
pub(super) struct Sums {
    counts: Counts,
    totals: (Vec<&'static str>, Vec<i64>),
    live_runs: (Vec<String>, Vec<i32>, Vec<i64>),
    standing: (Vec<String>, Vec<i32>, Vec<String>, Vec<i64>),
    members: (Vec<i32>, Vec<i64>),
    quarters: (Vec<i64>, Vec<&'static str>, Vec<i64>),
    /// Quarters before it are forgotten.
    kept_from: Option<i64>,
    /// The same as a moment.
    feed_from: i64,
    names: (Vec<String>, Vec<i64>),
}

impl Sums {
    /// The statements that write them; always in this order, so that programs do not wait for each other
    /// in a circle.
    pub(super) fn asks<'a>(&'a self, sql: &PgSql, shard: &'a i16) -> Vec<Ask<'a>> {
        let mut asks = Vec::new();
        let mut add = |sql, is_empty: bool, params: Vec<Param<'a>>| {
            if !is_empty {
                asks.push(Ask::new(sql, params));
            }
        };
        let counts = &self.counts;
        add(
            sql.counter_add,
            counts.n.is_empty(),
            vec![
                shard,
                &counts.journeys,
                &counts.days,
                &counts.steps,
                &counts.what,
                &counts.reasons,
                &counts.n,
            ],
        );
        let (names, n) = &self.totals;
        add(sql.total_add, n.is_empty(), vec![shard, names, n]);
        let (journeys, versions, n) = &self.live_runs;
        add(
            sql.live_run_add,
            n.is_empty(),
            vec![shard, journeys, versions, n],
        );
        let (journeys, versions, steps, n) = &self.standing;
        add(
            sql.standing_add,
            n.is_empty(),
            vec![shard, journeys, versions, steps, n],
        );
        let (segments, n) = &self.members;
        add(sql.segment_count, n.is_empty(), vec![shard, segments, n]);
        let (quarters, what, n) = &self.quarters;
        add(
            sql.quarter_add,
            n.is_empty(),
            vec![shard, quarters, what, n],
        );
        if let Some(kept_from) = &self.kept_from {
            add(sql.quarter_drop, false, vec![kept_from]);
            let most = &daily::FEED_DROPPED_MAX;
            add(sql.feed_drop, false, vec![&self.feed_from, most]);
        }
        let (names, n) = &self.names;
        add(
            sql.event_name_add,
            n.is_empty(),
            vec![shard, names, n, &daily::NAMES_MAX],
        );
        asks
    }
}
