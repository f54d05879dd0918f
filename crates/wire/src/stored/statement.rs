//! A statement's body; its id and moment are columns as well, and the key of its row is not repeated.

use relance_core::payment::StatementRecord;
use serde::{Deserialize, Serialize};

use super::{StoredProblem, Version, read, text};

const SHAPE: &str = "statement";

#[derive(Debug, Serialize)]
struct WrittenV1<'a> {
    v: Version<1>,
    #[serde(flatten)]
    record: &'a StatementRecord,
}

#[derive(Debug, Deserialize)]
struct ReadV1 {
    #[serde(rename = "v")]
    _version: Version<1>,
    #[serde(flatten)]
    record: StatementRecord,
}

/// The text of a statement.
pub fn statement_text(record: &StatementRecord) -> Result<String, StoredProblem> {
    let v = Version;
    text(SHAPE, &WrittenV1 { v, record })
}

/// The statement of a row.
pub fn read_statement(id: &str, stored: &str) -> Result<StatementRecord, StoredProblem> {
    let body: ReadV1 = read(SHAPE, stored)?;
    let id = id.to_owned();
    Ok(StatementRecord { id, ..body.record })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What version 1 wrote, for ever.
    const WRITTEN: &str = r#"{"v":1,"name":"october.xml","format":"camt.053","by":"anna@firm.test","at":"1970-01-01T00:00:00Z","account":"DE02","currency":"EUR","accounts":1,"from":"2026-10-01","to":"2026-10-31","entries":5,"outgoing":2,"tally":{"new":4,"matched":2,"part":1,"over":0,"joint":0,"unclear":1,"ignored":0,"reversed":0},"whole":true,"undone":{"at":"1970-01-01T00:00:01Z","by":"anna@firm.test"}}"#;

    #[test]
    fn a_statement_reads_back_from_its_text() {
        let record = read_statement("st_1", WRITTEN).expect("reads");
        assert_eq!((record.id.as_str(), record.tally.new), ("st_1", 4));
        assert_eq!(statement_text(&record).as_deref(), Ok(WRITTEN));
        let later = WRITTEN.replace("\"v\":1", "\"v\":2");
        assert!(read_statement("st_1", &later).is_err());
    }
}
