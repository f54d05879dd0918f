//! Where a workspace's database is: a file of SQLite, or a schema of a PostgreSQL server.
//!
//! A URL holds a password. Whatever is printed of one, by `Display`, `Debug` or an error, shows `***` in its
//! place.
//!
//! **Absent:** opening anything.

use std::fmt;
use std::path::PathBuf;

use crate::postgres::connect::{self, Address, UrlProblem};

/// Where a workspace's database is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// A schema of a PostgreSQL server.
    Server(DatabaseUrl),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(url) => url.fmt(f),
        }
    }
}

/// Why a workspace cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It is a file.
    #[error(transparent)]
    File(#[from] crate::sqlite::OpenError),
    /// It is on a server.
    #[error(transparent)]
    Server(#[from] crate::postgres::OpenError),
    /// A workspace is being moved into it.
    #[error(
        "a move into this database was begun and has not ended; run `relance store move` once more"
    )]
    HalfMoved,
}

impl PlaceError {
    /// Whether an older program wrote it, and this one has not opened it to write since.
    pub fn is_older(&self) -> bool {
        match self {
            Self::File(problem) => matches!(problem, crate::sqlite::OpenError::Older { .. }),
            Self::Server(problem) => matches!(problem, crate::postgres::OpenError::Older { .. }),
            Self::HalfMoved => false,
        }
    }
}

/// A URL of PostgreSQL that was read and found usable.
#[derive(Clone)]
pub struct DatabaseUrl {
    address: Box<Address>,
    shown: String,
    text: String,
}

impl DatabaseUrl {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME&sslmode=require`. The errors do not
    /// repeat it.
    pub fn parse(text: &str) -> Result<Self, UrlProblem> {
        Ok(Self {
            address: Box::new(connect::parse(text)?),
            shown: mask(text),
            text: text.to_owned(),
        })
    }

    /// Where it leads, as whom.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The URL whole, with the password: to hand it on, never to show it.
    pub fn secret_text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatabaseUrl").field(&self.shown).finish()
    }
}

/// A URL without its password, wherever it stands: before the first `@`, as whoever connects reads it, or in
/// a parameter.
fn mask(text: &str) -> String {
    const HIDDEN: &str = "***";
    let (scheme, rest) = text.split_once("://").unwrap_or(("postgres", text));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let plain = match rest.split_once('@') {
        None => rest.to_owned(),
        Some((who, place)) => match who.split_once(':') {
            None => rest.to_owned(),
            Some((user, _)) => format!("{user}:{HIDDEN}@{place}"),
        },
    };
    let parameters: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.contains("pass") => format!("{name}={HIDDEN}"),
            Some(_) | None => pair.to_owned(),
        })
        .collect();
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{scheme}://{plain}{mark}{}", parameters.join("&"))
}

/// Waits for a server without stopping the tasks of others: a store and a reader may be used, and dropped,
/// where tasks run.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(work)
        }
        // On a thread of nobody's tasks; a runtime of one thread has no other that could go on.
        Ok(_) | Err(_) => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (text, shown) in [
            (
                "postgres://ana:se:c/ret@localhost:5433/shop?schema=eu",
                "postgres://ana:***@localhost:5433/shop?schema=eu",
            ),
            (
                "postgres://ana@localhost/shop?password=secret&sslmode=disable",
                "postgres://ana@localhost/shop?password=***&sslmode=disable",
            ),
            ("postgres://localhost/shop", "postgres://localhost/shop"),
        ] {
            assert_eq!(mask(text), shown);
        }
        let url = DatabaseUrl::parse("postgres://ana:secret@localhost/shop").expect("reads");
        let place = Place::Server(url.clone());
        for told in [format!("{url:?}"), format!("{place:?}"), place.to_string()] {
            assert!(told.contains("***") && !told.contains("secret"), "{told}");
        }
        assert!(url.secret_text().contains("secret"));
        let problem = DatabaseUrl::parse("postgres://ana:secret@localhost:port/shop");
        let told = problem.expect_err("refused").to_string();
        assert!(!told.contains("secret"), "{told}");
    }
}
