//! What came due and was not done: shown while a workspace is quiet (R10).
//!
//! **Absent:** a count without an end. Beyond [`OVERDUE_COUNTED_MAX`] of a sort it says only that there
//! are more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use relance_core::ids::JourneyId;

use super::db::values;
use super::{ReadError, Reader};
use crate::sqlite::column::{moment, nanos};
use crate::sqlite::error::Located;

/// How many of a sort are counted.
pub const OVERDUE_COUNTED_MAX: u32 = 10_000;

/// Timers or messages whose moment has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// How many, at most [`OVERDUE_COUNTED_MAX`].
    pub count: u64,
    /// There are more than were counted.
    pub more: bool,
    /// The first moment.
    pub earliest: Option<Timestamp>,
    /// The last moment.
    pub latest: Option<Timestamp>,
}

/// What is overdue of one journey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DueOf {
    /// Timers of its runs.
    pub timers: u64,
    /// Its messages.
    pub messages: u64,
}

/// All that is overdue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Timers: ends of waits, timeouts, questions that lapse, activity that stayed away.
    pub timers: Due,
    /// Messages in the outbox.
    pub messages: Due,
    /// By journey, of those that were counted. Timers that belong to no run are in no line.
    pub journeys: BTreeMap<JourneyId, DueOf>,
}

impl Overdue {
    /// The first moment of all.
    pub fn earliest(&self) -> Option<Timestamp> {
        let both = [self.timers.earliest, self.messages.earliest];
        both.into_iter().flatten().min()
    }

    /// The last moment of all.
    pub fn latest(&self) -> Option<Timestamp> {
        self.timers.latest.max(self.messages.latest)
    }
}

impl Reader {
    /// What came due up to a moment.
    pub fn overdue(&self, now: Timestamp) -> Result<Overdue, ReadError> {
        let mut overdue = Overdue::default();
        let timers = (self.sql.overdue_timers, self.sql.overdue_timer_last);
        for (id, count) in self.due(timers, "timer", now, &mut overdue.timers)? {
            overdue.journeys.entry(id).or_default().timers = count;
        }
        let messages = (self.sql.overdue_messages, self.sql.overdue_message_last);
        for (id, count) in self.due(messages, "outbox", now, &mut overdue.messages)? {
            overdue.journeys.entry(id).or_default().messages = count;
        }
        Ok(overdue)
    }

    /// Counts what is due of one sort; returns it by journey.
    fn due(
        &self,
        (first, last): (&'static str, &'static str),
        table: &str,
        now: Timestamp,
        due: &mut Due,
    ) -> Result<BTreeMap<JourneyId, u64>, ReadError> {
        let most = i64::from(OVERDUE_COUNTED_MAX);
        let rows = self.rows(first, table, values![nanos(now), most + 1], |row| {
            let at = row.int(0).at(table, "")?;
            let journey = row.text_or_null(1).at(table, "")?;
            Ok((at, journey.map(str::to_owned)))
        })?;
        due.earliest = rows.first().map(|(at, _)| moment(*at));
        due.latest = rows.last().map(|(at, _)| moment(*at));
        due.count = rows.len().min(OVERDUE_COUNTED_MAX as usize) as u64;
        due.more = rows.len() > OVERDUE_COUNTED_MAX as usize;
        if due.more {
            let last = self.one(last, table, values![nanos(now)], |row| {
                row.int_or_null(0).at(table, "")
            })?;
            due.latest = last.flatten().map(moment);
        }
        let mut journeys = BTreeMap::new();
        for id in rows.into_iter().filter_map(|(_, journey)| journey) {
            *journeys.entry(JourneyId::from(id.as_str())).or_default() += 1;
        }
        Ok(journeys)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params};

    use super::*;
    use crate::sqlite::{SqliteOptions, SqliteStore};

    const AT: i64 = 1_800_000_000_000_000_000;

    fn filled(work: impl FnOnce(&Connection)) -> (tempfile::TempDir, Reader) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("workspace.db");
        drop(SqliteStore::open(&path, SqliteOptions::default()).expect("opens"));
        let conn = Connection::open(&path).expect("opens");
        conn.execute_batch("BEGIN").expect("begins");
        work(&conn);
        conn.execute_batch("COMMIT").expect("commits");
        let reader = Reader::open(&path).expect("opens");
        (dir, reader)
    }

    fn timer(conn: &Connection, due_at: i64, kind: i64, target: i64) {
        conn.execute(
            "INSERT INTO timer (due_at, contact_id, kind, target) VALUES (?1, 1, ?2, ?3)",
            [AT + due_at, kind, target],
        )
        .expect("inserts");
    }

    fn message(conn: &Connection, ready_at: i64, hash: i64, journey: &str) {
        conn.execute(
            "INSERT INTO outbox (ready_at, contact_id, hash) VALUES (?1, 1, ?2)",
            [AT + ready_at, hash],
        )
        .expect("inserts");
        conn.execute(
            "INSERT INTO touchpoint (contact_id, hash, slot, slot_at, state, state_at, body)
             VALUES (1, ?1, 1, 0, 1, 0, json_object('journey', ?2))",
            params![hash, journey],
        )
        .expect("inserts");
    }

    #[test]
    fn what_is_due_is_counted_by_sort_and_journey_and_the_rest_is_not() {
        let (_dir, reader) = filled(|conn| {
            for (number, journey) in [(1, "welcome"), (2, "welcome"), (3, "offer")] {
                conn.execute(
                    "INSERT INTO enrollment (contact_id, number, is_live, journey, version, body)
                     VALUES (1, ?1, 1, ?2, 1, '{}')",
                    params![number, journey],
                )
                .expect("inserts");
            }
            timer(conn, 10, 1, 1);
            timer(conn, 20, 1, 2);
            // A watch with the number of a run is none of its journey.
            timer(conn, 5, 3, 3);
            timer(conn, 31, 1, 3);
            message(conn, 30, 7, "offer");
            message(conn, 31, 8, "offer");
        });
        let overdue = reader.overdue(moment(AT + 30)).expect("reads");
        assert_eq!((overdue.timers.count, overdue.timers.more), (3, false));
        assert_eq!(overdue.timers.earliest, Some(moment(AT + 5)));
        assert_eq!(overdue.timers.latest, Some(moment(AT + 20)));
        assert_eq!(overdue.messages.count, 1);
        assert_eq!(overdue.earliest(), Some(moment(AT + 5)));
        assert_eq!(overdue.latest(), Some(moment(AT + 30)));
        let of = |timers, messages| DueOf { timers, messages };
        let expected = [("offer".into(), of(0, 1)), ("welcome".into(), of(2, 0))];
        assert_eq!(overdue.journeys, BTreeMap::from(expected));
        let nothing = reader.overdue(moment(AT)).expect("reads");
        assert_eq!(nothing, Overdue::default());
        assert_eq!((nothing.earliest(), nothing.latest()), (None, None));
    }

    #[test]
    fn counting_ends_and_says_so_while_the_last_moment_is_exact() {
        let most = i64::from(OVERDUE_COUNTED_MAX);
        let (_dir, reader) = filled(|conn| {
            for number in 0..most + 5 {
                timer(conn, number, 3, number);
            }
        });
        let overdue = reader.overdue(moment(AT + most + 3)).expect("reads");
        let timers = overdue.timers;
        assert_eq!((timers.count, timers.more), (most as u64, true));
        assert_eq!(timers.latest, Some(moment(AT + most + 3)));
        let overdue = reader.overdue(moment(AT + most - 1)).expect("reads");
        assert_eq!(
            (overdue.timers.count, overdue.timers.more),
            (most as u64, false)
        );
    }
}
