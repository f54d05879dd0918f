//! PostgreSQL's errors, by who must act.

use std::error::Error as _;
use std::fmt::Display;

use relance_engine::ports::StoreError;
use relance_wire::stored::StoredProblem;
use tokio_postgres::error::SqlState;

/// Statements after one that failed: never the cause.
fn is_aftermath(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

/// Of the errors of statements sent together, the one that caused the others.
pub(crate) fn cause(errors: Vec<tokio_postgres::Error>) -> Option<tokio_postgres::Error> {
    let mut errors = errors.into_iter();
    let first = errors.next()?;
    if !is_aftermath(&first) {
        return Some(first);
    }
    Some(errors.find(|one| !is_aftermath(one)).unwrap_or(first))
}

/// What another try may mend: somebody else held a row, or the server went away and may be back.
fn is_passing(code: &SqlState) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        // After a failover the old primary, now a replica, may still be at the other end.
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ]
    .contains(code)
        // Class 08: the connection.
        || code.code().starts_with("08")
}

/// What went wrong with the encryption of a connection, which another try does not mend.
fn of_encryption(error: &tokio_postgres::Error) -> Option<String> {
    if !error.to_string().contains("TLS") {
        return None;
    }
    let source = error.source()?;
    let told = match source.downcast_ref::<std::io::Error>() {
        // The connection was lost meanwhile, unless it is the certificate.
        Some(io) => io.get_ref()?.downcast_ref::<rustls::Error>()?.to_string(),
        None => source.to_string(),
    };
    let remedy = if told.contains("does not support TLS") {
        "set ssl=on at the server, or sslmode=disable on a network that is yours alone"
    } else if told.contains("UnknownIssuer") {
        "nobody that is trusted signed its certificate: name the PEM file of whoever did by sslrootcert in the database URL"
    } else {
        "look at sslrootcert and the host's name in the database URL, and at the server's certificate"
    };
    Some(format!(
        "the connection to the database cannot be encrypted: {told}; {remedy}"
    ))
}

/// Turns an error of PostgreSQL into one of the port.
pub(crate) fn store_error(error: tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(told) => {
            let text = match (told.table(), told.detail()) {
                (Some(table), _) => format!("{} (table {table})", told.message()),
                (None, Some(detail)) => format!("{}: {detail}", told.message()),
                (None, None) => told.message().to_owned(),
            };
            if is_passing(told.code()) {
                StoreError::Busy(text)
            } else {
                StoreError::Failed(format!("{text} [{}]", told.code().code()))
            }
        }
        None if let Some(what) = of_encryption(&error) => StoreError::Failed(what),
        None => {
            let text = match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            };
            let is_io = error
                .source()
                .is_some_and(|source| source.is::<std::io::Error>());
            if error.is_closed() || is_io || error.to_string().contains("timeout") {
                StoreError::Busy(format!("the connection to the database is lost: {text}"))
            } else {
                StoreError::Failed(text)
            }
        }
    }
}

/// Says which row a result came from, should it be an error.
pub(crate) trait PgLocated<T> {
    /// `table` and `key` name the row.
    fn at(self, table: &str, key: impl Display) -> Result<T, StoreError>;
}

impl<T> PgLocated<T> for Result<T, tokio_postgres::Error> {
    fn at(self, table: &str, key: impl Display) -> Result<T, StoreError> {
        self.map_err(|error| {
            let is_conversion = error
                .source()
                .is_some_and(|source| !source.is::<std::io::Error>())
                && error.as_db_error().is_none()
                && error.to_string().contains("deserializing");
            if is_conversion {
                unreadable(table, key, error)
            } else {
                store_error(error)
            }
        })
    }
}

impl<T> PgLocated<T> for Result<T, StoredProblem> {
    fn at(self, table: &str, key: impl Display) -> Result<T, StoreError> {
        self.map_err(|problem| unreadable(table, key, problem))
    }
}

/// A row that contradicts another, or holds a word that is not known.
pub(crate) fn unreadable(table: &str, key: impl Display, what: impl Display) -> StoreError {
    StoreError::Unreadable {
        place: format!("{table} {key}"),
        what: what.to_string(),
    }
}
