//! One process a data folder: a lock that ends with its process, and where that process listens.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file's name inside the data folder.
const FILE_NAME: &str = "relance.lock";

/// Why a data folder cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockProblem {
    /// Another process has it.
    #[error(
        "another process works on this data folder, listening on {0}; stop it, or use its address"
    )]
    Taken(String),
    /// The file cannot be written.
    #[error("cannot lock {path}: {error}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// A data folder is ours until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes a data folder.
    pub fn take(data: &Path, address: SocketAddr) -> Result<Self, LockProblem> {
        let path = data.join(FILE_NAME);
        let failed = |error| LockProblem::Failed {
            path: path.clone(),
            error,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(failed)?;
                return Err(LockProblem::Taken(text.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{address}").map_err(failed)?;
        file.flush().map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_says_by_whom() {
        let folder = tempfile::tempdir().unwrap();
        let address: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let lock = Lock::take(folder.path(), address).unwrap();
        let refused = Lock::take(folder.path(), address).unwrap_err().to_string();
        assert!(refused.contains("127.0.0.1:8080"), "{refused}");
        drop(lock);
        Lock::take(folder.path(), address).unwrap();
    }
}
