//! Brings a file to the schema of this program, one step a transaction.
//!
//! The version stands in `user_version`, and `application_id` says whose file it is. A file of a newer
//! program, or of another one, is refused and not touched.

use relance_engine::ports::StoreError;
use rusqlite::Connection;

use super::OpenError;
use super::error::Located;
use super::settle::{MOVED, check_not_moved};

/// "Rlnc": in the header of every file of ours.
pub(super) const APPLICATION_ID: i32 = 0x526C_6E63;

/// Steps, in order; the first makes an empty file version 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_workspace.sql"),
    include_str!("../../migrations/sqlite/0002_journeys.sql"),
    include_str!("../../migrations/sqlite/0003_contacts.sql"),
    include_str!("../../migrations/sqlite/0004_audit.sql"),
    include_str!("../../migrations/sqlite/0005_registry.sql"),
    include_str!("../../migrations/sqlite/0006_payments.sql"),
    include_str!("../../migrations/sqlite/0007_feed.sql"),
    include_str!("../../migrations/sqlite/0008_statements.sql"),
];

/// The version of the schema that this program reads and writes.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

fn number(conn: &Connection, pragma: &str) -> Result<i64, OpenError> {
    Ok(conn
        .pragma_query_value(None, pragma, |row| row.get(0))
        .at("pragma", pragma)?)
}

/// The version of a file.
pub(super) fn version_of(conn: &Connection) -> Result<i64, StoreError> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
        .at("pragma", "user_version")
}

/// Refuses a file that is not ours or is newer than this program, or whose workspace went elsewhere. Changes
/// nothing.
pub(crate) fn check(conn: &Connection) -> Result<(), OpenError> {
    check_up_to(conn, SCHEMA_VERSION)
}

fn check_up_to(conn: &Connection, known: usize) -> Result<(), OpenError> {
    let version = number(conn, "user_version")?;
    let application = number(conn, "application_id")?;
    if application != i64::from(APPLICATION_ID) {
        let objects: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .at("sqlite_schema", "")?;
        if objects > 0 || version != 0 {
            return Err(OpenError::Foreign);
        }
    }
    if usize::try_from(version).is_ok_and(|version| version <= known) {
        Ok(())
    } else if version >= MOVED {
        check_not_moved(conn)
    } else {
        Err(OpenError::Newer {
            found: version,
            known,
        })
    }
}

/// Refuses a file that [`migrate`] has not brought to this program's schema. Changes nothing.
pub(crate) fn check_current(conn: &Connection) -> Result<(), OpenError> {
    check(conn)?;
    let found = number(conn, "user_version")?;
    if usize::try_from(found).is_ok_and(|version| version == SCHEMA_VERSION) {
        return Ok(());
    }
    Err(OpenError::Older {
        found,
        known: SCHEMA_VERSION,
    })
}

/// Takes the steps that the file has not taken.
pub(super) fn migrate(conn: &Connection) -> Result<(), OpenError> {
    take(conn, MIGRATIONS)
}

/// Takes steps, each whole or not at all: what breaks off leaves the version before it.
fn take(conn: &Connection, steps: &[&str]) -> Result<(), OpenError> {
    loop {
        conn.execute_batch("BEGIN IMMEDIATE")
            .at("migration", "begin")?;
        let outcome = step(conn, steps);
        let end = if outcome.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        conn.execute_batch(end).at("migration", end)?;
        if !outcome? {
            return Ok(());
        }
    }
}

/// Takes one step; `false` when there was none to take. The version is read inside the transaction, so
/// that two programs which open one file do not take a step twice.
fn step(conn: &Connection, steps: &[&str]) -> Result<bool, OpenError> {
    check_up_to(conn, steps.len())?;
    let version = number(conn, "user_version")?;
    let Some(text) = usize::try_from(version).ok().and_then(|at| steps.get(at)) else {
        return Ok(false);
    };
    let next = version + 1;
    conn.execute_batch(text).at("migration", next)?;
    conn.pragma_update(None, "user_version", next)
        .at("migration", next)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)
        .at("migration", next)?;
    Ok(true)
}

#[cfg(test)]
mod schema_tests;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;
    use relance_core::contact::Identity;
    use relance_core::enrollment::EnrollmentState;
    use relance_core::ids::ContactId;
    use relance_core::journey::{Approval, Approver, Moves};
    use relance_core::touchpoint::TouchpointState;
    use relance_engine::ports::Store;

    use super::*;
    use crate::{Reader, SqliteOptions, SqliteStore};

    /// Bodies as the first release wrote them.
    const ROWS: &str = r#"
        INSERT INTO contact (contact_id, body) VALUES
            (1, '{"v":1,"created":"2026-11-18T11:06:40Z","runs":3}'),
            (2, '{"v":1,"created":"2026-11-18T11:06:40Z"}');
        INSERT INTO identity (kind, value, contact_id) VALUES ('user_id', 'ana', 1);
        INSERT INTO enrollment (contact_id, number, is_live, journey, version, body) VALUES
            (1, 1, 1, 'welcome', 1, '{"v":1,"journey":"welcome","version":1,"entered":"2026-11-18T11:06:43Z","state":{"waiting":{"step":"1","until":"2026-11-20T09:00:00Z"}}}'),
            (1, 2, 1, 'welcome', 1, '{"v":1,"journey":"welcome","version":1,"entered":"2026-11-18T11:06:43Z","goal_until":"2026-12-18T11:06:43Z","state":{"finished":{"at":"2026-11-18T11:06:43Z"}}}'),
            (1, 3, 0, 'welcome', 1, '{"v":1,"journey":"welcome","version":1,"entered":"2026-11-18T11:06:43Z","state":{"finished":{"at":"2026-11-18T11:06:43Z"}}}'),
            (2, 1, 1, 'welcome', 2, '{"v":1,"journey":"welcome","version":2,"entered":"2026-11-18T11:06:43Z","state":{"listening":{"step":"2.then.1"}}}');
        INSERT INTO live_run (journey, version, n) VALUES ('welcome', 1, 2), ('welcome', 2, 1);
        INSERT INTO touchpoint (contact_id, hash, slot, slot_at, state, state_at, body) VALUES
            (1, 5, 2, 9, 3, 9, '{"v":1,"run":1,"journey":"welcome","step":"1","channel":"email","template":"hello","approval":{"role":"head"},"created":"2026-11-18T11:06:41Z","state":{"awaiting_approval":{"expires":"2026-11-21T09:00:00Z"}}}');
        INSERT INTO journey (journey, version, is_current, published_at, text) VALUES
            ('welcome', 1, 0, 1, 'id: welcome'), ('welcome', 2, 1, 2, 'id: welcome # 2');
        INSERT INTO ledger (ledger_id, contact_id, at, what, journey, run) VALUES (1, 1, 7, 'enrolled', 'welcome', 1);
        INSERT INTO ledger_head (contact_id, run, last_id) VALUES (1, 0, 1), (1, 1, 1);
        INSERT INTO event (event_id, contact_id, previous_id, body) VALUES
            (1, 1, NULL, '{"v":1,"name":"Viewed","at":"2026-11-18T23:59:59.5Z"}'),
            (2, 1, 1, '{"v":1,"name":"Viewed","at":"2026-11-19T00:00:00Z"}'),
            (3, 2, NULL, '{"v":1,"name":"Viewed","at":"-009999-01-02T01:59:59Z"}');
    "#;

    /// A workspace as the first release left it.
    fn old(path: &Path) {
        let conn = Connection::open(path).expect("opens");
        conn.execute_batch(MIGRATIONS[0]).expect("creates");
        conn.execute_batch(ROWS).expect("fills");
        conn.pragma_update(None, "user_version", 1).expect("sets");
        conn.pragma_update(None, "application_id", APPLICATION_ID)
            .expect("sets");
    }

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_workspace_of_the_first_release_opens_and_goes_on() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("workspace.db");
        old(&path);
        let mut store = SqliteStore::open(&path, SqliteOptions::default()).expect("migrates");
        let (ana, bob) = (ContactId(1), ContactId(2));
        let snapshots = store.load(&[ana, bob]).expect("loads");
        let until = moment("2026-11-20T09:00:00Z");
        assert_eq!(
            snapshots[0].enrollments[0].state,
            EnrollmentState::Waiting {
                step: "1".into(),
                since: until,
                until
            }
        );
        assert_eq!(snapshots[0].enrollments.len(), 2);
        let question = &snapshots[0].touchpoints[0];
        assert_eq!(
            question.approval,
            Approval::of(Approver::Role("head".to_owned()))
        );
        assert_eq!(
            question.state,
            TouchpointState::AwaitingApproval {
                deputy_at: None,
                expires_at: moment("2026-11-21T09:00:00Z"),
            }
        );
        let journeys = store.journeys().expect("lists");
        let told: Vec<_> = journeys
            .iter()
            .map(|one| (one.version, one.current, one.moves.clone()))
            .collect();
        assert_eq!(told, [(1, false, Moves::Pin), (2, true, Moves::Pin)]);
        let welcome = "welcome".into();
        let running = store.contacts_running(&welcome, None, 9).expect("lists");
        assert_eq!(running, [ana, bob]);
        assert_eq!(store.paused_journeys().expect("lists"), []);

        let reader = Reader::open(&path).expect("opens");
        let standing = reader.standing(&welcome).expect("reads");
        assert_eq!(standing, [(1, "1".into(), 1), (2, "2.then.1".into(), 1)]);
        let lines = reader.ledger_of_contact(ana, None, 9).expect("reads");
        assert_eq!(lines.items[0].entry.variant, None);
        let since = |text| reader.history_events(moment(text)).expect("counts");
        assert_eq!(since("2026-11-18T12:00:00Z"), 3);
        assert_eq!(since("2026-11-19T12:00:00Z"), 2);
        assert_eq!(since("2026-11-20T12:00:00Z"), 0);

        // A run that was counted before is not counted twice when it goes on.
        let mut run = snapshots[0].enrollments[0].clone();
        run.state = EnrollmentState::Standing {
            step: "2".into(),
            due: until,
        };
        let change = relance_engine::ports::Change {
            contact: ana,
            effects: vec![relance_core::decide::Effect::Enrollment(run)],
        };
        store.write(&[change]).expect("writes");
        let standing = reader.standing(&welcome).expect("reads");
        assert_eq!(standing, [(1, "2".into(), 1), (2, "2.then.1".into(), 1)]);
        assert_eq!(
            store.find(&Identity::user("ana")).expect("finds"),
            Some(ana)
        );
        drop(store);
        SqliteStore::open(&path, SqliteOptions::default()).expect("opens again");
    }

    #[test]
    fn segments_in_the_body_of_a_contact_become_rows_and_the_log_is_caught_up() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("workspace.db");
        old(&path);
        let conn = Connection::open(&path).expect("opens");
        conn.execute_batch(
            r#"UPDATE contact SET body =
                   '{"v":1,"created":"2026-11-18T11:06:40Z","runs":3,"segments":["vip","news"]}'
               WHERE contact_id = 1;
               INSERT INTO contact (contact_id, body) VALUES
                   (3, '{"v":1,"created":"2026-11-18T11:06:40Z","segments":["vip"]}'),
                   (4, '{"v":1,"created":"2026-11-18T11:06:40Z","segments":[]}');"#,
        )
        .expect("fills");
        drop(conn);
        let mut store = SqliteStore::open(&path, SqliteOptions::default()).expect("migrates");
        let of = |store: &mut SqliteStore, id: &str| {
            store.members_after(&id.into(), None, 9).expect("lists")
        };
        assert_eq!(of(&mut store, "vip"), [ContactId(1), ContactId(3)]);
        assert_eq!(of(&mut store, "news"), [ContactId(1)]);
        assert_eq!(store.segments().expect("lists"), [], "nobody defined them");
        let counts: Vec<(String, i64)> = {
            let mut statement = store
                .conn
                .prepare("SELECT id, n FROM segment ORDER BY id")
                .expect("prepares");
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.expect("reads")
                .collect::<Result<_, _>>()
                .expect("reads")
        };
        assert_eq!(counts, [("news".to_owned(), 1), ("vip".to_owned(), 2)]);
        let left: i64 = store
            .conn
            .query_row(
                "SELECT count(*) FROM contact WHERE body LIKE '%segments%'",
                [],
                |row| row.get(0),
            )
            .expect("counts");
        assert_eq!(left, 0, "in one place alone");

        let needs = relance_core::world::Needs {
            history: ["Viewed".into()].into(),
            segments: ["vip".into()].into(),
            ..Default::default()
        };
        let ready = |store: &mut SqliteStore| {
            let counts = relance_engine::ports::Counts::default();
            store.prepare_scan(None, &needs, &counts).expect("prepares")
        };
        assert!((0..9).any(|_| ready(&mut store)), "it never gets ready");
        let page = store.scan(None, 9, &needs).expect("scans");
        let told: Vec<(usize, bool)> = page
            .iter()
            .map(|one| {
                let events = one.history.of(&"Viewed".into()).count();
                (events, one.memberships.contains_key("vip"))
            })
            .collect();
        // The first release wrote no beginnings of chains for these rows; their events are in the log.
        assert_eq!(told, [(2, true), (1, false), (0, true), (0, false)]);
    }

    #[test]
    fn a_migrated_file_has_the_schema_of_a_new_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let schema = |path: &Path| -> Vec<(String, String)> {
            drop(SqliteStore::open(path, SqliteOptions::default()).expect("opens"));
            let conn = Connection::open(path).expect("opens");
            let mut statement = conn
                .prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")
                .expect("prepares");
            let rows = statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .expect("reads");
            rows.collect::<Result<_, _>>().expect("reads")
        };
        let (new, migrated) = (dir.path().join("new.db"), dir.path().join("old.db"));
        old(&migrated);
        assert_eq!(schema(&migrated), schema(&new));
    }

    #[test]
    fn a_reader_of_a_file_that_waits_for_its_writer_says_so() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("workspace.db");
        old(&path);
        let error = Reader::open(&path).expect_err("refused");
        assert!(
            matches!(error, OpenError::Older { found: 1, .. }),
            "{error}"
        );
    }
}
