//! The wire log: which messages may have reached the wire.
//!
//! A message is noted, durably, right before its body is handed to a mail server. After a crash a message
//! in flight that is not noted has certainly not gone, and may be queued again; one that is noted is
//! *unknown* (design section 3). Notes of many messages share one flush.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};
use relance_core::ids::TouchpointId;
use tokio::sync::oneshot;

/// The file's name inside the data folder.
pub const FILE_NAME: &str = "wire.log";
/// Notes that share one flush.
const BATCH_MAX: usize = 1_000;

/// A note and whom to tell when it is durable.
type Note = (TouchpointId, u8, oneshot::Sender<()>);

/// Notes messages before they reach the wire.
pub struct WireLog {
    sender: Option<Sender<Note>>,
    thread: Option<JoinHandle<()>>,
}

impl WireLog {
    /// Reads what an earlier run noted.
    pub fn read(data: &Path) -> std::io::Result<BTreeSet<(TouchpointId, u8)>> {
        let file = match File::open(data.join(FILE_NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeSet::new());
            }
            Err(error) => return Err(error),
        };
        let mut noted = BTreeSet::new();
        for line in BufReader::new(file).split(b'\n') {
            // A torn last line was never reported durable, so its message never left.
            let line = line?;
            let parsed = std::str::from_utf8(&line).ok().and_then(|line| {
                let (id, attempt) = line.split_once(' ')?;
                Some((id.parse().ok()?, attempt.strip_suffix(';')?.parse().ok()?))
            });
            noted.extend(parsed);
        }
        Ok(noted)
    }

    /// Begins anew with the notes that are not settled yet. They are in place before this returns, and an
    /// earlier log stands until they are.
    pub fn begin(data: &Path, keep: &BTreeSet<(TouchpointId, u8)>) -> std::io::Result<Self> {
        let path = data.join(FILE_NAME);
        let fresh = data.join(format!("{FILE_NAME}.new"));
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&fresh)?;
        for (id, attempt) in keep {
            writeln!(file, "{id} {attempt};")?;
        }
        file.sync_data()?;
        std::fs::rename(&fresh, &path)?;
        File::open(data)?.sync_all()?;
        let (sender, receiver) = unbounded();
        let thread = std::thread::Builder::new()
            .name("wire-log".to_owned())
            .spawn(move || write_all(file, &receiver))?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
        })
    }

    /// Notes a message; returns when the note is durable. `false`: it could not be noted, so the message
    /// must not go.
    pub async fn note(&self, id: TouchpointId, attempt: u8) -> bool {
        let (tell, told) = oneshot::channel();
        let Some(sender) = &self.sender else {
            return false;
        };
        sender.send((id, attempt, tell)).is_ok() && told.await.is_ok()
    }
}

impl Drop for WireLog {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the panic hook.
            let _ended = thread.join();
        }
    }
}

fn write_all(mut file: File, notes: &Receiver<Note>) {
    while let Ok(first) = notes.recv() {
        let mut batch = vec![first];
        batch.extend(notes.try_iter().take(BATCH_MAX - 1));
        let mut text = String::new();
        for (id, attempt, _) in &batch {
            text.push_str(&format!("{id} {attempt};\n"));
        }
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_data());
        match written {
            Ok(()) => {
                for (_, _, tell) in batch {
                    // A sender that gave up needs no answer.
                    let _ = tell.send(());
                }
            }
            Err(error) => {
                // Dropping the batch refuses its messages; they are tried again later.
                tracing::error!(%error, "the wire log cannot be written; nothing is sent until it can");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use relance_core::ids::ContactId;

    use super::*;

    #[tokio::test]
    async fn what_was_noted_is_read_back_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let id = |hash| TouchpointId {
            contact: ContactId(3),
            hash,
        };
        let log = WireLog::begin(folder.path(), &BTreeSet::new()).unwrap();
        assert!(log.note(id(1), 1).await);
        assert!(log.note(id(2), 4).await);
        drop(log);
        let path = folder.path().join(FILE_NAME);
        let mut text = std::fs::read(&path).unwrap();
        text.extend(b"tp_3_00000000000000ff 1");
        std::fs::write(&path, text).unwrap();
        let noted = WireLog::read(folder.path()).unwrap();
        assert_eq!(noted, BTreeSet::from([(id(1), 1), (id(2), 4)]));
        drop(WireLog::begin(folder.path(), &BTreeSet::from([(id(2), 4)])).unwrap());
        assert_eq!(
            WireLog::read(folder.path()).unwrap(),
            BTreeSet::from([(id(2), 4)])
        );
    }
}
