//! Where a command does its work: through a running server, or in a data folder on which none runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use relance_engine::clock::{Clock, SystemClock};
use relance_store::AnyStore;
use relance_store::read::Reader;
use relance_wire::segments::Settings;
use serde::Serialize;
use serde_json::Value;

use crate::config::Config;
use crate::lock::{Lock, LockProblem};
use crate::settings;

use super::Failure;

/// Arguments that say where.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// The data folder, when no server runs on it.
    #[arg(long, env = "RELANCE_DATA", required_unless_present = "server")]
    data: Option<PathBuf>,
    /// A running server, such as http://127.0.0.1:8080.
    #[arg(long, env = "RELANCE_SERVER", requires = "token")]
    server: Option<String>,
    /// An API token of that server.
    #[arg(long, env = "RELANCE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Where a command does its work.
pub enum Place<'a> {
    /// A running server.
    Server(Server<'a>),
    /// A data folder.
    Folder(&'a Path),
}

/// A running server.
pub struct Server<'a> {
    url: &'a str,
    token: &'a str,
}

/// A data folder that is held while the command works in it.
pub struct Held {
    /// Its database.
    pub store: AnyStore,
    /// The moment, in whole milliseconds.
    pub now: Timestamp,
    /// What its configuration says of words whose meaning it may choose.
    pub settings: Settings,
    _lock: Lock,
}

impl Target {
    /// The place that is named.
    pub fn place(&self) -> Result<Place<'_>, Failure> {
        match (&self.server, &self.token, &self.data) {
            (Some(url), Some(token), _) => Ok(Place::Server(Server {
                url: url.trim_end_matches('/'),
                token,
            })),
            (_, _, Some(data)) => Ok(Place::Folder(data)),
            (_, _, None) => Err(Failure::Usage("name --data or --server".to_owned())),
        }
    }
}

/// Opens the database of a data folder, and keeps servers away from it meanwhile.
pub fn hold(data: &Path) -> Result<Held, Failure> {
    let place = database(data)?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let lock = Lock::take(data, nowhere).map_err(|problem| match problem {
        LockProblem::Taken(address) => Failure::Usage(format!(
            "a server runs on this folder; work through it: --server http://{address} --token ..."
        )),
        LockProblem::Failed { .. } => Failure::cannot(problem),
    })?;
    let store = AnyStore::open(&place).map_err(Failure::cannot)?;
    let now = SystemClock.now().as_millisecond();
    let config = Config::load(data).map_err(Failure::cannot)?;
    Ok(Held {
        store,
        settings: config.rfm.settings(),
        now: Timestamp::from_millisecond(now).map_err(Failure::cannot)?,
        _lock: lock,
    })
}

/// What is in force in a data folder: its file, with what was changed in the interface over it.
pub fn config_of(data: &Path) -> Result<Config, Failure> {
    let file = Config::load(data).map_err(Failure::cannot)?;
    settings::in_folder(file, data).map_err(Failure::cannot)
}

/// Where the database of a data folder is. A file must be there; whether a server has one is told by who
/// opens it.
pub fn database(data: &Path) -> Result<relance_store::Place, Failure> {
    let config = Config::load(data).map_err(Failure::cannot)?;
    let place = config.place(data).map_err(Failure::cannot)?;
    let is_there = match &place {
        relance_store::Place::File(path) => path.exists(),
        relance_store::Place::Server(_) => data.is_dir(),
    };
    if is_there {
        return Ok(place);
    }
    let what = format!(
        "{} holds no workspace; run relance init first",
        data.display()
    );
    Err(Failure::Usage(what))
}

/// The database of a data folder, to read it beside whoever works on it.
pub fn reader(data: &Path) -> Result<Reader, Failure> {
    Reader::open_place(&database(data)?).map_err(Failure::cannot)
}

impl Server<'_> {
    /// Where it is.
    pub const fn url(&self) -> &str {
        self.url
    }

    /// What opens it.
    pub const fn token(&self) -> &str {
        self.token
    }

    /// Asks the management API.
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(|client, url| client.get(url), path)
    }

    /// Asks the management API to do something.
    pub fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        self.ask(|client, url| client.post(url).json(body), path)
    }

    /// Gives the management API a text.
    pub fn post_text(&self, path: &str, text: String) -> Result<Value, Failure> {
        self.ask(|client, url| client.post(url).body(text), path)
    }

    /// Gives the management API a file.
    pub fn post_bytes(&self, path: &str, bytes: Vec<u8>) -> Result<Value, Failure> {
        self.ask(|client, url| client.post(url).body(bytes), path)
    }

    /// Asks the management API to put something in the place of what is there.
    pub fn put(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        self.ask(|client, url| client.put(url).json(body), path)
    }

    /// Asks the management API to take something away, of which it says nothing more.
    pub fn delete_quietly(&self, path: &str) -> Result<(), Failure> {
        self.ask(|client, url| client.delete(url), path).map(drop)
    }

    /// Asks the management API to take something away.
    pub fn delete(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        self.ask(|client, url| client.delete(url).json(body), path)
    }

    fn ask(
        &self,
        request: impl FnOnce(&reqwest::Client, String) -> reqwest::RequestBuilder,
        path: &str,
    ) -> Result<Value, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::cannot)?;
        runtime.block_on(async {
            let client = crate::client().map_err(Failure::cannot)?;
            let answer = request(&client, format!("{}{path}", self.url))
                .bearer_auth(self.token)
                .send()
                .await
                .map_err(|error| Failure::cannot(format!("cannot reach {}: {error}", self.url)))?;
            let status = answer.status();
            if status == reqwest::StatusCode::NO_CONTENT {
                return Ok(Value::Null);
            }
            if status.is_success() {
                return answer.json().await.map_err(Failure::cannot);
            }
            let problem: Value = answer.json().await.unwrap_or_default();
            let detail = problem["detail"]
                .as_str()
                .unwrap_or("the server gave no reason");
            Err(Failure::cannot(format!(
                "{detail}\nthe server refused ({status})"
            )))
        })
    }
}
