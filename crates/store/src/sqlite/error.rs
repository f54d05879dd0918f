//! SQLite's errors, by who must act.

use std::fmt::Display;

use relance_engine::ports::StoreError;
use relance_wire::stored::StoredProblem;
use rusqlite::ErrorCode;

/// Turns an error of SQLite into one of the port.
pub(crate) fn store_error(error: rusqlite::Error, place: impl FnOnce() -> String) -> StoreError {
    use rusqlite::Error;
    match &error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                StoreError::Busy(error.to_string())
            }
            // The codes of SQLite are not ours: whatever else it says needs an operator.
            _other_code => StoreError::Failed(error.to_string()),
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => StoreError::Unreadable {
            place: place(),
            what: error.to_string(),
        },
        _misuse => StoreError::Failed(error.to_string()),
    }
}

/// Says which row a result came from, should it be an error.
pub(crate) trait Located<T> {
    /// `table` and `key` name the row.
    fn at(self, table: &str, key: impl Display) -> Result<T, StoreError>;
}

impl<T> Located<T> for rusqlite::Result<T> {
    fn at(self, table: &str, key: impl Display) -> Result<T, StoreError> {
        self.map_err(|error| store_error(error, || format!("{table} {key}")))
    }
}

impl<T> Located<T> for Result<T, StoredProblem> {
    fn at(self, table: &str, key: impl Display) -> Result<T, StoreError> {
        self.map_err(|problem| StoreError::Unreadable {
            place: format!("{table} {key}"),
            what: problem.to_string(),
        })
    }
}

/// A row that contradicts another, or holds a word that is not known.
pub(crate) fn unreadable(table: &str, key: impl Display, what: impl Display) -> StoreError {
    StoreError::Unreadable {
        place: format!("{table} {key}"),
        what: what.to_string(),
    }
}
