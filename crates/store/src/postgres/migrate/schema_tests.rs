//! The schema of a workspace is the sum of its steps, from wherever it begins, and a step is taken whole.

use relance_core::contact::Identity;
use relance_core::ids::ContactId;
use relance_engine::ports::Store as _;

use super::super::{PostgresOptions, PostgresStore, connect};
use super::*;
use crate::testing::golden;
use crate::testing::postgres::Server;

/// Tables, columns, keys, indexes and the rest: what statements see, however it was written.
const SCHEMA: &str = "
WITH own AS (SELECT c.oid, c.relname, c.relkind, c.relpartbound, c.relnamespace FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1),
told(place, kind, number, line) AS (
    SELECT relname::text, 0, 0,
           'table ' || relname || coalesce(' ' || pg_get_expr(relpartbound, oid), '')
    FROM own WHERE relkind IN ('r', 'p')
  UNION ALL
    SELECT o.relname::text, 1, a.attnum, '    ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
           || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM own o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = o.oid AND d.adnum = a.attnum
    WHERE o.relkind IN ('r', 'p')
  UNION ALL
    SELECT o.relname::text, 2, 0, '    ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
    FROM own o JOIN pg_constraint k ON k.conrelid = o.oid WHERE o.relkind IN ('r', 'p')
  UNION ALL
    SELECT o.relname::text, 3, 0, '    ' || pg_get_indexdef(i.indexrelid)
    FROM own o JOIN pg_index i ON i.indrelid = o.oid WHERE o.relkind IN ('r', 'p')
  UNION ALL
    SELECT '~', 0, 0, CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'view ' END || relname
    FROM own WHERE relkind IN ('S', 'v', 'm')
  UNION ALL
    SELECT '~', 1, 0, 'function ' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')'
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1)
SELECT line FROM told ORDER BY place COLLATE \"C\", kind, number, line COLLATE \"C\"";

fn link(server: &Server, schema: &str) -> Link {
    let address = connect::parse(&server.url(schema)).expect("a URL");
    open(&address, Purpose::Migrate).expect("opens")
}

/// The version and the schema, without its own name.
fn whole(server: &Server, name: &str) -> (Option<i64>, String) {
    let link = link(server, name);
    let rows = link
        .wait(link.client.query(SCHEMA, &[&name]))
        .expect("reads");
    let lines = rows.iter().map(|row| row.get::<_, String>(0) + "\n");
    let told: String = lines.collect();
    let told = told.replace(&format!("{name}."), "");
    (version(&link, name).expect("a version"), told)
}

fn store(server: &Server, schema: &str) -> Result<PostgresStore, OpenError> {
    let options = PostgresOptions {
        waits_for_disk: false,
        ..PostgresOptions::default()
    };
    PostgresStore::open(&server.url(schema), options)
}

fn find(server: &Server, schema: &str, who: &Identity) -> Option<ContactId> {
    store(server, schema)
        .expect("opens")
        .find(who)
        .expect("finds")
}

#[test]
fn the_schema_is_the_sum_of_its_steps_and_a_step_is_taken_whole() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut sums = Vec::new();
    for steps in 0..=MIGRATIONS.len() {
        let name = format!("steps_{steps}");
        take(&link(&server, &name), &name, &MIGRATIONS[..steps]).expect("migrates");
        drop(store(&server, &name).expect("opens"));
        sums.push(whole(&server, &name).1);
    }
    for sum in &sums {
        assert_eq!(sum, &sums[0]);
    }
    golden::check("schema.postgres.txt", &sums[0]);
    breaks_off(&server);
}

/// A step of a later program that breaks off: by an error, and by the end of the process.
fn breaks_off(server: &Server) {
    const NAME: &str = "broken_off";
    const HALF: &str = "CREATE TABLE half (a integer);
        ALTER TABLE contact ADD COLUMN half text;
        UPDATE contact SET half = repeat('x', 200);";
    let ana = Identity::user("ana");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut own = store(server, NAME).expect("opens");
    own.begin().expect("begins");
    let id = own
        .resolve(std::slice::from_ref(&ana), now)
        .expect("creates");
    own.commit().expect("commits");
    drop(own);
    let before = whole(server, NAME);

    // A statement of it fails.
    let failing = format!("{HALF} INSERT INTO absent VALUES (1);");
    let steps = [MIGRATIONS, &[failing.as_str()]].concat();
    let error = take(&link(server, NAME), NAME, &steps).expect_err("fails");
    assert!(error.to_string().contains("absent"), "{error}");
    assert_eq!(whole(server, NAME), before);
    assert_eq!(find(server, NAME, &ana), Some(id));

    // The process is killed in the middle: its connection is gone.
    let killed = link(server, NAME);
    let half = format!("BEGIN; {HALF}");
    killed
        .wait(killed.client.batch_execute(&half))
        .expect("runs");
    drop(killed);
    assert_eq!(
        find(server, NAME, &ana),
        Some(id),
        "the older program goes on"
    );
    assert_eq!(whole(server, NAME), before);

    // Mended, it is taken; the older program then refuses it with a word.
    let steps = [MIGRATIONS, &[HALF]].concat();
    take(&link(server, NAME), NAME, &steps).expect("migrates");
    assert_ne!(whole(server, NAME), before);
    let error = store(server, NAME).expect_err("refused");
    assert!(
        error.to_string().contains("use the newer program"),
        "{error}"
    );
}
