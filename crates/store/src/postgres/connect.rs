//! Connections to PostgreSQL: the URL, the session's settings, and a thread's way to wait for answers.
//!
//! A [`Link`] is one connection with a runtime of its own: it belongs to one thread at a time, and
//! nothing moves on it but while that thread waits in [`Link::wait`].
//!
//! **Absent:** pools, statements, retries.

use std::future::Future;
use std::time::Duration;

use relance_engine::ports::StoreError;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::runtime::Runtime;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{PgLocated, store_error};

/// The schema of a URL that names none.
pub(crate) const DEFAULT_SCHEMA: &str = "relance";
/// What the server shows of a connection that names nothing else.
const APPLICATION_NAME: &str = "relance";
/// Longest name of a schema: PostgreSQL cuts longer ones.
const SCHEMA_BYTES_MAX: usize = 63;
/// How long a server may take to answer a call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a dead peer stays unnoticed, on both sides.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Memory of one sort or hash in the server before it goes to the disk.
const WORK_MEM: &str = "32MB";

/// Why a URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// It is not a URL of PostgreSQL.
    #[error(
        "the database URL is not readable: {0}; write postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME"
    )]
    Unreadable(String),
    /// Its schema is no name.
    #[error(
        "the schema {0:?} of the database URL is no name of ours: use at most 63 of a-z, 0-9 and _, a letter first, and not pg_"
    )]
    Schema(String),
    /// It asks for a way of encryption that is not known.
    #[error("sslmode={0} of the database URL is not known; use `require` or `disable`")]
    SslMode(String),
    /// It leads over a network and does not say whether to encrypt.
    #[error(
        "the database URL leads to another machine and does not say whether to encrypt; add sslmode=require, or sslmode=disable on a network that is yours alone"
    )]
    SslUnsaid,
    /// The file of trusted certificates is not usable.
    #[error("sslrootcert={path} of the database URL is not readable: {what}")]
    RootCertificates {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// A parameter occurs that is none.
    #[error("a parameter of the database URL is not usable: {0}")]
    Parameter(String),
}

/// A workspace on a server: where, as whom, and its schema.
#[derive(Clone)]
pub(crate) struct Address {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// The schema, which is the workspace.
    pub(crate) schema: String,
}

impl std::fmt::Debug for Address {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address")
            .field("hosts", &self.config.get_hosts())
            .field("database", &self.config.get_dbname())
            .field("schema", &self.schema)
            .field("encrypted", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The engine's: everything goes along keys, and plans are kept.
    Write {
        /// How long a batch may stand idle in the middle before the server ends it: a node that fell
        /// silent holds its row no longer than this.
        idle_in_batch: Duration,
        /// Whether a commit waits for the server's disk.
        waits_for_disk: bool,
    },
    /// The pages': cannot change anything.
    Read,
    /// Steps of the schema, which may take long.
    Migrate,
}

/// Longest statement of an engine's batch.
const WRITE_STATEMENT_MAX: Duration = Duration::from_secs(60);
/// How long a batch waits for a row that another session holds.
const WRITE_LOCK_MAX: Duration = Duration::from_secs(5);
/// Longest statement of a page.
const READ_STATEMENT_MAX: Duration = Duration::from_secs(30);
/// How long a step of the schema waits for whoever uses a table.
const MIGRATE_LOCK_MAX: Duration = Duration::from_secs(30);

/// Reads `postgres://user:password@host:port/database?schema=NAME&sslmode=require&sslrootcert=FILE`.
/// `sslmode=require` also checks the server's certificate. Other parameters are those of libpq.
pub(crate) fn parse(url: &str) -> Result<Address, UrlProblem> {
    let (bare, query) = url.split_once('?').unwrap_or((url, ""));
    if !bare.starts_with("postgres://") && !bare.starts_with("postgresql://") {
        return Err(UrlProblem::Unreadable(
            "it does not begin with postgres://".to_owned(),
        ));
    }
    let mut schema = None;
    let mut ssl_mode = None;
    let mut root_certificates = None;
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "schema" => schema = Some(value.to_owned()),
            "sslmode" => ssl_mode = Some(value),
            "sslrootcert" => root_certificates = Some(value),
            _of_libpq => rest.push(pair),
        }
    }
    let schema = schema.unwrap_or_else(|| DEFAULT_SCHEMA.to_owned());
    if !is_schema_name(&schema) {
        return Err(UrlProblem::Schema(schema));
    }
    let plain = if rest.is_empty() {
        bare.to_owned()
    } else {
        format!("{bare}?{}", rest.join("&"))
    };
    // The error does not repeat the URL, which holds a password.
    let mut config: Config = plain
        .parse()
        .map_err(|error: tokio_postgres::Error| UrlProblem::Unreadable(told(&error)))?;
    let encrypts = match ssl_mode {
        Some("require" | "verify-full") => true,
        Some("disable") => false,
        Some(other) => return Err(UrlProblem::SslMode(other.to_owned())),
        None if config.get_hosts().iter().all(is_here) => false,
        None => return Err(UrlProblem::SslUnsaid),
    };
    config.ssl_mode(if encrypts {
        SslMode::Require
    } else {
        SslMode::Disable
    });
    if config.get_application_name().is_none() {
        config.application_name(APPLICATION_NAME);
    }
    config
        .connect_timeout(CONNECT_TIMEOUT)
        .keepalives(true)
        .keepalives_idle(SILENCE_MAX / 2)
        .keepalives_interval(SILENCE_MAX / 6)
        .keepalives_retries(3)
        .tcp_user_timeout(SILENCE_MAX);
    let tls = encrypts.then(|| trust(root_certificates)).transpose()?;
    Ok(Address {
        config,
        tls,
        schema,
    })
}

fn told(error: &tokio_postgres::Error) -> String {
    use std::error::Error;
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn is_schema_name(name: &str) -> bool {
    let is_of_word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    name.len() <= SCHEMA_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(is_of_word)
        && !name.starts_with("pg_")
}

/// Whether a server is reached without a network.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]"),
    }
}

/// Trusts the certificates of a file, or the public ones.
fn trust(path: Option<&str>) -> Result<MakeRustlsConnect, UrlProblem> {
    let mut roots = rustls::RootCertStore::empty();
    match path {
        Some(path) => {
            let unreadable = |what: String| UrlProblem::RootCertificates {
                path: path.to_owned(),
                what,
            };
            let all = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unreadable(error.to_string()))?;
            if all.is_empty() {
                return Err(unreadable("it holds no certificate".to_owned()));
            }
            for one in all {
                roots
                    .add(one)
                    .map_err(|error| unreadable(error.to_string()))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = rustls::crypto::ring::default_provider().into();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| UrlProblem::Parameter(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// One connection, and the runtime that moves it.
#[derive(Debug)]
pub(crate) struct Link {
    // Dropped before the runtime, which then drops the socket: the server sees the end at once.
    pub(crate) client: Client,
    runtime: Runtime,
}

impl Link {
    /// Waits for an answer. Where tasks run, this is called inside [`blocking`](crate::blocking).
    pub(crate) fn wait<F: Future>(&self, answer: F) -> F::Output {
        self.runtime.block_on(answer)
    }

    /// Whether the connection is known to be lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }
}

/// Opens a connection with its schema first in line and limits on everything that can wait.
pub(crate) fn open(address: &Address, purpose: Purpose) -> Result<Link, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| StoreError::Failed(format!("a runtime for the database: {error}")))?;
    let client = runtime.block_on(async {
        match &address.tls {
            Some(tls) => {
                let (client, connection) = address
                    .config
                    .connect(tls.clone())
                    .await
                    .map_err(store_error)?;
                tokio::spawn(async move { gone(connection.await) });
                Ok(client)
            }
            None => {
                let (client, connection) =
                    address.config.connect(NoTls).await.map_err(store_error)?;
                tokio::spawn(async move { gone(connection.await) });
                Ok::<_, StoreError>(client)
            }
        }
    })?;
    let link = Link { client, runtime };
    link.wait(link.client.batch_execute(&settings(address, purpose)))
        .at("session", "settings")?;
    Ok(link)
}

/// Says why a connection ended; whoever waits for an answer learns it by an error of its own.
fn gone(end: Result<(), tokio_postgres::Error>) {
    if let Err(error) = end {
        tracing::debug!(%error, "a connection to the database ended");
    }
}

/// The session's settings. The schema's name was checked: it needs no quoting.
fn settings(address: &Address, purpose: Purpose) -> String {
    let common = format!(
        "SET search_path TO {};
         SET client_min_messages TO warning;
         SET work_mem TO '{WORK_MEM}';
         SET jit TO off;
         SET tcp_keepalives_idle TO {};
         SET tcp_keepalives_interval TO {};
         SET tcp_keepalives_count TO 3;",
        address.schema,
        SILENCE_MAX.as_secs() / 2,
        SILENCE_MAX.as_secs() / 6,
    );
    let own = match purpose {
        // Statements of the engine name keys: a plan that goes along them is right for every size of a
        // table, also before the server has looked how large it is. Plans are made once.
        Purpose::Write {
            idle_in_batch,
            waits_for_disk,
        } => format!(
            "SET statement_timeout TO {};
             SET lock_timeout TO {};
             SET idle_in_transaction_session_timeout TO {};
             SET plan_cache_mode TO force_generic_plan;
             SET enable_seqscan TO off;
             SET enable_hashjoin TO off;
             SET enable_mergejoin TO off;
             SET enable_material TO off;
             {}",
            WRITE_STATEMENT_MAX.as_millis(),
            WRITE_LOCK_MAX.as_millis(),
            idle_in_batch.as_millis(),
            if waits_for_disk {
                ""
            } else {
                "SET synchronous_commit TO off;"
            },
        ),
        Purpose::Read => format!(
            "SET statement_timeout TO {};
             SET default_transaction_read_only TO on;",
            READ_STATEMENT_MAX.as_millis(),
        ),
        Purpose::Migrate => format!("SET lock_timeout TO {};", MIGRATE_LOCK_MAX.as_millis()),
    };
    common + &own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_server_database_and_schema() {
        let address = parse("postgres://ana:secret@localhost:5433/shop").expect("reads");
        assert_eq!(address.schema, DEFAULT_SCHEMA);
        assert_eq!(address.config.get_ports(), [5433]);
        assert_eq!(address.config.get_dbname(), Some("shop"));
        assert!(!format!("{address:?}").contains("secret"));
        let address = parse(
            "postgresql://ana@db.example/shop?schema=eu_1&sslmode=require&application_name=n1",
        )
        .expect("reads");
        assert_eq!(address.schema, "eu_1");
        assert!(address.tls.is_some());
        assert_eq!(address.config.get_application_name(), Some("n1"));
        let socket = parse("postgres://ana@/shop?host=/run/postgresql").expect("reads");
        assert_eq!(
            socket.config.get_hosts(),
            [Host::Unix("/run/postgresql".into())]
        );
    }

    #[test]
    fn a_url_that_cannot_be_meant_is_refused_by_name() {
        let problem = |url: &str| parse(url).expect_err("refused");
        assert!(matches!(problem("mysql://x/y"), UrlProblem::Unreadable(_)));
        assert!(matches!(
            problem("postgres://x:y:z/"),
            UrlProblem::Unreadable(_)
        ));
        let secret = problem("postgres://ana:secret@localhost/shop?nonsense=1");
        assert!(!secret.to_string().contains("secret"), "{secret}");
        for name in [
            "",
            "Eu",
            "1a",
            "a;drop",
            "a\"b",
            "pg_catalog",
            "é",
            &"a".repeat(64),
        ] {
            let url = format!("postgres://ana@localhost/shop?schema={name}");
            assert_eq!(problem(&url), UrlProblem::Schema(name.to_owned()));
        }
        assert_eq!(
            problem("postgres://ana@db.example/shop"),
            UrlProblem::SslUnsaid
        );
        let mode = problem("postgres://ana@db.example/shop?sslmode=prefer");
        assert_eq!(mode, UrlProblem::SslMode("prefer".to_owned()));
        let absent = problem("postgres://a@db.example/s?sslmode=require&sslrootcert=/absent.pem");
        assert!(matches!(absent, UrlProblem::RootCertificates { .. }));
    }
}
