//! What pages show is counted when it happens: sums of one batch, added up in memory and written once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::event::Event;
use relance_core::ids::{ContactId, EventName, JourneyId, StepKey};
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
    use relance_core::ids::ContactId;
    use relance_core::ledger::{LedgerEntry, What};

    use crate::registry::{is_document, owner_column};
    use crate::sqlite::column::{contact_key, nanos};

    /// Quarters of an hour that are kept: forty days.
    pub(crate) const QUARTERS_KEPT: i64 = 40 * 96;

    /// Quarters ahead of the clock that are counted: clocks differ.
    const QUARTERS_AHEAD: i64 = 96;

    /// When a quarter began, in nanoseconds.
    pub(crate) const fn begin(quarter: i64) -> i64 {
        quarter.saturating_mul(900_000_000_000)
    }

    /// Whether a quarter is counted: what a source dates into another age is not. `now` is 0 while it is not known.
    pub(crate) const fn is_kept(quarter: i64, now: i64) -> bool {
        now == 0 || (quarter > now - QUARTERS_KEPT && quarter < now + QUARTERS_AHEAD)
    }

    /// Names of events that are counted; of more the first.
    pub(crate) const NAMES_MAX: i64 = 1_000;
    /// Bytes of such a name.
    pub(crate) const NAME_BYTES_MAX: usize = 200;
    /// Old lines of what happened that are looked at, each quarter of an hour.
    pub(crate) const FEED_DROPPED_MAX: i64 = 20_000;

    /// Something that happened, as the list of it has it.
    #[derive(Debug, Clone)]
    pub(crate) struct Happened {
        pub(crate) at: i64,
        pub(crate) contact: i64,
        pub(crate) what: &'static str,
        pub(crate) is_line: bool,
        /// The line or the event.
        pub(crate) place: i64,
        /// Whose it is if the contact is nobody's.
        pub(crate) owner: String,
        /// Also where nobody is responsible.
        pub(crate) always: bool,
    }

    impl Happened {
        pub(crate) fn of_line(place: i64, line: &LedgerEntry) -> Option<Self> {
            let what = of_line(line)?;
            Some(Self {
                at: nanos(line.at),
                contact: contact_key(line.contact),
                what,
                is_line: true,
                place,
                owner: String::new(),
                // A mailing to a million is a million lines of the ledger, and news to nobody.
                always: line.what == What::Converted,
            })
        }

        pub(crate) fn of_event(place: i64, contact: ContactId, event: &Event) -> Option<Self> {
            let what = of_event(event)?;
            let objects = event.objects.iter();
            let mut documents = objects.filter(|one| is_document(&one.subject.kind));
            let owner = documents.find_map(|one| {
                let text = |field| one.fields.get(field)?.as_str();
                text("owner").or_else(|| text("mailbox")).map(owner_column)
            });
            Some(Self {
                at: nanos(event.at),
                contact: contact_key(contact),
                what,
                is_line: false,
                place,
                owner: owner.unwrap_or_default(),
                always: true,
            })
        }
    }

    /// Whether a name of events is counted.
    pub(crate) fn is_counted(name: &str) -> bool {
        name.len() <= NAME_BYTES_MAX && !name.contains('\0')
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
    feed: Vec<daily::Happened>,
    names: BTreeMap<EventName, i64>,
    /// This quarter of an hour; 0 while nobody told.
    now: i64,
    /// The quarter in which old ones were dropped last.
    dropped: i64,
}

impl Tally {
    /// Counts what pages show of a day.
    fn happened(&mut self, what: &'static str, at: Timestamp) -> bool {
        let quarter = quarter(at);
        let is_kept = daily::is_kept(quarter, self.now);
        if is_kept {
            *self.quarters.entry((quarter, what)).or_default() += 1;
        }
        is_kept
    }

    /// Counts an event.
    pub(super) fn event(&mut self, contact: ContactId, place: i64, event: &Event) {
        match self.names.get_mut(&event.name) {
            Some(n) => *n += 1,
            None if daily::is_counted(event.name.as_str()) => {
                self.names.insert(event.name.clone(), 1);
            }
            None => {}
        }
        if let Some(one) = daily::Happened::of_event(place, contact, event)
            && self.happened(one.what, event.at)
        {
            self.feed.push(one);
        }
    }

    /// What time it is, by the engine's clock.
    pub(super) fn told_now(&mut self, now: Timestamp) {
        self.now = quarter(now);
    }

    /// Counts a line of the ledger, if it is about a journey.
    pub(super) fn line(&mut self, place: i64, line: &LedgerEntry) {
        if let Some(one) = daily::Happened::of_line(place, line)
            && self.happened(one.what, line.at)
        {
            self.feed.push(one);
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
        self.flush_feed(conn, sql)?;
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
            let from = self.now - daily::QUARTERS_KEPT;
            conn.prepare_cached(sql.quarter_drop)
                .and_then(|mut statement| statement.execute([from]))
                .at("quarter_count", self.now)?;
            let row = params![daily::begin(from), daily::FEED_DROPPED_MAX];
            conn.prepare_cached(sql.feed_drop)
                .and_then(|mut statement| statement.execute(row))
                .at("feed", self.now)?;
        }
        Ok(())
    }

    fn flush_feed(&mut self, conn: &Connection, sql: &Sql) -> Result<(), StoreError> {
        for one in std::mem::take(&mut self.feed) {
            let row = params![
                one.at,
                one.contact,
                one.what,
                one.is_line,
                one.place,
                one.owner,
                one.always
            ];
            conn.prepare_cached(sql.feed_add)
                .and_then(|mut statement| statement.execute(row))
                .at("feed", one.place)?;
        }
        for (name, n) in std::mem::take(&mut self.names) {
            conn.prepare_cached(sql.event_name_add)
                .and_then(|mut statement| {
                    statement.execute(params![name.as_str(), n, daily::NAMES_MAX])
                })
                .at("event_name", "")?;
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
