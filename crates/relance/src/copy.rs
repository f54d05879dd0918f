//! Is this the database that ran here last, or a copy of it? (R10.)
//!
//! The same on a file and on a server; there each folder that works on the database has a witness of its
//! own, and which database it is, the server tells.
//!
//! A witness is left in two places: in the database, and in a small file beside it. Both hold a token that
//! is drawn anew at each start and each minute; the file also says which file the database is. A database
//! that was restored has another token than the file, one that was copied is another file, and one that
//! came alone has no file beside it. What the tokens are too slow to tell, the wire log tells: a message
//! left of which the database knows nothing.
//!
//! The order of writing makes a crash harmless at every point: the database first, which then holds the
//! new token *and* the one that lies in the file; the file after that. What the file holds is always one of
//! the two.
//!
//! **Absent:** the clock. Tokens are compared, moments never. And what a copy must not do: that is the
//! engine's business (see [`relance_engine::quiet`]).

#[cfg(test)]
mod tests;
mod witness;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use relance_core::ids::TouchpointId;
use relance_core::touchpoint::Touchpoint;
use relance_engine::arrival::{Arrival, Refusal};
use relance_engine::ports::{Asset, Dispatch, Store, StoreError};
use relance_engine::quiet::{QUIET, SETTING};
use relance_store::read::{ReadError, Reader};
use serde::{Deserialize, Serialize};

use self::witness::{Beside, DatabaseId, FileId, Inside, WITNESS, asset_name, draw, read_beside};
use crate::send::wire_log::{Fate, Noted, WireLog};
use crate::workspace::Workspace;

pub use self::witness::{FILE_NAME, Witness};

/// How often the token is drawn anew while the program runs.
const BEAT: Duration = Duration::from_secs(60);
/// How to let a quiet workspace send again.
pub const REMEDY: &str = "look at what is overdue, then run `relance release`";

/// Why a witness cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CopyProblem {
    /// The database, written to.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database, read from.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of the data folder.
    #[error("{path}: {error}; the program must be able to read and write its data folder")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// By what a copy was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// There is no witness file: the database came alone.
    WitnessMissing,
    /// The database holds another token than the file: one of them was put back.
    Restored,
    /// The database is another file than the one that the witness saw.
    Copied,
    /// A message left of which the database knows nothing: it is older than what was sent.
    OlderThanSent,
}

impl Cause {
    /// The public code.
    pub const fn word(self) -> &'static str {
        match self {
            Self::WitnessMissing => "witness_missing",
            Self::Restored => "restored",
            Self::Copied => "copied",
            Self::OlderThanSent => "older_than_sent",
        }
    }

    /// The same for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::WitnessMissing => "the database came here without its witness file",
            Self::Restored => "the database is not the one that ran here last: it was restored",
            Self::Copied => "the database is a copy: another file than the one that ran last",
            Self::OlderThanSent => "messages have left that the database knows nothing of",
        }
    }
}

/// A workspace sends nothing until a person releases it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// By what the copy was told.
    pub reason: Cause,
    /// When, by the clock of the machine.
    pub noticed_at: Timestamp,
}

/// What was found out at the beginning.
#[derive(Debug)]
pub struct Begun {
    /// The witness from now on.
    pub witness: Witness,
    /// The workspace must send nothing.
    pub quiet: Option<Quiet>,
}

/// Looks whether a database is a copy, remembers it if so, and leaves a new witness. `node` is this program's
/// name among several that share a workspace on a server.
pub fn begin(
    store: &mut impl Store,
    reader: &Reader,
    data: &Path,
    node: Option<&str>,
    now: Timestamp,
) -> Result<Begun, CopyProblem> {
    let known = known(reader, now)?;
    let (cause, beside) = examine(reader, data, node)?;
    let noticed = cause.map(|reason| Quiet {
        reason,
        noticed_at: now,
    });
    let database = database_id(reader)?;
    let folder = match (&database, &beside) {
        (DatabaseId::File(_), _) => None,
        (
            DatabaseId::Server { .. },
            Some(Beside {
                folder: Some(folder),
                ..
            }),
        ) => Some(folder.clone()),
        (DatabaseId::Server { .. }, _) => Some(draw()?),
    };
    let mut witness = Witness {
        data: data.to_owned(),
        database,
        folder,
        held: beside.map(|beside| beside.token),
        pending: None,
    };
    let first = witness.held.is_none();
    let mut assets = vec![witness.renew()?];
    if let (None, Some(noticed)) = (&known, &noticed) {
        assets.push(Asset {
            kind: SETTING.to_owned(),
            name: QUIET.to_owned(),
            body: serde_json::to_string(noticed).ok(),
        });
    }
    put(store, &assets, now)?;
    witness.write()?;
    if first {
        // From now on a database without the file beside it is a copy.
        let token = witness.held.clone().unwrap_or_default();
        let inside = witness.inside(token.clone(), Some(token));
        put(store, &[inside], now)?;
    }
    let quiet = known.or(noticed);
    Ok(Begun { witness, quiet })
}

/// Whether a workspace is quiet, or would be at its next start. Changes nothing, and may be asked beside
/// whoever works on it.
pub fn look(
    reader: &Reader,
    data: &Path,
    node: Option<&str>,
    now: Timestamp,
) -> Result<Option<Quiet>, CopyProblem> {
    if let Some(quiet) = known(reader, now)? {
        return Ok(Some(quiet));
    }
    let (cause, _) = examine(reader, data, node)?;
    Ok(cause.map(|reason| Quiet {
        reason,
        noticed_at: now,
    }))
}

/// What of a file's witness must not go along when the workspace moves elsewhere: kind and name of a text.
pub fn stays_behind() -> (&'static str, &'static str) {
    (SETTING, WITNESS)
}

/// The database of a data folder moved elsewhere, where it gets a new witness.
pub fn forget_witness(data: &Path) -> Result<(), CopyProblem> {
    let path = data.join(FILE_NAME);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CopyProblem::File { path, error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn put(store: &mut impl Store, assets: &[Asset], now: Timestamp) -> Result<(), StoreError> {
    store.begin()?;
    let written = assets
        .iter()
        .try_for_each(|asset| store.put_asset(asset, now))
        .and_then(|()| store.commit());
    if written.is_err() {
        store.rollback();
    }
    written
}

/// What the database says of itself.
fn known(reader: &Reader, now: Timestamp) -> Result<Option<Quiet>, ReadError> {
    let body = setting(reader, QUIET)?;
    // One that cannot be read is quiet all the same.
    Ok(body.map(|body| {
        serde_json::from_str(&body).unwrap_or(Quiet {
            reason: Cause::Restored,
            noticed_at: now,
        })
    }))
}

fn setting(reader: &Reader, name: &str) -> Result<Option<String>, ReadError> {
    let texts = reader.texts(SETTING)?;
    let found = texts.into_iter().find(|text| text.name == name);
    Ok(found.map(|text| text.body))
}

/// Compares what lies in the folder. The file is read before the database: a program that runs there may
/// draw a new token in between, and the database knows the one before it.
fn examine(
    reader: &Reader,
    data: &Path,
    node: Option<&str>,
) -> Result<(Option<Cause>, Option<Beside>), CopyProblem> {
    let beside = read_beside(data)?;
    let database = database_id(reader)?;
    if let (DatabaseId::Server { server }, None) = (&database, &beside) {
        return Ok((stranger(reader, server, node)?, None));
    }
    let name = asset_name(beside.as_ref().and_then(|beside| beside.folder.as_deref()));
    let inside = setting(reader, &name)?;
    let inside = inside.and_then(|text| serde_json::from_str::<Inside>(&text).ok());
    let cause = match (&inside, &beside) {
        // A fresh workspace, or one from before there were witnesses.
        (None, None) => None,
        // The file outlived its database. One that was only just made has nothing that could be overdue.
        (None, Some(_)) => (reader.totals()?.contacts > 0).then_some(Cause::Restored),
        (Some(inside), None) => (!inside.agrees_with(None)).then_some(Cause::WitnessMissing),
        (Some(inside), Some(beside)) => {
            if !inside.agrees_with(Some(beside)) {
                Some(Cause::Restored)
            } else if !beside.database.is_same(&database) {
                Some(Cause::Copied)
            } else if sent_more(reader, data)? {
                Some(Cause::OlderThanSent)
            } else {
                None
            }
        }
    };
    Ok((cause, beside))
}

/// A folder without a witness comes to a database of a server. One in which nobody worked yet is new. Where
/// others work right now, it is one more of them. Else nobody can say what left since this database was as it
/// is: it was restored, or the folder that knew is gone.
fn stranger(
    reader: &Reader,
    server: &str,
    node: Option<&str>,
) -> Result<Option<Cause>, CopyProblem> {
    let prefix = asset_name(Some(""));
    let known: Vec<Inside> = reader
        .texts(SETTING)?
        .into_iter()
        .filter(|text| text.name.starts_with(&prefix))
        .filter_map(|text| serde_json::from_str(&text.body).ok())
        .collect();
    // The very first start ended before its file was written.
    if known.iter().all(|inside| inside.before.is_none()) {
        return Ok(None);
    }
    if !known
        .iter()
        .any(|inside| inside.server.as_deref() == Some(server))
    {
        return Ok(Some(Cause::Copied));
    }
    let is_shared = reader.works_elsewhere(node)?;
    Ok((!is_shared).then_some(Cause::WitnessMissing))
}

fn database_id(reader: &Reader) -> Result<DatabaseId, CopyProblem> {
    if let Some(path) = reader.file() {
        let id = FileId::of(path).map_err(|error| CopyProblem::File {
            path: path.to_owned(),
            error,
        })?;
        return Ok(DatabaseId::File(id));
    }
    let server = reader.server_identity()?.ok_or_else(|| {
        StoreError::Failed("the server does not tell which database it is".to_owned())
    })?;
    Ok(DatabaseId::Server { server })
}

/// Whether the wire log's last messages left without the database's knowledge. A message is claimed
/// durably before it is noted, so this is never so of the database that they left from.
fn sent_more(reader: &Reader, data: &Path) -> Result<bool, CopyProblem> {
    let last = WireLog::last_left(data).map_err(|error| CopyProblem::File {
        path: data.join(crate::send::wire_log::FILE_NAME),
        error,
    })?;
    for (id, attempt) in last {
        let knows = match reader.touchpoint(id)? {
            Some(touchpoint) => touchpoint.attempts >= attempt,
            // Who was erased since takes the messages along.
            None => reader.contact(id.contact)?.is_none_or(|one| one.erased),
        };
        if !knows {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is known of a copy's messages in flight. Its wire log ends where it was copied, while the original
/// may have gone on: what is not known to have left may have left since.
pub fn doubt(noted: &Noted, in_flight: impl Iterator<Item = (TouchpointId, u8)>) -> Noted {
    let fate = |found: Option<&Fate>| match found {
        Some(Fate::Left) => Fate::Left,
        Some(Fate::MayHaveLeft | Fate::NotLeft) | None => Fate::MayHaveLeft,
    };
    in_flight
        .map(|attempt| (attempt, fate(noted.get(&attempt))))
        .collect()
}

/// The same try, as the wire log names it.
pub fn attempt_of(touchpoint: &Touchpoint) -> (TouchpointId, u8) {
    (touchpoint.id, touchpoint.attempts)
}

/// What a running workspace knows of being a copy.
#[derive(Debug)]
pub struct Guard {
    witness: Mutex<Witness>,
    quiet: Mutex<Option<Quiet>>,
    /// Messages in flight at the copy's start: looked into at its release.
    waiting: Mutex<Option<(Vec<Dispatch>, Noted)>>,
}

impl Guard {
    /// After [`begin`].
    pub fn new(begun: Begun) -> Self {
        Self {
            witness: Mutex::new(begun.witness),
            quiet: Mutex::new(begun.quiet),
            waiting: Mutex::default(),
        }
    }

    /// Why nothing is sent; `None` when the workspace works.
    pub fn quiet(&self) -> Option<Quiet> {
        lock(&self.quiet).clone()
    }

    /// Keeps messages in flight until the release.
    pub fn keep(&self, in_flight: Vec<Dispatch>, noted: Noted) {
        *lock(&self.waiting) = Some((in_flight, noted));
    }

    /// The release is durable: what was kept is handed out, once.
    pub fn released(&self) -> Option<(Vec<Dispatch>, Noted)> {
        *lock(&self.quiet) = None;
        lock(&self.waiting).take()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Draws new tokens for as long as the workspace runs. Must be called within a Tokio runtime.
pub fn keep_witness(workspace: &Arc<Workspace>) {
    let weak = Arc::downgrade(workspace);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            let Some(workspace) = weak.upgrade() else {
                return;
            };
            match renew(workspace).await {
                Ok(()) => {}
                Err(BeatProblem::Refused(Refusal::Stopping)) => return,
                Err(problem) => tracing::warn!(%problem, "the witness could not be renewed"),
            }
        }
    });
}

#[derive(Debug, thiserror::Error)]
enum BeatProblem {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Copy(#[from] CopyProblem),
    #[error("writing it ended early")]
    Ended,
}

async fn renew(workspace: Arc<Workspace>) -> Result<(), BeatProblem> {
    let asset = lock(&workspace.copy.witness).renew();
    let asset = asset.map_err(CopyProblem::from)?;
    workspace.submit(vec![Arrival::Asset(asset)], 256).await?;
    let written = tokio::task::spawn_blocking(move || lock(&workspace.copy.witness).write());
    Ok(written.await.map_err(|_| BeatProblem::Ended)??)
}
