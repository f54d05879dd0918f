//! The witness: what is written into the two places, and in which order.
//!
//! **Absent:** what follows from it.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use relance_engine::ports::{Asset, StoreError};
use relance_engine::quiet::SETTING;
use serde::{Deserialize, Serialize};

use super::CopyProblem;
use crate::workspace::encode;

/// The file beside the database.
pub const FILE_NAME: &str = "relance.witness";
/// The asset in the database.
pub(super) const WITNESS: &str = "witness";
/// Bytes of a token.
const TOKEN_BYTES: usize = 16;
/// Bytes of a witness file that are read; ours are shorter than a path and a few numbers.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The witness in the database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Inside {
    format: InsideFormat,
    pub(super) token: String,
    /// What lay in the file when the token was drawn; `None`: there was no file.
    pub(super) before: Option<String>,
    /// The database that it was written into, where a server tells them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum InsideFormat {
    #[serde(rename = "witness/1")]
    V1,
}

impl Inside {
    pub(super) fn new(token: String, before: Option<String>, server: Option<String>) -> Self {
        Self {
            format: InsideFormat::V1,
            token,
            before,
            server,
        }
    }

    pub(super) fn agrees_with(&self, beside: Option<&Beside>) -> bool {
        match beside {
            Some(beside) => {
                beside.token == self.token || self.before.as_ref() == Some(&beside.token)
            }
            // The very first start ended before the file was written.
            None => self.before.is_none(),
        }
    }

    /// `name`: see [`asset_name`].
    pub(super) fn asset(&self, name: &str) -> Asset {
        Asset {
            kind: SETTING.to_owned(),
            name: name.to_owned(),
            body: serde_json::to_string(self).ok(),
        }
    }
}

/// The witness beside the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Beside {
    format: BesideFormat,
    pub(super) token: String,
    pub(super) database: DatabaseId,
    /// Tells this folder from others that work on the same database of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) folder: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum BesideFormat {
    #[serde(rename = "witness-file/1")]
    V1,
}

/// The name of a folder's witness in the database. Of a file there is one folder; on a server each has its
/// own.
pub(super) fn asset_name(folder: Option<&str>) -> String {
    match folder {
        None => WITNESS.to_owned(),
        Some(folder) => format!("{WITNESS}.{folder}"),
    }
}

/// Which database it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum DatabaseId {
    /// A file.
    File(FileId),
    /// A schema of a server, as the server tells it.
    Server {
        /// See [`relance_store::Reader::server_identity`].
        server: String,
    },
}

impl DatabaseId {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(two)) => one.is_same(two),
            (Self::Server { server: one }, Self::Server { server: two }) => one == two,
            (Self::File(_), Self::Server { .. }) | (Self::Server { .. }, Self::File(_)) => false,
        }
    }

    pub(super) fn server(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Server { server } => Some(server),
        }
    }
}

/// Which file a database is. Nothing of it changes while the file stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileId {
    pub(super) path: String,
    /// On systems that tell them.
    pub(super) device: Option<u64>,
    pub(super) inode: Option<u64>,
    /// When the file was made, in nanoseconds since 1970; compared, never read as a time.
    pub(super) born: Option<u64>,
}

impl FileId {
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let data = std::fs::metadata(path)?;
        let born = data.created().ok();
        let born = born.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let (device, inode) = numbers(&data);
        Ok(Self {
            path: path.canonicalize()?.to_string_lossy().into_owned(),
            device,
            inode,
            born: born.and_then(|born| u64::try_from(born.as_nanos()).ok()),
        })
    }

    /// Whether both are one file. A number that is not known to both tells nothing. A device may have
    /// another number after it was mounted anew, and a folder another name: only both together tell a
    /// clone of the whole device.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same = |one: Option<u64>, two: Option<u64>| match (one, two) {
            (Some(one), Some(two)) => one == two,
            (None, _) | (_, None) => true,
        };
        same(self.inode, other.inode)
            && same(self.born, other.born)
            && (same(self.device, other.device) || self.path == other.path)
    }
}

#[cfg(unix)]
fn numbers(data: &std::fs::Metadata) -> (Option<u64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt as _;
    (Some(data.dev()), Some(data.ino()))
}

#[cfg(not(unix))]
fn numbers(_data: &std::fs::Metadata) -> (Option<u64>, Option<u64>) {
    (None, None)
}

/// The witness of a database that this process works on.
#[derive(Debug)]
pub struct Witness {
    pub(super) data: PathBuf,
    pub(super) database: DatabaseId,
    /// See [`Beside::folder`].
    pub(super) folder: Option<String>,
    /// What lies in the file.
    pub(super) held: Option<String>,
    /// A token that the database may hold and the file does not yet.
    pub(super) pending: Option<String>,
}

impl Witness {
    /// A new token for the database. It is committed before [`Witness::write`]; when that failed, the same
    /// token comes again, since nobody knows which of the two places has it.
    pub(super) fn renew(&mut self) -> Result<Asset, StoreError> {
        let token = match self.pending.take() {
            Some(token) => token,
            None => draw()?,
        };
        self.pending = Some(token.clone());
        Ok(self.inside(token, self.held.clone()))
    }

    /// What the database holds of it.
    pub(super) fn inside(&self, token: String, before: Option<String>) -> Asset {
        let server = self.database.server().map(str::to_owned);
        Inside::new(token, before, server).asset(&asset_name(self.folder.as_deref()))
    }

    /// Writes the token that the database holds by now into the file. It is on the disk when this returns.
    pub(super) fn write(&mut self) -> Result<(), CopyProblem> {
        let Some(token) = self.pending.clone() else {
            return Ok(());
        };
        let beside = Beside {
            format: BesideFormat::V1,
            token: token.clone(),
            database: self.database.clone(),
            folder: self.folder.clone(),
        };
        let path = self.data.join(FILE_NAME);
        let fresh = self.data.join(format!("{FILE_NAME}.new"));
        let written = (|| {
            let mut file = File::create(&fresh)?;
            file.write_all(serde_json::to_string(&beside)?.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&fresh, &path)?;
            File::open(&self.data)?.sync_all()
        })();
        written.map_err(|error| CopyProblem::File { path, error })?;
        self.held = Some(token);
        self.pending = None;
        Ok(())
    }
}

pub(super) fn draw() -> Result<String, StoreError> {
    let mut token = [0; TOKEN_BYTES];
    getrandom::fill(&mut token)
        .map_err(|error| StoreError::Failed(format!("no randomness: {error}")))?;
    Ok(encode(&token))
}

/// The witness file; `None` when there is none, or none that can be understood. A program writes it whole
/// or not at all.
pub(super) fn read_beside(data: &Path) -> Result<Option<Beside>, CopyProblem> {
    let path = data.join(FILE_NAME);
    let mut text = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut text));
    match read {
        Ok(_) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CopyProblem::File { path, error }),
    }
}
