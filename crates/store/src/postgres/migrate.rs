//! Brings a schema to what this program reads and writes, one step a transaction.
//!
//! The version stands in `relance_schema`. A schema of a newer program, or of another one, is refused and
//! not touched. Programs that open one workspace at once take turns by a lock of the database.

use relance_engine::ports::StoreError;

use super::OpenError;
use super::connect::{Address, Link, Purpose, open};
use super::error::PgLocated;

/// Steps, in order; the first fills an empty schema.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/postgres/0001_workspace.sql"),
    include_str!("../../migrations/postgres/0002_audit.sql"),
    include_str!("../../migrations/postgres/0003_registry.sql"),
    include_str!("../../migrations/postgres/0004_payments.sql"),
    include_str!("../../migrations/postgres/0005_feed.sql"),
    include_str!("../../migrations/postgres/0006_statements.sql"),
];

/// The version of the schema that this program reads and writes in PostgreSQL.
pub const POSTGRES_SCHEMA_VERSION: usize = MIGRATIONS.len();

/// The oldest server whose SQL is enough.
const SERVER_VERSION_MIN: i32 = 150_000;

/// The version of a schema; 0 for one without a table, none for one of another program.
fn version(link: &Link, schema: &str) -> Result<Option<i64>, StoreError> {
    let ours = link
        .wait(link.client.query_opt(
            "SELECT to_regclass(format('%I.relance_schema', $1::text))::text",
            &[&schema],
        ))
        .at("relance_schema", schema)?;
    let is_ours =
        ours.is_some_and(|row| row.try_get::<_, Option<String>>(0).ok().flatten().is_some());
    if is_ours {
        let row = link
            .wait(
                link.client
                    .query_one("SELECT version::bigint FROM relance_schema", &[]),
            )
            .at("relance_schema", schema)?;
        return Ok(Some(row.try_get(0).at("relance_schema", schema)?));
    }
    let row = link
        .wait(link.client.query_one(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1",
            &[&schema],
        ))
        .at("pg_class", schema)?;
    let others: i64 = row.try_get(0).at("pg_class", schema)?;
    Ok((others == 0).then_some(0))
}

/// Refuses a schema that is not ours or is newer than this program. Changes nothing.
fn check(link: &Link, schema: &str, known: usize) -> Result<i64, OpenError> {
    let Some(found) = version(link, schema)? else {
        return Err(OpenError::Foreign);
    };
    if usize::try_from(found).is_ok_and(|found| found <= known) {
        return Ok(found);
    }
    Err(OpenError::Newer { found, known })
}

/// Refuses a schema that [`migrate`] has not brought to what this program reads. Changes nothing.
pub(crate) fn check_current(link: &Link, schema: &str) -> Result<(), OpenError> {
    let found = check(link, schema, POSTGRES_SCHEMA_VERSION)?;
    if usize::try_from(found).is_ok_and(|found| found == POSTGRES_SCHEMA_VERSION) {
        return Ok(());
    }
    Err(OpenError::Older {
        found,
        known: POSTGRES_SCHEMA_VERSION,
    })
}

/// Takes the steps that the schema has not taken, over a connection of their own.
pub(crate) fn migrate(address: &Address) -> Result<(), OpenError> {
    let link = open(address, Purpose::Migrate)?;
    let schema = &address.schema;
    let row = link
        .wait(
            link.client
                .query_one("SELECT current_setting('server_version_num')::integer", &[]),
        )
        .at("server", "version")?;
    let server: i32 = row.try_get(0).at("server", "version")?;
    if server < SERVER_VERSION_MIN {
        return Err(OpenError::Server {
            found: server / 10_000,
            needed: SERVER_VERSION_MIN / 10_000,
        });
    }
    take(&link, schema, MIGRATIONS)
}

/// Takes steps, each whole or not at all: what breaks off leaves the version before it.
fn take(link: &Link, schema: &str, steps: &[&str]) -> Result<(), OpenError> {
    while step(link, schema, steps)? {}
    Ok(())
}

/// Takes one step; `false` when there was none to take.
fn step(link: &Link, schema: &str, steps: &[&str]) -> Result<bool, OpenError> {
    let run = |text: &str| link.wait(link.client.batch_execute(text));
    // The schema is looked for first: creating one that exists needs the right to create.
    let begin = "BEGIN; \
         SELECT pg_advisory_xact_lock(hashtextextended('relance schema ' || current_setting('search_path'), 0));";
    run(begin).at("migration", "begin")?;
    let outcome = (|| {
        let version = check(link, schema, steps.len())?;
        let Some(text) = usize::try_from(version).ok().and_then(|at| steps.get(at)) else {
            return Ok(false);
        };
        let next = version + 1;
        if version == 0 {
            let exists = link
                .wait(link.client.query_opt(
                    "SELECT FROM pg_namespace WHERE nspname = $1",
                    &[&schema.to_owned()],
                ))
                .at("pg_namespace", schema)?;
            if exists.is_none() {
                // The name was checked: it needs no quoting.
                run(&format!("CREATE SCHEMA {schema}")).at("schema", schema)?;
            }
            run("CREATE TABLE relance_schema (version integer NOT NULL); \
                 INSERT INTO relance_schema VALUES (0);")
            .at("relance_schema", schema)?;
        }
        run(text).at("migration", next)?;
        run(&format!("UPDATE relance_schema SET version = {next}")).at("migration", next)?;
        Ok::<_, OpenError>(true)
    })();
    let end = if outcome.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    run(end).at("migration", end)?;
    outcome
}

#[cfg(test)]
mod schema_tests;
