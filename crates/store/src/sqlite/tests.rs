//! What is SQLite alone: files, errors, damaged rows.

use relance_core::contact::Identity;
use relance_core::decide::Effect;
use relance_core::event::Event;
use relance_core::world::Needs;
use relance_engine::ports::Remedy;

use super::*;
use crate::conformance;

fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_800_000_000 + seconds, 5)
}

fn options() -> SqliteOptions {
    SqliteOptions {
        synchronous: Synchronous::Off,
        busy_timeout: Duration::from_millis(50),
        ..SqliteOptions::default()
    }
}

fn file() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("workspace.db");
    (dir, path)
}

#[test]
fn conforms_in_memory() {
    conformance::run(|| SqliteStore::open_in_memory().expect("opens"));
}

/// With limits so small that every batch sweeps beginnings and seals, and every scan takes many windows.
#[test]
fn conforms_while_sweeping() {
    conformance::run(|| {
        let mut store = SqliteStore::open_in_memory().expect("opens");
        store.heads.held_min = 2;
        store.seals.size = 3;
        store.scan_limits = ScanLimits {
            events: 20,
            bytes: 1_000,
            seals: 4,
            bodies: 5,
        };
        store
    });
    let (_dir, path) = file();
    let mut store = SqliteStore::open(&path, options()).expect("opens");
    store.heads.held_min = 1;
    conformance::survives(store, |store| {
        drop(store);
        SqliteStore::open(&path, options()).expect("opens again")
    });
}

/// Thousands of events of many contacts, swept, thrown away and reopened: every chain stays whole.
#[test]
fn chains_stay_whole_through_sweeps_rollbacks_and_reopening() {
    let (_dir, path) = file();
    let mut store = SqliteStore::open(&path, options()).expect("opens");
    store.heads.held_min = 20;
    let contacts: Vec<ContactId> = (0..30)
        .map(|n| {
            store
                .resolve(&[Identity::user(&n.to_string())], at(0))
                .expect("resolves")
        })
        .collect();
    let mut told = vec![0; contacts.len()];
    for round in 0..200_usize {
        store.begin().expect("begins");
        let mut now = Vec::new();
        for step in 0..7 {
            let who = (round * 11 + step * step) % contacts.len();
            let event = Effect::Event(Event::track("Viewed", at(round as i64)).into());
            now.push(who);
            store
                .write(&[Change {
                    contact: contacts[who],
                    effects: vec![event],
                }])
                .expect("writes");
        }
        if round % 5 == 3 {
            store.rollback();
        } else {
            store.commit().expect("commits");
            now.into_iter().for_each(|who| told[who] += 1);
        }
        if round % 40 == 39 {
            drop(store);
            store = SqliteStore::open(&path, options()).expect("opens again");
            store.heads.held_min = 20;
        }
    }
    for (contact, told) in contacts.into_iter().zip(told) {
        let mut snapshot = store.load(&[contact]).expect("loads").remove(0);
        let needs = Needs {
            history: ["Viewed".into()].into(),
            ..Needs::default()
        };
        store.load_needs(&mut snapshot, &needs).expect("loads");
        assert_eq!(
            snapshot.history.of(&"Viewed".into()).count(),
            told,
            "{contact}"
        );
    }
    let mark: i64 = store
        .conn
        .query_row("SELECT n FROM mark WHERE name = 'event_head'", [], |row| {
            row.get(0)
        })
        .expect("sweeps ended");
    assert!(mark > 900, "{mark}");
}

/// However few contacts there are, opening reads a bounded end of the log.
#[test]
fn few_beginnings_are_swept_when_the_log_grows_long() {
    let (_dir, path) = file();
    let mut store = SqliteStore::open(&path, options()).expect("opens");
    store.heads.behind_max = 50;
    let ana = store
        .resolve(&[Identity::user("ana")], at(0))
        .expect("resolves");
    let told = 500;
    for n in 0..told {
        let event = Effect::Event(Event::track("Viewed", at(n)).into());
        let change = Change {
            contact: ana,
            effects: vec![event],
        };
        store.begin().expect("begins");
        store.write(std::slice::from_ref(&change)).expect("writes");
        store.rollback();
        store.write(&[change]).expect("writes");
    }
    let behind: i64 = store
        .conn
        .query_row(
            "SELECT (SELECT max(event_id) FROM event) - n FROM mark WHERE name = 'event_head'",
            [],
            |row| row.get(0),
        )
        .expect("sweeps ended");
    assert!(behind < 60, "{behind}");
    drop(store);
    let mut store = SqliteStore::open(&path, options()).expect("opens again");
    let mut snapshot = store.load(&[ana]).expect("loads").remove(0);
    let needs = Needs {
        history: ["Viewed".into()].into(),
        last_event: true,
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    let count = snapshot.history.of(&"Viewed".into()).count();
    assert_eq!(count, usize::try_from(told).expect("fits"));
    assert_eq!(snapshot.last_event_at, Some(at(told - 1)));
}

#[test]
fn keys_are_forgotten_by_generations() {
    let (_dir, path) = file();
    let mut store = SqliteStore::open(&path, options()).expect("opens");
    store.seen.keys_max = 10;
    let known = |store: &mut SqliteStore, key: u64, now: i64| {
        store.begin().expect("begins");
        let fresh = store.remember(&[key], at(now)).expect("remembers")[0];
        store.rollback();
        !fresh
    };
    for key in 0..25 {
        store.remember(&[key], at(0)).expect("remembers");
    }
    assert!(
        known(&mut store, 10, 0) && known(&mut store, 24, 0),
        "two generations"
    );
    assert!(!known(&mut store, 9, 0), "the third is forgotten");
    drop(store);
    let mut store = SqliteStore::open(&path, options()).expect("opens again");
    assert!(known(&mut store, 10, 0) && known(&mut store, 24, 0) && !known(&mut store, 9, 0));
    let week = SEEN_AGE.as_secs();
    assert!(known(&mut store, 24, week), "a generation old");
    store.remember(&[100], at(week)).expect("remembers");
    assert!(known(&mut store, 24, week) && !known(&mut store, 10, week));
    store.remember(&[101], at(2 * week)).expect("remembers");
    assert!(!known(&mut store, 24, 2 * week) && known(&mut store, 100, 2 * week));
}

#[test]
fn conforms_in_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut number = 0;
    conformance::run(|| {
        number += 1;
        SqliteStore::open(&dir.path().join(format!("{number}.db")), options()).expect("opens")
    });
}

#[test]
fn survives_closing_and_opening() {
    let (_dir, path) = file();
    let store = SqliteStore::open(&path, options()).expect("opens");
    conformance::survives(store, |store| {
        drop(store);
        SqliteStore::open(&path, options()).expect("opens again")
    });
}

#[test]
fn every_statement_prepares() {
    let store = SqliteStore::open_in_memory().expect("opens");
    for (name, text) in store.statements() {
        let prepared = store.conn.prepare(text);
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
        assert!(!text.contains('*'), "{name} lists its columns");
    }
}

/// A plan that depended on the values bound would be made anew for each of them.
#[test]
fn statements_keep_their_plans() {
    let mut store = SqliteStore::open_in_memory().expect("opens");
    for n in 0..20 {
        store
            .resolve(&[Identity::user(&n.to_string())], at(0))
            .expect("resolves");
    }
    let live = store.sql.enrollment_live;
    let mut statement = store.conn.prepare(live).expect("prepares");
    for n in 0..20 {
        statement.query([n]).expect("runs").next().expect("reads");
    }
    assert_eq!(
        statement.get_status(rusqlite::StatementStatus::RePrepare),
        0
    );
}

/// What runs for each input or moment reads along a key: nothing is scanned or sorted.
#[test]
fn no_statement_of_a_batch_scans_a_table() {
    // At the start of the program, or once a generation, or over the few rows of one contact; or, when two
    // contacts are one, over all segments.
    let may_scan = [
        "seen_forget",
        "in_flight_list",
        "journey_wanted",
        "journey_paused_list",
        "mailbox_list",
        "seen_load",
        "seal_last",
        "segment_list",
        "event_last_at",
        "member_lists",
        // What is to be done is all there is, and a turn takes the first of it.
        "telling_list",
        // One row, of whichever.
        "erased_any",
        // A thousand names at most, and only for a name that is new.
        "event_name_add",
        // An erasure is rare, and no index is kept for it.
        "forget_domains",
        "forget_members",
        "forget_merges",
        // Those of one contact, in an order that a next page goes on from.
        "forget_payments",
        // The oldest few, by their key.
        "feed_drop",
    ];
    // A row made of constants, and the queue of a recursion along a chain.
    let harmless = ["SCAN CONSTANT ROW", "SCAN walk"];
    let store = SqliteStore::open_in_memory().expect("opens");
    for (name, text) in store.statements() {
        let mut plan = store
            .conn
            .prepare(&format!("EXPLAIN QUERY PLAN {text}"))
            .expect("prepares");
        let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
        let steps: Vec<String> = plan
            .query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))
            .expect("explains")
            .collect::<Result<_, _>>()
            .expect("reads");
        let scans = steps.iter().any(|step| {
            // The smallest or largest key is found without a scan, though SQLite calls it one.
            (step.starts_with("SCAN")
                && !harmless.contains(&step.as_str())
                && !text.contains("min("))
                || (step.contains("TEMP B-TREE") && !["entry_list", "object_list"].contains(&name))
        });
        assert!(!scans || may_scan.contains(&name), "{name}: {steps:?}");
    }
}

#[test]
fn a_newer_file_and_a_strangers_file_are_refused_untouched() {
    let (_dir, path) = file();
    drop(SqliteStore::open(&path, options()).expect("opens"));
    let conn = Connection::open(&path).expect("opens");
    let known = SCHEMA_VERSION + 1;
    conn.pragma_update(None, "user_version", known as i64)
        .expect("sets");
    drop(conn);
    let error = SqliteStore::open(&path, options()).expect_err("refused");
    assert!(matches!(error, OpenError::Newer { .. }), "{error}");

    let (_dir, path) = file();
    let conn = Connection::open(&path).expect("opens");
    conn.execute_batch("CREATE TABLE contact (id INTEGER)")
        .expect("creates");
    drop(conn);
    let error = SqliteStore::open(&path, options()).expect_err("refused");
    assert!(matches!(error, OpenError::Foreign), "{error}");
    let conn = Connection::open(&path).expect("opens");
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .expect("counts");
    assert_eq!(tables, 1, "untouched");
}

#[test]
fn a_file_that_is_no_database_is_an_error_for_an_operator() {
    let (_dir, path) = file();
    std::fs::write(&path, vec![7_u8; 8_192]).expect("writes");
    match SqliteStore::open(&path, options()).expect_err("refused") {
        OpenError::Store(error) => assert_eq!(error.remedy(), Remedy::PageOperator),
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_that_another_holds_is_busy_and_can_be_tried_again() {
    let (_dir, path) = file();
    let mut store = SqliteStore::open(&path, options()).expect("opens");
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("begins");
    let error = store.begin().expect_err("held by another");
    assert_eq!(error.remedy(), Remedy::RetryLater, "{error}");
    store.rollback();
    other.execute_batch("COMMIT").expect("commits");
    store.begin().expect("begins");
    store.commit().expect("commits");
}

#[test]
fn a_damaged_row_is_named() {
    let mut store = SqliteStore::open_in_memory().expect("opens");
    let ana = store
        .resolve(&[Identity::email("ana@example.org")], at(0))
        .expect("resolves");
    let damage = |store: &SqliteStore, text: &str| store.conn.execute_batch(text).expect("damages");
    let unreadable = |error: StoreError| match error {
        StoreError::Unreadable { place, what } => (place, what),
        other => panic!("{other}"),
    };

    damage(
        &store,
        r#"UPDATE contact SET body = '{"v":2,"created":"2026-01-01T00:00:00Z"}'"#,
    );
    let (place, what) = unreadable(store.load(&[ana]).expect_err("unreadable"));
    assert_eq!(place, format!("contact {ana}"));
    assert!(what.contains("version 2"), "{what}");
    damage(&store, "UPDATE contact SET body = '{'");
    unreadable(store.load(&[ana]).expect_err("unreadable"));

    damage(
        &store,
        "INSERT INTO timer (due_at, contact_id, kind, target) VALUES (1, 1, 9, 1)",
    );
    let (place, _) = unreadable(store.due_timers(at(0), 9).expect_err("unreadable"));
    assert!(place.starts_with("timer"), "{place}");
    damage(&store, "UPDATE timer SET kind = 1, contact_id = -4");
    unreadable(store.due_timers(at(0), 9).expect_err("unreadable"));
}

#[test]
fn a_chain_that_leads_in_a_circle_ends() {
    let mut store = SqliteStore::open_in_memory().expect("opens");
    let ana = store
        .resolve(&[Identity::email("ana@example.org")], at(0))
        .expect("resolves");
    let events = (0..3)
        .map(|n| Effect::Event(Event::track("Viewed", at(n)).into()))
        .collect();
    store
        .write(&[Change {
            contact: ana,
            effects: events,
        }])
        .expect("writes");
    store
        .conn
        .execute_batch("UPDATE event SET previous_id = 3 WHERE event_id = 2")
        .expect("damages");
    let mut snapshot = store.load(&[ana]).expect("loads").remove(0);
    let needs = Needs {
        history: ["Viewed".into()].into(),
        ..Needs::default()
    };
    let error = store
        .load_needs(&mut snapshot, &needs)
        .expect_err("damaged");
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
}

#[test]
fn of_very_many_objects_the_last_changed_are_looked_at() {
    use relance_core::ids::SubjectRef;
    use relance_core::subject::Object;
    let mut store = SqliteStore::open_in_memory().expect("opens");
    let ana = store
        .resolve(&[Identity::user("ana")], at(0))
        .expect("resolves");
    let surplus = 7;
    let effects = (0..OBJECTS_OF_KIND_MAX + surplus)
        .map(|n| {
            let id = n.to_string().as_str().into();
            let kind = "order".into();
            let mut object = Object::new(SubjectRef { kind, id }, at(0));
            object.updated_at = at(i64::try_from(n).expect("fits"));
            Effect::Object(object)
        })
        .collect();
    store
        .write(&[Change {
            contact: ana,
            effects,
        }])
        .expect("writes");
    let mut snapshot = store.load(&[ana]).expect("loads").remove(0);
    let needs = Needs {
        kinds: ["order".into()].into(),
        ..Needs::default()
    };
    store.load_needs(&mut snapshot, &needs).expect("loads");
    assert_eq!(snapshot.objects.len(), OBJECTS_OF_KIND_MAX);
    let oldest = snapshot.objects.values().map(|object| object.updated_at);
    assert_eq!(
        oldest.min(),
        Some(at(i64::try_from(surplus).expect("fits")))
    );
}

#[test]
fn totals_and_counters_follow_the_effects() {
    use relance_core::ledger::{LedgerEntry, What};
    let mut store = SqliteStore::open_in_memory().expect("opens");
    let ana = store
        .resolve(&[Identity::email("ana@example.org")], at(0))
        .expect("resolves");
    let timer = Timer {
        due_at: at(5),
        kind: TimerKind::Enrollment(1),
    };
    let mut line = LedgerEntry::new(at(0), ana, What::Enrolled);
    line.journey = Some("welcome".into());
    let effects = vec![
        Effect::Arm(timer),
        Effect::Arm(timer),
        Effect::Ledger(line.clone()),
        Effect::Ledger(line),
        Effect::Ledger(LedgerEntry::new(at(0), ana, What::Suppressed)),
    ];
    store
        .write(&[Change {
            contact: ana,
            effects,
        }])
        .expect("writes");
    let total = |store: &SqliteStore, name: &str| -> i64 {
        let sql = "SELECT coalesce((SELECT n FROM total WHERE name = ?1), 0)";
        store
            .conn
            .query_row(sql, [name], |row| row.get(0))
            .expect("reads")
    };
    assert_eq!((total(&store, "contacts"), total(&store, "timers")), (1, 1));
    let counted: (i64, i64) = store
        .conn
        .query_row("SELECT count(*), sum(n) FROM counter", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("reads");
    assert_eq!(counted, (1, 2), "lines about no journey are not counted");
    store
        .write(&[Change {
            contact: ana,
            effects: vec![Effect::Disarm(timer)],
        }])
        .expect("writes");
    assert_eq!(total(&store, "timers"), 0);
}
