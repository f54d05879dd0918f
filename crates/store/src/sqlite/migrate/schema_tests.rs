//! The schema of a file is the sum of its steps, from wherever it begins, and a step is taken whole.

use std::fmt::Write as _;
use std::path::Path;

use relance_core::contact::Identity;
use relance_core::ids::ContactId;
use relance_engine::ports::Store;

use super::*;
use crate::testing::golden;
use crate::{SqliteOptions, SqliteStore};

fn rows(conn: &Connection, sql: &str, key: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).expect("prepares");
    let rows = statement.query_map([key], |row| row.get(0));
    rows.expect("reads")
        .collect::<Result<_, _>>()
        .expect("texts")
}

/// Tables, columns, keys and indexes: what statements see, however it was written.
fn schema(conn: &Connection) -> String {
    let mut told = String::new();
    let tables = "SELECT name || CASE WHEN wr THEN ' WITHOUT ROWID' ELSE '' END
                      || CASE WHEN strict THEN ' STRICT' ELSE '' END || '|' || name
                  FROM pragma_table_list
                  WHERE schema = 'main' AND type = 'table' AND name NOT LIKE ?1 ORDER BY name";
    for table in rows(conn, tables, "sqlite~_%") {
        let (title, name) = table.split_once('|').expect("two parts");
        if name.starts_with("sqlite_") {
            continue;
        }
        writeln!(told, "{title}").expect("a text");
        let columns = "SELECT '    ' || name || ' ' || type
                           || CASE WHEN \"notnull\" THEN ' NOT NULL' ELSE '' END
                           || CASE WHEN dflt_value IS NULL THEN '' ELSE ' DEFAULT ' || dflt_value END
                           || CASE WHEN pk > 0 THEN ' KEY ' || pk ELSE '' END
                       FROM pragma_table_xinfo(?1) ORDER BY cid";
        for column in rows(conn, columns, name) {
            writeln!(told, "{}", column.trim_end()).expect("a text");
        }
        let indexes =
            "SELECT i.name FROM pragma_index_list(?1) AS i WHERE i.origin <> 'pk' ORDER BY i.name";
        for index in rows(conn, indexes, name) {
            let own =
                "SELECT coalesce(sql, 'UNIQUE by the table') FROM sqlite_schema WHERE name = ?1";
            let own = rows(conn, own, &index);
            let own: Vec<&str> = own
                .iter()
                .flat_map(|text| text.split_whitespace())
                .collect();
            writeln!(told, "    {index}: {}", own.join(" ")).expect("a text");
        }
    }
    let others = "SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('view', 'trigger') AND name <> ?1 ORDER BY 1";
    for other in rows(conn, others, "") {
        writeln!(told, "{other}").expect("a text");
    }
    told
}

/// A file as a program that knew so many steps left it.
fn of_version(path: &Path, steps: usize) -> Connection {
    let conn = Connection::open(path).expect("opens");
    take(&conn, &MIGRATIONS[..steps]).expect("migrates");
    assert_eq!(version_of(&conn).expect("a version"), steps as i64);
    conn
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).expect("opens")
}

#[test]
fn the_schema_is_the_sum_of_its_steps_from_every_version_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut sums = Vec::new();
    for steps in 0..=MIGRATIONS.len() {
        let path = dir.path().join(format!("{steps}.db"));
        drop(of_version(&path, steps));
        drop(open(&path));
        sums.push(schema(&Connection::open(&path).expect("opens")));
    }
    for sum in &sums {
        assert_eq!(sum, &sums[0]);
    }
    golden::check("schema.sqlite.txt", &sums[0]);
}

/// A step of a later program that breaks off: by an error, and by the end of the process.
const HALF: &str = "CREATE TABLE half (a INTEGER);
    INSERT INTO half SELECT value FROM generate;
    ALTER TABLE contact ADD COLUMN half TEXT;
    UPDATE contact SET half = hex(zeroblob(200));
    DROP TABLE identity;";

#[test]
fn a_step_that_breaks_off_leaves_the_version_before_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("workspace.db");
    let ana = Identity::user("ana");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut store = open(&path);
    store.begin().expect("begins");
    let id = store
        .resolve(std::slice::from_ref(&ana), now)
        .expect("creates");
    for n in 0..2_000 {
        let other = Identity::user(&format!("u{n}"));
        store
            .resolve(std::slice::from_ref(&other), now)
            .expect("creates");
    }
    store.commit().expect("commits");
    drop(store);
    let whole = |path: &Path| -> (i64, String, Option<ContactId>) {
        let conn = Connection::open(path).expect("opens");
        let told = (version_of(&conn).expect("a version"), schema(&conn));
        drop(conn);
        let found = open(path).find(&ana).expect("finds");
        (told.0, told.1, found)
    };
    let before = whole(&path);
    assert_eq!(before.2, Some(id));

    // A statement of it fails.
    let text = HALF.replace("SELECT value FROM generate", "VALUES (1)");
    let failing = format!("{text} INSERT INTO absent VALUES (1);");
    let steps = [MIGRATIONS, &[failing.as_str()]].concat();
    let conn = Connection::open(&path).expect("opens");
    let error = take(&conn, &steps).expect_err("fails");
    assert!(error.to_string().contains("absent"), "{error}");
    drop(conn);
    assert_eq!(whole(&path), before);

    // The process is killed in the middle, when pages of the step are in the files already: what lies there then.
    let conn = Connection::open(&path).expect("opens");
    conn.execute_batch("PRAGMA cache_size = 10; BEGIN IMMEDIATE")
        .expect("begins");
    conn.execute_batch(&text).expect("runs");
    let killed = dir.path().join("killed.db");
    let mut log_bytes = 0;
    for ending in ["", "-wal"] {
        let name = |path: &Path| format!("{}{ending}", path.display());
        log_bytes = std::fs::copy(name(&path), name(&killed)).expect("is there");
    }
    assert!(
        log_bytes > 100_000,
        "the step has reached the disk: {log_bytes}"
    );
    drop(conn);
    assert_eq!(whole(&killed), before);
    assert_eq!(whole(&path), before);

    // Mended, it is taken.
    let steps = [MIGRATIONS, &[text.as_str()]].concat();
    let conn = Connection::open(&killed).expect("opens");
    take(&conn, &steps).expect("migrates");
    assert_ne!(schema(&conn), before.1);
    // And the older program refuses it with a word.
    drop(conn);
    let error = SqliteStore::open(&killed, SqliteOptions::default()).expect_err("refused");
    assert!(
        error.to_string().contains("use the newer program"),
        "{error}"
    );
}
